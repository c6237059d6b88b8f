/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See sequences.h. The program goes through an array of entries (struct entry) by bpf_loop(): each
 * names an operation, its key, value and flags, and takes its result and what was found. The same
 * instructions go to both sides; only descriptors differ.
 */
#include "sequences.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#define INSNS_MAX 1024
#define AT(field) ((s16)offsetof(struct entry, field))
#define SAMPLE	  40 /* bytes of a reserved sample */

#define MAP			    4 /* of a loaded 64-bit constant: filled in for each side */
#define STOREX(size, to, off, from) INSN(BPF_STX | BPF_MEM | (size), to, from, off, 0)
#define JNE_K(reg, value, off)	    INSN(BPF_JMP | BPF_JNE | BPF_K, reg, 0, off, value)

struct code {
	struct bpf_insn insns[INSNS_MAX];
	u32 nr;
	u32 each;     /* where its callback's address is loaded, 0: nowhere */
	u32 callback; /* where that begins */
};

static void add(struct code *code, struct bpf_insn insn)
{
	if (code->nr == INSNS_MAX)
		tap_bail("a program of more than %u instructions", INSNS_MAX);
	code->insns[code->nr++] = insn;
}

/* The descriptor is filled in later: which is 0 for the map and 1 for the script. */
static void add_map(struct code *code, u32 reg, u32 which)
{
	const struct bpf_insn pair[] = { LD_MAP(
		reg, which ? BPF_PSEUDO_MAP_VALUE : BPF_PSEUDO_MAP_FD, (s32)which) };

	add(code, pair[0]);
	add(code, pair[1]);
}

/* R2 = the key, or another field of the entry in R7. */
static void add_field(struct code *code, u32 reg, s32 at)
{
	add(code, MOV_X(reg, 7));
	add(code, ADD_K(reg, at));
}

/* Copies, without the bytes of a lock; through R3. */
static void add_copy(struct code *code, u32 to, s16 to_off, u32 from, s16 from_off, u32 skip,
		     u32 size)
{
	u32 i = skip;

	for (; !skip && i + 8 <= size; i += 8) {
		add(code, LOAD(BPF_DW, 3, from, (s16)(from_off + (s16)i)));
		add(code, STOREX(BPF_DW, to, (s16)(to_off + (s16)i), 3));
	}
	for (; i < size; i++) {
		add(code, LOAD(BPF_B, 3, from, (s16)(from_off + (s16)i)));
		add(code, STOREX(BPF_B, to, (s16)(to_off + (s16)i), 3));
	}
}

static void add_return(struct code *code)
{
	add(code, MOV_K(0, 0));
	add(code, EXIT());
}

/* Ends with R0 as the result. */
static void add_result(struct code *code)
{
	add(code, STOREX(BPF_DW, 7, AT(result), 0));
	add_return(code);
}

static void add_fixed_result(struct code *code, s32 result)
{
	add(code, STORE_K(BPF_DW, 7, AT(result), result));
	add_return(code);
}

/* Ends with -ENOENT if R0 is NULL. */
static void add_null_check(struct code *code, s32 result)
{
	add(code, JNE_K(0, 0, 3));
	add_fixed_result(code, result);
}

static void add_call(struct code *code, s32 helper)
{
	add(code, CALL(helper));
}

static void add_found(struct code *code, const struct config *config)
{
	add_null_check(code, -ENOENT);
	add_copy(code, 7, AT(out), 0, 0, config->special, config->value_size);
	add_fixed_result(code, 0);
}

static void add_lookup(struct code *code)
{
	add_map(code, 1, 0);
	add_field(code, 2, AT(key));
	add_call(code, BPF_FUNC_map_lookup_elem);
}

static void add_inner(struct code *code)
{
	add_lookup(code);
	add_null_check(code, -ENOENT);
	add(code, MOV_X(1, 0));
	add_field(code, 2, AT(number));
	add_call(code, BPF_FUNC_map_lookup_elem);
	add_null_check(code, -ESRCH);
	add_copy(code, 7, AT(out), 0, 0, 0, 8);
	add_fixed_result(code, 0);
}

