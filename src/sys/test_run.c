/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PROG_TEST_RUN: runs a program in the supervisor on a context and a packet that the client gives.
 * Checks and results are those of the kernel's net/bpf/test_run.c and bpf_prog_test_run_raw_tp().
 *
 * The supervisor serves others meanwhile, so a client cannot keep it with a large repeat: after
 * RUN_TIME_MAX the command ends with EINTR, as it does in the kernel when a signal comes.
 */
#include "sys/hive.h"
#include "abi/context.h"
#include "base/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PAGE		4096u
#define ETH_HEADER	14u
#define RUN_TIME_MAX_NS 2000000000ull
#define RAW_CTX_MAX	96u  /* MAX_BPF_FUNC_ARGS u64s */
#define XDP_HEADROOM	256u /* XDP_PACKET_HEADROOM */
#define XDP_FRAME	40u  /* sizeof(struct xdp_frame), which needs its place in the headroom */
#define SKB_HEADROOM	66u  /* NET_SKB_PAD + NET_IP_ALIGN */
#define TAILROOM	320u /* SKB_DATA_ALIGN(sizeof(struct skb_shared_info)) */
#define TAIL_MAX	(17u * PAGE) /* MAX_SKB_FRAGS */
#define CHECKSUM_FLAG	4u	     /* BPF_F_TEST_SKB_CHECKSUM_COMPLETE */

static u64 now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (u64)now.tv_sec * 1000000000u + (u64)now.tv_nsec;
}

static void read_comm(struct rt_task *task)
{
	char path[64];
	ssize_t length;
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/comm", task->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	length = read(fd, task->comm, sizeof(task->comm) - 1);
	close(fd);
	if (length <= 0)
		return;
	if (task->comm[length - 1] == '\n')
		task->comm[length - 1] = 0;
	task->flags |= RT_TASK_HAS_COMM;
}

/* Runs prog repeat times (0 means once) for the client's task; the average time is in ns. */
static int run(struct sys_call *call, struct sys_prog *prog, const void *ctx, u32 repeat,
	       u32 *ret_value, u32 *ret_duration)
{
	struct rt_vcpu *vcpu = sys_vcpu_acquire(call->client);
	u64 start, spent;
	u32 i;

	if (!vcpu)
		return -EBUSY;
	read_comm(&vcpu->task);
	if (!repeat)
		repeat = 1;
	start = now_ns();
	for (i = 0; i < repeat; i++) {
		*ret_value = (u32)rt_prog_run(prog->rt, ctx, vcpu);
		if (i % 64 == 63 && now_ns() - start > RUN_TIME_MAX_NS)
			break;
	}
	spent = now_ns() - start;
	sys_vcpu_release(vcpu);
	if (i < repeat) {
		sys_say(call->hive, "program %s: test run stopped after %u of %u runs", prog->name,
			i, repeat);
		return -EINTR;
	}
	spent /= repeat;
	*ret_duration = spent > UINT32_MAX ? UINT32_MAX : (u32)spent;
	return 0;
}

static long run_raw_tracepoint(struct sys_call *call, struct sys_prog *prog)
{
	union abi_attr *attr = &call->attr;
	u64 args[RAW_CTX_MAX / sizeof(u64)] = { 0 };
	u32 duration;
	int error;

	if (attr->test.data_in || attr->test.data_out || attr->test.ctx_out ||
	    attr->test.duration || attr->test.repeat || attr->test.batch_size)
		return -EINVAL;
	if (attr->test.ctx_size_in < prog->max_ctx_offset || attr->test.ctx_size_in > RAW_CTX_MAX)
		return -EINVAL;
	if (!(attr->test.flags & BPF_F_TEST_RUN_ON_CPU) && attr->test.cpu)
		return -EINVAL;
	if (sys_read(call, args, attr->test.ctx_in, attr->test.ctx_size_in))
		return -EFAULT;
	/* Slots are not CPUs: which one the program sees is not the caller's choice. */
	if (attr->test.flags & BPF_F_TEST_RUN_ON_CPU && attr->test.cpu >= RT_CONTROL->nr_vcpus)
		return -ENXIO;
	error = run(call, prog, args, 1, &attr->test.retval, &duration);
	return error ? error : sys_write_attr(call, test.retval);
}

/*
 * A packet in the middle of a page, with the room around it that programs may move into. What does
 * not fit there (XDP only) is the tail, which the kernel keeps in fragments: programs do not see
 * it.
 */
struct packet {
	u8 *memory, *data;
	u32 size;
	void *tail;
	u32 tail_size;
};

static int packet_init(struct sys_call *call, struct packet *packet, u32 size, u32 headroom)
{
	if (size > PAGE - headroom - TAILROOM)
		return -EINVAL;
	packet->memory = base_zalloc(1, PAGE);
	if (!packet->memory)
		return -ENOMEM;
	packet->data = packet->memory + headroom;
	packet->size = size;
	return sys_read(call, packet->data, call->attr.test.data_in, size);
}

