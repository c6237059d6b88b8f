/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One verification: the program being judged, what was found out about each instruction and
 * subprogram, the path being explored and those still to explore. Lives from verify_program() to
 * its return.
 */
#ifndef SKEP_VERIFY_ENV_H
#define SKEP_VERIFY_ENV_H

#include "abi/context.h"
#include "base/pool.h"
#include "isa/opcode.h"
#include "verify/log.h"
#include "verify/state.h"
#include "verify/verify.h"

struct abi_iter_target;
struct bpf_func_info;
struct btf_type;
struct bpf_line_info;
struct abi_struct_ops;
struct live_stack;
struct visit;

#define INSNS_PROCESSED_MAX 1000000
#define JUMP_SEQUENCE_MAX   8192
#define STATES_PER_INSN_MAX 64
#define SUBPROGS_MAX	    256
#define USED_MAPS_MAX	    64
#define MAX_ERRNO	    4095

/* How an instruction reaches memory that has to be rewritten; all paths must agree. */
/* ACCESS_SPECIAL + the base type for pointers other than plain and probed ones. */
enum access_kind { ACCESS_UNSEEN, ACCESS_PLAIN, ACCESS_PROBE, ACCESS_SPECIAL };

#define ACCESS_CTX   (ACCESS_SPECIAL + PTR_TO_CTX)
#define ACCESS_ARENA (ACCESS_SPECIAL + PTR_TO_ARENA)
#define ACCESS_MAP   (ACCESS_SPECIAL + CONST_PTR_TO_MAP)

struct insn_aux {
	u32 orig_idx;  /* in the program as loaded */
	u16 live_regs; /* registers that may be read before being written, before this instruction
			*/
	u32 scc;       /* number of its loop in the subprogram's control flow; 0: in none */
	bool seen;     /* some path reached it */
	bool prune_point, jmp_point, force_checkpoint, calls_callback;
	bool iter_next;	    /* a call of an iterator's next */
	u16 kfunc;	    /* row of abi/kfunc.h plus 1; 0: no kfunc that is there */
	u8 access;	    /* enum access_kind */
	bool jump_target;   /* of a jump, or the first of a function */
	bool fastcall_pair; /* a store before a call, or a load behind it (fastcall.h) */
	u8 fastcall_pairs;  /* a call: how many of them are to go */
	bool arena_alu;	    /* 64-bit arithmetic on an arena's pointer, which has 32 bits */
	bool map_poisoned, key_poisoned;
	bool map_shown; /* a kfunc may be given what an iterator shows of a map, not the map */
	/* bpf_loop(): always this function, without flags; or not. */
	enum { LOOP_UNSEEN, LOOP_SAME, LOOP_DIFFERENT } inlined : 8;
	u16 loop_callback;	      /* a subprogram */
	const struct verify_map *map; /* of an ld_imm64, or the one map a helper call is given */
	u32 map_off;		      /* of BPF_PSEUDO_MAP_VALUE */
	u64 const_key;		      /* tail_call index + 1 when known */
	/* The type of the objects that it loads, takes or gives: NULL: none of a program's. */
	const struct btf *object_btf;
	u32 object_id, object_node; /* object_node: where its collection's node is */
	u8 loaded;		    /* kernel_memory.h */
	bool object_seen;
	bool object_mixed; /* objects of several types: the data plane looks at each one's own */
	bool object_owned; /* bpf_refcount_acquire(): its argument was owned on all paths */
};

struct subprog {
	u32 start;
	u32 stack_depth;
	u32 shown_stack; /* with what a kernel's loops keep there (shown.h) */
	bool has_may_goto;
	u32 postorder_start;
	bool has_tail_call, has_ld_abs, tail_call_reachable;
	bool changes_packet, might_sleep; /* it, or what it calls */
	bool unreliable;		  /* its prototype does not say what it is called with */
	bool is_global;
	bool is_callback;	   /* some path has a helper call it, or it takes exceptions */
	s16 fastcall_off;	   /* of the stack above the slots of such pairs (fastcall.h) */
	bool fastcall_keeps_stack; /* some of these pairs stay */
	bool is_async;		   /* called later (async.h) */
	bool called, verified;	   /* global: reached by a call; body checked by itself */
	s32 type_id;		   /* BTF id of its FUNC, 0 if none */
	bool tags_known;	   /* global: arg_tags were read (global_tags.h) */
	u8 arg_tags[5];
	u32 arg_btf_id[5]; /* the kernel structures that they point to; 0: not looked up */
	const char *name;
};

/* Paths still to explore, newest first. */
struct pending {
	struct vstate state;
	u32 insn_idx, prev_insn_idx;
	u64 log_pos;
	struct pending *next;
};

