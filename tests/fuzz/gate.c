/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzz target: what reaches a hive's supervisor from outside. The input is a list of actions on a
 * gate over the real src/sys and src/hook: messages to its control socket, with and without
 * descriptors; answers of somebody who pretends to be a supervisor; and system calls of a client,
 * as the kernel would report them (the ioctls of the listener are this file's), the agent's
 * commands among them. The client is a process of its own, which takes descriptors and otherwise
 * waits, so that any address may be written to. Every call must be answered exactly once, no
 * descriptor may be left.
 */
#include "fuzz.h"
#include "agent/protocol.h"
#include "arena/arena.h"
#include "gate/join.h"
#include "gate/loop.h"
#include "gate/pass.h"
#include "gate/registry.h"
#include "gate/state.h"
#include "harness/tap.h"
#include "hook/hook.h"
#include "sys/sys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MEMORY	    0x310000000000ull
#define MEMORY_SIZE 0x2000u
#define CLIENT_FD   900 /* the client's end of its socket */
#define MEMORY_FD   901
#define FIRST_FD    10 /* of those that the client is given */
#define CONNECTIONS 4
#define ACTIONS_MAX 60
#define CLIENT_ENV  "SKEP_FUZZ_CLIENT"

/* ---- the client ---- */

enum order { TAKE, CLOSE_ALL };

static void serve_client(int socket_fd)
{
	int order, fd, number;

	while (pass_receive(socket_fd, &order, sizeof(order), &fd, 0) == sizeof(order)) {
		number = 0;
		if (order == CLOSE_ALL) {
			close_range(FIRST_FD, CLIENT_FD - 1, 0);
		} else if (fd >= 0) {
			number = fcntl(fd, F_DUPFD, FIRST_FD);
			close(fd);
		}
		if (send(socket_fd, &number, sizeof(number), 0) < 0)
			break;
	}
	_exit(0);
}

/* This program, started again as a client, whoever has written its main(). */
static void __attribute__((constructor)) become_client(void)
{
	if (!getenv(CLIENT_ENV))
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (mmap((void *)(uintptr_t)MEMORY, MEMORY_SIZE, PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_FIXED_NOREPLACE, MEMORY_FD, 0) == MAP_FAILED)
		_exit(1);
	serve_client(CLIENT_FD);
}

static struct {
	pid_t pid;
	int socket_fd, memory_fd;
	u8 *memory;
} client;

static void must(bool ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "%s: %s\n", what, strerror(errno));
		abort();
	}
}

static void start_client(void)
{
	int sockets[2];

	must(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets), "socketpair");
	client.pid = fork();
	if (!client.pid) {
		dup2(sockets[1], CLIENT_FD);
		dup2(client.memory_fd, MEMORY_FD);
		setenv(CLIENT_ENV, "1", 1);
		execl("/proc/self/exe", "client", NULL);
		_exit(1);
	}
	must(client.pid > 0, "fork");
	close(sockets[1]);
	client.socket_fd = sockets[0];
}

static void end_client(void)
{
	kill(client.pid, SIGKILL);
	close(client.socket_fd);
	while (waitpid(client.pid, NULL, __WALL) < 0 && errno == EINTR)
		;
}

static struct gate *gate;
static bool stopped; /* it may be */

/* The client's number for fd, or -errno when it has died of what was written into it. */
static int order_client(int order, int fd)
{
	struct pollfd answer = { client.socket_fd, POLLIN, 0 };
	int number, extra;

	if (pass_send(client.socket_fd, &order, sizeof(order), fd, 0))
		return -ESRCH;
	/* After an execve that never came it has to be let go first, as the loop does. */
	while (poll(&answer, 1, gate->pending.nr || stopped ? 1 : -1) == 0)
		exec_collect(gate);
	if (pass_receive(client.socket_fd, &number, sizeof(number), &extra, 0) != sizeof(number))
		return -ESRCH;
	return number;
}

/* ---- the listener, instead of src/gate/listener.c ---- */

static struct seccomp_notif next_call;
static u32 answers;

int listener_receive(struct listener *listener)
{
	listener->slot->notif = next_call;
	return 1;
}

