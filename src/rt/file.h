/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Images of open files (struct file), with what programs read of them: inode, device, name. They
 * lie in areas of memory (rt/area.h) and, with their path, in objects of programs.
 */
#ifndef SKEP_RT_FILE_H
#define SKEP_RT_FILE_H

#include "base/types.h"

#define RT_FILE_NAME 128

struct rt_vcpu;

struct rt_file {
	u64 inode;
	u32 major, minor;
	char name[RT_FILE_NAME]; /* without directories */
};

/* Bytes of an image; 0: this kernel's structures are not known. */
u32 rt_file_image_size(void);

/* Makes an image at address, which has room for it: address, or 0. */
u64 rt_file_build(u8 *at, const struct rt_file *file);

/* Bytes of an object with an image and the file's path behind it; 0 as above. */
u32 rt_file_object_size(void);

#endif
