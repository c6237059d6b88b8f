/* SPDX-License-Identifier: BSD-2-Clause */
/* What the library says about itself: the version it was built as, which a program's header may
 * differ from. */
#include <skep/skep.h>

#define EXPORT __attribute__((visibility("default")))

EXPORT const char *skep_version(void)
{
	return SKEP_VERSION;
}
