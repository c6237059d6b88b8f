/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * L7: native code does what the interpreter does. Random programs (verify/generate.h) are loaded
 * through bpf(2); each one that is accepted runs by both engines from the same memory. Afterwards
 * must be equal: R0, the programs' stacks, all memory of all maps (ring buffer included), the
 * context and the packet. Every byte of the code has to be an instruction to a disassembler that is
 * not ours, and the code must end where one ends.
 *
 *   jit-equivalence [PROGRAMS [SEED]]
 *
 * A program tail-calls what was accepted before it, so that native code goes on in native code and
 * in the interpreter, and back. Clocks are left out: they differ.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <Zydis/Zydis.h>

#include "abi/context.h"
#include "harness/tap.h"
#include "isa/disasm.h"
#include "isa/opcode.h"
#include "rt/map.h"
#include "rt/native.h"
#include "rt/prog.h"
#include "rt/vcpu.h"
#include "unit/sys/world.h"
#include "verify/generate.h"

#define PACKET_SIZE  128
#define CONTEXT_SIZE 1024
#define NR_INPUTS    4
#define NR_TAILS     4
#define MEMORY_MAX   (256u << 10)
#define PROG_TYPES   32

static struct world *world;
static int map_fds[GEN_NR_MAPS];
static struct rt_map *maps[GEN_NR_MAPS];
static struct rt_vcpu *vcpu;

/* Everything that a run may change. */
struct memory {
	u8 maps[GEN_NR_MAPS][MEMORY_MAX];
	u8 context[CONTEXT_SIZE], packet[PACKET_SIZE];
	u8 stacks[sizeof(((struct rt_vcpu *)NULL)->bpf_stack)];
	u64 r0;
};

static struct memory before, after[2];
static u8 context[CONTEXT_SIZE] __attribute__((aligned(16)));
static u8 packet[PACKET_SIZE] __attribute__((aligned(16)));

static u64 random_state;

static u64 next_random(void)
{
	random_state += 0x9e3779b97f4a7c15UL;
	u64 z = random_state;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9UL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebUL;
	return z ^ z >> 31;
}

static void fill(u8 *memory, u32 size)
{
	for (u32 i = 0; i < size; i++)
		memory[i] = (u8)next_random();
}

static void save(struct memory *memory)
{
	for (u32 i = 0; i < GEN_NR_MAPS; i++)
		memcpy(memory->maps[i], maps[i]->data, maps[i]->data_size);
	memcpy(memory->context, context, sizeof(context));
	memcpy(memory->packet, packet, sizeof(packet));
	memcpy(memory->stacks, vcpu->bpf_stack, sizeof(memory->stacks));
}

static void restore(const struct memory *memory)
{
	for (u32 i = 0; i < GEN_NR_MAPS; i++)
		memcpy(maps[i]->data, memory->maps[i], maps[i]->data_size);
	memcpy(context, memory->context, sizeof(context));
	memcpy(packet, memory->packet, sizeof(packet));
	memcpy(vcpu->bpf_stack, memory->stacks, sizeof(memory->stacks));
}

static bool is_of_skb(u32 prog_type)
{
	return prog_type == BPF_PROG_TYPE_SOCKET_FILTER || prog_type == BPF_PROG_TYPE_SCHED_CLS ||
	       prog_type == BPF_PROG_TYPE_CGROUP_SKB || prog_type == BPF_PROG_TYPE_LWT_IN;
}

/* Contexts of other types would need objects of the kernel. */
static bool has_context(u32 prog_type)
{
	return is_of_skb(prog_type) || prog_type == BPF_PROG_TYPE_XDP ||
	       prog_type == BPF_PROG_TYPE_TRACEPOINT || prog_type == BPF_PROG_TYPE_KPROBE ||
	       prog_type == BPF_PROG_TYPE_RAW_TRACEPOINT;
}

/*
 * Not here: what needs BTF, and programs that are known for running until the budget of may_goto
 * is spent.
 */
static bool is_wanted(const struct gen_program *program)
{
	u32 without = 1u << GEN_CALLBACKS | 1u << GEN_ITERATORS | 1u << GEN_SPIN_LOCKS |
		      1u << GEN_TIMERS | 1u << GEN_SECTIONS | 1u << GEN_EXCEPTIONS |
		      1u << GEN_MAY_GOTO;

	return has_context(program->prog_type) && !(program->topics & without);
}

