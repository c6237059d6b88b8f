/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See old_maps.h. libelf changes a copy of the object: the first section of maps becomes .maps, and
 * there is BTF. Each map has OLD_MAPS_ROOM bytes in .maps, and its symbol says which; the numbers
 * are in the BTF. The file is anybody's: libelf looks at what lies where, and what it finds wrong
 * ends the attempt.
 */
#include "old_maps.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "old_maps_btf.h"

#define FLAGS_AT    16u /* of definitions that have them */
#define TC_SIZE	    36u /* of iproute2's: then id, pinning, inner_id, inner_idx */
#define TC_ID_AT    20u
#define TC_INNER_AT 28u

struct old_object {
	Elf *elf;
	Elf_Data *symbols;
	int nr_symbols;
	size_t symbol_names; /* the section with their names */
	struct old_map maps[OLD_MAPS_MAX];
	int nr_maps;
	size_t first, btf_section; /* the first section of maps; that with BTF, 0: none */
	bool several;		   /* there are more than one */
	struct btf *btf;
	Elf_Data *section_names;
	char *names; /* the new ones */
};

static bool is_maps(Elf *elf, const GElf_Shdr *header)
{
	const char *name = object_file_section_name(elf, header);

	return header->sh_type == SHT_PROGBITS &&
	       (!strcmp(name, "maps") || !strncmp(name, "maps/", 5));
}

static void find_sections(struct old_object *object)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;
	size_t names = 0;

	elf_getshdrstrndx(object->elf, &names);
	while ((section = elf_nextscn(object->elf, section)) && gelf_getshdr(section, &header)) {
		const char *name = object_file_section_name(object->elf, &header);

		if (elf_ndxscn(section) == names)
			object->section_names = elf_getdata(section, NULL);
		if (header.sh_type == SHT_SYMTAB) {
			object->symbols = elf_getdata(section, NULL);
			object->symbol_names = header.sh_link;
		}
		if (header.sh_type == SHT_PROGBITS && !strcmp(name, ".BTF"))
			object->btf_section = elf_ndxscn(section);
		if (!is_maps(object->elf, &header))
			continue;
		object->several = object->several || object->first || strcmp(name, "maps") != 0;
		object->first = object->first ? object->first : elf_ndxscn(section);
	}
	if (object->symbols && object->symbols->d_size / sizeof(Elf64_Sym) <= INT32_MAX)
		object->nr_symbols = (int)(object->symbols->d_size / sizeof(Elf64_Sym));
}

/* The ith symbol, if it names a place in a section of maps. */
static bool map_symbol(const struct old_object *object, int i, GElf_Sym *ret_symbol)
{
	GElf_Shdr header;
	const char *name;
	unsigned type;

	if (!gelf_getsym(object->symbols, i, ret_symbol))
		return false;
	type = GELF_ST_TYPE(ret_symbol->st_info);
	if ((type != STT_OBJECT && type != STT_NOTYPE) ||
	    !object_file_section(object->elf, ret_symbol->st_shndx, &header) ||
	    !is_maps(object->elf, &header) || ret_symbol->st_value >= header.sh_size)
		return false;
	name = elf_strptr(object->elf, object->symbol_names, ret_symbol->st_name);
	return name && *name;
}

static uint32_t number_at(const char *definition, size_t size, size_t at)
{
	uint32_t number = 0;

	if (at + sizeof(number) <= size)
		memcpy(&number, definition + at, sizeof(number));
	return number;
}

/* How far the definition at a place of a section goes that ends there: to the next one. */
static size_t definition_size(const struct old_object *object, const GElf_Sym *of, size_t end)
{
	GElf_Sym symbol;

	for (int i = 0; i < object->nr_symbols; i++)
		if (map_symbol(object, i, &symbol) && symbol.st_shndx == of->st_shndx &&
		    symbol.st_value > of->st_value && symbol.st_value < end)
			end = symbol.st_value;
	return end - of->st_value;
}

