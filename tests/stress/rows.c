/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rows, and what all of them share.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "abi/bpf_new.h"
#include "harness/tap.h"
#include "stress.h"
#include "unit/rt/map_env.h"

#define KEYED keyed_operate, keyed_settle, NULL, keyed_finish, keyed_read_all, NULL, NULL

const struct row stress_rows[] = {
	{ "array", BPF_MAP_TYPE_ARRAY, 4, 32, 128, 0, ROW_IN_PLACE, KEYED },
	{ "array, locked", BPF_MAP_TYPE_ARRAY, 4, 32, 128, 0, ROW_IN_PLACE | ROW_LOCKED, KEYED },
	{ "array, batches", BPF_MAP_TYPE_ARRAY, 4, 32, 128, 0, ROW_IN_PLACE | ROW_BATCHES, KEYED },
	{ "percpu array", BPF_MAP_TYPE_PERCPU_ARRAY, 4, 32, 128, 0, ROW_IN_PLACE | ROW_PERCPU,
	  KEYED },
	{ "hash", BPF_MAP_TYPE_HASH, 4, 32, 64, 0, ROW_DELETES | ROW_HASH, KEYED },
	{ "hash, locked", BPF_MAP_TYPE_HASH, 4, 32, 64, 0,
	  ROW_DELETES | ROW_HASH | ROW_IN_PLACE | ROW_LOCKED, KEYED },
	{ "hash, batches", BPF_MAP_TYPE_HASH, 4, 32, 64, 0, ROW_DELETES | ROW_HASH | ROW_BATCHES,
	  KEYED },
	{ "percpu hash", BPF_MAP_TYPE_PERCPU_HASH, 4, 32, 64, 0,
	  ROW_DELETES | ROW_HASH | ROW_IN_PLACE | ROW_PERCPU, KEYED },
	{ "LRU hash", BPF_MAP_TYPE_LRU_HASH, 4, 32, 48, 0, ROW_DELETES | ROW_HASH | ROW_EVICTS,
	  KEYED },
	{ "LRU hash, lists by CPU", BPF_MAP_TYPE_LRU_HASH, 4, 32, 48, BPF_F_NO_COMMON_LRU,
	  ROW_DELETES | ROW_HASH | ROW_EVICTS, KEYED },
	{ "LRU percpu hash", BPF_MAP_TYPE_LRU_PERCPU_HASH, 4, 32, 48, 0,
	  ROW_DELETES | ROW_HASH | ROW_EVICTS | ROW_IN_PLACE | ROW_PERCPU, KEYED },
	{ "LPM trie", BPF_MAP_TYPE_LPM_TRIE, 8, 32, 64, 0, ROW_DELETES | ROW_HASH | ROW_PREFIX,
	  KEYED },
	{ "task storage", BPF_MAP_TYPE_TASK_STORAGE, 4, 32, 64, 0, ROW_DELETES | ROW_HASH, KEYED },
	{ "socket storage", BPF_MAP_TYPE_SK_STORAGE, 4, 32, 64, 0, ROW_DELETES | ROW_HASH, KEYED },
	{ "inode storage", BPF_MAP_TYPE_INODE_STORAGE, 4, 32, 64, 0, ROW_DELETES | ROW_HASH,
	  KEYED },
	{ "cgroup storage", ABI_MAP_TYPE_CGRP_STORAGE, 4, 32, 64, 0, ROW_DELETES | ROW_HASH,
	  KEYED },
	{ "cgroup program storage", BPF_MAP_TYPE_CGROUP_STORAGE, 16, 32, 0, 0, 0, owned_operate,
	  nothing_settle, NULL, nothing_finish, owned_read_all, NULL, NULL },
	{ "percpu cgroup program storage", BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE, 16, 32, 0, 0,
	  ROW_PERCPU, owned_operate, nothing_settle, NULL, nothing_finish, owned_read_all, NULL,
	  NULL },
	{ "queue", BPF_MAP_TYPE_QUEUE, 0, 32, 64, 0, 0, queue_operate, queue_settle, NULL,
	  queue_finish, queue_read_all, NULL, NULL },
	{ "stack", BPF_MAP_TYPE_STACK, 0, 32, 64, 0, 0, queue_operate, queue_settle, NULL,
	  queue_finish, queue_read_all, NULL, NULL },
	{ "Bloom filter", BPF_MAP_TYPE_BLOOM_FILTER, 0, 8, 4096, 0, 0, bloom_operate, bloom_settle,
	  NULL, nothing_finish, bloom_read_all, NULL, NULL },
	{ "stack trace", BPF_MAP_TYPE_STACK_TRACE, 4, 64, 64, 0, 0, stack_operate, stack_settle,
	  NULL, stack_finish, stack_read_all, NULL, NULL },
	{ "ring buffer", BPF_MAP_TYPE_RINGBUF, 0, 0, 4096, 0, 0, ring_operate, ring_settle,
	  ring_attend, ring_finish, ring_read_all, NULL, NULL },
	{ "trace queue", BPF_MAP_TYPE_ARRAY, 4, 8, 1, 0, 0, trace_operate, trace_settle,
	  trace_attend, nothing_finish, trace_read_all, trace_open, NULL },
	{ "perf buffer", BPF_MAP_TYPE_ARRAY, 4, 8, 1, 0, 0, perf_operate, nothing_settle,
	  perf_attend, nothing_finish, perf_read_all, perf_open, perf_close },
	{ "user ring buffer", BPF_MAP_TYPE_USER_RINGBUF, 0, 0, 4096, 0, 0, user_ring_operate,
	  user_ring_settle, NULL, user_ring_finish, user_ring_read_all, NULL, NULL },
	{ "arena", ABI_MAP_TYPE_ARENA, 0, 0, 1u << 13, BPF_F_MMAPABLE, 0, pages_operate,
	  pages_settle, NULL, pages_finish, pages_read_all, pages_open, NULL },
	{ "timers and work", BPF_MAP_TYPE_HASH, 4, 40, 64, 0, ROW_DELETES | ROW_HASH, timer_operate,
	  timer_settle, timer_attend, timer_finish, timer_read_all, timer_open, NULL },
	{ "objects", BPF_MAP_TYPE_ARRAY, 4, 8, 1, 0, 0, objects_operate, objects_settle, NULL,
	  objects_finish, objects_operate, objects_open, objects_close },
	{ "sock map", BPF_MAP_TYPE_SOCKMAP, 4, 8, 128, 0, 0, sock_operate, sock_settle, NULL,
	  sock_finish, sock_read_all, NULL, NULL },
	{ "sock hash", BPF_MAP_TYPE_SOCKHASH, 4, 8, 64, 0, ROW_DELETES | ROW_HASH, sock_operate,
	  sock_settle, NULL, sock_finish, sock_read_all, NULL, NULL },
};

