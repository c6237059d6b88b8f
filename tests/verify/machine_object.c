/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Of the checking interpreter: dynptrs, iterators, kernel functions, functions that helpers call.
 *
 * Dynptrs and iterators lie in the program's stack as this machine likes it: only it reads them,
 * if the verifier keeps its promise.
 */
#include "verify/machine_helper.h"

#include <errno.h>
#include <string.h>

struct dynptr {
	u64 address;
	u32 region; /* 0: it is null */
	u32 size;
};

struct numbers {
	s32 next, end;
};

static bool read_object(struct machine *m, struct cell at, void *ret, u32 size)
{
	const void *memory = machine_memory(m, at, size);

	if (memory)
		memcpy(ret, memory, size);
	else
		machine_fault(m, "object", at, size);
	return memory;
}

static bool write_object(struct machine *m, struct cell at, const void *object, u32 size)
{
	void *memory = machine_writable(m, at, size);

	if (!memory) {
		machine_fault(m, "object written", at, size);
		return false;
	}
	memcpy(memory, object, size);
	machine_forget_pointers(m, at, size);
	return true;
}

/* `size` bytes of the dynptr from off on; region 0: they are not there. */
static struct cell part_of(const struct dynptr *dynptr, u64 off, u64 size)
{
	if (!dynptr->region || off > dynptr->size || size > dynptr->size - off)
		return (struct cell){ 0, 0 };
	return (struct cell){ dynptr->address + off, dynptr->region };
}

static enum machine_event point_into(struct machine *m, const struct dynptr *dynptr, u64 off,
				     u64 size, bool read_only, struct cell *result)
{
	struct cell at = part_of(dynptr, (u32)off, size);
	u32 part = at.region ? machine_add_part(m, at, (u32)size, read_only) : 0;

	*result = part ? machine_pointer(m, part, 0) : (struct cell){ 0, 0 };
	return MACHINE_RUNS;
}

static enum machine_event copy(struct machine *m, const struct dynptr *dynptr, struct cell memory,
			       u64 size, u64 off, bool writes, struct cell *result)
{
	struct cell part = part_of(dynptr, (u32)off, size);

	if (!machine_use(m, memory, size, writes))
		return MACHINE_FAULT;
	if (part.region && size && !writes && !machine_use(m, part, size, true))
		return MACHINE_FAULT;
	result->value = part.region ? 0 : (u64)-E2BIG;
	return MACHINE_RUNS;
}

static enum machine_event make(struct machine *m, struct cell at, struct dynptr dynptr,
			       struct cell *result)
{
	result->value = dynptr.region ? 0 : (u64)-EINVAL;
	return write_object(m, at, &dynptr, sizeof(dynptr)) ? MACHINE_RUNS : MACHINE_FAULT;
}

static enum machine_event reserve(struct machine *m, const struct cell *r, struct cell *result)
{
	struct dynptr dynptr = { 0 };

	if (!r[3].value && r[2].value <= gen_maps[GEN_RINGBUF].max_entries &&
	    machine_random(m) & (3 << 20)) {
		dynptr.size = (u32)r[2].value;
		dynptr.region = machine_add_region(m, REGION_RECORD, 0, dynptr.size);
		dynptr.address = machine_pointer(m, dynptr.region, 0).value;
	}
	return make(m, r[4], dynptr, result);
}

enum machine_event machine_dynptr(struct machine *m, s32 id, const struct cell *r,
				  struct cell *result)
{
	struct dynptr dynptr = { r[1].value, r[1].region, (u32)r[2].value }, none = { 0 };

	switch (id) {
	case BPF_FUNC_dynptr_from_mem:
		if (!machine_memory(m, r[1], r[2].value))
			return machine_fault(m, "dynptr", r[1], r[2].value);
		return make(m, r[4], r[3].value ? none : dynptr, result);
	case BPF_FUNC_ringbuf_reserve_dynptr: return reserve(m, r, result);
	case BPF_FUNC_ringbuf_submit_dynptr:
	case BPF_FUNC_ringbuf_discard_dynptr:
		if (!read_object(m, r[1], &dynptr, sizeof(dynptr)))
			return MACHINE_FAULT;
		if (dynptr.region)
			machine_end_region(m, dynptr.region);
		return make(m, r[1], none, result);
	case BPF_FUNC_dynptr_read:
		if (!read_object(m, r[3], &dynptr, sizeof(dynptr)))
			return MACHINE_FAULT;
		return copy(m, &dynptr, r[1], (u32)r[2].value, r[4].value, true, result);
	case BPF_FUNC_dynptr_write:
		if (!read_object(m, r[1], &dynptr, sizeof(dynptr)))
			return MACHINE_FAULT;
		return copy(m, &dynptr, r[3], (u32)r[4].value, r[2].value, false, result);
	case BPF_FUNC_dynptr_data:
		if (!read_object(m, r[1], &dynptr, sizeof(dynptr)))
			return MACHINE_FAULT;
		return point_into(m, &dynptr, r[2].value, (u32)r[3].value, false, result);
	default: return MACHINE_UNKNOWN;
	}
}

