/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Program types against the running kernel, exhaustively: for each type and expected attach type
 * every access to the context (offset, size, read or write), accesses through the pointers that
 * it gives, every return value around the allowed range, and every helper number. Verdict and log
 * must be the kernel's. With an argument: only types whose name contains it, and the logs that
 * differ.
 */
#include "oracle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "abi/bpf_new.h"
#include "abi/helper.h"
#include "abi/struct_ops.h"
#include "abi/kfunc.h"
#include "btf/btf.h"
#include "harness/tap.h"

struct kind {
	const char *name;
	u32 prog_type, attach_type;
	const char *structure; /* struct_ops: "struct_ops/" and its name; tracing: the tracepoint */
	bool sleepable;
	bool calls_only; /* only what it may call is asked */
};

#define KIND(name, attach)                          \
	{                                           \
#name, BPF_PROG_TYPE_##name, attach \
	}

static const struct kind kinds[] = {
	KIND(SOCKET_FILTER, 0),
	KIND(SCHED_CLS, 0),
	KIND(SCHED_ACT, 0),
	KIND(XDP, 0),
	KIND(XDP, BPF_XDP_DEVMAP),
	KIND(XDP, BPF_XDP_CPUMAP),
	KIND(PERF_EVENT, 0),
	KIND(CGROUP_SKB, BPF_CGROUP_INET_INGRESS),
	KIND(CGROUP_SKB, BPF_CGROUP_INET_EGRESS),
	KIND(CGROUP_SOCK, BPF_CGROUP_INET_SOCK_CREATE),
	KIND(CGROUP_SOCK, BPF_CGROUP_INET_SOCK_RELEASE),
	KIND(CGROUP_SOCK, BPF_CGROUP_INET4_POST_BIND),
	KIND(CGROUP_SOCK, BPF_CGROUP_INET6_POST_BIND),
	KIND(LWT_IN, 0),
	KIND(LWT_OUT, 0),
	KIND(LWT_XMIT, 0),
	KIND(LWT_SEG6LOCAL, 0),
	KIND(SOCK_OPS, 0),
	KIND(SK_SKB, 0),
	KIND(SK_MSG, 0),
	KIND(CGROUP_DEVICE, 0),
	KIND(CGROUP_DEVICE, BPF_CGROUP_DEVICE),
	KIND(CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_BIND),
	KIND(CGROUP_SOCK_ADDR, BPF_CGROUP_INET6_BIND),
	KIND(CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_CONNECT),
	KIND(CGROUP_SOCK_ADDR, BPF_CGROUP_INET6_CONNECT),
	KIND(CGROUP_SOCK_ADDR, BPF_CGROUP_UDP4_SENDMSG),
	KIND(CGROUP_SOCK_ADDR, BPF_CGROUP_UDP6_SENDMSG),
	KIND(CGROUP_SOCK_ADDR, BPF_CGROUP_UDP4_RECVMSG),
	KIND(CGROUP_SOCK_ADDR, BPF_CGROUP_UDP6_RECVMSG),
	KIND(CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_GETPEERNAME),
	KIND(CGROUP_SOCK_ADDR, BPF_CGROUP_INET6_GETSOCKNAME),
	KIND(CGROUP_SOCK_ADDR, ABI_CGROUP_UNIX_CONNECT),
	KIND(CGROUP_SOCK_ADDR, ABI_CGROUP_UNIX_GETSOCKNAME),
	KIND(SK_REUSEPORT, BPF_SK_REUSEPORT_SELECT),
	KIND(SK_REUSEPORT, BPF_SK_REUSEPORT_SELECT_OR_MIGRATE),
	KIND(FLOW_DISSECTOR, 0),
	KIND(CGROUP_SYSCTL, 0),
	KIND(CGROUP_SYSCTL, BPF_CGROUP_SYSCTL),
	KIND(CGROUP_SOCKOPT, BPF_CGROUP_GETSOCKOPT),
	KIND(CGROUP_SOCKOPT, BPF_CGROUP_SETSOCKOPT),
	KIND(SK_LOOKUP, BPF_SK_LOOKUP),
	KIND(SYSCALL, 0),
	{ "NETFILTER", ABI_PROG_TYPE_NETFILTER, ABI_NETFILTER },
	{ "STRUCT_OPS", BPF_PROG_TYPE_STRUCT_OPS, 0, "struct_ops/tcp_congestion_ops" },
	{ "STRUCT_OPS", BPF_PROG_TYPE_STRUCT_OPS, 1, "struct_ops/tcp_congestion_ops" },
	{ "STRUCT_OPS", BPF_PROG_TYPE_STRUCT_OPS, 5, "struct_ops/tcp_congestion_ops", true },
	{ "STRUCT_OPS", BPF_PROG_TYPE_STRUCT_OPS, 7, "struct_ops/tcp_congestion_ops" },
	{ "STRUCT_OPS", BPF_PROG_TYPE_STRUCT_OPS, 10, "struct_ops/tcp_congestion_ops" },
	{ "STRUCT_OPS", BPF_PROG_TYPE_STRUCT_OPS, 11, "struct_ops/tcp_congestion_ops" },
	{ "STRUCT_OPS", BPF_PROG_TYPE_STRUCT_OPS, 40, "struct_ops/tcp_congestion_ops" },
	{ "STRUCT_OPS", BPF_PROG_TYPE_STRUCT_OPS, 0, "struct_ops/tcp_sock" },
	{ "STRUCT_OPS", BPF_PROG_TYPE_STRUCT_OPS, 0, "struct_ops/bpf_dummy_ops" },
	{ "STRUCT_OPS", BPF_PROG_TYPE_STRUCT_OPS, 1, "struct_ops/bpf_dummy_ops" },
	{ "STRUCT_OPS", BPF_PROG_TYPE_STRUCT_OPS, 1, "struct_ops/bpf_dummy_ops", true },
	{ "STRUCT_OPS", BPF_PROG_TYPE_STRUCT_OPS, 2, "struct_ops/bpf_dummy_ops", true },
	{ "KPROBE", BPF_PROG_TYPE_KPROBE, .calls_only = true },
	{ "TRACEPOINT", BPF_PROG_TYPE_TRACEPOINT, .calls_only = true },
	{ "RAW_TRACEPOINT", BPF_PROG_TYPE_RAW_TRACEPOINT, .calls_only = true },
	{ "RAW_TRACEPOINT_WRITABLE", BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE, .calls_only = true },
	{ "TRACING", BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP, "kfree_skb", .calls_only = true },
	{ "TRACING", BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER, "iter/task", .calls_only = true },
};

