/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See show.h. The format is that of btf_type_show() in kernel/bpf/btf.c of Linux 6.18, with its
 * peculiarities: values that are 0 are left out (and what has no other values), unless they are
 * asked for; parts of arrays have no names; pointers in arrays are all the first one; text ends at
 * its NUL. To find out whether something is to be shown, it is walked over silently first.
 */
#include <linux/bpf.h>
#include <linux/btf.h>
#include <linux/errno.h>
#include "rt/helper.h"
#include "rt/mem.h"
#include "rt/show.h"
#include "rt/vcpu.h"

#define PARTS_MAX   (1u << 20)
#define NESTING_MAX 40	/* the kernel takes no BTF that nests more than 32 types */
#define NAME_SIZE   80	/* BTF_SHOW_NAME_SIZE */
#define SUFFIX_MAX  10	/* BTF_SHOW_MAX_ITER */
#define WINDOW	    32u /* BTF_SHOW_OBJ_SAFE_SIZE */
#define STEP	    16u /* BTF_SHOW_OBJ_BASE_TYPE_SIZE */
#define INDENT_MAX  32

struct show {
	const struct rt_btf *btf;
	struct rt_vcpu *vcpu;
	struct rt_show_text *text;
	u64 flags;
	u32 depth, deepest, silent; /* silent: nothing is written before this depth is left */
	u32 nesting, parts;
	bool in_array, ended;
	u32 encoding;
	const struct btf_type *type;
	u32 type_id;
	const struct btf_member *member;
	long status;
	/* A copy of what is being shown. */
	u64 start, size, copied;
	u8 window[2 * WINDOW] __attribute__((aligned(8))); /* the second half stays 0 */
};

static void show_type(struct show *show, const struct btf_type *type, u32 id, u64 address, u32 bit);

static const struct btf_type *type_at(const struct show *show, u32 id)
{
	const struct rt_btf *btf = show->btf;

	return id && id < btf->nr_types
		       ? (const struct btf_type *)(const void *)(btf->types + btf->offsets[id])
		       : NULL;
}

static const char *string_at(const struct show *show, u32 offset)
{
	return offset < show->btf->strings_size ? show->btf->strings + offset : "";
}

static u32 kind_of(const struct btf_type *type)
{
	return type ? BTF_INFO_KIND(type->info) : BTF_KIND_UNKN;
}

static bool is_modifier(u32 kind)
{
	return kind == BTF_KIND_TYPEDEF || kind == BTF_KIND_CONST || kind == BTF_KIND_VOLATILE ||
	       kind == BTF_KIND_RESTRICT || kind == BTF_KIND_TYPE_TAG;
}

/* The type behind typedefs (if all) and qualifiers. */
static const struct btf_type *skip(const struct show *show, u32 id, bool all)
{
	const struct btf_type *type = type_at(show, id);

	for (u32 i = 0; i < NESTING_MAX && is_modifier(kind_of(type)) &&
			(all || kind_of(type) != BTF_KIND_TYPEDEF);
	     i++)
		type = type_at(show, type->type);
	return type;
}

static const void *behind(const struct btf_type *type)
{
	return type + 1;
}

static u64 size_of(const struct show *show, const struct btf_type *type)
{
	u64 count = 1;

	for (u32 i = 0; type && i < NESTING_MAX; i++) {
		switch (kind_of(type)) {
		case BTF_KIND_PTR: return count * sizeof(u64);
		case BTF_KIND_ARRAY:
			count *= ((const struct btf_array *)behind(type))->nelems;
			type = type_at(show, ((const struct btf_array *)behind(type))->type);
			break;
		case BTF_KIND_INT:
		case BTF_KIND_STRUCT:
		case BTF_KIND_UNION:
		case BTF_KIND_ENUM:
		case BTF_KIND_ENUM64:
		case BTF_KIND_FLOAT:
		case BTF_KIND_DATASEC: return count * type->size;
		default: type = is_modifier(kind_of(type)) ? type_at(show, type->type) : NULL;
		}
	}
	return 0;
}

