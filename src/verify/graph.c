/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See graph.h. Facts and messages of Linux 6.18: check_kfunc_args(), check_special_kfunc(),
 * ref_convert_owning_non_owning() and their neighbours in kernel/bpf/verifier.c.
 */
#include "verify/graph.h"

#include <errno.h>

#include "abi/kfunc.h"
#include "btf/walk.h"
#include "verify/btf_ptr.h"
#include "verify/callback.h"
#include "verify/explore.h"
#include "verify/helper.h"
#include "verify/lock.h"
#include "verify/operand.h"
#include "verify/slots.h"

#define PERCPU_SIZE_MAX 512 /* BPF_GLOBAL_PERCPU_MA_MAX_SIZE */

bool graph_takes(u8 arg)
{
	return arg >= KARG_OBJECT && arg <= KARG_RES_LOCK;
}

bool graph_returns(u8 ret)
{
	return ret >= KRET_OBJECT && ret <= KRET_LOCKED;
}

bool callback_of_tree(const struct verify_env *env)
{
	const struct frame *frame = vstate_frame(env->cur);

	return frame->in_callback &&
	       env->aux[frame->callsite].kfunc == ABI_KFUNC_bpf_rbtree_add_impl + 1;
}

static bool takes_res_lock(u32 id)
{
	return id == ABI_KFUNC_bpf_res_spin_lock || id == ABI_KFUNC_bpf_res_spin_lock_irqsave;
}

int graph_before(struct verify_env *env, const struct abi_kfunc *kfunc, u32 id)
{
	struct vstate *failed;
	struct reg *regs;

	if (!takes_res_lock(id))
		return 0;
	failed = explore_push(env, env->insn_idx + 1, env->insn_idx);
	if (!failed) {
		verbose(env, "failed to push state for failed lock acquisition\n");
		return explore_push_error(env);
	}
	regs = vstate_frame(failed)->regs;
	for (u32 r = BPF_REG_0; r <= BPF_REG_5; r++)
		reg_set_not_init(&regs[r]);
	env_set_unknown(env, &regs[BPF_REG_0]);
	regs[BPF_REG_0].s.smin32 = -MAX_ERRNO;
	regs[BPF_REG_0].s.smax32 = -1;
	scalar_sync(&regs[BPF_REG_0].s);
	scalar_zext32(&regs[BPF_REG_0].s);
	return 0;
}

static int check_drop(struct verify_env *env, u32 regno, bool percpu, struct graph_call *call)
{
	const struct reg *reg = &env_regs(env)[regno];

	if (reg->type == (PTR_TO_BTF_ID | MEM_ALLOC)) {
		if (percpu) {
			verbose(env, "arg#%u expected for bpf_obj_drop_impl()\n", regno - 1);
			return -EINVAL;
		}
	} else if (reg->type == (PTR_TO_BTF_ID | MEM_ALLOC | MEM_PERCPU)) {
		if (!percpu) {
			verbose(env, "arg#%u expected for bpf_percpu_obj_drop_impl()\n", regno - 1);
			return -EINVAL;
		}
	} else {
		verbose(env, "arg#%u expected pointer to allocated object\n", regno - 1);
		return -EINVAL;
	}
	if (!reg->ref_id) {
		verbose(env, "allocated object must be referenced\n");
		return -EINVAL;
	}
	call->btf = reg->btf;
	call->btf_id = reg->btf_id;
	object_note_any(env, reg->btf, reg->btf_id);
	return 0;
}

