/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cgroups as their file systems show them, of the one hierarchy (version 2) or one of version 1: a
 * cgroup is its path, and the inode of its directory is its id. An image of one, a struct cgroup
 * with the node that has its name and id, is laid out as the kernel's BTF says; behind it stands
 * the path, which is text that anybody can have changed: it names the cgroup only if that has the
 * image's id.
 */
#ifndef SKEP_RT_CGROUP_H
#define SKEP_RT_CGROUP_H

#include "base/types.h"

struct rt_vcpu;

#define RT_CGROUP_PATH	512
#define RT_CGROUP_MOUNT 32

struct rt_cgroup {
	char mount[RT_CGROUP_MOUNT]; /* the hierarchy's directory below /sys/fs/cgroup, or "" */
	u64 id;
	u32 level;		   /* 0: the root */
	u32 length;		   /* of the path; 0: the root */
	char path[RT_CGROUP_PATH]; /* from the root on, "/a/b" */
};

/* enum bpf_cgroup_iter_order */
enum rt_cgroup_order {
	RT_CGROUP_SELF = 1,
	RT_CGROUP_PRE = 2,
	RT_CGROUP_POST = 3,
	RT_CGROUP_UP = 4,
};

/* What a path that others can have written names: fills in the rest. False: nothing. */
bool rt_cgroup_check(struct rt_cgroup *group);

/* That of the task pid (0: the current one). False: it cannot be seen from here. */
bool rt_cgroup_of_task(const struct rt_vcpu *vcpu, u32 pid, struct rt_cgroup *ret_group);

/* That in a hierarchy of version 1, by the number which /proc has for it. */
bool rt_cgroup_of_task_in(const struct rt_vcpu *vcpu, u32 pid, u32 hierarchy,
			  struct rt_cgroup *ret_group);

/* The one above group at a level, at most its own. */
bool rt_cgroup_ancestor(const struct rt_cgroup *group, u32 level, struct rt_cgroup *ret_group);

/* The one with this id, wherever it is. */
bool rt_cgroup_by_id(u64 id, struct rt_cgroup *ret_group);

/* The number of the owner of what is stored with it (rt/storage.h); 0: it is gone. */
u64 rt_cgroup_owner(const struct rt_cgroup *group);

/* A "user." attribute of its directory: how many bytes of value, which has room for size. -errno.
 */
long rt_cgroup_attribute(const struct rt_cgroup *group, const char *name, u8 *value, u32 size);

/* Is group below ancestor, or the same? */
bool rt_cgroup_is_below(const struct rt_cgroup *group, const struct rt_cgroup *ancestor);

/*
 * Walking over what is below start (RT_CGROUP_UP: above it). rt_cgroup_first(): the first one;
 * rt_cgroup_next(): the one after group, in group. False: there is none.
 */
bool rt_cgroup_first(const struct rt_cgroup *start, u32 order, struct rt_cgroup *ret_group);
bool rt_cgroup_next(const struct rt_cgroup *start, u32 order, struct rt_cgroup *group);

/* The file with the tasks of a cgroup, and whether there is one. */
long rt_cgroup_read_threads(const struct rt_cgroup *group, bool processes, char *text, u32 size,
			    u64 offset);

/* Bytes of an image; 0: this kernel's structures are not known. */
u32 rt_cgroup_image_size(void);

/* Makes an image at address, which has room for it: address, or 0. */
u64 rt_cgroup_build(u8 *at, const struct rt_cgroup *group);

/* What an image shows, and whether that exists. Of a css: the cgroup that it belongs to. */
bool rt_cgroup_read(u64 image, struct rt_vcpu *vcpu, struct rt_cgroup *ret_group);
u64 rt_cgroup_of_css(u64 css, struct rt_vcpu *vcpu);
/* The css that is part of an image. */
u64 rt_cgroup_css(u64 image);

#endif
