/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lists (bpf_list_head) and trees (bpf_rb_root) of objects, in values and objects. Links are
 * addresses of nodes in shared memory: each one that is followed is compared with the heap's ranges
 * first, and walks have a limit. Changes are noted before they are made (rt/object.h): a list or
 * tree is as it was, or as it is to be.
 *
 * Whoever calls holds the lock beside the head, or has the only reference to what that lies in.
 * Nodes are given as the addresses of struct bpf_list_node and struct bpf_rb_node in their objects;
 * type says which objects these are and where in them the node is.
 */
#ifndef SKEP_RT_GRAPH_H
#define SKEP_RT_GRAPH_H

#include "rt/object.h"

/*
 * The object whose node is given becomes the collection's, which vcpu's reference goes to. 0, or
 * -EINVAL when it is in one already, or what is there is no collection: then it is dropped.
 * less: the program's function that compares two nodes, by number.
 */
long rt_list_push(const struct rt_object_type *type, u64 head, u64 node, bool front,
		  struct rt_vcpu *vcpu);
long rt_tree_add(const struct rt_object_type *type, u64 root, u64 node, u32 less,
		 struct rt_vcpu *vcpu);

/* The node, of which vcpu has the reference from now on; 0: there is none. */
u64 rt_list_pop(const struct rt_object_type *type, u64 head, bool front, struct rt_vcpu *vcpu);
u64 rt_tree_remove(const struct rt_object_type *type, u64 root, u64 node, struct rt_vcpu *vcpu);

/* The node at an end, which stays; 0: there is none. */
u64 rt_list_peek(const struct rt_object_type *type, u64 head, bool front);
u64 rt_tree_first(const struct rt_object_type *type, u64 root);
u64 rt_tree_root(const struct rt_object_type *type, u64 root);
u64 rt_tree_child(const struct rt_object_type *type, u64 root, u64 node, bool left);

/* Some object (not its node), of which vcpu has the reference from now on; 0: it is empty. */
u64 rt_graph_take(const struct rt_object_type *type, void *root, bool tree, struct rt_vcpu *vcpu);

#endif
