/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A reader for the one kind of ELF file that our own linker script writes; anything else is
 * refused.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arena/image_file.h"
#include "rt/arena.h"

static bool in_file(const struct image_file *image, u64 offset, u64 length)
{
	return offset <= image->size && length <= image->size - offset;
}

/* Copies, since nothing in a file has to be aligned. False when it would reach past the end. */
static bool read_at(const struct image_file *image, u64 offset, void *dst, u64 length)
{
	if (!in_file(image, offset, length))
		return false;
	memcpy(dst, image->bytes + offset, length);
	return true;
}

static int find_segment(struct image_file *image, const Elf64_Ehdr *header)
{
	bool found = false;

	for (u32 i = 0; i < header->e_phnum; i++) {
		Elf64_Phdr segment;

		if (!read_at(image, header->e_phoff + i * sizeof(segment), &segment,
			     sizeof(segment)))
			return -ENOEXEC;
		if (segment.p_type != PT_LOAD)
			continue;
		if (found || segment.p_vaddr != RT_TEXT_BASE || segment.p_flags & PF_W ||
		    segment.p_filesz != segment.p_memsz || segment.p_memsz > RT_IMAGE_SIZE_MAX ||
		    !in_file(image, segment.p_offset, segment.p_filesz))
			return -ENOEXEC;
		image->load_offset = segment.p_offset;
		image->load_size = segment.p_filesz;
		found = true;
	}
	return found ? 0 : -ENOEXEC;
}

static int find_symbols(struct image_file *image, const Elf64_Ehdr *header)
{
	for (u32 i = 0; i < header->e_shnum; i++) {
		Elf64_Shdr section, strings;

		if (!read_at(image, header->e_shoff + i * sizeof(section), &section,
			     sizeof(section)))
			return -ENOEXEC;
		if (section.sh_type != SHT_SYMTAB)
			continue;
		if (section.sh_link >= header->e_shnum ||
		    !read_at(image, header->e_shoff + section.sh_link * sizeof(strings), &strings,
			     sizeof(strings)) ||
		    !in_file(image, section.sh_offset, section.sh_size) ||
		    !in_file(image, strings.sh_offset, strings.sh_size))
			return -ENOEXEC;
		image->symbols = section.sh_offset;
		image->nr_symbols = section.sh_size / sizeof(Elf64_Sym);
		image->strings = strings.sh_offset;
		image->strings_size = strings.sh_size;
		return 0;
	}
	return -ENOEXEC;
}

int image_file_open(struct image_file *image, const u8 *bytes, u64 size)
{
	Elf64_Ehdr header;

	*image = (struct image_file){ .bytes = bytes, .size = size };
	if (!read_at(image, 0, &header, sizeof(header)) ||
	    memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_machine != EM_X86_64 ||
	    header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_type != ET_EXEC ||
	    header.e_phentsize != sizeof(Elf64_Phdr) || header.e_shentsize != sizeof(Elf64_Shdr) ||
	    !in_file(image, header.e_phoff, header.e_phnum * sizeof(Elf64_Phdr)) ||
	    !in_file(image, header.e_shoff, header.e_shnum * sizeof(Elf64_Shdr)))
		return -ENOEXEC;
	return find_segment(image, &header) ?: find_symbols(image, &header);
}

u64 image_file_symbol(const struct image_file *image, const char *name)
{
	u64 length = strlen(name) + 1;

	for (u64 i = 0; i < image->nr_symbols; i++) {
		Elf64_Sym symbol;

		if (!read_at(image, image->symbols + i * sizeof(symbol), &symbol, sizeof(symbol)))
			return 0;
		if (symbol.st_shndx == SHN_UNDEF || ELF64_ST_TYPE(symbol.st_info) == STT_FILE ||
		    symbol.st_name > image->strings_size ||
		    length > image->strings_size - symbol.st_name ||
		    memcmp(image->bytes + image->strings + symbol.st_name, name, length) != 0)
			continue;
		if (symbol.st_value < RT_TEXT_BASE ||
		    symbol.st_value - RT_TEXT_BASE > image->load_size)
			return 0;
		return symbol.st_value;
	}
	return 0;
}

int image_file_read(const char *path, u8 **ret_bytes, u64 *ret_size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), error = -ENOEXEC;
	struct stat status;
	u8 *bytes = NULL;
	u64 size = 0;

	if (fd < 0)
		return -errno;
	if (!fstat(fd, &status) && S_ISREG(status.st_mode) && status.st_size > 0 &&
	    status.st_size <= 64 << 20) {
		bytes = malloc((u64)status.st_size);
		error = bytes ? 0 : -ENOMEM;
	}
	while (!error && size < (u64)status.st_size) {
		ssize_t got = read(fd, bytes + size, (u64)status.st_size - size);

		if (got <= 0)
			error = got < 0 ? -errno : -ENOEXEC;
		else
			size += (u64)got;
	}
	close(fd);
	if (error) {
		free(bytes);
		return error;
	}
	*ret_bytes = bytes;
	*ret_size = size;
	return 0;
}
