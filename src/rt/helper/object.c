/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pointers that are kept in map values and objects, and objects that are there once for each vCPU.
 * What is behind a pointer to a structure of the kernel is never followed unchecked: it is
 * exchanged as the number that it is.
 */
#include "rt/helper/families.h"
#include "rt/object.h"

/* (place, pointer) */
RT_HELPER(kptr_xchg)
{
	const struct rt_object_type *type = rt_object_type_of(vcpu->call_arg);

	if (!type)
		return __atomic_exchange_n((u64 *)r1, r2, __ATOMIC_ACQ_REL);
	return rt_object_exchange(type, vcpu->call_arg & RT_OBJECT_ARG_PERCPU, (u64 *)r1, r2, vcpu);
}

/* The part of a vCPU; 0 if there is no such one, or no such object. */
static u64 part_of(u64 object, u32 cpu, const struct rt_vcpu *vcpu)
{
	const struct rt_object_type *type = rt_object_type_of(vcpu->call_arg);
	const struct rt_object_class *c;

	if (!rt_object_check(type, true, object))
		return 0;
	c = &RT_CONTROL->objects->class[type->percpu_class];
	return cpu < c->parts ? object + (u64)c->room * cpu : 0;
}

/* (object, cpu) */
RT_HELPER(per_cpu_ptr)
{
	return part_of(r1, (u32)r2, vcpu);
}

/* (object): the verifier has promised that there is one. */
RT_HELPER(this_cpu_ptr)
{
	return part_of(r1, vcpu->index, vcpu);
}
