/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * This program's own stack, collected by a program on a system call that it makes at a depth that
 * it knows. Run as it is, it asks the kernel (and skips where that says no); under `skep exec` the
 * data plane in its own process. Compiled with frame pointers; what it expects is the same.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "harness/tap.h"

#define DEPTH 20
#define WORDS 32
#define INSN(c, d, s, o, i)                                                         \
	{                                                                           \
		.code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) \
	}

static int stacks, ids, raws; /* maps: stacks, the number of the last one, the last one itself */

static long bpf(int cmd, union bpf_attr *attr)
{
	long result = syscall(SYS_bpf, cmd, attr, sizeof(*attr));

	return result < 0 ? -errno : result;
}

static int map(unsigned type, unsigned value_size, unsigned entries)
{
	union bpf_attr attr = {
		.map_type = type, .key_size = 4, .value_size = value_size, .max_entries = entries
	};

	return (int)bpf(BPF_MAP_CREATE, &attr);
}

static long element(int cmd, int fd, unsigned key, void *value)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (unsigned)fd;
	attr.key = (uintptr_t)&key;
	attr.value = (uintptr_t)value;
	return bpf(cmd, &attr);
}

/*
 * For getppid() of this process: ids[0] = bpf_get_stackid(ctx, stacks, USER_STACK | REUSE) and
 * raws[0] = bpf_get_stack(ctx, …, USER_STACK).
 */
static int load(void)
{
	const struct bpf_insn insns[] = {
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, 6, 1, 0, 0),
		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_get_current_pid_tgid),
		INSN(BPF_ALU64 | BPF_RSH | BPF_K, 0, 0, 0, 32),
		INSN(BPF_JMP | BPF_JNE | BPF_K, 0, 0, 29, getpid()),
		INSN(BPF_LDX | BPF_MEM | BPF_DW, 7, 6, 8, 0),
		INSN(BPF_JMP | BPF_JNE | BPF_K, 7, 0, 27, SYS_getppid),
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, 1, 6, 0, 0),
		INSN(BPF_LD | BPF_IMM | BPF_DW, 2, BPF_PSEUDO_MAP_FD, 0, stacks),
		INSN(0, 0, 0, 0, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 3, 0, 0, BPF_F_USER_STACK | BPF_F_REUSE_STACKID),
		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_get_stackid),
		INSN(BPF_STX | BPF_MEM | BPF_DW, 10, 0, -16, 0),
		INSN(BPF_ST | BPF_MEM | BPF_W, 10, 0, -4, 0),
		INSN(BPF_LD | BPF_IMM | BPF_DW, 1, BPF_PSEUDO_MAP_FD, 0, ids),
		INSN(0, 0, 0, 0, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, 2, 10, 0, 0),
		INSN(BPF_ALU64 | BPF_ADD | BPF_K, 2, 0, 0, -4),
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, 3, 10, 0, 0),
		INSN(BPF_ALU64 | BPF_ADD | BPF_K, 3, 0, 0, -16),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 4, 0, 0, 0),
		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_map_update_elem),
		INSN(BPF_LD | BPF_IMM | BPF_DW, 1, BPF_PSEUDO_MAP_FD, 0, raws),
		INSN(0, 0, 0, 0, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, 2, 10, 0, 0),
		INSN(BPF_ALU64 | BPF_ADD | BPF_K, 2, 0, 0, -4),
		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_map_lookup_elem),
		INSN(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 6, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, 7, 0, 0, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, 1, 6, 0, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, 2, 7, 0, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 3, 0, 0, WORDS * 8),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 4, 0, 0, BPF_F_USER_STACK),
		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_get_stack),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0),
		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
	};
	union bpf_attr attr = { .prog_type = BPF_PROG_TYPE_RAW_TRACEPOINT,
				.insns = (uintptr_t)insns,
				.insn_cnt = sizeof(insns) / sizeof(insns[0]),
				.license = (uintptr_t) "GPL" };

	return (int)bpf(BPF_PROG_LOAD, &attr);
}

static void *returns[DEPTH + 1];
static uint64_t id, raw[WORDS];

/* Makes the call that counts at the bottom of the recursion; each level notes where it returns to.
 */
static void __attribute__((noinline)) descend(unsigned depth)
{
	returns[depth] = __builtin_return_address(0);
	if (depth)
		descend(depth - 1);
	else
		syscall(SYS_getppid);
	__asm__ volatile("" ::: "memory"); /* no tail call */
}

static int same_frames(const uint64_t *ips)
{
	/* ips[0] is in syscall(), which has no frame of its own: then comes where descend(0) went.
	 */
	for (unsigned i = 0; i <= DEPTH; i++)
		if (ips[1 + i] != (uintptr_t)returns[i]) {
			tap_note("frame %u: %llx, should be %p", i, (unsigned long long)ips[1 + i],
				 returns[i]);
			return 0;
		}
	return 1;
}

/* stacks [kernel]: by the running kernel, not by skep. */
int main(int argc, char **argv)
{
	union bpf_attr attr;
	uint64_t ips[WORDS];
	int prog, link;

	if (!tap_kernel_bpf()) {
		tap_skip(5, "bpf(2) is not to be had");
		return tap_done();
	}
	if (argc > 1 && !tap_kernel_pids()) {
		tap_skip(5, "in a PID namespace the kernel's programs see other process ids");
		return tap_done();
	}
	stacks = map(BPF_MAP_TYPE_STACK_TRACE, WORDS * 8, 256);
	ids = map(BPF_MAP_TYPE_ARRAY, 8, 1);
	raws = map(BPF_MAP_TYPE_ARRAY, WORDS * 8, 1);
	prog = load();
	if (!tap_ok(prog >= 0, "a program that collects stacks is loaded"))
		tap_note("%d", prog);
	memset(&attr, 0, sizeof(attr));
	attr.raw_tracepoint.name = (uintptr_t) "sys_enter";
	attr.raw_tracepoint.prog_fd = (unsigned)prog;
	link = (int)bpf(BPF_RAW_TRACEPOINT_OPEN, &attr);
	tap_ok(link >= 0, "and attached");
	descend(DEPTH);
	element(BPF_MAP_LOOKUP_ELEM, raws, 0, raw);
	element(BPF_MAP_LOOKUP_ELEM, ids, 0, &id);
	close(link);
	printf("# stack %lld\n", (long long)id);
	tap_ok(!element(BPF_MAP_LOOKUP_ELEM, stacks, (unsigned)id, ips), "the stack is there");
	tap_ok(same_frames(ips), "its frames");
	tap_ok(ips[0] == raw[0] && same_frames(raw), "bpf_get_stack() gives the same");
	return tap_done();
}