static enum machine_event new_numbers(struct machine *m, const struct cell *r, struct cell *result)
{
	struct numbers numbers = { (s32)r[2].value, (s32)r[3].value };

	result->value = numbers.next <= numbers.end ? 0 : (u64)-EINVAL;
	if (result->value || (s64)numbers.end - numbers.next > 1 << 23)
		numbers = (struct numbers){ 0, 0 };
	return write_object(m, r[1], &numbers, sizeof(numbers)) ? MACHINE_RUNS : MACHINE_FAULT;
}

static enum machine_event next_number(struct machine *m, const struct cell *r, struct cell *result)
{
	struct numbers numbers;

	if (!read_object(m, r[1], &numbers, sizeof(numbers)))
		return MACHINE_FAULT;
	*result = (struct cell){ 0, 0 };
	if (numbers.next >= numbers.end)
		return MACHINE_RUNS;
	memcpy(m->region[m->number].base, &numbers.next, sizeof(numbers.next));
	numbers.next++;
	*result = machine_pointer(m, m->number, 0);
	return write_object(m, r[1], &numbers, sizeof(numbers)) ? MACHINE_RUNS : MACHINE_FAULT;
}

static enum machine_event on_dynptr(struct machine *m, enum gen_kfunc id, const struct cell *r,
				    struct cell *result)
{
	struct dynptr dynptr;
	u64 start = (u32)r[2].value, end = (u32)r[3].value;

	if (!read_object(m, r[1], &dynptr, sizeof(dynptr)))
		return MACHINE_FAULT;
	switch (id) {
	case GEN_DYNPTR_SLICE:
	case GEN_DYNPTR_SLICE_RDWR:
		if (r[3].value && !machine_use(m, r[3], (u32)r[4].value, true))
			return MACHINE_FAULT;
		/* What is not in one piece is copied to the buffer. */
		if (r[3].value && machine_random(m) & (1 << 20))
			dynptr = (struct dynptr){ r[3].value, r[3].region, (u32)r[4].value };
		return point_into(m, &dynptr, dynptr.region == r[3].region ? 0 : start,
				  (u32)r[4].value, id == GEN_DYNPTR_SLICE, result);
	case GEN_DYNPTR_ADJUST:
		result->value = (u64)-EINVAL;
		if (!dynptr.region || start > end || end > dynptr.size)
			return MACHINE_RUNS;
		dynptr.address += start;
		dynptr.size = (u32)(end - start);
		return make(m, r[1], dynptr, result);
	case GEN_DYNPTR_CLONE: return make(m, r[2], dynptr, result);
	case GEN_DYNPTR_SIZE: result->value = dynptr.size; return MACHINE_RUNS;
	case GEN_DYNPTR_IS_NULL: result->value = !dynptr.region; return MACHINE_RUNS;
	default: result->value = machine_random(m) & 1; return MACHINE_RUNS;
	}
}

static enum machine_event call_kfunc(struct machine *m, enum gen_kfunc id, const struct cell *r,
				     struct cell *result)
{
	struct dynptr packet = { machine_pointer(m, m->packet, 0).value, m->packet,
				 m->region[m->packet].size };
	u64 flags = machine_random(m);

	switch (id) {
	case GEN_ITER_NUM_NEW: return new_numbers(m, r, result);
	case GEN_ITER_NUM_NEXT: return next_number(m, r, result);
	case GEN_DYNPTR_FROM_SKB:
	case GEN_DYNPTR_FROM_XDP:
		if (m->region[r[1].region].kind != REGION_CONTEXT)
			return machine_fault(m, "context", r[1], 0);
		return make(m, r[3], r[2].value ? (struct dynptr){ 0 } : packet, result);
	case GEN_DYNPTR_SLICE:
	case GEN_DYNPTR_SLICE_RDWR:
	case GEN_DYNPTR_ADJUST:
	case GEN_DYNPTR_CLONE:
	case GEN_DYNPTR_SIZE:
	case GEN_DYNPTR_IS_NULL:
	case GEN_DYNPTR_IS_RDONLY: return on_dynptr(m, id, r, result);
	case GEN_IRQ_SAVE:
		return write_object(m, r[1], &flags, sizeof(flags)) ? MACHINE_RUNS : MACHINE_FAULT;
	case GEN_IRQ_RESTORE:
		return read_object(m, r[1], &flags, sizeof(flags)) ? MACHINE_RUNS : MACHINE_FAULT;
	case GEN_ITER_NUM_DESTROY:
	case GEN_RCU_READ_LOCK:
	case GEN_RCU_READ_UNLOCK:
	case GEN_PREEMPT_DISABLE:
	case GEN_PREEMPT_ENABLE: return MACHINE_RUNS;
	case GEN_THROW: return MACHINE_EXIT;
	default: return MACHINE_UNKNOWN;
	}
}

