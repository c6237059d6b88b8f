/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See task_model.h. In a traced process nothing is opened for it: a descriptor that comes and goes
 * could take a number that the process counts on. Only the supervisor, which runs programs for
 * tasks of other processes, asks /proc.
 */
#include "rt/task_model.h"

#include "rt/arena.h"
#include "rt/clock.h"
#include "rt/helper/families.h"
#include "rt/mem.h"
#include "rt/sys.h"
#include "rt/vcpu.h"

#define COMM_SIZE 16
#define TICK_NS	  10000000ull /* 1 / USER_HZ */

/* What there is to know beside vcpu->task. */
struct facts {
	u32 parent;
	u64 start_ns, start_boot_ns;
};

#ifdef SKEP_IMAGE

static void ask_proc(u32 tgid, struct facts *facts)
{
	*facts = (struct facts){ 0 };
}

#else

static char *put_number(char *at, u32 number)
{
	char digits[12], *digit = digits;

	do
		*digit++ = (char)('0' + number % 10);
	while (number /= 10);
	while (digit > digits)
		*at++ = *--digit;
	return at;
}

/* The number after the nth space behind the last ')', which ends the name. */
static u64 number_at(const char *text, u32 size, u32 nth)
{
	u64 number = 0;
	u32 i = size;

	while (i && text[i - 1] != ')')
		i--;
	for (; i < size && nth; i++)
		nth -= text[i] == ' ';
	for (; i < size && text[i] >= '0' && text[i] <= '9'; i++)
		number = number * 10 + (u64)(text[i] - '0');
	return number;
}

static void ask_proc(u32 tgid, struct facts *facts)
{
	char path[32] = "/proc/", text[1024];
	char *end = put_number(path + 6, tgid);
	long fd, size;

	*facts = (struct facts){ 0 };
	memcpy(end, "/stat", 6);
	fd = rt_syscall4(__NR_openat, (u64)-100, (u64)path, 02000000, 0);
	if (fd < 0)
		return;
	size = rt_syscall3(__NR_read, (u64)fd, (u64)text, sizeof(text));
	rt_syscall3(__NR_close, (u64)fd, 0, 0);
	if (size <= 0)
		return;
	facts->parent = (u32)number_at(text, (u32)size, 2);
	facts->start_ns = facts->start_boot_ns = number_at(text, (u32)size, 20) * TICK_NS;
}

#endif

static void find_facts(const struct rt_vcpu *vcpu, struct facts *facts)
{
	if (vcpu->task.remote_pid) {
		ask_proc(vcpu->task.tgid, facts);
		return;
	}
	facts->parent = (u32)rt_syscall0(__NR_getppid);
	facts->start_ns = RT_PROCESS->start_ns;
	facts->start_boot_ns = RT_PROCESS->start_boot_ns;
}

static void set(u8 *image, u32 offset, u64 value, u32 size)
{
	if (offset != RT_TASK_MODEL_ABSENT)
		memcpy(image + offset, &value, size);
}

static void set_task(u8 *image, const struct rt_task_layout *layout, u32 pid, u32 tgid)
{
	memset(image, 0, layout->task_size);
	set(image, layout->pid, pid, 4);
	set(image, layout->tgid, tgid, 4);
	set(image, layout->group_leader, (u64)image, 8);
}

static void set_cred(u8 *image, const struct rt_task_layout *layout, struct rt_vcpu *vcpu)
{
	u64 ids = rt_helper_get_current_uid_gid(0, 0, 0, 0, 0, vcpu);
	u32 uid = (u32)ids, gid = (u32)(ids >> 32), euid = uid, egid = gid;

	if (!vcpu->task.remote_pid) {
		euid = (u32)rt_syscall0(__NR_geteuid);
		egid = (u32)rt_syscall0(__NR_getegid);
	}
	memset(image, 0, layout->cred_size);
	set(image, layout->uid, uid, 4);
	set(image, layout->gid, gid, 4);
	set(image, layout->euid, euid, 4);
	set(image, layout->egid, egid, 4);
}

u64 rt_task_model(struct rt_vcpu *vcpu)
{
	const struct rt_task_layout *layout = READ_ONCE(RT_CONTROL->task_layout);
	u64 task_room, cred_room;
	u8 *task = vcpu->task_model, *parent, *leader, *cred;
	struct facts facts;

	if (!layout)
		return 0;
	task_room = ALIGN_UP((u64)layout->task_size, 64);
	cred_room = ALIGN_UP((u64)layout->cred_size, 64);
	if (3 * task_room + cred_room > RT_TASK_MODEL_SIZE)
		return 0;
	parent = task + task_room;
	leader = parent + task_room;
	cred = leader + task_room;
	find_facts(vcpu, &facts);
	set_task(task, layout, vcpu->task.pid, vcpu->task.tgid);
	if (layout->comm != RT_TASK_MODEL_ABSENT)
		rt_task_comm(vcpu, (char *)task + layout->comm);
	if (vcpu->task.pid != vcpu->task.tgid) {
		set_task(leader, layout, vcpu->task.tgid, vcpu->task.tgid);
		set(leader, layout->start_time, facts.start_ns, 8);
		set(leader, layout->start_boottime, facts.start_boot_ns, 8);
		set(leader, layout->real_parent, (u64)parent, 8);
		set(leader, layout->parent, (u64)parent, 8);
		set(task, layout->group_leader, (u64)leader, 8);
	}
	set_task(parent, layout, facts.parent, facts.parent);
	set(task, layout->real_parent, (u64)parent, 8);
	set(task, layout->parent, (u64)parent, 8);
	set(task, layout->start_time, facts.start_ns, 8);
	set(task, layout->start_boottime, facts.start_boot_ns, 8);
	set_cred(cred, layout, vcpu);
	set(task, layout->cred, (u64)cred, 8);
	set(task, layout->real_cred, (u64)cred, 8);
	return (u64)task;
}
