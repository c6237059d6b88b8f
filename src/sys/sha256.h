/* SPDX-License-Identifier: BSD-2-Clause */
/* SHA-256 (FIPS 180-4) of a whole buffer: what Linux 6.18 makes a program's tag of. */
#ifndef SKEP_SYS_SHA256_H
#define SKEP_SYS_SHA256_H

#include "base/types.h"

#define SHA256_SIZE 32

void sha256(const void *data, u64 size, u8 ret_digest[SHA256_SIZE]);

#endif
