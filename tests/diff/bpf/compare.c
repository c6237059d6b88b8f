/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What counts as a difference. First everything that is a side's own by nature (ids, addresses,
 * times) is made equal; then the table of explained differences is asked. It is mirrored in
 * docs/differences.md.
 */
#include "pair.h"
#include "abi/helper.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The attributes as far as the call gave them. */
static const union abi_attr *attr_of(const struct op *op)
{
	static union abi_attr attr;

	u32 size = op->size < sizeof(attr) ? op->size : sizeof(attr);

	if (size > MEMORY_SIZE - op->attr_at)
		size = MEMORY_SIZE - op->attr_at;
	memset(&attr, 0, sizeof(attr));
	memcpy(&attr, op->memory + op->attr_at, size);
	return &attr;
}

static const struct slot *slot_at(const struct pair *pair, u32 fd)
{
	static const struct slot none;

	return fd < FDS ? &pair->slots[fd] : &none;
}

static bool unordered(u32 type)
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

static bool is_batch(const struct op *op)
{
	return op->cmd >= BPF_MAP_LOOKUP_BATCH && op->cmd <= BPF_MAP_DELETE_BATCH;
}

/* The map that a call on elements works on. */
static const struct slot *map_of(const struct pair *pair, const struct op *op)
{
	if (is_batch(op))
		return slot_at(pair, attr_of(op)->batch.map_fd);
	return slot_at(pair, attr_of(op)->elem.map_fd);
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
	const union abi_attr *attr = attr_of(op);
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
		if (shows_ids(map_of(pair, op)->type))
			clear(memory, attr->elem.value, sizeof(u32));
		break;
	case BPF_MAP_LOOKUP_BATCH:
	case BPF_MAP_LOOKUP_AND_DELETE_BATCH:
		if (shows_ids(map_of(pair, op)->type))
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
		map = map_of(pair, op);
		if (unordered(map->type))
			clear(memory, attr->elem.next_key, map->key_size);
		break;
	default: break;
	}
}

/* The explained differences: each with what it is about, and how to know it. */
struct explained {
	const char *reason;
	bool (*covers)(struct pair *pair, const struct op *op, const struct outcome *outcome);
	u32 seen;
};

/* Fills a call's memory only up to where the client's ends; skep writes all or nothing. */
static bool half_written(struct pair *pair, const struct op *op, const struct outcome *outcome)
{
	return op->half && outcome->results[0] == outcome->results[1] &&
	       !memcmp(outcome->memory[0], outcome->memory[1], AT_EDGE);
}

static bool is_any(long result, long first, long second, long third)
{
	return result == first || result == second || result == third;
}

static bool hash_batch(struct pair *pair, const struct op *op, const struct outcome *outcome)
{
	const long *results = outcome->results;

	if (!is_batch(op) || !unordered(map_of(pair, op)->type))
		return false;
	return (results[0] == -EFAULT || is_any(results[0], 0, -ENOENT, -ENOSPC)) &&
	       (results[1] == -EFAULT || is_any(results[1], 0, -ENOENT, -ENOSPC));
}

static bool hash_next(struct pair *pair, const struct op *op, const struct outcome *outcome)
{
	const long *results = outcome->results;

	return op->cmd == BPF_MAP_GET_NEXT_KEY && unordered(map_of(pair, op)->type) &&
	       is_any(results[0], 0, -ENOENT, -EFAULT) && is_any(results[1], 0, -ENOENT, -EFAULT);
}

/* A log that shows addresses of maps: 16 digits there, 12 here, so all behind moves. */
static bool map_address(struct pair *pair, const struct op *op, const struct outcome *outcome)
{
	const long *results = outcome->results;
	bool found = false;
	u32 i;

	if (op->cmd != BPF_PROG_LOAD || !attr_of(op)->load.log_level)
		return false;
	for (i = AT_INSNS; i + 16 <= AT_LICENSE && !found; i += 8)
		found = op->memory[i] == (BPF_LD | BPF_IMM | BPF_DW) && op->memory[i + 1] >> 4;
	return found &&
	       (results[0] == results[1] || results[0] == -ENOSPC || results[1] == -ENOSPC);
}

/* Does the program call a helper that skep lacks? */
static bool calls_absent(const struct op *op)
{
	const struct abi_helper *helper;
	struct bpf_insn insn;
	u32 i;

	for (i = AT_INSNS; i < AT_LICENSE; i += sizeof(insn)) {
		memcpy(&insn, op->memory + i, sizeof(insn));
		helper = insn.code == (BPF_JMP | BPF_CALL) && !insn.src_reg
				 ? abi_helper_find((u32)insn.imm)
				 : NULL;
		if (helper && !abi_helper_available(helper, attr_of(op)->load.prog_type))
			return true;
	}
	return false;
}

/* A helper that one side does not have, or names in other words: those of 6.1, which clients look
 * for. What comes behind its call is not looked at. */
