/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * L4: what accepted programs really do lies in what the verifier believes.
 *
 * Every generated program that skep's verifier accepts runs on random inputs in the checking
 * interpreter. Two things are asserted at each instruction executed: no access leaves the memory
 * that its pointer was derived from, and some state that the verifier explored at that instruction
 * contains the concrete registers and stack of every frame.
 *
 * The verifier runs twice. With all scalars precise, the states must contain every number. As it is
 * used, pruning ignores scalars that did not matter for the verdict: there only the kinds and
 * targets of pointers are compared. This rung shares nothing with the kernel's verifier.
 *
 * Usage: state-embedding [programs [seed [inputs]]]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/pool.h"
#include "harness/tap.h"
#include "isa/disasm.h"
#include "verify/judge.h"
#include "verify/machine.h"
#include "verify/state.h"

enum { MAX_STATES = 8000, MAX_INSNS = 20000, MAX_STEPS = 600, MAX_REPORTS = 6 };

struct seen_state {
	u32 insn_idx, next; /* next state at the same instruction, 0: none */
	struct vstate *state;
};

struct trace {
	struct seen_state seen[MAX_STATES];
	u32 nr, first[GEN_MAX_INSNS];
	bool overflow;
};

struct totals {
	long programs, accepted, runs, steps, checks, unknown, overflow, violations;
};

static struct trace trace;
static struct pool states; /* what is seen has to outlive the verification */

static void forget_states(void)
{
	pool_reset(&states);
	memset(trace.first, 0, sizeof(trace.first));
	trace.nr = 1;
	trace.overflow = false;
}

static void observe(void *arg, u32 insn_idx, const struct vstate *state)
{
	struct vstate *copy;

	if (trace.nr >= MAX_STATES || insn_idx >= GEN_MAX_INSNS) {
		trace.overflow = true;
		return;
	}
	copy = vstate_new();
	if (!copy || vstate_copy(copy, state))
		abort();
	trace.seen[trace.nr] = (struct seen_state){ insn_idx, trace.first[insn_idx], copy };
	trace.first[insn_idx] = trace.nr++;
}

/* Does the pointer lie where the register says, in a region of that kind? */
static bool points(const struct machine *m, const struct reg *reg, struct cell cell,
		   enum region_kind kind, s64 origin)
{
	const struct region *region = &m->region[cell.region];
	u64 off = cell.value - (u64)(uintptr_t)region->base - (u64)origin - (u64)(s64)reg->off;

	return cell.region && region->kind == kind && scalar_has(&reg->s, off);
}

/* Bytes known to lie in the packet from where the pointer's variable part begins. */
static bool packet_range_holds(const struct machine *m, const struct reg *reg, struct cell cell)
{
	const struct region *packet = &m->region[cell.region];
	s64 start = (s64)(cell.value - (u64)(uintptr_t)packet->base) - reg->off;

	return reg->range <= 0 || start + reg->range <= (s64)packet->size;
}

static s32 map_index(const struct verify_map *map)
{
	return (s32)map->id - 1;
}

static bool reg_holds(const struct machine *m, const struct reg *reg, struct cell cell,
		      bool precise)
{
	const struct region *region = &m->region[cell.region];
	u32 base = reg_base(reg->type);

	if ((reg->type & PTR_MAYBE_NULL) && cell.value == 0)
		return true;
	switch (base) {
	case NOT_INIT: return true;
	case SCALAR_VALUE: return !precise || scalar_has(&reg->s, cell.value);
	case PTR_TO_STACK:
		return cell.region == m->frame[reg->frameno].stack &&
		       points(m, reg, cell, REGION_STACK, MACHINE_STACK);
	case PTR_TO_CTX: return points(m, reg, cell, REGION_CONTEXT, 0);
	case PTR_TO_MAP_VALUE:
		if (reg->map->inner && reg->type & PTR_MAYBE_NULL) /* it will be the inner map */
			return region->kind == REGION_MAP &&
			       region->index == (u32)map_index(reg->map->inner);
		return region->index == (u32)map_index(reg->map) &&
		       points(m, reg, cell, REGION_VALUE, 0);
	case CONST_PTR_TO_MAP:
		return region->kind == REGION_MAP && region->index == (u32)map_index(reg->map);
	case PTR_TO_MEM:
		return points(m, reg, cell, REGION_RECORD, 0) && (u32)reg->range <= region->size;
	case PTR_TO_MAP_KEY:
		return region->index == (u32)map_index(reg->map) &&
		       points(m, reg, cell, REGION_KEY, 0);
	case PTR_TO_FUNC: return region->kind == REGION_FUNCTION;
	case PTR_TO_SOCKET: return points(m, reg, cell, REGION_SOCKET, 0);
	case PTR_TO_PACKET:
		return points(m, reg, cell, REGION_PACKET, 0) && packet_range_holds(m, reg, cell);
	case PTR_TO_PACKET_META:
		return points(m, reg, cell, REGION_META, 0) && packet_range_holds(m, reg, cell);
	case PTR_TO_PACKET_END:
		return region->kind == REGION_PACKET &&
		       cell.value == (u64)(uintptr_t)region->base + region->size;
	default: return false;
	}
}

