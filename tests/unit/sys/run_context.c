/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TEST_RUN where the kernel has none: contexts in and out, sizes at their limits, refusals. Of skep
 * alone; docs/test-run.md has the rule.
 */
#include "scenario.h"

#include <errno.h>
#include <linux/bpf_perf_event.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static u8 in[8300], out[8300];

static long run(struct world *world, int fd, u32 size_in, u32 size_out, union abi_attr *attr)
{
	memset(out, 0xaa, sizeof(out));
	memset(attr, 0, sizeof(*attr));
	attr->test.prog_fd = (u32)fd;
	attr->test.ctx_in = size_in ? ADDRESS(in) : 0;
	attr->test.ctx_size_in = size_in;
	attr->test.ctx_out = size_out ? ADDRESS(out) : 0;
	attr->test.ctx_size_out = size_out;
	return world_call(world, BPF_PROG_TEST_RUN, attr);
}

static void run_tracepoint(struct world *world)
{
	/* return *(u32 *)(ctx + 24) */
	static const struct bpf_insn insns[] = { LOAD(BPF_W, 0, 1, 24), EXIT() };
	union abi_attr attr;
	int fd = world_prog(world, BPF_PROG_TYPE_TRACEPOINT, insns, ARRAY_SIZE(insns));

	expect(world, fd, FD, "a tracepoint program");
	memset(in, 0, sizeof(in));
	in[24] = 77;
	expect(world, run(world, fd, 28, 0, &attr), 0, "tracepoint: just what it reads");
	expect(world, attr.test.retval, 77, "tracepoint: from the client's context");
	expect(world, run(world, fd, 27, 0, &attr), -EINVAL, "tracepoint: less than it reads");
	expect(world, run(world, fd, 0, 0, &attr), -EINVAL, "tracepoint: nothing");
	expect(world, run(world, fd, 8192, 8192, &attr), 0, "tracepoint: the largest record");
	tap_ok(!memcmp(in, out, 8192), "tracepoint: comes back");
	expect(world, attr.test.ctx_size_out, 8192, "tracepoint: with its size");
	expect(world, run(world, fd, 8193, 0, &attr), -EINVAL, "tracepoint: larger");
	expect(world, run(world, fd, 32, 16, &attr), -ENOSPC, "tracepoint: little room");
	expect(world, attr.test.ctx_size_out, 32, "tracepoint: says how much it would be");
	tap_ok(!memcmp(in, out, 16) && out[16] == 0xaa, "tracepoint: and gives what fits");
	attr.test.prog_fd = (u32)fd;
	attr.test.ctx_size_out = 32;
	attr.test.repeat = 1000;
	expect(world, world_call(world, BPF_PROG_TEST_RUN, &attr), 0, "tracepoint: repeated");
	attr.test.data_in = ADDRESS(in);
	expect(world, world_call(world, BPF_PROG_TEST_RUN, &attr), -ABI_ENOTSUPP,
	       "tracepoint: data");
	attr.test.data_in = 0;
	attr.test.flags = BPF_F_TEST_RUN_ON_CPU;
	expect(world, world_call(world, BPF_PROG_TEST_RUN, &attr), -EINVAL, "tracepoint: flags");
	world->close(world, fd);
}

static void run_kprobe(struct world *world)
{
	/* return regs->ax; a whole register file is there even if none is given */
	static const struct bpf_insn insns[] = { LOAD(BPF_DW, 0, 1, 80), EXIT() };
	union abi_attr attr;
	int fd = world_prog(world, BPF_PROG_TYPE_KPROBE, insns, ARRAY_SIZE(insns));

	expect(world, fd, FD, "a kprobe program");
	memset(in, 0, sizeof(in));
	in[80] = 5;
	expect(world, run(world, fd, 0, 0, &attr), 0, "kprobe: no context");
	expect(world, attr.test.retval, 0, "kprobe: is zero");
	expect(world, run(world, fd, 168, 168, &attr), 0, "kprobe: registers");
	expect(world, attr.test.retval, 5, "kprobe: read");
	tap_ok(!memcmp(in, out, 168), "kprobe: come back");
	expect(world, run(world, fd, 40, 0, &attr), 0, "kprobe: some registers");
	expect(world, attr.test.retval, 0, "kprobe: others are zero");
	expect(world, run(world, fd, 200, 0, &attr), 0, "kprobe: zeros behind them");
	in[190] = 1;
	expect(world, run(world, fd, 200, 0, &attr), -E2BIG, "kprobe: something behind them");
	world->close(world, fd);
}

