/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See object.h. Facts and messages of Linux 6.18: check_map_kptr_access(), map_kptr_match_type(),
 * process_kptr_func() and invalidate_non_owning_refs() in kernel/bpf/verifier.c.
 */
#include "verify/object.h"

#include <errno.h>
#include <string.h>

#include "abi/kfunc.h"
#include "isa/opcode.h"
#include "verify/backtrack.h"
#include "verify/btf_ptr.h"
#include "verify/mem.h"
#include "verify/section.h"

/* RT_OBJECT_ARG_* of rt/object.h, which this layer does not see. */
#define RT_ARG_OWNED  0x4000u
#define RT_ARG_PERCPU 0x8000u

const struct btf_field *fields_at(const struct btf_fields *fields, s64 offset, u32 kinds)
{
	for (u32 i = 0; fields && i < fields->nr; i++)
		if (fields->field[i].offset == offset &&
		    kinds & BTF_FIELD_BIT(fields->field[i].kind))
			return &fields->field[i];
	return NULL;
}

/* Structures of the kernel that live on while somebody may be in an RCU section. */
static bool lives_under_rcu(const struct btf_field *field)
{
	static const char *const names[] = { "cgroup", "bpf_cpumask", "task_struct",
					     "bpf_crypto_ctx", "prog_test_ref_kfunc" };
	const char *name = btf_type_name(field->btf, field->type_id);

	if (field_is_local(field))
		return true;
	for (u32 i = 0; name && i < ARRAY_SIZE(names); i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

/* What is known about a pointer that was loaded from the field. */
static u32 loaded_flags(const struct verify_env *env, const struct btf_field *field)
{
	const struct btf_fields *pointee =
		field_is_local(field) ? btf_fields_of_object(field->btf, field->type_id) : NULL;
	bool percpu = field->kind == BTF_FIELD_KPTR_PERCPU;
	u32 flags = PTR_MAYBE_NULL;

	if (!section_in_rcu(env) ||
	    !(percpu || (field->kind == BTF_FIELD_KPTR_REF && lives_under_rcu(field))))
		return flags | PTR_UNTRUSTED;
	flags |= MEM_RCU;
	if (percpu)
		flags |= MEM_PERCPU;
	else if (field_is_local(field))
		flags |= MEM_ALLOC;
	if (pointee && pointee->kinds & BTF_FIELDS_NODE)
		flags |= NON_OWN_REF;
	return flags;
}

/* What a pointer field leads to. */
static int note_pointee(struct verify_env *env, const struct btf_field *field)
{
	bool percpu = field->kind == BTF_FIELD_KPTR_PERCPU;

	return object_note_type(env, field->btf, field->type_id,
				percpu ? OBJECT_PERCPU : OBJECT_NO_NODE);
}

static int load_kptr(struct verify_env *env, const struct btf_field *field, int value)
{
	struct reg *dst = &env_regs(env)[value];

	reg_set_pointer(dst, PTR_TO_BTF_ID | loaded_flags(env, field));
	dst->btf = field->btf;
	dst->btf_id = field->type_id;
	dst->id = ++env->id_gen;
	env->loaded_kptr = true;
	/* Where it points is looked at when it is loaded, if the program may rely on it. */
	return field_is_local(field) && !(dst->type & PTR_UNTRUSTED)
		       ? note_pointee(env, field)
		       : object_note_type(env, NULL, 0, OBJECT_NO_NODE);
}

int kptr_access(struct verify_env *env, const struct btf_field *field, bool write, int value)
{
	const struct bpf_insn *insn = &env->insns[env->insn_idx];
	u8 class = BPF_CLASS(insn->code);

	if (BPF_MODE(insn->code) != BPF_MEM) {
		verbose(env, "kptr in map can only be accessed using BPF_MEM instruction mode\n");
		return -EACCES;
	}
	if (class != BPF_LDX && field->kind != BTF_FIELD_KPTR_UNREF) {
		verbose(env, "store to referenced kptr disallowed\n");
		return -EACCES;
	}
	if (!write && class == BPF_LDX)
		return load_kptr(env, field, value);
	if (class == BPF_STX && value >= 0) {
		if (reg_is_null(&env_regs(env)[value]))
			return mark_precise(env, (u32)value);
		return kptr_match(env, field, (u32)value) ? -EACCES : 0;
	}
	if (class != BPF_ST) {
		verbose(env, "kptr in map can only be accessed using BPF_LDX/BPF_STX/BPF_ST\n");
		return -EACCES;
	}
	if (insn->imm) {
		verbose(env, "BPF_ST imm must be 0 when storing to kptr at off=%u\n",
			field->offset);
		return -EACCES;
	}
	return 0;
}

static bool flags_fit(const struct btf_field *field, const struct reg *reg)
{
	u32 allowed = PTR_MAYBE_NULL | MEM_ALLOC;

	if (reg_base(reg->type) != PTR_TO_BTF_ID)
		return false;
	if (!btf_is_program(reg->btf))
		allowed = PTR_MAYBE_NULL | PTR_TRUSTED | MEM_RCU |
			  (field->kind == BTF_FIELD_KPTR_UNREF ? PTR_UNTRUSTED : 0);
	else if (field->kind == BTF_FIELD_KPTR_PERCPU)
		allowed |= MEM_PERCPU;
	if (reg->type & ~(u32)REG_BASE_MASK & ~allowed)
		return false;
	/* It is read back as one for each CPU, or as one that is not. */
	return (field->kind == BTF_FIELD_KPTR_PERCPU) == !!(reg->type & MEM_PERCPU);
}

static int refuse_kptr(struct verify_env *env, const struct btf_field *field, u32 regno,
		       const char *reg_name)
{
	const char *wanted = btf_type_name(field->btf, field->type_id);

	verbose(env, "invalid kptr access, R%u type=%s%s ", regno,
		log_reg_type(env_regs(env)[regno].type), reg_name);
	verbose(env, "expected=%s%s", log_reg_type(PTR_TO_BTF_ID), wanted);
	if (field->kind == BTF_FIELD_KPTR_UNREF)
		verbose(env, " or %s%s\n", log_reg_type(PTR_TO_BTF_ID | PTR_UNTRUSTED), wanted);
	else
		verbose(env, "\n");
	return -EINVAL;
}

int kptr_match(struct verify_env *env, const struct btf_field *field, u32 regno)
{
	const struct reg *reg = &env_regs(env)[regno];

	if (!flags_fit(field, reg))
		return refuse_kptr(env, field, regno, "");
	if (check_unmodified(env, regno, true))
		return -EACCES;
	if (reg->btf == field->btf && reg->btf_id == field->type_id && !reg->off)
		return 0;
	/* A pointer that owns nothing may be to a part of a structure. */
	if (field->kind == BTF_FIELD_KPTR_UNREF && reg->btf == field->btf &&
	    btf_ptr_contains(reg->btf, reg->btf_id, (u32)reg->off, field->type_id))
		return 0;
	return refuse_kptr(env, field, regno, btf_ptr_type_name(reg));
}

int kptr_check_destination(struct verify_env *env, u32 regno, const struct btf_field **ret_field)
{
	const struct reg *reg = &env_regs(env)[regno];
	const struct btf_fields *fields = reg_fields(reg);
	const struct btf_field *field;
	s64 offset;

	if (reg->type == PTR_TO_MAP_VALUE && !reg->map->btf) {
		verbose(env, "map '%.*s' has to have BTF in order to use bpf_kptr_xchg\n",
			BPF_OBJ_NAME_LEN, reg->map->name);
		return -EINVAL;
	}
	if (!tnum_is_const(reg->s.var_off)) {
		verbose(env,
			"R%u doesn't have constant offset. kptr has to be at the constant offset\n",
			regno);
		return -EINVAL;
	}
	if (!fields || !(fields->kinds & BTF_FIELDS_KPTR)) {
		verbose(env, "R%u has no valid kptr\n", regno);
		return -EINVAL;
	}
	offset = (s64)reg->s.var_off.value + reg->off;
	field = fields_at(fields, offset, BTF_FIELDS_KPTR);
	if (!field) {
		verbose(env, "off=%d doesn't point to kptr\n", (int)offset);
		return -EACCES;
	}
	if (field->kind == BTF_FIELD_KPTR_UNREF) {
		verbose(env, "off=%d kptr isn't referenced kptr\n", (int)offset);
		return -EACCES;
	}
	*ret_field = field;
	return field_is_local(field) ||
			       abi_struct_is_object(btf_type_name(field->btf, field->type_id))
		       ? note_pointee(env, field)
		       : object_note_type(env, NULL, 0, OBJECT_NO_NODE);
}

struct give_away {
	struct verify_env *env;
	u32 ref_id;
	bool rcu;
};

/* An object for each CPU can still be read while the section lasts. */
static bool is_given(const struct reg *reg, const void *arg)
{
	return reg->ref_id == ((const struct give_away *)arg)->ref_id;
}

static void give_away(struct reg *reg, const void *arg)
{
	const struct give_away *give = arg;

	if (!give->rcu || (reg->type & (MEM_ALLOC | MEM_PERCPU)) != (MEM_ALLOC | MEM_PERCPU)) {
		reg_invalidate(give->env, reg);
		return;
	}
	reg->ref_id = 0;
	reg->type = (reg->type & ~(u32)MEM_ALLOC) | MEM_RCU;
}

int kptr_give_away(struct verify_env *env, u32 ref_id)
{
	struct give_away give = { env, ref_id, section_in_rcu(env) };

	if (vstate_release_ref(env->cur, ref_id))
		return -EINVAL;
	vstate_change_regs(env->cur, is_given, give_away, &give);
	return 0;
}

static bool is_unowned(const struct reg *reg, const void *arg)
{
	return reg->type & NON_OWN_REF;
}

static void forget_unowned(struct reg *reg, const void *arg)
{
	reg_invalidate((struct verify_env *)arg, reg);
}

void object_forget_unowned(struct verify_env *env)
{
	vstate_change_regs(env->cur, is_unowned, forget_unowned, env);
}

int object_note_type(struct verify_env *env, const struct btf *btf, u32 id, u32 node_offset)
{
	struct insn_aux *aux = &env->aux[env->insn_idx];

	if (aux->object_seen &&
	    (aux->object_btf != btf || aux->object_id != id || aux->object_node != node_offset)) {
		verbose(env, "same insn cannot be used with objects of different types\n");
		return -EINVAL;
	}
	aux->object_seen = true;
	aux->object_btf = btf;
	aux->object_id = id;
	aux->object_node = node_offset;
	return 0;
}

void object_note_any(struct verify_env *env, const struct btf *btf, u32 id)
{
	struct insn_aux *aux = &env->aux[env->insn_idx];

	aux->object_mixed |= aux->object_seen && (aux->object_btf != btf || aux->object_id != id);
	aux->object_seen = true;
	aux->object_btf = btf;
	aux->object_id = id;
	aux->object_node = OBJECT_NO_NODE;
}

int object_fix(struct verify_env *env, u32 i)
{
	const struct verify_ops *ops = env->input->ops;
	const struct insn_aux *aux = &env->aux[i];
	struct bpf_insn *insn = &env->insns[i];
	bool percpu = aux->object_node == OBJECT_PERCPU;
	u32 number;

	if (!aux->object_btf)
		return 0;
	if (aux->object_mixed) {
		insn->off = aux->object_owned ? RT_ARG_OWNED : 0;
		return 0;
	}
	if (!ops->object_type) {
		verbose(env, "objects of programs are not available here\n");
		return -EOPNOTSUPP;
	}
	number = ops->object_type(env->input->ops_arg, aux->object_btf, aux->object_id,
				  percpu ? OBJECT_NO_NODE : aux->object_node);
	if (!number) {
		verbose(env, "no room in the arena for what is known of struct %s\n",
			btf_type_name(aux->object_btf, aux->object_id));
		return -ENOMEM;
	}
	number |= (percpu ? RT_ARG_PERCPU : 0) | (aux->object_owned ? RT_ARG_OWNED : 0);
	if (insn_is_call(insn)) {
		insn->off = (s16)number;
	} else {
		insn->code = BPF_LDX | BPF_DW | ISA_LOAD_OBJECT;
		insn->imm = (s32)number;
	}
	return 0;
}
