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
#include <linux/sched.h>
#include "agent/agent.h"
#include "rt/helper.h"

#define SIGTRAP 5
#define SIGBUS	7
#define SIGKILL 9
#define SIGSEGV 11
#define SIGSTOP 19

#define BIT(sig) (1UL << ((sig)-1))
#define OWN	 (BIT(SIGSEGV) | BIT(SIGBUS) | BIT(SIGTRAP))

#define SIG_DFL 0UL
#define SIG_IGN 1UL

#define SA_SIGINFO   4UL
#define SA_RESTORER  0x04000000UL
#define SA_ONSTACK   0x08000000UL
#define SA_NODEFER   0x40000000UL
#define SA_RESETHAND 0x80000000UL

#define SIG_BLOCK   0
#define SIG_UNBLOCK 1
#define SIG_SETMASK 2

#define SI_KERNEL   0x80
#define E_SRCH	    3
#define E_NOSYS	    38
#define E_FAULT	    14
#define E_INVAL	    22
#define NESTING_MAX 32

/* What the kernel puts on the stack, as far as the agent looks at it (asm/sigcontext.h,
 * asm/ucontext.h). */
struct agent_siginfo {
	s32 signo, error, code, pad;
	u8 rest[112];
};

struct agent_ucontext {
	u64 flags, link;
	u64 stack[3];
	u64 r8, r9, r10, r11, r12, r13, r14, r15, di, si, bp, bx, dx, ax, cx, sp, ip, eflags;
	u64 segments, err, trap, old_mask, cr2;
	u64 fpstate;
	u64 reserved[8];
	u64 mask;
};

/* A thread changes its mask, and a signal that is put off changes it too. */
enum agent_sigmask_state {
	SIGMASK_IDLE, /* must be 0: agent_sigmask_call() stores it */
	SIGMASK_CALLING,
};

static bool own(int sig)
{
	return sig > 0 && sig <= AGENT_NSIG && (BIT(sig) & OWN);
}

static u32 own_bits(u64 mask)
{
	return (mask & BIT(SIGTRAP) ? 1 : 0) | (mask & BIT(SIGBUS) ? 2 : 0) |
	       (mask & BIT(SIGSEGV) ? 4 : 0);
}

static u64 own_mask(u32 bits)
{
	return (bits & 1 ? BIT(SIGTRAP) : 0) | (bits & 2 ? BIT(SIGBUS) : 0) |
	       (bits & 4 ? BIT(SIGSEGV) : 0);
}

static u32 own_index(int sig)
{
	return sig == SIGTRAP ? 0 : sig == SIGBUS ? 1 : 2;
}

static long kernel_sigaction(int sig, const struct agent_sigaction *new,
			     struct agent_sigaction *old)
{
	return rt_syscall4(__NR_rt_sigaction, (u64)sig, (u64) new, (u64)old, 8);
}

static long kernel_sigmask(u64 how, const u64 *new, u64 *old)
{
	return rt_syscall4(__NR_rt_sigprocmask, how, (u64) new, (u64)old, 8);
}

static void kernel_default(int sig)
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

/* The kernel-made sigset for a mask that the application wants: the own signals stay open. */
static u64 real_mask(u64 wanted)
{
	return wanted & ~OWN;
}

void agent_block_all(void)
{
	u64 all = ~0UL;

	kernel_sigmask(SIG_SETMASK, &all, NULL);
}

