/* SPDX-License-Identifier: BSD-2-Clause */
/* See map_image.h. How the kernel rounds sizes: the map_alloc of each type in kernel/bpf. */
#include "sys/map_image.h"

#include <string.h>

#include "abi/bpf_new.h"
#include "abi/map_struct.h"

/* The structure of one map, being written. */
struct image {
	const struct btf *btf;
	const char *structure;
	u8 *bytes;
};

static void set_bytes(const struct image *image, const char *structure, const char *member,
		      const void *bytes, u32 size)
{
	u32 bit, bits;

	/* Another kernel's may have no such member. */
	if (btf_find_path(image->btf, structure, member, &bit, &bits) && !(bit % 8) &&
	    size <= bits / 8 && bit / 8 + size <= RT_MAP_IMAGE_SIZE)
		memcpy(image->bytes + bit / 8, bytes, size);
}

static void set(const struct image *image, const char *structure, const char *member, u64 value)
{
	u32 bit, bits;

	if (btf_find_path(image->btf, structure, member, &bit, &bits) && bits <= 64)
		set_bytes(image, structure, member, &value, bits / 8);
}

static u64 round_up_to_power(u64 number)
{
	u64 power = 1;

	while (power < number)
		power <<= 1;
	return power;
}

static void set_hash(const struct image *image, const struct rt_map *rt, u32 max_entries)
{
	u32 id = btf_find(image->btf, "htab_elem", BTF_KIND_STRUCT), elem;
	bool percpu =
		rt->type == BPF_MAP_TYPE_PERCPU_HASH || rt->type == BPF_MAP_TYPE_LRU_PERCPU_HASH;

	set(image, "bpf_htab", "n_buckets", round_up_to_power(max_entries));
	if (id && !btf_size_of(image->btf, id, &elem))
		set(image, "bpf_htab", "elem_size",
		    elem + ALIGN_UP(rt->key_size, 8u) +
			    (percpu ? sizeof(void *) : ALIGN_UP(rt->value_size, 8u)));
}

/* What only the structures of some types have. */
static void set_own(const struct image *image, const struct rt_map *rt, u32 max_entries)
{
	if (!strcmp(image->structure, "bpf_array")) {
		set(image, "bpf_array", "elem_size", ALIGN_UP(rt->value_size, 8u));
		set(image, "bpf_array", "index_mask", round_up_to_power(max_entries) - 1);
	} else if (!strcmp(image->structure, "bpf_htab")) {
		set_hash(image, rt, max_entries);
	} else if (!strcmp(image->structure, "bpf_queue_stack")) {
		set(image, "bpf_queue_stack", "size", max_entries + 1ull);
	} else if (!strcmp(image->structure, "bpf_stack_map")) {
		set(image, "bpf_stack_map", "n_buckets", round_up_to_power(max_entries));
	} else if (!strcmp(image->structure, "lpm_trie")) {
		set(image, "lpm_trie", "data_size", rt->key_size - 4);
		set(image, "lpm_trie", "max_prefixlen", (rt->key_size - 4) * 8ull);
	} else if (rt->type == BPF_MAP_TYPE_DEVMAP_HASH) {
		set(image, "bpf_dtab", "n_buckets", round_up_to_power(max_entries));
	} else if (!strcmp(image->structure, "bpf_shtab")) {
		set(image, "bpf_shtab", "buckets_num", round_up_to_power(max_entries));
	}
}

void sys_map_image(struct sys_map *map)
{
	const struct rt_map *rt = map->rt;
	u32 max_entries = sys_map_max_entries(map);
	struct image image = { .structure = abi_map_struct(rt->type), .bytes = map->rt->image };

	if (!map->hive->reads_maps || !map->hive->kernel_btf || !image.structure)
		return;
	image.btf = map->hive->kernel_btf->btf;
	set(&image, "bpf_map", "map_type", rt->type);
	set(&image, "bpf_map", "key_size", rt->key_size);
	set(&image, "bpf_map", "value_size", rt->value_size);
	set(&image, "bpf_map", "max_entries", max_entries);
	set(&image, "bpf_map", "map_extra", rt->map_extra);
	set(&image, "bpf_map", "map_flags", rt->flags);
	set(&image, "bpf_map", "id", map->object.id);
	set(&image, "bpf_map", "numa_node", (u32)-1);
	set(&image, "bpf_map", "btf_key_type_id", map->btf_key_type_id);
	set(&image, "bpf_map", "btf_value_type_id", map->btf_value_type_id);
	set(&image, "bpf_map", "btf_vmlinux_value_type_id", map->btf_vmlinux_value_type_id);
	set_bytes(&image, "bpf_map", "name", rt->name, sizeof(rt->name));
	set(&image, "bpf_map", "frozen", map->frozen);
	set(&image, "bpf_map", "bypass_spec_v1", 1);
	set_own(&image, rt, max_entries);
}

void sys_map_images(struct sys_hive *hive)
{
	u32 id = 0;

	if (hive->reads_maps)
		return;
	hive->reads_maps = true;
	while ((id = object_next_id(hive->objects, OBJECT_MAP, id))) {
		struct object *object = object_by_id(hive->objects, OBJECT_MAP, id);

		if (object)
			sys_map_image(sys_map_of(object));
		object_unref(object);
	}
}
