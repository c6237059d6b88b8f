/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf(2)'s commands on elements and batches of them (rt/elem.h, rt/batch.h) with a client whose
 * memory is a small array: every errno, what is checked before what, partial results, and what a
 * walk sees while the map changes.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "harness/tap.h"
#include "map_env.h"
#include "rt/batch.h"
#include "rt/map/ops.h"

#define BASE  0x10000u
#define SIZE  0x10000u
#define KEY   (BASE + 0x100)
#define VALUE (BASE + 0x200)
#define COUNT (BASE + 0x300)
#define IN    (BASE + 0x400)
#define OUT   (BASE + 0x500)
#define KEYS  (BASE + 0x1000)
#define MANY  (BASE + 0x8000)
#define BAD   16u

static struct arena *arena;
static struct rt_vcpu *vcpu;
static u8 memory[SIZE];
static u64 written[4];	/* the last addresses, newest first */
static u32 delete_next; /* a key that goes before the next operation; 0: none */

static u8 *at(u64 address)
{
	return memory + (address - BASE);
}

static bool there(u64 address, u64 size)
{
	return address >= BASE && address - BASE <= SIZE && size <= SIZE - (address - BASE);
}

static long read_memory(void *arg, void *dst, u64 address, u64 size)
{
	if (!there(address, size))
		return -EFAULT;
	memcpy(dst, at(address), size);
	return 0;
}

static long write_memory(void *arg, u64 address, const void *src, u64 size)
{
	if (!there(address, size))
		return -EFAULT;
	memcpy(at(address), src, size);
	memmove(written + 1, written, sizeof(written) - sizeof(written[0]));
	written[0] = address;
	return 0;
}

static long operate(void *arg, struct rt_elem *elem)
{
	if (delete_next) {
		rt_map_delete_elem(elem->map, &delete_next, vcpu);
		delete_next = 0;
	}
	return rt_elem_operate(elem, vcpu);
}

static long bucket_keys(void *arg, const struct rt_map *map, struct rt_map_bucket *bucket)
{
	return rt_map_bucket_keys(map, bucket, vcpu);
}

static const struct rt_batch_io io = { { read_memory, write_memory, NULL }, operate, bucket_keys };

static void put_u32(u64 address, u32 value)
{
	memcpy(at(address), &value, sizeof(value));
}

static u32 get_u32(u64 address)
{
	u32 value;

	memcpy(&value, at(address), sizeof(value));
	return value;
}

/* The whole command, as supervisor and agent put it together. */
static long elem_access(const struct rt_map *map, u32 cmd, u32 access, u64 key, u64 value,
			u64 flags)
{
	u8 key_room[RT_KEY_SIZE_MAX] = { 0 }, value_room[4096] = { 0 };
	struct rt_elem elem = { .cmd = cmd,
				.access = access,
				.key = key,
				.value = value,
				.flags = flags,
				.map = map,
				.key_room = key_room,
				.value_room = value_room };
	long result = rt_elem_check(cmd, flags);

	if (!result)
		result = rt_elem_permits(&elem);
	rt_elem_measure(&elem);
	if (!result)
		result = rt_elem_read(&elem, &io.copy);
	if (!result)
		result = operate(NULL, &elem);
	return result ? result : rt_elem_write(&elem, &io.copy);
}

static long elem(const struct rt_map *map, u32 cmd, u64 key, u64 value, u64 flags)
{
	return elem_access(map, cmd, RT_ELEM_MAY_READ | RT_ELEM_MAY_WRITE, key, value, flags);
}

static struct rt_map *map_of(u32 type, u32 key_size, u32 max_entries)
{
	return env_map(arena, type, key_size, 8, max_entries, 0);
}

static void fill(struct rt_map *map, u32 from, u32 to)
{
	for (u32 i = from; i < to; i++) {
		u64 value = i + 1000;

		rt_map_copy_in(map, &i, &value, BPF_ANY, vcpu);
	}
}

