/* SPDX-License-Identifier: BSD-2-Clause */
/* See scenario.h: netfilter programs run by hand, which see a socket buffer and a hook's state. */
#include "scenario.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <string.h>

#include "abi/bpf_new.h"
#include "abi/context.h"
#include "btf/btf.h"
#include "harness/kernel_btf.h"

#define FRAME	 64u
#define DATA_MAX (4096u - 64u - 320u) /* a page, less what the kernel keeps around a packet */
#define STATE	 0
#define SKB	 8

static const struct btf *kernel;

/* The offset of a member, also of anonymous structures, in bytes; -1: there is none. */
static s32 find(u32 id, const char *name)
{
	const struct btf_type *type = btf_skip_modifiers(kernel, id, NULL);
	const struct btf_member *members = btf_members_of(type);

	for (u32 i = 0; i < btf_vlen_of(type); i++) {
		s32 at = (s32)btf_member_offset(type, &members[i]) / 8, inner;
		const char *own = btf_string(kernel, members[i].name_off);

		if (!strcmp(own, name))
			return at;
		if (*own)
			continue;
		inner = find(members[i].type, name);
		if (inner >= 0)
			return at + inner;
	}
	return -1;
}

static s16 offset_of(const char *structure, const char *member)
{
	s32 offset = find(btf_find(kernel, structure, BTF_KIND_STRUCT), member);

	if (offset < 0)
		tap_bail("the kernel has no %s.%s", structure, member);
	return (s16)offset;
}

/* What ctx_in holds: struct nf_hook_state. */
struct state {
	u8 hook, pf;
	u64 in, out, sk, net, okfn;
};

struct test {
	u8 data[DATA_MAX + 1];
	u32 size;
	struct state state;
	bool has_state;
	u32 ret_value, size_out;
};

static int load(struct world *world, const struct bpf_insn *insns, u32 nr)
{
	return world_prog_for(world, ABI_PROG_TYPE_NETFILTER, ABI_NETFILTER, insns, nr);
}

static long run(struct world *world, int prog, struct test *test)
{
	union abi_attr attr = { 0 };
	u8 out[16] = { 0 };
	long result;

	attr.test.prog_fd = (u32)prog;
	attr.test.data_in = (u64)(uintptr_t)test->data;
	attr.test.data_size_in = test->size;
	attr.test.data_out = (u64)(uintptr_t)out;
	attr.test.data_size_out = sizeof(out);
	if (test->has_state) {
		attr.test.ctx_in = (u64)(uintptr_t)&test->state;
		attr.test.ctx_size_in = sizeof(test->state);
	}
	result = world_call(world, BPF_PROG_TEST_RUN, &attr);
	test->ret_value = attr.test.retval;
	test->size_out = attr.test.data_size_out;
	return result;
}

/* An Ethernet frame, or an IP packet without one for LOCAL_OUT. */
static struct test test_of(u8 pf, u8 hook, u16 protocol)
{
	struct test test = { .size = FRAME,
			     .state = { .hook = hook, .pf = pf },
			     .has_state = true };

	for (u32 i = 0; i < sizeof(test.data); i++)
		test.data[i] = (u8)(i * 7);
	test.data[12] = (u8)(protocol >> 8);
	test.data[13] = (u8)protocol;
	return test;
}

