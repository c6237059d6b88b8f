/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The heap of objects, and who holds what. See object.h. Nothing that is read from the heap is
 * followed before it was compared with the ranges in control; walks have a limit.
 */
#include "rt/object.h"
#include "rt/graph.h"
#include "rt/lock.h"
#include "rt/map/shared.h"
#include "rt/x86_64/cpu.h"

#define HEADER	   sizeof(struct rt_object_header)
#define WORDS_NEAR 8	/* words of the bitmap that are looked at around the hint */
#define SUMMARIES  256	/* words of the summary that are looked at for one object */
#define LOST_STEP  1024 /* elements that are looked at when all were used once */
#define FLUSH_STEP 32	/* dropped objects that one call makes usable again */
#define DEPTH	   16	/* objects in each other that are dropped in one go */
#define SPINS	   100000

/* clang-format off */
static const u32 rooms[RT_OBJECT_CLASSES] = {
	32, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096,
	RT_OBJECT_KERNEL_MIN, RT_OBJECT_KERNEL_MAX,
	16, 32, 64, 128, 256, 512,
};
/* clang-format on */

static struct rt_object_heap *the_heap(void)
{
	return RT_CONTROL->objects;
}

u32 rt_object_class_for(u32 size, bool percpu)
{
	u32 first = percpu ? RT_OBJECT_PLAIN : 0,
	    end = percpu ? RT_OBJECT_CLASSES : RT_OBJECT_PLAIN;

	if (size > RT_OBJECT_SIZE_MAX)
		return RT_OBJECT_CLASSES;
	for (u32 i = first; i < end; i++)
		if (size <= rooms[i])
			return i;
	return RT_OBJECT_CLASSES;
}

static u64 bitmap_bytes(u64 range)
{
	return ALIGN_UP(range / (rooms[0] + HEADER) / 8 + 8, 4096UL);
}

u64 rt_object_heap_size(u64 range)
{
	/* A summary has a bit for each word of the bitmap: an eighth of a page is enough of it. */
	return ALIGN_UP(sizeof(struct rt_object_shared), 4096UL) +
	       RT_OBJECT_CLASSES * (range + bitmap_bytes(range) + bitmap_bytes(range) / 32 + 4096);
}

void rt_object_heap_init(struct rt_object_heap *heap, void *memory, u64 range, u32 nr_vcpus)
{
	u64 at = (u64)memory;

	heap->shared = memory;
	at += ALIGN_UP(sizeof(struct rt_object_shared), 4096UL);
	for (u32 i = 0; i < RT_OBJECT_CLASSES; i++) {
		struct rt_object_class *c = &heap->class[i];

		c->parts = i < RT_OBJECT_PLAIN ? 1 : nr_vcpus;
		c->room = rooms[i];
		c->stride = c->room * c->parts + (u32)HEADER;
		c->nr = (u32)(range / c->stride);
		c->bitmap = (u64 *)at;
		at += bitmap_bytes(range);
		c->summary = (u64 *)at;
		at += bitmap_bytes(range) / 32 + 4096;
		c->first = at + HEADER;
		at += range;
	}
}

/* The class that the address is in; RT_OBJECT_CLASSES: none. */
static u32 class_of(u64 object)
{
	for (u32 i = 0; i < RT_OBJECT_CLASSES; i++)
		if (rt_object_in_class(i, object))
			return i;
	return RT_OBJECT_CLASSES;
}

static bool has_memory(u64 address, u64 base, u64 size)
{
	return address >= base && size >= RT_KERNEL_MEMORY &&
	       address - base <= size - RT_KERNEL_MEMORY;
}

static u64 check_memory(u32 arg, u64 address)
{
	const struct rt_control *control = RT_CONTROL;

	if (!address && arg & RT_OBJECT_ARG_MEMORY_NULL)
		return 0;
	if (has_memory(address, RT_DATA_BASE, control->data_size) ||
	    has_memory(address, RT_CONTROL_BASE, control->control_size) ||
	    has_memory(address, RT_PRIVATE_BASE, RT_PRIVATE_SIZE))
		return address;
	return (u64)control->zeros;
}

