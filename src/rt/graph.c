/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See graph.h. A tree is a red-black tree in the manner of the textbooks (Cormen et al.), without a
 * sentinel: a missing child is 0, and what is about to be repaired is named by its parent. Where a
 * tree is not what it has to be, which only scribbling brings about, an operation is taken back.
 */
#include "rt/graph.h"
#include <linux/errno.h>
#include "rt/lock.h"
#include "rt/prog.h"

#define HOPS_MAX 160 /* of a way down: a sound tree of 2^64 nodes is not as high */

/* Words of the structures; owner is the address of the head or root. */
#define HEAD_FIRST  0
#define HEAD_LAST   8
#define NODE_NEXT   0
#define NODE_PREV   8
#define NODE_OWNER  16
#define ROOT_TOP    0
#define ROOT_LEFT   8 /* the leftmost node */
#define TREE_LEFT   0
#define TREE_RIGHT  8
#define TREE_PARENT 16 /* in the low bit: black */
#define TREE_OWNER  24

struct graph {
	const struct rt_object_type *type;
	struct rt_object_slot *slot;
	bool broken; /* it is not what it has to be: the operation will be taken back */
};

static u64 word_at(u64 address)
{
	return __atomic_load_n((const u64 *)address, __ATOMIC_ACQUIRE);
}

/* A link, if it leads to a node. */
static u64 node_in(const struct rt_object_type *type, u64 word)
{
	u64 node = word & ~7UL;

	return node && rt_object_check(type, false, node - type->node_offset) ? node : 0;
}

static u64 link(const struct graph *g, u64 address)
{
	return node_in(g->type, word_at(address));
}

static void put(struct graph *g, u64 address, u64 value)
{
	g->broken = g->broken || !rt_object_put(g->slot, address, value);
}

static u64 object_of(const struct rt_object_type *type, u64 node)
{
	return node - type->node_offset;
}

/* Before a change: the object of the node is on its way into or out of a collection. */
static void begin_move(struct graph *g, u64 object, u64 owner_word, bool in, struct rt_vcpu *vcpu)
{
	WRITE_ONCE(rt_object_header_of(object)->owner, rt_lock_token(vcpu));
	if (in)
		rt_object_aim(g->slot, object, owner_word | RT_OBJECT_IN_GRAPH);
	else
		rt_object_hold(g->slot, object, owner_word | RT_OBJECT_IN_GRAPH);
}

/* After it: for good, or, if something was broken, not at all. False: not at all. */
static bool end_move(struct graph *g, u64 object, bool in)
{
	if (g->broken) {
		rt_object_rollback(g->slot);
		if (in)
			rt_object_aim(g->slot, object, 0);
		else
			rt_object_unhold(g->slot, object);
		return false;
	}
	rt_object_commit(g->slot);
	if (in)
		rt_object_unhold(g->slot, object);
	else
		rt_object_aim(g->slot, object, 0);
	return true;
}

/* It cannot go in: it is dropped, as the kernel does. */
static long refuse(const struct rt_object_type *type, u64 node, struct rt_vcpu *vcpu)
{
	rt_object_drop(type, false, object_of(type, node), vcpu);
	return -EINVAL;
}

/* Lists. */

long rt_list_push(const struct rt_object_type *type, u64 head, u64 node, bool front,
		  struct rt_vcpu *vcpu)
{
	u32 here = front ? HEAD_FIRST : HEAD_LAST, there = front ? HEAD_LAST : HEAD_FIRST;
	u32 inward = front ? NODE_NEXT : NODE_PREV, outward = front ? NODE_PREV : NODE_NEXT;
	struct graph g = { type, rt_object_enter(vcpu), false };
	u64 neighbour = link(&g, head + here);

	if (word_at(node + NODE_OWNER))
		return refuse(type, node, vcpu);
	begin_move(&g, object_of(type, node), node + NODE_OWNER, true, vcpu);
	put(&g, node + inward, neighbour);
	put(&g, node + outward, 0);
	put(&g, neighbour ? neighbour + outward : head + there, node);
	put(&g, head + here, node);
	put(&g, node + NODE_OWNER, head);
	return end_move(&g, object_of(type, node), true) ? 0 : refuse(type, node, vcpu);
}

u64 rt_list_peek(const struct rt_object_type *type, u64 head, bool front)
{
	u64 node = node_in(type, word_at(head + (front ? HEAD_FIRST : HEAD_LAST)));

	return node && word_at(node + NODE_OWNER) == head ? node : 0;
}

u64 rt_list_pop(const struct rt_object_type *type, u64 head, bool front, struct rt_vcpu *vcpu)
{
	u32 here = front ? HEAD_FIRST : HEAD_LAST, there = front ? HEAD_LAST : HEAD_FIRST;
	u32 inward = front ? NODE_NEXT : NODE_PREV, outward = front ? NODE_PREV : NODE_NEXT;
	struct graph g = { type, NULL, false };
	u64 node = rt_list_peek(type, head, front), neighbour;

	if (!node)
		return 0;
	g.slot = rt_object_enter(vcpu);
	neighbour = link(&g, node + inward);
	begin_move(&g, object_of(type, node), node + NODE_OWNER, false, vcpu);
	put(&g, head + here, neighbour);
	put(&g, neighbour ? neighbour + outward : head + there, 0);
	put(&g, node + NODE_OWNER, 0);
	return end_move(&g, object_of(type, node), false) ? node : 0;
}

