/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attaching programs: an event's array of programs is never changed, only replaced by one store;
 * the old one is freed when every thread that could be reading it is out (rt/vcpu.h: grace
 * periods).
 */
#include <errno.h>
#include <string.h>
#include "arena/arena.h"
#include "base/alloc.h"
#include "hook/perf.h"
#include "hook/state.h"
#include "rt/prog.h"

/* What sys holds for an attachment. */
struct token {
	struct hook *hook;
	struct rt_event_progs **slot;
	const struct rt_prog *prog;
	u64 *missed;
	struct object *perf; /* a reference, or NULL */
};

static u64 progs_size(u32 nr)
{
	return sizeof(struct rt_event_progs) + nr * sizeof(struct rt_event_prog);
}

void hook_retire_reap(struct hook *hook, bool all)
{
	struct list *node, *next;

	list_for_each(node, next, &hook->retired) {
		struct hook_retired *old = list_entry(node, struct hook_retired, link);

		if (!all && !rt_grace_over(&old->grace))
			continue;
		list_remove(&old->link);
		arena_release(hook->arena, ARENA_CONTROL, old->progs, old->size);
		base_free(old);
	}
}

static void publish(struct hook *hook, struct rt_event_progs **slot, struct rt_event_progs *new,
		    struct hook_retired *retired)
{
	struct rt_event_progs *old = *slot;

	__atomic_store_n(slot, new, __ATOMIC_RELEASE);
	hook_refresh_interest(hook);
	hook_retire_reap(hook, false);
	if (!old) {
		base_free(retired);
		return;
	}
	retired->progs = old;
	retired->size = progs_size(old->nr);
	rt_grace_begin(&retired->grace);
	list_append(&hook->retired, &retired->link);
}

static int add(struct hook *hook, struct rt_event_progs **slot, struct token *token, u64 cookie)
{
	const struct rt_event_progs *old = *slot;
	u32 nr = old ? old->nr : 0;
	struct hook_retired *retired = base_zalloc(1, sizeof(*retired));
	struct rt_event_progs *new = arena_alloc(hook->arena, ARENA_CONTROL, progs_size(nr + 1), 8);

	if (!retired || !new) {
		if (new)
			arena_release(hook->arena, ARENA_CONTROL, new, progs_size(nr + 1));
		base_free(retired);
		return -ENOMEM;
	}
	if (old)
		memcpy(new, old, progs_size(nr));
	new->prog[nr] = (struct rt_event_prog){ token->prog, cookie, token->missed };
	new->nr = nr + 1;
	publish(hook, slot, new, retired);
	return 0;
}

/* The new list is made in place of the old one even when memory is short: a program must be let go.
 */
static void take_out(struct token *token)
{
	struct hook *hook = token->hook;
	struct rt_event_progs *old = *token->slot, *new = NULL;
	struct hook_retired *retired;
	u32 i, kept = 0;

	if (!old)
		return;
	retired = base_zalloc(1, sizeof(*retired));
	if (old->nr > 1 && retired)
		new = arena_alloc(hook->arena, ARENA_CONTROL, progs_size(old->nr - 1), 8);
	if (!retired || (old->nr > 1 && !new)) {
		/* Without memory for another array: this one's row stops to name the program. */
		for (i = 0; i < old->nr; i++)
			if (old->prog[i].missed == token->missed)
				__atomic_store_n(&old->prog[i].prog, NULL, __ATOMIC_RELEASE);
		base_free(retired);
		return;
	}
	for (i = 0; i < old->nr && new; i++)
		if (old->prog[i].missed != token->missed)
			new->prog[kept++] = old->prog[i];
	if (new)
		new->nr = kept;
	publish(hook, token->slot, new, retired);
}

static int attach(struct hook *hook, struct rt_event_progs **slot, struct sys_prog *prog,
		  struct object *perf, u64 cookie, void **ret_token)
{
	struct token *token = base_zalloc(1, sizeof(*token));
	int error;

	if (!token)
		return -ENOMEM;
	token->hook = hook;
	token->slot = slot;
	token->prog = sys_prog_rt(prog);
	token->missed = arena_alloc(hook->arena, ARENA_DATA, sizeof(*token->missed), 8);
	error = token->missed ? add(hook, slot, token, cookie) : -ENOMEM;
	if (error) {
		if (token->missed)
			arena_release(hook->arena, ARENA_DATA, token->missed,
				      sizeof(*token->missed));
		base_free(token);
		return error;
	}
	if (perf)
		token->perf = object_ref(perf);
	*ret_token = token;
	return 0;
}

static void detach(void *arg, void *token_arg)
{
	struct token *token = token_arg;

	if (!token)
		return;
	take_out(token);
	arena_release(token->hook->arena, ARENA_DATA, token->missed, sizeof(*token->missed));
	if (token->perf)
		hook_perf_unclaim(token->perf);
	object_unref(token->perf);
	base_free(token);
}

static const struct {
	const char *name;
	enum rt_event_kind kind;
	u32 nr_args; /* of TP_PROTO: what a program may read are that many words */
} raw_tracepoints[] = {
	{ "sys_enter", RT_EVENT_RAWTP_SYS_ENTER, 2 },
	{ "sys_exit", RT_EVENT_RAWTP_SYS_EXIT, 2 },
	{ "sched_process_fork", RT_EVENT_RAWTP_SCHED_FORK, 2 },
	{ "sched_process_exec", RT_EVENT_RAWTP_SCHED_EXEC, 3 },
	{ "sched_process_exit", RT_EVENT_RAWTP_SCHED_EXIT, 2 },
};

static int attach_raw_tracepoint(void *arg, struct sys_prog *prog, const char *name, u64 cookie,
				 void **ret_token, const char **ret_reason)
{
	struct hook *hook = arg;
	const struct hook_event *event;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(raw_tracepoints); i++) {
		if (strcmp(raw_tracepoints[i].name, name) != 0)
			continue;
		if (sys_prog_max_ctx_offset(prog) > raw_tracepoints[i].nr_args * sizeof(u64))
			return -EINVAL;
		return attach(hook, hook_event_slot((u16)raw_tracepoints[i].kind, 0), prog, NULL,
			      cookie, ret_token);
	}
	event = hook_event_by_name(NULL, name);
	if (!event || event->kind == HOOK_SYS_ENTER || event->kind == HOOK_SYS_EXIT)
		return -ENOENT;
	*ret_reason = hook_refusal(event);
	return -EOPNOTSUPP;
}

static int attach_perf_event(void *arg, struct sys_prog *prog, struct object *perf, u64 cookie,
			     void **ret_token, const char **ret_reason)
{
	const struct hook_event *event = hook_perf_event(perf);
	int error;

	if (!event || sys_prog_type(prog) != BPF_PROG_TYPE_TRACEPOINT)
		return -EINVAL;
	if (sys_prog_max_ctx_offset(prog) > hook_event_context_size(event))
		return -EACCES;
	if (!hook_perf_claim(perf, sys_prog_rt(prog)->id))
		return -EEXIST;
	error = attach(arg, hook_event_slot(event->kind, event->nr), prog, perf, cookie, ret_token);
	if (error)
		hook_perf_unclaim(perf);
	return error;
}

const struct sys_attach_ops hook_attach_ops = {
	.raw_tracepoint = attach_raw_tracepoint,
	.perf_event = attach_perf_event,
	.detach = detach,
	.perf_target = hook_perf_target,
	.perf_info = hook_perf_info,
};
