/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The dynptr kfuncs (kernel/bpf/helpers.c, net/core/filter.c, kernel/trace/bpf_trace.c).
 */
#include "abi/bpf_new.h"
#include "abi/context.h"
#include "rt/dynptr.h"
#include "rt/kfunc/families.h"
#include "rt/mem.h"
#include "rt/prog.h"

#define CHUNK 256u

/* (p, start, end) */
RT_KFUNC(bpf_dynptr_adjust)
{
	struct rt_dynptr *dynptr = (struct rt_dynptr *)r1;
	u32 start = (u32)r2, end = (u32)r3, size = rt_dynptr_size(dynptr);

	if (!dynptr->data || start > end)
		return rt_kfunc_int(-EINVAL);
	if (start > size || end > size)
		return rt_kfunc_int(-ERANGE);
	dynptr->offset += start;
	dynptr->size = (dynptr->size & ~RT_DYNPTR_SIZE_MAX) | (end - start);
	return 0;
}

RT_KFUNC(bpf_dynptr_is_null)
{
	return !((const struct rt_dynptr *)r1)->data;
}

RT_KFUNC(bpf_dynptr_is_rdonly)
{
	const struct rt_dynptr *dynptr = (const struct rt_dynptr *)r1;

	return dynptr->data && dynptr->size & RT_DYNPTR_RDONLY;
}

RT_KFUNC(bpf_dynptr_size)
{
	const struct rt_dynptr *dynptr = (const struct rt_dynptr *)r1;

	return dynptr->data ? rt_dynptr_size(dynptr) : rt_kfunc_int(-EINVAL);
}

/* (p, clone) */
RT_KFUNC(bpf_dynptr_clone)
{
	const struct rt_dynptr *dynptr = (const struct rt_dynptr *)r1;
	struct rt_dynptr *clone = (struct rt_dynptr *)r2;

	rt_dynptr_set(clone, 0, RT_DYNPTR_INVALID, 0, false);
	if (!dynptr->data)
		return rt_kfunc_int(-EINVAL);
	*clone = *dynptr;
	return 0;
}

/* (p, offset, buffer, size) */
RT_KFUNC(bpf_dynptr_slice)
{
	return rt_dynptr_slice((const struct rt_dynptr *)r1, (u32)r2, r3, (u32)r4);
}

RT_KFUNC(bpf_dynptr_slice_rdwr)
{
	return rt_dynptr_slice_rdwr((const struct rt_dynptr *)r1, (u32)r2, r3, (u32)r4);
}

/* Where neither is in one piece. */
static long copy_chunks(const struct rt_dynptr *to, u32 to_offset, const struct rt_dynptr *from,
			u32 from_offset, u32 size)
{
	u8 chunk[CHUNK];
	long error = 0;

	if (rt_dynptr_check(to, to_offset, size) || rt_dynptr_check(from, from_offset, size))
		return -E2BIG;
	for (u32 done = 0; done < size && !error; done += CHUNK) {
		u32 length = size - done < CHUNK ? size - done : CHUNK;

		error = rt_dynptr_read(chunk, length, from, from_offset + done);
		if (!error)
			error = rt_dynptr_write(to, to_offset + done, chunk, length, 0);
	}
	return error;
}

/* (dst, dst_off, src, src_off, size) */
RT_KFUNC(bpf_dynptr_copy)
{
	const struct rt_dynptr *to = (const struct rt_dynptr *)r1;
	const struct rt_dynptr *from = (const struct rt_dynptr *)r3;
	u64 source = rt_dynptr_slice(from, (u32)r4, 0, (u32)r5);
	u64 target = rt_dynptr_slice_rdwr(to, (u32)r2, 0, (u32)r5);

	if (source && target) {
		memmove((void *)target, (const void *)source, (u32)r5);
		return 0;
	}
	if (source)
		return rt_kfunc_int(rt_dynptr_write(to, (u32)r2, (const void *)source, (u32)r5, 0));
	if (target)
		return rt_kfunc_int(rt_dynptr_read((void *)target, (u32)r5, from, (u32)r4));
	return rt_kfunc_int(copy_chunks(to, (u32)r2, from, (u32)r4, (u32)r5));
}

