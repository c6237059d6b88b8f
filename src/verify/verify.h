/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The verifier's door: takes a program and descriptions of what it refers to, says yes or no with
 * the kernel's errno and wording, and returns the program that the engines run.
 *
 * It knows maps and BTF by description only; it never touches the arena, file descriptors or
 * clients.
 */
#ifndef SKEP_VERIFY_VERIFY_H
#define SKEP_VERIFY_VERIFY_H

#include <linux/bpf.h>
#include "base/types.h"

struct btf;
struct btf_fields;
struct verify_env;
struct vstate;

/* A map as the verifier sees it. */
struct verify_map {
	u64 user_start, user_size; /* arenas: where clients map them; 0: nobody has yet */
	u32 type, key_size, value_size, max_entries, flags, id;
	u64 map_extra;
	char name[BPF_OBJ_NAME_LEN];
	bool frozen;
	u64 address;	   /* of the descriptor: what ld_imm64 of the map loads */
	u64 value_address; /* of the first value, for BPF_PSEUDO_MAP_VALUE; 0 if the type has none
			    */
	const void
		*frozen_values; /* readable contents of a frozen BPF_F_RDONLY_PROG map, else NULL */
	const struct btf *btf;
	const struct btf_fields *fields; /* special fields of the value; NULL: none */
	u32 btf_key_type_id, btf_value_type_id;
	const struct verify_map *inner; /* maps of maps: what every map in it is like */
	u32 owner_prog_type;		/* prog arrays: type of the programs in it, 0 if none yet */
	const u8 *prog_digest;		/* of the only program that may have it; NULL: any may */
	void *handle;			/* the caller's own */
};

#define VERIFY_DIGEST_SIZE 32 /* SHA-256 */

/* How the verifier reaches what a program refers to. Results are 0 or -errno. */
struct verify_ops {
	/* The map behind fd; *ret_map stays valid until verify_program() returns. */
	int (*map_by_fd)(void *arg, int fd, const struct verify_map **ret_map);
	/* The kernel's BTF, for helpers that return its structures. NULL: there is none. */
	const struct btf *(*kernel_btf)(void *arg);
	/*
	 * The data plane's number of a structure of a program's BTF (rt/object.h), whose node lies
	 * at node_offset (OBJECT_NO_NODE: none); 0: there is no room. NULL: programs that allocate
	 * objects are refused.
	 */
	u32 (*object_type)(void *arg, const struct btf *btf, u32 id, u32 node_offset);
	/* Only called if verify_input says that there is a fd_array: an entry, or -EFAULT. */
	int (*fd_at)(void *arg, s32 index, int *ret_fd);
	/* Is this descriptor one of BTF? Asked for entries that are no maps. */
	bool (*is_btf)(void *arg, int fd);
	/*
	 * May be NULL. They are called when the kernel reads such things, so that the first
	 * complaint is the kernel's: BTF and func_info before the program is looked at, line_info
	 * when its functions are known, relocations after that. They fill these members of the
	 * struct verify_input, which is the caller's. After an error the records before it, which
	 * the counts tell, are still checked. What is wrong is said with verbose() (verify/log.h),
	 * but for -E2BIG, a record whose unknown part is not zero.
	 */
	int (*read_func_info)(void *arg, struct verify_env *env);
	int (*read_line_info)(void *arg, struct verify_env *env);
	int (*check_relocations)(void *arg, struct verify_env *env);
};

/* An instruction that had to do with a rejection. */
struct verify_cause {
	u32 insn;	  /* its number in the program as it was loaded */
	char text[96];	  /* disassembled */
	char value[128];  /* registers that it uses, as they were: of the rejected one only */
	char source[160]; /* its line of source, "" if it is not known */
	char file[64];
	u32 line;
};

#define VERIFY_CAUSES_MAX 12

/*
 * Why a program was rejected, as data: what the verifier said, at which instruction, and the chain
 * of instructions that made the values which it did not like, the latest first.
 */
struct verify_diagnosis {
	char message[256]; /* the first line; "" if nothing was said or no log was asked for */
	u32 nr_causes;	   /* 0: no single instruction is to blame; else the first one is it */
	struct verify_cause causes[VERIFY_CAUSES_MAX];
};

struct verify_log {
	u32 level; /* log_level of bpf_attr */
	/* Takes size bytes of log text; the sink truncates as the client's buffer asks. */
	void (*write)(void *arg, const char *text, u64 size);
	void *arg;
	/* May be NULL: the most text there was at a time, with what was taken back later. */
	u64 *ret_longest;
};

/* Verifying that would take more ends with -ENOMEM and a line in the log. */
#define VERIFY_MEMORY_MAX ((size_t)1 << 30)

struct verify_subprog {
	u32 start;
	u32 stack_depth;
	u32 type_id; /* of its FUNC in the program's BTF; 0: none */
	bool unreliable, changes_packet, might_sleep;
};

/*
 * A function that a timer or work queue calls, fn(map, key, value), and the map whose values have
 * been assumed there.
 */
struct verify_async {
	u32 subprog;
	const struct verify_map *map;
	void *handle; /* of the map; NULL: any map in a map of maps that is like `map` */
};

