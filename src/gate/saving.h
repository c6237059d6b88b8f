/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keeping a hive's pinned maps in a directory of the user's (skep up --state): read when the hive
 * starts; written when pins change, every while, and at the end. At each moment the file is a whole
 * one, the last or the one before.
 */
#ifndef SKEP_GATE_SAVING_H
#define SKEP_GATE_SAVING_H

#include <sys/types.h>
#include "base/types.h"

struct gate;
struct saving;

/*
 * Locks the directory (made if it is not there), and pins what its file has. 0 or -errno after a
 * sentence. every_s: seconds between two writes, 0: only at changes of pins and at the end.
 */
int saving_open(struct gate *gate, const char *path, u32 every_s);

/* The directory; empty for a hive that keeps nothing. */
const char *saving_path(const struct gate *gate);

/* Milliseconds until it is time to write, most_ms at most. */
u32 saving_wait_ms(struct gate *gate, u32 most_ms);

/* Writes if it is time. A child does the part that waits for the disk. */
void saving_step(struct gate *gate);

/* Process pid has ended: if it was that child, says whether it failed. */
void saving_ended(struct gate *gate, pid_t pid, int status);

/* Writes what there is, and waits for it: 0 (also when nothing is kept) or -errno after a sentence.
 */
int saving_now(struct gate *gate);

/* Writes for the last time and gives everything back; does nothing for a hive without a state. */
void saving_close(struct gate *gate);

#endif
