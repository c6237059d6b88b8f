/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The dynptr helpers (kernel/bpf/helpers.c, kernel/bpf/ringbuf.c).
 */
#include "rt/buffer.h"
#include "rt/dynptr.h"
#include "rt/helper/families.h"

/* (data, size, flags, ptr) */
RT_HELPER(dynptr_from_mem)
{
	struct rt_dynptr *dynptr = (struct rt_dynptr *)r4;
	u32 size = (u32)r2;

	rt_dynptr_set(dynptr, 0, RT_DYNPTR_INVALID, 0, false);
	if (size > RT_DYNPTR_SIZE_MAX)
		return (u64)-E2BIG;
	if (r3)
		return (u64)-EINVAL;
	rt_dynptr_set(dynptr, r1, RT_DYNPTR_LOCAL, size, false);
	return 0;
}

/* (map, size, flags, ptr) */
RT_HELPER(ringbuf_reserve_dynptr)
{
	struct rt_dynptr *dynptr = (struct rt_dynptr *)r4;
	u32 size = (u32)r2;
	void *record;

	rt_dynptr_set(dynptr, 0, RT_DYNPTR_INVALID, 0, false);
	if (r3)
		return (u64)-EINVAL;
	if (size > RT_DYNPTR_SIZE_MAX)
		return (u64)-E2BIG;
	record = rt_ringbuf_reserve((const struct rt_map *)r1, size, vcpu);
	if (!record)
		return (u64)-EINVAL;
	rt_dynptr_set(dynptr, (u64)record, RT_DYNPTR_RINGBUF, size, false);
	return 0;
}

static u64 commit(struct rt_dynptr *dynptr, u64 flags, bool discard)
{
	/* The dynptr may have been moved on: data is still the record. */
	if (dynptr->data)
		rt_ringbuf_commit((void *)dynptr->data, flags, discard);
	rt_dynptr_set(dynptr, 0, RT_DYNPTR_INVALID, 0, false);
	return 0;
}

/* (ptr, flags) */
RT_HELPER(ringbuf_submit_dynptr)
{
	return commit((struct rt_dynptr *)r1, r2, false);
}

RT_HELPER(ringbuf_discard_dynptr)
{
	return commit((struct rt_dynptr *)r1, r2, true);
}

/* (dst, len, src, offset, flags) */
RT_HELPER(dynptr_read)
{
	if (r5)
		return (u64)-EINVAL;
	return (u64)rt_dynptr_read((void *)r1, (u32)r2, (const struct rt_dynptr *)r3, (u32)r4);
}

/* (dst, offset, src, len, flags) */
RT_HELPER(dynptr_write)
{
	return (u64)rt_dynptr_write((const struct rt_dynptr *)r1, (u32)r2, (const void *)r3,
				    (u32)r4, r5);
}

/* (ptr, offset, len) */
RT_HELPER(dynptr_data)
{
	const struct rt_dynptr *dynptr = (const struct rt_dynptr *)r1;

	/* Of packets only slices are handed out. */
	if (rt_dynptr_type(dynptr) >= RT_DYNPTR_SKB)
		return 0;
	return rt_dynptr_slice_rdwr(dynptr, (u32)r2, 0, (u32)r3);
}
