/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packet pointers: comparing one with the packet's end tells how many bytes are there.
 */
#ifndef SKEP_VERIFY_PACKET_H
#define SKEP_VERIFY_PACKET_H

#include "verify/domain/scalar.h"
#include "verify/env.h"

static inline bool reg_is_any_packet(const struct reg *reg)
{
	return reg_is_packet(reg) || reg_base(reg->type) == PTR_TO_PACKET_END;
}

/* Is the outcome known because an earlier comparison put the pointer at or beyond the end? */
enum scalar_truth packet_decide(const struct bpf_insn *insn, const struct reg *dst,
				const struct reg *src);

/*
 * Learns from a comparison of packet pointers; the current state is the fall-through, other the
 * taken branch. False if it is not one that teaches.
 */
bool packet_compare(struct verify_env *env, const struct bpf_insn *insn, const struct reg *dst,
		    const struct reg *src, struct vstate *other);

/* All packet pointers become unknown numbers: a helper changed the packet. */
void packet_forget(struct verify_env *env);

/* Types whose programs may change the packet through a pointer. */
bool packet_may_write(u32 prog_type);

#endif
