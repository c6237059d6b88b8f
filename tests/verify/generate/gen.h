/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside the generator: the idea of what registers and stack hold, and the words that statements
 * are made of.
 *
 * Register use: r0-r5 come and go with calls, r6 holds the context at first, r6-r9 keep values; one
 * that a statement around this one relies on is reserved.
 */
#ifndef SKEP_TESTS_VERIFY_GENERATE_GEN_H
#define SKEP_TESTS_VERIFY_GENERATE_GEN_H

#include "isa/opcode.h"
#include "verify/generate.h"

enum kind {
	K_NONE,
	K_SCALAR,
	K_CTX,
	K_STACK,
	K_VALUE,      /* into a map value */
	K_VALUE_NULL, /* the same, or NULL */
	K_RECORD,
	K_RECORD_NULL,
	K_PACKET,
	K_PACKET_END,
	K_READ_ONLY, /* memory that is not written */
	K_OTHER,     /* a pointer that only its own statement uses */
};

enum {
	NR_SLOTS = 8,	   /* that statements spill to */
	OBJECTS_OFF = -80, /* below them: room for dynptrs and iterators */
	MAX_OBJECTS = 6,
	MAX_DEPTH = 3,
	MAX_SUBPROGS = 3,
	MAX_CALLS = 16,
};

#define NO_REG 0xff

struct view {
	u8 kind[11];
	u8 size[11];	   /* of what a pointer points into */
	u8 slot[NR_SLOTS]; /* kind stored at fp - 8 * (i + 1) */
	u8 slot_size[NR_SLOTS];
};

/* How a subprogram is entered. */
enum entry {
	ENTRY_CALL,
	ENTRY_LOOP,  /* of bpf_loop(): index, pointer to the caller's stack */
	ENTRY_EACH,  /* of bpf_for_each_map_elem(): map, key, value, the pointer */
	ENTRY_TIMER, /* map, key, value */
	NR_ENTRIES,
};

struct gen {
	struct gen_program *p;
	u64 state;
	unsigned liberty; /* in 1000 */
	struct view v;
	unsigned depth, objects, subject;
	u16 reserved;		   /* registers */
	bool in_subprog, no_calls; /* no_calls: only quiet statements */
	struct {
		u32 insn; /* a call, or an ld_imm64 of a function, that is yet to be written */
		enum entry entry;
	} calls[MAX_CALLS];
	u32 nr_calls;
};

/* Chance. */
u64 gen_next(struct gen *g);
unsigned pick(struct gen *g, unsigned n);
bool chance(struct gen *g, unsigned in_1000);
bool liberty(struct gen *g); /* does this statement take a liberty? */
s32 pick_imm(struct gen *g);

/* Instructions. */
u32 emit(struct gen *g, u8 code, u8 dst, u8 src, s32 off, s32 imm);
bool is_room(struct gen *g);
void emit_map(struct gen *g, u8 dst, enum gen_map map);
void emit_mov(struct gen *g, u8 dst, u8 src);
void emit_const(struct gen *g, u8 dst, s32 imm);
void emit_stack_address(struct gen *g, u8 dst, s32 off);
void emit_helper(struct gen *g, s32 helper, enum kind result, unsigned size);
void emit_kfunc(struct gen *g, enum gen_kfunc kfunc, enum kind result, unsigned size);
/* A size for a helper in reg: a constant or a bounded scalar. */
void emit_size(struct gen *g, u8 reg, unsigned max);
/* A key on the stack: where. */
s32 emit_key(struct gen *g, unsigned size);
/* A jump that compares something; its target is not set. */
u32 emit_condition(struct gen *g);
/* The jump goes to the next instruction to be written. */
void land(struct gen *g, u32 jump);

/* The view. */
void set_kind(struct gen *g, u8 reg, enum kind kind, unsigned size);
void note(struct gen *g, enum gen_topic topic);
u8 find(struct gen *g, enum kind kind); /* a register of that kind or NO_REG; a liberty gives any */
u8 pick_target(struct gen *g);		/* a register that may be overwritten */
u8 pick_saved(struct gen *g);		/* one of r7-r9, or NO_REG */
u8 need_scalar(struct gen *g);
s32 object_room(struct gen *g);	      /* 16 bytes of stack of its own; 0: there is none */
bool has_packet(const struct gen *g); /* the context gives pointers into one */
bool is_tracing(const struct gen *g);

/* Reads or writes through a pointer of known extent, at a fixed or a bounded variable offset. */
void access_memory(struct gen *g, u8 base, unsigned size);
enum gen_map pick_map(struct gen *g);
/* reg, which may be NULL, is checked; on the other path the program leaves or goes on without it.
 */
void check_null(struct gen *g, u8 reg, enum kind kind, unsigned size);

/* Statements, one after the other. */
void say_block(struct gen *g, unsigned statements);
/* The same, of those that call nothing and do not leave: for where something is held. */
void say_quiet_block(struct gen *g, unsigned statements);

/* number.c */
void say_alu(struct gen *g);
void say_unary(struct gen *g);
void say_spill(struct gen *g);
void say_fill(struct gen *g);
void say_context(struct gen *g);
void say_memory(struct gen *g);
void say_advance(struct gen *g);
/* bound.c */
void say_stack_index(struct gen *g);
void say_bound(struct gen *g);
/* mistake.c */
void say_mistake(struct gen *g);
/* map.c */
void say_lookup(struct gen *g);
void say_update(struct gen *g);
void say_direct_value(struct gen *g);
void say_number_helper(struct gen *g);
void say_memory_helper(struct gen *g);
void say_record(struct gen *g);
void say_packet(struct gen *g);
void say_tail_call(struct gen *g);
void say_map_in_map(struct gen *g);
/* object.c */
void say_iterator(struct gen *g);
void say_dynptr(struct gen *g);
void say_lock(struct gen *g);
void say_socket(struct gen *g);
void say_section(struct gen *g);
void say_timer(struct gen *g);
void say_throw(struct gen *g);
void say_callback(struct gen *g);
void say_load_bytes(struct gen *g);

#endif
