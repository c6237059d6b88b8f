/* SPDX-License-Identifier: BSD-2-Clause */
/* See model.h. Where a member lies is looked up once, when the model is made. */
#include "model/model.h"
#include "base/alloc.h"
#include "btf/btf.h"

#include <errno.h>
#include <string.h>

#define ALIGNMENT 64u
#define KNOWN_MAX 32u

struct place {
	u32 bit_offset, bits; /* bits 0: there is no such member */
};

struct model {
	const struct btf *btf;
	u8 *memory;
	u64 size, used;
	struct place places[MODEL_NR_FIELDS];
	/* Structures that images were made of: looking one up in the BTF takes long. */
	struct {
		const char *structure; /* lives as long as the program: a literal */
		u32 size;
	} known[KNOWN_MAX];
	u32 nr_known;
};

static const struct {
	const char *structure, *member;
} fields[] = {
#define X(name, structure, member) { structure, member },
	MODEL_FIELDS(X)
#undef X
};

struct model *model_new(const struct btf *btf, void *memory, u64 size)
{
	struct model *model = base_zalloc(1, sizeof(*model));

	if (!model)
		return NULL;
	model->btf = btf;
	model->memory = memory;
	model->size = size;
	for (u32 i = 0; i < MODEL_NR_FIELDS; i++)
		btf_find_path(btf, fields[i].structure, fields[i].member,
			      &model->places[i].bit_offset, &model->places[i].bits);
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

/* 0: the BTF has no such structure. */
static u32 size_of(struct model *model, const char *structure)
{
	u32 size, id;

	for (u32 i = 0; i < model->nr_known; i++)
		if (!strcmp(model->known[i].structure, structure))
			return model->known[i].size;
	id = btf_find(model->btf, structure, BTF_KIND_STRUCT);
	if (!id || btf_size_of(model->btf, id, &size))
		return 0;
	if (model->nr_known < KNOWN_MAX) {
		model->known[model->nr_known].structure = structure;
		model->known[model->nr_known++].size = size;
	}
	return size;
}

void *model_object(struct model *model, const char *structure)
{
	u32 size = size_of(model, structure);

	return size ? take(model, size) : NULL;
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
