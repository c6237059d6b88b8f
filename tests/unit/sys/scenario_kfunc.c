/* SPDX-License-Identifier: BSD-2-Clause */
/* See scenario.h: what kernel functions answer to programs that are run on a packet of zeros. */
#include "scenario.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "btf/btf.h"
#include "harness/kernel_btf.h"

#define PACKET 64
#define STEPS  4

/* The result of a program, or of its load - 1000. */
static long run(struct world *world, u32 type, const struct bpf_insn *insns, u32 nr)
{
	int prog = world_prog(world, type, insns, nr);
	long result;

	if (prog < 0)
		return prog - 1000;
	result = scenario_run(world, prog);
	world->close(world, prog);
	return result;
}

/* A member of the kernel's structure behind the context; of what that points to, and so on. */
struct walk {
	u32 type;
	long want;
	struct {
		const char *structure, *member;
	} steps[STEPS];
};

static const struct walk walks[] = {
	{ BPF_PROG_TYPE_SCHED_CLS, PACKET, { { "sk_buff", "len" } } },
	{ BPF_PROG_TYPE_SOCKET_FILTER, PACKET - 14, { { "sk_buff", "len" } } },
	{ BPF_PROG_TYPE_SCHED_ACT, 0, { { "sk_buff", "data_len" } } },
	{ BPF_PROG_TYPE_SCHED_CLS, 0x400, { { "sk_buff", "protocol" } } },
	{ BPF_PROG_TYPE_SCHED_CLS, 1, { { "sk_buff", "users.refs.counter" } } },
	{ BPF_PROG_TYPE_SCHED_CLS, 0xffff, { { "sk_buff", "transport_header" } } },
	{ BPF_PROG_TYPE_SCHED_CLS, 1, { { "sk_buff", "dev" }, { "net_device", "ifindex" } } },
	{ BPF_PROG_TYPE_SCHED_CLS, 0x6f6c, { { "sk_buff", "dev" }, { "net_device", "name" } } },
	{ BPF_PROG_TYPE_XDP, 4096, { { "xdp_buff", "frame_sz" } } },
	{ BPF_PROG_TYPE_XDP, 0, { { "xdp_buff", "rxq" }, { "xdp_rxq_info", "queue_index" } } },
	{ BPF_PROG_TYPE_XDP,
	  1,
	  { { "xdp_buff", "rxq" }, { "xdp_rxq_info", "dev" }, { "net_device", "ifindex" } } },
	{ BPF_PROG_TYPE_RAW_TRACEPOINT, -1000 - EINVAL, { { "xdp_buff", "frame_sz" } } },
	{ BPF_PROG_TYPE_TRACEPOINT, -1000 - EINVAL, { { "xdp_buff", "frame_sz" } } },
};

static long walk(struct world *world, const struct btf *btf, const struct walk *w)
{
	struct bpf_insn insns[STEPS + 4];
	u32 nr = 0;

	insns[nr++] = KFUNC(btf, "bpf_cast_to_kern_ctx");
	for (u32 i = 0; i < STEPS && w->steps[i].member; i++) {
		u32 offset, bits, size;

		if (!btf_find_path(btf, w->steps[i].structure, w->steps[i].member, &offset, &bits))
			return -ENOENT;
		size = bits == 64 ? BPF_DW : bits == 32 ? BPF_W : BPF_H; /* of a text, its start */
		insns[nr++] = LOAD(size, 0, 0, (s16)(offset / 8));
	}
	insns[nr++] = EXIT();
	return run(world, w->type, insns, nr);
}

/* A word less another one, of the structure behind an XDP program's context. */
static long distance(struct world *world, const struct btf *btf, const char *from, const char *to)
{
	struct bpf_insn insns[] = {
		KFUNC(btf, "bpf_cast_to_kern_ctx"),
		LOAD(BPF_DW, 1, 0, 0),
		LOAD(BPF_DW, 0, 0, 0),
		INSN(BPF_ALU64 | BPF_SUB | BPF_X, 0, 1, 0, 0),
		EXIT(),
	};
	u32 offset, bits;

	if (!btf_find_path(btf, "xdp_buff", from, &offset, &bits))
		return -ENOENT;
	insns[1].off = (s16)(offset / 8);
	if (!btf_find_path(btf, "xdp_buff", to, &offset, &bits))
		return -ENOENT;
	insns[2].off = (s16)(offset / 8);
	return run(world, BPF_PROG_TYPE_XDP, insns, ARRAY_SIZE(insns));
}

