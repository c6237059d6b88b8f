/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Helpers that find sockets and tell about them; results as in net/core/filter.c of Linux 6.18. A
 * hive has no table of sockets: a lookup finds none, so all that programs meet are the sockets of
 * their contexts (struct abi_rt_sock), none of which is TCP's, and none listens.
 *
 * Arguments that BTF describes (ARG_PTR_TO_BTF_ID_SOCK_COMMON) are followed only by helpers whose
 * program types get no such pointer but from here, which is never.
 */
#include "abi/context.h"
#include "rt/helper/families.h"
#include "rt/map.h"
#include "rt/mem.h"
#include "rt/prog.h"

#define NOBODY	       65534 /* overflowuid */
#define INIT_NET       3     /* the cookie of the first network namespace on 6.18 */
#define TIME_WAIT      6     /* BPF_TCP_TIME_WAIT, BPF_TCP_NEW_SYN_RECV */
#define NEW_SYN_RECV   12
#define AF_INET	       2
#define LOOKUP_REPLACE BPF_SK_LOOKUP_F_REPLACE
#define LOOKUP_FLAGS   (LOOKUP_REPLACE | BPF_SK_LOOKUP_F_NO_REUSEPORT)

/* The socket of a context; NULL: it has none. */
static const struct abi_rt_sock *socket_of(const struct rt_vcpu *vcpu, u64 ctx)
{
	switch (vcpu->prog->type) {
	case BPF_PROG_TYPE_CGROUP_SOCK: return (const struct abi_rt_sock *)ctx;
	case BPF_PROG_TYPE_CGROUP_SOCK_ADDR:
		return (const struct abi_rt_sock *)((const struct bpf_sock_addr *)ctx)->sk;
	case BPF_PROG_TYPE_SOCK_OPS:
		return (const struct abi_rt_sock *)((const struct bpf_sock_ops *)ctx)->sk;
	case BPF_PROG_TYPE_SK_MSG:
		return (const struct abi_rt_sock *)((const struct sk_msg_md *)ctx)->sk;
	case BPF_PROG_TYPE_CGROUP_SOCKOPT:
		return (const struct abi_rt_sock *)((const struct bpf_sockopt *)ctx)->sk;
	case BPF_PROG_TYPE_SK_REUSEPORT: return (const struct abi_rt_sock *)ctx; /* not a context */
	default: return (const struct abi_rt_sock *)((const struct abi_rt_skb *)ctx)->sk;
	}
}

/* A socket that a typed program has come by: not followed unless the hive made it. */
static u64 cookie_of(u64 sock)
{
	u64 cookie = 0;

	if (sock - RT_CONTROL_BASE < RT_CONTROL_SIZE)
		rt_read_own(&cookie, sizeof(cookie), sock + offsetof(struct abi_rt_sock, cookie));
	return cookie;
}

/* (ctx); for sk_reuseport and typed programs (socket or NULL) */
RT_HELPER(get_socket_cookie)
{
	const struct abi_rt_sock *sock;

	if (rt_prog_is_typed(vcpu->prog))
		return cookie_of(r1);
	sock = socket_of(vcpu, r1);

	return sock ? sock->cookie : 0;
}

/* (ctx or NULL) */
RT_HELPER(get_netns_cookie)
{
	const struct abi_rt_sock *sock = r1 ? socket_of(vcpu, r1) : NULL;

	return sock ? sock->netns_cookie : INIT_NET;
}

/* (skb) */
RT_HELPER(get_socket_uid)
{
	const struct abi_rt_sock *sock = socket_of(vcpu, r1);

	return sock ? sock->uid : NOBODY;
}

static u64 cgroup_at(const struct abi_rt_sock *sock, s64 level)
{
	if (!sock || level < 0 || level >= sock->nr_cgroups || level >= ABI_CGROUP_LEVELS)
		return 0;
	return sock->cgroup_ids[level];
}

/* (skb) */
RT_HELPER(skb_cgroup_id)
{
	const struct abi_rt_sock *sock = socket_of(vcpu, r1);

	return sock ? cgroup_at(sock, (s64)sock->nr_cgroups - 1) : 0;
}

/* (skb, level) */
RT_HELPER(skb_ancestor_cgroup_id)
{
	return cgroup_at(socket_of(vcpu, r1), (s32)r2);
}

/* (sock) */
RT_HELPER(sk_cgroup_id)
{
	const struct abi_rt_sock *sock = (const struct abi_rt_sock *)r1;

	return cgroup_at(sock, (s64)sock->nr_cgroups - 1);
}

/* (sock, level) */
RT_HELPER(sk_ancestor_cgroup_id)
{
	return cgroup_at((const struct abi_rt_sock *)r1, (s32)r2);
}

