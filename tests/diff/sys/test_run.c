/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PROG_TEST_RUN on the running kernel and on skep side by side: random XDP, tc, cgroup_skb
 * programs and socket filters made of packet helpers, packet loads and context accesses, run on
 * random packets of all sizes with random contexts, flags and room for the results. Verdict, errno,
 * return value, data, context and sizes must be the same.
 *
 * Not drawn: live frames, which skep refuses by rule, and devices other than the loopback.
 *
 * Usage: diff-sys-test_run [PROGRAMS [SEED [verbose]]]
 */
#include "packet_steps.h"

#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define RUNS	  12 /* of each program */
#define INSNS_MAX 1000
#define BUFFER	  STEP_BUFFER
#define GROWN_MAX 16064u /* SKB_MAX_ALLOC: other socket buffers do not grow beyond it */
#define ROOM	  80000u /* the largest packet */

#define NET_OFF (-0x100000)
#define LL_OFF	(-0x200000)

static struct world *worlds[2];
static u64 state;
static u32 differences, accepted, successes;
static struct bpf_insn insns[INSNS_MAX];
static u32 nr_insns;

u32 draw(u32 below)
{
	state = state * 6364136223846793005ull + 1442695040888963407ull;
	return (u32)(state >> 33) % below;
}

s32 pick(const s32 *values, u32 nr)
{
	return values[draw(nr)];
}

void emit(struct bpf_insn insn)
{
	insns[nr_insns++] = insn;
}

void mix(void)
{
	emit(INSN(BPF_ALU64 | BPF_MUL | BPF_K, HASH, 0, 0, 31));
	emit(INSN(BPF_ALU64 | BPF_ADD | BPF_X, HASH, BPF_REG_0, 0, 0));
}

void mix_buffer(void)
{
	for (s16 at = BUFFER; at < 0; at = (s16)(at + 16)) {
		emit(LOAD(BPF_DW, BPF_REG_0, BPF_REG_10, at));
		mix();
	}
}

static s32 draw_delta(void)
{
	return draw(3) ? (s32)draw(40) - 20
		       : PICK(0, 4, -4, -252, -256, -216, -212, -220, -3000, 3000, 4095, 4096, 256,
			      -257, 0x7fffffff, (s32)0x80000000, 300, -300, -1, 50, -50);
}

s32 draw_offset(void)
{
	return draw(3) ? (s32)draw(80)
		       : PICK(0, 1, 14, 3392, 3391, 3390, 3436, 4096, 0xffff, 0x10000, -1, -14,
			      0x7fffffff, 60, 64, 7000);
}

s32 draw_length(void)
{
	return draw(2) ? (s32)draw(64) + 1 : PICK(1, 2, 4, 8, 16, 63, 64);
}

/* r1 = ctx, r2 = offset, r3 = buffer, r4 = length */
static void buffer_arguments(void)
{
	emit(MOV_X(BPF_REG_1, CTX));
	emit(MOV_K(BPF_REG_2, draw_offset()));
	emit(MOV_X(BPF_REG_3, BPF_REG_10));
	emit(ADD_K(BPF_REG_3, BUFFER));
	emit(MOV_K(BPF_REG_4, draw_length()));
}

static void call_csum(void)
{
	u32 from = draw(17) * 4, to = draw(17) * 4;

	if (from < 64 && !draw(8))
		from++;
	emit(MOV_X(BPF_REG_1, BPF_REG_10));
	emit(ADD_K(BPF_REG_1, -(s32)ALIGN_UP(from ? from : 8, 8u)));
	emit(MOV_K(BPF_REG_2, (s32)from));
	emit(MOV_X(BPF_REG_3, BPF_REG_10));
	emit(ADD_K(BPF_REG_3, BUFFER));
	emit(MOV_K(BPF_REG_4, (s32)(to > 64 ? 64 : to)));
	emit(MOV_K(BPF_REG_5, draw(2) ? 0 : PICK(-1, 1, 0x12345678, (s32)0xffff0000, 0xffff)));
	if (!draw(6)) {
		insns[nr_insns - 7] = MOV_K(BPF_REG_1, 0);
		insns[nr_insns - 6] = ADD_K(BPF_REG_1, 0);
		insns[nr_insns - 5] = MOV_K(BPF_REG_2, 0);
		insns[nr_insns - 6] = MOV_K(BPF_REG_0, 0);
	}
	emit(CALL_(csum_diff));
	mix();
}

