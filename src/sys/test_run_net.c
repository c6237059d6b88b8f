/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PROG_TEST_RUN of flow dissectors and socket lookups (the kernel's
 * bpf_prog_test_run_flow_dissector() and bpf_prog_test_run_sk_lookup()): programs without a socket
 * buffer, whose results stand in the context.
 */
#include "sys/test_run.h"
#include "base/alloc.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* Nothing but zeros between two offsets? */
static bool is_zero(const void *from, size_t begin, size_t end)
{
	const u8 *bytes = from;

	for (size_t i = begin; i < end; i++)
		if (bytes[i])
			return false;
	return true;
}

struct dissection {
	struct abi_rt_skb ctx; /* first: begin_dissection() gets its address */
	struct bpf_flow_keys keys;
	u32 size, flags;
};

/* Each run begins with what the kernel knows of the frame. */
static void begin_dissection(void *ctx)
{
	struct dissection *run = container_of((struct abi_rt_skb *)ctx, struct dissection, ctx);

	memset(&run->keys, 0, sizeof(run->keys));
	memcpy(&run->keys.n_proto, (const u8 *)(uintptr_t)run->ctx.data + 12, 2);
	run->keys.nhoff = run->keys.thoff = TEST_ETH_HEADER;
	run->keys.flags = run->flags;
}

static u16 clamped(u32 value, u32 low, u32 high)
{
	return (u16)(value < low ? low : value > high ? high : value);
}

static int dissect(struct sys_call *call, struct sys_prog *prog, u8 *frame,
		   const struct bpf_flow_keys *given, bool has_ctx)
{
	struct dissection run = { .size = call->attr.test.data_size_in, .flags = given->flags };
	int error;

	run.ctx.data = (u64)(uintptr_t)frame;
	run.ctx.data_end = run.ctx.data + run.size;
	run.ctx.flow_keys = (u64)(uintptr_t)&run.keys;
	error = test_run_as(call, prog, &run.ctx, &(struct test_how){ .begin = begin_dissection });
	if (error)
		return error;
	run.keys.nhoff = clamped(run.keys.nhoff, TEST_ETH_HEADER, run.size);
	run.keys.thoff = clamped(run.keys.thoff, run.keys.nhoff, run.size);
	error = test_finish(call,
			    &(struct test_data){ .data = &run.keys, .size = sizeof(run.keys) });
	return error || !has_ctx ? error : test_ctx_finish(call, given, sizeof(*given));
}

long test_run_flow_dissector(struct sys_call *call, struct sys_prog *prog)
{
	const union abi_attr *attr = &call->attr;
	struct bpf_flow_keys given;
	bool has_ctx;
	u8 *frame;
	int error;

	if (attr->test.flags || attr->test.cpu || attr->test.batch_size ||
	    attr->test.data_size_in < TEST_ETH_HEADER || attr->test.data_size_in > TEST_PAGE)
		return -EINVAL;
	frame = base_zalloc(1, attr->test.data_size_in);
	if (!frame)
		return -ENOMEM;
	error = sys_read(call, frame, attr->test.data_in, attr->test.data_size_in);
	if (!error)
		error = test_ctx_init(call, &given, sizeof(given), &has_ctx);
	/* Only the flags may be given. */
	if (!error && (!is_zero(&given, 0, offsetof(struct bpf_flow_keys, flags)) ||
		       !is_zero(&given, offsetof(struct bpf_flow_keys, flags) + sizeof(given.flags),
				sizeof(given))))
		error = -EINVAL;
	if (!error)
		error = dissect(call, prog, frame, &given, has_ctx);
	base_free(frame);
	return error;
}

static int check_lookup(const struct bpf_sk_lookup *given)
{
	size_t end = offsetof(struct bpf_sk_lookup, local_port) + sizeof(given->local_port);

	if (given->cookie || !is_zero(given, end, sizeof(*given)))
		return -EINVAL;
	if (given->local_port > UINT16_MAX)
		return -ERANGE;
	return (u16)given->family == AF_INET || (u16)given->family == AF_INET6 ? 0 : -EAFNOSUPPORT;
}

/* What the kernel takes over of the client's; addresses of the other family are not there. */
static void fill_lookup(struct bpf_sk_lookup *ctx, const struct bpf_sk_lookup *given)
{
	*ctx = (struct bpf_sk_lookup){ .family = (u16)given->family,
				       .protocol = (u16)given->protocol,
				       .remote_port = given->remote_port,
				       .local_port = given->local_port };
	if (ctx->family == AF_INET) {
		ctx->remote_ip4 = given->remote_ip4;
		ctx->local_ip4 = given->local_ip4;
		return;
	}
	memcpy(ctx->remote_ip6, given->remote_ip6, sizeof(ctx->remote_ip6));
	memcpy(ctx->local_ip6, given->local_ip6, sizeof(ctx->local_ip6));
}

/* Nothing is selected when a run begins. */
static void begin_lookup(void *ctx)
{
	struct abi_rt_sk_lookup *run = ctx;

	run->lookup.cookie = 0;
	run->no_reuseport = false;
}

/* Which socket was selected: 0, or -EOPNOTSUPP for one that others of its group stand in for. */
static int selected(const struct abi_rt_sk_lookup *run, u64 *ret_cookie)
{
	const struct abi_rt_sock *sock = (const struct abi_rt_sock *)(uintptr_t)run->lookup.cookie;

	*ret_cookie = sock ? sock->cookie : 0;
	return sock && sock->reuses_port && !run->no_reuseport ? -EOPNOTSUPP : 0;
}

long test_run_sk_lookup(struct sys_call *call, struct sys_prog *prog)
{
	const union abi_attr *attr = &call->attr;
	struct abi_rt_sk_lookup run = { .no_reuseport = false };
	struct bpf_sk_lookup given;
	u64 cookie = 0;
	bool has_ctx;
	int error;

	if (attr->test.flags || attr->test.cpu || attr->test.batch_size || attr->test.data_in ||
	    attr->test.data_size_in || attr->test.data_out || attr->test.data_size_out)
		return -EINVAL;
	error = test_ctx_init(call, &given, sizeof(given), &has_ctx);
	if (error)
		return error;
	error = has_ctx ? check_lookup(&given) : -EINVAL;
	if (error)
		return error;
	fill_lookup(&run.lookup, &given);
	error = test_run_as(call, prog, &run, &(struct test_how){ .begin = begin_lookup });
	if (!error)
		error = selected(&run, &cookie);
	given.cookie = cookie;
	if (!error)
		error = test_finish(call, &(struct test_data){ 0 });
	return error ? error : test_ctx_finish(call, &given, sizeof(given));
}
