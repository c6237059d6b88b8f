/* SPDX-License-Identifier: BSD-2-Clause */
/* See scenario.h: what programs write with bpf_stream_vprintk(), and clients read. */
#include "scenario.h"

#include <errno.h>
#include <string.h>

#include "abi/bpf_new.h"
#include "btf/btf.h"
#include "harness/kernel_btf.h"

#define CAPACITY 100000u /* bytes of a stream are fewer than these */
#define TEXT_MAX 1024u
#define ZERO	 0xfffffffffffffff0ull /* no memory */

/* A format in a map that nobody can change. */
static int format_map(struct world *world, const char *format)
{
	char value[1200] = { 0 };
	u32 key = 0;
	int map = world_map(world, BPF_MAP_TYPE_ARRAY, 4, sizeof(value), 1, BPF_F_RDONLY_PROG);
	union abi_attr attr = { 0 };

	memcpy(value, format, strlen(format));
	world_update(world, map, &key, value, 0);
	attr.elem.map_fd = (u32)map;
	expect(world, world_call(world, BPF_MAP_FREEZE, &attr), 0, "stream: a format");
	return map;
}

/* vprintk(stream, format, { retval of the last test run's word, 7 }): its result. */
static int writer(struct world *world, s32 kfunc, u32 stream, const char *format, u32 size)
{
	int map = format_map(world, format), prog;
	const struct bpf_insn insns[] = { STORE_K(BPF_DW, 10, -8, 7),
					  STORE_K(BPF_DW, 10, -16, -5),
					  MOV_K(1, (s32)stream),
					  LD_MAP(2, BPF_PSEUDO_MAP_VALUE, map),
					  MOV_X(3, 10),
					  ADD_K(3, -16),
					  MOV_K(4, (s32)size),
					  MOV_K(5, 0),
					  INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_KFUNC_CALL, 0,
					       kfunc),
					  EXIT() };

	prog = world_prog(world, BPF_PROG_TYPE_SCHED_CLS, insns, ARRAY_SIZE(insns));
	expect(world, prog, FD, "stream: a program that writes");
	world->close(world, map);
	return prog;
}

static long read_at(struct world *world, int prog, u32 stream, u64 address, u32 length)
{
	union abi_attr attr = { 0 };

	attr.prog_stream_read.stream_buf = address;
	attr.prog_stream_read.stream_buf_len = length;
	attr.prog_stream_read.stream_id = stream;
	attr.prog_stream_read.prog_fd = (u32)prog;
	return world_call(world, ABI_PROG_STREAM_READ_BY_FD, &attr);
}

static long read_text(struct world *world, int prog, u32 stream, char *text, u32 length)
{
	memset(text, 0, length);
	return read_at(world, prog, stream, (u64)(uintptr_t)text, length);
}

static void texts(struct world *world, s32 kfunc)
{
	int prog = writer(world, kfunc, 1, "a %d and %u\n", 16), other;
	char text[64];

	expect(world, read_text(world, prog, 1, text, sizeof(text)), 0, "stream: nothing yet");
	expect(world, (s32)scenario_run(world, prog), 0, "stream: written");
	expect(world, scenario_run(world, prog), 0, "stream: written again");
	expect(world, read_text(world, prog, 2, text, sizeof(text)), 0, "stream: not to the other");
	expect(world, read_text(world, prog, 1, text, 4), 4, "stream: four bytes");
	expect(world, strcmp(text, "a -5"), 0, "stream: which are the first");
	expect(world, read_text(world, prog, 1, text, 0), 0, "stream: no bytes");
	expect(world, read_at(world, prog, 1, ZERO, 4), -EFAULT, "stream: to nowhere");
	expect(world, read_text(world, prog, 1, text, sizeof(text)), 7 + 11, "stream: the rest");
	expect(world, strcmp(text, " and 7\na -5 and 7\n"), 0, "stream: which is the rest");
	expect(world, read_text(world, prog, 1, text, sizeof(text)), 0, "stream: and no more");
	expect(world, read_text(world, prog, 0, text, 1), -ENOENT, "stream 0");
	expect(world, read_text(world, prog, 3, text, 1), -ENOENT, "stream 3");
	expect(world, read_at(world, prog, 3, ZERO, 4), -ENOENT, "stream 3 to nowhere");
	expect(world, read_at(world, prog, 1, ZERO, 4), 0, "stream: nothing to nowhere");
	world->close(world, prog);
	other = writer(world, kfunc, 2, "%s", 8);
	expect(world, (s32)scenario_run(world, other), 0, "stream: a string from nowhere");
	expect(world, read_text(world, other, 2, text, sizeof(text)), 0, "stream: is none");
	world->close(world, other);
}

