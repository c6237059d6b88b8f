/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PROG_TEST_RUN of XDP programs (the kernel's bpf_prog_test_run_xdp()): the packet lies in a page
 * with the headroom and tailroom that drivers give it; what does not fit there goes into fragments.
 */
#include "sys/test_run.h"
#include "abi/context.h"
#include "base/alloc.h"

#include <errno.h>

#define HEADROOM  256u /* XDP_PACKET_HEADROOM */
#define FRAME	  40u  /* sizeof(struct xdp_frame), at the start of the headroom */
#define META_MAX  252u /* what the kernel notes of metadata */
#define BATCH_MAX 256u /* TEST_XDP_MAX_BATCH */
#define ROOM \
	(TEST_PAGE - TEST_TAILROOM) /* what lies beyond is the kernel's (sys/context_image.h) */

/* The memory of one packet. */
struct packet {
	u8 *room;
	void *frags;
	u32 meta, linear, frags_size;
};

static int check_flags(struct sys_call *call, const struct sys_prog *prog)
{
	const union abi_attr *attr = &call->attr;

	if (prog->expected_attach_type == BPF_XDP_DEVMAP ||
	    prog->expected_attach_type == BPF_XDP_CPUMAP)
		return -EINVAL;
	if (attr->test.flags & ~BPF_F_TEST_XDP_LIVE_FRAMES)
		return -EINVAL;
	if (!(attr->test.flags & BPF_F_TEST_XDP_LIVE_FRAMES))
		return attr->test.batch_size ? -EINVAL : 0;
	if (attr->test.batch_size > BATCH_MAX)
		return -E2BIG;
	sys_say(call->hive, "program %s: live frames need a network device, and a hive has none",
		prog->name);
	return -EOPNOTSUPP;
}

static int check_ctx(const union abi_attr *attr, const struct xdp_md *md)
{
	if (md->data_meta || md->data_end > attr->test.data_size_in || md->data > md->data_end)
		return -EINVAL;
	if (md->data % 4 || md->data > META_MAX || md->data > HEADROOM - FRAME)
		return -EINVAL;
	return 0;
}

/* The hive has no devices beside the loopback, which is 1 and has one queue. */
static int check_device(const struct xdp_md *md)
{
	if (md->egress_ifindex || (!md->ingress_ifindex && md->rx_queue_index))
		return -EINVAL;
	if (md->ingress_ifindex > 1)
		return -ENODEV;
	return md->rx_queue_index ? -EINVAL : 0;
}

static int read_linear(struct sys_call *call, struct packet *packet)
{
	packet->room = base_zalloc(1, TEST_PAGE);
	if (!packet->room)
		return -ENOMEM;
	return sys_read(call, packet->room + HEADROOM - packet->meta, call->attr.test.data_in,
			packet->linear);
}

static int run_packet(struct sys_call *call, struct sys_prog *prog, const struct packet *packet,
		      struct xdp_md *md)
{
	u64 room = (u64)(uintptr_t)packet->room;
	struct abi_rt_xdp ctx = {
		.data_meta = room + HEADROOM - packet->meta,
		.data = room + HEADROOM,
		.data_end = room + HEADROOM - packet->meta + packet->linear,
		.ingress_ifindex = 1,
		.room_start = room + FRAME,
		.room_end = room + ROOM,
		.frags = (u64)(uintptr_t)packet->frags,
		.frags_size = packet->frags_size,
	};
	int error = test_run(call, prog, &ctx);

	if (error)
		return error;
	md->data = (u32)(ctx.data - ctx.data_meta);
	md->data_end = (u32)(ctx.data_end - ctx.data_meta);
	return test_finish(call, &(struct test_data){
					 .data = (const void *)(uintptr_t)ctx.data_meta,
					 .size = (u32)(ctx.data_end - ctx.data_meta),
					 .frags = packet->frags,
					 .frags_size = ctx.frags_size,
				 });
}

long test_run_xdp(struct sys_call *call, struct sys_prog *prog)
{
	const union abi_attr *attr = &call->attr;
	struct packet packet = { 0 };
	struct xdp_md md;
	bool given;
	u32 room;
	int error = check_flags(call, prog);

	if (!error)
		error = test_ctx_init(call, &md, sizeof(md), &given);
	if (!error && given)
		error = check_ctx(attr, &md);
	if (error)
		return error;
	packet.meta = md.data;
	room = ROOM - (HEADROOM - packet.meta);
	packet.linear = given ? md.data_end : attr->test.data_size_in;
	if (packet.linear > room)
		packet.linear = room;
	/* Unsigned, as in the kernel: less data than metadata passes here. */
	if (attr->test.data_size_in - packet.meta < TEST_ETH_HEADER)
		return -EINVAL;
	error = read_linear(call, &packet);
	if (!error)
		error = check_device(&md);
	if (!error)
		error = test_read_frags(call, packet.linear, &packet.frags, &packet.frags_size);
	if (!error)
		error = run_packet(call, prog, &packet, &md);
	if (!error && given)
		error = test_ctx_finish(call, &md, sizeof(md));
	base_free(packet.room);
	base_free(packet.frags);
	return error;
}
