/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DEVMAP, DEVMAP_HASH, CPUMAP and XSKMAP as clients see them (kernel/bpf/{devmap,cpumap}.c,
 * net/xdp/xskmap.c): a client gives an interface or a queue's length and the descriptor of a
 * program, and reads back the program's id. The supervisor keeps the program; nothing is ever sent.
 */
#include "base/alloc.h"
#include "sys/map_slot.h"
#include "sys/client_socket.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

#define QUEUE_MAX 16384u

/* struct bpf_devmap_val and struct bpf_cpumap_val. */
struct value {
	u32 what;
	s32 prog;
};

bool sys_device_exists(struct sys_client *client, u32 ifindex)
{
	char name[IF_NAMESIZE];

	return client->ops->device ? client->ops->device(client, ifindex)
				   : if_indextoname(ifindex, name) != NULL;
}

static bool is_hash(const struct sys_map *map)
{
	return map->rt->type == BPF_MAP_TYPE_DEVMAP_HASH;
}

static struct sys_slot *place_of(struct sys_map *map, u32 place)
{
	return map->slots[place];
}

static void set_place(struct sys_map *map, u32 place, struct sys_slot *slot)
{
	struct sys_slot *old = place_of(map, place);

	map->slots[place] = slot;
	if (old)
		sys_defer(map->hive, &old->deferred, sys_slot_free);
}

/* The program that a value asks for: 0 with a slot or, without a program, NULL. */
static int take_prog(struct sys_call *call, struct sys_map *map, s32 fd, struct sys_slot **ret_slot)
{
	u32 attach = map->rt->type == BPF_MAP_TYPE_CPUMAP ? BPF_XDP_CPUMAP : BPF_XDP_DEVMAP;
	struct sys_prog *prog;
	struct sys_slot *slot;

	*ret_slot = NULL;
	if (fd <= 0)
		return 0;
	if (sys_prog_by_fd(call, (u32)fd, &prog))
		return -EINVAL;
	slot = base_zalloc(1, sizeof(*slot));
	if (!slot || prog->type != BPF_PROG_TYPE_XDP || prog->expected_attach_type != attach ||
	    !sys_map_accepts_prog(map, prog)) {
		sys_prog_put(prog);
		base_free(slot);
		return slot ? -EINVAL : -ENOMEM;
	}
	slot->object = &prog->object;
	*ret_slot = slot;
	return 0;
}

/* What the data plane finds for a value. */
static struct value stored(u32 what, const struct sys_slot *slot)
{
	return (struct value){ what, slot ? (s32)slot->object->id : 0 };
}

static int store_device(struct sys_call *call, struct sys_map *map, const void *key,
			const struct value *value, struct rt_vcpu *vcpu)
{
	struct sys_slot *slot = NULL;
	struct value to;
	u32 index;

	memcpy(&index, key, sizeof(index));
	if (!value->what && value->prog > 0)
		return -EINVAL;
	if (value->what && (!sys_device_exists(call->client, value->what) ||
			    take_prog(call, map, value->prog, &slot)))
		return -EINVAL;
	to = stored(value->what, slot);
	rt_map_copy_in(map->rt, key, &to, 0, vcpu);
	set_place(map, index, slot);
	return 0;
}

static int store_cpu(struct sys_call *call, struct sys_map *map, const void *key,
		     const struct value *value, struct rt_vcpu *vcpu)
{
	struct sys_slot *slot = NULL;
	struct value to;
	u32 index;

	memcpy(&index, key, sizeof(index));
	if (value->what > QUEUE_MAX)
		return -EOVERFLOW;
	if (index >= RT_CONTROL->nr_vcpus)
		return -ENODEV;
	/* Whatever is wrong with the program, the kernel has no memory. */
	if (value->what && take_prog(call, map, value->prog, &slot))
		return -ENOMEM;
	to = value->what ? stored(value->what, slot) : (struct value){ 0 };
	rt_map_copy_in(map->rt, key, &to, 0, vcpu);
	set_place(map, index, slot);
	return 0;
}

static int store_in_hash(struct sys_call *call, struct sys_map *map, const void *key,
			 const struct value *value, u64 flags, struct rt_vcpu *vcpu)
{
	u32 before = rt_map_place(map->rt, key, vcpu);
	struct sys_slot *slot;
	struct value to;
	long error;

	if (!value->what)
		return -EINVAL;
	if (before && flags & BPF_NOEXIST)
		return -EEXIST;
	if (!sys_device_exists(call->client, value->what) ||
	    take_prog(call, map, value->prog, &slot))
		return -EINVAL;
	to = stored(value->what, slot);
	error = rt_map_copy_in(map->rt, key, &to, BPF_ANY, vcpu);
	if (error) {
		if (slot)
			sys_slot_free(&slot->deferred);
		return (int)error;
	}
	set_place(map, before, NULL);
	set_place(map, rt_map_place(map->rt, key, vcpu), slot);
	return 0;
}

static int store_socket(struct sys_call *call, struct sys_map *map, u32 fd)
{
	struct sys_socket socket;
	int error = sys_socket_of_fd(call, (int)fd, false, &socket);

	if (error)
		return error;
	if (socket.family == AF_XDP)
		sys_say(call->hive, "map \"%.16s\": AF_XDP sockets are not available in a hive",
			map->rt->name);
	return -EOPNOTSUPP;
}

int sys_redirect_update(struct sys_call *call, struct sys_map *map, const void *key,
			const void *client_value, u64 flags, struct rt_vcpu *vcpu)
{
	struct value value = { 0 };
	u32 index;

	memcpy(&index, key, sizeof(index));
	memcpy(&value, client_value, map->rt->value_size);
	if (flags > BPF_EXIST)
		return -EINVAL;
	if (is_hash(map))
		return store_in_hash(call, map, key, &value, flags, vcpu);
	if (index >= map->rt->max_entries)
		return -E2BIG;
	if (map->rt->type == BPF_MAP_TYPE_XSKMAP)
		return store_socket(call, map, value.what);
	if (flags == BPF_NOEXIST)
		return -EEXIST;
	return map->rt->type == BPF_MAP_TYPE_CPUMAP ? store_cpu(call, map, key, &value, vcpu)
						    : store_device(call, map, key, &value, vcpu);
}

int sys_redirect_delete(struct sys_map *map, const void *key, struct rt_vcpu *vcpu)
{
	const struct value nothing = { 0 };
	u32 index;

	memcpy(&index, key, sizeof(index));
	if (is_hash(map)) {
		u32 place = rt_map_place(map->rt, key, vcpu);
		long error = rt_map_delete_elem(map->rt, key, vcpu);

		if (!error)
			set_place(map, place, NULL);
		return (int)error;
	}
	if (index >= map->rt->max_entries)
		return -EINVAL;
	rt_map_copy_in(map->rt, key, &nothing, 0, vcpu);
	set_place(map, index, NULL);
	return 0;
}

int sys_redirect_lookup(struct sys_map *map, const void *key, void *value, struct rt_vcpu *vcpu)
{
	if (map->rt->type == BPF_MAP_TYPE_XSKMAP)
		return -EOPNOTSUPP;
	return (int)rt_map_copy_out(map->rt, key, value, 0, vcpu);
}
