/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See elem.h. One row a command says what it may do to the map and what it copies; the operations
 * themselves are the system-call side of the map types (rt/map.h).
 */
#include <linux/errno.h>

#include "rt/elem.h"
#include "rt/map/ops.h"

enum copies {
	COPY_KEY = 1,
	COPY_OPTIONAL_KEY = 2, /* address 0 says: none */
	COPY_VALUE_IN = 4,
	COPY_VALUE_OUT = 8,
	COPY_KEY_OUT = 16, /* into the value's place */
	FLAGS_LOCK = 32,   /* BPF_F_LOCK is the only flag there is */
};

struct row {
	u8 rights, copies;
};

static const struct row rows[] = {
	[BPF_MAP_LOOKUP_ELEM] = { RT_ELEM_MAY_READ, COPY_KEY | COPY_VALUE_OUT | FLAGS_LOCK },
	[BPF_MAP_UPDATE_ELEM] = { RT_ELEM_MAY_WRITE, COPY_KEY | COPY_VALUE_IN },
	[BPF_MAP_DELETE_ELEM] = { RT_ELEM_MAY_WRITE, COPY_KEY },
	[BPF_MAP_GET_NEXT_KEY] = { RT_ELEM_MAY_READ, COPY_OPTIONAL_KEY | COPY_KEY_OUT },
	[BPF_MAP_LOOKUP_AND_DELETE_ELEM] = { RT_ELEM_MAY_READ | RT_ELEM_MAY_WRITE,
					     COPY_KEY | COPY_VALUE_OUT | FLAGS_LOCK },
};

static const struct row none;

static const struct row *row_of(u32 cmd)
{
	return cmd < ARRAY_SIZE(rows) ? &rows[cmd] : &none;
}

bool rt_elem_is_command(u32 cmd)
{
	return row_of(cmd)->rights != 0;
}

long rt_elem_check(u32 cmd, u64 flags)
{
	return row_of(cmd)->copies & FLAGS_LOCK && flags & ~(u64)BPF_F_LOCK ? -EINVAL : 0;
}

long rt_elem_permits(const struct rt_elem *elem)
{
	const struct row *row = row_of(elem->cmd);

	if (row->rights & ~elem->access)
		return -EPERM;
	if (row->rights & RT_ELEM_MAY_WRITE && READ_ONCE(elem->map->state) & RT_MAP_FROZEN)
		return -EPERM;
	if (elem->flags & BPF_F_LOCK && !elem->map->has_lock)
		return -EINVAL;
	return 0;
}

void rt_elem_measure(struct rt_elem *elem)
{
	u8 copies = row_of(elem->cmd)->copies;

	elem->key_size = READ_ONCE(elem->map->key_size);
	elem->value_size = 0;
	if (copies & COPY_KEY_OUT)
		elem->value_size = elem->key_size;
	else if (copies & (COPY_VALUE_IN | COPY_VALUE_OUT))
		elem->value_size = rt_map_user_value_size(elem->map);
}

long rt_elem_read(struct rt_elem *elem, const struct rt_elem_io *io)
{
	u8 copies = row_of(elem->cmd)->copies;
	long error = 0;

	elem->has_key = copies & COPY_KEY || (copies & COPY_OPTIONAL_KEY && elem->key);
	/* A map without keys takes none. */
	if (elem->has_key && !elem->key_size)
		error = elem->key ? -EINVAL : 0;
	else if (elem->has_key)
		error = io->read(io->arg, elem->key_room, elem->key, elem->key_size);
	/* A Bloom filter is asked about the value that the client gives. */
	if (elem->cmd == BPF_MAP_LOOKUP_ELEM && elem->map->type == BPF_MAP_TYPE_BLOOM_FILTER)
		copies |= COPY_VALUE_IN;
	if (!error && copies & COPY_VALUE_IN)
		error = io->read(io->arg, elem->value_room, elem->value, elem->value_size);
	return error;
}

long rt_elem_operate(struct rt_elem *elem, struct rt_vcpu *vcpu)
{
	const struct rt_map *map = elem->map;

	switch (elem->cmd) {
	case BPF_MAP_LOOKUP_ELEM:
		return rt_map_copy_out(map, elem->key_room, elem->value_room, elem->flags, vcpu);
	case BPF_MAP_UPDATE_ELEM:
		return rt_map_copy_in(map, elem->key_room, elem->value_room, elem->flags, vcpu);
	case BPF_MAP_DELETE_ELEM: return rt_map_delete_elem(map, elem->key_room, vcpu);
	case BPF_MAP_GET_NEXT_KEY:
		return rt_map_get_next_key(map, elem->has_key ? elem->key_room : NULL,
					   elem->value_room, vcpu);
	case BPF_MAP_LOOKUP_AND_DELETE_ELEM:
		return rt_map_lookup_and_delete(map, elem->key_room, elem->value_room, elem->flags,
						vcpu);
	default: return -EINVAL;
	}
}

long rt_elem_write(const struct rt_elem *elem, const struct rt_elem_io *io)
{
	if (!(row_of(elem->cmd)->copies & (COPY_VALUE_OUT | COPY_KEY_OUT)))
		return 0;
	return io->write(io->arg, elem->value, elem->value_room, elem->value_size);
}
