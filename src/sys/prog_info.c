/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program's info. The client asks for arrays by giving room and an address, and is told how many
 * there are whether or not it took them. Instructions are those that a kernel shows
 * (verify/shown.h), not the ones that the engines run.
 */
#include "sys/info.h"
#include "sys/prog_load.h"
#include "abi/ksym.h"
#include "base/alloc.h"
#include "rt/native.h"

#include <errno.h>
#include <stdio.h>
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

/* A copy of what clients see. */
static struct bpf_insn *dump(const struct sys_prog *prog)
{
	const struct verify_shown *shown = &prog->shown;
	struct bpf_insn *insns = base_memdup(shown->insns, (u64)shown->nr_insns * sizeof(*insns));
	bool placed = false;

	for (u32 i = 0; i < shown->nr_insns; i++)
		placed |= shown->places[i] != 0;
	if (placed)
		sys_kernel_btf_load(prog->hive);
	if (insns && placed && prog->hive->kernel_btf)
		verify_shown_place(shown, prog->hive->kernel_btf->btf, insns);
	return insns;
}

static int give_insns(struct sys_call *call, const struct sys_prog *prog,
		      struct bpf_prog_info *info)
{
	u32 length = prog->shown.nr_insns * (u32)sizeof(struct bpf_insn),
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

static u32 nr_functions(const struct sys_prog *prog)
{
	return prog->shown.nr_subprogs > 1 ? prog->shown.nr_subprogs : 1;
}

/* Each function has a tag of its own; a program of one function has the program's. */
static int function_tags(const struct sys_prog *prog, u8 (*ret_tags)[SYS_TAG_SIZE])
{
	const u32 *starts = prog->shown.starts;
	struct bpf_insn *insns;
	u8 digest[SHA256_SIZE];
	int error = 0;

	if (nr_functions(prog) == 1) {
		memcpy(ret_tags[0], prog->tag, SYS_TAG_SIZE);
		return 0;
	}
	insns = dump(prog);
	if (!insns)
		return -ENOMEM;
	for (u32 i = 0; i < nr_functions(prog) && !error; i++) {
		error = sys_prog_digest(insns + starts[i], starts[i + 1] - starts[i], digest);
		if (!error)
			memcpy(ret_tags[i], digest, SYS_TAG_SIZE);
	}
	base_free(insns);
	return error;
}

static int give_tags(struct sys_call *call, const struct sys_prog *prog, struct bpf_prog_info *info)
{
	u32 nr = nr_functions(prog);
	u8(*tags)[SYS_TAG_SIZE] = base_zalloc(nr, sizeof(*tags));
	int error = tags ? 0 : -ENOMEM;

	if (!error && info->nr_prog_tags)
		error = function_tags(prog, tags);
	if (!error)
		error = give(call, info->prog_tags, &info->nr_prog_tags, tags, nr, SYS_TAG_SIZE);
	base_free(tags);
	return error;
}

/* Bytes of native code; of functions that have none, 0. */
static void native_lengths(const struct rt_native *native, u32 nr, u32 *ret_lengths)
{
	for (u32 i = 0; native && i < nr && i < native->nr_functions; i++) {
		const u8 *begin = native->functions[i],
			 *end = i + 1 < native->nr_functions ? native->functions[i + 1]
							     : native->text + native->size;

		ret_lengths[i] = (u32)(end - begin);
	}
}

static int give_native_code(struct sys_call *call, const struct rt_native *native,
			    struct bpf_prog_info *info)
{
	u32 room = info->jited_prog_len, length = native ? native->size : 0;

