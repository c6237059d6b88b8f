/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The second step of a check: each type by itself. For every kind a row says how many bytes follow
 * the common part and which rules hold, in the kernel's order (the first broken one is what the log
 * shows); then the parts of the type (members, enumerators, section entries) are walked. After this
 * step btf->types is complete and every type's body lies in the section.
 */
#include "btf/check.h"
#include "base/alloc.h"

#include <errno.h>
#include <string.h>

#define INFO_MASK      0x9f00ffffu
#define INT_MASK       0x0fffffffu
#define NAME_MAX_CHARS 512	   /* KSYM_NAME_LEN */
#define TYPES_MAX      0x000fffffu /* BTF_MAX_TYPE */

typedef int (*rule_fn)(struct btf_check *check, const struct btf_type *type);

struct kind_row {
	u32 fixed, each; /* bytes after the common part: fixed + vlen * each */
	rule_fn rules[6];
	rule_fn parts; /* after the type's line is in the log */
};

/* Characters as the kernel's lib/ctype.c classes them, which is Latin-1: U+00C0 … are letters. */
static bool is_alpha(char c)
{
	u8 byte = (u8)c;

	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.' ||
	       (byte >= 0xc0 && byte != 0xd7 && byte != 0xf7);
}

static bool is_alnum(char c)
{
	return is_alpha(c) || (c >= '0' && c <= '9');
}

static bool is_printable(char c)
{
	return (c >= ' ' && c <= '~') || (u8)c >= 0xa0;
}

bool btf_is_identifier(const struct btf *btf, u32 offset)
{
	const char *name = btf_string(btf, offset);
	u32 i;

	if (!name || !is_alpha(name[0]))
		return false;
	for (i = 1; i < NAME_MAX_CHARS && name[i]; i++)
		if (!is_alnum(name[i]))
			return false;
	return !name[i];
}

static bool is_section_name(const struct btf *btf, u32 offset)
{
	const char *name = btf_string(btf, offset);
	u32 i;

	if (!name || !name[0])
		return false;
	for (i = 0; i < NAME_MAX_CHARS && name[i]; i++)
		if (!is_printable(name[i]))
			return false;
	return !name[i];
}

static int refuse(struct btf_check *check, const struct btf_type *type, const char *text)
{
	btf_say_type(check, type, "%s", text);
	return -EINVAL;
}

static int no_vlen(struct btf_check *check, const struct btf_type *type)
{
	return btf_vlen_of(type) ? refuse(check, type, "vlen != 0") : 0;
}

static int no_kflag(struct btf_check *check, const struct btf_type *type)
{
	return btf_kflag_of(type) ? refuse(check, type, "Invalid btf_info kind_flag") : 0;
}

static int no_name(struct btf_check *check, const struct btf_type *type)
{
	return type->name_off ? refuse(check, type, "Invalid name") : 0;
}

static int need_name(struct btf_check *check, const struct btf_type *type)
{
	if (!type->name_off || !btf_is_identifier(check->btf, type->name_off))
		return refuse(check, type, "Invalid name");
	return 0;
}

static int may_name(struct btf_check *check, const struct btf_type *type)
{
	return type->name_off ? need_name(check, type) : 0;
}

static int need_section_name(struct btf_check *check, const struct btf_type *type)
{
	if (!type->name_off || !is_section_name(check->btf, type->name_off))
		return refuse(check, type, "Invalid name");
	return 0;
}

static bool has_text(const struct btf_check *check, const struct btf_type *type)
{
	const char *name = btf_string(check->btf, type->name_off);

	return name && name[0];
}

static int need_tag_name(struct btf_check *check, const struct btf_type *type)
{
	return has_text(check, type) ? 0 : refuse(check, type, "Invalid name");
}

static int need_tag_value(struct btf_check *check, const struct btf_type *type)
{
	return has_text(check, type) ? 0 : refuse(check, type, "Invalid value");
}

static int no_type(struct btf_check *check, const struct btf_type *type)
{
	return type->type ? refuse(check, type, "type != 0") : 0;
}

static int no_size(struct btf_check *check, const struct btf_type *type)
{
	return type->size ? refuse(check, type, "size != 0") : 0;
}

