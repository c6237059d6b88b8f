/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Prints verifier states as Linux 6.18 does (kernel/bpf/log.c): tools and people read these lines,
 * so spacing, order and number bases follow the kernel's exactly.
 */
#include "abi/kfunc.h"
#include "verify/btf_ptr.h"
#include "verify/slots.h"

#include <inttypes.h>
#include <stdio.h>

#define COLUMN_STATE 40 /* where "; R0=..." begins behind an instruction */

static const char *const type_names[] = {
	[NOT_INIT] = "?",
	[SCALAR_VALUE] = "scalar",
	[PTR_TO_CTX] = "ctx",
	[CONST_PTR_TO_MAP] = "map_ptr",
	[PTR_TO_MAP_VALUE] = "map_value",
	[PTR_TO_MAP_KEY] = "map_key",
	[PTR_TO_STACK] = "fp",
	[PTR_TO_PACKET_META] = "pkt_meta",
	[PTR_TO_PACKET] = "pkt",
	[PTR_TO_PACKET_END] = "pkt_end",
	[PTR_TO_FLOW_KEYS] = "flow_keys",
	[PTR_TO_SOCKET] = "sock",
	[PTR_TO_SOCK_COMMON] = "sock_common",
	[PTR_TO_TCP_SOCK] = "tcp_sock",
	[PTR_TO_XDP_SOCK] = "xdp_sock",
	[PTR_TO_MEM] = "mem",
	[PTR_TO_FUNC] = "func",
	[PTR_TO_BTF_ID] = "ptr_",
	[CONST_PTR_TO_DYNPTR] = "dynptr_ptr",
	[PTR_TO_BUF] = "buf",
	[PTR_TO_TP_BUFFER] = "tp_buffer",
	[PTR_TO_ARENA] = "arena",
};

const char *log_reg_type(u32 type)
{
	static _Thread_local char text[2][64];
	static _Thread_local unsigned turn;
	char *out = text[turn++ & 1];

	snprintf(out, sizeof(text[0]), "%s%s%s%s%s%s%s%s%s", type & MEM_RDONLY ? "rdonly_" : "",
		 type & MEM_RINGBUF ? "ringbuf_" : "", type & MEM_USER ? "user_" : "",
		 type & MEM_PERCPU ? "percpu_" : "", type & MEM_RCU ? "rcu_" : "",
		 type & PTR_UNTRUSTED ? "untrusted_" : "", type & PTR_TRUSTED ? "trusted_" : "",
		 type_names[reg_base(type)],
		 !(type & PTR_MAYBE_NULL)	   ? ""
		 : reg_base(type) == PTR_TO_BTF_ID ? "or_null_"
						   : "_or_null");
	return out;
}

const char *log_tnum(char *buffer, struct tnum a)
{
	if (a.mask)
		snprintf(buffer, 64, "(0x%" PRIx64 "; 0x%" PRIx64 ")", a.value, a.mask);
	else
		snprintf(buffer, 64, a.value <= UINT16_MAX ? "%" PRIu64 : "0x%" PRIx64, a.value);
	return buffer;
}

/* Small numbers in decimal, others in hexadecimal. */
static void print_unsigned(struct verify_env *env, u64 value)
{
	verbose(env, value <= UINT16_MAX ? "%" PRIu64 : "0x%" PRIx64, value);
}

static bool is_small(s64 value)
{
	return value >= INT16_MIN && value <= INT16_MAX;
}

static void print_signed(struct verify_env *env, s64 value)
{
	verbose(env, is_small(value) ? "%" PRId64 : "0x%" PRIx64, value);
}

struct bound {
	const char *name;
	u64 value;
	bool is_signed, omit;
};

/* Equal bounds are joined: "smin=umin=5". Upper bounds join upper ones, lower ones lower ones. */
static void print_bounds(struct verify_env *env, const struct scalar *s, const char **sep)
{
	struct bound bounds[] = {
		{ "smin", s->smin, true, s->smin == INT64_MIN },
		{ "smax", s->smax, true, s->smax == INT64_MAX },
		{ "umin", s->umin, false, s->umin == 0 },
		{ "umax", s->umax, false, s->umax == UINT64_MAX },
		{ "smin32", is_small(s->smin32) ? (u64)(s64)s->smin32 : (u32)s->smin32, true,
		  s->smin32 == INT32_MIN },
		{ "smax32", is_small(s->smax32) ? (u64)(s64)s->smax32 : (u32)s->smax32, true,
		  s->smax32 == INT32_MAX },
		{ "umin32", s->umin32, false, s->umin32 == 0 },
		{ "umax32", s->umax32, false, s->umax32 == UINT32_MAX },
	};

	for (u32 i = 0; i < ARRAY_SIZE(bounds); i++) {
		struct bound *first = &bounds[i];
		bool negative = first->is_signed && (s64)first->value < 0;

		if (first->omit)
			continue;
		verbose(env, "%s%s=", *sep, first->name);
		*sep = ",";
		for (u32 j = i + 2; j < ARRAY_SIZE(bounds); j += 2) {
			struct bound *other = &bounds[j];

			if (other->omit || other->value != first->value ||
			    (other->is_signed && (s64)other->value < 0) != negative)
				continue;
			other->omit = true;
			verbose(env, "%s=", other->name);
		}
		if (first->is_signed)
			print_signed(env, first->value);
		else
			print_unsigned(env, first->value);
	}
}

