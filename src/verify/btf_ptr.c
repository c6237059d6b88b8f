/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loads through BTF pointers. Facts of Linux 6.18: btf_ctx_access() in kernel/bpf/btf.c,
 * check_ptr_to_btf_access() and the type_is_trusted() family in kernel/bpf/verifier.c.
 */
#include "verify/btf_ptr.h"

#include <errno.h>
#include <string.h>

#include "btf/btf.h"
#include "btf/walk.h"
#include "verify/kernel_memory.h"
#include "verify/object.h"
#include "verify/operand.h"
#include "verify/section.h"
#include "verify/struct_ops.h"

#define NESTING_MAX 16

/* Members that keep what their structure has: a pointer that is got from a trusted one is trusted.
 */
struct member_rule {
	const char *structure, *member;
	u32 flags;
};

static const struct member_rule always[] = {
	{ "bpf_iter_meta", "seq", PTR_TRUSTED },
	{ "bpf_iter__task", "meta", PTR_TRUSTED },
	{ "bpf_iter__task", "task", PTR_TRUSTED },
	{ "linux_binprm", "file", PTR_TRUSTED },
	{ "file", "f_inode", PTR_TRUSTED },
	{ "socket", "sk", PTR_TRUSTED | PTR_MAYBE_NULL },
	{ "dentry", "d_inode", PTR_TRUSTED | PTR_MAYBE_NULL },
};

static const struct member_rule under_rcu[] = {
	{ "task_struct", "cpus_ptr", MEM_RCU },
	{ "task_struct", "cgroups", MEM_RCU },
	{ "task_struct", "real_parent", MEM_RCU },
	{ "task_struct", "group_leader", MEM_RCU },
	{ "cgroup", "kn", MEM_RCU },
	{ "css_set", "dfl_cgrp", MEM_RCU },
	{ "cgroup_subsys_state", "cgroup", MEM_RCU },
	{ "mm_struct", "exe_file", MEM_RCU | PTR_MAYBE_NULL },
	{ "sk_buff", "sk", MEM_RCU | PTR_MAYBE_NULL },
	{ "request_sock", "sk", MEM_RCU | PTR_MAYBE_NULL },
};

const char *reg_stands_for(const struct reg *reg)
{
	switch (reg_base(reg->type)) {
	case PTR_TO_SOCKET: return "sock";
	case PTR_TO_SOCK_COMMON: return "sock_common";
	case PTR_TO_TCP_SOCK: return "tcp_sock";
	case CONST_PTR_TO_MAP: return "bpf_map";
	default: return NULL;
	}
}

bool reg_is_trusted(const struct reg *reg)
{
	const u32 trusted = MEM_ALLOC | PTR_TRUSTED | NON_OWN_REF;
	u32 flags = reg->type & ~(u32)REG_BASE_MASK;

	if (reg->ref_id || (reg_stands_for(reg) && !(flags & ~trusted)))
		return true;
	return flags & trusted && !(flags & ~trusted);
}

const char *btf_ptr_type_name(const struct reg *reg)
{
	const char *name = btf_type_name(reg->btf, reg->btf_id);

	return name ? name : "";
}

static const struct member_rule *find_rule(const struct member_rule *rules, u32 nr,
					   const struct reg *reg, const char *field)
{
	const char *name = btf_ptr_type_name(reg);

	for (u32 i = 0; i < nr; i++)
		if (!strcmp(rules[i].structure, name) && !strcmp(rules[i].member, field))
			return &rules[i];
	return NULL;
}

/* What is known about a pointer that was loaded through reg. */
static u32 loaded_flags(const struct verify_env *env, const struct reg *reg,
			const struct btf_place *place)
{
	u32 flags = (place->flags & BTF_PLACE_IN_UNION ? PTR_UNTRUSTED : 0) |
		    (place->flags & BTF_PLACE_USER ? MEM_USER : 0) |
		    (place->flags & BTF_PLACE_PERCPU ? MEM_PERCPU : 0);
	const struct member_rule *rule;

	if (reg->type & PTR_UNTRUSTED)
		return PTR_UNTRUSTED;
	if (!reg_is_trusted(reg) && !(reg->type & MEM_RCU))
		return flags;
	rule = find_rule(always, ARRAY_SIZE(always), reg, place->field);
	if (rule)
		return flags | rule->flags;
	if (!section_in_rcu(env))
		return PTR_UNTRUSTED;
	rule = find_rule(under_rcu, ARRAY_SIZE(under_rcu), reg, place->field);
	/* The one in the union that the rule is about. */
	if (rule && rule->flags & PTR_MAYBE_NULL)
		flags &= ~(u32)PTR_UNTRUSTED;
	if (rule)
		return flags | rule->flags;
	return place->flags & BTF_PLACE_RCU ? flags | MEM_RCU | PTR_MAYBE_NULL : flags;
}

