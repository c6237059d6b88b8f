/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PROG_TEST_RUN of programs over socket buffers (the kernel's bpf_prog_test_run_skb()): the packet
 * is an Ethernet frame that came in through the loopback; the program sees it behind that header.
 */
#include "sys/test_run.h"
#include "sys/map_slot.h"
#include "abi/context.h"
#include "base/alloc.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <string.h>
#include <sys/socket.h>

#define HEADROOM      64u /* NET_SKB_PAD + NET_IP_ALIGN, which is 0 on x86 */
#define FRAME_MAX     (TEST_PAGE - HEADROOM - TEST_TAILROOM)
#define CHECKSUM_FLAG 4u     /* BPF_F_TEST_SKB_CHECKSUM_COMPLETE */
#define WIRE_LEN_MAX  65536u /* GSO_LEGACY_MAX_SIZE */
#define GSO_SEGS_MAX  65535u
#define PROTOCOL_MIN  0x600u /* ETH_P_802_3_MIN: smaller ones are lengths */

/* How far a packet may grow to its head, and how long it may get (the kernel's SKB_MAX_ALLOC). */
#define GROW_MAX 16384u

struct packet {
	u8 *frame; /* with its Ethernet header */
	u32 size;
	bool is_l2;   /* the program sees that header */
	bool has_ctx; /* the client gave or wants one */
	u8 *room;     /* the frame lies in it: GROW_MAX bytes before it, and up to as many from its
			 start */
	struct abi_rt_sock sock;
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
	if (packet->is_l2)
		length = packet->size;
	if (skb->wire_len && (skb->wire_len < length || skb->wire_len > WIRE_LEN_MAX))
		return -EINVAL;
	return skb->gso_segs > GSO_SEGS_MAX ? -EINVAL : 0;
}

static u32 word_at(const u8 *at)
{
	u32 word;

	memcpy(&word, at, sizeof(word));
	return word;
}

/* The socket that the kernel makes for the packet: of no type, with the packet's addresses. */
static void fill_sock(struct bpf_sock *sock, const struct packet *packet)
{
	const u8 *header = packet->frame + TEST_ETH_HEADER;

	*sock = (struct bpf_sock){ .state = BPF_TCP_CLOSE, .rx_queue_mapping = -1 };
	switch (protocol_of(packet)) {
	case ETH_P_IP:
		sock->family = AF_INET;
		sock->src_ip4 = word_at(header + 12);
		sock->dst_ip4 = word_at(header + 16);
		break;
	case ETH_P_IPV6:
		sock->family = AF_INET6;
		memcpy(sock->src_ip6, header + 8, 16);
		memcpy(sock->dst_ip6, header + 24, 16);
		break;
	}
}

static void fill_skb(struct abi_rt_skb *ctx, const struct __sk_buff *skb, struct packet *packet)
{
	u32 protocol = protocol_of(packet);

	fill_sock(&packet->sock.sock, packet);
	memset(ctx, 0, sizeof(*ctx));
	ctx->room_start = (u64)(uintptr_t)packet->room;
	ctx->room_end = ctx->room_start + 2 * GROW_MAX;
	ctx->mac_header = (u64)(uintptr_t)packet->frame;
	ctx->network_header = ctx->mac_header + TEST_ETH_HEADER;
	ctx->data = packet->is_l2 ? ctx->mac_header : ctx->network_header;
	ctx->data_meta = ctx->data;
	ctx->data_end = ctx->mac_header + packet->size;
	ctx->len = (u32)(ctx->data_end - ctx->data);
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
	/* Without any context the kernel leaves it at 0. */
	ctx->wire_len = skb->wire_len || !packet->has_ctx ? skb->wire_len : ctx->len;
	memcpy(ctx->cb, skb->cb, sizeof(ctx->cb));
	ctx->sk = (u64)(uintptr_t)&packet->sock;
	ctx->family = packet->sock.sock.family;
	ctx->local_ip4 = packet->sock.sock.src_ip4;
	ctx->remote_ip4 = packet->sock.sock.dst_ip4;
	memcpy(ctx->local_ip6, packet->sock.sock.src_ip6, 16);
	memcpy(ctx->remote_ip6, packet->sock.sock.dst_ip6, 16);
}

/*
 * A checksum of the packet from the network header on, as a word that is not folded: programs see
 * it.
 */
static u32 checksum(const struct abi_rt_skb *ctx)
{
	const u8 *from = (const u8 *)(uintptr_t)ctx->network_header;
	u64 size = ctx->data_end - ctx->network_header, sum = 0;

	if (ctx->network_header > ctx->data_end)
		return 0;
	for (u64 i = 0; i < size; i += 4) {
		u32 word = 0;

		memcpy(&word, from + i, size - i < 4 ? size - i : 4);
		sum += word;
	}
	while (sum >> 32)
		sum = (sum >> 32) + (u32)sum;
	return (u32)sum;
}

static u32 folded(u32 sum)
{
	sum = (sum >> 16) + (sum & 0xffff);
	return (sum >> 16) + (sum & 0xffff);
}

/* Has the program kept the packet's checksum true? */
static bool checksum_holds(const struct abi_rt_skb *ctx)
{
	u32 now = folded(checksum(ctx)), kept = folded(ctx->csum);

	return now == kept;
}

/* The kernel puts an empty Ethernet header before packets that were seen without one. */
static int put_header(const struct packet *packet, struct abi_rt_skb *ctx)
{
	if (packet->is_l2)
		return 0;
	if (ctx->data - ctx->room_start < TEST_ETH_HEADER)
		return -ENOMEM;
	ctx->data -= TEST_ETH_HEADER;
	memset((void *)(uintptr_t)ctx->data, 0, TEST_ETH_HEADER);
	return 0;
}

static int run_packet(struct sys_call *call, struct sys_prog *prog, struct packet *packet,
		      struct __sk_buff *skb)
{
	bool complete = call->attr.test.flags & CHECKSUM_FLAG;
	struct abi_rt_skb ctx;
	int error;

	test_sock_init(call, &packet->sock);
	fill_skb(&ctx, skb, packet);
	if (complete) {
		ctx.csum = checksum(&ctx);
		ctx.ip_summed = ABI_CSUM_COMPLETE;
	}
	error = test_run(call, prog, &ctx);
	sys_storage_end_test(call, packet->sock.cookie);
	if (!error)
		error = put_header(packet, &ctx);
	if (!error && complete && !checksum_holds(&ctx))
		error = -EBADMSG; /* the packet was changed, its checksum not */
	if (error)
		return error;
	skb->mark = ctx.mark;
	skb->priority = ctx.priority;
	skb->ingress_ifindex = ctx.ingress_ifindex;
	skb->ifindex = ctx.ifindex;
	skb->tstamp = ctx.tstamp;
	skb->wire_len = ctx.wire_len;
	skb->gso_segs = ctx.gso_segs;
	memcpy(skb->cb, ctx.cb, sizeof(skb->cb));
	return test_finish(call, &(struct test_data){ .data = (const void *)(uintptr_t)ctx.data,
						      .size = (u32)(ctx.data_end - ctx.data) });
}

long test_run_skb(struct sys_call *call, struct sys_prog *prog)
{
	const union abi_attr *attr = &call->attr;
	struct packet packet = { .size = attr->test.data_size_in,
				 .is_l2 = prog->type == BPF_PROG_TYPE_SCHED_CLS ||
					  prog->type == BPF_PROG_TYPE_SCHED_ACT };
	struct __sk_buff skb;
	int error;

	if (attr->test.flags & ~CHECKSUM_FLAG || attr->test.cpu || attr->test.batch_size ||
	    packet.size < TEST_ETH_HEADER || packet.size > FRAME_MAX)
		return -EINVAL;
	/* Behind it is what the kernel shares of a packet, for sys/context_image.h. */
	packet.room = base_zalloc(1, 2 * GROW_MAX + TEST_TAILROOM);
	if (!packet.room)
		return -ENOMEM;
	packet.frame = packet.room + GROW_MAX;
	error = sys_read(call, packet.frame, attr->test.data_in, packet.size);
	if (!error)
		error = test_ctx_init(call, &skb, sizeof(skb), &packet.has_ctx);
	if (!error)
		error = check_ctx(&skb, &packet);
	if (!error)
		error = run_packet(call, prog, &packet, &skb);
	if (!error && packet.has_ctx)
		error = test_ctx_finish(call, &skb, sizeof(skb));
	base_free(packet.room);
	return error;
}
