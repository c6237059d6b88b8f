/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signals. The kernel calls agent_signal() for every signal that the application handles, and for
 * SIGSEGV, SIGBUS and SIGTRAP always; what the application asked for stands in a table of virtual
 * dispositions. The invariant: no handler of the application runs while its thread is in the agent
 * (holding an area or a vCPU). A signal that arrives there is sent to the thread again, all signals
 * are blocked, and on the way out (agent_signal_drain) they are unblocked in a place where the
 * handler finds the application's own stack and registers.
 *
 * The three own signals are never blocked really, since a fault of the data plane must be handled
 * at any time; the application sees its mask as if they were.
 */
#include "agent/signal.h"
#include "rt/helper.h"

#define E_NOSYS	    38
#define NESTING_MAX 32

static u32 own_index(int sig)
{
	return sig == SIGTRAP ? 0 : sig == SIGBUS ? 1 : 2;
}

/*
 * As the kernel shows it: the entry with the handler's registers, and an exit of no system call,
 * since by then the registers are those of the interrupted code. The stack pointer is at the
 * ucontext.
 */
void agent_on_sigreturn(struct agent_area *area)
{
	const struct agent_ucontext *uc = (const struct agent_ucontext *)area->regs.sp;
	struct agent_thread *thread = agent_thread_current();
	u8 want = RT_CONTROL->agent->interest[__NR_rt_sigreturn];
	struct rt_pt_regs regs = area->regs;

	area->target = (u64)agent_sigreturn;
	regs.cs = 0x33;
	regs.ss = 0x2b;
	regs.orig_ax = __NR_rt_sigreturn;
	regs.ax = (u64)-E_NOSYS;
	regs.ip = regs.cx = (u64)agent_sigreturn_ip;
	if (want & AGENT_WANT_ENTER)
		agent_fire_enter(thread, &regs);
	regs.orig_ax = ~0UL;
	if ((want & AGENT_WANT_EXIT) && !agent_copy_in(&regs.ax, (u64)&uc->ax, sizeof(regs.ax)))
		agent_fire_exit(thread, &regs);
}

/* Sends the signal to this thread once more, as it was. */
static void send_again(int sig, struct agent_siginfo *info)
{
	u32 pid = rt_sys_getpid(), tid = rt_sys_gettid();

	if (rt_syscall4(__NR_rt_tgsigqueueinfo, pid, tid, (u64)sig, (u64)info) < 0)
		rt_syscall3(__NR_tgkill, pid, tid, (u64)sig);
}

static struct agent_area *area_around(u64 sp)
{
	u64 offset = sp - 1 - (RT_PRIVATE_BASE + AGENT_AREAS_OFFSET);

	if (offset >= (u64)AGENT_AREAS << AGENT_AREA_SHIFT)
		return NULL;
	return AGENT_AREA_AT(offset >> AGENT_AREA_SHIFT);
}

/* From the area's registers to the state that agent_resume_switched expects. */
static void resume_context(struct agent_ucontext *uc, struct agent_area *area)
{
	const struct rt_pt_regs *regs = &area->regs;

	uc->r15 = regs->r15;
	uc->r14 = regs->r14;
	uc->r13 = regs->r13;
	uc->r12 = regs->r12;
	uc->bp = regs->bp;
	uc->bx = regs->bx;
	uc->r10 = regs->r10;
	uc->r9 = regs->r9;
	uc->r8 = regs->r8;
	uc->ax = regs->ax;
	uc->dx = regs->dx;
	uc->si = regs->si;
	uc->di = regs->di;
	uc->eflags = regs->flags;
	uc->sp = regs->sp;
	uc->r11 = (u64)area;
	uc->cx = area->target;
	uc->ip = (u64)agent_resume_switched;
}

/* A signal met the thread inside the agent. */
static void put_off(int sig, struct agent_siginfo *info, struct agent_ucontext *uc,
		    struct agent_area *area)
{
	send_again(sig, info);
	if (area->draining) {
		area->draining = 0;
		area->pending = 0;
		uc->mask = area->saved_mask;
		resume_context(uc, area);
		return;
	}
	if (!area->pending) {
		area->saved_mask = uc->mask;
		area->pending = 1;
		if (area->sigmask_state == SIGMASK_CALLING && uc->ip != (u64)agent_sigmask_done)
			area->came_late = 1;
	}
	uc->mask = own(sig) ? ~0UL : ~OWN;
	if (uc->ip >= (u64)agent_resume && uc->ip < (u64)agent_resume_switched)
		uc->ip = (u64)agent_recheck;
}

