/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random calls of the helpers over socket buffers. What cannot be the same on both sides is mixed
 * in as "not zero" only: hashes that are computed, and cookies of sockets.
 */
#include "packet_steps.h"

#include <string.h>

#define SKB(field) offsetof(struct __sk_buff, field)
#define ETH_IP	   0x0008
#define ETH_IPV6   0xdd86
#define VLAN	   0x0081
#define VLAN_AD	   0xa888

#define CLS	 (1ull << BPF_PROG_TYPE_SCHED_CLS | 1ull << BPF_PROG_TYPE_SCHED_ACT)
#define LWT_XMIT (1ull << BPF_PROG_TYPE_LWT_XMIT)
#define LWT                                                                        \
	(LWT_XMIT | 1ull << BPF_PROG_TYPE_LWT_IN | 1ull << BPF_PROG_TYPE_LWT_OUT | \
	 1ull << BPF_PROG_TYPE_LWT_SEG6LOCAL)
#define CGROUP (1ull << BPF_PROG_TYPE_CGROUP_SKB)
#define SOCKET (1ull << BPF_PROG_TYPE_SOCKET_FILTER)

static void argument(u8 reg, s32 value)
{
	emit(MOV_K(reg, value));
}

static void wide_argument(u8 reg, u64 value)
{
	emit(INSN(BPF_LD | BPF_IMM | BPF_DW, reg, 0, 0, (s32)value));
	emit(INSN(0, 0, 0, 0, (s32)(value >> 32)));
}

static void context(void)
{
	emit(MOV_X(BPF_REG_1, CTX));
}

static void buffer(u8 reg)
{
	emit(MOV_X(reg, BPF_REG_10));
	emit(ADD_K(reg, STEP_BUFFER));
}

static void call(s32 id)
{
	emit(CALL(id));
	mix();
}

/* r0 = r0 != 0, mixed in */
static void call_for_truth(s32 id)
{
	emit(CALL(id));
	emit(JEQ_K(BPF_REG_0, 0, 1));
	emit(MOV_K(BPF_REG_0, 1));
	mix();
}

static void read_field(u8 size, s16 offset)
{
	emit(LOAD(size, BPF_REG_0, CTX, offset));
	mix();
}

static void fill_buffer(void)
{
	for (s16 at = STEP_BUFFER; at < 0; at = (s16)(at + 8))
		emit(STORE_K(BPF_DW, BPF_REG_10, at, (s32)draw(0x7fffffff)));
}

static s32 small_diff(void)
{
	return draw(3) ? (s32)draw(60) - 30
		       : PICK(0, 4, -4, 20, -20, 40, -40, 14, 28, 50, 0xfff, 0x1000, -0xfff,
			      -0x1000, 3000, -3000, 0x7fffffff, (s32)0x80000000);
}

static void store_bytes(void)
{
	context();
	argument(BPF_REG_2, draw_offset());
	buffer(BPF_REG_3);
	argument(BPF_REG_4, draw_length());
	argument(BPF_REG_5, PICK(0, 0, 1, 1, 2, 3, 4, -1));
	call(BPF_FUNC_skb_store_bytes);
}

static void csum_replace(void)
{
	bool l4 = draw(2);

	context();
	argument(BPF_REG_2, draw(5) ? (s32)draw(30) * 2 : draw_offset());
	argument(BPF_REG_3, PICK(0, 0, 0x1234, 0x12345678, -1, 1));
	argument(BPF_REG_4, PICK(0, 0x4321, 0x7654321, -1, 0xffff));
	argument(BPF_REG_5,
		 PICK(0, 2, 4, 0, 2, 4, 1, 15) |
			 (l4 ? PICK(0, 0x10, 0x20, 0x30, 0x60, 0x40, 0x90, 0x100, 0) : 0));
	call(l4 ? BPF_FUNC_l4_csum_replace : BPF_FUNC_l3_csum_replace);
}

static void csum(void)
{
	context();
	if (draw(2)) {
		argument(BPF_REG_2, PICK(0, 1, -1, 0x12345678, 0xffff));
		call(BPF_FUNC_csum_update);
		return;
	}
	argument(BPF_REG_2, (s32)draw(5));
	call(BPF_FUNC_csum_level);
}

static void change_size(void)
{
	context();
	switch (draw(3)) {
	case 0:
		argument(BPF_REG_2, draw(3) ? (s32)draw(60) : PICK(0, 14, 3000, 16000, -1, 16064));
		argument(BPF_REG_3, PICK(0, 0, 0, 0, 1));
		call(BPF_FUNC_skb_change_head);
		break;
	case 1:
		argument(BPF_REG_2, draw(3) ? (s32)draw(160)
					    : PICK(0, 13, 14, 4000, 16064, 16065, -1, 34, 54));
		argument(BPF_REG_3, PICK(0, 0, 0, 0, 1));
		call(BPF_FUNC_skb_change_tail);
		break;
	default:
		argument(BPF_REG_2, draw(2) ? (s32)draw(100) : PICK(0, 4000, -1));
		call(BPF_FUNC_skb_pull_data);
	}
	read_field(BPF_W, SKB(len));
}