static int need_size(struct btf_check *check, const struct btf_type *type)
{
	return type->size ? 0 : refuse(check, type, "size == 0");
}

static int may_type(struct btf_check *check, const struct btf_type *type)
{
	return type->type > TYPES_MAX ? refuse(check, type, "Invalid type_id") : 0;
}

static int need_type(struct btf_check *check, const struct btf_type *type)
{
	return type->type ? may_type(check, type) : refuse(check, type, "Invalid type_id");
}

static int int_data(struct btf_check *check, const struct btf_type *type)
{
	u32 data = btf_int_data(type), bits, encoding;

	if (data & ~INT_MASK) {
		btf_say_basic(check, type, "Invalid int_data:%x", data);
		return -EINVAL;
	}
	bits = BTF_INT_BITS(data) + BTF_INT_OFFSET(data);
	if (bits > 128)
		return refuse(check, type, "nr_bits exceeds 128");
	if ((bits + 7) / 8 > type->size)
		return refuse(check, type, "nr_bits exceeds type_size");
	encoding = BTF_INT_ENCODING(data);
	if (encoding && encoding != BTF_INT_SIGNED && encoding != BTF_INT_CHAR &&
	    encoding != BTF_INT_BOOL) {
		btf_say_type(check, type, "Unsupported encoding");
		return -BTF_ENOTSUPP;
	}
	return 0;
}

static int array_ids(struct btf_check *check, const struct btf_type *type)
{
	const struct btf_array *array = btf_array_of(type);

	if (!array->type || array->type > TYPES_MAX)
		return refuse(check, type, "Invalid elem");
	if (!array->index_type || array->index_type > TYPES_MAX)
		return refuse(check, type, "Invalid index");
	return 0;
}

static int enum_size(struct btf_check *check, const struct btf_type *type)
{
	if (!type->size || type->size > 8 || (type->size & (type->size - 1)))
		return refuse(check, type, "Unexpected size");
	return 0;
}

static int float_size(struct btf_check *check, const struct btf_type *type)
{
	switch (type->size) {
	case 2:
	case 4:
	case 8:
	case 12:
	case 16: return 0;
	default: return refuse(check, type, "Invalid type_size");
	}
}

static int func_linkage(struct btf_check *check, const struct btf_type *type)
{
	return btf_vlen_of(type) > BTF_FUNC_GLOBAL ? refuse(check, type, "Invalid func linkage")
						   : 0;
}

static int var_linkage(struct btf_check *check, const struct btf_type *type)
{
	u32 linkage = ((const struct btf_var *)(type + 1))->linkage;

	if (linkage != BTF_VAR_STATIC && linkage != BTF_VAR_GLOBAL_ALLOCATED)
		return refuse(check, type, "Linkage not supported");
	return 0;
}

static int component(struct btf_check *check, const struct btf_type *type)
{
	if (((const struct btf_decl_tag *)(type + 1))->component_idx < -1)
		return refuse(check, type, "Invalid component_idx");
	return 0;
}

static int check_member(struct btf_check *check, const struct btf_type *type,
			const struct btf_member *member, u32 last_offset)
{
	u32 offset = btf_member_offset(type, member);
	const char *text = NULL;

	if (!btf_string(check->btf, member->name_off)) {
		btf_say_member(check, type, member, "Invalid member name_offset:%u",
			       member->name_off);
		return -EINVAL;
	}
	if (member->name_off && !btf_is_identifier(check->btf, member->name_off))
		text = "Invalid name";
	else if (!member->type || member->type > TYPES_MAX)
		text = "Invalid type_id";
	else if (btf_kind_of(type) == BTF_KIND_UNION && offset)
		text = "Invalid member bits_offset";
	else if (last_offset > offset)
		text = "Invalid member bits_offset";
	else if (offset / 8 + (offset % 8 != 0) > type->size)
		text = "Member bits_offset exceeds its struct size";
	if (text) {
		btf_say_member(check, type, member, "%s", text);
		return -EINVAL;
	}
	btf_say_member(check, type, member, NULL);
	return 0;
}

static int struct_members(struct btf_check *check, const struct btf_type *type)
{
	const struct btf_member *members = btf_members_of(type);
	u32 i, last_offset = 0;
	int error;

	for (i = 0; i < btf_vlen_of(type); i++) {
		error = check_member(check, type, &members[i], last_offset);
		if (error)
			return error;
		last_offset = btf_member_offset(type, &members[i]);
	}
	return 0;
}

