/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Objects that programs allocate (bpf_obj_new and its family).
 *
 * They live in a heap of the data segment, where every process can write. Each size class has a
 * range of addresses of its own, told in control: an address alone says whether it is that of an
 * object and how large its memory is, whatever stands there. So a pointer that was taken out of
 * shared memory is compared with the range of its type's class, once, and is then as good as the
 * verifier believes; a forged one leads to another object, never out of the heap.
 *
 * An object is preceded by its header: free or not, the number of references, the type's number.
 * All of it may be scribbled over, which makes objects appear twice or never again.
 *
 * What a running program owns is noted in its vCPU's slot (`held`), and each change of several
 * words is preceded by notes of what they were (`undo`). When the program's process dies, or the
 * program is ended in the middle, whoever uses the slot next, or finds a lock of the dead, puts the
 * words back and drops what was held: nothing is lost and no list stays torn.
 *
 * Memory is used again when every vCPU was free once since the object was dropped.
 */
#ifndef SKEP_RT_OBJECT_H
#define SKEP_RT_OBJECT_H

#include "rt/map.h"
#include "rt/vcpu.h"

#define RT_OBJECT_CLASSES    18
#define RT_OBJECT_PLAIN	     12 /* classes of plain objects; those behind hold one for each vCPU */
#define RT_OBJECT_KERNEL     10 /* two classes of what stands for a kernel's: kernel_object.h */
#define RT_OBJECT_TYPES	     4096
#define RT_OBJECT_SIZE_MAX   4088 /* as the kernel's allocator; larger ones cannot be had */
#define RT_OBJECT_KERNEL_MAX (64u << 10)
#define RT_OBJECT_KERNEL_MIN (16u << 10)
#define RT_OBJECT_HELD	     64
#define RT_OBJECT_UNDO	     256

/*
 * What a call instruction says beside its arguments (bpf_insn.off, from the verifier): the type's
 * number, 0: none of a program's; and flags.
 */
#define RT_OBJECT_ARG_TYPE	  (RT_OBJECT_TYPES - 1)
#define RT_OBJECT_ARG_OWNED	  0x4000 /* bpf_refcount_acquire(): the caller owns a reference */
#define RT_OBJECT_ARG_PERCPU	  0x8000
/*
 * Of a load: it gives a pointer to so many bytes of memory, zeros if what it finds leads out of the
 * arena; or null, if it may and finds that.
 */
#define RT_OBJECT_ARG_MEMORY	  0x10000
#define RT_OBJECT_ARG_MEMORY_NULL 0x20000
#define RT_KERNEL_MEMORY	  0x10000

/* A program's structure, in control. */
struct rt_object_type {
	u32 index; /* its number, never 0 */
	u32 size;
	u32 class;	  /* of plain objects; RT_OBJECT_CLASSES: too large */
	u32 percpu_class; /* of objects for each CPU; the same */
	u32 node_offset;  /* in collections: where the node is */
	u32 nr_fields;
	struct rt_map_field fields[RT_MAP_FIELDS];
};

/* A range of equal elements: header and room. */
struct rt_object_class {
	u64 first;   /* address of the first object, behind its header */
	u32 nr;	     /* elements */
	u32 stride;  /* bytes from one to the next */
	u32 room;    /* bytes of an object, of one CPU's part */
	u32 parts;   /* 1, or one for each vCPU */
	u64 *bitmap; /* in data: elements that were given back */
	u64 *summary;
};

struct rt_object_header {
	u32 state; /* RT_OBJECT_FREE, …, or the token of who is making it */
	s32 refs;
	u32 type;  /* number, as RT_OBJECT_ARG_* has it */
	u32 owner; /* token of who took it last */
};

#define RT_OBJECT_FREE	  0u
#define RT_OBJECT_LIVE	  1u
#define RT_OBJECT_WAITING 2u /* dropped; type and owner are the address of the next such one */

/* A vCPU's own part; whoever's token stands there may use it. */
struct rt_object_slot {
	u32 token;
	u32 nr_held, nr_undo;
	u32 unused;
	struct {
		u64 object;
		u64 target; /* 0: held; else on its way into or out of this place */
	} held[RT_OBJECT_HELD];
	struct {
		u64 address, value;
	} undo[RT_OBJECT_UNDO];
	/* Dropped objects: those since the last look, and those that wait for the vCPUs in seen. */
	u64 dropped, waiting;
	u64 seen[RT_VCPU_MAX];
} __attribute__((aligned(64)));

/* In the low bit of target: the place is a node's owner, and 0 there means "out". */
#define RT_OBJECT_IN_GRAPH 1u
/* Or: it is no place, but how many references there are if this one was counted, from bit 8 on. */
#define RT_OBJECT_COUNTING 2u
/* Or: how many there are as long as this one was not given back. */
#define RT_OBJECT_DROPPING 3u

