/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How struct task_struct and others look, for the data plane: looked up in the kernel's BTF when
 * the first program that asks for a task or cgroup is loaded, and constant from then on.
 */
#include "model/model.h"
#include "rt/arena.h"
#include "rt/task_model.h"
#include "sys/hive.h"

static u32 offset_of(const struct model *model, enum model_field field, u32 size, u32 structure)
{
	u32 offset, room;

	if (model_place(model, field, &offset, &room) || room < size || offset > structure ||
	    structure - offset < size)
		return RT_TASK_MODEL_ABSENT;
	return offset;
}

static u32 size_of(const struct btf *btf, const char *structure)
{
	u32 size;

	return btf_size_of(btf, btf_find(btf, structure, BTF_KIND_STRUCT), &size) ? 0 : size;
}

static void fill_task(const struct model *model, struct rt_task_layout *layout)
{
	u32 task = layout->task_size, cred = layout->cred_size;

	layout->pid = offset_of(model, MODEL_TASK_PID, 4, task);
	layout->tgid = offset_of(model, MODEL_TASK_TGID, 4, task);
	layout->comm = offset_of(model, MODEL_TASK_COMM, 16, task);
	layout->group_leader = offset_of(model, MODEL_TASK_LEADER, 8, task);
	layout->parent = offset_of(model, MODEL_TASK_PARENT, 8, task);
	layout->real_parent = offset_of(model, MODEL_TASK_REAL_PARENT, 8, task);
	layout->start_time = offset_of(model, MODEL_TASK_START, 8, task);
	layout->start_boottime = offset_of(model, MODEL_TASK_START_BOOT, 8, task);
	layout->cred = offset_of(model, MODEL_TASK_CRED, 8, task);
	layout->real_cred = offset_of(model, MODEL_TASK_REAL_CRED, 8, task);
	layout->cpus_mask = offset_of(model, MODEL_TASK_CPUS, 8, task);
	layout->cpus_ptr = offset_of(model, MODEL_TASK_CPUS_PTR, 8, task);
	layout->uid = offset_of(model, MODEL_CRED_UID, 4, cred);
	layout->gid = offset_of(model, MODEL_CRED_GID, 4, cred);
	layout->euid = offset_of(model, MODEL_CRED_EUID, 4, cred);
	layout->egid = offset_of(model, MODEL_CRED_EGID, 4, cred);
}

static void fill_cgroup(const struct model *model, const struct btf *btf,
			struct rt_task_layout *layout)
{
	u32 cgroup = size_of(btf, "cgroup"), node = size_of(btf, "kernfs_node"),
	    css = size_of(btf, "cgroup_subsys_state");

	layout->cgroup_size = cgroup;
	layout->node_size = node;
	layout->cgroup_self = offset_of(model, MODEL_CGROUP_SELF, css, cgroup);
	layout->cgroup_level = offset_of(model, MODEL_CGROUP_LEVEL, 4, cgroup);
	layout->cgroup_node = offset_of(model, MODEL_CGROUP_NODE, 8, cgroup);
	layout->node_id = offset_of(model, MODEL_NODE_ID, 8, node);
	layout->node_name = offset_of(model, MODEL_NODE_NAME, 8, node);
	layout->css_cgroup = offset_of(model, MODEL_CSS_CGROUP, 8, css);
}

static void fill_area(const struct model *model, const struct btf *btf,
		      struct rt_task_layout *layout)
{
	u32 vma = size_of(btf, "vm_area_struct"), file = size_of(btf, "file"),
	    inode = size_of(btf, "inode"), dentry = size_of(btf, "dentry"),
	    super = size_of(btf, "super_block");

	layout->vma_size = vma;
	layout->file_size = file;
	layout->inode_size = inode;
	layout->dentry_size = dentry;
	layout->super_size = super;
	layout->vma_start = offset_of(model, MODEL_VMA_START, 8, vma);
	layout->vma_end = offset_of(model, MODEL_VMA_END, 8, vma);
	layout->vma_flags = offset_of(model, MODEL_VMA_FLAGS, 8, vma);
	layout->vma_offset = offset_of(model, MODEL_VMA_PGOFF, 8, vma);
	layout->vma_file = offset_of(model, MODEL_VMA_FILE, 8, vma);
	layout->file_path = offset_of(model, MODEL_FILE_PATH, 16, file);
	layout->file_inode = offset_of(model, MODEL_FILE_INODE, 8, file);
	layout->file_dentry = offset_of(model, MODEL_FILE_DENTRY, 8, file);
	layout->inode_number = offset_of(model, MODEL_INODE_INO, 8, inode);
	layout->inode_super = offset_of(model, MODEL_INODE_SB, 8, inode);
	layout->super_device = offset_of(model, MODEL_SB_DEV, 4, super);
	layout->dentry_inode = offset_of(model, MODEL_DENTRY_INODE, 8, dentry);
	layout->dentry_name = offset_of(model, MODEL_DENTRY_NAME, 8, dentry);
	layout->dentry_name_length = offset_of(model, MODEL_DENTRY_NAME_LEN, 4, dentry);
}

static bool fill(const struct model *model, const struct btf *btf, struct rt_task_layout *layout)
{
	layout->task_size = size_of(btf, "task_struct");
	layout->cred_size = size_of(btf, "cred");
	if (!layout->task_size || !layout->cred_size)
		return false;
	fill_task(model, layout);
	fill_cgroup(model, btf, layout);
	fill_area(model, btf, layout);
	return true;
}

void sys_task_layout(struct sys_hive *hive)
{
	struct rt_task_layout *layout;
	struct model *model;

	if (RT_CONTROL->task_layout)
		return;
	sys_kernel_btf_load(hive);
	if (!hive->kernel_btf)
		return;
	model = model_new(hive->kernel_btf->btf, NULL, 0);
	layout = arena_alloc(hive->options.arena, ARENA_CONTROL, sizeof(*layout), 64);
	if (model && layout && fill(model, hive->kernel_btf->btf, layout))
		__atomic_store_n(&RT_CONTROL->task_layout, layout, __ATOMIC_RELEASE);
	else if (layout)
		arena_release(hive->options.arena, ARENA_CONTROL, layout, sizeof(*layout));
	model_free(model);
}
