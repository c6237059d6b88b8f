/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Helpers that send packets elsewhere or ask about devices and routes; results as in
 * net/core/filter.c of Linux 6.18. A hive has one device, its loopback, which forwards nothing and
 * where nobody takes what is sent to it.
 */
#include "rt/helper/skb.h"
#include "rt/helper/families.h"
#include "rt/prog.h"
#include "rt/mem.h"

#define LOOPBACK	1
#define LOOPBACK_MTU	65536
#define LOOPBACK_HEADER 14
#define ACT_SHOT	2 /* TC_ACT_SHOT, TC_ACT_REDIRECT */
#define ACT_REDIRECT	7
#define FAMILY_INET	2
#define FAMILY_INET6	10
#define FIB_FLAGS	0x3fu /* all of BPF_FIB_LOOKUP_* */

/* (ifindex, flags): the verdict; whoever runs the program has the packet. */
RT_HELPER(redirect)
{
	if (vcpu->prog->type == BPF_PROG_TYPE_XDP)
		return r2 ? XDP_ABORTED : XDP_REDIRECT;
	return r2 & ~(u64)BPF_F_INGRESS ? ACT_SHOT : ACT_REDIRECT;
}

/* (ifindex, flags) */
RT_HELPER(redirect_peer)
{
	return r2 ? ACT_SHOT : ACT_REDIRECT;
}

/* (ifindex, next_hop, size, flags) */
RT_HELPER(redirect_neigh)
{
	s32 size = (s32)r3;

	return r4 || (size && (u32)size < sizeof(struct bpf_redir_neigh)) ? ACT_SHOT : ACT_REDIRECT;
}

/* (skb, ifindex, flags) */
RT_HELPER(clone_redirect)
{
	const struct abi_rt_skb *skb = (const struct abi_rt_skb *)r1;

	if (r3 & ~(u64)BPF_F_INGRESS)
		return (u64)-EINVAL;
	if (skb_is_gso(skb))
		return (u64)-EBADMSG;
	if ((u32)r2 != LOOPBACK)
		return (u64)-EINVAL;
	return skb->mac_header >= skb->network_header || !skb->len ? (u64)-ERANGE : 0;
}

/* (ctx, params, size, flags) */
RT_HELPER(fib_lookup)
{
	struct bpf_fib_lookup params;

	if ((s32)r3 < (s32)sizeof(params) || (u32)r4 & ~FIB_FLAGS)
		return (u64)-EINVAL;
	memcpy(&params, (const void *)r2, sizeof(params));
	if (params.family != FAMILY_INET && params.family != FAMILY_INET6)
		return (u64)-EAFNOSUPPORT;
	return params.ifindex == LOOPBACK ? BPF_FIB_LKUP_RET_FWD_DISABLED : (u64)-ENODEV;
}

/* How long the packet is, as far as the program's view goes. */
static s32 packet_length(const struct rt_vcpu *vcpu, u64 ctx)
{
	const struct abi_rt_xdp *xdp = (const struct abi_rt_xdp *)ctx;

	if (vcpu->prog->type == BPF_PROG_TYPE_XDP)
		return (s32)(xdp->data_end - xdp->data);
	return (s32)((const struct abi_rt_skb *)ctx)->len;
}

/* (ctx, ifindex, mtu_len, len_diff, flags) */
RT_HELPER(check_mtu)
{
	bool xdp = vcpu->prog->type == BPF_PROG_TYPE_XDP, segments = r5 & BPF_MTU_CHK_SEGS;
	bool gso = !xdp && skb_is_gso((const struct abi_rt_skb *)r1);
	u32 *mtu = (u32 *)r3, length;

	if (r5 & ~(u64)(xdp ? 0 : BPF_MTU_CHK_SEGS) || (segments && ((s32)r4 || *mtu)))
		return (u64)-EINVAL;
	if ((u32)r2 && (u32)r2 != LOOPBACK)
		return (u64)-ENODEV;
	length = *mtu ? *mtu + LOOPBACK_HEADER : (u32)packet_length(vcpu, r1);
	length += (u32)r4;
	if ((s32)length > LOOPBACK_MTU + LOOPBACK_HEADER && gso && segments &&
	    !((const struct abi_rt_skb *)r1)->transport_header)
		return (u64)-EINVAL;
	*mtu = LOOPBACK_MTU;
	if ((s32)length <= LOOPBACK_MTU + LOOPBACK_HEADER || gso)
		return BPF_MTU_CHK_RET_SUCCESS;
	return BPF_MTU_CHK_RET_FRAG_NEEDED;
}
