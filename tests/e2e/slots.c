/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls of bpf(2) that the supervisor serves, in all the ways in which a process can make them:
 * from many threads, from handlers that interrupt such a call and jump out of it, from children of
 * all kinds, next to others that are killed in the middle, with memory that cannot be read or
 * written. Each call's result is compared with what it must be. Run as it is, this program asks the
 * kernel; under `skep exec` most of the calls go through a call slot.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include "agent/slot.h"
#include "agent/protocol.h"
#include "harness/tap.h"

#define MAPS	16
#define THREADS 12
#define STACK	(256 << 10)

static int outer, inner[MAPS];
static unsigned ids[MAPS];

static long bpf(int cmd, union bpf_attr *attr, unsigned size)
{
	return syscall(SYS_bpf, cmd, attr, size) < 0 ? -errno : 0;
}

static union bpf_attr attr_of(int fd)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (unsigned)fd;
	return attr;
}

static long lookup(unsigned key, void *id)
{
	union bpf_attr attr = attr_of(outer);

	attr.key = (unsigned long)&key;
	attr.value = (unsigned long)id;
	return bpf(BPF_MAP_LOOKUP_ELEM, &attr, 32);
}

static long info_of(int fd, struct bpf_map_info *info)
{
	union bpf_attr attr = attr_of(fd);

	memset(info, 0, sizeof(*info));
	attr.info.info_len = sizeof(*info);
	attr.info.info = (unsigned long)info;
	return bpf(BPF_OBJ_GET_INFO_BY_FD, &attr, 16);
}

/* A few calls; how many of them are wrong. */
static int try(unsigned key)
{
	union bpf_attr attr = attr_of(0);
	struct bpf_map_info info;
	unsigned id = 0, next = 0;
	int wrong = 0;

	key %= MAPS;
	wrong += lookup(key, &id) || id != ids[key];
	wrong += info_of(inner[key], &info) || info.id != ids[key] || info.max_entries != key + 1;
	wrong += lookup(MAPS, &id) != -ENOENT;
	attr.start_id = ids[key] - 1;
	wrong += bpf(BPF_MAP_GET_NEXT_ID, &attr, 12) || attr.next_id != ids[key];
	attr = attr_of(outer);
	attr.key = (unsigned long)&key;
	attr.value = (unsigned long)&next;
	key = MAPS + key;
	wrong += bpf(BPF_MAP_GET_NEXT_KEY, &attr, 32) || next >= MAPS;
	return wrong;
}

static int make_maps(void)
{
	union bpf_attr attr;

	for (unsigned i = 0; i < MAPS; i++) {
		struct bpf_map_info info;

		attr = attr_of(0);
		attr.map_type = BPF_MAP_TYPE_HASH;
		attr.key_size = attr.value_size = 4;
		attr.max_entries = i + 1;
		inner[i] = (int)syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));
		if (inner[i] < 0 || info_of(inner[i], &info))
			return -1;
		ids[i] = info.id;
	}
	attr = attr_of(0);
	attr.map_type = BPF_MAP_TYPE_HASH_OF_MAPS;
	attr.key_size = attr.value_size = 4;
	attr.max_entries = MAPS;
	attr.inner_map_fd = (unsigned)inner[0];
	outer = (int)syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));
	for (unsigned i = 0; i < MAPS && outer >= 0; i++) {
		attr = attr_of(outer);
		attr.key = (unsigned long)&i;
		attr.value = (unsigned long)&inner[i];
		if (bpf(BPF_MAP_UPDATE_ELEM, &attr, 32))
			return -1;
	}
	return outer;
}

static void *thread_tries(void *arg)
{
	long wrong = 0;

	for (unsigned i = 0; i < 200; i++)
		wrong += try((unsigned)(unsigned long)arg + i);
	return (void *)wrong;
}

static void test_threads(void)
{
	pthread_t threads[THREADS];
	void *wrong;
	long all = 0;

	for (unsigned long i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, thread_tries, (void *)i);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &wrong);
		all += (long)wrong;
	}
	tap_is(all, 0, "threads, more than there are slots");
}