static bool done(struct listener *listener)
{
	answers += listener->slot->notif.id != 0;
	listener->slot->notif.id = 0;
	return true;
}

bool listener_answer(struct listener *listener, s64 result)
{
	return done(listener);
}

void listener_continue(struct listener *listener)
{
	done(listener);
}

void listener_release(struct listener *listener)
{
	listener->slot->notif.id = 0;
}

bool listener_valid(struct listener *listener)
{
	return true;
}

bool listener_is_one(int fd)
{
	return false;
}

int listener_add_fd(struct listener *listener, int fd, int flags)
{
	return order_client(TAKE, fd);
}

int listener_replace_fd(struct listener *listener, int fd, int number, int flags)
{
	return number;
}

int listener_answer_fd(struct listener *listener, int fd, int flags)
{
	int number = order_client(TAKE, fd);

	if (number >= 0)
		done(listener);
	return number;
}

/* ---- the input ---- */

struct input {
	const u8 *data;
	size_t size;
};

static u8 take(struct input *input)
{
	if (!input->size)
		return 0;
	input->size--;
	return *input->data++;
}

static u64 take_number(struct input *input, u32 bytes)
{
	u64 number = 0;

	while (bytes--)
		number = number << 8 | take(input);
	return number;
}

static u64 take_argument(struct input *input)
{
	switch (take(input) % 8) {
	case 0: return 0;
	case 1: return MEMORY + take_number(input, 2) % MEMORY_SIZE;
	case 2: return take(input);
	case 3: return FIRST_FD + take(input) % 16;
	case 4: return MEMORY + MEMORY_SIZE - take(input);
	case 5: return take_number(input, 4);
	case 6: return take_number(input, 8);
	default: return (u64)1 << take(input) % 64;
	}
}

/* ---- actions ---- */

static struct listener_slot slot;
static struct listener listener = { .fd = -1, .slot = &slot };
static int connections[CONNECTIONS];

/* Addresses in attributes: small numbers become places in the client's memory. */
static void place_addresses(u64 attr, u8 how)
{
	u64 *words = (u64 *)(void *)(client.memory + (attr - MEMORY) / 8 * 8);
	u32 i;

	for (i = 0; i < 16 && (u8 *)&words[i + 1] <= client.memory + MEMORY_SIZE; i++)
		if (words[i] && words[i] < 0x10000 && !(how >> i % 8 & 1))
			words[i] = MEMORY + words[i] % MEMORY_SIZE;
}

static void fill_memory(struct input *input, u64 address)
{
	u32 size = take(input), at = (u32)(address - MEMORY) % MEMORY_SIZE;

	if (size > MEMORY_SIZE - at)
		size = MEMORY_SIZE - at;
	if (size > input->size)
		size = (u32)input->size;
	memcpy(client.memory + at, input->data, size);
	input->data += size;
	input->size -= size;
}

static void system_call(struct input *input)
{
	static const s32 numbers[] = { SYS_bpf,	  SYS_bpf,    SYS_bpf,	   SYS_perf_event_open,
				       SYS_ioctl, SYS_mmap,   SYS_poll,	   SYS_openat,
				       SYS_open,  SYS_read,   SYS_readv,   SYS_close,
				       SYS_dup2,  SYS_clone,  SYS_clone3,  SYS_vfork,
				       SYS_fcntl, SYS_execve, SYS_getppid, SYS_epoll_wait };
	struct seccomp_data *data = &next_call.data;
	u8 what = take(input), flags = take(input);
	u32 i;

	memset(&next_call, 0, sizeof(next_call));
	next_call.id = 1;
	next_call.pid = (u32)client.pid;
	data->nr = numbers[what % ARRAY_SIZE(numbers)];
	data->instruction_pointer = flags & 1 ? gate->agent_notify_ip : MEMORY;
	for (i = 0; i < 6; i++)
		data->args[i] = take_argument(input);
	if (data->nr == SYS_bpf) {
		data->args[0] = flags & 2 ? AGENT_CMD_BASE + take(input) % 12 : take(input) % 45;
		data->args[1] = MEMORY + take_number(input, 2) % MEMORY_SIZE;
		data->args[2] = take(input);
		fill_memory(input, data->args[1]);
		if (flags & 4)
			place_addresses(data->args[1], flags >> 3);
		/* Programs are run by the other targets; here they would have another stack. */
		if (data->args[0] == BPF_PROG_TEST_RUN)
			data->args[0] = BPF_PROG_LOAD;
	}
	answers = 0;
	stopped |= data->nr == SYS_execve;
	gate_notified(gate, &listener);
	if (answers != 1) {
		fprintf(stderr, "system call %d was answered %u times\n", data->nr, answers);
		abort();
	}
}

