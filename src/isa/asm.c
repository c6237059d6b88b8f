/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The assembler: one line, one instruction; a function for each form of line. Targets that are
 * labels are filled in when the whole text has been read.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "isa/asm.h"
#include "isa/lexer.h"
#include "isa/opcode.h"

#define LABELS_MAX 256

struct label {
	char name[LEX_NAME_MAX + 1];
	u32 insn;
};

enum where { IN_OFF, IN_IMM };

struct fixup {
	char name[LEX_NAME_MAX + 1];
	u32 insn, line;
	enum where where;
};

struct assembler {
	struct lexer lex;
	struct bpf_insn *insns, *insn;
	u32 nr_insns, max;
	struct label labels[LABELS_MAX];
	struct fixup fixups[LABELS_MAX];
	u32 nr_labels, nr_fixups;
};

/* "pc+3" or a label. */
static int take_target(struct assembler *as, enum where where)
{
	struct fixup *fixup;
	s16 off = 0;
	int error;

	if (lex_take(&as->lex, "pc")) {
		error = where == IN_OFF ? lex_off(&as->lex, &off)
					: lex_imm(&as->lex, &as->insn->imm);
		if (!error && where == IN_OFF)
			as->insn->off = off;
		return error;
	}
	if (as->nr_fixups == LABELS_MAX)
		return lex_fail(&as->lex, "too many labels");
	fixup = &as->fixups[as->nr_fixups];
	if (!lex_name(&as->lex, fixup->name))
		return lex_fail(&as->lex, "a target is expected at '%s'", as->lex.at);
	fixup->insn = as->nr_insns;
	fixup->line = as->lex.line;
	fixup->where = where;
	as->nr_fixups++;
	return 0;
}

struct operator_text {
	const char *text;
	u8 op;
	s16 off;
};

/* Longer ones first: "s>>=" before "s>=" does not matter, ">=" before ">" does. */
static const struct operator_text alu_operators[] = {
	{ "+=", BPF_ADD, 0 },  { "-=", BPF_SUB, 0 },	{ "*=", BPF_MUL, 0 }, { "/=", BPF_DIV, 0 },
	{ "s/=", BPF_DIV, 1 }, { "|=", BPF_OR, 0 },	{ "&=", BPF_AND, 0 }, { "<<=", BPF_LSH, 0 },
	{ ">>=", BPF_RSH, 0 }, { "s>>=", BPF_ARSH, 0 }, { "%=", BPF_MOD, 0 }, { "s%=", BPF_MOD, 1 },
	{ "^=", BPF_XOR, 0 },
};

static const struct operator_text jump_operators[] = {
	{ "==", BPF_JEQ, 0 },	{ "!=", BPF_JNE, 0 },  { "s>=", BPF_JSGE, 0 },
	{ "s<=", BPF_JSLE, 0 }, { "s>", BPF_JSGT, 0 }, { "s<", BPF_JSLT, 0 },
	{ ">=", BPF_JGE, 0 },	{ "<=", BPF_JLE, 0 },  { ">", BPF_JGT, 0 },
	{ "<", BPF_JLT, 0 },	{ "&", BPF_JSET, 0 },
};

static const struct operator_text *take_operator(struct assembler *as,
						 const struct operator_text *table, u32 count)
{
	for (u32 i = 0; i < count; i++)
		if (lex_take(&as->lex, table[i].text))
			return &table[i];
	return NULL;
}

/* The source of an ALU or jump instruction: a register of the same class or a number. */
static int take_source(struct assembler *as, char class)
{
	struct bpf_insn *insn = as->insn;
	u8 reg;

	lex_skip_space(&as->lex);
	if (*as->lex.at == class && lex_register(&as->lex, &reg, NULL)) {
		insn->code |= BPF_X;
		insn->src_reg = reg;
		return 0;
	}
	insn->code |= BPF_K;
	return lex_imm(&as->lex, &insn->imm);
}

static int parse_if(struct assembler *as)
{
	struct bpf_insn *insn = as->insn;
	const struct operator_text *op;
	char class;
	u8 reg;
	int error;

	if (!lex_register(&as->lex, &reg, &class))
		return lex_fail(&as->lex, "a register is expected");
	insn->dst_reg = reg;
	op = take_operator(as, jump_operators, ARRAY_SIZE(jump_operators));
	if (!op)
		return lex_fail(&as->lex, "a comparison is expected at '%s'", as->lex.at);
	insn->code = (class == 'w' ? BPF_JMP32 : BPF_JMP) | op->op;
	error = take_source(as, class);
	error = error ?: lex_expect(&as->lex, "goto");
	return error ?: take_target(as, IN_OFF);
}

