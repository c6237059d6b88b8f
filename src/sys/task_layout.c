/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How struct task_struct looks, for the data plane: looked up in the kernel's BTF when the first
 * program that asks for the current task is loaded, and constant from then on.
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

static bool fill(const struct model *model, const struct btf *btf, struct rt_task_layout *layout)
{
	u32 task, cred;

	if (btf_size_of(btf, btf_find(btf, "task_struct", BTF_KIND_STRUCT), &task) ||
	    btf_size_of(btf, btf_find(btf, "cred", BTF_KIND_STRUCT), &cred))
		return false;
	*layout = (struct rt_task_layout){
		.task_size = task,
		.cred_size = cred,
		.pid = offset_of(model, MODEL_TASK_PID, 4, task),
		.tgid = offset_of(model, MODEL_TASK_TGID, 4, task),
		.comm = offset_of(model, MODEL_TASK_COMM, 16, task),
		.group_leader = offset_of(model, MODEL_TASK_LEADER, 8, task),
		.parent = offset_of(model, MODEL_TASK_PARENT, 8, task),
		.real_parent = offset_of(model, MODEL_TASK_REAL_PARENT, 8, task),
		.start_time = offset_of(model, MODEL_TASK_START, 8, task),
		.start_boottime = offset_of(model, MODEL_TASK_START_BOOT, 8, task),
		.cred = offset_of(model, MODEL_TASK_CRED, 8, task),
		.real_cred = offset_of(model, MODEL_TASK_REAL_CRED, 8, task),
		.uid = offset_of(model, MODEL_CRED_UID, 4, cred),
		.gid = offset_of(model, MODEL_CRED_GID, 4, cred),
		.euid = offset_of(model, MODEL_CRED_EUID, 4, cred),
		.egid = offset_of(model, MODEL_CRED_EGID, 4, cred),
	};
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
