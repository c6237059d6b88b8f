/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See btf_json.h. libbpf has checked the shape of the BTF; sizes and depth are checked here, so
 * that no BTF makes us read beyond the value or nest without end.
 */
#include "btf_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 32

struct value {
	const struct btf *btf;
	const unsigned char *data;
	size_t size;
};

static struct json_object *print(const struct value *value, __u32 id, size_t bit, int depth);

/* nr_bits (1 to 64) at bit, little-endian; false if the value has not got them. */
static bool read_bits(const struct value *value, size_t bit, unsigned nr_bits, __u64 *ret)
{
	unsigned __int128 word = 0;
	size_t byte = bit / 8, bytes = (bit % 8 + nr_bits + 7) / 8;

	if (!nr_bits || nr_bits > 64 || byte > value->size || bytes > value->size - byte)
		return false;
	memcpy(&word, value->data + byte, bytes);
	word >>= bit % 8;
	*ret = (__u64)word & (nr_bits == 64 ? ~0ULL : (1ULL << nr_bits) - 1);
	return true;
}

static struct json_object *print_number(__u64 bits, unsigned nr_bits, bool is_signed)
{
	if (is_signed)
		return json_object_new_int64((__s64)(bits << (64 - nr_bits)) >> (64 - nr_bits));
	return json_object_new_uint64(bits);
}

static struct json_object *print_int(const struct value *value, const struct btf_type *type,
				     size_t bit, unsigned nr_bits)
{
	int encoding = btf_int_encoding(type);
	__u64 bits;

	if (btf_int_bits(type) > 64) {
		size_t bytes = btf_int_bits(type) / 8;

		if (bit % 8 || bit / 8 > value->size || bytes > value->size - bit / 8)
			return NULL;
		return btf_json_hex(value->data + bit / 8, bytes);
	}
	if (!nr_bits)
		nr_bits = btf_int_bits(type);
	if (!read_bits(value, bit + btf_int_offset(type), nr_bits, &bits))
		return NULL;
	if (encoding & BTF_INT_BOOL)
		return json_object_new_boolean(bits != 0);
	return print_number(bits, nr_bits, encoding & BTF_INT_SIGNED);
}

static struct json_object *print_float(const struct value *value, const struct btf_type *type,
				       size_t bit)
{
	__u64 bits;
	double number;
	float single;

	if (!read_bits(value, bit, type->size * 8, &bits))
		return NULL;
	memcpy(&number, &bits, sizeof(number));
	memcpy(&single, &bits, sizeof(single));
	if (type->size == sizeof(double))
		return json_object_new_double(number);
	return type->size == sizeof(float) ? json_object_new_double(single) : NULL;
}

static struct json_object *print_enum(const struct value *value, const struct btf_type *type,
				      size_t bit, unsigned nr_bits)
{
	bool wide = btf_kind(type) == BTF_KIND_ENUM64;
	__u64 bits, mask;

	if (!nr_bits)
		nr_bits = type->size * 8;
	if (!read_bits(value, bit, nr_bits, &bits))
		return NULL;
	mask = nr_bits == 64 ? ~0ULL : (1ULL << nr_bits) - 1;
	for (unsigned i = 0; i < btf_vlen(type); i++) {
		__u64 number = wide ? btf_enum64_value(btf_enum64(type) + i)
				    : (__u64)(__s64)btf_enum(type)[i].val;
		__u32 name = wide ? btf_enum64(type)[i].name_off : btf_enum(type)[i].name_off;

		if ((number & mask) == bits)
			return json_object_new_string(btf__name_by_offset(value->btf, name));
	}
	return print_number(bits, nr_bits, btf_kflag(type));
}

static bool is_char(const struct btf *btf, __u32 id)
{
	const struct btf_type *type = btf__type_by_id(btf, (__u32)btf__resolve_type(btf, id));

	return type && btf_is_int(type) && type->size == 1 &&
	       !(btf_int_encoding(type) & BTF_INT_BOOL) &&
	       !strcmp(btf__name_by_offset(btf, type->name_off), "char");
}

/* Text up to its NUL, if all of it can be shown; otherwise NULL, and it is printed as numbers. */
static struct json_object *print_text(const struct value *value, size_t byte, size_t length)
{
	size_t text = 0;

	if (byte > value->size || length > value->size - byte)
		return NULL;
	while (text < length && value->data[byte + text])
		text++;
	for (size_t i = 0; i < text; i++)
		if (value->data[byte + i] >= 0x80 || value->data[byte + i] == 0x7f)
			return NULL;
	return json_object_new_string_len((const char *)value->data + byte, (int)text);
}

