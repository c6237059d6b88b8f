/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs that do with objects what may not be done: each is refused, with the words of the
 * kernel. A few that look alike and may are among them.
 */
#include "objects.h"

struct plain {
	__u64 a, b;
};

struct item {
	__u64 key;
	struct bpf_list_node l;
	struct bpf_rb_node r;
	struct bpf_refcount ref;
};

struct other {
	__u64 key;
	struct bpf_list_node l;
};

struct locked {
	struct bpf_spin_lock lock;
	__u32 spare;
	struct bpf_list_head others __contains(other, l);
};

struct counters {
	__u64 n;
};

struct mixed {
	__u64 n;
	struct plain *pointer;
};

struct large {
	__u8 bytes[600];
};

struct stash {
	__u64 before;
	struct plain KPTR *plain;
	struct item KPTR *item;
	struct counters PERCPU_KPTR *counters;
	struct plain UNTRUSTED_KPTR *loose;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct stash);
} stashes SEC(".maps");

struct res_value {
	struct bpf_res_spin_lock lock;
	__u32 number;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct res_value);
} resilient SEC(".maps");

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

static _Bool less(struct bpf_rb_node *a, const struct bpf_rb_node *b)
{
	return container_of(a, struct item, r)->key < container_of(b, struct item, r)->key;
}

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

#define BAD(name) \
	SEC("tc") \
	int name(struct __sk_buff *skb)
#define NEW(variable, type)                           \
	struct type *variable = OBJ_NEW(struct type); \
	if (!variable)                                \
	return 1
