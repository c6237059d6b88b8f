/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Formats through the running kernel's bpf_snprintf() and through rt_format(): the same ones are
 * refused, and the same text and length come out. A table of formats with meaning, then random ones
 * from an alphabet that makes valid ones likely. What %p hashes to differs by design, so hashed
 * digits are masked.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../../unit/rt/map_env.h"
#include "harness/tap.h"
#include "kernel.h"
#include "rt/helper.h"

#define FORMAT_SIZE 128
#define TEXT_SIZE   300
#define RANDOM	    15000

static u32 nr_accepted;
static struct arena *arena;
static struct rt_vcpu *vcpu;
/* Strings for %s: one in this process's memory, one in the map that also holds the format. */
static const char user_text[] = "user text";
static const char map_text[] = "map text\x80!";
#define MAP_TEXT_AT FORMAT_SIZE

enum arg { ARG_NUMBER, ARG_MAP_TEXT, ARG_USER_TEXT };

struct value {
	enum arg kind;
	u64 number;
};

struct outcome {
	s64 length; /* or -errno */
	char text[TEXT_SIZE];
};

static int value_map(const void *data, u32 size, u32 flags)
{
	int map = kernel_map(BPF_MAP_TYPE_ARRAY, 4, size, 1, flags);
	u32 key = 0;

	if (map < 0 || (data && kernel_update(map, &key, data, 0)))
		tap_bail("the kernel makes no map");
	return map;
}

/* r0 = bpf_snprintf(out + 8, out_size, fmt, args, 8 × nr); out[0] = r0 */
static u32 program(struct bpf_insn *insns, int format, int out, u32 out_size,
		   const struct value *values, u32 nr)
{
	struct bpf_insn *p = insns;

	for (u32 i = 0; i < nr; i++) {
		if (values[i].kind == ARG_MAP_TEXT) {
			*p++ = LOAD64(1, BPF_PSEUDO_MAP_VALUE, format);
			*p++ = LOAD64_HIGH(MAP_TEXT_AT);
		} else {
			u64 number =
				values[i].kind == ARG_USER_TEXT ? (u64)user_text : values[i].number;

			*p++ = LOAD64(1, 0, number);
			*p++ = LOAD64_HIGH(number >> 32);
		}
		*p++ = STORE(10, 1, -32 + 8 * (int)i);
	}
	*p++ = LOAD64(1, BPF_PSEUDO_MAP_VALUE, out);
	*p++ = LOAD64_HIGH(8);
	*p++ = MOV_IMM(2, out_size);
	*p++ = LOAD64(3, BPF_PSEUDO_MAP_VALUE, format);
	*p++ = LOAD64_HIGH(0);
	*p++ = MOV_REG(4, 10);
	*p++ = nr ? ADD_IMM(4, -32) : MOV_IMM(4, 0);
	*p++ = MOV_IMM(5, nr * 8);
	*p++ = CALL(BPF_FUNC_snprintf);
	*p++ = LOAD64(1, BPF_PSEUDO_MAP_VALUE, out);
	*p++ = LOAD64_HIGH(0);
	*p++ = STORE(1, 0, 0);
	*p++ = MOV_IMM(0, 0);
	*p++ = EXIT();
	return (u32)(p - insns);
}

static struct outcome by_kernel(const char *memory, u32 out_size, const struct value *values,
				u32 nr)
{
	int format = value_map(memory, FORMAT_SIZE * 2, BPF_F_RDONLY_PROG),
	    out = value_map(NULL, TEXT_SIZE + 8, 0), prog;
	struct bpf_insn insns[64];
	union bpf_attr attr;
	struct outcome outcome = { 0 };
	u32 key = 0, result;

	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (u32)format;
	kernel_bpf(BPF_MAP_FREEZE, &attr);
	prog = kernel_prog(BPF_PROG_TYPE_SOCKET_FILTER, insns,
			   program(insns, format, out, out_size, values, nr));
	outcome.length = prog;
	if (prog >= 0) {
		if (kernel_run(prog, &result) || kernel_lookup(out, &key, &outcome, 0))
			tap_bail("the kernel does not run the program");
		close(prog);
	}
	close(format);
	close(out);
	return outcome;
}

static struct outcome by_skep(const char *memory, u32 out_size, const struct value *values, u32 nr)
{
	static char *place;
	struct outcome outcome = { 0 };
	u64 args[4];

