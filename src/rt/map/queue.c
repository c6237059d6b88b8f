/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BPF_MAP_TYPE_QUEUE and BPF_MAP_TYPE_STACK (kernel/bpf/queue_stack_maps.c): a ring of
 * max_entries + 1 values, so that the place to write next is never one that holds a value. Both
 * positions are one word: a push or pop is decided by one store, and whoever takes the lock over
 * from a dead owner finds the state before it or after it.
 */
#include "rt/lock.h"
#include "rt/map/ops.h"
#include "rt/map/shared.h"

struct queue_head {
	u64 ends; /* low half: place of the next push; high half: place of the oldest value */
	u32 lock;
};

/* What ends says, after the check of two numbers that anybody may have written. */
struct ends {
	u32 next, oldest;
};

static u32 nr_places(const struct rt_map *map)
{
	return map->max_entries + 1;
}

static struct queue_head *head_of(const struct rt_map *map)
{
	return (struct queue_head *)(void *)map->data;
}

static u8 *place_of(const struct rt_map *map, u32 place)
{
	return map->data + RT_PAGE_SIZE + (u64)place * map->value_stride;
}

static struct ends ends_load(const struct rt_map *map)
{
	u64 word = __atomic_load_n(&head_of(map)->ends, __ATOMIC_ACQUIRE);
	u32 next = (u32)word, oldest = (u32)(word >> 32);

	return (struct ends){ next < nr_places(map) ? next : 0,
			      oldest < nr_places(map) ? oldest : 0 };
}

static void ends_store(const struct rt_map *map, struct ends ends)
{
	__atomic_store_n(&head_of(map)->ends, (u64)ends.oldest << 32 | ends.next, __ATOMIC_RELEASE);
}

static u32 after(const struct rt_map *map, u32 place)
{
	return place + 1 < nr_places(map) ? place + 1 : 0;
}

static u32 before(const struct rt_map *map, u32 place)
{
	return place ? place - 1 : map->max_entries;
}

static long lock(const struct rt_map *map, struct rt_vcpu *vcpu)
{
	u32 dead;

	return rt_lock_acquire(&head_of(map)->lock, vcpu, &dead) ? -EBUSY : 0;
}

static long take(const struct rt_map *map, void *value, bool remove, struct rt_vcpu *vcpu)
{
	bool stack = map->type == BPF_MAP_TYPE_STACK;
	struct ends ends;
	u32 place;

	if (lock(map, vcpu))
		return -EBUSY;
	ends = ends_load(map);
	if (ends.next == ends.oldest) {
		rt_lock_release(&head_of(map)->lock);
		__builtin_memset(value, 0, map->value_size);
		return -ENOENT;
	}
	place = stack ? before(map, ends.next) : ends.oldest;
	rt_shared_load(value, place_of(map, place), map->value_size);
	if (remove) {
		if (stack)
			ends.next = place;
		else
			ends.oldest = after(map, place);
		ends_store(map, ends);
	}
	rt_lock_release(&head_of(map)->lock);
	return 0;
}

static long queue_push(const struct rt_map *map, const void *value, u64 flags, struct rt_vcpu *vcpu)
{
	struct ends ends;
	long error = 0;

	if (flags & BPF_NOEXIST || flags > BPF_EXIST)
		return -EINVAL;
	if (lock(map, vcpu))
		return -EBUSY;
	ends = ends_load(map);
	if (after(map, ends.next) == ends.oldest) {
		/* Full: BPF_EXIST drops the oldest value. */
		if (flags & BPF_EXIST)
			ends.oldest = after(map, ends.oldest);
		else
			error = -E2BIG;
	}
	if (!error) {
		rt_shared_store(place_of(map, ends.next), value, map->value_size);
		ends.next = after(map, ends.next);
		ends_store(map, ends);
	}
	rt_lock_release(&head_of(map)->lock);
	return error;
}

static long queue_pop(const struct rt_map *map, void *value, struct rt_vcpu *vcpu)
{
	return take(map, value, true, vcpu);
}

static long queue_peek(const struct rt_map *map, void *value, struct rt_vcpu *vcpu)
{
	return take(map, value, false, vcpu);
}

static u64 queue_memory_size(const struct rt_map_spec *spec)
{
	u64 values = rt_map_product((u64)spec->max_entries + 1, ALIGN_UP((u64)spec->value_size, 8));

	return spec->max_entries < ~0u && values ? RT_PAGE_SIZE + values : 0;
}

static void queue_init(struct rt_map *map)
{
}

static long queue_copy_out(const struct rt_map *map, const void *key, void *value,
			   struct rt_vcpu *vcpu)
{
	return queue_peek(map, value, vcpu);
}

static long queue_copy_in(const struct rt_map *map, const void *key, const void *value, u64 flags,
			  struct rt_vcpu *vcpu)
{
	return queue_push(map, value, flags, vcpu);
}

static long queue_take_out(const struct rt_map *map, const void *key, void *value,
			   struct rt_vcpu *vcpu)
{
	return queue_pop(map, value, vcpu);
}

const struct rt_map_ops rt_map_queue_ops = {
	.memory_size = queue_memory_size,
	.init = queue_init,
	.push = queue_push,
	.pop = queue_pop,
	.peek = queue_peek,
	.copy_out = queue_copy_out,
	.copy_in = queue_copy_in,
	.lookup_and_delete = queue_take_out,
	.missing = -EINVAL,
	.in_process = true,
};
