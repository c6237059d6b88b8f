/* SPDX-License-Identifier: BSD-2-Clause */
/* See scenario.h: what programs read of maps through their pointers. */
#include "scenario.h"

#include <errno.h>
#include <string.h>

#include "abi/map_struct.h"
#include "btf/btf.h"
#include "harness/kernel_btf.h"

struct member {
	const char *structure, *name;
};

static const struct member common[] = {
	{ "bpf_map", "map_type" },	  { "bpf_map", "key_size" },
	{ "bpf_map", "value_size" },	  { "bpf_map", "max_entries" },
	{ "bpf_map", "map_flags" },	  { "bpf_map", "map_extra" },
	{ "bpf_map", "btf_key_type_id" }, { "bpf_map", "btf_value_type_id" },
	{ "bpf_map", "numa_node" },	  { "bpf_map", "frozen" },
};

static const struct row {
	u32 type, key_size, value_size, max_entries, flags;
	struct member own[2];
} rows[] = {
	{ BPF_MAP_TYPE_ARRAY,
	  4,
	  12,
	  5,
	  0,
	  { { "bpf_array", "elem_size" }, { "bpf_array", "index_mask" } } },
	{ BPF_MAP_TYPE_ARRAY,
	  4,
	  8,
	  1,
	  0,
	  { { "bpf_array", "elem_size" }, { "bpf_array", "index_mask" } } },
	{ BPF_MAP_TYPE_PERCPU_ARRAY,
	  4,
	  12,
	  4,
	  0,
	  { { "bpf_array", "elem_size" }, { "bpf_array", "index_mask" } } },
	{ BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 3, 0, { { "bpf_array", "elem_size" } } },
	{ BPF_MAP_TYPE_PERF_EVENT_ARRAY, 4, 4, 3, 0, { { "bpf_array", "elem_size" } } },
	{ BPF_MAP_TYPE_CGROUP_ARRAY, 4, 4, 3, 0, { { "bpf_array", "elem_size" } } },
	{ BPF_MAP_TYPE_HASH,
	  4,
	  4,
	  5,
	  0,
	  { { "bpf_htab", "n_buckets" }, { "bpf_htab", "elem_size" } } },
	{ BPF_MAP_TYPE_HASH,
	  12,
	  20,
	  16,
	  BPF_F_NO_PREALLOC,
	  { { "bpf_htab", "n_buckets" }, { "bpf_htab", "elem_size" } } },
	{ BPF_MAP_TYPE_PERCPU_HASH,
	  4,
	  20,
	  9,
	  0,
	  { { "bpf_htab", "n_buckets" }, { "bpf_htab", "elem_size" } } },
	{ BPF_MAP_TYPE_LRU_HASH,
	  8,
	  20,
	  9,
	  0,
	  { { "bpf_htab", "n_buckets" }, { "bpf_htab", "elem_size" } } },
	{ BPF_MAP_TYPE_LRU_PERCPU_HASH,
	  8,
	  20,
	  9,
	  0,
	  { { "bpf_htab", "n_buckets" }, { "bpf_htab", "elem_size" } } },
	{ BPF_MAP_TYPE_LPM_TRIE,
	  8,
	  4,
	  9,
	  BPF_F_NO_PREALLOC,
	  { { "lpm_trie", "data_size" }, { "lpm_trie", "max_prefixlen" } } },
	{ BPF_MAP_TYPE_STACK_TRACE, 4, 80, 9, 0, { { "bpf_stack_map", "n_buckets" } } },
	{ BPF_MAP_TYPE_QUEUE, 0, 4, 9, 0, { { "bpf_queue_stack", "size" } } },
	{ BPF_MAP_TYPE_STACK, 0, 4, 9, 0, { { "bpf_queue_stack", "size" } } },
	{ BPF_MAP_TYPE_BLOOM_FILTER, 0, 4, 9, 0, { { 0 } } },
	{ BPF_MAP_TYPE_RINGBUF, 0, 0, 4096, 0, { { 0 } } },
	{ BPF_MAP_TYPE_DEVMAP, 4, 4, 3, 0, { { 0 } } },
	{ BPF_MAP_TYPE_DEVMAP_HASH, 4, 4, 3, 0, { { "bpf_dtab", "n_buckets" } } },
	{ BPF_MAP_TYPE_CPUMAP, 4, 4, 2, 0, { { 0 } } },
	{ BPF_MAP_TYPE_XSKMAP, 4, 4, 3, 0, { { 0 } } },
	{ BPF_MAP_TYPE_SOCKMAP, 4, 4, 3, 0, { { 0 } } },
	{ BPF_MAP_TYPE_SOCKHASH, 4, 4, 3, 0, { { "bpf_shtab", "buckets_num" } } },
	{ BPF_MAP_TYPE_REUSEPORT_SOCKARRAY, 4, 4, 3, 0, { { 0 } } },
};

