/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Descriptors of maps, closed, replaced and shared in all the ways there are, each time after
 * bpf(2) has come to know them. Run as it is this program asks the kernel (and skips where that
 * says no); under `skep exec` the agent, which remembers descriptors. What it expects is the same.
 *
 * Calls made by instructions that it writes itself go past the agent: to the supervisor. With the
 * argument "past" every bpf(2) does; the supervisor too remembers descriptors. With "served" maps
 * are told apart by their sizes, for which the agent asks the supervisor.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "harness/tap.h"

#define NUMBER 200 /* a descriptor number that is free */
#define STACK  (256 << 10)

typedef long (*caller)(long nr, long a, long b, long c);

/* mov %rdi,%rax; mov %rsi,%rdi; mov %rdx,%rsi; mov %rcx,%rdx; syscall; ret */
static const unsigned char code[] = { 0x48, 0x89, 0xf8, 0x48, 0x89, 0xf7, 0x48, 0x89,
				      0xd6, 0x48, 0x89, 0xca, 0x0f, 0x05, 0xc3 };

static caller raw;
static bool past;    /* all bpf(2) past the agent */
static bool served;  /* descriptors are looked at by what is no operation on elements */
static int one, two; /* arrays whose element 0 is 1 and 2 */

static long bpf(int cmd, union bpf_attr *attr, unsigned size)
{
	if (past)
		return raw(SYS_bpf, cmd, (long)attr, size);
	return syscall(SYS_bpf, cmd, attr, size) < 0 ? -errno : 0;
}

static int create(unsigned type, unsigned key_size, unsigned value_size, unsigned entries,
		  unsigned flags)
{
	union bpf_attr attr = { .map_type = type,
				.key_size = key_size,
				.value_size = value_size,
				.max_entries = entries,
				.map_flags = flags };

	return (int)syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));
}

static union bpf_attr element(int fd, const void *key, const void *value)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (unsigned)fd;
	attr.key = (unsigned long)key;
	attr.value = (unsigned long)value;
	return attr;
}

static long store(int fd, long value)
{
	int key = 0;
	union bpf_attr attr = element(fd, &key, &value);

	return bpf(BPF_MAP_UPDATE_ELEM, &attr, sizeof(attr));
}

/* As many elements as it has, or the errno that an operation on elements would give. */
static long look_by_size(int fd)
{
	struct bpf_map_info info = { 0 };
	union bpf_attr attr;
	long result = 0;

	for (int i = 0; i < 4 && !result; i++) {
		memset(&attr, 0, sizeof(attr));
		attr.info.bpf_fd = (unsigned)fd;
		attr.info.info_len = sizeof(info);
		attr.info.info = (unsigned long)&info;
		result = bpf(BPF_OBJ_GET_INFO_BY_FD, &attr, 16);
	}
	if (result)
		return result == -EBADFD ? -EBADF : result;
	return info.max_entries;
}

/* Element 0, asked for often enough for the agent to know the descriptor; or -errno. */
static long look(int fd)
{
	long result = 0, value = 0;
	int key = 0;

	if (served)
		return look_by_size(fd);
	for (int i = 0; i < 4; i++) {
		union bpf_attr attr = element(fd, &key, &value);

		result = bpf(BPF_MAP_LOOKUP_ELEM, &attr, 32);
	}
	return result ? result : value;
}

static int array_of(long value)
{
	int fd = create(BPF_MAP_TYPE_ARRAY, 4, 8, 1, 0);

	if (fd >= 0)
		store(fd, value);
	return fd;
}

/* Also told by its size. */
static int sized_array_of(long value)
{
	int fd = create(BPF_MAP_TYPE_ARRAY, 4, 8, (unsigned)value, 0);

	if (fd >= 0)
		store(fd, value);
	return fd;
}

/* NUMBER stands for map one, and is known. */
static void begin(void)
{
	dup2(one, NUMBER);
	look(NUMBER);
}

