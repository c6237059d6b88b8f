/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The third step of a check: references between types. A depth-first walk from each type, on a
 * stack of 32 entries, that finds loops, gives every modifier, pointer and variable the type it
 * ends at and every array its size, and sees that members lie inside their structs.
 *
 * Not every reference is followed: a loop through a pointer is legal. So a walk that started at a
 * pointer stops at structs, one that started at a struct stops at pointers (enum btf_resolve_mode),
 * and what was stopped at is walked later from itself. That makes the result depend on the order in
 * which types are visited, and the order is the kernel's, because its verdicts depend on it too.
 */
#include "btf/check.h"
#include "base/alloc.h"

#include <errno.h>

enum { NOT_VISITED, ON_STACK, RESOLVED };

static bool lacks_size(const struct btf_type *type)
{
	if (!type)
		return true;
	switch (btf_kind_of(type)) {
	case BTF_KIND_UNKN: /* void */
	case BTF_KIND_FWD:
	case BTF_KIND_FUNC:
	case BTF_KIND_FUNC_PROTO:
	case BTF_KIND_DECL_TAG: return true;
	default: return false;
	}
}

/* Types that nothing but their own container may refer to. */
static bool only_source(const struct btf_type *type)
{
	return btf_kind_of(type) == BTF_KIND_VAR || btf_kind_of(type) == BTF_KIND_DECL_TAG ||
	       btf_kind_of(type) == BTF_KIND_DATASEC;
}

static bool needs_resolve(const struct btf_type *type)
{
	switch (btf_kind_of(type)) {
	case BTF_KIND_PTR:
	case BTF_KIND_ARRAY:
	case BTF_KIND_FUNC: return true;
	default: return btf_is_modifier(type) || btf_is_aggregate(type) || only_source(type);
	}
}

static bool resolved(const struct btf_check *check, u32 id)
{
	return check->visit[id] == RESOLVED;
}

/* Does the walk have to go through this type before its user can be finished? */
static bool must_visit(const struct btf_check *check, u32 id)
{
	const struct btf_type *type = btf_type_by_id(check->btf, id);
	bool sink;

	switch (check->mode) {
	case BTF_RESOLVE_POINTER:
		sink = !btf_is_modifier(type) && btf_kind_of(type) != BTF_KIND_PTR;
		break;
	case BTF_RESOLVE_AGGREGATE:
		sink = !btf_is_modifier(type) && !btf_is_aggregate(type) &&
		       btf_kind_of(type) != BTF_KIND_ARRAY;
		break;
	default: sink = !needs_resolve(type); break;
	}
	return !sink && !resolved(check, id);
}

static int push(struct btf_check *check, u32 id)
{
	const struct btf_type *type = btf_type_by_id(check->btf, id);

	if (check->depth == BTF_RESOLVE_DEPTH_MAX)
		return -E2BIG;
	if (check->visit[id] != NOT_VISITED)
		return -EEXIST;
	check->visit[id] = ON_STACK;
	check->stack[check->depth].id = id;
	check->stack[check->depth].next = 0;
	check->depth++;
	if (check->mode == BTF_RESOLVE_ANY) {
		if (btf_kind_of(type) == BTF_KIND_PTR)
			check->mode = BTF_RESOLVE_POINTER;
		else if (btf_is_aggregate(type) || btf_kind_of(type) == BTF_KIND_ARRAY)
			check->mode = BTF_RESOLVE_AGGREGATE;
	}
	return 0;
}

static int pop(struct btf_check *check, u32 target_id, u32 size)
{
	u32 id = check->stack[--check->depth].id;

	check->btf->resolved_id[id] = target_id;
	check->btf->resolved_size[id] = size;
	check->visit[id] = RESOLVED;
	return 0;
}

static int refuse(struct btf_check *check, const struct btf_type *type, const char *text)
{
	btf_say_type(check, type, "%s", text);
	return -EINVAL;
}

static int refuse_member(struct btf_check *check, const struct btf_type *type,
			 const struct btf_member *member, const char *text)
{
	btf_say_member(check, type, member, "%s", text);
	return -EINVAL;
}

