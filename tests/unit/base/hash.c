/* SPDX-License-Identifier: BSD-2-Clause */
/* base/hash.h against a plain array, with many removals, and with every allocation failing once. */
#include "base/hash.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "base/alloc.h"
#include "harness/tap.h"

#define KEYS 512

static bool same(struct hash *hash, void *const *plain)
{
	size_t cursor, count = 0, walked = 0;
	void *value;

	for (u64 key = 0; key < KEYS; key++) {
		if (hash_find_u64(hash, key << 32) != plain[key])
			return false;
		count += plain[key] != NULL;
	}
	hash_for_each(value, cursor, hash) {
		/* Each value points at its own slot of plain: walking meets each once. */
		if (*(void **)value != value)
			return false;
		walked++;
	}
	return walked == count && hash_count(hash) == count;
}

static void numbers(void)
{
	struct hash *hash = hash_new(7);
	void *plain[KEYS] = { 0 };
	unsigned random = 99;
	bool good = hash != NULL;

	for (int step = 0; good && step < 20000; step++) {
		u64 key;

		random = random * 1103515245 + 12345;
		key = (random >> 8) % KEYS;
		if (random >> 30) {
			good = hash_add_u64(hash, key << 32, &plain[key]) ==
			       (plain[key] ? -EEXIST : 0);
			plain[key] = &plain[key];
		} else {
			good = hash_remove_u64(hash, key << 32) == plain[key];
			plain[key] = NULL;
		}
		if (step % 100 == 0)
			good = good && same(hash, plain);
	}
	tap_ok(good, "20000 steps agree with an array");
	tap_is(hash_add_u64(hash, 1, NULL), -EINVAL, "NULL is no value");
	hash_free(hash);
}

static void bytes(void)
{
	struct hash *hash = hash_new(0);
	static int numbers[1000];
	size_t cursor, walked = 0;
	bool good = true;
	void *value;
	char key[32];

	for (int i = 0; i < 1000; i++) {
		snprintf(key, sizeof(key), "key-%d", i);
		good = good && hash_add_bytes(hash, key, strlen(key), &numbers[i]) == 0;
	}
	tap_ok(good && hash_count(hash) == 1000, "1000 byte keys");
	tap_is(hash_add_bytes(hash, "key-5", 5, key), -EEXIST, "a key twice is refused");
	tap_ok(hash_find_bytes(hash, "key-999", 7) == &numbers[999] &&
		       !hash_find_bytes(hash, "key-99", 7) && hash_find_bytes(hash, "key-99", 6),
	       "keys are told apart by length too");
	hash_for_each(value, cursor, hash) {
		snprintf(key, sizeof(key), "key-%d", (int)((int *)value - numbers));
		good = good && hash_remove_bytes(hash, key, strlen(key)) == value;
		walked++;
	}
	tap_ok(good && walked == 1000 && !hash_count(hash), "removed while walking");
	tap_is(hash_add_bytes(hash, "", 0, key), 0, "an empty key is a key");
	tap_ok(hash_remove_bytes(hash, "", 0) == key, "and can be removed");
	hash_free(hash);
}

/* Builds a table while the n-th allocation fails: what was added is there, what failed is not. */
static bool survives(long n)
{
	struct hash *hash;
	bool good = true, fired;
	int added = 0;

	base_alloc_fail_after(n);
	hash = hash_new(3);
	for (int i = 0; hash && i < 200; i++) {
		int err = hash_add_bytes(hash, &i, sizeof(i), &added);

		good = good && (err == 0 || err == -ENOMEM);
		good = good && (hash_find_bytes(hash, &i, sizeof(i)) != NULL) == (err == 0);
		added += err == 0;
	}
	fired = base_alloc_fail_after(-1);
	good = good && (!hash || hash_count(hash) == (size_t)added) &&
	       (!hash || added + fired == 200);
	hash_free(hash);
	return good && fired;
}

int main(void)
{
	bool good = true;

	numbers();
	bytes();
	for (long n = 0; n < 200; n++)
		good = good && survives(n);
	tap_ok(good, "each of 200 allocations fails once, and nothing is lost");
	return tap_done();
}
