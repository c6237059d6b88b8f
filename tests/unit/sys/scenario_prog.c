/* SPDX-License-Identifier: BSD-2-Clause */
/* See scenario.h: loading and running programs. */
#include "scenario.h"
#include "../btf/blob.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct bpf_insn ok_insns[] = { MOV_K(0, 0), EXIT() };

static union abi_attr plain_load(void)
{
	return world_prog_attr(BPF_PROG_TYPE_SOCKET_FILTER, ok_insns, ARRAY_SIZE(ok_insns));
}

#define CASE(text, want, change)                                  \
	do {                                                      \
		long result;                                      \
		attr = plain_load();                              \
		change;                                           \
		result = world_call(world, BPF_PROG_LOAD, &attr); \
		expect(world, result, want, "PROG_LOAD: " text);  \
		if (result >= 0)                                  \
			world->close(world, (int)result);         \
	} while (0)

void scenario_prog_load(struct world *world)
{
	static const char long_license[300] =
		"GPL and a licence that goes on for more than 127 "
		"characters, which the kernel cuts without a word, as "
		"this text shows that is longer than all that";
	union abi_attr attr;
	static const int closed[] = { 900, 901 };
	static const struct bpf_insn by_index[] = { LD_MAP(1, BPF_PSEUDO_MAP_IDX, 1), MOV_K(0, 0),
						    EXIT() };
	int map = world_map(world, BPF_MAP_TYPE_ARRAY, 4, 8, 1, 0), fds[] = { 900, map };

	CASE("plain", FD, );
	CASE("no instructions", -E2BIG, attr.load.insn_cnt = 0);
	CASE("1000001 instructions", -E2BIG, attr.load.insn_cnt = 1000001);
	CASE("instructions at NULL", -EFAULT, attr.load.insns = 0);
	CASE("licence at NULL", -EFAULT, attr.load.license = 0);
	CASE("long licence", FD, attr.load.license = (u64)(uintptr_t)long_license);
	CASE("type 0", -EINVAL, attr.load.prog_type = 0);
	CASE("type 33", -EINVAL, attr.load.prog_type = 33);
	CASE("type 10^9", -EINVAL, attr.load.prog_type = 1000000000);
	CASE("flag 1 << 30", -EINVAL, attr.load.prog_flags = 1u << 30);
	CASE("STRICT_ALIGNMENT", FD, attr.load.prog_flags = BPF_F_STRICT_ALIGNMENT);
	CASE("ANY_ALIGNMENT", FD, attr.load.prog_flags = BPF_F_ANY_ALIGNMENT);
	CASE("TEST_STATE_FREQ", FD, attr.load.prog_flags = BPF_F_TEST_STATE_FREQ);
	CASE("token closed", -EBADF,
	     (attr.load.prog_flags = ABI_F_TOKEN_FD, attr.load.prog_token_fd = 900));
	CASE("token that is a map", -EINVAL,
	     (attr.load.prog_flags = ABI_F_TOKEN_FD, attr.load.prog_token_fd = map));
	CASE("name", FD, memcpy(attr.load.prog_name, "libbpf_nametest", 15));
	CASE("name with a blank", -EINVAL, memcpy(attr.load.prog_name, "a b", 4));
	CASE("name of 16", -EINVAL, memset(attr.load.prog_name, 'a', 16));
	CASE("kern_version of no meaning", FD, attr.load.kern_version = 0xffffffff);
	CASE("expected_attach_type of no meaning", FD, attr.load.expected_attach_type = 3);
	CASE("a device", -EINVAL, attr.load.prog_ifindex = 1);
	CASE("attach_btf_id", -EINVAL, attr.load.attach_btf_id = 1);
	CASE("attach_prog_fd closed", -EINVAL, attr.load.attach_prog_fd = 900);
	CASE("BTF without records", FD, attr.load.prog_btf_fd = 900);
	CASE("cgroup_skb without attach type", -EINVAL,
	     (attr.load.prog_type = BPF_PROG_TYPE_CGROUP_SKB, attr.load.expected_attach_type = 5));
	CASE("fd_array of a map", FD,
	     (attr.load.fd_array = (u64)(uintptr_t)&map, attr.load.fd_array_cnt = 1));
	CASE("a map by its place in fd_array", FD,
	     (attr.load.insns = (u64)(uintptr_t)by_index, attr.load.insn_cnt = 4,
	      attr.load.fd_array = (u64)(uintptr_t)fds));
	CASE("a map by its place, no fd_array", -EPROTO,
	     (attr.load.insns = (u64)(uintptr_t)by_index, attr.load.insn_cnt = 4));
	CASE("a map by its place, fd_array at 8", -EFAULT,
	     (attr.load.insns = (u64)(uintptr_t)by_index, attr.load.insn_cnt = 4,
	      attr.load.fd_array = 8));
	CASE("a map by its place, which is closed", -EBADF,
	     (attr.load.insns = (u64)(uintptr_t)by_index, attr.load.insn_cnt = 4,
	      attr.load.fd_array = (u64)(uintptr_t)closed));
	CASE("fd_array of a closed descriptor", -EBADF,
	     (attr.load.fd_array = (u64)(uintptr_t)closed, attr.load.fd_array_cnt = 2));
	CASE("fd_array with a count at NULL", -EFAULT, attr.load.fd_array_cnt = 1);
	CASE("log_level 16", -EINVAL, attr.load.log_level = 16);
	CASE("log without level", -EINVAL,
	     (attr.load.log_buf = (u64)(uintptr_t)&attr, attr.load.log_size = 128));
	CASE("log_size without log", -EINVAL, (attr.load.log_size = 128, attr.load.log_level = 1));
	CASE("log at 8", -EFAULT,
	     (attr.load.log_buf = 8, attr.load.log_size = 128, attr.load.log_level = 1));
	world->close(world, map);
}