static bool slot_holds(const struct machine *m, const struct machine_frame *frame,
		       const struct slot *slot, u32 index, bool precise)
{
	const u8 *memory = m->region[frame->stack].base + MACHINE_STACK - 8 * (index + 1);
	struct cell cell = { 0, frame->slot_region[MACHINE_STACK / 8 - index - 1] };
	unsigned spilled = 0;
	struct reg reg;

	/* byte[7] describes the lowest address. */
	for (unsigned i = 0; i < 8; i++)
		if (slot->byte[7 - i] == SLOT_ZERO && memory[i] != 0)
			return false;
	while (spilled < 8 && slot->byte[7 - spilled] == SLOT_SPILL)
		spilled++;
	if (!spilled)
		return true;
	memcpy(&cell.value, memory, spilled);
	/* The state of a narrow spill is that of the whole register; a load cuts it. */
	reg = *slot->spilled;
	if (spilled < 8)
		scalar_truncate(&reg.s, (int)spilled);
	return reg_holds(m, &reg, cell, precise);
}

/* What of the machine's registers and slots does not lie in a state; a bit each, as machine.read_*
 * has them. */
struct difference {
	bool other_chain; /* another call chain: nothing can be compared */
	u32 regs;	  /* of the newest frame */
	u64 slots[MACHINE_FRAMES];
};

/* The machine has come the way that the state describes: only then can they be compared. */
static bool same_chain(const struct machine *m, const struct vstate *state)
{
	bool same = state->curframe == m->depth;

	for (u32 f = 1; f <= m->depth && same; f++)
		same = state->frame[f]->callsite == m->frame[f].callsite;
	return same;
}

static bool contains(const struct machine *m, const struct vstate *state, bool precise)
{
	const struct frame *newest;

	if (!same_chain(m, state))
		return false;
	newest = state->frame[m->depth];
	for (u32 i = 0; i < MAX_REG; i++)
		if (!reg_holds(m, &newest->regs[i], m->frame[m->depth].reg[i], precise))
			return false;
	for (u32 f = 0; f <= m->depth; f++)
		for (u32 i = 0; i < state->frame[f]->nr_slots; i++)
			if (!slot_holds(m, &m->frame[f], frame_slot(state->frame[f], i), i,
					precise))
				return false;
	return true;
}

static struct difference compare(const struct machine *m, const struct vstate *state, bool precise)
{
	struct difference ret = { .other_chain = !same_chain(m, state) };

	if (ret.other_chain)
		return ret;
	for (u32 i = 0; i < MAX_REG; i++)
		if (!reg_holds(m, &state->frame[m->depth]->regs[i], m->frame[m->depth].reg[i],
			       precise))
			ret.regs |= 1u << i;
	for (u32 f = 0; f <= m->depth; f++)
		for (u32 i = 0; i < state->frame[f]->nr_slots; i++)
			if (!slot_holds(m, &m->frame[f], frame_slot(state->frame[f], i), i,
					precise))
				ret.slots[f] |= 1ULL << (MACHINE_STACK / 8 - i - 1);
	return ret;
}

/* Is the machine in a state that was explored here? That comes first then: other inputs come by. */
static bool is_contained(const struct machine *m, bool precise, long *checks)
{
	u32 *link = &trace.first[m->pc];

	for (u32 i; (i = *link); link = &trace.seen[i].next) {
		++*checks;
		if (!contains(m, trace.seen[i].state, precise))
			continue;
		*link = trace.seen[i].next;
		trace.seen[i].next = trace.first[m->pc];
		trace.first[m->pc] = i;
		return true;
	}
	return false;
}

