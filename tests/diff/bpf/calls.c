/* SPDX-License-Identifier: BSD-2-Clause */
/* Good calls: one function for each family of commands. */
#include "generate.h"
#include "programs.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

void generate_map(union abi_attr *attr, u32 type)
{
	attr->map_type = type;
	attr->key_size = 4;
	attr->value_size = 8;
	attr->max_entries = 4;
	switch (type) {
	case BPF_MAP_TYPE_ARRAY_OF_MAPS:
	case BPF_MAP_TYPE_HASH_OF_MAPS:
	case BPF_MAP_TYPE_PROG_ARRAY:
	case BPF_MAP_TYPE_PERF_EVENT_ARRAY:
	case BPF_MAP_TYPE_CGROUP_ARRAY:
	case BPF_MAP_TYPE_XSKMAP:
	case BPF_MAP_TYPE_REUSEPORT_SOCKARRAY:
	case BPF_MAP_TYPE_SOCKMAP:
	case BPF_MAP_TYPE_SOCKHASH:
	case BPF_MAP_TYPE_DEVMAP:
	case BPF_MAP_TYPE_DEVMAP_HASH:
	case BPF_MAP_TYPE_CPUMAP: attr->value_size = 4; break;
	case BPF_MAP_TYPE_RINGBUF:
	case BPF_MAP_TYPE_USER_RINGBUF:
		attr->key_size = attr->value_size = 0;
		attr->max_entries = 4096;
		break;
	case BPF_MAP_TYPE_QUEUE:
	case BPF_MAP_TYPE_STACK:
	case BPF_MAP_TYPE_BLOOM_FILTER: attr->key_size = 0; break;
	case BPF_MAP_TYPE_LPM_TRIE:
		attr->key_size = 8;
		attr->map_flags = BPF_F_NO_PREALLOC;
		break;
	case BPF_MAP_TYPE_CGROUP_STORAGE:
	case BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE:
		attr->key_size = 8;
		attr->max_entries = 0;
		break;
	case BPF_MAP_TYPE_STACK_TRACE: attr->value_size = 64; break;
	case ABI_MAP_TYPE_ARENA:
		attr->key_size = attr->value_size = 0;
		attr->map_flags = BPF_F_MMAPABLE;
		break;
	default: break;
	}
}

static void map_create(struct pair *pair, struct op *op)
{
	static const u32 common[] = { 1, 2, 5, 6, 1, 2 };
	static const u32 sizes[] = { 1, 2, 4, 8, 12, 16, 33, 64, 256 };
	union abi_attr *attr = attr_of(op);
	u32 type = one_in(3) ? common[draw(ARRAY_SIZE(common))] : 1 + draw(ABI_MAP_TYPE_ARENA);

	if (!generate_has_map(type))
		type = common[draw(ARRAY_SIZE(common))];
	generate_map(attr, type);
	if (type == BPF_MAP_TYPE_ARRAY_OF_MAPS || type == BPF_MAP_TYPE_HASH_OF_MAPS) {
		attr->value_size = 4;
		attr->inner_map_fd = some_fd(pair, A_MAP);
	} else if (attr->value_size == 8) {
		attr->value_size = sizes[draw(ARRAY_SIZE(sizes))];
		if (type == BPF_MAP_TYPE_HASH || type == BPF_MAP_TYPE_PERCPU_HASH)
			attr->key_size = sizes[draw(ARRAY_SIZE(sizes))];
	}
	if (attr->max_entries == 4)
		attr->max_entries = 1 + draw(6);
	if (one_in(4))
		attr->map_flags |= 1u << draw(18);
	if (one_in(3))
		memcpy(attr->map_name, "name_1.x", 9);
	if (one_in(6) && (type == BPF_MAP_TYPE_HASH || type == BPF_MAP_TYPE_ARRAY)) {
		attr->btf_fd = some_fd(pair, A_BTF);
		attr->btf_key_type_id = 1;
		attr->btf_value_type_id = 2;
		attr->value_size = 8;
		attr->key_size = 4;
	}
}

/* Few keys, so that they meet again. */
static void key_and_value(const struct slot *slot, struct op *op)
{
	u32 i, size = slot_user_size(slot);

	op->memory[AT_KEY] = (u8)draw(6);
	if (slot->type == BPF_MAP_TYPE_LPM_TRIE) {
		op->memory[AT_KEY] = (u8)(draw(5) * 8);
		op->memory[AT_KEY + 4] = (u8)draw(4);
	}
	for (i = 0; i < size && i < 0x800; i++)
		op->memory[AT_VALUE + i] = (u8)draw(256);
}