static sigjmp_buf out;
static volatile sig_atomic_t handled, handler_wrong, jump;

static void handler(int sig)
{
	handled++;
	handler_wrong += try((unsigned)handled);
	if (jump && handled % 4 == 0)
		siglongjmp(out, 1);
}

static void interrupt(int flags, const char *name)
{
	struct itimerval often = { { 0, 300 }, { 0, 300 } }, never = { 0 };
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };
	volatile int wrong = 0;

	handled = handler_wrong = 0;
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	sigsetjmp(out, 1);
	while (handled < 400)
		wrong += try((unsigned)handled);
	setitimer(ITIMER_REAL, &never, NULL);
	signal(SIGALRM, SIG_IGN);
	tap_is(wrong, 0, name);
	tap_is(handler_wrong, 0, "and the handler's own calls");
}

static void test_signals(void)
{
	interrupt(0, "calls that are interrupted");
	interrupt(SA_RESTART, "the same, restarted");
	interrupt(SA_NODEFER, "by handlers that are interrupted themselves");
	jump = 1;
	interrupt(0, "by handlers that jump out of them");
	jump = 0;
}

static int ended_well(pid_t pid)
{
	int status = -1;

	while (waitpid(pid, &status, __WALL) < 0 && errno == EINTR)
		;
	return status == 0;
}

static int child(void *arg)
{
	int wrong = 0;

	for (unsigned i = 0; i < 4; i++)
		wrong += try(i);
	return wrong;
}

static void test_children(void)
{
	static const int flags[] = { 0, CLONE_VM, CLONE_VM | CLONE_VFORK };
	char *stack = malloc(STACK);
	int wrong = 0;

	for (unsigned i = 0; i < 180; i++) {
		pid_t pid = clone(child, stack + STACK, flags[i % 3] | SIGCHLD, NULL);

		wrong += try(i) + !ended_well(pid);
	}
	tap_is(wrong, 0, "children: fork, vfork, shared memory");
	free(stack);
}

static void test_killed(void)
{
	int wrong = 0;

	for (unsigned i = 0; i < 100; i++) {
		pid_t pid = fork();

		if (pid == 0)
			for (unsigned key = 0;; key++)
				if (try(key))
					_exit(1);
		for (unsigned calls = 0; calls < i % 10; calls++)
			wrong += try(calls);
		if (i % 5 == 0) {
			kill(pid, SIGSTOP);
			wrong += try(i);
		}
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		wrong += try(i);
	}
	tap_is(wrong, 0, "others are stopped and killed in the middle");
}

static void test_memory(void)
{
	char *pages =
		mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	union bpf_attr attr = attr_of(outer), *own = (union bpf_attr *)(pages + 64);
	struct bpf_map_info *info = (struct bpf_map_info *)(pages + 4096 - 40);
	unsigned key = 3, id = 0;

	tap_is(lookup(3, pages + 4096 - 4) || memcmp(pages + 4096 - 4, &ids[3], 4), 0,
	       "a value that ends with its page");
	tap_is(lookup(3, pages + 4096 - 2) || memcmp(pages + 4096 - 2, &ids[3], 4), 0,
	       "one over two pages");
	tap_is(info_of(inner[5], info) || info->id != ids[5] || info->max_entries != 6, 0,
	       "info over two pages");
	munmap(pages + 4096, 4096);
	tap_is(lookup(3, pages + 4096 - 2), -EFAULT, "a value that is there in part");
	tap_is(lookup(3, pages + 4096), -EFAULT, "one that is not there");
	tap_is(lookup(3, &id) || id != ids[3], 0, "the map is as it was");
	attr.key = (unsigned long)pages + 4094;
	attr.value = (unsigned long)&id;
	tap_is(bpf(BPF_MAP_LOOKUP_ELEM, &attr, 32), -EFAULT, "a key that is there in part");
	*own = attr_of(outer);
	own->key = (unsigned long)&key;
	own->value = (unsigned long)&id;
	mprotect(pages, 4096, PROT_READ);
	tap_is(bpf(BPF_MAP_LOOKUP_ELEM, own, 32) || id != ids[3], 0,
	       "attributes that are only read");
	tap_is(bpf(BPF_MAP_GET_NEXT_ID, own, 12), -EINVAL, "flags where none are");
	tap_is(bpf(BPF_MAP_GET_NEXT_ID, (union bpf_attr *)(pages + 128), 12), -EFAULT,
	       "attributes that cannot be written");
	tap_is(lookup(3, pages + 512), -EFAULT, "a value that is only read");
	mprotect(pages, 4096, PROT_NONE);
	tap_is(bpf(BPF_MAP_LOOKUP_ELEM, own, 32), -EFAULT, "attributes that cannot be read");
	attr.key = (unsigned long)pages + 8;
	tap_is(bpf(BPF_MAP_LOOKUP_ELEM, &attr, 32), -EFAULT, "a key that cannot be read");
	attr.key = attr.value = (unsigned long)&key;
	tap_is(bpf(BPF_MAP_LOOKUP_ELEM, &attr, 32) || key != ids[3], 0, "a value over its key");
	munmap(pages, 3 * 4096);
}

