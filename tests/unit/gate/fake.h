/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stand-ins for src/sys, src/hook and the queues of src/rt, so that the gate's own work can be
 * tested alone. What the gate asked of them is counted here.
 */
#ifndef SKEP_TESTS_UNIT_GATE_FAKE_H
#define SKEP_TESTS_UNIT_GATE_FAKE_H

#include "base/types.h"

/* Commands of the stand-in for bpf(2). */
enum fake_command {
	FAKE_ECHO = 1000, /* reads a u64 at attr, writes its double back */
	FAKE_INSTALL,	  /* a descriptor of a new object of kind size */
	FAKE_KIND,	  /* the kind of the object behind descriptor attr */
	FAKE_ACCESS,	  /* its access mode */
	FAKE_PIN,	  /* pins the object of descriptor size to the path at attr */
	FAKE_GET_PINNED,  /* a descriptor of what is pinned there */
	FAKE_RECORD, /* makes every object readable (attr 1) or not (attr 0); size: at so many looks
		      */
	FAKE_OBJECTS, /* how many objects live */
	FAKE_ENTERS,  /* how many enter events were fired for system call attr */
	FAKE_KILL,    /* the supervisor dies, on the spot */
	FAKE_PRINT,   /* puts a line into the trace queue */
};

/* Has the hook been told that calls are denied? */
bool fake_calls_denied(void);
extern u32 fake_exec_begun, fake_exec_abandoned, fake_exec_quiet;

#endif
