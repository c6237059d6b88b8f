/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Dynptrs at run time: 16 bytes on the program's stack, which only this process sees and which the
 * verifier lets nothing but helpers and kfuncs write. Layout of the kernel's struct
 * bpf_dynptr_kern.
 */
#ifndef SKEP_RT_DYNPTR_H
#define SKEP_RT_DYNPTR_H

#include "base/types.h"

struct rt_vcpu;

enum rt_dynptr_type {
	RT_DYNPTR_INVALID,
	RT_DYNPTR_LOCAL,   /* data: the memory */
	RT_DYNPTR_RINGBUF, /* data: a reserved record */
	RT_DYNPTR_SKB,	   /* data: the context, struct abi_rt_skb */
	RT_DYNPTR_XDP,	   /* data: the context, struct abi_rt_xdp */
	RT_DYNPTR_META,	   /* data: as RT_DYNPTR_SKB; the metadata before the packet */
};

#define RT_DYNPTR_SIZE_MAX 0xffffffu
#define RT_DYNPTR_TYPE_BIT 28
#define RT_DYNPTR_RDONLY   (1u << 31)

struct rt_dynptr {
	u64 data; /* 0: a null dynptr, of size 0 */
	u32 size; /* with the type and RT_DYNPTR_RDONLY above it */
	u32 offset;
};

static inline u32 rt_dynptr_size(const struct rt_dynptr *dynptr)
{
	return dynptr->size & RT_DYNPTR_SIZE_MAX;
}

static inline u32 rt_dynptr_type(const struct rt_dynptr *dynptr)
{
	return dynptr->size >> RT_DYNPTR_TYPE_BIT & 7;
}

void rt_dynptr_set(struct rt_dynptr *dynptr, u64 data, u32 type, u32 size, bool rdonly);

/* 0, or -E2BIG when length bytes at offset are not all in it. */
long rt_dynptr_check(const struct rt_dynptr *dynptr, u32 offset, u32 length);

/* Memory of length bytes at offset, checked: in one piece, or copied into buffer if that is given.
 */
u64 rt_dynptr_slice(const struct rt_dynptr *dynptr, u32 offset, u64 buffer, u32 length);

/* The same for memory that may be written, 0 if the dynptr is read-only. */
u64 rt_dynptr_slice_rdwr(const struct rt_dynptr *dynptr, u32 offset, u64 buffer, u32 length);

long rt_dynptr_read(void *to, u32 length, const struct rt_dynptr *dynptr, u32 offset);
long rt_dynptr_write(const struct rt_dynptr *dynptr, u32 offset, const void *from, u32 length,
		     u64 flags);

#endif
