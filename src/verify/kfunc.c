/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See kfunc.h. Order and messages of Linux 6.18: check_kfunc_call() and check_kfunc_args() in
 * kernel/bpf/verifier.c.
 */
#include "verify/kfunc.h"

#include <errno.h>
#include <string.h>

#include "abi/attr.h"
#include "abi/bpf_new.h"
#include "abi/kfunc.h"
#include "abi/profile.h"
#include "btf/btf.h"
#include "btf/walk.h"
#include "verify/async.h"
#include "verify/backtrack.h"
#include "verify/btf_target.h"
#include "verify/call.h"
#include "verify/graph.h"
#include "verify/helper.h"
#include "verify/kernel_memory.h"
#include "verify/kfunc_struct.h"
#include "verify/mem.h"
#include "verify/operand.h"
#include "verify/packet.h"
#include "verify/section.h"
#include "verify/slots.h"

#define ENOTSUPP 524
#define METADATA "bpf_xdp_metadata_rx_" /* functions of devices' drivers */

struct kfunc_meta {
	const struct abi_kfunc *kfunc;
	u32 id;
	u64 constant;
	u32 ref_id;	       /* of the object that an argument is */
	u32 dynptr, dynptr_id; /* kind and id of the initialised dynptr */
	u32 dynptr_ref;
	u32 iter_frame, iter_slot, iter_type;
	u32 release_id;		      /* the reference that is given back */
	const struct verify_map *map; /* of the value that an argument points to */
	u32 map_uid;
	u32 subprog;
	struct graph_call graph;
};

const char *kfunc_btf_name(const struct verify_env *env, s32 btf_id)
{
	const struct btf *btf = env->kernel_btf;
	const struct btf_type *type = btf && btf_id > 0 ? btf_type_by_id(btf, (u32)btf_id) : NULL;

	return type && btf_kind_of(type) == BTF_KIND_FUNC ? btf_string(btf, type->name_off) : NULL;
}

/* A function of a kernel module, whose BTF insn->off names. */
static int refuse_module(struct verify_env *env, u32 i)
{
	int err = -EINVAL;

	if (env->insns[i].off < 0) {
		verbose(env, "negative offset disallowed for kernel module function call\n");
	} else if (!env->input->has_fd_array) {
		verbose(env, "kfunc offset > 0 without fd_array is invalid\n");
		err = -EPROTO;
	} else {
		verbose(env, "kernel modules' functions are not available here: insn %u\n", i);
	}
	verbose(env, "failed to find BTF for kernel function\n");
	return err;
}

int kfunc_resolve(struct verify_env *env, u32 i)
{
	const struct bpf_insn *insn = &env->insns[i];
	const struct verify_ops *ops = env->input->ops;
	const char *name;
	int id;

	/* A call that must turn out dead: a weak kfunc that this kernel does not have. */
	if (!insn->imm && !insn->off)
		return 0;
	if (!env->kernel_btf && ops->kernel_btf)
		env->kernel_btf = ops->kernel_btf(env->input->ops_arg);
	if (!env->kernel_btf) {
		verbose(env,
			"calling kernel function is not supported without CONFIG_DEBUG_INFO_BTF\n");
		return -ENOTSUPP;
	}
	if (!env->input->gpl_compatible) {
		verbose(env, "cannot call kernel function from non-GPL compatible program\n");
		return -EINVAL;
	}
	if (insn->off)
		return refuse_module(env, i);
	name = kfunc_btf_name(env, insn->imm);
	if (!name || !*name) {
		verbose(env, "kernel btf_id %u is not a function\n", insn->imm);
		return -EINVAL;
	}
	if (!strncmp(name, METADATA, strlen(METADATA))) {
		verbose(env, "metadata kfuncs require device-bound program\n");
		return -EINVAL;
	}
	id = abi_kfunc_find(name);
	env->aux[i].kfunc = (u16)(id + 1);
	return 0;
}

const struct abi_kfunc *kfunc_of(const struct verify_env *env, u32 i)
{
	return env->aux[i].kfunc ? abi_kfunc_by_id(env->aux[i].kfunc - 1u) : NULL;
}

static bool is_allowed(const struct verify_env *env, const struct abi_kfunc *kfunc)
{
	return abi_kfunc_allowed(kfunc, env->input->prog_type, env->input->expected_attach_type);
}

