/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf_strtol(), bpf_strtoul() and bpf_strncmp() of the running kernel and of the data plane on the
 * same random texts: equal results and numbers.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../unit/rt/map_env.h"
#include "harness/tap.h"
#include "kernel.h"
#include "rt/helper.h"

#define TEXT_SIZE 128
#define TEXTS	  250

struct memory {
	s64 result, number;
	char text[TEXT_SIZE];
};

/* memory.result = helper(memory.text, size, flags, &memory.number) */
static int number_prog(int map, u32 helper, u32 size, u32 flags)
{
	struct bpf_insn insns[] = {
		LOAD64(1, BPF_PSEUDO_MAP_VALUE, map),
		LOAD64_HIGH(offsetof(struct memory, text)),
		MOV_IMM(2, size),
		MOV_IMM(3, flags),
		LOAD64(4, BPF_PSEUDO_MAP_VALUE, map),
		LOAD64_HIGH(offsetof(struct memory, number)),
		CALL((s32)helper),
		LOAD64(1, BPF_PSEUDO_MAP_VALUE, map),
		LOAD64_HIGH(0),
		STORE(1, 0, 0),
		MOV_IMM(0, 0),
		EXIT(),
	};

	return kernel_prog(BPF_PROG_TYPE_SOCKET_FILTER, insns, ARRAY_SIZE(insns));
}

/* memory.result = bpf_strncmp(memory.text, size, constant) */
static int compare_prog(int map, u32 size, int constant)
{
	struct bpf_insn insns[] = {
		LOAD64(1, BPF_PSEUDO_MAP_VALUE, map),
		LOAD64_HIGH(offsetof(struct memory, text)),
		MOV_IMM(2, size),
		LOAD64(3, BPF_PSEUDO_MAP_VALUE, constant),
		LOAD64_HIGH(0),
		CALL(BPF_FUNC_strncmp),
		LOAD64(1, BPF_PSEUDO_MAP_VALUE, map),
		LOAD64_HIGH(0),
		STORE(1, 0, 0),
		MOV_IMM(0, 0),
		EXIT(),
	};

	return kernel_prog(BPF_PROG_TYPE_SOCKET_FILTER, insns, ARRAY_SIZE(insns));
}

/* Runs prog on memory, which then holds what the program left. */
static void run(int prog, int map, struct memory *memory)
{
	u32 key = 0, value;

	if (kernel_update(map, &key, memory, 0) || kernel_run(prog, &value) ||
	    kernel_lookup(map, &key, memory, 0))
		tap_bail("the kernel does not run the program");
}

static void random_text(u64 *seed, char *text)
{
	static const char *const parts[] = { " ",
					     "-",
					     "0",
					     "0x",
					     "0X",
					     "1",
					     "7",
					     "8",
					     "9",
					     "f",
					     "a",
					     "g",
					     "\t",
					     "99999999",
					     "18446744073709551615",
					     "9223372036854775807",
					     "9223372036854775808",
					     "777777777777777777777",
					     "ffffffff",
					     "x",
					     "\n",
					     "_" };

	memset(text, 0, TEXT_SIZE);
	for (u64 n = 1 + env_random(seed) % 6; n; n--)
		strcat(text, parts[env_random(seed) % ARRAY_SIZE(parts)]);
}

static void test_numbers(struct rt_vcpu *vcpu, int map, u32 helper, const char *name)
{
	static const u32 sizes[] = { 0, 1, 2, 5, 20, 30, 70 }, bases[] = { 0, 8, 10, 16, 2, 32 };
	u64 seed = helper;
	u32 differ = 0, numbers = 0;

	for (u32 i = 0; i < ARRAY_SIZE(sizes) * ARRAY_SIZE(bases); i++) {
		u32 size = sizes[i % ARRAY_SIZE(sizes)], base = bases[i / ARRAY_SIZE(sizes)];
		int prog = number_prog(map, helper, size, base);

		/* The kernel's verifier wants at least a byte. */
		for (u32 j = 0; prog >= 0 && j < TEXTS && differ < 10; j++) {
			struct memory kernel = { .number = 1 }, ours = { .number = 1 };

			random_text(&seed, kernel.text);
			memcpy(ours.text, kernel.text, TEXT_SIZE);
			run(prog, map, &kernel);
			ours.result = (s64)rt_helpers[helper]((u64)ours.text, size, base,
							      (u64)&ours.number, 0, vcpu);
			numbers += kernel.result > 0;
			if (kernel.result == ours.result && kernel.number == ours.number)
				continue;
			tap_note("'%s' (%u, %u): kernel %lld %lld, ours %lld %lld", kernel.text,
				 size, base, (long long)kernel.result, (long long)kernel.number,
				 (long long)ours.result, (long long)ours.number);
			differ++;
		}
		if (prog >= 0)
			close(prog);
	}
	tap_ok(!differ && numbers > 1000, "%s as the kernel, %u numbers", name, numbers);
}

static void test_compare(struct rt_vcpu *vcpu, int map)
{
	static const char constant[16] = "abc\x80";
	int fixed = kernel_map(BPF_MAP_TYPE_ARRAY, 4, sizeof(constant), 1, BPF_F_RDONLY_PROG);
	union bpf_attr attr;
	u32 key = 0, differ = 0;
	u64 seed = 1;

	kernel_update(fixed, &key, constant, 0);
	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (u32)fixed;
	kernel_bpf(BPF_MAP_FREEZE, &attr);
	for (u32 size = 1; size < 9; size++) {
		int prog = compare_prog(map, size, fixed);

		if (prog < 0)
			tap_bail("strncmp: %d", prog);
		for (u32 i = 0; i < 200; i++) {
			struct memory kernel = { 0 };
			s64 ours;

			memcpy(kernel.text, constant, 5);
			if (i % 4)
				kernel.text[i % 7] = (char)env_random(&seed);
			ours = (s64)rt_helpers[BPF_FUNC_strncmp]((u64)kernel.text, size,
								 (u64)constant, 0, 0, vcpu);
			run(prog, map, &kernel);
			differ += kernel.result != ours;
		}
		close(prog);
	}
	close(fixed);
	tap_is(differ, 0, "strncmp as the kernel");
}

int main(void)
{
	struct arena *arena;
	struct rt_vcpu *vcpu;
	int map;

	if (!tap_kernel_bpf()) {
		tap_skip(1, "the kernel's bpf(2) is not to be had");
		return tap_done();
	}
	arena = env_new(1);
	vcpu = env_vcpu();
	map = kernel_map(BPF_MAP_TYPE_ARRAY, 4, sizeof(struct memory), 1, 0);
	test_numbers(vcpu, map, BPF_FUNC_strtol, "strtol");
	test_numbers(vcpu, map, BPF_FUNC_strtoul, "strtoul");
	test_compare(vcpu, map);
	close(map);
	rt_vcpu_release(vcpu);
	arena_free(arena);
	return tap_done();
}
