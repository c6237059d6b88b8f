/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Running programs, by the interpreter and natively: tail calls with the kernel's limit and frames,
 * callbacks, statistics; events with the contexts that Linux gives to programs, and what is missed.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arena/arena.h"
#include "harness/native.h"
#include "harness/tap.h"
#include "abi/kfunc.h"
#include "isa/asm.h"
#include "rt/event.h"
#include "rt/map.h"
#include "rt/prog.h"
#include "rt/vcpu.h"

#define INSNS_MAX 128

/* A program with its instructions; subprograms are given as instruction indices. */
struct program {
	struct rt_prog prog;
	struct bpf_insn insns[INSNS_MAX];
	struct rt_subprog subprogs[4];
	struct rt_prog_stats stats;
};

static struct arena *arena;
static struct rt_vcpu *vcpu;
static struct rt_map *prog_array;
static bool natively; /* the programs that follow have native code */
static u32 nr_compiled, nr_refused;

static u64 address_of(const void *memory)
{
	return (u64)memory;
}

/*
 * Native code for the program as it is now, made for a copy in the arena. What cannot be compiled
 * is interpreted.
 */
static void compile(struct program *program)
{
	struct rt_prog *copy = native_prog_new(arena, &program->prog);

	if (!copy)
		tap_bail("the arena is full");
	if (native_prog_compile(arena, copy, NULL, 0, false))
		nr_refused++;
	else
		nr_compiled++;
	program->prog.native = copy->native;
}

/* Assembles; %1$llx in the text is replaced by address. */
static void make(struct program *program, const char *text, u64 address)
{
	char code[4096], error[128];
	int count;

	memset(program, 0, sizeof(*program));
	snprintf(code, sizeof(code), text, (unsigned long long)address);
	count = isa_assemble(code, program->insns, INSNS_MAX, error, sizeof(error));
	if (count < 0)
		tap_bail("%s in: %s", error, code);
	program->prog = (struct rt_prog){ .insns = program->insns,
					  .nr_insns = (u32)count,
					  .subprogs = program->subprogs,
					  .nr_subprogs = 1,
					  .stats = &program->stats };
	if (natively)
		compile(program);
}

static u64 run(struct program *program, const void *ctx)
{
	if (natively)
		compile(program);
	return rt_prog_run(&program->prog, ctx, vcpu);
}

static void make_prog_array(void)
{
	struct rt_map_spec spec = { .type = BPF_MAP_TYPE_PROG_ARRAY,
				    .key_size = 4,
				    .value_size = 4,
				    .max_entries = 4,
				    .nr_vcpus = RT_CONTROL->nr_vcpus };
	u64 size = rt_map_memory_size(&spec);

	prog_array = arena_alloc(arena, ARENA_CONTROL, sizeof(*prog_array), 8);
	prog_array->data = arena_alloc(arena, ARENA_CONTROL, size, 4096);
	prog_array->data_size = size;
	rt_map_init(prog_array, &spec, 1, 0);
}

/* Programs that add to a counter in memory and tail-call slot r3 of the array. */
static const char counting[] = "r6 = r1\n"
			       "r7 = 0x%llx\n"
			       "r1 = *(u64 *)(r7 +0)\n"
			       "r1 += 1\n"
			       "*(u64 *)(r7 +0) = r1\n"
			       "r1 = r6\n"
			       "r2 = *(u64 *)(r7 +8)\n"
			       "r3 = *(u64 *)(r7 +16)\n"
			       "call bpf_tail_call#12\n"
			       "r0 = 777\n"
			       "exit";

