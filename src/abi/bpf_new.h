/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What Linux 6.18's <linux/bpf.h> has and Debian 12's (6.1) has not: the whole union bpf_attr as
 * union abi_attr, two info structures, and constants. Layouts are checked against the running
 * kernel's BTF by a unit test.
 */
#ifndef SKEP_ABI_BPF_NEW_H
#define SKEP_ABI_BPF_NEW_H

#include <linux/bpf.h>
#include "base/types.h"

#define ABI_ENOTSUPP 524 /* the kernel's own ENOTSUPP, which reaches clients of bpf(2) */

/* enum bpf_cmd after BPF_PROG_BIND_MAP */
#define ABI_TOKEN_CREATE	   36
#define ABI_PROG_STREAM_READ_BY_FD 37

#define ABI_MAP_TYPE_CGRP_STORAGE 32
#define ABI_MAP_TYPE_ARENA	  33

/* enum bpf_func_id after user_ringbuf_drain */
#define ABI_FUNC_cgrp_storage_get    210
#define ABI_FUNC_cgrp_storage_delete 211
#define ABI_PROG_TYPE_NETFILTER	     32

/* enum bpf_attach_type after BPF_LSM_CGROUP */
#define ABI_STRUCT_OPS		    44
#define ABI_NETFILTER		    45
#define ABI_TCX_INGRESS		    46
#define ABI_TCX_EGRESS		    47
#define ABI_TRACE_UPROBE_MULTI	    48
#define ABI_CGROUP_UNIX_CONNECT	    49
#define ABI_CGROUP_UNIX_SENDMSG	    50
#define ABI_CGROUP_UNIX_RECVMSG	    51
#define ABI_CGROUP_UNIX_GETPEERNAME 52
#define ABI_CGROUP_UNIX_GETSOCKNAME 53
#define ABI_NETKIT_PRIMARY	    54
#define ABI_NETKIT_PEER		    55
#define ABI_TRACE_KPROBE_SESSION    56
#define ABI_TRACE_UPROBE_SESSION    57

/* map_flags, file_flags, prog_flags, attach_flags */
#define ABI_F_PATH_FD		  (1u << 14)
#define ABI_F_VTYPE_BTF_OBJ_FD	  (1u << 15)
#define ABI_F_TOKEN_FD		  (1u << 16)
#define ABI_F_SEGV_ON_FAULT	  (1u << 17)
#define ABI_F_NO_USER_CONV	  (1u << 18)
#define ABI_F_XDP_DEV_BOUND_ONLY  (1u << 6)
#define ABI_F_TEST_REG_INVARIANTS (1u << 7)
#define ABI_F_ATTACH_BEFORE	  (1u << 3)
#define ABI_F_ATTACH_AFTER	  (1u << 4)
#define ABI_F_ATTACH_ID		  (1u << 5)
#define ABI_F_ATTACH_PREORDER	  (1u << 6)
#define ABI_F_ATTACH_LINK	  (1u << 13)
#define ABI_F_LINK		  (1u << 13)

#define ABI_F_NETFILTER_IP_DEFRAG (1u << 0)

/* enum bpf_link_type after BPF_LINK_TYPE_KPROBE_MULTI */
#define ABI_LINK_TYPE_STRUCT_OPS 9

/* enum bpf_perf_event_type */
#define ABI_PERF_EVENT_TRACEPOINT 5
#define ABI_PERF_EVENT_EVENT	  6

/* bits of log_level (include/linux/bpf_verifier.h) */
#define ABI_LOG_LEVEL1 1u
#define ABI_LOG_LEVEL2 2u
#define ABI_LOG_STATS  4u
#define ABI_LOG_FIXED  8u
#define ABI_LOG_MASK   15u

#define ABI_INSNS_MAX 1000000u /* BPF_COMPLEXITY_LIMIT_INSNS */

typedef __aligned_u64 abi_u64;

