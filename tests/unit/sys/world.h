/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A place where bpf(2) can be called: the running kernel, or src/sys over an arena of this process,
 * driven by a client that lives in this same process (its memory is ours, its descriptors are a
 * table). The same sequences of calls go to both, so that what skep answers can be held against
 * what the kernel answers.
 */
#ifndef SKEP_TESTS_WORLD_H
#define SKEP_TESTS_WORLD_H

#include "abi/attr.h"
#include "object/object.h"
#include "sys/sys.h"

struct blob; /* ../btf/blob.h */

struct world {
	const char *name;
	bool kernel;
	/* bpf(2); a result below 0 is -errno. */
	long (*bpf)(struct world *world, u32 cmd, const void *attr, u32 size);
	int (*close)(struct world *world, int fd);
	/* A software perf event that takes BPF output; its descriptor. */
	int (*perf_open)(struct world *world);
	/* A descriptor of such a place; -ENOENT if there is none here. */
	int (*place_open)(struct world *world, enum sys_place place);
	/* A descriptor for a file of this process, which the world takes over. */
	int (*take)(struct world *world, int file);
};

/* NULL if bpf(2) may not be used here. */
struct world *world_kernel(void);

/* Ends the test program if there can be no arena. One a process. */
struct world *world_skep(void);
/* Frees everything; the number of objects that were left. */
u32 world_skep_free(struct world *world);

/* Of the skep world only: what a test changes about its client, and what it looks at. */
struct sys_hive *world_hive(struct world *world);
struct sys_client *world_client(struct world *world);
const char *world_last_message(struct world *world);	  /* "" if none since the last look */
struct object *world_object(struct world *world, int fd); /* borrowed */
/* From now on the client has this memory and no other. */
void world_limit(struct world *world, const void *memory, u64 size);
/* Descriptors below are files of other kinds; 3 if nothing is said. */
void world_first_fd(struct world *world, int fd);
/* Descriptors from here on are what they are in this process. */
void world_last_fd(struct world *world, int fd);
/* Perf events take programs of this type; tracepoint if nothing is said. */
void world_perf_type(struct world *world, u32 type);
void world_unpin(struct world *world); /* all */

/* A descriptor of a file of another kind, in either world. */
int world_foreign(struct world *world);

/* As the world's take(); file may be -1. */
int world_take(struct world *world, int file);

/* A call with a whole union abi_attr; writes back what the callee wrote. */
long world_call(struct world *world, u32 cmd, union abi_attr *attr);

/* read(2) of an iterator. */
long world_read(struct world *world, int fd, void *buffer, u64 size);

/* PROG_LOAD of a program under the GPL. */
union abi_attr world_prog_attr(u32 type, const struct bpf_insn *insns, u32 nr);

/* Shorthands that most tests need; descriptors or -errno. */
int world_map(struct world *world, u32 type, u32 key_size, u32 value_size, u32 max_entries,
	      u32 flags);
int world_prog(struct world *world, u32 type, const struct bpf_insn *insns, u32 nr);
int world_prog_for(struct world *world, u32 type, u32 attach_type, const struct bpf_insn *insns,
		   u32 nr);
int world_btf(struct world *world, const struct blob *blob);
long world_update(struct world *world, int map, const void *key, const void *value, u64 flags);
long world_lookup(struct world *world, int map, const void *key, void *value);
long world_delete(struct world *world, int map, const void *key);

#endif
