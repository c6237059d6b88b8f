/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The slow path of a system call: fires its events, lets the agent's own parts look at it, and says
 * how the thread goes on. The call itself is made on the application's stack with the application's
 * registers, holding neither area nor vCPU, so that it may block and be interrupted as ever.
 */
#include <linux/bpf.h>
#include <linux/ioctl.h>
#include "agent/agent.h"
#include "agent/fds.h"
#include "agent/special.h"
#include "rt/page_arena.h"

#define E_NOSYS 38
#define E_INTR	4
#define E_NOTTY 25
#define E_NODEV 19
#define USER_CS 0x33
#define USER_SS 0x2b

#define MADV_DONTFORK	    10
#define MREMAP_MAYMOVE	    1
#define MREMAP_FIXED	    2
#define MAP_FIXED	    0x10
#define MAP_FIXED_NOREPLACE 0x100000

static enum agent_verdict agent_do_notify(struct agent_call *call);
static enum agent_verdict agent_do_ioctl(struct agent_call *call);
static enum agent_verdict agent_do_arch_prctl(struct agent_call *call);
static enum agent_verdict agent_do_mlockall(struct agent_call *call);
static enum agent_verdict agent_do_exit(struct agent_call *call);
static enum agent_verdict agent_do_exec(struct agent_call *call);
static enum agent_verdict agent_do_poll(struct agent_call *call);
static enum agent_verdict agent_do_read(struct agent_call *call);

typedef enum agent_verdict (*special_fn)(struct agent_call *call);

static const special_fn specials[RT_SYSCALL_MAX] = {
#define ROW(name, function) [__NR_##name] = agent_do_##function,
	AGENT_SPECIAL(ROW) AGENT_DESCRIPTOR_SPECIAL(ROW) AGENT_READ_SPECIAL(ROW)
#undef ROW
};

u64 agent_stub_site(u64 sp, u64 *ret_skip)
{
	u64 ret = *(const u64 *)sp;
	const u8 *code = (const u8 *)ret;
	u32 head, back;
	s32 distance;

	if (ret == (u64)agent_trap_return || ret == (u64)agent_trap_return_go) {
		*ret_skip = 16 + (ret == (u64)agent_trap_return ? AGENT_RED_ZONE : 0);
		return ((const u64 *)sp)[1];
	}
	__builtin_memcpy(&head, code, 4);
	__builtin_memcpy(&distance, code + 3, 4);
	__builtin_memcpy(&back, code + 7, 4);
	*ret_skip = 8 + (back == AGENT_STUB_LEA_BACK ? AGENT_RED_ZONE : 0);
	return (head & 0xffffff) == AGENT_STUB_NOPL ? ret + (s64)distance : ret;
}

/* Fires with the registers as the kernel would show them, and puts the real ones back. */
static void fire(struct agent_call *call, bool enter)
{
	struct rt_pt_regs *regs = call->regs;
	u64 ax = regs->ax, sp = regs->sp, skipped;

	regs->orig_ax = call->frame.nr;
	regs->ip = agent_stub_site(sp, &skipped);
	regs->sp = sp + skipped;
	regs->cx = regs->ip;
	regs->r11 = regs->flags;
	regs->cs = USER_CS;
	regs->ss = USER_SS;
	if (enter) {
		regs->ax = (u64)-E_NOSYS;
		agent_fire_enter(call->thread, regs);
	} else {
		agent_fire_exit(call->thread, regs);
	}
	regs->ax = ax;
	regs->sp = sp;
}

static void push_frame(struct agent_call *call)
{
	struct rt_pt_regs *regs = call->regs;

	call->frame.size = sizeof(call->frame) + call->extra;
	regs->sp -= sizeof(call->frame);
	__builtin_memcpy((void *)regs->sp, &call->frame, sizeof(call->frame));
}

/* Prepares the area for the way out. */
static void leave(struct agent_call *call, enum agent_verdict verdict)
{
	switch (verdict) {
	case AGENT_GO:
		if (!(call->want & AGENT_WANT_EXIT)) {
			call->area->target = (u64)agent_syscall_direct;
			break;
		}
		/* fallthrough */
	case AGENT_FRAMED:
		push_frame(call);
		call->area->target = (u64)agent_syscall_framed;
		break;
	case AGENT_NOTIFY:
		call->frame.flags |= AGENT_NOTIFIED;
		push_frame(call);
		call->regs->ax = agent_notify_nr(call->frame.nr);
		call->area->target = (u64)agent_syscall_notify_framed;
		break;
	case AGENT_VFORK_CALL: call->area->target = (u64)agent_syscall_vfork; break;
	case AGENT_DONE:
		if (call->want & AGENT_WANT_EXIT)
			fire(call, false);
		call->area->target = (u64)agent_return;
		break;
	case AGENT_DONE_NO_STACK: break;
	}
}

