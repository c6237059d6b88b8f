/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The arena: made at its address with the rights of each segment, hands out zeroed memory, takes it
 * back, and adapts to resource limits without a signal.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arena/arena.h"
#include "harness/tap.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define UNDER_SANITIZER 1
#else
#define UNDER_SANITIZER 0
#endif

static struct arena *make(void)
{
	struct arena *arena = NULL;
	const char *message = NULL;
	int error = arena_new(NULL, &arena, &message);

	if (error)
		tap_bail("arena_new: %d %s", error, message ? message : "");
	return arena;
}

static void test_segments(struct arena *arena)
{
	const struct rt_control *control = RT_CONTROL;

	tap_is(control->magic, RT_ARENA_MAGIC, "control carries the magic");
	tap_ok(control->nr_vcpus >= 1 && control->nr_vcpus <= RT_VCPU_MAX, "a number of vCPUs");
	tap_ok((u64)control->events >= RT_CONTROL_BASE &&
		       (u64)control->events < RT_CONTROL_BASE + control->control_size,
	       "the event table lies in control");

	u64 memcpy_address = arena_image_symbol(arena, "memcpy");

	tap_ok(memcpy_address >= RT_TEXT_BASE && memcpy_address < RT_TEXT_BASE + RT_IMAGE_SIZE_MAX,
	       "the image has memcpy");
	tap_is(arena_image_symbol(arena, "no_such_symbol"), 0, "an unknown symbol is 0");

	char from[100], to[100];
	void *(*copy)(void *, const void *, size_t) = NULL;

	memcpy(&copy, &memcpy_address, sizeof(copy));
	memset(from, 'x', sizeof(from));
	tap_ok(copy(to, from, sizeof(to)) == to && !memcmp(from, to, sizeof(to)),
	       "code of the image runs");

	/* A process of the hive has the read-only description: no writable view of it. */
	void *view =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, arena_fd_read_only(arena), 0);

	tap_ok(view == MAP_FAILED && errno == EACCES, "text cannot be mapped writable through it");
	view = mmap(NULL, 4096, PROT_READ, MAP_SHARED, arena_fd_read_only(arena), 0);
	tap_ok(view != MAP_FAILED && mprotect(view, 4096, PROT_READ | PROT_WRITE) == -1,
	       "nor made writable later");
	munmap(view, 4096);
	tap_ok(ftruncate(arena_fd(arena), 0) == -1 && errno == EPERM, "the file cannot shrink");

	struct arena *second = NULL;
	const char *message = NULL;

	tap_is(arena_new(NULL, &second, &message), -EEXIST, "one arena a process");
	tap_ok(message && strstr(message, "taken"), "… and it says why");
}

static void test_text(struct arena *arena)
{
	u8 *code = arena_alloc(arena, ARENA_TEXT, 64, 16);
	u8 *alias = arena_text_alias(arena, code);

	tap_ok(code && alias && alias != code, "text has a writable alias");
	memcpy(alias, (u8[]){ 0xb8, 42, 0, 0, 0, 0xc3 }, 6);

	int (*function)(void) = NULL;

	memcpy(&function, &code, sizeof(function));
	tap_is(function(), 42, "code written through the alias runs");
	tap_ok(arena_text_alias(arena, &code) == NULL, "nothing outside text has an alias");
	arena_release(arena, ARENA_TEXT, code, 64);
}

static bool all_zero(const u8 *bytes, u64 size)
{
	for (u64 i = 0; i < size; i++)
		if (bytes[i])
			return false;
	return true;
}

/* Random allocations and releases; each block is filled with its own byte and checked. */
static void test_allocator(struct arena *arena)
{
	enum { BLOCKS = 400, ROUNDS = 20000 };
	static struct {
		u8 *at;
		u64 size;
		u8 byte;
	} blocks[BLOCKS];
	bool zeroed = true, aligned = true, intact = true;
	u32 state = 12345;

	for (u32 round = 0; round < ROUNDS; round++) {
		state = state * 1103515245 + 12345;
		u32 i = state >> 8 & 0xffff, kind = state >> 24;

		i %= BLOCKS;
		if (blocks[i].at) {
			for (u64 b = 0; b < blocks[i].size; b += 97)
				intact &= blocks[i].at[b] == blocks[i].byte;
			arena_release(arena, ARENA_DATA, blocks[i].at, blocks[i].size);
			blocks[i].at = NULL;
			continue;
		}
		u64 size = kind < 200 ? 1 + kind * 13 : 1 + (kind - 199) * 1000;
		u32 align = 1u << (kind % 13);

		blocks[i].at = arena_alloc(arena, ARENA_DATA, size, align);
		if (!blocks[i].at)
			tap_bail("out of arena at round %u", round);
		blocks[i].size = size;
		blocks[i].byte = (u8)(round | 1);
		zeroed &= all_zero(blocks[i].at, size);
		aligned &= (u64)blocks[i].at % align == 0;
		memset(blocks[i].at, blocks[i].byte, size);
	}
	for (u32 i = 0; i < BLOCKS; i++)
		if (blocks[i].at)
			arena_release(arena, ARENA_DATA, blocks[i].at, blocks[i].size);
	tap_ok(zeroed, "memory comes zeroed, also the second time");
	tap_ok(aligned, "and aligned");
	tap_ok(intact, "blocks do not overlap");

	/* With everything released, one run has it all again. */
	u64 most = RT_CONTROL->data_size - (8UL << 20);
	void *all = arena_alloc(arena, ARENA_DATA, most, 4096);

	tap_ok(all != NULL, "released memory coalesces");
	arena_release(arena, ARENA_DATA, all, most);
	tap_ok(arena_alloc(arena, ARENA_DATA, RT_DATA_SIZE + 4096, 1) == NULL, "too much is NULL");
	tap_ok(arena_alloc(arena, ARENA_DATA, 0, 1) == NULL, "nothing is NULL");

	struct stat before, after;
	u8 *big = arena_alloc(arena, ARENA_DATA, 8 << 20, 4096);

	memset(big, 1, 8 << 20);
	fstat(arena_fd(arena), &before);
	arena_release(arena, ARENA_DATA, big, 8 << 20);
	fstat(arena_fd(arena), &after);
	tap_ok(before.st_blocks - after.st_blocks >= 8 << 11,
	       "released pages go back to the system");
}

