/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The generator: control flow around statements, functions, whole programs. See ../generate.h.
 */
#include "verify/generate/gen.h"

#include <string.h>

enum { JCOND_MAY_GOTO = 0xe5 };

const struct gen_map_def gen_maps[GEN_NR_MAPS] = {
	[GEN_ARRAY] = { BPF_MAP_TYPE_ARRAY, 4, 48, 1 },
	[GEN_HASH] = { BPF_MAP_TYPE_HASH, 8, 20, 8 },
	[GEN_PERCPU_ARRAY] = { BPF_MAP_TYPE_PERCPU_ARRAY, 4, 16, 2 },
	[GEN_RINGBUF] = { BPF_MAP_TYPE_RINGBUF, 0, 0, 4096 },
	[GEN_PROG_ARRAY] = { BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 4 },
	[GEN_PERF_EVENTS] = { BPF_MAP_TYPE_PERF_EVENT_ARRAY, 4, 4, 4 },
	[GEN_LOCKED] = { BPF_MAP_TYPE_ARRAY, 4, 16, 4 },
	[GEN_TIMER] = { BPF_MAP_TYPE_HASH, 4, 24, 4 },
	[GEN_OUTER] = { BPF_MAP_TYPE_ARRAY_OF_MAPS, 4, 4, 2 },
};

const char *const gen_kfunc_names[GEN_NR_KFUNCS] = {
	[GEN_ITER_NUM_NEW] = "bpf_iter_num_new",
	[GEN_ITER_NUM_NEXT] = "bpf_iter_num_next",
	[GEN_ITER_NUM_DESTROY] = "bpf_iter_num_destroy",
	[GEN_DYNPTR_SLICE] = "bpf_dynptr_slice",
	[GEN_DYNPTR_SLICE_RDWR] = "bpf_dynptr_slice_rdwr",
	[GEN_DYNPTR_FROM_SKB] = "bpf_dynptr_from_skb",
	[GEN_DYNPTR_FROM_XDP] = "bpf_dynptr_from_xdp",
	[GEN_DYNPTR_ADJUST] = "bpf_dynptr_adjust",
	[GEN_DYNPTR_CLONE] = "bpf_dynptr_clone",
	[GEN_DYNPTR_SIZE] = "bpf_dynptr_size",
	[GEN_DYNPTR_IS_NULL] = "bpf_dynptr_is_null",
	[GEN_DYNPTR_IS_RDONLY] = "bpf_dynptr_is_rdonly",
	[GEN_RCU_READ_LOCK] = "bpf_rcu_read_lock",
	[GEN_RCU_READ_UNLOCK] = "bpf_rcu_read_unlock",
	[GEN_PREEMPT_DISABLE] = "bpf_preempt_disable",
	[GEN_PREEMPT_ENABLE] = "bpf_preempt_enable",
	[GEN_IRQ_SAVE] = "bpf_local_irq_save",
	[GEN_IRQ_RESTORE] = "bpf_local_irq_restore",
	[GEN_THROW] = "bpf_throw",
};

const char *const gen_topic_names[GEN_NR_TOPICS] = {
	[GEN_SCALARS] = "scalars",
	[GEN_SIGNED] = "signed division, extension, swaps",
	[GEN_STACK] = "stack",
	[GEN_STACK_OFFSETS] = "variable offsets of the stack",
	[GEN_CONTEXT] = "context",
	[GEN_MAPS] = "maps",
	[GEN_MAPS_IN_MAPS] = "maps in maps",
	[GEN_PACKETS] = "packets",
	[GEN_HELPERS] = "other helpers",
	[GEN_REFERENCES] = "references",
	[GEN_ATOMICS] = "atomics",
	[GEN_BRANCHES] = "branches",
	[GEN_BOUNDS] = "offsets bounded by registers",
	[GEN_LOOPS] = "loops",
	[GEN_MAY_GOTO] = "may_goto",
	[GEN_SUBPROGRAMS] = "subprograms",
	[GEN_CALLBACKS] = "callbacks",
	[GEN_ITERATORS] = "iterators",
	[GEN_DYNPTRS] = "dynptrs",
	[GEN_SPIN_LOCKS] = "spin locks",
	[GEN_TIMERS] = "timers",
	[GEN_SECTIONS] = "RCU, preemption, interrupts",
	[GEN_EXCEPTIONS] = "exceptions",
	[GEN_TAIL_CALLS] = "tail calls",
	[GEN_MISTAKES] = "classic mistakes",
	[GEN_BROKEN] = "one instruction broken",
};