static int parse_call(struct assembler *as)
{
	struct bpf_insn *insn = as->insn;
	char name[LEX_NAME_MAX + 1];
	const char *start;

	insn->code = BPF_JMP | BPF_CALL;
	lex_skip_space(&as->lex);
	if (isdigit((unsigned char)*as->lex.at))
		return lex_imm(&as->lex, &insn->imm);
	start = as->lex.at;
	if (lex_take(&as->lex, "kernel-function")) {
		insn->src_reg = BPF_PSEUDO_KFUNC_CALL;
		return lex_expect(&as->lex, "#") ?: lex_imm(&as->lex, &insn->imm);
	}
	if (lex_name(&as->lex, name) && *as->lex.at == '#') {
		as->lex.at++;
		return lex_imm(&as->lex, &insn->imm);
	}
	as->lex.at = start;
	insn->src_reg = BPF_PSEUDO_CALL;
	return take_target(as, IN_IMM);
}

static int parse_store(struct assembler *as)
{
	struct bpf_insn *insn = as->insn;
	u8 size, reg;
	s16 off;
	int error = lex_address(&as->lex, &size, NULL, &reg, &off);

	error = error ?: lex_expect(&as->lex, "=");
	if (error)
		return error;
	insn->dst_reg = reg;
	insn->off = off;
	if (lex_register(&as->lex, &reg, NULL)) {
		insn->code = BPF_STX | BPF_MEM | size;
		insn->src_reg = reg;
		return 0;
	}
	insn->code = BPF_ST | BPF_MEM | size;
	return lex_imm(&as->lex, &insn->imm);
}

static int parse_lock(struct assembler *as)
{
	static const struct operator_text operators[] = { { "+=", BPF_ADD, 0 },
							  { "|=", BPF_OR, 0 },
							  { "&=", BPF_AND, 0 },
							  { "^=", BPF_XOR, 0 } };
	struct bpf_insn *insn = as->insn;
	const struct operator_text *op;
	u8 size, reg;
	s16 off;
	int error = lex_expect(&as->lex, "*") ?: lex_address(&as->lex, &size, NULL, &reg, &off);

	if (error)
		return error;
	insn->code = BPF_STX | BPF_ATOMIC | size;
	insn->dst_reg = reg;
	insn->off = off;
	op = take_operator(as, operators, ARRAY_SIZE(operators));
	if (!op)
		return lex_fail(&as->lex, "+=, |=, &= or ^= is expected");
	insn->imm = op->op;
	error = lex_register_of(&as->lex, 'r', &reg);
	insn->src_reg = reg;
	return error;
}

static int parse_store_release(struct assembler *as)
{
	struct bpf_insn *insn = as->insn;
	u8 size = 0, dst = 0, src = 0;
	s16 off = 0;
	int error = lex_expect(&as->lex, "(") ?: lex_address(&as->lex, &size, NULL, &dst, &off);

	error = error ?: lex_expect(&as->lex, ",") ?: lex_register_of(&as->lex, 'r', &src) ?: lex_expect(&as->lex, ")");
	insn->code = BPF_STX | BPF_ATOMIC | size;
	insn->dst_reg = dst;
	insn->src_reg = src;
	insn->off = off;
	insn->imm = BPF_STORE_REL;
	return error;
}

