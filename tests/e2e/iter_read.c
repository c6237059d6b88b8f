// SPDX-License-Identifier: BSD-2-Clause
/*
 * Loads an object, links one of its iterators and reads it: what it gives goes to standard output,
 * the result of the last read(2) to standard error. Arguments: OBJECT PROGRAM, then any of
 * map=NAME (the map to walk over), tid=N, pid=N, pidfd=N, chunk=N (bytes a read), vector=N
 * (readv(2) into pieces of N bytes), fill=N (elements of the map, before), update=PROGRAM
 * (LINK_UPDATE, before), self (this process; element 0 of
 * "array" becomes an address in it).
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define CHUNK_MAX (1 << 20)

struct options {
	const char *map, *update;
	unsigned self, vector, tid, pid, pidfd, chunk, fill;
};

static void parse(int argc, char **argv, struct options *options)
{
	options->chunk = CHUNK_MAX;
	for (int i = 3; i < argc; i++) {
		if (!strncmp(argv[i], "map=", 4))
			options->map = argv[i] + 4;
		if (!strncmp(argv[i], "update=", 7))
			options->update = argv[i] + 7;
		options->self |= !strcmp(argv[i], "self");
		sscanf(argv[i], "vector=%u", &options->vector);
		sscanf(argv[i], "tid=%u", &options->tid);
		sscanf(argv[i], "pid=%u", &options->pid);
		sscanf(argv[i], "pidfd=%u", &options->pidfd);
		sscanf(argv[i], "chunk=%u", &options->chunk);
		sscanf(argv[i], "fill=%u", &options->fill);
	}
	if (!options->chunk || options->chunk > CHUNK_MAX)
		options->chunk = CHUNK_MAX;
}

static int fail(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	return 2;
}

static long read_some(int fd, char *buffer, const struct options *options)
{
	struct iovec pieces[8];

	if (!options->vector)
		return read(fd, buffer, options->chunk);
	for (int i = 0; i < 8; i++)
		pieces[i] = (struct iovec){ buffer + (size_t)i * options->vector, options->vector };
	return readv(fd, pieces, 8);
}

static int read_all(int fd, const struct options *options)
{
	static char buffer[CHUNK_MAX];
	long got;

	while ((got = read_some(fd, buffer, options)) > 0)
		if (write(STDOUT_FILENO, buffer, got) != got)
			return fail("write");
	fprintf(stderr, "end: %s\n", got ? strerror(errno) : "0");
	return 0;
}

static void fill(const struct bpf_map *map, unsigned nr)
{
	static char value[1 << 16];
	long cpus = libbpf_num_possible_cpus();

	for (unsigned i = 0; i < nr; i++) {
		for (long cpu = 0; cpu < cpus; cpu++)
			((unsigned long long *)value)[cpu] = i * 10ull + (unsigned long long)cpu;
		bpf_map_update_elem(bpf_map__fd(map), &i, value, BPF_ANY);
	}
}

int main(int argc, char **argv)
{
	LIBBPF_OPTS(bpf_iter_attach_opts, attach);
	union bpf_iter_link_info info = { 0 };
	struct options options = { 0 };
	struct bpf_program *program;
	struct bpf_object *object;
	struct bpf_link *link;
	int fd;

	if (argc < 3)
		return 2;
	parse(argc, argv, &options);
	object = bpf_object__open_file(argv[1], NULL);
	if (!object)
		return fail("open");
	bpf_object__for_each_program(program, object)
		bpf_program__set_autoload(
			program, !strcmp(bpf_program__name(program), argv[2]) ||
					 (options.update &&
					  !strcmp(bpf_program__name(program), options.update)));
	if (bpf_object__load(object))
		return fail("load");
	if (options.map) {
		struct bpf_map *map = bpf_object__find_map_by_name(object, options.map);

		fill(map, options.fill);
		info.map.map_fd = (unsigned)bpf_map__fd(map);
	}
	if (options.self) {
		static const unsigned magic = 0x5ca1ab1e;
		unsigned long long address = (unsigned long)&magic;
		unsigned zero = 0;

		info.task.pid = (unsigned)getpid();
		bpf_map_update_elem(bpf_object__find_map_fd_by_name(object, "array"), &zero,
				    &address, BPF_ANY);
	}
	if (options.tid)
		info.task.tid = options.tid;
	if (options.pid)
		info.task.pid = options.pid;
	if (options.pidfd)
		info.task.pid_fd = (unsigned)syscall(SYS_pidfd_open, options.pidfd, 0);
	attach.link_info = &info;
	attach.link_info_len = sizeof(info);
	link = bpf_program__attach_iter(bpf_object__find_program_by_name(object, argv[2]), &attach);
	if (!link)
		return fail("attach");
	if (options.update && bpf_link__update_program(link, bpf_object__find_program_by_name(
								     object, options.update)))
		return fail("update");
	fd = bpf_iter_create(bpf_link__fd(link));
	if (fd < 0)
		return fail("create");
	return read_all(fd, &options);
}
