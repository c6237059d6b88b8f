/* SPDX-License-Identifier: BSD-2-Clause */
/* base/pool.h: blocks do not overlap, come back by size, and end together. */
#include "base/pool.h"

#include <stdint.h>
#include <string.h>
#include "base/alloc.h"
#include "harness/tap.h"

#define NR_BLOCKS 600

static size_t size_of(u32 i)
{
	return (i * 37) % 9000 + 1;
}

static bool holds(const char *block, size_t size, char byte)
{
	for (size_t i = 0; i < size; i++)
		if (block[i] != byte)
			return false;
	return true;
}

static void test_blocks(struct pool *pool)
{
	static char *block[NR_BLOCKS];
	bool all = true, aligned = true, kept = true;

	for (u32 i = 0; i < NR_BLOCKS; i++) {
		block[i] = pool_alloc(pool, size_of(i));
		all &= block[i] != NULL;
		if (!block[i])
			continue;
		aligned &= !((uintptr_t)block[i] % POOL_STEP);
		memset(block[i], (char)i, size_of(i));
	}
	tap_ok(all && aligned, "blocks of many sizes, aligned");
	for (u32 i = 0; all && i < NR_BLOCKS; i += 2)
		pool_free(pool, block[i], size_of(i));
	for (u32 i = 0; all && i < NR_BLOCKS; i += 2) {
		block[i] = pool_zalloc(pool, size_of(i));
		all &= block[i] && holds(block[i], size_of(i), 0);
	}
	tap_ok(all, "those given back come again, zeroed where asked");
	for (u32 i = 1; all && i < NR_BLOCKS; i += 2)
		kept &= holds(block[i], size_of(i), (char)i);
	tap_ok(kept, "the others keep what they hold");
}

static void test_reuse(struct pool *pool)
{
	char *a = pool_alloc(pool, 100), *b;

	pool_free(pool, a, 100);
	b = pool_alloc(pool, 112);
	tap_ok(a && a == b, "the next block of a size is the one given back last");
	memset(b, 'x', 112);
	a = pool_resize(pool, b, 112, 5000);
	tap_ok(a && a != b && holds(a, 112, 'x'), "growing moves what is in a block");
	b = pool_resize(pool, a, 5000, 8000);
	tap_ok(b == a, "unless its room is enough");
	b = pool_resize(pool, NULL, 0, 10);
	tap_ok(b && !pool_free(pool, NULL, 3), "nothing grows to a block; nothing is given back");
}

static void test_account(void)
{
	struct base_account account = { .limit = 100000 };
	struct pool pool = { 0 };
	u32 nr = 0;

	base_account_set(&account);
	while (pool_alloc(&pool, 1000))
		nr++;
	tap_ok(nr > 50 && nr < 100 && account.over_limit && account.failed,
	       "chunks count in the account, up to its limit");
	pool_reset(&pool);
	for (u32 i = 0; i < nr; i++)
		if (!pool_alloc(&pool, 1000))
			tap_ok(false, "block %u is there again", i);
	tap_ok(!pool_alloc(&pool, 1000), "and are used again after a reset");
	account.failed = false;
	pool_reset(&pool);
	base_alloc_fail_after(1);
	tap_ok(pool_alloc(&pool, 16) && !pool_alloc(&pool, 16) && account.failed &&
		       pool_alloc(&pool, 16),
	       "an allocation can be made to fail");
	base_alloc_fail_after(-1);
	pool_done(&pool);
	tap_ok(account.now == 0, "all goes back at the end");
	base_account_set(NULL);
}

int main(void)
{
	struct pool pool = { 0 };

	test_blocks(&pool);
	test_reuse(&pool);
	pool_reset(&pool);
	test_blocks(&pool);
	pool_done(&pool);
	pool_done(&pool);
	test_account();
	return tap_done();
}
