/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Do the scalar domains compute the ranges that the running kernel computes?
 *
 * Random straight-line programs over four scalars are loaded into the kernel with a level-2 log;
 * the same instructions run on the domains; every register state that the log prints must be equal,
 * field for field, and every jump decided alike. Each jump leaves for an exit of its own, so that
 * the log shows the state of its taken side.
 *
 * Usage: kernel-ranges [programs [seed]]; without arguments a short run for CI.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "harness/tap.h"
#include "verify/alu.h"
#include "verify/branch.h"

enum {
	FIRST_REG = 6,
	NR_REGS = 4,
	MAX_STEPS = 14,
	MAX_INSNS = 96,
	MAX_REPORTS = 12,
};

struct step_state {
	struct scalar regs[NR_REGS];
};

struct program {
	struct bpf_insn insns[MAX_INSNS];
	int nr_insns;
	int first_step, nr_steps;
	/* Where the jump at an instruction goes; 0 if it is none. */
	int target[MAX_INSNS];
};

static char log_text[1 << 20];
static u64 seed_state;
static long checked_states, mismatches;

static u64 next_random(void)
{
	seed_state ^= seed_state << 13;
	seed_state ^= seed_state >> 7;
	seed_state ^= seed_state << 17;
	return seed_state;
}

static unsigned pick(unsigned n)
{
	return (unsigned)(next_random() >> 20) % n;
}

static s32 pick_imm(void)
{
	static const s32 special[] = { 0,
				       1,
				       -1,
				       2,
				       7,
				       8,
				       15,
				       16,
				       31,
				       0x7f,
				       0x80,
				       0xff,
				       0x100,
				       0x7fff,
				       0x8000,
				       0xffff,
				       0x10000,
				       INT32_MAX,
				       INT32_MIN,
				       INT32_MIN + 1,
				       INT32_MAX - 1,
				       -2,
				       -8,
				       -128,
				       -129,
				       -32768,
				       0x0ff0ff0f,
				       0x55555555,
				       0x3fffffff };

	switch (pick(4)) {
	case 0: return (s32)pick(20) - 10;
	case 1: return (s32)next_random();
	case 2: return (s32)(next_random() >> pick(63));
	default: return special[pick(ARRAY_SIZE(special))];
	}
}

static void emit(struct program *p, u8 code, u8 dst, u8 src, s16 off, s32 imm)
{
	p->insns[p->nr_insns++] = (struct bpf_insn){
		.code = code, .dst_reg = dst, .src_reg = src, .off = off, .imm = imm
	};
}

static u8 pick_reg(void)
{
	return (u8)(FIRST_REG + pick(NR_REGS));
}

static void emit_alu(struct program *p)
{
	static const u8 ops[] = { BPF_ADD, BPF_ADD, BPF_SUB, BPF_SUB, BPF_MUL,	BPF_AND, BPF_AND,
				  BPF_OR,  BPF_XOR, BPF_LSH, BPF_RSH, BPF_ARSH, BPF_DIV, BPF_MOD };
	u8 op = ops[pick(ARRAY_SIZE(ops))], class = pick(2) ? BPF_ALU64 : BPF_ALU;
	bool is_shift = op == BPF_LSH || op == BPF_RSH || op == BPF_ARSH;
	s32 imm = pick_imm();

	if (is_shift)
		imm = pick(8) ? (s32)pick(class == BPF_ALU64 ? 64 : 32)
			      : (class == BPF_ALU64 ? 32 : 16);
	if ((op == BPF_DIV || op == BPF_MOD) && (imm == 0 || pick(4)))
		op = BPF_AND;
	if (!pick(8)) {
		/* Sign-spreading shifts lead to 0 or -1. */
		op = BPF_ARSH;
		imm = class == BPF_ALU64 ? 63 : 31;
	}
	/* Offset 1 makes divisions signed. */
	if (op == BPF_DIV || op == BPF_MOD)
		emit(p, class | op | BPF_K, pick_reg(), 0, (s16)pick(2), imm);
	else if (pick(2))
		emit(p, class | op | BPF_K, pick_reg(), 0, 0, imm);
	else
		emit(p, class | op | BPF_X, pick_reg(), pick_reg(), 0, 0);
}

