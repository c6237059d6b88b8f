/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See loader.h. The command is forked before anything is loaded, and executed when everything is
 * attached, so that its events are complete from its execve on, and it is in no namespace that we
 * make for ourselves.
 */
#include "loader.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/vfs.h>
#include <linux/magic.h>
#include <unistd.h>
#include <bpf/libbpf.h>
#include "command.h"
#include "iterators.h"
#include "libbpf_log.h"
#include "map_print.h"
#include "object_file.h"
#include "say.h"
#include "trace.h"
#include "workload.h"

#define TRACEFS "/sys/kernel/tracing"

/* Rolls over in the kernel when it is full; touched pages only cost memory. */
#define LOG_SIZE (16U << 20)

struct loader {
	const struct run_options *options;
	struct object_file file;
	struct bpf_object *object;
	struct workload workload;
	struct trace *trace;
	struct bpf_link **iterators; /* by the place of their program in the object; NULL: none */
};

/* tracefs may not be mounted; then it is, where only this process sees it. */
static void mount_tracefs(void)
{
	struct statfs fs;

	if (!statfs(TRACEFS, &fs) && fs.f_type == TRACEFS_MAGIC)
		return;
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("tracefs", TRACEFS, "tracefs", 0, NULL))
		say("tracefs cannot be mounted on " TRACEFS ": %s", strerror(errno));
}

static int open_object(struct loader *loader)
{
	const char *file = loader->options->file, *problem;
	LIBBPF_OPTS(bpf_object_open_opts, open_options);
	char name[64];
	int err = object_file_map(loader->options->object_fd, &loader->file);

	if (err) {
		say("%s: %s", file, strerror(-err));
		return 1;
	}
	problem = object_file_problem(&loader->file);
	if (problem) {
		say("%s: %s", file, problem);
		return 1;
	}
	object_file_name(file, name, sizeof(name));
	open_options.object_name = name;
	loader->object = bpf_object__open_mem(loader->file.data, loader->file.size, &open_options);
	if (!loader->object) {
		err = errno;
		say("%s: libbpf cannot use this object: %s", file,
		    libbpf_log_last(libbpf_log_reason(err)));
		return 1;
	}
	for (int i = 0; i < loader->options->nr_maps; i++) {
		if (!bpf_object__find_map_by_name(loader->object, loader->options->maps[i])) {
			say("%s: it has no map \"%s\"", file, loader->options->maps[i]);
			return 1;
		}
	}
	return 0;
}

/* Gives every program a buffer for the verifier's log of its acceptance. */
static int want_logs(struct loader *loader)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, loader->object) {
		char *log = malloc(LOG_SIZE);

		if (!log) {
			say("out of memory");
			return 1;
		}
		log[0] = '\0';
		if (bpf_program__set_log_level(program, (__u32)loader->options->verbose) ||
		    bpf_program__set_log_buf(program, log, LOG_SIZE)) {
			free(log);
			say("libbpf does not take a log buffer");
			return 1;
		}
	}
	return 0;
}

static void take_logs(struct loader *loader)
{
	struct bpf_program *program;
	size_t size;

	bpf_object__for_each_program(program, loader->object) {
		const char *log = bpf_program__log_buf(program, &size);

		if (log && *log) {
			say("program \"%s\", the verifier's log:", bpf_program__name(program));
			write_all(STDERR_FILENO, log, strnlen(log, size));
		}
		bpf_program__set_log_buf(program, NULL, 0);
		free((char *)log);
	}
}

static int load(struct loader *loader)
{
	const char *file = loader->options->file;
	int err;

	if (loader->options->verbose && want_logs(loader))
		return 1;
	err = bpf_object__load(loader->object);
	if (err)
		libbpf_log_rejection(file, -err, loader->options->real);
	if (loader->options->verbose)
		take_logs(loader);
	return err != 0;
}

/* SEC() says what kind of program it is, but not where it goes: it is not for us to attach. */
static bool has_no_target(const struct bpf_program *program, int err)
{
	return err == EOPNOTSUPP && !strchr(bpf_program__section_name(program), '/');
}

