/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See hash.h. Open addressing with linear probing in a table of a power of two that is at most
 * three-quarters used, removed slots included. A removed slot keeps its place (value REMOVED), so
 * that a walk may remove the entry it stands on; adding rebuilds the table when used slots run out.
 */
#include "base/hash.h"

#include <errno.h>
#include <string.h>
#include "base/alloc.h"

#define HASH_SLOTS_MIN 16

struct slot {
	u64 hash;    /* of the key; for number keys, of key */
	u64 key;     /* the number, or the size of bytes */
	void *bytes; /* owned; NULL for number keys */
	void *value; /* NULL: never used; REMOVED: was used */
};

struct hash {
	u64 seed;
	size_t mask; /* slots - 1 */
	size_t used; /* slots that are not NULL */
	size_t count;
	struct slot *slots;
};

static char removed_mark;
#define REMOVED ((void *)&removed_mark)

u64 hash_u64(u64 key, u64 seed)
{
	u64 x = key ^ seed;

	/* Two rounds of multiply and fold: every input bit reaches every output bit. */
	x = (x ^ (x >> 32)) * 0x9e3779b97f4a7c15ULL;
	x = (x ^ (x >> 29)) * 0xbf58476d1ce4e5b9ULL;
	return x ^ (x >> 32);
}

u64 hash_bytes(const void *key, size_t size, u64 seed)
{
	const u8 *p = key;
	u64 h = hash_u64(size, seed), word;

	for (; size >= 8; size -= 8, p += 8) {
		memcpy(&word, p, 8);
		h = hash_u64(word, h);
	}
	if (size) {
		word = 0;
		memcpy(&word, p, size);
		h = hash_u64(word, h);
	}
	return h;
}

struct hash *hash_new(u64 seed)
{
	struct hash *hash = base_zalloc(1, sizeof(*hash));

	if (!hash)
		return NULL;
	hash->seed = seed;
	hash->mask = HASH_SLOTS_MIN - 1;
	hash->slots = base_zalloc(HASH_SLOTS_MIN, sizeof(struct slot));
	return hash->slots ? hash : base_free(hash);
}

struct hash *hash_free(struct hash *hash)
{
	if (!hash)
		return NULL;
	for (size_t i = 0; i <= hash->mask; i++)
		base_free(hash->slots[i].bytes);
	base_free(hash->slots);
	return base_free(hash);
}

size_t hash_count(const struct hash *hash)
{
	return hash->count;
}

static struct slot *find(const struct hash *hash, u64 h, u64 key, const void *bytes)
{
	for (size_t i = h & hash->mask;; i = (i + 1) & hash->mask) {
		struct slot *slot = &hash->slots[i];

		if (!slot->value)
			return NULL;
		if (slot->value == REMOVED || slot->hash != h || slot->key != key)
			continue;
		if (!bytes || memcmp(slot->bytes, bytes, key) == 0)
			return slot;
	}
}

/* Makes room for one more: a fresh table without removed slots, larger if it is really full. */
static int grow(struct hash *hash)
{
	size_t slots = hash->mask + 1, mask;
	struct slot *fresh;

	if ((hash->used + 1) * 4 <= slots * 3)
		return 0;
	if (hash->count * 2 >= slots)
		slots *= 2;
	fresh = base_zalloc(slots, sizeof(*fresh));
	if (!fresh)
		return -ENOMEM;
	mask = slots - 1;
	for (size_t old = 0; old <= hash->mask; old++) {
		struct slot *slot = &hash->slots[old];
		size_t i = slot->hash & mask;

		if (!slot->value || slot->value == REMOVED)
			continue;
		while (fresh[i].value)
			i = (i + 1) & mask;
		fresh[i] = *slot;
	}
	base_free(hash->slots);
	hash->slots = fresh;
	hash->mask = mask;
	hash->used = hash->count;
	return 0;
}

/* bytes: already the table's own copy, or NULL. */
static int add(struct hash *hash, u64 h, u64 key, void *bytes, void *value)
{
	size_t i;
	int err = grow(hash);

	if (err)
		return err;
	i = h & hash->mask;
	while (hash->slots[i].value)
		i = (i + 1) & hash->mask;
	hash->slots[i] = (struct slot){ .hash = h, .key = key, .bytes = bytes, .value = value };
	hash->used++;
	hash->count++;
	return 0;
}

int hash_add_u64(struct hash *hash, u64 key, void *value)
{
	u64 h = hash_u64(key, hash->seed);

	if (!value)
		return -EINVAL;
	if (find(hash, h, key, NULL))
		return -EEXIST;
	return add(hash, h, key, NULL, value);
}

int hash_add_bytes(struct hash *hash, const void *key, size_t size, void *value)
{
	u64 h = hash_bytes(key, size, hash->seed);
	void *copy;
	int err;

	if (!value)
		return -EINVAL;
	if (find(hash, h, size, key))
		return -EEXIST;
	copy = base_memdup(key, size);
	if (!copy)
		return -ENOMEM;
	err = add(hash, h, size, copy, value);
	if (err)
		base_free(copy);
	return err;
}

void *hash_find_u64(const struct hash *hash, u64 key)
{
	struct slot *slot = find(hash, hash_u64(key, hash->seed), key, NULL);

	return slot ? slot->value : NULL;
}

void *hash_find_bytes(const struct hash *hash, const void *key, size_t size)
{
	struct slot *slot = find(hash, hash_bytes(key, size, hash->seed), size, key);

	return slot ? slot->value : NULL;
}

static void *take(struct hash *hash, struct slot *slot)
{
	void *value;

	if (!slot)
		return NULL;
	value = slot->value;
	slot->bytes = base_free(slot->bytes);
	slot->value = REMOVED;
	hash->count--;
	return value;
}

void *hash_remove_u64(struct hash *hash, u64 key)
{
	return take(hash, find(hash, hash_u64(key, hash->seed), key, NULL));
}

void *hash_remove_bytes(struct hash *hash, const void *key, size_t size)
{
	return take(hash, find(hash, hash_bytes(key, size, hash->seed), size, key));
}

void *hash_next(const struct hash *hash, size_t *cursor)
{
	while (*cursor <= hash->mask) {
		void *value = hash->slots[(*cursor)++].value;

		if (value && value != REMOVED)
			return value;
	}
	return NULL;
}
