/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BPF_MAP_CREATE: the kernel's rules for each map type as rows
 * (kernel/bpf/{arraymap,hashtab,ringbuf}.c, map_create() of syscall.c), then the descriptor and the
 * memory in the arena. A map that programs only read, or that holds objects, has its memory in the
 * control segment, where no traced process can write.
 */
#include "sys/async.h"
#include "sys/hive.h"
#include "sys/map_image.h"
#include "sys/map_slot.h"
#include "sys/object_type.h"
#include "base/alloc.h"
#include "sys/struct_ops.h"
#include "rt/arena.h"
#include "rt/page_arena.h"
#include "rt/map_slot.h"
#include "rt/stack.h"
#include "rt/storage.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

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

typedef int (*check_fn)(const union abi_attr *attr);
typedef int (*check_btf_fn)(const union abi_attr *attr, const struct btf *btf,
			    const struct btf_type *key, const struct btf_type *value);

struct map_row {
	check_fn check;		/* the kernel's map_alloc_check(); NULL: it has none */
	check_fn check_last;	/* what it looks at when it allocates, after everything else */
	check_btf_fn check_btf; /* NULL: a key type is needed, and nothing else is looked at */
};

static bool flags_clash(u32 flags)
{
	u32 both = BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG;

	return (flags & both) == both;
}

/* A certain node for its memory? */
static bool wants_node(const union abi_attr *attr)
{
	return attr->map_flags & BPF_F_NUMA_NODE && attr->numa_node != UINT32_MAX;
}

