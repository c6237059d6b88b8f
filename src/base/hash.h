/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hash table from keys (numbers, pointers, or byte strings) to pointers. Members embed nothing;
 * the table owns its copies of byte keys and never the values. Keyed by a seed, so that a client
 * who chooses keys cannot choose collisions.
 *
 * One table uses one kind of key: numbers (hash_*_u64; pointers are numbers) or bytes
 * (hash_*_bytes).
 */
#ifndef SKEP_BASE_HASH_H
#define SKEP_BASE_HASH_H

#include "base/types.h"

struct hash;

/* seed: any number; random where keys come from clients. NULL for want of memory. */
struct hash *hash_new(u64 seed);

/* Takes NULL, returns NULL. The values are the caller's to free before (hash_for_each). */
struct hash *hash_free(struct hash *hash);

size_t hash_count(const struct hash *hash);

/* Adds a key. -EEXIST: it is there (and keeps its value); -EINVAL: value is NULL; -ENOMEM. */
int hash_add_u64(struct hash *hash, u64 key, void *value);
int hash_add_bytes(struct hash *hash, const void *key, size_t size, void *value);

/* The value of a key, or NULL. */
void *hash_find_u64(const struct hash *hash, u64 key);
void *hash_find_bytes(const struct hash *hash, const void *key, size_t size);

/* Removes a key and returns its value, or NULL. Never fails for want of memory. */
void *hash_remove_u64(struct hash *hash, u64 key);
void *hash_remove_bytes(struct hash *hash, const void *key, size_t size);

/*
 * Walks all values: *cursor starts at 0; NULL at the end. The current one may be removed while
 * walking; nothing may be added.
 */
void *hash_next(const struct hash *hash, size_t *cursor);

#define hash_for_each(value, cursor, hash) \
	for ((cursor) = 0; ((value) = hash_next(hash, &(cursor))) != NULL;)

/* The hash function: of 8 bytes, and of any. Not cryptographic. */
u64 hash_u64(u64 key, u64 seed);
u64 hash_bytes(const void *key, size_t size, u64 seed);

#endif
