/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the agent (freestanding, in the traced process) and the supervisor say to each other.
 *
 * The agent calls the supervisor with bpf(2) itself: a command of the range below, issued from the agent's
 * notifying system-call instruction, reaches the supervisor through seccomp like every bpf(2).
 * Both sides check: a traced process can issue any of these by itself, so the supervisor trusts nothing
 * in them and never does more for a caller than that caller could do to itself.
 */
#ifndef SKEP_AGENT_PROTOCOL_H
#define SKEP_AGENT_PROTOCOL_H

#include "base/types.h"

#define AGENT_CMD_BASE 0x534b0000u

enum agent_cmd {
	/* At the exec stop: attr = struct agent_enter. Answers with descriptors of the arena. */
	AGENT_ENTER = AGENT_CMD_BASE,
	/* A file was mapped executable: attr = struct agent_sites. The supervisor scans (cached). */
	AGENT_SITES,
	/* execve returned with an error: the supervisor detaches. */
	AGENT_EXEC_FAILED,
};

struct agent_enter {
	s32 fd_rw; /* out: data; close after mapping */
	s32 fd_ro; /* out: text and control */
};

/* How a system-call site is rewritten. */
enum agent_site_kind {
	AGENT_SITE_JUMP_BEFORE, /* relocate instructions before the syscall, jump there */
	AGENT_SITE_JUMP_AFTER,	/* relocate instructions after the syscall */
	AGENT_SITE_TRAP,	/* int3 over the syscall's first byte */
};

struct agent_site {
	u32 offset;	  /* of the syscall instruction, in the file */
	u8 kind;	  /* enum agent_site_kind */
	u8 before, after; /* bytes relocated on each side */
	u8 flags;
};

struct agent_sites {
	u64 address, length; /* in: the mapping */
	u64 file_offset;     /* in */
	u64 sites;	     /* out: address of struct agent_site[] in the control segment, by offset */
	u32 nr_sites;	     /* out */
	u32 flags;	     /* out: AGENT_MODULE_* */
};

#define AGENT_MODULE_GO 1u /* no red zone, tiny stacks */

#endif
