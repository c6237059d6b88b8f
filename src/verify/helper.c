/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Helper calls, driven by the prototypes of src/abi: may the program call it, what belongs to
 * single helpers, and what it returns.
 */
#include "verify/helper.h"

#include <errno.h>
#include <string.h>

#include "abi/helper.h"
#include "abi/iter.h"
#include "abi/kfunc.h"
#include "abi/struct_ops.h"
#include "abi/profile.h"
#include "btf/btf.h"
#include "verify/async.h"
#include "verify/backtrack.h"
#include "verify/btf_target.h"
#include "verify/callback.h"
#include "verify/call.h"
#include "verify/format.h"
#include "verify/helper_call.h"
#include "verify/kernel_memory.h"
#include "verify/map_use.h"
#include "verify/lock.h"
#include "verify/mem.h"
#include "verify/object.h"
#include "verify/operand.h"
#include "verify/packet.h"
#include "verify/section.h"
#include "verify/slots.h"
#include "verify/socket.h"

bool helper_calls_back(s32 func_id)
{
	const struct abi_helper *helper = func_id < 0 ? NULL : abi_helper_find(func_id);

	if (async_is_helper(func_id))
		return false;
	for (u32 i = 0; helper && i < 5; i++)
		if ((helper->arg[i] & ABI_ARG_BASE_MASK) == ARG_PTR_TO_FUNC)
			return true;
	return false;
}

/* Is the helper there for this program at all? */
static bool is_allowed(const struct verify_env *env, u32 func_id)
{
	if (env->struct_ops)
		return env->struct_ops->helpers && abi_struct_ops_helper(env->attach_name, func_id);
	if (env->iter && (func_id == BPF_FUNC_setsockopt || func_id == BPF_FUNC_getsockopt))
		return env->iter->has_options;
	return abi_helper_allowed(func_id, env->input->prog_type, env->input->expected_attach_type);
}

u32 helper_nr_args(const struct verify_env *env, s32 func_id)
{
	const struct abi_helper *helper =
		func_id < 0 ? NULL : abi_helper_for(func_id, env->input->prog_type);
	u32 nr = 0;

	/* Of one that it may not call nothing is known. */
	if (!helper || (!helper->available && helper->arg[0] == ARG_NONE) ||
	    !is_allowed(env, (u32)func_id))
		return 5;
	while (nr < 5 && helper->arg[nr] != ARG_NONE)
		nr++;
	return nr;
}

/* Functions of which no caller holds what bpf_d_path() takes. */
static const char *const d_path_functions[] = {
	"security_file_permission",
	"security_inode_getattr",
	"security_file_open",
	"security_path_truncate",
	"vfs_truncate",
	"vfs_fallocate",
	"dentry_open",
	"vfs_getattr",
	"filp_close",
};

static bool may_ask_path(const struct verify_env *env)
{
	if (env->input->prog_type == BPF_PROG_TYPE_LSM)
		return btf_target_lsm_may_sleep(env->attach_name);
	if (env->input->prog_type == BPF_PROG_TYPE_TRACING &&
	    env->input->expected_attach_type == BPF_TRACE_ITER)
		return true;
	for (u32 i = 0; env->attach_name && i < ARRAY_SIZE(d_path_functions); i++)
		if (!env->input->target && !strcmp(env->attach_name, d_path_functions[i]))
			return true;
	return false;
}

/*
 * Storage of sockets is not for those that could listen to that very storage, nor for programs that
 * are run by hand; some helpers only for what runs where one may sleep.
 */
static bool allowed_in_probe(const struct verify_env *env, u32 func_id)
{
	u32 type = env->input->prog_type;

	if (func_id == BPF_FUNC_d_path)
		return may_ask_path(env);
	if (func_id == BPF_FUNC_ima_inode_hash || func_id == BPF_FUNC_ima_file_hash)
		return btf_target_lsm_may_sleep(env->attach_name);
	if ((func_id != BPF_FUNC_sk_storage_get && func_id != BPF_FUNC_sk_storage_delete) ||
	    (type != BPF_PROG_TYPE_TRACING && type != BPF_PROG_TYPE_SYSCALL))
		return true;
	if (env->input->target || type == BPF_PROG_TYPE_SYSCALL)
		return false;
	switch (env->input->expected_attach_type) {
	case BPF_TRACE_ITER:
	case BPF_TRACE_RAW_TP: return true;
	case BPF_TRACE_FENTRY:
	case BPF_TRACE_FEXIT:
		return env->attach_name && strncmp(env->attach_name, "bpf_sk_storage", 14) != 0;
	default: return false;
	}
}

