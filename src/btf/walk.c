/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Walks into nested structures, unions and arrays. An array counts as its elements side by side; an
 * access within an array of numbers may cross elements. Each step goes into a member, so that the
 * nesting of the (checked) BTF bounds the walk.
 */
#include "btf/walk.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define STEPS_MAX 64 /* deeper than any checked nesting */

struct walk {
	const struct btf *btf;
	u32 id; /* of the structure that off counts from */
	u32 off, size;
	struct btf_place *place;
	char *reason;
	u32 reason_size;
};

/* A member's type: modifiers and array dimensions gone. */
struct element {
	const struct btf_type *type;
	u32 id;
	u32 size;	/* of one element */
	u32 whole_size; /* of the member */
	bool is_array;
};

bool btf_is_struct(const struct btf_type *type)
{
	return type &&
	       (btf_kind_of(type) == BTF_KIND_STRUCT || btf_kind_of(type) == BTF_KIND_UNION);
}

static bool find_element(const struct btf *btf, u32 id, struct element *ret)
{
	*ret = (struct element){ .type = btf_skip_modifiers(btf, id, &id) };
	if (!ret->type || btf_size_of(btf, id, &ret->whole_size))
		return false;
	while (ret->type && btf_kind_of(ret->type) == BTF_KIND_ARRAY) {
		ret->is_array = true;
		ret->type = btf_skip_modifiers(btf, btf_array_of(ret->type)->type, &id);
	}
	ret->id = id;
	return ret->type && !btf_size_of(btf, id, &ret->size);
}

static int beyond(struct walk *walk, const char *name)
{
	snprintf(walk->reason, walk->reason_size, "access beyond struct %s at off %u size %u\n",
		 name, walk->off, walk->size);
	return -EACCES;
}

/*
 * Behind the end: only in the elements of a last member without a fixed number of them. 1: the walk
 * goes on in an element, 0: it is a number.
 */
static int walk_flexible(struct walk *walk, const struct btf_type *type, const char *name)
{
	u32 nr = btf_vlen_of(type), start, id = 0;
	const struct btf_member *last;
	const struct btf_type *member;

	if (!nr)
		return beyond(walk, name);
	last = btf_members_of(type) + nr - 1;
	member = btf_skip_modifiers(walk->btf, last->type, NULL);
	start = btf_member_offset(type, last) / 8;
	if (!member || btf_kind_of(member) != BTF_KIND_ARRAY || btf_array_of(member)->nelems ||
	    walk->off < start)
		return beyond(walk, name);
	member = btf_skip_modifiers(walk->btf, btf_array_of(member)->type, &id);
	if (member && btf_kind_of(member) == BTF_KIND_INT) {
		walk->place->kind = BTF_PLACE_NUMBER;
		return 0;
	}
	if (!btf_is_struct(member) || !member->size)
		return beyond(walk, name);
	walk->off = (walk->off - start) % member->size;
	walk->id = id;
	return 1;
}

u32 btf_pointer_tags(const struct btf *btf, const struct btf_type *pointer)
{
	const struct btf_type *type = btf_type_by_id(btf, pointer->type);
	const char *tag;

	if (!type || btf_kind_of(type) != BTF_KIND_TYPE_TAG || btf_kflag_of(type))
		return 0;
	tag = btf_string(btf, type->name_off);
	if (!tag)
		return 0;
	return !strcmp(tag, "user")	? BTF_PLACE_USER
	       : !strcmp(tag, "percpu") ? BTF_PLACE_PERCPU
	       : !strcmp(tag, "rcu")	? BTF_PLACE_RCU
					: 0;
}

static void walk_pointer(struct walk *walk, const struct btf_type *pointer, const char *field)
{
	struct btf_place *place = walk->place;
	u32 id = 0;

	if (!btf_is_struct(btf_skip_modifiers(walk->btf, pointer->type, &id))) {
		place->kind = BTF_PLACE_OTHER_PTR;
		return;
	}
	place->kind = BTF_PLACE_STRUCT_PTR;
	place->pointee = id;
	place->field = field;
	place->flags |= btf_pointer_tags(walk->btf, pointer);
}

