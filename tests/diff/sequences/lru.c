/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps that drop elements: the same ones on both sides after the same operations, on one CPU and
 * then on another. And each side is held against what must be true of any: it never has more than
 * it may; what is there has the value that was written last; what was just written is there;
 * nothing is there that was deleted or never written.
 */
#include "../bpf/client.h"
#include "sequences.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NUMBERS 4096
#define HOT	8

struct model {
	u32 written[NUMBERS]; /* the last value, 0: none or deleted */
};

static long element(struct pair *pair, int side, u32 cmd, u32 number, u32 *value, u64 flags)
{
	static u8 bytes[USER_MAX];
	u8 key[KEY_MAX];
	union abi_attr attr;
	long result;

	memset(key, 'k', sizeof(key));
	memcpy(key, &number, sizeof(number));
	memset(bytes, 0, sizeof(bytes));
	memcpy(bytes, value, sizeof(*value));
	memset(&attr, 0, sizeof(attr));
	attr.elem.map_fd = (u32)pair->fds[side];
	attr.elem.key = (u64)(uintptr_t)key;
	attr.elem.value = cmd == BPF_MAP_DELETE_ELEM ? 0 : (u64)(uintptr_t)bytes;
	attr.elem.flags = flags;
	result = stage_call(side, cmd, &attr);
	memcpy(value, bytes, sizeof(*value));
	pair->operations++;
	pair->succeeded += !result;
	return result;
}

static const char *name_of(int side)
{
	return side ? "skep" : "the kernel";
}

static long check_lookup(struct pair *pair, int side, const struct model *model, u32 number,
			 bool must)
{
	u32 value = 0;
	long result = element(pair, side, BPF_MAP_LOOKUP_ELEM, number, &value, 0);

	if (result && (result != -ENOENT || must))
		differ(pair, "%s: lookup of key %u: %ld", name_of(side), number, result);
	if (!result && (!model->written[number] || value != model->written[number]))
		differ(pair, "%s: key %u is %u, and was %u", name_of(side), number, value,
		       model->written[number]);
	return result;
}

/* How many are there, each once, each as it was written? */
static void check_all(struct pair *pair, int side, const struct model *model, bool *seen)
{
	static u8 keys[2][KEY_MAX];
	union abi_attr attr;
	u32 nr, number;

	memset(seen, 0, NUMBERS * sizeof(*seen));
	for (nr = 0; nr <= NUMBERS; nr++) {
		memset(&attr, 0, sizeof(attr));
		attr.elem.map_fd = (u32)pair->fds[side];
		attr.elem.key = nr ? (u64)(uintptr_t)keys[nr % 2] : 0;
		attr.elem.next_key = (u64)(uintptr_t)keys[(nr + 1) % 2];
		if (stage_call(side, BPF_MAP_GET_NEXT_KEY, &attr))
			break;
		memcpy(&number, keys[(nr + 1) % 2], sizeof(number));
		if (number >= NUMBERS || seen[number] || !model->written[number])
			differ(pair, "%s: key %u should not be there", name_of(side), number);
		else
			seen[number] = true;
		if (pair->differences)
			return;
	}
	if (nr > pair->config.max_entries)
		differ(pair, "%s: %u elements in a map of %u", name_of(side), nr,
		       pair->config.max_entries);
}

/* The result of the operation, for a lookup that it finds nothing. */
static long step(struct pair *pair, int side, struct model *model, u32 what, u32 number, u32 value)
{
	u32 key = HOT + number % (NUMBERS - HOT), ignored = 0;
	long result = 0;

	switch (what) {
	case 0:
		result = element(pair, side, BPF_MAP_DELETE_ELEM, key, &ignored, 0);
		if (result && (result != -ENOENT))
			differ(pair, "%s: deletion: %ld", name_of(side), result);
		if (!result && !model->written[key])
			differ(pair, "%s: key %u was deleted twice", name_of(side), key);
		model->written[key] = 0;
		check_lookup(pair, side, model, key, false);
		break;
	case 1: result = check_lookup(pair, side, model, key, false); break;
	case 2: /* an element of that key, if it is there */
		ignored = value;
		result = element(pair, side, BPF_MAP_UPDATE_ELEM, key, &ignored, BPF_EXIST);
		if (result && result != -ENOENT)
			differ(pair, "%s: update: %ld", name_of(side), result);
		if (!result && !model->written[key])
			differ(pair, "%s: key %u was there", name_of(side), key);
		if (!result)
			model->written[key] = value;
		break;
	default:
		ignored = value;
		result = element(pair, side, BPF_MAP_UPDATE_ELEM, key, &ignored, BPF_ANY);
		if (result)
			differ(pair, "%s: update: %ld", name_of(side), result);
		model->written[key] = value;
		check_lookup(pair, side, model, key, true);
		break;
	}
	return result;
}

/* Both sides have the same keys. */
static void compare_all(struct pair *pair, const struct model *models)
{
	static bool seen[SIDES][NUMBERS];
	u32 number;
	int side;

	for (side = 0; side < SIDES; side++)
		check_all(pair, side, &models[side], seen[side]);
	for (number = 0; number < NUMBERS && !pair->differences; number++)
		if (seen[0][number] != seen[1][number])
			differ(pair, "key %u: the kernel %s it, skep %s", number,
			       seen[0][number] ? "has" : "dropped",
			       seen[1][number] ? "has" : "dropped");
}

/* Each CPU has elements of its own in its hands. */
static void go_to_cpu(u32 cpu)
{
	client_move(cpu);
	if (stage.through_client)
		client_world_move(window_client(), cpu);
}

void lru_episode(struct pair *pair)
{
	static struct model models[SIDES];
	static u8 keys[HOT][KEY_MAX];
	u32 steps = 300 + draw(1500), i, what, number, value, hot;
	long results[SIDES];
	int side;

	program_new(pair);
	for (hot = 0; hot < HOT; hot++) {
		memset(keys[hot], 'k', KEY_MAX);
		memcpy(keys[hot], &hot, sizeof(hot));
	}
	memset(models, 0, sizeof(models));
	for (side = 0; side < SIDES; side++)
		for (hot = 0; hot < HOT; hot++) {
			value = 7;
			models[side].written[hot] = 7;
			element(pair, side, BPF_MAP_UPDATE_ELEM, hot, &value, 0);
		}
	for (i = 1; i <= steps && !pair->differences; i++) {
		what = draw(8);
		number = draw(NUMBERS);
		value = i + 10;
		if (one_in(64))
			go_to_cpu(draw(stage.cpus));
		for (side = 0; side < SIDES; side++)
			results[side] = step(pair, side, &models[side], what, number, value);
		if (results[0] != results[1])
			differ(pair, "operation %u on key %u: kernel %ld, skep %ld", what, number,
			       results[0], results[1]);
		if (i % 256 == 0 || i == steps)
			compare_all(pair, models);
		/* A lookup by bpf(2) would not count as use. */
		if (i % 8 == 0)
			program_touch(pair, HOT, keys);
	}
	go_to_cpu(0);
}