/* Reads or changes a byte of the packet, if it is long enough. */
static void touch_packet(s16 data, s16 data_end, bool write)
{
	s32 at = (s32)draw(100);

	emit(LOAD(BPF_W, BPF_REG_1, CTX, data));
	emit(LOAD(BPF_W, BPF_REG_2, CTX, data_end));
	emit(MOV_X(BPF_REG_3, BPF_REG_1));
	emit(ADD_K(BPF_REG_3, at + 1));
	emit(JGT_X(BPF_REG_3, BPF_REG_2, 4));
	emit(LOAD(BPF_B, BPF_REG_0, BPF_REG_1, (s16)at));
	emit(INSN(BPF_ALU64 | BPF_MUL | BPF_K, HASH, 0, 0, 31));
	emit(INSN(BPF_ALU64 | BPF_ADD | BPF_X, HASH, BPF_REG_0, 0, 0));
	emit(write ? STORE_K(BPF_B, BPF_REG_1, (s16)at, (s32)draw(256))
		   : LOAD(BPF_B, BPF_REG_0, BPF_REG_1, (s16)at));
}

static void xdp_step(void)
{
	static const s32 adjust[] = { BPF_FUNC_xdp_adjust_head, BPF_FUNC_xdp_adjust_meta,
				      BPF_FUNC_xdp_adjust_tail, BPF_FUNC_xdp_adjust_tail };

	switch (draw(9)) {
	case 0:
	case 1:
	case 2:
		emit(MOV_X(BPF_REG_1, CTX));
		emit(MOV_K(BPF_REG_2, draw_delta()));
		emit(CALL(pick(adjust, ARRAY_SIZE(adjust))));
		break;
	case 3:
		emit(MOV_X(BPF_REG_1, CTX));
		emit(CALL_(xdp_get_buff_len));
		break;
	case 4:
		buffer_arguments();
		emit(CALL_(xdp_load_bytes));
		mix();
		mix_buffer();
		return;
	case 5:
		buffer_arguments();
		emit(CALL_(xdp_store_bytes));
		break;
	case 6: call_csum(); return;
	case 7:
		touch_packet(offsetof(struct xdp_md, data), offsetof(struct xdp_md, data_end),
			     true);
		return;
	default:
		emit(MOV_K(BPF_REG_1, (s32)draw(4)));
		emit(MOV_K(BPF_REG_2, PICK(0, 0, 1, -1)));
		emit(CALL_(redirect));
	}
	mix();
}

/* Which of the steps below the type may take. */
static u32 filter_kind(u32 type)
{
	u32 kind = draw(6);

	switch (type) {
	case BPF_PROG_TYPE_SOCKET_FILTER:
	case BPF_PROG_TYPE_SCHED_CLS:
	case BPF_PROG_TYPE_SCHED_ACT: return kind;
	case BPF_PROG_TYPE_CGROUP_SKB: return kind == 2 || kind == 3 ? 1 : kind;
	default: return kind >= 1 && kind <= 3 ? 0 : kind;
	}
}

static void filter_step(u32 type)
{
	static const s32 fields[] = {
#define FIELD(name) offsetof(struct __sk_buff, name)
		FIELD(len),	 FIELD(pkt_type),	 FIELD(mark),	  FIELD(queue_mapping),
		FIELD(protocol), FIELD(vlan_present),	 FIELD(vlan_tci), FIELD(vlan_proto),
		FIELD(priority), FIELD(ingress_ifindex), FIELD(ifindex),  FIELD(tc_index),
		FIELD(cb),	 FIELD(cb) + 16,	 FIELD(hash),	  FIELD(napi_id),
		FIELD(gso_segs), FIELD(gso_size),
#undef FIELD
	};
	static const u8 sizes[] = { BPF_B, BPF_H, BPF_W };

	switch (filter_kind(type)) {
	case 0:
		buffer_arguments();
		emit(CALL_(skb_load_bytes));
		mix();
		mix_buffer();
		return;
	case 1:
		buffer_arguments();
		emit(MOV_K(BPF_REG_5, PICK(0, 1, 0, 1, 2, -1)));
		emit(CALL_(skb_load_bytes_relative));
		mix();
		mix_buffer();
		return;
	case 2:
		emit(INSN(BPF_LD | BPF_ABS | sizes[draw(3)], 0, 0, 0,
			  PICK(0, 0, NET_OFF, LL_OFF, LL_OFF - 1, 0) + (s32)draw(20)));
		break;
	case 3:
		emit(MOV_K(BPF_REG_1, PICK(0, 3, -3, 10, NET_OFF, LL_OFF, 0x7fffffff)));
		emit(INSN(BPF_LD | BPF_IND | sizes[draw(3)], 0, BPF_REG_1, 0,
			  PICK(0, 0, NET_OFF, LL_OFF, -5) + (s32)draw(20)));
		break;
	case 4: emit(LOAD(BPF_W, BPF_REG_0, CTX, (s16)pick(fields, ARRAY_SIZE(fields)))); break;
	default:
		emit(MOV_K(BPF_REG_0, (s32)draw(1000)));
		emit(INSN(BPF_STX | BPF_MEM | BPF_W, CTX, BPF_REG_0,
			  (s16)(offsetof(struct __sk_buff, cb) + 4 * draw(5)), 0));
	}
	mix();
}