static void map_elem(struct pair *pair, struct op *op)
{
	static const u32 cmds[] = { BPF_MAP_UPDATE_ELEM,  BPF_MAP_UPDATE_ELEM,
				    BPF_MAP_LOOKUP_ELEM,  BPF_MAP_DELETE_ELEM,
				    BPF_MAP_GET_NEXT_KEY, BPF_MAP_LOOKUP_AND_DELETE_ELEM };
	static const u64 flags[] = { 0, 0, 0, 0, 1, 2, 3, 4, 8, 1ull << 32 };
	union abi_attr *attr = attr_of(op);
	u32 fd = some_fd(pair, A_MAP), held;
	const struct slot *slot = &pair->slots[fd];

	op->cmd = cmds[draw(ARRAY_SIZE(cmds))];
	key_and_value(slot, op);
	held = some_fd(pair, slot->type == BPF_MAP_TYPE_PROG_ARRAY	   ? A_PROG
			     : slot->type == BPF_MAP_TYPE_PERF_EVENT_ARRAY ? A_PERF
									   : A_MAP);
	if (slot->value_size == 4 && slot->type != BPF_MAP_TYPE_ARRAY &&
	    slot->type != BPF_MAP_TYPE_HASH)
		put(op, AT_VALUE, &held, 4);
	attr->elem.map_fd = fd;
	attr->elem.key = slot->thing == A_MAP && !slot->key_size ? 0 : at(AT_KEY);
	if (op->cmd == BPF_MAP_GET_NEXT_KEY && one_in(4))
		attr->elem.key = 0;
	if (op->cmd != BPF_MAP_DELETE_ELEM)
		attr->elem.value = at(AT_VALUE);
	if (op->cmd == BPF_MAP_UPDATE_ELEM || one_in(8))
		attr->elem.flags = flags[draw(ARRAY_SIZE(flags))];
	if (op->cmd == BPF_MAP_DELETE_ELEM || op->cmd == BPF_MAP_GET_NEXT_KEY)
		attr->elem.flags = 0;
}

static void map_freeze(struct pair *pair, struct op *op)
{
	op->cmd = BPF_MAP_FREEZE;
	attr_of(op)->elem.map_fd = some_fd(pair, A_MAP);
}

static void map_batch(struct pair *pair, struct op *op)
{
	union abi_attr *attr = attr_of(op);
	u32 fd = some_fd(pair, A_MAP), i, size = pair->slots[fd].key_size;

	op->cmd = BPF_MAP_LOOKUP_BATCH + draw(4);
	for (i = 0; i < 8; i++)
		if (size && AT_KEYS + i * size + size < AT_VALUE)
			op->memory[AT_KEYS + i * size] = (u8)i;
	for (i = 0; i < 0x400; i++)
		op->memory[AT_VALUE + i] = (u8)draw(256);
	attr->batch.map_fd = fd;
	attr->batch.keys = at(AT_KEYS);
	attr->batch.values = at(AT_VALUE);
	attr->batch.count = draw(8);
	if (op->cmd == BPF_MAP_LOOKUP_BATCH || op->cmd == BPF_MAP_LOOKUP_AND_DELETE_BATCH)
		attr->batch.out_batch = at(AT_TOKEN);
	if (op->cmd == BPF_MAP_DELETE_BATCH)
		attr->batch.values = 0;
}

static void prog_load(struct pair *pair, struct op *op)
{
	union abi_attr *attr = attr_of(op);

	op->cmd = BPF_PROG_LOAD;
	attr->load.prog_type = one_in(3) ? 1 + draw(32) : BPF_PROG_TYPE_SOCKET_FILTER;
	if (!generate_has_prog(attr->load.prog_type))
		attr->load.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
	attr->load.insns = at(AT_INSNS);
	attr->load.license = at(AT_LICENSE);
	put(op, AT_LICENSE, one_in(4) ? "BSD" : "GPL", 4);
	attr->load.insn_cnt = program_make(pair, op);
	if (one_in(3))
		memcpy(attr->load.prog_name, "prog_1.x", 9);
	if (one_in(5))
		attr->load.expected_attach_type = draw(58);
	if (one_in(3)) {
		attr->load.log_level = 1 + draw(2);
		attr->load.log_size = one_in(4) ? 64 + draw(100) : AT_BTF - AT_LOG;
		attr->load.log_buf = at(AT_LOG);
	}
}

