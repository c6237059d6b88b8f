/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of explained differences. It is mirrored in docs/differences.md: who adds a rule says
 * there why the difference stays.
 */
#include "compare.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct explained {
	const char *reason;
	bool (*covers)(struct pair *pair, const struct op *op, const struct outcome *outcome);
	u32 seen;
};

/* Fills a call's memory only up to where the client's ends; skep writes all or nothing. */
static bool half_written(struct pair *pair, const struct op *op, const struct outcome *outcome)
{
	return op->half && outcome->results[0] == -EFAULT && outcome->results[1] == -EFAULT &&
	       !memcmp(outcome->memory[0], outcome->memory[1], AT_EDGE);
}

static bool is_any(long result, long first, long second, long third)
{
	return result == first || result == second || result == third;
}

/* Which elements a batch reads, and whether more are left, or a bucket has more than there is room
 * for. What is written and deleted is the client's choice, and the same. */
static bool hash_batch(struct pair *pair, const struct op *op, const struct outcome *outcome)
{
	const long *results = outcome->results;

	if ((op->cmd != BPF_MAP_LOOKUP_BATCH && op->cmd != BPF_MAP_LOOKUP_AND_DELETE_BATCH) ||
	    !type_unordered(op_map(pair, op)->type))
		return false;
	return (results[0] == -EFAULT || is_any(results[0], 0, -ENOENT, -ENOSPC)) &&
	       (results[1] == -EFAULT || is_any(results[1], 0, -ENOENT, -ENOSPC));
}

/* A key that is the last one on one side; without a key there is a first one or none. */
static bool hash_next(struct pair *pair, const struct op *op, const struct outcome *outcome)
{
	const long *results = outcome->results;

	return op->cmd == BPF_MAP_GET_NEXT_KEY && op_attr(op)->elem.key &&
	       type_unordered(op_map(pair, op)->type) && is_any(results[0], 0, -ENOENT, -EFAULT) &&
	       is_any(results[1], 0, -ENOENT, -EFAULT);
}

/* There are no perf events in a hive that count: what the kernel would attach is refused. All else
 * is checked as there, in its order. */
static bool refused(struct pair *pair, const struct op *op, const struct outcome *outcome)
{
	if (outcome->results[0] < 0)
		return false;
	if (op->cmd == BPF_LINK_CREATE && pair->client && outcome->results[1] == -EINVAL &&
	    slot_at(pair, op_attr(op)->link_create.target_fd)->thing == A_PERF)
		return true;
	return (op->cmd == BPF_LINK_CREATE || op->cmd == BPF_PROG_ATTACH) &&
	       outcome->results[1] == -EOPNOTSUPP;
}

/* Room for native code, which skep has none of: there the kernel may meet a bad address. Without
 * it both say the same. */
static bool native(struct pair *pair, const struct op *op, const struct outcome *outcome)
{
	static struct outcome again;
	static struct op without;
	const union abi_attr *attr = op_attr(op);
	struct bpf_prog_info info;

	if (op->cmd != BPF_OBJ_GET_INFO_BY_FD || outcome->results[0] != -EFAULT ||
	    outcome->results[1] || attr->info.info < MEMORY ||
	    attr->info.info > MEMORY_END - sizeof(info) ||
	    slot_at(pair, attr->info.bpf_fd)->thing != A_PROG)
		return false;
	without = *op;
	memcpy(&info, op->memory + (attr->info.info - MEMORY), sizeof(info));
	info.jited_prog_len = info.nr_jited_ksyms = 0;
	info.nr_jited_func_lens = info.nr_jited_line_info = 0;
	memcpy(without.memory + (attr->info.info - MEMORY), &info, sizeof(info));
	pair_run(pair, &without, &again);
	return again.results[0] == again.results[1];
}

/* Types for which the kernel has no test run. */
static bool other_runs(struct pair *pair, const struct op *op, const struct outcome *outcome)
{
	return op->cmd == BPF_PROG_TEST_RUN && outcome->results[0] == -ABI_ENOTSUPP;
}

/* What a Bloom filter takes for one that it holds, by its own seed: never one that it does hold. */
static bool bloom(struct pair *pair, const struct op *op, const struct outcome *outcome)
{
	const struct slot *map = op_map(pair, op);

	return op->cmd == BPF_MAP_LOOKUP_ELEM && map->type == BPF_MAP_TYPE_BLOOM_FILTER &&
	       is_any(outcome->results[0], 0, -ENOENT, 0) &&
	       is_any(outcome->results[1], 0, -ENOENT, 0) &&
	       !pair_was_pushed(pair, map, op, op_attr(op)->elem.value);
}

/* An arena that would not give a client's fault a page. */
static bool segv_on_fault(struct pair *pair, const struct op *op, const struct outcome *outcome)
{
	return op->cmd == BPF_MAP_CREATE && op_attr(op)->map_type == ABI_MAP_TYPE_ARENA &&
	       op_attr(op)->map_flags & ABI_F_SEGV_ON_FAULT && outcome->results[1] == -EOPNOTSUPP;
}

/* A full LRU map drops elements, the kernel by lists for each CPU. */
static bool lru(struct pair *pair, const struct op *op, const struct outcome *outcome)
{
	u32 type = op_map(pair, op)->type;

	if (op->cmd != BPF_MAP_LOOKUP_ELEM && op->cmd != BPF_MAP_UPDATE_ELEM &&
	    op->cmd != BPF_MAP_DELETE_ELEM && op->cmd != BPF_MAP_LOOKUP_AND_DELETE_ELEM &&
	    op->cmd != BPF_MAP_GET_NEXT_KEY && !op_is_batch(op))
		return false;
	if (type != BPF_MAP_TYPE_LRU_HASH && type != BPF_MAP_TYPE_LRU_PERCPU_HASH)
		return false;
	/* What is found cannot always be written. */
	return (outcome->results[0] == -EFAULT ||
		is_any(outcome->results[0], 0, -ENOENT, -EEXIST)) &&
	       (outcome->results[1] == -EFAULT || is_any(outcome->results[1], 0, -ENOENT, -EEXIST));
}

/* The driver's skep has three names and no directories; the gate resolves paths, not src/sys. */
static bool odd_path(struct pair *pair, const struct op *op, const struct outcome *outcome)
{
	const union abi_attr *attr = op_attr(op);
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
	{ "arenas in which a client's fault is fatal are refused", segv_on_fault, 0 },
	{ "the same log, but for addresses, the time taken, and the words of 6.1", load_own_words,
	  0 },
	{ "a log whose buffer is mapped in part: text taken back later meets its end",
	  load_half_log, 0 },
	{ "a log whose buffer is mapped in part: the kernel writes as it goes", btf_half_log, 0 },
	{ "what lies in a map's descriptor is the hive's own; XSK sockets there are none",
	  load_refused, 0 },
	{ "this kernel forbids to load programs that watch it (EPERM)", load_forbidden, 0 },
	{ "native code, which skep's programs have none of", native, 0 },
	{ "TEST_RUN of types for which the kernel has none", other_runs, 0 },
	{ "attachments to what no hive has are refused", refused, 0 },
	{ "paths are resolved by the gate, which is not in this process", odd_path, 0 },
};

bool explain(struct pair *pair, const struct op *op, const struct outcome *outcome)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(table); i++)
		if (table[i].covers(pair, op, outcome)) {
			table[i].seen++;
			if (table[i].covers == lru)
				pair->parted = true;
			return true;
		}
	return false;
}

void compare_report(void)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(table); i++)
		printf("# explained %u times: %s\n", table[i].seen, table[i].reason);
}
