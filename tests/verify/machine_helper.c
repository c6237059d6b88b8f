/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The helpers of the checking interpreter, as far as generate.h calls them.
 */
#include "verify/machine_helper.h"

#include <string.h>
#include <unistd.h>

enum use { READS, WRITES };

/* Checks, and for WRITES fills, the memory that a helper is given. */
static bool use_memory(struct machine *m, struct cell at, u64 size, enum use use)
{
	u8 *memory = machine_memory(m, at, size);

	/* No memory of no size: NULL is fine. */
	if (size == 0)
		return true;
	if (!memory) {
		machine_fault(m, use == READS ? "helper read" : "helper write", at, size);
		return false;
	}
	if (use == READS)
		machine_note_read(m, at, size);
	if (use == WRITES) {
		for (u64 i = 0; i < size; i++)
			memory[i] = (u8)machine_number(m);
		machine_forget_pointers(m, at, size);
	}
	return true;
}

static s64 error_or_zero(struct machine *m)
{
	return machine_random(m) & (1 << 20) ? 0 : -(s64)(1 + ((machine_random(m) >> 30) % 100));
}

/* The map that r1 names, or NULL. */
static const struct gen_map_def *map_of(const struct machine *m, struct cell map, u32 *ret_index)
{
	const struct region *region = &m->region[map.region];

	if (region->kind != REGION_MAP)
		return NULL;
	*ret_index = region->index;
	return &gen_maps[region->index];
}

static enum machine_event do_map(struct machine *m, s32 id, const struct cell *r,
				 struct cell *result)
{
	u32 index = 0, key = 0;
	const struct gen_map_def *def = map_of(m, r[1], &index);
	bool is_array;

	if (!def)
		return machine_fault(m, "map helper", r[1], 0);
	is_array = def->type == BPF_MAP_TYPE_ARRAY || def->type == BPF_MAP_TYPE_PERCPU_ARRAY;
	if (!use_memory(m, r[2], def->key_size, READS))
		return MACHINE_FAULT;
	if (id == BPF_FUNC_map_update_elem && !use_memory(m, r[3], def->value_size, READS))
		return MACHINE_FAULT;
	if (id != BPF_FUNC_map_lookup_elem) {
		result->value = (u64)error_or_zero(m);
		return MACHINE_RUNS;
	}
	if (is_array)
		memcpy(&key, machine_memory(m, r[2], 4), 4);
	if (is_array ? key < def->max_entries : machine_random(m) & (1 << 20))
		*result = machine_pointer(m, m->values[index], 0);
	else
		result->value = 0;
	return MACHINE_RUNS;
}

static enum machine_event do_ringbuf(struct machine *m, s32 id, const struct cell *r,
				     struct cell *result)
{
	u32 record;

	switch (id) {
	case BPF_FUNC_ringbuf_output:
		result->value = (u64)error_or_zero(m);
		return use_memory(m, r[2], r[3].value, READS) ? MACHINE_RUNS : MACHINE_FAULT;
	case BPF_FUNC_ringbuf_reserve:
		result->value = 0;
		/* What does not fit into the buffer is never granted. */
		if (r[2].value <= gen_maps[GEN_RINGBUF].max_entries &&
		    (machine_random(m) & (3 << 20))) {
			record = machine_add_region(m, REGION_RECORD, 0, (u32)r[2].value);
			if (record)
				*result = machine_pointer(m, record, 0);
		}
		return MACHINE_RUNS;
	default:
		if (m->region[r[1].region].kind != REGION_RECORD ||
		    r[1].value != (u64)(uintptr_t)m->region[r[1].region].base)
			return machine_fault(m, "submit", r[1], 0);
		/* The record is gone: no pointer may reach it any more. */
		m->region[r[1].region].kind = REGION_MAP;
		return MACHINE_RUNS;
	}
}

static enum machine_event call(struct machine *m, s32 id, const struct cell *r, struct cell *result)
{
	switch (id) {
	case BPF_FUNC_map_lookup_elem:
	case BPF_FUNC_map_update_elem:
	case BPF_FUNC_map_delete_elem: return do_map(m, id, r, result);
	case BPF_FUNC_ringbuf_output:
	case BPF_FUNC_ringbuf_reserve:
	case BPF_FUNC_ringbuf_submit:
	case BPF_FUNC_ringbuf_discard: return do_ringbuf(m, id, r, result);
	case BPF_FUNC_get_prandom_u32: result->value = (u32)machine_number(m); return MACHINE_RUNS;
	case BPF_FUNC_get_smp_processor_id:
		result->value = machine_random(m) % (u64)sysconf(_SC_NPROCESSORS_CONF);
		return MACHINE_RUNS;
	case BPF_FUNC_ktime_get_ns:
	case BPF_FUNC_get_current_pid_tgid:
	case BPF_FUNC_get_current_uid_gid: result->value = machine_number(m); return MACHINE_RUNS;
	case BPF_FUNC_tail_call: return MACHINE_RUNS; /* fails: r0 stays undefined */
	case BPF_FUNC_trace_printk:
		result->value = (u64)error_or_zero(m);
		return use_memory(m, r[1], (u32)r[2].value, READS) ? MACHINE_RUNS : MACHINE_FAULT;
	case BPF_FUNC_get_current_comm:
	case BPF_FUNC_probe_read:
	case BPF_FUNC_probe_read_user:
	case BPF_FUNC_probe_read_kernel:
		result->value = (u64)error_or_zero(m);
		return use_memory(m, r[1], (u32)r[2].value, WRITES) ? MACHINE_RUNS : MACHINE_FAULT;
	case BPF_FUNC_probe_read_str:
	case BPF_FUNC_probe_read_user_str:
	case BPF_FUNC_probe_read_kernel_str:
		result->value = r[2].value ? machine_random(m) % r[2].value : 0;
		return use_memory(m, r[1], (u32)r[2].value, WRITES) ? MACHINE_RUNS : MACHINE_FAULT;
	default: return MACHINE_UNKNOWN;
	}
}

/* How many arguments the helper has. */
static int nr_arguments(s32 id)
{
	switch (id) {
	case BPF_FUNC_map_update_elem:
	case BPF_FUNC_ringbuf_output: return 4;
	case BPF_FUNC_map_lookup_elem:
	case BPF_FUNC_map_delete_elem:
	case BPF_FUNC_get_current_comm:
	case BPF_FUNC_trace_printk:
	case BPF_FUNC_ringbuf_submit:
	case BPF_FUNC_ringbuf_discard: return 2;
	case BPF_FUNC_get_prandom_u32:
	case BPF_FUNC_get_smp_processor_id:
	case BPF_FUNC_ktime_get_ns:
	case BPF_FUNC_get_current_pid_tgid:
	case BPF_FUNC_get_current_uid_gid: return 0;
	default: return 3;
	}
}

enum machine_event machine_helper(struct machine *m, s32 id)
{
	struct machine_frame *frame = &m->frame[m->depth];
	struct cell result = { machine_random(m), 0 };
	enum machine_event event = call(m, id, frame->reg, &result);

	for (int i = 1; i <= nr_arguments(id); i++)
		machine_read(m, (unsigned)i);
	for (int i = 1; i <= 5; i++)
		frame->reg[i] = (struct cell){ machine_random(m), 0 };
	frame->reg[0] = result;
	return event;
}
