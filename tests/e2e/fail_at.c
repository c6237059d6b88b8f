/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lets each system call of the supervisor fail once, with an error that it can have, from the one
 * that creates its first process to its end, while a client goes through bpf(2). Whatever fails,
 * nothing hangs and nothing dies by a signal; the client sees errors in one pass at most, or the
 * hive ends with a sentence.
 *
 *   fail-at [--every N] skep       a run for each N-th call; 1 if not given
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "harness/tap.h"

#define LIMIT_S	 60
#define NOT_WELL 3 /* of a client that never got through */
#define PASSES	 3

/* --- the client --- */

static long bpf(unsigned cmd, union bpf_attr *attr)
{
	return syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

/* Closes fd; true if it was one. */
static bool had(long fd)
{
	return fd >= 0 && !close((int)fd);
}

static bool elements(int map)
{
	unsigned keys[2] = { 1, 2 }, token = 0;
	unsigned long long values[2] = { 3, 4 };
	union bpf_attr attr = { .map_fd = (unsigned)map };

	attr.key = (unsigned long)keys;
	attr.value = (unsigned long)values;
	if (bpf(BPF_MAP_UPDATE_ELEM, &attr) || bpf(BPF_MAP_LOOKUP_ELEM, &attr))
		return false;
	memset(&attr, 0, sizeof(attr));
	attr.batch.map_fd = (unsigned)map;
	attr.batch.keys = (unsigned long)keys;
	attr.batch.values = (unsigned long)values;
	attr.batch.count = 2;
	if (bpf(BPF_MAP_UPDATE_BATCH, &attr))
		return false;
	attr.batch.out_batch = (unsigned long)&token;
	attr.batch.count = 2;
	return !bpf(BPF_MAP_LOOKUP_BATCH, &attr) || errno == ENOENT;
}

static bool pinned(int map)
{
	static const char path[] = "/sys/fs/bpf/fail-at";
	union bpf_attr attr = { .bpf_fd = (unsigned)map };
	bool well;

	attr.pathname = (unsigned long)path;
	well = !bpf(BPF_OBJ_PIN, &attr);
	attr.bpf_fd = 0;
	well &= had(bpf(BPF_OBJ_GET, &attr));
	well &= !unlink(path);
	return well;
}

static bool program(void)
{
	static const struct bpf_insn insns[] = { { .code = BPF_ALU64 | BPF_MOV | BPF_K },
						 { .code = BPF_JMP | BPF_EXIT } };
	union bpf_attr attr = { .prog_type = BPF_PROG_TYPE_RAW_TRACEPOINT,
				.insn_cnt = 2,
				.insns = (unsigned long)insns,
				.license = (unsigned long)"GPL" };
	long prog = bpf(BPF_PROG_LOAD, &attr);
	bool well = prog >= 0;

	memset(&attr, 0, sizeof(attr));
	attr.raw_tracepoint.name = (unsigned long)"sys_enter";
	attr.raw_tracepoint.prog_fd = (unsigned)prog;
	well &= had(bpf(BPF_RAW_TRACEPOINT_OPEN, &attr));
	memset(&attr, 0, sizeof(attr));
	attr.test.prog_fd = (unsigned)prog;
	well &= !bpf(BPF_PROG_TEST_RUN, &attr);
	return had(prog) && well;
}

static bool pass(void)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_HASH, .key_size = 4, .value_size = 8, .max_entries = 4
	};
	long map = bpf(BPF_MAP_CREATE, &attr);
	bool well = map >= 0 && elements((int)map) && pinned((int)map);
	int status = 1;
	pid_t pid;

	well &= had(map);
	well &= program();
	pid = vfork();
	if (!pid) {
		execl("/bin/true", "true", NULL);
		_exit(1);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && !status && well;
}

static int client(void)
{
	int i;

	for (i = 0; i < PASSES; i++)
		if (pass())
			return 0;
	return NOT_WELL;
}

/* --- the driver --- */

struct run {
	const char *skep, *self;
	long point, points; /* where it fails; calls seen */
	bool began, failed, inside;
	long call;	     /* that has failed */
	int status, message; /* of the supervisor; to read from */
	pid_t supervisor;
};

static void be_supervisor(const struct run *run, int message)
{
	char *const argv[] = {
		(char *)run->skep, "exec", "--", (char *)run->self, "--client", NULL
	};

	dup2(message, 2);
	setpgid(0, 0);
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
		_exit(126);
	raise(SIGSTOP);
	execv(argv[0], argv);
	_exit(127);
}

