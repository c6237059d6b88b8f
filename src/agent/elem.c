/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf(2)'s commands on one element of a map, served without leaving the process: by the code that
 * the supervisor runs (rt/elem.h), on the same memory. Whatever is not plainly right goes to the
 * supervisor, which says what is wrong with it; nothing was done by then. After the operation the
 * result is the call's.
 *
 * The application's memory is read before a vCPU is taken and written after it was given back,
 * since a page of it may take any time to come.
 */
#include "agent/agent.h"
#include "agent/fds.h"
#include "rt/elem.h"
#include "rt/map_slot.h"
#include "rt/vcpu.h"

#define VALUE_SIZE_MAX 4096u

/* The part of union bpf_attr that these commands read, and what may follow it. */
struct attr {
	u32 map_fd;
	u32 padding; /* the kernel does not look at it */
	u64 key, value, flags;
	u64 rest[14];
};

static long read_own(void *arg, void *dst, u64 address, u64 size)
{
	return agent_copy_in(dst, address, size);
}

static long write_own(void *arg, u64 address, const void *src, u64 size)
{
	return agent_copy_out(address, src, size);
}

static bool read_attr(u32 cmd, u64 address, u32 size, struct attr *ret_attr)
{
	u32 i;

	if (size > sizeof(*ret_attr))
		return false;
	if (size < offsetof(struct attr, rest))
		memset(ret_attr, 0, offsetof(struct attr, rest));
	else
		memset(ret_attr->rest, 0, ALIGN_UP(size, 8) - offsetof(struct attr, rest));
	if (agent_copy_in(ret_attr, address, size))
		return false;
	for (i = offsetof(struct attr, rest); i < size; i += 8)
		if (ret_attr->rest[(i - offsetof(struct attr, rest)) / 8])
			return false;
	if (cmd == BPF_MAP_DELETE_ELEM)
		return !ret_attr->value && !ret_attr->flags;
	return cmd != BPF_MAP_GET_NEXT_KEY || !ret_attr->flags;
}

/* The operation alone, if the descriptor is still what the ticket says. */
static bool operate(const struct agent_thread *thread, struct rt_elem *elem, u32 fd, u64 ticket,
		    long *ret_result)
{
	struct rt_vcpu *vcpu = rt_vcpu_acquire(thread->tid);
	bool valid;

	if (!vcpu)
		return false;
	valid = agent_fds_holds(fd, ticket) &&
		rt_ticket_map(RT_CONTROL->map_slots, ticket) == elem->map;
	if (likely(valid)) {
		vcpu->task.pid = thread->tid;
		vcpu->task.tgid = thread->tgid;
		vcpu->task.remote_pid = 0;
		vcpu->task.flags = 0;
		*ret_result = rt_elem_operate(elem, vcpu);
	}
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

enum agent_verdict agent_do_bpf(struct agent_call *call)
{
	u32 cmd = (u32)call->regs->di;

	if (rt_elem_is_command(cmd) && serve(call, cmd))
		return AGENT_DONE;
	call->frame.kind = AGENT_KIND_OBJECT;
	return AGENT_NOTIFY;
}