void agent_on_enter(struct agent_area *area)
{
	struct agent_call call = { .area = area, .regs = &area->regs };
	enum agent_verdict verdict = AGENT_GO;

	call.frame.nr = (u32)area->regs.ax;
	if (call.frame.nr >= RT_SYSCALL_MAX) {
		area->target = (u64)agent_syscall_direct;
		return;
	}
	call.want = RT_CONTROL->agent->interest[call.frame.nr];
	call.thread = agent_thread_current();
	if (AGENT_THREADS_TABLE->quiet)
		call.want &= AGENT_WANT_SPECIAL;
	if (call.want & AGENT_WANT_ENTER)
		fire(&call, true);
	if (call.want & AGENT_WANT_SPECIAL && specials[call.frame.nr])
		verdict = specials[call.frame.nr](&call);
	leave(&call, verdict);
}

static void restore_arguments(struct agent_call *call)
{
	struct rt_pt_regs *regs = call->regs;
	struct agent_frame *frame = &call->frame;

	if (frame->flags & AGENT_SAVED_DI)
		regs->di = frame->saved[0];
	if (frame->flags & AGENT_SAVED_SI0)
		regs->si = frame->saved[0];
	if (frame->flags & AGENT_SAVED_R8)
		regs->r8 = frame->saved[0];
	if (frame->flags & AGENT_SAVED_R9)
		regs->r9 = frame->saved[0];
	if (frame->flags & AGENT_SAVED_SI1)
		regs->si = frame->saved[1];
	if (frame->flags & AGENT_SAVED_R10)
		regs->r10 = frame->saved[1];
	frame->flags &= AGENT_NOTIFIED;
}

/* The supervisor named arena memory in answer to mmap of an object: gives the client a mapping of
 * it. */
static void map_object(struct rt_pt_regs *regs)
{
	u64 length = regs->si, flags = regs->r10, wanted = regs->di, address, place;
	long ret;

	if (regs->ax < RT_ARENA_BASE || regs->ax >= RT_ARENA_BASE + RT_ARENA_SIZE)
		return;
	/* An arena has the same place in every process. */
	place = rt_page_arena_place_of(regs->ax);
	if (place && !(flags & MAP_FIXED)) {
		wanted = place;
		flags |= MAP_FIXED_NOREPLACE;
	}
	if (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) {
		if ((flags & MAP_FIXED_NOREPLACE) == MAP_FIXED_NOREPLACE) {
			/* Claim the place first, so that nothing else is replaced. */
			ret = rt_syscall6(__NR_mmap, wanted, length, 0, 0x22 | MAP_FIXED_NOREPLACE,
					  (u64)-1, 0);
			if (ret < 0) {
				regs->ax = ret;
				return;
			}
		}
		address = rt_syscall6(__NR_mremap, regs->ax, 0, length,
				      MREMAP_MAYMOVE | MREMAP_FIXED, wanted, 0);
	} else {
		address = rt_syscall6(__NR_mremap, regs->ax, 0, length, MREMAP_MAYMOVE, 0, 0);
	}
	if ((s64)address >= 0 || address < (u64)-4095) {
		ret = rt_syscall3(__NR_mprotect, address, length, regs->dx);
		if (ret < 0) {
			rt_syscall3(__NR_munmap, address, length, 0);
			address = ret;
		} else if (place) {
			rt_syscall3(__NR_madvise, address, length, MADV_DONTFORK);
		}
	}
	regs->ax = address;
}

/* Does the call give a descriptor by which a program is, or can be, attached to something? */
static bool attaches(u64 nr, u32 cmd)
{
	return nr == __NR_perf_event_open ||
	       (nr == __NR_bpf && (cmd == BPF_RAW_TRACEPOINT_OPEN || cmd == BPF_LINK_CREATE));
}

static enum agent_verdict after_notify(struct agent_call *call)
{
	struct rt_pt_regs *regs = call->regs;
	struct agent_frame *frame = &call->frame;

