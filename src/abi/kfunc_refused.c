/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The functions that the BTF of Linux 6.18 marks as callable (bpf_kfunc) and that the data plane
 * does not have, with the reason: a clause that follows "user space has no such function: ". Every
 * one has a row here or in kfunc.c; a test holds both against the running kernel's BTF.
 */
#include "abi/kfunc.h"

#include <string.h>

#define LSM_FILE   "no LSM hook fires here, and only these pass the file"
#define SOCKETS	   "sockets of the kernel cannot be changed from outside of their process"
#define NOT_CALLED "it is there to be attached to; no kernel lets a program call it"
#define DEVICE	   "only programs bound to a device may ask it, and devices take no programs here"

static const struct refusal {
	const char *name, *why;
} refusals[] = {
	{ "bpf_fentry_test1", NOT_CALLED },
	{ "bpf_get_dentry_xattr", LSM_FILE },
	{ "bpf_get_file_xattr", LSM_FILE },
	{ "bpf_map_sum_elem_count", "elements of a map are not counted, and a walk has no bound" },
	{ "bpf_modify_return_test", NOT_CALLED },
	{ "bpf_modify_return_test2", NOT_CALLED },
	{ "bpf_remove_dentry_xattr", LSM_FILE },
	{ "bpf_set_dentry_xattr", LSM_FILE },
	{ "bpf_sock_addr_set_sun_path", SOCKETS },
	{ "bpf_task_work_schedule_resume_impl", "no task waits for a program's work" },
	{ "bpf_task_work_schedule_signal_impl", "no task waits for a program's work" },
	{ "bpf_xdp_metadata_rx_hash", DEVICE },
	{ "bpf_xdp_metadata_rx_timestamp", DEVICE },
	{ "bpf_xdp_metadata_rx_vlan_tag", DEVICE },
};

const char *abi_kfunc_refused(const char *name)
{
	for (u32 i = 0; i < ARRAY_SIZE(refusals); i++)
		if (!strcmp(refusals[i].name, name))
			return refusals[i].why;
	return NULL;
}

const char *abi_kfunc_refused_at(u32 index, const char **ret_why)
{
	if (index >= ARRAY_SIZE(refusals))
		return NULL;
	*ret_why = refusals[index].why;
	return refusals[index].name;
}
