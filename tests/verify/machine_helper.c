/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The helpers of the checking interpreter, as far as generate.h calls them.
 */
#include "verify/machine_helper.h"

#include <string.h>
#include <unistd.h>

bool machine_use(struct machine *m, struct cell at, u64 size, bool writes)
{
	u8 *memory = writes ? machine_writable(m, at, size) : machine_memory(m, at, size);

	/* No memory of no size: NULL is fine. */
	if (size == 0)
		return true;
	if (!memory) {
		machine_fault(m, writes ? "helper write" : "helper read", at, size);
		return false;
	}
	if (!writes) {
		machine_note_read(m, at, size);
		return true;
	}
	for (u64 i = 0; i < size; i++)
		memory[i] = (u8)machine_number(m);
	machine_forget_pointers(m, at, size);
	return true;
}

s64 machine_error_or_zero(struct machine *m)
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
	if (!machine_use(m, r[2], def->key_size, false))
		return MACHINE_FAULT;
	if (id == BPF_FUNC_map_update_elem && !machine_use(m, r[3], def->value_size, false))
		return MACHINE_FAULT;
	if (id != BPF_FUNC_map_lookup_elem) {
		result->value = (u64)machine_error_or_zero(m);
		return MACHINE_RUNS;
	}
	if (is_array)
		memcpy(&key, machine_memory(m, r[2], 4), 4);
	if (index != GEN_OUTER &&
	    (is_array ? key < def->max_entries : machine_random(m) & (1 << 20)))
		*result = machine_pointer(m, m->values[index], 0);
	else if (index == GEN_OUTER && machine_random(m) & (1 << 20))
		*result = machine_pointer(m, m->maps[GEN_ARRAY], 0);
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
		result->value = (u64)machine_error_or_zero(m);
		return machine_use(m, r[2], r[3].value, false) ? MACHINE_RUNS : MACHINE_FAULT;
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
		machine_end_region(m, r[1].region);
		return MACHINE_RUNS;
	}
}

/* A special field of a value: r1 points to it. */
static enum machine_event do_field(struct machine *m, const struct cell *r, enum gen_map map,
				   struct cell *result)
{
	const struct region *region = &m->region[r[1].region];

	if (region->kind != REGION_VALUE || region->index != map ||
	    r[1].value != (u64)(uintptr_t)region->base + GEN_FIELD_OFF)
		return machine_fault(m, "field", r[1], 0);
	result->value = (u64)machine_error_or_zero(m);
	return MACHINE_RUNS;
}

static enum machine_event do_socket(struct machine *m, s32 id, const struct cell *r,
				    struct cell *result)
{
	u32 socket;

	if (id == BPF_FUNC_sk_release) {
		if (m->region[r[1].region].kind != REGION_SOCKET)
			return machine_fault(m, "release", r[1], 0);
		machine_end_region(m, r[1].region);
		result->value = 0;
		return MACHINE_RUNS;
	}
	if (!machine_use(m, r[2], r[3].value, false))
		return MACHINE_FAULT;
	result->value = 0;
	if (machine_random(m) & (1 << 20)) {
		socket = machine_add_region(m, REGION_SOCKET, 0, 80);
		if (socket)
			*result = machine_pointer(m, socket, 0);
	}
	return MACHINE_RUNS;
}