static void checks(struct world *world)
{
	const struct bpf_insn insns[] = { MOV_K(0, 1), EXIT() };
	int prog = load(world, insns, 2);
	union abi_attr attr = { 0 };
	struct test test;

	expect(world, prog, FD, "netfilter run: a program");
#define CASE(text, want, pf, hook, protocol, ...)                          \
	do {                                                               \
		test = test_of(pf, hook, protocol);                        \
		__VA_ARGS__;                                               \
		expect(world, run(world, prog, &test), want, "nf: " text); \
	} while (0)
	CASE("no state", 0, 0, 0, 0, test.has_state = false);
	expect(world, test.ret_value, NF_ACCEPT, "nf: its verdict");
	expect(world, test.size_out, 0, "nf: no data comes back");
	CASE("19 bytes", -EINVAL, 2, 3, 0, test.size = 19);
	CASE("20 bytes", 0, 2, 3, 0, test.size = 20);
	CASE("20 bytes of IPv6", 0, 10, 3, 0, test.size = 20);
	CASE("most bytes", 0, 2, 3, 0, test.size = DATA_MAX);
	CASE("too many bytes", -EINVAL, 2, 3, 0, test.size = DATA_MAX + 1);
	CASE("33 bytes of a frame", -EINVAL, 2, 0, 0x800, test.size = 33);
	CASE("34 bytes of a frame", 0, 2, 0, 0x800, test.size = 34);
	CASE("53 bytes of IPv6", -EINVAL, 10, 0, 0x86dd, test.size = 53);
	CASE("54 bytes of IPv6", 0, 10, 0, 0x86dd, test.size = 54);
	CASE("another family", -EINVAL, 2, 0, 0x86dd);
	CASE("the other way", -EINVAL, 10, 0, 0x800);
	CASE("neither", -EPROTO, 10, 0, 0x806);
	CASE("a length", -EPROTO, 2, 0, 0x100);
	CASE("hook 77", 0, 2, 77, 0x800);
	CASE("family 7", -EINVAL, 7, 0, 0x800);
	CASE("family 0", -EINVAL, 0, 3, 0x800);
	CASE("in", -EINVAL, 2, 3, 0x800, test.state.in = 1);
	CASE("out", -EINVAL, 2, 3, 0x800, test.state.out = 1);
	CASE("sk", -EINVAL, 2, 3, 0x800, test.state.sk = 1);
	CASE("net", -EINVAL, 2, 3, 0x800, test.state.net = 1);
	CASE("okfn", -EINVAL, 2, 3, 0x800, test.state.okfn = 1);
#undef CASE
	test = test_of(2, 3, 0);
	attr.test.prog_fd = (u32)prog;
	attr.test.data_in = (u64)(uintptr_t)test.data;
	attr.test.data_size_in = FRAME;
	attr.test.ctx_out = (u64)(uintptr_t)&test.state;
	attr.test.ctx_size_out = sizeof(test.state);
	expect(world, world_call(world, BPF_PROG_TEST_RUN, &attr), -EINVAL, "nf: only ctx_out");
	attr.test.ctx_out = attr.test.ctx_size_out = 0;
	attr.test.cpu = 1;
	expect(world, world_call(world, BPF_PROG_TEST_RUN, &attr), -EINVAL, "nf: cpu");
	attr.test.cpu = 0;
	attr.test.flags = 1;
	expect(world, world_call(world, BPF_PROG_TEST_RUN, &attr), -EINVAL, "nf: flags");
	attr.test.flags = 0;
	attr.test.repeat = 1000;
	expect(world, world_call(world, BPF_PROG_TEST_RUN, &attr), 0, "nf: a thousand runs");
	attr.test.repeat = 0;
	attr.test.ctx_in = (u64)(uintptr_t)&test.state;
	attr.test.ctx_size_in = 1;
	expect(world, world_call(world, BPF_PROG_TEST_RUN, &attr), -EINVAL,
	       "nf: one byte of state");
	attr.test.ctx_size_in = 2;
	expect(world, world_call(world, BPF_PROG_TEST_RUN, &attr), 0, "nf: two bytes of state");
	attr.test.data_in = 8;
	expect(world, world_call(world, BPF_PROG_TEST_RUN, &attr), -EFAULT, "nf: bad data");
	world->close(world, prog);
}

/* A value that a program stores: of a structure that the context leads to, or one further. */
struct seen {
	const char *name;
	s16 root;
	const char *structure, *member;
	u8 size;
	const char *further_structure, *further;
	u64 want[3]; /* of the packets below */
};

/* PRE_ROUTING of IPv4, POST_ROUTING of IPv6, LOCAL_OUT of IPv4. The kernel takes every device for
 * the one that a packet leaves by. */
