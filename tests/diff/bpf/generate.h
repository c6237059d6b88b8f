/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside the grammar: chance, and the good calls (calls.c) that generate.c spoils. */
#ifndef SKEP_DIFF_BPF_GENERATE_H
#define SKEP_DIFF_BPF_GENERATE_H

#include "pair.h"

u32 draw(u32 below);
bool one_in(u32 n);
/* An address in the client's memory. */
u64 at(u32 offset);
union abi_attr *attr_of(struct op *op);
void put(struct op *op, u32 offset, const void *data, u32 size);
/* A descriptor of such a thing, if there is any; otherwise one that is closed or another file. */
u32 some_fd(const struct pair *pair, enum thing thing);
/* Do both sides have maps of this type? */
bool generate_has_map(u32 type);
bool generate_has_prog(u32 type);

/* A good call for what is there. */
void generate_call(struct pair *pair, struct op *op);
/* A good MAP_CREATE. */
void generate_map(union abi_attr *attr, u32 type);

#endif
