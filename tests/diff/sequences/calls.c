/* SPDX-License-Identifier: BSD-2-Clause */
/* See sequences.h: operations by bpf(2), one at a time or in batches. */
#include "../bpf/client.h"
#include "sequences.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define CLIENT_RING 0x310000000000ull /* where the client maps one */

static u8 keys[SIDES][KEY_MAX], values[SIDES][USER_MAX], outs[SIDES][USER_MAX];

static bool fixed_flags(u32 cmd)
{
	return cmd == BPF_MAP_DELETE_ELEM || cmd == BPF_MAP_GET_NEXT_KEY;
}

/* One call on both sides. What comes back stands in outs. */
static void both(struct pair *pair, u32 cmd, bool has_key, u64 flags, long results[SIDES])
{
	u32 size = config_user_size(&pair->config);
	union abi_attr attr;
	int side;

	for (side = 0; side < SIDES; side++) {
		memcpy(outs[side], values[side], cmd == BPF_MAP_GET_NEXT_KEY ? KEY_MAX : size);
		memset(&attr, 0, sizeof(attr));
		attr.elem.map_fd = (u32)pair->fds[side];
		attr.elem.key = has_key ? (u64)(uintptr_t)keys[side] : 0;
		attr.elem.value = cmd == BPF_MAP_DELETE_ELEM ? 0 : (u64)(uintptr_t)outs[side];
		attr.elem.flags = fixed_flags(cmd) ? 0 : flags;
		results[side] = stage_call(side, cmd, &attr);
	}
	pair->operations++;
	pair->succeeded += results[0] >= 0;
	remember(pair, "command %u, key %u%s, flags %#llx: %ld", cmd, keys[0][0],
		 has_key ? "" : " (none)", (unsigned long long)flags, results[0]);
}

/* Did a lookup find the same? */
static bool same_values(struct pair *pair)
{
	int side;

	for (side = 0; side < SIDES; side++)
		config_plain(&pair->config, side, outs[side]);
	return !memcmp(outs[0], outs[1], config_user_size(&pair->config));
}

static void judge(struct pair *pair, u32 cmd, u64 flags, const long results[SIDES], bool same)
{
	if (results[0] != results[1] || !same)
		differ(pair, "command %u, flags %#llx: kernel %ld, skep %ld%s", cmd,
		       (unsigned long long)flags, results[0], results[1],
		       same ? "" : ", other bytes");
}

/* bpf(2)'s lookup in a filter. */
static void judge_bloom(struct pair *pair, u32 cmd, u32 number, u64 flags, long results[SIDES])
{
	u64 bit = 1ull << number;
	int side;

	if (cmd == BPF_MAP_UPDATE_ELEM && !results[0])
		pair->pushed |= bit;
	if (cmd != BPF_MAP_LOOKUP_ELEM || (results[0] && results[0] != -ENOENT)) {
		judge(pair, cmd, flags, results, true);
		return;
	}
	for (side = 0; side < SIDES; side++)
		if (results[side] && (results[side] != -ENOENT || pair->pushed & bit))
			differ(pair, "lookup of value %u: %ld", number, results[side]);
}

static void element(struct pair *pair)
{
	static const u32 cmds[] = { BPF_MAP_UPDATE_ELEM, BPF_MAP_UPDATE_ELEM,
				    BPF_MAP_LOOKUP_ELEM, BPF_MAP_LOOKUP_ELEM,
				    BPF_MAP_DELETE_ELEM, BPF_MAP_LOOKUP_AND_DELETE_ELEM,
				    BPF_MAP_GET_NEXT_KEY };
	static const u64 flags_of[] = { 0, 0, 0, 0, 0, 1, 2, 3, 4, 4, 5, 8, 16, 1ull << 32 };
	const struct kind *kind = pair->config.kind;
	u32 cmd = cmds[draw(ARRAY_SIZE(cmds))], number = draw(50);
	u64 flags = flags_of[draw(ARRAY_SIZE(flags_of))];
	bool has_key = kind->flavour & KIND_KEYLESS ? one_in(30) : !one_in(30), same = true;
	long results[SIDES];

	/* Slow ones are most often only looked at. */
	if (kind->flavour & KIND_SLOW && cmd != BPF_MAP_GET_NEXT_KEY && !one_in(8))
		cmd = BPF_MAP_LOOKUP_ELEM;
	config_key(&pair->config, (u8 *const[]){ keys[0], keys[1] });
	config_value(&pair->config, number, (u8 *const[]){ values[0], values[1] });
	/* What comes behind a key of a hash is each side's own. */
	if (cmd == BPF_MAP_GET_NEXT_KEY) {
		memset(values, 0, sizeof(values));
		if (kind->flavour & KIND_UNORDERED)
			has_key = false;
	}
	both(pair, cmd, has_key, flags, results);
	if (kind->flavour & KIND_BLOOM) {
		judge_bloom(pair, cmd, number, flags, results);
		return;
	}
	if (!results[0] && !results[1]) {
		if (cmd == BPF_MAP_GET_NEXT_KEY)
			same = kind->flavour & KIND_UNORDERED || !memcmp(outs[0], outs[1], KEY_MAX);
		else if (cmd == BPF_MAP_LOOKUP_ELEM || cmd == BPF_MAP_LOOKUP_AND_DELETE_ELEM)
			same = same_values(pair);
	}
	judge(pair, cmd, flags, results, same);
}

