/* SPDX-License-Identifier: BSD-2-Clause */
/* See context_image.h. */
#include "sys/context_image.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "abi/context.h"
#include "model/model.h"
#include "sys/hive.h"
#include "sys/iter.h"
#include "sys/test_run.h"

#define LOOPBACK_MTU  65536u
#define XDP_HAS_FRAGS 1u /* XDP_FLAGS_HAS_FRAGS */

/* The network namespace is the supervisor's, which never leaves it. */
static void *net_image(struct model *model)
{
	static u64 number;
	void *net = model_object(model, "net");
	struct stat status;

	if (!number && !stat("/proc/self/ns/net", &status))
		number = status.st_ino;
	model_set(model, net, MODEL_NET_NUMBER, number);
	return net;
}

void *context_device(struct model *model)
{
	void *device = model_object(model, "net_device");

	model_set_pointer(model, device, MODEL_DEVICE_NET, net_image(model));
	model_set(model, device, MODEL_DEVICE_IFINDEX, 1);
	model_set(model, device, MODEL_DEVICE_MTU, LOOPBACK_MTU);
	model_set_text(model, device, MODEL_DEVICE_NAME, "lo");
	return device;
}

/* A socket as far as programs know it; NULL: there is none. */
static void *sock_image(struct model *model, u64 address)
{
	const struct bpf_sock *sock = (const struct bpf_sock *)(uintptr_t)address;
	void *image = sock ? model_object(model, "sock") : NULL;

	if (!image)
		return NULL;
	model_set(model, image, MODEL_SOCK_FAMILY, sock->family);
	model_set(model, image, MODEL_SOCK_STATE, sock->state);
	model_set(model, image, MODEL_SOCK_DEVICE, sock->bound_dev_if);
	model_set(model, image, MODEL_SOCK_NUM, sock->src_port);
	model_set(model, image, MODEL_SOCK_DPORT, sock->dst_port);
	model_set(model, image, MODEL_SOCK_SADDR, sock->src_ip4);
	model_set(model, image, MODEL_SOCK_DADDR, sock->dst_ip4);
	model_set_bytes(model, image, MODEL_SOCK_SADDR6, sock->src_ip6, sizeof(sock->src_ip6));
	model_set_bytes(model, image, MODEL_SOCK_DADDR6, sock->dst_ip6, sizeof(sock->dst_ip6));
	model_set(model, image, MODEL_SOCK_TYPE, sock->type);
	model_set(model, image, MODEL_SOCK_PROTOCOL, sock->protocol);
	model_set(model, image, MODEL_SOCK_MARK, sock->mark);
	model_set(model, image, MODEL_SOCK_PRIORITY, sock->priority);
	return image;
}

/* What the context's words are kept in: the part of cb that schedulers use. */
static void set_control(struct model *model, u8 *cb, const struct abi_rt_skb *skb)
{
	if (!cb)
		return;
	model_set(model, cb, MODEL_QDISC_PKT_LEN, skb->wire_len);
	model_set(model, cb, MODEL_QDISC_CLASSID, skb->tc_classid);
	model_set_bytes(model, cb, MODEL_QDISC_DATA, skb->cb, sizeof(skb->cb));
}

/* Where things of the packet lie, as distances from the start of its memory. */
static void set_places(struct model *model, void *image, const struct abi_rt_skb *skb)
{
	u64 head = skb->room_start, transport = skb->transport_header;
	void *shared = (void *)(uintptr_t)skb->room_end;

	model_set(model, image, MODEL_SKB_HEAD, head);
	model_set(model, image, MODEL_SKB_DATA, skb->data);
	model_set(model, image, MODEL_SKB_TAIL, skb->data_end - head);
	model_set(model, image, MODEL_SKB_END, skb->room_end - head);
	model_set(model, image, MODEL_SKB_MAC, skb->mac_header - head);
	model_set(model, image, MODEL_SKB_NETWORK, skb->network_header - head);
	model_set(model, image, MODEL_SKB_TRANSPORT,
		  transport ? transport - head : CONTEXT_NO_HEADER);
	model_set(model, shared, MODEL_SHARED_SEGS, skb->gso_segs);
	model_set(model, shared, MODEL_SHARED_SIZE, skb->gso_size);
	model_set(model, shared, MODEL_SHARED_HWTSTAMP, skb->hwtstamp);
}

