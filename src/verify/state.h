/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the verifier knows at one point of one path: registers, stack slots, frames, held
 * references, and how it got here (jump history).
 *
 * A frame owns its stack slots. A verifier state owns the frame of the function that runs; those of
 * callers, which hardly change meanwhile, it shares with the states that came from it, until it
 * writes there: vstate_own_frame(). Checkpoints form a tree through `parent`; a checkpoint stays
 * alive while `branches` (paths that go through it and are not finished) is not zero.
 */
#ifndef SKEP_VERIFY_STATE_H
#define SKEP_VERIFY_STATE_H

#include <linux/bpf.h>
#include "base/types.h"
#include "verify/domain/scalar.h"

struct btf;
struct pool;
struct verify_map;

#define MAX_REG	       11
#define MAX_FRAMES     8
#define MAX_BPF_STACK  512
#define REG_SIZE       8 /* bytes of a register and of a stack slot */
#define MAX_SLOTS      (MAX_BPF_STACK / REG_SIZE)
#define MAX_VAR_OFF    (1 << 29) /* pointers with larger variable offsets are refused */
#define MAX_PACKET_OFF 0xffff
#define CALLSITE_MAIN  ((u32)-1)

/* The kind of value in a register: a base type and flags. */
enum reg_type {
	NOT_INIT,
	SCALAR_VALUE,
	PTR_TO_CTX,
	CONST_PTR_TO_MAP,
	PTR_TO_MAP_VALUE,
	PTR_TO_MAP_KEY,
	PTR_TO_STACK,
	PTR_TO_PACKET_META,
	PTR_TO_PACKET,
	PTR_TO_PACKET_END,
	PTR_TO_FLOW_KEYS,
	PTR_TO_SOCKET,
	PTR_TO_SOCK_COMMON,
	PTR_TO_TCP_SOCK,
	PTR_TO_XDP_SOCK,
	PTR_TO_MEM,
	PTR_TO_FUNC,
	PTR_TO_BTF_ID,	     /* a structure that BTF describes: btf_ptr.h */
	CONST_PTR_TO_DYNPTR, /* a dynptr that a callback is given: slots.h */
	PTR_TO_BUF,	     /* of an iterator: its size is checked when the program is linked */
	PTR_TO_TP_BUFFER,    /* of a writable tracepoint: checked when the program is attached */
	PTR_TO_ARENA, /* any number: what it may reach is checked at run time (rt/page_arena.h) */
	REG_BASE_MASK = 0xff,
	PTR_MAYBE_NULL = 1 << 8,
	MEM_RDONLY = 1 << 9,
	MEM_RINGBUF = 1 << 10,
	PTR_UNTRUSTED = 1 << 11, /* may point anywhere */
	PTR_TRUSTED = 1 << 12,	 /* valid while the program runs */
	MEM_RCU = 1 << 13,	 /* valid in the RCU section */
	MEM_USER = 1 << 14,
	MEM_PERCPU = 1 << 15,
	MEM_ALLOC = 1 << 16,   /* an object that a program allocated; btf is the program's */
	NON_OWN_REF = 1 << 17, /* it is in a collection whose lock is held: that owns it */
};

/*
 * Set in reg.id: the register is the linked one plus the constant reg.off, as a word, or its low
 * half plus the constant, zero-extended.
 */
#define ID_ADD_CONST64 (1u << 31)
#define ID_ADD_CONST32 (1u << 30)
#define ID_ADD_CONST   (ID_ADD_CONST64 | ID_ADD_CONST32)

/* Special values of reg.range of a packet pointer. */
#define RANGE_AT_PKT_END     (-1)
#define RANGE_BEYOND_PKT_END (-2)

