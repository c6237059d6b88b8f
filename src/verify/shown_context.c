/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Accesses to a context or a socket as those of the kernel's structure behind it (the
 * convert_ctx_access callbacks of net/core/filter.c and kernel/trace/bpf_trace.c), laid out by the
 * kernel's BTF. Contexts without a table here are shown as the client wrote them.
 */
#include "verify/shown.h"

#include <linux/bpf_perf_event.h>
#include <string.h>

#include "abi/helper.h"
#include "abi/ksym.h"

#define LDX(size)  (BPF_LDX | BPF_MEM | (size))
#define MOV_K	   (BPF_ALU64 | BPF_MOV | BPF_K)
#define AND32_K	   (BPF_ALU | BPF_AND | BPF_K)
#define ADD_X	   (BPF_ALU64 | BPF_ADD | BPF_X)
#define JUMP(op)   (BPF_JMP | (op) | BPF_K)
#define JUMP32(op) (BPF_JMP32 | (op) | BPF_K)
#define GO	   (BPF_JMP | BPF_JA)

#define END_OF(type, field) (offsetof(type, field) + sizeof(((type *)0)->field))

/* How a field is reached. */
enum way {
	PLAIN,	 /* a member */
	PAST,	 /* a member of what a pointer, or two, lead to */
	AWAY,	 /* the same, and written by way of a register that is kept at place `extra` */
	SHARED,	 /* a member of what lies behind the packet's data */
	MASKED,	 /* some bits of a byte */
	PRESENT, /* 1 if it is not 0 */
	INTERFACE,
	PORT, /* in network order, in the upper half */
	NAPI,
	TIME,
	QUEUE, /* plain, and the highest number is not written */
};

static const struct row {
	u32 offset, end; /* in the UAPI structure */
	enum way way;
	u32 bytes;  /* of the member; 0: those of the access */
	u8 step[3]; /* enum shown_place */
	s32 extra;  /* added to the member's place; or the mask; or a place */
} skb_rows[] = {
#define SKB(field) offsetof(struct __sk_buff, field), END_OF(struct __sk_buff, field)
	{ SKB(len), PLAIN, 4, { SHOWN_SKB_LEN }, 0 },
	{ SKB(mark), PLAIN, 4, { SHOWN_SKB_MARK }, 0 },
	{ SKB(priority), PLAIN, 4, { SHOWN_SKB_PRIORITY }, 0 },
	{ SKB(hash), PLAIN, 4, { SHOWN_SKB_HASH }, 0 },
	{ SKB(ingress_ifindex), PLAIN, 4, { SHOWN_SKB_IIF }, 0 },
	{ SKB(protocol), PLAIN, 2, { SHOWN_SKB_PROTOCOL }, 0 },
	{ SKB(vlan_proto), PLAIN, 2, { SHOWN_SKB_VLAN_PROTO }, 0 },
	{ SKB(vlan_tci), PLAIN, 2, { SHOWN_SKB_VLAN_TCI }, 0 },
	{ SKB(queue_mapping), QUEUE, 2, { SHOWN_SKB_QUEUE }, 0 },
	{ SKB(tc_index), PLAIN, 2, { SHOWN_SKB_TC_INDEX }, 0 },
	{ SKB(vlan_present), PRESENT, 4, { SHOWN_SKB_VLAN_ALL }, 0 },
	{ SKB(pkt_type), MASKED, 1, { SHOWN_SKB_PKT_TYPE }, 7 },
	{ SKB(ifindex), INTERFACE, 4, { SHOWN_SKB_DEV, SHOWN_IFINDEX }, 0 },
	{ SKB(napi_id), NAPI, 4, { SHOWN_SKB_NAPI }, 0 },
	{ SKB(data), PLAIN, 8, { SHOWN_SKB_DATA }, 0 },
	{ SKB(sk), PLAIN, 8, { SHOWN_SKB_SK }, 0 },
	{ SKB(tc_classid), PLAIN, 2, { SHOWN_SKB_CLASSID }, 0 },
	{ SKB(wire_len), PLAIN, 4, { SHOWN_SKB_WIRE_LEN }, 0 },
	{ SKB(cb), PLAIN, 0, { SHOWN_SKB_CB }, 0 },
	{ SKB(data_end), PLAIN, 8, { SHOWN_SKB_DATA_END }, 0 },
	{ SKB(data_meta), PLAIN, 8, { SHOWN_SKB_DATA_META }, 0 },
	{ SKB(gso_segs), SHARED, 2, { SHOWN_SHINFO_SEGS }, 0 },
	{ SKB(gso_size), SHARED, 2, { SHOWN_SHINFO_SIZE }, 0 },
	{ SKB(hwtstamp), SHARED, 8, { SHOWN_SHINFO_HWTSTAMP }, 0 },
	{ SKB(tstamp), TIME, 8, { SHOWN_SKB_TSTAMP }, 0 },
	{ 180, 181, MASKED, 1, { SHOWN_SKB_MONO }, 3 }, /* tstamp_type */
	{ SKB(family), PAST, 2, { SHOWN_SKB_SK, SHOWN_SKC_FAMILY }, 0 },
	{ SKB(remote_ip4), PAST, 4, { SHOWN_SKB_SK, SHOWN_SKC_DADDR }, 0 },
	{ SKB(local_ip4), PAST, 4, { SHOWN_SKB_SK, SHOWN_SKC_SADDR }, 0 },
	{ SKB(remote_ip6), PAST, 4, { SHOWN_SKB_SK, SHOWN_SKC_DADDR6 }, 1 },
	{ SKB(local_ip6), PAST, 4, { SHOWN_SKB_SK, SHOWN_SKC_SADDR6 }, 1 },
	{ SKB(remote_port), PORT, 2, { SHOWN_SKB_SK, SHOWN_SKC_DPORT }, 0 },
	{ SKB(local_port), PAST, 2, { SHOWN_SKB_SK, SHOWN_SKC_NUM }, 0 },
};

