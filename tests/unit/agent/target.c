/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target PART: one behaviour of an ordinary program that the agent must not change. Exits with 0
 * and prints the same text with and without the agent; test_agent.c runs it both ways.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/types.h"

extern char **environ;

static sigjmp_buf escape;
static volatile sig_atomic_t hits;
static char *self;
/* Addresses with nothing behind them, which compilers must not know. */
static int *volatile nowhere;
static int *volatile low_address = (int *)16;

#define CHECK(condition)                                                                          \
	do {                                                                                      \
		if (!(condition)) {                                                               \
			fprintf(stderr, "%s:%d: %s (errno %d)\n", __FILE__, __LINE__, #condition, \
				errno);                                                           \
			exit(1);                                                                  \
		}                                                                                 \
	} while (0)

static void count(int sig)
{
	hits++;
}

static void leave(int sig)
{
	hits++;
	siglongjmp(escape, sig);
}

static void catch (int sig, void (*handler)(int), int flags)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };

	CHECK(sigaction(sig, &action, NULL) == 0);
}

static int status_of(void (*child)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		child();
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	return status;
}

/* ---- faults ---- */

static void play_recover(void)
{
	for (volatile int i = 0; i < 1000; i++) {
		catch (SIGSEGV, leave, 0);
		if (sigsetjmp(escape, 1) == 0) {
			*nowhere = 1;
			CHECK(!"a store to NULL went on");
		}
		getppid();
	}
	CHECK(hits == 1000);
}

static void info_handler(int sig, siginfo_t *info, void *context)
{
	CHECK(info->si_signo == sig);
	CHECK(sig != SIGSEGV || info->si_addr == (void *)16);
	siglongjmp(escape, sig);
}

static void play_siginfo(void)
{
	struct sigaction action = { .sa_sigaction = info_handler, .sa_flags = SA_SIGINFO };

	CHECK(sigaction(SIGSEGV, &action, NULL) == 0);
	if (sigsetjmp(escape, 1) == 0)
		*low_address = 0;
}

static void play_breakpoint(void)
{
	catch (SIGTRAP, count, 0);
	__asm__ volatile("int3");
	__asm__ volatile("int3");
	CHECK(hits == 2);
}

static void fault(void)
{
	*low_address = 0;
}

static void breakpoint(void)
{
	__asm__ volatile("int3");
}

static void fault_ignored(void)
{
	signal(SIGSEGV, SIG_IGN);
	fault();
}

