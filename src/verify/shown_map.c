/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls of helpers on a map that is the same on all paths: lookups are inlined, everything else
 * calls the map type's own function.
 */
#include "verify/shown.h"

#include "abi/bpf_new.h"
#include "abi/ksym.h"

#define R0 BPF_REG_0
#define R1 BPF_REG_1
#define R2 BPF_REG_2

#define LDX(size)   (BPF_LDX | BPF_MEM | (size))
#define ADD_K	    (BPF_ALU64 | BPF_ADD | BPF_K)
#define ADD_X	    (BPF_ALU64 | BPF_ADD | BPF_X)
#define JUMP(op)    (BPF_JMP | (op) | BPF_K)
#define MOV_K	    (BPF_ALU64 | BPF_MOV | BPF_K)
#define MOV_X	    (BPF_ALU64 | BPF_MOV | BPF_X)
#define CALL	    (BPF_JMP | BPF_CALL)
#define PERCPU_ADDR (-1) /* offset of a move that adds this CPU's base */

static const struct {
	u32 type, func_id;
	const char *name;
} functions[] = {
	{ BPF_MAP_TYPE_HASH, BPF_FUNC_map_update_elem, "htab_map_update_elem" },
	{ BPF_MAP_TYPE_HASH, BPF_FUNC_map_delete_elem, "htab_map_delete_elem" },
	{ BPF_MAP_TYPE_HASH, BPF_FUNC_for_each_map_elem, "bpf_for_each_hash_elem" },
	{ BPF_MAP_TYPE_LRU_HASH, BPF_FUNC_map_update_elem, "htab_lru_map_update_elem" },
	{ BPF_MAP_TYPE_LRU_HASH, BPF_FUNC_map_delete_elem, "htab_lru_map_delete_elem" },
	{ BPF_MAP_TYPE_LRU_HASH, BPF_FUNC_for_each_map_elem, "bpf_for_each_hash_elem" },
	{ BPF_MAP_TYPE_PERCPU_HASH, BPF_FUNC_map_update_elem, "htab_percpu_map_update_elem" },
	{ BPF_MAP_TYPE_PERCPU_HASH, BPF_FUNC_map_delete_elem, "htab_map_delete_elem" },
	{ BPF_MAP_TYPE_PERCPU_HASH, BPF_FUNC_for_each_map_elem, "bpf_for_each_hash_elem" },
	{ BPF_MAP_TYPE_PERCPU_HASH, BPF_FUNC_map_lookup_percpu_elem,
	  "htab_percpu_map_lookup_percpu_elem" },
	{ BPF_MAP_TYPE_LRU_PERCPU_HASH, BPF_FUNC_map_lookup_elem,
	  "htab_lru_percpu_map_lookup_elem" },
	{ BPF_MAP_TYPE_LRU_PERCPU_HASH, BPF_FUNC_map_update_elem,
	  "htab_lru_percpu_map_update_elem" },
	{ BPF_MAP_TYPE_LRU_PERCPU_HASH, BPF_FUNC_map_delete_elem, "htab_lru_map_delete_elem" },
	{ BPF_MAP_TYPE_LRU_PERCPU_HASH, BPF_FUNC_for_each_map_elem, "bpf_for_each_hash_elem" },
	{ BPF_MAP_TYPE_LRU_PERCPU_HASH, BPF_FUNC_map_lookup_percpu_elem,
	  "htab_lru_percpu_map_lookup_percpu_elem" },
	{ BPF_MAP_TYPE_ARRAY, BPF_FUNC_map_lookup_elem, "array_map_lookup_elem" },
	{ BPF_MAP_TYPE_ARRAY, BPF_FUNC_map_update_elem, "array_map_update_elem" },
	{ BPF_MAP_TYPE_ARRAY, BPF_FUNC_map_delete_elem, "array_map_delete_elem" },
	{ BPF_MAP_TYPE_ARRAY, BPF_FUNC_for_each_map_elem, "bpf_for_each_array_elem" },
	{ BPF_MAP_TYPE_PERCPU_ARRAY, BPF_FUNC_map_lookup_elem, "percpu_array_map_lookup_elem" },
	{ BPF_MAP_TYPE_PERCPU_ARRAY, BPF_FUNC_map_update_elem, "array_map_update_elem" },
	{ BPF_MAP_TYPE_PERCPU_ARRAY, BPF_FUNC_map_delete_elem, "array_map_delete_elem" },
	{ BPF_MAP_TYPE_PERCPU_ARRAY, BPF_FUNC_for_each_map_elem, "bpf_for_each_array_elem" },
	{ BPF_MAP_TYPE_PERCPU_ARRAY, BPF_FUNC_map_lookup_percpu_elem,
	  "percpu_array_map_lookup_percpu_elem" },
	{ BPF_MAP_TYPE_LPM_TRIE, BPF_FUNC_map_lookup_elem, "trie_lookup_elem" },
	{ BPF_MAP_TYPE_LPM_TRIE, BPF_FUNC_map_update_elem, "trie_update_elem" },
	{ BPF_MAP_TYPE_LPM_TRIE, BPF_FUNC_map_delete_elem, "trie_delete_elem" },
	{ BPF_MAP_TYPE_QUEUE, BPF_FUNC_map_push_elem, "queue_stack_map_push_elem" },
	{ BPF_MAP_TYPE_QUEUE, BPF_FUNC_map_peek_elem, "queue_map_peek_elem" },
	{ BPF_MAP_TYPE_QUEUE, BPF_FUNC_map_pop_elem, "queue_map_pop_elem" },
	{ BPF_MAP_TYPE_STACK, BPF_FUNC_map_push_elem, "queue_stack_map_push_elem" },
	{ BPF_MAP_TYPE_STACK, BPF_FUNC_map_peek_elem, "stack_map_peek_elem" },
	{ BPF_MAP_TYPE_STACK, BPF_FUNC_map_pop_elem, "stack_map_pop_elem" },
	{ BPF_MAP_TYPE_BLOOM_FILTER, BPF_FUNC_map_push_elem, "bloom_map_push_elem" },
	{ BPF_MAP_TYPE_BLOOM_FILTER, BPF_FUNC_map_peek_elem, "bloom_map_peek_elem" },
	{ BPF_MAP_TYPE_DEVMAP, BPF_FUNC_map_lookup_elem, "dev_map_lookup_elem" },
	{ BPF_MAP_TYPE_DEVMAP, BPF_FUNC_redirect_map, "dev_map_redirect" },
	{ BPF_MAP_TYPE_DEVMAP_HASH, BPF_FUNC_map_lookup_elem, "dev_map_hash_lookup_elem" },
	{ BPF_MAP_TYPE_DEVMAP_HASH, BPF_FUNC_redirect_map, "dev_hash_map_redirect" },
	{ BPF_MAP_TYPE_CPUMAP, BPF_FUNC_redirect_map, "cpu_map_redirect" },
	{ BPF_MAP_TYPE_XSKMAP, BPF_FUNC_redirect_map, "xsk_map_redirect" },
	{ BPF_MAP_TYPE_SOCKMAP, BPF_FUNC_map_lookup_elem, "sock_map_lookup" },
	{ BPF_MAP_TYPE_SOCKHASH, BPF_FUNC_map_lookup_elem, "sock_hash_lookup" },
};