static int check_refcounted(struct verify_env *env, u32 regno, struct graph_call *call)
{
	const struct reg *reg = &env_regs(env)[regno];
	const struct btf_fields *fields = reg_fields(reg);
	struct insn_aux *aux = &env->aux[env->insn_idx];

	if (!reg_is_object(reg)) {
		verbose(env, "arg#%u is neither owning or non-owning ref\n", regno - 1);
		return -EINVAL;
	}
	/* What is returned is the object: the kernel takes a pointer into one for it. */
	if (reg->off) {
		verbose(env,
			"R%u must have zero offset when passed to release func or trusted arg to "
			"kfunc\n",
			regno);
		return -EINVAL;
	}
	call->owned = !(reg->type & NON_OWN_REF);
	if (!fields || !(fields->kinds & BTF_FIELD_BIT(BTF_FIELD_REFCOUNT))) {
		verbose(env, "arg#%u doesn't point to a type with bpf_refcount field\n", regno - 1);
		return -EINVAL;
	}
	call->btf = reg->btf;
	call->btf_id = reg->btf_id;
	/* Whoever owns one reference is given another, whatever was written over the count. */
	aux->object_owned |= call->owned;
	return object_note_type(env, reg->btf, reg->btf_id, OBJECT_NO_NODE);
}

static u32 root_kind(u8 arg)
{
	return arg == KARG_LIST_HEAD || arg == KARG_LIST_NODE ? BTF_FIELD_LIST_HEAD
							      : BTF_FIELD_RB_ROOT;
}

static u32 node_kind(u8 arg)
{
	return root_kind(arg) == BTF_FIELD_LIST_HEAD ? BTF_FIELD_LIST_NODE : BTF_FIELD_RB_NODE;
}

static bool is_owned_object(struct verify_env *env, u32 regno)
{
	const struct reg *reg = &env_regs(env)[regno];

	if (reg->type != (PTR_TO_BTF_ID | MEM_ALLOC)) {
		verbose(env, "arg#%u expected pointer to allocated object\n", regno - 1);
		return false;
	}
	if (!reg->ref_id)
		verbose(env, "allocated object must be referenced\n");
	return reg->ref_id;
}

static int check_root(struct verify_env *env, u32 regno, u8 arg, struct graph_call *call)
{
	const struct reg *reg = &env_regs(env)[regno];
	const struct btf_fields *fields = reg_fields(reg);
	const struct btf_field *lock;
	const char *name = btf_field_name(root_kind(arg));
	u32 offset = (u32)reg->off + (u32)reg->s.var_off.value;

	if (reg->type != PTR_TO_MAP_VALUE && reg->type != (PTR_TO_BTF_ID | MEM_ALLOC)) {
		verbose(env, "arg#%u expected pointer to map value or allocated object\n",
			regno - 1);
		return -EINVAL;
	}
	if (reg->type != PTR_TO_MAP_VALUE && !reg->ref_id) {
		verbose(env, "allocated object must be referenced\n");
		return -EINVAL;
	}
	if (!tnum_is_const(reg->s.var_off)) {
		verbose(env,
			"R%u doesn't have constant offset. %s has to be at the constant offset\n",
			regno, name);
		return -EINVAL;
	}
	call->root = fields_at(fields, offset, BTF_FIELD_BIT(root_kind(arg)));
	if (!call->root) {
		verbose(env, "%s not found at offset=%u\n", name, offset);
		return -EINVAL;
	}
	if (!lock_is_held_for(env, reg)) {
		lock = btf_field_of(fields, BTF_FIELD_SPIN_LOCK);
		verbose(env, "bpf_spin_lock at off=%d must be held for %s\n",
			lock ? (int)lock->offset : -EINVAL, name);
		return -EINVAL;
	}
	return object_note_type(env, call->root->btf, call->root->type_id, call->root->node_offset);
}

