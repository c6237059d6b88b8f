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

#include "../unit/btf/blob.h"
#include "btf/fields.h"
#include "harness/kernel_btf.h"

enum { LOG_SIZE = 1 << 24, SKEP_FD = 1000 };

static char kernel_log[LOG_SIZE];
static char *skep_log;
static size_t skep_log_length, skep_log_room;

/* What the value of these maps has at GEN_FIELD_OFF. */
static const struct special {
	const char *name;
	u32 size;
	struct btf_fields fields;
} specials[GEN_NR_MAPS] = {
	[GEN_LOCKED] = { "bpf_spin_lock",
			 4,
			 { .nr = 1,
			   .kinds = BTF_FIELD_BIT(BTF_FIELD_SPIN_LOCK),
			   .field = { { .kind = BTF_FIELD_SPIN_LOCK,
					.offset = GEN_FIELD_OFF,
					.size = 4 } } } },
	[GEN_TIMER] = { "bpf_timer",
			16,
			{ .nr = 1,
			  .kinds = BTF_FIELD_BIT(BTF_FIELD_TIMER),
			  .field = { { .kind = BTF_FIELD_TIMER,
				       .offset = GEN_FIELD_OFF,
				       .size = 16 } } } },
};

static int load_btf(const struct blob *blob)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.btf = (u64)(uintptr_t)blob->bytes;
	attr.btf_size = blob->size;
	return (int)syscall(SYS_bpf, BPF_BTF_LOAD, &attr, sizeof(attr));
}

/* BTF of such a value: int 1, long 2, the field 3, value 4. */
static int special_btf(const struct special *special, u32 value_size)
{
	static struct blob blob;

	memset(&blob, 0, sizeof(blob));
	blob_int(&blob, "int", 4);
	blob_int(&blob, "long", 8);
	blob_type(&blob, special->name, BTF_KIND_STRUCT, 0, 1, special->size);
	blob_member(&blob, "val", special->size == 4 ? 1 : 2, 0);
	blob_type(&blob, "value", BTF_KIND_STRUCT, 0, 2, value_size);
	blob_member(&blob, "number", 2, 0);
	blob_member(&blob, "field", 3, 8 * GEN_FIELD_OFF);
	blob_finish(&blob);
	return load_btf(&blob);
}

/* BTF of functions, all of which are type FUNC_TYPE: static int f(void). */
enum { FUNC_TYPE = 3 };

static const struct blob *functions_blob(void)
{
	static struct blob blob;

	if (!blob.size) {
		blob_int(&blob, "int", 4);
		blob_type(&blob, "", BTF_KIND_FUNC_PROTO, 0, 0, 1);
		blob_type(&blob, "f", BTF_KIND_FUNC, 0, BTF_FUNC_STATIC, 2);
		blob_finish(&blob);
	}
	return &blob;
}

/* The program's functions, if it needs BTF of them. */
static u32 read_functions(const struct gen_program *program, struct bpf_func_info *ret_info)
{
	u32 starts[GEN_MAX_FUNCS], nr = gen_functions(program, starts);

	for (u32 i = 0; i < nr; i++)
		ret_info[i] = (struct bpf_func_info){ starts[i], FUNC_TYPE };
	return nr;
}

static int open_kernel_map(enum gen_map map, int inner)
{
	const struct gen_map_def *def = &gen_maps[map];
	union bpf_attr attr;
	int fd;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = def->type;
	attr.key_size = def->key_size;
	attr.value_size = def->value_size;
	attr.max_entries = def->max_entries;
	if (map == GEN_OUTER)
		attr.inner_map_fd = (u32)inner;
	if (specials[map].name) {
		attr.btf_fd = (u32)special_btf(&specials[map], def->value_size);
		attr.btf_key_type_id = 1;
		attr.btf_value_type_id = 4;
	}
	fd = (int)syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));
	return fd < 0 ? -errno : fd;
}

int judge_open_kernel_maps(int *ret_fds)
{
	for (int i = 0; i < GEN_NR_MAPS; i++) {
		ret_fds[i] = open_kernel_map((enum gen_map)i, ret_fds[GEN_ARRAY]);
		if (ret_fds[i] < 0)
			return ret_fds[i];
	}
	return 0;
}

/* What kfuncs are looked up in; NULL: there is none here. */
static const struct btf *kernel_btf(void *arg)
{
	static struct btf *btf;

	if (!btf)
		btf = kernel_btf_read();
	return btf;
}

/* Ids of the kernel's functions; 0: it has none of that name. */
static const u32 *kfunc_ids(void)
{
	static u32 ids[GEN_NR_KFUNCS];
	static bool known;

	for (int i = 0; i < GEN_NR_KFUNCS && !known && kernel_btf(NULL); i++)
		ids[i] = btf_find(kernel_btf(NULL), gen_kfunc_names[i], BTF_KIND_FUNC);
	known = true;
	return ids;
}

