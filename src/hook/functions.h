/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the code of an ELF file lies and where its functions begin: what the scanner needs to
 * decode with certainty. Symbols, unwind tables and Go's own table each know a part. The bytes are
 * untrusted: every offset is checked against the file, and a table that makes no sense is a table
 * that is not there.
 */
#ifndef SKEP_HOOK_FUNCTIONS_H
#define SKEP_HOOK_FUNCTIONS_H

#include "base/types.h"

#define FUNCTIONS_SEGMENTS_MAX 16

/* An executable part of the file; its address minus its offset is constant in it. */
struct segment {
	u64 offset, address, size;
};

struct function {
	u64 address;
	bool left_alone; /* its library compares program counters with its sites */
};

struct functions {
	const u8 *bytes;
	u64 size;
	struct segment segments[FUNCTIONS_SEGMENTS_MAX];
	u32 nr_segments;
	struct function *list; /* by address */
	u32 nr, capacity;
	u64 go_start, go_end; /* addresses of Go's own code; 0, 0: none */
};

/* Fills a zeroed structure whose bytes and size are set. 0, -ENOEXEC or -ENOMEM. */
int functions_read(struct functions *functions);
void functions_done(struct functions *functions);

/* Index of the function at or before address; nr when there is none. */
u32 functions_before(const struct functions *functions, u64 address);

#endif
