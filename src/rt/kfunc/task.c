/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel functions on tasks (kernel/bpf/helpers.c, kernel/bpf/task_iter.c). The tasks are those
 * that /proc shows to the process in which the program runs. A task that is given out is an image
 * of what is known of it at that moment.
 */
#include "rt/kernel_object.h"
#include "rt/kfunc/families.h"
#include "rt/proc.h"
#include "rt/prog.h"

/* enum of the flags of bpf_iter_task_new() */
#define ALL_PROCESSES 0u
#define ALL_THREADS   1u
#define ONE_PROCESS   2u

/* The idle task, with which all lists of tasks begin. */
static const struct rt_task_facts idle = { .comm = "swapper/0", .cpus = 1 };

static bool facts_of(u32 pid, struct rt_task_facts *facts, struct rt_vcpu *vcpu)
{
	if (pid && pid == vcpu->task.pid) {
		rt_task_current(vcpu, facts);
		return true;
	}
	return rt_task_facts_of(vcpu, pid, facts);
}

/* An object that shows the task. */
static u64 make(const struct rt_task_facts *facts, struct rt_vcpu *vcpu)
{
	u64 object = rt_kernel_object_new(rt_task_image_size(), vcpu);

	return object ? rt_task_build((u8 *)object, facts) : 0;
}

/* (task): one more reference, to the object if it is one, else to a new one with what is known. */
RT_KFUNC(bpf_task_acquire)
{
	const struct rt_object_type *type = rt_object_type_of(vcpu->call_arg);
	struct rt_task_facts facts = idle;
	u32 pid;

	if (rt_object_check(type, false, r1))
		return rt_object_acquire(r1, vcpu) ? r1 : 0;
	pid = rt_task_image_pid(r1, vcpu);
	return !pid || facts_of(pid, &facts, vcpu) ? make(&facts, vcpu) : 0;
}

RT_KFUNC(bpf_task_release)
{
	rt_kernel_object_release(r1, vcpu);
	return 0;
}

static u64 from_pid(s32 pid, struct rt_vcpu *vcpu)
{
	struct rt_task_facts facts;

	return pid > 0 && facts_of((u32)pid, &facts, vcpu) ? make(&facts, vcpu) : 0;
}

/* (pid) */
RT_KFUNC(bpf_task_from_pid)
{
	return from_pid((s32)r1, vcpu);
}

/* (pid in the current task's namespace): that of its /proc. */
RT_KFUNC(bpf_task_from_vpid)
{
	return from_pid((s32)r1, vcpu);
}

/* (task, cgroup) */
RT_KFUNC(bpf_task_under_cgroup)
{
	struct rt_cgroup group, ancestor;

	return rt_cgroup_of_task(vcpu, rt_task_image_pid(r1, vcpu), &group) &&
	       rt_cgroup_read(r2, vcpu, &ancestor) && rt_cgroup_is_below(&group, &ancestor);
}

/* (task, hierarchy): that of version 1 with this number. */
RT_KFUNC(bpf_task_get_cgroup1)
{
	struct rt_cgroup group;
	u64 object;

	if (!(u32)r2 || !rt_cgroup_of_task_in(vcpu, rt_task_image_pid(r1, vcpu), (u32)r2, &group))
		return 0;
	object = rt_kernel_object_new(rt_cgroup_image_size(), vcpu);
	return object ? rt_cgroup_build((u8 *)object, &group) : 0;
}

/* Iterating over tasks. */

/* The number that the next entry of a directory has as its name; 0: there is none. */
static u32 next_number(const struct rt_path *path, u64 *cursor)
{
	const char *end;
	char name[16];
	u32 number;

	while (rt_directory_next(path->text, cursor, true, name, sizeof(name))) {
		number = (u32)rt_parse_number(name, 10, &end);
		if (number && !*end)
			return number;
	}
	return 0;
}

static u32 next_process(struct rt_iterator *it)
{
	struct rt_path path;
	u64 cursor = READ_ONCE(it->cursor);
	u32 pid;

	rt_path_set(&path, "/proc");
	pid = next_number(&path, &cursor);
	WRITE_ONCE(it->cursor, cursor);
	return pid;
}

/* A thread of it->tgid, at first it->tid. */
static u32 next_thread(struct rt_iterator *it)
{
	u32 first = READ_ONCE(it->tid), pid;
	u64 cursor = READ_ONCE(it->threads);
	struct rt_path path;

	rt_path_set(&path, "/proc/");
	rt_path_add_number(&path, READ_ONCE(it->tgid));
	rt_path_add(&path, "/task");
	do
		pid = next_number(&path, &cursor);
	while (pid && first && pid != first);
	WRITE_ONCE(it->threads, cursor);
	WRITE_ONCE(it->tid, 0);
	return pid;
}

static u32 next_of_all(struct rt_iterator *it, bool threads)
{
	u32 pid = threads && READ_ONCE(it->tgid) ? next_thread(it) : 0;

	while (!pid) {
		pid = next_process(it);
		if (!pid || !threads)
			return pid;
		WRITE_ONCE(it->tgid, pid);
		WRITE_ONCE(it->threads, 0);
		pid = next_thread(it);
	}
	return pid;
}

static u64 give(struct rt_iterator *it, const struct rt_task_facts *facts)
{
	return rt_task_build(rt_iterator_image(it, rt_task_image_size()), facts);
}

/* (it, task or NULL, which) */
RT_KFUNC(bpf_iter_task_new)
{
	u64 *slot = (u64 *)r1;
	u32 which = (u32)r3;
	struct rt_iterator *it;

	*slot = 0;
	if (which > ONE_PROCESS || (which == ONE_PROCESS && !r2))
		return rt_kfunc_int(-EINVAL);
	it = rt_iterator_new(slot, rt_task_image_size(), vcpu);
	if (!it)
		return rt_kfunc_int(-ENOMEM);
	it->order = which;
	if (which == ONE_PROCESS) {
		it->tid = rt_task_image_pid(r2, vcpu);
		it->tgid = rt_task_image_tgid(r2, vcpu);
	}
	return 0;
}

/* (it) */
RT_KFUNC(bpf_iter_task_next)
{
	struct rt_iterator *it = rt_iterator_of((const u64 *)r1);
	struct rt_task_facts facts;
	u32 pid, which;

	if (!it)
		return 0;
	which = READ_ONCE(it->order);
	if (which != ONE_PROCESS && !READ_ONCE(it->begun)) {
		WRITE_ONCE(it->begun, 1);
		return give(it, &idle);
	}
	/* One that ends meanwhile is not given. */
	do {
		pid = which == ONE_PROCESS ? next_thread(it)
					   : next_of_all(it, which == ALL_THREADS);
		if (!pid || rt_prog_out_of_time(vcpu))
			return 0;
	} while (!facts_of(pid, &facts, vcpu));
	return give(it, &facts);
}

RT_KFUNC(bpf_iter_task_destroy)
{
	rt_iterator_end((u64 *)r1, vcpu);
	return 0;
}

/*
 * Keys: of the keyrings that a program could name, those of whoever loaded it are not those of the
 * process that it runs in, so it finds none.
 */
RT_KFUNC(bpf_lookup_user_key)
{
	return 0;
}

RT_KFUNC(bpf_lookup_system_key)
{
	return 0;
}

RT_KFUNC(bpf_key_put)
{
	return 0;
}
