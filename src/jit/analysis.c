/* SPDX-License-Identifier: BSD-2-Clause */
/* See analysis.h. */
#include "jit/analysis.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "isa/opcode.h"
#include "rt/map.h"
#include "rt/prog.h"

#define NR_REGS	   10
#define UNREACHED  0xffffu /* no path was seen to come here yet */
#define ROUNDS_MAX 16	   /* walks over the program until nothing is known any more */

/* Index into the input's maps + 1 of each register's content; 0: anything. */
struct contents {
	u16 map[NR_REGS];
};

static bool is_tail_call(const struct bpf_insn *insn)
{
	return insn->code == ISA_TAIL_CALL || (insn->code == (BPF_JMP | BPF_CALL) &&
					       !insn->src_reg && insn->imm == BPF_FUNC_tail_call);
}

/* The distance of a jump; *ret_distance is set if it is one. */
static bool jump_distance(const struct bpf_insn *insn, s32 *ret_distance)
{
	switch (isa_opcodes[insn->code].kind) {
	case ISA_JUMP:
	case ISA_MAY_GOTO: *ret_distance = insn->off; return true;
	case ISA_JA:
		*ret_distance = BPF_CLASS(insn->code) == BPF_JMP32 ? insn->imm : insn->off;
		return true;
	default: return false;
	}
}

/* Is i an instruction's begin in the function? */
static bool is_place(const struct analysis *analysis, const struct analysis_function *function,
		     s64 i)
{
	return i >= function->start && i < function->end && !analysis->parts[i];
}

static int check_targets(const struct jit_input *input, const struct analysis *analysis,
			 const char **ret_refusal)
{
	for (u32 f = 0; f < analysis->nr_functions; f++) {
		const struct analysis_function *function = &analysis->functions[f];

		for (u32 i = function->start; i < function->end; i++) {
			const struct bpf_insn *insn = &input->prog->insns[i];
			s32 distance;
			s64 target;

			if (analysis->parts[i])
				continue;
			if (jump_distance(insn, &distance) &&
			    !is_place(analysis, function, (s64)i + 1 + distance)) {
				*ret_refusal = "a jump leads out of its function";
				return -EOPNOTSUPP;
			}
			if (insn->code != (BPF_JMP | BPF_CALL) || insn->src_reg != BPF_PSEUDO_CALL)
				continue;
			target = (s64)i + 1 + insn->imm;
			if (target < 0 || target >= input->prog->nr_insns ||
			    analysis->functions[rt_prog_subprog_of(input->prog, (u32)target)]
					    .start != target) {
				*ret_refusal = "a call leads to no function's begin";
				return -EOPNOTSUPP;
			}
		}
	}
	return 0;
}

static void note_instruction(struct analysis *analysis, struct analysis_function *function,
			     const struct bpf_insn *insn)
{
	const struct isa_opcode *opcode = &isa_opcodes[insn->code];
	u32 written = 0;

	/* Atomic instructions and loads of the verifier's own kinds may write either register. */
	if (opcode->kind == ISA_ATOMIC || opcode->kind == ISA_INVALID)
		written = 1u << insn->dst_reg | 1u << insn->src_reg;
	else if (opcode->fields & ISA_SETS_DST)
		written = 1u << insn->dst_reg;
	function->saved |= written & 0x3c0;
	function->may_goto |= opcode->kind == ISA_MAY_GOTO;
	function->tail_calls |= is_tail_call(insn);
	analysis->tail_calls |= is_tail_call(insn);
}

static int find_functions(const struct jit_input *input, struct analysis *analysis,
			  const char **ret_refusal)
{
	const struct rt_prog *prog = input->prog;

	for (u32 i = 0; i < prog->nr_insns; i++)
		if (prog->insns[i].code == (BPF_LD | BPF_IMM | BPF_DW) && i + 1 < prog->nr_insns)
			analysis->parts[++i] = true;
	for (u32 f = 0; f < prog->nr_subprogs; f++) {
		struct analysis_function *function = &analysis->functions[f];

		function->start = prog->subprogs[f].start;
		function->end =
			f + 1 < prog->nr_subprogs ? prog->subprogs[f + 1].start : prog->nr_insns;
		if (function->start >= function->end || function->end > prog->nr_insns ||
		    analysis->parts[function->start] || (f == 0 && function->start)) {
			*ret_refusal = "its functions do not follow each other";
			return -EOPNOTSUPP;
		}
		for (u32 i = function->start; i < function->end; i++)
			if (!analysis->parts[i])
				note_instruction(analysis, function, &prog->insns[i]);
		/* What was called in its place keeps nothing for its caller. */
		if (function->tail_calls)
			function->saved = 0x3c0;
	}
	return 0;
}

/* Two paths meet: what they do not agree on is unknown. True if *into changed. */
static bool meet(struct contents *into, const struct contents *from)
{
	bool changed = false;

	for (u32 reg = 0; reg < NR_REGS; reg++) {
		u16 *known = &into->map[reg], met;

		met = *known == UNREACHED || *known == from->map[reg] ? from->map[reg] : 0;
		changed |= met != *known;
		*known = met;
	}
	return changed;
}

