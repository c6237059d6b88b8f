/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * L1: no transfer function, comparison, refinement or sync of the scalar domains loses a word.
 *
 * The domain sources are compiled here for words of SKEP_DOMAIN_WORD_BITS bits, so that "for all
 * members of the operands" is a loop. At 4 bits every element of the product of all five domains
 * takes part; at 8 bits every tristate number does, and a seeded sample of the products. Each line
 * of output says how many pairs of elements and how many results of words were checked.
 *
 * Usage: exhaustive-BITS [effort]; effort multiplies the samples; at 100 or more every pair of
 * 8-bit tristate numbers is tried.
 */
#include "verify/narrow/word.h"
#include "verify/domain/tnum.c"
#include "verify/domain/scalar.c"
#include "verify/domain/scalar_alu.c"
#include "verify/domain/scalar_branch.c"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <tuple>
#include <vector>

extern "C" {
#include "harness/tap.h"
}

enum { BITS = SKEP_DOMAIN_WORD_BITS, HALF = BITS / 2, WORDS = 1 << BITS, HALVES = 1 << HALF };

struct element {
	struct scalar a;
	std::vector<int> members;
};

static std::vector<element> pool;
static long effort = 1;
static uint64_t seed = 0x5eedu;

static unsigned pick(unsigned n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed >> 24) % n;
}

static int sign_of(int x, int bits)
{
	return (x >> (bits - 1)) & 1 ? x - (1 << bits) : x;
}

/* Membership by definition, without the domain's code. */
static bool has(const struct scalar &a, int x)
{
	int low = x & (HALVES - 1), sx = sign_of(x, BITS), slow = sign_of(low, HALF);

	return (x & ~a.var_off.mask.v & (WORDS - 1)) == a.var_off.value.v && a.umin.v <= x &&
	       x <= a.umax.v && a.smin.v <= sx && sx <= a.smax.v && a.umin32.v <= low &&
	       low <= a.umax32.v && a.smin32.v <= slow && slow <= a.smax32.v;
}

static std::vector<int> members_of(const struct scalar &a)
{
	std::vector<int> members;

	for (int x = 0; x < WORDS; x++)
		if (has(a, x))
			members.push_back(x);
	return members;
}

static auto key_of(const struct scalar &a)
{
	return std::make_tuple(a.var_off.value.v, a.var_off.mask.v, a.umin.v, a.umax.v, a.smin.v,
			       a.smax.v, a.umin32.v, a.umax32.v, a.smin32.v, a.smax32.v);
}

static bool well_formed(struct tnum t)
{
	return (t.value & t.mask) == 0;
}

struct result {
	const char *name;
	long cases = 0, words = 0, lost = 0;
	char first[400] = "";

	explicit result(const char *title) : name(title)
	{
	}
	void lose(const struct scalar &a, const struct scalar &b, int x, int y,
		  const struct scalar &r)
	{
		if (lost++ == 0)
			snprintf(first, sizeof(first),
				 "x=%d in (%d;%d) u[%d,%d] s[%d,%d] u32[%d,%d] s32[%d,%d], "
				 "y=%d in (%d;%d) u[%d,%d] s[%d,%d]: not in (%d;%d) u[%d,%d] "
				 "s[%d,%d] "
				 "u32[%d,%d] s32[%d,%d]",
				 x, a.var_off.value.v, a.var_off.mask.v, a.umin.v, a.umax.v,
				 a.smin.v, a.smax.v, a.umin32.v, a.umax32.v, a.smin32.v, a.smax32.v,
				 y, b.var_off.value.v, b.var_off.mask.v, b.umin.v, b.umax.v,
				 b.smin.v, b.smax.v, r.var_off.value.v, r.var_off.mask.v, r.umin.v,
				 r.umax.v, r.smin.v, r.smax.v, r.umin32.v, r.umax32.v, r.smin32.v,
				 r.smax32.v);
	}
	void done(void)
	{
		tap_ok(lost == 0 && words > 0, "%s: %d bits, %ld cases, %ld words", name, BITS,
		       cases, words);
		if (lost)
			tap_note("%ld lost, first: %s", lost, first);
	}
};

/* Elements */

static void add_range(std::set<decltype(key_of(scalar_unknown()))> &seen, struct scalar a)
{
	struct element e;

	scalar_sync(&a);
	e.members = members_of(a);
	if (e.members.empty() || !seen.insert(key_of(a)).second)
		return;
	e.a = a;
	pool.push_back(e);
}

