/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The outermost layer of a BTF blob: header, the two sections (which together fill the blob
 * exactly, without gap or overlap) and the string section, which begins and ends with NUL. First of
 * the three steps; after it the section pointers are in bounds and every string offset below
 * str_len ends.
 */
#include "btf/check.h"

#include <errno.h>
#include <string.h>

#define STRING_OFFSET_MAX 0xffffffu /* BTF_MAX_NAME_OFFSET */

struct section {
	u32 offset, length;
};

static int fail(struct btf_check *check, int error, const char *text)
{
	btf_say(check, "%s", text);
	return error;
}

static void say_header(struct btf_check *check)
{
	const struct btf_header *header = &check->btf->header;

	btf_say(check, "magic: 0x%x\n", header->magic);
	btf_say(check, "version: %u\n", header->version);
	btf_say(check, "flags: 0x%x\n", header->flags);
	btf_say(check, "hdr_len: %u\n", header->hdr_len);
	btf_say(check, "type_off: %u\n", header->type_off);
	btf_say(check, "type_len: %u\n", header->type_len);
	btf_say(check, "str_off: %u\n", header->str_off);
	btf_say(check, "str_len: %u\n", header->str_len);
	btf_say(check, "btf_total_size: %u\n", check->btf->size);
}

static int check_layout(struct btf_check *check)
{
	const struct btf_header *header = &check->btf->header;
	struct section types = { header->type_off, header->type_len };
	struct section strings = { header->str_off, header->str_len };
	struct section order[2] = { types, strings };
	u32 room = check->btf->size - header->hdr_len, at = 0, i;

	if ((s32)(strings.offset - types.offset) < 0 ||
	    (strings.offset == types.offset && (s32)(strings.length - types.length) < 0)) {
		order[0] = strings;
		order[1] = types;
	}
	for (i = 0; i < ARRAY_SIZE(order); i++) {
		if (room < order[i].offset)
			return fail(check, -EINVAL, "Invalid section offset");
		if (at < order[i].offset)
			return fail(check, -EINVAL, "Unsupported section found");
		if (at > order[i].offset)
			return fail(check, -EINVAL, "Section overlap found");
		if (room - at < order[i].length)
			return fail(check, -EINVAL, "Total section length too long");
		at += order[i].length;
	}
	if (room != at)
		return fail(check, -EINVAL, "Unsupported section found");
	return 0;
}

static int check_header(struct btf_check *check)
{
	struct btf *btf = check->btf;
	u32 length, i;

	if (btf->size < offsetof(struct btf_header, hdr_len) + sizeof(u32))
		return fail(check, -EINVAL, "hdr_len not found");
	memcpy(&length, btf->data + offsetof(struct btf_header, hdr_len), sizeof(length));
	if (btf->size < length)
		return fail(check, -EINVAL, "btf_header not found");
	for (i = sizeof(btf->header); i < length; i++)
		if (btf->data[i])
			return fail(check, -E2BIG, "Unsupported btf_header");
	memcpy(&btf->header, btf->data,
	       length < sizeof(btf->header) ? length : sizeof(btf->header));
	say_header(check);
	if (btf->header.magic != BTF_MAGIC)
		return fail(check, -EINVAL, "Invalid magic");
	if (btf->header.version != BTF_VERSION)
		return fail(check, -BTF_ENOTSUPP, "Unsupported version");
	if (btf->header.flags)
		return fail(check, -BTF_ENOTSUPP, "Unsupported flags");
	/* A header too short to hold its own length has been copied without it: nothing follows. */
	if (btf->size == btf->header.hdr_len)
		return fail(check, -EINVAL, "No data");
	if (btf->header.hdr_len != length)
		return fail(check, -EINVAL, "Unsupported section found");
	return check_layout(check);
}

static int check_strings(struct btf_check *check)
{
	struct btf *btf = check->btf;
	const struct btf_header *header = &btf->header;
	u64 end = (u64)header->hdr_len + header->str_off + header->str_len;

	if (end != btf->size)
		return fail(check, -EINVAL, "String section is not at the end");
	btf->strings = (const char *)btf->data + header->hdr_len + header->str_off;
	if (!header->str_len || header->str_len - 1 > STRING_OFFSET_MAX ||
	    btf->strings[header->str_len - 1] || btf->strings[0])
		return fail(check, -EINVAL, "Invalid string section");
	return 0;
}

int btf_check_sections(struct btf_check *check)
{
	int error;

	error = check_header(check);
	if (!error)
		error = check_strings(check);
	if (error)
		return error;
	if (check->btf->header.type_off % sizeof(u32))
		return fail(check, -EINVAL, "Unaligned type_off");
	if (!check->btf->header.type_len)
		return fail(check, -EINVAL, "No type found");
	return 0;
}
