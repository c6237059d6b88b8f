/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf(2)'s entrance: copies the attributes in by the kernel's rules (a client may know fewer or
 * more fields than we do), finds the command's row and runs it. Beside it what lives as long as the
 * hive: its objects, and the queue of memory that waits for a grace period.
 */
#include "sys/async.h"
#include "sys/object_type.h"
#include "sys/hive.h"
#include "base/alloc.h"
#include "base/proc.h"
#include "sys/struct_ops.h"
#include "model/model.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PAGE	     4096u
#define VCPU_WAIT_MS 500 /* more would keep everybody else waiting */

static const sys_command_fn commands[] = {
	[BPF_MAP_CREATE] = sys_map_create,
	[BPF_MAP_LOOKUP_ELEM] = sys_map_elem,
	[BPF_MAP_UPDATE_ELEM] = sys_map_elem,
	[BPF_MAP_DELETE_ELEM] = sys_map_elem,
	[BPF_MAP_GET_NEXT_KEY] = sys_map_elem,
	[BPF_PROG_LOAD] = sys_prog_load,
	[BPF_OBJ_PIN] = sys_object_pin,
	[BPF_OBJ_GET] = sys_object_get,
	[BPF_PROG_ATTACH] = sys_prog_attach,
	[BPF_PROG_DETACH] = sys_prog_detach,
	[BPF_PROG_TEST_RUN] = sys_prog_test_run,
	[BPF_PROG_GET_NEXT_ID] = sys_next_id,
	[BPF_MAP_GET_NEXT_ID] = sys_next_id,
	[BPF_PROG_GET_FD_BY_ID] = sys_fd_by_id,
	[BPF_MAP_GET_FD_BY_ID] = sys_fd_by_id,
	[BPF_OBJ_GET_INFO_BY_FD] = sys_object_info,
	[BPF_PROG_QUERY] = sys_prog_query,
	[BPF_RAW_TRACEPOINT_OPEN] = sys_raw_tracepoint_open,
	[BPF_BTF_LOAD] = sys_btf_load,
	[BPF_BTF_GET_FD_BY_ID] = sys_fd_by_id,
	[BPF_TASK_FD_QUERY] = sys_task_fd_query,
	[BPF_MAP_LOOKUP_AND_DELETE_ELEM] = sys_map_elem,
	[BPF_MAP_FREEZE] = sys_map_freeze,
	[BPF_BTF_GET_NEXT_ID] = sys_next_id,
	[BPF_MAP_LOOKUP_BATCH] = sys_map_batch,
	[BPF_MAP_LOOKUP_AND_DELETE_BATCH] = sys_map_batch,
	[BPF_MAP_UPDATE_BATCH] = sys_map_batch,
	[BPF_MAP_DELETE_BATCH] = sys_map_batch,
	[BPF_LINK_CREATE] = sys_link_create,
	[BPF_LINK_UPDATE] = sys_link_update,
	[BPF_LINK_GET_FD_BY_ID] = sys_fd_by_id,
	[BPF_LINK_GET_NEXT_ID] = sys_next_id,
	[BPF_ENABLE_STATS] = sys_enable_stats,
	[BPF_ITER_CREATE] = sys_iter_create,
	[BPF_LINK_DETACH] = sys_link_detach,
	[BPF_PROG_BIND_MAP] = sys_prog_bind_map,
	[ABI_TOKEN_CREATE] = sys_token_create,
	[ABI_PROG_STREAM_READ_BY_FD] = sys_stream_read,
};

long sys_bpf(struct sys_hive *hive, struct sys_client *client, u32 cmd, u64 attr, u32 size)
{
	struct sys_call call = { .hive = hive, .client = client, .cmd = cmd, .address = attr };
	int error;

	error = sys_check_tail(&call, attr, sizeof(call.attr), size);
	if (error)
		return error;
	call.size = size < sizeof(call.attr) ? size : (u32)sizeof(call.attr);
	if (sys_read(&call, &call.attr, attr, call.size))
		return -EFAULT;
	if (cmd >= ARRAY_SIZE(commands) || !commands[cmd])
		return -EINVAL;
	if (!abi_attr_tail_is_zero(cmd, &call.attr))
		return -EINVAL;
	error = sys_profile_check(&call);
	if (error)
		return error;
	/* What a client has just closed may be the room for what it makes next. */
	if (cmd == BPF_MAP_CREATE || cmd == BPF_PROG_LOAD)
		sys_hive_reap(hive);
	return commands[cmd](&call);
}

struct sys_hive *sys_hive_new(const struct sys_hive_options *options)
{
	struct sys_hive *hive = base_zalloc(1, sizeof(*hive));

