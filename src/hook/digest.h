/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hash of all that the catalogue says. Formatting some hundred events takes a millisecond, so
 * this is done when skep is built; hook_catalogue_digest() has the result.
 */
#ifndef SKEP_HOOK_DIGEST_H
#define SKEP_HOOK_DIGEST_H

#include "base/types.h"

/* Groups, names, ids and formats of all events. 0: one of the formats is too long. */
u64 digest_catalogue(void);

#endif