static void add_reserve(struct code *code)
{
	add_map(code, 1, 0);
	add(code, MOV_K(2, SAMPLE));
	add(code, LOAD(BPF_DW, 3, 7, AT(flags)));
	add_call(code, BPF_FUNC_ringbuf_reserve);
	add_null_check(code, -ENOENT);
	add_copy(code, 0, 0, 7, AT(value), 0, SAMPLE);
	add(code, MOV_X(1, 0));
	add(code, MOV_K(2, 0));
	add(code, LOAD(BPF_W, 3, 7, AT(number)));
	add(code, JEQ_K(3, 1, 4));
	add_call(code, BPF_FUNC_ringbuf_submit);
	add_fixed_result(code, 0);
	add_call(code, BPF_FUNC_ringbuf_discard);
	add_fixed_result(code, 1);
}

static void add_queue(struct code *code, const struct config *config, enum script_op op)
{
	bool bloom = config->kind->flavour & KIND_BLOOM;

	add_map(code, 1, 0);
	add_field(code, 2, op == OP_PUSH || bloom ? AT(value) : AT(out));
	if (op == OP_PUSH)
		add(code, LOAD(BPF_DW, 3, 7, AT(flags)));
	add_call(code, op == OP_PUSH  ? BPF_FUNC_map_push_elem
		       : op == OP_POP ? BPF_FUNC_map_pop_elem
				      : BPF_FUNC_map_peek_elem);
	add_result(code);
}

/* R2 = the callback: what comes last in the program. */
static void add_callback(struct code *code)
{
	code->each = code->nr;
	add(code, INSN(BPF_LD | BPF_IMM | BPF_DW, 2, BPF_PSEUDO_FUNC, 0, 0));
	add(code, INSN(0, 0, 0, 0, 0));
}

static void add_each(struct code *code)
{
	add(code, STORE_K(BPF_DW, 10, -8, 0));
	add_map(code, 1, 0);
	add_callback(code);
	add(code, MOV_X(3, 10));
	add(code, ADD_K(3, -8));
	add(code, MOV_K(4, 0));
	add_call(code, BPF_FUNC_for_each_map_elem);
	add(code, LOAD(BPF_DW, 1, 10, -8));
	add(code, STOREX(BPF_DW, 7, AT(sum), 1));
	add_result(code);
}

/* R2 = the current task */
static void add_task(struct code *code)
{
	add_call(code, BPF_FUNC_get_current_task_btf);
	add_map(code, 1, 0);
	add(code, MOV_X(2, 0));
}

/* R2 = the packet's socket, if it has one; R8 is the context */
static void add_socket(struct code *code)
{
	add(code, LOAD(BPF_DW, 1, 8, offsetof(struct __sk_buff, sk)));
	add(code, JNE_K(1, 0, 3));
	add_fixed_result(code, -ESRCH);
	add_call(code, BPF_FUNC_sk_fullsock);
	add_null_check(code, -ESRCH);
	add_map(code, 1, 0);
	add(code, MOV_X(2, 0));
}

static void add_storage(struct code *code, const struct config *config, s32 helper)
{
	add(code, MOV_K(3, 0));
	add(code, LOAD(BPF_DW, 4, 7, AT(flags)));
	add_call(code, helper);
	add_null_check(code, -ENOENT);
	add_copy(code, 7, AT(out), 0, 0, 0, config->value_size);
	add_copy(code, 0, 0, 7, AT(value), 0, config->value_size);
	add_fixed_result(code, 0);
}

