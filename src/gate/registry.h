/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The living hives of a user, by name. There is no list of them: each stands in its own directory
 * (directory.h) with its name in a file and a socket on which only its supervisor listens. A hive
 * lives if one can connect; a supervisor that was killed has left its name at that moment.
 */
#ifndef SKEP_GATE_REGISTRY_H
#define SKEP_GATE_REGISTRY_H

#include "base/types.h"

#define REGISTRY_NAME_MAX 32 /* with its end */

/* Is it a letter, then letters, digits and "._-", 31 bytes at most? */
bool registry_name_valid(const char *name);

/*
 * Gives the hive in the directory path its name (NULL: none) and its listening socket, which takes
 * nobody but this user. 0 or -errno.
 */
int registry_enter(const char *path, const char *name, int *ret_control_fd);

/*
 * Connects to the supervisor of the hive in path: a socket that keeps message boundaries and whose
 * reads and writes wait a few seconds at most. -ECONNREFUSED: it has none any more.
 */
int registry_connect(const char *path);

/* The name of the hive in path; empty if it has none. */
void registry_name(const char *path, char *ret_name);

/*
 * Calls each for the directory of every hive of this user until it returns nonzero; returns that.
 * Dead ones may be among them.
 */
int registry_each(int (*each)(void *arg, const char *path), void *arg);

/* The directory (DIRECTORY_PATH_MAX bytes; may be NULL) of the living hive with that name, or
 * -ENOENT. */
int registry_find(const char *name, char *ret_path);

#endif