static bool stops_at_pointer(const struct btf_check *check, u32 id)
{
	const struct btf *btf = check->btf;
	u32 end = btf->resolved_id[id];

	return btf_is_modifier(btf->types[id]) && btf_kind_of(btf->types[end]) == BTF_KIND_PTR &&
	       must_visit(check, end);
}

static int resolve_modifier(struct btf_check *check, const struct btf_type *type, bool pointer)
{
	struct btf *btf = check->btf;
	u32 id = type->type;
	const struct btf_type *next = btf_type_by_id(btf, id);

	if (!next || only_source(next))
		return refuse(check, type, "Invalid type_id");
	if (must_visit(check, id))
		return push(check, id);
	/* A modifier that was resolved inside a struct may have stopped at a pointer. */
	if (pointer && stops_at_pointer(check, id))
		return push(check, btf->resolved_id[id]);
	if (!btf_sized_type(btf, &id, NULL)) {
		if (resolved(check, id)) {
			id = btf->resolved_id[id];
			next = btf_type_by_id(btf, id);
		}
		if (btf_kind_of(next) != BTF_KIND_UNKN && btf_kind_of(next) != BTF_KIND_FWD &&
		    btf_kind_of(next) != BTF_KIND_FUNC_PROTO)
			return refuse(check, type, "Invalid type_id");
	}
	return pop(check, id, 0);
}

static int resolve_var(struct btf_check *check, const struct btf_type *type)
{
	struct btf *btf = check->btf;
	u32 id = type->type;
	const struct btf_type *next = btf_type_by_id(btf, id);

	if (!next || only_source(next))
		return refuse(check, type, "Invalid type_id");
	if (must_visit(check, id))
		return push(check, id);
	if (stops_at_pointer(check, id))
		return push(check, btf->resolved_id[id]);
	if (!btf_sized_type(btf, &id, NULL))
		return refuse(check, type, "Invalid type_id");
	return pop(check, id, 0);
}

static int resolve_array(struct btf_check *check, const struct btf_type *type)
{
	const struct btf_array *array = btf_array_of(type);
	const struct btf_type *next;
	u32 id, size;

	id = array->index_type;
	next = btf_type_by_id(check->btf, id);
	if (lacks_size(next) || only_source(next))
		return refuse(check, type, "Invalid index");
	if (must_visit(check, id))
		return push(check, id);
	next = btf_sized_type(check->btf, &id, NULL);
	if (!next || btf_kind_of(next) != BTF_KIND_INT || !btf_int_is_regular(next))
		return refuse(check, type, "Invalid index");

	id = array->type;
	next = btf_type_by_id(check->btf, id);
	if (lacks_size(next) || only_source(next))
		return refuse(check, type, "Invalid elem");
	if (must_visit(check, id))
		return push(check, id);
	next = btf_sized_type(check->btf, &id, &size);
	if (!next)
		return refuse(check, type, "Invalid elem");
	if (btf_kind_of(next) == BTF_KIND_INT && !btf_int_is_regular(next))
		return refuse(check, type, "Invalid array of int");
	if (array->nelems && size > UINT32_MAX / array->nelems)
		return refuse(check, type, "Array size overflows U32_MAX");
	return pop(check, id, size * array->nelems);
}

static const char *int_member(const struct btf_type *owner, const struct btf_member *member,
			      const struct btf_type *type)
{
	u32 data = btf_int_data(type), offset = btf_member_offset(owner, member);
	u32 bits = BTF_INT_BITS(data), field_bits = btf_member_bits(owner, member), start;

	if (btf_kflag_of(owner)) {
		if (!btf_int_is_regular(type))
			return "Invalid member base type";
		if (!field_bits && offset % 8)
			return "Invalid member offset";
		if (field_bits > bits)
			return "Invalid member bitfield_size";
		if (field_bits)
			bits = field_bits;
	} else {
		if (UINT32_MAX - offset < BTF_INT_OFFSET(data))
			return "bits_offset exceeds U32_MAX";
		offset += BTF_INT_OFFSET(data);
	}
	start = offset / 8;
	bits += offset % 8;
	if (bits > 128)
		return "nr_copy_bits exceeds 128";
	if (owner->size < start || owner->size - start < (bits + 7) / 8)
		return "Member exceeds struct_size";
	return NULL;
}

