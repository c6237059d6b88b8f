/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * 64-bit constants: maps by descriptor or by index, map values, functions. Runs once over the whole
 * program before control flow is looked at; fills insn_aux.map and puts final addresses into the
 * instructions (the log prints them).
 */
#include "verify/program.h"

#include <errno.h>
#include <string.h>

#include "abi/bpf_new.h"
#include "abi/kfunc.h"
#include "abi/ksym.h"
#include "abi/profile.h"
#include "isa/opcode.h"
#include "verify/lock.h"

/* Types whose values stay where they are while a program sleeps. */
static bool may_be_held_asleep(u32 map_type)
{
	switch (map_type) {
	case BPF_MAP_TYPE_HASH:
	case BPF_MAP_TYPE_LRU_HASH:
	case BPF_MAP_TYPE_ARRAY:
	case BPF_MAP_TYPE_PERCPU_HASH:
	case BPF_MAP_TYPE_PERCPU_ARRAY:
	case BPF_MAP_TYPE_LRU_PERCPU_HASH:
	case BPF_MAP_TYPE_ARRAY_OF_MAPS:
	case BPF_MAP_TYPE_HASH_OF_MAPS:
	case BPF_MAP_TYPE_RINGBUF:
	case BPF_MAP_TYPE_USER_RINGBUF:
	case BPF_MAP_TYPE_INODE_STORAGE:
	case BPF_MAP_TYPE_SK_STORAGE:
	case BPF_MAP_TYPE_TASK_STORAGE:
	case ABI_MAP_TYPE_CGRP_STORAGE:
	case BPF_MAP_TYPE_QUEUE:
	case BPF_MAP_TYPE_STACK:
	case ABI_MAP_TYPE_ARENA: return true;
	default: return false;
	}
}

/* Has the program a cgroup storage of this type? */
static bool has_storage(const struct verify_env *env, u32 type)
{
	if (type != BPF_MAP_TYPE_CGROUP_STORAGE && type != BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE)
		return false;
	for (u32 i = 0; i < env->nr_maps; i++)
		if (env->maps[i]->type == type)
			return true;
	return false;
}

static int add_arena(struct verify_env *env, const struct verify_map *map)
{
	if (env->arena) {
		verbose(env, "Only one arena per program\n");
		return -EBUSY;
	}
	if (!env->allow_ptr_leaks || !env->capable) {
		verbose(env, "CAP_BPF and CAP_PERFMON are required to use arena\n");
		return -EPERM;
	}
	env->arena = map;
	if (!map->user_start) {
		verbose(env, "arena's user address must be set via map_extra or mmap()\n");
		return -EINVAL;
	}
	return 0;
}

/* Notes that the program has this map; *ret_map is the description that was noted first. */
static int add_map(struct verify_env *env, const struct verify_map *map,
		   const struct verify_map **ret_map)
{
	for (u32 i = 0; i < env->nr_maps; i++) {
		if (env->maps[i] == map || (map->handle && env->maps[i]->handle == map->handle)) {
			*ret_map = env->maps[i];
			return 0;
		}
	}
	if (map->prog_digest && (!env->input->digest || memcmp(map->prog_digest, env->input->digest,
							       VERIFY_DIGEST_SIZE) != 0)) {
		verbose(env, "program's hash doesn't match map's excl_prog_hash\n");
		return -EACCES;
	}
	if (lock_check_map(env, map))
		return -EINVAL;
	if (has_storage(env, map->type)) {
		verbose(env, "only one cgroup storage of each type is allowed\n");
		return -EBUSY;
	}
	if (map->type == BPF_MAP_TYPE_STRUCT_OPS) {
		verbose(env, "bpf_struct_ops map cannot be used in prog\n");
		return -EINVAL;
	}
	if (env->sleepable && !may_be_held_asleep(map->type)) {
		verbose(env, "Sleepable programs can only use array, hash, ringbuf and local "
			     "storage maps\n");
		return -EINVAL;
	}
	if (env->nr_maps >= USED_MAPS_MAX) {
		verbose(env, "The total number of maps per program has reached the limit of %u\n",
			USED_MAPS_MAX);
		return -E2BIG;
	}
	env->maps[env->nr_maps++] = map;
	*ret_map = map;
	return map->type == ABI_MAP_TYPE_ARENA ? add_arena(env, map) : 0;
}

