/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arguments of helpers: for each type of the prototypes in src/abi which registers fit, and how far
 * the helper reaches through them.
 */
#include "verify/helper.h"

#include <errno.h>
#include <string.h>

#include "abi/helper.h"
#include "verify/async.h"
#include "verify/backtrack.h"
#include "verify/btf_ptr.h"
#include "verify/graph.h"
#include "verify/helper_call.h"
#include "verify/lock.h"
#include "verify/mem.h"
#include "verify/operand.h"
#include "verify/slots.h"
#include "verify/socket.h"

#define SIZE_MAX_ALLOWED (1u << 29) /* BPF_MAX_VAR_SIZ */

#define FITS(type) (1u << (type))

struct arg_types {
	u32 fits; /* set of base types */
	const char *expected;
};

#define MEMORY_FITS                                                                            \
	(FITS(PTR_TO_STACK) | FITS(PTR_TO_PACKET) | FITS(PTR_TO_PACKET_META) |                 \
	 FITS(PTR_TO_MAP_KEY) | FITS(PTR_TO_MAP_VALUE) | FITS(PTR_TO_MEM) | FITS(PTR_TO_BUF) | \
	 FITS(PTR_TO_BTF_ID))
#define MEMORY_EXPECTED "fp, pkt, pkt_meta, map_key, map_value, mem, ringbuf_mem, buf, trusted_ptr_"

#define SOCKET_FITS                                                               \
	(FITS(PTR_TO_SOCK_COMMON) | FITS(PTR_TO_SOCKET) | FITS(PTR_TO_TCP_SOCK) | \
	 FITS(PTR_TO_XDP_SOCK))
#define SOCKET_EXPECTED "sock_common, sock, tcp_sock, xdp_sock"

static const struct arg_types arg_types[] = {
	[ARG_CONST_MAP_PTR] = { FITS(CONST_PTR_TO_MAP), "map_ptr" },
	[ARG_PTR_TO_MAP_KEY] = { MEMORY_FITS, MEMORY_EXPECTED },
	[ARG_PTR_TO_MAP_VALUE] = { MEMORY_FITS, MEMORY_EXPECTED },
	[ARG_PTR_TO_MEM] = { MEMORY_FITS, MEMORY_EXPECTED },
	[ARG_CONST_SIZE] = { FITS(SCALAR_VALUE), "scalar" },
	[ARG_CONST_SIZE_OR_ZERO] = { FITS(SCALAR_VALUE), "scalar" },
	[ARG_CONST_ALLOC_SIZE_OR_ZERO] = { FITS(SCALAR_VALUE), "scalar" },
	[ARG_PTR_TO_CTX] = { FITS(PTR_TO_CTX), "ctx" },
	[ARG_PTR_TO_SOCK_COMMON] = { SOCKET_FITS, SOCKET_EXPECTED },
	[ARG_PTR_TO_SOCKET] = { FITS(PTR_TO_SOCKET) | FITS(PTR_TO_BTF_ID),
				"sock, ptr_, trusted_ptr_" },
	[ARG_PTR_TO_BTF_ID_SOCK_COMMON] = { SOCKET_FITS | FITS(PTR_TO_BTF_ID),
					    SOCKET_EXPECTED ", ptr_, trusted_ptr_" },
	[ARG_PTR_TO_RINGBUF_MEM] = { FITS(PTR_TO_MEM), "ringbuf_mem" },
	[ARG_PTR_TO_FUNC] = { FITS(PTR_TO_FUNC), "func" },
	[ARG_PTR_TO_STACK] = { FITS(PTR_TO_STACK), "fp" },
	[ARG_PTR_TO_CONST_STR] = { FITS(PTR_TO_MAP_VALUE), "map_value" },
	[ARG_PTR_TO_SPIN_LOCK] = { FITS(PTR_TO_MAP_VALUE) | FITS(PTR_TO_BTF_ID),
				   "map_value, ptr_" },
	[ARG_KPTR_XCHG_DEST] = { FITS(PTR_TO_MAP_VALUE) | FITS(PTR_TO_BTF_ID), "map_value, ptr_" },
	[ARG_PTR_TO_PERCPU_BTF_ID] = { FITS(PTR_TO_BTF_ID),
				       "percpu_ptr_, percpu_rcu_ptr_, percpu_trusted_ptr_" },
	[ARG_PTR_TO_TIMER] = { FITS(PTR_TO_MAP_VALUE), "map_value" },
	[ARG_PTR_TO_DYNPTR] = { FITS(PTR_TO_STACK) | FITS(CONST_PTR_TO_DYNPTR), "fp, dynptr_ptr" },
	[ARG_PTR_TO_BTF_ID] = { FITS(PTR_TO_BTF_ID), "ptr_, trusted_ptr_, rcu_ptr_" },
};