static void test_tail_calls(void)
{
	static struct program caller, callee, nested;
	static u64 memory[8];

	memory[1] = address_of(prog_array);
	memory[2] = 0;
	for (u32 i = 0; i < prog_array->max_entries; i++)
		rt_map_set_object(prog_array, i, NULL);
	make(&caller, counting, address_of(memory));
	tap_is(run(&caller, NULL), 777, "an empty slot: the call falls through");
	memory[2] = 4;
	tap_is(run(&caller, NULL), 777, "beyond the array: it falls through");
	memory[2] = 1UL << 32;
	make(&callee, "r0 = *(u32 *)(r1 +0)\nexit", 0);
	rt_map_set_object(prog_array, 0, &callee.prog);

	u32 ctx = 4711;

	tap_is(run(&caller, &ctx), 4711, "the index is 32 bits; the callee gets the context");
	tap_ok(vcpu->prog == &callee.prog, "the callee is the running program");

	memory[0] = 0;
	memory[2] = 1;
	rt_map_set_object(prog_array, 1, &caller.prog);
	tap_is(run(&caller, NULL), 777, "a program that calls itself ends");
	tap_is(memory[0], 34, "after 33 tail calls");
	memory[0] = 0;
	run(&caller, NULL);
	tap_is(memory[0], 34, "each run counts anew");

	/* Out of a subprogram: the callee returns to the subprogram's caller, with its registers
	 * and stack. */
	make(&nested,
	     "r6 = 100\n"
	     "*(u64 *)(r10 -8) = 23\n"
	     "call sub\n"
	     "r0 += r6\n"
	     "r1 = *(u64 *)(r10 -8)\n"
	     "r0 += r1\n"
	     "exit\n"
	     "sub:\n"
	     "r6 = 0\n"
	     "*(u64 *)(r10 -8) = 1\n"
	     "r2 = 0x%llx\n"
	     "r3 = 2\n"
	     "call bpf_tail_call#12\n"
	     "r0 = 5\n"
	     "exit",
	     address_of(prog_array));
	tap_is(run(&nested, NULL), 128, "in a subprogram, an empty slot");
	make(&callee, "r0 = 1000\nr6 = 5\nexit", 0);
	rt_map_set_object(prog_array, 2, &callee.prog);
	tap_is(run(&nested, NULL), 1123, "in a subprogram, taken");
	rt_map_set_object(prog_array, 2, &nested.prog);
	/* Each of the 33 adds a frame; the last one falls through in its subprogram. */
	tap_is(run(&nested, NULL), 5 + 34 * 123, "tail calls out of subprograms pile frames up");
}

static void test_callbacks(void)
{
	static struct program program;
	u64 result;

	/* Subprogram 1 adds its arguments up and calls subprogram 2. */
	make(&program,
	     "r0 = 0\n"
	     "exit\n"
	     "r0 = r1\n"
	     "r0 += r2\n"
	     "r0 += r3\n"
	     "r6 = r0\n"
	     "*(u64 *)(r10 -512) = r6\n"
	     "call two\n"
	     "r1 = *(u64 *)(r10 -512)\n"
	     "r0 += r1\n"
	     "exit\n"
	     "two:\n"
	     "*(u64 *)(r10 -512) = 0\n"
	     "r0 = 1000\n"
	     "exit",
	     0);
	program.prog.nr_subprogs = 3;
	program.subprogs[1].start = 2;
	program.subprogs[2].start = 11;
	if (natively)
		compile(&program);
	vcpu->prog = &program.prog;
	vcpu->frame = 0;
	result = rt_call_bpf(vcpu, 1, 1, 20, 300, 0, 0);
	tap_is(result, 1321, "a helper calls a subprogram back");
	tap_is(vcpu->frame, 0, "the frame is the helper's again");
	vcpu->frame = RT_FRAMES - 2;
	tap_is(rt_call_bpf(vcpu, 1, 1, 1, 1, 0, 0), 0, "no frame left: not run");
	vcpu->frame = 0;
	tap_is(rt_call_bpf(vcpu, 3, 1, 1, 1, 0, 0), 0, "no such subprogram");
}

#define THROW "call kernel-function#%2$u\n"

/* As make(), with bpf_throw() for THROW. */
static void make_throwing(struct program *program, const char *text, u64 address)
{
	char code[4096];

	snprintf(code, sizeof(code), text, (unsigned long long)address, ABI_KFUNC_bpf_throw);
	make(program, code, 0);
	program->prog.throws = true;
}

static void test_exceptions(void)
{
	static struct program program, caller;
	const char *nested = "r0 = 0x%1$llx\ncall one\nr0 += 1\nexit\n"
			     "one:\ncall two\nr0 += 1\nexit\n"
			     "two:\nr1 = 40\n" THROW "r0 = 5\nexit\n"
			     "r0 = r1\nr0 += 7\ncall three\nexit\nthree:\nr0 += 100\nexit";

	make_throwing(&program, "r1 = 0x%1$llx\n" THROW "r0 = 5\nexit", 12);
	tap_is(run(&program, NULL), 12, "what is thrown is the result");
	make_throwing(&program, nested, 0);
	tap_is(run(&program, NULL), 40, "out of calls, too");
	program.prog.nr_subprogs = 4;
	program.subprogs[3].start = 12;
	program.prog.exception_callback = 3;
	tap_is(program.insns[12].code, BPF_ALU64 | BPF_MOV | BPF_X, "the callback is where it is");
	tap_is(run(&program, NULL), 147, "or what a function makes of it");
	tap_ok(!natively || program.prog.native, "such programs are compiled, too");

	/* Tail-called out of a subprogram: its program's end is that of the subprogram. */
	make(&caller,
	     "r6 = 1\ncall sub\nr0 += r6\nexit\n"
	     "sub:\nr6 = 9\nr2 = 0x%llx\nr3 = 3\ncall bpf_tail_call#12\nr0 = 5\nexit",
	     address_of(prog_array));
	rt_map_set_object(prog_array, 3, &program.prog);
	tap_is(run(&caller, NULL), 148, "a tail-called program ends alone");
	tap_ok(!vcpu->aborted && !vcpu->thrown, "nothing is left of it");
}

