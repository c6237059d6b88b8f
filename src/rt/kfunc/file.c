/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel functions on files (fs/bpf_fs_kfuncs.c). The one file that a program can get is that of a
 * task's executable, as /proc shows it: an object with an image and, behind it, the path.
 */
#include <linux/fcntl.h>
#include <linux/stat.h>

#include "rt/file.h"
#include "rt/kernel_object.h"
#include "rt/kfunc/families.h"
#include "rt/mem.h"
#include "rt/proc.h"
#include "rt/sys.h"
#include "rt/task_model.h"

/* The executable of a task and its path, which ends with NUL. False: it has none, or it is not to
 * be seen. */
static bool executable_of(u32 pid, const struct rt_vcpu *vcpu, struct rt_file *ret_file, char *path)
{
	struct rt_path link;
	struct statx facts;
	long length;
	u32 at = 0;

	rt_path_of_task(&link, vcpu, pid, "exe");
	if (!pid || rt_syscall6(__NR_statx, (u64)AT_FDCWD, (u64)link.text, 0, STATX_INO,
				(u64)&facts, 0) < 0)
		return false;
	length = rt_syscall4(__NR_readlinkat, (u64)AT_FDCWD, (u64)link.text, (u64)path,
			     RT_PATH_SIZE - 1);
	if (length < 0)
		return false;
	path[length] = '\0';
	*ret_file = (struct rt_file){ .inode = facts.stx_ino,
				      .major = facts.stx_dev_major,
				      .minor = facts.stx_dev_minor };
	for (long i = 0; i < length; i++)
		at = path[i] == '/' ? (u32)i + 1 : at;
	for (u32 i = 0; i + 1 < RT_FILE_NAME && path[at + i]; i++)
		ret_file->name[i] = path[at + i];
	return true;
}

/* (task) */
RT_KFUNC(bpf_get_task_exe_file)
{
	char path[RT_PATH_SIZE] = { 0 };
	struct rt_file file;
	u64 object;

	if (!executable_of(rt_task_image_pid(r1, vcpu), vcpu, &file, path))
		return 0;
	object = rt_kernel_object_new(rt_file_object_size(), vcpu);
	if (!object || !rt_file_build((u8 *)object, &file))
		return 0;
	memcpy((u8 *)object + rt_file_image_size(), path, RT_PATH_SIZE);
	return object;
}

/* (file) */
RT_KFUNC(bpf_put_file)
{
	rt_kernel_object_release(r1, vcpu);
	return 0;
}

/* (path, buffer, size): of a path that is in no file of a program nothing is known. */
RT_KFUNC(bpf_path_d_path)
{
	const struct rt_task_layout *layout = READ_ONCE(RT_CONTROL->task_layout);
	const struct rt_object_type *type = rt_object_type_of(vcpu->call_arg);
	u32 size = rt_file_image_size(), length = 0;
	const char *text;
	char *buffer = (char *)r2;
	u64 file;

	if (!r3)
		return rt_kfunc_int(-EINVAL);
	if (!size || layout->file_path == RT_TASK_MODEL_ABSENT || !type ||
	    type->size < rt_file_object_size())
		return rt_kfunc_int(-ENOENT);
	file = r1 - layout->file_path;
	if (!file || !rt_object_check(type, false, file))
		return rt_kfunc_int(-ENOENT);
	text = (const char *)file + size;
	while (length < RT_PATH_SIZE - 1 && READ_ONCE(text[length]))
		length++;
	if (length + 1 > r3)
		return rt_kfunc_int(-ENAMETOOLONG);
	for (u32 i = 0; i < length; i++)
		buffer[i] = READ_ONCE(text[i]);
	buffer[length] = '\0';
	return length + 1;
}
