/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pieces of random packet programs, for test_run.c. A step appends instructions: it finds the
 * context in r6, mixes what it learns into r7, and may use r0 to r5 and 64 bytes of stack at
 * STEP_BUFFER.
 */
#ifndef SKEP_TESTS_DIFF_PACKET_STEPS_H
#define SKEP_TESTS_DIFF_PACKET_STEPS_H

#include "scenario.h"

#define STEP_BUFFER (-64)
#define HASH	    BPF_REG_7
#define CTX	    BPF_REG_6
#define CALL_(name) CALL(BPF_FUNC_##name)

/* A number below `below`; one of the values. */
u32 draw(u32 below);
s32 pick(const s32 *values, u32 nr);
#define PICK(...) pick((const s32[]){ __VA_ARGS__ }, ARRAY_SIZE(((const s32[]){ __VA_ARGS__ })))

void emit(struct bpf_insn insn);
/* HASH = HASH * 31 + r0; the same with the buffer. */
void mix(void);
void mix_buffer(void);

s32 draw_offset(void);
s32 draw_length(void);

/* What programs over socket buffers may do beside reading: type may call all that is drawn. */
void skb_step(u32 type);

/* Steps of flow dissectors and of socket lookups. */
void flow_step(void);
void sk_lookup_step(void);

#endif
