/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See object_file.h. Whether the file is whole is asked by hand: libelf has one word for all that
 * is wrong, and takes files whose sections lie beyond their end.
 */
#include "object_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

int object_file_map(int fd, struct object_file *ret_file)
{
	struct stat st;
	void *data;

	if (fstat(fd, &st))
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	*ret_file = (struct object_file){ 0 };
	if (!st.st_size)
		return 0;
	data = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return -errno;
	*ret_file = (struct object_file){ .data = data, .size = (size_t)st.st_size };
	return 0;
}

void object_file_unmap(struct object_file *file)
{
	if (file->data)
		munmap(file->data, file->size);
	*file = (struct object_file){ 0 };
}

bool object_file_is_elf(const struct object_file *file)
{
	return file->size >= SELFMAG && !memcmp(file->data, ELFMAG, SELFMAG);
}

/* Does [offset, offset + size) lie in the file? */
static bool inside(const struct object_file *file, Elf64_Xword offset, Elf64_Xword size)
{
	return offset <= file->size && size <= file->size - offset;
}

static const char *section_problem(const struct object_file *file, const Elf64_Ehdr *header)
{
	for (unsigned i = 0; i < header->e_shnum; i++) {
		Elf64_Shdr section;

		memcpy(&section, (const char *)file->data + header->e_shoff + i * sizeof(section),
		       sizeof(section));
		if (section.sh_type != SHT_NOBITS && section.sh_type != SHT_NULL &&
		    !inside(file, section.sh_offset, section.sh_size))
			return "the file is truncated or corrupt: a section lies beyond its end";
	}
	return NULL;
}

const char *object_file_problem(const struct object_file *file)
{
	Elf64_Ehdr header;

	if (!file->size)
		return "the file is empty";
	if (!object_file_is_elf(file))
		return "not a BPF object: it has no ELF header";
	if (file->size < sizeof(header))
		return "the file is truncated: its ELF header is not whole";
	memcpy(&header, file->data, sizeof(header));
	if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB)
		return "not a BPF object for this machine: it is not 64-bit little-endian ELF";
	if (header.e_machine != EM_BPF)
		return "not a BPF object: this ELF file is for another machine";
	if (header.e_type != ET_REL)
		return "not a BPF object: this ELF file is not relocatable";
	if (!header.e_shoff || !header.e_shnum || header.e_shentsize != sizeof(Elf64_Shdr))
		return "the file is corrupt: it has no usable section table";
	if (!inside(file, header.e_shoff, (Elf64_Xword)header.e_shnum * sizeof(Elf64_Shdr)))
		return "the file is truncated: its section table lies beyond its end";
	return section_problem(file, &header);
}

Elf *object_file_elf(const struct object_file *file)
{
	return elf_version(EV_CURRENT) ? elf_memory(file->data, file->size) : NULL;
}

bool object_file_section(Elf *elf, size_t number, GElf_Shdr *ret_header)
{
	return number < SHN_LORESERVE && gelf_getshdr(elf_getscn(elf, number), ret_header);
}

const char *object_file_section_name(Elf *elf, const GElf_Shdr *header)
{
	const char *name = NULL;
	size_t names;

	if (!elf_getshdrstrndx(elf, &names))
		name = elf_strptr(elf, names, header->sh_name);
	return name ? name : "";
}

void object_file_name(const char *path, char *name, size_t size)
{
	const char *slash = strrchr(path, '/');

	snprintf(name, size, "%s", slash ? slash + 1 : path);
	name[strcspn(name, ".")] = '\0';
}
