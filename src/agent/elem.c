/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf(2)'s commands on elements of a map, served without leaving the process: by the code that the
 * supervisor runs (rt/elem.h, rt/batch.h), on the same memory. Whatever is not plainly right goes
 * to the supervisor, which says what is wrong with it; nothing was done by then. After the
 * operation the result is the call's.
 *
 * The application's memory is read before a vCPU is taken and written after it was given back,
 * since a page of it may take any time to come.
 */
#include "agent/agent.h"
#include "agent/fds.h"
#include "rt/batch.h"
#include "rt/elem.h"
#include "rt/map_slot.h"
#include "rt/vcpu.h"

#define VCPU_WAIT_MS   2000 /* then the supervisor tries */
#define VALUE_SIZE_MAX 4096u
#define KEYS_ROOM      4096u /* of one bucket, for batches */

/* The part of union bpf_attr that these commands read, and what may follow it. */
struct attr {
	u32 map_fd;
	u32 padding; /* the kernel does not look at it */
	u64 key, value, flags;
	u64 rest[14];
};

/* The same for batches. */
struct batch_attr {
	u64 in_batch, out_batch, keys, values;
	u32 count, map_fd;
	u64 elem_flags, flags;
	u64 rest[11];
};
_Static_assert(offsetof(struct batch_attr, map_fd) == offsetof(union bpf_attr, batch.map_fd) &&
		       offsetof(struct batch_attr, flags) == offsetof(union bpf_attr, batch.flags),
	       "attr.batch");

static long read_own(void *arg, void *dst, u64 address, u64 size)
{
	return agent_copy_in(dst, address, size);
}

static long write_own(void *arg, u64 address, const void *src, u64 size)
{
	return agent_copy_out(address, src, size);
}

/* room bytes at attr: size of them from the client, zeros up to known; what follows must be zero.
 */
static bool copy_attr(void *attr, u32 room, u32 known, u64 address, u32 size)
{
	u64 *words = attr;
	u32 i;

	if (size > room)
		return false;
	if (size < known)
		memset(attr, 0, known);
	else
		memset((u8 *)attr + known, 0, ALIGN_UP(size, 8) - known);
	if (agent_copy_in(attr, address, size))
		return false;
	for (i = known; i < size; i += 8)
		if (words[i / 8])
			return false;
	return true;
}

static bool read_attr(u32 cmd, u64 address, u32 size, struct attr *ret_attr)
{
	if (!copy_attr(ret_attr, sizeof(*ret_attr), offsetof(struct attr, rest), address, size))
		return false;
	if (cmd == BPF_MAP_DELETE_ELEM)
		return !ret_attr->value && !ret_attr->flags;
	return cmd != BPF_MAP_GET_NEXT_KEY || !ret_attr->flags;
}

/* A vCPU, under which the map that the ticket names stays; NULL: there is none of one of them. */
static struct rt_vcpu *enter(const struct agent_thread *thread, const struct rt_map *map,
			     u64 ticket)
{
	struct rt_vcpu *vcpu = rt_vcpu_await(thread->tid, VCPU_WAIT_MS);

	if (!vcpu)
		return NULL;
	if (unlikely(rt_ticket_map(RT_CONTROL->map_slots, ticket) != map)) {
		rt_vcpu_release(vcpu);
		return NULL;
	}
	vcpu->task.pid = thread->tid;
	vcpu->task.tgid = thread->tgid;
	vcpu->task.remote_pid = 0;
	vcpu->task.flags = 0;
	return vcpu;
}

/* The operation alone, if the descriptor is still what the ticket says. */
static bool operate(const struct agent_thread *thread, struct rt_elem *elem, u32 fd, u64 ticket,
		    long *ret_result)
{
	struct rt_vcpu *vcpu = enter(thread, elem->map, ticket);
	bool valid;

	if (!vcpu)
		return false;
	valid = agent_fds_holds(fd, ticket);
	if (likely(valid))
		*ret_result = rt_elem_operate(elem, vcpu);
	rt_vcpu_release(vcpu);
	return valid;
}

static bool serve(struct agent_call *call, u32 cmd)
{
	static const struct rt_elem_io io = { read_own, write_own, NULL };
	u8 key[RT_KEY_SIZE_MAX] __attribute__((aligned(8)));
	u8 value[VALUE_SIZE_MAX] __attribute__((aligned(8)));
	struct rt_elem elem = { .cmd = cmd, .key_room = key, .value_room = value };
	struct rt_pt_regs *regs = call->regs;
	struct attr attr;
	u64 ticket;
	long result;

	if (!read_attr(cmd, regs->si, (u32)regs->dx, &attr))
		return false;
	ticket = agent_fds_ticket(call->thread, attr.map_fd);
	if (!ticket)
		return false;
	elem.map = rt_ticket_map(RT_CONTROL->map_slots, ticket);
	if (unlikely(!elem.map)) {
		agent_fds_forget(attr.map_fd, ticket);
		return false;
	}
	elem.access = rt_ticket_access(ticket);
	elem.key = attr.key;
	elem.value = attr.value;
	elem.flags = attr.flags;
	/* The map may have ended by now: sizes are bounded, and operate() looks again. */
	rt_elem_measure(&elem);
	if (elem.key_size > sizeof(key) || elem.value_size > sizeof(value) ||
	    !(READ_ONCE(elem.map->state) & RT_MAP_IN_PROCESS) || rt_elem_check(cmd, attr.flags) ||
	    rt_elem_permits(&elem) || rt_elem_read(&elem, &io) ||
	    !operate(call->thread, &elem, attr.map_fd, ticket, &result))
		return false;
	if (!result)
		result = rt_elem_write(&elem, &io);
	regs->ax = (u64)result;
	return true;
}