/* A program with BTF: func_info and line_info in good and in bad shape. */
static void debug_info(struct world *world, int btf)
{
	static const char zeros[512];
	struct bpf_func_info func = { 0, 7 }, funcs[2] = { { 0, 7 }, { 1, 7 } };
	struct {
		struct bpf_func_info info;
		u32 tail;
	} wide = { { 0, 7 }, 0 };
	struct bpf_line_info line = { 0, 1, 1, 1 << 10 };
	union abi_attr attr;

#define FUNCS(array, size, count)                                                         \
	(attr.load.prog_btf_fd = (u32)btf, attr.load.func_info = (u64)(uintptr_t)(array), \
	 attr.load.func_info_rec_size = (size), attr.load.func_info_cnt = (count))
	CASE("func_info", FD, FUNCS(&func, 8, 1));
	CASE("func_info, BTF closed", -EBADF, (FUNCS(&func, 8, 1), attr.load.prog_btf_fd = 900));
	CASE("func_info of 4 bytes", -EINVAL, FUNCS(&func, 4, 1));
	CASE("func_info of 10 bytes", -EINVAL, FUNCS(&func, 10, 1));
	CASE("func_info of 256 bytes", -EINVAL, FUNCS(zeros, 256, 1));
	CASE("func_info of 12 bytes", FD, FUNCS(&wide, 12, 1));
	wide.tail = 1;
	CASE("func_info of 12 bytes, garbage", -E2BIG, FUNCS(&wide, 12, 1));
	expect(world, attr.load.func_info_rec_size, 8, "PROG_LOAD: says how much it knows");
	CASE("func_info at NULL", -EFAULT, FUNCS(NULL, 8, 1));
	CASE("two func_info for one function", -EINVAL, FUNCS(funcs, 8, 2));
	CASE("a million func_info", -EINVAL, FUNCS(zeros, 0, 1000000));
	func.type_id = 1;
	CASE("func_info of an int", -EINVAL, FUNCS(&func, 8, 1));
	func.type_id = 7;
	func.insn_off = 1;
	CASE("func_info that begins late", -EINVAL, FUNCS(&func, 8, 1));
	func.insn_off = 0;
#define LINES(array, size, count)                                           \
	(FUNCS(&func, 8, 1), attr.load.line_info = (u64)(uintptr_t)(array), \
	 attr.load.line_info_rec_size = (size), attr.load.line_info_cnt = (count))
	CASE("line_info", FD, LINES(&line, 16, 1));
	CASE("line_info of 8 bytes", -EINVAL, LINES(&line, 8, 1));
	CASE("line_info of 18 bytes", -EINVAL, LINES(&line, 18, 1));
	CASE("line_info at NULL", -EFAULT, LINES(NULL, 16, 1));
	CASE("line_info without its lines", -EINVAL, LINES(zeros, 16, 2));
#undef LINES
#undef FUNCS
}

