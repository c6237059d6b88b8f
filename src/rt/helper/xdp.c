/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Helpers over the packet of a struct abi_rt_xdp; results as in net/core/filter.c of Linux 6.18.
 * The packet is data to data_end and then its fragments. Everything a program gives is checked
 * here.
 */
#include "abi/context.h"
#include "rt/helper/families.h"
#include "rt/kfunc/families.h"
#include "rt/mem.h"
#include "rt/prog.h"

#define ETH_HEADER 14
#define META_MAX   252	   /* what skb_shared_info's meta_len holds, in words */
#define LENGTH_MAX 0xffffu /* of one load or store, and of its offset */

static u32 linear_size(const struct abi_rt_xdp *xdp)
{
	return (u32)(xdp->data_end - xdp->data);
}

/* (xdp, delta): metadata moves along. */
RT_HELPER(xdp_adjust_head)
{
	struct abi_rt_xdp *xdp = (struct abi_rt_xdp *)r1;
	s64 delta = (s32)r2, meta = (s64)(xdp->data - xdp->data_meta);
	s64 data = (s64)xdp->data + delta;

	if (data < (s64)xdp->room_start + meta || data > (s64)xdp->data_end - ETH_HEADER)
		return (u64)-EINVAL;
	memmove((void *)(xdp->data_meta + (u64)delta), (const void *)xdp->data_meta, (u64)meta);
	xdp->data_meta += (u64)delta;
	xdp->data = (u64)data;
	return 0;
}

/* (xdp, delta) */
RT_HELPER(xdp_adjust_meta)
{
	struct abi_rt_xdp *xdp = (struct abi_rt_xdp *)r1;
	s64 meta = (s64)xdp->data_meta + (s32)r2, length = (s64)xdp->data - meta;

	if (meta < (s64)xdp->room_start || meta > (s64)xdp->data)
		return (u64)-EINVAL;
	if (length % 4 || length > META_MAX)
		return (u64)-EACCES;
	xdp->data_meta = (u64)meta;
	return 0;
}

/* Takes delta bytes off the fragments, and what they do not have off the linear part. */
static u64 shrink_frags(struct abi_rt_xdp *xdp, u32 delta)
{
	u32 taken = delta < xdp->frags_size ? delta : xdp->frags_size;

	if ((s64)delta > (s64)linear_size(xdp) + xdp->frags_size - ETH_HEADER)
		return (u64)-EINVAL;
	xdp->frags_size -= taken;
	if (!xdp->frags_size)
		xdp->data_end -= delta - taken;
	return 0;
}

static u64 grow_frags(struct abi_rt_xdp *xdp, u32 delta)
{
	u32 last = (xdp->frags_size - 1) % ABI_RT_XDP_FRAG + 1;

	if (delta > ABI_RT_XDP_FRAG - last)
		return (u64)-EINVAL;
	memset((u8 *)xdp->frags + xdp->frags_size, 0, delta);
	xdp->frags_size += delta;
	return 0;
}

/* (xdp, delta) */
RT_HELPER(xdp_adjust_tail)
{
	struct abi_rt_xdp *xdp = (struct abi_rt_xdp *)r1;
	s64 delta = (s32)r2, end = (s64)xdp->data_end + delta;

	/* The kernel's -INT_MIN is still negative: too little to take anything off fragments. */
	if (xdp->frags_size && delta == -0x80000000L)
		return 0;
	if (xdp->frags_size)
		return delta < 0 ? shrink_frags(xdp, (u32)-delta) : grow_frags(xdp, (u32)delta);
	if (end > (s64)xdp->room_end || end < (s64)xdp->data + ETH_HEADER)
		return (u64)-EINVAL;
	if (delta > 0)
		memset((void *)xdp->data_end, 0, (u64)delta);
	xdp->data_end = (u64)end;
	return 0;
}

/*
 * (xdp, length): so much of the packet shall be in one piece, from its fragments; where there is no
 * room behind it, it moves towards the start.
 */
RT_KFUNC(bpf_xdp_pull_data)
{
	struct abi_rt_xdp *xdp = (struct abi_rt_xdp *)r1;
	u32 length = (u32)r2, linear = linear_size(xdp), delta;
	u64 before = xdp->data_meta - xdp->room_start, behind = xdp->room_end - xdp->data_end, move;

	if (length <= linear)
		return 0;
	delta = length - linear;
	if (delta > xdp->frags_size || delta > before + behind)
		return rt_kfunc_int(-EINVAL);
	move = delta > behind ? delta - behind : 0;
	if (move)
		memmove((void *)(xdp->data_meta - move), (const void *)xdp->data_meta,
			xdp->data_end - xdp->data_meta);
	xdp->data_meta -= move;
	xdp->data -= move;
	memcpy((void *)(xdp->data_end - move), (const void *)xdp->frags, delta);
	xdp->data_end += delta - move;
	xdp->frags_size -= delta;
	memmove((void *)xdp->frags, (const void *)(xdp->frags + delta), xdp->frags_size);
	return 0;
}

/* (xdp) */
RT_HELPER(xdp_get_buff_len)
{
	const struct abi_rt_xdp *xdp = (const struct abi_rt_xdp *)r1;

	/* The kernel's own packet, which nobody has here. */
	if (rt_prog_is_typed(vcpu->prog))
		return 0;
	return linear_size(xdp) + xdp->frags_size;
}

/* Copies between the packet, from offset on, and a buffer. */
static u64 copy(const struct abi_rt_xdp *xdp, u32 offset, u8 *buffer, u32 length, bool store)
{
	u32 linear = linear_size(xdp), part = 0;

	if (offset > LENGTH_MAX || length > LENGTH_MAX)
		return (u64)-EFAULT;
	if (offset + length > linear + xdp->frags_size)
		return (u64)-EINVAL;
	if (offset < linear) {
		u8 *at = (u8 *)xdp->data + offset;

		part = length < linear - offset ? length : linear - offset;
		memcpy(store ? at : buffer, store ? buffer : at, part);
	}
	if (part < length) {
		u8 *at = (u8 *)xdp->frags + (offset + part - linear);

		memcpy(store ? at : buffer + part, store ? buffer + part : at, length - part);
	}
	return 0;
}

/* (xdp, offset, buffer, length) */
RT_HELPER(xdp_load_bytes)
{
	return copy((const struct abi_rt_xdp *)r1, (u32)r2, (u8 *)r3, (u32)r4, false);
}

RT_HELPER(xdp_store_bytes)
{
	return copy((const struct abi_rt_xdp *)r1, (u32)r2, (u8 *)r3, (u32)r4, true);
}
