/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Asks the kernel, by bpf(2), and skep's verifier, by its own door, for a verdict on the same
 * program.
 */
#include "verify/judge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "harness/kernel_btf.h"

enum { LOG_SIZE = 1 << 24, SKEP_FD = 1000 };

static char kernel_log[LOG_SIZE];
static char *skep_log;
static size_t skep_log_length, skep_log_room;

static int open_kernel_map(enum gen_map map)
{
	const struct gen_map_def *def = &gen_maps[map];
	union bpf_attr attr;
	int fd;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = def->type;
	attr.key_size = def->key_size;
	attr.value_size = def->value_size;
	attr.max_entries = def->max_entries;
	fd = (int)syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));
	return fd < 0 ? -errno : fd;
}

int judge_open_kernel_maps(int *ret_fds)
{
	for (int i = 0; i < GEN_NR_MAPS; i++) {
		ret_fds[i] = open_kernel_map((enum gen_map)i);
		if (ret_fds[i] < 0)
			return ret_fds[i];
	}
	return 0;
}

/* A prog array belongs to the type of the first program that uses it: each type gets one of its
 * own. */
static int prog_array_of_type(u32 type)
{
	static int fds[64];

	if (type >= ARRAY_SIZE(fds))
		return -1;
	if (!fds[type])
		fds[type] = open_kernel_map(GEN_PROG_ARRAY);
	return fds[type];
}

/* Fills processed and why from a log. */
static void read_log(const char *log, struct verdict *verdict)
{
	const char *count = NULL, *line = log, *last = "";
	size_t length = 0;

	for (; *line; line += strcspn(line, "\n") + 1) {
		if (!strncmp(line, "processed ", 10)) {
			count = line;
		} else if (*line != '\n') {
			last = line;
			length = strcspn(line, "\n");
		}
		if (!line[strcspn(line, "\n")])
			break;
	}
	verdict->processed = count ? (u32)strtoul(count + 10, NULL, 10) : 0;
	if (length >= sizeof(verdict->why))
		length = sizeof(verdict->why) - 1;
	memcpy(verdict->why, last, length);
	verdict->why[length] = 0;
}

void judge_by_kernel(const struct gen_program *program, const int *map_fds, u32 log_level,
		     struct verdict *ret_verdict)
{
	struct gen_program bound = *program;
	union bpf_attr attr;
	int fd, fds[GEN_NR_MAPS];

	memcpy(fds, map_fds, sizeof(fds));
	fds[GEN_PROG_ARRAY] = prog_array_of_type(bound.prog_type);
	gen_bind_maps(&bound, fds);
	memset(&attr, 0, sizeof(attr));
	attr.prog_type = bound.prog_type;
	attr.insns = (u64)(uintptr_t)bound.insns;
	attr.insn_cnt = bound.nr_insns;
	attr.license = (u64)(uintptr_t) "GPL";
	if (log_level) {
		attr.log_level = log_level;
		attr.log_buf = (u64)(uintptr_t)kernel_log;
		attr.log_size = LOG_SIZE;
	}
	kernel_log[0] = 0;
	memset(ret_verdict, 0, sizeof(*ret_verdict));
	fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
	if (fd < 0 && errno == ENOSPC && log_level) {
		/* The log does not fit: the verdict without it. */
		attr.log_level = 0;
		attr.log_buf = attr.log_size = 0;
		fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
	}
	ret_verdict->error = fd < 0 ? errno : 0;
	if (fd >= 0)
		close(fd);
	read_log(kernel_log, ret_verdict);
	ret_verdict->log = kernel_log;
}

static int skep_map_by_fd(void *arg, int fd, const struct verify_map **ret_map)
{
	static struct verify_map maps[GEN_NR_MAPS];
	int i = fd - SKEP_FD;
	struct verify_map *map;

	if (i < 0 || i >= GEN_NR_MAPS)
		return -EBADF;
	map = &maps[i];
	map->type = gen_maps[i].type;
	map->key_size = gen_maps[i].key_size;
	map->value_size = gen_maps[i].value_size;
	map->max_entries = gen_maps[i].max_entries;
	map->id = (u32)i + 1;
	map->address = 0x7e8000100000 + 0x1000 * (u64)i;
	map->value_address = i == GEN_ARRAY ? map->address + 0x100 : 0;
	map->handle = map;
	*ret_map = map;
	return 0;
}

static void skep_write_log(void *arg, const char *text, u64 size)
{
	while (skep_log_length + size + 1 > skep_log_room) {
		skep_log_room = skep_log_room ? 2 * skep_log_room : 65536;
		skep_log = realloc(skep_log, skep_log_room);
		if (!skep_log)
			abort();
	}
	memcpy(skep_log + skep_log_length, text, size);
	skep_log_length += size;
	skep_log[skep_log_length] = 0;
}

/* What kfuncs are looked up in; NULL: there is none here. */
static const struct btf *kernel_btf(void *arg)
{
	static struct btf *btf;

	if (!btf)
		btf = kernel_btf_read();
	return btf;
}

void judge_by_skep(const struct gen_program *program, u32 log_level, judge_observer observe,
		   void *arg, bool all_precise, struct verdict *ret_verdict)
{
	static const struct verify_ops ops = { .map_by_fd = skep_map_by_fd,
					       .kernel_btf = kernel_btf };
	struct gen_program bound = *program;
	struct verify_input input = {
		.prog_type = bound.prog_type,
		.gpl_compatible = true,
		.privileged = true,
		.ops = &ops,
		.log = { .level = log_level, .write = skep_write_log },
	};
	struct verify_output output;
	int fds[GEN_NR_MAPS], error;

	for (int i = 0; i < GEN_NR_MAPS; i++)
		fds[i] = SKEP_FD + i;
	gen_bind_maps(&bound, fds);
	input.insns = bound.insns;
	input.nr_insns = bound.nr_insns;
	input.observe = observe;
	input.observe_arg = arg;
	input.test_all_precise = all_precise;
	input.nr_cpus = (u32)sysconf(_SC_NPROCESSORS_CONF);
	skep_log_length = 0;
	skep_write_log(NULL, "", 0);
	memset(ret_verdict, 0, sizeof(*ret_verdict));
	error = verify_program(&input, &output);
	if (!error)
		verify_output_done(&output);
	ret_verdict->error = -error;
	read_log(skep_log, ret_verdict);
	ret_verdict->log = skep_log;
}
