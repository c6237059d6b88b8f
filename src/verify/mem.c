/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory accesses other than the stack's. Each pointer type says how large its object is and who
 * may write; map values that can never change again give constants.
 */
#include "verify/mem.h"

#include <errno.h>
#include <string.h>

#include "btf/fields.h"
#include "btf/btf.h"
#include "isa/opcode.h"
#include "verify/btf_ptr.h"
#include "verify/context.h"
#include "verify/kernel_memory.h"
#include "verify/map_ptr.h"
#include "verify/object.h"
#include "verify/operand.h"
#include "verify/packet.h"
#include "verify/stack.h"

#define PACKET_ALIGN 2 /* the kernel assumes IP headers at 2 modulo 4 */

void reg_invalidate(struct verify_env *env, struct reg *reg)
{
	if (env->allow_ptr_leaks)
		env_set_unknown(env, reg);
	else
		reg_set_not_init(reg);
}

static int check_alignment(struct verify_env *env, const struct reg *reg, int off, int size,
			   bool strict)
{
	const char *what = "";
	struct tnum where;
	char text[64];

	strict |= env->strict_alignment;
	switch (reg->type) {
	case PTR_TO_ARENA: return 0;
	case PTR_TO_PACKET:
	case PTR_TO_PACKET_META:
		where = tnum_add(reg->s.var_off,
				 tnum_const((u64)(s64)(PACKET_ALIGN + reg->off + off)));
		if (!strict || size == 1 || tnum_is_aligned(where, size))
			return 0;
		verbose(env, "misaligned packet access off %d+%s+%d+%d size %d\n", PACKET_ALIGN,
			log_tnum(text, reg->s.var_off), reg->off, off, size);
		return -EACCES;
	case PTR_TO_MAP_KEY: what = "key "; break;
	case PTR_TO_MAP_VALUE: what = "value "; break;
	case PTR_TO_CTX: what = "context "; break;
	case PTR_TO_FLOW_KEYS: what = "flow keys "; break;
	case PTR_TO_SOCKET: what = "sock "; break;
	case PTR_TO_SOCK_COMMON: what = "sock_common "; break;
	case PTR_TO_TCP_SOCK: what = "tcp_sock "; break;
	case PTR_TO_XDP_SOCK: what = "xdp_sock "; break;
	case PTR_TO_STACK:
		what = "stack ";
		strict = true;
		break;
	}
	if (!strict || size == 1)
		return 0;
	where = tnum_add(reg->s.var_off, tnum_const((u64)((s64)reg->off + off)));
	if (tnum_is_aligned(where, size))
		return 0;
	verbose(env, "misaligned %saccess off %s+%d+%d size %d\n", what,
		log_tnum(text, reg->s.var_off), reg->off, off, size);
	return -EACCES;
}

int mem_check_alignment(struct verify_env *env, u32 regno, int size)
{
	return check_alignment(env, &env_regs(env)[regno], 0, size, true);
}

/* One offset against the object's size. */
static int check_offset(struct verify_env *env, u32 regno, s64 off, int size, u32 object_size,
			bool zero_allowed)
{
	const struct reg *reg = &env_regs(env)[regno];

	if (off >= 0 && (size > 0 || (!size && zero_allowed)) && (u64)off + size <= object_size)
		return 0;
	switch (reg->type) {
	case PTR_TO_MAP_KEY:
		verbose(env, "invalid access to map key, key_size=%u off=%d size=%d\n", object_size,
			(int)off, size);
		break;
	case PTR_TO_MAP_VALUE:
		verbose(env, "invalid access to map value, value_size=%u off=%d size=%d\n",
			object_size, (int)off, size);
		break;
	case PTR_TO_PACKET:
	case PTR_TO_PACKET_META:
		verbose(env, "invalid access to packet, off=%d size=%d, R%u(id=%u,off=%d,r=%u)\n",
			(int)off, size, regno, reg->id, (int)off, object_size);
		break;
	default:
		verbose(env, "invalid access to memory, mem_size=%u off=%d size=%d\n", object_size,
			(int)off, size);
	}
	return -EACCES;
}

