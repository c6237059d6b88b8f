/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entering a program at its exec stop. The thread that executes is seized before its execve goes
 * on; when the new program stands at its entry point, a bootstrap is laid over that page, run to
 * its end, and the page put back; then the thread goes on in the agent (agent_start) and tracing
 * ends.
 *
 * Everything is driven by wait statuses: nothing here waits for a tracee. Whatever goes wrong ends
 * in the program running as if nothing had been tried.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/alloc.h"
#include "hook/state.h"

#define PAGE		     4096ul
#define USER_CS_64	     0x33
#define STATUS_EVENT(status) ((status) >> 16)

extern const u8 hook_bootstrap_start[], hook_bootstrap_size[], hook_bootstrap_done[],
	hook_bootstrap_end[];

static struct hook_tracee *find(struct hook *hook, pid_t tid)
{
	struct list *node, *next;

	list_for_each(node, next, &hook->tracees) {
		struct hook_tracee *tracee = list_entry(node, struct hook_tracee, link);

		if (tracee->tid == tid)
			return tracee;
	}
	return NULL;
}

static void drop(struct hook_tracee *tracee)
{
	list_remove(&tracee->link);
	base_free(tracee);
}

static void detach(struct hook_tracee *tracee, int signal)
{
	ptrace(PTRACE_DETACH, tracee->tid, NULL, (void *)(long)signal);
	drop(tracee);
}

int hook_exec_begin(struct hook *hook, pid_t tid, bool quiet)
{
	struct hook_tracee *tracee = find(hook, tid);
	int error;

	if (!hook->agent_start)
		return -EOPNOTSUPP;
	if (tracee) {
		/* Its last execve failed, and it tries another. */
		tracee->quiet = quiet;
		return 0;
	}
	tracee = base_zalloc(1, sizeof(*tracee));
	if (!tracee)
		return -ENOMEM;
	if (ptrace(PTRACE_SEIZE, tid, NULL, (void *)PTRACE_O_TRACEEXEC) < 0) {
		error = -errno;
		base_free(tracee);
		return error;
	}
	tracee->tid = tid;
	tracee->quiet = quiet;
	list_append(&hook->tracees, &tracee->link);
	return 0;
}

void hook_exec_abandon(struct hook *hook, pid_t tid)
{
	struct hook_tracee *tracee = find(hook, tid);

	if (!tracee || tracee->booting)
		return;
	tracee->abandoned = true;
	/* It stops when it next leaves the kernel, and is let go there. */
	ptrace(PTRACE_INTERRUPT, tid, NULL, NULL);
}

bool hook_may_enter(struct hook *hook, pid_t tid)
{
	struct hook_tracee *tracee = find(hook, tid);

	if (!tracee || !tracee->booting || tracee->asked)
		return false;
	tracee->asked = true;
	return true;
}

bool hook_is_booting(struct hook *hook, pid_t tid)
{
	struct hook_tracee *tracee = find(hook, tid);

	return tracee && tracee->booting;
}

static int open_memory(pid_t tid)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/mem", tid);
	return open(path, O_RDWR | O_CLOEXEC);
}

static bool swap_page(struct hook_tracee *tracee, const u8 *bytes, u64 size, u8 *saved)
{
	int memory = open_memory(tracee->tid);
	bool ok = memory >= 0;

	if (ok && saved)
		ok = pread(memory, saved, size, (off_t)tracee->page) == (ssize_t)size;
	if (ok)
		ok = pwrite(memory, bytes, size, (off_t)tracee->page) == (ssize_t)size;
	if (memory >= 0)
		close(memory);
	return ok;
}

static u64 bootstrap_length(void)
{
	return (u64)(hook_bootstrap_end - hook_bootstrap_start);
}

/*
 * Valgrind asks where a thread of its own was when a signal interrupted a system call, and reads
 * the guest's code instead of running it: a rewritten site is wrong for both. Its tools are named
 * …/valgrind/TOOL-amd64-linux.
 */
static bool translates_code(pid_t tid)
{
	static const char directory[] = "/valgrind/", ending[] = "-amd64-linux";
	char link[64], path[4096];
	const char *name;
	ssize_t length;

	snprintf(link, sizeof(link), "/proc/%d/exe", tid);
	length = readlink(link, path, sizeof(path) - 1);
	if (length < (ssize_t)(sizeof(directory) + sizeof(ending)))
		return false;
	path[length] = 0;
	name = strrchr(path, '/');
	return name && (size_t)(name - path) >= sizeof(directory) - 2 &&
	       strncmp(name - (sizeof(directory) - 2), directory, sizeof(directory) - 1) == 0 &&
	       strlen(name) > sizeof(ending) &&
	       strcmp(path + length - (sizeof(ending) - 1), ending) == 0;
}

/* At the exec event: lays the bootstrap over the entry page and starts it. */
static bool boot(struct hook *hook, struct hook_tracee *tracee)
{
	struct user_regs_struct regs;
	u8 code[HOOK_ENTRY_SAVED];
	u64 text_size = RT_CONTROL->text_size;

	if (ptrace(PTRACE_GETREGS, tracee->tid, NULL, &regs) < 0)
		return false;
	if (regs.cs != USER_CS_64) {
		hook_say(hook,
			 "process %d runs a 32-bit program: it is not entered, and its events "
			 "are not seen",
			 tracee->tid);
		return false;
	}
	if (translates_code(tracee->tid)) {
		hook_say(hook,
			 "process %d is valgrind, which runs no code where it is: it is not "
			 "entered, and "
			 "only its system calls' entries are seen",
			 tracee->tid);
		return false;
	}
	tracee->entry = regs.rip;
	tracee->stack = regs.rsp;
	tracee->page = regs.rip & ~(PAGE - 1);
	tracee->exec_nr = (u32)regs.orig_rax;
	memcpy(code, hook_bootstrap_start, bootstrap_length());
	memcpy(code + (hook_bootstrap_size - hook_bootstrap_start), &text_size, sizeof(text_size));
	if (!swap_page(tracee, code, bootstrap_length(), tracee->saved)) {
		hook_say(hook, "process %d cannot be entered: its memory cannot be written",
			 tracee->tid);
		return false;
	}
	regs.rip = tracee->page;
	regs.orig_rax = ~0ul;
	tracee->booting = true;
	return ptrace(PTRACE_SETREGS, tracee->tid, NULL, &regs) == 0 &&
	       ptrace(PTRACE_CONT, tracee->tid, NULL, NULL) == 0;
}