static const struct {
	u32 type, attach;
	s32 max_return; /* at the end of the program; -1: anything */
} types[] = {
	{ BPF_PROG_TYPE_SOCKET_FILTER, 0, -1 },
	{ BPF_PROG_TYPE_TRACEPOINT, 0, -1 },
	{ BPF_PROG_TYPE_XDP, 0, -1 },
	{ BPF_PROG_TYPE_XDP, 0, -1 },
	{ BPF_PROG_TYPE_KPROBE, 0, -1 },
	{ BPF_PROG_TYPE_RAW_TRACEPOINT, 0, -1 },
	{ BPF_PROG_TYPE_SCHED_CLS, 0, -1 },
	{ BPF_PROG_TYPE_SCHED_CLS, 0, -1 },
	{ BPF_PROG_TYPE_PERF_EVENT, 0, -1 },
	{ BPF_PROG_TYPE_LWT_IN, 0, -1 },
	{ BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_INGRESS, 1 },
	{ BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_EGRESS, 3 },
	{ BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_CONNECT, 1 },
	{ BPF_PROG_TYPE_CGROUP_SYSCTL, BPF_CGROUP_SYSCTL, 1 },
};

static void say_call(struct gen *g)
{
	if (g->in_subprog || g->nr_calls >= MAX_CALLS || !is_room(g))
		return;
	note(g, GEN_SUBPROGRAMS);
	for (u8 i = 1; i <= 3; i++)
		if (g->v.kind[i] == K_NONE || chance(g, 500))
			emit_const(g, i, pick_imm(g));
	if (chance(g, 300))
		emit_stack_address(g, 2, -8 * (s32)(1 + pick(g, NR_SLOTS)));
	g->calls[g->nr_calls].entry = ENTRY_CALL;
	g->calls[g->nr_calls++].insn = emit(g, BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, 0);
	for (u8 i = 1; i <= 5; i++)
		set_kind(g, i, K_NONE, 0);
	set_kind(g, 0, K_SCALAR, 0);
}

static void merge(struct view *a, const struct view *b)
{
	for (int i = 0; i < 10; i++) {
		if (a->kind[i] != b->kind[i])
			a->kind[i] = K_NONE;
		a->size[i] = a->size[i] < b->size[i] ? a->size[i] : b->size[i];
	}
	for (int i = 0; i < NR_SLOTS; i++) {
		if (a->slot[i] != b->slot[i])
			a->slot[i] = K_NONE;
		a->slot_size[i] =
			a->slot_size[i] < b->slot_size[i] ? a->slot_size[i] : b->slot_size[i];
	}
}

/* More statements of the kind that this place allows. */
static void say_more(struct gen *g, unsigned statements)
{
	if (g->no_calls)
		say_quiet_block(g, statements);
	else
		say_block(g, statements);
}

static void say_if(struct gen *g)
{
	struct view before, first;
	u32 jump, end;
	bool is_long;

	if (g->depth >= MAX_DEPTH)
		return;
	note(g, GEN_BRANCHES);
	jump = emit_condition(g);
	before = g->v;
	g->depth++;
	say_more(g, 1 + pick(g, 3));
	first = g->v;
	g->v = before;
	if (chance(g, 400)) {
		is_long = chance(g, 100);
		end = emit(g, (is_long ? BPF_JMP32 : BPF_JMP) | BPF_JA, 0, 0, 0, 0);
		land(g, jump);
		say_more(g, 1 + pick(g, 3));
		if (is_long)
			g->p->insns[end].imm = (s32)(g->p->nr_insns - end - 1);
		else
			land(g, end);
	} else {
		land(g, jump);
	}
	merge(&g->v, &first);
	g->depth--;
}

static void say_loop(struct gen *g)
{
	s32 bound = 1 + (s32)pick(g, 6);
	u8 counter = pick_saved(g);
	u16 reserved = g->reserved;
	struct view before;
	u32 head;

	if (counter == NO_REG || g->depth >= MAX_DEPTH - (reserved != 0))
		return;
	note(g, GEN_LOOPS);
	emit_const(g, counter, 0);
	/* Seldom without end: such a program costs a million instructions on both sides. */
	if (liberty(g))
		bound = chance(g, 5) ? pick_imm(g) : (s32)pick(g, 60);
	before = g->v;
	head = g->p->nr_insns;
	g->reserved |= 1u << counter;
	g->depth++;
	say_more(g, 1 + pick(g, 3));
	g->depth--;
	g->reserved = reserved;
	emit(g, BPF_ALU64 | BPF_ADD | BPF_K, counter, 0, 0, 1);
	emit(g,
	     (chance(g, 800) ? BPF_JMP : BPF_JMP32) | (chance(g, 800) ? BPF_JLT : BPF_JSLE) | BPF_K,
	     counter, 0, (s32)head - (s32)g->p->nr_insns - 1, bound);
	merge(&g->v, &before);
	set_kind(g, counter, K_SCALAR, 0);
}

