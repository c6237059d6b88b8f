/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside src/sys: what the parts of OBJ_GET_INFO_BY_FD share. */
#ifndef SKEP_SYS_INFO_H
#define SKEP_SYS_INFO_H

#include "sys/hive.h"

/*
 * Reads the client's info structure of which we know `known` bytes: the rest of *info is zero.
 * 0, -E2BIG, -EFAULT. attr.info.info_len is cut to known.
 */
int sys_info_read(struct sys_call *call, void *info, u32 known);

/* Writes it back, as long as the client knows it, with its length. */
int sys_info_write(struct sys_call *call, const void *info);

/* prog_info.c */
int sys_prog_info(struct sys_call *call, struct sys_prog *prog);

#endif
