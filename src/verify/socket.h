/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sockets as the kernel's structures: pointers that BTF describes where a helper takes a socket,
 * and helpers that return one. (Pointers to struct bpf_sock and its like are pointer types of their
 * own.)
 */
#ifndef SKEP_VERIFY_SOCKET_H
#define SKEP_VERIFY_SOCKET_H

#include "verify/env.h"

/*
 * Is the structure that regno points to one that begins with what the argument wants: any socket
 * (ARG_PTR_TO_BTF_ID_SOCK_COMMON) or a full one (ARG_PTR_TO_SOCKET)? 0 or -errno.
 */
int socket_check_btf(struct verify_env *env, u32 regno, u32 arg);

/* R0 becomes a pointer to the kernel's structure of this name; flags are or'ed to the type. */
int socket_set_struct(struct verify_env *env, const char *name, u32 flags);

#endif
