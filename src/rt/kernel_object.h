/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Objects that stand for those of a kernel: tasks and cgroups that a program holds a reference to,
 * and the state of its iterators over such ones. They are elements of the heap of objects
 * (rt/object.h) with an image in them, so that they end like all that a program holds, and can be
 * kept in map values. What is in them anybody may change: a pointer to one is compared with the
 * heap's ranges before it is taken for an object, and whatever an image says is asked again.
 */
#ifndef SKEP_RT_KERNEL_OBJECT_H
#define SKEP_RT_KERNEL_OBJECT_H

#include "rt/area.h"
#include "rt/cgroup.h"
#include "rt/object.h"

/* The state of an iterator; images of what it gives lie behind it, one after the other. */
struct rt_iterator {
	u32 order;	 /* of cgroups; of tasks: which ones (BPF_TASK_ITER_*) */
	u32 image;	 /* number of the next image */
	u32 begun, over; /* something was given; there is nothing more */
	u32 tgid, tid;	 /* tasks: of whom the threads are being given, and the first thread */
	u64 cursor;	 /* of the directory that is read, or of the file */
	u64 threads;	 /* the same of the threads of tgid */
	struct rt_cgroup start, at;
	struct rt_area_reader areas;
};

#define RT_ITERATOR_IMAGES 4 /* what was given stays that long */

/* Bytes of the object for an iterator whose images have this size. */
static inline u32 rt_iterator_size(u32 image)
{
	return ALIGN_UP((u32)sizeof(struct rt_iterator), 64u) +
	       RT_ITERATOR_IMAGES * ALIGN_UP(image, 64u);
}

/* An object of the call's type, if it has so many bytes; 0: there is no memory. */
u64 rt_kernel_object_new(u32 size, struct rt_vcpu *vcpu);

/* Gives one of the call's type back. */
void rt_kernel_object_release(u64 object, struct rt_vcpu *vcpu);

/*
 * An iterator, whose address *slot on the program's stack then holds. rt_iterator_end() frees it.
 * rt_iterator_of(): NULL if there is none.
 */
struct rt_iterator *rt_iterator_new(u64 *slot, u32 image_size, struct rt_vcpu *vcpu);
struct rt_iterator *rt_iterator_of(const u64 *slot);
void rt_iterator_end(u64 *slot, struct rt_vcpu *vcpu);

/* Room for the next image. */
u8 *rt_iterator_image(struct rt_iterator *iterator, u32 image_size);

#endif
