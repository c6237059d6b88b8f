/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps of old style (old_maps.h) as variables of section .maps, whose types say in BTF what the old
 * definitions said in numbers.
 */
#ifndef SKEP_CLI_OLD_MAPS_BTF_H
#define SKEP_CLI_OLD_MAPS_BTF_H

#include <gelf.h>
#include <stdbool.h>
#include <stdint.h>
#include <bpf/btf.h>

#define OLD_MAPS_MAX  256
#define OLD_MAPS_ROOM 64u /* bytes of a map in .maps, more than a definition in BTF has */

enum { OLD_MAP_NUMBERS = 5 }; /* type, key_size, value_size, max_entries, map_flags */

struct old_map {
	const char *name;
	size_t section;
	GElf_Addr at; /* in its section */
	uint32_t numbers[OLD_MAP_NUMBERS];
	uint32_t id, inner_id; /* iproute2's way to name the map that others are like; 0: none */
	int definition;	       /* its structure in the BTF; 0: not there yet */
};

/* Adds the maps, one behind the other, to the object's BTF; false: it does not go. */
bool old_maps_describe(struct btf *btf, struct old_map *maps, int nr);

#endif
