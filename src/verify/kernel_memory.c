/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See kernel_memory.h.
 */
#include "verify/kernel_memory.h"

#include <errno.h>

#include "verify/btf_ptr.h"

/* RT_OBJECT_ARG_* and RT_KERNEL_MEMORY of rt/object.h, which this layer does not see. */
#define RT_ARG_MEMORY	   0x10000
#define RT_ARG_MEMORY_NULL 0x20000
#define RT_KERNEL_MEMORY   0x10000

enum { LOADED_POINTER = 1, LOADED_NULL = 2, LOADED_OTHER = 4 };

void kernel_memory_note_load(struct verify_env *env, u32 regno, u32 through)
{
	struct reg *reg = &env_regs(env)[regno];
	struct insn_aux *aux = &env->aux[env->insn_idx];
	u32 type = reg->type & ~(u32)PTR_MAYBE_NULL;

	if (through != PTR_TO_CTX || type != (PTR_TO_BTF_ID | PTR_TRUSTED)) {
		aux->loaded |= LOADED_OTHER;
		return;
	}
	reg->range = KERNEL_MEMORY_READABLE;
	aux->loaded |= LOADED_POINTER | (reg->type & PTR_MAYBE_NULL ? LOADED_NULL : 0);
}

int kernel_memory_check(struct verify_env *env, u32 regno, int size)
{
	const struct reg *reg = &env_regs(env)[regno];
	int err = btf_ptr_access(env, regno, reg->off, size, false, -1);

	if (err)
		return err;
	if (reg->range != KERNEL_MEMORY_READABLE || reg->off > RT_KERNEL_MEMORY - size) {
		verbose(env,
			"R%u is ptr_%s: helpers read memory of the kernel only where it is known "
			"to "
			"be in user space\n",
			regno, btf_ptr_type_name(reg));
		return -EACCES;
	}
	env->reads_kernel_memory = true;
	return 0;
}

int kernel_memory_fix(struct verify_env *env, u32 i)
{
	const struct insn_aux *aux = &env->aux[i];
	struct bpf_insn *insn = &env->insns[i];

	if (!env->reads_kernel_memory || !(aux->loaded & LOADED_POINTER))
		return 0;
	if (aux->loaded & LOADED_OTHER || insn->code != (BPF_LDX | BPF_MEM | BPF_DW)) {
		verbose(env, "same insn cannot be used with different pointers\n");
		return -EINVAL;
	}
	insn->code = BPF_LDX | BPF_DW | ISA_LOAD_OBJECT;
	insn->imm = RT_ARG_MEMORY | (aux->loaded & LOADED_NULL ? RT_ARG_MEMORY_NULL : 0);
	return 0;
}
