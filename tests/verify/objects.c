/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Compares verdicts on real objects: loads every program of the BPF objects given as arguments into
 * the running kernel with libbpf, and hands skep's verifier the same PROG_LOADs. Verdict, number of
 * processed instructions and the level 1 log must agree. Not a test by itself: it needs root and
 * objects.
 *
 *   verify-objects [-v] FILE.o...
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "abi/context.h"
#include "btf/btf.h"
#include "verify/verify.h"

#define LOG_MAX	 (32u << 20)
#define MAPS_MAX 256

static const char *current; /* program being loaded, NULL: libbpf's own probes */
static bool verbose_mode;
static u32 agreed, differed, skipped, counts_differ;
static double kernel_seconds, skep_seconds;

struct text {
	char *text;
	u64 length;
};

static struct verify_map maps[MAPS_MAX];
static u32 nr_maps;

static long real_bpf(int cmd, void *attr, u32 size)
{
	static long (*next)(long, ...);

	if (!next)
		next = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
	return next(SYS_bpf, cmd, attr, size);
}

static bool map_frozen(int fd)
{
	char path[64], line[128];
	bool frozen = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, "frozen:\t1", 9))
			frozen = true;
	if (file)
		fclose(file);
	return frozen;
}

static int map_by_fd(void *arg, int fd, const struct verify_map **ret_map)
{
	struct bpf_map_info info = { 0 };
	union bpf_attr attr = { .info = { .bpf_fd = (u32)fd,
					  .info_len = sizeof(info),
					  .info = (u64)(uintptr_t)&info } };
	struct verify_map *map;

	if (real_bpf(BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr)))
		return -EBADF;
	for (u32 i = 0; i < nr_maps; i++) {
		if (maps[i].id == info.id) {
			*ret_map = &maps[i];
			return 0;
		}
	}
	if (nr_maps == MAPS_MAX)
		return -E2BIG;
	map = &maps[nr_maps++];
	*map = (struct verify_map){ .type = info.type,
				    .key_size = info.key_size,
				    .value_size = info.value_size,
				    .max_entries = info.max_entries,
				    .flags = info.map_flags,
				    .id = info.id,
				    .frozen = map_frozen(fd),
				    .address = 0x7e8000000000ULL + 65536ULL * nr_maps,
				    .value_address = 0x7e9000000000ULL,
				    .handle = map };
	memcpy(map->name, info.name, sizeof(map->name));
	if (map->frozen && map->type == BPF_MAP_TYPE_ARRAY) {
		void *value = malloc(map->value_size);
		u32 zero = 0;

		bpf_map_lookup_elem(fd, &zero, value);
		map->frozen_values = value;
	}
	*ret_map = map;
	return 0;
}

static struct btf *load_btf(int fd)
{
	struct bpf_btf_info info = { 0 };
	union bpf_attr attr = { .info = { .bpf_fd = (u32)fd,
					  .info_len = sizeof(info),
					  .info = (u64)(uintptr_t)&info } };
	struct btf *btf = NULL;
	void *data;

	if (fd <= 0 || real_bpf(BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr)))
		return NULL;
	data = malloc(info.btf_size);
	info = (struct bpf_btf_info){ .btf = (u64)(uintptr_t)data, .btf_size = info.btf_size };
	if (!real_bpf(BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr)))
		btf_new(data, info.btf_size, NULL, &btf);
	free(data);
	return btf;
}

