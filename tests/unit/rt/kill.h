/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What operations on maps and buffers leave that were cut off at any of their instructions
 * (death.h): test_kill.c runs the scenarios that the files of this name have.
 */
#ifndef SKEP_TESTS_KILL_H
#define SKEP_TESTS_KILL_H

#include "map_env.h"

struct rt_perf_buffer;

/* One operation, and what must hold when it was cut off anywhere. */
struct kill_scenario {
	const char *name;
	u32 type;
	u32 max_entries;
	/* NULL: the map is empty. */
	void (*prepare)(struct rt_map *map, struct rt_vcpu *vcpu);
	void (*operate)(struct rt_map *map, struct rt_vcpu *vcpu);
	/* NULL, or what is wrong. */
	const char *(*examine)(struct rt_map *map, struct rt_vcpu *vcpu);
	bool twice; /* the operation may be cut off twice */
};

/* Does each scenario, on a map of its own; its values are a number, and this field unless NULL. */
void kill_run(const struct kill_scenario *scenarios, u32 nr, const struct rt_map_field *field);

void kill_hashes(void);
void kill_queues(void);
void kill_buffers(void);
void kill_timers(void);

/* A buffer of one page, which is part of each state. */
extern struct rt_perf_buffer *kill_perf;

/* Elements with keys of 4 and values of 8 bytes; a value that is not there is 0. */
void kill_put(struct rt_map *map, struct rt_vcpu *vcpu, u32 key, u64 value);
void kill_drop(struct rt_map *map, struct rt_vcpu *vcpu, u32 key);
u64 kill_get(struct rt_map *map, struct rt_vcpu *vcpu, u32 key);

#endif