static void casts(struct world *world, const struct btf *btf)
{
	/* The call leaves registers alone, so that compilers keep them around it for old kernels
	 * only. */
	const struct bpf_insn keeps[] = {
		MOV_K(2, 7),
		INSN(BPF_STX | BPF_MEM | BPF_DW, 10, 2, -8, 0),
		KFUNC(btf, "bpf_cast_to_kern_ctx"),
		LOAD(BPF_DW, 2, 10, -8),
		MOV_X(0, 2),
		EXIT(),
	};

	const struct bpf_insn mark[] = {
		MOV_X(6, 1),
		STORE_K(BPF_W, 1, offsetof(struct __sk_buff, mark), 5),
		KFUNC(btf, "bpf_cast_to_kern_ctx"),
		LOAD(BPF_W, 0, 0, 0),
		EXIT(),
	};
	struct bpf_insn marked[ARRAY_SIZE(mark)];
	struct stat status;
	u32 offset, bits;

	for (u32 i = 0; i < ARRAY_SIZE(walks); i++)
		expect(world, walk(world, btf, &walks[i]), walks[i].want, walks[i].steps[0].member);
	expect(world, distance(world, btf, "data", "data_end"), PACKET, "cast: a packet's end");
	expect(world, distance(world, btf, "data_hard_start", "data"), 256, "cast: its headroom");
	expect(world, distance(world, btf, "data_meta", "data"), 0, "cast: its metadata");
	expect(world, run(world, BPF_PROG_TYPE_XDP, keeps, ARRAY_SIZE(keeps)), 7,
	       "cast: registers");
	for (u32 i = 0; i < ARRAY_SIZE(mark); i++)
		marked[i] = mark[i];
	expect(world, btf_find_path(btf, "sk_buff", "mark", &offset, &bits), true, "cast: mark");
	marked[3].off = (s16)(offset / 8);
	expect(world, run(world, BPF_PROG_TYPE_SCHED_CLS, marked, ARRAY_SIZE(marked)), 5,
	       "cast: what was written before");
	if (!stat("/proc/self/ns/net", &status))
		expect(world,
		       walk(world, btf,
			    &(struct walk){ BPF_PROG_TYPE_XDP,
					    0,
					    { { "xdp_buff", "rxq" },
					      { "xdp_rxq_info", "dev" },
					      { "net_device", "nd_net.net" },
					      { "net", "ns.inum" } } }),
		       (long)status.st_ino, "cast: the network namespace");
}

/* What a program asks a table of connections, and the error that it is told. */
struct question {
	const char *name, *lookup;
	u32 type;
	s32 tuple_size, options_size;
	u32 options[4]; /* netns_id, error, protocol …, zone's direction … */
	long error;
};

#define HERE	 ((u32)-1)
#define PROTOCOL 17
#define XDP	 "bpf_xdp_ct_lookup", BPF_PROG_TYPE_XDP
#define SKB	 "bpf_skb_ct_lookup", BPF_PROG_TYPE_SCHED_CLS

