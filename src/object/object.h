/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Objects that bpf(2) hands out: maps, programs, BTF, links, perf events. This module knows
 * identity only: kind, id, references. What an object is stands in the module that makes it, which
 * embeds struct object first and gives a release function.
 *
 * A reference is held by: each file description in a client (counted by the gate), each pin, each
 * object that uses it (program → maps, link → program), and each call in progress.
 */
#ifndef SKEP_OBJECT_OBJECT_H
#define SKEP_OBJECT_OBJECT_H

#include "base/types.h"

struct object_table; /* ids of all kinds, one hive's */

enum object_kind {
	OBJECT_MAP,
	OBJECT_PROG,
	OBJECT_BTF,
	OBJECT_LINK,
	OBJECT_PERF,  /* no id */
	OBJECT_ITER,  /* an iterator being read; no id */
	OBJECT_STATS, /* BPF_ENABLE_STATS: counting goes on while it lives; no id */
	OBJECT_KINDS, /* as an argument of a look-up: any kind */
};

struct object {
	enum object_kind kind;
	u32 id; /* 0: not in the id table (perf events, stats) */
	u32 references;
	u32 users; /* of the references: file descriptions in clients and pins */
	u32 uid;   /* of the client that made it */
	void (*release)(struct object *object);
	/* May be NULL. The last file description and the last pin are gone: a prog array empties
	 * itself. */
	void (*last_user)(struct object *object);
	void (*first_user)(struct object *object); /* the first one, also after the last one */
	/* May be NULL. The last reference is about to go: it may take one itself, and lives on. */
	void (*last_reference)(struct object *object);
	struct object_table *table; /* where its id stands; NULL: nowhere */
	/* Belongs to the gate: what stands for the object in clients (memfd, watch). NULL: none
	 * yet. */
	void *gate_data;
	void (*gate_release)(struct object *object);
};

struct object_table *object_table_new(void);
struct object_table *object_table_free(struct object_table *table);

/* Starts with one reference, the caller's. Gives a fresh id (from 1, never reused soon) unless
 * perf. */
int object_init(struct object_table *table, struct object *object, enum object_kind kind,
		void (*release)(struct object *));

/* Keeps ids up to and including id for object_init_as(). Before the first object of the kind. */
void object_reserve_ids(struct object_table *table, enum object_kind kind, u32 id);
/* As object_init(), with a reserved id that nobody has: -EEXIST, -ENOMEM. */
int object_init_as(struct object_table *table, struct object *object, enum object_kind kind, u32 id,
		   void (*release)(struct object *));

struct object *object_ref(struct object *object);
/* Drops a reference; the last one removes the id and calls release. Takes NULL, returns NULL. */
struct object *object_unref(struct object *object);

/*
 * References that stand for a user: the gate takes and drops one for each file description in a
 * client and each pin with these two instead of object_ref() and object_unref(). The last one calls
 * last_user first.
 */
void object_user_ref(struct object *object);
void object_user_unref(struct object *object); /* takes NULL */

/* A new reference to the object with this id, or NULL. */
struct object *object_by_id(struct object_table *table, enum object_kind kind, u32 id);
/* The smallest id above start, or 0. */
u32 object_next_id(struct object_table *table, enum object_kind kind, u32 start);

#endif