static void test_closing(void)
{
	begin();
	close(NUMBER);
	tap_is(look(NUMBER), -EBADF, "closed");
	dup2(two, NUMBER);
	tap_is(look(NUMBER), 2, "the number has another map");
	dup2(one, NUMBER);
	tap_is(look(NUMBER), 1, "dup2 over it");
	dup3(two, NUMBER, O_CLOEXEC);
	tap_is(look(NUMBER), 2, "dup3 over it");
	close_range(NUMBER, NUMBER + 3, 0);
	tap_is(look(NUMBER), -EBADF, "close_range");
	fcntl(one, F_DUPFD, NUMBER);
	tap_is(look(NUMBER), 1, "F_DUPFD gives the number again");
	close(NUMBER);
	dup2(0, NUMBER);
	tap_is(look(NUMBER), -EINVAL, "a file that is no map");
	dup2(one, NUMBER);
	tap_is(look(NUMBER), 1, "and a map again");
	close(NUMBER);
}

static void test_past_the_agent(void)
{
	begin();
	raw(SYS_close, NUMBER, 0, 0);
	tap_is(look(NUMBER), -EBADF, "closed by code of its own");
	begin();
	raw(SYS_dup2, two, NUMBER, 0);
	tap_is(look(NUMBER), 2, "replaced by code of its own");
	close(NUMBER);
}

static int child_replaces(void *arg)
{
	long seen;

	dup2(two, NUMBER);
	seen = look(NUMBER);
	close(NUMBER);
	return seen == 2 && look(NUMBER) == -EBADF ? 0 : 1;
}

static int ended_well(pid_t pid)
{
	int status = -1;

	while (waitpid(pid, &status, __WALL) < 0 && errno == EINTR)
		;
	return status == 0;
}

static void clone_and_replace(int flags, long expected, const char *name)
{
	char *stack = malloc(STACK);
	pid_t pid;

	begin();
	pid = clone(child_replaces, stack + STACK, flags | SIGCHLD, NULL);
	tap_ok(ended_well(pid), "%s: in the child the number is the other map", name);
	tap_is(look(NUMBER), expected, name);
	free(stack);
	close(NUMBER);
}

static void test_processes(void)
{
	pid_t pid;

	begin();
	pid = fork();
	if (pid == 0)
		_exit(look(NUMBER) == 1 ? child_replaces(NULL) : 2);
	tap_ok(ended_well(pid), "fork: the child has its own descriptors");
	tap_is(look(NUMBER), 1, "fork: the parent keeps its own");
	pid = vfork();
	if (pid == 0)
		_exit(child_replaces(NULL));
	tap_ok(ended_well(pid), "vfork: the child has its own descriptors");
	tap_is(look(NUMBER), 1, "vfork: the parent keeps its own");
	clone_and_replace(CLONE_VM, 1, "memory shared, descriptors not");
	clone_and_replace(CLONE_VM | CLONE_VFORK, 1, "the same, and the parent waits");
}

static void *thread_alone(void *arg)
{
	unshare(CLONE_FILES);
	return (void *)(long)child_replaces(NULL);
}

/* These make the agent forget for good: each in a process of its own. */
static void in_child(void (*test)(void))
{
	pid_t pid = fork();

	if (pid == 0) {
		begin();
		test();
		_exit(0);
	}
	tap_ok(ended_well(pid), "a process that shares descriptors in an odd way");
}

#define EXPECT(condition)                      \
	do {                                   \
		if (!(condition))              \
			_exit(__LINE__ & 127); \
	} while (0)

static void files_without_memory(void)
{
	char *stack = malloc(STACK);

	EXPECT(ended_well(clone(child_replaces, stack + STACK, CLONE_FILES | SIGCHLD, NULL)));
	EXPECT(look(NUMBER) == -EBADF);
}

static void thread_with_own_files(void)
{
	pthread_t thread;
	void *result;

	EXPECT(!pthread_create(&thread, NULL, thread_alone, NULL));
	EXPECT(!pthread_join(thread, &result) && !result);
	EXPECT(look(NUMBER) == 1);
}

static void close_range_unshares(void)
{
	EXPECT(!close_range(NUMBER, NUMBER, 2 /* CLOSE_RANGE_UNSHARE */));
	EXPECT(look(NUMBER) == -EBADF);
	begin();
	EXPECT(look(NUMBER) == 1);
}

static void close_past_the_agent(void)
{
	EXPECT(raw(SYS_close, 999, 0, 0) == -EBADF);
	dup2(two, NUMBER);
	EXPECT(look(NUMBER) == 2);
}

