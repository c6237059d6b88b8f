/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A walk of an iterator, and read(2) of it: the program runs once for each object and once more,
 * without one, at the end; what it writes collects in a buffer of eight pages until the reader has
 * enough. An object whose text does not fit behind others is shown again at the next read. Rules:
 * bpf_seq_read() in the kernel's kernel/bpf/bpf_iter.c.
 *
 * The supervisor has other clients: after SLICE_NS a read ends with what there is, or is asked for
 * again (SYS_ITER_AGAIN) if there is nothing yet.
 */
#include "sys/iter.h"
#include "base/alloc.h"
#include "base/clock.h"

#include <errno.h>
#include <string.h>

#define BUFFER_SIZE  (8u * 4096u)
#define SLICE_NS     20000000ull
#define RUN_MAX_NS   2000000000ull
#define MODEL_MEMORY ((void *)RT_PRIVATE_AGENT_BASE) /* the supervisor has no agent */

static const struct iter_ops *const targets[] = {
	[ABI_WALK_BPF_MAP] = &iter_map_ops,	  [ABI_WALK_BPF_PROG] = &iter_prog_ops,
	[ABI_WALK_BPF_LINK] = &iter_link_ops,	  [ABI_WALK_BPF_MAP_ELEM] = &iter_map_elem_ops,
	[ABI_WALK_TASK] = &iter_task_ops,	  [ABI_WALK_TASK_FILE] = &iter_task_file_ops,
	[ABI_WALK_TASK_VMA] = &iter_task_vma_ops,
};

static void release(struct object *object)
{
	struct iter_session *session = container_of(object, struct iter_session, object);

	if (session->ops->close)
		session->ops->close(session);
	sys_map_put(session->aux.map);
	sys_prog_put(session->prog);
	base_free(session->seq.buffer);
	base_free(session);
}

struct model *sys_model(struct sys_hive *hive)
{
	sys_kernel_btf_load(hive);
	if (!hive->model && hive->kernel_btf)
		hive->model = model_new(hive->kernel_btf->btf, MODEL_MEMORY, RT_PRIVATE_AGENT_SIZE);
	return hive->model;
}

int iter_session_new(struct sys_client *client, const struct sys_link *link,
		     struct iter_session **ret_session)
{
	const struct abi_iter_target *iter = sys_prog_iter(link->prog);
	struct iter_session *session;
	int error;

	if (!sys_model(link->hive))
		return -ENOMEM;
	session = base_zalloc(1, sizeof(*session));
	if (!session)
		return -ENOMEM;
	session->hive = link->hive;
	session->prog = sys_prog_ref(link->prog);
	session->aux = link->iter;
	if (session->aux.map)
		object_ref(&session->aux.map->object);
	session->ops = targets[iter->id];
	session->id = ++link->hive->iter_sessions;
	object_init(link->hive->objects, &session->object, OBJECT_ITER, release);
	error = session->ops->open ? session->ops->open(session, client) : 0;
	if (error) {
		object_unref(&session->object);
		return error;
	}
	*ret_session = session;
	return 0;
}

static u64 build_meta(struct iter_session *session)
{
	struct model *model = session->hive->model;
	void *seq = model_object(model, "seq_file"), *meta = model_object(model, "bpf_iter_meta");

	model_set(model, seq, MODEL_SEQ_SIZE, session->seq.size);
	model_set(model, seq, MODEL_SEQ_COUNT, session->seq.count);
	model_set_pointer(model, meta, MODEL_META_SEQ, seq);
	model_set(model, meta, MODEL_META_SESSION_ID, session->id);
	model_set(model, meta, MODEL_META_SEQ_NUM, session->seq_num);
	return (u64)meta;
}

/* Runs the program on the current object, if there is one: 0, -EAGAIN if it wants it again. */
static int show(struct iter_session *session)
{
	struct rt_vcpu *vcpu = session->vcpu;
	u64 ctx[ITER_CTX_WORDS] = { 0 };
	u64 result;

	model_reset(session->hive->model);
	session->seq.nr_tasks = 0;
	session->seq.path = 0;
	session->seq.socket_file = 0;
	ctx[0] = build_meta(session);
	session->ops->build(session, &ctx[1]);
	if (!ctx[0])
		return -ENOMEM;
	vcpu->seq = &session->seq;
	vcpu->deadline = base_clock_ns(CLOCK_MONOTONIC) + RUN_MAX_NS;
	vcpu->polls = 0;
	vcpu->stopped = false;
	result = rt_prog_run(session->prog->rt, ctx, vcpu);
	vcpu->seq = NULL;
	vcpu->deadline = 0;
	if (vcpu->stopped) {
		vcpu->stopped = false;
		sys_say(session->hive, "program %s: an iterator's run was stopped after %llu s",
			session->prog->name, RUN_MAX_NS / 1000000000ull);
		return -ETIMEDOUT;
	}
	return result ? -EAGAIN : 0;
}

/* The walk's end: the program may add something, once. *ret_kept: 0 or why nothing came out. */
static int show_end(struct iter_session *session)
{
	u32 before = session->seq.count;

	if (session->done_stop)
		return 0;
	show(session);
	if (!rt_seq_overflowed(&session->seq)) {
		session->done_stop = true;
		return 0;
	}
	session->seq.count = before;
	return before ? 0 : -E2BIG;
}

/* Shows objects until there is enough: 0, or -errno when nothing was written. */
static int fill(struct iter_session *session, u64 size)
{
	u64 end = base_clock_ns(CLOCK_MONOTONIC) + SLICE_NS;
	struct rt_seq *seq = &session->seq;
	u32 before;
	int error;

	seq->count = 0;
	if (!session->ops->start(session))
		return show_end(session);
	for (;;) {
		before = seq->count;
		error = show(session);
		if (!error && rt_seq_overflowed(seq))
			error = -E2BIG;
		if (error) {
			seq->count = before;
			session->ops->stop(session);
			return before ? 0 : error;
		}
		if (!session->ops->next(session))
			return show_end(session);
		session->seq_num++;
		if (seq->count >= size || base_clock_ns(CLOCK_MONOTONIC) > end) {
			session->ops->stop(session);
			return seq->count ? 0 : SYS_ITER_AGAIN;
		}
	}
}

long sys_iter_read(struct sys_client *client, struct object *object, u64 size,
		   const void **ret_data)
{
	struct iter_session *session = container_of(object, struct iter_session, object);
	int error;

	if (!session->seq.buffer) {
		session->seq.buffer = base_alloc(BUFFER_SIZE);
		if (!session->seq.buffer)
			return -ENOMEM;
		session->seq.size = BUFFER_SIZE;
	}
	if (!session->count) {
		session->from = 0;
		session->client = client;
		session->vcpu = sys_vcpu_acquire(client);
		if (!session->vcpu)
			return SYS_ITER_AGAIN;
		sys_read_comm(&session->vcpu->task);
		session->vcpu->sock_change = sys_sock_change;
		session->vcpu->sock_arg = session->hive;
		error = fill(session, size);
		session->vcpu->sock_change = NULL;
		sys_vcpu_release(session->vcpu);
		session->client = NULL;
		if (error)
			return error;
		session->count = session->seq.count;
	}
	*ret_data = session->seq.buffer + session->from;
	return (long)(session->count < size ? session->count : size);
}

void sys_iter_consume(struct object *object, u64 size)
{
	struct iter_session *session = container_of(object, struct iter_session, object);

	session->from += (u32)size;
	session->count -= (u32)size;
}
