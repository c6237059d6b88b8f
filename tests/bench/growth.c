/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the cost of map operations grows with the entries of the map, and with the threads and
 * processes that make them at once: native code and the running kernel's
 * JIT run the same programs, whose keys are random, in turns. One line a measurement, fields
 * separated by tabs, for growth.py:
 *
 *   cost    operation  entries  threads|processes  workers  skep ns  kernel ns
 *   memory  entries that a map with room for MEMORY_ENTRIES holds  skep bytes  kernel bytes
 *
 * Time is the worker's own on a CPU; the cost of the empty loop is taken off. "-": there is none.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../diff/maps/kernel.h"
#include "../unit/rt/map_env.h"
#include "harness/native.h"
#include "harness/tap.h"
#include "isa/asm.h"
#include "rt/clock.h"
#include "rt/prog.h"

#define LOOPS	       1000 /* operations in one run of a program */
#define REPEAT	       20   /* runs in a sample */
#define SAMPLES	       15
#define WORKERS_MAX    8
#define INSNS_MAX      64
#define BATCH	       4096u
#define WORKER_ENTRIES 10000u
#define MEMORY_ENTRIES 10000000u
#define RING_SIZE      (1u << 22)

enum side { SKEP, KERNEL, SIDES };

static const struct row {
	const char *name;
	u32 type;
	const char *body; /* the key is at r10-4, the value at r10-24 */
} rows[] = {
	{ "array lookup", BPF_MAP_TYPE_ARRAY,
	  "r2 = r10\nr2 += -4\nr1 = map_fd 0\ncall lookup#1\n" },
	{ "hash lookup", BPF_MAP_TYPE_HASH, "r2 = r10\nr2 += -4\nr1 = map_fd 0\ncall lookup#1\n" },
	{ "LRU hash lookup", BPF_MAP_TYPE_LRU_HASH,
	  "r2 = r10\nr2 += -4\nr1 = map_fd 0\ncall lookup#1\n" },
	{ "hash update, existing", BPF_MAP_TYPE_HASH,
	  "r2 = r10\nr2 += -4\nr3 = r10\nr3 += -24\nr4 = 0\nr1 = map_fd 0\ncall update#2\n" },
	{ "hash delete and insert", BPF_MAP_TYPE_HASH,
	  "r2 = r10\nr2 += -4\nr1 = map_fd 0\ncall delete#3\n"
	  "r2 = r10\nr2 += -4\nr3 = r10\nr3 += -24\nr4 = 0\nr1 = map_fd 0\ncall update#2\n" },
	{ "ringbuf_output 8 B", BPF_MAP_TYPE_RINGBUF,
	  "r2 = r10\nr2 += -24\nr3 = 8\nr4 = 1\nr1 = map_fd 0\ncall output#130\n" },
};

typedef u64 (*run_fn)(const struct rt_prog *, const void *, struct rt_vcpu *);

static struct arena *arena;
static run_fn image_run;
static bool with_kernel;

/* A program with its map on both sides, as workers run it. */
struct subject {
	struct rt_map *map;
	struct rt_prog *prog;
	int kernel_map, kernel_prog; /* -1: none */
	u64 *positions;		     /* of the kernel's ring: the consumer's page, the producer's */
};

/* Where workers, also processes, meet. */
static struct meeting {
	volatile u32 ready, go;
	double result[WORKERS_MAX];
} * meeting;

struct worker {
	const struct subject *subject;
	enum side side;
	u32 index;
};

static void die(const char *what)
{
	fprintf(stderr, "bench-growth: %s\n", what);
	exit(1);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, u32 nr)
{
	qsort(values, nr, sizeof(*values), compare);
	return values[nr / 2];
}

static double now_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* One sample, in nanoseconds an operation. */
static double sample(const struct subject *subject, enum side side, struct rt_vcpu *vcpu)
{
	u8 packet[64] = { 0 };
	union bpf_attr attr = { .test = { .prog_fd = (u32)subject->kernel_prog,
					  .data_in = (u64)packet,
					  .data_size_in = sizeof(packet),
					  .repeat = REPEAT } };
	double start = now_ns();

	if (side == KERNEL) {
		if (kernel_bpf(BPF_PROG_TEST_RUN, &attr))
			die("the kernel does not run a program");
		if (subject->positions)
			*(volatile u64 *)subject->positions =
				*(volatile u64 *)(subject->positions + 512);
		return (double)attr.test.duration / LOOPS;
	}
	for (u32 i = 0; i < REPEAT; i++)
		image_run(subject->prog, NULL, vcpu);
	if (subject->map && subject->map->type == BPF_MAP_TYPE_RINGBUF)
		*(volatile u64 *)(void *)subject->map->data =
			*(volatile u64 *)(void *)(subject->map->data + 4096);
	return (now_ns() - start) / REPEAT / LOOPS;
}

