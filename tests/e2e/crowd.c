/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many clients of one hive at once, run under `skep exec`: they work on maps, programs, pins and
 * each other's descriptors, some are stopped in the middle of a call, some killed, some run out of
 * descriptors, and so does the supervisor. The others go on, each finds in its own map what it put
 * there, and in the end the hive has no object and the supervisor no descriptor more than before.
 *
 * Usage: crowd [CLIENTS]: so many processes at once in the last round, 1,000 if not said
 */
#include "harness/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <dirent.h>
#include <linux/bpf.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PIN	  "/sys/fs/bpf/crowd-%u"
#define CROWD	  16
#define THREADS	  3
#define STEPS	  150
#define STOPS	  60
#define KILLS	  80
#define TRIES	  500
#define SLACK_KIB 8192
#define SLACK_FDS 72 /* what it keeps of the threads it has last heard of */

/* Shared by all clients. */
static struct shared {
	volatile unsigned steps[CROWD * THREADS];
	volatile unsigned here, wrong;
} * shared;

static unsigned draw(unsigned *state, unsigned below)
{
	*state = *state * 1103515245u + 12345u;
	return (*state >> 8) % below;
}

static long bpf(unsigned cmd, union bpf_attr *attr)
{
	long result = syscall(SYS_bpf, cmd, attr, sizeof(*attr));

	return result < 0 ? -errno : result;
}

static int make_map(unsigned type)
{
	union bpf_attr attr = {
		.map_type = type, .key_size = 4, .value_size = 8, .max_entries = 8
	};

	return (int)bpf(BPF_MAP_CREATE, &attr);
}

static long element(unsigned cmd, int map, const unsigned *key, unsigned long long *value)
{
	union bpf_attr attr = { .map_fd = (unsigned)map };

	attr.key = (unsigned long)key;
	attr.value = (unsigned long)value;
	return bpf(cmd, &attr);
}

static int load_program(void)
{
	static const struct bpf_insn insns[] = { { .code = BPF_ALU64 | BPF_MOV | BPF_K },
						 { .code = BPF_JMP | BPF_EXIT } };
	union bpf_attr attr = { .prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
				.insn_cnt = 2,
				.insns = (unsigned long)insns,
				.license = (unsigned long)"GPL" };

	return (int)bpf(BPF_PROG_LOAD, &attr);
}

static void pin_and_unpin(int fd, unsigned name)
{
	char path[64];
	union bpf_attr attr = { .bpf_fd = (unsigned)fd };

	snprintf(path, sizeof(path), PIN, name);
	attr.pathname = (unsigned long)path;
	if (!bpf(BPF_OBJ_PIN, &attr))
		unlink(path);
}

/* What a client's thread writes: nothing else has this in its upper half. */
static unsigned long long mark(unsigned thread)
{
	return (0xc0deull << 16 | thread / THREADS) << 32;
}

/*
 * A map holds what was put there, if nobody else has the number. Other threads of the process close
 * it, or make it a duplicate of what they, or this one, once had: then the value is some other one,
 * yet of this process.
 */
static void own_map(unsigned *state, unsigned thread, bool alone)
{
	unsigned key = draw(state, 8);
	unsigned long long in = mark(thread) | *state, out = 0;
	int map = make_map(draw(state, 2) ? BPF_MAP_TYPE_HASH : BPF_MAP_TYPE_ARRAY);

	if (map < 0)
		return;
	if (!element(BPF_MAP_UPDATE_ELEM, map, &key, &in) &&
	    !element(BPF_MAP_LOOKUP_ELEM, map, &key, &out) && out != in &&
	    (alone || (out >> 48 == 0xc0de && out >> 32 != in >> 32)))
		shared->wrong++;
	close(map);
}

static void step(unsigned *state, unsigned thread, bool alone)
{
	union bpf_attr attr = { 0 };
	int fd;

	switch (draw(state, 8)) {
	case 0:
	case 1:
	case 2: own_map(state, thread, alone); break;
	case 3:
		fd = load_program();
		if (fd >= 0) {
			pin_and_unpin(fd, thread);
			close(fd);
		}
		break;
	case 4: close((int)(3 + draw(state, 24))); break;
	case 5: dup2((int)(3 + draw(state, 24)), (int)(3 + draw(state, 24))); break;
	case 6:
		attr.map_fd = 3 + draw(state, 24);
		attr.key = draw(state, 2) ? 8 : (unsigned long)&attr;
		attr.value = (unsigned long)&attr;
		bpf(1 + draw(state, 5), &attr);
		break;
	default: bpf(draw(state, 40), &attr); break;
	}
	shared->steps[thread]++;
}

