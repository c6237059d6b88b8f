#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Programs that are hard on whoever lives in their process give the same results with tracepoints attached on
every system call as without skep: own fault handlers, threads, runtimes, sanitizers, valgrind, odd exec calls."""
import os
import shutil

import e2e
from e2e import equal, ok

HARD = r"""
#define _GNU_SOURCE
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
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
static sigjmp_buf back;
static volatile int hits;
static int pipes[2];

static void leap(int sig) { hits++; siglongjmp(back, sig); }
static void count(int sig) { (void)sig; hits++; }
static void handle(int sig, void (*handler)(int), int flags)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };
	sigaction(sig, &action, NULL);
}
static void mask(int how, int sig)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, sig);
	sigprocmask(how, &set, NULL);
}
static int deep(int depth) { volatile char room[4096]; room[depth % 4096] = 1; return deep(depth + 1) + room[7]; }

static void faults(void)
{
	stack_t stack = { .ss_sp = malloc(1 << 16), .ss_size = 1 << 16 };
	sigaltstack(&stack, NULL);
	handle(SIGSEGV, leap, SA_ONSTACK);
	for (volatile int i = 0; i < 500; i++)
		if (!sigsetjmp(back, 1))
			*(volatile int *)8 = 1;
	if (!sigsetjmp(back, 1))
		deep(0);
	handle(SIGTRAP, count, 0);
	__asm__ volatile("int3");
	printf("%d\n", hits);
}
static void blocked(void)
{
	handle(SIGSEGV, count, 0);
	mask(SIG_BLOCK, SIGSEGV);
	raise(SIGSEGV);
	printf("%d ", hits);
	mask(SIG_UNBLOCK, SIGSEGV);
	printf("%d\n", hits);
	fflush(stdout);
	mask(SIG_BLOCK, SIGSEGV);
	*(volatile int *)8 = 1;
}
static void storm(void)
{
	struct itimerval timer = { { 0, 500 }, { 0, 500 } };
	long wrong = 0;
	pid_t me = getpid();

	handle(SIGALRM, leap, 0);
	setitimer(ITIMER_REAL, &timer, NULL);
	sigsetjmp(back, 1);
	while (hits < 300)
		wrong += syscall(SYS_getpid) != me;
	memset(&timer, 0, sizeof(timer));
	setitimer(ITIMER_REAL, &timer, NULL);
	printf("%ld\n", wrong);
}
static void *waiting(void *unused) { char c; return read(pipes[0], &c, 1) < 0 ? unused : NULL; }
static void cancel(void)
{
	if (pipe(pipes))
		return;
	for (int i = 0; i < 10; i++) {
		pthread_t thread;
		void *result;
		pthread_create(&thread, NULL, waiting, NULL);
		if (i % 2)
			usleep(2000);
		pthread_cancel(thread);
		pthread_join(thread, &result);
		hits += result == PTHREAD_CANCELED;
	}
	printf("%d\n", hits);
}
static int sharer(void *value) { signal(SIGSEGV, SIG_DFL); ++*(int *)value; return 7; }
static void shared(void)
{
	int value = 0, status, right = 0;
	handle(SIGSEGV, count, 0);
	for (int i = 0; i < 60; i++) {
		char *stack = malloc(1 << 16);
		int pid = clone(sharer, stack + (1 << 16), CLONE_VM | SIGCHLD, &value);
		waitpid(pid, &status, 0);
		right += WEXITSTATUS(status) == 7;
		free(stack);
	}
	raise(SIGSEGV);
	printf("%d %d %d\n", value, right, hits);
}
static void spawn(void)
{
	char *arguments[] = { "true", NULL };
	int right = 0, status;
	pid_t pid;
	for (int i = 0; i < 5; i++) {
		right += posix_spawn(&pid, "/nonexistent", NULL, NULL, arguments, environ) == ENOENT;
		if (!posix_spawn(&pid, "/bin/true", NULL, NULL, arguments, environ))
			right += waitpid(pid, &status, 0) == pid && !status;
		pid = vfork();
		if (!pid)
			_exit(i);
		right += waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == i;
	}
	execv("/", arguments);
	printf("%d %d\n", right, errno);
}
static void *executes(void *unused) { execl("/bin/sh", "sh", "-c", "echo thread; kill -SEGV $$", NULL); return unused; }
static void thread_exec(void)
{
	pthread_t thread;
	pthread_create(&thread, NULL, executes, NULL);
	pause();
}
static void made_code(void)
{
	unsigned char code[] = { 0xb8, 39, 0, 0, 0, 0x0f, 0x05, 0xc3 }; /* getpid */
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long wrong = 0;
	memcpy(page, code, sizeof(code));
	for (int i = 0; i < 300; i++)
		wrong += ((long (*)(void))page)() != getpid();
	printf("%ld\n", wrong);
}
static void few_descriptors(void)
{
	struct rlimit limit = { 4, 4 };
	setrlimit(RLIMIT_NOFILE, &limit);
	closefrom(3);
	execl("/bin/echo", "echo", "four", NULL);
}
static void end(void) { abort(); }

