/* SPDX-License-Identifier: BSD-2-Clause */
/* The running kernel's BTF, for tests that link src/btf. */
#ifndef SKEP_HARNESS_KERNEL_BTF_H
#define SKEP_HARNESS_KERNEL_BTF_H

#include <stdio.h>
#include <stdlib.h>

#include "btf/btf.h"

/* The caller's to free; NULL: there is none here, or it cannot be read. */
static inline struct btf *kernel_btf_read(void)
{
	FILE *file = fopen("/sys/kernel/btf/vmlinux", "re");
	void *data = file ? malloc(BTF_SIZE_MAX) : NULL;
	size_t size = data ? fread(data, 1, BTF_SIZE_MAX, file) : 0;
	struct btf *btf = NULL;

	if (size && btf_new(data, (u32)size, NULL, &btf))
		btf = NULL;
	free(data);
	if (file)
		fclose(file);
	return btf;
}

#endif
