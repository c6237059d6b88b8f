/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nanoseconds of one call, measured by making it for a while. With a number of clients: so many
 * processes make it at once, each on a map of its own, and the time is that between two calls of
 * any of them. Prints the median of several short runs. By the clock, or in the process's own
 * processor time where no other has a part in the call: always so with "alone".
 *
 *   getppid            a system call
 *   lookup, batch      bpf(2) on a hash: one element; one element of a batch of 64
 *   outer              lookup in a hash of maps, which the supervisor serves in a hive
 *   info, next-id      the other small commands: BPF_OBJ_GET_INFO_BY_FD of a map,
 *                      BPF_MAP_GET_NEXT_ID
 *   gate               as lookup, by an instruction that no agent has rewritten: in a hive the
 *                      supervisor serves it
 *   filter, filter-ip  getppid under a seccomp filter that allows everything; that looks at the
 *                      instruction pointer first, as a hive's does
 *   notify, copy       getppid answered by another process through seccomp's notification; which
 *                      also reads and writes 8 bytes of the caller's memory. What is left for a
 *                      supervisor to gain lies above these.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <bpf/bpf.h>

#define RUNS	    21
#define CLIENTS_MAX 256
#define BATCH	    64
#define SAMPLE_NS   20000000

/* Since Linux 6.6: the two wake each other on the same CPU. */
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#endif

static int map, outer;

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void call_getppid(void)
{
	getppid();
}

static void call_lookup(void)
{
	int key = 7;
	long value;

	if (bpf_map_lookup_elem(map, &key, &value))
		fail("lookup");
}

static void call_batch(void)
{
	static int keys[BATCH];
	static long values[BATCH];
	unsigned token, count = BATCH;

	/* The whole map: the kernel says "no more" with the last elements. */
	if (bpf_map_lookup_batch(map, NULL, &token, keys, values, &count, NULL) != -ENOENT ||
	    count != BATCH)
		fail("batch");
}

static void call_outer(void)
{
	int key = 7;
	unsigned id;

	if (bpf_map_lookup_elem(outer, &key, &id))
		fail("lookup of a map");
}

static void call_info(void)
{
	struct bpf_map_info info = { 0 };
	unsigned size = sizeof(info);

	if (bpf_obj_get_info_by_fd(map, &info, &size))
		fail("info");
}

static void call_next_id(void)
{
	unsigned id;

	if (bpf_map_get_next_id(0, &id))
		fail("next id");
}

/* mov %rdi,%rax; mov %rsi,%rdi; mov %rdx,%rsi; mov %rcx,%rdx; syscall; ret */
static const unsigned char code[] = { 0x48, 0x89, 0xf8, 0x48, 0x89, 0xf7, 0x48, 0x89,
				      0xd6, 0x48, 0x89, 0xca, 0x0f, 0x05, 0xc3 };
static long (*raw)(long nr, long a, void *b, long c);

static void call_gate(void)
{
	int key = 7;
	long value;
	union bpf_attr attr = { .map_fd = (unsigned)map,
				.key = (unsigned long)&key,
				.value = (unsigned long)&value };

	if (raw(SYS_bpf, BPF_MAP_LOOKUP_ELEM, &attr, 32)) {
		fprintf(stderr, "lookup failed\n");
		exit(1);
	}
}

static void make_raw(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		exit(1);
	memcpy(page, code, sizeof(code));
	mprotect(page, 4096, PROT_READ | PROT_EXEC);
	raw = (long (*)(long, long, void *, long))page;
}

static void make_map(void)
{
	map = bpf_map_create(BPF_MAP_TYPE_HASH, "bench", sizeof(int), sizeof(long), 1024, NULL);
	if (map < 0)
		fail("map");
	for (int key = 0; key < BATCH; key++) {
		long value = key;

		if (bpf_map_update_elem(map, &key, &value, BPF_ANY))
			fail("update");
	}
	make_raw();
}

static void make_outer(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .inner_map_fd = (unsigned)map);
	int key = 7;

	outer = bpf_map_create(BPF_MAP_TYPE_HASH_OF_MAPS, "outer", 4, 4, 16, &options);
	if (outer < 0 || bpf_map_update_elem(outer, &key, &map, BPF_ANY))
		fail("hash of maps");
}

/* Allows everything but, if answer is not 0, getppid. */
static int install(unsigned answer, int look_at_ip)
{
	struct sock_filter insns[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 look_at_ip ? offsetof(struct seccomp_data, instruction_pointer) + 4
				    : offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, look_at_ip ? 0xffffffff : SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, answer ? answer : SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = 4, .filter = insns };
	unsigned flags =
		SECCOMP_FILTER_FLAG_SPEC_ALLOW | (answer ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0);
	long fd;

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
	if (fd < 0)
		fail("seccomp");
	return (int)fd;
}

/* Answers the calls of the process behind listener until that has ended. */
static void answer(int listener, int copies)
{
	unsigned long long sync = 1;
	char bytes[8];

	ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, sync);
	for (;;) {
		struct seccomp_notif notif = { 0 };
		struct seccomp_notif_resp response = { .val = 1 };
		struct iovec local = { bytes, sizeof(bytes) }, remote = local;

		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &notif) < 0) {
			if (errno == EINTR)
				continue;
			return;
		}
		remote.iov_base = (void *)notif.data.args[0];
		if (copies && (process_vm_readv((pid_t)notif.pid, &local, 1, &remote, 1, 0) != 8 ||
			       process_vm_writev((pid_t)notif.pid, &local, 1, &remote, 1, 0) != 8))
			fail("copy");
		response.id = notif.id;
		ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
	}
}

