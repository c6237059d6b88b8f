/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Helpers of types for which the kernel has no TEST_RUN: messages, sysctls, TCP options. Of skep
 * alone; what they answer is in net/core/filter.c and kernel/bpf/cgroup.c of Linux 6.18.
 */
#include "scenario.h"

#include <errno.h>
#include <string.h>

#define STACK 64 /* bytes of a program's stack that hold what it gives a helper */

/* One run of a program: what it is given, and what comes back. */
struct run {
	u32 type;
	const void *ctx;
	u32 ctx_size;
	const char *data;
	u32 size;
	u8 stack[STACK];
	char out[8192];
	u32 out_size;
};

static s64 go(struct world *world, struct run *run, int prog)
{
	union abi_attr attr = { 0 };
	long error;

	attr.test.prog_fd = (u32)prog;
	attr.test.ctx_in = run->ctx_size ? ADDRESS(run->ctx) : 0;
	attr.test.ctx_size_in = run->ctx_size;
	attr.test.data_in = run->size ? ADDRESS(run->data) : 0;
	attr.test.data_size_in = run->size;
	attr.test.data_out = ADDRESS(run->out);
	attr.test.data_size_out = sizeof(run->out);
	memset(run->out, 0, sizeof(run->out));
	error = world_call(world, BPF_PROG_TEST_RUN, &attr);
	run->out_size = attr.test.data_size_out;
	return error ? error - 10000 : (s32)attr.test.retval;
}

/* helper(ctx, a, b, c) again and again, up to a helper of 0: the last result. */
struct step {
	s32 helper, a, b, c;
};

static s64 message(struct world *world, struct run *run, const struct step *steps)
{
	struct bpf_insn insns[128];
	u32 nr = 0;
	s64 result;
	int prog;

	insns[nr++] = MOV_X(6, 1);
	for (u32 i = 0; steps[i].helper; i++) {
		insns[nr++] = MOV_X(1, 6);
		insns[nr++] = MOV_K(2, steps[i].a);
		insns[nr++] = MOV_K(3, steps[i].b);
		insns[nr++] = MOV_K(4, steps[i].c);
		insns[nr++] = CALL(steps[i].helper);
	}
	/* What it sees then is as long as the upper half of the result says. */
	insns[nr++] = LOAD(BPF_DW, 2, 6, offsetof(struct sk_msg_md, data));
	insns[nr++] = LOAD(BPF_DW, 3, 6, offsetof(struct sk_msg_md, data_end));
	insns[nr++] = MOV_X(4, 2);
	insns[nr++] = ADD_K(4, 1);
	insns[nr++] = JGT_X(4, 3, 2);
	insns[nr++] = LOAD(BPF_B, 5, 2, 0);
	insns[nr++] = INSN(BPF_JMP | BPF_JA, 0, 0, 1, 0);
	insns[nr++] = MOV_K(5, 0);
	insns[nr++] = INSN(BPF_ALU64 | BPF_LSH | BPF_K, 5, 0, 0, 16);
	insns[nr++] = INSN(BPF_ALU64 | BPF_AND | BPF_K, 0, 0, 0, 0xffff);
	insns[nr++] = INSN(BPF_ALU64 | BPF_OR | BPF_X, 0, 5, 0, 0);
	insns[nr++] = EXIT();
	prog = world_prog(world, BPF_PROG_TYPE_SK_MSG, insns, nr);
	expect(world, prog, FD, "helper run: a message program");
	result = go(world, run, prog);
	world->close(world, prog);
	return result;
}

#define PULL BPF_FUNC_msg_pull_data
#define PUSH BPF_FUNC_msg_push_data
#define POP  BPF_FUNC_msg_pop_data