struct reg {
	u32 type; /* enum reg_type with flags */
	s32 off;  /* fixed part of a pointer's offset; with ID_ADD_CONST the distance to the linked
		     one */
	struct scalar s;	      /* the number, or the variable part of a pointer's offset */
	const struct verify_map *map; /* CONST_PTR_TO_MAP, PTR_TO_MAP_VALUE, PTR_TO_MAP_KEY */
	const struct btf *btf;	      /* PTR_TO_BTF_ID: where the structure is described */
	u32 btf_id;
	u32 id; /* links registers that hold the same value or were derived from the same null check
		 */
	u32 ref_id;  /* the reference that this pointer belongs to */
	s32 range;   /* packet: bytes known to be there; PTR_TO_MEM: size */
	u32 map_uid; /* which of the maps in a map of maps, where that matters (async.h) */
	/* Stack slots that hold an object (slots.h), and what was got from one. */
	union {
		u32 dynptr_id;	/* memory: the id of the dynptr that it is a slice of */
		u32 iter_depth; /* times that the iterator gave something on this path */
	};
	u16 subprogno; /* PTR_TO_FUNC */
	u8 frameno;    /* PTR_TO_STACK */
	u8 dynptr;     /* enum dynptr_kind, of slices too */
	u8 iter, iter_state;
	bool first_slot : 1;  /* the one at the object's lower address */
	bool irq_by_lock : 1; /* a saved interrupt state: a lock saved it */
	bool precise;	      /* the exact bounds matter for the verdict */
};

enum slot_byte {
	SLOT_INVALID,
	SLOT_SPILL,
	SLOT_MISC,
	SLOT_ZERO,
	SLOT_DYNPTR,
	SLOT_ITER,
	SLOT_IRQ,
};

struct slot {
	u8 byte[REG_SIZE]; /* enum slot_byte; byte[7] lies at the lowest address */
	/* Valid where bytes say SLOT_SPILL, or name an object; never NULL. States share it: copying
	 * one copies no registers of its stack. Written by slot_write(), slot_set(), slot_forget().
	 */
	const struct reg *spilled;
};

/* Neighbours, which frames share until one is written. */
#define GROUP_SLOTS 8
#define SLOT_GROUPS (MAX_SLOTS / GROUP_SLOTS)

struct slot_group {
	u32 users;
	struct slot slot[GROUP_SLOTS];
};

struct ret_range {
	s32 min, max;
	bool is64; /* the whole register must be in the range, not its low half */
};

struct frame {
	_Alignas(64) u32 callsite; /* the call instruction, CALLSITE_MAIN in frame 0 */
	u32 frameno, subprogno;
	u32 callback_depth; /* iterations simulated of the callback that this frame calls */
	bool in_callback;
	bool in_async; /* frame 0 of a callback that runs later */
	bool prepared; /* compare_prepare() saw it, and nobody wrote since */
	u32 nr_slots;
	struct slot_group *group[SLOT_GROUPS]; /* of these slots (frame_slot()) */
	/* Of a checkpoint, and what compare_prepare() saw: slots not to be passed over by
	 * COMPARE_LOOSE (compare.h); those of them with a scalar. */
	u64 counting_slots, scalar_slots;
	u64 precise_slots; /* of a checkpoint whose own frame this is: what backtracking came to */
	struct reg regs[MAX_REG];
	u32 async_entries; /* callbacks that had to be set for this one to run */
	struct ret_range callback_range;
	u32 users; /* the states that have it, and the frame that it was cleaned from */
	struct cleaned_frame *cleaned; /* NULL: never */
};

/* What is not live in a frame. */
struct dead_parts {
	u64 slots;
	u16 regs;
	bool forget; /* the slots are forgotten, not only passed over by comparisons */
};

/* A shared frame without its dead parts, for the next state that cleans it of the same ones. */
struct cleaned_frame {
	struct dead_parts dead;
	const struct frame *frame;
};

/* What has to be given back before the program ends. */
enum reference_kind {
	REFERENCE_POINTER,
	REFERENCE_IRQ,		/* interrupts are off */
	REFERENCE_LOCK,		/* a bpf_spin_lock is held */
	REFERENCE_RES_LOCK,	/* a bpf_res_spin_lock is held */
	REFERENCE_RES_LOCK_IRQ, /* the same, with interrupts off */
};

struct reference {
	u32 id, insn_idx;
	u32 kind;	 /* enum reference_kind */
	const void *ptr; /* locks: what the lock lies in */
};

/* Facts about one executed instruction that backtracking needs. */
#define HIST_FRAME(flags)	((flags)&7)
#define HIST_SLOT(flags)	(((flags) >> 3) & 63)
#define HIST_STACK_ACCESS	(1u << 9)
#define HIST_DST_REG_STACK	(1u << 10) /* the compared operand was a stack pointer */
#define HIST_SRC_REG_STACK	(1u << 11) /* the highest that there is room for */
#define HIST_STACK(frame, slot) (HIST_STACK_ACCESS | (u32)(frame) | ((u32)(slot) << 3))

