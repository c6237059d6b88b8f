/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Starting a process in the hive. The child installs the filter on itself and hands its listener
 * over in the one call that the filter lets pass from there; its execve is then the first
 * notification. The supervisor serves meanwhile, until the status socket, which closes on exec,
 * says how it went.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "agent/facade.h"
#include "gate/filter.h"
#include "gate/pass.h"
#include "gate/program.h"
#include "gate/state.h"

/* What the child needs, prepared before fork(): after it only system calls are made. */
struct start {
	struct program program;
	const sigset_t *signals;
	struct sock_filter filter[FILTER_MAX];
	u32 nr_filter, handover;
	int socket;
	pid_t supervisor;
};

static void __attribute__((noreturn)) fail(const struct start *start, int error)
{
	(void)!write(start->socket, &error, sizeof(error));
	_exit(127);
}

static void __attribute__((noreturn)) child_main(const struct start *start)
{
	bool around = filter_is_around();
	int listener, ok = 0;

	pthread_sigmask(SIG_SETMASK, start->signals, NULL);
	/* Until the keeper has the listener too, nobody would answer if the supervisor were killed.
	 */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		fail(start, -errno);
	if (getppid() != start->supervisor)
		_exit(127);
	listener = filter_install(start->filter, start->nr_filter);
	if (listener < 0)
		fail(start, listener);
	/* The mark is what the filter knows the call by. */
	pass_send(start->socket, &ok, sizeof(ok), listener, start->handover);
	/* Answered by the supervisor or the keeper, as everything from here on. */
	prctl(PR_SET_PDEATHSIG, 0);
	if (around)
		filter_probe();
	fail(start, program_execute(&start->program));
}

static int receive_listener(int socket_fd, int *ret_listener)
{
	int error;

	if (pass_receive(socket_fd, &error, sizeof(error), ret_listener, 0) != sizeof(error))
		return -EIO;
	return error || *ret_listener >= 0 ? error : -EIO;
}

/* Serves until the child has executed its program (0) or could not (-errno). */
static int wait_for_exec(struct gate *gate, int socket_fd)
{
	struct signalfd_siginfo signal;
	int word;

	while (!gate_step(gate, socket_fd, &signal))
		if (signal.ssi_signo && signal.ssi_code != SI_KERNEL)
			gate->early_signal = (int)signal.ssi_signo;
	return recv(socket_fd, &word, sizeof(word), 0) == sizeof(word) ? word : 0;
}

static struct gate_child *free_child(struct gate *gate)
{
	for (u32 i = 0; i < LISTENER_MAX; i++)
		if (!gate->children[i].pid)
			return &gate->children[i];
	return NULL;
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
	start->supervisor = getpid();
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
	struct start start = { .signals = &gate->old_signals, .handover = gate->handover };
	pid_t pid;
	int error;

	error = program_find(&start.program, argv, envp);
	if (error)
		return error;
	start.nr_filter = filter_build(start.filter, &filter);
	pid = start_child(gate, &start, flags);
	program_done(&start.program);
	return pid;
}
