/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The current task as an image: laid out as the layout says, with the members that it names, for a
 * thread of this process and for a task of another one.
 */
#include <errno.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/tap.h"
#include "map_env.h"
#include "rt/event.h"
#include "rt/helper.h"
#include "rt/task_model.h"

struct image {
	u64 room;
	u32 pid, tgid;
	u64 leader, parent, real_parent, start, cred;
	char comm[16];
	u64 cpus, cpus_ptr;
};

struct cred_image {
	u32 uid, gid;
};

#define AT(member) offsetof(struct image, member)

static struct rt_task_layout layout = {
	.task_size = sizeof(struct image),
	.cred_size = sizeof(struct cred_image),
	.pid = AT(pid),
	.tgid = AT(tgid),
	.comm = AT(comm),
	.group_leader = AT(leader),
	.parent = AT(parent),
	.real_parent = AT(real_parent),
	.start_time = AT(start),
	.start_boottime = RT_TASK_MODEL_ABSENT,
	.cred = AT(cred),
	.real_cred = RT_TASK_MODEL_ABSENT,
	.uid = offsetof(struct cred_image, uid),
	.gid = offsetof(struct cred_image, gid),
	.euid = RT_TASK_MODEL_ABSENT,
	.egid = RT_TASK_MODEL_ABSENT,
	.cpus_mask = AT(cpus),
	.cpus_ptr = AT(cpus_ptr),
};

static const struct image *ask(struct rt_vcpu *vcpu)
{
	return (const struct image *)rt_helpers[BPF_FUNC_get_current_task](0, 0, 0, 0, 0, vcpu);
}

/* Registers of the current task, while a system call of it fires, and of nobody else. */
static void test_registers(struct rt_vcpu *vcpu)
{
	struct rt_pt_regs regs = { .orig_ax = 39, .ax = 39, .ip = 0x1234, .sp = 0x5678 };
	const struct rt_pt_regs *copy;
	struct image other = { .pid = 72, .tgid = 70 };
	rt_helper_fn helper = rt_helpers[BPF_FUNC_task_pt_regs];
	u64 task;

	vcpu->task = (struct rt_task){ .pid = 71, .tgid = 70 };
	task = (u64)ask(vcpu);
	tap_is(helper(task, 0, 0, 0, 0, vcpu), 0, "registers: no call fires");
	vcpu->user_regs = &regs;
	vcpu->entering = true;
	copy = (const struct rt_pt_regs *)helper(task, 0, 0, 0, 0, vcpu);
	tap_ok(copy && copy->ip == 0x1234 && copy->sp == 0x5678 && copy->orig_ax == 39 &&
		       copy->ax == (u64)-ENOSYS,
	       "registers: at its entry");
	vcpu->entering = false;
	copy = (const struct rt_pt_regs *)helper(task, 0, 0, 0, 0, vcpu);
	tap_ok(copy && copy->ax == 39, "registers: at its end");
	tap_is(helper((u64)&other, 0, 0, 0, 0, vcpu), 0, "registers: of another task");
	tap_is(helper(0, 0, 0, 0, 0, vcpu), 0, "registers: of none");
	vcpu->user_regs = NULL;
}

static void test_own(struct rt_vcpu *vcpu)
{
	const struct image *task, *leader, *parent;

	vcpu->task = (struct rt_task){ .pid = 71, .tgid = 70 };
	task = ask(vcpu);
	if (!tap_ok(task, "an image"))
		return;
	leader = (const struct image *)task->leader;
	parent = (const struct image *)task->real_parent;
	tap_ok(task->pid == 71 && task->tgid == 70, "the thread's ids");
	tap_ok(leader != task && leader->pid == 70 && leader->tgid == 70, "its leader's");
	tap_is(parent->tgid, (u32)getppid(), "its parent's");
	tap_ok(leader->real_parent == task->real_parent && task->parent == task->real_parent,
	       "the leader has the same parent");
	tap_ok(parent->leader == (u64)parent && !parent->real_parent, "which is its own leader");
	tap_is(((const struct cred_image *)task->cred)->uid, getuid(), "the user");
	tap_is(((const struct cred_image *)task->cred)->gid, getgid(), "the group");
	tap_is(task->room, 0, "what is not known is 0");
	tap_ok(task->cpus && task->cpus < 1u << RT_CONTROL->nr_vcpus, "where it may run");
	tap_is(task->cpus_ptr, (u64)&task->cpus, "which it points to");
	vcpu->task.pid = 70;
	task = ask(vcpu);
	tap_is(task->leader, (u64)task, "a leader is its own");
}

static void test_other(struct rt_vcpu *vcpu)
{
	int ends[2];
	pid_t pid;

	if (pipe(ends))
		tap_bail("no pipe");
	pid = fork();
	if (!pid) {
		char byte;

		close(ends[1]);
		_exit(read(ends[0], &byte, 1) == 1);
	}
	vcpu->task = (struct rt_task){ .pid = (u32)pid,
				       .tgid = (u32)pid,
				       .remote_pid = (u32)pid,
				       .flags = RT_TASK_HAS_COMM | RT_TASK_HAS_IDS,
				       .uid = 5,
				       .gid = 6,
				       .comm = "other" };
	const struct image *task = ask(vcpu);

	tap_ok(task && task->tgid == (u32)pid && !strcmp(task->comm, "other"),
	       "a task of another process");
	tap_is(((const struct image *)task->real_parent)->tgid, (u32)getpid(), "its parent");
	tap_ok(task->start > 0, "when it began");
	tap_is(((const struct cred_image *)task->cred)->uid, 5, "its user");
	close(ends[1]);
	waitpid(pid, NULL, 0);
	tap_is(((const struct image *)ask(vcpu)->real_parent)->tgid, 0,
	       "of a task that is gone nothing is known");
}

int main(void)
{
	struct arena *arena = env_new(2);
	struct rt_vcpu *vcpu = env_vcpu();

	tap_ok(!ask(vcpu), "no layout, no image");
	RT_CONTROL->task_layout = &layout;
	test_registers(vcpu);
	test_own(vcpu);
	test_other(vcpu);
	layout.task_size = RT_TASK_MODEL_SIZE;
	tap_ok(!ask(vcpu), "nor with one that is too large");
	RT_CONTROL->task_layout = NULL;
	rt_vcpu_release(vcpu);
	arena_free(arena);
	return tap_done();
}
