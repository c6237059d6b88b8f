/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Declaration tags of arguments, by the rules of btf_prepare_func_args() and
 * btf_validate_prog_ctx_type() in Linux 6.18 (kernel/bpf/btf.c).
 */
#include "verify/global_tags.h"

#include <errno.h>
#include <string.h>

#include "btf/btf.h"
#include "btf/walk.h"

#define PREFIX "arg:"
#define ARGS   5

#define TAG_UNKNOWN 128u

static u8 tag_of(const char *text)
{
	static const struct {
		const char *text;
		u8 tag;
	} tags[] = {
		{ "ctx", GLOBAL_TAG_CTX },
		{ "nonnull", GLOBAL_TAG_NONNULL },
		{ "nullable", GLOBAL_TAG_NULLABLE },
		{ "trusted", GLOBAL_TAG_TRUSTED },
		{ "untrusted", GLOBAL_TAG_UNTRUSTED },
		{ "arena", GLOBAL_TAG_ARENA },
	};

	for (u32 i = 0; i < ARRAY_SIZE(tags); i++)
		if (!strcmp(tags[i].text, text))
			return tags[i].tag;
	return TAG_UNKNOWN;
}

/* All tags of a function's arguments, once: BTF may be large, and calls are many. */
static void read_tags(struct verify_env *env, struct subprog *subprog)
{
	const struct btf *btf = env->input->btf;

	subprog->tags_known = true;
	for (u32 id = 1; id < btf_nr_types(btf); id++) {
		const struct btf_type *type = btf_type_by_id(btf, id);
		const char *name;
		s32 arg;

		if (btf_kind_of(type) != BTF_KIND_DECL_TAG || (s32)type->type != subprog->type_id)
			continue;
		arg = ((const struct btf_decl_tag *)(type + 1))->component_idx;
		name = btf_string(btf, type->name_off);
		if (arg >= 0 && arg < ARGS && name && !strncmp(name, PREFIX, sizeof(PREFIX) - 1))
			subprog->arg_tags[arg] |= tag_of(name + sizeof(PREFIX) - 1);
	}
}

int global_tags(struct verify_env *env, struct subprog *subprog, u32 arg, u32 *ret_tags)
{
	u32 tags;

	if (!subprog->tags_known)
		read_tags(env, subprog);
	tags = subprog->arg_tags[arg];
	if (tags & TAG_UNKNOWN) {
		verbose(env, "arg#%u has unsupported set of tags\n", arg);
		return -EOPNOTSUPP;
	}
	*ret_tags = tags;
	return 0;
}

bool global_tags_on_static(struct verify_env *env, struct subprog *subprog)
{
	if (!subprog->tags_known)
		read_tags(env, subprog);
	for (u32 arg = 0; arg < ARGS; arg++) {
		if (!subprog->arg_tags[arg])
			continue;
		verbose(env, "arg#%u type tag is not supported in static functions\n", arg);
		return true;
	}
	return false;
}

/* Length of a name without its flavour, the part from "___" on (libbpf's "essential name"). */
static size_t plain_length(const char *name)
{
	size_t length = strlen(name);

	for (size_t i = length < 5 ? 0 : length - 4; i > 0; i--)
		if (!strncmp(name + i, "___", 3) && name[i - 1] != '_' && name[i + 3] != '_')
			return i;
	return length;
}

/* How many types of the pointee's kind and name the kernel has; the first one's id. */
static u32 count_candidates(const struct btf *kernel, const char *name, u32 kind, u32 *ret_id)
{
	size_t length = plain_length(name);
	u32 nr = 0;

	for (u32 id = 1; length && id < btf_nr_types(kernel); id++) {
		const char *other;

		if (btf_kind_of(btf_type_by_id(kernel, id)) != kind)
			continue;
		other = btf_type_name(kernel, id);
		if (other && plain_length(other) == length && !strncmp(name, other, length) &&
		    !nr++)
			*ret_id = id;
	}
	return nr;
}