/* What a batch gave, and how to sort it. */
struct got {
	u8 key[KEY_MAX];
	u8 value[USER_MAX];
};

static struct got got[SIDES][BATCH_MAX];
static u8 batch_keys[BATCH_MAX * KEY_MAX], batch_values[BATCH_MAX * USER_MAX];

static int by_key(const void *a, const void *b)
{
	return memcmp(a, b, KEY_MAX);
}

static long batch_call(struct pair *pair, int side, u32 cmd, u64 elem_flags, u64 flags, u32 *count)
{
	u64 token[32] = { 0 };
	union abi_attr attr;
	long result;

	memset(&attr, 0, sizeof(attr));
	attr.batch.map_fd = (u32)pair->fds[side];
	attr.batch.keys = (u64)(uintptr_t)batch_keys;
	attr.batch.values = cmd == BPF_MAP_DELETE_BATCH ? 0 : (u64)(uintptr_t)batch_values;
	attr.batch.count = *count;
	attr.batch.elem_flags = elem_flags;
	attr.batch.flags = flags;
	if (cmd == BPF_MAP_LOOKUP_BATCH || cmd == BPF_MAP_LOOKUP_AND_DELETE_BATCH)
		attr.batch.out_batch = (u64)(uintptr_t)token;
	result = stage_call(side, cmd, &attr);
	*count = attr.batch.count;
	return result;
}

/* All that there is: with room for more than that order does not matter. */
static void read_batch(struct pair *pair, u32 cmd, u64 flags, u64 odd)
{
	u32 key_size = pair->config.key_size, size = config_user_size(&pair->config), i;
	u32 counts[SIDES];
	long results[SIDES];
	int side;

	memset(got, 0, sizeof(got));
	for (side = 0; side < SIDES; side++) {
		counts[side] = BATCH_MAX;
		results[side] = batch_call(pair, side, cmd, flags, odd, &counts[side]);
		for (i = 0; i < counts[side] && i < BATCH_MAX &&
			    (!results[side] || results[side] == -ENOENT);
		     i++) {
			memcpy(got[side][i].key, batch_keys + i * key_size, key_size);
			memcpy(got[side][i].value, batch_values + i * size, size);
			config_plain(&pair->config, side, got[side][i].value);
		}
		if (pair->config.kind->flavour & KIND_UNORDERED)
			qsort(got[side], i, sizeof(got[side][0]), by_key);
	}
	pair->operations++;
	pair->succeeded += !results[0] || results[0] == -ENOENT;
	judge(pair, cmd, flags, results,
	      counts[0] == counts[1] && !memcmp(got[0], got[1], sizeof(got[0])));
}

static void write_batch(struct pair *pair, u32 cmd, u64 flags, u64 odd)
{
	u32 key_size = pair->config.key_size, size = config_user_size(&pair->config), i;
	u32 count = 1 + draw(8), counts[SIDES];
	u8 chosen[8][SIDES][KEY_MAX];
	u32 numbers[8];
	long results[SIDES];
	int side;

	for (i = 0; i < count; i++) {
		config_key(&pair->config, (u8 *const[]){ chosen[i][0], chosen[i][1] });
		numbers[i] = draw(50);
	}
	for (side = 0; side < SIDES; side++) {
		for (i = 0; i < count; i++) {
			memcpy(batch_keys + i * key_size, chosen[i][side], key_size);
			config_value(&pair->config, numbers[i],
				     (u8 *const[]){ values[0], values[1] });
			memcpy(batch_values + i * size, values[side], size);
		}
		counts[side] = count;
		results[side] = batch_call(pair, side, cmd, flags, odd, &counts[side]);
	}
	pair->operations++;
	pair->succeeded += !results[0];
	remember(pair, "batch %u of %u, key %u, flags %#llx: %ld", cmd, count, chosen[0][0][0],
		 (unsigned long long)flags, results[0]);
	judge(pair, cmd, flags, results, counts[0] == counts[1]);
}

