/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Helper calls, driven by the prototypes of src/abi: for each argument type which registers fit and
 * how far the helper reaches through them.
 */
#include "verify/helper.h"

#include <errno.h>
#include <string.h>

#include "abi/helper.h"
#include "abi/struct_ops.h"
#include "abi/profile.h"
#include "verify/async.h"
#include "verify/backtrack.h"
#include "verify/btf_ptr.h"
#include "verify/callback.h"
#include "verify/call.h"
#include "verify/format.h"
#include "verify/graph.h"
#include "verify/map_use.h"
#include "verify/lock.h"
#include "verify/mem.h"
#include "verify/object.h"
#include "verify/operand.h"
#include "verify/packet.h"
#include "verify/section.h"
#include "verify/slots.h"
#include "verify/socket.h"

#define MAX_ERRNO	 4095
#define SIZE_MAX_ALLOWED (1u << 29) /* BPF_MAX_VAR_SIZ */

/* What the arguments told, for the checks after them. */
struct call_meta {
	const struct abi_helper *helper;
	u32 func_id;
	const struct verify_map *map;
	u32 map_uid;
	u32 release_regno, ref_id;
	u32 subprog;	/* callback */
	u32 fill_regno; /* stack memory that the helper fills: pointer and size */
	int fill_size;
	u32 mem_size;			     /* of the memory that it returns */
	u64 size_max;			     /* largest value of the last size argument */
	s64 const_key;			     /* of an array lookup, -1: not known */
	u32 dynptr_regno, dynptr, dynptr_id; /* the initialised dynptr: its kind and id */
	const struct btf_field *kptr;	     /* bpf_kptr_xchg(): what is exchanged */
};

bool helper_calls_back(s32 func_id)
{
	const struct abi_helper *helper = func_id < 0 ? NULL : abi_helper_find(func_id);

	if (async_is_helper(func_id))
		return false;
	for (u32 i = 0; helper && i < 5; i++)
		if ((helper->arg[i] & ABI_ARG_BASE_MASK) == ARG_PTR_TO_FUNC)
			return true;
	return false;
}

u32 helper_nr_args(const struct verify_env *env, s32 func_id)
{
	const struct abi_helper *helper =
		func_id < 0 ? NULL : abi_helper_for(func_id, env->input->prog_type);
	u32 nr = 0;

	/* Of one that it may not call nothing is known. */
	if (!helper || (!helper->available && helper->arg[0] == ARG_NONE) ||
	    !abi_helper_allowed((u32)func_id, env->input->prog_type,
				env->input->expected_attach_type))
		return 5;
	while (nr < 5 && helper->arg[nr] != ARG_NONE)
		nr++;
	return nr;
}

#define FITS(type) (1u << (type))

struct arg_types {
	u32 fits; /* set of base types */
	const char *expected;
};

#define MEMORY_FITS                                                            \
	(FITS(PTR_TO_STACK) | FITS(PTR_TO_PACKET) | FITS(PTR_TO_PACKET_META) | \
	 FITS(PTR_TO_MAP_KEY) | FITS(PTR_TO_MAP_VALUE) | FITS(PTR_TO_MEM) | FITS(PTR_TO_BUF))
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
	slot = &frame->slots[off / REG_SIZE];
	where = (u32)off % REG_SIZE;
	for (int i = where; i >= 0 && slot->byte[i] == SLOT_ZERO; i--)
		zeroes++;
	if (zeroes >= key_size)
		return 0;
	if (!slot_is_scalar(slot))
		return -1;
	for (int i = where; i >= 0 && slot->byte[i] == SLOT_SPILL; i--)
		spilled++;
	if (spilled != key_size || !scalar_is_const(&slot->spilled.s))
		return -1;
	*ret_slot = off / REG_SIZE;
	return (s64)slot->spilled.s.var_off.value;
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
	meta->ref_id = dynptr->ref_id;
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
	case ARG_PTR_TO_BTF_ID:
		/* bpf_kptr_xchg() takes what fits its place. */
		if (meta->kptr || (arg & ABI_ARG_MAYBE_NULL && reg_is_null(reg)))
			return 0;
		return btf_ptr_check_struct(env, regno, meta->helper->arg_struct[regno - 1]);
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

