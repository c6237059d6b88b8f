/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random BPF programs that a verifier finds worth thinking about: about half of them are valid.
 *
 * A program is made of statements that keep an idea of what each register holds, so that most are
 * sound, and takes liberties at a rate of its own: a forgotten null check, a bound off by one, a
 * register never written. Maps are named by index in ld_imm64 (BPF_PSEUDO_MAP_FD,
 * BPF_PSEUDO_MAP_VALUE); gen_bind_maps() puts descriptors in.
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
	GEN_NR_MAPS,
};

struct gen_map_def {
	u32 type, key_size, value_size, max_entries;
};

extern const struct gen_map_def gen_maps[GEN_NR_MAPS];

#define GEN_MAX_INSNS 512

struct gen_program {
	u32 prog_type;
	u32 nr_insns;
	struct bpf_insn insns[GEN_MAX_INSNS];
};

/* The program of a seed; the same seed gives the same program. */
void gen_program(u64 seed, struct gen_program *ret_program);

/* Replaces map indices by the descriptors of fds[GEN_NR_MAPS]. */
void gen_bind_maps(struct gen_program *program, const int *fds);

/* Second half of a 16-byte instruction? Such slots have no opcode of their own. */
bool gen_is_continuation(const struct gen_program *program, u32 index);

#endif