int global_kernel_type(struct verify_env *env, struct subprog *subprog, u32 arg, u32 pointee,
		       u32 *ret_btf_id)
{
	const struct btf *btf = env->input->btf, *kernel = env_kernel_btf(env);
	const struct btf_type *type = btf_skip_modifiers(btf, pointee, NULL);
	const char *name = type ? btf_string(btf, type->name_off) : NULL;
	u32 nr = 0;

	*ret_btf_id = subprog->arg_btf_id[arg];
	if (*ret_btf_id)
		return 0;
	if (type && name && kernel)
		nr = count_candidates(kernel, name, btf_kind_of(type), ret_btf_id);
	subprog->arg_btf_id[arg] = *ret_btf_id;
	if (nr == 1)
		return 0;
	subprog->arg_btf_id[arg] = 0;
	verbose(env, "arg#%u reference type('%s %s') %s\n", arg, btf_kind_text(type),
		name ? name : "", nr ? "is ambiguous" : "has no matches");
	return nr ? -ESRCH : -ENOENT;
}

static bool is_word(const struct btf_type *type)
{
	return btf_kind_of(type) == BTF_KIND_INT && type->size == 8;
}

/* Types beside the context's own name, by program type. */
static bool also_ctx(const struct verify_env *env, const struct btf_type *type, const char *name)
{
	switch (env->input->prog_type) {
	case BPF_PROG_TYPE_KPROBE:
	case BPF_PROG_TYPE_PERF_EVENT: return btf_is_struct(type) && !strcmp(name, "pt_regs");
	case BPF_PROG_TYPE_RAW_TRACEPOINT:
	case BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE:
	case BPF_PROG_TYPE_LSM:
	case BPF_PROG_TYPE_STRUCT_OPS: return is_word(type);
	case BPF_PROG_TYPE_TRACING:
		switch (env->input->expected_attach_type) {
		case BPF_TRACE_RAW_TP:
			return is_word(type) ||
			       (btf_is_struct(type) && !strcmp(name, "bpf_raw_tracepoint_args"));
		case BPF_TRACE_ITER: return btf_is_struct(type) && !strncmp(name, "bpf_iter__", 10);
		case BPF_TRACE_FENTRY:
		case BPF_TRACE_FEXIT:
		case BPF_MODIFY_RETURN: return is_word(type);
		default: return false;
		}
	case BPF_PROG_TYPE_TRACEPOINT:
	case BPF_PROG_TYPE_SYSCALL: return true;
	default: return false;
	}
}

int global_tagged_ctx(struct verify_env *env, const struct btf *btf, u32 arg, u32 pointee)
{
	const struct btf_type *type = btf_type_by_id(btf, pointee);
	u32 prog_type = env->input->prog_type;
	const char *name;

	while (type &&
	       (prog_type == BPF_PROG_TYPE_KPROBE || prog_type == BPF_PROG_TYPE_PERF_EVENT) &&
	       (btf_kind_of(type) == BTF_KIND_CONST || btf_kind_of(type) == BTF_KIND_VOLATILE))
		type = btf_type_by_id(btf, type->type);
	if (type && btf_kind_of(type) == BTF_KIND_TYPEDEF &&
	    (prog_type == BPF_PROG_TYPE_KPROBE || prog_type == BPF_PROG_TYPE_PERF_EVENT)) {
		name = btf_string(btf, type->name_off);
		if (name && !strcmp(name, "bpf_user_pt_regs_t"))
			return 0;
	}
	type = btf_skip_modifiers(btf, pointee, NULL);
	if (!type)
		return -EINVAL;
	if (btf_kind_of(type) == BTF_KIND_UNKN) /* void */
		return 0;
	name = btf_string(btf, type->name_off);
	if (!name || !*name) {
		verbose(env, "arg#%u type doesn't have a name\n", arg);
		return -EINVAL;
	}
	if (also_ctx(env, type, name))
		return 0;
	if (!env->ctx->name[0] || prog_type == BPF_PROG_TYPE_TRACING) {
		verbose(env, "arg#%u should be void pointer\n", arg);
		return -EINVAL;
	}
	if (btf_is_struct(type) && !strcmp(env->ctx->name, name))
		return 0;
	verbose(env, "arg#%u should be `struct %s *`\n", arg, env->ctx->name);
	return -EINVAL;
}
