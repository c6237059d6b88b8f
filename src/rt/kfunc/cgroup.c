/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel functions on cgroups, and iterators over them and their tasks (kernel/bpf/helpers.c,
 * kernel/bpf/cgroup_iter.c, kernel/bpf/task_iter.c). The cgroups are those whose directories the
 * process sees; a css is that of the hierarchy itself, not of a controller.
 */
#include "rt/kernel_object.h"
#include "rt/dynptr.h"
#include "rt/kfunc/families.h"
#include "rt/proc.h"
#include "rt/prog.h"

/* Flags of bpf_iter_css_task_new() */
#define ONLY_LEADERS 1u
#define THREADED     2u

static u64 make(const struct rt_cgroup *group, struct rt_vcpu *vcpu)
{
	u64 object = rt_kernel_object_new(rt_cgroup_image_size(), vcpu);

	return object ? rt_cgroup_build((u8 *)object, group) : 0;
}

/* (cgroup): one more reference, to the object if it is one, else to a new one. */
RT_KFUNC(bpf_cgroup_acquire)
{
	const struct rt_object_type *type = rt_object_type_of(vcpu->call_arg);
	struct rt_cgroup group;

	if (rt_object_check(type, false, r1))
		return rt_object_acquire(r1, vcpu) ? r1 : 0;
	return rt_cgroup_read(r1, vcpu, &group) ? make(&group, vcpu) : 0;
}

RT_KFUNC(bpf_cgroup_release)
{
	rt_kernel_object_release(r1, vcpu);
	return 0;
}

/* (cgroup, level) */
RT_KFUNC(bpf_cgroup_ancestor)
{
	struct rt_cgroup group, ancestor;

	return (s32)r2 >= 0 && rt_cgroup_read(r1, vcpu, &group) &&
			       rt_cgroup_ancestor(&group, (u32)r2, &ancestor)
		       ? make(&ancestor, vcpu)
		       : 0;
}

/* (id): looked for beside the current task first. */
RT_KFUNC(bpf_cgroup_from_id)
{
	struct rt_cgroup group;

	if (rt_cgroup_of_task(vcpu, 0, &group) && group.id == r1)
		return make(&group, vcpu);
	return rt_cgroup_by_id(r1, &group) ? make(&group, vcpu) : 0;
}

/* (it, css, order) */
RT_KFUNC(bpf_iter_css_new)
{
	u64 *slot = (u64 *)r1;
	u32 order = (u32)r3;
	struct rt_cgroup start;
	struct rt_iterator *it;

	*slot = 0;
	if (order != RT_CGROUP_PRE && order != RT_CGROUP_POST && order != RT_CGROUP_UP)
		return rt_kfunc_int(-EINVAL);
	it = rt_iterator_new(slot, rt_cgroup_image_size(), vcpu);
	if (!it)
		return rt_kfunc_int(-ENOMEM);
	it->order = order;
	it->over = !rt_cgroup_read(rt_cgroup_of_css(r2, vcpu), vcpu, &start);
	if (!it->over)
		it->start = it->at = start;
	return 0;
}

/* (it) */
RT_KFUNC(bpf_iter_css_next)
{
	struct rt_iterator *it = rt_iterator_of((const u64 *)r1);
	struct rt_cgroup start, at;
	u32 order;
	bool found;

	if (!it || READ_ONCE(it->over) || rt_prog_out_of_time(vcpu))
		return 0;
	order = READ_ONCE(it->order);
	start = it->start;
	at = it->at;
	found = rt_cgroup_check(&start) && rt_cgroup_check(&at) &&
		(READ_ONCE(it->begun) ? rt_cgroup_next(&start, order, &at)
				      : rt_cgroup_first(&start, order, &at));
	WRITE_ONCE(it->begun, 1);
	WRITE_ONCE(it->over, !found);
	if (!found)
		return 0;
	it->at = at;
	return rt_cgroup_css(rt_cgroup_build(rt_iterator_image(it, rt_cgroup_image_size()), &at));
}

RT_KFUNC(bpf_iter_css_destroy)
{
	rt_iterator_end((u64 *)r1, vcpu);
	return 0;
}

/* (it, css, flags) */
RT_KFUNC(bpf_iter_css_task_new)
{
	u64 *slot = (u64 *)r1;
	u32 flags = (u32)r3;
	struct rt_cgroup start;
	struct rt_iterator *it;

	*slot = 0;
	if (flags & ~(ONLY_LEADERS | THREADED) || flags == THREADED)
		return rt_kfunc_int(-EINVAL);
	it = rt_iterator_new(slot, rt_task_image_size(), vcpu);
	if (!it)
		return rt_kfunc_int(-ENOMEM);
	it->order = flags;
	it->over = !rt_cgroup_read(rt_cgroup_of_css(r2, vcpu), vcpu, &start);
	if (!it->over)
		it->start = start;
	return 0;
}

/* The next line of the file with the tasks; 0: there is none. */
static u32 next_task(struct rt_iterator *it, const struct rt_cgroup *group)
{
	u64 cursor = READ_ONCE(it->cursor);
	const char *end;
	char text[16];
	u32 pid;

	if (rt_cgroup_read_threads(group, READ_ONCE(it->order) & ONLY_LEADERS, text, sizeof(text),
				   cursor) <= 0)
		return 0;
	pid = (u32)rt_parse_number(text, 10, &end);
	WRITE_ONCE(it->cursor, cursor + (u64)(end - text) + 1);
	return pid;
}

/* (it) */
RT_KFUNC(bpf_iter_css_task_next)
{
	struct rt_iterator *it = rt_iterator_of((const u64 *)r1);
	struct rt_task_facts facts;
	struct rt_cgroup start;
	u32 pid;

	if (!it || READ_ONCE(it->over))
		return 0;
	start = it->start;
	if (!rt_cgroup_check(&start))
		return 0;
	/* One that ends meanwhile is not given. */
	do {
		pid = next_task(it, &start);
		if (!pid || rt_prog_out_of_time(vcpu))
			return 0;
	} while (!rt_task_facts_of(vcpu, pid, &facts));
	return rt_task_build(rt_iterator_image(it, rt_task_image_size()), &facts);
}

RT_KFUNC(bpf_iter_css_task_destroy)
{
	rt_iterator_end((u64 *)r1, vcpu);
	return 0;
}

/* (css, cpu) and (css): statistics are the kernel's own, which are not gathered here. */
RT_KFUNC(css_rstat_updated)
{
	return 0;
}

RT_KFUNC(css_rstat_flush)
{
	return 0;
}

/* (cgroup, name, dynptr) */
RT_KFUNC(bpf_cgroup_read_xattr)
{
	static const char user[] = "user.";
	const struct rt_dynptr *dynptr = (const struct rt_dynptr *)r3;
	u32 size = dynptr->data ? rt_dynptr_size(dynptr) : 0;
	u64 value = rt_dynptr_slice_rdwr(dynptr, 0, 0, size);
	struct rt_cgroup group;

	for (u32 i = 0; user[i]; i++)
		if (((const char *)r2)[i] != user[i])
			return rt_kfunc_int(-EPERM);
	if (!value)
		return rt_kfunc_int(-EINVAL);
	if (!rt_cgroup_read(r1, vcpu, &group))
		return rt_kfunc_int(-ENODATA);
	return rt_kfunc_int(rt_cgroup_attribute(&group, (const char *)r2, (u8 *)value, size));
}
