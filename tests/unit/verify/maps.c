/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The maps that test programs refer to, described for skep's verifier and created in the kernel.
 */
#include "../btf/blob.h"
#include "btf/fields.h"
#include "case.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const u8 frozen_value[32] = "n=%d\n\0\0\0\x2a\0\0\0\xff\xff\xff\xff";

#define ADDRESS(i) (0x7e8000100000ULL + ((u64)(i) << 12))

static struct verify_map maps[NR_TEST_MAPS] = {
	[MAP_HASH] = { .type = BPF_MAP_TYPE_HASH,
		       .key_size = 4,
		       .value_size = 8,
		       .max_entries = 16 },
	[MAP_ARRAY] = { .type = BPF_MAP_TYPE_ARRAY,
			.key_size = 4,
			.value_size = 48,
			.max_entries = 4 },
	[MAP_RINGBUF] = { .type = BPF_MAP_TYPE_RINGBUF,
			  .key_size = 0,
			  .value_size = 0,
			  .max_entries = 4096 },
	[MAP_PERF] = { .type = BPF_MAP_TYPE_PERF_EVENT_ARRAY,
		       .key_size = 4,
		       .value_size = 4,
		       .max_entries = 2 },
	[MAP_PROGS] = { .type = BPF_MAP_TYPE_PROG_ARRAY,
			.key_size = 4,
			.value_size = 4,
			.max_entries = 4 },
	[MAP_PERCPU_ARRAY] = { .type = BPF_MAP_TYPE_PERCPU_ARRAY,
			       .key_size = 4,
			       .value_size = 8,
			       .max_entries = 4 },
	[MAP_FROZEN] = { .type = BPF_MAP_TYPE_ARRAY,
			 .key_size = 4,
			 .value_size = 32,
			 .max_entries = 1,
			 .flags = BPF_F_RDONLY_PROG },
	[MAP_SINGLE] = { .type = BPF_MAP_TYPE_ARRAY,
			 .key_size = 4,
			 .value_size = 64,
			 .max_entries = 1 },
	[MAP_PROG_READ_ONLY] = { .type = BPF_MAP_TYPE_ARRAY,
				 .key_size = 4,
				 .value_size = 8,
				 .max_entries = 1,
				 .flags = BPF_F_RDONLY_PROG },
	[MAP_PROG_WRITE_ONLY] = { .type = BPF_MAP_TYPE_ARRAY,
				  .key_size = 4,
				  .value_size = 8,
				  .max_entries = 1,
				  .flags = BPF_F_WRONLY_PROG },
	[MAP_PERCPU_HASH] = { .type = BPF_MAP_TYPE_PERCPU_HASH,
			      .key_size = 8,
			      .value_size = 16,
			      .max_entries = 4 },
	[MAP_FROZEN_TWO] = { .type = BPF_MAP_TYPE_ARRAY,
			     .key_size = 4,
			     .value_size = 32,
			     .max_entries = 2,
			     .flags = BPF_F_RDONLY_PROG },
	[MAP_LOCKED] = { .type = BPF_MAP_TYPE_ARRAY,
			 .key_size = 4,
			 .value_size = 16,
			 .max_entries = 4 },
	[MAP_TIMER] = { .type = BPF_MAP_TYPE_HASH,
			.key_size = 4,
			.value_size = 24,
			.max_entries = 4 },
	[MAP_WORKQUEUE] = { .type = BPF_MAP_TYPE_ARRAY,
			    .key_size = 4,
			    .value_size = 24,
			    .max_entries = 4 },
	[MAP_SOCKMAP] = { .type = BPF_MAP_TYPE_SOCKMAP,
			  .key_size = 4,
			  .value_size = 8,
			  .max_entries = 4 },
	[MAP_SOCKHASH] = { .type = BPF_MAP_TYPE_SOCKHASH,
			   .key_size = 4,
			   .value_size = 8,
			   .max_entries = 4 },
};

