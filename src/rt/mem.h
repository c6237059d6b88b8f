/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memcpy(), memmove(), memset() and memcmp() for data-plane sources, which cannot include
 * <string.h>. In the image rt/mem.c defines them, hosted libc does.
 */
#ifndef SKEP_RT_MEM_H
#define SKEP_RT_MEM_H

#include "base/types.h"

void *memcpy(void *restrict dst, const void *restrict src, size_t size);
void *memmove(void *dst, const void *src, size_t size);
void *memset(void *dst, int byte, size_t size);
int memcmp(const void *a, const void *b, size_t size);

#endif
