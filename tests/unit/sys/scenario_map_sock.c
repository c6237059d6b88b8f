/* SPDX-License-Identifier: BSD-2-Clause */
/* See scenario.h: maps of sockets that programs look up and send to. */
#include "scenario.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define SOCKMAP	 BPF_MAP_TYPE_SOCKMAP
#define SOCKHASH BPF_MAP_TYPE_SOCKHASH

/* Sockets of this process, and what they are called in the world. */
struct pair {
	int near, far, near_fd, far_fd, listener, listener_fd;
	u16 port; /* of near, host byte order */
};

static int checked(int result)
{
	if (result < 0)
		tap_bail("socket: %d", errno);
	return result;
}

static struct sockaddr_in loopback(void)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

/* The file is the world's from now on: it is closed there. */
static int given(struct world *world, int file)
{
	return world_take(world, checked(file));
}

static struct pair connected(struct world *world)
{
	struct sockaddr_in address = loopback();
	socklen_t size = sizeof(address);
	struct pair pair = { 0 };

	pair.listener = checked(socket(AF_INET, SOCK_STREAM, 0));
	checked(bind(pair.listener, (struct sockaddr *)&address, size));
	checked(listen(pair.listener, 1));
	checked(getsockname(pair.listener, (struct sockaddr *)&address, &size));
	pair.near = checked(socket(AF_INET, SOCK_STREAM, 0));
	checked(connect(pair.near, (struct sockaddr *)&address, size));
	pair.far = checked(accept(pair.listener, NULL, NULL));
	checked(getsockname(pair.near, (struct sockaddr *)&address, &size));
	pair.port = ntohs(address.sin_port);
	pair.near_fd = given(world, pair.near);
	pair.far_fd = given(world, pair.far);
	pair.listener_fd = given(world, pair.listener);
	return pair;
}

static void disconnect(struct world *world, struct pair *pair)
{
	world->close(world, pair->near_fd);
	world->close(world, pair->far_fd);
	world->close(world, pair->listener_fd);
}

static void creates(struct world *world)
{
	static const struct {
		u32 type, key, value, max, flags;
		long want;
	} rows[] = {
		{ SOCKMAP, 4, 4, 4, 0, FD },
		{ SOCKMAP, 4, 8, 4, 0, FD },
		{ SOCKMAP, 4, 6, 4, 0, -EINVAL },
		{ SOCKMAP, 8, 8, 4, 0, -EINVAL },
		{ SOCKMAP, 4, 8, 0, 0, -EINVAL },
		{ SOCKMAP, 4, 8, 4, BPF_F_NO_PREALLOC, -EINVAL },
		{ SOCKMAP, 4, 8, 4, BPF_F_RDONLY_PROG, -EINVAL },
		{ SOCKMAP, 4, 8, 4, BPF_F_MMAPABLE, -EINVAL },
		{ SOCKMAP, 4, 8, 4, BPF_F_INNER_MAP, -EINVAL },
		{ SOCKMAP, 4, 8, 4, BPF_F_RDONLY, FD },
		{ SOCKMAP, 4, 8, 4, BPF_F_NUMA_NODE, FD },
		{ SOCKHASH, 4, 4, 4, 0, FD },
		{ SOCKHASH, 13, 8, 5, 0, FD },
		{ SOCKHASH, 512, 8, 4, 0, FD },
		{ SOCKHASH, 513, 8, 4, 0, -E2BIG },
		{ SOCKHASH, 0, 8, 4, 0, -EINVAL },
		{ SOCKHASH, 4, 5, 4, 0, -EINVAL },
		{ SOCKHASH, 4, 8, 0, 0, -EINVAL },
		{ SOCKHASH, 4, 8, 1u << 29, 0, -EINVAL },
		{ SOCKHASH, 4, 8, 4, BPF_F_NO_PREALLOC, -EINVAL },
		{ SOCKHASH, 4, 8, 4, BPF_F_ZERO_SEED, -EINVAL },
		{ SOCKHASH, 4, 8, 4, BPF_F_WRONLY, FD },
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		long fd = world_map(world, rows[i].type, rows[i].key, rows[i].value, rows[i].max,
				    rows[i].flags);
		char text[64];

		snprintf(text, sizeof(text), "socket map: create %u", i);
		expect(world, fd, rows[i].want, text);
		if (fd >= 0)
			world->close(world, (int)fd);
	}
}

static long store(struct world *world, int map, u32 key, u64 value, u64 flags)
{
	return world_update(world, map, &key, &value, flags);
}

