/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hive's own files: directories for pins and descriptors, and the files of tracefs that clients
 * write to. A client that does so changes only its own hive's copy.
 */
#include "gate/facade.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "gate/directory.h"

static const struct {
	const char *name, *text;
} files[] = {
	{ "tracing/current_tracer", "nop\n" },
	{ "tracing/tracing_on", "1\n" },
	{ "tracing/trace", "# tracer: nop\n#\n" },
};

static const char *const directories[] = { "fd", "bpf", "tracing" };

static int write_cpus(int dir_fd, u32 nr_cpus)
{
	char text[32];
	int length = nr_cpus > 1 ? snprintf(text, sizeof(text), "0-%u\n", nr_cpus - 1)
				 : snprintf(text, sizeof(text), "0\n");
	int error = directory_write(dir_fd, "cpu/possible", text, (u64)length);

	return error ? error : directory_write(dir_fd, "cpu/online", text, (u64)length);
}

int facade_make(const char *directory, u32 nr_cpus)
{
	int dir_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC), error = 0;

	if (dir_fd < 0)
		return -errno;
	for (u32 i = 0; i < ARRAY_SIZE(directories) && !error; i++)
		error = mkdirat(dir_fd, directories[i], 0700) < 0 ? -errno : 0;
	for (u32 i = 0; i < ARRAY_SIZE(files) && !error; i++)
		error = directory_write(dir_fd, files[i].name, files[i].text,
					strlen(files[i].text));
	if (!error)
		error = write_cpus(dir_fd, nr_cpus);
	close(dir_fd);
	return error;
}
