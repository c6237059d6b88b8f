/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a program's BTF says about it: functions (func_info) and source lines (line_info).
 */
#ifndef SKEP_VERIFY_BTF_INFO_H
#define SKEP_VERIFY_BTF_INFO_H

#include "verify/env.h"

/* Copies and checks func_info, before subprograms are known. 0 or -errno. */
int btf_info_read_funcs(struct verify_env *env);

/* func_info and line_info against the subprograms found; names and linkage of subprograms. */
int btf_info_check(struct verify_env *env);

/* A string of the program's BTF; "" if there is none. */
const char *btf_info_string(const struct verify_env *env, u32 offset);

#endif
