/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which helper takes maps of which types. A helper with a row takes those of its row; every other
 * takes any map but those that only the rows' helpers may have (check_map_func_compatibility() of
 * kernel/bpf/verifier.c).
 */
#include "verify/map_use.h"

#include <errno.h>

#include "abi/bpf_new.h"

#define MAP(type) (1ull << BPF_MAP_TYPE_##type)

#define PERCPU	 (MAP(PERCPU_ARRAY) | MAP(PERCPU_HASH) | MAP(LRU_PERCPU_HASH))
#define REDIRECT (MAP(DEVMAP) | MAP(DEVMAP_HASH) | MAP(CPUMAP) | MAP(XSKMAP))
#define OF_MAPS	 (MAP(ARRAY_OF_MAPS) | MAP(HASH_OF_MAPS))
#define CGRP	 (1ull << ABI_MAP_TYPE_CGRP_STORAGE)
#define ORDINARY (MAP(HASH) | MAP(ARRAY) | MAP(LRU_HASH) | MAP(LPM_TRIE) | MAP(STRUCT_OPS) | PERCPU)

static const struct {
	u32 func;
	u64 types;
} rows[] = {
	{ BPF_FUNC_tail_call, MAP(PROG_ARRAY) },
	{ BPF_FUNC_perf_event_read, MAP(PERF_EVENT_ARRAY) },
	{ BPF_FUNC_perf_event_output, MAP(PERF_EVENT_ARRAY) },
	{ BPF_FUNC_perf_event_read_value, MAP(PERF_EVENT_ARRAY) },
	{ BPF_FUNC_skb_output, MAP(PERF_EVENT_ARRAY) },
	{ BPF_FUNC_xdp_output, MAP(PERF_EVENT_ARRAY) },
	{ BPF_FUNC_ringbuf_output, MAP(RINGBUF) },
	{ BPF_FUNC_ringbuf_reserve, MAP(RINGBUF) },
	{ BPF_FUNC_ringbuf_query, MAP(RINGBUF) },
	{ BPF_FUNC_ringbuf_reserve_dynptr, MAP(RINGBUF) },
	{ BPF_FUNC_ringbuf_submit_dynptr, MAP(RINGBUF) },
	{ BPF_FUNC_ringbuf_discard_dynptr, MAP(RINGBUF) },
	{ BPF_FUNC_user_ringbuf_drain, MAP(USER_RINGBUF) },
	{ BPF_FUNC_get_stackid, MAP(STACK_TRACE) },
	{ BPF_FUNC_current_task_under_cgroup, MAP(CGROUP_ARRAY) },
	{ BPF_FUNC_skb_under_cgroup, MAP(CGROUP_ARRAY) },
	{ BPF_FUNC_redirect_map, REDIRECT },
	{ BPF_FUNC_sk_redirect_map, MAP(SOCKMAP) },
	{ BPF_FUNC_msg_redirect_map, MAP(SOCKMAP) },
	{ BPF_FUNC_sock_map_update, MAP(SOCKMAP) },
	{ BPF_FUNC_sk_redirect_hash, MAP(SOCKHASH) },
	{ BPF_FUNC_msg_redirect_hash, MAP(SOCKHASH) },
	{ BPF_FUNC_sock_hash_update, MAP(SOCKHASH) },
	{ BPF_FUNC_get_local_storage, MAP(CGROUP_STORAGE) | MAP(PERCPU_CGROUP_STORAGE) },
	{ BPF_FUNC_sk_select_reuseport, MAP(REUSEPORT_SOCKARRAY) | MAP(SOCKMAP) | MAP(SOCKHASH) },
	{ BPF_FUNC_map_pop_elem, MAP(QUEUE) | MAP(STACK) },
	{ BPF_FUNC_map_peek_elem, MAP(QUEUE) | MAP(STACK) | MAP(BLOOM_FILTER) },
	{ BPF_FUNC_map_push_elem, MAP(QUEUE) | MAP(STACK) | MAP(BLOOM_FILTER) },
	{ BPF_FUNC_map_lookup_percpu_elem, PERCPU },
	{ BPF_FUNC_sk_storage_get, MAP(SK_STORAGE) },
	{ BPF_FUNC_sk_storage_delete, MAP(SK_STORAGE) },
	{ BPF_FUNC_inode_storage_get, MAP(INODE_STORAGE) },
	{ BPF_FUNC_inode_storage_delete, MAP(INODE_STORAGE) },
	{ BPF_FUNC_task_storage_get, MAP(TASK_STORAGE) },
	{ BPF_FUNC_task_storage_delete, MAP(TASK_STORAGE) },
	{ ABI_FUNC_cgrp_storage_get, CGRP },
	{ ABI_FUNC_cgrp_storage_delete, CGRP },
	{ BPF_FUNC_map_lookup_elem, ORDINARY | OF_MAPS | MAP(DEVMAP) | MAP(DEVMAP_HASH) |
					    MAP(XSKMAP) | MAP(SOCKMAP) | MAP(SOCKHASH) },
	{ BPF_FUNC_kptr_xchg,
	  ORDINARY | MAP(SK_STORAGE) | MAP(INODE_STORAGE) | MAP(TASK_STORAGE) | CGRP },
};

static bool takes(u32 func_id, u32 map_type)
{
	u64 types = ORDINARY;

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].func == func_id)
			types = rows[i].types;
	return map_type < 64 && types >> map_type & 1;
}

/*
 * Programs that may give sockets to maps of sockets and take them away: none that could have been
 * called with the socket's lock held.
 */
static bool may_update_sockets(const struct verify_env *env, u32 func_id)
{
	if (func_id != BPF_FUNC_map_update_elem && func_id != BPF_FUNC_map_delete_elem)
		return false;
	switch (env->input->prog_type) {
	case BPF_PROG_TYPE_TRACING: return env->input->expected_attach_type == BPF_TRACE_ITER;
	case BPF_PROG_TYPE_SOCK_OPS: return func_id == BPF_FUNC_map_delete_elem;
	case BPF_PROG_TYPE_SOCKET_FILTER:
	case BPF_PROG_TYPE_SCHED_CLS:
	case BPF_PROG_TYPE_SCHED_ACT:
	case BPF_PROG_TYPE_XDP:
	case BPF_PROG_TYPE_SK_REUSEPORT:
	case BPF_PROG_TYPE_FLOW_DISSECTOR:
	case BPF_PROG_TYPE_SK_LOOKUP: return true;
	default: return false;
	}
}

int check_map_use(struct verify_env *env, const struct verify_map *map, const char *name,
		  u32 func_id)
{
	if (!map || takes(func_id, map->type))
		return 0;
	if ((map->type == BPF_MAP_TYPE_SOCKMAP || map->type == BPF_MAP_TYPE_SOCKHASH) &&
	    may_update_sockets(env, func_id))
		return 0;
	if ((map->type == BPF_MAP_TYPE_SOCKMAP || map->type == BPF_MAP_TYPE_SOCKHASH) &&
	    (func_id == BPF_FUNC_map_update_elem || func_id == BPF_FUNC_map_delete_elem))
		verbose(env, "cannot update sockmap in this context\n");
	verbose(env, "cannot pass map_type %u into func bpf_%s#%u\n", map->type, name, func_id);
	return -EINVAL;
}