/* The program that the one being verified will be attached to. */
struct verify_target {
	u32 prog_type, expected_attach_type;
	const struct verify_subprog *subprogs;
	u32 nr_subprogs;
	bool extends;	     /* takes a function's place; else it listens to it */
	bool is_extension;   /* the target itself takes another one's place */
	bool traces_tracing; /* the target itself listens to a program that listens */
};

struct verify_input {
	const struct bpf_insn *insns;
	u32 nr_insns;
	const u8 *digest; /* of the program, as its tag is made; NULL: no exclusive maps */
	u32 prog_type;
	u32 expected_attach_type;
	const struct btf *kernel_btf; /* NULL: that of ops */
	const struct btf *attach_btf; /* what attach_btf_id counts in; NULL: none */
	u32 attach_btf_id;
	/*
	 * Another program, whose BTF attach_btf then is; NULL: attach_btf is the kernel's. An
	 * extension is verified as a program of its target's type: prog_type and
	 * expected_attach_type are that.
	 */
	const struct verify_target *target;
	u32 prog_flags; /* BPF_F_STRICT_ALIGNMENT, BPF_F_ANY_ALIGNMENT, BPF_F_TEST_* */
	bool gpl_compatible;
	bool privileged; /* bpf_capable(): pointer leaks and unknown-offset stack access allowed */
	/* What a map's descriptor has at this distance: the kernel's structure of it, that large.
	 */
	u32 map_image, map_image_size;
	u32 kernel;	       /* ABI_LINUX(): what is younger is not there; 0: the newest */
	size_t memory_max;     /* bytes that verifying may take; 0: VERIFY_MEMORY_MAX */
	u32 nr_cpus;	       /* bpf_get_smp_processor_id() stays below; 0: not known */
	bool has_fd_array;     /* entries come from ops->fd_at() */
	u32 fd_array_cnt;      /* so many of them belong to the program, used or not */
	const struct btf *btf; /* NULL if the program has none */
	const void *func_info; /* checked for bounds by the caller, contents by the verifier */
	u32 func_info_rec_size, nr_func_info;
	const void *line_info;
	u32 line_info_rec_size, nr_line_info;
	const struct verify_ops *ops;
	void *ops_arg;
	struct verify_log log;
	struct verify_diagnosis *ret_diagnosis; /* filled when it is rejected; NULL: not wanted */
	/*
	 * For tests; NULL: off. Called with every state before the instruction is simulated on it.
	 * The state (verify/state.h) is only valid during the call.
	 */
	void (*observe)(void *arg, u32 insn, const struct vstate *state);
	void *observe_arg;
	bool test_all_helpers; /* helpers with a prototype but without implementation pass, too */
	bool test_all_precise; /* every scalar is precise: pruning ignores no range */
	bool test_all_paths;   /* nothing is pruned: each path is walked to its end */
	bool test_no_widening; /* numbers that change from one iteration to the next stay what they
				  are */
	u32 test_max_insns;    /* to simulate; 0: as many as the kernel does */
};

/*
 * The program as clients see it in dumps: what a kernel makes of it, which no engine executes.
 * Lines and functions are where their instructions are in it.
 */
struct verify_shown {
	struct bpf_insn *insns; /* maps by id; complete after verify_shown_place() */
	u8 *places; /* of each instruction: which structure of the kernel's it reaches */
	u32 nr_insns;
	u32 *starts; /* of each subprogram, and the end */
	u32 nr_subprogs;
	struct bpf_line_info *line_info;
	u32 nr_line_info;
	struct bpf_func_info *func_info;
	u32 nr_func_info;
};

/* Adds to a copy of shown's instructions the offsets of members that the kernel's BTF tells. */
void verify_shown_place(const struct verify_shown *shown, const struct btf *kernel_btf,
			struct bpf_insn *insns);

void verify_shown_done(struct verify_shown *shown);

/* What an accepted program becomes. Owned by the caller; verify_output_done() frees. */
struct verify_output {
	struct bpf_insn *insns; /* fixed up, see rt/prog.h */
	struct verify_shown shown;
	u32 nr_insns;
	struct verify_subprog *subprogs;
	u32 nr_subprogs;
	void **used_maps; /* handles, each once, in order of first use */
	u32 nr_used_maps;
	struct verify_async *async;
	u32 nr_async;
	bool tail_calls;
	bool reads_maps;	/* descriptors of maps, as the kernel's structures */
	u32 exception_callback; /* a subprogram; 0: none */
	bool throws;
	u32 max_ctx_offset; /* end of the furthest context access: attaching checks it against the
			       event */
	/* The same of an iterator's buffers, whose sizes are known when the program is linked. */
	u32 max_rdonly_access, max_rdwr_access;
	u32 verified_insns; /* processed, as fdinfo and bpf_prog_info show it */
	/* Counters: printed in the last log line. */
	u32 max_states_per_insn, total_states, peak_states, mark_read;
	size_t memory; /* bytes that verifying took, at its most */
};

/*
 * Verifies. 0: *ret_output is filled; -errno as bpf(BPF_PROG_LOAD) gives it, with the log written:
 * then only the counters of *ret_output, from verified_insns on, are set.
 */
int verify_program(const struct verify_input *input, struct verify_output *ret_output);

/*
 * May a program that was verified for one target be attached to that of input, too? main describes
 * its main function; of input what says whom it is for and its BTF is used. 0 or -errno.
 */
int verify_attach(const struct verify_input *input, const struct verify_subprog *main);

void verify_output_done(struct verify_output *output);

#endif
