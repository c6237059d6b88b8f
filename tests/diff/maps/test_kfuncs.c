/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel functions of the running kernel and of the data plane: random strings through the string
 * functions, random sequences of operations on dynptrs over the same bytes, iterators over random
 * ranges and bit sets. Equal results and equal memory.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../unit/rt/map_env.h"
#include "btf/btf.h"
#include "harness/kernel_btf.h"
#include "harness/tap.h"
#include "kernel.h"
#include "rt/kfunc.h"

#define RESULTS 32
#define BYTES	128

struct memory {
	u64 result[RESULTS];
	char a[BYTES], b[BYTES];
	char source[BYTES]; /* what is read into dynptrs by address: reads overlap with nothing */
};

static struct btf *kernel_btf;
static int kernel_memory;
static struct memory *ours; /* in the arena */
static struct rt_vcpu *vcpu;

/* A program that grows by calls, each of which is made on our side at once. */
struct sequence {
	struct bpf_insn insns[1024];
	u32 nr, results;
	u64 stack[64]; /* what the program's stack is on our side; fp is behind its end */
};

static struct sequence sequence;

static void add(struct bpf_insn insn)
{
	if (sequence.nr == ARRAY_SIZE(sequence.insns))
		tap_bail("the sequence is too long");
	sequence.insns[sequence.nr++] = insn;
}

static u64 frame(s32 offset)
{
	return (u64)(sequence.stack + ARRAY_SIZE(sequence.stack)) + (u64)(s64)offset;
}

static s32 kfunc_id(u32 kfunc)
{
	s32 id = (s32)btf_find(kernel_btf, abi_kfunc_by_id(kfunc)->name, BTF_KIND_FUNC);

	if (!id)
		tap_bail("the kernel has no %s", abi_kfunc_by_id(kfunc)->name);
	return id;
}

/* An argument: a number, an address in memory, or a place on the stack. */
enum arg_kind { NUMBER, MEMORY, STACK };

struct arg {
	enum arg_kind kind;
	s64 value;
};

#define N(value_)  ((struct arg){ NUMBER, (value_) })
#define M(member)  ((struct arg){ MEMORY, offsetof(struct memory, member) })
#define S(offset_) ((struct arg){ STACK, (offset_) })

static u64 set_arg(u32 reg, struct arg arg)
{
	switch (arg.kind) {
	case MEMORY:
		add(LOAD64((u8)reg, BPF_PSEUDO_MAP_VALUE, kernel_memory));
		add(LOAD64_HIGH(arg.value));
		return (u64)ours + (u64)arg.value;
	case STACK:
		add(MOV_REG((u8)reg, 10));
		add(ADD_IMM((u8)reg, arg.value));
		return frame((s32)arg.value);
	default:
		add(LOAD64((u8)reg, 0, (u32)arg.value));
		add(LOAD64_HIGH((u64)arg.value >> 32));
		return (u64)arg.value;
	}
}

/* Stores R0 as the next result: a bool has 8 bits that mean something, an int 32. */
static void keep(u64 result, u32 bits)
{
	u32 at = sequence.results++;

	if (at >= RESULTS)
		tap_bail("too many results");
	if (bits < 64) {
		add(INSN(BPF_ALU64 | BPF_LSH | BPF_K, 0, 0, 0, 64 - bits));
		add(INSN(BPF_ALU64 | BPF_RSH | BPF_K, 0, 0, 0, 64 - bits));
	}
	add(LOAD64(1, BPF_PSEUDO_MAP_VALUE, kernel_memory));
	add(LOAD64_HIGH(at * 8));
	add(STORE(1, 0, 0));
	ours->result[at] = result << (64 - bits) >> (64 - bits);
}

static u64 call_kfunc(u32 kfunc, const struct arg *args, u32 nr)
{
	u64 value[5] = { 0 };

	for (u32 i = 0; i < nr; i++)
		value[i] = set_arg(i + 1, args[i]);
	add(INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_KFUNC_CALL, 0, kfunc_id(kfunc)));
	return rt_kfuncs[kfunc](value[0], value[1], value[2], value[3], value[4], vcpu);
}

static u64 call_helper(u32 helper, const struct arg *args, u32 nr)
{
	u64 value[5] = { 0 };

	for (u32 i = 0; i < nr; i++)
		value[i] = set_arg(i + 1, args[i]);
	add(CALL((s32)helper));
	return rt_helpers[helper](value[0], value[1], value[2], value[3], value[4], vcpu);
}

#define KFUNC(name, ...)                                                  \
	call_kfunc(ABI_KFUNC_##name, (const struct arg[]){ __VA_ARGS__ }, \
		   sizeof((const struct arg[]){ __VA_ARGS__ }) / sizeof(struct arg))
#define HELPER(name, ...)                                                 \
	call_helper(BPF_FUNC_##name, (const struct arg[]){ __VA_ARGS__ }, \
		    sizeof((const struct arg[]){ __VA_ARGS__ }) / sizeof(struct arg))

