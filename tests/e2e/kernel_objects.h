/* SPDX-License-Identifier: BSD-2-Clause */
/* What a program of kernel_objects.bpf.c is given and says. */
#ifndef SKEP_TESTS_E2E_KERNEL_OBJECTS_H
#define SKEP_TESTS_E2E_KERNEL_OBJECTS_H

struct seen {
	unsigned long long in;
	unsigned long long out[7];
};

#endif
