/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Asks the kernel that it runs on what it takes, by loading small programs, and prints the answers
 * as lines of text that can be compared between kernels: program types with the expected attach
 * types they load with, helpers and kfuncs with the program types that may call them, context
 * accesses, map types, instructions. As process 1 of an otherwise empty machine (an initramfs) it
 * mounts what it needs and powers off at the end.
 *
 * Argument, or /kfuncs: a file with a name of a kfunc a line.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <bpf/btf.h>
#include <linux/bpf.h>

#define LOG_SIZE      65536
#define HELPERS_MAX   260
#define ATTACH_MAX    60
#define MAP_TYPES_MAX 40
#define CTX_MAX	      264
#define ATTR_SIZE     144 /* the kernel takes zeros beyond what it knows */

/* A program type as it can be loaded. With btf: attached to that type of the kernel's BTF. */
struct kind {
	const char *name;
	unsigned type, attach, flags;
	const char *btf_prefix, *btf_name;
	int btf_kind;
	unsigned btf_id;
	bool loads;
	int ret; /* a return value that it may have */
};

#define NETFILTER 32
#define SLEEPABLE (1u << 4)

static struct kind kinds[] = {
	{ .name = "socket_filter", .type = BPF_PROG_TYPE_SOCKET_FILTER },
	{ .name = "kprobe", .type = BPF_PROG_TYPE_KPROBE },
	{ .name = "sched_cls", .type = BPF_PROG_TYPE_SCHED_CLS },
	{ .name = "sched_act", .type = BPF_PROG_TYPE_SCHED_ACT },
	{ .name = "tracepoint", .type = BPF_PROG_TYPE_TRACEPOINT },
	{ .name = "xdp", .type = BPF_PROG_TYPE_XDP },
	{ .name = "perf_event", .type = BPF_PROG_TYPE_PERF_EVENT },
	{ .name = "cgroup_skb", .type = BPF_PROG_TYPE_CGROUP_SKB },
	{ .name = "cgroup_sock",
	  .type = BPF_PROG_TYPE_CGROUP_SOCK,
	  .attach = BPF_CGROUP_INET_SOCK_CREATE },
	{ .name = "lwt_in", .type = BPF_PROG_TYPE_LWT_IN },
	{ .name = "lwt_out", .type = BPF_PROG_TYPE_LWT_OUT },
	{ .name = "lwt_xmit", .type = BPF_PROG_TYPE_LWT_XMIT },
	{ .name = "sock_ops", .type = BPF_PROG_TYPE_SOCK_OPS },
	{ .name = "sk_skb", .type = BPF_PROG_TYPE_SK_SKB },
	{ .name = "cgroup_device", .type = BPF_PROG_TYPE_CGROUP_DEVICE },
	{ .name = "sk_msg", .type = BPF_PROG_TYPE_SK_MSG },
	{ .name = "raw_tracepoint", .type = BPF_PROG_TYPE_RAW_TRACEPOINT },
	{ .name = "cgroup_sock_addr",
	  .type = BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
	  .attach = BPF_CGROUP_INET4_CONNECT },
	{ .name = "lwt_seg6local", .type = BPF_PROG_TYPE_LWT_SEG6LOCAL },
	{ .name = "lirc_mode2", .type = BPF_PROG_TYPE_LIRC_MODE2 },
	{ .name = "sk_reuseport",
	  .type = BPF_PROG_TYPE_SK_REUSEPORT,
	  .attach = BPF_SK_REUSEPORT_SELECT },
	{ .name = "flow_dissector", .type = BPF_PROG_TYPE_FLOW_DISSECTOR },
	{ .name = "cgroup_sysctl", .type = BPF_PROG_TYPE_CGROUP_SYSCTL },
	{ .name = "raw_tracepoint_writable", .type = BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE },
	{ .name = "cgroup_sockopt",
	  .type = BPF_PROG_TYPE_CGROUP_SOCKOPT,
	  .attach = BPF_CGROUP_SETSOCKOPT },
	{ .name = "sk_lookup", .type = BPF_PROG_TYPE_SK_LOOKUP, .attach = BPF_SK_LOOKUP },
	{ .name = "syscall", .type = BPF_PROG_TYPE_SYSCALL, .flags = SLEEPABLE },
	{ .name = "netfilter", .type = NETFILTER, .attach = 45 },
	{ .name = "tracing/raw_tp",
	  .type = BPF_PROG_TYPE_TRACING,
	  .attach = BPF_TRACE_RAW_TP,
	  .btf_prefix = "btf_trace_",
	  .btf_name = "sched_switch",
	  .btf_kind = BTF_KIND_TYPEDEF },
	{ .name = "tracing/fentry",
	  .type = BPF_PROG_TYPE_TRACING,
	  .attach = BPF_TRACE_FENTRY,
	  .btf_name = "bpf_fentry_test1",
	  .btf_kind = BTF_KIND_FUNC },
	{ .name = "tracing/fexit",
	  .type = BPF_PROG_TYPE_TRACING,
	  .attach = BPF_TRACE_FEXIT,
	  .btf_name = "bpf_fentry_test1",
	  .btf_kind = BTF_KIND_FUNC },
	{ .name = "tracing/fmod_ret",
	  .type = BPF_PROG_TYPE_TRACING,
	  .attach = BPF_MODIFY_RETURN,
	  .btf_name = "bpf_modify_return_test",
	  .btf_kind = BTF_KIND_FUNC },
	{ .name = "tracing/fentry.s",
	  .type = BPF_PROG_TYPE_TRACING,
	  .attach = BPF_TRACE_FENTRY,
	  .flags = SLEEPABLE,
	  .btf_name = "bpf_fentry_test1",
	  .btf_kind = BTF_KIND_FUNC },
	{ .name = "tracing/iter",
	  .type = BPF_PROG_TYPE_TRACING,
	  .attach = BPF_TRACE_ITER,
	  .btf_prefix = "bpf_iter_",
	  .btf_name = "task",
	  .btf_kind = BTF_KIND_FUNC },
	{ .name = "lsm",
	  .type = BPF_PROG_TYPE_LSM,
	  .attach = BPF_LSM_MAC,
	  .btf_prefix = "bpf_lsm_",
	  .btf_name = "file_open",
	  .btf_kind = BTF_KIND_FUNC },
	{ .name = "lsm.s",
	  .type = BPF_PROG_TYPE_LSM,
	  .attach = BPF_LSM_MAC,
	  .flags = SLEEPABLE,
	  .btf_prefix = "bpf_lsm_",
	  .btf_name = "file_open",
	  .btf_kind = BTF_KIND_FUNC },
	{ .name = "lsm/cgroup",
	  .type = BPF_PROG_TYPE_LSM,
	  .attach = BPF_LSM_CGROUP,
	  .btf_prefix = "bpf_lsm_",
	  .btf_name = "socket_bind",
	  .btf_kind = BTF_KIND_FUNC },
	{ .name = "struct_ops",
	  .type = BPF_PROG_TYPE_STRUCT_OPS,
	  .btf_name = "tcp_congestion_ops",
	  .btf_kind = BTF_KIND_STRUCT },
};