static int find_helper(struct verify_env *env, s32 func_id, const struct abi_helper **ret_helper)
{
	const struct abi_helper *helper = func_id > 0 ? abi_helper_find(func_id) : NULL;

	if (!func_id) {
		verbose(env, "program of this type cannot use helper bpf_unspec#0\n");
		return -EINVAL;
	}
	if (!helper || !ENV_KERNEL_HAS(env, abi_since_helper((u32)func_id, 0))) {
		verbose(env, "invalid func unknown#%d\n", func_id);
		return -EINVAL;
	}
	if (!is_allowed(env, (u32)func_id) ||
	    !ENV_KERNEL_HAS(env, abi_since_helper((u32)func_id, env->input->prog_type))) {
		verbose(env, "unknown func bpf_%s#%d\n", helper->name, func_id);
		return -EINVAL;
	}
	helper = abi_helper_for((u32)func_id, env->input->prog_type);
	if (!env->input->gpl_compatible && helper->gpl_only) {
		verbose(env,
			"cannot call GPL-restricted function from non-GPL compatible program\n");
		return -EINVAL;
	}
	if (!abi_helper_available(helper, env->input->prog_type) &&
	    !(env->input->test_all_helpers && helper->arg[0] != ARG_NONE)) {
		verbose(env, "unknown func bpf_%s#%d\n", helper->name, func_id);
		if (helper->refused)
			verbose(env, "user space has no such helper: %s\n", helper->refused);
		return -EINVAL;
	}
	if (!allowed_in_probe(env, (u32)func_id)) {
		verbose(env, "helper call is not allowed in probe\n");
		return -EINVAL;
	}
	if (helper->might_sleep && !env->cur->sleepable) {
		verbose(env, "helper call might sleep in a non-sleepable prog\n");
		return -EINVAL;
	}
	*ret_helper = helper;
	return 0;
}

static bool changes_map(u32 func_id)
{
	return func_id == BPF_FUNC_map_update_elem || func_id == BPF_FUNC_map_delete_elem ||
	       func_id == BPF_FUNC_map_push_elem || func_id == BPF_FUNC_map_pop_elem;
}

/* Writes through a helper into maps that programs may not change; which map the call always gets.
 */
static int note_map(struct verify_env *env, const struct call_meta *meta)
{
	struct insn_aux *aux = &env->aux[env->insn_idx];

	if (!meta->map)
		return 0;
	if ((meta->map->flags & BPF_F_RDONLY_PROG) && changes_map(meta->func_id)) {
		verbose(env, "write into map forbidden\n");
		return -EACCES;
	}
	if (aux->map && aux->map != meta->map)
		aux->map_poisoned = true;
	aux->map = meta->map;
	return 0;
}

/* Only who is on a function can be told which one that is. */
static int check_func_ip(struct verify_env *env, const char *name)
{
	u32 type = env->input->prog_type;

	if (type == BPF_PROG_TYPE_KPROBE ||
	    (type == BPF_PROG_TYPE_TRACING && env->attach_is_function))
		return 0;
	if (type == BPF_PROG_TYPE_TRACING)
		verbose(env, "func bpf_%s#%d supported only for fentry/fexit/fmod_ret programs\n",
			name, BPF_FUNC_get_func_ip);
	else
		verbose(env, "func bpf_%s#%d not supported for program type %u\n", name,
			BPF_FUNC_get_func_ip, type);
	return -524; /* ENOTSUPP */
}

/*
 * Such a loop is shown inlined, if it is always the same: that it has no flags counts then, as for
 * the kernel, which really inlines it.
 */
