/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Timers and work queues (rt/async.h), the supervisor's side: which of them have a callback, when
 * they are due, and calling it. What a field in data says is believed as far as a program that is
 * there was accepted with this function as a callback for this map.
 *
 * A set callback keeps its program, as in the kernel: not by a reference each, but when the
 * program's last other reference goes, the fields that still name it are looked at, and if there
 * are any they hold one reference together. From then on ends of elements are told, too.
 */
#ifndef SKEP_SYS_ASYNC_H
#define SKEP_SYS_ASYNC_H

#include "rt/async.h"
#include "sys/hive.h"

/* A field with a callback set. */
struct async_entry {
	struct rt_async *field; /* in data */
	struct sys_map *map;
	struct sys_prog *prog;
	u64 due;	 /* CLOCK_MONOTONIC, ns; when it is in the heap */
	u64 waits_since; /* for the vCPU that it is pinned to; 0: it does not */
	u32 place;	 /* in the heap, + 1; 0: it waits for nothing */
};

struct sys_async {
	struct hash *entries;	   /* by the field's address */
	struct async_entry **heap; /* the one that is due first comes first */
	u32 nr_heap, room;
	struct sys_prog *kept; /* programs that nothing else keeps */
	u64 next_scan;	       /* everything may be looked at again from then on */
	u64 vcpu_retry;	       /* no vCPU was free: not before then; 0: none was missed */
	u64 told_ns;	       /* when something was said the last time */
};

/* async.c */
/* Room for what is needed if the map's values have such. 0 or -ENOMEM. */
int sys_async_prepare(struct sys_map *map);
/* A map was made. If its values have timers or work queues its users count from now on. */
void sys_async_add_map(struct sys_map *map);
/* It goes. */
void sys_async_forget_map(struct sys_map *map);
/* The hive ends: nothing is called any more. */
void sys_async_end(struct sys_hive *hive);
/* The program's last reference is about to go. */
void sys_async_last_reference(struct object *object);

/* async_table.c: entries and the heap. NULL or -ENOMEM for want of memory. */
struct sys_async *async_table(struct sys_hive *hive);
struct async_entry *async_entry(struct sys_async *async, const struct rt_async *field);
struct async_entry *async_entry_new(struct sys_async *async, struct rt_async *field,
				    struct sys_map *map);
/* Puts it into the heap, or where it then belongs. */
int async_wait(struct sys_async *async, struct async_entry *entry, u64 due);
void async_wait_no_more(struct sys_async *async, struct async_entry *entry);
/* From which program a callback is set; NULL: none. */
void async_set_prog(struct async_entry *entry, struct sys_prog *prog);
void async_entry_free(struct sys_async *async, struct async_entry *entry);
/* Keeps a program as long as callbacks of it are set; lets go of those of which none is. */
void async_keep(struct sys_async *async, struct sys_prog *prog);
void async_release_kept(struct sys_async *async);
void async_table_free(struct sys_hive *hive);

#endif
