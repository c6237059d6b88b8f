/* SPDX-License-Identifier: BSD-2-Clause */
/* See scenario.h: programs that store something at a task or a socket, and clients that see it. */
#include "scenario.h"
#include "../btf/blob.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CREATE BPF_LOCAL_STORAGE_GET_F_CREATE

static int load_btf(struct world *world)
{
	static struct blob blob;

	memset(&blob, 0, sizeof(blob));
	blob_int(&blob, "int", 4);
	blob_int(&blob, "long", 8);
	blob_finish(&blob);
	return world_btf(world, &blob);
}

static int storage(struct world *world, u32 type, int btf)
{
	union abi_attr attr = scenario_storage(type, btf);

	return (int)world_call(world, BPF_MAP_CREATE, &attr);
}

/* What a program puts into r2: the owner. */
enum owner { TASK, NOBODY, SOCKET, SOCKET_UNCHECKED, NUMBER };

#define OWNER_INSNS 4

static void put_owner(struct bpf_insn *insns, enum owner owner)
{
	const struct bpf_insn nothing = MOV_X(6, 6);

	for (u32 i = 0; i < OWNER_INSNS; i++)
		insns[i] = nothing;
	insns[0] = MOV_X(6, 1);
	insns[1] = MOV_K(2, owner == NUMBER ? 7 : 0);
	if (owner == TASK) {
		insns[1] = CALL(BPF_FUNC_get_current_task_btf);
		insns[2] = MOV_X(2, 0);
	} else if (owner == SOCKET || owner == SOCKET_UNCHECKED) {
		insns[1] = LOAD(BPF_DW, 2, 1, offsetof(struct __sk_buff, sk));
		if (owner == SOCKET) {
			insns[2] = INSN(BPF_JMP | BPF_JNE | BPF_K, 2, 0, 1, 0);
			insns[3] = EXIT();
		}
	}
}

/* -1: there was none; otherwise what was stored, which grows by one. */
static int getter(struct world *world, u32 func, int map, enum owner owner, s32 init, s32 flags)
{
	struct bpf_insn insns[] = {
		MOV_K(0, -2),
		MOV_X(6, 6),
		MOV_X(6, 6),
		MOV_X(6, 6),
		MOV_X(6, 6),
		STORE_K(BPF_DW, 10, -8, init),
		MOV_X(3, 10),
		init ? ADD_K(3, -8) : MOV_K(3, 0),
		MOV_K(4, flags),
		LD_MAP(1, BPF_PSEUDO_MAP_FD, map),
		CALL(func),
		INSN(BPF_JMP | BPF_JNE | BPF_K, 0, 0, 2, 0),
		MOV_K(0, -1),
		EXIT(),
		LOAD(BPF_DW, 1, 0, 0),
		ADD_K(1, 1),
		INSN(BPF_STX | BPF_MEM | BPF_DW, 0, 1, 0, 0),
		MOV_X(0, 1),
		ADD_K(0, -1),
		EXIT(),
	};

	put_owner(insns + 1, owner);
	return world_prog(world, BPF_PROG_TYPE_SCHED_CLS, insns, ARRAY_SIZE(insns));
}

static int deleter(struct world *world, u32 func, int map, enum owner owner)
{
	struct bpf_insn insns[] = {
		MOV_K(0, -3), MOV_X(6, 6), MOV_X(6, 6),
		MOV_X(6, 6),  MOV_X(6, 6), LD_MAP(1, BPF_PSEUDO_MAP_FD, map),
		CALL(func),   EXIT(),
	};

	put_owner(insns + 1, owner);
	return world_prog(world, BPF_PROG_TYPE_SCHED_CLS, insns, ARRAY_SIZE(insns));
}

static void run(struct world *world, int prog, long want, const char *name)
{
	if (expect(world, prog, FD, name)) {
		expect(world, (s32)scenario_run(world, prog), want, name);
		world->close(world, prog);
	}
}

static void get(struct world *world, int map, enum owner owner, s32 init, s32 flags, long want,
		const char *name)
{
	u32 func = owner == SOCKET ? BPF_FUNC_sk_storage_get : BPF_FUNC_task_storage_get;

	run(world, getter(world, func, map, owner, init, flags), want, name);
}

static void delete (struct world *world, int map, enum owner owner, long want, const char *name)
{
	u32 func = owner == SOCKET ? BPF_FUNC_sk_storage_delete : BPF_FUNC_task_storage_delete;

	run(world, deleter(world, func, map, owner), want, name);
}

