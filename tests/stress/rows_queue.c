/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Queues and stacks: each value tells who pushed it and its number there. What was pushed is popped
 * once or still there, but for what a death has cut off; a queue keeps each worker's order.
 */
#include <errno.h>

#include "stress.h"

#define PUSH 0u
#define POP  1u

struct value {
	u64 worker, number, inverse, sum;
};

static struct value make(u64 worker, u64 number)
{
	return (struct value){ worker + 1, number, ~number, worker + 1 + number };
}

static bool is_whole(const struct stage *stage, const struct value *value)
{
	return value->worker - 1 < stage->nr_workers && value->inverse == ~value->number &&
	       value->sum == value->worker + value->number;
}

static void push(struct worker *worker)
{
	struct shadow *shadow = worker->shadow;
	struct value value = make(worker->index, ++shadow->version);
	long error;

	shadow_begin(shadow, PUSH, PUSH);
	error = rt_map_push_elem(worker->stage->map, &value, 0, worker->vcpu);
	if (!error)
		SHADOW_STORE(shadow->puts, shadow->puts + 1);
	else if (error != -E2BIG && error != -EBUSY)
		worker_error(worker, "a push gives an error", error);
	shadow_end(shadow);
}

static void pop(struct worker *worker, bool remove)
{
	struct stage *stage = worker->stage;
	struct shadow *shadow = worker->shadow;
	struct value value;
	long error;

	shadow_begin(shadow, POP, POP);
	error = remove ? rt_map_pop_elem(stage->map, &value, worker->vcpu)
		       : rt_map_peek_elem(stage->map, &value, worker->vcpu);
	if (error && error != -ENOENT && error != -EBUSY)
		worker_error(worker, "a pop gives an error", error);
	if (!error && !is_whole(stage, &value)) {
		worker_wrong(worker, "a value is torn");
	} else if (!error && remove) {
		u64 *seen = &shadow->seen[value.worker - 1];

		if (stage->row->type == BPF_MAP_TYPE_QUEUE && value.number <= *seen)
			worker_wrong(worker, "a value comes twice or out of order");
		*seen = value.number;
	}
	if (!error && remove)
		SHADOW_STORE(shadow->takes, shadow->takes + 1);
	shadow_end(shadow);
}

void queue_operate(struct worker *worker)
{
	u32 what = (u32)worker_random(worker, 8);

	if (what < 4)
		push(worker);
	else
		pop(worker, what < 7);
}

void queue_read_all(struct worker *worker)
{
	pop(worker, false);
	pop(worker, true);
	push(worker);
}

/* What the dead one was doing has happened or not; the watcher counts both. */
void queue_settle(struct worker *dead)
{
	struct shadow *shadow = dead->shadow;

	if (shadow->changes % 2 == 0)
		return;
	if (shadow->from == PUSH)
		dead->stage->watcher.puts++;
	else
		dead->stage->watcher.takes++;
	shadow_end(shadow);
}

void queue_finish(struct stage *stage, struct rt_vcpu *vcpu)
{
	u64 puts = 0, takes = 0, fits = 0;
	struct value value;

	for (u32 i = 0; i < STRESS_WORKERS; i++) {
		puts += stage->shadows[i].puts;
		takes += stage->shadows[i].takes;
	}
	while (!rt_map_pop_elem(stage->map, &value, vcpu)) {
		if (!is_whole(stage, &value))
			shadow_wrong(&stage->watcher, "at the end: a value is torn", value.number);
		takes++;
	}
	if (takes > puts + stage->watcher.puts)
		shadow_wrong(&stage->watcher, "more was popped than pushed", takes - puts);
	if (takes + stage->watcher.takes < puts)
		shadow_wrong(&stage->watcher, "values are lost", puts - takes);
	value = make(0, 0);
	while (!rt_map_push_elem(stage->map, &value, 0, vcpu))
		fits++;
	if (fits != stage->map->max_entries)
		shadow_wrong(&stage->watcher, "at the end: not as many values fit", fits);
}
