/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which structures of a program's BTF have special fields, so that a program that allocates one may
 * put it into a list, a tree or a map: found once, when the BTF is loaded. Facts of Linux 6.18:
 * btf_parse_struct_metas() and btf_check_and_fixup_fields() in kernel/bpf/btf.c. What it costs is
 * bounded by the BTF's size: tags are sorted, and a structure is only looked into if a member of it
 * is of one of the types in question.
 */
#include "btf/fields.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "btf/check.h"

#define TAG "contains:"

/* Structures that make another one's record; a bpf_res_spin_lock alone does not. */
static const char *const makers[] = {
	"bpf_spin_lock", "bpf_list_head", "bpf_list_node",
	"bpf_rb_root",	 "bpf_rb_node",	  "bpf_refcount",
};

static int compare_contains(const void *a, const void *b)
{
	const struct btf_contains *x = a, *y = b;

	if (x->type != y->type)
		return x->type < y->type ? -1 : 1;
	return x->component < y->component ? -1 : x->component > y->component;
}

static bool is_contains(const struct btf *btf, const struct btf_type *type)
{
	const char *name = btf_string(btf, type->name_off);

	return btf_kind_of(type) == BTF_KIND_DECL_TAG && name &&
	       !strncmp(name, TAG, sizeof(TAG) - 1);
}

static int index_tags(struct btf *btf)
{
	struct btf_objects *objects = btf->objects;
	u32 nr = 0;

	for (u32 id = 1; id < btf->nr_types; id++)
		nr += is_contains(btf, btf->types[id]);
	if (!nr)
		return 0;
	objects->contains = base_zalloc(nr, sizeof(*objects->contains));
	if (!objects->contains)
		return -ENOMEM;
	for (u32 id = 1; id < btf->nr_types; id++) {
		const struct btf_type *type = btf->types[id];

		if (!is_contains(btf, type))
			continue;
		objects->contains[objects->nr_contains++] = (struct btf_contains){
			type->type, ((const struct btf_decl_tag *)(type + 1))->component_idx, id
		};
	}
	qsort(objects->contains, nr, sizeof(*objects->contains), compare_contains);
	return 0;
}

const char *btf_contains_of(const struct btf *btf, u32 type, s32 component)
{
	const struct btf_objects *objects = btf->objects;
	struct btf_contains key = { .type = type, .component = component };
	const struct btf_contains *found, *end;

	if (!objects || !objects->nr_contains)
		return NULL;
	end = objects->contains + objects->nr_contains;
	found = bsearch(&key, objects->contains, objects->nr_contains, sizeof(key),
			compare_contains);
	if (!found || (found > objects->contains && !compare_contains(found - 1, &key)) ||
	    (found + 1 < end && !compare_contains(found + 1, &key)))
		return NULL;
	return btf_type_name(btf, found->tag) + sizeof(TAG) - 1;
}

/* Would a member of this type make the structure around it one with a record? */
static bool makes_record(const struct btf *btf, u32 id, bool *ret_pointer)
{
	const struct btf_type *type = btf_type_by_id(btf, id);
	u32 pointee;

	if (!type)
		return false;
	if (btf_kind_of(type) == BTF_KIND_STRUCT) {
		for (u32 i = 0; i < ARRAY_SIZE(makers); i++)
			if (btf_find(btf, makers[i], BTF_KIND_STRUCT) == id)
				return true;
		return false;
	}
	*ret_pointer = btf_pointer_field(btf, type, &pointee) >= 0;
	return *ret_pointer;
}

/* Has some member such a type? *ret_pointer becomes true if one is a tagged pointer. */
static bool has_record(const struct btf *btf, const struct btf_type *type, bool *ret_pointer)
{
	bool found = false, pointer;

	if (btf_kind_of(type) != BTF_KIND_STRUCT)
		return false;
	for (u32 i = 0; i < btf_vlen_of(type); i++) {
		pointer = false;
		found |= makes_record(btf, btf_members_of(type)[i].type, &pointer);
		*ret_pointer |= pointer;
	}
	return found;
}

static int parse_object(struct btf *btf, u32 id, struct btf_object *object)
{
	struct btf_fields fields;
	int err = btf_fields_parse(btf, id, BTF_FIELDS_OF_OBJECTS, btf->types[id]->size, &fields);

	if (err)
		return err;
	if (!fields.nr)
		return -EFAULT;
	object->id = id;
	object->fields = base_memdup(&fields, offsetof(struct btf_fields, field) +
						      fields.nr * sizeof(fields.field[0]));
	return object->fields ? 0 : -ENOMEM;
}

static int parse_objects(struct btf *btf, u32 nr)
{
	struct btf_objects *objects = btf->objects;
	bool pointer = false;
	int err = 0;

	objects->object = base_zalloc(nr, sizeof(*objects->object));
	if (!objects->object)
		return -ENOMEM;
	for (u32 id = 1; id < btf->nr_types && !err; id++) {
		if (!has_record(btf, btf->types[id], &pointer))
			continue;
		err = parse_object(btf, id, &objects->object[objects->nr]);
		objects->nr += !err;
	}
	return err;
}

/* Owners that may be owned themselves own only what owns nothing: no circle can come about. */
static int check_ownership(const struct btf *btf)
{
	const struct btf_objects *objects = btf->objects;

	for (u32 i = 0; i < objects->nr; i++) {
		const struct btf_fields *fields = objects->object[i].fields;

		for (u32 f = 0; f < fields->nr; f++) {
			const struct btf_fields *owned;

			if (!(BTF_FIELD_BIT(fields->field[f].kind) & BTF_FIELDS_ROOT))
				continue;
			owned = btf_fields_of_object(btf, fields->field[f].type_id);
			if (!owned)
				return -EFAULT;
			if (fields->kinds & BTF_FIELDS_NODE && owned->kinds & BTF_FIELDS_ROOT)
				return -ELOOP;
		}
	}
	return 0;
}

int btf_find_objects(struct btf *btf, const struct btf *(*kernel)(void *arg), void *arg)
{
	bool pointer = false;
	u32 nr = 0;
	int err;

	btf->objects = base_zalloc(1, sizeof(*btf->objects));
	if (!btf->objects)
		return -ENOMEM;
	err = index_tags(btf);
	for (u32 id = 1; id < btf->nr_types && !err; id++) {
		u32 pointee;

		nr += has_record(btf, btf->types[id], &pointer);
		/* Also those of sections, which are no structures. */
		pointer |= btf_pointer_field(btf, btf->types[id], &pointee) >= 0;
	}
	if (err)
		return err;
	if (pointer && kernel)
		btf->objects->kernel = kernel(arg);
	if (!nr)
		return 0;
	err = parse_objects(btf, nr);
	return err ? err : check_ownership(btf);
}

void btf_objects_free(struct btf_objects *objects)
{
	if (!objects)
		return;
	for (u32 i = 0; i < objects->nr; i++)
		base_free(objects->object[i].fields);
	base_free(objects->object);
	base_free(objects->contains);
	base_free(objects);
}

static int compare_object(const void *a, const void *b)
{
	const struct btf_object *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

const struct btf_fields *btf_fields_of_object(const struct btf *btf, u32 id)
{
	const struct btf_objects *objects = btf ? btf->objects : NULL;
	struct btf_object key = { .id = id }, *found;

	if (!objects || !objects->nr)
		return NULL;
	found = bsearch(&key, objects->object, objects->nr, sizeof(key), compare_object);
	return found ? found->fields : NULL;
}

bool btf_is_program(const struct btf *btf)
{
	return btf->objects != NULL;
}
