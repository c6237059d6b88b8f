/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The program as clients see it: what the running engine executes has contexts, maps and calls of
 * its own, so that a dump of it would say nothing that a kernel's dump says. This makes the
 * instructions that a kernel with a JIT compiler shows: map lookups inlined, context accesses
 * turned into those of the kernel's structures, calls as distances from __bpf_call_base. They are
 * never executed.
 */
#ifndef SKEP_VERIFY_SHOWN_H
#define SKEP_VERIFY_SHOWN_H

#include "verify/env.h"

/* The register that only rewritten instructions use. */
#define SHOWN_AX 11

/*
 * Places in the kernel's structures that shown instructions name; where they are is looked up when
 * somebody asks for the instructions. X(name, structure, member, structure, member): the offset is
 * the sum of both, the second may be missing ("").
 */
#define SHOWN_PLACES(X)                                                     \
	X(ARRAY_VALUE, "bpf_array", "value", "", "")                        \
	X(ARRAY_POINTERS, "bpf_array", "pptrs", "", "")                     \
	X(HASH_KEY, "htab_elem", "key", "", "")                             \
	X(LRU_REF, "htab_elem", "lru_node", "bpf_lru_node", "ref")          \
	X(XSK_ENTRIES, "xsk_map", "xsk_map", "", "")                        \
	X(XDP_DATA, "xdp_buff", "data", "", "")                             \
	X(XDP_DATA_END, "xdp_buff", "data_end", "", "")                     \
	X(XDP_DATA_META, "xdp_buff", "data_meta", "", "")                   \
	X(XDP_RXQ, "xdp_buff", "rxq", "", "")                               \
	X(XDP_TXQ, "xdp_buff", "txq", "", "")                               \
	X(RXQ_DEV, "xdp_rxq_info", "dev", "", "")                           \
	X(RXQ_INDEX, "xdp_rxq_info", "queue_index", "", "")                 \
	X(TXQ_DEV, "xdp_txq_info", "dev", "", "")                           \
	X(IFINDEX, "net_device", "ifindex", "", "")                         \
	X(SKB_LEN, "sk_buff", "len", "", "")                                \
	X(SKB_MARK, "sk_buff", "mark", "", "")                              \
	X(SKB_PRIORITY, "sk_buff", "priority", "", "")                      \
	X(SKB_HASH, "sk_buff", "hash", "", "")                              \
	X(SKB_IIF, "sk_buff", "skb_iif", "", "")                            \
	X(SKB_PROTOCOL, "sk_buff", "protocol", "", "")                      \
	X(SKB_VLAN_PROTO, "sk_buff", "vlan_proto", "", "")                  \
	X(SKB_VLAN_TCI, "sk_buff", "vlan_tci", "", "")                      \
	X(SKB_VLAN_ALL, "sk_buff", "vlan_all", "", "")                      \
	X(SKB_QUEUE, "sk_buff", "queue_mapping", "", "")                    \
	X(SKB_TC_INDEX, "sk_buff", "tc_index", "", "")                      \
	X(SKB_PKT_TYPE, "sk_buff", "__pkt_type_offset", "", "")             \
	X(SKB_CLONED, "sk_buff", "__cloned_offset", "", "")                 \
	X(SKB_MONO, "sk_buff", "__mono_tc_offset", "", "")                  \
	X(SKB_TSTAMP, "sk_buff", "tstamp", "", "")                          \
	X(SKB_DEV, "sk_buff", "dev", "", "")                                \
	X(SKB_NAPI, "sk_buff", "napi_id", "", "")                           \
	X(SKB_DATA, "sk_buff", "data", "", "")                              \
	X(SKB_END, "sk_buff", "end", "", "")                                \
	X(SKB_HEAD, "sk_buff", "head", "", "")                              \
	X(SKB_SK, "sk_buff", "sk", "", "")                                  \
	X(SKB_CLASSID, "sk_buff", "cb", "qdisc_skb_cb", "tc_classid")       \
	X(SKB_WIRE_LEN, "sk_buff", "cb", "qdisc_skb_cb", "pkt_len")         \
	X(SKB_CB, "sk_buff", "cb", "qdisc_skb_cb", "data")                  \
	X(SKB_DATA_END, "sk_buff", "cb", "bpf_skb_data_end", "data_end")    \
	X(SKB_DATA_META, "sk_buff", "cb", "bpf_skb_data_end", "data_meta")  \
	X(SHINFO_SEGS, "skb_shared_info", "gso_segs", "", "")               \
	X(SHINFO_SIZE, "skb_shared_info", "gso_size", "", "")               \
	X(SHINFO_HWTSTAMP, "skb_shared_info", "hwtstamps.hwtstamp", "", "") \
	X(SKC_FAMILY, "sock_common", "skc_family", "", "")                  \
	X(SKC_DADDR, "sock_common", "skc_daddr", "", "")                    \
	X(SKC_SADDR, "sock_common", "skc_rcv_saddr", "", "")                \
	X(SKC_DADDR6, "sock_common", "skc_v6_daddr", "", "")                \
	X(SKC_SADDR6, "sock_common", "skc_v6_rcv_saddr", "", "")            \
	X(SKC_DPORT, "sock_common", "skc_dport", "", "")                    \
	X(SKC_NUM, "sock_common", "skc_num", "", "")                        \
	X(SKC_BOUND, "sock_common", "skc_bound_dev_if", "", "")             \
	X(SKC_STATE, "sock_common", "skc_state", "", "")                    \
	X(SK_TYPE, "sock", "sk_type", "", "")                               \
	X(SK_PROTOCOL, "sock", "sk_protocol", "", "")                       \
	X(SK_MARK, "sock", "sk_mark", "", "")                               \
	X(SK_PRIORITY, "sock", "sk_priority", "", "")                       \
	X(PERF_REGS, "bpf_perf_event_data_kern", "regs", "", "")            \
	X(PERF_DATA, "bpf_perf_event_data_kern", "data", "", "")            \
	X(PERF_PERIOD, "perf_sample_data", "period", "", "")                \
	X(PERF_ADDR, "perf_sample_data", "addr", "", "")                    \
	X(ADDR_UADDR, "bpf_sock_addr_kern", "uaddr", "", "")                \
	X(ADDR_SK, "bpf_sock_addr_kern", "sk", "", "")                      \
	X(SOCKADDR_FAMILY, "sockaddr", "sa_family", "", "")                 \
	X(SOCKADDR_IP4, "sockaddr_in", "sin_addr", "", "")                  \
	X(SOCKADDR_IP6, "sockaddr_in6", "sin6_addr", "", "")                \
	X(SOCKADDR_PORT, "sockaddr_in6", "sin6_port", "", "")               \
	X(LOOKUP_FAMILY, "bpf_sk_lookup_kern", "family", "", "")            \
	X(LOOKUP_PROTOCOL, "bpf_sk_lookup_kern", "protocol", "", "")        \
	X(LOOKUP_SPORT, "bpf_sk_lookup_kern", "sport", "", "")              \
	X(LOOKUP_DPORT, "bpf_sk_lookup_kern", "dport", "", "")              \
	X(LOOKUP_SADDR, "bpf_sk_lookup_kern", "v4.saddr", "", "")           \
	X(LOOKUP_DADDR, "bpf_sk_lookup_kern", "v4.daddr", "", "")           \
	X(LOOKUP_IFINDEX, "bpf_sk_lookup_kern", "ingress_ifindex", "", "")  \
	X(FLOW_DATA, "bpf_flow_dissector", "data", "", "")                  \
	X(FLOW_DATA_END, "bpf_flow_dissector", "data_end", "", "")          \
	X(FLOW_KEYS, "bpf_flow_dissector", "flow_keys", "", "")             \
	X(OPS_OP, "bpf_sock_ops_kern", "op", "", "")                        \
	X(MSG_DATA, "sk_msg", "data", "", "")                               \
	X(MSG_DATA_END, "sk_msg", "data_end", "", "")                       \
	X(MSG_SK, "sk_msg", "sk", "", "")                                   \
	X(MSG_SIZE, "sk_msg", "sg.size", "", "")                            \
	X(SYSCTL_WRITE, "bpf_sysctl_kern", "write", "", "")                 \
	X(SYSCTL_POS, "bpf_sysctl_kern", "ppos", "", "")                    \
	X(SYSCTL_TMP, "bpf_sysctl_kern", "tmp_reg", "", "")                 \
	X(OPTION_SK, "bpf_sockopt_kern", "sk", "", "")                      \
	X(OPTION_VAL, "bpf_sockopt_kern", "optval", "", "")                 \
	X(OPTION_END, "bpf_sockopt_kern", "optval_end", "", "")             \
	X(OPTION_LEVEL, "bpf_sockopt_kern", "level", "", "")                \
	X(OPTION_NAME, "bpf_sockopt_kern", "optname", "", "")               \
	X(OPTION_LEN, "bpf_sockopt_kern", "optlen", "", "")                 \
	X(OPTION_TASK, "bpf_sockopt_kern", "current_task", "", "")          \
	X(OPTION_TMP, "bpf_sockopt_kern", "tmp_reg", "", "")                \
	X(TASK_CTX, "task_struct", "bpf_ctx", "", "")                       \
	X(CTX_RETVAL, "bpf_cg_run_ctx", "retval", "", "")                   \
	X(GROUP_SKB, "sk_reuseport_kern", "skb", "", "")                    \
	X(GROUP_SK, "sk_reuseport_kern", "sk", "", "")                      \
	X(GROUP_MIGRATING, "sk_reuseport_kern", "migrating_sk", "", "")     \
	X(GROUP_END, "sk_reuseport_kern", "data_end", "", "")               \
	X(GROUP_HASH, "sk_reuseport_kern", "hash", "", "")                  \
	X(GROUP_INANY, "sk_reuseport_kern", "bind_inany", "", "")

