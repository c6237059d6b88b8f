/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions as text, in the syntax of the kernel's verifier log and of bpftool's "xlated" dump
 * (kernel/bpf/disasm.c): "(b7) r0 = 0".
 */
#ifndef SKEP_ISA_DISASM_H
#define SKEP_ISA_DISASM_H

#include <linux/bpf.h>
#include "base/types.h"

struct isa_disasm_ops {
	/*
	 * Name of a helper with its prefix ("bpf_map_lookup_elem"), or NULL: "unknown". Asked for
	 * calls with src_reg 0.
	 */
	const char *(*helper_name)(void *arg, s32 func_id);
	/*
	 * Name for the target of a call to a subprogram ("+3" by default) or kfunc
	 * ("kernel-function" by default), or NULL for the default.
	 */
	const char *(*call_name)(void *arg, const struct bpf_insn *insn);
	/* Text for the value of an ld_imm64, or NULL for "0x…". */
	const char *(*imm_name)(void *arg, const struct bpf_insn *insn, u64 imm);
	void *arg;
};

/*
 * Writes insn as text, NUL-terminated, without newline; returns its whole length as snprintf does.
 * Reads insn[1] only for ld_imm64. allow_ptr_leaks false hides addresses of maps, as the kernel
 * does for clients without CAP_PERFMON. ops and each of its functions may be NULL.
 */
int isa_disasm(const struct isa_disasm_ops *ops, const struct bpf_insn *insn, bool allow_ptr_leaks,
	       char *text, u32 size);

/* Enough for every instruction whose names are at most 64 bytes long. */
#define ISA_DISASM_MAX 192

#endif