static void errors(struct world *world, s32 kfunc)
{
	char format[1100], text[TEXT_MAX + 100];
	int prog;

#define CASE(want, stream, fmt, size)                                                            \
	do {                                                                                     \
		prog = writer(world, kfunc, stream, fmt, size);                                  \
		expect(world, (s32)scenario_run(world, prog), want, "stream: " #fmt ", " #size); \
		expect(world, read_text(world, prog, 1, text, sizeof(text)), 0,                  \
		       "stream: nothing written");                                               \
		world->close(world, prog);                                                       \
	} while (0)
	CASE(-ENOENT, 0, "x", 8);
	CASE(-ENOENT, 3, "x", 8);
	CASE(-ENOENT, -1, "x", 8);
	CASE(-EINVAL, 1, "x", 7);
	CASE(-EINVAL, 1, "%d %d", 8);
	CASE(-EINVAL, 1, "%f", 8);
	CASE(0, 1, "", 8);
#undef CASE
	/* As many bytes as a text may have; the last one gives way to the end of the string. */
	memset(format, 'x', sizeof(format));
	format[TEXT_MAX] = 0;
	prog = writer(world, kfunc, 1, format, 16);
	expect(world, (s32)scenario_run(world, prog), 0, "stream: 1024 bytes");
	expect(world, read_text(world, prog, 1, text, sizeof(text)), TEXT_MAX, "stream: are kept");
	expect(world, text[TEXT_MAX - 2] == 'x' && !text[TEXT_MAX - 1], 1, "stream: with a NUL");
	world->close(world, prog);
	format[TEXT_MAX] = 'x';
	format[TEXT_MAX + 1] = 0;
	prog = writer(world, kfunc, 1, format, 16);
	expect(world, (s32)scenario_run(world, prog), -ENOMEM, "stream: 1025 bytes");
	expect(world, read_text(world, prog, 1, text, sizeof(text)), 0, "stream: are not");
	world->close(world, prog);
}

static void capacity(struct world *world, s32 kfunc)
{
	static char text[CAPACITY];
	int prog = writer(world, kfunc, 1,
			  "ten bytes.ten bytes.ten bytes.ten bytes.ten bytes.ten bytes.ten bytes."
			  "ten bytes.ten bytes.%d ninety\n",
			  8);
	u32 runs = 0;

	while (runs < 1100 && !scenario_run(world, prog))
		runs++;
	expect(world, runs, 999, "stream: a hundred bytes at a time");
	expect(world, (s32)scenario_run(world, prog), -ENOSPC, "stream: full");
	expect(world, read_text(world, prog, 1, text, 99), 99, "stream: a part of a text");
	expect(world, (s32)scenario_run(world, prog), -ENOSPC, "stream: still full");
	expect(world, read_text(world, prog, 1, text, 1), 1, "stream: the rest of it");
	expect(world, (s32)scenario_run(world, prog), 0, "stream: there is room");
	expect(world, (s32)scenario_run(world, prog), -ENOSPC, "stream: for one");
	expect(world, read_text(world, prog, 1, text, CAPACITY), 99900, "stream: all of it");
	expect(world, text[99899], '\n', "stream: to its end");
	expect(world, scenario_run(world, prog), 0, "stream: and on");
	world->close(world, prog);
}

/* A loop that the kernel ends is told of. */
static void loops(struct world *world)
{
	static const char want[] = "ERROR: Timeout detected for may_goto instruction\nCPU: ";
	const struct bpf_insn insns[] = { INSN(BPF_JMP | 0xe0, 0, 0, 1, 0),
					  INSN(BPF_JMP | BPF_JA, 0, 0, -2, 0), MOV_K(0, 0),
					  EXIT() };
	int prog = world_prog(world, BPF_PROG_TYPE_SCHED_CLS, insns, ARRAY_SIZE(insns));
	char text[4096];

	expect(world, prog, FD, "stream: a loop");
	expect(world, scenario_run(world, prog), 0, "stream: that is ended");
	expect(world, read_text(world, prog, 2, text, sizeof(text) - 1) > 80, 1, "stream: says so");
	expect(world, strncmp(text, want, strlen(want)), 0, "stream: in these words");
	expect(world, strstr(text, " UID: ") && strstr(text, "\nCall trace:\n"), 1,
	       "stream: and tells where");
	expect(world, read_text(world, prog, 1, text, sizeof(text)), 0, "stream: on stderr");
	world->close(world, prog);
}

/* A kernel that has not set up all of its pages yet refuses each text. */
static bool has_memory(struct world *world, s32 kfunc)
{
	int prog = writer(world, kfunc, 1, "text", 8);
	long result = scenario_run(world, prog);

	world->close(world, prog);
	return !world->kernel || (s32)result != -ENOMEM;
}

void scenario_stream(struct world *world)
{
	struct btf *btf = kernel_btf_read();
	u32 kfunc = btf ? btf_find(btf, "bpf_stream_vprintk_impl", BTF_KIND_FUNC) : 0;

	btf_free(btf);
	if (!kfunc) {
		tap_skip(1, "the kernel has no bpf_stream_vprintk_impl()");
		return;
	}
	if (!has_memory(world, (s32)kfunc)) {
		tap_skip(1, "this kernel finds no memory for streams");
		return;
	}
	texts(world, (s32)kfunc);
	errors(world, (s32)kfunc);
	capacity(world, (s32)kfunc);
	loops(world);
}