/* "atomic64_fetch_add((u64 *)(r10 -8), r1)" with r1 = before it; name has been taken. */
static int parse_atomic(struct assembler *as, const char *name, u8 result)
{
	static const struct {
		const char *name;
		s32 imm;
	} kinds[] = {
		{ "fetch_add", BPF_ADD | BPF_FETCH },
		{ "fetch_or", BPF_OR | BPF_FETCH },
		{ "fetch_and", BPF_AND | BPF_FETCH },
		{ "fetch_xor", BPF_XOR | BPF_FETCH },
		{ "xchg", BPF_XCHG },
		{ "cmpxchg", BPF_CMPXCHG },
	};
	struct bpf_insn *insn = as->insn;
	const char *kind = strchr(name, '_') + 1;
	u8 size = 0, dst = 0, src = 0, compared = 0;
	s16 off = 0;
	int error;

	for (u32 i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strcmp(kinds[i].name, kind) == 0)
			insn->imm = kinds[i].imm;
	if (!insn->imm)
		return lex_fail(&as->lex, "unknown atomic operation '%s'", name);
	error = lex_expect(&as->lex, "(") ?: lex_address(&as->lex, &size, NULL, &dst, &off) ?: lex_expect(&as->lex, ",");
	if (!error && insn->imm == BPF_CMPXCHG)
		error = lex_register_of(&as->lex, 'r', &compared) ?: lex_expect(&as->lex, ",");
	error = error ?: lex_register_of(&as->lex, 'r', &src) ?: lex_expect(&as->lex, ")");
	if (error)
		return error;
	if (insn->imm == BPF_CMPXCHG ? result != 0 || compared != 0 : result != src)
		return lex_fail(
			&as->lex,
			"the result goes to r0 for cmpxchg, else to the operand's register");
	if ((strncmp(name, "atomic64_", 9) == 0) != (size == BPF_DW))
		return lex_fail(&as->lex, "atomic64_ goes with u64");
	insn->code = BPF_STX | BPF_ATOMIC | size;
	insn->dst_reg = dst;
	insn->src_reg = src;
	insn->off = off;
	return 0;
}

static int parse_load(struct assembler *as, u8 dst)
{
	struct bpf_insn *insn = as->insn;
	const char *start = as->lex.at;
	bool is_signed = false;
	u8 size, reg;
	s16 off;
	int error;

	/* "(u32 *)skb[4]", "(u32 *)skb[r1 + 4]" */
	if (lex_take(&as->lex, "(") && lex_type(&as->lex, &size, &is_signed) &&
	    lex_take(&as->lex, "*") && lex_take(&as->lex, ")") && lex_take(&as->lex, "skb")) {
		error = lex_expect(&as->lex, "[");
		if (error)
			return error;
		insn->code = BPF_LD | BPF_ABS | size;
		if (lex_register(&as->lex, &reg, NULL)) {
			insn->code = BPF_LD | BPF_IND | size;
			insn->src_reg = reg;
			error = lex_expect(&as->lex, "+");
		}
		error = error ?: lex_imm(&as->lex, &insn->imm) ?: lex_expect(&as->lex, "]");
		return error ?: dst == 0 ? 0 : lex_fail(&as->lex, "packet loads go to r0");
	}
	as->lex.at = start;
	error = lex_address(&as->lex, &size, &is_signed, &reg, &off);
	if (error)
		return error;
	insn->code = BPF_LDX | (is_signed ? BPF_MEMSX : BPF_MEM) | size;
	insn->dst_reg = dst;
	insn->src_reg = reg;
	insn->off = off;
	return 0;
}

static int parse_load_acquire(struct assembler *as, u8 dst)
{
	struct bpf_insn *insn = as->insn;
	u8 size = 0, src = 0;
	s16 off = 0;
	int error = lex_expect(&as->lex, "(") ?: lex_address(&as->lex, &size, NULL, &src, &off) ?: lex_expect(&as->lex, ")");

	insn->code = BPF_STX | BPF_ATOMIC | size;
	insn->dst_reg = dst;
	insn->src_reg = src;
	insn->off = off;
	insn->imm = BPF_LOAD_ACQ;
	return error;
}

/* The second half of an ld_imm64 takes an instruction of its own. */
static int set_imm64(struct assembler *as, u8 dst, u8 pseudo, u32 low, u32 high)
{
	if (as->nr_insns + 2 > as->max)
		return -E2BIG;
	as->insn[0] = (struct bpf_insn){ .code = BPF_LD | BPF_IMM | BPF_DW,
					 .dst_reg = dst,
					 .src_reg = pseudo,
					 .imm = (s32)low };
	as->insn[1] = (struct bpf_insn){ .imm = (s32)high };
	return 0;
}

static int parse_end(struct assembler *as, const char *name, u8 dst)
{
	struct bpf_insn *insn = as->insn;
	u8 reg = 0;
	int error = lex_register_of(&as->lex, 'r', &reg);

	if (!error && reg != dst)
		error = lex_fail(&as->lex, "byte order is changed in place");
	insn->imm = atoi(name + strcspn(name, "0123456789"));
	insn->dst_reg = dst;
	if (strncmp(name, "bswap", 5) == 0)
		insn->code = BPF_ALU64 | BPF_END | BPF_TO_LE;
	else
		insn->code = BPF_ALU | BPF_END | (name[0] == 'b' ? BPF_TO_BE : BPF_TO_LE);
	return error;
}

