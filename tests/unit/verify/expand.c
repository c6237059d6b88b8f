/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See expand.h.
 */
#include "expand.h"

#include <stdio.h>
#include <string.h>

#include "btf/walk.h"
#include "harness/tap.h"

/* A member of a structure, also inside of anonymous ones: its offset in bytes. */
static bool find_member(const struct btf *btf, u32 id, const char *name, u32 *ret_offset)
{
	const struct btf_type *type = btf_skip_modifiers(btf, id, NULL);

	for (u32 i = 0; btf_is_struct(type) && i < btf_vlen_of(type); i++) {
		const struct btf_member *member = btf_members_of(type) + i;
		const char *found = btf_string(btf, member->name_off);

		*ret_offset = btf_member_offset(type, member) / 8;
		if (!strcmp(found, name))
			return true;
		if (!*found) {
			u32 start = *ret_offset;

			if (find_member(btf, member->type, name, ret_offset)) {
				*ret_offset += start;
				return true;
			}
		}
	}
	return false;
}

const char *expand_text(const struct btf *btf, const char *text)
{
	static char out[4096];
	size_t length = 0;

	while (*text && length < sizeof(out) - 16) {
		char structure[64], member[64];
		u32 id, offset;

		if (sscanf(text, "{kfunc:%63[^}]}", member) == 1) {
			id = btf_find(btf, member, BTF_KIND_FUNC);
			if (!id)
				tap_bail("the kernel has no kfunc %s", member);
			length += (size_t)snprintf(out + length, sizeof(out) - length, "%u", id);
			text = strchr(text, '}') + 1;
			continue;
		}
		if (sscanf(text, "{kstruct:%63[^}]}", member) == 1) {
			id = btf_find(btf, member, BTF_KIND_STRUCT);
			length += (size_t)snprintf(out + length, sizeof(out) - length, "%u", id);
			text = strchr(text, '}') + 1;
			continue;
		}
		if (sscanf(text, "{%63[^.].%63[^}]}", structure, member) != 2) {
			out[length++] = *text++;
			continue;
		}
		id = btf_find(btf, structure, BTF_KIND_STRUCT);
		if (!find_member(btf, id, member, &offset))
			tap_bail("the kernel has no %s.%s", structure, member);
		length += (size_t)snprintf(out + length, sizeof(out) - length, "%u", offset);
		text = strchr(text, '}') + 1;
	}
	out[length] = '\0';
	return out;
}
