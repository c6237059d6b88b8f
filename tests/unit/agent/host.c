/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * host PART: as target.c, behaviours of programs that do more than most with signals and with what
 * a process is: waiting for signals that the agent handles itself, sandboxes, daemons, other roots
 * and name spaces, debuggers. `host list` names the parts.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/types.h"

static volatile sig_atomic_t hits, last;
static char *self;

#define CHECK(condition)                                                                          \
	do {                                                                                      \
		if (!(condition)) {                                                               \
			fprintf(stderr, "%s:%d: %s (errno %d)\n", __FILE__, __LINE__, #condition, \
				errno);                                                           \
			exit(1);                                                                  \
		}                                                                                 \
	} while (0)

/* Those that the agent handles itself, and one that it does not. */
static const int signals[] = { SIGTRAP, SIGSEGV, SIGBUS, SIGSYS, SIGUSR1 };

static void count(int sig)
{
	hits++;
	last = sig;
}

static void catch (int sig, void (*handler)(int), int flags)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };

	CHECK(sigaction(sig, &action, NULL) == 0);
}

static sigset_t set_of(int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	return set;
}

static void block(int sig)
{
	sigset_t set = set_of(sig);

	CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
}

static int status_of(void (*child)(int), int argument)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		child(argument);
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	return status;
}

/* Does the process sleep, with no signal on its way to it? */
static bool is_waiting(pid_t pid)
{
	unsigned long long pending = 1;
	char path[64], line[256], state = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		sscanf(line, "State: %c", &state);
		sscanf(line, "ShdPnd: %llx", &pending);
	}
	if (file)
		fclose(file);
	return state == 'S' && !pending;
}

/* A child that sends sig to this process as often as it is told, each time when it waits: two at
 * once would be one. */
static pid_t sender(int sig, int times)
{
	pid_t parent = getpid(), pid = fork();

	if (pid)
		return pid;
	for (int i = 0; i < times; i++) {
		do
			usleep(20000);
		while (getppid() == parent && !is_waiting(parent));
		kill(parent, sig);
	}
	_exit(0);
}

/* ---- waiting for signals ---- */

static void play_sigwait(void)
{
	struct timespec second = { 30, 0 };
	siginfo_t info;
	int got;

	for (u32 i = 0; i < ARRAY_SIZE(signals); i++) {
		sigset_t set = set_of(signals[i]);
		pid_t pid;

		block(signals[i]);
		/* One that waits already, and one that comes. */
		kill(getpid(), signals[i]);
		CHECK(sigwait(&set, &got) == 0 && got == signals[i]);
		pid = sender(signals[i], 1);
		CHECK(sigwaitinfo(&set, &info) == signals[i] && info.si_pid == pid);
		CHECK(waitpid(pid, NULL, 0) == pid);
		pid = sender(signals[i], 1);
		CHECK(sigtimedwait(&set, &info, &second) == signals[i]);
		CHECK(waitpid(pid, NULL, 0) == pid);
		second.tv_sec = 0;
		CHECK(sigtimedwait(&set, &info, &second) == -1 && errno == EAGAIN);
		second.tv_sec = 30;
	}
}

static void play_signalfd(void)
{
	struct signalfd_siginfo info;

	for (u32 i = 0; i < ARRAY_SIZE(signals); i++) {
		sigset_t set = set_of(signals[i]);
		struct pollfd poll_fd = { .events = POLLIN };
		pid_t pid;

		block(signals[i]);
		poll_fd.fd = signalfd(-1, &set, SFD_CLOEXEC);
		CHECK(poll_fd.fd >= 0 && poll(&poll_fd, 1, 0) == 0);
		kill(getpid(), signals[i]);
		CHECK(poll(&poll_fd, 1, 30000) == 1);
		CHECK(read(poll_fd.fd, &info, sizeof(info)) == sizeof(info));
		CHECK((int)info.ssi_signo == signals[i] && info.ssi_pid == (u32)getpid());
		pid = sender(signals[i], 1);
		CHECK(poll(&poll_fd, 1, 30000) == 1);
		CHECK(read(poll_fd.fd, &info, sizeof(info)) == sizeof(info));
		CHECK((int)info.ssi_signo == signals[i] && info.ssi_pid == (u32)pid);
		CHECK(waitpid(pid, NULL, 0) == pid);
		pid = sender(signals[i], 1);
		CHECK(read(poll_fd.fd, &info, sizeof(info)) == sizeof(info));
		CHECK(waitpid(pid, NULL, 0) == pid);
		close(poll_fd.fd);
	}
}

