/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Objects that live on the program's stack and that only helpers and kfuncs may look into: dynptrs
 * (two slots), open-coded iterators, saved interrupt states. The slots that an object takes are
 * marked with its kind in each byte, and slot.spilled describes it.
 *
 * Writing into a dynptr ends it; its slices then point nowhere. Dynptrs that stand for a reference
 * cannot be overwritten.
 */
#ifndef SKEP_VERIFY_SLOTS_H
#define SKEP_VERIFY_SLOTS_H

#include "verify/env.h"

enum dynptr_kind {
	DYNPTR_ANY,
	DYNPTR_LOCAL,
	DYNPTR_RINGBUF,
	DYNPTR_SKB,
	DYNPTR_XDP,
	DYNPTR_META,	 /* what lies before a packet */
	DYNPTR_ARGUMENT, /* a global function's: may be of any kind, is called "local" */
};

#define DYNPTR_SLOTS 2u

enum iter_state { ITER_STATE_NONE, ITER_STATE_ACTIVE, ITER_STATE_DRAINED };

/* Can it be memory of a packet, which helpers that change packets invalidate? */
static inline bool dynptr_is_packet(u32 kind)
{
	return kind >= DYNPTR_SKB;
}

const char *dynptr_kind_name(u32 kind);

/* regno is an initialised dynptr of this kind (DYNPTR_ANY: of any). 0 or -errno. */
int dynptr_check(struct verify_env *env, u32 regno, u32 kind);

/* regno has room for a dynptr, which it now is. clone_ref: the reference that it shares, 0: its
 * own, if the kind has one. */
int dynptr_make(struct verify_env *env, u32 regno, u32 kind, u32 clone_ref);

/* What describes the dynptr of a register that dynptr_check() found good. */
const struct reg *dynptr_of(struct verify_env *env, u32 regno);

/* Does it stand for a reference that is held? Messages say what not. 0 or -errno. */
int dynptr_check_release(struct verify_env *env, u32 regno);

/* Releases its reference, and with it the dynptr, its clones and their slices. 0 or -errno. */
int dynptr_release(struct verify_env *env, u32 regno);

/* The slot is about to be overwritten. 0, or -EINVAL when it is a referenced dynptr's. */
int slots_overwrite(struct verify_env *env, struct frame *frame, u32 slot);

/*
 * Iterators. iter_new: regno has room for one (rcu: that may only be used in the RCU section in
 * which it was made); iter_check: it is one, which the kfunc `user` may use, *ret_slot its main
 * slot, *ret_frame the frame. iter_destroy releases it. 0 or -errno.
 */
int iter_new(struct verify_env *env, u32 regno, u32 iter, bool rcu);
int iter_check(struct verify_env *env, u32 regno, u32 iter, const char *user, u32 *ret_frame,
	       u32 *ret_slot);

/* An RCU section ends: its iterators cannot be used any more. */
void iter_leave_rcu(struct vstate *state);
int iter_destroy(struct verify_env *env, u32 frameno, u32 slot, u32 iter);

/*
 * After next (R0 holds what it may return): one path goes on with an element, this one with none.
 * 0 or -errno.
 */
int iter_next(struct verify_env *env, u32 frameno, u32 slot);

/* At a call of next: is the iterator in R1 still active in state? */
bool iter_is_active(const struct vstate *state);

/* Are some active iterators at different depths in the two states, which have the same frames? */
bool iter_depths_differ(const struct vstate *old, const struct vstate *cur);

/* Saved interrupt states: bpf_local_irq_save() and _restore(). 0 or -errno. */
int irq_save(struct verify_env *env, u32 regno, bool by_lock);
int irq_restore(struct verify_env *env, u32 regno, bool by_lock);

/* Everything that points into a reference's object is gone. 0, or -EINVAL if it is not held. */
int slots_release_reference(struct verify_env *env, u32 ref_id);

#endif