static const char *enum_member(const struct btf_type *owner, const struct btf_member *member,
			       const struct btf_type *type)
{
	u32 offset = btf_member_offset(owner, member), bits = btf_member_bits(owner, member);

	if (!bits && offset % 8)
		return "Member is not byte aligned";
	if (!btf_kflag_of(owner))
		return owner->size - offset / 8 < type->size ? "Member exceeds struct_size" : NULL;
	if (bits > 32)
		return "Invalid member bitfield_size";
	/* The kernel takes 4 bytes for an enum here, whatever its size. */
	if (owner->size < (offset + (bits ? bits : 32) + 7) / 8)
		return "Member exceeds struct_size";
	return NULL;
}

static const char *float_member(const struct btf_type *owner, const struct btf_member *member,
				const struct btf_type *type)
{
	u32 offset = btf_member_offset(owner, member), align = type->size < 8 ? type->size : 8;

	if (offset % (align * 8))
		return "Member is not properly aligned";
	return offset / 8 + type->size > owner->size ? "Member exceeds struct_size" : NULL;
}

/* Pointers, arrays, structs: whole bytes, and no bit field. */
static const char *plain_member(const struct btf_type *owner, const struct btf_member *member,
				u32 size)
{
	u32 offset = btf_member_offset(owner, member);

	if (offset % 8)
		return "Member is not byte aligned";
	return owner->size - offset / 8 < size ? "Member exceeds struct_size" : NULL;
}

/* Does a member of a resolved type lie in its struct? meta.c has seen that its offset does. */
static int check_member(struct btf_check *check, const struct btf_type *owner,
			const struct btf_member *member)
{
	struct btf_member target = *member; /* what modifiers end at; the log names it so */
	const struct btf_type *type;
	const char *text;
	u32 size = 0;

	type = btf_sized_type(check->btf, &target.type, &size);
	if (!type)
		return refuse_member(check, owner, member, "Invalid member");
	switch (btf_kind_of(type)) {
	case BTF_KIND_INT: text = int_member(owner, member, type); break;
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64: text = enum_member(owner, member, type); break;
	case BTF_KIND_FLOAT:
	case BTF_KIND_PTR:
	case BTF_KIND_ARRAY:
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		if (btf_member_bits(owner, member))
			text = "Invalid member bitfield_size";
		else if (btf_kind_of(type) == BTF_KIND_FLOAT)
			text = float_member(owner, member, type);
		else
			text = plain_member(owner, member, size);
		break;
	default:
		btf_say_basic(check, owner,
			      btf_kflag_of(owner) ? "Unsupported check_kflag_member"
						  : "Unsupported check_member");
		return -EINVAL;
	}
	return text ? refuse_member(check, owner, &target, text) : 0;
}

static int resolve_struct(struct btf_check *check, const struct btf_type *type)
{
	const struct btf_member *members = btf_members_of(type);
	const struct btf_type *member_type;
	u32 top = check->depth - 1, i = check->stack[top].next;
	int error;

	/* The member whose type was pushed the last time is still to be checked itself. */
	if (i) {
		error = check_member(check, type, &members[i - 1]);
		if (error)
			return error;
	}
	for (; i < btf_vlen_of(type); i++) {
		member_type = btf_type_by_id(check->btf, members[i].type);
		if (lacks_size(member_type) || only_source(member_type))
			return refuse_member(check, type, &members[i], "Invalid member");
		if (must_visit(check, members[i].type)) {
			check->stack[top].next = i + 1;
			return push(check, members[i].type);
		}
		error = check_member(check, type, &members[i]);
		if (error)
			return error;
	}
	return pop(check, 0, 0);
}

static int resolve_datasec(struct btf_check *check, const struct btf_type *type)
{
	const struct btf_var_secinfo *entries = btf_secinfos_of(type);
	const struct btf_type *var;
	u32 top = check->depth - 1, i, id, size;

	check->mode = BTF_RESOLVE_ANY;
	for (i = check->stack[top].next; i < btf_vlen_of(type); i++) {
		var = btf_type_by_id(check->btf, entries[i].type);
		if (!var || btf_kind_of(var) != BTF_KIND_VAR) {
			btf_say_secinfo(check, type, &entries[i], "Not a VAR kind member");
			return -EINVAL;
		}
		if (must_visit(check, entries[i].type)) {
			/* The kernel goes on behind it: the variable's own size is not looked at.
			 */
			check->stack[top].next = i + 1;
			return push(check, entries[i].type);
		}
		id = var->type;
		if (!btf_sized_type(check->btf, &id, &size)) {
			btf_say_secinfo(check, type, &entries[i], "Invalid type");
			return -EINVAL;
		}
		if (entries[i].size < size) {
			btf_say_secinfo(check, type, &entries[i], "Invalid size");
			return -EINVAL;
		}
	}
	return pop(check, 0, 0);
}