static void run_perf_event(struct world *world)
{
	static const struct bpf_insn insns[] = {
		LOAD(BPF_DW, 0, 1, offsetof(struct bpf_perf_event_data, sample_period)),
		LOAD(BPF_DW, 2, 1, offsetof(struct bpf_perf_event_data, addr)),
		INSN(BPF_ALU64 | BPF_ADD | BPF_X, 0, 2, 0, 0),
		EXIT(),
	};
	struct bpf_perf_event_data data = { .sample_period = 30, .addr = 12 };
	union abi_attr attr;
	int fd = world_prog(world, BPF_PROG_TYPE_PERF_EVENT, insns, ARRAY_SIZE(insns));

	expect(world, fd, FD, "a perf event program");
	memset(in, 0, sizeof(in));
	memcpy(in, &data, sizeof(data));
	expect(world, run(world, fd, sizeof(data), 0, &attr), 0, "perf event: its context");
	expect(world, attr.test.retval, 42, "perf event: read");
	world->close(world, fd);
}

static void run_device(struct world *world)
{
	/* return ctx->major == 5 */
	static const struct bpf_insn insns[] = {
		LOAD(BPF_W, 2, 1, offsetof(struct bpf_cgroup_dev_ctx, major)),
		MOV_K(0, 1),
		JEQ_K(2, 5, 1),
		MOV_K(0, 0),
		EXIT(),
	};
	struct bpf_cgroup_dev_ctx ctx = { .major = 5 };
	union abi_attr attr;
	int fd = world_prog(world, BPF_PROG_TYPE_CGROUP_DEVICE, insns, ARRAY_SIZE(insns));

	expect(world, fd, FD, "a device program");
	memset(in, 0, sizeof(in));
	memcpy(in, &ctx, sizeof(ctx));
	expect(world, run(world, fd, sizeof(ctx), 0, &attr), 0, "device: its context");
	expect(world, attr.test.retval, 1, "device: this one");
	expect(world, run(world, fd, 0, 0, &attr), 0, "device: no context");
	expect(world, attr.test.retval, 0, "device: not this one");
	attr.test.data_size_in = 1;
	expect(world, world_call(world, BPF_PROG_TEST_RUN, &attr), -ABI_ENOTSUPP,
	       "device: no data");
	world->close(world, fd);
}

/* A message program gets data_in behind its data pointers, never an address of the client's. */
static void run_message(struct world *world)
{
	static const struct bpf_insn insns[] = {
		LOAD(BPF_DW, 2, 1, offsetof(struct sk_msg_md, data)),
		LOAD(BPF_DW, 3, 1, offsetof(struct sk_msg_md, data_end)),
		MOV_X(4, 2),
		ADD_K(4, 4),
		MOV_K(0, 0),
		JGT_X(4, 3, 3),
		LOAD(BPF_B, 0, 2, 3),
		INSN(BPF_ALU64 | BPF_AND | BPF_K, 0, 0, 0, 1),
		STORE_K(BPF_B, 2, 0, 'x'),
		EXIT(),
	};
	char data[8] = "abcdefg", back[8];
	union abi_attr attr;
	int fd = world_prog(world, BPF_PROG_TYPE_SK_MSG, insns, ARRAY_SIZE(insns));

	data[3] = 1;
	expect(world, fd, FD, "a message program");
	memset(in, 0, sizeof(in));
	run(world, fd, 0, sizeof(struct sk_msg_md), &attr);
	attr.test.ctx_size_out = sizeof(struct sk_msg_md);
	attr.test.data_in = ADDRESS(data);
	attr.test.data_size_in = 4;
	attr.test.data_out = ADDRESS(back);
	attr.test.data_size_out = sizeof(back);
	expect(world, world_call(world, BPF_PROG_TEST_RUN, &attr), 0, "message: data");
	expect(world, attr.test.retval, 1, "message: its fourth byte");
	expect(world, attr.test.data_size_out, 4, "message: comes back");
	tap_ok(back[0] == 'x' && back[1] == 'b', "message: as the program left it");
	tap_ok(!memcmp(out, in, 16), "message: without addresses of the supervisor");
	attr.test.data_size_in = 3;
	expect(world, world_call(world, BPF_PROG_TEST_RUN, &attr), 0, "message: short data");
	expect(world, attr.test.retval, 0, "message: the program sees its end");
	attr.test.data_size_in = 4097;
	expect(world, world_call(world, BPF_PROG_TEST_RUN, &attr), -EINVAL, "message: too much");
	((struct sk_msg_md *)(void *)in)->data = data;
	expect(world, run(world, fd, sizeof(struct sk_msg_md), 0, &attr), -EINVAL,
	       "message: an address of the client's");
	world->close(world, fd);
}