struct reader {
	struct world *world;
	const struct btf *btf;
	int results; /* array of one u64 */
};

/* A program that reads the member of the map and gives it away: the number. */
static s64 read_member(struct reader *reader, int map, const struct member *member)
{
	struct world *world = reader->world;
	union abi_attr attr = { 0 };
	u32 bit, bits, key = 0;
	u64 value = 0;
	int prog;

	if (!btf_find_path(reader->btf, member->structure, member->name, &bit, &bits))
		tap_bail("no %s.%s", member->structure, member->name);
	{
		const struct bpf_insn insns[] = {
			LD_MAP(1, BPF_PSEUDO_MAP_FD, map),
			LOAD(bits == 64	  ? BPF_DW
			     : bits == 32 ? BPF_W
					  : BPF_B,
			     2, 1, (s16)(bit / 8)),
			LD_MAP(3, BPF_PSEUDO_MAP_VALUE, reader->results),
			INSN(BPF_STX | BPF_MEM | BPF_DW, 3, 2, 0, 0),
			MOV_K(0, 0),
			EXIT(),
		};

		prog = world_prog(world, BPF_PROG_TYPE_RAW_TRACEPOINT, insns, ARRAY_SIZE(insns));
	}
	if (prog < 0)
		return prog;
	attr.test.prog_fd = (u32)prog;
	expect(world, world_call(world, BPF_PROG_TEST_RUN, &attr), 0, "map pointer: it runs");
	world_lookup(world, reader->results, &key, &value);
	world->close(world, prog);
	return (s64)value;
}

/* What the kernel answered stands here: every member of each type of map. */
static u64 wanted(const struct row *row, const struct member *member)
{
	u64 power = 1;

	while (power < row->max_entries)
		power *= 2;
	if (!strcmp(member->name, "map_type"))
		return row->type;
	if (!strcmp(member->name, "key_size"))
		return row->key_size;
	if (!strcmp(member->name, "value_size"))
		return row->value_size;
	if (!strcmp(member->name, "max_entries"))
		return row->max_entries;
	if (!strcmp(member->name, "map_flags"))
		return row->flags |
		       (row->type == BPF_MAP_TYPE_DEVMAP || row->type == BPF_MAP_TYPE_DEVMAP_HASH
				? BPF_F_RDONLY_PROG
				: 0);
	if (!strcmp(member->name, "numa_node"))
		return (u32)-1;
	if (!strcmp(member->name, "index_mask"))
		return power - 1;
	if (!strcmp(member->name, "n_buckets") || !strcmp(member->name, "buckets_num"))
		return power;
	if (!strcmp(member->name, "size"))
		return row->max_entries + 1;
	if (!strcmp(member->name, "data_size"))
		return row->key_size - 4;
	if (!strcmp(member->name, "max_prefixlen"))
		return (row->key_size - 4) * 8;
	if (!strcmp(member->structure, "bpf_array"))
		return ALIGN_UP(row->value_size, 8u);
	if (!strcmp(member->structure, "bpf_htab"))
		return 48 + ALIGN_UP(row->key_size, 8u) +
		       (row->type == BPF_MAP_TYPE_PERCPU_HASH ||
					row->type == BPF_MAP_TYPE_LRU_PERCPU_HASH
				? 8
				: ALIGN_UP(row->value_size, 8u));
	return 0;
}

static void check(struct reader *reader, const struct row *row)
{
	struct world *world = reader->world;
	int map = world_map(world, row->type, row->key_size, row->value_size, row->max_entries,
			    row->flags);
	union abi_attr attr = { .elem = { .map_fd = (u32)map } };
	static const struct member frozen = { "bpf_map", "frozen" };
	char name[128];

	expect(world, map, FD, "map pointer: a map");
	for (u32 i = 0; i < ARRAY_SIZE(common) + 2; i++) {
		const struct member *member =
			i < ARRAY_SIZE(common) ? &common[i] : &row->own[i - ARRAY_SIZE(common)];

		if (!member->name)
			continue;
		snprintf(name, sizeof(name), "map pointer: type %u, %s.%s", row->type,
			 member->structure, member->name);
		expect(world, read_member(reader, map, member), (long)wanted(row, member), name);
	}
	if (!world_call(world, BPF_MAP_FREEZE, &attr))
		expect(world, read_member(reader, map, &frozen), 1, "map pointer: frozen");
	world->close(world, map);
}

void scenario_map_pointer(struct world *world)
{
	static struct btf *btf;
	struct reader reader = { .world = world };

	btf = btf ? btf : kernel_btf_read();
	if (!btf) {
		tap_skip(1, "%s: map pointers: no BTF of the kernel", world->name);
		return;
	}
	reader.btf = btf;
	reader.results = world_map(world, BPF_MAP_TYPE_ARRAY, 4, 8, 1, 0);
	expect(world, reader.results, FD, "map pointer: a map for results");
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
		check(&reader, &rows[i]);
	world->close(world, reader.results);
}
