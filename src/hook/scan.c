/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From an ELF file to a table of system-call sites.
 *
 * Every `0f 05` in an executable segment is a candidate. It counts if decoding from the start of
 * its function (symbols, .eh_frame_hdr) arrives at it exactly. A jump of five bytes needs
 * neighbours that can run elsewhere and that no branch enters in the middle: branches of the
 * surrounding functions are decoded, and any four bytes of the file that would be a branch into a
 * window count as one.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <Zydis/Zydis.h>
#include "base/alloc.h"
#include "hook/functions.h"
#include "hook/scan.h"

#define JMP_SIZE	5
#define FUNCTION_MAX	(256u << 10) /* decode no further than this for one site */
#define NEIGHBOURS	4
#define NR_EXIT		60
#define NR_RT_SIGRETURN 15

struct scan {
	struct functions functions;
	u8 *marks; /* of the current segment: a branch comes here */
	ZydisDecoder decoder;
	struct scan_result result;
	u32 sites_capacity;
};

struct instruction {
	u64 at; /* offset in the segment */
	u8 size;
	bool movable;
};

static bool decode(const struct scan *scan, const struct segment *segment, u64 at,
		   ZydisDecodedInstruction *ret)
{
	return at < segment->size &&
	       ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(
		       &scan->decoder, NULL, scan->functions.bytes + segment->offset + at,
		       segment->size - at, ret));
}

static bool movable(const ZydisDecodedInstruction *decoded)
{
	if (decoded->attributes & ZYDIS_ATTRIB_IS_RELATIVE)
		return false;
	switch (decoded->meta.category) {
	case ZYDIS_CATEGORY_CALL:
	case ZYDIS_CATEGORY_COND_BR:
	case ZYDIS_CATEGORY_UNCOND_BR:
	case ZYDIS_CATEGORY_RET:
	case ZYDIS_CATEGORY_SYSCALL:
	case ZYDIS_CATEGORY_SYSRET:
	case ZYDIS_CATEGORY_INTERRUPT:
	case ZYDIS_CATEGORY_SYSTEM:
	case ZYDIS_CATEGORY_NOP: return decoded->meta.category == ZYDIS_CATEGORY_NOP;
	default: return true;
	}
}

static void mark_branch(struct scan *scan, const struct segment *segment,
			const ZydisDecodedInstruction *decoded, u64 at)
{
	for (u32 i = 0; i < 2; i++) {
		u64 target;

		if (!decoded->raw.imm[i].size || !decoded->raw.imm[i].is_relative)
			continue;
		target = at + decoded->length + (u64)decoded->raw.imm[i].value.s;
		if (target < segment->size)
			scan->marks[target] = 1;
	}
}

/* Decodes [from, to) and marks where its branches go. */
static void mark_function(struct scan *scan, const struct segment *segment, u64 from, u64 to)
{
	ZydisDecodedInstruction decoded;

	while (from < to && decode(scan, segment, from, &decoded)) {
		mark_branch(scan, segment, &decoded, from);
		from += decoded.length;
	}
}

/*
 * Makes the marks of a segment, with whatever could be a 32-bit branch, decoded or not. False
 * without memory.
 */
static bool mark_far_branches(struct scan *scan, const struct segment *segment)
{
	const u8 *code = scan->functions.bytes + segment->offset;

	scan->marks = base_zalloc(segment->size, 1);
	if (!scan->marks)
		return false;

	for (u64 i = 0; i + 6 <= segment->size; i++) {
		u64 length, target;
		s32 distance;

		if (code[i] == 0xe8 || code[i] == 0xe9)
			length = 5;
		else if (code[i] == 0x0f && (code[i + 1] & 0xf0) == 0x80)
			length = 6;
		else
			continue;
		memcpy(&distance, code + i + length - 4, 4);
		target = i + length + (u64)(s64)distance;
		if (target < segment->size)
			scan->marks[target] = 1;
	}
	return true;
}

static bool entered(const struct scan *scan, u64 from, u64 to)
{
	for (u64 i = from; i < to; i++)
		if (scan->marks[i])
			return true;
	return false;
}

/* Does the instruction load nr into eax or rax? */
static bool loads_number(const u8 *code, u8 size, u32 nr)
{
	u32 value;

	if (size == 5 && code[0] == 0xb8)
		memcpy(&value, code + 1, 4);
	else if (size == 7 && code[0] == 0x48 && code[1] == 0xc7 && code[2] == 0xc0)
		memcpy(&value, code + 3, 4);
	else
		return false;
	return value == nr;
}