	/* Constant maps lie in control. */
	if (!place)
		place = arena_alloc(arena, ARENA_CONTROL, FORMAT_SIZE * 2, 64);
	memcpy(place, memory, FORMAT_SIZE * 2);
	for (u32 i = 0; i < nr; i++)
		args[i] = values[i].kind == ARG_NUMBER	    ? values[i].number
			  : values[i].kind == ARG_USER_TEXT ? (u64)user_text
							    : (u64)place + MAP_TEXT_AT;
	outcome.length = rt_format(outcome.text, out_size, place, FORMAT_SIZE, args, nr, vcpu);
	return outcome;
}

/* Marks what changes with the key that pointers are hashed with: those characters cannot be
 * compared. */
static void find_hashed(const char *memory, u32 out_size, const struct value *values, u32 nr,
			const struct outcome *first, bool *hashed)
{
	u64 seed = RT_CONTROL->hash_seed;

	for (u32 i = 1; i <= 8; i++) {
		struct outcome other;

		RT_CONTROL->hash_seed = seed + i * 0x123456789abcdefULL;
		other = by_skep(memory, out_size, values, nr);
		for (u32 j = 0; j < TEXT_SIZE; j++)
			hashed[j] |= first->text[j] != other.text[j];
	}
	RT_CONTROL->hash_seed = seed;
}

static bool same(const char *format, u32 out_size, const struct value *values, u32 nr)
{
	char memory[FORMAT_SIZE * 2] = { 0 };
	bool hashed[TEXT_SIZE] = { 0 }, equal;
	struct outcome kernel, ours;

	snprintf(memory, FORMAT_SIZE, "%s", format);
	memcpy(memory + MAP_TEXT_AT, map_text, sizeof(map_text));
	kernel = by_kernel(memory, out_size, values, nr);
	ours = by_skep(memory, out_size, values, nr);
	equal = kernel.length == ours.length;
	nr_accepted += kernel.length >= 0;
	if (kernel.length >= 0)
		find_hashed(memory, out_size, values, nr, &ours, hashed);
	for (u32 i = 0; kernel.length >= 0 && i < TEXT_SIZE; i++)
		equal &= hashed[i] || kernel.text[i] == ours.text[i];
	if (!equal)
		tap_note("'%s' (%u): kernel %lld '%s', ours %lld '%s'", format, out_size,
			 (long long)kernel.length, kernel.text, (long long)ours.length, ours.text);
	return equal;
}

#define N(number_)                  \
	{                           \
		ARG_NUMBER, number_ \
	}
#define MAP                     \
	{                       \
		ARG_MAP_TEXT, 0 \
	}
#define USER                     \
	{                        \
		ARG_USER_TEXT, 0 \
	}

static const struct {
	const char *format;
	u32 nr;
	struct value values[4];
} rows[] = {
	{ "plain", 0, {} },
	{ "", 0, {} },
	{ "100%%", 0, {} },
	{ "100%", 0, {} },
	{ "\n\t tabs", 0, {} },
	{ "bell \a", 0, {} },
	{ "del \x7f", 0, {} },
	{ "h\xc3\xa9llo", 0, {} },
	{ "%d missing", 0, {} },
	{ "one too many", 1, { N(1) } },
	{ "%d %i %u", 3, { N(-1ULL), N(-2ULL), N(-3ULL) } },
	{ "%ld %li %lu", 3, { N(-1ULL), N(-2ULL), N(-3ULL) } },
	{ "%lld %lli %llu", 3, { N(1ULL << 63), N(-2ULL), N(-3ULL) } },
	{ "%x %X %lx %llX", 4, { N(0xabcdef), N(0xabcdef), N(-1ULL), N(0xabcdef0123) } },
	{ "%d", 1, { N(1ULL << 40 | 7) } },
	{ "%5d|%-5d|%05d|%+d", 4, { N(-42ULL), N(-42ULL), N(-42ULL), N(42) } },
	{ "% d|%+ d|%0-5d|%-05d", 4, { N(42), N(42), N(42), N(42) } },
	{ "%+u|%+x|% x|%020lx", 4, { N(42), N(42), N(42), N(0xabcd) } },
	{ "%99d|%200d|%2000d", 3, { N(5), N(5), N(5) } },
	{ "%99999999d", 1, { N(5) } },
	{ "%4294967303d|", 1, { N(5) } },
	{ "%3000000000d|", 1, { N(5) } },
	{ "%o", 1, { N(5) } },
	{ "%#x", 1, { N(5) } },
	{ "%hd", 1, { N(5) } },
	{ "%zd", 1, { N(5) } },
	{ "%.3d", 1, { N(5) } },
	{ "%*d", 2, { N(5), N(5) } },
	{ "%n", 1, { N(5) } },
	{ "%f", 1, { N(5) } },
	{ "%l", 1, { N(5) } },
	{ "%lllx", 1, { N(5) } },
	{ "%5", 1, { N(5) } },
	{ "%c%c|%5c|%-5c", 4, { N('a'), N(0xff42), N('c'), N('d') } },
	{ "%s|%20s|%-20s|%020s", 4, { MAP, MAP, MAP, MAP } },
	{ "%pks|%pus|%s|%30pus", 4, { MAP, USER, USER, USER } },
	{ "%pks|%pus|%s", 3, { USER, MAP, N(8) } },
	{ "%sx", 1, { MAP } },
	{ "%s\xc3\xa9", 1, { MAP } },
	{ "%s\xd7\x90", 1, { MAP } },
	{ "%s%c%d", 3, { MAP, N('x'), N(7) } },
	{ "%p|%pK|%p|%p", 4, { N(0x1234), N(0x1234), N(0), N(-5ULL) } },
	{ "%px|%20px|%-20px|%5px", 4, { N(0x1234), N(0x1234), N(0x1234), N(0x1234) } },
	{ "%pxz|%px1z|%+px|%020px", 4, { N(0x12), N(0x12), N(0x12), N(0x12) } },
	{ "%ps|%pS|%pB|%20pS", 4, { N(0x12), N(0x12), N(0x12), N(0x12) } },
	{ "%30pB|%pBq|%-9ps|", 3, { N(0x12), N(0x12), N(0x12) } },
	{ "%px\xc3\xa9", 1, { N(0x12) } },
	{ "%pz", 1, { N(0x12) } },
	{ "%pM", 1, { N(0x12) } },
	{ "%pI4|%pi4|%pI6|%pi6", 4, { MAP, MAP, MAP, MAP } },
	{ "%30pI4|%pI4q|%pI4", 3, { MAP, MAP, N(0x1234) } },
	{ "%pI5", 1, { MAP } },
	{ "%pIb", 1, { MAP } },
	{ "%p%d", 2, { N(0), N(3) } },
};

