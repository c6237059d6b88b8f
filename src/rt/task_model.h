/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The current task as a struct task_struct, for bpf_get_current_task(): an image in the vCPU's own
 * memory, laid out as the kernel's BTF says, with what is known of the task, its leader and its
 * parent; all else is 0. The image lasts until the vCPU is given back.
 */
#ifndef SKEP_RT_TASK_MODEL_H
#define SKEP_RT_TASK_MODEL_H

#include "base/types.h"

struct rt_vcpu;

#define RT_TASK_MODEL_SIZE   (32UL << 10) /* for all images of a vCPU */
#define RT_TASK_MODEL_ABSENT ~0u	  /* the structure has no such member */

/* Sizes and offsets, in control. The supervisor has checked that members lie in their structure. */
struct rt_task_layout {
	u32 task_size, cred_size;
	u32 pid, tgid, comm, group_leader, parent, real_parent, start_time, start_boottime, cred,
		real_cred;
	u32 uid, gid, euid, egid; /* of struct cred */
};

/* The address of the image; 0: this hive does not know how the structure looks. */
u64 rt_task_model(struct rt_vcpu *vcpu);

#endif
