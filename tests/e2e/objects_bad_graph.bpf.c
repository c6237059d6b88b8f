/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What may not be done with lists and trees of objects, and with the spin locks that guard them.
 */
#include "objects_bad.h"

struct locked {
	struct bpf_spin_lock lock;
	__u32 spare;
	struct bpf_list_head others __contains(other, l);
};

struct listed_value {
	struct bpf_spin_lock lock;
	__u32 number;
	struct bpf_list_head list __contains(item, l);
	struct bpf_rb_root tree __contains(item, r);
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct listed_value);
} lists SEC(".maps");

private(A) struct bpf_spin_lock lock_a;
private(A) struct bpf_list_head list_a __contains(item, l);
private(A) struct bpf_rb_root tree_a __contains(item, r);
private(B) struct bpf_spin_lock lock_b;
private(B) struct bpf_list_head list_b __contains(other, l);

int result;

static _Bool less_removes(struct bpf_rb_node *a, const struct bpf_rb_node *b)
{
	bpf_rbtree_remove(&tree_a, a);
	return 0;
}

static _Bool less_unlocks(struct bpf_rb_node *a, const struct bpf_rb_node *b)
{
	bpf_spin_unlock(&lock_a);
	return 0;
}

static _Bool less_adds(struct bpf_rb_node *a, const struct bpf_rb_node *b)
{
	bpf_rbtree_add_impl(&tree_a, a, less, 0, 0);
	return 0;
}

static _Bool less_walks(struct bpf_rb_node *a, const struct bpf_rb_node *b)
{
	return bpf_rbtree_left(&tree_a, a) != 0;
}

BAD(push_unlocked)
{
	NEW(i, item);
	bpf_list_push_front_impl(&list_a, &i->l, 0, 0);
	return 0;
}

BAD(push_wrong_lock)
{
	NEW(i, item);
	bpf_spin_lock(&lock_b);
	bpf_list_push_front_impl(&list_a, &i->l, 0, 0);
	bpf_spin_unlock(&lock_b);
	return 0;
}

BAD(push_wrong_type)
{
	NEW(o, other);
	bpf_spin_lock(&lock_a);
	bpf_list_push_front_impl(&list_a, &o->l, 0, 0);
	bpf_spin_unlock(&lock_a);
	return 0;
}

BAD(push_wrong_offset)
{
	NEW(i, item);
	bpf_spin_lock(&lock_a);
	bpf_list_push_front_impl(&list_a, (void *)i, 0, 0);
	bpf_spin_unlock(&lock_a);
	return 0;
}

BAD(push_twice)
{
	NEW(i, item);
	bpf_spin_lock(&lock_a);
	bpf_list_push_front_impl(&list_a, &i->l, 0, 0);
	bpf_list_push_front_impl(&list_a, &i->l, 0, 0);
	bpf_spin_unlock(&lock_a);
	return 0;
}

BAD(push_and_read)
{
	NEW(i, item);
	bpf_spin_lock(&lock_a);
	bpf_list_push_front_impl(&list_a, &i->l, 0, 0);
	i->key = 3;
	bpf_spin_unlock(&lock_a);
	return 0;
}

BAD(read_after_unlock)
{
	NEW(i, item);
	bpf_spin_lock(&lock_a);
	bpf_list_push_front_impl(&list_a, &i->l, 0, 0);
	bpf_spin_unlock(&lock_a);
	return (int)i->key;
}

BAD(no_head)
{
	NEW(i, item);
	bpf_spin_lock(&lock_a);
	bpf_list_push_front_impl((void *)&lock_a, &i->l, 0, 0);
	bpf_spin_unlock(&lock_a);
	return 0;
}

BAD(head_of_tree)
{
	bpf_spin_lock(&lock_a);
	bpf_list_pop_front((void *)&tree_a);
	bpf_spin_unlock(&lock_a);
	return 0;
}

BAD(pop_unchecked)
{
	struct bpf_list_node *n;

	bpf_spin_lock(&lock_a);
	n = bpf_list_pop_front(&list_a);
	bpf_spin_unlock(&lock_a);
	bpf_obj_drop_impl(container_of(n, struct item, l), 0);
	return 0;
}

BAD(new_under_lock)
{
	struct item *i;

	bpf_spin_lock(&lock_a);
	i = OBJ_NEW(struct item);
	bpf_spin_unlock(&lock_a);
	if (i)
		bpf_obj_drop_impl(i, 0);
	return 0;
}

BAD(other_value)
{
	__u32 zero = 0;
	struct listed_value *a = bpf_map_lookup_elem(&lists, &zero);
	struct listed_value *b = bpf_map_lookup_elem(&lists, &zero);

	if (!a || !b)
		return 0;
	bpf_spin_lock(&a->lock);
	bpf_list_front(&b->list);
	bpf_spin_unlock(&a->lock);
	return 0;
}

