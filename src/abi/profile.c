/* SPDX-License-Identifier: BSD-2-Clause */
/* See profile.h. */
#include "abi/profile.h"

#include <linux/btf.h>
#include <string.h>

#include "abi/attr.h"
#include "abi/bpf_new.h"
#include "abi/helper.h"

#define V ABI_LINUX

static const struct abi_profile profiles[] = {
	{ "5.4", V(5, 4) }, { "5.10", V(5, 10) }, { "5.15", V(5, 15) }, { "6.1", V(6, 1) },
	{ "6.6", V(6, 6) }, { "6.12", V(6, 12) }, { "6.18", V(6, 18) },
};

const struct abi_profile *abi_profile_at(u32 index)
{
	return index < ARRAY_SIZE(profiles) ? &profiles[index] : NULL;
}

const struct abi_profile *abi_profile_find(const char *name)
{
	for (u32 i = 0; i < ARRAY_SIZE(profiles); i++)
		if (!strcmp(profiles[i].name, name))
			return &profiles[i];
	return NULL;
}

/* Enumerations only ever grow at their end: which was the last number that a version had. */
struct step {
	u32 last, version;
};

static u32 since(const struct step *steps, u32 nr, u32 number)
{
	for (u32 i = 0; i < nr; i++)
		if (number <= steps[i].last)
			return steps[i].version;
	return ABI_LINUX_NEVER;
}

#define SINCE(steps, number) since(steps, ARRAY_SIZE(steps), number)

u32 abi_since_command(u32 cmd)
{
	static const struct step steps[] = {
		{ BPF_BTF_GET_NEXT_ID, ABI_LINUX_ALWAYS },
		{ BPF_MAP_DELETE_BATCH, V(5, 6) },
		{ BPF_LINK_UPDATE, V(5, 7) },
		{ BPF_ITER_CREATE, V(5, 8) },
		{ BPF_LINK_DETACH, V(5, 9) },
		{ BPF_PROG_BIND_MAP, V(5, 10) },
		{ ABI_TOKEN_CREATE, V(6, 9) },
		{ ABI_PROG_STREAM_READ_BY_FD, V(6, 17) },
	};

	return SINCE(steps, cmd);
}

#define END(field) (offsetof(union abi_attr, field) + sizeof(((union abi_attr *)0)->field))

/* Before version, the command's fields ended there. The oldest row that fits counts. */
static const struct {
	u32 cmd, version, end;
} shorter[] = {
	{ BPF_MAP_CREATE, V(5, 6), END(btf_value_type_id) },
	{ BPF_MAP_CREATE, V(5, 16), END(btf_vmlinux_value_type_id) },
	{ BPF_MAP_CREATE, V(6, 9), END(map_extra) },
	{ BPF_MAP_CREATE, V(6, 18), END(map_token_fd) },
	{ BPF_PROG_LOAD, V(5, 5), END(load.line_info_cnt) },
	{ BPF_PROG_LOAD, V(5, 14), END(load.attach_prog_fd) },
	{ BPF_PROG_LOAD, V(5, 17), END(load.fd_array) },
	{ BPF_PROG_LOAD, V(6, 4), END(load.core_relo_rec_size) },
	{ BPF_PROG_LOAD, V(6, 9), END(load.log_true_size) },
	{ BPF_PROG_LOAD, V(6, 14), END(load.prog_token_fd) },
	{ BPF_PROG_LOAD, V(6, 18), END(load.fd_array_cnt) },
	{ BPF_OBJ_PIN, V(6, 5), END(pin.file_flags) },
	{ BPF_OBJ_GET, V(6, 5), END(pin.file_flags) },
	{ BPF_PROG_ATTACH, V(5, 6), END(attach.attach_flags) },
	{ BPF_PROG_ATTACH, V(6, 6), END(attach.replace_bpf_fd) },
	{ BPF_PROG_DETACH, V(6, 6), END(attach.attach_type) },
	{ BPF_PROG_QUERY, V(6, 0), END(query.count) },
	{ BPF_PROG_QUERY, V(6, 6), END(query.prog_attach_flags) },
	{ BPF_PROG_TEST_RUN, V(5, 10), END(test.ctx_out) },
	{ BPF_PROG_TEST_RUN, V(5, 18), END(test.cpu) },
	{ BPF_RAW_TRACEPOINT_OPEN, V(6, 10), END(raw_tracepoint.prog_fd) },
	{ BPF_BTF_LOAD, V(6, 4), END(btf.log_level) },
	{ BPF_BTF_LOAD, V(6, 9), END(btf.log_true_size) },
	{ BPF_BTF_GET_FD_BY_ID, V(6, 14), END(id.id) },
	{ BPF_MAP_LOOKUP_AND_DELETE_ELEM, V(5, 14), END(elem.value) },
	{ BPF_LINK_CREATE, V(5, 8), END(link_create.flags) },
	{ BPF_LINK_CREATE, V(5, 15), END(link_create.iter_info_len) },
	{ BPF_LINK_CREATE, V(6, 6), END(link_create.uprobe_multi.cookies) },
};