/* Is it an argument for any memory? */
static bool is_memory(u16 arg)
{
	u32 base = arg & ABI_ARG_BASE_MASK;

	return base == ARG_PTR_TO_MAP_KEY || base == ARG_PTR_TO_MAP_VALUE || base == ARG_PTR_TO_MEM;
}

static bool type_fits(u32 type, u16 arg)
{
	const struct arg_types *types = &arg_types[arg & ABI_ARG_BASE_MASK];

	if (arg & ABI_ARG_MEM_RDONLY)
		type &= ~(u32)MEM_RDONLY;
	if (arg & ABI_ARG_MAYBE_NULL)
		type &= ~(u32)PTR_MAYBE_NULL;
	if (!(types->fits & FITS(reg_base(type))))
		return false;
	switch (arg & ABI_ARG_BASE_MASK) {
	case ARG_PTR_TO_SPIN_LOCK:
	case ARG_KPTR_XCHG_DEST:
		return type == PTR_TO_MAP_VALUE || type == (PTR_TO_BTF_ID | MEM_ALLOC);
	case ARG_PTR_TO_PERCPU_BTF_ID:
		type &= ~(u32)(type & MEM_RCU ? MEM_RCU : PTR_TRUSTED);
		return type == (PTR_TO_BTF_ID | MEM_PERCPU);
	}
	/* What bpf_kptr_xchg() puts into its place. */
	if (arg == (ARG_PTR_TO_BTF_ID | ABI_ARG_RELEASE | ABI_ARG_MAYBE_NULL) && type & MEM_ALLOC)
		type &= ~(u32)(MEM_ALLOC | MEM_PERCPU);
	if ((arg & ABI_ARG_BASE_MASK) == ARG_PTR_TO_BTF_ID)
		return type == PTR_TO_BTF_ID || type == (PTR_TO_BTF_ID | PTR_TRUSTED) ||
		       type == (PTR_TO_BTF_ID | MEM_RCU);
	/* Ring-buffer records: where memory is wanted, and only they where records are. */
	if ((arg & ABI_ARG_BASE_MASK) == ARG_PTR_TO_RINGBUF_MEM)
		return type == (PTR_TO_MEM | MEM_RINGBUF);
	if (reg_base(type) == PTR_TO_BTF_ID && is_memory(arg))
		return type == (PTR_TO_BTF_ID | PTR_TRUSTED);
	if (reg_base(type) == PTR_TO_BTF_ID)
		return !(type & ~(u32)(REG_BASE_MASK | PTR_TRUSTED));
	return !(type & ~(u32)(REG_BASE_MASK | MEM_RINGBUF));
}

static int check_arg_type(struct verify_env *env, u32 regno, u16 arg, const struct call_meta *meta)
{
	const struct reg *reg = &env_regs(env)[regno];
	u32 base = arg & ABI_ARG_BASE_MASK;

	if (base >= ARRAY_SIZE(arg_types) || !arg_types[base].fits)
		return verify_bug(env, "unsupported arg type %u", arg);
	if (type_fits(reg->type, arg)) {
		if (reg_base(reg->type) != PTR_TO_BTF_ID)
			return 0;
		if (base == ARG_PTR_TO_SOCKET || base == ARG_PTR_TO_BTF_ID_SOCK_COMMON)
			return socket_check_btf(env, regno, base);
		if (is_memory(arg) && !(arg & ABI_ARG_MEM_RDONLY)) {
			verbose(env, "bpf_%s() may write into memory pointed by R%u type=%s\n",
				meta->helper->name, regno, log_reg_type(reg->type));
			return -EACCES;
		}
		if (!meta->kptr || regno != BPF_REG_2)
			return 0;
		if (reg->type & PTR_MAYBE_NULL) {
			verbose(env, "Possibly NULL pointer passed to helper arg%u\n", regno);
			return -EACCES;
		}
		return kptr_match(env, meta->kptr, regno) ? -EACCES : 0;
	}
	verbose(env, "R%u type=%s expected=%s\n", regno, log_reg_type(reg->type),
		arg_types[base].expected);
	return -EACCES;
}