static char *forbidden;
static struct agent_slot *slots;
static volatile int stop;

/* What another process of the hive could do: writes into the slots whatever may lead astray. */
static void *scribble(void *arg)
{
	u64 words[] = {
		(u64)forbidden, 0, ~0ull, 4096, (u64)outer, (u64)inner[0], 1ull << 32 | 512
	};
	unsigned seed = 1;

	while (!stop) {
		struct agent_slot *slot = &slots[rand_r(&seed) % AGENT_SLOTS];
		unsigned i = (unsigned)rand_r(&seed) % 48; /* pieces, out, attributes */

		((volatile u64 *)slot)[i] = words[(unsigned)rand_r(&seed) % 7];
	}
	return NULL;
}

static void test_foreign_writer(void)
{
	struct agent_ticket ask = { 0 };
	pthread_t thread;
	int written = 0;

	if (syscall(SYS_bpf, AGENT_SLOTS_GIVE, &ask, sizeof(ask))) {
		tap_skip(2, "call slots are not the kernel's");
		return;
	}
	slots = (struct agent_slot *)ask.ticket;
	forbidden = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pthread_create(&thread, NULL, scribble, NULL);
	for (unsigned i = 0; i < 4000; i++)
		try(i);
	stop = 1;
	pthread_join(thread, NULL);
	for (int i = 0; i < 4096; i++)
		written += forbidden[i] != 0;
	tap_is(written, 0, "nothing is written where only a slot says so");
	tap_is(child(NULL), 0, "and all is well afterwards");
}

int main(int argc, char **argv)
{
	if (argc == 3) {
		/* Executed by itself: the maps are those of before. */
		outer = atoi(argv[1]);
		inner[1] = atoi(argv[2]);
		for (int i = 0; i < 4; i++) {
			struct bpf_map_info info;
			unsigned id = 0;

			if (info_of(inner[1], &info) || lookup(1, &id) || id != info.id)
				return 1;
		}
		return 0;
	}
	if (make_maps() < 0) {
		tap_skip(1, "bpf(2) is not permitted here");
		return tap_done();
	}
	tap_is(child(NULL), 0, "one thread");
	test_memory();
	test_threads();
	test_signals();
	test_children();
	test_killed();
	test_foreign_writer();
	for (int i = 0; i < 20; i++) {
		char fds[2][16];
		pid_t pid = fork();

		if (pid == 0) {
			snprintf(fds[0], 16, "%d", fcntl(outer, F_DUPFD, 100));
			snprintf(fds[1], 16, "%d", fcntl(inner[1], F_DUPFD, 100));
			if (child(NULL))
				_exit(1);
			execl("/proc/self/exe", argv[0], fds[0], fds[1], NULL);
			_exit(2);
		}
		tap_ok(ended_well(pid), "a program executed in the place of a client");
	}
	return tap_done();
}
