/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What programs need to allocate objects, as far as libbpf 1.1 does not have it; and the types of
 * objects that the programs of objects*.bpf.c have in common.
 */
#ifndef SKEP_TESTS_OBJECTS_H
#define SKEP_TESTS_OBJECTS_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define __contains(type, member) __attribute__((btf_decl_tag("contains:" #type ":" #member)))
#define private(name) SEC(".data." #name) __attribute__((aligned(8)))
#undef container_of
#define container_of(pointer, type, member) \
	((type *)((void *)(pointer) - __builtin_offsetof(type, member)))
#define OBJ_NEW(type)		     ((type *)bpf_obj_new_impl(bpf_core_type_id_local(type), 0))
#define bpf_core_type_id_local(type) __builtin_btf_type_id(*(typeof(type) *)0, 0)

struct bpf_list_head {
	__u64 : 64;
	__u64 : 64;
} __attribute__((aligned(8)));
struct bpf_list_node {
	__u64 : 64;
	__u64 : 64;
	__u64 : 64;
} __attribute__((aligned(8)));
struct bpf_rb_root {
	__u64 : 64;
	__u64 : 64;
} __attribute__((aligned(8)));
struct bpf_rb_node {
	__u64 : 64;
	__u64 : 64;
	__u64 : 64;
	__u64 : 64;
} __attribute__((aligned(8)));
struct bpf_refcount {
	__u32 : 32;
} __attribute__((aligned(4)));
struct bpf_res_spin_lock {
	__u32 val;
};

extern void *bpf_obj_new_impl(__u64 type, void *meta) __ksym;
extern void bpf_obj_drop_impl(void *object, void *meta) __ksym;
extern void *bpf_percpu_obj_new_impl(__u64 type, void *meta) __ksym;
extern void bpf_percpu_obj_drop_impl(void *object, void *meta) __ksym;
extern void *bpf_refcount_acquire_impl(void *object, void *meta) __ksym;
extern int bpf_list_push_front_impl(struct bpf_list_head *head, struct bpf_list_node *node,
				    void *meta, __u64 offset) __ksym;
extern int bpf_list_push_back_impl(struct bpf_list_head *head, struct bpf_list_node *node,
				   void *meta, __u64 offset) __ksym;
extern struct bpf_list_node *bpf_list_pop_front(struct bpf_list_head *head) __ksym;
extern struct bpf_list_node *bpf_list_pop_back(struct bpf_list_head *head) __ksym;
extern struct bpf_list_node *bpf_list_front(struct bpf_list_head *head) __ksym;
extern struct bpf_list_node *bpf_list_back(struct bpf_list_head *head) __ksym;
extern int bpf_rbtree_add_impl(struct bpf_rb_root *root, struct bpf_rb_node *node,
			       _Bool (*less)(struct bpf_rb_node *a, const struct bpf_rb_node *b),
			       void *meta, __u64 offset) __ksym;
extern struct bpf_rb_node *bpf_rbtree_remove(struct bpf_rb_root *root,
					     struct bpf_rb_node *node) __ksym;
extern struct bpf_rb_node *bpf_rbtree_first(struct bpf_rb_root *root) __ksym;
extern struct bpf_rb_node *bpf_rbtree_root(struct bpf_rb_root *root) __ksym;
extern struct bpf_rb_node *bpf_rbtree_left(struct bpf_rb_root *root,
					   struct bpf_rb_node *node) __ksym;
extern struct bpf_rb_node *bpf_rbtree_right(struct bpf_rb_root *root,
					    struct bpf_rb_node *node) __ksym;
extern int bpf_res_spin_lock(struct bpf_res_spin_lock *lock) __ksym;
extern void bpf_res_spin_unlock(struct bpf_res_spin_lock *lock) __ksym;
extern int bpf_res_spin_lock_irqsave(struct bpf_res_spin_lock *lock, unsigned long *flags) __ksym;
extern void bpf_res_spin_unlock_irqrestore(struct bpf_res_spin_lock *lock,
					   unsigned long *flags) __ksym;
extern void bpf_rcu_read_lock(void) __ksym;
extern void bpf_rcu_read_unlock(void) __ksym;
extern void bpf_local_irq_save(unsigned long *flags) __ksym;
extern void bpf_local_irq_restore(unsigned long *flags) __ksym;

#define KPTR	       __attribute__((btf_type_tag("kptr")))
#define PERCPU_KPTR    __attribute__((btf_type_tag("percpu_kptr")))
#define UNTRUSTED_KPTR __attribute__((btf_type_tag("kptr_untrusted")))

/* --- what the programs share --- */

#define ARRAY(name, holds)                        \
	struct {                                  \
		__uint(type, BPF_MAP_TYPE_ARRAY); \
		__uint(max_entries, 2);           \
		__type(key, __u32);               \
		__type(value, holds);             \
	} name SEC(".maps")

struct plain {
	__u64 a, b;
};

/* In a list, in a tree, counted. */
struct item {
	__u64 key;
	struct bpf_list_node l;
	struct bpf_rb_node r;
	struct bpf_refcount ref;
};

static inline _Bool less(struct bpf_rb_node *a, const struct bpf_rb_node *b)
{
	return container_of(a, struct item, r)->key < container_of(b, struct item, r)->key;
}

#endif