static long cookie(struct world *world, int map, u32 key, u64 *ret_cookie)
{
	return world_lookup(world, map, &key, ret_cookie);
}

static long drop(struct world *world, int map, u32 key)
{
	return world_delete(world, map, &key);
}

/* A socket of one kind, and what becomes of it. */
static void one_kind(struct world *world, int map, int file, long want, const char *text)
{
	int fd = given(world, file);

	expect(world, store(world, map, 0, (u64)fd, 0), want, text);
	world->close(world, fd);
}

static int bound(int family, int type, bool listens)
{
	struct sockaddr_in address = loopback();
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int fd = checked(socket(family, type, 0));

	/* Without a name the kernel finds one. */
	checked(family == AF_UNIX ? bind(fd, (struct sockaddr *)&name, sizeof(name.sun_family))
				  : bind(fd, (struct sockaddr *)&address, sizeof(address)));
	if (listens)
		checked(listen(fd, 1));
	return fd;
}

static int half_of_a_pair(int type)
{
	int pair[2];

	checked(socketpair(AF_UNIX, type, 0, pair));
	close(pair[1]);
	return pair[0];
}

static void kinds(struct world *world, int map)
{
	int foreign = world_foreign(world), raw;

	expect(world, store(world, map, 0, 900, 0), -EBADF, "socket map: closed");
	expect(world, store(world, map, 0, 1ull << 31, 0), -EINVAL, "socket map: no descriptor");
	expect(world, store(world, map, 0, (u64)foreign, 0), -ENOTSOCK, "socket map: a file");
	world->close(world, foreign);
	one_kind(world, map, socket(AF_INET, SOCK_STREAM, 0), -EOPNOTSUPP, "TCP, new");
	one_kind(world, map, bound(AF_INET, SOCK_STREAM, false), -EOPNOTSUPP, "TCP, bound");
	one_kind(world, map, bound(AF_INET, SOCK_STREAM, true), 0, "TCP, listening");
	one_kind(world, map, socket(AF_INET, SOCK_DGRAM, 0), -EOPNOTSUPP, "UDP, new");
	one_kind(world, map, bound(AF_INET, SOCK_DGRAM, false), 0, "UDP, bound");
	one_kind(world, map, socket(AF_UNIX, SOCK_STREAM, 0), -EOPNOTSUPP, "unix stream, new");
	one_kind(world, map, bound(AF_UNIX, SOCK_STREAM, true), -EOPNOTSUPP, "unix, listening");
	one_kind(world, map, half_of_a_pair(SOCK_STREAM), 0, "unix stream, of a pair");
	one_kind(world, map, socket(AF_UNIX, SOCK_DGRAM, 0), 0, "unix datagrams, new");
	one_kind(world, map, half_of_a_pair(SOCK_DGRAM), 0, "unix datagrams, of a pair");
	one_kind(world, map, half_of_a_pair(SOCK_SEQPACKET), -EOPNOTSUPP, "unix seqpacket");
	one_kind(world, map, socket(AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE), -EOPNOTSUPP, "UDP-Lite");
	one_kind(world, map, socket(AF_NETLINK, SOCK_RAW, 0), -EOPNOTSUPP, "netlink");
	raw = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
	if (raw < 0 && errno == EPERM)
		tap_skip(1, "raw sockets are root's");
	else
		one_kind(world, map, raw, -EOPNOTSUPP, "raw");
}

