/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See fields.h. The walk goes into nested structures and arrays of them; its depth is bounded, and
 * what it finds is too.
 */
#include "btf/fields.h"

#include <errno.h>
#include <string.h>

#include "btf/check.h"
#include "btf/walk.h"

#define DEPTH_MAX 32 /* MAX_RESOLVE_DEPTH */

static const struct {
	const char *structure; /* NULL: a tagged pointer */
	const char *name;
	u8 size, align;
	bool once; /* one in a value */
	bool repeats;
} kinds[BTF_FIELD_NR_KINDS] = {
	[BTF_FIELD_SPIN_LOCK] = { "bpf_spin_lock", "bpf_spin_lock", 4, 4, true, false },
	[BTF_FIELD_RES_SPIN_LOCK] = { "bpf_res_spin_lock", "bpf_res_spin_lock", 4, 4, true, false },
	[BTF_FIELD_TIMER] = { "bpf_timer", "bpf_timer", 16, 8, true, false },
	[BTF_FIELD_WORKQUEUE] = { "bpf_wq", "bpf_wq", 16, 8, true, false },
	[BTF_FIELD_TASK_WORK] = { "bpf_task_work", "bpf_task_work", 8, 8, true, false },
	[BTF_FIELD_LIST_HEAD] = { "bpf_list_head", "bpf_list_head", 16, 8, false, true },
	[BTF_FIELD_LIST_NODE] = { "bpf_list_node", "bpf_list_node", 24, 8, false, false },
	[BTF_FIELD_RB_ROOT] = { "bpf_rb_root", "bpf_rb_root", 16, 8, false, true },
	[BTF_FIELD_RB_NODE] = { "bpf_rb_node", "bpf_rb_node", 32, 8, false, false },
	[BTF_FIELD_REFCOUNT] = { "bpf_refcount", "bpf_refcount", 4, 4, true, false },
	[BTF_FIELD_KPTR_UNREF] = { NULL, "kptr", 8, 8, false, true },
	[BTF_FIELD_KPTR_REF] = { NULL, "kptr", 8, 8, false, true },
	[BTF_FIELD_KPTR_PERCPU] = { NULL, "percpu_kptr", 8, 8, false, true },
	[BTF_FIELD_UPTR] = { NULL, "uptr", 8, 8, false, true },
};

const char *btf_field_name(u32 kind)
{
	return kind < BTF_FIELD_NR_KINDS ? kinds[kind].name : "";
}

const struct btf_field *btf_field_of(const struct btf_fields *fields, u32 kind)
{
	for (u32 i = 0; fields && i < fields->nr; i++)
		if (fields->field[i].kind == kind)
			return &fields->field[i];
	return NULL;
}

struct search {
	const struct btf *btf;
	u32 wanted; /* set of kinds */
	struct btf_fields *fields;
};

static int find_in(struct search *search, u32 id, u32 offset, u32 depth);

static int add(struct search *search, struct btf_field field)
{
	struct btf_fields *fields = search->fields;

	if (fields->nr == BTF_FIELDS_MAX)
		return -E2BIG;
	fields->field[fields->nr++] = field;
	fields->kinds |= BTF_FIELD_BIT(field.kind);
	return 0;
}

/* What was found from index first on, again for each further element of an array. */
static int repeat(struct search *search, u32 first, u32 times, u32 stride)
{
	struct btf_fields *fields = search->fields;
	u32 nr = fields->nr - first;
	int err = 0;

	for (u32 i = first; i < fields->nr; i++)
		if (times > 1 && !kinds[fields->field[i].kind].repeats)
			return -EINVAL;
	for (u32 t = 1; t < times && !err; t++) {
		for (u32 i = 0; i < nr && !err; i++) {
			struct btf_field field = fields->field[first + i];

			field.offset += t * stride;
			err = add(search, field);
		}
		if (!nr)
			break;
	}
	return err;
}

int btf_pointer_field(const struct btf *btf, const struct btf_type *type, u32 *ret_pointee)
{
	const struct btf_type *tag, *base;
	const char *name;
	int kind;

	if (btf_kind_of(type) == BTF_KIND_VOLATILE)
		type = btf_type_by_id(btf, type->type);
	if (!type || btf_kind_of(type) != BTF_KIND_PTR)
		return -1;
	tag = btf_type_by_id(btf, type->type);
	if (!tag || btf_kind_of(tag) != BTF_KIND_TYPE_TAG)
		return -1;
	base = btf_type_by_id(btf, tag->type);
	if (!base || btf_kind_of(base) == BTF_KIND_TYPE_TAG)
		return -EINVAL;
	name = btf_string(btf, tag->name_off);
	if (name && !strcmp(name, "kptr_untrusted"))
		kind = BTF_FIELD_KPTR_UNREF;
	else if (name && !strcmp(name, "kptr"))
		kind = BTF_FIELD_KPTR_REF;
	else if (name && !strcmp(name, "percpu_kptr"))
		kind = BTF_FIELD_KPTR_PERCPU;
	else if (name && !strcmp(name, "uptr"))
		kind = BTF_FIELD_UPTR;
	else
		return -EINVAL;
	base = btf_skip_modifiers(btf, tag->type, ret_pointee);
	return base && btf_kind_of(base) == BTF_KIND_STRUCT ? kind : -EINVAL;
}

