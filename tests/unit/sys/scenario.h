/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sequences of bpf(2) calls with the answers they must get. tests/unit/sys runs them on skep,
 * tests/diff/sys on the running kernel: an expectation that the kernel does not share is wrong.
 */
#ifndef SKEP_TESTS_SCENARIO_H
#define SKEP_TESTS_SCENARIO_H

#include "harness/tap.h"
#include "world.h"

#define ADDRESS(memory) ((u64)(uintptr_t)(memory))

/* Any descriptor: a result of 0 or more, in expect(). */
#define FD 1000000

/* One result: got must be want. Returns whether it is. */
bool expect_at(const char *file, int line, struct world *world, long got, long want,
	       const char *name);
#define expect(world, got, want, name) expect_at(__FILE__, __LINE__, (world), (got), (want), (name))

/* Any of the commands on one element. */
long scenario_element(struct world *world, u32 cmd, int fd, const void *key, void *value,
		      u64 flags);
/* MAP_CREATE of a local storage, by BTF whose types 1 and 2 are int and long. */
union abi_attr scenario_storage(u32 type, int btf);
/* TEST_RUN on 64 zeroes: what the program returned, or the error. */
long scenario_run(struct world *world, int prog);
/* The same of a program that is loaded for this run alone; its load's error, if that fails. */
long scenario_run_once(struct world *world, u32 type, const struct bpf_insn *insns, u32 nr);

void scenario_attr(struct world *world);       /* sizes and tails of attributes, unknown commands */
void scenario_map_create(struct world *world); /* every check of MAP_CREATE */
void scenario_map_elem(struct world *world);   /* elements, rights, freezing */
void scenario_map_batch(struct world *world);
void scenario_map_types(struct world *world); /* queues, filters, LRU, tries */
void scenario_map_of_maps(struct world *world);
void scenario_map_stack(struct world *world);
void scenario_map_storage(struct world *world); /* cgroup storages */
void scenario_map_socket(struct world *world);
void scenario_map_sock(struct world *world);	 /* sockets that programs look up */
void scenario_map_local(struct world *world);	 /* storage of sockets, tasks, inodes, cgroups */
void scenario_storage_prog(struct world *world); /* what programs store there */
void scenario_map_redirect(struct world *world); /* devices, CPUs, AF_XDP sockets */
void scenario_map_objects(struct world *world);	 /* prog arrays, perf event arrays */
void scenario_btf(struct world *world);		 /* BTF_LOAD, its log, maps with BTF */
void scenario_prog_load(struct world *world);	 /* every check of PROG_LOAD before the verifier */
void scenario_log(struct world *world);		 /* log buffers, cut and rotated */
void scenario_prologue(struct world *world);	 /* libbpf's load prologue, in order */
void scenario_info(struct world *world);	 /* info, ids, tags */
void scenario_link(struct world *world);
void scenario_test_run(struct world *world);
void scenario_netfilter(struct world *world);
void scenario_net_helper(struct world *world);
void scenario_stream(struct world *world);
void scenario_map_pointer(struct world *world);
void scenario_exclusive(struct world *world); /* maps of one program, hashes of maps */
void scenario_helper(struct world *world);    /* what single helpers answer */
void scenario_kfunc(struct world *world);     /* what kernel functions answer in test runs */
void scenario_syscall(struct world *world);   /* programs that call bpf(2) themselves */
void scenario_struct_ops(struct world *world);
void scenario_timer(struct world *world);
void scenario_misc(struct world *world);
void scenario_iter(struct world *world); /* iterators */

/* Of skep alone. */
void test_run_context(struct world *world);
void test_run_helpers(struct world *world);
void scenario_place(struct world *world);    /* cgroups, name spaces, devices, netfilter, tokens */
void scenario_lifetime(struct world *world); /* who holds whom, and fresh ids */

/* All of the above, for every program that has a world. */
static inline void scenario_all(struct world *world)
{
	scenario_attr(world);
	scenario_map_create(world);
	scenario_map_elem(world);
	scenario_map_types(world);
	scenario_map_of_maps(world);
	scenario_map_stack(world);
	scenario_map_storage(world);
	scenario_map_redirect(world);
	scenario_map_socket(world);
	scenario_map_sock(world);
	scenario_map_local(world);
	scenario_storage_prog(world);
	scenario_map_batch(world);
	scenario_btf(world);
	scenario_prog_load(world);
	scenario_log(world);
	scenario_map_objects(world);
	scenario_prologue(world);
	scenario_info(world);
	scenario_link(world);
	scenario_test_run(world);
	scenario_netfilter(world);
	scenario_net_helper(world);
	scenario_stream(world);
	scenario_map_pointer(world);
	scenario_exclusive(world);
	scenario_helper(world);
	scenario_kfunc(world);
	scenario_syscall(world);
	scenario_struct_ops(world);
	scenario_timer(world);
	scenario_misc(world);
	scenario_iter(world);
	scenario_place(world);
	scenario_lifetime(world);
}

/* Instructions. */
#define INSN(c, d, s, o, i) \
	((struct bpf_insn){ .code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) })
#define MOV_K(reg, value)	      INSN(BPF_ALU64 | BPF_MOV | BPF_K, reg, 0, 0, value)
#define MOV_X(to, from)		      INSN(BPF_ALU64 | BPF_MOV | BPF_X, to, from, 0, 0)
#define ADD_K(reg, value)	      INSN(BPF_ALU64 | BPF_ADD | BPF_K, reg, 0, 0, value)
#define LOAD(size, to, from, off)     INSN(BPF_LDX | BPF_MEM | (size), to, from, off, 0)
#define STORE_K(size, to, off, value) INSN(BPF_ST | BPF_MEM | (size), to, 0, off, value)
#define LD_MAP(reg, kind, fd)	      INSN(BPF_LD | BPF_IMM | BPF_DW, reg, kind, 0, fd), INSN(0, 0, 0, 0, 0)
#define JEQ_K(reg, value, off)	      INSN(BPF_JMP | BPF_JEQ | BPF_K, reg, 0, off, value)
#define JGT_X(a, b, off)	      INSN(BPF_JMP | BPF_JGT | BPF_X, a, b, off, 0)
#define CALL(helper)		      INSN(BPF_JMP | BPF_CALL, 0, 0, 0, helper)
/* A call of the kernel's function of this name, by the kernel's BTF; wants btf/btf.h. */
#define KFUNC(btf, name)                                      \
	INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_KFUNC_CALL, 0, \
	     (s32)btf_find(btf, name, BTF_KIND_FUNC))
#define EXIT() INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

#endif
