/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kills the supervisor at every point at which the world outside can tell a difference: at each
 * stop of one of its system calls, before and after, from the one that creates its first process
 * to its end. Whatever the point, the workload has to end with its own output and status.
 *
 *   die-at [--every N] skep       a run for each N-th point; 1 if not given. FROM: the first one
 */
#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "harness/tap.h"

#define STATUS	7
#define LIMIT_S 60
/* An execution from a rewritten site, one by vfork, one of another thread's kind: a subshell. */
#define SCRIPT	"/bin/true; (exec /bin/echo one); echo $(/bin/echo two); exit 7"
#define OUTPUT	"one\ntwo\n"

struct run {
	const char *skep;
	long point;		  /* where it dies */
	long points;		  /* stops seen */
	bool began, seized, died; /* counting; a workload was seized; killed at the point */
	pid_t supervisor;
	int output; /* to read from */
};

static void be_supervisor(const struct run *run, int output)
{
	char *const argv[] = { (char *)run->skep, "exec", "--", "/bin/sh", "-c", SCRIPT, NULL };

	dup2(output, 1);
	setpgid(0, 0);
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
		_exit(126);
	raise(SIGSTOP);
	execv(argv[0], argv);
	_exit(127);
}

/* One stop of a system call of the supervisor. */
static void count(struct run *run)
{
	struct user_regs_struct regs;

	if (ptrace(PTRACE_GETREGS, run->supervisor, NULL, &regs) < 0)
		return;
	run->seized |= regs.orig_rax == SYS_ptrace && regs.rdi == PTRACE_SEIZE;
	run->began |= regs.orig_rax == SYS_clone || regs.orig_rax == SYS_fork ||
		      regs.orig_rax == SYS_clone3;
	if (!run->began || run->points++ != run->point)
		return;
	run->died = true;
	kill(run->supervisor, SIGKILL);
}

static void trace(struct run *run)
{
	int status, signal = 0;

	waitpid(run->supervisor, &status, 0);
	ptrace(PTRACE_SETOPTIONS, run->supervisor, NULL,
	       (void *)(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL));
	for (;;) {
		ptrace(PTRACE_SYSCALL, run->supervisor, NULL, (void *)(long)signal);
		signal = 0;
		if (waitpid(run->supervisor, &status, 0) < 0 || !WIFSTOPPED(status))
			return;
		if (WSTOPSIG(status) == (SIGTRAP | 0x80))
			count(run);
		else if (WSTOPSIG(status) != SIGTRAP)
			signal = WSTOPSIG(status);
	}
}

/* Until nobody has the pipe; false: LIMIT_S have passed. */
static bool read_output(int fd, char *text, size_t size)
{
	struct pollfd poll_fd = { fd, POLLIN, 0 };
	time_t end = time(NULL) + LIMIT_S;
	size_t length = 0;
	ssize_t got;

	text[0] = '\0';
	while (length + 1 < size && time(NULL) < end) {
		if (poll(&poll_fd, 1, 1000) <= 0)
			continue;
		got = read(fd, text + length, size - length - 1);
		if (got <= 0)
			return true;
		length += (size_t)got;
		text[length] = '\0';
	}
	return false;
}

/* What the processes that the supervisor left behind have ended with. */
static void reap(struct run *run, bool *ret_own_status, bool *ret_killed, int *ret_strange)
{
	int status;
	pid_t pid;

	while ((pid = wait(&status)) > 0) {
		if (WIFEXITED(status) && WEXITSTATUS(status) == STATUS)
			*ret_own_status = true;
		else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
			*ret_killed = true;
		else if (!WIFEXITED(status) || WEXITSTATUS(status))
			*ret_strange = status;
	}
}

/* True while there are points left. */
static bool die_at(struct run *run)
{
	bool own_status = false, killed = false, ended, good;
	int pipes[2], strange = 0;
	char text[256];

	if (pipe(pipes) < 0)
		return false;
	run->supervisor = fork();
	if (run->supervisor == 0) {
		close(pipes[0]);
		be_supervisor(run, pipes[1]);
	}
	close(pipes[1]);
	trace(run);
	ended = read_output(pipes[0], text, sizeof(text));
	close(pipes[0]);
	if (!ended)
		kill(-run->supervisor, SIGKILL);
	if (!run->died)
		return false;
	reap(run, &own_status, &killed, &strange);
	/* Near the end the supervisor has had its status. */
	good = !killed && strcmp(text, OUTPUT) == 0;
	/* Before its program has begun it ends with the supervisor: is killed, or sees that it is
	 * alone. */
	if (!run->seized) {
		good |= !own_status && !text[0];
		strange = strange == 127 << 8 ? 0 : strange;
	}
	tap_ok(ended && good && !strange, "point %ld: the workload ends as it should", run->point);
	if (!(ended && good && !strange))
		tap_note("output \"%s\", own status %d, killed %d, other status %#x, hung %d", text,
			 own_status, killed, strange, !ended);
	return true;
}

static int entries_in(const char *path)
{
	DIR *dir = opendir(path);
	int nr = -2; /* "." and ".." */

	while (dir && readdir(dir))
		nr++;
	if (dir)
		closedir(dir);
	return nr;
}

int main(int argc, char **argv)
{
	long every = argc == 4 && !strcmp(argv[1], "--every") ? atol(argv[2]) : 1;
	long from = getenv("FROM") ? atol(getenv("FROM")) : 0;
	char place[] = "/tmp/die-at-XXXXXX";
	struct run run;

	if (argc < 2 || every < 1)
		tap_bail("usage: die-at [--every N] skep");
	if (!mkdtemp(place) || setenv("XDG_RUNTIME_DIR", place, 1) < 0)
		tap_bail("no directory for the hives");
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	for (long point = from;; point += every) {
		run = (struct run){ .skep = argv[argc - 1], .point = point };
		if (!die_at(&run))
			break;
	}
	tap_ok(run.points > 100, "the last run is not killed: it has %ld points", run.points);
	/* What the killed ones could not remove, the last one has. */
	tap_is(entries_in(place), 0, "nothing is left in the run-time directory");
	rmdir(place);
	return tap_done();
}
