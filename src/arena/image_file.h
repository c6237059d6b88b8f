/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The data-plane image as an ELF file in memory: checked, loaded, searched for symbols. The bytes
 * may come from a file, so every offset in them is checked before use.
 */
#ifndef SKEP_ARENA_IMAGE_FILE_H
#define SKEP_ARENA_IMAGE_FILE_H

#include "base/types.h"

struct image_file {
	const u8 *bytes; /* of the ELF file; must outlive this structure */
	u64 size;
	u64 load_offset, load_size; /* its one segment, in the file */
	u64 symbols, nr_symbols;    /* offset of the symbol table */
	u64 strings, strings_size;
};

/*
 * Checks that bytes hold an image for RT_TEXT_BASE: one loadable segment, read and execute only, at
 * most RT_IMAGE_SIZE_MAX long, and a symbol table. 0 or -ENOEXEC.
 */
int image_file_open(struct image_file *image, const u8 *bytes, u64 size);

/* Address of a global symbol, 0 if there is none of that name. */
u64 image_file_symbol(const struct image_file *image, const char *name);

/* Reads a whole regular file (at most 64 MiB) into *ret_bytes, which the caller frees. 0 or -errno.
 */
int image_file_read(const char *path, u8 **ret_bytes, u64 *ret_size);

#endif
