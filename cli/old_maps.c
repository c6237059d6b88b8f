/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See old_maps.h. The object is copied, and gets new sections behind its end: .maps, BTF, names and
 * the section table. Each map has MAP_ROOM bytes in .maps, and its symbol says which; the numbers
 * are in the BTF. Everything read from the file is checked, for it is anybody's.
 */
#include "old_maps.h"

#include <elf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>

#define MAPS_MAX    256
#define MAP_ROOM    64u /* bytes in .maps, more than a definition in BTF has */
#define FLAGS_AT    16u /* of definitions that have them */
#define TC_SIZE	    36u /* of iproute2's: then id, pinning, inner_id, inner_idx */
#define TC_ID_AT    20u
#define TC_INNER_AT 28u

/* The numbers of a definition, in their order. */
static const char *const member_names[] = { "type", "key_size", "value_size", "max_entries",
					    "map_flags" };

enum { NR_MEMBERS = 5 };

struct old_map {
	const char *name;
	Elf64_Word section;
	Elf64_Addr at; /* in its section */
	uint32_t numbers[NR_MEMBERS];
	uint32_t id, inner_id; /* iproute2's way to name the map that others are like; 0: none */
	int definition;	       /* its structure in the BTF; 0: not there yet */
};

struct old_object {
	struct object_file *file;
	Elf64_Ehdr header;
	Elf64_Shdr *sections, *symbols; /* the table; the section with symbols */
	struct old_map maps[MAPS_MAX];
	int nr_maps;
	unsigned first, btf_section; /* the first section of maps; that with BTF, 0: none */
	bool several;		     /* there are more than one */
	struct btf *btf;
};

static char *bytes_of(const struct old_object *object, const Elf64_Shdr *section)
{
	return (char *)object->file->data + section->sh_offset;
}

/* A string of section `table`, if it ends there; else "". */
static const char *string_at(const struct old_object *object, unsigned table, size_t at)
{
	const Elf64_Shdr *strings = &object->sections[table];

	if (table >= object->header.e_shnum || strings->sh_type != SHT_STRTAB ||
	    at >= strings->sh_size ||
	    !memchr(bytes_of(object, strings) + at, '\0', strings->sh_size - at))
		return "";
	return bytes_of(object, strings) + at;
}

static const char *section_name(const struct old_object *object, unsigned section)
{
	return string_at(object, object->header.e_shstrndx, object->sections[section].sh_name);
}

static bool has_maps(const struct old_object *object, unsigned section)
{
	const char *name = section < object->header.e_shnum ? section_name(object, section) : "";

	return object->sections[section < object->header.e_shnum ? section : 0].sh_type ==
		       SHT_PROGBITS &&
	       (!strcmp(name, "maps") || !strncmp(name, "maps/", 5));
}

static void find_sections(struct old_object *object)
{
	for (unsigned i = 1; i < object->header.e_shnum; i++) {
		if (object->sections[i].sh_type == SHT_SYMTAB)
			object->symbols = &object->sections[i];
		if (object->sections[i].sh_type == SHT_PROGBITS &&
		    !strcmp(section_name(object, i), ".BTF"))
			object->btf_section = i;
		if (!has_maps(object, i))
			continue;
		object->several = object->several || object->first ||
				  strcmp(section_name(object, i), "maps") != 0;
		object->first = object->first ? object->first : i;
	}
}

static size_t nr_symbols(const struct old_object *object)
{
	return object->symbols->sh_size / sizeof(Elf64_Sym);
}

static Elf64_Sym symbol_at(const struct old_object *object, size_t i)
{
	Elf64_Sym symbol;

	memcpy(&symbol, bytes_of(object, object->symbols) + i * sizeof(symbol), sizeof(symbol));
	return symbol;
}

static bool is_map(const struct old_object *object, const Elf64_Sym *symbol)
{
	unsigned type = ELF64_ST_TYPE(symbol->st_info);

	return (type == STT_OBJECT || type == STT_NOTYPE) && has_maps(object, symbol->st_shndx) &&
	       *string_at(object, object->symbols->sh_link, symbol->st_name) &&
	       symbol->st_value < object->sections[symbol->st_shndx].sh_size;
}

