/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzz target: any bytes as an object that is made ready for libbpf. What comes of a whole object
 * is one.
 */
#include "fuzz.h"
#include "../../cli/object_file.h"
#include "../../cli/prepare.h"

#include <bpf/libbpf.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("object", MFD_CLOEXEC);
	struct object_file file;

	libbpf_set_print(quiet);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size || object_file_map(fd, &file))
		abort();
	close(fd);
	if (!object_file_problem(&file)) {
		prepare_file(&file);
		if (object_file_problem(&file))
			abort();
	}
	object_file_unmap(&file);
	return 0;
}