struct rt_object_shared {
	struct {
		u32 fresh;    /* elements from here on were never used */
		u32 cursor;   /* where the search for lost ones goes on */
		u32 reusable; /* bits in the bitmap, about */
		u32 hint;     /* word of the bitmap where one was set last */
	} __attribute__((aligned(64))) class[RT_OBJECT_CLASSES];
	struct rt_object_slot slots[RT_VCPU_MAX];
};

/* In control; RT_CONTROL->objects, NULL until a program needs it. */
struct rt_object_heap {
	struct rt_object_class class[RT_OBJECT_CLASSES];
	struct rt_object_shared *shared;
	const struct rt_object_type *types[RT_OBJECT_TYPES];
};

/* Bytes of data that a heap of this many vCPUs takes if its ranges have `range` bytes each. */
u64 rt_object_heap_size(u64 range);

/* Lays out a heap over zeroed memory of that size. */
void rt_object_heap_init(struct rt_object_heap *heap, void *memory, u64 range, u32 nr_vcpus);

/* The class for objects of size bytes; RT_OBJECT_CLASSES: there is none. */
u32 rt_object_class_for(u32 size, bool percpu);

/* Objects that are not free, for accounting. */
u64 rt_objects_in_use(void);

/* The type of a call's argument (RT_OBJECT_ARG_*); NULL: none. */
static inline const struct rt_object_type *rt_object_type_of(u32 arg)
{
	const struct rt_object_heap *heap = RT_CONTROL->objects;

	return heap ? heap->types[arg & RT_OBJECT_ARG_TYPE] : NULL;
}

/* address if it is that of an object of the class, else 0. */
static inline u64 rt_object_in_class(u32 class, u64 address)
{
	const struct rt_object_heap *heap = RT_CONTROL->objects;
	const struct rt_object_class *c;
	u64 offset;

	if (unlikely(!heap || class >= RT_OBJECT_CLASSES))
		return 0;
	c = &heap->class[class];
	offset = address - c->first;
	if (offset >= (u64)c->nr * c->stride || offset % c->stride)
		return 0;
	return address;
}

/* A pointer that stood in shared memory, if it is one to an object of the type; else 0. */
static inline u64 rt_object_check(const struct rt_object_type *type, bool percpu, u64 address)
{
	return type ? rt_object_in_class(percpu ? type->percpu_class : type->class, address) : 0;
}

/* The same by the number that is in an instruction (RT_OBJECT_ARG_*). */
u64 rt_object_check_arg(u32 arg, u64 address);

static inline struct rt_object_header *rt_object_header_of(u64 object)
{
	return (struct rt_object_header *)object - 1;
}

/* A zeroed object with one reference, held by vcpu; 0: there is no memory. */
u64 rt_object_new(const struct rt_object_type *type, bool percpu, struct rt_vcpu *vcpu);

/*
 * Gives a reference of vcpu back. With the last one what is in the object's fields is dropped, too,
 * and the object's memory will be used again.
 */
void rt_object_drop(const struct rt_object_type *type, bool percpu, u64 object,
		    struct rt_vcpu *vcpu);

/* The same by the type that is noted with the object, which may be any number: if it is no object
 * or has no type, nothing is given back. */
void rt_object_drop_untyped(u64 object, struct rt_vcpu *vcpu);

/* One more reference, held by vcpu. False: the object is on its way out. */
bool rt_object_acquire(u64 object, struct rt_vcpu *vcpu);

/* bpf_kptr_xchg(): *place becomes new (0: none); what was there is vcpu's now. */
u64 rt_object_exchange(const struct rt_object_type *type, bool percpu, u64 *place, u64 new,
		       struct rt_vcpu *vcpu);

/* What a field of a value or object holds is taken out and dropped. Lists and trees: under the
 * lock, if there is one, which the caller does not hold. */
void rt_object_end_field(const struct rt_map_field *field, void *value, u32 *lock,
			 struct rt_vcpu *vcpu);

/* A lock was found in the hands of a dead owner: what that left half done is put back. */
void rt_object_takeover(u32 dead, struct rt_vcpu *vcpu);

/* What dead processes and ended programs still hold is dropped, on all vCPUs. */
void rt_object_reclaim(struct rt_vcpu *vcpu);

/* Inside: rt/object.c, rt/graph.c. The slot of vcpu, NULL: someone else tidies it up just now. */
struct rt_object_slot *rt_object_enter(struct rt_vcpu *vcpu);
void rt_object_hold(struct rt_object_slot *slot, u64 object, u64 target);
void rt_object_unhold(struct rt_object_slot *slot, u64 object);
/* Its entry's target; 0: it is held. */
void rt_object_aim(struct rt_object_slot *slot, u64 object, u64 target);
/* *(u64 *)address = value, noted before; false: there is no room for the note. */
bool rt_object_put(struct rt_object_slot *slot, u64 address, u64 value);
/* The changes since the last call are for good; or are taken back. */
void rt_object_commit(struct rt_object_slot *slot);
void rt_object_rollback(struct rt_object_slot *slot);

#endif