u64 rt_object_check_arg(u32 arg, u64 address)
{
	if (arg & RT_OBJECT_ARG_MEMORY)
		return check_memory(arg, address);
	return rt_object_check(rt_object_type_of(arg), arg & RT_OBJECT_ARG_PERCPU, address);
}

u64 rt_objects_in_use(void)
{
	const struct rt_object_heap *heap = the_heap();
	u64 count = 0;

	for (u32 i = 0; heap && i < RT_OBJECT_CLASSES; i++) {
		u32 fresh = READ_ONCE(heap->shared->class[i].fresh);

		for (u32 e = 0; e < fresh && e < heap->class[i].nr; e++) {
			u64 object = heap->class[i].first + (u64)e * heap->class[i].stride;
			u32 state = READ_ONCE(rt_object_header_of(object)->state);

			/* One that was never finished is found when memory is short. */
			count += state == RT_OBJECT_LIVE ||
				 (state & RT_LOCK_HELD && !rt_lock_gone(state));
		}
	}
	return count;
}

/* Who holds what. */

/* Entries are filled and emptied by one store: none is lost or doubled by dying between two. */
void rt_object_hold(struct rt_object_slot *slot, u64 object, u64 target)
{
	u32 nr = slot ? READ_ONCE(slot->nr_held) : 0, i = 0;

	while (i < nr && i < RT_OBJECT_HELD && READ_ONCE(slot->held[i].object))
		i++;
	/* More than a program can own at a time: what is beyond is lost if it dies. */
	if (!slot || i >= RT_OBJECT_HELD)
		return;
	__atomic_store_n(&slot->held[i].object, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&slot->held[i].target, target, __ATOMIC_RELEASE);
	if (i >= nr)
		__atomic_store_n(&slot->nr_held, i + 1, __ATOMIC_RELEASE);
	__atomic_store_n(&slot->held[i].object, object, __ATOMIC_RELEASE);
}

/* The newest entry of the object, -1: none. */
static s32 find_held(const struct rt_object_slot *slot, u64 object)
{
	u32 nr = slot ? READ_ONCE(slot->nr_held) : 0;

	for (u32 i = nr < RT_OBJECT_HELD ? nr : RT_OBJECT_HELD; i > 0; i--)
		if (READ_ONCE(slot->held[i - 1].object) == object)
			return (s32)i - 1;
	return -1;
}

static s32 count_held(const struct rt_object_slot *slot, u64 object)
{
	s32 nr = 0;

	for (u32 i = 0; i < RT_OBJECT_HELD; i++)
		nr += READ_ONCE(slot->held[i].object) == object;
	return nr;
}

void rt_object_unhold(struct rt_object_slot *slot, u64 object)
{
	s32 i = find_held(slot, object);
	u32 nr;

	if (i < 0)
		return;
	__atomic_store_n(&slot->held[i].object, 0, __ATOMIC_RELEASE);
	nr = READ_ONCE(slot->nr_held);
	while (nr && nr <= RT_OBJECT_HELD && !READ_ONCE(slot->held[nr - 1].object))
		__atomic_store_n(&slot->nr_held, --nr, __ATOMIC_RELEASE);
}

void rt_object_aim(struct rt_object_slot *slot, u64 object, u64 target)
{
	s32 i = find_held(slot, object);

	if (i >= 0)
		__atomic_store_n(&slot->held[i].target, target, __ATOMIC_RELEASE);
}

/* Changes of several words. */

static bool in_data(u64 address)
{
	return address >= RT_DATA_BASE + RT_SHARED_SIZE && address % 8 == 0 &&
	       address - RT_DATA_BASE < RT_CONTROL->data_size - 8;
}