/* (ctx, tuple, size, netns, flags): sk_lookup_tcp, sk_lookup_udp, skc_lookup_tcp. */
RT_HELPER(sk_lookup)
{
	return 0;
}

/* (sock): what is looked up was not counted. */
RT_HELPER(sk_release)
{
	return 0;
}

/* (sock) */
RT_HELPER(sk_fullsock)
{
	u32 state = ((const struct bpf_sock *)r1)->state;

	return state == TIME_WAIT || state == NEW_SYN_RECV ? 0 : r1;
}

/* (sock): tcp_sock, get_listener_sock and the skc_to_ family; it is none of those. */
RT_HELPER(sk_of_a_kind)
{
	return 0;
}

/* (sock, ip, ip_size, tcp, tcp_size): check and gen want a listening socket. */
RT_HELPER(tcp_syncookie)
{
	return (u64)-EINVAL;
}

static u64 assign_lookup(struct abi_rt_sk_lookup *run, const struct abi_rt_sock *sock, u64 flags)
{
	struct bpf_sk_lookup *lookup = &run->lookup;

	if (flags & ~(u64)LOOKUP_FLAGS)
		return (u64)-EINVAL;
	if (sock && sock->sock.state == BPF_TCP_ESTABLISHED)
		return (u64)-ESOCKTNOSUPPORT;
	if (sock && sock->sock.protocol != lookup->protocol)
		return (u64)-EPROTOTYPE;
	/* Sockets of IPv6 take IPv4 as well, unless they say otherwise. */
	if (sock && sock->sock.family != lookup->family && sock->sock.family == AF_INET)
		return (u64)-EAFNOSUPPORT;
	if (lookup->cookie && !(flags & LOOKUP_REPLACE))
		return (u64)-EEXIST;
	lookup->cookie = (u64)sock;
	run->no_reuseport = flags & BPF_SK_LOOKUP_F_NO_REUSEPORT;
	return 0;
}

/* (ctx, sock, flags): packets of test runs are not at an ingress. */
RT_HELPER(sk_assign)
{
	if (vcpu->prog->type == BPF_PROG_TYPE_SK_LOOKUP)
		return assign_lookup((struct abi_rt_sk_lookup *)r1, (const struct abi_rt_sock *)r2,
				     r3);
	return r3 ? (u64)-EINVAL : (u64)-EOPNOTSUPP;
}

/* (sock_ops, flags) */
RT_HELPER(sock_ops_cb_flags_set)
{
	struct bpf_sock_ops *ops = (struct bpf_sock_ops *)r1;
	u32 flags = (u32)r2;

	if (!ops->is_fullsock)
		return (u64)-EINVAL;
	ops->bpf_sock_ops_cb_flags = flags & BPF_SOCK_OPS_ALL_CB_FLAGS;
	return flags & ~(u32)BPF_SOCK_OPS_ALL_CB_FLAGS;
}

/* (msg, bytes): msg_apply_bytes and msg_cork_bytes tell the sender, who is not there. */
RT_HELPER(msg_bytes)
{
	return 0;
}

/* (): what the call will return, as far as is known; 0 when a run begins. */
RT_HELPER(get_retval)
{
	return (u64)(s64)vcpu->retval;
}

/* (retval) */
RT_HELPER(set_retval)
{
	vcpu->retval = (s32)r1;
	return 0;
}

/* (ctx or sock, level, option, value, size): sockets of contexts have no options. */
RT_HELPER(setsockopt)
{
	return (u64)-EINVAL;
}

RT_HELPER(getsockopt)
{
	memset((void *)r4, 0, (u32)r5);
	return (u64)-EINVAL;
}

/* (tcp_sock, sequence): no connection ever asks the programs that may call it. */
RT_HELPER(tcp_send_ack)
{
	return (u64)-EOPNOTSUPP;
}

/* (ctx, address, size): nor can they be bound. */
RT_HELPER(bind)
{
	return (u64)-EINVAL;
}

/* (ctx, map, key, flags): the run's own socket is in no group that one in the map could be in. */
RT_HELPER(sk_select_reuseport)
{
	const struct sk_reuseport_md *md = (const struct sk_reuseport_md *)r1;
	const struct rt_map *map = (const struct rt_map *)r2;
	const struct abi_rt_sock *found = rt_map_lookup_elem(map, (const void *)r3, vcpu);

	if (!found)
		return (u64)-ENOENT;
	if (map->type == BPF_MAP_TYPE_REUSEPORT_SOCKARRAY)
		return (u64)-EBADFD;
	if (!found->reuses_port)
		return (u64)-EINVAL;
	return found->sock.protocol != md->ip_protocol ? (u64)-EPROTOTYPE : (u64)-EBADFD;
}