static uint32_t number_at(const char *definition, size_t size, size_t at)
{
	uint32_t number = 0;

	if (at + sizeof(number) <= size)
		memcpy(&number, definition + at, sizeof(number));
	return number;
}

/* How far the definition at a place goes: to the next one. */
static size_t definition_size(const struct old_object *object, const Elf64_Sym *of)
{
	size_t end = object->sections[of->st_shndx].sh_size;

	for (size_t i = 0; i < nr_symbols(object); i++) {
		Elf64_Sym symbol = symbol_at(object, i);

		if (is_map(object, &symbol) && symbol.st_shndx == of->st_shndx &&
		    symbol.st_value > of->st_value && symbol.st_value < end)
			end = symbol.st_value;
	}
	return end - of->st_value;
}

static bool read_maps(struct old_object *object)
{
	for (size_t i = 0; i < nr_symbols(object); i++) {
		Elf64_Sym symbol = symbol_at(object, i);
		struct old_map *map = &object->maps[object->nr_maps];
		const char *definition;
		size_t size;

		if (!is_map(object, &symbol))
			continue;
		if (object->nr_maps == MAPS_MAX)
			return false;
		size = definition_size(object, &symbol);
		if (size < FLAGS_AT)
			return false;
		definition = bytes_of(object, &object->sections[symbol.st_shndx]) + symbol.st_value;
		*map = (struct old_map){
			.name = string_at(object, object->symbols->sh_link, symbol.st_name),
			.section = symbol.st_shndx,
			.at = symbol.st_value,
		};
		for (size_t m = 0; m < NR_MEMBERS; m++)
			map->numbers[m] = number_at(definition, size, m * sizeof(uint32_t));
		if (size == TC_SIZE) {
			map->id = number_at(definition, size, TC_ID_AT);
			map->inner_id = number_at(definition, size, TC_INNER_AT);
		}
		object->nr_maps++;
	}
	return object->nr_maps;
}

/* The symbols name places in .maps, and its section. */
static void move_symbols(const struct old_object *object)
{
	for (size_t i = 0; i < nr_symbols(object); i++) {
		Elf64_Sym symbol = symbol_at(object, i);

		if (!is_map(object, &symbol))
			continue;
		for (int m = 0; m < object->nr_maps; m++)
			if (object->maps[m].section == symbol.st_shndx &&
			    object->maps[m].at == symbol.st_value) {
				symbol.st_value = (Elf64_Addr)m * MAP_ROOM;
				break;
			}
		symbol.st_size = MAP_ROOM;
		symbol.st_shndx = (Elf64_Section)object->first;
		symbol.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT);
		memcpy(bytes_of(object, object->symbols) + i * sizeof(symbol), &symbol,
		       sizeof(symbol));
	}
}

/* A pointer to an array of that many: how BTF definitions say a number. Its type, or -errno. */
static int number_type(struct btf *btf, uint32_t number)
{
	int integer = btf__find_by_name_kind(btf, "int", BTF_KIND_INT), array;

	if (integer < 0)
		integer = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	array = btf__add_array(btf, integer, integer, number);
	return array < 0 ? array : btf__add_ptr(btf, array);
}

static bool holds_maps(const struct old_map *map)
{
	return map->numbers[0] == BPF_MAP_TYPE_ARRAY_OF_MAPS ||
	       map->numbers[0] == BPF_MAP_TYPE_HASH_OF_MAPS;
}

/* What the maps in this one are like: the definition; an array of one number if nothing says so. */
static struct old_map *inner_of(struct old_object *object, const struct old_map *map)
{
	static struct old_map any;

	for (int i = 0; i < object->nr_maps; i++)
		if (map->inner_id && object->maps[i].id == map->inner_id &&
		    !holds_maps(&object->maps[i]))
			return &object->maps[i];
	any = (struct old_map){ .numbers = { BPF_MAP_TYPE_ARRAY, 4, 4, 1 } };
	return &any;
}

