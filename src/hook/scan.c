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
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <Zydis/Zydis.h>
#include "base/alloc.h"
#include "hook/scan.h"

#define JMP_SIZE	5
#define SEGMENTS_MAX	16
#define FUNCTION_MAX	(256u << 10) /* decode no further than this for one site */
#define NEIGHBOURS	4
#define NR_EXIT		60
#define NR_RT_SIGRETURN 15

struct segment {
	u64 offset, address, size; /* in the file; address minus offset is constant in it */
};

struct function {
	u64 address;
	bool left_alone; /* its program counter is compared by its library */
};

struct scan {
	const u8 *bytes;
	u64 size;
	struct segment segments[SEGMENTS_MAX];
	u32 nr_segments;
	struct function *functions; /* by address */
	u32 nr_functions, capacity;
	u64 go_start, go_end; /* addresses of Go's own code; 0, 0: none */
	u8 *marks;	      /* of the current segment: a branch comes here */
	ZydisDecoder decoder;
	struct scan_result result;
	u32 sites_capacity;
};

static bool in_file(const struct scan *scan, u64 offset, u64 size)
{
	return offset <= scan->size && size <= scan->size - offset;
}

static int add_function(struct scan *scan, u64 address, bool left_alone)
{
	if (scan->nr_functions == scan->capacity) {
		u32 capacity = scan->capacity ? scan->capacity * 2 : 4096;
		struct function *more =
			base_realloc(scan->functions, capacity, sizeof(*scan->functions));

		if (!more)
			return -ENOMEM;
		scan->functions = more;
		scan->capacity = capacity;
	}
	scan->functions[scan->nr_functions++] =
		(struct function){ .address = address, .left_alone = left_alone };
	return 0;
}

static bool in_segments(const struct scan *scan, u64 address)
{
	for (u32 i = 0; i < scan->nr_segments; i++)
		if (address - scan->segments[i].address < scan->segments[i].size)
			return true;
	return false;
}

static bool name_is(const char *name, u64 room, const char *wanted)
{
	u64 length = strlen(wanted) + 1;

	return room >= length && memcmp(name, wanted, length) == 0;
}

/*
 * musl, and glibc from 2.41 on, ask in their cancellation handler whether the thread was between
 * two addresses: such a site must stay what it is.
 */
static bool compares_pc(const char *name, u64 room)
{
	return name_is(name, room, "__syscall_cp_asm") || name_is(name, room, "__cp_begin") ||
	       name_is(name, room, "__syscall_cancel_arch") ||
	       name_is(name, room, "__syscall_cancel_arch_start");
}

static int read_symbols(struct scan *scan, const Elf64_Shdr *table, const Elf64_Shdr *strings)
{
	u64 i, nr = table->sh_size / sizeof(Elf64_Sym);

	if (!in_file(scan, table->sh_offset, table->sh_size) ||
	    !in_file(scan, strings->sh_offset, strings->sh_size))
		return 0;
	for (i = 0; i < nr; i++) {
		Elf64_Sym symbol;
		const char *name = "";
		u64 room = 1;

		memcpy(&symbol, scan->bytes + table->sh_offset + i * sizeof(symbol),
		       sizeof(symbol));
		if (symbol.st_name < strings->sh_size) {
			name = (const char *)scan->bytes + strings->sh_offset + symbol.st_name;
			room = strings->sh_size - symbol.st_name;
		}
		if (name_is(name, room, "runtime.text"))
			scan->go_start = symbol.st_value;
		if (name_is(name, room, "runtime.etext"))
			scan->go_end = symbol.st_value;
		if (ELF64_ST_TYPE(symbol.st_info) != STT_FUNC && !compares_pc(name, room))
			continue;
		if (symbol.st_shndx == SHN_UNDEF || !in_segments(scan, symbol.st_value))
			continue;
		if (add_function(scan, symbol.st_value, compares_pc(name, room)))
			return -ENOMEM;
	}
	return 0;
}