/* Trees. */

static u64 parent_of(const struct graph *g, u64 node)
{
	return link(g, node + TREE_PARENT);
}

static bool is_black(u64 node)
{
	return !node || word_at(node + TREE_PARENT) & 1;
}

static void set_parent(struct graph *g, u64 node, u64 parent)
{
	if (!node)
		g->broken = true;
	else
		put(g, node + TREE_PARENT, parent | (word_at(node + TREE_PARENT) & 1));
}

static void set_black(struct graph *g, u64 node, bool black)
{
	if (!node)
		g->broken = true;
	else
		put(g, node + TREE_PARENT, (word_at(node + TREE_PARENT) & ~1UL) | black);
}

/* The child that stood below parent (0: at the top) becomes `new` (0: none). */
static void replace_child(struct graph *g, u64 root, u64 parent, u64 old, u64 new)
{
	if (!parent)
		put(g, root + ROOT_TOP, new);
	else if (link(g, parent + TREE_LEFT) == old)
		put(g, parent + TREE_LEFT, new);
	else
		put(g, parent + TREE_RIGHT, new);
}

/* The child on the other side takes the place of node, which goes down to `side`. */
static void rotate(struct graph *g, u64 root, u64 node, u32 side)
{
	u32 other = side == TREE_LEFT ? TREE_RIGHT : TREE_LEFT;
	u64 up = link(g, node + other), parent = parent_of(g, node), inner;

	if (!up) {
		g->broken = true;
		return;
	}
	inner = link(g, up + side);
	put(g, node + other, inner);
	if (inner)
		set_parent(g, inner, node);
	replace_child(g, root, parent, node, up);
	set_parent(g, up, parent);
	put(g, up + side, node);
	set_parent(g, node, up);
}

/* Two red ones in a row, the lower one being node. */
static void repair_insert(struct graph *g, u64 root, u64 node)
{
	for (u32 i = 0; i < HOPS_MAX && !g->broken; i++) {
		u64 parent = parent_of(g, node), grand, uncle;
		u32 side, other;

		if (!parent) {
			set_black(g, node, true);
			return;
		}
		if (is_black(parent))
			return;
		grand = parent_of(g, parent);
		if (!grand)
			break;
		side = link(g, grand + TREE_LEFT) == parent ? TREE_LEFT : TREE_RIGHT;
		other = side == TREE_LEFT ? TREE_RIGHT : TREE_LEFT;
		uncle = link(g, grand + other);
		if (!is_black(uncle)) {
			set_black(g, uncle, true);
			set_black(g, parent, true);
			set_black(g, grand, false);
			node = grand;
			continue;
		}
		if (link(g, parent + other) == node) {
			rotate(g, root, parent, side);
			parent = node;
		}
		set_black(g, parent, true);
		set_black(g, grand, false);
		rotate(g, root, grand, other);
		return;
	}
	g->broken = true;
}

/* Where the node belongs; false if there is no such place. */
static bool find_place(const struct graph *g, u64 root, u64 node, u32 less, struct rt_vcpu *vcpu,
		       u64 *ret_parent, u64 *ret_link, bool *ret_leftmost)
{
	u64 at = root + ROOT_TOP, parent = 0, next;

	*ret_leftmost = true;
	for (u32 i = 0; (next = link(g, at)); i++) {
		if (i == HOPS_MAX || next == node)
			return false;
		parent = next;
		if (rt_call_bpf(vcpu, less, node, next, 0, 0, 0)) {
			at = parent + TREE_LEFT;
		} else {
			at = parent + TREE_RIGHT;
			*ret_leftmost = false;
		}
		if (vcpu->aborted)
			return false;
	}
	*ret_parent = parent;
	*ret_link = at;
	return true;
}

long rt_tree_add(const struct rt_object_type *type, u64 root, u64 node, u32 less,
		 struct rt_vcpu *vcpu)
{
	struct graph g = { type, rt_object_enter(vcpu), false };
	u64 parent, at;
	bool leftmost;

	if (word_at(node + TREE_OWNER) ||
	    !find_place(&g, root, node, less, vcpu, &parent, &at, &leftmost))
		return refuse(type, node, vcpu);
	begin_move(&g, object_of(type, node), node + TREE_OWNER, true, vcpu);
	put(&g, node + TREE_LEFT, 0);
	put(&g, node + TREE_RIGHT, 0);
	put(&g, node + TREE_PARENT, parent);
	put(&g, at, node);
	if (leftmost)
		put(&g, root + ROOT_LEFT, node);
	put(&g, node + TREE_OWNER, root);
	repair_insert(&g, root, node);
	return end_move(&g, object_of(type, node), true) ? 0 : refuse(type, node, vcpu);
}

