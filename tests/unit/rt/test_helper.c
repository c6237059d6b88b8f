/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Helpers that need no kernel to compare with: clocks agree with clock_gettime(2), the current task
 * is this thread or the one that vcpu->task names, printing ends in the trace queue.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "abi/helper.h"
#include "harness/tap.h"
#include "map_env.h"
#include "rt/clock.h"
#include "rt/helper.h"
#include "rt/trace.h"

static u64 call(u32 helper, u64 r1, u64 r2, u64 r3, u64 r4, u64 r5, struct rt_vcpu *vcpu)
{
	if (!rt_helpers[helper])
		tap_bail("no helper %u", helper);
	return rt_helpers[helper](r1, r2, r3, r4, r5, vcpu);
}

static u64 clock_ns(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return (u64)time.tv_sec * 1000000000 + (u64)time.tv_nsec;
}

static void test_clocks(struct rt_vcpu *vcpu, const char *how)
{
	static const struct {
		u32 helper;
		clockid_t clock;
	} clocks[] = {
		{ BPF_FUNC_ktime_get_ns, CLOCK_MONOTONIC },
		{ BPF_FUNC_ktime_get_boot_ns, CLOCK_BOOTTIME },
		{ BPF_FUNC_ktime_get_coarse_ns, CLOCK_MONOTONIC_COARSE },
		{ BPF_FUNC_ktime_get_tai_ns, CLOCK_TAI },
	};

	for (u32 i = 0; i < ARRAY_SIZE(clocks); i++) {
		u32 outside = 0, backwards = 0;
		u64 last = 0;

		/* Between two readings of the clock itself, always, and never backwards. */
		for (u32 j = 0; j < 10000; j++) {
			u64 before = clock_ns(clocks[i].clock);
			u64 time = call(clocks[i].helper, 0, 0, 0, 0, 0, vcpu);

			outside += time < before || time > clock_ns(clocks[i].clock);
			backwards += time < last;
			last = time;
		}
		tap_ok(!outside && !backwards, "helper %u agrees with its clock, %s",
		       clocks[i].helper, how);
	}
}

static void test_task(struct rt_vcpu *vcpu)
{
	char comm[16], want[16] = "";

	prctl(PR_SET_NAME, "somebody");
	tap_is(call(BPF_FUNC_get_current_pid_tgid, 0, 0, 0, 0, 0, vcpu),
	       (u64)getpid() << 32 | (u32)gettid(), "pid and tgid");
	tap_is(call(BPF_FUNC_get_current_uid_gid, 0, 0, 0, 0, 0, vcpu),
	       (u64)getgid() << 32 | getuid(), "uid and gid");
	memset(comm, 'x', sizeof(comm));
	tap_is(call(BPF_FUNC_get_current_comm, (u64)comm, 16, 0, 0, 0, vcpu), 0, "comm");
	memcpy(want, "somebody", 9);
	tap_ok(!memcmp(comm, want, 16), "comm is this thread's, padded with zeros");
	memset(comm, 'x', sizeof(comm));
	call(BPF_FUNC_get_current_comm, (u64)comm, 5, 0, 0, 0, vcpu);
	tap_ok(!memcmp(comm, "some\0x", 6), "comm in 5 bytes ends in NUL");
	vcpu->task.flags = RT_TASK_HAS_COMM | RT_TASK_HAS_IDS;
	vcpu->task.remote_pid = 77;
	vcpu->task.uid = 1000;
	vcpu->task.gid = 2000;
	memcpy(vcpu->task.comm, "other", 6);
	tap_is(call(BPF_FUNC_get_current_uid_gid, 0, 0, 0, 0, 0, vcpu), 2000UL << 32 | 1000,
	       "ids of another task");
	call(BPF_FUNC_get_current_comm, (u64)comm, 16, 0, 0, 0, vcpu);
	tap_ok(!strcmp(comm, "other"), "comm of another task");
	vcpu->task.flags = 0;
	tap_is(call(BPF_FUNC_get_current_uid_gid, 0, 0, 0, 0, 0, vcpu), -EINVAL,
	       "ids of another task that nobody told");
	vcpu->task.remote_pid = 0;
	vcpu->cookie = 0x1122334455667788;
	tap_is(call(BPF_FUNC_get_attach_cookie, 0, 0, 0, 0, 0, vcpu), 0x1122334455667788, "cookie");
	tap_is(call(BPF_FUNC_get_smp_processor_id, 0, 0, 0, 0, 0, vcpu), vcpu->index, "vCPU");
	tap_ok((s64)call(BPF_FUNC_get_numa_node_id, 0, 0, 0, 0, 0, vcpu) >= 0, "node");
}