static void add_timer(struct code *code, enum script_op op)
{
	add_lookup(code);
	add_null_check(code, -ENOENT);
	add(code, MOV_X(1, 0));
	switch (op) {
	case OP_TIMER_INIT:
		add_map(code, 2, 0);
		add(code, LOAD(BPF_DW, 3, 7, AT(flags)));
		add_call(code, BPF_FUNC_timer_init);
		break;
	case OP_TIMER_SET:
		add_callback(code);
		add_call(code, BPF_FUNC_timer_set_callback);
		break;
	case OP_TIMER_START:
		add(code, MOV_K(2, 1));
		add(code, INSN(BPF_ALU64 | BPF_LSH | BPF_K, 2, 0, 0, 60));
		add(code, LOAD(BPF_DW, 3, 7, AT(flags)));
		add_call(code, BPF_FUNC_timer_start);
		break;
	default: add_call(code, BPF_FUNC_timer_cancel); break;
	}
	add_result(code);
}

/* The callback adds to a sum on the stack. */
static void add_drain(struct code *code)
{
	add(code, STORE_K(BPF_DW, 10, -8, 0));
	add_map(code, 1, 0);
	add_callback(code);
	add(code, MOV_X(3, 10));
	add(code, ADD_K(3, -8));
	add(code, LOAD(BPF_DW, 4, 7, AT(flags)));
	add_call(code, BPF_FUNC_user_ringbuf_drain);
	add(code, LOAD(BPF_DW, 1, 10, -8));
	add(code, STOREX(BPF_DW, 7, AT(sum), 1));
	add_result(code);
}

static void add_storage_operation(struct code *code, const struct config *config, enum script_op op)
{
	switch (op) {
	case OP_TASK_GET:
		add_task(code);
		add_storage(code, config, BPF_FUNC_task_storage_get);
		break;
	case OP_SOCKET_GET:
		add_socket(code);
		add_storage(code, config, BPF_FUNC_sk_storage_get);
		break;
	case OP_SOCKET_DELETE:
		add_socket(code);
		add_call(code, BPF_FUNC_sk_storage_delete);
		add_result(code);
		break;
	case OP_TASK_DELETE:
		add_task(code);
		add_call(code, BPF_FUNC_task_storage_delete);
		add_result(code);
		break;
	default: break;
	}
}

static void add_operation(struct code *code, const struct config *config, enum script_op op)
{
	switch (op) {
	case OP_LOOKUP:
		add_lookup(code);
		add_found(code, config);
		break;
	case OP_STORE:
		add_lookup(code);
		add_null_check(code, -ENOENT);
		add_copy(code, 0, 0, 7, AT(value), config->special, config->value_size);
		add_fixed_result(code, 0);
		break;
	case OP_UPDATE:
		add_map(code, 1, 0);
		add_field(code, 2, AT(key));
		add_field(code, 3, AT(value));
		add(code, LOAD(BPF_DW, 4, 7, AT(flags)));
		add_call(code, BPF_FUNC_map_update_elem);
		add_result(code);
		break;
	case OP_DELETE:
		add_map(code, 1, 0);
		add_field(code, 2, AT(key));
		add_call(code, BPF_FUNC_map_delete_elem);
		add_result(code);
		break;
	case OP_PUSH:
	case OP_POP:
	case OP_PEEK: add_queue(code, config, op); break;
	case OP_PERCPU:
		add_map(code, 1, 0);
		add_field(code, 2, AT(key));
		add(code, LOAD(BPF_W, 3, 7, AT(number)));
		add_call(code, BPF_FUNC_map_lookup_percpu_elem);
		add_found(code, config);
		break;
	case OP_EACH: add_each(code); break;
	case OP_OUTPUT:
		add_map(code, 1, 0);
		add_field(code, 2, AT(value));
		add(code, LOAD(BPF_W, 3, 7, AT(number)));
		add(code, INSN(BPF_ALU64 | BPF_AND | BPF_K, 3, 0, 0, 127));
		add(code, LOAD(BPF_DW, 4, 7, AT(flags)));
		add_call(code, BPF_FUNC_ringbuf_output);
		add_result(code);
		break;
	case OP_RESERVE: add_reserve(code); break;
	case OP_QUERY:
		add_map(code, 1, 0);
		add(code, LOAD(BPF_DW, 2, 7, AT(flags)));
		add_call(code, BPF_FUNC_ringbuf_query);
		add_result(code);
		break;
	case OP_INNER: add_inner(code); break;
	case OP_REDIRECT:
		add_map(code, 1, 0);
		add(code, LOAD(BPF_W, 2, 7, AT(key)));
		add(code, LOAD(BPF_DW, 3, 7, AT(flags)));
		add_call(code, BPF_FUNC_redirect_map);
		add_result(code);
		break;
	case OP_TIMER_INIT:
	case OP_TIMER_SET:
	case OP_TIMER_START:
	case OP_TIMER_CANCEL: add_timer(code, op); break;
	case OP_DRAIN: add_drain(code); break;
	default: add_storage_operation(code, config, op);
	}
}