#define XDP(field) offsetof(struct xdp_md, field), END_OF(struct xdp_md, field)

static const struct row xdp_rows[] = {
	{ XDP(data), PLAIN, 8, { SHOWN_XDP_DATA }, 0 },
	{ XDP(data_end), PLAIN, 8, { SHOWN_XDP_DATA_END }, 0 },
	{ XDP(data_meta), PLAIN, 8, { SHOWN_XDP_DATA_META }, 0 },
	{ XDP(ingress_ifindex), PAST, 4, { SHOWN_XDP_RXQ, SHOWN_RXQ_DEV, SHOWN_IFINDEX }, 0 },
	{ XDP(rx_queue_index), PAST, 4, { SHOWN_XDP_RXQ, SHOWN_RXQ_INDEX }, 0 },
	{ XDP(egress_ifindex), PAST, 4, { SHOWN_XDP_TXQ, SHOWN_TXQ_DEV, SHOWN_IFINDEX }, 0 },
};

#define PERF(field) \
	offsetof(struct bpf_perf_event_data, field), END_OF(struct bpf_perf_event_data, field)

static const struct row perf_rows[] = {
	{ PERF(sample_period), PAST, 8, { SHOWN_PERF_DATA, SHOWN_PERF_PERIOD }, 0 },
	{ PERF(addr), PAST, 8, { SHOWN_PERF_DATA, SHOWN_PERF_ADDR }, 0 },
	{ PERF(regs), PAST, 0, { SHOWN_PERF_REGS }, 1 },
};

#define SOCK(field) offsetof(struct bpf_sock, field), END_OF(struct bpf_sock, field)

