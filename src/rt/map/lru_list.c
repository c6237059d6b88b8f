/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See lru_list.h. Order, batches and numbers are the kernel's, so that the same keys are evicted
 * after the same operations.
 */
#include "rt/map/lru_list.h"

/* A batch, and how many elements one step of the aging looks at. */
#define COMMON_TARGET 128
#define PERCPU_TARGET 4
#define WALK_MAX      4096 /* of lists that are as long as a hostile process has made them */

/* One operation on the lists whose lock is held. */
struct work {
	const struct rt_map *map;
	struct lru_list *list;
	struct hash_slot *slot;
	struct rt_vcpu *vcpu;
	u32 target; /* of a batch */
	u32 scans;
	u32 nr; /* writes of the transaction that is being made */
	long error;
};

u64 lru_memory_size(u64 nr_elems, u32 nr_vcpus)
{
	return ALIGN_UP(nr_elems, 64u) + (u64)(nr_vcpus + 1) * sizeof(struct lru_list) +
	       nr_elems * sizeof(struct lru_node);
}

/* Does what the log says, and empties it. */
static void log_do(const struct rt_map *map, struct lru_list *list)
{
	u32 nr = HASH_LOAD(list->nr_writes);

	for (u32 i = 0; i < nr && i < LRU_LOG_MAX; i++) {
		u64 at = HASH_LOAD(list->writes[i].at);

		if (at % 4 == 0 && at < map->data_size)
			HASH_STORE(*(u32 *)(void *)(map->data + at),
				   HASH_LOAD(list->writes[i].value));
	}
	HASH_STORE(list->nr_writes, 0);
}

static void write_later(struct work *work, u32 *word, u32 value)
{
	struct lru_write *write = &work->list->writes[work->nr++];

	HASH_STORE(write->at, (u64)((u8 *)word - work->map->data));
	HASH_STORE(write->value, value);
}

static void commit(struct work *work)
{
	HASH_STORE(work->list->nr_writes, work->nr);
	log_do(work->map, work->list);
	work->nr = 0;
}

static long list_lock(const struct rt_map *map, struct lru_list *list, struct rt_vcpu *vcpu)
{
	u32 dead;
	long error = rt_lock_acquire(&list->lock, vcpu, &dead);

	if (unlikely(dead))
		log_do(map, list);
	return error;
}

/* The lists that an element of this vCPU belongs to. */
static struct lru_list *list_of(const struct rt_map *map, u32 cpu)
{
	return lru_list(map, lru_is_common(map) || cpu >= map->nr_vcpus ? map->nr_vcpus : cpu);
}

static u32 where_of(const struct rt_map *map, u32 number)
{
	return HASH_LOAD(lru_node(map, number)->where) & ((1u << LRU_CPU_SHIFT) - 1);
}

static u32 cpu_of(const struct rt_map *map, u32 number)
{
	u32 cpu = HASH_LOAD(lru_node(map, number)->where) >> LRU_CPU_SHIFT;

	return cpu < map->nr_vcpus ? cpu : 0;
}

static struct lru_ends *ends_of(const struct work *work, u32 where, u32 cpu)
{
	switch (where) {
	case LRU_ACTIVE: return &work->list->active;
	case LRU_INACTIVE: return &work->list->inactive;
	case LRU_FREE: return &work->list->free;
	case LRU_LOCAL_FREE: return &lru_list(work->map, cpu)->local_free;
	case LRU_PENDING: return &lru_list(work->map, cpu)->pending;
	default: return NULL;
	}
}

/* A link that was read: what is no element ends the list. */
static u32 valid(const struct rt_map *map, u32 number)
{
	return hash_elem_valid(map, number) ? number : 0;
}

static u32 previous_of(const struct rt_map *map, u32 number)
{
	return valid(map, HASH_LOAD(lru_node(map, number)->previous));
}

static u32 last_of(const struct rt_map *map, const struct lru_ends *ends)
{
	return valid(map, HASH_LOAD(ends->last));
}

static u32 first_of(const struct rt_map *map, const struct lru_ends *ends)
{
	return valid(map, HASH_LOAD(ends->first));
}

static u32 *counter_of(const struct work *work, u32 where)
{
	return where == LRU_ACTIVE     ? &work->list->nr_active
	       : where == LRU_INACTIVE ? &work->list->nr_inactive
				       : NULL;
}