/* The member that off lies in. 1: the walk goes on in it, 0: done. */
static int walk_member(struct walk *walk, const struct btf_member *member, u32 start,
		       const struct element *element, const char *name)
{
	const char *named = btf_string(walk->btf, member->name_off);
	const char *field = named && *named ? named : "(anon)";
	u32 end = start + element->whole_size;

	if (element->is_array && element->size)
		start += (walk->off - start) / element->size * element->size;
	if (btf_is_struct(element->type)) {
		walk->off -= start;
		walk->id = element->id;
		return 1;
	}
	if (btf_kind_of(element->type) == BTF_KIND_PTR) {
		if (walk->size != element->size || walk->off != start) {
			snprintf(walk->reason, walk->reason_size,
				 "cannot access ptr member %s with moff %u in struct %s with off "
				 "%u size %u\n",
				 field, start, name, walk->off, walk->size);
			return -EACCES;
		}
		walk_pointer(walk, element->type, field);
		return 0;
	}
	if (walk->off + walk->size > end && !(walk->place->flags & BTF_PLACE_IN_UNION)) {
		snprintf(walk->reason, walk->reason_size,
			 "access beyond the end of member %s (mend:%u) in struct %s with off %u "
			 "size %u\n",
			 field, end, name, walk->off, walk->size);
		return -EACCES;
	}
	walk->place->kind = BTF_PLACE_NUMBER;
	return 0;
}

static int no_field(struct walk *walk, const char *name)
{
	snprintf(walk->reason, walk->reason_size, "struct %s doesn't have field at offset %u\n",
		 name, walk->off);
	return -EINVAL;
}

/* One structure. 1: the walk goes on in a member, 0: done, or -errno. */
static int walk_struct(struct walk *walk)
{
	const struct btf_type *type = btf_skip_modifiers(walk->btf, walk->id, NULL);
	const char *name = type ? btf_string(walk->btf, type->name_off) : "";
	const struct btf_member *member;
	struct element element;

	if (!name || !*name)
		name = "(anon)";
	if (!btf_is_struct(type)) {
		snprintf(walk->reason, walk->reason_size, "Type '%s' is not a struct\n", name);
		return -EINVAL;
	}
	if (btf_kind_of(type) == BTF_KIND_UNION && btf_vlen_of(type) != 1)
		walk->place->flags |= BTF_PLACE_IN_UNION;
	if ((u64)walk->off + walk->size > type->size)
		return walk_flexible(walk, type, name);
	for (u32 i = 0; i < btf_vlen_of(type); i++) {
		u32 start, bits;

		member = btf_members_of(type) + i;
		start = btf_member_offset(type, member) / 8;
		bits = btf_member_bits(type, member);
		if (walk->off + walk->size <= start)
			break;
		if (bits) {
			u32 end = (btf_member_offset(type, member) + bits + 7) / 8;

			if (walk->off <= start && end <= walk->off + walk->size) {
				walk->place->kind = BTF_PLACE_NUMBER;
				return 0;
			}
			continue;
		}
		if (walk->off < start)
			break;
		if (!find_element(walk->btf, member->type, &element)) {
			snprintf(walk->reason, walk->reason_size, "field %s doesn't have size\n",
				 btf_string(walk->btf, member->name_off));
			return -EFAULT;
		}
		if (walk->off >= start + element.whole_size)
			continue;
		return walk_member(walk, member, start, &element, name);
	}
	return no_field(walk, name);
}

int btf_place_find(const struct btf *btf, u32 id, u32 off, u32 size, struct btf_place *ret_place,
		   char *reason, u32 reason_size)
{
	struct walk walk = {
		.btf = btf,
		.id = id,
		.off = off,
		.size = size,
		.place = ret_place,
		.reason = reason,
		.reason_size = reason_size,
	};
	int err = 1;

	*ret_place = (struct btf_place){ .kind = BTF_PLACE_NUMBER };
	reason[0] = '\0';
	for (u32 i = 0; i < STEPS_MAX && err == 1; i++)
		err = walk_struct(&walk);
	if (err == 1) {
		snprintf(reason, reason_size, "structures are nested too deep\n");
		return -EINVAL;
	}
	return err;
}

/* The member whose name begins at path and ends at a dot or the end. Nesting is bounded: the BTF
 * was checked. */
static bool find_path(const struct btf *btf, const struct btf_type *type, const char *path,
		      u32 base, u32 *ret_bit_offset, u32 *ret_bits)
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
		if (!*name && btf_is_struct(inner) &&
		    find_path(btf, inner, path, offset, ret_bit_offset, ret_bits))
			return true;
		if (strlen(name) != length || strncmp(name, path, length) != 0)
			continue;
		if (path[length])
			return btf_is_struct(inner) && find_path(btf, inner, path + length + 1,
								 offset, ret_bit_offset, ret_bits);
		if (btf_size_of(btf, member->type, &size))
			return false;
		*ret_bit_offset = offset;
		*ret_bits = btf_member_bits(type, member);
		if (!*ret_bits)
			*ret_bits = size * 8;
		return true;
	}
	return false;
}

bool btf_find_path(const struct btf *btf, const char *structure, const char *path,
		   u32 *ret_bit_offset, u32 *ret_bits)
{
	const struct btf_type *type =
		btf_type_by_id(btf, btf_find(btf, structure, BTF_KIND_STRUCT));

	return btf_is_struct(type) && find_path(btf, type, path, 0, ret_bit_offset, ret_bits);
}
