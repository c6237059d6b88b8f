/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * L2: the scalar domains lose no word, proved for all 64-bit words on the real source by Z3.
 *
 * Each claim has the form: if x lies in a (and y in b), then f(x, y) lies in F(a, b). The function
 * F of the domain runs on symbolic words; at each of its leaves the prover is asked for a
 * counterexample. Syncing is proved step by step (each step alone loses nothing, so no sequence of
 * them does) and therefore left out of the transfer functions here. Multiplication of ranges (its
 * overflow test divides) is left to the exhaustive checks on narrow words; that of tristate numbers
 * is proved by its inductive step.
 *
 * Usage: proof [-t SECONDS] [-n NAME] [name part]
 *
 * Proves the claims whose name contains the part, or the one of that NAME; all by default. -l lists
 * their names instead.
 *
 * With -t, a claim for which that time does not do is skipped, and says so; one that is refuted
 * until then fails.
 */
#include "verify/prove/word.h"

/* The transfer functions below end in this instead of the real one. */
struct scalar;
static void sync_later(struct scalar *a);

#include "verify/domain/tnum.c"
/* Proved on its own ("tnum_next"); the rest relies on what was proved. */
static u64 assumed_next(struct tnum a, const u64 &z);
#define tnum_next assumed_next
#include "verify/domain/scalar.c"
#undef tnum_next
#define scalar_sync sync_later
#include "verify/domain/scalar_alu.c"
#include "verify/domain/scalar_branch.c"
#undef scalar_sync

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <unistd.h>
#include <vector>

extern "C" {
#include "harness/tap.h"
}

static void sync_later(struct scalar *a)
{
	(void)a;
}

/* The engine */

static z3::context *context;
static z3::solver *path;

struct decision {
	bool value, open; /* open: the other value is feasible and not yet tried */
};

static std::vector<decision> decisions;
static size_t position;

z3::context &prove_context(void)
{
	return *context;
}

static void hurry(z3::solver *solver);

static bool feasible(const z3::expr &e)
{
	z3::expr_vector assumptions(*context);

	assumptions.push_back(e);
	hurry(path);
	return path->check(assumptions) != z3::unsat;
}

bool prove_choose(const z3::expr &condition)
{
	z3::expr e = condition.simplify();
	bool value;

	if (e.is_true() || e.is_false())
		return e.is_true();
	if (position == decisions.size()) {
		bool can = feasible(e), cannot = !can || feasible(!e);

		decisions.push_back({ can, can && cannot });
	}
	value = decisions[position++].value;
	path->add(value ? e : !e);
	return value;
}

/* To the next combination of decisions; false when all were seen. */
static bool advance(void)
{
	while (!decisions.empty() && !decisions.back().open)
		decisions.pop_back();
	if (decisions.empty())
		return false;
	decisions.back() = { !decisions.back().value, false };
	return true;
}

/* Membership as a term, written down from the definition. */
static z3::expr tnum_has(const struct tnum &t, const u64 &x)
{
	return (x.e & ~t.mask.e) == t.value.e;
}

static z3::expr has(const struct scalar &a, const u64 &x)
{
	z3::expr low = x.e.extract(31, 0);

	return tnum_has(a.var_off, x) && z3::uge(x.e, a.umin.e) && z3::ule(x.e, a.umax.e) &&
	       x.e >= a.smin.e && x.e <= a.smax.e && z3::uge(low, a.umin32.e) &&
	       z3::ule(low, a.umax32.e) && low >= a.smin32.e && low <= a.smax32.e;
}

static z3::expr well_formed(const struct tnum &t)
{
	return (t.value.e & t.mask.e) == context->bv_val(0, 64);
}

static u64 symbol(const char *name)
{
	return u64(context->bv_const(name, 64));
}

static u64 named(const char *prefix, const char *name)
{
	char text[32];

	snprintf(text, sizeof(text), "%s.%s", prefix, name);
	return symbol(text);
}

static struct tnum any_tnum(const char *name)
{
	struct tnum t;

	t.value = named(name, "value");
	t.mask = named(name, "mask");
	path->add(well_formed(t));
	return t;
}

static struct scalar any_scalar(const char *name)
{
	struct scalar a;