static bool read_map(struct old_object *object, const GElf_Sym *symbol)
{
	const Elf_Data *data = elf_rawdata(elf_getscn(object->elf, symbol->st_shndx), NULL);
	struct old_map *map = &object->maps[object->nr_maps];
	const char *definition;
	size_t size;

	if (object->nr_maps == OLD_MAPS_MAX || !data || !data->d_buf ||
	    symbol->st_value >= data->d_size)
		return false;
	size = definition_size(object, symbol, data->d_size);
	if (size < FLAGS_AT)
		return false;
	definition = (const char *)data->d_buf + symbol->st_value;
	*map = (struct old_map){
		.name = elf_strptr(object->elf, object->symbol_names, symbol->st_name),
		.section = symbol->st_shndx,
		.at = symbol->st_value,
	};
	for (size_t m = 0; m < OLD_MAP_NUMBERS; m++)
		map->numbers[m] = number_at(definition, size, m * sizeof(uint32_t));
	if (size == TC_SIZE) {
		map->id = number_at(definition, size, TC_ID_AT);
		map->inner_id = number_at(definition, size, TC_INNER_AT);
	}
	object->nr_maps++;
	return true;
}

static bool read_maps(struct old_object *object)
{
	GElf_Sym symbol;

	for (int i = 0; i < object->nr_symbols; i++)
		if (map_symbol(object, i, &symbol) && !read_map(object, &symbol))
			return false;
	return object->nr_maps;
}

/* The symbols name places in .maps, and its section. */
static bool move_symbols(const struct old_object *object)
{
	GElf_Sym symbol;

	for (int i = 0; i < object->nr_symbols; i++) {
		if (!map_symbol(object, i, &symbol))
			continue;
		for (int m = 0; m < object->nr_maps; m++)
			if (object->maps[m].section == symbol.st_shndx &&
			    object->maps[m].at == symbol.st_value) {
				symbol.st_value = (GElf_Addr)m * OLD_MAPS_ROOM;
				break;
			}
		symbol.st_size = OLD_MAPS_ROOM;
		symbol.st_shndx = (Elf64_Section)object->first;
		symbol.st_info = GELF_ST_INFO(STB_GLOBAL, STT_OBJECT);
		if (!gelf_update_sym(object->symbols, i, &symbol))
			return false;
	}
	return true;
}

/* libelf reads this when it writes the file. */
static bool put_content(Elf_Data *data, const void *content, size_t size)
{
	if (!data)
		return false;
	data->d_buf = (void *)content;
	data->d_size = size;
	return elf_flagdata(data, ELF_C_SET, ELF_F_DIRTY);
}

static bool put_section(Elf_Scn *section, size_t name, const void *content, size_t size)
{
	GElf_Shdr header;

	if (!gelf_getshdr(section, &header))
		return false;
	header.sh_name = (Elf64_Word)name;
	header.sh_type = SHT_PROGBITS;
	return gelf_update_shdr(section, &header) &&
	       put_content(elf_getdata(section, NULL), content, size);
}

/* Of several sections of maps the others go, and what does not fit the new BTF. */
static bool drop_sections(const struct old_object *object)
{
	static const char *const dropped[] = { ".BTF.ext", ".rel.BTF.ext", ".rel.BTF" };
	Elf_Scn *section = NULL;
	GElf_Shdr header;

	while ((section = elf_nextscn(object->elf, section)) && gelf_getshdr(section, &header)) {
		const char *name = object_file_section_name(object->elf, &header);
		bool drop = is_maps(object->elf, &header) && elf_ndxscn(section) != object->first;

		for (size_t i = 0; i < sizeof(dropped) / sizeof(dropped[0]); i++)
			drop = drop || !strcmp(name, dropped[i]);
		header.sh_type = SHT_NULL;
		if (drop && !gelf_update_shdr(section, &header))
			return false;
	}
	return true;
}

