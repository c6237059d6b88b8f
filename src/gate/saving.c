/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is kept of a hive, and when: its pinned maps, a moment after a pin was made, every now and
 * then, and at the end. A child writes them, so that nobody waits for the disk.
 */
#include "gate/saving.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/alloc.h"
#include "base/clock.h"
#include "base/hash.h"
#include "gate/pass.h"
#include "gate/state.h"
#include "gate/state_file.h"
#include "sys/sha256.h"
#include "sys/state.h"

#define DEPTH_MAX 16
#define PINS_MAX  65536
#define SETTLE_NS 200000000ull	 /* after a pin was made: others often follow */
#define RETRY_NS  10000000000ull /* after a failure */

struct saving {
	int dir_fd, lock_fd;
	u64 every_ns, next_ns;
	u32 seen_pins; /* handle_table_pins() when they were last written */
	u8 last[SHA256_SIZE];
	struct hash *told; /* ids of maps that are left out, as is known already */
	pid_t child;	   /* 0: none */
	int failed;	   /* why the last time, positive; told once */
	char path[256];
};

struct pins {
	struct sys_state_pin *list;
	u32 nr;
	bool failed;
};

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

static void __attribute__((noreturn)) child_main(int dir_fd, int fd, const struct text *text)
{
	int kept[] = { dir_fd, fd };

	/* What it holds of the supervisor must not outlive that. */
	pass_close_others(kept, ARRAY_SIZE(kept));
	_exit(-state_file_put(dir_fd, fd, text->data, text->length));
}

/* How the last writing ended. */
static int written(struct gate *gate, int error)
{
	struct saving *saving = gate->saving;

	if (error) {
		memset(saving->last, 0, sizeof(saving->last));
		saving->next_ns = base_clock_ns(CLOCK_MONOTONIC) + RETRY_NS;
	}
	if (error && saving->failed != -error)
		gate_message(gate, "the state in %s cannot be written: %s", saving->path,
			     strerror(-error));
	saving->failed = -error;
	return error;
}

/* Makes a file of what there is, by a child or at once; 0 or -errno, as far as that is known. */
static int save(struct gate *gate, bool at_once)
{
	struct saving *saving = gate->saving;
	struct text text = { 0 };
	const u8 *digest;
	int error, fd;

	saving->seen_pins = handle_table_pins(gate->handles);
	error = encode(gate, &text);
	digest = (const u8 *)text.data + text.length - SHA256_SIZE;
	if (!error && memcmp(saving->last, digest, SHA256_SIZE)) {
		memcpy(saving->last, digest, SHA256_SIZE);
		fd = state_file_begin(saving->dir_fd);
		error = fd < 0 ? fd : 0;
		saving->child = at_once || error ? -1 : fork();
		if (saving->child == 0)
			child_main(saving->dir_fd, fd, &text);
		if (saving->child > 0) {
			close(fd);
		} else {
			saving->child = 0;
			if (!error)
				error = state_file_put(saving->dir_fd, fd, text.data, text.length);
		}
	}
	text_done(&text);
	return saving->child ? 0 : written(gate, error);
}

void saving_ended(struct gate *gate, pid_t pid, int status)
{
	struct saving *saving = gate->saving;

	if (!saving || !saving->child || pid != saving->child)
		return;
	saving->child = 0;
	written(gate, WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR);
}

int saving_now(struct gate *gate)
{
	struct saving *saving = gate->saving;
	int status = 0;

	if (!saving)
		return 0;
	if (saving->child) {
		while (waitpid(saving->child, &status, 0) < 0 && errno == EINTR)
			;
		saving_ended(gate, saving->child, status);
	}
	return save(gate, true);
}

/* When a pin was made, soon. */
static u64 due_ns(struct gate *gate, u64 now)
{
	struct saving *saving = gate->saving;

	if (saving->seen_pins != handle_table_pins(gate->handles) &&
	    saving->next_ns > now + SETTLE_NS)
		saving->next_ns = now + SETTLE_NS;
	return saving->next_ns;
}

u32 saving_wait_ms(struct gate *gate, u32 most_ms)
{
	u64 now, due;

	if (!gate->saving || gate->saving->child)
		return most_ms;
	now = base_clock_ns(CLOCK_MONOTONIC);
	due = due_ns(gate, now);
	if (due <= now)
		return 0;
	return (due - now) / 1000000 < most_ms ? (u32)((due - now) / 1000000) + 1 : most_ms;
}

void saving_step(struct gate *gate)
{
	struct saving *saving = gate->saving;
	u64 now;

	if (!saving || saving->child)
		return;
	now = base_clock_ns(CLOCK_MONOTONIC);
	if (now < due_ns(gate, now))
		return;
	saving->next_ns = saving->every_ns ? now + saving->every_ns : ~0ull;
	save(gate, false);
}

void saving_close(struct gate *gate)
{
	struct saving *saving = gate->saving;

	if (!saving)
		return;
	saving_now(gate);
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

static int load(struct gate *gate)
{
	struct saving *saving = gate->saving;
	const char *reason = "it cannot be read";
	char *data = NULL;
	u64 size = 0;
	int error = state_file_read(saving->dir_fd, &data, &size);

	if (error == -ENOENT)
		return 0;
	if (!error)
		error = sys_state_read(gate->options.sys, data, size, pin, gate, &reason);
	base_free(data);
	if (error)
		gate_message(gate,
			     "the state in %s is refused: %s (%s); move the file \"" STATE_FILE_NAME
			     "\" away to start without it",
			     saving->path, reason, strerror(-error));
	return error;
}

const char *saving_path(const struct gate *gate)
{
	return gate->saving ? gate->saving->path : "";
}

int saving_open(struct gate *gate, const char *path, u32 every_s)
{
	struct saving *saving = base_zalloc(1, sizeof(*saving));
	const char *reason = NULL;
	int error;

	if (!saving)
		return -ENOMEM;
	saving->dir_fd = saving->lock_fd = -1;
	saving->every_ns = every_s * 1000000000ull;
	saving->next_ns =
		saving->every_ns ? base_clock_ns(CLOCK_MONOTONIC) + saving->every_ns : ~0ull;
	snprintf(saving->path, sizeof(saving->path), "%s", path);
	saving->told = hash_new(0);
	error = saving->told ? state_file_open(path, &saving->dir_fd, &saving->lock_fd, &reason)
			     : -ENOMEM;
	if (reason)
		gate_message(gate, "%s %s", path, reason);
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
