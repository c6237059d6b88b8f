/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PROG_TEST_RUN of netfilter programs (the kernel's bpf_prog_test_run_nf()): their context leads to
 * a hook's state and to a socket buffer, as the kernel has them. Both are images, made anew before
 * each run: between runs others may be served, who make images of their own.
 */
#include "sys/test_run.h"
#include "base/alloc.h"
#include "model/model.h"
#include "sys/context_image.h"
#include "sys/iter.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/netfilter.h>
#include <string.h>

#define HEADROOM    64u /* NET_SKB_PAD + NET_IP_ALIGN */
#define FRAME_MAX   (TEST_PAGE - HEADROOM - TEST_TAILROOM)
#define IPV4_HEADER 20u
#define IPV6_HEADER 40u

/* What ctx_in holds: the kernel's struct nf_hook_state. */
struct hook_state {
	u8 hook, pf, padding[6];
	u64 in, out, sk, net, okfn;
};

struct nf_run {
	u64 ctx[2]; /* first: struct bpf_nf_ctx, two pointers */
	struct model *model;
	u8 *frame;
	u32 size, header; /* bytes before the packet */
	u16 protocol;
	struct hook_state state;
	bool has_state;
	struct abi_rt_skb skb;
};

/* The packet with the room before it, and where things lie in it. */
static void *skb_image(struct nf_run *run, const void *device)
{
	struct model *model = run->model;
	void *image = model_object(model, "sk_buff");
	u8 *head = model_bytes(model, run->frame, HEADROOM + run->size);

	model_set_pointer(model, image, MODEL_SKB_HEAD, head);
	model_set_pointer(model, image, MODEL_SKB_DATA,
			  head ? head + HEADROOM + run->header : NULL);
	model_set(model, image, MODEL_SKB_TAIL, HEADROOM + run->size);
	model_set(model, image, MODEL_SKB_END, HEADROOM + run->size);
	model_set(model, image, MODEL_SKB_LEN, run->size - run->header);
	model_set(model, image, MODEL_SKB_PROTOCOL, run->protocol);
	model_set(model, image, MODEL_SKB_USERS, 1);
	model_set(model, image, MODEL_SKB_TRANSPORT, CONTEXT_NO_HEADER);
	model_set(model, image, MODEL_SKB_MAC, CONTEXT_NO_HEADER);
	if (run->header) {
		model_set_pointer(model, image, MODEL_SKB_DEVICE, device);
		model_set(model, image, MODEL_SKB_MAC, HEADROOM);
		model_set(model, image, MODEL_SKB_NETWORK, HEADROOM + run->header);
	}
	return image;
}

/* The kernel looks at the hook before it takes over the client's: the packet always leaves. */
static void *state_image(const struct nf_run *run, const void *device)
{
	struct model *model = run->model;
	void *image = model_object(model, "nf_hook_state");

	model_set(model, image, MODEL_HOOK_NUMBER, run->state.hook);
	model_set(model, image, MODEL_HOOK_FAMILY, run->state.pf);
	if (run->has_state)
		model_set_pointer(model, image, MODEL_HOOK_OUT, device);
	return image;
}

static void begin(void *ctx)
{
	struct nf_run *run = container_of((u64 *)ctx, struct nf_run, ctx[0]);
	const void *device;

	model_reset(run->model);
	device = context_device(run->model);
	run->ctx[0] = (u64)(uintptr_t)state_image(run, device);
	run->ctx[1] = (u64)(uintptr_t)skb_image(run, device);
}

static int check_state(const struct hook_state *state)
{
	if (state->in || state->out || state->sk || state->net || state->okfn)
		return -EINVAL;
	return state->pf == NFPROTO_IPV4 || state->pf == NFPROTO_IPV6 ? 0 : -EINVAL;
}

/* A packet that leaves has no Ethernet header yet; others have one, which tells the protocol. */
static int check_packet(struct nf_run *run)
{
	const u8 *frame = run->frame + HEADROOM;
	u16 ours = run->state.pf == NFPROTO_IPV4 ? ETH_P_IP : ETH_P_IPV6, type;

	run->protocol = (u16)(ours << 8 | ours >> 8);
	if (run->state.hook == NF_INET_LOCAL_OUT)
		return 0;
	if (run->size < TEST_ETH_HEADER + IPV4_HEADER)
		return -EINVAL;
	run->header = TEST_ETH_HEADER;
	type = (u16)(frame[12] << 8 | frame[13]);
	if (type != ETH_P_IP && type != ETH_P_IPV6)
		return -EPROTO;
	if (type == ETH_P_IPV6 && run->size < TEST_ETH_HEADER + IPV6_HEADER)
		return -EINVAL;
	return type == ours ? 0 : -EINVAL;
}

static int run_hook(struct sys_call *call, struct sys_prog *prog, struct nf_run *run)
{
	u8 *frame = run->frame + HEADROOM;
	struct test_how how = { .begin = begin, .skb = &run->skb };
	int error;

	run->model = sys_model(call->hive);
	if (!run->model) {
		sys_say(call->hive,
			"program %s: there is no BTF that says how a socket buffer "
			"looks",
			prog->name);
		return -EOPNOTSUPP;
	}
	run->skb.data = (u64)(uintptr_t)(frame + run->header);
	run->skb.data_end = (u64)(uintptr_t)(frame + run->size);
	error = test_run_as(call, prog, run->ctx, &how);
	return error ? error : test_finish(call, &(struct test_data){ 0 });
}

long test_run_netfilter(struct sys_call *call, struct sys_prog *prog)
{
	const union abi_attr *attr = &call->attr;
	struct nf_run run = { .size = attr->test.data_size_in };
	int error;

	if (attr->test.flags || attr->test.cpu || attr->test.batch_size || run.size < IPV4_HEADER ||
	    run.size > FRAME_MAX)
		return -EINVAL;
	run.frame = base_zalloc(1, HEADROOM + run.size);
	if (!run.frame)
		return -ENOMEM;
	error = sys_read(call, run.frame + HEADROOM, attr->test.data_in, run.size);
	if (!error)
		error = test_ctx_init(call, &run.state, sizeof(run.state), &run.has_state);
	if (!error && run.has_state)
		error = check_state(&run.state);
	if (!error && !run.has_state)
		run.state = (struct hook_state){ .hook = NF_INET_LOCAL_OUT, .pf = NFPROTO_IPV4 };
	if (!error)
		error = check_packet(&run);
	if (!error)
		error = run_hook(call, prog, &run);
	base_free(run.frame);
	return error;
}