	if (!(frame->flags & AGENT_NOTIFIED))
		return AGENT_DONE;
	if (regs->ax == (u64)-E_INTR &&
	    (frame->kind == AGENT_KIND_OBJECT || frame->kind == AGENT_KIND_MMAP ||
	     frame->kind == AGENT_KIND_IOCTL)) {
		regs->ax = frame->nr;
		return AGENT_NOTIFY;
	}
	if (regs->ax == (u64)-AGENT_INTERRUPTED) {
		regs->ax = (u64)-E_INTR;
		return AGENT_DONE;
	}
	if (regs->ax == (u64)-E_NOSYS) {
		/* Nobody answers for the supervisor: what the kernel says is the answer. */
		regs->ax = frame->nr;
		frame->flags = 0;
		return AGENT_FRAMED;
	}
	if (frame->kind == AGENT_KIND_OBJECT && (s64)regs->ax >= 0) {
		AGENT_STATE->client = 1;
		if (attaches(frame->nr, (u32)regs->di))
			agent_fds_attached((u32)regs->ax);
	}
	if (frame->nr == __NR_bpf && (u32)regs->di == BPF_PROG_TEST_RUN)
		agent_fds_close_pending();
	if (frame->kind == AGENT_KIND_MMAP)
		map_object(regs);
	return AGENT_DONE;
}

void agent_on_after(struct agent_area *area)
{
	struct agent_call call = { .area = area, .regs = &area->regs };
	struct rt_pt_regs *regs = &area->regs;
	enum agent_verdict verdict = AGENT_DONE;
	bool fired;

	__builtin_memcpy(&call.frame, (void *)regs->sp, sizeof(call.frame));
	regs->sp += call.frame.size;
	fired = call.frame.flags & AGENT_EXIT_FIRED;
	restore_arguments(&call);
	switch (call.frame.kind) {
	case AGENT_KIND_FORK:
	case AGENT_KIND_CLONE: agent_cloned(&call); break;
	case AGENT_KIND_IOCTL:
		if (!(call.frame.flags & AGENT_NOTIFIED) && regs->ax == (u64)-E_NOTTY) {
			regs->ax = call.frame.nr;
			verdict = AGENT_NOTIFY;
			break;
		}
		verdict = after_notify(&call);
		break;
	case AGENT_KIND_EXEC:
		agent_command(AGENT_EXEC_FAILED, NULL, 0);
		agent_signal_exec_failed(area, agent_thread_current());
		verdict = after_notify(&call);
		break;
	case AGENT_KIND_STATFS: agent_statfs_done(&call); break;
	case AGENT_KIND_CHDIR: agent_chdir_done(&call); break;
	case AGENT_KIND_OPEN: agent_open_done(&call); break;
	default: verdict = after_notify(&call); break;
	}
	if (!call.thread)
		call.thread = agent_thread_current();
	if (call.thread->opened)
		agent_mask_done(call.thread);
	call.want = call.frame.nr < RT_SYSCALL_MAX ? RT_CONTROL->agent->interest[call.frame.nr] : 0;
	if (AGENT_THREADS_TABLE->quiet || fired)
		call.want = 0;
	leave(&call, verdict);
}

void agent_on_again(struct agent_area *area)
{
	struct agent_call call = { .area = area, .regs = &area->regs };
	struct rt_pt_regs *regs = &area->regs;
	u64 sp = regs->sp;

	__builtin_memcpy(&call.frame, (void *)sp, sizeof(call.frame));
	area->target = call.frame.flags & AGENT_NOTIFIED ? (u64)agent_syscall_notify_framed
							 : (u64)agent_syscall_framed;
	((struct agent_frame *)sp)->flags &= (u8)~AGENT_EXIT_FIRED;
	if (RT_CONTROL->agent->interest[call.frame.nr] & AGENT_WANT_ENTER) {
		call.thread = agent_thread_current();
		regs->sp = sp + call.frame.size;
		fire(&call, true);
		regs->sp = sp;
	}
}

/*
 * What the kernel shows as the result of an interrupted call: its own codes, of which programs see
 * EINTR (include/linux/errno.h: ERESTARTSYS 512, NOHAND 514, RESTARTBLOCK 516).
 */
static u64 interrupted_result(u32 nr, const struct rt_pt_regs *regs)
{
	switch (nr) {
	case __NR_epoll_wait:
	case __NR_epoll_pwait:
	case __NR_epoll_pwait2:
	case __NR_rt_sigtimedwait:
	case __NR_semop:
	case __NR_semtimedop:
	case __NR_io_getevents: return (u64)-4;
	case __NR_pause:
	case __NR_rt_sigsuspend:
	case __NR_select:
	case __NR_pselect6:
	case __NR_ppoll:
	case __NR_msgrcv:
	case __NR_msgsnd: return (u64)-514;
	case __NR_nanosleep:
	case __NR_poll: return (u64)-516;
	case __NR_clock_nanosleep: return regs->si & 1 ? (u64)-514 : (u64)-516;
	case __NR_futex: return regs->r10 ? (u64)-516 : (u64)-512;
	default: return (u64)-512;
	}
}

