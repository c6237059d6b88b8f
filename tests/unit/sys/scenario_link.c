/* SPDX-License-Identifier: BSD-2-Clause */
/* See scenario.h: links, what is said of them, and TASK_FD_QUERY. */
#include "scenario.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static const struct bpf_insn ok_insns[] = { MOV_K(0, 0), EXIT() };

struct link_progs {
	int raw, tracepoint, filter;
};

static void link_perf(struct world *world, const struct link_progs *progs)
{
	union abi_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.link_create.prog_fd = (u32)progs->tracepoint;
	attr.link_create.target_fd = (u32)-1;
	attr.link_create.attach_type = BPF_PERF_EVENT;
	expect(world, world_call(world, BPF_LINK_CREATE, &attr), -EBADF, "link to fd -1");
	attr.link_create.target_fd = (u32)progs->raw;
	expect(world, world_call(world, BPF_LINK_CREATE, &attr), -EBADF, "link to a program");
	attr.link_create.flags = 1;
	expect(world, world_call(world, BPF_LINK_CREATE, &attr), -EINVAL, "link with flags");
	attr.link_create.flags = 0;
	attr.link_create.attach_type = BPF_XDP;
	expect(world, world_call(world, BPF_LINK_CREATE, &attr), -EINVAL, "link as XDP");
	attr.link_create.prog_fd = 900;
	expect(world, world_call(world, BPF_LINK_CREATE, &attr), -EBADF,
	       "link of a closed program");
	attr.link_create.prog_fd = (u32)progs->filter;
	attr.link_create.attach_type = BPF_PERF_EVENT;
	expect(world, world_call(world, BPF_LINK_CREATE, &attr), -EINVAL,
	       "link of a socket filter");
}

static int link_raw(struct world *world, const struct link_progs *progs)
{
	union abi_attr attr;
	int fd;

	memset(&attr, 0, sizeof(attr));
	attr.raw_tracepoint.name = (u64)(uintptr_t) "sys_enter";
	attr.raw_tracepoint.prog_fd = (u32)progs->raw;
	attr.raw_tracepoint.cookie = 0x1234;
	fd = (int)world_call(world, BPF_RAW_TRACEPOINT_OPEN, &attr);
	expect(world, fd, FD, "raw tracepoint");
	attr.raw_tracepoint.name = (u64)(uintptr_t) "no_such_point";
	expect(world, world_call(world, BPF_RAW_TRACEPOINT_OPEN, &attr), -ENOENT,
	       "raw tracepoint, unknown");
	attr.raw_tracepoint.name = 0;
	expect(world, world_call(world, BPF_RAW_TRACEPOINT_OPEN, &attr), -EFAULT,
	       "raw tracepoint, NULL");
	attr.raw_tracepoint.name = (u64)(uintptr_t) "sys_enter";
	attr.raw_tracepoint.prog_fd = (u32)progs->tracepoint;
	expect(world, world_call(world, BPF_RAW_TRACEPOINT_OPEN, &attr), -EINVAL,
	       "raw tracepoint, wrong type");
	attr.raw_tracepoint.prog_fd = 900;
	expect(world, world_call(world, BPF_RAW_TRACEPOINT_OPEN, &attr), -EBADF,
	       "raw tracepoint, closed");
	return fd;
}

static void link_info(struct world *world, int fd)
{
	struct abi_link_info info;
	union abi_attr attr;
	char name[32];

	memset(&info, 0, sizeof(info));
	memset(name, 'z', sizeof(name));
	info.raw_tracepoint.tp_name = (u64)(uintptr_t)name;
	info.raw_tracepoint.tp_name_len = sizeof(name);
	memset(&attr, 0, sizeof(attr));
	attr.info.bpf_fd = (u32)fd;
	attr.info.info = (u64)(uintptr_t)&info;
	attr.info.info_len = sizeof(info);
	expect(world, world_call(world, BPF_OBJ_GET_INFO_BY_FD, &attr), 0, "info of a link");
	expect(world, info.type, BPF_LINK_TYPE_RAW_TRACEPOINT, "info of a link: type");
	expect(world, info.raw_tracepoint.tp_name_len, 10, "info of a link: length of the name");
	expect(world, (long)info.raw_tracepoint.cookie, 0x1234, "info of a link: cookie");
	tap_ok(!strcmp(name, "sys_enter"), "%s: info of a link: name", world->name);
	info.raw_tracepoint.tp_name_len = 4;
	attr.info.info_len = sizeof(info);
	expect(world, world_call(world, BPF_OBJ_GET_INFO_BY_FD, &attr), -ENOSPC,
	       "info of a link: short name");
	tap_ok(!strcmp(name, "sys"), "%s: info of a link: short name", world->name);
	info.raw_tracepoint.tp_name = 0;
	info.raw_tracepoint.tp_name_len = 4;
	expect(world, world_call(world, BPF_OBJ_GET_INFO_BY_FD, &attr), -EINVAL,
	       "info of a link: length alone");
}

