/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The iterator over a task's areas of memory (kernel/bpf/task_iter.c), and those over things of
 * which user space has none: caches of kernel memory, DMA buffers. These are empty.
 */
#include "rt/kernel_object.h"
#include "rt/kfunc/families.h"
#include "rt/prog.h"
#include "rt/task_model.h"

/* (it, task, address) */
RT_KFUNC(bpf_iter_task_vma_new)
{
	u64 *slot = (u64 *)r1;
	u32 pid = rt_task_image_pid(r2, vcpu);
	struct rt_iterator *it;

	*slot = 0;
	/* The idle task has no memory. */
	if (!pid)
		return rt_kfunc_int(-ENOENT);
	it = rt_iterator_new(slot, rt_area_image_size(), vcpu);
	if (!it)
		return rt_kfunc_int(-ENOMEM);
	rt_area_begin(&it->areas, pid, r3);
	return 0;
}

/* (it) */
RT_KFUNC(bpf_iter_task_vma_next)
{
	struct rt_iterator *it = rt_iterator_of((const u64 *)r1);
	struct rt_area area;

	if (!it || rt_prog_out_of_time(vcpu) || !rt_area_next(&it->areas, vcpu, &area))
		return 0;
	return rt_area_build(rt_iterator_image(it, rt_area_image_size()), &area);
}

RT_KFUNC(bpf_iter_task_vma_destroy)
{
	rt_iterator_end((u64 *)r1, vcpu);
	return 0;
}

RT_KFUNC(bpf_iter_kmem_cache_new)
{
	*(u64 *)r1 = 0;
	return 0;
}

RT_KFUNC(bpf_iter_kmem_cache_next)
{
	return 0;
}

RT_KFUNC(bpf_iter_kmem_cache_destroy)
{
	return 0;
}

RT_KFUNC(bpf_iter_dmabuf_new)
{
	*(u64 *)r1 = 0;
	return 0;
}

RT_KFUNC(bpf_iter_dmabuf_next)
{
	return 0;
}

RT_KFUNC(bpf_iter_dmabuf_destroy)
{
	return 0;
}

/* (address): it lies in no cache of a kernel. */
RT_KFUNC(bpf_get_kmem_cache)
{
	return 0;
}
