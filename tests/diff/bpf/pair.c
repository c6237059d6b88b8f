/* SPDX-License-Identifier: BSD-2-Clause */
/* See pair.h. */
#include "pair.h"
#include "client.h"
#include "harness/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <unistd.h>

#define LOG_TRUE_SIZE_END                               \
	(offsetof(union abi_attr, load.log_true_size) + \
	 sizeof(((union abi_attr *)0)->load.log_true_size))

static void must(bool ok, const char *what)
{
	if (!ok)
		tap_bail("%s: %s", what, strerror(errno));
}

static void map_memory(void)
{
	void *at = mmap((void *)(uintptr_t)MEMORY, MEMORY_SIZE + 0x3000, PROT_NONE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	must(at == (void *)(uintptr_t)MEMORY, "mmap");
	must(!mprotect(at, MEMORY_SIZE, PROT_READ | PROT_WRITE), "mprotect");
	must(!mprotect((void *)(uintptr_t)READ_ONLY, 0x1000, PROT_READ), "mprotect");
}

/* Nothing that is attached by chance may reach the machine: a network and mounts of our own. */
static void isolate(void)
{
	must(!unshare(CLONE_NEWNET | CLONE_NEWNS), "unshare");
	must(!mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), "private mounts");
	must(!mount("bpf", "/sys/fs/bpf", "bpf", 0, NULL), "bpffs");
}

bool pair_init(struct pair *pair, const char *skep)
{
	int fd;

	memset(pair, 0, sizeof(*pair));
	pair->worlds[0] = world_kernel();
	if (!pair->worlds[0])
		return false;
	isolate();
	if (skep) {
		pair->client = true;
		client_map_memory(MEMORY_SIZE);
		pair->worlds[1] = client_start(skep);
		return true;
	}
	map_memory();
	pair->worlds[1] = world_skep();
	world_first_fd(pair->worlds[1], FIRST_FD);
	world_last_fd(pair->worlds[1], FDS);
	world_perf_type(pair->worlds[1], BPF_PROG_TYPE_PERF_EVENT);
	while ((fd = open("/dev/null", O_RDWR | O_CLOEXEC)) < FIRST_FD - 1)
		must(fd >= 0, "/dev/null");
	if (fd >= FIRST_FD)
		close(fd);
	return true;
}

void pair_reset(struct pair *pair)
{
	int fd;

	close_range(FIRST_FD, FDS - 1, 0);
	if (pair->client) {
		client_world_reset(pair->worlds[1]);
	} else {
		for (fd = FIRST_FD; fd < FDS; fd++)
			pair->worlds[1]->close(pair->worlds[1], fd);
		world_unpin(pair->worlds[1]);
	}
	memset(pair->slots, 0, sizeof(pair->slots));
	pair->parted = false;
	pair->nr_pushed = 0;
	umount2("/sys/fs/bpf", MNT_DETACH);
	must(!mount("bpf", "/sys/fs/bpf", "bpf", 0, NULL), "bpffs");
}

u32 pair_done(struct pair *pair)
{
	pair_reset(pair);
	umount2("/sys/fs/bpf", MNT_DETACH);
	return pair->client ? client_stop(pair->worlds[1]) : world_skep_free(pair->worlds[1]);
}

bool gives_fd(u32 cmd)
{
	switch (cmd) {
	case BPF_MAP_CREATE:
	case BPF_PROG_LOAD:
	case BPF_OBJ_GET:
	case BPF_PROG_GET_FD_BY_ID:
	case BPF_MAP_GET_FD_BY_ID:
	case BPF_BTF_GET_FD_BY_ID:
	case BPF_LINK_GET_FD_BY_ID:
	case BPF_RAW_TRACEPOINT_OPEN:
	case BPF_BTF_LOAD:
	case BPF_LINK_CREATE:
	case BPF_ENABLE_STATS:
	case BPF_ITER_CREATE:
	case ABI_TOKEN_CREATE: return true;
	default: return false;
	}
}

bool op_gives_fd(const struct op *op)
{
	switch (op->kind) {
	case OP_BPF: return gives_fd(op->cmd);
	case OP_PERF:
	case OP_FILL:
	case OP_DUP:
	case OP_SEND: return true;
	default: return false;
	}
}

u32 slot_user_size(const struct slot *slot)
{
	switch (slot->type) {
	case BPF_MAP_TYPE_PERCPU_HASH:
	case BPF_MAP_TYPE_PERCPU_ARRAY:
	case BPF_MAP_TYPE_LRU_PERCPU_HASH:
	case BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE:
		return ALIGN_UP(slot->value_size, 8u) * (u32)sysconf(_SC_NPROCESSORS_CONF);
	default: return slot->value_size;
	}
}

