/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Turns the data plane's wake-up word (rt/trace.h), which one can only sleep on, into a descriptor
 * that the supervisor's loop can wait for together with everything else.
 */
#ifndef SKEP_GATE_WAKE_H
#define SKEP_GATE_WAKE_H

#include "base/types.h"

struct wake;

/* Starts the thread that sleeps on the word. */
int wake_new(struct wake **ret_wake);
struct wake *wake_free(struct wake *wake);

/* Readable when something may have been written since the last wake_looked(). */
int wake_fd(const struct wake *wake);

/*
 * Call this before looking at buffers: whatever is signalled from the time on that the descriptor
 * became readable makes it readable again.
 */
void wake_looked(struct wake *wake);

#endif
