/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the descriptors of this process stand for, as far as bpf(2) on maps is concerned: one ticket
 * (rt/map_slot.h) for each number, asked of the supervisor at the second use of a descriptor and
 * remembered until something may have changed it.
 *
 * The kernel gives new descriptors only free numbers, so a number changes its meaning by being
 * closed or overwritten. Each call that does that passes here: it is made with `changing` counted
 * up and the tickets taken away before it, and `changes` counted up after it. A ticket that was
 * asked for meanwhile is not kept. The supervisor reads both counters with the calls that it serves
 * itself, and remembers descriptors by the same rule (gate/client.c). Calls from code that is not
 * rewritten are told by the supervisor (the epoch); where descriptors can change without a call of
 * this process, or where two processes or threads see this memory with different descriptors,
 * nothing is remembered any more (`off`). The table is wiped in a forked child, and a process that
 * shares this memory (vfork) is not its owner.
 */
#include "agent/fds.h"
#include "rt/map_slot.h"

#define CLONE_VM	    0x100u
#define CLONE_FILES	    0x400u
#define CLONE_THREAD	    0x10000u
#define CLONE_NEWPID	    0x20000000u
#define CLOSE_RANGE_UNSHARE 2u
#define CLOSE_RANGE_CLOEXEC 4u

/* Nothing is remembered any more in this process. */
static void forget_all(void)
{
	__atomic_store_n(&AGENT_FDS->head.off, 1, __ATOMIC_SEQ_CST);
}

void agent_fds_cloning(u64 flags)
{
	bool memory = flags & CLONE_VM, files = flags & CLONE_FILES;

	if ((files && !memory) || (memory && !files && flags & CLONE_THREAD) ||
	    (memory && flags & CLONE_NEWPID))
		forget_all();
}

static bool replace(u64 *word, u64 old, u64 new)
{
	return __atomic_compare_exchange_n(word, &old, new, false, __ATOMIC_SEQ_CST,
					   __ATOMIC_SEQ_CST);
}

/* The ticket of a descriptor that is used the second time, or 0. */
static u64 ask(struct agent_fds *fds, u32 fd)
{
	u32 changes = __atomic_load_n(&fds->head.changes, __ATOMIC_SEQ_CST);
	u64 question = (u64)__atomic_add_fetch(&fds->questions, 1, __ATOMIC_RELAXED) << 2 |
		       RT_TICKET_ASKED;
	struct agent_ticket attr = { .fd = fd };

	if (__atomic_load_n(&fds->head.changing, __ATOMIC_SEQ_CST) ||
	    !replace(&fds->tickets[fd], RT_TICKET_SEEN, question))
		return 0;
	if (agent_command(AGENT_TICKET, &attr, sizeof(attr)) != 0 ||
	    rt_ticket_kind(attr.ticket) != RT_TICKET_KNOWN ||
	    __atomic_load_n(&fds->head.changing, __ATOMIC_SEQ_CST) ||
	    __atomic_load_n(&fds->head.changes, __ATOMIC_SEQ_CST) != changes) {
		replace(&fds->tickets[fd], question, RT_TICKET_SEEN);
		return 0;
	}
	return replace(&fds->tickets[fd], question, attr.ticket) ? attr.ticket : 0;
}

u64 agent_fds_ticket(const struct agent_thread *thread, u32 fd)
{
	struct agent_fds *fds = AGENT_FDS;
	const struct rt_map_slots *slots = RT_CONTROL->map_slots;
	u64 ticket;
	u32 epoch;

	if (unlikely(!slots || fd >= AGENT_FDS_MAX ||
		     __atomic_load_n(&fds->head.off, __ATOMIC_SEQ_CST) ||
		     thread->tgid != fds->head.owner))
		return 0;
	epoch = __atomic_load_n(&slots->epoch, __ATOMIC_ACQUIRE);
	if (unlikely(epoch >= RT_DESCRIPTOR_EPOCHS))
		return 0;
	ticket = __atomic_load_n(&fds->tickets[fd], __ATOMIC_ACQUIRE);
	switch (rt_ticket_kind(ticket)) {
	case RT_TICKET_KNOWN:
		if (likely(rt_ticket_epoch(ticket) == epoch))
			return rt_ticket_access(ticket) ? ticket : 0;
		/* fallthrough */
	case RT_TICKET_NONE:
		__atomic_store_n(&fds->used, 1, __ATOMIC_SEQ_CST);
		replace(&fds->tickets[fd], ticket, RT_TICKET_SEEN);
		return 0;
	case RT_TICKET_SEEN: return ask(fds, fd);
	default: return 0; /* another thread asks */
	}
}

