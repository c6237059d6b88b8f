/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside src/sys: the tasks of a hive, for the iterators task, task_file and task_vma. A task is a
 * thread of a process that lives in the hive; what is known of it is what /proc says.
 */
#ifndef SKEP_SYS_ITER_TASK_H
#define SKEP_SYS_ITER_TASK_H

#include "sys/iter.h"

struct iter_task {
	u32 tid, tgid;
};

struct iter_tasks {
	struct iter_task *tasks; /* by tid, ascending; as of the last read */
	u32 nr, room, at;	 /* at: the current one */
	u32 tid;		 /* where the walk stands */
	bool walks;		 /* tasks[at] is the current one */
	int fd;			 /* task_file: the current descriptor, -1: none yet */
	char *text;		 /* task_vma: /proc/PID/maps of text_tid */
	u64 text_size;
	u32 text_tid;
	const char *line; /* in text: the current one */
};

int iter_task_open(struct iter_session *session, struct sys_client *client);
void iter_task_close(struct iter_session *session);

/* The task at the cursor or the first one behind it, after collecting them anew; the next one.
 * unshared: only those whose descriptors are not their leader's. */
bool iter_task_find(struct iter_session *session, bool unshared);
bool iter_task_find_next(struct iter_session *session, bool unshared);

/* The image of a task (its leader, parent, credentials with it); NULL: no room. */
void *iter_task_model(struct iter_session *session, const struct iter_task *task);

/* iter_task_file.c: images of an inode, and of a file with that inode and path. */
struct stat;
void *iter_model_inode(struct model *model, const struct stat *st);
void *iter_model_file(struct iter_session *session, void *inode, const char *path);

/* Reads a file of /proc whole, NUL-terminated: its length; -errno. To be freed. */
long iter_read_proc(const char *path, char **ret_text);

#endif
