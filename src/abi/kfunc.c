/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kfunc table. See kfunc.h.
 */
#include "abi/kfunc.h"

#include <string.h>

/* Programs of cgroups share one set, tracing ones another: also those whose context is no packet.
 */
#define PROG_DYNPTR_SKB                                                                     \
	(ABI_PROG(BPF_PROG_TYPE_SOCKET_FILTER) | ABI_PROG(BPF_PROG_TYPE_SCHED_CLS) |        \
	 ABI_PROG(BPF_PROG_TYPE_SCHED_ACT) | ABI_PROG(BPF_PROG_TYPE_SK_SKB) |               \
	 ABI_PROG(BPF_PROG_TYPE_CGROUP_SKB) | ABI_PROG(BPF_PROG_TYPE_CGROUP_SOCK) |         \
	 ABI_PROG(BPF_PROG_TYPE_TRACEPOINT) | ABI_PROG(BPF_PROG_TYPE_PERF_EVENT) |          \
	 ABI_PROG(BPF_PROG_TYPE_CGROUP_DEVICE) | ABI_PROG(BPF_PROG_TYPE_CGROUP_SOCK_ADDR) | \
	 ABI_PROG(BPF_PROG_TYPE_CGROUP_SOCKOPT) | ABI_PROG(BPF_PROG_TYPE_CGROUP_SYSCTL) |   \
	 ABI_PROG(BPF_PROG_TYPE_LWT_IN) | ABI_PROG(BPF_PROG_TYPE_LWT_OUT) |                 \
	 ABI_PROG(BPF_PROG_TYPE_LWT_XMIT) | ABI_PROG(BPF_PROG_TYPE_LWT_SEG6LOCAL) |         \
	 ABI_PROG(ABI_PROG_TYPE_NETFILTER) | ABI_PROG(BPF_PROG_TYPE_TRACING))

/* The set that 6.18 calls generic. */
#define PROG_GENERIC                                                                        \
	(ABI_PROG(BPF_PROG_TYPE_SCHED_CLS) | ABI_PROG(BPF_PROG_TYPE_TRACEPOINT) |           \
	 ABI_PROG(BPF_PROG_TYPE_XDP) | ABI_PROG(BPF_PROG_TYPE_PERF_EVENT) |                 \
	 ABI_PROG(BPF_PROG_TYPE_CGROUP_SKB) | ABI_PROG(BPF_PROG_TYPE_CGROUP_SOCK) |         \
	 ABI_PROG(BPF_PROG_TYPE_SOCK_OPS) | ABI_PROG(BPF_PROG_TYPE_CGROUP_DEVICE) |         \
	 ABI_PROG(BPF_PROG_TYPE_CGROUP_SOCK_ADDR) | ABI_PROG(BPF_PROG_TYPE_CGROUP_SYSCTL) | \
	 ABI_PROG(BPF_PROG_TYPE_CGROUP_SOCKOPT) | ABI_PROG(BPF_PROG_TYPE_TRACING) |         \
	 ABI_PROG(BPF_PROG_TYPE_STRUCT_OPS) | ABI_PROG(BPF_PROG_TYPE_LSM) |                 \
	 ABI_PROG(BPF_PROG_TYPE_SYSCALL))

/* That of the programs which look at the kernel. */
#define PROG_CPUMASK                                                               \
	(ABI_PROG(BPF_PROG_TYPE_TRACEPOINT) | ABI_PROG(BPF_PROG_TYPE_PERF_EVENT) | \
	 ABI_PROG(BPF_PROG_TYPE_TRACING) | ABI_PROG(BPF_PROG_TYPE_LSM) |           \
	 ABI_PROG(BPF_PROG_TYPE_STRUCT_OPS) | ABI_PROG(BPF_PROG_TYPE_SYSCALL))

/* Congestion control. */
#define PROG_TCP ABI_PROG(BPF_PROG_TYPE_STRUCT_OPS)

/* Programs of cgroups share this set, too. */
#define PROG_CGROUP                                                                         \
	(ABI_PROG(BPF_PROG_TYPE_SOCK_OPS) | ABI_PROG(BPF_PROG_TYPE_CGROUP_SKB) |            \
	 ABI_PROG(BPF_PROG_TYPE_CGROUP_SOCK) | ABI_PROG(BPF_PROG_TYPE_CGROUP_DEVICE) |      \
	 ABI_PROG(BPF_PROG_TYPE_CGROUP_SOCK_ADDR) | ABI_PROG(BPF_PROG_TYPE_CGROUP_SYSCTL) | \
	 ABI_PROG(BPF_PROG_TYPE_CGROUP_SOCKOPT))

/* Files. */
#define PROG_LSM ABI_PROG(BPF_PROG_TYPE_LSM)

/* Connections, ciphers, and what only the kernel's self-tests call. */
#define PROG_PACKET (ABI_PROG(BPF_PROG_TYPE_SCHED_CLS) | ABI_PROG(BPF_PROG_TYPE_XDP))
#define PROG_CIPHER (PROG_PACKET | ABI_PROG(BPF_PROG_TYPE_SCHED_ACT))
#define PROG_RSTAT                                                                 \
	(ABI_PROG(BPF_PROG_TYPE_TRACEPOINT) | ABI_PROG(BPF_PROG_TYPE_PERF_EVENT) | \
	 ABI_PROG(BPF_PROG_TYPE_TRACING) | ABI_PROG(BPF_PROG_TYPE_LSM))
#define PROG_TEST                                                                 \
	(ABI_PROG(BPF_PROG_TYPE_SCHED_CLS) | ABI_PROG(BPF_PROG_TYPE_TRACEPOINT) | \
	 ABI_PROG(BPF_PROG_TYPE_PERF_EVENT) | ABI_PROG(BPF_PROG_TYPE_TRACING) |   \
	 ABI_PROG(BPF_PROG_TYPE_SYSCALL))