static int check_enumerator(struct btf_check *check, const struct btf_type *type, u32 name_off)
{
	if (!btf_string(check->btf, name_off)) {
		btf_say(check, "\tInvalid name_offset:%u", name_off);
		return -EINVAL;
	}
	if (!name_off || !btf_is_identifier(check->btf, name_off))
		return refuse(check, type, "Invalid name");
	return 0;
}

static int enum_values(struct btf_check *check, const struct btf_type *type)
{
	const struct btf_enum *values = btf_enums_of(type);
	u32 i;

	for (i = 0; i < btf_vlen_of(type); i++) {
		if (check_enumerator(check, type, values[i].name_off))
			return -EINVAL;
		btf_say(check, btf_kflag_of(type) ? "\t%s val=%d\n" : "\t%s val=%u\n",
			btf_log_name(check->btf, values[i].name_off), values[i].val);
	}
	return 0;
}

static int enum64_values(struct btf_check *check, const struct btf_type *type)
{
	const struct btf_enum64 *values = (const struct btf_enum64 *)(type + 1);
	unsigned long long value;
	u32 i;

	for (i = 0; i < btf_vlen_of(type); i++) {
		if (check_enumerator(check, type, values[i].name_off))
			return -EINVAL;
		value = (u64)values[i].val_hi32 << 32 | values[i].val_lo32;
		btf_say(check, btf_kflag_of(type) ? "\t%s val=%lld\n" : "\t%s val=%llu\n",
			btf_log_name(check->btf, values[i].name_off), value);
	}
	return 0;
}

static int section_entries(struct btf_check *check, const struct btf_type *type)
{
	const struct btf_var_secinfo *entries = btf_secinfos_of(type);
	u64 end = 0, sum = 0;
	const char *text;
	u32 i;

	for (i = 0; i < btf_vlen_of(type); i++) {
		text = NULL;
		if (!entries[i].type || entries[i].type > TYPES_MAX)
			text = "Invalid type_id";
		else if (entries[i].offset < end || entries[i].offset >= type->size)
			text = "Invalid offset";
		else if (!entries[i].size || entries[i].size > type->size)
			text = "Invalid size";
		else if ((u64)entries[i].offset + entries[i].size > type->size)
			text = "Invalid offset+size";
		if (text) {
			btf_say_secinfo(check, type, &entries[i], "%s", text);
			return -EINVAL;
		}
		end = (u64)entries[i].offset + entries[i].size;
		sum += entries[i].size;
		btf_say_secinfo(check, type, &entries[i], NULL);
	}
	return sum > type->size ? refuse(check, type, "Invalid btf_info size") : 0;
}

static const struct kind_row kinds[] = {
	[BTF_KIND_INT] = { 4, 0, { no_vlen, no_kflag, int_data }, NULL },
	[BTF_KIND_PTR] = { 0, 0, { no_vlen, no_kflag, may_type, no_name }, NULL },
	[BTF_KIND_TYPEDEF] = { 0, 0, { no_vlen, no_kflag, may_type, need_name }, NULL },
	[BTF_KIND_VOLATILE] = { 0, 0, { no_vlen, no_kflag, may_type, no_name }, NULL },
	[BTF_KIND_CONST] = { 0, 0, { no_vlen, no_kflag, may_type, no_name }, NULL },
	[BTF_KIND_RESTRICT] = { 0, 0, { no_vlen, no_kflag, may_type, no_name }, NULL },
	/* kflag since 6.14: an attribute that is not a tag of BPF's own */
	[BTF_KIND_TYPE_TAG] = { 0, 0, { no_vlen, may_type, need_tag_name }, NULL },
	[BTF_KIND_FWD] = { 0, 0, { no_vlen, no_type, need_name }, NULL },
	[BTF_KIND_ARRAY] = { sizeof(struct btf_array),
			     0,
			     { no_name, no_vlen, no_kflag, no_size, array_ids },
			     NULL },
	[BTF_KIND_STRUCT] = { 0, sizeof(struct btf_member), { may_name }, struct_members },
	[BTF_KIND_UNION] = { 0, sizeof(struct btf_member), { may_name }, struct_members },
	[BTF_KIND_ENUM] = { 0, sizeof(struct btf_enum), { enum_size, may_name }, enum_values },
	[BTF_KIND_ENUM64] = { 0,
			      sizeof(struct btf_enum64),
			      { enum_size, may_name },
			      enum64_values },
	[BTF_KIND_FUNC_PROTO] = { 0, sizeof(struct btf_param), { no_name, no_kflag }, NULL },
	[BTF_KIND_FUNC] = { 0, 0, { need_name, func_linkage, no_kflag }, NULL },
	[BTF_KIND_VAR] = { sizeof(struct btf_var),
			   0,
			   { no_vlen, no_kflag, need_name, need_type, var_linkage },
			   NULL },
	[BTF_KIND_DATASEC] = { 0,
			       sizeof(struct btf_var_secinfo),
			       { need_size, no_kflag, need_section_name },
			       section_entries },
	[BTF_KIND_FLOAT] = { 0, 0, { no_vlen, no_kflag, float_size }, NULL },
	[BTF_KIND_DECL_TAG] = { sizeof(struct btf_decl_tag),
				0,
				{ need_tag_value, no_vlen, component },
				NULL },
};