static void put(struct show *show, const char *text)
{
	struct rt_show_text *out = show->text;

	if (show->silent)
		return;
	for (; *text; text++, out->length++)
		if (out->length + 1 < out->room)
			out->text[out->length] = *text;
}

/* The name that goes before the value, NAME_SIZE bytes. */
struct name {
	char text[NAME_SIZE];
	u32 length;
};

static void add(struct name *name, const char *text)
{
	while (*text && name->length + 1 < NAME_SIZE)
		name->text[name->length++] = *text++;
	name->text[name->length] = '\0';
}

static void make_name(const struct show *show, struct name *name)
{
	u32 id = show->member ? show->member->type : show->type_id;
	u32 arrays = 0, pointers = 0, i;
	const struct btf_type *type = type_at(show, id);
	const char *own = NULL, *prefix = "", *opening = "", *member = "";
	bool is_typedef = false;

	name->length = 0;
	name->text[0] = '\0';
	if (show->in_array || !type)
		return;
	if (show->member)
		member = string_at(show, show->member->name_off);
	for (i = 0; i < SUFFIX_MAX && type; i++) {
		if (kind_of(type) == BTF_KIND_TYPEDEF) {
			own = own ? own : string_at(show, type->name_off);
			is_typedef = true;
			id = type->type;
		} else if (kind_of(type) == BTF_KIND_ARRAY) {
			opening = "[";
			arrays++;
			id = ((const struct btf_array *)behind(type))->type;
		} else if (kind_of(type) == BTF_KIND_PTR) {
			pointers++;
			id = type->type;
		} else {
			break;
		}
		type = skip(show, id, false);
	}
	if (i == SUFFIX_MAX)
		return;
	if (!own)
		own = type ? string_at(show, type->name_off) : "";
	if (kind_of(type) == BTF_KIND_STRUCT || kind_of(type) == BTF_KIND_UNION) {
		prefix = kind_of(type) == BTF_KIND_STRUCT ? "struct" : "union";
		if (!arrays)
			opening = "{";
	} else if (kind_of(type) == BTF_KIND_ENUM || kind_of(type) == BTF_KIND_ENUM64) {
		prefix = "enum";
	}
	if (pointers)
		opening = "";
	if (is_typedef)
		prefix = "";
	if (show->flags & BTF_F_NONAME) {
		add(name, opening);
		return;
	}
	if (*member) {
		add(name, ".");
		add(name, member);
		add(name, " = ");
	}
	add(name, "(");
	add(name, prefix);
	add(name, *prefix && *own ? " " : "");
	add(name, own);
	add(name, pointers ? " " : "");
	while (pointers--)
		add(name, "*");
	while (arrays--)
		add(name, "[]");
	add(name, ")");
	add(name, opening);
}

static void indent(struct show *show)
{
	for (u32 i = 0; !(show->flags & BTF_F_COMPACT) && i < show->depth && i < INDENT_MAX; i++)
		put(show, " ");
}

static void end_line(struct show *show)
{
	if (show->depth)
		put(show, show->flags & BTF_F_COMPACT && kind_of(show->type) == BTF_KIND_UNION
				  ? "|"
				  : ",");
	if (!(show->flags & BTF_F_COMPACT))
		put(show, "\n");
}

/* A line with a value, which counts as something to be shown. */
static void show_text(struct show *show, const char *value)
{
	struct name name;

	indent(show);
	make_name(show, &name);
	put(show, name.text);
	put(show, value);
	end_line(show);
	if (show->depth > show->deepest)
		show->deepest = show->depth;
}

static void show_value(struct show *show, const char *format, u32 size, u64 value)
{
	char text[64];

	if (!value && !(show->flags & BTF_F_ZERO) && show->depth)
		return;
	if (rt_format(text, sizeof(text), format, size, &value, 1, show->vcpu) > 0)
		show_text(show, text);
}

#define SHOW(show, format, value) show_value(show, format, sizeof(format), value)

