/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The four batch commands on arrays and hashes, also of maps. Arrays resume behind the key that the
 * client hands back; hashes hand out a 32-bit token, since a client's buffer for it may be shorter
 * than a key, and the key itself is kept with the map.
 */
#include "sys/hive.h"
#include "base/alloc.h"
#include "rt/elem.h"

#include <errno.h>
#include <string.h>

struct batch {
	struct sys_map *map;
	u8 *key, *previous, *value;
	u64 value_size;
	u32 key_size, done;
	bool hash;
};

static bool is_hash(const struct sys_map *map)
{
	u32 type = map->rt->type;

	return type == BPF_MAP_TYPE_HASH || type == BPF_MAP_TYPE_PERCPU_HASH ||
	       type == BPF_MAP_TYPE_LRU_HASH || type == BPF_MAP_TYPE_LRU_PERCPU_HASH ||
	       type == BPF_MAP_TYPE_HASH_OF_MAPS;
}

static bool supports(const struct sys_map *map, u32 cmd)
{
	if (is_hash(map))
		return true;
	if (map->rt->type == BPF_MAP_TYPE_LPM_TRIE)
		return cmd != BPF_MAP_LOOKUP_AND_DELETE_BATCH;
	if (map->rt->type != BPF_MAP_TYPE_ARRAY && map->rt->type != BPF_MAP_TYPE_PERCPU_ARRAY &&
	    map->rt->type != BPF_MAP_TYPE_ARRAY_OF_MAPS)
		return false;
	return cmd == BPF_MAP_LOOKUP_BATCH || cmd == BPF_MAP_UPDATE_BATCH;
}

/* Where to begin: 0 and previous filled, 1 for the beginning, or -errno. */
static int resume(struct sys_call *call, struct batch *batch)
{
	u32 token, i;

	if (!call->attr.batch.in_batch)
		return 1;
	if (!batch->hash)
		return sys_read(call, batch->previous, call->attr.batch.in_batch, batch->key_size);
	if (sys_read(call, &token, call->attr.batch.in_batch, sizeof(token)))
		return -EFAULT;
	for (i = 0; i < SYS_CURSORS; i++)
		if (batch->map->cursors[i].key && batch->map->cursors[i].token == token) {
			memcpy(batch->previous, batch->map->cursors[i].key, batch->key_size);
			return 0;
		}
	return token ? -ENOENT : 1;
}

/* Tells the client how to go on behind the last key. */
static int hand_over(struct sys_call *call, struct batch *batch)
{
	struct sys_map *map = batch->map;
	u64 address = call->attr.batch.out_batch;
	u32 token, i;

	if (!batch->hash)
		return batch->done ? sys_write(call, address, batch->previous, batch->key_size) : 0;
	token = ++map->last_token;
	if (!token)
		token = ++map->last_token;
	i = token % SYS_CURSORS;
	if (!map->cursors[i].key)
		map->cursors[i].key = base_alloc(batch->key_size);
	if (!map->cursors[i].key)
		return -ENOMEM;
	map->cursors[i].token = token;
	memcpy(map->cursors[i].key, batch->previous, batch->key_size);
	return sys_write(call, address, &token, sizeof(token));
}

/* One pair to the client; the key becomes the previous one. */
static long give(struct sys_call *call, struct batch *batch)
{
	const union abi_attr *attr = &call->attr;
	u8 *key = batch->key;

	if (sys_write(call, attr->batch.keys + (u64)batch->done * batch->key_size, key,
		      batch->key_size) ||
	    sys_write(call, attr->batch.values + (u64)batch->done * batch->value_size, batch->value,
		      batch->value_size))
		return -EFAULT;
	batch->done++;
	return 0;
}

/* Finds batch->key's value, and takes it out of the map. */
static long look_up(struct batch *batch, bool take, struct rt_vcpu *vcpu)
{
	struct sys_map *map = batch->map;
	long result;

	if (!sys_map_holds_objects(map))
		return take ? rt_map_lookup_and_delete(map->rt, batch->key, batch->value, 0, vcpu)
			    : rt_map_copy_out(map->rt, batch->key, batch->value, 0, vcpu);
	result = sys_slot_lookup(map, batch->key, (u32 *)(void *)batch->value, vcpu);
	return result || !take ? result : sys_slot_delete(map, batch->key, vcpu);
}

