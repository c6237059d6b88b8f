/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Helpers over what is known of a packet beside its bytes: hash, time, tunnel; results as in
 * net/core/filter.c of Linux 6.18. What a hive does not have (routes, IPsec, net_cls groups) is
 * what it is on a machine where nobody uses it.
 */
#include "rt/helper/skb.h"
#include "rt/helper/families.h"
#include "rt/mem.h"

#define PROTO_TCP      6
#define PROTO_UDP      17
#define FRAGMENT_MASK  0xff1f /* not the first fragment, in network byte order */
#define CLOCK_REAL     0      /* BPF_SKB_CLOCK_REALTIME, _MONOTONIC, _TAI */
#define CLOCK_TAI      2
#define TUNNEL_CSUM    0x0001 /* bits of tunnel_flags: IP_TUNNEL_*_BIT */
#define TUNNEL_KEY     0x0004
#define TUNNEL_SEQ     0x0008
#define TUNNEL_NO_FRAG 0x0100
#define TUNNEL_OPTIONS 0xd800 /* Geneve, VXLAN, ERSPAN and GTP options */
#define TUNNEL_NOCACHE 0x2000
#define TUNINFO_FLAGS  (1ull << 4) /* BPF_F_TUNINFO_FLAGS */
#define NO_TUNNEL_KEY  (1ull << 4) /* BPF_F_NO_TUNNEL_KEY */
#define SET_KEY_FLAGS                                                                       \
	(BPF_F_TUNINFO_IPV6 | BPF_F_ZERO_CSUM_TX | BPF_F_DONT_FRAGMENT | BPF_F_SEQ_NUMBER | \
	 NO_TUNNEL_KEY)
#define LABEL_MASK 0xfffffu

static u32 mix(u32 hash, u32 word)
{
	hash = (hash ^ word) * 0x9e3779b1u;
	return hash ^ hash >> 15;
}

static u32 mix_bytes(u32 hash, const u8 *at, u32 size)
{
	for (u32 i = 0; i + 4 <= size; i += 4) {
		u32 word;

		memcpy(&word, at + i, sizeof(word));
		hash = mix(hash, word);
	}
	return hash;
}

/* A hash of the flow: of addresses, protocol and ports, as far as they are there. Never 0. */
static u32 flow_hash(const struct abi_rt_skb *skb)
{
	s64 left = (s64)(skb->data_end - skb->network_header);
	const u8 *at = (const u8 *)skb->network_header;
	u32 hash = mix(1, skb->protocol), size = 0, next = 0;
	u16 fragment = 0;

	if (skb_network_offset(skb) < 0)
		return hash | 1;
	if (skb->protocol == PROTO_IP && left >= 20) {
		size = (at[0] & 15) * 4u;
		next = at[9];
		memcpy(&fragment, at + 6, sizeof(fragment));
		hash = mix_bytes(hash, at + 12, 8);
	} else if (skb->protocol == PROTO_IPV6 && left >= 40) {
		size = 40;
		next = at[6];
		hash = mix_bytes(hash, at + 8, 32);
	}
	hash = mix(hash, next);
	if ((next == PROTO_TCP || next == PROTO_UDP) && left >= (s64)size + 4 &&
	    !(fragment & FRAGMENT_MASK))
		hash = mix_bytes(hash, at + size, 4);
	return hash ? hash : 1;
}

/* (skb) */
RT_HELPER(get_hash_recalc)
{
	struct abi_rt_skb *skb = (struct abi_rt_skb *)r1;

	if (!skb->has_hash) {
		skb->hash = flow_hash(skb);
		skb->has_hash = true;
	}
	return skb->hash;
}

RT_HELPER(set_hash_invalid)
{
	skb_clear_hash((struct abi_rt_skb *)r1);
	return 0;
}

/* (skb, hash) */
RT_HELPER(set_hash)
{
	struct abi_rt_skb *skb = (struct abi_rt_skb *)r1;

	skb->hash = (u32)r2;
	skb->has_hash = true;
	return 0;
}

/* (skb, tstamp, clock) */
RT_HELPER(skb_set_tstamp)
{
	struct abi_rt_skb *skb = (struct abi_rt_skb *)r1;
	u32 clock = (u32)r3;

	if (skb->protocol != PROTO_IP && skb->protocol != PROTO_IPV6)
		return (u64)-EOPNOTSUPP;
	if (clock > CLOCK_TAI || (clock != CLOCK_REAL && !r2))
		return (u64)-EINVAL;
	skb->tstamp = r2;
	skb->tstamp_type = clock;
	return 0;
}

/* (skb): packets have no route, so no realm either. */
RT_HELPER(get_route_realm)
{
	return 0;
}

/* Nobody is in a net_cls group: none is 0. (skb) or (). */
RT_HELPER(get_cgroup_classid)
{
	return 0;
}

RT_HELPER(skb_cgroup_classid)
{
	return 0;
}

/* (skb, index, to, size, flags): packets have not come through IPsec. */
RT_HELPER(skb_get_xfrm_state)
{
	memset((void *)r3, 0, (u32)r4);
	return (u64)-EINVAL;
}

