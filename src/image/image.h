/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The data-plane image that is linked into this program: an ELF file with its symbol table, for
 * src/arena to load.
 */
#ifndef SKEP_IMAGE_IMAGE_H
#define SKEP_IMAGE_IMAGE_H

#include "base/types.h"

extern const u8 skep_image_start[], skep_image_end[];

#endif