static int check_node(struct verify_env *env, u32 regno, u8 arg, struct graph_call *call)
{
	const struct reg *reg = &env_regs(env)[regno];
	const char *name = btf_field_name(node_kind(arg));
	const struct btf_field *root = call->root;
	u32 offset = (u32)reg->off + (u32)reg->s.var_off.value;
	const char *wanted;

	if (!tnum_is_const(reg->s.var_off)) {
		verbose(env,
			"R%u doesn't have constant offset. %s has to be at the constant offset\n",
			regno, name);
		return -EINVAL;
	}
	if (!fields_at(reg_fields(reg), offset, BTF_FIELD_BIT(node_kind(arg)))) {
		verbose(env, "%s not found at offset=%u\n", name, offset);
		return -EINVAL;
	}
	if (!root)
		return verify_bug(env, "a node without a root");
	wanted = btf_type_name(root->btf, root->type_id);
	if (reg->btf != root->btf || reg->btf_id != root->type_id) {
		verbose(env,
			"operation on %s expects arg#1 %s at offset=%u in struct %s, but arg is at "
			"offset=%u in struct %s\n",
			btf_field_name(root_kind(arg)), name, root->node_offset, wanted, offset,
			btf_type_name(reg->btf, reg->btf_id));
		return -EINVAL;
	}
	if (offset != root->node_offset) {
		verbose(env, "arg#1 offset=%u, but expected %s at offset=%u in struct %s\n", offset,
			name, root->node_offset, wanted);
		return -EINVAL;
	}
	call->btf = reg->btf;
	call->btf_id = reg->btf_id;
	return 0;
}

/* A node that stays in its tree. */
static int check_lent_node(struct verify_env *env, u32 regno, u8 arg, struct graph_call *call)
{
	const struct reg *reg = &env_regs(env)[regno];

	if (!(reg->type & NON_OWN_REF) && !reg->ref_id) {
		verbose(env, "%s can only take non-owning or refcounted bpf_rb_node pointer\n",
			call->kfunc->name);
		return -EINVAL;
	}
	if (callback_of_tree(env)) {
		verbose(env, "%s not allowed in rbtree cb\n", call->kfunc->name);
		return -EINVAL;
	}
	return check_node(env, regno, arg, call);
}

static int check_res_lock(struct verify_env *env, u32 regno, const struct graph_call *call)
{
	const struct reg *reg = &env_regs(env)[regno];
	bool irq = call->id == ABI_KFUNC_bpf_res_spin_lock_irqsave ||
		   call->id == ABI_KFUNC_bpf_res_spin_unlock_irqrestore;

	if (reg->type != PTR_TO_MAP_VALUE && reg->type != (PTR_TO_BTF_ID | MEM_ALLOC)) {
		verbose(env, "arg#%u doesn't point to map value or allocated object\n", regno - 1);
		return -EINVAL;
	}
	return lock_check_argument(env, regno, irq ? REFERENCE_RES_LOCK_IRQ : REFERENCE_RES_LOCK,
				   !takes_res_lock(call->id));
}

int graph_check_arg(struct verify_env *env, u32 regno, u8 arg, struct graph_call *call)
{
	const struct reg *reg = &env_regs(env)[regno];
	bool releases = call->kfunc->flags & KFUNC_RELEASE && reg->ref_id;
	int err;

	if ((arg == KARG_OBJECT || arg == KARG_PERCPU_OBJECT) && !reg_is_trusted(reg)) {
		verbose(env, "R%u must be referenced or trusted\n", regno);
		return -EINVAL;
	}
	err = helper_check_offset(env, regno, releases);

	if (err)
		return err;
	switch (arg) {
	case KARG_OBJECT:
	case KARG_PERCPU_OBJECT: return check_drop(env, regno, arg == KARG_PERCPU_OBJECT, call);
	case KARG_REFCOUNTED: return check_refcounted(env, regno, call);
	case KARG_LIST_HEAD:
	case KARG_RB_ROOT: return check_root(env, regno, arg, call);
	case KARG_LIST_NODE:
	case KARG_RB_NODE:
		return is_owned_object(env, regno) ? check_node(env, regno, arg, call) : -EINVAL;
	case KARG_RB_NODE_LENT: return check_lent_node(env, regno, arg, call);
	case KARG_RES_LOCK: return check_res_lock(env, regno, call);
	default: return verify_bug(env, "no argument of a graph: %u", arg);
	}
}

