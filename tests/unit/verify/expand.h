/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Texts of cases with places that the running kernel's BTF fills in.
 */
#ifndef SKEP_TESTS_VERIFY_EXPAND_H
#define SKEP_TESTS_VERIFY_EXPAND_H

struct btf;

/*
 * The text with an offset for {struct.member}, an id for {kfunc:name} and {kstruct:name}: valid
 * until the next call.
 */
const char *expand_text(const struct btf *btf, const char *text);

#endif