/* Adds the structure that defines the map: its id, or -errno. */
static int define(struct old_object *object, struct old_map *map)
{
	int types[NR_MEMBERS], values = 0, id;
	uint32_t nr_members = NR_MEMBERS + holds_maps(map);

	if (map->definition)
		return map->definition;
	for (int m = 0; m < NR_MEMBERS; m++) {
		types[m] = number_type(object->btf, map->numbers[m]);
		if (types[m] < 0)
			return types[m];
	}
	if (holds_maps(map)) {
		values = define(object, inner_of(object, map));
		values = values < 0 ? values : btf__add_ptr(object->btf, values);
		/* The index's type is the one that the first number's array has. */
		if (values >= 0)
			values = btf__add_array(
				object->btf,
				btf__find_by_name_kind(object->btf, "int", BTF_KIND_INT), values,
				0);
		if (values < 0)
			return values;
	}
	id = btf__add_struct(object->btf, NULL, nr_members * 8 - (values ? 8 : 0));
	for (uint32_t m = 0; id > 0 && m < NR_MEMBERS; m++)
		if (btf__add_field(object->btf, member_names[m], types[m], m * 64, 0))
			return -1;
	if (values && btf__add_field(object->btf, "values", values, NR_MEMBERS * 64, 0))
		return -1;
	map->definition = id;
	return id;
}

static struct btf_type *type_of(struct btf *btf, int id)
{
	return (struct btf_type *)btf__type_by_id(btf, (unsigned)id);
}

/* The object's variable of that name in the section of maps; 0: it has none. */
static int variable(struct old_object *object, const char *name)
{
	int id = btf__find_by_name_kind(object->btf, name, BTF_KIND_VAR);

	return id > 0 ? id : 0;
}

/* Each map a variable, whose type is its definition. */
static bool add_variables(struct old_object *object, int *variables)
{
	for (int i = 0; i < object->nr_maps; i++) {
		struct old_map *map = &object->maps[i];
		int definition = define(object, map), id;

		if (definition <= 0)
			return false;
		id = variable(object, map->name);
		if (id) {
			type_of(object->btf, id)->type = (unsigned)definition;
			btf_var(type_of(object->btf, id))->linkage = BTF_VAR_GLOBAL_ALLOCATED;
		} else {
			id = btf__add_var(object->btf, map->name, BTF_VAR_GLOBAL_ALLOCATED,
					  definition);
		}
		if (id <= 0)
			return false;
		variables[i] = id;
	}
	return true;
}

/* The old section of variables stands for nothing that is still there. */
static bool retire_old_section(struct btf *btf)
{
	int id = btf__find_by_name_kind(btf, "maps", BTF_KIND_DATASEC), integer;

	if (id <= 0)
		return true;
	integer = btf__find_by_name_kind(btf, "int", BTF_KIND_INT);
	/* It keeps its length: a structure with a member for each variable. */
	for (unsigned i = 0; i < btf_vlen(type_of(btf, id)); i++) {
		struct btf_member *member = &btf_members(type_of(btf, id))[i];

		*member = (struct btf_member){ .type = (unsigned)integer, .offset = i * 32 };
	}
	type_of(btf, id)->size = btf_vlen(type_of(btf, id)) * 4;
	type_of(btf, id)->info = BTF_KIND_STRUCT << 24 | btf_vlen(type_of(btf, id));
	return integer > 0;
}

static bool make_btf(struct old_object *object)
{
	const Elf64_Shdr *own = &object->sections[object->btf_section];
	int variables[MAPS_MAX], section;

	/* Of several sections the variables would have to be sorted anew. */
	object->btf = object->btf_section && !object->several
			      ? btf__new(bytes_of(object, own), (unsigned)own->sh_size)
			      : btf__new_empty();
	if (libbpf_get_error(object->btf)) {
		object->btf = NULL;
		return false;
	}
	if (!add_variables(object, variables) || !retire_old_section(object->btf))
		return false;
	section = btf__add_datasec(object->btf, ".maps", (unsigned)object->nr_maps * MAP_ROOM);
	for (int i = 0; section > 0 && i < object->nr_maps; i++)
		if (btf__add_datasec_var_info(object->btf, variables[i], (unsigned)i * MAP_ROOM,
					      MAP_ROOM))
			return false;
	return section > 0;
}

/* A new file: the old one, then what is new. Its section table has room for one more. */
struct writer {
	char *data;
	size_t size, used;
};

