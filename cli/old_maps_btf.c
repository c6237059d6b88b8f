/* SPDX-License-Identifier: BSD-2-Clause */
/* See old_maps_btf.h. */
#include "old_maps_btf.h"

#include <stdbool.h>
#include <string.h>
#include <linux/bpf.h>

/* The numbers of a definition, in their order. */
static const char *const member_names[] = { "type", "key_size", "value_size", "max_entries",
					    "map_flags" };

struct described {
	struct btf *btf;
	struct old_map *maps;
	int nr;
};

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
static struct old_map *inner_of(const struct described *described, const struct old_map *map)
{
	static struct old_map any;

	for (int i = 0; i < described->nr; i++)
		if (map->inner_id && described->maps[i].id == map->inner_id &&
		    !holds_maps(&described->maps[i]))
			return &described->maps[i];
	any = (struct old_map){ .numbers = { BPF_MAP_TYPE_ARRAY, 4, 4, 1 } };
	return &any;
}

/* Adds the structure that defines the map: its id, or -errno. */
static int define(const struct described *described, struct old_map *map)
{
	int types[OLD_MAP_NUMBERS], values = 0, id;
	uint32_t nr_members = OLD_MAP_NUMBERS + holds_maps(map);

	if (map->definition)
		return map->definition;
	for (int m = 0; m < OLD_MAP_NUMBERS; m++) {
		types[m] = number_type(described->btf, map->numbers[m]);
		if (types[m] < 0)
			return types[m];
	}
	if (holds_maps(map)) {
		values = define(described, inner_of(described, map));
		values = values < 0 ? values : btf__add_ptr(described->btf, values);
		/* The index's type is the one that the first number's array has. */
		if (values >= 0)
			values = btf__add_array(
				described->btf,
				btf__find_by_name_kind(described->btf, "int", BTF_KIND_INT), values,
				0);
		if (values < 0)
			return values;
	}
	id = btf__add_struct(described->btf, NULL, nr_members * 8 - (values ? 8 : 0));
	for (uint32_t m = 0; id > 0 && m < OLD_MAP_NUMBERS; m++)
		if (btf__add_field(described->btf, member_names[m], types[m], m * 64, 0))
			return -1;
	if (values && btf__add_field(described->btf, "values", values, OLD_MAP_NUMBERS * 64, 0))
		return -1;
	map->definition = id;
	return id;
}

static struct btf_type *type_of(struct btf *btf, int id)
{
	return (struct btf_type *)btf__type_by_id(btf, (unsigned)id);
}

/* Each map a variable, whose type is its definition. */
static bool add_variables(const struct described *described, int *variables)
{
	for (int i = 0; i < described->nr; i++) {
		struct old_map *map = &described->maps[i];
		int definition = define(described, map), id;

		if (definition <= 0)
			return false;
		id = btf__find_by_name_kind(described->btf, map->name, BTF_KIND_VAR);
		if (id > 0) {
			type_of(described->btf, id)->type = (unsigned)definition;
			btf_var(type_of(described->btf, id))->linkage = BTF_VAR_GLOBAL_ALLOCATED;
		} else {
			id = btf__add_var(described->btf, map->name, BTF_VAR_GLOBAL_ALLOCATED,
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

bool old_maps_describe(struct btf *btf, struct old_map *maps, int nr)
{
	const struct described described = { btf, maps, nr };
	int variables[OLD_MAPS_MAX], section;

	if (!add_variables(&described, variables) || !retire_old_section(btf))
		return false;
	section = btf__add_datasec(btf, ".maps", (unsigned)nr * OLD_MAPS_ROOM);
	for (int i = 0; section > 0 && i < nr; i++)
		if (btf__add_datasec_var_info(btf, variables[i], (unsigned)i * OLD_MAPS_ROOM,
					      OLD_MAPS_ROOM))
			return false;
	return section > 0;
}