u32 kfunc_nr_args(const struct verify_env *env, u32 i)
{
	const struct abi_kfunc *kfunc = kfunc_of(env, i);

	return kfunc && is_allowed(env, kfunc) ? abi_kfunc_nr_args(kfunc) : 5;
}

bool kfunc_is_iter_next(const struct verify_env *env, u32 i)
{
	const struct abi_kfunc *kfunc = kfunc_of(env, i);

	return kfunc && kfunc->flags & KFUNC_ITER_NEXT;
}

static int check_number(struct verify_env *env, u32 regno)
{
	if (env_regs(env)[regno].type == SCALAR_VALUE)
		return 0;
	verbose(env, "R%u is not a scalar\n", regno);
	return -EINVAL;
}

static int check_constant(struct verify_env *env, u32 regno, struct kfunc_meta *meta)
{
	const struct reg *reg = &env_regs(env)[regno];
	int err = check_number(env, regno);

	if (err)
		return err;
	if (!tnum_is_const(reg->s.var_off)) {
		verbose(env, "R%u must be a known constant\n", regno);
		return -EINVAL;
	}
	meta->constant = reg->s.var_off.value;
	/* The size of memory is precise already. */
	if (regno > 1 && meta->kfunc->arg[regno - 2] == KARG_MEM_SIZE_OPT && !reg_is_null(reg - 1))
		return 0;
	return mark_precise(env, regno);
}

/* Memory in regno, its size in the register behind; read and written. */
static int check_memory(struct verify_env *env, u32 regno, bool optional)
{
	struct reg *reg = &env_regs(env)[regno], saved = *reg;
	int err;

	if (optional && reg_is_null(reg))
		return mark_precise_quietly(env, regno);
	/* The kernel lets kfuncs read what it has not found to be there. */
	if (saved.type & PTR_MAYBE_NULL && !optional && env_regs(env)[regno + 1].s.umax) {
		verbose(env, "R%u may be null while R%u says that there is memory\n", regno,
			regno + 1);
		return -EACCES;
	}
	if (saved.type & PTR_MAYBE_NULL)
		reg_set_not_null(reg);
	err = check_sized_memory(env, regno + 1, false, true, NULL);
	if (!err)
		err = check_sized_memory(env, regno + 1, true, true, NULL);
	if (saved.type & PTR_MAYBE_NULL)
		*reg = saved;
	if (err)
		verbose(env, "arg#%u arg#%u memory, len pair leads to invalid memory access\n",
			regno - 1, regno);
	return err;
}

/* The kind of dynptr that the kfunc makes. */
static u32 made_dynptr(const struct kfunc_meta *meta)
{
	switch (meta->id) {
	case ABI_KFUNC_bpf_dynptr_from_skb: return DYNPTR_SKB;
	case ABI_KFUNC_bpf_dynptr_from_xdp: return DYNPTR_XDP;
	case ABI_KFUNC_bpf_dynptr_from_skb_meta: return DYNPTR_META;
	default: return meta->dynptr; /* a clone */
	}
}

static int check_dynptr(struct verify_env *env, u32 regno, struct kfunc_meta *meta)
{
	int err = dynptr_check(env, regno, DYNPTR_ANY);
	const struct reg *dynptr;

	if (!err && env_regs(env)[regno].type == CONST_PTR_TO_DYNPTR)
		err = check_unmodified(env, regno, false);
	if (err)
		return err;
	dynptr = dynptr_of(env, regno);
	meta->dynptr = dynptr->dynptr;
	meta->dynptr_id = dynptr->id;
	meta->dynptr_ref = dynptr->ref_id;
	return 0;
}

/* It takes a lock that only some programs never hold. */
static bool takes_css_task(const struct verify_env *env)
{
	return env->input->prog_type == BPF_PROG_TYPE_LSM || env->iter || env->cur->sleepable;
}