static void test_rights(void)
{
	union bpf_attr attr, info_attr;
	struct bpf_map_info info = { 0 };
	long value = 7, half = 0;
	int key = 0, map = array_of(5), reader;
	char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	munmap(pages + 4096, 4096);
	memset(&info_attr, 0, sizeof(info_attr));
	info_attr.info.bpf_fd = (unsigned)map;
	info_attr.info.info_len = sizeof(info);
	info_attr.info.info = (unsigned long)&info;
	bpf(BPF_OBJ_GET_INFO_BY_FD, &info_attr, sizeof(info_attr));
	memset(&attr, 0, sizeof(attr));
	attr.map_id = info.id;
	attr.open_flags = BPF_F_RDONLY;
	reader = (int)syscall(SYS_bpf, BPF_MAP_GET_FD_BY_ID, &attr, sizeof(attr));
	tap_is(look(reader), 5, "a descriptor that only reads");
	tap_is(store(reader, 6), -EPERM, "does not write");
	attr = element(map, &key, pages + 4092);
	tap_is(bpf(BPF_MAP_LOOKUP_ELEM, &attr, 32), -EFAULT, "a value half outside of memory");
	memcpy(&half, pages + 4092, 4);
	tap_is(look(map), 5, "which changes nothing");
	attr = element(map, (void *)8, &value);
	tap_is(bpf(BPF_MAP_UPDATE_ELEM, &attr, 32), -EFAULT, "a key that is nowhere");
	attr = element(map, &key, (void *)(1ul << 63));
	tap_is(bpf(BPF_MAP_UPDATE_ELEM, &attr, 32), -EFAULT, "a value beyond all addresses");
	attr = element(map, &key, &value);
	attr.flags = 8;
	tap_is(bpf(BPF_MAP_LOOKUP_ELEM, &attr, 32), -EINVAL, "unknown flags");
	attr.flags = BPF_F_LOCK;
	tap_is(bpf(BPF_MAP_UPDATE_ELEM, &attr, 32), -EINVAL, "a lock that is not there");
	attr.flags = BPF_NOEXIST;
	tap_is(bpf(BPF_MAP_UPDATE_ELEM, &attr, 32), -EEXIST, "an element that is there");
	attr.flags = 0;
	((char *)&attr)[60] = 1;
	tap_is(bpf(BPF_MAP_UPDATE_ELEM, &attr, 64), -EINVAL, "a tail that is not zero");
	tap_is(bpf(BPF_MAP_UPDATE_ELEM, &attr, 60), 0, "and one that is");
	tap_is(bpf(BPF_MAP_DELETE_ELEM, &attr, 32), -EINVAL, "deleting takes no value");
	key = 1;
	attr = element(map, &key, &value);
	tap_is(bpf(BPF_MAP_LOOKUP_ELEM, &attr, 32), -ENOENT, "an element that is not there");
	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (unsigned)map;
	tap_is(bpf(BPF_MAP_FREEZE, &attr, sizeof(attr)), 0, "frozen");
	tap_is(store(map, 8), -EPERM, "nobody writes any more");
	tap_is(look(map), 7, "all read");
	close(map);
	close(reader);
	munmap(pages, 4096);
}

static void test_ends(void)
{
	int wrong = 0;

	for (long i = 0; i < 300; i++) {
		int fd = sized_array_of(i + 10);

		wrong += dup2(fd, NUMBER) != NUMBER || close(fd) || look(NUMBER) != i + 10;
		close(NUMBER);
	}
	tap_is(wrong, 0, "maps come and go under one number");
}

static int stop;

static void *look_on(void *arg)
{
	long wrong = 0;

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		long seen = look(NUMBER);

		wrong += seen != 1 && seen != 2 && seen != -EBADF;
	}
	return (void *)wrong;
}

