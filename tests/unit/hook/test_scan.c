/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scanner on code of its own making, on damaged files, and on the C library.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/alloc.h"
#include "harness/tap.h"
#include "hook/scan.h"

#define CODE_OFFSET 0x1000
#define ADDRESS	    0x401000
#define FILE_SIZE   0x3000
#define SECTIONS    0x2000
#define SYMBOLS	    0x2200

/* An ELF file with code, and a function at each of the given offsets in it. */
static u8 *make_elf(const u8 *code, u32 size, const u32 *starts, u32 nr_starts)
{
	u8 *file = calloc(1, FILE_SIZE);
	Elf64_Ehdr *header = (void *)file;
	Elf64_Phdr *part = (void *)(file + sizeof(*header));
	Elf64_Shdr *section = (void *)(file + SECTIONS);
	Elf64_Sym *symbols = (void *)(file + SYMBOLS);

	memcpy(header->e_ident, ELFMAG, SELFMAG);
	header->e_ident[EI_CLASS] = ELFCLASS64;
	header->e_ident[EI_DATA] = ELFDATA2LSB;
	header->e_machine = EM_X86_64;
	header->e_type = ET_EXEC;
	header->e_phoff = sizeof(*header);
	header->e_phentsize = sizeof(*part);
	header->e_phnum = 1;
	header->e_shoff = SECTIONS;
	header->e_shentsize = sizeof(*section);
	header->e_shnum = 2;
	*part = (Elf64_Phdr){ .p_type = PT_LOAD,
			      .p_flags = PF_R | PF_X,
			      .p_offset = CODE_OFFSET,
			      .p_vaddr = ADDRESS,
			      .p_filesz = size,
			      .p_memsz = size };
	section[1] = (Elf64_Shdr){ .sh_type = SHT_SYMTAB,
				   .sh_offset = SYMBOLS,
				   .sh_size = nr_starts * sizeof(*symbols),
				   .sh_entsize = sizeof(*symbols) };
	for (u32 i = 0; i < nr_starts; i++)
		symbols[i] = (Elf64_Sym){ .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC),
					  .st_shndx = 1,
					  .st_value = ADDRESS + starts[i] };
	memcpy(file + CODE_OFFSET, code, size);
	return file;
}

struct expectation {
	const char *name;
	const char *code;
	u32 size;
	int nr_sites;
	u32 at; /* of the first site */
	u8 kind, before, after, flags;
};

#define CODE(bytes) bytes, sizeof(bytes) - 1

static const struct expectation expectations[] = {
	{ "mov $39, %eax; syscall; ret", CODE("\xb8\x27\0\0\0\x0f\x05\xc3"), 1, 5,
	  AGENT_SITE_JUMP_BEFORE, 5, 0, 0 },
	{ "syscall; cmp $-4095, %rax; ret", CODE("\x0f\x05\x48\x3d\x01\xf0\xff\xff\xc3"), 1, 0,
	  AGENT_SITE_JUMP_AFTER, 0, 6, 0 },
	{ "syscall; ret: no room on either side", CODE("\x0f\x05\xc3\x90\x90\x90"), 1, 0,
	  AGENT_SITE_TRAP, 0, 0, 0 },
	{ "a branch to the syscall itself: only what follows may move",
	  CODE("\xb8\x27\0\0\0\x0f\x05\x48\x89\xc3\x75\xf9\xc3"), 1, 5, AGENT_SITE_JUMP_AFTER, 0, 3,
	  0 },
	{ "a branch to the load of the number is no obstacle",
	  CODE("\xb8\x27\0\0\0\x0f\x05\x75\xf7\xc3"), 1, 5, AGENT_SITE_JUMP_BEFORE, 5, 0, 0 },
	{ "relative operands stay where they are", CODE("\x48\x8d\x05\0\0\0\0\x0f\x05\xc3"), 1, 7,
	  AGENT_SITE_TRAP, 0, 0, 0 },
	{ "rt_sigreturn is left alone", CODE("\x48\xc7\xc0\x0f\0\0\0\x0f\x05\xc3"), 0, 0, 0, 0, 0,
	  0 },
	{ "exit is known", CODE("\xb8\x3c\0\0\0\x0f\x05\xf4"), 1, 5, AGENT_SITE_JUMP_BEFORE, 5, 0,
	  AGENT_SITE_EXIT },
	{ "a cancellable call is left alone", CODE("\x4c\x89\x5c\x24\x08\x0f\x05\xc3"), 0, 0, 0, 0,
	  0, 0 },
	{ "the bytes inside a constant are no site", CODE("\xb8\x0f\x05\0\0\xc3"), 0, 0, 0, 0, 0,
	  0 },
	{ "code that cannot be decoded is left alone", CODE("\x06\xb8\x27\0\0\0\x0f\x05\xc3"), 0, 0,
	  0, 0, 0, 0 },
};

static void test_code(void)
{
	static const u32 start = 0;

	for (u32 i = 0; i < ARRAY_SIZE(expectations); i++) {
		const struct expectation *want = &expectations[i];
		u8 *file = make_elf((const u8 *)want->code, want->size, &start, 1);
		struct scan_result result;
		const struct agent_site *site;
		bool ok = scan_elf(file, FILE_SIZE, &result) == 0;

		ok = ok && (int)result.nr_sites == want->nr_sites;
		site = result.sites;
		if (ok && result.nr_sites)
			ok = site->offset == CODE_OFFSET + want->at && site->kind == want->kind &&
			     site->before == want->before && site->after == want->after &&
			     site->flags == want->flags;
		if (!tap_ok(ok, "%s", want->name) && result.nr_sites)
			tap_note("at %u kind %u before %u after %u flags %u",
				 site->offset - CODE_OFFSET, site->kind, site->before, site->after,
				 site->flags);
		base_free(result.sites);
		free(file);
	}
}