static void connect_to(u32 index)
{
	if (connections[index] < 0)
		connections[index] = registry_connect(gate->directory.path);
}

static void disconnect(u32 index)
{
	if (connections[index] >= 0)
		close(connections[index]);
	connections[index] = -1;
}

/* One message: whole, cut off, too long, of another version, with descriptors of some kind. */
static void say(struct input *input, u32 index)
{
	u8 bytes[64] = { 0 }, how = take(input), size = sizeof(struct control_request);
	struct control_request request = { CONTROL_VERSION, take(input) % 5, take(input) % 4,
					   (s32)take_number(input, 4) };
	int pair[2] = { -1, -1 };

	connect_to(index);
	if (connections[index] < 0)
		return;
	memcpy(bytes, &request, sizeof(request));
	if (how & 1)
		bytes[take(input) % sizeof(request)] = take(input);
	if (how & 2)
		size = take(input) % sizeof(bytes);
	switch (how >> 2 & 7) {
	case 0: pair[0] = open("/dev/null", O_RDONLY | O_CLOEXEC); break;
	case 1: must(!pipe2(pair, O_CLOEXEC), "pipe2"); break;
	case 2: pair[0] = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0); break;
	default: break;
	}
	(void)pass_send(connections[index], bytes, size, pair[0], 0);
	if (pair[0] >= 0)
		close(pair[0]);
	if (pair[1] >= 0)
		close(pair[1]);
}

static void listen_to(u32 index)
{
	struct control_answer answer;
	int fd;

	if (connections[index] < 0 ||
	    pass_receive(connections[index], &answer, sizeof(answer), &fd, MSG_DONTWAIT) <= 0)
		return;
	if (fd >= 0 || answer.version != CONTROL_VERSION || answer.error > 0)
		abort();
}

/* Somebody who listens where a supervisor would, and answers once. */
struct pretender {
	int fd;
	u8 bytes[sizeof(struct control_answer) + 8];
	u32 size;
};

static void *pretend(void *arg)
{
	struct pretender *pretender = arg;
	struct pollfd caller = { pretender->fd, POLLIN, 0 };
	u8 request[64];
	int fd, extra;

	poll(&caller, 1, -1);
	fd = accept4(pretender->fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0)
		return NULL;
	if (pass_receive(fd, request, sizeof(request), &extra, 0) > 0 && pretender->size)
		pass_send(fd, pretender->bytes, pretender->size, -1, 0);
	if (extra >= 0)
		close(extra);
	close(fd);
	return NULL;
}

static void be_lied_to(struct input *input)
{
	char path[DIRECTORY_PATH_MAX + 16], name[DIRECTORY_PATH_MAX + 32];
	struct control_answer answer = { .version = CONTROL_VERSION };
	struct pretender pretender = { .size = sizeof(answer) };
	u8 how = take(input);
	pthread_t thread;
	u32 i;

	snprintf(path, sizeof(path), "%s/pretender", gate->directory.path);
	must(!mkdir(path, 0700), path);
	must(!registry_enter(path, how & 8 ? "name" : NULL, &pretender.fd), "registry_enter");
	answer.error = how & 16 ? -(s32)take(input) : 0;
	memcpy(pretender.bytes, &answer, sizeof(answer));
	for (i = 0; i < sizeof(pretender.bytes) && input->size && how & 1; i++)
		pretender.bytes[i] = take(input);
	if (how & 1 && how & 2)
		memcpy(pretender.bytes, &answer.version, sizeof(answer.version));
	if (how & 4)
		pretender.size = (u32)take_number(input, 2) % sizeof(pretender.bytes);
	must(!pthread_create(&thread, NULL, pretend, &pretender), "pthread_create");
	if (!join_ask(path, &answer) && (memchr(answer.path, 0, sizeof(answer.path)) == NULL ||
					 memchr(answer.name, 0, sizeof(answer.name)) == NULL ||
					 memchr(answer.state, 0, sizeof(answer.state)) == NULL))
		abort();
	pthread_join(thread, NULL);
	close(pretender.fd);
	snprintf(name, sizeof(name), "%s/control", path);
	unlink(name);
	snprintf(name, sizeof(name), "%s/name", path);
	unlink(name);
	must(!rmdir(path), "rmdir");
}