static struct tnum random_tnum(void)
{
	int mask = (int)pick(WORDS) | (pick(2) ? (int)pick(WORDS) : 0);

	return tnum_make(u64((int)pick(WORDS)), u64(mask));
}

/* A random product around a word, so that it is seldom empty. */
static struct scalar random_scalar(void)
{
	struct scalar a = scalar_unknown();
	int x = (int)pick(WORDS), low = x & (HALVES - 1), sx = sign_of(x, BITS),
	    slow = sign_of(low, HALF);
	unsigned kinds = pick(32);

	if (kinds & 1)
		a.var_off = tnum_make(u64(x), random_tnum().mask);
	if (kinds & 2) {
		a.umin = u64(x - (int)pick((unsigned)x + 1));
		a.umax = u64(x + (int)pick((unsigned)(WORDS - x)));
	}
	if (kinds & 4) {
		a.smin = s64(sx - (int)pick((unsigned)(sx + WORDS / 2 + 1)));
		a.smax = s64(sx + (int)pick((unsigned)(WORDS / 2 - sx)));
	}
	if (kinds & 8) {
		a.umin32 = u32(low - (int)pick((unsigned)low + 1));
		a.umax32 = u32(low + (int)pick((unsigned)(HALVES - low)));
	}
	if (kinds & 16) {
		a.smin32 = s32(slow - (int)pick((unsigned)(slow + HALVES / 2 + 1)));
		a.smax32 = s32(slow + (int)pick((unsigned)(HALVES / 2 - slow)));
	}
	return a;
}

template <typename F> static void for_all_tnums(F f)
{
	for (int mask = 0; mask < WORDS; mask++)
		for (int value = 0; value < WORDS; value++)
			if (!(value & mask))
				f(tnum_make(u64(value), u64(mask)));
}

static long sync_gained;

/*
 * Does the synced element keep the members of the raw one? One step of the kernel's replaces bounds
 * where it could intersect them, and so may let a word in again: counted, harmless.
 */
static void check_one_sync(struct result &r, const struct scalar &raw)
{
	struct scalar a = raw;
	bool is_empty = true;
	long gained = 0;

	scalar_sync(&a);
	r.cases++;
	for (int x = 0; x < WORDS; x++) {
		bool before = has(raw, x), after = has(a, x);

		r.words++;
		is_empty &= !before;
		gained += after && !before;
		if ((before && !after) || after != scalar_has(&a, u64(x)))
			r.lose(raw, raw, x, x, a);
	}
	/* Of an empty element anything may come. */
	sync_gained += is_empty ? 0 : gained;
}

/* Every product of the five domains at 4 bits; below full effort, one in 97 (times all signed half
 * ranges). */
static void check_sync_products(struct result &r)
{
	unsigned n = 0, stride = effort >= 100 ? 1 : 97;

	for_all_tnums([&](struct tnum t) {
		for (int ul = 0; ul < WORDS; ul++)
			for (int uh = ul; uh < WORDS; uh++)
				for (int sl = -WORDS / 2; sl < WORDS / 2; sl++)
					for (int sh = sl; sh < WORDS / 2; sh++)
						for (int hl = 0; hl < HALVES; hl++)
							for (int hh = hl; hh < HALVES; hh++) {
								struct scalar a = scalar_unknown();

								if (n++ % stride)
									continue;
								a.var_off = t;
								a.umin = u64(ul);
								a.umax = u64(uh);
								a.smin = s64(sl);
								a.smax = s64(sh);
								a.umin32 = u32(hl);
								a.umax32 = u32(hh);
								for (int jl = -HALVES / 2;
								     jl < HALVES / 2; jl++)
									for (int jh = jl;
									     jh < HALVES / 2;
									     jh++) {
										a.smin32 = s32(jl);
										a.smax32 = s32(jh);
										check_one_sync(r,
											       a);
									}
							}
	});
}

static void check_sync(void)
{
	struct result r("sync preserves the words");

	if (BITS == 4)
		check_sync_products(r);
	for (long i = 0; i < 100000 * effort; i++)
		check_one_sync(r, random_scalar());
	r.done();
	tap_ok(sync_gained * 1000 <= r.words, "sync lets in at most one word in 1000: %ld",
	       sync_gained);
}

