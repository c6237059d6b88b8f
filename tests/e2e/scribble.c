/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scribble ROUNDS: a process of a hive that writes whatever it likes over the memory that all of
 * them share, and lets events fire in between.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "rt/arena.h"

#define REACH (24ul << 20) /* the maps of a small test lie here, and what comes before them */

static uint64_t state = 1;

static uint64_t next(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* Numbers that pass more checks than random ones. */
static uint64_t value(void)
{
	uint64_t r = next();

	switch (r % 8) {
	case 0: return 0;
	case 1: return ~0ull;
	case 2: return r >> 32 & 0xff;
	case 3: return RT_DATA_BASE + (r >> 32) % REACH;
	case 4: return 0x80000000u | (r >> 32 & 0xff);
	case 5: return (r >> 32 & 7) << 32 | (r >> 40 & 7);
	default: return next();
	}
}

int main(int argc, char **argv)
{
	long rounds = argc > 1 ? atol(argv[1]) : 1000;

	for (long i = 0; i < rounds; i++) {
		for (int j = 0; j < 64; j++) {
			/* The first bytes of pages have what the rest hangs on. */
			uint64_t at = next() % 4 ? next() % REACH
						 : (next() % REACH & ~0xfffull) + next() % 128;

			*(volatile uint64_t *)(RT_DATA_BASE + (at & ~7ull)) = value();
		}
		syscall(SYS_getppid);
	}
	puts("scribbled");
	return 0;
}