static int resolve_func(struct btf_check *check, const struct btf_type *type)
{
	const struct btf_type *proto = btf_type_by_id(check->btf, type->type);
	u32 i;

	if (!proto || btf_kind_of(proto) != BTF_KIND_FUNC_PROTO)
		return refuse(check, type, "Invalid type_id");
	for (i = 0; i < btf_vlen_of(proto); i++)
		if (!btf_params_of(proto)[i].name_off && btf_params_of(proto)[i].type) {
			btf_say_type(check, type, "Invalid arg#%u", i + 1);
			return -EINVAL;
		}
	return pop(check, type->type, 0);
}

static int resolve_decl_tag(struct btf_check *check, const struct btf_type *type)
{
	s32 component = ((const struct btf_decl_tag *)(type + 1))->component_idx;
	u32 id = type->type, kind;
	const struct btf_type *next = btf_type_by_id(check->btf, id);

	kind = next ? btf_kind_of(next) : BTF_KIND_UNKN;
	if (kind != BTF_KIND_FUNC && kind != BTF_KIND_STRUCT && kind != BTF_KIND_UNION &&
	    kind != BTF_KIND_VAR && kind != BTF_KIND_TYPEDEF)
		return refuse(check, type, "Invalid type_id");
	if (must_visit(check, id))
		return push(check, id);
	if (component != -1) {
		if (kind == BTF_KIND_VAR || kind == BTF_KIND_TYPEDEF)
			return refuse(check, type, "Invalid component_idx");
		if (kind == BTF_KIND_FUNC)
			next = btf_type_by_id(check->btf, next->type);
		if ((u32)component >= btf_vlen_of(next))
			return refuse(check, type, "Invalid component_idx");
	}
	return pop(check, id, 0);
}

static int resolve_one(struct btf_check *check, const struct btf_type *type)
{
	switch (btf_kind_of(type)) {
	case BTF_KIND_PTR: return resolve_modifier(check, type, true);
	case BTF_KIND_ARRAY: return resolve_array(check, type);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION: return resolve_struct(check, type);
	case BTF_KIND_VAR: return resolve_var(check, type);
	case BTF_KIND_DATASEC: return resolve_datasec(check, type);
	case BTF_KIND_FUNC: return resolve_func(check, type);
	case BTF_KIND_DECL_TAG: return resolve_decl_tag(check, type);
	default:
		if (btf_is_modifier(type))
			return resolve_modifier(check, type, false);
		btf_say_basic(check, type, "Unsupported resolve");
		return -EINVAL;
	}
}

/* What the walk left behind must make sense: a last look, as the kernel takes one. */
static bool result_is_valid(const struct btf_check *check, u32 id)
{
	const struct btf *btf = check->btf;
	const struct btf_type *type = btf_type_by_id(btf, id);
	u32 target = btf->resolved_id[id], size = btf->resolved_size[id], elem_size;

	if (!resolved(check, id))
		return false;
	switch (btf_kind_of(type)) {
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
	case BTF_KIND_DATASEC: return !target && !size;
	case BTF_KIND_DECL_TAG:
	case BTF_KIND_FUNC: return target && !size;
	case BTF_KIND_ARRAY:
		target = btf_array_of(type)->type;
		type = btf_sized_type(btf, &target, &elem_size);
		return type && !btf_is_modifier(type);
	default:
		type = btf_type_by_id(btf, target);
		return type && !btf_is_modifier(type) && btf_kind_of(type) != BTF_KIND_VAR &&
		       btf_kind_of(type) != BTF_KIND_DATASEC;
	}
}

