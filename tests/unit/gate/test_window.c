/* SPDX-License-Identifier: BSD-2-Clause */
/* What is copied of a client for its call: this process is its own client. */
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
	tap_ok(window.pieces[0].size != 0, "writing behind it changes nothing");
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
	tap_is(window.pieces[0].size, 0, "memory that cannot be read");
	window_take(&window, getpid(), ~0ull - 7);
	tap_is(window.pieces[0].size, 0, "an address beyond all");
	window_take(&window, getpid(), 0);
	tap_is(window.pieces[0].size, 0, "address 0");
	munmap(middle, PAGE);
	window_take(&window, getpid(), (u64)middle + 8);
	tap_is(window.pieces[0].size, 0, "memory that is gone");
}

static struct agent_slot slot __attribute__((aligned(4096)));
static u8 key[16] = "the key", value[8];

static u64 lay(u32 cmd, const union bpf_attr *attr, u32 size)
{
	memset(&slot, 0, sizeof(slot));
	memcpy(slot.attr, attr, size);
	slot.pieces[0] = (struct agent_slot_piece){ (u64)key, sizeof(key), 0 };
	memcpy(slot.bytes[0], key, sizeof(key));
	slot.out = (u64)value;
	window_take_slot(&window, &slot, cmd, (u64)attr, size);
	return (u64)attr;
}

static void test_slot(void)
{
	union bpf_attr attr = { .map_fd = 3, .key = (u64)key, .value = (u64)value };
	u64 at = lay(BPF_MAP_LOOKUP_ELEM, &attr, 32);
	u32 word = 77;

	tap_ok(reads((u8 *)&attr, 32) && reads(key, sizeof(key)), "attributes and key are read");
	tap_ok(!reads((u8 *)&attr, 33) && !reads(key, 17), "no byte more");
	memset(slot.attr, 0xff, 32);
	memset(slot.bytes, 0xff, sizeof(slot.bytes));
	tap_ok(reads((u8 *)&attr, 32) && reads(key, sizeof(key)), "of the copy, not of the slot");
	tap_ok(window_answer(&window, (u64)value, "1234", 4) &&
		       window_answer(&window, (u64)value + 4, "5678", 4) &&
		       !memcmp(slot.written, "12345678", 8) && window.answer.written == 8,
	       "answers grow");
	tap_ok(!window_answer(&window, (u64)value, "1", 1) &&
		       !window_answer(&window, (u64)value + 9, "1", 1) &&
		       !window_answer(&window, (u64)key, "1", 1),
	       "in a row, and nowhere else");
	tap_ok(!window_answer(&window, (u64)value + 8, slot.written, sizeof(slot.written)),
	       "not beyond the slot");
	tap_ok(window_answer(&window, at + 4, &word, 4) && window.answer.attr_first == 4 &&
		       window.answer.attr_size == 4 && !memcmp(slot.attr + 4, &word, 4),
	       "attributes are answered in place");
	tap_ok(!window_read(&window, &word, at, 4), "and are not read again");
	tap_ok(!window_confirm(&window, getpid()), "nor can they be confirmed then");
	tap_ok(!value[0] && !attr.next_id, "the client's memory is as it was");
}

static void test_foreign_slot(void)
{
	union bpf_attr attr = { .map_fd = 3, .key = (u64)key, .value = (u64)value };
	union bpf_attr other = attr;

	lay(BPF_MAP_LOOKUP_ELEM, &attr, 32);
	tap_ok(window_confirm(&window, getpid()), "the slot is a copy of the client's memory");
	lay(BPF_MAP_LOOKUP_ELEM, &attr, 32);
	key[15]++;
	tap_ok(window_confirm(&window, getpid()), "what lies behind a key may change");
	lay(BPF_OBJ_GET_INFO_BY_FD, &attr, 32);
	key[0]++;
	tap_ok(!window_confirm(&window, getpid()), "what holds addresses may not");
	other.value = 0x1000;
	lay(BPF_MAP_LOOKUP_ELEM, &attr, 32);
	memcpy(slot.attr, &other, 32);
	window_take_slot(&window, &slot, BPF_MAP_LOOKUP_ELEM, (u64)&attr, 32);
	tap_ok(!window_confirm(&window, getpid()), "attributes that another process wrote");
	slot.pieces[0].size = ~0u;
	slot.pieces[1] = (struct agent_slot_piece){ ~0ull - 3, 8, 0 };
	window_take_slot(&window, &slot, BPF_MAP_UPDATE_ELEM, (u64)&attr, AGENT_SLOT_ATTR);
	tap_ok(!window.pieces[1].size && !window.pieces[2].size, "sizes and addresses beyond all");
}

static void test_answer(void)
{
	const struct agent_answer all = { -4095, 0x3fff, 0xff, 0xff }, none = { 0 };
	struct agent_answer got;

	tap_ok(agent_answer_unpack(agent_answer_pack(&all), &got) &&
		       !memcmp(&got, &all, sizeof(got)),
	       "the largest answer");
	tap_ok(agent_answer_unpack(agent_answer_pack(&none), &got) &&
		       !memcmp(&got, &none, sizeof(got)),
	       "the smallest");
	tap_ok(!agent_answer_unpack((u64)-22, &got) && !agent_answer_unpack((u64)-4, &got) &&
		       !agent_answer_unpack(0, &got) && !agent_answer_unpack(0x7fffffff, &got),
	       "what the kernel says is none");
}

int main(void)
{
	u8 *pages = three_pages();

	test_slot();
	test_foreign_slot();
	test_answer();

	test_middle(pages + PAGE + PAGE / 2);
	test_edges(pages);
	return tap_done();
}
