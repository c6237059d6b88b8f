/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs of type syscall: run by hand, and acting there for the client that runs them. What they
 * give to bpf_sys_bpf() lies in the hive's arena (on their stack, in a map's value) and points
 * there; descriptors are the client's. Facts of Linux 6.18: bpf_prog_test_run_syscall() in
 * net/bpf/test_run.c, bpf_sys_bpf() and its neighbours in kernel/bpf/syscall.c and btf.c.
 *
 * A map's value is shared with every process of the hive: it is read as untrusted memory, like a
 * client's, and written only where the verifier said that the attributes are.
 */
#include "sys/test_run.h"
#include "base/alloc.h"
#include "rt/helper.h"

#include <errno.h>
#include <string.h>

#define CTX_MAX	 65535u /* U16_MAX */
#define NAME_MAX 512u	/* KSYM_NAME_LEN: no type's name is longer */

/* The client as its program sees it: addresses in the arena are its own, the others the client's.
 */
struct inner_client {
	struct sys_client base;
	struct sys_client *outer;
	u64 attr;      /* what may be written: the attributes of the call in progress */
	u32 attr_size; /* 0: nothing */
};

static struct inner_client *inner_of(struct sys_client *client)
{
	return container_of(client, struct inner_client, base);
}

static bool in_arena(u64 address)
{
	return address >= RT_ARENA_BASE && address < RT_ARENA_BASE + RT_ARENA_SIZE;
}

static int inner_read(struct sys_client *client, void *dst, u64 address, u64 size)
{
	struct inner_client *inner = inner_of(client);

	if (!in_arena(address))
		return inner->outer->ops->read(inner->outer, dst, address, size);
	return rt_read_kernel(client->vcpu, dst, size, address) < 0 ? -EFAULT : 0;
}

/* Where programs write: the values of maps and their own stack. */
static bool is_writable(const struct rt_vcpu *vcpu, u64 address, u64 size)
{
	u64 stack = (u64)(uintptr_t)vcpu->bpf_stack;

	return (address >= RT_DATA_BASE && size <= RT_CONTROL->data_size &&
		address - RT_DATA_BASE <= RT_CONTROL->data_size - size) ||
	       (address >= stack && size <= sizeof(vcpu->bpf_stack) &&
		address - stack <= sizeof(vcpu->bpf_stack) - size);
}

static int inner_write(struct sys_client *client, u64 address, const void *src, u64 size)
{
	struct inner_client *inner = inner_of(client);

	if (!in_arena(address))
		return inner->outer->ops->write(inner->outer, address, src, size);
	if (size > inner->attr_size || address < inner->attr ||
	    address - inner->attr > inner->attr_size - size ||
	    !is_writable(client->vcpu, address, size))
		return -EFAULT;
	memcpy((void *)(uintptr_t)address, src, size);
	return 0;
}

static long inner_read_string(struct sys_client *client, char *dst, u64 address, u64 size)
{
	struct inner_client *inner = inner_of(client);
	long length;

	if (!in_arena(address))
		return inner->outer->ops->read_string(inner->outer, dst, address, size);
	length = rt_read_kernel_str(client->vcpu, dst, size, address);
	if (length <= 0)
		return -EFAULT;
	/* A string that was cut has its end in the last byte, too: is there more of it? */
	if ((u64)length == size) {
		char last;

		if (rt_read_kernel(client->vcpu, &last, 1, address + size - 1) < 0)
			return -EFAULT;
		if (last)
			return -ENAMETOOLONG;
	}
	return length - 1;
}

static int inner_object_by_fd(struct sys_client *client, int fd, enum object_kind kind,
			      struct object **ret_object)
{
	struct sys_client *outer = inner_of(client)->outer;

	return outer->ops->object_by_fd(outer, fd, kind, ret_object);
}

static int inner_install_fd(struct sys_client *client, struct object *object, int access)
{
	struct sys_client *outer = inner_of(client)->outer;

	return outer->ops->install_fd(outer, object, access);
}

static int inner_fd_access(struct sys_client *client, int fd)
{
	struct sys_client *outer = inner_of(client)->outer;

	return outer->ops->fd_access(outer, fd);
}

static int inner_place_of_fd(struct sys_client *client, int fd)
{
	struct sys_client *outer = inner_of(client)->outer;

	return outer->ops->place_of_fd ? outer->ops->place_of_fd(outer, fd) : -EBADF;
}