static const struct seen seen[] = {
	{ "hook", STATE, "nf_hook_state", "hook", BPF_B, NULL, NULL, { 0, 4, 3 } },
	{ "family", STATE, "nf_hook_state", "pf", BPF_B, NULL, NULL, { 2, 10, 2 } },
	{ "in", STATE, "nf_hook_state", "in", BPF_DW, NULL, NULL, { 0, 0, 0 } },
	{ "out", STATE, "nf_hook_state", "out", BPF_DW, "net_device", "ifindex", { 1, 1, 1 } },
	{ "sk", STATE, "nf_hook_state", "sk", BPF_DW, NULL, NULL, { 0, 0, 0 } },
	{ "net", STATE, "nf_hook_state", "net", BPF_DW, NULL, NULL, { 0, 0, 0 } },
	{ "len", SKB, "sk_buff", "len", BPF_W, NULL, NULL, { 50, 50, 64 } },
	{ "data_len", SKB, "sk_buff", "data_len", BPF_W, NULL, NULL, { 0, 0, 0 } },
	{ "protocol", SKB, "sk_buff", "protocol", BPF_H, NULL, NULL, { 8, 0xdd86, 8 } },
	{ "mac_header", SKB, "sk_buff", "mac_header", BPF_H, NULL, NULL, { 64, 64, 0xffff } },
	{ "network_header", SKB, "sk_buff", "network_header", BPF_H, NULL, NULL, { 78, 78, 0 } },
	{ "transport_header",
	  SKB,
	  "sk_buff",
	  "transport_header",
	  BPF_H,
	  NULL,
	  NULL,
	  { 0xffff, 0xffff, 0xffff } },
	{ "tail", SKB, "sk_buff", "tail", BPF_W, NULL, NULL, { 128, 128, 128 } },
	{ "dev", SKB, "sk_buff", "dev", BPF_DW, "net_device", "ifindex", { 1, 1, 0 } },
	{ "skb's sk", SKB, "sk_buff", "sk", BPF_DW, NULL, NULL, { 0, 0, 0 } },
	{ "mark", SKB, "sk_buff", "mark", BPF_W, NULL, NULL, { 0, 0, 0 } },
};

/* r7 = a map's value, r6 = the context; stores one of the above in its slot. */
static u32 emit_seen(struct bpf_insn *insns, u32 i)
{
	const struct seen *one = &seen[i];
	u32 nr = 0;

	insns[nr++] = LOAD(BPF_DW, 1, 6, one->root);
	insns[nr++] = LOAD(one->size, 1, 1, offset_of(one->structure, one->member));
	if (one->further) {
		insns[nr++] = JEQ_K(1, 0, 1);
		insns[nr++] = LOAD(BPF_W, 1, 1, offset_of(one->further_structure, one->further));
	}
	insns[nr++] = INSN(BPF_STX | BPF_MEM | BPF_DW, 7, 1, (s16)(i * 8), 0);
	return nr;
}

static void sights(struct world *world)
{
	static const struct {
		u8 pf, hook;
		u16 protocol;
	} packets[] = { { 2, 0, 0x800 }, { 10, 4, 0x86dd }, { 2, 3, 0x800 } };
	struct bpf_insn insns[256];
	u64 values[ARRAY_SIZE(seen)];
	int map = world_map(world, BPF_MAP_TYPE_ARRAY, 4, sizeof(values), 1, 0);
	const struct bpf_insn start[] = { MOV_X(6, 1), LD_MAP(7, BPF_PSEUDO_MAP_VALUE, map) };
	const struct bpf_insn end[] = { MOV_K(0, 0), EXIT() };
	u32 nr = ARRAY_SIZE(start), key = 0;
	struct test test;
	char text[64];
	int prog;

	memcpy(insns, start, sizeof(start));
	for (u32 i = 0; i < ARRAY_SIZE(seen); i++)
		nr += emit_seen(&insns[nr], i);
	memcpy(&insns[nr], end, sizeof(end));
	prog = load(world, insns, nr + ARRAY_SIZE(end));
	expect(world, prog, FD, "nf: a program that looks around");
	for (u32 i = 0; i < ARRAY_SIZE(packets); i++) {
		test = test_of(packets[i].pf, packets[i].hook, packets[i].protocol);
		expect(world, run(world, prog, &test), 0, "nf: it runs");
		expect(world, test.ret_value, NF_DROP, "nf: and drops");
		world_lookup(world, map, &key, values);
		for (u32 k = 0; k < ARRAY_SIZE(seen); k++) {
			snprintf(text, sizeof(text), "nf: %s in packet %u", seen[k].name, i);
			expect(world, (long)values[k], (long)seen[k].want[i], text);
		}
	}
	world->close(world, prog);
	world->close(world, map);
}

