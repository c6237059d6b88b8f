/* SPDX-License-Identifier: BSD-2-Clause */
/* See client.h. Both ends of the conversation: fixed-size requests over a socket, one at a time. */
#include "client.h"
#include "harness/tap.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define SOCKET_FD  1000 /* out of the way of descriptors that calls name */
#define MEMORY_FD  1001
#define LEFT_TRIES 200

enum request_kind {
	ASK_BPF,
	ASK_CLOSE,
	ASK_PERF,
	ASK_FILL,
	ASK_DUP,
	ASK_DUP2,
	ASK_SEND,
	ASK_TAKE,
	ASK_MOVE,
	ASK_MAP,
	ASK_LOAD,
	ASK_STORE,
	ASK_RESET,
	ASK_LEFT,
	ASK_PID,
};

struct request {
	enum request_kind kind;
	u32 cmd, size;
	int fd, onto;
	bool raw;
	u64 attr;
	u64 address, value; /* of what is mapped, loaded or stored */
};

struct client_world {
	struct world world;
	pid_t pid; /* of the command that runs the client */
	u32 own_pid;
	bool raw; /* for the next call */
};

static void must(bool ok, const char *what)
{
	if (!ok)
		tap_bail("%s: %s", what, strerror(errno));
}

static long result_of(long result)
{
	return result < 0 ? -errno : result;
}

/* --- what both sides do to descriptors --- */

int client_dup(int fd)
{
	return (int)result_of(fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FD));
}

int client_dup2(int fd, int onto)
{
	return (int)result_of(dup3(fd, onto, O_CLOEXEC));
}

/* A message of one byte with a descriptor, which goes out or comes in. */
static int pass(int sock, int *fd, bool out)
{
	char byte = 0, control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	int result;

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), fd, sizeof(*fd));
	if (out)
		return (int)result_of(sendmsg(sock, &msg, 0));
	result = (int)result_of(recvmsg(sock, &msg, MSG_CMSG_CLOEXEC));
	memcpy(fd, CMSG_DATA(cmsg), sizeof(*fd));
	return result;
}

/* The first free number is what callers want. */
static int move_up(int fd)
{
	int result = client_dup(fd);

	if (result >= 0)
		close(fd);
	return result;
}

int client_send(int fd)
{
	int pair[2], result;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	result = pass(pair[0], &fd, true);
	if (result >= 0)
		result = pass(pair[1], &fd, false);
	close(pair[0]);
	close(pair[1]);
	return result < 0 ? result : move_up(fd);
}

int client_move(u32 cpu)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	return (int)result_of(sched_setaffinity(0, sizeof(one), &one));
}

static int odd_file(int fd)
{
	int pipe_fds[2];

	switch (fd) {
	case 4: return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	case 5: return pipe2(pipe_fds, O_CLOEXEC) ? -1 : (close(pipe_fds[1]), pipe_fds[0]);
	case 6: return pipe2(pipe_fds, O_CLOEXEC) ? -1 : (close(pipe_fds[0]), pipe_fds[1]);
	case 7: return epoll_create1(EPOLL_CLOEXEC);
	case 8: return open("/", O_PATH | O_CLOEXEC);
	case 9: return memfd_create("file", MFD_CLOEXEC);
	case 10: return open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	case 11: return eventfd(0, EFD_CLOEXEC);
	default: return open("/dev/null", O_RDWR | O_CLOEXEC);
	}
}

void client_fill(void)
{
	int fd, file;

	for (fd = 3; fd < FIRST_FD; fd++) {
		file = odd_file(fd);
		must(file >= 0, "a file");
		if (file != fd) {
			must(dup3(file, fd, O_CLOEXEC) == fd, "dup3");
			close(file);
		}
	}
}

/* --- the client --- */

typedef long (*raw_call)(u64 cmd, u64 attr, u64 size);

/* bpf(2) from memory that was data when the agent looked. */
static raw_call make_raw_call(void)
{
	static const u8 code[] = { 0xb8, 0x41, 0x01, 0, 0, 0x0f, 0x05, 0xc3 };
	u8 *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(page != MAP_FAILED, "mmap");
	memcpy(page, code, sizeof(code));
	must(!mprotect(page, 4096, PROT_READ | PROT_EXEC), "mprotect");
	return (raw_call)(void *)page;
}

static int perf_open(void)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE,
					.size = sizeof(attr),
					.config = PERF_COUNT_SW_BPF_OUTPUT,
					.sample_type = PERF_SAMPLE_RAW };

	return (int)result_of(syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC));
}