static void link_change(struct world *world, int fd, int raw)
{
	union abi_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.link_update.link_fd = (u32)fd;
	attr.link_update.new_prog_fd = (u32)raw;
	expect(world, world_call(world, BPF_LINK_UPDATE, &attr), -EINVAL, "update of a link");
	attr.link_update.flags = 8;
	expect(world, world_call(world, BPF_LINK_UPDATE, &attr), -EINVAL,
	       "update of a link, flags");
	memset(&attr, 0, sizeof(attr));
	attr.link_detach.link_fd = (u32)fd;
	expect(world, world_call(world, BPF_LINK_DETACH, &attr), -EOPNOTSUPP, "detaching");
	attr.link_detach.link_fd = (u32)raw;
	expect(world, world_call(world, BPF_LINK_DETACH, &attr), -EINVAL, "detaching a program");
	memset(&attr, 0, sizeof(attr));
	attr.iter_create.link_fd = (u32)fd;
	expect(world, world_call(world, BPF_ITER_CREATE, &attr), -EINVAL,
	       "iterator of another link");
}

static void link_query(struct world *world, int fd, int raw)
{
	union abi_attr attr;
	char name[32];

	memset(&attr, 0, sizeof(attr));
	attr.task_fd_query.pid = (u32)getpid();
	attr.task_fd_query.fd = (u32)fd;
	memset(name, 'z', sizeof(name));
	attr.task_fd_query.buf = (u64)(uintptr_t)name;
	attr.task_fd_query.buf_len = sizeof(name);
	expect(world, world_call(world, BPF_TASK_FD_QUERY, &attr), 0, "TASK_FD_QUERY");
	expect(world, attr.task_fd_query.buf_len, 9, "TASK_FD_QUERY: length");
	tap_ok(!strcmp(name, "sys_enter"), "%s: TASK_FD_QUERY: name", world->name);
	attr.task_fd_query.buf_len = 4;
	expect(world, world_call(world, BPF_TASK_FD_QUERY, &attr), -ENOSPC, "TASK_FD_QUERY: short");
	attr.task_fd_query.fd = (u32)raw;
	expect(world, world_call(world, BPF_TASK_FD_QUERY, &attr), -ABI_ENOTSUPP,
	       "TASK_FD_QUERY: a program");
	attr.task_fd_query.fd = 900;
	expect(world, world_call(world, BPF_TASK_FD_QUERY, &attr), -EBADF, "TASK_FD_QUERY: closed");
	attr.task_fd_query.flags = 1;
	expect(world, world_call(world, BPF_TASK_FD_QUERY, &attr), -EINVAL, "TASK_FD_QUERY: flags");
}

void scenario_link(struct world *world)
{
	struct link_progs progs = {
		.raw = world_prog(world, BPF_PROG_TYPE_RAW_TRACEPOINT, ok_insns, 2),
		.tracepoint = world_prog(world, BPF_PROG_TYPE_TRACEPOINT, ok_insns, 2),
		.filter = world_prog(world, BPF_PROG_TYPE_SOCKET_FILTER, ok_insns, 2),
	};
	int fd;

	link_perf(world, &progs);
	fd = link_raw(world, &progs);
	link_info(world, fd);
	link_change(world, fd, progs.raw);
	link_query(world, fd, progs.raw);
	world->close(world, fd);
	world->close(world, progs.raw);
	world->close(world, progs.tracepoint);
	world->close(world, progs.filter);
}
