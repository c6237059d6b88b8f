/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loaded before test_maps, this makes its sockmaps those of a kernel that has none. skep has them,
 * but attaches no program to one, since no traffic passes a hive; test_maps would end there, before
 * the tests behind it. It asks by itself whether there are such maps and skips that part.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <sys/syscall.h>

#define ARGUMENTS 6

long syscall(long nr, ...)
{
	static long (*real)(long nr, ...);
	long argument[ARGUMENTS];
	va_list list;

	va_start(list, nr);
	for (int i = 0; i < ARGUMENTS; i++)
		argument[i] = va_arg(list, long);
	va_end(list);
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "syscall");
	if (nr == SYS_bpf && (int)argument[0] == BPF_MAP_CREATE &&
	    ((const union bpf_attr *)argument[1])->map_type == BPF_MAP_TYPE_SOCKMAP) {
		errno = EINVAL;
		return -1;
	}
	return real(nr, argument[0], argument[1], argument[2], argument[3], argument[4],
		    argument[5]);
}