static int check_iter(struct verify_env *env, u32 regno, struct kfunc_meta *meta)
{
	const struct abi_kfunc *kfunc = meta->kfunc;
	const struct reg *iter;
	int err;

	if (meta->id == ABI_KFUNC_bpf_iter_css_task_new && !takes_css_task(env)) {
		verbose(env, "css_task_iter is only allowed in bpf_lsm, bpf_iter and sleepable "
			     "progs\n");
		return -EINVAL;
	}
	if (kfunc->flags & KFUNC_ITER_NEW)
		return iter_new(env, regno, kfunc->iter, kfunc->flags & KFUNC_RCU_PROTECTED);
	err = iter_check(env, regno, kfunc->iter, kfunc->name, &meta->iter_frame, &meta->iter_slot);
	if (err)
		return err;
	iter = frame_slot(env->cur->frame[meta->iter_frame], meta->iter_slot)->spilled;
	meta->ref_id = iter->ref_id;
	meta->iter_type = iter->type;
	if (kfunc->flags & KFUNC_ITER_DESTROY)
		return iter_destroy(env, meta->iter_frame, meta->iter_slot, kfunc->iter);
	return 0;
}

static int refuse_structure(struct verify_env *env, u32 regno)
{
	verbose(env,
		"arg#%u pointer type STRUCT __sk_buff must point to scalar, or struct with "
		"scalar\n",
		regno - 1);
	return -EINVAL;
}

static int check_ctx(struct verify_env *env, u32 regno)
{
	const struct reg *reg = &env_regs(env)[regno];

	if (reg->type != PTR_TO_CTX) {
		verbose(env, "arg#%u expected pointer to ctx, but got %s\n", regno - 1,
			log_reg_type(reg->type));
		return -EINVAL;
	}
	return check_unmodified(env, regno, false);
}

/* The type of the kernel's structure for contexts of the program's type, for a log: none is one. */
static u32 kernel_ctx_type(struct verify_env *env)
{
	const struct btf *btf = env->kernel_btf;
	u32 all = btf_find(btf, "bpf_ctx_convert", BTF_KIND_STRUCT);
	const struct btf_type *type = all ? btf_type_by_id(btf, all) : NULL;
	const char *own = abi_prog_type_name(env->input->prog_type);
	size_t length = own ? strlen(own) : 0;

	for (u32 i = 0; type && own && i < btf_vlen_of(type); i++) {
		const struct btf_member *member = &btf_members_of(type)[i];
		const char *name = btf_string(btf, member->name_off);

		if (strncmp(name, "BPF_PROG_TYPE_", 14) || strncasecmp(name + 14, own, length) ||
		    strcmp(name + 14 + length, "_kern"))
			continue;
		return member->type;
	}
	return 0;
}

static int check_cast(struct verify_env *env, u32 regno, struct kfunc_meta *meta)
{
	int err = check_ctx(env, regno);

	if (err)
		return err;
	meta->constant = btf_target_kernel_ctx(env->kernel_btf, env->input->prog_type);
	if (meta->constant)
		return 0;
	verbose(env, "kern ctx type id %u is not a struct\n", kernel_ctx_type(env));
	return -EINVAL;
}

/*
 * A packet that is not the context: a socket buffer that is trusted, which only a netfilter
 * program's context leads to. The kernel takes pointers into one as well.
 */
static int check_packet(struct verify_env *env, u32 regno, const struct kfunc_meta *meta)
{
	const struct reg *reg = &env_regs(env)[regno];
	const char *name;
	struct btf_place place;
	char reason[256];

	if (reg_base(reg->type) != PTR_TO_BTF_ID)
		return refuse_structure(env, regno);
	if (!(reg->type & PTR_TRUSTED)) {
		verbose(env, "R%u must be referenced or trusted\n", regno);
		return -EINVAL;
	}
	name = btf_type_name(reg->btf, reg->btf_id);
	if (btf_place_find(reg->btf, reg->btf_id, (u32)reg->off, 1, &place, reason, sizeof(reason)))
		verbose(env, "%s", reason);
	if (reg->btf == env->kernel_btf && name && !strcmp(name, "sk_buff"))
		return check_unmodified(env, regno, false);
	verbose(env,
		"kernel function %s args#%u expected pointer to STRUCT __sk_buff but R%u has a "
		"pointer to STRUCT %s\n",
		meta->kfunc->name, regno - 1, regno, name ? name : "");
	return -EINVAL;
}

