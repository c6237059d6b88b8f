/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See async.h. Results of Linux 6.18: kernel/bpf/helpers.c.
 */
#include "rt/async.h"

#include <linux/errno.h>
#include "rt/clock.h"
#include "rt/map.h"
#include "rt/prog.h"
#include "rt/shared.h"
#include "rt/sys.h"
#include "rt/trace.h"
#include "rt/vcpu.h"
#include "rt/x86_64/cpu.h"

#define CLOCKS_MAX  16 /* MAX_CLOCKS */
#define TIMER_ABS   1  /* BPF_F_TIMER_ABS */
#define TIMER_PIN   2  /* BPF_F_TIMER_CPU_PIN */
#define PROBES	    8
#define SPINS	    64
#define WAIT_MAX_NS 250000000ULL /* for a callback that is running */

static u64 load(const struct rt_async *field)
{
	return __atomic_load_n(&field->word, __ATOMIC_SEQ_CST);
}

static bool replace(struct rt_async *field, u64 *old, u64 new)
{
	return __atomic_compare_exchange_n(&field->word, old, new, false, __ATOMIC_SEQ_CST,
					   __ATOMIC_SEQ_CST);
}

/* False: all places where it could be are taken by others. */
static bool enter(struct rt_async_queue *queue, u64 address)
{
	u64 hash = (address >> 3) * 0x9e3779b97f4a7c15UL >> 40;

	for (u32 i = 0; i < PROBES; i++) {
		u64 *place = &queue->field[(hash + i) % RT_ASYNC_QUEUE_SIZE];
		u64 seen = __atomic_load_n(place, __ATOMIC_SEQ_CST);

		if (seen == address)
			return true;
		if (!seen && __atomic_compare_exchange_n(place, &seen, address, false,
							 __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			return true;
	}
	return false;
}

void rt_async_tell(const struct rt_async *field)
{
	struct rt_async_queue *queue = &RT_SHARED->async;

	if (unlikely(!enter(queue, (u64)field)))
		__atomic_store_n(&queue->overflow, 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(&queue->pending, 1, __ATOMIC_SEQ_CST);
	rt_wake_signal();
}

static void tell_end(const struct rt_async *field, u64 word)
{
	if (rt_async_prog(word) &&
	    unlikely(__atomic_load_n(&RT_SHARED->async.tell_ends, __ATOMIC_RELAXED)))
		rt_async_tell(field);
}

void rt_async_end(struct rt_async *field)
{
	/* Most are not in use: then the line stays shared. */
	if (!load(field))
		return;
	tell_end(field, __atomic_exchange_n(&field->word, 0, __ATOMIC_SEQ_CST));
}

static bool without_users(const struct rt_map *map)
{
	return __atomic_load_n(&map->state, __ATOMIC_SEQ_CST) & RT_MAP_WITHOUT_USERS;
}

static long init(struct rt_async *field, const struct rt_map *map, u64 word)
{
	u64 old = 0;

	if (!replace(field, &old, word))
		return -EBUSY;
	/* The last user may have gone meanwhile, and not seen it. */
	if (!without_users(map))
		return 0;
	rt_async_end(field);
	return -EPERM;
}

long rt_timer_init(struct rt_async *field, const struct rt_map *map, u64 flags)
{
	for (u32 i = 0; i < RT_ASYNC_CLOCKS && flags < CLOCKS_MAX; i++)
		if ((u64)rt_async_clock(RT_ASYNC_CLOCK(i)) == flags)
			return init(field, map, RT_ASYNC_INIT | RT_ASYNC_CLOCK(i));
	return -EINVAL;
}

long rt_work_init(struct rt_async *field, const struct rt_map *map, u32 flags)
{
	return flags ? -EINVAL : init(field, map, RT_ASYNC_INIT | RT_ASYNC_WORK);
}

long rt_async_set_callback(struct rt_async *field, u32 subprog, struct rt_vcpu *vcpu)
{
	u64 callback = rt_async_callback(vcpu->prog->id, subprog), old = load(field);

	do {
		if (!(old & RT_ASYNC_INIT))
			return -EINVAL;
	} while (!replace(field, &old, (old & ~RT_ASYNC_CALLBACK) | callback));
	/* It keeps the program. */
	if (rt_async_prog(old) != rt_async_prog(callback))
		rt_async_tell(field);
	return 0;
}

/* pinned: 0 or RT_ASYNC_PINNED. */
static long start(struct rt_async *field, s64 due, u64 pinned, const struct rt_vcpu *vcpu)
{
	const u64 replaced = RT_ASYNC_STARTS | RT_ASYNC_VCPU | RT_ASYNC_PINNED;
	u64 how = RT_ASYNC_STARTED | pinned | ((u64)vcpu->index << 52 & RT_ASYNC_VCPU);
	u64 old = load(field), new;

	do {
		if (!(old & RT_ASYNC_INIT) || !rt_async_prog(old))
			return -EINVAL;
		__atomic_store_n(&field->due, due, __ATOMIC_SEQ_CST);
		new = (old & ~replaced) | ((old + RT_ASYNC_START) & RT_ASYNC_STARTS);
	} while (!replace(field, &old, new | how));
	rt_async_tell(field);
	return 0;
}

long rt_timer_start(struct rt_async *field, u64 ns, u64 flags, struct rt_vcpu *vcpu)
{
	s32 clock = rt_async_clock(load(field));
	s64 due = (s64)ns;

	if (flags & ~(u64)(TIMER_ABS | TIMER_PIN))
		return -EINVAL;
	if (!(flags & TIMER_ABS) && clock >= 0 &&
	    __builtin_add_overflow(due, (s64)rt_clock_ns(vcpu, clock), &due))
		due = INT64_MAX;
	return start(field, due, flags & TIMER_PIN ? RT_ASYNC_PINNED : 0, vcpu);
}

long rt_work_start(struct rt_async *field, u32 flags, struct rt_vcpu *vcpu)
{
	return flags ? -EINVAL : start(field, 0, 0, vcpu);
}

/*
 * As long as the supervisor is in the callback. It is never so in the supervisor itself, whose one
 * thread runs callbacks to their end.
 */
static void wait_for_callback(struct rt_async *field, struct rt_vcpu *vcpu)
{
	u64 end = 0, word;

	if (RT_PROCESS->is_supervisor)
		return;
	for (u32 i = 0; load(field) & RT_ASYNC_RUNNING; i++) {
		if (i < SPINS) {
			rt_cpu_relax();
			continue;
		}
		if (!end)
			end = rt_clock_ns(vcpu, RT_CLOCK_MONOTONIC) + WAIT_MAX_NS;
		else if (rt_clock_ns(vcpu, RT_CLOCK_MONOTONIC) > end)
			break;
		rt_sys_yield();
	}
	/* The supervisor may have died in it: nobody waits for that a second time. */
	word = load(field);
	while (word & RT_ASYNC_RUNNING && !replace(field, &word, word & ~RT_ASYNC_RUNNING))
		;
}

long rt_timer_cancel(struct rt_async *field, struct rt_vcpu *vcpu)
{
	u64 old = load(field);

	do {
		if (!(old & RT_ASYNC_INIT))
			return -EINVAL;
		if (old & RT_ASYNC_RUNNING && vcpu->async == field)
			return -EDEADLK;
	} while (!replace(field, &old, old & ~(RT_ASYNC_CALLBACK | RT_ASYNC_STARTED)));
	tell_end(field, old);
	if (unlikely(old & RT_ASYNC_RUNNING))
		wait_for_callback(field, vcpu);
	return !!(old & RT_ASYNC_STARTED);
}
