/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs a command and prints what its processes execute, and when they end: an ordinary libbpf
 * application with a skeleton. It knows nothing of skep; it runs on the kernel as root, and as
 * anybody under `skep exec`:
 *
 *   sudo build/examples/execwatch sh -c 'ls >/dev/null; id'
 *   build/skep exec -- build/examples/execwatch sh -c 'ls >/dev/null; id'
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <bpf/libbpf.h>
#include "execwatch.h"
#include "execwatch.skel.h"

static int print_event(void *arg, void *data, size_t size)
{
	const struct execwatch_event *event = data;
	unsigned long long *first_ns = arg;
	double ms;

	if (size < sizeof(*event))
		return 0;
	if (!*first_ns)
		*first_ns = event->time_ns;
	ms = (double)(event->time_ns - *first_ns) / 1e6;
	if (event->kind == EXECWATCH_EXEC)
		printf("%10.3f ms  exec %7u  %-15s  %s\n", ms, event->pid, event->comm,
		       event->filename);
	else
		printf("%10.3f ms  exit %7u  %s\n", ms, event->pid, event->comm);
	return 0;
}

/* A child that waits for a byte on *ret_go before it executes argv. */
static pid_t start(char **argv, int *ret_go)
{
	int go[2];
	pid_t pid;
	char byte;

	if (pipe(go))
		return -1;
	pid = fork();
	if (pid == 0) {
		close(go[1]);
		if (read(go[0], &byte, 1) != 1)
			_exit(1);
		close(go[0]);
		signal(SIGINT, SIG_DFL);
		execvp(argv[0], argv);
		fprintf(stderr, "execwatch: %s: %s\n", argv[0], strerror(errno));
		_exit(127);
	}
	close(go[0]);
	*ret_go = go[1];
	return pid;
}

static int watch(struct execwatch_bpf *skel, pid_t pid, int go)
{
	unsigned long long first_ns = 0;
	struct ring_buffer *ring;
	int status = 0, ended = 0;
	__u32 key = (__u32)pid, parent = (__u32)getpid();

	ring = ring_buffer__new(bpf_map__fd(skel->maps.events), print_event, &first_ns, NULL);
	if (!ring || bpf_map__update_elem(skel->maps.family, &key, sizeof(key), &parent,
					  sizeof(parent), BPF_ANY)) {
		perror("execwatch: setting up");
		ring_buffer__free(ring);
		return 1;
	}
	if (write(go, "", 1) != 1)
		perror("execwatch: starting the command");
	while (!ended) {
		if (ring_buffer__poll(ring, 50) < 0 && errno != EINTR) {
			perror("execwatch: ring buffer");
			break;
		}
		fflush(stdout);
		ended = waitpid(pid, &status, WNOHANG) == pid;
	}
	ring_buffer__consume(ring);
	if (skel->bss->lost)
		fprintf(stderr, "execwatch: %lu records were lost\n", skel->bss->lost);
	ring_buffer__free(ring);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
	struct execwatch_bpf *skel;
	int go, result = 1;
	pid_t pid;

	if (argc < 2) {
		fprintf(stderr, "usage: execwatch COMMAND [ARGUMENT...]\n");
		return 2;
	}
	signal(SIGINT, SIG_IGN); /* the command gets it, and then we end too */
	skel = execwatch_bpf__open_and_load();
	if (!skel) {
		fprintf(stderr, "execwatch: the programs could not be loaded: %s\n",
			strerror(errno));
		return 1;
	}
	if (execwatch_bpf__attach(skel)) {
		perror("execwatch: attaching");
	} else {
		pid = start(argv + 1, &go);
		if (pid > 0)
			result = watch(skel, pid, go);
		else
			perror("execwatch: fork");
	}
	execwatch_bpf__destroy(skel);
	return result;
}