/* (p, offset, size, value) */
RT_KFUNC(bpf_dynptr_memset)
{
	const struct rt_dynptr *dynptr = (const struct rt_dynptr *)r1;
	u32 offset = (u32)r2, size = (u32)r3;
	u64 target = rt_dynptr_slice_rdwr(dynptr, offset, 0, size);
	u8 chunk[CHUNK];
	long error = 0;

	if (dynptr->size & RT_DYNPTR_RDONLY)
		return rt_kfunc_int(-EINVAL);
	if (target) {
		memset((void *)target, (u8)r4, size);
		return 0;
	}
	if (rt_dynptr_check(dynptr, offset, size))
		return rt_kfunc_int(-E2BIG);
	memset(chunk, (u8)r4, size < CHUNK ? size : CHUNK);
	for (u32 done = 0; done < size && !error; done += CHUNK)
		error = rt_dynptr_write(dynptr, offset + done, chunk,
					size - done < CHUNK ? size - done : CHUNK, 0);
	return rt_kfunc_int(error);
}

/* Types whose programs only look at their packet. */
static bool only_reads(const struct rt_vcpu *vcpu)
{
	switch (vcpu->prog->type) {
	case BPF_PROG_TYPE_SCHED_CLS:
	case BPF_PROG_TYPE_SCHED_ACT:
	case BPF_PROG_TYPE_LWT_XMIT:
	case BPF_PROG_TYPE_SK_SKB: return false;
	default: return true;
	}
}

/* A dynptr of a packet, or none without a packet and for flags, of which there are none. */
static u64 from_packet(struct rt_dynptr *dynptr, u64 packet, u64 flags, u32 kind, u32 size,
		       bool read_only)
{
	rt_dynptr_set(dynptr, 0, RT_DYNPTR_INVALID, 0, false);
	if (flags || !packet)
		return rt_kfunc_int(-EINVAL);
	rt_dynptr_set(dynptr, packet, kind, size & RT_DYNPTR_SIZE_MAX, read_only);
	return 0;
}

/*
 * (skb, flags, ptr): what netfilter programs have of their packet is an image of it, and tracing
 * programs have none.
 */
RT_KFUNC(bpf_dynptr_from_skb)
{
	u32 type = vcpu->prog->type;
	bool is_image = type == ABI_PROG_TYPE_NETFILTER || type == BPF_PROG_TYPE_TRACING;
	const struct abi_rt_skb *skb = is_image ? vcpu->skb : (const struct abi_rt_skb *)r1;

	return from_packet((struct rt_dynptr *)r3, (u64)skb, r2, RT_DYNPTR_SKB,
			   skb ? (u32)(skb->data_end - skb->data) + skb->frags_size : 0,
			   only_reads(vcpu));
}

/* (skb, flags, ptr) */
RT_KFUNC(bpf_dynptr_from_skb_meta)
{
	const struct abi_rt_skb *skb = (const struct abi_rt_skb *)r1;

	return from_packet((struct rt_dynptr *)r3, r1, r2, RT_DYNPTR_META,
			   (u32)(skb->data - skb->data_meta), only_reads(vcpu));
}

/* (xdp, flags, ptr) */
RT_KFUNC(bpf_dynptr_from_xdp)
{
	const struct abi_rt_xdp *xdp = (const struct abi_rt_xdp *)r1;

	return from_packet((struct rt_dynptr *)r3, r1, r2, RT_DYNPTR_XDP,
			   (u32)(xdp->data_end - xdp->data) + xdp->frags_size, false);
}

enum source { USER, KERNEL, TASK, USER_STRING, KERNEL_STRING, TASK_STRING };

