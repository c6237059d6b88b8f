/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Real programs: every BPF object given, or found inside the executables given (skeletons embed
 * them), is opened with libbpf and each of its programs loaded by itself, into the running kernel
 * and into skep. libbpf is linked in with its system calls redirected, so this is what an
 * application does, without the gate.
 *
 * What skep accepts the kernel must accept, with the same tag and licence. What the kernel accepts
 * and skep does not is counted by reason; it is no failure as long as skep says why.
 *
 * Usage: diff-sys-objects FILE...
 */
#include "scenario.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define FAKE_FD	    100000 /* skep's descriptors, out of the way of real ones */
#define PROGS_MAX   64
#define MACHINE_BPF 247

/* The C library's own doors: libbpf finds ours first. */
static long (*real_syscall)(long nr, ...);
static int (*real_close)(int fd);

struct verdict {
	int error; /* 0: loaded */
	u8 tag[8];
	u32 gpl;
	char why[160];
};

static struct world *world; /* NULL: the kernel itself */
static char last_line[160];

/* Descriptors in attributes are real numbers to libbpf, table indexes to the world. */
static void shift_fds(u32 cmd, union abi_attr *attr, int by)
{
	switch (cmd) {
	case BPF_MAP_CREATE:
		if (attr->btf_fd >= FAKE_FD)
			attr->btf_fd += (u32)by;
		break;
	case BPF_PROG_LOAD:
		if (attr->load.prog_btf_fd >= FAKE_FD)
			attr->load.prog_btf_fd += (u32)by;
		break;
	case BPF_PROG_BIND_MAP:
		attr->prog_bind_map.map_fd += (u32)by;
		attr->prog_bind_map.prog_fd += (u32)by;
		break;
	case BPF_OBJ_GET_INFO_BY_FD:
	case BPF_MAP_UPDATE_ELEM:
	case BPF_MAP_LOOKUP_ELEM:
	case BPF_MAP_FREEZE: attr->info.bpf_fd += (u32)by; break;
	default: break;
	}
}

/* Instructions refer to maps by descriptor, too. */
static struct bpf_insn *shift_insns(const union abi_attr *attr)
{
	const struct bpf_insn *insns = (const void *)(uintptr_t)attr->load.insns;
	struct bpf_insn *copy = malloc(attr->load.insn_cnt * sizeof(*copy));
	u32 i;

	if (!copy)
		tap_bail("no memory");
	memcpy(copy, insns, attr->load.insn_cnt * sizeof(*copy));
	for (i = 0; i < attr->load.insn_cnt; i++)
		if (copy[i].code == (BPF_LD | BPF_IMM | BPF_DW) &&
		    (copy[i].src_reg == BPF_PSEUDO_MAP_FD ||
		     copy[i].src_reg == BPF_PSEUDO_MAP_VALUE))
			copy[i].imm -= FAKE_FD;
	return copy;
}

static bool gives_fd(u32 cmd)
{
	return cmd == BPF_MAP_CREATE || cmd == BPF_PROG_LOAD || cmd == BPF_BTF_LOAD ||
	       cmd == BPF_BTF_GET_FD_BY_ID || cmd == BPF_MAP_GET_FD_BY_ID ||
	       cmd == BPF_PROG_GET_FD_BY_ID;
}

static long skep_bpf(u32 cmd, void *address, u32 size)
{
	struct bpf_insn *insns = NULL;
	union abi_attr attr;
	u64 saved = 0;
	long result;

	memset(&attr, 0, sizeof(attr));
	memcpy(&attr, address, size < sizeof(attr) ? size : sizeof(attr));
	shift_fds(cmd, &attr, -FAKE_FD);
	if (cmd == BPF_PROG_LOAD && attr.load.insn_cnt && attr.load.insn_cnt <= ABI_INSNS_MAX) {
		saved = attr.load.insns;
		insns = shift_insns(&attr);
		attr.load.insns = (u64)(uintptr_t)insns;
	}
	result = world->bpf(world, cmd, &attr, size < sizeof(attr) ? size : sizeof(attr));
	if (insns)
		attr.load.insns = saved;
	free(insns);
	shift_fds(cmd, &attr, FAKE_FD);
	memcpy(address, &attr, size < sizeof(attr) ? size : sizeof(attr));
	if (result < 0) {
		errno = (int)-result;
		return -1;
	}
	return gives_fd(cmd) ? result + FAKE_FD : result;
}

__attribute__((visibility("default"))) long syscall(long nr, ...)
{
	long args[6];
	va_list list;
	u32 i;

	va_start(list, nr);
	for (i = 0; i < 6; i++)
		args[i] = va_arg(list, long);
	va_end(list);
	if (nr == SYS_bpf && world)
		return skep_bpf((u32)args[0], (void *)args[1], (u32)args[2]);
	if (!real_syscall)
		real_syscall = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
	return real_syscall(nr, args[0], args[1], args[2], args[3], args[4], args[5]);
}

__attribute__((visibility("default"))) int close(int fd)
{
	if (world && fd >= FAKE_FD)
		return world->close(world, fd - FAKE_FD);
	if (!real_close)
		real_close = (int (*)(int))dlsym(RTLD_NEXT, "close");
	return real_close(fd);
}

/* Keeps the last line of a log that says what was wrong. */
static int on_print(enum libbpf_print_level level, const char *format, va_list args)
{
	char text[65536], *line, *rest;

	vsnprintf(text, sizeof(text), format, args);
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		if (strncmp(line, "processed ", 10) && strncmp(line, "libbpf:", 7) &&
		    strncmp(line, "-- END", 6))
			snprintf(last_line, sizeof(last_line), "%.150s", line);
	return 0;
}

