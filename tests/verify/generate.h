/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random BPF programs that a verifier finds worth thinking about: about half of them are valid.
 *
 * A program is made of statements that keep an idea of what each register holds, so that most are
 * sound, and takes liberties at a rate of its own: a forgotten null check, a bound off by one, a
 * register never written. Maps are named by index in ld_imm64 (BPF_PSEUDO_MAP_FD,
 * BPF_PSEUDO_MAP_VALUE), kernel functions by index in calls; gen_bind() puts in what a judge calls
 * them.
 */
#ifndef SKEP_TESTS_VERIFY_GENERATE_H
#define SKEP_TESTS_VERIFY_GENERATE_H

#include <linux/bpf.h>
#include "base/types.h"

enum gen_map {
	GEN_ARRAY,
	GEN_HASH,
	GEN_PERCPU_ARRAY,
	GEN_RINGBUF,
	GEN_PROG_ARRAY,
	GEN_PERF_EVENTS,
	GEN_LOCKED, /* a number, and a bpf_spin_lock at GEN_FIELD_OFF */
	GEN_TIMER,  /* a number, and a bpf_timer there */
	GEN_OUTER,  /* an array of maps like GEN_ARRAY */
	GEN_NR_MAPS,
};

enum { GEN_FIELD_OFF = 8 };

struct gen_map_def {
	u32 type, key_size, value_size, max_entries;
};

extern const struct gen_map_def gen_maps[GEN_NR_MAPS];

/* Kernel functions, in the order of gen_kfunc_names. */
enum gen_kfunc {
	GEN_ITER_NUM_NEW,
	GEN_ITER_NUM_NEXT,
	GEN_ITER_NUM_DESTROY,
	GEN_DYNPTR_SLICE,
	GEN_DYNPTR_SLICE_RDWR,
	GEN_DYNPTR_FROM_SKB,
	GEN_DYNPTR_FROM_XDP,
	GEN_DYNPTR_ADJUST,
	GEN_DYNPTR_CLONE,
	GEN_DYNPTR_SIZE,
	GEN_DYNPTR_IS_NULL,
	GEN_DYNPTR_IS_RDONLY,
	GEN_RCU_READ_LOCK,
	GEN_RCU_READ_UNLOCK,
	GEN_PREEMPT_DISABLE,
	GEN_PREEMPT_ENABLE,
	GEN_IRQ_SAVE,
	GEN_IRQ_RESTORE,
	GEN_THROW,
	GEN_NR_KFUNCS,
};

extern const char *const gen_kfunc_names[GEN_NR_KFUNCS];

/* What a program has in it. */
enum gen_topic {
	GEN_SCALARS,
	GEN_SIGNED, /* sdiv, smod, movsx, sign-extending loads, bswap */
	GEN_STACK,
	GEN_STACK_OFFSETS, /* that are variable */
	GEN_CONTEXT,
	GEN_MAPS,
	GEN_MAPS_IN_MAPS,
	GEN_PACKETS,
	GEN_HELPERS,
	GEN_REFERENCES,
	GEN_ATOMICS,
	GEN_BRANCHES,
	GEN_BOUNDS, /* of an offset, by another register */
	GEN_LOOPS,
	GEN_MAY_GOTO,
	GEN_SUBPROGRAMS,
	GEN_CALLBACKS,
	GEN_ITERATORS,
	GEN_DYNPTRS,
	GEN_SPIN_LOCKS,
	GEN_TIMERS,
	GEN_SECTIONS, /* RCU, preemption, interrupts */
	GEN_EXCEPTIONS,
	GEN_TAIL_CALLS,
	GEN_MISTAKES, /* sound by chance: what verifiers have wrongly let pass */
	GEN_BROKEN,   /* one instruction was changed at random */
	GEN_NR_TOPICS,
};

extern const char *const gen_topic_names[GEN_NR_TOPICS];

#define GEN_MAX_INSNS 512
#define GEN_MAX_FUNCS 32

struct gen_program {
	u32 prog_type, attach_type;
	u32 topics;	  /* a bit each */
	bool many_states; /* to be verified with BPF_F_TEST_STATE_FREQ */
	u32 nr_insns;
	struct bpf_insn insns[GEN_MAX_INSNS];
};

/* The program of a seed. The same seed gives the same program, until the generator changes. */
void gen_program(u64 seed, struct gen_program *ret_program);

/* The same, a program of loops of callbacks. */
void gen_callbacks(u64 seed, struct gen_program *ret_program);

/* Replaces indices by the descriptors of fds[GEN_NR_MAPS] and ids of kfuncs[GEN_NR_KFUNCS]. */
void gen_bind(struct gen_program *program, const int *fds, const u32 *kfuncs);

/*
 * Programs that name functions need BTF of them: where each function begins, in order. 0: the
 * program needs none.
 */
u32 gen_functions(const struct gen_program *program, u32 ret_starts[GEN_MAX_FUNCS]);

/* Second half of a 16-byte instruction? Such slots have no opcode of their own. */
bool gen_is_continuation(const struct gen_program *program, u32 index);

#endif