u32 abi_command_end(u32 cmd, u32 version)
{
	const struct abi_command *command = abi_command_find(cmd);

	if (!command || abi_since_command(cmd) > version)
		return 0;
	for (u32 i = 0; i < ARRAY_SIZE(shorter); i++)
		if (shorter[i].cmd == cmd && version < shorter[i].version)
			return shorter[i].end;
	return command->end;
}

u32 abi_since_map_type(u32 map_type)
{
	static const struct step steps[] = {
		{ BPF_MAP_TYPE_DEVMAP_HASH, ABI_LINUX_ALWAYS },
		{ BPF_MAP_TYPE_STRUCT_OPS, V(5, 6) },
		{ BPF_MAP_TYPE_RINGBUF, V(5, 8) },
		{ BPF_MAP_TYPE_INODE_STORAGE, V(5, 10) },
		{ BPF_MAP_TYPE_TASK_STORAGE, V(5, 11) },
		{ BPF_MAP_TYPE_BLOOM_FILTER, V(5, 16) },
		{ BPF_MAP_TYPE_USER_RINGBUF, V(6, 1) },
		{ ABI_MAP_TYPE_CGRP_STORAGE, V(6, 2) },
		{ ABI_MAP_TYPE_ARENA, V(6, 9) },
	};

	return SINCE(steps, map_type);
}

u32 abi_since_prog_type(u32 prog_type)
{
	static const struct step steps[] = {
		{ BPF_PROG_TYPE_CGROUP_SOCKOPT, ABI_LINUX_ALWAYS },
		{ BPF_PROG_TYPE_TRACING, V(5, 5) },
		{ BPF_PROG_TYPE_EXT, V(5, 6) },
		{ BPF_PROG_TYPE_LSM, V(5, 7) },
		{ BPF_PROG_TYPE_SK_LOOKUP, V(5, 9) },
		{ BPF_PROG_TYPE_SYSCALL, V(5, 14) },
		{ ABI_PROG_TYPE_NETFILTER, V(6, 4) },
	};

	return SINCE(steps, prog_type);
}

u32 abi_since_attach_type(u32 attach_type)
{
	static const struct step steps[] = {
		{ BPF_CGROUP_SETSOCKOPT, ABI_LINUX_ALWAYS },
		{ BPF_TRACE_FEXIT, V(5, 5) },
		{ BPF_LSM_MAC, V(5, 7) },
		{ BPF_XDP_DEVMAP, V(5, 8) },
		{ BPF_XDP, V(5, 9) },
		{ BPF_SK_SKB_VERDICT, V(5, 13) },
		{ BPF_SK_REUSEPORT_SELECT_OR_MIGRATE, V(5, 14) },
		{ BPF_PERF_EVENT, V(5, 15) },
		{ BPF_TRACE_KPROBE_MULTI, V(5, 18) },
		{ BPF_LSM_CGROUP, V(6, 0) },
		{ ABI_NETFILTER, V(6, 4) },
		{ ABI_TRACE_UPROBE_MULTI, V(6, 6) },
		{ ABI_NETKIT_PEER, V(6, 7) },
		{ ABI_TRACE_KPROBE_SESSION, V(6, 10) },
		{ ABI_TRACE_UPROBE_SESSION, V(6, 13) },
	};

	return SINCE(steps, attach_type);
}

