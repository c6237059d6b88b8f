/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Without a keeper, the death of the supervisor would turn every notified call of the processes
 * that still run into ENOSYS. The keeper holds copies of the listeners, and the slots in which the
 * notification in service stands: that one was received and never answered if the supervisor was
 * killed between the two.
 *
 * It holds nothing else: no terminal, no pipe, no working directory; a session of its own.
 */
#include "gate/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "gate/directory.h"
#include "gate/pass.h"
#include "hook/hook.h"

#define SLOTS_SIZE (LISTENER_MAX * sizeof(struct listener_slot))

enum keeper_word { KEEPER_LISTENER = 1, KEEPER_DISMISS, KEEPER_TAKE_OVER };

struct keeper_message {
	u32 word;
	u32 index;
};

/* What the keeper process works with. */
struct keeping {
	struct listener listeners[LISTENER_MAX];
	struct pollfd polls[LISTENER_MAX + 1];
};

/*
 * The next message, or 0 when none will come: the supervisor is dead. An end of file alone would
 * not tell: what it forked has its end of the socket too, until that executes a program.
 */
static long next_message(int socket_fd, int supervisor_fd, struct keeper_message *ret_message,
			 int *ret_fd)
{
	struct pollfd polls[] = { { socket_fd, POLLIN, 0 }, { supervisor_fd, POLLIN, 0 } };

	while (poll(polls, ARRAY_SIZE(polls), -1) < 0)
		;
	/* What was sent before the death comes first. */
	if (polls[0].revents || poll(polls, 1, 0) == 1)
		return pass_receive(socket_fd, ret_message, sizeof(*ret_message), ret_fd, 0);
	return 0;
}

/* Waits until the supervisor is gone, collecting listeners. False: dismissed. */
static bool wait_for_end(struct keeping *keeping, int socket_fd, int supervisor_fd)
{
	struct keeper_message message;
	int fd;

	while (next_message(socket_fd, supervisor_fd, &message, &fd) == sizeof(message)) {
		if (message.word == KEEPER_DISMISS)
			return false;
		if (message.word == KEEPER_TAKE_OVER)
			return true;
		if (fd < 0)
			continue;
		if (message.index >= LISTENER_MAX) {
			close(fd);
			continue;
		}
		if (keeping->listeners[message.index].fd >= 0)
			close(keeping->listeners[message.index].fd);
		keeping->listeners[message.index].fd = fd;
	}
	return true;
}

static void keep(struct keeping *keeping)
{
	u32 open = 0;

	for (u32 i = 0; i < LISTENER_MAX; i++) {
		keeping->polls[i] = (struct pollfd){ keeping->listeners[i].fd, POLLIN, 0 };
		if (keeping->listeners[i].fd < 0)
			continue;
		listener_release(&keeping->listeners[i]);
		open++;
	}
	while (open) {
		if (poll(keeping->polls, LISTENER_MAX, -1) < 0)
			continue;
		for (u32 i = 0; i < LISTENER_MAX; i++) {
			struct listener *listener = &keeping->listeners[i];

			if (keeping->polls[i].revents & POLLIN) {
				if (listener_receive(listener) <= 0)
					continue;
				/* Agents go on with what they know, as long as they see it all. */
				if (hook_changes_descriptors((u32)listener->slot->notif.data.nr))
					sys_tickets_stop();
				listener_continue(listener);
			} else if (keeping->polls[i].revents & (POLLHUP | POLLERR | POLLNVAL)) {
				close(listener->fd);
				keeping->polls[i].fd = -1;
				open--;
			}
		}
	}
}

static void be_nobody(int lock_fd, int socket_fd, int supervisor_fd)
{
	int kept[] = { lock_fd, socket_fd, supervisor_fd };
	static const int ignored[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGTSTP };
	sigset_t none;

	setsid();
	for (u32 i = 0; i < ARRAY_SIZE(ignored); i++)
		signal(ignored[i], SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_NAME, "skep-keeper");
	pass_close_others(kept, ARRAY_SIZE(kept));
	if (chdir("/") < 0)
		_exit(1);
}

static void __attribute__((noreturn))
keeper_main(struct listener_slot *slots, const char *directory, int lock_fd, int socket_fd,
	    int supervisor_fd)
{
	static struct keeping keeping;

	be_nobody(lock_fd, socket_fd, supervisor_fd);
	for (u32 i = 0; i < LISTENER_MAX; i++)
		keeping.listeners[i] = (struct listener){ .fd = -1, .slot = &slots[i] };
	if (wait_for_end(&keeping, socket_fd, supervisor_fd)) {
		keep(&keeping);
		directory_dispose(directory);
	}
	_exit(0);
}

/* A keeper process for the slots that are there. */
static int start(struct keeper *keeper, const char *directory, int lock_fd)
{
	int sockets[2], self = (int)syscall(SYS_pidfd_open, getpid(), 0), error = 0;
	pid_t pid;

	if (self < 0)
		return -errno;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0) {
		error = -errno;
		close(self);
		return error;
	}
	pid = fork();
	if (pid == 0) {
		close(sockets[0]);
		keeper_main(keeper->slots, directory, lock_fd, sockets[1], self);
	}
	if (pid < 0) {
		error = -errno;
		close(sockets[0]);
	} else {
		keeper->pid = pid;
		keeper->socket = sockets[0];
	}
	close(sockets[1]);
	close(self);
	return error;
}

int keeper_start(struct keeper *keeper, const char *directory, int lock_fd)
{
	int error;

	*keeper = (struct keeper){ .socket = -1 };
	keeper->slots =
		mmap(NULL, SLOTS_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (keeper->slots == MAP_FAILED) {
		keeper->slots = NULL;
		return -errno;
	}
	/* Resident, so that the kernel never has to fault it in while it hands a notification over.
	 */
	memset(keeper->slots, 0, SLOTS_SIZE);
	error = start(keeper, directory, lock_fd);
	if (error)
		keeper_stop(keeper, true);
	return error;
}

int keeper_replace(struct keeper *keeper, const char *directory, int lock_fd)
{
	close(keeper->socket);
	keeper->socket = -1;
	keeper->pid = 0;
	return start(keeper, directory, lock_fd);
}

int keeper_add_listener(struct keeper *keeper, int listener_fd, u32 index)
{
	struct keeper_message word = { KEEPER_LISTENER, index };

	return pass_send(keeper->socket, &word, sizeof(word), listener_fd, 0);
}

void keeper_stop(struct keeper *keeper, bool dismiss)
{
	struct keeper_message word = { dismiss ? KEEPER_DISMISS : KEEPER_TAKE_OVER, 0 };

	if (keeper->socket >= 0) {
		if (keeper->pid)
			(void)!send(keeper->socket, &word, sizeof(word), MSG_NOSIGNAL);
		close(keeper->socket);
	}
	if (dismiss && keeper->pid)
		while (waitpid(keeper->pid, NULL, 0) < 0 && errno == EINTR)
			;
	if (keeper->slots)
		munmap(keeper->slots, SLOTS_SIZE);
	*keeper = (struct keeper){ .socket = -1 };
}