static struct agent_sighand *sighand_of(const struct agent_thread *thread)
{
	return &AGENT_STATE->sighands[thread->sighand % AGENT_SIGHANDS];
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

static void free_area(struct agent_area *area)
{
	__atomic_store_n(&area->owner, 0, __ATOMIC_RELEASE);
}

/*
 * Two processes with one memory use one entry of the thread table in turn (clone.c). A signal may
 * come after the call has returned and before that is put right.
 */
static void settle_cloned(const struct agent_ucontext *uc, const struct agent_frame *frame)
{
	bool child = !uc->ax;

	if ((frame->saved[1] & (CLONE_VM | CLONE_THREAD)) == CLONE_VM)
		agent_thread_register(child ? frame->child_sighand : frame->sighand,
				      frame->blocked);
}

/*
 * Moves a thread that was interrupted on its way into the agent or out of it to the nearest point
 * where it holds nothing.
 */
static void settle(struct agent_ucontext *uc)
{
	const struct agent_frame *frame;
	const u64 *row;
	u64 ip = uc->ip;

	if (ip >= (u64)agent_resume_switched && ip < (u64)agent_resume_end) {
		if (ip < (u64)agent_resume_released)
			free_area((struct agent_area *)uc->r11);
		uc->ip = uc->cx;
		return;
	}
	/* Served by the supervisor: back to where every call with a frame ends. */
	if (ip == (u64)agent_notify_ip) {
		uc->sp += 8;
		uc->ip = (u64)agent_syscall_framed_done;
		return;
	}
	for (row = agent_prologues; row < agent_prologues_end; row += 5) {
		if (ip < row[0] || ip >= row[4])
			continue;
		if (ip >= row[3] || (ip >= row[2] && !(u32)uc->cx))
			free_area((struct agent_area *)uc->r11);
		if (ip >= row[1]) {
			uc->eflags = *(u64 *)uc->sp;
			uc->sp += 8;
			uc->ip = row[0];
		}
		frame = (const struct agent_frame *)uc->sp;
		if (row[0] == (u64)agent_syscall_vfork_done)
			settle_cloned(uc, &((const struct agent_vfork *)uc->bx)->frame);
		else if (row[0] == (u64)agent_syscall_framed_done &&
			 frame->kind == AGENT_KIND_CLONE)
			settle_cloned(uc, frame);
		return;
	}
}

/* An area for the handler itself, whose own stack may be a small one. Signals are all blocked. */
static struct agent_area *claim_area(void)
{
	u32 i;