static void make_pool(void)
{
	std::set<decltype(key_of(scalar_unknown()))> seen;

	for_all_tnums([&](struct tnum t) {
		struct scalar a = scalar_unknown();

		a.var_off = t;
		add_range(seen, a);
	});
	for (int low = 0; low < WORDS; low += BITS == 4 ? 1 : 5)
		for (int high = low; high < WORDS; high += BITS == 4 ? 1 : 3) {
			struct scalar a = scalar_unknown(), b = a;

			a.umin = u64(low);
			a.umax = u64(high);
			add_range(seen, a);
			b.smin = s64(low - WORDS / 2);
			b.smax = s64(high - WORDS / 2);
			add_range(seen, b);
		}
	for (int i = 0; i < (BITS == 4 ? 200000 : 12000); i++)
		add_range(seen, random_scalar());
}

/* Words */

static int div_signed(int a, int b)
{
	return b == 0 ? 0 : a / b; /* min / -1 wraps */
}

static int concrete(enum scalar_op op, bool is32, int x, int y)
{
	int bits = is32 ? HALF : BITS, mask = (1 << bits) - 1, r;
	int sx, sy;

	x &= mask;
	y &= mask;
	sx = sign_of(x, bits);
	sy = sign_of(y, bits);
	switch (op) {
	case SCALAR_ADD: r = x + y; break;
	case SCALAR_SUB: r = x - y; break;
	case SCALAR_MUL: r = x * y; break;
	case SCALAR_DIV: r = y ? x / y : 0; break;
	case SCALAR_MOD: r = y ? x % y : x; break;
	case SCALAR_SDIV: r = div_signed(sx, sy); break;
	case SCALAR_SMOD: r = sy ? sx % sy : sx; break;
	case SCALAR_AND: r = x & y; break;
	case SCALAR_OR: r = x | y; break;
	case SCALAR_XOR: r = x ^ y; break;
	case SCALAR_LSH: r = x << (y & (bits - 1)); break;
	case SCALAR_RSH: r = x >> (y & (bits - 1)); break;
	default: r = sx >> (y & (bits - 1)); break;
	}
	return r & mask;
}

static bool concrete_cmp(enum scalar_cmp cmp, bool is32, int x, int y)
{
	int bits = is32 ? HALF : BITS, mask = (1 << bits) - 1, sx, sy;

	x &= mask;
	y &= mask;
	sx = sign_of(x, bits);
	sy = sign_of(y, bits);
	switch (cmp) {
	case SCALAR_EQ: return x == y;
	case SCALAR_NE: return x != y;
	case SCALAR_GT: return x > y;
	case SCALAR_GE: return x >= y;
	case SCALAR_LT: return x < y;
	case SCALAR_LE: return x <= y;
	case SCALAR_SGT: return sx > sy;
	case SCALAR_SGE: return sx >= sy;
	case SCALAR_SLT: return sx < sy;
	case SCALAR_SLE: return sx <= sy;
	default: return (x & y) != 0;
	}
}

/* Tristate numbers */

/* The best tristate number for a set of words. */
struct hull {
	int all = WORDS - 1, some = 0;

	void add(int x)
	{
		all &= x;
		some |= x;
	}
	bool is(struct tnum t) const
	{
		return t.value.v == all && t.mask.v == (all ^ some);
	}
	bool in(struct tnum t) const
	{
		return (all & ~t.mask.v) == t.value.v && (some & ~t.mask.v) == t.value.v;
	}
};

static std::vector<int> words_of(struct tnum t)
{
	std::vector<int> words;

	for (int sub = t.mask.v;; sub = (sub - 1) & t.mask.v) {
		words.push_back(t.value.v | sub);
		if (sub == 0)
			return words;
	}
}

typedef struct tnum (*tnum_op)(struct tnum, struct tnum);

static void check_tnum_pair(struct result &r, tnum_op op, enum scalar_op concrete_op, bool is_best,
			    struct tnum a, const std::vector<int> &xs, struct tnum b,
			    const std::vector<int> &ys)
{
	struct tnum t = op(a, b);
	struct hull h;

	for (int x : xs)
		for (int y : ys)
			h.add(concrete(concrete_op, false, x, y));
	r.cases++;
	r.words += (long)(xs.size() * ys.size());
	if (!well_formed(t) || !h.in(t) || (is_best && !h.is(t))) {
		struct scalar u = scalar_unknown(), v = u, w = u;

		u.var_off = a;
		v.var_off = b;
		w.var_off = t;
		r.lose(u, v, h.all, h.some, w);
	}
}