/* Both sides begin with the same memory. */
static void begin(u64 *seed)
{
	u32 key = 0;

	memset(&sequence, 0, sizeof(sequence));
	memset(ours->result, 0, sizeof(ours->result));
	for (u32 i = 0; i < BYTES; i++) {
		ours->a[i] = (char)(env_random(seed) % 24 ? 'a' + env_random(seed) % 3 : 0);
		ours->b[i] = (char)(env_random(seed) % 6 ? 'a' + env_random(seed) % 3 : 0);
	}
	if (!(env_random(seed) % 8))
		ours->a[env_random(seed) % BYTES] = (char)(env_random(seed));
	memcpy(ours->source, ours->a, BYTES);
	ours->a[BYTES - 1] = ours->b[BYTES - 1] = 0;
	if (kernel_update(kernel_memory, &key, ours, 0))
		tap_bail("the kernel's map cannot be set");
}

/* Runs the sequence in the kernel: is all memory what ours is? */
static bool agree(const char *what)
{
	static struct memory theirs;
	u32 key = 0, value;
	int prog;

	add(MOV_IMM(0, 0));
	add(EXIT());
	prog = kernel_prog(BPF_PROG_TYPE_SOCKET_FILTER, sequence.insns, sequence.nr);
	if (prog < 0)
		tap_bail("the kernel takes no program of %s: %d", what, prog);
	if (kernel_run(prog, &value) || kernel_lookup(kernel_memory, &key, &theirs, 0))
		tap_bail("the kernel does not run a program of %s", what);
	close(prog);
	for (u32 i = 0; i < RESULTS; i++)
		if (theirs.result[i] != ours->result[i])
			tap_note("%s: result %u: kernel %lld, ours %lld", what, i,
				 (long long)theirs.result[i], (long long)ours->result[i]);
	for (u32 i = 0; i < 2 * BYTES; i++)
		if (((char *)&theirs.a)[i] != ((char *)&ours->a)[i]) {
			tap_note("%s: byte %u: kernel %d, ours %d", what, i, ((char *)&theirs.a)[i],
				 ((char *)&ours->a)[i]);
			break;
		}
	return !memcmp(&theirs, ours, sizeof(theirs));
}

static void strings(u64 *seed)
{
	s64 count = (s64)(env_random(seed) % 24);
	char c = env_random(seed) % 4 ? (char)('a' + env_random(seed) % 3) : 0;

	keep(KFUNC(bpf_strcmp, M(a), M(b)), 32);
	keep(KFUNC(bpf_strcasecmp, M(a), M(b)), 32);
	keep(KFUNC(bpf_strcmp, M(a), M(a)), 32);
	keep(KFUNC(bpf_strnchr, M(a), N(count), N(c)), 32);
	keep(KFUNC(bpf_strchr, M(a), N(c)), 32);
	keep(KFUNC(bpf_strchrnul, M(a), N(c)), 32);
	keep(KFUNC(bpf_strrchr, M(a), N(c)), 32);
	keep(KFUNC(bpf_strnlen, M(a), N(count)), 32);
	keep(KFUNC(bpf_strlen, M(a)), 32);
	keep(KFUNC(bpf_strspn, M(a), M(b)), 32);
	keep(KFUNC(bpf_strcspn, M(a), M(b)), 32);
	keep(KFUNC(bpf_strstr, M(a), M(b)), 32);
	keep(KFUNC(bpf_strnstr, M(a), M(b), N(count)), 32);
	keep(KFUNC(bpf_strlen, N(0)), 32);
	keep(KFUNC(bpf_strcmp, M(a), N(0)), 32);
	keep(KFUNC(bpf_strstr, N(0), M(a)), 32);
}

static s64 somewhere(u64 *seed)
{
	static const s64 odd[] = { 0xffffff, 0x1000000, 0xffffffff, 0x7fffffff, BYTES, BYTES + 1 };

	return env_random(seed) % 6 ? (s64)(env_random(seed) % (BYTES / 2))
				    : odd[env_random(seed) % ARRAY_SIZE(odd)];
}

static struct arg one_of(u64 *seed)
{
	return env_random(seed) % 2 ? S(-16) : S(-32);
}

