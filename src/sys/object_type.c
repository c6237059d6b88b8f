/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The types of objects that programs allocate or hold, as the data plane knows them (rt/object.h):
 * made in control from a program's BTF or the kernel's when the first program or map needs them,
 * and gone with the BTF. The heap itself is laid out with the first type; it takes an eighth of the
 * data segment's addresses, and of its memory what is used.
 */
#include "sys/object_type.h"
#include "abi/kfunc.h"
#include "base/alloc.h"
#include "btf/fields.h"
#include "btf/walk.h"
#include "rt/kernel_object.h"
#include "rt/task_model.h"

#include <string.h>

#define RANGE_SHARE (8u * RT_OBJECT_CLASSES) /* of the data segment, for each class */
#define PAGE	    4096u

struct sys_object_type {
	struct sys_deferred deferred;
	struct sys_hive *hive;
	struct sys_object_type *next;
	const struct btf *btf;
	u32 id, node_offset;
	struct rt_object_type *rt;
	bool resolved; /* its fields' types are known */
};

static struct rt_object_heap *heap_of(struct sys_hive *hive)
{
	struct arena *arena = hive->options.arena;
	u64 range = RT_CONTROL->data_size / RANGE_SHARE / PAGE * PAGE;
	u64 size = rt_object_heap_size(range);
	struct rt_object_heap *heap;
	void *memory;

	if (RT_CONTROL->objects)
		return RT_CONTROL->objects;
	heap = arena_alloc(arena, ARENA_CONTROL, sizeof(*heap), 64);
	memory = heap ? arena_alloc(arena, ARENA_DATA, size, PAGE) : NULL;
	if (!memory) {
		if (heap)
			arena_release(arena, ARENA_CONTROL, heap, sizeof(*heap));
		sys_say(hive, "no room for a heap of %llu MiB in the hive's arena",
			(unsigned long long)size >> 20);
		return NULL;
	}
	rt_object_heap_init(heap, memory, range, RT_CONTROL->nr_vcpus);
	__atomic_store_n(&RT_CONTROL->objects, heap, __ATOMIC_RELEASE);
	return heap;
}

static struct sys_object_type *find(struct sys_hive *hive, const struct btf *btf, u32 id,
				    u32 node_offset)
{
	struct sys_object_type *type = hive->object_types;

	while (type && (type->btf != btf || type->id != id || type->node_offset != node_offset))
		type = type->next;
	return type;
}

static u32 free_index(const struct rt_object_heap *heap)
{
	for (u32 i = 1; i < RT_OBJECT_TYPES; i++)
		if (!heap->types[i])
			return i;
	return 0;
}

static bool is_of_kernel(const struct sys_hive *hive, const struct btf *btf)
{
	return hive->kernel_btf && btf == hive->kernel_btf->btf;
}

/*
 * Bytes of what stands for a structure of the kernel's: images of it and of what it leads to, or an
 * iterator with those that it gives. 0: nothing does.
 */
static u32 kernel_size(struct sys_hive *hive, const struct btf *btf, u32 id)
{
	const char *name = btf_type_name(btf, id);
	u32 size = 0;

	sys_task_layout(hive);
	if (!name)
		return 0;
	if (!strcmp(name, "task_struct"))
		return rt_task_image_size();
	if (!strcmp(name, "cgroup"))
		return rt_cgroup_image_size();
	if (!strcmp(name, "bpf_iter_task") || !strcmp(name, "bpf_iter_css_task"))
		return rt_iterator_size(rt_task_image_size());
	if (!strcmp(name, "bpf_iter_css"))
		return rt_iterator_size(rt_cgroup_image_size());
	if (!strcmp(name, "bpf_iter_task_vma"))
		return rt_iterator_size(rt_area_image_size());
	if (!strcmp(name, "file"))
		return rt_file_object_size();
	return btf_size_of(btf, id, &size) ? 0 : size;
}

/* The class of an object; RT_OBJECT_CLASSES: it is too large. */
static u32 class_for(u32 size, bool of_kernel)
{
	if (of_kernel && size > RT_OBJECT_SIZE_MAX && size <= RT_OBJECT_KERNEL_MAX)
		return RT_OBJECT_KERNEL + (size > RT_OBJECT_KERNEL_MIN);
	return rt_object_class_for(size, false);
}

/* The type without what its fields lead to. */
static struct sys_object_type *add(struct sys_hive *hive, const struct btf *btf, u32 id,
				   u32 node_offset)
{
	struct sys_object_type *type = find(hive, btf, id, node_offset);
	struct rt_object_heap *heap = heap_of(hive);
	u32 index = heap ? free_index(heap) : 0, size = 0;
	bool of_kernel = is_of_kernel(hive, btf);
	struct rt_object_type *rt;

	if (type || !index)
		return type;
	if (of_kernel)
		size = kernel_size(hive, btf, id);
	else if (btf_size_of(btf, id, &size))
		return NULL;
	type = base_zalloc(1, sizeof(*type));
	rt = type ? arena_alloc(hive->options.arena, ARENA_CONTROL, sizeof(*rt), 64) : NULL;
	if (!rt) {
		base_free(type);
		return NULL;
	}
	rt->index = index;
	rt->size = size;
	rt->class = class_for(size, of_kernel);
	rt->percpu_class = rt_object_class_for(size, true);
	rt->node_offset = node_offset < size ? node_offset : 0;
	*type = (struct sys_object_type){
		.hive = hive, .btf = btf, .id = id, .node_offset = node_offset, .rt = rt
	};
	type->next = hive->object_types;
	hive->object_types = type;
	__atomic_store_n(&heap->types[index], rt, __ATOMIC_RELEASE);
	return type;
}

