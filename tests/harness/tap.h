/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small producer of the Test Anything Protocol: a test program calls tap_ok() and its relatives,
 * then returns tap_done() from main. A test that cannot run here says why with tap_skip(), and is
 * counted as skipped.
 */
#ifndef SKEP_TESTS_TAP_H
#define SKEP_TESTS_TAP_H

#include <stdbool.h>

/* One result; the format describes it. Returns condition. */
bool tap_ok_at(const char *file, int line, bool condition, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* count results that cannot be had on this machine, and why. */
void tap_skip(int count, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A line for people, not a result. */
void tap_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Stops the program as failed: the rest makes no sense. */
void tap_bail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* Prints the plan; the exit status of the test program. */
int tap_done(void);

/* May this process load programs into the running kernel? Asked once, by a trivial PROG_LOAD. */
bool tap_kernel_bpf(void);

/* Are this process's ids those that the running kernel's programs see, that is, is it in no PID
 * namespace but the machine's own (as in a container)? */
bool tap_kernel_pids(void);

#define tap_ok(condition, ...) tap_ok_at(__FILE__, __LINE__, (condition), __VA_ARGS__)
#define tap_is(got, want, name)                                                \
	do {                                                                   \
		long long got_ = (long long)(got), want_ = (long long)(want);  \
		if (!tap_ok_at(__FILE__, __LINE__, got_ == want_, "%s", name)) \
			tap_note("got %lld, want %lld", got_, want_);          \
	} while (0)

#endif
