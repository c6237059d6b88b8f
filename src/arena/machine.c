/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Facts of the machine: possible CPUs from sysfs, processor features from cpuid.
 */
#include <cpuid.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arena/machine.h"
#include "rt/arena.h"

/* The last number of "0-3" or "0,2-5". */
u32 machine_possible_cpus(void)
{
	char text[256] = "";
	int fd = open("/sys/devices/system/cpu/possible", O_RDONLY | O_CLOEXEC);
	long cpus = -1;

	if (fd >= 0) {
		ssize_t got = read(fd, text, sizeof(text) - 1);

		close(fd);
		if (got > 0) {
			char *last = text + strcspn(text, "\n");

			*last = 0;
			while (last > text && last[-1] >= '0' && last[-1] <= '9')
				last--;
			cpus = strtol(last, NULL, 10) + 1;
		}
	}
	if (cpus < 1)
		cpus = sysconf(_SC_NPROCESSORS_CONF);
	if (cpus < 1)
		cpus = 1;
	return cpus > RT_VCPU_MAX ? RT_VCPU_MAX : (u32)cpus;
}

u32 machine_cpu_features(void)
{
	u32 a, b, c, d;

	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && c & 1u << 22 ? RT_CPU_RDPID : 0;
}