/* redirect(ctx, map, 0, flags): its verdict. */
static long redirect(struct world *world, int map, bool message, bool hash, s32 flags)
{
	static const s32 helpers[2][2] = {
		{ BPF_FUNC_sk_redirect_map, BPF_FUNC_sk_redirect_hash },
		{ BPF_FUNC_msg_redirect_map, BPF_FUNC_msg_redirect_hash },
	};
	struct bpf_insn insns[] = { STORE_K(BPF_W, 10, -4, 0),
				    LD_MAP(2, BPF_PSEUDO_MAP_FD, map),
				    MOV_X(3, 10),
				    ADD_K(3, -4),
				    MOV_K(4, flags),
				    CALL(helpers[message][hash]),
				    EXIT() };
	int prog;
	long verdict;

	/* A map wants a number for its key. */
	if (!hash) {
		insns[3] = MOV_K(3, 0);
		insns[4] = ADD_K(3, 0);
	}
	prog = world_prog(world, message ? BPF_PROG_TYPE_SK_MSG : BPF_PROG_TYPE_SK_SKB, insns,
			  ARRAY_SIZE(insns));
	expect(world, prog, FD, "a program that redirects");
	verdict = scenario_run(world, prog);
	world->close(world, prog);
	return verdict;
}

static void run_redirect(struct world *world, bool hash)
{
	int map = world_map(world, hash ? BPF_MAP_TYPE_SOCKHASH : BPF_MAP_TYPE_SOCKMAP, 4, 4, 4, 0);
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int tcp = socket(AF_INET, SOCK_STREAM, 0), pair[2], listener;
	u32 key = 0, value;

	if (tcp < 0 || bind(tcp, (struct sockaddr *)&address, sizeof(address)) || listen(tcp, 1) ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		tap_bail("socket: %d", errno);
	value = (u32)(listener = world_take(world, tcp));
	expect(world, redirect(world, map, false, hash, 0), SK_DROP, "redirect: nothing there");
	expect(world, world_update(world, map, &key, &value, 0), 0, "redirect: a listener");
	expect(world, redirect(world, map, false, hash, 0), SK_DROP, "redirect: drops");
	expect(world, redirect(world, map, true, hash, 0), SK_DROP, "redirect: messages, too");
	value = (u32)world_take(world, pair[0]);
	expect(world, world_update(world, map, &key, &value, 0), 0, "redirect: a unix stream");
	expect(world, redirect(world, map, false, hash, 0), SK_PASS, "redirect: passes");
	expect(world, redirect(world, map, false, hash, 1), SK_PASS, "redirect: to its ingress");
	expect(world, redirect(world, map, false, hash, 2), SK_DROP, "redirect: flags");
	expect(world, redirect(world, map, true, hash, 0), SK_DROP, "redirect: no message out");
	expect(world, redirect(world, map, true, hash, 1), SK_PASS, "redirect: a message in");
	world->close(world, (int)value);
	expect(world, redirect(world, map, false, hash, 0), SK_DROP, "redirect: it is closed");
	close(pair[1]);
	world->close(world, listener);
	world->close(world, map);
}

/* What an address hook learns of its socket, and the result that it gives the call. */
static void run_address(struct world *world)
{
	static const struct bpf_insn insns[] = {
		MOV_X(6, 1),
		/* A fresh run: no result yet. */
		CALL(BPF_FUNC_get_retval),
		INSN(BPF_JMP | BPF_JNE | BPF_K, 0, 0, 22, 0),
		MOV_K(1, -13),
		CALL(BPF_FUNC_set_retval),
		CALL(BPF_FUNC_get_retval),
		INSN(BPF_JMP | BPF_JNE | BPF_K, 0, 0, 18, -13),
		MOV_X(1, 6),
		CALL(BPF_FUNC_get_socket_cookie),
		JEQ_K(0, 0, 15),
		MOV_X(1, 6),
		CALL(BPF_FUNC_get_netns_cookie),
		JEQ_K(0, 0, 12),
		/* Options: none, and nothing is left in the buffer. */
		STORE_K(BPF_DW, 10, -8, -1),
		MOV_X(1, 6),
		MOV_K(2, 1),
		MOV_K(3, 36),
		MOV_X(4, 10),
		ADD_K(4, -8),
		MOV_K(5, 8),
		CALL(BPF_FUNC_getsockopt),
		INSN(BPF_JMP | BPF_JNE | BPF_K, 0, 0, 3, -EINVAL),
		LOAD(BPF_DW, 1, 10, -8),
		MOV_K(0, 1),
		JEQ_K(1, 0, 1),
		MOV_K(0, 0),
		EXIT(),
	};
	int fd = world_prog_for(world, BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_CONNECT,
				insns, ARRAY_SIZE(insns));
	union abi_attr attr;

	expect(world, fd, FD, "a program of an address hook");
	expect(world, run(world, fd, 0, 0, &attr), 0, "address: run");
	expect(world, attr.test.retval, 1, "address: results, cookies and options");
	expect(world, run(world, fd, 0, 0, &attr), 0, "address: run again");
	expect(world, attr.test.retval, 1, "address: nothing is left of the first run");
	world->close(world, fd);
}

void test_run_context(struct world *world)
{
	run_address(world);
	run_device(world);
	run_message(world);
	run_redirect(world, false);
	run_redirect(world, true);
	run_tracepoint(world);
	run_kprobe(world);
	run_perf_event(world);
}
