/* SPDX-License-Identifier: BSD-2-Clause */
/* skep run --map: the entries of a map at the end of a run. */
#ifndef SKEP_CLI_MAP_PRINT_H
#define SKEP_CLI_MAP_PRINT_H

#include <stdbool.h>

struct bpf_map;
struct btf;

/*
 * Prints every entry on a line of its own, `NAME[KEY] = VALUE` or a JSON object. btf: the object
 * file's, may be NULL. 0, or 1 after saying what is wrong.
 */
int map_print(const struct bpf_map *map, const struct btf *btf, bool json);

#endif
