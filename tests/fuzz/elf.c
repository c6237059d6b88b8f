/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzz target: any bytes as the file of a program whose system calls are looked for, and as a BPF
 * object that the command is given. What the scanner says is held against the bytes.
 */
#include "fuzz.h"
#include "base/alloc.h"
#include "base/types.h"
#include "hook/scan.h"
#include "../../cli/object_file.h"

#include <stdlib.h>
#include <string.h>

/* Sites are in the file, in order, and each is a system call. */
static void check(const uint8_t *bytes, size_t size, const struct scan_result *result)
{
	for (u32 i = 0; i < result->nr_sites; i++) {
		u64 at = result->sites[i].offset;

		if (at + 2 > size || bytes[at] != 0x0f || bytes[at + 1] != 0x05)
			abort();
		if (i && at <= result->sites[i - 1].offset)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct object_file file = { .size = size };
	struct scan_result result = { 0 };
	/* Exactly as large as it says: what is read beyond is seen. */
	uint8_t *bytes = malloc(size ? size : 1);

	if (!bytes)
		return 0;
	memcpy(bytes, data, size);
	if (!scan_elf(bytes, size, &result)) {
		check(bytes, size, &result);
		base_free(result.sites);
	}
	file.data = bytes;
	/* A whole object begins like one. */
	if (!object_file_problem(&file) && !object_file_is_elf(&file))
		abort();
	free(bytes);
	return 0;
}
