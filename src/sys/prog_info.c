/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program's info. The client asks for arrays by giving room and an address, and is told how many
 * there are whether or not it took them. Instructions are shown as clients write them: maps by id,
 * not by the addresses that the engines use.
 */
#include "sys/info.h"
#include "sys/prog_load.h"
#include "abi/kfunc.h"
#include "base/alloc.h"
#include "isa/opcode.h"

#include <errno.h>
#include <string.h>

/* Copies an array of count items to a client that has room for *nr of them; *nr becomes count. */
static int give(struct sys_call *call, u64 address, u32 *nr, const void *items, u32 count,
		u32 item_size)
{
	u32 take = *nr < count ? *nr : count;

	*nr = count;
	return sys_write(call, address, items, (u64)take * item_size);
}

static int give_map_ids(struct sys_call *call, const struct sys_prog *prog,
			struct bpf_prog_info *info)
{
	u32 *ids = base_zalloc(prog->nr_maps, sizeof(*ids)), i;
	int error;

	if (!ids)
		return -ENOMEM;
	for (i = 0; i < prog->nr_maps; i++)
		ids[i] = prog->maps[i]->object.id;
	error = give(call, info->map_ids, &info->nr_map_ids, ids, prog->nr_maps, sizeof(*ids));
	base_free(ids);
	return error;
}

/* The record sizes must be ours if there is anything to copy; the client learns them otherwise. */
static int check_record_sizes(struct bpf_prog_info *info)
{
	if ((info->nr_func_info || info->func_info_rec_size) &&
	    info->func_info_rec_size != sizeof(struct bpf_func_info))
		return -EINVAL;
	if ((info->nr_line_info || info->line_info_rec_size) &&
	    info->line_info_rec_size != sizeof(struct bpf_line_info))
		return -EINVAL;
	if ((info->nr_jited_line_info || info->jited_line_info_rec_size) &&
	    info->jited_line_info_rec_size != sizeof(u64))
		return -EINVAL;
	info->func_info_rec_size = sizeof(struct bpf_func_info);
	info->line_info_rec_size = sizeof(struct bpf_line_info);
	info->jited_line_info_rec_size = sizeof(u64);
	return 0;
}

/* The map that an address belongs to; *ret_value says whether it is one in the map's values. */
static const struct sys_map *map_at(const struct sys_prog *prog, u64 address, bool *ret_value)
{
	u32 i;

	for (i = 0; i < prog->nr_maps; i++) {
		const struct rt_map *rt = prog->maps[i]->rt;
		u64 values = (u64)(uintptr_t)rt->data;

		*ret_value = false;
		if (address == (u64)(uintptr_t)rt)
			return prog->maps[i];
		*ret_value = true;
		if (rt->type == BPF_MAP_TYPE_ARRAY && address >= values &&
		    address < values + rt->data_size)
			return prog->maps[i];
	}
	return NULL;
}

/* What clients call it by. */
static s32 kfunc_btf_id(const struct sys_prog *prog, u32 id)
{
	const struct abi_kfunc *kfunc = abi_kfunc_by_id(id);
	const struct sys_btf *kernel = prog->hive->kernel_btf;

	return kfunc && kernel ? (s32)btf_find(kernel->btf, kfunc->name, BTF_KIND_FUNC) : 0;
}

static struct bpf_insn *dump(const struct sys_prog *prog)
{
	u32 nr = prog->rt->nr_insns, i;
	struct bpf_insn *insns = base_memdup(prog->rt->insns, (u64)nr * sizeof(*insns));
	const struct sys_map *map;
	bool value;
	u64 imm;

	/* Loads that may fault are this hive's business: clients see plain ones. */
	for (i = 0; insns && i < nr; i++) {
		if (BPF_CLASS(insns[i].code) == BPF_LDX && BPF_MODE(insns[i].code) == ISA_PROBE_MEM)
			insns[i].code = BPF_LDX | BPF_SIZE(insns[i].code) | BPF_MEM;
		else if (BPF_CLASS(insns[i].code) == BPF_LDX &&
			 BPF_MODE(insns[i].code) == ISA_PROBE_MEMSX)
			insns[i].code = BPF_LDX | BPF_SIZE(insns[i].code) | BPF_MEMSX;
		else if (BPF_CLASS(insns[i].code) == BPF_LDX &&
			 ISA_MODE(insns[i].code) == ISA_LOAD_OBJECT) {
			insns[i].code = BPF_LDX | BPF_DW | BPF_MEM;
			insns[i].imm = 0;
		}
		/* Nor is it theirs what types objects have. */
		if (insns[i].code == (BPF_JMP | BPF_CALL) && insns[i].src_reg != BPF_PSEUDO_CALL)
			insns[i].off = 0;
	}
	for (i = 0; insns && i < nr; i++)
		if (insns[i].code == (BPF_JMP | BPF_CALL) &&
		    insns[i].src_reg == BPF_PSEUDO_KFUNC_CALL)
			insns[i].imm = kfunc_btf_id(prog, (u32)insns[i].imm);
	for (i = 0; insns && i + 1 < nr; i++) {
		if (insns[i].code != (BPF_LD | BPF_IMM | BPF_DW))
			continue;
		imm = (u64)(u32)insns[i + 1].imm << 32 | (u32)insns[i].imm;
		map = insns[i].src_reg == BPF_PSEUDO_FUNC ? NULL : map_at(prog, imm, &value);
		if (map) {
			insns[i].src_reg = value ? BPF_PSEUDO_MAP_VALUE : BPF_PSEUDO_MAP_FD;
			insns[i].imm = (s32)map->object.id;
			insns[i + 1].imm = value ? (s32)(imm - (u64)(uintptr_t)map->rt->data) : 0;
		}
		i++;
	}
	return insns;
}

