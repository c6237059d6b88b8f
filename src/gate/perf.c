/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a perf event is stands in src/hook; here is its system-call surface: copying perf_event_attr
 * as kernel/events/core.c's perf_copy_attr() does, the descriptor, and the ioctls that attach
 * programs. Programs attached by ioctl stay until the last descriptor of the event is closed, so
 * the list of them hangs on the object.
 */
#include "gate/perf.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <string.h>
#include "base/alloc.h"
#include "gate/state.h"
#include "hook/hook.h"
#include "rt/buffer.h"
#include "rt/prog.h"

#define ATTR_SIZE_MAX 4096

/* A program set by PERF_EVENT_IOC_SET_BPF. */
struct attachment {
	struct attachment *next;
	void *hook; /* the attach operations' argument */
	void *token;
	struct sys_prog *prog;
};

static void release_attachments(struct object *perf)
{
	struct attachment *attachment = perf->gate_data;

	perf->gate_data = NULL;
	while (attachment) {
		struct attachment *next = attachment->next;

		hook_attach_ops.detach(attachment->hook, attachment->token);
		sys_prog_unref(attachment->prog);
		base_free(attachment);
		attachment = next;
	}
}

/* The kernel tells a client with a newer attr how long the one it knows is. */
static int too_big(struct gate_client *client, u64 address)
{
	u32 size = sizeof(struct perf_event_attr);

	client->base.ops->write(&client->base, address + offsetof(struct perf_event_attr, size),
				&size, sizeof(size));
	return -E2BIG;
}

static int copy_attr(struct gate_client *client, u64 address, struct perf_event_attr *ret_attr)
{
	u8 bytes[ATTR_SIZE_MAX];
	u32 size;

	if (client->base.ops->read(&client->base, &size,
				   address + offsetof(struct perf_event_attr, size),
				   sizeof(size)) < 0)
		return -EFAULT;
	if (!size)
		size = PERF_ATTR_SIZE_VER0;
	if (size < PERF_ATTR_SIZE_VER0 || size > ATTR_SIZE_MAX)
		return too_big(client, address);
	if (client->base.ops->read(&client->base, bytes, address, size) < 0)
		return -EFAULT;
	for (u32 i = sizeof(*ret_attr); i < size; i++)
		if (bytes[i])
			return too_big(client, address);
	memset(ret_attr, 0, sizeof(*ret_attr));
	memcpy(ret_attr, bytes, size < sizeof(*ret_attr) ? size : sizeof(*ret_attr));
	ret_attr->size = size;
	return 0;
}

long perf_open(struct gate_client *client, const u64 args[6], bool *ret_not_ours)
{
	struct gate *gate = client->gate;
	struct perf_event_attr attr;
	const char *reason = NULL;
	struct object *perf;
	int error, fd;

	*ret_not_ours = false;
	if (args[4] & ~(u64)(PERF_FLAG_FD_NO_GROUP | PERF_FLAG_FD_OUTPUT | PERF_FLAG_PID_CGROUP |
			     PERF_FLAG_FD_CLOEXEC))
		return -EINVAL;
	error = copy_attr(client, args[0], &attr);
	if (error)
		return error;
	error = hook_perf_open(gate->options.hook, sys_hive_objects(gate->options.sys), &attr,
			       (pid_t)args[1] ? (pid_t)args[1] : (pid_t)client->base.pid,
			       (int)args[2], &perf, &reason);
	if (error == -ENOSYS) {
		*ret_not_ours = true;
		return 0;
	}
	if (reason)
		gate_message(gate, "%s", reason);
	if (error)
		return error;
	perf->uid = client->base.uid;
	perf->gate_release = release_attachments;
	fd = client->base.ops->install_fd(&client->base, perf, O_RDWR);
	object_unref(perf);
	return fd;
}

static long set_bpf(struct gate_client *client, struct object *perf, int prog_fd)
{
	struct attachment *attachment;
	struct object *object;
	const char *reason = NULL;
	int error = client->base.ops->object_by_fd(&client->base, prog_fd, OBJECT_PROG, &object);

	if (error)
		return error;
	attachment = base_zalloc(1, sizeof(*attachment));
	if (!attachment) {
		object_unref(object);
		return -ENOMEM;
	}
	attachment->hook = client->gate->options.hook;
	attachment->prog = sys_prog_ref(sys_prog_of(object));
	object_unref(object);
	error = hook_attach_ops.perf_event(attachment->hook, attachment->prog, perf, 0,
					   &attachment->token, &reason);
	if (reason)
		gate_message(client->gate, "%s", reason);
	if (error) {
		sys_prog_unref(attachment->prog);
		base_free(attachment);
		return error;
	}
	attachment->next = perf->gate_data;
	perf->gate_data = attachment;
	return 0;
}

/* struct perf_event_query_bpf: how many ids fit, how many there are, the ids. */
static long query_bpf(struct gate_client *client, struct object *perf, u64 address)
{
	const struct attachment *attachment;
	struct perf_event_query_bpf query;
	u32 count = 0;

	if (client->base.ops->read(&client->base, &query, address, sizeof(query)) < 0)
		return -EFAULT;
	if (query.ids_len > 64)
		return -E2BIG;
	for (attachment = perf->gate_data; attachment; attachment = attachment->next, count++) {
		u32 id = sys_prog_rt(attachment->prog)->id;

		if (count < query.ids_len &&
		    client->base.ops->write(&client->base, address + sizeof(query) + 4ull * count,
					    &id, sizeof(id)) < 0)
			return -EFAULT;
	}
	query.prog_cnt = count;
	if (client->base.ops->write(&client->base, address, &query, sizeof(query)) < 0)
		return -EFAULT;
	return count > query.ids_len ? -ENOSPC : 0;
}

long perf_ioctl(struct gate_client *client, struct object *perf, u32 request, u64 argument)
{
	const struct rt_perf_buffer *buffer;

	switch (request) {
	case PERF_EVENT_IOC_ENABLE: return hook_perf_enable(perf, true);
	case PERF_EVENT_IOC_DISABLE: return hook_perf_enable(perf, false);
	case PERF_EVENT_IOC_RESET: return 0;
	case PERF_EVENT_IOC_SET_BPF: return set_bpf(client, perf, (int)argument);
	case PERF_EVENT_IOC_QUERY_BPF: return query_bpf(client, perf, argument);
	case PERF_EVENT_IOC_ID:
		buffer = hook_perf_buffer(perf);
		return client->base.ops->write(&client->base, argument,
					       buffer ? &buffer->id : &(u64){ 0 }, sizeof(u64));
	case PERF_EVENT_IOC_SET_FILTER:
		gate_message(
			client->gate,
			"perf event filters are not supported: the program has to filter itself");
		return -EINVAL;
	default: return -ENOTTY;
	}
}
