/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The grammar: each operation is first a good one for the objects that are there, then in half of
 * the cases one or two things in it are spoilt: a field, an address, the size, the tail, a flag, a
 * descriptor, a byte of what an address points to.
 */
#include "generate.h"
#include "abi/helper.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define HELPERS_END 512 /* beyond the last one */

static u64 state;
static bool has_map[64], has_prog[64], for_client;

void generate_seed(u64 seed)
{
	state = seed * 0x9e3779b97f4a7c15ull + 1;
	draw(2);
}

void generate_for_client(void)
{
	for_client = true;
}

u32 draw(u32 below)
{
	state = state * 6364136223846793005ull + 1442695040888963407ull;
	return below ? (u32)(state >> 33) % below : 0;
}

bool one_in(u32 n)
{
	return !draw(n);
}

u64 at(u32 offset)
{
	return MEMORY + offset;
}

union abi_attr *attr_of(struct op *op)
{
	return (union abi_attr *)(op->memory + AT_ATTR);
}

void put(struct op *op, u32 offset, const void *data, u32 size)
{
	memcpy(op->memory + offset, data, size);
}

/* A descriptor of such a thing, most often. */
u32 some_fd(const struct pair *pair, enum thing thing)
{
	u32 start = draw(FDS), i, fd;

	for (i = 0; i < FDS; i++) {
		fd = (start + i) % FDS;
		if (pair->slots[fd].thing == thing && thing != NOTHING)
			return fd;
	}
	return one_in(2) ? FDS - 1 : 1;
}

static u32 any_fd(const struct pair *pair)
{
	static const u32 odd[] = { 0, 1, 2, 5, FDS - 1, 100000, 0xffffffff, 0x80000000 };

	if (for_client && one_in(3))
		return 3 + draw(12); /* files of all kinds */
	if (one_in(2))
		return odd[draw(ARRAY_SIZE(odd))];
	return some_fd(pair, (enum thing)(1 + draw(ANOTHER)));
}

static u32 any_word(const struct pair *pair)
{
	static const u32 words[] = { 0,	     1,	      2,	  3,	      4,	  7,
				     8,	     16,      255,	  256,	      4096,	  0x7fff,
				     0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff, 64 };

	switch (draw(4)) {
	case 0: return 1u << draw(32);
	case 1: return any_fd(pair);
	default: return words[draw(ARRAY_SIZE(words))];
	}
}

static u64 any_address(struct op *op)
{
	static const u64 bad[] = { 0,
				   1,
				   0x1000,
				   READ_ONLY,
				   READ_ONLY + 0xffc,
				   MEMORY_END,
				   MEMORY - 1,
				   0xffff888000000000ull,
				   0x8000000000000000ull,
				   0xffffffffffffffffull,
				   0x7ffffffff000ull };

	if (one_in(2)) {
		op->half = true;
		return MEMORY_END - (1u << draw(8)) + draw(2);
	}
	if (one_in(3))
		return at(AT_OWN) + draw(9);
	return bad[draw(ARRAY_SIZE(bad))];
}

static void spoil_memory(struct op *op)
{
	static const u32 places[] = { AT_KEY, AT_VALUE, AT_INSNS, AT_LICENSE, AT_NAME,
				      AT_FDS, AT_BTF,	AT_INFO,  AT_INSNS,   AT_BTF };
	u32 where = places[draw(ARRAY_SIZE(places))] + draw(one_in(2) ? 8 : 96);

	op->memory[where] = (u8)(one_in(2) ? draw(256) : op->memory[where] ^ 1u << draw(8));
}

/* Every command's size, and those around it. */
static u32 any_size(u32 cmd)
{
	static const u32 sizes[] = { 0,	  1,	3,    4,    8,	  12,	 16,	     24,
				     32,  72,	116,  128,  144,  152,	 160,	     168,
				     200, 4095, 4096, 4097, 8192, 65536, 0x7fffffff, 0xffffffff };
	const struct abi_command *command = abi_command_find(cmd);

	if (command && one_in(3))
		return command->end - draw(9);
	return sizes[draw(ARRAY_SIZE(sizes))];
}