/* Runs check in a child with a resource limit; the child's exit status is the result. */
static int with_limit(int resource, rlim_t soft, rlim_t hard, int (*check)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct rlimit limit = { soft, hard };

		if (setrlimit(resource, &limit))
			_exit(100);
		_exit(check());
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 200 + WTERMSIG(status);
}

static int check_small(void)
{
	struct arena *arena = NULL;
	const char *message;

	if (arena_new(NULL, &arena, &message))
		return 1;
	if (RT_CONTROL->data_size >= RT_DATA_SIZE)
		return 2;
	u8 *memory = arena_alloc(arena, ARENA_DATA, 1 << 20, 4096);

	if (!memory)
		return 3;
	memset(memory, 1, 1 << 20);
	arena_free(arena);
	return 0;
}

static int check_full(void)
{
	struct arena *arena = NULL;
	const char *message;

	if (arena_new(NULL, &arena, &message))
		return 1;
	if (RT_CONTROL->data_size != RT_DATA_SIZE)
		return 2;
	struct rlimit limit;

	getrlimit(RLIMIT_FSIZE, &limit);
	arena_free(arena);
	return limit.rlim_cur == 4096 ? 0 : 3;
}

static int check_refused(void)
{
	struct arena *arena = NULL;
	const char *message = NULL;
	int error = arena_new(NULL, &arena, &message);

	return error && message && strstr(message, "ulimit") ? 0 : 1;
}

static void test_limits(void)
{
	tap_is(with_limit(RLIMIT_FSIZE, 4096, RLIM_INFINITY, check_full), 0,
	       "a soft limit on file sizes does not matter and is restored");
	tap_is(with_limit(RLIMIT_FSIZE, 6UL << 30, 6UL << 30, check_small), 0,
	       "a hard one makes a smaller arena");
	tap_is(with_limit(RLIMIT_FSIZE, 1 << 20, 1 << 20, check_refused), 0,
	       "one that is too small is refused with a sentence, and no SIGXFSZ");
	if (UNDER_SANITIZER) {
		tap_skip(3, "sanitizers need the address space themselves");
		return;
	}
	tap_is(with_limit(RLIMIT_AS, 8UL << 30, 8UL << 30, check_small), 0,
	       "a limit of 8 GiB of address space");
	tap_is(with_limit(RLIMIT_AS, 300UL << 20, 300UL << 20, check_small), 0,
	       "a limit of 300 MiB of address space");
	tap_is(with_limit(RLIMIT_AS, 64UL << 20, 64UL << 20, check_refused), 0,
	       "a limit of 64 MiB is refused with a sentence");
}

static void test_image_file(void)
{
	struct arena *arena = NULL;
	const char *message = NULL;
	char path[] = "/tmp/skep-test-image.XXXXXX";
	int fd = mkstemp(path);
	struct arena_options options = { .image_path = path };

	tap_is(arena_new(&options, &arena, &message), -ENOEXEC, "an empty image file is refused");
	if (write(fd,
		  "\x7f"
		  "ELF garbage",
		  12) != 12)
		tap_bail("cannot write %s", path);
	tap_is(arena_new(&options, &arena, &message), -ENOEXEC, "so is one that is no ELF file");
	close(fd);
	unlink(path);
	tap_is(arena_new(&options, &arena, &message), -ENOENT, "and one that does not exist");
}

int main(void)
{
	struct arena *arena = make();

	test_segments(arena);
	test_text(arena);
	test_allocator(arena);
	tap_ok(arena_free(arena) == NULL && arena_free(NULL) == NULL, "freed");
	arena_free(make());
	tap_ok(true, "made and freed again");
	test_limits();
	test_image_file();
	return tap_done();
}