static int check_string(struct verify_env *env, u32 regno)
{
	if (env_regs(env)[regno].type == PTR_TO_MAP_VALUE)
		return check_const_string(env, regno);
	verbose(env, "arg#%u doesn't point to a const string\n", regno - 1);
	return -EINVAL;
}

static int check_workqueue(struct verify_env *env, u32 regno, struct kfunc_meta *meta)
{
	const struct reg *reg = &env_regs(env)[regno];

	if (reg->type != PTR_TO_MAP_VALUE) {
		verbose(env, "arg#%u doesn't point to a map value\n", regno - 1);
		return -EINVAL;
	}
	meta->map = reg->map;
	meta->map_uid = reg->map_uid;
	return field_check_place(env, regno, BTF_FIELD_WORKQUEUE);
}

static int check_map(struct verify_env *env, u32 regno, struct kfunc_meta *meta)
{
	const struct reg *reg = &env_regs(env)[regno];
	int err;

	/* What an iterator shows of a map; a work queue's has to be known. */
	if (reg_base(reg->type) == PTR_TO_BTF_ID && !meta->map) {
		env->aux[env->insn_idx].map_shown = true;
		return kfunc_struct_check_map(env, meta->kfunc, regno);
	}
	if (!reg->map) {
		verbose(env, "pointer in R%u isn't map pointer\n", regno);
		return -EINVAL;
	}
	/* As 6.18 has it: a map without work queues is never another one. */
	err = btf_field_of(reg->map->fields, BTF_FIELD_WORKQUEUE)
		      ? async_check_same_map(env, meta->map, meta->map_uid, regno, "workqueue")
		      : 0;
	if (err || reg->type == CONST_PTR_TO_MAP)
		return err;
	verbose(env, "arg#%u is %s expected %s or socket\n", regno - 1, log_reg_type(reg->type),
		log_reg_type(reg->type));
	return -EINVAL;
}

static int check_function(struct verify_env *env, u32 regno, struct kfunc_meta *meta)
{
	const struct reg *reg = &env_regs(env)[regno];

	if (reg->type != PTR_TO_FUNC) {
		verbose(env, "arg%u expected pointer to func\n", regno - 1);
		return -EINVAL;
	}
	meta->subprog = reg->subprogno;
	return 0;
}

/* Is the program's context a packet? */
static bool is_of_packet(const struct verify_env *env)
{
	switch (env->input->prog_type) {
	case ABI_PROG_TYPE_NETFILTER:
	case BPF_PROG_TYPE_TRACEPOINT:
	case BPF_PROG_TYPE_PERF_EVENT:
	case BPF_PROG_TYPE_TRACING:
	case BPF_PROG_TYPE_CGROUP_SOCK:
	case BPF_PROG_TYPE_CGROUP_DEVICE:
	case BPF_PROG_TYPE_CGROUP_SOCK_ADDR:
	case BPF_PROG_TYPE_CGROUP_SOCKOPT:
	case BPF_PROG_TYPE_CGROUP_SYSCTL: return false;
	default: return true;
	}
}

/* May a pointer of this kind have the offset that it has? Asked before what it should point to. */
static int check_offset(struct verify_env *env, u32 regno, u8 arg)
{
	bool is_memory = arg == KARG_MEM_SIZE || arg == KARG_MEM_SIZE_OPT;
	bool later = arg == KARG_MAP || arg == KARG_BTF || (arg == KARG_SKB && !is_of_packet(env));

	/* A pointer to nothing in particular is only memory if its size follows. */
	if (is_memory && env_regs(env)[regno + 1].type != SCALAR_VALUE) {
		verbose(env,
			"arg#%u pointer type UNKNOWN  must point to scalar, or struct with "
			"scalar\n",
			regno - 1);
		return -EINVAL;
	}
	if (later || (arg == KARG_MEM_SIZE_OPT && reg_is_null(&env_regs(env)[regno])))
		return 0;
	return helper_check_offset(env, regno, false);
}