/* What is copied of the value at address; NULL: it cannot be read. */
static const u8 *look(struct show *show, const struct btf_type *type, u64 address)
{
	u64 size = size_of(show, type), left, need = size < STEP ? size : STEP;

	if (!show->depth) {
		show->size = size;
		show->start = address;
		show->copied = 0;
	} else if (show->copied && address >= show->copied &&
		   address + need < show->copied + WINDOW) {
		return show->window + (address - show->copied);
	}
	left = show->start + show->size - address;
	if (left > WINDOW)
		left = WINDOW;
	show->status = rt_read_kernel(show->vcpu, show->window, left, address);
	if (show->status)
		return NULL;
	show->copied = address;
	return show->window;
}

static const u8 *start(struct show *show, const struct btf_type *type, u32 id, u64 address)
{
	show->type = type;
	show->type_id = id;
	if (++show->parts > PARTS_MAX) {
		show->status = -E2BIG;
		return NULL;
	}
	return look(show, type, address);
}

static void end(struct show *show)
{
	show->type = NULL;
	show->type_id = 0;
}

static bool start_aggregate(struct show *show, const struct btf_type *type, u32 id, u64 address)
{
	struct name name;

	if (!start(show, type, id, address))
		return false;
	indent(show);
	make_name(show, &name);
	put(show, name.text);
	if (!(show->flags & BTF_F_COMPACT))
		put(show, "\n");
	show->depth++;
	return true;
}

static void end_aggregate(struct show *show, const char *closing)
{
	show->depth--;
	indent(show);
	put(show, closing);
	end_line(show);
	end(show);
}

static void show_128(struct show *show, u64 low, u64 high)
{
	static const char both[] = "0x%llx%016llx";
	u64 values[] = { high, low };
	char text[64];

	if (!high)
		SHOW(show, "0x%llx", low);
	else if (rt_format(text, sizeof(text), both, sizeof(both), values, 2, show->vcpu) > 0)
		show_text(show, text);
}

/* A number of some bits that begin at a bit of these bytes. */
static void show_bits(struct show *show, const u8 *bytes, u32 bit, u32 bits)
{
	u64 low = 0, high = 0;
	u32 nr = (bits + bit + 7) / 8;

	memcpy(&low, bytes, nr < 8 ? nr : 8);
	if (nr > 8)
		memcpy(&high, bytes + 8, nr - 8 < 8 ? nr - 8 : 8);
	if (bit) {
		low = low >> bit | high << (64 - bit);
		high >>= bit;
	}
	if (bits < 64) {
		low &= (1ull << bits) - 1;
		high = 0;
	} else if (bits < 128) {
		high = bits == 64 ? 0 : high & ((1ull << (bits - 64)) - 1);
	}
	show_128(show, low, high);
}

static void show_char(struct show *show, u8 c, bool is_signed)
{
	if (show->encoding == BTF_INT_CHAR) {
		if (show->ended)
			return;
		if (!c) {
			show->ended = true;
			return;
		}
		/* The kernel's isprint() knows Latin 1. */
		if ((c >= ' ' && c < 0x7f) || c >= 0xa0) {
			SHOW(show, "'%c'", c);
			return;
		}
	}
	if (is_signed)
		SHOW(show, "%d", (u64)(s64)(s8)c);
	else
		SHOW(show, "%u", c);
}

static void show_int(struct show *show, const struct btf_type *type, u32 id, u64 address, u32 bit)
{
	u32 data = *(const u32 *)behind(type), bits = BTF_INT_BITS(data), from;
	bool is_signed = BTF_INT_ENCODING(data) & BTF_INT_SIGNED;
	const u8 *bytes = start(show, type, id, address);
	u64 value = 0;

	if (!bytes)
		return;
	from = bit + BTF_INT_OFFSET(data);
	if (from || bits % 8 ||
	    (bits != 8 && bits != 16 && bits != 32 && bits != 64 && bits != 128)) {
		show_bits(show, bytes + from / 8, from % 8, bits);
		end(show);
		return;
	}
	if (bits <= 64)
		memcpy(&value, bytes, bits / 8);
	if (bits == 128)
		show_bits(show, bytes, 0, 128);
	else if (bits == 8)
		show_char(show, (u8)value, is_signed);
	else if (bits == 64 && is_signed)
		SHOW(show, "%lld", value);
	else if (bits == 64)
		SHOW(show, "%llu", value);
	else if (is_signed)
		SHOW(show, "%d", bits == 16 ? (u64)(s64)(s16)value : (u64)(s64)(s32)value);
	else
		SHOW(show, "%u", value);
	end(show);
}

