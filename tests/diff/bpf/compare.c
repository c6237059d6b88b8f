/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What counts as a difference. First everything that is a side's own by nature (ids, addresses,
 * times) is made equal; then the table of explained differences (explain.c) is asked.
 */
#include "compare.h"

#include <string.h>

/* The attributes as far as the call gave them. */
const union abi_attr *op_attr(const struct op *op)
{
	static union abi_attr attr;

	u32 size = op->size < sizeof(attr) ? op->size : sizeof(attr);

	if (size > MEMORY_SIZE - op->attr_at)
		size = MEMORY_SIZE - op->attr_at;
	memset(&attr, 0, sizeof(attr));
	memcpy(&attr, op->memory + op->attr_at, size);
	return &attr;
}

const struct slot *slot_at(const struct pair *pair, u32 fd)
{
	static const struct slot none;

	return fd < FDS ? &pair->slots[fd] : &none;
}

bool type_unordered(u32 type)
{
	switch (type) {
	case BPF_MAP_TYPE_HASH:
	case BPF_MAP_TYPE_PERCPU_HASH:
	case BPF_MAP_TYPE_LRU_HASH:
	case BPF_MAP_TYPE_LRU_PERCPU_HASH:
	case BPF_MAP_TYPE_HASH_OF_MAPS:
	case BPF_MAP_TYPE_DEVMAP_HASH:
	case BPF_MAP_TYPE_SOCKHASH: return true;
	default: return false;
	}
}

/* Are values of this type ids of objects, for clients? */
static bool shows_ids(u32 type)
{
	return type == BPF_MAP_TYPE_PROG_ARRAY || type == BPF_MAP_TYPE_ARRAY_OF_MAPS ||
	       type == BPF_MAP_TYPE_HASH_OF_MAPS;
}

bool op_is_batch(const struct op *op)
{
	return op->cmd >= BPF_MAP_LOOKUP_BATCH && op->cmd <= BPF_MAP_DELETE_BATCH;
}

/* The map that a call on elements works on. */
const struct slot *op_map(const struct pair *pair, const struct op *op)
{
	if (op_is_batch(op))
		return slot_at(pair, op_attr(op)->batch.map_fd);
	return slot_at(pair, op_attr(op)->elem.map_fd);
}

static void clear(u8 *memory, u64 address, u64 size)
{
	if (address >= MEMORY && address < MEMORY_END && size <= MEMORY_END - address)
		memset(memory + (address - MEMORY), 0, size);
}

/* A field of an info structure that is each side's own. */
#define OWN(type, field) clear(memory, info + offsetof(type, field), sizeof(((type *)0)->field))

static void clear_info(const struct slot *slot, u64 info, u8 *memory)
{
	switch (slot->thing) {
	case A_PROG:
		OWN(struct bpf_prog_info, id);
		OWN(struct bpf_prog_info, btf_id);
		OWN(struct bpf_prog_info, load_time);
		OWN(struct bpf_prog_info, run_time_ns);
		OWN(struct bpf_prog_info, run_cnt);
		OWN(struct bpf_prog_info, jited_prog_len);
		OWN(struct bpf_prog_info, jited_prog_insns);
		OWN(struct bpf_prog_info, xlated_prog_len);
		OWN(struct bpf_prog_info, nr_jited_line_info);
		OWN(struct bpf_prog_info, nr_jited_ksyms);
		OWN(struct bpf_prog_info, nr_jited_func_lens);
		break;
	case A_MAP:
		OWN(struct bpf_map_info, id);
		OWN(struct bpf_map_info, btf_id);
		break;
	case A_BTF: OWN(struct bpf_btf_info, id); break;
	case A_LINK:
		OWN(struct bpf_link_info, id);
		OWN(struct bpf_link_info, prog_id);
		break;
	default: break;
	}
}

/* Makes equal what is a side's own. */
static void normalise(const struct pair *pair, const struct op *op, u8 *memory)
{
	const union abi_attr *attr = op_attr(op);
	const struct slot *map;
	u32 i;

	memset(memory + AT_OWN, 0, AT_EDGE - AT_OWN);
	if (op->id_of >= 0)
		clear(memory, MEMORY + op->attr_at, 4);
	if (op->own_pid)
		clear(memory, MEMORY + op->attr_at, 4);
	switch (op->cmd) {
	case BPF_MAP_LOOKUP_ELEM:
	case BPF_MAP_LOOKUP_AND_DELETE_ELEM:
		if (shows_ids(op_map(pair, op)->type))
			clear(memory, attr->elem.value, sizeof(u32));
		break;
	case BPF_MAP_LOOKUP_BATCH:
	case BPF_MAP_LOOKUP_AND_DELETE_BATCH:
		if (shows_ids(op_map(pair, op)->type))
			clear(memory, attr->batch.values, AT_TOKEN - AT_VALUE);
		break;
	case BPF_OBJ_GET_INFO_BY_FD:
		clear_info(slot_at(pair, attr->info.bpf_fd), attr->info.info, memory);
		break;
	case BPF_PROG_LOAD:
		/* Behind its end the kernel's log has what it has taken back. */
		if (attr->load.log_buf < MEMORY || attr->load.log_buf >= MEMORY_END)
			break;
		for (i = (u32)(attr->load.log_buf - MEMORY); i < MEMORY_SIZE && memory[i]; i++)
			;
		clear(memory, MEMORY + i,
		      attr->load.log_buf - MEMORY + attr->load.log_size > i &&
				      attr->load.log_buf - MEMORY + attr->load.log_size <=
					      MEMORY_SIZE
			      ? attr->load.log_buf - MEMORY + attr->load.log_size - i
			      : MEMORY_SIZE - i);
		break;
	case BPF_PROG_TEST_RUN:
		clear(memory, MEMORY + op->attr_at + offsetof(union abi_attr, test.duration), 4);
		if (slot_at(pair, attr->test.prog_fd)->own_result)
			clear(memory, MEMORY + op->attr_at + offsetof(union abi_attr, test.retval),
			      4);
		break;
	case BPF_TASK_FD_QUERY:
		clear(memory,
		      MEMORY + op->attr_at + offsetof(union abi_attr, task_fd_query.prog_id), 4);
		break;
	case BPF_MAP_GET_NEXT_KEY:
		map = op_map(pair, op);
		if (type_unordered(map->type))
			clear(memory, attr->elem.next_key, map->key_size);
		break;
	default: break;
	}
}

const char *compare(struct pair *pair, const struct op *op, struct outcome *outcome)
{
	const char *what = NULL;

	/* What a batch took out of a hash may be other elements. */
	if (op->kind == OP_BPF && op->cmd == BPF_MAP_LOOKUP_AND_DELETE_BATCH &&
	    type_unordered(op_map(pair, op)->type))
		pair->parted = true;
	if (outcome->results[0] != outcome->results[1])
		what = "results";
	if (!what && op->kind == OP_BPF) {
		normalise(pair, op, outcome->memory[0]);
		normalise(pair, op, outcome->memory[1]);
		if (memcmp(outcome->memory[0], outcome->memory[1], MEMORY_SIZE))
			what = "what was written";
	}
	if (!what || op->kind != OP_BPF || !explain(pair, op, outcome))
		return what;
	return NULL;
}