/* A five-byte branch elsewhere, into the middle of a window. */
static void test_far_branch(void)
{
	static const u8 code[] = "\xb8\x27\0\0\0\x0f\x05\xc3"
				 "\xe9\xf8\xff\xff\xff\xc3";
	static const u32 starts[] = { 0, 8 };
	u8 *file = make_elf(code, sizeof(code) - 1, starts, 2);
	struct scan_result result = { 0 };

	tap_ok(scan_elf(file, FILE_SIZE, &result) == 0 && result.nr_sites == 1 &&
		       result.sites[0].kind == AGENT_SITE_TRAP,
	       "a branch of another function to the syscall makes it a trap");
	base_free(result.sites);
	free(file);
}

static void test_neighbours(void)
{
	static const u8 code[] = "\xb8\x27\0\0\0\x0f\x05\x48\x89\xc3\x0f\x05\x48\x89\xc3\xc3";
	static const u32 start = 0;
	u8 *file = make_elf(code, sizeof(code) - 1, &start, 1);
	struct scan_result result = { 0 };
	bool apart = scan_elf(file, FILE_SIZE, &result) == 0 && result.nr_sites == 2;

	if (apart)
		apart = result.sites[0].offset + 2u + result.sites[0].after <=
			result.sites[1].offset - result.sites[1].before;
	tap_ok(apart, "two windows never share a byte");
	base_free(result.sites);
	free(file);
}

static u8 *load_libc(u64 *ret_size)
{
	struct stat st;
	int fd = open("/lib/x86_64-linux-gnu/libc.so.6", O_RDONLY);
	u8 *bytes = NULL;

	if (fd >= 0 && fstat(fd, &st) == 0) {
		bytes = malloc((size_t)st.st_size);
		*ret_size = (u64)st.st_size;
		if (read(fd, bytes, (size_t)st.st_size) != st.st_size)
			tap_bail("libc cannot be read");
	}
	if (fd >= 0)
		close(fd);
	return bytes;
}

static void test_libc(u8 *bytes, u64 size)
{
	struct scan_result result = { 0 };
	u32 traps = 0, wrong = 0;

	tap_is(scan_elf(bytes, size, &result), 0, "libc is scanned");
	for (u32 i = 0; i < result.nr_sites; i++) {
		const struct agent_site *site = &result.sites[i];

		traps += site->kind == AGENT_SITE_TRAP;
		wrong += memcmp(bytes + site->offset, "\x0f\x05", 2) != 0;
		wrong += i && site->offset <= site[-1].offset;
		wrong += site->kind != AGENT_SITE_TRAP && site->before + site->after < 3;
	}
	tap_ok(result.nr_sites > 400 && traps < result.nr_sites / 20,
	       "libc: %u sites, %u of them traps", result.nr_sites, traps);
	tap_is(wrong, 0, "each is a syscall, in order, with room for a jump");
	base_free(result.sites);
}

static u64 seed = 0x6b70656b73ul;

static u32 random32(void)
{
	seed = seed * 6364136223846793005ul + 1442695040888963407ul;
	return (u32)(seed >> 33);
}

/* Headers and tables with bytes changed, files cut short: an answer, never a fault. */
static void test_damage(u8 *bytes, u64 size)
{
	u8 *copy = malloc(size);
	u32 outside = 0, rounds = 60;

	for (u32 i = 0; i < rounds; i++) {
		struct scan_result result = { 0 };
		u64 cut = i % 3 == 0 ? random32() % size : size;

		memcpy(copy, bytes, size);
		for (u32 k = 0; k < 40; k++) {
			u64 at = k % 4 == 0 ? random32() % 1024
					    : size - 1 - random32() % (size < 8192 ? size : 8192);

			copy[at] = (u8)random32();
		}
		if (scan_elf(copy, cut, &result) != 0)
			continue;
		for (u32 k = 0; k < result.nr_sites; k++) {
			const struct agent_site *site = &result.sites[k];

			outside += site->before > site->offset ||
				   site->offset + 2ul + site->after > cut ||
				   site->before + site->after > AGENT_SITE_BYTES_MAX;
		}
		base_free(result.sites);
	}
	tap_is(outside, 0, "no site of a damaged file lies outside of it");
	free(copy);
}

int main(void)
{
	static const u32 start = 0;
	struct scan_result result;
	u64 size = 0;
	u8 *libc = load_libc(&size), *small;

	test_code();
	test_far_branch();
	test_neighbours();
	tap_is(scan_elf((const u8 *)"#!/bin/sh\n", 10, &result), -ENOEXEC,
	       "a script is no ELF file");
	tap_is(scan_elf((const u8 *)"", 0, &result), -ENOEXEC, "an empty file is none either");
	small = make_elf((const u8 *)"\xb8\x27\0\0\0\x0f\x05\xc3", 8, &start, 1);
	for (u32 i = 0; i < 20; i++)
		test_damage(small, FILE_SIZE);
	free(small);
	if (libc) {
		test_libc(libc, size);
		test_damage(libc, size);
	} else {
		tap_skip(4, "no C library in its usual place");
	}
	free(libc);
	return tap_done();
}
