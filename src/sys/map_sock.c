/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps of sockets as clients and programs change them (net/core/sock_map.c). A socket that is in
 * any map is described once, in control, where programs see it as it was when it was last put into
 * a map. Links say where it stands, so that it can leave all maps when it is closed; that is looked
 * for before each command on such a map and before each test run of a program that has one.
 */
#include "base/alloc.h"
#include "rt/redirect.h"
#include "sys/client_socket.h"
#include "sys/map_slot.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

/* One place of a map in which a socket stands. */
struct sys_sock_link {
	struct sys_sock *sock;
	struct sys_map *map;
	struct sys_sock_link *next; /* of this socket */
	u32 place;
	u8 key[];
};

struct sys_sock {
	struct sys_sock *next;
	struct sys_hive *hive;
	struct abi_rt_sock *rt; /* in control */
	struct sys_sock_link *links;
	struct sys_deferred deferred;
};

bool sys_map_is_sock(const struct sys_map *map)
{
	return map->rt->type == BPF_MAP_TYPE_SOCKMAP || map->rt->type == BPF_MAP_TYPE_SOCKHASH;
}

static bool is_hash(const struct sys_map *map)
{
	return map->rt->type == BPF_MAP_TYPE_SOCKHASH;
}

int sys_sock_new_map(struct sys_map *map)
{
	map->socks = base_zalloc(is_hash(map) ? rt_map_nr_places(map->rt) : map->rt->max_entries,
				 sizeof(struct sys_sock_link *));
	return map->socks ? 0 : -ENOMEM;
}

static void free_sock(struct sys_deferred *deferred)
{
	struct sys_sock *sock = container_of(deferred, struct sys_sock, deferred);

	if (sock->rt)
		arena_release(sock->hive->options.arena, ARENA_CONTROL, sock->rt,
			      sizeof(*sock->rt));
	base_free(sock);
}

/* Nothing leads to it any more; a program that runs may still look at it. */
static void end_sock(struct sys_sock *sock)
{
	struct sys_sock **at = &sock->hive->socks;

	while (*at != sock)
		at = &(*at)->next;
	*at = sock->next;
	sys_defer(sock->hive, &sock->deferred, free_sock);
}

static struct sys_sock *sock_of(struct sys_hive *hive, const void *rt)
{
	struct sys_sock *sock = hive->socks;

	while (sock && sock->rt != rt)
		sock = sock->next;
	return sock;
}

static struct sys_sock *sock_by_cookie(struct sys_hive *hive, u64 cookie)
{
	struct sys_sock *sock = hive->socks;

	while (sock && sock->rt->cookie != cookie)
		sock = sock->next;
	return sock;
}

static void unlink_from(struct sys_sock_link *link)
{
	struct sys_sock_link **at = &link->sock->links;

	while (*at != link)
		at = &(*at)->next;
	*at = link->next;
	if (!link->sock->links)
		end_sock(link->sock);
	base_free(link);
}

/* What stands in a place leaves it: the map has been told or is about to be. */
static void clear_place(struct sys_map *map, u32 place)
{
	struct sys_sock_link *link = map->socks[place];

	map->socks[place] = NULL;
	if (link)
		unlink_from(link);
}

void sys_sock_clear_map(struct sys_map *map)
{
	u32 nr = is_hash(map) ? rt_map_nr_places(map->rt) : map->rt->max_entries;

	for (u32 i = 0; map->socks && i < nr; i++)
		clear_place(map, i);
	base_free(map->socks);
	map->socks = NULL;
}

/* The place of a key, if something stands there: RT_MAP_SLOTS is none. */
static bool find_place(struct sys_map *map, const void *key, struct rt_vcpu *vcpu, u32 *ret_place)
{
	u32 place;

	if (is_hash(map)) {
		place = rt_map_place(map->rt, key, vcpu);
	} else {
		memcpy(&place, key, sizeof(place));
		if (place >= map->rt->max_entries)
			return false;
	}
	*ret_place = place;
	return map->socks[place] != NULL;
}

static int remove_key(struct sys_map *map, const void *key, struct rt_vcpu *vcpu)
{
	u32 place;
	long error;

	if (!find_place(map, key, vcpu, &place))
		return is_hash(map) ? -ENOENT : -EINVAL;
	error = rt_map_lookup_and_delete(map->rt, key, NULL, 0, vcpu);
	if (!error)
		clear_place(map, place);
	return (int)error;
}

static void leave_all(struct sys_sock *sock, struct rt_vcpu *vcpu)
{
	while (sock->links) {
		struct sys_sock_link *link = sock->links;
		bool last = !link->next;

		/* A bucket that is locked for good keeps it: it is looked for again. */
		if (remove_key(link->map, link->key, vcpu) || last)
			return;
	}
}

void sys_sock_sweep(struct sys_hive *hive, struct rt_vcpu *vcpu)
{
	struct sys_sock *sock = hive->socks, *next;
	u64 *alive = NULL, nr = 0;

	if (!sock || sys_sockets_alive(hive, &alive, &nr))
		return;
	for (; sock; sock = next) {
		next = sock->next;
		if (!sys_cookie_in(alive, nr, sock->rt->cookie))
			leave_all(sock, vcpu);
	}
	base_free(alive);
}

static bool is_tcp(const struct bpf_sock *sock)
{
	return sock->protocol == IPPROTO_TCP && sock->type == SOCK_STREAM;
}