static bool loads_eax(const u8 *code, u8 size)
{
	return (size == 5 && code[0] == 0xb8) ||
	       (size == 7 && code[0] == 0x48 && code[1] == 0xc7 && code[2] == 0xc0);
}

/* Certainly exit(2): the number is loaded just before, and nothing comes in between. */
static bool is_exit(const struct scan *scan, u64 at, const struct instruction *before,
		    u32 nr_before, const u8 *code)
{
	for (u32 i = 0; i < nr_before && before[i].movable; i++) {
		if (entered(scan, before[i].at + 1, at + 1))
			return false;
		if (loads_eax(code + before[i].at, before[i].size))
			return loads_number(code + before[i].at, before[i].size, NR_EXIT);
	}
	return false;
}

/*
 * rt_sigreturn(2): unwinders know its bytes. By the bytes alone, since such code stands where
 * .eh_frame says that a function begins one byte earlier.
 */
static bool returns_from_signal(const u8 *code, u64 at)
{
	return (at >= 5 && loads_number(code + at - 5, 5, NR_RT_SIGRETURN)) ||
	       (at >= 7 && loads_number(code + at - 7, 7, NR_RT_SIGRETURN));
}

/*
 * The same as compares_pc() in functions.c, for files without symbols: how the cancellable call of
 * musl, and of glibc from 2.41 on, ends.
 */
static bool ends_cancellable_call(const u8 *code, u64 at, u64 size)
{
	static const u8 bytes[] = { 0x4c, 0x89, 0x5c, 0x24, 0x08, 0x0f, 0x05, 0xc3 };

	return at >= 5 && size - at >= 3 && memcmp(code + at - 5, bytes, sizeof(bytes)) == 0;
}

static bool add_site(struct scan *scan, const struct agent_site *site)
{
	struct scan_result *result = &scan->result;

	if (result->nr_sites == scan->sites_capacity) {
		u32 capacity = scan->sites_capacity ? scan->sites_capacity * 2 : 256;
		struct agent_site *more =
			base_realloc(result->sites, capacity, sizeof(*result->sites));

		if (!more)
			return false;
		result->sites = more;
		scan->sites_capacity = capacity;
	}
	result->sites[result->nr_sites++] = *site;
	return true;
}

/*
 * Chooses the shortest window. before[0] is the instruction just before the syscall, after[0] the
 * one just behind it; nr_* of each were decoded.
 */
static void choose(const struct scan *scan, u64 at, const struct instruction *before, u32 nr_before,
		   const struct instruction *after, u32 nr_after, struct agent_site *site)
{
	u32 best = ~0u, back = 0;

	site->kind = AGENT_SITE_TRAP;
	for (u32 b = 0; b <= nr_before; b++) {
		u32 forth = 0;

		if (b && !before[b - 1].movable)
			break;
		back += b ? before[b - 1].size : 0;
		for (u32 a = 0; a <= nr_after; a++) {
			if (a && !after[a - 1].movable)
				break;
			forth += a ? after[a - 1].size : 0;
			if (back + 2 + forth < JMP_SIZE || back + forth > AGENT_SITE_BYTES_MAX)
				continue;
			/* Prefer what leaves the code behind the call where it is. */
			if (entered(scan, at - back + 1, at + 2 + forth) ||
			    back + 4 * forth >= best)
				continue;
			best = back + 4 * forth;
			site->kind = back ? AGENT_SITE_JUMP_BEFORE : AGENT_SITE_JUMP_AFTER;
			site->before = (u8)back;
			site->after = (u8)forth;
		}
	}
}

static u32 decode_after(const struct scan *scan, const struct segment *segment, u64 at,
			struct instruction *after)
{
	ZydisDecodedInstruction decoded;
	u32 nr = 0;

	while (nr < NEIGHBOURS && decode(scan, segment, at, &decoded)) {
		after[nr++] = (struct instruction){ at, decoded.length, movable(&decoded) };
		at += decoded.length;
	}
	return nr;
}

/* Decodes from start; fills before[] with the last instructions ahead of at, nearest first. */
static bool decode_before(struct scan *scan, const struct segment *segment, u64 start, u64 at,
			  struct instruction *before, u32 *ret_nr)
{
	ZydisDecodedInstruction decoded;
	u32 nr = 0;

	while (start < at) {
		if (!decode(scan, segment, start, &decoded))
			return false;
		memmove(before + 1, before, (NEIGHBOURS - 1) * sizeof(*before));
		before[0] = (struct instruction){ start, decoded.length, movable(&decoded) };
		if (nr < NEIGHBOURS)
			nr++;
		start += decoded.length;
	}
	*ret_nr = nr;
	return start == at;
}