	a.var_off = any_tnum(name);
	a.umin = named(name, "umin");
	a.umax = named(name, "umax");
	a.smin = s64(named(name, "smin"));
	a.smax = s64(named(name, "smax"));
	a.umin32 = u32(named(name, "umin32"));
	a.umax32 = u32(named(name, "umax32"));
	a.smin32 = s32(named(name, "smin32"));
	a.smax32 = s32(named(name, "smax32"));
	return a;
}

/* For the member x of a: if x is larger than z, the next member after z is one, larger than z and
 * not beyond x. */
static u64 assumed_next(struct tnum a, const u64 &z)
{
	static int nr;
	char name[32];
	u64 x = symbol("x"), next;

	snprintf(name, sizeof(name), "next%d", nr++);
	next = symbol(name);
	path->add(z3::implies(tnum_has(a, x) && z3::ugt(x.e, z.e),
			      tnum_has(a, next) && z3::ugt(next.e, z.e) && z3::ule(next.e, x.e)));
	return next;
}

static const char *only = "", *only_one;
static bool only_names;
static double limit; /* seconds of a claim's; 0: none */
static std::chrono::steady_clock::time_point started;

static double elapsed(void)
{
	return std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
}

static bool is_late(void)
{
	return limit > 0 && elapsed() > limit;
}

/* Whoever is asked answers in the time that is left. */
static void hurry(z3::solver *solver)
{
	double left = limit - elapsed();

	if (limit > 0)
		solver->set("timeout", left < 0.001 ? 1u : unsigned(1000 * left));
}

static std::vector<z3::expr> *claimed;

/* What the body of a claim asserts at its end; the parts of a conjunction are asked for one by one.
 */
static void claim(const z3::expr &e)
{
	if (e.is_app() && e.decl().decl_kind() == Z3_OP_AND) {
		for (unsigned i = 0; i < e.num_args(); i++)
			claim(e.arg(i));
	} else {
		claimed->push_back(e);
	}
}

static void assume(const z3::expr &e)
{
	path->add(e);
}

/* Runs body on every feasible path and asks for a counterexample at the end of each. */
template <typename F> static void prove(const char *name, F body)
{
	long paths = 0, refuted = 0, unknown = 0;

	if (!strstr(name, only) || (only_one && strcmp(name, only_one) != 0))
		return;
	if (only_names) {
		puts(name);
		return;
	}
	started = std::chrono::steady_clock::now();
	decisions.clear();
	do {
		z3::solver solver(*context, "QF_BV");
		std::vector<z3::expr> goals;

		path = &solver;
		claimed = &goals;
		position = 0;
		body();
		paths++;
		for (const z3::expr &goal : goals) {
			z3::solver asker(*context, "QF_BV");

			for (const z3::expr &known : solver.assertions())
				asker.add(known);
			asker.add(!goal);
			hurry(&asker);
			switch (asker.check()) {
			case z3::unsat: break;
			case z3::sat:
				if (refuted++ == 0)
					tap_note("counterexample: %s",
						 asker.get_model().to_string().c_str());
				break;
			default: unknown++;
			}
		}
	} while (!is_late() && advance());
	if (is_late() && !refuted)
		tap_skip(1, "%s: %.0f seconds do not do: %ld paths, 0 refuted", name, limit, paths);
	else
		tap_ok(!refuted && !unknown, "%s: %ld paths, %ld refuted, %ld undecided", name,
		       paths, refuted, unknown);
}

/* Claims */

typedef struct tnum (*tnum_op)(struct tnum, struct tnum);
typedef u64 (*word_op)(const u64 &, const u64 &);

static void prove_tnum_op(const char *name, tnum_op op, word_op concrete)
{
	prove(name, [=] {
		struct tnum a = any_tnum("a"), b = any_tnum("b"), r;
		u64 x = symbol("x"), y = symbol("y");

		assume(tnum_has(a, x) && tnum_has(b, y));
		r = op(a, b);
		claim(tnum_has(r, concrete(x, y)) && well_formed(r));
	});
}

static u64 add(const u64 &x, const u64 &y)
{
	return x + y;
}

static u64 sub(const u64 &x, const u64 &y)
{
	return x - y;
}

static u64 both(const u64 &x, const u64 &y)
{
	return x & y;
}

static u64 either(const u64 &x, const u64 &y)
{
	return x | y;
}

static u64 differ(const u64 &x, const u64 &y)
{
	return x ^ y;
}