static void say_may_goto(struct gen *g)
{
	struct view before = g->v;
	u32 head = g->p->nr_insns, back;

	if (g->depth >= MAX_DEPTH)
		return;
	note(g, GEN_MAY_GOTO);
	emit(g, JCOND_MAY_GOTO, 0, 0, 0, liberty(g) ? 1 : 0);
	g->depth++;
	say_more(g, 1 + pick(g, 2));
	g->depth--;
	back = emit(g, BPF_JMP | BPF_JA, 0, 0, 0, 0);
	g->p->insns[back].off = (s16)((s32)head - (s32)back - 1);
	land(g, head);
	merge(&g->v, &before);
}

static void (*const quiet_statements[])(struct gen *) = {
	say_alu,   say_alu,	say_alu,      say_unary,       say_spill,
	say_fill,  say_memory,	say_context,  say_if,	       say_direct_value,
	say_spill, say_advance, say_may_goto, say_stack_index, say_bound,
};

static void (*const statements[])(struct gen *) = {
	say_alu,
	say_alu,
	say_alu,
	say_alu,
	say_alu,
	say_alu,
	say_unary,
	say_spill,
	say_spill,
	say_fill,
	say_fill,
	say_context,
	say_memory,
	say_memory,
	say_lookup,
	say_lookup,
	say_update,
	say_number_helper,
	say_memory_helper,
	say_record,
	say_packet,
	say_if,
	say_if,
	say_if,
	say_loop,
	say_call,
	say_direct_value,
	say_advance,
	say_call,
	say_tail_call,
	say_map_in_map,
	say_timer,
	say_iterator,
	say_dynptr,
	say_lock,
	say_socket,
	say_section,
	say_throw,
	say_callback,
	say_may_goto,
	say_packet,
	say_load_bytes,
	say_stack_index,
	say_bound,
	say_mistake,
};

void say_block(struct gen *g, unsigned nr)
{
	while (nr--) {
		/* A program has a subject: its statement comes again and again. */
		unsigned which = chance(g, 250) ? g->subject : pick(g, ARRAY_SIZE(statements));

		if (is_room(g))
			statements[which](g);
	}
}

void say_quiet_block(struct gen *g, unsigned nr)
{
	bool no_calls = g->no_calls;

	g->no_calls = true;
	while (nr--)
		if (is_room(g))
			quiet_statements[pick(g, ARRAY_SIZE(quiet_statements))](g);
	g->no_calls = no_calls;
}

