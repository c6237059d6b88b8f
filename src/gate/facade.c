/* SPDX-License-Identifier: BSD-2-Clause */
/* See facade.h. Small constant files; a client that writes to one changes only its own hive's copy.
 */
#include "gate/facade.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "agent/facade.h"
#include "gate/directory.h"

struct file {
	const char *name, *text;
};

#define NUMBER_TEXT_2(number) #number "\n"
#define NUMBER_TEXT(number)   NUMBER_TEXT_2(number)

static const struct file files[] = {
	{ "tracing/README", "tracefs of a skep hive\n" },
	{ "tracing/available_tracers", "nop\n" },
	{ "tracing/current_tracer", "nop\n" },
	{ "tracing/tracing_on", "1\n" },
	{ "tracing/trace", "# tracer: nop\n#\n" },
	{ "tracing/trace_clock", "[mono]\n" },
	{ "pmu/kprobe/type", NUMBER_TEXT(FACADE_PMU_KPROBE) },
	{ "pmu/kprobe/format/retprobe", "config:0\n" },
	{ "pmu/uprobe/type", NUMBER_TEXT(FACADE_PMU_UPROBE) },
	{ "pmu/uprobe/format/retprobe", "config:0\n" },
	{ "pmu/uprobe/format/ref_ctr_offset", "config:32-63\n" },
};

static const char *const directories[] = { "fd", "bpf", "tracing", "cpu" };

static int make_cpu_files(int dir_fd, u32 nr_cpus)
{
	char text[32];
	int length = nr_cpus > 1 ? snprintf(text, sizeof(text), "0-%u\n", nr_cpus - 1)
				 : snprintf(text, sizeof(text), "0\n");
	int error = directory_write(dir_fd, "cpu/possible", text, (u64)length);

	return error ? error : directory_write(dir_fd, "cpu/online", text, (u64)length);
}

int facade_make(const char *directory, u32 nr_cpus)
{
	int dir_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC), tracing_fd, error = 0;

	if (dir_fd < 0)
		return -errno;
	for (u32 i = 0; i < ARRAY_SIZE(directories) && !error; i++)
		error = mkdirat(dir_fd, directories[i], 0700) < 0 ? -errno : 0;
	for (u32 i = 0; i < ARRAY_SIZE(files) && !error; i++)
		error = directory_write(dir_fd, files[i].name, files[i].text,
					strlen(files[i].text));
	if (!error)
		error = make_cpu_files(dir_fd, nr_cpus);
	if (!error) {
		tracing_fd = openat(dir_fd, "tracing", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		error = tracing_fd < 0 ? -errno : facade_make_events(tracing_fd);
		if (tracing_fd >= 0)
			close(tracing_fd);
	}
	close(dir_fd);
	return error;
}
