/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The current task as a struct task_struct, for bpf_get_current_task(): an image in the vCPU's own
 * memory, laid out as the kernel's BTF says, with what is known of the task, its leader and its
 * parent; all else is 0. The image lasts until the vCPU is given back. Images of other tasks are
 * made the same way where somebody has room for them.
 */
#ifndef SKEP_RT_TASK_MODEL_H
#define SKEP_RT_TASK_MODEL_H

#include "base/types.h"
#include "rt/mem.h"

struct rt_task_facts;
struct rt_vcpu;

#define RT_TASK_MODEL_SIZE   (32UL << 10) /* for all images of a vCPU */
#define RT_TASK_MODEL_ABSENT ~0u	  /* the structure has no such member */

/* Sizes and offsets, in control. The supervisor has checked that members lie in their structure. */
struct rt_task_layout {
	u32 task_size, cred_size;
	u32 pid, tgid, comm, group_leader, parent, real_parent, start_time, start_boottime, cred,
		real_cred;
	u32 uid, gid, euid, egid; /* of struct cred */
	u32 cpus_mask, cpus_ptr;
	/* rt/cgroup.h: struct cgroup, its node, and its part that a css points to. */
	u32 cgroup_size, node_size;
	u32 cgroup_self, cgroup_level, cgroup_node, node_id, node_name, css_cgroup;
	/* rt/area.h: an area of memory, and the file in it. */
	u32 vma_size, file_size, inode_size, dentry_size, super_size;
	u32 vma_start, vma_end, vma_flags, vma_offset, vma_file;
	u32 file_path, file_inode, file_dentry, inode_number, inode_super, super_device,
		dentry_inode, dentry_name, dentry_name_length;
};

/* Sets a member of an image, at an offset of the layout; one that the structure has not stays away.
 */
static inline void rt_task_set(u8 *image, u32 offset, u64 value, u32 size)
{
	if (offset != RT_TASK_MODEL_ABSENT)
		memcpy(image + offset, &value, size);
}

/* Bytes of the images of a task, its parent, leader and credentials; 0: not known how they look. */
u32 rt_task_image_size(void);

/* Makes them at an address with so much room: that address, or 0. */
u64 rt_task_build(u8 *at, const struct rt_task_facts *facts);

/* What an image says of whom it shows. */
u32 rt_task_image_pid(u64 task, struct rt_vcpu *vcpu);
u32 rt_task_image_tgid(u64 task, struct rt_vcpu *vcpu);

/* What is known of the current task. */
void rt_task_current(struct rt_vcpu *vcpu, struct rt_task_facts *ret_facts);

/* The address of the image; 0: this hive does not know how the structure looks. */
u64 rt_task_model(struct rt_vcpu *vcpu);

#endif
