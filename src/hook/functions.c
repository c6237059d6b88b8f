/* SPDX-License-Identifier: BSD-2-Clause */
/* See functions.h. */
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/alloc.h"
#include "hook/functions.h"

static bool in_file(const struct functions *functions, u64 offset, u64 size)
{
	return offset <= functions->size && size <= functions->size - offset;
}

static int add_function(struct functions *functions, u64 address, bool left_alone)
{
	if (functions->nr == functions->capacity) {
		u32 capacity = functions->capacity ? functions->capacity * 2 : 4096;
		struct function *more =
			base_realloc(functions->list, capacity, sizeof(*functions->list));

		if (!more)
			return -ENOMEM;
		functions->list = more;
		functions->capacity = capacity;
	}
	functions->list[functions->nr++] =
		(struct function){ .address = address, .left_alone = left_alone };
	return 0;
}

static bool in_segments(const struct functions *functions, u64 address)
{
	for (u32 i = 0; i < functions->nr_segments; i++)
		if (address - functions->segments[i].address < functions->segments[i].size)
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

static int read_symbols(struct functions *functions, const Elf64_Shdr *table,
			const Elf64_Shdr *strings)
{
	u64 i, nr = table->sh_size / sizeof(Elf64_Sym);

	if (!in_file(functions, table->sh_offset, table->sh_size) ||
	    !in_file(functions, strings->sh_offset, strings->sh_size))
		return 0;
	for (i = 0; i < nr; i++) {
		Elf64_Sym symbol;
		const char *name = "";
		u64 room = 1;

		memcpy(&symbol, functions->bytes + table->sh_offset + i * sizeof(symbol),
		       sizeof(symbol));
		if (symbol.st_name < strings->sh_size) {
			name = (const char *)functions->bytes + strings->sh_offset + symbol.st_name;
			room = strings->sh_size - symbol.st_name;
		}
		if (name_is(name, room, "runtime.text"))
			functions->go_start = symbol.st_value;
		if (name_is(name, room, "runtime.etext"))
			functions->go_end = symbol.st_value;
		if (ELF64_ST_TYPE(symbol.st_info) != STT_FUNC && !compares_pc(name, room))
			continue;
		if (symbol.st_shndx == SHN_UNDEF || !in_segments(functions, symbol.st_value))
			continue;
		if (add_function(functions, symbol.st_value, compares_pc(name, room)))
			return -ENOMEM;
	}
	return 0;
}

/*
 * Go's program-counter table (debug/gosym): from 1.18 on offsets of four bytes from the start of
 * text, before that addresses.
 */
static bool is_go_table(const u8 *head)
{
	return (head[0] == 0xf0 || head[0] == 0xf1 || head[0] == 0xfa || head[0] == 0xfb) &&
	       head[1] == 0xff && head[2] == 0xff && head[3] == 0xff && head[4] == 0 &&
	       head[5] == 0 && head[6] == 1 && head[7] == 8;
}

static u64 load(const struct functions *functions, u64 offset, u32 size)
{
	u64 value = 0;

	if (in_file(functions, offset, size))
		memcpy(&value, functions->bytes + offset, size);
	return value;
}

static int read_go_table(struct functions *functions, const Elf64_Shdr *section)
{
	const u64 at = section->sh_offset;
	const u8 version = functions->bytes[at];
	const u64 nr = load(functions, at + 8, 8);
	u64 base = 0, table = at + 16, stride = 16, i;

	if (version == 0xfa) {
		table = at + load(functions, at + 56, 8);
	} else if (version != 0xfb) {
		base = load(functions, at + 24, 8);
		table = at + load(functions, at + 64, 8);
		stride = 8;
	}
	if (nr > functions->size / stride || !in_file(functions, table, nr * stride))
		return 0;
	for (i = 0; i < nr; i++) {
		u64 address = base + load(functions, table + i * stride, stride == 8 ? 4 : 8);

		if (in_segments(functions, address) && add_function(functions, address, false))
			return -ENOMEM;
	}
	return 0;
}

/* Reads a LEB128 number; the offset after it. */
static u64 skip_leb(const struct functions *functions, u64 at, u64 end)
{
	while (at < end && functions->bytes[at] & 0x80)
		at++;
	return at + 1;
}

/* Do the entries of this common part give addresses relative to themselves in four bytes? */
static bool plain_encoding(const struct functions *functions, u64 at, u64 end)
{
	u64 text, data;

	at++; /* version */
	text = at;
	while (at < end && functions->bytes[at])
		at++;
	at = skip_leb(functions, at + 1, end);
	at = skip_leb(functions, at, end);
	at = skip_leb(functions, at, end);
	if (text >= end || functions->bytes[text] != 'z')
		return false;
	data = skip_leb(functions, at, end);
	for (text++; text < end && data < end && functions->bytes[text]; text++) {
		if (functions->bytes[text] == 'R')
			return functions->bytes[data] == 0x1b;
		if (functions->bytes[text] == 'L')
			data++;
		else if (functions->bytes[text] == 'P')
			data += (functions->bytes[data] & 0xf) == 0xb ||
						(functions->bytes[data] & 0xf) == 3
					? 5
					: 9;
		else if (functions->bytes[text] != 'S')
			return false;
	}
	return false;
}

/* .eh_frame itself, for files without its sorted index (static programs). */
static int read_unwind(struct functions *functions, const Elf64_Shdr *section)
{
	u64 at = section->sh_offset, end = at + section->sh_size, common = 0;
	bool plain = false;

	while (at + 8 < end) {
		u64 length = load(functions, at, 4), id = load(functions, at + 4, 4), address;

		if (!length || length >= 0xffffffff || length > end - at - 4)
			break;
		if (!id) {
			plain = plain_encoding(functions, at + 8, at + 4 + length);
			common = at;
		} else if (plain && at + 4 - id == common && length >= 8) {
			address = section->sh_addr + (at + 8 - section->sh_offset) +
				  (u64)(s64)(s32)load(functions, at + 8, 4);
			if (in_segments(functions, address) &&
			    add_function(functions, address, false))
				return -ENOMEM;
		}
		at += 4 + length;
	}
	return 0;
}

/* One section; sets *go when it is Go's table. */
static int read_section(struct functions *functions, const Elf64_Ehdr *header, u32 index,
			const char *names, u64 names_size, bool *go)
{
	const u8 *base = functions->bytes + header->e_shoff;
	Elf64_Shdr section, strings;

	memcpy(&section, base + index * sizeof(section), sizeof(section));
	if (section.sh_type == SHT_NOBITS ||
	    !in_file(functions, section.sh_offset, section.sh_size))
		return 0;
	if (section.sh_type == SHT_PROGBITS && section.sh_size >= 72 &&
	    is_go_table(functions->bytes + section.sh_offset)) {
		*go = true;
		return read_go_table(functions, &section);
	}
	if (section.sh_name < names_size &&
	    name_is(names + section.sh_name, names_size - section.sh_name, ".eh_frame"))
		return read_unwind(functions, &section);
	if ((section.sh_type != SHT_SYMTAB && section.sh_type != SHT_DYNSYM) ||
	    section.sh_entsize != sizeof(Elf64_Sym) || section.sh_link >= header->e_shnum)
		return 0;
	memcpy(&strings, base + section.sh_link * sizeof(strings), sizeof(strings));
	return read_symbols(functions, &section, &strings);
}

static int read_sections(struct functions *functions, const Elf64_Ehdr *header)
{
	const char *names = "";
	u64 names_size = 0;
	Elf64_Shdr section;
	bool go = false;
	int error = 0;

	if (header->e_shentsize != sizeof(Elf64_Shdr) ||
	    !in_file(functions, header->e_shoff, (u64)header->e_shnum * sizeof(Elf64_Shdr)))
		return 0;
	if (header->e_shstrndx < header->e_shnum) {
		memcpy(&section,
		       functions->bytes + header->e_shoff + header->e_shstrndx * sizeof(section),
		       sizeof(section));
		if (in_file(functions, section.sh_offset, section.sh_size)) {
			names = (const char *)functions->bytes + section.sh_offset;
			names_size = section.sh_size;
		}
	}
	for (u32 i = 0; i < header->e_shnum && !error; i++)
		error = read_section(functions, header, i, names, names_size, &go);
	/* Go without symbols: take all of it for Go, which costs C in it nothing but its red zone.
	 */
	if (go && functions->go_end <= functions->go_start) {
		functions->go_start = 0;
		functions->go_end = ~0ul;
	}
	if (!go)
		functions->go_start = functions->go_end = 0;
	return error;
}

/* The sorted table of .eh_frame_hdr, in the one encoding that linkers write. */
static int read_frames(struct functions *functions, const Elf64_Phdr *header)
{
	static const u8 head[4] = { 1, 0x1b, 0x03, 0x3b };
	u32 count, i;

	if (header->p_filesz < 12 || !in_file(functions, header->p_offset, header->p_filesz) ||
	    memcmp(functions->bytes + header->p_offset, head, sizeof(head)) != 0)
		return 0;
	memcpy(&count, functions->bytes + header->p_offset + 8, 4);
	if (count > (header->p_filesz - 12) / 8)
		return 0;
	for (i = 0; i < count; i++) {
		s32 distance;
		u64 address;

		memcpy(&distance, functions->bytes + header->p_offset + 12 + 8 * (u64)i, 4);
		address = header->p_vaddr + (u64)(s64)distance;
		if (in_segments(functions, address) && add_function(functions, address, false))
			return -ENOMEM;
	}
	return 0;
}

static int read_headers(struct functions *functions)
{
	Elf64_Phdr frames = { 0 };
	Elf64_Ehdr header;
	u32 i;

	if (functions->size < sizeof(header))
		return -ENOEXEC;
	memcpy(&header, functions->bytes, sizeof(header));
	if (memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
	    header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
	    header.e_machine != EM_X86_64 || header.e_phentsize != sizeof(Elf64_Phdr) ||
	    !in_file(functions, header.e_phoff, (u64)header.e_phnum * sizeof(Elf64_Phdr)))
		return -ENOEXEC;
	for (i = 0; i < header.e_phnum; i++) {
		Elf64_Phdr part;

		memcpy(&part, functions->bytes + header.e_phoff + i * sizeof(part), sizeof(part));
		if (part.p_type == PT_GNU_EH_FRAME)
			frames = part;
		if (part.p_type != PT_LOAD || !(part.p_flags & PF_X) ||
		    !in_file(functions, part.p_offset, part.p_filesz) ||
		    part.p_offset + part.p_filesz > UINT32_MAX ||
		    functions->nr_segments == FUNCTIONS_SEGMENTS_MAX)
			continue;
		functions->segments[functions->nr_segments++] =
			(struct segment){ part.p_offset, part.p_vaddr, part.p_filesz };
	}
	if (frames.p_filesz && read_frames(functions, &frames))
		return -ENOMEM;
	return read_sections(functions, &header);
}

static int by_address(const void *a, const void *b)
{
	const struct function *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	return (int)y->left_alone - (int)x->left_alone;
}

u32 functions_before(const struct functions *functions, u64 address)
{
	u32 low = 0, high = functions->nr;

	while (low < high) {
		u32 middle = low + (high - low) / 2;

		if (functions->list[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? low - 1 : functions->nr;
}

int functions_read(struct functions *functions)
{
	int error = read_headers(functions);

	if (error) {
		functions_done(functions);
		return error;
	}
	if (functions->nr)
		qsort(functions->list, functions->nr, sizeof(*functions->list), by_address);
	return 0;
}

void functions_done(struct functions *functions)
{
	functions->list = base_free(functions->list);
}
