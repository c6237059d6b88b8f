/* SPDX-License-Identifier: BSD-2-Clause */
/* See scenario.h: programs of type syscall, which call bpf(2) for the client that runs them. */
#include "scenario.h"

#include <errno.h>
#include <linux/btf.h>
#include <string.h>

#include "abi/bpf_new.h"

#define STORE(to, from, off)   INSN(BPF_STX | BPF_MEM | BPF_DW, to, from, off, 0)
#define STORE_W(to, from, off) INSN(BPF_STX | BPF_MEM | BPF_W, to, from, off, 0)

/* What the programs get, and give back. */
struct context {
	u64 cmd, fd, flags;
	s64 result;
};

static long load(struct world *world, const struct bpf_insn *insns, u32 nr, u32 type, u32 flags,
		 u32 attach)
{
	union abi_attr attr = world_prog_attr(type, insns, nr);

	attr.load.prog_flags = flags;
	attr.load.expected_attach_type = attach;
	return world_call(world, BPF_PROG_LOAD, &attr);
}

static int load_good(struct world *world, const struct bpf_insn *insns, u32 nr, const char *name)
{
	long fd = load(world, insns, nr, BPF_PROG_TYPE_SYSCALL, BPF_F_SLEEPABLE, 0);

	expect(world, fd, FD, name);
	return (int)fd;
}

static long run(struct world *world, int prog, void *ctx, u32 size, u32 *ret_value)
{
	union abi_attr attr = { 0 };
	long result;

	attr.test.prog_fd = (u32)prog;
	attr.test.ctx_in = (u64)(uintptr_t)ctx;
	attr.test.ctx_size_in = size;
	result = world_call(world, BPF_PROG_TEST_RUN, &attr);
	if (ret_value)
		*ret_value = attr.test.retval;
	return result;
}

static void loads(struct world *world)
{
	const struct bpf_insn insns[] = { MOV_K(0, 0), EXIT() };

	expect(world, load(world, insns, 2, BPF_PROG_TYPE_SYSCALL, 0, 0), -EINVAL,
	       "syscall: not sleepable");
	expect(world, load(world, insns, 2, BPF_PROG_TYPE_SYSCALL, BPF_F_SLEEPABLE, 1), -EINVAL,
	       "syscall: an attach type");
	expect(world, load(world, insns, 2, BPF_PROG_TYPE_XDP, BPF_F_SLEEPABLE, 0), -EINVAL,
	       "XDP: sleepable");
	expect(world, load(world, insns, 2, ABI_PROG_TYPE_NETFILTER, 0, BPF_CGROUP_INET_INGRESS),
	       -EINVAL, "netfilter: another attach type");
}

static void contexts(struct world *world)
{
	const struct bpf_insn insns[] = { LOAD(BPF_DW, 0, 1, 0), ADD_K(0, 1), STORE(1, 0, 8),
					  MOV_K(0, 7), EXIT() };
	int prog = load_good(world, insns, 5, "syscall: reads and writes its context");
	static u8 large[65536];
	u64 ctx[2] = { 41, 0 };
	union abi_attr attr = { 0 };
	u32 value = 0;

	expect(world, run(world, prog, ctx, sizeof(ctx), &value), 0, "syscall: run");
	expect(world, value, 7, "syscall: its result");
	expect(world, (long)ctx[1], 42, "syscall: its context");
	expect(world, run(world, prog, ctx, 15, NULL), -EINVAL, "syscall: context too short");
	expect(world, run(world, prog, large, 65535, NULL), 0, "syscall: largest context");
	expect(world, run(world, prog, large, 65536, NULL), -EINVAL, "syscall: larger context");
	expect(world, run(world, prog, NULL, 0, NULL), -EINVAL, "syscall: no context");
	attr.test.prog_fd = (u32)prog;
	attr.test.ctx_in = (u64)(uintptr_t)ctx;
	attr.test.ctx_size_in = sizeof(ctx);
	attr.test.repeat = 1;
	expect(world, world_call(world, BPF_PROG_TEST_RUN, &attr), -EINVAL, "syscall: repeat");
	attr.test.repeat = 0;
	attr.test.data_in = attr.test.ctx_in;
	expect(world, world_call(world, BPF_PROG_TEST_RUN, &attr), -EINVAL, "syscall: data");
	attr.test.data_in = 0;
	attr.test.ctx_out = attr.test.ctx_in;
	attr.test.ctx_size_out = sizeof(ctx);
	expect(world, world_call(world, BPF_PROG_TEST_RUN, &attr), -EINVAL, "syscall: ctx_out");
	world->close(world, prog);
}

static long ask(struct world *world, int prog, u64 cmd, u64 fd, u64 flags)
{
	struct context ctx = { cmd, fd, flags, 1 };
	long error = run(world, prog, &ctx, sizeof(ctx), NULL);

	return error ? -1000 + error : ctx.result;
}

