/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The areas of a task's memory, by the lines of /proc/PID/maps, and images of them (struct
 * vm_area_struct with its file). A reader is kept where anybody may write: whatever stands in it
 * leads to no access, only to wrong areas.
 */
#ifndef SKEP_RT_AREA_H
#define SKEP_RT_AREA_H

#include "rt/file.h"

struct rt_vcpu;

#define RT_AREA_TEXT 4096

struct rt_area {
	u64 start, end, flags, page; /* of the file, at which it begins */
	struct rt_file file;	     /* without an inode: there is none */
};

struct rt_area_reader {
	u32 pid;
	u32 at;	    /* in text: the next line */
	u64 offset; /* of text in the file */
	u64 from;   /* areas that end behind it are wanted */
	char text[RT_AREA_TEXT];
};

/* Begins with the area at address, or the first one behind it. */
void rt_area_begin(struct rt_area_reader *reader, u32 pid, u64 address);

/* The next area; false: there is none. */
bool rt_area_next(struct rt_area_reader *reader, const struct rt_vcpu *vcpu,
		  struct rt_area *ret_area);

/* The flags of an area (struct vm_area_struct) by its rights, as /proc/PID/maps shows them: "r-xp".
 */
u64 rt_area_flags(const char *rights);

/* Bytes of an image; 0: this kernel's structures are not known. */
u32 rt_area_image_size(void);

/* Makes an image at address, which has room for it: address, or 0. */
u64 rt_area_build(u8 *at, const struct rt_area *area);

#endif