static struct bpf_link *attach_iterator(struct loader *loader, const struct bpf_program *program,
					int place)
{
	const struct run_options *options = loader->options;
	struct bpf_map *map = NULL;
	struct bpf_program *each;
	int nr = 0;

	if (!loader->iterators) {
		bpf_object__for_each_program(each, loader->object)
			nr++;
		loader->iterators = calloc((size_t)nr, sizeof(struct bpf_link *));
		if (!loader->iterators)
			return NULL;
	}
	if (options->nr_maps)
		map = bpf_object__find_map_by_name(loader->object, options->maps[0]);
	loader->iterators[place] = iterator_attach(program, loader->object, map);
	return loader->iterators[place];
}

static int attach(struct loader *loader)
{
	const char *file = loader->options->file;
	struct bpf_program *program;
	int attached = 0, place = -1;

	bpf_object__for_each_program(program, loader->object) {
		struct bpf_link *link;
		int err;

		place++;
		if (!bpf_program__autoload(program))
			continue;
		libbpf_log_clear();
		link = iterator_is(program) ? attach_iterator(loader, program, place)
					    : bpf_program__attach(program);
		err = errno;
		if (link) {
			attached++;
			continue;
		}
		if (has_no_target(program, err)) {
			say("%s: program \"%s\" (SEC(\"%s\")) names no event to attach to: it is "
			    "only loaded",
			    file, bpf_program__name(program), bpf_program__section_name(program));
			continue;
		}
		say("%s: program \"%s\" (SEC(\"%s\")) cannot be attached: %s", file,
		    bpf_program__name(program), bpf_program__section_name(program),
		    libbpf_log_last(libbpf_log_reason(err)));
		return 1;
	}
	if (!attached)
		say("%s: nothing in it can be attached", file);
	return !attached;
}

/* Until the command has ended: signals and trace lines. */
static void wait_for_command(struct loader *loader)
{
	struct pollfd ready[2] = {
		{ .fd = loader->workload.signals, .events = POLLIN },
		{ .fd = loader->trace ? trace_fd(loader->trace) : -1, .events = POLLIN },
	};

	while (!loader->workload.ended) {
		if (poll(ready, 2, -1) < 0 && errno != EINTR)
			return;
		if (ready[1].revents && !trace_forward(loader->trace))
			ready[1].fd = -1;
		if (ready[0].revents)
			workload_signals(&loader->workload);
	}
}

static int print_maps(struct loader *loader)
{
	const struct run_options *options = loader->options;
	int failed = 0;

	for (int i = 0; i < options->nr_maps; i++)
		failed |= map_print(bpf_object__find_map_by_name(loader->object, options->maps[i]),
				    bpf_object__btf(loader->object), options->json);
	return failed;
}

static int print_iterators(struct loader *loader)
{
	struct bpf_program *program;
	int failed = 0, place = 0;

	bpf_object__for_each_program(program, loader->object) {
		if (loader->iterators && loader->iterators[place])
			failed |= iterator_print(program, loader->iterators[place],
						 loader->options->json);
		place++;
	}
	return failed;
}

static int run_attached(struct loader *loader)
{
	int failed;

	workload_start(&loader->workload);
	wait_for_command(loader);
	if (loader->trace)
		trace_finish(loader->trace);
	failed = print_iterators(loader);
	failed |= print_maps(loader);
	return failed ? failed : command_status(loader->workload.status);
}

int loader_run(const struct run_options *options)
{
	char *shell = getenv("SHELL");
	char *default_command[] = { shell && *shell ? shell : "/bin/sh", NULL };
	struct loader loader = { .options = options };
	int err, status = 1;

	prctl(PR_SET_NAME, "skep");
	signal(SIGPIPE, SIG_IGN);
	libbpf_log_start();
	err = workload_prepare(&loader.workload,
			       options->command ? options->command : default_command);
	if (err) {
		say("the command cannot be started: %s", strerror(-err));
		return 1;
	}
	if (options->real)
		mount_tracefs();
	if (!open_object(&loader) && !load(&loader)) {
		if (!options->no_trace)
			loader.trace = trace_open(options->json);
		if ((options->no_trace || loader.trace) && !attach(&loader))
			status = run_attached(&loader);
	}
	workload_cancel(&loader.workload);
	trace_close(loader.trace);
	free(loader.iterators);
	bpf_object__close(loader.object);
	object_file_unmap(&loader.file);
	return status;
}
