/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's rules for the attributes of each map type
 * (kernel/bpf/{arraymap,hashtab,ringbuf,...}.c: map_alloc_check(), map_alloc(), map_check_btf()).
 */
#include "sys/map_rules.h"

#include <errno.h>

#include "rt/stack.h"
#include "rt/storage.h"
#include "sys/map_slot.h"

#define PAGE	     4096u
#define ACCESS_FLAGS (BPF_F_RDONLY | BPF_F_WRONLY | BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG)
#define ARRAY_FLAGS \
	(BPF_F_NUMA_NODE | BPF_F_MMAPABLE | BPF_F_PRESERVE_ELEMS | BPF_F_INNER_MAP | ACCESS_FLAGS)
#define HASH_FLAGS \
	(BPF_F_NO_PREALLOC | BPF_F_NO_COMMON_LRU | BPF_F_NUMA_NODE | BPF_F_ZERO_SEED | ACCESS_FLAGS)
#define VALUE_SIZE_MAX	  0x7fffffffu
#define VALUE_ALLOC_MAX	  (4u << 20) /* KMALLOC_MAX_SIZE */
#define LPM_KEY_MIN	  5u	     /* a prefix length and a byte */
#define LPM_KEY_MAX	  260u
#define LPM_VALUE_MAX	  ((4u << 20) - 256 - 24) /* less the largest key and struct lpm_trie_node */
#define CPUMAP_MAX	  256		    /* NR_CPUS of the kernel that skep is held against */
#define SOCKHASH_KEY_MAX  512u		    /* MAX_BPF_STACK */
#define SOCKHASH_MAX	  (1u << 28)	    /* UINT32_MAX / sizeof(struct bpf_shtab_bucket) */
#define LOCAL_STORAGE_MAX 65407u	    /* BPF_LOCAL_STORAGE_MAX_VALUE_SIZE, as measured */
#define PERCPU_MAX	  32768u	    /* PCPU_MIN_UNIT_SIZE */
#define HASH_ELEM_MAX	  ((4u << 20) - 48) /* KMALLOC_MAX_SIZE - sizeof(struct htab_elem) */

static bool flags_clash(u32 flags)
{
	u32 both = BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG;

	return (flags & both) == both;
}

bool sys_map_wants_node(const union abi_attr *attr)
{
	return attr->map_flags & BPF_F_NUMA_NODE && attr->numa_node != UINT32_MAX;
}

static int check_array(const union abi_attr *attr)
{
	bool percpu = attr->map_type == BPF_MAP_TYPE_PERCPU_ARRAY;

	if (!attr->max_entries || attr->key_size != 4 || !attr->value_size ||
	    attr->map_flags & ~ARRAY_FLAGS || flags_clash(attr->map_flags) ||
	    (percpu && sys_map_wants_node(attr)))
		return -EINVAL;
	if (attr->map_type != BPF_MAP_TYPE_ARRAY &&
	    attr->map_flags & (BPF_F_MMAPABLE | BPF_F_INNER_MAP))
		return -EINVAL;
	if (attr->map_type != BPF_MAP_TYPE_PERF_EVENT_ARRAY &&
	    attr->map_flags & BPF_F_PRESERVE_ELEMS)
		return -EINVAL;
	if (attr->value_size > VALUE_SIZE_MAX)
		return -E2BIG;
	return percpu && ALIGN_UP(attr->value_size, 8u) > PERCPU_MAX ? -E2BIG : 0;
}

static int check_object_array(const union abi_attr *attr)
{
	if (attr->value_size != sizeof(u32) ||
	    attr->map_flags & (BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG))
		return -EINVAL;
	return check_array(attr);
}

static int check_reuseport(const union abi_attr *attr)
{
	return attr->value_size == sizeof(u32) || attr->value_size == sizeof(u64)
		       ? check_array(attr)
		       : -EINVAL;
}

bool sys_map_is_lru(u32 type)
{
	return type == BPF_MAP_TYPE_LRU_HASH || type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
}