/* What traffic control has more than socket filters. */
static void tc_step(void)
{
	static const s16 fields[] = {
		offsetof(struct __sk_buff, mark),
		offsetof(struct __sk_buff, priority),
		offsetof(struct __sk_buff, tc_index),
		offsetof(struct __sk_buff, tc_classid),
	};

	switch (draw(4)) {
	case 0:
		touch_packet(offsetof(struct __sk_buff, data), offsetof(struct __sk_buff, data_end),
			     true);
		return;
	case 1:
		emit(MOV_K(BPF_REG_0, (s32)draw(70000)));
		emit(INSN(BPF_STX | BPF_MEM | BPF_W, CTX, BPF_REG_0, fields[draw(4)], 0));
		emit(LOAD(BPF_W, BPF_REG_0, CTX, fields[draw(4)]));
		break;
	case 2: emit(LOAD(BPF_W, BPF_REG_0, CTX, offsetof(struct __sk_buff, wire_len))); break;
	default:
		emit(LOAD(BPF_DW, BPF_REG_1, CTX, offsetof(struct __sk_buff, sk)));
		emit(JEQ_K(BPF_REG_1, 0, 2));
		emit(LOAD(BPF_W, BPF_REG_0, BPF_REG_1,
			  (s16)PICK(offsetof(struct bpf_sock, family),
				    offsetof(struct bpf_sock, src_ip4),
				    offsetof(struct bpf_sock, dst_ip4),
				    offsetof(struct bpf_sock, state),
				    offsetof(struct bpf_sock, type))));
		emit(INSN(BPF_JMP | BPF_JA, 0, 0, 1, 0));
		emit(MOV_K(BPF_REG_0, 77));
	}
	mix();
}

static void cgroup_step(void)
{
	emit(LOAD(BPF_W, BPF_REG_0, CTX,
		  (s16)PICK(offsetof(struct __sk_buff, family),
			    offsetof(struct __sk_buff, remote_ip4),
			    offsetof(struct __sk_buff, local_ip4),
			    offsetof(struct __sk_buff, remote_port),
			    offsetof(struct __sk_buff, local_port))));
	mix();
}

static void step(u32 type)
{
	if (type == BPF_PROG_TYPE_XDP)
		xdp_step();
	else if (type == BPF_PROG_TYPE_SK_LOOKUP)
		sk_lookup_step();
	else if (type == BPF_PROG_TYPE_FLOW_DISSECTOR && draw(3))
		flow_step();
	else if (type == BPF_PROG_TYPE_FLOW_DISSECTOR)
		touch_packet(offsetof(struct __sk_buff, data), offsetof(struct __sk_buff, data_end),
			     false);
	else if (draw(2))
		skb_step(type);
	else if ((type == BPF_PROG_TYPE_SCHED_CLS || type == BPF_PROG_TYPE_SCHED_ACT) && draw(2))
		tc_step();
	else if (type == BPF_PROG_TYPE_CGROUP_SKB && !draw(3))
		cgroup_step();
	else if (type == BPF_PROG_TYPE_CGROUP_SKB && !draw(3))
		touch_packet(offsetof(struct __sk_buff, data), offsetof(struct __sk_buff, data_end),
			     false);
	else
		filter_step(type);
}

static void generate(u32 type)
{
	u32 steps = 1 + draw(8);

	nr_insns = 0;
	emit(MOV_X(CTX, BPF_REG_1));
	emit(MOV_K(HASH, (s32)draw(100)));
	for (s16 at = BUFFER; at < 0; at = (s16)(at + 8))
		emit(STORE_K(BPF_DW, BPF_REG_10, at, (s32)draw(1000000)));
	while (steps--)
		step(type);
	emit(MOV_X(BPF_REG_0, HASH));
	if (type == BPF_PROG_TYPE_CGROUP_SKB || type == BPF_PROG_TYPE_SK_LOOKUP)
		emit(INSN(BPF_ALU64 | BPF_AND | BPF_K, BPF_REG_0, 0, 0, 1));
	emit(EXIT());
}

