/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The current task's place in the system, which the kernel's files tell, and signals to it. A task
 * of another process (remote_pid) is looked up by its own id.
 */
#include "rt/helper/families.h"
#include "rt/mem.h"
#include "rt/sys.h"

#define AT_FDCWD      (-100)
#define O_CLOEXEC     02000000
#define CGROUP2_MAGIC 0x63677270L
#define SIGNAL_MAX    64
#define SI_KERNEL     0x80
#define TO_THREAD     0x80u
#define TEXT_SIZE     1024

/* What stat(2) and statfs(2) of x86-64 begin with. */
struct file_status {
	u64 dev, ino;
	u64 rest[16];
};

struct system_status {
	s64 type;
	u64 rest[15];
};

/* Appends text to out, which is TEXT_SIZE bytes: the new length. */
static u32 add(char *out, u32 at, const char *text)
{
	while (*text && at + 1 < TEXT_SIZE)
		out[at++] = *text++;
	out[at] = '\0';
	return at;
}

/* "/proc/<the current task>/<name>" */
static void task_file(const struct rt_vcpu *vcpu, const char *name, char *out)
{
	u32 pid = vcpu->task.remote_pid, digits = 1, at = add(out, 0, "/proc/");

	if (!pid)
		at = add(out, at, "thread-self");
	for (u32 rest = pid; rest > 9; rest /= 10)
		digits++;
	for (u32 i = digits; pid && i; i--, pid /= 10)
		out[at + i - 1] = (char)('0' + pid % 10);
	if (vcpu->task.remote_pid)
		at += digits;
	add(out, add(out, at, "/"), name);
}

/* The task's path in the one hierarchy, from the line "0::/path": its length, 0 if none is told. */
static u32 cgroup_path(const struct rt_vcpu *vcpu, char *text)
{
	u32 line = 0, end, size;
	long fd, got;

	task_file(vcpu, "cgroup", text);
	fd = rt_syscall4(__NR_openat, (u64)AT_FDCWD, (u64)text, O_CLOEXEC, 0);
	if (fd < 0)
		return 0;
	got = rt_syscall3(__NR_read, (u64)fd, (u64)text, TEXT_SIZE - 1);
	rt_syscall3(__NR_close, (u64)fd, 0, 0);
	size = got > 0 ? (u32)got : 0;
	while (line < size) {
		for (end = line; end < size && text[end] != '\n'; end++)
			;
		/* A path that leads out of what the task sees begins with "/..". */
		if (end - line > 3 && memcmp(text + line, "0::/", 4) == 0 && end < size) {
			memmove(text, text + line + 3, end - line - 3);
			text[end - line - 3] = '\0';
			return memcmp(text, "/..", 3) ? end - line - 3 : 0;
		}
		line = end + 1;
	}
	return 0;
}

/* Where the file system of the one hierarchy is: the length of its path, 0 if there is none. */
static u32 cgroup_root(char *out)
{
	struct system_status status = { 0 };

	for (u32 i = 0; i < 2; i++) {
		u32 length = add(out, 0, i ? "/sys/fs/cgroup" : "/sys/fs/cgroup/unified");

		if (rt_syscall3(__NR_statfs, (u64)out, (u64)&status, 0) == 0 &&
		    status.type == CGROUP2_MAGIC)
			return length;
	}
	return 0;
}

/*
 * The id of the task's cgroup at a level, the root's being 0; ~0u: of its own. 0: there is none, or
 * it cannot be seen from here.
 */
static u64 cgroup_id(const struct rt_vcpu *vcpu, u32 level)
{
	struct file_status status = { 0 };
	char path[TEXT_SIZE], name[TEXT_SIZE];
	u32 root = cgroup_root(path), depth = 0, end = root;

	if (!root || !cgroup_path(vcpu, name))
		return 0;
	add(path, root, name);
	/* "/" is the root itself. */
	if (name[1])
		for (; depth != level && path[end]; end++)
			depth += path[end + 1] == '/' || !path[end + 1];
	if (level != ~0u && depth != level)
		return 0;
	if (level != ~0u)
		path[end] = '\0';
	if (rt_syscall3(__NR_stat, (u64)path, (u64)&status, 0))
		return 0;
	return status.ino;
}

RT_HELPER(get_current_cgroup_id)
{
	return cgroup_id(vcpu, ~0u);
}

RT_HELPER(get_current_ancestor_cgroup_id)
{
	return (s32)r1 < 0 ? 0 : cgroup_id(vcpu, (u32)r1);
}

/* (device, inode, info, size) */
RT_HELPER(get_ns_current_pid_tgid)
{
	struct bpf_pidns_info *info = (struct bpf_pidns_info *)r3;
	struct file_status status = { 0 };
	char path[TEXT_SIZE];

	if ((u32)r4 != sizeof(*info))
		goto refused;
	task_file(vcpu, "ns/pid", path);
	if (rt_syscall3(__NR_stat, (u64)path, (u64)&status, 0) || status.dev != r1 ||
	    status.ino != r2)
		goto refused;
	info->pid = vcpu->task.pid;
	info->tgid = vcpu->task.tgid;
	return 0;
refused:
	memset(info, 0, (u32)r4);
	return (u64)-EINVAL;
}

/* The task gets it when the program has ended: it may be its death. */
static u64 send(struct rt_vcpu *vcpu, u32 signal, bool thread)
{
	const struct rt_task *task = &vcpu->task;

	/* There is no task. */
	if (task->remote_pid == UINT32_MAX || !task->pid || !task->tgid)
		return (u64)-EPERM;
	if (signal > SIGNAL_MAX)
		return (u64)-EINVAL;
	signal |= thread ? TO_THREAD : 0;
	for (u32 i = 0; i < vcpu->nr_signals; i++)
		if (vcpu->signals[i] == signal)
			return 0;
	if (vcpu->nr_signals >= ARRAY_SIZE(vcpu->signals))
		return (u64)-EBUSY;
	if (signal & ~TO_THREAD)
		vcpu->signals[vcpu->nr_signals++] = (u8)signal;
	return 0;
}

void rt_signals_send(const struct rt_task *task, const u8 *signals, u32 nr)
{
	for (u32 i = 0; i < nr; i++) {
		u32 signal = signals[i] & ~TO_THREAD;
		bool thread = signals[i] & TO_THREAD;
		/* siginfo_t: number, error, code, and then who has sent it, which is nobody. */
		u32 info[32] = { signal, 0, SI_KERNEL };

		/* Nobody may say of another process's signal that it is the kernel's. */
		if (task->remote_pid)
			rt_syscall3(thread ? __NR_tkill : __NR_kill, task->remote_pid, signal, 0);
		else if (thread)
			rt_syscall4(__NR_rt_tgsigqueueinfo, task->tgid, task->pid, signal,
				    (u64)info);
		/* ... nor, if it is not the first one, a thread of its own process. */
		else if (rt_syscall3(__NR_rt_sigqueueinfo, task->tgid, signal, (u64)info) == -EPERM)
			rt_syscall3(__NR_kill, task->tgid, signal, 0);
	}
}

RT_HELPER(send_signal)
{
	return send(vcpu, (u32)r1, false);
}

RT_HELPER(send_signal_thread)
{
	return send(vcpu, (u32)r1, true);
}
