/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stacks that the running kernel has collected, kept by the data plane: the same numbers, the same
 * errors when two stacks meet in one bucket, the same bytes in return. The kernel's stacks are this
 * program's, made by recursion, so it is compiled with frame pointers.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "../../unit/rt/map_env.h"
#include "harness/tap.h"
#include "kernel.h"
#include "rt/stack.h"

#define DEPTH  40
#define ROUNDS 300

struct pair {
	int prog, kernel, whole_prog, whole;
	struct rt_map *map;
	struct rt_vcpu *vcpu;
};

/* r0 = bpf_get_stackid(ctx, map, flags) */
static int stack_prog(int map, u32 flags)
{
	const struct bpf_insn insns[] = {
		LOAD64(2, BPF_PSEUDO_MAP_FD, map), LOAD64_HIGH(0), MOV_IMM(3, flags),
		CALL(BPF_FUNC_get_stackid),	   EXIT(),
	};

	return kernel_prog(BPF_PROG_TYPE_RAW_TRACEPOINT, insns, ARRAY_SIZE(insns));
}

static long run_raw(int prog)
{
	union bpf_attr attr = { .test.prog_fd = (u32)prog };
	long result = kernel_bpf(BPF_PROG_TEST_RUN, &attr);

	return result ? result : (s32)attr.test.retval;
}

/* Both programs from one call, which must stay one, so that they see one stack. */
static void __attribute__((noinline)) run_both(const int progs[2], long results[2])
{
	volatile u32 nr = 2;

	for (u32 i = 0; i < nr; i++)
		results[i] = run_raw(progs[i]);
}

static void __attribute__((noinline)) run_at(u32 depth, const int progs[2], long results[2])
{
	if (depth)
		run_at(depth - 1, progs, results);
	else
		run_both(progs, results);
	__asm__ volatile("" ::: "memory"); /* no tail call */
}

static u32 length_of(const u64 *ips)
{
	u32 nr = 0;

	while (nr < DEPTH && ips[nr])
		nr++;
	return nr;
}

static bool same_values(const struct pair *pair)
{
	u64 theirs[DEPTH], ours[DEPTH];

	for (u32 id = 0; id < 16; id++) {
		long kernel = kernel_lookup(pair->kernel, &id, theirs, 0);
		long skep = rt_map_copy_out(pair->map, &id, ours, 0, pair->vcpu);

		if (kernel != skep || (!kernel && memcmp(theirs, ours, sizeof(ours)) != 0)) {
			tap_note("stack %u: kernel %ld, ours %ld", id, kernel, skep);
			return false;
		}
	}
	return true;
}

/* One stack, collected by the kernel twice: into a map where it finds room, and into the small one.
 */
static bool store_one(const struct pair *pair, u32 depth, u64 flags)
{
	const int progs[2] = { pair->whole_prog, pair->prog };
	u64 ips[DEPTH];
	long results[2], ours;
	u32 id;

	run_at(depth, progs, results);
	id = (u32)results[0];
	if (results[0] < 0 || kernel_lookup(pair->whole, &id, ips, 0))
		return false;
	kernel_delete(pair->whole, &id);
	ours = rt_stack_store(pair->map, ips, length_of(ips), flags, pair->vcpu);
	if (ours != results[1])
		tap_note("depth %u: kernel %ld, ours %ld", depth, results[1], ours);
	return ours == results[1];
}

static bool delete_one(const struct pair *pair, u32 id)
{
	long kernel = kernel_delete(pair->kernel, &id);
	long ours = rt_map_delete_elem(pair->map, &id, pair->vcpu);

	if (kernel != ours)
		tap_note("delete %u: kernel %ld, ours %ld", id, kernel, ours);
	return kernel == ours;
}

static bool walk_one(const struct pair *pair, const u32 *key)
{
	u32 a = 99, b = 99;
	long kernel = kernel_next_key(pair->kernel, key, &a);
	long ours = rt_map_get_next_key(pair->map, key, &b, pair->vcpu);

	return kernel == ours && a == b;
}

static void compare(struct arena *arena, u32 max_entries, u64 flags)
{
	struct pair pair = {
		.kernel = kernel_map(BPF_MAP_TYPE_STACK_TRACE, 4, 8 * DEPTH, max_entries, 0),
		.whole = kernel_map(BPF_MAP_TYPE_STACK_TRACE, 4, 8 * DEPTH, 1024, 0),
		.map = env_map(arena, BPF_MAP_TYPE_STACK_TRACE, 4, 8 * DEPTH, max_entries, 0),
	};
	u64 seed = max_entries;
	bool same = true;

	pair.vcpu = env_vcpu();
	pair.prog = stack_prog(pair.kernel, (u32)flags | BPF_F_USER_STACK);
	pair.whole_prog = stack_prog(pair.whole, BPF_F_USER_STACK | BPF_F_REUSE_STACKID);
	same = pair.prog >= 0 && pair.whole_prog >= 0;
	for (u32 i = 0; i < ROUNDS && same; i++) {
		u64 r = env_random(&seed);
		u32 key = (u32)(r >> 32) % 20;

		if (r % 3)
			same = store_one(&pair, (u32)(r >> 8) % 30, flags);
		else
			same = delete_one(&pair, key) && walk_one(&pair, r & 64 ? &key : NULL);
		same = same && same_values(&pair);
	}
	tap_ok(same, "%u stacks, flags %llx: as the kernel", max_entries,
	       (unsigned long long)flags);
	close(pair.prog);
	close(pair.whole_prog);
	close(pair.kernel);
	close(pair.whole);
	rt_vcpu_release(pair.vcpu);
	env_map_free(arena, pair.map);
}

int main(void)
{
	struct arena *arena;

	if (!tap_kernel_bpf()) {
		tap_skip(5, "the kernel's bpf(2) is not to be had");
		return tap_done();
	}
	arena = env_new(4);
	compare(arena, 16, 0);
	compare(arena, 16, BPF_F_REUSE_STACKID);
	compare(arena, 3, 0);
	compare(arena, 3, BPF_F_REUSE_STACKID | BPF_F_FAST_STACK_CMP);
	compare(arena, 1, 0);
	arena_free(arena);
	return tap_done();
}
