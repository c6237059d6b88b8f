/* SPDX-License-Identifier: BSD-2-Clause */
/* BPF C to a BPF object, with clang, without leaving a file anywhere. */
#ifndef SKEP_CLI_COMPILE_H
#define SKEP_CLI_COMPILE_H

/*
 * Compiles file for this machine; cpu is clang's -mcpu ("v3"). On success 0 and *ret_fd is a memory
 * file with the object; otherwise 1, after clang or we said why.
 */
int compile_bpf(const char *file, const char *cpu, int *ret_fd);

/* vmlinux.h as a memory file: from the running kernel's BTF, or the small one of this build. -errno
 * on failure. */
int vmlinux_header(void);

#endif