#define ROW(function, ...) [ABI_KFUNC_##function] = { .name = #function, __VA_ARGS__ }
#define ARGS(...)	   .arg = { __VA_ARGS__ }
#define TWO_STRINGS	   ARGS(KARG_IGNORE, KARG_IGNORE), .ret = KRET_SCALAR
#define STRING_AND_NUMBER  ARGS(KARG_IGNORE, KARG_SCALAR), .ret = KRET_SCALAR
#define ITER(kind)	   ARGS(KARG_ITER), .iter = ABI_ITER_##kind
#define ACQUIRED	   KFUNC_ACQUIRE | KFUNC_RET_NULL
#define RETURNS(name)	   .ret = KRET_BTF, .ret_struct = ABI_STRUCT_##name
#define GENERIC		   .progs = PROG_GENERIC
#define NUMBER_OF(...)	   ARGS(__VA_ARGS__), .ret = KRET_SCALAR
#define RELEASES(name)	   ARGS(KARG_PTR(name)), .ret = KRET_VOID, .flags = KFUNC_RELEASE
#define MASK		   KARG_PTR(CPUMASK)
#define OWN_MASK	   KARG_PTR(BPF_CPUMASK)
#define ON_MASKS	   .flags = KFUNC_RCU, .progs = PROG_CPUMASK
#define ITER_NEW(kind, ...) \
	ARGS(KARG_ITER, ##__VA_ARGS__), .iter = ABI_ITER_##kind, .ret = KRET_SCALAR
#define DYNPTR_READ ARGS(KARG_DYNPTR, KARG_SCALAR, KARG_SCALAR, KARG_IGNORE), .ret = KRET_SCALAR
#define DYNPTR_READ_TASK                                                          \
	ARGS(KARG_DYNPTR, KARG_SCALAR, KARG_SCALAR, KARG_IGNORE, KARG_PTR(TASK)), \
		.ret = KRET_SCALAR, .flags = KFUNC_SLEEPABLE | KFUNC_TRUSTED_ARGS
#define CONNECTION(type)                                                        \
	ARGS(KARG_CTX, KARG_MEM_SIZE, KARG_SCALAR, KARG_MEM_SIZE, KARG_SCALAR), \
		.flags = ACQUIRED, .progs = ABI_PROG(BPF_PROG_TYPE_##type)
#define ON_CONNECTION .flags = KFUNC_TRUSTED_ARGS, .progs = PROG_PACKET
#define CIPHER                                                                              \
	NUMBER_OF(KARG_PTR(CRYPTO), KARG_DYNPTR, KARG_DYNPTR, KARG_DYNPTR | KARG_NULLABLE), \
		.flags = KFUNC_RCU, .progs = PROG_CIPHER
#define LIST_PUSH                                                       \
	ARGS(KARG_LIST_HEAD, KARG_LIST_NODE, KARG_IGNORE, KARG_SCALAR), \
		.ret = KRET_SCALAR, .flags = KFUNC_UNDER_LOCK, .progs = PROG_GENERIC
#define LIST_POP                                                                          \
	ARGS(KARG_LIST_HEAD), .ret = KRET_NODE,                                           \
			      .flags = KFUNC_ACQUIRE | KFUNC_RET_NULL | KFUNC_UNDER_LOCK, \
			      .progs = PROG_GENERIC
#define LIST_PEEK                                                                           \
	ARGS(KARG_LIST_HEAD), .ret = KRET_NODE, .flags = KFUNC_RET_NULL | KFUNC_UNDER_LOCK, \
			      .progs = PROG_GENERIC
#define RB_NODE .ret = KRET_NODE, .flags = KFUNC_RET_NULL | KFUNC_UNDER_LOCK, .progs = PROG_GENERIC

static const struct abi_kfunc kfuncs[ABI_NR_KFUNCS] = {
	ROW(bpf_rcu_read_lock, .ret = KRET_VOID),
	ROW(bpf_rcu_read_unlock, .ret = KRET_VOID),
	ROW(bpf_preempt_disable, .ret = KRET_VOID),
	ROW(bpf_preempt_enable, .ret = KRET_VOID),
	ROW(bpf_local_irq_save, ARGS(KARG_IRQ_FLAG_UNINIT), .ret = KRET_VOID),
	ROW(bpf_local_irq_restore, ARGS(KARG_IRQ_FLAG), .ret = KRET_VOID),
	ROW(bpf_rdonly_cast, ARGS(KARG_IGNORE, KARG_CONST), .ret = KRET_CAST,
	    .flags = KFUNC_FASTCALL),
	ROW(bpf_cast_to_kern_ctx, ARGS(KARG_CTX), .ret = KRET_CAST_CTX, .flags = KFUNC_FASTCALL),
	ROW(bpf_throw, ARGS(KARG_SCALAR), .ret = KRET_VOID, .progs = PROG_GENERIC),
	ROW(bpf_iter_num_new, ARGS(KARG_ITER, KARG_SCALAR, KARG_SCALAR), .iter = ABI_ITER_NUM,
	    .ret = KRET_SCALAR, .flags = KFUNC_ITER_NEW | KFUNC_UNDER_LOCK),
	ROW(bpf_iter_num_next, ITER(NUM), .ret = KRET_RDONLY_MEM, .ret_size = 4,
	    .flags = KFUNC_ITER_NEXT | KFUNC_RET_NULL | KFUNC_UNDER_LOCK),
	ROW(bpf_iter_num_destroy, ITER(NUM), .ret = KRET_VOID,
	    .flags = KFUNC_ITER_DESTROY | KFUNC_UNDER_LOCK),
	ROW(bpf_iter_bits_new, ARGS(KARG_ITER, KARG_IGNORE, KARG_SCALAR), .iter = ABI_ITER_BITS,
	    .ret = KRET_SCALAR, .flags = KFUNC_ITER_NEW),
	ROW(bpf_iter_bits_next, ITER(BITS), .ret = KRET_RDONLY_MEM, .ret_size = 4,
	    .flags = KFUNC_ITER_NEXT | KFUNC_RET_NULL),
	ROW(bpf_iter_bits_destroy, ITER(BITS), .ret = KRET_VOID, .flags = KFUNC_ITER_DESTROY),
	ROW(bpf_strcmp, TWO_STRINGS),
	ROW(bpf_strcasecmp, TWO_STRINGS),
	ROW(bpf_strnchr, ARGS(KARG_IGNORE, KARG_SCALAR, KARG_SCALAR), .ret = KRET_SCALAR),
	ROW(bpf_strchr, STRING_AND_NUMBER),
	ROW(bpf_strchrnul, STRING_AND_NUMBER),
	ROW(bpf_strrchr, STRING_AND_NUMBER),
	ROW(bpf_strnlen, STRING_AND_NUMBER),
	ROW(bpf_strlen, ARGS(KARG_IGNORE), .ret = KRET_SCALAR),
	ROW(bpf_strspn, TWO_STRINGS),
	ROW(bpf_strcspn, TWO_STRINGS),
	ROW(bpf_strstr, TWO_STRINGS),
	ROW(bpf_strnstr, ARGS(KARG_IGNORE, KARG_IGNORE, KARG_SCALAR), .ret = KRET_SCALAR),
	ROW(bpf_copy_from_user_str, ARGS(KARG_MEM_SIZE, KARG_SCALAR, KARG_IGNORE, KARG_SCALAR),
	    .ret = KRET_SCALAR, .flags = KFUNC_SLEEPABLE),
	ROW(bpf_stream_vprintk_impl,
	    ARGS(KARG_SCALAR, KARG_CONST_STRING, KARG_MEM_SIZE, KARG_SCALAR, KARG_PROG),
	    .ret = KRET_SCALAR, .flags = KFUNC_TRUSTED_ARGS),
	ROW(bpf_dynptr_adjust, ARGS(KARG_DYNPTR, KARG_SCALAR, KARG_SCALAR), .ret = KRET_SCALAR),
	ROW(bpf_dynptr_is_null, ARGS(KARG_DYNPTR), .ret = KRET_SCALAR),
	ROW(bpf_dynptr_is_rdonly, ARGS(KARG_DYNPTR), .ret = KRET_SCALAR),
	ROW(bpf_dynptr_size, ARGS(KARG_DYNPTR), .ret = KRET_SCALAR),
	ROW(bpf_dynptr_clone, ARGS(KARG_DYNPTR, KARG_DYNPTR_UNINIT), .ret = KRET_SCALAR),
	ROW(bpf_dynptr_copy, ARGS(KARG_DYNPTR, KARG_SCALAR, KARG_DYNPTR, KARG_SCALAR, KARG_SCALAR),
	    .ret = KRET_SCALAR),
	ROW(bpf_dynptr_memset, ARGS(KARG_DYNPTR, KARG_SCALAR, KARG_SCALAR, KARG_SCALAR),
	    .ret = KRET_SCALAR),
	ROW(bpf_dynptr_slice, ARGS(KARG_DYNPTR, KARG_SCALAR, KARG_MEM_SIZE_OPT, KARG_CONST),
	    .ret = KRET_DYNPTR_SLICE, .flags = KFUNC_RET_NULL),
	ROW(bpf_dynptr_slice_rdwr, ARGS(KARG_DYNPTR, KARG_SCALAR, KARG_MEM_SIZE_OPT, KARG_CONST),
	    .ret = KRET_DYNPTR_SLICE, .flags = KFUNC_RET_NULL),
	ROW(bpf_dynptr_from_skb, ARGS(KARG_SKB, KARG_SCALAR, KARG_DYNPTR_UNINIT),
	    .ret = KRET_SCALAR, .flags = KFUNC_TRUSTED_ARGS, .progs = PROG_DYNPTR_SKB),
	ROW(bpf_dynptr_from_xdp, ARGS(KARG_CTX, KARG_SCALAR, KARG_DYNPTR_UNINIT),
	    .ret = KRET_SCALAR, .progs = ABI_PROG(BPF_PROG_TYPE_XDP)),
	ROW(bpf_dynptr_from_skb_meta, ARGS(KARG_CTX, KARG_SCALAR, KARG_DYNPTR_UNINIT),
	    .ret = KRET_SCALAR, .flags = KFUNC_TRUSTED_ARGS,
	    .progs = ABI_PROG(BPF_PROG_TYPE_SCHED_CLS) | ABI_PROG(BPF_PROG_TYPE_SCHED_ACT)),
	ROW(bpf_xdp_pull_data, NUMBER_OF(KARG_CTX, KARG_SCALAR), .flags = KFUNC_CHANGES_PACKET,
	    .progs = ABI_PROG(BPF_PROG_TYPE_XDP)),
	ROW(bpf_probe_read_user_dynptr, DYNPTR_READ),
	ROW(bpf_probe_read_kernel_dynptr, DYNPTR_READ),
	ROW(bpf_probe_read_user_str_dynptr, DYNPTR_READ),
	ROW(bpf_probe_read_kernel_str_dynptr, DYNPTR_READ),
	ROW(bpf_copy_from_user_dynptr, DYNPTR_READ, .flags = KFUNC_SLEEPABLE),
	ROW(bpf_copy_from_user_str_dynptr, DYNPTR_READ, .flags = KFUNC_SLEEPABLE),
	ROW(bpf_copy_from_user_task_str,
	    ARGS(KARG_MEM_SIZE, KARG_SCALAR, KARG_IGNORE, KARG_PTR(TASK), KARG_SCALAR),
	    .ret = KRET_SCALAR, .flags = KFUNC_SLEEPABLE),
	ROW(bpf_copy_from_user_task_dynptr, DYNPTR_READ_TASK),
	ROW(bpf_copy_from_user_task_str_dynptr, DYNPTR_READ_TASK),
	ROW(bpf_modify_return_test_tp, ARGS(KARG_SCALAR), .ret = KRET_SCALAR),
	ROW(__bpf_trap, .ret = KRET_VOID),
	ROW(bpf_wq_init, ARGS(KARG_WORKQUEUE, KARG_MAP, KARG_SCALAR), .ret = KRET_SCALAR),
	ROW(bpf_wq_set_callback_impl, ARGS(KARG_WORKQUEUE, KARG_FUNCTION, KARG_SCALAR, KARG_IGNORE),
	    .ret = KRET_SCALAR),
	ROW(bpf_wq_start, ARGS(KARG_WORKQUEUE, KARG_SCALAR), .ret = KRET_SCALAR),
	ROW(bpf_obj_new_impl, ARGS(KARG_CONST, KARG_IGNORE), .ret = KRET_OBJECT,
	    .flags = KFUNC_ACQUIRE | KFUNC_RET_NULL, .progs = PROG_GENERIC),
	ROW(bpf_percpu_obj_new_impl, ARGS(KARG_CONST, KARG_IGNORE), .ret = KRET_PERCPU_OBJECT,
	    .flags = KFUNC_ACQUIRE | KFUNC_RET_NULL, .progs = PROG_GENERIC),
	ROW(bpf_obj_drop_impl, ARGS(KARG_OBJECT, KARG_IGNORE), .ret = KRET_VOID,
	    .flags = KFUNC_RELEASE, .progs = PROG_GENERIC),
	ROW(bpf_percpu_obj_drop_impl, ARGS(KARG_PERCPU_OBJECT, KARG_IGNORE), .ret = KRET_VOID,
	    .flags = KFUNC_RELEASE, .progs = PROG_GENERIC),
	ROW(bpf_refcount_acquire_impl, ARGS(KARG_REFCOUNTED, KARG_IGNORE), .ret = KRET_REFCOUNTED,
	    .flags = KFUNC_ACQUIRE | KFUNC_RET_NULL | KFUNC_RCU | KFUNC_UNDER_LOCK,
	    .progs = PROG_GENERIC),
	ROW(bpf_list_push_front_impl, LIST_PUSH),
	ROW(bpf_list_push_back_impl, LIST_PUSH),
	ROW(bpf_list_pop_front, LIST_POP),
	ROW(bpf_list_pop_back, LIST_POP),
	ROW(bpf_list_front, LIST_PEEK),
	ROW(bpf_list_back, LIST_PEEK),
	ROW(bpf_rbtree_add_impl,
	    ARGS(KARG_RB_ROOT, KARG_RB_NODE, KARG_FUNCTION, KARG_IGNORE, KARG_SCALAR),
	    .ret = KRET_SCALAR, .flags = KFUNC_UNDER_LOCK, .progs = PROG_GENERIC),
	ROW(bpf_rbtree_remove, ARGS(KARG_RB_ROOT, KARG_RB_NODE_LENT), .ret = KRET_NODE,
	    .flags = KFUNC_ACQUIRE | KFUNC_RET_NULL | KFUNC_UNDER_LOCK, .progs = PROG_GENERIC),
	ROW(bpf_rbtree_first, ARGS(KARG_RB_ROOT), RB_NODE),
	ROW(bpf_rbtree_root, ARGS(KARG_RB_ROOT), RB_NODE),
	ROW(bpf_rbtree_left, ARGS(KARG_RB_ROOT, KARG_RB_NODE_LENT), RB_NODE),
	ROW(bpf_rbtree_right, ARGS(KARG_RB_ROOT, KARG_RB_NODE_LENT), RB_NODE),
	ROW(bpf_res_spin_lock, ARGS(KARG_RES_LOCK), .ret = KRET_LOCKED, .flags = KFUNC_UNDER_LOCK),
	ROW(bpf_res_spin_unlock, ARGS(KARG_RES_LOCK), .ret = KRET_VOID, .flags = KFUNC_UNDER_LOCK),
	ROW(bpf_res_spin_lock_irqsave, ARGS(KARG_RES_LOCK, KARG_IRQ_FLAG_UNINIT),
	    .ret = KRET_LOCKED, .flags = KFUNC_UNDER_LOCK),
	ROW(bpf_res_spin_unlock_irqrestore, ARGS(KARG_RES_LOCK, KARG_IRQ_FLAG), .ret = KRET_VOID,
	    .flags = KFUNC_UNDER_LOCK),
	ROW(bpf_task_acquire, ARGS(KARG_PTR(TASK)), RETURNS(TASK), .flags = ACQUIRED | KFUNC_RCU,
	    GENERIC),
	ROW(bpf_task_release, RELEASES(TASK), GENERIC),
	ROW(bpf_task_from_pid, ARGS(KARG_SCALAR), RETURNS(TASK), .flags = ACQUIRED, GENERIC),
	ROW(bpf_task_from_vpid, ARGS(KARG_SCALAR), RETURNS(TASK), .flags = ACQUIRED, GENERIC),
	ROW(bpf_task_under_cgroup, NUMBER_OF(KARG_PTR(TASK), KARG_PTR(CGROUP)), .flags = KFUNC_RCU,
	    GENERIC),
	ROW(bpf_task_get_cgroup1, ARGS(KARG_PTR(TASK), KARG_SCALAR), RETURNS(CGROUP),
	    .flags = ACQUIRED | KFUNC_RCU, GENERIC),
	ROW(bpf_cgroup_acquire, ARGS(KARG_PTR(CGROUP)), RETURNS(CGROUP),
	    .flags = ACQUIRED | KFUNC_RCU, GENERIC),
	ROW(bpf_cgroup_release, RELEASES(CGROUP), GENERIC),
	ROW(bpf_cgroup_ancestor, ARGS(KARG_PTR(CGROUP), KARG_SCALAR), RETURNS(CGROUP),
	    .flags = ACQUIRED | KFUNC_RCU, GENERIC),
	ROW(bpf_cgroup_from_id, ARGS(KARG_SCALAR), RETURNS(CGROUP), .flags = ACQUIRED, GENERIC),
	ROW(bpf_cpumask_create, RETURNS(BPF_CPUMASK), .flags = ACQUIRED, .progs = PROG_CPUMASK),
	ROW(bpf_cpumask_acquire, ARGS(OWN_MASK), RETURNS(BPF_CPUMASK),
	    .flags = KFUNC_ACQUIRE | KFUNC_TRUSTED_ARGS, .progs = PROG_CPUMASK),
	ROW(bpf_cpumask_release, RELEASES(BPF_CPUMASK), .progs = PROG_CPUMASK),
	ROW(bpf_cpumask_first, NUMBER_OF(MASK), ON_MASKS),
	ROW(bpf_cpumask_first_zero, NUMBER_OF(MASK), ON_MASKS),
	ROW(bpf_cpumask_first_and, NUMBER_OF(MASK, MASK), ON_MASKS),
	ROW(bpf_cpumask_set_cpu, ARGS(KARG_SCALAR, OWN_MASK), .ret = KRET_VOID, ON_MASKS),
	ROW(bpf_cpumask_clear_cpu, ARGS(KARG_SCALAR, OWN_MASK), .ret = KRET_VOID, ON_MASKS),
	ROW(bpf_cpumask_test_cpu, NUMBER_OF(KARG_SCALAR, MASK), ON_MASKS),
	ROW(bpf_cpumask_test_and_set_cpu, NUMBER_OF(KARG_SCALAR, OWN_MASK), ON_MASKS),
	ROW(bpf_cpumask_test_and_clear_cpu, NUMBER_OF(KARG_SCALAR, OWN_MASK), ON_MASKS),
	ROW(bpf_cpumask_setall, ARGS(OWN_MASK), .ret = KRET_VOID, ON_MASKS),
	ROW(bpf_cpumask_clear, ARGS(OWN_MASK), .ret = KRET_VOID, ON_MASKS),
	ROW(bpf_cpumask_and, NUMBER_OF(OWN_MASK, MASK, MASK), ON_MASKS),
	ROW(bpf_cpumask_or, ARGS(OWN_MASK, MASK, MASK), .ret = KRET_VOID, ON_MASKS),
	ROW(bpf_cpumask_xor, ARGS(OWN_MASK, MASK, MASK), .ret = KRET_VOID, ON_MASKS),
	ROW(bpf_cpumask_equal, NUMBER_OF(MASK, MASK), ON_MASKS),
	ROW(bpf_cpumask_intersects, NUMBER_OF(MASK, MASK), ON_MASKS),
	ROW(bpf_cpumask_subset, NUMBER_OF(MASK, MASK), ON_MASKS),
	ROW(bpf_cpumask_empty, NUMBER_OF(MASK), ON_MASKS),
	ROW(bpf_cpumask_full, NUMBER_OF(MASK), ON_MASKS),
	ROW(bpf_cpumask_copy, ARGS(OWN_MASK, MASK), .ret = KRET_VOID, ON_MASKS),
	ROW(bpf_cpumask_any_distribute, NUMBER_OF(MASK), ON_MASKS),
	ROW(bpf_cpumask_any_and_distribute, NUMBER_OF(MASK, MASK), ON_MASKS),
	ROW(bpf_cpumask_weight, NUMBER_OF(MASK), ON_MASKS),
	ROW(bpf_cpumask_populate, NUMBER_OF(KARG_PTR(CHANGED_CPUMASK), KARG_MEM_SIZE, KARG_SCALAR),
	    ON_MASKS),
	ROW(bpf_iter_task_new, ITER_NEW(TASK, KARG_PTR(TASK) | KARG_NULLABLE, KARG_SCALAR),
	    .flags = KFUNC_ITER_NEW | KFUNC_TRUSTED_ARGS | KFUNC_RCU_PROTECTED),
	ROW(bpf_iter_task_next, ITER(TASK), RETURNS(TASK),
	    .flags = KFUNC_ITER_NEXT | KFUNC_RET_NULL),
	ROW(bpf_iter_task_destroy, ITER(TASK), .ret = KRET_VOID, .flags = KFUNC_ITER_DESTROY),
	ROW(bpf_iter_task_vma_new, ITER_NEW(TASK_VMA, KARG_PTR(TASK), KARG_SCALAR),
	    .flags = KFUNC_ITER_NEW | KFUNC_RCU),
	ROW(bpf_iter_task_vma_next, ITER(TASK_VMA), RETURNS(VMA),
	    .flags = KFUNC_ITER_NEXT | KFUNC_RET_NULL),
	ROW(bpf_iter_task_vma_destroy, ITER(TASK_VMA), .ret = KRET_VOID,
	    .flags = KFUNC_ITER_DESTROY),
	ROW(bpf_iter_css_new, ITER_NEW(CSS, KARG_PTR(CSS), KARG_SCALAR),
	    .flags = KFUNC_ITER_NEW | KFUNC_TRUSTED_ARGS | KFUNC_RCU_PROTECTED),
	ROW(bpf_iter_css_next, ITER(CSS), RETURNS(CSS), .flags = KFUNC_ITER_NEXT | KFUNC_RET_NULL),
	ROW(bpf_iter_css_destroy, ITER(CSS), .ret = KRET_VOID, .flags = KFUNC_ITER_DESTROY),
	ROW(bpf_iter_css_task_new, ITER_NEW(CSS_TASK, KARG_PTR(CSS), KARG_SCALAR),
	    .flags = KFUNC_ITER_NEW | KFUNC_TRUSTED_ARGS),
	ROW(bpf_iter_css_task_next, ITER(CSS_TASK), RETURNS(TASK),
	    .flags = KFUNC_ITER_NEXT | KFUNC_RET_NULL),
	ROW(bpf_iter_css_task_destroy, ITER(CSS_TASK), .ret = KRET_VOID,
	    .flags = KFUNC_ITER_DESTROY),
	ROW(bpf_iter_kmem_cache_new, ITER_NEW(KMEM_CACHE),
	    .flags = KFUNC_ITER_NEW | KFUNC_SLEEPABLE),
	ROW(bpf_iter_kmem_cache_next, ITER(KMEM_CACHE), RETURNS(KMEM_CACHE),
	    .flags = KFUNC_ITER_NEXT | KFUNC_RET_NULL | KFUNC_SLEEPABLE),
	ROW(bpf_iter_kmem_cache_destroy, ITER(KMEM_CACHE), .ret = KRET_VOID,
	    .flags = KFUNC_ITER_DESTROY | KFUNC_SLEEPABLE),
	ROW(bpf_iter_dmabuf_new, ITER_NEW(DMABUF), .flags = KFUNC_ITER_NEW | KFUNC_SLEEPABLE),
	ROW(bpf_iter_dmabuf_next, ITER(DMABUF), RETURNS(DMABUF),
	    .flags = KFUNC_ITER_NEXT | KFUNC_RET_NULL | KFUNC_SLEEPABLE),
	ROW(bpf_iter_dmabuf_destroy, ITER(DMABUF), .ret = KRET_VOID,
	    .flags = KFUNC_ITER_DESTROY | KFUNC_SLEEPABLE),
	ROW(bpf_get_kmem_cache, ARGS(KARG_SCALAR), RETURNS(KMEM_CACHE), .flags = KFUNC_UNTRUSTED),
	ROW(bpf_arena_alloc_pages,
	    ARGS(KARG_MAP, KARG_IGNORE, KARG_SCALAR, KARG_SCALAR, KARG_SCALAR), .ret = KRET_SCALAR,
	    .flags = KFUNC_TRUSTED_ARGS | KFUNC_SLEEPABLE),
	ROW(bpf_arena_free_pages, ARGS(KARG_MAP, KARG_IGNORE, KARG_SCALAR), .ret = KRET_VOID,
	    .flags = KFUNC_TRUSTED_ARGS | KFUNC_SLEEPABLE),
	ROW(bpf_arena_reserve_pages, ARGS(KARG_MAP, KARG_IGNORE, KARG_SCALAR), .ret = KRET_SCALAR,
	    .flags = KFUNC_TRUSTED_ARGS | KFUNC_SLEEPABLE),
	ROW(bbr_cwnd_event, ARGS(KARG_PTR(SOCK), KARG_SCALAR), .ret = KRET_VOID, .progs = PROG_TCP),
	ROW(bbr_init, ARGS(KARG_PTR(SOCK)), .ret = KRET_VOID, .progs = PROG_TCP),
	ROW(bbr_main, ARGS(KARG_PTR(SOCK), KARG_SCALAR, KARG_SCALAR, KARG_PTR(RATE_SAMPLE)),
	    .ret = KRET_VOID, .progs = PROG_TCP),
	ROW(bbr_min_tso_segs, ARGS(KARG_PTR(SOCK)), .ret = KRET_SCALAR, .progs = PROG_TCP),
	ROW(bbr_set_state, ARGS(KARG_PTR(SOCK), KARG_SCALAR), .ret = KRET_VOID, .progs = PROG_TCP),
	ROW(bbr_sndbuf_expand, ARGS(KARG_PTR(SOCK)), .ret = KRET_SCALAR, .progs = PROG_TCP),
	ROW(bbr_ssthresh, ARGS(KARG_PTR(SOCK)), .ret = KRET_SCALAR, .progs = PROG_TCP),
	ROW(bbr_undo_cwnd, ARGS(KARG_PTR(SOCK)), .ret = KRET_SCALAR, .progs = PROG_TCP),
	ROW(cubictcp_acked, ARGS(KARG_PTR(SOCK), KARG_PTR(ACK_SAMPLE)), .ret = KRET_VOID,
	    .progs = PROG_TCP),
	ROW(cubictcp_cong_avoid, ARGS(KARG_PTR(SOCK), KARG_SCALAR, KARG_SCALAR), .ret = KRET_VOID,
	    .progs = PROG_TCP),
	ROW(cubictcp_cwnd_event, ARGS(KARG_PTR(SOCK), KARG_SCALAR), .ret = KRET_VOID,
	    .progs = PROG_TCP),
	ROW(cubictcp_init, ARGS(KARG_PTR(SOCK)), .ret = KRET_VOID, .progs = PROG_TCP),
	ROW(cubictcp_recalc_ssthresh, ARGS(KARG_PTR(SOCK)), .ret = KRET_SCALAR, .progs = PROG_TCP),
	ROW(cubictcp_state, ARGS(KARG_PTR(SOCK), KARG_SCALAR), .ret = KRET_VOID, .progs = PROG_TCP),
	ROW(tcp_cong_avoid_ai, ARGS(KARG_PTR(TCP_SOCK), KARG_SCALAR, KARG_SCALAR), .ret = KRET_VOID,
	    .progs = PROG_TCP),
	ROW(tcp_reno_cong_avoid, ARGS(KARG_PTR(SOCK), KARG_SCALAR, KARG_SCALAR), .ret = KRET_VOID,
	    .progs = PROG_TCP),
	ROW(tcp_reno_ssthresh, ARGS(KARG_PTR(SOCK)), .ret = KRET_SCALAR, .progs = PROG_TCP),
	ROW(tcp_reno_undo_cwnd, ARGS(KARG_PTR(SOCK)), .ret = KRET_SCALAR, .progs = PROG_TCP),
	ROW(bpf_lookup_user_key, ARGS(KARG_SCALAR, KARG_SCALAR), RETURNS(KEY),
	    .flags = KFUNC_ACQUIRE | KFUNC_RET_NULL | KFUNC_SLEEPABLE, .progs = PROG_GENERIC),
	ROW(bpf_lookup_system_key, ARGS(KARG_SCALAR), RETURNS(KEY),
	    .flags = KFUNC_ACQUIRE | KFUNC_RET_NULL, .progs = PROG_GENERIC),
	ROW(bpf_key_put, ARGS(KARG_PTR(KEY)), .ret = KRET_VOID, .flags = KFUNC_RELEASE,
	    .progs = PROG_GENERIC),
	ROW(bpf_get_task_exe_file, ARGS(KARG_PTR(TASK)), RETURNS(FILE),
	    .flags = ACQUIRED | KFUNC_TRUSTED_ARGS, .progs = PROG_LSM),
	ROW(bpf_put_file, RELEASES(FILE), .progs = PROG_LSM),
	ROW(bpf_path_d_path, NUMBER_OF(KARG_PTR(PATH), KARG_MEM_SIZE, KARG_SCALAR),
	    .flags = KFUNC_TRUSTED_ARGS, .progs = PROG_LSM),
	ROW(bpf_xdp_ct_lookup, CONNECTION(XDP), RETURNS(CONNECTION)),
	ROW(bpf_skb_ct_lookup, CONNECTION(SCHED_CLS), RETURNS(CONNECTION)),
	ROW(bpf_xdp_ct_alloc, CONNECTION(XDP), RETURNS(NEW_CONNECTION)),
	ROW(bpf_skb_ct_alloc, CONNECTION(SCHED_CLS), RETURNS(NEW_CONNECTION)),
	ROW(bpf_ct_insert_entry, ARGS(KARG_PTR(NEW_CONNECTION)), RETURNS(CONNECTION),
	    .flags = ACQUIRED | KFUNC_RELEASE, .progs = PROG_PACKET),
	ROW(bpf_ct_release, RELEASES(CONNECTION), .progs = PROG_PACKET),
	ROW(bpf_ct_set_timeout, ARGS(KARG_PTR(NEW_CONNECTION), KARG_SCALAR), .ret = KRET_VOID,
	    ON_CONNECTION),
	ROW(bpf_ct_change_timeout, NUMBER_OF(KARG_PTR(CONNECTION), KARG_SCALAR), ON_CONNECTION),
	ROW(bpf_ct_set_status, NUMBER_OF(KARG_PTR(NEW_CONNECTION), KARG_SCALAR), ON_CONNECTION),
	ROW(bpf_ct_change_status, NUMBER_OF(KARG_PTR(CONNECTION), KARG_SCALAR), ON_CONNECTION),
	ROW(bpf_ct_set_nat_info,
	    NUMBER_OF(KARG_PTR(NEW_CONNECTION), KARG_PTR(NET_ADDRESS), KARG_SCALAR, KARG_SCALAR),
	    ON_CONNECTION),
	ROW(bpf_xdp_get_xfrm_state, ARGS(KARG_CTX, KARG_MEM_SIZE, KARG_SCALAR), RETURNS(XFRM_STATE),
	    .flags = ACQUIRED, .progs = ABI_PROG(BPF_PROG_TYPE_XDP)),
	ROW(bpf_xdp_xfrm_state_release, RELEASES(XFRM_STATE), .progs = ABI_PROG(BPF_PROG_TYPE_XDP)),
	ROW(bpf_session_is_return, .ret = KRET_SCALAR, .flags = KFUNC_SESSION_PROGS,
	    .progs = ABI_PROG(BPF_PROG_TYPE_KPROBE)),
	ROW(bpf_session_cookie, .ret = KRET_MEM, .ret_size = 8, .flags = KFUNC_SESSION_PROGS,
	    .progs = ABI_PROG(BPF_PROG_TYPE_KPROBE)),
	ROW(css_rstat_updated, ARGS(KARG_PTR(CSS), KARG_SCALAR), .ret = KRET_VOID,
	    .progs = PROG_RSTAT),
	ROW(css_rstat_flush, ARGS(KARG_PTR(CSS)), .ret = KRET_VOID, .flags = KFUNC_SLEEPABLE,
	    .progs = PROG_RSTAT),
	ROW(bpf_cgroup_read_xattr, NUMBER_OF(KARG_PTR(CGROUP), KARG_CONST_STRING, KARG_DYNPTR),
	    .flags = KFUNC_RCU),
	ROW(bpf_sock_destroy, NUMBER_OF(KARG_PTR(SOCK_COMMON)),
	    .flags = KFUNC_TRUSTED_ARGS | KFUNC_ITER_PROGS,
	    .progs = ABI_PROG(BPF_PROG_TYPE_TRACING)),
	ROW(bpf_sk_assign_tcp_reqsk,
	    NUMBER_OF(KARG_CTX, KARG_PTR(SOCK), KARG_MEM_SIZE, KARG_SCALAR),
	    .flags = KFUNC_TRUSTED_ARGS, .progs = ABI_PROG(BPF_PROG_TYPE_SCHED_CLS)),
	ROW(bpf_sock_ops_enable_tx_tstamp, NUMBER_OF(KARG_PTR(SOCK_OPS), KARG_SCALAR),
	    .flags = KFUNC_TRUSTED_ARGS, .progs = PROG_CGROUP),
	ROW(bpf_crypto_ctx_create, ARGS(KARG_MEM_SIZE, KARG_SCALAR, KARG_INT), RETURNS(CRYPTO),
	    .flags = ACQUIRED | KFUNC_SLEEPABLE, .progs = ABI_PROG(BPF_PROG_TYPE_SYSCALL)),
	ROW(bpf_crypto_ctx_acquire, ARGS(KARG_PTR(CRYPTO)), RETURNS(CRYPTO),
	    .flags = ACQUIRED | KFUNC_RCU, .progs = ABI_PROG(BPF_PROG_TYPE_SYSCALL)),
	ROW(bpf_crypto_ctx_release, RELEASES(CRYPTO), .progs = ABI_PROG(BPF_PROG_TYPE_SYSCALL)),
	ROW(bpf_crypto_encrypt, CIPHER),
	ROW(bpf_crypto_decrypt, CIPHER),
	ROW(bpf_send_signal_task, NUMBER_OF(KARG_PTR(TASK), KARG_SCALAR, KARG_SCALAR, KARG_SCALAR),
	    .flags = KFUNC_TRUSTED_ARGS, GENERIC),
	ROW(bpf_kfunc_call_test_release, RELEASES(TEST), .progs = PROG_TEST),
	ROW(bpf_kfunc_call_memb_release, RELEASES(TEST_MEMBER), .progs = PROG_TEST),
	ROW(tcp_slow_start, ARGS(KARG_PTR(TCP_SOCK), KARG_SCALAR), .ret = KRET_SCALAR,
	    .progs = PROG_TCP),
};

static const struct abi_iter_kind iters[] = {
	[ABI_ITER_NONE] = { "", 0, NULL },
	[ABI_ITER_NUM] = { "num", 1, NULL },
	[ABI_ITER_BITS] = { "bits", 2, NULL },
	[ABI_ITER_TASK] = { "task", 3, "bpf_iter_task" },
	[ABI_ITER_TASK_VMA] = { "task_vma", 1, "bpf_iter_task_vma" },
	[ABI_ITER_CSS] = { "css", 3, "bpf_iter_css" },
	[ABI_ITER_CSS_TASK] = { "css_task", 1, "bpf_iter_css_task" },
	[ABI_ITER_KMEM_CACHE] = { "kmem_cache", 1, NULL },
	[ABI_ITER_DMABUF] = { "dmabuf", 1, NULL },
};

const struct abi_iter_kind *abi_iter_kind(u32 iter)
{
	return &iters[iter < ARRAY_SIZE(iters) ? iter : ABI_ITER_NONE];
}

const char *abi_iter_object(u32 iter)
{
	return abi_iter_kind(iter)->object;
}

static const struct {
	const char *name;
	bool plain, object;
} structs[ABI_NR_STRUCTS] = {
	[ABI_STRUCT_NONE] = { "", false, false },
	[ABI_STRUCT_TASK] = { "task_struct", false, true },
	[ABI_STRUCT_CGROUP] = { "cgroup", false, true },
	[ABI_STRUCT_CSS] = { "cgroup_subsys_state", false, false },
	[ABI_STRUCT_VMA] = { "vm_area_struct", false, false },
	[ABI_STRUCT_CPUMASK] = { "cpumask", true, false },
	[ABI_STRUCT_CHANGED_CPUMASK] = { "cpumask", true, false },
	[ABI_STRUCT_BPF_CPUMASK] = { "bpf_cpumask", true, true },
	[ABI_STRUCT_KMEM_CACHE] = { "kmem_cache", false, false },
	[ABI_STRUCT_DMABUF] = { "dma_buf", false, false },
	[ABI_STRUCT_KEY] = { "bpf_key", false, true },
	[ABI_STRUCT_SOCK] = { "sock", false, false },
	[ABI_STRUCT_TCP_SOCK] = { "tcp_sock", false, false },
	[ABI_STRUCT_ACK_SAMPLE] = { "ack_sample", true, false },
	[ABI_STRUCT_RATE_SAMPLE] = { "rate_sample", true, false },
	[ABI_STRUCT_FILE] = { "file", false, false },
	[ABI_STRUCT_PATH] = { "path", false, false },
	[ABI_STRUCT_SOCK_COMMON] = { "sock_common", false, false },
	[ABI_STRUCT_SOCK_OPS] = { "bpf_sock_ops_kern", false, false },
	[ABI_STRUCT_CONNECTION] = { "nf_conn", false, true },
	[ABI_STRUCT_NEW_CONNECTION] = { "nf_conn___init", false, false },
	[ABI_STRUCT_NET_ADDRESS] = { "nf_inet_addr", true, false },
	[ABI_STRUCT_CRYPTO] = { "bpf_crypto_ctx", false, true },
	[ABI_STRUCT_TEST] = { "prog_test_ref_kfunc", false, true },
	[ABI_STRUCT_XFRM_STATE] = { "xfrm_state", false, false },
	[ABI_STRUCT_TEST_MEMBER] = { "prog_test_member", true, true },
};

const char *abi_struct_name(u32 structure)
{
	return structs[structure < ABI_NR_STRUCTS ? structure : ABI_STRUCT_NONE].name;
}

bool abi_struct_is_plain(u32 structure)
{
	return structure < ABI_NR_STRUCTS && structs[structure].plain;
}

bool abi_struct_is_object(const char *name)
{
	for (u32 i = 0; name && i < ABI_NR_STRUCTS; i++)
		if (structs[i].object && !strcmp(structs[i].name, name))
			return true;
	return false;
}

const struct abi_kfunc *abi_kfunc_by_id(u32 id)
{
	return id < ABI_NR_KFUNCS ? &kfuncs[id] : NULL;
}

int abi_kfunc_find(const char *name)
{
	for (u32 i = 0; i < ABI_NR_KFUNCS; i++)
		if (!strcmp(kfuncs[i].name, name))
			return (int)i;
	return -1;
}

bool abi_kfunc_allowed(const struct abi_kfunc *kfunc, u32 prog_type, u32 expected_attach_type)
{
	if (kfunc->flags & KFUNC_ITER_PROGS && expected_attach_type != BPF_TRACE_ITER)
		return false;
	if (kfunc->flags & KFUNC_SESSION_PROGS &&
	    expected_attach_type != ABI_TRACE_KPROBE_SESSION &&
	    expected_attach_type != ABI_TRACE_UPROBE_SESSION)
		return false;
	return !kfunc->progs || (prog_type < 64 && kfunc->progs & ABI_PROG(prog_type));
}

u32 abi_kfunc_nr_args(const struct abi_kfunc *kfunc)
{
	u32 nr = 0;

	while (nr < ARRAY_SIZE(kfunc->arg) && kfunc->arg[nr] != KARG_NONE)
		nr++;
	return nr;
}