static void btf_load(struct pair *pair, struct op *op)
{
	union abi_attr *attr = attr_of(op);

	op->cmd = BPF_BTF_LOAD;
	attr->btf.btf = at(AT_BTF);
	attr->btf.btf_size = program_btf(op);
	if (one_in(3)) {
		attr->btf.log_level = 1 + draw(2);
		attr->btf.log_size = AT_BTF - AT_LOG;
		attr->btf.log_buf = at(AT_LOG);
	}
}

static void by_id(struct pair *pair, struct op *op)
{
	static const struct {
		u32 cmd;
		enum thing thing;
	} rows[] = { { BPF_PROG_GET_NEXT_ID, A_PROG },	{ BPF_MAP_GET_NEXT_ID, A_MAP },
		     { BPF_BTF_GET_NEXT_ID, A_BTF },	{ BPF_LINK_GET_NEXT_ID, A_LINK },
		     { BPF_PROG_GET_FD_BY_ID, A_PROG }, { BPF_MAP_GET_FD_BY_ID, A_MAP },
		     { BPF_BTF_GET_FD_BY_ID, A_BTF },	{ BPF_LINK_GET_FD_BY_ID, A_LINK } };
	u32 row = draw(ARRAY_SIZE(rows)), fd = some_fd(pair, rows[row].thing);

	op->cmd = rows[row].cmd;
	if (pair->slots[fd].thing == rows[row].thing)
		op->id_of = (int)fd;
	if (row < 4 && one_in(3))
		op->id_of = NO_ID;
	if (op->cmd == BPF_MAP_GET_FD_BY_ID && one_in(3))
		attr_of(op)->id.open_flags = 8u << draw(2);
}

static void object_info(struct pair *pair, struct op *op)
{
	static const u32 sizes[] = { 0,	  8,   16,  40,	 80,  88,  96,	104, 128,
				     160, 208, 224, 228, 232, 240, 256, 512 };
	union abi_attr *attr = attr_of(op);

	op->cmd = BPF_OBJ_GET_INFO_BY_FD;
	attr->info.bpf_fd = some_fd(pair, (enum thing)(1 + draw(A_LINK)));
	attr->info.info = at(AT_INFO);
	attr->info.info_len = sizes[draw(ARRAY_SIZE(sizes))];
	if (one_in(4) && pair->slots[attr->info.bpf_fd].thing == A_BTF) {
		struct bpf_btf_info info = { .btf = at(AT_LOG), .btf_size = draw(300) };

		put(op, AT_INFO, &info, sizeof(info));
		attr->info.info_len = sizeof(info);
	}
}

static void pin(struct pair *pair, struct op *op)
{
	static const char *const names[] = { "/sys/fs/bpf/a", "/sys/fs/bpf/b", "/sys/fs/bpf/c" };
	const char *name = names[draw(ARRAY_SIZE(names))];
	union abi_attr *attr = attr_of(op);

	op->cmd = one_in(2) ? BPF_OBJ_PIN : BPF_OBJ_GET;
	put(op, AT_NAME, name, (u32)strlen(name) + 1);
	attr->pin.pathname = at(AT_NAME);
	if (op->cmd == BPF_OBJ_PIN)
		attr->pin.bpf_fd = some_fd(pair, (enum thing)(1 + draw(A_PERF)));
	else if (one_in(3))
		attr->pin.file_flags = 8u << draw(2);
}

static void test_run(struct pair *pair, struct op *op)
{
	union abi_attr *attr = attr_of(op);

	op->cmd = BPF_PROG_TEST_RUN;
	attr->test.prog_fd = some_fd(pair, A_PROG);
	attr->test.data_in = at(AT_VALUE);
	attr->test.data_size_in = 14 + draw(80);
	if (one_in(2)) {
		attr->test.data_out = at(AT_TEXT);
		attr->test.data_size_out = draw(200);
	}
	attr->test.repeat = draw(3);
}