static void reset(void)
{
	DIR *dir = opendir("/sys/fs/bpf");
	struct dirent *entry;

	/* Names may have been spoilt. */
	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			unlinkat(dirfd(dir), entry->d_name, 0);
	if (dir)
		closedir(dir);
	close_range(FIRST_FD, FDS - 1, 0);
}

static u32 count_objects(void)
{
	static const u32 cmds[] = { BPF_MAP_GET_NEXT_ID, BPF_PROG_GET_NEXT_ID,
				    BPF_LINK_GET_NEXT_ID };
	u32 i, count = 0;

	for (i = 0; i < ARRAY_SIZE(cmds); i++) {
		union abi_attr attr;

		memset(&attr, 0, sizeof(attr));
		for (; !syscall(SYS_bpf, cmds[i], &attr, 16); attr.id.id = attr.id.next_id)
			count++;
	}
	return count;
}

/* What is freed later is waited for. */
static u32 left(void)
{
	u32 tries, count = 0;

	reset();
	for (tries = 0; tries < LEFT_TRIES; tries++) {
		count = count_objects();
		if (!count)
			break;
		usleep(20000);
	}
	return count;
}

/* A descriptor of the driver's. */
static long take(void)
{
	int fd = -1;
	int result = pass(SOCKET_FD, &fd, false);

	return result < 0 ? result : move_up(fd);
}

static long map_file(const struct request *request)
{
	void *at = (void *)(uintptr_t)request->address;

	if (request->fd < 0)
		return result_of(munmap(at, request->value));
	at = mmap(at, request->value, request->onto, MAP_SHARED | MAP_FIXED, request->fd,
		  (off_t)request->attr);
	return at == MAP_FAILED ? -errno : 0;
}

static long serve_one(const struct request *request, raw_call raw)
{
	switch (request->kind) {
	case ASK_BPF:
		if (request->raw)
			return raw(request->cmd, request->attr, request->size);
		return result_of(syscall(SYS_bpf, request->cmd, request->attr, request->size));
	case ASK_CLOSE: return result_of(close(request->fd));
	case ASK_PERF: return perf_open();
	case ASK_FILL: return result_of(open("/dev/null", O_RDWR | O_CLOEXEC));
	case ASK_DUP: return client_dup(request->fd);
	case ASK_DUP2: return client_dup2(request->fd, request->onto);
	case ASK_SEND: return client_send(request->fd);
	case ASK_TAKE: return take();
	case ASK_MOVE: return client_move((u32)request->value);
	case ASK_MAP: return map_file(request);
	case ASK_LOAD:
		memcpy((void *)(uintptr_t)MEMORY, (const void *)(uintptr_t)request->address,
		       request->size);
		return 0;
	case ASK_STORE: *(volatile u64 *)(uintptr_t)request->address = request->value; return 0;
	case ASK_RESET: reset(); return 0;
	case ASK_LEFT: return left();
	case ASK_PID: return getpid();
	default: return -EINVAL;
	}
}