/* The object's own BTF, or new one, with the maps. */
static bool make_btf(struct old_object *object)
{
	/* Of several sections the variables would have to be sorted anew. */
	bool own = object->btf_section && !object->several;
	const Elf_Data *data = elf_rawdata(elf_getscn(object->elf, object->btf_section), NULL);

	if (own && !data)
		return false;
	object->btf = own ? btf__new(data->d_buf, (unsigned)data->d_size) : btf__new_empty();
	return object->btf && old_maps_describe(object->btf, object->maps, object->nr_maps);
}

/* Nothing is asked by a section's name any more when it gets new ones. */
static bool change(struct old_object *object)
{
	static const char added[] = ".maps\0.BTF", room[OLD_MAPS_MAX * OLD_MAPS_ROOM];
	Elf_Scn *maps = elf_getscn(object->elf, object->first);
	Elf_Scn *btf = elf_getscn(object->elf, object->btf_section);
	size_t old_names = object->section_names->d_size;
	unsigned size;
	const void *raw = btf__raw_data(object->btf, &size);

	object->names = malloc(old_names + sizeof(added));
	if (!raw || !object->names || !move_symbols(object) ||
	    (object->several && !drop_sections(object)))
		return false;
	memcpy(object->names, object->section_names->d_buf, old_names);
	memcpy(object->names + old_names, added, sizeof(added));
	if (!object->btf_section) {
		btf = elf_newscn(object->elf);
		elf_newdata(btf);
	}
	return put_section(maps, old_names, room, (size_t)object->nr_maps * OLD_MAPS_ROOM) &&
	       put_section(btf, old_names + sizeof(".maps"), raw, size) &&
	       put_content(object->section_names, object->names, old_names + sizeof(added));
}

/* libelf lays the sections out anew: they fit into twice the file, or lie one over the other. */
static bool load_sections(Elf *elf, size_t file_size)
{
	Elf_Scn *section = NULL;
	size_t sum = 0;
	GElf_Shdr header;
	Elf_Data *data;

	while ((section = elf_nextscn(elf, section)) && gelf_getshdr(section, &header)) {
		if (header.sh_type == SHT_NULL)
			header.sh_size = 0;
		if (header.sh_type != SHT_NOBITS && header.sh_size > 2 * file_size - sum)
			return false;
		if (header.sh_type != SHT_NOBITS)
			sum += header.sh_size;
		/* Whatever the file asks for would be filled. */
		header.sh_addralign = 8;
		if (!gelf_update_shdr(section, &header))
			return false;
		data = elf_getdata(section, NULL);
		if (data)
			data->d_align = 1;
		else if (header.sh_type != SHT_NULL)
			return false;
	}
	return true;
}

/* Changes the object in this file. */
static bool renew(int fd, size_t file_size)
{
	struct old_object *object = calloc(1, sizeof(*object));
	bool done = false;

	if (!object)
		return false;
	object->elf = elf_begin(fd, ELF_C_RDWR, NULL);
	if (object->elf && load_sections(object->elf, file_size)) {
		find_sections(object);
		done = object->first && object->symbols && read_maps(object) && make_btf(object) &&
		       change(object) && elf_update(object->elf, ELF_C_WRITE) > 0;
	}
	elf_end(object->elf);
	btf__free(object->btf);
	free(object->names);
	free(object);
	return done;
}

static bool has_old_maps(const struct object_file *file)
{
	Elf *elf = object_file_elf(file);
	Elf_Scn *section = NULL;
	GElf_Shdr header;
	bool found = false;

	while (!found && (section = elf_nextscn(elf, section)) && gelf_getshdr(section, &header))
		found = is_maps(elf, &header);
	elf_end(elf);
	return found;
}

void old_maps_renew(struct object_file *file)
{
	struct object_file new;
	int fd;

	if (!has_old_maps(file))
		return;
	fd = memfd_create("object", MFD_CLOEXEC);
	if (fd < 0)
		return;
	if (write(fd, file->data, file->size) == (ssize_t)file->size && renew(fd, file->size) &&
	    !object_file_map(fd, &new)) {
		object_file_unmap(file);
		*file = new;
	}
	close(fd);
}