#define LINKED_MAX 6

struct linked_reg {
	u8 frame, index; /* index: register number, or slot number */
	bool is_reg;
};

struct linked_regs {
	u32 nr;
	struct linked_reg entry[LINKED_MAX];
};

/* There are many of them: the linked registers lie in one word (linked_pack(); 0: none). */
struct history {
	u32 idx : 20, flags : 12;
	u32 prev_idx;
	u64 linked;
};

struct vstate {
	u32 insn_idx; /* of a checkpoint */
	u32 branches;
	u32 curframe;
	bool sleepable;	   /* the program, or this callback of it, may sleep */
	bool cleaned;	   /* dead registers and slots were cleared */
	bool in_free_list; /* evicted from the explored states, kept for its children */
	bool all_precise;  /* all its scalars, and those of its parents */
	bool masked;	   /* dead slots are passed over (clean.h) */
	bool unsettled;	   /* of a checkpoint: its paths have ended, but owe something (loops.h) */
	bool unlisted;	   /* of one that is unsettled: in no list but by next */
	u32 index, low;	   /* of a checkpoint (loops.h) */
	struct vstate *next;
	const struct frame *frame[MAX_FRAMES]; /* the last, of the function that runs, is its own */
	struct vstate *parent;		       /* the checkpoint before */
	s32 first_insn_idx, last_insn_idx;     /* of the stretch since the parent */
	u32 callback_unroll_depth;
	u32 may_goto_depth; /* times that this path went on in a may_goto loop */
	struct reference *refs;
	u32 nr_refs, cap_refs;
	u32 active_rcu, active_preempt, active_locks; /* sections that this path is in */
	u32 active_irq;				      /* id of the newest saved state, 0: none */
	struct history *history;
	u32 nr_history, cap_history;
};

static inline u64 linked_pack(const struct linked_regs *set)
{
	u64 word = set->nr;

	for (u32 i = 0; i < set->nr; i++) {
		const struct linked_reg *l = &set->entry[i];

		word |= (u64)(l->frame | l->index << 3 | l->is_reg << 9) << (3 + 10 * i);
	}
	return word;
}

static inline u32 linked_nr(u64 linked)
{
	return linked & 7;
}

static inline struct linked_reg linked_get(u64 linked, u32 i)
{
	u32 bits = (u32)(linked >> (3 + 10 * i));

	return (struct linked_reg){ bits & 7, (bits >> 3) & 63, (bits >> 9) & 1 };
}

static inline u32 reg_base(u32 type)
{
	return type & REG_BASE_MASK;
}

/* The frame of the function that runs. */
static inline struct frame *vstate_frame(const struct vstate *state)
{
	return (struct frame *)state->frame[state->curframe];
}

/* Were none of the bytes written? */
static inline bool slot_is_invalid(const struct slot *slot)
{
	static const u8 invalid[REG_SIZE] = { SLOT_INVALID };

	return !__builtin_memcmp(slot->byte, invalid, REG_SIZE);
}

static inline bool slot_is_spill(const struct slot *slot)
{
	return slot->byte[REG_SIZE - 1] == SLOT_SPILL;
}

static inline bool slot_is_scalar(const struct slot *slot)
{
	return slot_is_spill(slot) && slot->spilled->type == SCALAR_VALUE;
}

static inline bool slot_is_scalar64(const struct slot *slot)
{
	return slot->byte[0] == SLOT_SPILL && slot->spilled->type == SCALAR_VALUE;
}

/* The slot at fp - 8 * (i + 1). */
static inline const struct slot *frame_slot(const struct frame *frame, u32 i)
{
	return &frame->group[i / GROUP_SLOTS]->slot[i % GROUP_SLOTS];
}

/* Of a spilled scalar: does it matter which number it is? */
static inline bool slot_is_precise(const struct frame *frame, u32 i)
{
	return (frame->precise_slots & (1ULL << i)) || frame_slot(frame, i)->spilled->precise;
}

static inline bool reg_is_const(const struct reg *reg)
{
	return reg->type == SCALAR_VALUE && scalar_is_const(&reg->s);
}

