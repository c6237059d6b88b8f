/* SPDX-License-Identifier: BSD-2-Clause */
/* base/bitset.h against a plain array of bool, for sizes around the word boundaries. */
#include "base/bitset.h"

#include <string.h>
#include "harness/tap.h"

#define SIZE_MOST 200

static bool agrees(size_t n, const u64 *set, const bool *plain)
{
	size_t count = 0, first_free = n, next = n;

	for (size_t i = n; i-- > 0;) {
		if (bitset_has(set, i) != plain[i])
			return false;
		count += plain[i];
		if (plain[i])
			next = i;
		else
			first_free = i;
		if (bitset_next(set, n, i) != next)
			return false;
	}
	return bitset_count(set, n) == count && bitset_next_free(set, n) == first_free;
}

static bool check_size(size_t n)
{
	u64 set[BITSET_WORDS(SIZE_MOST)] = { 0 };
	bool plain[SIZE_MOST] = { 0 };
	unsigned random = 12345;

	for (int step = 0; step < 300; step++) {
		size_t bit;

		random = random * 1103515245 + 12345;
		bit = (random >> 8) % n;
		plain[bit] = random >> 24 & 3; /* mostly full after a while */
		if (plain[bit])
			bitset_add(set, bit);
		else
			bitset_remove(set, bit);
		if (!agrees(n, set, plain))
			return false;
	}
	memset(set, 0xff, sizeof(set));
	memset(plain, 1, sizeof(plain));
	return agrees(n, set, plain);
}

int main(void)
{
	u64 a[2] = { 1, 4 }, b[2] = { 3, 4 };

	for (size_t n = 1; n <= SIZE_MOST; n += n < 60 ? 29 : 1)
		tap_ok(check_size(n), "%zu bits", n);
	tap_ok(bitset_join(a, b, 128) && a[0] == 3 && a[1] == 4, "join reports a change");
	tap_ok(!bitset_join(a, b, 128), "and none the second time");
	return tap_done();
}