void agent_exit_early(struct rt_pt_regs *regs)
{
	struct agent_frame *frame = (struct agent_frame *)regs->sp;
	struct agent_call call = { .regs = regs, .frame = *frame };

	if (frame->kind != AGENT_KIND_PLAIN || frame->flags & AGENT_EXIT_FIRED ||
	    AGENT_THREADS_TABLE->quiet || frame->nr >= RT_SYSCALL_MAX ||
	    !(RT_CONTROL->agent->interest[frame->nr] & AGENT_WANT_EXIT))
		return;
	restore_arguments(&call);
	if (regs->ax == (u64)-E_INTR)
		regs->ax = interrupted_result(frame->nr, regs);
	call.thread = agent_thread_current();
	regs->sp += frame->size;
	fire(&call, false);
	frame->flags |= AGENT_EXIT_FIRED;
}

void agent_on_vforked(struct agent_area *area)
{
	struct agent_call call = { .area = area, .regs = &area->regs };
	struct rt_pt_regs *regs = &area->regs;
	struct agent_vfork *vfork = (struct agent_vfork *)regs->bx;

	call.frame = vfork->frame;
	regs->bx = vfork->bx;
	if (regs->ax) {
		/* The child ran on this stack: what lay below the application's pointer is gone. */
		*(u64 *)regs->sp = vfork->resume;
		__atomic_store_n(&vfork->used, 0, __ATOMIC_RELEASE);
	}
	agent_cloned(&call);
	call.want = RT_CONTROL->agent->interest[call.frame.nr];
	if (AGENT_THREADS_TABLE->quiet)
		call.want = 0;
	leave(&call, AGENT_DONE);
}

long agent_command_with(u32 cmd, u64 attr, u32 size, u64 d, u64 e, u64 f)
{
	long ret;

	do {
		ret = agent_notify_call((long)agent_notify_nr(__NR_bpf), cmd, attr, size, d, e, f);
	} while (ret == -E_INTR);
	return ret;
}

long agent_command(u32 cmd, void *attr, u32 size)
{
	return agent_command_with(cmd, (u64)attr, size, 0, 0, 0);
}

void agent_report(u32 kind, long error)
{
	struct agent_report report = { .kind = kind, .error = (s32)error };

	agent_command(AGENT_REPORT, &report, sizeof(report));
}

static enum agent_verdict agent_do_notify(struct agent_call *call)
{
	call->frame.kind = AGENT_KIND_OBJECT;
	return AGENT_NOTIFY;
}

static enum agent_verdict agent_do_ioctl(struct agent_call *call)
{
	if (_IOC_TYPE(call->regs->si) != '$')
		return AGENT_GO;
	call->frame.kind = AGENT_KIND_IOCTL;
	return AGENT_FRAMED;
}

static enum agent_verdict agent_do_poll(struct agent_call *call)
{
	return AGENT_STATE->client ? AGENT_NOTIFY : AGENT_GO;
}

/* What is no object's after all the supervisor sends back. */
static enum agent_verdict agent_do_read(struct agent_call *call)
{
	if (!agent_may_be_object(call->regs->di))
		return AGENT_GO;
	call->frame.kind = AGENT_KIND_OBJECT;
	return AGENT_NOTIFY;
}

static enum agent_verdict agent_do_exec(struct agent_call *call)
{
	agent_signal_before_exec(call->area, call->thread);
	call->frame.kind = AGENT_KIND_EXEC;
	return AGENT_NOTIFY;
}

static enum agent_verdict agent_do_exit(struct agent_call *call)
{
	bool group = call->frame.nr == __NR_exit_group;

	agent_fire_process_exit(call->thread, group);
	__atomic_store_n(&call->thread->tid, 0, __ATOMIC_RELEASE);
	call->want = 0; /* it does not return */
	return AGENT_GO;
}

static enum agent_verdict agent_do_arch_prctl(struct agent_call *call)
{
	struct rt_pt_regs *regs = call->regs;
	struct agent_thread *thread = call->thread;

	if (regs->di != 0x1002 /* ARCH_SET_FS */)
		return AGENT_GO;
	regs->ax = rt_syscall3(__NR_arch_prctl, regs->di, regs->si, regs->dx);
	if (!regs->ax) {
		__atomic_store_n(&thread->tid, 0, __ATOMIC_RELEASE);
		call->thread = agent_thread_register(thread->sighand, thread->blocked);
	}
	return AGENT_DONE;
}

/* Locking all memory would make the whole arena resident: lock what is touched (see Limits). */
static enum agent_verdict agent_do_mlockall(struct agent_call *call)
{
	struct rt_pt_regs *regs = call->regs;

	if (regs->di & ~7UL)
		return AGENT_GO;
	regs->ax = rt_syscall3(__NR_mlockall, regs->di | 4 /* MCL_ONFAULT */, 0, 0);
	return AGENT_DONE;
}