/* What this call can fail with; 0: it cannot, or its failure says that the other side is gone. */
static long error_of(const struct user_regs_struct *regs)
{
	switch (regs->orig_rax) {
	case SYS_exit:
	case SYS_exit_group:
	case SYS_rt_sigreturn:
	case SYS_restart_syscall:
	case SYS_brk:
	case SYS_futex:
	case SYS_getpid:
	case SYS_gettid:
	case SYS_getuid:
	case SYS_close:
	case SYS_munmap:
	case SYS_kill:
	case SYS_wait4:
	case SYS_waitid:
	case SYS_clock_gettime:
	case SYS_rt_sigprocmask:
	case SYS_rt_sigaction: return 0;
	case SYS_ioctl:
		return regs->rsi == SECCOMP_IOCTL_NOTIF_SEND ||
				       regs->rsi == SECCOMP_IOCTL_NOTIF_ID_VALID
			       ? 0
		       : regs->rsi == SECCOMP_IOCTL_NOTIF_RECV ? EINTR
							       : ENOMEM;
	case SYS_ptrace: return 0; /* die-at is about these */
	case SYS_read:
	case SYS_poll:
	case SYS_ppoll:
	case SYS_epoll_wait:
	case SYS_epoll_pwait: return EINTR;
	case SYS_write:
	case SYS_pwrite64:
	case SYS_ftruncate:
	case SYS_fallocate: return ENOSPC;
	case SYS_openat:
	case SYS_open:
	case SYS_dup:
	case SYS_socket:
	case SYS_pidfd_open:
	case SYS_pidfd_getfd:
	case SYS_eventfd2: return EMFILE;
	default: return ENOMEM;
	}
}

/* One stop of a system call of the supervisor. */
static void count(struct run *run)
{
	struct user_regs_struct regs;
	bool entry = !run->inside;
	long error;

	run->inside = entry;
	if (ptrace(PTRACE_GETREGS, run->supervisor, NULL, &regs) < 0)
		return;
	if (!entry) {
		if (run->failed && run->call >= 0 && (long)regs.orig_rax == -1) {
			regs.rax = (unsigned long)-run->status;
			ptrace(PTRACE_SETREGS, run->supervisor, NULL, &regs);
			run->status = 0;
		}
		run->began |= regs.orig_rax == SYS_clone || regs.orig_rax == SYS_fork ||
			      regs.orig_rax == SYS_clone3;
		return;
	}
	error = run->began ? error_of(&regs) : 0;
	if (!error || run->failed || run->points++ != run->point)
		return;
	run->failed = true;
	run->call = (long)regs.orig_rax;
	run->status = (int)error;
	regs.orig_rax = (unsigned long)-1;
	ptrace(PTRACE_SETREGS, run->supervisor, NULL, &regs);
}

static void trace(struct run *run)
{
	int status, signal = 0;

	waitpid(run->supervisor, &status, 0);
	ptrace(PTRACE_SETOPTIONS, run->supervisor, NULL,
	       (void *)(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL));
	alarm(LIMIT_S);
	for (;;) {
		ptrace(PTRACE_SYSCALL, run->supervisor, NULL, (void *)(long)signal);
		signal = 0;
		if (waitpid(run->supervisor, &status, 0) < 0 || !WIFSTOPPED(status))
			break;
		if (WSTOPSIG(status) == (SIGTRAP | 0x80))
			count(run);
		else if (WSTOPSIG(status) != SIGTRAP)
			signal = WSTOPSIG(status);
	}
	alarm(0);
	run->status = status;
}

static struct run run;

/* It hangs: all of it ends, and the run is a failed one. */
static void on_alarm(int sig)
{
	kill(-run.supervisor, SIGKILL);
	kill(run.supervisor, SIGKILL);
}

/* Do all that are left end? */
static bool rest_ends(void)
{
	time_t end = time(NULL) + LIMIT_S;
	pid_t pid;

	while ((pid = waitpid(-1, NULL, WNOHANG)) >= 0 && time(NULL) < end)
		if (!pid)
			usleep(1000);
	return pid < 0;
}

/* True while there are points left. */
static bool fail_at(void)
{
	char text[512] = "";
	int pipes[2];
	ssize_t length;
	bool ended, well;

	if (pipe(pipes) < 0)
		return false;
	fflush(stdout);
	run.supervisor = fork();
	if (run.supervisor == 0) {
		close(pipes[0]);
		be_supervisor(&run, pipes[1]);
	}
	close(pipes[1]);
	trace(&run);
	ended = rest_ends();
	fcntl(pipes[0], F_SETFL, O_NONBLOCK);
	length = read(pipes[0], text, sizeof(text) - 1);
	close(pipes[0]);
	if (!run.failed)
		return false;
	/* The client got through, or the hive has said why not. */
	well = WIFEXITED(run.status) && (!WEXITSTATUS(run.status) || length > 0);
	tap_ok(ended && well, "point %ld: call %ld fails", run.point, run.call);
	if (!(ended && well))
		tap_note("status %#x, hung %d, said \"%.300s\"", run.status, !ended, text);
	return true;
}

int main(int argc, char **argv)
{
	long every = argc == 4 && !strcmp(argv[1], "--every") ? atol(argv[2]) : 1, point;
	long from = getenv("FROM") ? atol(getenv("FROM")) : 0;
	char place[] = "/tmp/fail-at-XXXXXX", self[256] = "";

	if (argc == 2 && !strcmp(argv[1], "--client"))
		return client();
	if (argc < 2 || every < 1 || readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		tap_bail("usage: fail-at [--every N] skep");
	if (!mkdtemp(place) || setenv("XDG_RUNTIME_DIR", place, 1) < 0)
		tap_bail("no directory for the hives");
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	signal(SIGALRM, on_alarm);
	for (point = from;; point += every) {
		run = (struct run){
			.skep = argv[argc - 1], .self = self, .point = point, .call = -1
		};
		if (!fail_at())
			break;
	}
	tap_ok(run.points > 100, "the last run has no failure: it has %ld points", run.points);
	rmdir(place);
	return tap_done();
}