/* Every place that the variable offset can reach. */
static int check_region(struct verify_env *env, u32 regno, int off, int size, u32 object_size,
			bool zero_allowed)
{
	const struct scalar *s = &env_regs(env)[regno].s;
	int err;

	if (s->smin < 0 &&
	    (s->smin == INT64_MIN || s->smin + off != (s32)(s->smin + off) || s->smin + off < 0)) {
		verbose(env,
			"R%u min value is negative, either use unsigned index or do a if (index "
			">=0) check.\n",
			regno);
		return -EACCES;
	}
	err = check_offset(env, regno, (s32)(s->smin + off), size, object_size, zero_allowed);
	if (err) {
		verbose(env, "R%u min value is outside of the allowed memory range\n", regno);
		return err;
	}
	if (s->umax >= MAX_VAR_OFF) {
		verbose(env,
			"R%u unbounded memory access, make sure to bounds check any such access\n",
			regno);
		return -EACCES;
	}
	err = check_offset(env, regno, (s64)s->umax + off, size, object_size, zero_allowed);
	if (err)
		verbose(env, "R%u max value is outside of the allowed memory range\n", regno);
	return err;
}

static int check_map_rights(struct verify_env *env, const struct verify_map *map, int off, int size,
			    bool write)
{
	u32 denied = write ? BPF_F_RDONLY_PROG : BPF_F_WRONLY_PROG;

	if (!(map->flags & denied))
		return 0;
	verbose(env,
		write ? "write into map forbidden, value_size=%u off=%d size=%d\n"
		      : "read from map forbidden, value_size=%u off=%d size=%d\n",
		map->value_size, off, size);
	return -EACCES;
}

static int check_packet_range(struct verify_env *env, u32 regno, int off, int size,
			      bool zero_allowed)
{
	const struct reg *reg = &env_regs(env)[regno];
	int err;

	if (reg->s.smin < 0) {
		verbose(env,
			"R%u min value is negative, either use unsigned index or do a if (index "
			">=0) check.\n",
			regno);
		return -EACCES;
	}
	err = reg->range < 0 ? -EINVAL
			     : check_offset(env, regno, off, size, reg->range, zero_allowed);
	if (err)
		verbose(env, "R%u offset is outside of the packet\n", regno);
	return err;
}

int check_unmodified(struct verify_env *env, u32 regno, bool fixed_allowed)
{
	const struct reg *reg = &env_regs(env)[regno];
	const char *type = log_reg_type(reg->type);
	char text[64];

	if (reg->off < 0) {
		verbose(env, "negative offset %s ptr R%u off=%d disallowed\n", type, regno,
			reg->off);
		return -EACCES;
	}
	if (!fixed_allowed && reg->off) {
		verbose(env, "dereference of modified %s ptr R%u off=%d disallowed\n", type, regno,
			reg->off);
		return -EACCES;
	}
	if (!tnum_is_zero(reg->s.var_off)) {
		verbose(env, "variable %s access var_off=%s disallowed\n", type,
			log_tnum(text, reg->s.var_off));
		return -EACCES;
	}
	return 0;
}

int mem_refuse_leak(struct verify_env *env, int value, bool write, const char *where)
{
	if (!write || value < 0 || !reg_is_secret(env, &env_regs(env)[value]))
		return 0;
	verbose(env, "R%d leaks addr into %s\n", value, where);
	return -EACCES;
}

void mem_load_unknown(struct verify_env *env, int value, bool write)
{
	if (!write && value >= 0)
		env_set_unknown(env, &env_regs(env)[value]);
}