static int add_entry(struct verify_env *env, int fd)
{
	const struct verify_input *input = env->input;
	const struct verify_map *map = NULL;
	int err = input->ops->map_by_fd(input->ops_arg, fd, &map);

	if (!err)
		return add_map(env, map, &map);
	if (input->ops->is_btf(input->ops_arg, fd))
		return 0;
	verbose(env, "fd %d is not pointing to valid bpf_map or btf\n", fd);
	return err;
}

int program_read_fd_array(struct verify_env *env)
{
	const struct verify_input *input = env->input;
	int err = 0, fd = -1;

	if (input->fd_array_cnt >= UINT32_MAX / sizeof(int)) {
		verbose(env, "fd_array_cnt is too big (%u)\n", input->fd_array_cnt);
		return -EINVAL;
	}
	for (u32 i = 0; i < input->fd_array_cnt && !err; i++) {
		err = input->has_fd_array ? input->ops->fd_at(input->ops_arg, (s32)i, &fd)
					  : -EFAULT;
		if (!err)
			err = add_entry(env, fd);
	}
	return err;
}

/* The descriptor that an ld_imm64 means, directly or through fd_array. */
static int map_fd(struct verify_env *env, const struct bpf_insn *insn, int *ret_fd)
{
	if (insn->src_reg == BPF_PSEUDO_MAP_FD || insn->src_reg == BPF_PSEUDO_MAP_VALUE) {
		*ret_fd = insn->imm;
		return 0;
	}
	if (!env->input->has_fd_array) {
		verbose(env, "fd_idx without fd_array is invalid\n");
		return -EPROTO;
	}
	return env->input->ops->fd_at(env->input->ops_arg, insn->imm, ret_fd);
}

static int value_address(struct verify_env *env, const struct verify_map *map, u32 off,
			 u64 *ret_address)
{
	if (off >= MAX_VAR_OFF) {
		verbose(env, "direct value offset of %u is not allowed\n", off);
		return -EINVAL;
	}
	if (map->type == ABI_MAP_TYPE_ARENA && off <= map->user_size) {
		*ret_address = map->user_start + off;
		return 0;
	}
	if (map->type == ABI_MAP_TYPE_ARENA) {
		verbose(env, "invalid access to map value pointer, value_size=%u off=%u\n",
			map->value_size, off);
		return -ERANGE;
	}
	if (map->type != BPF_MAP_TYPE_ARRAY) {
		verbose(env, "no direct value access support for this map type\n");
		return -EINVAL;
	}
	if (map->max_entries != 1 || off >= map->value_size || !map->value_address) {
		verbose(env, "invalid access to map value pointer, value_size=%u off=%u\n",
			map->value_size, off);
		return map->max_entries != 1 ? -524 /* ENOTSUPP */ : -EINVAL;
	}
	*ret_address = map->value_address + off;
	return 0;
}

static int resolve_map(struct verify_env *env, u32 i)
{
	struct bpf_insn *insn = &env->insns[i];
	const struct verify_map *map = NULL;
	u64 address;
	int fd = -1, err;

	err = map_fd(env, insn, &fd);
	if (err)
		return err;
	err = env->input->ops->map_by_fd(env->input->ops_arg, fd, &map);
	if (err) {
		verbose(env, "fd %d is not pointing to valid bpf_map\n", fd);
		return err;
	}
	err = add_map(env, map, &map);
	if (err)
		return err;
	env->aux[i].map = map;
	address = map->address;
	if (insn->src_reg == BPF_PSEUDO_MAP_VALUE || insn->src_reg == BPF_PSEUDO_MAP_IDX_VALUE) {
		env->aux[i].map_off = insn[1].imm;
		err = value_address(env, map, insn[1].imm, &address);
		if (err)
			return err;
	}
	insn[0].imm = (u32)address;
	insn[1].imm = address >> 32;
	return 0;
}

/*
 * A symbol of the kernel's. A function has an address, at which nothing lies: kallsyms of a hive
 * has it if programs can call the function. Variables have none, as in a kernel whose kallsyms
 * lists only functions.
 */
