/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The descriptor of a loaded program, in the control segment: written once by the supervisor before
 * the program can be reached, then constant until it is freed.
 *
 * Instructions are those that the verifier returned ("fixed up"): helper calls carry the helper's
 * number in imm, ld_imm64 carries final addresses, calls to subprograms carry BPF_PSEUDO_CALL and a
 * relative offset in imm, and context accesses are already those of the run-time context.
 */
#ifndef SKEP_RT_PROG_H
#define SKEP_RT_PROG_H

#include <linux/bpf.h>
#include "base/types.h"

struct rt_vcpu;

#define RT_SUBPROG_MAX	256
#define RT_MAY_GOTO_MAX (8L << 20) /* loop budget of may_goto in one frame (BPF_MAX_LOOPS) */

struct rt_subprog {
	u32 start;	 /* index of its first instruction */
	u32 stack_depth; /* bytes, a multiple of 8 */
};

/* Counters of one program, in the data segment: hostile, so used for show only. */
struct rt_prog_stats {
	u64 run_cnt;
	u64 run_time_ns;
	u64 recursion_misses;
};

struct rt_native;
struct rt_trampoline;

struct rt_prog {
	u32 id;
	u32 type; /* enum bpf_prog_type */
	u32 expected_attach_type;
	u32 nr_insns;
	u32 nr_subprogs; /* including the main program, which is subprogs[0] */
	u32 tail_call_reachable;
	u32 exception_callback; /* a subprogram; 0: none */
	bool throws;		/* it calls bpf_throw() */
	const struct bpf_insn *insns;
	const struct rt_subprog *subprogs;
	const struct rt_native *native; /* rt/native.h; NULL: the interpreter runs it */
	struct rt_prog_stats *stats;
	u8 *streams; /* in data (rt/stream.h); NULL: nothing is ever written to them */
	u32 stats_enabled;
	/*
	 * What is attached to its functions (rt/trampoline.h), by subprogram; NULL: nothing ever
	 * was. Changes while programs run.
	 */
	const struct rt_trampoline *const *trampolines;
	const struct rt_map *arena; /* whose pages it may access (rt/page_arena.h); NULL: none */
	char name[BPF_OBJ_NAME_LEN];
};

/* Number of the subprogram that has the instruction. */
static inline u32 rt_prog_subprog_of(const struct rt_prog *prog, u32 insn)
{
	u32 low = 0, high = prog->nr_subprogs;

	while (high - low > 1) {
		u32 mid = low + (high - low) / 2;

		if (prog->subprogs[mid].start <= insn)
			low = mid;
		else
			high = mid;
	}
	return low;
}

/*
 * Runs prog on ctx and returns R0. The caller holds vcpu. Never faults, whatever the data segment
 * holds, for a program that the verifier accepted.
 */
u64 rt_prog_run(const struct rt_prog *prog, const void *ctx, struct rt_vcpu *vcpu);

/*
 * The same while another program runs on this vCPU, which goes on afterwards as if nothing had
 * been. 0, and a miss is counted, when there is no stack left.
 */
u64 rt_prog_run_inside(const struct rt_prog *prog, const void *ctx, struct rt_vcpu *vcpu);

/* A function of prog with what is attached to it, while another one runs: its R0. */
u64 rt_prog_call(const struct rt_prog *prog, u32 subprog, const u64 args[5], struct rt_vcpu *vcpu);

/*
 * Whether the running program has to come to its end (vcpu->deadline is over): from then on
 * callbacks return 1 without being run, which ends the loop that wanted them, and may_goto goes.
 * What a program does outside such loops is bounded by the verifier. Cheap when there is no
 * deadline.
 */
bool rt_prog_out_of_time(struct rt_vcpu *vcpu);

/* The reference engine; rt_prog_run() ends here when there is no native code. */
u64 rt_interp_run(const struct rt_prog *prog, const void *ctx, struct rt_vcpu *vcpu);
/* A function, in the frame vcpu->frame; vcpu->prog is another's afterwards. */
u64 rt_interp_call(const struct rt_prog *prog, u32 subprog, const u64 args[5],
		   struct rt_vcpu *vcpu);

/*
 * Calls a subprogram of the running program back, for helpers that take a function (bpf_loop()).
 * callback is the value that the program has for it: the subprogram's index. Returns its R0; 0 if
 * there is no such subprogram or no frame left, 1 (a loop ends) when the program is out of time.
 */
u64 rt_call_bpf(struct rt_vcpu *vcpu, u64 callback, u64 r1, u64 r2, u64 r3, u64 r4, u64 r5);

/* Are its arguments what BTF says of them, and not a context of their own? */
static inline bool rt_prog_is_typed(const struct rt_prog *prog)
{
	return prog && (prog->type == BPF_PROG_TYPE_TRACING || prog->type == BPF_PROG_TYPE_LSM ||
			prog->type == BPF_PROG_TYPE_SYSCALL);
}

#endif
