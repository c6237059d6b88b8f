/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One program through skep's verifier and through the running kernel's, and their logs side by
 * side.
 */
#include "oracle.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../btf/blob.h"
#include "abi/bpf_new.h"
#include "btf/btf.h"
#include "harness/kernel_btf.h"
#include "harness/tap.h"

static int kernel_maps[NR_TEST_MAPS];

bool oracle_open(void)
{
	return tap_kernel_bpf() && !test_maps_in_kernel(kernel_maps);
}

const struct btf *oracle_kernel_btf(void)
{
	static struct btf *btf;

	if (!btf)
		btf = kernel_btf_read();
	return btf;
}

/* The target of an iterator's program, whose section is iter/NAME or iter.s/NAME; NULL: it is none.
 */
static const char *iter_target(const struct verify_case *c)
{
	if (!c->tracepoint || strncmp(c->tracepoint, "iter", 4) != 0)
		return NULL;
	return strchr(c->tracepoint, '/') ? strchr(c->tracepoint, '/') + 1 : NULL;
}

#define STRUCT_OPS "struct_ops/"

/* The type that a program on the tracepoint is attached to; 0 for none. */
static u32 attach_id(const struct verify_case *c)
{
	char name[128];

	if (!c->tracepoint)
		return 0;
	if (!strncmp(c->tracepoint, STRUCT_OPS, strlen(STRUCT_OPS)))
		return btf_find(oracle_kernel_btf(), c->tracepoint + strlen(STRUCT_OPS),
				BTF_KIND_STRUCT);
	if (iter_target(c)) {
		snprintf(name, sizeof(name), "bpf_iter_%s", iter_target(c));
		return btf_find(oracle_kernel_btf(), name, BTF_KIND_FUNC);
	}
	snprintf(name, sizeof(name), "btf_trace_%s", c->tracepoint);
	return btf_find(oracle_kernel_btf(), name, BTF_KIND_TYPEDEF);
}

static u32 attach_type(const struct verify_case *c)
{
	if (iter_target(c))
		return BPF_TRACE_ITER;
	if (c->prog_type == BPF_PROG_TYPE_STRUCT_OPS)
		return c->flags >> 16;
	return c->tracepoint ? BPF_TRACE_RAW_TP : c->flags >> 16;
}

static int map_by_fd(void *arg, int fd, const struct verify_map **ret_map)
{
	*ret_map = test_map((u32)fd);
	return *ret_map ? 0 : -EBADF;
}

static const struct btf *kernel_btf(void *arg)
{
	(void)arg;
	return oracle_kernel_btf();
}

/* Nothing runs here: any number will do. */
static u32 object_type(void *arg, const struct btf *btf, u32 id, u32 node_offset)
{
	return 1;
}

static const struct verify_ops ops = { .map_by_fd = map_by_fd,
				       .kernel_btf = kernel_btf,
				       .object_type = object_type };

static void collect(void *arg, const char *text, u64 size)
{
	struct text *log = arg;

	if (log->length + size >= ORACLE_LOG_MAX)
		size = ORACLE_LOG_MAX - 1 - log->length;
	memcpy(log->text + log->length, text, size);
	log->length += size;
	log->text[log->length] = '\0';
}

static u32 prog_flags(const struct verify_case *c)
{
	return (c->flags & CASE_STRICT ? BPF_F_STRICT_ALIGNMENT : 0) |
	       (c->flags & CASE_STATE_FREQ ? BPF_F_TEST_STATE_FREQ : 0) |
	       (c->flags & CASE_SLEEPABLE ||
				(iter_target(c) && !strncmp(c->tracepoint, "iter.s/", 7))
			? BPF_F_SLEEPABLE
			: 0);
}

#define FUNCS_MAX 16
#define FUNC_TYPE 3

/* The BTF of CASE_BTF, and a record for each function that is called. */
struct functions {
	struct blob blob;
	struct bpf_func_info info[FUNCS_MAX];
	u32 nr;
};