static void elements(struct world *world, u32 type)
{
	struct pair pair = connected(world);
	int map = world_map(world, type, 4, 8, 2, 0), small = world_map(world, type, 4, 4, 2, 0);
	bool hash = type == SOCKHASH;
	u64 near = 0, far = 0, again = 0, many[4];
	union abi_attr attr;
	u32 key = 0, next = 0;

	expect(world, map, FD, hash ? "socket hash" : "socket map");
	kinds(world, map);
	expect(world, cookie(world, map, 0, &near), -ENOENT, "all of them are gone");
	expect(world, drop(world, map, 0), hash ? -ENOENT : -EINVAL, "delete nothing");
	expect(world, drop(world, map, 7), hash ? -ENOENT : -EINVAL, "delete nowhere");
	expect(world, store(world, map, 0, (u64)pair.near_fd, 3), -EINVAL, "flags 3");
	expect(world, store(world, map, 0, (u64)pair.near_fd, BPF_EXIST), -ENOENT, "not there");
	expect(world, store(world, map, 0, (u64)pair.near_fd, BPF_F_LOCK), -EINVAL, "a lock");
	expect(world, store(world, map, 0, (u64)pair.near_fd, BPF_NOEXIST), 0, "new");
	expect(world, store(world, map, 0, (u64)pair.far_fd, BPF_NOEXIST), -EEXIST, "not new");
	expect(world, cookie(world, map, 0, &near), 0, "its cookie");
	expect(world, store(world, map, 1, (u64)pair.near_fd, 0), 0, "the same elsewhere");
	expect(world, cookie(world, map, 1, &again), 0, "its cookie, too");
	expect(world, near && near == again, 1, "is the same");
	expect(world, store(world, map, 1, (u64)pair.far_fd, BPF_EXIST), 0, "another instead");
	expect(world, cookie(world, map, 1, &far), 0, "the other's cookie");
	expect(world, far && near != far, 1, "is another");
	expect(world, store(world, map, 2, (u64)pair.near_fd, 0), -E2BIG, "a third");
	expect(world, store(world, small, 1, (u64)pair.near_fd, 0), 0, "value of four bytes");
	expect(world, cookie(world, small, 1, &far), -ENOSPC, "which tells no cookie");
	expect(world, scenario_element(world, BPF_MAP_GET_NEXT_KEY, map, NULL, &key, 0), 0,
	       "first key");
	expect(world, scenario_element(world, BPF_MAP_GET_NEXT_KEY, map, &key, &next, 0), 0,
	       "second key");
	expect(world, key + next, 1, "are those keys");
	expect(world, scenario_element(world, BPF_MAP_GET_NEXT_KEY, map, &next, &key, 0), -ENOENT,
	       "and no more");
	memset(&attr, 0, sizeof(attr));
	attr.batch.map_fd = (u32)map;
	attr.batch.count = 2;
	attr.batch.keys = attr.batch.values = attr.batch.out_batch = (u64)(uintptr_t)many;
	expect(world, world_call(world, BPF_MAP_LOOKUP_BATCH, &attr), -524, "no batch");
	expect(world, world_call(world, BPF_MAP_UPDATE_BATCH, &attr), -524, "no batch of updates");
	expect(world, world_call(world, BPF_MAP_DELETE_BATCH, &attr), -524,
	       "no batch of deletions");
	expect(world, scenario_element(world, BPF_MAP_LOOKUP_AND_DELETE_ELEM, map, &key, many, 0),
	       -524, "no look-up with deletion");
	expect(world, drop(world, map, 0), 0, "delete");
	expect(world, cookie(world, map, 0, &again), -ENOENT, "is gone");
	world->close(world, pair.far_fd);
	expect(world, cookie(world, map, 1, &again), -ENOENT, "a closed socket is gone");
	expect(world, drop(world, map, 1), hash ? -ENOENT : -EINVAL, "and cannot be deleted");
	pair.far_fd = pair.near_fd;
	world->close(world, pair.near_fd);
	world->close(world, pair.listener_fd);
	world->close(world, small);
	world->close(world, map);
}

/* What a classifier finds in key 0 of map: family, port, state, in a number. */
static void lookups(struct world *world, u32 type)
{
	struct pair pair = connected(world);
	int map = world_map(world, type, 4, 8, 4, 0);
	const struct bpf_insn insns[] = {
		STORE_K(BPF_W, 10, -4, 0),
		LD_MAP(1, BPF_PSEUDO_MAP_FD, map),
		MOV_X(2, 10),
		ADD_K(2, -4),
		CALL(BPF_FUNC_map_lookup_elem),
		JEQ_K(0, 0, 10),
		LOAD(BPF_W, 6, 0, offsetof(struct bpf_sock, src_port)),
		LOAD(BPF_W, 7, 0, offsetof(struct bpf_sock, family)),
		LOAD(BPF_W, 8, 0, offsetof(struct bpf_sock, state)),
		MOV_X(1, 0),
		CALL(BPF_FUNC_sk_release),
		INSN(BPF_ALU64 | BPF_LSH | BPF_K, 7, 0, 0, 16),
		INSN(BPF_ALU64 | BPF_LSH | BPF_K, 8, 0, 0, 24),
		INSN(BPF_ALU64 | BPF_ADD | BPF_X, 6, 7, 0, 0),
		INSN(BPF_ALU64 | BPF_ADD | BPF_X, 6, 8, 0, 0),
		MOV_X(0, 6),
		EXIT(),
	};
	int prog = world_prog(world, BPF_PROG_TYPE_SCHED_CLS, insns, ARRAY_SIZE(insns));

	expect(world, prog, FD, "socket map: a program that looks");
	expect(world, scenario_run(world, prog), 0, "finds nothing");
	expect(world, store(world, map, 0, (u64)pair.near_fd, 0), 0, "a socket");
	expect(world, scenario_run(world, prog),
	       pair.port + (AF_INET << 16) + (BPF_TCP_ESTABLISHED << 24), "is found");
	expect(world, store(world, map, 0, (u64)pair.listener_fd, 0), 0, "one that listens");
	expect(world, scenario_run(world, prog) >> 16, AF_INET + (BPF_TCP_LISTEN << 8),
	       "is found, too");
	world->close(world, pair.listener_fd);
	expect(world, scenario_run(world, prog), 0, "until it is closed");
	world->close(world, prog);
	world->close(world, map);
	pair.listener_fd = pair.near_fd;
	world->close(world, pair.near_fd);
	world->close(world, pair.far_fd);
}