static void spoil(struct pair *pair, struct op *op)
{
	const struct abi_command *command = abi_command_find(op->cmd);
	u32 end = command ? command->end : 64, word = any_word(pair), offset;
	u64 address;

	switch (draw(8)) {
	case 0:
	case 1: put(op, draw(end / 4 + 1) * 4, &word, 4); break;
	case 2:
		address = any_address(op);
		put(op, draw(end / 8 + 1) * 8, &address, 8);
		break;
	case 3: /* a tail that is not zero, within what the kernel knows and beyond */
		offset = one_in(2) ? end + draw(8) : draw(300);
		if (for_client && one_in(3)) {
			offset = draw(4096);
			op->size = 4096 - draw(2);
		}
		op->memory[offset] = (u8)draw(256);
		if (!for_client && one_in(2))
			op->size = 256 + draw(64);
		break;
	case 4: op->size = any_size(op->cmd); break;
	case 5: /* one more flag */
		offset = draw(end / 4 + 1) * 4 + draw(4);
		op->memory[offset] ^= (u8)(1 << draw(8));
		break;
	case 6:
		word = any_fd(pair);
		put(op, draw(end / 4 + 1) * 4, &word, 4);
		break;
	default: spoil_memory(op); break;
	}
}

/* What would cost the machine too much, or reach beyond the test, becomes something smaller. */
static void tame_map(union abi_attr *attr)
{
	u64 each;

	if (attr->value_size > 0x8000 && attr->value_size <= 0x7fffffff)
		attr->value_size = attr->value_size % 0x8000 + 1;
	if (attr->key_size > 0x8000 && attr->key_size <= 0x7fffffff)
		attr->key_size = attr->key_size % 0x8000 + 1;
	each = (u64)attr->key_size + attr->value_size + 64;
	if (attr->max_entries * each > 4 << 20)
		attr->max_entries = attr->map_type == BPF_MAP_TYPE_RINGBUF ||
						    attr->map_type == BPF_MAP_TYPE_USER_RINGBUF
					    ? 4096
					    : 1 + attr->max_entries % 16;
}

/* Helpers that skep lacks for this type are not called: they are named at the start. */
static void tame_calls(struct op *op)
{
	const union abi_attr *attr = attr_of(op);
	const struct abi_helper *helper;
	struct bpf_insn insn;
	u32 i;

	for (i = AT_INSNS; i < AT_LICENSE; i += sizeof(insn)) {
		memcpy(&insn, op->memory + i, sizeof(insn));
		if (insn.code != (BPF_JMP | BPF_CALL) || insn.src_reg)
			continue;
		helper = abi_helper_for((u32)insn.imm, attr->load.prog_type);
		if (!helper || abi_helper_available(helper, attr->load.prog_type) ||
		    !abi_helper_allowed((u32)insn.imm, attr->load.prog_type,
					attr->load.expected_attach_type))
			continue;
		insn.imm = BPF_FUNC_get_prandom_u32;
		put(op, i, &insn, sizeof(insn));
	}
}

/* Names them, and the types. */
static void say_absent(void)
{
	const struct abi_helper *helper;
	u32 id, type, allowed, absent;
	char types[512];

	for (id = 1; id < HELPERS_END; id++) {
		types[0] = '\0';
		allowed = absent = 0;
		for (type = 1; type <= ABI_PROG_TYPE_NETFILTER; type++) {
			helper = abi_helper_for(id, type);
			if (!helper || !has_prog[type] || !abi_helper_allowed(id, type, 0))
				continue;
			allowed++;
			if (abi_helper_available(helper, type))
				continue;
			absent++;
			strcat(strcat(types, " "), abi_prog_type_name(type));
		}
		if (absent)
			printf("# bpf_%s is left out%s%s\n", abi_helper_find(id)->name,
			       absent < allowed ? ", for" : "", absent < allowed ? types : "");
	}
}

static bool has_attach_btf(const struct pair *pair, u32 fd)
{
	u32 type = fd < FDS ? pair->slots[fd].type : 0;

	return fd < FDS && pair->slots[fd].thing == A_PROG && type >= BPF_PROG_TYPE_TRACING &&
	       type <= BPF_PROG_TYPE_LSM;
}

