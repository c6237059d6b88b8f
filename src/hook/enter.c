/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entering a program at its exec stop. The thread that executes is seized before its execve goes
 * on; when the new program stands at its entry point, a bootstrap is laid into bytes of its vDSO
 * that no one uses, the thread is sent there, and tracing ends.
 *
 * Everything is driven by wait statuses: nothing here waits for a tracee. Whatever goes wrong ends
 * in the program running as if nothing had been tried; so does the death of the supervisor, whose
 * one change that matters, the new instruction pointer, is made in one call, and after which the
 * bootstrap needs nobody.
 */
#include <errno.h>
#include <elf.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>
#include "arena/arena.h"
#include "base/alloc.h"
#include "base/proc.h"
#include "hook/state.h"

#define PAGE		     4096ul
#define USER_CS_64	     0x33
#define STATUS_EVENT(status) ((status) >> 16)

extern const u8 hook_bootstrap_start[], hook_bootstrap_words[], hook_bootstrap_end[];

#define BOOTSTRAP_MAX 512

_Static_assert(AGENT_ENTER == 0x534b0000 && AGENT_NOT_ENTERED == 0x534b0005 && AGENT_FOR_BPF == 110,
	       "as in x86_64/bootstrap.S");

/* What the bootstrap has to know (x86_64/bootstrap.S). */
struct boot_words {
	u64 entry, agent_start, flags, exec, text_size, control_size;
};

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
	if (tracee->pidfd >= 0)
		close(tracee->pidfd);
	base_free(tracee);
}

static void detach(struct hook_tracee *tracee, int signal)
{
	ptrace(PTRACE_DETACH, tracee->tid, NULL, (void *)(long)signal);
	drop(tracee);
}

/* Those whose process ended before its bootstrap had asked: their ids may come back. */
static void sweep(struct hook *hook)
{
	struct list *node, *next;

	list_for_each(node, next, &hook->tracees) {
		struct hook_tracee *tracee = list_entry(node, struct hook_tracee, link);
		struct pollfd poll_fd = { tracee->pidfd, POLLIN, 0 };

		if (tracee->booting && poll(&poll_fd, 1, 0) == 1)
			drop(tracee);
	}
}