static int scan_site(struct scan *scan, const struct segment *segment, u64 at)
{
	struct instruction before[NEIGHBOURS], after[NEIGHBOURS];
	u64 address = segment->address + at, start, end;
	const u8 *code = scan->functions.bytes + segment->offset;
	u32 nr_before, nr_after, index = functions_before(&scan->functions, address);
	struct agent_site site = { .offset = (u32)(segment->offset + at) };

	if (returns_from_signal(code, at) || ends_cancellable_call(code, at, segment->size) ||
	    index == scan->functions.nr ||
	    address - scan->functions.list[index].address > FUNCTION_MAX ||
	    scan->functions.list[index].address < segment->address ||
	    scan->functions.list[index].left_alone)
		goto skip;
	start = scan->functions.list[index].address - segment->address;
	if (!decode_before(scan, segment, start, at, before, &nr_before))
		goto skip;
	/* Most files have no real site: what follows is only for those that do. */
	if (!scan->marks && !mark_far_branches(scan, segment))
		return -ENOMEM;
	mark_function(scan, segment, start, at);
	end = index + 1 < scan->functions.nr
		      ? scan->functions.list[index + 1].address - segment->address
		      : segment->size;
	if (end > at + 512)
		end = at + 512;
	mark_function(scan, segment, at, end);
	/* Short branches of the function before, when it is that near. */
	if (index && at - start < 128 &&
	    scan->functions.list[index - 1].address >= segment->address &&
	    start - (scan->functions.list[index - 1].address - segment->address) < FUNCTION_MAX)
		mark_function(scan, segment,
			      scan->functions.list[index - 1].address - segment->address, start);
	nr_after = decode_after(scan, segment, at + 2, after);
	choose(scan, at, before, nr_before, after, nr_after, &site);
	if (is_exit(scan, at, before, nr_before, code))
		site.flags |= AGENT_SITE_EXIT;
	if (address >= scan->functions.go_start && address < scan->functions.go_end)
		site.flags |= AGENT_SITE_SMALL_STACK;
	return add_site(scan, &site) ? 0 : -ENOMEM;
skip:
	scan->result.skipped++;
	return 0;
}

/* Two windows must not share a byte: the later one becomes a trap. */
static void separate(struct scan_result *result)
{
	for (u32 i = 1; i < result->nr_sites; i++) {
		struct agent_site *one = &result->sites[i - 1], *two = &result->sites[i];

		if (one->offset + 2u + one->after <= two->offset - two->before)
			continue;
		two->kind = AGENT_SITE_TRAP;
		two->before = two->after = 0;
		if (one->offset + 2u + one->after > two->offset) {
			one->kind = AGENT_SITE_TRAP;
			one->before = one->after = 0;
		}
	}
}

static int by_offset(const void *a, const void *b)
{
	const struct agent_site *x = a, *y = b;

	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static int scan_segment(struct scan *scan, const struct segment *segment)
{
	const u8 *code = scan->functions.bytes + segment->offset, *at = code;
	const u8 *end = code + segment->size;
	int error = 0;

	if (segment->size < 2)
		return 0;
	scan->marks = NULL;
	while (!error && at + 1 < end) {
		at = memchr(at, 0x0f, (size_t)(end - at - 1));
		if (!at)
			break;
		if (at[1] == 0x05)
			error = scan_site(scan, segment, (u64)(at - code));
		at++;
	}
	base_free(scan->marks);
	return error;
}

int scan_elf(const u8 *bytes, u64 size, struct scan_result *ret_result)
{
	struct scan scan = { .functions = { .bytes = bytes, .size = size } };
	int error;

	if (!ZYAN_SUCCESS(ZydisDecoderInit(&scan.decoder, ZYDIS_MACHINE_MODE_LONG_64,
					   ZYDIS_STACK_WIDTH_64)))
		return -ENOEXEC;
	error = functions_read(&scan.functions);
	for (u32 i = 0; !error && i < scan.functions.nr_segments; i++)
		error = scan_segment(&scan, &scan.functions.segments[i]);
	functions_done(&scan.functions);
	if (error) {
		base_free(scan.result.sites);
		return error;
	}
	if (scan.result.nr_sites)
		qsort(scan.result.sites, scan.result.nr_sites, sizeof(*scan.result.sites),
		      by_offset);
	separate(&scan.result);
	*ret_result = scan.result;
	return 0;
}