static int resolve(struct btf_check *check, u32 id)
{
	const struct btf_type *type = btf_type_by_id(check->btf, id);
	u32 saved_id = check->log_id;
	int error;

	check->mode = BTF_RESOLVE_ANY;
	error = push(check, id);
	while (!error && check->depth) {
		check->log_id = check->stack[check->depth - 1].id;
		error = resolve_one(check, btf_type_by_id(check->btf, check->log_id));
	}
	check->log_id = id;
	if (error == -E2BIG)
		btf_say_type(check, type, "Exceeded max resolving depth:%u", BTF_RESOLVE_DEPTH_MAX);
	else if (error == -EEXIST)
		btf_say_type(check, type, "Loop detected");
	else if (!error && !result_is_valid(check, id))
		error = refuse(check, type, "Invalid resolve state");
	check->log_id = saved_id;
	return error;
}

static int check_sized(struct btf_check *check, u32 id)
{
	const struct btf_type *type = btf_type_by_id(check->btf, id);
	int error;

	if (needs_resolve(type) && !resolved(check, id)) {
		error = resolve(check, id);
		if (error)
			return error;
	}
	return btf_sized_type(check->btf, &id, NULL) ? 0 : 1;
}

static int check_func_proto(struct btf_check *check, const struct btf_type *type)
{
	const struct btf_param *params = btf_params_of(type);
	const struct btf_type *next;
	u32 i, nr = btf_vlen_of(type);
	int result;

	if (type->type) {
		next = btf_type_by_id(check->btf, type->type);
		result = !next || only_source(next) ? 1 : check_sized(check, type->type);
		if (result)
			return result < 0 ? result : refuse(check, type, "Invalid return type");
	}
	/* A last parameter without type is "…", which has no name. */
	if (nr && !params[nr - 1].type) {
		if (params[nr - 1].name_off) {
			btf_say_type(check, type, "Invalid arg#%u", nr);
			return -EINVAL;
		}
		nr--;
	}
	for (i = 0; i < nr; i++) {
		next = btf_type_by_id(check->btf, params[i].type);
		result = !next || only_source(next) ||
					 (params[i].name_off &&
					  !btf_is_identifier(check->btf, params[i].name_off))
				 ? 1
				 : check_sized(check, params[i].type);
		if (result < 0)
			return result;
		if (result) {
			btf_say_type(check, type, "Invalid arg#%u", i + 1);
			return -EINVAL;
		}
	}
	return 0;
}

int btf_check_references(struct btf_check *check)
{
	struct btf *btf = check->btf;
	const struct btf_type *type;
	u32 id;
	int error = 0;

	btf->resolved_id = base_zalloc(btf->nr_types, sizeof(u32));
	btf->resolved_size = base_zalloc(btf->nr_types, sizeof(u32));
	check->visit = base_zalloc(btf->nr_types, 1);
	if (!btf->resolved_id || !btf->resolved_size || !check->visit)
		return -ENOMEM;
	check->shape_known = true;
	for (id = 1; id < btf->nr_types && !error; id++) {
		type = btf->types[id];
		check->log_id = id;
		if (needs_resolve(type) && !resolved(check, id))
			error = resolve(check, id);
		if (!error && btf_kind_of(type) == BTF_KIND_FUNC_PROTO)
			error = check_func_proto(check, type);
	}
	return error;
}

int btf_check_type_tags(struct btf_check *check)
{
	const struct btf *btf = check->btf;
	const struct btf_type *type;
	u32 id, at, good = 0;
	int limit;
	bool in_tags;

	for (id = 1; id < btf->nr_types; id++) {
		type = btf->types[id];
		if (!btf_is_modifier(type))
			continue;
		in_tags = btf_kind_of(type) == BTF_KIND_TYPE_TAG;
		for (at = id, limit = 32; btf_is_modifier(type); limit--) {
			if (!limit) {
				btf_say(check, "Max chain length or cycle detected");
				return -ELOOP;
			}
			if (btf_kind_of(type) != BTF_KIND_TYPE_TAG) {
				in_tags = false;
			} else if (!in_tags) {
				btf_say(check, "Type tags don't precede modifiers");
				return -EINVAL;
			}
			if (at <= good)
				break;
			at = type->type;
			type = btf_type_by_id(btf, at);
			if (!type)
				return -EINVAL;
		}
		good = id;
	}
	return 0;
}
