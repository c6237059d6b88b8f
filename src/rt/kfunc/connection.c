/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel functions on tracked connections (net/netfilter/nf_conntrack_bpf.c) and on sockets from
 * outside. The table of connections is empty and has no room, as that of a kernel may be: a lookup
 * finds nothing, nothing new is made, and what programs would do with a connection never happens.
 */
#include <linux/in.h>

#include "rt/kfunc/families.h"

#define ZONE_BOTH 3 /* NF_CT_DEFAULT_ZONE_DIR */

struct options {
	s32 netns_id, error;
	u8 l4proto, dir;
	u16 zone;
	u8 zone_dir, reserved[3];
};

#define OPTIONS_SHORT 12u /* without zones */

static long check_options(struct options *options, u32 size)
{
	if (size != sizeof(*options) && size != OPTIONS_SHORT)
		return -EINVAL;
	if (size == OPTIONS_SHORT)
		return READ_ONCE(options->zone) ? -EINVAL : 0;
	for (u32 i = 0; i < ARRAY_SIZE(options->reserved); i++)
		if (READ_ONCE(options->reserved[i]))
			return -EINVAL;
	return 0;
}

/* Looks for nothing, with the kernel's complaints before it would: -errno. */
static long look(u32 tuple_size, struct options *options, u32 size, long none)
{
	const struct bpf_sock_tuple *tuple = NULL;
	long error = check_options(options, size);
	bool lookup = none == -ENOENT, known;
	u8 protocol;
	s32 netns;

	if (error)
		return error;
	protocol = READ_ONCE(options->l4proto);
	netns = READ_ONCE(options->netns_id);
	known = protocol == IPPROTO_TCP || protocol == IPPROTO_UDP;
	if (lookup && !known)
		return -EPROTO;
	if (netns < BPF_F_CURRENT_NETNS)
		return -EINVAL;
	if (!known)
		return -EPROTO;
	if (tuple_size != sizeof(tuple->ipv4) && tuple_size != sizeof(tuple->ipv6))
		return -EAFNOSUPPORT;
	if (netns >= 0)
		return -ENONET;
	if (size == sizeof(*options) && !READ_ONCE(options->zone_dir))
		WRITE_ONCE(options->zone_dir, ZONE_BOTH);
	return none;
}

/* (ctx, tuple, size, options, size) */
static u64 find(u64 tuple_size, u64 options, u64 size, long none)
{
	struct options *out = (struct options *)options;
	long error = look((u32)tuple_size, out, (u32)size, none);

	if ((u32)size >= offsetof(struct options, error) + sizeof(out->error))
		WRITE_ONCE(out->error, (s32)error);
	return 0;
}

RT_KFUNC(bpf_xdp_ct_lookup)
{
	return find(r3, r4, r5, -ENOENT);
}

RT_KFUNC(bpf_skb_ct_lookup)
{
	return find(r3, r4, r5, -ENOENT);
}

RT_KFUNC(bpf_xdp_ct_alloc)
{
	return find(r3, r4, r5, -ENOMEM);
}

RT_KFUNC(bpf_skb_ct_alloc)
{
	return find(r3, r4, r5, -ENOMEM);
}

/* There is no connection to call these with. */
#define NEVER(name)       \
	RT_KFUNC(name)    \
	{                 \
		return 0; \
	}

NEVER(bpf_ct_insert_entry)
NEVER(bpf_ct_release)
NEVER(bpf_ct_set_timeout)
NEVER(bpf_ct_change_timeout)
NEVER(bpf_ct_set_status)
NEVER(bpf_ct_change_status)
NEVER(bpf_ct_set_nat_info)

/* Nor one of what the kernel's modules for self-tests give out. */
NEVER(bpf_kfunc_call_test_release)
NEVER(bpf_kfunc_call_memb_release)

/*
 * (ctx, options, size): there are no IPsec states. The options begin with the error and the network
 * namespace.
 */
#define XFRM_OPTIONS 36u

RT_KFUNC(bpf_xdp_get_xfrm_state)
{
	s32 *error = (s32 *)r2, netns;

	if ((u32)r3 < sizeof(*error))
		return 0;
	netns = (u32)r3 == XFRM_OPTIONS ? READ_ONCE(error[1]) : 0;
	WRITE_ONCE(*error, (u32)r3 != XFRM_OPTIONS || netns < BPF_F_CURRENT_NETNS ? -EINVAL
			   : netns >= 0						  ? -ENONET
										  : -ENOENT);
	return 0;
}

NEVER(bpf_xdp_xfrm_state_release)

/* (socket): that of another process. */
RT_KFUNC(bpf_sock_destroy)
{
	return rt_kfunc_int(-EOPNOTSUPP);
}

/* (skb, socket, attributes, size): packets of test runs are not at an ingress. */
RT_KFUNC(bpf_sk_assign_tcp_reqsk)
{
	return rt_kfunc_int(-EINVAL);
}

/* (sock_ops, flags): nothing is sent that a time could be taken of. */
RT_KFUNC(bpf_sock_ops_enable_tx_tstamp)
{
	return rt_kfunc_int(r2 ? -EINVAL : -EOPNOTSUPP);
}