/* What may stand after "r1 =" and begins with a name. */
static int parse_named(struct assembler *as, const char *name, u8 dst)
{
	static const char *const ends[] = { "be16", "be32",    "be64",	  "le16",   "le32",
					    "le64", "bswap16", "bswap32", "bswap64" };
	s32 number = 0, offset = 0;
	int error;

	if (strcmp(name, "load_acquire") == 0)
		return parse_load_acquire(as, dst);
	if (strncmp(name, "atomic_", 7) == 0 || strncmp(name, "atomic64_", 9) == 0)
		return parse_atomic(as, name, dst);
	for (u32 i = 0; i < ARRAY_SIZE(ends); i++)
		if (strcmp(ends[i], name) == 0)
			return parse_end(as, name, dst);
	if (strcmp(name, "map_fd") == 0)
		return lex_imm(&as->lex, &number)
			       ?: set_imm64(as, dst, BPF_PSEUDO_MAP_FD, (u32)number, 0);
	if (strcmp(name, "map_value") == 0) {
		error = lex_imm(&as->lex, &number) ?: lex_imm(&as->lex, &offset);
		return error ?: set_imm64(as, dst, BPF_PSEUDO_MAP_VALUE, (u32)number, (u32)offset);
	}
	if (strcmp(name, "func") == 0)
		return set_imm64(as, dst, BPF_PSEUDO_FUNC, 0, 0) ?: take_target(as, IN_IMM);
	return lex_fail(&as->lex, "'%s' is not known", name);
}

static int parse_mov(struct assembler *as, u8 dst, char class)
{
	struct bpf_insn *insn = as->insn;
	char name[LEX_NAME_MAX + 1];
	u8 alu = class == 'w' ? BPF_ALU : BPF_ALU64, reg;
	const char *start;
	u64 value;
	bool hex;

	insn->dst_reg = dst;
	insn->code = alu | BPF_MOV;
	insn->off = lex_take(&as->lex, "(s8)")	  ? 8
		    : lex_take(&as->lex, "(s16)") ? 16
		    : lex_take(&as->lex, "(s32)") ? 32
						  : 0;
	lex_skip_space(&as->lex);
	if (insn->off || (*as->lex.at == class && isdigit((unsigned char)as->lex.at[1])))
		return take_source(as, class);
	start = as->lex.at;
	if (lex_take(&as->lex, "-") && lex_register(&as->lex, &reg, NULL)) {
		insn->code = alu | BPF_NEG;
		return reg == dst ? 0 : lex_fail(&as->lex, "negation is in place");
	}
	as->lex.at = start;
	if (class == 'r' && lex_take(&as->lex, "*"))
		return parse_load(as, dst);
	if (class == 'r' && lex_name(&as->lex, name))
		return parse_named(as, name, dst);
	if (lex_number(&as->lex, &value, &hex) && hex && class == 'r')
		return set_imm64(as, dst, 0, (u32)value, (u32)(value >> 32));
	as->lex.at = start;
	insn->code |= BPF_K;
	return lex_imm(&as->lex, &insn->imm);
}

static int parse_assignment(struct assembler *as)
{
	struct bpf_insn *insn = as->insn;
	const struct operator_text *op;
	char class;
	u8 reg;

	if (!lex_register(&as->lex, &reg, &class))
		return lex_fail(&as->lex, "no instruction begins with '%s'", as->lex.at);
	op = take_operator(as, alu_operators, ARRAY_SIZE(alu_operators));
	if (!op)
		return lex_expect(&as->lex, "=") ?: parse_mov(as, reg, class);
	insn->code = (class == 'w' ? BPF_ALU : BPF_ALU64) | op->op;
	insn->dst_reg = reg;
	insn->off = op->off;
	return take_source(as, class);
}

static int parse_instruction(struct assembler *as)
{
	struct bpf_insn *insn = as->insn;

	if (lex_take(&as->lex, "exit")) {
		insn->code = BPF_JMP | BPF_EXIT;
		return 0;
	}
	if (lex_take(&as->lex, "goto")) {
		insn->code = BPF_JMP | BPF_JA;
		return take_target(as, IN_OFF);
	}
	if (lex_take(&as->lex, "gotol")) {
		insn->code = BPF_JMP32 | BPF_JA;
		return take_target(as, IN_IMM);
	}
	if (lex_take(&as->lex, "may_goto")) {
		insn->code = BPF_JMP | BPF_JCOND;
		return take_target(as, IN_OFF);
	}
	if (lex_take(&as->lex, "if"))
		return parse_if(as);
	if (lex_take(&as->lex, "call"))
		return parse_call(as);
	if (lex_take(&as->lex, "lock"))
		return parse_lock(as);
	if (lex_take(&as->lex, "store_release"))
		return parse_store_release(as);
	if (lex_take(&as->lex, "*"))
		return parse_store(as);
	return parse_assignment(as);
}