static int check_hash(const union abi_attr *attr)
{
	bool lru = sys_map_is_lru(attr->map_type),
	     percpu = attr->map_type == BPF_MAP_TYPE_PERCPU_HASH ||
		      attr->map_type == BPF_MAP_TYPE_LRU_PERCPU_HASH;

	if (attr->map_flags & ~HASH_FLAGS || flags_clash(attr->map_flags) ||
	    (!lru && attr->map_flags & BPF_F_NO_COMMON_LRU))
		return -EINVAL;
	if (lru && attr->map_flags & BPF_F_NO_PREALLOC)
		return -ABI_ENOTSUPP;
	if (sys_map_wants_node(attr) && (percpu || attr->map_flags & BPF_F_NO_COMMON_LRU))
		return -EINVAL;
	if (!attr->max_entries || !attr->key_size || !attr->value_size)
		return -EINVAL;
	if ((u64)attr->key_size + attr->value_size >= HASH_ELEM_MAX || attr->max_entries > 1u << 31)
		return -E2BIG;
	return percpu && ALIGN_UP(attr->value_size, 8u) > PERCPU_MAX ? -E2BIG : 0;
}

static int check_hash_of_maps(const union abi_attr *attr)
{
	return attr->value_size == sizeof(u32) ? check_hash(attr) : -EINVAL;
}

static int check_lpm_trie(const union abi_attr *attr)
{
	if (!attr->max_entries || !(attr->map_flags & BPF_F_NO_PREALLOC) ||
	    attr->map_flags & ~(BPF_F_NO_PREALLOC | BPF_F_NUMA_NODE | ACCESS_FLAGS) ||
	    flags_clash(attr->map_flags) || attr->key_size < LPM_KEY_MIN ||
	    attr->key_size > LPM_KEY_MAX || !attr->value_size || attr->value_size > LPM_VALUE_MAX)
		return -EINVAL;
	return 0;
}

static int check_stack_trace(const union abi_attr *attr)
{
	u32 each = attr->map_flags & BPF_F_STACK_BUILD_ID ? sizeof(struct bpf_stack_build_id)
							  : sizeof(u64);

	if (attr->map_flags &
		    ~(BPF_F_NUMA_NODE | BPF_F_RDONLY | BPF_F_WRONLY | BPF_F_STACK_BUILD_ID) ||
	    !attr->max_entries || attr->key_size != 4 || attr->value_size < 8 ||
	    attr->value_size % each || attr->value_size / each > RT_STACK_DEPTH_MAX)
		return -EINVAL;
	return attr->max_entries > 1u << 31 ? -E2BIG : 0;
}

/* With or without a program after the interface or the queue's length. */
static bool is_redirect_value(const union abi_attr *attr)
{
	return attr->max_entries && attr->key_size == 4 &&
	       (attr->value_size == 4 || attr->value_size == 8);
}

static int check_devmap(const union abi_attr *attr)
{
	if (!is_redirect_value(attr) ||
	    attr->map_flags & ~(BPF_F_NUMA_NODE | BPF_F_RDONLY | BPF_F_WRONLY))
		return -EINVAL;
	return attr->map_type == BPF_MAP_TYPE_DEVMAP_HASH && attr->max_entries > 1u << 31 ? -EINVAL
											  : 0;
}

static int check_cpumap(const union abi_attr *attr)
{
	if (!is_redirect_value(attr) || attr->map_flags & ~BPF_F_NUMA_NODE)
		return -EINVAL;
	return attr->max_entries > CPUMAP_MAX ? -E2BIG : 0;
}

static int check_xskmap(const union abi_attr *attr)
{
	if (!attr->max_entries || attr->key_size != 4 || attr->value_size != 4 ||
	    attr->map_flags & ~(BPF_F_NUMA_NODE | BPF_F_RDONLY | BPF_F_WRONLY))
		return -EINVAL;
	return 0;
}

static bool is_sock_value(const union abi_attr *attr)
{
	return attr->max_entries && (attr->value_size == 4 || attr->value_size == 8) &&
	       !(attr->map_flags & ~(BPF_F_NUMA_NODE | BPF_F_RDONLY | BPF_F_WRONLY));
}