	if (!hive)
		return NULL;
	hive->options = *options;
	hive->deferred_end = &hive->deferred;
	hive->objects = object_table_new();
	if (!hive->objects) {
		base_free(hive);
		return NULL;
	}
	sys_slots_new(hive);
	object_reserve_ids(hive->objects, OBJECT_BTF, SYS_KERNEL_BTF_ID);
	return hive;
}

static void reap(struct sys_hive *hive, bool all)
{
	struct sys_deferred *first;

	/* What is freed may drop the last reference of something else, which is then appended. */
	while ((first = hive->deferred) && (all || rt_grace_over(&first->grace))) {
		hive->deferred = first->next;
		if (!hive->deferred)
			hive->deferred_end = &hive->deferred;
		first->run(first);
	}
}

struct sys_hive *sys_hive_free(struct sys_hive *hive)
{
	if (!hive)
		return NULL;
	hive->ending = true;
	sys_async_end(hive);
	hive->model = model_free(hive->model);
	sys_struct_ops_end(hive);
	reap(hive, true);
	sys_btf_put(hive->kernel_btf);
	reap(hive, true);
	sys_object_heap_end(hive);
	object_table_free(hive->objects);
	sys_socks_free(hive);
	if (hive->sockets)
		close(hive->sockets);
	base_free(hive);
	return NULL;
}

void sys_hive_reap(struct sys_hive *hive)
{
	reap(hive, false);
}

struct object_table *sys_hive_objects(struct sys_hive *hive)
{
	return hive->objects;
}

void sys_defer(struct sys_hive *hive, struct sys_deferred *deferred,
	       void (*run)(struct sys_deferred *deferred))
{
	deferred->next = NULL;
	deferred->run = run;
	rt_grace_begin(&deferred->grace);
	*hive->deferred_end = deferred;
	hive->deferred_end = &deferred->next;
}

void sys_say(struct sys_hive *hive, const char *format, ...)
{
	char text[512], *at;
	va_list args;

	if (!hive->options.message)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	/* Names come from clients: nothing in them may move a terminal's cursor. */
	for (at = text; *at; at++)
		if ((u8)*at < ' ' || *at == 0x7f)
			*at = '?';
	hive->options.message(hive->options.message_arg, text);
}

int sys_read(struct sys_call *call, void *dst, u64 address, u64 size)
{
	return size ? call->client->ops->read(call->client, dst, address, size) : 0;
}

int sys_write(struct sys_call *call, u64 address, const void *src, u64 size)
{
	return size ? call->client->ops->write(call->client, address, src, size) : 0;
}

int sys_check_tail(struct sys_call *call, u64 address, u64 known, u64 size)
{
	u8 tail[PAGE];
	u64 done, part, i;

	if (size > PAGE)
		return -E2BIG;
	/* Page by page: what is wrong comes before a page that is not there. */
	for (done = known; done < size; done += part) {
		part = PAGE - (address + done) % PAGE;
		if (part > size - done)
			part = size - done;
		if (sys_read(call, tail, address + done, part))
			return -EFAULT;
		for (i = 0; i < part; i++)
			if (tail[i])
				return -E2BIG;
	}
	return 0;
}

int sys_read_new(struct sys_call *call, u64 address, u64 size, void **ret_memory)
{
	void *memory = base_alloc(size);

	if (!memory)
		return -ENOMEM;
	if (sys_read(call, memory, address, size)) {
		base_free(memory);
		return -EFAULT;
	}
	*ret_memory = memory;
	return 0;
}

int sys_object_by_fd(struct sys_call *call, u32 fd, enum object_kind kind,
		     struct object **ret_object)
{
	int error = call->client->ops->object_by_fd(call->client, (int)fd, kind, ret_object);

	/* What is not a perf event is a bad descriptor to the kernel, whatever else it may be. */
	return error == -EINVAL && kind == OBJECT_PERF ? -EBADF : error;
}

int sys_map_by_fd(struct sys_call *call, u32 fd, struct sys_map **ret_map)
{
	struct object *object;
	int error = sys_object_by_fd(call, fd, OBJECT_MAP, &object);

	if (!error)
		*ret_map = container_of(object, struct sys_map, object);
	return error;
}

int sys_prog_by_fd(struct sys_call *call, u32 fd, struct sys_prog **ret_prog)
{
	struct object *object;
	int error = sys_object_by_fd(call, fd, OBJECT_PROG, &object);

	if (!error)
		*ret_prog = container_of(object, struct sys_prog, object);
	return error;
}

