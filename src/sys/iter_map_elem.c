/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The iterator over a map's elements. The program gets the key to read and the value to read and
 * write: of hashes and arrays the value itself, of per-CPU types a copy of all values, and also a
 * copy of what the verifier may have taken for constant (maps whose memory is in control).
 */
#include "sys/iter.h"
#include "base/alloc.h"
#include "rt/vcpu.h"

#include <errno.h>
#include <string.h>

#define KEY_ROOM ALIGN_UP(session->aux.map->rt->key_size, 8u)

static bool is_percpu(u32 type)
{
	return type == BPF_MAP_TYPE_PERCPU_HASH || type == BPF_MAP_TYPE_LRU_PERCPU_HASH ||
	       type == BPF_MAP_TYPE_PERCPU_ARRAY;
}

static bool is_array(u32 type)
{
	return type == BPF_MAP_TYPE_ARRAY || type == BPF_MAP_TYPE_PERCPU_ARRAY;
}

static u64 value_room(const struct rt_map *rt)
{
	return is_percpu(rt->type) ? rt_map_user_value_size(rt) : rt->value_size;
}

bool sys_iter_fits(const struct sys_prog *prog, const struct sys_map *map)
{
	return prog->max_rdonly_access <= map->rt->key_size &&
	       prog->max_rdwr_access <= value_room(map->rt);
}

int iter_attach_map(struct sys_call *call, const struct sys_prog *prog,
		    const union bpf_iter_link_info *info, struct sys_iter_aux *aux)
{
	struct sys_map *map;
	u32 type;
	int error;

	if (!info->map.map_fd)
		return -EBADF;
	error = sys_map_by_fd(call, info->map.map_fd, &map);
	if (error)
		return error;
	type = map->rt->type;
	if (!is_percpu(type) && type != BPF_MAP_TYPE_HASH && type != BPF_MAP_TYPE_LRU_HASH &&
	    type != BPF_MAP_TYPE_ARRAY)
		error = -EINVAL;
	else if (!sys_iter_fits(prog, map))
		error = -EACCES;
	if (error)
		sys_map_put(map);
	else
		aux->map = map;
	return error;
}

static int open_map(struct iter_session *session, struct sys_client *client)
{
	const struct rt_map *rt = session->aux.map->rt;

	session->key = base_zalloc(1, KEY_ROOM);
	session->values = base_zalloc(1, ALIGN_UP(value_room(rt), 8ull));
	return session->key && session->values ? 0 : -ENOMEM;
}

static void close_map(struct iter_session *session)
{
	base_free(session->key);
	base_free(session->values);
}

/* The values of all CPUs, or a copy of one that programs may not change. */
static void copy_values(struct iter_session *session)
{
	const struct rt_map *rt = session->aux.map->rt;

	session->value = session->values;
	memset(session->values, 0, value_room(rt));
	/* An element that has gone meanwhile is shown with zeroes. */
	rt_map_copy_out(rt, session->key, session->values, 0, session->vcpu);
}

static bool find(struct iter_session *session, bool after)
{
	const struct rt_map *rt = session->aux.map->rt;
	u32 index;

	session->value = NULL;
	if (is_array(rt->type)) {
		session->index += after;
		if (session->index >= rt->max_entries)
			return false;
		index = (u32)session->index;
		memcpy(session->key, &index, sizeof(index));
		session->value = rt->type == BPF_MAP_TYPE_ARRAY
					 ? rt_map_lookup_elem(rt, session->key, session->vcpu)
					 : session->values;
	} else if (!rt_map_place_find(rt, &session->place, after, session->key, &session->value)) {
		session->value = NULL;
	}
	return session->value;
}

static bool start(struct iter_session *session)
{
	return find(session, false);
}

static bool next(struct iter_session *session)
{
	return find(session, true);
}

static void stop(struct iter_session *session)
{
	session->value = NULL;
}

static void build(struct iter_session *session, u64 *ctx)
{
	const struct sys_map *map = session->aux.map;

	ctx[0] = (u64)iter_model_map(session->hive, map);
	if (!session->value)
		return;
	if (is_percpu(map->rt->type) || map->segment == ARENA_CONTROL)
		copy_values(session);
	ctx[1] = (u64)session->key;
	ctx[2] = (u64)session->value;
}

const struct iter_ops iter_map_elem_ops = { .open = open_map,
					    .close = close_map,
					    .start = start,
					    .next = next,
					    .stop = stop,
					    .build = build };
