/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A whole hive: the filter, the listener, descriptors, the façade, the end in order and by SIGKILL,
 * over stand-ins for bpf(2) itself. The clients are this same program, started with the name of a
 * part to play.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/perf_event.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "agent/facade.h"
#include "agent/protocol.h"
#include "arena/arena.h"
#include "fake.h"
#include "gate/gate.h"
#include "harness/tap.h"
#include "object/object.h"
#include "rt/event.h"

#define HANG_SECONDS 200 /* what takes longer hangs */

static char *self;
static struct arena *arena;
static struct rt_event_table events;

/* ---- the parts that clients play; 0: all was well, else the number of the step that was not ----
 */

static long bpf(unsigned cmd, u64 attr, unsigned size)
{
	long result = syscall(SYS_bpf, cmd, attr, size);

	return result < 0 ? -errno : result;
}

static int play_echo(void)
{
	u64 value = 21;

	if (bpf(FAKE_ECHO, (u64)&value, 8) != 0 || value != 42)
		return 1;
	if (bpf(FAKE_ECHO, 8, 8) != -EFAULT)
		return 2;
	if (bpf(12345, 0, 0) != -EINVAL)
		return 3;
	return 0;
}

static int play_descriptors(void)
{
	long map = bpf(FAKE_INSTALL, 0, OBJECT_MAP), prog = bpf(FAKE_INSTALL, 0, OBJECT_PROG);
	int copy, status;
	pid_t child;

	if (map < 0 || prog < 0)
		return 1;
	if (bpf(FAKE_KIND, (u64)map, 0) != OBJECT_MAP ||
	    bpf(FAKE_KIND, (u64)prog, 0) != OBJECT_PROG)
		return 2;
	if (!(fcntl((int)map, F_GETFD) & FD_CLOEXEC) || bpf(FAKE_ACCESS, (u64)map, 0) != O_RDWR)
		return 3;
	if (bpf(FAKE_KIND, 1000, 0) != -EBADF || bpf(FAKE_KIND, 0, 0) != -EINVAL)
		return 4;
	copy = dup((int)map);
	close((int)map);
	child = fork();
	if (child == 0)
		_exit(bpf(FAKE_KIND, (u64)copy, 0) == OBJECT_MAP ? 0 : 1);
	if (waitpid(child, &status, 0) != child || status)
		return 5;
	close(copy);
	close((int)prog);
	for (u32 i = 0; i < 1000 && bpf(FAKE_OBJECTS, 0, 0); i++)
		usleep(1000);
	return bpf(FAKE_OBJECTS, 0, 0) == 0 ? 0 : 6;
}

static int play_polling(void)
{
	struct pollfd map = { (int)bpf(FAKE_INSTALL, 0, OBJECT_MAP), POLLIN, 0 };

	if (poll(&map, 1, 0) != 0)
		return 1;
	bpf(FAKE_RECORD, 1, 0);
	if (poll(&map, 1, 5000) != 1)
		return 2;
	bpf(FAKE_RECORD, 0, 0);
	if (poll(&map, 1, 0) != 0)
		return 3; /* the call itself brings the truth */
	/* Nothing tells of a producer that died: it is looked for from time to time. */
	bpf(FAKE_RECORD, 1, 3);
	return poll(&map, 1, 0) == 0 && poll(&map, 1, 60000) == 1 ? 0 : 4;
}

