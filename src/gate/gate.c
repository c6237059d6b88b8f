/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Building and ending a gate. The order matters at both ends: the directory and its lock exist
 * before the keeper, which inherits them; the keeper is dismissed only when no process of the hive
 * is left.
 */
#include "gate/gate.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>
#include "arena/arena.h"
#include "base/alloc.h"
#include "gate/closes.h"
#include "gate/facade.h"
#include "gate/loop.h"
#include "gate/park.h"
#include "gate/state.h"
#include "hook/hook.h"
#include "rt/buffer.h"
#include "rt/map.h"

#define TRACE_BACKLOG (1u << 20)

void gate_message(struct gate *gate, const char *format, ...)
{
	char text[512];
	va_list args;

	if (!gate->options.message)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	gate->options.message(gate->options.message_arg, text);
}

static bool is_written(struct object *object)
{
	return object->kind == OBJECT_MAP && sys_map_rt(object)->type == BPF_MAP_TYPE_USER_RINGBUF;
}

static bool is_pollable(struct object *object)
{
	if (object->kind == OBJECT_MAP)
		return sys_map_rt(object)->type == BPF_MAP_TYPE_RINGBUF || is_written(object);
	return object->kind == OBJECT_PERF && hook_perf_buffer(object);
}

/* A record whose producer died before it committed would stop the consumer for ever. */
static bool ring_is_readable(const struct rt_map *map)
{
	return rt_ringbuf_readable(map) || (rt_ringbuf_reap(map) && rt_ringbuf_readable(map));
}

static bool is_readable(struct object *object)
{
	if (is_written(object))
		return rt_user_ringbuf_full(sys_map_rt(object));
	if (object->kind == OBJECT_MAP)
		return ring_is_readable(sys_map_rt(object));
	return rt_perf_readable(hook_perf_buffer(object));
}

static int make_files(struct gate *gate)
{
	struct handle_table_options handles = { .pollable = is_pollable,
						.readable = is_readable,
						.written = is_written };
	char path[DIRECTORY_PATH_MAX + 32];
	const char *message;
	struct stat st;
	int error = directory_make(&gate->directory, gate->options.name, &message);

	if (error) {
		if (error != -EEXIST) /* which the caller words better */
			gate_message(gate, "%s", message);
		return error;
	}
	error = facade_make(gate->directory.path, RT_CONTROL->nr_vcpus);
	if (error)
		return error;
	snprintf(path, sizeof(path), "%s/fd", gate->directory.path);
	handles.dir_path = path;
	error = handle_table_new(&handles, &gate->handles);
	if (error)
		return error;
	snprintf(path, sizeof(path), "%s/tracing/trace_pipe", gate->directory.path);
	error = tracepipe_new(path, TRACE_BACKLOG, &gate->tracepipe);
	if (error)
		return error;
	snprintf(path, sizeof(path), "%s/tracing/trace_marker", gate->directory.path);
	if (mkfifo(path, 0600) < 0)
		return -errno;
	gate->marker_fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (gate->marker_fd < 0)
		return -errno;
	strcpy(RT_CONTROL->facade_dir, gate->directory.path);
	if (stat(gate->directory.path, &st) < 0)
		return -errno;
	RT_CONTROL->facade_device = st.st_dev;
	return 0;
}

int gate_new(const struct gate_options *options, struct gate **ret_gate)
{
	struct gate *gate = base_zalloc(1, sizeof(*gate));
	int error;

	if (!gate)
		return -ENOMEM;
	gate->options = *options;
	gate->directory.lock_fd = gate->epoll_fd = gate->signal_fd = gate->marker_fd = -1;
	gate->timer_fd = -1;
	gate->keeper.socket = gate->kallsyms_fd = -1;
	gate->control.epoll_fd = gate->directory.control_fd = -1;
	for (u32 i = 0; i < LISTENER_MAX; i++)
		gate->listeners[i].fd = -1;
	pthread_sigmask(SIG_SETMASK, NULL, &gate->old_signals);
	gate->agent_notify_ip = arena_image_symbol(options->arena, "agent_notify_ip");
	gate->agent_restorer_ip = arena_image_symbol(options->arena, "agent_sigreturn_ip");
	if (getrandom(&gate->handover, sizeof(gate->handover), 0) != sizeof(gate->handover))
		gate->handover = 0x534b4550;
	error = make_files(gate);
	if (!error)
		error = keeper_start(&gate->keeper, gate->directory.path, gate->directory.lock_fd);
	gate->processes = error ? NULL : process_table_new();
	if (!error && !gate->processes)
		error = -ENOMEM;
	if (!error)
		error = wake_new(&gate->wake);
	if (!error)
		error = control_open(gate);
	if (!error)
		error = loop_open(gate);
	if (!error && options->state)
		error = saving_open(gate, options->state, options->save_every_s);
	if (error) {
		gate_free(gate);
		return error;
	}
	*ret_gate = gate;
	return 0;
}

void gate_make_facade(struct gate *gate)
{
	int error;

	if (gate->facade_made)
		return;
	gate->facade_made = true;
	error = facade_link_constants(gate->directory.path);
	if (error)
		gate_message(gate, "the files below /sys/kernel/tracing cannot be made: %s",
			     strerror(-error));
	hook_facade_made(gate->options.hook);
}

/* Does a process still run under one of the filters? */
static bool anybody_left(const struct gate *gate)
{
	for (u32 i = 0; i < LISTENER_MAX; i++) {
		struct pollfd poll_fd = { gate->listeners[i].fd, 0, 0 };

		if (poll_fd.fd >= 0 && (poll(&poll_fd, 1, 0) != 1 || !(poll_fd.revents & POLLHUP)))
			return true;
	}
	return false;
}

struct gate *gate_free(struct gate *gate)
{
	bool left;

	if (!gate)
		return NULL;
	park_end(gate);
	left = anybody_left(gate);
	saving_close(gate);
	wake_free(gate->wake);
	keeper_stop(&gate->keeper, !left);
	loop_close(gate);
	handle_table_free(gate->handles);
	closes_free_all(gate);
	process_table_free(gate->processes);
	tracepipe_free(gate->tracepipe);
	if (gate->marker_fd >= 0)
		close(gate->marker_fd);
	if (gate->kallsyms_fd >= 0)
		close(gate->kallsyms_fd);
	if (!left && gate->directory.path[0])
		directory_dispose(gate->directory.path);
	if (gate->directory.lock_fd >= 0)
		close(gate->directory.lock_fd);
	/* Last: this is what whoever said CONTROL_DOWN waits for. */
	control_close(gate);
	base_free(gate);
	return NULL;
}

const char *gate_facade_dir(const struct gate *gate)
{
	return gate->directory.path;
}
