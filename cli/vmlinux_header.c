/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vmlinux.h for clang: every type of the running kernel, printed from its BTF by libbpf (a tenth of
 * a second, so there is no cache to go stale), or the small header of bpf/vmlinux.h where the
 * kernel shows no BTF.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <bpf/btf.h>
#include "compile.h"
#include "say.h"

/* bpf/vmlinux.h, by vmlinux_small.S. */
extern const char vmlinux_small_start[], vmlinux_small_end[];

static void print_type(void *file, const char *format, va_list args)
{
	vfprintf(file, format, args);
}

/* All types, so that each can be loaded with relocations by name. 0 or -errno. */
static int print_types(const struct btf *btf, FILE *file)
{
	struct btf_dump *dump = btf_dump__new(btf, print_type, file, NULL);
	int err = 0;

	if (!dump)
		return -errno;
	fputs("#ifndef __VMLINUX_H__\n#define __VMLINUX_H__\n\n"
	      "#ifndef BPF_NO_PRESERVE_ACCESS_INDEX\n"
	      "#pragma clang attribute push (__attribute__((preserve_access_index)), apply_to = "
	      "record)\n"
	      "#endif\n\n",
	      file);
	for (unsigned id = 1; !err && id < btf__type_cnt(btf); id++)
		err = btf_dump__dump_type(dump, id);
	fputs("#ifndef BPF_NO_PRESERVE_ACCESS_INDEX\n"
	      "#pragma clang attribute pop\n"
	      "#endif\n\n#endif /* __VMLINUX_H__ */\n",
	      file);
	btf_dump__free(dump);
	return err;
}

int vmlinux_header(void)
{
	struct btf *btf = NULL;
	int fd = memfd_create("skep-vmlinux.h", 0), copy, err = -ENOENT;
	FILE *file = NULL;

	if (fd < 0)
		return -errno;
	if (!access("/sys/kernel/btf/vmlinux", R_OK))
		btf = btf__parse("/sys/kernel/btf/vmlinux", NULL);
	copy = dup(fd);
	if (copy >= 0)
		file = fdopen(copy, "w");
	if (btf && file) {
		err = print_types(btf, file);
		if (fclose(file))
			err = -errno;
	} else if (file) {
		fclose(file);
	}
	btf__free(btf);
	if (err) {
		if (ftruncate(fd, 0) == 0)
			lseek(fd, 0, SEEK_SET);
		err = write_all(fd, vmlinux_small_start,
				(size_t)(vmlinux_small_end - vmlinux_small_start));
	}
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}