BAD(same_value)
{
	__u32 zero = 0;
	struct listed_value *a = bpf_map_lookup_elem(&lists, &zero);

	if (!a)
		return 0;
	bpf_spin_lock(&a->lock);
	result = bpf_list_front(&a->list) != 0;
	bpf_spin_unlock(&a->lock);
	return 0;
}

BAD(list_of_value)
{
	__u32 zero = 0;
	struct listed_value *a = bpf_map_lookup_elem(&lists, &zero);

	if (!a)
		return 0;
	return (int)*(__u64 *)&a->list;
}

BAD(object_lock)
{
	NEW(l, locked);
	NEW(o, other);
	bpf_spin_lock(&l->lock);
	bpf_list_push_back_impl(&l->others, &o->l, 0, 0);
	bpf_spin_unlock(&l->lock);
	bpf_obj_drop_impl(l, 0);
	return 0;
}

BAD(object_lock_held)
{
	NEW(l, locked);
	bpf_spin_lock(&l->lock);
	bpf_obj_drop_impl(l, 0);
	return 0;
}

BAD(object_other_lock)
{
	struct locked *l, *m;
	struct other *o;

	l = OBJ_NEW(struct locked);
	if (!l)
		return 0;
	m = OBJ_NEW(struct locked);
	if (!m) {
		bpf_obj_drop_impl(l, 0);
		return 0;
	}
	o = OBJ_NEW(struct other);
	if (!o) {
		bpf_obj_drop_impl(l, 0);
		bpf_obj_drop_impl(m, 0);
		return 0;
	}
	bpf_spin_lock(&l->lock);
	bpf_list_push_back_impl(&m->others, &o->l, 0, 0);
	bpf_spin_unlock(&l->lock);
	bpf_obj_drop_impl(l, 0);
	bpf_obj_drop_impl(m, 0);
	return 0;
}

BAD(no_lock_in_object)
{
	NEW(i, item);
	bpf_spin_lock((void *)&i->ref);
	bpf_spin_unlock((void *)&i->ref);
	bpf_obj_drop_impl(i, 0);
	return 0;
}

BAD(two_locks)
{
	bpf_spin_lock(&lock_a);
	bpf_spin_lock(&lock_b);
	bpf_spin_unlock(&lock_b);
	bpf_spin_unlock(&lock_a);
	return 0;
}

BAD(tree_first_after_unlock)
{
	struct bpf_rb_node *n;

	bpf_spin_lock(&lock_a);
	n = bpf_rbtree_first(&tree_a);
	bpf_spin_unlock(&lock_a);
	return n ? (int)container_of(n, struct item, r)->key : 0;
}

BAD(tree_remove_owned)
{
	NEW(i, item);
	struct bpf_rb_node *n;

	bpf_spin_lock(&lock_a);
	n = bpf_rbtree_remove(&tree_a, &i->r);
	bpf_spin_unlock(&lock_a);
	if (n)
		bpf_obj_drop_impl(container_of(n, struct item, r), 0);
	bpf_obj_drop_impl(i, 0);
	return 0;
}

#define TREE_ADD(name, callback)                                     \
	BAD(name)                                                    \
	{                                                            \
		NEW(i, item);                                        \
		bpf_spin_lock(&lock_a);                              \
		bpf_rbtree_add_impl(&tree_a, &i->r, callback, 0, 0); \
		bpf_spin_unlock(&lock_a);                            \
		return 0;                                            \
	}
TREE_ADD(tree_add_cb_removes, less_removes)
TREE_ADD(tree_add_cb_unlocks, less_unlocks)
TREE_ADD(tree_add_cb_adds, less_adds)
TREE_ADD(tree_add_cb_walks, less_walks)
TREE_ADD(tree_add_no_callback, (void *)0)

BAD(tree_add_unlocked)
{
	NEW(i, item);
	bpf_rbtree_add_impl(&tree_a, &i->r, less, 0, 0);
	return 0;
}

BAD(refcount_unowned)
{
	NEW(i, item);
	struct item *j;

	bpf_spin_lock(&lock_a);
	bpf_list_push_front_impl(&list_a, &i->l, 0, 0);
	j = bpf_refcount_acquire_impl(i, 0);
	bpf_spin_unlock(&lock_a);
	bpf_obj_drop_impl(j, 0);
	return 0;
}

BAD(refcount_unowned_checked)
{
	NEW(i, item);
	struct item *j;

	bpf_spin_lock(&lock_a);
	bpf_list_push_front_impl(&list_a, &i->l, 0, 0);
	j = bpf_refcount_acquire_impl(i, 0);
	bpf_spin_unlock(&lock_a);
	if (j)
		bpf_obj_drop_impl(j, 0);
	return 0;
}

FINDS("raw_tp/sys_enter", traced_list, lists)

char _license[] SEC("license") = "GPL";