/* "name:" defines a label, "12:" is the disassembler's index and means nothing. */
static int parse_prefixes(struct assembler *as)
{
	char name[LEX_NAME_MAX + 1];

	for (;;) {
		lex_skip_space(&as->lex);
		const char *start = as->lex.at;

		while (isdigit((unsigned char)*as->lex.at))
			as->lex.at++;
		if (as->lex.at > start && *as->lex.at == ':') {
			as->lex.at++;
			continue;
		}
		as->lex.at = start;
		if (!lex_name(&as->lex, name) || *as->lex.at != ':') {
			as->lex.at = start;
			return 0;
		}
		as->lex.at++;
		if (as->nr_labels == LABELS_MAX)
			return lex_fail(&as->lex, "too many labels");
		strcpy(as->labels[as->nr_labels].name, name);
		as->labels[as->nr_labels++].insn = as->nr_insns;
	}
}

static int parse_line(struct assembler *as)
{
	unsigned opcode = 0;
	bool has_opcode = false;
	int error = parse_prefixes(as);

	if (error)
		return error;
	lex_skip_space(&as->lex);
	if (*as->lex.at == 0)
		return 0;
	if (sscanf(as->lex.at, "(%2x)", &opcode) == 1 && as->lex.at[3] == ')') {
		has_opcode = true;
		as->lex.at += 4;
	}
	if (as->nr_insns == as->max)
		return -E2BIG;
	as->insn = &as->insns[as->nr_insns];
	memset(as->insn, 0, sizeof(*as->insn));
	error = parse_instruction(as);
	if (error)
		return error;
	lex_skip_space(&as->lex);
	if (*as->lex.at)
		return lex_fail(&as->lex, "'%s' is left over", as->lex.at);
	if (has_opcode && opcode != as->insn->code)
		return lex_fail(&as->lex, "the opcode is %02x, not %02x", as->insn->code, opcode);
	as->nr_insns += as->insn->code == (BPF_LD | BPF_IMM | BPF_DW) ? 2 : 1;
	return 0;
}

static int resolve(struct assembler *as)
{
	for (u32 i = 0; i < as->nr_fixups; i++) {
		const struct fixup *fixup = &as->fixups[i];
		const struct label *label = NULL;

		for (u32 j = 0; j < as->nr_labels; j++)
			if (strcmp(as->labels[j].name, fixup->name) == 0)
				label = &as->labels[j];
		as->lex.line = fixup->line;
		if (!label)
			return lex_fail(&as->lex, "the label '%s' is not defined", fixup->name);
		s32 distance = (s32)label->insn - (s32)fixup->insn - 1;

		if (fixup->where == IN_IMM)
			as->insns[fixup->insn].imm = distance;
		else if (distance < INT16_MIN || distance > INT16_MAX)
			return lex_fail(&as->lex, "the label '%s' is too far away", fixup->name);
		else
			as->insns[fixup->insn].off = (s16)distance;
	}
	return 0;
}

int isa_assemble(const char *text, struct bpf_insn *insns, u32 max, char *error, u32 error_size)
{
	struct assembler *as = calloc(1, sizeof(*as));
	int result = 0;

	if (!as)
		return -ENOMEM;
	*as = (struct assembler){ .lex = { .error = error, .error_size = error_size },
				  .insns = insns,
				  .max = max };
	snprintf(error, error_size, "more than %u instructions", max);
	while (*text && !result) {
		char line[256];
		size_t length = strcspn(text, "\n"), code;

		as->lex.line++;
		snprintf(line, sizeof(line), "%.*s", (int)length, text);
		code = strcspn(line, ";\r");
		line[code] = 0;
		as->lex.at = line;
		result = length < sizeof(line) ? parse_line(as)
					       : lex_fail(&as->lex, "the line is too long");
		text += length + (text[length] == '\n');
	}
	result = result ?: resolve(as);
	if (!result)
		result = (int)as->nr_insns;
	free(as);
	return result;
}