#define NR_KINDS (sizeof(kinds) / sizeof(kinds[0]))

static struct btf *vmlinux;
static char log_text[LOG_SIZE];

static int bpf(int cmd, union bpf_attr *attr)
{
	char zeroed[ATTR_SIZE + 64] = { 0 };
	int fd;

	memcpy(zeroed, attr, sizeof(*attr) < ATTR_SIZE ? sizeof(*attr) : ATTR_SIZE);
	fd = (int)syscall(SYS_bpf, cmd, zeroed, ATTR_SIZE);
	return fd < 0 ? -errno : fd;
}

static struct bpf_insn insn(int code, int dst, int src, int off, int imm)
{
	return (struct bpf_insn){ .code = (__u8)code,
				  .dst_reg = (__u8)dst & 15,
				  .src_reg = (__u8)src & 15,
				  .off = (__s16)off,
				  .imm = imm };
}

static struct bpf_insn move(int dst, int imm)
{
	return insn(BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, imm);
}

static struct bpf_insn leave(void)
{
	return insn(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

/* 0, or -errno with the log in log_text. */
static int load(const struct kind *kind, const struct bpf_insn *insns, size_t nr)
{
	union bpf_attr attr;
	int fd;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = kind->type;
	attr.expected_attach_type = kind->attach;
	attr.prog_flags = kind->flags;
	attr.attach_btf_id = kind->btf_id;
	attr.insns = (__u64)(unsigned long)insns;
	attr.insn_cnt = (__u32)nr;
	attr.license = (__u64)(unsigned long)"GPL";
	attr.log_level = 1;
	attr.log_buf = (__u64)(unsigned long)log_text;
	attr.log_size = LOG_SIZE;
	log_text[0] = '\0';
	fd = bpf(BPF_PROG_LOAD, &attr);
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

/* Some types allow only 1: either will do to know that the type is there. */
static int load_trivial(struct kind *kind)
{
	struct bpf_insn insns[] = { move(0, 0), leave() };
	int err = load(kind, insns, 2);

	if (!err)
		return 0;
	insns[0] = move(0, 1);
	err = load(kind, insns, 2);
	if (!err)
		kind->ret = 1;
	return err;
}

static void find_btf_id(struct kind *kind)
{
	char name[128];
	int id;

	snprintf(name, sizeof(name), "%s%s", kind->btf_prefix ? kind->btf_prefix : "",
		 kind->btf_name);
	id = vmlinux ? btf__find_by_name_kind(vmlinux, name, (__u32)kind->btf_kind) : -1;
	kind->btf_id = id > 0 ? (unsigned)id : 0;
}

static void probe_types(void)
{
	for (size_t i = 0; i < NR_KINDS; i++) {
		struct kind *kind = &kinds[i];
		int err;

		if (kind->btf_name)
			find_btf_id(kind);
		err = load_trivial(kind);
		/* Some kernels verify a program and then find nothing to attach it to. */
		kind->loads = !err || strstr(log_text, "processed ");
		printf("type %s%s\n", kind->name, kind->loads ? "" : " no");
	}
}

static void probe_attach_types(void)
{
	for (size_t i = 0; i < NR_KINDS; i++) {
		struct kind kind = kinds[i];

		if (kind.btf_name)
			continue;
		printf("attach %s:", kind.name);
		for (unsigned attach = 0; attach < ATTACH_MAX; attach++) {
			kind.attach = attach;
			if (!load_trivial(&kind))
				printf(" %u", attach);
		}
		putchar('\n');
	}
}

/* Does the log say that it must not be called, rather than how? */
static bool is_forbidden(void)
{
	return strstr(log_text, "unknown func") || strstr(log_text, "invalid func") ||
	       strstr(log_text, "cannot use helper") || strstr(log_text, "is not allowed\n") ||
	       strstr(log_text, "is not supported") || strstr(log_text, "cannot call") ||
	       strstr(log_text, "not found");
}

static bool may_call(const struct kind *kind, int src, int imm)
{
	struct bpf_insn insns[] = { insn(BPF_JMP | BPF_CALL, 0, src, 0, imm), move(0, kind->ret),
				    leave() };

	return !load(kind, insns, 3) || (*log_text && !is_forbidden());
}

static void print_callers(int src, int imm)
{
	for (size_t i = 0; i < NR_KINDS; i++)
		if (kinds[i].loads && may_call(&kinds[i], src, imm))
			printf(" %s", kinds[i].name);
	putchar('\n');
}

static void probe_helpers(void)
{
	for (int id = 1; id < HELPERS_MAX; id++) {
		printf("helper %d:", id);
		print_callers(0, id);
	}
}

static void probe_kfuncs(const char *path)
{
	FILE *file = fopen(path, "re");
	char name[256];

	while (file && fgets(name, sizeof(name), file)) {
		int id;

		name[strcspn(name, "\n")] = '\0';
		id = vmlinux ? btf__find_by_name_kind(vmlinux, name, BTF_KIND_FUNC) : -1;
		if (id <= 0)
			continue;
		printf("kfunc %s:", name);
		print_callers(BPF_PSEUDO_KFUNC_CALL, id);
	}
	if (file)
		fclose(file);
}

static int size_code(int size)
{
	return size == 1 ? BPF_B : size == 2 ? BPF_H : size == 4 ? BPF_W : BPF_DW;
}

static bool may_access(const struct kind *kind, int off, int size, bool write)
{
	struct bpf_insn read[] = { insn(BPF_LDX | BPF_MEM | size_code(size), 0, 1, off, 0),
				   move(0, kind->ret), leave() };
	struct bpf_insn store[] = { move(0, kind->ret),
				    insn(BPF_STX | BPF_MEM | size_code(size), 1, 0, off, 0),
				    leave() };

	return !load(kind, write ? store : read, 3);
}

/* "r4 0-12,20": reads of four bytes at 0, 4, 8, 12 and 20. */
static void print_accesses(const struct kind *kind, int size, bool write)
{
	int from = -1, nr = 0;

	for (int off = 0; off <= CTX_MAX; off += size) {
		bool good = off < CTX_MAX && may_access(kind, off, size, write);

		if (good && from < 0)
			from = off;
		if (good || from < 0)
			continue;
		printf(nr++ ? "," : " %c%d ", write ? 'w' : 'r', size);
		if (from == off - size)
			printf("%d", from);
		else
			printf("%d-%d", from, off - size);
		from = -1;
	}
}

static void probe_contexts(void)
{
	for (size_t i = 0; i < NR_KINDS; i++) {
		if (!kinds[i].loads)
			continue;
		printf("context %s:", kinds[i].name);
		for (int write = 0; write < 2; write++)
			for (int size = 1; size <= 8; size *= 2)
				print_accesses(&kinds[i], size, write);
		putchar('\n');
	}
}

struct map_shape {
	unsigned key, value, entries, flags;
};

/* One of these creates a map of any type that needs no BTF and no other map. */
static const struct map_shape shapes[] = {
	{ 4, 4, 1, 0 }, { 4, 8, 1, 0 },	   { 4, 4, 1, 1 },  { 8, 8, 1, 1 },
	{ 0, 4, 1, 0 }, { 0, 0, 4096, 0 }, { 12, 8, 1, 0 }, { 0, 0, 1, 1u << 10 },
};

static void probe_maps(void)
{
	for (unsigned type = 1; type < MAP_TYPES_MAX; type++) {
		union bpf_attr attr;
		int fd = -1;
		bool known = false;

		for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]) && !known; i++) {
			memset(&attr, 0, sizeof(attr));
			attr.map_type = type;
			attr.key_size = shapes[i].key;
			attr.value_size = shapes[i].value;
			attr.max_entries = shapes[i].entries;
			attr.map_flags = shapes[i].flags;
			fd = bpf(BPF_MAP_CREATE, &attr);
			known = fd >= 0;
		}
		if (fd >= 0)
			close(fd);
		if (known)
			printf("map %u\n", type);
	}
}

