/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The text a check writes when btf_log_level asks for it: one line a type as it is read, then what
 * is wrong. The wording is the kernel's, because libbpf's users search for it.
 */
#include "btf/check.h"

#include <stdarg.h>
#include <stdio.h>

#define PIECE_MAX 1024 /* BPF_VERIFIER_TMP_LOG_SIZE */

static const char *const kind_names[] = {
	[BTF_KIND_UNKN] = "UNKNOWN",	  [BTF_KIND_INT] = "INT",
	[BTF_KIND_PTR] = "PTR",		  [BTF_KIND_ARRAY] = "ARRAY",
	[BTF_KIND_STRUCT] = "STRUCT",	  [BTF_KIND_UNION] = "UNION",
	[BTF_KIND_ENUM] = "ENUM",	  [BTF_KIND_FWD] = "FWD",
	[BTF_KIND_TYPEDEF] = "TYPEDEF",	  [BTF_KIND_VOLATILE] = "VOLATILE",
	[BTF_KIND_CONST] = "CONST",	  [BTF_KIND_RESTRICT] = "RESTRICT",
	[BTF_KIND_FUNC] = "FUNC",	  [BTF_KIND_FUNC_PROTO] = "FUNC_PROTO",
	[BTF_KIND_VAR] = "VAR",		  [BTF_KIND_DATASEC] = "DATASEC",
	[BTF_KIND_FLOAT] = "FLOAT",	  [BTF_KIND_DECL_TAG] = "DECL_TAG",
	[BTF_KIND_TYPE_TAG] = "TYPE_TAG", [BTF_KIND_ENUM64] = "ENUM64",
};

static bool wanted(const struct btf_check *check)
{
	return check->log && check->log->level;
}

static void say_list(struct btf_check *check, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

static void say_list(struct btf_check *check, const char *format, va_list args)
{
	char piece[PIECE_MAX];
	int length;

	if (!wanted(check))
		return;
	length = vsnprintf(piece, sizeof(piece), format, args);
	if (length < 0)
		return;
	if (length > PIECE_MAX - 1)
		length = PIECE_MAX - 1;
	check->log->write(check->log->arg, piece, (u64)length);
}

void btf_say(struct btf_check *check, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say_list(check, format, args);
	va_end(args);
}

const char *btf_log_name(const struct btf *btf, u32 offset)
{
	const char *name;

	if (!offset)
		return "(anon)";
	name = btf_string(btf, offset);
	return name ? name : "(invalid-name-offset)";
}

static const char *encoding_name(u32 encoding)
{
	switch (encoding) {
	case 0: return "(none)";
	case BTF_INT_SIGNED: return "SIGNED";
	case BTF_INT_CHAR: return "CHAR";
	case BTF_INT_BOOL: return "BOOL";
	default: return "UNKN";
	}
}

static void say_params(struct btf_check *check, const struct btf_type *type)
{
	const struct btf_param *params = btf_params_of(type);
	u32 i, nr = btf_vlen_of(type);

	btf_say(check, "return=%u args=(", type->type);
	if (!nr)
		btf_say(check, "void");
	for (i = 0; i < nr; i++) {
		if (i == nr - 1 && !params[i].type)
			btf_say(check, "%svararg", i ? ", " : "");
		else
			btf_say(check, "%s%u %s", i ? ", " : "", params[i].type,
				btf_log_name(check->btf, params[i].name_off));
	}
	btf_say(check, ")");
}

static void say_details(struct btf_check *check, const struct btf_type *type)
{
	u32 data;

	switch (btf_kind_of(type)) {
	case BTF_KIND_INT:
		data = btf_int_data(type);
		btf_say(check, "size=%u bits_offset=%u nr_bits=%u encoding=%s", type->size,
			BTF_INT_OFFSET(data), BTF_INT_BITS(data),
			encoding_name(BTF_INT_ENCODING(data)));
		break;
	case BTF_KIND_ARRAY:
		btf_say(check, "type_id=%u index_type_id=%u nr_elems=%u", btf_array_of(type)->type,
			btf_array_of(type)->index_type, btf_array_of(type)->nelems);
		break;
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
	case BTF_KIND_DATASEC:
		btf_say(check, "size=%u vlen=%u", type->size, btf_vlen_of(type));
		break;
	case BTF_KIND_FWD: btf_say(check, "%s", btf_kflag_of(type) ? "union" : "struct"); break;
	case BTF_KIND_FUNC_PROTO: say_params(check, type); break;
	case BTF_KIND_VAR:
		btf_say(check, "type_id=%u linkage=%u", type->type,
			((const struct btf_var *)(type + 1))->linkage);
		break;
	case BTF_KIND_FLOAT: btf_say(check, "size=%u", type->size); break;
	case BTF_KIND_DECL_TAG:
		btf_say(check, "type=%u component_idx=%d", type->type,
			((const struct btf_decl_tag *)(type + 1))->component_idx);
		break;
	default: btf_say(check, "type_id=%u", type->type); break;
	}
}

static void say_end(struct btf_check *check, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

static void say_end(struct btf_check *check, const char *format, va_list args)
{
	if (format && *format) {
		btf_say(check, " ");
		say_list(check, format, args);
	}
	btf_say(check, "\n");
}

static void say_head(struct btf_check *check, const struct btf_type *type, bool details)
{
	btf_say(check, "[%u] %s %s%s", check->log_id, kind_names[btf_kind_of(type)],
		btf_log_name(check->btf, type->name_off), details ? " " : "");
	if (details)
		say_details(check, type);
}

void btf_say_type(struct btf_check *check, const struct btf_type *type, const char *format, ...)
{
	va_list args;

	if (!wanted(check))
		return;
	say_head(check, type, true);
	va_start(args, format);
	say_end(check, format, args);
	va_end(args);
}

void btf_say_basic(struct btf_check *check, const struct btf_type *type, const char *format, ...)
{
	va_list args;

	if (!wanted(check))
		return;
	say_head(check, type, false);
	va_start(args, format);
	say_end(check, format, args);
	va_end(args);
}

/* Once all types are dumped, a line about a part needs its owner before it. */
static void say_owner(struct btf_check *check, const struct btf_type *type)
{
	if (check->shape_known)
		btf_say_type(check, type, NULL);
}

void btf_say_member(struct btf_check *check, const struct btf_type *type,
		    const struct btf_member *member, const char *format, ...)
{
	va_list args;

	if (!wanted(check))
		return;
	say_owner(check, type);
	btf_say(check, "\t%s type_id=%u", btf_log_name(check->btf, member->name_off), member->type);
	if (btf_kflag_of(type))
		btf_say(check, " bitfield_size=%u", btf_member_bits(type, member));
	btf_say(check, " bits_offset=%u", btf_member_offset(type, member));
	va_start(args, format);
	say_end(check, format, args);
	va_end(args);
}

void btf_say_secinfo(struct btf_check *check, const struct btf_type *type,
		     const struct btf_var_secinfo *secinfo, const char *format, ...)
{
	va_list args;

	if (!wanted(check))
		return;
	say_owner(check, type);
	btf_say(check, "\t type_id=%u offset=%u size=%u", secinfo->type, secinfo->offset,
		secinfo->size);
	va_start(args, format);
	say_end(check, format, args);
	va_end(args);
}
