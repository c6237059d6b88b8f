/* SPDX-License-Identifier: BSD-2-Clause */
/* What libbpf says, kept until something fails and people want to know why. */
#ifndef SKEP_CLI_LIBBPF_LOG_H
#define SKEP_CLI_LIBBPF_LOG_H

#include <stdbool.h>

/* From here on libbpf's warnings are kept instead of printed. */
void libbpf_log_start(void);
void libbpf_log_clear(void);

/* The last warning without its prefixes, or otherwise if there was none. */
const char *libbpf_log_last(const char *otherwise);

/* The last one that does not only say that the object was not loaded. */
const char *libbpf_log_cause(const char *otherwise);

/* Does one say that bpf(2) refused a program? Otherwise libbpf did not come to load it. */
bool libbpf_log_asked_kernel(void);

/* The meaning of an error number of libbpf's. Static memory. */
const char *libbpf_log_reason(int err);

/* Says that file could not be loaded, which program was refused and why, with the verifier's log.
 */
void libbpf_log_rejection(const char *file, int err, bool real);

#endif