bool rt_object_put(struct rt_object_slot *slot, u64 address, u64 value)
{
	u64 *word = (u64 *)address;
	u32 nr;

	if (slot) {
		nr = READ_ONCE(slot->nr_undo);
		if (nr >= RT_OBJECT_UNDO)
			return false;
		__atomic_store_n(&slot->undo[nr].address, address, __ATOMIC_RELAXED);
		__atomic_store_n(&slot->undo[nr].value, READ_ONCE(*word), __ATOMIC_RELAXED);
		__atomic_store_n(&slot->nr_undo, nr + 1, __ATOMIC_RELEASE);
	}
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
	return true;
}

void rt_object_commit(struct rt_object_slot *slot)
{
	if (slot)
		__atomic_store_n(&slot->nr_undo, 0, __ATOMIC_RELEASE);
}

void rt_object_rollback(struct rt_object_slot *slot)
{
	u32 nr = slot ? READ_ONCE(slot->nr_undo) : 0;

	for (u32 i = nr < RT_OBJECT_UNDO ? nr : RT_OBJECT_UNDO; i > 0; i--) {
		u64 address = READ_ONCE(slot->undo[i - 1].address);

		if (in_data(address))
			__atomic_store_n((u64 *)address, READ_ONCE(slot->undo[i - 1].value),
					 __ATOMIC_RELEASE);
	}
	rt_object_commit(slot);
}

static void set_reusable(u32 class, u32 element)
{
	struct rt_object_heap *heap = the_heap();
	struct rt_object_class *c = &heap->class[class];
	u32 word = element / 64;

	__atomic_fetch_or(&c->bitmap[word], 1UL << element % 64, __ATOMIC_RELEASE);
	__atomic_fetch_or(&c->summary[word / 64], 1UL << word % 64, __ATOMIC_RELEASE);
	__atomic_fetch_add(&heap->shared->class[class].reusable, 1, __ATOMIC_RELAXED);
	WRITE_ONCE(heap->shared->class[class].hint, word);
}

/* Dropped objects wait in a list until nobody can still look at one. */
static void wait_for_readers(struct rt_object_slot *slot, u32 class, u64 object)
{
	struct rt_object_header *header = rt_object_header_of(object);

	if (!slot) {
		WRITE_ONCE(header->state, RT_OBJECT_FREE);
		set_reusable(class, (u32)((object - the_heap()->class[class].first) /
					  the_heap()->class[class].stride));
		return;
	}
	/* Its type's number goes when nobody will ask for it any more. */
	__atomic_store_n(&header->state, RT_OBJECT_WAITING, __ATOMIC_RELEASE);
	__atomic_store_n((u64 *)(void *)&header->type, READ_ONCE(slot->dropped), __ATOMIC_RELEASE);
	__atomic_store_n(&slot->dropped, object, __ATOMIC_RELEASE);
}

/* Did the entry's object arrive at its place, or never leave it? */
static bool is_in_place(u64 object, u64 target)
{
	u64 place = target & ~7UL, word;

	if (!in_data(place))
		return true;
	word = __atomic_load_n((u64 *)place, __ATOMIC_ACQUIRE);
	return target & RT_OBJECT_IN_GRAPH ? word != 0 : word == object;
}

void rt_object_drop_untyped(u64 object, struct rt_vcpu *vcpu)
{
	const struct rt_object_type *type;
	bool percpu;
	u32 arg;

	if (class_of(object) == RT_OBJECT_CLASSES)
		return;
	arg = READ_ONCE(rt_object_header_of(object)->type);
	percpu = arg & RT_OBJECT_ARG_PERCPU;
	type = rt_object_type_of(arg);
	if (rt_object_check(type, percpu, object))
		rt_object_drop(type, percpu, object, vcpu);
}

static bool is_waiting(u64 object)
{
	return class_of(object) < RT_OBJECT_CLASSES &&
	       READ_ONCE(rt_object_header_of(object)->state) == RT_OBJECT_WAITING;
}

/*
 * An entry of a slot that is ours, made by whoever had the token `before`: afterwards it says that
 * there is a reference to be dropped, or it is gone.
 */