static int refuse_pointer(struct verify_env *env, u32 regno, int off)
{
	const struct reg *reg = &env_regs(env)[regno];
	const char *name = btf_ptr_type_name(reg);
	char text[64];

	if (off < 0) {
		verbose(env, "R%u is ptr_%s invalid negative access: off=%d\n", regno, name, off);
		return -EACCES;
	}
	if (!tnum_is_const(reg->s.var_off) || reg->s.var_off.value) {
		verbose(env, "R%u is ptr_%s invalid variable offset: off=%d, var_off=%s\n", regno,
			name, off, log_tnum(text, reg->s.var_off));
		return -EACCES;
	}
	if (reg->type & MEM_USER) {
		verbose(env, "R%u is ptr_%s access user memory: off=%d\n", regno, name, off);
		return -EACCES;
	}
	if (reg->type & MEM_PERCPU) {
		verbose(env, "R%u is ptr_%s access percpu memory: off=%d\n", regno, name, off);
		return -EACCES;
	}
	return 0;
}

static int access_untrusted_memory(struct verify_env *env, u32 regno, bool write, int value)
{
	if (write) {
		verbose(env, "R%u cannot write into %s\n", regno,
			log_reg_type(env_regs(env)[regno].type));
		return -EACCES;
	}
	if (value >= 0)
		env_set_unknown(env, &env_regs(env)[value]);
	return 0;
}

/* An object's special fields are not for loads and stores, and nothing behind its end is. */
static int check_object_fields(struct verify_env *env, const struct reg *reg, int off, int size)
{
	const struct btf_fields *fields = reg_fields(reg);
	u32 end;

	if (!(reg->type & MEM_ALLOC))
		return 0;
	for (u32 i = 0; fields && i < fields->nr; i++) {
		const struct btf_field *field = &fields->field[i];

		if ((u32)off >= field->offset + field->size || field->offset >= (u32)(off + size))
			continue;
		verbose(env, "direct access to %s is disallowed\n", btf_field_name(field->kind));
		return -EACCES;
	}
	if (!btf_size_of(reg->btf, reg->btf_id, &end) && (u64)off + (u64)size <= end)
		return 0;
	verbose(env, "access beyond struct %s at off %d size %d\n", btf_ptr_type_name(reg), off,
		size);
	return -EACCES;
}

void btf_ptr_set_loaded(struct verify_env *env, const struct reg *reg,
			const struct btf_place *place, struct reg *dst)
{
	const struct btf *btf = reg->btf;

	switch (place->kind) {
	case BTF_PLACE_STRUCT_PTR:
		reg_set_pointer(dst, PTR_TO_BTF_ID | loaded_flags(env, reg, place));
		dst->btf = btf;
		dst->btf_id = place->pointee;
		if (reg->range == KERNEL_MEMORY_IMAGE)
			dst->range = KERNEL_MEMORY_IMAGE;
		if (dst->type & PTR_MAYBE_NULL)
			dst->id = ++env->id_gen;
		break;
	case BTF_PLACE_OTHER_PTR:
		reg_set_pointer(dst, PTR_TO_MEM | MEM_RDONLY | PTR_UNTRUSTED);
		break;
	default: env_set_unknown(env, dst);
	}
}

static bool may_mark_connections(const struct verify_env *env)
{
	u32 type = env->input->prog_type;

	return type == BPF_PROG_TYPE_SCHED_CLS || type == BPF_PROG_TYPE_SCHED_ACT ||
	       type == BPF_PROG_TYPE_XDP;
}

/* The mark of a tracked connection may be written; there is none to be written to (fixup.c). */
static int write_connection(struct verify_env *env, const struct reg *reg, u32 off, u32 size)
{
	const char *name = btf_ptr_type_name(reg);
	u32 mark, bits;

	if (reg->btf != env->kernel_btf ||
	    (strcmp(name, "nf_conn") && strcmp(name, "nf_conn___init"))) {
		verbose(env, "only read is supported\n");
		return -EACCES;
	}
	if (!btf_find_path(reg->btf, "nf_conn", "mark", &mark, &bits) || off != mark / 8) {
		verbose(env, "no write support to nf_conn at off %u\n", off);
		return -EACCES;
	}
	if (size * 8 <= bits)
		return 0;
	verbose(env,
		"write access at off %u with size %u beyond the member of nf_conn ended at %u\n",
		off, size, (mark + bits) / 8);
	return -EACCES;
}