static int note_loop(struct verify_env *env, u32 subprog)
{
	struct insn_aux *aux = &env->aux[env->insn_idx];
	bool plain = reg_is_null(&env_regs(env)[BPF_REG_4]), same;

	if (aux->inlined == LOOP_DIFFERENT)
		return 0;
	same = aux->inlined == LOOP_UNSEEN || aux->loop_callback == subprog;
	aux->inlined = plain && same ? LOOP_SAME : LOOP_DIFFERENT;
	aux->loop_callback = (u16)subprog;
	return plain ? mark_precise(env, BPF_REG_4) : 0;
}

/* What the data plane needs to show an area of memory is an iterator's. */
static int note_area(struct verify_env *env)
{
	const struct btf *btf = env_kernel_btf(env);
	u32 id = btf ? btf_find(btf, abi_iter_object(ABI_ITER_TASK_VMA), BTF_KIND_STRUCT) : 0;

	if (id)
		return object_note_type(env, btf, id, OBJECT_NO_NODE);
	verbose(env, "the hive's kernel BTF has no structure %s\n",
		abi_iter_object(ABI_ITER_TASK_VMA));
	return -EINVAL;
}

static int note_tail_call_index(struct verify_env *env, const struct call_meta *meta)
{
	const struct reg *index = &env_regs(env)[BPF_REG_3];
	struct insn_aux *aux = &env->aux[env->insn_idx];

	if (meta->func_id != BPF_FUNC_tail_call)
		return 0;
	if (meta->map->type != BPF_MAP_TYPE_PROG_ARRAY) {
		verbose(env, "expected prog array map for tail call");
		return -EINVAL;
	}
	if (!reg_is_const(index) || index->s.var_off.value >= meta->map->max_entries) {
		aux->key_poisoned = true;
		return 0;
	}
	if (aux->const_key && aux->const_key != index->s.var_off.value + 1)
		aux->key_poisoned = true;
	aux->const_key = index->s.var_off.value + 1;
	return mark_precise(env, BPF_REG_3);
}

static int release_argument(struct verify_env *env, const struct call_meta *meta)
{
	int err;

	if (!meta->release_regno)
		return 0;
	/* Nothing is put into the place of what bpf_kptr_xchg() takes out. */
	if (reg_is_null(&env_regs(env)[meta->release_regno]))
		return 0;
	if (meta->kptr)
		err = kptr_give_away(env, meta->ref_id);
	else
		err = meta->dynptr_regno ? dynptr_release(env, meta->release_regno)
					 : slots_release_reference(env, meta->ref_id);
	if (err) {
		verbose(env, "func bpf_%s#%u reference has not been acquired before\n",
			meta->helper->name, meta->func_id);
		return -EINVAL;
	}
	return 0;
}

/* Checks that belong to single helpers. */
static int check_special(struct verify_env *env, const struct call_meta *meta)
{
	const struct reg *regs = env_regs(env);
	const struct reg *format = &regs[BPF_REG_3], *length = &regs[BPF_REG_5];
	u64 where;
	int err;

	if (meta->func_id == BPF_FUNC_dynptr_from_mem && regs[BPF_REG_1].type != PTR_TO_MAP_VALUE) {
		verbose(env, "Unsupported reg type %s for bpf_dynptr_from_mem data\n",
			log_reg_type(regs[BPF_REG_1].type));
		return -EACCES;
	}
	if (meta->func_id == BPF_FUNC_get_local_storage) {
		if (reg_is_null(&regs[BPF_REG_2])) /* the helper does not look at it */
			return 0;
		verbose(env, "get_local_storage() doesn't support non-zero flags\n");
		return -EINVAL;
	}
	if (meta->func_id == BPF_FUNC_timer_set_callback)
		return async_push(env, meta->map, meta->map_uid, meta->subprog, false);
	if (meta->func_id == BPF_FUNC_for_each_map_elem ||
	    meta->func_id == BPF_FUNC_user_ringbuf_drain)
		return callback_push(env, meta->func_id, meta->subprog, meta->map);
	if (meta->func_id == BPF_FUNC_find_vma) {
		err = note_area(env);
		return err ? err : callback_push(env, meta->func_id, meta->subprog, NULL);
	}
	if (meta->func_id == BPF_FUNC_loop) {
		err = note_loop(env, meta->subprog);
		/* The number of iterations says whether one more may come. */
		if (!err)
			err = mark_precise(env, BPF_REG_1);
		if (err)
			return err;
		if (vstate_frame(env->cur)->callback_depth < regs[BPF_REG_1].s.umax)
			return callback_push(env, meta->func_id, meta->subprog, NULL);
		vstate_frame(env->cur)->callback_depth = 0;
		if (env->input->log.level & LOG_LEVEL2)
			verbose(env, "frame%u bpf_loop iteration limit reached\n",
				env->cur->curframe);
		return 0;
	}
	if (meta->func_id == BPF_FUNC_tail_call)
		return check_resources_released(env, "tail_call");
	if (meta->func_id == BPF_FUNC_get_func_ip)
		return check_func_ip(env, meta->helper->name);
	if (meta->func_id != BPF_FUNC_snprintf)
		return 0;
	if (length->s.var_off.value % 8)
		return -EINVAL;
	where = (u64)(s64)format->off + format->s.var_off.value;
	if (!format_check((const char *)format->map->frozen_values + where,
			  length->s.var_off.value / 8)) {
		verbose(env, "Invalid format string\n");
		return -EINVAL;
	}
	return 0;
}