/* Which pointers may carry an offset when they are passed. */
int helper_check_offset(struct verify_env *env, u32 regno, bool releases)
{
	const struct reg *reg = &env_regs(env)[regno];

	if (releases) {
		if (reg->off) {
			verbose(env,
				"R%u must have zero offset when passed to release func or trusted "
				"arg to kfunc\n",
				regno);
			return -EINVAL;
		}
		return check_unmodified(env, regno, false);
	}
	/* Slices of dynptrs are told apart from other memory, and only go in as they were got. */
	if (reg_base(reg->type) == PTR_TO_MEM && reg->dynptr)
		return check_unmodified(env, regno, false);
	switch (reg->type) {
	case PTR_TO_STACK:
	case PTR_TO_PACKET:
	case PTR_TO_PACKET_META:
	case PTR_TO_MAP_KEY:
	case PTR_TO_MAP_VALUE:
	case PTR_TO_MEM:
	case PTR_TO_MEM | MEM_RDONLY:
	case PTR_TO_MEM | MEM_RINGBUF:
	case PTR_TO_BUF:
	case PTR_TO_BUF | MEM_RDONLY:
	case PTR_TO_ARENA:
	case SCALAR_VALUE: return 0;
	case PTR_TO_BTF_ID:
	case PTR_TO_BTF_ID | MEM_ALLOC:
	case PTR_TO_BTF_ID | PTR_TRUSTED:
	case PTR_TO_BTF_ID | MEM_RCU:
	case PTR_TO_BTF_ID | MEM_ALLOC | NON_OWN_REF:
	case PTR_TO_BTF_ID | MEM_ALLOC | NON_OWN_REF | MEM_RCU:
		return check_unmodified(env, regno, true);
	default: return check_unmodified(env, regno, false);
	}
}

static int check_arg_offset(struct verify_env *env, u32 regno, u16 arg)
{
	if ((arg & ABI_ARG_BASE_MASK) == ARG_PTR_TO_DYNPTR &&
	    env_regs(env)[regno].type == PTR_TO_STACK)
		return 0;
	return helper_check_offset(env, regno, arg & ABI_ARG_RELEASE);
}

int helper_check_btf_id(struct verify_env *env, u32 regno, const char *name, bool maybe_null)
{
	u16 arg = ARG_PTR_TO_BTF_ID | (maybe_null ? ABI_ARG_MAYBE_NULL : 0);
	const struct call_meta none = { .helper = NULL };
	int err;

	if (maybe_null && reg_is_null(&env_regs(env)[regno]))
		return 0;
	err = check_arg_type(env, regno, arg, &none);
	if (!err)
		err = btf_ptr_check_struct(env, regno, name);
	return err ? err : check_arg_offset(env, regno, arg);
}

int check_sized_memory(struct verify_env *env, u32 regno, bool write, bool zero_allowed,
		       bool *fills)
{
	const struct reg *reg = &env_regs(env)[regno];
	int err;

	if (!tnum_is_const(reg->s.var_off))
		fills = NULL;
	if (reg->s.smin < 0) {
		verbose(env, "R%u min value is negative, either use unsigned or 'var &= const'\n",
			regno);
		return -EACCES;
	}
	if (!reg->s.umin && !zero_allowed) {
		verbose(env, "R%u invalid zero-sized read: u64=[%lld,%lld]\n", regno,
			(long long)reg->s.umin, (long long)reg->s.umax);
		return -EACCES;
	}
	if (reg->s.umax >= SIZE_MAX_ALLOWED) {
		verbose(env,
			"R%u unbounded memory access, use 'var &= const' or 'if (var < const)'\n",
			regno);
		return -EACCES;
	}
	err = mem_helper_access(env, regno - 1, (int)reg->s.umax, write, zero_allowed, fills);
	return err ? err : mark_precise(env, regno);
}

