/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Array maps: results in the kernel's order of precedence, the layout that clients map, per-CPU
 * values, arrays of objects.
 */
#include <errno.h>
#include <string.h>

#include "harness/tap.h"
#include "map_env.h"
#include "rt/map/ops.h"

static void test_array(struct arena *arena, struct rt_vcpu *vcpu)
{
	struct rt_map *map = env_map(arena, BPF_MAP_TYPE_ARRAY, 4, 12, 5, 0);
	u8 value[12] = "hello world", out[12];
	u32 key = 2, next;

	tap_is(rt_map_update_elem(map, &key, value, BPF_ANY, vcpu), 0, "array: update");
	tap_ok(!memcmp(map->data + 2 * 16, value, 12), "array: element 2 lies at 2 × stride");
	tap_ok(rt_map_lookup_elem(map, &key, vcpu) == map->data + 32, "array: lookup points there");
	tap_is(rt_map_copy_out(map, &key, out, 0, vcpu), 0, "array: copy out");
	tap_ok(!memcmp(out, value, 12), "array: what went in comes out");
	tap_is(rt_map_update_elem(map, &key, value, BPF_NOEXIST, vcpu), -EEXIST, "array: NOEXIST");
	tap_is(rt_map_update_elem(map, &key, value, BPF_EXIST, vcpu), 0, "array: EXIST");
	tap_is(rt_map_update_elem(map, &key, value, 3, vcpu), -EINVAL, "array: bad flags");
	tap_is(rt_map_update_elem(map, &key, value, BPF_F_LOCK, vcpu), -EINVAL, "array: F_LOCK");
	key = 5;
	tap_is(rt_map_update_elem(map, &key, value, BPF_NOEXIST, vcpu), -E2BIG, "array: too far");
	tap_is(rt_map_update_elem(map, &key, value, 3, vcpu), -EINVAL, "array: flags come first");
	tap_ok(!rt_map_lookup_elem(map, &key, vcpu), "array: nothing at the end");
	tap_is(rt_map_copy_out(map, &key, out, 0, vcpu), -ENOENT, "array: copy out at the end");
	tap_is(rt_map_delete_elem(map, &key, vcpu), -EINVAL, "array: no deletion");
	tap_is(rt_map_get_next_key(map, NULL, &next, vcpu), 0, "array: first key");
	tap_is(next, 0, "array: which is 0");
	key = 3;
	tap_is(rt_map_get_next_key(map, &key, &next, vcpu), 0, "array: key after 3");
	tap_is(next, 4, "array: is 4");
	tap_is(rt_map_get_next_key(map, &next, &next, vcpu), -ENOENT, "array: then none");
	key = 77;
	tap_is(rt_map_get_next_key(map, &key, &next, vcpu), 0, "array: unknown key");
	tap_is(next, 0, "array: begins again");
	tap_is((u64)map->data % 4096, 0, "array: page-aligned");
	tap_is(map->index_mask, 7, "array: index mask");
	env_map_free(arena, map);
}

static void test_percpu_array(struct arena *arena, struct rt_vcpu *vcpu)
{
	struct rt_map *map = env_map(arena, BPF_MAP_TYPE_PERCPU_ARRAY, 4, 4, 3, 0);
	u64 all[4], out[4];
	u32 key = 1, one = 41, *mine;

	tap_is(rt_map_user_value_size(map), 32, "percpu array: 8 bytes a vCPU");
	for (u32 i = 0; i < 4; i++)
		all[i] = 10 + i;
	tap_is(rt_map_copy_in(map, &key, all, 0, vcpu), 0, "percpu array: copy in");
	tap_is(rt_map_copy_in(map, &key, all, BPF_F_LOCK, vcpu), -EINVAL, "percpu array: F_LOCK");
	mine = rt_map_lookup_elem(map, &key, vcpu);
	tap_is(*mine, 10 + vcpu->index, "percpu array: a program sees its vCPU's");
	tap_is(rt_map_update_elem(map, &key, &one, 0, vcpu), 0, "percpu array: update of one");
	rt_map_copy_out(map, &key, out, 0, vcpu);
	all[vcpu->index] = 41;
	tap_ok(!memcmp(all, out, sizeof(all)), "percpu array: the others stay");
	tap_is(*(u32 *)rt_map_lookup_percpu_elem(map, &key, 3, vcpu), all[3],
	       "percpu array: lookup of another's");
	tap_ok(!rt_map_lookup_percpu_elem(map, &key, 4, vcpu), "percpu array: no such vCPU");
	env_map_free(arena, map);
}

static void test_objects(struct arena *arena, struct rt_vcpu *vcpu)
{
	struct rt_map *map = env_map(arena, BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 2, 0);
	u32 key = 0;

	tap_ok((u64)map->data >= RT_CONTROL_BASE && (u64)map->data < RT_DATA_BASE,
	       "objects lie in control");
	tap_ok(!rt_map_object(map, 0), "objects: empty");
	tap_is(rt_map_set_object(map, 1, arena), 0, "objects: set");
	tap_ok(rt_map_object(map, 1) == arena, "objects: get");
	tap_is(rt_map_set_object(map, 2, arena), -E2BIG, "objects: set too far");
	tap_ok(!rt_map_object(map, 2) && !rt_map_object(map, ~0u), "objects: get too far");
	tap_ok(!rt_map_lookup_elem(map, &key, vcpu), "objects: no lookup of pointers");
	tap_is(rt_map_update_elem(map, &key, &key, 0, vcpu), -EOPNOTSUPP, "objects: no update");
	tap_is(rt_map_user_value_size(map), 4, "objects: clients see ids");
	env_map_free(arena, map);
	map = env_map(arena, BPF_MAP_TYPE_ARRAY, 4, 4, 2, 0);
	tap_ok(!rt_map_object(map, 0), "objects: none in other maps");
	tap_is(rt_map_set_object(map, 0, arena), -EINVAL, "objects: none into other maps");
	env_map_free(arena, map);
}

static void test_sizes(void)
{
	struct rt_map_spec spec = { .type = BPF_MAP_TYPE_ARRAY,
				    .key_size = 4,
				    .value_size = 1u << 30,
				    .max_entries = 1u << 30,
				    .nr_vcpus = 2 };

	tap_is(rt_map_memory_size(&spec), 0, "too big an array");
	spec.type = BPF_MAP_TYPE_HASH;
	tap_is(rt_map_memory_size(&spec), 0, "too big a hash");
	spec.max_entries = ~0u;
	spec.value_size = 1;
	tap_is(rt_map_memory_size(&spec), 0, "too many elements");
	spec.type = 9999;
	tap_is(rt_map_memory_size(&spec), 0, "unknown type");
	spec = (struct rt_map_spec){ .type = BPF_MAP_TYPE_RINGBUF, .max_entries = 4096 + 8 };
	tap_is(rt_map_memory_size(&spec), 0, "odd size of a ring");
	spec = (struct rt_map_spec){ .type = BPF_MAP_TYPE_ARRAY,
				     .value_size = 8,
				     .max_entries = 1,
				     .flags = BPF_F_RDONLY_PROG };
	tap_ok(rt_map_in_control(&spec), "constants lie in control");
	tap_is(rt_map_memory_size(&spec), 4096, "one page at least");
}

int main(void)
{
	struct arena *arena = env_new(4);
	struct rt_vcpu *vcpu = env_vcpu();

	test_array(arena, vcpu);
	test_percpu_array(arena, vcpu);
	test_objects(arena, vcpu);
	test_sizes();
	rt_vcpu_release(vcpu);
	arena_free(arena);
	return tap_done();
}