static bool no_helper(struct pair *pair, const struct op *op, const struct outcome *outcome)
{
	static char text[4096];

	if (op->cmd != BPF_PROG_LOAD)
		return false;
	if (calls_absent(op))
		return true;
	pair_log(pair, 1, op, text, sizeof(text));
	if (strstr(text, "unknown func"))
		return true;
	if (!strstr(text, "cannot use helper"))
		return false;
	pair_log(pair, 0, op, text, sizeof(text));
	return !strstr(text, "cannot use helper");
}

/* There are no devices in a hive that a program could be bound to. */
static bool device(struct pair *pair, const struct op *op, const struct outcome *outcome)
{
	return op->cmd == BPF_PROG_LOAD && attr_of(op)->load.prog_ifindex &&
	       outcome->results[0] == -EOPNOTSUPP && outcome->results[1] == -EINVAL;
}

/* The same of functions of the kernel. */
static bool no_kfunc(struct pair *pair, const struct op *op, const struct outcome *outcome)
{
	static char text[4096];

	if (op->cmd != BPF_PROG_LOAD)
		return false;
	pair_log(pair, 1, op, text, sizeof(text));
	return strstr(text, "calls a kfunc, which this hive does not have");
}

/* Loads from what a map in a map is: a descriptor of the hive's, not of the kernel's. */
static bool descriptor(struct pair *pair, const struct op *op, const struct outcome *outcome)
{
	static char text[4096];

	if (op->cmd != BPF_PROG_LOAD || outcome->results[1] != -EACCES)
		return false;
	pair_log(pair, 1, op, text, sizeof(text));
	return strstr(text, "map_ptr access not supported here");
}

/* Sockets found in a map of XSK sockets: there are none in a hive. */
static bool xsk(struct pair *pair, const struct op *op, const struct outcome *outcome)
{
	static char text[4096];

	if (op->cmd != BPF_PROG_LOAD || outcome->results[1] != -EINVAL)
		return false;
	pair_log(pair, 1, op, text, sizeof(text));
	return strstr(text, "cannot pass map_type 17 into func bpf_map_lookup_elem");
}

/* A log that has no room where it lies: text that it takes back later is written there, too. */
static bool half_log(struct pair *pair, const struct op *op, const struct outcome *outcome)
{
	const union abi_attr *attr = attr_of(op);

	return op->cmd == BPF_PROG_LOAD && outcome->results[0] == -EFAULT &&
	       attr->load.log_buf < MEMORY_END &&
	       attr->load.log_buf + attr->load.log_size > MEMORY_END;
}

/* What is refused with a sentence: nothing in a hive would ever fire it. */
static bool refused(struct pair *pair, const struct op *op, const struct outcome *outcome)
{
	if (op->cmd != BPF_LINK_CREATE && op->cmd != BPF_PROG_ATTACH)
		return false;
	/* A hive's perf events count nothing that a program could be run for. */
	if (pair->client && op->cmd == BPF_LINK_CREATE && outcome->results[1] == -EINVAL &&
	    slot_at(pair, attr_of(op)->link_create.target_fd)->thing == A_PERF)
		return true;
	return outcome->results[1] == -EOPNOTSUPP;
}

/* Room for native code, which skep has none of: there the kernel may meet a bad address. */
static bool native(struct pair *pair, const struct op *op, const struct outcome *outcome)
{
	const union abi_attr *attr = attr_of(op);
	struct bpf_prog_info info;

	if (op->cmd != BPF_OBJ_GET_INFO_BY_FD || attr->info.info < MEMORY ||
	    attr->info.info > MEMORY_END - sizeof(info) ||
	    slot_at(pair, attr->info.bpf_fd)->thing != A_PROG)
		return false;
	memcpy(&info, op->memory + (attr->info.info - MEMORY), sizeof(info));
	return outcome->results[0] == -EFAULT && !outcome->results[1] &&
	       (info.jited_prog_len || info.nr_jited_ksyms || info.nr_jited_func_lens ||
		info.nr_jited_line_info);
}

/* TEST_RUN where one side has none. */
static bool other_runs(struct pair *pair, const struct op *op, const struct outcome *outcome)
{
	return op->cmd == BPF_PROG_TEST_RUN &&
	       (outcome->results[0] == -ABI_ENOTSUPP || outcome->results[1] == -EOPNOTSUPP);
}

/* This machine's kernel has a rule of its own against programs that could watch it. */
static bool forbidden(struct pair *pair, const struct op *op, const struct outcome *outcome)
{
	u32 type = attr_of(op)->load.prog_type;

	return op->cmd == BPF_PROG_LOAD && outcome->results[0] == -EPERM &&
	       (type == BPF_PROG_TYPE_TRACING || type == BPF_PROG_TYPE_LSM ||
		type == BPF_PROG_TYPE_EXT);
}

/* The time that the verifier took, in the log. */
static bool log_time(struct pair *pair, const struct op *op, const struct outcome *outcome)
{
	const long *results = outcome->results;

	return op->cmd == BPF_PROG_LOAD && attr_of(op)->load.log_level & 4 &&
	       (results[0] == results[1] || results[0] == -ENOSPC || results[1] == -ENOSPC);
}

