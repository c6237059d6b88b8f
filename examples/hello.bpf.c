/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Prints a line whenever a program is about to be executed. It needs nothing but the kernel's own
 * header: a helper is a number, a section says where the program goes.
 *
 *   skep run examples/hello.bpf.c -- sh -c 'ls >/dev/null; id'
 */
#include <linux/bpf.h>

#define SEC(name) __attribute__((section(name), used))

static long (*bpf_trace_printk)(const char *format, __u32 format_size, ...) = (void *)6;

SEC("tracepoint/syscalls/sys_enter_execve")
int hello(void *ctx)
{
	char message[] = "Hello World!";

	bpf_trace_printk(message, sizeof(message));
	return 0;
}

char _license[] SEC("license") = "Dual BSD/GPL";
