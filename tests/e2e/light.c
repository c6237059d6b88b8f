/* SPDX-License-Identifier: BSD-2-Clause */
/* For light.py: loads, attaches and runs the light skeleton of light.bpf.c; says what it sees. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include "light.skel.h"

static int descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int nr = 0;

	while (readdir(dir))
		nr++;
	closedir(dir);
	return nr;
}

int main(void)
{
	int before = descriptors(), error;
	struct light *light = light__open();
	union bpf_attr attr = {};
	char data[64] = {};

	light->rodata->step = 2;
	error = light__load(light);
	if (error) {
		printf("load %d\n", error);
		return 1;
	}
	printf("attach %d\n", light__attach(light));
	printf("descriptors %d\n", descriptors() - before);
	attr.test.prog_fd = light->progs.count.prog_fd;
	attr.test.data_in = (unsigned long)data;
	attr.test.data_size_in = sizeof(data);
	attr.test.repeat = 5;
	error = (int)syscall(__NR_bpf, BPF_PROG_TEST_RUN, &attr, sizeof(attr));
	printf("run %d returns %u, seen %ld\n", error, attr.test.retval, light->bss->seen);
	light__destroy(light);
	printf("descriptors at the end %d\n", descriptors() - before);
	return 0;
}
