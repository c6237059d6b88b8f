/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Helpers that change a message (struct abi_rt_msg); results as in net/core/filter.c. The kernel
 * has it in elements that lie anywhere; here they lie behind each other, and their lengths alone
 * decide what a program sees: the first element, or what it has pulled.
 */
#include "abi/context.h"
#include "rt/helper/families.h"
#include "rt/mem.h"

/* Where an offset lies: in element i, which begins at begin and has length bytes. */
struct place {
	u32 i, begin, length;
};

/* i is nr if the offset is the message's end or behind it. */
static struct place find(const struct abi_rt_msg *msg, u32 offset)
{
	struct place place = { 0 };

	for (; place.i < msg->nr; place.i++) {
		place.begin += place.length;
		place.length = msg->length[place.i];
		if (offset < place.begin + place.length)
			break;
	}
	return place;
}

static u32 end_of(const struct place *place)
{
	return place->begin + place->length;
}

static void show(struct abi_rt_msg *msg, u64 begin, u64 end)
{
	msg->md.data = (void *)(msg->memory + begin);
	msg->md.data_end = (void *)(msg->memory + end);
}

static void show_first(struct abi_rt_msg *msg)
{
	show(msg, 0, msg->nr ? msg->length[0] : 0);
}

/* Elements [from, to) are one from now on. */
static void merge(struct abi_rt_msg *msg, u32 from, u32 to)
{
	for (u32 i = from + 1; i < to; i++)
		msg->length[from] += msg->length[i];
	for (u32 i = to; i < msg->nr; i++)
		msg->length[from + 1 + i - to] = msg->length[i];
	msg->nr -= to - from - 1;
}

static void insert(struct abi_rt_msg *msg, u32 i, u32 length)
{
	for (u32 k = msg->nr; k > i; k--)
		msg->length[k] = msg->length[k - 1];
	msg->length[i] = length;
	msg->nr++;
}

static void remove(struct abi_rt_msg *msg, u32 i)
{
	for (msg->nr--; i < msg->nr; i++)
		msg->length[i] = msg->length[i + 1];
}

/* (msg, start, end, flags) */
RT_HELPER(msg_pull_data)
{
	struct abi_rt_msg *msg = (struct abi_rt_msg *)r1;
	u32 start = (u32)r2, end = (u32)r3, last, reach;
	struct place place;

	if (r4 || end <= start)
		return (u64)-EINVAL;
	place = find(msg, start);
	if (start >= end_of(&place))
		return (u64)-EINVAL;
	last = place.i + 1;
	for (reach = end_of(&place); reach < end && last < msg->nr; last++)
		reach += msg->length[last];
	if (reach < end)
		return (u64)-EINVAL;
	merge(msg, place.i, last);
	show(msg, start, end);
	return 0;
}

/* Divides the message at an offset: the number of the element that begins there. */
static u32 divide(struct abi_rt_msg *msg, const struct place *place, u32 offset)
{
	u32 front = offset - place->begin;

	if (place->i == msg->nr || !front)
		return place->i;
	msg->length[place->i] = front;
	insert(msg, place->i + 1, place->length - front);
	return place->i + 1;
}

/* (msg, start, len, flags): the new bytes are zeros; the kernel's are anything. */
RT_HELPER(msg_push_data)
{
	struct abi_rt_msg *msg = (struct abi_rt_msg *)r1;
	u32 start = (u32)r2, length = (u32)r3, space;
	struct place place;
	u8 *at;

	if (r4)
		return (u64)-EINVAL;
	if (!length)
		return 0;
	place = find(msg, start);
	if (start > end_of(&place))
		return (u64)-EINVAL;
	if (length > msg->room - msg->md.size)
		return (u64)-ENOMEM;
	at = (u8 *)msg->memory + start;
	memmove(at + length, at, msg->md.size - start);
	memset(at, 0, length);
	msg->md.size += length;
	space = ABI_MSG_FRAGS - msg->nr;
	/* Without room for what the new element divides it becomes a part of that. */
	if (!space || (space == 1 && start != place.begin && place.i < msg->nr))
		msg->length[place.i < msg->nr ? place.i : msg->nr - 1] += length;
	else
		insert(msg, divide(msg, &place, start), length);
	show_first(msg);
	return 0;
}

/* Takes length bytes at an offset out of the elements. */
static void take_out(struct abi_rt_msg *msg, const struct place *place, u32 offset, u32 length)
{
	u32 i = place->i, front = offset - place->begin;

	if (front && place->length > length + front) {
		if (msg->nr < ABI_MSG_FRAGS)
			insert(msg, i + 1, place->length - length - front);
		else
			front = place->length - length;
		msg->length[i] = front;
		return;
	}
	if (front) {
		length -= place->length - front;
		msg->length[i++] = front;
	}
	while (length) {
		if (length < msg->length[i]) {
			msg->length[i] -= length;
			return;
		}
		length -= msg->length[i];
		remove(msg, i);
	}
}

/* (msg, start, len, flags) */
RT_HELPER(msg_pop_data)
{
	struct abi_rt_msg *msg = (struct abi_rt_msg *)r1;
	u32 start = (u32)r2, length = (u32)r3;
	u64 last = (u64)start + length;
	struct place place;
	u8 *at;

	if (r4)
		return (u64)-EINVAL;
	if (!length)
		return 0;
	place = find(msg, start);
	if (start >= end_of(&place) || last > msg->md.size)
		return (u64)-EINVAL;
	at = (u8 *)msg->memory + start;
	memmove(at, at + length, msg->md.size - last);
	msg->md.size -= length;
	take_out(msg, &place, start, length);
	show_first(msg);
	return 0;
}