static enum rt_field_kind kind_of(const struct btf_field *field)
{
	bool local = field->btf && btf_is_program(field->btf);
	bool kept = local ||
		    (field->btf && abi_struct_is_object(btf_type_name(field->btf, field->type_id)));

	switch (field->kind) {
	case BTF_FIELD_TIMER: return RT_FIELD_TIMER;
	case BTF_FIELD_WORKQUEUE: return RT_FIELD_WORKQUEUE;
	case BTF_FIELD_KPTR_REF: return kept ? RT_FIELD_OBJECT : RT_FIELD_POINTER;
	case BTF_FIELD_KPTR_PERCPU: return local ? RT_FIELD_PERCPU_OBJECT : RT_FIELD_POINTER;
	case BTF_FIELD_KPTR_UNREF: return RT_FIELD_POINTER;
	case BTF_FIELD_LIST_HEAD: return RT_FIELD_LIST;
	case BTF_FIELD_RB_ROOT: return RT_FIELD_TREE;
	default: return RT_FIELD_PLAIN;
	}
}

/* The field for the data plane. False: there is no room for its type. */
static bool set_field(struct sys_hive *hive, const struct btf_field *field,
		      struct rt_map_field *ret_field)
{
	struct sys_object_type *type;
	u32 kind = kind_of(field), node = field->node_offset;

	*ret_field = (struct rt_map_field){ field->offset, field->size, kind, NULL };
	if (kind == RT_FIELD_OBJECT || kind == RT_FIELD_PERCPU_OBJECT)
		node = SYS_OBJECT_NO_NODE;
	else if (kind != RT_FIELD_LIST && kind != RT_FIELD_TREE)
		return true;
	type = add(hive, field->btf, field->type_id, node);
	ret_field->type = type ? type->rt : NULL;
	return type;
}

/* Types lead to types: until there is none left whose fields are not known. */
static bool resolve_all(struct sys_hive *hive)
{
	struct sys_object_type *type = hive->object_types;
	bool good = true;

	while (type && good) {
		const struct btf_fields *fields = btf_fields_of_object(type->btf, type->id);

		if (type->resolved) {
			type = type->next;
			continue;
		}
		for (u32 i = 0; fields && i < fields->nr && good; i++)
			good = set_field(hive, &fields->field[i], &type->rt->fields[i]);
		if (good) {
			__atomic_store_n(&type->rt->nr_fields, fields ? fields->nr : 0,
					 __ATOMIC_RELEASE);
			type->resolved = true;
		}
		/* New ones are at the beginning. */
		type = hive->object_types;
	}
	return good;
}

u32 sys_object_type(struct sys_hive *hive, const struct btf *btf, u32 id, u32 node_offset)
{
	struct sys_object_type *type = add(hive, btf, id, node_offset);

	if (type && resolve_all(hive))
		return type->rt->index;
	sys_say(hive, "no room for the types of a program's objects: %u are there",
		RT_OBJECT_TYPES);
	return 0;
}

bool sys_object_field(struct sys_hive *hive, const struct btf_field *field,
		      struct rt_map_field *ret_field)
{
	return set_field(hive, field, ret_field) && resolve_all(hive);
}

static void free_type(struct sys_deferred *deferred)
{
	struct sys_object_type *type = container_of(deferred, struct sys_object_type, deferred);

	arena_release(type->hive->options.arena, ARENA_CONTROL, type->rt, sizeof(*type->rt));
	base_free(type);
}

void sys_object_types_forget(struct sys_hive *hive, const struct btf *btf)
{
	struct sys_object_type **link = &hive->object_types;
	struct rt_vcpu *vcpu;

	if (!RT_CONTROL->objects || !hive->object_types)
		return;
	/* What dead programs still hold can be dropped as long as its type is known. */
	vcpu = sys_vcpu_acquire(NULL);
	if (vcpu) {
		rt_object_reclaim(vcpu);
		sys_vcpu_release(vcpu);
	}
	while (*link) {
		struct sys_object_type *type = *link;

		if (type->btf != btf) {
			link = &type->next;
			continue;
		}
		*link = type->next;
		__atomic_store_n(&RT_CONTROL->objects->types[type->rt->index], NULL,
				 __ATOMIC_RELEASE);
		sys_defer(hive, &type->deferred, free_type);
	}
}

void sys_object_heap_end(struct sys_hive *hive)
{
	struct arena *arena = hive->options.arena;
	struct rt_object_heap *heap = RT_CONTROL->objects;

	if (!heap)
		return;
	/* Those of the kernel's BTF: nobody forgot them. */
	for (struct sys_object_type *type = hive->object_types, *next; type; type = next) {
		next = type->next;
		free_type(&type->deferred);
	}
	hive->object_types = NULL;
	RT_CONTROL->objects = NULL;
	arena_release(arena, ARENA_DATA, heap->shared,
		      rt_object_heap_size(RT_CONTROL->data_size / RANGE_SHARE / PAGE * PAGE));
	arena_release(arena, ARENA_CONTROL, heap, sizeof(*heap));
}