static void test_threads(void)
{
	pthread_t thread;
	void *wrong_there;
	int wrong = 0;

	pthread_create(&thread, NULL, look_on, NULL);
	for (int i = 0; i < 2000; i++) {
		int map = i & 1 ? two : one;

		dup2(map, NUMBER);
		wrong += look(NUMBER) != (map == one ? 1 : 2);
		if (i % 3 == 0) {
			close(NUMBER);
			wrong += look(NUMBER) != -EBADF;
		}
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	pthread_join(thread, &wrong_there);
	tap_is(wrong, 0, "what a thread has changed it sees");
	tap_is((long)wrong_there, 0, "another one sees one or the other");
}

static unsigned next(unsigned *seed)
{
	*seed = *seed * 1103515245 + 12345;
	return *seed >> 16 & 0x7fff;
}

/* A map of this type for random_pair(), with keys of at most 8 bytes. */
static int create_random(unsigned type)
{
	switch (type) {
	case BPF_MAP_TYPE_HASH:
	case BPF_MAP_TYPE_PERCPU_HASH: return create(type, 4, 12, 8, BPF_F_ZERO_SEED);
	/* Room for all keys: who is put out when there is none depends on the CPU. */
	case BPF_MAP_TYPE_LRU_HASH:
	case BPF_MAP_TYPE_LRU_PERCPU_HASH: return create(type, 4, 12, 4096, BPF_F_ZERO_SEED);
	case BPF_MAP_TYPE_QUEUE:
	case BPF_MAP_TYPE_STACK: return create(type, 0, 12, 8, 0);
	case BPF_MAP_TYPE_BLOOM_FILTER: return create(type, 0, 12, 64, BPF_F_ZERO_SEED);
	case BPF_MAP_TYPE_LPM_TRIE: return create(type, 8, 12, 8, BPF_F_NO_PREALLOC);
	default: return create(type, 4, 12, 8, 0);
	}
}

/* The same operations on two maps, one by the agent and one past it. */
static int random_pair(unsigned type, unsigned seed)
{
	static const int cmds[] = { BPF_MAP_LOOKUP_ELEM, BPF_MAP_UPDATE_ELEM, BPF_MAP_DELETE_ELEM,
				    BPF_MAP_GET_NEXT_KEY, BPF_MAP_LOOKUP_AND_DELETE_ELEM };
	static unsigned char values[2][64 * 16];
	int maps[2] = { create_random(type), create_random(type) }, wrong = 0;

	for (int i = 0; i < 3000; i++) {
		int cmd = cmds[next(&seed) % 5], keys[2][2] = { 0 };
		unsigned how = next(&seed);
		long results[2];

		memset(values[0], (int)(next(&seed) % 64), sizeof(values[0]));
		memcpy(values[1], values[0], sizeof(values[0]));
		keys[0][0] = keys[1][0] = (int)(next(&seed) % 12);
		keys[0][1] = keys[1][1] = (int)(next(&seed) % 4);
		for (int side = 0; side < 2; side++) {
			union bpf_attr attr = element(maps[side], keys[side], values[side]);

			/* Those without keys take none. */
			if (how % 8 && (type == BPF_MAP_TYPE_QUEUE || type == BPF_MAP_TYPE_STACK ||
					type == BPF_MAP_TYPE_BLOOM_FILTER))
				attr.key = 0;

			if (how % 16 == 0)
				attr.key = 0;
			if (how % 16 == 1)
				attr.value = 4096;
			if (cmd == BPF_MAP_UPDATE_ELEM || how % 16 == 2)
				attr.flags = how / 16 % 6;
			results[side] =
				side ? raw(SYS_bpf, cmd, (long)&attr, 32) : bpf(cmd, &attr, 32);
		}
		wrong += results[0] != results[1] ||
			 memcmp(values[0], values[1], sizeof(values[0])) != 0 ||
			 memcmp(keys[0], keys[1], sizeof(keys[0])) != 0;
	}
	close(maps[0]);
	close(maps[1]);
	return wrong;
}

static union bpf_attr batch_of(int fd, void *keys, void *values, void *token, unsigned count)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.batch.map_fd = (unsigned)fd;
	attr.batch.keys = (unsigned long)keys;
	attr.batch.values = (unsigned long)values;
	attr.batch.out_batch = (unsigned long)token;
	attr.batch.count = count;
	return attr;
}