/* max: of what is returned; -1: anything. */
static void say_exit(struct gen *g, s32 max)
{
	u8 reg = find(g, K_SCALAR);

	if (max >= 0 && !liberty(g)) {
		emit_const(g, 0, (s32)pick(g, (unsigned)max + 1));
	} else if (g->v.kind[0] != K_SCALAR || chance(g, 500)) {
		if (reg != NO_REG && chance(g, 500))
			emit(g, BPF_ALU64 | BPF_MOV | BPF_X, 0, reg, 0, 0);
		else if (!liberty(g))
			emit_const(g, 0, 0);
	}
	emit(g, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

static void enter(struct gen *g, enum entry entry)
{
	memset(&g->v, 0, sizeof(g->v));
	set_kind(g, 10, K_STACK, 0);
	g->objects = 0;
	g->reserved = 0;
	switch (entry) {
	case ENTRY_CALL:
		set_kind(g, 1, K_SCALAR, 0);
		set_kind(g, 3, K_SCALAR, 0);
		return;
	case ENTRY_LOOP:
		set_kind(g, 1, K_SCALAR, 0);
		set_kind(g, 2, K_VALUE, 8);
		break;
	case ENTRY_EACH:
		set_kind(g, 2, K_READ_ONLY, 4);
		set_kind(g, 3, K_VALUE, 20);
		set_kind(g, 4, K_VALUE, 8);
		break;
	default:
		set_kind(g, 2, K_READ_ONLY, 4);
		set_kind(g, 3, K_VALUE, GEN_FIELD_OFF);
		break;
	}
	for (u8 i = 2; i <= 4; i++)
		if (g->v.kind[i] >= K_VALUE && chance(g, 400))
			access_memory(g, i, g->v.size[i]);
}

/* The functions that were called, or named, each kind of entry its own. */
static void say_subprogs(struct gen *g)
{
	g->in_subprog = true;
	for (enum entry entry = 0; entry < NR_ENTRIES; entry++) {
		u32 start[MAX_SUBPROGS], nr = 0, calls = 0, max = 1 + pick(g, MAX_SUBPROGS);

		for (u32 i = 0; i < g->nr_calls; i++)
			calls += g->calls[i].entry == entry;
		for (; nr < calls && nr < max; nr++) {
			start[nr] = g->p->nr_insns;
			enter(g, entry);
			say_block(g, 1 + pick(g, 4));
			say_exit(g, entry == ENTRY_CALL ? -1 : entry != ENTRY_TIMER);
		}
		for (u32 i = 0; i < g->nr_calls; i++) {
			struct bpf_insn *insn = &g->p->insns[g->calls[i].insn];

			if (g->calls[i].entry == entry)
				insn->imm = (s32)start[pick(g, nr)] - (s32)g->calls[i].insn - 1;
		}
	}
}

bool gen_is_continuation(const struct gen_program *program, u32 index)
{
	u32 i = 0;

	while (i < index)
		i += program->insns[i].code == (BPF_LD | BPF_IMM | BPF_DW) ? 2 : 1;
	return i > index;
}

/* One field of one instruction becomes something else. */
static void break_something(struct gen *g)
{
	struct bpf_insn *insn = &g->p->insns[pick(g, g->p->nr_insns)];

	if (gen_is_continuation(g->p, (u32)(insn - g->p->insns)) ||
	    insn->code == (BPF_LD | BPF_IMM | BPF_DW))
		return;
	note(g, GEN_BROKEN);
	switch (pick(g, 6)) {
	case 0: insn->dst_reg = pick(g, 11); break;
	case 1: insn->src_reg = pick(g, 11); break;
	case 2: insn->off = (s16)(insn->off + (int)pick(g, 17) - 8); break;
	case 3: insn->imm = pick_imm(g); break;
	case 4: insn->code ^= (u8)(1u << pick(g, 8)); break;
	default: *insn = g->p->insns[pick(g, g->p->nr_insns)]; break;
	}
	/* Not a pseudo load that names a map which does not exist. */
	if (insn->code == (BPF_LD | BPF_IMM | BPF_DW))
		insn->code = BPF_ALU64 | BPF_MOV | BPF_K;
}

void gen_program(u64 seed, struct gen_program *ret_program)
{
	static const unsigned liberties[] = { 0, 0, 5, 10, 30, 100 };
	struct gen g = { .p = ret_program, .state = seed * 0xd1342543de82ef95ULL + 1 };
	unsigned type = pick(&g, ARRAY_SIZE(types));

	ret_program->prog_type = types[type].type;
	ret_program->attach_type = types[type].attach;
	ret_program->nr_insns = ret_program->topics = 0;
	ret_program->many_states = false;
	g.liberty = liberties[pick(&g, ARRAY_SIZE(liberties))];
	g.subject = pick(&g, ARRAY_SIZE(statements));
	set_kind(&g, 1, K_CTX, 0);
	set_kind(&g, 10, K_STACK, 0);
	if (chance(&g, 900))
		emit_mov(&g, 6, 1);
	/* Short ones find most; long ones what only comes together. */
	say_block(&g, chance(&g, 600) ? 1 + pick(&g, 4) : 2 + pick(&g, 10));
	say_exit(&g, types[type].max_return);
	say_subprogs(&g);
	if (chance(&g, 250))
		break_something(&g);
}

void gen_bind(struct gen_program *program, const int *fds, const u32 *kfuncs)
{
	for (u32 i = 0; i < program->nr_insns; i++) {
		struct bpf_insn *insn = &program->insns[i];

		if (insn->code == (BPF_JMP | BPF_CALL) && insn->src_reg == BPF_PSEUDO_KFUNC_CALL &&
		    (u32)insn->imm < GEN_NR_KFUNCS)
			insn->imm = (s32)kfuncs[insn->imm];
		if (insn->code != (BPF_LD | BPF_IMM | BPF_DW))
			continue;
		if (insn->src_reg == BPF_PSEUDO_MAP_FD || insn->src_reg == BPF_PSEUDO_MAP_VALUE)
			insn->imm = (u32)insn->imm < GEN_NR_MAPS ? fds[insn->imm] : -1;
		i++;
	}
}

u32 gen_functions(const struct gen_program *program, u32 ret_starts[GEN_MAX_FUNCS])
{
	u32 nr = 0;
	bool named = false;

	ret_starts[nr++] = 0;
	for (u32 i = 0; i < program->nr_insns && nr < GEN_MAX_FUNCS; i++) {
		const struct bpf_insn *insn = &program->insns[i];
		bool wide = insn->code == (BPF_LD | BPF_IMM | BPF_DW);
		bool names = wide && insn->src_reg == BPF_PSEUDO_FUNC;
		u32 start = i + 1 + (u32)insn->imm, at = nr;

		i += wide;
		named |= names;
		if (!names &&
		    !(insn->code == (BPF_JMP | BPF_CALL) && insn->src_reg == BPF_PSEUDO_CALL))
			continue;
		while (at && ret_starts[at - 1] > start)
			at--;
		if (at && ret_starts[at - 1] == start)
			continue;
		memmove(&ret_starts[at + 1], &ret_starts[at], (nr++ - at) * sizeof(*ret_starts));
		ret_starts[at] = start;
	}
	return named ? nr : 0;
}