/* What timers never come to; or R1 a sample, R2 the sum: its first bytes, as many as there are. */
static void add_other_callback(struct code *code, bool drains)
{
	if (!drains) {
		add_return(code);
		return;
	}
	add(code, MOV_X(6, 2));
	add(code, MOV_X(3, 1));
	add(code, STORE_K(BPF_DW, 10, -8, 0));
	add(code, MOV_X(1, 10));
	add(code, ADD_K(1, -8));
	add(code, MOV_K(2, 8));
	add(code, MOV_K(4, 0));
	add(code, MOV_K(5, 0));
	add_call(code, BPF_FUNC_dynptr_read);
	add(code, LOAD(BPF_DW, 1, 6, 0));
	add(code, INSN(BPF_ALU64 | BPF_MUL | BPF_K, 1, 0, 0, 7));
	add(code, INSN(BPF_ALU64 | BPF_ADD | BPF_X, 1, 0, 0, 0));
	add(code, LOAD(BPF_DW, 2, 10, -8));
	add(code, INSN(BPF_ALU64 | BPF_ADD | BPF_X, 1, 2, 0, 0));
	add(code, STOREX(BPF_DW, 6, 0, 1));
	/* Some end it. */
	add(code, MOV_K(0, 0));
	add(code, INSN(BPF_ALU64 | BPF_AND | BPF_K, 2, 0, 0, 7));
	add(code, JNE_K(2, 3, 1));
	add(code, MOV_K(0, 1));
	add(code, EXIT());
}

/* The whole program; *ret_operation is where its second function begins. */
static void assemble(struct code *code, const struct config *config, u32 ops, u32 *ret_operation)
{
	u32 op, jump;

	code->nr = code->each = 0;
	/* The context goes along on the stack. */
	add(code, STOREX(BPF_DW, 10, -8, 1));
	add(code, MOV_K(1, SCRIPT_LEN));
	add(code, INSN(BPF_LD | BPF_IMM | BPF_DW, 2, BPF_PSEUDO_FUNC, 0, 7));
	add(code, INSN(0, 0, 0, 0, 0));
	add(code, MOV_X(3, 10));
	add(code, ADD_K(3, -8));
	add(code, MOV_K(4, 0));
	add_call(code, BPF_FUNC_loop);
	add(code, MOV_K(0, 2));
	add(code, EXIT());
	*ret_operation = code->nr;
	/* R7 = the entry, R8 = the context */
	add(code, LOAD(BPF_DW, 8, 2, 0));
	add(code, INSN(BPF_ALU64 | BPF_AND | BPF_K, 1, 0, 0, SCRIPT_LEN - 1));
	add(code, INSN(BPF_ALU64 | BPF_MUL | BPF_K, 1, 0, 0, sizeof(struct entry)));
	add_map(code, 7, 1);
	add(code, INSN(BPF_ALU64 | BPF_ADD | BPF_X, 7, 1, 0, 0));
	add(code, LOAD(BPF_W, 6, 7, AT(op)));
	for (op = 1; op < SCRIPT_OPS; op++) {
		if (!(ops & OPS(op)))
			continue;
		jump = code->nr;
		add(code, JNE_K(6, (s32)op, 0));
		add_operation(code, config, (enum script_op)op);
		code->insns[jump].off = (s16)(code->nr - jump - 1);
	}
	add_return(code);
	if (!code->each)
		return;
	code->callback = code->nr;
	for (op = 0; op < code->nr; op++)
		if (code->insns[op].code == (BPF_LD | BPF_IMM | BPF_DW) &&
		    code->insns[op].src_reg == BPF_PSEUDO_FUNC && op >= *ret_operation)
			code->insns[op].imm = (s32)(code->nr - op - 1);
	if (!(ops & OPS(OP_EACH))) {
		add_other_callback(code, ops & OPS(OP_DRAIN));
		return;
	}
	/* A sum that does not depend on the order. */
	add(code, LOAD(BPF_B, 5, 2, 0));
	add(code, ADD_K(5, 7));
	add(code, LOAD(BPF_B, 0, 3, config->special));
	add(code, ADD_K(0, 3));
	add(code, INSN(BPF_ALU64 | BPF_MUL | BPF_X, 0, 5, 0, 0));
	add(code, LOAD(BPF_DW, 5, 4, 0));
	add(code, INSN(BPF_ALU64 | BPF_ADD | BPF_X, 5, 0, 0, 0));
	add(code, STOREX(BPF_DW, 4, 0, 5));
	add_return(code);
}

