/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf_snprintf_btf() of the running kernel and of skep: random bytes as values of the types of the
 * kernel's BTF, with every combination of flags that does not hash pointers. The same text and the
 * same length. Arguments: every how many-th type, and the seed.
 */
#include <linux/btf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "btf/btf.h"
#include "harness/kernel_btf.h"
#include "scenario.h"

#define DATA_MAX 2048
#define TEXT_MAX 16384

/* A map's value: what the helper is given, and gives. */
struct memory {
	struct {
		u64 address;
		u32 type_id, flags;
	} value; /* struct btf_ptr */
	u64 flags;
	s64 result;
	u8 data[DATA_MAX];
	char text[TEXT_MAX];
};

struct side {
	struct world *world;
	int map, prog;
	struct memory memory;
};

static u64 state;

static u64 random_number(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static bool side_open(struct side *side, struct world *world)
{
	side->world = world;
	side->map = world_map(world, BPF_MAP_TYPE_ARRAY, 4, sizeof(struct memory), 1, 0);
	{
		const struct bpf_insn insns[] = {
			LD_MAP(6, BPF_PSEUDO_MAP_VALUE, side->map),
			MOV_X(1, 6),
			ADD_K(1, offsetof(struct memory, data)),
			INSN(BPF_STX | BPF_MEM | BPF_DW, 6, 1, offsetof(struct memory, value), 0),
			MOV_X(1, 6),
			ADD_K(1, offsetof(struct memory, text)),
			MOV_K(2, TEXT_MAX),
			MOV_X(3, 6),
			MOV_K(4, 16),
			LOAD(BPF_DW, 5, 6, offsetof(struct memory, flags)),
			CALL(BPF_FUNC_snprintf_btf),
			INSN(BPF_STX | BPF_MEM | BPF_DW, 6, 0, offsetof(struct memory, result), 0),
			MOV_K(0, 0),
			EXIT(),
		};

		side->prog =
			world_prog(world, BPF_PROG_TYPE_RAW_TRACEPOINT, insns, ARRAY_SIZE(insns));
	}
	return side->map >= 0 && side->prog >= 0;
}

static void side_run(struct side *side, const struct memory *memory)
{
	union abi_attr attr = { .test = { .prog_fd = (u32)side->prog } };
	u32 key = 0;

	if (world_update(side->world, side->map, &key, memory, 0) ||
	    world_call(side->world, BPF_PROG_TEST_RUN, &attr) ||
	    world_lookup(side->world, side->map, &key, &side->memory))
		tap_bail("%s: the program does not run", side->world->name);
}

/* The first line in which they differ. */
static void tell(const struct btf *btf, u32 id, u64 flags, struct side sides[2])
{
	const char *a = sides[0].memory.text, *b = sides[1].memory.text;

	while (*a && *a == *b)
		a++, b++;
	while (a > sides[0].memory.text && a[-1] != '\n')
		a--, b--;
	tap_note("type %u, %s, flags %llu: kernel %lld, skep %lld", id, btf_type_name(btf, id),
		 (unsigned long long)flags, (long long)sides[0].memory.result,
		 (long long)sides[1].memory.result);
	tap_note("kernel: %.*s", (int)strcspn(a, "\n"), a);
	tap_note("skep:   %.*s", (int)strcspn(b, "\n"), b);
}

/* Mostly zeros, so that values are left out; some text. */
static void fill(struct memory *memory)
{
	u32 density = 1 + random_number() % 40;

	for (u32 i = 0; i < DATA_MAX; i++) {
		u64 number = random_number();

		memory->data[i] = number % density   ? 0
				  : number & 1 << 20 ? 'a' + number % 26
						     : (u8)(number >> 32);
	}
}

static bool can_show(const struct btf *btf, u32 id)
{
	const struct btf_type *type = btf_type_by_id(btf, id);
	u32 kind = btf_kind_of(type), size;

	if (kind == BTF_KIND_FUNC || kind == BTF_KIND_FUNC_PROTO || kind == BTF_KIND_FWD ||
	    kind == BTF_KIND_VAR || kind == BTF_KIND_DATASEC || kind == BTF_KIND_DECL_TAG)
		return false;
	/* What leads to no value is not asked of a kernel that may not expect it. */
	return !btf_size_of(btf, id, &size) && size && size <= DATA_MAX;
}

int main(int argc, char **argv)
{
	u32 step = argc > 1 ? (u32)atoi(argv[1]) : 37, shown = 0, differ = 0, words = 0;
	static struct side sides[2];
	static struct memory memory;
	struct world *kernel = world_kernel();
	struct btf *btf = kernel_btf_read();

	state = argc > 2 ? strtoull(argv[2], NULL, 0) : 88172645463325252ull;
	if (!kernel || !btf || !step || !side_open(&sides[0], kernel)) {
		tap_skip(1, "no comparison: the kernel takes no programs, or shows no BTF");
		return tap_done();
	}
	if (!side_open(&sides[1], world_skep()))
		tap_bail("skep does not take the program");
	for (u32 id = 1; id < btf_nr_types(btf); id += step) {
		if (!can_show(btf, id))
			continue;
		fill(&memory);
		for (u64 flags = BTF_F_PTR_RAW; flags < 16; flags++) {
			if (!(flags & BTF_F_PTR_RAW))
				continue;
			memory.value.type_id = id;
			memory.flags = flags;
			side_run(&sides[0], &memory);
			side_run(&sides[1], &memory);
			shown++;
			words += sides[0].memory.result > 2;
			if (sides[0].memory.result == sides[1].memory.result &&
			    !strcmp(sides[0].memory.text, sides[1].memory.text))
				continue;
			if (differ++ < 20)
				tell(btf, id, flags, sides);
		}
	}
	tap_ok(shown > 100 && words > shown / 2 && !differ, "%u values shown, %u of them differ",
	       shown, differ);
	memory.flags = 16;
	side_run(&sides[0], &memory);
	side_run(&sides[1], &memory);
	tap_is(sides[1].memory.result, sides[0].memory.result, "unknown flags");
	memory.flags = 0;
	memory.value.type_id = 0;
	side_run(&sides[0], &memory);
	side_run(&sides[1], &memory);
	tap_is(sides[1].memory.result, sides[0].memory.result, "no type");
	memory.value.type_id = 0x7fffffff;
	side_run(&sides[0], &memory);
	side_run(&sides[1], &memory);
	tap_is(sides[1].memory.result, sides[0].memory.result, "a type that does not exist");
	btf_free(btf);
	return tap_done();
}
