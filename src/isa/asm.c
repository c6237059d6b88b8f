/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The assembler: one line, one instruction; a function for each form of line. Targets that are
 * labels are filled in when the whole text has been read.
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "isa/asm.h"
#include "isa/opcode.h"

#define NAME_MAX_LENGTH 31
#define LABELS_MAX	256

struct label {
	char name[NAME_MAX_LENGTH + 1];
	u32 insn;
};

enum where { IN_OFF, IN_IMM };

struct fixup {
	char name[NAME_MAX_LENGTH + 1];
	u32 insn, line;
	enum where where;
};

struct assembler {
	const char *at; /* in the current line */
	u32 line;
	struct bpf_insn *insns, *insn;
	u32 nr_insns, max;
	struct label labels[LABELS_MAX];
	struct fixup fixups[LABELS_MAX];
	u32 nr_labels, nr_fixups;
	char *error;
	u32 error_size;
};

static int fail(struct assembler *as, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static int fail(struct assembler *as, const char *format, ...)
{
	va_list args;
	int length = snprintf(as->error, as->error_size, "line %u: ", as->line);

	if (length >= 0 && (u32)length < as->error_size) {
		va_start(args, format);
		vsnprintf(as->error + length, as->error_size - (u32)length, format, args);
		va_end(args);
	}
	return -EINVAL;
}

static void skip_space(struct assembler *as)
{
	while (*as->at == ' ' || *as->at == '\t')
		as->at++;
}

/* Takes text if it comes next; a word must end where text ends. */
static bool take(struct assembler *as, const char *text)
{
	size_t length = strlen(text);
	bool word = isalnum((unsigned char)text[length - 1]);

	skip_space(as);
	if (strncmp(as->at, text, length) != 0)
		return false;
	if (word && (isalnum((unsigned char)as->at[length]) || as->at[length] == '_'))
		return false;
	as->at += length;
	return true;
}

static bool take_name(struct assembler *as, char name[NAME_MAX_LENGTH + 1])
{
	u32 length = 0;

	skip_space(as);
	if (!isalpha((unsigned char)*as->at) && *as->at != '_')
		return false;
	while (isalnum((unsigned char)as->at[length]) || as->at[length] == '_')
		length++;
	if (length > NAME_MAX_LENGTH)
		return false;
	memcpy(name, as->at, length);
	name[length] = 0;
	as->at += length;
	return true;
}

/* A number, with "+ 5" and "- 5" taken as signed ones. *ret_hex: it was written 0x…. */
static bool take_number(struct assembler *as, u64 *ret, bool *ret_hex)
{
	bool negative = false;
	char *end;

	skip_space(as);
	if (*as->at == '+' || *as->at == '-')
		negative = *as->at++ == '-';
	skip_space(as);
	if (!isdigit((unsigned char)*as->at))
		return false;
	if (ret_hex)
		*ret_hex = as->at[0] == '0' && as->at[1] == 'x';
	errno = 0;
	*ret = strtoull(as->at, &end, as->at[1] == 'x' ? 16 : 10);
	as->at = end;
	if (negative)
		*ret = 0 - *ret;
	return errno == 0;
}

/* An immediate of 32 bits: -2^31 … 2^32-1. */
static int take_imm(struct assembler *as, s32 *ret)
{
	u64 value;

	if (!take_number(as, &value, NULL))
		return fail(as, "a number is expected at '%s'", as->at);
	if ((s64)value < INT32_MIN || (s64)value > UINT32_MAX)
		return fail(as, "the number does not fit 32 bits");
	*ret = (s32)(u32)value;
	return 0;
}

static int take_off(struct assembler *as, s16 *ret)
{
	u64 value;

	if (!take_number(as, &value, NULL))
		return fail(as, "an offset is expected at '%s'", as->at);
	if ((s64)value < INT16_MIN || (s64)value > INT16_MAX)
		return fail(as, "the offset does not fit 16 bits");
	*ret = (s16)value;
	return 0;
}

/* "r5" or "w5": *ret_class gets 'r' or 'w'. */
static bool take_register(struct assembler *as, u8 *ret, char *ret_class)
{
	skip_space(as);
	const char *at = as->at;
	char *end;

	if ((at[0] != 'r' && at[0] != 'w') || !isdigit((unsigned char)at[1]))
		return false;
	unsigned long number = strtoul(at + 1, &end, 10);

	if (number > 15 || isalnum((unsigned char)*end) || *end == '_')
		return false;
	if (ret_class)
		*ret_class = at[0];
	*ret = (u8)number;
	as->at = end;
	return true;
}

static int take_register_of(struct assembler *as, char class, u8 *ret)
{
	char got;

	if (!take_register(as, ret, &got) || got != class)
		return fail(as, "a register %c0-%c10 is expected", class, class);
	return 0;
}

static int expect(struct assembler *as, const char *text)
{
	return take(as, text) ? 0 : fail(as, "'%s' is expected at '%s'", text, as->at);
}

/* "u32" … "s8": the size bits; *ret_signed. */
static bool take_type(struct assembler *as, u8 *ret_size, bool *ret_signed)
{
	static const struct {
		const char *name;
		u8 size;
		bool is_signed;
	} types[] = {
		{ "u8", BPF_B, false },	  { "u16", BPF_H, false }, { "u32", BPF_W, false },
		{ "u64", BPF_DW, false }, { "s8", BPF_B, true },   { "s16", BPF_H, true },
		{ "s32", BPF_W, true },
	};

	for (u32 i = 0; i < ARRAY_SIZE(types); i++) {
		if (!take(as, types[i].name))
			continue;
		*ret_size = types[i].size;
		*ret_signed = types[i].is_signed;
		return true;
	}
	return false;
}

/* "(u32 *)(r1 +4)", after the '*' or the function name's parenthesis. */
static int take_address(struct assembler *as, u8 *ret_size, bool *ret_signed, u8 *ret_reg,
			s16 *ret_off)
{
	bool is_signed = false;
	int error = expect(as, "(");

	if (error)
		return error;
	if (!take_type(as, ret_size, &is_signed))
		return fail(as, "a type such as u32 is expected");
	if (is_signed && !ret_signed)
		return fail(as, "a signed type can only be loaded");
	if (ret_signed)
		*ret_signed = is_signed;
	error = expect(as, "*") ?: expect(as, ")") ?: expect(as, "(");
	error = error ?: take_register_of(as, 'r', ret_reg);
	error = error ?: take_off(as, ret_off);
	return error ?: expect(as, ")");
}

/* "pc+3" or a label. */
static int take_target(struct assembler *as, enum where where)
{
	struct fixup *fixup;
	s16 off = 0;
	int error;

	if (take(as, "pc")) {
		error = where == IN_OFF ? take_off(as, &off) : take_imm(as, &as->insn->imm);
		if (!error && where == IN_OFF)
			as->insn->off = off;
		return error;
	}
	if (as->nr_fixups == LABELS_MAX)
		return fail(as, "too many labels");
	fixup = &as->fixups[as->nr_fixups];
	if (!take_name(as, fixup->name))
		return fail(as, "a target is expected at '%s'", as->at);
	fixup->insn = as->nr_insns;
	fixup->line = as->line;
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
		if (take(as, table[i].text))
			return &table[i];
	return NULL;
}

/* The source of an ALU or jump instruction: a register of the same class or a number. */
static int take_source(struct assembler *as, char class)
{
	struct bpf_insn *insn = as->insn;
	u8 reg;

	skip_space(as);
	if (*as->at == class && take_register(as, &reg, NULL)) {
		insn->code |= BPF_X;
		insn->src_reg = reg;
		return 0;
	}
	insn->code |= BPF_K;
	return take_imm(as, &insn->imm);
}

static int parse_if(struct assembler *as)
{
	struct bpf_insn *insn = as->insn;
	const struct operator_text *op;
	char class;
	u8 reg;
	int error;

	if (!take_register(as, &reg, &class))
		return fail(as, "a register is expected");
	insn->dst_reg = reg;
	op = take_operator(as, jump_operators, ARRAY_SIZE(jump_operators));
	if (!op)
		return fail(as, "a comparison is expected at '%s'", as->at);
	insn->code = (class == 'w' ? BPF_JMP32 : BPF_JMP) | op->op;
	error = take_source(as, class);
	error = error ?: expect(as, "goto");
	return error ?: take_target(as, IN_OFF);
}

static int parse_call(struct assembler *as)
{
	struct bpf_insn *insn = as->insn;
	char name[NAME_MAX_LENGTH + 1];
	const char *start;

	insn->code = BPF_JMP | BPF_CALL;
	skip_space(as);
	if (isdigit((unsigned char)*as->at))
		return take_imm(as, &insn->imm);
	start = as->at;
	if (take(as, "kernel-function")) {
		insn->src_reg = BPF_PSEUDO_KFUNC_CALL;
		return expect(as, "#") ?: take_imm(as, &insn->imm);
	}
	if (take_name(as, name) && *as->at == '#') {
		as->at++;
		return take_imm(as, &insn->imm);
	}
	as->at = start;
	insn->src_reg = BPF_PSEUDO_CALL;
	return take_target(as, IN_IMM);
}

static int parse_store(struct assembler *as)
{
	struct bpf_insn *insn = as->insn;
	u8 size, reg;
	s16 off;
	int error = take_address(as, &size, NULL, &reg, &off);

	error = error ?: expect(as, "=");
	if (error)
		return error;
	insn->dst_reg = reg;
	insn->off = off;
	if (take_register(as, &reg, NULL)) {
		insn->code = BPF_STX | BPF_MEM | size;
		insn->src_reg = reg;
		return 0;
	}
	insn->code = BPF_ST | BPF_MEM | size;
	return take_imm(as, &insn->imm);
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
	int error = expect(as, "*") ?: take_address(as, &size, NULL, &reg, &off);

	if (error)
		return error;
	insn->code = BPF_STX | BPF_ATOMIC | size;
	insn->dst_reg = reg;
	insn->off = off;
	op = take_operator(as, operators, ARRAY_SIZE(operators));
	if (!op)
		return fail(as, "+=, |=, &= or ^= is expected");
	insn->imm = op->op;
	error = take_register_of(as, 'r', &reg);
	insn->src_reg = reg;
	return error;
}

static int parse_store_release(struct assembler *as)
{
	struct bpf_insn *insn = as->insn;
	u8 size = 0, dst = 0, src = 0;
	s16 off = 0;
	int error = expect(as, "(") ?: take_address(as, &size, NULL, &dst, &off);

	error = error ?: expect(as, ",") ?: take_register_of(as, 'r', &src) ?: expect(as, ")");
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
		return fail(as, "unknown atomic operation '%s'", name);
	error = expect(as, "(") ?: take_address(as, &size, NULL, &dst, &off) ?: expect(as, ",");
	if (!error && insn->imm == BPF_CMPXCHG)
		error = take_register_of(as, 'r', &compared) ?: expect(as, ",");
	error = error ?: take_register_of(as, 'r', &src) ?: expect(as, ")");
	if (error)
		return error;
	if (insn->imm == BPF_CMPXCHG ? result != 0 || compared != 0 : result != src)
		return fail(as,
			    "the result goes to r0 for cmpxchg, else to the operand's register");
	if ((strncmp(name, "atomic64_", 9) == 0) != (size == BPF_DW))
		return fail(as, "atomic64_ goes with u64");
	insn->code = BPF_STX | BPF_ATOMIC | size;
	insn->dst_reg = dst;
	insn->src_reg = src;
	insn->off = off;
	return 0;
}

static int parse_load(struct assembler *as, u8 dst)
{
	struct bpf_insn *insn = as->insn;
	const char *start = as->at;
	bool is_signed = false;
	u8 size, reg;
	s16 off;
	int error;

	/* "(u32 *)skb[4]", "(u32 *)skb[r1 + 4]" */
	if (take(as, "(") && take_type(as, &size, &is_signed) && take(as, "*") && take(as, ")") &&
	    take(as, "skb")) {
		error = expect(as, "[");
		if (error)
			return error;
		insn->code = BPF_LD | BPF_ABS | size;
		if (take_register(as, &reg, NULL)) {
			insn->code = BPF_LD | BPF_IND | size;
			insn->src_reg = reg;
			error = expect(as, "+");
		}
		error = error ?: take_imm(as, &insn->imm) ?: expect(as, "]");
		return error ?: dst == 0 ? 0 : fail(as, "packet loads go to r0");
	}
	as->at = start;
	error = take_address(as, &size, &is_signed, &reg, &off);
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
	int error = expect(as, "(") ?: take_address(as, &size, NULL, &src, &off) ?: expect(as, ")");

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
	int error = take_register_of(as, 'r', &reg);

	if (!error && reg != dst)
		error = fail(as, "byte order is changed in place");
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
		return take_imm(as, &number)
			       ?: set_imm64(as, dst, BPF_PSEUDO_MAP_FD, (u32)number, 0);
	if (strcmp(name, "map_value") == 0) {
		error = take_imm(as, &number) ?: take_imm(as, &offset);
		return error ?: set_imm64(as, dst, BPF_PSEUDO_MAP_VALUE, (u32)number, (u32)offset);
	}
	if (strcmp(name, "func") == 0)
		return set_imm64(as, dst, BPF_PSEUDO_FUNC, 0, 0) ?: take_target(as, IN_IMM);
	return fail(as, "'%s' is not known", name);
}

static int parse_mov(struct assembler *as, u8 dst, char class)
{
	struct bpf_insn *insn = as->insn;
	char name[NAME_MAX_LENGTH + 1];
	u8 alu = class == 'w' ? BPF_ALU : BPF_ALU64, reg;
	const char *start;
	u64 value;
	bool hex;

	insn->dst_reg = dst;
	insn->code = alu | BPF_MOV;
	insn->off = take(as, "(s8)") ? 8 : take(as, "(s16)") ? 16 : take(as, "(s32)") ? 32 : 0;
	skip_space(as);
	if (insn->off || (*as->at == class && isdigit((unsigned char)as->at[1])))
		return take_source(as, class);
	start = as->at;
	if (take(as, "-") && take_register(as, &reg, NULL)) {
		insn->code = alu | BPF_NEG;
		return reg == dst ? 0 : fail(as, "negation is in place");
	}
	as->at = start;
	if (class == 'r' && take(as, "*"))
		return parse_load(as, dst);
	if (class == 'r' && take_name(as, name))
		return parse_named(as, name, dst);
	if (take_number(as, &value, &hex) && hex && class == 'r')
		return set_imm64(as, dst, 0, (u32)value, (u32)(value >> 32));
	as->at = start;
	insn->code |= BPF_K;
	return take_imm(as, &insn->imm);
}

static int parse_assignment(struct assembler *as)
{
	struct bpf_insn *insn = as->insn;
	const struct operator_text *op;
	char class;
	u8 reg;

	if (!take_register(as, &reg, &class))
		return fail(as, "no instruction begins with '%s'", as->at);
	op = take_operator(as, alu_operators, ARRAY_SIZE(alu_operators));
	if (!op)
		return expect(as, "=") ?: parse_mov(as, reg, class);
	insn->code = (class == 'w' ? BPF_ALU : BPF_ALU64) | op->op;
	insn->dst_reg = reg;
	insn->off = op->off;
	return take_source(as, class);
}

static int parse_instruction(struct assembler *as)
{
	struct bpf_insn *insn = as->insn;

	if (take(as, "exit")) {
		insn->code = BPF_JMP | BPF_EXIT;
		return 0;
	}
	if (take(as, "goto")) {
		insn->code = BPF_JMP | BPF_JA;
		return take_target(as, IN_OFF);
	}
	if (take(as, "gotol")) {
		insn->code = BPF_JMP32 | BPF_JA;
		return take_target(as, IN_IMM);
	}
	if (take(as, "may_goto")) {
		insn->code = BPF_JMP | BPF_JCOND;
		return take_target(as, IN_OFF);
	}
	if (take(as, "if"))
		return parse_if(as);
	if (take(as, "call"))
		return parse_call(as);
	if (take(as, "lock"))
		return parse_lock(as);
	if (take(as, "store_release"))
		return parse_store_release(as);
	if (take(as, "*"))
		return parse_store(as);
	return parse_assignment(as);
}

/* "name:" defines a label, "12:" is the disassembler's index and means nothing. */
static int parse_prefixes(struct assembler *as)
{
	char name[NAME_MAX_LENGTH + 1];

	for (;;) {
		skip_space(as);
		const char *start = as->at;

		while (isdigit((unsigned char)*as->at))
			as->at++;
		if (as->at > start && *as->at == ':') {
			as->at++;
			continue;
		}
		as->at = start;
		if (!take_name(as, name) || *as->at != ':') {
			as->at = start;
			return 0;
		}
		as->at++;
		if (as->nr_labels == LABELS_MAX)
			return fail(as, "too many labels");
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
	skip_space(as);
	if (*as->at == 0)
		return 0;
	if (sscanf(as->at, "(%2x)", &opcode) == 1 && as->at[3] == ')') {
		has_opcode = true;
		as->at += 4;
	}
	if (as->nr_insns == as->max)
		return -E2BIG;
	as->insn = &as->insns[as->nr_insns];
	memset(as->insn, 0, sizeof(*as->insn));
	error = parse_instruction(as);
	if (error)
		return error;
	skip_space(as);
	if (*as->at)
		return fail(as, "'%s' is left over", as->at);
	if (has_opcode && opcode != as->insn->code)
		return fail(as, "the opcode is %02x, not %02x", as->insn->code, opcode);
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
		as->line = fixup->line;
		if (!label)
			return fail(as, "the label '%s' is not defined", fixup->name);
		s32 distance = (s32)label->insn - (s32)fixup->insn - 1;

		if (fixup->where == IN_IMM)
			as->insns[fixup->insn].imm = distance;
		else if (distance < INT16_MIN || distance > INT16_MAX)
			return fail(as, "the label '%s' is too far away", fixup->name);
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
	*as = (struct assembler){
		.insns = insns, .max = max, .error = error, .error_size = error_size
	};
	snprintf(error, error_size, "more than %u instructions", max);
	while (*text && !result) {
		char line[256];
		size_t length = strcspn(text, "\n"), code;

		as->line++;
		snprintf(line, sizeof(line), "%.*s", (int)length, text);
		code = strcspn(line, ";\r");
		line[code] = 0;
		as->at = line;
		result = length < sizeof(line) ? parse_line(as) : fail(as, "the line is too long");
		text += length + (text[length] == '\n');
	}
	result = result ?: resolve(as);
	if (!result)
		result = (int)as->nr_insns;
	free(as);
	return result;
}
