/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making the arena: one sealed memfd, each segment mapped at its fixed address with its own rights,
 * the image copied into text, rt_control filled. Where address space or file size is limited a
 * smaller one is made: the bases never move.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arena/arena.h"
#include "arena/image_file.h"
#include "arena/machine.h"
#include "arena/pages.h"
#include "image/image.h"
#include "rt/event.h"
#include "rt/shared.h"
#include "rt/vcpu.h"

#define NR_SEGMENTS 3

struct arena {
	int fd, fd_read_only;
	u64 text_size, control_size, data_size;
	u8 *text_alias;
	bool text_mapped, control_mapped, data_mapped, private_mapped;
	struct pages *pages[NR_SEGMENTS];
	u8 *image_bytes; /* of options.image_path; NULL for the image in this program */
	struct image_file image;
};

static u64 file_size(u64 data_size)
{
	return RT_DATA_BASE - RT_ARENA_BASE + data_size;
}

/*
 * Sets the file's size, which RLIMIT_FSIZE bounds. A soft limit is lifted for the moment of the
 * call; under a hard one the data segment gets what is left. SIGXFSZ is never raised: the limit is
 * asked first.
 */
static int size_file(struct arena *arena)
{
	struct rlimit limit, lifted;
	u64 smallest = file_size(RT_DATA_SIZE_SMALL);
	int error;

	if (getrlimit(RLIMIT_FSIZE, &limit))
		return -errno;
	if (limit.rlim_max < smallest)
		return -EFBIG;
	if (limit.rlim_max < file_size(arena->data_size))
		arena->data_size = ALIGN_DOWN(limit.rlim_max - file_size(0), ARENA_PAGE);
	lifted = (struct rlimit){ limit.rlim_max, limit.rlim_max };
	if (setrlimit(RLIMIT_FSIZE, &lifted))
		return -errno;
	error = ftruncate(arena->fd, (off_t)file_size(arena->data_size)) ? -errno : 0;
	setrlimit(RLIMIT_FSIZE, &limit);
	return error;
}