static void act(struct input *input)
{
	u8 what = take(input);
	u32 index = what >> 4 & (CONNECTIONS - 1);

	switch (what % 16) {
	case 0: connect_to(index); break;
	case 1: disconnect(index); break;
	case 2:
	case 3: say(input, index); break;
	case 4: listen_to(index); break;
	case 5: be_lied_to(input); break;
	default: system_call(input); break;
	}
	control_collect(gate);
}

/* ---- the hive ---- */

static struct arena *arena;
static struct hook *hook;
static struct sys_hive *hive;

static void message(void *arg, const char *text)
{
}

static void end_hive(void)
{
	end_client();
	gate_free(gate);
	sys_hive_free(hive);
	hook_free(hook);
	arena_free(arena);
	munmap(client.memory, MEMORY_SIZE);
	close(client.memory_fd);
}

static void start_hive(void)
{
	struct sys_hive_options sys = { .attach_ops = &hook_attach_ops, .message = message };
	struct gate_options options = { .message = message };
	const char *text;
	u32 i;

	must(!arena_new(NULL, &arena, &text), "arena_new");
	hook = hook_new(arena);
	sys.arena = options.arena = arena;
	sys.attach_arg = options.hook = hook;
	hive = sys_hive_new(&sys);
	options.sys = hive;
	must(hook && hive && !gate_new(&options, &gate), "gate_new");
	gate->stays = true;
	for (i = 0; i < CONNECTIONS; i++)
		connections[i] = -1;
	client.memory_fd = memfd_create("client", MFD_CLOEXEC);
	must(client.memory_fd >= 0 && !ftruncate(client.memory_fd, MEMORY_SIZE), "memfd_create");
	client.memory =
		mmap(NULL, MEMORY_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, client.memory_fd, 0);
	must(client.memory != MAP_FAILED, "mmap");
	start_client();
	atexit(end_hive);
}

/* Of this process, but for the directory that is being read. */
static u32 count_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	u32 nr = 0;

	must(dir, "/proc/self/fd");
	while (readdir(dir))
		nr++;
	closedir(dir);
	return nr;
}

/* Nothing is left: descriptors, pins, connections. The client may have died. */
static void clean_up(void)
{
	char path[DIRECTORY_PATH_MAX + 300];
	struct dirent *entry;
	DIR *dir;
	u32 i;

	for (i = 0; i < CONNECTIONS; i++)
		disconnect(i);
	for (i = 0; i < CONNECTIONS + 1; i++)
		control_collect(gate);
	gate->down = false;
	snprintf(path, sizeof(path), "%s/bpf", gate->directory.path);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "%s/bpf/%s", gate->directory.path, entry->d_name);
		if (entry->d_name[0] != '.')
			unlink(path);
	}
	if (dir)
		closedir(dir);
	exec_check(gate, client.pid);
	if (order_client(CLOSE_ALL, -1) < 0) {
		end_client();
		start_client();
	}
	stopped = false;
	process_table_collect(gate->processes);
	handle_table_collect(gate->handles);
	sys_hive_reap(hive);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size };
	static u32 before;
	u32 actions;

	if (!gate) {
		start_hive();
		/* What is made once, when it is first needed, is no leak. */
		clean_up();
	}
	memset(client.memory, 0, MEMORY_SIZE);
	for (actions = 0; input.size && actions < ACTIONS_MAX; actions++)
		act(&input);
	clean_up();
	if (before && count_descriptors() > before + 8) {
		fprintf(stderr, "%u descriptors, %u before\n", count_descriptors(), before);
		abort();
	}
	if (!before)
		before = count_descriptors();
	return 0;
}
