/* SPDX-License-Identifier: BSD-2-Clause */
/* LPM tries: against a list of prefixes, while prefixes of all lengths come and go; walks in order.
 */
#include <errno.h>
#include <string.h>

#include "harness/tap.h"
#include "map_env.h"
#include "rt/map/hash.h"

#define NR_PREFIXES 200
#define STEPS	    20000
#define LARGE	    1000000u

struct key {
	u32 length;
	u8 data[4];
};

static struct arena *arena;
static struct rt_vcpu *vcpu;
static struct key held[NR_PREFIXES];
static u32 nr_held;

static u32 number(const struct key *key)
{
	return (u32)key->data[0] << 24 | key->data[1] << 16 | key->data[2] << 8 | key->data[3];
}

static u32 mask(u32 length)
{
	return length ? ~0u << (32 - length) : 0;
}

static struct key random_key(u64 *state)
{
	struct key key = { .length = (u32)(env_random(state) % 33) };
	/* Few different bits, so that prefixes lie in one another. */
	u32 bits = (u32)env_random(state) & 0xc0c0c0c0 & mask(key.length);

	for (u32 i = 0; i < 4; i++)
		key.data[i] = (u8)(bits >> (24 - 8 * i));
	return key;
}

static u32 index_of(const struct key *key)
{
	for (u32 i = 0; i < nr_held; i++)
		if (!memcmp(&held[i], key, sizeof(*key)))
			return i;
	return nr_held;
}

/* The length of the longest prefix that is held, -1: none. */
static s32 longest(u32 address)
{
	s32 best = -1;

	for (u32 i = 0; i < nr_held; i++)
		if (((address ^ number(&held[i])) & mask(held[i].length)) == 0 &&
		    (s32)held[i].length > best)
			best = (s32)held[i].length;
	return best;
}

static void change(const struct rt_map *map, u64 *state, u32 *wrong)
{
	struct key key = random_key(state);
	u32 at = index_of(&key);
	u64 value = key.length;

	if (env_random(state) % 2) {
		if (at == nr_held && nr_held == NR_PREFIXES)
			return;
		*wrong += rt_map_update_elem(map, &key, &value, BPF_ANY, vcpu) != 0;
		if (at == nr_held)
			held[nr_held++] = key;
	} else {
		*wrong += rt_map_delete_elem(map, &key, vcpu) != (at == nr_held ? -ENOENT : 0);
		if (at < nr_held)
			held[at] = held[--nr_held];
	}
}

static void lookups(void)
{
	struct rt_map *map =
		env_map(arena, BPF_MAP_TYPE_LPM_TRIE, 8, 8, NR_PREFIXES, BPF_F_NO_PREALLOC);
	u32 wrong = 0, counted = 0;
	u64 state = 7;

	for (u32 i = 0; i < STEPS; i++) {
		u32 address = (u32)env_random(&state) & 0xc0c0c0c0;
		struct key key = { 32,
				   { (u8)(address >> 24), (u8)(address >> 16), (u8)(address >> 8),
				     (u8)address } };
		u64 *value;

		change(map, &state, &wrong);
		value = rt_map_lookup_elem(map, &key, vcpu);
		wrong += (value ? (s32)*value : -1) != longest(address);
	}
	tap_ok(!wrong, "%u changes and lookups: %u wrong", STEPS, wrong);
	while (nr_held)
		wrong += rt_map_delete_elem(map, &held[--nr_held], vcpu) != 0;
	for (u32 length = 0; length <= 32; length++)
		counted += hash_lpm_counts(map)[length];
	tap_ok(!wrong && !counted, "no length has prefixes any more: %u", counted);
	env_map_free(arena, map);
}

/* Below a prefix comes before it, and 0 before 1. */
static bool in_order(const struct key *a, const struct key *b)
{
	u32 length = a->length < b->length ? a->length : b->length;
	u32 differ = (number(a) ^ number(b)) & mask(length);

	return differ ? number(a) < number(b) : a->length > b->length;
}

static void walk(void)
{
	struct rt_map *map = env_map(arena, BPF_MAP_TYPE_LPM_TRIE, 8, 8, LARGE, BPF_F_NO_PREALLOC);
	u32 wrong = 0, seen = 0;
	struct key key, next;
	u64 state = 9;

	for (u32 i = 0; i < 400; i++)
		change(map, &state, &wrong);
	for (long error = rt_map_get_next_key(map, NULL, &next, vcpu); !error && seen <= nr_held;
	     error = rt_map_get_next_key(map, &key, &next, vcpu)) {
		wrong += index_of(&next) == nr_held || (seen && !in_order(&key, &next));
		key = next;
		seen++;
	}
	tap_ok(!wrong && seen == nr_held, "a walk over %u prefixes in a large map: %u, %u wrong",
	       nr_held, seen, wrong);
	env_map_free(arena, map);
}

int main(void)
{
	arena = env_new(2);
	vcpu = env_vcpu();
	lookups();
	nr_held = 0;
	walk();
	return tap_done();
}
