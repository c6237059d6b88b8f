/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Paths as programs write them, up to where the façade's rules apply: relative to a directory
 * outside of the façade or in it, with "." and ".." and empty components. Only the directories
 * above a rule are walked by name, which are none of symbolic links; from the first other component
 * on a path is the kernel's.
 *
 * Freestanding, and free of system calls: the caller says where the walk begins.
 */
#ifndef SKEP_AGENT_WALK_H
#define SKEP_AGENT_WALK_H

#include "agent/facade.h"

#define FACADE_PATH_MAX 4096u

struct facade_walker {
	char at[FACADE_PATH_MAX]; /* "" is the root; else "/a/b" */
	u32 length;
};

/* Is it above a rule's prefix, or at it or below? */
static inline bool facade_is_near(const struct facade_walker *walker)
{
	u32 i;

	for (u32 r = 0; r < ARRAY_SIZE(facade_rules); r++) {
		const char *prefix = facade_rules[r].prefix;

		for (i = 0; i < walker->length && prefix[i] == walker->at[i]; i++)
			;
		if (i == walker->length && facade_is_end(prefix[i]))
			return true;
	}
	return facade_rule_of(walker->at) != NULL;
}

/* One component, of n characters. False: there is no room. */
static inline bool facade_step(struct facade_walker *walker, const char *name, u32 n)
{
	if (!n || (n == 1 && name[0] == '.'))
		return true;
	if (n == 2 && name[0] == '.' && name[1] == '.') {
		while (walker->length && walker->at[--walker->length] != '/')
			;
		walker->at[walker->length] = '\0';
		return true;
	}
	if (walker->length + n + 2 > sizeof(walker->at))
		return false;
	walker->at[walker->length++] = '/';
	for (u32 i = 0; i < n; i++)
		walker->at[walker->length++] = name[i];
	walker->at[walker->length] = '\0';
	return true;
}

/*
 * Which path to give the kernel in place of path, which is found from the directory from (absolute,
 * as the kernel names it; unused if path is absolute), in the hive whose directory is hive. Its
 * length in out; 0: path itself; -1: it does not fit.
 */
static inline int facade_walk(struct facade_walker *walker, const char *from, const char *path,
			      const char *hive, char *out, u32 size)
{
	bool inside = false, near = true, slash = false;
	int length = 0;
	u32 n;

	walker->length = 0;
	walker->at[0] = '\0';
	if (*path != '/') {
		length = facade_origin(from, hive, walker->at, sizeof(walker->at));
		if (length < 0)
			return -1;
		inside = length > 0;
		walker->length = (u32)length;
		if (!inside && (from[0] != '/' || !facade_append(walker->at, sizeof(walker->at),
								 &walker->length, from)))
			return 0;
		if (walker->length == 1)
			walker->at[walker->length = 0] = '\0';
		near = facade_is_near(walker);
	}
	while (*path && near) {
		for (n = 0; !facade_is_end(path[n]); n++)
			;
		if (!facade_step(walker, path, n))
			return inside ? -1 : 0;
		/* "x/." asks for a directory as "x/" does. */
		slash = path[n] == '/' || (n == 1 && path[0] == '.');
		path += n + (path[n] == '/');
		near = facade_is_near(walker);
		inside |= facade_rule_of(walker->at) != NULL;
	}
	length = near ? facade_rewrite(walker->at, hive, out, size) : 0;
	if (length < 0 || (!length && !inside))
		return length;
	n = (u32)length;
	if (!length && !facade_append(out, size, &n, walker->at))
		return -1;
	if ((slash || !n) && !facade_append(out, size, &n, "/"))
		return -1;
	return facade_append(out, size, &n, path) ? (int)n : -1;
}

/*
 * Can a relative path that begins like this lead to the façade from outside, or out of it? head is
 * its beginning, NUL-terminated, long enough for the names below.
 */
static inline bool facade_may_begin(const char *head)
{
	static const char names[][16] = { "..",	     "sys",	     "kernel",	 "debug",
					  "tracing", "fs",	     "bpf",	 "devices",
					  "system",  "cpu",	     "possible", "online",
					  "bus",     "event_source", "kprobe",	 "uprobe" };
	u32 i;

	while (head[0] == '.' && (head[1] == '/' || !head[1]))
		head += head[1] ? 2 : 1;
	for (; *head == '/'; head++)
		;
	for (u32 r = 0; r < ARRAY_SIZE(names); r++) {
		for (i = 0; names[r][i] && names[r][i] == head[i]; i++)
			;
		if (!names[r][i] && facade_is_end(head[i]))
			return true;
	}
	return false;
}

#endif