/* What OBJ_GET_INFO_BY_FD gives, in the client's memory: whose contents are no longer needed. */
static const void *info_of(struct world *world, int fd, u32 size)
{
	union abi_attr *attr = (void *)(uintptr_t)(MEMORY + AT_ATTR);
	void *info = (void *)(uintptr_t)(MEMORY + AT_INFO);

	memset(attr, 0, sizeof(*attr));
	memset(info, 0, AT_IDS - AT_INFO);
	attr->info.bpf_fd = (u32)fd;
	attr->info.info = MEMORY + AT_INFO;
	attr->info.info_len = size;
	world->bpf(world, BPF_OBJ_GET_INFO_BY_FD, attr, 16);
	return info;
}

static u32 id_of(struct world *world, int fd, enum thing thing)
{
	switch (thing) {
	case A_MAP: return ((const struct bpf_map_info *)info_of(world, fd, 8))->id;
	case A_PROG: return ((const struct bpf_prog_info *)info_of(world, fd, 8))->id;
	case A_BTF:
		return ((const struct bpf_btf_info *)info_of(world, fd,
							     sizeof(struct bpf_btf_info)))
			->id;
	case A_LINK: return ((const struct abi_link_info *)info_of(world, fd, 12))->id;
	default: return 0;
	}
}

static bool is_one(struct world *world, int fd, enum thing thing)
{
	return id_of(world, fd, thing) != 0;
}

/* What the kernel has given for a path. */
static enum thing thing_of(int fd)
{
	char path[40], text[40] = "";

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (readlink(path, text, sizeof(text) - 1) < 0)
		return ANOTHER;
	return strstr(text, "bpf-map")	  ? A_MAP
	       : strstr(text, "bpf-prog") ? A_PROG
	       : strstr(text, "bpf_link") ? A_LINK
					  : ANOTHER;
}

/* Times, random numbers, CPUs, processes, addresses, ids: what these return is a side's own. */
static bool is_own_helper(s32 helper)
{
	switch (helper) {
	case BPF_FUNC_ktime_get_ns:
	case BPF_FUNC_ktime_get_boot_ns:
	case BPF_FUNC_ktime_get_coarse_ns:
	case BPF_FUNC_ktime_get_tai_ns:
	case BPF_FUNC_jiffies64:
	case BPF_FUNC_get_prandom_u32:
	case BPF_FUNC_get_smp_processor_id:
	case BPF_FUNC_get_current_pid_tgid:
	case BPF_FUNC_get_current_task:
	case BPF_FUNC_get_current_task_btf:
	case BPF_FUNC_get_current_cgroup_id:
	case BPF_FUNC_get_netns_cookie:
	case BPF_FUNC_get_socket_cookie: return true;
	default: return false;
	}
}

/* Does the program that was loaded call one of them? */
static bool calls_own_helper(void)
{
	struct bpf_insn insn;
	u32 i;

	for (i = AT_INSNS; i < AT_LICENSE; i += sizeof(insn)) {
		memcpy(&insn, (void *)(uintptr_t)(MEMORY + i), sizeof(insn));
		if (insn.code == (BPF_JMP | BPF_CALL) && !insn.src_reg && is_own_helper(insn.imm))
			return true;
	}
	return false;
}

/* The same of one that is known by another descriptor, perhaps. */
static bool known_own_result(const struct pair *pair, int fd)
{
	int i;

	for (i = FIRST_FD; i < FDS; i++)
		if (i != fd && pair->slots[i].thing == A_PROG &&
		    pair->slots[i].ids[0] == pair->slots[fd].ids[0])
			return pair->slots[i].own_result;
	return true;
}

