/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands that walk ids and turn an id into a descriptor, the same for all four kinds. */
#include "sys/hive.h"

#include <errno.h>
#include <fcntl.h>

static enum object_kind kind_of(u32 cmd)
{
	switch (cmd) {
	case BPF_MAP_GET_NEXT_ID:
	case BPF_MAP_GET_FD_BY_ID: return OBJECT_MAP;
	case BPF_BTF_GET_NEXT_ID:
	case BPF_BTF_GET_FD_BY_ID: return OBJECT_BTF;
	case BPF_LINK_GET_NEXT_ID:
	case BPF_LINK_GET_FD_BY_ID: return OBJECT_LINK;
	default: return OBJECT_PROG;
	}
}

long sys_next_id(struct sys_call *call)
{
	union abi_attr *attr = &call->attr;

	if (attr->id.id >= INT32_MAX)
		return -EINVAL;
	if (!call->client->privileged)
		return -EPERM;
	if (call->cmd == BPF_BTF_GET_NEXT_ID && attr->id.id < SYS_KERNEL_BTF_ID)
		sys_kernel_btf_load(call->hive);
	attr->id.next_id = object_next_id(call->hive->objects, kind_of(call->cmd), attr->id.id);
	if (!attr->id.next_id)
		return -ENOENT;
	return sys_write_attr(call, id.next_id);
}

long sys_fd_by_id(struct sys_call *call)
{
	const union abi_attr *attr = &call->attr;
	enum object_kind kind = kind_of(call->cmd);
	struct object *object, *token;
	int access = O_RDWR, error;

	if (kind == OBJECT_MAP) {
		if (attr->id.open_flags & ~(u32)(BPF_F_RDONLY | BPF_F_WRONLY))
			return -EINVAL;
	} else if (kind == OBJECT_BTF) {
		if (attr->id.open_flags & ~ABI_F_TOKEN_FD)
			return -EINVAL;
		if (attr->id.open_flags) {
			error = sys_object_by_fd(call, (u32)attr->id.token_fd, OBJECT_KINDS,
						 &token);
			if (!error)
				object_unref(token);
			return error ? error : -EINVAL;
		}
		access = O_RDONLY;
	}
	if (!call->client->privileged)
		return -EPERM;
	if (kind == OBJECT_MAP) {
		access = sys_access_of_flags(attr->id.open_flags);
		if (access < 0)
			return access;
	}
	if (kind == OBJECT_BTF && attr->id.id == SYS_KERNEL_BTF_ID)
		sys_kernel_btf_load(call->hive);
	object = object_by_id(call->hive->objects, kind, attr->id.id);
	if (!object)
		return -ENOENT;
	/*
	 * An id is no proof of anything: only who made the object may open it so, or root; the
	 * kernel's BTF is everybody's. The descriptor takes its own reference, and the object keeps
	 * its maker's uid.
	 */
	if (call->client->uid && call->client->uid != object->uid &&
	    (kind != OBJECT_BTF || attr->id.id != SYS_KERNEL_BTF_ID))
		error = -EPERM;
	else
		error = call->client->ops->install_fd(call->client, object, access);
	object_unref(object);
	return error;
}
