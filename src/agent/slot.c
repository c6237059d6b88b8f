/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls of bpf(2) by way of a call slot (agent/slot.h). Made from here, with the application's
 * signals put off: a handler thus never finds a slot that is half used, and runs after the call, as
 * the kernel does it.
 *
 * A process is given slots at its second call that the supervisor serves. What is not simple goes
 * the old way, on the application's stack: nothing was done by then.
 */
#include "agent/slot.h"
#include "agent/agent.h"
#include "agent/fds.h"

#define E_FAULT 14
#define PAGE	4096u

/* struct agent_fds.slots: before the first call, before the second, and when there are none. */
#define SLOTS_NEW     0ull
#define SLOTS_SEEN    1ull
#define SLOTS_REFUSED 2ull

/* The words of union bpf_attr that are addresses in these commands. */
struct words {
	u32 map_fd, length;
	u64 first, second;
};
_Static_assert(offsetof(struct words, first) == offsetof(union bpf_attr, key) &&
		       offsetof(struct words, second) == offsetof(union bpf_attr, value) &&
		       offsetof(struct words, first) == offsetof(union bpf_attr, info.info) &&
		       offsetof(struct words, length) == offsetof(union bpf_attr, info.info_len),
	       "attr");

static struct agent_slot *slots_of(struct agent_fds *fds, const struct agent_thread *thread)
{
	u64 address = __atomic_load_n(&fds->slots, __ATOMIC_ACQUIRE);
	struct agent_ticket attr = { 0 };

	/* A process that shares the memory of another has none. */
	if (unlikely(thread->tgid != fds->head.owner))
		return NULL;
	if (likely(address > SLOTS_REFUSED))
		return (struct agent_slot *)address;
	if (address == SLOTS_NEW)
		__atomic_store_n(&fds->slots, SLOTS_SEEN, __ATOMIC_RELEASE);
	if (address != SLOTS_SEEN)
		return NULL;
	if (agent_command(AGENT_SLOTS_GIVE, &attr, sizeof(attr)) != 0 ||
	    attr.ticket < RT_DATA_BASE || attr.ticket % AGENT_SLOT_SIZE ||
	    attr.ticket - RT_DATA_BASE > RT_CONTROL->data_size - AGENT_SLOTS * AGENT_SLOT_SIZE)
		attr.ticket = SLOTS_REFUSED;
	__atomic_store_n(&fds->slots, attr.ticket, __ATOMIC_RELEASE);
	return attr.ticket == SLOTS_REFUSED ? NULL : (struct agent_slot *)attr.ticket;
}

static bool claim(struct agent_fds *fds, u32 *ret_index)
{
	u32 i;

	for (i = 0; i < AGENT_SLOTS; i++) {
		if (!__atomic_exchange_n(&fds->slot_used[i], 1, __ATOMIC_ACQUIRE)) {
			*ret_index = i;
			return true;
		}
	}
	return false;
}

/* Up to size bytes, as far as the page goes; nothing if they cannot be read. */
static void lay(struct agent_slot *slot, u32 piece, u64 address, u32 size)
{
	u32 rest = PAGE - (u32)(address & (PAGE - 1));

	if (size > rest)
		size = rest;
	if (!address || agent_copy_in(slot->bytes[piece], address, size))
		size = 0;
	slot->pieces[piece].address = address;
	slot->pieces[piece].size = size;
}

/* Lays what the command reads into the slot; where it writes. */
static u64 fill(struct agent_slot *slot, u32 cmd, const struct words *words)
{
	u64 out = 0;

	slot->pieces[0].size = slot->pieces[1].size = 0;
	switch (cmd) {
	case BPF_MAP_LOOKUP_ELEM:
	case BPF_MAP_GET_NEXT_KEY:
	case BPF_MAP_LOOKUP_AND_DELETE_ELEM: out = words->second; /* fallthrough */
	case BPF_MAP_DELETE_ELEM: lay(slot, 0, words->first, AGENT_SLOT_PIECE_GUESS); break;
	case BPF_MAP_UPDATE_ELEM:
		lay(slot, 0, words->first, AGENT_SLOT_PIECE_GUESS);
		lay(slot, 1, words->second, AGENT_SLOT_PIECE_ROOM);
		break;
	case BPF_OBJ_GET_INFO_BY_FD:
		out = words->first;
		if (words->length <= AGENT_SLOT_PIECE_ROOM)
			lay(slot, 0, words->first, words->length);
		break;
	default: break;
	}
	slot->out = out;
	return out;
}

/* Is the buffer of this command apart from its attributes? Both are written, and in which order
 * shows where they overlap. */
static bool is_apart(u32 cmd, const struct words *words, u64 attr, u32 size)
{
	return cmd != BPF_OBJ_GET_INFO_BY_FD || words->first >= attr + size ||
	       attr >= words->first + words->length;
}

static u64 notify(u32 cmd, u32 index, const struct agent_fds_head *head, u64 attr, u32 size)
{
	u32 changes = __atomic_load_n(&head->changes, __ATOMIC_SEQ_CST);
	u64 counted = changes | AGENT_CALL_COUNTED;

	if (__atomic_load_n(&head->off, __ATOMIC_SEQ_CST) ||
	    __atomic_load_n(&head->changing, __ATOMIC_SEQ_CST))
		counted = 0;
	return (u64)agent_command_with(AGENT_CALL, attr, size, agent_call_what(cmd, index), counted,
				       head->born);
}

/* Puts what the supervisor has written where the command writes. */
static long finish(const struct agent_slot *slot, const struct agent_answer *answer, u64 attr,
		   u32 size, u64 out)
{
	if (answer->written && (answer->written > sizeof(slot->written) || !out ||
				agent_copy_out(out, slot->written, answer->written)))
		return -E_FAULT;
	if (answer->attr_size &&
	    (answer->attr_first + answer->attr_size > size ||
	     agent_copy_out(attr + answer->attr_first, slot->attr + answer->attr_first,
			    answer->attr_size)))
		return -E_FAULT;
	return answer->result;
}

bool agent_slot_call(struct agent_call *call, u32 cmd)
{
	u8 attr[AGENT_SLOT_ATTR] __attribute__((aligned(8)));
	struct rt_pt_regs *regs = call->regs;
	struct agent_fds *fds = AGENT_FDS;
	struct agent_answer answer;
	struct agent_slot *slot;
	u32 size = (u32)regs->dx, index;
	bool served;
	u64 out;

	if (!agent_slot_takes(cmd) || !size || size > sizeof(attr))
		return false;
	/* What the caller leaves out is zero. */
	memset(attr, 0, sizeof(struct words));
	slot = slots_of(fds, call->thread);
	if (!slot || agent_copy_in(attr, regs->si, size) ||
	    !is_apart(cmd, (const struct words *)attr, regs->si, size) || !claim(fds, &index))
		return false;
	slot += index;
	memcpy(slot->attr, attr, size);
	out = fill(slot, cmd, (const struct words *)attr);
	served = agent_answer_unpack(notify(cmd, index, &fds->head, regs->si, size), &answer);
	if (served)
		regs->ax = (u64)finish(slot, &answer, regs->si, size, out);
	else
		__atomic_store_n(&fds->slots, SLOTS_REFUSED, __ATOMIC_RELEASE);
	__atomic_store_n(&fds->slot_used[index], 0, __ATOMIC_RELEASE);
	if (served && (s64)regs->ax >= 0)
		AGENT_STATE->client = 1;
	return served;
}