/* What the value of these has at 8, behind a number. */
static const struct special {
	const char *name;
	u32 size, value_size;
	struct btf_fields fields;
} specials[NR_TEST_MAPS] = {
#define SPECIAL(text, type, bytes, all)                   \
	{                                                 \
		text, bytes, all,                         \
		{                                         \
			1, BTF_FIELD_BIT(type),           \
			{                                 \
				{                         \
					type, 8, bytes, 0 \
				}                         \
			}                                 \
		}                                         \
	}
	[MAP_LOCKED] = SPECIAL("bpf_spin_lock", BTF_FIELD_SPIN_LOCK, 4, 16),
	[MAP_TIMER] = SPECIAL("bpf_timer", BTF_FIELD_TIMER, 16, 24),
	[MAP_WORKQUEUE] = SPECIAL("bpf_wq", BTF_FIELD_WORKQUEUE, 16, 24),
};

/* BTF of that value: int 1, long 2, the field 3, value 4. */
static int special_btf(const struct special *special)
{
	static struct blob blob;
	union bpf_attr attr = { 0 };

	memset(&blob, 0, sizeof(blob));
	blob_int(&blob, "int", 4);
	blob_int(&blob, "long", 8);
	blob_type(&blob, special->name, BTF_KIND_STRUCT, 0, 1, special->size);
	blob_member(&blob, "val", special->size == 4 ? 1 : 2, 0);
	blob_type(&blob, "value", BTF_KIND_STRUCT, 0, 2, special->value_size);
	blob_member(&blob, "number", 2, 0);
	blob_member(&blob, "field", 3, 64);
	blob_finish(&blob);
	attr.btf = (u64)(uintptr_t)blob.bytes;
	attr.btf_size = blob.size;
	return (int)syscall(SYS_bpf, BPF_BTF_LOAD, &attr, sizeof(attr));
}

static bool is_frozen(u32 index)
{
	return index == MAP_FROZEN || index == MAP_FROZEN_TWO;
}

const struct verify_map *test_map(u32 index)
{
	struct verify_map *map;

	if (index >= NR_TEST_MAPS)
		return NULL;
	map = &maps[index];
	map->id = index + 1;
	map->address = ADDRESS(index);
	map->value_address = map->type == BPF_MAP_TYPE_ARRAY ? map->address + 0x800 : 0;
	map->handle = map;
	map->fields = specials[index].name ? &specials[index].fields : NULL;
	map->frozen = is_frozen(index);
	map->frozen_values = is_frozen(index) ? frozen_value : NULL;
	return map;
}

int test_maps_in_kernel(int fds[NR_TEST_MAPS])
{
	for (u32 i = 0; i < NR_TEST_MAPS; i++) {
		union bpf_attr attr = { .map_type = maps[i].type,
					.key_size = maps[i].key_size,
					.value_size = maps[i].value_size,
					.max_entries = maps[i].max_entries,
					.map_flags = maps[i].flags };
		u32 zero = 0;

		if (specials[i].name) {
			attr.btf_fd = (u32)special_btf(&specials[i]);
			attr.btf_key_type_id = 1;
			attr.btf_value_type_id = 4;
		}
		fds[i] = (int)syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));
		if (fds[i] < 0)
			return -errno;
		if (!is_frozen(i))
			continue;
		memset(&attr, 0, sizeof(attr));
		attr.map_fd = fds[i];
		attr.key = (u64)(uintptr_t)&zero;
		attr.value = (u64)(uintptr_t)frozen_value;
		if (syscall(SYS_bpf, BPF_MAP_UPDATE_ELEM, &attr, sizeof(attr)))
			return -errno;
		memset(&attr, 0, sizeof(attr));
		attr.map_fd = fds[i];
		if (syscall(SYS_bpf, BPF_MAP_FREEZE, &attr, sizeof(attr)))
			return -errno;
	}
	return 0;
}