static u32 draw_size(void)
{
	return draw(2) ? 14 + draw(120)
		       : (u32)PICK(0, 1, 13, 14, 15, 16, 33, 34, 53, 54, 60, 64, 1514, 3390, 3391,
				   3392, 3393, 3436, 3519, 3520, 3521, 3692, 3710, 3711, 3712, 3713,
				   3776, 4096, 5000, 7488, 7489, 9000, 40000, 73024, 73025, 79000);
}

static u8 packet[ROOM], outs[2][ROOM + 4096];
static u8 ctx[256], ctx_outs[2][256];

static void draw_packet(void)
{
	for (u32 i = 0; i < 200; i++)
		packet[i] = (u8)draw(256);
	if (draw(2))
		memset(packet, draw(2) ? 0 : 255, 6);
	packet[12] = (u8)PICK(0x08, 0x86, 0x00, 0x05, 0x06, 0x81);
	packet[13] = (u8)PICK(0x00, 0xdd, 0x06);
	if (!draw(4))
		memset(packet + 14, 255, 2);
}

static void draw_xdp_ctx(const union abi_attr *attr)
{
	struct xdp_md *md = (struct xdp_md *)ctx;

	md->data_end = draw(4) ? attr->test.data_size_in : draw_size();
	md->data = draw(2) ? 0 : (u32)PICK(4, 8, 16, 252, 256, 216, 212, 3, 220);
	if (!draw(3))
		md->ingress_ifindex = (u32)PICK(0, 1, 1, 9999);
	if (!draw(6))
		md->rx_queue_index = draw(3);
	if (!draw(16))
		md->egress_ifindex = 1;
	if (!draw(16))
		md->data_meta = 1;
}

static void draw_skb_ctx(void)
{
	struct __sk_buff *skb = (struct __sk_buff *)ctx;

	skb->mark = draw(3);
	skb->priority = draw(3);
	skb->ingress_ifindex = draw(3);
	skb->ifindex = (u32)PICK(0, 1, 0, 1, 9999);
	skb->cb[draw(5)] = draw(100);
	skb->tstamp = draw(3);
	skb->wire_len = draw(2) ? 0 : draw_size();
	skb->gso_segs = (u32)PICK(0, 1, 65535, 65536);
	skb->gso_size = (u32)PICK(0, 1, 65535, 65536, 65537);
	skb->hwtstamp = draw(3);
	if (!draw(6))
		ctx[draw(sizeof(*skb))] = 1;
}

static void draw_flow_ctx(void)
{
	ctx[offsetof(struct bpf_flow_keys, flags)] = (u8)draw(4);
	if (!draw(6))
		ctx[draw(sizeof(struct bpf_flow_keys))] = 1;
}

static void draw_lookup_ctx(void)
{
	struct bpf_sk_lookup *lookup = (struct bpf_sk_lookup *)ctx;

	for (u32 i = 8; i < offsetof(struct bpf_sk_lookup, local_port); i++)
		ctx[i] = (u8)draw(256);
	lookup->family = (u32)PICK(AF_INET, AF_INET6, AF_INET, AF_UNIX, 0x10002);
	lookup->local_port = (u32)PICK(0, 80, 65535, 65535, 65536);
	if (!draw(6))
		ctx[draw(sizeof(*lookup))] = 1;
}

static void draw_ctx(const union abi_attr *attr, u32 type)
{
	switch (type) {
	case BPF_PROG_TYPE_XDP: draw_xdp_ctx(attr); break;
	case BPF_PROG_TYPE_FLOW_DISSECTOR: draw_flow_ctx(); break;
	case BPF_PROG_TYPE_SK_LOOKUP: draw_lookup_ctx(); break;
	default: draw_skb_ctx();
	}
}

static u32 ctx_size_of(u32 type)
{
	switch (type) {
	case BPF_PROG_TYPE_XDP: return sizeof(struct xdp_md);
	case BPF_PROG_TYPE_FLOW_DISSECTOR: return sizeof(struct bpf_flow_keys);
	case BPF_PROG_TYPE_SK_LOOKUP: return sizeof(struct bpf_sk_lookup);
	default: return sizeof(struct __sk_buff);
	}
}

