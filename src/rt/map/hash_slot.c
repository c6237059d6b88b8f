/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Free elements and journals of hash maps (rt/map/hash.h, point 2).
 *
 * An element is always in exactly one place: a chain, a free list, a slot's `extra`, a slot's
 * `cell`, or above hash_head.taken. Each move is written into the mover's journal before it begins,
 * and is decided by one store (the list's head, the bucket's head, the predecessor's link): from
 * the journal and that word anybody can tell whether it happened. A journal entry stands only while
 * the mover holds the lock that the entry is about, so it is settled by whoever takes that lock
 * from a dead mover, before anything else is done under the lock. The next holder of the slot makes
 * that happen by taking those locks itself. Lock order: bucket, then list.
 */
#include "rt/map/hash.h"
#include "rt/map/lru_list.h"
#include "rt/map/value.h"

/*
 * Lists are numbered: the slots' free lists; the elements never used; the slots' cells, each a list
 * of at most one element that is under the lock of the slot's free list.
 */
static bool list_is_cell(const struct rt_map *map, u32 list)
{
	return list > map->nr_vcpus;
}

static u32 list_of_cell(const struct rt_map *map, u32 slot)
{
	return map->nr_vcpus + 1 + slot;
}

static struct hash_slot *list_slot(const struct rt_map *map, u32 list)
{
	return hash_slot(map, list_is_cell(map, list) ? list - map->nr_vcpus - 1 : list);
}

static u32 *list_lock(const struct rt_map *map, u32 list)
{
	return list == map->nr_vcpus ? &hash_head(map)->lock : &list_slot(map, list)->lock;
}

/* The first element of a list; 0: empty. */
static u32 list_first(const struct rt_map *map, u32 list)
{
	u32 taken;

	if (list_is_cell(map, list))
		return HASH_LOAD(list_slot(map, list)->cell);
	if (list < map->nr_vcpus)
		return HASH_LOAD(list_slot(map, list)->free);
	taken = HASH_LOAD(hash_head(map)->taken);
	return taken < map->max_entries ? taken + 1 : 0;
}

static void list_drop_first(const struct rt_map *map, u32 list, u32 first)
{
	if (list_is_cell(map, list))
		HASH_STORE(list_slot(map, list)->cell, 0);
	else if (list < map->nr_vcpus)
		HASH_STORE(list_slot(map, list)->free, HASH_LOAD(hash_elem(map, first)->link));
	else
		HASH_STORE(hash_head(map)->taken, first);
}

static bool journal_open(const struct hash_slot *slot)
{
	return HASH_LOAD(slot->from) | HASH_LOAD(slot->push) | HASH_LOAD(slot->op);
}

/* Is this slot's journal open and its writer gone? */
static bool journal_dead(const struct hash_slot *slot)
{
	return journal_open(slot) && rt_lock_gone(HASH_LOAD(slot->token));
}

/* Settles what the writer of slot's journal was doing to a list under the lock that list has. */
static void list_settle(const struct rt_map *map, u32 list, struct hash_slot *slot)
{
	u32 element, from = HASH_LOAD(slot->from);

	if (from && from <= list_of_cell(map, map->nr_vcpus) &&
	    list_lock(map, from - 1) == list_lock(map, list)) {
		element = HASH_LOAD(slot->pop);
		if (element)
			HASH_STORE(slot->cell, list_first(map, from - 1) == element ? 0 : element);
		HASH_STORE(slot->pop, 0);
		HASH_STORE(slot->from, 0);
	}
	element = HASH_LOAD(slot->push);
	if (element && &slot->lock == list_lock(map, list)) {
		HASH_STORE(slot->cell, HASH_LOAD(slot->free) == element ? 0 : element);
		HASH_STORE(slot->push, 0);
	}
}

static long list_lock_acquire(const struct rt_map *map, u32 list, struct rt_vcpu *vcpu)
{
	u32 dead;
	long error = rt_lock_acquire(list_lock(map, list), vcpu, &dead);

	/* All dead journals, not the dead owner's alone: it may have died while it settled one. */
	for (u32 i = 0; unlikely(dead) && i < map->nr_vcpus; i++)
		if (journal_dead(hash_slot(map, i)))
			list_settle(map, list, hash_slot(map, i));
	return error;
}

static void list_lock_release(const struct rt_map *map, u32 list)
{
	rt_lock_release(list_lock(map, list));
}

/*
 * The first element of list, if it may be taken; 0: there is none. It may always, but for a cell:
 * its element is free only when the slot's holder is gone, with no journal entry open that still
 * counts on it. The element is looked at before the token, since one that a live holder put there
 * comes with that holder's token; and again after the journal, since whoever has settled that in
 * the meantime may have found the element linked. Then both must be as they were.
 */
static u32 list_may_pop(const struct rt_map *map, u32 list)
{
	const struct hash_slot *slot = list_slot(map, list);
	u32 first = list_first(map, list), token;

	if (!first || !list_is_cell(map, list))
		return first;
	token = HASH_LOAD(slot->token);
	if (!rt_lock_gone(token) || journal_open(slot) || list_first(map, list) != first ||
	    HASH_LOAD(slot->token) != token)
		return 0;
	return first;
}

/* Moves the first element of list to slot->cell: 0, -E2BIG when there is none, or the lock's error.
 */
static long list_pop(const struct rt_map *map, u32 list, struct hash_slot *slot,
		     struct rt_vcpu *vcpu)
{
	u32 first;
	long error;

	if (!list_may_pop(map, list))
		return -E2BIG;
	HASH_STORE(slot->from, list + 1);
	error = list_lock_acquire(map, list, vcpu);
	if (unlikely(error)) {
		HASH_STORE(slot->from, 0);
		return error;
	}
	first = list_may_pop(map, list);
	if (likely(hash_elem_valid(map, first))) {
		HASH_STORE(slot->pop, first);
		HASH_STORE(slot->cell, first);
		list_drop_first(map, list, first);
		HASH_STORE(slot->pop, 0);
	} else {
		error = -E2BIG;
	}
	HASH_STORE(slot->from, 0);
	list_lock_release(map, list);
	return error;
}

long hash_pop(const struct rt_map *map, struct hash_slot *slot, struct rt_vcpu *vcpu,
	      bool *ret_fresh)
{
	u32 nr = map->nr_vcpus, own = vcpu->index;
	long error = list_pop(map, own, slot, vcpu), worst = error;

	*ret_fresh = false;
	if (likely(!error))
		return 0;
	error = list_pop(map, nr, slot, vcpu);
	*ret_fresh = !error;
	if (!error)
		return 0;
	worst = error == -E2BIG ? worst : error;
	for (u32 i = 1; i < 2 * nr; i++) {
		u32 other = (own + i) % nr;

		if (other == own)
			continue;
		error = list_pop(map, i < nr ? other : list_of_cell(map, other), slot, vcpu);
		if (!error)
			return 0;
		worst = error == -E2BIG ? worst : error;
	}
	return worst;
}

long hash_push(const struct rt_map *map, struct hash_slot *slot, struct rt_vcpu *vcpu)
{
	u32 element = HASH_LOAD(slot->cell);
	long error;

	if (hash_is_lru(map))
		return lru_push(map, slot, vcpu);
	if (!hash_elem_valid(map, element)) {
		HASH_STORE(slot->cell, 0);
		return 0;
	}
	error = list_lock_acquire(map, vcpu->index, vcpu);
	if (unlikely(error))
		return error;
	HASH_STORE(hash_elem(map, element)->link, HASH_LOAD(slot->free));
	HASH_STORE(slot->push, element);
	HASH_STORE(slot->free, element);
	HASH_STORE(slot->cell, 0);
	HASH_STORE(slot->push, 0);
	list_lock_release(map, vcpu->index);
	return 0;
}

/* The link that leads to element in this chain, 0 in *ret_previous for the head; false: not linked.
 */
static bool chain_find(const struct rt_map *map, const struct hash_bucket *bucket, u32 element,
		       u32 *ret_previous)
{
	u32 at = hash_bucket_head(HASH_LOAD(bucket->head_version)), previous = 0;

	for (u32 hops = 0; hash_elem_valid(map, at) && hops < HASH_HOPS_MAX; hops++) {
		if (at == element) {
			*ret_previous = previous;
			return true;
		}
		previous = at;
		at = HASH_LOAD(hash_elem(map, at)->link);
	}
	return false;
}

/* Afterwards element is not in the chain, and the version says that something left. */
static void chain_unlink(const struct rt_map *map, struct hash_bucket *bucket, u32 element)
{
	u64 word = HASH_LOAD(bucket->head_version);
	u32 head = hash_bucket_head(word), previous;

	if (chain_find(map, bucket, element, &previous)) {
		u32 next = HASH_LOAD(hash_elem(map, element)->link);

		if (previous)
			HASH_STORE(hash_elem(map, previous)->link, next);
		else
			head = next;
	}
	hash_bucket_set(bucket, head, hash_bucket_version(word) + 1);
}

/* Out of its chain for good: what the value's special fields hold goes with it. */
static void end_values(const struct rt_map *map, u32 number, struct rt_vcpu *vcpu)
{
	u32 nr = hash_is_percpu(map) ? map->nr_vcpus : 1;

	for (u32 i = 0; map->nr_fields && i < nr; i++)
		rt_value_end(map, hash_value(map, number, i), vcpu);
}

/* A replacement's old element is out of its chain. */
static void left(const struct rt_map *map, struct hash_slot *slot, u32 old, struct rt_vcpu *vcpu)
{
	end_values(map, old, vcpu);
	HASH_STORE(*(hash_is_lru(map) ? &slot->cell : &slot->extra), old);
}

void hash_linked(const struct rt_map *map, struct hash_slot *slot, const struct hash_spot *spot,
		 u32 new, struct rt_vcpu *vcpu)
{
	struct hash_bucket *bucket = hash_bucket(map, spot->bucket);
	struct hash_elem *elem = hash_elem(map, new);
	u64 word = HASH_LOAD(bucket->head_version);

	if (!spot->found) {
		HASH_STORE(slot->cell, 0);
	} else if (likely(HASH_LOAD(elem->link) == spot->found)) {
		HASH_STORE(elem->link, HASH_LOAD(hash_elem(map, spot->found)->link));
		hash_bucket_set(bucket, hash_bucket_head(word), hash_bucket_version(word) + 1);
		left(map, slot, spot->found, vcpu);
	} else {
		hash_finish(map, slot, vcpu);
	}
	HASH_STORE(slot->op, HASH_OP_NONE);
}

void hash_finish(const struct rt_map *map, struct hash_slot *slot, struct rt_vcpu *vcpu)
{
	struct hash_bucket *bucket =
		hash_bucket(map, HASH_LOAD(slot->bucket) & (map->nr_buckets - 1));
	u32 op = HASH_LOAD(slot->op), new = HASH_LOAD(slot->new), old = HASH_LOAD(slot->old), at;

	switch (op) {
	case HASH_OP_INSERT:
		/* The link is what decides: without it the new element is still free. */
		HASH_STORE(slot->cell, chain_find(map, bucket, new, &at) ? 0 : new);
		break;
	case HASH_OP_REPLACE:
		if (chain_find(map, bucket, new, &at) && hash_elem_valid(map, old)) {
			chain_unlink(map, bucket, old);
			left(map, slot, old, vcpu);
		}
		break;
	case HASH_OP_DELETE:
		if (hash_elem_valid(map, old)) {
			chain_unlink(map, bucket, old);
			end_values(map, old, vcpu);
			HASH_STORE(slot->cell, old);
		}
		break;
	case HASH_OP_SPLIT: hash_split_finish(map, HASH_LOAD(slot->bucket), new); break;
	default: break;
	}
	HASH_STORE(slot->op, HASH_OP_NONE);
}

void hash_bucket_settle(const struct rt_map *map, u32 index, struct rt_vcpu *vcpu)
{
	for (u32 i = 0; i < map->nr_vcpus; i++) {
		struct hash_slot *slot = hash_slot(map, i);

		if (HASH_LOAD(slot->op) && HASH_LOAD(slot->bucket) == index && journal_dead(slot))
			hash_finish(map, slot, vcpu);
	}
}

long hash_take_element(const struct rt_map *map, struct hash_slot *slot, u32 number,
		       struct rt_vcpu *vcpu, bool *ret_found)
{
	u32 hash = HASH_LOAD(hash_elem(map, number)->hash), index, previous;
	long error = hash_bucket_lock_of(map, hash, vcpu, &index);

	if (unlikely(error))
		return error;
	*ret_found = chain_find(map, hash_bucket(map, index), number, &previous);
	if (*ret_found) {
		hash_journal(slot, HASH_OP_DELETE, index, 0, number);
		hash_finish(map, slot, vcpu);
	}
	hash_bucket_unlock(map, index);
	return 0;
}

long hash_remove_element(const struct rt_map *map, u32 number, struct rt_vcpu *vcpu)
{
	struct hash_slot *slot;
	bool found = false;
	long error = hash_enter(map, vcpu, &slot);

	if (likely(!error))
		error = hash_take_element(map, slot, number, vcpu, &found);
	if (unlikely(error))
		return error;
	return found ? hash_push(map, slot, vcpu) : -ENOENT;
}

/*
 * Has the journal of a slot whose holder is gone settled, by taking the locks that its entries are
 * about. Locks are taken in no particular order, so the caller holds none.
 */
static long slot_settle(const struct rt_map *map, u32 index, struct rt_vcpu *vcpu)
{
	struct hash_slot *slot = hash_slot(map, index);
	u32 from = HASH_LOAD(slot->from), bucket = HASH_LOAD(slot->bucket) & (map->nr_buckets - 1);
	long error;

	if (HASH_LOAD(slot->op)) {
		error = hash_bucket_lock(map, bucket, vcpu);
		if (error)
			return error;
		hash_bucket_unlock(map, bucket);
	}
	if (hash_is_lru(map))
		return lru_settle(map, index, vcpu);
	if (from && from <= list_of_cell(map, map->nr_vcpus)) {
		error = list_lock_acquire(map, from - 1, vcpu);
		if (error)
			return error;
		list_lock_release(map, from - 1);
	}
	error = list_lock_acquire(map, index, vcpu);
	if (!error)
		list_lock_release(map, index);
	return error;
}

/* Settles the journal of the slot's former holder and makes it vcpu's. */
static long slot_take(const struct rt_map *map, struct hash_slot *slot, struct rt_vcpu *vcpu)
{
	long error = slot_settle(map, vcpu->index, vcpu);

	/* Under the list's lock: against a thief that is at the cell just now. Of LRU maps it is
	 * free. */
	if (!error)
		error = list_lock_acquire(map, vcpu->index, vcpu);
	if (error)
		return error;
	HASH_STORE(slot->op, HASH_OP_NONE);
	HASH_STORE(slot->pop, 0);
	HASH_STORE(slot->from, 0);
	HASH_STORE(slot->push, 0);
	HASH_STORE(slot->token, rt_lock_token(vcpu));
	list_lock_release(map, vcpu->index);
	return HASH_LOAD(slot->cell) ? hash_push(map, slot, vcpu) : 0;
}

bool hash_reclaim(const struct rt_map *map, struct rt_vcpu *vcpu)
{
	bool any = false;

	for (u32 i = 0; i < map->nr_vcpus; i++) {
		struct hash_slot *slot = hash_slot(map, i);

		if (i != vcpu->index && journal_dead(slot))
			any |= !slot_settle(map, i, vcpu);
	}
	return any;
}

long hash_enter(const struct rt_map *map, struct rt_vcpu *vcpu, struct hash_slot **ret_slot)
{
	u32 token = rt_lock_token(vcpu);
	struct hash_slot *slot;

	if (unlikely(vcpu->index >= map->nr_vcpus))
		return -EINVAL;
	slot = hash_slot(map, vcpu->index);
	*ret_slot = slot;
	if (likely(!HASH_LOAD(slot->cell) && !journal_open(slot))) {
		HASH_STORE(slot->token, token);
		return 0;
	}
	/* A live holder's own leftover: a list stayed locked by a stopped thread. */
	if (HASH_LOAD(slot->token) == token)
		return HASH_LOAD(slot->cell) ? hash_push(map, slot, vcpu) : 0;
	return slot_take(map, slot, vcpu);
}