static u32 log2_of(u32 n)
{
	return 31 - (u32)__builtin_clz(n);
}

/* The index in range, times the size of an element. */
static void scale(struct shown_patch *patch, const struct verify_map *map, u32 size, s32 beyond)
{
	shown_add(patch, LDX(BPF_W), R0, R2, 0, 0);
	shown_add(patch, JUMP(BPF_JGE), R0, 0, beyond, (s32)map->max_entries);
	if (size & (size - 1))
		shown_add(patch, BPF_ALU64 | BPF_MUL | BPF_K, R0, 0, 0, (s32)size);
	else
		shown_add(patch, BPF_ALU64 | BPF_LSH | BPF_K, R0, 0, 0, (s32)log2_of(size));
}

static void or_null(struct shown_patch *patch)
{
	shown_add(patch, BPF_JMP | BPF_JA, 0, 0, 1, 0);
	shown_add(patch, MOV_K, R0, 0, 0, 0);
}

static void array(const struct verify_map *map, struct shown_patch *patch)
{
	bool of_maps = map->type == BPF_MAP_TYPE_ARRAY_OF_MAPS;
	u32 size = of_maps ? 8 : (u32)ALIGN_UP(map->value_size, 8u);

	/* A map whose size may be another's than the one it was verified with. */
	if (map->flags & BPF_F_INNER_MAP)
		return;
	shown_add_at(patch, ADD_K, R1, 0, 0, SHOWN_ARRAY_VALUE);
	scale(patch, map, size, of_maps ? 5 : 3);
	shown_add(patch, ADD_X, R0, R1, 0, 0);
	if (of_maps) {
		shown_add(patch, LDX(BPF_DW), R0, R0, 0, 0);
		shown_add(patch, JUMP(BPF_JEQ), R0, 0, 1, 0);
	}
	or_null(patch);
}

