/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The agent's parts among themselves. Everything here runs in the traced process, on an area's
 * stack (layout.h) unless it says otherwise, with the application's signals put off until it is
 * done.
 */
#ifndef SKEP_AGENT_AGENT_H
#define SKEP_AGENT_AGENT_H

#include "agent/layout.h"
#include "agent/protocol.h"
#include "agent/slot.h"
#include "rt/arena.h"
#include "rt/event.h"
#include "rt/mem.h"
#include "rt/sys.h"

#define AGENT_NSIG 64

/* struct sigaction as rt_sigaction(2) takes it on x86-64. */
struct agent_sigaction {
	u64 handler, flags, restorer, mask;
};

/* Dispositions as the application set them: one table a sighand_struct of the kernel. */
struct agent_sighand {
	u32 used;
	u32 owner; /* the process whose table it is; 0: not known yet */
	struct agent_sigaction action[AGENT_NSIG + 1];
};
#define AGENT_SIGHANDS 16

/* One thread; found by its thread pointer. Wiped in forked children. */
struct agent_thread {
	u64 key; /* fs base | 1; 0: never used */
	u32 tid; /* 0: gone */
	u32 tgid;
	u32 sighand; /* index of its dispositions */
	u32 blocked; /* own signals that the application thinks are blocked: bits as own_bit() */
	u64 sigset;  /* copies for calls that take a set of signals and block */
	u64 sigset_arg[2];
	u64 handling[3]; /* where the frames of the last handlers of own signals lie */
	u32 nesting[3];	 /* how often in a row such a signal came on top of such a frame */
	u32 opened; /* own signals that the call under way opens, though blocked: bits as own_bit()
		     */
	u64 spare[5];
};
_Static_assert(sizeof(struct agent_thread) == 128, "thread");
#define AGENT_THREADS 4096

struct agent_threads {
	u32 lock;  /* of agent_state.loaded; here, since a child must find it free */
	u32 begun; /* rt_process_begin() was called in this process */
	u32 quiet; /* no event from this process; its forked children are not quiet */
	u32 unused[29];
	struct agent_thread slots[AGENT_THREADS];
};
/* What the process's descriptors stand for (fds.c). */
#define AGENT_FDS_MAX 4096u
struct agent_fds {
	struct agent_fds_head head;
	u32 used;      /* some ticket is not 0 */
	u32 questions; /* asked so far */
	u64 tickets[AGENT_FDS_MAX];
	u64 slots; /* address of the process's call slots (slot.c) */
	u32 slot_used[AGENT_SLOTS];
	u64 attached[AGENT_FDS_MAX / 64]; /* descriptors by which something is attached */
};
#define AGENT_FDS_OFFSET (AGENT_THREADS_OFFSET + 0x90000)
#define AGENT_FDS	 ((struct agent_fds *)(RT_PRIVATE_BASE + AGENT_FDS_OFFSET))
_Static_assert(AGENT_FDS_ADDRESS == RT_PRIVATE_BASE + AGENT_FDS_OFFSET, "fds");
_Static_assert(AGENT_FDS_OFFSET + sizeof(struct agent_fds) <= AGENT_STATE_OFFSET, "fds");

#define AGENT_THREADS_TABLE ((struct agent_threads *)(RT_PRIVATE_BASE + AGENT_THREADS_OFFSET))

/* A mapping whose system-call sites are rewritten. */
struct agent_loaded {
	u64 start, end; /* 0, 0: free */
	u64 file_offset;
	const struct agent_site *sites;
	u32 nr_sites;
	u32 flags;
	u64 stubs, stubs_size;
};
#define AGENT_LOADED_MAX 512

/*
 * What is left to do after a call, on the application's stack below the stub's return address, or
 * for vfork in agent_state.vforks.
 */
struct agent_frame {
	u32 nr;
	u8 kind; /* enum agent_kind */
	u8 flags;
	u16 size;      /* bytes to take off the stack */
	u64 saved[2];  /* argument registers to restore, see flags; for clone saved[1] is its flags
			*/
	u32 tid, tgid; /* of the caller, for clone */
	u8 sighand, child_sighand, blocked;
	u8 unused[5];
};

struct agent_vfork {
	u32 used;
	u32 unused;
	u64 bx, resume;
	struct agent_frame frame;
};
#define AGENT_VFORKS 128

enum agent_kind {
	AGENT_KIND_PLAIN,  /* nothing but the exit event and restored arguments */
	AGENT_KIND_FORK,   /* own memory */
	AGENT_KIND_CLONE,  /* shared memory, new stack */
	AGENT_KIND_VFORK,  /* shared memory and stack */
	AGENT_KIND_OBJECT, /* bpf, perf_event_open: a descriptor makes the process a client */
	AGENT_KIND_IOCTL,
	AGENT_KIND_MMAP,
	AGENT_KIND_EXEC,
	AGENT_KIND_STATFS,
	AGENT_KIND_CHDIR,
	AGENT_KIND_OPEN, /* of what may be a pinned iterator */
};