/* The lowest node on the left below node. */
static u64 leftmost_of(struct graph *g, u64 node)
{
	for (u32 i = 0; i < HOPS_MAX; i++) {
		u64 next = link(g, node + TREE_LEFT);

		if (!next)
			return node;
		node = next;
	}
	g->broken = true;
	return node;
}

/* The way through node (0: none) below parent has one black node too few. */
static void repair_remove(struct graph *g, u64 root, u64 node, u64 parent)
{
	for (u32 i = 0; i < HOPS_MAX && !g->broken; i++) {
		u32 side, other;
		u64 sibling;

		if (!parent || !is_black(node)) {
			if (node)
				set_black(g, node, true);
			return;
		}
		side = link(g, parent + TREE_LEFT) == node ? TREE_LEFT : TREE_RIGHT;
		other = side == TREE_LEFT ? TREE_RIGHT : TREE_LEFT;
		sibling = link(g, parent + other);
		if (sibling && !is_black(sibling)) {
			set_black(g, sibling, true);
			set_black(g, parent, false);
			rotate(g, root, parent, side);
			sibling = link(g, parent + other);
		}
		if (!sibling)
			break;
		if (is_black(link(g, sibling + TREE_LEFT)) &&
		    is_black(link(g, sibling + TREE_RIGHT))) {
			set_black(g, sibling, false);
			node = parent;
			parent = parent_of(g, node);
			continue;
		}
		if (is_black(link(g, sibling + other))) {
			set_black(g, link(g, sibling + side), true);
			set_black(g, sibling, false);
			rotate(g, root, sibling, other);
			sibling = link(g, parent + other);
			if (!sibling)
				break;
		}
		set_black(g, sibling, is_black(parent));
		set_black(g, parent, true);
		if (link(g, sibling + other))
			set_black(g, link(g, sibling + other), true);
		rotate(g, root, parent, side);
		return;
	}
	g->broken = true;
}

static void unlink_node(struct graph *g, u64 root, u64 node)
{
	u64 left = link(g, node + TREE_LEFT), right = link(g, node + TREE_RIGHT), parent, child;
	u64 above = parent_of(g, node);
	bool black = is_black(node);

	if (left && right) {
		u64 next = leftmost_of(g, right);

		black = is_black(next);
		child = link(g, next + TREE_RIGHT);
		parent = parent_of(g, next);
		if (parent == node) {
			parent = next;
		} else if (parent) {
			put(g, parent + TREE_LEFT, child);
			if (child)
				set_parent(g, child, parent);
			put(g, next + TREE_RIGHT, right);
			set_parent(g, right, next);
		} else {
			g->broken = true;
			return;
		}
		replace_child(g, root, above, node, next);
		put(g, next + TREE_LEFT, left);
		set_parent(g, left, next);
		put(g, next + TREE_PARENT, word_at(node + TREE_PARENT));
	} else {
		child = left ? left : right;
		parent = above;
		replace_child(g, root, parent, node, child);
		if (child)
			set_parent(g, child, parent);
	}
	if (black)
		repair_remove(g, root, child, parent);
}

u64 rt_tree_remove(const struct rt_object_type *type, u64 root, u64 node, struct rt_vcpu *vcpu)
{
	struct graph g = { type, NULL, false };
	u64 next;

	if (word_at(node + TREE_OWNER) != root)
		return 0;
	g.slot = rt_object_enter(vcpu);
	begin_move(&g, object_of(type, node), node + TREE_OWNER, false, vcpu);
	if (link(&g, root + ROOT_LEFT) == node) {
		next = link(&g, node + TREE_RIGHT);
		next = next ? leftmost_of(&g, next) : parent_of(&g, node);
		put(&g, root + ROOT_LEFT, next);
	}
	unlink_node(&g, root, node);
	put(&g, node + TREE_OWNER, 0);
	return end_move(&g, object_of(type, node), false) ? node : 0;
}

/* A node that was found in a tree, if that owns it. */
static u64 owned(u64 node, u64 root)
{
	return node && word_at(node + TREE_OWNER) == root ? node : 0;
}

u64 rt_tree_first(const struct rt_object_type *type, u64 root)
{
	return owned(node_in(type, word_at(root + ROOT_LEFT)), root);
}

u64 rt_tree_root(const struct rt_object_type *type, u64 root)
{
	return owned(node_in(type, word_at(root + ROOT_TOP)), root);
}

u64 rt_tree_child(const struct rt_object_type *type, u64 root, u64 node, bool left)
{
	if (!owned(node, root))
		return 0;
	return owned(node_in(type, word_at(node + (left ? TREE_LEFT : TREE_RIGHT))), root);
}

u64 rt_graph_take(const struct rt_object_type *type, void *root, bool tree, struct rt_vcpu *vcpu)
{
	u64 node;

	if (!type)
		return 0;
	node = tree ? rt_tree_first(type, (u64)root) : rt_list_pop(type, (u64)root, true, vcpu);
	if (tree && node)
		node = rt_tree_remove(type, (u64)root, node, vcpu);
	return node ? object_of(type, node) : 0;
}