static void *work(void *arg)
{
	const struct worker *worker = arg;
	struct rt_vcpu *vcpu = worker->side == SKEP ? env_vcpu() : NULL;
	double samples[SAMPLES];

	if (vcpu)
		vcpu->clock = rt_clock_find();
	__atomic_add_fetch(&meeting->ready, 1, __ATOMIC_SEQ_CST);
	while (!meeting->go)
		sched_yield();
	/* The first round is to warm up: pages and caches. */
	for (u32 i = 0; i < 2 * SAMPLES; i++)
		samples[i % SAMPLES] = sample(worker->subject, worker->side, vcpu);
	meeting->result[worker->index] = median(samples, SAMPLES);
	if (vcpu)
		rt_vcpu_release(vcpu);
	return NULL;
}

static double measure(const struct subject *subject, enum side side, u32 workers, bool processes)
{
	struct worker list[WORKERS_MAX];
	pthread_t threads[WORKERS_MAX];
	pid_t pids[WORKERS_MAX];
	int status;

	meeting->ready = meeting->go = 0;
	for (u32 i = 0; i < workers; i++) {
		list[i] = (struct worker){ subject, side, i };
		if (processes) {
			pids[i] = fork();
			if (pids[i] == 0) {
				work(&list[i]);
				_exit(0);
			}
		} else if (pthread_create(&threads[i], NULL, work, &list[i])) {
			die("no thread");
		}
	}
	while (meeting->ready < workers)
		sched_yield();
	meeting->go = 1;
	for (u32 i = 0; i < workers; i++) {
		if (!processes)
			pthread_join(threads[i], NULL);
		else if (waitpid(pids[i], &status, 0) < 0 || status)
			die("a worker has failed");
	}
	return median(meeting->result, workers);
}

/* LRU maps hold all keys only with room to spare, in the kernel as here. */
static u32 room_for(const struct row *row, u32 entries)
{
	if (row->type == BPF_MAP_TYPE_RINGBUF)
		return RING_SIZE;
	return row->type == BPF_MAP_TYPE_LRU_HASH ? entries + entries / 4 + 4096 : entries;
}

static void fill_ours(struct rt_map *map, u32 first, u32 end)
{
	struct rt_vcpu *vcpu = env_vcpu();
	u64 value = 1;

	for (u32 key = first; key < end; key++)
		if (rt_map_update_elem(map, &key, &value, 0, vcpu))
			die("cannot fill a map");
	rt_vcpu_release(vcpu);
}

static void fill_kernel(int map, u32 first, u32 end)
{
	static u32 keys[BATCH];
	static u64 values[BATCH];

	while (first < end) {
		union bpf_attr attr;

		memset(&attr, 0, sizeof(attr));
		attr.batch.map_fd = (u32)map;
		attr.batch.keys = (u64)keys;
		attr.batch.values = (u64)values;
		for (; attr.batch.count < BATCH && first < end; attr.batch.count++)
			keys[attr.batch.count] = first++;
		if (kernel_bpf(BPF_MAP_UPDATE_BATCH, &attr))
			die("cannot fill a map in the kernel");
	}
}

/* For each side; without a body, the empty loop. */
static u32 assemble(const struct row *row, u32 entries, struct bpf_insn *insns, enum side side,
		    const struct subject *subject)
{
	char text[1024], error[128];
	int nr;

	snprintf(text, sizeof(text),
		 "*(u64 *)(r10 -24) = 1\ncall ktime#5\nr7 = r0\nr8 = 0x5851f42d4c957f2d\n"
		 "r6 = %d\nagain:\nr7 *= r8\nr7 += 12345\nr1 = r7\nr1 >>= 32\nr1 *= %u\nr1 >>= 32\n"
		 "*(u32 *)(r10 -4) = r1\n%sr6 += -1\nif r6 != 0 goto again\nr0 = 0\nexit\n",
		 LOOPS, entries, row ? row->body : "");
	nr = isa_assemble(text, insns, INSNS_MAX, error, sizeof(error));
	if (nr < 0)
		die(error);
	for (int i = 0; i < nr; i++) {
		if (insns[i].code != (BPF_LD | BPF_IMM | BPF_DW) ||
		    insns[i].src_reg != BPF_PSEUDO_MAP_FD)
			continue;
		if (side == KERNEL) {
			insns[i].imm = subject->kernel_map;
			continue;
		}
		insns[i].src_reg = 0;
		insns[i].imm = (s32)(u32)(u64)subject->map;
		insns[i + 1].imm = (s32)(u32)((u64)subject->map >> 32);
	}
	return (u32)nr;
}

static void begin_kernel(struct subject *subject, const struct row *row, u32 entries)
{
	bool ring = row && row->type == BPF_MAP_TYPE_RINGBUF;
	struct bpf_insn insns[INSNS_MAX];

	if (row) {
		subject->kernel_map = kernel_map(row->type, ring ? 0 : 4, ring ? 0 : 8,
						 room_for(row, entries), 0);
		if (subject->kernel_map < 0)
			die("cannot create a map in the kernel");
		if (!ring)
			fill_kernel(subject->kernel_map, 0, entries);
	}
	if (ring) {
		subject->positions =
			mmap(NULL, 8192, PROT_READ, MAP_SHARED, subject->kernel_map, 0);
		if (subject->positions == MAP_FAILED ||
		    mmap(subject->positions, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
			 subject->kernel_map, 0) == MAP_FAILED)
			die("cannot map a ring of the kernel");
	}
	subject->kernel_prog = kernel_prog(BPF_PROG_TYPE_SCHED_CLS, insns,
					   assemble(row, entries, insns, KERNEL, subject));
	if (subject->kernel_prog < 0)
		die("the kernel rejects a program");
}

