/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel functions on objects that programs allocate (kernel/bpf/helpers.c), and on resilient spin
 * locks. The type comes with the call instruction (vcpu->call_arg), from the verifier; arguments
 * that the prototypes call __ign are the program's own and are not looked at.
 */
#include "rt/graph.h"
#include "rt/kfunc/families.h"
#include "rt/lock.h"
#include "rt/object.h"

static const struct rt_object_type *type_of_call(const struct rt_vcpu *vcpu)
{
	return rt_object_type_of(vcpu->call_arg);
}

/* (type) */
RT_KFUNC(bpf_obj_new_impl)
{
	const struct rt_object_type *type = type_of_call(vcpu);

	return type ? rt_object_new(type, false, vcpu) : 0;
}

RT_KFUNC(bpf_percpu_obj_new_impl)
{
	const struct rt_object_type *type = type_of_call(vcpu);

	return type ? rt_object_new(type, true, vcpu) : 0;
}

/* One instruction may drop objects of several types: then they say of which. */
static u64 drop(u64 object, bool percpu, struct rt_vcpu *vcpu)
{
	const struct rt_object_type *type = type_of_call(vcpu);

	if (type)
		rt_object_drop(type, percpu, object, vcpu);
	else
		rt_object_drop_untyped(object, vcpu);
	return 0;
}

/* (object) */
RT_KFUNC(bpf_obj_drop_impl)
{
	return drop(r1, false, vcpu);
}

RT_KFUNC(bpf_percpu_obj_drop_impl)
{
	return drop(r1, true, vcpu);
}

/* (object): to its owner the verifier has promised one more. */
RT_KFUNC(bpf_refcount_acquire_impl)
{
	return rt_object_acquire(r1, vcpu) || vcpu->call_arg & RT_OBJECT_ARG_OWNED ? r1 : 0;
}

/* (head, node) */
RT_KFUNC(bpf_list_push_front_impl)
{
	return rt_kfunc_int(rt_list_push(type_of_call(vcpu), r1, r2, true, vcpu));
}

RT_KFUNC(bpf_list_push_back_impl)
{
	return rt_kfunc_int(rt_list_push(type_of_call(vcpu), r1, r2, false, vcpu));
}

/* (head) */
RT_KFUNC(bpf_list_pop_front)
{
	return rt_list_pop(type_of_call(vcpu), r1, true, vcpu);
}

RT_KFUNC(bpf_list_pop_back)
{
	return rt_list_pop(type_of_call(vcpu), r1, false, vcpu);
}

RT_KFUNC(bpf_list_front)
{
	return rt_list_peek(type_of_call(vcpu), r1, true);
}

RT_KFUNC(bpf_list_back)
{
	return rt_list_peek(type_of_call(vcpu), r1, false);
}

/* (root, node, less) */
RT_KFUNC(bpf_rbtree_add_impl)
{
	return rt_kfunc_int(rt_tree_add(type_of_call(vcpu), r1, r2, (u32)r3, vcpu));
}

/* (root, node) */
RT_KFUNC(bpf_rbtree_remove)
{
	return rt_tree_remove(type_of_call(vcpu), r1, r2, vcpu);
}

/* (root) */
RT_KFUNC(bpf_rbtree_first)
{
	return rt_tree_first(type_of_call(vcpu), r1);
}

RT_KFUNC(bpf_rbtree_root)
{
	return rt_tree_root(type_of_call(vcpu), r1);
}

/* (root, node) */
RT_KFUNC(bpf_rbtree_left)
{
	return rt_tree_child(type_of_call(vcpu), r1, r2, true);
}

RT_KFUNC(bpf_rbtree_right)
{
	return rt_tree_child(type_of_call(vcpu), r1, r2, false);
}

static u64 take_lock(u64 lock, struct rt_vcpu *vcpu)
{
	u32 dead;
	long error = rt_lock_acquire((u32 *)lock, vcpu, &dead);

	if (!error)
		rt_object_takeover(dead, vcpu);
	return rt_kfunc_int(error);
}

/* (lock) */
RT_KFUNC(bpf_res_spin_lock)
{
	return take_lock(r1, vcpu);
}

RT_KFUNC(bpf_res_spin_unlock)
{
	rt_lock_release((u32 *)r1);
	return 0;
}

/* (lock, flags) */
RT_KFUNC(bpf_res_spin_lock_irqsave)
{
	*(u64 *)r2 = 0;
	return take_lock(r1, vcpu);
}

RT_KFUNC(bpf_res_spin_unlock_irqrestore)
{
	rt_lock_release((u32 *)r1);
	return 0;
}