static const struct question questions[] = {
	{ "connection", XDP, 12, 16, { HERE, 0, PROTOCOL }, ENOENT },
	{ "connection of a packet", SKB, 36, 12, { HERE, 0, PROTOCOL }, ENOENT },
	{ "connection: another size", XDP, 16, 16, { HERE, 0, PROTOCOL }, EAFNOSUPPORT },
	{ "connection: options too short", SKB, 12, 8, { HERE, 0, PROTOCOL }, EINVAL },
	{ "connection: no protocol", XDP, 12, 16, { HERE }, EPROTO },
	{ "connection: no namespace", SKB, 12, 16, { 77777, 0, PROTOCOL }, ENONET },
	{ "connection: a wrong namespace", XDP, 12, 16, { (u32)-2, 0, PROTOCOL }, EINVAL },
	{ "connection: neither", XDP, 12, 16, { (u32)-2, 0, 1 }, EPROTO },
	{ "connection: reserved", SKB, 12, 16, { HERE, 0, PROTOCOL, 256 }, EINVAL },
	{ "connection: a zone", XDP, 12, 16, { HERE, 0, PROTOCOL | 5 << 16 }, ENOENT },
	{ "connection: a zone without room", XDP, 12, 12, { HERE, 0, PROTOCOL | 5 << 16 }, EINVAL },
	{ "new: another size",
	  "bpf_xdp_ct_alloc",
	  BPF_PROG_TYPE_XDP,
	  16,
	  16,
	  { HERE, 0, PROTOCOL },
	  EAFNOSUPPORT },
	{ "new: neither",
	  "bpf_skb_ct_alloc",
	  BPF_PROG_TYPE_SCHED_CLS,
	  12,
	  16,
	  { (u32)-2, 0, 1 },
	  EINVAL },
	{ "new: no protocol",
	  "bpf_skb_ct_alloc",
	  BPF_PROG_TYPE_SCHED_CLS,
	  12,
	  16,
	  { HERE },
	  EPROTO },
};

static long ask(struct world *world, const struct btf *btf, const struct question *q)
{
	bool alloc = strstr(q->lookup, "alloc");
	const struct bpf_insn insns[] = {
		STORE_K(BPF_W, 10, -16, (s32)q->options[0]),
		STORE_K(BPF_W, 10, -12, (s32)q->options[1]),
		STORE_K(BPF_W, 10, -8, (s32)q->options[2]),
		STORE_K(BPF_W, 10, -4, (s32)q->options[3]),
		STORE_K(BPF_DW, 10, -24, 0),
		STORE_K(BPF_DW, 10, -32, 0),
		STORE_K(BPF_DW, 10, -40, 0),
		STORE_K(BPF_DW, 10, -48, 0),
		STORE_K(BPF_DW, 10, -56, 0),
		MOV_X(2, 10),
		ADD_K(2, -56),
		MOV_K(3, q->tuple_size),
		MOV_X(4, 10),
		ADD_K(4, -16),
		MOV_K(5, q->options_size),
		KFUNC(btf, q->lookup),
		JEQ_K(0, 0, alloc ? 6 : 4),
		MOV_X(1, 0),
		KFUNC(btf, alloc ? "bpf_ct_insert_entry" : "bpf_ct_release"),
		alloc ? JEQ_K(0, 0, 2) : MOV_K(0, 99),
		alloc ? MOV_X(1, 0) : EXIT(),
		KFUNC(btf, "bpf_ct_release"),
		MOV_K(0, 99),
		LOAD(BPF_W, 1, 10, -12),
		MOV_K(0, 0),
		INSN(BPF_ALU | BPF_SUB | BPF_X, 0, 1, 0, 0),
		EXIT(),
	};
	struct bpf_insn found[ARRAY_SIZE(insns)];
	u32 nr = 0;

	for (u32 i = 0; i < ARRAY_SIZE(insns); i++)
		if (alloc || (i != 21 && i != 22))
			found[nr++] = insns[i];
	return run(world, q->type, found, nr);
}

static void connections(struct world *world, const struct btf *btf)
{
	if (!btf_find(btf, "bpf_xdp_ct_lookup", BTF_KIND_FUNC)) {
		tap_skip(1, "%s: the kernel tracks no connections", world->name);
		return;
	}
	for (u32 i = 0; i < ARRAY_SIZE(questions); i++)
		expect(world, ask(world, btf, &questions[i]), questions[i].error,
		       questions[i].name);
}

/* A signal to the client itself. */
static long send(struct world *world, const struct btf *btf, s32 signal, s32 type)
{
	const struct bpf_insn insns[] = {
		CALL(BPF_FUNC_get_current_task_btf),
		MOV_X(1, 0),
		MOV_K(2, signal),
		MOV_K(3, type),
		MOV_K(4, 0),
		KFUNC(btf, "bpf_send_signal_task"),
		INSN(BPF_ALU64 | BPF_NEG, 0, 0, 0, 0),
		EXIT(),
	};

	return run(world, BPF_PROG_TYPE_SCHED_CLS, insns, ARRAY_SIZE(insns));
}

