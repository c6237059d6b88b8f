/* SPDX-License-Identifier: BSD-2-Clause */
/* base/alloc.h: overflow is refused, and an injected failure hits exactly the allocation it was set
 * for. */
#include "base/alloc.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

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

static bool is_filled(const char *memory, size_t size, char with)
{
	for (size_t i = 0; i < size; i++)
		if (memory[i] != with)
			return false;
	return true;
}

/* In a child process all of size bytes are zero. */
static bool child_finds_zeros(const char *memory, size_t size)
{
	pid_t child = fork();
	int status;

	if (!child)
		_exit(!is_filled(memory, size, 0));
	return waitpid(child, &status, 0) == child && status == 0;
}

static void test_pages(void)
{
	struct base_account account = { .limit = 80 * BASE_PAGES };
	char *pages[70], *large;
	u32 same = 0;

	base_account_set(&account);
	for (u32 i = 0; i < 70; i++) {
		pages[i] = base_alloc_pages(BASE_PAGES);
		if (!pages[i])
			tap_ok(false, "run %u of pages is there", i);
		memset(pages[i], 'a' + (int)i % 26, BASE_PAGES);
	}
	for (u32 i = 0; i < 70; i++)
		same += is_filled(pages[i], BASE_PAGES, (char)('a' + (int)i % 26));
	tap_ok(same == 70, "runs of pages, more than are kept, do not overlap");
	tap_ok(account.now == 70 * (ptrdiff_t)BASE_PAGES && !base_alloc_pages(11 * BASE_PAGES),
	       "they count in the account");
	tap_ok(child_finds_zeros(pages[0], BASE_PAGES), "a child process finds them empty");
	for (u32 i = 3; i < 6; i++)
		base_free_pages(pages[i], BASE_PAGES);
	large = base_alloc_pages(4 * BASE_PAGES);
	tap_ok(large && (large >= pages[6] || large + 4 * BASE_PAGES <= pages[3]),
	       "four do not fit where three were");
	memset(large, 'z', 4 * BASE_PAGES);
	pages[3] = base_alloc_pages(3 * BASE_PAGES);
	tap_ok(pages[3] && is_filled(pages[3], BASE_PAGES, 'd'),
	       "three do: they are those that were given back");
	tap_ok(is_filled(large, 4 * BASE_PAGES, 'z') && is_filled(pages[6], BASE_PAGES, 'g'),
	       "and no others'");
	base_alloc_fail_after(0);
	tap_ok(!base_alloc_pages(BASE_PAGES), "getting them can be made to fail");
	base_alloc_fail_after(-1);
	base_free_pages(large, 4 * BASE_PAGES);
	base_free_pages(pages[3], 3 * BASE_PAGES);
	for (u32 i = 0; i < 70; i++)
		if (i < 3 || i > 5)
			base_free_pages(pages[i], BASE_PAGES);
	tap_ok(account.now == 0, "what is given back does not count");
	base_account_set(NULL);
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
	test_pages();
	return tap_done();
}