static void dynptr_operation(u64 *seed)
{
	struct arg it = one_of(seed);

	switch (env_random(seed) % 12) {
	case 0:
		keep(HELPER(dynptr_from_mem, M(b), N((s64)(env_random(seed) % (BYTES + 1))),
			    N(env_random(seed) % 8 == 0), it),
		     64);
		break;
	case 1:
		keep(KFUNC(bpf_dynptr_adjust, it, N(somewhere(seed)), N(somewhere(seed))), 32);
		break;
	case 2:
		keep(HELPER(dynptr_read, M(a), N((s64)(env_random(seed) % 33)), it,
			    N(somewhere(seed)), N(env_random(seed) % 8 == 0)),
		     64);
		break;
	case 3:
		keep(HELPER(dynptr_write, it, N(somewhere(seed)), M(a),
			    N((s64)(env_random(seed) % 33)), N(env_random(seed) % 8 == 0)),
		     64);
		break;
	case 4:
		keep(KFUNC(bpf_dynptr_copy, it, N(somewhere(seed)), one_of(seed),
			   N(somewhere(seed)), N(somewhere(seed))),
		     32);
		break;
	case 5:
		keep(KFUNC(bpf_dynptr_memset, it, N(somewhere(seed)), N(somewhere(seed)), N(0x41)),
		     32);
		break;
	case 6: keep(KFUNC(bpf_dynptr_clone, S(-16), S(-32)), 32); break;
	case 7: keep(KFUNC(bpf_dynptr_is_null, it), 8); break;
	case 8: keep(KFUNC(bpf_dynptr_is_rdonly, it), 8); break;
	case 9:
		keep(KFUNC(bpf_probe_read_kernel_dynptr, it, N(somewhere(seed)),
			   N((s64)(env_random(seed) % 33)), M(source)),
		     32);
		break;
	case 10:
		keep(KFUNC(bpf_probe_read_kernel_str_dynptr, it, N(somewhere(seed)),
			   N((s64)(env_random(seed) % 33)), M(source)),
		     32);
		break;
	default: keep(KFUNC(bpf_dynptr_size, it), 32);
	}
}

static void dynptrs(u64 *seed)
{
	keep(HELPER(dynptr_from_mem, M(b), N(BYTES), N(0), S(-16)), 64);
	keep(HELPER(dynptr_from_mem, M(a), N(BYTES / 2), N(0), S(-32)), 64);
	for (u32 i = 0; i < 20; i++)
		dynptr_operation(seed);
}

/* Adds up what next gives: R6 and ours. */
static void walk(u32 next, s64 offset, u32 times)
{
	u64 sum = 0;

	add(MOV_IMM(6, 0));
	for (u32 i = 0; i < times; i++) {
		u64 element = call_kfunc(next, &S(offset), 1);

		add(INSN(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 3, 0));
		add(INSN(BPF_LDX | BPF_MEM | BPF_W, 0, 0, 0, 0));
		add(INSN(BPF_ALU64 | BPF_ADD | BPF_X, 6, 0, 0, 0));
		add(ADD_IMM(6, 1));
		if (element)
			sum += *(u32 *)element + 1ULL;
	}
	add(MOV_REG(0, 6));
	keep(sum, 64);
}

static void iterators(u64 *seed)
{
	static const s32 ends[] = { 0, 1, 3, -1, -5, INT32_MIN, INT32_MAX, 1 << 23, (1 << 23) + 1 };
	s32 start = ends[env_random(seed) % ARRAY_SIZE(ends)];
	s32 end = ends[env_random(seed) % ARRAY_SIZE(ends)];
	static const u32 words[] = { 0, 1, 2, 3, 16, 511, 512, 0x20000000 };
	u32 nr = words[env_random(seed) % 5];

	keep(KFUNC(bpf_iter_num_new, S(-8), N(start), N(end)), 32);
	walk(ABI_KFUNC_bpf_iter_num_next, -8, 5);
	KFUNC(bpf_iter_num_destroy, S(-8));
	if (!(env_random(seed) % 4))
		nr = words[env_random(seed) % ARRAY_SIZE(words)];
	/* Long sets end behind memory: only that they are refused is compared. */
	if (nr > 16 && nr < 512)
		nr = 512;
	keep(KFUNC(bpf_iter_bits_new, S(-32), M(a), N(nr)), 32);
	walk(ABI_KFUNC_bpf_iter_bits_next, -32, 7);
	KFUNC(bpf_iter_bits_destroy, S(-32));
}

static void compare(const char *what, void (*make)(u64 *seed), u32 times)
{
	u64 seed = 1;
	u32 differ = 0;

	for (u32 i = 0; i < times && differ < 3; i++) {
		begin(&seed);
		make(&seed);
		differ += !agree(what);
	}
	tap_ok(!differ, "%s: %u sequences as the kernel", what, times);
	tap_ok(!vcpu->bits_used, "%s: nothing is kept", what);
}

int main(void)
{
	struct arena *arena;
	struct rt_map *map;

	kernel_btf = kernel_btf_read();
	if (!tap_kernel_bpf() || !kernel_btf) {
		tap_skip(1, "the kernel's bpf(2) or BTF is not to be had");
		return tap_done();
	}
	arena = env_new(1);
	vcpu = env_vcpu();
	map = env_map(arena, BPF_MAP_TYPE_ARRAY, 4, sizeof(struct memory), 1, 0);
	ours = (struct memory *)map->data;
	kernel_memory = kernel_map(BPF_MAP_TYPE_ARRAY, 4, sizeof(struct memory), 1, 0);
	compare("strings", strings, 300);
	compare("dynptrs", dynptrs, 600);
	compare("iterators", iterators, 200);
	close(kernel_memory);
	env_map_free(arena, map);
	rt_vcpu_release(vcpu);
	arena_free(arena);
	btf_free(kernel_btf);
	return tap_done();
}
