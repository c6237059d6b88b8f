/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What tests of objects stand on: a small heap, a type that can be in a list and in a tree, a type
 * that has a list and a pointer, a value with a lock and one of each, a program that compares, and
 * a walk that says whether everything is where it has to be.
 */
#ifndef SKEP_TESTS_OBJECT_ENV_H
#define SKEP_TESTS_OBJECT_ENV_H

#include "map_env.h"
#include "rt/graph.h"
#include "rt/object.h"

struct item {
	u64 key;
	u64 list[3];
	u64 tree[4];
};

struct owner {
	u64 head[2];
	u64 child; /* another owner */
	u64 number;
};

/* In shared memory. */
struct place {
	u32 lock, spare;
	u64 head[2];
	u64 root[2];
	u64 item;  /* a pointer to an item */
	u64 owner; /* a pointer to an owner */
};

struct object_env {
	struct arena *arena;
	struct rt_object_heap *heap;
	u64 size;			       /* of its memory in data */
	struct rt_object_type *listed, *treed; /* item, by the node that counts */
	struct rt_object_type *item, *owner;
	struct place *place;
	struct rt_map_field fields[4]; /* of place: list, tree, item, owner */
};

/* range: bytes for each class. */
void object_env_new(struct object_env *env, u32 nr_vcpus, u64 range);

/* The same in an arena that is there already, and the end of it. */
void object_env_open(struct object_env *env, struct arena *arena, u64 range);
void object_env_close(struct object_env *env);

/* The vCPU runs a program whose subprogram 1 compares two items of a tree by key. */
void object_env_program(struct rt_vcpu *vcpu);

/* As bpf_spin_lock() does. */
bool object_env_lock(struct object_env *env, struct rt_vcpu *vcpu);
void object_env_unlock(struct object_env *env);

u64 object_env_item(struct object_env *env, u64 key, struct rt_vcpu *vcpu);

static inline u64 listed_node(u64 object)
{
	return object + offsetof(struct item, list);
}

static inline u64 treed_node(u64 object)
{
	return object + offsetof(struct item, tree);
}

/*
 * Under the lock, nobody working: NULL if list and tree are what they have to be, otherwise what is
 * wrong. *ret_objects is how many objects the place holds.
 */
const char *object_env_check(const struct object_env *env, u32 *ret_objects);

/* Everything that the place holds is dropped. */
void object_env_clear(struct object_env *env, struct rt_vcpu *vcpu);

#endif
