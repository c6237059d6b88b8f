/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What helper.c and helper_args.c share: the call of a helper that is being checked.
 */
#ifndef SKEP_VERIFY_HELPER_CALL_H
#define SKEP_VERIFY_HELPER_CALL_H

#include "verify/env.h"

struct abi_helper;
struct btf_field;

/* What the arguments told, for the checks after them. */
struct call_meta {
	const struct abi_helper *helper;
	u32 func_id;
	const struct verify_map *map;
	u32 map_uid;
	u32 release_regno, ref_id;
	u32 subprog;	/* callback */
	u32 fill_regno; /* stack memory that the helper fills: pointer and size */
	int fill_size;
	u32 mem_size;			     /* of the memory that it returns */
	u64 size_max;			     /* largest value of the last size argument */
	s64 const_key;			     /* of an array lookup, -1: not known */
	u32 dynptr_regno, dynptr, dynptr_id; /* the initialised dynptr: its kind and id */
	u32 dynptr_ref_id;		     /* and what it holds; not an argument's */
	const struct btf_field *kptr;	     /* bpf_kptr_xchg(): what is exchanged */
};

/* Is its map one of sockets, whose values are not memory? */
static inline bool takes_sockets(const struct call_meta *meta)
{
	return meta->map->type == BPF_MAP_TYPE_SOCKMAP || meta->map->type == BPF_MAP_TYPE_SOCKHASH;
}

/* Does what is in regno fit the helper's prototype? Fills meta with what it tells. 0 or -errno. */
int helper_check_arg(struct verify_env *env, u32 regno, struct call_meta *meta);

#endif
