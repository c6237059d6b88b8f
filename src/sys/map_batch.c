/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The four batch commands on arrays and hashes, also of maps, for clients in other processes:
 * rt/batch.h with their memory, and with elements that are objects.
 */
#include "sys/hive.h"
#include "base/alloc.h"
#include "rt/batch.h"

#include <errno.h>

struct work {
	struct sys_call *call;
	struct sys_map *map;
};

static long read_client(void *arg, void *dst, u64 address, u64 size)
{
	const struct work *work = arg;

	return sys_read(work->call, dst, address, size);
}

static long write_client(void *arg, u64 address, const void *src, u64 size)
{
	const struct work *work = arg;

	return sys_write(work->call, address, src, size);
}

static long operate_on_objects(struct work *work, struct rt_elem *elem, struct rt_vcpu *vcpu)
{
	void *value = elem->value_room;
	long result;

	switch (elem->cmd) {
	case BPF_MAP_LOOKUP_ELEM: return sys_slot_lookup(work->map, elem->key_room, value, vcpu);
	case BPF_MAP_UPDATE_ELEM:
		return sys_slot_update(work->call, work->map, elem->key_room, value, elem->flags,
				       vcpu);
	case BPF_MAP_DELETE_ELEM: return sys_slot_delete(work->map, elem->key_room, vcpu);
	case BPF_MAP_LOOKUP_AND_DELETE_ELEM:
		result = sys_slot_lookup(work->map, elem->key_room, value, vcpu);
		return result ? result : sys_slot_delete(work->map, elem->key_room, vcpu);
	default: return rt_elem_operate(elem, vcpu);
	}
}

static long operate(void *arg, struct rt_elem *elem)
{
	struct work *work = arg;
	struct rt_vcpu *vcpu = sys_vcpu_acquire_for(work->map->rt, work->call->client);
	long result;

	if (!vcpu)
		return -EBUSY;
	result = sys_map_holds_objects(work->map) ? operate_on_objects(work, elem, vcpu)
						  : rt_elem_operate(elem, vcpu);
	sys_vcpu_release(vcpu);
	return result;
}

static long bucket_keys(void *arg, const struct rt_map *map, struct rt_map_bucket *bucket)
{
	const struct work *work = arg;
	struct rt_vcpu *vcpu = sys_vcpu_acquire(work->call->client);
	long result;

	if (!vcpu)
		return -EBUSY;
	result = rt_map_bucket_keys(map, bucket, vcpu);
	sys_vcpu_release(vcpu);
	return result;
}

/* Room for the keys of any bucket that the client has room for. */
static long run(struct work *work, struct rt_batch *batch)
{
	const struct rt_batch_io io = { { read_client, write_client, work }, operate, bucket_keys };
	u32 nr = batch->count < RT_BATCH_KEYS_MAX ? batch->count : RT_BATCH_KEYS_MAX;
	long result;

	/* A bucket holds no more than the map, whose keys may be large. */
	if (nr > READ_ONCE(batch->map->max_entries))
		nr = READ_ONCE(batch->map->max_entries);
	if (!rt_map_has_buckets(batch->map) || nr < 2)
		nr = 2;
	batch->keys_room = nr * batch->key_size;
	batch->key_room = base_zalloc(nr, batch->key_size);
	batch->value_room = base_zalloc(1, batch->value_size);
	result = batch->key_room && batch->value_room ? rt_batch_run(batch, &io) : -ENOMEM;
	base_free(batch->key_room);
	base_free(batch->value_room);
	return result == RT_BATCH_NO_ROOM ? -ENOSPC : result;
}

long sys_map_batch(struct sys_call *call)
{
	const union abi_attr *attr = &call->attr;
	struct work work = { .call = call };
	struct rt_batch batch = {
		.cmd = call->cmd,
		.in_batch = attr->batch.in_batch,
		.out_batch = attr->batch.out_batch,
		.keys = attr->batch.keys,
		.values = attr->batch.values,
		.count_address = call->address + offsetof(union abi_attr, batch.count),
		.elem_flags = attr->batch.elem_flags,
		.flags = attr->batch.flags,
		.count = attr->batch.count,
	};
	long result = sys_map_by_fd(call, attr->batch.map_fd, &work.map);

	if (result)
		return result;
	batch.map = work.map->rt;
	batch.access = sys_map_access(call, attr->batch.map_fd);
	result = rt_batch_permits(&batch);
	if (!result)
		result = rt_batch_check(&batch);
	if (!result && batch.count)
		result = run(&work, &batch);
	sys_map_put(work.map);
	return result;
}