static int packet_tail(struct sys_call *call, struct packet *packet)
{
	if (call->attr.test.data_size_in <= packet->size)
		return 0;
	packet->tail_size = call->attr.test.data_size_in - packet->size;
	if (packet->tail_size > TAIL_MAX)
		return -ENOMEM;
	return sys_read_new(call, call->attr.test.data_in + packet->size, packet->tail_size,
			    &packet->tail);
}

static void packet_done(struct packet *packet)
{
	base_free(packet->memory);
	base_free(packet->tail);
}

/* A context of known bytes, if the client gives or wants one. */
static int ctx_init(struct sys_call *call, void *ctx, u32 known, bool *ret_given)
{
	const union abi_attr *attr = &call->attr;
	u32 size = attr->test.ctx_size_in;
	int error;

	memset(ctx, 0, known);
	*ret_given = attr->test.ctx_in || attr->test.ctx_out;
	if (!attr->test.ctx_in)
		return 0;
	error = sys_check_tail(call, attr->test.ctx_in, known, size);
	return error ? error : sys_read(call, ctx, attr->test.ctx_in, size < known ? size : known);
}

/* Copies as much of the packet as the client has room for; *ret_whole says how long it is. */
static int copy_out(struct sys_call *call, const struct packet *packet, const u8 *data, u32 size,
		    u32 *ret_whole)
{
	const union abi_attr *attr = &call->attr;
	u32 whole = size + packet->tail_size, copy = whole;

	*ret_whole = whole;
	if (attr->test.data_size_out && copy > attr->test.data_size_out)
		copy = attr->test.data_size_out;
	if (!attr->test.data_out)
		return copy < whole ? -ENOSPC : 0;
	if (sys_write(call, attr->test.data_out, data, copy < size ? copy : size) ||
	    (copy > size && sys_write(call, attr->test.data_out + size, packet->tail, copy - size)))
		return -EFAULT;
	return copy < whole ? -ENOSPC : 0;
}

/* Hands packet, sizes and result back. -ENOSPC when the client's room was too small. */
static int finish(struct sys_call *call, const struct packet *packet, const u8 *data, u32 size)
{
	u32 whole;
	int error = copy_out(call, packet, data, size, &whole);

	if (error == -EFAULT)
		return error;
	call->attr.test.data_size_out = whole;
	if (sys_write_attr(call, test.data_size_out) || sys_write_attr(call, test.retval) ||
	    sys_write_attr(call, test.duration))
		return -EFAULT;
	return error;
}

static int ctx_finish(struct sys_call *call, const void *ctx, u32 size)
{
	union abi_attr *attr = &call->attr;
	u32 copy = size;
	int error = 0;

	if (!attr->test.ctx_out)
		return 0;
	if (copy > attr->test.ctx_size_out) {
		copy = attr->test.ctx_size_out;
		error = -ENOSPC;
	}
	if (sys_write(call, attr->test.ctx_out, ctx, copy))
		return -EFAULT;
	attr->test.ctx_size_out = size;
	return sys_write_attr(call, test.ctx_size_out) ? -EFAULT : error;
}

static int check_xdp_ctx(const union abi_attr *attr, const struct xdp_md *md)
{
	u32 meta = md->data;

	if (md->data_meta || md->data_end > attr->test.data_size_in || md->data > md->data_end)
		return -EINVAL;
	if (meta % 4 || meta > 252 || meta > XDP_HEADROOM - XDP_FRAME)
		return -EINVAL;
	if (attr->test.data_size_in - meta < ETH_HEADER || md->egress_ifindex ||
	    (!md->ingress_ifindex && md->rx_queue_index))
		return -EINVAL;
	/* The hive has no devices beside the loopback, which is 1 and has one queue. */
	if (md->ingress_ifindex > 1)
		return -ENODEV;
	return md->rx_queue_index ? -EINVAL : 0;
}