static int read_sections(struct scan *scan, const Elf64_Ehdr *header)
{
	bool go = false;
	u32 i;

	if (header->e_shentsize != sizeof(Elf64_Shdr) ||
	    !in_file(scan, header->e_shoff, (u64)header->e_shnum * sizeof(Elf64_Shdr)))
		return 0;
	for (i = 0; i < header->e_shnum; i++) {
		const u8 *base = scan->bytes + header->e_shoff;
		Elf64_Shdr section, strings;
		u8 magic[4] = { 0 };

		memcpy(&section, base + i * sizeof(section), sizeof(section));
		if (section.sh_type == SHT_PROGBITS && section.sh_size >= 16 &&
		    in_file(scan, section.sh_offset, 16)) {
			/* A Go program-counter table begins with one of these (debug/gosym). */
			memcpy(magic, scan->bytes + section.sh_offset, 4);
			if ((magic[0] >= 0xf0 || magic[0] == 0xfb) && magic[1] == 0xff &&
			    magic[2] == 0xff && magic[3] == 0xff &&
			    scan->bytes[section.sh_offset + 6] == 1 &&
			    scan->bytes[section.sh_offset + 7] == 8)
				go = true;
		}
		if (section.sh_type != SHT_SYMTAB && section.sh_type != SHT_DYNSYM)
			continue;
		if (section.sh_entsize != sizeof(Elf64_Sym) || section.sh_link >= header->e_shnum)
			continue;
		memcpy(&strings, base + section.sh_link * sizeof(strings), sizeof(strings));
		if (read_symbols(scan, &section, &strings))
			return -ENOMEM;
	}
	/* Go without symbols: take all of it for Go, which costs C in it nothing but its red zone.
	 */
	if (go && !(scan->go_end > scan->go_start)) {
		scan->go_start = 0;
		scan->go_end = ~0ul;
	}
	if (!go)
		scan->go_start = scan->go_end = 0;
	return 0;
}

/* The sorted table of .eh_frame_hdr, in the one encoding that linkers write. */
static int read_frames(struct scan *scan, const Elf64_Phdr *header)
{
	static const u8 head[4] = { 1, 0x1b, 0x03, 0x3b };
	u32 count, i;

	if (header->p_filesz < 12 || !in_file(scan, header->p_offset, header->p_filesz) ||
	    memcmp(scan->bytes + header->p_offset, head, sizeof(head)) != 0)
		return 0;
	memcpy(&count, scan->bytes + header->p_offset + 8, 4);
	if (count > (header->p_filesz - 12) / 8)
		return 0;
	for (i = 0; i < count; i++) {
		s32 distance;
		u64 address;

		memcpy(&distance, scan->bytes + header->p_offset + 12 + 8 * (u64)i, 4);
		address = header->p_vaddr + (u64)(s64)distance;
		if (in_segments(scan, address) && add_function(scan, address, false))
			return -ENOMEM;
	}
	return 0;
}

static int read_headers(struct scan *scan)
{
	Elf64_Phdr frames = { 0 };
	Elf64_Ehdr header;
	u32 i;

	if (scan->size < sizeof(header))
		return -ENOEXEC;
	memcpy(&header, scan->bytes, sizeof(header));
	if (memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
	    header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
	    header.e_machine != EM_X86_64 || header.e_phentsize != sizeof(Elf64_Phdr) ||
	    !in_file(scan, header.e_phoff, (u64)header.e_phnum * sizeof(Elf64_Phdr)))
		return -ENOEXEC;
	for (i = 0; i < header.e_phnum; i++) {
		Elf64_Phdr part;

		memcpy(&part, scan->bytes + header.e_phoff + i * sizeof(part), sizeof(part));
		if (part.p_type == PT_GNU_EH_FRAME)
			frames = part;
		if (part.p_type != PT_LOAD || !(part.p_flags & PF_X) ||
		    !in_file(scan, part.p_offset, part.p_filesz) ||
		    part.p_offset + part.p_filesz > UINT32_MAX || scan->nr_segments == SEGMENTS_MAX)
			continue;
		scan->segments[scan->nr_segments++] =
			(struct segment){ part.p_offset, part.p_vaddr, part.p_filesz };
	}
	if (frames.p_filesz && read_frames(scan, &frames))
		return -ENOMEM;
	return read_sections(scan, &header);
}

