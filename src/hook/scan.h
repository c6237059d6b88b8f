/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds the system-call instructions of an ELF file and how each can be rewritten. Works on
 * untrusted bytes; when a piece of code cannot be decoded with certainty its sites are trapped or
 * left alone, never guessed at.
 */
#ifndef SKEP_HOOK_SCAN_H
#define SKEP_HOOK_SCAN_H

#include "agent/protocol.h"

struct scan_result {
	struct agent_site *sites; /* by offset; base_free() it */
	u32 nr_sites;
	u32 skipped; /* left to the notifier */
};

/*
 * bytes[0..size) is a whole ELF file, or, for the vDSO, its memory image (whose file and memory
 * offsets are the same). 0 or -ENOEXEC (not an x86-64 ELF file) or -ENOMEM. Offsets beyond 4 GiB
 * are left out.
 */
int scan_elf(const u8 *bytes, u64 size, struct scan_result *ret_result);

#endif