	for (i = 0;; i = (i + 1) % AGENT_AREAS) {
		if (!__atomic_exchange_n(&AGENT_AREA_AT(i)->owner, 1, __ATOMIC_ACQUIRE))
			return AGENT_AREA_AT(i);
		__builtin_ia32_pause();
	}
}

static void exit_early(void *regs)
{
	agent_exit_early(regs);
}

static void fire_exit_early(const struct agent_ucontext *uc, u64 result)
{
	struct agent_area *area = claim_area();

	area->regs = (struct rt_pt_regs){ .r15 = uc->r15,
					  .r14 = uc->r14,
					  .r13 = uc->r13,
					  .r12 = uc->r12,
					  .bp = uc->bp,
					  .bx = uc->bx,
					  .r10 = uc->r10,
					  .r9 = uc->r9,
					  .r8 = uc->r8,
					  .ax = result,
					  .dx = uc->dx,
					  .si = uc->si,
					  .di = uc->di,
					  .flags = uc->eflags,
					  .sp = uc->sp };
	agent_call_on(area + 1, exit_early, &area->regs);
	free_area(area);
}

/*
 * The kernel fires a call's exit before the handler runs, and its entry once more when it makes the
 * call again afterwards. It leaves rcx as the syscall instruction set it, which tells a call that
 * is to be made again from one that was never begun.
 */
static void settle_events(struct agent_ucontext *uc)
{
	const struct agent_frame *frame = (const struct agent_frame *)uc->sp;

	if (uc->ip == (u64)agent_syscall_framed_done) {
		fire_exit_early(uc, uc->ax);
	} else if (uc->ip == (u64)agent_syscall_framed &&
		   uc->cx == (u64)agent_syscall_framed_done && frame->kind == AGENT_KIND_PLAIN) {
		fire_exit_early(uc, (u64)-512 /* ERESTARTSYS */);
		uc->ip = (u64)agent_again_start;
	} else if (uc->ip == (u64)agent_notify && uc->cx == (u64)agent_notify_ip &&
		   ((const struct agent_frame *)(uc->sp + 8))->kind == AGENT_KIND_PLAIN) {
		uc->sp += 8;
		fire_exit_early(uc, (u64)-512);
		uc->ip = (u64)agent_again_start;
	} else if (uc->ip == (u64)agent_syscall_direct &&
		   uc->cx == (u64)agent_syscall_direct_done && uc->ax < RT_SYSCALL_MAX &&
		   (RT_CONTROL->agent->interest[uc->ax] & AGENT_WANT_ENTER)) {
		uc->ip = (u64)agent_syscall_entry;
	}
}

/* An int3 that stands for a system call: goes on as the stub of the site would. */
static bool emulate_trap(struct agent_ucontext *uc)
{
	const struct agent_loaded *module = agent_module_at(uc->ip - 1);
	u64 offset, *words;
	u32 low = 0, high;
	bool small_stack;

	if (!module)
		return false;
	offset = uc->ip - 1 - module->start + module->file_offset;
	high = module->nr_sites;
	while (low < high) {
		u32 middle = low + (high - low) / 2;

		if (module->sites[middle].offset < offset)
			low = middle + 1;
		else
			high = middle;
	}
	if (low >= module->nr_sites || module->sites[low].offset != offset ||
	    module->sites[low].kind != AGENT_SITE_TRAP)
		return false;
	if (module->sites[low].flags & AGENT_SITE_EXIT) {
		uc->ip = (u64)agent_exit_entry;
		return true;
	}
	small_stack = module->sites[low].flags & AGENT_SITE_SMALL_STACK;
	uc->sp -= 16 + (small_stack ? 0 : AGENT_RED_ZONE);
	words = (u64 *)uc->sp;
	words[0] = small_stack ? (u64)agent_trap_return_go : (u64)agent_trap_return;
	words[1] = uc->ip + 1; /* past the two bytes of syscall */
	uc->ip = (u64)agent_syscall_entry;
	return true;
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
	bool blocked = (own_bits(BIT(sig)) & thread->blocked) ||
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
	kernel_default(sig);
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
			kernel_default(sig);
		send_again(sig, info);
		return NULL;
	}
	if (action.flags & SA_RESETHAND) {
		virtual->handler = SIG_DFL;
		if (!own(sig))
			kernel_default(sig);
	}
	settle_events(uc);
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
		if (sig == SIGTRAP && info->code == SI_KERNEL && emulate_trap(uc))
			return NULL;
	}
	area = area_around(uc->sp);
	if (area && !(own(sig) && info->code > 0)) {
		put_off(sig, info, uc, area);
		return NULL;
	}
	settle(uc);
	return deliver(sig, info, uc);
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

static u64 changed_mask(u64 how, u64 old, u64 set)
{
	switch (how) {
	case SIG_BLOCK: return old | set;
	case SIG_UNBLOCK: return old & ~set;
	default: return set;
	}
}

/*
 * rt_sigprocmask(2) as the application means it. Once a signal has been put off the thread's real
 * mask is "all", and the application's stands in the area until the drain.
 */
static long change_mask(struct agent_area *area, u64 how, const u64 *set, u64 *ret_old)
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
	if (regs->si) {
		if (agent_copy_in(&set, regs->si, 8)) {
			regs->ax = (u64)-E_FAULT;
			return AGENT_DONE;
		}
		/* One that was sent to a thread that blocks it waits in the kernel until now. */
		real = (u32)regs->di == SIG_UNBLOCK ? set : real_mask(set);
		bits = own_bits(set);
	}
	regs->ax = change_mask(call->area, regs->di, regs->si ? &real : NULL, &old);
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

/* Blocking calls that install a mask: a changed copy, in memory that stays until the call is over.
 */
static bool open_mask(struct agent_thread *thread, u64 address, u64 size)
{
	u64 set;

	if (!address || size != 8 || agent_copy_in(&set, address, 8) || !(set & OWN))
		return false;
	thread->sigset = real_mask(set);
	return true;
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
		change_mask(area, SIG_BLOCK, &mask, &old);
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
		change_mask(area, SIG_UNBLOCK, &mask, &old);
}
