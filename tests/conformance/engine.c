/* SPDX-License-Identifier: BSD-2-Clause */
/* See engine.h. The kernel's side is plain bpf(2), ours what src/sys would make of a verified
 * program. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "abi/context.h"
#include "arena/arena.h"
#include "conformance/engine.h"
#include "harness/native.h"
#include "harness/tap.h"
#include "isa/opcode.h"
#include "rt/native.h"
#include "rt/prog.h"
#include "rt/vcpu.h"

#define VALUE_SIZE (ENGINE_MEMORY + 8) /* memory, then R0 */
#define CODE_MAX   (ENGINE_INSNS_MAX + 8)
#define ETH_HLEN   14

typedef u64 (*run_fn)(const struct rt_prog *, const void *, struct rt_vcpu *);

static struct arena *arena;
static run_fn image_run, image_run_native;
static int kernel_map = -1;

/* A program as it is handed to an engine: wrapped if it has no packet. */
struct code {
	struct bpf_insn insns[CODE_MAX];
	u32 nr;
};

static int bpf(int cmd, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

void engine_start(void)
{
	const char *message = "";
	u64 address;

	if (arena_new(NULL, &arena, &message))
		tap_bail("cannot make an arena: %s", message);
	address = arena_image_symbol(arena, "rt_interp_run");
	if (!address)
		tap_bail("the image has no rt_interp_run");
	memcpy(&image_run, &address, sizeof(image_run));
	address = arena_image_symbol(arena, "rt_native_run");
	if (!address)
		tap_bail("the image has no rt_native_run");
	memcpy(&image_run_native, &address, sizeof(image_run_native));

	if (tap_kernel_bpf()) {
		union bpf_attr attr = { .map_type = BPF_MAP_TYPE_ARRAY,
					.key_size = 4,
					.value_size = VALUE_SIZE,
					.max_entries = 1 };

		kernel_map = bpf(BPF_MAP_CREATE, &attr);
		if (kernel_map < 0)
			tap_bail("cannot create a map in the kernel: %s", strerror(errno));
	}
}

void engine_stop(void)
{
	arena = arena_free(arena);
	if (kernel_map >= 0)
		close(kernel_map);
}

const char *engine_name(enum engine engine)
{
	static const char *const names[] = { "kernel", "interpreter", "interpreter in the image",
					     "native code", "native code without BMI2" };

	return names[engine];
}

bool engine_available(enum engine engine)
{
	return engine != ENGINE_KERNEL || kernel_map >= 0;
}

static void make_code(const struct engine_input *input, struct code *code)
{
	const struct bpf_insn wrapper[] = {
		{ .code = BPF_JMP | BPF_CALL, .src_reg = BPF_PSEUDO_CALL, .imm = 5 },
		{ .code = BPF_LD | BPF_IMM | BPF_DW,
		  .dst_reg = 1,
		  .src_reg = BPF_PSEUDO_MAP_VALUE },
		{ .imm = ENGINE_MEMORY },
		{ .code = BPF_STX | BPF_MEM | BPF_DW, .dst_reg = 1, .src_reg = 0 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	code->nr = 0;
	if (!input->packet_size) {
		memcpy(code->insns, wrapper, sizeof(wrapper));
		code->nr = ARRAY_SIZE(wrapper);
	}
	memcpy(code->insns + code->nr, input->insns, input->nr_insns * sizeof(*input->insns));
	code->nr += input->nr_insns;
}

static bool is_ld_imm64(const struct bpf_insn *insn)
{
	return insn->code == (BPF_LD | BPF_IMM | BPF_DW);
}

static bool run_kernel(const struct engine_input *input, struct engine_result *result, char *log,
		       u32 log_size)
{
	struct code code;
	u8 value[VALUE_SIZE] = { 0 }, packet[ENGINE_PACKET_MAX] = { 0 };
	u32 key = 0;
	bool done = false;
	int fd;

	make_code(input, &code);
	for (u32 i = 0; i < code.nr; i++) {
		if (!is_ld_imm64(&code.insns[i]))
			continue;
		if (code.insns[i].src_reg == BPF_PSEUDO_MAP_VALUE)
			code.insns[i].imm = kernel_map;
		i++;
	}

	union bpf_attr load = { .prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
				.insns = (u64)code.insns,
				.insn_cnt = code.nr,
				.license = (u64) "GPL",
				.log_buf = log_size ? (u64)log : 0,
				.log_size = log_size,
				.log_level = log_size ? 1 : 0 };

	fd = bpf(BPF_PROG_LOAD, &load);
	if (fd < 0 && errno == ENOSPC) {
		/* The log did not fit, which says nothing about the program. */
		load.log_level = load.log_size = 0;
		load.log_buf = 0;
		fd = bpf(BPF_PROG_LOAD, &load);
	}
	if (fd < 0)
		return false;

	memcpy(value, input->memory, ENGINE_MEMORY);
	union bpf_attr element = { .map_fd = (u32)kernel_map,
				   .key = (u64)&key,
				   .value = (u64)value };
	u32 packet_size = input->packet_size ? input->packet_size + ETH_HLEN : 64;

	memcpy(packet + ETH_HLEN, input->packet, input->packet_size);
	union bpf_attr test = {
		.test = { .prog_fd = (u32)fd, .data_in = (u64)packet, .data_size_in = packet_size }
	};

	if (bpf(BPF_MAP_UPDATE_ELEM, &element) == 0 && bpf(BPF_PROG_TEST_RUN, &test) == 0 &&
	    bpf(BPF_MAP_LOOKUP_ELEM, &element) == 0) {
		memcpy(result->memory, value, ENGINE_MEMORY);
		memcpy(&result->r0, value + ENGINE_MEMORY, sizeof(result->r0));
		if (input->packet_size)
			result->r0 = test.test.retval;
		done = true;
	} else {
		snprintf(log, log_size, "running it failed: %s", strerror(errno));
	}
	close(fd);
	return done;
}

/* What the verifier does with ld_imm64 of a map's value. */
static void fix_addresses(struct code *code, u8 *memory)
{
	for (u32 i = 0; i < code->nr; i++) {
		struct bpf_insn *insn = &code->insns[i];

		if (!is_ld_imm64(insn))
			continue;
		if (insn->src_reg == BPF_PSEUDO_MAP_VALUE) {
			u64 address = (u64)memory + (u32)insn[1].imm;

			insn->src_reg = 0;
			insn[0].imm = (s32)(u32)address;
			insn[1].imm = (s32)(u32)(address >> 32);
		}
		i++;
	}
}

static u64 run_native(const struct rt_prog *prog, const void *ctx, bool plain, struct rt_vcpu *vcpu)
{
	struct rt_prog *compiled = native_prog_new(arena, prog);
	const char *refusal = "the arena is full";
	u64 r0;

	if (compiled)
		refusal = native_prog_compile(arena, compiled, NULL, 0, plain);
	if (refusal)
		tap_bail("a program is not compiled: %s", refusal);
	r0 = (plain ? image_run_native : rt_native_run)(compiled, ctx, vcpu);
	native_prog_free(arena, compiled);
	return r0;
}

static bool run_ours(enum engine engine, const struct engine_input *input,
		     struct engine_result *result)
{
	static u8 value[VALUE_SIZE] __attribute__((aligned(16)));
	u8 packet[ENGINE_PACKET_MAX];
	struct code code;
	const struct rt_subprog subprog = { 0, RT_BPF_STACK_SIZE };
	struct abi_rt_skb skb = { .data = (u64)packet,
				  .data_end = (u64)packet + input->packet_size,
				  .len = input->packet_size };
	struct rt_vcpu *vcpu = rt_vcpu_acquire((u32)gettid());
	u64 r0;

	if (!vcpu)
		tap_bail("no vCPU is free");
	make_code(input, &code);
	memcpy(packet, input->packet, sizeof(packet));
	memset(value, 0, sizeof(value));
	memcpy(value, input->memory, ENGINE_MEMORY);
	fix_addresses(&code, value);

	const struct rt_prog prog = { .type = BPF_PROG_TYPE_SOCKET_FILTER,
				      .nr_insns = code.nr,
				      .nr_subprogs = 1,
				      .insns = code.insns,
				      .subprogs = &subprog };

	if (engine == ENGINE_HOSTED || engine == ENGINE_IMAGE)
		r0 = (engine == ENGINE_IMAGE ? image_run : rt_interp_run)(&prog, &skb, vcpu);
	else
		r0 = run_native(&prog, &skb, engine == ENGINE_NATIVE_PLAIN, vcpu);
	rt_vcpu_release(vcpu);
	memcpy(result->memory, value, ENGINE_MEMORY);
	memcpy(&result->r0, value + ENGINE_MEMORY, sizeof(result->r0));
	if (input->packet_size)
		result->r0 = (u32)r0;
	return true;
}

bool engine_run(enum engine engine, const struct engine_input *input,
		struct engine_result *ret_result, char *log, u32 log_size)
{
	if (log_size)
		log[0] = 0;
	if (engine == ENGINE_KERNEL)
		return run_kernel(input, ret_result, log, log_size);
	return run_ours(engine, input, ret_result);
}
