/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BPF_MAP_TYPE_LPM_TRIE (kernel/bpf/lpm_trie.c): the longest prefix that matches. Not a trie: a
 * hash table (rt/map/hash.h) of prefixes, with a bit for each prefix length that was ever stored,
 * and a count of those that are; a lookup asks the table for the key cut to each of these lengths,
 * the longest first. So it has the
 * hash table's properties: lookups without a lock, updates that survive their process's death.
 *
 * The table's keys are the prefix length and the bits of the prefix, the rest zero; the bits as the
 * client gave them stand behind the value, since walks show them.
 */
#include "rt/map/hash.h"

#define KEY_MAX	    (4 + 256)
#define ORDERED_MAX 4096u

struct lpm_key {
	u32 length;
	u8 data[KEY_MAX - 4];
};

static u32 data_size(const struct rt_map *map)
{
	return map->key_size - 4;
}

/* false: longer than the map's keys are. */
static bool key_read(const struct rt_map *map, const void *key, struct lpm_key *ret_key)
{
	__builtin_memcpy(ret_key, key, map->key_size);
	return ret_key->length <= data_size(map) * 8;
}

/* Clears the bits from length to what the key had before. */
static void key_cut(struct lpm_key *key, u32 before, u32 length)
{
	u32 at = length / 8, end = (before + 7) / 8;

	key->length = length;
	if (length % 8)
		key->data[at++] &= (u8)(0xff00 >> length % 8);
	for (; at < end; at++)
		key->data[at] = 0;
}

static u64 *length_word(const struct rt_map *map, u32 length)
{
	return &hash_lpm_lengths(map)[length / 64];
}

/* The longest length in use up to length; false: none. */
static bool longest_used(const struct rt_map *map, u32 length, u32 *ret_length)
{
	u64 word = HASH_LOAD(*length_word(map, length)) & (~0ULL >> (63 - length % 64));

	for (length &= ~63u; !word; word = HASH_LOAD(*length_word(map, length))) {
		if (!length)
			return false;
		length -= 64;
	}
	*ret_length = length + 63 - (u32)__builtin_clzll(word);
	return true;
}

/* The element of the longest prefix of key that is there, 0: none. With value, that is copied out.
 */
static u32 longest_match(const struct rt_map *map, const void *key, void *value,
			 struct rt_vcpu *vcpu)
{
	struct lpm_key prefix;
	u32 length, before = data_size(map) * 8, found = 0;

	if (!key_read(map, key, &prefix))
		return 0;
	length = prefix.length;
	while (longest_used(map, length, &length)) {
		/* All prefixes of that length are gone again. */
		if (!HASH_LOAD(hash_lpm_counts(map)[length])) {
			if (!length--)
				break;
			continue;
		}
		key_cut(&prefix, before, length);
		before = length;
		if (value)
			found = hash_copy_out(map, &prefix, value, vcpu) == 0;
		else
			found = hash_find(map, &prefix, vcpu);
		if (found || !length--)
			break;
	}
	return found;
}

static void *lpm_lookup(const struct rt_map *map, const void *key, struct rt_vcpu *vcpu)
{
	u32 found = longest_match(map, key, NULL, vcpu);

	return found ? hash_value(map, found, 0) : NULL;
}

static long lpm_copy_out(const struct rt_map *map, const void *key, void *value,
			 struct rt_vcpu *vcpu)
{
	return longest_match(map, key, value, vcpu) ? 0 : -ENOENT;
}

static long lpm_update(const struct rt_map *map, const void *key, const void *value, u64 flags,
		       struct rt_vcpu *vcpu)
{
	const u8 *bits = (const u8 *)key + 4;
	bool is_new = false;
	struct hash_store store = { .value = value, .behind = bits, .ret_new = &is_new };
	struct lpm_key prefix;
	u64 *word, bit;
	u32 *count;
	long error;