static void test_elem_rights(void)
{
	/* What each command needs of the descriptor. */
	static const struct {
		u32 cmd, rights;
	} rows[] = {
		{ BPF_MAP_LOOKUP_ELEM, RT_ELEM_MAY_READ },
		{ BPF_MAP_UPDATE_ELEM, RT_ELEM_MAY_WRITE },
		{ BPF_MAP_DELETE_ELEM, RT_ELEM_MAY_WRITE },
		{ BPF_MAP_GET_NEXT_KEY, RT_ELEM_MAY_READ },
		{ BPF_MAP_LOOKUP_AND_DELETE_ELEM, RT_ELEM_MAY_READ | RT_ELEM_MAY_WRITE },
	};
	struct rt_map *map = map_of(BPF_MAP_TYPE_HASH, 4, 64);

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
		for (u32 access = 0; access < 4; access++)
			for (u32 frozen = 0; frozen < 2; frozen++) {
				bool may = !(rows[i].rights & ~access) &&
					   !(frozen && rows[i].rights & RT_ELEM_MAY_WRITE);
				long result, early;

				fill(map, 0, 8);
				map->state |= frozen ? RT_MAP_FROZEN : 0;
				put_u32(KEY, 7);
				result = elem_access(map, rows[i].cmd, access, KEY, VALUE, 0);
				early = elem_access(map, rows[i].cmd, access, BAD, BAD, BPF_F_LOCK);
				map->state &= ~RT_MAP_FROZEN;
				tap_ok(may ? result == 0 && early == -EINVAL
					   : result == -EPERM && early == -EPERM,
				       "command %u, access %u%s: %ld, with nothing else right %ld",
				       rows[i].cmd, access, frozen ? ", frozen" : "", result,
				       early);
			}
	env_map_free(arena, map);
}

static void test_elem_errors(void)
{
	struct rt_map *map = map_of(BPF_MAP_TYPE_HASH, 4, 2);

	fill(map, 0, 2);
	put_u32(KEY, 0);
	tap_is(elem(map, BPF_MAP_LOOKUP_ELEM, KEY, VALUE, 1), -EINVAL, "lookup: unknown flag");
	tap_is(elem_access(map, BPF_MAP_LOOKUP_ELEM, 0, BAD, BAD, 1), -EINVAL,
	       "lookup: flags come before rights");
	tap_is(elem(map, BPF_MAP_LOOKUP_ELEM, BAD, BAD, BPF_F_LOCK), -EINVAL, "lookup: no lock");
	tap_is(elem(map, BPF_MAP_LOOKUP_ELEM, BAD, VALUE, 0), -EFAULT, "lookup: key");
	tap_is(elem(map, BPF_MAP_LOOKUP_ELEM, KEY, BAD, 0), -EFAULT, "lookup: value");
	tap_is(elem(map, BPF_MAP_LOOKUP_ELEM, KEY, BASE + SIZE - 7, 0), -EFAULT,
	       "lookup: a value that ends outside");
	tap_is(elem(map, BPF_MAP_LOOKUP_ELEM, KEY, VALUE, 0), 0, "lookup");
	tap_is(get_u32(VALUE), 1000, "the value");
	tap_is(elem(map, BPF_MAP_UPDATE_ELEM, BAD, VALUE, 0), -EFAULT, "update: key");
	tap_is(elem(map, BPF_MAP_UPDATE_ELEM, KEY, BAD, 0), -EFAULT, "update: value");
	tap_is(elem(map, BPF_MAP_UPDATE_ELEM, KEY, BAD, BPF_F_LOCK), -EINVAL, "update: no lock");
	tap_is(elem(map, BPF_MAP_UPDATE_ELEM, KEY, VALUE, BPF_NOEXIST), -EEXIST, "update: exists");
	tap_is(elem(map, BPF_MAP_UPDATE_ELEM, KEY, VALUE, 3), -EINVAL, "update: unknown flag");
	put_u32(KEY, 9);
	tap_is(elem(map, BPF_MAP_UPDATE_ELEM, KEY, VALUE, BPF_EXIST), -ENOENT,
	       "update: is not there");
	tap_is(elem(map, BPF_MAP_UPDATE_ELEM, KEY, VALUE, BPF_ANY), -E2BIG, "update: full");
	tap_is(elem(map, BPF_MAP_LOOKUP_ELEM, KEY, BAD, 0), -ENOENT,
	       "lookup: nothing is written where nothing is found");
	tap_is(elem(map, BPF_MAP_DELETE_ELEM, BAD, BAD, 0), -EFAULT, "delete: key");
	tap_is(elem(map, BPF_MAP_DELETE_ELEM, KEY, BAD, 0), -ENOENT, "delete: is not there");
	tap_is(elem(map, BPF_MAP_GET_NEXT_KEY, BAD, VALUE, 0), -EFAULT, "next key: key");
	tap_is(elem(map, BPF_MAP_GET_NEXT_KEY, 0, BAD, 0), -EFAULT, "next key: its place");
	tap_is(elem(map, BPF_MAP_GET_NEXT_KEY, 0, VALUE, 0), 0, "next key: the first");
	put_u32(KEY, 1);
	tap_is(elem(map, BPF_MAP_LOOKUP_AND_DELETE_ELEM, KEY, BAD, 0), -EFAULT, "take out: value");
	tap_is(elem(map, BPF_MAP_LOOKUP_AND_DELETE_ELEM, KEY, VALUE, 0), -ENOENT,
	       "which is taken out nevertheless");
	env_map_free(arena, map);
}