static void messages(struct world *world)
{
	struct run run = { .data = "abcdefgh", .size = 8 };

/* Result, first visible byte, and the message in the end. */
#define CASE(want, first, text, length, ...)                                                   \
	do {                                                                                   \
		const struct step steps[] = { __VA_ARGS__, { 0 } };                            \
		s64 got = message(world, &run, steps);                                         \
		expect(world, got, ((want)&0xffff) | (first) << 16, "message: " #__VA_ARGS__); \
		expect(world, run.out_size, length, "message: its length");                    \
		expect(world, memcmp(run.out, text, length), 0, "message: its bytes");         \
	} while (0)
	CASE(0, 'c', "abcdefgh", 8, { PULL, 2, 5, 0 });
	CASE(0, 'a', "abcdefgh", 8, { PULL, 0, 8, 0 });
	CASE(-EINVAL, 'a', "abcdefgh", 8, { PULL, 0, 9, 0 });
	CASE(-EINVAL, 'a', "abcdefgh", 8, { PULL, 8, 9, 0 });
	CASE(-EINVAL, 'a', "abcdefgh", 8, { PULL, 3, 3, 0 });
	CASE(-EINVAL, 'a', "abcdefgh", 8, { PULL, 5, 3, 0 });
	CASE(-EINVAL, 'a', "abcdefgh", 8, { PULL, 0, 4, 1 });
	CASE(0, 'a', "abcdefgh", 8, { PUSH, 2, 0, 0 });
	CASE(-EINVAL, 'a', "abcdefgh", 8, { PUSH, 2, 1, 1 });
	CASE(-EINVAL, 'a', "abcdefgh", 8, { PUSH, 9, 1, 0 });
	CASE(-ENOMEM, 'a', "abcdefgh", 8, { PUSH, 0, 0x7fffffff, 0 });
	CASE(0, 0, "\0\0abcdefgh", 10, { PUSH, 0, 2, 0 });
	CASE(0, 'a', "abc\0\0defgh", 10, { PUSH, 3, 2, 0 });
	CASE(0, 'a', "abcdefgh\0\0", 10, { PUSH, 8, 2, 0 });
	/* The pushed bytes are an element of their own: only a pull makes the message one. */
	CASE(0, 'd', "abc\0\0defgh", 10, { PUSH, 3, 2, 0 }, { PULL, 5, 10, 0 });
	CASE(0, 'b', "abc\0\0defgh", 10, { PUSH, 3, 2, 0 }, { PULL, 1, 10, 0 });
	CASE(0, 'a', "abcdefgh", 8, { POP, 2, 0, 0 });
	CASE(-EINVAL, 'a', "abcdefgh", 8, { POP, 2, 1, 1 });
	CASE(-EINVAL, 'a', "abcdefgh", 8, { POP, 8, 1, 0 });
	CASE(-EINVAL, 'a', "abcdefgh", 8, { POP, 4, 5, 0 });
	CASE(0, 'c', "cdefgh", 6, { POP, 0, 2, 0 });
	CASE(0, 'a', "abfgh", 5, { POP, 2, 3, 0 });
	CASE(0, 'a', "abcde", 5, { POP, 5, 3, 0 });
	CASE(0, 0, "", 0, { POP, 0, 8, 0 });
	CASE(0, 'a', "abh", 3, { PUSH, 3, 2, 0 }, { POP, 2, 7, 0 });
	CASE(0, 'a', "abcdefgh", 8, { PUSH, 3, 2, 0 }, { POP, 3, 2, 0 });
	/* More elements than there can be: what does not fit grows an element that is there. */
	CASE(0, 'a', "a\0b\0c\0d\0e\0f\0g\0h\0\0\0", 19, { PUSH, 1, 1, 0 }, { PUSH, 3, 1, 0 },
	     { PUSH, 5, 1, 0 }, { PUSH, 7, 1, 0 }, { PUSH, 9, 1, 0 }, { PUSH, 11, 1, 0 },
	     { PUSH, 13, 1, 0 }, { PUSH, 15, 1, 0 }, { PUSH, 16, 1, 0 }, { PUSH, 17, 1, 0 },
	     { PUSH, 18, 1, 0 });
#undef CASE
}

/* The result has to be 0 or 1 for the verifier: a program for each value that is asked for. */
static void helper_case(struct world *world, struct run *run, s32 helper, s32 size, s32 flags,
			s64 want, const char *bytes, u32 nr_bytes, const char *name)
{
	struct bpf_insn insns[STACK / 4 + 2 * STACK + 32];
	u32 nr = 0, fail[STACK + 1], nr_fail = 0;
	int prog;

	for (u32 i = 0; i < STACK; i += 4) {
		s32 word;

		memcpy(&word, run->stack + i, 4);
		insns[nr++] = STORE_K(BPF_W, 10, (s16)(i - STACK), word);
	}
	insns[nr++] = MOV_X(2, 10);
	insns[nr++] = ADD_K(2, -STACK);
	insns[nr++] = MOV_K(3, size);
	insns[nr++] = MOV_K(4, flags);
	insns[nr++] = CALL(helper);
	fail[nr_fail++] = nr;
	insns[nr++] = INSN(BPF_JMP | BPF_JNE | BPF_K, 0, 0, 0, (s32)want);
	for (u32 i = 0; i < nr_bytes; i++) {
		insns[nr++] = LOAD(BPF_B, 1, 10, (s16)(i - STACK));
		fail[nr_fail++] = nr;
		insns[nr++] = INSN(BPF_JMP | BPF_JNE | BPF_K, 1, 0, 0, (u8)bytes[i]);
	}
	insns[nr++] = MOV_K(0, 1);
	insns[nr++] = EXIT();
	for (u32 i = 0; i < nr_fail; i++)
		insns[fail[i]].off = (s16)(nr - fail[i] - 1);
	insns[nr++] = MOV_K(0, 0);
	insns[nr++] = EXIT();
	prog = world_prog_for(world, run->type,
			      run->type == BPF_PROG_TYPE_SOCK_OPS ? BPF_CGROUP_SOCK_OPS
								  : BPF_CGROUP_SYSCTL,
			      insns, nr);
	expect(world, prog, FD, "helper run: a program");
	expect(world, go(world, run, prog), 1, name);
	world->close(world, prog);
}

static void sysctls(struct world *world)
{
	static const char data[] = "net/ipv4/tcp_mem\0001 2\n\0003 4\n";
	struct bpf_sysctl reads = { 0 }, writes = { .write = 1 };
	struct run run = { .type = BPF_PROG_TYPE_CGROUP_SYSCTL,
			   .ctx = &reads,
			   .ctx_size = sizeof(reads),
			   .data = data,
			   .size = sizeof(data) };
	struct run none = { .type = BPF_PROG_TYPE_CGROUP_SYSCTL,
			    .ctx = &writes,
			    .ctx_size = sizeof(writes) };
	int prog;

#define NAME  BPF_FUNC_sysctl_get_name
#define VALUE BPF_FUNC_sysctl_get_current_value
#define NEW   BPF_FUNC_sysctl_get_new_value
#define SET   BPF_FUNC_sysctl_set_new_value
#define CASE(run, helper, size, flags, want, bytes, length)                \
	helper_case(world, &run, helper, size, flags, want, bytes, length, \
		    "sysctl: " #helper ", " #size ", " #flags ", " #run)
	CASE(run, NAME, 32, 0, 16, "net/ipv4/tcp_mem", 17);
	CASE(run, NAME, 17, 0, 16, "net/ipv4/tcp_mem", 17);
	CASE(run, NAME, 16, 0, -E2BIG, "net/ipv4/tcp_me", 16);
	CASE(run, NAME, 1, 0, -E2BIG, "", 1);
	CASE(run, NAME, 32, BPF_F_SYSCTL_BASE_NAME, 7, "tcp_mem", 8);
	CASE(run, NAME, 4, BPF_F_SYSCTL_BASE_NAME, -E2BIG, "tcp", 4);
	CASE(run, VALUE, 8, 0, 4, "1 2\n\0\0\0\0", 8);
	CASE(run, VALUE, 4, 0, -E2BIG, "1 2", 4);
	CASE(run, NEW, 8, 0, -EINVAL, "\0\0\0\0\0\0\0\0", 8);
	CASE(none, NAME, 8, 0, 0, "", 1);
	CASE(none, VALUE, 8, 0, -EINVAL, "\0\0\0\0\0\0\0\0", 8);
	CASE(none, SET, 2, 0, -EINVAL, "", 0);
	memcpy(run.stack, "600", 3);
	CASE(run, SET, 3, 0, -EINVAL, "", 0);
	run.ctx = &writes;
	CASE(run, NEW, 8, 0, 4, "3 4\n\0\0\0\0", 8);
	CASE(run, SET, 3, 0, 0, "", 0);
#undef CASE
	{
		const struct bpf_insn insns[] = { STORE_K(BPF_W, 10, -4, 0x00303036),
						  MOV_X(2, 10),
						  ADD_K(2, -4),
						  MOV_K(3, 3),
						  CALL(SET),
						  MOV_K(0, 1),
						  EXIT() };

		prog = world_prog_for(world, BPF_PROG_TYPE_CGROUP_SYSCTL, BPF_CGROUP_SYSCTL, insns,
				      ARRAY_SIZE(insns));
	}
	expect(world, go(world, &run, prog), 1, "sysctl: sets the value");
	expect(world, run.out_size, 3, "sysctl: it comes back");
	expect(world, memcmp(run.out, "600", 3), 0, "sysctl: as it was set");
	run.data = "a\0b\0c\0d";
	run.size = 8;
	expect(world, go(world, &run, prog), -EINVAL - 10000, "sysctl: four texts");
	world->close(world, prog);
}

/* A TCP header of 20 bytes, then these options. */
static void options(struct world *world)
{
	static const char tcp[] = "\1\2\3\4\5\6\7\10\1\2\3\4\240\2\3\4\5\6\7\10"
				  "\2\4\5\264\1\376\6\22\64AB\3\3\7";
	struct bpf_sock_ops parse = { .op = 13 }, length = { .op = 14 }, write = { .op = 15 };
	struct run run = { .type = BPF_PROG_TYPE_SOCK_OPS,
			   .ctx = &parse,
			   .ctx_size = sizeof(parse),
			   .data = tcp,
			   .size = sizeof(tcp) - 1 };
	u32 grown;

#define CASE(want, helper, bytes, size, flags)                                          \
	do {                                                                            \
		memset(run.stack, 0, STACK);                                            \
		memcpy(run.stack, bytes, sizeof(bytes) - 1);                            \
		helper_case(world, &run, helper, size, flags, want, NULL, 0,            \
			    "TCP option: " #helper ", " #bytes ", " #size ", " #flags); \
	} while (0)
#define GET   BPF_FUNC_load_hdr_opt
#define STORE BPF_FUNC_store_hdr_opt
	CASE(4, GET, "\2\0", 8, 0);
	CASE(3, GET, "\3\0", 8, 0);
	CASE(-ENOSPC, GET, "\2\0", 3, 0);
	CASE(6, GET, "\376\4\22\64", 8, 0);
	CASE(6, GET, "\376\6\22\64AB", 8, 0);
	CASE(-ENOMSG, GET, "\376\6\22\64AC", 8, 0);
	CASE(-ENOMSG, GET, "\10\0", 8, 0);
	CASE(-EINVAL, GET, "\376\5\22\64", 8, 0);
	CASE(-EINVAL, GET, "\2\1", 8, 0);
	CASE(-EINVAL, GET, "\1\0", 8, 0);
	CASE(-EINVAL, GET, "\0\0", 8, 0);
	CASE(-EINVAL, GET, "\2\0", 1, 0);
	CASE(-EINVAL, GET, "\2\0", 8, 2);
	CASE(-ENOENT, GET, "\2\0", 8, 1);
	CASE(-EPERM, STORE, "\10\2", 8, 0);
	run.ctx = &length;
	CASE(-EPERM, GET, "\2\0", 8, 0);
	run.ctx = &write;
	CASE(-EEXIST, STORE, "\2\4\1\1", 8, 0);
	CASE(-EEXIST, STORE, "\376\6\22\64ZZ", 8, 0);
	CASE(-EINVAL, STORE, "\376\3\22", 8, 0);
	CASE(-EINVAL, STORE, "\10\11", 8, 0);
	CASE(-EINVAL, STORE, "\1\2", 8, 0);
	CASE(-EINVAL, STORE, "\10\2", 8, 1);
	CASE(-EINVAL, STORE, "\10\2", 1, 0);
	CASE(-ENOSPC, STORE, "\10\33", 40, 0);
	CASE(0, STORE, "\10\32", 40, 0);
	grown = run.out_size;
	expect(world, grown, run.size + 26, "TCP option: the header grows");
	expect(world, run.out[run.size] == 8 && run.out[run.size + 1] == 26, 1,
	       "TCP option: by the option");
	run.data = "\1\2\3\4\5\6\7\10\1\2\3\4\240\2\3\4\5\6\7\10\0\1\2";
	run.size = 23;
	CASE(-ENOSPC, STORE, "\10\2", 8, 0);
	run.data = "\1\2\3\4\5\6\7\10\1\2\3\4\240\2\3\4\5\6\7\10\3\11\2";
	CASE(-EFAULT, STORE, "\10\2", 8, 0);
	run.size = 0;
	CASE(-EPERM, GET, "\2\0", 8, 0);
#undef CASE
}

/* reserve(a), reserve(b): is the second result what is wanted? */
static s64 reserve(struct world *world, u32 op, s32 a, s32 b, s32 flags, s32 want)
{
	const struct bpf_insn insns[] = { MOV_X(6, 1),
					  MOV_K(2, a),
					  MOV_K(3, 0),
					  CALL(BPF_FUNC_reserve_hdr_opt),
					  MOV_X(1, 6),
					  MOV_K(2, b),
					  MOV_K(3, flags),
					  CALL(BPF_FUNC_reserve_hdr_opt),
					  JEQ_K(0, want, 2),
					  MOV_K(0, 0),
					  EXIT(),
					  MOV_K(0, 1),
					  EXIT() };
	struct bpf_sock_ops ops = { .op = op };
	struct run run = { .ctx = &ops, .ctx_size = sizeof(ops) };
	s64 result;
	int prog = world_prog(world, BPF_PROG_TYPE_SOCK_OPS, insns, ARRAY_SIZE(insns));

	expect(world, prog, FD, "TCP option: a program that reserves");
	result = go(world, &run, prog);
	world->close(world, prog);
	return result;
}

void test_run_helpers(struct world *world)
{
	messages(world);
	sysctls(world);
	options(world);
	expect(world, reserve(world, 14, 20, 20, 0, 0), 1, "TCP option: reserve all");
	expect(world, reserve(world, 14, 20, 21, 0, -ENOSPC), 1, "TCP option: reserve more");
	expect(world, reserve(world, 14, 20, 1, 0, -EINVAL), 1, "TCP option: reserve one byte");
	expect(world, reserve(world, 14, 20, 2, 1, -EINVAL), 1, "TCP option: reserve with flags");
	expect(world, reserve(world, 15, 20, 2, 0, -EPERM), 1, "TCP option: reserve too late");
}
