/* SPDX-License-Identifier: BSD-2-Clause */
/* See kill.h: runs the scenarios. */
#include <string.h>

#include "death.h"
#include "harness/tap.h"
#include "kill.h"
#include "rt/buffer.h"
#include "rt/shared.h"
#include "rt/trace.h"

#define SLOTS 3

struct rt_perf_buffer *kill_perf;

static struct arena *arena;

void kill_put(struct rt_map *map, struct rt_vcpu *vcpu, u32 key, u64 value)
{
	rt_map_update_elem(map, &key, &value, 0, vcpu);
}

void kill_drop(struct rt_map *map, struct rt_vcpu *vcpu, u32 key)
{
	rt_map_delete_elem(map, &key, vcpu);
}

u64 kill_get(struct rt_map *map, struct rt_vcpu *vcpu, u32 key)
{
	u64 *value = rt_map_lookup_elem(map, &key, vcpu);

	return value ? *value : 0;
}

/* An operation, and the map that it is done on. */
struct task {
	const struct kill_scenario *scenario;
	struct rt_map *map;
};

static void operate(const void *arg, struct rt_vcpu *vcpu)
{
	const struct task *task = arg;

	task->scenario->operate(task->map, vcpu);
}

/* Whoever comes next: the same slot's next holder, or another slot's while that one stays dead. */
static const char *examine_all(const struct task *task, const struct death_history *history)
{
	const char *wrong = NULL;

	for (u32 i = 0; i < history->nr * SLOTS && !wrong; i++) {
		struct rt_vcpu *vcpu;

		death_restore(history->states[i / SLOTS]);
		vcpu = death_take_slot(i % SLOTS);
		wrong = task->scenario->examine(task->map, vcpu);
		rt_vcpu_release(vcpu);
		if (wrong)
			tap_note("state %u, examined from slot %u", i / SLOTS, i % SLOTS);
	}
	return wrong;
}

/* The operation is done again after each death, and dies again at each of its instructions. */
static const char *die_again(const struct task *task, const struct death_history *first,
			     u32 *ret_states)
{
	static struct death_history second;
	const char *wrong = NULL;

	*ret_states = 0;
	/* By the dead one's slot and by another, in turn. */
	for (u32 i = 0; i < first->nr && !wrong; i++) {
		death_restore(first->states[i]);
		death_record(&second, task->scenario->name, i % 2, operate, task);
		wrong = examine_all(task, &second);
		if (wrong)
			tap_note("after state %u, by slot %u", i, i % 2);
		*ret_states += second.nr;
		death_forget(&second);
	}
	return wrong;
}

static struct rt_map *new_map(const struct kill_scenario *scenario,
			      const struct rt_map_field *field)
{
	bool ring = scenario->type == BPF_MAP_TYPE_RINGBUF;
	bool keyless = ring || scenario->type == BPF_MAP_TYPE_QUEUE ||
		       scenario->type == BPF_MAP_TYPE_STACK;
	u32 value_size = ring ? 0 : 8 + (field ? field->size : 0);
	struct rt_map *map = env_map(arena, scenario->type, keyless ? 0 : 4, value_size,
				     scenario->max_entries, 0);

	if (field)
		map->fields[map->nr_fields++] = *field;
	return map;
}

static void find_areas(const struct rt_map *map)
{
	death_no_areas();
	death_add_area(map->data, map->data_size);
	death_add_area(RT_SHARED, sizeof(struct rt_shared));
	death_add_area((void *)RT_TRACE_BASE, 3UL * 4096);
	/* Of the owners, the first page is enough for a few records. */
	death_add_area((void *)(RT_TRACE_BASE + 2UL * 4096 + (2UL << 20)), 4096);
	death_add_area(kill_perf->pages, rt_perf_memory_size(1));
	death_add_area(kill_perf->lost, sizeof(*kill_perf->lost));
}

static void run(const struct kill_scenario *scenario, const struct rt_map_field *field)
{
	static struct death_history history;
	struct task task = { scenario, new_map(scenario, field) };
	struct rt_vcpu *vcpu = death_take_slot(0);
	const char *wrong;
	u32 nr;

	memset(&RT_SHARED->async, 0, sizeof(RT_SHARED->async));
	find_areas(task.map);
	if (scenario->prepare)
		scenario->prepare(task.map, vcpu);
	rt_vcpu_release(vcpu);
	death_record(&history, scenario->name, 0, operate, &task);
	wrong = examine_all(&task, &history);
	tap_ok(!wrong && history.ended, "%s: killed after each of %u instructions, %u states: %s",
	       scenario->name, history.steps, history.nr, wrong ? wrong : "nothing lost");
	if (scenario->twice && !UNDER_SANITIZER) {
		wrong = die_again(&task, &history, &nr);
		tap_ok(!wrong, "%s: and once more, %u states: %s", scenario->name, nr,
		       wrong ? wrong : "nothing lost");
	}
	death_forget(&history);
	env_map_free(arena, task.map);
}

void kill_run(const struct kill_scenario *scenarios, u32 nr, const struct rt_map_field *field)
{
	for (u32 i = 0; i < nr; i++)
		run(&scenarios[i], field);
}

int main(void)
{
	arena = env_new(SLOTS);
	kill_perf = arena_alloc(arena, ARENA_CONTROL, sizeof(*kill_perf), 64);
	kill_perf->data_pages = 1;
	kill_perf->sample_type = 1u << 10; /* PERF_SAMPLE_RAW */
	kill_perf->cpu = -1;
	kill_perf->lost = arena_alloc(arena, ARENA_DATA, 64, 64);
	kill_perf->pages = arena_alloc(arena, ARENA_DATA, rt_perf_memory_size(1), 4096);
	rt_perf_init(kill_perf->pages, 1);
	kill_hashes();
	kill_queues();
	kill_buffers();
	kill_timers();
	arena_free(arena);
	return tap_done();
}