static int load_btf(struct world *world)
{
	static struct blob blob;

	memset(&blob, 0, sizeof(blob));
	blob_int(&blob, "int", 4);				     /* 1 */
	blob_int(&blob, "long", 8);				     /* 2 */
	blob_type(&blob, "t", BTF_KIND_TYPEDEF, 0, 0, 1);	     /* 3 */
	blob_type(&blob, "u", BTF_KIND_TYPEDEF, 0, 0, 1);	     /* 4 */
	blob_type(&blob, "v", BTF_KIND_TYPEDEF, 0, 0, 1);	     /* 5 */
	blob_type(&blob, "", BTF_KIND_FUNC_PROTO, 0, 0, 1);	     /* 6 */
	blob_type(&blob, "f", BTF_KIND_FUNC, 0, BTF_FUNC_STATIC, 6); /* 7 */
	blob_finish(&blob);
	return world_btf(world, &blob);
}

void scenario_log(struct world *world)
{
	static char log[8192];
	static const struct bpf_insn bad[] = { EXIT() };
	union abi_attr attr;
	u32 whole;
	int btf = load_btf(world);

#define LOG(lvl, size)                                                           \
	(memset(log, 'z', sizeof(log)), attr.load.log_buf = (u64)(uintptr_t)log, \
	 attr.load.log_size = (size), attr.load.log_level = (lvl))
	CASE("log of level 1", FD, LOG(1, sizeof(log)));
	tap_ok(!strncmp(log, "processed 2 insns (limit 1000000) ", 34), "%s: log: the last line",
	       world->name);
	expect(world, attr.load.log_true_size, (long)strlen(log) + 1, "log: true size");
	CASE("log of level 2", FD, LOG(2, sizeof(log)));
	whole = attr.load.log_true_size;
	expect(world, whole, (long)strlen(log) + 1, "log: true size of level 2");
	CASE("log of level 2, one short", -ENOSPC, LOG(2, whole - 1));
	expect(world, attr.load.log_true_size, whole, "log: true size, cut");
	CASE("log of level 2, fixed, one short", -ENOSPC, LOG(2 | 8, whole - 1));
	CASE("log of statistics", FD, LOG(4, sizeof(log)));
	CASE("level 1 without a buffer", FD, attr.load.log_level = 1);
	CASE("log of a refusal", -EACCES,
	     (LOG(1, sizeof(log)), attr.load.insns = (u64)(uintptr_t)bad, attr.load.insn_cnt = 1));
	CASE("log of a refusal, too small", -ENOSPC,
	     (LOG(1, 16), attr.load.insns = (u64)(uintptr_t)bad, attr.load.insn_cnt = 1));
	expect(world, (long)strlen(log), 15, "log: cut to 15 characters");
#undef LOG
	debug_info(world, btf);
	world->close(world, btf);
}

/* libbpf 1.1 sends this before a real object, with the attr sizes that it uses: probes … */
static void prologue_probes(struct world *world)
{
	static const struct bpf_insn probe[] = { CALL(BPF_FUNC_ktime_get_coarse_ns), EXIT() };
	union abi_attr attr;
	long result;
	int fd;

	attr = plain_load();
	attr.load.insns = (u64)(uintptr_t)probe;
	result = world->bpf(world, BPF_PROG_LOAD, &attr, 116);
	if (result >= 0)
		world->close(world, (int)result);
	tap_ok(result >= 0 || result == -EINVAL, "%s: prologue: memcg probe, by its own rule",
	       world->name);
	attr = plain_load();
	fd = (int)world->bpf(world, BPF_PROG_LOAD, &attr, 128);
	expect(world, fd, FD, "prologue: r0 = 0; exit");
	world->close(world, fd);
	fd = load_btf(world);
	expect(world, fd, FD, "prologue: BTF");
	world->close(world, fd);
	attr = plain_load();
	memcpy(attr.load.prog_name, "libbpf_nametest", 15);
	fd = (int)world->bpf(world, BPF_PROG_LOAD, &attr, 64);
	expect(world, fd, FD, "prologue: name");
	world->close(world, fd);
}

