/* SPDX-License-Identifier: BSD-2-Clause */
/* See digest.h. */
#include "hook/digest.h"

#include <string.h>
#include "hook/hook.h"

#define FORMAT_MAX 8192

/* Eight bytes at a time, and the rest with its length. */
static u64 hash_bytes(u64 hash, const void *bytes, u64 size)
{
	const u8 *at = bytes;

	for (u64 i = 0; i < size; i += sizeof(u64)) {
		u64 word = 0, left = size - i;

		memcpy(&word, at + i, left < sizeof(word) ? left : sizeof(word));
		hash = (hash ^ word) * 0x9e3779b97f4a7c15ull;
		hash ^= hash >> 29;
	}
	return (hash ^ size) * 0x9e3779b97f4a7c15ull;
}

u64 digest_catalogue(void)
{
	const struct hook_event *event;
	u64 hash = 0xcbf29ce484222325ull;
	char text[FORMAT_MAX];

	for (u32 i = 0; (event = hook_event_at(i)); i++) {
		long length = hook_event_format(event, text, sizeof(text));

		if (length < 0)
			return 0;
		hash = hash_bytes(hash, event->group, strlen(event->group) + 1);
		hash = hash_bytes(hash, event->name, strlen(event->name) + 1);
		hash = hash_bytes(hash, &event->id, sizeof(event->id));
		hash = hash_bytes(hash, text, (u64)length);
	}
	return hash;
}