const u32 stress_nr_rows = ARRAY_SIZE(stress_rows);

void stage_open(struct stage *stage, const struct row *row, struct arena *arena, u32 nr_workers)
{
	memset(stage, 0, sizeof(*stage));
	stage->row = row;
	stage->arena = arena;
	stage->nr_workers = nr_workers;
	stage->map = env_map(arena, row->type, row->key_size, row->value_size, row->max_entries,
			     row->flags);
	if (row->traits & ROW_LOCKED) {
		stage->map->nr_fields = 1;
		stage->map->fields[0].offset = stage->map->lock_offset = 0;
		stage->map->fields[0].size = 4;
		stage->map->has_lock = true;
	}
	stage->memory = stage->map->data;
	stage->memory_size = stage->map->data_size;
	if (row->open)
		row->open(stage);
	stage->shadows = mmap(NULL, STRESS_WORKERS * sizeof(struct shadow), PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (stage->shadows == MAP_FAILED)
		tap_bail("mmap");
}

void stage_close(struct stage *stage)
{
	munmap(stage->shadows, STRESS_WORKERS * sizeof(struct shadow));
	if (stage->row->close)
		stage->row->close(stage);
	env_map_free(stage->arena, stage->map);
}

void stage_report(struct stage *stage, const char *what)
{
	const char *first = stage->watcher.wrong ? stage->watcher.what : NULL;
	u64 wrong = stage->watcher.wrong;

	for (u32 i = 0; i < STRESS_WORKERS; i++) {
		wrong += stage->shadows[i].wrong;
		if (!first && stage->shadows[i].wrong)
			first = stage->shadows[i].what;
	}
	tap_ok(!wrong, "%s: %s: %s", stage->row->name, what, wrong ? first : "as it must be");
	if (wrong)
		tap_note("%llu times something was wrong", (unsigned long long)wrong);
}

void worker_open(struct worker *worker, struct stage *stage, u32 index, u64 seed)
{
	*worker = (struct worker){ .stage = stage,
				   .shadow = &stage->shadows[index],
				   .index = index,
				   .random = seed * 1000003 + index };
}

u64 worker_random(struct worker *worker, u64 below)
{
	return (env_random(&worker->random) >> 11) % below;
}

void shadow_wrong(struct shadow *shadow, const char *what, u64 number)
{
	if (__atomic_fetch_add(&shadow->wrong, 1, __ATOMIC_ACQ_REL) == 0)
		snprintf(shadow->what, sizeof(shadow->what), "%s (%llx)", what,
			 (unsigned long long)number);
}

void worker_wrong(struct worker *worker, const char *what)
{
	if (!worker->stage->hostile)
		shadow_wrong(worker->shadow, what, SHADOW_LOAD(worker->shadow->operations));
}

void worker_error(struct worker *worker, const char *what, long error)
{
	char text[80];

	snprintf(text, sizeof(text), "%s (%ld)", what, error);
	worker_wrong(worker, text);
}

void shadow_begin(struct shadow *shadow, u32 from, u32 to)
{
	SHADOW_STORE(shadow->from, from);
	SHADOW_STORE(shadow->to, to);
	SHADOW_STORE(shadow->changes, shadow->changes + 1);
}

void shadow_end(struct shadow *shadow)
{
	SHADOW_STORE(shadow->changes, shadow->changes + 1);
}

bool worker_step(struct worker *worker)
{
	struct shadow *shadow = worker->shadow;

	/* Taking a vCPU and giving it back is part of every operation. */
	SHADOW_STORE(shadow->inside, 1);
	worker->vcpu = rt_vcpu_acquire((u32)gettid());
	if (!worker->vcpu)
		return false;
	worker->stage->row->operate(worker);
	SHADOW_STORE(shadow->operations, shadow->operations + 1);
	rt_vcpu_release(worker->vcpu);
	SHADOW_STORE(shadow->inside, 0);
	worker->vcpu = NULL;
	return true;
}

void nothing_settle(struct worker *dead)
{
}

void nothing_finish(struct stage *stage, struct rt_vcpu *vcpu)
{
}