/* The mask opens one for as long as the call waits. */
static void play_opened(void)
{
	struct timespec seconds = { 30, 0 };

	for (u32 i = 0; i < ARRAY_SIZE(signals); i++) {
		sigset_t open;
		pid_t pid;

		catch (signals[i], count, 0);
		block(signals[i]);
		CHECK(sigprocmask(SIG_BLOCK, NULL, &open) == 0);
		sigdelset(&open, signals[i]);
		hits = 0;
		kill(getpid(), signals[i]);
		CHECK(hits == 0);
		CHECK(sigsuspend(&open) == -1 && errno == EINTR && hits == 1);
		kill(getpid(), signals[i]);
		CHECK(ppoll(NULL, 0, &seconds, &open) == -1 && errno == EINTR && hits == 2);
		kill(getpid(), signals[i]);
		CHECK(pselect(0, NULL, NULL, NULL, &seconds, &open) == -1 && errno == EINTR &&
		      hits == 3);
		pid = sender(signals[i], 3);
		CHECK(sigsuspend(&open) == -1 && hits == 4);
		CHECK(ppoll(NULL, 0, &seconds, &open) == -1 && hits == 5);
		CHECK(pselect(0, NULL, NULL, NULL, &seconds, &open) == -1 && hits == 6);
		CHECK(waitpid(pid, NULL, 0) == pid);
		CHECK(last == signals[i]);
	}
}

static void reset_twice(int sig)
{
	hits = 0;
	catch (sig, count, SA_RESETHAND);
	kill(getpid(), sig);
	if (hits == 1)
		kill(getpid(), sig);
}

static void play_resethand(void)
{
	struct sigaction action;

	for (u32 i = 0; i < ARRAY_SIZE(signals); i++) {
		int status = status_of(reset_twice, signals[i]);

		CHECK(WIFSIGNALED(status) && WTERMSIG(status) == signals[i]);
		catch (signals[i], count, SA_RESETHAND);
		kill(getpid(), signals[i]);
		CHECK(sigaction(signals[i], NULL, &action) == 0 && action.sa_handler == SIG_DFL);
	}
}

static char stack[65536];
static volatile bool on_stack;

static void look(int sig)
{
	char here;

	on_stack = &here >= stack && &here < stack + sizeof(stack);
	hits++;
}

static void play_altstack(void)
{
	stack_t new = { .ss_sp = stack, .ss_size = sizeof(stack) }, old;

	CHECK(sigaltstack(&new, NULL) == 0);
	for (u32 i = 0; i < ARRAY_SIZE(signals); i++) {
		on_stack = false;
		catch (signals[i], look, SA_ONSTACK);
		kill(getpid(), signals[i]);
		CHECK(on_stack);
		catch (signals[i], look, 0);
		kill(getpid(), signals[i]);
		CHECK(!on_stack || signals[i] != SIGUSR1);
	}
	CHECK(sigaltstack(NULL, &old) == 0 && old.ss_sp == stack && !(old.ss_flags & SS_ONSTACK));
}

