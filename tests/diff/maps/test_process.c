/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the current task stands (cgroups, pid name spaces) and signals to it: what the helpers give
 * in the running kernel, for a program that this process runs there, and here.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../unit/rt/map_env.h"
#include "harness/tap.h"
#include "kernel.h"
#include "rt/helper.h"

static struct rt_vcpu *vcpu;
static volatile sig_atomic_t nr_signals, last_code;
static volatile pthread_t last_thread;

/* The same here as in the kernel? */
static void same(s64 ours, s64 theirs, const char *what, s64 number)
{
	tap_ok(ours == theirs, "%s, %lld: %lld here, %lld there", what, (long long)number,
	       (long long)ours, (long long)theirs);
}

static void on_signal(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	nr_signals++;
	last_code = info->si_code;
	last_thread = pthread_self();
}

static long run(int prog, u32 *ret_value)
{
	union bpf_attr attr = { .test = { .prog_fd = (u32)prog } };
	long error = kernel_bpf(BPF_PROG_TEST_RUN, &attr);

	*ret_value = attr.test.retval;
	return error;
}

/* The helper's result in the kernel, as 32 bits: with two arguments. */
static s32 in_kernel(u32 helper, u64 r1, u64 r2)
{
	struct bpf_insn insns[] = {
		LOAD64(1, 0, (u32)r1), LOAD64_HIGH(r1 >> 32), LOAD64(2, 0, (u32)r2),
		LOAD64_HIGH(r2 >> 32), CALL(helper),	      EXIT(),
	};
	int prog = kernel_prog(BPF_PROG_TYPE_RAW_TRACEPOINT, insns, ARRAY_SIZE(insns));
	u32 value = 0;
	long error = prog < 0 ? prog : run(prog, &value);

	if (error)
		tap_bail("helper %u cannot be run in the kernel: %ld", helper, error);
	close(prog);
	return (s32)value;
}

/* Here, as if it were a program's only call: what it sends comes when the program has ended. */
static s32 here(u32 helper, u64 r1, u64 r2)
{
	struct rt_task task = vcpu->task;
	s32 result = (s32)rt_helpers[helper](r1, r2, 0, 0, 0, vcpu);

	rt_vcpu_release(vcpu);
	vcpu = env_vcpu();
	vcpu->task = task;
	return result;
}

static void cgroups(void)
{
	static const s32 levels[] = { 0, 1, 2, 15, 1000, -1, INT32_MIN };
	s32 own = in_kernel(BPF_FUNC_get_current_cgroup_id, 0, 0);

	if (access("/sys/fs/cgroup/cgroup.procs", F_OK) &&
	    access("/sys/fs/cgroup/unified/cgroup.procs", F_OK)) {
		tap_skip(1, "the one hierarchy of cgroups is not mounted");
		return;
	}
	same(here(BPF_FUNC_get_current_cgroup_id, 0, 0), own, "the cgroup's id", 0);
	for (u32 i = 0; i < ARRAY_SIZE(levels); i++)
		same(here(BPF_FUNC_get_current_ancestor_cgroup_id, (u64)(s64)levels[i], 0),
		     in_kernel(BPF_FUNC_get_current_ancestor_cgroup_id, (u64)(s64)levels[i], 0),
		     "the cgroup of level", levels[i]);
}

/* (device, inode, room on the stack, size): the result, and both ids in *ret_ids. */
static s32 ns_in_kernel(u64 dev, u64 ino, u32 size, u64 *ret_ids)
{
	int map = kernel_map(BPF_MAP_TYPE_ARRAY, 4, 8, 1, 0);
	struct bpf_insn insns[] = {
		MOV_IMM(6, -1),
		STORE(10, 6, -16),
		STORE(10, 6, -8),
		LOAD64(1, 0, (u32)dev),
		LOAD64_HIGH(dev >> 32),
		LOAD64(2, 0, (u32)ino),
		LOAD64_HIGH(ino >> 32),
		MOV_REG(3, 10),
		ADD_IMM(3, -16),
		MOV_IMM(4, size),
		CALL(BPF_FUNC_get_ns_current_pid_tgid),
		LOAD64(1, BPF_PSEUDO_MAP_VALUE, map),
		LOAD64_HIGH(0),
		INSN(BPF_LDX | BPF_MEM | BPF_DW, 2, 10, -16, 0),
		STORE(1, 2, 0),
		EXIT(),
	};
	int prog = kernel_prog(BPF_PROG_TYPE_RAW_TRACEPOINT, insns, ARRAY_SIZE(insns));
	u32 value = 0, key = 0;

	if (prog < 0 || run(prog, &value) || kernel_lookup(map, &key, ret_ids, 0))
		tap_bail("ids cannot be asked of the kernel: %d", prog);
	close(prog);
	close(map);
	return (s32)value;
}

