/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A writer of BTF blobs, good and bad, for tests: types are added one after the other, strings once
 * each.
 */
#ifndef SKEP_TESTS_BLOB_H
#define SKEP_TESTS_BLOB_H

#include <linux/btf.h>
#include <string.h>
#include "base/types.h"

struct blob {
	u32 types[4096], nr_words;
	char strings[4096];
	u32 str_len;
	u8 bytes[sizeof(struct btf_header) + 4096 * 4 + 4096];
	u32 size;
};

static inline u32 blob_string(struct blob *blob, const char *text)
{
	u32 at = blob->str_len ? blob->str_len : 1, length = (u32)strlen(text) + 1;

	if (!*text)
		return 0;
	memcpy(blob->strings + at, text, length);
	blob->str_len = at + length;
	return at;
}

static inline void blob_word(struct blob *blob, u32 word)
{
	blob->types[blob->nr_words++] = word;
}

/* The common part of a type. */
static inline void blob_type(struct blob *blob, const char *name, u32 kind, u32 kflag, u32 vlen,
			     u32 size_or_type)
{
	blob_word(blob, blob_string(blob, name));
	blob_word(blob, kflag << 31 | kind << 24 | vlen);
	blob_word(blob, size_or_type);
}

static inline void blob_int(struct blob *blob, const char *name, u32 size)
{
	blob_type(blob, name, BTF_KIND_INT, 0, 0, size);
	blob_word(blob, BTF_INT_SIGNED << 24 | size * 8);
}

static inline void blob_member(struct blob *blob, const char *name, u32 type, u32 offset)
{
	blob_word(blob, blob_string(blob, name));
	blob_word(blob, type);
	blob_word(blob, offset);
}

/* Puts header, types and strings together. */
static inline void blob_finish(struct blob *blob)
{
	struct btf_header header = { .magic = BTF_MAGIC,
				     .version = BTF_VERSION,
				     .hdr_len = sizeof(header),
				     .type_len = blob->nr_words * 4,
				     .str_off = blob->nr_words * 4 };

	if (!blob->str_len)
		blob->str_len = 1;
	header.str_len = blob->str_len;
	memcpy(blob->bytes, &header, sizeof(header));
	memcpy(blob->bytes + sizeof(header), blob->types, header.type_len);
	memcpy(blob->bytes + sizeof(header) + header.type_len, blob->strings, blob->str_len);
	blob->size = (u32)sizeof(header) + header.type_len + blob->str_len;
}

#endif