static void check_tnum_op(const char *name, tnum_op op, enum scalar_op concrete_op, bool is_best)
{
	static std::vector<struct tnum> tnums;
	static std::vector<std::vector<int>> words;
	struct result r(name);

	if (tnums.empty())
		for_all_tnums([&](struct tnum t) {
			tnums.push_back(t);
			words.push_back(words_of(t));
		});
	if (BITS == 4 || effort >= 100) {
		for (size_t i = 0; i < tnums.size(); i++)
			for (size_t j = 0; j < tnums.size(); j++)
				check_tnum_pair(r, op, concrete_op, is_best, tnums[i], words[i],
						tnums[j], words[j]);
	} else {
		for (long n = 0; n < 200000 * effort; n++) {
			size_t i = pick((unsigned)tnums.size()), j = pick((unsigned)tnums.size());

			check_tnum_pair(r, op, concrete_op, is_best, tnums[i], words[i], tnums[j],
					words[j]);
		}
	}
	r.done();
}

static int next_by_search(struct tnum t, int x)
{
	for (int y = x + 1; y < WORDS; y++)
		if ((y & ~t.mask.v) == t.value.v)
			return y;
	return t.value.v | t.mask.v;
}

static void check_tnum_unary(void)
{
	struct result ranges("tnum_range is the smallest around its range"), next("tnum_next"),
		shifts("tnum shifts are exact"),
		in("tnum_in, tnum_overlap, tnum_union, tnum_intersect");
	struct scalar u = scalar_unknown();

	for (int low = 0; low < WORDS; low++) {
		struct hull h;

		for (int high = low; high < WORDS; high++) {
			h.add(high);
			ranges.cases++;
			ranges.words++;
			if (!h.is(tnum_range(u64(low), u64(high))))
				ranges.lose(u, u, low, high, u);
		}
	}
	for_all_tnums([&](struct tnum t) {
		std::vector<int> words = words_of(t);

		for (int x = 0; x < WORDS; x++) {
			next.cases++;
			next.words++;
			if (tnum_next(t, u64(x)).v != next_by_search(t, x))
				next.lose(u, u, x, x, u);
		}
		for (int s = 0; s < BITS; s++) {
			struct hull l, rs, ar, ar_half;

			for (int x : words) {
				l.add(concrete(SCALAR_LSH, false, x, s));
				rs.add(concrete(SCALAR_RSH, false, x, s));
				ar.add(concrete(SCALAR_ARSH, false, x, s));
				if (s < HALF)
					ar_half.add(concrete(SCALAR_ARSH, true, x, s));
			}
			shifts.cases++;
			shifts.words += (long)words.size();
			if (!l.is(tnum_lshift(t, (unsigned)s)) ||
			    !rs.is(tnum_rshift(t, (unsigned)s)) ||
			    !ar.is(tnum_arshift(t, (unsigned)s, BITS)) ||
			    (s < HALF &&
			     !ar_half.is(tnum_arshift(tnum_subreg(t), (unsigned)s, HALF))))
				shifts.lose(u, u, s, s, u);
		}
	});
	for (long n = 0; n < 200000; n++) {
		struct tnum a = random_tnum(), b = random_tnum(), both = tnum_intersect(a, b);
		bool overlap = false, contained = true;
		struct hull h;

		for (int x = 0; x < WORDS; x++) {
			bool in_a = (x & ~a.mask.v) == a.value.v,
			     in_b = (x & ~b.mask.v) == b.value.v;

			if (in_a || in_b)
				h.add(x);
			overlap |= in_a && in_b;
			contained &= in_a || !in_b;
			if (in_a && in_b && (x & ~both.mask.v) != both.value.v)
				in.lose(u, u, x, x, u);
		}
		in.cases++;
		in.words += WORDS;
		if (overlap != tnum_overlap(a, b) || contained != tnum_in(a, b) ||
		    !h.is(tnum_union(a, b)) || !well_formed(both))
			in.lose(u, u, 0, 0, u);
	}
	ranges.done();
	next.done();
	shifts.done();
	in.done();
}

/* Scalars: one operand */

template <typename F, typename G> static void check_unary(const char *name, F abstract, G word)
{
	struct result r(name);

	for (const element &e : pool) {
		struct scalar a = e.a;

		abstract(&a);
		r.cases++;
		for (int x : e.members) {
			int y = word(x);

			r.words++;
			if (!has(a, y) || !well_formed(a.var_off) || scalar_is_empty(&a))
				r.lose(e.a, e.a, x, y, a);
		}
	}
	r.done();
}