/* Elements of a map, by a program that has key 2 and value 5 on its stack. */
static void elements(struct world *world)
{
	const struct bpf_insn insns[] = {
		MOV_X(6, 1),
		STORE_K(BPF_DW, 10, -40, 2),
		STORE_K(BPF_DW, 10, -48, 5),
		STORE_K(BPF_DW, 10, -32, 0),
		LOAD(BPF_DW, 1, 6, 8),
		STORE_W(10, 1, -32),
		MOV_X(1, 10),
		ADD_K(1, -40),
		STORE(10, 1, -24),
		ADD_K(1, -8),
		STORE(10, 1, -16),
		LOAD(BPF_DW, 1, 6, 16),
		STORE(10, 1, -8),
		LOAD(BPF_DW, 1, 6, 0),
		MOV_X(2, 10),
		ADD_K(2, -32),
		MOV_K(3, 32),
		CALL(BPF_FUNC_sys_bpf),
		STORE(6, 0, 24),
		MOV_K(0, 0),
		EXIT(),
	};
	int prog = load_good(world, insns, ARRAY_SIZE(insns), "syscall: calls bpf(2)");
	int map = world_map(world, BPF_MAP_TYPE_HASH, 4, 8, 4, 0);
	u64 value = 0;
	u32 key = 2;

	expect(world, ask(world, prog, BPF_MAP_UPDATE_ELEM, (u64)map, 0), 0, "inner update");
	expect(world, world_lookup(world, map, &key, &value), 0, "inner update: is there");
	expect(world, (long)value, 5, "inner update: its value");
	expect(world, ask(world, prog, BPF_MAP_UPDATE_ELEM, (u64)map, BPF_NOEXIST), -EEXIST,
	       "inner update: NOEXIST");
	expect(world, ask(world, prog, BPF_MAP_UPDATE_ELEM, (u64)prog, 0), -EINVAL,
	       "inner update: not a map");
	expect(world, ask(world, prog, BPF_MAP_UPDATE_ELEM, 12345, 0), -EBADF,
	       "inner update: no descriptor");
	expect(world, ask(world, prog, BPF_MAP_LOOKUP_ELEM, (u64)map, 0), -EINVAL,
	       "inner lookup: not one of the commands");
	expect(world, ask(world, prog, BPF_PROG_TEST_RUN, (u64)prog, 0), -EINVAL, "inner run");
	expect(world, ask(world, prog, BPF_MAP_DELETE_ELEM, (u64)map, 0), -EINVAL,
	       "inner delete: a field that it has not");
	expect(world, ask(world, prog, 1000, 0, 0), -EINVAL, "inner: no command");
	world->close(world, map);
	world->close(world, prog);
}

/* Descriptors made, and closed. */
static void descriptors(struct world *world)
{
	const struct bpf_insn create[] = {
		MOV_X(6, 1),
		STORE_K(BPF_W, 10, -24, BPF_MAP_TYPE_ARRAY),
		STORE_K(BPF_W, 10, -20, 4),
		STORE_K(BPF_W, 10, -16, 4),
		STORE_K(BPF_W, 10, -12, 1),
		STORE_K(BPF_W, 10, -8, 0),
		STORE_K(BPF_W, 10, -4, 0),
		LOAD(BPF_DW, 1, 6, 0),
		MOV_X(2, 10),
		ADD_K(2, -24),
		MOV_K(3, 24),
		CALL(BPF_FUNC_sys_bpf),
		STORE(6, 0, 24),
		MOV_K(0, 0),
		EXIT(),
	};
	const struct bpf_insn give_up[] = {
		MOV_X(6, 1),	 LOAD(BPF_DW, 1, 6, 8), CALL(BPF_FUNC_sys_close),
		STORE(6, 0, 24), LOAD(BPF_DW, 1, 6, 8), CALL(BPF_FUNC_sys_close),
		STORE(6, 0, 16), MOV_K(0, 0),		EXIT(),
	};
	int maker = load_good(world, create, ARRAY_SIZE(create), "syscall: makes a map");
	int closer = load_good(world, give_up, ARRAY_SIZE(give_up), "syscall: closes");
	struct context ctx = { .result = 1 };
	long fd = ask(world, maker, BPF_MAP_CREATE, 0, 0);
	u32 key = 0, value = 3;

	expect(world, fd, FD, "inner create");
	expect(world, world_update(world, (int)fd, &key, &value, 0), 0, "inner create: a map");
	ctx.fd = (u64)fd;
	expect(world, run(world, closer, &ctx, sizeof(ctx), NULL), 0, "inner close");
	expect(world, ctx.result, 0, "inner close: its result");
	expect(world, (long)ctx.flags, -EBADF, "inner close: the second");
	expect(world, world_update(world, (int)fd, &key, &value, 0), -EBADF, "inner close: closed");
	world->close(world, maker);
	world->close(world, closer);
}

static void types(struct world *world)
{
	/* "int", or as many of its bytes as R2 says. */
	const struct bpf_insn insns[] = {
		MOV_X(6, 1),
		STORE_K(BPF_DW, 10, -8, 0x746e69),
		LOAD(BPF_DW, 2, 6, 0),
		INSN(BPF_ALU64 | BPF_AND | BPF_K, 2, 0, 0, 7),
		INSN(BPF_JMP | BPF_JEQ | BPF_K, 2, 0, 6, 0),
		MOV_X(1, 10),
		ADD_K(1, -8),
		LOAD(BPF_DW, 3, 6, 8),
		LOAD(BPF_DW, 4, 6, 16),
		CALL(BPF_FUNC_btf_find_by_name_kind),
		STORE(6, 0, 24),
		MOV_K(0, 0),
		EXIT(),
	};
	int prog = load_good(world, insns, ARRAY_SIZE(insns), "syscall: looks for a type");

	expect(world, ask(world, prog, 4, BTF_KIND_INT, 0) > 0, 1, "a type of the kernel");
	expect(world, ask(world, prog, 4, BTF_KIND_STRUCT, 0), -ENOENT, "no such type");
	expect(world, ask(world, prog, 4, BTF_KIND_INT, 1), -EINVAL, "a type with flags");
	expect(world, ask(world, prog, 3, BTF_KIND_INT, 0), -EINVAL, "a name without its end");
	expect(world, ask(world, prog, 1, BTF_KIND_INT, 0), -EINVAL, "a name of one byte");
	world->close(world, prog);
}

void scenario_syscall(struct world *world)
{
	loads(world);
	contexts(world);
	elements(world);
	descriptors(world);
	types(world);
}