static int check_sockmap(const union abi_attr *attr)
{
	return is_sock_value(attr) && attr->key_size == 4 ? 0 : -EINVAL;
}

static int check_sockhash(const union abi_attr *attr)
{
	if (!is_sock_value(attr) || !attr->key_size)
		return -EINVAL;
	if (attr->key_size > SOCKHASH_KEY_MAX)
		return -E2BIG;
	return attr->max_entries > SOCKHASH_MAX ? -EINVAL : 0;
}

/* Storage of sockets, tasks, inodes, cgroups: without BTF nobody could show it. */
static int check_storage(const union abi_attr *attr)
{
	if (attr->map_flags & ~(BPF_F_NO_PREALLOC | BPF_F_CLONE) ||
	    !(attr->map_flags & BPF_F_NO_PREALLOC) || attr->max_entries || attr->key_size != 4 ||
	    !attr->value_size || !attr->btf_key_type_id || !attr->btf_value_type_id)
		return -EINVAL;
	return attr->value_size > LOCAL_STORAGE_MAX ? -E2BIG : 0;
}

static int check_queue(const union abi_attr *attr)
{
	if (!attr->max_entries || !attr->value_size || attr->key_size ||
	    attr->map_flags & ~(BPF_F_NUMA_NODE | ACCESS_FLAGS) || flags_clash(attr->map_flags))
		return -EINVAL;
	return attr->value_size > VALUE_ALLOC_MAX ? -E2BIG : 0;
}

static int check_bloom_size(const union abi_attr *attr)
{
	return attr->value_size > VALUE_ALLOC_MAX ? -E2BIG : 0;
}

static int check_bloom_filter(const union abi_attr *attr)
{
	if (!attr->max_entries || !attr->value_size || attr->key_size ||
	    attr->map_flags & ~(BPF_F_NUMA_NODE | BPF_F_ZERO_SEED | ACCESS_FLAGS) ||
	    flags_clash(attr->map_flags) || attr->map_extra & ~0xfull)
		return -EINVAL;
	return 0;
}

static int check_cgroup_storage(const union abi_attr *attr)
{
	u32 max = attr->map_type == BPF_MAP_TYPE_CGROUP_STORAGE ? LOCAL_STORAGE_MAX : PERCPU_MAX;

	if ((attr->key_size != sizeof(struct bpf_cgroup_storage_key) &&
	     attr->key_size != sizeof(u64)) ||
	    !attr->value_size)
		return -EINVAL;
	if (attr->value_size > max)
		return -E2BIG;
	if (attr->map_flags & ~(BPF_F_NUMA_NODE | ACCESS_FLAGS) || flags_clash(attr->map_flags) ||
	    attr->max_entries)
		return -EINVAL;
	return 0;
}

static int check_ringbuf(const union abi_attr *attr)
{
	if (attr->map_flags & ~BPF_F_NUMA_NODE || attr->key_size || attr->value_size ||
	    !attr->max_entries || attr->max_entries & (attr->max_entries - 1) ||
	    attr->max_entries % PAGE)
		return -EINVAL;
	return 0;
}

static int check_struct_ops(const union abi_attr *attr)
{
	return attr->key_size != sizeof(u32) || attr->max_entries != 1 ||
			       attr->map_flags & ~(ABI_F_LINK | ABI_F_VTYPE_BTF_OBJ_FD) ||
			       !attr->btf_vmlinux_value_type_id
		       ? -EINVAL
		       : 0;
}

static int btf_of_array(const union abi_attr *attr, const struct btf *btf,
			const struct btf_type *key, const struct btf_type *value)
{
	u32 data;

	/* Without a key type: .data, .rodata, .bss */
	if (!key)
		return attr->map_type == BPF_MAP_TYPE_ARRAY && attr->max_entries == 1 &&
				       btf_kind_of(value) == BTF_KIND_DATASEC
			       ? 0
			       : -EINVAL;
	if (btf_kind_of(key) != BTF_KIND_INT)
		return -EINVAL;
	data = btf_int_data(key);
	return BTF_INT_BITS(data) == 32 && !BTF_INT_OFFSET(data) ? 0 : -EINVAL;
}