static void adjust_room(void)
{
	static const u64 flags[] = { 0,
				     0,
				     0,
				     1,
				     2,
				     4,
				     2 | 8,
				     4 | 8,
				     2 | 16,
				     4 | 16,
				     6,
				     2 | 24,
				     32,
				     1 << 7,
				     1 << 8,
				     3 << 7,
				     1 << 9,
				     2 | 64,
				     8,
				     1 << 7 | 32,
				     2 | 16 | 64 | 14ull << 56,
				     2 | 8 | 8ull << 56,
				     4 | 64 | 3ull << 56 };

	context();
	argument(BPF_REG_2, small_diff());
	argument(BPF_REG_3, PICK(0, 1, 0, 1, 2));
	wide_argument(BPF_REG_4, flags[draw(ARRAY_SIZE(flags))]);
	call(BPF_FUNC_skb_adjust_room);
	read_field(BPF_W, SKB(protocol));
}

static void change_kind(void)
{
	context();
	if (draw(3)) {
		argument(BPF_REG_2, PICK(ETH_IP, ETH_IPV6, ETH_IPV6, ETH_IP, VLAN, 0));
		argument(BPF_REG_3, PICK(0, 0, 0, 1));
		call(BPF_FUNC_skb_change_proto);
		read_field(BPF_W, SKB(protocol));
	} else {
		argument(BPF_REG_2, PICK(0, 1, 2, 3, 4, 7, -1));
		call(BPF_FUNC_skb_change_type);
		read_field(BPF_W, SKB(pkt_type));
	}
}

static void vlan(void)
{
	context();
	if (draw(3)) {
		argument(BPF_REG_2, PICK(VLAN, VLAN, VLAN_AD, 0, -1, ETH_IP));
		argument(BPF_REG_3, (s32)draw(70000));
		call(BPF_FUNC_skb_vlan_push);
	} else {
		call(BPF_FUNC_skb_vlan_pop);
	}
	read_field(BPF_W, SKB(vlan_present));
	read_field(BPF_W, SKB(vlan_tci));
	read_field(BPF_W, SKB(vlan_proto));
	read_field(BPF_W, SKB(protocol));
	read_field(BPF_W, SKB(len));
}

/* Afterwards the hash is one that both sides have. */
static void hash(bool set)
{
	context();
	if (!set) {
		call_for_truth(BPF_FUNC_get_hash_recalc);
		context();
		call(BPF_FUNC_set_hash_invalid);
	} else {
		argument(BPF_REG_2, PICK(0, 1, -1, 0x12345678));
		call(BPF_FUNC_set_hash);
		read_field(BPF_W, SKB(hash));
		context();
		call(BPF_FUNC_get_hash_recalc);
		context();
		call(BPF_FUNC_set_hash_invalid);
	}
	read_field(BPF_W, SKB(hash));
}

static void tunnel_key(bool set)
{
	context();
	if (set) {
		fill_buffer();
		if (draw(4)) {
			emit(STORE_K(BPF_H, BPF_REG_10, STEP_BUFFER + 22, 0));
			emit(STORE_K(BPF_W, BPF_REG_10, STEP_BUFFER + 24,
				     draw(2) ? 0 : (s32)draw(0x7fffffff)));
		}
	}
	buffer(BPF_REG_2);
	argument(BPF_REG_3, draw(2) ? 44 : PICK(28, 24, 22, 8, 4, 20, 43, 45));
	argument(BPF_REG_4, set ? PICK(0, 1, 0, 1, 2, 4, 8, 16, 31, 32) : PICK(0, 1, 16, 17, 2));
	call(set ? BPF_FUNC_skb_set_tunnel_key : BPF_FUNC_skb_get_tunnel_key);
	if (!set)
		mix_buffer();
}

static void tunnel_opt(bool set)
{
	context();
	if (set)
		fill_buffer();
	buffer(BPF_REG_2);
	argument(BPF_REG_3, PICK(4, 8, 64, 3, 1, 32));
	call(set ? BPF_FUNC_skb_set_tunnel_opt : BPF_FUNC_skb_get_tunnel_opt);
	if (!set)
		mix_buffer();
}

static void times(void)
{
	context();
	argument(BPF_REG_2, PICK(0, 1, 100, -1));
	argument(BPF_REG_3, PICK(0, 1, 2, 3, 0));
	call(BPF_FUNC_skb_set_tstamp);
	read_field(BPF_DW, SKB(tstamp));
	read_field(BPF_B, 180 /* tstamp_type */);
}