static void separate(struct verify_env *env, const char **sep)
{
	verbose(env, "%s", *sep);
	*sep = ",";
}

static void print_pointer_attributes(struct verify_env *env, const struct reg *reg,
				     const char **sep)
{
	u32 base = reg_base(reg->type);

	if (reg->ref_id) {
		separate(env, sep);
		verbose(env, "ref_obj_id=%u", reg->ref_id);
	}
	if (reg->type & NON_OWN_REF) {
		separate(env, sep);
		verbose(env, "non_own_ref");
	}
	if (base == CONST_PTR_TO_MAP || base == PTR_TO_MAP_VALUE || base == PTR_TO_MAP_KEY) {
		if (reg->map->name[0]) {
			separate(env, sep);
			verbose(env, "map=%.*s", BPF_OBJ_NAME_LEN, reg->map->name);
		}
		separate(env, sep);
		verbose(env, "ks=%u,vs=%u", reg->map->key_size, reg->map->value_size);
	}
	if (reg->type != SCALAR_VALUE && reg->off) {
		separate(env, sep);
		verbose(env, "off=");
		print_signed(env, reg->off);
	}
	if (reg->type == CONST_PTR_TO_DYNPTR) {
		separate(env, sep);
		verbose(env, "type=%s", dynptr_kind_name(reg->dynptr));
	}
	if (reg_is_packet(reg)) {
		separate(env, sep);
		verbose(env, "r=");
		print_unsigned(env, reg->range);
	}
	if (base == PTR_TO_MEM) {
		separate(env, sep);
		verbose(env, "sz=");
		print_unsigned(env, (u32)reg->range);
	}
}

static void print_reg(struct verify_env *env, const struct frame *frame, const struct reg *reg,
		      bool precise)
{
	const char *sep = "";

	if (reg->type == SCALAR_VALUE && precise)
		verbose(env, "P");
	if (reg_is_const(reg)) {
		print_signed(env, reg->s.var_off.value);
		return;
	}
	verbose(env, "%s", log_reg_type(reg->type));
	if (reg->type == PTR_TO_ARENA)
		return;
	if (reg_base(reg->type) == PTR_TO_BTF_ID)
		verbose(env, "%s", btf_ptr_type_name(reg));
	if (reg->type == PTR_TO_STACK) {
		if (frame->frameno != reg->frameno)
			verbose(env, "[%u]", reg->frameno);
		if (tnum_is_const(reg->s.var_off)) {
			print_signed(env, reg->s.var_off.value + reg->off);
			return;
		}
	}
	verbose(env, "(");
	if (reg->id) {
		separate(env, &sep);
		verbose(env, "id=%u", reg->id & ~ID_ADD_CONST);
	}
	if (reg->id & ID_ADD_CONST)
		verbose(env, "%+d", reg->off);
	print_pointer_attributes(env, reg, &sep);
	if (tnum_is_const(reg->s.var_off)) {
		if (reg->s.var_off.value) {
			separate(env, &sep);
			verbose(env, "imm=");
			print_signed(env, reg->s.var_off.value);
		}
	} else {
		print_bounds(env, &reg->s, &sep);
		if (reg->s.var_off.mask != UINT64_MAX) {
			char text[64];

			separate(env, &sep);
			verbose(env, "var_off=%s", log_tnum(text, reg->s.var_off));
		}
	}
	verbose(env, ")");
}

void log_reg(struct verify_env *env, const struct frame *frame, const struct reg *reg)
{
	print_reg(env, frame, reg, reg->precise);
}