static bool takes_sockets(const struct call_meta *meta)
{
	return meta->map->type == BPF_MAP_TYPE_SOCKMAP || meta->map->type == BPF_MAP_TYPE_SOCKHASH;
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

static int check_arg(struct verify_env *env, u32 regno, struct call_meta *meta)
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
		/* Stricter than the kernel, whose log has nothing of it. */
		env->quiet = true;
		err = null_is_plain(meta->helper, regno) ? 0 : mark_precise(env, regno);
		env->quiet = false;
	} else {
		err = check_arg_type(env, regno, arg, meta);
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

/* Is the helper there for this program at all? */
static bool is_allowed(const struct verify_env *env, u32 func_id)
{
	if (env->struct_ops)
		return env->struct_ops->helpers && abi_struct_ops_helper(func_id);
	return abi_helper_allowed(func_id, env->input->prog_type, env->input->expected_attach_type);
}

/* Storage of sockets is not for those that could listen to that very storage, nor for programs that
 * are run by hand. */
static bool allowed_in_probe(const struct verify_env *env, u32 func_id)
{
	u32 type = env->input->prog_type;

	if ((func_id != BPF_FUNC_sk_storage_get && func_id != BPF_FUNC_sk_storage_delete) ||
	    (type != BPF_PROG_TYPE_TRACING && type != BPF_PROG_TYPE_SYSCALL))
		return true;
	if (env->input->target || type == BPF_PROG_TYPE_SYSCALL)
		return false;
	switch (env->input->expected_attach_type) {
	case BPF_TRACE_ITER:
	case BPF_TRACE_RAW_TP: return true;
	case BPF_TRACE_FENTRY:
	case BPF_TRACE_FEXIT:
		return env->attach_name && strncmp(env->attach_name, "bpf_sk_storage", 14) != 0;
	default: return false;
	}
}

static int find_helper(struct verify_env *env, s32 func_id, const struct abi_helper **ret_helper)
{
	const struct abi_helper *helper = func_id > 0 ? abi_helper_find(func_id) : NULL;

	if (!func_id) {
		verbose(env, "program of this type cannot use helper bpf_unspec#0\n");
		return -EINVAL;
	}
	if (!helper || !ENV_KERNEL_HAS(env, abi_since_helper((u32)func_id, 0))) {
		verbose(env, "invalid func unknown#%d\n", func_id);
		return -EINVAL;
	}
	if (!is_allowed(env, (u32)func_id) ||
	    !ENV_KERNEL_HAS(env, abi_since_helper((u32)func_id, env->input->prog_type))) {
		verbose(env, "unknown func bpf_%s#%d\n", helper->name, func_id);
		return -EINVAL;
	}
	helper = abi_helper_for((u32)func_id, env->input->prog_type);
	if (!env->input->gpl_compatible && helper->gpl_only) {
		verbose(env,
			"cannot call GPL-restricted function from non-GPL compatible program\n");
		return -EINVAL;
	}
	if (!abi_helper_available(helper, env->input->prog_type) &&
	    !(env->input->test_all_helpers && helper->arg[0] != ARG_NONE)) {
		verbose(env, "unknown func bpf_%s#%d\n", helper->name, func_id);
		return -EINVAL;
	}
	if (!allowed_in_probe(env, (u32)func_id)) {
		verbose(env, "helper call is not allowed in probe\n");
		return -EINVAL;
	}
	if (helper->might_sleep && !env->cur->sleepable) {
		verbose(env, "helper call might sleep in a non-sleepable prog\n");
		return -EINVAL;
	}
	*ret_helper = helper;
	return 0;
}

static bool changes_map(u32 func_id)
{
	return func_id == BPF_FUNC_map_update_elem || func_id == BPF_FUNC_map_delete_elem ||
	       func_id == BPF_FUNC_map_push_elem || func_id == BPF_FUNC_map_pop_elem;
}

/* Writes through a helper into maps that programs may not change; which map the call always gets.
 */
static int note_map(struct verify_env *env, const struct call_meta *meta)
{
	struct insn_aux *aux = &env->aux[env->insn_idx];

	if (!meta->map)
		return 0;
	if ((meta->map->flags & BPF_F_RDONLY_PROG) && changes_map(meta->func_id)) {
		verbose(env, "write into map forbidden\n");
		return -EACCES;
	}
	if (aux->map && aux->map != meta->map)
		aux->map_poisoned = true;
	aux->map = meta->map;
	return 0;
}

/* Only who is on a function can be told which one that is. */
static int check_func_ip(struct verify_env *env, const char *name)
{
	u32 type = env->input->prog_type;

	if (type == BPF_PROG_TYPE_KPROBE ||
	    (type == BPF_PROG_TYPE_TRACING && env->attach_is_function))
		return 0;
	if (type == BPF_PROG_TYPE_TRACING)
		verbose(env, "func bpf_%s#%d supported only for fentry/fexit/fmod_ret programs\n",
			name, BPF_FUNC_get_func_ip);
	else
		verbose(env, "func bpf_%s#%d not supported for program type %u\n", name,
			BPF_FUNC_get_func_ip, type);
	return -524; /* ENOTSUPP */
}

/* Such a loop is shown inlined, if it is always the same. */
static void note_loop(struct verify_env *env, u32 subprog)
{
	struct insn_aux *aux = &env->aux[env->insn_idx];
	bool same = reg_is_null(&env_regs(env)[BPF_REG_4]) &&
		    (aux->inlined == LOOP_UNSEEN || aux->loop_callback == subprog);

	aux->inlined = same && aux->inlined != LOOP_DIFFERENT ? LOOP_SAME : LOOP_DIFFERENT;
	aux->loop_callback = (u16)subprog;
}

static int note_tail_call_index(struct verify_env *env, const struct call_meta *meta)
{
	const struct reg *index = &env_regs(env)[BPF_REG_3];
	struct insn_aux *aux = &env->aux[env->insn_idx];

	if (meta->func_id != BPF_FUNC_tail_call)
		return 0;
	if (meta->map->type != BPF_MAP_TYPE_PROG_ARRAY) {
		verbose(env, "expected prog array map for tail call");
		return -EINVAL;
	}
	if (!reg_is_const(index) || index->s.var_off.value >= meta->map->max_entries) {
		aux->key_poisoned = true;
		return 0;
	}
	if (aux->const_key && aux->const_key != index->s.var_off.value + 1)
		aux->key_poisoned = true;
	aux->const_key = index->s.var_off.value + 1;
	return mark_precise(env, BPF_REG_3);
}

static int release_argument(struct verify_env *env, const struct call_meta *meta)
{
	int err;

	if (!meta->release_regno)
		return 0;
	/* Nothing is put into the place of what bpf_kptr_xchg() takes out. */
	if (reg_is_null(&env_regs(env)[meta->release_regno]))
		return 0;
	if (meta->kptr)
		err = kptr_give_away(env, meta->ref_id);
	else
		err = meta->dynptr_regno ? dynptr_release(env, meta->release_regno)
					 : slots_release_reference(env, meta->ref_id);
	if (err) {
		verbose(env, "func bpf_%s#%u reference has not been acquired before\n",
			meta->helper->name, meta->func_id);
		return -EINVAL;
	}
	return 0;
}

/* The kernel puts loops without flags and with one callback into the program: it wants to know. */
static int mark_loop_flags(struct verify_env *env, u32 subprog)
{
	struct insn_aux *aux = &env->aux[env->insn_idx];
	bool first = !aux->loop_subprog;

	if (aux->loop_not_plain)
		return 0;
	if (first)
		aux->loop_subprog = subprog;
	if (!reg_is_null(&env_regs(env)[BPF_REG_4])) {
		aux->loop_not_plain = true;
		return 0;
	}
	aux->loop_not_plain = aux->loop_subprog != subprog;
	return mark_precise(env, BPF_REG_4);
}

/* Checks that belong to single helpers. */
static int check_special(struct verify_env *env, const struct call_meta *meta)
{
	const struct reg *regs = env_regs(env);
	const struct reg *format = &regs[BPF_REG_3], *length = &regs[BPF_REG_5];
	u64 where;
	int err;

	if (meta->func_id == BPF_FUNC_dynptr_from_mem && regs[BPF_REG_1].type != PTR_TO_MAP_VALUE) {
		verbose(env, "Unsupported reg type %s for bpf_dynptr_from_mem data\n",
			log_reg_type(regs[BPF_REG_1].type));
		return -EACCES;
	}
	if (meta->func_id == BPF_FUNC_get_local_storage) {
		if (reg_is_null(&regs[BPF_REG_2])) /* the helper does not look at it */
			return 0;
		verbose(env, "get_local_storage() doesn't support non-zero flags\n");
		return -EINVAL;
	}
	if (meta->func_id == BPF_FUNC_timer_set_callback)
		return async_push(env, meta->map, meta->map_uid, meta->subprog, false);
	if (meta->func_id == BPF_FUNC_for_each_map_elem ||
	    meta->func_id == BPF_FUNC_user_ringbuf_drain)
		return callback_push(env, meta->func_id, meta->subprog, meta->map);
	if (meta->func_id == BPF_FUNC_loop) {
		note_loop(env, meta->subprog);
		/* The number of iterations says whether one more may come. */
		err = mark_loop_flags(env, meta->subprog);
		if (!err)
			err = mark_precise(env, BPF_REG_1);
		if (err)
			return err;
		if (vstate_frame(env->cur)->callback_depth < regs[BPF_REG_1].s.umax)
			return callback_push(env, meta->func_id, meta->subprog, NULL);
		vstate_frame(env->cur)->callback_depth = 0;
		if (env->input->log.level & LOG_LEVEL2)
			verbose(env, "frame%u bpf_loop iteration limit reached\n",
				env->cur->curframe);
		return 0;
	}
	if (meta->func_id == BPF_FUNC_tail_call)
		return check_resources_released(env, "tail_call");
	if (meta->func_id == BPF_FUNC_get_func_ip)
		return check_func_ip(env, meta->helper->name);
	if (meta->func_id != BPF_FUNC_snprintf)
		return 0;
	if (length->s.var_off.value % 8)
		return -EINVAL;
	where = (u64)(s64)format->off + format->s.var_off.value;
	if (!format_check((const char *)format->map->frozen_values + where,
			  length->s.var_off.value / 8)) {
		verbose(env, "Invalid format string\n");
		return -EINVAL;
	}
	return 0;
}

static void refine_result(struct verify_env *env, const struct call_meta *meta)
{
	struct scalar *s = &env_regs(env)[BPF_REG_0].s;
	u32 cpus = env->input->nr_cpus;

	switch (meta->func_id) {
	case BPF_FUNC_get_stack:
	case BPF_FUNC_probe_read_str:
	case BPF_FUNC_probe_read_kernel_str:
	case BPF_FUNC_probe_read_user_str:
		s->smax = (s64)meta->size_max;
		s->smax32 = (s32)meta->size_max;
		s->smin = -MAX_ERRNO;
		s->smin32 = -MAX_ERRNO;
		scalar_sync(s);
		break;
	case BPF_FUNC_get_smp_processor_id:
		if (!cpus)
			break;
		s->umax = cpus - 1;
		s->umax32 = cpus - 1;
		s->smax = cpus - 1;
		s->smax32 = (s32)cpus - 1;
		s->umin = s->umin32 = 0;
		s->smin = s->smin32 = 0;
		scalar_sync(s);
		break;
	}
}

/* A socket that is found in a map is a reference, too. */
static bool acquires(const struct call_meta *meta)
{
	return meta->func_id == BPF_FUNC_map_lookup_elem ? takes_sockets(meta)
							 : meta->helper->acquires;
}

/* The result's place among the references: a new one, or its argument's. */
static int note_reference(struct verify_env *env, const struct call_meta *meta)
{
	struct reg *r0 = &env_regs(env)[BPF_REG_0];

	if (r0->type & PTR_MAYBE_NULL)
		r0->id = ++env->id_gen;
	if (meta->helper->casts)
		r0->ref_id = meta->ref_id;
	if (!acquires(meta))
		return 0;
	r0->id = r0->ref_id = ++env->id_gen;
	return vstate_acquire_ref(env->cur, env->insn_idx, r0->ref_id);
}

/* bpf_per_cpu_ptr(), bpf_this_cpu_ptr(): an object of one CPU. */
static int set_percpu_result(struct verify_env *env, const struct call_meta *meta, u32 null)
{
	struct reg *r0 = &env_regs(env)[BPF_REG_0];
	const struct insn_aux *aux = &env->aux[env->insn_idx];

	reg_set_pointer(r0, PTR_TO_BTF_ID | MEM_ALLOC | MEM_RCU | null);
	r0->btf = aux->object_btf;
	r0->btf_id = aux->object_id;
	return note_reference(env, meta);
}

static int set_result(struct verify_env *env, const struct call_meta *meta)
{
	struct reg *r0 = &env_regs(env)[BPF_REG_0];
	u16 ret = meta->helper->ret;
	u32 null = ret & ABI_RET_MAYBE_NULL ? PTR_MAYBE_NULL : 0;
	int err;

	switch (ret & ABI_RET_BASE_MASK) {
	case RET_INTEGER:
		env_set_unknown(env, r0);
		refine_result(env, meta);
		return 0;
	case RET_VOID: return 0;
	case RET_PTR_TO_MAP_VALUE:
		if (!meta->map)
			return verify_bug(env, "helper without map returns a map value");
		/* An array element of a known index is there. */
		if (meta->func_id == BPF_FUNC_map_lookup_elem && meta->const_key >= 0 &&
		    meta->const_key < meta->map->max_entries)
			null = 0;
		reg_set_pointer(r0, PTR_TO_MAP_VALUE | null);
		r0->map = meta->map;
		r0->map_uid = meta->map_uid;
		if (!null && reg_may_have_lock(r0))
			r0->id = ++env->id_gen;
		return note_reference(env, meta);
	case RET_PTR_TO_RINGBUF_MEM:
		reg_set_pointer(r0, PTR_TO_MEM | MEM_RINGBUF | null);
		r0->range = (s32)meta->mem_size;
		return note_reference(env, meta);
	case RET_PTR_TO_SOCKET:
		reg_set_pointer(r0, PTR_TO_SOCKET | null);
		return note_reference(env, meta);
	case RET_PTR_TO_SOCK_COMMON:
		reg_set_pointer(r0, PTR_TO_SOCK_COMMON | null);
		return note_reference(env, meta);
	case RET_PTR_TO_TCP_SOCK:
		reg_set_pointer(r0, PTR_TO_TCP_SOCK | null);
		return note_reference(env, meta);
	case RET_PTR_TO_MEM_OR_BTF_ID: return set_percpu_result(env, meta, null);
	case RET_PTR_TO_BTF_ID:
		if (meta->kptr) {
			reg_set_pointer(r0, PTR_TO_BTF_ID | null);
			r0->btf = meta->kptr->btf;
			r0->btf_id = meta->kptr->type_id;
			if (field_is_local(meta->kptr))
				r0->type |= MEM_ALLOC;
			if (meta->kptr->kind == BTF_FIELD_KPTR_PERCPU)
				r0->type |= MEM_PERCPU;
			return note_reference(env, meta);
		}
		err = socket_set_struct(env, meta->helper->ret_struct,
					null | (ret & ABI_RET_TRUSTED ? PTR_TRUSTED : 0));
		return err ? err : note_reference(env, meta);
	case RET_PTR_TO_DYNPTR_MEM:
		reg_set_pointer(r0, PTR_TO_MEM | null);
		r0->range = (s32)meta->mem_size;
		r0->id = ++env->id_gen;
		r0->dynptr = (u8)meta->dynptr;
		r0->dynptr_id = meta->dynptr_id;
		r0->ref_id = meta->ref_id;
		return 0;
	default:
		return verify_bug(env, "unknown return type %u of bpf_%s", ret, meta->helper->name);
	}
}

int check_helper_call(struct verify_env *env, const struct bpf_insn *insn)
{
	struct call_meta meta = { .func_id = insn->imm, .const_key = -1 };
	int err = find_helper(env, insn->imm, &meta.helper);

	if (!err)
		err = section_check_helper(env, meta.helper->name, meta.func_id,
					   meta.helper->might_sleep);
	for (u32 regno = BPF_REG_1; regno <= BPF_REG_5 && !err; regno++)
		err = check_arg(env, regno, &meta);
	if (!err)
		err = note_map(env, &meta);
	if (!err)
		err = note_tail_call_index(env, &meta);
	/* What the helper fills is written byte by byte. */
	for (int i = 0; i < meta.fill_size && !err; i++)
		err = mem_access(env, meta.fill_regno, i, 1, true, -1, false, false);
	if (!err)
		err = release_argument(env, &meta);
	if (!err)
		err = check_special(env, &meta);
	if (err)
		return err;
	clear_caller_saved(env);
	err = set_result(env, &meta);
	if (!err)
		err = check_map_use(env, meta.map, meta.helper->name, meta.func_id);
	if (!err && (meta.helper->packet_data_changes ||
		     (meta.func_id == BPF_FUNC_dynptr_write && meta.dynptr == DYNPTR_SKB)))
		packet_forget(env);
	return err;
}