/* Checks the type at `type` with left bytes to the section's end; its whole length, or -errno. */
static s64 check_meta(struct btf_check *check, const struct btf_type *type, u32 left)
{
	const struct kind_row *row;
	u32 needed, i;
	int error;

	if (left < sizeof(*type)) {
		btf_say(check, "[%u] meta_left:%u meta_needed:%zu", check->log_id, left,
			sizeof(*type));
		return -EINVAL;
	}
	left -= sizeof(*type);
	if (type->info & ~INFO_MASK) {
		btf_say(check, "[%u] Invalid btf_info:%x", check->log_id, type->info);
		return -EINVAL;
	}
	if (btf_kind_of(type) >= ARRAY_SIZE(kinds) || btf_kind_of(type) == BTF_KIND_UNKN) {
		btf_say(check, "[%u] Invalid kind:%u", check->log_id, btf_kind_of(type));
		return -EINVAL;
	}
	if (!btf_string(check->btf, type->name_off)) {
		btf_say(check, "[%u] Invalid name_offset:%u", check->log_id, type->name_off);
		return -EINVAL;
	}
	row = &kinds[btf_kind_of(type)];
	needed = row->fixed + btf_vlen_of(type) * row->each;
	if (left < needed) {
		btf_say_basic(check, type, "meta_left:%u meta_needed:%u", left, needed);
		return -EINVAL;
	}
	for (i = 0; i < ARRAY_SIZE(row->rules) && row->rules[i]; i++) {
		error = row->rules[i](check, type);
		if (error)
			return error;
	}
	btf_say_type(check, type, NULL);
	error = row->parts ? row->parts(check, type) : 0;
	return error ? error : (s64)(sizeof(*type) + needed);
}

static int add_type(struct btf_check *check, const struct btf_type *type)
{
	struct btf *btf = check->btf;
	const struct btf_type **types;
	u32 room;

	if (btf->nr_types == btf->types_room) {
		if (btf->nr_types > TYPES_MAX) {
			btf_say(check, "Exceeded max num of types");
			return -E2BIG;
		}
		room = btf->types_room ? btf->types_room * 2 : 64;
		types = base_realloc(btf->types, room, sizeof(*types));
		if (!types)
			return -ENOMEM;
		btf->types = types;
		btf->types_room = room;
	}
	btf->types[btf->nr_types++] = type;
	return 0;
}

int btf_check_metas(struct btf_check *check)
{
	static const struct btf_type type_void;
	const struct btf_header *header = &check->btf->header;
	const u8 *at = check->btf->data + header->hdr_len + header->type_off;
	u32 left = header->type_len;
	s64 length;
	int error;

	error = add_type(check, &type_void);
	check->log_id = 1;
	while (!error && left) {
		const struct btf_type *type = (const struct btf_type *)at;

		length = check_meta(check, type, left);
		if (length < 0)
			return (int)length;
		error = add_type(check, type);
		at += length;
		left -= (u32)length;
		check->log_id++;
	}
	return error;
}