static long run_xdp(struct sys_call *call, struct sys_prog *prog)
{
	union abi_attr *attr = &call->attr;
	struct packet packet = { 0 };
	struct abi_rt_xdp ctx = { 0 };
	struct xdp_md md;
	u32 meta, room, linear;
	bool given;
	int error;

	if (prog->expected_attach_type == BPF_XDP_DEVMAP ||
	    prog->expected_attach_type == BPF_XDP_CPUMAP)
		return -EINVAL;
	if (attr->test.flags & BPF_F_TEST_XDP_LIVE_FRAMES) {
		sys_say(call->hive, "program %s: live frames need a network device", prog->name);
		return -EOPNOTSUPP;
	}
	if (attr->test.flags || attr->test.batch_size)
		return -EINVAL;
	error = ctx_init(call, &md, sizeof(md), &given);
	if (!error && given)
		error = check_xdp_ctx(attr, &md);
	if (!error && attr->test.data_size_in < ETH_HEADER)
		error = -EINVAL;
	if (error)
		return error;
	meta = md.data;
	room = PAGE - TAILROOM - (XDP_HEADROOM - meta);
	linear = given ? md.data_end : attr->test.data_size_in;
	error = packet_init(call, &packet, linear < room ? linear : room, XDP_HEADROOM - meta);
	if (!error)
		error = packet_tail(call, &packet);
	if (!error) {
		ctx.data_meta = (u64)(uintptr_t)packet.data;
		ctx.data = ctx.data_meta + meta;
		ctx.data_end = ctx.data_meta + packet.size;
		ctx.ingress_ifindex = 1;
		error = run(call, prog, &ctx, attr->test.repeat, &attr->test.retval,
			    &attr->test.duration);
	}
	if (!error)
		error = finish(call, &packet, (const u8 *)(uintptr_t)ctx.data_meta,
			       (u32)(ctx.data_end - ctx.data_meta));
	if (!error && given) {
		md.data = (u32)(ctx.data - ctx.data_meta);
		md.data_end = (u32)(ctx.data_end - ctx.data_meta);
		error = ctx_finish(call, &md, sizeof(md));
	}
	packet_done(&packet);
	return error;
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

static int check_skb_ctx(const struct __sk_buff *skb, const struct packet *packet)
{
	u32 protocol = (u32)packet->data[12] << 8 | packet->data[13];
	u32 length = packet->size - ETH_HEADER;

	if (skb->ifindex > 1)
		return -ENODEV;
	if ((protocol == 0x0800 && length < 20) || (protocol == 0x86dd && length < 40))
		return -EINVAL;
	if (!skb_ctx_is_plain(skb))
		return -EINVAL;
	if (skb->wire_len && (skb->wire_len < length || skb->wire_len > 65536))
		return -EINVAL;
	return skb->gso_segs > 65535 ? -EINVAL : 0;
}

static void fill_skb(struct abi_rt_skb *ctx, const struct __sk_buff *skb,
		     const struct packet *packet)
{
	memset(ctx, 0, sizeof(*ctx));
	ctx->data = (u64)(uintptr_t)packet->data + ETH_HEADER; /* behind the Ethernet header */
	ctx->data_end = (u64)(uintptr_t)packet->data + packet->size;
	ctx->len = packet->size - ETH_HEADER;
	ctx->protocol = (u32)packet->data[13] << 8 | packet->data[12]; /* network byte order */
	ctx->mark = skb->mark;
	ctx->priority = skb->priority;
	ctx->ingress_ifindex = skb->ingress_ifindex;
	ctx->ifindex = 1;
	ctx->tstamp = skb->tstamp;
	ctx->hwtstamp = skb->hwtstamp;
	ctx->gso_segs = skb->gso_segs;
	ctx->gso_size = skb->gso_size;
	memcpy(ctx->cb, skb->cb, sizeof(ctx->cb));
}

static long run_skb(struct sys_call *call, struct sys_prog *prog)
{
	union abi_attr *attr = &call->attr;
	struct packet packet = { 0 };
	struct __sk_buff skb;
	struct abi_rt_skb ctx;
	bool given;
	int error;

	if (attr->test.flags & ~CHECKSUM_FLAG || attr->test.cpu || attr->test.batch_size ||
	    attr->test.data_size_in < ETH_HEADER)
		return -EINVAL;
	error = packet_init(call, &packet, attr->test.data_size_in, SKB_HEADROOM);
	if (!error)
		error = ctx_init(call, &skb, sizeof(skb), &given);
	if (!error)
		error = check_skb_ctx(&skb, &packet);
	if (!error) {
		fill_skb(&ctx, &skb, &packet);
		error = run(call, prog, &ctx, attr->test.repeat, &attr->test.retval,
			    &attr->test.duration);
	}
	if (!error) {
		memset(packet.data, 0, ETH_HEADER); /* the kernel puts an empty one back */
		error = finish(call, &packet, packet.data, packet.size);
	}
	if (!error && given) {
		skb.mark = ctx.mark;
		skb.priority = ctx.priority;
		skb.ingress_ifindex = ctx.ingress_ifindex;
		skb.ifindex = ctx.ifindex;
		skb.tstamp = ctx.tstamp;
		skb.wire_len = skb.wire_len ? skb.wire_len : packet.size - ETH_HEADER;
		memcpy(skb.cb, ctx.cb, sizeof(skb.cb));
		error = ctx_finish(call, &skb, sizeof(skb));
	}
	packet_done(&packet);
	return error;
}

long sys_prog_test_run(struct sys_call *call)
{
	const union abi_attr *attr = &call->attr;
	struct sys_prog *prog;
	long result;

	if (!attr->test.ctx_size_in != !attr->test.ctx_in ||
	    !attr->test.ctx_size_out != !attr->test.ctx_out)
		return -EINVAL;
	result = sys_prog_by_fd(call, attr->test.prog_fd, &prog);
	if (result)
		return result;
	switch (prog->type) {
	case BPF_PROG_TYPE_RAW_TRACEPOINT: result = run_raw_tracepoint(call, prog); break;
	case BPF_PROG_TYPE_SOCKET_FILTER: result = run_skb(call, prog); break;
	case BPF_PROG_TYPE_XDP: result = run_xdp(call, prog); break;
	default: result = -ABI_ENOTSUPP; break; /* tracepoints, kprobes: as in the kernel */
	}
	sys_prog_put(prog);
	return result;
}