static const struct row socket_rows[] = {
	{ SOCK(bound_dev_if), PLAIN, 4, { SHOWN_SKC_BOUND }, 0 },
	{ SOCK(family), PLAIN, 2, { SHOWN_SKC_FAMILY }, 0 },
	{ SOCK(type), PLAIN, 2, { SHOWN_SK_TYPE }, 0 },
	{ SOCK(protocol), PLAIN, 2, { SHOWN_SK_PROTOCOL }, 0 },
	{ SOCK(mark), PLAIN, 4, { SHOWN_SK_MARK }, 0 },
	{ SOCK(priority), PLAIN, 4, { SHOWN_SK_PRIORITY }, 0 },
	{ SOCK(src_ip4), PLAIN, 4, { SHOWN_SKC_SADDR }, 0 },
	{ SOCK(dst_ip4), PLAIN, 4, { SHOWN_SKC_DADDR }, 0 },
	{ SOCK(src_port), PLAIN, 2, { SHOWN_SKC_NUM }, 0 },
	{ SOCK(dst_port), PLAIN, 2, { SHOWN_SKC_DPORT }, 0 },
	{ SOCK(state), PLAIN, 1, { SHOWN_SKC_STATE }, 0 },
};

#define ADDR(field) offsetof(struct bpf_sock_addr, field), END_OF(struct bpf_sock_addr, field)

static const struct row addr_rows[] = {
	{ ADDR(user_family), PAST, 2, { SHOWN_ADDR_UADDR, SHOWN_SOCKADDR_FAMILY }, 0 },
	{ ADDR(user_ip4), PAST, 4, { SHOWN_ADDR_UADDR, SHOWN_SOCKADDR_IP4 }, 0 },
	{ ADDR(user_port), PAST, 2, { SHOWN_ADDR_UADDR, SHOWN_SOCKADDR_PORT }, 0 },
	{ ADDR(family), PAST, 2, { SHOWN_ADDR_SK, SHOWN_SKC_FAMILY }, 0 },
	{ ADDR(type), PAST, 2, { SHOWN_ADDR_SK, SHOWN_SK_TYPE }, 0 },
	{ ADDR(protocol), PAST, 2, { SHOWN_ADDR_SK, SHOWN_SK_PROTOCOL }, 0 },
	{ 64, 72, PLAIN, 8, { SHOWN_ADDR_SK }, 0 }, /* sk */
};

#define LOOKUP(field) offsetof(struct bpf_sk_lookup, field), END_OF(struct bpf_sk_lookup, field)

static const struct row lookup_rows[] = {
	{ LOOKUP(family), PLAIN, 2, { SHOWN_LOOKUP_FAMILY }, 0 },
	{ LOOKUP(protocol), PLAIN, 2, { SHOWN_LOOKUP_PROTOCOL }, 0 },
	{ LOOKUP(remote_ip4), PLAIN, 4, { SHOWN_LOOKUP_SADDR }, 0 },
	{ LOOKUP(local_ip4), PLAIN, 4, { SHOWN_LOOKUP_DADDR }, 0 },
	{ LOOKUP(remote_port), PLAIN, 2, { SHOWN_LOOKUP_SPORT }, 0 },
	{ LOOKUP(local_port), PLAIN, 2, { SHOWN_LOOKUP_DPORT }, 0 },
};

static const struct row flow_rows[] = {
	{ SKB(data), PLAIN, 8, { SHOWN_FLOW_DATA }, 0 },
	{ SKB(data_end), PLAIN, 8, { SHOWN_FLOW_DATA_END }, 0 },
	{ SKB(flow_keys), PLAIN, 8, { SHOWN_FLOW_KEYS }, 0 },
};

static const struct row ops_rows[] = {
	{ 0, 4, PLAIN, 1, { SHOWN_OPS_OP }, 0 }, /* op */
};

#define MSG(field) offsetof(struct sk_msg_md, field), END_OF(struct sk_msg_md, field)

static const struct row message_rows[] = {
	{ MSG(data), PLAIN, 8, { SHOWN_MSG_DATA }, 0 },
	{ MSG(data_end), PLAIN, 8, { SHOWN_MSG_DATA_END }, 0 },
	{ MSG(family), PAST, 2, { SHOWN_MSG_SK, SHOWN_SKC_FAMILY }, 0 },
	{ MSG(remote_ip4), PAST, 4, { SHOWN_MSG_SK, SHOWN_SKC_DADDR }, 0 },
	{ MSG(local_ip4), PAST, 4, { SHOWN_MSG_SK, SHOWN_SKC_SADDR }, 0 },
	{ MSG(remote_ip6), PAST, 4, { SHOWN_MSG_SK, SHOWN_SKC_DADDR6 }, 1 },
	{ MSG(local_ip6), PAST, 4, { SHOWN_MSG_SK, SHOWN_SKC_SADDR6 }, 1 },
	{ MSG(remote_port), PORT, 2, { SHOWN_MSG_SK, SHOWN_SKC_DPORT }, 0 },
	{ MSG(local_port), PAST, 2, { SHOWN_MSG_SK, SHOWN_SKC_NUM }, 0 },
	{ MSG(size), PLAIN, 4, { SHOWN_MSG_SIZE }, 0 },
	{ MSG(sk), PLAIN, 8, { SHOWN_MSG_SK }, 0 },
};