/* {code, dst, src, off, imm} */
struct sample {
	const char *name;
	int nr;
	struct {
		int code, dst, src, off, imm;
	} insns[10];
};

#define EXIT                                   \
	{                                      \
		BPF_JMP | BPF_EXIT, 0, 0, 0, 0 \
	}
#define MOV(dst, imm)                                       \
	{                                                   \
		BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, imm \
	}
#define SAMPLE(name, ...)                                                 \
	{                                                                 \
		name, sizeof((int[][5]){ __VA_ARGS__ }) / sizeof(int[5]), \
		{                                                         \
			__VA_ARGS__                                       \
		}                                                         \
	}

static const struct sample samples[] = {
	SAMPLE("jmp32", MOV(0, 0), { BPF_JMP32 | BPF_JEQ | BPF_K, 0, 0, 0, 0 }, EXIT),
	SAMPLE("bounded-loop", MOV(0, 0), { BPF_ALU64 | BPF_ADD | BPF_K, 0, 0, 0, 1 },
	       { BPF_JMP | BPF_JLT | BPF_K, 0, 0, -2, 5 }, MOV(0, 0), EXIT),
	SAMPLE("atomic-add", MOV(0, 0), { BPF_STX | BPF_MEM | BPF_DW, 10, 0, -8, 0 },
	       { BPF_STX | BPF_ATOMIC | BPF_DW, 10, 0, -8, BPF_ADD }, EXIT),
	SAMPLE("atomic-fetch", MOV(0, 0), { BPF_STX | BPF_MEM | BPF_DW, 10, 0, -8, 0 },
	       { BPF_STX | BPF_ATOMIC | BPF_DW, 10, 0, -8, BPF_ADD | BPF_FETCH }, MOV(0, 0), EXIT),
	SAMPLE("atomic-cmpxchg", MOV(0, 0), MOV(1, 0), { BPF_STX | BPF_MEM | BPF_DW, 10, 0, -8, 0 },
	       { BPF_STX | BPF_ATOMIC | BPF_DW, 10, 1, -8, BPF_CMPXCHG }, MOV(0, 0), EXIT),
	SAMPLE("movsx", MOV(0, 0), { BPF_ALU64 | BPF_MOV | BPF_X, 0, 0, 8, 0 }, EXIT),
	SAMPLE("sdiv", MOV(0, 0), { BPF_ALU64 | BPF_DIV | BPF_K, 0, 0, 1, 3 }, EXIT),
	SAMPLE("bswap", MOV(0, 0), { BPF_ALU64 | BPF_END | BPF_TO_LE, 0, 0, 0, 16 }, MOV(0, 0),
	       EXIT),
	SAMPLE("ldsx", MOV(0, 0), { BPF_STX | BPF_MEM | BPF_DW, 10, 0, -8, 0 },
	       { BPF_LDX | 0x80 | BPF_B, 0, 10, -8, 0 }, MOV(0, 0), EXIT),
	SAMPLE("gotol", MOV(0, 0), { BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1, 5 },
	       { BPF_JMP32 | BPF_JA, 0, 0, 0, 1 }, MOV(1, 0), EXIT),
	SAMPLE("may-goto", MOV(0, 0), { BPF_JMP | 0xe0, 0, 0, 1, 0 }, MOV(0, 0), EXIT),
	SAMPLE("load-acquire", MOV(0, 0), { BPF_STX | BPF_MEM | BPF_DW, 10, 0, -8, 0 },
	       { BPF_STX | BPF_ATOMIC | BPF_DW, 0, 10, -8, 0x100 }, MOV(0, 0), EXIT),
	SAMPLE("store-release", MOV(0, 0), { BPF_STX | BPF_MEM | BPF_DW, 10, 0, -8, 0 },
	       { BPF_STX | BPF_ATOMIC | BPF_DW, 10, 0, -8, 0x110 }, MOV(0, 0), EXIT),
	SAMPLE("call-subprogram", { BPF_JMP | BPF_CALL, 0, 1, 0, 1 }, EXIT, MOV(0, 0), EXIT),
};