static int btf_of_storage(const union abi_attr *attr, const struct btf *btf,
			  const struct btf_type *key, const struct btf_type *value)
{
	return key ? btf_of_array(attr, btf, key, value) : -EINVAL;
}

static int btf_of_lpm_trie(const union abi_attr *attr, const struct btf *btf,
			   const struct btf_type *key, const struct btf_type *value)
{
	return key && btf_kind_of(key) == BTF_KIND_STRUCT ? 0 : -EINVAL;
}

static int btf_without_key(const union abi_attr *attr, const struct btf *btf,
			   const struct btf_type *key, const struct btf_type *value)
{
	return key ? -EINVAL : 0;
}

static int btf_refused(const union abi_attr *attr, const struct btf *btf,
		       const struct btf_type *key, const struct btf_type *value)
{
	return -ABI_ENOTSUPP;
}

/* A regular number of this size at this place. */
static bool is_number_at(const struct btf *btf, const struct btf_type *type, u32 member, u32 offset,
			 u32 size)
{
	const struct btf_member *found = &btf_members_of(type)[member];
	u32 id = found->type, bytes, data;
	const struct btf_type *number = btf_sized_type(btf, &id, &bytes);

	if (!number || btf_kind_of(number) != BTF_KIND_INT ||
	    btf_member_offset(type, found) != offset * 8 || btf_member_bits(type, found))
		return false;
	data = btf_int_data(number);
	return !BTF_INT_OFFSET(data) && BTF_INT_BITS(data) == size * 8;
}

/* The id of a cgroup, or struct bpf_cgroup_storage_key. */
static int btf_of_cgroup_storage(const union abi_attr *attr, const struct btf *btf,
				 const struct btf_type *key, const struct btf_type *value)
{
	u32 data;

	if (!key)
		return -EINVAL;
	if (attr->key_size == sizeof(struct bpf_cgroup_storage_key))
		return btf_kind_of(key) == BTF_KIND_STRUCT && btf_vlen_of(key) == 2 &&
				       is_number_at(btf, key, 0, 0, 8) &&
				       is_number_at(btf, key, 1, 8, 4)
			       ? 0
			       : -EINVAL;
	if (btf_kind_of(key) != BTF_KIND_INT)
		return -EINVAL;
	data = btf_int_data(key);
	return BTF_INT_BITS(data) == 64 && !BTF_INT_OFFSET(data) ? 0 : -EINVAL;
}