/* Did the step read something that the state did not contain before it? */
static bool matters(const struct machine *m, const struct difference *difference)
{
	bool matters = difference->other_chain || (difference->regs & m->read_regs);

	for (u32 f = 0; f < MACHINE_FRAMES; f++)
		matters |= (difference->slots[f] & m->read_slots[f]) != 0;
	return matters;
}

static void report(u64 seed, u64 input, u32 pc, const char *what, bool precise)
{
	tap_note("seed %llu, input %llu%s: insn %u: %s", (unsigned long long)seed,
		 (unsigned long long)input, precise ? ", all precise" : "", pc, what);
}

/* One step; *ret_what is NULL or what is wrong with it. */
static enum machine_event checked_step(struct machine *m, bool precise, long *checks,
				       const char **ret_what)
{
	static struct difference differences[MAX_STATES];
	u32 nr = 0, pc = m->pc;
	enum machine_event event;
	bool contained = is_contained(m, precise, checks);

	for (u32 i = trace.first[pc]; i && !contained; i = trace.seen[i].next)
		differences[nr++] = compare(m, trace.seen[i].state, precise);
	event = machine_step(m);
	*ret_what = event == MACHINE_FAULT ? m->fault : NULL;
	if (*ret_what || contained || event == MACHINE_UNKNOWN || trace.overflow)
		return event;
	*ret_what = nr ? "what it reads lies in no explored state" : "never explored";
	for (u32 i = 0; i < nr; i++)
		if (!matters(m, &differences[i]))
			*ret_what = NULL;
	return event;
}

static void run(const struct gen_program *program, u64 seed, u64 input, bool precise,
		struct totals *totals)
{
	static struct machine machine;
	struct machine *m = &machine;
	enum machine_event event = MACHINE_RUNS;
	const char *what = NULL;
	u32 pc = 0;

	machine_start(m, program, seed * 64 + input);
	totals->runs++;
	while (event == MACHINE_RUNS && m->steps < MAX_STEPS && !what) {
		pc = m->pc;
		event = checked_step(m, precise, &totals->checks, &what);
	}
	totals->steps += (long)m->steps;
	totals->unknown += event == MACHINE_UNKNOWN;
	if (what && totals->violations++ < MAX_REPORTS)
		report(seed, input, pc, what, precise);
}

static void check_program(void (*gen)(u64 seed, struct gen_program *), u64 seed, u64 inputs,
			  struct totals *totals)
{
	struct gen_program program;

	gen(seed, &program);
	totals->programs++;
	for (int precise = 0; precise < 2; precise++) {
		struct verdict verdict;

		forget_states();
		judge_by_skep(&program, 0,
			      &(struct judge_options){ .observe = observe,
						       .all_precise = precise,
						       .max_insns = MAX_INSNS },
			      &verdict);
		/* What is rejected is so too when more is precise: fewer paths are pruned. */
		if (verdict.error)
			break;
		totals->accepted += !precise;
		totals->overflow += trace.overflow;
		for (u64 input = 0; input < inputs; input++)
			run(&program, seed, input, precise, totals);
	}
}

int main(int argc, char **argv)
{
	long programs = argc > 1 ? atol(argv[1]) : 2000;
	u64 seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1,
	    inputs = argc > 3 ? strtoull(argv[3], NULL, 0) : 8;
	struct totals totals = { 0 };

	state_memory_set(&states);
	trace.nr = 1;
	for (long i = 0; i < programs; i++)
		check_program(i % 8 == 7 ? gen_callbacks : gen_program, seed + (u64)i, inputs,
			      &totals);
	pool_done(&states);
	tap_note("%ld programs from seed %llu: %ld accepted, %ld runs, %ld steps, %ld states "
		 "compared",
		 totals.programs, (unsigned long long)seed, totals.accepted, totals.runs,
		 totals.steps, totals.checks);
	tap_note("%ld runs met an instruction that the interpreter does not know, %ld had too many "
		 "states to keep",
		 totals.unknown, totals.overflow);
	tap_ok(totals.accepted * 10 > totals.programs, "%ld of %ld programs are accepted",
	       totals.accepted, totals.programs);
	tap_ok(totals.violations == 0,
	       "every step lies in an explored state and in its memory: %ld violations",
	       totals.violations);
	return tap_done();
}
