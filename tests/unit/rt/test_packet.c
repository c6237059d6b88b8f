/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets as programs see them: packet bytes behind perf records, fragments, the end of loops that
 * are out of time. What the helpers answer is held against the kernel in tests/diff/sys/test_run.c.
 */
#include <errno.h>
#include <linux/perf_event.h>
#include <string.h>
#include <unistd.h>

#include "abi/context.h"
#include "arena/arena.h"
#include "harness/tap.h"
#include "rt/buffer.h"
#include "rt/helper.h"
#include "rt/map.h"
#include "rt/prog.h"
#include "rt/vcpu.h"

#define HELPER(name, a, b, c, d, e) \
	((long)rt_helpers[BPF_FUNC_##name]((u64)(a), (u64)(b), (u64)(c), (u64)(d), (u64)(e), vcpu))
#define PACKET_BYTES(nr) ((u64)(nr) << 32)

static struct arena *arena;
static struct rt_vcpu *vcpu;
static struct rt_prog prog;

static struct rt_map *array_with(struct rt_perf_buffer *buffer)
{
	struct rt_map_spec spec = { .type = BPF_MAP_TYPE_PERF_EVENT_ARRAY,
				    .key_size = 4,
				    .value_size = 4,
				    .max_entries = 1,
				    .nr_vcpus = RT_CONTROL->nr_vcpus };
	struct rt_map *map = arena_alloc(arena, ARENA_CONTROL, sizeof(*map), 8);

	map->data_size = rt_map_memory_size(&spec);
	map->data = arena_alloc(arena, ARENA_CONTROL, map->data_size, 4096);
	rt_map_init(map, &spec, 1, 0);
	rt_map_set_object(map, 0, buffer);
	return map;
}

static struct rt_perf_buffer *new_buffer(void)
{
	struct rt_perf_buffer *buffer = arena_alloc(arena, ARENA_CONTROL, sizeof(*buffer), 64);

	*buffer = (struct rt_perf_buffer){ .data_pages = 1,
					   .sample_type = PERF_SAMPLE_RAW,
					   .cpu = -1,
					   .lost = arena_alloc(arena, ARENA_DATA, 8, 8) };
	buffer->pages = arena_alloc(arena, ARENA_DATA, rt_perf_memory_size(1), 4096);
	rt_perf_init(buffer->pages, 1);
	return buffer;
}

/* A packet of "linear" and "fragments", 6 and 9 bytes. */
static char linear[] = "linear", fragments[] = "fragments";

static void test_perf(void)
{
	struct rt_perf_buffer *buffer = new_buffer();
	const u8 *record = buffer->pages + 4096;
	struct rt_map *map = array_with(buffer);
	struct abi_rt_xdp xdp = { .data = (u64)linear,
				  .data_end = (u64)linear + 6,
				  .frags = (u64)fragments,
				  .frags_size = 9 };
	struct abi_rt_skb skb = { .data = (u64)linear, .data_end = (u64)linear + 6 };

	prog.type = BPF_PROG_TYPE_XDP;
	tap_is(HELPER(perf_event_output, &xdp, map, PACKET_BYTES(10), "ab", 2), 0,
	       "a record with bytes of the packet");
	tap_is(*(const u32 *)(const void *)(record + 8), 12, "its raw size");
	tap_ok(!memcmp(record + 12, "ablinearfrag", 12),
	       "the record, then linear bytes and fragments");
	tap_is(HELPER(perf_event_output, &xdp, map, PACKET_BYTES(15), "ab", 2), 0,
	       "the whole packet");
	tap_is(HELPER(perf_event_output, &xdp, map, PACKET_BYTES(16), "ab", 2), -EFAULT, "no more");
	tap_is(HELPER(perf_event_output, &xdp, map, 1ull << 52, "ab", 2), -EINVAL, "other flags");
	prog.type = BPF_PROG_TYPE_SOCKET_FILTER;
	tap_is(HELPER(perf_event_output, &skb, map, PACKET_BYTES(6), "", 0), 0,
	       "of a socket buffer");
	tap_is(HELPER(perf_event_output, &skb, map, PACKET_BYTES(7), "", 0), -EFAULT,
	       "no more of it");
	prog.type = BPF_PROG_TYPE_KPROBE;
	tap_is(HELPER(perf_event_output, &skb, map, PACKET_BYTES(1), "", 0), -EINVAL,
	       "other programs have no packet");
}

static void test_loads(void)
{
	struct abi_rt_skb skb = { .data = (u64)linear + 2,
				  .data_end = (u64)linear + 6,
				  .mac_header = (u64)linear,
				  .network_header = (u64)linear + 2,
				  .frags = (u64)fragments,
				  .frags_size = 9 };
	char to[16] = "................";

	tap_is(HELPER(skb_load_bytes, &skb, 2, to, 5, 0), 0,
	       "a load over the end of what is linear");
	tap_ok(!memcmp(to, "arfra.", 6), "has both");
	tap_is(HELPER(skb_load_bytes, &skb, 4, to, 9, 0), 0, "all fragments");
	tap_is(HELPER(skb_load_bytes, &skb, 4, to, 10, 0), -EFAULT, "no more");
	tap_ok(!memcmp(to, "\0\0\0\0\0\0\0\0\0\0.", 11), "zeroed");
	tap_is(HELPER(skb_load_bytes, &skb, -1, to, 1, 0), -EFAULT, "nothing before it");
	tap_is(HELPER(skb_load_bytes_relative, &skb, 0, to, 6, BPF_HDR_START_MAC), 0,
	       "from the link layer");
	tap_ok(!memcmp(to, "linear", 6), "its bytes");
	tap_is(HELPER(skb_load_bytes_relative, &skb, 0, to, 7, BPF_HDR_START_MAC), -EFAULT,
	       "not of fragments");
}

static void test_time(void)
{
	static const struct bpf_insn insns[] = {
		{ .code = BPF_JMP | BPF_EXIT },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	static const struct rt_subprog subprogs[2] = { { 0, 0 }, { 1, 0 } };

	prog = (struct rt_prog){
		.insns = insns, .nr_insns = 3, .subprogs = subprogs, .nr_subprogs = 2
	};
	tap_is(HELPER(loop, 1000, 1, 0, 0, 0), 1000, "a loop without a deadline");
	vcpu->deadline = 1; /* long ago */
	tap_ok(HELPER(loop, 1u << 23, 1, 0, 0, 0) < 64, "a loop that is out of time ends soon");
	tap_ok(vcpu->stopped, "and says so");
	tap_is(HELPER(loop, 1u << 23, 1, 0, 0, 0), 1, "the next one does not begin");
	vcpu->deadline = ~0ull;
	vcpu->stopped = false;
	tap_is(HELPER(loop, 1000, 1, 0, 0, 0), 1000, "a deadline that is far");
	vcpu->deadline = 0;
}

int main(void)
{
	const char *message = "";

	if (arena_new(NULL, &arena, &message))
		tap_bail("%s", message);
	vcpu = rt_vcpu_acquire((u32)gettid());
	vcpu->prog = &prog;
	test_perf();
	test_loads();
	test_time();
	rt_vcpu_release(vcpu);
	arena_free(arena);
	return tap_done();
}
