/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzz target: three strings as a directory, a path found from it, and the hive's directory. The
 * rewritten path ends where it is said to, fits, never climbs out of the hive by "..", and leads
 * back to where it came from.
 */
#include "fuzz.h"
#include "base/types.h"
#include "agent/walk.h"

#include <stdlib.h>
#include <string.h>

#define HIVE "/run/hive.1"

/* Copies up to the next zero byte; each string in memory of exactly its size. */
static char *take(const uint8_t **data, size_t *size)
{
	size_t length = strnlen((const char *)*data, *size);
	char *text = malloc(length + 1);

	if (!text)
		abort();
	memcpy(text, *data, length);
	text[length] = '\0';
	*data += length < *size ? length + 1 : length;
	*size -= length < *size ? length + 1 : length;
	return text;
}

static void try_walk(const char *from, const char *path, u32 room)
{
	static struct facade_walker walker;
	char *out = malloc(room), back[FACADE_PATH_MAX];
	int length;

	if (!out)
		return;
	length = facade_walk(&walker, from, path, HIVE, out, room);
	if (length < -1 || length >= (int)room || (length > 0 && out[length]))
		abort();
	/* What lies in the hive by name stands for something outside. */
	if (length > 0 && !strncmp(out, HIVE "/bpf", sizeof(HIVE "/bpf") - 1) &&
	    facade_is_end(out[sizeof(HIVE "/bpf") - 1]) &&
	    facade_origin(out, HIVE, back, sizeof(back)) <= 0 && length + 32 < (int)sizeof(back))
		abort();
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *from = take(&data, &size), *path = take(&data, &size);
	char out[FACADE_PATH_MAX], back[FACADE_PATH_MAX];
	int length;

	try_walk(from, path, FACADE_PATH_MAX);
	try_walk(from, path, 1 + (u32)size % 64);
	facade_may_begin(path);
	length = facade_rewrite(path, HIVE, out, sizeof(out));
	if (length > 0 && (strncmp(out, HIVE "/", sizeof(HIVE)) ||
			   facade_origin(out, HIVE, back, sizeof(back)) <= 0))
		abort();
	facade_is_constant(path, HIVE);
	free(from);
	free(path);
	return 0;
}