#define STASH(variable)                                                           \
	__u32 zero_##variable = 0;                                                \
	struct stash *variable = bpf_map_lookup_elem(&stashes, &zero_##variable); \
	if (!variable)                                                            \
	return 2

BAD(leak)
{
	NEW(p, plain);
	return (int)p->a;
}

BAD(no_null_check)
{
	struct plain *p = OBJ_NEW(struct plain);

	p->a = 1;
	bpf_obj_drop_impl(p, 0);
	return 0;
}

BAD(after_drop)
{
	NEW(p, plain);
	bpf_obj_drop_impl(p, 0);
	return (int)p->a;
}

BAD(drop_inside)
{
	NEW(p, plain);
	bpf_obj_drop_impl(&p->b, 0);
	return 0;
}

BAD(drop_value)
{
	STASH(s);
	bpf_obj_drop_impl(s, 0);
	return 0;
}

BAD(drop_percpu)
{
	struct counters *c = bpf_percpu_obj_new_impl(bpf_core_type_id_local(struct counters), 0);

	if (!c)
		return 1;
	bpf_obj_drop_impl(c, 0);
	return 0;
}

BAD(percpu_direct)
{
	struct counters *c = bpf_percpu_obj_new_impl(bpf_core_type_id_local(struct counters), 0);

	if (!c)
		return 1;
	c->n = 1;
	bpf_percpu_obj_drop_impl(c, 0);
	return 0;
}

BAD(percpu_of_pointers)
{
	void *c = bpf_percpu_obj_new_impl(bpf_core_type_id_local(struct mixed), 0);

	if (c)
		bpf_percpu_obj_drop_impl(c, 0);
	return 0;
}

BAD(percpu_large)
{
	void *c = bpf_percpu_obj_new_impl(bpf_core_type_id_local(struct large), 0);

	if (c)
		bpf_percpu_obj_drop_impl(c, 0);
	return 0;
}

BAD(percpu_of_fields)
{
	void *c = bpf_percpu_obj_new_impl(bpf_core_type_id_local(struct other), 0);

	if (c)
		bpf_percpu_obj_drop_impl(c, 0);
	return 0;
}

BAD(large_is_fine)
{
	NEW(p, large);
	p->bytes[599] = 1;
	bpf_obj_drop_impl(p, 0);
	return 0;
}

BAD(beyond)
{
	NEW(p, plain);
	((__u64 *)p)[2] = 1;
	bpf_obj_drop_impl(p, 0);
	return 0;
}

BAD(before)
{
	NEW(p, plain);
	((__u64 *)p)[-1] = 1;
	bpf_obj_drop_impl(p, 0);
	return 0;
}

BAD(variable_offset)
{
	NEW(p, plain);
	*(__u8 *)((void *)p + (skb->len & 7)) = 1;
	bpf_obj_drop_impl(p, 0);
	return 0;
}

BAD(write_node)
{
	NEW(i, item);
	*(__u64 *)&i->l = 1;
	bpf_obj_drop_impl(i, 0);
	return 0;
}

BAD(read_refcount)
{
	NEW(i, item);
	result = *(__u32 *)&i->ref;
	bpf_obj_drop_impl(i, 0);
	return 0;
}

BAD(new_of_unknown_type)
{
	void *p = bpf_obj_new_impl(skb->len, 0);

	if (p)
		bpf_obj_drop_impl(p, 0);
	return 0;
}

BAD(new_of_no_struct)
{
	void *p = bpf_obj_new_impl(bpf_core_type_id_local(__u64), 0);

	if (p)
		bpf_obj_drop_impl(p, 0);
	return 0;
}

BAD(new_of_nothing)
{
	void *p = bpf_obj_new_impl(100000, 0);

	if (p)
		bpf_obj_drop_impl(p, 0);
	return 0;
}

BAD(xchg_wrong_type)
{
	STASH(s);
	NEW(o, other);
	o = (void *)bpf_kptr_xchg(&s->plain, (void *)o);
	if (o)
		bpf_obj_drop_impl(o, 0);
	return 0;
}

BAD(xchg_wrong_place)
{
	STASH(s);
	NEW(p, plain);
	p = bpf_kptr_xchg(&s->before, p);
	if (p)
		bpf_obj_drop_impl(p, 0);
	return 0;
}

BAD(xchg_loose)
{
	STASH(s);
	NEW(p, plain);
	p = bpf_kptr_xchg(&s->loose, p);
	if (p)
		bpf_obj_drop_impl(p, 0);
	return 0;
}

BAD(xchg_then_use)
{
	STASH(s);
	NEW(p, plain);
	struct plain *old = bpf_kptr_xchg(&s->plain, p);

	if (old)
		bpf_obj_drop_impl(old, 0);
	return (int)p->a;
}

BAD(xchg_maybe_null)
{
	STASH(s);
	struct plain *p = OBJ_NEW(struct plain);

	p = bpf_kptr_xchg(&s->plain, p);
	if (p)
		bpf_obj_drop_impl(p, 0);
	return 0;
}

BAD(xchg_percpu_plain)
{
	STASH(s);
	NEW(p, counters);
	p = bpf_kptr_xchg(&s->counters, p);
	if (p)
		bpf_percpu_obj_drop_impl(p, 0);
	return 0;
}

BAD(xchg_variable)
{
	STASH(s);
	void *p = bpf_kptr_xchg((void *)s + (skb->len & 8), 0);

	if (p)
		bpf_obj_drop_impl(p, 0);
	return 0;
}

BAD(store_kptr)
{
	STASH(s);
	*(volatile __u64 *)&s->plain = 0;
	return 0;
}

BAD(store_loose)
{
	STASH(s);
	*(volatile __u64 *)&s->loose = 0;
	return 0;
}

BAD(half_kptr)
{
	STASH(s);
	return *(volatile __u32 *)&s->plain;
}

BAD(kptr_into_helper)
{
	STASH(s);
	return bpf_csum_diff((void *)s, 16, 0, 0, 0);
}

BAD(load_without_check)
{
	STASH(s);
	return (int)s->plain->a;
}

BAD(load_and_write)
{
	STASH(s);
	struct plain *p = s->plain;

	if (p)
		p->b = 1;
	return 0;
}

BAD(load_loose_and_write)
{
	STASH(s);
	struct plain *p = s->loose;

	if (p)
		p->b = 1;
	return 0;
}

BAD(load_loose_and_read)
{
	STASH(s);
	struct plain *p = s->loose;

	return p ? (int)p->b : 0;
}

BAD(load_percpu_direct)
{
	STASH(s);
	struct counters *c = s->counters;

	return c ? (int)c->n : 0;
}

BAD(this_cpu_of_plain)
{
	NEW(p, plain);
	struct plain *q = bpf_this_cpu_ptr(p);

	result = (int)q->a;
	bpf_obj_drop_impl(p, 0);
	return 0;
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

BAD(tree_add_cb_removes)
{
	NEW(i, item);
	bpf_spin_lock(&lock_a);
	bpf_rbtree_add_impl(&tree_a, &i->r, less_removes, 0, 0);
	bpf_spin_unlock(&lock_a);
	return 0;
}

BAD(tree_add_cb_unlocks)
{
	NEW(i, item);
	bpf_spin_lock(&lock_a);
	bpf_rbtree_add_impl(&tree_a, &i->r, less_unlocks, 0, 0);
	bpf_spin_unlock(&lock_a);
	return 0;
}

BAD(tree_add_cb_adds)
{
	NEW(i, item);
	bpf_spin_lock(&lock_a);
	bpf_rbtree_add_impl(&tree_a, &i->r, less_adds, 0, 0);
	bpf_spin_unlock(&lock_a);
	return 0;
}

BAD(tree_add_cb_walks)
{
	NEW(i, item);
	bpf_spin_lock(&lock_a);
	bpf_rbtree_add_impl(&tree_a, &i->r, less_walks, 0, 0);
	bpf_spin_unlock(&lock_a);
	return 0;
}

BAD(tree_add_unlocked)
{
	NEW(i, item);
	bpf_rbtree_add_impl(&tree_a, &i->r, less, 0, 0);
	return 0;
}

BAD(tree_add_no_callback)
{
	NEW(i, item);
	bpf_spin_lock(&lock_a);
	bpf_rbtree_add_impl(&tree_a, &i->r, (void *)0, 0, 0);
	bpf_spin_unlock(&lock_a);
	return 0;
}

BAD(refcount_of_plain)
{
	NEW(p, plain);
	void *q = bpf_refcount_acquire_impl(p, 0);

	bpf_obj_drop_impl(q, 0);
	bpf_obj_drop_impl(p, 0);
	return 0;
}

BAD(refcount_inside)
{
	NEW(i, item);
	void *j = bpf_refcount_acquire_impl(&i->l, 0);

	bpf_obj_drop_impl(j, 0);
	bpf_obj_drop_impl(i, 0);
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

BAD(refcount_stashed)
{
	STASH(s);
	struct item *i = s->item, *j;

	if (!i)
		return 0;
	j = bpf_refcount_acquire_impl(i, 0);
	if (j)
		bpf_obj_drop_impl(j, 0);
	return 0;
}

#define RES(variable)                                                                  \
	__u32 key_##variable = 0;                                                      \
	struct res_value *variable = bpf_map_lookup_elem(&resilient, &key_##variable); \
	if (!variable)                                                                 \
	return 2

BAD(res_unchecked)
{
	RES(a);
	bpf_res_spin_lock(&a->lock);
	bpf_res_spin_unlock(&a->lock);
	return 0;
}

BAD(res_held)
{
	RES(a);
	if (bpf_res_spin_lock(&a->lock))
		return 0;
	return 0;
}

BAD(res_same)
{
	RES(a);
	if (bpf_res_spin_lock(&a->lock))
		return 0;
	if (!bpf_res_spin_lock(&a->lock))
		bpf_res_spin_unlock(&a->lock);
	bpf_res_spin_unlock(&a->lock);
	return 0;
}

BAD(res_order)
{
	RES(a);
	RES(b);
	if (bpf_res_spin_lock(&a->lock))
		return 0;
	if (bpf_res_spin_lock(&b->lock)) {
		bpf_res_spin_unlock(&a->lock);
		return 0;
	}
	bpf_res_spin_unlock(&a->lock);
	bpf_res_spin_unlock(&b->lock);
	return 0;
}

BAD(res_other)
{
	RES(a);
	RES(b);
	if (bpf_res_spin_lock(&a->lock))
		return 0;
	bpf_res_spin_unlock(&b->lock);
	return 0;
}

BAD(res_not_held)
{
	RES(a);
	bpf_res_spin_unlock(&a->lock);
	return 0;
}

BAD(res_irq_mixed)
{
	unsigned long flags;
	RES(a);
	if (bpf_res_spin_lock_irqsave(&a->lock, &flags))
		return 0;
	bpf_res_spin_unlock(&a->lock);
	return 0;
}

BAD(res_irq_native)
{
	unsigned long flags;
	RES(a);
	bpf_local_irq_save(&flags);
	if (bpf_res_spin_lock(&a->lock)) {
		bpf_local_irq_restore(&flags);
		return 0;
	}
	bpf_res_spin_unlock_irqrestore(&a->lock, &flags);
	return 0;
}

BAD(res_irq_wrong_flags)
{
	unsigned long flags, other;
	RES(a);
	bpf_local_irq_save(&other);
	if (bpf_res_spin_lock_irqsave(&a->lock, &flags)) {
		bpf_local_irq_restore(&other);
		return 0;
	}
	bpf_res_spin_unlock_irqrestore(&a->lock, &other);
	return 0;
}

BAD(res_irq_restore_native)
{
	unsigned long flags;
	RES(a);
	if (bpf_res_spin_lock_irqsave(&a->lock, &flags))
		return 0;
	bpf_local_irq_restore(&flags);
	return 0;
}

BAD(res_as_spin)
{
	RES(a);
	bpf_spin_lock((void *)&a->lock);
	bpf_spin_unlock((void *)&a->lock);
	return 0;
}

BAD(spin_as_res)
{
	if (!bpf_res_spin_lock((void *)&lock_a))
		bpf_res_spin_unlock((void *)&lock_a);
	return 0;
}

BAD(res_and_spin)
{
	RES(a);
	if (bpf_res_spin_lock(&a->lock))
		return 0;
	bpf_spin_lock(&lock_a);
	bpf_spin_unlock(&lock_a);
	bpf_res_spin_unlock(&a->lock);
	return 0;
}

BAD(spin_and_res)
{
	RES(a);
	bpf_spin_lock(&lock_a);
	if (!bpf_res_spin_lock(&a->lock))
		bpf_res_spin_unlock(&a->lock);
	bpf_spin_unlock(&lock_a);
	return 0;
}

BAD(res_helper_call)
{
	RES(a);
	if (bpf_res_spin_lock(&a->lock))
		return 0;
	a->number = bpf_get_prandom_u32();
	bpf_res_spin_unlock(&a->lock);
	return 0;
}

SEC("raw_tp/sys_enter")
int traced_list(void *ctx)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&lists, &zero) != 0;
}

SEC("raw_tp/sys_enter")
int traced_res(void *ctx)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&resilient, &zero) != 0;
}

SEC("raw_tp/sys_enter")
int traced_stash(void *ctx)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&stashes, &zero) != 0;
}

SEC("socket")
int socket_res(struct __sk_buff *skb)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&resilient, &zero) != 0;
}

SEC("socket")
int socket_new(struct __sk_buff *skb)
{
	NEW(p, plain);
	bpf_obj_drop_impl(p, 0);
	return 0;
}

SEC("xdp")
int xdp_new(struct xdp_md *xdp)
{
	NEW(p, plain);
	bpf_obj_drop_impl(p, 0);
	return 0;
}

SEC("kprobe/do_nanosleep")
int kprobe_new(void *ctx)
{
	NEW(p, plain);
	bpf_obj_drop_impl(p, 0);
	return 0;
}

char _license[] SEC("license") = "GPL";