u32 abi_since_prog_flag(u32 flag)
{
	static const struct step steps[] = {
		{ BPF_F_TEST_STATE_FREQ, ABI_LINUX_ALWAYS }, { BPF_F_SLEEPABLE, V(5, 10) },
		{ BPF_F_XDP_HAS_FRAGS, V(5, 18) },	     { ABI_F_XDP_DEV_BOUND_ONLY, V(6, 3) },
		{ ABI_F_TEST_REG_INVARIANTS, V(6, 8) },	     { ABI_F_TOKEN_FD, V(6, 9) },
	};

	return SINCE(steps, flag);
}

u32 abi_since_map_flag(u32 flag)
{
	static const struct step steps[] = {
		{ BPF_F_CLONE, ABI_LINUX_ALWAYS },
		{ BPF_F_MMAPABLE, V(5, 5) },
		{ BPF_F_INNER_MAP, V(5, 10) },
		{ ABI_F_ATTACH_LINK, V(6, 4) }, /* in map_flags: BPF_F_LINK */
		{ ABI_F_PATH_FD, V(6, 5) },
		{ 1u << 31, V(6, 9) },
	};

	return SINCE(steps, flag);
}

u32 abi_since_btf_kind(u32 kind)
{
	static const struct step steps[] = {
		{ BTF_KIND_DATASEC, ABI_LINUX_ALWAYS }, { BTF_KIND_FLOAT, V(5, 13) },
		{ BTF_KIND_DECL_TAG, V(5, 16) },	{ BTF_KIND_TYPE_TAG, V(5, 17) },
		{ BTF_KIND_ENUM64, V(6, 0) },
	};

	return SINCE(steps, kind);
}

#define P(type) ABI_PROG(BPF_PROG_TYPE_##type)
#define PACKET_PROGS                                                                               \
	(P(SOCKET_FILTER) | P(SCHED_CLS) | P(SCHED_ACT) | P(XDP) | P(CGROUP_SKB) | P(LWT_IN) |     \
	 P(LWT_OUT) | P(LWT_XMIT) | P(SOCK_OPS) | P(SK_SKB) | P(LWT_SEG6LOCAL) | P(SK_REUSEPORT) | \
	 P(FLOW_DISSECTOR) | P(STRUCT_OPS) | P(SK_LOOKUP) | ABI_PROG(ABI_PROG_TYPE_NETFILTER))
#define CGROUP_PROGS                                                                  \
	(P(CGROUP_SOCK) | P(CGROUP_DEVICE) | P(CGROUP_SOCK_ADDR) | P(CGROUP_SYSCTL) | \
	 P(CGROUP_SOCKOPT))

