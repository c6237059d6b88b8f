/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fork, vfork, clone, clone3: the call returns twice, so what is left to do must be found from both
 * sides. With own memory the frame is simply copied along with the stack. With a new stack in
 * shared memory a second frame and the stub's return address are put on the child's stack. On the
 * same stack (vfork) the child overwrites the parent's frame, so that lies in private memory,
 * pointed to by a register that the kernel keeps for both.
 */
#include <linux/sched.h>
#include "agent/agent.h"
#include "agent/fds.h"

#define E_AGAIN 11

/* A process that shares memory but not dispositions needs a table of its own. False: none is free.
 */
static bool prepare(struct agent_call *call, u64 flags, u8 kind)
{
	struct agent_frame *frame = &call->frame;

	frame->kind = kind;
	frame->saved[1] = flags;
	frame->blocked = (u8)call->thread->blocked;
	frame->tid = call->thread->tid;
	frame->tgid = call->thread->tgid;
	frame->sighand = frame->child_sighand = call->thread->sighand;
	if ((flags & CLONE_VM) && !(flags & CLONE_SIGHAND)) {
		frame->child_sighand = agent_sighand_copy(frame->sighand);
		if (!frame->child_sighand)
			return false;
	}
	if ((flags & CLONE_VM) && !(flags & (CLONE_VFORK | CLONE_SETTLS)))
		AGENT_STATE->ambiguous = 1;
	return true;
}

static enum agent_verdict try_later(struct agent_call *call)
{
	call->regs->ax = (u64)-E_AGAIN;
	return AGENT_DONE;
}

static enum agent_verdict with_own_memory(struct agent_call *call, u64 flags)
{
	prepare(call, flags & CLONE_FILES, AGENT_KIND_FORK);
	return AGENT_FRAMED;
}

enum agent_verdict agent_do_fork(struct agent_call *call)
{
	return with_own_memory(call, 0);
}

static enum agent_verdict on_same_stack(struct agent_call *call, u64 flags)
{
	struct agent_state *state = AGENT_STATE;
	struct rt_pt_regs *regs = call->regs;
	u32 i;

	for (i = 0; i < AGENT_VFORKS; i++) {
		struct agent_vfork *vfork = &state->vforks[i];

		if (__atomic_exchange_n(&vfork->used, 1, __ATOMIC_ACQUIRE))
			continue;
		if (!prepare(call, flags, AGENT_KIND_VFORK)) {
			__atomic_store_n(&vfork->used, 0, __ATOMIC_RELEASE);
			break;
		}
		vfork->frame = call->frame;
		vfork->bx = regs->bx;
		vfork->resume = *(u64 *)regs->sp;
		regs->bx = (u64)vfork;
		return AGENT_VFORK_CALL;
	}
	return try_later(call);
}

enum agent_verdict agent_do_vfork(struct agent_call *call)
{
	return on_same_stack(call, CLONE_VM | CLONE_VFORK);
}

/*
 * Lays the child's frame below stack, the address its first instruction sees as stack pointer.
 * Returns the stack pointer to give the kernel.
 */
static u64 child_stack(struct agent_call *call, u64 stack)
{
	u64 parent = call->regs->sp, skip;

	agent_stub_site(parent, &skip);
	stack -= skip;
	memcpy((void *)stack, (void *)parent, skip < 16 ? skip : 16);
	stack -= sizeof(call->frame);
	call->frame.size = sizeof(call->frame);
	memcpy((void *)stack, &call->frame, sizeof(call->frame));
	return stack;
}

enum agent_verdict agent_do_clone(struct agent_call *call)
{
	struct rt_pt_regs *regs = call->regs;
	u64 flags = regs->di, stack = regs->si;