static void collect(void *arg, const char *text, u64 size)
{
	struct text *log = arg;

	if (log->length + size >= LOG_MAX)
		size = LOG_MAX - 1 - log->length;
	memcpy(log->text + log->length, text, size);
	log->length += size;
	log->text[log->length] = '\0';
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int run_skep(const union bpf_attr *attr, u32 level, struct text *log)
{
	static const struct verify_ops ops = { .map_by_fd = map_by_fd };
	struct btf *btf = load_btf((int)attr->prog_btf_fd);
	struct verify_input input = {
		.insns = (const void *)(uintptr_t)attr->insns,
		.nr_insns = attr->insn_cnt,
		.prog_type = attr->prog_type,
		.expected_attach_type = attr->expected_attach_type,
		.prog_flags = attr->prog_flags,
		.gpl_compatible = strstr((const char *)(uintptr_t)attr->license, "GPL"),
		.privileged = true,
		.test_all_helpers = true,
		.nr_cpus = (u32)sysconf(_SC_NPROCESSORS_CONF),
		.btf = btf,
		.func_info = (const void *)(uintptr_t)attr->func_info,
		.func_info_rec_size = attr->func_info_rec_size,
		.nr_func_info = attr->func_info_cnt,
		.line_info = (const void *)(uintptr_t)attr->line_info,
		.line_info_rec_size = attr->line_info_rec_size,
		.nr_line_info = attr->line_info_cnt,
		.ops = &ops,
		.log = { .level = level, .write = collect, .arg = log },
	};
	struct verify_output output;
	double start = now();
	int err;

	log->length = 0;
	log->text[0] = '\0';
	nr_maps = 0;
	err = verify_program(&input, &output);
	skep_seconds += now() - start;
	if (!err)
		verify_output_done(&output);
	btf_free(btf);
	return err;
}

/* From "processed" to the end of its line. */
static const char *counts(const char *log)
{
	const char *last = NULL;

	for (const char *p = log; (p = strstr(p, "processed ")); p++)
		last = p;
	return last ? last : "";
}

static void compare(const union bpf_attr *attr, int kernel_err, struct text *kernel)
{
	static struct text ours;
	int err;

	if (!ours.text)
		ours.text = malloc(LOG_MAX);
	if (!abi_ctx_find(attr->prog_type)) {
		skipped++;
		printf("SKIP   %s: program type %u\n", current, attr->prog_type);
		return;
	}
	err = run_skep(attr, attr->log_level, &ours);
	if (err != kernel_err) {
		differed++;
		printf("DIFFER %s: type %u, skep %d, kernel %d\n", current, attr->prog_type, err,
		       kernel_err);
		if (ours.length > 400)
			printf("  skep: …%s", ours.text + ours.length - 400);
		else
			printf("  skep: %s", ours.text);
		if (verbose_mode)
			printf("---- skep\n%s---- kernel\n%s----\n", ours.text, kernel->text);
		return;
	}
	agreed++;
	if (strcmp(counts(ours.text), counts(kernel->text))) {
		counts_differ++;
		printf("COUNTS %s\n  skep:   %s  kernel: %s", current, counts(ours.text),
		       counts(kernel->text));
	}
	if (verbose_mode)
		printf("---- skep\n%s---- kernel\n%s----\n", ours.text, kernel->text);
}

/* In place of libc's: libbpf's system calls come by here. */
__attribute__((visibility("default"))) long syscall(long number, ...)
{
	static struct text kernel;
	union bpf_attr copy = { 0 };
	va_list args;
	long a[6];

	va_start(args, number);
	for (u32 i = 0; i < 6; i++)
		a[i] = va_arg(args, long);
	va_end(args);
	if (number == SYS_bpf && a[0] == BPF_PROG_LOAD && current) {
		double start = now();
		long fd;
		int err;

		if (!kernel.text)
			kernel.text = malloc(LOG_MAX);
		memcpy(&copy, (void *)a[1], (u64)a[2] < sizeof(copy) ? (u64)a[2] : sizeof(copy));
		copy.log_level = verbose_mode ? 2 : 1;
		copy.log_buf = (u64)(uintptr_t)kernel.text;
		copy.log_size = LOG_MAX;
		kernel.text[0] = '\0';
		fd = real_bpf(BPF_PROG_LOAD, &copy, sizeof(copy));
		err = fd < 0 ? -errno : 0;
		kernel_seconds += now() - start;
		if (strcmp(copy.prog_name, "libbpf_nametest") && copy.func_info_cnt)
			compare(&copy, err, &kernel);
		errno = -err;
		return fd;
	}
	static long (*next)(long, ...);

	if (!next)
		next = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
	return next(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	return 0;
}

static void load_program(const char *path, u32 index)
{
	struct bpf_object *object = bpf_object__open(path);
	struct bpf_program *program;
	struct bpf_map *map;
	char name[512];
	u32 i = 0;

	if (!object)
		return;
	bpf_object__for_each_program(program, object) {
		bpf_program__set_autoload(program, i == index);
		if (i++ == index)
			snprintf(name, sizeof(name), "%s:%s", path, bpf_program__name(program));
	}
	bpf_object__for_each_map(map, object)
		if (!bpf_map__max_entries(map) && bpf_map__type(map) != BPF_MAP_TYPE_RINGBUF)
			bpf_map__set_max_entries(map, 64);
	current = name;
	bpf_object__load(object);
	current = NULL;
	bpf_object__close(object);
}

static void load_object(const char *path)
{
	struct bpf_object *object = bpf_object__open(path);
	struct bpf_program *program;
	u32 nr = 0;

	if (!object) {
		printf("SKIP   %s: libbpf does not open it\n", path);
		return;
	}
	bpf_object__for_each_program(program, object)
		nr++;
	bpf_object__close(object);
	for (u32 i = 0; i < nr; i++)
		load_program(path, i);
}

int main(int argc, char **argv)
{
	libbpf_set_print(quiet);
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "-v"))
			verbose_mode = true;
		else
			load_object(argv[i]);
	}
	printf("agreed %u, differed %u, skipped %u; counters differ %u; kernel %.3f s, skep %.3f "
	       "s\n",
	       agreed, differed, skipped, counts_differ, kernel_seconds, skep_seconds);
	return differed != 0;
}
