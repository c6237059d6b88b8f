/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside the interpreter: the hook before each instruction that checking builds use, and the loads
 * of socket filters. Programs are run through rt/prog.h.
 */
#ifndef SKEP_RT_INTERP_H
#define SKEP_RT_INTERP_H

#include <linux/bpf.h>
#include "base/types.h"

struct rt_prog;
struct rt_vcpu;

/*
 * A test that wants to see every instruction compiles rt/interp.c with -DRT_INTERP_TRACE and
 * defines rt_interp_trace(): called with the instruction about to run and the 11 registers before
 * it; vcpu->frame tells the depth.
 */
#ifdef RT_INTERP_TRACE
void rt_interp_trace(struct rt_vcpu *vcpu, const struct rt_prog *prog, const struct bpf_insn *pc,
		     const u64 *reg);
#define RT_INTERP_STEP(vcpu, prog, pc, reg) rt_interp_trace(vcpu, prog, pc, reg)
#else
#define RT_INTERP_STEP(vcpu, prog, pc, reg) ((void)(prog))
#endif

/*
 * BPF_LD | BPF_ABS and BPF_IND (net/core/filter.c bpf_gen_ld_abs): loads big-endian bytes of the
 * packet whose struct abi_rt_skb is in reg[6] into reg[0]; negative offsets count from the network
 * header (SKF_NET_OFF) or the link layer's (SKF_LL_OFF). False when they lie outside the packet.
 */
bool interp_load_packet(u64 *reg, const struct bpf_insn *pc);

/*
 * For native code (rt/native.h): one instruction of the running program, on the registers in reg:
 * loads that may fault, accesses to an arena, packet loads, may_goto. enum rt_native_step.
 */
u32 rt_interp_step(u64 *reg, const struct bpf_insn *pc, struct rt_vcpu *vcpu);

/* bpf_tail_call(): the program to go on with, now vcpu->prog; NULL when the call falls through. */
const struct rt_prog *rt_interp_tail_call(struct rt_vcpu *vcpu, u64 map, u64 index);

#endif