static void emit_unary(struct program *p)
{
	static const s16 widths[] = { 0, 8, 16, 32 };
	u8 reg = pick_reg(), size;

	switch (pick(8)) {
	case 0: emit(p, (pick(2) ? BPF_ALU64 : BPF_ALU) | BPF_NEG, reg, 0, 0, 0); break;
	case 1: emit(p, BPF_ALU | BPF_MOV | BPF_X, reg, reg, widths[pick(3)], 0); break;
	case 2: emit(p, BPF_ALU64 | BPF_MOV | BPF_X, reg, reg, widths[pick(4)], 0); break;
	case 3:
		emit(p, BPF_ALU | BPF_END | (pick(2) ? BPF_TO_BE : BPF_TO_LE), reg, 0, 0,
		     16 << pick(3));
		break;
	case 4: emit(p, BPF_ALU64 | BPF_END, reg, 0, 0, 16 << pick(3)); break;
	case 5:
		emit(p, (pick(2) ? BPF_ALU64 : BPF_ALU) | BPF_MOV | BPF_K, reg, 0, 0, pick_imm());
		break;
	default:
		/* Through the stack: a narrow load of a spilled register truncates it. */
		size = (u8[]){ BPF_B, BPF_H, BPF_W, BPF_DW }[pick(4)];
		emit(p, BPF_STX | BPF_MEM | BPF_DW, 10, reg, -8, 0);
		emit(p, BPF_LDX | BPF_MEM | size, reg, 10, -8, 0);
		break;
	}
}

static void emit_jump(struct program *p)
{
	static const u8 ops[] = { BPF_JEQ, BPF_JNE,  BPF_JSET, BPF_JGT,	 BPF_JGE, BPF_JLT,
				  BPF_JLE, BPF_JSGT, BPF_JSGE, BPF_JSLT, BPF_JSLE };
	u8 op = ops[pick(ARRAY_SIZE(ops))], class = pick(2) ? BPF_JMP : BPF_JMP32;

	p->target[p->nr_insns] = 1;
	if (pick(3))
		emit(p, class | op | BPF_K, pick_reg(), 0, 0, pick_imm());
	else
		emit(p, class | op | BPF_X, pick_reg(), pick_reg(), 0, 0);
}