/* A program that takes what is in key 0 of one map for key 1 of the other, with these flags. */
static int copier(struct world *world, int from, int to, s32 flags)
{
	const struct bpf_insn insns[] = {
		STORE_K(BPF_W, 10, -4, 0),
		STORE_K(BPF_W, 10, -8, 1),
		LD_MAP(1, BPF_PSEUDO_MAP_FD, from),
		MOV_X(2, 10),
		ADD_K(2, -4),
		CALL(BPF_FUNC_map_lookup_elem),
		JEQ_K(0, 0, 13),
		MOV_X(6, 0),
		LD_MAP(1, BPF_PSEUDO_MAP_FD, to),
		MOV_X(2, 10),
		ADD_K(2, -8),
		MOV_X(3, 6),
		MOV_K(4, flags),
		CALL(BPF_FUNC_map_update_elem),
		MOV_X(7, 0),
		MOV_X(1, 6),
		CALL(BPF_FUNC_sk_release),
		MOV_X(0, 7),
		EXIT(),
		MOV_K(0, 77),
		EXIT(),
	};
	int prog = world_prog(world, BPF_PROG_TYPE_SCHED_CLS, insns, ARRAY_SIZE(insns));

	expect(world, prog, FD, "socket map: a program that copies");
	return prog;
}

static int deleter(struct world *world, int map, u32 key)
{
	const struct bpf_insn insns[] = { STORE_K(BPF_W, 10, -4, (s32)key),
					  LD_MAP(1, BPF_PSEUDO_MAP_FD, map),
					  MOV_X(2, 10),
					  ADD_K(2, -4),
					  CALL(BPF_FUNC_map_delete_elem),
					  EXIT() };
	int prog = world_prog(world, BPF_PROG_TYPE_SCHED_CLS, insns, ARRAY_SIZE(insns));

	expect(world, prog, FD, "socket map: a program that deletes");
	return prog;
}

static void changes(struct world *world, u32 from_type, u32 to_type)
{
	struct pair pair = connected(world);
	int from = world_map(world, from_type, 4, 8, 2, 0),
	    to = world_map(world, to_type, 4, 8, 2, 0);
	int copy = copier(world, from, to, 0), only_new = copier(world, from, to, BPF_NOEXIST),
	    only_old = copier(world, from, to, BPF_EXIST), bad = copier(world, from, to, 4),
	    remove = deleter(world, to, 1);
	u64 near = 0, found = 0;

	expect(world, scenario_run(world, copy), 77, "nothing to copy");
	expect(world, store(world, from, 0, (u64)pair.near_fd, 0), 0, "a socket");
	expect(world, (s32)scenario_run(world, only_old), -ENOENT, "copy: it must be there");
	expect(world, (s32)scenario_run(world, bad), -EINVAL, "copy: flags");
	expect(world, (s32)scenario_run(world, copy), 0, "copy");
	expect(world, (s32)scenario_run(world, only_new), -EEXIST, "copy: it must not be there");
	expect(world, cookie(world, from, 0, &near), 0, "its cookie");
	expect(world, cookie(world, to, 1, &found), 0, "and its copy's");
	expect(world, near == found, 1, "are the same");
	expect(world, (s32)scenario_run(world, remove), 0, "delete");
	expect(world, (s32)scenario_run(world, remove), to_type == SOCKHASH ? -ENOENT : -EINVAL,
	       "delete again");
	expect(world, cookie(world, to, 1, &found), -ENOENT, "it is gone");
	expect(world, (s32)scenario_run(world, copy), 0, "copy again");
	world->close(world, from);
	expect(world, cookie(world, to, 1, &found), 0, "it does not need the other map");
	disconnect(world, &pair);
	expect(world, cookie(world, to, 1, &found), -ENOENT, "but its socket");
	world->close(world, copy);
	world->close(world, only_new);
	world->close(world, only_old);
	world->close(world, bad);
	world->close(world, remove);
	world->close(world, to);
}