static void test_elem_types(void)
{
	struct rt_map *array = map_of(BPF_MAP_TYPE_ARRAY, 4, 2),
		      *queue = map_of(BPF_MAP_TYPE_QUEUE, 0, 1),
		      *bloom = map_of(BPF_MAP_TYPE_BLOOM_FILTER, 0, 8);

	put_u32(KEY, 2);
	tap_is(elem(array, BPF_MAP_LOOKUP_ELEM, KEY, VALUE, 0), -ENOENT, "array: beyond the end");
	tap_is(elem(array, BPF_MAP_UPDATE_ELEM, KEY, VALUE, 0), -E2BIG, "array: update there");
	tap_is(elem(array, BPF_MAP_DELETE_ELEM, KEY, VALUE, 0), -EINVAL, "array: delete");
	put_u32(KEY, 1);
	tap_is(elem(array, BPF_MAP_GET_NEXT_KEY, KEY, VALUE, 0), -ENOENT, "array: the last key");
	tap_is(elem(array, BPF_MAP_UPDATE_ELEM, KEY, VALUE, BPF_NOEXIST), -EEXIST, "array: exists");
	tap_is(elem(queue, BPF_MAP_LOOKUP_ELEM, 0, VALUE, 0), -ENOENT, "queue: empty");
	tap_is(elem(queue, BPF_MAP_UPDATE_ELEM, KEY, VALUE, 0), -EINVAL, "queue: takes no key");
	tap_is(elem(queue, BPF_MAP_UPDATE_ELEM, 0, BAD, 0), -EFAULT, "queue: value");
	tap_is(elem(queue, BPF_MAP_UPDATE_ELEM, 0, VALUE, 0), 0, "queue: push");
	tap_is(elem(queue, BPF_MAP_UPDATE_ELEM, 0, VALUE, 0), -E2BIG, "queue: full");
	tap_is(elem(bloom, BPF_MAP_LOOKUP_ELEM, 0, BAD, 0), -EFAULT, "bloom filter: the question");
	tap_is(elem(bloom, BPF_MAP_LOOKUP_ELEM, 0, VALUE, 0), -ENOENT, "bloom filter: not there");
	tap_is(elem(bloom, BPF_MAP_UPDATE_ELEM, 0, VALUE, 0), 0, "bloom filter: push");
	tap_is(elem(bloom, BPF_MAP_LOOKUP_ELEM, 0, VALUE, 0), 0, "bloom filter: perhaps there");
	env_map_free(arena, array);
	env_map_free(arena, queue);
	env_map_free(arena, bloom);
}

