/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside the comparison: what a call was about, and the rules of explained differences. */
#ifndef SKEP_DIFF_BPF_COMPARE_H
#define SKEP_DIFF_BPF_COMPARE_H

#include "pair.h"

/* The attributes as far as the call gave them; good until the next call. */
const union abi_attr *op_attr(const struct op *op);
/* What stands behind a descriptor; one of nothing if fd is none of ours. */
const struct slot *slot_at(const struct pair *pair, u32 fd);
/* Is the order of this type's keys each side's own? */
bool type_unordered(u32 type);
bool op_is_batch(const struct op *op);
/* The map that a call on elements works on. */
const struct slot *op_map(const struct pair *pair, const struct op *op);

/*
 * Is this difference one of the explained? Each rule says exactly what may differ; what it cannot
 * see from the results alone it asks both sides again.
 */
bool explain(struct pair *pair, const struct op *op, const struct outcome *outcome);

/* The rules about PROG_LOAD and BTF_LOAD (explain_load.c): each is asked about a load only. */

/* The same verdict in logs that differ by addresses, the time taken, and the words of 6.1. */
bool load_own_words(struct pair *pair, const struct op *op, const struct outcome *outcome);
/* A log without room where it lies, into which the kernel writes what it takes back. */
bool load_half_log(struct pair *pair, const struct op *op, const struct outcome *outcome);
/* The same of BTF_LOAD: the kernel writes until it meets what is not there. */
bool btf_half_log(struct pair *pair, const struct op *op, const struct outcome *outcome);
/* skep refuses, with a certain sentence, what the kernel goes on with: the same log up to there. */
bool load_refused(struct pair *pair, const struct op *op, const struct outcome *outcome);
/* The kernel of the test machine does not let programs watch it. */
bool load_forbidden(struct pair *pair, const struct op *op, const struct outcome *outcome);

#endif
