/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps as the data plane sees them. The descriptor is in the control segment and constant;
 * elements, buckets and free lists are in the data segment and hostile: chains are element indices,
 * checked against the descriptor's bounds, with a hop limit. Arrays with BPF_F_RDONLY_PROG keep
 * their elements in the control segment, so that what the verifier took for constant stays
 * constant.
 *
 * The supervisor, traced processes and embedders run the same code on the same memory.
 */
#ifndef SKEP_RT_MAP_H
#define SKEP_RT_MAP_H

#include <linux/bpf.h>
#include "base/types.h"

struct rt_vcpu;

#define RT_MAP_FIELDS 11 /* BTF_FIELDS_MAX */

/* What the end of an element's life means for a part of its value. */
enum rt_field_kind {
	RT_FIELD_PLAIN, /* nothing: a lock */
	RT_FIELD_TIMER, /* it fires no more */
	RT_FIELD_WORKQUEUE,
	RT_FIELD_OBJECT,	/* a pointer to an object of a program (rt/object.h) */
	RT_FIELD_PERCPU_OBJECT, /* the same, one for each vCPU */
	RT_FIELD_POINTER,	/* a pointer that owns nothing */
	RT_FIELD_LIST,		/* of objects */
	RT_FIELD_TREE,
};

struct rt_object_type;

#define RT_MAP_IMAGE_SIZE 1024 /* the largest of 6.18, struct bpf_htab, has 832 */

struct rt_map_field {
	u32 offset, size;
	u32 kind;			   /* enum rt_field_kind */
	const struct rt_object_type *type; /* of the objects */
};

struct rt_map {
	u32 type; /* enum bpf_map_type */
	u32 key_size;
	u32 value_size;
	u32 max_entries;
	u32 flags; /* map_flags */
	u32 id;
	u32 value_stride; /* value_size rounded up to 8: one CPU's value in user space's layout */
	u32 elem_stride;  /* type's own */
	u32 nr_buckets;	  /* hash types: a power of two */
	u32 nr_vcpus;
	u64 map_extra;
	u64 seed;
	u8 *data; /* the map's memory: data segment, or control for RDONLY_PROG maps */
	u64 data_size;
	u64 index_mask;	 /* arrays: clamps a verified index also under speculation */
	u64 cpu_stride;	 /* per-CPU types: bytes from one vCPU's values to the next one's */
	u64 hash_key[4]; /* hash types: the hash function's key, derived from seed */
	u64 buckets_offset, elems_offset, values_offset,
		used_offset; /* hash types: parts of data */
	/* Hash types: bytes of a key as it is stored, and of what is kept behind the value. */
	u32 hash_key_size, hash_behind_size;
	u64 user_start, user_size; /* arenas: where clients map them; 0: nobody has yet */
	u32 state;		   /* RT_MAP_* */
	/* Parts of the value that copies leave alone, by offset; has_lock: one is a bpf_spin_lock.
	 */
	u32 nr_fields, lock_offset;
	bool has_lock, has_res_lock; /* has_res_lock: a bpf_res_spin_lock is there instead */
	struct rt_map_field fields[RT_MAP_FIELDS];
	char name[BPF_OBJ_NAME_LEN];
	/* The kernel's structure of the map, for programs that read it; zero until there is one. */
	u8 image[RT_MAP_IMAGE_SIZE] __attribute__((aligned(8)));
};

#define RT_MAP_FROZEN	     1u /* BPF_MAP_FREEZE: clients write no more */
#define RT_MAP_WITHOUT_USERS 4u /* no client has it and no pin: timers are not begun any more */
#define RT_MAP_IN_PROCESS                                                       \
	2u /* clients' operations on elements need nothing but the map's memory \
	    */

/* What a map needs to be made; checked by the caller (src/sys) against the kernel's rules. */
struct rt_map_spec {
	u32 type, key_size, value_size, max_entries, flags, nr_vcpus;
	u64 map_extra;
};

/*
 * Bytes of memory a map of this spec needs, page-aligned; 0 if the type is unknown or the product
 * overflows.
 */
u64 rt_map_memory_size(const struct rt_map_spec *spec);

/*
 * Must the map's memory be in the control segment? So it is for arrays that programs only read
 * (BPF_F_RDONLY_PROG: the verifier may take their values for constants) and for arrays of objects.
 */
bool rt_map_in_control(const struct rt_map_spec *spec);

/* Fills map and formats its zeroed memory. The caller has set map->data and map->data_size. */
void rt_map_init(struct rt_map *map, const struct rt_map_spec *spec, u32 id, u64 seed);

/*
 * The program side: what the helpers of the same names do, with the kernel's results
 * (kernel/bpf/{arraymap,hashtab,ringbuf}.c). Keys and values are key_size and value_size bytes.
 * vcpu is the slot that the calling thread holds: it owns the locks taken here. Updates and
 * deletions of hash types give -EDEADLK when they interrupted, in this thread, one on the same
 * bucket, and -ETIMEDOUT when another thread is stopped in one; as in Linux 6.18.
 */
void *rt_map_lookup_elem(const struct rt_map *map, const void *key, struct rt_vcpu *vcpu);
long rt_map_update_elem(const struct rt_map *map, const void *key, const void *value, u64 flags,
			struct rt_vcpu *vcpu);
long rt_map_delete_elem(const struct rt_map *map, const void *key, struct rt_vcpu *vcpu);