static void prove_tnums(void)
{
	prove_tnum_op("tnum_add", tnum_add, add);
	prove_tnum_op("tnum_sub", tnum_sub, sub);
	prove_tnum_op("tnum_and", tnum_and, both);
	prove_tnum_op("tnum_or", tnum_or, either);
	prove_tnum_op("tnum_xor", tnum_xor, differ);
	prove("tnum_mul, one digit", [] {
		struct tnum a = any_tnum("a"), b = any_tnum("b"), sum = any_tnum("sum");
		u64 x = symbol("x"), y = symbol("y"), p = symbol("p");
		z3::expr digit = (x.e & context->bv_val(1, 64)) == context->bv_val(1, 64);

		assume(tnum_has(a, x) && tnum_has(b, y) && tnum_has(sum, p));
		mul_digit(&sum, &a, &b);
		claim(tnum_has(sum, u64(z3::ite(digit, (p + y).e, p.e))) && tnum_has(a, x >> 1) &&
		      tnum_has(b, y << 1) && well_formed(sum));
	});
	prove("tnum_intersect, tnum_union, tnum_in, tnum_overlap", [] {
		struct tnum a = any_tnum("a"), b = any_tnum("b");
		u64 x = symbol("x");
		z3::expr in_a = tnum_has(a, x), in_b = tnum_has(b, x);
		bool contains = tnum_in(a, b), overlap = tnum_overlap(a, b);

		claim(z3::implies(in_a && in_b, tnum_has(tnum_intersect(a, b), x)) &&
		      z3::implies(in_a || in_b, tnum_has(tnum_union(a, b), x)) &&
		      (contains ? z3::implies(in_b, in_a) : context->bool_val(true)) &&
		      (overlap ? context->bool_val(true) : !(in_a && in_b)));
	});
	prove("tnum_range", [] {
		u64 low = symbol("low"), high = symbol("high"), x = symbol("x");

		assume(z3::ule(low.e, x.e) && z3::ule(x.e, high.e));
		claim(tnum_has(tnum_range(low, high), x) && well_formed(tnum_range(low, high)));
	});
	prove("tnum_next", [] {
		struct tnum a = any_tnum("a");
		u64 x = symbol("x"), y = symbol("y"), r = tnum_next(a, x);

		assume(tnum_has(a, y) && z3::ugt(y.e, x.e));
		claim(tnum_has(a, r) && z3::ugt(r.e, x.e) && z3::ule(r.e, y.e));
	});
	prove("tnum halves and casts", [] {
		struct tnum a = any_tnum("a"), b = any_tnum("b");
		u64 x = symbol("x"), y = symbol("y"), upper = DOMAIN_U64_MAX << 32;

		assume(tnum_has(a, x) && tnum_has(b, y));
		claim(tnum_has(tnum_subreg(a), u64(u32(x))) &&
		      tnum_has(tnum_clear_subreg(a), x & upper) &&
		      tnum_has(tnum_with_subreg(a, b), (x & upper) | u64(u32(y))) &&
		      tnum_has(tnum_cast(a, 1), x & 0xff) &&
		      tnum_has(tnum_cast(a, 2), x & 0xffff) && tnum_has(tnum_cast(a, 8), x));
	});
}

static void prove_step(const char *name, void (*step)(struct scalar *))
{
	prove(name, [=] {
		struct scalar a = any_scalar("a");
		u64 x = symbol("x");

		assume(has(a, x));
		step(&a);
		claim(has(a, x) && well_formed(a.var_off));
	});
}

static void prove_sync(void)
{
	prove_step("sync: the word's ranges learn from the known bits", [](struct scalar *a) {
		struct range64 word = scalar_range64(a);

		range64_meet_bits(&word, a->var_off.value, a->var_off.mask);
		scalar_set_range64(a, word);
	});
	prove_step("sync: the half's ranges learn from the known bits", [](struct scalar *a) {
		struct range32 half = scalar_range32(a);

		range32_meet_bits(&half, u32(a->var_off.value), u32(a->var_off.mask));
		scalar_set_range32(a, half);
	});
	prove_step("sync: a single word is left", meet_single);
	prove_step("sync: halves learn from the word's unsigned range", [](struct scalar *a) {
		struct range32 half = scalar_range32(a);

		half_from_word(&half, a->umin, a->umax, true);
		scalar_set_range32(a, half);
	});
	prove_step("sync: halves learn from the word's signed range", [](struct scalar *a) {
		struct range32 half = scalar_range32(a);

		half_from_word(&half, u64(a->smin), u64(a->smax), false);
		scalar_set_range32(a, half);
	});
	prove_step("sync: signed and unsigned halves", [](struct scalar *a) {
		struct range32 half = scalar_range32(a);

		range32_meet_signs(&half);
		range32_meet_one_side(&half);
		scalar_set_range32(a, half);
	});
	prove_step("sync: signed and unsigned words", deduce_word);
	prove_step("sync: the word learns from its half", deduce_word_from_half);
	prove_step("sync: known bits from ranges", deduce_bits);
}