#define SYSCTL(field) offsetof(struct bpf_sysctl, field), END_OF(struct bpf_sysctl, field)

static const struct row sysctl_rows[] = {
	{ SYSCTL(write), PLAIN, 4, { SHOWN_SYSCTL_WRITE }, 0 },
	{ SYSCTL(file_pos), AWAY, 0, { SHOWN_SYSCTL_POS }, SHOWN_SYSCTL_TMP },
};

#define OPTION(field) offsetof(struct bpf_sockopt, field), END_OF(struct bpf_sockopt, field)

static const struct row option_rows[] = {
	{ OPTION(sk), PLAIN, 8, { SHOWN_OPTION_SK }, 0 },
	{ OPTION(optval), PLAIN, 8, { SHOWN_OPTION_VAL }, 0 },
	{ OPTION(optval_end), PLAIN, 8, { SHOWN_OPTION_END }, 0 },
	{ OPTION(level), PLAIN, 4, { SHOWN_OPTION_LEVEL }, 0 },
	{ OPTION(optname), PLAIN, 4, { SHOWN_OPTION_NAME }, 0 },
	{ OPTION(optlen), PLAIN, 4, { SHOWN_OPTION_LEN }, 0 },
	{ OPTION(retval),
	  AWAY,
	  4,
	  { SHOWN_OPTION_TASK, SHOWN_TASK_CTX, SHOWN_CTX_RETVAL },
	  SHOWN_OPTION_TMP },
};

#define GROUP(field) offsetof(struct sk_reuseport_md, field), END_OF(struct sk_reuseport_md, field)

static const struct row group_rows[] = {
	{ GROUP(data), PAST, 8, { SHOWN_GROUP_SKB, SHOWN_SKB_DATA }, 0 },
	{ GROUP(data_end), PLAIN, 8, { SHOWN_GROUP_END }, 0 },
	{ GROUP(len), PAST, 4, { SHOWN_GROUP_SKB, SHOWN_SKB_LEN }, 0 },
	{ GROUP(eth_protocol), PAST, 2, { SHOWN_GROUP_SKB, SHOWN_SKB_PROTOCOL }, 0 },
	{ GROUP(ip_protocol), PAST, 2, { SHOWN_GROUP_SK, SHOWN_SK_PROTOCOL }, 0 },
	{ GROUP(bind_inany), PLAIN, 1, { SHOWN_GROUP_INANY }, 0 },
	{ GROUP(hash), PLAIN, 4, { SHOWN_GROUP_HASH }, 0 },
	{ GROUP(sk), PLAIN, 8, { SHOWN_GROUP_SK }, 0 },
	{ GROUP(migrating_sk), PLAIN, 8, { SHOWN_GROUP_MIGRATING }, 0 },
};

static u8 size_code(u32 bytes)
{
	return bytes == 8 ? BPF_DW : bytes == 4 ? BPF_W : bytes == 2 ? BPF_H : BPF_B;
}

struct access {
	const struct verify_env *env;
	const struct bpf_insn *insn;
	const struct row *row;
	u8 dst, src;
	bool write;
	u32 bytes; /* of what is loaded or stored in the kernel's structure */
	u32 steps;
	struct shown_patch *patch;
};