static u32 prog_type(const struct pair *pair)
{
	u32 ops = pair->config.kind->script_ops;

	if (ops & OPS(OP_TASK_GET))
		return BPF_PROG_TYPE_RAW_TRACEPOINT;
	return ops & OPS(OP_REDIRECT) ? BPF_PROG_TYPE_XDP : BPF_PROG_TYPE_SCHED_CLS;
}

static long load(struct pair *pair, int side, const struct code *code, u32 operation, char *log)
{
	struct bpf_func_info functions[3] = { { 0, 4 }, { operation, 5 }, { code->callback, 6 } };
	static struct bpf_insn insns[INSNS_MAX];
	union abi_attr attr;
	u32 i;

	memcpy(insns, code->insns, code->nr * sizeof(insns[0]));
	for (i = 0; i < code->nr; i++) {
		if (insns[i].code != (BPF_LD | BPF_IMM | BPF_DW))
			continue;
		if (insns[i].src_reg == BPF_PSEUDO_MAP_FD)
			insns[i].imm = pair->fds[side];
		else if (insns[i].src_reg == BPF_PSEUDO_MAP_VALUE)
			insns[i].imm = stage.script[side];
		i++;
	}
	attr = world_prog_attr(prog_type(pair), insns, code->nr);
	attr.load.prog_btf_fd = (u32)stage.btf[side];
	attr.load.func_info = (u64)(uintptr_t)functions;
	attr.load.func_info_rec_size = sizeof(functions[0]);
	attr.load.func_info_cnt = code->each ? 3 : 2;
	if (log) {
		attr.load.log_level = 1;
		attr.load.log_buf = (u64)(uintptr_t)log;
		attr.load.log_size = 1u << 16;
	}
	return stage_call(side, BPF_PROG_LOAD, &attr);
}

/* Why one side did not take it: the end of its log. */
static void show_refusal(struct pair *pair, int side, const struct code *code, u32 operation)
{
	static char log[1u << 16];
	size_t length;

	log[0] = '\0';
	load(pair, side, code, operation, log);
	length = strlen(log);
	tap_note("%s", length > 300 ? log + length - 300 : log);
}

void program_new(struct pair *pair)
{
	static const u32 variants[] = {
		~0u, OPS(OP_LOOKUP) | OPS(OP_EACH) | OPS(OP_PEEK) | OPS(OP_PERCPU),
		OPS(OP_LOOKUP) | OPS(OP_PEEK), OPS(OP_UPDATE) | OPS(OP_DELETE) | OPS(OP_PUSH)
	};
	static struct code code;
	u32 ops, i, operation;
	long results[SIDES];
	int side;

	pair->progs[0] = pair->progs[1] = -1;
	for (i = 0; i < ARRAY_SIZE(variants) && pair->progs[0] < 0; i++) {
		ops = pair->config.kind->script_ops & variants[i];
		if (!ops)
			continue;
		assemble(&code, &pair->config, ops, &operation);
		for (side = 0; side < SIDES; side++)
			results[side] = load(pair, side, &code, operation, NULL);
		pair->operations++;
		if ((results[0] < 0 || results[1] < 0) && results[0] != results[1]) {
			differ(pair, "loading a program of operations %#x: kernel %ld, skep %ld",
			       ops, results[0], results[1]);
			show_refusal(pair, results[0] < 0 ? 0 : 1, &code, operation);
		}
		for (side = 0; side < SIDES; side++) {
			if (results[0] >= 0 && results[1] >= 0)
				pair->progs[side] = (int)results[side];
			else if (results[side] >= 0)
				stage.worlds[side]->close(stage.worlds[side], (int)results[side]);
		}
		pair->script_ops = ops;
	}
}