/* SIGPROF thousands of times, in calls and between them. */
static void play_profile(void)
{
	struct itimerval often = { { 0, 200 }, { 0, 200 } }, never = { 0 };
	char byte = 'x', back;
	int pipes[2];

	catch (SIGPROF, count, SA_RESTART);
	CHECK(pipe(pipes) == 0 && setitimer(ITIMER_PROF, &often, NULL) == 0);
	for (int i = 0; i < 50000 || hits < 10; i++) {
		CHECK(write(pipes[1], &byte, 1) == 1 && read(pipes[0], &back, 1) == 1);
		CHECK(getppid() > 0);
	}
	CHECK(setitimer(ITIMER_PROF, &never, NULL) == 0);
}

/* ---- sandboxes ---- */

#define ALLOW(name)                                             \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_##name, 0, 1), \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static void sandbox(u32 otherwise)
{
	struct sock_filter insns[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		ALLOW(read),
		ALLOW(write),
		ALLOW(exit),
		ALLOW(exit_group),
		ALLOW(rt_sigreturn),
		ALLOW(getppid),
		ALLOW(futex),
		/* What the agent needs to run a handler (README, Limits). */
		ALLOW(rt_sigprocmask),
		BPF_STMT(BPF_RET | BPF_K, otherwise),
	};
	struct sock_fprog program = { ARRAY_SIZE(insns), insns };

	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHECK(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0);
}

static void in_sandbox(int otherwise)
{
	int pipes[2];
	char byte = 'x';

	catch (SIGUSR1, count, 0);
	CHECK(pipe(pipes) == 0);
	sandbox((u32)otherwise);
	for (int i = 0; i < 100; i++)
		if (write(pipes[1], &byte, 1) != 1 || read(pipes[0], &byte, 1) != 1 ||
		    getppid() <= 0)
			_exit(1);
}

static void play_sandbox(void)
{
	CHECK(status_of(in_sandbox, (int)SECCOMP_RET_KILL_PROCESS) == 0);
	CHECK(status_of(in_sandbox, (int)SECCOMP_RET_ERRNO | EPERM) == 0);
}

static void killed_by_sandbox(int unused)
{
	sandbox(SECCOMP_RET_KILL_PROCESS);
	getuid();
}

static void trapped(int sig, siginfo_t *info, void *context)
{
	hits += info->si_syscall == SYS_getuid && info->si_signo == SIGSYS;
}

static void trapped_by_sandbox(int unused)
{
	struct sigaction action = { .sa_sigaction = trapped, .sa_flags = SA_SIGINFO };

	CHECK(sigaction(SIGSYS, &action, NULL) == 0);
	sandbox(SECCOMP_RET_TRAP);
	getuid();
	_exit(hits == 1 ? 0 : 1);
}

static void play_sandbox_denies(void)
{
	int status = status_of(killed_by_sandbox, 0);

	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
	CHECK(status_of(trapped_by_sandbox, 0) == 0);
}

/* ---- what a process is ---- */

static void play_closefrom(void)
{
	int pipes[2], fd;

	CHECK(pipe(pipes) == 0);
	for (fd = 3; fd < 1024; fd++)
		close(fd);
	CHECK(syscall(SYS_close_range, 3, ~0u, 0) == 0);
	CHECK(open("/dev/null", O_RDONLY) == 3);
	CHECK(status_of((void (*)(int))_exit, 0) == 0);
	close(0);
	close(1);
	CHECK(open("/dev/null", O_RDONLY) == 0 && dup(0) == 1);
}

static void play_daemon(void)
{
	int pipes[2], status;
	pid_t pid, grandchild = 0;

	CHECK(pipe(pipes) == 0);
	pid = fork();
	if (pid == 0) {
		CHECK(setsid() > 0);
		if (fork())
			_exit(0);
		CHECK(chdir("/") == 0);
		close(0);
		close(1);
		grandchild = getpid();
		usleep(10000);
		CHECK(write(pipes[1], &grandchild, sizeof(grandchild)) == sizeof(grandchild));
		_exit(0);
	}
	close(pipes[1]);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	CHECK(read(pipes[0], &grandchild, sizeof(grandchild)) == sizeof(grandchild));
	CHECK(read(pipes[0], &status, 1) == 0);
}

static char chroot_path[] = "/tmp/host-XXXXXX";

