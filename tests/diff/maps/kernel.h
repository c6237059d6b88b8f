/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The running kernel's bpf(2), thinly: what the comparisons in this directory ask of it.
 */
#ifndef SKEP_TESTS_DIFF_KERNEL_H
#define SKEP_TESTS_DIFF_KERNEL_H

#include <linux/bpf.h>
#include "base/types.h"

/* All return what the system call returns, with -errno for failure. */
long kernel_bpf(u32 cmd, union bpf_attr *attr);
int kernel_map(u32 type, u32 key_size, u32 value_size, u32 max_entries, u32 flags);
long kernel_lookup(int map, const void *key, void *value, u64 flags);
long kernel_update(int map, const void *key, const void *value, u64 flags);
long kernel_delete(int map, const void *key);
long kernel_next_key(int map, const void *key, void *next_key);
long kernel_lookup_and_delete(int map, const void *key, void *value, u64 flags);
int kernel_prog(u32 type, const struct bpf_insn *insns, u32 nr_insns);
/* Runs a program once; *ret_value gets its result. */
long kernel_run(int prog, u32 *ret_value);
u32 kernel_possible_cpus(void);

#define INSN(code_, dst, src, off_, imm_)     \
	((struct bpf_insn){ .code = (code_),  \
			    .dst_reg = (dst), \
			    .src_reg = (src), \
			    .off = (off_),    \
			    .imm = (s32)(imm_) })
#define MOV_IMM(dst, imm)     INSN(BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, imm)
#define MOV_REG(dst, src)     INSN(BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0)
#define ADD_IMM(dst, imm)     INSN(BPF_ALU64 | BPF_ADD | BPF_K, dst, 0, 0, imm)
#define STORE(dst, src, off)  INSN(BPF_STX | BPF_MEM | BPF_DW, dst, src, off, 0)
#define LOAD64(dst, src, low) INSN(BPF_LD | BPF_IMM | BPF_DW, dst, src, 0, low)
#define LOAD64_HIGH(high)     INSN(0, 0, 0, 0, high)
#define CALL(helper)	      INSN(BPF_JMP | BPF_CALL, 0, 0, 0, helper)
#define EXIT()		      INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

#endif