static void tame(struct pair *pair, struct op *op)
{
	union abi_attr *attr = attr_of(op);

	switch (op->cmd) {
	case BPF_MAP_CREATE:
		tame_map(attr);
		if (attr->map_type < ARRAY_SIZE(has_map) && !has_map[attr->map_type])
			attr->map_type = 0;
		break;
	case BPF_PROG_LOAD:
		if (!generate_has_prog(attr->load.prog_type))
			attr->load.prog_type = 0;
		tame_calls(op);
		break;
	case BPF_PROG_TEST_RUN:
		attr->test.repeat %= 4;
		attr->test.flags &= ~(u32)BPF_F_TEST_XDP_LIVE_FRAMES;
		break;
	case BPF_MAP_LOOKUP_BATCH:
	case BPF_MAP_LOOKUP_AND_DELETE_BATCH:
	case BPF_MAP_UPDATE_BATCH:
	case BPF_MAP_DELETE_BATCH:
		if (attr->batch.count > 64 && attr->batch.count < 0x10000000)
			attr->batch.count %= 64;
		break;
	case BPF_LINK_CREATE:
		/* The machine's own functions are not touched. */
		if (has_attach_btf(pair, attr->link_create.prog_fd))
			attr->link_create.prog_fd = FDS - 1;
		break;
	case BPF_RAW_TRACEPOINT_OPEN:
		if (has_attach_btf(pair, attr->raw_tracepoint.prog_fd))
			attr->raw_tracepoint.prog_fd = FDS - 1;
		break;
	case BPF_PROG_ATTACH:
		/* Device 1 is there, and would keep the program. */
		if (attr->attach.target_fd == 1)
			attr->attach.target_fd = 100000;
		break;
	case BPF_PROG_GET_FD_BY_ID:
	case BPF_MAP_GET_FD_BY_ID:
	case BPF_BTF_GET_FD_BY_ID:
	case BPF_LINK_GET_FD_BY_ID:
	case BPF_PROG_GET_NEXT_ID:
	case BPF_MAP_GET_NEXT_ID:
	case BPF_BTF_GET_NEXT_ID:
	case BPF_LINK_GET_NEXT_ID:
		/* A number that is no object's of ours may be another's on the kernel; a cut one
		 * is such a number. */
		if (op->size < 8)
			op->size = 8;
		if (op->id_of == NO_ID && attr->id.id && attr->id.id < 0x40000000)
			attr->id.id |= 0x40000000;
		break;
	case BPF_TASK_FD_QUERY:
		/* A cut number may be another process's. */
		if (op->size < 8)
			op->size = 8;
		op->own_pid = attr->task_fd_query.pid == (u32)getpid();
		if (!op->own_pid)
			attr->task_fd_query.pid |= 0x40000000;
		break;
	default: break;
	}
}

bool generate_has_prog(u32 type)
{
	return type >= ARRAY_SIZE(has_prog) || has_prog[type];
}

bool generate_has_map(u32 type)
{
	return type < ARRAY_SIZE(has_map) && has_map[type];
}

/* Do both sides answer this call alike? */
static bool alike(struct pair *pair, const struct op *op, const char *what, const char *name)
{
	static struct outcome outcome;
	const long *results = outcome.results;

	pair_run(pair, op, &outcome);
	pair_reset(pair);
	if (results[0] == results[1])
		return true;
	printf("# %s of type %s are left out: kernel %ld, skep %ld\n", what, name, results[0],
	       results[1]);
	return false;
}

