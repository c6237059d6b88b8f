/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The text is made when somebody opens it: the machine's lines are read once (they are some
 * megabytes), without those whose names the hive gives addresses of its own.
 */
#include "gate/kallsyms.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <unistd.h>
#include "base/alloc.h"
#include "base/text.h"
#include "gate/state.h"

#define PATH "/proc/kallsyms"

/* The hive's names that are not programs', each with its NUL, sorted for bsearch(). */
struct names {
	char (*name)[64];
	size_t nr, room;
};

static int add_name(void *arg, u64 address, const char *name, bool is_program)
{
	struct names *names = arg;
	void *larger;

	(void)address;
	if (is_program)
		return 0;
	if (names->nr == names->room) {
		larger = base_realloc(names->name, names->room * 2 + 256, sizeof(*names->name));
		if (!larger)
			return -ENOMEM;
		names->name = larger;
		names->room = names->room * 2 + 256;
	}
	snprintf(names->name[names->nr++], sizeof(*names->name), "%s", name);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* "address type name", perhaps with a module behind it. */
static bool is_ours(const struct names *names, const char *line)
{
	const char *type = strchr(line, ' ');
	char name[64];
	size_t length;

	if (!type || strlen(type) < 4)
		return false;
	length = strcspn(type + 3, " \t\n");
	if (length >= sizeof(name))
		return false;
	memcpy(name, type + 3, length);
	name[length] = '\0';
	return bsearch(name, names->name, names->nr, sizeof(*names->name), by_name);
}

/* A file with the machine's own lines but those. */
static int copy_machine(struct gate *gate)
{
	struct names names = { 0 };
	FILE *from = fopen(PATH, "re"), *to = NULL;
	int fd = memfd_create("kallsyms", MFD_CLOEXEC), error = 0;
	char line[1024];

	if (fd >= 0)
		to = fdopen(dup(fd), "w");
	if (!to)
		error = -errno;
	if (!error)
		error = sys_symbols(gate->options.sys, add_name, &names);
	if (!error)
		qsort(names.name, names.nr, sizeof(*names.name), by_name);
	while (!error && from && fgets(line, sizeof(line), from))
		if (!is_ours(&names, line) && fputs(line, to) < 0)
			error = -ENOSPC;
	if (from)
		fclose(from);
	if (to && fclose(to))
		error = -ENOSPC;
	base_free(names.name);
	if (error && fd >= 0)
		close(fd);
	return error ? error : fd;
}

static int add_line(void *arg, u64 address, const char *name, bool is_program)
{
	text_printf(arg, "%016llx t %s%s\n", (unsigned long long)address, name,
		    is_program ? "\t[bpf]" : "");
	return 0;
}

/* The machine's lines, then the hive's of this moment. */
static int make_file(struct gate *gate)
{
	struct text text = { 0 };
	off_t at = 0, end;
	int fd, error;

	if (gate->kallsyms_fd < 0)
		gate->kallsyms_fd = copy_machine(gate);
	if (gate->kallsyms_fd < 0)
		return gate->kallsyms_fd;
	fd = memfd_create("kallsyms", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	end = lseek(gate->kallsyms_fd, 0, SEEK_END);
	while (at < end && sendfile(fd, gate->kallsyms_fd, &at, (size_t)(end - at)) > 0)
		;
	error = at < end ? -ENOSPC : sys_symbols(gate->options.sys, add_line, &text);
	if (text.failed)
		error = -ENOMEM;
	if (!error && write(fd, text_str(&text), text.length) != (ssize_t)text.length)
		error = -ENOSPC;
	text_done(&text);
	if (error) {
		close(fd);
		return error;
	}
	lseek(fd, 0, SEEK_SET);
	return fd;
}

/*
 * The text is longer than a limit on file sizes may be, and more than that ends a process by
 * SIGXFSZ: the soft limit is lifted meanwhile. The hard one leaves room for the arena, and for
 * this.
 */
static int make_unlimited(struct gate *gate)
{
	struct rlimit limit, lifted;
	int fd;

	if (getrlimit(RLIMIT_FSIZE, &limit))
		return -errno;
	lifted = (struct rlimit){ limit.rlim_max, limit.rlim_max };
	if (setrlimit(RLIMIT_FSIZE, &lifted))
		return -errno;
	fd = make_file(gate);
	setrlimit(RLIMIT_FSIZE, &limit);
	return fd;
}

bool kallsyms_open(struct gate_client *client, const char *path, int flags, long *ret_result)
{
	char again[64];
	int fd, file;

	if (strcmp(path, PATH) || (flags & O_ACCMODE) != O_RDONLY)
		return false;
	fd = make_unlimited(client->gate);
	*ret_result = fd;
	if (fd < 0)
		return true;
	/* As a file that is only to be read. */
	snprintf(again, sizeof(again), "/proc/self/fd/%d", fd);
	file = open(again, O_RDONLY | O_CLOEXEC);
	*ret_result =
		file < 0 ? -errno : listener_add_fd(client->listener, file, flags & O_CLOEXEC);
	if (file >= 0)
		close(file);
	close(fd);
	return true;
}