static void leave(struct work *work, u32 number, struct lru_ends *ends)
{
	const struct rt_map *map = work->map;
	u32 previous = previous_of(map, number),
	    next = valid(map, HASH_LOAD(lru_node(map, number)->next));

	write_later(work, previous ? &lru_node(map, previous)->next : &ends->first, next);
	write_later(work, next ? &lru_node(map, next)->previous : &ends->last, previous);
	if (HASH_LOAD(work->list->hand) == number)
		write_later(work, &work->list->hand, previous);
}

/*
 * Puts an element at the head of a list, from where it was, as part of a transaction. No word is
 * written twice: the element at the head of the new list is another one, and where that list is the
 * old one, too, this one has something before it.
 */
static void move_to(struct work *work, u32 number, u32 where, u32 cpu)
{
	const struct rt_map *map = work->map;
	struct lru_node *node = lru_node(map, number);
	u32 before = where_of(map, number), first;
	struct lru_ends *from = ends_of(work, before, cpu_of(map, number)),
			*to = ends_of(work, where, cpu);

	first = first_of(map, to);
	if (before != where) {
		u32 *down = counter_of(work, before), *up = counter_of(work, where);

		if (down)
			write_later(work, down, HASH_LOAD(*down) - 1);
		if (up)
			write_later(work, up, HASH_LOAD(*up) + 1);
	}
	write_later(work, &node->where, where | cpu << LRU_CPU_SHIFT);
	if (first == number) {
		if (HASH_LOAD(work->list->hand) == number)
			write_later(work, &work->list->hand, 0);
		return;
	}
	if (from)
		leave(work, number, from);
	write_later(work, &node->next, first);
	write_later(work, &node->previous, 0);
	write_later(work, first ? &lru_node(map, first)->previous : &to->last, number);
	write_later(work, &to->first, number);
}

static bool is_used(const struct rt_map *map, u32 number)
{
	return __atomic_load_n(lru_used_byte(map, number), __ATOMIC_RELAXED);
}

/* Moves an element, whose use is forgotten then. */
static void move(struct work *work, u32 number, u32 where, u32 cpu)
{
	move_to(work, number, where, cpu);
	commit(work);
	hash_forget_use(work->map, number);
}

/* Out of the cell, to a free list. */
static void move_free(struct work *work, u32 number, u32 where, u32 cpu)
{
	write_later(work, &work->slot->cell, 0);
	move(work, number, where, cpu);
}

/* Takes the element's key out of its chain; then it is in the slot's cell. */
static bool evict(struct work *work, u32 number)
{
	bool found = false;

	if (!work->error)
		work->error = hash_take_element(work->map, work->slot, number, work->vcpu, &found);
	return found;
}

static void rotate_active(struct work *work)
{
	const struct lru_ends *active = &work->list->active;
	u32 first = first_of(work->map, active), number = last_of(work->map, active);

	for (u32 i = 0; number && i < work->scans; i++) {
		u32 previous = previous_of(work->map, number);

		move(work, number, is_used(work->map, number) ? LRU_ACTIVE : LRU_INACTIVE,
		     cpu_of(work->map, number));
		if (number == first)
			break;
		number = previous;
	}
}

/* 0 stands for the list's head, which comes before its first and after its last element. */
static void rotate_inactive(struct work *work)
{
	const struct rt_map *map = work->map;
	struct lru_ends *inactive = &work->list->inactive;
	u32 hand = valid(map, HASH_LOAD(work->list->hand)), at = hand, next = 0, last;

	if (!first_of(map, inactive))
		return;
	last = hand ? valid(map, HASH_LOAD(lru_node(map, hand)->next)) : 0;
	if (!last)
		last = first_of(map, inactive);
	for (u32 i = 0; i < work->scans; i++) {
		if (!at)
			at = last_of(map, inactive);
		if (!at)
			break;
		next = previous_of(map, at);
		if (is_used(map, at))
			move(work, at, LRU_ACTIVE, cpu_of(map, at));
		if (at == last)
			break;
		at = next;
	}
	HASH_STORE(work->list->hand, next);
}

static void rotate(struct work *work)
{
	if (HASH_LOAD(work->list->nr_inactive) < HASH_LOAD(work->list->nr_active))
		rotate_active(work);
	rotate_inactive(work);
}