static void batch(struct pair *pair)
{
	static const u64 flags_of[] = { 0, 0, 0, 0, 4, 4, 1, 2, 8 };
	u32 cmd = BPF_MAP_LOOKUP_BATCH + draw(4);
	u64 flags = flags_of[draw(ARRAY_SIZE(flags_of))], odd = one_in(20) ? 1ull << draw(40) : 0;

	if (pair->config.kind->flavour & KIND_SLOW && !one_in(8))
		cmd = BPF_MAP_LOOKUP_BATCH;
	if (cmd == BPF_MAP_LOOKUP_BATCH || cmd == BPF_MAP_LOOKUP_AND_DELETE_BATCH)
		read_batch(pair, cmd, flags, odd);
	else if (pair->config.kind->value == VALUE_BYTES)
		write_batch(pair, cmd, flags, odd);
}

void call_step(struct pair *pair)
{
	union abi_attr attr;
	long results[SIDES];
	int side;

	/* A ring buffer that is mapped cannot be frozen. */
	if (one_in(3000) && !pair->rings[0]) {
		for (side = 0; side < SIDES; side++) {
			memset(&attr, 0, sizeof(attr));
			attr.elem.map_fd = (u32)pair->fds[side];
			results[side] = stage_call(side, BPF_MAP_FREEZE, &attr);
		}
		pair->operations++;
		remember(pair, "freeze: %ld", results[0]);
		judge(pair, BPF_MAP_FREEZE, 0, results, true);
	} else if (one_in(12)) {
		batch(pair);
	} else {
		element(pair);
	}
}

/* Every key of a side, sorted; how many, or -errno. */
static long walk(struct pair *pair, int side)
{
	union abi_attr attr;
	long result = 0;
	u32 nr;

	memset(got[side], 0, sizeof(got[side]));
	for (nr = 0; nr < BATCH_MAX; nr++) {
		memset(&attr, 0, sizeof(attr));
		attr.elem.map_fd = (u32)pair->fds[side];
		attr.elem.key = nr ? (u64)(uintptr_t)got[side][nr - 1].key : 0;
		attr.elem.next_key = (u64)(uintptr_t)got[side][nr].key;
		result = stage_call(side, BPF_MAP_GET_NEXT_KEY, &attr);
		if (result)
			break;
	}
	if (result != -ENOENT)
		return result;
	for (u32 i = 0; i < nr; i++) {
		memset(&attr, 0, sizeof(attr));
		attr.elem.map_fd = (u32)pair->fds[side];
		attr.elem.key = (u64)(uintptr_t)got[side][i].key;
		attr.elem.value = (u64)(uintptr_t)got[side][i].value;
		result = stage_call(side, BPF_MAP_LOOKUP_ELEM, &attr);
		if (result && result != -ENOENT && pair->config.kind->value == VALUE_BYTES)
			return result;
		config_plain(&pair->config, side, got[side][i].value);
	}
	if (pair->config.kind->flavour & KIND_UNORDERED)
		qsort(got[side], nr, sizeof(got[side][0]), by_key);
	return nr;
}

void call_compare(struct pair *pair)
{
	long results[SIDES];
	int side;

	for (side = 0; side < SIDES; side++)
		results[side] = walk(pair, side);
	pair->operations++;
	if (results[0] != results[1] || memcmp(got[0], got[1], sizeof(got[0])))
		differ(pair, "contents: kernel %ld, skep %ld", results[0], results[1]);
}

static u64 ring_bytes(const struct pair *pair)
{
	return 2ul * RING_PAGE + 2ul * pair->config.max_entries;
}

/*
 * The mappings of a ring buffer: its consumer's page, its producer's, its bytes. Of one that
 * programs fill the first is the client's, of a user ring buffer all else.
 */
