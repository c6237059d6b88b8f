/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * func_info, line_info and the tag of a program that is being loaded. Records of other sizes than
 * ours are cut or filled with zeros on the way in, so that all else sees one layout.
 */
#include "sys/prog_load.h"
#include "sys/sha256.h"
#include "base/alloc.h"

#include <errno.h>
#include <string.h>

#define REC_SIZE_MAX 252u /* MAX_FUNCINFO_REC_SIZE, MAX_LINEINFO_REC_SIZE */

struct records {
	u64 address;
	u32 rec_size, nr;
	u32 known; /* bytes that we know of */
};

/* Copies the records; *ret_index tells which one was wrong. */
static int copy_records(struct sys_call *call, const struct records *from, void *to, u32 *ret_index)
{
	u32 take = from->rec_size < from->known ? from->rec_size : from->known, i;
	int error;

	for (i = 0; i < from->nr; i++) {
		u64 address = from->address + (u64)i * from->rec_size;

		*ret_index = i;
		error = sys_check_tail(call, address, from->known, from->rec_size);
		if (error)
			return error;
		if (sys_read(call, (u8 *)to + (u64)i * from->known, address, take))
			return -EFAULT;
	}
	return 0;
}

/* More records than instructions cannot be right; one too many is enough for the verifier to see
 * it. */
static u32 limit(u32 nr, u32 nr_insns)
{
	return nr <= nr_insns ? nr : nr_insns + 1;
}

static int load_func_info(struct sys_load *load)
{
	struct sys_call *call = load->call;
	struct sys_prog *prog = load->prog;
	struct records from = {
		.address = call->attr.load.func_info,
		.rec_size = call->attr.load.func_info_rec_size,
		.nr = limit(call->attr.load.func_info_cnt, call->attr.load.insn_cnt),
		.known = sizeof(struct bpf_func_info),
	};
	u32 index = 0;
	int error;

	if (!from.nr)
		return 0;
	if (from.rec_size < from.known || from.rec_size > REC_SIZE_MAX || from.rec_size % 4) {
		sys_log_printf(&load->log, "invalid func info rec size %u\n", from.rec_size);
		return -EINVAL;
	}
	prog->func_info = base_zalloc(from.nr, from.known);
	if (!prog->func_info)
		return -ENOMEM;
	prog->nr_func_info = from.nr;
	error = copy_records(call, &from, prog->func_info, &index);
	if (error == -E2BIG) {
		sys_log_printf(&load->log, "nonzero tailing record in func info");
		/* The kernel says in the attributes how much it knows. */
		call->attr.load.func_info_rec_size = from.known;
		if (sys_write_attr(call, load.func_info_rec_size))
			error = -EFAULT;
	}
	return error;
}

static int load_line_info(struct sys_load *load)
{
	struct sys_call *call = load->call;
	struct sys_prog *prog = load->prog;
	struct records from = {
		.address = call->attr.load.line_info,
		.rec_size = call->attr.load.line_info_rec_size,
		.nr = limit(call->attr.load.line_info_cnt, call->attr.load.insn_cnt),
		.known = sizeof(struct bpf_line_info),
	};
	u32 index = 0;
	int error;

	if (!from.nr)
		return 0;
	if (from.rec_size < from.known || from.rec_size > REC_SIZE_MAX || from.rec_size % 4)
		return -EINVAL;
	prog->line_info = base_zalloc(from.nr, from.known);
	if (!prog->line_info)
		return -ENOMEM;
	prog->nr_line_info = from.nr;
	error = copy_records(call, &from, prog->line_info, &index);
	if (error == -E2BIG) {
		sys_log_printf(&load->log, "nonzero tailing record in line_info");
		call->attr.load.line_info_rec_size = from.known;
		if (sys_write_attr(call, load.line_info_rec_size))
			error = -EFAULT;
	}
	return error;
}

int sys_load_debug_info(struct sys_load *load)
{
	const union abi_attr *attr = &load->call->attr;
	int error;

	if (!attr->load.func_info_cnt && !attr->load.line_info_cnt)
		return 0;
	error = sys_btf_by_fd(load->call, attr->load.prog_btf_fd, &load->prog->btf);
	if (!error)
		error = load_func_info(load);
	if (!error)
		error = load_line_info(load);
	return error;
}

int sys_prog_tag(const struct bpf_insn *insns, u32 nr_insns, u8 ret_tag[SYS_TAG_SIZE])
{
	struct bpf_insn *copy = base_memdup(insns, (u64)nr_insns * sizeof(*insns));
	u8 digest[SHA256_SIZE];
	u32 i;

	if (!copy)
		return -ENOMEM;
	for (i = 0; i < nr_insns; i++) {
		if (copy[i].code != (BPF_LD | BPF_IMM | BPF_DW) ||
		    (copy[i].src_reg != BPF_PSEUDO_MAP_FD &&
		     copy[i].src_reg != BPF_PSEUDO_MAP_VALUE))
			continue;
		copy[i].imm = 0;
		/* The second half, if it is one. */
		if (i + 1 < nr_insns && !copy[i + 1].code && !copy[i + 1].dst_reg &&
		    !copy[i + 1].src_reg && !copy[i + 1].off)
			copy[++i].imm = 0;
	}
	sha256(copy, (u64)nr_insns * sizeof(*insns), digest);
	memcpy(ret_tag, digest, SYS_TAG_SIZE);
	base_free(copy);
	return 0;
}
