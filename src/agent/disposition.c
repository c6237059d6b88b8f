/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Dispositions: what the application asked for stands in tables, one for each set of threads that
 * share them; the kernel is told to call the agent. A table belongs to a process, and is free when
 * that is gone.
 */
#include "agent/signal.h"

#define E_SRCH	3
#define E_FAULT 14

void agent_kernel_default(int sig)
{
	struct agent_sigaction action = { SIG_DFL, SA_RESTORER, (u64)agent_restorer, 0 };

	kernel_sigaction(sig, &action, NULL);
}

/* mov $15, %rax; syscall: what glibc, musl and Go have. */
static bool is_usual_restorer(u64 address)
{
	u8 code[9];

	return !agent_copy_in(code, address, sizeof(code)) &&
	       memcmp(code, agent_restore_rt, sizeof(code)) == 0;
}

/* What the kernel is told for what the application wants. */
static struct agent_sigaction kernel_action(int sig, const struct agent_sigaction *wanted)
{
	struct agent_sigaction action = *wanted;

	if (wanted->handler == SIG_DFL || wanted->handler == SIG_IGN) {
		if (!own(sig))
			return action;
		action.flags = SA_ONSTACK;
	}
	action.flags |= SA_SIGINFO;
	action.flags &= ~SA_RESETHAND;
	if (!(action.flags & SA_RESTORER)) {
		action.flags |= SA_RESTORER;
		action.restorer = (u64)agent_restorer;
	}
	if (is_usual_restorer(action.restorer))
		action.restorer = (u64)agent_restore_rt;
	action.handler = (u64)agent_signal_entry;
	action.mask = ~0UL;
	return action;
}

void agent_signal_start(void)
{
	struct agent_thread *thread = agent_thread_current();
	struct agent_sighand *hand = &AGENT_STATE->sighands[0];
	u64 open = OWN, old = 0;
	int sig;

	hand->used = 1;
	for (sig = 1; sig <= AGENT_NSIG; sig++) {
		struct agent_sigaction now;

		if (!own(sig))
			continue;
		kernel_sigaction(sig, NULL, &hand->action[sig]);
		now = kernel_action(sig, &hand->action[sig]);
		kernel_sigaction(sig, &now, NULL);
	}
	kernel_sigmask(SIG_UNBLOCK, &open, &old);
	thread->blocked = own_bits(old);
}

/* A process with shared memory may end in many ways; the table of one that is gone is free. */
static bool take_sighand(struct agent_sighand *hand)
{
	u32 owner = READ_ONCE(hand->owner);

	if (!__atomic_exchange_n(&hand->used, 1, __ATOMIC_ACQUIRE))
		return true;
	return owner && rt_syscall3(__NR_kill, owner, 0, 0) == -E_SRCH &&
	       __atomic_compare_exchange_n(&hand->owner, &owner, 0, false, __ATOMIC_ACQ_REL,
					   __ATOMIC_ACQUIRE);
}

u32 agent_sighand_copy(u32 from)
{
	struct agent_state *state = AGENT_STATE;
	u32 i;

	for (i = 1; i < AGENT_SIGHANDS; i++) {
		if (!take_sighand(&state->sighands[i]))
			continue;
		memcpy(state->sighands[i].action, state->sighands[from].action,
		       sizeof(state->sighands[i].action));
		return i;
	}
	return 0;
}

void agent_sighand_own(u32 index, u32 tgid)
{
	if (index && index < AGENT_SIGHANDS)
		WRITE_ONCE(AGENT_STATE->sighands[index].owner, tgid);
}

void agent_sighand_forked(u32 kept)
{
	u32 i;

	for (i = 1; i < AGENT_SIGHANDS; i++)
		if (i != kept)
			agent_sighand_free(i);
}

void agent_sighand_free(u32 index)
{
	if (!index || index >= AGENT_SIGHANDS)
		return;
	WRITE_ONCE(AGENT_STATE->sighands[index].owner, 0);
	__atomic_store_n(&AGENT_STATE->sighands[index].used, 0, __ATOMIC_RELEASE);
}

enum agent_verdict agent_do_sigaction(struct agent_call *call)
{
	struct rt_pt_regs *regs = call->regs;
	struct agent_sighand *hand = sighand_of(call->thread);
	struct agent_sigaction wanted, actual, old;
	int sig = (int)regs->di;

	if (sig < 1 || sig > AGENT_NSIG || sig == SIGKILL || sig == SIGSTOP || regs->r10 != 8)
		return AGENT_GO;
	if (regs->si && agent_copy_in(&wanted, regs->si, sizeof(wanted))) {
		regs->ax = (u64)-E_FAULT;
		return AGENT_DONE;
	}
	old = hand->action[sig];
	if (regs->si) {
		wanted.mask &= ~(BIT(SIGKILL) | BIT(SIGSTOP));
		actual = kernel_action(sig, &wanted);
		/* The table must be right whenever the kernel can choose the agent's handler. */
		if (actual.handler == (u64)agent_signal_entry)
			hand->action[sig] = wanted;
	}
	regs->ax = kernel_sigaction(sig, regs->si ? &actual : NULL, &actual);
	if ((s64)regs->ax < 0) {
		hand->action[sig] = old;
		return AGENT_DONE;
	}
	/* What the kernel knows better: dispositions inherited or never touched. */
	if (actual.handler != (u64)agent_signal_entry)
		old = actual;
	if (regs->si)
		hand->action[sig] = wanted;
	if (regs->dx && agent_copy_out(regs->dx, &old, sizeof(old)))
		regs->ax = (u64)-E_FAULT;
	return AGENT_DONE;
}

/* What an ignored or blocked own signal means must outlive exec, which resets handlers. */
void agent_signal_before_exec(struct agent_area *area, struct agent_thread *thread)
{
	struct agent_sighand *hand = sighand_of(thread);
	u64 mask = own_mask(thread->blocked), old;
	int sig;

	for (sig = 1; sig <= AGENT_NSIG; sig++)
		if (own(sig) && hand->action[sig].handler == SIG_IGN)
			kernel_sigaction(sig, &hand->action[sig], NULL);
	if (mask)
		agent_change_mask(area, SIG_BLOCK, &mask, &old);
}

void agent_signal_exec_failed(struct agent_area *area, struct agent_thread *thread)
{
	struct agent_sighand *hand = sighand_of(thread);
	u64 mask = own_mask(thread->blocked), old;
	int sig;

	for (sig = 1; sig <= AGENT_NSIG; sig++) {
		struct agent_sigaction action;

		if (!own(sig) || hand->action[sig].handler != SIG_IGN)
			continue;
		action = kernel_action(sig, &hand->action[sig]);
		kernel_sigaction(sig, &action, NULL);
	}
	if (mask)
		agent_change_mask(area, SIG_UNBLOCK, &mask, &old);
}
