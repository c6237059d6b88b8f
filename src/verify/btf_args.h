/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which pointer arguments of tracepoints may be null or an error number (Linux 6.18,
 * kernel/bpf/btf.c): all others are taken to be valid.
 */
#ifndef SKEP_VERIFY_BTF_ARGS_H
#define SKEP_VERIFY_BTF_ARGS_H

#include "base/types.h"

#define BTF_ARG_MAYBE_NULL  1u
#define BTF_ARG_MAYBE_ERROR 2u

/* BTF_ARG_* of argument number arg (from 0) of the tracepoint. */
u32 btf_args_of_tracepoint(const char *name, u32 arg);

#endif
