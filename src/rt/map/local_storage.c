/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See rt/storage.h. The map says for how many owners there is room; clients see no limit. When it
 * is full, tasks that are gone make room: a few elements are looked at, from where the last search
 * ended.
 */
#include "rt/arena.h"
#include "rt/clock.h"
#include "rt/map/hash.h"
#include "rt/storage.h"
#include "rt/sys.h"

#define SWEEP_MAX 32 /* elements that one search for a dead owner looks at */

/* Was the element made for one who had the number before? */
static bool is_stale(const struct rt_map *map, u32 number, const struct rt_owner *owner)
{
	u64 made;

	rt_shared_load(&made, hash_behind(map, number), sizeof(made));
	return made < owner->born;
}

/* The owner of the next element under the hand is dead: that it is not there may be for others. */
static bool drop_dead_task(const struct rt_map *map, struct rt_vcpu *vcpu)
{
	u32 number = __atomic_fetch_add(&hash_head(map)->hand, 1, __ATOMIC_RELAXED) %
			     hash_nr_elems(map) +
		     1;
	u64 owner;

	rt_shared_load(&owner, hash_elem(map, number)->key, sizeof(owner));
	return owner && owner >> 32 == 0 && !rt_sys_thread_exists((u32)owner) &&
	       hash_remove_element(map, number, vcpu) == 0;
}

static bool make_room(const struct rt_map *map, struct rt_vcpu *vcpu)
{
	if (map->type != BPF_MAP_TYPE_TASK_STORAGE || RT_PROCESS->foreign_pid_ns)
		return false;
	for (u32 i = 0; i < SWEEP_MAX; i++)
		if (drop_dead_task(map, vcpu))
			return true;
	return false;
}

static long storage_store(const struct rt_map *map, const void *key, const void *value, u64 flags,
			  struct rt_vcpu *vcpu)
{
	u64 now = rt_clock_ns(vcpu, RT_CLOCK_BOOTTIME);
	struct hash_store store = { .value = value, .behind = &now };
	long error = hash_update(map, key, &store, flags, vcpu);

	if (unlikely(error == -E2BIG) && make_room(map, vcpu))
		error = hash_update(map, key, &store, flags, vcpu);
	return error == -E2BIG ? -ENOMEM : error;
}

const struct rt_map_ops rt_map_local_storage_ops = {
	.memory_size = hash_memory_size,
	.init = hash_init,
	.lookup = hash_lookup,
	.update = storage_store,
	.delete = hash_delete,
	.copy_out = hash_copy_out,
	.copy_in = storage_store,
	.next_key = hash_next_key,
};

void rt_storage_drop_stale(const struct rt_map *map, const struct rt_owner *owner,
			   struct rt_vcpu *vcpu)
{
	u32 found = owner->born ? hash_find(map, &owner->number, vcpu) : 0;

	if (found && is_stale(map, found, owner))
		hash_delete(map, &owner->number, vcpu);
}

void *rt_storage_find(const struct rt_map *map, const struct rt_owner *owner, struct rt_vcpu *vcpu)
{
	u32 found = hash_find(map, &owner->number, vcpu);

	return found && !is_stale(map, found, owner) ? hash_value(map, found, vcpu->index) : NULL;
}

void *rt_storage_make(const struct rt_map *map, const struct rt_owner *owner, const void *value,
		      struct rt_vcpu *vcpu)
{
	void *found = rt_storage_find(map, owner, vcpu);
	long error;

	if (found)
		return found;
	rt_storage_drop_stale(map, owner, vcpu);
	error = storage_store(map, &owner->number, value, BPF_NOEXIST, vcpu);
	/* Somebody else may have made it meanwhile. */
	return error && error != -EEXIST ? NULL : rt_storage_find(map, owner, vcpu);
}

long rt_storage_delete(const struct rt_map *map, const struct rt_owner *owner, struct rt_vcpu *vcpu)
{
	rt_storage_drop_stale(map, owner, vcpu);
	return hash_delete(map, &owner->number, vcpu);
}

bool rt_storages_any(void)
{
	return READ_ONCE(RT_CONTROL->storages) != NULL;
}

void rt_storages_leave(u32 tid, struct rt_vcpu *vcpu)
{
	const struct rt_storages *storages =
		__atomic_load_n(&RT_CONTROL->storages, __ATOMIC_ACQUIRE);
	struct rt_owner owner = { .number = tid };

	for (u32 i = 0; storages && i < RT_STORAGES_MAX; i++) {
		const struct rt_map *map = __atomic_load_n(&storages->maps[i], __ATOMIC_ACQUIRE);

		if (map)
			rt_storage_delete(map, &owner, vcpu);
	}
}