/* The register's value, or the instruction's constant, into memory. */
static void store(const struct access *access, u32 bytes, s32 within)
{
	const struct bpf_insn *insn = access->insn;
	bool constant = BPF_CLASS(insn->code) == BPF_ST;

	shown_add_at(access->patch, (constant ? BPF_ST : BPF_STX) | BPF_MEM | size_code(bytes),
		     access->dst, constant ? 0 : access->src, constant ? insn->imm : 0,
		     access->row->step[0]);
	access->patch->insns[access->patch->nr - 1].off = (s16)within;
}

/* Some bytes behind a place. */
static void load(const struct access *access, u32 bytes, u8 dst, u8 src, u32 place, s32 within)
{
	shown_add_at(access->patch, LDX(size_code(bytes)), dst, src, 0, (enum shown_place)place);
	access->patch->insns[access->patch->nr - 1].off = (s16)within;
}

/* What pointers lead to is written with a register that the program may use: it is kept in the
 * context meanwhile. */
static void store_away(const struct access *access)
{
	const struct bpf_insn *insn = access->insn;
	struct shown_patch *patch = access->patch;
	u8 reg = BPF_REG_9, class = BPF_CLASS(insn->code), kept = (u8)access->row->extra;
	u32 pointers = access->row->bytes ? access->steps - 1 : access->steps;

	reg -= access->src == reg;
	reg -= access->dst == reg;
	shown_add_at(patch, BPF_STX | BPF_MEM | BPF_DW, access->dst, reg, 0, kept);
	for (u32 i = 0; i < pointers; i++)
		load(access, 8, reg, i ? reg : access->dst, access->row->step[i], 0);
	shown_add_at(patch, class | BPF_MEM | size_code(access->bytes), reg,
		     class == BPF_ST ? 0 : access->src, class == BPF_ST ? insn->imm : 0,
		     access->row->bytes ? access->row->step[pointers] : SHOWN_NOWHERE);
	load(access, 8, reg, access->dst, kept, 0);
}

/* Programs that do not look at the kind of a time stamp are kept from seeing a strange one. */
static void time_stamp(const struct access *access)
{
	struct shown_patch *patch = access->patch;
	u8 packet = access->write ? access->dst : access->src;

	if (access->env->input->prog_type == BPF_PROG_TYPE_SCHED_CLS) {
		load(access, 1, SHOWN_AX, packet, SHOWN_SKB_MONO, 0);
		shown_add(patch, JUMP32(BPF_JSET), SHOWN_AX, 0, 1, 4);
		shown_add(patch, GO, 0, 0, access->write ? 2 : 4, 0);
		if (access->write) {
			shown_add(patch, AND32_K, SHOWN_AX, 0, 0, ~3);
			shown_add_at(patch, BPF_STX | BPF_MEM | BPF_B, packet, SHOWN_AX, 0,
				     SHOWN_SKB_MONO);
		} else {
			shown_add(patch, JUMP32(BPF_JSET), SHOWN_AX, 0, 1, 3);
			shown_add(patch, GO, 0, 0, 2, 0);
			shown_add(patch, MOV_K, access->dst, 0, 0, 0);
			shown_add(patch, GO, 0, 0, 1, 0);
		}
	}
	if (access->write)
		store(access, 8, 0);
	else
		load(access, 8, access->dst, access->src, SHOWN_SKB_TSTAMP, 0);
}

static void write_field(const struct access *access)
{
	const struct row *row = access->row;

	if (row->way == TIME || row->way == AWAY) {
		if (row->way == TIME)
			time_stamp(access);
		else
			store_away(access);
		return;
	}
	/* This number says that there is none. */
	if (row->way == QUEUE && BPF_CLASS(access->insn->code) == BPF_STX)
		shown_add(access->patch, JUMP(BPF_JGE), access->src, 0, 1, 0xffff);
	if (row->way == PLAIN || row->way == QUEUE)
		store(access, access->bytes, row->bytes ? 0 : access->insn->off - (s32)row->offset);
}

static void follow(const struct access *access, s32 within)
{
	u8 from = access->src;

	for (u32 i = 0; i + 1 < access->steps; i++) {
		load(access, 8, access->dst, from, access->row->step[i], 0);
		from = access->dst;
	}
	load(access, access->bytes, access->dst, from, access->row->step[access->steps - 1],
	     within);
}

