/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Format strings of bpf_snprintf(), checked when the program is loaded.
 */
#ifndef SKEP_VERIFY_FORMAT_H
#define SKEP_VERIFY_FORMAT_H

#include "base/types.h"

/* Is the NUL-terminated format good for nr_args arguments (kernel/bpf/helpers.c,
 * bpf_bprintf_prepare)? */
bool format_check(const char *format, u64 nr_args);

#endif
