/* SPDX-License-Identifier: BSD-2-Clause */
/* See workload.h. */
#include "workload.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "command.h"

/*
 * Executes argv once, by the path that execvp(3) would end at: its failed attempts along PATH would
 * be events that nobody asked for. Returns the reason for a failure.
 */
static int execute(char *const argv[])
{
	const char *path = getenv("PATH");
	char name[PATH_MAX], *copy, *rest, *dir;
	struct stat st;
	int err = ENOENT;

	if (strchr(argv[0], '/')) {
		execv(argv[0], argv);
		return errno;
	}
	copy = rest = strdup(path ? path : "/bin:/usr/bin");
	while (copy && *argv[0] && (dir = strsep(&rest, ":"))) {
		if (snprintf(name, sizeof(name), "%s/%s", *dir ? dir : ".", argv[0]) >=
			    (int)sizeof(name) ||
		    stat(name, &st) || !S_ISREG(st.st_mode))
			continue;
		err = EACCES; /* unless a later one can be executed */
		if (access(name, X_OK))
			continue;
		execv(name, argv);
		err = errno;
		break;
	}
	free(copy);
	return err;
}

/* In the child. old: the signal mask from before we blocked ours. */
static void become_command(char *const argv[], int go, const sigset_t *old)
{
	char byte;
	ssize_t size;

	do
		size = read(go, &byte, 1);
	while (size < 0 && errno == EINTR);
	if (size != 1)
		_exit(1); /* cancelled */
	close(go);
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, old, NULL);
	_exit(command_not_run(argv[0], execute(argv)));
}

int workload_prepare(struct workload *workload, char *const argv[])
{
	sigset_t ours, old;
	int go[2];

	sigemptyset(&ours);
	sigaddset(&ours, SIGINT);
	sigaddset(&ours, SIGTERM);
	sigaddset(&ours, SIGHUP);
	sigaddset(&ours, SIGCHLD);
	*workload = (struct workload){ .pid = -1, .go = -1, .signals = -1 };
	if (pipe2(go, O_CLOEXEC))
		return -errno;
	sigprocmask(SIG_BLOCK, &ours, &old);
	workload->signals = signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
	workload->pid = fork();
	if (workload->pid == 0) {
		close(go[1]);
		become_command(argv, go[0], &old);
	}
	close(go[0]);
	if (workload->pid < 0 || workload->signals < 0) {
		int err = errno;

		close(go[1]);
		return -err;
	}
	workload->go = go[1];
	return 0;
}

void workload_start(struct workload *workload)
{
	/* If the child is gone already, SIGCHLD tells; SIGPIPE is ignored by the loader. */
	if (write(workload->go, "", 1) < 0)
		kill(workload->pid, SIGKILL);
	close(workload->go);
	workload->go = -1;
}

/*
 * A signal to a whole process group reaches us from its sender and again from the supervisor, who
 * passes it on: what comes at once is one request.
 */
#define REQUEST_MS 500

static void asked_to_end(struct workload *workload, const struct signalfd_siginfo *info)
{
	struct timespec now;
	long long now_ms;
	bool again;

	if ((info->ssi_code == SI_KERNEL && info->ssi_signo == SIGINT) || workload->ended)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	now_ms = now.tv_sec * 1000LL + now.tv_nsec / 1000000;
	again = workload->asked_ms && now_ms - workload->asked_ms > REQUEST_MS;
	if (workload->asked_ms && !again)
		return;
	workload->asked_ms = now_ms;
	kill(workload->pid, again ? SIGKILL : (int)info->ssi_signo);
}

void workload_signals(struct workload *workload)
{
	struct signalfd_siginfo info;

	while (read(workload->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo != SIGCHLD)
			asked_to_end(workload, &info);
		else if (!workload->ended &&
			 waitpid(workload->pid, &workload->status, WNOHANG) == workload->pid)
			workload->ended = true;
	}
}

void workload_cancel(struct workload *workload)
{
	if (workload->go >= 0)
		close(workload->go);
	workload->go = -1;
	if (workload->pid > 0 && !workload->ended)
		waitpid(workload->pid, &workload->status, 0);
	workload->ended = true;
}