enum shown_place {
	SHOWN_NOWHERE,
#define SHOWN_PLACE(name, s1, m1, s2, m2) SHOWN_##name,
	SHOWN_PLACES(SHOWN_PLACE)
#undef SHOWN_PLACE
};

/* What takes an instruction's place. */
#define SHOWN_PATCH_MAX 24

struct shown_patch {
	struct bpf_insn insns[SHOWN_PATCH_MAX];
	u8 place[SHOWN_PATCH_MAX]; /* enum shown_place: added to off, of arithmetic to imm */
	u32 call, callee;	   /* an instruction that calls a subprogram; 0: none does */
	u32 nr;
};

static inline void shown_add(struct shown_patch *patch, u32 code, u32 dst, u32 src, s32 off,
			     s32 imm)
{
	if (patch->nr < SHOWN_PATCH_MAX)
		patch->insns[patch->nr++] = (struct bpf_insn){ .code = (u8)code,
							       .dst_reg = (u8)dst & 15,
							       .src_reg = (u8)src & 15,
							       .off = (s16)off,
							       .imm = imm };
}

/* An instruction at a place of the kernel's; imm is added to it if it is arithmetic. */
static inline void shown_add_at(struct shown_patch *patch, u32 code, u32 dst, u32 src, s32 imm,
				enum shown_place place)
{
	u32 at = patch->nr;

	shown_add(patch, code, dst, src, 0, imm);
	if (at < SHOWN_PATCH_MAX)
		patch->place[at] = (u8)place;
}

/*
 * Fills *ret_shown, and shown_stack of the subprograms, between the removal of dead code and the
 * rewriting for the engine. 0 or -ENOMEM.
 */
int shown_program(struct verify_env *env, struct verify_shown *ret_shown);

/*
 * Fills patch with what a context or socket access becomes; an empty patch: it stays as the client
 * wrote it (shown_context.c).
 */
void shown_access(const struct verify_env *env, u32 i, struct shown_patch *patch);

/* What stands before the first instruction: a packet that is written to has to be the program's
 * own.
 */
void shown_prologue(const struct verify_env *env, struct shown_patch *patch);

/* The same as shown_access() for a helper's call on a map that is known (shown_map.c). */
void shown_map_call(const struct verify_env *env, u32 i, struct shown_patch *patch);

#endif