int hook_exec_begin(struct hook *hook, pid_t tid, bool quiet)
{
	struct hook_tracee *tracee;
	int error;

	if (!hook->agent_start)
		return -EOPNOTSUPP;
	sweep(hook);
	tracee = find(hook, tid);
	if (tracee && tracee->booting) {
		drop(tracee);
		tracee = NULL;
	}
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
	tracee->pidfd = -1;
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

bool hook_is_booting(struct hook *hook, pid_t tid)
{
	struct hook_tracee *tracee = find(hook, tid);

	return tracee && tracee->booting;
}

long hook_enter(struct hook *hook, struct sys_client *client, u64 what,
		int (*install_raw_fd)(struct sys_client *client, int fd))
{
	struct hook_tracee *tracee = find(hook, (pid_t)client->pid);
	struct pollfd poll_fd = { tracee ? tracee->pidfd : -1, POLLIN, 0 };
	int number;

	if (!tracee || !tracee->booting || poll(&poll_fd, 1, 0))
		return -EPERM;
	if (what == AGENT_ENTER_IS_ZERO) {
		number = tracee->zero ? 0 : -EAGAIN;
	} else if (what == tracee->given) {
		number = install_raw_fd(client, what == AGENT_ENTER_READ_ONLY
							? arena_fd_read_only(hook->arena)
							: arena_fd(hook->arena));
		tracee->zero = number == 0;
		tracee->given += number >= 0;
	} else {
		return -EPERM;
	}
	/* A 0 it asks about once more. */
	if (tracee->given == 2 && (number > 0 || what == AGENT_ENTER_IS_ZERO))
		drop(tracee);
	return number;
}

void hook_not_entered(struct hook *hook, pid_t tid, long error)
{
	struct hook_tracee *tracee = find(hook, tid);

	if (!tracee || !tracee->booting)
		return;
	drop(tracee);
	hook_say(hook,
		 "process %d cannot be entered: it cannot have the arena (%s); only its system "
		 "calls' entries are seen",
		 tid, strerror((int)-error));
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

static bool in_other_pid_namespace(pid_t tid)
{
	char mine[64], its[64], path[64];
	ssize_t a, b;

	snprintf(path, sizeof(path), "/proc/%d/ns/pid", tid);
	a = readlink("/proc/self/ns/pid", mine, sizeof(mine));
	b = readlink(path, its, sizeof(its));
	return a > 0 && (a != b || memcmp(mine, its, (size_t)a) != 0);
}

static int open_memory(pid_t tid)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/mem", tid);
	return open(path, O_RDWR | O_CLOEXEC);
}

/* Where the kernel mapped the vDSO of process tid; 0: nowhere. */
static u64 find_vdso(pid_t tid)
{
	Elf64_auxv_t vector[64];
	char path[32];
	ssize_t size;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/auxv", tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	size = read(fd, vector, sizeof(vector));
	close(fd);
	for (ssize_t i = 0; i < size / (ssize_t)sizeof(vector[0]); i++)
		if (vector[i].a_type == AT_SYSINFO_EHDR)
			return vector[i].a_un.a_val;
	return 0;
}

/*
 * The distance from the vDSO's start to bytes that are mapped and not part of what its program
 * header loads: the end of its last page, where at most section headers lie. 0: it has none.
 */
static u64 room_in(const Elf64_Ehdr *vdso)
{
	const Elf64_Phdr *header = (const Elf64_Phdr *)((const u8 *)vdso + vdso->e_phoff);
	u64 loaded = 0, end = vdso->e_shoff + (u64)vdso->e_shnum * vdso->e_shentsize, room;

	for (u32 i = 0; i < vdso->e_phnum; i++)
		if (header[i].p_type == PT_LOAD && header[i].p_offset + header[i].p_filesz > loaded)
			loaded = header[i].p_offset + header[i].p_filesz;
	end = ((end > loaded ? end : loaded) + PAGE - 1) & ~(PAGE - 1);
	room = (end - BOOTSTRAP_MAX) & ~15ul;
	return loaded && end >= PAGE && room >= loaded ? room : 0;
}

/* Writes the bootstrap into the process; where, or 0 with a reason. */
static u64 lay_bootstrap(pid_t tid, const u8 *code, u64 size, const char **ret_reason)
{
	const Elf64_Ehdr *ours = (const Elf64_Ehdr *)getauxval(AT_SYSINFO_EHDR);
	u64 at = find_vdso(tid), room = ours ? room_in(ours) : 0;
	Elf64_Ehdr its;
	int memory;

	*ret_reason = "it has no vDSO with room in it";
	if (!at || !room)
		return 0;
	memory = open_memory(tid);
	if (memory < 0) {
		*ret_reason = "its memory cannot be opened";
		return 0;
	}
	if (pread(memory, &its, sizeof(its), (off_t)at) != sizeof(its) ||
	    memcmp(&its, ours, sizeof(its)) != 0)
		*ret_reason = "its vDSO is not the supervisor's";
	else if (pwrite(memory, code, size, (off_t)(at + room)) != (ssize_t)size)
		*ret_reason = "its memory cannot be written";
	else
		*ret_reason = NULL;
	close(memory);
	return *ret_reason ? 0 : at + room;
}

static u64 start_flags(const struct hook_tracee *tracee)
{
	u64 ticks = 0; /* not known */

	base_start_ticks((u32)tracee->tid, &ticks);
	return (tracee->quiet ? AGENT_START_QUIET : 0) |
	       (in_other_pid_namespace(tracee->tid) ? AGENT_START_FOREIGN_PIDS : 0) |
	       ticks << AGENT_START_TICKS_SHIFT;
}

/* Can the program at its exec stop be entered at all? */
static bool is_enterable(struct hook *hook, pid_t tid, const struct user_regs_struct *regs)
{
	if (regs->cs != USER_CS_64) {
		hook_say(hook,
			 "process %d runs a 32-bit program: it is not entered, and its events "
			 "are not seen",
			 tid);
		return false;
	}
	if (translates_code(tid)) {
		hook_say(hook,
			 "process %d is valgrind, which runs no code where it is: it is not "
			 "entered, and only its system calls' entries are seen",
			 tid);
		return false;
	}
	return true;
}

/* At the exec event: sends the thread to the bootstrap. Afterwards the supervisor is not needed. */
static bool boot(struct hook *hook, struct hook_tracee *tracee)
{
	u64 length = (u64)(hook_bootstrap_words - hook_bootstrap_start), at;
	struct user_regs_struct regs;
	struct boot_words words;
	u8 code[BOOTSTRAP_MAX];
	const char *reason;

	if (ptrace(PTRACE_GETREGS, tracee->tid, NULL, &regs) < 0 ||
	    !is_enterable(hook, tracee->tid, &regs))
		return false;
	words = (struct boot_words){
		.entry = regs.rip,
		.agent_start = hook->agent_start,
		.flags = start_flags(tracee),
		.exec = (u32)regs.orig_rax | (u64)tracee->old_tid << 32,
		.text_size = RT_CONTROL->text_size,
		.control_size = RT_CONTROL->control_size,
	};
	memcpy(code, hook_bootstrap_start, length);
	memcpy(code + length, &words, sizeof(words));
	at = lay_bootstrap(tracee->tid, code, length + sizeof(words), &reason);
	tracee->pidfd = at ? (int)syscall(SYS_pidfd_open, tracee->tid, 0) : -1;
	if (tracee->pidfd < 0) {
		hook_say(hook,
			 "process %d cannot be entered (%s): only its system calls' entries are "
			 "seen",
			 tracee->tid, at ? strerror(errno) : reason);
		return false;
	}
	regs.rip = at;
	regs.orig_rax = ~0ul;
	if (ptrace(PTRACE_SETREGS, tracee->tid, NULL, &regs) < 0)
		return false;
	/* From here on the bootstrap may ask at any time. */
	tracee->booting = true;
	ptrace(PTRACE_DETACH, tracee->tid, NULL, NULL);
	return true;
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