union abi_attr {
	struct { /* MAP_CREATE */
		u32 map_type, key_size, value_size, max_entries, map_flags, inner_map_fd, numa_node;
		char map_name[16];
		u32 map_ifindex, btf_fd, btf_key_type_id, btf_value_type_id,
			btf_vmlinux_value_type_id;
		abi_u64 map_extra;
		s32 value_type_btf_obj_fd, map_token_fd;
		abi_u64 excl_prog_hash;
		u32 excl_prog_hash_size;
	};
	struct { /* MAP_*_ELEM, MAP_GET_NEXT_KEY, MAP_FREEZE */
		u32 map_fd;
		abi_u64 key;
		union {
			abi_u64 value, next_key;
		};
		abi_u64 flags;
	} elem;
	struct { /* MAP_*_BATCH */
		abi_u64 in_batch, out_batch, keys, values;
		u32 count, map_fd;
		abi_u64 elem_flags, flags;
	} batch;
	struct { /* PROG_LOAD */
		u32 prog_type, insn_cnt;
		abi_u64 insns, license;
		u32 log_level, log_size;
		abi_u64 log_buf;
		u32 kern_version, prog_flags;
		char prog_name[16];
		u32 prog_ifindex, expected_attach_type, prog_btf_fd, func_info_rec_size;
		abi_u64 func_info;
		u32 func_info_cnt, line_info_rec_size;
		abi_u64 line_info;
		u32 line_info_cnt, attach_btf_id, attach_prog_fd, core_relo_cnt;
		abi_u64 fd_array, core_relos;
		u32 core_relo_rec_size, log_true_size;
		s32 prog_token_fd;
		u32 fd_array_cnt;
		abi_u64 signature;
		u32 signature_size;
		s32 keyring_id;
	} load;
	struct { /* OBJ_PIN, OBJ_GET */
		abi_u64 pathname;
		u32 bpf_fd, file_flags;
		s32 path_fd;
	} pin;
	struct { /* PROG_ATTACH, PROG_DETACH */
		u32 target_fd, attach_bpf_fd, attach_type, attach_flags, replace_bpf_fd,
			relative_fd;
		abi_u64 expected_revision;
	} attach;
	struct { /* PROG_TEST_RUN */
		u32 prog_fd, retval, data_size_in, data_size_out;
		abi_u64 data_in, data_out;
		u32 repeat, duration, ctx_size_in, ctx_size_out;
		abi_u64 ctx_in, ctx_out;
		u32 flags, cpu, batch_size;
	} test;
	struct { /* *_GET_NEXT_ID, *_GET_FD_BY_ID */
		u32 id, next_id, open_flags;
		s32 token_fd;
	} id;
	struct { /* OBJ_GET_INFO_BY_FD */
		u32 bpf_fd, info_len;
		abi_u64 info;
	} info;
	struct { /* PROG_QUERY */
		u32 target_fd, attach_type, query_flags, attach_flags;
		abi_u64 prog_ids;
		u32 count;
		abi_u64 prog_attach_flags, link_ids, link_attach_flags, revision;
	} query;
	struct {
		abi_u64 name;
		u32 prog_fd;
		abi_u64 cookie;
	} raw_tracepoint;
	struct { /* BTF_LOAD */
		abi_u64 btf, log_buf;
		u32 btf_size, log_size, log_level, log_true_size, flags;
		s32 token_fd;
	} btf;
	struct {
		u32 pid, fd, flags, buf_len;
		abi_u64 buf;
		u32 prog_id, fd_type;
		abi_u64 probe_offset, probe_addr;
	} task_fd_query;
	struct {
		u32 prog_fd, target_fd, attach_type, flags;
		union {
			u32 target_btf_id;
			struct {
				abi_u64 iter_info;
				u32 iter_info_len;
			};
			struct {
				abi_u64 bpf_cookie;
			} perf_event;
			struct {
				u32 pf, hooknum;
				s32 priority;
				u32 flags;
			} netfilter;
			struct { /* tcx, netkit, cgroup */
				u32 relative_fd;
				abi_u64 expected_revision;
			} chain;
			struct {
				u32 target_btf_id;
				abi_u64 cookie;
			} tracing;
			struct {
				abi_u64 path, offsets, ref_ctr_offsets, cookies;
				u32 cnt, flags, pid;
			} uprobe_multi;
		};
	} link_create;
	struct {
		u32 link_fd, new_prog_fd, flags, old_prog_fd;
	} link_update;
	struct {
		u32 link_fd;
	} link_detach;
	struct {
		u32 type;
	} enable_stats;
	struct {
		u32 link_fd, flags;
	} iter_create;
	struct {
		u32 prog_fd, map_fd, flags;
	} prog_bind_map;
	struct {
		u32 flags, bpffs_fd;
	} token_create;
	struct {
		abi_u64 stream_buf;
		u32 stream_buf_len, stream_id, prog_fd;
	} prog_stream_read;
};

struct abi_map_info {
	u32 type, id, key_size, value_size, max_entries, map_flags;
	char name[BPF_OBJ_NAME_LEN];
	u32 ifindex, btf_vmlinux_value_type_id;
	abi_u64 netns_dev, netns_ino;
	u32 btf_id, btf_key_type_id, btf_value_type_id, btf_vmlinux_id;
	abi_u64 map_extra, hash;
	u32 hash_size;
};

struct abi_link_info {
	u32 type, id, prog_id;
	union {
		struct {
			abi_u64 tp_name;
			u32 tp_name_len;
			abi_u64 cookie;
		} raw_tracepoint;
		struct {
			u32 type; /* enum bpf_perf_event_type */
			union {
				struct {
					abi_u64 tp_name;
					u32 name_len;
					abi_u64 cookie;
				} tracepoint;
				struct {
					abi_u64 config;
					u32 type;
					abi_u64 cookie;
				} event;
			};
		} perf_event;
		struct {
			abi_u64 target_name;
			u32 target_name_len, map_id;
			u32 tid, pid; /* task; cgroup has an id and an order here */
		} iter;
		struct {
			u32 attach_type, target_obj_id, target_btf_id;
			abi_u64 cookie;
		} tracing;
		struct {
			u32 map_id;
		} struct_ops;
		u8 room[48];
	};
};

#endif
