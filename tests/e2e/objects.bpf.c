/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Objects that programs allocate: kept in map values, in lists, in trees, counted, one for each
 * CPU. Each program says by its result what it saw; on the kernel and on skep it has to say the
 * same, run after run, since what one leaves in a map the next one finds.
 */
#include "objects.h"

/* An object with objects in it. */
struct inner {
	__u64 number;
	struct bpf_list_node l;
};

struct outer {
	struct bpf_spin_lock lock;
	__u32 spare;
	struct bpf_list_head inners __contains(inner, l);
	__u64 number;
};

struct locked_number {
	struct bpf_spin_lock lock;
	__u32 number;
};

struct counters {
	__u64 n;
	__u32 m[6];
};

struct stash {
	struct plain KPTR *plain;
	struct outer KPTR *outer;
	struct counters PERCPU_KPTR *counters;
	struct item KPTR *item;
};

ARRAY(stashes, struct stash);

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, struct stash);
} hashed SEC(".maps");

struct res_value {
	struct bpf_res_spin_lock lock;
	__u64 number;
};

ARRAY(resilient, struct res_value);

struct {
	__uint(type, BPF_MAP_TYPE_CGROUP_STORAGE);
	__type(key, struct bpf_cgroup_storage_key);
	__type(value, struct locked_number);
} of_cgroup SEC(".maps");

private(A) struct bpf_spin_lock list_lock;
private(A) struct bpf_list_head list __contains(item, l);
private(B) struct bpf_spin_lock tree_lock;
private(B) struct bpf_rb_root tree __contains(item, r);

static struct stash *stash_at(__u32 key)
{
	return bpf_map_lookup_elem(&stashes, &key);
}

/* What was put there before, plus 1; 0: nothing. */
SEC("tc")
int stash_plain(struct __sk_buff *skb)
{
	struct stash *stash = stash_at(0);
	struct plain *new, *old;
	int result = 0;

	if (!stash)
		return -1;
	new = OBJ_NEW(struct plain);
	if (!new)
		return -2;
	new->a = 41;
	new->b = 1;
	old = bpf_kptr_xchg(&stash->plain, new);
	if (old) {
		result = (int)(old->a + old->b) + 1;
		bpf_obj_drop_impl(old, 0);
	}
	return result;
}

/* A stashed object, looked at without owning it, and taken out. */
SEC("tc")
int take_plain(struct __sk_buff *skb)
{
	struct stash *stash = stash_at(0);
	struct plain *seen, *old;
	int result;

	if (!stash)
		return -1;
	seen = stash->plain;
	if (!seen)
		return 0;
	result = (int)seen->a * 1000;
	seen->b = 7;
	old = bpf_kptr_xchg(&stash->plain, 0);
	if (!old)
		return -2;
	result += (int)old->b;
	bpf_obj_drop_impl(old, 0);
	return result;
}

static int push_items(__u32 from, _Bool front)
{
	for (__u32 i = 0; i < 8; i++) {
		struct item *item = OBJ_NEW(struct item);

		if (!item)
			return -1;
		item->key = from + i;
		bpf_spin_lock(&list_lock);
		if (front)
			bpf_list_push_front_impl(&list, &item->l, 0, 0);
		else
			bpf_list_push_back_impl(&list, &item->l, 0, 0);
		bpf_spin_unlock(&list_lock);
	}
	return 0;
}

SEC("tc")
int list_push(struct __sk_buff *skb)
{
	return push_items(10, 1) + push_items(100, 0);
}

/* The sum of both ends, each weighted by when it came. */
SEC("tc")
int list_pop(struct __sk_buff *skb)
{
	int sum = 0;

	for (__u32 i = 1; i <= 6; i++) {
		struct bpf_list_node *node;
		struct item *item;

		bpf_spin_lock(&list_lock);
		node = i & 1 ? bpf_list_pop_front(&list) : bpf_list_pop_back(&list);
		bpf_spin_unlock(&list_lock);
		if (!node)
			return sum + 1000000;
		item = container_of(node, struct item, l);
		sum += (int)(item->key * i);
		bpf_obj_drop_impl(item, 0);
	}
	return sum;
}

SEC("tc")
int list_ends(struct __sk_buff *skb)
{
	struct bpf_list_node *front, *back;
	int result = 0;

	bpf_spin_lock(&list_lock);
	front = bpf_list_front(&list);
	if (front)
		result = (int)container_of(front, struct item, l)->key * 1000;
	back = bpf_list_back(&list);
	if (back)
		result += (int)container_of(back, struct item, l)->key;
	bpf_spin_unlock(&list_lock);
	return result;
}

