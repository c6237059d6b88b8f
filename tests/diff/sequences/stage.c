/* SPDX-License-Identifier: BSD-2-Clause */
/* See sequences.h. */
#include "../bpf/client.h"
#include "sequences.h"
#include "../../unit/btf/blob.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

struct stage stage;

static int must(long result, const char *what)
{
	if (result < 0)
		tap_bail("%s: %ld", what, result);
	return (int)result;
}

long stage_call(int side, u32 cmd, union abi_attr *attr)
{
	return stage.worlds[side]->bpf(stage.worlds[side], cmd, attr, sizeof(*attr));
}

/* Types 1 int, 2 long, 3 to 6 functions, 7 and 8 a value with a lock, 9 and 10 one with a timer. */
static int load_btf(int side)
{
	static struct blob blob;

	memset(&blob, 0, sizeof(blob));
	blob_int(&blob, "int", 4);
	blob_int(&blob, "long", 8);
	blob_type(&blob, "", BTF_KIND_FUNC_PROTO, 0, 0, 1);
	blob_type(&blob, "script", BTF_KIND_FUNC, 0, 0, 3);
	blob_type(&blob, "operation", BTF_KIND_FUNC, 0, 0, 3);
	blob_type(&blob, "each", BTF_KIND_FUNC, 0, 0, 3);
	blob_type(&blob, "bpf_spin_lock", BTF_KIND_STRUCT, 0, 1, 4);
	blob_member(&blob, "val", 1, 0);
	blob_type(&blob, "locked", BTF_KIND_STRUCT, 0, 3, 16);
	blob_member(&blob, "lock", 7, 0);
	blob_member(&blob, "number", 1, 32);
	blob_member(&blob, "wide", 2, 64);
	blob_type(&blob, "bpf_timer", BTF_KIND_STRUCT, 0, 1, 16);
	blob_member(&blob, "wide", 2, 0);
	blob_type(&blob, "timed", BTF_KIND_STRUCT, 0, 2, 24);
	blob_member(&blob, "timer", 9, 0);
	blob_member(&blob, "wide", 2, 128);
	blob_finish(&blob);
	return must(world_btf(stage.worlds[side], &blob), "BTF_LOAD");
}

static u32 id_of(int side, int fd)
{
	u32 info[2] = { 0 };
	union abi_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.info.bpf_fd = (u32)fd;
	attr.info.info = (u64)(uintptr_t)info;
	attr.info.info_len = sizeof(info);
	must(stage_call(side, BPF_OBJ_GET_INFO_BY_FD, &attr), "OBJ_GET_INFO_BY_FD");
	return info[1];
}

static int load_prog(int side, u32 type, u32 attach_type)
{
	static const struct bpf_insn insns[] = { MOV_K(0, 2), EXIT() };

	return must(world_prog_for(stage.worlds[side], type, attach_type, insns, ARRAY_SIZE(insns)),
		    "PROG_LOAD");
}

/* Maps for maps: two that are alike, the second with elements, and one of another size. */
static int make_inner(int side, u32 i)
{
	struct world *world = stage.worlds[side];
	u32 size = i == 2 ? 4 : 8, key;
	int map = must(world_map(world, BPF_MAP_TYPE_ARRAY, 4, size, 4, 0), "MAP_CREATE");
	u64 value;

	for (key = 0; key < 4 && i == 1; key++) {
		value = 0x0102030405060708ull * (key + 1);
		must(world_update(world, map, &key, &value, 0), "MAP_UPDATE_ELEM");
	}
	return map;
}

/* One that listens, a bound one, and one that is neither. */
static void make_socket(int side, u32 i)
{
	struct sockaddr_in any = { .sin_family = AF_INET };
	int fd = must(socket(AF_INET, i == 1 ? SOCK_DGRAM : SOCK_STREAM, 0), "a socket");
	socklen_t size = sizeof(stage.cookies[side][i]);

	if (i < 2)
		must(bind(fd, (struct sockaddr *)&any, sizeof(any)), "bind");
	if (i == 0)
		must(listen(fd, 1), "listen");
	must(getsockopt(fd, SOL_SOCKET, SO_COOKIE, &stage.cookies[side][i], &size), "a cookie");
	stage.sockets[side][i] = must(world_take(stage.worlds[side], fd), "a socket");
}

static void make_side(int side)
{
	static const u32 xdp_types[OBJECTS] = { BPF_XDP_DEVMAP, BPF_XDP_CPUMAP, 0 };
	struct world *world = stage.worlds[side];
	/* Whose calls they are. */
	pid_t own_pid =
		side && stage.through_client ? (pid_t)client_world_pid(window_client()) : getpid();
	u32 i;

	stage.btf[side] = load_btf(side);
	stage.script[side] = must(world_map(world, BPF_MAP_TYPE_ARRAY, 4,
					    SCRIPT_LEN * (u32)sizeof(struct entry), 1, 0),
				  "the script's map");
	for (i = 0; i < OBJECTS; i++) {
		stage.maps[side][i] = make_inner(side, i);
		stage.map_ids[side][i] = id_of(side, stage.maps[side][i]);
		stage.progs[side][i] = load_prog(
			side, i == 2 ? BPF_PROG_TYPE_SCHED_CLS : BPF_PROG_TYPE_SOCKET_FILTER, 0);
		stage.prog_ids[side][i] = id_of(side, stage.progs[side][i]);
		stage.xdp[side][i] = load_prog(side, BPF_PROG_TYPE_XDP, xdp_types[i]);
		stage.xdp_ids[side][i] = id_of(side, stage.xdp[side][i]);
		stage.perf[side][i] = must(world->perf_open(world), "a perf event");
		make_socket(side, i);
		stage.files[side][i] =
			must(world_take(world, open(i ? "/" : "/dev/null", O_RDONLY | O_CLOEXEC)),
			     "a file");
		stage.tasks[side][i] = must(
			world_take(world, (int)syscall(SYS_pidfd_open, i ? getppid() : own_pid, 0)),
			"a pidfd");
	}
}

bool stage_new(const char *skep)
{
	stage.worlds[0] = world_kernel();
	if (!stage.worlds[0])
		return false;
	/* A network of its own, and one CPU: whose values programs see. */
	must(unshare(CLONE_NEWNET), "unshare");
	must(client_move(0), "sched_setaffinity");
	stage.cpus = (u32)sysconf(_SC_NPROCESSORS_CONF);
	stage.through_client = skep;
	stage.worlds[1] = skep ? window_start(skep) : world_skep();
	make_side(0);
	make_side(1);
	return true;
}

u32 stage_free(void)
{
	return stage.through_client ? window_stop() : world_skep_free(stage.worlds[1]);
}
