/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See task_model.h. For the current task of a traced process nothing is opened: a descriptor that
 * comes and goes could take a number that the process counts on. Of other tasks /proc is asked.
 */
#include "rt/task_model.h"

#include "rt/arena.h"
#include "rt/clock.h"
#include "rt/helper/families.h"
#include "rt/mem.h"
#include "rt/proc.h"
#include "rt/sys.h"
#include "rt/vcpu.h"

/* Where each image begins. */
struct places {
	u32 parent, leader, cred, end;
};

static struct places places_of(const struct rt_task_layout *layout)
{
	u32 task = ALIGN_UP(layout->task_size, 64u);

	return (struct places){ task, 2 * task, 3 * task,
				3 * task + ALIGN_UP(layout->cred_size, 64u) };
}

void rt_task_current(struct rt_vcpu *vcpu, struct rt_task_facts *ret_facts)
{
	u64 ids = rt_helper_get_current_uid_gid(0, 0, 0, 0, 0, vcpu);
	struct rt_task_facts facts = { .pid = vcpu->task.pid,
				       .tgid = vcpu->task.tgid,
				       .uid = (u32)ids,
				       .gid = (u32)(ids >> 32),
				       .euid = (u32)ids,
				       .egid = (u32)(ids >> 32) };
	struct rt_task_facts told;

	rt_task_comm(vcpu, facts.comm);
	facts.cpus = rt_task_cpus(vcpu->task.remote_pid);
	if (!vcpu->task.remote_pid) {
		facts.parent = (u32)rt_syscall0(__NR_getppid);
		facts.start_ns = RT_PROCESS->start_ns;
		facts.start_boot_ns = RT_PROCESS->start_boot_ns;
		facts.euid = (u32)rt_syscall0(__NR_geteuid);
		facts.egid = (u32)rt_syscall0(__NR_getegid);
	} else if (rt_task_facts_of(vcpu, vcpu->task.tgid, &told)) {
		facts.parent = told.parent;
		facts.start_ns = told.start_ns;
		facts.start_boot_ns = told.start_boot_ns;
	}
	*ret_facts = facts;
}

static void set_task(u8 *image, const struct rt_task_layout *layout, u32 pid, u32 tgid)
{
	memset(image, 0, layout->task_size);
	rt_task_set(image, layout->pid, pid, 4);
	rt_task_set(image, layout->tgid, tgid, 4);
	rt_task_set(image, layout->group_leader, (u64)image, 8);
}

static void set_cred(u8 *image, const struct rt_task_layout *layout,
		     const struct rt_task_facts *facts)
{
	memset(image, 0, layout->cred_size);
	rt_task_set(image, layout->uid, facts->uid, 4);
	rt_task_set(image, layout->gid, facts->gid, 4);
	rt_task_set(image, layout->euid, facts->euid, 4);
	rt_task_set(image, layout->egid, facts->egid, 4);
}

u32 rt_task_image_size(void)
{
	const struct rt_task_layout *layout = READ_ONCE(RT_CONTROL->task_layout);

	return layout ? places_of(layout).end : 0;
}

u64 rt_task_build(u8 *task, const struct rt_task_facts *facts)
{
	const struct rt_task_layout *layout = READ_ONCE(RT_CONTROL->task_layout);
	struct places places;
	u8 *parent, *leader, *cred;

	if (!layout)
		return 0;
	places = places_of(layout);
	parent = task + places.parent;
	leader = task + places.leader;
	cred = task + places.cred;
	set_task(task, layout, facts->pid, facts->tgid);
	if (layout->comm != RT_TASK_MODEL_ABSENT)
		memcpy(task + layout->comm, facts->comm, sizeof(facts->comm));
	if (facts->pid != facts->tgid) {
		set_task(leader, layout, facts->tgid, facts->tgid);
		rt_task_set(leader, layout->start_time, facts->start_ns, 8);
		rt_task_set(leader, layout->start_boottime, facts->start_boot_ns, 8);
		rt_task_set(leader, layout->real_parent, (u64)parent, 8);
		rt_task_set(leader, layout->parent, (u64)parent, 8);
		rt_task_set(task, layout->group_leader, (u64)leader, 8);
	}
	set_task(parent, layout, facts->parent, facts->parent);
	rt_task_set(task, layout->real_parent, (u64)parent, 8);
	rt_task_set(task, layout->parent, (u64)parent, 8);
	rt_task_set(task, layout->start_time, facts->start_ns, 8);
	rt_task_set(task, layout->start_boottime, facts->start_boot_ns, 8);
	rt_task_set(task, layout->cpus_mask, facts->cpus, 8);
	if (layout->cpus_mask != RT_TASK_MODEL_ABSENT)
		rt_task_set(task, layout->cpus_ptr, (u64)task + layout->cpus_mask, 8);
	set_cred(cred, layout, facts);
	rt_task_set(task, layout->cred, (u64)cred, 8);
	rt_task_set(task, layout->real_cred, (u64)cred, 8);
	return (u64)task;
}

static u32 number_in(u64 task, u32 offset, struct rt_vcpu *vcpu)
{
	u32 number = 0;

	if (offset != RT_TASK_MODEL_ABSENT)
		rt_read_kernel(vcpu, &number, sizeof(number), task + offset);
	return number;
}

u32 rt_task_image_pid(u64 task, struct rt_vcpu *vcpu)
{
	const struct rt_task_layout *layout = READ_ONCE(RT_CONTROL->task_layout);

	return layout ? number_in(task, layout->pid, vcpu) : 0;
}

u32 rt_task_image_tgid(u64 task, struct rt_vcpu *vcpu)
{
	const struct rt_task_layout *layout = READ_ONCE(RT_CONTROL->task_layout);

	return layout ? number_in(task, layout->tgid, vcpu) : 0;
}

u64 rt_task_model(struct rt_vcpu *vcpu)
{
	struct rt_task_facts facts;
	u32 size = rt_task_image_size();

	if (!size || size > RT_TASK_MODEL_SIZE)
		return 0;
	rt_task_current(vcpu, &facts);
	return rt_task_build(vcpu->task_model, &facts);
}
