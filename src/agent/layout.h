/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The agent's half of the private segment (rt/arena.h): anonymous memory of one process at the same
 * address in each.
 *
 *   areas     where the slow path saves a thread's registers and runs; each is claimed with one
 * exchange threads   who runs on which thread pointer state     virtual signal dispositions,
 * interned strings, frames of vfork
 *
 * Areas and threads are wiped in a forked child (MADV_WIPEONFORK): a child never takes another
 * thread's identity or waits for an area whose owner it does not have. State is inherited.
 */
#ifndef SKEP_AGENT_LAYOUT_H
#define SKEP_AGENT_LAYOUT_H

#define AGENT_AREA_SHIFT 15
#define AGENT_AREA_SIZE	 (1 << AGENT_AREA_SHIFT)
#define AGENT_AREAS	 192

/* Offsets from RT_PRIVATE_BASE. */
#define AGENT_AREAS_OFFSET   0x800000
#define AGENT_THREADS_OFFSET 0xe00000
#define AGENT_STATE_OFFSET   0xf00000
#define AGENT_STATE_SIZE     0x100000

/* Fields of struct agent_area that assembly uses. */
#define AGENT_AREA_OWNER   0
#define AGENT_AREA_PENDING 4
#define AGENT_AREA_TARGET  8
#define AGENT_AREA_REGS	   64

/* Offsets in struct rt_pt_regs. */
#define AGENT_R15   0
#define AGENT_R14   8
#define AGENT_R13   16
#define AGENT_R12   24
#define AGENT_BP    32
#define AGENT_BX    40
#define AGENT_R11   48
#define AGENT_R10   56
#define AGENT_R9    64
#define AGENT_R8    72
#define AGENT_AX    80
#define AGENT_CX    88
#define AGENT_DX    96
#define AGENT_SI    104
#define AGENT_DI    112
#define AGENT_FLAGS 144
#define AGENT_SP    152

/* Where the fast path finds struct agent_control: the address of rt_control.agent. */
#define AGENT_CONTROL_POINTER 0x7e80100000c0

/* What the stub steps over before it calls: the red zone of the System V ABI. */
#define AGENT_RED_ZONE 128

#ifndef __ASSEMBLER__

#include "rt/arena.h"
#include "rt/event.h"

struct agent_area {
	u32 owner;   /* 0: free */
	u32 pending; /* a signal was put off; saved_mask holds the thread's mask */
	u64 target;  /* where the thread goes on */
	u64 saved_mask;
	u32 draining;
	u32 sigmask_state; /* enum agent_sigmask_state */
	u32 came_late;	   /* a signal was put off just before the mask was changed */
	u32 unused;
	u64 reserved[3];
	struct rt_pt_regs regs;
	u8 stack[AGENT_AREA_SIZE - AGENT_AREA_REGS - sizeof(struct rt_pt_regs)];
};

_Static_assert(sizeof(struct agent_area) == AGENT_AREA_SIZE, "area");
_Static_assert(offsetof(struct agent_area, regs) == AGENT_AREA_REGS, "area");
_Static_assert(offsetof(struct rt_pt_regs, flags) == AGENT_FLAGS, "regs");
_Static_assert(offsetof(struct rt_pt_regs, sp) == AGENT_SP, "regs");
_Static_assert(offsetof(struct rt_pt_regs, di) == AGENT_DI, "regs");

_Static_assert(offsetof(struct rt_control, agent) + RT_CONTROL_BASE == AGENT_CONTROL_POINTER,
	       "control");

#define AGENT_AREA_AT(i)                                              \
	((struct agent_area *)(RT_PRIVATE_BASE + AGENT_AREAS_OFFSET + \
			       ((u64)(i) << AGENT_AREA_SHIFT)))

#endif

#endif