static void shared_info(const struct access *access)
{
	load(access, 4, SHOWN_AX, access->src, SHOWN_SKB_END, 0);
	load(access, 8, access->dst, access->src, SHOWN_SKB_HEAD, 0);
	shown_add(access->patch, ADD_X, access->dst, SHOWN_AX, 0, 0);
	load(access, access->bytes, access->dst, access->dst, access->row->step[0], 0);
}

static void read_field(const struct access *access)
{
	const struct row *row = access->row;
	struct shown_patch *patch = access->patch;
	s32 within = access->insn->off - (s32)row->offset;
	u8 dst = access->dst, src = access->src, place = row->step[0];

	switch (row->way) {
	case PLAIN:
	case QUEUE: load(access, access->bytes, dst, src, place, row->bytes ? 0 : within); break;
	case PAST:
	case AWAY:
		/* The registers of a sample, a number somewhere: the last step is the access. */
		if (!row->bytes) {
			load(access, 8, dst, src, place, 0);
			load(access, access->bytes, dst, dst, SHOWN_NOWHERE, within);
			break;
		}
		follow(access, row->way == PAST && row->extra ? within / 4 * 4 : 0);
		break;
	case PORT:
		follow(access, 0);
		shown_add(patch, BPF_ALU | BPF_LSH | BPF_K, dst, 0, 0, 16);
		break;
	case SHARED: shared_info(access); break;
	case MASKED:
		load(access, 1, dst, src, place, 0);
		shown_add(patch, AND32_K, dst, 0, 0, row->extra);
		break;
	case PRESENT:
		load(access, 4, dst, src, place, 0);
		shown_add(patch, JUMP(BPF_JEQ), dst, 0, 1, 0);
		shown_add(patch, BPF_ALU | BPF_MOV | BPF_K, dst, 0, 0, 1);
		break;
	case INTERFACE:
		load(access, 8, dst, src, place, 0);
		/* At traffic control packets always have one. */
		if (access->env->input->prog_type != BPF_PROG_TYPE_SCHED_CLS &&
		    access->env->input->prog_type != BPF_PROG_TYPE_SCHED_ACT)
			shown_add(patch, JUMP(BPF_JEQ), dst, 0, 1, 0);
		load(access, 4, dst, dst, row->step[1], 0);
		break;
	case NAPI:
		load(access, 4, dst, src, place, 0);
		/* Lower ones are CPUs, of which the kernel can have 256. */
		shown_add(patch, JUMP(BPF_JGE), dst, 0, 1, 257);
		shown_add(patch, MOV_K, dst, 0, 0, 0);
		break;
	case TIME: time_stamp(access); break;
	}
}

/* A part of a field is loaded as the whole and cut. */
static void narrow(const struct access *access)
{
	u32 size = isa_access_bytes(access->insn->code),
	    field = access->row->end - access->row->offset;
	u32 first = (u32)access->insn->off % (field > 8 ? 4 : field), shift = first * 8;

	if (access->write || !access->row->bytes || size >= access->bytes || field > 16 ||
	    (field == 8 && size == 8) || access->bytes > 4)
		return;
	if (shift)
		shown_add(access->patch, BPF_ALU | BPF_RSH | BPF_K, access->dst, 0, 0, (s32)shift);
	shown_add(access->patch, AND32_K, access->dst, 0, 0, (s32)((1u << size * 8) - 1));
}

#define TABLE(type, rows)                                    \
	{                                                    \
		BPF_PROG_TYPE_##type, rows, ARRAY_SIZE(rows) \
	}

static const struct {
	u32 prog_type;
	const struct row *rows;
	u32 nr;
} tables[] = {
	TABLE(XDP, xdp_rows),
	TABLE(PERF_EVENT, perf_rows),
	TABLE(CGROUP_SOCK_ADDR, addr_rows),
	TABLE(SK_LOOKUP, lookup_rows),
	TABLE(FLOW_DISSECTOR, flow_rows),
	TABLE(SOCK_OPS, ops_rows),
	TABLE(SK_MSG, message_rows),
	TABLE(CGROUP_SYSCTL, sysctl_rows),
	TABLE(CGROUP_SOCKOPT, option_rows),
	TABLE(SK_REUSEPORT, group_rows),
};

