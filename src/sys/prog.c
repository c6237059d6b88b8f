/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The program object: from a verified program's parts to a descriptor in the control segment, and
 * back when the last reference goes. A thread may be inside a program that has just been detached,
 * so its memory and the maps it uses are given back after a grace period.
 */
#include "sys/prog_load.h"
#include "base/alloc.h"
#include "jit/install.h"
#include "rt/stream.h"
#include "sys/async.h"

#include <string.h>

struct sys_prog *sys_prog_new(struct sys_hive *hive)
{
	struct sys_prog *prog = base_zalloc(1, sizeof(*prog));

	if (prog)
		prog->hive = hive;
	return prog;
}

void sys_prog_free(struct sys_prog *prog)
{
	struct arena *arena = prog->hive->options.arena;
	struct rt_prog *rt = prog->rt;
	u32 i;

	if (rt)
		jit_remove(arena, rt->native);
	if (rt && rt->insns)
		arena_release(arena, ARENA_CONTROL, (void *)(uintptr_t)rt->insns,
			      (u64)rt->nr_insns * sizeof(*rt->insns));
	if (rt && rt->subprogs)
		arena_release(arena, ARENA_CONTROL, (void *)(uintptr_t)rt->subprogs,
			      (u64)rt->nr_subprogs * sizeof(*rt->subprogs));
	if (rt && rt->trampolines)
		arena_release(arena, ARENA_CONTROL, (void *)(uintptr_t)rt->trampolines,
			      rt->nr_subprogs * sizeof(void *));
	if (rt && rt->streams)
		arena_release(arena, ARENA_DATA, rt->streams, rt_stream_memory_size());
	if (rt && rt->stats)
		arena_release(arena, ARENA_DATA, rt->stats, sizeof(*rt->stats));
	if (rt)
		arena_release(arena, ARENA_CONTROL, rt, sizeof(*rt));
	for (i = 0; i < prog->nr_maps; i++)
		sys_map_put(prog->maps[i]);
	base_free(prog->maps);
	sys_btf_put(prog->btf);
	sys_prog_put(prog->target);
	base_free(prog->subprogs);
	base_free(prog->async);
	verify_shown_done(&prog->shown);
	base_free(prog->func_info);
	base_free(prog->line_info);
	base_free(prog);
}

static void run_free(struct sys_deferred *deferred)
{
	sys_prog_free(container_of(deferred, struct sys_prog, deferred));
}

static void release(struct object *object)
{
	struct sys_prog *prog = container_of(object, struct sys_prog, object);

	sys_defer(prog->hive, &prog->deferred, run_free);
}

int sys_prog_publish(struct sys_prog *prog)
{
	int error = object_init(prog->hive->objects, &prog->object, OBJECT_PROG, release);

	if (!error)
		prog->rt->id = prog->object.id;
	if (!error && prog->nr_async)
		prog->object.last_reference = sys_async_last_reference;
	return error;
}

const struct rt_prog *sys_prog_rt(const struct sys_prog *prog)
{
	return prog->rt;
}

struct sys_prog *sys_prog_ref(struct sys_prog *prog)
{
	object_ref(&prog->object);
	return prog;
}

struct sys_prog *sys_prog_unref(struct sys_prog *prog)
{
	sys_prog_put(prog);
	return NULL;
}

u32 sys_prog_type(const struct sys_prog *prog)
{
	return prog->type;
}

struct sys_prog *sys_prog_of(struct object *object)
{
	return container_of(object, struct sys_prog, object);
}

u32 sys_prog_max_ctx_offset(const struct sys_prog *prog)
{
	return prog->max_ctx_offset;
}

const char *sys_prog_tracepoint(const struct sys_prog *prog)
{
	static const char prefix[] = "btf_trace_";
	const char *name = NULL;

	if (prog->attach_btf_id && !prog->had_target && prog->type == BPF_PROG_TYPE_TRACING &&
	    prog->expected_attach_type == BPF_TRACE_RAW_TP)
		name = btf_type_name(prog->hive->kernel_btf->btf, prog->attach_btf_id);
	/* The verifier checked the prefix. */
	return name && strlen(name) >= sizeof(prefix) ? name + sizeof(prefix) - 1 : NULL;
}
