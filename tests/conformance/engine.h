/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One program, several engines: the running kernel (BPF_PROG_TEST_RUN), the interpreter as hosted
 * code, the interpreter inside the data-plane image, native code. Each runs the program on its own
 * copy of the same memory.
 *
 * In a program "map_value 0 + N" is the address of byte N of the memory. A program without packet
 * is called as a function, so that all 64 bits of its R0 are seen.
 */
#ifndef SKEP_TESTS_ENGINE_H
#define SKEP_TESTS_ENGINE_H

#include <linux/bpf.h>
#include "base/types.h"

#define ENGINE_MEMORY	  256
#define ENGINE_INSNS_MAX  1024
#define ENGINE_PACKET_MAX 256

struct engine_input {
	struct bpf_insn insns[ENGINE_INSNS_MAX];
	u32 nr_insns;
	u8 memory[ENGINE_MEMORY];
	u8 packet[ENGINE_PACKET_MAX]; /* a socket filter sees it from its 14th byte on */
	u32 packet_size;	      /* 0: no packet */
};

struct engine_result {
	u64 r0; /* 32 bits of it for a program with a packet */
	u8 memory[ENGINE_MEMORY];
};

enum engine {
	ENGINE_KERNEL,
	ENGINE_HOSTED,
	ENGINE_IMAGE,
	ENGINE_NATIVE,
	ENGINE_NATIVE_PLAIN, /* without BMI2, entered from the image */
	ENGINES
};

/* Makes the arena and whatever the engines need. Ends the test program when it cannot. */
void engine_start(void);
void engine_stop(void);

const char *engine_name(enum engine engine);

/* False on a machine whose kernel does not let this process load programs. */
bool engine_available(enum engine engine);

/* Runs input. False when the kernel rejects it; log then holds why. */
bool engine_run(enum engine engine, const struct engine_input *input,
		struct engine_result *ret_result, char *log, u32 log_size);

#endif