static int check_size_arg(struct verify_env *env, u32 regno, struct call_meta *meta,
			  bool zero_allowed)
{
	u16 memory = meta->helper->arg[regno - 2];
	bool raw = memory & ABI_ARG_MEM_UNINIT, fills = false;
	int err;

	meta->size_max = env_regs(env)[regno].s.umax;
	/* The kernel lets helpers read what it has not found to be there. */
	if (env_regs(env)[regno - 1].type & PTR_MAYBE_NULL && meta->size_max) {
		verbose(env, "R%u may be null while R%u says that there is memory\n", regno - 1,
			regno);
		return -EACCES;
	}
	err = check_sized_memory(env, regno, raw || (memory & ABI_ARG_MEM_WRITE), zero_allowed,
				 raw ? &fills : NULL);
	if (fills) {
		meta->fill_regno = regno - 1;
		meta->fill_size = (int)env_regs(env)[regno].s.umax;
	}
	return err;
}

/* The value of a key that lies on the stack, if it is known; *ret_slot: what has to be precise for
 * it. */
static s64 constant_key(struct verify_env *env, const struct reg *reg, u32 key_size, int *ret_slot)
{
	const struct frame *frame;
	const struct slot *slot;
	u32 where, zeroes = 0, spilled = 0;
	int off;

	*ret_slot = -1;
	if (!env->capable || reg->type != PTR_TO_STACK || !tnum_is_const(reg->s.var_off))
		return -1;
	off = -(reg->off + (int)reg->s.var_off.value) - 1;
	frame = env_frame_of(env, reg);
	slot = frame_slot(frame, off / REG_SIZE);
	where = (u32)off % REG_SIZE;
	for (int i = where; i >= 0 && slot->byte[i] == SLOT_ZERO; i--)
		zeroes++;
	if (zeroes >= key_size)
		return 0;
	if (!slot_is_scalar(slot))
		return -1;
	for (int i = where; i >= 0 && slot->byte[i] == SLOT_SPILL; i--)
		spilled++;
	if (spilled != key_size || !scalar_is_const(&slot->spilled->s))
		return -1;
	*ret_slot = off / REG_SIZE;
	return (s64)slot->spilled->s.var_off.value;
}

static int check_key_arg(struct verify_env *env, u32 regno, struct call_meta *meta)
{
	const struct reg *reg = &env_regs(env)[regno];
	int slot, err;

	if (!meta->map) {
		verbose(env, "invalid map_ptr to access map->key\n");
		return -EACCES;
	}
	err = mem_helper_access(env, regno, meta->map->key_size, false, false, NULL);
	if (err ||
	    (meta->map->type != BPF_MAP_TYPE_ARRAY && meta->map->type != BPF_MAP_TYPE_PERCPU_ARRAY))
		return err;
	meta->const_key = constant_key(env, reg, meta->map->key_size, &slot);
	return slot < 0 ? 0 : mark_slot_precise(env, reg->frameno, slot);
}

int check_const_string(struct verify_env *env, u32 regno)
{
	const struct reg *reg = &env_regs(env)[regno];
	const struct verify_map *map = reg->map;
	u64 where;
	int err;

	if (!map->frozen || !(map->flags & BPF_F_RDONLY_PROG)) {
		verbose(env, "R%u does not point to a readonly map'\n", regno);
		return -EACCES;
	}
	if (!tnum_is_const(reg->s.var_off)) {
		verbose(env, "R%u is not a constant address'\n", regno);
		return -EACCES;
	}
	if (!map->frozen_values) {
		verbose(env, "no direct value access support for this map type\n");
		return -EACCES;
	}
	err = mem_helper_access(env, regno, (int)map->value_size - reg->off, false, false, NULL);
	if (err)
		return err;
	where = (u64)(s64)reg->off + reg->s.var_off.value;
	if (!memchr((const char *)map->frozen_values + where, 0, map->value_size - where)) {
		verbose(env, "string is not zero-terminated\n");
		return -EINVAL;
	}
	return 0;
}

/* The kind of dynptr that the helper makes or takes. */
static u32 dynptr_kind_of(u32 func_id)
{
	switch (func_id) {
	case BPF_FUNC_dynptr_from_mem: return DYNPTR_LOCAL;
	case BPF_FUNC_ringbuf_reserve_dynptr:
	case BPF_FUNC_ringbuf_submit_dynptr:
	case BPF_FUNC_ringbuf_discard_dynptr: return DYNPTR_RINGBUF;
	default: return DYNPTR_ANY;
	}
}

