/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Starting a process in the hive. The child installs the filter on itself and hands its listener
 * over in the one call that the filter lets pass from there; its execve is then the first
 * notification. The supervisor serves meanwhile, until the status socket, which closes on exec,
 * says how it went.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "agent/facade.h"
#include "base/alloc.h"
#include "gate/filter.h"
#include "gate/state.h"

extern char **environ;

/* What the child needs, prepared before fork(): after it only system calls are made. */
struct start {
	const char *path;
	char *const *argv;
	char *const *shell_argv; /* for a script without an interpreter line */
	char *const *envp;
	const sigset_t *signals;
	struct sock_filter filter[FILTER_MAX];
	u32 nr_filter, handover;
	int socket;
};

static void __attribute__((noreturn)) fail(const struct start *start, int error)
{
	(void)!write(start->socket, &error, sizeof(error));
	_exit(127);
}

static void send_listener(const struct start *start, int listener)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { .space = { 0 } };
	int ok = 0;
	struct iovec iov = { &ok, sizeof(ok) };
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &listener, sizeof(int));
	/* The mark in the upper half of flags is what the filter knows the call by. */
	syscall(SYS_sendmsg, start->socket, &message, (long)((u64)start->handover << 32));
}

/*
 * Does bpf(2) reach the supervisor? A filter that was there before, as container engines install
 * it, wins if it denies. The errno, positive, is then what the supervisor reads from the socket.
 */
static void probe(const struct start *start)
{
	struct agent_hive_info info;

	if (syscall(SYS_bpf, AGENT_HIVE_INFO, &info, sizeof(info)) < 0)
		(void)!write(start->socket, &errno, sizeof(errno));
}

static void __attribute__((noreturn)) child_main(const struct start *start)
{
	int listener;

	pthread_sigmask(SIG_SETMASK, start->signals, NULL);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		fail(start, -errno);
	listener = filter_install(start->filter, start->nr_filter);
	if (listener < 0)
		fail(start, listener);
	send_listener(start, listener);
	probe(start);
	execve(start->path, start->argv, start->envp);
	if (errno == ENOEXEC)
		execve("/bin/sh", start->shell_argv, start->envp);
	fail(start, -errno);
}

/* Finds name as execvp() does: 0 and the path, or the most telling error. */
static int find_program(const char *name, char *ret_path, u64 size)
{
	const char *search = getenv("PATH"), *next;
	int error = -ENOENT;

	if (strchr(name, '/')) {
		snprintf(ret_path, size, "%s", name);
		return strlen(name) < size ? 0 : -ENAMETOOLONG;
	}
	if (!*name)
		return -ENOENT;
	if (!search)
		search = "/usr/local/bin:/usr/bin:/bin";
	for (; search; search = next) {
		u64 length = strcspn(search, ":");
		struct stat st;
		int written;

		next = search[length] ? search + length + 1 : NULL;
		written = length ? snprintf(ret_path, size, "%.*s/%s", (int)length, search, name)
				 : snprintf(ret_path, size, "./%s", name);
		if (written < 0 || (u64)written >= size || stat(ret_path, &st) < 0)
			continue;
		if (S_ISREG(st.st_mode) && access(ret_path, X_OK) == 0)
			return 0;
		error = -EACCES;
	}
	return error;
}

static int receive_listener(int socket_fd, int *ret_listener)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	int error = -EIO;
	struct iovec iov = { &error, sizeof(error) };
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	struct cmsghdr *header;
	ssize_t size;

	do {
		size = recvmsg(socket_fd, &message, MSG_CMSG_CLOEXEC);
	} while (size < 0 && errno == EINTR);
	if (size != sizeof(error))
		return -EIO;
	header = CMSG_FIRSTHDR(&message);
	if (error || !header || header->cmsg_type != SCM_RIGHTS)
		return error ? error : -EIO;
	memcpy(ret_listener, CMSG_DATA(header), sizeof(int));
	return 0;
}

/* Serves until the child has executed its program (0) or could not (-errno). */
static int wait_for_exec(struct gate *gate, int socket_fd)
{
	struct signalfd_siginfo signal;
	int word;

	for (;;) {
		while (!gate_step(gate, socket_fd, &signal))
			if (signal.ssi_signo && signal.ssi_code != SI_KERNEL)
				gate->early_signal = (int)signal.ssi_signo;
		if (recv(socket_fd, &word, sizeof(word), 0) != sizeof(word))
			return 0;
		if (word < 0)
			return word;
		gate_message(gate,
			     "a seccomp filter around this hive denies bpf(2) (%s), so no program "
			     "can be "
			     "loaded here: a container needs a profile that allows it",
			     strerror(word));
	}
}

static struct gate_child *free_child(struct gate *gate)
{
	for (u32 i = 0; i < LISTENER_MAX; i++)
		if (!gate->children[i].pid)
			return &gate->children[i];
	return NULL;
}

static char **make_shell_argv(const char *path, char *const argv[])
{
	u32 nr = 0;
	char **shell;

	while (argv[nr])
		nr++;
	shell = base_zalloc(nr + 3, sizeof(*shell));
	if (!shell)
		return NULL;
	shell[0] = (char *)"sh";
	shell[1] = (char *)path;
	for (u32 i = 1; i < nr; i++)
		shell[i + 1] = argv[i];
	return shell;
}

static void collect_child(struct gate *gate, struct gate_child *child)
{
	struct signalfd_siginfo signal;

	while (!child->ended)
		gate_step(gate, -1, &signal);
	child->pid = 0;
}

static pid_t start_child(struct gate *gate, struct start *start, unsigned flags)
{
	struct gate_child *child = free_child(gate);
	int sockets[2], listener, error;
	pid_t pid;

	if (!child)
		return -EMFILE;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0)
		return -errno;
	start->socket = sockets[1];
	pid = fork();
	if (pid == 0)
		child_main(start);
	error = pid < 0 ? -errno : 0;
	close(sockets[1]);
	if (!error) {
		*child = (struct gate_child){ .pid = pid };
		if (flags & GATE_SPAWN_CLIENT)
			process_set_quiet(gate->processes, pid);
		error = receive_listener(sockets[0], &listener);
		if (error == -EBUSY)
			gate_message(gate,
				     "another program already supervises this process through "
				     "seccomp, and "
				     "Linux allows one such supervisor: start skep outside of it");
		if (!error)
			error = gate_add_listener(gate, listener);
		/* Nobody would answer the child's next call. */
		if (error)
			kill(pid, SIGKILL);
		else
			error = wait_for_exec(gate, sockets[0]);
		if (error)
			collect_child(gate, child);
	}
	close(sockets[0]);
	return error ? error : pid;
}

pid_t gate_spawn(struct gate *gate, char *const argv[], char *const envp[], unsigned flags)
{
	struct filter_options filter = { .notify_ip = gate->agent_notify_ip,
					 .restorer_ip = gate->agent_restorer_ip,
					 .handover = gate->handover };
	struct start start = { .argv = argv,
			       .envp = envp ? envp : environ,
			       .signals = &gate->old_signals,
			       .handover = gate->handover };
	char path[4096];
	char **shell_argv;
	pid_t pid;
	int error;

	if (!argv || !argv[0])
		return -EINVAL;
	error = find_program(argv[0], path, sizeof(path));
	if (error)
		return error;
	shell_argv = make_shell_argv(path, argv);
	if (!shell_argv)
		return -ENOMEM;
	start.path = path;
	start.shell_argv = shell_argv;
	start.nr_filter = filter_build(start.filter, &filter);
	pid = start_child(gate, &start, flags);
	base_free(shell_argv);
	return pid;
}