/* Which argument registers saved[] restores: flags. */
#define AGENT_SAVED_DI	 1   /* in saved[0] */
#define AGENT_SAVED_SI0	 2   /* in saved[0] */
#define AGENT_SAVED_SI1	 4   /* in saved[1] */
#define AGENT_SAVED_R10	 8   /* in saved[1] */
#define AGENT_SAVED_R8	 16  /* in saved[0] */
#define AGENT_SAVED_R9	 32  /* in saved[0] */
#define AGENT_EXIT_FIRED 128 /* its exit was an event before a signal handler ran */
#define AGENT_NOTIFIED	 64  /* went to the supervisor */

struct agent_state {
	u32 client;    /* it has had descriptors of objects */
	u32 fsgsbase;  /* rdfsbase works */
	u32 ambiguous; /* two processes of this memory share a thread pointer: ask for thread ids */
	u64 foreign_pid_ns;
	u64 start_boot_ns; /* when the process began; 0: now */
	struct agent_sighand sighands[AGENT_SIGHANDS];
	struct agent_vfork vforks[AGENT_VFORKS];
	struct agent_loaded loaded[AGENT_LOADED_MAX];
	u32 nr_loaded; /* rows beyond it were never used */
	u32 unused0;
	u32 strings_used;
	u32 unused;
	char strings[256 << 10];
};
#define AGENT_STATE ((struct agent_state *)(RT_PRIVATE_BASE + AGENT_STATE_OFFSET))

_Static_assert(sizeof(struct agent_state) <= AGENT_STATE_SIZE, "state");
_Static_assert(sizeof(struct agent_threads) <= AGENT_FDS_OFFSET - AGENT_THREADS_OFFSET, "threads");
_Static_assert(AGENT_AREAS *AGENT_AREA_SIZE <= AGENT_THREADS_OFFSET - AGENT_AREAS_OFFSET, "areas");

/* One system call on its way. */
struct agent_call {
	struct agent_area *area;
	struct rt_pt_regs *regs; /* the application's; sp points to the stub's return address */
	struct agent_thread *thread;
	struct agent_frame frame;
	u32 want;  /* AGENT_WANT_* */
	u32 extra; /* bytes already taken on the application's stack for the call */
};

/* What a part of the agent says about a call. */
enum agent_verdict {
	AGENT_GO,	     /* make it as it is */
	AGENT_DONE,	     /* it is made, regs->ax holds the result */
	AGENT_DONE_NO_STACK, /* the same, and the application's stack is gone */
	AGENT_FRAMED,	     /* make it, then agent_on_after with call->frame */
	AGENT_NOTIFY,	     /* the same through the supervisor */
	AGENT_VFORK_CALL,
};

/* What a stub holds at its return address: agent_stub_site() reads it. */
#define AGENT_STUB_NOPL	    0x801f0fu	/* nopl disp32(%rax): from here to the site's end */
#define AGENT_STUB_LEA_BACK 0x24a48d48u /* lea disp32(%rsp), %rsp: back over the red zone */

/*
 * The end of the system-call instruction that a call came from, given the stack pointer at which
 * the stub's return address lies; *ret_skip: what to add to that for the application's stack
 * pointer.
 */
u64 agent_stub_site(u64 sp, u64 *ret_skip);

/* Assembly (x86_64/entry.S): addresses, and calls with the C calling convention. */
extern const char agent_syscall_entry[], agent_exit_entry[], agent_syscall_direct[],
	agent_syscall_direct_done[], agent_syscall_framed[], agent_syscall_framed_done[],
	agent_syscall_vfork[], agent_syscall_vfork_done[], agent_syscall_notify_framed[],
	agent_notify_ip[], agent_resume[], agent_resume_switched[], agent_resume_released[],
	agent_resume_end[], agent_recheck[], agent_return[], agent_trap_return[],
	agent_trap_return_go[], agent_signal_entry[], agent_restorer[], agent_restore_rt[],
	agent_sigreturn_ip[], agent_sigreturn[];
extern const u64 agent_prologues[], agent_prologues_end[];
void agent_call_on(void *stack_top, void (*function)(void *), void *argument);
extern const char agent_notify[], agent_again_start[];
long agent_sigmask_call(u64 how, const u64 *set, u64 *old, u32 *state);
extern const char agent_sigmask_done[];
/* The number under which a call reaches the supervisor (AGENT_FOR_BPF). */
static inline u64 agent_notify_nr(u64 nr)
{
	if (likely(!READ_ONCE(RT_CONTROL->agent->denied)))
		return nr;
	switch (nr) {
	case __NR_bpf: return AGENT_FOR_BPF;
	case __NR_perf_event_open: return AGENT_FOR_PERF_EVENT_OPEN;
	default: return nr;
	}
}

long agent_notify_call(long nr, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f);

/* syscall.c: called from assembly; the area says the rest. */
void agent_on_enter(struct agent_area *area);
void agent_on_after(struct agent_area *area);
void agent_on_vforked(struct agent_area *area);
void agent_on_again(struct agent_area *area);
/* The exit event of the call whose frame lies at regs->sp, before a signal handler runs. */
void agent_exit_early(struct rt_pt_regs *regs);
/* signal.c: a handler returns. */
void agent_on_sigreturn(struct agent_area *area);

