/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Helpers on map elements: r1 is the descriptor, r2 the key, r3 the value.
 */
#include "abi/context.h"
#include "rt/helper/families.h"
#include "rt/map.h"
#include "rt/redirect.h"

RT_HELPER(map_lookup_elem)
{
	return (u64)rt_map_lookup_elem((const struct rt_map *)r1, (const void *)r2, vcpu);
}

RT_HELPER(map_update_elem)
{
	return (u64)rt_map_update_elem((const struct rt_map *)r1, (const void *)r2,
				       (const void *)r3, r4, vcpu);
}

RT_HELPER(map_delete_elem)
{
	return (u64)rt_map_delete_elem((const struct rt_map *)r1, (const void *)r2, vcpu);
}

RT_HELPER(map_push_elem)
{
	return (u64)rt_map_push_elem((const struct rt_map *)r1, (const void *)r2, r3, vcpu);
}

RT_HELPER(map_pop_elem)
{
	return (u64)rt_map_pop_elem((const struct rt_map *)r1, (void *)r2, vcpu);
}

RT_HELPER(map_peek_elem)
{
	return (u64)rt_map_peek_elem((const struct rt_map *)r1, (void *)r2, vcpu);
}

RT_HELPER(map_lookup_percpu_elem)
{
	return (u64)rt_map_lookup_percpu_elem((const struct rt_map *)r1, (const void *)r2, (u32)r3,
					      vcpu);
}

/* (map, key, flags) */
RT_HELPER(redirect_map)
{
	return rt_redirect_map((const struct rt_map *)r1, r2, r3, vcpu);
}

/* (ctx, map, key, flags) */
RT_HELPER(sk_redirect_map)
{
	u32 key = (u32)r3;

	return rt_sock_redirect((const struct rt_map *)r2, &key, r4, false, vcpu);
}

RT_HELPER(sk_redirect_hash)
{
	return rt_sock_redirect((const struct rt_map *)r2, (const void *)r3, r4, false, vcpu);
}

RT_HELPER(msg_redirect_map)
{
	u32 key = (u32)r3;

	return rt_sock_redirect((const struct rt_map *)r2, &key, r4, true, vcpu);
}

RT_HELPER(msg_redirect_hash)
{
	return rt_sock_redirect((const struct rt_map *)r2, (const void *)r3, r4, true, vcpu);
}

/* (sock_ops, map, key, flags): the socket of a context is of no kind that a map takes. */
RT_HELPER(sock_map_update)
{
	return (u64)-EOPNOTSUPP;
}

/* (map, flags): the verifier has seen that the flags are 0. */
RT_HELPER(get_local_storage)
{
	return (u64)rt_map_storage((const struct rt_map *)r1, vcpu);
}

/* (map, index): no cgroup can be put into the map, so every slot is an empty one. */
RT_HELPER(current_task_under_cgroup)
{
	const struct rt_map *map = (const struct rt_map *)r1;

	return (u32)r2 >= map->max_entries ? (u64)-E2BIG : (u64)-EAGAIN;
}

/* (skb, map, index): of a packet with a socket, the same. */
RT_HELPER(skb_under_cgroup)
{
	const struct abi_rt_skb *skb = (const struct abi_rt_skb *)r1;
	const struct rt_map *map = (const struct rt_map *)r2;

	if (!skb->sk)
		return (u64)-ENOENT;
	return (u32)r3 >= map->max_entries ? (u64)-E2BIG : (u64)-EAGAIN;
}
