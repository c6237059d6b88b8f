/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where an interrupted thread goes on: from any instruction of the agent's entry and exit code to a
 * point where it holds nothing and the application's handler may run, driven by agent_prologues and
 * the labels of x86_64/entry.S.
 */
#include <linux/sched.h>
#include "agent/signal.h"

#define TRAP_FLAG 0x100UL /* of a debugger that steps */

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

void agent_settle(struct agent_ucontext *uc)
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
			uc->eflags = *(u64 *)uc->sp & ~TRAP_FLAG;
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

void agent_settle_events(struct agent_ucontext *uc)
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

bool agent_emulate_trap(struct agent_ucontext *uc)
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