static u64 keys_room; /* 0: enough */

static long batch_of(struct rt_batch *batch)
{
	static u8 keys[RT_BATCH_KEYS_MAX * 8], value[4096];
	long result;

	batch->access = batch->access ? batch->access : RT_ELEM_MAY_READ | RT_ELEM_MAY_WRITE;
	batch->out_batch = batch->out_batch ? batch->out_batch : OUT;
	batch->keys = batch->keys ? batch->keys : KEYS;
	batch->values = batch->values ? batch->values : MANY;
	batch->count_address = batch->count_address ? batch->count_address : COUNT;
	batch->key_room = keys;
	batch->keys_room = keys_room ? keys_room : sizeof(keys);
	batch->value_room = value;
	result = rt_batch_permits(batch);
	if (!result)
		result = rt_batch_check(batch);
	return result || !batch->count ? result : rt_batch_run(batch, &io);
}

#define BATCH(map_, cmd_, ...) \
	batch_of(&(struct rt_batch){ .map = (map_), .cmd = (cmd_), __VA_ARGS__ })

static void batch_is(long got, long want, u32 cmd, const char *what)
{
	tap_ok(got == want, "batch %u: %s: %ld, not %ld", cmd, what, got, want);
}

static void test_batch_checks(void)
{
	struct rt_map *hash = map_of(BPF_MAP_TYPE_HASH, 4, 8),
		      *array = map_of(BPF_MAP_TYPE_ARRAY, 4, 8),
		      *queue = map_of(BPF_MAP_TYPE_QUEUE, 0, 8);

	for (u32 cmd = BPF_MAP_LOOKUP_BATCH; cmd <= BPF_MAP_DELETE_BATCH; cmd++) {
		bool looks = cmd == BPF_MAP_LOOKUP_BATCH || cmd == BPF_MAP_LOOKUP_AND_DELETE_BATCH;
		bool on_arrays = cmd == BPF_MAP_LOOKUP_BATCH || cmd == BPF_MAP_UPDATE_BATCH;

		batch_is(BATCH(queue, cmd, .elem_flags = 1), -RT_ENOTSUPP, cmd, "queue");
		batch_is(BATCH(array, cmd, .elem_flags = 1), on_arrays ? -EINVAL : -RT_ENOTSUPP,
			 cmd, "array, flags");
		batch_is(BATCH(hash, cmd, .elem_flags = BPF_F_LOCK), -EINVAL, cmd, "lock");
		batch_is(BATCH(hash, cmd, .flags = 1), looks ? -EINVAL : 0, cmd, "flags");
		batch_is(BATCH(hash, cmd, .in_batch = BAD, .count_address = BAD), 0, cmd,
			 "of none");
		batch_is(BATCH(hash, cmd, .count = 1, .count_address = BAD), -EFAULT, cmd, "count");
		if (looks)
			batch_is(BATCH(hash, cmd, .count = 1, .access = RT_ELEM_MAY_WRITE), -EPERM,
				 cmd, "reads");
		if (cmd != BPF_MAP_LOOKUP_BATCH) {
			batch_is(BATCH(queue, cmd, .count = 1, .access = RT_ELEM_MAY_READ), -EPERM,
				 cmd, "writes");
			hash->state |= RT_MAP_FROZEN;
			batch_is(BATCH(hash, cmd, .count = 1), -EPERM, cmd, "frozen");
			hash->state &= ~RT_MAP_FROZEN;
		}
	}
	env_map_free(arena, hash);
	env_map_free(arena, array);
	env_map_free(arena, queue);
}