static int inner_copy_fd(struct sys_client *client, int fd)
{
	struct sys_client *outer = inner_of(client)->outer;

	return outer->ops->copy_fd ? outer->ops->copy_fd(outer, fd) : -EBADF;
}

static bool inner_device(struct sys_client *client, u32 ifindex)
{
	return sys_device_exists(inner_of(client)->outer, ifindex);
}

/* No command that such a program may give has to do with other tasks or with pins. */
static const struct sys_client_ops inner_ops = {
	.read = inner_read,
	.write = inner_write,
	.read_string = inner_read_string,
	.object_by_fd = inner_object_by_fd,
	.install_fd = inner_install_fd,
	.fd_access = inner_fd_access,
	.place_of_fd = inner_place_of_fd,
	.copy_fd = inner_copy_fd,
	.device = inner_device,
};

static long command(struct sys_call *call, struct rt_vcpu *vcpu, u32 cmd, u64 attr, u32 size)
{
	struct sys_client *outer = call->client;
	struct inner_client inner = {
		.base = *outer, .outer = outer, .attr = attr, .attr_size = size
	};

	inner.base.ops = &inner_ops;
	inner.base.vcpu = vcpu;
	switch (cmd) {
	case BPF_MAP_CREATE:
	case BPF_MAP_DELETE_ELEM:
	case BPF_MAP_UPDATE_ELEM:
	case BPF_MAP_FREEZE:
	case BPF_MAP_GET_FD_BY_ID:
	case BPF_PROG_LOAD:
	case BPF_BTF_LOAD:
	case BPF_LINK_CREATE:
	case BPF_RAW_TRACEPOINT_OPEN: return sys_bpf(call->hive, &inner.base, cmd, attr, size);
	default: return -EINVAL;
	}
}

/* The name may change while it is looked at: only a copy of it is. */
static long find_type(struct sys_call *call, const char *name, u32 size, u32 kind, u64 flags)
{
	struct sys_hive *hive = call->hive;
	char copy[NAME_MAX];
	u32 id;

	if (flags || size <= 1 || name[size - 1])
		return -EINVAL;
	if (size > sizeof(copy))
		size = sizeof(copy);
	memcpy(copy, name, size);
	if (!memchr(copy, '\0', size))
		return -ENOENT;
	sys_kernel_btf_load(hive);
	if (!hive->kernel_btf)
		return -EINVAL;
	id = btf_find(hive->kernel_btf->btf, copy, kind);
	return id ? (long)id : -ENOENT;
}

static u64 serve(struct rt_vcpu *vcpu, u32 func_id, const u64 args[5])
{
	struct sys_call *call = vcpu->service_arg;
	const struct sys_client_ops *ops = call->client->ops;
	u64 result = (u64)-EPERM;

	switch (func_id) {
	case BPF_FUNC_sys_bpf:
		result = (u64)command(call, vcpu, (u32)args[0], args[1], (u32)args[2]);
		break;
	case BPF_FUNC_sys_close:
		result = (u64)(ops->close_fd ? ops->close_fd(call->client, (int)args[0]) : -EBADF);
		break;
	case BPF_FUNC_btf_find_by_name_kind:
		result = (u64)find_type(call, (const char *)(uintptr_t)args[0], (u32)args[1],
					(u32)args[2], args[3]);
		break;
	}
	return result;
}

long test_run_syscall(struct sys_call *call, struct sys_prog *prog)
{
	const union abi_attr *attr = &call->attr;
	u32 size = attr->test.ctx_size_in;
	void *ctx;
	long error;

	if (attr->test.data_in || attr->test.data_out || attr->test.ctx_out ||
	    attr->test.duration || attr->test.repeat || attr->test.flags || attr->test.batch_size)
		return -EINVAL;
	if (size < prog->max_ctx_offset || size > CTX_MAX)
		return -EINVAL;
	/* A program that it calls as its tail may reach further than it does itself. */
	ctx = base_zalloc(1, CTX_MAX + sizeof(u64));
	if (!ctx)
		return -ENOMEM;
	error = sys_read(call, ctx, attr->test.ctx_in, size);
	if (!error)
		error = test_run_as(call, prog, ctx,
				    &(struct test_how){ .service = serve, .service_arg = call });
	if (!error)
		error = sys_write_attr(call, test.retval);
	if (!error)
		error = sys_write(call, attr->test.ctx_in, ctx, size);
	base_free(ctx);
	return error;
}