static u64 read_little_endian(const u8 *from, int size, bool sign_extend)
{
	u64 value = 0;

	memcpy(&value, from, size);
	if (sign_extend)
		value = (u64)((s64)(value << (64 - 8 * size)) >> (64 - 8 * size));
	return value;
}

/* A pointer field of a value may be loaded and stored as a whole (kptr_access()). */
static int check_kptr_field(struct verify_env *env, const struct reg *reg,
			    const struct btf_field *field, int off, int size, bool direct)
{
	if (!direct) {
		verbose(env, "kptr cannot be accessed indirectly by helper\n");
		return -EACCES;
	}
	if (!tnum_is_const(reg->s.var_off)) {
		verbose(env, "kptr access cannot have variable offset\n");
		return -EACCES;
	}
	if (field->offset != (u64)off + reg->s.var_off.value) {
		verbose(env, "kptr access misaligned expected=%u off=%llu\n", field->offset,
			(unsigned long long)((u64)off + reg->s.var_off.value));
		return -EACCES;
	}
	if (size != REG_SIZE) {
		verbose(env, "kptr access size must be BPF_DW\n");
		return -EACCES;
	}
	return 0;
}

/* Special fields of a value are not for loads, stores and helpers that take memory. */
static int check_fields(struct verify_env *env, const struct reg *reg, int off, int size,
			bool direct)
{
	const struct btf_fields *fields = reg->map->fields;

	for (u32 i = 0; fields && i < fields->nr; i++) {
		const struct btf_field *field = &fields->field[i];

		if (reg->s.smin + off >= (s64)field->offset + field->size ||
		    (s64)field->offset >= (s64)reg->s.umax + off + size)
			continue;
		if (BTF_FIELD_BIT(field->kind) & BTF_FIELDS_KPTR) {
			int err = check_kptr_field(env, reg, field, off, size, direct);

			if (err)
				return err;
			continue;
		}
		verbose(env, "%s cannot be accessed directly by load/store\n",
			btf_field_name(field->kind));
		return -EACCES;
	}
	return 0;
}

static int access_map_value(struct verify_env *env, u32 regno, int off, int size, bool write,
			    int value, bool sign_extend)
{
	const struct reg *reg = &env_regs(env)[regno];
	const struct verify_map *map = reg->map;
	const struct btf_field *kptr = NULL;
	u32 final = BPF_F_RDONLY_PROG;
	int err = mem_refuse_leak(env, value, write, "map");

	if (!err)
		err = check_map_rights(env, map, off, size, write);
	if (!err)
		err = check_region(env, regno, off, size, map->value_size, false);
	if (!err)
		err = check_fields(env, reg, off, size, true);
	if (err)
		return err;
	if (map->fields && map->fields->kinds & BTF_FIELDS_KPTR && tnum_is_const(reg->s.var_off))
		kptr = fields_at(map->fields, (s64)reg->s.var_off.value + off, BTF_FIELDS_KPTR);
	if (kptr)
		return kptr_access(env, kptr, write, value);
	if (write || value < 0)
		return 0;
	/* 6.18 wants to know the value, and for an array of more than one it cannot. */
	if (map->frozen && (map->flags & final) && map->type == BPF_MAP_TYPE_ARRAY &&
	    map->max_entries != 1 && tnum_is_const(reg->s.var_off))
		return -524; /* ENOTSUPP */
	/* Nobody can change it any more: what is there is known. */
	if (map->frozen && (map->flags & final) && map->frozen_values &&
	    tnum_is_const(reg->s.var_off)) {
		u64 where = (u64)off + reg->s.var_off.value;

		reg_set_const(&env_regs(env)[value],
			      read_little_endian((const u8 *)map->frozen_values + where, size,
						 sign_extend));
		return 0;
	}
	mem_load_unknown(env, value, write);
	return 0;
}

