/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Call slots: memory of the arena through which a process and the supervisor exchange what a call
 * of bpf(2) reads and writes, so that the supervisor copies nothing out of or into that process.
 *
 * The agent lays the attributes and what they point to into a slot, with the addresses where it
 * found them, and calls AGENT_CALL; the supervisor takes a copy, serves the call from it, and lays
 * what it has to write into the slot; the agent puts that where it belongs. The addresses it writes
 * to are those that it read itself, and how much was written is part of the answer, which the
 * kernel passes on: a slot lies in the data segment, where other processes of the hive may write
 * too. They can make values wrong there, nothing else: before the supervisor uses an address that
 * stood in a slot it compares the slot with the memory that it is a copy of (gate/window.h).
 *
 * The agent copies generously, up to the end of a page: how long keys and values are it does not
 * know. What the supervisor misses it fetches itself.
 */
#ifndef SKEP_AGENT_SLOT_H
#define SKEP_AGENT_SLOT_H

#include <linux/bpf.h>
#include "base/types.h"

#define AGENT_SLOTS	       4u /* of a process */
#define AGENT_SLOT_SIZE	       4096u
#define AGENT_SLOT_ATTR	       256u
#define AGENT_SLOT_PIECES      2u
#define AGENT_SLOT_PIECE_ROOM  512u
#define AGENT_SLOT_PIECE_GUESS 64u /* copied of a key, whose size is not known */

/* A copy of memory of the process. */
struct agent_slot_piece {
	u64 address;
	u32 size; /* 0: none */
	u32 unused;
};

struct agent_slot {
	struct agent_slot_piece pieces[AGENT_SLOT_PIECES];
	u64 out; /* where the command writes; 0: nowhere but into its attributes */
	u64 unused;
	u8 attr[AGENT_SLOT_ATTR]; /* as many bytes as the call says */
	u8 bytes[AGENT_SLOT_PIECES][AGENT_SLOT_PIECE_ROOM];
	u8 written[AGENT_SLOT_SIZE - 48 - AGENT_SLOT_ATTR -
		   AGENT_SLOT_PIECES * AGENT_SLOT_PIECE_ROOM]; /* for `out` */
};
_Static_assert(sizeof(struct agent_slot) == AGENT_SLOT_SIZE, "slot");

/* Commands that are called so: short ones, that read and write little. */
static inline bool agent_slot_takes(u32 cmd)
{
	switch (cmd) {
	case BPF_MAP_LOOKUP_ELEM:
	case BPF_MAP_UPDATE_ELEM:
	case BPF_MAP_DELETE_ELEM:
	case BPF_MAP_GET_NEXT_KEY:
	case BPF_MAP_LOOKUP_AND_DELETE_ELEM:
	case BPF_MAP_FREEZE:
	case BPF_PROG_GET_NEXT_ID:
	case BPF_MAP_GET_NEXT_ID:
	case BPF_BTF_GET_NEXT_ID:
	case BPF_LINK_GET_NEXT_ID:
	case BPF_PROG_GET_FD_BY_ID:
	case BPF_MAP_GET_FD_BY_ID:
	case BPF_BTF_GET_FD_BY_ID:
	case BPF_LINK_GET_FD_BY_ID:
	case BPF_OBJ_GET_INFO_BY_FD: return true;
	default: return false;
	}
}

/*
 * The answer to AGENT_CALL: the result, how many bytes of `written` and which of `attr` the process
 * gets. No other answer has these two highest bits: it means that the call was not served.
 */
struct agent_answer {
	s32 result;
	u32 written;	/* below 2^14 */
	u32 attr_first; /* below 2^8 both */
	u32 attr_size;
};

static inline u64 agent_answer_pack(const struct agent_answer *answer)
{
	return 1ull << 62 | (u64)answer->attr_size << 54 | (u64)answer->attr_first << 46 |
	       (u64)answer->written << 32 | (u32)answer->result;
}

static inline bool agent_answer_unpack(u64 word, struct agent_answer *ret_answer)
{
	if (word >> 62 != 1)
		return false;
	ret_answer->result = (s32)(u32)word;
	ret_answer->written = word >> 32 & 0x3fff;
	ret_answer->attr_first = word >> 46 & 0xff;
	ret_answer->attr_size = word >> 54 & 0xff;
	return true;
}

/* The fourth argument of AGENT_CALL: command and number of the slot; the fifth: what the agent says
 * about descriptors (struct agent_fds_head), if it can; the sixth is head.born. */
static inline u64 agent_call_what(u32 cmd, u32 slot)
{
	return (u64)slot << 32 | cmd;
}

#define AGENT_CALL_COUNTED (1ull << 32) /* the low half is head.changes */

#endif