static u16 map_at(const struct jit_input *input, u64 address)
{
	for (u32 i = 0; i < input->nr_maps && i + 1 < UNREACHED; i++)
		if ((u64)input->maps[i] == address)
			return (u16)(i + 1);
	return 0;
}

/* What an instruction leaves in the registers. */
static void transfer(const struct jit_input *input, const struct bpf_insn *insn,
		     struct contents *contents)
{
	const struct isa_opcode *opcode = &isa_opcodes[insn->code];
	u16 result = 0;

	if (opcode->kind == ISA_CALL || opcode->kind == ISA_LD_PACKET ||
	    opcode->kind == ISA_INVALID) {
		memset(contents->map, 0, 6 * sizeof(contents->map[0]));
		/* Loads that only the verifier's output has. */
		if (insn->dst_reg < NR_REGS)
			contents->map[insn->dst_reg] = 0;
		if (insn->src_reg < NR_REGS)
			contents->map[insn->src_reg] = 0;
		return;
	}
	if (opcode->kind == ISA_ATOMIC) {
		contents->map[BPF_REG_0] = 0;
		if (insn->src_reg < NR_REGS)
			contents->map[insn->src_reg] = 0;
		if (insn->dst_reg < NR_REGS)
			contents->map[insn->dst_reg] = 0;
		return;
	}
	if (!(opcode->fields & ISA_SETS_DST) || insn->dst_reg >= NR_REGS)
		return;
	if (opcode->kind == ISA_LD_IMM64)
		result = map_at(input, (u64)insn[1].imm << 32 | (u32)insn->imm);
	else if (insn->code == (BPF_ALU64 | BPF_MOV | BPF_X) && !insn->off &&
		 insn->src_reg < NR_REGS)
		result = contents->map[insn->src_reg];
	contents->map[insn->dst_reg] = result;
}

/* One walk, in the program's order; true if something changed for an instruction before. */
static bool walk(const struct jit_input *input, const struct analysis *analysis,
		 struct contents *before)
{
	const struct rt_prog *prog = input->prog;
	bool again = false;

	for (u32 i = 0; i < prog->nr_insns; i++) {
		const struct bpf_insn *insn = &prog->insns[i];
		u8 kind = isa_opcodes[insn->code].kind;
		struct contents after = before[i];
		u32 next = i + 1;
		s32 distance;

		if (analysis->parts[i] || after.map[0] == UNREACHED)
			continue;
		transfer(input, insn, &after);
		if (kind == ISA_LD_IMM64)
			next++;
		if (kind != ISA_JA && kind != ISA_EXIT && next < prog->nr_insns)
			meet(&before[next], &after);
		if (jump_distance(insn, &distance) && meet(&before[i + 1 + distance], &after))
			again |= distance < 0;
	}
	return again;
}

static int find_maps(const struct jit_input *input, struct analysis *analysis)
{
	const struct rt_prog *prog = input->prog;
	struct contents *before;
	u32 rounds = 0;

	if (!input->nr_maps)
		return 0;
	before = base_alloc((size_t)prog->nr_insns * sizeof(*before));
	if (!before)
		return -ENOMEM;
	memset(before, 0xff, (size_t)prog->nr_insns * sizeof(*before));
	for (u32 f = 0; f < analysis->nr_functions; f++)
		memset(&before[analysis->functions[f].start], 0, sizeof(*before));
	while (walk(input, analysis, before) && rounds < ROUNDS_MAX)
		rounds++;
	for (u32 i = 0; i < prog->nr_insns && rounds < ROUNDS_MAX; i++)
		if (prog->insns[i].code == (BPF_JMP | BPF_CALL) && !analysis->parts[i] &&
		    before[i].map[1] != UNREACHED)
			analysis->maps[i] = before[i].map[1];
	base_free(before);
	return 0;
}

int analysis_run(const struct jit_input *input, struct analysis *ret_analysis,
		 const char **ret_refusal)
{
	const struct rt_prog *prog = input->prog;
	struct analysis analysis = { .nr_functions = prog->nr_subprogs };
	int error = -ENOMEM;

	analysis.functions = base_zalloc(prog->nr_subprogs, sizeof(*analysis.functions));
	analysis.maps = base_zalloc(prog->nr_insns, sizeof(*analysis.maps));
	analysis.parts = base_zalloc(prog->nr_insns, sizeof(*analysis.parts));
	if (analysis.functions && analysis.maps && analysis.parts)
		error = find_functions(input, &analysis, ret_refusal);
	if (!error)
		error = check_targets(input, &analysis, ret_refusal);
	if (!error)
		error = find_maps(input, &analysis);
	if (error) {
		analysis_done(&analysis);
		return error;
	}
	*ret_analysis = analysis;
	return 0;
}

void analysis_done(struct analysis *analysis)
{
	base_free(analysis->functions);
	base_free(analysis->maps);
	base_free(analysis->parts);
	*analysis = (struct analysis){ 0 };
}