/* Frees up to nr keys that were not used lately, the longest inactive first: how many. */
static u32 shrink_inactive(struct work *work, u32 nr, u32 where, u32 cpu)
{
	const struct rt_map *map = work->map;
	u32 number = last_of(map, &work->list->inactive), freed = 0;

	for (u32 i = 0; number && i < work->scans && freed < nr; i++) {
		u32 previous = previous_of(map, number);

		if (is_used(map, number)) {
			move(work, number, LRU_ACTIVE, cpu_of(map, number));
		} else if (evict(work, number)) {
			move_free(work, number, where, cpu);
			freed++;
		}
		number = previous;
	}
	return freed;
}

/* If that frees none, one of those that were used. */
static void shrink(struct work *work, u32 nr, u32 where, u32 cpu)
{
	const struct rt_map *map = work->map;
	u32 number;

	if (shrink_inactive(work, nr, where, cpu))
		return;
	number = last_of(map, &work->list->inactive);
	if (!number)
		number = last_of(map, &work->list->active);
	for (u32 i = 0; number && i < WALK_MAX; i++, number = previous_of(map, number))
		if (evict(work, number)) {
			move_free(work, number, where, cpu);
			return;
		}
}

/* The next element that was never used: moved to where; 0: there is none. */
static u32 take_new(struct work *work, u32 where, u32 cpu)
{
	const struct rt_map *map = work->map;
	bool common = lru_is_common(map);
	u32 room = common ? map->max_entries : map->max_entries / map->nr_vcpus,
	    first = common ? 1 : cpu * room + 1, taken = HASH_LOAD(work->list->taken);

	if (taken >= room || where_of(map, first + taken) != LRU_NEVER_USED)
		return 0;
	write_later(work, &work->list->taken, taken + 1);
	move(work, first + taken, where, cpu);
	/* A hint: for so many there are buckets. */
	__atomic_fetch_add(&hash_head(map)->taken, 1, __ATOMIC_RELAXED);
	return first + taken;
}

/* A batch for the vCPU's own list. */
static void refill(struct work *work)
{
	const struct rt_map *map = work->map;
	u32 cpu = work->vcpu->index, number, nr = 0;
	const struct lru_ends *pending = &lru_list(map, cpu)->pending;

	for (u32 i = 0; (number = last_of(map, pending)) && i < WALK_MAX; i++)
		move(work, number, is_used(map, number) ? LRU_ACTIVE : LRU_INACTIVE, cpu);
	rotate(work);
	for (; nr < work->target && (number = first_of(map, &work->list->free)); nr++)
		move(work, number, LRU_LOCAL_FREE, cpu);
	while (nr < work->target && take_new(work, LRU_LOCAL_FREE, cpu))
		nr++;
	if (nr < work->target)
		shrink(work, work->target - nr, LRU_LOCAL_FREE, cpu);
}

/* An element that has no key any more goes to the caller's hands. */
static u32 take(struct work *work, u32 number, u32 where)
{
	if (number) {
		write_later(work, &work->slot->cell, number);
		move(work, number, where, work->vcpu->index);
	}
	return number;
}

/* Another one's last free element, or its oldest key; those in use last. */
static u32 steal_from(struct work *work, u32 cpu)
{
	const struct rt_map *map = work->map;
	struct lru_list *from = lru_list(map, cpu);
	u32 number = take(work, first_of(map, &from->local_free), LRU_PENDING);

	for (u32 force = 0; !number && force < 2; force++) {
		u32 at = last_of(map, &from->pending);

		for (u32 i = 0; at && i < WALK_MAX; i++, at = previous_of(map, at))
			if ((force || !is_used(map, at)) && evict(work, at))
				return take(work, at, LRU_PENDING);
	}
	return number;
}

static u32 steal(struct work *work)
{
	const struct rt_map *map = work->map;
	struct lru_list *own = lru_list(map, work->vcpu->index);
	u32 first = HASH_LOAD(own->next_steal), number = 0;

	/* It begins with its own. */
	first = first ? first - 1 : work->vcpu->index;
	for (u32 i = 0; !number && i < map->nr_vcpus; i++) {
		number = steal_from(work, first % map->nr_vcpus);
		first = (first + 1) % map->nr_vcpus;
	}
	HASH_STORE(own->next_steal, first + 1);
	return number;
}