static int check_dynptr_arg(struct verify_env *env, u32 regno, u16 arg, struct call_meta *meta)
{
	const struct reg *dynptr;
	int err;

	if (arg & ABI_ARG_MEM_UNINIT)
		return dynptr_make(env, regno, dynptr_kind_of(meta->func_id), 0);
	err = dynptr_check(env, regno, dynptr_kind_of(meta->func_id));
	if (err)
		return err;
	dynptr = dynptr_of(env, regno);
	meta->dynptr_regno = regno;
	meta->dynptr = dynptr->dynptr;
	meta->dynptr_id = dynptr->id;
	meta->dynptr_ref_id = dynptr->ref_id;
	return 0;
}

/* A timer's map comes after the timer. */
static int check_map_arg(struct verify_env *env, u32 regno, struct call_meta *meta)
{
	const struct reg *reg = &env_regs(env)[regno];

	if (meta->map)
		return async_check_same_map(env, meta->map, meta->map_uid, regno, "timer");
	meta->map = reg->map;
	meta->map_uid = reg->map_uid;
	return 0;
}

/* Only objects of programs are there once for each CPU; what the kernel has so is not here. */
static int check_percpu(struct verify_env *env, u32 regno)
{
	const struct reg *reg = &env_regs(env)[regno];

	if (!btf_is_program(reg->btf)) {
		verbose(env, "the kernel's per-CPU variables are not available in user space\n");
		return -EACCES;
	}
	return object_note_type(env, reg->btf, reg->btf_id, OBJECT_NO_NODE);
}

static int check_lock_arg(struct verify_env *env, u32 regno, const struct call_meta *meta)
{
	if (callback_of_tree(env)) {
		verbose(env, "can't spin_{lock,unlock} in rbtree cb\n");
		return -EACCES;
	}
	return lock_check_argument(env, regno, REFERENCE_LOCK,
				   meta->func_id == BPF_FUNC_spin_unlock);
}

static int check_arg_use(struct verify_env *env, u32 regno, u16 arg, struct call_meta *meta)
{
	const struct reg *reg = &env_regs(env)[regno];
	bool raw = arg & ABI_ARG_MEM_UNINIT, fills = false;
	int err;

	switch (arg & ABI_ARG_BASE_MASK) {
	case ARG_CONST_MAP_PTR: return check_map_arg(env, regno, meta);
	case ARG_PTR_TO_MAP_KEY: return check_key_arg(env, regno, meta);
	case ARG_PTR_TO_MAP_VALUE:
		if (!meta->map) {
			verbose(env, "invalid map_ptr to access map->value\n");
			return -EACCES;
		}
		if (arg & ABI_ARG_MAYBE_NULL && reg_is_null(reg))
			return 0;
		/* What is asked of a Bloom filter is read; queues fill it. */
		raw = raw && meta->map->type != BPF_MAP_TYPE_BLOOM_FILTER;
		err = mem_helper_access(env, regno, (int)meta->map->value_size, raw, false,
					raw ? &fills : NULL);
		if (fills) {
			meta->fill_regno = regno;
			meta->fill_size = (int)meta->map->value_size;
		}
		return err;
	case ARG_PTR_TO_MEM:
		if (!(arg & ABI_ARG_FIXED_SIZE))
			return 0; /* with its size, the next argument */
		err = mem_helper_access(env, regno, meta->helper->arg_size[regno - 1],
					raw || (arg & ABI_ARG_MEM_WRITE), false,
					raw ? &fills : NULL);
		if (fills) {
			meta->fill_regno = regno;
			meta->fill_size = meta->helper->arg_size[regno - 1];
		}
		if (!err && (arg & ABI_ARG_ALIGNED))
			err = mem_check_alignment(env, regno, meta->helper->arg_size[regno - 1]);
		return err;
	case ARG_CONST_SIZE: return check_size_arg(env, regno, meta, false);
	case ARG_CONST_SIZE_OR_ZERO: return check_size_arg(env, regno, meta, true);
	case ARG_CONST_ALLOC_SIZE_OR_ZERO:
		if (!tnum_is_const(reg->s.var_off)) {
			verbose(env, "R%u is not a known constant'\n", regno);
			return -EACCES;
		}
		meta->mem_size = (u32)reg->s.var_off.value;
		return mark_precise(env, regno);
	case ARG_PTR_TO_FUNC: meta->subprog = reg->subprogno; return 0;
	case ARG_PTR_TO_CONST_STR: return check_const_string(env, regno);
	case ARG_PTR_TO_DYNPTR: return check_dynptr_arg(env, regno, arg, meta);
	case ARG_KPTR_XCHG_DEST:
		if (reg->type == PTR_TO_MAP_VALUE)
			meta->map = reg->map;
		return kptr_check_destination(env, regno, &meta->kptr);
	case ARG_PTR_TO_PERCPU_BTF_ID: return check_percpu(env, regno);
	case ARG_PTR_TO_SPIN_LOCK: return check_lock_arg(env, regno, meta);
	case ARG_PTR_TO_TIMER:
		err = field_check_place(env, regno, BTF_FIELD_TIMER);
		meta->map = reg->map;
		meta->map_uid = reg->map_uid;
		return err;
	default: return 0;
	}
}