static void fault_blocked(void)
{
	sigset_t set;

	sigfillset(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	catch (SIGSEGV, count, 0);
	fault();
}

static void fault_once(void)
{
	catch (SIGSEGV, count, SA_RESETHAND);
	fault(); /* the handler returns, and the fault happens again */
}

static void kill_self(void)
{
	kill(getpid(), SIGSEGV);
	pause();
}

static void play_deaths(void)
{
	struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
	CHECK(WTERMSIG(status_of(fault)) == SIGSEGV);
	CHECK(WTERMSIG(status_of(breakpoint)) == SIGTRAP);
	CHECK(WTERMSIG(status_of(fault_ignored)) == SIGSEGV);
	CHECK(WTERMSIG(status_of(fault_blocked)) == SIGSEGV);
	CHECK(WTERMSIG(status_of(fault_once)) == SIGSEGV);
	CHECK(WTERMSIG(status_of(kill_self)) == SIGSEGV);
	CHECK(WTERMSIG(status_of(abort)) == SIGABRT);
}

static int overflow(volatile char *up, int depth)
{
	volatile char here[4096];

	here[0] = *up;
	if (depth < 0)
		return 0;
	return overflow(here, depth + 1) + here[0];
}

static void play_overflow(void)
{
	stack_t stack = { .ss_sp = malloc(64 << 10), .ss_size = 64 << 10 };
	volatile char top = 0;

	CHECK(sigaltstack(&stack, NULL) == 0);
	catch (SIGSEGV, leave, SA_ONSTACK);
	if (sigsetjmp(escape, 1) == 0)
		CHECK(overflow(&top, 0) != 0);
	CHECK(hits == 1);
}

/* ---- what the program reads back ---- */

static void play_dispositions(void)
{
	static const int signals[] = { SIGSEGV, SIGBUS, SIGTRAP, SIGUSR1 };
	struct sigaction action = { .sa_handler = count, .sa_flags = SA_RESTART | SA_NODEFER }, old;

	sigaddset(&action.sa_mask, SIGSEGV);
	sigaddset(&action.sa_mask, SIGUSR2);
	for (u32 i = 0; i < ARRAY_SIZE(signals); i++) {
		CHECK(sigaction(signals[i], NULL, &old) == 0 && old.sa_handler == SIG_DFL);
		CHECK(sigaction(signals[i], &action, &old) == 0 && old.sa_handler == SIG_DFL);
		CHECK(sigaction(signals[i], NULL, &old) == 0 && old.sa_handler == count);
		CHECK((old.sa_flags & (SA_RESTART | SA_NODEFER | SA_SIGINFO | SA_ONSTACK)) ==
		      (SA_RESTART | SA_NODEFER));
		CHECK(sigismember(&old.sa_mask, SIGSEGV) && sigismember(&old.sa_mask, SIGUSR2) &&
		      !sigismember(&old.sa_mask, SIGINT));
		CHECK(signal(signals[i], SIG_IGN) == count);
		CHECK(kill(getpid(), signals[i]) == 0);
		CHECK(signal(signals[i], SIG_DFL) == SIG_IGN);
	}
	CHECK(sigaction(SIGKILL, &action, NULL) == -1 && errno == EINVAL);
	CHECK(sigaction(65, &action, NULL) == -1 && errno == EINVAL);
	CHECK(syscall(SYS_rt_sigaction, SIGUSR1, 8, 0, 8) == -1 && errno == EFAULT);
	CHECK(syscall(SYS_rt_sigaction, SIGUSR1, 0, 0, 4) == -1 && errno == EINVAL);
	CHECK(hits == 0);
}

static void play_masks(void)
{
	sigset_t set, old;

	sigemptyset(&set);
	sigaddset(&set, SIGSEGV);
	sigaddset(&set, SIGUSR1);
	CHECK(sigprocmask(SIG_BLOCK, &set, &old) == 0);
	CHECK(!sigismember(&old, SIGSEGV) && !sigismember(&old, SIGUSR1));
	CHECK(sigprocmask(SIG_BLOCK, NULL, &old) == 0);
	CHECK(sigismember(&old, SIGSEGV) && sigismember(&old, SIGUSR1) &&
	      !sigismember(&old, SIGBUS));
	catch (SIGUSR1, count, 0);
	raise(SIGUSR1);
	CHECK(hits == 0);
	CHECK(sigprocmask(SIG_UNBLOCK, &set, NULL) == 0);
	CHECK(hits == 1);
	CHECK(sigprocmask(SIG_SETMASK, NULL, &old) == 0);
	CHECK(!sigismember(&old, SIGSEGV) && !sigismember(&old, SIGUSR1));
	CHECK(syscall(SYS_rt_sigprocmask, 7, &set, 0, 8) == -1 && errno == EINVAL);
	CHECK(syscall(SYS_rt_sigprocmask, 0, 8, 0, 8) == -1 && errno == EFAULT);
}

static void play_suspend(void)
{
	struct timespec second = { 1, 0 };
	sigset_t set, all;

	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	sigfillset(&all);
	sigdelset(&all, SIGALRM);
	catch (SIGALRM, count, SA_RESTART);
	ualarm(2000, 0);
	CHECK(sigsuspend(&all) == -1 && errno == EINTR && hits == 1);
	ualarm(2000, 0);
	CHECK(pselect(0, NULL, NULL, NULL, &second, &all) == -1 && errno == EINTR && hits == 2);
	CHECK(sigprocmask(SIG_BLOCK, NULL, &set) == 0 && sigismember(&set, SIGALRM));
}

static void play_inherit(void)
{
	char *const argv[] = { self, (char *)"inherited", NULL };
	sigset_t set;
	pid_t pid;
	int status;

	sigemptyset(&set);
	sigaddset(&set, SIGBUS);
	sigaddset(&set, SIGUSR2);
	CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	signal(SIGSEGV, SIG_IGN);
	signal(SIGUSR1, SIG_IGN);
	catch (SIGTRAP, count, 0);
	pid = fork();
	if (pid == 0) {
		execv("/nonexistent/program", argv);
		CHECK(errno == ENOENT);
		CHECK(signal(SIGSEGV, SIG_IGN) == SIG_IGN);
		raise(SIGTRAP);
		CHECK(hits == 1);
		execv(self, argv);
		_exit(99);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

static void play_inherited(void)
{
	sigset_t set;

	CHECK(signal(SIGSEGV, SIG_DFL) == SIG_IGN);
	CHECK(signal(SIGUSR1, SIG_DFL) == SIG_IGN);
	CHECK(signal(SIGTRAP, SIG_DFL) == SIG_DFL);
	CHECK(sigprocmask(SIG_BLOCK, NULL, &set) == 0);
	CHECK(sigismember(&set, SIGBUS) && sigismember(&set, SIGUSR2) &&
	      !sigismember(&set, SIGSEGV));
}

/* ---- storms ---- */

static void timer(int microseconds)
{
	struct itimerval value = { { 0, microseconds }, { 0, microseconds } };

	CHECK(setitimer(ITIMER_REAL, &value, NULL) == 0);
}

/* Handlers leave by longjmp from wherever they came: nothing of the agent may be held then. */
static void play_escape(void)
{
	volatile int rounds = 0;
	int fd = open("/dev/null", O_WRONLY);

	catch (SIGALRM, leave, SA_NODEFER);
	if (sigsetjmp(escape, 1))
		rounds++;
	else
		timer(100); /* not before there is a way out */
	while (hits < 3000) {
		getppid();
		CHECK(write(fd, "x", 1) == 1);
		CHECK(access("/etc/passwd", R_OK) == 0);
		sigset_t set;
		CHECK(sigprocmask(SIG_BLOCK, NULL, &set) == 0);
	}
	timer(0);
	CHECK(rounds > 0);
}

static void *storm_thread(void *arg)
{
	pthread_t *target = arg;

	for (int i = 0; i < 20000; i++) {
		pthread_kill(*target, SIGUSR1);
		getppid();
	}
	return NULL;
}

static void play_storm(void)
{
	pthread_t me = pthread_self(), threads[3];
	char text[64];
	int fd, done = 0;

	catch (SIGUSR1, count, SA_RESTART);
	for (int i = 0; i < 3; i++)
		CHECK(pthread_create(&threads[i], NULL, storm_thread, &me) == 0);
	for (int i = 0; i < 3; i++) {
		while (pthread_tryjoin_np(threads[i], NULL) != 0) {
			fd = open("/etc/passwd", O_RDONLY);
			CHECK(fd >= 0);
			CHECK(read(fd, text, sizeof(text)) == sizeof(text));
			CHECK(close(fd) == 0);
			CHECK(getpid() > 0);
			done++;
		}
	}
	CHECK(hits > 0 && done > 0);
}

static void play_alarm_vfork(void)
{
	catch (SIGALRM, count, SA_RESTART);
	timer(300);
	for (int i = 0; i < 300; i++) {
		int status;
		pid_t pid = vfork();

		if (pid == 0)
			_exit(i & 127);
		CHECK(pid > 0 && waitpid(pid, &status, 0) == pid &&
		      WEXITSTATUS(status) == (i & 127));
	}
	for (int i = 0; i < 100; i++) {
		char *const argv[] = { (char *)"true", NULL };
		int status;
		pid_t pid;

		CHECK(posix_spawn(&pid, "/bin/true", NULL, NULL, argv, environ) == 0);
		CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	}
	timer(0);
	CHECK(hits > 0);
	/* The children reset this handler for themselves only. */
	hits = 0;
	raise(SIGALRM);
	if (hits != 1)
		fprintf(stderr, "%d signals instead of one\n", (int)hits);
	CHECK(hits == 1);
}

/* ---- processes and threads ---- */

static void *spawn_thread(void *arg)
{
	char *const argv[] = { (char *)"true", NULL };

	for (int i = 0; i < 50; i++) {
		int status;
		pid_t pid;

		CHECK(posix_spawn(&pid, "/bin/true", NULL, NULL, argv, environ) == 0);
		CHECK(waitpid(pid, &status, 0) == pid && status == 0);
		pid = fork();
		if (pid == 0)
			_exit(getpid() == (pid_t)syscall(SYS_gettid) ? 7 : 8);
		CHECK(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 7);
	}
	return NULL;
}

static void play_spawns(void)
{
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		CHECK(pthread_create(&threads[i], NULL, spawn_thread, NULL) == 0);
	for (int i = 0; i < 4; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
}

static void *short_thread(void *arg)
{
	getppid();
	return arg;
}

static void play_threads(void)
{
	for (int i = 0; i < 2000; i++) {
		pthread_t thread;
		void *result;

		CHECK(pthread_create(&thread, NULL, short_thread, (void *)(long)i) == 0);
		CHECK(pthread_join(thread, &result) == 0 && result == (void *)(long)i);
	}
}

static volatile int cleaned;

static void clean(void *arg)
{
	cleaned++;
}

static void *blocked_thread(void *arg)
{
	char byte;

	pthread_cleanup_push(clean, NULL);
	if (read(*(int *)arg, &byte, 1) >= 0)
		cleaned = 100;
	pthread_cleanup_pop(0);
	return NULL;
}

static void play_cancel(void)
{
	int pipe_fds[2];

	CHECK(pipe(pipe_fds) == 0);
	for (int i = 0; i < 100; i++) {
		pthread_t thread;
		void *result;

		CHECK(pthread_create(&thread, NULL, blocked_thread, &pipe_fds[0]) == 0);
		if (i & 1)
			usleep(500);
		CHECK(pthread_cancel(thread) == 0);
		CHECK(pthread_join(thread, &result) == 0 && result == PTHREAD_CANCELED);
	}
	CHECK(cleaned <= 100 && cleaned >= 50);
}

static int clone_main(void *arg)
{
	*(volatile int *)arg = (int)getpid();
	return 5;
}

static void play_clone(void)
{
	char *stack = malloc(64 << 10);
	volatile int seen = 0;
	int status;
	pid_t pid;

	for (int i = 0; i < 100; i++) {
		pid = clone(clone_main, stack + (64 << 10), CLONE_VM | CLONE_VFORK | SIGCHLD,
			    (void *)&seen);
		CHECK(pid > 0 && seen == pid);
		CHECK(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 5);
		seen = 0;
		pid = clone(clone_main, stack + (64 << 10), CLONE_VM | SIGCHLD, (void *)&seen);
		CHECK(pid > 0);
		CHECK(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 5 && seen == pid);
		seen = 0;
		pid = clone(clone_main, stack + (64 << 10), SIGCHLD, (void *)&seen);
		CHECK(pid > 0);
		CHECK(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 5 && seen == 0);
	}
	CHECK(getpid() == syscall(SYS_gettid));
}

/* A vfork child that overwrites what lies below its parent's stack pointer. */
static __attribute__((noinline)) void scribble(void)
{
	volatile char garbage[8192];

	memset((char *)garbage, 0x5a, sizeof(garbage));
}

static void play_vfork(void)
{
	for (int i = 0; i < 1000; i++) {
		int status;
		pid_t pid = vfork();

		if (pid == 0) {
			scribble();
			getppid();
			_exit(3);
		}
		CHECK(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 3);
	}
}

static void bomb(int depth)
{
	pid_t pids[3];

	for (int i = 0; depth && i < 3; i++) {
		pids[i] = fork();
		CHECK(pids[i] >= 0);
		if (pids[i] == 0) {
			bomb(depth - 1);
			_exit(0);
		}
	}
	for (int i = 0; depth && i < 3; i++) {
		int status;

		CHECK(waitpid(pids[i], &status, 0) == pids[i] && status == 0);
	}
}

static void play_bomb(void)
{
	bomb(4);
}

static void *exec_thread(void *arg)
{
	char *const argv[] = { self, (char *)"chain", (char *)"3", NULL };

	execv(self, argv);
	return NULL;
}

static void play_exec_thread(void)
{
	pthread_t thread;

	CHECK(pthread_create(&thread, NULL, exec_thread, NULL) == 0);
	sleep(20);
	CHECK(!"the other thread's execve did not end this one");
}

static void play_chain(const char *rest)
{
	int left = rest ? atoi(rest) : 10;
	char text[16];
	char *const argv[] = { self, (char *)"chain", text, NULL };

	snprintf(text, sizeof(text), "%d", left - 1);
	if (left) {
		execv("/nonexistent", argv);
		execv(self, argv);
		CHECK(!"execv");
	}
}

/* ---- system calls themselves ---- */

static long raw(long nr, u64 a, u64 b, u64 c)
{
	register u64 r10 __asm__("r10") = 0x1010;
	register u64 r8 __asm__("r8") = 0x0808;
	register u64 r9 __asm__("r9") = 0x0909;
	u64 bx = 0xb, r12 = 12;
	long ret;

	__asm__ volatile("mov $0x1234, %%r13\n\tmov $0x4321, %%r15\n\t"
			 "cmp %%rax, %%rax\n\t"
			 "syscall\n\t"
			 "jne 1f\n\tcmp $0x1234, %%r13\n\tjne 1f\n\tcmp $0x4321, %%r15\n\tje 2f\n"
			 "1:\tud2\n2:"
			 : "=a"(ret), "+D"(a), "+S"(b), "+d"(c), "+r"(r10), "+r"(r8), "+r"(r9),
			   "+b"(bx), "+r"(r12)
			 : "a"(nr)
			 : "rcx", "r11", "r13", "r15", "memory", "cc");
	CHECK(r10 == 0x1010 && r8 == 0x0808 && r9 == 0x0909 && bx == 0xb && r12 == 12);
	return ret;
}

static void play_registers(void)
{
	for (int i = 0; i < 1000; i++) {
		CHECK(raw(SYS_getppid, 1, 2, 3) == getppid());
		CHECK(raw(SYS_access, (u64) "/nonexistent", 0, 0) == -ENOENT);
		CHECK(raw(SYS_close, (u64)-1, 0, 0) == -EBADF);
		CHECK(raw(5000, 1, 2, 3) == -ENOSYS);
		CHECK(raw(-1, 1, 2, 3) == -ENOSYS);
		CHECK(raw(SYS_read, 0, 8, 1) == -EFAULT || raw(SYS_read, 0, 8, 1) == 0);
	}
}

static void play_interrupted(void)
{
	int fds[2];
	char byte;
	pid_t pid;

	CHECK(pipe(fds) == 0);
	catch (SIGALRM, count, 0);
	ualarm(5000, 0);
	CHECK(read(fds[0], &byte, 1) == -1 && errno == EINTR && hits == 1);
	catch (SIGALRM, count, SA_RESTART);
	pid = fork();
	if (pid == 0) {
		usleep(30000);
		_exit(write(fds[1], "y", 1) == 1 ? 0 : 1);
	}
	ualarm(5000, 0);
	CHECK(read(fds[0], &byte, 1) == 1 && byte == 'y' && hits == 2);
	CHECK(waitpid(pid, NULL, 0) == pid);
}

static void play_memory(void)
{
	char *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int fd = open(self, O_RDONLY);
	u8 *code;

	CHECK(shared != MAP_FAILED && fd >= 0);
	CHECK(munmap(shared, 4096) == 0);
	CHECK(mmap(NULL, 4096, PROT_READ, MAP_SHARED, 9999, 0) == MAP_FAILED && errno == EBADF);
	CHECK(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 1) == MAP_FAILED && errno == EINVAL);
	/* The program's own file, mapped once more to run: only this mapping may differ from it. */
	code = mmap(NULL, 65536, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	CHECK(code != MAP_FAILED && memcmp(code, "\177ELF", 4) == 0);
	CHECK(munmap(code, 65536) == 0);
	code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0);
	CHECK(code != MAP_FAILED);
	/* Code made at run time: mov $39, %eax; syscall; ret. */
	memcpy(code, "\xb8\x27\x00\x00\x00\x0f\x05\xc3", 8);
	for (int i = 0; i < 100; i++)
		CHECK(((long (*)(void))code)() == getpid());
}

static const struct {
	const char *name;
	void (*play)(void);
} parts[] = {
	{ "recover", play_recover },
	{ "siginfo", play_siginfo },
	{ "breakpoint", play_breakpoint },
	{ "deaths", play_deaths },
	{ "overflow", play_overflow },
	{ "dispositions", play_dispositions },
	{ "masks", play_masks },
	{ "suspend", play_suspend },
	{ "inherit", play_inherit },
	{ "inherited", play_inherited },
	{ "escape", play_escape },
	{ "storm", play_storm },
	{ "alarm-vfork", play_alarm_vfork },
	{ "spawns", play_spawns },
	{ "threads", play_threads },
	{ "cancel", play_cancel },
	{ "clone", play_clone },
	{ "vfork", play_vfork },
	{ "bomb", play_bomb },
	{ "exec-thread", play_exec_thread },
	{ "registers", play_registers },
	{ "interrupted", play_interrupted },
	{ "memory", play_memory },
};

int main(int argc, char **argv)
{
	self = argv[0];
	if (argc > 1 && strcmp(argv[1], "chain") == 0) {
		play_chain(argv[2]);
		return 0;
	}
	for (u32 i = 0; argc > 1 && i < ARRAY_SIZE(parts); i++) {
		/* That one is played by "inherit". */
		if (strcmp(argv[1], "list") == 0 && parts[i].play != play_inherited)
			puts(parts[i].name);
		if (strcmp(parts[i].name, argv[1]) == 0) {
			parts[i].play();
			return 0;
		}
	}
	if (argc > 1 && strcmp(argv[1], "list") == 0) {
		puts("chain");
		return 0;
	}
	fprintf(stderr, "target: no such part\n");
	return 2;
}
