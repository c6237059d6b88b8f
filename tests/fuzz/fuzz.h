/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A fuzz target is one function with libFuzzer's name and contract. tests/fuzz/main.c runs it
 * without libFuzzer: first every file given, then mutants of them from a seed, so that each run of
 * the test suite tries the same inputs. For a campaign link the target with clang's
 * -fsanitize=fuzzer instead.
 */
#ifndef SKEP_TESTS_FUZZ_H
#define SKEP_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Must return 0 whatever data is, and neither crash, hang nor leak. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