void generate_probe(struct pair *pair)
{
	static const struct bpf_insn insns[] = { { .code = BPF_ALU64 | BPF_MOV | BPF_K },
						 { .code = BPF_JMP | BPF_EXIT } };
	static struct op op;
	u32 type;

	op.id_of = NO_ID;
	op.size = sizeof(union abi_attr);
	for (type = 1; type <= ABI_MAP_TYPE_ARENA; type++) {
		memset(attr_of(&op), 0, sizeof(union abi_attr));
		generate_map(attr_of(&op), type);
		if (type == BPF_MAP_TYPE_ARRAY_OF_MAPS || type == BPF_MAP_TYPE_HASH_OF_MAPS)
			attr_of(&op)->inner_map_fd = FDS - 1; /* EBADF if the type is known */
		has_map[type] = alike(pair, &op, "maps", abi_map_type_name(type));
	}
	op.cmd = BPF_PROG_LOAD;
	put(&op, AT_INSNS, insns, sizeof(insns));
	put(&op, AT_LICENSE, "GPL", 4);
	for (type = 1; type <= ABI_PROG_TYPE_NETFILTER; type++) {
		memset(attr_of(&op), 0, sizeof(union abi_attr));
		attr_of(&op)->load.prog_type = type;
		attr_of(&op)->load.insns = at(AT_INSNS);
		attr_of(&op)->load.insn_cnt = 2;
		attr_of(&op)->load.license = at(AT_LICENSE);
		if (type == ABI_PROG_TYPE_NETFILTER)
			attr_of(&op)->load.expected_attach_type = ABI_NETFILTER;
		if (type == BPF_PROG_TYPE_SYSCALL)
			attr_of(&op)->load.prog_flags = BPF_F_SLEEPABLE;
		has_prog[type] = alike(pair, &op, "programs", abi_prog_type_name(type));
	}
	say_absent();
}

/* Ids that come back are translated: where they are has to be known. */
static bool is_walk(u32 cmd)
{
	return cmd == BPF_PROG_GET_NEXT_ID || cmd == BPF_MAP_GET_NEXT_ID ||
	       cmd == BPF_BTF_GET_NEXT_ID || cmd == BPF_LINK_GET_NEXT_ID;
}

/* Attributes at a place that is not aligned, or ends in the forbidden page; or an address where
 * there are none. */
static void move_attr(struct op *op)
{
	u32 size = op->size < AT_KEY ? op->size : sizeof(union abi_attr);
	u8 attr[AT_KEY];

	memcpy(attr, op->memory, sizeof(attr));
	switch (is_walk(op->cmd) ? 3 : draw(4)) {
	case 0: op->attr_address = any_address(op); return;
	case 1: op->attr_at = MEMORY_SIZE - draw(size + 8); break;
	case 2: op->attr_at = MEMORY_SIZE - size; break;
	default: op->attr_at = 1 + draw(7); break;
	}
	if (op->attr_at == MEMORY_SIZE)
		op->attr_at--;
	if (op->attr_at > AT_KEY)
		op->half = true;
	if (op->attr_at < AT_KEY)
		size = sizeof(attr) - op->attr_at;
	else if (size > MEMORY_SIZE - op->attr_at)
		size = MEMORY_SIZE - op->attr_at;
	memset(op->memory, 0, sizeof(attr));
	put(op, op->attr_at, attr, size);
}

static void generate_fd_op(struct op *op)
{
	op->kind = one_in(8) ? OP_PERF : OP_CLOSE;
	op->fd = (int)(FIRST_FD + draw(24));
	if (!for_client || one_in(2))
		return;
	op->kind = OP_DUP + draw(3);
	op->onto = (int)(FIRST_FD + draw(24));
}

void generate(struct pair *pair, struct op *ret_op)
{
	u32 changes;

	memset(ret_op, 0, sizeof(*ret_op));
	ret_op->id_of = NO_ID;
	ret_op->size = sizeof(union abi_attr);
	if (one_in(12)) {
		generate_fd_op(ret_op);
		return;
	}
	ret_op->kind = OP_BPF;
	generate_call(pair, ret_op);
	if (one_in(2))
		for (changes = 1 + draw(2); changes; changes--)
			spoil(pair, ret_op);
	tame(pair, ret_op);
	if (one_in(4) && ret_op->size == sizeof(union abi_attr))
		ret_op->size =
			abi_command_find(ret_op->cmd) ? abi_command_find(ret_op->cmd)->end : 16;
	if (!for_client)
		return;
	ret_op->raw = one_in(3);
	if (one_in(20))
		move_attr(ret_op);
}
