/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The window never reaches beyond the page of the address that it is taken for: nothing is read
 * that could not be read anyhow, and no page is brought in for it. A slot is read once: what it
 * says of sizes is checked on the copy.
 */
#include "gate/window.h"

#include <string.h>
#include <sys/uio.h>

#define PAGE 4096ull

_Static_assert(AGENT_SLOT_ATTR + AGENT_SLOT_PIECES * AGENT_SLOT_PIECE_ROOM <=
		       WINDOW_BEFORE + WINDOW_BEHIND,
	       "a slot's pieces fit");

void window_forget(struct window *window)
{
	for (u32 i = 0; i < WINDOW_PIECES; i++)
		window->pieces[i].size = 0;
	window->has_agent = window->confirmed = window->changed = false;
	window->slot = NULL;
}

void window_take(struct window *window, pid_t tid, u64 address)
{
	u64 page = address & ~(PAGE - 1), start, end;
	struct iovec local[2], remote[2];
	ssize_t got;

	window_forget(window);
	start = address - page > WINDOW_BEFORE ? address - WINDOW_BEFORE : page;
	end = page + PAGE - address > WINDOW_BEHIND ? address + WINDOW_BEHIND : page + PAGE;
	local[0] = (struct iovec){ window->bytes, end - start };
	remote[0] = (struct iovec){ (void *)start, end - start };
	local[1] = (struct iovec){ &window->agent, sizeof(window->agent) };
	remote[1] = (struct iovec){ (void *)AGENT_FDS_ADDRESS, sizeof(window->agent) };
	got = process_vm_readv(tid, local, 2, remote, 2, 0);
	window->pieces[0] =
		(struct window_piece){ start,
				       got >= (ssize_t)(end - start) ? (u32)(end - start) : 0, 0 };
	window->has_agent = got == (ssize_t)(end - start + sizeof(window->agent));
}

/*
 * Keys and values hold no addresses, and what is copied behind them may be another thread's and
 * change at any time.
 */
void window_take_slot(struct window *window, struct agent_slot *slot, u32 cmd, u64 attr, u32 size)
{
	u32 start = size;

	window_forget(window);
	window->slot = slot;
	window->attr = attr;
	window->attr_size = size;
	window->addresses = cmd == BPF_OBJ_GET_INFO_BY_FD ? 2 : 1;
	window->answer = (struct agent_answer){ 0 };
	window->out = READ_ONCE(slot->out);
	window->pieces[0] = (struct window_piece){ attr, size, 0 };
	memcpy(window->bytes, slot->attr, size);
	for (u32 i = 0; i < AGENT_SLOT_PIECES; i++) {
		struct window_piece *piece = &window->pieces[1 + i];

		*piece = (struct window_piece){ READ_ONCE(slot->pieces[i].address),
						READ_ONCE(slot->pieces[i].size), start };
		if (piece->size > AGENT_SLOT_PIECE_ROOM || piece->address > -(u64)piece->size)
			piece->size = 0;
		memcpy(window->bytes + start, slot->bytes[i], piece->size);
		start += piece->size;
	}
}

/* Is [address, address + size) within [start, start + length)? */
static bool within(u64 address, u64 size, u64 start, u64 length)
{
	return address >= start && size <= length && address - start <= length - size;
}

bool window_read(const struct window *window, void *dst, u64 address, u64 size)
{
	for (u32 i = 0; i < WINDOW_PIECES; i++) {
		const struct window_piece *piece = &window->pieces[i];

		if (piece->size && within(address, size, piece->address, piece->size)) {
			memcpy(dst, window->bytes + piece->start + (address - piece->address),
			       size);
			return true;
		}
	}
	return false;
}

/* One stretch of attributes, which grows at its end. */
static bool answer_in_attr(struct window *window, u32 first, const void *src, u32 size)
{
	struct agent_answer *answer = &window->answer;

	if (answer->attr_size && first != answer->attr_first + answer->attr_size)
		return false;
	if (first > 0xff || answer->attr_size + size > 0xff)
		return false;
	if (!answer->attr_size)
		answer->attr_first = first;
	memcpy(window->slot->attr + first, src, size);
	answer->attr_size += size;
	return true;
}

static bool answer_in_out(struct window *window, u64 address, const void *src, u64 size)
{
	struct agent_answer *answer = &window->answer;

	if (!window->out || address != window->out + answer->written ||
	    size > sizeof(window->slot->written) - answer->written)
		return false;
	memcpy(window->slot->written + answer->written, src, size);
	answer->written += (u32)size;
	return true;
}

bool window_answer(struct window *window, u64 address, const void *src, u64 size)
{
	bool done;

	if (!window->slot)
		return false;
	if (within(address, size, window->attr, window->attr_size))
		done = answer_in_attr(window, (u32)(address - window->attr), src, (u32)size);
	else
		done = answer_in_out(window, address, src, size);
	if (done)
		window_written(window, address, size);
	return done;
}

bool window_confirm(struct window *window, pid_t tid)
{
	u8 found[sizeof(window->bytes)];
	struct iovec local = { found, 0 }, remote[WINDOW_PIECES];
	u32 nr = 0; /* their bytes lie in a row */

	if (!window->slot || window->confirmed)
		return true;
	if (window->changed)
		return false;
	for (u32 i = 0; i < window->addresses; i++) {
		const struct window_piece *piece = &window->pieces[i];

		if (!piece->size)
			continue;
		remote[nr++] = (struct iovec){ (void *)piece->address, piece->size };
		local.iov_len += piece->size;
	}
	window->confirmed =
		process_vm_readv(tid, &local, 1, remote, nr, 0) == (ssize_t)local.iov_len &&
		!memcmp(found, window->bytes, local.iov_len);
	return window->confirmed;
}

void window_written(struct window *window, u64 address, u64 size)
{
	for (u32 i = 0; i < WINDOW_PIECES; i++) {
		struct window_piece *piece = &window->pieces[i];

		if (piece->size && address < piece->address + piece->size &&
		    piece->address < address + size) {
			piece->size = 0;
			window->changed = true;
		}
	}
}