static int play_perf(void)
{
	struct {
		struct perf_event_attr attr;
		u8 tail[64];
	} big = { .attr = { .type = PERF_TYPE_TRACEPOINT, .size = sizeof(big) } };
	u32 query[2 + 4] = { 4 }; /* struct perf_event_query_bpf: ids_len, prog_cnt, ids */
	long prog = bpf(FAKE_INSTALL, 0, OBJECT_PROG), perf;
	int null = open("/dev/null", O_RDWR);

	perf = syscall(SYS_perf_event_open, &big, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	if (perf < 0)
		return 1;
	if (ioctl((int)perf, PERF_EVENT_IOC_SET_BPF, prog) ||
	    ioctl((int)perf, PERF_EVENT_IOC_ENABLE, 0))
		return 2;
	if (ioctl((int)perf, PERF_EVENT_IOC_SET_BPF, null) == 0 || errno != EINVAL)
		return 3;
	if (ioctl((int)perf, PERF_EVENT_IOC_QUERY_BPF, query) || query[1] != 1 || query[2] != 7)
		return 4;
	if (ioctl(null, PERF_EVENT_IOC_ENABLE, 0) == 0 || errno != ENOTTY)
		return 5;
	big.tail[63] = 1;
	if (syscall(SYS_perf_event_open, &big, -1, 0, -1, 0) >= 0 || errno != E2BIG ||
	    big.attr.size != sizeof(struct perf_event_attr))
		return 6;
	if (syscall(SYS_perf_event_open, &big, -1, 0, -1, 0x100) >= 0 || errno != EINVAL)
		return 7;
	return 0;
}

static int play_pins(void)
{
	long map = bpf(FAKE_INSTALL, 0, OBJECT_MAP), again;

	if (bpf(FAKE_PIN, (u64) "/sys/fs/bpf/m", (u32)map) != 0)
		return 1;
	if (bpf(FAKE_PIN, (u64) "/sys/fs/bpf/m", (u32)map) != -EEXIST)
		return 2;
	if (bpf(FAKE_PIN, (u64) "/tmp/skep-not-a-bpffs", (u32)map) != -EPERM)
		return 3;
	if (bpf(FAKE_PIN, (u64) "/sys/fs/bpf/../escape", (u32)map) != -EPERM)
		return 4;
	if (bpf(FAKE_GET_PINNED, (u64) "/sys/fs/bpf/none", 0) != -ENOENT)
		return 5;
	close((int)map);
	again = bpf(FAKE_GET_PINNED, (u64) "/sys/fs/bpf/m", 0);
	return again >= 0 && bpf(FAKE_KIND, (u64)again, 0) == OBJECT_MAP ? 0 : 6;
}

static bool file_says(const char *path, const char *want)
{
	char text[256] = "";
	int fd = open(path, O_RDONLY);
	ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	return size >= 0 && strstr(text, want);
}

static int play_facade(void)
{
	long map = bpf(FAKE_INSTALL, 0, OBJECT_MAP);
	struct agent_hive_info info = { .zero = 0 };
	char path[64], text[256] = "";
	int fd;

	if (!file_says("/sys/kernel/tracing/events/syscalls/sys_enter_getppid/id", "1\n"))
		return 1;
	if (!file_says("/sys/kernel/debug/tracing/available_events", "sched:sched_process_exec\n"))
		return 2;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%ld", map);
	if (!file_says(path, "flags:\t") || !file_says(path, "map_type:\t27\n"))
		return 3;
	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", getpid(), open("/dev/null", O_RDONLY));
	if (file_says(path, "map_type:") || !file_says(path, "flags:\t"))
		return 4;
	if (bpf(AGENT_HIVE_INFO, (u64)&info, sizeof(info)) != 0 ||
	    access(info.facade_dir, R_OK) != 0)
		return 5;
	fd = open("/sys/kernel/tracing/trace_pipe", O_RDONLY);
	if (fd < 0 || bpf(FAKE_PRINT, 0, 0) != 0 || read(fd, text, sizeof(text) - 1) <= 0 ||
	    !strstr(text, "bpf_trace_printk: line\n"))
		return 6;
	return 0;
}

static int play_events(void)
{
	long before = bpf(FAKE_ENTERS, SYS_getppid, 0);

	for (u32 i = 0; i < 10; i++)
		syscall(SYS_getppid);
	return bpf(FAKE_ENTERS, SYS_getppid, 0) == before + 10 ? 0 : 1;
}

static int play_exec_fails(void)
{
	char *argv[] = { (char *)"x", NULL };

	execve("/nonexistent", argv, argv);
	return errno == ENOENT && getppid() > 0 ? 0 : 1;
}

/* Lives on without its supervisor: calls in flight and calls after it. */
/* Under a filter that denies bpf(2). */
static int play_denied(void)
{
	struct agent_hive_info info = { 0 };
	u64 value = 21;

	if (bpf(FAKE_ECHO, (u64)&value, 8) != -EPERM)
		return 1;
	if (syscall(AGENT_FOR_BPF, AGENT_HIVE_INFO, &info, sizeof(info)) || !info.facade_dir[0])
		return 2;
	/* What else has this number is what it always was. */
	if (syscall(AGENT_FOR_BPF, FAKE_ECHO, &value, 8) != getppid() || value != 21)
		return 3;
	return 0;
}

static int play_orphan(void)
{
	bpf(FAKE_KILL, 0, 0);
	for (u32 i = 0; i < 100; i++) {
		if (getppid() <= 0 || syscall(SYS_getuid) < 0)
			return 1;
		usleep(100);
	}
	return bpf(FAKE_ECHO, 0, 0) < 0 ? 0 : 2;
}

static u64 random_state = 20260101;

static u64 random_word(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* A number that is now and then a good address, a descriptor, a size. */
static u64 random_argument(const u8 *memory)
{
	switch (random_word() % 6) {
	case 0: return random_word() % 16;
	case 1: return (u64)memory + random_word() % 8192;
	case 2: return random_word();
	case 3: return (u64)-1;
	case 4: return 1ull << (random_word() % 64);
	default: return 0;
	}
}

/* Calls of all kinds that reach the supervisor, with arguments that mean nothing: it has to survive
 * them. */
static int play_noise(void)
{
	static const int numbers[] = { SYS_bpf,	    SYS_bpf,	    SYS_perf_event_open,
				       SYS_ioctl,   SYS_openat,	    SYS_open,
				       SYS_mmap,    SYS_epoll_wait, SYS_execve,
				       SYS_execveat };
	static const char *const paths[] = { "/proc/self/fdinfo/3", "/proc/0/fdinfo/-1",
					     "/sys/fs/bpf/x", "/sys/kernel/tracing/../..",
					     "/proc/99999999999/fdinfo/1" };
	static u8 memory[8192];
	u64 value = 21;

	for (u32 i = 0; i < 20000; i++) {
		int number = numbers[random_word() % ARRAY_SIZE(numbers)];
		u64 args[6];

		for (u32 a = 0; a < 6; a++)
			args[a] = random_argument(memory);
		for (u32 w = 0; w < 8; w++)
			((u64 *)memory)[random_word() % 1024] = random_argument(memory);
		if (number == SYS_bpf) {
			args[0] = random_word() % 4 ? FAKE_ECHO + random_word() % 6
						    : AGENT_HIVE_INFO - 0x80 + random_word() % 256;
		} else if (number == SYS_ioctl) {
			args[1] = '$' << 8 | random_word() % 16 | (random_word() % 4) << 30;
		} else if (number == SYS_openat || number == SYS_open) {
			strcpy((char *)memory, paths[random_word() % ARRAY_SIZE(paths)]);
			args[number == SYS_openat] = (u64)memory;
			args[1 + (number == SYS_openat)] = O_RDONLY | O_NONBLOCK;
		} else if (number == SYS_mmap) {
			args[0] = 0;
			args[3] &= ~(u64)MAP_FIXED;
		} else if (number == SYS_epoll_wait) {
			args[3] = 0;
		}
		syscall(number, args[0], args[1], args[2], args[3], args[4], args[5]);
		if (i % 64 == 0)
			close_range(3, ~0u, 0);
	}
	return bpf(FAKE_ECHO, (u64)&value, 8) == 0 && value == 42 ? 0 : 1;
}

static const struct part {
	const char *name;
	int (*play)(void);
} parts[] = {
	{ "echo", play_echo },
	{ "descriptors", play_descriptors },
	{ "polling", play_polling },
	{ "perf", play_perf },
	{ "pins", play_pins },
	{ "facade", play_facade },
	{ "events", play_events },
	{ "exec-fails", play_exec_fails },
	{ "noise", play_noise },
	/* Played by tests of their own. */
	{ "orphan", play_orphan },
	{ "denied", play_denied },
};

#define NR_PLAIN_PARTS (ARRAY_SIZE(parts) - 2)

/* ---- the supervisor's side ---- */

static struct gate *new_gate(void)
{
	struct gate_options options = { .arena = arena };
	struct gate *gate;
	int error = gate_new(&options, &gate);

	if (error)
		tap_bail("gate_new: %d", error);
	return gate;
}

static int run(struct gate *gate, const char *const *argv, unsigned flags)
{
	int status = -1, error;
	pid_t pid = gate_spawn(gate, (char *const *)argv, NULL, flags);

	if (pid < 0)
		return pid;
	error = gate_serve(gate, pid, &status);
	return error ? error : status;
}

static void test_parts(struct gate *gate)
{
	for (u32 i = 0; i < NR_PLAIN_PARTS; i++) {
		const char *argv[] = { self, parts[i].name, NULL };
		int status = run(gate, argv, 0);

		if (!tap_ok(status == 0, "a client: %s", parts[i].name))
			tap_note("status %#x", status);
	}
}

static void test_spawn(struct gate *gate)
{
	const char *none[] = { "skep-no-such-program", NULL }, *directory[] = { "/tmp", NULL };
	const char *shell[] = { "sh", "-c", "/bin/true && exit 3", NULL };
	const char *killed[] = { "sh", "-c", "kill -9 $$", NULL };
	const char *events_argv[] = { self, "events", NULL };
	u32 begun = fake_exec_begun, quiet = fake_exec_quiet;

	tap_is(run(gate, none, 0), -ENOENT, "no such program");
	tap_is(run(gate, directory, 0), -EACCES, "a directory");
	tap_is(run(gate, shell, 0), 3 << 8, "the exit status");
	tap_ok(fake_exec_begun >= begun + 3, "each execution is announced to the hook module");
	tap_is(run(gate, killed, 0), SIGKILL, "the signal");
	tap_ok(fake_exec_abandoned > 0, "failed executions are given up");
	tap_is(run(gate, events_argv, GATE_SPAWN_CLIENT), 1 << 8,
	       "a client's own events do not fire");
	tap_is(fake_exec_quiet, quiet + 1, "and its program is entered quietly");
}

/* A signal to the supervisor is for the tree; the second one ends the serving. */
static void test_signals(struct gate *gate)
{
	const char *dies[] = { "sh", "-c", "kill -TERM $PPID; exec sleep 10", NULL };
	const char *catches[] = {
		"sh", "-c", "trap 'kill $!; exit 5' HUP; sleep 10 & kill -HUP $PPID; wait; exit 6",
		NULL
	};
	/*
	 * When the first one has come back to it, sends others until the supervisor takes one for
	 * another request; those that follow the first at once belong to it.
	 */
	const char *stubborn[] = {
		"sh", "-c",
		"trap 'kill $!; while :; do kill -TERM $PPID; sleep 0.1; done' TERM; "
		"sleep 10 & kill -TERM $PPID; wait",
		NULL
	};
	int status;
	pid_t pid;

	tap_is(run(gate, dies, 0), SIGTERM, "SIGTERM is passed on");
	tap_is(run(gate, catches, 0), 5 << 8, "SIGHUP is passed on");
	pid = gate_spawn(gate, (char *const *)stubborn, NULL, 0);
	tap_is(gate_serve(gate, pid, &status), -EINTR, "the second one ends the serving");
	kill(pid, SIGKILL);
	tap_ok(gate_serve(gate, pid, &status) == 0 && status == SIGKILL,
	       "which can be taken up again");
}

static bool exists(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0;
}

/* A process that was killed a moment ago may still have to end: then the keeper sees to the
 * directory. */
static bool vanishes(const char *path)
{
	for (u32 i = 0; i < HANG_SECONDS * 1000 && exists(path); i++)
		usleep(1000);
	return !exists(path);
}

/* The supervisor is killed while it serves; the client goes on, and nothing is left when it has
 * ended. */
static void test_keeper(void)
{
	char directory[128] = "";
	const char *argv[] = { self, "orphan", NULL };
	int pipes[2], status = -1;
	pid_t supervisor, left;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	/* What earlier tests left behind ends by itself; it must not be taken for the orphans. */
	while (waitpid(-1, NULL, 0) > 0)
		;
	if (pipe(pipes) < 0)
		tap_bail("no pipe");
	supervisor = fork();
	if (supervisor == 0) {
		struct gate *gate = new_gate();

		(void)!write(pipes[1], gate_facade_dir(gate), strlen(gate_facade_dir(gate)));
		run(gate, argv, 0);
		_exit(0);
	}
	close(pipes[1]);
	(void)!read(pipes[0], directory, sizeof(directory) - 1);
	waitpid(supervisor, &status, 0);
	tap_ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "the supervisor is killed");
	/* Both orphans are ours now: the client, then the keeper. */
	for (u32 i = 0; i < 2; i++) {
		alarm(HANG_SECONDS);
		left = waitpid(-1, &status, 0);
		tap_ok(left > 0 && status == 0, "%s ends well", i ? "the keeper" : "the client");
	}
	alarm(0);
	tap_ok(directory[0] && vanishes(directory), "the keeper removed the hive's directory");
}

/* In order, with a process that stays: as long as a file exists. */
static void test_takeover(const char *runtime)
{
	struct gate *gate = new_gate();
	char directory[128], file[64], script[256];
	const char *argv[] = { "sh", "-c", script, NULL };
	int status;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	snprintf(file, sizeof(file), "%s/stay", runtime);
	close(creat(file, 0600));
	snprintf(script, sizeof(script),
		 "(while [ -e %s ]; do sleep 0.02; done; cat /dev/null) >/dev/null 2>&1 & exit 0",
		 file);
	strcpy(directory, gate_facade_dir(gate));
	tap_is(run(gate, argv, 0), 0, "a process that leaves another one behind");
	gate_free(gate);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	tap_ok(exists(directory), "the directory stays as long as that one runs");
	unlink(file);
	alarm(HANG_SECONDS);
	while (wait(&status) > 0 || errno == EINTR)
		;
	alarm(0);
	tap_ok(vanishes(directory), "and goes with it");
}

/* Is there a filter around this test already, which denies what its clients ask for? */
static bool is_denied(void)
{
	return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) && syscall(SYS_bpf, -1, NULL, 0) < 0 &&
	       errno != EINVAL;
}