/* The supervisor by the agent's own commands; negative when there is none. Repeats on EINTR. */
long agent_command(u32 cmd, void *attr, u32 size);
/* With all the arguments of a call. */
long agent_command_with(u32 cmd, u64 attr, u32 size, u64 d, u64 e, u64 f);
void agent_report(u32 kind, long error);

/* thread.c */
/* Lets the supervisor look into this process, where the system has to be told (protocol.h). */
void agent_name_tracer(void);
struct agent_thread *agent_thread_current(void);
/* The caller has a new thread pointer or id: enters it anew, with these dispositions. */
struct agent_thread *agent_thread_register(u32 sighand, u32 blocked);
void agent_thread_exit(struct agent_area *area);

/* event.c: fire events for the calling thread; they do nothing when nobody listens. */
void agent_fire_enter(struct agent_thread *thread, const struct rt_pt_regs *regs);
void agent_fire_exit(struct agent_thread *thread, const struct rt_pt_regs *regs);
/* For parent (tid, tgid), whose child is pid child; the caller is thread owner, which is either. */
void agent_fire_fork(u32 owner, u32 tid, u32 tgid, u32 child);
void agent_fire_exec(struct agent_thread *thread, const char *filename, u32 old_pid);
void agent_fire_process_exit(struct agent_thread *thread, bool group);

/* clone.c */
enum agent_verdict agent_do_fork(struct agent_call *call);
enum agent_verdict agent_do_vfork(struct agent_call *call);
enum agent_verdict agent_do_clone(struct agent_call *call);
enum agent_verdict agent_do_clone3(struct agent_call *call);
/* After the call, in parent and child. May change call->thread. */
void agent_cloned(struct agent_call *call);

/* signal.c */
void *agent_signal(int sig, void *info, void *context);
void agent_signal_drain(struct agent_area *area);

/* disposition.c */
void agent_signal_start(void);
enum agent_verdict agent_do_sigaction(struct agent_call *call);
void agent_signal_before_exec(struct agent_area *area, struct agent_thread *thread);
void agent_signal_exec_failed(struct agent_area *area, struct agent_thread *thread);
/* A copy of a table of dispositions; 0: none is free. */
u32 agent_sighand_copy(u32 from);
void agent_sighand_free(u32 index);
/* Says whose it is: when that process is gone the table may be taken. */
void agent_sighand_own(u32 index, u32 tgid);
/* In a process that was forked: the tables of others belong to nobody here. */
void agent_sighand_forked(u32 kept);

/* mask.c */
enum agent_verdict agent_do_sigprocmask(struct agent_call *call);
enum agent_verdict agent_do_sigsuspend(struct agent_call *call);
enum agent_verdict agent_do_ppoll(struct agent_call *call);
enum agent_verdict agent_do_pselect6(struct agent_call *call);
enum agent_verdict agent_do_epoll_pwait(struct agent_call *call);
/* A call that may open signals for as long as it waits has returned. */
void agent_mask_done(struct agent_thread *thread);
/* Really all, for a thread at its end. */
void agent_block_all(void);

/* module.c, patch.c */
enum agent_verdict agent_do_mmap(struct agent_call *call);
enum agent_verdict agent_do_munmap(struct agent_call *call);
/* Rewrites the sites of a file's mapping; fd may be -1. */
void agent_module_mapped(u64 address, u64 length, u64 file_offset, int fd);
void agent_module_scan_start(void);
/* The loaded module around an address, or NULL. */
const struct agent_loaded *agent_module_at(u64 address);
/* Writes stubs and jumps. 0 or -errno; on failure nothing is changed. */
long agent_patch(struct agent_loaded *module);

/* path.c */
enum agent_verdict agent_do_path(struct agent_call *call);
enum agent_verdict agent_do_fchdir(struct agent_call *call);
enum agent_verdict agent_do_symlinkat(struct agent_call *call);
enum agent_verdict agent_do_getcwd(struct agent_call *call);
enum agent_verdict agent_do_fstatfs(struct agent_call *call);
void agent_statfs_done(struct agent_call *call);
void agent_open_done(struct agent_call *call);
/* Is this descriptor one of those that the supervisor knows more about? */
bool agent_may_be_object(u64 fd);
void agent_chdir_done(struct agent_call *call);

/* elem.c, fds.c */
enum agent_verdict agent_do_bpf(struct agent_call *call);
enum agent_verdict agent_do_close(struct agent_call *call);
enum agent_verdict agent_do_close_range(struct agent_call *call);
enum agent_verdict agent_do_dup_onto(struct agent_call *call);
enum agent_verdict agent_do_unshare(struct agent_call *call);
enum agent_verdict agent_do_fds_off(struct agent_call *call);

/*
 * slot.c: makes a call of bpf(2) by way of a call slot; its result is in call->regs. False: nothing
 * was done.
 */
bool agent_slot_call(struct agent_call *call, u32 cmd);

/* copy.c: copies from and to the application's memory that may fail. 0 or -EFAULT. */
long agent_copy_in(void *dst, u64 address, u64 size);
long agent_copy_out(u64 address, const void *src, u64 size);

#endif
