/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What programs cost once they run: native code and the data-plane image's interpreter beside the
 * running kernel's JIT, in turns, the best of several rounds. Each program repeats its operation
 * LOOPS times; the cost of the empty loop is taken off. Ratios are what counts.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "arena/arena.h"
#include "harness/native.h"
#include "harness/tap.h"
#include "isa/asm.h"
#include "rt/event.h"
#include "rt/map.h"
#include "rt/prog.h"
#include "rt/vcpu.h"

#define LOOPS	  1000
#define ROUNDS	  15
#define RUNS	  100
#define INSNS_MAX 128
#define ENTRIES	  1024
#define RING_SIZE (4u << 20)

enum map {
	MAP_ARRAY,
	MAP_PERCPU_ARRAY,
	MAP_HASH,
	MAP_PERCPU_HASH,
	MAP_LRU,
	MAP_NO_PREALLOC,
	MAP_RING,
	MAPS
};

static const struct {
	u32 type, flags;
} map_kinds[MAPS] = {
	[MAP_ARRAY] = { BPF_MAP_TYPE_ARRAY, 0 },
	[MAP_PERCPU_ARRAY] = { BPF_MAP_TYPE_PERCPU_ARRAY, 0 },
	[MAP_HASH] = { BPF_MAP_TYPE_HASH, 0 },
	[MAP_PERCPU_HASH] = { BPF_MAP_TYPE_PERCPU_HASH, 0 },
	[MAP_LRU] = { BPF_MAP_TYPE_LRU_HASH, 0 },
	[MAP_NO_PREALLOC] = { BPF_MAP_TYPE_HASH, BPF_F_NO_PREALLOC },
	[MAP_RING] = { BPF_MAP_TYPE_RINGBUF, 0 },
};

static const struct row {
	const char *name;
	const char *body; /* r6 counts down; "map_fd N" is a map of enum map */
	u32 runs;	  /* in a row; a ring has room for few */
} rows[] = {
	{ "an empty loop", "", RUNS },
	{ "xorshift, multiply, stack",
	  "r1 = *(u64 *)(r10 -16)\nr2 = r1\nr2 <<= 13\nr1 ^= r2\nr2 = r1\n"
	  "r2 >>= 7\nr1 ^= r2\nr2 = r1\nr2 <<= 17\nr1 ^= r2\n"
	  "r1 *= 1664525\n*(u64 *)(r10 -16) = r1\n",
	  RUNS },
	{ "ktime_get_ns", "call ktime#5\n", RUNS },
	{ "get_current_pid_tgid", "call pid_tgid#14\n", RUNS },
	{ "array lookup", "r2 = r10\nr2 += -4\nr1 = map_fd 0\ncall lookup#1\n", RUNS },
	{ "per-CPU array lookup", "r2 = r10\nr2 += -4\nr1 = map_fd 1\ncall lookup#1\n", RUNS },
	{ "hash lookup", "r2 = r10\nr2 += -4\nr1 = map_fd 2\ncall lookup#1\n", RUNS },
	{ "per-CPU hash lookup", "r2 = r10\nr2 += -4\nr1 = map_fd 3\ncall lookup#1\n", RUNS },
	{ "LRU hash lookup", "r2 = r10\nr2 += -4\nr1 = map_fd 4\ncall lookup#1\n", RUNS },
	{ "hash update, existing",
	  "r2 = r10\nr2 += -4\nr3 = r10\nr3 += -24\nr4 = 0\nr1 = map_fd 2\n"
	  "call update#2\n",
	  RUNS },
	{ "... without preallocation",
	  "r2 = r10\nr2 += -4\nr3 = r10\nr3 += -24\nr4 = 0\nr1 = map_fd 5\n"
	  "call update#2\n",
	  RUNS },
	{ "ringbuf_output, 8 bytes",
	  "r2 = r10\nr2 += -24\nr3 = 8\nr4 = 1\nr1 = map_fd 6\ncall output#130\n", 8 },
	{ "... 256 bytes",
	  "r2 = r10\nr2 += -280\nr3 = 256\nr4 = 1\nr1 = map_fd 6\ncall output#130\n", 8 },
};

typedef u64 (*run_fn)(const struct rt_prog *, const void *, struct rt_vcpu *);

static int kernel_maps[MAPS];
static u64 *kernel_positions;
static struct rt_map *our_maps[MAPS];
static struct arena *arena;
static struct rt_vcpu *vcpu;
static run_fn image_interpret, image_run_native;

