/* SPDX-License-Identifier: BSD-2-Clause */
/* base/alloc.h: overflow is refused, and an injected failure hits exactly the allocation it was set
 * for. */
#include "base/alloc.h"

#include <string.h>
#include "harness/tap.h"

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
	return tap_done();
}