	info->jited_prog_len = length;
	if (!room || !length)
		return 0;
	return sys_write(call, info->jited_prog_insns, native->text, room < length ? room : length);
}

/* A program without native code, which the interpreter runs, has functions with addresses too. */
static int fill_native(struct sys_call *call, const struct sys_prog *prog,
		       struct bpf_prog_info *info)
{
	const struct rt_native *native = prog->rt->native;
	u32 nr = nr_functions(prog), nr_lengths = info->nr_jited_func_lens;
	u64 *addresses = base_zalloc(nr, sizeof(*addresses));
	u32 *lengths = base_zalloc(nr, sizeof(*lengths));
	int error = addresses && lengths ? 0 : -ENOMEM;

	for (u32 i = 0; i < nr && !error; i++)
		addresses[i] = ABI_KSYM_PROGRAM(prog->object.id, i);
	if (!error)
		native_lengths(native, nr, lengths);
	if (!error)
		error = give_native_code(call, native, info);
	if (!error)
		error = give(call, info->jited_ksyms, &info->nr_jited_ksyms, addresses, nr,
			     sizeof(*addresses));
	if (!error)
		error = give(call, info->jited_func_lens, &nr_lengths, lengths, nr,
			     sizeof(*lengths));
	info->nr_jited_func_lens = nr_lengths;
	base_free(addresses);
	base_free(lengths);
	info->nr_jited_line_info = 0;
	return error ? error : give_tags(call, prog, info);
}

/* "bpf_prog_", the tag, and the name that BTF or the client gave it. */
static void symbol_name(const struct sys_prog *prog, u32 function, const u8 *tag, char *out,
			u32 size)
{
	const struct verify_shown *shown = &prog->shown;
	const char *name = prog->name;
	int length = snprintf(out, size, "bpf_prog_");

	for (u32 i = 0; i < SYS_TAG_SIZE; i++)
		length += snprintf(out + length, size - (u32)length, "%02x", tag[i]);
	if (prog->btf && function < shown->nr_func_info)
		name = btf_type_name(prog->btf->btf, shown->func_info[function].type_id);
	if (name && *name)
		snprintf(out + length, size - (u32)length, "_%s", name);
}

static int program_symbols(const struct sys_prog *prog, sys_symbol_fn fn, void *arg)
{
	u32 nr = nr_functions(prog);
	u8(*tags)[SYS_TAG_SIZE] = base_zalloc(nr, sizeof(*tags));
	char name[SYS_SYMBOL_MAX];
	int error = tags ? function_tags(prog, tags) : -ENOMEM;

	for (u32 i = 0; i < nr && !error; i++) {
		symbol_name(prog, i, tags[i], name, sizeof(name));
		error = fn(arg, ABI_KSYM_PROGRAM(prog->object.id, i), name, true);
	}
	base_free(tags);
	return error;
}

int sys_symbols(struct sys_hive *hive, sys_symbol_fn fn, void *arg)
{
	char name[ABI_KSYM_NAME];
	struct object *object;
	int error = 0;
	u64 address;

	for (u32 i = 0; i < abi_ksym_count() && !error; i++)
		if (abi_ksym(i, name, &address))
			error = fn(arg, address, name, false);
	for (u32 id = 0; !error;) {
		id = object_next_id(hive->objects, OBJECT_PROG, id);
		object = id ? object_by_id(hive->objects, OBJECT_PROG, id) : NULL;
		if (!object)
			break;
		error = program_symbols(sys_prog_of(object), fn, arg);
		object_unref(object);
	}
	return error;
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
	else if (!prog->had_target && prog->attach_btf_id)
		info.attach_btf_obj_id = SYS_KERNEL_BTF_ID;
	/* Without either the client finds what it has put there, as in the kernel. */
	if (give_insns(call, prog, &info) || fill_native(call, prog, &info) ||
	    give(call, info.func_info, &info.nr_func_info, prog->shown.func_info,
		 prog->shown.nr_func_info, sizeof(struct bpf_func_info)) ||
	    give(call, info.line_info, &info.nr_line_info, prog->shown.line_info,
		 prog->shown.nr_line_info, sizeof(struct bpf_line_info)))
		return -EFAULT;
	return sys_info_write(call, &info);
}