static struct json_object *print_array(const struct value *value, const struct btf_type *type,
				       size_t bit, int depth)
{
	const struct btf_array *array = btf_array(type);
	long long size = btf__resolve_size(value->btf, array->type);
	struct json_object *list;

	if (bit % 8 == 0 && is_char(value->btf, array->type)) {
		list = print_text(value, bit / 8, array->nelems);
		if (list)
			return list;
	}
	if (size <= 0)
		return NULL;
	list = json_object_new_array();
	for (size_t i = 0; i < array->nelems; i++) {
		if (bit / 8 + (i + 1) * (size_t)size > value->size)
			break;
		json_object_array_add(
			list, print(value, array->type, bit + i * 8 * (size_t)size, depth + 1));
	}
	return list;
}

static struct json_object *print_field(const struct value *value, __u32 id, size_t bit,
				       unsigned nr_bits, int depth)
{
	const struct btf_type *type;
	int resolved = nr_bits ? btf__resolve_type(value->btf, id) : 0;

	if (!nr_bits)
		return print(value, id, bit, depth);
	type = resolved > 0 ? btf__type_by_id(value->btf, (__u32)resolved) : NULL;
	if (type && btf_is_int(type))
		return print_int(value, type, bit, nr_bits);
	return type && btf_is_any_enum(type) ? print_enum(value, type, bit, nr_bits) : NULL;
}

/* Members of an anonymous structure belong to the one around it. */
static void print_members(const struct value *value, const struct btf_type *type, size_t bit,
			  int depth, struct json_object *object)
{
	for (unsigned i = 0; i < btf_vlen(type); i++) {
		const struct btf_member *member = btf_members(type) + i;
		const char *name = btf__name_by_offset(value->btf, member->name_off);
		size_t at = bit + btf_member_bit_offset(type, i);
		const struct btf_type *inner = btf__type_by_id(value->btf, member->type);

		if (!*name && inner && btf_is_composite(inner) && depth < DEPTH_MAX)
			print_members(value, inner, at, depth + 1, object);
		else if (*name)
			json_object_object_add(object, name,
					       print_field(value, member->type, at,
							   btf_member_bitfield_size(type, i),
							   depth + 1));
	}
}

static struct json_object *print_section(const struct value *value, const struct btf_type *type,
					 int depth)
{
	struct json_object *object = json_object_new_object();

	for (unsigned i = 0; i < btf_vlen(type); i++) {
		const struct btf_var_secinfo *info = btf_var_secinfos(type) + i;
		const struct btf_type *var = btf__type_by_id(value->btf, info->type);

		if (var && btf_is_var(var))
			json_object_object_add(
				object, btf__name_by_offset(value->btf, var->name_off),
				print(value, var->type, info->offset * 8UL, depth + 1));
	}
	return object;
}

static struct json_object *print_pointer(const struct value *value, size_t bit)
{
	char text[20];
	__u64 bits;

	if (!read_bits(value, bit, 64, &bits))
		return NULL;
	snprintf(text, sizeof(text), "0x%llx", bits);
	return json_object_new_string(text);
}

static struct json_object *print(const struct value *value, __u32 id, size_t bit, int depth)
{
	int resolved = btf__resolve_type(value->btf, id);
	const struct btf_type *type =
		resolved > 0 ? btf__type_by_id(value->btf, (__u32)resolved) : NULL;
	struct json_object *object;

	if (!type || depth > DEPTH_MAX)
		return NULL;
	switch (btf_kind(type)) {
	case BTF_KIND_INT: return print_int(value, type, bit, 0);
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64: return print_enum(value, type, bit, 0);
	case BTF_KIND_FLOAT: return print_float(value, type, bit);
	case BTF_KIND_PTR: return print_pointer(value, bit);
	case BTF_KIND_ARRAY: return print_array(value, type, bit, depth);
	case BTF_KIND_DATASEC: return print_section(value, type, depth);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		object = json_object_new_object();
		print_members(value, type, bit, depth, object);
		return object;
	default: return NULL;
	}
}

struct json_object *btf_json_value(const struct btf *btf, __u32 id, const void *data, size_t size)
{
	struct value value = { .btf = btf, .data = data, .size = size };

	return print(&value, id, 0, 0);
}

struct json_object *btf_json_hex(const void *data, size_t size)
{
	struct json_object *object;
	char *text = malloc(2 * size + 1);

	if (!text)
		return NULL;
	for (size_t i = 0; i < size; i++)
		snprintf(text + 2 * i, 3, "%02x", ((const unsigned char *)data)[i]);
	text[2 * size] = '\0';
	object = json_object_new_string(text);
	free(text);
	return object;
}