static void *skb_image(struct model *model, const struct abi_rt_skb *skb)
{
	void *image = model_object(model, "sk_buff");

	/* Other packets than those of test_run_skb() have no room of their own. */
	if (!image || !skb->room_end)
		return image;
	set_places(model, image, skb);
	set_control(model, model_member(model, image, MODEL_SKB_CB), skb);
	model_set_pointer(model, image, MODEL_SKB_DEVICE, context_device(model));
	model_set_pointer(model, image, MODEL_SKB_SOCK, sock_image(model, skb->sk));
	model_set(model, image, MODEL_SKB_LEN, skb->len);
	model_set(model, image, MODEL_SKB_DATA_LEN, skb->frags_size);
	model_set(model, image, MODEL_SKB_USERS, 1);
	model_set(model, image, MODEL_SKB_TSTAMP, skb->tstamp);
	model_set(model, image, MODEL_SKB_MAC_LEN, skb->mac_len);
	model_set(model, image, MODEL_SKB_QUEUE, skb->queue_mapping);
	model_set(model, image, MODEL_SKB_PKT_TYPE, skb->pkt_type);
	model_set(model, image, MODEL_SKB_IP_SUMMED, skb->ip_summed);
	model_set(model, image, MODEL_SKB_TC_INDEX, skb->tc_index);
	model_set(model, image, MODEL_SKB_CSUM, skb->csum);
	model_set(model, image, MODEL_SKB_PRIORITY, skb->priority);
	model_set(model, image, MODEL_SKB_IIF, skb->ingress_ifindex);
	model_set(model, image, MODEL_SKB_HASH, skb->hash);
	model_set(model, image, MODEL_SKB_VLAN_PROTO, skb->vlan_proto);
	model_set(model, image, MODEL_SKB_VLAN_TCI, skb->vlan_tci);
	model_set(model, image, MODEL_SKB_NAPI, skb->napi_id);
	model_set(model, image, MODEL_SKB_MARK, skb->mark);
	model_set(model, image, MODEL_SKB_PROTOCOL, skb->protocol);
	return image;
}

static void *xdp_image(struct model *model, const struct abi_rt_xdp *xdp)
{
	void *image = model_object(model, "xdp_buff"), *rxq = model_object(model, "xdp_rxq_info");
	void *shared = (void *)(uintptr_t)xdp->room_end;
	u32 nr_frags = (xdp->frags_size + ABI_RT_XDP_FRAG - 1) / ABI_RT_XDP_FRAG;

	model_set_pointer(model, rxq, MODEL_RXQ_DEVICE, context_device(model));
	model_set(model, rxq, MODEL_RXQ_INDEX, xdp->rx_queue_index);
	model_set(model, image, MODEL_XDP_DATA, xdp->data);
	model_set(model, image, MODEL_XDP_DATA_END, xdp->data_end);
	model_set(model, image, MODEL_XDP_DATA_META, xdp->data_meta);
	model_set(model, image, MODEL_XDP_HARD_START, xdp->room_end - (TEST_PAGE - TEST_TAILROOM));
	model_set(model, image, MODEL_XDP_FRAME_SIZE, TEST_PAGE);
	model_set(model, image, MODEL_XDP_FLAGS, nr_frags ? XDP_HAS_FRAGS : 0);
	model_set_pointer(model, image, MODEL_XDP_RXQ, rxq);
	model_set(model, shared, MODEL_SHARED_NR_FRAGS, nr_frags);
	model_set(model, shared, MODEL_SHARED_XDP_FRAGS, xdp->frags_size);
	return image;
}