static void compile(struct subject *subject, const struct row *row, u32 entries)
{
	const struct rt_map *const maps[] = { subject->map };
	struct bpf_insn insns[INSNS_MAX];
	struct rt_prog prog = { .insns = insns };

	prog.nr_insns = assemble(row, entries, insns, SKEP, subject);
	subject->prog = native_prog_new(arena, &prog);
	if (!subject->prog ||
	    native_prog_compile(arena, subject->prog, maps, subject->map != NULL, false))
		die("a program has no native code");
}

static void begin(struct subject *subject, const struct row *row, u32 entries)
{
	bool ring = row && row->type == BPF_MAP_TYPE_RINGBUF;

	*subject = (struct subject){ .kernel_map = -1, .kernel_prog = -1 };
	if (row)
		subject->map = env_map(arena, row->type, ring ? 0 : 4, ring ? 0 : 8,
				       room_for(row, entries), 0);
	if (row && !ring)
		fill_ours(subject->map, 0, entries);
	compile(subject, row, entries);
	if (with_kernel)
		begin_kernel(subject, row, entries);
}

static void end(struct subject *subject)
{
	native_prog_free(arena, subject->prog);
	if (subject->map)
		env_map_free(arena, subject->map);
	if (subject->positions)
		munmap(subject->positions, 8192);
	if (subject->kernel_map >= 0)
		close(subject->kernel_map);
	if (subject->kernel_prog >= 0)
		close(subject->kernel_prog);
}

static double empty[SIDES];

static void show(const struct subject *subject, const char *name, u32 entries, bool processes,
		 u32 workers)
{
	printf("cost\t%s\t%u\t%s\t%u\t%.1f\t", name, entries, processes ? "processes" : "threads",
	       workers, measure(subject, SKEP, workers, processes) - empty[SKEP]);
	if (with_kernel)
		printf("%.1f\n", measure(subject, KERNEL, workers, processes) - empty[KERNEL]);
	else
		printf("-\n");
	fflush(stdout);
}

static void by_entries(void)
{
	struct subject subject;

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		for (u32 entries = 1000; entries <= 10000000; entries *= 10) {
			if (rows[i].type == BPF_MAP_TYPE_RINGBUF)
				continue;
			begin(&subject, &rows[i], entries);
			show(&subject, rows[i].name, entries, false, 1);
			end(&subject);
		}
	}
}

static void by_workers(void)
{
	struct subject subject;

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		begin(&subject, &rows[i], WORKER_ENTRIES);
		for (u32 workers = 1; workers <= WORKERS_MAX; workers *= 2) {
			show(&subject, rows[i].name, WORKER_ENTRIES, false, workers);
			show(&subject, rows[i].name, WORKER_ENTRIES, true, workers);
		}
		end(&subject);
	}
}

static u64 arena_bytes(void)
{
	struct stat st;

	return fstat(arena_fd(arena), &st) ? 0 : (u64)st.st_blocks * 512;
}

static u64 kernel_bytes(int map)
{
	char path[64], line[128];
	unsigned long long bytes = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", map);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		sscanf(line, "memlock: %llu", &bytes);
	if (file)
		fclose(file);
	return bytes;
}

static void by_content(void)
{
	u64 before = arena_bytes();
	struct rt_map *map = env_map(arena, BPF_MAP_TYPE_HASH, 4, 8, MEMORY_ENTRIES, 0);
	int other = with_kernel ? kernel_map(BPF_MAP_TYPE_HASH, 4, 8, MEMORY_ENTRIES, 0) : -1;

	for (u32 held = 0, next = 0; held <= MEMORY_ENTRIES; held = next) {
		printf("memory\t%u\t%llu\t%llu\n", held,
		       (unsigned long long)(arena_bytes() - before),
		       (unsigned long long)(other >= 0 ? kernel_bytes(other) : 0));
		fflush(stdout);
		next = held ? held * 10 : 1000;
		if (next > MEMORY_ENTRIES)
			break;
		fill_ours(map, held, next);
	}
	env_map_free(arena, map);
	if (other >= 0)
		close(other);
}

int main(void)
{
	struct subject nothing;
	u64 address;

	arena = env_new(WORKERS_MAX); /* a vCPU for each */
	with_kernel = tap_kernel_bpf();
	address = arena_image_symbol(arena, "rt_native_run");
	memcpy(&image_run, &address, sizeof(address));
	meeting = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (!image_run || meeting == MAP_FAILED)
		die("cannot begin");
	begin(&nothing, NULL, 1);
	empty[SKEP] = measure(&nothing, SKEP, 1, false);
	if (with_kernel)
		empty[KERNEL] = measure(&nothing, KERNEL, 1, false);
	end(&nothing);
	by_content();
	by_workers();
	by_entries();
	arena_free(arena);
	return 0;
}