static void test_random(struct rt_vcpu *vcpu)
{
	u32 bits[32] = { 0 }, same = 0;
	u64 last = 0;
	bool fair = true;

	vcpu->random = 0;
	for (u32 i = 0; i < 20000; i++) {
		u64 number = call(BPF_FUNC_get_prandom_u32, 0, 0, 0, 0, 0, vcpu);

		for (u32 bit = 0; bit < 32; bit++)
			bits[bit] += number >> bit & 1;
		same += number == last;
		fair &= number >> 32 == 0;
		last = number;
	}
	/* 10000 ± 7 standard deviations. */
	for (u32 bit = 0; bit < 32; bit++)
		fair &= bits[bit] > 9500 && bits[bit] < 10500;
	tap_ok(fair && same < 3, "random numbers use all bits");
}

static void test_print(struct rt_vcpu *vcpu)
{
	static const char format[] = "n=%d s=%s c=%c";
	struct rt_trace_record record;
	char out[32];
	u64 args[] = { 7, (u64) "seven", '7' };

	tap_is(call(BPF_FUNC_trace_printk, (u64)format, sizeof(format), 7, (u64) "seven", '7',
		    vcpu),
	       15, "trace_printk gives the length");
	tap_is(rt_trace_read(&record), 1, "trace_printk puts a record");
	tap_ok(record.length == 15 && !memcmp(record.text, "n=7 s=seven c=7", 15),
	       "trace_printk: the text");
	tap_is(call(BPF_FUNC_trace_printk, (u64)format, sizeof(format) - 1, 7, 7, 7, vcpu), -EINVAL,
	       "trace_printk: no NUL");
	tap_is(call(BPF_FUNC_trace_vprintk, (u64)format, sizeof(format), (u64)args, 24, 0, vcpu),
	       15, "trace_vprintk");
	tap_is(call(BPF_FUNC_trace_vprintk, (u64)format, sizeof(format), (u64)args, 20, 0, vcpu),
	       -EINVAL, "trace_vprintk: odd size");
	tap_is(call(BPF_FUNC_trace_vprintk, (u64)format, sizeof(format), (u64)args, 104, 0, vcpu),
	       -EINVAL, "trace_vprintk: too many");
	tap_is(call(BPF_FUNC_trace_vprintk, (u64)format, sizeof(format), 0, 8, 0, vcpu), -EINVAL,
	       "trace_vprintk: no arguments at all");
	tap_is(call(BPF_FUNC_snprintf, (u64)out, 5, (u64)format, (u64)args, 24, vcpu), 16,
	       "snprintf gives the length that all would have");
	tap_ok(!strcmp(out, "n=7 "), "snprintf cuts");
	tap_is(call(BPF_FUNC_snprintf, 0, 5, (u64)format, (u64)args, 24, vcpu), -EINVAL,
	       "snprintf: a size but no room");
	tap_is(call(BPF_FUNC_snprintf, 0, 0, (u64)format, (u64)args, 24, vcpu), 16,
	       "snprintf: the length only");
	rt_trace_read(&record);
	tap_is(rt_trace_read(&record), 0, "nothing else was printed");
}

/* All that the verifier lets programs call is there. (What it cannot check yet may be there too.)
 */
static void test_table(void)
{
	u32 absent = 0, available = 0;

	for (u32 i = 0; i < RT_HELPER_MAX; i++) {
		const struct abi_helper *helper = abi_helper_find(i);

		/* bpf_tail_call() does not return: the engines do it themselves. */
		if (!helper || !helper->available || i == BPF_FUNC_tail_call)
			continue;
		available++;
		absent += !rt_helpers[i];
		if (!rt_helpers[i])
			tap_note("helper %u %s is not there", i, helper->name);
	}
	tap_ok(!absent && available > 20, "all %u available helpers are there", available);
}

int main(void)
{
	struct arena *arena = env_new(2);
	struct rt_vcpu *vcpu = env_vcpu();

	vcpu->clock = rt_clock_find();
	if (vcpu->clock)
		test_clocks(vcpu, "by the vDSO");
	else
		tap_skip(4, "no vDSO here");
	vcpu->clock = 0;
	test_clocks(vcpu, "by the system call");
	test_table();
	test_task(vcpu);
	test_random(vcpu);
	test_print(vcpu);
	rt_vcpu_release(vcpu);
	arena_free(arena);
	return tap_done();
}
