/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The supervisor's side of the control socket. One epoll descriptor for the socket and its
 * connections, so that the loop knows of it as one thing.
 */
#include "gate/control.h"

#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <string.h>
#include <unistd.h>
#include "arena/arena.h"
#include "base/clock.h"
#include "gate/pass.h"
#include "gate/state.h"
#include "sys/sys.h"

#define SOURCE_SOCKET CONTROL_CONNECTIONS

static int watch(struct control *control, int fd, u32 source)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = source };

	return epoll_ctl(control->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

int control_open(struct gate *gate)
{
	struct control *control = &gate->control;

	control->started_ns = base_clock_ns(CLOCK_BOOTTIME);
	control->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (control->epoll_fd < 0)
		return -errno;
	return watch(control, gate->directory.control_fd, SOURCE_SOCKET);
}

static void drop(struct control *control, u32 index)
{
	close(control->connections[index] - 1);
	control->connections[index] = 0;
}

void control_close(struct gate *gate)
{
	for (u32 i = 0; i < CONTROL_CONNECTIONS; i++)
		if (gate->control.connections[i])
			drop(&gate->control, i);
	if (gate->control.epoll_fd >= 0)
		close(gate->control.epoll_fd);
	if (gate->directory.control_fd >= 0)
		close(gate->directory.control_fd);
	gate->control.epoll_fd = gate->directory.control_fd = -1;
}

static u32 count(struct gate *gate, enum object_kind kind)
{
	struct object_table *objects = sys_hive_objects(gate->options.sys);
	u32 nr = 0;

	for (u32 id = 0; (id = object_next_id(objects, kind, id));)
		nr++;
	return nr;
}

static void describe(struct gate *gate, struct control_answer *answer)
{
	struct stat st = { 0 };

	answer->pid = getpid();
	answer->keeper_pid = gate->keeper.pid;
	answer->age_ns = base_clock_ns(CLOCK_BOOTTIME) - gate->control.started_ns;
	answer->maps = count(gate, OBJECT_MAP);
	answer->progs = count(gate, OBJECT_PROG);
	answer->links = count(gate, OBJECT_LINK);
	answer->handover = gate->handover;
	answer->notify_ip = gate->agent_notify_ip;
	answer->restorer_ip = gate->agent_restorer_ip;
	fstat(arena_fd(gate->options.arena), &st);
	answer->arena_device = st.st_dev;
	answer->arena_inode = st.st_ino;
	strcpy(answer->path, gate->directory.path);
	registry_name(gate->directory.path, answer->name);
	snprintf(answer->state, sizeof(answer->state), "%s", saving_path(gate));
}

/* Takes listener_fd. */
static int add_session(struct gate *gate, const struct control_request *request, int listener_fd)
{
	int error;

	if (listener_fd < 0)
		return -EBADF;
	/* Of anything else the loop would be told again and again that it is readable. */
	if (request->pid <= 0 || !listener_is_one(listener_fd)) {
		close(listener_fd);
		return -EBADF;
	}
	error = gate_add_listener(gate, listener_fd);
	if (!error && request->flags & CONTROL_QUIET)
		process_set_quiet(gate->processes, request->pid);
	return error;
}

/* Takes fd. */
static int serve(struct gate *gate, const struct control_request *request, int fd,
		 struct control_answer *answer)
{
	int error;

	if (request->word == CONTROL_LISTENER)
		return add_session(gate, request, fd);
	if (fd >= 0)
		close(fd);
	switch (request->word) {
	case CONTROL_INFO: describe(gate, answer); return 0;
	case CONTROL_DOWN:
		if (!gate->stays)
			return -EPERM;
		error = request->flags & CONTROL_DISCARD ? 0 : saving_now(gate);
		gate->down |= !error;
		return error;
	default: return -EOPNOTSUPP;
	}
}

static void converse(struct gate *gate, u32 index)
{
	struct control *control = &gate->control;
	struct control_answer answer = { .version = CONTROL_VERSION };
	struct control_request request;
	int socket_fd = control->connections[index] - 1, fd;
	long size = pass_receive(socket_fd, &request, sizeof(request), &fd, MSG_DONTWAIT);

	if (size == -EAGAIN)
		return;
	if (size != sizeof(request) || request.version != CONTROL_VERSION) {
		answer.error = -EPROTO;
		if (fd >= 0)
			close(fd);
		if (size > 0)
			send(socket_fd, &answer, sizeof(answer), MSG_DONTWAIT | MSG_NOSIGNAL);
		drop(control, index);
		return;
	}
	answer.error = serve(gate, &request, fd, &answer);
	send(socket_fd, &answer, sizeof(answer), MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void accept_one(struct gate *gate)
{
	struct control *control = &gate->control;
	int fd = accept4(gate->directory.control_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct ucred peer = { 0 };
	socklen_t size = sizeof(peer);
	u32 index;

	if (fd < 0)
		return;
	/* A process id of 0 is one that this process cannot name: of another pid namespace. */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || peer.uid != geteuid() ||
	    peer.pid <= 0) {
		close(fd);
		return;
	}
	index = control->next++ % CONTROL_CONNECTIONS;
	if (control->connections[index])
		drop(control, index);
	control->connections[index] = fd + 1;
	if (watch(control, fd, index) < 0)
		drop(control, index);
}

void control_collect(struct gate *gate)
{
	struct epoll_event event;

	for (u32 i = 0; i < CONTROL_CONNECTIONS; i++) {
		if (epoll_wait(gate->control.epoll_fd, &event, 1, 0) != 1)
			return;
		if (event.data.u32 == SOURCE_SOCKET)
			accept_one(gate);
		else if (gate->control.connections[event.data.u32])
			converse(gate, event.data.u32);
	}
}
