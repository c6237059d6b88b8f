/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * func_info, line_info and the tag of a program that is being loaded. Records of other sizes than
 * ours are cut or filled with zeros on the way in, so that all else sees one layout.
 */
#include "sys/prog_load.h"
#include "sys/sha256.h"
#include "base/alloc.h"
#include "verify/log.h"

#include <errno.h>
#include <string.h>

#define REC_SIZE_MAX 252u /* MAX_FUNCINFO_REC_SIZE, MAX_LINEINFO_REC_SIZE */

struct records {
	u64 address;
	u32 rec_size, nr;
	u32 known; /* bytes that we know of */
};

/* Copies as many records as are right: their number in *ret_nr. */
static int copy_records(struct sys_call *call, const struct records *from, void *to, u32 *ret_nr)
{
	u32 take = from->rec_size < from->known ? from->rec_size : from->known, i;
	int error;

	/* Nearly always they are of our size and all there: a copy for each would cost more than
	 * verifying a small program. */
	if (from->rec_size == from->known &&
	    !sys_read(call, to, from->address, (u64)from->nr * from->known)) {
		*ret_nr = from->nr;
		return 0;
	}
	for (i = 0; i < from->nr; i++) {
		u64 address = from->address + (u64)i * from->rec_size;

		*ret_nr = i;
		error = sys_check_tail(call, address, from->known, from->rec_size);
		if (error)
			return error;
		if (sys_read(call, (u8 *)to + (u64)i * from->known, address, take))
			return -EFAULT;
	}
	*ret_nr = from->nr;
	return 0;
}

/* More records than instructions cannot be right; one too many is enough for the verifier to see
 * it. */
static u32 limit(u32 nr, u32 nr_insns)
{
	return nr <= nr_insns ? nr : nr_insns + 1;
}

static bool rec_size_ok(const struct records *records, u32 min)
{
	return records->rec_size >= min && records->rec_size <= REC_SIZE_MAX &&
	       records->rec_size % 4 == 0;
}

static int load_btf(struct sys_load *load)
{
	const union abi_attr *attr = &load->call->attr;
	int error;

	if (!attr->load.func_info_cnt && !attr->load.line_info_cnt)
		return 0;
	error = sys_btf_by_fd(load->call, attr->load.prog_btf_fd, &load->prog->btf);
	if (!error)
		load->input.btf = load->prog->btf->btf;
	return error;
}

int sys_load_func_info(void *arg, struct verify_env *env)
{
	struct sys_load *load = arg;
	struct sys_call *call = load->call;
	struct sys_prog *prog = load->prog;
	struct records from = {
		.address = call->attr.load.func_info,
		.rec_size = call->attr.load.func_info_rec_size,
		.nr = limit(call->attr.load.func_info_cnt, call->attr.load.insn_cnt),
		.known = sizeof(struct bpf_func_info),
	};
	int error = load_btf(load);

	if (error || !from.nr)
		return error;
	if (!rec_size_ok(&from, from.known)) {
		verbose(env, "invalid func info rec size %u\n", from.rec_size);
		return -EINVAL;
	}
	/* What the kernel cannot allocate at once. */
	if ((u64)call->attr.load.func_info_cnt * from.known > INT32_MAX)
		return -ENOMEM;
	prog->func_info = base_zalloc(from.nr, from.known);
	if (!prog->func_info)
		return -ENOMEM;
	error = copy_records(call, &from, prog->func_info, &prog->nr_func_info);
	if (error == -E2BIG) {
		/* The kernel says in the attributes how much it knows. */
		call->attr.load.func_info_rec_size = from.known;
		if (sys_write_attr(call, load.func_info_rec_size))
			error = -EFAULT;
	}
	load->input.func_info = prog->func_info;
	load->input.func_info_rec_size = from.known;
	load->input.nr_func_info = prog->nr_func_info;
	return error;
}

int sys_load_line_info(void *arg, struct verify_env *env)
{
	struct sys_load *load = arg;
	struct sys_call *call = load->call;
	struct sys_prog *prog = load->prog;
	struct records from = {
		.address = call->attr.load.line_info,
		.rec_size = call->attr.load.line_info_rec_size,
		.nr = limit(call->attr.load.line_info_cnt, call->attr.load.insn_cnt),
		.known = sizeof(struct bpf_line_info),
	};
	int error;

	if (!from.nr)
		return 0;
	if (call->attr.load.line_info_cnt > INT32_MAX / from.known ||
	    !rec_size_ok(&from, from.known))
		return -EINVAL;
	prog->line_info = base_zalloc(from.nr, from.known);
	if (!prog->line_info)
		return -ENOMEM;
	error = copy_records(call, &from, prog->line_info, &prog->nr_line_info);
	if (error == -E2BIG) {
		call->attr.load.line_info_rec_size = from.known;
		if (sys_write_attr(call, load.line_info_rec_size))
			error = -EFAULT;
	}
	load->input.line_info = prog->line_info;
	load->input.line_info_rec_size = from.known;
	load->input.nr_line_info = prog->nr_line_info;
	return error;
}

/* Relocations that the loader has left to the kernel: checked as there, then refused. */
int sys_load_relocations(void *arg, struct verify_env *env)
{
	struct sys_load *load = arg;
	struct sys_call *call = load->call;
	struct bpf_core_relo relo;
	struct records from = {
		.address = call->attr.load.core_relos,
		.rec_size = call->attr.load.core_relo_rec_size,
		.nr = call->attr.load.core_relo_cnt,
		.known = sizeof(relo),
	};
	int error;

	if (!from.nr || !load->prog->btf)
		return 0;
	if (from.nr > INT32_MAX / from.known || !rec_size_ok(&from, from.known))
		return -EINVAL;
	error = sys_check_tail(call, from.address, from.known, from.rec_size);
	if (error == -E2BIG) {
		verbose(env, "nonzero tailing record in core_relo");
		call->attr.load.core_relo_rec_size = from.known;
		if (sys_write_attr(call, load.core_relo_rec_size))
			error = -EFAULT;
	}
	if (!error)
		error = sys_read(call, &relo, from.address, sizeof(relo));
	if (error)
		return error;
	if (relo.insn_off % 8 || relo.insn_off / 8 >= call->attr.load.insn_cnt) {
		verbose(env, "Invalid core_relo[%u].insn_off:%u prog->len:%u\n", 0, relo.insn_off,
			call->attr.load.insn_cnt);
		return -EINVAL;
	}
	if (!btf_type_by_id(load->prog->btf->btf, relo.type_id)) {
		verbose(env, "relo #%u: bad type id %u\n", 0, relo.type_id);
		return -EINVAL;
	}
	verbose(env, "relo #0: relocations are applied by the loader here, not by bpf(2)\n");
	return -EOPNOTSUPP;
}

int sys_prog_digest(const struct bpf_insn *insns, u32 nr_insns, u8 ret_digest[SHA256_SIZE])
{
	struct bpf_insn *copy = base_memdup(insns, (u64)nr_insns * sizeof(*insns));
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
	sha256(copy, (u64)nr_insns * sizeof(*insns), ret_digest);
	base_free(copy);
	return 0;
}