/* Program types that got a helper later than others did. */
static const struct {
	u16 helper;
	u64 progs;
	u32 version;
} later[] = {
	{ BPF_FUNC_get_current_pid_tgid, PACKET_PROGS, V(6, 10) },
	{ BPF_FUNC_get_current_cgroup_id, PACKET_PROGS, V(6, 10) },
	{ BPF_FUNC_get_current_ancestor_cgroup_id, PACKET_PROGS, V(6, 10) },
	{ BPF_FUNC_current_task_under_cgroup, CGROUP_PROGS, V(6, 12) },
	{ BPF_FUNC_get_ns_current_pid_tgid, PACKET_PROGS | CGROUP_PROGS | P(SK_MSG), V(6, 10) },
	{ BPF_FUNC_get_attach_cookie, P(RAW_TRACEPOINT) | P(RAW_TRACEPOINT_WRITABLE), V(6, 10) },
	{ BPF_FUNC_get_current_uid_gid, PACKET_PROGS, V(6, 16) },
	{ BPF_FUNC_get_current_comm, PACKET_PROGS | P(SK_MSG), V(6, 16) },
	{ BPF_FUNC_current_task_under_cgroup, PACKET_PROGS | P(SK_MSG), V(6, 16) },
	{ BPF_FUNC_get_cgroup_classid,
	  (PACKET_PROGS & ~(P(SCHED_CLS) | P(SCHED_ACT) | P(LWT_IN) | P(LWT_OUT) | P(LWT_XMIT) |
			    P(LWT_SEG6LOCAL))) |
		  P(KPROBE) | P(TRACEPOINT) | P(PERF_EVENT) | P(RAW_TRACEPOINT) |
		  P(RAW_TRACEPOINT_WRITABLE) | P(SYSCALL),
	  V(6, 16) },
	{ BPF_FUNC_perf_event_read, PACKET_PROGS | CGROUP_PROGS | P(SK_MSG), V(6, 16) },
	{ BPF_FUNC_perf_event_read_value, PACKET_PROGS | CGROUP_PROGS | P(SK_MSG), V(6, 16) },
	{ BPF_FUNC_send_signal, PACKET_PROGS | CGROUP_PROGS | P(SK_MSG), V(6, 16) },
	{ BPF_FUNC_send_signal_thread, PACKET_PROGS | CGROUP_PROGS | P(SK_MSG), V(6, 16) },
	{ BPF_FUNC_get_task_stack, PACKET_PROGS | CGROUP_PROGS | P(SK_MSG), V(6, 16) },
	{ BPF_FUNC_copy_from_user, PACKET_PROGS | CGROUP_PROGS | P(SK_MSG), V(6, 16) },
	{ BPF_FUNC_task_storage_get, PACKET_PROGS | CGROUP_PROGS | P(SK_MSG), V(6, 16) },
	{ BPF_FUNC_task_storage_delete, PACKET_PROGS | CGROUP_PROGS | P(SK_MSG), V(6, 16) },
	{ BPF_FUNC_get_branch_snapshot, PACKET_PROGS | CGROUP_PROGS | P(SK_MSG), V(6, 16) },
	{ BPF_FUNC_find_vma, PACKET_PROGS | CGROUP_PROGS | P(SK_MSG), V(6, 16) },
	{ BPF_FUNC_copy_from_user_task, PACKET_PROGS | CGROUP_PROGS | P(SK_MSG), V(6, 16) },
	{ BPF_FUNC_skb_pull_data, P(LWT_SEG6LOCAL), V(6, 16) },
	{ BPF_FUNC_get_netns_cookie, P(SOCKET_FILTER) | P(SCHED_CLS) | P(SCHED_ACT) | P(CGROUP_SKB),
	  V(6, 15) },
};

