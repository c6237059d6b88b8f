/* SPDX-License-Identifier: BSD-2-Clause */
/* Small programs and BTF blobs for the grammar. */
#ifndef SKEP_DIFF_BPF_PROGRAMS_H
#define SKEP_DIFF_BPF_PROGRAMS_H

#include "pair.h"

/* Writes a program at AT_INSNS; its number of instructions. */
u32 program_make(const struct pair *pair, struct op *op);
/* Writes BTF at AT_BTF; its size. */
u32 program_btf(struct op *op);

#endif