static void test_refusals(void)
{
	static struct program program;

	make(&program, "r0 = 5\ncall nothing#250\nr0 = 7\nexit", 0);
	tap_is(run(&program, NULL), 0, "a helper that is missing ends the program");
	make(&program, "r0 = 5\ncall kernel-function#65000\nr0 = 7\nexit", 0);
	tap_is(run(&program, NULL), 0, "so does a kernel function that is missing");
	make(&program, "r0 = 5\nr0 = 5\nexit", 0);
	program.insns[1].code = 0xff;
	tap_is(run(&program, NULL), 0, "and an opcode that does not exist");
	make(&program, "r0 = 0\nagain:\ncall again\nexit", 0);
	tap_is(run(&program, NULL), 0, "and calls without end");

	make(&program, "r0 = 5\nagain:\nmay_goto out\ngoto again\nout:\nexit", 0);
	tap_is(run(&program, NULL), 5, "an endless loop with may_goto runs out of budget");
	make(&program, "r0 = 5\nagain:\nmay_goto over\nr0 = 6\nover:\ngoto again\nexit", 0);
	tap_is(run(&program, NULL), 0, "one that does not mind the budget is ended");
}

static void test_probe_loads(void)
{
	static struct program program;
	u8 *data = arena_alloc(arena, ARENA_DATA, 64, 8);

	data[0] = 0x80;
	make(&program, "r1 = 0x%llx\nr0 = 1\nr0 = *(u8 *)(r1 +0)\nexit", address_of(data));
	program.insns[3].code = BPF_LDX | 0x20 | BPF_B;
	tap_is(run(&program, NULL), 0x80, "a probing load");
	program.insns[3].code = BPF_LDX | 0x40 | BPF_B;
	tap_is(run(&program, NULL), -0x80, "a sign-extending one");
	make(&program, "r1 = 0x%llx\nr0 = 1\nr0 = *(u64 *)(r1 +0)\nexit", 8);
	program.insns[3].code = BPF_LDX | 0x20 | BPF_DW;
	tap_is(run(&program, NULL), 0, "one of a bad address gives 0");
	arena_release(arena, ARENA_DATA, data, 64);
}

static void test_statistics(void)
{
	static struct program program;

	make(&program, "r0 = 9\nexit", 0);
	run(&program, NULL);
	tap_is(program.stats.run_cnt, 0, "no statistics unless wanted");
	program.prog.stats_enabled = 1;
	tap_is(run(&program, NULL) + run(&program, NULL), 18, "with them, the same result");
	tap_ok(program.stats.run_cnt == 2 && program.stats.run_time_ns > 0, "runs and time");
}

/* Attaches one program that copies 8-byte words of its context to seen[]. */
static u64 seen[10];

static struct rt_event_progs *attach(struct program *program, u32 from, u32 words)
{
	struct rt_event_progs *progs =
		arena_alloc(arena, ARENA_CONTROL, sizeof(*progs) + sizeof(progs->prog[0]), 8);
	char code[2048];
	u32 used = 0;

	used += (u32)snprintf(code, sizeof(code), "r2 = 0x%%llx\n");
	for (u32 i = 0; i < words; i++)
		used += (u32)snprintf(code + used, sizeof(code) - used,
				      "r3 = *(u64 *)(r1 +%u)\n*(u64 *)(r2 +%u) = r3\n",
				      from + 8 * i, 8 * i);
	snprintf(code + used, sizeof(code) - used,
		 "r3 = *(u64 *)(r2 +72)\nr3 += 1\n*(u64 *)(r2 +72) = r3\nr0 = 3\nexit");
	make(program, code, address_of(seen));
	memset(seen, 0, sizeof(seen));
	progs->nr = 1;
	progs->prog[0] = (struct rt_event_prog){ &program->prog, 55, NULL };
	return progs;
}

