/* SPDX-License-Identifier: BSD-2-Clause */
/* See native.h. */
#include "harness/native.h"

#include <stdlib.h>
#include <string.h>

#include "arena/arena.h"
#include "isa/opcode.h"
#include "jit/install.h"
#include "rt/kfunc.h"
#include "rt/prog.h"
#include "rt/vcpu.h"

/* Where functions begin, in order: those that are known, and what is called. */
static u32 find_subprogs(const struct rt_prog *prog, struct rt_subprog *subprogs)
{
	bool *starts = calloc(prog->nr_insns + 1, sizeof(*starts));
	u32 nr = 0;

	if (!starts)
		return 0;
	starts[0] = true;
	for (u32 i = 0; i < prog->nr_subprogs; i++)
		starts[prog->subprogs[i].start] = true;
	for (u32 i = 0; i < prog->nr_insns; i++) {
		const struct bpf_insn *insn = &prog->insns[i];
		u32 target = i + 1 + (u32)insn->imm;

		if (insn->code == (BPF_JMP | BPF_CALL) && insn->src_reg == BPF_PSEUDO_CALL &&
		    target < prog->nr_insns)
			starts[target] = true;
		i += isa_opcodes[insn->code].kind == ISA_LD_IMM64;
	}
	for (u32 i = 0; i < prog->nr_insns && nr < RT_SUBPROG_MAX; i++)
		if (starts[i])
			subprogs[nr++] = (struct rt_subprog){ i, RT_BPF_STACK_SIZE };
	free(starts);
	return nr;
}

struct rt_prog *native_prog_new(struct arena *arena, const struct rt_prog *prog)
{
	u64 insns_size = prog->nr_insns * sizeof(*prog->insns);
	struct rt_prog *copy = arena_alloc(arena, ARENA_CONTROL, sizeof(*copy), 64);
	struct bpf_insn *insns = arena_alloc(arena, ARENA_CONTROL, insns_size, 64);
	struct rt_subprog *subprogs =
		arena_alloc(arena, ARENA_CONTROL, RT_SUBPROG_MAX * sizeof(*subprogs), 8);

	if (!copy || !insns || !subprogs)
		return NULL;
	memcpy(insns, prog->insns, insns_size);
	*copy = *prog;
	copy->insns = insns;
	copy->nr_subprogs = find_subprogs(prog, subprogs);
	copy->subprogs = subprogs;
	copy->native = NULL;
	return copy;
}

void native_prog_free(struct arena *arena, struct rt_prog *prog)
{
	if (!prog)
		return;
	jit_remove(arena, prog->native);
	arena_release(arena, ARENA_CONTROL, (void *)(uintptr_t)prog->insns,
		      prog->nr_insns * sizeof(*prog->insns));
	arena_release(arena, ARENA_CONTROL, (void *)(uintptr_t)prog->subprogs,
		      RT_SUBPROG_MAX * sizeof(*prog->subprogs));
	arena_release(arena, ARENA_CONTROL, prog, sizeof(*prog));
}

const char *native_prog_compile(struct arena *arena, struct rt_prog *prog,
				const struct rt_map *const *maps, u32 nr_maps, bool plain)
{
	const struct jit_input input = { .prog = prog,
					 .maps = maps,
					 .nr_maps = nr_maps,
					 .nr_vcpus = RT_CONTROL->nr_vcpus,
					 .helpers = rt_helpers,
					 .kfuncs = rt_kfuncs,
					 .features = plain ? 0 : jit_features() };
	const char *refusal = NULL;

	if (!jit_install(arena, &input, prog, &refusal))
		return NULL;
	return refusal ? refusal : "there is no room for it";
}