static void test_random(void)
{
	static const char *const parts[] = { "%",    "%d",  "%5",     "%-", "0",   "ll",  "l",
					     "d",    "u",   "x",      "X",  "s",   "c",	  "%pI4",
					     "%pi6", "%px", "%s",     "%c", " ",   "a",	  "+",
					     "%%",   "12",  "%-08lx", "i",  "%lu", "%ps", ",",
					     "%llu", "%p",  "K",      "B" };
	static const u32 sizes[] = { 0, 1, 2, 7, 20, 300, 300, 300 };
	u64 seed = 2026;
	u32 differ = 0;

	for (u32 i = 0; i < RANDOM && differ < 10; i++) {
		char format[FORMAT_SIZE] = "";
		struct value values[4];
		u32 nr = (u32)(env_random(&seed) % 5), size;

		for (u64 n = env_random(&seed) % 9; n; n--)
			strcat(format, parts[env_random(&seed) % ARRAY_SIZE(parts)]);
		for (u32 j = 0; j < nr; j++) {
			u64 r = env_random(&seed);

			values[j].kind = r % 3 == 0 ? ARG_MAP_TEXT : ARG_NUMBER;
			values[j].number = env_random(&seed) >> (r >> 8) % 64;
		}
		/* Map texts have other addresses here: only as strings are they the same. */
		if (strpbrk(format, "duxXpicK"))
			for (u32 j = 0; j < nr; j++)
				values[j].kind = ARG_NUMBER;
		size = sizes[env_random(&seed) % ARRAY_SIZE(sizes)];
		/* Behind the end of the room the kernel mixes up arguments after an address. */
		if (strstr(format, "%pI") || strstr(format, "%pi"))
			size = TEXT_SIZE;
		differ += !same(format, size, values, nr);
	}
	tap_ok(!differ && nr_accepted > RANDOM / 20,
	       "%u random formats as the kernel, %u of all accepted", RANDOM, nr_accepted);
}

int main(void)
{
	if (!tap_kernel_bpf()) {
		tap_skip(1, "the kernel's bpf(2) is not to be had");
		return tap_done();
	}
	arena = env_new(1);
	vcpu = env_vcpu();
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
		tap_ok(same(rows[i].format, TEXT_SIZE, rows[i].values, rows[i].nr),
		       "row %u as the kernel", i);
	for (u32 size = 0; size < 12; size++)
		tap_ok(same("%d-%s", size, (struct value[]){ N(123), MAP }, 2), "cut at %u", size);
	test_random();
	rt_vcpu_release(vcpu);
	arena_free(arena);
	return tap_done();
}