static void set_unowned(struct reg *reg)
{
	const struct btf_fields *fields = reg_fields(reg);

	reg->type |= NON_OWN_REF;
	if (fields && fields->kinds & BTF_FIELD_BIT(BTF_FIELD_REFCOUNT))
		reg->type |= MEM_RCU;
}

static bool has_reference(const struct reg *reg, const void *arg)
{
	return reg->ref_id == *(const u32 *)arg;
}

static void lend(struct reg *reg, const void *arg)
{
	reg->ref_id = 0;
	set_unowned(reg);
}

/* What is put into a collection is its from now on. */
static int give_to_collection(struct verify_env *env)
{
	u32 ref_id = env_regs(env)[BPF_REG_2].ref_id;

	if (vstate_release_ref(env->cur, ref_id))
		return verify_bug(env, "ref state missing for ref_obj_id");
	vstate_change_regs(env->cur, has_reference, lend, &ref_id);
	return 0;
}

int graph_after_args(struct verify_env *env, const struct graph_call *call, u32 subprog)
{
	u32 ref_id = env_regs(env)[BPF_REG_1].ref_id;
	int err = 0;

	if (call->id == ABI_KFUNC_bpf_rbtree_add_impl) {
		err = callback_push(env, CALLBACK_LESS, subprog, NULL);
		if (err) {
			verbose(env, "kfunc %s#%d failed callback verification\n",
				call->kfunc->name, env->insns[env->insn_idx].imm);
			return err;
		}
	}
	switch (call->id) {
	case ABI_KFUNC_bpf_obj_drop_impl:
	case ABI_KFUNC_bpf_percpu_obj_drop_impl:
		err = slots_release_reference(env, ref_id);
		if (err)
			verbose(env, "kfunc %s#%d reference has not been acquired before\n",
				call->kfunc->name, env->insns[env->insn_idx].imm);
		return err;
	case ABI_KFUNC_bpf_list_push_front_impl:
	case ABI_KFUNC_bpf_list_push_back_impl:
	case ABI_KFUNC_bpf_rbtree_add_impl: return give_to_collection(env);
	default: return 0;
	}
}

static void set_object(struct reg *reg, const struct btf *btf, u32 id, u32 offset)
{
	reg_set_pointer(reg, PTR_TO_BTF_ID | MEM_ALLOC);
	reg->btf = btf;
	reg->btf_id = id;
	reg->off = (s32)offset;
}

int graph_set_less_arguments(struct verify_env *env, const struct frame *caller,
			     struct frame *callee)
{
	const struct reg *reg = &caller->regs[BPF_REG_1];
	const struct btf_field *root =
		fields_at(reg_fields(reg), reg->off + (s64)reg->s.var_off.value,
			  BTF_FIELD_BIT(BTF_FIELD_RB_ROOT));

	if (!root)
		return -EFAULT;
	for (u32 r = BPF_REG_1; r <= BPF_REG_2; r++) {
		set_object(&callee->regs[r], root->btf, root->type_id, root->node_offset);
		set_unowned(&callee->regs[r]);
	}
	return 0;
}

/* Nothing but numbers, in it and in what it contains. */
static bool is_of_scalars(struct verify_env *env, const struct btf *btf,
			  const struct btf_type *type, u32 depth)
{
	for (u32 i = 0; i < btf_vlen_of(type); i++) {
		const struct btf_type *member =
			btf_skip_modifiers(btf, btf_members_of(type)[i].type, NULL);

		if (member && btf_is_struct(member)) {
			if (depth >= 3) {
				verbose(env, "max struct nesting depth exceeded\n");
				return false;
			}
			if (!is_of_scalars(env, btf, member, depth + 1))
				return false;
			continue;
		}
		if (member && btf_kind_of(member) == BTF_KIND_ARRAY && btf_array_of(member)->nelems)
			member = btf_skip_modifiers(btf, btf_array_of(member)->type, NULL);
		if (!member ||
		    (btf_kind_of(member) != BTF_KIND_INT && btf_kind_of(member) != BTF_KIND_ENUM &&
		     btf_kind_of(member) != BTF_KIND_ENUM64))
			return false;
	}
	return true;
}

