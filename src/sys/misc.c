/* SPDX-License-Identifier: BSD-2-Clause */
/* Small commands that belong to no family: PROG_BIND_MAP, TASK_FD_QUERY, ENABLE_STATS, tokens. */
#include "sys/hive.h"
#include "base/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

static int bind(struct sys_prog *prog, struct sys_map *map)
{
	struct sys_map **maps;
	u32 i;

	for (i = 0; i < prog->nr_maps; i++)
		if (prog->maps[i] == map)
			return 0;
	maps = base_realloc(prog->maps, prog->nr_maps + 1, sizeof(*maps));
	if (!maps)
		return -ENOMEM;
	object_ref(&map->object);
	prog->maps = maps;
	prog->maps[prog->nr_maps++] = map;
	return 0;
}

long sys_prog_bind_map(struct sys_call *call)
{
	const union abi_attr *attr = &call->attr;
	struct sys_prog *prog;
	struct sys_map *map;
	int error;

	if (attr->prog_bind_map.flags)
		return -EINVAL;
	error = sys_prog_by_fd(call, attr->prog_bind_map.prog_fd, &prog);
	if (error)
		return error;
	error = sys_map_by_fd(call, attr->prog_bind_map.map_fd, &map);
	if (!error) {
		error = bind(prog, map);
		sys_map_put(map);
	}
	sys_prog_put(prog);
	return error;
}

/* Writes a tracepoint's name and what runs there; a short buffer gets its beginning, and ENOSPC. */
static int answer(struct sys_call *call, u32 prog_id, u32 fd_type, const char *name)
{
	union abi_attr *attr = &call->attr;
	u32 room = attr->task_fd_query.buf_len, length = name ? (u32)strlen(name) : 0,
	    part = length;
	u64 buffer = attr->task_fd_query.buf;
	int error = 0;

	attr->task_fd_query.buf_len = length;
	if (sys_write_attr(call, task_fd_query.buf_len))
		return -EFAULT;
	if (room && buffer) {
		if (room < length + 1) {
			part = room - 1;
			error = -ENOSPC;
		}
		if (sys_write(call, buffer, name, part) || sys_write(call, buffer + part, "", 1))
			return -EFAULT;
	}
	attr->task_fd_query.prog_id = prog_id;
	attr->task_fd_query.fd_type = fd_type;
	attr->task_fd_query.probe_offset = 0;
	attr->task_fd_query.probe_addr = 0;
	if (sys_write_attr(call, task_fd_query.prog_id) ||
	    sys_write_attr(call, task_fd_query.fd_type) ||
	    sys_write_attr(call, task_fd_query.probe_offset) ||
	    sys_write_attr(call, task_fd_query.probe_addr))
		return -EFAULT;
	return error;
}

static int describe(struct sys_call *call, struct object *object)
{
	const struct sys_hive_options *options = &call->hive->options;
	struct sys_perf_info info = { 0 };
	struct sys_link *link;
	int error;

	if (object->kind == OBJECT_LINK) {
		link = container_of(object, struct sys_link, object);
		if (link->type != BPF_LINK_TYPE_RAW_TRACEPOINT)
			return -ABI_ENOTSUPP;
		return answer(call, link->prog->object.id, BPF_FD_TYPE_RAW_TRACEPOINT,
			      link->tracepoint);
	}
	if (object->kind != OBJECT_PERF || !options->attach_ops || !options->attach_ops->perf_info)
		return -ABI_ENOTSUPP;
	error = options->attach_ops->perf_info(options->attach_arg, object, &info);
	if (error)
		return error;
	if (!info.prog_id)
		return -ENOENT;
	if (!info.tracepoint)
		return -EOPNOTSUPP;
	return answer(call, info.prog_id, BPF_FD_TYPE_TRACEPOINT, info.tracepoint);
}

long sys_task_fd_query(struct sys_call *call)
{
	const union abi_attr *attr = &call->attr;
	struct sys_client *client = call->client;
	struct object *object;
	int fd = (int)attr->task_fd_query.fd, error;

	if (!client->privileged)
		return -EPERM;
	if (attr->task_fd_query.flags)
		return -EINVAL;
	if (client->ops->object_of_task)
		error = client->ops->object_of_task(client, attr->task_fd_query.pid, fd, &object);
	else if (attr->task_fd_query.pid == client->pid || attr->task_fd_query.pid == client->tgid)
		error = sys_object_by_fd(call, (u32)fd, OBJECT_KINDS, &object);
	else
		error = -ENOENT;
	if (error)
		return error == -EINVAL ? -ABI_ENOTSUPP : error;
	error = describe(call, object);
	object_unref(object);
	return error;
}

struct stats {
	struct object object;
	struct sys_hive *hive;
};

/* Counting is a flag in each program's descriptor, which the data plane reads. */
static void count(struct sys_hive *hive, u32 users)
{
	struct object *object;
	u32 id = 0;

	hive->stats_users = users;
	while ((id = object_next_id(hive->objects, OBJECT_PROG, id))) {
		object = object_by_id(hive->objects, OBJECT_PROG, id);
		if (!object)
			continue;
		WRITE_ONCE(sys_prog_of(object)->rt->stats_enabled, users != 0);
		object_unref(object);
	}
}

static void release_stats(struct object *object)
{
	struct stats *stats = container_of(object, struct stats, object);

	count(stats->hive, stats->hive->stats_users - 1);
	base_free(stats);
}

long sys_enable_stats(struct sys_call *call)
{
	struct stats *stats;

	if (!call->client->privileged)
		return -EPERM;
	if (call->attr.enable_stats.type != BPF_STATS_RUN_TIME)
		return -EINVAL;
	stats = base_zalloc(1, sizeof(*stats));
	if (!stats)
		return -ENOMEM;
	stats->hive = call->hive;
	object_init(call->hive->objects, &stats->object, OBJECT_STATS, release_stats);
	count(call->hive, call->hive->stats_users + 1);
	return sys_install_consume(call, &stats->object, O_RDWR);
}

/*
 * A token is made of a bpffs mount of a user name space, with delegation. The hive's bpffs belongs
 * to no other name space than its clients, where the kernel finds a token pointless, too.
 */
long sys_token_create(struct sys_call *call)
{
	const union abi_attr *attr = &call->attr;
	struct sys_client *client = call->client;
	int place;

	if (attr->token_create.flags)
		return -EINVAL;
	place = client->ops->place_of_fd
			? client->ops->place_of_fd(client, (int)attr->token_create.bpffs_fd)
			: -EBADF;
	if (place < 0)
		return place;
	if (place != SYS_PLACE_BPFFS)
		return -EINVAL;
	if (!client->privileged)
		return -EPERM;
	sys_say(call->hive, "tokens delegate rights from one user name space to another: in a hive "
			    "every client has all of them");
	return -EOPNOTSUPP;
}