static void settle_entry(struct rt_object_slot *slot, u32 i, u32 before)
{
	u64 object = READ_ONCE(slot->held[i].object), target = READ_ONCE(slot->held[i].target);
	const struct rt_object_header *header = rt_object_header_of(object);
	bool held = !target;

	/* On its way into the list of those that wait: is it there? */
	if (is_waiting(object) && READ_ONCE(slot->dropped) != object)
		wait_for_readers(slot, class_of(object), object);
	if (class_of(object) == RT_OBJECT_CLASSES || READ_ONCE(header->state) != RT_OBJECT_LIVE)
		held = false;
	else if ((target & 3) >= RT_OBJECT_COUNTING)
		/* It was counted, or not given back; with the last one there is more to be done. */
		held = READ_ONCE(header->refs) >= (s64)(target >> 8) ||
		       ((target & 3) == RT_OBJECT_DROPPING && READ_ONCE(header->refs) <= 0);
	else if (target)
		held = READ_ONCE(header->owner) == before && !is_in_place(object, target);
	if (held)
		__atomic_store_n(&slot->held[i].target, 0, __ATOMIC_RELEASE);
	else
		__atomic_store_n(&slot->held[i].object, 0, __ATOMIC_RELEASE);
}

static void drop_entry(struct rt_object_slot *slot, u32 i, struct rt_vcpu *vcpu)
{
	struct rt_object_slot *own = &the_heap()->shared->slots[vcpu->index % RT_VCPU_MAX];
	u64 object = READ_ONCE(slot->held[i].object);
	s32 nr;

	if (slot != own) {
		__atomic_store_n(&slot->held[i].object, 0, __ATOMIC_RELEASE);
		if (rt_object_enter(vcpu) == own)
			rt_object_hold(own, object, 0);
	}
	/* It goes with one of the object's entries; if with none, it is not looked at again. */
	nr = count_held(slot, object);
	rt_object_drop_untyped(object, vcpu);
	if (slot == own && count_held(slot, object) == nr)
		__atomic_store_n(&slot->held[i].object, 0, __ATOMIC_RELEASE);
}

/* The slot is ours: what its last user, whose token was `before`, left is put in order. */
static void tidy(struct rt_object_slot *slot, u32 before, struct rt_vcpu *vcpu)
{
	rt_object_rollback(slot);
	/* All of them before any count changes. */
	for (u32 i = 0; i < RT_OBJECT_HELD; i++)
		if (READ_ONCE(slot->held[i].object))
			settle_entry(slot, i, before);
	for (u32 i = 0; i < RT_OBJECT_HELD; i++)
		for (u32 n = 0; n < RT_OBJECT_HELD && READ_ONCE(slot->held[i].object); n++)
			drop_entry(slot, i, vcpu);
	__atomic_store_n(&slot->nr_held, 0, __ATOMIC_RELEASE);
}

struct rt_object_slot *rt_object_enter(struct rt_vcpu *vcpu)
{
	struct rt_object_heap *heap = the_heap();
	u32 token = rt_lock_token(vcpu), now;
	struct rt_object_slot *slot;

	if (!heap)
		return NULL;
	slot = &heap->shared->slots[vcpu->index % RT_VCPU_MAX];
	now = __atomic_load_n(&slot->token, __ATOMIC_ACQUIRE);
	if (likely(now == token))
		return slot;
	if ((now && !rt_lock_gone(now)) ||
	    !__atomic_compare_exchange_n(&slot->token, &now, token, false, __ATOMIC_ACQ_REL,
					 __ATOMIC_RELAXED))
		return NULL;
	tidy(slot, now, vcpu);
	return slot;
}

