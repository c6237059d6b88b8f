/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The text of /proc/PID/fdinfo/N for bpf objects, key by key as Linux 6.18 prints it: bpftool and
 * bpftrace parse it, memlock above all.
 */
#include "sys/hive.h"
#include "sys/tracing.h"
#include "base/text.h"

#include <errno.h>
#include <string.h>

#define PAGE 4096u

/* What a map takes: its descriptor and its elements, in whole pages if clients may map them. */
static u64 map_memory(const struct rt_map *rt)
{
	u64 unit = rt->flags & BPF_F_MMAPABLE ? PAGE : 64;

	return ALIGN_UP((u64)rt->data_size, unit) + ALIGN_UP((u64)sizeof(*rt), unit);
}

static void map_text(const struct sys_map *map, struct text *text)
{
	const struct rt_map *rt = map->rt;

	text_printf(text,
		    "map_type:\t%u\n"
		    "key_size:\t%u\n"
		    "value_size:\t%u\n"
		    "max_entries:\t%u\n"
		    "map_flags:\t0x%x\n"
		    "map_extra:\t0x%llx\n"
		    "memlock:\t%llu\n"
		    "map_id:\t%u\n"
		    "frozen:\t%u\n",
		    rt->type, rt->key_size, rt->value_size, sys_map_max_entries(map), rt->flags,
		    (unsigned long long)rt->map_extra, (unsigned long long)map_memory(rt), rt->id,
		    map->frozen);
	if (map->has_owner)
		text_printf(text, "owner_prog_type:\t%u\nowner_jited:\t%u\n", map->owner_type,
			    !map->hive->options.interpret);
}

static void tag_text(const struct sys_prog *prog, struct text *text)
{
	u32 i;

	for (i = 0; i < SYS_TAG_SIZE; i++)
		text_printf(text, "%02x", prog->tag[i]);
}

static void prog_text(const struct sys_prog *prog, struct text *text)
{
	const struct rt_prog_stats *stats = prog->rt->stats;
	u64 memory = sizeof(*prog->rt) + (u64)prog->rt->nr_insns * sizeof(struct bpf_insn);

	text_printf(text, "prog_type:\t%u\nprog_jited:\t%u\nprog_tag:\t", prog->type,
		    prog->rt->native != NULL);
	tag_text(prog, text);
	text_printf(text,
		    "\n"
		    "memlock:\t%llu\n"
		    "prog_id:\t%u\n"
		    "run_time_ns:\t%llu\n"
		    "run_cnt:\t%llu\n"
		    "recursion_misses:\t%llu\n"
		    "verified_insns:\t%u\n",
		    (unsigned long long)ALIGN_UP(memory, (u64)PAGE), prog->object.id,
		    (unsigned long long)READ_ONCE(stats->run_time_ns),
		    (unsigned long long)READ_ONCE(stats->run_cnt),
		    (unsigned long long)READ_ONCE(stats->recursion_misses), prog->verified_insns);
}

static void tracing_text(const struct sys_link *link, struct text *text)
{
	u32 object, type;

	sys_tracing_place(link, &object, &type);
	text_printf(text, "link_type:\ttracing\nlink_id:\t%u\nprog_tag:\t", link->object.id);
	tag_text(link->prog, text);
	text_printf(text,
		    "\nprog_id:\t%u\nattach_type:\t%u\ntarget_obj_id:\t%u\n"
		    "target_btf_id:\t%u\ncookie:\t%llu\n",
		    link->prog->object.id, link->attach_type, object, type,
		    (unsigned long long)link->cookie);
}

static void link_text(struct sys_hive *hive, const struct sys_link *link, struct text *text)
{
	const struct sys_hive_options *options = &hive->options;
	struct sys_perf_info perf = { 0 };
	bool raw = link->type == BPF_LINK_TYPE_RAW_TRACEPOINT;

	if (link->type == ABI_LINK_TYPE_STRUCT_OPS) {
		text_printf(text, "link_type:\tstruct_ops\nlink_id:\t%u\n", link->object.id);
		if (link->struct_ops)
			text_printf(text, "map_id:\t%u\n", link->struct_ops->object.id);
		return;
	}
	if (link->type == BPF_LINK_TYPE_TRACING) {
		tracing_text(link, text);
		return;
	}
	text_printf(text, "link_type:\t%s\nlink_id:\t%u\nprog_tag:\t",
		    raw				       ? "raw_tracepoint"
		    : link->type == BPF_LINK_TYPE_ITER ? "iter"
						       : "perf",
		    link->object.id);
	tag_text(link->prog, text);
	text_printf(text, "\nprog_id:\t%u\n", link->prog->object.id);
	if (link->type == BPF_LINK_TYPE_ITER) {
		sys_iter_text(link, text);
		return;
	}
	if (raw) {
		text_printf(text, "tp_name:\t%s\ncookie:\t%llu\n", link->tracepoint,
			    (unsigned long long)link->cookie);
		return;
	}
	if (options->attach_ops->perf_info(options->attach_arg, link->perf, &perf))
		return;
	if (perf.tracepoint)
		text_printf(text, "tp_name:\t%s\nevent_type:\ttracepoint\ncookie:\t%llu\n",
			    perf.tracepoint, (unsigned long long)link->cookie);
	else
		text_printf(text, "type:\t%u\nconfig:\t%llu\nevent_type:\tevent\ncookie:\t%llu\n",
			    perf.type, (unsigned long long)perf.config,
			    (unsigned long long)link->cookie);
}

long sys_object_fdinfo(struct sys_hive *hive, struct object *object, char *out, u64 size)
{
	struct text text = { 0 };
	long result;

	switch (object->kind) {
	case OBJECT_MAP: map_text(sys_map_of(object), &text); break;
	case OBJECT_PROG: prog_text(sys_prog_of(object), &text); break;
	case OBJECT_BTF: text_printf(&text, "btf_id:\t%u\n", object->id); break;
	case OBJECT_LINK:
		link_text(hive, container_of(object, struct sys_link, object), &text);
		break;
	default: break; /* perf events and stats: nothing, as in the kernel */
	}
	if (text.failed) {
		result = -ENOMEM;
	} else if (text.length >= size) {
		result = -ENOSPC;
	} else {
		memcpy(out, text_str(&text), text.length + 1);
		result = (long)text.length;
	}
	text_done(&text);
	return result;
}