static void show_pointer(struct show *show, const struct btf_type *type, u32 id, u64 address)
{
	const u8 *bytes = start(show, type, id, address);
	u64 value;

	if (!bytes)
		return;
	memcpy(&value, bytes, sizeof(value));
	if (show->flags & BTF_F_PTR_RAW)
		SHOW(show, "0x%px", value);
	else
		SHOW(show, "0x%p", value);
	end(show);
}

/* A name is always shown, also that of 0. */
static void show_enum(struct show *show, const struct btf_type *type, u32 id, u64 address)
{
	bool wide = kind_of(type) == BTF_KIND_ENUM64;
	const u32 *rows = behind(type); /* name and value, of one word or two */
	const u8 *bytes = start(show, type, id, address);
	u64 value = 0;

	if (!bytes)
		return;
	memcpy(&value, bytes, wide ? 8 : 4);
	for (u32 i = 0; i < BTF_INFO_VLEN(type->info); i++, rows += wide ? 3 : 2) {
		if (rows[1] != (u32)value || (wide && rows[2] != value >> 32))
			continue;
		show_text(show, string_at(show, rows[0]));
		end(show);
		return;
	}
	if (wide && BTF_INFO_KFLAG(type->info))
		SHOW(show, "%lld", value);
	else if (wide)
		SHOW(show, "%llu", value);
	else if (BTF_INFO_KFLAG(type->info))
		SHOW(show, "%d", (u64)(s64)(s32)value);
	else
		SHOW(show, "%u", value);
	end(show);
}

static void walk_array(struct show *show, const struct btf_type *type, u32 id, u64 address, u32 bit)
{
	const struct btf_array *array = behind(type);
	const struct btf_type *elem = skip(show, array->type, true);
	u32 kind = kind_of(elem), size = 0, encoding = 0;

	if (kind == BTF_KIND_INT || kind == BTF_KIND_STRUCT || kind == BTF_KIND_UNION ||
	    kind == BTF_KIND_ENUM || kind == BTF_KIND_ENUM64 || kind == BTF_KIND_FLOAT)
		size = elem->size;
	if (kind == BTF_KIND_INT)
		encoding = size == 1 ? BTF_INT_CHAR : BTF_INT_ENCODING(*(const u32 *)behind(elem));
	show->encoding = encoding;
	show->ended = false;
	if (!start_aggregate(show, type, id, address))
		return;
	for (u32 i = 0; elem && i < array->nelems && show->parts <= PARTS_MAX; i++) {
		show->in_array = true;
		show->member = NULL;
		show_type(show, elem, array->type, address + (u64)i * size, bit);
		show->in_array = false;
		show->member = NULL;
		if (show->ended)
			break;
	}
	show->encoding = 0;
	show->ended = false;
	end_aggregate(show, "]");
}

static void walk_struct(struct show *show, const struct btf_type *type, u32 id, u64 address)
{
	const struct btf_member *members = behind(type);

	if (!start_aggregate(show, type, id, address))
		return;
	for (u32 i = 0; i < BTF_INFO_VLEN(type->info) && show->parts <= PARTS_MAX; i++) {
		bool fields = BTF_INFO_KFLAG(type->info);
		u32 offset = fields ? BTF_MEMBER_BIT_OFFSET(members[i].offset) : members[i].offset;
		u32 bits = fields ? BTF_MEMBER_BITFIELD_SIZE(members[i].offset) : 0;
		const struct btf_type *member = type_at(show, members[i].type);
		const u8 *bytes;

		show->member = &members[i];
		if (bits) {
			bytes = start(show, member, members[i].type, address + offset / 8);
			if (bytes)
				show_bits(show, bytes, offset % 8, bits);
			end(show);
		} else {
			show_type(show, member, members[i].type, address + offset / 8, offset % 8);
		}
		show->member = NULL;
	}
	end_aggregate(show, "}");
}