enum machine_event machine_kfunc(struct machine *m, enum gen_kfunc id)
{
	static const u8 arguments[GEN_NR_KFUNCS] = {
		[GEN_ITER_NUM_NEW] = 3,	   [GEN_ITER_NUM_NEXT] = 1,	[GEN_ITER_NUM_DESTROY] = 1,
		[GEN_DYNPTR_SLICE] = 4,	   [GEN_DYNPTR_SLICE_RDWR] = 4, [GEN_DYNPTR_FROM_SKB] = 3,
		[GEN_DYNPTR_FROM_XDP] = 3, [GEN_DYNPTR_ADJUST] = 3,	[GEN_DYNPTR_CLONE] = 2,
		[GEN_DYNPTR_SIZE] = 1,	   [GEN_DYNPTR_IS_NULL] = 1,	[GEN_DYNPTR_IS_RDONLY] = 1,
		[GEN_IRQ_SAVE] = 1,	   [GEN_IRQ_RESTORE] = 1,	[GEN_THROW] = 1,
	};
	struct machine_frame *frame = &m->frame[m->depth];
	struct cell result = { machine_random(m), 0 };
	enum machine_event event;

	if ((u32)id >= GEN_NR_KFUNCS)
		return MACHINE_UNKNOWN;
	event = call_kfunc(m, id, frame->reg, &result);
	for (u32 i = 1; i <= arguments[id]; i++)
		machine_read(m, i);
	for (int i = 1; i <= 5; i++)
		frame->reg[i] = (struct cell){ machine_random(m), 0 };
	frame->reg[0] = result;
	return event;
}

/* One more round of the function in the newest frame. */
static void begin_round(struct machine *m)
{
	struct machine_frame *frame = &m->frame[m->depth], was = *frame;

	machine_enter(m, was.callsite);
	frame->callback = was.callback;
	frame->start = was.start;
	frame->done = was.done;
	frame->rounds = was.rounds;
	frame->argument = was.argument;
	frame->map = was.map;
	if (frame->callback == BPF_FUNC_loop) {
		frame->reg[1] = (struct cell){ frame->done, 0 };
		frame->reg[2] = frame->argument;
	} else {
		frame->reg[1] = machine_pointer(m, m->maps[frame->map], 0);
		frame->reg[2] = machine_pointer(m, m->keys[frame->map], 0);
		frame->reg[3] = machine_pointer(m, m->values[frame->map], 0);
		frame->reg[4] = frame->argument;
	}
	m->pc = frame->start - 1; /* the step that calls goes on by one */
}

bool machine_call_back(struct machine *m, s32 id, const struct cell *r)
{
	const struct region *map = &m->region[r[1].region];
	struct machine_frame frame = {
		.callsite = m->pc, .callback = id, .start = (u32)r[2].value, .argument = r[3]
	};

	if (m->region[r[2].region].kind != REGION_FUNCTION) {
		machine_fault(m, "function", r[2], 0);
		return false;
	}
	if (id == BPF_FUNC_loop) {
		frame.rounds = (u32)r[1].value;
		if (frame.rounds > 1 << 23)
			return false;
	} else {
		if (map->kind != REGION_MAP) {
			machine_fault(m, "map", r[1], 0);
			return false;
		}
		frame.map = map->index;
		frame.rounds = machine_random(m) % (gen_maps[map->index].max_entries + 1);
	}
	if (r[4].value || !frame.rounds || m->depth + 1 >= MACHINE_FRAMES)
		return false;
	m->depth++;
	m->frame[m->depth] = frame;
	begin_round(m);
	return true;
}

bool machine_call_again(struct machine *m)
{
	struct machine_frame *frame = &m->frame[m->depth];

	frame->done++;
	if (frame->reg[0].value || frame->done >= frame->rounds)
		return false;
	begin_round(m);
	return true;
}
