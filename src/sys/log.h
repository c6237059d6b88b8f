/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log buffer of BPF_PROG_LOAD and BPF_BTF_LOAD, with the kernel's rules (kernel/bpf/log.c
 * of 6.4 and later): text that does not fit pushes out the oldest, or with BPF_LOG_FIXED is cut at
 * the end; either way the call fails with ENOSPC and log_true_size tells how much room it would
 * have taken. The text is gathered here and written to the client once, at the end.
 */
#ifndef SKEP_SYS_LOG_H
#define SKEP_SYS_LOG_H

#include "sys/hive.h"

struct sys_log {
	u32 level;
	u64 address; /* the client's buffer, 0: none */
	u32 total;   /* its size */
	u64 end;     /* bytes of text so far, without a NUL */
	u64 longest; /* the largest end + 1 */
	char *ring;  /* the last `room` bytes of text; with BPF_LOG_FIXED the first ones */
	u64 room;
	bool failed; /* out of memory */
};

/* 0, or -EINVAL for a level, size and address that do not fit together. */
int sys_log_init(struct sys_log *log, u32 level, u64 address, u32 size);

/* As verify_log and btf_log call it; arg is the struct sys_log. */
void sys_log_write(void *arg, const char *text, u64 size);
void sys_log_printf(struct sys_log *log, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Writes the buffer; *ret_true_size is for the client's log_true_size. 0, -ENOSPC, -EFAULT,
 * -ENOMEM: an error takes the place of the command's own. Frees.
 */
int sys_log_finish(struct sys_call *call, struct sys_log *log, u32 *ret_true_size);

#endif