void rt_object_takeover(u32 dead, struct rt_vcpu *vcpu)
{
	struct rt_object_heap *heap = the_heap();
	u32 token = rt_lock_token(vcpu);
	struct rt_object_slot *slot;

	if (!dead || !heap)
		return;
	slot = &heap->shared->slots[rt_lock_slot(dead)];
	for (u32 i = 0; i < SPINS && READ_ONCE(slot->nr_undo); i++) {
		u32 now = __atomic_load_n(&slot->token, __ATOMIC_ACQUIRE);

		/* Our own work, or somebody's who lives: not what the dead left, or being seen to.
		 */
		if (now == token)
			return;
		if (now != dead && now && !rt_lock_gone(now)) {
			rt_cpu_relax();
			continue;
		}
		if (!__atomic_compare_exchange_n(&slot->token, &now, token, false, __ATOMIC_ACQ_REL,
						 __ATOMIC_RELAXED))
			continue;
		rt_object_rollback(slot);
		__atomic_store_n(&slot->token, now, __ATOMIC_RELEASE);
		return;
	}
}

void rt_object_reclaim(struct rt_vcpu *vcpu)
{
	struct rt_object_heap *heap = the_heap();
	u32 token = rt_lock_token(vcpu);

	for (u32 i = 0; heap && i < RT_CONTROL->nr_vcpus && i < RT_VCPU_MAX; i++) {
		struct rt_object_slot *slot = &heap->shared->slots[i];
		u32 now = __atomic_load_n(&slot->token, __ATOMIC_ACQUIRE);

		if (now == token || !now || !rt_lock_gone(now) ||
		    !__atomic_compare_exchange_n(&slot->token, &now, token, false, __ATOMIC_ACQ_REL,
						 __ATOMIC_RELAXED))
			continue;
		tidy(slot, now, vcpu);
		if (i != vcpu->index % RT_VCPU_MAX)
			__atomic_store_n(&slot->token, 0, __ATOMIC_RELEASE);
	}
}

/* Memory that was used before. */

static bool readers_gone(const struct rt_object_slot *slot)
{
	for (u32 i = 0; i < RT_CONTROL->nr_vcpus && i < RT_VCPU_MAX; i++) {
		u64 seen = READ_ONCE(slot->seen[i]);

		if (rt_vcpu_lock_tid(seen) && READ_ONCE(RT_SHARED->vcpus[i].word) == seen)
			return false;
	}
	return true;
}