static const struct { const char *name; void (*run)(void); } parts[] = {
	{ "faults", faults }, { "blocked", blocked }, { "storm", storm }, { "cancel", cancel },
	{ "shared", shared }, { "spawn", spawn }, { "thread_exec", thread_exec }, { "made_code", made_code },
	{ "few_descriptors", few_descriptors }, { "end", end },
};
int main(int argc, char **argv)
{
	for (unsigned i = 0; argc > 1 && i < sizeof(parts) / sizeof(*parts); i++)
		if (!strcmp(parts[i].name, argv[1])) {
			parts[i].run();
			return 0;
		}
	return 99;
}
"""
PARTS = ["faults", "blocked", "storm", "cancel", "shared", "spawn", "thread_exec", "made_code", "few_descriptors", "end"]

# musl has no closefrom(); what matters there is how it cancels.
CANCEL = r"""
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>
static int p[2];
static void *wait_for(void *unused) { char c; return read(p[0], &c, 1) < 0 ? unused : NULL; }
int main(void)
{
	int n = 0;
	if (pipe(p)) return 1;
	for (int i = 0; i < 4; i++) {
		pthread_t t; void *r;
		pthread_create(&t, NULL, wait_for, NULL); usleep(5000);
		pthread_cancel(t); pthread_join(t, &r); n += r == PTHREAD_CANCELED;
	}
	printf("%d\n", n);
	return 0;
}
"""

JAVA = """
public class Hard {
    static volatile Object last;
    public static void main(String[] a) throws Exception {
        int n = 0;
        for (int i = 0; i < 50000; i++)
            try { String s = i % 3 == 0 ? null : "x"; n += s.length(); } catch (NullPointerException e) { n += 2; }
        Thread[] t = new Thread[8];
        for (int i = 0; i < 8; i++) (t[i] = new Thread(() -> { for (int k = 0; k < 20000; k++) last = new byte[999]; })).start();
        for (Thread one : t) one.join();
        System.gc();
        System.out.println(n);
        System.exit(4);
    }
}
"""
NODE = """
const {Worker, isMainThread, parentPort} = require('worker_threads');
if (!isMainThread) { let s = 0; for (let i = 0; i < 1e6; i++) s += i % 13; parentPort.postMessage(s); }
else { const w = new Worker(__filename); w.on('message', m => { console.log(m);
  console.log(require('child_process').spawnSync('sh', ['-c', 'kill -SEGV $$']).signal); process.exit(5); }); }
"""


def write(name, text):
    with open(name, "w", encoding="ascii") as file:
        file.write(text)
    return name


def build(command):
    """True if the tool is there and could make it."""
    return bool(shutil.which(command[0])) and e2e.run(command, 40).status == 0


def compare(name, command, quiet=True):
    plain = e2e.run(command, 20)
    hive = [e2e.SKEP, "run"] + (["--real"] if e2e.REAL else []) + ["--no-trace", e2e.SYSCOUNT, "--"]
    traced = e2e.run(hive + command, 40)
    equal((traced.status, traced.out), (plain.status, plain.out), f"{name}: exit status and output", traced.err[-1000:])
    if quiet:
        equal(traced.err, plain.err, f"{name}: standard error")


def hard(name, command):
    if not build(command):
        e2e.skip(f"{name}: cannot be built here")
        return
    for part in PARTS:
        compare(f"{name} {part}", [f"./{name}", part], quiet=part != "few_descriptors")


def when(name, condition, command, quiet=True):
    if condition:
        compare(name, command, quiet)
    else:
        e2e.skip(f"{name}: not on this machine")


with e2e.Scratch() as scratch:
    os.chdir(scratch)
    source = write("hard.c", HARD)
    hard("hard", ["cc", "-O1", "-w", "-pthread", "-o", "hard", source])
    when("musl, dynamic: cancel", build(["musl-gcc", "-o", "musl", write("cancel.c", CANCEL)]), ["./musl"])
    when("address sanitizer, with leak check",
         build(["cc", "-fsanitize=address", "-pthread", "-o", "asan", "cancel.c"]), ["./asan"])
    when("thread sanitizer", build(["cc", "-fsanitize=thread", "-pthread", "-o", "tsan", "cancel.c"]), ["./tsan"])
    valgrind = shutil.which("valgrind")
    when("valgrind", valgrind and os.path.exists("hard"), ["valgrind", "-q", "./hard", "spawn"], quiet=False)
    when("java", shutil.which("java") and build(["javac", write("Hard.java", JAVA)]), ["java", "-cp", scratch, "Hard"])
    when("node", shutil.which("node"), ["node", os.path.join(scratch, write("hard.js", NODE))])
    when("perl", shutil.which("perl"), ["perl", "-e", '$SIG{ALRM} = sub { die "alarm\n" }; alarm 1; eval { `true` while 1 };'
                                        'print $@; $SIG{SEGV} = sub { print "segv\n" }; kill SEGV => $$; kill TERM => $$'])
    ok(not e2e.processes(lambda pid: os.readlink(f"/proc/{pid}/cwd").startswith(scratch) and pid != os.getpid()),
       "no process is left")
e2e.done()
