/* SPDX-License-Identifier: BSD-2-Clause */
/* Run when skep is built: prints the source of hook_catalogue_digest(). */
#include <stdio.h>
#include "hook/digest.h"

int main(void)
{
	u64 digest = digest_catalogue();

	if (!digest) {
		fprintf(stderr, "the catalogue has a format that is too long\n");
		return 1;
	}
	printf("#include \"hook/hook.h\"\n\n"
	       "u64 hook_catalogue_digest(void)\n{\n\treturn 0x%llxull;\n}\n",
	       (unsigned long long)digest);
	return 0;
}