static void test_batch_changes(void)
{
	struct rt_map *hash = map_of(BPF_MAP_TYPE_HASH, 4, 4);
	u64 last_keys = BASE + SIZE - 2 * 4, last_values = BASE + SIZE - 3 * 8;

	for (u32 i = 0; i < 6; i++)
		put_u32(KEYS + 4 * i, i);
	tap_is(BATCH(hash, BPF_MAP_UPDATE_BATCH, .count = 6), -E2BIG, "update: full");
	tap_is(get_u32(COUNT), 4, "after four");
	tap_is(BATCH(hash, BPF_MAP_UPDATE_BATCH, .count = 4, .values = last_values), -EFAULT,
	       "update: values");
	tap_is(get_u32(COUNT), 3, "after three");
	put_u32(last_keys, 2);
	put_u32(last_keys + 4, 3);
	tap_is(BATCH(hash, BPF_MAP_DELETE_BATCH, .count = 3, .keys = last_keys, .values = BAD),
	       -EFAULT, "delete: keys");
	tap_is(get_u32(COUNT), 2, "after two");
	tap_is(BATCH(hash, BPF_MAP_DELETE_BATCH, .count = 4), -ENOENT, "delete: is not there");
	tap_is(get_u32(COUNT), 2, "after two more");
	env_map_free(arena, hash);
}

static void test_batch_array(void)
{
	struct rt_map *array = map_of(BPF_MAP_TYPE_ARRAY, 4, 5);

	fill(array, 0, 5);
	tap_is(BATCH(array, BPF_MAP_LOOKUP_BATCH, .count = 3), 0, "array: three");
	tap_ok(get_u32(COUNT) == 3 && get_u32(OUT) == 2 && get_u32(MANY + 16) == 1002,
	       "count, last key, values");
	tap_ok(written[0] == OUT && written[1] == COUNT, "the count is written first");
	tap_is(BATCH(array, BPF_MAP_LOOKUP_BATCH, .count = 3, .in_batch = OUT), -ENOENT,
	       "array: the rest");
	tap_ok(get_u32(COUNT) == 2 && get_u32(OUT) == 4 && get_u32(KEYS) == 3, "which are two");
	tap_is(BATCH(array, BPF_MAP_LOOKUP_BATCH, .count = 3, .in_batch = OUT), -ENOENT,
	       "array: behind the end");
	tap_is(get_u32(COUNT), 0, "is nothing");
	tap_is(BATCH(array, BPF_MAP_LOOKUP_BATCH, .count = 3, .in_batch = BAD), -EFAULT,
	       "array: the key to go on behind");
	tap_is(BATCH(array, BPF_MAP_LOOKUP_BATCH, .count = 3, .out_batch = BAD), -EFAULT,
	       "array: where the last key goes");
	tap_is(get_u32(COUNT), 3, "after the count");
	tap_is(BATCH(array, BPF_MAP_LOOKUP_BATCH, .count = 3, .values = BASE + SIZE - 8), -EFAULT,
	       "array: values");
	tap_is(get_u32(COUNT), 0, "then there is no count");
	env_map_free(arena, array);
}

/* A whole hash in batches of count, more where a bucket asks for more: how often each key came. */
static void walk(const struct rt_map *hash, u32 count, u32 change, u8 *seen, u32 nr)
{
	u64 from = 0;
	long result;

	memset(seen, 0, nr);
	do {
		if (change) {
			u64 value = 0;
			u32 key = change++;

			/* Replaced, and others come and go meanwhile. */
			rt_map_copy_in(hash, &(u32){ key % nr }, &value, BPF_ANY, vcpu);
			rt_map_copy_in(hash, &key, &value, BPF_ANY, vcpu);
			rt_map_delete_elem(hash, &(u32){ key - 1 }, vcpu);
		}
		result = BATCH(hash, BPF_MAP_LOOKUP_BATCH, .count = count, .in_batch = from);
		if (result == -ENOSPC)
			count++;
		for (u32 i = 0; i < get_u32(COUNT); i++)
			if (get_u32(KEYS + 4 * i) < nr)
				seen[get_u32(KEYS + 4 * i)]++;
		from = OUT;
	} while (result == 0 || result == -ENOSPC);
	tap_ok(result == -ENOENT, "hash: batches of %u come to an end: %ld", count, result);
}