static void add_function(struct functions *functions, u32 start)
{
	u32 i = functions->nr;

	for (u32 j = 0; j < i; j++)
		if (functions->info[j].insn_off == start)
			return;
	if (i == FUNCS_MAX)
		tap_bail("too many functions for a case");
	for (; i && functions->info[i - 1].insn_off > start; i--)
		functions->info[i] = functions->info[i - 1];
	functions->info[i] = (struct bpf_func_info){ start, FUNC_TYPE };
	functions->nr++;
}

static struct functions *functions_new(const struct bpf_insn *insns, u32 nr)
{
	struct functions *functions = calloc(1, sizeof(*functions));

	if (!functions)
		tap_bail("no memory");
	blob_int(&functions->blob, "int", 4);
	blob_type(&functions->blob, "", BTF_KIND_FUNC_PROTO, 0, 0, 1);
	blob_type(&functions->blob, "f", BTF_KIND_FUNC, 0, BTF_FUNC_STATIC, 2);
	blob_type(&functions->blob, "", BTF_KIND_PTR, 0, 0, 0);
	blob_type(&functions->blob, "", BTF_KIND_PTR, 0, 0, 6);
	blob_type(&functions->blob, "holder", BTF_KIND_STRUCT, 0, 2, 16);
	blob_member(&functions->blob, "any", 4, 0);
	blob_member(&functions->blob, "next", 5, 64);
	blob_finish(&functions->blob);
	add_function(functions, 0);
	for (u32 i = 0; i < nr; i++) {
		bool constant = insns[i].code == (BPF_LD | BPF_IMM | BPF_DW);

		if ((insns[i].code == (BPF_JMP | BPF_CALL) &&
		     insns[i].src_reg == BPF_PSEUDO_CALL) ||
		    (constant && insns[i].src_reg == BPF_PSEUDO_FUNC))
			add_function(functions, i + insns[i].imm + 1);
		i += constant;
	}
	return functions;
}

int oracle_skep(const struct verify_case *c, const struct bpf_insn *insns, u32 nr, u32 level,
		struct text *log)
{
	struct verify_input input = {
		.insns = insns,
		.nr_insns = nr,
		.prog_type = c->prog_type,
		.expected_attach_type = attach_type(c),
		.kernel_btf = c->prog_type == ABI_PROG_TYPE_NETFILTER ? oracle_kernel_btf() : NULL,
		.attach_btf = attach_id(c) ? oracle_kernel_btf() : NULL,
		.attach_btf_id = attach_id(c),
		.prog_flags = prog_flags(c),
		.gpl_compatible = !(c->flags & CASE_NOT_GPL),
		.privileged = true,
		.nr_cpus = (u32)sysconf(_SC_NPROCESSORS_CONF),
		.ops = &ops,
		.map_image = 1024,
		.map_image_size = 1024,
		.log = { .level = level, .write = collect, .arg = log },
	};
	struct functions *functions = NULL;
	struct verify_output output;
	struct btf *btf = NULL;
	int err;

	log->length = 0;
	log->text[0] = '\0';
	if (c->flags & CASE_BTF) {
		functions = functions_new(insns, nr);
		if (btf_new(functions->blob.bytes, functions->blob.size, NULL, &btf))
			tap_bail("BTF of a case is not taken");
		input.btf = btf;
		input.func_info = functions->info;
		input.func_info_rec_size = sizeof(functions->info[0]);
		input.nr_func_info = functions->nr;
	}
	err = verify_program(&input, &output);
	if (!err)
		verify_output_done(&output);
	btf_free(btf);
	free(functions);
	return err;
}

int oracle_kernel(const struct verify_case *c, const struct bpf_insn *insns, u32 nr, u32 level,
		  struct text *log)
{
	struct bpf_insn *copy = malloc(nr * sizeof(*copy));
	union bpf_attr attr = { .prog_type = c->prog_type,
				.insns = (u64)(uintptr_t)copy,
				.insn_cnt = nr,
				.prog_flags = prog_flags(c),
				.license =
					(u64)(uintptr_t)(c->flags & CASE_NOT_GPL ? "none" : "GPL"),
				.log_level = level,
				.log_buf = (u64)(uintptr_t)log->text,
				.log_size = ORACLE_LOG_MAX,
				.expected_attach_type = attach_type(c),
				.attach_btf_id = attach_id(c) };
	struct functions *functions = NULL;
	int fd, btf_fd = -1;