static enum script_op draw_op(u32 ops)
{
	u32 op;

	do
		op = 1 + draw(SCRIPT_OPS - 1);
	while (!(ops & OPS(op)));
	return (enum script_op)op;
}

static void draw_entry(struct pair *pair, struct entry *const entries[SIDES])
{
	static const u64 element_flags[] = { 0, 0, 0, 0, 1, 2, 3, 4, 5, 8, 16, 1ull << 33 };
	static const u64 push_flags[] = { 0, 0, 0, BPF_EXIST, BPF_EXIST, 1, 4 };
	static const u64 ring_flags[] = { 0, 0, 0, 1, 2, 3, 4 };
	struct entry *entry = entries[0];
	u8 *const keys[SIDES] = { entries[0]->key, entries[1]->key };
	u8 values[SIDES][USER_MAX], *const where[SIDES] = { values[0], values[1] };

	memset(entry, 0, sizeof(*entry));
	entry->op = draw_op(pair->script_ops);
	switch ((enum script_op)entry->op) {
	case OP_PUSH: entry->flags = push_flags[draw(ARRAY_SIZE(push_flags))]; break;
	case OP_OUTPUT:
	case OP_RESERVE:
	case OP_QUERY: entry->flags = ring_flags[draw(ARRAY_SIZE(ring_flags))]; break;
	case OP_SOCKET_GET:
	case OP_TASK_GET: entry->flags = one_in(8) ? draw(8) : draw(2); break;
	case OP_DRAIN: entry->flags = ring_flags[draw(ARRAY_SIZE(ring_flags))]; break;
	case OP_TIMER_INIT: entry->flags = one_in(6) ? draw(20) : one_in(2) ? 1 : 7; break;
	case OP_TIMER_START: entry->flags = one_in(6) ? draw(8) : 0; break;
	case OP_REDIRECT: entry->flags = one_in(6) ? 1u << draw(10) : draw(4); break;
	default: entry->flags = element_flags[draw(ARRAY_SIZE(element_flags))]; break;
	}
	entry->number = draw(pair->config.kind->flavour & KIND_PERCPU ? stage.cpus + 1 : 130);
	if (entry->op == OP_INNER)
		entry->number %= 5;
	if (entry->op == OP_RESERVE)
		entry->number %= 3;
	/* Without the bytes of a lock: they are not the program's. */
	entry->sum = draw(50);
	config_value(&pair->config, (u32)entry->sum, where);
	memcpy(entry->value, values[0],
	       pair->config.value_size < VALUE_MAX ? pair->config.value_size : VALUE_MAX);
	if (pair->config.kind->type == BPF_MAP_TYPE_RINGBUF)
		memset(entry->value, 1 + (int)entry->sum, VALUE_MAX);
	*entries[1] = *entries[0];
	config_key(&pair->config, keys);
}

/* What a filter says about a value that is not in it is each side's own. */
static void judge_bloom(struct pair *pair, const struct entry *asked, struct entry *const sides[])
{
	u64 bit = 1ull << asked->sum;
	int side;

	if (asked->op == OP_PUSH) {
		if (!sides[0]->result)
			pair->pushed |= bit;
		return;
	}
	for (side = 0; side < SIDES; side++) {
		if (sides[side]->result != 0 &&
		    (sides[side]->result != -ENOENT || pair->pushed & bit))
			differ(pair, "peek of value %llu: %lld", (unsigned long long)asked->sum,
			       (long long)sides[side]->result);
		sides[side]->result = 0;
	}
}