static int check_arg(struct verify_env *env, u32 regno, struct kfunc_meta *meta)
{
	const struct abi_kfunc *kfunc = meta->kfunc;
	const struct reg *reg = &env_regs(env)[regno];
	u8 arg = kfunc->arg[regno - 1];
	int err;

	if (arg == KARG_IGNORE || arg == KARG_PROG)
		return 0;
	if (arg & KARG_NULLABLE && reg_is_null(reg))
		return 0;
	if (arg == KARG_SCALAR)
		return check_number(env, regno);
	if (arg == KARG_CONST)
		return check_constant(env, regno, meta);
	if (kfunc->flags & (KFUNC_TRUSTED_ARGS | KFUNC_RCU | KFUNC_RELEASE) &&
	    (reg_is_null(reg) || reg->type & PTR_MAYBE_NULL) && !(arg & KARG_NULLABLE)) {
		verbose(env, "Possibly NULL pointer passed to trusted arg%u\n", regno - 1);
		return -EACCES;
	}
	if (abi_kfunc_arg_struct(arg)) {
		if (kfunc->flags & KFUNC_RELEASE)
			meta->release_id = reg->ref_id;
		return kfunc_struct_check(env, kfunc, regno);
	}
	arg &= ~KARG_NULLABLE;
	if (graph_takes(arg))
		return graph_check_arg(env, regno, arg, &meta->graph);
	err = check_offset(env, regno, arg);
	if (err)
		return err;
	switch (arg) {
	case KARG_INT: return kfunc_memory_check(env, regno, sizeof(s32));
	case KARG_CTX:
		return kfunc->ret == KRET_CAST_CTX ? check_cast(env, regno, meta)
						   : check_ctx(env, regno);
	case KARG_SKB:
		return is_of_packet(env) ? check_ctx(env, regno) : check_packet(env, regno, meta);
	case KARG_MEM_SIZE: return check_memory(env, regno, false);
	case KARG_MEM_SIZE_OPT: return check_memory(env, regno, true);
	case KARG_DYNPTR: return check_dynptr(env, regno, meta);
	case KARG_DYNPTR_UNINIT:
		return dynptr_make(env, regno, made_dynptr(meta), meta->dynptr_ref);
	case KARG_ITER: return check_iter(env, regno, meta);
	case KARG_CONST_STRING: return check_string(env, regno);
	/* A lock's functions have it behind the lock. */
	case KARG_IRQ_FLAG_UNINIT: return irq_save(env, regno, regno > BPF_REG_1);
	case KARG_IRQ_FLAG: return irq_restore(env, regno, regno > BPF_REG_1);
	case KARG_WORKQUEUE: return check_workqueue(env, regno, meta);
	case KARG_MAP: return check_map(env, regno, meta);
	case KARG_FUNCTION: return check_function(env, regno, meta);
	default: return verify_bug(env, "unknown kfunc argument %u", arg);
	}
}

static int set_cast(struct verify_env *env, const struct kfunc_meta *meta, struct reg *r0)
{
	const struct btf *btf = env->kernel_btf;
	const struct btf_type *type =
		meta->constant <= UINT32_MAX ? btf_type_by_id(btf, (u32)meta->constant) : NULL;

	if (type && !meta->constant) {
		reg_set_pointer(r0, PTR_TO_MEM | MEM_RDONLY | PTR_UNTRUSTED);
		return 0;
	}
	if (!btf_is_struct(type)) {
		verbose(env,
			"kfunc bpf_rdonly_cast type ID argument must be of a struct or void\n");
		return -EINVAL;
	}
	reg_set_pointer(r0, PTR_TO_BTF_ID | PTR_UNTRUSTED);
	r0->btf = btf;
	r0->btf_id = (u32)meta->constant;
	return 0;
}

/* The structure that check_cast() has found. */
static void set_image(struct verify_env *env, const struct kfunc_meta *meta, struct reg *r0)
{
	reg_set_pointer(r0, PTR_TO_BTF_ID | PTR_TRUSTED);
	r0->btf = env->kernel_btf;
	r0->btf_id = (u32)meta->constant;
	r0->range = KERNEL_MEMORY_IMAGE;
}

static int set_slice(struct verify_env *env, const struct kfunc_meta *meta, struct reg *r0)
{
	reg_set_pointer(r0, PTR_TO_MEM);
	r0->range = (s32)meta->constant;
	r0->dynptr = (u8)meta->dynptr;
	r0->dynptr_id = meta->dynptr_id;
	if (meta->id == ABI_KFUNC_bpf_dynptr_slice) {
		r0->type |= MEM_RDONLY;
	} else if (!packet_may_write(env->input->prog_type)) {
		verbose(env, "the prog does not allow writes to packet data\n");
		return -EINVAL;
	}
	return 0;
}