/* May memory of a program's own, whatever its size, be accessed so? */
static int check_mem_access(struct verify_env *env, u32 regno, bool write, int value)
{
	const struct reg *reg = &env_regs(env)[regno];

	if (reg->type & PTR_MAYBE_NULL) {
		verbose(env, "R%u invalid mem access '%s'\n", regno, log_reg_type(reg->type));
		return -EACCES;
	}
	if (write && (reg->type & MEM_RDONLY)) {
		verbose(env, "R%u cannot write into %s\n", regno, log_reg_type(reg->type));
		return -EACCES;
	}
	return mem_refuse_leak(env, value, write, "mem");
}

static int access_mem(struct verify_env *env, u32 regno, int off, int size, bool write, int value)
{
	int err = check_mem_access(env, regno, write, value);

	if (!err)
		err = check_region(env, regno, off, size, env_regs(env)[regno].range, false);
	if (!err)
		mem_load_unknown(env, value, write);
	return err;
}

static int access_buffer(struct verify_env *env, u32 regno, int off, int size, bool write,
			 int value)
{
	/* Numbers only: what a map holds is read by clients. */
	int err = check_mem_access(env, regno, write, value);

	if (!err)
		err = context_reach_buffer(env, regno, off, size);
	if (!err)
		mem_load_unknown(env, value, write);
	return err;
}

static int access_packet(struct verify_env *env, u32 regno, int off, int size, bool write,
			 int value)
{
	int err;

	if (write && !packet_may_write(env->input->prog_type)) {
		verbose(env, "cannot write into packet\n");
		return -EACCES;
	}
	err = mem_refuse_leak(env, value, write, "packet");
	if (!err)
		err = check_packet_range(env, regno, off, size, false);
	env->writes_packet |= write;
	if (!err)
		mem_load_unknown(env, value, write);
	return err;
}

static int access_by_type(struct verify_env *env, u32 regno, int off, int size, bool write,
			  int value, bool sign_extend)
{
	const struct reg *reg = &env_regs(env)[regno];
	int err;

	if (reg_type_is_probed(reg->type) || reg_base(reg->type) == PTR_TO_BTF_ID)
		return btf_ptr_access(env, regno, off, size, write, value);
	if (reg_base(reg->type) == PTR_TO_BUF)
		return access_buffer(env, regno, off, size, write, value);
	if (reg_base(reg->type) == PTR_TO_MEM)
		return access_mem(env, regno, off, size, write, value);
	switch (reg->type) {
	case PTR_TO_MAP_KEY:
		if (write) {
			verbose(env, "write to change key R%u not allowed\n", regno);
			return -EACCES;
		}
		err = check_region(env, regno, off, size, reg->map->key_size, false);
		if (!err)
			mem_load_unknown(env, value, write);
		return err;
	case PTR_TO_MAP_VALUE:
		if (reg->map->inner)
			return verify_bug(env, "a slot of a map of maps as memory");
		return access_map_value(env, regno, off, size, write, value, sign_extend);
	case PTR_TO_CTX: return context_access(env, regno, off, size, write, value, sign_extend);
	case PTR_TO_STACK:
		err = stack_in_bounds(env, regno, off, size, write);
		if (err)
			return err;
		return write ? stack_store(env, regno, off, size, value)
			     : stack_load(env, regno, off, size, value);
	case PTR_TO_PACKET:
	case PTR_TO_PACKET_META: return access_packet(env, regno, off, size, write, value);
	case PTR_TO_FLOW_KEYS: return context_access_flow_keys(env, off, size, write, value);
	case PTR_TO_SOCKET:
	case PTR_TO_SOCK_COMMON:
	case PTR_TO_TCP_SOCK:
	case PTR_TO_XDP_SOCK: return context_access_socket(env, regno, off, size, write, value);
	case PTR_TO_TP_BUFFER: return context_access_tp_buffer(env, regno, off, size, write, value);
	case CONST_PTR_TO_MAP: return map_ptr_access(env, regno, off, size, write, value);
	case PTR_TO_ARENA: mem_load_unknown(env, value, write); return 0;
	default:
		verbose(env, "R%u invalid mem access '%s'\n", regno, log_reg_type(reg->type));
		return -EACCES;
	}
}