/* What of a checkpoint another state did not fit into. */
struct mismatch {
	enum { MISMATCH_NONE, MISMATCH_REG, MISMATCH_SLOT } kind : 8;
	u8 frame, index;
	bool is_number; /* it is a precise scalar (a whole slot), from umin to umax */
	u64 umin, umax;
};

/*
 * A checkpoint in the table of explored states. What walking the table reads lies in one line of a
 * cache, with the beginning of the state.
 */
struct explored {
	_Alignas(64) struct explored *next;
	u32 hits, misses;
	u64 digest; /* state_digest() */
	struct mismatch mismatch;
	struct vstate state;
};

/* loops.h */
struct loops {
	struct visit **visits;	    /* by loop - 1; NULL: no path was in a loop yet */
	struct backedge *backedges; /* newest first */
	struct backedge *unfit;	    /* their paths have to go on, the first one's next */
	struct vstate *unsettled;   /* the checkpoint that became so last, by next */
	struct vstate *settled;	    /* that are in no list of checkpoints any more, by next */
	u32 newest;		    /* index of the newest checkpoint */
	u32 nr_on_trust;	    /* back edges */
	u32 revisits;		    /* paths that had to go on since nothing was on trust */
};

struct backtrack {
	u32 frame;
	u32 reg_masks[MAX_FRAMES];
	u64 stack_masks[MAX_FRAMES];
};

#define ID_MAP_SIZE ((MAX_REG + MAX_SLOTS) * MAX_FRAMES)

struct id_map {
	u32 next_temporary;
	bool all_precise; /* compare ranges of every scalar */
	u32 nr;
	struct {
		u32 old, cur;
	} pair[ID_MAP_SIZE];
};

struct verify_env {
	const struct verify_input *input;
	struct bpf_insn *insns;
	u32 nr_insns;
	struct insn_aux *aux;
	struct subprog subprog[SUBPROGS_MAX + 1]; /* the last is a sentinel at nr_insns */
	u32 nr_subprogs;
	const struct verify_map *maps[USED_MAPS_MAX];
	u32 nr_maps;
	struct verify_async *async; /* each function and map once */
	u32 nr_async;
	const struct abi_ctx *ctx;
	const struct btf
		*kernel_btf; /* what calls of kernel functions count in, once there is one */
	bool ctx_is_args;    /* the context is the arguments of what the program is attached to */
	const struct btf_type *attach_proto; /* ... which are these; NULL: five numbers */
	bool attach_is_function;	     /* neither a tracepoint nor an iterator */
	bool attach_unreliable;
	const struct abi_struct_ops *struct_ops; /* NULL: the program is none */
	const char *attach_name;
	u32 attach_skip;		/* parameters of attach_proto before the first argument */
	const struct verify_map *arena; /* the program's one arena; NULL: it has none */
	const struct abi_iter_target *iter; /* attached to an iterator's target: its row */
	struct bpf_line_info *line_info;
	u32 nr_line_info;
	struct bpf_func_info *func_info;
	u32 nr_func_info;
	u32 *postorder; /* instructions, subprogram by subprogram */
	u32 *place;	/* of an instruction in postorder */
	u32 *first_pred,
		*preds; /* before i comes preds[first_pred[i]] … preds[first_pred[i + 1] - 1] */

	/* What the client may do. */
	bool allow_ptr_leaks, allow_uninit_stack, capable, strict_alignment;
	bool sleepable; /* BPF_F_SLEEPABLE */
	bool test_state_freq;
	u32 max_insns; /* to simulate */

	/* Exploration. */
	struct pool states; /* their memory (state_memory_set()) */
	struct vstate *cur;
	struct pending *stack;
	u32 stack_size;
	u32 insn_idx, prev_insn_idx;
	u32 id_gen;
	struct explored **explored;
	struct explored *evicted;
	struct explored *unused; /* by next */
	struct loops loops;
	struct live_stack *live_stack;
	struct backtrack bt;
	u16 *back_registers; /* by instruction: those that make it matter (backtrack.c) */
	bool quiet;	     /* backtracking does not log */
	bool precise_now; /* scalars of the current state may be precise, not only of checkpoints */
	struct id_map id_map;
	struct history *cur_history; /* entry of the instruction being checked, if pushed */
	u32 jmps_processed, prev_jmps_processed;
	u32 insns_processed, prev_insns_processed;
	u32 explored_size, evicted_size;
	u32 nr_scc, nr_backedges;
	u32 main_subprog;	  /* the one being verified by itself */
	u32 exception_cb;	  /* the subprogram for exceptions; 0: none */
	bool throws;		  /* bpf_throw() is called where the program may come */
	bool loaded_kptr;	  /* the load at insn_idx was one of a kptr */
	bool reads_maps;	  /* some instruction does, by a map's pointer */
	bool writes_packet;	  /* some instruction does */
	u32 max_ctx_offset;	  /* end of the furthest context access */
	bool reads_kernel_memory; /* a helper does, through a pointer (kernel_memory.h) */
	u32 max_rdonly_access, max_rdwr_access; /* and of the buffers of an iterator */

