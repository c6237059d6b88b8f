/* SPDX-License-Identifier: BSD-2-Clause */
/* See tap.h. */
#include "harness/tap.h"

#include <linux/bpf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int results, failures;

bool tap_ok_at(const char *file, int line, bool condition, const char *format, ...)
{
	va_list args;

	printf("%sok %d - ", condition ? "" : "not ", ++results);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	if (!condition) {
		failures++;
		printf("# failed at %s:%d\n", file, line);
	}
	fflush(stdout);
	return condition;
}

void tap_skip(int count, const char *format, ...)
{
	va_list args;

	while (count-- > 0) {
		printf("ok %d # SKIP ", ++results);
		va_start(args, format);
		vprintf(format, args);
		va_end(args);
		putchar('\n');
	}
	fflush(stdout);
}

void tap_note(const char *format, ...)
{
	va_list args;

	fputs("# ", stdout);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

void tap_bail(const char *format, ...)
{
	va_list args;

	fputs("Bail out! ", stdout);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
	exit(1);
}

int tap_done(void)
{
	printf("1..%d\n", results);
	fflush(stdout);
	return failures != 0;
}

bool tap_kernel_bpf(void)
{
	static int answer = -1;
	struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr;
	long fd;

	if (answer < 0) {
		memset(&attr, 0, sizeof(attr));
		attr.prog_type = BPF_PROG_TYPE_TRACEPOINT;
		attr.insns = (unsigned long)insns;
		attr.insn_cnt = 2;
		attr.license = (unsigned long)"GPL";
		fd = syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
		answer = fd >= 0;
		if (fd >= 0)
			close((int)fd);
	}
	return answer;
}

bool tap_kernel_pids(void)
{
	struct stat namespace;

	/* include/linux/proc_ns.h, PROC_PID_INIT_INO */
	return !stat("/proc/self/ns/pid", &namespace) && namespace.st_ino == 0xeffffffc;
}