static void percpu_array(const struct verify_map *map, struct shown_patch *patch)
{
	if (map->flags & BPF_F_INNER_MAP)
		return;
	shown_add_at(patch, ADD_K, R1, 0, 0, SHOWN_ARRAY_POINTERS);
	scale(patch, map, 8, 5);
	shown_add(patch, ADD_X, R0, R1, 0, 0);
	shown_add(patch, LDX(BPF_DW), R0, R0, 0, 0);
	shown_add(patch, MOV_X, R0, R0, PERCPU_ADDR, 0);
	or_null(patch);
}

static void hash(const struct verify_map *map, struct shown_patch *patch)
{
	bool lru = map->type == BPF_MAP_TYPE_LRU_HASH, cpus = map->type == BPF_MAP_TYPE_PERCPU_HASH,
	     of_maps = map->type == BPF_MAP_TYPE_HASH_OF_MAPS;

	shown_add(patch, CALL, 0, 0, 0, abi_ksym_call("__htab_map_lookup_elem"));
	shown_add(patch, JUMP(BPF_JEQ), R0, 0, lru ? 4 : cpus ? 3 : of_maps ? 2 : 1, 0);
	if (lru) {
		shown_add_at(patch, LDX(BPF_B), R1, R0, 0, SHOWN_LRU_REF);
		shown_add(patch, JUMP(BPF_JNE), R1, 0, 1, 0);
		shown_add_at(patch, BPF_ST | BPF_MEM | BPF_B, R0, 0, 1, SHOWN_LRU_REF);
	}
	shown_add_at(patch, ADD_K, R0, 0, (s32)ALIGN_UP(map->key_size, 8u), SHOWN_HASH_KEY);
	if (cpus || of_maps)
		shown_add(patch, LDX(BPF_DW), R0, R0, 0, 0);
	if (cpus)
		shown_add(patch, MOV_X, R0, R0, PERCPU_ADDR, 0);
}

static void sockets(const struct verify_map *map, struct shown_patch *patch)
{
	scale(patch, map, 8, 5);
	shown_add_at(patch, ADD_K, R1, 0, 0, SHOWN_XSK_ENTRIES);
	shown_add(patch, ADD_X, R0, R1, 0, 0);
	shown_add(patch, LDX(BPF_DW), R0, R0, 0, 0);
	or_null(patch);
}

static void lookup(const struct verify_map *map, struct shown_patch *patch)
{
	switch (map->type) {
	case BPF_MAP_TYPE_ARRAY:
	case BPF_MAP_TYPE_ARRAY_OF_MAPS: array(map, patch); break;
	case BPF_MAP_TYPE_PERCPU_ARRAY: percpu_array(map, patch); break;
	case BPF_MAP_TYPE_HASH:
	case BPF_MAP_TYPE_LRU_HASH:
	case BPF_MAP_TYPE_PERCPU_HASH:
	case BPF_MAP_TYPE_HASH_OF_MAPS: hash(map, patch); break;
	case BPF_MAP_TYPE_XSKMAP: sockets(map, patch); break;
	}
}

void shown_map_call(const struct verify_env *env, u32 i, struct shown_patch *patch)
{
	const struct verify_map *map = env->aux[i].map;
	u32 func_id = (u32)env->insns[i].imm;

	if (!map || env->aux[i].map_poisoned)
		return;
	if (func_id == BPF_FUNC_map_lookup_elem)
		lookup(map, patch);
	for (u32 f = 0; !patch->nr && f < ARRAY_SIZE(functions); f++)
		if (functions[f].type == map->type && functions[f].func_id == func_id)
			shown_add(patch, CALL, 0, 0, 0, abi_ksym_call(functions[f].name));
}