/* struct sockaddr_in or sockaddr_in6, as the program's fields have it. */
static void *address_image(struct model *model, const struct bpf_sock_addr *addr, u32 *ret_size)
{
	struct sockaddr_in6 ip6 = { .sin6_family = (u16)addr->user_family,
				    .sin6_port = (u16)addr->user_port };
	struct sockaddr_in ip4 = { .sin_family = (u16)addr->user_family,
				   .sin_port = (u16)addr->user_port,
				   .sin_addr.s_addr = addr->user_ip4 };

	if (addr->user_family == AF_INET6) {
		memcpy(&ip6.sin6_addr, addr->user_ip6, sizeof(ip6.sin6_addr));
		*ret_size = sizeof(ip6);
		return model_bytes(model, &ip6, sizeof(ip6));
	}
	*ret_size = sizeof(ip4);
	return model_bytes(model, &ip4, sizeof(ip4));
}

static void *addr_image(struct model *model, const struct bpf_sock_addr *addr)
{
	void *image = model_object(model, "bpf_sock_addr_kern");
	u32 size;

	model_set_pointer(model, image, MODEL_ADDR_ADDRESS, address_image(model, addr, &size));
	model_set(model, image, MODEL_ADDR_LENGTH, size);
	model_set_pointer(model, image, MODEL_ADDR_SOCK,
			  sock_image(model, (u64)(uintptr_t)addr->sk));
	return image;
}

static void *ops_image(struct model *model, const struct bpf_sock_ops *ops)
{
	void *image = model_object(model, "bpf_sock_ops_kern");

	model_set_pointer(model, image, MODEL_OPS_SOCK, sock_image(model, (u64)(uintptr_t)ops->sk));
	model_set_bytes(model, image, MODEL_OPS_ARGS, ops->args, sizeof(ops->args));
	model_set(model, image, MODEL_OPS_OP, ops->op);
	model_set(model, image, MODEL_OPS_FULL, ops->is_fullsock);
	model_set(model, image, MODEL_OPS_DATA_END, (u64)(uintptr_t)ops->skb_data_end);
	return image;
}

static void *msg_image(struct model *model, const struct sk_msg_md *msg)
{
	void *image = model_object(model, "sk_msg");

	model_set(model, image, MODEL_MSG_SIZE, msg->size);
	model_set(model, image, MODEL_MSG_DATA, (u64)(uintptr_t)msg->data);
	model_set(model, image, MODEL_MSG_DATA_END, (u64)(uintptr_t)msg->data_end);
	model_set_pointer(model, image, MODEL_MSG_SOCK, sock_image(model, (u64)(uintptr_t)msg->sk));
	return image;
}

static void *sysctl_image(struct model *model, const struct abi_rt_sysctl *sysctl)
{
	void *image = model_object(model, "bpf_sysctl_kern");

	model_set(model, image, MODEL_SYSCTL_CURRENT, sysctl->current);
	model_set(model, image, MODEL_SYSCTL_CURRENT_LEN, sysctl->current_size);
	model_set(model, image, MODEL_SYSCTL_NEW, sysctl->value);
	model_set(model, image, MODEL_SYSCTL_NEW_LEN, sysctl->value_size);
	model_set(model, image, MODEL_SYSCTL_WRITE, sysctl->sysctl.write);
	return image;
}

static void *sockopt_image(struct model *model, const struct bpf_sockopt *option)
{
	void *image = model_object(model, "bpf_sockopt_kern");

	model_set_pointer(model, image, MODEL_OPT_SOCK,
			  sock_image(model, (u64)(uintptr_t)option->sk));
	model_set(model, image, MODEL_OPT_VALUE, (u64)(uintptr_t)option->optval);
	model_set(model, image, MODEL_OPT_VALUE_END, (u64)(uintptr_t)option->optval_end);
	model_set(model, image, MODEL_OPT_LEVEL, (u32)option->level);
	model_set(model, image, MODEL_OPT_NAME, (u32)option->optname);
	model_set(model, image, MODEL_OPT_LENGTH, (u32)option->optlen);
	return image;
}