	if (flags > BPF_EXIST || !key_read(map, key, &prefix))
		return -EINVAL;
	key_cut(&prefix, data_size(map) * 8, prefix.length);
	word = length_word(map, prefix.length);
	bit = 1ULL << prefix.length % 64;
	if (flags != BPF_EXIST && !(HASH_LOAD(*word) & bit))
		__atomic_fetch_or(word, bit, __ATOMIC_RELEASE);
	/* Counted before it can be found, so that who dies here leaves too many, never too few. */
	count = &hash_lpm_counts(map)[prefix.length];
	__atomic_fetch_add(count, 1, __ATOMIC_ACQ_REL);
	error = hash_update(map, &prefix, &store, flags, vcpu);
	if (!is_new)
		__atomic_fetch_sub(count, 1, __ATOMIC_ACQ_REL);
	return error == -E2BIG ? -ENOSPC : error;
}

static long lpm_delete(const struct rt_map *map, const void *key, struct rt_vcpu *vcpu)
{
	struct lpm_key prefix;
	long error;

	if (!key_read(map, key, &prefix))
		return -EINVAL;
	key_cut(&prefix, data_size(map) * 8, prefix.length);
	error = hash_delete(map, &prefix, vcpu);
	if (!error)
		__atomic_fetch_sub(&hash_lpm_counts(map)[prefix.length], 1, __ATOMIC_ACQ_REL);
	return error;
}

/*
 * The kernel's order of walks: what lies below a prefix comes before it, and bit 0 before bit 1.
 * Below 0: a comes first.
 */
static int compare(const struct lpm_key *a, const struct lpm_key *b)
{
	u32 length = a->length < b->length ? a->length : b->length;

	for (u32 at = 0; at * 8 < length; at++) {
		u32 differ = a->data[at] ^ b->data[at];

		if (differ && at * 8 + (u32)__builtin_clz(differ) - 24 < length)
			return a->data[at] < b->data[at] ? -1 : 1;
	}
	return a->length == b->length ? 0 : a->length > b->length ? -1 : 1;
}

struct search {
	const struct rt_map *map;
	struct lpm_key after, best;
	bool any, from_start;
};

static u64 visit(void *arg, const void *key, void *value)
{
	struct search *search = arg;
	struct lpm_key candidate;

	rt_shared_load(&candidate, key, search->map->key_size);
	if (candidate.length > data_size(search->map) * 8)
		return 0;
	if (!search->from_start && compare(&candidate, &search->after) <= 0)
		return 0;
	if (!search->any || compare(&candidate, &search->best) < 0) {
		search->best = candidate;
		search->any = true;
	}
	return 0;
}

/* Where many prefixes ever were the hash table's order: a search for the next one would look at all
 * of them. */
static long next_prefix(const struct rt_map *map, struct search *search, struct rt_vcpu *vcpu)
{
	if (HASH_LOAD(hash_head(map)->taken) > ORDERED_MAX)
		return hash_next_key(map, search->from_start ? NULL : &search->after, &search->best,
				     vcpu);
	search->any = false;
	hash_for_each(map, visit, search, vcpu)
		;
	return search->any ? 0 : -ENOENT;
}

static long lpm_next_key(const struct rt_map *map, const void *key, void *next_key,
			 struct rt_vcpu *vcpu)
{
	struct search search = { .map = map, .from_start = true };

	if (key && key_read(map, key, &search.after)) {
		key_cut(&search.after, data_size(map) * 8, search.after.length);
		search.from_start = !hash_find(map, &search.after, vcpu);
	}
	/* A prefix may be replaced or deleted while it is looked at. */
	for (u32 i = 0; i < HASH_RETRIES; i++) {
		long error = next_prefix(map, &search, vcpu);
		u32 found;

		if (error)
			return error;
		found = hash_find(map, &search.best, vcpu);
		if (!found)
			continue;
		__builtin_memcpy(next_key, &search.best, 4);
		rt_shared_load((u8 *)next_key + 4, hash_behind(map, found), data_size(map));
		if (hash_find(map, &search.best, vcpu) == found)
			return 0;
	}
	return -EAGAIN;
}

const struct rt_map_ops rt_map_lpm_trie_ops = {
	.memory_size = hash_memory_size,
	.init = hash_init,
	.lookup = lpm_lookup,
	.update = lpm_update,
	.delete = lpm_delete,
	.copy_out = lpm_copy_out,
	.copy_in = lpm_update,
	.next_key = lpm_next_key,
	.in_process = true,
};