bool agent_fds_holds(u32 fd, u64 ticket)
{
	return __atomic_load_n(&AGENT_FDS->tickets[fd], __ATOMIC_ACQUIRE) == ticket;
}

void agent_fds_forget(u32 fd, u64 ticket)
{
	replace(&AGENT_FDS->tickets[fd], ticket, RT_TICKET_NONE);
}

static void take_away(struct agent_fds *fds, u32 first, u32 last)
{
	u32 fd;

	for (fd = first; fd <= last && fd < AGENT_FDS_MAX; fd++)
		if (READ_ONCE(fds->tickets[fd]))
			__atomic_store_n(&fds->tickets[fd], RT_TICKET_NONE, __ATOMIC_SEQ_CST);
}

static void change_begin(u32 first, u32 last)
{
	struct agent_fds *fds = AGENT_FDS;

	__atomic_add_fetch(&fds->head.changing, 1, __ATOMIC_SEQ_CST);
	/* If nothing is used yet, whoever asks later sees `changing`. */
	if (__atomic_load_n(&fds->used, __ATOMIC_SEQ_CST))
		take_away(fds, first, last);
}

static void change_end(void)
{
	__atomic_add_fetch(&AGENT_FDS->head.changes, 1, __ATOMIC_SEQ_CST);
	__atomic_sub_fetch(&AGENT_FDS->head.changing, 1, __ATOMIC_SEQ_CST);
}

/* Makes the call, which may change what the descriptors from first to last stand for. */
static enum agent_verdict change(struct agent_call *call, u32 first, u32 last)
{
	struct rt_pt_regs *regs = call->regs;

	change_begin(first, last);
	regs->ax = rt_syscall3(call->frame.nr, regs->di, regs->si, regs->dx);
	change_end();
	return AGENT_DONE;
}

void agent_fds_close_pending(void)
{
	struct agent_closes attr = { 0 };

	if (likely(!__atomic_load_n(&RT_CONTROL->agent->closing, __ATOMIC_ACQUIRE)))
		return;
	while (agent_command(AGENT_CLOSES, &attr, sizeof(attr)) == 0 && attr.nr &&
	       attr.nr <= AGENT_CLOSES_MAX) {
		for (u32 i = 0; i < attr.nr; i++) {
			change_begin(attr.fds[i], attr.fds[i]);
			rt_syscall3(__NR_close, attr.fds[i], 0, 0);
			change_end();
		}
	}
}

void agent_fds_attached(u32 fd)
{
	if (fd < AGENT_FDS_MAX)
		__atomic_or_fetch(&AGENT_FDS->attached[fd / 64], 1ull << (fd % 64),
				  __ATOMIC_RELAXED);
}

static bool take_attached(u32 fd)
{
	u64 bit = 1ull << (fd % 64), *word;

	if (fd >= AGENT_FDS_MAX)
		return false;
	word = &AGENT_FDS->attached[fd / 64];
	return (READ_ONCE(*word) & bit) && (__atomic_fetch_and(word, ~bit, __ATOMIC_RELAXED) & bit);
}

/* When close(2) of a link returns, its program is not attached any more. */
enum agent_verdict agent_do_close(struct agent_call *call)
{
	u32 fd = (u32)call->regs->di;
	bool attached = take_attached(fd);
	enum agent_verdict verdict = change(call, fd, fd);

	if (attached)
		agent_command(AGENT_CLOSED, NULL, 0);
	return verdict;
}

enum agent_verdict agent_do_dup_onto(struct agent_call *call)
{
	return change(call, (u32)call->regs->si, (u32)call->regs->si);
}

enum agent_verdict agent_do_close_range(struct agent_call *call)
{
	struct rt_pt_regs *regs = call->regs;

	if (regs->dx & CLOSE_RANGE_UNSHARE)
		forget_all();
	return regs->dx & CLOSE_RANGE_CLOEXEC ? AGENT_GO
					      : change(call, (u32)regs->di, (u32)regs->si);
}

/* A child of another pid namespace may have the same id as this process. */
enum agent_verdict agent_do_unshare(struct agent_call *call)
{
	if (call->regs->di & (CLONE_FILES | CLONE_NEWPID))
		forget_all();
	return AGENT_GO;
}

/* setns: as above; io_uring: descriptors are closed by requests in shared memory. */
enum agent_verdict agent_do_fds_off(struct agent_call *call)
{
	forget_all();
	return AGENT_GO;
}