static int extend(int x, int bits, bool is32)
{
	return sign_of(x & ((1 << bits) - 1), bits) & (is32 ? HALVES - 1 : WORDS - 1);
}

static int swap_low(int x, int size)
{
	int r = 0, byte = BITS / 8;

	for (int i = 0; i < size; i++)
		r = (r << byte) | ((x >> (i * byte)) & ((1 << byte) - 1));
	return r;
}

static void check_unaries(void)
{
	char name[80];

	for (int is32 = 0; is32 < 2; is32++)
		check_unary(
			is32 ? "neg32" : "neg64", [&](struct scalar *a) { scalar_neg(a, is32); },
			[&](int x) { return concrete(SCALAR_SUB, is32, 0, x); });
	check_unary("zext32", scalar_zext32, [](int x) { return x & (HALVES - 1); });
	if (BITS < 8)
		return;
	for (int size = 1; size <= 8; size *= 2) {
		int bits = size * BITS / 8;

		snprintf(name, sizeof(name), "truncate to %d bytes", size);
		check_unary(
			name, [&](struct scalar *a) { scalar_truncate(a, size); },
			[&](int x) { return x & ((1 << bits) - 1); });
		for (int is32 = 0; is32 < 2 && size < (is32 ? 4 : 8); is32++) {
			snprintf(name, sizeof(name), "movsx%d to %d", size * 8, is32 ? 32 : 64);
			check_unary(
				name, [&](struct scalar *a) { scalar_movsx(a, size, is32); },
				[&](int x) { return extend(x, bits, is32); });
		}
		if (size == 1)
			continue;
		snprintf(name, sizeof(name), "bswap%d", size * 8);
		check_unary(
			name, [&](struct scalar *a) { scalar_bswap(a, SCALAR_SWAP, size * 8); },
			[&](int x) { return swap_low(x, size); });
		snprintf(name, sizeof(name), "le%d", size * 8);
		check_unary(
			name, [&](struct scalar *a) { scalar_bswap(a, SCALAR_KEEP, size * 8); },
			[&](int x) { return x & ((1 << bits) - 1); });
	}
}

static void check_split(void)
{
	struct result r("split into zero and all ones");

	for (const element &e : pool) {
		struct scalar zero, ones;

		if (!scalar_split(&e.a, &zero, &ones))
			continue;
		r.cases++;
		scalar_sync(&zero);
		scalar_sync(&ones);
		for (int x : e.members) {
			r.words++;
			if (!has(zero, x) && !has(ones, x))
				r.lose(e.a, e.a, x, x, zero);
		}
	}
	r.done();
}

/* Scalars: two operands */

/* Calls f for pairs of the pool: all of them if there are few, else a sample, in which constants
 * are frequent. */
template <typename F> static void for_pairs(long budget, F f)
{
	static std::vector<const element *> constants;

	if (constants.empty())
		for (const element &e : pool)
			if (e.members.size() == 1)
				constants.push_back(&e);
	if ((long)(pool.size() * pool.size()) <= budget * effort) {
		for (const element &a : pool)
			for (const element &b : pool)
				f(a, b);
		return;
	}
	for (long n = 0; n < budget * effort; n++) {
		const element &a = pool[pick((unsigned)pool.size())];
		const element &b = pick(4) ? pool[pick((unsigned)pool.size())]
					   : *constants[pick((unsigned)constants.size())];

		if (pick(8))
			f(a, b);
		else
			f(b, a);
	}
}

static void check_alu(const char *name, enum scalar_op op, bool is32)
{
	struct result r(name);

	for_pairs(BITS == 4 ? 300000 : 40000, [&](const element &a, const element &b) {
		struct scalar dst = a.a;
		bool seen[WORDS] = { false };

		scalar_alu(op, is32, &dst, &b.a);
		r.cases++;
		r.words += (long)(a.members.size() * b.members.size());
		for (int x : a.members)
			for (int y : b.members) {
				int z = concrete(op, is32, x, y);

				if (seen[z])
					continue;
				seen[z] = true;
				if (!has(dst, z) || scalar_is_empty(&dst) ||
				    !well_formed(dst.var_off))
					r.lose(a.a, b.a, x, y, dst);
			}
	});
	r.done();
}