/* In a root without /proc, /sys and libraries. */
static void in_chroot(int unused)
{
	CHECK(geteuid() == 0 || unshare(CLONE_NEWUSER) == 0);
	if (chroot(chroot_path) < 0)
		_exit(errno == EPERM ? 0 : 1);
	CHECK(chdir("/") == 0);
	CHECK(open("/sys/fs/cgroup", O_RDONLY) < 0 && errno == ENOENT);
	CHECK(mkdir("x", 0700) == 0 && access("/x", F_OK) == 0 && rmdir("/x") == 0);
	CHECK(status_of((void (*)(int))_exit, 0) == 0);
	CHECK(rmdir("/") < 0);
}

static void play_chroot(void)
{
	int status;

	CHECK(mkdtemp(chroot_path));
	status = status_of(in_chroot, 0);
	CHECK(rmdir(chroot_path) == 0);
	CHECK(status == 0);
}

static void run_self(const char *part)
{
	char *const argv[] = { self, (char *)part, NULL };

	execv(self, argv);
	_exit(127);
}

static void with_few_files(int number)
{
	struct rlimit limit = { (rlim_t)number, (rlim_t)number };

	/* Room for as many as the test and its loader need. */
	CHECK(syscall(SYS_close_range, 3, ~0u, 0) == 0 && setrlimit(RLIMIT_NOFILE, &limit) == 0);
	run_self("few-files");
}

static void play_few_files(void)
{
	struct rlimit limit;
	int first, fd, nr = 3;

	CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	if (limit.rlim_cur > 64) {
		for (int number = 4; number < 12; number++)
			CHECK(status_of(with_few_files, number) == 0);
		return;
	}
	first = open("/dev/null", O_RDONLY);
	CHECK(first == 3);
	while ((fd = open("/dev/null", O_RDONLY)) >= 0)
		nr = fd;
	CHECK(errno == EMFILE && nr + 1 == (int)limit.rlim_cur);
	CHECK(status_of((void (*)(int))_exit, 0) == 0);
}

static void unshared(int flags)
{
	if (unshare(flags | (geteuid() ? CLONE_NEWUSER : 0)) < 0)
		_exit(errno == EPERM || errno == ENOSPC ? 0 : 1);
	CHECK(status_of((void (*)(int))_exit, 3) == 3 << 8);
	CHECK(getpid() > 0 && getppid() >= 0);
}

static void play_unshare(void)
{
	static const int flags[] = { CLONE_FS,	    CLONE_FILES,  CLONE_NEWNS, CLONE_NEWPID,
				     CLONE_NEWUSER, CLONE_NEWUTS, CLONE_NEWIPC };

	for (u32 i = 0; i < ARRAY_SIZE(flags); i++)
		CHECK(status_of(unshared, flags[i]) == 0);
}

/* ---- a debugger and its program ---- */

static void play_debugger(void)
{
	struct user_regs_struct regs;
	long calls = 0, nr = -1;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		CHECK(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0);
		raise(SIGSTOP);
		run_self("debugged");
	}
	CHECK(waitpid(pid, &status, 0) == pid && WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	CHECK(ptrace(PTRACE_SETOPTIONS, pid, NULL,
		     (void *)(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL)) ==
	      0);
	for (int signal = 0;;) {
		CHECK(ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(long)signal) == 0);
		CHECK(waitpid(pid, &status, 0) == pid);
		if (!WIFSTOPPED(status))
			break;
		signal = WSTOPSIG(status);
		if (signal == (SIGTRAP | 0x80)) {
			CHECK(ptrace(PTRACE_GETREGS, pid, NULL, &regs) == 0);
			calls += regs.orig_rax == SYS_getpriority;
			nr = (long)regs.orig_rax;
		}
		if (signal == (SIGTRAP | 0x80) || status >> 16)
			signal = 0;
	}
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 9);
	CHECK(calls == 20 && nr == SYS_exit_group);
}