static void tasks(struct world *world, int map)
{
	int self = world_take(world, (int)syscall(SYS_pidfd_open, getpid(), 0));
	u64 value = 0;

	get(world, map, TASK, 0, 0, -1, "task storage: none");
	delete (world, map, TASK, -ENOENT, "task storage: delete none");
	get(world, map, TASK, 5, 0, -1, "task storage: a value alone makes none");
	get(world, map, TASK, 5, 2, -1, "task storage: flags");
	get(world, map, TASK, 5, CREATE | 2, -1, "task storage: more flags");
	get(world, map, NOBODY, 5, CREATE, -1, "task storage: of nobody");
	delete (world, map, NOBODY, -EINVAL, "task storage: delete nobody's");
	get(world, map, TASK, 5, CREATE, 5, "task storage: made of a value");
	get(world, map, TASK, 9, CREATE, 6, "task storage: there already");
	expect(world, world_lookup(world, map, &self, &value), 0, "task storage: by pidfd");
	expect(world, (long)value, 7, "task storage: the client's view");
	value = 100;
	expect(world, world_update(world, map, &self, &value, 0), 0, "task storage: by pidfd");
	get(world, map, TASK, 0, 0, 100, "task storage: the client's value");
	delete (world, map, TASK, 0, "task storage: delete");
	delete (world, map, TASK, -ENOENT, "task storage: deleted");
	expect(world, world_lookup(world, map, &self, &value), -ENOENT, "task storage: gone");
	expect(world, world_update(world, map, &self, &value, 0), 0, "task storage: by pidfd");
	get(world, map, TASK, 0, CREATE, 100, "task storage: the client's element");
	expect(world, world_delete(world, map, &self), 0, "task storage: by pidfd");
	get(world, map, TASK, 0, CREATE, 0, "task storage: made of zeros");
	delete (world, map, TASK, 0, "task storage: delete");
	world->close(world, self);
}

/* The socket of a test run has its storage as long as the run lasts. */
static void sockets(struct world *world, int map)
{
	int prog;

	get(world, map, SOCKET, 0, 0, -1, "socket storage: none");
	get(world, map, SOCKET, 5, 2, -1, "socket storage: flags");
	get(world, map, SOCKET, 5, CREATE, 5, "socket storage: made of a value");
	get(world, map, SOCKET, 0, CREATE, 0, "socket storage: another run, another socket");
	delete (world, map, SOCKET, -ENOENT, "socket storage: delete none");
	prog = getter(world, BPF_FUNC_sk_storage_get, map, SOCKET, 5, CREATE);
	if (expect(world, prog, FD, "socket storage: a program")) {
		union abi_attr attr = { 0 };
		static u8 data[64];

		attr.test.prog_fd = (u32)prog;
		attr.test.data_in = (u64)(uintptr_t)data;
		attr.test.data_size_in = sizeof(data);
		attr.test.repeat = 4;
		expect(world, world_call(world, BPF_PROG_TEST_RUN, &attr), 0, "socket storage");
		expect(world, attr.test.retval, 8, "socket storage: four runs of one socket");
		world->close(world, prog);
	}
}

static void refused(struct world *world, int prog, long want, const char *name)
{
	expect(world, prog, want, name);
	if (prog >= 0)
		world->close(world, prog);
}

static void rules(struct world *world, int task, int sock)
{
	int hash = world_map(world, BPF_MAP_TYPE_HASH, 4, 8, 4, 0);

	refused(world, getter(world, BPF_FUNC_task_storage_get, task, NUMBER, 0, 0), -EACCES,
		"storage: of a number");
	refused(world, getter(world, BPF_FUNC_task_storage_get, task, SOCKET, 0, 0), -EACCES,
		"storage: a task that is a socket");
	refused(world, getter(world, BPF_FUNC_sk_storage_get, sock, TASK, 0, 0), -EACCES,
		"storage: a socket that is a task");
	refused(world, getter(world, BPF_FUNC_sk_storage_get, sock, SOCKET_UNCHECKED, 0, 0),
		-EACCES, "storage: perhaps a socket");
	refused(world, getter(world, BPF_FUNC_sk_storage_get, sock, NOBODY, 0, 0), -EACCES,
		"storage: no socket");
	refused(world, getter(world, ABI_FUNC_cgrp_storage_get, task, NOBODY, 0, 0), -EINVAL,
		"storage: the wrong storage");
	refused(world, getter(world, BPF_FUNC_task_storage_get, hash, TASK, 0, 0), -EINVAL,
		"storage: a hash");
	refused(world, getter(world, BPF_FUNC_map_lookup_elem, task, TASK, 0, 0), -EACCES,
		"storage: looked up");
	refused(world, deleter(world, BPF_FUNC_inode_storage_delete, task, NOBODY), -EINVAL,
		"storage: inodes are not for all");
	world->close(world, hash);
}

static void cgroups(struct world *world, int map)
{
	run(world, getter(world, ABI_FUNC_cgrp_storage_get, map, NOBODY, 5, CREATE), -1,
	    "cgroup storage: of nobody");
	run(world, deleter(world, ABI_FUNC_cgrp_storage_delete, map, NOBODY), -EINVAL,
	    "cgroup storage: delete nobody's");
}

void scenario_storage_prog(struct world *world)
{
	int btf = load_btf(world), task = storage(world, BPF_MAP_TYPE_TASK_STORAGE, btf),
	    sock = storage(world, BPF_MAP_TYPE_SK_STORAGE, btf),
	    cgroup = storage(world, ABI_MAP_TYPE_CGRP_STORAGE, btf);

	expect(world, task, FD, "task storage");
	expect(world, sock, FD, "socket storage");
	tasks(world, task);
	sockets(world, sock);
	cgroups(world, cgroup);
	rules(world, task, sock);
	world->close(world, cgroup);
	world->close(world, sock);
	world->close(world, task);
	world->close(world, btf);
}