static void redirect(void)
{
	argument(BPF_REG_1, (s32)draw(3));
	switch (draw(3)) {
	case 0:
		argument(BPF_REG_2, PICK(0, 1, 2, 4, -1));
		call(BPF_FUNC_redirect);
		break;
	case 1:
		argument(BPF_REG_2, PICK(0, 0, 1));
		call(BPF_FUNC_redirect_peer);
		break;
	default:
		buffer(BPF_REG_2);
		argument(BPF_REG_3, PICK(0, 20, 19, 24, 1));
		argument(BPF_REG_4, PICK(0, 0, 1));
		call(BPF_FUNC_redirect_neigh);
	}
}

static void clone(void)
{
	context();
	argument(BPF_REG_2, PICK(0, 1, 9999, 1));
	argument(BPF_REG_3, PICK(0, 0, 2, 1));
	call(BPF_FUNC_clone_redirect);
}

static void mtu(void)
{
	emit(STORE_K(BPF_W, BPF_REG_10, STEP_BUFFER, PICK(0, 0, 1500, 65536, 65537, 70000, -1)));
	context();
	argument(BPF_REG_2, PICK(0, 1, 9999, 0));
	buffer(BPF_REG_3);
	argument(BPF_REG_4, PICK(0, 10, -10, 70000, -70000));
	argument(BPF_REG_5, PICK(0, 0, 1, 2));
	call(BPF_FUNC_check_mtu);
	mix_buffer();
}

static void route(void)
{
	fill_buffer();
	emit(STORE_K(BPF_B, BPF_REG_10, STEP_BUFFER, PICK(2, 10, 2, 1)));
	emit(STORE_K(BPF_W, BPF_REG_10, STEP_BUFFER + 8, PICK(1, 1, 9999, 0)));
	/* 6.18 answers link-local destinations before it looks at the device. */
	emit(STORE_K(BPF_W, BPF_REG_10, STEP_BUFFER + 32, 0x20));
	context();
	buffer(BPF_REG_2);
	argument(BPF_REG_3, PICK(64, 64, 63));
	argument(BPF_REG_4, PICK(0, 1, 2, 4, 64, 63));
	call(BPF_FUNC_fib_lookup);
	mix_buffer();
}

/* Nobody listens in the test's own network namespace. */
static void lookup(void)
{
	fill_buffer();
	context();
	buffer(BPF_REG_2);
	argument(BPF_REG_3, PICK(12, 36, 0, 11, 13));
	argument(BPF_REG_4, PICK(0, -1, 1, 9999));
	argument(BPF_REG_5, PICK(0, 0, 1));
	emit(CALL(PICK(BPF_FUNC_sk_lookup_tcp, BPF_FUNC_sk_lookup_udp, BPF_FUNC_skc_lookup_tcp)));
	emit(JEQ_K(BPF_REG_0, 0, 3));
	emit(MOV_X(BPF_REG_1, BPF_REG_0));
	emit(CALL_(sk_release));
	emit(MOV_K(BPF_REG_0, 99));
	mix();
}

static void socket(void)
{
	emit(LOAD(BPF_DW, BPF_REG_1, CTX, SKB(sk)));
	emit(JEQ_K(BPF_REG_1, 0, 6));
	emit(CALL(PICK(BPF_FUNC_sk_fullsock, BPF_FUNC_get_listener_sock, BPF_FUNC_tcp_sock,
		       BPF_FUNC_skc_to_tcp_sock, BPF_FUNC_skc_to_udp6_sock,
		       BPF_FUNC_skc_to_unix_sock)));
	emit(JEQ_K(BPF_REG_0, 0, 1));
	emit(MOV_K(BPF_REG_0, 1));
	mix();
}

static void owner(u64 type)
{
	switch (draw(5)) {
	case 0:
		context();
		call_for_truth(BPF_FUNC_get_socket_cookie);
		break;
	case 1:
		argument(BPF_REG_1, 0);
		if (draw(2))
			context();
		call(BPF_FUNC_get_netns_cookie);
		break;
	case 2:
		context();
		call(type & (CLS | CGROUP) ? BPF_FUNC_skb_cgroup_id : BPF_FUNC_get_socket_uid);
		break;
	case 3:
		context();
		argument(BPF_REG_2, PICK(0, 1, 2, -1, 100));
		call(type & (CLS | CGROUP) ? BPF_FUNC_skb_ancestor_cgroup_id
					   : BPF_FUNC_get_socket_uid);
		break;
	default: context(); call(BPF_FUNC_get_socket_uid);
	}
}