/* What the program may keep until it gives it back. */
static int acquire(struct verify_env *env)
{
	struct reg *r0 = &env_regs(env)[BPF_REG_0];

	r0->ref_id = ++env->id_gen;
	if (r0->type & PTR_MAYBE_NULL)
		r0->id = r0->ref_id;
	return vstate_acquire_ref(env->cur, env->insn_idx, r0->ref_id);
}

static int set_result(struct verify_env *env, const struct kfunc_meta *meta)
{
	const struct abi_kfunc *kfunc = meta->kfunc;
	struct reg *r0 = &env_regs(env)[BPF_REG_0];
	int err = 0;

	if (graph_returns(kfunc->ret))
		return graph_set_result(env, &meta->graph, meta->constant);
	switch (kfunc->ret) {
	case KRET_VOID: return 0;
	case KRET_SCALAR: env_set_unknown(env, r0); return 0;
	case KRET_MEM:
	case KRET_RDONLY_MEM:
		reg_set_pointer(r0, PTR_TO_MEM | (kfunc->ret == KRET_MEM ? 0 : MEM_RDONLY));
		r0->range = (s32)kfunc->ret_size;
		r0->ref_id = meta->ref_id;
		break;
	case KRET_DYNPTR_SLICE: err = set_slice(env, meta, r0); break;
	case KRET_CAST_CTX: set_image(env, meta, r0); break;
	case KRET_CAST: err = set_cast(env, meta, r0); break;
	case KRET_BTF:
		err = kfunc_struct_result(env, kfunc,
					  kfunc->flags & KFUNC_ITER_NEXT ? meta->iter_type : 0);
		break;
	default: return verify_bug(env, "unknown result %u of %s", kfunc->ret, kfunc->name);
	}
	if (!err && kfunc->flags & KFUNC_RET_NULL) {
		r0->type |= PTR_MAYBE_NULL;
		r0->id = ++env->id_gen;
	}
	return !err && kfunc->ret == KRET_BTF && kfunc->flags & KFUNC_ACQUIRE ? acquire(env) : err;
}

/* The reference that the argument is, and the pointers that go with it. */
static int release(struct verify_env *env, const struct kfunc_meta *meta)
{
	if (!(meta->kfunc->flags & KFUNC_RELEASE) || !abi_kfunc_arg_struct(meta->kfunc->arg[0]))
		return 0;
	if (slots_release_reference(env, meta->release_id)) {
		verbose(env, "kfunc %s#%d reference has not been acquired before\n",
			meta->kfunc->name, env->insns[env->insn_idx].imm);
		return -EINVAL;
	}
	return 0;
}

/* What can only be said when all arguments are known. */
static int check_args_together(struct verify_env *env, const struct kfunc_meta *meta)
{
	const struct abi_kfunc *kfunc = meta->kfunc;

	if (kfunc->flags & KFUNC_RELEASE && abi_kfunc_arg_struct(kfunc->arg[0]) &&
	    !meta->release_id) {
		verbose(env, "release kernel function %s expects refcounted PTR_TO_BTF_ID\n",
			kfunc->name);
		return -EINVAL;
	}
	return kfunc_struct_note(env, kfunc);
}

/* Is it one that programs of the kernel may call? Its BTF says so with a tag. */
static bool is_of_kernel(const struct verify_env *env, s32 btf_id)
{
	const struct btf *btf = env->kernel_btf;

	for (u32 id = 1; id < btf_nr_types(btf); id++) {
		const struct btf_type *type = btf_type_by_id(btf, id);
		const char *name;

		if (btf_kind_of(type) != BTF_KIND_DECL_TAG || type->type != (u32)btf_id)
			continue;
		name = btf_string(btf, type->name_off);
		if (name && !strcmp(name, "bpf_kfunc"))
			return true;
	}
	return false;
}

