/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the agent (freestanding, in the traced process) and the supervisor say to each other.
 *
 * The agent calls the supervisor with bpf(2) itself: a command of the range below, issued from the
 * agent's notifying system-call instruction, reaches the supervisor through seccomp like every
 * bpf(2). Both sides check: a traced process can issue any of these by itself, so the supervisor
 * trusts nothing in them and never does more for a caller than that caller could do to itself.
 *
 * In the other direction there is struct agent_control, which the supervisor writes and every
 * process of the hive reads.
 */
#ifndef SKEP_AGENT_PROTOCOL_H
#define SKEP_AGENT_PROTOCOL_H

#include "base/types.h"
#include "rt/arena.h"

#define AGENT_CMD_BASE 0x534b0000u

/*
 * A seccomp filter around the hive, as container engines install it, may deny bpf(2) and
 * perf_event_open(2), and then its answer comes before the supervisor's. The agent makes these
 * calls under other numbers there (agent_control.denied): those of calls that no filter denies and
 * that the agent makes for nothing else, so that from its text they can only mean this. Commands
 * of the range above may come as AGENT_FOR_BPF from anywhere: there it takes no argument.
 */
#define AGENT_FOR_BPF		  110 /* getppid */
#define AGENT_FOR_PERF_EVENT_OPEN 111 /* getpgrp */

/*
 * Instead of EINTR: the call ends with that. EINTR itself says that the supervisor has not seen the
 * call, so the agent makes it again.
 */
#define AGENT_INTERRUPTED 4094

enum agent_cmd {
	/*
	 * From the bootstrap at the exec stop, attr = enum agent_enter, in its order. The result is
	 * not an errno but a descriptor of the arena.
	 */
	AGENT_ENTER = AGENT_CMD_BASE,
	/* Where are the system-call sites of this mapping: attr = struct agent_sites. */
	AGENT_SITES,
	/* execve returned with an error: the supervisor detaches. attr = 0. */
	AGENT_EXEC_FAILED,
	/* Something that the person behind the hive should know: attr = struct agent_report. */
	AGENT_REPORT,
	/* What is this descriptor to bpf(2): attr = struct agent_ticket. */
	AGENT_TICKET,
	/* The bootstrap has failed and the program goes on without an agent: attr = the error. */
	AGENT_NOT_ENTERED,
	/*
	 * A program that this thread has run by hand has closed descriptors (bpf_sys_close()),
	 * which only the process itself can do: attr = struct agent_closes. Answered until nr is 0.
	 */
	AGENT_CLOSES,
	/*
	 * A path of the façade is about to be used: make its files, if agent_control.facade_made is
	 * still 0. attr = 0.
	 */
	AGENT_FACADE,
	/* A file of the façade was opened as fd: attr = struct agent_ticket. A pinned iterator
	   begins. */
	AGENT_OPENED,
	/* Where this process's call slots are (agent/slot.h): attr = struct agent_ticket. */
	AGENT_SLOTS_GIVE,
	/* A descriptor by which something is attached was closed: when this is answered it is not.
	 */
	AGENT_CLOSED,
	/* A filter around the hive denies the calls above. */
	AGENT_DENIED,
	/* A call by way of a slot: attr and size are the call's own, what follows is in slot.h. */
	AGENT_CALL,
};

static inline bool agent_is_command(u64 cmd)
{
	return cmd >= AGENT_CMD_BASE && cmd < AGENT_CMD_BASE + 0x10000;
}

enum agent_enter {
	AGENT_ENTER_READ_ONLY,
	AGENT_ENTER_READ_WRITE,
	/* Was the last result, 0, a descriptor's number? 0, or -EAGAIN: it has to be asked again.
	 */
	AGENT_ENTER_IS_ZERO,
};

/* Arguments of agent_start(), in registers; see x86_64/start.S. */
#define AGENT_START_QUIET	 1u /* this process fires no event (SKEP_SPAWN_CLIENT) */
#define AGENT_START_FOREIGN_PIDS 2u /* its pid namespace is not the supervisor's */
/* The rest of the flags: when the process began, in ticks of the clock that runs during sleep. */
#define AGENT_START_TICKS_SHIFT	 8
#define AGENT_TICK_NS		 10000000ull

