/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the kernel's files tell of tasks and cgroups, for programs that ask: read at once, and the
 * descriptor is closed again. While a program looks at the current task only, nothing is opened in
 * a traced process: a number that comes and goes could be one that the process counts on.
 */
#ifndef SKEP_RT_PROC_H
#define SKEP_RT_PROC_H

#include "base/types.h"

struct rt_vcpu;

#define RT_PATH_SIZE 1024

/* A path that is put together; what does not fit makes it empty, so that nothing is found. */
struct rt_path {
	u32 length;
	char text[RT_PATH_SIZE];
};

void rt_path_set(struct rt_path *path, const char *text);
void rt_path_add(struct rt_path *path, const char *text);
void rt_path_add_number(struct rt_path *path, u32 number);

/* "/proc/<pid>/<name>"; of pid 0, or that of vcpu's own thread: of the calling thread. */
void rt_path_of_task(struct rt_path *path, const struct rt_vcpu *vcpu, u32 pid, const char *name);

/* Up to size - 1 bytes from offset on, ended with NUL: how many there are, or -errno. */
long rt_file_read(const char *path, char *text, u32 size, u64 offset);

/*
 * The entry of a directory behind *cursor (0: the first), which is moved on: its name without "."
 * and "..". False: there is none, or it cannot be read.
 */
bool rt_directory_next(const char *path, u64 *cursor, bool directories_only, char *name,
		       u32 name_size);

/* The number at text, decimal or hexadecimal; *ret_end is where it ends. */
u64 rt_parse_number(const char *text, u32 base, const char **ret_end);

/* What is known of a task. */
struct rt_task_facts {
	u32 pid, tgid, parent;
	u32 uid, gid, euid, egid;
	char comm[16];
	u64 start_ns, start_boot_ns;
	u64 cpus; /* on which it may run */
};

/* Of the thread pid, as /proc tells; false: there is none. */
bool rt_task_facts_of(const struct rt_vcpu *vcpu, u32 pid, struct rt_task_facts *ret_facts);

/* The CPUs on which a thread may run; 0 is the calling one. */
u64 rt_task_cpus(u32 pid);

#endif
