/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * OBJ_GET_INFO_BY_FD. The client gives a structure that says what it wants (lengths and addresses
 * of buffers) and gets it back filled, cut to the length it knows. A tail of its that we do not
 * know must be zero. Programs' info is in prog_info.c.
 */
#include "sys/info.h"
#include "abi/iter.h"
#include "sys/tracing.h"

#include <errno.h>
#include <string.h>

int sys_info_read(struct sys_call *call, void *info, u32 known)
{
	union abi_attr *attr = &call->attr;
	int error;

	error = sys_check_tail(call, attr->info.info, known, attr->info.info_len);
	if (error)
		return error;
	if (attr->info.info_len > known)
		attr->info.info_len = known;
	memset(info, 0, known);
	return sys_read(call, info, attr->info.info, attr->info.info_len);
}

int sys_info_write(struct sys_call *call, const void *info)
{
	if (sys_write(call, call->attr.info.info, info, call->attr.info.info_len) ||
	    sys_write_attr(call, info.info_len))
		return -EFAULT;
	return 0;
}

#define HASHED_MAX (64ull << 20)

/* The hash of an array's values, if it is asked for: of one that cannot change any more. */
static int write_hash(struct sys_call *call, const struct sys_map *map,
		      const struct abi_map_info *info)
{
	u64 address = info->hash, size = (u64)map->rt->elem_stride * map->rt->max_entries;
	u8 hash[SHA256_SIZE];

	if (!address)
		return info->hash_size ? -EINVAL : 0;
	if (map->rt->type != BPF_MAP_TYPE_ARRAY || info->hash_size != sizeof(hash))
		return -EINVAL;
	if (!map->frozen)
		return -EPERM;
	/* Others are waiting. */
	if (size > HASHED_MAX) {
		sys_say(call->hive, "map \"%.16s\": more than %llu MiB are not hashed",
			map->rt->name, HASHED_MAX >> 20);
		return -E2BIG;
	}
	sha256(map->rt->data, size, hash);
	return sys_write(call, address, hash, sizeof(hash)) ? -EFAULT : 0;
}

static int map_info(struct sys_call *call, struct sys_map *map)
{
	const struct rt_map *rt = map->rt;
	struct abi_map_info info;
	int error;

	/* What fills the structure up is checked like a tail. */
	error = sys_check_tail(call, call->attr.info.info,
			       offsetof(struct abi_map_info, hash_size) + sizeof(info.hash_size),
			       call->attr.info.info_len);
	if (!error)
		error = sys_info_read(call, &info, sizeof(info));
	if (error)
		return error;
	error = write_hash(call, map, &info);
	if (error)
		return error;
	info.type = rt->type;
	info.id = rt->id;
	info.key_size = rt->key_size;
	info.value_size = rt->value_size;
	info.max_entries = sys_map_max_entries(map);
	info.map_flags = rt->flags;
	info.map_extra = rt->map_extra;
	info.btf_vmlinux_value_type_id = map->btf_vmlinux_value_type_id;
	if (map->struct_ops)
		info.btf_vmlinux_id = SYS_KERNEL_BTF_ID;
	memcpy(info.name, rt->name, sizeof(info.name));
	if (map->btf) {
		info.btf_id = map->btf->object.id;
		info.btf_key_type_id = map->btf_key_type_id;
		info.btf_value_type_id = map->btf_value_type_id;
	}
	return sys_info_write(call, &info);
}

/* A name into the client's buffer of room bytes; one that is too short gets the beginning, and
 * ENOSPC. */
static int write_name(struct sys_call *call, u64 buffer, u32 room, const char *name,
		      u32 *ret_length)
{
	u32 length = (u32)strlen(name), part = length;

	if (!room != !buffer)
		return -EINVAL;
	*ret_length = length + 1;
	if (!buffer)
		return 0;
	if (room < length + 1)
		part = room - 1;
	if (sys_write(call, buffer, name, part) || sys_write(call, buffer + part, "", 1))
		return -EFAULT;
	return part < length ? -ENOSPC : 0;
}