static const struct row *find_row(const struct verify_env *env, u32 i, u32 *ret_nr)
{
	u32 kind = env->aux[i].access;
	const struct row *rows = NULL;
	u32 nr = 0;

	if (kind == ACCESS_SPECIAL + PTR_TO_SOCKET || kind == ACCESS_SPECIAL + PTR_TO_SOCK_COMMON) {
		rows = socket_rows;
		nr = ARRAY_SIZE(socket_rows);
	} else if (kind != ACCESS_CTX) {
		return NULL;
	} else if (env->ctx->fields == abi_ctx_find(BPF_PROG_TYPE_SCHED_CLS)->fields &&
		   env->input->prog_type != BPF_PROG_TYPE_FLOW_DISSECTOR &&
		   env->input->prog_type != BPF_PROG_TYPE_SK_SKB) {
		rows = skb_rows;
		nr = ARRAY_SIZE(skb_rows);
	}
	for (u32 t = 0; !rows && t < ARRAY_SIZE(tables); t++)
		if (tables[t].prog_type == env->input->prog_type) {
			rows = tables[t].rows;
			nr = tables[t].nr;
		}
	*ret_nr = nr;
	return rows;
}

void shown_prologue(const struct verify_env *env, struct shown_patch *patch)
{
	u32 type = env->input->prog_type;

	if (!env->writes_packet ||
	    (type != BPF_PROG_TYPE_SCHED_CLS && type != BPF_PROG_TYPE_SCHED_ACT &&
	     type != BPF_PROG_TYPE_LWT_XMIT && type != BPF_PROG_TYPE_SK_SKB))
		return;
	shown_add_at(patch, LDX(BPF_B), BPF_REG_6, BPF_REG_1, 0, SHOWN_SKB_CLONED);
	shown_add(patch, AND32_K, BPF_REG_6, 0, 0, 1);
	shown_add(patch, JUMP(BPF_JEQ), BPF_REG_6, 0, 7, 0);
	shown_add(patch, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_6, BPF_REG_1, 0, 0);
	shown_add(patch, BPF_ALU64 | BPF_XOR | BPF_X, BPF_REG_2, BPF_REG_2, 0, 0);
	shown_add(patch, BPF_JMP | BPF_CALL, 0, 0, 0,
		  abi_ksym_helper(BPF_FUNC_skb_pull_data, type));
	shown_add(patch, JUMP(BPF_JEQ), BPF_REG_0, 0, 2, 0);
	/* TC_ACT_SHOT, or SK_DROP */
	shown_add(patch, BPF_ALU | BPF_MOV | BPF_K, BPF_REG_0, 0, 0,
		  type == BPF_PROG_TYPE_SK_SKB ? 0 : 2);
	shown_add(patch, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	shown_add(patch, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_1, BPF_REG_6, 0, 0);
}

void shown_access(const struct verify_env *env, u32 i, struct shown_patch *patch)
{
	const struct bpf_insn *insn = &env->insns[i];
	struct access access = { .env = env, .insn = insn, .patch = patch };
	u32 nr = 0;
	const struct row *rows = find_row(env, i, &nr);

	access.dst = insn->dst_reg;
	access.src = insn->src_reg;
	access.write = BPF_CLASS(insn->code) != BPF_LDX;
	for (u32 r = 0; r < nr && !access.row; r++)
		if (insn->off >= (s32)rows[r].offset && insn->off < (s32)rows[r].end)
			access.row = &rows[r];
	if (!access.row || BPF_MODE(insn->code) != BPF_MEM)
		return;
	access.bytes = access.row->bytes ? access.row->bytes : isa_access_bytes(insn->code);
	while (access.steps < ARRAY_SIZE(access.row->step) && access.row->step[access.steps])
		access.steps++;
	if (access.write) {
		write_field(&access);
		return;
	}
	read_field(&access);
	narrow(&access);
}