static long lookup_loop(struct sys_call *call, struct batch *batch, struct rt_vcpu *vcpu)
{
	const struct rt_map *rt = batch->map->rt;
	bool take = call->cmd == BPF_MAP_LOOKUP_AND_DELETE_BATCH, first;
	/* Chains in shared memory may have been tied into a ring: the walk ends anyhow. */
	u64 steps = 2 * (u64)rt->max_entries + 64;
	long result;
	u8 *swap;

	result = resume(call, batch);
	if (result < 0)
		return result;
	first = result == 1;
	for (;;) {
		result = rt_map_get_next_key(rt, first ? NULL : batch->previous, batch->key, vcpu);
		/* A hash says "that was all" together with the last pairs; an array with the next
		 * call. */
		if (result || (batch->done == call->attr.batch.count))
			break;
		if (!steps--)
			return -EAGAIN;
		result = look_up(batch, take, vcpu);
		if (!result)
			result = give(call, batch);
		else if (result == -ENOENT)
			result = 0; /* it went while we looked */
		if (result)
			break;
		swap = batch->previous;
		batch->previous = batch->key;
		batch->key = swap;
		/* What was taken out cannot be gone on behind: the rest begins at the beginning. */
		first = take;
		if (!batch->hash && batch->done == call->attr.batch.count)
			break;
	}
	if (result && result != -ENOENT)
		return result;
	call->attr.batch.count = batch->done;
	/* A hash says where to go on first, everything else how much there was. */
	if (!batch->hash && sys_write_attr(call, batch.count))
		return -EFAULT;
	if (take && batch->hash) {
		u32 token = 0;

		if (sys_write(call, call->attr.batch.out_batch, &token, sizeof(token)))
			return -EFAULT;
	} else if (hand_over(call, batch)) {
		return -EFAULT;
	}
	if (batch->hash && sys_write_attr(call, batch.count))
		return -EFAULT;
	return result;
}

static long lookup(struct sys_call *call, struct batch *batch)
{
	struct rt_vcpu *vcpu = sys_vcpu_acquire(call->client);
	long result;

	if (!vcpu)
		return -EBUSY;
	result = lookup_loop(call, batch, vcpu);
	sys_vcpu_release(vcpu);
	return result;
}

static long change_one(struct sys_call *call, struct batch *batch, u32 index)
{
	const union abi_attr *attr = &call->attr;
	struct rt_vcpu *vcpu;
	long result;

	if (sys_read(call, batch->key, attr->batch.keys + (u64)index * batch->key_size,
		     batch->key_size))
		return -EFAULT;
	if (call->cmd == BPF_MAP_UPDATE_BATCH) {
		if (sys_read(call, batch->value,
			     attr->batch.values + (u64)index * batch->value_size,
			     batch->value_size))
			return -EFAULT;
		return sys_map_store(call, batch->map, batch->key, batch->value,
				     attr->batch.elem_flags);
	}
	vcpu = sys_vcpu_acquire(call->client);
	if (!vcpu)
		return -EBUSY;
	result = sys_map_holds_objects(batch->map)
			 ? sys_slot_delete(batch->map, batch->key, vcpu)
			 : rt_map_delete_elem(batch->map->rt, batch->key, vcpu);
	sys_vcpu_release(vcpu);
	return result;
}

static long change(struct sys_call *call, struct batch *batch)
{
	u32 count = call->attr.batch.count;
	long result = 0;

	for (batch->done = 0; batch->done < count; batch->done++) {
		result = change_one(call, batch, batch->done);
		if (result)
			break;
	}
	call->attr.batch.count = batch->done;
	return sys_write_attr(call, batch.count) ? -EFAULT : result;
}

static long run(struct sys_call *call, struct batch *batch)
{
	u32 zero = 0;

	if (!supports(batch->map, call->cmd))
		return -ABI_ENOTSUPP;
	if (call->attr.batch.elem_flags) /* BPF_F_LOCK needs a bpf_spin_lock */
		return -EINVAL;
	batch->hash = is_hash(batch->map);
	if (batch->hash && call->attr.batch.flags &&
	    (call->cmd == BPF_MAP_LOOKUP_BATCH || call->cmd == BPF_MAP_LOOKUP_AND_DELETE_BATCH))
		return -EINVAL;
	if (!call->attr.batch.count)
		return 0;
	if (sys_write(call, call->address + offsetof(union abi_attr, batch.count), &zero,
		      sizeof(zero)))
		return -EFAULT;
	batch->key_size = batch->map->rt->key_size;
	batch->value_size = sys_map_value_size(batch->map);
	batch->key = base_zalloc(1, batch->key_size);
	batch->previous = base_zalloc(1, batch->key_size);
	batch->value = base_zalloc(1, batch->value_size);
	if (!batch->key || !batch->previous || !batch->value)
		return -ENOMEM;
	if (call->cmd == BPF_MAP_LOOKUP_BATCH || call->cmd == BPF_MAP_LOOKUP_AND_DELETE_BATCH)
		return lookup(call, batch);
	return change(call, batch);
}

long sys_map_batch(struct sys_call *call)
{
	struct batch batch = { 0 };
	u32 rights = 0;
	long result;

	result = sys_map_by_fd(call, call->attr.batch.map_fd, &batch.map);
	if (result)
		return result;
	if (call->cmd == BPF_MAP_LOOKUP_BATCH || call->cmd == BPF_MAP_LOOKUP_AND_DELETE_BATCH)
		rights |= RT_ELEM_MAY_READ;
	if (call->cmd != BPF_MAP_LOOKUP_BATCH)
		rights |= RT_ELEM_MAY_WRITE;
	result = sys_map_permits(call, batch.map, call->attr.batch.map_fd, rights);
	if (!result)
		result = run(call, &batch);
	sys_map_put(batch.map);
	base_free(batch.key);
	base_free(batch.previous);
	base_free(batch.value);
	return result;
}
