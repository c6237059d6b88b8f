/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Handles: what stands for an object outside of the supervisor. A handle is an inode that the
 * kernel counts references to: a FIFO for each description that a client got, a regular file for
 * each pin. While the inode lives, the handle holds a reference to the object.
 */
#ifndef SKEP_GATE_HANDLE_H
#define SKEP_GATE_HANDLE_H

#include <sys/stat.h>
#include "base/types.h"
#include "object/object.h"

struct handle_table;

/*
 * A table whose FIFOs are made in directory dir_path, which must exist. readable says whether an
 * object has something to read, for those that can be waited for (pollable). Those that clients
 * write to (written) are waited for the other way round: they are `readable` while there is no room
 * to write, and then their FIFO has none either.
 */
struct handle_table_options {
	const char *dir_path;
	bool (*pollable)(struct object *object);
	bool (*readable)(struct object *object);
	bool (*written)(struct object *object); /* NULL: none is */
};
int handle_table_new(const struct handle_table_options *options, struct handle_table **ret_table);
/* Drops every handle and its reference. Takes NULL, returns NULL. */
struct handle_table *handle_table_free(struct handle_table *table);

/* Descriptor of inotify: readable when handles ended; then call handle_table_collect(). */
int handle_table_fd(const struct handle_table *table);
/* Drops the handles that have ended. Returns false if events were lost and the table had to be
 * searched. */
bool handle_table_collect(struct handle_table *table);

/*
 * Makes a handle and returns a descriptor of its only description, to be given to a client and then
 * closed; -errno. access is O_RDONLY, O_WRONLY or O_RDWR. Takes a reference of its own.
 */
int handle_open(struct handle_table *table, struct object *object, int access);

/* Makes the regular file path stand for object: 0 or -errno (-EEXIST). Takes a reference of its
 * own. */
int handle_pin(struct handle_table *table, struct object *object, const char *path);

/*
 * The object that an inode stands for, borrowed, or NULL. ret_access, if not NULL, gets the access
 * mode the handle was opened with (O_RDWR for pins), ret_pin whether it is a pin.
 */
struct object *handle_find(struct handle_table *table, const struct stat *st, int *ret_access,
			   bool *ret_pin);

/*
 * Makes every pollable handle as readable as its object is. Returns true if one of them is
 * readable: its client may take the records at any time without a word, so ask again soon.
 */
bool handle_table_refresh(struct handle_table *table);

/* Changes with every pin that is made or removed. */
u32 handle_table_pins(const struct handle_table *table);

/* Changes with every handle that ends: objects found before may be gone. */
u64 handle_table_ended(const struct handle_table *table);

/* Handles that exist, for tests and counters. */
u32 handle_table_count(const struct handle_table *table);

#endif