/* What a Bloom filter takes for one that it holds, by its own seed. */
static bool bloom(struct pair *pair, const struct op *op, const struct outcome *outcome)
{
	return op->cmd == BPF_MAP_LOOKUP_ELEM &&
	       map_of(pair, op)->type == BPF_MAP_TYPE_BLOOM_FILTER &&
	       is_any(outcome->results[0], 0, -ENOENT, 0) &&
	       is_any(outcome->results[1], 0, -ENOENT, 0);
}

/* A map for one signed program, of which there are none. */
static bool exclusive(struct pair *pair, const struct op *op, const struct outcome *outcome)
{
	return op->cmd == BPF_MAP_CREATE && attr_of(op)->excl_prog_hash &&
	       outcome->results[1] == -EINVAL;
}

/* A full LRU map drops elements, the kernel by lists for each CPU. */
static bool lru(struct pair *pair, const struct op *op, const struct outcome *outcome)
{
	u32 type = map_of(pair, op)->type;

	if (op->cmd != BPF_MAP_LOOKUP_ELEM && op->cmd != BPF_MAP_UPDATE_ELEM &&
	    op->cmd != BPF_MAP_DELETE_ELEM && op->cmd != BPF_MAP_LOOKUP_AND_DELETE_ELEM &&
	    !is_batch(op))
		return false;
	if (type != BPF_MAP_TYPE_LRU_HASH && type != BPF_MAP_TYPE_LRU_PERCPU_HASH)
		return false;
	return is_any(outcome->results[0], 0, -ENOENT, -EEXIST) &&
	       is_any(outcome->results[1], 0, -ENOENT, -EEXIST);
}

/* The driver's skep has three names and no directories; the gate resolves paths, not src/sys. */
static bool odd_path(struct pair *pair, const struct op *op, const struct outcome *outcome)
{
	const union abi_attr *attr = attr_of(op);
	const char *name = (const char *)op->memory + AT_NAME;

	if (pair->client || (op->cmd != BPF_OBJ_PIN && op->cmd != BPF_OBJ_GET))
		return false;
	return attr->pin.pathname != MEMORY + AT_NAME || attr->pin.file_flags & ABI_F_PATH_FD ||
	       strncmp(name, "/sys/fs/bpf/", 12) || name[12] < 'a' || name[12] > 'c' || name[13];
}

static struct explained table[] = {
	{ "a copy into half-mapped memory: the kernel fills the part that is there", half_written,
	  0 },
	{ "which part of a hash a batch returns follows the buckets, which are each side's own",
	  hash_batch, 0 },
	{ "which key of a hash is the last one follows its order, which is each side's own",
	  hash_next, 0 },
	{ "which elements a full LRU map has dropped follows its lists, which are each side's own",
	  lru, 0 },
	{ "which values a Bloom filter finds by mistake follows its seed", bloom, 0 },
	{ "maps exclusive to a signed program are refused", exclusive, 0 },
	{ "addresses of maps in a log have more digits in the kernel, and all text behind moves",
	  map_address, 0 },
	{ "helpers that skep does not have for a type, or names in the words of 6.1", no_helper,
	  0 },
	{ "functions of the kernel that skep does not have", no_kfunc, 0 },
	{ "native code, which skep's programs have none of", native, 0 },
	{ "TEST_RUN of types for which the kernel has none, or skep refuses it", other_runs, 0 },
	{ "what lies in a map's descriptor is the hive's own, and not shown", descriptor, 0 },
	{ "sockets found in a map of XSK sockets", xsk, 0 },
	{ "a log whose buffer is mapped in part: text taken back later meets its end", half_log,
	  0 },
	{ "attachments to what no hive has are refused", refused, 0 },
	{ "programs bound to a device: a hive has none", device, 0 },
	{ "this kernel forbids to load programs that watch it (EPERM)", forbidden, 0 },
	{ "the time that a log of level 4 tells, and with it the log's size", log_time, 0 },
	{ "paths are resolved by the gate, which is not in this process", odd_path, 0 },
};

const char *compare(struct pair *pair, const struct op *op, struct outcome *outcome)
{
	const char *what = NULL;
	u32 i;

	/* What a batch took out of a hash may be other elements. */
	if (op->kind == OP_BPF && op->cmd == BPF_MAP_LOOKUP_AND_DELETE_BATCH &&
	    unordered(map_of(pair, op)->type))
		pair->parted = true;
	if (outcome->results[0] != outcome->results[1])
		what = "results";
	if (!what && op->kind == OP_BPF) {
		normalise(pair, op, outcome->memory[0]);
		normalise(pair, op, outcome->memory[1]);
		if (memcmp(outcome->memory[0], outcome->memory[1], MEMORY_SIZE))
			what = "what was written";
	}
	if (!what || op->kind != OP_BPF)
		return what;
	for (i = 0; i < ARRAY_SIZE(table); i++)
		if (table[i].covers(pair, op, outcome)) {
			table[i].seen++;
			if (table[i].covers == lru)
				pair->parted = true;
			return NULL;
		}
	return what;
}

void compare_report(void)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(table); i++)
		printf("# explained %u times: %s\n", table[i].seen, table[i].reason);
}