/* One with a key that the packet's length gives. */
SEC("tc")
int tree_add(struct __sk_buff *skb)
{
	struct item *item = OBJ_NEW(struct item);
	int result;

	if (!item)
		return -1;
	item->key = skb->len * 37 % 101;
	bpf_spin_lock(&tree_lock);
	result = bpf_rbtree_add_impl(&tree, &item->r, less, 0, 0);
	bpf_spin_unlock(&tree_lock);
	return result;
}

/* The smallest three, in order. */
SEC("tc")
int tree_take(struct __sk_buff *skb)
{
	int result = 0;

	for (__u32 i = 0; i < 3; i++) {
		struct bpf_rb_node *node;
		struct item *item;

		bpf_spin_lock(&tree_lock);
		node = bpf_rbtree_first(&tree);
		if (!node) {
			bpf_spin_unlock(&tree_lock);
			return -1 - result;
		}
		node = bpf_rbtree_remove(&tree, node);
		bpf_spin_unlock(&tree_lock);
		if (!node)
			return -2;
		item = container_of(node, struct item, r);
		result = result * 128 + (int)item->key;
		bpf_obj_drop_impl(item, 0);
	}
	return result;
}

/* Its shape, as far as eight steps down from the top show it: the tree is the kernel's. */
SEC("tc")
int tree_shape(struct __sk_buff *skb)
{
	__u32 way = skb->len;
	struct bpf_rb_node *node;
	int result = 0;

	bpf_spin_lock(&tree_lock);
	node = bpf_rbtree_root(&tree);
	for (__u32 i = 0; i < 4 && node; i++) {
		result = result * 128 + (int)container_of(node, struct item, r)->key;
		node = way >> i & 1 ? bpf_rbtree_left(&tree, node) : bpf_rbtree_right(&tree, node);
	}
	bpf_spin_unlock(&tree_lock);
	return result;
}

/* Takes out of the middle, by way of the top. */
SEC("tc")
int tree_behead(struct __sk_buff *skb)
{
	struct bpf_rb_node *node;
	struct item *item;
	int result;

	bpf_spin_lock(&tree_lock);
	node = bpf_rbtree_root(&tree);
	if (!node) {
		bpf_spin_unlock(&tree_lock);
		return -1;
	}
	node = bpf_rbtree_remove(&tree, node);
	bpf_spin_unlock(&tree_lock);
	if (!node)
		return -2;
	item = container_of(node, struct item, r);
	result = (int)item->key;
	bpf_obj_drop_impl(item, 0);
	return result;
}

/* One object in the list and in the tree; what is changed through one is seen through the other. */
SEC("tc")
int counted(struct __sk_buff *skb)
{
	struct item *item = OBJ_NEW(struct item), *again;
	struct bpf_list_node *node;
	int result;

	if (!item)
		return -1;
	item->key = 5000;
	again = bpf_refcount_acquire_impl(item, 0);
	bpf_spin_lock(&tree_lock);
	bpf_rbtree_add_impl(&tree, &item->r, less, 0, 0);
	item->key = 5001;
	bpf_spin_unlock(&tree_lock);
	bpf_spin_lock(&list_lock);
	bpf_list_push_front_impl(&list, &again->l, 0, 0);
	bpf_spin_unlock(&list_lock);
	bpf_spin_lock(&list_lock);
	node = bpf_list_pop_front(&list);
	bpf_spin_unlock(&list_lock);
	if (!node)
		return -2;
	again = container_of(node, struct item, l);
	result = (int)again->key;
	bpf_obj_drop_impl(again, 0);
	return result;
}

/* What is in a list cannot go in again: the reference is given back. */
SEC("tc")
int twice(struct __sk_buff *skb)
{
	struct item *item = OBJ_NEW(struct item), *again;
	int first, second;

	if (!item)
		return -100;
	item->key = 1;
	again = bpf_refcount_acquire_impl(item, 0);
	bpf_spin_lock(&list_lock);
	first = bpf_list_push_back_impl(&list, &item->l, 0, 0);
	second = bpf_list_push_back_impl(&list, &again->l, 0, 0);
	bpf_spin_unlock(&list_lock);
	return first * 1000 + second;
}

/* A list in an object that is kept in a value. */
SEC("tc")
int nested(struct __sk_buff *skb)
{
	struct stash *stash = stash_at(1);
	struct outer *outer, *old;
	int result = 0;

	if (!stash)
		return -1;
	outer = OBJ_NEW(struct outer);
	if (!outer)
		return -2;
	outer->number = 0; /* the kernel's memory is whatever it was */
	for (__u32 i = 0; i < 4; i++) {
		struct inner *inner = OBJ_NEW(struct inner);

		if (!inner)
			break;
		inner->number = i;
		bpf_spin_lock(&outer->lock);
		bpf_list_push_back_impl(&outer->inners, &inner->l, 0, 0);
		bpf_spin_unlock(&outer->lock);
		outer->number++;
	}
	old = bpf_kptr_xchg(&stash->outer, outer);
	if (old) {
		result = (int)old->number;
		bpf_obj_drop_impl(old, 0);
	}
	return result;
}