/* Bytes of the packet, by a dynptr and by reading the kernel's memory. */
static void bytes(struct world *world)
{
	int map = world_map(world, BPF_MAP_TYPE_ARRAY, 4, 40, 1, 0);
	const s32 from_skb = (s32)btf_find(kernel, "bpf_dynptr_from_skb", BTF_KIND_FUNC);
	const s32 size_of = (s32)btf_find(kernel, "bpf_dynptr_size", BTF_KIND_FUNC);
	const struct bpf_insn insns[] = {
		MOV_X(6, 1), LD_MAP(7, BPF_PSEUDO_MAP_VALUE, map), LOAD(BPF_DW, 8, 6, SKB),
		MOV_X(1, 8), MOV_K(2, 0), MOV_X(3, 10), ADD_K(3, -16),
		INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_KFUNC_CALL, 0, from_skb),
		INSN(BPF_STX | BPF_MEM | BPF_DW, 7, 0, 0, 0), MOV_X(1, 10), ADD_K(1, -16),
		INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_KFUNC_CALL, 0, size_of),
		INSN(BPF_STX | BPF_MEM | BPF_DW, 7, 0, 8, 0),
		/* A word of it, by dynptr_read() */
		MOV_X(1, 7), ADD_K(1, 16), MOV_K(2, 4), MOV_X(3, 10), ADD_K(3, -16), MOV_K(4, 20),
		MOV_K(5, 0), CALL(BPF_FUNC_dynptr_read),
		/* A write is not for netfilter. */
		MOV_X(1, 10), ADD_K(1, -16), MOV_K(2, 0), MOV_X(3, 7), MOV_K(4, 4), MOV_K(5, 0),
		CALL(BPF_FUNC_dynptr_write), INSN(BPF_STX | BPF_MEM | BPF_DW, 7, 0, 24, 0),
		/* The same word, where the buffer says that it lies. */
		LOAD(BPF_DW, 3, 8, offset_of("sk_buff", "data")), ADD_K(3, 20), MOV_X(1, 7),
		ADD_K(1, 32), MOV_K(2, 4), CALL(BPF_FUNC_probe_read_kernel), MOV_K(0, 1), EXIT()
	};
	int prog = load(world, insns, ARRAY_SIZE(insns));
	struct test test = test_of(2, 0, 0x800);
	s64 values[5] = { 0 };
	u32 word, key = 0;

	expect(world, prog, FD, "nf: a program that reads the packet");
	expect(world, run(world, prog, &test), 0, "nf: it runs");
	world_lookup(world, map, &key, values);
	memcpy(&word, &test.data[34], 4);
	expect(world, values[0], 0, "nf: a dynptr");
	expect(world, values[1], 50, "nf: of the packet behind the Ethernet header");
	expect(world, (u32)values[2], word, "nf: its bytes");
	expect(world, values[3], -EINVAL, "nf: which cannot be written");
	expect(world, (u32)values[4], word, "nf: and lie where the socket buffer says");
	world->close(world, prog);
	world->close(world, map);
}

void scenario_netfilter(struct world *world)
{
	kernel = kernel_btf_read();
	if (!kernel) {
		tap_skip(1, "no BTF of the kernel");
		return;
	}
	checks(world);
	sights(world);
	bytes(world);
	btf_free((struct btf *)kernel);
}