template <typename F, typename G> static void prove_unary(const char *name, F abstract, G concrete)
{
	prove(name, [=] {
		struct scalar a = any_scalar("a");
		u64 x = symbol("x");

		assume(has(a, x));
		abstract(&a);
		claim(has(a, concrete(x)) && well_formed(a.var_off));
	});
}

static u64 extended(const u64 &x, int bits)
{
	return u64(s64(x << (64 - bits)) >> (64 - bits));
}

static u64 reversed(const u64 &x, int size)
{
	u64 r = 0;

	for (int i = 0; i < size; i++)
		r = r | (((x >> (8 * i)) & 0xff) << (8 * (size - 1 - i)));
	return r;
}

static void prove_unaries(void)
{
	char name[40];

	prove_unary(
		"neg64", [](struct scalar *a) { scalar_neg(a, false); },
		[](const u64 &x) { return -x; });
	prove_unary(
		"neg32", [](struct scalar *a) { scalar_neg(a, true); },
		[](const u64 &x) { return u64(u32(-x)); });
	prove_unary("zext32", scalar_zext32, [](const u64 &x) { return u64(u32(x)); });
	for (int size = 1; size <= 4; size *= 2) {
		snprintf(name, sizeof(name), "truncate to %d bytes", size);
		prove_unary(
			name, [=](struct scalar *a) { scalar_truncate(a, size); },
			[=](const u64 &x) { return x & (DOMAIN_U64_MAX >> (64 - 8 * size)); });
		snprintf(name, sizeof(name), "movsx%d to 64", 8 * size);
		prove_unary(
			name, [=](struct scalar *a) { scalar_movsx(a, size, false); },
			[=](const u64 &x) { return extended(x, 8 * size); });
		snprintf(name, sizeof(name), "movsx%d to 32", 8 * size);
		if (size < 4)
			prove_unary(
				name, [=](struct scalar *a) { scalar_movsx(a, size, true); },
				[=](const u64 &x) { return u64(u32(extended(x, 8 * size))); });
		snprintf(name, sizeof(name), "bswap%d", 16 * size);
		prove_unary(
			name, [=](struct scalar *a) { scalar_bswap(a, SCALAR_SWAP, 16 * size); },
			[=](const u64 &x) { return reversed(x, 2 * size); });
	}
	prove("split", [] {
		struct scalar a = any_scalar("a"), zero = a, ones = a;
		u64 x = symbol("x");
		bool splits;

		assume(has(a, x));
		splits = scalar_split(&a, &zero, &ones);
		claim(splits ? has(zero, x) || has(ones, x) : context->bool_val(true));
	});
}

static void prove_alu(const char *name, enum scalar_op op, bool is32, word_op concrete)
{
	prove(name, [=] {
		struct scalar a = any_scalar("a"), b = any_scalar("b");
		u64 x = symbol("x"), y = symbol("y"), r;

		assume(has(a, x) && has(b, y));
		scalar_alu(op, is32, &a, &b);
		r = concrete(x, y);
		claim(has(a, is32 ? u64(u32(r)) : r) && well_formed(a.var_off));
	});
}

static void prove_shift(const char *name, enum scalar_op op, bool is32, int shift)
{
	char full[40];

	snprintf(full, sizeof(full), "%s by %d", name, shift);
	prove(full, [=] {
		struct scalar a = any_scalar("a"), b = scalar_const(u64(shift));
		u64 x = symbol("x"), r;

		assume(has(a, x));
		scalar_alu(op, is32, &a, &b);
		if (op == SCALAR_LSH)
			r = is32 ? u64(u32(x) << shift) : x << shift;
		else if (op == SCALAR_RSH)
			r = is32 ? u64(u32(x) >> shift) : x >> shift;
		else
			r = is32 ? u64(u32(s32(u32(x)) >> shift)) : u64(s64(x) >> shift);
		claim(has(a, r) && well_formed(a.var_off));
	});
}