static const struct map_rules rules[] = {
	[BPF_MAP_TYPE_HASH] = { .check = check_hash },
	[BPF_MAP_TYPE_PERCPU_HASH] = { .check = check_hash },
	[BPF_MAP_TYPE_ARRAY] = { .check = check_array, .check_btf = btf_of_array },
	[BPF_MAP_TYPE_PERCPU_ARRAY] = { .check = check_array, .check_btf = btf_of_array },
	[BPF_MAP_TYPE_PROG_ARRAY] = { .check = check_object_array },
	[BPF_MAP_TYPE_PERF_EVENT_ARRAY] = { .check = check_object_array, .check_btf = btf_refused },
	[BPF_MAP_TYPE_CGROUP_ARRAY] = { .check = check_object_array, .check_btf = btf_refused },
	[BPF_MAP_TYPE_STACK_TRACE] = { .check_last = check_stack_trace, .check_btf = btf_refused },
	[BPF_MAP_TYPE_LRU_HASH] = { .check = check_hash },
	[BPF_MAP_TYPE_LRU_PERCPU_HASH] = { .check = check_hash },
	[BPF_MAP_TYPE_ARRAY_OF_MAPS] = { .check = check_object_array, .check_btf = btf_refused },
	[BPF_MAP_TYPE_HASH_OF_MAPS] = { .check = check_hash_of_maps, .check_btf = btf_refused },
	[BPF_MAP_TYPE_DEVMAP] = { .check = check_devmap, .check_btf = btf_refused },
	[BPF_MAP_TYPE_DEVMAP_HASH] = { .check = check_devmap, .check_btf = btf_refused },
	[BPF_MAP_TYPE_CPUMAP] = { .check_last = check_cpumap, .check_btf = btf_refused },
	[BPF_MAP_TYPE_XSKMAP] = { .check_last = check_xskmap, .check_btf = btf_refused },
	[BPF_MAP_TYPE_SOCKMAP] = { .check_last = check_sockmap, .check_btf = btf_refused },
	[BPF_MAP_TYPE_SOCKHASH] = { .check_last = check_sockhash, .check_btf = btf_refused },
	[BPF_MAP_TYPE_REUSEPORT_SOCKARRAY] = { .check = check_reuseport },
	[BPF_MAP_TYPE_CGROUP_STORAGE] = { .check_last = check_cgroup_storage,
					  .check_btf = btf_of_cgroup_storage },
	[BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE] = { .check_last = check_cgroup_storage,
						 .check_btf = btf_of_cgroup_storage },
	[BPF_MAP_TYPE_LPM_TRIE] = { .check_last = check_lpm_trie, .check_btf = btf_of_lpm_trie },
	[BPF_MAP_TYPE_QUEUE] = { .check = check_queue, .check_btf = btf_refused },
	[BPF_MAP_TYPE_STACK] = { .check = check_queue, .check_btf = btf_refused },
	[BPF_MAP_TYPE_BLOOM_FILTER] = { .check = check_bloom_size,
					.check_last = check_bloom_filter,
					.check_btf = btf_without_key },
	[BPF_MAP_TYPE_RINGBUF] = { .check_last = check_ringbuf },
	[BPF_MAP_TYPE_USER_RINGBUF] = { .check_last = check_ringbuf },
	[BPF_MAP_TYPE_STRUCT_OPS] = { .check = check_struct_ops, .check_btf = btf_refused },
	[BPF_MAP_TYPE_SK_STORAGE] = { .check = check_storage, .check_btf = btf_of_storage },
	[BPF_MAP_TYPE_TASK_STORAGE] = { .check = check_storage, .check_btf = btf_of_storage },
	[BPF_MAP_TYPE_INODE_STORAGE] = { .check = check_storage, .check_btf = btf_of_storage },
	[ABI_MAP_TYPE_ARENA] = { .check_last = sys_arena_check },
	[ABI_MAP_TYPE_CGRP_STORAGE] = { .check = check_storage, .check_btf = btf_of_storage },
};

const struct map_rules *sys_map_rules(u32 type)
{
	const struct map_rules *found = type < ARRAY_SIZE(rules) ? &rules[type] : NULL;

	return found && (found->check || found->check_last) ? found : NULL;
}

bool sys_map_may_have(u32 kind, u32 map_type)
{
	switch (kind) {
	case BTF_FIELD_SPIN_LOCK:
	case BTF_FIELD_RES_SPIN_LOCK:
		return map_type == BPF_MAP_TYPE_HASH || map_type == BPF_MAP_TYPE_ARRAY ||
		       map_type == BPF_MAP_TYPE_CGROUP_STORAGE || rt_type_is_storage(map_type);
	case BTF_FIELD_KPTR_UNREF:
	case BTF_FIELD_KPTR_REF:
	case BTF_FIELD_KPTR_PERCPU:
	case BTF_FIELD_REFCOUNT:
		return map_type == BPF_MAP_TYPE_HASH || map_type == BPF_MAP_TYPE_PERCPU_HASH ||
		       sys_map_is_lru(map_type) || map_type == BPF_MAP_TYPE_ARRAY ||
		       map_type == BPF_MAP_TYPE_PERCPU_ARRAY || rt_type_is_storage(map_type);
	case BTF_FIELD_LIST_HEAD:
	case BTF_FIELD_RB_ROOT:
	case BTF_FIELD_TIMER:
	case BTF_FIELD_WORKQUEUE:
		return map_type == BPF_MAP_TYPE_HASH || map_type == BPF_MAP_TYPE_LRU_HASH ||
		       map_type == BPF_MAP_TYPE_ARRAY;
	default: return false;
	}
}