/* … kinds of maps … */
static void prologue_maps(struct world *world)
{
	union abi_attr attr;
	int map, fd;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_ARRAY;
	attr.key_size = 4;
	attr.value_size = 4;
	attr.max_entries = 1;
	attr.map_flags = BPF_F_MMAPABLE;
	memcpy(attr.map_name, "libbpf_mmap", 12);
	fd = (int)world->bpf(world, BPF_MAP_CREATE, &attr, 72);
	expect(world, fd, FD, "prologue: mmapable array");
	world->close(world, fd);
	attr.map_flags = 0;
	attr.value_size = 32;
	memcpy(attr.map_name, "libbpf_global", 14);
	map = (int)world->bpf(world, BPF_MAP_CREATE, &attr, 72);
	expect(world, map, FD, "prologue: global data");
	{
		const struct bpf_insn insns[] = {
			INSN(BPF_LD | BPF_IMM | BPF_DW, 1, BPF_PSEUDO_MAP_VALUE, 0, map),
			INSN(0, 0, 0, 0, 16),
			STORE_K(BPF_DW, 1, 0, 42),
			MOV_K(0, 0),
			EXIT(),
		};

		attr = plain_load();
		attr.load.insns = (u64)(uintptr_t)insns;
		attr.load.insn_cnt = ARRAY_SIZE(insns);
		fd = (int)world->bpf(world, BPF_PROG_LOAD, &attr, 128);
		expect(world, fd, FD, "prologue: a program that writes global data");
		world->close(world, fd);
	}
	world->close(world, map);
}

/* … then the object's own maps and programs. */
void scenario_prologue(struct world *world)
{
	union abi_attr attr;
	u32 key = 0;
	u64 value = 7;
	int map, fd, det;

	prologue_probes(world);
	prologue_maps(world);
	map = world_map(world, BPF_MAP_TYPE_ARRAY, 4, 8, 1, BPF_F_RDONLY_PROG);
	memset(&attr, 0, sizeof(attr));
	attr.elem.map_fd = (u32)map;
	attr.elem.key = (u64)(uintptr_t)&key;
	attr.elem.value = (u64)(uintptr_t)&value;
	expect(world, world->bpf(world, BPF_MAP_UPDATE_ELEM, &attr, 32), 0,
	       "prologue: read-only data");
	expect(world, world->bpf(world, BPF_MAP_FREEZE, &attr, 4), 0, "prologue: frozen");
	attr = plain_load();
	attr.load.prog_type = BPF_PROG_TYPE_TRACEPOINT;
	attr.load.kern_version = 6 << 16 | 18 << 8;
	fd = (int)world->bpf(world, BPF_PROG_LOAD, &attr, 128);
	expect(world, fd, FD, "prologue: a tracepoint program");
	det = world_map(world, BPF_MAP_TYPE_ARRAY, 4, 32, 1, 0);
	memset(&attr, 0, sizeof(attr));
	attr.prog_bind_map.prog_fd = (u32)fd;
	attr.prog_bind_map.map_fd = (u32)det;
	expect(world, world->bpf(world, BPF_PROG_BIND_MAP, &attr, 12), 0, "prologue: bind a map");
	memset(&attr, 0, sizeof(attr));
	attr.link_create.prog_fd = (u32)fd;
	attr.link_create.target_fd = (u32)-1;
	attr.link_create.attach_type = BPF_PERF_EVENT;
	expect(world, world->bpf(world, BPF_LINK_CREATE, &attr, 48), -EBADF,
	       "prologue: perf links are there");
	world->close(world, det);
	world->close(world, fd);
	world->close(world, map);
}

static void plain_run(union abi_attr *attr, int fd)
{
	memset(attr, 0, sizeof(*attr));
	attr->test.prog_fd = (u32)fd;
}

#define RUN(text, fd, want, change)                                              \
	do {                                                                     \
		plain_run(&attr, fd);                                            \
		change;                                                          \
		expect(world, world_call(world, BPF_PROG_TEST_RUN, &attr), want, \
		       "TEST_RUN: " text);                                       \
	} while (0)