/* An object on the stack is printed where it begins. */
static void print_object(struct verify_env *env, const struct slot *slot, int off)
{
	static const char *const states[] = {
		[ITER_STATE_NONE] = "<invalid>",
		[ITER_STATE_ACTIVE] = "active",
		[ITER_STATE_DRAINED] = "drained",
	};
	const struct reg *reg = slot->spilled;
	const char *sep = "";

	if (!reg->first_slot)
		return;
	if (slot->byte[0] == SLOT_ITER) {
		verbose(env, " fp%d=iter_%s(ref_id=%u,state=%s,depth=%u)", off,
			abi_iter_kind(reg->iter)->name, reg->ref_id, states[reg->iter_state],
			reg->iter_depth);
		return;
	}
	verbose(env, " fp%d=dynptr_%s(", off, dynptr_kind_name(reg->dynptr));
	if (reg->id) {
		separate(env, &sep);
		verbose(env, "id=%u", reg->id);
	}
	if (reg->ref_id) {
		separate(env, &sep);
		verbose(env, "ref_id=%u", reg->ref_id);
	}
	/* 6.18 shows its mark of the first slot under this name, whatever the id. */
	separate(env, &sep);
	verbose(env, "dynptr_id=1)");
}

static void print_slot(struct verify_env *env, const struct frame *frame, u32 index)
{
	static const char letters[] = {
		[SLOT_INVALID] = '?', [SLOT_SPILL] = 'r', [SLOT_MISC] = 'm', [SLOT_ZERO] = '0',
		[SLOT_DYNPTR] = 'd',  [SLOT_ITER] = 'i',  [SLOT_IRQ] = 'f',
	};
	const struct slot *slot = frame_slot(frame, index);
	char bytes[REG_SIZE + 1];
	bool valid = false;

	for (u32 i = 0; i < REG_SIZE; i++) {
		valid |= slot->byte[i] != SLOT_INVALID;
		bytes[i] = letters[slot->byte[i]];
	}
	bytes[REG_SIZE] = '\0';
	if (!valid)
		return;
	if (slot->byte[REG_SIZE - 1] == SLOT_DYNPTR || slot->byte[REG_SIZE - 1] == SLOT_ITER) {
		print_object(env, slot, -(int)(index + 1) * REG_SIZE);
		return;
	}
	if (!slot_is_spill(slot)) {
		verbose(env, " fp%d=%s", -(int)(index + 1) * REG_SIZE, bytes);
		return;
	}
	/* What lies beside a narrow spill is shown, then the spilled register. */
	for (u32 i = 0; i < REG_SIZE; i++) {
		if (slot->byte[i] == SLOT_SPILL) {
			bytes[i] = '\0';
			break;
		}
	}
	verbose(env, " fp%d=%s", -(int)(index + 1) * REG_SIZE, bytes);
	print_reg(env, frame, slot->spilled, slot_is_precise(frame, index));
}

static void clear_scratched(struct verify_env *env)
{
	env->scratched_regs = 0;
	env->scratched_slots = 0;
}

void log_scratch_all(struct verify_env *env)
{
	env->scratched_regs = ~0u;
	env->scratched_slots = ~0ULL;
}

/* Locks of global data have no id, and then the kernel prints none. */
static void log_references(struct verify_env *env, const struct vstate *state)
{
	if (!state->nr_refs || !state->refs[0].id)
		return;
	for (u32 i = 0; i < state->nr_refs; i++)
		if (state->refs[i].id)
			verbose(env, "%s%u", i ? "," : " refs=", state->refs[i].id);
}

void log_frame(struct verify_env *env, const struct vstate *state, u32 frameno, bool all)
{
	const struct frame *frame = state->frame[frameno];

	if (!env->input->log.level)
		return;
	if (frame->frameno)
		verbose(env, " frame%u:", frame->frameno);
	for (u32 i = 0; i < MAX_REG; i++) {
		if (frame->regs[i].type == NOT_INIT)
			continue;
		if (!all && !(env->scratched_regs & (1u << i)))
			continue;
		verbose(env, " R%u=", i);
		print_reg(env, frame, &frame->regs[i], frame->regs[i].precise);
	}
	for (u32 i = 0; i < frame->nr_slots; i++)
		if (all || (env->scratched_slots & (1ULL << i)))
			print_slot(env, frame, i);
	log_references(env, state);
	if (frame->in_callback)
		verbose(env, " cb");
	if (frame->in_async)
		verbose(env, " async_cb");
	verbose(env, "\n");
	if (!all)
		clear_scratched(env);
}

/* Columns to skip behind an instruction of length bytes: at least 4, up to a multiple of 8, at
 * least 40. */
static int column_gap(u64 length)
{
	u64 column = length + 4 > COLUMN_STATE ? length + 4 : COLUMN_STATE;

	return (int)(ALIGN_UP(column, 8ULL) - length - 1);
}

void log_insn_state(struct verify_env *env, const struct vstate *state, u32 frameno)
{
	if (env->prev_log_pos && env->prev_log_pos == log_pos(&env->log)) {
		/* Back over the newline of the instruction, onto its line. */
		log_rewind(env, env->prev_log_pos - 1);
		verbose(env, "%*c;", column_gap(env->prev_insn_length), ' ');
	} else {
		verbose(env, "%u:", env->insn_idx);
	}
	log_frame(env, state, frameno, false);
}