/* The same batches on two maps. Each side goes on where its last one ended, now and then. */
static int random_batches(unsigned type, unsigned seed)
{
	static unsigned char values[2][16 * 64 * 16];
	int maps[2] = { create_random(type), create_random(type) }, wrong = 0;
	int keys[2][16][2], tokens[2][2] = { 0 };
	char *half = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	munmap(half + 4096, 4096);
	for (int i = 0; i < 2000; i++) {
		int cmd = BPF_MAP_LOOKUP_BATCH + (int)(next(&seed) % 4);
		unsigned how = next(&seed), count = next(&seed) % 17;
		long results[2], counts[2];

		memset(keys[0], 0, sizeof(keys[0]));
		for (unsigned j = 0; j < 16; j++) {
			keys[0][j][0] = (int)(next(&seed) % 24);
			keys[0][j][1] = (int)(next(&seed) % 4);
		}
		memset(values[0], (int)(next(&seed) % 64), sizeof(values[0]));
		memcpy(keys[1], keys[0], sizeof(keys[0]));
		memcpy(values[1], values[0], sizeof(values[0]));
		for (int side = 0; side < 2; side++) {
			union bpf_attr attr =
				batch_of(maps[side], keys[side], values[side], tokens[side], count);

			if (how % 4)
				attr.batch.in_batch = attr.batch.out_batch;
			if (how % 32 == 4)
				attr.batch.keys = 4096;
			if (how % 32 == 5)
				attr.batch.values = (unsigned long)half + 4096 - 32;
			if (how % 32 == 6)
				attr.batch.out_batch = 0;
			if (how % 32 == 7)
				attr.batch.in_batch = 64;
			if (how % 32 == 8)
				attr.batch.elem_flags = how / 32 % 6;
			if (how % 32 == 9)
				attr.batch.flags = how / 32 % 3;
			results[side] =
				side ? raw(SYS_bpf, cmd, (long)&attr, 56) : bpf(cmd, &attr, 56);
			counts[side] = attr.batch.count;
		}
		wrong += results[0] != results[1] || counts[0] != counts[1] ||
			 memcmp(keys[0], keys[1], sizeof(keys[0])) != 0 ||
			 memcmp(values[0], values[1], sizeof(values[0])) != 0 ||
			 memcmp(tokens[0], tokens[1], sizeof(tokens[0])) != 0;
	}
	munmap(half, 4096);
	close(maps[0]);
	close(maps[1]);
	return wrong;
}

static void test_random(void)
{
	static const unsigned types[] = { BPF_MAP_TYPE_ARRAY,	     BPF_MAP_TYPE_PERCPU_ARRAY,
					  BPF_MAP_TYPE_HASH,	     BPF_MAP_TYPE_PERCPU_HASH,
					  BPF_MAP_TYPE_LRU_HASH,     BPF_MAP_TYPE_LRU_PERCPU_HASH,
					  BPF_MAP_TYPE_QUEUE,	     BPF_MAP_TYPE_STACK,
					  BPF_MAP_TYPE_BLOOM_FILTER, BPF_MAP_TYPE_LPM_TRIE };

	cpu_set_t before, here;

	/* Which keys an LRU map drops is a matter of the CPU. */
	CPU_ZERO(&here);
	CPU_SET(sched_getcpu(), &here);
	if (sched_getaffinity(0, sizeof(before), &before) ||
	    sched_setaffinity(0, sizeof(here), &here))
		tap_bail("this thread cannot stay on a CPU");
	for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		tap_ok(random_pair(types[i], i + 1) == 0,
		       "map type %u: the same within the process and by the supervisor", types[i]);
		tap_ok(random_batches(types[i], i + 1) == 0,
		       "map type %u: batches are the same too", types[i]);
	}
	sched_setaffinity(0, sizeof(before), &before);
}

int main(int argc, char **argv)
{
	bool denied;
	unsigned char *page =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	one = sized_array_of(1);
	two = sized_array_of(2);
	if (one < 0 || two < 0) {
		tap_skip(1, "bpf(2) is not permitted here");
		return tap_done();
	}
	memcpy(page, code, sizeof(code));
	mprotect(page, 4096, PROT_READ | PROT_EXEC);
	raw = (caller)(void *)page;
	past = argc == 2 && !strcmp(argv[1], "past");
	served = argc == 2 && !strcmp(argv[1], "served");
	/* A container's filter comes before the supervisor where the agent does not help. */
	denied = raw(SYS_bpf, -1, 0, 0) != -EINVAL;
	if (past && denied) {
		tap_skip(1, "bpf(2) past the agent is not permitted here");
		return tap_done();
	}
	test_closing();
	test_processes();
	if (!served)
		test_rights();
	test_ends();
	test_threads();
	if (!served && denied)
		tap_skip(1, "bpf(2) past the agent is not permitted here");
	else if (!served)
		test_random();
	in_child(files_without_memory);
	if (unshare(0))
		tap_skip(1, "unshare(2) is not permitted here");
	else
		in_child(thread_with_own_files);
	in_child(close_range_unshares);
	in_child(close_past_the_agent);
	test_past_the_agent();
	return tap_done();
}
