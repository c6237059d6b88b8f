/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PROG_TEST_RUN of programs over socket buffers (the kernel's bpf_prog_test_run_skb()): the packet
 * is an Ethernet frame that came in through the loopback; the program sees it behind that header.
 */
#include "sys/test_run.h"
#include "abi/context.h"
#include "base/alloc.h"

#include <errno.h>
#include <string.h>

#define HEADROOM      64u /* NET_SKB_PAD + NET_IP_ALIGN, which is 0 on x86 */
#define FRAME_MAX     (TEST_PAGE - HEADROOM - TEST_TAILROOM)
#define CHECKSUM_FLAG 4u     /* BPF_F_TEST_SKB_CHECKSUM_COMPLETE */
#define WIRE_LEN_MAX  65536u /* GSO_LEGACY_MAX_SIZE */
#define GSO_SEGS_MAX  65535u
#define PROTOCOL_MIN  0x600u /* ETH_P_802_3_MIN: smaller ones are lengths */

#define LINEAR_MAX (TEST_PAGE - HEADROOM - TEST_TAILROOM)

struct packet {
	u8 *frame; /* with its Ethernet header */
	u32 size;
};

/* What eth_type_trans() takes for the protocol, in host byte order. */
static u32 protocol_of(const struct packet *packet)
{
	const u8 *header = packet->frame;
	u32 type = (u32)header[12] << 8 | header[13];

	if (type >= PROTOCOL_MIN)
		return type;
	/* Novell's frames begin with a checksum that is not there; everything else is 802.2. */
	return packet->size >= 16 && header[14] == 0xff && header[15] == 0xff ? 1 : 4;
}

/* To whom it goes, seen from the loopback: its address is zero, and so is its broadcast address. */
static u32 packet_type_of(const struct packet *packet)
{
	static const u8 zero[6];

	if (!memcmp(packet->frame, zero, 6))
		return 0;		     /* PACKET_HOST */
	return packet->frame[0] & 1 ? 2 : 3; /* PACKET_MULTICAST, PACKET_OTHERHOST */
}

/* Fields of struct __sk_buff that a test may set; everything else must be zero. */
static bool skb_ctx_is_plain(const struct __sk_buff *skb)
{
	static const struct {
		u32 offset, size;
	} allowed[] = {
#define FIELD(name) { offsetof(struct __sk_buff, name), sizeof(((struct __sk_buff *)0)->name) }
		FIELD(mark),	 FIELD(priority), FIELD(ingress_ifindex), FIELD(ifindex),
		FIELD(cb),	 FIELD(tstamp),	  FIELD(wire_len),	  FIELD(gso_segs),
		FIELD(gso_size), FIELD(hwtstamp),
#undef FIELD
	};
	struct __sk_buff rest = *skb;
	const u8 *bytes = (const u8 *)&rest;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(allowed); i++)
		memset((u8 *)&rest + allowed[i].offset, 0, allowed[i].size);
	for (i = 0; i < sizeof(rest); i++)
		if (bytes[i])
			return false;
	return true;
}

static int check_ctx(const struct __sk_buff *skb, const struct packet *packet)
{
	u32 protocol = protocol_of(packet), length = packet->size - TEST_ETH_HEADER;

	if (skb->ifindex > 1)
		return -ENODEV;
	if ((protocol == 0x0800 && length < 20) || (protocol == 0x86dd && length < 40))
		return -EINVAL;
	if (!skb_ctx_is_plain(skb))
		return -EINVAL;
	if (skb->wire_len && (skb->wire_len < length || skb->wire_len > WIRE_LEN_MAX))
		return -EINVAL;
	return skb->gso_segs > GSO_SEGS_MAX ? -EINVAL : 0;
}

static void fill_skb(struct abi_rt_skb *ctx, const struct __sk_buff *skb,
		     const struct packet *packet)
{
	u32 protocol = protocol_of(packet);

	memset(ctx, 0, sizeof(*ctx));
	ctx->mac_header = (u64)(uintptr_t)packet->frame;
	ctx->data = ctx->network_header = ctx->mac_header + TEST_ETH_HEADER;
	ctx->data_end = ctx->mac_header + packet->size;
	ctx->len = packet->size - TEST_ETH_HEADER;
	ctx->pkt_type = packet_type_of(packet);
	ctx->protocol = (protocol & 0xff) << 8 | protocol >> 8; /* network byte order */
	ctx->mark = skb->mark;
	ctx->priority = skb->priority;
	ctx->ingress_ifindex = skb->ingress_ifindex;
	ctx->ifindex = 1;
	ctx->tstamp = skb->tstamp;
	ctx->hwtstamp = skb->hwtstamp;
	ctx->gso_segs = skb->gso_segs;
	ctx->gso_size = skb->gso_size & 0xffff; /* as wide as the kernel's */
	memcpy(ctx->cb, skb->cb, sizeof(ctx->cb));
}

static int run_packet(struct sys_call *call, struct sys_prog *prog, struct packet *packet,
		      struct __sk_buff *skb)
{
	struct abi_rt_skb ctx;
	int error;

	fill_skb(&ctx, skb, packet);
	error = test_run(call, prog, &ctx);
	if (error)
		return error;
	skb->mark = ctx.mark;
	skb->priority = ctx.priority;
	skb->ingress_ifindex = ctx.ingress_ifindex;
	skb->ifindex = ctx.ifindex;
	skb->tstamp = ctx.tstamp;
	skb->wire_len = skb->wire_len ? skb->wire_len : packet->size - TEST_ETH_HEADER;
	memcpy(skb->cb, ctx.cb, sizeof(skb->cb));
	memset(packet->frame, 0, TEST_ETH_HEADER); /* the kernel puts an empty one back */
	return test_finish(call,
			   &(struct test_data){ .data = packet->frame, .size = packet->size });
}

long test_run_skb(struct sys_call *call, struct sys_prog *prog)
{
	const union abi_attr *attr = &call->attr;
	struct packet packet = { .size = attr->test.data_size_in };
	struct __sk_buff skb;
	bool given;
	int error;

	if (attr->test.flags & ~CHECKSUM_FLAG || attr->test.cpu || attr->test.batch_size ||
	    packet.size < TEST_ETH_HEADER || packet.size > FRAME_MAX)
		return -EINVAL;
	packet.frame = base_zalloc(1, packet.size);
	if (!packet.frame)
		return -ENOMEM;
	error = sys_read(call, packet.frame, attr->test.data_in, packet.size);
	if (!error)
		error = test_ctx_init(call, &skb, sizeof(skb), &given);
	if (!error)
		error = check_ctx(&skb, &packet);
	if (!error)
		error = run_packet(call, prog, &packet, &skb);
	if (!error && given)
		error = test_ctx_finish(call, &skb, sizeof(skb));
	base_free(packet.frame);
	return error;
}