/* A filter that was there first, as in a container: agents are told to take the other numbers. */
static void test_outer_filter(void)
{
	struct sock_filter deny[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_bpf, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { ARRAY_SIZE(deny), deny };
	const char *argv[] = { self, "denied", NULL };
	struct gate *gate;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) < 0)
			_exit(1);
		gate = new_gate();
		status = run(gate, argv, 0);
		gate_free(gate);
		_exit(status || !fake_calls_denied() ? 2 : 0);
	}
	waitpid(pid, &status, 0);
	tap_is(status, 0, "a filter around the hive denies bpf(2): it goes by another number");
}

static void be_client(const char *name)
{
	for (u32 i = 0; i < ARRAY_SIZE(parts); i++)
		if (!strcmp(name, parts[i].name))
			exit(parts[i].play());
	exit(99);
}

int main(int argc, char **argv)
{
	char runtime[] = "/tmp/skep-test-XXXXXX", directory[128], path[4096];
	struct gate *gate;
	const char *message;

	/* A run under nohup(1) ignores it, and would hand that on to what is tested. */
	signal(SIGHUP, SIG_DFL);
	if (argc > 1)
		be_client(argv[1]);
	self = realpath("/proc/self/exe", path);
	if (!self || !mkdtemp(runtime))
		tap_bail("no temporary directory");
	setenv("XDG_RUNTIME_DIR", runtime, 1);
	setenv("XDG_CACHE_HOME", runtime, 1);
	if (arena_new(NULL, &arena, &message) < 0)
		tap_bail("%s", message);
	events.enter_mask[SYS_getppid / 64] |= 1ull << (SYS_getppid % 64);
	RT_CONTROL->events = &events;

	test_outer_filter();
	if (is_denied()) {
		tap_skip(1, "bpf(2) without an agent is not permitted here");
		return tap_done();
	}
	gate = new_gate();
	strcpy(directory, gate_facade_dir(gate));
	test_parts(gate);
	test_spawn(gate);
	test_signals(gate);
	gate_free(gate);
	tap_ok(vanishes(directory), "the end in order leaves no directory");
	test_keeper();
	test_takeover(runtime);
	arena_free(arena);
	snprintf(path, sizeof(path), "rm -rf %s", runtime);
	return system(path) == 0 ? tap_done() : 1;
}