static u64 nr_cpus(void)
{
	static u64 nr;

	if (!nr)
		nr = (u64)sysconf(_SC_NPROCESSORS_CONF);
	return nr;
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
		result->value = machine_random(m) % nr_cpus();
		return MACHINE_RUNS;
	case BPF_FUNC_ktime_get_ns:
	case BPF_FUNC_get_current_pid_tgid:
	case BPF_FUNC_get_current_uid_gid: result->value = machine_number(m); return MACHINE_RUNS;
	case BPF_FUNC_tail_call: return MACHINE_RUNS; /* fails: r0 stays undefined */
	case BPF_FUNC_trace_printk:
		result->value = (u64)machine_error_or_zero(m);
		return machine_use(m, r[1], (u32)r[2].value, false) ? MACHINE_RUNS : MACHINE_FAULT;
	case BPF_FUNC_get_current_comm:
	case BPF_FUNC_probe_read:
	case BPF_FUNC_probe_read_user:
	case BPF_FUNC_probe_read_kernel:
		result->value = (u64)machine_error_or_zero(m);
		return machine_use(m, r[1], (u32)r[2].value, true) ? MACHINE_RUNS : MACHINE_FAULT;
	case BPF_FUNC_probe_read_str:
	case BPF_FUNC_probe_read_user_str:
	case BPF_FUNC_probe_read_kernel_str:
		result->value = r[2].value ? machine_random(m) % r[2].value : 0;
		return machine_use(m, r[1], (u32)r[2].value, true) ? MACHINE_RUNS : MACHINE_FAULT;
	case BPF_FUNC_spin_lock:
	case BPF_FUNC_spin_unlock: return do_field(m, r, GEN_LOCKED, result);
	case BPF_FUNC_timer_init:
	case BPF_FUNC_timer_set_callback:
	case BPF_FUNC_timer_start: return do_field(m, r, GEN_TIMER, result);
	case BPF_FUNC_sk_lookup_tcp:
	case BPF_FUNC_sk_lookup_udp:
	case BPF_FUNC_sk_release: return do_socket(m, id, r, result);
	case BPF_FUNC_skb_load_bytes:
	case BPF_FUNC_xdp_load_bytes:
		result->value = (u64)machine_error_or_zero(m);
		return machine_use(m, r[3], (u32)r[4].value, true) ? MACHINE_RUNS : MACHINE_FAULT;
	case BPF_FUNC_csum_diff:
		result->value = machine_number(m);
		return machine_use(m, r[1], (u32)r[2].value, false) &&
				       machine_use(m, r[3], (u32)r[4].value, false)
			       ? MACHINE_RUNS
			       : MACHINE_FAULT;
	default: return machine_dynptr(m, id, r, result);
	}
}

/* How many arguments the helper has. */
static int nr_arguments(s32 id)
{
	switch (id) {
	case BPF_FUNC_sk_lookup_tcp:
	case BPF_FUNC_sk_lookup_udp:
	case BPF_FUNC_csum_diff:
	case BPF_FUNC_dynptr_read:
	case BPF_FUNC_dynptr_write: return 5;
	case BPF_FUNC_map_update_elem:
	case BPF_FUNC_ringbuf_output:
	case BPF_FUNC_loop:
	case BPF_FUNC_for_each_map_elem:
	case BPF_FUNC_skb_load_bytes:
	case BPF_FUNC_xdp_load_bytes:
	case BPF_FUNC_dynptr_from_mem:
	case BPF_FUNC_ringbuf_reserve_dynptr: return 4;
	case BPF_FUNC_map_lookup_elem:
	case BPF_FUNC_map_delete_elem:
	case BPF_FUNC_get_current_comm:
	case BPF_FUNC_trace_printk:
	case BPF_FUNC_ringbuf_submit:
	case BPF_FUNC_ringbuf_discard:
	case BPF_FUNC_ringbuf_submit_dynptr:
	case BPF_FUNC_ringbuf_discard_dynptr:
	case BPF_FUNC_timer_set_callback: return 2;
	case BPF_FUNC_spin_lock:
	case BPF_FUNC_spin_unlock:
	case BPF_FUNC_sk_release: return 1;
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
	enum machine_event event;

	for (int i = 1; i <= nr_arguments(id); i++)
		machine_read(m, (unsigned)i);
	if (id == BPF_FUNC_loop || id == BPF_FUNC_for_each_map_elem) {
		if (machine_call_back(m, id, frame->reg))
			return MACHINE_RUNS;
		result.value = frame->reg[4].value ? (u64)-22 : 0;
		event = m->fault[0] ? MACHINE_FAULT : MACHINE_RUNS;
	} else {
		event = call(m, id, frame->reg, &result);
	}
	for (int i = 1; i <= 5; i++)
		frame->reg[i] = (struct cell){ machine_random(m), 0 };
	frame->reg[0] = result;
	return event;
}
