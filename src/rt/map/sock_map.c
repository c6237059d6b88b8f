/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BPF_MAP_TYPE_SOCKMAP and BPF_MAP_TYPE_SOCKHASH (net/core/sock_map.c). An element says where in
 * the control segment a socket is described (struct abi_rt_sock), as a number; 0: nothing. Only the
 * supervisor stores, and knows which sockets live; a program's changes are done by it, too, as all
 * programs that may make any run there. The raw stores are copy_in and lookup_and_delete.
 */
#include "abi/context.h"
#include "rt/map/array.h"
#include "rt/map/hash.h"
#include "rt/redirect.h"

#define AF_VSOCK 40
#define TCP	 6 /* IPPROTO_TCP */
#define STREAM	 1 /* SOCK_STREAM */

static void *sock_of(u64 number)
{
	return number ? (void *)(RT_CONTROL_BASE + number) : NULL;
}

u64 rt_sock_number(const void *sock)
{
	return (u64)(uintptr_t)sock - RT_CONTROL_BASE;
}

static u64 *word_at(const struct rt_map *map, u32 index)
{
	return (u64 *)(void *)rt_array_value(map, map->data, index);
}

static void *array_lookup(const struct rt_map *map, const void *key, struct rt_vcpu *vcpu)
{
	u32 index = rt_array_index(key);

	return index < map->max_entries
		       ? sock_of(__atomic_load_n(word_at(map, index), __ATOMIC_ACQUIRE))
		       : NULL;
}

static void *hash_sock_lookup(const struct rt_map *map, const void *key, struct rt_vcpu *vcpu)
{
	u64 number = 0;

	/* Not what another key has put into the element meanwhile. */
	if (hash_copy_out(map, key, &number, vcpu))
		number = 0;
	return sock_of((u32)number);
}

/* A program's update; value is the socket. */
static long change(const struct rt_map *map, const void *key, const void *value, u64 flags,
		   struct rt_vcpu *vcpu)
{
	return vcpu->sock_change ? vcpu->sock_change(vcpu->sock_arg, map, key, value, flags, vcpu)
				 : -EOPNOTSUPP;
}

static long remove(const struct rt_map *map, const void *key, struct rt_vcpu *vcpu)
{
	return change(map, key, NULL, 0, vcpu);
}

static u64 array_memory_size(const struct rt_map_spec *spec)
{
	return rt_map_product(rt_map_power_of_two(spec->max_entries), sizeof(u64));
}

static void array_init(struct rt_map *map)
{
	rt_array_init(map);
	map->elem_stride = sizeof(u64);
}

static long array_store(const struct rt_map *map, const void *key, const void *value, u64 flags,
			struct rt_vcpu *vcpu)
{
	u64 number;

	__builtin_memcpy(&number, value, sizeof(number));
	__atomic_store_n(word_at(map, rt_array_index(key)), number, __ATOMIC_RELEASE);
	return 0;
}

static long array_clear(const struct rt_map *map, const void *key, void *value,
			struct rt_vcpu *vcpu)
{
	const u64 nothing = 0;

	return array_store(map, key, &nothing, 0, vcpu);
}

static long hash_sock_store(const struct rt_map *map, const void *key, const void *value, u64 flags,
			    struct rt_vcpu *vcpu)
{
	struct hash_store store = { .value = value };

	return hash_update(map, key, &store, flags, vcpu);
}

static long hash_sock_clear(const struct rt_map *map, const void *key, void *value,
			    struct rt_vcpu *vcpu)
{
	return hash_delete(map, key, vcpu);
}

static bool may_be_sent_to(const struct bpf_sock *sock)
{
	if (sock->protocol == TCP && sock->type == STREAM)
		return sock->state != BPF_TCP_LISTEN;
	return sock->state == BPF_TCP_ESTABLISHED;
}

u64 rt_sock_redirect(const struct rt_map *map, const void *key, u64 flags, bool message,
		     struct rt_vcpu *vcpu)
{
	const struct bpf_sock *sock;

	if (flags & ~(u64)BPF_F_INGRESS)
		return SK_DROP;
	sock = rt_map_lookup_elem(map, key, vcpu);
	if (!sock || !may_be_sent_to(sock))
		return SK_DROP;
	if (sock->family == AF_VSOCK && (message || flags))
		return SK_DROP;
	return message && !flags && sock->protocol != TCP ? SK_DROP : SK_PASS;
}

const struct rt_map_ops rt_map_sockmap_ops = {
	.memory_size = array_memory_size,
	.init = array_init,
	.lookup = array_lookup,
	.update = change,
	.delete = remove,
	.copy_in = array_store,
	.lookup_and_delete = array_clear,
	.next_key = rt_array_next_key,
	.objects = true,
};

const struct rt_map_ops rt_map_sockhash_ops = {
	.memory_size = hash_memory_size,
	.init = hash_init,
	.lookup = hash_sock_lookup,
	.update = change,
	.delete = remove,
	.copy_in = hash_sock_store,
	.lookup_and_delete = hash_sock_clear,
	.next_key = hash_next_key,
	.objects = true,
};
