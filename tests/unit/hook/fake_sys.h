/* SPDX-License-Identifier: BSD-2-Clause */
/* A stand-in for src/sys (fake_sys.c). */
#ifndef SKEP_TESTS_FAKE_SYS_H
#define SKEP_TESTS_FAKE_SYS_H

#include "arena/arena.h"
#include "sys/sys.h"

/* A program that prints format (at most 7 characters) with two words of its context; or does
 * nothing. */
struct sys_prog *fake_prog(struct arena *arena, const char *format, int first, int second,
			   bool print);

#endif