static inline bool reg_is_null(const struct reg *reg)
{
	return reg->type == SCALAR_VALUE && tnum_is_zero(reg->s.var_off);
}

/* A pointer to a socket of one of the kinds (may be null). */
static inline bool reg_is_socket(const struct reg *reg)
{
	return reg_base(reg->type) >= PTR_TO_SOCKET && reg_base(reg->type) <= PTR_TO_XDP_SOCK;
}

static inline bool reg_is_packet(const struct reg *reg)
{
	return reg_base(reg->type) == PTR_TO_PACKET || reg_base(reg->type) == PTR_TO_PACKET_META;
}

/* Register contents. Unknown scalars are precise where the program may not compare loosely. */
void reg_set_not_init(struct reg *reg);
void reg_set_unknown(struct reg *reg);
void reg_set_const(struct reg *reg, u64 value);
void reg_set_pointer(struct reg *reg, u32 type);
/* A pointer that might have been null is none; a slot of a map of maps gives the map in it. */
void reg_set_not_null(struct reg *reg);

/*
 * The thread's states and what they hold lie in a pool that has to be set before the first is made;
 * they end with it, or one by one. Returns the one before. Neither state nor slot outlives it.
 */
struct pool *state_memory_set(struct pool *pool);
struct pool *state_memory(void);

/* A frame with all registers uninitialised, r10 pointing to its stack; NULL: no memory. */
struct frame *frame_new(u32 callsite, u32 frameno, u32 subprogno);
/* One state more has it. Returns it. */
const struct frame *frame_share(const struct frame *frame);
/* One state less has it. Takes NULL, returns NULL. */
struct frame *frame_drop(const struct frame *frame);
/* Makes the first nr slots exist (invalid where new). 0 or -ENOMEM. */
int frame_grow_stack(struct frame *frame, u32 nr);

/* The slot for writing, which no other frame has from now on; valid until the frame's state is
 * copied. Without memory it stays shared, as with vstate_own_frame(). */
struct slot *frame_own_slot(struct frame *frame, u32 i);

/*
 * The slot's register for writing, as it is now; valid until the state is copied. Without memory it
 * is one that nobody reads: what was to be written is lost, and base_account_failed() says so.
 */
struct reg *slot_write(struct slot *slot);
/* The slot's register becomes reg, which may be another slot's; the bytes stay. */
void slot_set(struct slot *slot, const struct reg *reg);
/* The slot holds nothing. */
void slot_forget(struct slot *slot);

struct vstate *vstate_new(void);
/* Takes NULL, returns NULL. */
struct vstate *vstate_free(struct vstate *state);
/* dst, which is empty, becomes a copy of src, without its history. 0 or -ENOMEM (vstate_done()
 * takes what was copied). */
int vstate_copy(struct vstate *dst, const struct vstate *src);
/* Frees what a state holds and leaves it empty. */
void vstate_done(struct vstate *state);

/*
 * Frame f for writing, which no other state has from now on; valid until the state is copied, and
 * the one before is not the state's any more. Without memory it stays shared: what is written shows
 * in other states, but no verdict comes of them (base_account_failed()).
 */
struct frame *vstate_own_frame(struct vstate *state, u32 f);

/* Are both in the same chain of calls? */
bool vstate_same_callsites(const struct vstate *a, const struct vstate *b);

/* The same for the history. */
int vstate_copy_history(struct vstate *dst, const struct vstate *src);
/* One entry more, with any contents; NULL: no memory. */
struct history *vstate_add_history(struct vstate *state);

static inline bool slot_is_object(const struct slot *slot)
{
	return slot->byte[0] >= SLOT_DYNPTR;
}

/* References: acquire returns 0 or -ENOMEM; release 0 or -EINVAL when id is not held. */
int vstate_acquire(struct vstate *state, const struct reference *ref);
int vstate_acquire_ref(struct vstate *state, u32 insn_idx, u32 id);
int vstate_release_ref(struct vstate *state, u32 id);
bool vstate_has_ref(const struct vstate *state, u32 id);

/* Calls change for each register and each spilled register of all frames that fits. */
typedef bool (*reg_fits_fn)(const struct reg *reg, const void *arg);
typedef void (*reg_change_fn)(struct reg *reg, const void *arg);
void vstate_change_regs(struct vstate *state, reg_fits_fn fits, reg_change_fn change,
			const void *arg);

#endif