static int make_file(struct arena *arena, const char **ret_message)
{
	char path[64];
	int error;

	arena->fd = memfd_create("skep-arena", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (arena->fd < 0) {
		*ret_message = "cannot create the arena's memory file (memfd_create)";
		return -errno;
	}
	error = size_file(arena);
	if (error) {
		*ret_message = error == -EFBIG
				       ? "the limit on file sizes (ulimit -f) leaves no room for "
					 "the arena: raise it to 5 GiB or more"
				       : "cannot set the size of the arena's memory file";
		return error;
	}
	if (fcntl(arena->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)) {
		*ret_message = "cannot seal the arena's memory file";
		return -errno;
	}
	/* The description that traced processes map text and control through, so that PROT_WRITE
	 * fails. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", arena->fd);
	arena->fd_read_only = open(path, O_RDONLY | O_CLOEXEC);
	if (arena->fd_read_only < 0) {
		*ret_message =
			"cannot open the arena read-only through /proc/self/fd: is /proc mounted?";
		return -errno;
	}
	/* Nobody opens it for writing by name again; root could. */
	if (fchmod(arena->fd, 0400)) {
		*ret_message = "cannot set the mode of the arena's memory file";
		return -errno;
	}
	return 0;
}

static int map_at(const struct arena *arena, u64 address, u64 size, int protection)
{
	void *at = mmap((void *)address, size, protection,
			MAP_SHARED | MAP_FIXED_NOREPLACE | MAP_NORESERVE, arena->fd,
			(off_t)(address - RT_ARENA_BASE));

	if (at == MAP_FAILED)
		return -errno;
	/* Before 4.17 the flag is only a hint. */
	if (at != (void *)address) {
		munmap(at, size);
		return -EEXIST;
	}
	madvise(at, size, MADV_DONTDUMP);
	return 0;
}

static void unmap_all(struct arena *arena)
{
	if (arena->text_alias)
		munmap(arena->text_alias, arena->text_size);
	if (arena->text_mapped)
		munmap((void *)RT_TEXT_BASE, arena->text_size);
	if (arena->control_mapped)
		munmap((void *)RT_CONTROL_BASE, arena->control_size);
	if (arena->data_mapped)
		munmap((void *)RT_DATA_BASE, arena->data_size);
	if (arena->private_mapped)
		munmap((void *)RT_PRIVATE_BASE, RT_PRIVATE_SIZE);
	arena->text_alias = NULL;
	arena->text_mapped = arena->control_mapped = false;
	arena->data_mapped = arena->private_mapped = false;
}

static int map_all(struct arena *arena)
{
	int error;
	void *alias, *own;

	error = map_at(arena, RT_TEXT_BASE, arena->text_size, PROT_READ | PROT_EXEC);
	if (error)
		return error;
	arena->text_mapped = true;
	error = map_at(arena, RT_CONTROL_BASE, arena->control_size, PROT_READ | PROT_WRITE);
	if (error)
		return error;
	arena->control_mapped = true;
	error = map_at(arena, RT_DATA_BASE, arena->data_size, PROT_READ | PROT_WRITE);
	if (error)
		return error;
	arena->data_mapped = true;

	own = mmap((void *)RT_PRIVATE_BASE, RT_PRIVATE_SIZE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_NORESERVE, -1, 0);
	if (own == MAP_FAILED)
		return -errno;
	if (own != (void *)RT_PRIVATE_BASE) {
		munmap(own, RT_PRIVATE_SIZE);
		return -EEXIST;
	}
	arena->private_mapped = true;
	madvise(own, RT_PRIVATE_SIZE, MADV_DONTDUMP);

	alias = mmap(NULL, arena->text_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE,
		     arena->fd, 0);
	if (alias == MAP_FAILED)
		return -errno;
	arena->text_alias = alias;
	madvise(alias, arena->text_size, MADV_DONTDUMP);
	return 0;
}

/* Full sizes first, then ever smaller ones while the address space does not suffice. */
static int map_arena(struct arena *arena, const char **ret_message)
{
	int error;

	for (;;) {
		error = map_all(arena);
		if (!error)
			return 0;
		unmap_all(arena);
		if (error != -ENOMEM || (arena->data_size <= RT_DATA_SIZE_SMALL &&
					 arena->control_size <= RT_CONTROL_SIZE_SMALL))
			break;
		if (arena->data_size > (1UL << 30)) {
			arena->data_size = ALIGN_UP(arena->data_size / 4, ARENA_PAGE);
			continue;
		}
		arena->text_size = RT_TEXT_SIZE_SMALL;
		arena->control_size = RT_CONTROL_SIZE_SMALL;
		if (arena->data_size > RT_DATA_SIZE_SMALL)
			arena->data_size = RT_DATA_SIZE_SMALL;
	}
	if (error == -EEXIST)
		*ret_message =
			"the arena's addresses (0x7e8000000000 and up) are taken in this process: "
			"it has an arena already, or something else is mapped there";
	else if (error == -ENOMEM)
		*ret_message =
			"not enough address space for the arena: raise the limit (ulimit -v) to "
			"256 MiB or more";
	else
		*ret_message = "cannot map the arena";
	return error;
}

static int load_image(struct arena *arena, const char *path, const char **ret_message)
{
	const u8 *bytes = skep_image_start;
	u64 size = (u64)(skep_image_end - skep_image_start);
	int error;

	if (path) {
		error = image_file_read(path, &arena->image_bytes, &size);
		if (error) {
			*ret_message = "cannot read the data-plane image file";
			return error;
		}
		bytes = arena->image_bytes;
	}
	error = image_file_open(&arena->image, bytes, size);
	if (error) {
		*ret_message = "the data-plane image is not one of this version of skep";
		return error;
	}
	memcpy(arena->text_alias, bytes + arena->image.load_offset, arena->image.load_size);
	return 0;
}

static int fill_control(struct arena *arena, u32 nr_vcpus, const char **ret_message)
{
	struct rt_control *control = RT_CONTROL;
	u64 random[2];

	if (getrandom(random, sizeof(random), 0) != sizeof(random)) {
		*ret_message = "cannot get random numbers (getrandom)";
		return -EIO;
	}
	arena->pages[ARENA_TEXT] =
		pages_new(RT_TEXT_BASE + RT_IMAGE_SIZE_MAX, arena->text_size - RT_IMAGE_SIZE_MAX);
	arena->pages[ARENA_CONTROL] =
		pages_new(RT_CONTROL_BASE + ARENA_PAGE, arena->control_size - ARENA_PAGE);
	arena->pages[ARENA_DATA] =
		pages_new(RT_DATA_BASE + RT_SHARED_SIZE, arena->data_size - RT_SHARED_SIZE);
	*ret_message = "out of memory";
	if (!arena->pages[ARENA_TEXT] || !arena->pages[ARENA_CONTROL] || !arena->pages[ARENA_DATA])
		return -ENOMEM;

	_Static_assert(sizeof(*control) <= ARENA_PAGE, "rt_control has one page");
	*control = (struct rt_control){
		.abi_version = RT_ABI_VERSION,
		.nr_vcpus = nr_vcpus,
		.supervisor_pid = (u32)getpid(),
		.text_size = arena->text_size,
		.control_size = arena->control_size,
		.data_size = arena->data_size,
		.hive_id = random[0],
		.hash_seed = random[1],
		.cpu_features = machine_cpu_features(),
	};
	control->events = arena_alloc(arena, ARENA_CONTROL, sizeof(struct rt_event_table), 64);
	if (!control->events)
		return -ENOMEM;
	/* Last: says that the rest is there. */
	__atomic_store_n(&control->magic, RT_ARENA_MAGIC, __ATOMIC_RELEASE);
	rt_process_begin(false, 0);
	return 0;
}

int arena_new(const struct arena_options *options, struct arena **ret_arena,
	      const char **ret_message)
{
	static const struct arena_options defaults;
	struct arena *arena = calloc(1, sizeof(*arena));
	const char *message = "out of memory";
	int error = -ENOMEM;

	if (!options)
		options = &defaults;
	if (arena) {
		arena->fd = arena->fd_read_only = -1;
		arena->text_size = RT_TEXT_SIZE;
		arena->control_size = RT_CONTROL_SIZE;
		arena->data_size = ALIGN_UP(options->data_size ?: RT_DATA_SIZE, ARENA_PAGE);
		if (arena->data_size < RT_DATA_SIZE_SMALL)
			arena->data_size = RT_DATA_SIZE_SMALL;
		if (arena->data_size > RT_DATA_SIZE)
			arena->data_size = RT_DATA_SIZE;

		u32 nr_vcpus = options->nr_vcpus ?: machine_possible_cpus();

		error = nr_vcpus > RT_VCPU_MAX ? -EINVAL : 0;
		message = "more vCPUs than skep supports (64)";
		error = error ?: make_file(arena, &message);
		error = error ?: map_arena(arena, &message);
		error = error ?: load_image(arena, options->image_path, &message);
		error = error ?: fill_control(arena, nr_vcpus, &message);
	}
	if (error) {
		arena_free(arena);
		if (ret_message)
			*ret_message = message;
		return error;
	}
	*ret_arena = arena;
	return 0;
}

struct arena *arena_free(struct arena *arena)
{
	if (!arena)
		return NULL;
	for (int i = 0; i < NR_SEGMENTS; i++)
		pages_free(arena->pages[i]);
	unmap_all(arena);
	if (arena->fd_read_only >= 0)
		close(arena->fd_read_only);
	if (arena->fd >= 0)
		close(arena->fd);
	free(arena->image_bytes);
	free(arena);
	return NULL;
}

/*
 * Gives whole pages back to the system; they read as zeroes afterwards. False where a filter denies
 * fallocate(2): then the pages stay as they are.
 */
static bool punch(struct arena *arena, u64 address, u64 length)
{
	return length == 0 || fallocate(arena->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
					(off_t)(address - RT_ARENA_BASE), (off_t)length) == 0;
}

static u8 *writable(struct arena *arena, enum arena_segment segment, u64 address)
{
	return segment == ARENA_TEXT ? arena->text_alias + (address - RT_TEXT_BASE) : (u8 *)address;
}

void *arena_alloc(struct arena *arena, enum arena_segment segment, u64 size, u32 align)
{
	bool used = false;
	u64 address = pages_take(arena->pages[segment], size, align, &used);

	if (!address)
		return NULL;
	/* Released pages of data may have been written since they were punched. */
	bool pages = size > ARENA_PAGE / 2;

	if (used && !(pages && punch(arena, address, ALIGN_UP(size, ARENA_PAGE))))
		memset(writable(arena, segment, address), 0, size);
	return (void *)address;
}

void arena_release(struct arena *arena, enum arena_segment segment, void *memory, u64 size)
{
	u64 start, length;

	if (memory && pages_put(arena->pages[segment], (u64)memory, size, &start, &length) == 0)
		punch(arena, start, length);
}

void *arena_text_alias(struct arena *arena, const void *text)
{
	u64 offset = (u64)text - RT_TEXT_BASE;

	return offset < arena->text_size ? arena->text_alias + offset : NULL;
}

int arena_fd(const struct arena *arena)
{
	return arena->fd;
}

int arena_fd_read_only(const struct arena *arena)
{
	return arena->fd_read_only;
}

u64 arena_image_symbol(const struct arena *arena, const char *name)
{
	return image_file_symbol(&arena->image, name);
}