	agent_fds_cloning(flags);
	if (!(flags & CLONE_VM) && !stack)
		return with_own_memory(call, flags);
	if (!stack)
		return on_same_stack(call, flags);
	if (!prepare(call, flags, flags & CLONE_VM ? AGENT_KIND_CLONE : AGENT_KIND_FORK))
		return try_later(call);
	call->frame.flags = AGENT_SAVED_SI0;
	call->frame.saved[0] = stack;
	regs->si = child_stack(call, stack);
	return AGENT_FRAMED;
}

enum agent_verdict agent_do_clone3(struct agent_call *call)
{
	struct rt_pt_regs *regs = call->regs;
	struct clone_args args;
	u64 size = regs->si, top, copy;

	if (size < CLONE_ARGS_SIZE_VER0 || agent_copy_in(&args, regs->di, CLONE_ARGS_SIZE_VER0))
		return AGENT_GO; /* the kernel says what is wrong */
	agent_fds_cloning(args.flags);
	if (!(args.flags & CLONE_VM) && !args.stack)
		return with_own_memory(call, args.flags);
	if (!args.stack)
		return on_same_stack(call, args.flags);
	if (size > 512)
		return AGENT_GO;
	/* The kernel takes the stack from the structure: give it a changed copy below the frame. */
	copy = ALIGN_DOWN(regs->sp - size, 16);
	if (agent_copy_in((void *)copy, regs->di, size))
		return AGENT_GO;
	if (!prepare(call, args.flags, args.flags & CLONE_VM ? AGENT_KIND_CLONE : AGENT_KIND_FORK))
		return try_later(call);
	call->frame.flags = AGENT_SAVED_DI;
	call->frame.saved[0] = regs->di;
	top = child_stack(call, args.stack + args.stack_size);
	args.stack_size = top - args.stack;
	memcpy((void *)copy, &args, CLONE_ARGS_SIZE_VER0);
	regs->di = copy;
	call->extra = regs->sp - copy;
	regs->sp = copy;
	return AGENT_FRAMED;
}

/* Those under way in a process that forked do not come back here. */
static void forget_vforks(void)
{
	u32 i;

	for (i = 0; i < AGENT_VFORKS; i++)
		__atomic_store_n(&AGENT_STATE->vforks[i].used, 0, __ATOMIC_RELEASE);
}

static void in_child(struct agent_call *call)
{
	struct agent_frame *frame = &call->frame;

	call->thread = agent_thread_register(frame->child_sighand, frame->blocked);
	if (frame->child_sighand != frame->sighand)
		agent_sighand_own(frame->child_sighand, call->thread->tgid);
	agent_fds_cloning(frame->saved[1]);
	if (!(frame->saved[1] & CLONE_THREAD))
		agent_name_tracer();
	if (!(frame->saved[1] & CLONE_VM)) {
		agent_sighand_forked(frame->child_sighand);
		forget_vforks();
	}
	/* The parent sleeps until this process is gone, so the event comes from here. */
	if (frame->saved[1] & CLONE_VFORK)
		agent_fire_fork(call->thread->tid, frame->tid, frame->tgid, call->thread->tid);
}

static void in_parent(struct agent_call *call)
{
	struct agent_frame *frame = &call->frame;
	struct rt_pt_regs *regs = call->regs;
	u64 flags = frame->saved[1];

	if ((flags & CLONE_VM) && !(flags & CLONE_THREAD)) {
		/* The child may have had this thread pointer's entry. */
		call->thread = agent_thread_register(frame->sighand, frame->blocked);
		if (frame->child_sighand != frame->sighand &&
		    ((flags & CLONE_VFORK) || (s64)regs->ax < 0))
			agent_sighand_free(frame->child_sighand);
	} else {
		call->thread = agent_thread_current();
	}
	if ((s64)regs->ax > 0 && !(flags & CLONE_VFORK))
		agent_fire_fork(frame->tid, frame->tid, frame->tgid, (u32)regs->ax);
}

void agent_cloned(struct agent_call *call)
{
	if (call->regs->ax == 0)
		in_child(call);
	else
		in_parent(call);
}
