/* SPDX-License-Identifier: BSD-2-Clause */
/* The file that is to be run, in memory: looked at before libbpf sees it, so that people get a
 * sentence. */
#ifndef SKEP_CLI_OBJECT_FILE_H
#define SKEP_CLI_OBJECT_FILE_H

#include <gelf.h>
#include <stdbool.h>
#include <stddef.h>

struct object_file {
	void *data; /* a private mapping: writing to it leaves the file alone */
	size_t size;
};

/* Maps what fd refers to. 0 or -errno. */
int object_file_map(int fd, struct object_file *ret_file);
void object_file_unmap(struct object_file *file);

/* Begins like an ELF file? */
bool object_file_is_elf(const struct object_file *file);

/* NULL if it is a whole BPF ELF object, else what is wrong with it, as the rest of a sentence. */
const char *object_file_problem(const struct object_file *file);

/*
 * The file for libelf, which reads it where it is mapped: what is changed through it is changed
 * there. NULL if libelf does not take it.
 */
Elf *object_file_elf(const struct object_file *file);
/* The header of a section by its number; false: there is none. */
bool object_file_section(Elf *elf, size_t number, GElf_Shdr *ret_header);
/* The section's name, "" if it has none. */
const char *object_file_section_name(Elf *elf, const GElf_Shdr *header);

/* The name that libbpf would derive from the file's: it prefixes the maps of global data. */
void object_file_name(const char *path, char *name, size_t size);

#endif