/* Makes some of what waited long enough usable again, and begins to wait for the rest. */
static void flush(struct rt_object_slot *slot)
{
	u64 object = READ_ONCE(slot->waiting);

	if (object && readers_gone(slot)) {
		for (u32 i = 0; i < FLUSH_STEP && object; i++) {
			struct rt_object_header *header = rt_object_header_of(object);
			u32 class = class_of(object), expected = RT_OBJECT_WAITING;
			u64 next;

			if (class == RT_OBJECT_CLASSES) {
				object = 0;
				break;
			}
			next = __atomic_load_n((u64 *)(void *)&header->type, __ATOMIC_RELAXED);
			__atomic_store_n(&slot->waiting, next, __ATOMIC_RELEASE);
			if (!__atomic_compare_exchange_n(&header->state, &expected, RT_OBJECT_FREE,
							 false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
				next = 0; /* the list was scribbled over */
			else
				set_reusable(class,
					     (u32)((object - the_heap()->class[class].first) /
						   the_heap()->class[class].stride));
			object = next;
		}
		__atomic_store_n(&slot->waiting, object, __ATOMIC_RELEASE);
	}
	if (object || !READ_ONCE(slot->dropped))
		return;
	for (u32 i = 0; i < RT_CONTROL->nr_vcpus && i < RT_VCPU_MAX; i++)
		WRITE_ONCE(slot->seen[i], READ_ONCE(RT_SHARED->vcpus[i].word));
	__atomic_store_n(&slot->waiting, READ_ONCE(slot->dropped), __ATOMIC_RELEASE);
	__atomic_store_n(&slot->dropped, 0, __ATOMIC_RELEASE);
}

/* Takes an element that the bitmap's word says was given back; -1: none. */
static s64 take_from_word(u32 class, u32 word)
{
	struct rt_object_heap *heap = the_heap();
	struct rt_object_class *c = &heap->class[class];
	u64 bits = __atomic_load_n(&c->bitmap[word], __ATOMIC_ACQUIRE);

	while (bits) {
		u32 bit = (u32)__builtin_ctzl(bits);
		u64 before = __atomic_fetch_and(&c->bitmap[word], ~(1UL << bit), __ATOMIC_ACQ_REL);

		if (before & 1UL << bit) {
			__atomic_fetch_sub(&heap->shared->class[class].reusable, 1,
					   __ATOMIC_RELAXED);
			return (s64)word * 64 + bit;
		}
		bits = before & ~(1UL << bit);
	}
	/* Who sets a bit meanwhile sets the summary's behind it. */
	__atomic_fetch_and(&c->summary[word / 64], ~(1UL << word % 64), __ATOMIC_ACQ_REL);
	if (READ_ONCE(c->bitmap[word]))
		__atomic_fetch_or(&c->summary[word / 64], 1UL << word % 64, __ATOMIC_RELEASE);
	return -1;
}

static s64 find_reusable(u32 class)
{
	struct rt_object_heap *heap = the_heap();
	struct rt_object_class *c = &heap->class[class];
	u32 words = (c->nr + 63) / 64, summaries = (words + 63) / 64;
	u32 hint = READ_ONCE(heap->shared->class[class].hint);
	s64 element = -1;

	if (!READ_ONCE(heap->shared->class[class].reusable))
		return -1;
	for (u32 i = 0; i < WORDS_NEAR && element < 0; i++)
		if (hint + i < words)
			element = take_from_word(class, hint + i);
	for (u32 i = 0; i < summaries && i < SUMMARIES && element < 0; i++) {
		u64 bits = READ_ONCE(c->summary[(hint / 64 + i) % summaries]);

		while (bits && element < 0) {
			u32 word = (hint / 64 + i) % summaries * 64 + (u32)__builtin_ctzl(bits);

			if (word < words)
				element = take_from_word(class, word);
			bits &= bits - 1;
		}
	}
	if (element >= 0)
		WRITE_ONCE(heap->shared->class[class].hint, (u32)(element / 64));
	return element < c->nr ? element : -1;
}

/* The element becomes the caller's who has the token. */
static u64 claim(u32 class, u32 element, u32 expected, u32 token)
{
	const struct rt_object_class *c = &the_heap()->class[class];
	u64 object = c->first + (u64)element * c->stride;

	return __atomic_compare_exchange_n(&rt_object_header_of(object)->state, &expected, token,
					   false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)
		       ? object
		       : 0;
}

/* All were used once: some may have been lost with a process that died. */
static u64 find_lost(u32 class, u32 token)
{
	struct rt_object_heap *heap = the_heap();
	const struct rt_object_class *c = &heap->class[class];
	u32 at =
		__atomic_fetch_add(&heap->shared->class[class].cursor, LOST_STEP, __ATOMIC_RELAXED);

	for (u32 i = 0; i < LOST_STEP && i < c->nr; i++) {
		u32 element = (at + i) % c->nr;
		u64 object = c->first + (u64)element * c->stride;
		u32 state = READ_ONCE(rt_object_header_of(object)->state);

		if (state == RT_OBJECT_LIVE || state == RT_OBJECT_WAITING ||
		    (state & RT_LOCK_HELD && (state == token || !rt_lock_gone(state))))
			continue;
		object = claim(class, element, state, token);
		if (object)
			return object;
	}
	return 0;
}

static u64 take_element(u32 class, u32 token)
{
	struct rt_object_heap *heap = the_heap();
	const struct rt_object_class *c = &heap->class[class];
	u32 *fresh = &heap->shared->class[class].fresh, now;
	u64 object = 0;
	s64 element = find_reusable(class);

	if (element >= 0)
		object = claim(class, (u32)element, RT_OBJECT_FREE, token);
	now = READ_ONCE(*fresh);
	for (u32 i = 0; i < FLUSH_STEP && !object && now < c->nr; i++) {
		now = __atomic_fetch_add(fresh, 1, __ATOMIC_RELAXED);
		if (now < c->nr)
			object = claim(class, now, RT_OBJECT_FREE, token);
		else
			WRITE_ONCE(*fresh, c->nr);
	}
	return object ? object : find_lost(class, token);
}

u64 rt_object_new(const struct rt_object_type *type, bool percpu, struct rt_vcpu *vcpu)
{
	struct rt_object_slot *slot = rt_object_enter(vcpu);
	u32 class = percpu ? type->percpu_class : type->class, token = rt_lock_token(vcpu);
	const struct rt_object_class *c;
	struct rt_object_header *header;
	u64 object;

	if (!the_heap() || class >= RT_OBJECT_CLASSES)
		return 0;
	if (slot)
		flush(slot);
	c = &the_heap()->class[class];
	object = take_element(class, token);
	if (!object)
		return 0;
	header = rt_object_header_of(object);
	rt_shared_zero((void *)object, percpu ? (u64)c->room * c->parts : ALIGN_UP(type->size, 8u));
	WRITE_ONCE(header->refs, 1);
	WRITE_ONCE(header->type, type->index | (percpu ? RT_OBJECT_ARG_PERCPU : 0));
	WRITE_ONCE(header->owner, token);
	rt_object_hold(slot, object, 0);
	__atomic_store_n(&header->state, RT_OBJECT_LIVE, __ATOMIC_RELEASE);
	return object;
}

bool rt_object_acquire(u64 object, struct rt_vcpu *vcpu)
{
	struct rt_object_header *header = rt_object_header_of(object);
	struct rt_object_slot *slot = rt_object_enter(vcpu);
	s32 refs = READ_ONCE(header->refs);

	if (refs > 0)
		rt_object_hold(slot, object, (u64)(refs + 1) << 8 | RT_OBJECT_COUNTING);
	while (refs > 0) {
		if (__atomic_compare_exchange_n(&header->refs, &refs, refs + 1, false,
						__ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
			rt_object_aim(slot, object, 0);
			return true;
		}
		if (refs > 0)
			rt_object_aim(slot, object, (u64)(refs + 1) << 8 | RT_OBJECT_COUNTING);
		else
			rt_object_unhold(slot, object);
	}
	return false;
}

/* Dropping: an object whose last reference went, and what is in its fields. */

struct dying {
	u64 object;
	const struct rt_object_type *type;
	bool percpu;
	u32 field; /* the next one to look at */
};

/* The next thing that the field owns, taken out of it; 0: there is nothing any more. */
static u64 take_child(const struct rt_map_field *field, u64 object, struct rt_vcpu *vcpu)
{
	void *place = (u8 *)object + field->offset;

	switch (field->kind) {
	case RT_FIELD_OBJECT: return rt_object_exchange(field->type, false, place, 0, vcpu);
	case RT_FIELD_PERCPU_OBJECT: return rt_object_exchange(field->type, true, place, 0, vcpu);
	case RT_FIELD_LIST: return rt_graph_take(field->type, place, false, vcpu);
	case RT_FIELD_TREE: return rt_graph_take(field->type, place, true, vcpu);
	default: return 0;
	}
}

static bool loses_last(u64 object, struct rt_object_slot *slot)
{
	struct rt_object_header *header = rt_object_header_of(object);
	u32 refs = (u32)READ_ONCE(header->refs);

	if (READ_ONCE(header->state) == RT_OBJECT_LIVE) {
		rt_object_aim(slot, object, (u64)refs << 8 | RT_OBJECT_DROPPING);
		if (__atomic_sub_fetch(&header->refs, 1, __ATOMIC_ACQ_REL) <= 0) {
			rt_object_aim(slot, object, 0);
			return true;
		}
	}
	rt_object_unhold(slot, object);
	return false;
}

static void free_object(u64 object, struct rt_object_slot *slot)
{
	u32 class = class_of(object);

	if (class < RT_OBJECT_CLASSES)
		wait_for_readers(slot, class, object);
	rt_object_unhold(slot, object);
}

void rt_object_drop(const struct rt_object_type *type, bool percpu, u64 object,
		    struct rt_vcpu *vcpu)
{
	struct rt_object_slot *slot = rt_object_enter(vcpu);
	struct dying stack[DEPTH];
	u32 depth = 0, budget = 1u << 24; /* more objects than programs can make in good time */

	if (!rt_object_check(type, percpu, object) || !loses_last(object, slot))
		return;
	stack[depth++] = (struct dying){ object, type, percpu, 0 };
	while (depth && budget--) {
		struct dying *top = &stack[depth - 1];
		const struct rt_map_field *field;
		u64 child;

		if (top->percpu || top->field >= top->type->nr_fields ||
		    top->field >= RT_MAP_FIELDS) {
			free_object(top->object, slot);
			depth--;
			continue;
		}
		field = &top->type->fields[top->field];
		child = take_child(field, top->object, vcpu);
		if (!child || (field->kind != RT_FIELD_LIST && field->kind != RT_FIELD_TREE))
			top->field++;
		if (!child || !loses_last(child, slot))
			continue;
		/* A chain of single pointers is as deep as it is long: its end takes its place. */
		if (top->field >= top->type->nr_fields) {
			free_object(top->object, slot);
			depth--;
		}
		if (depth < DEPTH)
			stack[depth++] = (struct dying){ child, field->type,
							 field->kind == RT_FIELD_PERCPU_OBJECT, 0 };
		else
			rt_object_unhold(slot, child);
	}
	if (slot)
		flush(slot);
}

u64 rt_object_exchange(const struct rt_object_type *type, bool percpu, u64 *place, u64 new,
		       struct rt_vcpu *vcpu)
{
	struct rt_object_slot *slot = rt_object_enter(vcpu);
	u32 token = rt_lock_token(vcpu);
	u64 word, old;

	if (new) {
		WRITE_ONCE(rt_object_header_of(new)->owner, token);
		rt_object_aim(slot, new, (u64)place);
	}
	for (u32 i = 0; i < SPINS; i++) {
		word = __atomic_load_n(place, __ATOMIC_ACQUIRE);
		old = rt_object_check(type, percpu, word);
		if (old) {
			rt_object_hold(slot, old, (u64)place);
			WRITE_ONCE(rt_object_header_of(old)->owner, token);
		}
		if (__atomic_compare_exchange_n(place, &word, new, false, __ATOMIC_ACQ_REL,
						__ATOMIC_RELAXED)) {
			if (new)
				rt_object_unhold(slot, new);
			if (old) {
				WRITE_ONCE(rt_object_header_of(old)->owner, token);
				rt_object_aim(slot, old, 0);
			}
			return old;
		}
		if (old)
			rt_object_unhold(slot, old);
	}
	/* Somebody rewrites the place all the time: what is to go in is given back. */
	if (new) {
		rt_object_aim(slot, new, 0);
		rt_object_drop(type, percpu, new, vcpu);
	}
	return 0;
}

void rt_object_end_field(const struct rt_map_field *field, void *value, u32 *lock,
			 struct rt_vcpu *vcpu)
{
	bool graph = field->kind == RT_FIELD_LIST || field->kind == RT_FIELD_TREE;
	u32 budget = 1u << 24, dead;
	u64 child;

	if (!the_heap() || !field->type)
		return;
	do {
		if (graph && lock) {
			if (rt_lock_acquire(lock, vcpu, &dead))
				return;
			rt_object_takeover(dead, vcpu);
		}
		child = take_child(field, (u64)value, vcpu);
		if (graph && lock)
			rt_lock_release(lock);
		if (child)
			rt_object_drop(field->type, field->kind == RT_FIELD_PERCPU_OBJECT, child,
				       vcpu);
	} while (child && graph && budget--);
}
