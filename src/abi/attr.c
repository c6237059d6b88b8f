/* SPDX-License-Identifier: BSD-2-Clause */
/* See attr.h: one row a command. */
#include "abi/attr.h"

#define END(field)	 (offsetof(union abi_attr, field) + sizeof(((union abi_attr *)0)->field))
#define ROW(name, field) [BPF_##name] = { #name, END(field) }
#define NEW(name, field) [ABI_##name] = { #name, END(field) }

static const struct abi_command commands[] = {
	ROW(MAP_CREATE, excl_prog_hash_size),
	ROW(MAP_LOOKUP_ELEM, elem.flags),
	ROW(MAP_UPDATE_ELEM, elem.flags),
	ROW(MAP_DELETE_ELEM, elem.key),
	ROW(MAP_GET_NEXT_KEY, elem.next_key),
	ROW(PROG_LOAD, load.keyring_id),
	ROW(OBJ_PIN, pin.path_fd),
	ROW(OBJ_GET, pin.path_fd),
	ROW(PROG_ATTACH, attach.expected_revision),
	ROW(PROG_DETACH, attach.expected_revision),
	ROW(PROG_TEST_RUN, test.batch_size),
	ROW(PROG_GET_NEXT_ID, id.next_id),
	ROW(MAP_GET_NEXT_ID, id.next_id),
	ROW(PROG_GET_FD_BY_ID, id.id),
	ROW(MAP_GET_FD_BY_ID, id.open_flags),
	ROW(OBJ_GET_INFO_BY_FD, info.info),
	ROW(PROG_QUERY, query.revision),
	ROW(RAW_TRACEPOINT_OPEN, raw_tracepoint.cookie),
	ROW(BTF_LOAD, btf.token_fd),
	ROW(BTF_GET_FD_BY_ID, id.token_fd),
	ROW(TASK_FD_QUERY, task_fd_query.probe_addr),
	ROW(MAP_LOOKUP_AND_DELETE_ELEM, elem.flags),
	ROW(MAP_FREEZE, elem.map_fd),
	ROW(BTF_GET_NEXT_ID, id.next_id),
	ROW(MAP_LOOKUP_BATCH, batch.flags),
	ROW(MAP_LOOKUP_AND_DELETE_BATCH, batch.flags),
	ROW(MAP_UPDATE_BATCH, batch.flags),
	ROW(MAP_DELETE_BATCH, batch.flags),
	ROW(LINK_CREATE, link_create.uprobe_multi.pid),
	ROW(LINK_UPDATE, link_update.old_prog_fd),
	ROW(LINK_GET_FD_BY_ID, id.id),
	ROW(LINK_GET_NEXT_ID, id.next_id),
	ROW(ENABLE_STATS, enable_stats.type),
	ROW(ITER_CREATE, iter_create.flags),
	ROW(LINK_DETACH, link_detach.link_fd),
	ROW(PROG_BIND_MAP, prog_bind_map.flags),
	NEW(TOKEN_CREATE, token_create.bpffs_fd),
	NEW(PROG_STREAM_READ_BY_FD, prog_stream_read.prog_fd),
};

/* As bpftool prints them. */
static const char *const prog_types[] = {
	"unspec",
	"socket_filter",
	"kprobe",
	"sched_cls",
	"sched_act",
	"tracepoint",
	"xdp",
	"perf_event",
	"cgroup_skb",
	"cgroup_sock",
	"lwt_in",
	"lwt_out",
	"lwt_xmit",
	"sock_ops",
	"sk_skb",
	"cgroup_device",
	"sk_msg",
	"raw_tracepoint",
	"cgroup_sock_addr",
	"lwt_seg6local",
	"lirc_mode2",
	"sk_reuseport",
	"flow_dissector",
	"cgroup_sysctl",
	"raw_tracepoint_writable",
	"cgroup_sockopt",
	"tracing",
	"struct_ops",
	"ext",
	"lsm",
	"sk_lookup",
	"syscall",
	"netfilter",
};

static const char *const map_types[] = {
	"unspec",
	"hash",
	"array",
	"prog_array",
	"perf_event_array",
	"percpu_hash",
	"percpu_array",
	"stack_trace",
	"cgroup_array",
	"lru_hash",
	"lru_percpu_hash",
	"lpm_trie",
	"array_of_maps",
	"hash_of_maps",
	"devmap",
	"sockmap",
	"cpumap",
	"xskmap",
	"sockhash",
	"cgroup_storage",
	"reuseport_sockarray",
	"percpu_cgroup_storage",
	"queue",
	"stack",
	"sk_storage",
	"devmap_hash",
	"struct_ops",
	"ringbuf",
	"inode_storage",
	"task_storage",
	"bloom_filter",
	"user_ringbuf",
	"cgrp_storage",
	"arena",
};

const struct abi_command *abi_command_find(u32 cmd)
{
	return cmd < ARRAY_SIZE(commands) && commands[cmd].name ? &commands[cmd] : NULL;
}

bool abi_attr_tail_is_zero(u32 cmd, const union abi_attr *attr)
{
	const struct abi_command *command = abi_command_find(cmd);
	const u8 *bytes = (const u8 *)attr;
	u32 i;

	for (i = command ? command->end : 0; i < sizeof(*attr); i++)
		if (bytes[i])
			return false;
	return true;
}

const char *abi_prog_type_name(u32 type)
{
	return type < ARRAY_SIZE(prog_types) ? prog_types[type] : NULL;
}

const char *abi_map_type_name(u32 type)
{
	return type < ARRAY_SIZE(map_types) ? map_types[type] : NULL;
}