/* Socket lookups have no data at all, mostly. */
static void draw_no_data(union abi_attr *attr, u32 type)
{
	if (type != BPF_PROG_TYPE_SK_LOOKUP || !draw(8))
		return;
	attr->test.data_in = 0;
	attr->test.data_size_in = 0;
	attr->test.data_size_out = 0;
}

static void draw_run(union abi_attr *attr, u32 type)
{
	u32 known = ctx_size_of(type);

	memset(attr, 0, sizeof(*attr));
	memset(ctx, 0, sizeof(ctx));
	draw_packet();
	attr->test.data_size_in = draw_size();
	attr->test.data_in = (u64)(uintptr_t)packet;
	attr->test.repeat = (u32)PICK(0, 0, 1, 2, 5);
	if (!draw(16))
		attr->test.flags = (u32)PICK(1, 4, 8, 16);
	if (type != BPF_PROG_TYPE_XDP && !draw(3))
		attr->test.flags = 4; /* BPF_F_TEST_SKB_CHECKSUM_COMPLETE */
	if (!draw(32))
		attr->test.cpu = 1;
	if (!draw(32))
		attr->test.batch_size = 1;
	if (!draw(32))
		attr->test.data_in = 8;
	if (draw(2)) {
		draw_ctx(attr, type);
		attr->test.ctx_in = (u64)(uintptr_t)ctx;
		attr->test.ctx_size_in = draw(4) ? known : (u32)PICK(0, 4, 16, 100, 200, 256);
	}
	if (draw(8))
		attr->test.data_size_out = draw(3) ? ROOM + 4096 : draw_size();
	draw_no_data(attr, type);
}

static void outputs(union abi_attr *attr, u32 side, bool data, u32 ctx_size)
{
	memset(outs[side], 0xaa, sizeof(outs[side]));
	memset(ctx_outs[side], 0xaa, sizeof(ctx_outs[side]));
	attr->test.data_out = data ? (u64)(uintptr_t)outs[side] : 0;
	attr->test.ctx_out = ctx_size ? (u64)(uintptr_t)ctx_outs[side] : 0;
	attr->test.ctx_size_out = ctx_size;
}

/* With a third argument: the programs of the differences too. */
static bool verbose;

static void show_program(void)
{
	if (!verbose)
		return;
	for (u32 i = 0; i < nr_insns; i++)
		tap_note("  %u: %02x r%u r%u %d %d", i, insns[i].code, insns[i].dst_reg,
			 insns[i].src_reg, insns[i].off, insns[i].imm);
}

static void compare_run(const int *fds, u32 type)
{
	bool data = draw(8) && type != BPF_PROG_TYPE_SK_LOOKUP;
	u32 ctx_size = draw(2) ? 0 : (u32)PICK(4, 24, 100, 192, 200);
	union abi_attr attr, attrs[2];
	long results[2];
	const char *what = NULL;

	draw_run(&attr, type);
	for (u32 side = 0; side < 2; side++) {
		attrs[side] = attr;
		attrs[side].test.prog_fd = (u32)fds[side];
		outputs(&attrs[side], side, data, ctx_size);
		results[side] = world_call(worlds[side], BPF_PROG_TEST_RUN, &attrs[side]);
	}
	successes += results[0] == 0;
	if (results[0] != results[1])
		what = "errno";
	else if (attrs[0].test.retval != attrs[1].test.retval)
		what = "retval";
	else if (attrs[0].test.data_size_out != attrs[1].test.data_size_out)
		what = "data_size_out";
	else if (attrs[0].test.ctx_size_out != attrs[1].test.ctx_size_out)
		what = "ctx_size_out";
	else if (memcmp(outs[0], outs[1], sizeof(outs[0])))
		what = "data";
	else if (memcmp(ctx_outs[0], ctx_outs[1], sizeof(ctx_outs[0])))
		what = "ctx";
	/* Only packets with a GSO size get that long; skep has no room for more (docs/test-run.md).
	 */
	if (what && type != BPF_PROG_TYPE_XDP && attr.test.ctx_in &&
	    (attrs[0].test.data_size_out > GROWN_MAX || attrs[1].test.data_size_out > GROWN_MAX))
		return;
	if (!what || differences++ >= 20)
		return;
	tap_note("%s: kernel %ld (%#x, %u), skep %ld (%#x, %u); type %u, %u bytes, repeat %u, "
		 "flags %#x, ctx %u, out %u of %d, ctx out %u",
		 what, results[0], attrs[0].test.retval, attrs[0].test.data_size_out, results[1],
		 attrs[1].test.retval, attrs[1].test.data_size_out, type, attr.test.data_size_in,
		 attr.test.repeat, attr.test.flags, attr.test.ctx_size_in, attr.test.data_size_out,
		 data, ctx_size);
	if (attr.test.ctx_in)
		tap_note("  ctx %u %u %u %u %u %u", ((u32 *)ctx)[0], ((u32 *)ctx)[1],
			 ((u32 *)ctx)[2], ((u32 *)ctx)[3], ((u32 *)ctx)[4], ((u32 *)ctx)[5]);
	show_program();
}

