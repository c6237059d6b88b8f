/* SPDX-License-Identifier: BSD-2-Clause */
/* base/alloc.h: overflow is refused, and an injected failure hits exactly the allocation it was set
 * for. */
#include "base/alloc.h"

#include <string.h>
#include "harness/tap.h"

static void test_account(void)
{
	struct base_account account = { .limit = 10000 };
	char *before = base_alloc(5000), *a, *b;

	tap_ok(!base_account_set(&account), "there was no account");
	a = base_alloc(6000);
	tap_ok(a && account.now >= 6000 && account.peak == (size_t)account.now,
	       "an allocation counts");
	b = base_alloc(6000);
	tap_ok(!b && account.over_limit, "one over the limit fails");
	tap_ok(!base_zalloc(100, 100), "a zeroed one, too");
	tap_ok(!base_realloc(a, 12000, 1), "so does growing over it");
	a = base_realloc(a, 9000, 1);
	tap_ok(a && account.now >= 9000 && account.now < 10000, "growing counts the difference");
	base_free(a);
	tap_ok(account.now == 0 && account.peak >= 9000,
	       "what is freed does not count; the peak stays");
	base_free(before);
	tap_ok(account.now < 0, "freeing memory from before gives room");
	b = base_alloc(12000);
	tap_ok(b, "which can be used");
	tap_ok(base_account_set(NULL) == &account, "the account is handed back");
	base_free(b);
	tap_ok(account.now > 0, "and does not count any more");
}

int main(void)
{
	char *a, *b, *c;
	volatile size_t huge = SIZE_MAX / 2 + 2;

	a = base_zalloc(4, 8);
	tap_ok(a && !memcmp(a, (char[32]){ 0 }, 32), "zeroed");
	tap_ok(!base_zalloc(huge, 2), "an overflowing product is refused");
	tap_ok(!base_realloc(a, huge, 2), "so is one on reallocation");
	memcpy(a, "kept", 5);
	b = base_memdup(a, 5);
	tap_ok(b && !strcmp(b, "kept"), "copied");
	base_free(a);

	tap_ok(!base_alloc_fail_after(1), "nothing was injected before");
	a = base_alloc(1);
	c = base_realloc(b, 100, 1);
	tap_ok(a && !c && !strcmp(b, "kept"),
	       "the second allocation fails and leaves its memory alone");
	c = base_alloc(0);
	tap_ok(c, "the third succeeds again, of size 0 too");
	tap_ok(base_alloc_fail_after(-1), "the injection reports that it fired");
	tap_ok(!base_alloc_fail_after(-1), "once");
	base_free(a);
	base_free(b);
	base_free(c);
	tap_ok(!base_free(NULL), "freeing NULL is allowed");
	test_account();
	return tap_done();
}