/* Adds the reason if a kernel would take the call from some program. */
static void say_why(struct verify_env *env, s32 btf_id)
{
	const char *name = kfunc_btf_name(env, btf_id), *why = abi_kfunc_refused(name);

	if (why)
		verbose(env, "user space has no such function: %s\n", why);
	else if (abi_kfunc_find(name) < 0 && is_of_kernel(env, btf_id))
		verbose(env, "kernels have %s for some programs; it is not there in user space\n",
			name);
}

static int find(struct verify_env *env, const struct bpf_insn *insn, struct kfunc_meta *meta)
{
	meta->kfunc = kfunc_of(env, env->insn_idx);
	if (!meta->kfunc || !is_allowed(env, meta->kfunc) ||
	    !ENV_KERNEL_HAS(env, abi_since_kfunc(meta->kfunc->name))) {
		verbose(env, "calling kernel function %s is not allowed\n",
			kfunc_btf_name(env, insn->imm));
		say_why(env, insn->imm);
		return -EACCES;
	}
	meta->id = env->aux[env->insn_idx].kfunc - 1u;
	/* Compilers leave one where nothing defined could happen. */
	if (meta->id == ABI_KFUNC___bpf_trap) {
		verbose(env, "unexpected __bpf_trap() due to uninitialized variable?\n");
		return -EFAULT;
	}
	if (meta->kfunc->flags & KFUNC_SLEEPABLE && !env->cur->sleepable) {
		verbose(env, "program must be sleepable to call sleepable kfunc %s\n",
			meta->kfunc->name);
		return -EACCES;
	}
	return 0;
}

int check_kfunc_call(struct verify_env *env, const struct bpf_insn *insn)
{
	struct kfunc_meta meta = { 0 };
	int err;

	/* Refused in the end, if it is still there then. */
	if (!insn->imm)
		return 0;
	err = find(env, insn, &meta);
	meta.graph.kfunc = meta.kfunc;
	meta.graph.id = meta.id;
	if (!err)
		err = graph_before(env, meta.kfunc, meta.id);
	for (u32 i = 0; !err && i < abi_kfunc_nr_args(meta.kfunc); i++)
		err = check_arg(env, i + 1, &meta);
	if (!err)
		err = check_args_together(env, &meta);
	if (!err)
		err = section_check_kfunc(env, meta.kfunc, meta.id);
	if (!err)
		err = release(env, &meta);
	if (!err)
		err = graph_after_args(env, &meta.graph, meta.subprog);
	env->throws |= meta.id == ABI_KFUNC_bpf_throw;
	/* Without a function for exceptions the cookie is the result. */
	if (!err && meta.id == ABI_KFUNC_bpf_throw && !env->exception_cb)
		err = check_return_value(env, BPF_REG_1);
	if (!err && async_is_call(env, env->insn_idx))
		err = async_push(env, meta.map, meta.map_uid, meta.subprog, true);
	if (err)
		return err;
	clear_caller_saved(env);
	err = set_result(env, &meta);
	if (!err && meta.kfunc->flags & KFUNC_CHANGES_PACKET)
		packet_forget(env);
	if (!err && meta.kfunc->flags & KFUNC_ITER_NEXT)
		err = iter_next(env, meta.iter_frame, meta.iter_slot);
	return err;
}

int kfunc_fix(struct verify_env *env, u32 i)
{
	if (!env->aux[i].kfunc) {
		verbose(env, "invalid kernel function call not eliminated in verifier pass\n");
		return -EINVAL;
	}
	env->insns[i].imm = env->aux[i].kfunc - 1;
	/* A cast leaves the other registers alone (fastcall.h). */
	if (env->insns[i].imm == ABI_KFUNC_bpf_rdonly_cast)
		env->insns[i] = (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_X,
						   .dst_reg = BPF_REG_0,
						   .src_reg = BPF_REG_1 };
	/* The data plane is told which map is none of its own. */
	if (env->insns[i].imm == ABI_KFUNC_bpf_arena_alloc_pages ||
	    env->insns[i].imm == ABI_KFUNC_bpf_arena_free_pages ||
	    env->insns[i].imm == ABI_KFUNC_bpf_arena_reserve_pages)
		env->insns[i].off = env->aux[i].map_shown;
	/* The data plane is told what the context is. */
	if (env->insns[i].imm == ABI_KFUNC_bpf_cast_to_kern_ctx)
		env->insns[i].off = (s16)env->input->prog_type;
	return 0;
}
