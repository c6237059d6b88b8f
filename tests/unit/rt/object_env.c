/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See object_env.h.
 */
#include "object_env.h"

#include <string.h>

#include "harness/tap.h"
#include "rt/lock.h"
#include "rt/prog.h"

#define LIMIT 100000

static struct rt_object_type *add_type(struct object_env *env, u32 index, u32 size, u32 node_offset)
{
	struct rt_object_type *type = arena_alloc(env->arena, ARENA_CONTROL, sizeof(*type), 64);

	if (!type)
		tap_bail("no memory for a type");
	type->index = index;
	type->size = size;
	type->class = rt_object_class_for(size, false);
	type->percpu_class = rt_object_class_for(size, true);
	type->node_offset = node_offset;
	env->heap->types[index] = type;
	return type;
}

void object_env_new(struct object_env *env, u32 nr_vcpus, u64 range)
{
	object_env_open(env, env_new(nr_vcpus), range);
}

void object_env_open(struct object_env *env, struct arena *arena, u64 range)
{
	void *memory;

	env->arena = arena;
	env->size = rt_object_heap_size(range);
	env->heap = arena_alloc(env->arena, ARENA_CONTROL, sizeof(*env->heap), 64);
	memory = arena_alloc(env->arena, ARENA_DATA, env->size, 4096);
	env->place = arena_alloc(env->arena, ARENA_DATA, 4096, 4096);
	if (!env->heap || !memory || !env->place)
		tap_bail("no memory for a heap");
	rt_object_heap_init(env->heap, memory, range, RT_CONTROL->nr_vcpus);
	RT_CONTROL->objects = env->heap;
	env->item = add_type(env, 1, sizeof(struct item), 0);
	env->listed = add_type(env, 2, sizeof(struct item), offsetof(struct item, list));
	env->treed = add_type(env, 3, sizeof(struct item), offsetof(struct item, tree));
	env->owner = add_type(env, 4, sizeof(struct owner), 0);
	env->owner->nr_fields = 2;
	env->owner->fields[0] = (struct rt_map_field){ 0, 16, RT_FIELD_LIST, env->listed };
	env->owner->fields[1] = (struct rt_map_field){ 16, 8, RT_FIELD_OBJECT, env->owner };
	env->fields[0] = (struct rt_map_field){ offsetof(struct place, head), 16, RT_FIELD_LIST,
						env->listed };
	env->fields[1] = (struct rt_map_field){ offsetof(struct place, root), 16, RT_FIELD_TREE,
						env->treed };
	env->fields[2] = (struct rt_map_field){ offsetof(struct place, item), 8, RT_FIELD_OBJECT,
						env->item };
	env->fields[3] = (struct rt_map_field){ offsetof(struct place, owner), 8, RT_FIELD_OBJECT,
						env->owner };
}

void object_env_close(struct object_env *env)
{
	struct rt_object_type *const types[] = { env->item, env->listed, env->treed, env->owner };

	RT_CONTROL->objects = NULL;
	for (u32 i = 0; i < ARRAY_SIZE(types); i++)
		arena_release(env->arena, ARENA_CONTROL, types[i], sizeof(*types[i]));
	arena_release(env->arena, ARENA_DATA, env->place, 4096);
	arena_release(env->arena, ARENA_DATA, env->heap->shared, env->size);
	arena_release(env->arena, ARENA_CONTROL, env->heap, sizeof(*env->heap));
}

#define INSN(c, d, s, o, i)                                                              \
	{                                                                                \
		.code = (c), .dst_reg = (d), .src_reg = (s), .off = (s16)(o), .imm = (i) \
	}
#define TO_KEY (-(int)offsetof(struct item, tree))