/*
 * Types without keys (queue, stack, Bloom filter): the helpers of the same names. pop and peek
 * write value_size bytes to value, zeros with -ENOENT; -EBUSY when another thread holds the queue
 * for too long. peek on a Bloom filter reads value: 0 perhaps there, -ENOENT certainly not.
 */
long rt_map_push_elem(const struct rt_map *map, const void *value, u64 flags, struct rt_vcpu *vcpu);
long rt_map_pop_elem(const struct rt_map *map, void *value, struct rt_vcpu *vcpu);
long rt_map_peek_elem(const struct rt_map *map, void *value, struct rt_vcpu *vcpu);

/*
 * bpf_get_local_storage(): the value of whoever runs the program, of this vCPU if the type is per
 * CPU. Always there.
 */
void *rt_map_storage(const struct rt_map *map, const struct rt_vcpu *vcpu);

/* The value of another vCPU (per-CPU types); NULL if there is no such key, vCPU or use. */
void *rt_map_lookup_percpu_elem(const struct rt_map *map, const void *key, u32 cpu,
				struct rt_vcpu *vcpu);

/*
 * Calls visit on each element, until it returns nonzero: the number of calls, or -EINVAL for a type
 * that cannot be walked. Values of per-CPU types are the vCPU's own. visit may change the map:
 * elements that come or go meanwhile are visited or not.
 */
typedef u64 (*rt_map_visit_fn)(void *arg, const void *key, void *value);
long rt_map_for_each(const struct rt_map *map, rt_map_visit_fn visit, void *arg,
		     struct rt_vcpu *vcpu);

/* The map ends: so do the special fields of all its values (rt/map/value.h). */
void rt_map_end_values(const struct rt_map *map, struct rt_vcpu *vcpu);

/* Only its timers and work queues. */
void rt_map_end_async(const struct rt_map *map, struct rt_vcpu *vcpu);

/*
 * Arrays and hashes whose values may have timers: is this the address of a value? Then its key;
 * *index is room for an array's.
 */
bool rt_map_is_value(const struct rt_map *map, const u8 *value);
const void *rt_map_key_of(const struct rt_map *map, const u8 *value, u32 *index);

/*
 * A place in a hash type's walk, for one that pauses: it goes on where it was whatever changed
 * meanwhile, and comes to an end. First {0} with has_key false. Finds the element of the key
 * (has_key) or, if that is gone, the one that took its place; with after the next one. true:
 * *place, key (key_size bytes) and *ret_value (per-CPU types: vCPU 0's value) are that element's.
 */
struct rt_map_place {
	u32 bucket; /* hash_place() */
	u32 skip;   /* of that place's elements */
	bool has_key;
};
bool rt_map_place_find(const struct rt_map *map, struct rt_map_place *place, bool after, void *key,
		       void **ret_value);

/*
 * The system-call side: values in user space's layout, which for per-CPU types is nr_vcpus values
 * of value_stride bytes each. copy_out reads the value that a Bloom filter is asked for. 0 or
 * -errno as kernel/bpf/syscall.c. next_key with key NULL gives the first.
 */
u64 rt_map_user_value_size(const struct rt_map *map);
long rt_map_copy_out(const struct rt_map *map, const void *key, void *value, u64 flags,
		     struct rt_vcpu *vcpu);
long rt_map_copy_in(const struct rt_map *map, const void *key, const void *value, u64 flags,
		    struct rt_vcpu *vcpu);
long rt_map_lookup_and_delete(const struct rt_map *map, const void *key, void *value, u64 flags,
			      struct rt_vcpu *vcpu);
long rt_map_get_next_key(const struct rt_map *map, const void *key, void *next_key,
			 struct rt_vcpu *vcpu);

/*
 * The buckets of a hash, for walks that see what is there all the time exactly once: from place
 * index on (below nr_buckets; hash_place()), the keys of the first bucket that has any, as far as
 * there is room. nr is how many it has; 0: none was found so far. index nr_buckets: there is none
 * any more. The walk goes on at next. 0 or a lock's error.
 */
struct rt_map_bucket {
	u64 index; /* in and out */
	u64 next;  /* out */
	u8 *keys;  /* room for so many */
	u32 room;
	u32 nr; /* out */
};
bool rt_map_has_buckets(const struct rt_map *map);
long rt_map_bucket_keys(const struct rt_map *map, struct rt_map_bucket *bucket,
			struct rt_vcpu *vcpu);

/*
 * Arrays of objects (prog array, perf event array): an element is a pointer into the control
 * segment, kept in the control segment too, since the data plane follows it. Only the supervisor
 * stores. The program side reads with rt_map_object(); index out of range gives NULL.
 */
void *rt_map_object(const struct rt_map *map, u32 index);
long rt_map_set_object(struct rt_map *map, u32 index, void *object);

/*
 * Hashes of maps and of devices lie in the control segment like arrays of objects. Only the
 * supervisor stores, with rt_map_copy_in() and rt_map_delete_elem(), under its vCPU: as value of a
 * map its 4-byte number, of a device or a CPU's queue 8 bytes (map/redirect.c). rt_map_place()
 * tells in which of rt_map_nr_places() places a key is, 0: in none.
 */
u32 rt_map_nr_places(const struct rt_map *map);
u32 rt_map_place(const struct rt_map *map, const void *key, struct rt_vcpu *vcpu);
/* The number of a map for a value. */
u32 rt_map_number(const struct rt_map *map);

#endif
