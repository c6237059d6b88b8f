/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The BTF object: made by the three steps of check.h, then asked by id, by name, by size. Queries
 * rely on what the steps proved (ids exist or are answered with NULL, chains end), and take no
 * lock: a struct btf does not change.
 */
#include "btf/check.h"
#include "base/alloc.h"

#include <errno.h>
#include <string.h>

static u32 name_hash(const char *name, u32 kind)
{
	u32 hash = 2166136261u ^ kind;

	for (; *name; name++)
		hash = (hash ^ (u8)*name) * 16777619u;
	return hash;
}

static int index_names(struct btf *btf)
{
	u32 room = 64, id, slot;
	const char *name;

	while (room < btf->nr_types * 2)
		room *= 2;
	btf->by_name = base_zalloc(room, sizeof(u32));
	if (!btf->by_name)
		return -ENOMEM;
	btf->by_name_mask = room - 1;
	for (id = 1; id < btf->nr_types; id++) {
		name = btf_type_name(btf, id);
		if (!name[0])
			continue;
		slot = name_hash(name, btf_kind_of(btf->types[id])) & btf->by_name_mask;
		/* Chains stay short even if a blob repeats one name: a repeated name is not entered
		 * again. */
		for (; btf->by_name[slot]; slot = (slot + 1) & btf->by_name_mask) {
			u32 other = btf->by_name[slot];

			if (btf_kind_of(btf->types[other]) == btf_kind_of(btf->types[id]) &&
			    !strcmp(btf_type_name(btf, other), name))
				break;
		}
		if (!btf->by_name[slot])
			btf->by_name[slot] = id;
	}
	return 0;
}

int btf_new(const void *data, u32 size, const struct btf_log *log, struct btf **ret_btf)
{
	struct btf_check check = { .log = log };
	u32 header_length = 0, shift;
	struct btf *btf;
	int error;

	if (size > BTF_SIZE_MAX)
		return -E2BIG;
	btf = base_zalloc(1, sizeof(*btf));
	if (!btf)
		return -ENOMEM;
	/* Types are read in place: put them on a word boundary whatever the header's length is. */
	if (size >= offsetof(struct btf_header, hdr_len) + sizeof(u32))
		memcpy(&header_length, (const u8 *)data + offsetof(struct btf_header, hdr_len),
		       sizeof(header_length));
	shift = -header_length % sizeof(u32);
	btf->memory = base_alloc((size_t)size + sizeof(u32));
	if (!btf->memory) {
		btf_free(btf);
		return -ENOMEM;
	}
	btf->data = btf->memory + shift;
	btf->size = size;
	if (size)
		memcpy(btf->data, data, size);
	check.btf = btf;
	error = btf_check_sections(&check);
	if (!error)
		error = btf_check_metas(&check);
	if (!error)
		error = btf_check_references(&check);
	if (!error)
		error = btf_check_type_tags(&check);
	if (!error)
		error = index_names(btf);
	base_free(check.visit);
	if (error) {
		btf_free(btf);
		return error;
	}
	*ret_btf = btf;
	return 0;
}

struct btf *btf_free(struct btf *btf)
{
	if (!btf)
		return NULL;
	base_free(btf->memory);
	base_free(btf->types);
	base_free(btf->resolved_id);
	base_free(btf->resolved_size);
	base_free(btf->by_name);
	btf_objects_free(btf->objects);
	base_free(btf);
	return NULL;
}

const void *btf_data(const struct btf *btf, u32 *ret_size)
{
	*ret_size = btf->size;
	return btf->data;
}

u32 btf_nr_types(const struct btf *btf)
{
	return btf->nr_types;
}

const struct btf_type *btf_type_by_id(const struct btf *btf, u32 id)
{
	return id < btf->nr_types ? btf->types[id] : NULL;
}

const char *btf_string(const struct btf *btf, u32 offset)
{
	return offset < btf->header.str_len ? btf->strings + offset : NULL;
}

const char *btf_type_name(const struct btf *btf, u32 id)
{
	const struct btf_type *type = btf_type_by_id(btf, id);

	return type ? btf_string(btf, type->name_off) : NULL;
}