static void odds_and_ends(u64 type)
{
	context();
	switch (draw(type & CLS ? 4 : 2)) {
	case 0: call(BPF_FUNC_get_route_realm); break;
	case 1: call(BPF_FUNC_get_cgroup_classid); break;
	case 2: call(BPF_FUNC_skb_cgroup_classid); break;
	default:
		argument(BPF_REG_2, 0);
		buffer(BPF_REG_3);
		argument(BPF_REG_4, 16);
		argument(BPF_REG_5, 0);
		call(BPF_FUNC_skb_get_xfrm_state);
		mix_buffer();
	}
}

static void ecn(void)
{
	context();
	call(BPF_FUNC_skb_ecn_set_ce);
}

/* What traffic control and, of the first rows, tunnels that transmit may do. */
static void change_step(u64 type)
{
	switch (draw(type & CLS ? 17 : 7)) {
	case 0: store_bytes(); break;
	case 1: csum_replace(); break;
	case 2: csum(); break;
	case 3: change_size(); break;
	case 4: tunnel_key(draw(2)); break;
	case 5: tunnel_opt(draw(2)); break;
	case 6: clone(); break;
	case 7:
	case 8: adjust_room(); break;
	case 9: change_kind(); break;
	case 10: vlan(); break;
	case 11: times(); break;
	case 12: redirect(); break;
	case 13: mtu(); break;
	case 14: route(); break;
	case 15: ecn(); break;
	default: hash(draw(2));
	}
}

void skb_step(u32 prog_type)
{
	u64 type = 1ull << prog_type;

	if (type & (CLS | LWT_XMIT) && draw(4)) {
		change_step(type);
	} else if (type & LWT && draw(2)) {
		odds_and_ends(type);
	} else if (type & (CLS | CGROUP) && draw(2)) {
		draw(2) ? lookup() : socket();
	} else if (type & (CLS | CGROUP | SOCKET)) {
		owner(type);
	} else {
		context();
		argument(BPF_REG_2, (s32)draw(100));
		call(BPF_FUNC_skb_pull_data);
	}
	if (type & CLS && !draw(6))
		odds_and_ends(type);
	if (type & CGROUP && !draw(4))
		ecn();
}

/* Reads or writes what the dissector is asked for. */
void flow_step(void)
{
	static const struct {
		u8 size;
		s16 offset;
	} keys[] = {
#define KEY(size, name) { size, offsetof(struct bpf_flow_keys, name) }
		KEY(BPF_H, nhoff),    KEY(BPF_H, thoff),    KEY(BPF_H, addr_proto),
		KEY(BPF_B, is_frag),  KEY(BPF_B, is_encap), KEY(BPF_B, ip_proto),
		KEY(BPF_H, n_proto),  KEY(BPF_H, sport),    KEY(BPF_H, dport),
		KEY(BPF_W, ipv4_src), KEY(BPF_W, flags),    KEY(BPF_W, flow_label),
#undef KEY
	};
	u32 key = draw(ARRAY_SIZE(keys));

	if (!draw(4)) {
		context();
		argument(BPF_REG_2, draw_offset());
		buffer(BPF_REG_3);
		argument(BPF_REG_4, draw_length());
		call(BPF_FUNC_skb_load_bytes);
		mix_buffer();
		return;
	}
	emit(LOAD(BPF_DW, BPF_REG_1, CTX, SKB(flow_keys)));
	emit(LOAD(keys[key].size, BPF_REG_0, BPF_REG_1, keys[key].offset));
	if (draw(2)) {
		argument(BPF_REG_2, PICK(0, 1, 13, 14, 20, 40, 65535, 3000));
		emit(INSN(BPF_STX | BPF_MEM | keys[key].size, BPF_REG_1, BPF_REG_2,
			  keys[key].offset, 0));
	}
	mix();
}

void sk_lookup_step(void)
{
	static const s16 fields[] = {
#define FIELD(name) offsetof(struct bpf_sk_lookup, name)
		FIELD(family),	      FIELD(protocol),	      FIELD(remote_ip4),
		FIELD(remote_ip6),    FIELD(remote_ip6) + 12, FIELD(remote_port),
		FIELD(local_ip4),     FIELD(local_ip6),	      FIELD(local_port),
		FIELD(local_ip6) + 4, FIELD(local_port) + 4,
#undef FIELD
	};

	if (draw(3)) {
		emit(LOAD((u8)PICK(BPF_W, BPF_W, BPF_H, BPF_B), BPF_REG_0, CTX,
			  fields[draw(ARRAY_SIZE(fields))]));
		mix();
		return;
	}
	context();
	emit(LOAD(BPF_DW, BPF_REG_2, CTX, 0));
	if (draw(2))
		argument(BPF_REG_2, 0);
	argument(BPF_REG_3, PICK(0, 1, 2, 3, 4));
	call(BPF_FUNC_sk_assign);
}
