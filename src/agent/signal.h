/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the parts that play with signals share: signal.c (arrival), disposition.c (what the
 * application asked for), mask.c (what it blocks), settle.c (where an interrupted thread goes on).
 */
#ifndef SKEP_AGENT_SIGNAL_H
#define SKEP_AGENT_SIGNAL_H

#include "agent/agent.h"

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

#define SI_KERNEL 0x80

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

static inline bool own(int sig)
{
	return sig > 0 && sig <= AGENT_NSIG && (BIT(sig) & OWN);
}

static inline u32 own_bits(u64 mask)
{
	return (mask & BIT(SIGTRAP) ? 1 : 0) | (mask & BIT(SIGBUS) ? 2 : 0) |
	       (mask & BIT(SIGSEGV) ? 4 : 0);
}

static inline u64 own_mask(u32 bits)
{
	return (bits & 1 ? BIT(SIGTRAP) : 0) | (bits & 2 ? BIT(SIGBUS) : 0) |
	       (bits & 4 ? BIT(SIGSEGV) : 0);
}

static inline long kernel_sigaction(int sig, const struct agent_sigaction *new,
				    struct agent_sigaction *old)
{
	return rt_syscall4(__NR_rt_sigaction, (u64)sig, (u64) new, (u64)old, 8);
}

static inline long kernel_sigmask(u64 how, const u64 *new, u64 *old)
{
	return rt_syscall4(__NR_rt_sigprocmask, how, (u64) new, (u64)old, 8);
}

static inline struct agent_sighand *sighand_of(const struct agent_thread *thread)
{
	return &AGENT_STATE->sighands[thread->sighand % AGENT_SIGHANDS];
}

/* The kernel-made sigset for a mask that the application wants: the own signals stay open. */
static inline u64 real_mask(u64 wanted)
{
	return wanted & ~OWN;
}

/* disposition.c: gives a signal back to the kernel's default. */
void agent_kernel_default(int sig);

/*
 * mask.c: rt_sigprocmask(2) as the application means it. Once a signal has been put off the
 * thread's real mask is "all", and the application's stands in the area until the drain.
 */
long agent_change_mask(struct agent_area *area, u64 how, const u64 *set, u64 *ret_old);

/*
 * settle.c: moves a thread that was interrupted on its way into the agent or out of it to the
 * nearest point where it holds nothing.
 */
void agent_settle(struct agent_ucontext *uc);
/*
 * The kernel fires a call's exit before the handler runs, and its entry once more when it makes the
 * call again afterwards. It leaves rcx as the syscall instruction set it, which tells a call that
 * is to be made again from one that was never begun.
 */
void agent_settle_events(struct agent_ucontext *uc);
/* An int3 that stands for a system call: goes on as the stub of the site would. False: it does not.
 */
bool agent_emulate_trap(struct agent_ucontext *uc);

#endif