static void refine_result(struct verify_env *env, const struct call_meta *meta)
{
	struct scalar *s = &env_regs(env)[BPF_REG_0].s;
	u32 cpus = env->input->nr_cpus;

	switch (meta->func_id) {
	case BPF_FUNC_get_stack:
	case BPF_FUNC_get_task_stack:
	case BPF_FUNC_probe_read_str:
	case BPF_FUNC_probe_read_kernel_str:
	case BPF_FUNC_probe_read_user_str:
		s->smax = (s64)meta->size_max;
		s->smax32 = (s32)meta->size_max;
		s->smin = -MAX_ERRNO;
		s->smin32 = -MAX_ERRNO;
		scalar_sync(s);
		break;
	case BPF_FUNC_get_smp_processor_id:
		if (!cpus)
			break;
		s->umax = cpus - 1;
		s->umax32 = cpus - 1;
		s->smax = cpus - 1;
		s->smax32 = (s32)cpus - 1;
		s->umin = s->umin32 = 0;
		s->smin = s->smin32 = 0;
		scalar_sync(s);
		break;
	}
}

/* A socket that is found in a map is a reference, too. */
static bool acquires(const struct call_meta *meta)
{
	return meta->func_id == BPF_FUNC_map_lookup_elem ? takes_sockets(meta)
							 : meta->helper->acquires;
}

/* The result's place among the references: a new one, or its argument's. */
static int note_reference(struct verify_env *env, const struct call_meta *meta)
{
	struct reg *r0 = &env_regs(env)[BPF_REG_0];

	if (r0->type & PTR_MAYBE_NULL)
		r0->id = ++env->id_gen;
	if (meta->helper->casts)
		r0->ref_id = meta->ref_id;
	if (!acquires(meta))
		return 0;
	r0->id = r0->ref_id = ++env->id_gen;
	return vstate_acquire_ref(env->cur, env->insn_idx, r0->ref_id);
}

/* bpf_per_cpu_ptr(), bpf_this_cpu_ptr(): an object of one CPU. */
static int set_percpu_result(struct verify_env *env, const struct call_meta *meta, u32 null)
{
	struct reg *r0 = &env_regs(env)[BPF_REG_0];
	const struct insn_aux *aux = &env->aux[env->insn_idx];

	reg_set_pointer(r0, PTR_TO_BTF_ID | MEM_ALLOC | MEM_RCU | null);
	r0->btf = aux->object_btf;
	r0->btf_id = aux->object_id;
	return note_reference(env, meta);
}

