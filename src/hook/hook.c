/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hook of a hive: its part of the control segment, and the requests of agents.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include "agent/special.h"
#include "arena/arena.h"
#include "base/alloc.h"
#include "hook/state.h"

void hook_say(struct hook *hook, const char *format, ...)
{
	char text[512];
	va_list args;

	if (!hook->message)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	hook->message(hook->message_arg, text);
}

void hook_set_message(struct hook *hook, void (*message)(void *arg, const char *text), void *arg)
{
	hook->message = message;
	hook->message_arg = arg;
}

void hook_refresh_interest(struct hook *hook)
{
	static const u16 special[] = {
#define ROW(name, function) __NR_##name,
		AGENT_SPECIAL(ROW)
#undef ROW
	};
	static const u16 descriptor_special[] = {
#define ROW(name, function) __NR_##name,
		AGENT_DESCRIPTOR_SPECIAL(ROW)
#undef ROW
	};
	static const u16 read_special[] = {
#define ROW(name, function) __NR_##name,
		AGENT_READ_SPECIAL(ROW)
#undef ROW
	};
	struct rt_event_table *events = RT_CONTROL->events;
	bool all_enter =
		events->other[RT_EVENT_RAW_SYS_ENTER] || events->other[RT_EVENT_RAWTP_SYS_ENTER];
	bool all_exit =
		events->other[RT_EVENT_RAW_SYS_EXIT] || events->other[RT_EVENT_RAWTP_SYS_EXIT];
	u8 want[RT_SYSCALL_MAX] = { 0 };
	u32 nr;

	for (nr = 0; nr < ARRAY_SIZE(special); nr++)
		want[special[nr]] = AGENT_WANT_SPECIAL;
	for (nr = 0; hook->tracks_descriptors && nr < ARRAY_SIZE(descriptor_special); nr++)
		want[descriptor_special[nr]] = AGENT_WANT_SPECIAL;
	for (nr = 0; hook->reads_objects && nr < ARRAY_SIZE(read_special); nr++)
		want[read_special[nr]] = AGENT_WANT_SPECIAL;
	for (nr = 0; nr < RT_SYSCALL_MAX; nr++) {
		bool enter = all_enter || events->sys_enter[nr];
		bool exit = all_exit || events->sys_exit[nr];
		u64 bit = 1ul << nr % 64;
		u64 *masks[2] = { &events->enter_mask[nr / 64], &events->exit_mask[nr / 64] };

		want[nr] |= (enter ? AGENT_WANT_ENTER : 0) | (exit ? AGENT_WANT_EXIT : 0);
		__atomic_store_n(masks[0], enter ? *masks[0] | bit : *masks[0] & ~bit,
				 __ATOMIC_RELEASE);
		__atomic_store_n(masks[1], exit ? *masks[1] | bit : *masks[1] & ~bit,
				 __ATOMIC_RELEASE);
		__atomic_store_n(&hook->control->interest[nr], want[nr], __ATOMIC_RELEASE);
	}
}

void hook_set_tracer(struct hook *hook, pid_t tracer)
{
	__atomic_store_n(&hook->control->tracer, (u32)tracer, __ATOMIC_RELEASE);
}

void hook_calls_denied(struct hook *hook)
{
	__atomic_store_n(&hook->control->denied, 1, __ATOMIC_RELEASE);
}

void hook_track_descriptors(struct hook *hook)
{
	if (hook->tracks_descriptors)
		return;
	hook->tracks_descriptors = true;
	hook_refresh_interest(hook);
}

void hook_facade_made(struct hook *hook)
{
	__atomic_store_n(&hook->control->facade_made, 1, __ATOMIC_RELEASE);
}

void hook_read_objects(struct hook *hook)
{
	if (hook->reads_objects)
		return;
	hook->reads_objects = true;
	hook_refresh_interest(hook);
}