static void probe_instructions(void)
{
	const struct kind *kind = &kinds[0];

	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		struct bpf_insn insns[10];

		for (int k = 0; k < samples[i].nr; k++)
			insns[k] = insn(samples[i].insns[k].code, samples[i].insns[k].dst,
					samples[i].insns[k].src, samples[i].insns[k].off,
					samples[i].insns[k].imm);
		printf("insn %s%s\n", samples[i].name,
		       load(kind, insns, (size_t)samples[i].nr) ? " no" : "");
	}
}

static void become_init(void)
{
	struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };

	mkdir("/proc", 0755);
	mkdir("/sys", 0755);
	mkdir("/dev", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("sysfs", "/sys", "sysfs", 0, NULL);
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	setrlimit(RLIMIT_MEMLOCK, &all);
}

int main(int argc, char **argv)
{
	bool init = getpid() == 1;
	struct utsname name;

	if (init)
		become_init();
	uname(&name);
	vmlinux = btf__load_vmlinux_btf();
	printf("# begin\n# Linux %s\n", name.release);
	probe_types();
	probe_attach_types();
	probe_maps();
	probe_instructions();
	probe_helpers();
	probe_kfuncs(argc > 1 && !init ? argv[1] : "/kfuncs");
	probe_contexts();
	printf("# end\n");
	fflush(stdout);
	if (init)
		reboot(RB_POWER_OFF);
	return 0;
}
