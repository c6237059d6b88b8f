/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A stand-in for src/sys, for tests of the agent in a real hive: bpf(2) knows no command, and two
 * hand-made programs can be attached that print the system calls they see.
 */
#include "fake_sys.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <string.h>
#include "hook/hook.h"
#include "rt/prog.h"

static struct object_table *objects;

struct sys_prog {
	struct rt_prog rt;
	struct rt_subprog subprog;
	struct bpf_insn insns[16];
};

long sys_bpf(struct sys_hive *hive, struct sys_client *client, u32 cmd, u64 attr, u32 size)
{
	return -EINVAL;
}

struct object_table *sys_hive_objects(struct sys_hive *hive)
{
	if (!objects)
		objects = object_table_new();
	return objects;
}

long sys_object_fdinfo(struct sys_hive *hive, struct object *object, char *text, u64 size)
{
	return 0;
}

const struct rt_map *sys_map_rt(struct object *object)
{
	return NULL;
}

const struct rt_prog *sys_prog_rt(const struct sys_prog *prog)
{
	return &prog->rt;
}

struct sys_prog *sys_prog_of(struct object *object)
{
	return NULL;
}

struct sys_prog *sys_prog_ref(struct sys_prog *prog)
{
	return prog;
}

struct sys_prog *sys_prog_unref(struct sys_prog *prog)
{
	return NULL;
}

u32 sys_prog_type(const struct sys_prog *prog)
{
	return prog->rt.type;
}

u32 sys_prog_max_ctx_offset(const struct sys_prog *prog)
{
	return 24;
}

#define MOV_REG(dst, src)    ((struct bpf_insn){ BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0 })
#define MOV_IMM(dst, imm)    ((struct bpf_insn){ BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, imm })
#define ADD_IMM(dst, imm)    ((struct bpf_insn){ BPF_ALU64 | BPF_ADD | BPF_K, dst, 0, 0, imm })
#define LOAD(dst, src, off)  ((struct bpf_insn){ BPF_LDX | BPF_MEM | BPF_DW, dst, src, off, 0 })
#define STORE(dst, src, off) ((struct bpf_insn){ BPF_STX | BPF_MEM | BPF_DW, dst, src, off, 0 })
#define CALL(helper)	     ((struct bpf_insn){ BPF_JMP | BPF_CALL, 0, 0, 0, helper })
#define EXIT		     ((struct bpf_insn){ BPF_JMP | BPF_EXIT, 0, 0, 0, 0 })

/* Prints format with the words at two offsets of the context. */
struct sys_prog *fake_prog(struct arena *arena, const char *format, int first, int second,
			   bool print)
{
	struct sys_prog *prog = arena_alloc(arena, ARENA_CONTROL, sizeof(*prog), 8);
	u64 text = 0;
	u32 n = 0;

	memcpy(&text, format, strlen(format));
	if (print) {
		prog->insns[n++] =
			(struct bpf_insn){ BPF_LD | BPF_IMM | BPF_DW, 2, 0, 0, (s32)text };
		prog->insns[n++] = (struct bpf_insn){ 0, 0, 0, 0, (s32)(text >> 32) };
		prog->insns[n++] = STORE(10, 2, -8);
		prog->insns[n++] = LOAD(3, 1, (s16)first);
		prog->insns[n++] = LOAD(4, 1, (s16)second);
		prog->insns[n++] = MOV_REG(1, 10);
		prog->insns[n++] = ADD_IMM(1, -8);
		prog->insns[n++] = MOV_IMM(2, (s32)strlen(format) + 1);
		prog->insns[n++] = CALL(6);
	}
	prog->insns[n++] = MOV_IMM(0, 0);
	prog->insns[n++] = EXIT;
	prog->subprog.stack_depth = 8;
	prog->rt = (struct rt_prog){ .id = 1,
				     .type = BPF_PROG_TYPE_TRACEPOINT,
				     .nr_insns = n,
				     .nr_subprogs = 1,
				     .insns = prog->insns,
				     .subprogs = &prog->subprog,
				     .name = "fake" };
	return prog;
}