SEC("tc")
int percpu_put(struct __sk_buff *skb)
{
	struct stash *stash = stash_at(0);
	struct counters *counters, *given, *one;

	if (!stash)
		return -1;
	counters = bpf_percpu_obj_new_impl(bpf_core_type_id_local(struct counters), 0);
	if (!counters)
		return -2;
	given = counters;
	counters = bpf_kptr_xchg(&stash->counters, counters);
	/* It can be looked at as long as this program runs. */
	for (__u32 cpu = 0; cpu < 64; cpu++) {
		one = bpf_per_cpu_ptr(given, cpu);
		if (!one)
			break;
		one->n = 0;
	}
	if (!counters)
		return 0;
	bpf_percpu_obj_drop_impl(counters, 0);
	return 1;
}

SEC("tc")
int percpu_count(struct __sk_buff *skb)
{
	struct stash *stash = stash_at(0);
	struct counters *counters, *mine;
	__u64 sum = 0;

	if (!stash)
		return -1;
	counters = stash->counters;
	if (!counters)
		return -2;
	mine = bpf_this_cpu_ptr(counters);
	mine->n += 3;
	mine->m[5] = 9;
	for (__u32 cpu = 0; cpu < 64; cpu++) {
		mine = bpf_per_cpu_ptr(counters, cpu);
		if (!mine)
			break;
		sum += mine->n;
	}
	return (int)sum;
}

/* An element that goes takes its objects with it. */
SEC("tc")
int hash_fill(struct __sk_buff *skb)
{
	struct stash empty = {}, *stash;
	struct item *item;
	__u32 key = skb->len;

	bpf_map_update_elem(&hashed, &key, &empty, 0);
	stash = bpf_map_lookup_elem(&hashed, &key);
	if (!stash)
		return -1;
	item = OBJ_NEW(struct item);
	if (!item)
		return -2;
	item = bpf_kptr_xchg(&stash->item, item);
	if (item)
		bpf_obj_drop_impl(item, 0);
	return item ? 1 : 0;
}

SEC("tc")
int hash_drop(struct __sk_buff *skb)
{
	__u32 key = skb->len;

	return (int)bpf_map_delete_elem(&hashed, &key);
}

SEC("tc")
int res_lock(struct __sk_buff *skb)
{
	__u32 zero = 0, one = 1;
	struct res_value *a = bpf_map_lookup_elem(&resilient, &zero);
	struct res_value *b = bpf_map_lookup_elem(&resilient, &one);
	unsigned long flags;
	int result = -1;

	if (!a || !b)
		return -2;
	if (bpf_res_spin_lock(&a->lock))
		return -3;
	a->number++;
	if (!bpf_res_spin_lock(&b->lock)) {
		b->number += 2;
		result = (int)(a->number * 100 + b->number);
		bpf_res_spin_unlock(&b->lock);
	}
	bpf_res_spin_unlock(&a->lock);
	if (bpf_res_spin_lock_irqsave(&a->lock, &flags))
		return -4;
	a->number++;
	bpf_res_spin_unlock_irqrestore(&a->lock, &flags);
	return result;
}

/* A lock that this very program holds: the same element, found twice. */
SEC("tc")
int res_deadlock(struct __sk_buff *skb)
{
	__u32 zero = 0;
	struct res_value *a = bpf_map_lookup_elem(&resilient, &zero);
	struct res_value *b = bpf_map_lookup_elem(&resilient, &zero);
	int result;

	if (!a || !b)
		return -2;
	if (bpf_res_spin_lock(&a->lock))
		return -3;
	result = bpf_res_spin_lock(&b->lock);
	if (!result)
		bpf_res_spin_unlock(&b->lock);
	bpf_res_spin_unlock(&a->lock);
	return result;
}

/* How often in this command, up to three. */
SEC("cgroup_skb/egress")
int locked_storage(struct __sk_buff *skb)
{
	struct locked_number *value = bpf_get_local_storage(&of_cgroup, 0);
	__u32 number;

	bpf_spin_lock(&value->lock);
	number = ++value->number;
	bpf_spin_unlock(&value->lock);
	return number < 3 ? number : 3;
}

char _license[] SEC("license") = "GPL";