	if (c->flags & CASE_BTF) {
		union bpf_attr btf = { 0 };

		functions = functions_new(insns, nr);
		btf.btf = (u64)(uintptr_t)functions->blob.bytes;
		btf.btf_size = functions->blob.size;
		btf_fd = (int)syscall(SYS_bpf, BPF_BTF_LOAD, &btf, sizeof(btf));
		if (btf_fd < 0)
			tap_bail("the kernel does not take the BTF of a case");
		attr.prog_btf_fd = btf_fd;
		attr.func_info = (u64)(uintptr_t)functions->info;
		attr.func_info_rec_size = sizeof(functions->info[0]);
		attr.func_info_cnt = functions->nr;
	}
	memcpy(copy, insns, nr * sizeof(*copy));
	for (u32 i = 0; i < nr; i++) {
		if (copy[i].code != (BPF_LD | BPF_IMM | BPF_DW))
			continue;
		if ((copy[i].src_reg == BPF_PSEUDO_MAP_FD ||
		     copy[i].src_reg == BPF_PSEUDO_MAP_VALUE) &&
		    (u32)copy[i].imm < NR_TEST_MAPS)
			copy[i].imm = kernel_maps[copy[i].imm];
		i++;
	}
	log->text[0] = '\0';
	fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
	fd = fd < 0 ? -errno : fd;
	free(copy);
	free(functions);
	if (btf_fd >= 0)
		close(btf_fd);
	log->length = strlen(log->text);
	if (fd >= 0)
		close(fd);
	return fd < 0 ? fd : 0;
}

/* The line that no two runs have in common; what has no end of its own may stand before it. */
static bool is_private_line(const char *line, size_t length)
{
	return memmem(line, length, "verification time ", 18);
}

/* Takes out addresses of maps and private lines, in place. */
static void normalise(char *text)
{
	char *copy = malloc(2 * strlen(text) + 64), *out = copy;

	if (!copy)
		tap_bail("no memory");
	for (char *line = text; *line;) {
		char *end = strchrnul(line, '\n');
		size_t length = end - line + (*end == '\n');

		if (!is_private_line(line, length)) {
			char *address = memmem(line, length, " = 0x", 5);
			size_t before = address && memmem(line, length, "(18) r", 6)
						? (size_t)(address + 5 - line)
						: length;
			char *rest = line + before;

			if (before < length && strspn(rest, "0123456789abcdef") > 10) {
				size_t digits = strspn(rest, "0123456789abcdef");

				memmove(out, line, before);
				out += before;
				rest += digits;
				/* Keep the column of what follows. */
				while (*rest == ' ')
					rest++;
				memmove(out, rest, line + length - rest);
				out += line + length - rest;
			} else {
				memmove(out, line, length);
				out += length;
			}
		}
		line = end + (*end == '\n');
	}
	*out = '\0';
	if (out - copy < (long)ORACLE_LOG_MAX)
		strcpy(text, copy);
	free(copy);
}

bool oracle_same(struct text *ours, struct text *kernel, bool show_logs)
{
	const char *a, *b;

	normalise(ours->text);
	normalise(kernel->text);
	if (!strcmp(ours->text, kernel->text))
		return true;
	if (show_logs) {
		fprintf(stderr, "---- skep\n%s---- kernel\n%s----\n", ours->text, kernel->text);
		return false;
	}
	for (a = ours->text, b = kernel->text; *a && *a == *b;) {
		const char *a_end = strchrnul(a, '\n'), *b_end = strchrnul(b, '\n');

		if (a_end - a != b_end - b || memcmp(a, b, a_end - a))
			break;
		a = a_end + !!*a_end;
		b = b_end + !!*b_end;
	}
	tap_note("skep:   %.*s", (int)(strchrnul(a, '\n') - a), a);
	tap_note("kernel: %.*s", (int)(strchrnul(b, '\n') - b), b);
	return false;
}