u32 abi_since_helper(u32 func_id, u32 prog_type)
{
	static const struct step steps[] = {
		{ BPF_FUNC_tcp_gen_syncookie, ABI_LINUX_ALWAYS },
		{ BPF_FUNC_probe_read_kernel_str, V(5, 5) },
		{ BPF_FUNC_jiffies64, V(5, 6) },
		{ BPF_FUNC_sk_assign, V(5, 7) },
		{ BPF_FUNC_csum_level, V(5, 8) },
		{ BPF_FUNC_get_task_stack, V(5, 9) },
		{ BPF_FUNC_redirect_peer, V(5, 10) },
		{ BPF_FUNC_sock_from_file, V(5, 11) },
		{ BPF_FUNC_check_mtu, V(5, 12) },
		{ BPF_FUNC_snprintf, V(5, 13) },
		{ BPF_FUNC_sys_close, V(5, 14) },
		{ BPF_FUNC_task_pt_regs, V(5, 15) },
		{ BPF_FUNC_kallsyms_lookup_name, V(5, 16) },
		{ BPF_FUNC_get_func_arg_cnt, V(5, 17) },
		{ BPF_FUNC_ima_file_hash, V(5, 18) },
		{ BPF_FUNC_dynptr_data, V(5, 19) },
		{ BPF_FUNC_tcp_raw_check_syncookie_ipv6, V(6, 0) },
		{ BPF_FUNC_user_ringbuf_drain, V(6, 1) },
		{ 211, V(6, 2) }, /* cgrp_storage_delete */
	};
	u32 version = SINCE(steps, func_id), type = abi_since_prog_type(prog_type);

	for (u32 i = 0; i < ARRAY_SIZE(later); i++)
		if (later[i].helper == func_id && prog_type < 64 &&
		    later[i].progs & ABI_PROG(prog_type) && later[i].version > version)
			version = later[i].version;
	return version > type ? version : type;
}

/* By their names' beginnings; the first row that fits counts. */
static const struct {
	const char *prefix;
	u32 version;
} kfuncs[] = {
	{ "bpf_arena_reserve_pages", V(6, 17) },
	{ "bpf_arena_", V(6, 9) },
	{ "bpf_cast_to_kern_ctx", V(6, 2) },
	{ "bpf_cgroup_from_id", V(6, 3) },
	{ "bpf_cgroup_read_xattr", V(6, 17) },
	{ "bpf_cgroup_", V(6, 2) },
	{ "bpf_copy_from_user_dynptr", V(6, 16) },
	{ "bpf_copy_from_user_str_dynptr", V(6, 16) },
	{ "bpf_copy_from_user_str", V(6, 12) },
	{ "bpf_copy_from_user_task_str", V(6, 14) },
	{ "bpf_copy_from_user_task_", V(6, 16) },
	{ "bpf_cpumask_populate", V(6, 15) },
	{ "bpf_cpumask_weight", V(6, 8) },
	{ "bpf_cpumask_first_and", V(6, 5) },
	{ "bpf_cpumask_any_", V(6, 5) },
	{ "bpf_cpumask_", V(6, 3) },
	{ "bpf_crypto_", V(6, 10) },
	{ "bpf_dynptr_copy", V(6, 16) },
	{ "bpf_dynptr_memset", V(6, 17) },
	{ "bpf_dynptr_from_skb_meta", V(6, 18) },
	{ "bpf_dynptr_from_", V(6, 4) },
	{ "bpf_dynptr_slice", V(6, 4) },
	{ "bpf_dynptr_", V(6, 5) },
	{ "bpf_get_dentry_xattr", V(6, 12) },
	{ "bpf_get_file_xattr", V(6, 8) },
	{ "bpf_get_task_exe_file", V(6, 12) },
	{ "bpf_get_kmem_cache", V(6, 14) },
	{ "bpf_iter_bits_", V(6, 11) },
	{ "bpf_iter_css_", V(6, 7) },
	{ "bpf_iter_task_", V(6, 7) },
	{ "bpf_iter_num_", V(6, 4) },
	{ "bpf_iter_kmem_cache_", V(6, 14) },
	{ "bpf_iter_", V(6, 17) },
	{ "bpf_key_put", V(6, 1) },
	{ "bpf_lookup_", V(6, 1) },
	{ "bpf_list_front", V(6, 16) },
	{ "bpf_list_back", V(6, 16) },
	{ "bpf_list_", V(6, 2) },
	{ "bpf_local_irq_", V(6, 14) },
	{ "bpf_map_sum_elem_count", V(6, 6) },
	{ "bpf_modify_return_test_tp", V(6, 10) },
	{ "bpf_modify_return_test2", V(6, 4) },
	{ "bpf_obj_", V(6, 2) },
	{ "bpf_path_d_path", V(6, 12) },
	{ "bpf_percpu_obj_", V(6, 7) },
	{ "bpf_preempt_", V(6, 10) },
	{ "bpf_probe_read_", V(6, 16) },
	{ "bpf_put_file", V(6, 12) },
	{ "bpf_rbtree_root", V(6, 16) },
	{ "bpf_rbtree_left", V(6, 16) },
	{ "bpf_rbtree_right", V(6, 16) },
	{ "bpf_rbtree_", V(6, 3) },
	{ "bpf_rcu_read_", V(6, 2) },
	{ "bpf_rdonly_cast", V(6, 2) },
	{ "bpf_refcount_acquire_impl", V(6, 4) },
	{ "bpf_remove_dentry_xattr", V(6, 14) },
	{ "bpf_set_dentry_xattr", V(6, 14) },
	{ "bpf_res_spin_", V(6, 15) },
	{ "bpf_send_signal_task", V(6, 13) },
	{ "bpf_session_", V(6, 10) },
	{ "bpf_sk_assign_tcp_reqsk", V(6, 9) },
	{ "bpf_sock_addr_set_sun_path", V(6, 7) },
	{ "bpf_sock_destroy", V(6, 5) },
	{ "bpf_sock_ops_enable_tx_tstamp", V(6, 15) },
	{ "bpf_strnstr", V(6, 17) },
	{ "bpf_strcasecmp", V(6, 18) },
	{ "bpf_str", V(6, 17) },
	{ "bpf_task_from_vpid", V(6, 14) },
	{ "bpf_task_get_cgroup1", V(6, 8) },
	{ "bpf_task_under_cgroup", V(6, 5) },
	{ "bpf_task_work_", V(6, 18) },
	{ "bpf_task_", V(6, 2) },
	{ "bpf_throw", V(6, 7) },
	{ "bpf_wq_", V(6, 10) },
	{ "bpf_xdp_get_xfrm_state", V(6, 8) },
	{ "bpf_xdp_xfrm_state_release", V(6, 8) },
	{ "bpf_xdp_metadata_rx_vlan_tag", V(6, 8) },
	{ "bpf_xdp_metadata_", V(6, 3) },
	{ "bpf_xdp_pull_data", V(6, 18) },
	{ "__bpf_trap", V(6, 17) },
};

