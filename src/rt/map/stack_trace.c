/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BPF_MAP_TYPE_STACK_TRACE: a stack's number is the bucket that its hash falls into, and no other
 * (kernel/bpf/stackmap.c; the hash is the kernel's, so that numbers are too). A bucket has room for
 * two stacks. One word says which of them is there: a store writes the other one and then that
 * word, under the bucket's lock, so that a reader who finds the word unchanged has read a whole
 * stack, and a process that dies while it stores leaves the stack that was there.
 *
 * Stacks are counted: with max_entries of them none can be stored, not even in the place of another
 * (the kernel first takes a free element). A count that a dead process may or may not have taken
 * back is taken back: the map then takes a stack more than it should, for which there is room.
 */
#include "rt/lock.h"
#include "rt/map/ops.h"
#include "rt/map/shared.h"
#include "rt/mem.h"
#include "rt/stack.h"

#define RETRIES 64

/* On the map's first page. */
struct head {
	u32 nr; /* stacks */
};

struct bucket {
	u64 state; /* which stack: STATE_*; grows with every store */
	u32 lock;
	u32 counted; /* a store is between counting and its end */
};

/* Bit 0: there is a stack. Bit 1: in which half. */
#define STATE_THERE 1ull
#define STATE_HALF  2ull
#define STATE_NEXT  4ull

/* Before the addresses of a stack. */
struct stack_head {
	u32 hash;
	u32 nr;
};

#define LOAD(word)	   __atomic_load_n(&(word), __ATOMIC_ACQUIRE)
#define STORE(word, value) __atomic_store_n(&(word), (value), __ATOMIC_RELEASE)

static struct head *head_of(const struct rt_map *map)
{
	return (struct head *)(void *)map->data;
}

/* id is below nr_buckets. */
static struct bucket *bucket_of(const struct rt_map *map, u32 id)
{
	return (struct bucket *)(void *)(map->data + map->buckets_offset) + id;
}

static u8 *half_of(const struct rt_map *map, u32 id, u64 state)
{
	return map->data + map->elems_offset +
	       (2ull * id + !!(state & STATE_HALF)) * map->elem_stride;
}

static u32 elem_size(const struct rt_map *map)
{
	return map->flags & BPF_F_STACK_BUILD_ID ? sizeof(struct bpf_stack_build_id) : sizeof(u64);
}

u32 rt_stack_depth(const struct rt_map *map)
{
	return map->value_size / elem_size(map);
}

static u32 rotate(u32 word, u32 by)
{
	return word << by | word >> (32 - by);
}

/* Bob Jenkins' lookup3 over words (public domain, 2006), with initval 0. */
static u32 hash_of_words(const u32 *words, u32 nr)
{
	u32 a = 0xdeadbeef + (nr << 2), b = a, c = a;

	for (; nr > 3; nr -= 3, words += 3) {
		a += words[0];
		b += words[1];
		c += words[2];
		a -= c, a ^= rotate(c, 4), c += b;
		b -= a, b ^= rotate(a, 6), a += c;
		c -= b, c ^= rotate(b, 8), b += a;
		a -= c, a ^= rotate(c, 16), c += b;
		b -= a, b ^= rotate(a, 19), a += c;
		c -= b, c ^= rotate(b, 4), b += a;
	}
	if (!nr)
		return c;
	c += nr > 2 ? words[2] : 0;
	b += nr > 1 ? words[1] : 0;
	a += words[0];
	c ^= b, c -= rotate(b, 14);
	a ^= c, a -= rotate(c, 11);
	b ^= a, b -= rotate(a, 25);
	c ^= b, c -= rotate(b, 16);
	a ^= c, a -= rotate(c, 4);
	b ^= a, b -= rotate(a, 14);
	c ^= b, c -= rotate(b, 24);
	return c;
}

static void count_down(const struct rt_map *map)
{
	u32 nr = LOAD(head_of(map)->nr);

	while (nr && !__atomic_compare_exchange_n(&head_of(map)->nr, &nr, nr - 1, false,
						  __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		;
}

static bool is_full(const struct rt_map *map)
{
	return LOAD(head_of(map)->nr) >= map->max_entries;
}

/* Under the bucket's lock. */
static void count_up(const struct rt_map *map, struct bucket *bucket)
{
	STORE(bucket->counted, 1);
	__atomic_fetch_add(&head_of(map)->nr, 1, __ATOMIC_ACQ_REL);
}

static long lock(const struct rt_map *map, u32 id, struct rt_vcpu *vcpu)
{
	struct bucket *bucket = bucket_of(map, id);
	u32 dead;

	if (rt_lock_acquire(&bucket->lock, vcpu, &dead))
		return -EBUSY;
	/* The dead one counted, or took a stack out, and did not finish. */
	if (unlikely(dead) && LOAD(bucket->counted)) {
		if (!(LOAD(bucket->state) & STATE_THERE))
			count_down(map);
		STORE(bucket->counted, 0);
	}
	return 0;
}

static void unlock(const struct rt_map *map, u32 id)
{
	rt_lock_release(&bucket_of(map, id)->lock);
}

/* Is this stack the one in the half that state names? hash alone with addresses NULL. */
static bool holds(const struct rt_map *map, u32 id, u64 state, u32 hash, const u64 *ips, u32 nr)
{
	struct stack_head stack;
	const u8 *half = half_of(map, id, state);

	if (!(state & STATE_THERE))
		return false;
	rt_shared_load(&stack, half, sizeof(stack));
	return stack.hash == hash &&
	       (!ips ||
		(stack.nr == nr && rt_shared_equal(half + sizeof(stack), ips, nr * sizeof(u64))));
}

static long store(const struct rt_map *map, u32 id, u32 hash, const u64 *ips, u32 nr, u64 flags,
		  struct rt_vcpu *vcpu)
{
	struct bucket *bucket = bucket_of(map, id);
	struct stack_head stack = { hash, nr };
	long result = lock(map, id, vcpu);
	u64 state, next;

	if (result)
		return result;
	state = LOAD(bucket->state);
	if (holds(map, id, state, hash, ips, nr)) {
		result = id;
	} else if (state & STATE_THERE && !(flags & BPF_F_REUSE_STACKID)) {
		result = -EEXIST;
	} else if (is_full(map)) {
		result = -ENOMEM;
	} else {
		if (!(state & STATE_THERE))
			count_up(map, bucket);
		next = ((state ^ STATE_HALF) | STATE_THERE) + STATE_NEXT;
		rt_shared_store(half_of(map, id, next) + sizeof(stack), ips, nr * sizeof(u64));
		rt_shared_store(half_of(map, id, next), &stack, sizeof(stack));
		STORE(bucket->state, next);
		STORE(bucket->counted, 0);
		result = id;
	}
	unlock(map, id);
	return result;
}

long rt_stack_store(const struct rt_map *map, const u64 *ips, u32 nr, u64 flags,
		    struct rt_vcpu *vcpu)
{
	u32 depth = rt_stack_depth(map), hash, id;
	u64 state;

	nr = nr < depth ? nr : depth;
	hash = hash_of_words((const u32 *)(const void *)ips, 2 * nr);
	id = hash & (map->nr_buckets - 1);
	state = LOAD(bucket_of(map, id)->state);
	/* A stack that is known is the usual case, and needs no lock. */
	if (holds(map, id, state, hash, flags & BPF_F_FAST_STACK_CMP ? NULL : ips, nr) &&
	    LOAD(bucket_of(map, id)->state) == state)
		return id;
	return store(map, id, hash, ips, nr, flags, vcpu);
}

static u32 id_of(const void *key)
{
	u32 id;

	memcpy(&id, key, sizeof(id));
	return id;
}

/* The stack in the half that state names, as clients see it, zeros after it. */
static void copy_stack(const struct rt_map *map, u32 id, u64 state, u8 *value)
{
	const u8 *half = half_of(map, id, state), *at = half + sizeof(struct stack_head);
	u32 depth = rt_stack_depth(map);
	struct stack_head stack;

	rt_shared_load(&stack, half, sizeof(stack));
	memset(value, 0, map->value_size);
	for (u32 i = 0; i < stack.nr && i < depth; i++, at += sizeof(u64)) {
		struct bpf_stack_build_id entry = { .status = BPF_STACK_BUILD_ID_IP };
		u64 ip;

		rt_shared_load(&ip, at, sizeof(ip));
		entry.ip = ip;
		if (map->flags & BPF_F_STACK_BUILD_ID)
			memcpy(value + i * sizeof(entry), &entry, sizeof(entry));
		else
			memcpy(value + i * sizeof(ip), &ip, sizeof(ip));
	}
}

/* Ends with the bucket's lock held, unless it gives an error. */
static long lock_stack(const struct rt_map *map, u32 id, void *value, struct rt_vcpu *vcpu)
{
	long error = lock(map, id, vcpu);
	u64 state;

	if (error)
		return error;
	state = LOAD(bucket_of(map, id)->state);
	if (!(state & STATE_THERE)) {
		unlock(map, id);
		return -ENOENT;
	}
	if (value)
		copy_stack(map, id, state, value);
	return 0;
}

/* Takes a stack out, into value if that is not NULL. */
static long take_out(const struct rt_map *map, u32 id, void *value, struct rt_vcpu *vcpu)
{
	struct bucket *bucket = bucket_of(map, id);
	long error = lock_stack(map, id, value, vcpu);

	if (error)
		return error;
	STORE(bucket->counted, 1);
	STORE(bucket->state, (LOAD(bucket->state) & ~STATE_THERE) + STATE_NEXT);
	count_down(map);
	STORE(bucket->counted, 0);
	unlock(map, id);
	return 0;
}

static long stack_trace_delete(const struct rt_map *map, const void *key, struct rt_vcpu *vcpu)
{
	u32 id = id_of(key);

	return id < map->nr_buckets ? take_out(map, id, NULL, vcpu) : -E2BIG;
}

static long stack_trace_take_out(const struct rt_map *map, const void *key, void *value,
				 struct rt_vcpu *vcpu)
{
	u32 id = id_of(key);

	return id < map->nr_buckets ? take_out(map, id, value, vcpu) : -ENOENT;
}

static long stack_trace_copy_out(const struct rt_map *map, const void *key, void *value,
				 struct rt_vcpu *vcpu)
{
	u32 id = id_of(key);
	long error;

	if (id >= map->nr_buckets)
		return -ENOENT;
	for (u32 i = 0; i < RETRIES; i++) {
		u64 state = LOAD(bucket_of(map, id)->state);

		if (!(state & STATE_THERE))
			return -ENOENT;
		copy_stack(map, id, state, value);
		if (LOAD(bucket_of(map, id)->state) == state)
			return 0;
	}
	error = lock_stack(map, id, value, vcpu);
	if (!error)
		unlock(map, id);
	return error;
}

static long stack_trace_next_key(const struct rt_map *map, const void *key, void *next_key,
				 struct rt_vcpu *vcpu)
{
	u32 id = key ? id_of(key) : map->nr_buckets;

	if (id >= map->nr_buckets || !(LOAD(bucket_of(map, id)->state) & STATE_THERE))
		id = 0;
	else
		id++;
	while (id < map->nr_buckets && !(LOAD(bucket_of(map, id)->state) & STATE_THERE))
		id++;
	if (id >= map->nr_buckets)
		return -ENOENT;
	memcpy(next_key, &id, sizeof(id));
	return 0;
}

static long stack_trace_refuse(const struct rt_map *map, const void *key, const void *value,
			       u64 flags, struct rt_vcpu *vcpu)
{
	return -EINVAL;
}

struct layout {
	u64 stride, buckets, halves;
};

/* false: too big. */
static bool lay_out(u32 max_entries, u32 value_size, u32 flags, struct layout *ret_layout)
{
	u32 each = flags & BPF_F_STACK_BUILD_ID ? sizeof(struct bpf_stack_build_id) : sizeof(u64);
	u64 nr = rt_map_power_of_two(max_entries);

	ret_layout->stride = sizeof(struct stack_head) + value_size / each * sizeof(u64);
	ret_layout->buckets = rt_map_product(nr, sizeof(struct bucket));
	ret_layout->halves = rt_map_product(2 * nr, ret_layout->stride);
	return ret_layout->buckets && ret_layout->halves;
}

static u64 stack_trace_memory_size(const struct rt_map_spec *spec)
{
	struct layout layout;

	if (!lay_out(spec->max_entries, spec->value_size, spec->flags, &layout))
		return 0;
	return RT_PAGE_SIZE + layout.buckets + layout.halves;
}

static void stack_trace_init(struct rt_map *map)
{
	struct layout layout;

	lay_out(map->max_entries, map->value_size, map->flags, &layout);
	map->nr_buckets = (u32)rt_map_power_of_two(map->max_entries);
	map->elem_stride = (u32)layout.stride;
	map->buckets_offset = RT_PAGE_SIZE;
	map->elems_offset = RT_PAGE_SIZE + layout.buckets;
}

const struct rt_map_ops rt_map_stack_trace_ops = {
	.memory_size = stack_trace_memory_size,
	.init = stack_trace_init,
	.delete = stack_trace_delete,
	.copy_out = stack_trace_copy_out,
	.copy_in = stack_trace_refuse,
	.lookup_and_delete = stack_trace_take_out,
	.next_key = stack_trace_next_key,
	.in_process = true,
};
