/* SPDX-License-Identifier: BSD-2-Clause */
/* skep run: programs of SEC("iter/..."), whose text is printed at the end of a run. */
#ifndef SKEP_CLI_ITERATORS_H
#define SKEP_CLI_ITERATORS_H

#include <stdbool.h>

struct bpf_link;
struct bpf_map;
struct bpf_object;
struct bpf_program;

/* Is it a program of an iterator? */
bool iterator_is(const struct bpf_program *program);

/*
 * Attaches it: one over a map's elements walks over map, or, if that is NULL, over the object's
 * only one. NULL and errno, EINVAL after saying that nobody knows which map.
 */
struct bpf_link *iterator_attach(const struct bpf_program *program, struct bpf_object *object,
				 struct bpf_map *map);

/* Prints what the walk gives, as it is or as a JSON object. 0, or 1 after saying what is wrong. */
int iterator_print(const struct bpf_program *program, const struct bpf_link *link, bool json);

#endif