static void signals(struct world *world, const struct btf *btf)
{
	if (!btf_find(btf, "bpf_send_signal_task", BTF_KIND_FUNC)) {
		tap_skip(1, "%s: the kernel has no such signals", world->name);
		return;
	}
	expect(world, send(world, btf, 0, 0), 0, "signal: none, to the thread");
	expect(world, send(world, btf, 0, 1), 0, "signal: none, to the process");
	expect(world, send(world, btf, 0, 2), EINVAL, "signal: to a group");
	expect(world, send(world, btf, 65, 0), EINVAL, "signal: there is no such one");
}

/*
 * So much of a packet of LONG bytes is pulled: 0, or what is wrong. Then it has that length, up to
 * its last byte, or what was there if it was longer.
 */
#define LONG   6000
#define LINEAR (4096 - 256 - 320) /* at first */

static long pull(struct world *world, const struct btf *btf, s32 length, bool last)
{
	const struct bpf_insn insns[] = {
		MOV_X(6, 1),
		MOV_K(2, length),
		KFUNC(btf, "bpf_xdp_pull_data"),
		JEQ_K(0, 0, 2),
		INSN(BPF_ALU64 | BPF_NEG, 0, 0, 0, 0),
		EXIT(),
		LOAD(BPF_W, 1, 6, offsetof(struct xdp_md, data)),
		LOAD(BPF_W, 2, 6, offsetof(struct xdp_md, data_end)),
		MOV_X(0, 2),
		INSN(BPF_ALU64 | BPF_SUB | BPF_X, 0, 1, 0, 0),
		last ? MOV_X(3, 1) : EXIT(),
		ADD_K(3, length),
		JGT_X(3, 2, 1),
		LOAD(BPF_B, 0, 3, -1),
		EXIT(),
	};
	static u8 data[LONG];
	union abi_attr attr =
		world_prog_attr(BPF_PROG_TYPE_XDP, insns, last ? ARRAY_SIZE(insns) : 11);
	long prog, result;

	for (u32 i = 0; i < LONG; i++)
		data[i] = (u8)(i * 7);
	attr.load.prog_flags = BPF_F_XDP_HAS_FRAGS;
	prog = world_call(world, BPF_PROG_LOAD, &attr);
	if (prog < 0)
		return prog - 1000;
	attr = (union abi_attr){ .test.prog_fd = (u32)prog,
				 .test.data_in = ADDRESS(data),
				 .test.data_size_in = LONG,
				 .test.data_out = ADDRESS(data),
				 .test.data_size_out = LONG };
	result = world_call(world, BPF_PROG_TEST_RUN, &attr);
	for (u32 i = 0; i < LONG && !result; i++)
		result = data[i] == (u8)(i * 7) ? 0 : -EBADMSG;
	world->close(world, (int)prog);
	return result ? result : (long)attr.test.retval;
}

static void pulls(struct world *world, const struct btf *btf)
{
	if (!btf_find(btf, "bpf_xdp_pull_data", BTF_KIND_FUNC)) {
		tap_skip(1, "%s: the kernel pulls no data", world->name);
		return;
	}
	expect(world, pull(world, btf, 0, false), LINEAR, "pull: nothing");
	expect(world, pull(world, btf, LINEAR, false), LINEAR, "pull: what is there");
	expect(world, pull(world, btf, LINEAR + 80, false), LINEAR + 80, "pull: from behind");
	expect(world, pull(world, btf, LINEAR + 80, true), (u8)((LINEAR + 79) * 7), "pull: a byte");
	expect(world, pull(world, btf, LINEAR + 216, false), LINEAR + 216, "pull: all the room");
	expect(world, pull(world, btf, LINEAR + 217, false), EINVAL, "pull: more");
	expect(world, pull(world, btf, LONG + 1, false), EINVAL, "pull: more than there is");
}

