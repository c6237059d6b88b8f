/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nothing here waits on behalf of one client: each event is handled to its end and the loop goes
 * on.
 */
#include "gate/loop.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>
#include "base/clock.h"
#include "gate/park.h"
#include "gate/state.h"
#include "sys/sys.h"

/* Since Linux 6.6: the waiting task and the supervisor wake each other on the same CPU. */
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#endif
#define NOTIFY_SYNC_WAKE_UP 1u

#define EVENTS_MAX 32
#define BURST_MAX  64		 /* notifications of one listener before the others get a look */
#define SWEEP_NS   1000000000ull /* from one look at who has mapped what to the next */
#define IDLE_MS                                                                           \
	1000 /* at least this often, the descriptors whose grace period is over are freed \
	      */
#define LOSSES_TOLD_NS	1000000000ull /* between two sentences about lost lines */
#define READABLE_MS_MAX 32
#define READABLE_TICKS	32 /* at 1 ms, before the interval grows */

enum source {
	SOURCE_LISTENER, /* + index */
	SOURCE_SIGNAL = LISTENER_MAX,
	SOURCE_HANDLES,
	SOURCE_PROCESSES,
	SOURCE_WAKE,
	SOURCE_MARKER,
	SOURCE_TRACEPIPE,
	SOURCE_CONTROL,
	SOURCE_TIMER,
	SOURCE_EXTRA,
};