/* Kinds of sockets that can be in a map, and the state in which each has to be. */
static int check_kind(const struct abi_rt_sock *rt, const struct sys_socket *socket)
{
	const struct bpf_sock *sock = &rt->sock;

	switch (sock->family) {
	case AF_INET:
	case AF_INET6:
		if (is_tcp(sock))
			return sock->state == BPF_TCP_ESTABLISHED || sock->state == BPF_TCP_LISTEN
				       ? 0
				       : -EOPNOTSUPP;
		return sock->protocol == IPPROTO_UDP && socket->bound ? 0 : -EOPNOTSUPP;
	case AF_UNIX:
		if (sock->type == SOCK_DGRAM)
			return 0;
		return sock->type == SOCK_STREAM && sock->state == BPF_TCP_ESTABLISHED
			       ? 0
			       : -EOPNOTSUPP;
	default: return -EOPNOTSUPP;
	}
}

/* The socket behind a descriptor, described anew: 0, or why a map cannot have it. */
static int take(struct sys_call *call, int fd, struct sys_sock **ret_sock)
{
	struct sys_hive *hive = call->hive;
	struct sys_socket socket;
	struct abi_rt_sock rt;
	struct sys_sock *sock;
	int error = sys_socket_of_fd(call, fd, true, &socket);

	if (!error)
		error = sys_socket_image(call, fd, &rt);
	if (!error)
		error = check_kind(&rt, &socket);
	if (error)
		return error;
	sock = sock_by_cookie(hive, rt.cookie);
	if (!sock) {
		sock = base_zalloc(1, sizeof(*sock));
		if (!sock)
			return -ENOMEM;
		sock->hive = hive;
		sock->rt = arena_alloc(hive->options.arena, ARENA_CONTROL, sizeof(rt), 64);
		if (!sock->rt) {
			base_free(sock);
			return -ENOMEM;
		}
		sock->next = hive->socks;
		hive->socks = sock;
	}
	*sock->rt = rt;
	*ret_sock = sock;
	return 0;
}

/* 0, or what the flags say against it. */
static int check_place(struct sys_map *map, const void *key, u64 flags, struct rt_vcpu *vcpu,
		       u32 *ret_place)
{
	bool there;

	if (flags > BPF_EXIST)
		return -EINVAL;
	*ret_place = UINT32_MAX;
	there = find_place(map, key, vcpu, ret_place);
	if (*ret_place == UINT32_MAX)
		return -E2BIG;
	if (there && flags == BPF_NOEXIST)
		return -EEXIST;
	return !there && flags == BPF_EXIST ? -ENOENT : 0;
}

/* Puts a socket into a map; on failure, if it is in none, it ends. */
static int put(struct sys_map *map, const void *key, struct sys_sock *sock, u64 flags,
	       struct rt_vcpu *vcpu)
{
	struct sys_sock_link *link =
		base_zalloc(1, sizeof(*link) + ALIGN_UP(map->rt->key_size, 8u));
	u64 number = rt_sock_number(sock->rt);
	u32 place;
	int error = link ? check_place(map, key, flags, vcpu, &place) : -ENOMEM;

	if (!error)
		error = (int)rt_map_copy_in(map->rt, key, &number, BPF_ANY, vcpu);
	if (error) {
		base_free(link);
		if (!sock->links)
			end_sock(sock);
		return error;
	}
	*link = (struct sys_sock_link){ .sock = sock, .map = map, .next = sock->links };
	memcpy(link->key, key, map->rt->key_size);
	sock->links = link;
	/* In a hash a new value may stand in another place. */
	clear_place(map, place);
	link->place = is_hash(map) ? rt_map_place(map->rt, key, vcpu) : place;
	map->socks[link->place] = link;
	return 0;
}

int sys_sock_update(struct sys_call *call, struct sys_map *map, const void *key, const void *value,
		    u64 flags, struct rt_vcpu *vcpu)
{
	struct sys_sock *sock;
	u64 fd = 0;
	int error;

	memcpy(&fd, value, map->rt->value_size);
	if (fd > INT_MAX)
		return -EINVAL;
	error = take(call, (int)fd, &sock);
	return error ? error : put(map, key, sock, flags, vcpu);
}

int sys_sock_delete(struct sys_map *map, const void *key, struct rt_vcpu *vcpu)
{
	return remove_key(map, key, vcpu);
}

int sys_sock_lookup(struct sys_map *map, const void *key, void *value, struct rt_vcpu *vcpu)
{
	u32 place;

	if (map->rt->value_size != sizeof(u64))
		return -ENOSPC;
	if (!find_place(map, key, vcpu, &place))
		return -ENOENT;
	memcpy(value, &map->socks[place]->sock->rt->cookie, sizeof(u64));
	return 0;
}

long sys_sock_change(void *arg, const struct rt_map *rt, const void *key, const void *rt_sock,
		     u64 flags, struct rt_vcpu *vcpu)
{
	struct sys_hive *hive = arg;
	struct object *object = object_by_id(hive->objects, OBJECT_MAP, rt->id);
	struct sys_map *map = object ? sys_map_of(object) : NULL;
	struct sys_sock *sock;
	long result;

	if (!map)
		return -EOPNOTSUPP;
	if (rt_sock) {
		/* Sockets of contexts are of no kind that a map takes. */
		sock = sock_of(hive, rt_sock);
		result = sock ? put(map, key, sock, flags, vcpu) : -EOPNOTSUPP;
	} else {
		result = remove_key(map, key, vcpu);
	}
	object_unref(object);
	return result;
}

void sys_socks_free(struct sys_hive *hive)
{
	while (hive->socks) {
		struct sys_sock *sock = hive->socks;

		hive->socks = sock->next;
		free_sock(&sock->deferred);
	}
}