/* The socket of a test run is of no kind that a map takes. */
static void own_socket(struct world *world)
{
	int map = world_map(world, SOCKMAP, 4, 8, 4, 0), prog;
	const struct bpf_insn insns[] = {
		STORE_K(BPF_W, 10, -4, 0),
		LOAD(BPF_DW, 3, 1, offsetof(struct __sk_buff, sk)),
		JEQ_K(3, 0, 7),
		LD_MAP(1, BPF_PSEUDO_MAP_FD, map),
		MOV_X(2, 10),
		ADD_K(2, -4),
		MOV_K(4, 0),
		CALL(BPF_FUNC_map_update_elem),
		EXIT(),
		MOV_K(0, 77),
		EXIT(),
	};

	prog = world_prog(world, BPF_PROG_TYPE_SCHED_CLS, insns, ARRAY_SIZE(insns));
	expect(world, prog, FD, "socket map: a program that gives its own socket");
	expect(world, (s32)scenario_run(world, prog), -EOPNOTSUPP, "which is not taken");
	world->close(world, prog);
	world->close(world, map);
}

static void inner(struct world *world, u32 type)
{
	int sample = world_map(world, type, 4, 8, 4, 0), other = world_map(world, type, 4, 4, 4, 0),
	    outer;
	union abi_attr attr = { 0 };
	u32 key = 0, value = (u32)sample;

	attr.map_type = BPF_MAP_TYPE_ARRAY_OF_MAPS;
	attr.key_size = attr.value_size = 4;
	attr.max_entries = 1;
	attr.inner_map_fd = (u32)sample;
	outer = (int)world_call(world, BPF_MAP_CREATE, &attr);
	expect(world, outer, FD, "socket map: maps in a map");
	expect(world, world_update(world, outer, &key, &value, 0), 0, "one like it");
	value = (u32)other;
	expect(world, world_update(world, outer, &key, &value, 0), -EINVAL, "one unlike it");
	world->close(world, outer);
	world->close(world, other);
	world->close(world, sample);
}

/* Selects what is in key 0 for a connection of this family and protocol: the result, and whom. */
static long choose(struct world *world, int map, u32 family, u32 protocol, s32 flags,
		   u64 *ret_cookie)
{
	const struct bpf_insn insns[] = {
		MOV_X(7, 1),
		STORE_K(BPF_W, 10, -4, 0),
		LD_MAP(1, BPF_PSEUDO_MAP_FD, map),
		MOV_X(2, 10),
		ADD_K(2, -4),
		CALL(BPF_FUNC_map_lookup_elem),
		JEQ_K(0, 0, 7),
		MOV_X(6, 0),
		MOV_X(1, 7),
		MOV_X(2, 6),
		MOV_K(3, flags),
		CALL(BPF_FUNC_sk_assign),
		MOV_X(1, 6),
		CALL(BPF_FUNC_sk_release),
		MOV_K(0, 1),
		EXIT(),
	};
	struct bpf_sk_lookup lookup = { .family = family, .protocol = protocol };
	int prog = world_prog_for(world, BPF_PROG_TYPE_SK_LOOKUP, BPF_SK_LOOKUP, insns,
				  ARRAY_SIZE(insns));
	union abi_attr attr = { 0 };
	long result;

	expect(world, prog, FD, "socket map: a program that selects");
	attr.test.prog_fd = (u32)prog;
	attr.test.ctx_in = attr.test.ctx_out = (u64)(uintptr_t)&lookup;
	attr.test.ctx_size_in = attr.test.ctx_size_out = sizeof(lookup);
	result = world_call(world, BPF_PROG_TEST_RUN, &attr);
	*ret_cookie = lookup.cookie;
	world->close(world, prog);
	return result;
}

static int reusing(void)
{
	struct sockaddr_in address = loopback();
	int fd = checked(socket(AF_INET, SOCK_STREAM, 0)), on = 1;

	checked(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)));
	checked(bind(fd, (struct sockaddr *)&address, sizeof(address)));
	checked(listen(fd, 1));
	return fd;
}