/* Random memory, with the pointers in it that a context of the type has. */
static void draw_input(u32 prog_type)
{
	fill(context, sizeof(context));
	fill(packet, sizeof(packet));
	if (prog_type == BPF_PROG_TYPE_XDP) {
		struct abi_rt_xdp *xdp = (struct abi_rt_xdp *)context;

		*xdp = (struct abi_rt_xdp){ .data = (u64)packet,
					    .data_end = (u64)packet + next_random() % PACKET_SIZE,
					    .data_meta = (u64)packet,
					    .room_start = (u64)packet,
					    .room_end = (u64)packet + PACKET_SIZE };
	}
	if (is_of_skb(prog_type)) {
		struct abi_rt_skb *skb = (struct abi_rt_skb *)context;

		memset(skb, 0, sizeof(*skb));
		fill((u8 *)&skb->len,
		     offsetof(struct abi_rt_skb, tstamp) - offsetof(struct abi_rt_skb, len));
		skb->len = (u32)(next_random() % PACKET_SIZE);
		skb->data = skb->data_meta = skb->mac_header = skb->network_header = (u64)packet;
		skb->data_end = (u64)packet + skb->len;
	}
}

static void run(const struct rt_prog *prog, bool native, struct memory *ret_memory)
{
	vcpu->random = 0x123456789UL;
	vcpu->call_arg = 0;
	ret_memory->r0 = (native ? rt_native_run : rt_interp_run)(prog, context, vcpu);
	save(ret_memory);
}

static void explain(const struct rt_prog *prog)
{
	for (u32 i = 0; i < prog->nr_insns; i++) {
		char text[ISA_DISASM_MAX];

		isa_disasm(NULL, &prog->insns[i], true, text, sizeof(text));
		tap_note("%u: %s", i, text);
		i += isa_opcodes[prog->insns[i].code].kind == ISA_LD_IMM64;
	}
	tap_note("r0: %#llx and %#llx", (unsigned long long)after[0].r0,
		 (unsigned long long)after[1].r0);
	for (u32 i = 0; i < sizeof(after[0].stacks); i++)
		if (after[0].stacks[i] != after[1].stacks[i]) {
			tap_note("stack of frame %u, byte %u", i / RT_BPF_STACK_SIZE,
				 i % RT_BPF_STACK_SIZE);
			break;
		}
	for (u32 i = 0; i < GEN_NR_MAPS; i++)
		if (memcmp(after[0].maps[i], after[1].maps[i], maps[i]->data_size))
			tap_note("memory of map %u", i);
}

static bool equal(const struct rt_prog *prog)
{
	for (u32 i = 0; i < NR_INPUTS; i++) {
		draw_input(prog->type);
		save(&before);
		run(prog, false, &after[0]);
		restore(&before);
		run(prog, true, &after[1]);
		if (memcmp(&after[0], &after[1], sizeof(after[0])))
			return false;
	}
	return true;
}

static bool decodable(const struct rt_native *native)
{
	ZydisDecoder decoder;
	ZydisDecodedInstruction instruction;
	u64 at = 0;

	ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	while (at < native->text_size) {
		ZyanStatus status = ZydisDecoderDecodeInstruction(
			&decoder, NULL, native->text + at, native->text_size - at, &instruction);
		if (!ZYAN_SUCCESS(status)) {
			tap_note("no instruction at byte %llu of %llu", (unsigned long long)at,
				 (unsigned long long)native->text_size);
			return false;
		}
		at += instruction.length;
	}
	return at == native->text_size;
}

static int make_map(enum gen_map map)
{
	const struct gen_map_def *def = &gen_maps[map];
	union abi_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = def->type;
	attr.key_size = def->key_size;
	attr.value_size = def->value_size;
	attr.max_entries = def->max_entries;
	if (map == GEN_OUTER)
		attr.inner_map_fd = (u32)map_fds[GEN_ARRAY];
	return (int)world_call(world, BPF_MAP_CREATE, &attr);
}

