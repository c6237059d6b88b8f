/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The running kernel and skep as a pair that is sent the same calls. Both see the same client: its
 * memory lies at a fixed address and is put back between the two calls, and descriptors get the
 * same numbers on both sides, so attributes can be sent as they are. Ids alone differ: an operation
 * names the object whose id it means.
 */
#ifndef SKEP_DIFF_BPF_PAIR_H
#define SKEP_DIFF_BPF_PAIR_H

#include "client.h"

#define SIDES	    2 /* 0: the kernel, 1: skep */
#define MEMORY_SIZE 0xa000u
#define MEMORY_END  (MEMORY + MEMORY_SIZE) /* here begins a page that nobody may touch */
#define READ_ONLY   (MEMORY_END + 0x1000)  /* a page of zeros */
#define NO_ID	    -1
#define PUSHED_MAX  64
#define PUSHED_SIZE 0x800

/* Where what is in the client's memory. */
enum {
	AT_ATTR = 0x0000,
	AT_KEY = 0x1400,
	AT_KEYS = 0x1600,
	AT_VALUE = 0x1800,
	AT_TOKEN = 0x2300,
	AT_INSNS = 0x2400,
	AT_LICENSE = 0x3000,
	AT_NAME = 0x3080,
	AT_FDS = 0x3200,
	AT_LOG = 0x3400,
	AT_BTF = 0x4400,
	AT_INFO = 0x5400,
	AT_IDS = 0x5800,
	AT_TEXT = 0x5c00,
	AT_OWN = 0x6000,  /* what each side writes here is its own: not compared */
	AT_EDGE = 0x9000, /* for structures that end in the forbidden page */
};

enum op_kind { OP_BPF, OP_CLOSE, OP_PERF, OP_FILL, OP_DUP, OP_DUP2, OP_SEND };

struct op {
	enum op_kind kind;
	u32 cmd, size;
	int fd;		  /* OP_CLOSE, OP_DUP, OP_DUP2, OP_SEND */
	int onto;	  /* OP_DUP2 */
	u32 attr_at;	  /* where in memory the attributes are */
	u64 attr_address; /* what is said instead; 0: where they are */
	bool own_pid;	  /* TASK_FD_QUERY of the client itself */
	bool raw;	  /* the client calls from code that nobody has seen */
	int id_of;	  /* whose id goes into attr.id.id; NO_ID: none */
	bool half;	  /* something lies half in the forbidden page */
	bool own_order;	  /* each side has its own order of keys */
	u8 memory[MEMORY_SIZE];
};

enum thing {
	NOTHING,
	A_MAP,
	A_PROG,
	A_BTF,
	A_LINK,
	A_PERF,
	ANOTHER,
};

/* What stands behind a descriptor. */
struct slot {
	enum thing thing;
	u32 type, key_size, value_size, max_entries, flags;
	bool own_result; /* of a program: what it returns is each side's own */
	u32 ids[SIDES];
};

struct pair {
	struct world *worlds[SIDES];
	struct slot slots[FDS];
	bool client; /* skep is reached by a client of it, not linked in */
	bool parted; /* the same map holds different elements: the sequence ends */
	struct pushed {
		u32 map_id, size;
		u8 bytes[PUSHED_SIZE];
	} pushed[PUSHED_MAX]; /* into Bloom filters since the last reset */
	u32 nr_pushed;
};

/* One result each, and what the memory held then. */
struct outcome {
	long results[SIDES];
	u8 memory[SIDES][MEMORY_SIZE];
};

/* skep: the command under which a client runs, NULL: what is linked in. false: there is no kernel
 * to compare with. */
bool pair_init(struct pair *pair, const char *skep);
/* Objects that skep had left. */
u32 pair_done(struct pair *pair);

/* Does this operation make a descriptor, if it succeeds? */
bool op_gives_fd(const struct op *op);

/* Closes all descriptors on both sides. */
void pair_reset(struct pair *pair);

/* Runs an operation on both sides and notes what became of the descriptors. */
void pair_run(struct pair *pair, const struct op *op, struct outcome *ret_outcome);

/* Does a PROG_LOAD again on one side, with a log of that level and room for it; what it makes is
 * closed. The text is NUL-terminated; the result is the call's. */
long pair_load(struct pair *pair, int side, const struct op *op, u32 level, char *ret_text,
	       u32 size, u32 *ret_true_size);

/* Has the value at this address of op's memory been put into that Bloom filter? */
bool pair_was_pushed(const struct pair *pair, const struct slot *map, const struct op *op,
		     u64 address);

/* Does this command return a descriptor? */
bool gives_fd(u32 cmd);

/* The size of a value as clients see it. */
u32 slot_user_size(const struct slot *slot);

/* compare.c: NULL if both sides agree or an explained difference covers it (its counter goes up),
 * otherwise what differs. */
const char *compare(struct pair *pair, const struct op *op, struct outcome *outcome);
void compare_report(void);

/* generate.c */
void generate_seed(u64 seed);
/* Also what only a client of its own can do to descriptors and addresses. */
void generate_for_client(void);
/* Families of calls to leave out, by name: "attach,link". false: there is no such family. */
bool generate_leave_out(const char *names);
void generate(struct pair *pair, struct op *ret_op);
/* Which types of maps and programs does skep have? Those that only the kernel has are left out, and
 * said. */
void generate_probe(struct pair *pair);

#endif