static int bpf(int cmd, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

static void die(const char *what)
{
	fprintf(stderr, "bench-programs: %s\n", what);
	exit(1);
}

static void make_kernel_maps(void)
{
	u32 cpus = (u32)sysconf(_SC_NPROCESSORS_CONF);
	u64 *values = calloc(cpus, sizeof(*values));

	for (u32 i = 0; i < MAPS; i++) {
		bool ring = i == MAP_RING;
		union bpf_attr attr = { .map_type = map_kinds[i].type,
					.key_size = ring ? 0 : 4,
					.value_size = ring ? 0 : 8,
					.max_entries = ring ? RING_SIZE : ENTRIES,
					.map_flags = map_kinds[i].flags };

		kernel_maps[i] = bpf(BPF_MAP_CREATE, &attr);
		if (kernel_maps[i] < 0)
			die("cannot create a map in the kernel");
		for (u32 key = 0; key < ENTRIES / 2 && !ring; key++) {
			union bpf_attr element = { .map_fd = (u32)kernel_maps[i],
						   .key = (u64)&key,
						   .value = (u64)values };

			if (bpf(BPF_MAP_UPDATE_ELEM, &element))
				die("cannot fill a map in the kernel");
		}
	}
	free(values);
	kernel_positions = mmap(NULL, 8192, PROT_READ, MAP_SHARED, kernel_maps[MAP_RING], 0);
	if (kernel_positions == MAP_FAILED ||
	    mmap(kernel_positions, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		 kernel_maps[MAP_RING], 0) == MAP_FAILED)
		die("cannot map a ring of the kernel");
}

/* All that is in the ring has been read: the consumer's page and the producer's follow each other.
 */
static void drain(volatile u64 *positions)
{
	positions[0] = positions[512];
}

static void make_our_maps(void)
{
	for (u32 i = 0; i < MAPS; i++) {
		bool ring = i == MAP_RING;
		struct rt_map_spec spec = { .type = map_kinds[i].type,
					    .key_size = ring ? 0 : 4,
					    .value_size = ring ? 0 : 8,
					    .max_entries = ring ? RING_SIZE : ENTRIES,
					    .flags = map_kinds[i].flags,
					    .nr_vcpus = RT_CONTROL->nr_vcpus };
		u64 size = rt_map_memory_size(&spec), value = 0;
		struct rt_map *map = arena_alloc(arena, ARENA_CONTROL, sizeof(*map), 64);

		map->data = arena_alloc(arena, ARENA_DATA, size, 4096);
		map->data_size = size;
		memset(map->data, 0, size); /* the kernel's pages are there from the beginning */
		rt_map_init(map, &spec, i + 1, 0x1234567);
		for (u32 key = 0; key < ENTRIES / 2 && !ring; key++)
			if (rt_map_update_elem(map, &key, &value, 0, vcpu))
				die("cannot fill a map");
		our_maps[i] = map;
	}
}

/* A record's bytes. */
static const char *zero_record(void)
{
	static char text[2048];
	u32 used = 0;

	for (u32 at = 32; at <= 280; at += 8)
		used += (u32)snprintf(text + used, sizeof(text) - used, "*(u64 *)(r10 -%u) = 0\n",
				      at);
	return text;
}

static u32 assemble(const struct row *row, struct bpf_insn *insns)
{
	char text[4096], error[128];
	int count;

	/* The key changes with each turn and stays among the entries that exist. */
	snprintf(text, sizeof(text),
		 "*(u64 *)(r10 -8) = 0\n*(u64 *)(r10 -16) = 88172645\n*(u64 *)(r10 -24) = 1\n"
		 "%s"
		 "r6 = %d\nagain:\nr7 = r6\nr7 &= %d\n*(u32 *)(r10 -4) = r7\n%sr6 += -1\n"
		 "if r6 != 0 goto again\nr0 = 0\nexit\n",
		 zero_record(), LOOPS, ENTRIES / 2 - 1, row->body);
	count = isa_assemble(text, insns, INSNS_MAX, error, sizeof(error));
	if (count < 0)
		die(error);
	return (u32)count;
}

static bool is_map_load(const struct bpf_insn *insn)
{
	return insn->code == (BPF_LD | BPF_IMM | BPF_DW) && insn->src_reg == BPF_PSEUDO_MAP_FD;
}

static int load_kernel(const struct row *row)
{
	struct bpf_insn insns[INSNS_MAX];
	u32 count = assemble(row, insns);

	for (u32 i = 0; i < count; i++)
		if (is_map_load(&insns[i]))
			insns[i].imm = kernel_maps[insns[i].imm];

	/* A type that TEST_RUN repeats and that may ask for the task. */
	union bpf_attr attr = { .prog_type = BPF_PROG_TYPE_SCHED_CLS,
				.insns = (u64)insns,
				.insn_cnt = count,
				.license = (u64) "GPL" };
	int fd = bpf(BPF_PROG_LOAD, &attr);

	if (fd < 0)
		die("the kernel rejects a program");
	return fd;
}

/* Nanoseconds a turn. */
static double run_kernel(const struct row *row, int fd)
{
	char packet[64] = { 0 };
	union bpf_attr attr = { .test = { .prog_fd = (u32)fd,
					  .data_in = (u64)packet,
					  .data_size_in = sizeof(packet),
					  .repeat = row->runs } };

	if (bpf(BPF_PROG_TEST_RUN, &attr))
		die("the kernel does not run a program");
	drain(kernel_positions);
	return (double)attr.test.duration / LOOPS;
}

static struct rt_prog *load_ours(const struct row *row)
{
	struct bpf_insn insns[INSNS_MAX];
	struct rt_prog *prog;
	u32 count = assemble(row, insns);

	for (u32 i = 0; i < count; i++) {
		if (!is_map_load(&insns[i]))
			continue;
		u64 address = (u64)our_maps[insns[i].imm];

		insns[i].src_reg = 0;
		insns[i].imm = (s32)(u32)address;
		insns[i + 1].imm = (s32)(u32)(address >> 32);
	}
	prog = native_prog_new(arena, &(struct rt_prog){ .insns = insns, .nr_insns = count });
	if (!prog ||
	    native_prog_compile(arena, prog, (const struct rt_map *const *)our_maps, MAPS, false))
		die("a program has no native code");
	return prog;
}

static double run_ours(const struct row *row, run_fn engine, const struct rt_prog *prog)
{
	u32 runs = row->runs;
	struct timespec from, to;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
	for (u32 i = 0; i < runs; i++)
		engine(prog, NULL, vcpu);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
	drain((u64 *)(void *)our_maps[MAP_RING]->data);
	return ((double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec)) /
	       runs / LOOPS;
}

typedef struct rt_vcpu *(*acquire_fn)(u32);
typedef void (*release_fn)(struct rt_vcpu *);
typedef void (*sys_enter_fn)(struct rt_vcpu *, const struct rt_pt_regs *);

static void find(const char *name, void *ret_function)
{
	u64 address = arena_image_symbol(arena, name);

	if (!address)
		die("the image lacks a function");
	memcpy(ret_function, &address, sizeof(address));
}

/* Other work on the machine only adds to a sample, so the smallest one says most. */
static double smallest(const double *samples)
{
	double least = samples[0];

	for (u32 i = 1; i < ROUNDS; i++)
		if (samples[i] < least)
			least = samples[i];
	return least;
}

enum side { KERNEL, NATIVE, INTERPRETER, SIDES };

static void bench_row(const struct row *row, bool kernel, double empty[SIDES])
{
	const struct rt_prog *prog = load_ours(row);
	double samples[SIDES][ROUNDS] = { 0 }, result[SIDES] = { 0 };
	int fd = kernel ? load_kernel(row) : -1;

	for (u32 round = 0; round < ROUNDS; round++) {
		if (kernel)
			samples[KERNEL][round] = run_kernel(row, fd);
		samples[NATIVE][round] = run_ours(row, image_run_native, prog);
		samples[INTERPRETER][round] = run_ours(row, image_interpret, prog);
	}
	for (u32 side = 0; side < SIDES; side++) {
		result[side] = smallest(samples[side]);
		if (row == rows)
			empty[side] = result[side];
		else
			result[side] -= empty[side];
	}
	printf("%-28s ", row->name);
	if (kernel)
		printf("%8.2f ns %8.2f ns %7.2f", result[KERNEL], result[NATIVE],
		       result[NATIVE] / result[KERNEL]);
	else
		printf("%11s %8.2f ns %7s", "-", result[NATIVE], "-");
	printf(" %8.1f ns\n", result[INTERPRETER]);
	if (fd >= 0)
		close(fd);
}

/*
 * From the agent's door to an empty program and back, without the system call itself: the share of
 * the data plane in the cost of a tracepoint.
 */
static void bench_event(void)
{
	struct bpf_insn insns[] = { { .code = BPF_ALU64 | BPF_MOV | BPF_K },
				    { .code = BPF_JMP | BPF_EXIT } };
	struct rt_prog prog = { .insns = insns, .nr_insns = 2 };
	struct rt_event_progs *progs = calloc(1, sizeof(*progs) + sizeof(progs->prog[0]));
	struct rt_pt_regs regs = { .orig_ax = 39 };
	double samples[2][ROUNDS];
	acquire_fn acquire;
	release_fn release;
	sys_enter_fn sys_enter;
	u32 tid = (u32)gettid();

	find("rt_vcpu_acquire", &acquire);
	find("rt_vcpu_release", &release);
	find("rt_event_sys_enter", &sys_enter);
	progs->nr = 1;
	progs->prog[0].prog = &prog;
	RT_CONTROL->events->sys_enter[39] = progs;
	for (u32 round = 0; round < ROUNDS; round++) {
		for (u32 fire = 0; fire < 2; fire++) {
			struct timespec from, to;

			clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
			for (u32 i = 0; i < RUNS * LOOPS; i++) {
				struct rt_vcpu *slot = acquire(tid);

				if (fire)
					sys_enter(slot, &regs);
				release(slot);
			}
			clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
			samples[fire][round] = ((double)(to.tv_sec - from.tv_sec) * 1e9 +
						(double)(to.tv_nsec - from.tv_nsec)) /
					       RUNS / LOOPS;
		}
	}
	printf("%-28s %11s %8.1f ns\n", "a vCPU taken and given back", "-", smallest(samples[0]));
	printf("%-28s %11s %8.1f ns\n", "… and sys_enter, empty", "-", smallest(samples[1]));
	RT_CONTROL->events->sys_enter[39] = NULL;
	free(progs);
}

/* What native code for a program of a thousand instructions takes, a call and a jump in every ten.
 */
static void bench_compilation(void)
{
	static const char ten[] =
		"r1 = *(u64 *)(r10 -8)\nr2 = r1\nr2 <<= 13\nr1 ^= r2\n"
		"*(u32 *)(r10 -12) = r1\nr2 /= 7\nif r2 > 5 goto over%1$u\nr2 += r1\nover%1$u:\n"
		"call pid_tgid#14\n*(u64 *)(r10 -8) = r0\n";
	static char text[(sizeof(ten) + 8) * 100 + 32];
	static struct bpf_insn insns[1024];
	struct rt_prog prog = { .insns = insns };
	double samples[ROUNDS];
	char error[128];
	u32 used = 0;
	int count;

	for (u32 i = 0; i < 100; i++)
		used += (u32)snprintf(text + used, sizeof(text) - used, ten, i);
	count = isa_assemble(strcat(text, "r0 = 0\nexit\n"), insns, ARRAY_SIZE(insns), error,
			     sizeof(error));
	if (count < 0)
		die(error);
	prog.nr_insns = (u32)count;
	for (u32 round = 0; round < ROUNDS; round++) {
		struct rt_prog *copy = native_prog_new(arena, &prog);
		struct timespec from, to;

		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
		if (!copy || native_prog_compile(arena, copy, NULL, 0, false))
			die("a program has no native code");
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
		samples[round] = (double)(to.tv_sec - from.tv_sec) * 1e6 +
				 (double)(to.tv_nsec - from.tv_nsec) / 1e3;
		native_prog_free(arena, copy);
	}
	printf("%-28s %11s %8.0f us\n", "code for 1,000 instructions", "-", smallest(samples));
}

int main(void)
{
	const char *message = "";
	bool kernel = tap_kernel_bpf();
	double empty[SIDES] = { 0 };

	if (arena_new(NULL, &arena, &message))
		die(message);
	vcpu = rt_vcpu_acquire((u32)gettid());
	vcpu->task = (struct rt_task){ .pid = (u32)getpid(), .tgid = (u32)getpid() };
	find("rt_interp_run", &image_interpret);
	find("rt_native_run", &image_run_native);
	make_our_maps();
	if (kernel)
		make_kernel_maps();
	printf("%-28s %11s %11s %7s %11s\n", "operation in a program", "kernel", "native", "ratio",
	       "interpreter");
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
		bench_row(&rows[i], kernel, empty);
	rt_vcpu_release(vcpu);
	bench_event();
	bench_compilation();
	if (!kernel)
		printf("The kernel's column is empty: this user may not load programs into it.\n");
	arena_free(arena);
	return 0;
}