/*
 * A null pointer that need not be precise: no helper looks at what a size of 0 belongs to, and the
 * size is precise. (A callback's context has to be: it becomes a number there.)
 */
static bool null_is_plain(const struct abi_helper *helper, u32 regno)
{
	u32 next = regno < 5 ? helper->arg[regno] & ABI_ARG_BASE_MASK : ARG_NONE;

	return next == ARG_CONST_SIZE || next == ARG_CONST_SIZE_OR_ZERO;
}

int helper_check_arg(struct verify_env *env, u32 regno, struct call_meta *meta)
{
	const struct reg *reg = &env_regs(env)[regno];
	u16 arg = meta->helper->arg[regno - 1];
	int err;

	if (arg == ARG_NONE)
		return 0;
	err = operand_read(env, regno);
	if (err)
		return err;
	if (arg == ARG_ANYTHING) {
		if (!reg_is_secret(env, reg))
			return 0;
		verbose(env, "R%u leaks addr into helper function\n", regno);
		return -EACCES;
	}
	/* What is put into a map of sockets is one, not a value. */
	if ((arg & ABI_ARG_BASE_MASK) == ARG_PTR_TO_MAP_VALUE && meta->map && takes_sockets(meta)) {
		if (arg != ARG_PTR_TO_MAP_VALUE) {
			verbose(env, "invalid arg_type for sockmap/sockhash\n");
			return -EINVAL;
		}
		arg = ARG_PTR_TO_BTF_ID_SOCK_COMMON;
	}
	if (reg_is_packet(reg) && !meta->helper->pkt_access) {
		verbose(env, "helper access to the packet is not allowed\n");
		return -EACCES;
	}
	if (reg_is_null(reg) && (arg & ABI_ARG_MAYBE_NULL)) {
		err = null_is_plain(meta->helper, regno) ? 0 : mark_precise_quietly(env, regno);
	} else {
		err = check_arg_type(env, regno, arg, meta);
		/* bpf_kptr_xchg() takes what fits its place. */
		if (!err && (arg & ABI_ARG_BASE_MASK) == ARG_PTR_TO_BTF_ID && !meta->kptr)
			err = btf_ptr_check_struct(env, regno, meta->helper->arg_struct[regno - 1]);
		if (!err)
			err = check_arg_offset(env, regno, arg);
	}
	if (err)
		return err;
	if ((arg & ABI_ARG_RELEASE) && (arg & ABI_ARG_BASE_MASK) == ARG_PTR_TO_DYNPTR) {
		err = dynptr_check_release(env, regno);
		if (err)
			return err;
		meta->release_regno = regno;
	} else if (arg & ABI_ARG_RELEASE) {
		if (!reg->ref_id && !reg_is_null(reg)) {
			verbose(env, "R%u must be referenced when passed to release function\n",
				regno);
			return -EINVAL;
		}
		meta->release_regno = regno;
	}
	if (reg->ref_id && (arg & ABI_ARG_BASE_MASK) != ARG_KPTR_XCHG_DEST) {
		if (meta->ref_id)
			return verify_bug(env, "more than one arg with ref_obj_id R%u %u %u", regno,
					  reg->ref_id, meta->ref_id);
		meta->ref_id = reg->ref_id;
	}
	return check_arg_use(env, regno, arg, meta);
}