static void test_system_calls(void)
{
	static struct program enter, raw, rawtp;
	struct rt_event_table *events = RT_CONTROL->events;
	struct rt_pt_regs regs = {
		.orig_ax = 257, .di = 1, .si = 2, .dx = 3, .r10 = 4, .r8 = 5, .r9 = 6, .ip = 0x1234
	};

	events->sys_enter[257] = attach(&enter, 8, 7);
	rt_event_sys_enter(vcpu, &regs);
	tap_ok((u32)seen[0] == 257 && seen[1] == 1 && seen[2] == 2 && seen[3] == 3 &&
		       seen[4] == 4 && seen[5] == 5 && seen[6] == 6,
	       "syscalls:sys_enter: number and six arguments");
	tap_is(seen[9], 1, "once");
	tap_is(vcpu->cookie, 55, "with the link's cookie");
	regs.orig_ax = 258;
	rt_event_sys_enter(vcpu, &regs);
	regs.orig_ax = 1UL << 40 | 257;
	rt_event_sys_enter(vcpu, &regs);
	tap_is(seen[9], 1, "not for another number, nor one out of range");
	regs.orig_ax = 257;
	events->sys_enter[257] = NULL;

	events->other[RT_EVENT_RAW_SYS_ENTER] = attach(&raw, 8, 7);
	rt_event_sys_enter(vcpu, &regs);
	tap_ok(seen[0] == 257 && seen[1] == 1 && seen[6] == 6, "raw_syscalls:sys_enter");
	events->other[RT_EVENT_RAW_SYS_ENTER] = NULL;

	events->other[RT_EVENT_RAWTP_SYS_ENTER] = attach(&rawtp, 0, 2);
	rt_event_sys_enter(vcpu, &regs);
	const struct rt_pt_regs *seen_regs = (const struct rt_pt_regs *)seen[0];

	tap_ok(seen[1] == 257 && seen_regs->di == 1 && seen_regs->ip == 0x1234 &&
		       (s64)seen_regs->ax == -ENOSYS,
	       "raw tracepoint sys_enter: registers as at the kernel's entry, number");
	events->other[RT_EVENT_RAWTP_SYS_ENTER] = NULL;

	regs.ax = (u64)-ENOENT;
	events->sys_exit[257] = attach(&enter, 8, 2);
	rt_event_sys_exit(vcpu, &regs);
	tap_ok((u32)seen[0] == 257 && (s64)seen[1] == -ENOENT && seen[9] == 1, "syscalls:sys_exit");
	events->sys_exit[257] = NULL;
	events->other[RT_EVENT_RAW_SYS_EXIT] = attach(&raw, 8, 2);
	rt_event_sys_exit(vcpu, &regs);
	tap_ok(seen[0] == 257 && (s64)seen[1] == -ENOENT && seen[9] == 1, "raw_syscalls:sys_exit");
	events->other[RT_EVENT_RAW_SYS_EXIT] = NULL;
	events->other[RT_EVENT_RAWTP_SYS_EXIT] = attach(&rawtp, 0, 2);
	rt_event_sys_exit(vcpu, &regs);
	seen_regs = (const struct rt_pt_regs *)seen[0];
	tap_ok((s64)seen[1] == -ENOENT && (s64)seen_regs->ax == -ENOENT && seen_regs->si == 2,
	       "raw tracepoint sys_exit: registers, result");
	events->other[RT_EVENT_RAWTP_SYS_EXIT] = NULL;
	memset(seen, 0, sizeof(seen));
	rt_event_sys_enter(vcpu, &regs);
	rt_event_sys_exit(vcpu, &regs);
	tap_is(seen[9], 0, "nobody listens");
}

/* A string of the context: offsets count from its start, of which the first word is not copied. */
static const char *string_at(u32 offset)
{
	return offset >= 8 && offset < 72 ? (const char *)seen + offset - 8 : "";
}

