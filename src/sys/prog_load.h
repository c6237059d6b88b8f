/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside src/sys: a program on its way from attributes to object (prog_load.c, prog_debug_info.c).
 */
#ifndef SKEP_SYS_PROG_LOAD_H
#define SKEP_SYS_PROG_LOAD_H

#include "sys/log.h"

struct sys_load {
	struct sys_call *call;
	struct sys_prog *prog;
	struct sys_log log;
	struct bpf_insn *insns; /* as the client gave them */
	u8 digest[SHA256_SIZE]; /* of these */
	/* Maps that the verifier has asked for: references for the time of the load. */
	struct sys_load_map {
		struct sys_map *map;
		int fd;
		struct verify_map description;
	} * *maps;
	u32 nr_maps, maps_room;
	struct verify_input input;
	struct verify_output output;
};

/*
 * Of struct verify_ops, arg is the struct sys_load: copies func_info and line_info, cut to the
 * records we know (sizes, count, tails and order of the kernel's check_btf_func_early() and
 * check_btf_line()), and takes the program's BTF if there is any of them.
 */
int sys_load_func_info(void *arg, struct verify_env *env);
int sys_load_line_info(void *arg, struct verify_env *env);
int sys_load_relocations(void *arg, struct verify_env *env);

/* SHA-256 over the instructions with map descriptors cleared; the tag is what it begins with. 0 or
 * -ENOMEM. */
int sys_prog_digest(const struct bpf_insn *insns, u32 nr_insns, u8 ret_digest[SHA256_SIZE]);

/* prog_native.c: native code for a program that is built. Without it the interpreter runs it. */
void sys_prog_compile(struct sys_load *load);

/* prog.c: an empty program; sys_prog_free() takes one that nobody has seen. */
struct sys_prog *sys_prog_new(struct sys_hive *hive);
void sys_prog_free(struct sys_prog *prog);
/* Gives it an id; from here on it is freed by its last reference. */
int sys_prog_publish(struct sys_prog *prog);

#endif