static void make_maps(void)
{
	for (u32 i = 0; i < GEN_NR_MAPS; i++) {
		map_fds[i] = make_map(i);
		if (map_fds[i] < 0)
			tap_bail("cannot make map %u", i);
		maps[i] = (struct rt_map *)sys_map_rt(world_object(world, map_fds[i]));
		if (maps[i]->data_size > MEMORY_MAX)
			tap_bail("map %u is larger than expected", i);
	}
}

/* Calls of clocks become calls of something that stands still. */
static void remove_clocks(struct gen_program *program)
{
	for (u32 i = 0; i < program->nr_insns; i++) {
		struct bpf_insn *insn = &program->insns[i];

		if (!gen_is_continuation(program, i) && insn->code == (BPF_JMP | BPF_CALL) &&
		    !insn->src_reg && insn->imm == BPF_FUNC_ktime_get_ns)
			insn->imm = BPF_FUNC_get_prandom_u32;
	}
}

struct tally {
	u32 tried, accepted, refused, different, undecodable;
	u64 insns, bytes;
};

/* Programs of each type, for tail calls. Their descriptors are kept. */
static struct tails {
	int fds[NR_TAILS];
	struct rt_prog *progs[NR_TAILS];
	u32 nr;
} tails[PROG_TYPES];

static void set_tails(const struct tails *from)
{
	for (u32 i = 0; i < gen_maps[GEN_PROG_ARRAY].max_entries; i++)
		rt_map_set_object(maps[GEN_PROG_ARRAY], i, from->progs[i]);
}

static void judge(const struct rt_prog *prog, u64 seed, struct tally *tally)
{
	tally->accepted++;
	if (!prog->native) {
		tally->refused++;
		return;
	}
	tally->insns += prog->nr_insns;
	tally->bytes += prog->native->text_size;
	if (!decodable(prog->native) && !tally->undecodable++)
		tap_note("seed %llu: not decodable", (unsigned long long)seed);
	set_tails(&tails[prog->type]);
	if (!equal(prog) && tally->different++ < 3) {
		tap_note("seed %llu, program type %u", (unsigned long long)seed, prog->type);
		explain(prog);
	}
	set_tails(&(const struct tails){ .nr = 0 });
}

static void try_program(u64 seed, struct tally *tally)
{
	static const u32 no_kfuncs[GEN_NR_KFUNCS];
	struct gen_program program;
	struct rt_prog *prog;
	struct tails *kept;
	int fd;

	gen_program(seed, &program);
	if (!is_wanted(&program))
		return;
	tally->tried++;
	gen_bind(&program, map_fds, no_kfuncs);
	remove_clocks(&program);
	fd = world_prog_for(world, program.prog_type, program.attach_type, program.insns,
			    program.nr_insns);
	if (fd < 0)
		return;
	prog = (struct rt_prog *)sys_prog_rt(sys_prog_of(world_object(world, fd)));
	random_state = seed;
	judge(prog, seed, tally);
	/* Every other one of those to come is called in the interpreter. */
	kept = &tails[program.prog_type];
	if (kept->nr < NR_TAILS) {
		if (kept->nr % 2)
			prog->native = NULL;
		kept->fds[kept->nr] = fd;
		kept->progs[kept->nr++] = prog;
	} else {
		world->close(world, fd);
	}
}

int main(int argc, char **argv)
{
	u32 programs = argc > 1 ? (u32)strtoul(argv[1], NULL, 0) : 8000;
	u64 seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	struct tally tally = { 0 };

	world = world_skep();
	make_maps();
	vcpu = rt_vcpu_acquire((u32)gettid());
	if (!vcpu)
		tap_bail("no vCPU is free");
	for (u32 i = 0; i < programs; i++)
		try_program(seed + i, &tally);
	rt_vcpu_release(vcpu);
	tap_note("%u of %u programs accepted; %.1f bytes of code for an instruction",
		 tally.accepted, tally.tried, (double)tally.bytes / (double)tally.insns);
	tap_ok(tally.accepted > tally.tried / 4, "enough of them are accepted");
	tap_is(tally.refused, 0, "all of these have native code");
	tap_is(tally.undecodable, 0, "every byte of it is an instruction's");
	tap_is(tally.different, 0, "it does what the interpreter does");
	world_skep_free(world);
	return tap_done();
}
