/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What tests of maps and buffers stand on: an arena, maps in it, a vCPU for the calling thread, a
 * seeded source of numbers, and a walk over a hash map that says whether every element is in
 * exactly one place.
 */
#ifndef SKEP_TESTS_MAP_ENV_H
#define SKEP_TESTS_MAP_ENV_H

#include "arena/arena.h"
#include "rt/map.h"
#include "rt/vcpu.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define UNDER_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define UNDER_SANITIZER 1
#endif
#endif
#ifndef UNDER_SANITIZER
#define UNDER_SANITIZER 0
#endif

/* Makes the arena with nr_vcpus slots; ends the test program if it cannot. */
struct arena *env_new(u32 nr_vcpus);

/* A vCPU for this thread; ends the test program if there is none. */
struct rt_vcpu *env_vcpu(void);

struct rt_map *env_map(struct arena *arena, u32 type, u32 key_size, u32 value_size, u32 max_entries,
		       u32 flags);
void env_map_free(struct arena *arena, struct rt_map *map);

/* Uniform enough, same sequence for the same seed. */
u64 env_random(u64 *state);

/*
 * Hash maps at rest: NULL if every element that was ever used is in exactly one chain of the right
 * bucket, free list, cell or extra, no key is there twice and no lock but a dead one is held;
 * otherwise what is wrong. *ret_linked is the number of keys.
 */
const char *env_hash_check(const struct rt_map *map, u32 *ret_linked);

#endif