int btf_ptr_access(struct verify_env *env, u32 regno, int off, int size, bool write, int value)
{
	const struct reg reg = env_regs(env)[regno];
	struct btf_place place;
	char reason[256];
	int err;

	if (reg.type & PTR_MAYBE_NULL) {
		verbose(env, "R%u invalid mem access '%s'\n", regno, log_reg_type(reg.type));
		return -EACCES;
	}
	if (reg_base(reg.type) == PTR_TO_MEM)
		return access_untrusted_memory(env, regno, write, value);
	if (!env->allow_ptr_leaks) {
		verbose(env,
			"'struct %s' access is allowed only to CAP_PERFMON and CAP_SYS_ADMIN\n",
			btf_ptr_type_name(&reg));
		return -EPERM;
	}
	if (!env->input->gpl_compatible && !btf_is_program(reg.btf)) {
		verbose(env, "Cannot access kernel 'struct %s' from non-GPL compatible program\n",
			btf_ptr_type_name(&reg));
		return -EINVAL;
	}
	err = refuse_pointer(env, regno, off);
	if (err)
		return err;
	if (write && env->struct_ops && !(reg.type & MEM_ALLOC))
		return struct_ops_write(env, &reg, (u32)off, (u32)size);
	if (write && !(reg.type & MEM_ALLOC) && may_mark_connections(env))
		return write_connection(env, &reg, (u32)off, (u32)size);
	if (write && (reg.type & (MEM_ALLOC | PTR_UNTRUSTED)) != MEM_ALLOC) {
		verbose(env, "only read is supported\n");
		return -EACCES;
	}
	err = check_object_fields(env, &reg, off, size);
	if (err)
		return err;
	err = btf_place_find(reg.btf, reg.btf_id, (u32)off, (u32)size, &place, reason,
			     sizeof(reason));
	if (err) {
		verbose(env, "%s", reason);
		return err;
	}
	if (value < 0 || write)
		return 0;
	/* What is in an object the program can have written there; any address may be looked at. */
	if (reg.type & MEM_ALLOC && place.kind == BTF_PLACE_STRUCT_PTR)
		place.kind = BTF_PLACE_NUMBER;
	btf_ptr_set_loaded(env, &reg, &place, &env_regs(env)[value]);
	return 0;
}

/* The structure that is the member at byte off of id; *off becomes the place in it. 0: none. */
static u32 member_at(const struct btf *btf, u32 id, u32 *off)
{
	const struct btf_type *type = btf_type_by_id(btf, id), *inner;
	const struct btf_member *members = btf_members_of(type);

	for (u32 i = 0; i < btf_vlen_of(type); i++) {
		u32 at = btf_member_offset(type, &members[i]) / 8, member, size;

		inner = btf_skip_modifiers(btf, members[i].type, &member);
		if (!inner || !btf_is_struct(inner) || btf_size_of(btf, member, &size))
			continue;
		if (*off < at || *off - at >= size)
			continue;
		*off -= at;
		return member;
	}
	return 0;
}

bool btf_ptr_contains(const struct btf *btf, u32 id, u32 off, u32 wanted)
{
	for (u32 depth = 0; id && depth < NESTING_MAX; depth++) {
		const struct btf_type *type = btf_skip_modifiers(btf, id, &id);

		if (!type || !btf_is_struct(type))
			return false;
		if (id == wanted && !off)
			return true;
		id = member_at(btf, id, &off);
	}
	return false;
}

/* The structure that lies in the structure id at off, from the outside inwards, called name. */
static bool lies_at(const struct btf *btf, u32 id, u32 off, const char *name)
{
	const struct btf_type *type = btf_skip_modifiers(btf, id, NULL);
	const struct btf_member *members;
	const char *own;

	if (!btf_is_struct(type))
		return false;
	own = btf_string(btf, type->name_off);
	if (!off && own && !strcmp(own, name))
		return true;
	members = btf_members_of(type);
	for (u32 i = 0; i < btf_vlen_of(type); i++) {
		u32 at = btf_member_offset(type, &members[i]) / 8, size;

		if (at <= off && !btf_size_of(btf, members[i].type, &size) && off - at < size &&
		    lies_at(btf, members[i].type, off - at, name))
			return true;
	}
	return false;
}

int btf_ptr_check_struct(struct verify_env *env, u32 regno, const char *name)
{
	const struct reg *reg = &env_regs(env)[regno];
	struct btf_place place;
	char reason[256];

	if (reg->off >= 0 && lies_at(reg->btf, reg->btf_id, (u32)reg->off, name))
		return 0;
	if (btf_place_find(reg->btf, reg->btf_id, (u32)reg->off, 1, &place, reason, sizeof(reason)))
		verbose(env, "%s", reason);
	verbose(env, "R%u is of type %s but %s is expected\n", regno, btf_ptr_type_name(reg), name);
	return -EACCES;
}