static void check_cmp(const char *name, enum scalar_cmp cmp, bool is32)
{
	struct result r(name);

	for_pairs(BITS == 4 ? 300000 : 40000, [&](const element &a, const element &b) {
		enum scalar_truth truth = scalar_compare(cmp, is32, &a.a, &b.a);
		struct scalar refined[2][2] = { { a.a, b.a }, { a.a, b.a } };
		/* Which members meet a partner, by outcome. */
		bool keep[2][2][WORDS] = {};

		for (int holds = 0; holds < 2; holds++)
			scalar_refine(cmp, is32, holds, &refined[holds][0], &refined[holds][1]);
		r.cases++;
		r.words += (long)(a.members.size() * b.members.size());
		for (int x : a.members)
			for (int y : b.members) {
				int holds = concrete_cmp(cmp, is32, x, y);

				if (truth != SCALAR_MAYBE && holds != (truth == SCALAR_ALWAYS))
					r.lose(a.a, b.a, x, y, a.a);
				keep[holds][0][x] = keep[holds][1][y] = true;
			}
		for (int holds = 0; holds < 2; holds++)
			for (int side = 0; side < 2; side++)
				for (int x = 0; x < WORDS; x++)
					if (keep[holds][side][x] && !has(refined[holds][side], x))
						r.lose(a.a, b.a, x, side, refined[holds][side]);
	});
	r.done();
}

/* One register compared with itself: both operands are the same object. */
static void check_cmp_self(void)
{
	struct result r("comparison of a register with itself");

	for (int cmp = SCALAR_EQ; cmp <= SCALAR_SET; cmp++)
		for (int is32 = 0; is32 < 2; is32++)
			for (const element &e : pool) {
				struct scalar refined[2] = { e.a, e.a };

				for (int holds = 0; holds < 2; holds++)
					scalar_refine((enum scalar_cmp)cmp, is32, holds,
						      &refined[holds], &refined[holds]);
				r.cases++;
				for (int x : e.members) {
					int holds = concrete_cmp((enum scalar_cmp)cmp, is32, x, x);

					r.words++;
					if (!has(refined[holds], x))
						r.lose(e.a, e.a, x, holds, refined[holds]);
				}
			}
	r.done();
}

static void check_subset(void)
{
	struct result r("subset, equal (L3)");

	for_pairs(400000, [&](const element &a, const element &b) {
		bool subset = scalar_subset(&a.a, &b.a), equal = scalar_equal(&a.a, &b.a);

		r.cases++;
		if (equal != (key_of(a.a) == key_of(b.a)) || (equal && !subset))
			r.lose(a.a, b.a, 0, 0, a.a);
		if (!subset)
			return;
		for (int x : b.members) {
			r.words++;
			if (!has(a.a, x))
				r.lose(a.a, b.a, x, x, a.a);
		}
	});
	r.done();
}

int main(int argc, char **argv)
{
	static const char *const alu[] = { "add", "sub", "mul", "div", "mod", "sdiv", "smod",
					   "and", "or",	 "xor", "lsh", "rsh", "arsh" };
	static const char *const cmp[] = { "eq",  "ne",	 "gt",	"ge",  "lt", "le",
					   "sgt", "sge", "slt", "sle", "set" };
	char name[32];

	if (argc > 1)
		effort = atol(argv[1]);
	make_pool();
	tap_note("%zu elements of %d-bit words, effort %ld", pool.size(), BITS, effort);
	check_tnum_unary();
	check_tnum_op("tnum_add is the best", tnum_add, SCALAR_ADD, true);
	check_tnum_op("tnum_sub is the best", tnum_sub, SCALAR_SUB, true);
	check_tnum_op("tnum_and is the best", tnum_and, SCALAR_AND, true);
	check_tnum_op("tnum_or is the best", tnum_or, SCALAR_OR, true);
	check_tnum_op("tnum_xor is the best", tnum_xor, SCALAR_XOR, true);
	check_tnum_op("tnum_mul", tnum_mul, SCALAR_MUL, false);
	check_sync();
	check_unaries();
	check_split();
	for (int op = SCALAR_ADD; op <= SCALAR_ARSH; op++)
		for (int is32 = 0; is32 < 2; is32++) {
			snprintf(name, sizeof(name), "%s%d", alu[op], is32 ? 32 : 64);
			check_alu(name, (enum scalar_op)op, is32);
		}
	for (int op = SCALAR_EQ; op <= SCALAR_SET; op++)
		for (int is32 = 0; is32 < 2; is32++) {
			snprintf(name, sizeof(name), "j%s%d", cmp[op], is32 ? 32 : 64);
			check_cmp(name, (enum scalar_cmp)op, is32);
		}
	check_cmp_self();
	check_subset();
	return tap_done();
}