static void *reuseport_image(struct model *model, const struct sk_reuseport_md *md)
{
	void *image = model_object(model, "sk_reuseport_kern");

	model_set_pointer(model, image, MODEL_REUSE_SOCK,
			  sock_image(model, (u64)(uintptr_t)md->sk));
	model_set(model, image, MODEL_REUSE_DATA_END, (u64)(uintptr_t)md->data_end);
	model_set(model, image, MODEL_REUSE_HASH, md->hash);
	model_set(model, image, MODEL_REUSE_ANY, md->bind_inany);
	return image;
}

static void *lookup_image(struct model *model, const struct abi_rt_sk_lookup *run)
{
	const struct bpf_sk_lookup *lookup = &run->lookup;
	void *image = model_object(model, "bpf_sk_lookup_kern");

	model_set(model, image, MODEL_LOOKUP_FAMILY, lookup->family);
	model_set(model, image, MODEL_LOOKUP_PROTOCOL, lookup->protocol);
	model_set(model, image, MODEL_LOOKUP_SPORT, lookup->remote_port);
	model_set(model, image, MODEL_LOOKUP_DPORT, lookup->local_port);
	model_set(model, image, MODEL_LOOKUP_SADDR, lookup->remote_ip4);
	model_set(model, image, MODEL_LOOKUP_DADDR, lookup->local_ip4);
	if (lookup->family == AF_INET6) {
		model_set_pointer(model, image, MODEL_LOOKUP_SADDR6,
				  model_bytes(model, lookup->remote_ip6, 16));
		model_set_pointer(model, image, MODEL_LOOKUP_DADDR6,
				  model_bytes(model, lookup->local_ip6, 16));
	}
	model_set_pointer(model, image, MODEL_LOOKUP_SOCK, sock_image(model, lookup->cookie));
	model_set(model, image, MODEL_LOOKUP_DEVICE, lookup->ingress_ifindex);
	model_set(model, image, MODEL_LOOKUP_ALONE, run->no_reuseport);
	return image;
}

static void *dissector_image(struct model *model, const struct abi_rt_skb *skb)
{
	void *image = model_object(model, "bpf_flow_dissector");

	model_set(model, image, MODEL_DISSECTOR_KEYS, skb->flow_keys);
	model_set(model, image, MODEL_DISSECTOR_DATA, skb->data);
	model_set(model, image, MODEL_DISSECTOR_DATA_END, skb->data_end);
	return image;
}

static void *image_of(struct model *model, u32 prog_type, const void *ctx)
{
	if (abi_ctx_is_skb(prog_type))
		return skb_image(model, ctx);
	switch (prog_type) {
	case BPF_PROG_TYPE_XDP: return xdp_image(model, ctx);
	case BPF_PROG_TYPE_CGROUP_SOCK: return sock_image(model, (u64)(uintptr_t)ctx);
	case BPF_PROG_TYPE_CGROUP_SOCK_ADDR: return addr_image(model, ctx);
	case BPF_PROG_TYPE_SOCK_OPS: return ops_image(model, ctx);
	case BPF_PROG_TYPE_SK_MSG: return msg_image(model, ctx);
	case BPF_PROG_TYPE_CGROUP_SYSCTL: return sysctl_image(model, ctx);
	case BPF_PROG_TYPE_CGROUP_SOCKOPT: return sockopt_image(model, ctx);
	case BPF_PROG_TYPE_SK_REUSEPORT: return reuseport_image(model, ctx);
	case BPF_PROG_TYPE_SK_LOOKUP: return lookup_image(model, ctx);
	case BPF_PROG_TYPE_FLOW_DISSECTOR: return dissector_image(model, ctx);
	default: return NULL;
	}
}

u64 context_image(void *arg, u32 prog_type, const void *ctx)
{
	struct model *model = sys_model(arg);

	if (!model)
		return 0;
	model_reset(model);
	return (u64)(uintptr_t)image_of(model, prog_type, ctx);
}