static void generate(struct program *p)
{
	int end;

	memset(p, 0, sizeof(*p));
	for (int i = 0; i < NR_REGS; i++) {
		emit(p, BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_ktime_get_ns);
		emit(p, BPF_ALU64 | BPF_MOV | BPF_X, (u8)(FIRST_REG + i), 0, 0, 0);
	}
	emit(p, BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0);
	p->first_step = p->nr_insns;
	p->nr_steps = 4 + (int)pick(MAX_STEPS - 4);
	for (int i = 0; i < p->nr_steps; i++) {
		unsigned kind = pick(10);

		if (kind < 4)
			emit_jump(p);
		else if (kind < 8)
			emit_alu(p);
		else
			emit_unary(p);
	}
	end = p->nr_insns;
	emit(p, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	for (int i = p->first_step; i < end; i++) {
		if (!p->target[i])
			continue;
		p->target[i] = p->nr_insns;
		p->insns[i].off = (s16)(p->nr_insns - i - 1);
		emit(p, BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, i);
		emit(p, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	}
}

static int load(const struct program *p)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
	attr.insns = (u64)(uintptr_t)p->insns;
	attr.insn_cnt = (u32)p->nr_insns;
	attr.license = (u64)(uintptr_t) "GPL";
	attr.log_level = 2;
	attr.log_buf = (u64)(uintptr_t)log_text;
	attr.log_size = sizeof(log_text);
	log_text[0] = 0;
	return (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
}

static bool set_bound(struct scalar *a, const char *name, size_t length, u64 value)
{
	static const char *const names[] = { "smin",   "smax",	 "umin",   "umax",
					     "smin32", "smax32", "umin32", "umax32" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (strlen(names[i]) == length && !memcmp(name, names[i], length))
			break;
	switch (i) {
	case 0: a->smin = (s64)value; break;
	case 1: a->smax = (s64)value; break;
	case 2: a->umin = value; break;
	case 3: a->umax = value; break;
	case 4: a->smin32 = (s32)value; break;
	case 5: a->smax32 = (s32)value; break;
	case 6: a->umin32 = (u32)value; break;
	case 7: a->umax32 = (u32)value; break;
	default: return false;
	}
	return true;
}

static u64 parse_number(const char **text)
{
	char *end;
	u64 value = **text == '-' ? (u64)strtoll(*text, &end, 0) : strtoull(*text, &end, 0);

	*text = end;
	return value;
}

/* "scalar(id=1,smin=umin=3,var_off=(0x0; 0xff))" or a number; false if it is neither. */
static bool parse_scalar(const char *text, struct scalar *ret)
{
	if (*text == 'P')
		text++;
	if (*text == '-' || (*text >= '0' && *text <= '9')) {
		*ret = scalar_const(parse_number(&text));
		return true;
	}
	if (strncmp(text, "scalar(", 7))
		return false;
	*ret = scalar_unknown();
	text += 7;
	while (*text != ')') {
		const char *names = text, *value = text;

		while (*value != ',' && *value != ')' && *value != '(')
			value++;
		if (!strncmp(text, "var_off=(", 9)) {
			text += 9;
			ret->var_off.value = parse_number(&text);
			text += 2;
			ret->var_off.mask = parse_number(&text);
			text++;
		} else {
			while (value[-1] != '=')
				value--;
			text = value;
			if (!strncmp(names, "id=", 3)) {
				while (*text != ',' && *text != ')')
					text++;
			} else {
				u64 number = parse_number(&text);

				for (const char *at = names; at < value; at++) {
					size_t length = strcspn(at, "=");

					if (!set_bound(ret, at, length, number))
						return false;
					at += length;
				}
			}
		}
		if (*text == ',')
			text++;
	}
	return true;
}

static void print_scalar(const char *who, const struct scalar *a)
{
	tap_note("  %s s[%lld, %lld] u[%llu, %llu] s32[%d, %d] u32[%u, %u] (%#llx; %#llx)", who,
		 (long long)a->smin, (long long)a->smax, (unsigned long long)a->umin,
		 (unsigned long long)a->umax, a->smin32, a->smax32, a->umin32, a->umax32,
		 (unsigned long long)a->var_off.value, (unsigned long long)a->var_off.mask);
}

static void report(const char *line, int reg, const struct scalar *ours,
		   const struct scalar *theirs)
{
	if (mismatches++ >= MAX_REPORTS)
		return;
	tap_note("R%d differs at: %.*s", reg, (int)strcspn(line, "\n"), line);
	print_scalar("skep  ", ours);
	print_scalar("kernel", theirs);
}

/* Compares every register that a log line shows with ours. */
static void compare_line(const char *line, const char *states, const struct step_state *ours)
{
	const char *end = states + strcspn(states, "\n");

	for (const char *at = states; at < end; at++) {
		int reg = at[1] - '0';
		struct scalar theirs;

		if (*at != 'R' || at[-1] != ' ' || reg < FIRST_REG || reg >= FIRST_REG + NR_REGS)
			continue;
		at += strcspn(at, "=") + 1;
		if (!parse_scalar(at, &theirs)) {
			tap_note("cannot read: %.*s", (int)(end - states), states);
			mismatches++;
			return;
		}
		checked_states++;
		/* Of a constant the log shows nothing but the value, whatever its ranges have
		 * become. */
		if (scalar_is_const(&theirs) &&
		    tnum_equal(theirs.var_off, ours->regs[reg - FIRST_REG].var_off))
			continue;
		if (!scalar_equal(&ours->regs[reg - FIRST_REG], &theirs))
			report(line, reg, &ours->regs[reg - FIRST_REG], &theirs);
	}
}

static bool settle(struct scalar *a)
{
	if (!scalar_violation(a))
		return true;
	scalar_forget_ranges(a);
	return false;
}

static void run_alu(const struct bpf_insn *insn, struct step_state *s)
{
	struct scalar *dst = &s->regs[insn->dst_reg - FIRST_REG], src = *dst, zero;

	if (BPF_SRC(insn->code) == BPF_X && BPF_OP(insn->code) != BPF_END)
		src = s->regs[insn->src_reg - FIRST_REG];
	/* The main path continues with all ones; the other case is explored later. */
	alu_forks(insn, dst, &src, &zero, dst);
	alu_scalar(insn, dst, &src);
	settle(dst);
}

/* The jump's decision; *s becomes the state behind it, *taken that at its target. */
static enum scalar_truth run_jump(const struct bpf_insn *insn, struct step_state *s,
				  struct step_state *taken)
{
	bool by_reg = BPF_SRC(insn->code) == BPF_X;
	struct scalar constant = scalar_const((u64)(s64)insn->imm), other = constant;
	int dst = insn->dst_reg - FIRST_REG, src = insn->src_reg - FIRST_REG;
	enum scalar_truth truth =
		branch_decide(insn, &s->regs[dst], by_reg ? &s->regs[src] : &constant);

	*taken = *s;
	if (truth != SCALAR_MAYBE)
		return truth;
	branch_refine(insn, false, &s->regs[dst], by_reg ? &s->regs[src] : &constant);
	branch_refine(insn, true, &taken->regs[dst], by_reg ? &taken->regs[src] : &other);
	settle(&s->regs[dst]);
	settle(&taken->regs[dst]);
	if (by_reg) {
		settle(&s->regs[src]);
		settle(&taken->regs[src]);
	}
	return truth;
}

/* Finds the line of the main path that shows instruction `index`: other paths come after a line
 * "from ...". */
static const char *find_insn_line(const char *log, int index)
{
	char prefix[16];

	snprintf(prefix, sizeof(prefix), "%d: (", index);
	for (const char *line = log; *line; line += strcspn(line, "\n") + 1) {
		if (!strncmp(line, prefix, strlen(prefix)))
			return line;
		if (!line[strcspn(line, "\n")] || !strncmp(line, "from ", 5))
			break;
	}
	return NULL;
}

/* Other paths are explored last come, first served: the first such line belongs to the main path.
 */
static const char *find_from_line(const char *log, int from, int to)
{
	char prefix[40];
	const char *at;

	snprintf(prefix, sizeof(prefix), "from %d to %d:", from, to);
	at = strstr(log, prefix);
	return at;
}

/* Where the line of an instruction shows registers; a broken invariant moves them to a later line.
 * NULL if nowhere. */
static const char *find_states(const char *line, int index)
{
	const char *states = strstr(line, "; "), *next = line + strcspn(line, "\n");
	char prefix[16];

	if (states && states < next)
		return states + 1;
	snprintf(prefix, sizeof(prefix), "%d: R", index);
	if (strncmp(next, "\nverifier bug: ", 15))
		return NULL;
	do {
		next += 1 + strcspn(next + 1, "\n");
	} while (!strncmp(next, "\nverifier bug: ", 15));
	return strncmp(next + 1, prefix, strlen(prefix)) ? NULL : strchr(next, ' ');
}

/* The log shows both outcomes of an open jump in its line, of a decided one nothing but the next
 * instruction. */
static void check_decision(int i, const char *line, enum scalar_truth truth)
{
	bool open = find_states(line, i) != NULL;
	enum scalar_truth theirs = open				 ? SCALAR_MAYBE
				   : find_insn_line(line, i + 1) ? SCALAR_NEVER
								 : SCALAR_ALWAYS;

	checked_states++;
	if (theirs != truth && mismatches++ < MAX_REPORTS)
		tap_note("decision differs: skep %d, kernel %d at %.*s", truth, theirs,
			 (int)strcspn(line, "\n"), line);
}

static void check_program(const struct program *p)
{
	struct step_state s, taken;
	const char *states, *line;
	long before = mismatches;

	for (int i = 0; i < NR_REGS; i++)
		s.regs[i] = scalar_unknown();
	for (int i = p->first_step; mismatches == before; i++) {
		const struct bpf_insn *insn = &p->insns[i];
		u8 class = BPF_CLASS(insn->code);

		if (insn->code == (BPF_JMP | BPF_EXIT))
			break;
		line = find_insn_line(log_text, i);
		if (!line) {
			tap_note("the log does not show instruction %d", i);
			mismatches++;
			break;
		}
		if (class == BPF_JMP || class == BPF_JMP32) {
			enum scalar_truth truth = run_jump(insn, &s, &taken);

			check_decision(i, line, truth);
			if (truth == SCALAR_ALWAYS)
				break;
			if (truth == SCALAR_MAYBE) {
				states = find_from_line(log_text, i, p->target[i]);
				if (states)
					compare_line(states, states, &taken);
			}
		} else if (class == BPF_ALU || class == BPF_ALU64) {
			run_alu(insn, &s);
		} else if (class == BPF_LDX) {
			static const int sizes[] = { 4, 2, 1, 8 };

			scalar_truncate(&s.regs[insn->dst_reg - FIRST_REG],
					sizes[BPF_SIZE(insn->code) >> 3]);
		}
		states = find_states(line, i);
		if (states)
			compare_line(line, states, &s);
	}
	if (mismatches != before && before < MAX_REPORTS && getenv("SKEP_TEST_VERBOSE"))
		fprintf(stderr, "%s\n", log_text);
}

int main(int argc, char **argv)
{
	long programs = argc > 1 ? atol(argv[1]) : 2000, loaded = 0;
	u64 seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;

	if (!tap_kernel_bpf()) {
		tap_skip(1, "the running kernel does not let this process load programs");
		return tap_done();
	}
	seed_state = seed * 0x9e3779b97f4a7c15ULL + 1;
	for (long i = 0; i < programs; i++) {
		struct program p;
		int fd;

		generate(&p);
		fd = load(&p);
		if (fd < 0) {
			tap_note("program %ld: the kernel rejects it: %s", i, strerror(errno));
			mismatches++;
			continue;
		}
		close(fd);
		loaded++;
		check_program(&p);
	}
	tap_ok(mismatches == 0 && loaded == programs && checked_states > programs,
	       "%ld programs (seed %llu), %ld register states and decisions agree with the kernel, "
	       "%ld differ",
	       loaded, (unsigned long long)seed, checked_states, mismatches);
	return tap_done();
}
