/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An extension takes the place of a global function: its own main function has to have the same
 * prototype, as far as global functions can differ. The kernel's btf_check_func_type_match().
 */
#include <errno.h>
#include <string.h>

#include "btf/btf.h"
#include "btf/walk.h"
#include "verify/btf_target.h"
#include "verify/log.h"

struct side {
	const struct btf *btf;
	const struct btf_type *proto;
	const char *name;
};

static const struct btf_type *plain(const struct side *side, u32 id)
{
	return btf_skip_modifiers(side->btf, id, NULL);
}

static bool is_number(const struct btf_type *type)
{
	u32 kind = btf_kind_of(type);

	return kind == BTF_KIND_INT || kind == BTF_KIND_ENUM || kind == BTF_KIND_ENUM64;
}

/* Pointers must be to the context, by its name. */
static int compare_pointers(struct verify_env *env, const struct side *mine,
			    const struct side *theirs, u32 i, u32 my_pointee, u32 their_pointee)
{
	const struct btf_type *a = plain(mine, my_pointee), *b = plain(theirs, their_pointee);
	const char *my_name, *their_name;

	if (!a || btf_kind_of(a) != BTF_KIND_STRUCT) {
		verbose(env, "arg%u in %s() is not a pointer to context\n", i, mine->name);
		return -EINVAL;
	}
	if (!b || btf_kind_of(b) != BTF_KIND_STRUCT) {
		verbose(env, "arg%u in %s() is not a pointer to context\n", i, theirs->name);
		return -EINVAL;
	}
	my_name = btf_string(mine->btf, a->name_off);
	their_name = btf_string(theirs->btf, b->name_off);
	if (!my_name || !their_name || strcmp(my_name, their_name)) {
		verbose(env, "arg%u %s(struct %s *) doesn't match %s(struct %s *)\n", i, mine->name,
			my_name ? my_name : "", theirs->name, their_name ? their_name : "");
		return -EINVAL;
	}
	return 0;
}

static int compare_argument(struct verify_env *env, const struct side *mine,
			    const struct side *theirs, u32 i)
{
	const struct btf_type *a = plain(mine, btf_params_of(mine->proto)[i].type);
	const struct btf_type *b = plain(theirs, btf_params_of(theirs->proto)[i].type);

	if (!a || !b)
		return -EINVAL;
	if (a->info != b->info) {
		verbose(env, "arg%u in %s() is %s while %s() has %s\n", i, mine->name,
			btf_kind_text(a), theirs->name, btf_kind_text(b));
		return -EINVAL;
	}
	if (btf_has_size(a) && a->size != b->size) {
		verbose(env, "arg%u in %s() has size %u while %s() has %u\n", i, mine->name,
			a->size, theirs->name, b->size);
		return -EINVAL;
	}
	if (is_number(a))
		return 0;
	if (btf_kind_of(a) != BTF_KIND_PTR) {
		verbose(env, "arg%u in %s() has unrecognized type\n", i, mine->name);
		return -EINVAL;
	}
	return compare_pointers(env, mine, theirs, i, a->type, b->type);
}

static int compare(struct verify_env *env, const struct side *mine, const struct side *theirs)
{
	u32 nr = btf_vlen_of(mine->proto);
	const struct btf_type *a = plain(mine, mine->proto->type),
			      *b = plain(theirs, theirs->proto->type);

	if (nr != btf_vlen_of(theirs->proto)) {
		verbose(env, "%s() has %u args while %s() has %u args\n", mine->name, nr,
			theirs->name, btf_vlen_of(theirs->proto));
		return -EINVAL;
	}
	if (!a || !b || a->info != b->info) {
		verbose(env, "Return type %s of %s() doesn't match type %s of %s()\n",
			btf_kind_text(a), mine->name, btf_kind_text(b), theirs->name);
		return -EINVAL;
	}
	for (u32 i = 0; i < nr; i++) {
		int err = compare_argument(env, mine, theirs, i);

		if (err)
			return err;
	}
	return 0;
}

int btf_extension_check(struct verify_env *env, const struct btf_type *type)
{
	const struct verify_input *input = env->input;
	struct side mine = { .btf = input->btf }, theirs = { .btf = input->attach_btf };
	u32 id;

	if (!env->nr_func_info) {
		verbose(env, "Program extension requires BTF\n");
		return -EINVAL;
	}
	id = env->func_info[0].type_id;
	mine.name = btf_type_name(mine.btf, id);
	mine.proto = btf_func_proto(mine.btf, id);
	theirs.name = btf_string(theirs.btf, type->name_off);
	theirs.proto = btf_func_proto(theirs.btf, input->attach_btf_id);
	if (!mine.proto || !theirs.proto)
		return -EINVAL;
	if (btf_func_linkage(mine.btf, id) != BTF_FUNC_GLOBAL) {
		verbose(env, "%s() is not a global function\n", mine.name);
		return -EINVAL;
	}
	if (btf_func_linkage(theirs.btf, input->attach_btf_id) != BTF_FUNC_GLOBAL) {
		verbose(env, "%s() is not a global function\n", theirs.name);
		return -EINVAL;
	}
	return compare(env, &mine, &theirs);
}
