/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signal masks. The three own signals are never blocked really; whether the application thinks they
 * are stands with its thread.
 */
#include "agent/signal.h"

#define E_FAULT 14
#define E_INVAL 22

void agent_block_all(void)
{
	u64 all = ~0UL;

	kernel_sigmask(SIG_SETMASK, &all, NULL);
}

static u64 changed_mask(u64 how, u64 old, u64 set)
{
	switch (how) {
	case SIG_BLOCK: return old | set;
	case SIG_UNBLOCK: return old & ~set;
	default: return set;
	}
}

long agent_change_mask(struct agent_area *area, u64 how, const u64 *set, u64 *ret_old)
{
	u32 *state = &area->sigmask_state;
	long error;

	if (set && (u32)how > SIG_SETMASK)
		return -E_INVAL;
	if (!READ_ONCE(area->pending)) {
		WRITE_ONCE(*state, SIGMASK_CALLING);
		if (!READ_ONCE(area->pending)) {
			u64 before = 0;

			error = agent_sigmask_call(how, set, &before, state);
			if (error < 0) {
				area->came_late = 0;
				return error;
			}
			if (!area->came_late) {
				*ret_old = before;
				return 0;
			}
		}
	}
	WRITE_ONCE(*state, SIGMASK_IDLE);
	area->came_late = 0;
	*ret_old = area->saved_mask;
	if (set)
		area->saved_mask = changed_mask((u32)how, area->saved_mask, *set);
	return 0;
}

enum agent_verdict agent_do_sigprocmask(struct agent_call *call)
{
	struct rt_pt_regs *regs = call->regs;
	struct agent_thread *thread = call->thread;
	u32 before = thread->blocked, bits = 0;
	u64 set = 0, real = 0, old = 0;

	if (regs->r10 != 8)
		return AGENT_GO;
	thread->opened = 0; /* siglongjmp() out of a call that opened some */
	if (regs->si) {
		if (agent_copy_in(&set, regs->si, 8)) {
			regs->ax = (u64)-E_FAULT;
			return AGENT_DONE;
		}
		/* One that was sent to a thread that blocks it waits in the kernel until now. */
		real = (u32)regs->di == SIG_UNBLOCK ? set : real_mask(set);
		bits = own_bits(set);
	}
	regs->ax = agent_change_mask(call->area, regs->di, regs->si ? &real : NULL, &old);
	if ((s64)regs->ax < 0)
		return AGENT_DONE;
	if (regs->si) {
		if ((u32)regs->di == SIG_BLOCK)
			thread->blocked = before | bits;
		else if ((u32)regs->di == SIG_UNBLOCK)
			thread->blocked = before & ~bits;
		else
			thread->blocked = bits;
	}
	for (bits = 0; bits < 3; bits++)
		if (!(thread->blocked & 1u << bits))
			thread->handling[bits] = 0; /* siglongjmp() out of the handler */
	old |= own_mask(before);
	if (regs->dx && agent_copy_out(regs->dx, &old, 8))
		regs->ax = (u64)-E_FAULT;
	return AGENT_DONE;
}

/*
 * Blocking calls that install a mask: which own signals that opens is remembered until the call is
 * over, and if the mask blocks others a changed copy is used, in memory that stays as long. False:
 * the call has nothing to do with own signals.
 */
static bool open_mask(struct agent_thread *thread, u64 address, u64 size)
{
	u64 set;

	thread->opened = 0;
	if (!address || size != 8 || agent_copy_in(&set, address, 8))
		return false;
	thread->opened = thread->blocked & ~own_bits(set);
	thread->sigset = real_mask(set);
	return thread->opened || set & OWN;
}

void agent_mask_done(struct agent_thread *thread)
{
	thread->opened = 0;
}

static enum agent_verdict framed_or_notify(void)
{
	return AGENT_STATE->client ? AGENT_NOTIFY : AGENT_FRAMED;
}

enum agent_verdict agent_do_sigsuspend(struct agent_call *call)
{
	struct rt_pt_regs *regs = call->regs;

	if (!open_mask(call->thread, regs->di, regs->si))
		return AGENT_GO;
	call->frame.flags = AGENT_SAVED_DI;
	call->frame.saved[0] = regs->di;
	regs->di = (u64)&call->thread->sigset;
	return AGENT_FRAMED;
}

enum agent_verdict agent_do_ppoll(struct agent_call *call)
{
	struct rt_pt_regs *regs = call->regs;

	if (!open_mask(call->thread, regs->r10, regs->r8))
		return AGENT_STATE->client ? AGENT_NOTIFY : AGENT_GO;
	call->frame.flags = AGENT_SAVED_R10;
	call->frame.saved[1] = regs->r10;
	regs->r10 = (u64)&call->thread->sigset;
	return framed_or_notify();
}

enum agent_verdict agent_do_pselect6(struct agent_call *call)
{
	struct rt_pt_regs *regs = call->regs;
	struct agent_thread *thread = call->thread;
	u64 pair[2];

	if (!regs->r9 || agent_copy_in(pair, regs->r9, sizeof(pair)) ||
	    !open_mask(thread, pair[0], pair[1]))
		return AGENT_STATE->client ? AGENT_NOTIFY : AGENT_GO;
	thread->sigset_arg[0] = (u64)&thread->sigset;
	thread->sigset_arg[1] = pair[1];
	call->frame.flags = AGENT_SAVED_R9;
	call->frame.saved[0] = regs->r9;
	regs->r9 = (u64)thread->sigset_arg;
	return framed_or_notify();
}

enum agent_verdict agent_do_epoll_pwait(struct agent_call *call)
{
	struct rt_pt_regs *regs = call->regs;

	if (!open_mask(call->thread, regs->r8, regs->r9))
		return AGENT_STATE->client ? AGENT_NOTIFY : AGENT_GO;
	call->frame.flags = AGENT_SAVED_R8;
	call->frame.saved[0] = regs->r8;
	regs->r8 = (u64)&call->thread->sigset;
	return framed_or_notify();
}