static int check_percpu_type(struct verify_env *env, const struct btf *btf, u32 id,
			     const struct btf_type *type)
{
	if (type->size > PERCPU_SIZE_MAX) {
		verbose(env, "bpf_percpu_obj_new type size (%u) is greater than %d\n", type->size,
			PERCPU_SIZE_MAX);
		return -EINVAL;
	}
	if (!is_of_scalars(env, btf, type, 0)) {
		verbose(env,
			"bpf_percpu_obj_new type ID argument must be of a struct of scalars\n");
		return -EINVAL;
	}
	if (btf_fields_of_object(btf, id)) {
		verbose(env,
			"bpf_percpu_obj_new type ID argument must not contain special fields\n");
		return -EINVAL;
	}
	return 0;
}

/* bpf_obj_new(), bpf_percpu_obj_new(): an object of the type that the constant names. */
static int set_new_object(struct verify_env *env, bool percpu, u64 constant)
{
	const struct btf *btf = env->input->btf;
	struct reg *r0 = &env_regs(env)[BPF_REG_0];
	const struct btf_type *type;
	int err = 0;

	if (constant != (u32)constant) {
		verbose(env, "local type ID argument must be in range [0, U32_MAX]\n");
		return -EINVAL;
	}
	if (!btf) {
		verbose(env, "bpf_obj_new/bpf_percpu_obj_new requires prog BTF\n");
		return -EINVAL;
	}
	type = btf_type_by_id(btf, (u32)constant);
	if (!type || btf_kind_of(type) != BTF_KIND_STRUCT) {
		verbose(env,
			"bpf_obj_new/bpf_percpu_obj_new type ID argument must be of a struct\n");
		return -EINVAL;
	}
	if (percpu)
		err = check_percpu_type(env, btf, (u32)constant, type);
	if (err)
		return err;
	set_object(r0, btf, (u32)constant, 0);
	if (percpu)
		r0->type |= MEM_PERCPU;
	return object_note_type(env, btf, (u32)constant, OBJECT_NO_NODE);
}

int graph_set_result(struct verify_env *env, const struct graph_call *call, u64 constant)
{
	const struct abi_kfunc *kfunc = call->kfunc;
	struct reg *r0 = &env_regs(env)[BPF_REG_0];
	bool percpu = kfunc->ret == KRET_PERCPU_OBJECT;
	int err = 0;

	switch (kfunc->ret) {
	case KRET_LOCKED: reg_set_const(r0, 0); return 0;
	case KRET_OBJECT:
	case KRET_PERCPU_OBJECT: err = set_new_object(env, percpu, constant); break;
	case KRET_REFCOUNTED: set_object(r0, call->btf, call->btf_id, 0); break;
	default:
		set_object(r0, call->root->btf, call->root->type_id, call->root->node_offset);
		if (!(kfunc->flags & KFUNC_ACQUIRE))
			set_unowned(r0);
	}
	if (err)
		return err;
	/* Who owns a reference need not be asked whether there is one. */
	if (!call->owned || kfunc->ret != KRET_REFCOUNTED)
		r0->type |= PTR_MAYBE_NULL;
	if (r0->type & PTR_MAYBE_NULL)
		r0->id = ++env->id_gen;
	if (kfunc->flags & KFUNC_ACQUIRE) {
		r0->ref_id = ++env->id_gen;
		if (r0->type & PTR_MAYBE_NULL)
			r0->id = r0->ref_id;
		err = vstate_acquire_ref(env->cur, env->insn_idx, r0->ref_id);
	}
	if (!r0->id && reg_may_have_lock(r0))
		r0->id = ++env->id_gen;
	return err;
}