static bool in_other_pid_namespace(pid_t tid)
{
	char mine[64], its[64], path[64];
	ssize_t a, b;

	snprintf(path, sizeof(path), "/proc/%d/ns/pid", tid);
	a = readlink("/proc/self/ns/pid", mine, sizeof(mine));
	b = readlink(path, its, sizeof(its));
	return a > 0 && (a != b || memcmp(mine, its, (size_t)a) != 0);
}

/* The bootstrap stopped: the program's bytes go back, and the thread to the agent or to the
 * program. */
static void booted(struct hook *hook, struct hook_tracee *tracee)
{
	struct user_regs_struct regs;
	bool done;

	if (ptrace(PTRACE_GETREGS, tracee->tid, NULL, &regs) < 0) {
		detach(tracee, 0);
		return;
	}
	done = regs.rip == tracee->page + (u64)(hook_bootstrap_done - hook_bootstrap_start);
	if (!swap_page(tracee, tracee->saved, bootstrap_length(), NULL)) {
		/* Its code is lost; it must not run on with ours. */
		hook_say(hook,
			 "process %d: the program's memory could not be restored; it is ended",
			 tracee->tid);
		kill(tracee->tid, SIGKILL);
		detach(tracee, 0);
		return;
	}
	if (!done)
		hook_say(hook,
			 "process %d cannot be entered: the data plane's text cannot be mapped "
			 "(error %ld): only its system calls' entries are seen",
			 tracee->tid, -(long)regs.rax);
	regs.orig_rax = ~0ul;
	if (done) {
		regs.rdi = tracee->entry;
		regs.rsi = regs.rbx;
		regs.rdx = (tracee->quiet ? AGENT_START_QUIET : 0) |
			   (in_other_pid_namespace(tracee->tid) ? AGENT_START_FOREIGN_PIDS : 0);
		regs.rcx = tracee->exec_nr | (u64)tracee->old_tid << 32;
		regs.r9 = RT_CONTROL->control_size;
		regs.rip = hook->agent_start;
	} else {
		regs.rax = regs.rbx = regs.rcx = regs.rdx = regs.rsi = regs.rdi = regs.rbp = 0;
		regs.r8 = regs.r9 = regs.r10 = regs.r11 = regs.r12 = 0;
		regs.rip = tracee->entry;
	}
	regs.rsp = tracee->stack;
	ptrace(PTRACE_SETREGS, tracee->tid, NULL, &regs);
	detach(tracee, 0);
}

static void executed(struct hook *hook, pid_t pid)
{
	unsigned long old_tid = 0;
	struct hook_tracee *tracee, *leader;

	ptrace(PTRACE_GETEVENTMSG, pid, NULL, &old_tid);
	/* A thread that was not the leader has taken the leader's id over. */
	tracee = find(hook, (pid_t)old_tid);
	if (tracee && tracee->tid != pid) {
		leader = find(hook, pid);
		if (leader)
			drop(leader);
		tracee->tid = pid;
	} else {
		tracee = find(hook, pid);
	}
	if (!tracee)
		return;
	tracee->old_tid = (u32)old_tid;
	if (!boot(hook, tracee))
		detach(tracee, 0);
}

static void stopped(struct hook *hook, struct hook_tracee *tracee, int status)
{
	int signal = WSTOPSIG(status), event = STATUS_EVENT(status);
	bool group = event == PTRACE_EVENT_STOP && (signal == SIGSTOP || signal == SIGTSTP ||
						    signal == SIGTTIN || signal == SIGTTOU);

	if (event == 0 && signal == SIGTRAP && tracee->booting) {
		booted(hook, tracee);
		return;
	}
	if (tracee->abandoned) {
		detach(tracee, event ? 0 : signal);
		return;
	}
	if (group)
		ptrace(PTRACE_LISTEN, tracee->tid, NULL, NULL);
	else
		ptrace(PTRACE_CONT, tracee->tid, NULL, (void *)(long)(event ? 0 : signal));
}

bool hook_wait_status(struct hook *hook, pid_t tid, int status)
{
	struct hook_tracee *tracee;

	if (WIFSTOPPED(status) && STATUS_EVENT(status) == PTRACE_EVENT_EXEC) {
		executed(hook, tid);
		return true;
	}
	tracee = find(hook, tid);
	if (!tracee)
		return false;
	if (WIFSTOPPED(status))
		stopped(hook, tracee, status);
	else if (WIFEXITED(status) || WIFSIGNALED(status))
		drop(tracee);
	return true;
}

void hook_tracees_free(struct hook *hook)
{
	while (!list_empty(&hook->tracees)) {
		struct hook_tracee *tracee =
			list_entry(hook->tracees.next, struct hook_tracee, link);

		/* Only a stopped tracee can be detached; the others are when this process ends. */
		detach(tracee, 0);
	}
}