void object_env_program(struct rt_vcpu *vcpu)
{
	static const struct bpf_insn insns[] = {
		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
		INSN(BPF_LDX | BPF_MEM | BPF_DW, 3, 1, TO_KEY, 0),
		INSN(BPF_LDX | BPF_MEM | BPF_DW, 4, 2, TO_KEY, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 1),
		INSN(BPF_JMP | BPF_JLT | BPF_X, 3, 4, 1, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0),
		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
	};
	static const struct rt_subprog subprogs[] = { { 0, 0 }, { 1, 0 } };
	static const struct rt_prog prog = {
		.nr_insns = ARRAY_SIZE(insns),
		.nr_subprogs = ARRAY_SIZE(subprogs),
		.insns = insns,
		.subprogs = subprogs,
	};

	vcpu->prog = &prog;
	vcpu->frame = 0;
	vcpu->aborted = false;
}

bool object_env_lock(struct object_env *env, struct rt_vcpu *vcpu)
{
	u32 dead;

	if (rt_lock_acquire(&env->place->lock, vcpu, &dead))
		return false;
	rt_object_takeover(dead, vcpu);
	return true;
}

void object_env_unlock(struct object_env *env)
{
	rt_lock_release(&env->place->lock);
}

u64 object_env_item(struct object_env *env, u64 key, struct rt_vcpu *vcpu)
{
	u64 object = rt_object_new(env->item, false, vcpu);

	if (object)
		((struct item *)object)->key = key;
	return object;
}

static const char *check_list(const u64 head[2], u32 *count)
{
	u64 node = head[0], before = 0;

	for (u32 i = 0; node; i++) {
		const u64 *words = (const u64 *)node;

		if (i == LIMIT)
			return "a list without an end";
		if (words[1] != before)
			return "a node's way back";
		if (words[2] != (u64)head)
			return "a node that is another list's";
		++*count;
		before = node;
		node = words[0];
	}
	return head[1] == before ? NULL : "the end of a list";
}

struct tree_walk {
	u64 root, least, last_key;
	u32 count;
	const char *wrong;
};

/* Black nodes on the way down, -1: something is wrong. */
static s32 check_below(struct tree_walk *walk, u64 node, u64 parent, bool parent_red, u32 depth)
{
	const struct item *item = (const void *)(node - offsetof(struct item, tree));
	s32 left, right;
	bool red;

	if (!node)
		return 0;
	if (depth > 100 || ++walk->count > LIMIT) {
		walk->wrong = "a tree without an end";
		return -1;
	}
	red = !(item->tree[2] & 1);
	if ((item->tree[2] & ~1UL) != parent)
		walk->wrong = "a node's parent";
	if (item->tree[3] != walk->root)
		walk->wrong = "a node that is another tree's";
	if (red && parent_red)
		walk->wrong = "two red nodes";
	left = check_below(walk, item->tree[0], node, red, depth + 1);
	if (!walk->least)
		walk->least = node;
	if (item->key < walk->last_key)
		walk->wrong = "the order of a tree";
	walk->last_key = item->key;
	right = check_below(walk, item->tree[1], node, red, depth + 1);
	if (left != right)
		walk->wrong = "the balance of a tree";
	return walk->wrong ? -1 : left + !red;
}

static u32 count_owners(u64 owner, const char **wrong)
{
	u32 count = 0;

	for (u32 i = 0; owner && !*wrong && i < LIMIT; i++) {
		const struct owner *o = (const struct owner *)owner;

		count++;
		*wrong = check_list(o->head, &count);
		owner = o->child;
	}
	return count;
}

const char *object_env_check(const struct object_env *env, u32 *ret_objects)
{
	const struct place *place = env->place;
	struct tree_walk walk = { .root = (u64)place->root };
	const char *wrong;

	*ret_objects = 0;
	wrong = check_list(place->head, ret_objects);
	check_below(&walk, place->root[0], 0, true, 0);
	*ret_objects += walk.count + (place->item != 0);
	if (!wrong)
		*ret_objects += count_owners(place->owner, &wrong);
	if (!wrong && place->root[1] != walk.least)
		wrong = "the leftmost node";
	return wrong ? wrong : walk.wrong;
}

void object_env_clear(struct object_env *env, struct rt_vcpu *vcpu)
{
	for (u32 i = 0; i < ARRAY_SIZE(env->fields); i++)
		rt_object_end_field(&env->fields[i], env->place, &env->place->lock, vcpu);
}
