/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel functions on allocated objects: making and dropping them, references to them, lists and
 * trees of them. A list head or tree root lies in a map value or object, beside the lock that has
 * to be held for each operation; what is in it has been given away to it, and pointers to that are
 * only good until the lock is given back.
 */
#ifndef SKEP_VERIFY_GRAPH_H
#define SKEP_VERIFY_GRAPH_H

#include "verify/object.h"

struct abi_kfunc;

/* What one call was found to be about; zero before the first argument. */
struct graph_call {
	const struct abi_kfunc *kfunc;
	u32 id; /* its number */
	const struct btf_field *root;
	const struct btf *btf; /* the type of the object that an argument is */
	u32 btf_id;
	bool owned; /* bpf_refcount_acquire(): so was its argument */
};

/* Is it one of the arguments that graph_check_arg() knows (enum abi_kfunc_arg)? */
bool graph_takes(u8 arg);

/* Before the arguments are looked at: the path on which a lock cannot be had. 0 or -errno. */
int graph_before(struct verify_env *env, const struct abi_kfunc *kfunc, u32 id);

/* One argument, in regno. 0 or -errno. */
int graph_check_arg(struct verify_env *env, u32 regno, u8 arg, struct graph_call *call);

/* All arguments are good: the callback, subprog, and what becomes of the object. 0 or -errno. */
int graph_after_args(struct verify_env *env, const struct graph_call *call, u32 subprog);

/* Is it one of the results that graph_set_result() knows (enum abi_kfunc_ret)? */
bool graph_returns(u8 ret);

/* The result in R0, without what the row's flags say of it; constant: the argument __k. */
int graph_set_result(struct verify_env *env, const struct graph_call *call, u64 constant);

/* Is the current function the one that compares the nodes of a tree, by call of the engine? */
bool callback_of_tree(const struct verify_env *env);

/* The arguments of that function; caller is the frame that calls bpf_rbtree_add(). 0 or -errno. */
int graph_set_less_arguments(struct verify_env *env, const struct frame *caller,
			     struct frame *callee);

#endif
