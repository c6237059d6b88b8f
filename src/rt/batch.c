/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See batch.h. The client's memory is copied between the operations, never under a vCPU: a page of
 * it may take any time to come.
 */
#include <linux/errno.h>

#include "rt/batch.h"
#include "rt/map/ops.h"
#include "rt/mem.h"

bool rt_batch_is_command(u32 cmd)
{
	return cmd >= BPF_MAP_LOOKUP_BATCH && cmd <= BPF_MAP_DELETE_BATCH;
}

static bool is_lookup(u32 cmd)
{
	return cmd == BPF_MAP_LOOKUP_BATCH || cmd == BPF_MAP_LOOKUP_AND_DELETE_BATCH;
}

long rt_batch_permits(const struct rt_batch *batch)
{
	u32 rights = is_lookup(batch->cmd) ? RT_ELEM_MAY_READ : 0;

	if (batch->cmd != BPF_MAP_LOOKUP_BATCH)
		rights |= RT_ELEM_MAY_WRITE;
	if (rights & ~batch->access)
		return -EPERM;
	return rights & RT_ELEM_MAY_WRITE && READ_ONCE(batch->map->state) & RT_MAP_FROZEN ? -EPERM
											  : 0;
}

static bool supports(const struct rt_map *map, u32 cmd)
{
	if (rt_map_has_buckets(map))
		return true;
	switch (map->type) {
	case BPF_MAP_TYPE_LPM_TRIE: return cmd != BPF_MAP_LOOKUP_AND_DELETE_BATCH;
	case BPF_MAP_TYPE_ARRAY:
	case BPF_MAP_TYPE_PERCPU_ARRAY:
	case BPF_MAP_TYPE_ARRAY_OF_MAPS:
		return cmd == BPF_MAP_LOOKUP_BATCH || cmd == BPF_MAP_UPDATE_BATCH;
	default: return false;
	}
}

long rt_batch_check(struct rt_batch *batch)
{
	if (!supports(batch->map, batch->cmd))
		return -RT_ENOTSUPP;
	if (batch->elem_flags & ~(u64)BPF_F_LOCK || (batch->elem_flags && !batch->map->has_lock))
		return -EINVAL;
	if (rt_map_has_buckets(batch->map) && is_lookup(batch->cmd) && batch->flags)
		return -EINVAL;
	batch->key_size = READ_ONCE(batch->map->key_size);
	batch->value_size = rt_map_user_value_size(batch->map);
	return 0;
}

u64 rt_batch_keys_room(const struct rt_batch *batch)
{
	return 2 * batch->key_size;
}

static long write_count(const struct rt_batch *batch, const struct rt_batch_io *io, u32 count)
{
	return io->copy.write(io->copy.arg, batch->count_address, &count, sizeof(count));
}

static struct rt_elem elem_of(const struct rt_batch *batch, u32 cmd, u8 *key, u8 *value)
{
	return (struct rt_elem){ .cmd = cmd,
				 .access = batch->access,
				 .flags = batch->elem_flags,
				 .map = batch->map,
				 .has_key = true,
				 .key_size = batch->key_size,
				 .value_size = batch->value_size,
				 .key_room = key,
				 .value_room = value };
}

/* The pair of key to the client: 0, -ENOENT if it has gone meanwhile, or another error. */
static long give(struct rt_batch *batch, const struct rt_batch_io *io, u8 *key)
{
	u32 cmd = batch->cmd == BPF_MAP_LOOKUP_BATCH ? BPF_MAP_LOOKUP_ELEM
						     : BPF_MAP_LOOKUP_AND_DELETE_ELEM;
	struct rt_elem elem = elem_of(batch, cmd, key, batch->value_room);
	long result = io->operate(io->copy.arg, &elem);

	if (result)
		return result;
	if (io->copy.write(io->copy.arg, batch->keys + batch->done * batch->key_size, key,
			   batch->key_size) ||
	    io->copy.write(io->copy.arg, batch->values + batch->done * batch->value_size,
			   batch->value_room, batch->value_size))
		return -EFAULT;
	batch->done++;
	return 0;
}

/*
 * Hands out whole buckets from *index on. 0: the next one, *index, is more than what is left of the
 * client's room; -ENOENT: that was the last one.
 */