/* How a system-call site is rewritten. */
enum agent_site_kind {
	AGENT_SITE_JUMP_BEFORE, /* relocate instructions before the syscall, jump there */
	AGENT_SITE_JUMP_AFTER,	/* relocate instructions after the syscall */
	AGENT_SITE_TRAP,	/* int3 over the syscall's first byte */
};

/* Flags of a site. */
#define AGENT_SITE_EXIT	       1u /* exit(2): the stack may be gone, nothing may be pushed */
#define AGENT_SITE_SMALL_STACK 2u /* Go: no red zone, and little room below the stack pointer */

struct agent_site {
	u32 offset;	  /* of the syscall instruction, in the file */
	u8 kind;	  /* enum agent_site_kind */
	u8 before, after; /* bytes relocated on each side */
	u8 flags;
};

#define AGENT_SITE_BYTES_MAX 24 /* before + after */

struct agent_sites {
	u64 address, length; /* in: the mapping; 0, 0: the vDSO */
	u64 file_offset;     /* in */
	u64 sites;    /* out: address of struct agent_site[] in the control segment, by offset */
	u32 nr_sites; /* out */
	u32 flags;    /* out: AGENT_MODULE_* */
};

#define AGENT_MODULE_GO 1u /* no red zone, tiny stacks */

struct agent_ticket {
	u32 fd; /* in */
	u32 unused;
	u64 ticket; /* out: rt/map_slot.h */
};

/*
 * What the agent says about its process's descriptors, in that process's private memory at
 * AGENT_FDS_ADDRESS. While `changing` is 0 and `changes` stays the same, each descriptor is what it
 * was, as far as calls pass the agent. The process can write what it likes there: it can make us
 * take a descriptor of its own for what that was before, no more.
 */
struct agent_fds_head {
	u32 owner;    /* the process whose descriptors they are, by its own id; 0: not known yet */
	u32 off;      /* for good: they may change unseen */
	u32 changing; /* calls under way that change them */
	u32 changes;  /* such calls that are over */
	u64 born;     /* tells the process from others before and after it with the same id */
};

#define AGENT_FDS_ADDRESS (RT_PRIVATE_BASE + 0xe90000)

#define AGENT_CLOSES_MAX 15

struct agent_closes {
	u32 nr;			   /* out */
	u32 fds[AGENT_CLOSES_MAX]; /* out */
};

/* enum agent_report_kind tells what; the supervisor words the sentence. */
struct agent_report {
	u32 kind;
	s32 error;
};

enum agent_report_kind {
	AGENT_REPORT_MAP,      /* the arena could not be mapped: the process stays un-entered */
	AGENT_REPORT_NO_STUBS, /* no room for stubs near a module */
	AGENT_REPORT_PROTECT,  /* its text could not be made writable for a moment */
};

/* Bits of agent_control.interest: why a system call must take the agent's long path. */
#define AGENT_WANT_ENTER   1u /* somebody listens to its entry */
#define AGENT_WANT_EXIT	   2u
#define AGENT_WANT_SPECIAL 4u /* the agent has something to do itself (special.h) */

/* Sites of a file, found by what fstat(2) says about it. */
struct agent_module_key {
	u64 device, inode, size, change_ns; /* st_ctim */
};

struct agent_module {
	struct agent_module_key key;
	u64 sites; /* struct agent_site[], in control */
	u32 nr_sites;
	u32 reserved;
};

#define AGENT_MODULES_MAX 512

struct agent_control {
	/*
	 * By the low 16 bits of the number, so that the fast path needs no comparison; all of the
	 * array beyond RT_SYSCALL_MAX is zero and costs no memory.
	 */
	u8 interest[1 << 16];
	u32 nr_modules;	 /* grows only; published after the entry is written */
	u32 closing;	 /* threads that have to ask for AGENT_CLOSES */
	u32 facade_made; /* see AGENT_FACADE */
	u32 tracer;	 /* each process has to name it as its tracer (Yama); 0: need not */
	u32 denied;	 /* see AGENT_FOR_BPF */
	struct agent_module modules[AGENT_MODULES_MAX];
};

#endif