/* Why one of the two refuses the program. */
static void show_log(u32 type, u32 side)
{
	static char log[65536];
	union abi_attr attr;
	u64 length, lines = 0;

	attr = world_prog_attr(type, insns, nr_insns);
	attr.load.expected_attach_type = type == BPF_PROG_TYPE_SK_LOOKUP ? BPF_SK_LOOKUP : 0;
	attr.load.log_level = 1;
	attr.load.log_buf = (u64)(uintptr_t)log;
	attr.load.log_size = sizeof(log);
	world_call(worlds[side], BPF_PROG_LOAD, &attr);
	for (length = strlen(log); length && lines < 5; length--)
		lines += log[length - 1] == '\n';
	tap_note("%s says: %s", worlds[side]->name, log + length);
}

static int load(struct world *world, u32 type)
{
	return world_prog_for(world, type, type == BPF_PROG_TYPE_SK_LOOKUP ? BPF_SK_LOOKUP : 0,
			      insns, nr_insns);
}

static void compare_program(void)
{
	static const s32 types[] = { BPF_PROG_TYPE_XDP,
				     BPF_PROG_TYPE_SOCKET_FILTER,
				     BPF_PROG_TYPE_SCHED_CLS,
				     BPF_PROG_TYPE_CGROUP_SKB,
				     BPF_PROG_TYPE_SCHED_ACT,
				     BPF_PROG_TYPE_LWT_IN,
				     BPF_PROG_TYPE_FLOW_DISSECTOR,
				     BPF_PROG_TYPE_SK_LOOKUP,
				     BPF_PROG_TYPE_LWT_OUT,
				     BPF_PROG_TYPE_LWT_XMIT,
				     BPF_PROG_TYPE_SCHED_CLS };
	u32 type = (u32)pick(types, ARRAY_SIZE(types));
	int fds[2];

	generate(type);
	for (u32 side = 0; side < 2; side++)
		fds[side] = load(worlds[side], type);
	accepted += fds[0] >= 0;
	if ((fds[0] < 0 ? fds[0] : 0) != (fds[1] < 0 ? fds[1] : 0) && differences++ < 20) {
		tap_note("verdict: kernel %d, skep %d, type %u", fds[0], fds[1], type);
		show_program();
		show_log(type, fds[0] < 0 ? 0 : 1);
	}
	for (u32 run = 0; run < RUNS && fds[0] >= 0 && fds[1] >= 0; run++)
		compare_run(fds, type);
	for (u32 side = 0; side < 2; side++)
		if (fds[side] >= 0)
			worlds[side]->close(worlds[side], fds[side]);
}

/* A network namespace of our own: nobody listens, and what is sent to the loopback stays in it. */
static bool leave_network(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd, error;

	if (unshare(CLONE_NEWNET))
		return false;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	error = fd < 0 ? fd : ioctl(fd, SIOCSIFFLAGS, &request);
	close(fd);
	return !error;
}

int main(int argc, char **argv)
{
	u32 programs = argc > 1 ? (u32)strtoul(argv[1], NULL, 0) : 400;

	state = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	verbose = argc > 3;
	worlds[0] = leave_network() ? world_kernel() : NULL;
	if (!worlds[0]) {
		tap_skip(1, "no kernel bpf(2) here");
		return tap_done();
	}
	worlds[1] = world_skep();
	for (u32 i = 0; i < sizeof(packet); i++)
		packet[i] = (u8)(i * 7 + i / 256);
	for (u32 i = 0; i < programs; i++)
		compare_program();
	tap_note("%u programs, %u accepted, %u successful runs", programs, accepted, successes);
	tap_is(differences, 0, "kernel and skep run the same");
	tap_ok(accepted > programs / 2, "most programs are accepted");
	tap_ok(successes > programs, "many runs are successful");
	tap_is(world_skep_free(worlds[1]), 0, "nothing is left");
	return tap_done();
}