static void load_one(const void *data, size_t size, u32 index, struct verdict *ret_verdict)
{
	struct bpf_object *object = bpf_object__open_mem(data, size, NULL);
	struct bpf_program *prog, *chosen = NULL;
	struct bpf_prog_info info = { 0 };
	u32 length = sizeof(info), i = 0;

	memset(ret_verdict, 0, sizeof(*ret_verdict));
	last_line[0] = 0;
	if (!object) {
		ret_verdict->error = -errno;
		return;
	}
	bpf_object__for_each_program(prog, object) {
		if (i == index)
			chosen = prog;
		bpf_program__set_autoload(prog, i++ == index);
	}
	ret_verdict->error = bpf_object__load(object);
	if (!ret_verdict->error && chosen &&
	    !bpf_obj_get_info_by_fd(bpf_program__fd(chosen), &info, &length)) {
		memcpy(ret_verdict->tag, info.tag, 8);
		ret_verdict->gpl = info.gpl_compatible;
	}
	if (world && ret_verdict->error && !last_line[0])
		snprintf(last_line, sizeof(last_line), "%.150s", world_last_message(world));
	memcpy(ret_verdict->why, last_line, sizeof(last_line));
	bpf_object__close(object);
}

/* All programs of one object in a process of its own: libbpf remembers what its kernel can. */
static void load_all(const void *data, size_t size, u32 nr, bool skep, struct verdict *ret_verdicts)
{
	int fds[2];
	pid_t pid;
	size_t want = nr * sizeof(*ret_verdicts), got = 0;
	ssize_t part;

	if (pipe(fds))
		tap_bail("no pipe");
	fflush(stdout);
	pid = fork();
	if (!pid) {
		if (skep)
			world = world_skep();
		for (u32 i = 0; i < nr; i++)
			load_one(data, size, i, &ret_verdicts[i]);
		_exit(write(fds[1], ret_verdicts, want) != (ssize_t)want);
	}
	close(fds[1]);
	while (got < want && (part = read(fds[0], (char *)ret_verdicts + got, want - got)) > 0)
		got += (size_t)part;
	close(fds[0]);
	waitpid(pid, NULL, 0);
	if (got < want)
		tap_bail("the process that loads into %s died", skep ? "skep" : "the kernel");
}

static u32 total, both, kernel_only, skep_only, neither, tags;

static void compare(const char *file, const char *name, const struct verdict *kernel,
		    const struct verdict *skep)
{
	total++;
	if (!kernel->error && !skep->error) {
		both++;
		if (memcmp(kernel->tag, skep->tag, 8) || kernel->gpl != skep->gpl) {
			tags++;
			tap_note("%s: %s: another tag or licence", file, name);
		}
	} else if (!kernel->error) {
		kernel_only++;
		tap_note("%s: %s: the kernel alone accepts it: %d %s", file, name, skep->error,
			 skep->why);
	} else if (!skep->error) {
		skep_only++;
		tap_note("%s: %s: skep alone accepts it: %d %s", file, name, kernel->error,
			 kernel->why);
	} else {
		neither++;
	}
}

static void try_object(const char *file, const void *data, size_t size)
{
	struct bpf_object *object = bpf_object__open_mem(data, size, NULL);
	static struct verdict verdicts[2][PROGS_MAX];
	static char names[PROGS_MAX][64];
	struct bpf_program *prog;
	u32 nr = 0, i;

	if (!object)
		return;
	bpf_object__for_each_program(prog, object)
		if (nr < PROGS_MAX)
			snprintf(names[nr++], sizeof(names[0]), "%s", bpf_program__name(prog));
	bpf_object__close(object);
	for (i = 0; i < 2; i++)
		load_all(data, size, nr, i, verdicts[i]);
	for (i = 0; i < nr; i++)
		compare(file, names[i], &verdicts[0][i], &verdicts[1][i]);
}

/* Every 64-bit little-endian relocatable ELF file of machine BPF in these bytes. */
static void try_file(const char *file, const u8 *data, size_t size)
{
	size_t at, table, length;
	u16 type, machine, entry_size, entries;
	u64 offset;

	for (at = 0; at + 64 <= size; at++) {
		if (memcmp(data + at, "\177ELF\2\1\1", 7))
			continue;
		memcpy(&type, data + at + 16, 2);
		memcpy(&machine, data + at + 18, 2);
		memcpy(&offset, data + at + 40, 8);
		memcpy(&entry_size, data + at + 58, 2);
		memcpy(&entries, data + at + 60, 2);
		table = (size_t)entry_size * entries;
		if (type != 1 || machine != MACHINE_BPF || offset > size - at ||
		    table > size - at - offset)
			continue;
		length = offset + table;
		try_object(file, data + at, length);
		at += length - 1;
	}
}

int main(int argc, char **argv)
{
	u8 *data;
	FILE *file;
	size_t size;
	int i;

	if (!world_kernel()) {
		tap_skip(1, "no kernel bpf(2) to compare with");
		return tap_done();
	}
	libbpf_set_print(on_print);
	for (i = 1; i < argc; i++) {
		file = fopen(argv[i], "rb");
		if (!file)
			continue; /* not installed here */
		data = malloc(64 << 20);
		size = data ? fread(data, 1, 64 << 20, file) : 0;
		fclose(file);
		try_file(strrchr(argv[i], '/') ? strrchr(argv[i], '/') + 1 : argv[i], data, size);
		free(data);
	}
	tap_note("%u programs: %u accepted by both, %u by neither, %u by the kernel alone, %u by "
		 "skep alone",
		 total, both, neither, kernel_only, skep_only);
	tap_ok(total > 0 && both > 0, "there was something to compare");
	tap_ok(!skep_only, "skep accepts nothing that the kernel rejects");
	tap_ok(!tags, "tags and licences agree");
	return tap_done();
}