static int watch(struct gate *gate, int fd, u32 events, u32 source)
{
	struct epoll_event event = { .events = events, .data.u32 = source };

	return epoll_ctl(gate->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static void unwatch(struct gate *gate, int fd)
{
	epoll_ctl(gate->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}

static int open_descriptors(struct gate *gate, const sigset_t *signals)
{
	const struct {
		int fd;
		u32 source;
	} rows[] = {
		{ handle_table_fd(gate->handles), SOURCE_HANDLES },
		{ process_table_fd(gate->processes), SOURCE_PROCESSES },
		{ wake_fd(gate->wake), SOURCE_WAKE },
		{ gate->marker_fd, SOURCE_MARKER },
		{ gate->control.epoll_fd, SOURCE_CONTROL },
	};
	int error;

	gate->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	gate->signal_fd = signalfd(-1, signals, SFD_CLOEXEC | SFD_NONBLOCK);
	gate->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (gate->epoll_fd < 0 || gate->signal_fd < 0 || gate->timer_fd < 0)
		return -errno;
	error = watch(gate, gate->signal_fd, EPOLLIN, SOURCE_SIGNAL);
	if (!error)
		error = watch(gate, gate->timer_fd, EPOLLIN, SOURCE_TIMER);
	for (u32 i = 0; i < ARRAY_SIZE(rows) && !error; i++)
		error = watch(gate, rows[i].fd, EPOLLIN, rows[i].source);
	return error;
}

int loop_open(struct gate *gate)
{
	struct sigaction child;
	sigset_t signals;
	int subreaper = 0;

	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	/* With SIGCHLD ignored (inherited from a careless parent) wait(2) would say nothing. */
	if (sigaction(SIGCHLD, NULL, &child) == 0 && child.sa_handler == SIG_IGN)
		signal(SIGCHLD, SIG_DFL);
	prctl(PR_GET_CHILD_SUBREAPER, &subreaper);
	gate->was_subreaper = subreaper;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	return open_descriptors(gate, &signals);
}

void loop_close(struct gate *gate)
{
	for (u32 i = 0; i < LISTENER_MAX; i++)
		if (gate->listeners[i].fd >= 0)
			close(gate->listeners[i].fd);
	if (gate->epoll_fd >= 0)
		close(gate->epoll_fd);
	if (gate->signal_fd >= 0)
		close(gate->signal_fd);
	if (gate->timer_fd >= 0)
		close(gate->timer_fd);
	if (!gate->was_subreaper)
		prctl(PR_SET_CHILD_SUBREAPER, 0);
	pthread_sigmask(SIG_SETMASK, &gate->old_signals, NULL);
}

int gate_replace_keeper(struct gate *gate)
{
	int error = keeper_replace(&gate->keeper, gate->directory.path, gate->directory.lock_fd);

	for (u32 i = 0; i < LISTENER_MAX && !error; i++)
		if (gate->listeners[i].fd >= 0)
			error = keeper_add_listener(&gate->keeper, gate->listeners[i].fd, i);
	gate_message(gate,
		     error ? "skep-keeper was killed, and there is no other (%s): should skep "
			     "be killed too, processes of this hive will fail"
			   : "skep-keeper was killed; another one takes its place%s",
		     error ? strerror(-error) : "");
	return error;
}

int gate_add_listener(struct gate *gate, int fd)
{
	u64 flags = NOTIFY_SYNC_WAKE_UP;
	u32 i = 0;
	int error;

	while (i < LISTENER_MAX && gate->listeners[i].fd >= 0)
		i++;
	if (i == LISTENER_MAX) {
		close(fd);
		return -EMFILE;
	}
	error = keeper_add_listener(&gate->keeper, fd, i);
	/* Its end has not been collected yet. */
	if (error == -EPIPE || error == -ECONNRESET)
		error = gate_replace_keeper(gate) ?: keeper_add_listener(&gate->keeper, fd, i);
	if (!error)
		error = watch(gate, fd, EPOLLIN, SOURCE_LISTENER + i);
	if (error) {
		close(fd);
		return error;
	}
	/* Older kernels do not have it: then a notification costs a wake-up on another CPU. */
	ioctl(fd, SECCOMP_IOCTL_NOTIF_SET_FLAGS, flags);
	gate->listeners[i] = (struct listener){ .fd = fd, .slot = &gate->keeper.slots[i] };
	return 0;
}

static void serve_listener(struct gate *gate, u32 index, u32 events)
{
	struct listener *listener = &gate->listeners[index];

	if (listener->fd < 0)
		return;
	if (events & EPOLLIN) {
		gate_notified(gate, listener);
	} else if (events & (EPOLLHUP | EPOLLERR)) {
		/* The last process under this filter has ended. */
		unwatch(gate, listener->fd);
		close(listener->fd);
		listener->fd = -1;
	}
}

static void take_signals(struct gate *gate, struct signalfd_siginfo *ret_signal)
{
	struct signalfd_siginfo info;
	bool child = false;

	while (read(gate->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			child = true;
		else
			*ret_signal = info;
	}
	if (child)
		exec_collect(gate);
}

/* trace_marker: each line that a client wrote. */
static void read_marker(struct gate *gate)
{
	char text[4096];
	ssize_t size = read(gate->marker_fd, text, sizeof(text));

	for (char *line = text, *end; size > 0 && line < text + size; line = end + 1) {
		end = memchr(line, '\n', (size_t)(text + size - line));
		if (!end)
			end = text + size;
		tracepipe_mark(gate->tracepipe, line, (u32)(end - line));
	}
}

void gate_tell_losses(struct gate *gate, u64 interval_ns)
{
	u64 now_ns;

	if (!gate->lines_lost)
		return;
	now_ns = base_clock_ns(CLOCK_MONOTONIC_COARSE);
	if (now_ns - gate->losses_told_ns < interval_ns)
		return;
	gate_message(gate, "%llu lines of trace_pipe were lost: nobody reads them fast enough",
		     (unsigned long long)gate->lines_lost);
	gate->lines_lost = 0;
	gate->losses_told_ns = now_ns;
}

/* Of objects whose last descriptor is closed: whether somebody has them mapped. */
static void look_at_mappings(struct gate *gate)
{
	u64 ended = handle_table_ended(gate->handles), now_ns;

	if (!gate->orphans && ended == gate->swept_ended)
		return;
	now_ns = base_clock_ns(CLOCK_MONOTONIC_COARSE);
	if (now_ns - gate->swept_ns < SWEEP_NS)
		return;
	gate->orphans = process_sweep_mappings(gate->processes);
	gate->swept_ended = ended;
	gate->swept_ns = now_ns;
}

/* Whatever programs have written since the last time. */
static void look(struct gate *gate)
{
	bool waited = tracepipe_waiting(gate->tracepipe), waits;

	gate->lines_lost += tracepipe_pump(gate->tracepipe);
	gate_tell_losses(gate, LOSSES_TOLD_NS);
	waits = tracepipe_waiting(gate->tracepipe);
	if (waits && !waited)
		watch(gate, tracepipe_fd(gate->tracepipe), EPOLLOUT, SOURCE_TRACEPIPE);
	else if (waited && !waits)
		unwatch(gate, tracepipe_fd(gate->tracepipe));
	gate->objects_readable = handle_table_refresh(gate->handles);
	look_at_mappings(gate);
	gate->looked_ns = base_clock_ns(CLOCK_MONOTONIC_COARSE);
}

/* Is there something that no event tells of? A producer's death is such a thing. */
static bool look_is_due(const struct gate *gate)
{
	return tracepipe_more(gate->tracepipe) ||
	       base_clock_ns(CLOCK_MONOTONIC_COARSE) - gate->looked_ns >= IDLE_MS * 1000000ull;
}

void gate_collect_handles(struct gate *gate)
{
	if (!handle_table_collect(gate->handles))
		gate_message(gate,
			     "so many descriptors were closed at once that some were found late");
}

static void timer_went_off(struct gate *gate)
{
	u64 times;

	/* Set anew it may not have gone off yet: then there is nothing to be read. */
	if (read(gate->timer_fd, &times, sizeof(times)) == sizeof(times))
		gate->timer_ns = 0;
}

static bool dispatch(struct gate *gate, const struct epoll_event *event,
		     struct signalfd_siginfo *ret_signal)
{
	switch (event->data.u32) {
	case SOURCE_SIGNAL: take_signals(gate, ret_signal); return false;
	case SOURCE_HANDLES: gate_collect_handles(gate); return false;
	case SOURCE_PROCESSES: process_table_collect(gate->processes); return false;
	case SOURCE_WAKE:
		wake_looked(gate->wake);
		gate->idle_ticks = 0;
		look(gate);
		return false;
	case SOURCE_MARKER: read_marker(gate); return false;
	case SOURCE_TRACEPIPE: look(gate); return false;
	case SOURCE_CONTROL: control_collect(gate); return false;
	case SOURCE_TIMER: timer_went_off(gate); return false;
	case SOURCE_EXTRA: return true;
	default: serve_listener(gate, event->data.u32, event->events); return false;
	}
}

/*
 * A client takes records from a buffer without a word to us. Its descriptor has to stop being
 * readable soon after, or the client spins: so look again shortly, and more rarely if it does not
 * take them.
 */
static int interval_ms(struct gate *gate)
{
	if (tracepipe_more(gate->tracepipe))
		return 0;
	if (!gate->objects_readable)
		return (int)saving_wait_ms(gate, IDLE_MS);
	gate->idle_ticks++;
	return gate->idle_ticks < READABLE_TICKS ? 1 : READABLE_MS_MAX;
}

/* Timers of map values that are due, and when to look again. */
static void call_timers(struct gate *gate)
{
	u64 next = sys_async_step(gate->options.sys);
	struct itimerspec at = { 0 };

	gate->timers_due = !next;
	if (!next || next == gate->timer_ns || (next == UINT64_MAX && !gate->timer_ns))
		return;
	gate->timer_ns = next == UINT64_MAX ? 0 : next;
	at.it_value.tv_sec = (time_t)(gate->timer_ns / 1000000000u);
	at.it_value.tv_nsec = (long)(gate->timer_ns % 1000000000u);
	timerfd_settime(gate->timer_fd, TFD_TIMER_ABSTIME, &at, NULL);
}

bool gate_step(struct gate *gate, int extra_fd, struct signalfd_siginfo *ret_signal)
{
	struct epoll_event events[EVENTS_MAX];
	bool extra = false;
	int nr;

	ret_signal->ssi_signo = 0;
	if (extra_fd >= 0)
		watch(gate, extra_fd, EPOLLIN, SOURCE_EXTRA);
	nr = epoll_wait(gate->epoll_fd, events, EVENTS_MAX,
			park_any(gate) || gate->timers_due ? 0 : interval_ms(gate));
	for (int i = 0; i < nr; i++)
		extra |= dispatch(gate, &events[i], ret_signal);
	if ((nr == 0 && gate->objects_readable) || look_is_due(gate))
		look(gate);
	park_resume(gate);
	call_timers(gate);
	sys_hive_reap(gate->options.sys);
	saving_step(gate);
	if (extra_fd >= 0)
		unwatch(gate, extra_fd);
	return extra;
}