static void choices(struct world *world, u32 type)
{
	struct pair pair = connected(world);
	int map = world_map(world, type, 4, 8, 4, 0), group = given(world, reusing());
	u64 listener = 0, chosen;

	expect(world, choose(world, map, AF_INET, IPPROTO_TCP, 0, &chosen), 0, "select nothing");
	expect(world, (long)chosen, 0, "nobody");
	store(world, map, 0, (u64)pair.listener_fd, 0);
	expect(world, cookie(world, map, 0, &listener), 0, "one that listens");
	expect(world, choose(world, map, AF_INET, IPPROTO_TCP, 0, &chosen), 0, "select it");
	expect(world, chosen == listener, 1, "it is");
	expect(world, choose(world, map, AF_INET, IPPROTO_UDP, 0, &chosen), 0, "for UDP");
	expect(world, (long)chosen, 0, "it is not");
	expect(world, choose(world, map, AF_INET6, IPPROTO_TCP, 0, &chosen), 0, "for IPv6");
	expect(world, (long)chosen, 0, "it is not, either");
	expect(world, choose(world, map, AF_INET, IPPROTO_TCP, 64, &chosen), 0, "with flags");
	expect(world, (long)chosen, 0, "nor then");
	store(world, map, 0, (u64)pair.near_fd, 0);
	expect(world, choose(world, map, AF_INET, IPPROTO_TCP, 0, &chosen), 0, "a connected one");
	expect(world, (long)chosen, 0, "is not to be had");
	store(world, map, 0, (u64)group, 0);
	expect(world, choose(world, map, AF_INET, IPPROTO_TCP, 0, &chosen), -EOPNOTSUPP,
	       "one of a group");
	expect(world,
	       choose(world, map, AF_INET, IPPROTO_TCP, BPF_SK_LOOKUP_F_NO_REUSEPORT, &chosen), 0,
	       "alone");
	expect(world, chosen != 0, 1, "is selected");
	world->close(world, group);
	disconnect(world, &pair);
	world->close(world, map);
}

static long attach(struct world *world, u32 cmd, int map, int prog, u32 type)
{
	union abi_attr attr = { 0 };

	attr.attach.target_fd = (u32)map;
	attr.attach.attach_bpf_fd = (u32)prog;
	attr.attach.attach_type = type;
	return world_call(world, cmd, &attr);
}

/* What sockets carry does not pass a hive: nothing is attached there, and said so. */
static void attaching(struct world *world, u32 type)
{
	const struct bpf_insn insns[] = { MOV_K(0, 1), EXIT() };
	int map = world_map(world, type, 4, 8, 4, 0),
	    message = world_prog(world, BPF_PROG_TYPE_SK_MSG, insns, 2),
	    packet = world_prog(world, BPF_PROG_TYPE_SK_SKB, insns, 2);
	union abi_attr attr = { 0 };

	expect(world, attach(world, BPF_PROG_ATTACH, map, packet, BPF_SK_MSG_VERDICT), -EINVAL,
	       "socket map: a program of another type");
	expect(world, attach(world, BPF_PROG_DETACH, map, message, BPF_SK_MSG_VERDICT), -ENOENT,
	       "socket map: detach what is not there");
	attr.query.target_fd = (u32)map;
	attr.query.attach_type = BPF_SK_SKB_STREAM_VERDICT;
	attr.query.count = 7;
	expect(world, world_call(world, BPF_PROG_QUERY, &attr), 0, "socket map: who is there");
	expect(world, attr.query.count, 0, "socket map: nobody");
	if (!world->kernel) {
		expect(world, attach(world, BPF_PROG_ATTACH, map, message, BPF_SK_MSG_VERDICT),
		       -EOPNOTSUPP, "socket map: attach");
		tap_ok(strstr(world_last_message(world), "does not pass the hive"),
		       "socket map: is refused with the reason");
	}
	world->close(world, packet);
	world->close(world, message);
	world->close(world, map);
}

void scenario_map_sock(struct world *world)
{
	creates(world);
	elements(world, SOCKMAP);
	elements(world, SOCKHASH);
	lookups(world, SOCKMAP);
	lookups(world, SOCKHASH);
	changes(world, SOCKMAP, SOCKHASH);
	changes(world, SOCKHASH, SOCKMAP);
	own_socket(world);
	inner(world, SOCKMAP);
	inner(world, SOCKHASH);
	choices(world, SOCKMAP);
	choices(world, SOCKHASH);
	attaching(world, SOCKMAP);
	attaching(world, SOCKHASH);
}
