/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The window never reaches beyond the page of the address that it is taken for: nothing is read
 * that could not be read anyhow, and no page is brought in for it.
 */
#include "gate/window.h"

#include <string.h>
#include <sys/uio.h>

#define PAGE 4096ull

void window_take(struct window *window, pid_t tid, u64 address)
{
	u64 page = address & ~(PAGE - 1), start, end;
	struct iovec local[2], remote[2];
	ssize_t got;

	start = address - page > WINDOW_BEFORE ? address - WINDOW_BEFORE : page;
	end = page + PAGE - address > WINDOW_BEHIND ? address + WINDOW_BEHIND : page + PAGE;
	local[0] = (struct iovec){ window->bytes, end - start };
	remote[0] = (struct iovec){ (void *)start, end - start };
	local[1] = (struct iovec){ &window->agent, sizeof(window->agent) };
	remote[1] = (struct iovec){ (void *)AGENT_FDS_ADDRESS, sizeof(window->agent) };
	got = process_vm_readv(tid, local, 2, remote, 2, 0);
	window->address = start;
	window->size = got >= (ssize_t)(end - start) ? (u32)(end - start) : 0;
	window->has_agent = got == (ssize_t)(end - start + sizeof(window->agent));
}

bool window_read(const struct window *window, void *dst, u64 address, u64 size)
{
	if (address < window->address || size > window->size ||
	    address - window->address > window->size - size)
		return false;
	memcpy(dst, window->bytes + (address - window->address), size);
	return true;
}

void window_written(struct window *window, u64 address, u64 size)
{
	if (address < window->address + window->size && window->address < address + size)
		window->size = 0;
}
