/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hive's own directory: private to the user, named after nothing that can be guessed, locked as
 * long as the hive or its keeper lives. What dead hives of the same user left is removed when the
 * next one starts.
 */
#ifndef SKEP_GATE_DIRECTORY_H
#define SKEP_GATE_DIRECTORY_H

#include "base/types.h"

#define DIRECTORY_PATH_MAX 128 /* as rt_control.facade_dir */

struct directory {
	char path[DIRECTORY_PATH_MAX];
	int lock_fd;
	int control_fd; /* a listening socket, "control" in the directory (registry.h) */
};

/*
 * Makes a directory for this hive, which has a name or NULL, below $XDG_RUNTIME_DIR/skep; when
 * there is none, below /dev/shm/skep-UID if /tmp is on a disk and /dev/shm in memory, else below
 * /tmp/skep-UID. 0 or -errno; *ret_message (static text) says what to do. -EEXIST: a hive of that
 * name lives.
 */
int directory_make(struct directory *directory, const char *name, const char **ret_message);

/*
 * Writes the place number index where directory_make() would put hives of this user, in this or in
 * another environment; false if it is not there or not this user's alone.
 */
#define DIRECTORY_PLACES 3
bool directory_place(u32 index, char *ret_path, u64 size);

/*
 * Removes a hive's directory, and what stands above it if no other hive of this user is there.
 */
void directory_dispose(const char *path);

/* Removes a tree of files; symbolic links are not followed. Takes an absolute path. */
void directory_remove(const char *path);

/* Makes file name (which may have directories before it, made as needed) with text; 0 or -errno. */
int directory_write(int dir_fd, const char *name, const char *text, u64 size);

#endif