/* What lies in cells of the dead is free, too. */
static u32 take_from_dead(struct work *work)
{
	const struct rt_map *map = work->map;

	for (u32 i = 0; i < map->nr_vcpus; i++) {
		struct hash_slot *slot = hash_slot(map, i);
		u32 number = valid(map, HASH_LOAD(slot->cell)), token = HASH_LOAD(slot->token);

		if (!number || slot == work->slot ||
		    list_of(map, cpu_of(map, number)) != work->list)
			continue;
		if (!rt_lock_gone(token) || HASH_LOAD(slot->op) ||
		    HASH_LOAD(slot->cell) != number || HASH_LOAD(slot->token) != token)
			continue;
		write_later(work, &slot->cell, 0);
		return take(work, number, lru_is_common(map) ? LRU_PENDING : LRU_INACTIVE);
	}
	return 0;
}

static u32 pop_common(struct work *work)
{
	const struct lru_ends *own = &lru_list(work->map, work->vcpu->index)->local_free;
	u32 number = first_of(work->map, own);

	if (!number) {
		refill(work);
		number = first_of(work->map, own);
	}
	number = take(work, number, LRU_PENDING);
	return number ? number : steal(work);
}

static u32 pop_percpu(struct work *work)
{
	const struct rt_map *map = work->map;
	u32 cpu = work->vcpu->index, number;

	rotate(work);
	number = first_of(map, &work->list->free);
	if (!number)
		number = take_new(work, LRU_FREE, cpu);
	if (!number) {
		shrink(work, work->target, LRU_FREE, cpu);
		number = first_of(map, &work->list->free);
	}
	return take(work, number, LRU_INACTIVE);
}

long lru_pop(const struct rt_map *map, struct hash_slot *slot, struct rt_vcpu *vcpu)
{
	bool common = lru_is_common(map);
	u32 half = map->max_entries / map->nr_vcpus / 2, number;
	struct work work = { .map = map,
			     .list = list_of(map, vcpu->index),
			     .slot = slot,
			     .vcpu = vcpu,
			     .scans = common ? COMMON_TARGET : PERCPU_TARGET };
	long error;

	/* The log may have the cell: who comes after a death looks there first. */
	HASH_STORE(slot->from, vcpu->index + 1);
	error = list_lock(map, work.list, vcpu);
	if (unlikely(error)) {
		HASH_STORE(slot->from, 0);
		return error;
	}
	work.target = !common ? PERCPU_TARGET : half < COMMON_TARGET ? half : COMMON_TARGET;
	if (!work.target)
		work.target = 1;
	number = common ? pop_common(&work) : pop_percpu(&work);
	if (unlikely(!number))
		number = take_from_dead(&work);
	HASH_STORE(slot->from, 0);
	rt_lock_release(&work.list->lock);
	return number ? 0 : work.error ? work.error : -ENOMEM;
}

long lru_push(const struct rt_map *map, struct hash_slot *slot, struct rt_vcpu *vcpu)
{
	u32 number = HASH_LOAD(slot->cell), cpu, where;
	struct work work = { .map = map, .slot = slot, .vcpu = vcpu };
	long error;

	if (!hash_elem_valid(map, number)) {
		HASH_STORE(slot->cell, 0);
		return 0;
	}
	cpu = cpu_of(map, number);
	work.list = list_of(map, cpu);
	HASH_STORE(slot->from, cpu + 1);
	error = list_lock(map, work.list, vcpu);
	if (unlikely(error)) {
		HASH_STORE(slot->from, 0);
		return error;
	}
	where = where_of(map, number);
	/* Unless somebody thought the slot's holder dead and has it. */
	if (HASH_LOAD(slot->cell) == number) {
		if (where == LRU_FREE || where == LRU_LOCAL_FREE)
			HASH_STORE(slot->cell, 0);
		else
			move_free(&work, number, where == LRU_PENDING ? LRU_LOCAL_FREE : LRU_FREE,
				  cpu);
	}
	HASH_STORE(slot->from, 0);
	rt_lock_release(&work.list->lock);
	return 0;
}

long lru_settle(const struct rt_map *map, u32 index, struct rt_vcpu *vcpu)
{
	u32 from = HASH_LOAD(hash_slot(map, index)->from);
	struct lru_list *lists[2] = { list_of(map, index), NULL };

	if (from && from <= map->nr_vcpus && list_of(map, from - 1) != lists[0])
		lists[1] = list_of(map, from - 1);
	for (u32 i = 0; i < 2 && lists[i]; i++) {
		long error = list_lock(map, lists[i], vcpu);

		if (error)
			return error;
		rt_lock_release(&lists[i]->lock);
	}
	return 0;
}
