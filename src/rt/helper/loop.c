/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Helpers that call the program back (kernel/bpf/bpf_iter.c, kernel/bpf/helpers.c): the callback is
 * a subprogram that the verifier has checked, run by the engine that runs the program.
 */
#include "rt/helper/families.h"
#include "rt/kernel_object.h"
#include "rt/map.h"
#include "rt/prog.h"

#define LOOPS_MAX (8u << 20) /* BPF_MAX_LOOPS */

/* (nr_loops, callback, callback_ctx, flags) */
RT_HELPER(loop)
{
	u32 nr = (u32)r1;

	if (r4)
		return (u64)-EINVAL;
	if (nr > LOOPS_MAX)
		return (u64)-E2BIG;
	for (u32 i = 0; i < nr; i++)
		if (rt_call_bpf(vcpu, r2, i, r3, 0, 0, 0))
			return i + 1;
	return nr;
}

struct each {
	const struct rt_map *map;
	struct rt_vcpu *vcpu;
	u64 callback, ctx;
};

static u64 visit(void *arg, const void *key, void *value)
{
	struct each *each = arg;

	return rt_call_bpf(each->vcpu, each->callback, (u64)each->map, (u64)key, (u64)value,
			   each->ctx, 0);
}

/* (map, callback, callback_ctx, flags) */
RT_HELPER(for_each_map_elem)
{
	struct each each = { (const struct rt_map *)r1, vcpu, r2, r3 };

	if (r4)
		return (u64)-EINVAL;
	return (u64)rt_map_for_each(each.map, visit, &each, vcpu);
}

/* (task, address, callback, callback_ctx, flags) */
RT_HELPER(find_vma)
{
	u32 pid = rt_task_image_pid(r1, vcpu), type = vcpu->call_arg;
	struct rt_iterator *it;
	struct rt_area area;
	u64 slot, image;

	if (r5)
		return (u64)-EINVAL;
	/* The idle task has no memory. */
	if (!pid)
		return (u64)-ENOENT;
	it = rt_iterator_new(&slot, rt_area_image_size(), vcpu);
	if (!it)
		return (u64)-ENOMEM;
	rt_area_begin(&it->areas, pid, r2);
	image = rt_area_next(&it->areas, vcpu, &area) && area.start <= r2
			? rt_area_build(rt_iterator_image(it, rt_area_image_size()), &area)
			: 0;
	if (image)
		rt_call_bpf(vcpu, r3, r1, image, r4, 0, 0);
	/* Calls in the callback had their own. */
	vcpu->call_arg = type;
	rt_iterator_end(&slot, vcpu);
	return image ? 0 : (u64)-ENOENT;
}
