/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs the programs of timers.bpf.c and says what came of them. The text is the same on the kernel
 * and under skep.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "timers.skel.h"

#define MANY 3000

static struct timers *skel;

static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, format, args) : 0;
}

static void run(struct bpf_program *prog, int nr_results)
{
	char packet[64] = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = sizeof(packet));
	int error;

	for (int i = 0; i < 16; i++)
		skel->bss->results[i] = 4711;
	skel->bss->fired = 0;
	error = bpf_prog_test_run_opts(bpf_program__fd(prog), &opts);
	printf("%s: %d returns %d", bpf_program__name(prog), error, (int)opts.retval);
	for (int i = 0; i < nr_results; i++)
		printf(" %ld", skel->bss->results[i]);
	printf("\n");
}

/* Until it is so; the kernel is never late by half a minute, and neither are we. */
static bool become(const volatile long *value, long wanted)
{
	for (int i = 0; i < 30000 && *value != wanted; i++)
		usleep(1000);
	return *value == wanted;
}

static long count_of(struct bpf_map *map, int key)
{
	long value[4] = { -1 };

	if (bpf_map_lookup_elem(bpf_map__fd(map), &key, value))
		return -errno;
	return value[0];
}

static bool is_there(__u32 id)
{
	int fd = bpf_prog_get_fd_by_id(id);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* A program lives as long as a timer may call it, and the timer as long as its map has a user. */
static void outlive(void)
{
	struct bpf_prog_info info = { 0 };
	__u32 size = sizeof(info);
	struct timers *other = timers__open_and_load();
	int fd, map, i;

	if (!other)
		return;
	fd = dup(bpf_program__fd(other->progs.cancelled));
	map = dup(bpf_map__fd(other->maps.hash));
	timers__destroy(other);
	bpf_obj_get_info_by_fd(fd, &info, &size);
	{
		char packet[64] = { 0 };
		LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet,
			    .data_size_in = sizeof(packet));

		bpf_prog_test_run_opts(fd, &opts);
	}
	close(fd);
	usleep(200000);
	printf("closed, but set in a timer: %d\n", is_there(info.id));
	close(map);
	for (i = 0; i < 30000 && is_there(info.id); i++)
		usleep(1000);
	printf("without users of the map: %d\n", is_there(info.id));
}

int main(void)
{
	libbpf_set_print(quiet);
	skel = timers__open_and_load();
	if (!skel) {
		printf("not loaded: %d\n", -errno);
		return 1;
	}
	run(skel->progs.in_hash, 11);
	become(&skel->bss->fired, 5);
	printf("ticks %ld, counted %ld, key %ld, started again %ld\n", skel->bss->fired,
	       count_of(skel->maps.hash, 7), skel->bss->last_key, skel->bss->rearmed);
	run(skel->progs.in_array, 0);
	become(&skel->bss->fired, 3);
	printf("ticks %ld, counted %ld, key %ld\n", skel->bss->fired, count_of(skel->maps.array, 2),
	       skel->bss->last_key);
	run(skel->progs.in_lru, 0);
	become(&skel->bss->self_cancel, -EDEADLK);
	printf("cancels itself: %ld\n", skel->bss->self_cancel);
	run(skel->progs.cancelled, 6);
	run(skel->progs.deleted, 6);
	run(skel->progs.in_own_callback, 0);
	become(&skel->bss->fired, 1);
	printf("deletes itself: %ld, then %ld\n", skel->bss->fired, count_of(skel->maps.hash, 11));
	run(skel->progs.pinned, 0);
	become(&skel->bss->fired, 1);
	printf("where it was started: %ld\n", count_of(skel->maps.hash, 12));
	run(skel->progs.in_work, 9);
	for (int i = 0; i < 30000 && count_of(skel->maps.works, 1) != 2; i++)
		usleep(1000);
	printf("worked: %ld\n", count_of(skel->maps.works, 1));
	outlive();
	skel->bss->many = MANY;
	run(skel->progs.start_many, 0);
	printf("of many: %s\n", become(&skel->bss->fired, skel->bss->started) ? "all" : "not all");
	timers__destroy(skel);
	return 0;
}
