/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See file.h.
 */
#include "rt/file.h"

#include "rt/arena.h"
#include "rt/mem.h"
#include "rt/proc.h"
#include "rt/task_model.h"

#define MINOR_BITS 20

/* Where each image begins. */
struct places {
	u32 inode, dentry, super, name, end;
};

static bool places_of(const struct rt_task_layout *layout, struct places *ret)
{
	u32 sizes[] = { layout->file_size, layout->inode_size, layout->dentry_size,
			layout->super_size };
	u32 *places[] = { &ret->inode, &ret->dentry, &ret->super, &ret->name };
	u32 at = 0;

	for (u32 i = 0; i < ARRAY_SIZE(sizes); i++) {
		if (!sizes[i])
			return false;
		at += ALIGN_UP(sizes[i], 64u);
		*places[i] = at;
	}
	ret->end = at + RT_FILE_NAME;
	return true;
}

u32 rt_file_image_size(void)
{
	const struct rt_task_layout *layout = READ_ONCE(RT_CONTROL->task_layout);
	struct places places;

	return layout && places_of(layout, &places) ? places.end : 0;
}

u32 rt_file_object_size(void)
{
	u32 size = rt_file_image_size();

	return size ? size + RT_PATH_SIZE : 0;
}

u64 rt_file_build(u8 *at, const struct rt_file *file)
{
	const struct rt_task_layout *layout = READ_ONCE(RT_CONTROL->task_layout);
	struct places places;
	u8 *inode, *dentry;
	u32 length = 0;

	if (!layout || !places_of(layout, &places))
		return 0;
	inode = at + places.inode;
	dentry = at + places.dentry;
	while (length + 1 < RT_FILE_NAME && file->name[length])
		length++;
	memset(at, 0, places.end);
	memcpy(at + places.name, file->name, length);
	rt_task_set(at, layout->file_inode, (u64)inode, 8);
	rt_task_set(at, layout->file_dentry, (u64)dentry, 8);
	rt_task_set(inode, layout->inode_number, file->inode, 8);
	rt_task_set(inode, layout->inode_super, (u64)(at + places.super), 8);
	rt_task_set(at + places.super, layout->super_device,
		    (u64)file->major << MINOR_BITS | file->minor, 4);
	rt_task_set(dentry, layout->dentry_inode, (u64)inode, 8);
	rt_task_set(dentry, layout->dentry_name, (u64)(at + places.name), 8);
	rt_task_set(dentry, layout->dentry_name_length, length, 4);
	return (u64)at;
}
