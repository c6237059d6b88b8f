/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an iterator's program writes: the kernel's seq_file as far as bpf_seq_printf() and
 * bpf_seq_write() see it. count == size says that something did not fit.
 */
#ifndef SKEP_RT_SEQ_H
#define SKEP_RT_SEQ_H

#include "base/types.h"

struct rt_seq {
	u8 *buffer;
	u32 size, count;
};

static inline bool rt_seq_overflowed(const struct rt_seq *seq)
{
	return seq->count == seq->size;
}

#endif