/* Structures of the kernel that a referenced pointer may keep: their destructors are known. */
static bool has_destructor(const char *name)
{
	static const char *const names[] = { "task_struct",	    "cgroup",
					     "bpf_cpumask",	    "bpf_crypto_ctx",
					     "prog_test_ref_kfunc", "prog_test_member" };

	for (u32 i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

/* What the pointer points to is the kernel's, if that has a structure of the name. */
static int resolve_pointer(const struct btf *btf, struct btf_field *field)
{
	const struct btf *kernel = btf->objects ? btf->objects->kernel : NULL;
	const char *name = btf_type_name(btf, field->type_id);
	u32 id = kernel && name && *name ? btf_find(kernel, name, BTF_KIND_STRUCT) : 0;

	field->btf = btf;
	if (!id)
		return 0;
	field->btf = kernel;
	field->type_id = id;
	return field->kind == BTF_FIELD_KPTR_REF && !has_destructor(name) ? -ENOENT : 0;
}

/* The tag "contains:TYPE:MEMBER" of a head or root. */
static int resolve_root(const struct btf *btf, const char *tag, struct btf_field *field)
{
	const char *colon = tag ? strchr(tag, ':') : NULL, *wanted;
	const struct btf_type *type, *node = NULL;
	char name[128];
	u32 id;

	if (!colon)
		return -EINVAL;
	if ((size_t)(colon - tag) >= sizeof(name))
		return -ENOENT;
	memcpy(name, tag, (size_t)(colon - tag));
	name[colon - tag] = '\0';
	id = btf_find(btf, name, BTF_KIND_STRUCT);
	if (!id)
		return -ENOENT;
	if (!colon[1])
		return -EINVAL;
	type = btf_type_by_id(btf, id);
	wanted = kinds[field->kind == BTF_FIELD_LIST_HEAD ? BTF_FIELD_LIST_NODE : BTF_FIELD_RB_NODE]
			 .structure;
	field->btf = btf;
	field->type_id = id;
	for (u32 i = 0; i < btf_vlen_of(type); i++) {
		const struct btf_member *member = btf_members_of(type) + i;
		u32 bits = btf_member_offset(type, member);

		if (strcmp(colon + 1, btf_string(btf, member->name_off)))
			continue;
		if (node)
			return -EINVAL;
		node = btf_type_by_id(btf, member->type);
		if (!node || btf_kind_of(node) != BTF_KIND_STRUCT ||
		    strcmp(wanted, btf_string(btf, node->name_off)) || bits % 64)
			return -EINVAL;
		field->node_offset = bits / 8;
	}
	return node ? 0 : -ENOENT;
}

/* The kind of a structure by its name; -1: none. */
static int struct_kind(const struct search *search, const struct btf_type *type)
{
	const char *name = btf_string(search->btf, type->name_off);

	for (int i = 0; name && i < BTF_FIELD_NR_KINDS; i++)
		if (kinds[i].structure && search->wanted & BTF_FIELD_BIT(i) &&
		    !strcmp(name, kinds[i].structure))
			return i;
	return -1;
}

/* A member or variable: its type, and where a tag on it is. */
struct place {
	u32 id, tagged;
	s32 component;
};

/* One member or variable; size: what a section says of it, 0: not said. */
static int find_one(struct search *search, struct place place, u32 offset, u32 size, u32 depth)
{
	u32 id = place.id;
	const struct btf_type *type = btf_type_by_id(search->btf, id);
	u32 nested = id;
	u32 nelems = 1, first = search->fields->nr, element;
	struct btf_field field = { .offset = offset };
	bool structure;
	int kind, err;

	for (u32 i = 0; type && btf_kind_of(type) == BTF_KIND_ARRAY; i++) {
		if (i == DEPTH_MAX)
			return -E2BIG;
		if (__builtin_mul_overflow(nelems, btf_array_of(type)->nelems, &nelems))
			return -E2BIG;
		nested = btf_array_of(type)->type;
		type = btf_type_by_id(search->btf, nested);
	}
	if (!type || !nelems)
		return 0;
	structure = btf_is_struct(type);
	kind = structure ? struct_kind(search, type) : -1;
	if (kind >= 0 && kinds[kind].once && search->fields->kinds & BTF_FIELD_BIT(kind))
		return -E2BIG;
	element = kind >= 0 ? kinds[kind].size : structure ? type->size : 8;
	if (size && (u64)size != (u64)element * nelems)
		return 0;
	if (structure && kind < 0) {
		err = find_in(search, nested, offset, depth + 1);
		return err ? err : repeat(search, first, nelems, element);
	}
	if (!structure) {
		kind = btf_pointer_field(search->btf, type, &field.type_id);
		if (kind < -1)
			return kind;
		if (kind < 0 || !(search->wanted & BTF_FIELD_BIT(kind)))
			return 0;
	}
	if (offset % kinds[kind].align || (structure && type->size != kinds[kind].size))
		return 0;
	field.kind = (u32)kind;
	field.size = kinds[kind].size;
	if (BTF_FIELDS_ROOT & BTF_FIELD_BIT(kind))
		err = resolve_root(search->btf,
				   btf_contains_of(search->btf, place.tagged, place.component),
				   &field);
	else
		err = BTF_FIELDS_KPTR & BTF_FIELD_BIT(kind) ? resolve_pointer(search->btf, &field)
							    : 0;
	if (!err)
		err = add(search, field);
	return err ? err : repeat(search, first, nelems, element);
}

static int find_in(struct search *search, u32 id, u32 offset, u32 depth)
{
	const struct btf_type *type = btf_type_by_id(search->btf, id);
	int err = 0;

	if (depth >= DEPTH_MAX)
		return -E2BIG;
	for (u32 i = 0; i < btf_vlen_of(type) && !err; i++) {
		if (btf_kind_of(type) == BTF_KIND_DATASEC) {
			const struct btf_var_secinfo *info = btf_secinfos_of(type) + i;
			const struct btf_type *var = btf_type_by_id(search->btf, info->type);

			struct place place = { var ? var->type : 0, info->type, -1 };

			if (var)
				err = find_one(search, place, info->offset, info->size, depth);
		} else {
			const struct btf_member *member = btf_members_of(type) + i;
			struct place place = { member->type, id, (s32)i };
			u32 bits = btf_member_offset(type, member);

			err = bits % 8 ? -EINVAL
				       : find_one(search, place, offset + bits / 8, 0, depth);
		}
	}
	return err;
}

/* No two overlap, none lies outside, and graphs have their lock. */
static int check(const struct btf_fields *fields, u32 value_size)
{
	u64 next = 0;

	for (u32 i = 0; i < fields->nr; i++) {
		const struct btf_field *field = &fields->field[i];

		if ((u64)field->offset + field->size > value_size)
			return -EFAULT;
		if (field->offset < next)
			return -EEXIST;
		next = (u64)field->offset + field->size;
	}
	if ((fields->kinds & BTF_FIELDS_LOCK) == BTF_FIELDS_LOCK)
		return -EINVAL;
	if (fields->kinds & BTF_FIELDS_ROOT && !(fields->kinds & BTF_FIELDS_LOCK))
		return -EINVAL;
	/* What is in two kinds of collections has to count who owns it. */
	return (fields->kinds & BTF_FIELDS_NODE) == BTF_FIELDS_NODE &&
			       !(fields->kinds & BTF_FIELD_BIT(BTF_FIELD_REFCOUNT))
		       ? -EINVAL
		       : 0;
}

int btf_fields_parse(const struct btf *btf, u32 id, u32 wanted, u32 value_size,
		     struct btf_fields *ret_fields)
{
	const struct btf_type *type = btf_type_by_id(btf, id);
	struct search search = { btf, wanted, ret_fields };
	int err;

	memset(ret_fields, 0, sizeof(*ret_fields));
	if (!type || (!btf_is_struct(type) && btf_kind_of(type) != BTF_KIND_DATASEC))
		return 0;
	err = find_in(&search, id, 0, 0);
	if (!err)
		err = check(ret_fields, value_size);
	if (err)
		memset(ret_fields, 0, sizeof(*ret_fields));
	return err;
}

bool btf_fields_equal(const struct btf_fields *a, const struct btf_fields *b)
{
	if (a->nr != b->nr || a->kinds != b->kinds)
		return false;
	for (u32 i = 0; i < a->nr; i++) {
		const struct btf_field *x = &a->field[i], *y = &b->field[i];

		if (x->kind != y->kind || x->offset != y->offset || x->size != y->size ||
		    x->type_id != y->type_id || x->btf != y->btf ||
		    x->node_offset != y->node_offset)
			return false;
	}
	return true;
}
