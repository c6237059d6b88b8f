/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The arena's address map: one sparse memfd, mapped at the same fixed address in every process of a
 * hive, so that a pointer into it is a plain pointer everywhere.
 *
 *   segment   holds                                          supervisor     traced process
 *   text      data-plane image, JIT code                     RW alias + RX  RX
 *   control   descriptors, attach tables, constant maps      RW             R
 *   data      map elements, ring buffers, locks, queues      RW             RW
 *   private   vCPU stacks, scratch, thread identity          RW, own        RW, own (anonymous)
 *
 * The offset of a byte in the file is its address minus RT_ARENA_BASE. A traced process maps text
 * and control through a read-only description of the file, so it cannot make them writable again.
 * What lies in data may be overwritten by any process of the hive at any time: code that reads it
 * reads each word once and checks it. What lies in control is written by the supervisor alone.
 */
#ifndef SKEP_RT_ARENA_H
#define SKEP_RT_ARENA_H

#include "base/types.h"

#define RT_ARENA_BASE	0x7e8000000000UL
#define RT_TEXT_BASE	RT_ARENA_BASE
#define RT_TEXT_SIZE	(64UL << 20)
#define RT_CONTROL_BASE (RT_ARENA_BASE + (256UL << 20))
#define RT_CONTROL_SIZE (1UL << 30)
#define RT_DATA_BASE	(RT_ARENA_BASE + (4UL << 30))
#define RT_DATA_SIZE	(64UL << 30) /* most; rt_control.data_size says how much this hive has */
#define RT_PRIVATE_BASE (RT_ARENA_BASE + (96UL << 30))
#define RT_PRIVATE_SIZE (16UL << 20)

/*
 * What a hive has where address space is scarce (RLIMIT_AS): the bases stay, the sizes shrink; the
 * sizes of this hive are in struct rt_control.
 */
#define RT_TEXT_SIZE_SMALL    (4UL << 20)
#define RT_CONTROL_SIZE_SMALL (32UL << 20)
#define RT_DATA_SIZE_SMALL    (64UL << 20)

/* The vCPUs take the first half of private, the agent has the second. */
#define RT_PRIVATE_AGENT_BASE (RT_PRIVATE_BASE + (8UL << 20))
#define RT_PRIVATE_AGENT_SIZE (8UL << 20)
#define RT_ARENA_SIZE	      (128UL << 30)

/* The data-plane image occupies the start of text; JIT code comes after it. */
#define RT_IMAGE_SIZE_MAX (1UL << 20)

#define RT_ARENA_MAGIC 0x70656b73u /* "skep" */
#define RT_ABI_VERSION 1u	   /* of everything in src/rt that two processes share */

#define RT_VCPU_MAX    64
#define RT_SYSCALL_MAX 512

struct rt_event_table;
struct agent_control;
struct rt_map_slots;
struct rt_page_arenas;
struct rt_storages;
struct rt_task_layout;
struct rt_object_heap;
struct rt_btf;

/* The first object of the control segment, at RT_CONTROL_BASE. */
struct rt_control {
	u32 magic;
	u32 abi_version;
	u32 nr_vcpus;	    /* slots; also what the façade shows as possible CPUs */
	u32 supervisor_pid; /* as seen from the initial pid namespace of the hive */
	u64 text_size;	    /* bytes of each segment to map, from its base */
	u64 control_size;
	u64 data_size;
	u64 hive_id;	      /* random; tells one hive from another */
	u64 hash_seed;	      /* key of every hash map's hash function */
	char facade_dir[128]; /* directory that stands for the paths of the façade, NUL-terminated
			       */
	struct rt_event_table *events;
	const struct agent_control *agent;	  /* agent/protocol.h; made by src/hook */
	u32 cpu_features;			  /* RT_CPU_* */
	struct rt_map_slots *map_slots;		  /* rt/map_slot.h; NULL: there are none */
	const struct rt_task_layout *task_layout; /* rt/task_model.h; NULL: not known */
	u64 facade_device;			  /* st_dev of facade_dir */
	struct rt_page_arenas *page_arenas;	  /* rt/page_arena.h; NULL: none is mapped */
	struct rt_storages *storages;		  /* rt/storage.h; NULL: there is no task storage */
	struct rt_object_heap *objects;		  /* rt/object.h; NULL: nobody needed it yet */
	const struct rt_btf *btf;		  /* rt/show.h; NULL: no program needs it */
	const void *zeros; /* RT_KERNEL_MEMORY bytes; NULL: nobody needed them yet */
};

#define RT_CPU_RDPID 1u /* the rdpid instruction works here */

#define RT_CONTROL ((struct rt_control *)RT_CONTROL_BASE)

#endif