struct counts {
	u32 asked, accepted, verdicts, logs;
};

static struct text ours, theirs;
static bool show;

static struct bpf_insn insn(u8 code, u8 dst, u8 src, s16 off, s32 imm)
{
	return (struct bpf_insn){
		.code = code, .dst_reg = dst, .src_reg = src, .off = off, .imm = imm
	};
}

static struct bpf_insn move(u8 dst, s32 value)
{
	return insn(BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, value);
}

static struct bpf_insn leave(void)
{
	return insn(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

static u32 flags_of(const struct kind *kind)
{
	return CASE_ATTACH(kind->attach_type) |
	       (kind->prog_type == BPF_PROG_TYPE_SYSCALL || kind->sleepable ? CASE_SLEEPABLE : 0);
}

static void ask(const struct kind *kind, const struct bpf_insn *insns, u32 nr, const char *what,
		s32 detail, struct counts *counts)
{
	struct verify_case c = { .name = kind->name,
				 .prog_type = kind->prog_type,
				 .flags = flags_of(kind),
				 .tracepoint = kind->structure };
	int mine = oracle_skep(&c, insns, nr, 2, &ours);
	int kernel = oracle_kernel(&c, insns, nr, 2, &theirs);

	counts->asked++;
	counts->accepted += !kernel;
	if (mine != kernel) {
		if (!counts->verdicts++ || show)
			tap_note("%s attach %u %s %d: skep %d, kernel %d", kind->name,
				 kind->attach_type, what, detail, mine, kernel);
		return;
	}
	/* A pointer that 6.18 takes to be never null may be null here: its branches are two. */
	if ((counts->logs && !show) || kind->prog_type == ABI_PROG_TYPE_NETFILTER ||
	    kind->structure)
		return;
	if (!oracle_same(&ours, &theirs, false)) {
		counts->logs++;
		tap_note("^ %s attach %u %s %d", kind->name, kind->attach_type, what, detail);
	}
}

static u8 size_code(u32 size)
{
	return size == 1 ? BPF_B : size == 2 ? BPF_H : size == 4 ? BPF_W : BPF_DW;
}

static void report(const struct kind *kind, const char *what, const struct counts *counts)
{
	tap_ok(counts->asked && !counts->verdicts && !counts->logs,
	       "%s attach %u: %s: %u programs, %u accepted", kind->name, kind->attach_type, what,
	       counts->asked, counts->accepted);
	if (counts->verdicts)
		tap_note("%u verdicts differ", counts->verdicts);
}

static void context_accesses(const struct kind *kind)
{
	struct counts counts = { 0 };

	for (s32 off = -8; off < 264; off++) {
		for (u32 size = 1; size <= 8; size *= 2) {
			u8 code = BPF_MEM | size_code(size);
			struct bpf_insn reads[] = { insn(BPF_LDX | code, 0, 1, (s16)off, 0),
						    move(0, 1), leave() };
			struct bpf_insn signs[] = { insn(BPF_LDX | size_code(size) | 0x80, 0, 1,
							 (s16)off, 0),
						    move(0, 1), leave() };
			struct bpf_insn writes[] = { move(2, 0),
						     insn(BPF_STX | code, 1, 2, (s16)off, 0),
						     move(0, 1), leave() };

			ask(kind, reads, 3, "read of the context at", off, &counts);
			if (size < 8)
				ask(kind, signs, 3, "signed read of the context at", off, &counts);
			ask(kind, writes, 4, "write of the context at", off, &counts);
		}
	}
	report(kind, "context", &counts);
}

/* Where the pointers are in the context, and how they are read. */
struct pointer {
	u32 prog_type, offset, size;
};

static const struct pointer pointers[] = {
	{ BPF_PROG_TYPE_SOCKET_FILTER, offsetof(struct __sk_buff, sk), 8 },
	{ BPF_PROG_TYPE_SCHED_CLS, offsetof(struct __sk_buff, sk), 8 },
	{ BPF_PROG_TYPE_SK_SKB, offsetof(struct __sk_buff, sk), 8 },
	{ BPF_PROG_TYPE_SK_MSG, offsetof(struct sk_msg_md, sk), 8 },
	{ BPF_PROG_TYPE_SOCK_OPS, 184, 8 },
	{ BPF_PROG_TYPE_CGROUP_SOCK_ADDR, offsetof(struct bpf_sock_addr, sk), 8 },
	{ BPF_PROG_TYPE_SK_LOOKUP, 0, 8 },
	{ BPF_PROG_TYPE_SK_REUSEPORT, offsetof(struct sk_reuseport_md, sk), 8 },
	{ BPF_PROG_TYPE_SK_REUSEPORT, offsetof(struct sk_reuseport_md, migrating_sk), 8 },
	{ BPF_PROG_TYPE_FLOW_DISSECTOR, offsetof(struct __sk_buff, flow_keys), 8 },
	{ BPF_PROG_TYPE_SCHED_CLS, offsetof(struct __sk_buff, data), 4 },
	{ BPF_PROG_TYPE_CGROUP_SKB, offsetof(struct __sk_buff, data_end), 4 },
	{ BPF_PROG_TYPE_XDP, offsetof(struct xdp_md, data_meta), 4 },
	{ ABI_PROG_TYPE_NETFILTER, 0, 8 },
	{ ABI_PROG_TYPE_NETFILTER, 8, 8 },
	{ BPF_PROG_TYPE_STRUCT_OPS, 0, 8 },
	{ BPF_PROG_TYPE_STRUCT_OPS, 8, 8 },
};

/* What may be done with the pointer in R1: plain, tested against 0, moved. */
static void pointer_accesses(const struct kind *kind, const struct pointer *pointer)
{
	struct counts counts = { 0 };

	for (s32 off = -2; off < 84; off++) {
		for (u32 size = 1; size <= 8; size *= 2) {
			u8 code = BPF_MEM | size_code(size);
			struct bpf_insn body[] = {
				insn(BPF_LDX | BPF_MEM | size_code(pointer->size), 1, 1,
				     (s16)pointer->offset, 0),
				insn(BPF_JMP | BPF_JNE | BPF_K, 1, 0, 2, 0),
				move(0, 1),
				leave(),
				insn(BPF_LDX | code, 0, 1, (s16)off, 0),
				move(0, 1),
				leave(),
			};
			struct bpf_insn bare[] = { body[0], body[4], body[5], body[6] };

			ask(kind, body, 7, "read through a pointer at", off, &counts);
			ask(kind, bare, 4, "read without a test at", off, &counts);
			body[4] = insn(BPF_ST | code, 1, 0, (s16)off, 0);
			ask(kind, body, 7, "write through a pointer at", off, &counts);
			body[4] = insn(BPF_ALU64 | BPF_ADD | BPF_K, 1, 0, 0, off);
			ask(kind, body, 7, "pointer plus", off, &counts);
			body[4] = insn(BPF_STX | BPF_ATOMIC | BPF_DW, 1, 1, (s16)off, BPF_ADD);
			ask(kind, body, 7, "atomic at", off, &counts);
		}
	}
	report(kind, "pointers", &counts);
}

/* Writes everywhere in the structure that the first argument points to. */
static void structure_writes(const struct kind *kind)
{
	struct counts counts = { 0 };

	for (s32 off = 0; off < 3000; off++) {
		for (u32 size = 1; size <= 8; size *= 2) {
			struct bpf_insn body[] = {
				insn(BPF_LDX | BPF_MEM | BPF_DW, 1, 1, 0, 0),
				insn(BPF_ST | BPF_MEM | size_code(size), 1, 0, (s16)off, 0),
				move(0, 1),
				leave(),
			};

			ask(kind, body, 4, "write at", off, &counts);
		}
	}
	report(kind, "writes", &counts);
}

/* Packet bytes between data and data_end, read and written. */
static void packet_accesses(const struct kind *kind, u32 data, u32 end, u32 size)
{
	struct counts counts = { 0 };

	for (s32 off = -1; off < 18; off++) {
		u8 load = BPF_LDX | BPF_MEM | size_code(size);
		struct bpf_insn body[] = {
			insn(load, 2, 1, (s16)data, 0),
			insn(load, 3, 1, (s16)end, 0),
			insn(BPF_ALU64 | BPF_MOV | BPF_X, 4, 2, 0, 0),
			insn(BPF_ALU64 | BPF_ADD | BPF_K, 4, 0, 0, 14),
			insn(BPF_JMP | BPF_JGT | BPF_X, 4, 3, 1, 0),
			insn(BPF_LDX | BPF_MEM | BPF_H, 0, 2, (s16)off, 0),
			move(0, 1),
			leave(),
		};

		ask(kind, body, 8, "packet read at", off, &counts);
		body[5] = insn(BPF_ST | BPF_MEM | BPF_H, 2, 0, (s16)off, 1);
		ask(kind, body, 8, "packet write at", off, &counts);
	}
	report(kind, "packet", &counts);
}

static void return_values(const struct kind *kind)
{
	struct counts counts = { 0 };

	for (s32 value = -3; value < 8; value++) {
		struct bpf_insn body[] = { move(0, value), leave() };
		struct bpf_insn unknown[] = {
			insn(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_ktime_get_ns),
			insn(BPF_ALU64 | BPF_AND | BPF_K, 0, 0, 0, value), leave()
		};

		ask(kind, body, 2, "return", value, &counts);
		ask(kind, unknown, 3, "return of a number with the bits", value, &counts);
	}
	{
		struct bpf_insn context[] = { insn(BPF_ALU64 | BPF_MOV | BPF_X, 0, 1, 0, 0),
					      leave() };

		ask(kind, context, 2, "return of the context", 0, &counts);
	}
	report(kind, "return values", &counts);
}

static void packet_loads(const struct kind *kind)
{
	struct counts counts = { 0 };
	struct bpf_insn body[] = { insn(BPF_ALU64 | BPF_MOV | BPF_X, 6, 1, 0, 0),
				   insn(BPF_LD | BPF_ABS | BPF_H, 0, 0, 0, 12), move(0, 1),
				   leave() };

	ask(kind, body, 4, "LD_ABS", 0, &counts);
	body[1] = insn(BPF_LD | BPF_IND | BPF_W, 0, 1, 0, 12);
	ask(kind, body, 4, "LD_IND", 0, &counts);
	report(kind, "LD_ABS and LD_IND", &counts);
}

static bool may_call(const struct kind *kind, u32 id)
{
	/* Of the only member for which it is otherwise there is a case. */
	const char *member = "cong_avoid";
	const struct abi_struct_ops *ops;

	if (kind->prog_type != BPF_PROG_TYPE_STRUCT_OPS)
		return abi_helper_allowed(id, kind->prog_type, kind->attach_type);
	ops = abi_struct_ops_find(strchr(kind->structure, '/') + 1);
	return ops && ops->helpers && abi_struct_ops_helper(member, id);
}

/* May only programs under the GPL call it? */
static bool gpl_only(const struct kind *kind, u32 id)
{
	const struct abi_helper *helper = abi_helper_for(id, kind->prog_type);

	return helper && helper->gpl_only;
}

/* Does the kernel let this type call the helper, under which license? Its arguments are never
 * right. */
static void helpers(const struct kind *kind)
{
	struct verify_case c = { .name = kind->name,
				 .prog_type = kind->prog_type,
				 .flags = flags_of(kind),
				 .tracepoint = kind->structure };
	struct verify_case free = c;
	u32 differ = 0, allowed = 0;

	free.flags |= CASE_NOT_GPL;
	for (u32 id = 1; id <= 211; id++) {
		struct bpf_insn body[] = { insn(BPF_JMP | BPF_CALL, 0, 0, 0, (s32)id), move(0, 1),
					   leave() };
		bool kernel, skep = may_call(kind, id);

		oracle_kernel(&c, body, 3, 2, &theirs);
		kernel = !strstr(theirs.text, "cannot use helper");
		allowed += kernel;
		if (kernel && skep) {
			oracle_kernel(&free, body, 3, 2, &theirs);
			kernel = strstr(theirs.text, "GPL-restricted");
			skep = gpl_only(kind, id);
		}
		if (kernel == skep)
			continue;
		if (!differ++ || show)
			tap_note("helper %u: skep %s, kernel %s", id, skep ? "yes" : "no",
				 kernel ? "yes" : "no");
	}
	tap_ok(!differ, "%s attach %u: the %u helpers that it may call", kind->name,
	       kind->attach_type, allowed);
}

/* Does the kernel let this type call the kernel functions that are here? */
static void kfuncs(const struct kind *kind)
{
	struct verify_case c = { .name = kind->name,
				 .prog_type = kind->prog_type,
				 .flags = flags_of(kind),
				 .tracepoint = kind->structure };
	const struct btf *btf = oracle_kernel_btf();
	u32 differ = 0, allowed = 0;

	if (!btf) {
		tap_skip(1, "%s: the kernel shows no BTF here", kind->name);
		return;
	}
	for (u32 id = 0; id < ABI_NR_KFUNCS; id++) {
		const struct abi_kfunc *kfunc = abi_kfunc_by_id(id);
		struct bpf_insn body[] = { insn(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_KFUNC_CALL, 0,
						(s32)btf_find(btf, kfunc->name, BTF_KIND_FUNC)),
					   move(0, 1), leave() };
		bool kernel, skep = abi_kfunc_allowed(kfunc, kind->prog_type, kind->attach_type);

		oracle_kernel(&c, body, 3, 2, &theirs);
		/* It did not come to look at the call. */
		if (!strstr(theirs.text, "\n0: (85) call"))
			continue;
		kernel = !strstr(theirs.text, "is not allowed");
		allowed += kernel;
		/* 6.18 lists functions of a context that the type does not have. */
		if (kernel == skep ||
		    (kernel && (kfunc->arg[0] == KARG_CTX || kfunc->arg[0] == KARG_SKB)))
			continue;
		if (!differ++ || show)
			tap_note("%s: skep %s, kernel %s", kfunc->name, skep ? "yes" : "no",
				 kernel ? "yes" : "no");
	}
	tap_ok(!differ, "%s attach %u: the %u kernel functions that it may call", kind->name,
	       kind->attach_type, allowed);
}

static bool is_loadable(const struct kind *kind)
{
	struct verify_case c = { .name = kind->name,
				 .prog_type = kind->prog_type,
				 .flags = flags_of(kind),
				 .tracepoint = kind->structure };
	struct bpf_insn body[] = { move(0, 1), leave() };

	return !kind->structure || !oracle_kernel(&c, body, 2, 0, &theirs);
}

int main(int argc, char **argv)
{
	show = argc > 1;
	ours.text = malloc(ORACLE_LOG_MAX);
	theirs.text = malloc(ORACLE_LOG_MAX);
	if (!ours.text || !theirs.text)
		tap_bail("no memory");
	if (!oracle_open()) {
		tap_skip(1, "no comparison with the kernel: it takes no programs here");
		return tap_done();
	}
	for (u32 i = 0; i < ARRAY_SIZE(kinds); i++) {
		const struct kind *kind = &kinds[i];

		if (show && !strstr(kind->name, argv[1]))
			continue;
		if (kind->calls_only) {
			helpers(kind);
			kfuncs(kind);
			continue;
		}
		context_accesses(kind);
		for (u32 j = 0; j < ARRAY_SIZE(pointers); j++)
			if (pointers[j].prog_type == kind->prog_type)
				pointer_accesses(kind, &pointers[j]);
		switch (kind->prog_type) {
		case BPF_PROG_TYPE_XDP: packet_accesses(kind, 0, 4, 4); break;
		case BPF_PROG_TYPE_SK_MSG:
		case BPF_PROG_TYPE_SK_REUSEPORT: packet_accesses(kind, 0, 8, 8); break;
		case BPF_PROG_TYPE_SOCK_OPS: packet_accesses(kind, 192, 200, 8); break;
		case BPF_PROG_TYPE_CGROUP_SOCKOPT: packet_accesses(kind, 8, 16, 8); break;
		default: packet_accesses(kind, 76, 80, 4);
		}
		if (kind->structure && kind->attach_type == 5)
			structure_writes(kind);
		return_values(kind);
		packet_loads(kind);
		if (is_loadable(kind))
			helpers(kind);
		kfuncs(kind);
	}
	free(ours.text);
	free(theirs.text);
	return tap_done();
}
