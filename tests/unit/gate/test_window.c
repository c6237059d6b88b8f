/* SPDX-License-Identifier: BSD-2-Clause */
/* The piece of memory around a call's attributes: this process is its own client. */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "gate/window.h"
#include "harness/tap.h"

#define PAGE 4096

static struct window window;

static u8 *three_pages(void)
{
	u8 *pages =
		mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (int i = 0; i < 3 * PAGE; i++)
		pages[i] = (u8)(i * 7);
	return pages;
}

static bool reads(const u8 *address, u64 size)
{
	u8 got[2 * PAGE];

	return window_read(&window, got, (u64)address, size) && !memcmp(got, address, size);
}

static void test_middle(u8 *at)
{
	window_take(&window, getpid(), (u64)at);
	tap_ok(reads(at, 64), "the address itself");
	tap_ok(reads(at - WINDOW_BEFORE, WINDOW_BEFORE + WINDOW_BEHIND), "all around it");
	tap_ok(!reads(at - WINDOW_BEFORE - 1, 2), "not what lies before");
	tap_ok(!reads(at + WINDOW_BEHIND - 1, 2), "not what lies behind");
	tap_ok(!reads(at, PAGE), "not more than there is");
	tap_ok(!window_read(&window, at, ~0ull - 3, 8) && !window_read(&window, at, (u64)at, ~0ull),
	       "nothing beyond all addresses");
	tap_ok(!window.has_agent, "there is no agent here");
	at[3]++;
	tap_ok(!reads(at, 8), "it is what was there when it was taken");
	window_written(&window, (u64)at + WINDOW_BEHIND, 8);
	tap_ok(window.size != 0, "writing behind it changes nothing");
	window_written(&window, (u64)at - WINDOW_BEFORE - 8, 9);
	tap_ok(!reads(at + 8, 8), "writing into it ends it");
}

static void test_edges(u8 *pages)
{
	u8 *middle = pages + PAGE;

	munmap(pages, PAGE);
	mprotect(pages + 2 * PAGE, PAGE, PROT_NONE);
	window_take(&window, getpid(), (u64)middle);
	tap_ok(reads(middle, WINDOW_BEHIND), "no memory before");
	window_take(&window, getpid(), (u64)middle + PAGE - 8);
	tap_ok(reads(middle + PAGE - 8 - WINDOW_BEFORE, WINDOW_BEFORE + 8), "no memory behind");
	tap_ok(!reads(middle + PAGE - 8, 9), "nor is it read");
	window_take(&window, getpid(), (u64)middle + PAGE);
	tap_is(window.size, 0, "memory that cannot be read");
	window_take(&window, getpid(), ~0ull - 7);
	tap_is(window.size, 0, "an address beyond all");
	window_take(&window, getpid(), 0);
	tap_is(window.size, 0, "address 0");
	munmap(middle, PAGE);
	window_take(&window, getpid(), (u64)middle + 8);
	tap_is(window.size, 0, "memory that is gone");
}

int main(void)
{
	u8 *pages = three_pages();

	test_middle(pages + PAGE + PAGE / 2);
	test_edges(pages);
	return tap_done();
}
