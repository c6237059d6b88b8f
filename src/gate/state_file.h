/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file that keeps a hive's state, in a directory that one supervisor at a time has locked: its
 * name always leads to a whole file. One writer at a time has the new file locked, so that a writer
 * that outlives its supervisor is waited for.
 */
#ifndef SKEP_GATE_STATE_FILE_H
#define SKEP_GATE_STATE_FILE_H

#include "base/types.h"

#define STATE_FILE_NAME "maps"

/*
 * Opens the directory (made if it is not there) and takes its lock: 0 or -errno, with *ret_reason a
 * sentence about path's fault, if there is one to tell.
 */
int state_file_open(const char *path, int *ret_dir_fd, int *ret_lock_fd, const char **ret_reason);

/* The new file, locked for the caller and those it forks: a descriptor or -errno. */
int state_file_begin(int dir_fd);

/* Writes and names it; fd is closed. Makes system calls only. 0 or -errno: then nothing has
 * changed. */
int state_file_put(int dir_fd, int fd, const void *data, u64 size);

/* What is there, to be freed by the caller: 0, -ENOENT or another -errno. */
int state_file_read(int dir_fd, char **ret_data, u64 *ret_size);

#endif