u32 btf_find(const struct btf *btf, const char *name, u32 kind)
{
	u32 slot = name_hash(name, kind) & btf->by_name_mask, id;

	for (; (id = btf->by_name[slot]); slot = (slot + 1) & btf->by_name_mask)
		if (btf_kind_of(btf->types[id]) == kind && !strcmp(btf_type_name(btf, id), name))
			return id;
	return 0;
}

const struct btf_type *btf_skip_modifiers(const struct btf *btf, u32 id, u32 *ret_id)
{
	const struct btf_type *type = btf_type_by_id(btf, id);

	while (type && btf_is_modifier(type)) {
		id = type->type;
		type = btf_type_by_id(btf, id);
	}
	if (type && ret_id)
		*ret_id = id;
	return type;
}

/* Size of a type that has one by itself: false for modifiers, variables and what has no size. */
static bool own_size(const struct btf *btf, u32 id, u32 *ret_size)
{
	const struct btf_type *type = btf->types[id];

	if (btf_has_size(type)) {
		*ret_size = type->size;
		return true;
	}
	switch (btf_kind_of(type)) {
	case BTF_KIND_ARRAY: *ret_size = btf->resolved_size[id]; return true;
	case BTF_KIND_PTR: *ret_size = sizeof(u64); return true;
	default: return false;
	}
}

const struct btf_type *btf_sized_type(const struct btf *btf, u32 *id, u32 *ret_size)
{
	const struct btf_type *type = btf_type_by_id(btf, *id);
	u32 target = *id, size;

	if (!type)
		return NULL;
	if (btf_is_modifier(type) || btf_kind_of(type) == BTF_KIND_VAR)
		target = btf->resolved_id[target];
	if (!own_size(btf, target, &size))
		return NULL;
	*id = target;
	if (ret_size)
		*ret_size = size;
	return btf->types[target];
}

int btf_size_of(const struct btf *btf, u32 id, u32 *ret_size)
{
	return btf_sized_type(btf, &id, ret_size) ? 0 : -EINVAL;
}

const struct btf_member *btf_find_member(const struct btf *btf, const struct btf_type *type,
					 const char *name)
{
	u32 i;

	if (!btf_is_aggregate(type))
		return NULL;
	for (i = 0; i < btf_vlen_of(type); i++)
		if (!strcmp(btf_string(btf, btf_members_of(type)[i].name_off), name))
			return &btf_members_of(type)[i];
	return NULL;
}

const struct btf_type *btf_func_proto(const struct btf *btf, u32 func_id)
{
	const struct btf_type *type = btf_type_by_id(btf, func_id);

	return type && btf_kind_of(type) == BTF_KIND_FUNC ? btf_type_by_id(btf, type->type) : NULL;
}

int btf_func_linkage(const struct btf *btf, u32 func_id)
{
	const struct btf_type *type = btf_type_by_id(btf, func_id);

	return type && btf_kind_of(type) == BTF_KIND_FUNC ? (int)btf_vlen_of(type) : -EINVAL;
}

const char *btf_kind_text(const struct btf_type *type)
{
	static const char *const names[] = {
		[BTF_KIND_INT] = "INT",
		[BTF_KIND_PTR] = "PTR",
		[BTF_KIND_ARRAY] = "ARRAY",
		[BTF_KIND_STRUCT] = "STRUCT",
		[BTF_KIND_UNION] = "UNION",
		[BTF_KIND_ENUM] = "ENUM",
		[BTF_KIND_FWD] = "FWD",
		[BTF_KIND_FUNC] = "FUNC",
		[BTF_KIND_FUNC_PROTO] = "FUNC_PROTO",
		[BTF_KIND_FLOAT] = "FLOAT",
		[BTF_KIND_ENUM64] = "ENUM64",
	};
	u32 kind = type ? btf_kind_of(type) : BTF_KIND_UNKN;

	return kind < ARRAY_SIZE(names) && names[kind] ? names[kind] : "UNKNOWN";
}