/* The size of the metadata of a packet that came without. */
static void metadata(struct world *world, const struct btf *btf)
{
	struct bpf_insn insns[] = {
		MOV_K(2, 0),	MOV_X(3, 10),
		ADD_K(3, -16),	KFUNC(btf, "bpf_dynptr_from_skb_meta"),
		JEQ_K(0, 0, 2), INSN(BPF_ALU64 | BPF_NEG, 0, 0, 0, 0),
		EXIT(),		MOV_X(1, 10),
		ADD_K(1, -16),	KFUNC(btf, "bpf_dynptr_size"),
		EXIT(),
	};

	if (!btf_find(btf, "bpf_dynptr_from_skb_meta", BTF_KIND_FUNC)) {
		tap_skip(1, "%s: the kernel has no dynptrs of metadata", world->name);
		return;
	}
	expect(world, run(world, BPF_PROG_TYPE_SCHED_CLS, insns, ARRAY_SIZE(insns)), 0,
	       "metadata: none");
	insns[0].imm = 1;
	expect(world, run(world, BPF_PROG_TYPE_SCHED_CLS, insns, ARRAY_SIZE(insns)), EINVAL,
	       "metadata: a flag");
}

/* What the root of all cgroups has as the attribute of this name: an error, or NO_CGROUP. */
#define NO_CGROUP 777

static long attribute(struct world *world, const struct btf *btf, const char *name)
{
	char text[32] = { 0 };
	u32 key = 0;
	int names = world_map(world, BPF_MAP_TYPE_ARRAY, 4, sizeof(text), 1, BPF_F_RDONLY_PROG);
	int values = world_map(world, BPF_MAP_TYPE_ARRAY, 4, 64, 1, 0);
	const struct bpf_insn insns[] = {
		LD_MAP(1, BPF_PSEUDO_MAP_VALUE, values),
		MOV_K(2, 64),
		MOV_K(3, 0),
		MOV_X(4, 10),
		ADD_K(4, -16),
		CALL(BPF_FUNC_dynptr_from_mem),
		MOV_K(1, 1),
		KFUNC(btf, "bpf_cgroup_from_id"),
		MOV_X(6, 0),
		MOV_K(0, NO_CGROUP),
		JEQ_K(6, 0, 11),
		MOV_X(1, 6),
		LD_MAP(2, BPF_PSEUDO_MAP_VALUE, names),
		MOV_X(3, 10),
		ADD_K(3, -16),
		KFUNC(btf, "bpf_cgroup_read_xattr"),
		MOV_X(7, 0),
		MOV_X(1, 6),
		KFUNC(btf, "bpf_cgroup_release"),
		MOV_X(0, 7),
		INSN(BPF_ALU64 | BPF_NEG, 0, 0, 0, 0),
		EXIT(),
	};
	union abi_attr attr = { .elem.map_fd = (u32)names };
	long result;

	strcpy(text, name);
	expect(world, world_update(world, names, &key, text, 0), 0, "attribute: its name");
	expect(world, world_call(world, BPF_MAP_FREEZE, &attr), 0, "attribute: constant");
	result = run(world, BPF_PROG_TYPE_SCHED_CLS, insns, ARRAY_SIZE(insns));
	world->close(world, names);
	world->close(world, values);
	return result;
}

static void attributes(struct world *world, const struct btf *btf)
{
	if (!btf_find(btf, "bpf_cgroup_read_xattr", BTF_KIND_FUNC) ||
	    attribute(world, btf, "user.skep-none") == NO_CGROUP) {
		tap_skip(1, "%s: no cgroup with attributes", world->name);
		return;
	}
	expect(world, attribute(world, btf, "user.skep-none"), ENODATA, "attribute: none");
	expect(world, attribute(world, btf, "security.skep"), EPERM, "attribute: not a user's");
}

void scenario_kfunc(struct world *world)
{
	static struct btf *btf;

	btf = btf ? btf : kernel_btf_read();
	if (!btf || !btf_find(btf, "bpf_cast_to_kern_ctx", BTF_KIND_FUNC)) {
		tap_skip(1, "%s: the kernel has no such functions", world->name);
		return;
	}
	casts(world, btf);
	connections(world, btf);
	signals(world, btf);
	pulls(world, btf);
	metadata(world, btf);
	attributes(world, btf);
}