u32 abi_since_kfunc(const char *name)
{
	for (u32 i = 0; i < ARRAY_SIZE(kfuncs); i++)
		if (!strncmp(name, kfuncs[i].prefix, strlen(kfuncs[i].prefix)))
			return kfuncs[i].version;
	return V(5, 13); /* as old as kfuncs are */
}

#define SKB_PROGS                                                                                  \
	(P(SOCKET_FILTER) | P(SCHED_CLS) | P(SCHED_ACT) | P(CGROUP_SKB) | P(LWT_IN) | P(LWT_OUT) | \
	 P(LWT_XMIT) | P(LWT_SEG6LOCAL) | P(SK_SKB) | P(FLOW_DISSECTOR))
#define FIELD(set, struct_name, field, version)                           \
	{                                                                 \
		set, offsetof(struct struct_name, field),                 \
			offsetof(struct struct_name, field) +             \
				sizeof(((struct struct_name *)0)->field), \
			version                                           \
	}

static const struct {
	u64 progs;
	u32 start, end, version;
} fields[] = {
	FIELD(SKB_PROGS, __sk_buff, gso_size, V(5, 7)),
	FIELD(SKB_PROGS, __sk_buff, tstamp_type, V(5, 18)),
	FIELD(SKB_PROGS, __sk_buff, hwtstamp, V(5, 16)),
	FIELD(P(XDP), xdp_md, egress_ifindex, V(5, 8)),
	FIELD(P(SOCK_OPS), bpf_sock_ops, skb_data, V(5, 10)),
	FIELD(P(SOCK_OPS), bpf_sock_ops, skb_data_end, V(5, 10)),
	FIELD(P(SOCK_OPS), bpf_sock_ops, skb_len, V(5, 10)),
	FIELD(P(SOCK_OPS), bpf_sock_ops, skb_tcp_flags, V(5, 10)),
	{ P(SOCK_OPS), 216, 224, V(6, 2) }, /* skb_hwtstamp */
	FIELD(P(SK_MSG), sk_msg_md, sk, V(5, 9)),
	FIELD(P(SK_REUSEPORT), sk_reuseport_md, sk, V(5, 14)),
	FIELD(P(SK_REUSEPORT), sk_reuseport_md, migrating_sk, V(5, 14)),
	FIELD(P(SK_LOOKUP), bpf_sk_lookup, ingress_ifindex, V(5, 17)),
};

