/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See kernel_object.h.
 */
#include "rt/kernel_object.h"

u64 rt_kernel_object_new(u32 size, struct rt_vcpu *vcpu)
{
	const struct rt_object_type *type = rt_object_type_of(vcpu->call_arg);

	return type && size && type->size >= size ? rt_object_new(type, false, vcpu) : 0;
}

void rt_kernel_object_release(u64 object, struct rt_vcpu *vcpu)
{
	const struct rt_object_type *type = rt_object_type_of(vcpu->call_arg);

	if (type)
		rt_object_drop(type, false, object, vcpu);
}

struct rt_iterator *rt_iterator_new(u64 *slot, u32 image_size, struct rt_vcpu *vcpu)
{
	*slot = image_size ? rt_kernel_object_new(rt_iterator_size(image_size), vcpu) : 0;
	return rt_iterator_of(slot);
}

struct rt_iterator *rt_iterator_of(const u64 *slot)
{
	return (struct rt_iterator *)*slot;
}

void rt_iterator_end(u64 *slot, struct rt_vcpu *vcpu)
{
	if (*slot)
		rt_kernel_object_release(*slot, vcpu);
	*slot = 0;
}

u8 *rt_iterator_image(struct rt_iterator *iterator, u32 image_size)
{
	u32 image = iterator->image++ % RT_ITERATOR_IMAGES;

	return (u8 *)iterator + ALIGN_UP((u32)sizeof(*iterator), 64u) +
	       image * ALIGN_UP(image_size, 64u);
}