static void run_side(struct pair *pair, int side, struct entry *entries)
{
	struct world *world = stage.worlds[side];
	u8 packet[64] = { 0 };
	union abi_attr attr;
	const u32 key = 0;
	long result;

	if (world_update(world, stage.script[side], &key, entries, 0))
		tap_bail("the script's map cannot be filled");
	memset(&attr, 0, sizeof(attr));
	attr.test.prog_fd = (u32)pair->progs[side];
	if (prog_type(pair) != BPF_PROG_TYPE_RAW_TRACEPOINT) {
		attr.test.data_in = (u64)(uintptr_t)packet;
		attr.test.data_size_in = sizeof(packet);
	}
	result = stage_call(side, BPF_PROG_TEST_RUN, &attr);
	if (result || attr.test.retval != 2)
		tap_bail("TEST_RUN of a script on %s: %ld, %u", world->name, result,
			 attr.test.retval);
	if (world_lookup(world, stage.script[side], &key, entries))
		tap_bail("the script's map cannot be read");
}

void program_run(struct pair *pair)
{
	static struct entry asked[SCRIPT_LEN], done[SIDES][SCRIPT_LEN];
	u32 i;

	if (pair->progs[0] < 0 || pair->parted)
		return;
	for (i = 0; i < SCRIPT_LEN; i++)
		draw_entry(pair, (struct entry *const[]){ &done[0][i], &done[1][i] });
	memcpy(asked, done[0], sizeof(asked));
	run_side(pair, 0, done[0]);
	run_side(pair, 1, done[1]);
	pair->operations += SCRIPT_LEN;
	for (i = 0; i < SCRIPT_LEN; i++) {
		if (pair->config.kind->flavour & KIND_BLOOM)
			judge_bloom(pair, &asked[i],
				    (struct entry *const[]){ &done[0][i], &done[1][i] });
		pair->succeeded += done[0][i].result >= 0;
		/* Keys that are descriptors are each side's own. */
		memset(done[0][i].key, 0, KEY_MAX);
		memset(done[1][i].key, 0, KEY_MAX);
		if (!memcmp(&done[0][i], &done[1][i], sizeof(done[0][i])))
			continue;
		/* The kernel allocates timers where it cannot wait for memory. */
		if (asked[i].op == OP_TIMER_INIT && done[0][i].result == -ENOMEM) {
			pair->parted = true;
			return;
		}
		differ(pair,
		       "operation %u of a program, number %u, flags %#llx, key %u: kernel %lld "
		       "(sum "
		       "%llu), skep %lld (sum %llu)",
		       asked[i].op, asked[i].number, (unsigned long long)asked[i].flags,
		       asked[i].key[0], (long long)done[0][i].result,
		       (unsigned long long)done[0][i].sum, (long long)done[1][i].result,
		       (unsigned long long)done[1][i].sum);
		return;
	}
}

bool program_touch(struct pair *pair, u32 nr, u8 (*keys)[KEY_MAX])
{
	static struct entry entries[SIDES][SCRIPT_LEN];
	bool found = true;
	u32 i;
	int side;

	if (pair->progs[0] < 0 || !(pair->script_ops & OPS(OP_LOOKUP)) || nr > SCRIPT_LEN)
		return false;
	for (side = 0; side < SIDES; side++) {
		memset(entries[side], 0, sizeof(entries[side]));
		for (i = 0; i < nr; i++) {
			entries[side][i].op = OP_LOOKUP;
			memcpy(entries[side][i].key, keys[i], KEY_MAX);
		}
		run_side(pair, side, entries[side]);
		for (i = 0; i < nr; i++) {
			if (entries[side][i].result)
				differ(pair, "side %d: key %u that programs look up is gone", side,
				       entries[side][i].key[0]);
			found = found && !entries[side][i].result;
		}
	}
	pair->operations += nr;
	return found;
}