static double now_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int order(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void print_median(double *runs, double per)
{
	qsort(runs, RUNS, sizeof(runs[0]), order);
	printf("ns %.2f\n", runs[RUNS / 2] / per);
	fflush(stdout);
}

/* What a call does in its own process is counted in that one's time: a busy machine adds nothing.
 */
static void measure(void (*call)(void), double per, int alone)
{
	clockid_t clock = alone ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC;
	double runs[RUNS], start;
	long times = 1;

	/* As many calls as fill two milliseconds. */
	for (;; times *= 2) {
		start = now_ns(clock);
		for (long i = 0; i < times; i++)
			call();
		if (now_ns(clock) - start > 2e6)
			break;
	}
	for (int run = 0; run < RUNS; run++) {
		start = now_ns(clock);
		for (long i = 0; i < times; i++)
			call();
		runs[run] = (now_ns(clock) - start) / (double)times;
	}
	print_median(runs, per);
}

static char word[8];

static void call_answered(void)
{
	syscall(SYS_getppid, word);
}

/* A process whose getppid this one answers. */
static int measure_notified(int copies)
{
	int sockets[2], listener;
	struct msghdr message = { 0 };
	char control[CMSG_SPACE(sizeof(int))] = { 0 }, byte = 0;
	struct iovec iov = { &byte, 1 };
	struct cmsghdr *header;

	message.msg_iov = &iov;
	message.msg_iovlen = 1;
	message.msg_control = control;
	message.msg_controllen = sizeof(control);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) < 0)
		fail("socketpair");
	header = CMSG_FIRSTHDR(&message);
	if (fork() == 0) {
		listener = install(SECCOMP_RET_USER_NOTIF, 0);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(header), &listener, sizeof(int));
		if (sendmsg(sockets[1], &message, 0) != 1)
			fail("sendmsg");
		close(listener);
		measure(call_answered, 1, 0);
		_exit(0);
	}
	close(sockets[1]);
	if (recvmsg(sockets[0], &message, 0) != 1)
		fail("recvmsg");
	memcpy(&listener, CMSG_DATA(header), sizeof(int));
	answer(listener, copies);
	return wait(NULL) < 0;
}

/* Many clients at once: how fast the sum of their calls grows. */
static int measure_clients(void (*call)(void), double per, int clients)
{
	volatile unsigned long *done = mmap(NULL, CLIENTS_MAX * 64, PROT_READ | PROT_WRITE,
					    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct timespec pause = { 0, SAMPLE_NS };
	double runs[RUNS], start = 0, time;
	unsigned long before = 0, sum;
	pid_t children[CLIENTS_MAX];

	for (int i = 0; i < clients; i++) {
		children[i] = fork();
		if (children[i])
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		make_map();
		make_outer();
		for (;;) {
			call();
			done[i * 8]++;
		}
	}
	/* The first samples are not used: everybody has to be on the way. */
	for (int run = -5; run < RUNS; run++) {
		do {
			nanosleep(&pause, NULL);
			sum = 0;
			for (int i = 0; i < clients; i++)
				sum += done[i * 8];
			/* One that could not go on has said why. */
			if (waitpid(-1, NULL, WNOHANG) > 0)
				exit(1);
		} while (sum < before + 16);
		time = now_ns(CLOCK_MONOTONIC);
		if (run >= 0)
			runs[run] = (time - start) / (double)(sum - before);
		start = time;
		before = sum;
	}
	for (int i = 0; i < clients; i++) {
		kill(children[i], SIGKILL);
		waitpid(children[i], NULL, 0);
	}
	print_median(runs, per);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*call)(void);
		double per;
		int alone; /* nobody else has a part in it */
	} rows[] = {
		{ "getppid", call_getppid, 1, 1 }, { "lookup", call_lookup, 1, 1 },
		{ "batch", call_batch, BATCH, 1 }, { "outer", call_outer, 1, 0 },
		{ "info", call_info, 1, 0 },	   { "next-id", call_next_id, 1, 0 },
		{ "gate", call_gate, 1, 0 },
	};
	const char *name = argc > 1 ? argv[1] : "";
	int clients = argc > 2 ? atoi(argv[2]) : 0;
	int alone = argc > 2 && !strcmp(argv[2], "alone");

	if (!strcmp(name, "filter") || !strcmp(name, "filter-ip")) {
		install(0, name[6] == '-');
		measure(call_getppid, 1, 1);
		return 0;
	}
	if (!strcmp(name, "notify") || !strcmp(name, "copy"))
		return measure_notified(name[0] == 'c');
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strcmp(name, rows[i].name))
			continue;
		if (clients > 0 && clients <= CLIENTS_MAX)
			return measure_clients(rows[i].call, rows[i].per, clients);
		if (rows[i].call != call_getppid) {
			make_map();
			make_outer();
		}
		measure(rows[i].call, rows[i].per, rows[i].alone || alone);
		return 0;
	}
	fprintf(stderr, "usage: calls getppid|filter|filter-ip|notify|copy|lookup|batch|"
			"outer|info|next-id|gate [CLIENTS|alone]\n");
	return 2;
}