/* Where the bytes come from; task: the image of the task of TASK and TASK_STRING. */
struct origin {
	enum source source;
	u64 address, task;
};

static long read_from(const struct origin *origin, void *to, u32 size, u32 done,
		      struct rt_vcpu *vcpu)
{
	u64 address = origin->address + done;

	switch (origin->source) {
	case USER: return rt_read_user(vcpu, to, size, address);
	case KERNEL: return rt_read_kernel(vcpu, to, size, address);
	case TASK: return rt_read_task(vcpu, origin->task, to, size, address);
	case USER_STRING: return rt_read_user_str(vcpu, to, size, address);
	case TASK_STRING: return rt_read_task_str(vcpu, origin->task, to, size, address);
	default: return rt_read_kernel_str(vcpu, to, size, address);
	}
}

/* (ptr, off, size, unsafe_ptr): where the dynptr is not in one piece, chunk by chunk. */
static u64 read_into(u64 ptr, u32 offset, u32 size, struct origin origin, struct rt_vcpu *vcpu)
{
	const struct rt_dynptr *dynptr = (const struct rt_dynptr *)ptr;
	u64 target = rt_dynptr_slice_rdwr(dynptr, offset, 0, size);
	bool string = origin.source >= USER_STRING;
	u8 chunk[CHUNK];
	u32 done = 0;

	if (target)
		return rt_kfunc_int(read_from(&origin, (void *)target, size, 0, vcpu));
	if (rt_dynptr_check(dynptr, offset, size))
		return rt_kfunc_int(-E2BIG);
	while (done < size) {
		u32 length = size - done < CHUNK ? size - done : CHUNK;
		long error = read_from(&origin, chunk, length, done, vcpu);
		u32 got = string && error > 0 ? (u32)error : length;
		bool ended = string && got < length;

		/* The NUL of a full chunk stands for what is not read yet. */
		if (string && got == length && got > 1 && done + got < size)
			got--;
		if (error >= 0)
			error = rt_dynptr_write(dynptr, offset + done, chunk, got, 0);
		if (error < 0)
			return rt_kfunc_int(error);
		done += got;
		if (ended)
			break;
	}
	return rt_kfunc_int(string ? (long)done : 0);
}

RT_KFUNC(bpf_probe_read_user_dynptr)
{
	return read_into(r1, (u32)r2, (u32)r3, (struct origin){ USER, r4, 0 }, vcpu);
}

RT_KFUNC(bpf_copy_from_user_dynptr)
{
	return read_into(r1, (u32)r2, (u32)r3, (struct origin){ USER, r4, 0 }, vcpu);
}

RT_KFUNC(bpf_copy_from_user_str_dynptr)
{
	return read_into(r1, (u32)r2, (u32)r3, (struct origin){ USER_STRING, r4, 0 }, vcpu);
}

RT_KFUNC(bpf_copy_from_user_task_dynptr)
{
	return read_into(r1, (u32)r2, (u32)r3, (struct origin){ TASK, r4, r5 }, vcpu);
}

RT_KFUNC(bpf_copy_from_user_task_str_dynptr)
{
	return read_into(r1, (u32)r2, (u32)r3, (struct origin){ TASK_STRING, r4, r5 }, vcpu);
}

RT_KFUNC(bpf_probe_read_kernel_dynptr)
{
	return read_into(r1, (u32)r2, (u32)r3, (struct origin){ KERNEL, r4, 0 }, vcpu);
}

RT_KFUNC(bpf_probe_read_user_str_dynptr)
{
	return read_into(r1, (u32)r2, (u32)r3, (struct origin){ USER_STRING, r4, 0 }, vcpu);
}

RT_KFUNC(bpf_probe_read_kernel_str_dynptr)
{
	return read_into(r1, (u32)r2, (u32)r3, (struct origin){ KERNEL_STRING, r4, 0 }, vcpu);
}