/* Where the supervisor has to be named as tracer, each new process does that. */
static void play_tracer(void)
{
	int expected = getenv("HIVE_TRACER") ? 1 : 0, stops = 0, status, signal;
	struct user_regs_struct regs;
	bool begun = false;
	pid_t pid = fork();

	if (pid == 0) {
		CHECK(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0);
		raise(SIGSTOP);
		if (fork() == 0)
			_exit(0);
		_exit(0);
	}
	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		if (!WIFSTOPPED(status))
			continue;
		signal = WSTOPSIG(status);
		if (!begun)
			CHECK(ptrace(PTRACE_SETOPTIONS, pid, NULL,
				     (void *)(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK |
					      PTRACE_O_EXITKILL)) == 0);
		begun = true;
		if (signal == (SIGTRAP | 0x80)) {
			CHECK(ptrace(PTRACE_GETREGS, pid, NULL, &regs) == 0);
			stops += regs.orig_rax == SYS_prctl && regs.rdi == PR_SET_PTRACER;
		}
		if (signal != SIGCHLD)
			signal = 0;
		CHECK(ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(long)signal) == 0);
	}
	/* At its entry and at its exit. */
	CHECK(stops == 2 * expected);
}

static void play_debugged(void)
{
	for (int i = 0; i < 10; i++)
		getpriority(PRIO_PROCESS, 0);
	_exit(9);
}

/* A breakpoint of a debugger that comes later, and a step over it. */
static void play_attached(void)
{
	struct user_regs_struct regs;
	int status, pipes[2];
	char byte;
	pid_t pid;

	CHECK(pipe(pipes) == 0);
	pid = fork();
	if (pid == 0) {
		for (;;) {
			CHECK(write(pipes[1], "x", 1) == 1);
			usleep(1000);
			getppid();
		}
	}
	close(pipes[1]);
	for (int turn = 0; turn < 20; turn++) {
		CHECK(read(pipes[0], &byte, 1) == 1);
		CHECK(ptrace(PTRACE_ATTACH, pid, NULL, NULL) == 0);
		CHECK(waitpid(pid, &status, 0) == pid && WIFSTOPPED(status));
		for (int step = 0; step < 50; step++) {
			CHECK(ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) == 0);
			CHECK(waitpid(pid, &status, 0) == pid && WIFSTOPPED(status));
			CHECK(WSTOPSIG(status) == SIGTRAP);
		}
		CHECK(ptrace(PTRACE_GETREGS, pid, NULL, &regs) == 0 && regs.rip);
		CHECK(ptrace(PTRACE_DETACH, pid, NULL, NULL) == 0);
	}
	CHECK(kill(pid, SIGKILL) == 0 && waitpid(pid, &status, 0) == pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static const struct {
	const char *name;
	void (*play)(void);
} parts[] = {
	{ "sigwait", play_sigwait },	 { "signalfd", play_signalfd },
	{ "opened", play_opened },	 { "resethand", play_resethand },
	{ "altstack", play_altstack },	 { "profile", play_profile },
	{ "sandbox", play_sandbox },	 { "sandbox-denies", play_sandbox_denies },
	{ "closefrom", play_closefrom }, { "daemon", play_daemon },
	{ "chroot", play_chroot },	 { "few-files", play_few_files },
	{ "unshare", play_unshare },	 { "debugger", play_debugger },
	{ "debugged", play_debugged },	 { "attached", play_attached },
	{ "tracer", play_tracer },
};

int main(int argc, char **argv)
{
	self = argv[0];
	for (u32 i = 0; argc > 1 && i < ARRAY_SIZE(parts); i++) {
		/* That one is played by "debugger". */
		if (strcmp(argv[1], "list") == 0 && parts[i].play != play_debugged)
			puts(parts[i].name);
		if (strcmp(parts[i].name, argv[1]) == 0) {
			parts[i].play();
			return 0;
		}
	}
	return argc > 1 && strcmp(argv[1], "list") == 0 ? 0 : 2;
}