static void prove_alus(void)
{
	static const struct {
		const char *name64, *name32;
		enum scalar_op op;
		word_op concrete;
	} ops[] = { { "add64", "add32", SCALAR_ADD, add },
		    { "sub64", "sub32", SCALAR_SUB, sub },
		    { "and64", "and32", SCALAR_AND, both },
		    { "or64", "or32", SCALAR_OR, either },
		    { "xor64", "xor32", SCALAR_XOR, differ } };
	static const int shifts[] = { 0, 1, 7, 8, 31, 32, 33, 56, 63 };

	for (const auto &op : ops) {
		prove_alu(op.name64, op.op, false, op.concrete);
		prove_alu(op.name32, op.op, true, op.concrete);
	}
	for (int shift : shifts) {
		prove_shift("lsh64", SCALAR_LSH, false, shift);
		prove_shift("rsh64", SCALAR_RSH, false, shift);
		prove_shift("arsh64", SCALAR_ARSH, false, shift);
		if (shift >= 32)
			continue;
		prove_shift("lsh32", SCALAR_LSH, true, shift);
		prove_shift("rsh32", SCALAR_RSH, true, shift);
		prove_shift("arsh32", SCALAR_ARSH, true, shift);
	}
}

static z3::expr compared(enum scalar_cmp cmp, const z3::expr &x, const z3::expr &y)
{
	switch (cmp) {
	case SCALAR_EQ: return x == y;
	case SCALAR_NE: return x != y;
	case SCALAR_GT: return z3::ugt(x, y);
	case SCALAR_GE: return z3::uge(x, y);
	case SCALAR_LT: return z3::ult(x, y);
	case SCALAR_LE: return z3::ule(x, y);
	case SCALAR_SGT: return x > y;
	case SCALAR_SGE: return x >= y;
	case SCALAR_SLT: return x < y;
	case SCALAR_SLE: return x <= y;
	default: return (x & y) != context->bv_val(0, x.get_sort().bv_size());
	}
}

static void prove_comparison(const char *name, enum scalar_cmp cmp, bool is32)
{
	char full[40];

	auto holding = [=](const u64 &x, const u64 &y) {
		return is32 ? compared(cmp, u32(x).e, u32(y).e) : compared(cmp, x.e, y.e);
	};

	snprintf(full, sizeof(full), "j%s%d decides", name, is32 ? 32 : 64);
	prove(full, [=] {
		struct scalar a = any_scalar("a"), b = any_scalar("b");
		u64 x = symbol("x"), y = symbol("y");
		enum scalar_truth truth;

		assume(has(a, x) && has(b, y));
		truth = scalar_compare(cmp, is32, &a, &b);
		claim(truth == SCALAR_MAYBE    ? context->bool_val(true)
		      : truth == SCALAR_ALWAYS ? holding(x, y)
					       : !holding(x, y));
	});
	for (int holds = 0; holds < 2; holds++) {
		snprintf(full, sizeof(full), "j%s%d %s", name, is32 ? 32 : 64,
			 holds ? "holds" : "fails");
		prove(full, [=] {
			struct scalar a = any_scalar("a"), b = any_scalar("b");
			u64 x = symbol("x"), y = symbol("y");

			assume(has(a, x) && has(b, y) && (holds ? holding(x, y) : !holding(x, y)));
			scalar_refine(cmp, is32, holds, &a, &b);
			claim(has(a, x) && has(b, y) && well_formed(a.var_off) &&
			      well_formed(b.var_off));
		});
	}
}

int main(int argc, char **argv)
{
	static const char *const names[] = { "eq",  "ne",  "gt",  "ge",	 "lt", "le",
					     "sgt", "sge", "slt", "sle", "set" };
	z3::context the_context;

	context = &the_context;
	for (int option; (option = getopt(argc, argv, "ln:t:")) != -1;)
		switch (option) {
		case 'l': only_names = true; break;
		case 'n': only_one = optarg; break;
		case 't': limit = atof(optarg); break;
		default: return 2;
		}
	if (optind < argc)
		only = argv[optind];
	prove_tnums();
	prove_sync();
	prove_unaries();
	prove_alus();
	for (int cmp = SCALAR_EQ; cmp <= SCALAR_SET; cmp++)
		for (int is32 = 0; is32 < 2; is32++)
			prove_comparison(names[cmp], (enum scalar_cmp)cmp, is32);
	return only_names ? 0 : tap_done();
}