/* The whole of the file, then pages that nobody may touch or write. */
static void map_from(int fd)
{
	struct stat file;
	u8 *end;
	void *at;

	must(!fstat(fd, &file), "fstat");
	end = (u8 *)(uintptr_t)MEMORY + file.st_size;
	at = mmap((void *)(uintptr_t)MEMORY, (size_t)file.st_size, PROT_READ | PROT_WRITE,
		  MAP_SHARED | MAP_FIXED_NOREPLACE, fd, 0);
	must(at == (void *)(uintptr_t)MEMORY, "the client's memory");
	at = mmap(end, 0x3000, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	must(at == end, "the client's memory");
	must(!mprotect(end + 0x1000, 0x1000, PROT_READ), "mprotect");
}

int client_serve(const char *memory_fd, const char *socket_fd)
{
	struct request request;
	raw_call raw = make_raw_call();
	long result;

	map_from(atoi(memory_fd));
	must(dup3(atoi(socket_fd), SOCKET_FD, O_CLOEXEC) == SOCKET_FD, "dup3");
	close_range(3, SOCKET_FD - 1, 0);
	close(MEMORY_FD);
	client_fill();
	while (read(SOCKET_FD, &request, sizeof(request)) == sizeof(request)) {
		result = serve_one(&request, raw);
		if (write(SOCKET_FD, &result, sizeof(result)) != sizeof(result))
			return 1;
	}
	return 0;
}

/* --- the driver --- */

static long ask(struct request request)
{
	long result = 0;

	must(write(SOCKET_FD, &request, sizeof(request)) == sizeof(request), "to the client");
	if (read(SOCKET_FD, &result, sizeof(result)) != sizeof(result))
		tap_bail("the client is gone");
	return result;
}

static long ask_bpf(struct world *world, u32 cmd, const void *attr, u32 size)
{
	struct client_world *client = container_of(world, struct client_world, world);

	return ask((struct request){ .kind = ASK_BPF,
				     .cmd = cmd,
				     .size = size,
				     .raw = client->raw,
				     .attr = (u64)(uintptr_t)attr });
}

static int ask_close(struct world *world, int fd)
{
	return (int)ask((struct request){ .kind = ASK_CLOSE, .fd = fd });
}

static int ask_perf(struct world *world)
{
	return (int)ask((struct request){ .kind = ASK_PERF });
}

int client_world_fill(struct world *world)
{
	return (int)ask((struct request){ .kind = ASK_FILL });
}

int client_world_dup(struct world *world, int fd, int onto)
{
	return (int)ask(
		(struct request){ .kind = onto < 0 ? ASK_DUP : ASK_DUP2, .fd = fd, .onto = onto });
}

int client_world_send(struct world *world, int fd)
{
	return (int)ask((struct request){ .kind = ASK_SEND, .fd = fd });
}

static int ask_take(struct world *world, int file)
{
	const struct request request = { .kind = ASK_TAKE };
	long result = 0;

	must(write(SOCKET_FD, &request, sizeof(request)) == sizeof(request), "to the client");
	must(pass(SOCKET_FD, &file, true) >= 0, "a descriptor to the client");
	close(file);
	if (read(SOCKET_FD, &result, sizeof(result)) != sizeof(result))
		tap_bail("the client is gone");
	return (int)result;
}

long client_world_map(struct world *world, int fd, u64 address, u64 size, int prot, u64 offset)
{
	return ask((struct request){ .kind = ASK_MAP,
				     .fd = fd,
				     .onto = prot,
				     .address = address,
				     .value = size,
				     .attr = offset });
}

void client_world_move(struct world *world, u32 cpu)
{
	must(!ask((struct request){ .kind = ASK_MOVE, .value = cpu }), "the client's CPU");
}

void client_world_load(struct world *world, u64 address, u32 size)
{
	ask((struct request){ .kind = ASK_LOAD, .address = address, .size = size });
}

void client_world_store(struct world *world, u64 address, u64 value)
{
	ask((struct request){ .kind = ASK_STORE, .address = address, .value = value });
}

void client_world_reset(struct world *world)
{
	ask((struct request){ .kind = ASK_RESET });
}

u32 client_world_pid(struct world *world)
{
	return container_of(world, struct client_world, world)->own_pid;
}

void client_world_raw(struct world *world, bool raw)
{
	container_of(world, struct client_world, world)->raw = raw;
}

void client_map_memory(u32 size)
{
	int fd = memfd_create("client", MFD_CLOEXEC);

	must(fd >= 0 && !ftruncate(fd, size), "memfd");
	must(dup2(fd, MEMORY_FD) == MEMORY_FD, "dup2");
	close(fd);
	map_from(MEMORY_FD);
}

struct world *client_start(const char *skep)
{
	static struct client_world client = { .world = { "client", false, ask_bpf, ask_close,
							 ask_perf, NULL, ask_take } };
	char self[256] = "", memory[16], sock[16];
	int fds[2];

	must(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0, "/proc/self/exe");
	must(!socketpair(AF_UNIX, SOCK_STREAM, 0, fds), "socketpair");
	snprintf(memory, sizeof(memory), "%d", MEMORY_FD);
	snprintf(sock, sizeof(sock), "%d", fds[1]);
	client.pid = fork();
	must(client.pid >= 0, "fork");
	if (!client.pid) {
		close(fds[0]);
		/* A sentence for each refusal would be thousands of them. */
		dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
		execl(skep, skep, "exec", "--", self, "--serve", memory, sock, NULL);
		printf("# %s: %s\n", skep, strerror(errno));
		fflush(stdout);
		_exit(127);
	}
	close(fds[1]);
	must(dup3(fds[0], SOCKET_FD, O_CLOEXEC) == SOCKET_FD, "dup3");
	close(fds[0]);
	close(MEMORY_FD);
	client_fill();
	client.own_pid = (u32)ask((struct request){ .kind = ASK_PID });
	return &client.world;
}

u32 client_stop(struct world *world)
{
	struct client_world *client = container_of(world, struct client_world, world);
	u32 left = (u32)ask((struct request){ .kind = ASK_LEFT });
	int status = 0;

	close(SOCKET_FD);
	must(waitpid(client->pid, &status, 0) == client->pid, "waitpid");
	if (left || status)
		tap_note("%u objects are left, the command's status is %#x", left, status);
	return left + !(WIFEXITED(status) && !WEXITSTATUS(status));
}
