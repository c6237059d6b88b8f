/* SPDX-License-Identifier: BSD-2-Clause */
/* See model.h. Where a member lies is looked up once, when the model is made. */
#include "model/model.h"
#include "base/alloc.h"
#include "btf/btf.h"

#include <errno.h>
#include <string.h>

#define ALIGNMENT 64u

struct place {
	u32 bit_offset, bits; /* bits 0: there is no such member */
};

struct model {
	const struct btf *btf;
	u8 *memory;
	u64 size, used;
	struct place places[MODEL_NR_FIELDS];
};

static const struct {
	const char *structure, *member;
} fields[] = {
#define X(name, structure, member) { structure, member },
	MODEL_FIELDS(X)
#undef X
};

static bool is_struct(const struct btf_type *type)
{
	return type &&
	       (btf_kind_of(type) == BTF_KIND_STRUCT || btf_kind_of(type) == BTF_KIND_UNION);
}

/*
 * The member whose name begins at path and ends at a dot or the end; anonymous ones are searched.
 * Nesting is bounded: the BTF was checked.
 */
static bool find(const struct btf *btf, const struct btf_type *type, const char *path, u32 base,
		 struct place *ret_place)
{
	size_t length = strcspn(path, ".");
	const struct btf_member *members = btf_members_of(type);

	for (u32 i = 0; i < btf_vlen_of(type); i++) {
		const struct btf_member *member = &members[i];
		const char *name = btf_string(btf, member->name_off);
		const struct btf_type *inner = btf_skip_modifiers(btf, member->type, NULL);
		u32 offset = base + btf_member_offset(type, member), size;

		if (!name || !inner)
			continue;
		if (!*name && is_struct(inner) && find(btf, inner, path, offset, ret_place))
			return true;
		if (strlen(name) != length || strncmp(name, path, length) != 0)
			continue;
		if (path[length])
			return is_struct(inner) &&
			       find(btf, inner, path + length + 1, offset, ret_place);
		if (btf_size_of(btf, member->type, &size))
			return false;
		ret_place->bit_offset = offset;
		ret_place->bits = btf_member_bits(type, member);
		if (!ret_place->bits)
			ret_place->bits = size * 8;
		return true;
	}
	return false;
}

struct model *model_new(const struct btf *btf, void *memory, u64 size)
{
	struct model *model = base_zalloc(1, sizeof(*model));
	const struct btf_type *type;

	if (!model)
		return NULL;
	model->btf = btf;
	model->memory = memory;
	model->size = size;
	for (u32 i = 0; i < MODEL_NR_FIELDS; i++) {
		type = btf_type_by_id(btf, btf_find(btf, fields[i].structure, BTF_KIND_STRUCT));
		if (is_struct(type))
			find(btf, type, fields[i].member, 0, &model->places[i]);
	}
	return model;
}

struct model *model_free(struct model *model)
{
	base_free(model);
	return NULL;
}

void model_reset(struct model *model)
{
	model->used = 0;
}

static void *take(struct model *model, u64 size)
{
	u64 at = model->used, room = ALIGN_UP(size, (u64)ALIGNMENT);

	if (room < size || room > model->size - at)
		return NULL;
	model->used += room;
	return memset(model->memory + at, 0, room);
}

void *model_object(struct model *model, const char *structure)
{
	u32 id = btf_find(model->btf, structure, BTF_KIND_STRUCT), size;

	if (!id || btf_size_of(model->btf, id, &size))
		return NULL;
	return take(model, size);
}

void *model_bytes(struct model *model, const void *bytes, u64 size)
{
	void *copy = take(model, size);

	return copy ? memcpy(copy, bytes, size) : NULL;
}

void model_set(struct model *model, void *object, enum model_field field, u64 value)
{
	const struct place *place = &model->places[field];
	u8 *byte;

	if (!object || !place->bits)
		return;
	byte = (u8 *)object + place->bit_offset / 8;
	if (place->bit_offset % 8 == 0 && place->bits % 8 == 0) {
		memcpy(byte, &value, place->bits < 64 ? place->bits / 8 : 8);
		return;
	}
	for (u32 i = 0; i < place->bits && i < 64; i++) {
		u32 bit = place->bit_offset + i;

		byte = (u8 *)object + bit / 8;
		*byte = (u8)((*byte & ~(1u << (bit % 8))) | (value >> i & 1) << (bit % 8));
	}
}

void model_set_pointer(struct model *model, void *object, enum model_field field,
		       const void *pointer)
{
	model_set(model, object, field, (u64)pointer);
}

void *model_member(struct model *model, void *object, enum model_field field)
{
	const struct place *place = &model->places[field];

	return object && place->bits && place->bit_offset % 8 == 0
		       ? (u8 *)object + place->bit_offset / 8
		       : NULL;
}

void model_set_bytes(struct model *model, void *object, enum model_field field, const void *bytes,
		     u64 size)
{
	const struct place *place = &model->places[field];

	if (object && bytes && place->bits && place->bit_offset % 8 == 0)
		memcpy((u8 *)object + place->bit_offset / 8, bytes,
		       size < place->bits / 8 ? size : place->bits / 8);
}

void model_set_text(struct model *model, void *object, enum model_field field, const char *text)
{
	u64 room = model->places[field].bits / 8, length = strlen(text);

	if (room)
		model_set_bytes(model, object, field, text, length < room ? length : room - 1);
}

int model_place(const struct model *model, enum model_field field, u32 *ret_offset, u32 *ret_size)
{
	const struct place *place = &model->places[field];

	if (!place->bits || place->bit_offset % 8)
		return -ENOENT;
	*ret_offset = place->bit_offset / 8;
	*ret_size = place->bits / 8;
	return 0;
}