static void links(struct pair *pair, struct op *op)
{
	union abi_attr *attr = attr_of(op);

	switch (draw(5)) {
	case 0:
		op->cmd = BPF_LINK_UPDATE;
		attr->link_update.link_fd = some_fd(pair, A_LINK);
		attr->link_update.new_prog_fd = some_fd(pair, A_PROG);
		break;
	case 1:
		op->cmd = BPF_LINK_DETACH;
		attr->link_detach.link_fd = some_fd(pair, A_LINK);
		break;
	case 2:
		op->cmd = BPF_ITER_CREATE;
		attr->iter_create.link_fd = some_fd(pair, A_LINK);
		break;
	case 3:
		op->cmd = BPF_RAW_TRACEPOINT_OPEN;
		attr->raw_tracepoint.prog_fd = some_fd(pair, A_PROG);
		attr->raw_tracepoint.name = at(AT_NAME);
		put(op, AT_NAME, "sys_enter", 10);
		break;
	default:
		op->cmd = BPF_LINK_CREATE;
		attr->link_create.prog_fd = some_fd(pair, A_PROG);
		attr->link_create.target_fd = some_fd(pair, one_in(2) ? A_PERF : ANOTHER);
		attr->link_create.attach_type = one_in(2) ? BPF_PERF_EVENT : draw(58);
		break;
	}
}

static void attach(struct pair *pair, struct op *op)
{
	union abi_attr *attr = attr_of(op);

	op->cmd = one_in(3) ? BPF_PROG_QUERY : BPF_PROG_ATTACH + draw(2);
	if (op->cmd == BPF_PROG_QUERY) {
		attr->query.target_fd = some_fd(pair, ANOTHER);
		attr->query.attach_type = draw(58);
		return;
	}
	attr->attach.target_fd = some_fd(pair, one_in(3) ? A_MAP : ANOTHER);
	attr->attach.attach_bpf_fd = some_fd(pair, A_PROG);
	attr->attach.attach_type = draw(58);
}

static void small(struct pair *pair, struct op *op)
{
	union abi_attr *attr = attr_of(op);

	switch (draw(6)) {
	case 0:
		op->cmd = BPF_PROG_BIND_MAP;
		attr->prog_bind_map.prog_fd = some_fd(pair, A_PROG);
		attr->prog_bind_map.map_fd = some_fd(pair, A_MAP);
		break;
	case 1:
		op->cmd = BPF_TASK_FD_QUERY;
		attr->task_fd_query.pid = (u32)getpid();
		attr->task_fd_query.fd = some_fd(pair, one_in(2) ? A_LINK : A_PERF);
		attr->task_fd_query.buf = at(AT_TEXT);
		attr->task_fd_query.buf_len = draw(40);
		break;
	case 2: op->cmd = BPF_ENABLE_STATS; break;
	case 3:
		op->cmd = ABI_TOKEN_CREATE;
		attr->token_create.bpffs_fd = some_fd(pair, (enum thing)(1 + draw(ANOTHER)));
		break;
	case 4:
		op->cmd = ABI_PROG_STREAM_READ_BY_FD;
		attr->prog_stream_read.prog_fd = some_fd(pair, A_PROG);
		attr->prog_stream_read.stream_buf = at(AT_TEXT);
		attr->prog_stream_read.stream_buf_len = draw(64);
		attr->prog_stream_read.stream_id = draw(4);
		break;
	default: op->cmd = draw(50); break;
	}
}

static const struct family {
	const char *name;
	void (*make)(struct pair *pair, struct op *op);
	u32 weight;
} families[] = {
	{ "create", map_create, 2 }, { "elem", map_elem, 5 },	 { "batch", map_batch, 1 },
	{ "freeze", map_freeze, 1 }, { "load", prog_load, 2 },	 { "btf", btf_load, 1 },
	{ "id", by_id, 2 },	     { "info", object_info, 2 }, { "pin", pin, 1 },
	{ "run", test_run, 1 },	     { "link", links, 1 },	 { "attach", attach, 1 },
	{ "small", small, 1 },
};

static bool left_out[ARRAY_SIZE(families)];

bool generate_leave_out(const char *names)
{
	u32 i, length, found = 0, wanted = 1;
	const char *at;

	for (at = names; *at; at++)
		wanted += *at == ',';
	for (i = 0; i < ARRAY_SIZE(families); i++) {
		length = (u32)strlen(families[i].name);
		for (at = names; (at = strstr(at, families[i].name)); at += length)
			if ((at == names || at[-1] == ',') && (!at[length] || at[length] == ','))
				break;
		left_out[i] = at != NULL;
		found += left_out[i];
	}
	return found == wanted && found < ARRAY_SIZE(families);
}

void generate_call(struct pair *pair, struct op *op)
{
	u32 total = 0, i, chosen;

	for (i = 0; i < ARRAY_SIZE(families); i++)
		total += left_out[i] ? 0 : families[i].weight;
	chosen = draw(total);
	for (i = 0; left_out[i] || chosen >= families[i].weight; i++)
		chosen -= left_out[i] ? 0 : families[i].weight;
	families[i].make(pair, op);
}
