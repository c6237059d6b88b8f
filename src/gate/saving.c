/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file is written beside its place, brought to the disk, renamed, and the directory brought to
 * the disk: whenever this stops, the name leads to a whole file.
 */
#include "gate/saving.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "base/alloc.h"
#include "base/hash.h"
#include "gate/state.h"
#include "sys/sha256.h"
#include "sys/state.h"

#define NAME	  "maps"
#define TEMPORARY "maps.new"
#define FILE_MAX  (8ll << 30)
#define DEPTH_MAX 16
#define PINS_MAX  65536
#define SETTLE_NS 200000000ull /* after a pin was made: others often follow */

struct saving {
	int dir_fd, lock_fd;
	u64 every_ns, next_ns;
	u32 seen_pins; /* handle_table_pins() when they were last written */
	u8 last[SHA256_SIZE];
	struct hash *told; /* ids of maps that are left out, as is known already */
	pid_t child;	   /* 0: none */
	char path[256];
};

struct pins {
	struct sys_state_pin *list;
	u32 nr;
	bool failed;
};

static u64 now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (u64)now.tv_sec * 1000000000ull + (u64)now.tv_nsec;
}

static void add_pin(struct pins *pins, const char *path, struct object *object)
{
	struct sys_state_pin *list = base_realloc(pins->list, pins->nr + 1, sizeof(*list));

	if (list)
		pins->list = list;
	if (list)
		list[pins->nr].path = base_memdup(path, strlen(path) + 1);
	if (!list || !list[pins->nr].path || pins->nr == PINS_MAX) {
		pins->failed = true;
		return;
	}
	list[pins->nr++].object = object;
}

/* Every pin below the directory, whose path from the top is prefix. */
static void find_pins(struct gate *gate, int dir_fd, const char *prefix, u32 depth,
		      struct pins *pins)
{
	DIR *dir = fdopendir(dir_fd);
	char path[SYS_STATE_PATH_MAX];
	struct dirent *entry;

	if (!dir) {
		close(dir_fd);
		return;
	}
	while ((entry = readdir(dir)) && !pins->failed) {
		int length = snprintf(path, sizeof(path), "%s%s", prefix, entry->d_name), child;
		struct object *object;
		struct stat st;
		bool pin;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") ||
		    length + 2 > (int)sizeof(path) ||
		    fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (S_ISREG(st.st_mode)) {
			object = handle_find(gate->handles, &st, NULL, &pin);
			if (object && pin)
				add_pin(pins, path, object);
		} else if (S_ISDIR(st.st_mode) && depth) {
			child = openat(dirfd(dir), entry->d_name,
				       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
			strcat(path, "/");
			if (child >= 0)
				find_pins(gate, child, path, depth - 1, pins);
		}
	}
	closedir(dir);
}

static void left_out(void *arg, const struct sys_state_pin *pin, const char *reason)
{
	struct gate *gate = arg;

	if (hash_add_u64(gate->saving->told, (u64)pin->object->kind << 32 | pin->object->id, gate))
		return;
	gate_message(gate, "the pin %s is not kept: %s", pin->path, reason);
}

static int encode(struct gate *gate, struct text *text)
{
	char path[DIRECTORY_PATH_MAX + 8];
	struct pins pins = { 0 };
	int dir_fd, error = -ENOMEM;

	snprintf(path, sizeof(path), "%s/bpf", gate->directory.path);
	dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir_fd < 0)
		return -errno;
	find_pins(gate, dir_fd, "", DEPTH_MAX, &pins);
	if (!pins.failed)
		error = sys_state_write(gate->options.sys, pins.list, pins.nr, left_out, gate,
					text);
	for (u32 i = 0; i < pins.nr; i++)
		base_free((char *)pins.list[i].path);
	base_free(pins.list);
	return error;
}

/* System calls only. */
static int put_file(int dir_fd, const char *data, u64 size)
{
	int fd = openat(dir_fd, TEMPORARY, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
			0600);
	int error = fd < 0 ? -errno : 0;

	while (size && !error) {
		ssize_t done = write(fd, data, size);

		if (done < 0 && errno != EINTR)
			error = -errno;
		if (done > 0) {
			data += done;
			size -= (u64)done;
		}
	}
	if (!error && fsync(fd) < 0)
		error = -errno;
	if (fd >= 0)
		close(fd);
	if (!error && renameat(dir_fd, TEMPORARY, dir_fd, NAME) < 0)
		error = -errno;
	if (!error && fsync(dir_fd) < 0)
		error = -errno;
	return error;
}

static void __attribute__((noreturn)) child_main(int dir_fd, const struct text *text)
{
	/* What it holds of the supervisor must not outlive that. */
	if (dir_fd > 0)
		close_range(0, (unsigned)dir_fd - 1, 0);
	close_range((unsigned)dir_fd + 1, ~0u, 0);
	_exit(-put_file(dir_fd, text->data, text->length));
}

static void say_failed(struct gate *gate, int error)
{
	gate_message(gate, "the state in %s cannot be written: %s", gate->saving->path,
		     strerror(error));
}

static void save(struct gate *gate, bool at_once)
{
	struct saving *saving = gate->saving;
	struct text text = { 0 };
	const u8 *digest;
	int error;

	saving->seen_pins = handle_table_pins(gate->handles);
	error = encode(gate, &text);
	digest = (const u8 *)text.data + text.length - SHA256_SIZE;
	if (!error && memcmp(saving->last, digest, SHA256_SIZE)) {
		memcpy(saving->last, digest, SHA256_SIZE);
		saving->child = at_once ? -1 : fork();
		if (saving->child == 0)
			child_main(saving->dir_fd, &text);
		if (saving->child < 0) {
			saving->child = 0;
			error = put_file(saving->dir_fd, text.data, text.length);
		}
	}
	if (error)
		say_failed(gate, -error);
	text_done(&text);
}