static void append(struct writer *writer, Elf64_Shdr *section, const void *data, size_t size)
{
	writer->used = (writer->used + 7) & ~(size_t)7;
	section->sh_offset = writer->used;
	section->sh_size = size;
	section->sh_type = SHT_PROGBITS;
	if (data)
		memcpy(writer->data + writer->used, data, size);
	writer->used += size;
}

static void drop(struct old_object *object, const char *name)
{
	for (unsigned i = 1; i < object->header.e_shnum; i++)
		if (!strcmp(section_name(object, i), name))
			object->sections[i].sh_type = SHT_NULL;
}

/* Writes the new file; the sections of the table and the header are changed on the way. */
static void write_sections(struct old_object *object, struct writer *writer, const void *btf,
			   unsigned btf_size)
{
	static const char added[] = ".maps\0.BTF";
	Elf64_Shdr *sections = object->sections, *names = &sections[object->header.e_shstrndx];
	size_t old_names = names->sh_size;
	char *text = malloc(old_names + sizeof(added));

	if (!text)
		return;
	memcpy(text, bytes_of(object, names), old_names);
	memcpy(text + old_names, added, sizeof(added));
	if (object->several) {
		drop(object, ".BTF.ext");
		drop(object, ".rel.BTF.ext");
		drop(object, ".rel.BTF");
		for (unsigned i = object->first + 1; i < object->header.e_shnum; i++)
			if (has_maps(object, i))
				sections[i].sh_type = SHT_NULL;
	}
	if (!object->btf_section)
		object->btf_section = object->header.e_shnum++;
	sections[object->btf_section].sh_name = (Elf64_Word)(old_names + sizeof(".maps"));
	sections[object->btf_section].sh_addralign = 8;
	append(writer, &sections[object->btf_section], btf, btf_size);
	sections[object->first].sh_name = (Elf64_Word)old_names;
	append(writer, &sections[object->first], NULL, (size_t)object->nr_maps * MAP_ROOM);
	append(writer, names, text, old_names + sizeof(added));
	names->sh_type = SHT_STRTAB;
	free(text);
	writer->used = (writer->used + 7) & ~(size_t)7;
	object->header.e_shoff = writer->used;
	memcpy(writer->data + writer->used, sections, object->header.e_shnum * sizeof(Elf64_Shdr));
	writer->used += object->header.e_shnum * sizeof(Elf64_Shdr);
	memcpy(writer->data, &object->header, sizeof(object->header));
}

static void write_file(struct old_object *object)
{
	unsigned btf_size;
	const void *btf = btf__raw_data(object->btf, &btf_size);
	size_t tables = (object->header.e_shnum + 1u) * sizeof(Elf64_Shdr) +
			object->sections[object->header.e_shstrndx].sh_size;
	struct writer writer = { .used = object->file->size };

	writer.size =
		object->file->size + btf_size + (size_t)object->nr_maps * MAP_ROOM + tables + 256;
	writer.data = btf ? mmap(NULL, writer.size, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
			  : MAP_FAILED;
	if (writer.data == MAP_FAILED)
		return;
	move_symbols(object);
	memcpy(writer.data, object->file->data, object->file->size);
	write_sections(object, &writer, btf, btf_size);
	munmap(object->file->data, object->file->size);
	*object->file = (struct object_file){ .data = writer.data, .size = writer.size };
}

void old_maps_renew(struct object_file *file)
{
	struct old_object *object = calloc(1, sizeof(*object));

	if (!object)
		return;
	object->file = file;
	memcpy(&object->header, file->data, sizeof(object->header));
	object->sections = calloc(object->header.e_shnum + 1u, sizeof(Elf64_Shdr));
	if (object->sections && object->header.e_shstrndx < object->header.e_shnum &&
	    object->header.e_shnum < SHN_LORESERVE) {
		memcpy(object->sections, (char *)file->data + object->header.e_shoff,
		       object->header.e_shnum * sizeof(Elf64_Shdr));
		find_sections(object);
		if (object->first && object->symbols && read_maps(object) && make_btf(object))
			write_file(object);
	}
	btf__free(object->btf);
	free(object->sections);
	free(object);
}