static int by_address(const void *a, const void *b)
{
	const struct function *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	return (int)y->left_alone - (int)x->left_alone;
}

/* Index of the function at or before address; nr_functions when there is none. */
static u32 function_before(const struct scan *scan, u64 address)
{
	u32 low = 0, high = scan->nr_functions;

	while (low < high) {
		u32 middle = low + (high - low) / 2;

		if (scan->functions[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? low - 1 : scan->nr_functions;
}

struct instruction {
	u64 at; /* offset in the segment */
	u8 size;
	bool movable;
};

static bool decode(const struct scan *scan, const struct segment *segment, u64 at,
		   ZydisDecodedInstruction *ret)
{
	return at < segment->size &&
	       ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(&scan->decoder, NULL,
							  scan->bytes + segment->offset + at,
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

/* Whatever could be a 32-bit branch, decoded or not: a branch into a window from anywhere. */
static void mark_far_branches(struct scan *scan, const struct segment *segment)
{
	const u8 *code = scan->bytes + segment->offset;

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
		mark_branch(scan, segment, &decoded, start);
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
	const u8 *code = scan->bytes + segment->offset;
	u32 nr_before, nr_after, index = function_before(scan, address);
	struct agent_site site = { .offset = (u32)(segment->offset + at) };

	if (returns_from_signal(code, at) || index == scan->nr_functions ||
	    address - scan->functions[index].address > FUNCTION_MAX ||
	    scan->functions[index].address < segment->address || scan->functions[index].left_alone)
		goto skip;
	start = scan->functions[index].address - segment->address;
	if (!decode_before(scan, segment, start, at, before, &nr_before))
		goto skip;
	end = index + 1 < scan->nr_functions ? scan->functions[index + 1].address - segment->address
					     : segment->size;
	if (end > at + 512)
		end = at + 512;
	mark_function(scan, segment, at, end);
	/* Short branches of the function before, when it is that near. */
	if (index && at - start < 128 && scan->functions[index - 1].address >= segment->address &&
	    start - (scan->functions[index - 1].address - segment->address) < FUNCTION_MAX)
		mark_function(scan, segment, scan->functions[index - 1].address - segment->address,
			      start);
	nr_after = decode_after(scan, segment, at + 2, after);
	choose(scan, at, before, nr_before, after, nr_after, &site);
	if (is_exit(scan, at, before, nr_before, code))
		site.flags |= AGENT_SITE_EXIT;
	if (address >= scan->go_start && address < scan->go_end)
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
	const u8 *code = scan->bytes + segment->offset, *at = code;
	const u8 *end = code + segment->size;
	int error = 0;

	if (segment->size < 2)
		return 0;
	scan->marks = base_zalloc(segment->size, 1);
	if (!scan->marks)
		return -ENOMEM;
	mark_far_branches(scan, segment);
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
	struct scan scan = { .bytes = bytes, .size = size };
	int error;

	if (!ZYAN_SUCCESS(ZydisDecoderInit(&scan.decoder, ZYDIS_MACHINE_MODE_LONG_64,
					   ZYDIS_STACK_WIDTH_64)))
		return -ENOEXEC;
	error = read_headers(&scan);
	if (!error && scan.nr_functions)
		qsort(scan.functions, scan.nr_functions, sizeof(*scan.functions), by_address);
	for (u32 i = 0; !error && i < scan.nr_segments; i++)
		error = scan_segment(&scan, &scan.segments[i]);
	base_free(scan.functions);
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
