/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pinned maps as bytes, and back (docs/state.md describes the format). Both ways are bpf(2) calls
 * of a client inside the supervisor, so that what is read back passes every check that a client's
 * own calls pass; nothing of the bytes is trusted.
 */
#ifndef SKEP_SYS_STATE_H
#define SKEP_SYS_STATE_H

#include "base/text.h"
#include "sys/sys.h"

#define SYS_STATE_PATH_MAX 1024

/* A pin: path is below the bpf file system's root, without a slash at its beginning. */
struct sys_state_pin {
	const char *path;
	struct object *object;
};

/*
 * Appends the maps among the pins to an empty text. Those that cannot be kept are left out and told
 * of, if left_out is not NULL. 0, -ENOMEM, or what bpf(2) answered.
 */
int sys_state_write(struct sys_hive *hive, const struct sys_state_pin *pins, u32 nr_pins,
		    void (*left_out)(void *arg, const struct sys_state_pin *pin,
				     const char *reason),
		    void *arg, struct text *ret_text);

/*
 * Makes the maps and calls pin for each of their pins; pin takes its own reference. 0 or -errno,
 * and *ret_reason (static text) says what is wrong with the bytes; then what was pinned stays.
 */
int sys_state_read(struct sys_hive *hive, const void *data, u64 size,
		   int (*pin)(void *arg, const struct sys_state_pin *pin), void *arg,
		   const char **ret_reason);

#endif
