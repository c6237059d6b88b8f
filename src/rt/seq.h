/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an iterator's program writes: the kernel's seq_file as far as bpf_seq_printf() and
 * bpf_seq_write() see it, and what else helpers know of the object that is shown. count == size
 * says that something did not fit.
 */
#ifndef SKEP_RT_SEQ_H
#define SKEP_RT_SEQ_H

#include "base/types.h"

#define RT_SEQ_TASKS 3

struct rt_seq {
	u8 *buffer;
	u32 size, count;
	/* Images (src/model) that the program has pointers to, and what they are of. */
	struct {
		u64 image; /* of a task_struct */
		u32 tid;
	} task[RT_SEQ_TASKS];
	u32 nr_tasks;
	u64 path; /* of a struct path; 0: none */
	/* Of a struct file that is a socket's, and of its struct socket; 0: it is none. */
	u64 socket_file, socket;
	const char *path_text;
};

static inline bool rt_seq_overflowed(const struct rt_seq *seq)
{
	return seq->count == seq->size;
}

#endif
