/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BPF_MAP_CREATE: the attributes by their type's rules (map_rules.h), in the order of map_create()
 * of kernel/bpf/syscall.c, then the descriptor and the memory in the arena. A map that programs
 * only read, or that holds objects, has its memory in the control segment, where no traced process
 * can write.
 */
#include "base/alloc.h"
#include "rt/arena.h"
#include "rt/map_slot.h"
#include "rt/page_arena.h"
#include "rt/storage.h"
#include "sys/async.h"
#include "sys/hive.h"
#include "sys/map_image.h"
#include "sys/map_rules.h"
#include "sys/map_slot.h"
#include "sys/object_type.h"
#include "sys/struct_ops.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#define PAGE 4096u

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
		if (!sys_map_may_have(field->kind, attr->map_type))
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
	const struct map_rules *rules = sys_map_rules(attr->map_type);
	const struct btf_type *key = NULL, *value;
	u32 id = attr->btf_key_type_id, size;
	int error;

	if (id) {
		key = btf_sized_type(btf, &id, &size);
		if (!key || size != attr->key_size)
			return -EINVAL;
	} else if (!rules->check_btf) {
		return -EINVAL;
	}
	id = attr->btf_value_type_id;
	value = btf_sized_type(btf, &id, &size);
	if (!value || size != attr->value_size)
		return -EINVAL;
	error = take_fields(call, map, btf, id);
	if (error)
		return error;
	return rules->check_btf ? rules->check_btf(attr, btf, key, value) : 0;
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
	const struct map_rules *rules;
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
	if (sys_map_wants_node(attr) && attr->numa_node)
		return -EINVAL;
	rules = sys_map_rules(attr->map_type);
	if (!rules) {
		if (abi_map_type_name(attr->map_type) && attr->map_type)
			sys_say(call->hive,
				"map \"%.16s\": maps of type %s are not available in user space",
				attr->map_name, abi_map_type_name(attr->map_type));
		return -EINVAL;
	}
	error = rules->check ? rules->check(attr) : 0;
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
	return rules->check_last ? rules->check_last(attr) : 0;
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
	if (sys_map_is_lru(spec.type) && spec.flags & BPF_F_NO_COMMON_LRU)
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