int sys_btf_by_fd(struct sys_call *call, u32 fd, struct sys_btf **ret_btf)
{
	struct object *object;
	int error = sys_object_by_fd(call, fd, OBJECT_BTF, &object);

	if (error)
		return error;
	if (container_of(object, struct sys_btf, object)->kernel) {
		object_unref(object);
		return -EACCES;
	}
	*ret_btf = container_of(object, struct sys_btf, object);
	return 0;
}

int sys_link_by_fd(struct sys_call *call, u32 fd, struct sys_link **ret_link)
{
	struct object *object;
	int error = sys_object_by_fd(call, fd, OBJECT_LINK, &object);

	if (!error)
		*ret_link = container_of(object, struct sys_link, object);
	return error;
}

void sys_map_put(struct sys_map *map)
{
	if (map)
		object_unref(&map->object);
}

void sys_prog_put(struct sys_prog *prog)
{
	if (prog)
		object_unref(&prog->object);
}

void sys_btf_put(struct sys_btf *btf)
{
	if (btf)
		object_unref(&btf->object);
}

void sys_link_put(struct sys_link *link)
{
	if (link)
		object_unref(&link->object);
}

static u32 own_tid(void)
{
	/* Asked once: a supervisor's thread does not fork and go on serving. */
	static __thread u32 tid;

	if (!tid)
		tid = (u32)gettid();
	return tid;
}

/* No process has this id: nobody's memory is there. */
static struct rt_vcpu *for_nobody(struct rt_vcpu *vcpu)
{
	if (vcpu)
		vcpu->task = (struct rt_task){ .remote_pid = UINT32_MAX, .flags = RT_TASK_HAS_IDS };
	return vcpu;
}

static struct rt_vcpu *for_client(struct rt_vcpu *vcpu, const struct sys_client *client)
{
	if (vcpu)
		vcpu->task = (struct rt_task){ .pid = client->pid,
					       .tgid = client->tgid,
					       .remote_pid = client->pid,
					       .uid = client->uid,
					       .gid = client->gid,
					       .flags = RT_TASK_HAS_IDS };
	return vcpu;
}

struct rt_vcpu *sys_vcpu_acquire(struct sys_client *client)
{
	struct rt_vcpu *vcpu = client ? client->vcpu : NULL;

	if (vcpu) {
		vcpu->borrowed++;
		return vcpu;
	}
	vcpu = rt_vcpu_await(own_tid(), VCPU_WAIT_MS);
	return client ? for_client(vcpu, client) : for_nobody(vcpu);
}

struct rt_vcpu *sys_vcpu_acquire_near(struct sys_client *client)
{
	struct rt_vcpu *vcpu = NULL;
	u32 cpu;

	if (!client->vcpu && base_last_cpu(client->pid, &cpu))
		vcpu = rt_vcpu_acquire_slot(own_tid(), cpu % RT_CONTROL->nr_vcpus);
	return vcpu ? for_client(vcpu, client) : sys_vcpu_acquire(client);
}

struct rt_vcpu *sys_vcpu_acquire_for(const struct rt_map *map, struct sys_client *client)
{
	if (map->type == BPF_MAP_TYPE_LRU_HASH || map->type == BPF_MAP_TYPE_LRU_PERCPU_HASH)
		return sys_vcpu_acquire_near(client);
	return sys_vcpu_acquire(client);
}

struct rt_vcpu *sys_vcpu_acquire_slot(u32 index)
{
	return for_nobody(rt_vcpu_acquire_slot(own_tid(), index));
}

void sys_vcpu_release(struct rt_vcpu *vcpu)
{
	if (vcpu->borrowed)
		vcpu->borrowed--;
	else
		rt_vcpu_release(vcpu);
}

int sys_copy_name(char *dst, const char *src)
{
	u32 i;

	memset(dst, 0, BPF_OBJ_NAME_LEN);
	for (i = 0; i < BPF_OBJ_NAME_LEN && src[i]; i++) {
		u8 c = (u8)src[i];

		/* isalnum() of the kernel's Latin-1 table */
		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
		    c != '_' && c != '.' && !(c >= 0xc0 && c != 0xd7 && c != 0xf7))
			return -EINVAL;
		dst[i] = src[i];
	}
	return i < BPF_OBJ_NAME_LEN ? 0 : -EINVAL;
}

int sys_access_of_flags(u32 flags)
{
	if ((flags & BPF_F_RDONLY) && (flags & BPF_F_WRONLY))
		return -EINVAL;
	if (flags & BPF_F_RDONLY)
		return O_RDONLY;
	return flags & BPF_F_WRONLY ? O_WRONLY : O_RDWR;
}

long sys_install_consume(struct sys_call *call, struct object *object, int access)
{
	int fd;

	object->uid = call->client->uid;
	fd = call->client->ops->install_fd(call->client, object, access);
	object_unref(object);
	return fd;
}