	/* Counters. */
	u32 max_states_per_insn, total_states, peak_states;

	/* Log. */
	struct log log;
	const struct bpf_line_info *prev_line;
	u64 prev_log_pos, prev_insn_length;
	u32 scratched_regs;
	u64 scratched_slots;
	bool failed_internally;
};

static inline struct reg *env_regs(struct verify_env *env)
{
	return vstate_frame(env->cur)->regs;
}

/* The frame that a stack pointer points into. */
static inline const struct frame *env_frame_of(struct verify_env *env, const struct reg *reg)
{
	return env->cur->frame[reg->frameno];
}

/* The same for writing (vstate_own_frame()). */
static inline struct frame *env_own_frame_of(struct verify_env *env, const struct reg *reg)
{
	return vstate_own_frame(env->cur, reg->frameno);
}

static inline struct abi_ctx_user env_ctx_user(const struct verify_env *env)
{
	return (struct abi_ctx_user){ env->input->prog_type, env->input->expected_attach_type };
}

/* Has the kernel of the profile what came with this version? since is looked up only if there is a
 * profile: these questions are asked for each simulated instruction. */
#define ENV_KERNEL_HAS(env, since) (!(env)->input->kernel || (since) <= (env)->input->kernel)

/* Index of the subprogram that starts at insn, -ENOENT. */
int env_find_subprog(const struct verify_env *env, u32 insn);
/* Index of the subprogram that contains insn. */
u32 env_subprog_of(const struct verify_env *env, u32 insn);

/* The BTF of the kernel that programs see; NULL: it cannot be had. */
static inline const struct btf *env_kernel_btf(const struct verify_env *env)
{
	const struct verify_input *input = env->input;

	if (input->kernel_btf)
		return input->kernel_btf;
	return input->ops && input->ops->kernel_btf ? input->ops->kernel_btf(input->ops_arg) : NULL;
}

static inline bool insn_is_ldimm64(const struct bpf_insn *insn)
{
	return insn->code == (BPF_LD | BPF_IMM | BPF_DW);
}

static inline bool insn_is_call(const struct bpf_insn *insn)
{
	return insn->code == (BPF_JMP | BPF_CALL);
}

static inline bool insn_is_pseudo_call(const struct bpf_insn *insn)
{
	return insn_is_call(insn) && insn->src_reg == BPF_PSEUDO_CALL;
}

static inline bool insn_is_helper_call(const struct bpf_insn *insn)
{
	return insn_is_call(insn) && insn->src_reg == 0;
}

static inline bool insn_is_kfunc_call(const struct bpf_insn *insn)
{
	return insn_is_call(insn) && insn->src_reg == BPF_PSEUDO_KFUNC_CALL;
}

static inline bool insn_is_pseudo_func(const struct bpf_insn *insn)
{
	return insn_is_ldimm64(insn) && insn->src_reg == BPF_PSEUDO_FUNC;
}

static inline bool insn_is_may_goto(const struct bpf_insn *insn)
{
	return insn->code == (BPF_JMP | BPF_JCOND);
}

static inline s32 insn_jump_offset(const struct bpf_insn *insn)
{
	return insn->code == (BPF_JMP32 | BPF_JA) ? insn->imm : insn->off;
}

/* The instruction that insn i refers to by a relative offset; -1: none. */
static inline s64 insn_target(const struct bpf_insn *insn, u32 i)
{
	u8 class = BPF_CLASS(insn->code), op = BPF_OP(insn->code);

	if (insn_is_pseudo_call(insn) || insn_is_pseudo_func(insn))
		return (s64)i + insn->imm + 1;
	if ((class == BPF_JMP || class == BPF_JMP32) && op != BPF_CALL && op != BPF_EXIT)
		return (s64)i + insn_jump_offset(insn) + 1;
	return -1;
}

/* A contradiction inside the verifier: logs it and returns -EFAULT. Never a verdict on the program.
 */
int verify_bug(struct verify_env *env, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Log-side marks: registers and slots whose state is printed after the instruction. */
static inline void scratch_reg(struct verify_env *env, u32 regno)
{
	env->scratched_regs |= 1u << regno;
}

static inline void scratch_slot(struct verify_env *env, u32 slot)
{
	env->scratched_slots |= 1ULL << slot;
}

#endif