static int set_result(struct verify_env *env, const struct call_meta *meta)
{
	struct reg *r0 = &env_regs(env)[BPF_REG_0];
	u16 ret = meta->helper->ret;
	u32 null = ret & ABI_RET_MAYBE_NULL ? PTR_MAYBE_NULL : 0;
	int err;

	switch (ret & ABI_RET_BASE_MASK) {
	case RET_INTEGER:
		env_set_unknown(env, r0);
		refine_result(env, meta);
		return 0;
	case RET_VOID: return 0;
	case RET_PTR_TO_MAP_VALUE:
		if (!meta->map)
			return verify_bug(env, "helper without map returns a map value");
		/* An array element of a known index is there. */
		if (meta->func_id == BPF_FUNC_map_lookup_elem && meta->const_key >= 0 &&
		    meta->const_key < meta->map->max_entries)
			null = 0;
		reg_set_pointer(r0, PTR_TO_MAP_VALUE | null);
		r0->map = meta->map;
		r0->map_uid = meta->map_uid;
		if (!null && reg_may_have_lock(r0))
			r0->id = ++env->id_gen;
		return note_reference(env, meta);
	case RET_PTR_TO_RINGBUF_MEM:
		reg_set_pointer(r0, PTR_TO_MEM | MEM_RINGBUF | null);
		r0->range = (s32)meta->mem_size;
		return note_reference(env, meta);
	case RET_PTR_TO_SOCKET:
		reg_set_pointer(r0, PTR_TO_SOCKET | null);
		return note_reference(env, meta);
	case RET_PTR_TO_SOCK_COMMON:
		reg_set_pointer(r0, PTR_TO_SOCK_COMMON | null);
		return note_reference(env, meta);
	case RET_PTR_TO_TCP_SOCK:
		reg_set_pointer(r0, PTR_TO_TCP_SOCK | null);
		return note_reference(env, meta);
	case RET_PTR_TO_MEM_OR_BTF_ID: return set_percpu_result(env, meta, null);
	case RET_PTR_TO_BTF_ID:
		if (meta->kptr) {
			reg_set_pointer(r0, PTR_TO_BTF_ID | null);
			r0->btf = meta->kptr->btf;
			r0->btf_id = meta->kptr->type_id;
			if (field_is_local(meta->kptr))
				r0->type |= MEM_ALLOC;
			if (meta->kptr->kind == BTF_FIELD_KPTR_PERCPU)
				r0->type |= MEM_PERCPU;
			return note_reference(env, meta);
		}
		err = socket_set_struct(env, meta->helper->ret_struct,
					null | (ret & ABI_RET_TRUSTED ? PTR_TRUSTED : 0));
		if (meta->func_id == BPF_FUNC_get_current_task_btf)
			r0->range = KERNEL_MEMORY_READABLE;
		return err ? err : note_reference(env, meta);
	case RET_PTR_TO_DYNPTR_MEM:
		reg_set_pointer(r0, PTR_TO_MEM | null);
		r0->range = (s32)meta->mem_size;
		r0->id = ++env->id_gen;
		r0->dynptr_id = meta->dynptr_id;
		r0->ref_id = meta->dynptr_ref_id;
		return 0;
	default:
		return verify_bug(env, "unknown return type %u of bpf_%s", ret, meta->helper->name);
	}
}

int check_helper_call(struct verify_env *env, const struct bpf_insn *insn)
{
	struct call_meta meta = { .func_id = insn->imm, .const_key = -1 };
	int err = find_helper(env, insn->imm, &meta.helper);

	if (!err)
		err = section_check_helper(env, meta.helper->name, meta.func_id,
					   meta.helper->might_sleep);
	for (u32 regno = BPF_REG_1; regno <= BPF_REG_5 && !err; regno++)
		err = helper_check_arg(env, regno, &meta);
	if (!err)
		err = note_map(env, &meta);
	if (!err)
		err = note_tail_call_index(env, &meta);
	/* What the helper fills is written byte by byte. */
	for (int i = 0; i < meta.fill_size && !err; i++)
		err = mem_access(env, meta.fill_regno, i, 1, true, -1, false, false);
	if (!err)
		err = release_argument(env, &meta);
	if (!err)
		err = check_special(env, &meta);
	if (err)
		return err;
	clear_caller_saved(env);
	err = set_result(env, &meta);
	if (!err)
		err = check_map_use(env, meta.map, meta.helper->name, meta.func_id);
	if (!err && (meta.helper->packet_data_changes ||
		     (meta.func_id == BPF_FUNC_dynptr_write &&
		      (meta.dynptr == DYNPTR_SKB || meta.dynptr == DYNPTR_META))))
		packet_forget(env);
	return err;
}