void agent_signal_drain(struct agent_area *area)
{
	/* The first handler that this lets in finds draining set and does not come back here. */
	WRITE_ONCE(area->draining, 1);
	kernel_sigmask(SIG_SETMASK, &area->saved_mask, NULL);
	/* In this order: a signal in between still finds draining set. */
	WRITE_ONCE(area->pending, 0);
	WRITE_ONCE(area->draining, 0);
}

/*
 * Did the application's handler run into the same signal again, as the kernel would not have let
 * it? The frame of a handler that has returned may still lie there untouched, so a few times prove
 * nothing; a handler that fails for ever must end.
 */
static bool nested(struct agent_thread *thread, int sig, const struct agent_ucontext *uc)
{
	u32 i = own_index(sig);
	u64 frame = thread->handling[i];

	if (!frame || uc->sp > frame || frame - uc->sp > (1UL << 20))
		thread->nesting[i] = 0;
	else if (thread->nesting[i] < NESTING_MAX)
		thread->nesting[i]++;
	return thread->nesting[i] == NESTING_MAX;
}

/* One of the own signals that is the application's; false: it is dealt with. */
static bool own_signal(struct agent_thread *thread, int sig, struct agent_siginfo *info,
		       struct agent_ucontext *uc, const struct agent_sigaction *action)
{
	/* A breakpoint is behind the thread already: it would not happen once more. */
	bool fault = info->code > 0 && sig != SIGTRAP;
	bool blocked = (own_bits(BIT(sig)) & thread->blocked & ~thread->opened) ||
		       (nested(thread, sig, uc) && !(action->flags & SA_NODEFER));

	if (action->handler > SIG_IGN && !blocked)
		return true;
	if (!fault && action->handler == SIG_IGN)
		return false;
	if (!fault && blocked) {
		send_again(sig, info);
		uc->mask |= BIT(sig);
		return false;
	}
	/* The kernel's own end for it: the fault happens once more, or the signal is sent once
	 * more. */
	agent_kernel_default(sig);
	if (!fault)
		send_again(sig, info);
	uc->mask &= ~BIT(sig);
	return false;
}

/* Lets the application's handler run next, on the frame as the kernel laid it out. */
static void *deliver(int sig, struct agent_siginfo *info, struct agent_ucontext *uc)
{
	struct agent_thread *thread = agent_thread_current();
	struct agent_sigaction *virtual = &sighand_of(thread)->action[sig];
	struct agent_sigaction action = *virtual;
	u64 mask;

	if (own(sig)) {
		if (!own_signal(thread, sig, info, uc, &action))
			return NULL;
		thread->handling[own_index(sig)] = (u64)uc;
	}
	if (action.handler == SIG_IGN)
		return NULL;
	if (action.handler == SIG_DFL) {
		/* Another thread changed it since the kernel chose this handler. */
		if (!own(sig))
			agent_kernel_default(sig);
		send_again(sig, info);
		return NULL;
	}
	if (action.flags & SA_RESETHAND) {
		virtual->handler = SIG_DFL;
		if (!own(sig))
			agent_kernel_default(sig);
	}
	thread->opened = 0; /* such calls end with the first handler */
	agent_settle_events(uc);
	mask = uc->mask | action.mask;
	if (!(action.flags & SA_NODEFER))
		mask |= BIT(sig);
	mask = real_mask(mask);
	kernel_sigmask(SIG_SETMASK, &mask, NULL);
	return (void *)action.handler;
}

void *agent_signal(int sig, void *siginfo, void *context)
{
	struct agent_siginfo *info = siginfo;
	struct agent_ucontext *uc = context;
	struct agent_area *area;

	if (own(sig) && info->code > 0) {
		u64 fixup = rt_exception_fixup(uc->ip);

		if (fixup && sig != SIGTRAP) {
			uc->ip = fixup;
			return NULL;
		}
		if (sig == SIGTRAP && info->code == SI_KERNEL && agent_emulate_trap(uc))
			return NULL;
	}
	area = area_around(uc->sp);
	if (area && !(own(sig) && info->code > 0)) {
		put_off(sig, info, uc, area);
		return NULL;
	}
	agent_settle(uc);
	return deliver(sig, info, uc);
}