/* A prog array belongs to the type of the first program that uses it: each type gets one of its
 * own. */
static int prog_array_of_type(u32 type, u32 attach_type)
{
	static int fds[64][64];

	if (type >= ARRAY_SIZE(fds) || attach_type >= ARRAY_SIZE(fds[0]))
		return -1;
	if (!fds[type][attach_type])
		fds[type][attach_type] = open_kernel_map(GEN_PROG_ARRAY, -1);
	return fds[type][attach_type];
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
	static int functions_fd = -1;
	struct bpf_func_info functions[GEN_MAX_FUNCS];
	struct gen_program bound = *program;
	union bpf_attr attr;
	int fd, fds[GEN_NR_MAPS];

	memcpy(fds, map_fds, sizeof(fds));
	fds[GEN_PROG_ARRAY] = prog_array_of_type(bound.prog_type, bound.attach_type);
	gen_bind(&bound, fds, kfunc_ids());
	memset(&attr, 0, sizeof(attr));
	attr.prog_type = bound.prog_type;
	attr.expected_attach_type = bound.attach_type;
	attr.prog_flags = bound.many_states ? BPF_F_TEST_STATE_FREQ : 0;
	attr.func_info_cnt = read_functions(&bound, functions);
	if (attr.func_info_cnt) {
		if (functions_fd < 0)
			functions_fd = load_btf(functions_blob());
		attr.prog_btf_fd = (u32)functions_fd;
		attr.func_info = (u64)(uintptr_t)functions;
		attr.func_info_rec_size = sizeof(functions[0]);
	}
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

static const struct verify_map *skep_map(int i)
{
	static struct verify_map maps[GEN_NR_MAPS];
	struct verify_map *map = &maps[i];

	if (map->handle)
		return map;
	map->type = gen_maps[i].type;
	map->key_size = gen_maps[i].key_size;
	map->value_size = gen_maps[i].value_size;
	map->max_entries = gen_maps[i].max_entries;
	map->id = (u32)i + 1;
	map->address = 0x7e8000100000 + 0x1000 * (u64)i;
	map->value_address = i == GEN_ARRAY ? map->address + 0x100 : 0;
	map->inner = i == GEN_OUTER ? skep_map(GEN_ARRAY) : NULL;
	map->fields = specials[i].name ? &specials[i].fields : NULL;
	map->handle = map;
	return map;
}

static int skep_map_by_fd(void *arg, int fd, const struct verify_map **ret_map)
{
	if (fd < SKEP_FD || fd >= SKEP_FD + GEN_NR_MAPS)
		return -EBADF;
	*ret_map = skep_map(fd - SKEP_FD);
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

static u32 nr_cpus(void)
{
	static u32 nr;

	if (!nr)
		nr = (u32)sysconf(_SC_NPROCESSORS_CONF);
	return nr;
}

void judge_by_skep(const struct gen_program *program, u32 log_level,
		   const struct judge_options *options, struct verdict *ret_verdict)
{
	static const struct verify_ops ops = { .map_by_fd = skep_map_by_fd,
					       .kernel_btf = kernel_btf };
	static struct btf *functions_btf;
	struct bpf_func_info functions[GEN_MAX_FUNCS];
	struct gen_program bound = *program;
	struct verify_input input = {
		.prog_type = bound.prog_type,
		.expected_attach_type = bound.attach_type,
		.prog_flags = bound.many_states ? BPF_F_TEST_STATE_FREQ : 0,
		.gpl_compatible = true,
		.map_image = 1024,
		.map_image_size = 1024,
		.privileged = true,
		.ops = &ops,
		.log = { .level = log_level, .write = skep_write_log },
	};
	struct verify_output output;
	int fds[GEN_NR_MAPS], error;

	for (int i = 0; i < GEN_NR_MAPS; i++)
		fds[i] = SKEP_FD + i;
	gen_bind(&bound, fds, kfunc_ids());
	input.nr_func_info = read_functions(&bound, functions);
	if (input.nr_func_info) {
		if (!functions_btf &&
		    btf_new(functions_blob()->bytes, functions_blob()->size, NULL, &functions_btf))
			abort();
		input.btf = functions_btf;
		input.func_info = functions;
		input.func_info_rec_size = sizeof(functions[0]);
	}
	input.insns = bound.insns;
	input.nr_insns = bound.nr_insns;
	if (options) {
		input.observe = options->observe;
		input.observe_arg = options->observe_arg;
		input.test_all_precise = options->all_precise;
		input.test_all_paths = options->all_paths;
		input.test_no_widening = options->no_widening;
		input.test_max_insns = options->max_insns;
	}
	input.nr_cpus = nr_cpus();
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
