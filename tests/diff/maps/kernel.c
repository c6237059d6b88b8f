/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See kernel.h.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernel.h"

long kernel_bpf(u32 cmd, union bpf_attr *attr)
{
	long result = syscall(__NR_bpf, cmd, attr, sizeof(*attr));

	return result < 0 ? -errno : result;
}

int kernel_map(u32 type, u32 key_size, u32 value_size, u32 max_entries, u32 flags)
{
	union bpf_attr attr = { .map_type = type,
				.key_size = key_size,
				.value_size = value_size,
				.max_entries = max_entries,
				.map_flags = flags };

	return (int)kernel_bpf(BPF_MAP_CREATE, &attr);
}

static long element(u32 cmd, int map, const void *key, const void *value, u64 flags)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (u32)map;
	attr.key = (u64)key;
	attr.value = (u64)value;
	attr.flags = flags;
	return kernel_bpf(cmd, &attr);
}

long kernel_lookup(int map, const void *key, void *value, u64 flags)
{
	return element(BPF_MAP_LOOKUP_ELEM, map, key, value, flags);
}

long kernel_update(int map, const void *key, const void *value, u64 flags)
{
	return element(BPF_MAP_UPDATE_ELEM, map, key, value, flags);
}

long kernel_delete(int map, const void *key)
{
	return element(BPF_MAP_DELETE_ELEM, map, key, NULL, 0);
}

long kernel_next_key(int map, const void *key, void *next_key)
{
	return element(BPF_MAP_GET_NEXT_KEY, map, key, next_key, 0);
}

long kernel_lookup_and_delete(int map, const void *key, void *value, u64 flags)
{
	return element(BPF_MAP_LOOKUP_AND_DELETE_ELEM, map, key, value, flags);
}

int kernel_prog(u32 type, const struct bpf_insn *insns, u32 nr_insns)
{
	union bpf_attr attr = {
		.prog_type = type, .insns = (u64)insns, .insn_cnt = nr_insns, .license = (u64) "GPL"
	};

	return (int)kernel_bpf(BPF_PROG_LOAD, &attr);
}

long kernel_run(int prog, u32 *ret_value)
{
	u8 packet[64] = { 0 };
	union bpf_attr attr;
	long error;

	memset(&attr, 0, sizeof(attr));
	attr.test.prog_fd = (u32)prog;
	attr.test.data_in = (u64)packet;
	attr.test.data_size_in = sizeof(packet);
	error = kernel_bpf(BPF_PROG_TEST_RUN, &attr);
	*ret_value = attr.test.retval;
	return error;
}

u32 kernel_possible_cpus(void)
{
	FILE *file = fopen("/sys/devices/system/cpu/possible", "re");
	u32 first = 0, last = 0;

	if (file) {
		if (fscanf(file, "%u-%u", &first, &last) != 2)
			last = first;
		fclose(file);
	}
	return last + 1;
}