static void walk(struct show *show, const struct btf_type *type, u32 id, u64 address, u32 bit)
{
	if (kind_of(type) == BTF_KIND_ARRAY)
		walk_array(show, type, id, address, bit);
	else
		walk_struct(show, type, id, address);
}

static void show_aggregate(struct show *show, const struct btf_type *type, u32 id, u64 address,
			   u32 bit)
{
	const struct btf_member *member = show->member;

	if (show->depth && !(show->flags & BTF_F_ZERO)) {
		if (!show->silent) {
			show->silent = show->depth + 1;
			show->deepest = 0;
		}
		walk(show, type, id, address, bit);
		show->member = member;
		if (show->silent != show->depth + 1)
			return;
		show->silent = 0;
		if (show->deepest <= show->depth)
			return;
	}
	walk(show, type, id, address, bit);
}

static void show_other(struct show *show, u32 kind)
{
	static const char format[] = "<unsupported kind:%u>";
	u64 value = kind;
	char text[64];

	if (rt_format(text, sizeof(text), format, sizeof(format), &value, 1, show->vcpu) > 0)
		put(show, text);
}

static void show_section(struct show *show, const struct btf_type *type, u32 id, u64 address)
{
	const struct btf_var_secinfo *info = behind(type);

	if (!start(show, type, id, address))
		return;
	/* The kernel puts the name in the place of a value. */
	{
		struct name name;

		indent(show);
		make_name(show, &name);
		put(show, name.text);
		put(show, "section (\"");
		put(show, string_at(show, type->name_off));
		put(show, "\") = {");
		end_line(show);
	}
	for (u32 i = 0; i < BTF_INFO_VLEN(type->info) && show->parts <= PARTS_MAX; i++) {
		if (i)
			put(show, ",");
		show_type(show, type_at(show, info[i].type), info[i].type, address + info[i].offset,
			  0);
	}
	end(show);
}

static void show_type(struct show *show, const struct btf_type *type, u32 id, u64 address, u32 bit)
{
	if (is_modifier(kind_of(type)))
		type = skip(show, id, true);
	else if (kind_of(type) == BTF_KIND_VAR)
		type = skip(show, type->type, true);
	if (++show->nesting > NESTING_MAX) {
		show->status = -E2BIG;
		show->nesting--;
		return;
	}
	switch (kind_of(type)) {
	case BTF_KIND_INT: show_int(show, type, id, address, bit); break;
	case BTF_KIND_PTR: show_pointer(show, type, id, address); break;
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64: show_enum(show, type, id, address); break;
	case BTF_KIND_ARRAY:
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION: show_aggregate(show, type, id, address, bit); break;
	case BTF_KIND_DATASEC: show_section(show, type, id, address); break;
	default: show_other(show, kind_of(type));
	}
	show->nesting--;
}

long rt_show(u64 address, u32 type_id, u64 flags, struct rt_show_text *text, struct rt_vcpu *vcpu)
{
	struct show show = {
		.btf = READ_ONCE(RT_CONTROL->btf), .vcpu = vcpu, .text = text, .flags = flags
	};
	const struct btf_type *type;

	if (flags & ~(u64)(BTF_F_COMPACT | BTF_F_NONAME | BTF_F_PTR_RAW | BTF_F_ZERO))
		return -EINVAL;
	if (!show.btf || !type_id)
		return -EINVAL;
	type = type_at(&show, type_id);
	if (!type)
		return -ENOENT;
	show_type(&show, type, type_id, address, 0);
	if (show.parts > PARTS_MAX)
		return -E2BIG;
	return show.status;
}
