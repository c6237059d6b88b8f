/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the programs share that do with objects what may not be done (objects_bad_*.bpf.c): each is
 * refused, with the words of the kernel. A few that look alike and may are among them.
 */
#ifndef SKEP_TESTS_OBJECTS_BAD_H
#define SKEP_TESTS_OBJECTS_BAD_H

#include "objects.h"

struct other {
	__u64 key;
	struct bpf_list_node l;
};

/* A program of the kind that may do most. */
#define BAD(name) \
	SEC("tc") \
	int name(struct __sk_buff *skb)
/* An object of the program's own; it is not among the errors that there is none. */
#define NEW(variable, type)                           \
	struct type *variable = OBJ_NEW(struct type); \
	if (!variable)                                \
	return 1
/* The first value of a map. */
#define VALUE(variable, type, map)                                          \
	__u32 key_##variable = 0;                                           \
	struct type *variable = bpf_map_lookup_elem(&map, &key_##variable); \
	if (!variable)                                                      \
	return 2
/* A program of another type that only looks into a map. */
#define FINDS(section, name, map)                             \
	SEC(section)                                          \
	int name(void *ctx)                                   \
	{                                                     \
		__u32 zero = 0;                               \
                                                              \
		return bpf_map_lookup_elem(&map, &zero) != 0; \
	}

#endif