static void run_raw(struct world *world)
{
	static const struct bpf_insn insns[] = { LOAD(BPF_DW, 0, 1, 8), EXIT() };
	u64 args[16] = { 11, 22, 33 };
	union abi_attr attr;
	int fd = world_prog(world, BPF_PROG_TYPE_RAW_TRACEPOINT, insns, ARRAY_SIZE(insns));

	expect(world, fd, FD, "TEST_RUN: a raw tracepoint program");
#define ARGS(size) (attr.test.ctx_in = (u64)(uintptr_t)args, attr.test.ctx_size_in = (size))
	RUN("raw tracepoint", fd, 0, ARGS(16));
	expect(world, attr.test.retval, 22, "TEST_RUN: the second argument");
	RUN("raw tracepoint, short context", fd, -EINVAL, ARGS(8));
	RUN("raw tracepoint, no context", fd, -EINVAL, );
	RUN("raw tracepoint, 96 bytes", fd, 0, ARGS(96));
	RUN("raw tracepoint, 97 bytes", fd, -EINVAL, ARGS(97));
	RUN("raw tracepoint, context at 8", fd, -EFAULT, (ARGS(16), attr.test.ctx_in = 8));
	RUN("raw tracepoint, size alone", fd, -EINVAL, attr.test.ctx_size_in = 16);
	RUN("raw tracepoint, repeat", fd, -EINVAL, (ARGS(16), attr.test.repeat = 1));
	RUN("raw tracepoint, data", fd, -EINVAL,
	    (ARGS(16), attr.test.data_in = (u64)(uintptr_t)args));
	RUN("raw tracepoint, cpu without flag", fd, -EINVAL, (ARGS(16), attr.test.cpu = 1));
	RUN("raw tracepoint, cpu 0", fd, 0, (ARGS(16), attr.test.flags = BPF_F_TEST_RUN_ON_CPU));
	RUN("raw tracepoint, cpu 5000", fd, -ENXIO,
	    (ARGS(16), attr.test.flags = BPF_F_TEST_RUN_ON_CPU, attr.test.cpu = 5000));
#undef ARGS
	world->close(world, fd);
	fd = world_prog(world, BPF_PROG_TYPE_TRACEPOINT, ok_insns, 2);
	if (world->kernel)
		RUN("tracepoint", fd, -ABI_ENOTSUPP, );
	else
		RUN("tracepoint", fd, 0, );
	world->close(world, fd);
	RUN("closed", 900, -EBADF, );
}

#define DATA(size) (attr.test.data_in = (u64)(uintptr_t)packet, attr.test.data_size_in = (size))
static void run_xdp_context(struct world *world, int fd)
{
	u8 packet[64] = { 0 };
	struct xdp_md md = { 0 }, md_out;
	union abi_attr attr;

#define MD() (attr.test.ctx_in = (u64)(uintptr_t)&md, attr.test.ctx_size_in = sizeof(md))
	md.data_end = 64;
	RUN("XDP, context", fd, 0,
	    (DATA(64), MD(), attr.test.ctx_out = (u64)(uintptr_t)&md_out,
	     attr.test.ctx_size_out = sizeof(md_out)));
	expect(world, md_out.data_end, 64, "TEST_RUN: its length in the context");
	RUN("XDP, context, room for 4", fd, -ENOSPC,
	    (DATA(64), MD(), attr.test.ctx_out = (u64)(uintptr_t)&md_out,
	     attr.test.ctx_size_out = 4));
	md.data_end = 65;
	RUN("XDP, context longer than data", fd, -EINVAL, (DATA(64), MD()));
	md.data_end = 64;
	md.data = 8;
	RUN("XDP, 8 bytes of metadata", fd, 0, (DATA(64), MD()));
	md.data = 6;
	RUN("XDP, 6 bytes of metadata", fd, -EINVAL, (DATA(64), MD()));
	md.data = 0;
	md.data_meta = 4;
	RUN("XDP, data before metadata", fd, -EINVAL, (DATA(64), MD()));
	md.data_meta = 0;
	md.rx_queue_index = 1;
	RUN("XDP, a queue without device", fd, -EINVAL, (DATA(64), MD()));
	md.rx_queue_index = 0;
	md.egress_ifindex = 1;
	RUN("XDP, egress device", fd, -EINVAL, (DATA(64), MD()));
	md.egress_ifindex = 0;
	md.ingress_ifindex = 12345;
	RUN("XDP, no such device", fd, -ENODEV, (DATA(64), MD()));
#undef MD
}