/* What has just come is asked what it is: of descriptors by id or path only the object knows. */
static void learn(struct pair *pair, u32 cmd, int fd)
{
	struct slot *slot = &pair->slots[fd];
	bool own_result = false;
	int side;

	memset(slot, 0, sizeof(*slot));
	slot->thing = ANOTHER;
	if (cmd == BPF_LINK_CREATE || cmd == BPF_RAW_TRACEPOINT_OPEN ||
	    cmd == BPF_LINK_GET_FD_BY_ID)
		slot->thing = A_LINK;
	else if (cmd == BPF_BTF_LOAD || cmd == BPF_BTF_GET_FD_BY_ID)
		slot->thing = A_BTF;
	else if (cmd == BPF_MAP_CREATE || cmd == BPF_MAP_GET_FD_BY_ID)
		slot->thing = A_MAP;
	else if (cmd == BPF_PROG_LOAD || cmd == BPF_PROG_GET_FD_BY_ID)
		slot->thing = A_PROG;
	else if (cmd == BPF_OBJ_GET)
		slot->thing = thing_of(fd);
	if (cmd == BPF_PROG_LOAD)
		own_result = calls_own_helper();
	if (slot->thing == A_MAP) {
		const struct bpf_map_info *map = info_of(pair->worlds[0], fd, 24);

		slot->type = map->type;
		slot->key_size = map->key_size;
		slot->value_size = map->value_size;
		slot->max_entries = map->max_entries;
		slot->flags = map->map_flags;
	}
	if (slot->thing == A_PROG)
		slot->type = ((const struct bpf_prog_info *)info_of(pair->worlds[0], fd, 8))->type;
	for (side = 0; side < SIDES; side++)
		slot->ids[side] = id_of(pair->worlds[side], fd, slot->thing);
	slot->own_result = cmd == BPF_PROG_LOAD ? own_result : known_own_result(pair, fd);
	if (slot->thing <= A_LINK && !is_one(pair->worlds[1], fd, slot->thing))
		slot->thing = ANOTHER;
}

static int live_with_id(const struct pair *pair, enum thing thing, int side, u32 id)
{
	int fd;

	for (fd = FIRST_FD; fd < FDS; fd++)
		if (pair->slots[fd].thing == thing && pair->slots[fd].ids[side] == id)
			return fd;
	return 0;
}

/*
 * The walk over ids passes objects of others, and those that nobody holds any more but that are not
 * gone yet: it goes on to the next one that the client has. The result is its descriptor.
 */
static long next_id(struct pair *pair, int side, u32 cmd, union abi_attr *attr, u32 size)
{
	enum thing thing = cmd == BPF_MAP_GET_NEXT_ID	 ? A_MAP
			   : cmd == BPF_PROG_GET_NEXT_ID ? A_PROG
			   : cmd == BPF_BTF_GET_NEXT_ID	 ? A_BTF
							 : A_LINK;
	u32 start = attr->id.id;
	long result;
	int fd = 0;

	do {
		result = pair->worlds[side]->bpf(pair->worlds[side], cmd, attr, size);
		if (result || size < 8)
			break;
		fd = live_with_id(pair, thing, side, attr->id.next_id);
		if (!fd)
			attr->id.id = attr->id.next_id;
	} while (!fd);
	attr->id.id = start;
	attr->id.next_id = (u32)fd;
	return result;
}

static bool is_next_id(u32 cmd)
{
	return cmd == BPF_MAP_GET_NEXT_ID || cmd == BPF_PROG_GET_NEXT_ID ||
	       cmd == BPF_BTF_GET_NEXT_ID || cmd == BPF_LINK_GET_NEXT_ID;
}

static int duplicate(struct pair *pair, int side, const struct op *op)
{
	int onto = op->kind == OP_DUP2 ? op->onto : -1;

	if (side)
		return op->kind == OP_SEND ? client_world_send(pair->worlds[1], op->fd)
					   : client_world_dup(pair->worlds[1], op->fd, onto);
	return op->kind == OP_SEND ? client_send(op->fd)
	       : onto < 0	   ? client_dup(op->fd)
				   : client_dup2(op->fd, onto);
}

static long run_side(struct pair *pair, int side, const struct op *op)
{
	struct world *world = pair->worlds[side];
	union abi_attr *attr = (void *)(uintptr_t)(MEMORY + op->attr_at);
	u64 address = op->attr_address ? op->attr_address : MEMORY + op->attr_at;

	switch (op->kind) {
	case OP_CLOSE: return world->close(world, op->fd);
	case OP_PERF: return world->perf_open(world);
	case OP_FILL: return side && pair->client ? client_world_fill(world) : world_foreign(world);
	case OP_DUP:
	case OP_DUP2:
	case OP_SEND: return duplicate(pair, side, op);
	default: break;
	}
	if (side && pair->client)
		client_world_raw(world, op->raw);
	memcpy((void *)(uintptr_t)MEMORY, op->memory, MEMORY_SIZE);
	if (op->id_of >= 0 && op->attr_at + 8 <= MEMORY_SIZE)
		attr->id.id = pair->slots[op->id_of].ids[side];
	if (op->own_pid && op->attr_at + 8 <= MEMORY_SIZE)
		attr->task_fd_query.pid =
			side && pair->client ? client_world_pid(world) : (u32)getpid();
	if (is_next_id(op->cmd) && op->size >= 8 && address == MEMORY + op->attr_at &&
	    op->attr_at + 16 <= MEMORY_SIZE)
		return next_id(pair, side, op->cmd, attr, op->size);
	return world->bpf(world, op->cmd, (const void *)(uintptr_t)address, op->size);
}