/* Copies the blob, as far as the client has room; the size is told whole. */
static int btf_info(struct sys_call *call, struct sys_btf *btf)
{
	struct bpf_btf_info info;
	const void *data;
	u32 size, copy, length;
	int error;

	error = sys_info_read(call, &info, sizeof(info));
	if (error)
		return error;
	data = btf_data(btf->btf, &size);
	info.id = btf->object.id;
	copy = info.btf_size < size ? info.btf_size : size;
	if (sys_write(call, info.btf, data, copy))
		return -EFAULT;
	info.btf_size = size;
	info.kernel_btf = btf->kernel;
	/* Only BTF of the kernel has a name. A buffer that is too short for it gets its start, and
	 * the rest. */
	error = write_name(call, info.name, info.name_len, btf->kernel ? "vmlinux" : "", &length);
	if (error && error != -ENOSPC)
		return error;
	info.name_len = length - 1;
	return sys_info_write(call, &info) ? -EFAULT : error;
}

static int perf_link_info(struct sys_call *call, struct sys_link *link, struct abi_link_info *info)
{
	const struct sys_hive_options *options = &call->hive->options;
	struct sys_perf_info perf = { 0 };
	int error;

	error = options->attach_ops->perf_info(options->attach_arg, link->perf, &perf);
	if (error)
		return error;
	if (link->prog->type == BPF_PROG_TYPE_TRACEPOINT && perf.tracepoint) {
		error = write_name(call, info->perf_event.tracepoint.tp_name,
				   info->perf_event.tracepoint.name_len, perf.tracepoint,
				   &info->perf_event.tracepoint.name_len);
		if (error)
			return error;
		info->perf_event.type = ABI_PERF_EVENT_TRACEPOINT;
		info->perf_event.tracepoint.cookie = link->cookie;
		return 0;
	}
	if (link->prog->type != BPF_PROG_TYPE_PERF_EVENT)
		return -EOPNOTSUPP;
	info->perf_event.type = ABI_PERF_EVENT_EVENT;
	info->perf_event.event.type = perf.type;
	info->perf_event.event.config = perf.config;
	info->perf_event.event.cookie = link->cookie;
	return 0;
}

static int link_info(struct sys_call *call, struct sys_link *link)
{
	struct abi_link_info info;
	int error;

	error = sys_info_read(call, &info, sizeof(info));
	if (error)
		return error;
	info.type = link->type;
	info.id = link->object.id;
	info.prog_id = link->prog ? link->prog->object.id : 0;
	if (link->type == BPF_LINK_TYPE_RAW_TRACEPOINT) {
		error = write_name(call, info.raw_tracepoint.tp_name,
				   info.raw_tracepoint.tp_name_len, link->tracepoint,
				   &info.raw_tracepoint.tp_name_len);
		info.raw_tracepoint.cookie = link->cookie;
	} else if (link->type == BPF_LINK_TYPE_ITER) {
		error = write_name(call, info.iter.target_name, info.iter.target_name_len,
				   sys_prog_iter(link->prog)->target, &info.iter.target_name_len);
		sys_iter_info(link, &info);
	} else if (link->type == ABI_LINK_TYPE_STRUCT_OPS) {
		info.struct_ops.map_id = link->struct_ops ? link->struct_ops->object.id : 0;
	} else if (link->type == BPF_LINK_TYPE_TRACING) {
		info.tracing.attach_type = link->attach_type;
		sys_tracing_place(link, &info.tracing.target_obj_id, &info.tracing.target_btf_id);
		info.tracing.cookie = link->cookie;
	} else {
		error = perf_link_info(call, link, &info);
	}
	return error ? error : sys_info_write(call, &info);
}

long sys_object_info(struct sys_call *call)
{
	struct object *object;
	int error;

	error = sys_object_by_fd(call, call->attr.info.bpf_fd, OBJECT_KINDS, &object);
	if (error)
		return error == -EBADF ? -EBADFD
				       : error; /* the kernel's own choice for this command */
	switch (object->kind) {
	case OBJECT_PROG: error = sys_prog_info(call, sys_prog_of(object)); break;
	case OBJECT_MAP: error = map_info(call, sys_map_of(object)); break;
	case OBJECT_BTF:
		error = btf_info(call, container_of(object, struct sys_btf, object));
		break;
	case OBJECT_LINK:
		error = link_info(call, container_of(object, struct sys_link, object));
		break;
	default: error = -EINVAL; break;
	}
	object_unref(object);
	return error;
}