bool hook_reads_objects(const struct hook *hook)
{
	return hook->reads_objects;
}

bool hook_changes_descriptors(u32 nr)
{
	switch (nr) {
#define ROW(name, function) case __NR_##name:
		AGENT_DESCRIPTOR_SPECIAL(ROW)
#undef ROW
	case __NR_vfork:
	case __NR_clone:
	case __NR_clone3: return true;
	default: return false;
	}
}

struct hook *hook_new(struct arena *arena)
{
	struct hook *hook = base_zalloc(1, sizeof(*hook));

	if (!hook)
		return NULL;
	hook->arena = arena;
	list_init(&hook->tracees);
	list_init(&hook->retired);
	hook->control = arena_alloc(arena, ARENA_CONTROL, sizeof(*hook->control), 64);
	if (!hook->control)
		return base_free(hook);
	hook->agent_start = arena_image_symbol(arena, "agent_start");
	hook_refresh_interest(hook);
	__atomic_store_n(&RT_CONTROL->agent, hook->control, __ATOMIC_RELEASE);
	return hook;
}

struct hook *hook_free(struct hook *hook)
{
	if (!hook)
		return NULL;
	hook_tracees_free(hook);
	hook_retire_reap(hook, true);
	return base_free(hook);
}

void hook_set_closing(struct hook *hook, u32 nr)
{
	__atomic_store_n(&hook->control->closing, nr, __ATOMIC_RELEASE);
}

static long sites(struct hook *hook, struct sys_client *client, u64 attr, u32 size)
{
	struct agent_sites ask;
	int error;

	if (size != sizeof(ask))
		return -EINVAL;
	error = client->ops->read(client, &ask, attr, sizeof(ask));
	if (!error)
		error = hook_find_sites(hook, (pid_t)client->tgid, &ask);
	if (!error)
		error = client->ops->write(client, attr, &ask, sizeof(ask));
	/* No ELF file, or none any more: that is what memory may be. */
	if (error && error != -ENOEXEC && error != -ENOENT)
		hook_say(hook,
			 "process %u: the system calls of a module cannot be looked for (%s): the "
			 "notifier serves them, and paths to /sys/fs/bpf and the like are not its "
			 "hive's",
			 client->tgid, strerror(-error));
	return error;
}

static long report(struct hook *hook, struct sys_client *client, u64 attr, u32 size)
{
	static const char *const sentences[] = {
		[AGENT_REPORT_MAP] = "the arena cannot be mapped (is there a limit on address "
				     "space, ulimit -v?): only its system calls' entries are seen",
		[AGENT_REPORT_NO_STUBS] = "no room near a module for the code that leads to the "
					  "agent: the notifier serves its system calls",
		[AGENT_REPORT_PROTECT] = "its text could not be protected again",
	};
	struct agent_report what;
	int error;

	if (size != sizeof(what))
		return -EINVAL;
	error = client->ops->read(client, &what, attr, sizeof(what));
	if (error)
		return error;
	if (what.kind >= ARRAY_SIZE(sentences))
		return -EINVAL;
	hook_say(hook, "process %u: %s (error %d)", client->tgid, sentences[what.kind],
		 -what.error);
	return 0;
}

long hook_agent_call(struct hook *hook, struct sys_client *client, u32 cmd, u64 attr, u32 size,
		     int (*install_raw_fd)(struct sys_client *client, int fd))
{
	switch (cmd) {
	case AGENT_ENTER: return hook_enter(hook, client, attr, install_raw_fd);
	case AGENT_NOT_ENTERED: hook_not_entered(hook, (pid_t)client->pid, (long)attr); return 0;
	case AGENT_SITES: return sites(hook, client, attr, size);
	case AGENT_EXEC_FAILED: hook_exec_abandon(hook, (pid_t)client->pid); return 0;
	case AGENT_REPORT: return report(hook, client, attr, size);
	default: return -EINVAL;
	}
}