static void run_xdp(struct world *world)
{
	/* if (data + 15 > data_end) return 1; data[14] = 'A'; return 2; */
	static const struct bpf_insn insns[] = {
		LOAD(BPF_W, 2, 1, 0),
		LOAD(BPF_W, 3, 1, 4),
		MOV_X(4, 2),
		ADD_K(4, 15),
		MOV_K(0, 1),
		JGT_X(4, 3, 2),
		STORE_K(BPF_B, 2, 14, 'A'),
		MOV_K(0, 2),
		EXIT(),
	};
	u8 packet[4096] = { [3999] = 'Z' }, out[4096] = { 0 };
	union abi_attr attr;
	int fd = world_prog(world, BPF_PROG_TYPE_XDP, insns, ARRAY_SIZE(insns));

	expect(world, fd, FD, "TEST_RUN: an XDP program");
	RUN("XDP, no data", fd, -EINVAL, );
	RUN("XDP, 3 bytes", fd, -EINVAL, DATA(3));
	RUN("XDP, 14 bytes", fd, 0, DATA(14));
	expect(world, attr.test.retval, 1, "TEST_RUN: too short for the program");
	RUN("XDP, 64 bytes", fd, 0,
	    (DATA(64), attr.test.data_out = (u64)(uintptr_t)out,
	     attr.test.data_size_out = sizeof(out)));
	expect(world, attr.test.retval, 2, "TEST_RUN: long enough");
	expect(world, attr.test.data_size_out, 64, "TEST_RUN: 64 bytes back");
	expect(world, out[14], 'A', "TEST_RUN: as the program left them");
	RUN("XDP, room for 10", fd, -ENOSPC,
	    (DATA(64), attr.test.data_out = (u64)(uintptr_t)out, attr.test.data_size_out = 10));
	expect(world, attr.test.data_size_out, 64, "TEST_RUN: says 64");
	RUN("XDP, 4000 bytes", fd, 0,
	    (DATA(4000), attr.test.data_out = (u64)(uintptr_t)out,
	     attr.test.data_size_out = sizeof(out)));
	expect(world, attr.test.data_size_out, 4000, "TEST_RUN: 4000 bytes back");
	expect(world, out[3999], 'Z', "TEST_RUN: to the last");
	RUN("XDP, data at 8", fd, -EFAULT, (DATA(64), attr.test.data_in = 8));
	RUN("XDP, repeat", fd, 0, (DATA(64), attr.test.repeat = 100));
	RUN("XDP, flags", fd, -EINVAL, (DATA(64), attr.test.flags = 1));
	RUN("XDP, batch", fd, -EINVAL, (DATA(64), attr.test.batch_size = 1));
	run_xdp_context(world, fd);
	world->close(world, fd);
}

static void run_filter(struct world *world)
{
	static const struct bpf_insn insns[] = { LOAD(BPF_W, 0, 1, 0), EXIT() };
	u8 packet[4096] = { 0 };
	struct __sk_buff skb = { .mark = 5 };
	union abi_attr attr;
	int fd = world_prog(world, BPF_PROG_TYPE_SOCKET_FILTER, insns, ARRAY_SIZE(insns));

	expect(world, fd, FD, "TEST_RUN: a socket filter");
	RUN("filter, no data", fd, -EINVAL, );
	RUN("filter, 13 bytes", fd, -EINVAL, DATA(13));
	RUN("filter, 64 bytes", fd, 0, DATA(64));
	expect(world, attr.test.retval, 50, "TEST_RUN: length without the Ethernet header");
	expect(world, attr.test.data_size_out, 64, "TEST_RUN: 64 bytes back");
	RUN("filter, 4000 bytes", fd, -EINVAL, DATA(4000));
	RUN("filter, cpu", fd, -EINVAL, (DATA(64), attr.test.cpu = 1));
	RUN("filter, flags", fd, -EINVAL, (DATA(64), attr.test.flags = 1));
#define CTX() (attr.test.ctx_in = (u64)(uintptr_t)&skb, attr.test.ctx_size_in = sizeof(skb))
	RUN("filter, a mark", fd, 0, (DATA(64), CTX()));
	skb.len = 1;
	RUN("filter, a length", fd, -EINVAL, (DATA(64), CTX()));
	skb.len = 0;
	skb.ifindex = 12345;
	RUN("filter, no such device", fd, -ENODEV, (DATA(64), CTX()));
	skb.ifindex = 0;
	skb.wire_len = 10;
	RUN("filter, wire_len too short", fd, -EINVAL, (DATA(64), CTX()));
	packet[12] = 8;
	skb.wire_len = 0;
	RUN("filter, IPv4 of 19 bytes", fd, -EINVAL, DATA(33));
	RUN("filter, IPv4 of 20 bytes", fd, 0, DATA(34));
#undef CTX
	world->close(world, fd);
}

void scenario_test_run(struct world *world)
{
	run_raw(world);
	run_xdp(world);
	run_filter(world);
}