int mem_access(struct verify_env *env, u32 regno, int off, int size, bool write, int value,
	       bool strict, bool sign_extend)
{
	struct reg *reg = &env_regs(env)[regno], *dst;
	int err = check_alignment(env, reg, off, size, strict);

	if (err)
		return err;
	err = access_by_type(env, regno, off + reg->off, size, write, value, sign_extend);
	if (err || write || value < 0 || size == REG_SIZE)
		return err;
	dst = &env_regs(env)[value];
	if (dst->type != SCALAR_VALUE)
		return 0;
	if (sign_extend) {
		/* Filled from a spilled register: the same number only if it is not negative now.
		 * The kernel forgets that. */
		if (dst->s.umax >= 1ULL << (8 * size - 1))
			unlink_scalar(dst);
		scalar_movsx(&dst->s, size, false);
	} else {
		scalar_truncate(&dst->s, size);
	}
	return 0;
}

static int helper_access_ctx(struct verify_env *env, u32 regno, int size, bool write,
			     bool zero_allowed)
{
	if (!size)
		return zero_allowed ? 0 : -EACCES;
	/* All of a free-form context may be read: its last byte stands for it. */
	return mem_access(env, regno, size - 1, 1, write, -1, false, false);
}

int mem_helper_access(struct verify_env *env, u32 regno, int size, bool write, bool zero_allowed,
		      bool *fills)
{
	const struct reg *reg = &env_regs(env)[regno];
	int err;

	switch (reg_type_is_probed(reg->type) ? PTR_TO_BTF_ID : reg_base(reg->type)) {
	case PTR_TO_PACKET:
	case PTR_TO_PACKET_META:
		return check_packet_range(env, regno, reg->off, size, zero_allowed);
	case PTR_TO_MAP_KEY:
	case PTR_TO_MEM:
		if (write && (reg->type & MEM_RDONLY || reg_base(reg->type) == PTR_TO_MAP_KEY)) {
			verbose(env, "R%u cannot write into %s\n", regno, log_reg_type(reg->type));
			return -EACCES;
		}
		if (reg_base(reg->type) == PTR_TO_MAP_KEY)
			return check_region(env, regno, reg->off, size, reg->map->key_size, false);
		return check_region(env, regno, reg->off, size, reg->range, zero_allowed);
	case PTR_TO_BUF:
		if (write && reg->type & MEM_RDONLY) {
			verbose(env, "R%u cannot write into %s\n", regno, log_reg_type(reg->type));
			return -EACCES;
		}
		return context_reach_buffer(env, regno, reg->off, size);
	case PTR_TO_MAP_VALUE:
		/* A slot of a map of maps is no memory, even where a helper takes null. */
		if (reg->map->inner)
			break;
		if (check_map_rights(env, reg->map, reg->off, size, write))
			return -EACCES;
		err = check_region(env, regno, reg->off, size, reg->map->value_size, zero_allowed);
		return err ? err : check_fields(env, reg, reg->off, size, false);
	case PTR_TO_STACK:
		return stack_initialized(env, regno, reg->off, size, zero_allowed, write, fills);
	case PTR_TO_CTX:
		if (env->ctx->free_form)
			return helper_access_ctx(env, regno, size, write, zero_allowed);
		break;
	case PTR_TO_BTF_ID:
		if (reg->type == (PTR_TO_BTF_ID | PTR_TRUSTED) && !write)
			return kernel_memory_check(env, regno, size);
		break;
	}
	if (zero_allowed && !size && reg_is_null(reg))
		return 0;
	verbose(env, "R%u type=%s expected=%s\n", regno, log_reg_type(reg->type),
		log_reg_type(PTR_TO_STACK));
	return -EACCES;
}