/* Sizes that struct bpf_tunnel_key had once. */
static bool is_key_size(u32 size)
{
	return size == sizeof(struct bpf_tunnel_key) ||
	       size == offsetof(struct bpf_tunnel_key, local_ipv6) ||
	       size == offsetof(struct bpf_tunnel_key, tunnel_label) ||
	       size == offsetof(struct bpf_tunnel_key, tunnel_label) - 2 ||
	       size == offsetof(struct bpf_tunnel_key, remote_ipv6) + 4;
}

static s64 get_key(const struct abi_rt_tunnel *tunnel, struct bpf_tunnel_key *key, u32 size,
		   u64 flags)
{
	bool ipv6 = flags & BPF_F_TUNINFO_IPV6;

	if (!tunnel->is_set || flags & ~(BPF_F_TUNINFO_IPV6 | TUNINFO_FLAGS))
		return -EINVAL;
	if (tunnel->is_ipv6 != ipv6)
		return -EPROTO;
	if (!is_key_size(size) ||
	    (size == offsetof(struct bpf_tunnel_key, remote_ipv6) + 4 && ipv6))
		return -EINVAL;
	*key = tunnel->key;
	if (!(flags & TUNINFO_FLAGS))
		key->tunnel_ext = 0;
	return 0;
}

/* (skb, to, size, flags) */
RT_HELPER(skb_get_tunnel_key)
{
	const struct abi_rt_skb *skb = (const struct abi_rt_skb *)r1;
	struct bpf_tunnel_key key;
	u32 size = (u32)r3;
	s64 error = get_key(&skb->tunnel, &key, size, r4);

	if (error)
		memset((void *)r2, 0, size);
	else
		memcpy((void *)r2, &key, size);
	return (u64)error;
}

/* The flags that bpf_skb_set_tunnel_key() stands for, as getting the key shows them. */
static u16 tunnel_flags(u64 flags)
{
	u16 bits = TUNNEL_NOCACHE | (flags & BPF_F_DONT_FRAGMENT ? TUNNEL_NO_FRAG : 0) |
		   (flags & BPF_F_ZERO_CSUM_TX ? 0 : TUNNEL_CSUM) |
		   (flags & BPF_F_SEQ_NUMBER ? TUNNEL_SEQ : 0) |
		   (flags & NO_TUNNEL_KEY ? 0 : TUNNEL_KEY);

	return (u16)(bits >> 8 | bits << 8);
}

/* (skb, from, size, flags): what is set for sending is got from the other end's view. */
RT_HELPER(skb_set_tunnel_key)
{
	struct abi_rt_tunnel *tunnel = &((struct abi_rt_skb *)r1)->tunnel;
	struct bpf_tunnel_key from = { 0 }, *key = &tunnel->key;
	u32 size = (u32)r3;

	if (r4 & ~SET_KEY_FLAGS || !is_key_size(size))
		return (u64)-EINVAL;
	memcpy(&from, (const void *)r2, size);
	if ((!(r4 & BPF_F_TUNINFO_IPV6) && from.tunnel_label) || from.tunnel_ext)
		return (u64)-EINVAL;
	memset(tunnel, 0, sizeof(*tunnel));
	tunnel->is_set = true;
	tunnel->is_ipv6 = r4 & BPF_F_TUNINFO_IPV6;
	key->tunnel_id = from.tunnel_id;
	key->tunnel_tos = from.tunnel_tos;
	key->tunnel_ttl = from.tunnel_ttl;
	key->tunnel_ext = tunnel_flags(r4);
	if (tunnel->is_ipv6) {
		memcpy(key->remote_ipv6, from.local_ipv6, sizeof(key->remote_ipv6));
		memcpy(key->local_ipv6, from.remote_ipv6, sizeof(key->local_ipv6));
		key->tunnel_label = from.tunnel_label & LABEL_MASK;
	} else {
		key->remote_ipv4 = from.local_ipv4;
		key->local_ipv4 = from.remote_ipv4;
	}
	return 0;
}

/* (skb, to, size) */
RT_HELPER(skb_get_tunnel_opt)
{
	const struct abi_rt_tunnel *tunnel = &((const struct abi_rt_skb *)r1)->tunnel;
	u32 size = (u32)r3;
	u8 *to = (u8 *)r2;

	memset(to, 0, size);
	if (!tunnel->is_set || !tunnel->has_options)
		return (u64)-ENOENT;
	if (size < tunnel->options_size)
		return (u64)-ENOMEM;
	memcpy(to, tunnel->options, tunnel->options_size);
	return tunnel->options_size;
}

/* (skb, from, size) */
RT_HELPER(skb_set_tunnel_opt)
{
	struct abi_rt_tunnel *tunnel = &((struct abi_rt_skb *)r1)->tunnel;
	u32 size = (u32)r3;

	if (!tunnel->is_set || size % 4)
		return (u64)-EINVAL;
	if (size > ABI_TUNNEL_OPTS_MAX)
		return (u64)-ENOMEM;
	tunnel->options_size = (u8)size;
	if (!size)
		return 0;
	memcpy(tunnel->options, (const void *)r2, size);
	tunnel->has_options = true;
	tunnel->key.tunnel_ext |= (u16)(TUNNEL_OPTIONS >> 8 | TUNNEL_OPTIONS << 8);
	return 0;
}
