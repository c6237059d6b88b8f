/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Open-coded iterators over numbers and bits (kernel/bpf/bpf_iter.c, kernel/bpf/helpers.c). Their
 * state lies on the program's stack, in memory that only this process sees; the words of a long bit
 * set lie in the vCPU's own memory. A program that is out of time gets no further elements.
 */
#include "rt/kfunc/families.h"
#include "rt/mem.h"
#include "rt/prog.h"

#define LOOPS_MAX (8L << 20) /* BPF_MAX_LOOPS */

struct numbers {
	s32 cur, end;
};

/* (it, start, end) */
RT_KFUNC(bpf_iter_num_new)
{
	struct numbers *it = (struct numbers *)r1;
	s32 start = (s32)r2, end = (s32)r3;

	*it = (struct numbers){ 0 };
	if (start > end)
		return rt_kfunc_int(-EINVAL);
	if ((s64)end - start > LOOPS_MAX)
		return rt_kfunc_int(-E2BIG);
	/* One before the first: without a sign when start is the smallest number. */
	it->cur = (s32)((u32)start - 1);
	it->end = end;
	return 0;
}

/* (it) */
RT_KFUNC(bpf_iter_num_next)
{
	struct numbers *it = (struct numbers *)r1;
	s32 next = (s32)((u32)it->cur + 1);

	if (next >= it->end || rt_prog_out_of_time(vcpu)) {
		*it = (struct numbers){ 0 };
		return 0;
	}
	it->cur = next;
	return (u64)&it->cur;
}

RT_KFUNC(bpf_iter_num_destroy)
{
	*(struct numbers *)r1 = (struct numbers){ 0 };
	return 0;
}

struct bits {
	u64 word; /* the bits, if they are 64; otherwise the number of their place */
	s32 nr, bit;
};

static u32 take_place(struct rt_vcpu *vcpu)
{
	for (u32 i = 0; i < RT_BITS_PLACES; i++)
		if (!(vcpu->bits_used & (1u << i))) {
			vcpu->bits_used |= 1u << i;
			return i;
		}
	return RT_BITS_PLACES;
}

/* (it, words, nr_words) */
RT_KFUNC(bpf_iter_bits_new)
{
	struct bits *it = (struct bits *)r1;
	u32 nr = (u32)r3, place;

	*it = (struct bits){ .bit = -1 };
	if (!r2 || !nr)
		return rt_kfunc_int(-EINVAL);
	if (nr > RT_BITS_WORDS)
		return rt_kfunc_int(-E2BIG);
	if (nr == 1) {
		if (rt_read_kernel(vcpu, &it->word, sizeof(it->word), r2))
			return rt_kfunc_int(-EFAULT);
		it->nr = 64;
		return 0;
	}
	place = take_place(vcpu);
	if (place == RT_BITS_PLACES)
		return rt_kfunc_int(-ENOMEM);
	if (rt_read_kernel(vcpu, vcpu->bits[place], nr * sizeof(u64), r2)) {
		vcpu->bits_used &= ~(1u << place);
		return rt_kfunc_int(-EFAULT);
	}
	it->word = place;
	it->nr = (s32)(nr * 64);
	return 0;
}

/* The first set bit from bit on, nr if there is none. */
static s32 next_bit(const u64 *words, s32 nr, s32 bit)
{
	while (bit < nr) {
		u64 rest = words[bit / 64] >> (bit % 64);

		if (rest)
			return bit + __builtin_ctzll(rest);
		bit = (bit / 64 + 1) * 64;
	}
	return nr;
}

/* (it) */
RT_KFUNC(bpf_iter_bits_next)
{
	struct bits *it = (struct bits *)r1;
	const u64 *words = it->nr == 64 ? &it->word : vcpu->bits[it->word % RT_BITS_PLACES];

	if (!it->nr || it->bit >= it->nr || rt_prog_out_of_time(vcpu))
		return 0;
	it->bit = next_bit(words, it->nr, it->bit + 1);
	return it->bit < it->nr ? (u64)&it->bit : 0;
}

RT_KFUNC(bpf_iter_bits_destroy)
{
	struct bits *it = (struct bits *)r1;

	if (it->nr > 64)
		vcpu->bits_used &= ~(1u << it->word % RT_BITS_PLACES);
	return 0;
}