static void test_scheduler(void)
{
	static struct program program;
	struct rt_event_table *events = RT_CONTROL->events;

	events->other[RT_EVENT_SCHED_FORK] = attach(&program, 8, 8);
	rt_event_sched_fork(vcpu, "parent", 10, "a-child-16-chars", 11);
	const u32 *words = (const u32 *)seen;

	tap_ok(words[1] == 10 && words[3] == 11, "sched_process_fork: ids");
	tap_ok(words[0] >> 16 == 7 && !strcmp(string_at(words[0] & 0xffff), "parent"),
	       "the parent's name");
	tap_ok(words[2] >> 16 == 16 && !strcmp(string_at(words[2] & 0xffff), "a-child-16-char"),
	       "the child's name, at most 15 characters");
	events->other[RT_EVENT_SCHED_FORK] = NULL;

	events->other[RT_EVENT_SCHED_EXEC] = attach(&program, 8, 6);
	rt_event_sched_exec(vcpu, "/usr/bin/id", 12, 13);
	tap_ok(words[1] == 12 && words[2] == 13 && words[0] == (12 << 16 | 20) &&
		       !strcmp(string_at(20), "/usr/bin/id"),
	       "sched_process_exec");
	events->other[RT_EVENT_SCHED_EXEC] = NULL;

	events->other[RT_EVENT_SCHED_EXIT] = attach(&program, 8, 4);
	rt_event_sched_exit(vcpu, "sh", 14, 120, true);
	tap_ok(!strcmp((const char *)seen, "sh") && words[4] == 14 && words[5] == 120 &&
		       (seen[3] & 0xff) == 1,
	       "sched_process_exit");
	events->other[RT_EVENT_SCHED_EXIT] = NULL;
}

/* One past the last field, from tracefs: what the kernel compares a program's accesses with. */
static long kernel_size(const char *event)
{
	char path[128], line[256];
	long last = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/sys/kernel/tracing/events/%s/format", event);
	file = fopen(path, "re");
	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file)) {
		const char *offset = strstr(line, "offset:"), *size = strstr(line, "size:");

		if (offset && size)
			last = atol(offset + 7) + atol(size + 5);
	}
	fclose(file);
	return last;
}

static void test_sizes(void)
{
	static const struct {
		const char *name;
		enum rt_event_kind kind;
	} events[] = {
		{ "raw_syscalls/sys_enter", RT_EVENT_RAW_SYS_ENTER },
		{ "raw_syscalls/sys_exit", RT_EVENT_RAW_SYS_EXIT },
		{ "sched/sched_process_fork", RT_EVENT_SCHED_FORK },
		{ "sched/sched_process_exec", RT_EVENT_SCHED_EXEC },
		{ "sched/sched_process_exit", RT_EVENT_SCHED_EXIT },
	};

	if (kernel_size("syscalls/sys_enter_openat") < 0) {
		tap_skip(ARRAY_SIZE(events) + 3, "tracefs is not mounted or not readable");
		return;
	}
	for (u32 i = 0; i < ARRAY_SIZE(events); i++)
		tap_is(rt_event_context_size(events[i].kind), kernel_size(events[i].name),
		       events[i].name);
	tap_is(rt_event_sys_enter_size(4), kernel_size("syscalls/sys_enter_openat"),
	       "four arguments");
	tap_is(rt_event_sys_enter_size(0), kernel_size("syscalls/sys_enter_getpid"), "no argument");
	tap_is(RT_EVENT_SYS_EXIT_SIZE, kernel_size("syscalls/sys_exit_openat"), "an exit");
}

static void test_missed(void)
{
	static struct program program;
	struct rt_event_progs *progs = attach(&program, 8, 1);
	u64 *counter = arena_alloc(arena, ARENA_DATA, 8, 8);

	progs->prog[0].missed = counter;
	RT_CONTROL->events->sys_exit[1] = progs;
	rt_event_sys_missed(1, true);
	rt_event_sys_missed(1, false);
	rt_event_sys_missed(RT_SYSCALL_MAX, true);
	rt_event_missed(NULL);
	tap_is(*counter, 1, "a missed event is counted for who listens");
	RT_CONTROL->events->sys_exit[1] = NULL;
}

int main(void)
{
	const char *message = "";

	if (arena_new(NULL, &arena, &message))
		tap_bail("%s", message);
	vcpu = rt_vcpu_acquire((u32)gettid());
	make_prog_array();
	for (u32 engine = 0; engine < 2; engine++) {
		natively = engine != 0;
		tap_note("%s", natively ? "native code" : "the interpreter");
		test_tail_calls();
		test_callbacks();
		test_exceptions();
		test_refusals();
		test_probe_loads();
		test_statistics();
	}
	tap_ok(nr_refused < nr_compiled / 10, "%u programs compiled, %u refused", nr_compiled,
	       nr_refused);
	test_system_calls();
	test_scheduler();
	test_sizes();
	test_missed();
	rt_vcpu_release(vcpu);
	arena_free(arena);
	return tap_done();
}
