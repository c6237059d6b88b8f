/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See map_ptr.h. Facts of Linux 6.18: check_ptr_to_map_access() in kernel/bpf/verifier.c, and the
 * map_btf_id of each type's operations.
 */
#include "verify/map_ptr.h"

#include <errno.h>

#include "abi/map_struct.h"
#include "abi/bpf_new.h"
#include "btf/btf.h"
#include "verify/btf_ptr.h"

/* Members that change while nobody here could tell the descriptor. */
static bool is_counted(const struct verify_map *map, const struct btf *btf, u32 off, u32 size)
{
	u32 bit, bits;

	return map->type == BPF_MAP_TYPE_HASH && map->flags & BPF_F_NO_PREALLOC &&
	       btf_find_path(btf, "bpf_htab", "count", &bit, &bits) && off < (bit + bits) / 8 &&
	       off + size > bit / 8;
}

/* Is there something that user space can know? */
static int check_known(struct verify_env *env, u32 regno, const struct btf *btf, u32 end,
		       const struct verify_map *map, u32 off, u32 size)
{
	if (off + size > end || off + size > env->input->map_image_size) {
		verbose(env, "R%u: behind a map's structure there is nothing in user space\n",
			regno);
		return -EACCES;
	}
	if (!is_counted(map, btf, off, size))
		return 0;
	verbose(env,
		"R%u: how many elements are in a map without preallocation is not counted in user "
		"space\n",
		regno);
	return -EACCES;
}

int map_ptr_access(struct verify_env *env, u32 regno, int off, int size, bool write, int value)
{
	const struct verify_map *map = env_regs(env)[regno].map;
	const char *name = abi_map_struct(map->type);
	const struct verify_ops *ops = env->input->ops;
	struct reg structure = { 0 };
	struct btf_place place;
	char reason[256];
	u32 id, end;
	int err;

	if (!env->kernel_btf && ops->kernel_btf)
		env->kernel_btf = ops->kernel_btf(env->input->ops_arg);
	if (!env->kernel_btf || !env->input->map_image) {
		verbose(env, "map_ptr access not supported without CONFIG_DEBUG_INFO_BTF\n");
		return -ABI_ENOTSUPP;
	}
	id = name ? btf_find(env->kernel_btf, name, BTF_KIND_STRUCT) : 0;
	if (!id) {
		verbose(env, "map_ptr access not supported for map type %u\n", map->type);
		return -ABI_ENOTSUPP;
	}
	if (!env->allow_ptr_leaks) {
		verbose(env,
			"'struct %s' access is allowed only to CAP_PERFMON and CAP_SYS_ADMIN\n",
			name);
		return -EPERM;
	}
	if (off < 0) {
		verbose(env, "R%u is %s invalid negative access: off=%d\n", regno, name, off);
		return -EACCES;
	}
	if (write) {
		verbose(env, "only read from %s is supported\n", name);
		return -EACCES;
	}
	err = btf_place_find(env->kernel_btf, id, (u32)off, (u32)size, &place, reason,
			     sizeof(reason));
	if (err) {
		verbose(env, "%s", reason);
		return err;
	}
	if (btf_size_of(env->kernel_btf, id, &end))
		return verify_bug(env, "struct %s has no size", name);
	err = check_known(env, regno, env->kernel_btf, end, map, (u32)off, (u32)size);
	if (err)
		return err;
	env->reads_maps = true;
	if (value < 0)
		return 0;
	reg_set_pointer(&structure, PTR_TO_BTF_ID);
	structure.btf = env->kernel_btf;
	structure.btf_id = id;
	btf_ptr_set_loaded(env, &structure, &place, &env_regs(env)[value]);
	return 0;
}