static long buckets_loop(struct rt_batch *batch, const struct rt_batch_io *io, u64 *index)
{
	u32 room = (u32)(batch->keys_room / batch->key_size), left;
	struct rt_map_bucket bucket = { .keys = batch->key_room };
	long result;

	for (;; *index = bucket.next) {
		bucket.index = *index;
		bucket.room = room;
		result = io->bucket(io->copy.arg, batch->map, &bucket);
		if (result)
			return result;
		*index = bucket.index;
		if (bucket.index >= batch->map->nr_buckets)
			return -ENOENT;
		left = batch->count - batch->done;
		if (bucket.nr > left)
			return batch->done ? 0 : -ENOSPC;
		if (bucket.nr > room)
			return batch->done ? 0 : RT_BATCH_NO_ROOM;
		for (u32 i = 0; i < bucket.nr; i++) {
			result = give(batch, io, bucket.keys + i * batch->key_size);
			if (result && result != -ENOENT)
				return result;
		}
	}
}

static long lookup_buckets(struct rt_batch *batch, const struct rt_batch_io *io)
{
	u32 token = 0;
	u64 index;
	long result;

	if (batch->in_batch && io->copy.read(io->copy.arg, &token, batch->in_batch, sizeof(token)))
		return -EFAULT;
	index = token;
	if (index >= batch->map->nr_buckets)
		return -ENOENT;
	result = buckets_loop(batch, io, &index);
	if (result == -EFAULT || result == RT_BATCH_NO_ROOM)
		return result;
	/* A hash says where to go on first, the others how much there was. */
	token = (u32)index;
	if (io->copy.write(io->copy.arg, batch->out_batch, &token, sizeof(token)) ||
	    write_count(batch, io, batch->done))
		return -EFAULT;
	return result;
}

static long lookup_keys(struct rt_batch *batch, const struct rt_batch_io *io)
{
	u8 *previous = batch->key_room, *key = previous + batch->key_size, *swap;
	/* Chains in shared memory may have been tied into a ring: the walk ends anyhow. */
	u64 steps = 2 * (u64)batch->map->max_entries + 64;
	struct rt_elem next = elem_of(batch, BPF_MAP_GET_NEXT_KEY, previous, key);
	long result = 0;

	next.value_size = batch->key_size;
	next.has_key = batch->in_batch != 0;
	if (next.has_key && io->copy.read(io->copy.arg, previous, batch->in_batch, batch->key_size))
		return -EFAULT;
	while (batch->done < batch->count) {
		if (!steps--)
			return -EAGAIN;
		next.key_room = previous;
		next.value_room = key;
		result = io->operate(io->copy.arg, &next);
		if (result)
			break;
		result = give(batch, io, key);
		if (result && result != -ENOENT) /* it went while we looked */
			return result;
		swap = previous;
		previous = key;
		key = swap;
		next.has_key = true;
		result = 0;
	}
	if (result && result != -ENOENT)
		return result;
	if (write_count(batch, io, batch->done) ||
	    (batch->done &&
	     io->copy.write(io->copy.arg, batch->out_batch, previous, batch->key_size)))
		return -EFAULT;
	return result;
}

static long change_one(struct rt_batch *batch, const struct rt_batch_io *io)
{
	bool update = batch->cmd == BPF_MAP_UPDATE_BATCH;
	struct rt_elem elem = elem_of(batch, update ? BPF_MAP_UPDATE_ELEM : BPF_MAP_DELETE_ELEM,
				      batch->key_room, batch->value_room);

	if (io->copy.read(io->copy.arg, elem.key_room, batch->keys + batch->done * batch->key_size,
			  batch->key_size) ||
	    (update &&
	     io->copy.read(io->copy.arg, elem.value_room,
			   batch->values + batch->done * batch->value_size, batch->value_size)))
		return -EFAULT;
	return io->operate(io->copy.arg, &elem);
}

static long change(struct rt_batch *batch, const struct rt_batch_io *io)
{
	long result = 0;

	for (; batch->done < batch->count; batch->done++) {
		result = change_one(batch, io);
		if (result)
			break;
	}
	return write_count(batch, io, batch->done) ? -EFAULT : result;
}

long rt_batch_run(struct rt_batch *batch, const struct rt_batch_io *io)
{
	batch->done = 0;
	if (write_count(batch, io, 0))
		return -EFAULT;
	if (!is_lookup(batch->cmd))
		return change(batch, io);
	return rt_map_has_buckets(batch->map) ? lookup_buckets(batch, io) : lookup_keys(batch, io);
}
