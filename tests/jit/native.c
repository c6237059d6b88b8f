/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Native code as clients and the hive see it: what info tells of it, who gets none, where it goes
 * when its program ends, and that a hive whose text segment is full interprets.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "arena/arena.h"
#include "base/alloc.h"
#include "harness/tap.h"
#include "rt/native.h"
#include "rt/prog.h"
#include "sys/hive.h"
#include "unit/sys/world.h"

#define TEXT_PIECE (64u << 10)
#define PIECES_MAX 2048

static const struct bpf_insn insns[] = {
	{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 1, .imm = 40 },
	{ .code = BPF_JMP | BPF_CALL, .src_reg = BPF_PSEUDO_CALL, .imm = 1 },
	{ .code = BPF_JMP | BPF_EXIT },
	{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 0, .src_reg = 1 },
	{ .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = 0, .imm = 2 },
	{ .code = BPF_JMP | BPF_EXIT },
};

static int load(struct world *world)
{
	int fd = world_prog(world, BPF_PROG_TYPE_SOCKET_FILTER, insns, ARRAY_SIZE(insns));

	if (fd < 0)
		tap_bail("a program is not accepted: %d", fd);
	return fd;
}

static const struct rt_prog *prog_of(struct world *world, int fd)
{
	return sys_prog_rt(sys_prog_of(world_object(world, fd)));
}

static u32 run(struct world *world, int fd)
{
	u8 packet[64] = { 0 };
	union abi_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.test.prog_fd = (u32)fd;
	attr.test.data_in = (u64)(uintptr_t)packet;
	attr.test.data_size_in = sizeof(packet);
	return world_call(world, BPF_PROG_TEST_RUN, &attr) ? 0 : attr.test.retval;
}

static long ask(struct world *world, int fd, struct bpf_prog_info *info)
{
	union abi_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.info.bpf_fd = (u32)fd;
	attr.info.info = (u64)(uintptr_t)info;
	attr.info.info_len = sizeof(*info);
	return world_call(world, BPF_OBJ_GET_INFO_BY_FD, &attr);
}

static void test_info(struct world *world)
{
	int fd = load(world);
	const struct rt_native *native = prog_of(world, fd)->native;
	struct bpf_prog_info info = { 0 };
	u32 lengths[2] = { 0 };
	u8 code[1024] = { 0 };

	tap_is(run(world, fd), 42, "a program with a function runs");
	if (!native)
		tap_bail("it has no native code");
	tap_is(ask(world, fd, &info), 0, "its info");
	tap_ok(info.jited_prog_len == native->size && info.nr_jited_func_lens == 2 &&
		       info.nr_jited_ksyms == 2,
	       "how much code there is, of two functions");
	info = (struct bpf_prog_info){ .jited_prog_len = sizeof(code),
				       .jited_prog_insns = (u64)(uintptr_t)code,
				       .nr_jited_func_lens = 2,
				       .jited_func_lens = (u64)(uintptr_t)lengths };
	tap_is(ask(world, fd, &info), 0, "with room for it");
	tap_ok(!memcmp(code, native->text, native->size) && !code[native->size],
	       "the code itself, and no more");
	tap_ok(lengths[0] && lengths[1] && lengths[0] + lengths[1] == native->size,
	       "the functions are all of it");
	memset(code, 0, sizeof(code));
	info = (struct bpf_prog_info){ .jited_prog_len = 7,
				       .jited_prog_insns = (u64)(uintptr_t)code };
	tap_is(ask(world, fd, &info), 0, "with room for seven bytes");
	tap_ok(!memcmp(code, native->text, 7) && !code[7] && info.jited_prog_len == native->size,
	       "seven are given, and the length is told");
	world_client(world)->privileged = false;
	info = (struct bpf_prog_info){ 0 };
	tap_ok(ask(world, fd, &info) == 0 && !info.jited_prog_len && !info.nr_jited_func_lens,
	       "who may not see it is told nothing");
	world_client(world)->privileged = true;
	world->close(world, fd);
}

static void test_wish(struct world *world)
{
	struct sys_hive *hive = world_hive(world);
	struct bpf_prog_info info = { 0 };
	int fd;

	hive->options.interpret = true;
	fd = load(world);
	hive->options.interpret = false;
	tap_ok(!prog_of(world, fd)->native && run(world, fd) == 42, "interpreted on request");
	tap_ok(ask(world, fd, &info) == 0 && !info.jited_prog_len, "its info says so");
	world->close(world, fd);
}

static void test_full(struct world *world)
{
	struct sys_hive *hive = world_hive(world);
	struct arena *arena = hive->options.arena;
	static void *pieces[PIECES_MAX];
	u32 nr = 0;
	const u8 *text;
	int fd;

	while (nr < PIECES_MAX && (pieces[nr] = arena_alloc(arena, ARENA_TEXT, TEXT_PIECE, 4096)))
		nr++;
	while (arena_alloc(arena, ARENA_TEXT, 4096, 4096))
		;
	while (arena_alloc(arena, ARENA_TEXT, 64, 64))
		;
	world_last_message(world);
	fd = load(world);
	tap_ok(!prog_of(world, fd)->native && run(world, fd) == 42,
	       "a full text segment: programs are interpreted");
	tap_ok(strstr(world_last_message(world), "is interpreted: no room for its native code"),
	       "and somebody is told");
	world->close(world, fd);
	if (nr)
		arena_release(arena, ARENA_TEXT, pieces[0], TEXT_PIECE);
	fd = load(world);
	tap_ok(prog_of(world, fd)->native != NULL, "when there is room again, they are compiled");
	text = prog_of(world, fd)->native->text;
	world->close(world, fd);
	for (u32 i = 0; i < 100; i++)
		sys_hive_reap(hive);
	fd = load(world);
	tap_ok(prog_of(world, fd)->native && prog_of(world, fd)->native->text == text,
	       "the room of a program that has ended is used again");
	world->close(world, fd);
}

/* Each allocation of a load failed once: the load fails, or the program runs by either engine. */
static void test_no_memory(struct world *world)
{
	u32 rounds = 0, interpreted = 0, failed = 0, wrong = 0;
	bool fired = true;

	for (long skip = 0; fired; skip++, rounds++) {
		int fd;

		base_alloc_fail_after(skip);
		fd = world_prog(world, BPF_PROG_TYPE_SOCKET_FILTER, insns, ARRAY_SIZE(insns));
		fired = base_alloc_fail_after(-1);
		if (fd < 0) {
			failed++;
			wrong += fd != -ENOMEM;
			continue;
		}
		interpreted += !prog_of(world, fd)->native;
		wrong += run(world, fd) != 42;
		world->close(world, fd);
	}
	tap_ok(!wrong && failed && interpreted > 2,
	       "%u allocations failed, one a round: %u loads failed, %u programs are interpreted",
	       rounds - 1, failed, interpreted);
}

int main(void)
{
	struct world *world = world_skep();

	test_info(world);
	test_wish(world);
	test_no_memory(world);
	test_full(world);
	tap_is(world_skep_free(world), 0, "no object is left");
	return tap_done();
}