static int check_array(const union abi_attr *attr)
{
	bool percpu = attr->map_type == BPF_MAP_TYPE_PERCPU_ARRAY;

	if (!attr->max_entries || attr->key_size != 4 || !attr->value_size ||
	    attr->map_flags & ~ARRAY_FLAGS || flags_clash(attr->map_flags) ||
	    (percpu && wants_node(attr)))
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

static bool is_lru(u32 type)
{
	return type == BPF_MAP_TYPE_LRU_HASH || type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
}

static int check_hash(const union abi_attr *attr)
{
	bool lru = is_lru(attr->map_type), percpu = attr->map_type == BPF_MAP_TYPE_PERCPU_HASH ||
						    attr->map_type == BPF_MAP_TYPE_LRU_PERCPU_HASH;

	if (attr->map_flags & ~HASH_FLAGS || flags_clash(attr->map_flags) ||
	    (!lru && attr->map_flags & BPF_F_NO_COMMON_LRU))
		return -EINVAL;
	if (lru && attr->map_flags & BPF_F_NO_PREALLOC)
		return -ABI_ENOTSUPP;
	if (wants_node(attr) && (percpu || attr->map_flags & BPF_F_NO_COMMON_LRU))
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

static const struct map_row rows[] = {
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

/* Which map types may have values with a field of this kind. */
static bool may_have(u32 kind, u32 map_type)
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
		       is_lru(map_type) || map_type == BPF_MAP_TYPE_ARRAY ||
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

/*
 * Special fields of the value. What 6.18 cannot make sense of it takes for plain bytes; what makes
 * sense and is not here is refused.
 */
static int take_fields(struct sys_call *call, struct sys_map *map, const struct btf *btf, u32 id)
{
	const union abi_attr *attr = &call->attr;
	const u32 here = BTF_FIELDS_LOCK | BTF_FIELDS_KPTR | BTF_FIELDS_ROOT |
			 BTF_FIELD_BIT(BTF_FIELD_REFCOUNT) | BTF_FIELD_BIT(BTF_FIELD_TIMER) |
			 BTF_FIELD_BIT(BTF_FIELD_WORKQUEUE);
	struct rt_map *rt = map->rt;

	if (btf_fields_parse(btf, id, BTF_FIELDS_OF_VALUES, attr->value_size, &map->fields) ||
	    !map->fields.nr)
		return 0;
	if (attr->map_flags & (BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG))
		return -EACCES;
	for (u32 i = 0; i < map->fields.nr; i++) {
		const struct btf_field *field = &map->fields.field[i];

		if (!(here & BTF_FIELD_BIT(field->kind))) {
			sys_say(call->hive,
				"map \"%.16s\": values with a %s are not available in user space",
				attr->map_name, btf_field_name(field->kind));
			return -EOPNOTSUPP;
		}
		if (!may_have(field->kind, attr->map_type))
			return -EOPNOTSUPP;
		if (!sys_object_field(call->hive, field, &rt->fields[i]))
			return -ENOMEM;
		if (BTF_FIELD_BIT(field->kind) & BTF_FIELDS_LOCK) {
			rt->lock_offset = field->offset;
			rt->has_lock = field->kind == BTF_FIELD_SPIN_LOCK;
			rt->has_res_lock = !rt->has_lock;
		}
	}
	rt->nr_fields = map->fields.nr;
	return sys_async_prepare(map);
}

static int check_btf(struct sys_call *call, struct sys_map *map, const struct btf *btf)
{
	const union abi_attr *attr = &call->attr;
	const struct map_row *row = &rows[attr->map_type];
	const struct btf_type *key = NULL, *value;
	u32 id = attr->btf_key_type_id, size;
	int error;

	if (id) {
		key = btf_sized_type(btf, &id, &size);
		if (!key || size != attr->key_size)
			return -EINVAL;
	} else if (!row->check_btf) {
		return -EINVAL;
	}
	id = attr->btf_value_type_id;
	value = btf_sized_type(btf, &id, &size);
	if (!value || size != attr->value_size)
		return -EINVAL;
	error = take_fields(call, map, btf, id);
	if (error)
		return error;
	return row->check_btf ? row->check_btf(attr, btf, key, value) : 0;
}

/* Maps on a device: no device offers it, but the errors come in the kernel's order. */
static int check_device(struct sys_client *client, const union abi_attr *attr)
{
	if (attr->map_type != BPF_MAP_TYPE_ARRAY && attr->map_type != BPF_MAP_TYPE_HASH)
		return -EINVAL;
	return sys_device_exists(client, attr->map_ifindex) ? -EOPNOTSUPP : -EINVAL;
}

/* What map_create() of the kernel looks at before a map exists, in its order. */
static int check_attr(struct sys_call *call)
{
	union abi_attr *attr = &call->attr;
	bool token = attr->map_flags & ABI_F_TOKEN_FD;
	const struct map_row *row;
	struct object *object;
	int error;

	attr->map_flags &= ~ABI_F_TOKEN_FD;
	if (attr->btf_vmlinux_value_type_id) {
		if (attr->map_type != BPF_MAP_TYPE_STRUCT_OPS || attr->btf_key_type_id ||
		    attr->btf_value_type_id)
			return -EINVAL;
	} else if (attr->btf_key_type_id && !attr->btf_value_type_id) {
		return -EINVAL;
	}
	if (attr->map_type != BPF_MAP_TYPE_BLOOM_FILTER && attr->map_type != ABI_MAP_TYPE_ARENA &&
	    attr->map_extra)
		return -EINVAL;
	if (sys_access_of_flags(attr->map_flags) < 0)
		return -EINVAL;
	/* One node, or any. */
	if (wants_node(attr) && attr->numa_node)
		return -EINVAL;
	row = attr->map_type < ARRAY_SIZE(rows) ? &rows[attr->map_type] : NULL;
	if (!row || (!row->check && !row->check_last)) {
		if (abi_map_type_name(attr->map_type) && attr->map_type)
			sys_say(call->hive,
				"map \"%.16s\": maps of type %s are not available in user space",
				attr->map_name, abi_map_type_name(attr->map_type));
		return -EINVAL;
	}
	error = row->check ? row->check(attr) : 0;
	if (error)
		return error;
	if (token) {
		error = sys_object_by_fd(call, (u32)attr->map_token_fd, OBJECT_KINDS, &object);
		if (!error)
			object_unref(object);
		return error ? error : -EINVAL;
	}
	if (!call->client->privileged)
		return -EPERM;
	if (attr->map_ifindex)
		return check_device(call->client, attr);
	return row->check_last ? row->check_last(attr) : 0;
}

static void release_memory(struct sys_map *map)
{
	struct arena *arena = map->hive->options.arena;

	if (map->rt && map->rt->data)
		arena_release(arena, map->segment, map->rt->data, map->rt->data_size);
	if (map->rt)
		arena_release(arena, ARENA_CONTROL, map->rt, sizeof(*map->rt));
}

/* What the values' fields hold goes with the map. False: no vCPU is free to see to it just now. */
static bool end_values(struct sys_map *map)
{
	struct rt_vcpu *vcpu = sys_vcpu_acquire(NULL);

	if (!vcpu)
		return map->hive->ending;
	rt_map_end_values(map->rt, vcpu);
	sys_vcpu_release(vcpu);
	return true;
}

static void free_map(struct sys_deferred *deferred)
{
	struct sys_map *map = container_of(deferred, struct sys_map, deferred);

	sys_async_forget_map(map);
	if (map->fields.nr && !end_values(map)) {
		sys_defer(map->hive, deferred, free_map);
		return;
	}
	sys_slots_clear(map);
	sys_struct_ops_free(map);
	release_memory(map);
	sys_btf_put(map->btf);
	sys_btf_put(map->inner_btf);
	base_free(map->slots);
	base_free(map->cookies);
	base_free(map);
}

static void release(struct object *object)
{
	struct sys_map *map = container_of(object, struct sys_map, object);

	sys_map_slot_retire(map);
	sys_storage_retire(map);
	sys_arena_retire(map);
	sys_defer(map->hive, &map->deferred, free_map);
}

/* Of these types the elements go when no client has the map any more. */
static bool empties_without_users(u32 type)
{
	return type == BPF_MAP_TYPE_PROG_ARRAY || type == BPF_MAP_TYPE_PERF_EVENT_ARRAY;
}

/* A prog array lives by its users: programs that refer to it keep it, but not what is in it. */
static void last_user(struct object *object)
{
	struct sys_map *map = container_of(object, struct sys_map, object);

	if (map->rt->type == BPF_MAP_TYPE_PROG_ARRAY || !(map->rt->flags & BPF_F_PRESERVE_ELEMS))
		sys_slots_clear(map);
}

static u32 round_to_cpus(u32 entries, u32 nr_cpus)
{
	u64 up = ((u64)entries + nr_cpus - 1) / nr_cpus * nr_cpus;

	return up <= 0xffffffffu ? (u32)up : entries / nr_cpus * nr_cpus;
}

static int allocate(struct sys_call *call, struct sys_map *map)
{
	const union abi_attr *attr = &call->attr;
	struct arena *arena = call->hive->options.arena;
	struct rt_map_spec spec = {
		.type = attr->map_type,
		.key_size = attr->key_size,
		.value_size = attr->value_size,
		.max_entries = attr->max_entries,
		.flags = attr->map_flags & ~(BPF_F_RDONLY | BPF_F_WRONLY),
		.nr_vcpus = RT_CONTROL->nr_vcpus,
		.map_extra = attr->map_extra,
	};
	u64 size, seed = 0;

	/* Programs read where the kernel itself reads, and may not write there. */
	if (spec.type == BPF_MAP_TYPE_DEVMAP || spec.type == BPF_MAP_TYPE_DEVMAP_HASH)
		spec.flags |= BPF_F_RDONLY_PROG;
	/* Lists for each CPU hold the same number of keys each. */
	if (is_lru(spec.type) && spec.flags & BPF_F_NO_COMMON_LRU)
		spec.max_entries = round_to_cpus(spec.max_entries, spec.nr_vcpus);
	if (rt_type_is_storage(spec.type))
		spec.max_entries = sys_storage_owners(spec.value_size, RT_CONTROL->data_size);
	if (spec.type == ABI_MAP_TYPE_ARENA && spec.flags & ABI_F_SEGV_ON_FAULT) {
		sys_say(call->hive,
			"map \"%.16s\": a client that touches a page which no program has "
			"allocated "
			"gets one here: BPF_F_SEGV_ON_FAULT is not available",
			attr->map_name);
		return -EOPNOTSUPP;
	}
	size = rt_map_memory_size(&spec);
	if (!size || size > RT_CONTROL->data_size) {
		sys_say(call->hive,
			"map \"%.16s\": larger than the %llu MiB that the hive's arena has for "
			"maps",
			attr->map_name, (unsigned long long)RT_CONTROL->data_size >> 20);
		return -ENOMEM;
	}
	/* The same keys make the same order in each of these maps, and nobody knows which keys
	 * collide.
	 */
	if (spec.flags & BPF_F_ZERO_SEED)
		seed = RT_CONTROL->hash_seed;
	else if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		return -ENOMEM;
	map->segment = rt_map_in_control(&spec) ? ARENA_CONTROL : ARENA_DATA;
	map->rt = arena_alloc(arena, ARENA_CONTROL, sizeof(*map->rt), 64);
	if (map->rt)
		map->rt->data = arena_alloc(arena, map->segment, size, PAGE);
	if (!map->rt || !map->rt->data) {
		sys_say(call->hive, "map \"%.16s\": no room for %llu bytes in the hive's arena",
			attr->map_name, (unsigned long long)size);
		return -ENOMEM;
	}
	map->rt->data_size = size;
	rt_map_init(map->rt, &spec, 0, seed);
	if (spec.type == BPF_MAP_TYPE_REUSEPORT_SOCKARRAY)
		return sys_reuseport_new(map);
	if (sys_map_is_sock(map))
		return sys_sock_new_map(map);
	if (rt_type_is_storage(spec.type))
		return sys_storage_new(map);
	if (sys_map_holds_objects(map)) {
		map->slots = base_zalloc(sys_map_nr_slots(map), sizeof(*map->slots));
		if (!map->slots)
			return -ENOMEM;
	}
	return 0;
}

static int fill(struct sys_call *call, struct sys_map *map)
{
	const union abi_attr *attr = &call->attr;
	int error;

	error = call->attr.map_type == BPF_MAP_TYPE_STRUCT_OPS ? sys_struct_ops_new(call, map) : 0;
	if (!error)
		error = allocate(call, map);
	if (!error && sys_map_is_of_maps(map))
		error = sys_map_set_inner(call, map, attr->inner_map_fd);
	if (!error)
		error = sys_copy_name(map->rt->name, attr->map_name);
	if (error || (!attr->btf_key_type_id && !attr->btf_value_type_id && !map->struct_ops))
		return error;
	error = sys_btf_by_fd(call, attr->btf_fd, &map->btf);
	if (error || map->struct_ops)
		return error;
	map->btf_key_type_id = attr->btf_key_type_id;
	map->btf_value_type_id = attr->btf_value_type_id;
	return check_btf(call, map, map->btf->btf);
}

/* A map that one program alone may have, known by its digest. */
static int read_exclusive(struct sys_call *call, struct sys_map *map)
{
	if (!call->attr.excl_prog_hash)
		return call->attr.excl_prog_hash_size ? -EINVAL : 0;
	if (call->attr.excl_prog_hash_size != sizeof(map->prog_digest))
		return -EINVAL;
	if (sys_read(call, map->prog_digest, call->attr.excl_prog_hash, sizeof(map->prog_digest)))
		return -EFAULT;
	map->exclusive = true;
	return 0;
}

long sys_map_create(struct sys_call *call)
{
	struct sys_map *map;
	int error;

	error = check_attr(call);
	if (error)
		return error;
	map = base_zalloc(1, sizeof(*map));
	if (!map)
		return -ENOMEM;
	map->hive = call->hive;
	map->slot = RT_MAP_SLOTS;
	error = fill(call, map);
	if (!error)
		error = read_exclusive(call, map);
	if (!error)
		error = object_init(call->hive->objects, &map->object, OBJECT_MAP, release);
	if (error) {
		free_map(&map->deferred); /* no program has seen it */
		return error;
	}
	if (empties_without_users(map->rt->type))
		map->object.last_user = last_user;
	map->rt->id = map->object.id;
	sys_async_add_map(map);
	sys_map_image(map);
	return sys_install_consume(call, &map->object, sys_access_of_flags(call->attr.map_flags));
}

void sys_map_describe(const struct sys_map *map, struct verify_map *ret_description)
{
	const struct rt_map *rt = map->rt;
	struct verify_map *description = ret_description;

	memset(description, 0, sizeof(*description));
	description->type = rt->type;
	description->key_size = rt->key_size;
	description->value_size = rt->value_size;
	description->max_entries = sys_map_max_entries(map);
	description->flags = rt->flags;
	description->id = rt->id;
	description->map_extra = rt->map_extra;
	memcpy(description->name, rt->name, sizeof(description->name));
	description->frozen = map->frozen;
	description->prog_digest = map->exclusive ? map->prog_digest : NULL;
	description->address = (u64)(uintptr_t)rt;
	description->user_start = rt->user_start;
	description->user_size = rt->user_size;
	if (rt->type == BPF_MAP_TYPE_ARRAY) {
		description->value_address = (u64)(uintptr_t)rt->data;
		/* In control: what was read while verifying is what programs will read. */
		if (map->frozen && rt->flags & BPF_F_RDONLY_PROG)
			description->frozen_values = rt->data;
	}
	description->btf = map->btf ? map->btf->btf : NULL;
	description->fields = &map->fields;
	description->btf_key_type_id = map->btf_key_type_id;
	description->btf_value_type_id = map->btf_value_type_id;
	description->inner = sys_map_is_of_maps(map) ? &map->inner : NULL;
	description->owner_prog_type = map->owner_type;
	description->handle = (void *)(uintptr_t)map;
}

struct sys_map *sys_map_of(struct object *object)
{
	return container_of(object, struct sys_map, object);
}

const struct rt_map *sys_map_rt(struct object *object)
{
	return sys_map_of(object)->rt;
}

static u64 page_up(u64 size)
{
	return ALIGN_UP(size, (u64)PAGE);
}

int sys_map_mmap(struct object *object, int access, u32 prot, u32 map_flags, u64 offset, u64 length,
		 u64 *address)
{
	const struct rt_map *rt = sys_map_of(object)->rt;
	bool write = prot & PROT_WRITE;
	u64 size, place;
	int error;

	/* As for any file: every mapping reads, and a shared writable one writes. */
	if ((access & O_ACCMODE) == O_WRONLY || (write && (access & O_ACCMODE) == O_RDONLY))
		return -EACCES;
	if (rt->type != BPF_MAP_TYPE_ARRAY && rt->type != BPF_MAP_TYPE_RINGBUF &&
	    rt->type != BPF_MAP_TYPE_USER_RINGBUF && rt->type != ABI_MAP_TYPE_ARENA)
		return -ABI_ENOTSUPP;
	if (!(map_flags & MAP_SHARED))
		return -EINVAL;
	/* Nobody but programs and helpers touches special fields. */
	if (sys_map_of(object)->fields.nr)
		return -ABI_ENOTSUPP;
	if (write && sys_map_of(object)->frozen)
		return -EPERM;
	if (write && rt->flags & BPF_F_RDONLY_PROG)
		return -EACCES;
	if (rt->type == ABI_MAP_TYPE_ARENA) {
		error = sys_arena_mmap(sys_map_of(object), *address, map_flags, offset, length,
				       &place);
		if (!error)
			*address = (u64)(uintptr_t)rt_page_arena_pages(rt);
		return error;
	}
	if (rt->type == BPF_MAP_TYPE_ARRAY) {
		if (!(rt->flags & BPF_F_MMAPABLE))
			return -EINVAL;
		size = page_up((u64)rt->max_entries * rt->value_stride);
	} else {
		/* Who does not produce writes the consumer's position alone, who does all but that.
		 */
		if (write && rt->type == BPF_MAP_TYPE_RINGBUF && (offset || length != PAGE))
			return -EPERM;
		if (write && rt->type == BPF_MAP_TYPE_USER_RINGBUF && !offset)
			return -EPERM;
		size = 2 * PAGE + 2ull * rt->max_entries;
	}
	if (offset % PAGE || !length || offset > size || page_up(length) > size - offset)
		return -EINVAL;
	*address = (u64)(uintptr_t)rt->data + offset;
	return 0;
}
