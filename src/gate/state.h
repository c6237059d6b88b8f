/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The gate's parts put together, for the files of this directory. Everything here belongs to the
 * supervisor's thread; the only other thread (wake.c) touches its own struct.
 */
#ifndef SKEP_GATE_STATE_H
#define SKEP_GATE_STATE_H

#include <signal.h>
#include "gate/control.h"
#include "gate/directory.h"
#include "gate/exec.h"
#include "gate/gate.h"
#include "gate/handle.h"
#include "gate/keeper.h"
#include "gate/listener.h"
#include "gate/process.h"
#include "gate/saving.h"
#include "gate/tracepipe.h"
#include "gate/wake.h"
#include "gate/window.h"

/* A process that gate_spawn() started. */
struct gate_child {
	pid_t pid; /* 0: this place is free */
	bool ended;
	int status;
};

struct control {
	int epoll_fd;
	u32 next;			      /* place of the next connection */
	int connections[CONTROL_CONNECTIONS]; /* descriptor + 1; 0: free */
	u64 started_ns;			      /* CLOCK_BOOTTIME */
};

struct gate {
	struct gate_options options;
	struct directory directory;
	struct keeper keeper;
	struct control control;
	struct saving *saving; /* NULL: nothing is kept */
	struct listener listeners[LISTENER_MAX];
	struct gate_child children[LISTENER_MAX];
	struct handle_table *handles;
	struct process_table *processes;
	struct closes *closes; /* descriptors that agents have to close (closes.h) */
	struct exec_pending pending;
	struct tracepipe *tracepipe;
	struct wake *wake;
	struct window window;	/* of the client in service */
	struct parked *parked;	/* calls that were left (park.h) */
	void *spare_stack;	/* of such a call */
	struct parked *running; /* the one that is being served, NULL: none */
	int marker_fd;		/* trace_marker, from where clients' lines come */
	bool facade_made;	/* gate_make_facade() was called */
	u64 agent_notify_ip;   /* what seccomp reports for a call of the agent; 0: there is no agent
				*/
	u64 agent_restorer_ip; /* see struct filter_options */
	u32 handover;	       /* see struct filter_options */
	int epoll_fd, signal_fd, timer_fd;
	u64 timer_ns;	      /* when timer_fd goes off, 0: not at all */
	bool timers_due;      /* more of them than were called in one go */
	int kallsyms_fd;      /* the machine's lines (kallsyms.c); below 0: not read yet */
	int early_signal;     /* was sent to us while a program started; 0: none */
	sigset_t old_signals; /* of the thread before gate_new() */
	bool was_subreaper;
	bool stays;	       /* in gate_stay() */
	bool down;	       /* was told to end */
	bool sockets_hidden;   /* clients' sockets cannot be looked at, which has been said */
	bool objects_readable; /* a client may take records without a word */
	u64 lines_lost;	       /* of trace_pipe, not told yet */
	u64 losses_told_ns;
	u64 swept_ns, swept_ended; /* when, and after how many ends of handles, mappings were */
	bool orphans;		   /* some of them are to be looked at again */
	u64 looked_ns;		   /* when buffers were looked at the last time */
	u32 idle_ticks;		   /* since the last event, while objects are readable */
};

/* A sentence for the person behind the hive. */
void gate_message(struct gate *gate, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Waits until something happens, a while at most, and handles it. Returns true if extra_fd (-1:
 * none) is readable or hung up. *ret_signal gets a signal of the supervisor's set that was
 * received, signo 0 if none.
 */
struct signalfd_siginfo;
bool gate_step(struct gate *gate, int extra_fd, struct signalfd_siginfo *ret_signal);

/* A process looks for files that are the same in every hive: makes them, unless they are there. */
void gate_make_facade(struct gate *gate);

/* Takes note of descriptors of objects that clients have closed since the last time. */
void gate_collect_handles(struct gate *gate);

/* Tells of lost lines of trace_pipe, unless that was done less than interval_ns ago. */
void gate_tell_losses(struct gate *gate, u64 interval_ns);

/* Starts to serve a listener: 0 or -errno. Takes the descriptor also on failure. */
int gate_add_listener(struct gate *gate, int fd);

/* The keeper has ended, which it does not by itself: another one takes its place. 0 or -errno. */
int gate_replace_keeper(struct gate *gate);

/* Serves one notification (notify.c). */
void gate_notified(struct gate *gate, struct listener *listener);

#endif