static int resolve_symbol(struct verify_env *env, struct bpf_insn *insn)
{
	const struct btf *btf = insn[1].imm ? NULL : env_kernel_btf(env);
	const struct btf_type *type;
	u64 address;
	int kfunc;

	if (insn[1].imm && !(env->input->ops && env->input->ops->is_btf &&
			     env->input->ops->is_btf(env->input->ops_arg, insn[1].imm))) {
		verbose(env, "invalid module BTF object FD specified.\n");
		return -EINVAL;
	}
	if (!btf) {
		verbose(env,
			"ldimm64 of a symbol (btf_id %d) that is not the kernel's own is not "
			"supported here\n",
			insn->imm);
		return -EINVAL;
	}
	type = insn->imm < 0 ? NULL : btf_type_by_id(btf, (u32)insn->imm);
	if (insn->imm && !type) {
		verbose(env, "ldimm64 insn specifies invalid btf_id %d.\n", insn->imm);
		return -ENOENT;
	}
	if (!type || (btf_kind_of(type) != BTF_KIND_VAR && btf_kind_of(type) != BTF_KIND_FUNC)) {
		verbose(env, "pseudo btf_id %d in ldimm64 isn't KIND_VAR or KIND_FUNC\n",
			insn->imm);
		return -EINVAL;
	}
	if (btf_kind_of(type) == BTF_KIND_VAR) {
		verbose(env, "ldimm64 failed to find the address for kernel symbol '%s'.\n",
			btf_string(btf, type->name_off));
		return -ENOENT;
	}
	kfunc = abi_kfunc_find(btf_string(btf, type->name_off));
	address = kfunc < 0 ? ABI_KSYM_FUNCTION((u32)insn->imm)
			    : ABI_KSYM_BASE + (u64)(s64)abi_ksym_kfunc((u32)kfunc);
	insn[0].imm = (s32)(u32)address;
	insn[1].imm = (s32)(address >> 32);
	return 0;
}

static int resolve_constant(struct verify_env *env, u32 i)
{
	struct bpf_insn *insn = &env->insns[i];

	if (i == env->nr_insns - 1 || insn[1].code || insn[1].dst_reg || insn[1].src_reg ||
	    insn[1].off) {
		verbose(env, "invalid bpf_ld_imm64 insn\n");
		return -EINVAL;
	}
	switch (insn->src_reg) {
	case 0:
	case BPF_PSEUDO_FUNC: return 0;
	case BPF_PSEUDO_BTF_ID: return resolve_symbol(env, insn);
	case BPF_PSEUDO_MAP_VALUE:
	case BPF_PSEUDO_MAP_IDX_VALUE: return resolve_map(env, i);
	case BPF_PSEUDO_MAP_FD:
	case BPF_PSEUDO_MAP_IDX:
		if (!insn[1].imm)
			return resolve_map(env, i);
		break;
	}
	verbose(env, "unrecognized bpf_ld_imm64 insn\n");
	return -EINVAL;
}

int program_resolve_constants(struct verify_env *env)
{
	for (u32 i = 0; i < env->nr_insns; i++) {
		const struct bpf_insn *insn = &env->insns[i];
		u8 mode = BPF_MODE(insn->code);

		if (BPF_CLASS(insn->code) == BPF_LDX &&
		    ((mode != BPF_MEM && mode != BPF_MEMSX) || insn->imm)) {
			verbose(env, "BPF_LDX uses reserved fields\n");
			return -EINVAL;
		}
		if (!ENV_KERNEL_HAS(env, abi_since_insn(insn))) {
			if (insn_is_ldimm64(insn))
				verbose(env, "unrecognized bpf_ld_imm64 insn\n");
			else
				verbose(env, "unknown opcode %02x\n", insn->code);
			return -EINVAL;
		}
		if (insn_is_ldimm64(insn)) {
			int err = resolve_constant(env, i);

			if (err)
				return err;
			i++;
			continue;
		}
		if (!isa_opcode_known(insn->code)) {
			verbose(env, "unknown opcode %02x\n", insn->code);
			return -EINVAL;
		}
	}
	return 0;
}