static void *work(void *arg)
{
	unsigned thread = (unsigned)(unsigned long)arg, state = thread * 7919 + 1, i;

	for (i = 0; i < STEPS; i++)
		step(&state, thread, false);
	return NULL;
}

/* A process of several threads. */
static void client(unsigned number)
{
	pthread_t threads[THREADS];
	unsigned long i;

	for (i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, work, (void *)(number * THREADS + i)))
			_exit(2);
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	_exit(0);
}

/* One that never ends by itself. */
static void endless(unsigned number)
{
	unsigned state = number;

	for (;;)
		step(&state, number % (CROWD * THREADS), true);
}

static pid_t start(void (*run)(unsigned), unsigned number)
{
	pid_t pid = fork();

	if (pid < 0)
		tap_bail("fork: %s", strerror(errno));
	if (!pid) {
		run(number);
		_exit(1);
	}
	return pid;
}

static bool ends_well(pid_t pid)
{
	int status = 0;

	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && !WEXITSTATUS(status);
}

static unsigned run_crowd(void)
{
	pid_t pids[CROWD];
	unsigned i, well = 0;

	for (i = 0; i < CROWD; i++)
		pids[i] = start(client, i);
	for (i = 0; i < CROWD; i++)
		well += ends_well(pids[i]);
	return well;
}

/* Waits until a process has done some more steps: it is in its loop. */
static void wait_for_steps(unsigned number)
{
	unsigned before = shared->steps[number];

	while (shared->steps[number] - before < 3)
		usleep(100);
}

/* Stopped at any point, most of the time within a call; the others go on meanwhile. */
static void stopped(void)
{
	pid_t victim = start(endless, 0);
	unsigned i, state = 1, well = 0;
	int fd;

	for (i = 0; i < STOPS; i++) {
		wait_for_steps(0);
		usleep(draw(&state, 300));
		kill(victim, SIGSTOP);
		fd = make_map(BPF_MAP_TYPE_HASH);
		well += fd >= 0;
		close(fd);
		if (i == STOPS - 1)
			tap_ok(run_crowd() == CROWD, "a crowd works while a client is stopped");
		kill(victim, SIGCONT);
	}
	kill(victim, SIGKILL);
	waitpid(victim, NULL, 0);
	tap_is(well, STOPS, "others are served while a client is stopped");
}

static void killed(void)
{
	unsigned i, state = 2, died = 0;

	for (i = 0; i < KILLS; i++) {
		pid_t victim = start(endless, 1);
		int status = 0;

		wait_for_steps(1);
		usleep(draw(&state, 500));
		kill(victim, SIGKILL);
		died += waitpid(victim, &status, 0) == victim && WIFSIGNALED(status);
	}
	tap_is(died, KILLS, "clients killed at any point die");
	tap_ok(run_crowd() == CROWD, "a crowd works after that");
}

/* A client without room for one more descriptor is told so. */
static void no_descriptors(unsigned number)
{
	struct rlimit limit = { 40, 40 };
	int fd, made = 0;

	setrlimit(RLIMIT_NOFILE, &limit);
	while ((fd = make_map(BPF_MAP_TYPE_ARRAY)) >= 0)
		made++;
	_exit(fd == -EMFILE && made > 10 && load_program() == -EMFILE ? 0 : 1);
}

/* --- the supervisor --- */

static unsigned count_fds(pid_t pid)
{
	char path[32];
	unsigned count = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	if (!dir)
		return 0;
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static long resident_kib(pid_t pid)
{
	char path[32], line[128];
	long kib = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "VmRSS: %ld", &kib) == 1)
			break;
	if (file)
		fclose(file);
	return kib;
}

static unsigned count_objects(void)
{
	static const unsigned cmds[] = { BPF_MAP_GET_NEXT_ID, BPF_PROG_GET_NEXT_ID,
					 BPF_LINK_GET_NEXT_ID };
	unsigned i, count = 0;

	for (i = 0; i < sizeof(cmds) / sizeof(*cmds); i++) {
		union bpf_attr attr = { 0 };

		for (; !bpf(cmds[i], &attr); attr.start_id = attr.next_id)
			count++;
	}
	return count;
}

