/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's BTF for the data plane (rt/show.h): a copy in control, made when the first program
 * that shows values by it is loaded, and constant from then on.
 */
#include <errno.h>
#include <linux/btf.h>
#include <string.h>

#include "rt/show.h"
#include "sys/hive.h"

static struct rt_btf *copy(struct arena *arena, const struct btf *btf)
{
	u32 nr = btf_nr_types(btf), size, at;
	const u8 *data = btf_data(btf, &size);
	const struct btf_header *header = (const struct btf_header *)(const void *)data;
	const u8 *types = data + header->hdr_len + header->type_off;
	u64 offsets_size = ALIGN_UP(nr * sizeof(u32), 8ul);
	u64 types_size = ALIGN_UP((u64)header->type_len, 8ul);
	u8 *memory = arena_alloc(
		arena, ARENA_CONTROL,
		sizeof(struct rt_btf) + offsets_size + types_size + header->str_len, 64);
	struct rt_btf *made = (struct rt_btf *)(void *)memory;
	u32 *offsets = (u32 *)(void *)(memory + sizeof(*made));

	if (!memory)
		return NULL;
	*made = (struct rt_btf){ .nr_types = nr,
				 .strings_size = header->str_len,
				 .offsets = offsets,
				 .types = memory + sizeof(*made) + offsets_size,
				 .strings = (const char *)memory + sizeof(*made) + offsets_size +
					    types_size };
	memcpy(memory + sizeof(*made) + offsets_size, types, header->type_len);
	memcpy(memory + sizeof(*made) + offsets_size + types_size,
	       data + header->hdr_len + header->str_off, header->str_len);
	for (u32 id = 1; id < nr; id++) {
		at = (u32)((const u8 *)btf_type_by_id(btf, id) - types);
		offsets[id] = at;
	}
	return made;
}

int sys_show_btf(struct sys_hive *hive)
{
	struct rt_btf *made;

	if (RT_CONTROL->btf)
		return 0;
	sys_kernel_btf_load(hive);
	/* The helpers say that there is none. */
	if (!hive->kernel_btf)
		return 0;
	made = copy(hive->options.arena, hive->kernel_btf->btf);
	if (!made)
		return -ENOMEM;
	__atomic_store_n(&RT_CONTROL->btf, made, __ATOMIC_RELEASE);
	return 0;
}
