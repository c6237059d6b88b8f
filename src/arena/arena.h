/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control plane's side of the arena: makes the memfd, maps it at its fixed address in the
 * supervisor, loads the data-plane image into text, and hands out memory of the control and data
 * segments. The allocator's own bookkeeping lies in ordinary memory of the supervisor, out of reach
 * of traced processes.
 *
 * One arena a process: the address is fixed.
 */
#ifndef SKEP_ARENA_ARENA_H
#define SKEP_ARENA_ARENA_H

#include "base/types.h"
#include "rt/arena.h"

struct arena;

struct arena_options {
	u32 nr_vcpus;		/* 0: possible CPUs of the machine */
	u64 data_size;		/* 0: RT_DATA_SIZE, or what RLIMIT_AS and RLIMIT_FSIZE leave */
	const char *image_path; /* NULL: the image linked into this program */
};

enum arena_segment { ARENA_TEXT, ARENA_CONTROL, ARENA_DATA };

/* 0 or -errno; on failure *ret_message (static text) says what could not be done and what to do. */
int arena_new(const struct arena_options *options, struct arena **ret_arena,
	      const char **ret_message);

/* Unmaps and closes. Takes NULL. Returns NULL. */
struct arena *arena_free(struct arena *arena);

/*
 * Zeroed memory from a segment: align is a power of two, at most a page; sizes of a page and more
 * are page-aligned. NULL when the segment is full. For ARENA_TEXT the returned address is the
 * executable one; write through arena_text_alias().
 */
void *arena_alloc(struct arena *arena, enum arena_segment segment, u64 size, u32 align);

/* Gives memory back, and its pages to the system. size is the one it was allocated with. */
void arena_release(struct arena *arena, enum arena_segment segment, void *memory, u64 size);

/* The writable alias of an address in text; NULL if it is not in text. */
void *arena_text_alias(struct arena *arena, const void *text);

/* Borrowed file descriptors: read-write, and a read-only description for text and control. */
int arena_fd(const struct arena *arena);
int arena_fd_read_only(const struct arena *arena);

/* Address of a symbol of the data-plane image in text; 0 if there is none of that name. */
u64 arena_image_symbol(const struct arena *arena, const char *name);

#endif