/* A batch under way. */
struct work {
	const struct agent_thread *thread;
	const struct rt_map *map;
	u64 ticket;
	u32 fd;
	bool begun; /* an operation was done: the supervisor cannot begin anew */
	bool lost;  /* there is no vCPU, or the map has ended */
};

/*
 * A batch goes on with the map that it began with, whatever happens to the descriptor. A map that
 * ends meanwhile has no descriptor any more.
 */
static struct rt_vcpu *go_on(struct work *work)
{
	struct rt_vcpu *vcpu = enter(work->thread, work->map, work->ticket);

	work->lost = !vcpu || (!work->begun && !agent_fds_holds(work->fd, work->ticket));
	if (!work->lost) {
		work->begun = true;
		return vcpu;
	}
	if (vcpu)
		rt_vcpu_release(vcpu);
	return NULL;
}

static long operate_in_batch(void *arg, struct rt_elem *elem)
{
	struct rt_vcpu *vcpu = go_on(arg);
	long result;

	if (!vcpu)
		return -EBADF;
	result = rt_elem_operate(elem, vcpu);
	rt_vcpu_release(vcpu);
	return result;
}

static long keys_of_bucket(void *arg, const struct rt_map *map, struct rt_map_bucket *bucket)
{
	struct rt_vcpu *vcpu = go_on(arg);
	long result;

	if (!vcpu)
		return -EBADF;
	result = rt_map_bucket_keys(map, bucket, vcpu);
	rt_vcpu_release(vcpu);
	return result;
}

static bool run_batch(struct agent_call *call, struct rt_batch *batch, u32 fd, u64 ticket)
{
	struct work work = { call->thread, batch->map, ticket, fd, false, false };
	const struct rt_batch_io io = { { read_own, write_own, &work },
					operate_in_batch,
					keys_of_bucket };
	u8 keys[KEYS_ROOM] __attribute__((aligned(8)));
	u8 value[VALUE_SIZE_MAX] __attribute__((aligned(8)));
	long result;

	if (rt_batch_keys_room(batch) > sizeof(keys) || batch->value_size > sizeof(value))
		return false;
	batch->key_room = keys;
	batch->keys_room = sizeof(keys);
	batch->value_room = value;
	result = rt_batch_run(batch, &io);
	if (result == RT_BATCH_NO_ROOM || (work.lost && !work.begun))
		return false;
	call->regs->ax = (u64)result;
	return true;
}

/* Measured under a vCPU: the sizes are the map's, and stay its own. */
static bool is_plain(const struct agent_thread *thread, struct rt_batch *batch, u64 ticket)
{
	struct rt_vcpu *vcpu = enter(thread, batch->map, ticket);
	bool plain;

	if (!vcpu)
		return false;
	plain = READ_ONCE(batch->map->state) & RT_MAP_IN_PROCESS && !rt_batch_permits(batch) &&
		!rt_batch_check(batch);
	rt_vcpu_release(vcpu);
	return plain;
}

static bool serve_batch(struct agent_call *call, u32 cmd)
{
	const struct rt_pt_regs *regs = call->regs;
	struct batch_attr attr;
	struct rt_batch batch;
	u64 ticket;

	if (!copy_attr(&attr, sizeof(attr), offsetof(struct batch_attr, rest), regs->si,
		       (u32)regs->dx))
		return false;
	ticket = agent_fds_ticket(call->thread, attr.map_fd);
	if (!ticket)
		return false;
	batch = (struct rt_batch){ .cmd = cmd,
				   .access = rt_ticket_access(ticket),
				   .map = rt_ticket_map(RT_CONTROL->map_slots, ticket),
				   .in_batch = attr.in_batch,
				   .out_batch = attr.out_batch,
				   .keys = attr.keys,
				   .values = attr.values,
				   .count_address = regs->si + offsetof(struct batch_attr, count),
				   .elem_flags = attr.elem_flags,
				   .flags = attr.flags,
				   .count = attr.count };
	if (unlikely(!batch.map)) {
		agent_fds_forget(attr.map_fd, ticket);
		return false;
	}
	return batch.count && is_plain(call->thread, &batch, ticket) &&
	       run_batch(call, &batch, attr.map_fd, ticket);
}

enum agent_verdict agent_do_bpf(struct agent_call *call)
{
	u32 cmd = (u32)call->regs->di;

	if ((rt_elem_is_command(cmd) && serve(call, cmd)) ||
	    (rt_batch_is_command(cmd) && serve_batch(call, cmd)))
		return AGENT_DONE;
	if (agent_slot_call(call, cmd))
		return AGENT_DONE;
	call->frame.kind = AGENT_KIND_OBJECT;
	return AGENT_NOTIFY;
}
