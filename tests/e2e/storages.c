/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counters in task storage: a program on a system call that nobody else makes counts at the task
 * that makes it; clients look at them through pidfds. Run as it is, it asks the kernel (and skips
 * where that says no); under `skep exec` the data plane in its own processes. What it expects is
 * the same.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "harness/tap.h"
#include "../unit/btf/blob.h"

#define COUNTED 212    /* lookup_dcookie, which is not there any more */
#define THREAD	O_EXCL /* PIDFD_THREAD */
#define INSN(c, d, s, o, i)                                                         \
	{                                                                           \
		.code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) \
	}

static int counters;

static long bpf(int cmd, union bpf_attr *attr)
{
	long result = syscall(SYS_bpf, cmd, attr, sizeof(*attr));

	return result < 0 ? -errno : result;
}

static int storage(void)
{
	static struct blob blob;
	union bpf_attr attr;
	int btf;

	blob_int(&blob, "int", 4);
	blob_int(&blob, "long", 8);
	blob_finish(&blob);
	memset(&attr, 0, sizeof(attr));
	attr.btf = (uintptr_t)blob.bytes;
	attr.btf_size = blob.size;
	btf = (int)bpf(BPF_BTF_LOAD, &attr);
	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_TASK_STORAGE;
	attr.key_size = 4;
	attr.value_size = 8;
	attr.map_flags = BPF_F_NO_PREALLOC;
	attr.btf_fd = (unsigned)btf;
	attr.btf_key_type_id = 1;
	attr.btf_value_type_id = 2;
	return (int)bpf(BPF_MAP_CREATE, &attr);
}

/* Adds one to the caller's counter. */
static int load(void)
{
	const struct bpf_insn insns[] = {
		INSN(BPF_LDX | BPF_MEM | BPF_DW, 7, 1, 8, 0),
		INSN(BPF_JMP | BPF_JNE | BPF_K, 7, 0, 11, COUNTED),
		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_get_current_task_btf),
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, 2, 0, 0, 0),
		INSN(BPF_LD | BPF_IMM | BPF_DW, 1, BPF_PSEUDO_MAP_FD, 0, counters),
		INSN(0, 0, 0, 0, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 3, 0, 0, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 4, 0, 0, BPF_LOCAL_STORAGE_GET_F_CREATE),
		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_task_storage_get),
		INSN(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 3, 0),
		INSN(BPF_LDX | BPF_MEM | BPF_DW, 1, 0, 0, 0),
		INSN(BPF_ALU64 | BPF_ADD | BPF_K, 1, 0, 0, 1),
		INSN(BPF_STX | BPF_MEM | BPF_DW, 0, 1, 0, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0),
		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
	};
	union bpf_attr attr = { .prog_type = BPF_PROG_TYPE_RAW_TRACEPOINT,
				.insns = (uintptr_t)insns,
				.insn_cnt = sizeof(insns) / sizeof(insns[0]),
				.license = (uintptr_t) "GPL" };

	return (int)bpf(BPF_PROG_LOAD, &attr);
}

/* The counter of whom a pidfd stands for, or the error. */
static long counter(int pidfd)
{
	uint64_t value = 0;
	union bpf_attr attr;
	long error;

	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (unsigned)counters;
	attr.key = (uintptr_t)&pidfd;
	attr.value = (uintptr_t)&value;
	error = bpf(BPF_MAP_LOOKUP_ELEM, &attr);
	return error ? error : (long)value;
}

static void call(int times)
{
	while (times--)
		syscall(COUNTED, 0, 0, 0);
}

static int start[2], finish[2], thread_pidfd;

static void wait_for(int fd)
{
	char byte;

	while (read(fd, &byte, 1) < 0 && errno == EINTR)
		;
}

static void *thread(void *arg)
{
	call(2);
	thread_pidfd = (int)syscall(SYS_pidfd_open, gettid(), THREAD);
	if (write(start[1], "x", 1) == 1)
		wait_for(finish[0]);
	return arg;
}

static void threads(int self)
{
	pthread_t id;

	if (pipe(start) || pipe(finish) || pthread_create(&id, NULL, thread, NULL))
		tap_bail("no thread");
	wait_for(start[0]);
	if (thread_pidfd >= 0)
		tap_ok(counter(thread_pidfd) == 2, "a thread has a counter of its own");
	else
		tap_skip(1, "no pidfds of threads");
	tap_ok(counter(self) == 3, "which is not the process's");
	if (write(finish[1], "x", 1) == 1)
		pthread_join(id, NULL);
	if (thread_pidfd >= 0)
		tap_ok(counter(thread_pidfd) == -ENOENT, "and goes with the thread");
	else
		tap_skip(1, "no pidfds of threads");
}

/* Two calls, another program, one more call. */
static void children(const char *path, int self)
{
	char ready[12], end[12];
	int status, pidfd;
	pid_t pid;

	snprintf(ready, sizeof(ready), "%d", start[1]);
	snprintf(end, sizeof(end), "%d", finish[0]);
	pid = fork();
	if (!pid) {
		call(2);
		execl(path, path, ready, end, NULL);
		_exit(1);
	}
	wait_for(start[0]);
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	tap_ok(counter(pidfd) == 3, "a child's counter begins with 0 and survives an execve");
	tap_ok(counter(self) == 3, "the parent's is another one");
	if (write(finish[1], "x", 1) == 1)
		waitpid(pid, &status, 0);
	tap_ok(counter(pidfd) == -ENOENT, "it goes with the child");
	close(pidfd);
}

int main(int argc, char **argv)
{
	union bpf_attr attr;
	int prog, link, self;

	if (argc == 3) {
		call(1);
		if (write(atoi(argv[1]), "x", 1) == 1)
			wait_for(atoi(argv[2]));
		return 0;
	}
	if (!tap_kernel_bpf()) {
		tap_skip(9, "bpf(2) is not to be had");
		return tap_done();
	}
	counters = storage();
	prog = load();
	tap_ok(counters >= 0 && prog >= 0, "a map and a program (%d, %d)", counters, prog);
	memset(&attr, 0, sizeof(attr));
	attr.raw_tracepoint.name = (uintptr_t) "sys_enter";
	attr.raw_tracepoint.prog_fd = (unsigned)prog;
	link = (int)bpf(BPF_RAW_TRACEPOINT_OPEN, &attr);
	tap_ok(link >= 0, "the program is attached (%d)", link);
	self = (int)syscall(SYS_pidfd_open, getpid(), 0);
	tap_ok(counter(self) == -ENOENT, "nothing was counted");
	call(3);
	tap_ok(counter(self) == 3, "three calls were counted");
	threads(self);
	children(argv[0], self);
	close(self);
	close(link);
	close(prog);
	close(counters);
	return tap_done();
}