static void test_batch_hash(void)
{
	struct rt_map *hash = map_of(BPF_MAP_TYPE_HASH, 4, 256);
	u8 seen[200], once[200];

	memset(once, 1, sizeof(once));
	fill(hash, 0, 200);
	for (u32 count = 1; count < 300; count = count * 3 + 1) {
		walk(hash, count, 0, seen, 200);
		tap_ok(!memcmp(seen, once, 200), "everything once");
		walk(hash, count, 1000, seen, 200);
		tap_ok(!memcmp(seen, once, 200), "everything once, while others come and go");
	}
	put_u32(IN, hash->nr_buckets);
	tap_is(BATCH(hash, BPF_MAP_LOOKUP_BATCH, .count = 3, .in_batch = IN), -ENOENT,
	       "hash: a bucket that is not there");
	tap_is(BATCH(hash, BPF_MAP_LOOKUP_BATCH, .count = 3, .in_batch = BAD), -EFAULT,
	       "hash: where to go on");
	tap_is(BATCH(hash, BPF_MAP_LOOKUP_BATCH, .count = 300, .out_batch = BAD), -EFAULT,
	       "hash: where the next bucket goes");
	tap_is(get_u32(COUNT), 0, "before the count");
	tap_is(BATCH(hash, BPF_MAP_LOOKUP_BATCH, .count = 300), -ENOENT, "hash: all of it");
	tap_ok(written[0] == COUNT && written[1] == OUT, "the next bucket is written first");
	env_map_free(arena, hash);
}

static void test_batch_take(void)
{
	struct rt_map *hash = map_of(BPF_MAP_TYPE_HASH, 4, 8);
	u32 first, key = 0;

	fill(hash, 1, 6);
	rt_map_get_next_key(hash, NULL, &first, vcpu);
	delete_next = first;
	tap_is(BATCH(hash, BPF_MAP_LOOKUP_AND_DELETE_BATCH, .count = 8), -ENOENT, "take out all");
	tap_is(get_u32(COUNT), 4, "but one that went meanwhile");
	tap_is(rt_map_get_next_key(hash, NULL, &key, vcpu), -ENOENT, "nothing is left");
	fill(hash, 0, 8);
	tap_is(BATCH(hash, BPF_MAP_LOOKUP_AND_DELETE_BATCH, .count = 8, .values = BAD), -EFAULT,
	       "take out: values");
	env_map_free(arena, hash);
}

/* A bucket that the client has room for and the caller has not: somebody else has to do it. */
static void test_batch_room(void)
{
	struct rt_map *hash = map_of(BPF_MAP_TYPE_HASH, 4, 256);
	long result;

	fill(hash, 0, 256);
	keys_room = 2 * 4;
	put_u32(OUT, 0);
	do {
		result = BATCH(hash, BPF_MAP_LOOKUP_BATCH, .count = 100, .in_batch = OUT);
	} while (result == 0);
	tap_is(result, RT_BATCH_NO_ROOM, "a bucket of three and room for two");
	keys_room = 0;
	tap_is(BATCH(hash, BPF_MAP_LOOKUP_BATCH, .count = 2, .in_batch = OUT), -ENOSPC,
	       "and a client that has room for two");
	tap_is(BATCH(hash, BPF_MAP_LOOKUP_BATCH, .count = 256, .in_batch = OUT), -ENOENT,
	       "with room for all the walk goes on there");
	env_map_free(arena, hash);
}

int main(void)
{
	arena = env_new(2);
	vcpu = env_vcpu();
	test_elem_rights();
	test_elem_errors();
	test_elem_types();
	test_batch_checks();
	test_batch_changes();
	test_batch_array();
	test_batch_hash();
	test_batch_take();
	test_batch_room();
	rt_vcpu_release(vcpu);
	arena_free(arena);
	return tap_done();
}