static void settle(void)
{
	unsigned tries, name;
	char path[64];

	/* What was killed between pinning and unpinning has left its pin, as on the kernel. */
	for (name = 0; name < CROWD * THREADS; name++) {
		snprintf(path, sizeof(path), PIN, name);
		unlink(path);
	}
	for (tries = 0; tries < TRIES; tries++) {
		if (!count_objects())
			return;
		usleep(20000);
	}
}

/* The supervisor cannot open one more file: calls fail, nobody hangs, and it recovers. */
static void supervisor_exhausted(pid_t supervisor)
{
	struct rlimit before, limit;
	unsigned key = 1;
	unsigned long long value = 2;
	int map = make_map(BPF_MAP_TYPE_HASH), fd;

	if (prlimit(supervisor, RLIMIT_NOFILE, NULL, &before) < 0) {
		tap_skip(3, "the supervisor's limits cannot be changed: %s", strerror(errno));
		close(map);
		return;
	}
	limit = before;
	limit.rlim_cur = 5;
	prlimit(supervisor, RLIMIT_NOFILE, &limit, NULL);
	fd = make_map(BPF_MAP_TYPE_HASH);
	tap_ok(fd == -EMFILE || fd == -ENFILE || fd == -ENOMEM,
	       "a supervisor without descriptors says so (%d)", fd);
	tap_is(element(BPF_MAP_UPDATE_ELEM, map, &key, &value), 0, "what needs none still works");
	prlimit(supervisor, RLIMIT_NOFILE, &before, NULL);
	close(map);
	map = make_map(BPF_MAP_TYPE_HASH);
	tap_ok(map >= 0, "and then all works again (%d)", map);
	close(map);
}

static int gate[2]; /* ends for its readers when the last of them is there */

/* All of them are there at one time, with a map each. */
static void one_of_many(unsigned number)
{
	unsigned key = number;
	unsigned long long in = number, out = 0;
	int map = make_map(BPF_MAP_TYPE_HASH);
	char value;
	bool well;

	__sync_fetch_and_add(&shared->here, 1);
	close(gate[1]);
	well = read(gate[0], &value, 1) == 0 && map >= 0 &&
	       !element(BPF_MAP_UPDATE_ELEM, map, &key, &in) &&
	       !element(BPF_MAP_LOOKUP_ELEM, map, &key, &out) && in == out;
	_exit(well ? 0 : 1);
}

static void many(unsigned clients)
{
	pid_t *pids = calloc(clients, sizeof(*pids));
	unsigned i, well = 0;

	if (!pids || pipe(gate))
		tap_bail("no memory");
	for (i = 0; i < clients; i++)
		pids[i] = start(one_of_many, i);
	while (shared->here < clients)
		usleep(1000);
	close(gate[1]);
	for (i = 0; i < clients; i++)
		well += ends_well(pids[i]);
	tap_ok(well == clients, "%u of %u clients at once find what they wrote", well, clients);
	close(gate[0]);
	free(pids);
}

int main(int argc, char **argv)
{
	unsigned clients = argc > 1 ? (unsigned)atoi(argv[1]) : 1000, fds;
	pid_t supervisor = getppid();
	long memory;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED)
		tap_bail("mmap: %s", strerror(errno));
	fds = count_fds(supervisor);
	tap_is(run_crowd(), CROWD, "a crowd works");
	settle();
	memory = resident_kib(supervisor);
	stopped();
	killed();
	tap_ok(ends_well(start(no_descriptors, 0)), "a client without descriptors gets EMFILE");
	supervisor_exhausted(supervisor);
	many(clients);
	tap_is(run_crowd(), CROWD, "a crowd works at the end");
	tap_is(shared->wrong, 0, "nobody found what another one wrote");
	settle();
	tap_is(count_objects(), 0, "no object is left");
	if (fds)
		tap_ok(count_fds(supervisor) <= fds + SLACK_FDS,
		       "the supervisor has not many more descriptors: %u, before %u",
		       count_fds(supervisor), fds);
	else
		tap_skip(1, "the supervisor's descriptors cannot be seen");
	tap_ok(resident_kib(supervisor) < memory + SLACK_KIB,
	       "and as much memory: %ld KiB, before %ld KiB", resident_kib(supervisor), memory);
	return tap_done();
}