static void take_back(struct pair *pair, int side, long result)
{
	if (result >= FIRST_FD)
		pair->worlds[side]->close(pair->worlds[side], (int)result);
}

long pair_load(struct pair *pair, int side, const struct op *op, u32 level, char *ret_text,
	       u32 size, u32 *ret_true_size)
{
	struct world *world = pair->worlds[side];
	union abi_attr *attr = (void *)(uintptr_t)MEMORY;
	u32 given = op->size < AT_KEY ? op->size : 0;
	long result;

	memcpy((void *)(uintptr_t)MEMORY, op->memory, MEMORY_SIZE);
	/* Wherever they were: here there is room behind them. */
	memset(attr, 0, AT_KEY);
	if (given > MEMORY_SIZE - op->attr_at)
		given = MEMORY_SIZE - op->attr_at;
	memcpy(attr, op->memory + op->attr_at, given);
	memset((void *)(uintptr_t)(MEMORY + AT_OWN), 0, AT_EDGE - AT_OWN);
	attr->load.log_level = level;
	attr->load.log_buf = MEMORY + AT_OWN;
	attr->load.log_size = AT_EDGE - AT_OWN;
	result = world->bpf(world, BPF_PROG_LOAD, attr,
			    given < LOG_TRUE_SIZE_END ? LOG_TRUE_SIZE_END : given);
	take_back(pair, side, result);
	snprintf(ret_text, size, "%s", (const char *)(uintptr_t)(MEMORY + AT_OWN));
	*ret_true_size = attr->load.log_true_size;
	return result;
}

bool pair_was_pushed(const struct pair *pair, const struct slot *map, const struct op *op,
		     u64 address)
{
	u32 i;

	for (i = 0; i < pair->nr_pushed; i++)
		if (pair->pushed[i].map_id == map->ids[0] && address >= MEMORY &&
		    address <= MEMORY_END - pair->pushed[i].size &&
		    !memcmp(pair->pushed[i].bytes, op->memory + (address - MEMORY),
			    pair->pushed[i].size))
			return true;
	return false;
}

/* What went into a Bloom filter must be found there. */
static void note_pushed(struct pair *pair, const struct op *op)
{
	const union abi_attr *attr = (const void *)(op->memory + op->attr_at);
	const struct slot *map;
	struct pushed *pushed = &pair->pushed[pair->nr_pushed];

	if (op->cmd != BPF_MAP_UPDATE_ELEM || op->attr_at > AT_KEY || attr->elem.map_fd >= FDS)
		return;
	map = &pair->slots[attr->elem.map_fd];
	if (map->type != BPF_MAP_TYPE_BLOOM_FILTER || map->value_size > PUSHED_SIZE ||
	    attr->elem.value < MEMORY || attr->elem.value > MEMORY_END - map->value_size)
		return;
	must(pair->nr_pushed < PUSHED_MAX, "room for what Bloom filters hold");
	pushed->map_id = map->ids[0];
	pushed->size = map->value_size;
	memcpy(pushed->bytes, op->memory + (attr->elem.value - MEMORY), map->value_size);
	pair->nr_pushed++;
}

void pair_run(struct pair *pair, const struct op *op, struct outcome *ret_outcome)
{
	long *results = ret_outcome->results;
	int side;

	for (side = 0; side < SIDES; side++) {
		results[side] = run_side(pair, side, op);
		memcpy(ret_outcome->memory[side], (void *)(uintptr_t)MEMORY, MEMORY_SIZE);
	}
	if (op->kind == OP_BPF && !results[0] && !results[1])
		note_pushed(pair, op);
	if (op->kind == OP_CLOSE)
		memset(&pair->slots[op->fd], 0, sizeof(pair->slots[0]));
	if (op->kind == OP_DUP2 && results[0] == results[1] && results[0] >= 0) {
		pair->slots[op->onto] = pair->slots[op->fd];
		return;
	}
	if (!op_gives_fd(op))
		return;
	if (results[0] != results[1] || results[0] >= FDS) {
		/* One alone made something, and must not keep it: the sides would part. */
		take_back(pair, 0, results[0]);
		take_back(pair, 1, results[1]);
	} else if (results[0] >= FIRST_FD) {
		if (op->kind == OP_BPF)
			learn(pair, op->cmd, (int)results[0]);
		else if (op->kind == OP_DUP || op->kind == OP_SEND)
			pair->slots[results[0]] = pair->slots[op->fd];
		else
			pair->slots[results[0]].thing = op->kind == OP_PERF ? A_PERF : ANOTHER;
	}
}
