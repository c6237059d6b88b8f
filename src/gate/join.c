/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the moment the filter stands, every call of the process waits for whoever holds its
 * listener, and the process holds it itself. So that it can never wait for nobody, a helper, forked
 * before and not filtered, takes the listener, passes it on, and answers the calls itself if the
 * supervisor is gone. It ends when the supervisor has said that supervisor and keeper have it.
 */
#include "gate/join.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include "gate/filter.h"
#include "gate/gate.h"
#include "gate/listener.h"
#include "gate/pass.h"
#include "rt/arena.h"

static int ask(int socket_fd, const struct control_request *request, int fd,
	       struct control_answer *ret_answer)
{
	int extra, error = pass_send(socket_fd, request, sizeof(*request), fd, 0);
	long size;

	if (error)
		return error == -EPIPE ? -ECONNREFUSED : error;
	size = pass_receive(socket_fd, ret_answer, sizeof(*ret_answer), &extra, 0);
	if (extra >= 0)
		close(extra);
	if (size == -EAGAIN)
		return -ETIMEDOUT;
	if (size == 0 || size == -ECONNRESET)
		return -ECONNREFUSED;
	if (size != sizeof(*ret_answer) || ret_answer->version != CONTROL_VERSION)
		return -EPROTO;
	ret_answer->path[sizeof(ret_answer->path) - 1] = '\0';
	ret_answer->name[sizeof(ret_answer->name) - 1] = '\0';
	ret_answer->state[sizeof(ret_answer->state) - 1] = '\0';
	return ret_answer->error;
}

int join_ask(const char *path, struct control_answer *ret_answer)
{
	struct control_request request = { .version = CONTROL_VERSION, .word = CONTROL_INFO };
	int fd = registry_connect(path), error;

	if (fd < 0)
		return fd;
	error = ask(fd, &request, -1, ret_answer);
	close(fd);
	return error;
}

int join_down(const char *path, u32 flags)
{
	struct control_request request = { .version = CONTROL_VERSION,
					   .word = CONTROL_DOWN,
					   .flags = flags };
	struct timeval patience = { .tv_sec = 600 };
	struct control_answer answer;
	struct pollfd poll_fd;
	int fd = registry_connect(path), error;

	if (fd < 0)
		return fd;
	/* The answer comes when the state is written. */
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	error = ask(fd, &request, -1, &answer);
	poll_fd = (struct pollfd){ fd, POLLIN, 0 };
	while (!error && !(poll_fd.revents & (POLLHUP | POLLERR)))
		if (poll(&poll_fd, 1, -1) < 0 && errno != EINTR)
			error = -errno;
	close(fd);
	return error;
}

/* Nobody else has this listener: every call goes on, until the process has ended. */
static void __attribute__((noreturn)) be_keeper(int listener_fd)
{
	struct listener_slot slot = { .notif = { 0 } };
	struct listener listener = { .fd = listener_fd, .slot = &slot };
	struct pollfd poll_fd = { listener_fd, POLLIN, 0 };

	pass_close_others(&listener_fd, 1);
	for (;;) {
		if (poll(&poll_fd, 1, -1) < 0)
			continue;
		if (!(poll_fd.revents & POLLIN))
			_exit(0);
		if (listener_receive(&listener) > 0)
			listener_continue(&listener);
	}
}

/* socket_fd leads to the process that enters, control_fd to the supervisor. */
static void __attribute__((noreturn)) help(int socket_fd, int control_fd, s32 pid, u32 flags)
{
	struct control_request request = {
		.version = CONTROL_VERSION, .word = CONTROL_LISTENER, .flags = flags, .pid = pid
	};
	struct control_answer answer;
	int listener, word, error;
	sigset_t all;

	/* What the terminal or a group gets is not meant for us. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	setsid();
	if (pass_receive(socket_fd, &word, sizeof(word), &listener, 0) != sizeof(word) ||
	    listener < 0)
		_exit(1);
	error = ask(control_fd, &request, listener, &answer);
	/* Out of the way of the descriptors that are closed below. */
	(void)pass_send(socket_fd, &error, sizeof(error), -1, 0);
	if (!error)
		_exit(0);
	be_keeper(listener);
}

static void reap(pid_t pid)
{
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* Puts this process under the filter. Afterwards the listener is in other hands, or never was. */
static int enter(const struct control_answer *answer, int socket_fd, bool *ret_entered)
{
	struct filter_options options = { .notify_ip = answer->notify_ip,
					  .restorer_ip = answer->restorer_ip,
					  .handover = answer->handover };
	struct sock_filter filter[FILTER_MAX];
	u32 nr = filter_build(filter, &options);
	bool around = filter_is_around();
	int listener, word = 0, error;

	/* Where Yama is strict only an ancestor may look into a process, or whom it names. */
	prctl(PR_SET_PTRACER, answer->pid, 0, 0, 0);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	listener = filter_install(filter, nr);
	if (listener < 0)
		return listener;
	*ret_entered = true;
	pass_send(socket_fd, &word, sizeof(word), listener, answer->handover);
	/* Answered by whoever has it now, as everything from here on. */
	close(listener);
	while (recv(socket_fd, &error, sizeof(error), 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (!error && around)
		filter_probe();
	return error;
}

int join_execute(const struct control_answer *answer, const struct program *program, unsigned flags,
		 bool *ret_entered)
{
	int control_fd = registry_connect(answer->path), sockets[2], error;
	pid_t helper, self = getpid();

	*ret_entered = false;
	/* The directory goes with the hive: it is not the program that was not found. */
	if (control_fd < 0)
		return control_fd == -ENOENT ? -ECONNREFUSED : control_fd;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0) {
		error = -errno;
		close(control_fd);
		return error;
	}
	helper = fork();
	if (helper == 0) {
		close(sockets[0]);
		help(sockets[1], control_fd, self, flags & GATE_SPAWN_CLIENT ? CONTROL_QUIET : 0);
	}
	error = helper < 0 ? -errno : 0;
	close(control_fd);
	close(sockets[1]);
	if (!error)
		error = enter(answer, sockets[0], ret_entered);
	close(sockets[0]);
	/* A helper that answers our calls stays as long as we do. */
	if (helper > 0 && (!error || !*ret_entered))
		reap(helper);
	return error ? error : program_execute(program);
}

/* Does process pid have the arena's file mapped, which has this mark in /proc/PID/maps? */
static bool has_mapped(const char *pid, const char *mark)
{
	char path[300], line[512];
	bool found = false;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%s/maps", pid);
	maps = fopen(path, "re");
	while (maps && !found && fgets(line, sizeof(line), maps))
		found = strstr(line, mark) != NULL;
	if (maps)
		fclose(maps);
	return found;
}

u32 join_processes(const struct control_answer *answer, pid_t *ret_pids, u32 nr_pids)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	char mark[64];
	u32 nr = 0;

	snprintf(mark, sizeof(mark), " %02x:%02x %llu ", major(answer->arena_device),
		 minor(answer->arena_device), (unsigned long long)answer->arena_inode);
	while (proc && (entry = readdir(proc))) {
		pid_t pid = atoi(entry->d_name);

		if (pid <= 0 || pid == answer->pid || pid == answer->keeper_pid ||
		    !has_mapped(entry->d_name, mark))
			continue;
		if (nr < nr_pids)
			ret_pids[nr] = pid;
		nr++;
	}
	if (proc)
		closedir(proc);
	return nr;
}