void saving_ended(struct gate *gate, pid_t pid, int status)
{
	struct saving *saving = gate->saving;

	if (!saving || !saving->child || pid != saving->child)
		return;
	saving->child = 0;
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return;
	memset(saving->last, 0, sizeof(saving->last));
	say_failed(gate, WIFEXITED(status) ? WEXITSTATUS(status) : EINTR);
}

void saving_step(struct gate *gate)
{
	struct saving *saving = gate->saving;
	u64 now;

	if (!saving || saving->child)
		return;
	now = now_ns();
	if (saving->seen_pins != handle_table_pins(gate->handles) &&
	    saving->next_ns > now + SETTLE_NS)
		saving->next_ns = now + SETTLE_NS;
	if (now < saving->next_ns)
		return;
	save(gate, false);
	saving->next_ns = saving->every_ns ? now_ns() + saving->every_ns : ~0ull;
}

void saving_close(struct gate *gate)
{
	struct saving *saving = gate->saving;
	int status = 0;

	if (!saving)
		return;
	if (saving->child) {
		while (waitpid(saving->child, &status, 0) < 0 && errno == EINTR)
			;
		saving_ended(gate, saving->child, status);
	}
	save(gate, true);
	close(saving->dir_fd);
	close(saving->lock_fd);
	hash_free(saving->told);
	base_free(saving);
	gate->saving = NULL;
}

/* One pin of the file. */
static int pin(void *arg, const struct sys_state_pin *pin)
{
	struct gate *gate = arg;
	char path[DIRECTORY_PATH_MAX + SYS_STATE_PATH_MAX + 8], *top;

	snprintf(path, sizeof(path), "%s/bpf/", gate->directory.path);
	top = path + strlen(path);
	strcpy(top, pin->path);
	for (char *slash = strchr(top, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return handle_pin(gate->handles, pin->object, path);
}

/* All of it, once: what is checked is what is used, whoever else has the file open. */
static int read_file(int fd, char **ret_data, u64 *ret_size)
{
	struct stat st;
	u64 size = 0;
	ssize_t got = 1;
	char *data;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size > FILE_MAX)
		return -EFBIG;
	data = base_alloc((u64)st.st_size + 1);
	if (!data)
		return -ENOMEM;
	while (size < (u64)st.st_size && got > 0) {
		got = read(fd, data + size, (u64)st.st_size - size);
		if (got < 0) {
			base_free(data);
			return -errno;
		}
		size += (u64)got;
	}
	*ret_data = data;
	*ret_size = size;
	return 0;
}

static int load(struct gate *gate)
{
	struct saving *saving = gate->saving;
	int fd = openat(saving->dir_fd, NAME, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	const char *reason = "it cannot be read";
	char *data = NULL;
	u64 size = 0;
	int error;

	if (fd < 0 && errno == ENOENT)
		return 0;
	error = fd < 0 ? -errno : read_file(fd, &data, &size);
	if (fd >= 0)
		close(fd);
	if (!error)
		error = sys_state_read(gate->options.sys, data, size, pin, gate, &reason);
	base_free(data);
	if (error)
		gate_message(gate,
			     "the state in %s is refused: %s (%s); move the file \"" NAME
			     "\" away to start without it",
			     saving->path, reason, strerror(-error));
	return error;
}

static int open_locked(struct gate *gate, struct saving *saving, const char *path)
{
	struct stat st;

	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return -errno;
	saving->dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (saving->dir_fd < 0 || fstat(saving->dir_fd, &st) < 0)
		return -errno;
	if (st.st_uid != geteuid() || st.st_mode & 022) {
		gate_message(gate, "%s can be written to by others: it is no place for a state",
			     path);
		return -EPERM;
	}
	saving->lock_fd =
		openat(saving->dir_fd, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (saving->lock_fd < 0)
		return -errno;
	if (flock(saving->lock_fd, LOCK_EX | LOCK_NB) < 0) {
		gate_message(gate, "%s keeps the state of another living hive", path);
		return -EBUSY;
	}
	return 0;
}

const char *saving_path(const struct gate *gate)
{
	return gate->saving ? gate->saving->path : "";
}

int saving_open(struct gate *gate, const char *path, u32 every_s)
{
	struct saving *saving = base_zalloc(1, sizeof(*saving));
	int error;

	if (!saving)
		return -ENOMEM;
	saving->dir_fd = saving->lock_fd = -1;
	saving->every_ns = every_s * 1000000000ull;
	saving->next_ns = saving->every_ns ? now_ns() + saving->every_ns : ~0ull;
	snprintf(saving->path, sizeof(saving->path), "%s", path);
	saving->told = hash_new(0);
	error = saving->told ? open_locked(gate, saving, path) : -ENOMEM;
	gate->saving = saving;
	if (!error)
		error = load(gate);
	saving->seen_pins = handle_table_pins(gate->handles);
	if (!error)
		return 0;
	/* What could not be read is not written over. */
	gate->saving = NULL;
	if (saving->dir_fd >= 0)
		close(saving->dir_fd);
	if (saving->lock_fd >= 0)
		close(saving->lock_fd);
	hash_free(saving->told);
	base_free(saving);
	return error;
}