u32 abi_since_context(u32 prog_type, u32 offset)
{
	for (u32 i = 0; i < ARRAY_SIZE(fields); i++)
		if (prog_type < 64 && fields[i].progs & ABI_PROG(prog_type) &&
		    offset >= fields[i].start && offset < fields[i].end)
			return fields[i].version;
	return ABI_LINUX_ALWAYS;
}

#define MEMSX 0x80
#define JCOND 0xe0

static u32 since_alu(const struct bpf_insn *insn)
{
	bool is64 = BPF_CLASS(insn->code) == BPF_ALU64;

	switch (BPF_OP(insn->code)) {
	case BPF_END: return is64 ? V(6, 6) : ABI_LINUX_ALWAYS; /* bswap */
	case BPF_DIV:
	case BPF_MOD: return insn->off ? V(6, 6) : ABI_LINUX_ALWAYS; /* signed */
	case BPF_MOV:
		if (!insn->off)
			return ABI_LINUX_ALWAYS;
		/* 1: a cast between address spaces; else a sign extension. */
		return is64 && insn->off == 1 ? V(6, 9) : V(6, 6);
	default: return ABI_LINUX_ALWAYS;
	}
}

static u32 since_wide_load(const struct bpf_insn *insn)
{
	switch (insn->src_reg) {
	case BPF_PSEUDO_BTF_ID: return V(5, 10);
	case BPF_PSEUDO_FUNC: return V(5, 13);
	case BPF_PSEUDO_MAP_IDX:
	case BPF_PSEUDO_MAP_IDX_VALUE: return V(5, 14);
	default: return ABI_LINUX_ALWAYS;
	}
}

u32 abi_since_insn(const struct bpf_insn *insn)
{
	u8 code = insn->code;

	switch (BPF_CLASS(code)) {
	case BPF_ALU:
	case BPF_ALU64: return since_alu(insn);
	case BPF_LD:
		return code == (BPF_LD | BPF_IMM | BPF_DW) ? since_wide_load(insn)
							   : ABI_LINUX_ALWAYS;
	case BPF_LDX: return BPF_MODE(code) == MEMSX ? V(6, 6) : ABI_LINUX_ALWAYS;
	case BPF_STX:
		if (BPF_MODE(code) != BPF_ATOMIC || insn->imm == BPF_ADD)
			return ABI_LINUX_ALWAYS;
		return insn->imm == 0x100 || insn->imm == 0x110 ? V(6, 15) : V(5, 12);
	/* gotol came with 6.6; Debian's 6.1 takes it, too. */
	case BPF_JMP32: return BPF_OP(code) == BPF_JA ? V(6, 1) : ABI_LINUX_ALWAYS;
	case BPF_JMP:
		if (code == (BPF_JMP | JCOND))
			return V(6, 9);
		if (code == (BPF_JMP | BPF_CALL) && insn->src_reg == BPF_PSEUDO_KFUNC_CALL)
			return V(5, 13);
		return ABI_LINUX_ALWAYS;
	default: return ABI_LINUX_ALWAYS;
	}
}
