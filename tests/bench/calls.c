/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nanoseconds of one call, measured by making it for a while: `calls getppid`, `calls lookup` (a
 * hash map of its own through bpf(2)), `calls gate` (the same by an instruction that no agent has
 * rewritten, so that in a hive the supervisor serves it). Prints the median of several short runs.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <bpf/bpf.h>

#define RUNS 21

static int map;

static void call_getppid(void)
{
	getppid();
}

static void call_lookup(void)
{
	int key = 7;
	long value;

	if (bpf_map_lookup_elem(map, &key, &value)) {
		perror("lookup");
		exit(1);
	}
}

/* mov %rdi,%rax; mov %rsi,%rdi; mov %rdx,%rsi; mov %rcx,%rdx; syscall; ret */
static const unsigned char code[] = { 0x48, 0x89, 0xf8, 0x48, 0x89, 0xf7, 0x48, 0x89,
				      0xd6, 0x48, 0x89, 0xca, 0x0f, 0x05, 0xc3 };
static long (*raw)(long nr, long a, void *b, long c);

static void call_gate(void)
{
	int key = 7;
	long value;
	union bpf_attr attr = { .map_fd = (unsigned)map,
				.key = (unsigned long)&key,
				.value = (unsigned long)&value };

	if (raw(SYS_bpf, BPF_MAP_LOOKUP_ELEM, &attr, 32)) {
		fprintf(stderr, "lookup failed\n");
		exit(1);
	}
}

static void make_raw(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		exit(1);
	memcpy(page, code, sizeof(code));
	mprotect(page, 4096, PROT_READ | PROT_EXEC);
	raw = (long (*)(long, long, void *, long))page;
}

static double now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int order(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double measure(void (*call)(void))
{
	double runs[RUNS], start;
	long times = 1;

	/* As many calls as fill two milliseconds. */
	for (;; times *= 2) {
		start = now_ns();
		for (long i = 0; i < times; i++)
			call();
		if (now_ns() - start > 2e6)
			break;
	}
	for (int run = 0; run < RUNS; run++) {
		start = now_ns();
		for (long i = 0; i < times; i++)
			call();
		runs[run] = (now_ns() - start) / (double)times;
	}
	qsort(runs, RUNS, sizeof(runs[0]), order);
	return runs[RUNS / 2];
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "getppid")) {
		printf("ns %.2f\n", measure(call_getppid));
		return 0;
	}
	if (argc == 2 && (!strcmp(argv[1], "lookup") || !strcmp(argv[1], "gate"))) {
		int key = 7;
		long value = 1;

		map = bpf_map_create(BPF_MAP_TYPE_HASH, "bench", sizeof(key), sizeof(value), 1024,
				     NULL);
		if (map < 0 || bpf_map_update_elem(map, &key, &value, BPF_ANY)) {
			perror("map");
			return 1;
		}
		make_raw();
		printf("ns %.2f\n", measure(argv[1][0] == 'g' ? call_gate : call_lookup));
		return 0;
	}
	fprintf(stderr, "usage: calls getppid|lookup|gate\n");
	return 2;
}
