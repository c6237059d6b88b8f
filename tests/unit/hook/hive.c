/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hive [-n | -e | -t] [-o FILE] CMD...: runs CMD in a hive without bpf(2), for tests of the agent.
 * -e: a program that does nothing listens to every system call's entry and exit; -t: one that
 * prints them, to FILE. Ends with CMD's exit status.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "fake_sys.h"
#include "gate/gate.h"
#include "hook/hook.h"

static void say(void *arg, const char *text)
{
	fprintf(stderr, "hive: %s\n", text);
}

struct attached {
	struct object *perf;
	void *token;
};

static struct attached attach(struct arena *arena, struct hook *hook, const char *group,
			      const char *name, bool print)
{
	struct attached attached = { 0 };
	const struct hook_event *event = hook_event_by_name(group, name);
	const char *reason = NULL;
	struct perf_event_attr_copy {
		u32 type, size;
		u64 config;
		u64 rest[20];
	} attr = { .type = 2, .size = 112, .config = event->id };
	struct object_table *objects = sys_hive_objects(NULL);
	bool enter = strcmp(name, "sys_enter") == 0;
	int error = hook_perf_open(hook, objects, (const struct perf_event_attr *)&attr, -1, 0,
				   &attached.perf, &reason);

	if (!error)
		error = hook_attach_ops.perf_event(
			hook, fake_prog(arena, enter ? "E %d" : "X %d %d", 8, 16, print),
			attached.perf, 0, &attached.token, &reason);
	if (error) {
		fprintf(stderr, "hive: attach: %s %s\n", strerror(-error), reason ? reason : "");
		exit(2);
	}
	return attached;
}

static void detach(struct hook *hook, struct attached attached)
{
	if (!attached.perf)
		return;
	hook_attach_ops.detach(hook, attached.token);
	object_unref(attached.perf);
}

static void copy_trace(const char *facade, const char *file)
{
	char path[4096];
	int from, to;
	ssize_t size;

	if (fork() != 0)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	snprintf(path, sizeof(path), "%s/tracing/trace_pipe", facade);
	from = open(path, O_RDONLY);
	to = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	while ((size = read(from, path, sizeof(path))) > 0)
		if (write(to, path, (size_t)size) != size)
			break;
	_exit(0);
}

int main(int argc, char **argv)
{
	struct gate_options options = { .message = say };
	const char *message = NULL, *file = NULL;
	struct attached enter = { 0 }, leave = { 0 };
	bool listen = false, print = false;
	int option, status = 0, error;
	struct gate *gate;
	pid_t pid;

	while ((option = getopt(argc, argv, "+neto:")) != -1) {
		listen |= option == 'e' || option == 't';
		print |= option == 't';
		if (option == 'o')
			file = optarg;
	}
	error = arena_new(NULL, &options.arena, &message);
	if (error) {
		fprintf(stderr, "hive: %s\n", message);
		return 2;
	}
	options.hook = hook_new(options.arena);
	hook_set_message(options.hook, say, NULL);
	error = gate_new(&options, &gate);
	if (error) {
		fprintf(stderr, "hive: gate: %s\n", strerror(-error));
		return 2;
	}
	if (file)
		copy_trace(gate_facade_dir(gate), file);
	if (listen) {
		enter = attach(options.arena, options.hook, "raw_syscalls", "sys_enter", print);
		leave = attach(options.arena, options.hook, "raw_syscalls", "sys_exit", print);
	}
	/* As under Yama; host.c looks for it. */
	if (listen) {
		hook_set_tracer(options.hook, getpid());
		setenv("HIVE_TRACER", "1", 1);
	}
	pid = gate_spawn(gate, argv + optind, NULL, 0);
	if (pid < 0) {
		fprintf(stderr, "hive: %s: %s\n", argv[optind], strerror(-pid));
		return 127;
	}
	error = gate_serve(gate, pid, &status);
	if (error)
		fprintf(stderr, "hive: serve: %s\n", strerror(-error));
	gate_free(gate);
	detach(options.hook, enter);
	detach(options.hook, leave);
	hook_free(options.hook);
	arena_free(options.arena);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
