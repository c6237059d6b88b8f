/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Accesses of the interpreter to an arena's pages (rt/page_arena.h), as the verifier's output has
 * them (ISA_ARENA_*). What cannot be reached reads as 0 and takes no stores, and the program's
 * stderr tells of it.
 */
#ifndef SKEP_RT_ARENA_ACCESS_H
#define SKEP_RT_ARENA_ACCESS_H

#include <linux/bpf.h>
#include "base/types.h"

struct rt_prog;
struct rt_vcpu;

/* A load's value. */
u64 rt_arena_load(const struct rt_prog *prog, const struct bpf_insn *pc, const u64 *reg,
		  struct rt_vcpu *vcpu);
void rt_arena_store(const struct rt_prog *prog, const struct bpf_insn *pc, const u64 *reg,
		    struct rt_vcpu *vcpu);
/*
 * An atomic instruction: the same one with its address in reg[11] to *ret_insn. false: the place
 * cannot be reached, and the instruction is done.
 */
bool rt_arena_atomic(const struct rt_prog *prog, const struct bpf_insn *pc, u64 *reg,
		     struct bpf_insn *ret_insn, struct rt_vcpu *vcpu);
/* addr_space_cast to address space 1. */
u64 rt_arena_cast(const struct rt_prog *prog, u64 address);

#endif