static void map_rings(struct pair *pair)
{
	bool user = pair->config.kind->type == BPF_MAP_TYPE_USER_RINGBUF;
	u64 rest = ring_bytes(pair) - RING_PAGE, address = 0;
	int protection[2] = { PROT_READ | (user ? 0 : PROT_WRITE),
			      PROT_READ | (user ? PROT_WRITE : 0) };
	u8 *at;

	if (pair->rings[0])
		return;
	at = mmap(NULL, ring_bytes(pair), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (at == MAP_FAILED ||
	    mmap(at, RING_PAGE, protection[0], MAP_SHARED | MAP_FIXED, pair->fds[0], 0) ==
		    MAP_FAILED ||
	    mmap(at + RING_PAGE, rest, protection[1], MAP_SHARED | MAP_FIXED, pair->fds[0],
		 RING_PAGE) == MAP_FAILED)
		tap_bail("the kernel's ring buffer cannot be mapped: %s", strerror(errno));
	pair->rings[0] = (volatile u64 *)(void *)at;
	if (stage.through_client) {
		if (client_world_map(window_client(), pair->fds[1], CLIENT_RING, RING_PAGE,
				     protection[0], 0) ||
		    client_world_map(window_client(), pair->fds[1], CLIENT_RING + RING_PAGE, rest,
				     protection[1], RING_PAGE))
			tap_bail("a client cannot map the ring buffer");
		pair->rings[1] = (volatile u64 *)(uintptr_t)MEMORY;
		return;
	}
	/* All of it lies in one piece. */
	if (sys_map_mmap(world_object(stage.worlds[1], pair->fds[1]), 2, (u32)protection[user],
			 MAP_SHARED, user ? RING_PAGE : 0, RING_PAGE, &address))
		tap_bail("skep's ring buffer cannot be mapped");
	pair->rings[1] = (volatile u64 *)(uintptr_t)(address - (user ? RING_PAGE : 0));
}

/* What is there now, of a ring that lies in a client. */
static void load_ring(struct pair *pair)
{
	if (stage.through_client)
		client_world_load(window_client(), CLIENT_RING, (u32)ring_bytes(pair));
}

/* The same word in both rings. */
static void store_in_rings(struct pair *pair, u64 offset, u64 value)
{
	pair->rings[0][offset / 8] = value;
	if (stage.through_client)
		client_world_store(window_client(), CLIENT_RING + offset, value);
	else
		pair->rings[1][offset / 8] = value;
}

/* Samples of all lengths, some discarded, now and then one that is not what it has to be. */
void call_produce(struct pair *pair)
{
	u64 mask = pair->config.max_entries - 1, base = 2ul * RING_PAGE;
	u32 nr = 1 + draw(8);

	map_rings(pair);
	load_ring(pair);
	if (pair->rings[0][0] != pair->rings[1][0])
		differ(pair, "consumers: kernel %llu, skep %llu",
		       (unsigned long long)pair->rings[0][0],
		       (unsigned long long)pair->rings[1][0]);
	while (nr--) {
		u32 length = draw(one_in(10) ? 2000 : 64), word = length;
		u64 size = ALIGN_UP((u64)length + 8, 8);

		if (pair->produced + size - pair->rings[0][0] > pair->config.max_entries)
			break;
		for (u64 i = 8; i < size; i += 8)
			store_in_rings(pair, base + ((pair->produced + i) & mask),
				       0x0101010101010101ull * draw(256));
		word |= one_in(6) ? BPF_RINGBUF_DISCARD_BIT : 0;
		word |= one_in(40) ? BPF_RINGBUF_BUSY_BIT : 0;
		store_in_rings(pair, base + (pair->produced & mask), word);
		pair->produced += size;
	}
	/* The next time an odd one is right again. */
	store_in_rings(pair, RING_PAGE, pair->produced + (one_in(30) ? 1 + draw(16) : 0));
	pair->operations++;
	remember(pair, "samples up to %llu", (unsigned long long)pair->produced);
}

void call_unmap(struct pair *pair)
{
	if (!pair->rings[0])
		return;
	munmap((void *)(uintptr_t)pair->rings[0], ring_bytes(pair));
	if (stage.through_client &&
	    client_world_map(window_client(), -1, CLIENT_RING, ring_bytes(pair), 0, 0))
		tap_bail("a client cannot unmap the ring buffer");
}

void call_consume(struct pair *pair)
{
	volatile u64 *const *rings = pair->rings;
	u64 mask = pair->config.max_entries - 1, at, end;
	u32 lengths[SIDES];
	const u8 *bytes[SIDES];

	map_rings(pair);
	load_ring(pair);
	at = rings[0][0];
	end = rings[0][RING_PAGE / 8];
	bytes[0] = (const u8 *)(uintptr_t)rings[0] + 2ul * RING_PAGE;
	bytes[1] = (const u8 *)(uintptr_t)rings[1] + 2ul * RING_PAGE;
	if (end != rings[1][RING_PAGE / 8])
		differ(pair, "producers: kernel %llu, skep %llu", (unsigned long long)end,
		       (unsigned long long)rings[1][RING_PAGE / 8]);
	while (at < end && !pair->differences) {
		memcpy(&lengths[0], bytes[0] + (at & mask), 4);
		memcpy(&lengths[1], bytes[1] + (at & mask), 4);
		if (lengths[0] != lengths[1] ||
		    memcmp(bytes[0] + (at & mask) + 8, bytes[1] + (at & mask) + 8,
			   lengths[0] & 0xffff))
			differ(pair, "the record at %llu: kernel %#x, skep %#x",
			       (unsigned long long)at, lengths[0], lengths[1]);
		at += ALIGN_UP((u64)(lengths[0] & 0x3fffffff) + 8, 8);
	}
	store_in_rings(pair, 0, end);
}