static int give_insns(struct sys_call *call, const struct sys_prog *prog,
		      struct bpf_prog_info *info)
{
	u32 length = prog->rt->nr_insns * (u32)sizeof(struct bpf_insn),
	    room = info->xlated_prog_len;
	struct bpf_insn *insns;
	int error;

	info->xlated_prog_len = length;
	if (!room)
		return 0;
	insns = dump(prog);
	if (!insns)
		return -ENOMEM;
	error = sys_write(call, info->xlated_prog_insns, insns, room < length ? room : length);
	base_free(insns);
	return error;
}

static void fill(const struct sys_prog *prog, struct bpf_prog_info *info)
{
	const struct rt_prog_stats *stats = prog->rt->stats;

	info->type = prog->type;
	info->id = prog->object.id;
	info->load_time = prog->load_time_ns;
	info->created_by_uid = prog->object.uid;
	info->gpl_compatible = prog->gpl_compatible;
	memcpy(info->tag, prog->tag, sizeof(info->tag));
	memcpy(info->name, prog->name, sizeof(info->name));
	/* ifindex and netns_* are written for programs of a device only: what was there stays. */
	info->run_time_ns = READ_ONCE(stats->run_time_ns);
	info->run_cnt = READ_ONCE(stats->run_cnt);
	info->recursion_misses = READ_ONCE(stats->recursion_misses);
	info->verified_insns = prog->verified_insns;
	if (prog->btf)
		info->btf_id = prog->btf->object.id;
}

/* Each function has a tag of its own; a program of one function has the program's. */
static int give_tags(struct sys_call *call, const struct sys_prog *prog, struct bpf_prog_info *info)
{
	const struct rt_prog *rt = prog->rt;
	u32 nr = rt->nr_subprogs > 1 ? rt->nr_subprogs : 1, i, end;
	struct bpf_insn *insns = NULL;
	u8(*tags)[SYS_TAG_SIZE];
	int error = 0;

	if (nr == 1 || !info->nr_prog_tags)
		return give(call, info->prog_tags, &info->nr_prog_tags, prog->tag, nr,
			    SYS_TAG_SIZE);
	tags = base_zalloc(nr, sizeof(*tags));
	if (tags)
		insns = dump(prog);
	if (!insns)
		error = -ENOMEM;
	for (i = 0; i < nr && !error; i++) {
		end = i + 1 < nr ? rt->subprogs[i + 1].start : rt->nr_insns;
		error = sys_prog_tag(insns + rt->subprogs[i].start, end - rt->subprogs[i].start,
				     tags[i]);
	}
	if (!error)
		error = give(call, info->prog_tags, &info->nr_prog_tags, tags, nr, SYS_TAG_SIZE);
	base_free(tags);
	base_free(insns);
	return error;
}

/* The interpreter runs it: the answer of a kernel that hides its native code and addresses. */
static int fill_native(struct sys_call *call, const struct sys_prog *prog,
		       struct bpf_prog_info *info)
{
	info->jited_prog_len = 0;
	info->nr_jited_ksyms = prog->rt->nr_subprogs > 1 ? prog->rt->nr_subprogs : 1;
	info->jited_ksyms = 0;
	info->nr_jited_func_lens = info->nr_jited_ksyms;
	info->jited_func_lens = 0;
	info->nr_jited_line_info = 0;
	return give_tags(call, prog, info);
}

int sys_prog_info(struct sys_call *call, struct sys_prog *prog)
{
	struct bpf_prog_info info;
	int error;

	/* What fills the structure up is checked like a tail. */
	error = sys_check_tail(call, call->attr.info.info,
			       offsetof(struct bpf_prog_info, attach_btf_id) +
				       sizeof(info.attach_btf_id),
			       call->attr.info.info_len);
	if (!error)
		error = sys_info_read(call, &info, sizeof(info));
	if (error)
		return error;
	fill(prog, &info);
	error = give_map_ids(call, prog, &info);
	if (!error)
		error = check_record_sizes(&info);
	if (error)
		return error;
	if (!call->client->privileged) {
		info.jited_prog_len = 0;
		info.xlated_prog_len = 0;
		info.nr_jited_ksyms = 0;
		info.nr_jited_func_lens = 0;
		info.nr_func_info = 0;
		info.nr_line_info = 0;
		info.nr_jited_line_info = 0;
		return sys_info_write(call, &info);
	}
	info.attach_btf_id = prog->attach_btf_id;
	if (prog->target)
		info.attach_btf_obj_id = prog->target->btf ? prog->target->btf->object.id : 0;
	else if (!prog->had_target)
		info.attach_btf_obj_id = prog->attach_btf_id ? SYS_KERNEL_BTF_ID : 0;
	if (give_insns(call, prog, &info) || fill_native(call, prog, &info) ||
	    give(call, info.func_info, &info.nr_func_info, prog->func_info, prog->nr_func_info,
		 sizeof(struct bpf_func_info)) ||
	    give(call, info.line_info, &info.nr_line_info, prog->line_info, prog->nr_line_info,
		 sizeof(struct bpf_line_info)))
		return -EFAULT;
	return sys_info_write(call, &info);
}