static void name_space(const char *what, u64 dev, u64 ino, u32 size)
{
	u64 theirs = 0, ours[2] = { ~0ull, ~0ull };
	s32 result = ns_in_kernel(dev, ino, size, &theirs);

	same((s32)rt_helpers[BPF_FUNC_get_ns_current_pid_tgid](dev, ino, (u64)ours, size, 0, vcpu),
	     result, what, size);
	same((s64)ours[0], (s64)theirs, what, size);
}

static void name_spaces(void)
{
	struct stat status;

	if (stat("/proc/self/ns/pid", &status)) {
		tap_skip(1, "no pid name space is shown");
		return;
	}
	name_space("own name space", status.st_dev, status.st_ino, 8);
	name_space("another one", status.st_dev, status.st_ino + 1, 8);
	name_space("another device", status.st_dev + 1, status.st_ino, 8);
	name_space("another size", status.st_dev, status.st_ino, 4);
	name_space("a larger size", status.st_dev, status.st_ino, 16);
}

/* One signal by each: the same result, and the same arrives. */
static void signal_by(u32 helper, u64 number, const char *name)
{
	s32 result;
	int before = nr_signals, code, arrived;

	last_code = 0;
	result = in_kernel(helper, number, 0);
	arrived = nr_signals - before;
	code = last_code;
	before = nr_signals;
	last_code = 0;
	same(here(helper, number, 0), result, name, (s64)number);
	same(nr_signals - before, arrived, "signals that come", (s64)number);
	same(last_code, code, "the signal's code", (s64)number);
}

static void signals(void)
{
	static const u32 numbers[] = { 0, SIGUSR1, SIGUSR2, 64, 65, UINT32_MAX };
	struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };

	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGUSR2, &action, NULL);
	sigaction(64, &action, NULL);
	for (u32 i = 0; i < ARRAY_SIZE(numbers); i++) {
		signal_by(BPF_FUNC_send_signal, numbers[i], "send_signal");
		signal_by(BPF_FUNC_send_signal_thread, numbers[i], "send_signal_thread");
	}
}

/* A thread that is not the first one gets its signal, and so does its process. */
static void *other_thread(void *arg)
{
	int before = nr_signals;

	vcpu->task.pid = (u32)gettid();
	*(s32 *)arg = here(BPF_FUNC_send_signal_thread, SIGUSR1, 0);
	tap_ok(nr_signals == before + 1 && pthread_equal(last_thread, pthread_self()),
	       "a thread gets its own signal");
	tap_is(here(BPF_FUNC_send_signal, SIGUSR1, 0), 0, "... and one for its process is taken");
	return NULL;
}

int main(void)
{
	struct arena *arena;
	pthread_t thread;
	s32 result = 1;

	if (!tap_kernel_bpf()) {
		tap_skip(1, "the kernel's bpf(2) is not to be had");
		return tap_done();
	}
	arena = env_new(1);
	vcpu = env_vcpu();
	vcpu->task = (struct rt_task){ .pid = (u32)gettid(), .tgid = (u32)getpid() };
	cgroups();
	name_spaces();
	signals();
	if (!pthread_create(&thread, NULL, other_thread, &result))
		pthread_join(thread, NULL);
	tap_is(result, 0, "a signal from another thread");
	vcpu->task.remote_pid = UINT32_MAX;
	tap_is(here(BPF_FUNC_send_signal, SIGUSR1, 0), -EPERM, "nobody gets none");
	rt_vcpu_release(vcpu);
	arena_free(arena);
	return tap_done();
}
