/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Links of iterators: BPF_LINK_CREATE with BPF_TRACE_ITER, what such a link tells of itself, and
 * BPF_ITER_CREATE. The kernel's rules are those of bpf_iter_link_attach() and its neighbours.
 */
#include "sys/iter.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

const struct abi_iter_target *sys_prog_iter(const struct sys_prog *prog)
{
	if (prog->type != BPF_PROG_TYPE_TRACING || prog->expected_attach_type != BPF_TRACE_ITER)
		return NULL;
	return abi_iter_find(btf_type_name(prog->hive->kernel_btf->btf, prog->attach_btf_id));
}

static int read_info(struct sys_call *call, union bpf_iter_link_info *info)
{
	const union abi_attr *attr = &call->attr;
	u32 length = attr->link_create.iter_info_len;
	int error;

	memset(info, 0, sizeof(*info));
	if (attr->link_create.target_fd || attr->link_create.flags)
		return -EINVAL;
	if (!attr->link_create.iter_info != !length)
		return -EINVAL;
	if (!length)
		return 0;
	error = sys_check_tail(call, attr->link_create.iter_info, sizeof(*info), length);
	if (error)
		return error;
	return sys_read(call, info, attr->link_create.iter_info,
			length < sizeof(*info) ? length : sizeof(*info));
}

int sys_iter_attach(struct sys_call *call, const struct sys_prog *prog, struct sys_iter_aux *aux)
{
	const struct abi_iter_target *iter = sys_prog_iter(prog);
	union bpf_iter_link_info info;
	int error = read_info(call, &info);

	memset(aux, 0, sizeof(*aux));
	if (error)
		return error;
	if (!iter)
		return -ENOENT;
	if (prog->flags & BPF_F_SLEEPABLE && !iter->may_sleep)
		return -EINVAL;
	switch (iter->id) {
	case ABI_WALK_BPF_MAP_ELEM: return iter_attach_map(call, prog, &info, aux);
	case ABI_WALK_TASK:
	case ABI_WALK_TASK_FILE:
	case ABI_WALK_TASK_VMA: return iter_attach_task(call, &info, aux);
	case ABI_WALK_OTHERS:
		sys_say(call->hive,
			"program %s: a hive has no %s to iterate over: its iterators are bpf_map, "
			"bpf_prog, bpf_link, bpf_map_elem, task, task_file and task_vma",
			prog->name, iter->target);
		return -EOPNOTSUPP;
	default: return 0;
	}
}

/* A new program of a link must be for the same target. */
int sys_iter_replace(struct sys_link *link, struct sys_prog *new_prog,
		     const struct sys_prog *old_prog)
{
	struct sys_prog *prog = link->prog;

	if (old_prog && prog != old_prog)
		return -EPERM;
	if (prog->type != new_prog->type ||
	    prog->expected_attach_type != new_prog->expected_attach_type ||
	    prog->attach_btf_id != new_prog->attach_btf_id)
		return -EINVAL;
	/* 6.18 does not look at the accesses again, which would let them leave the map. */
	if (link->iter.map && !sys_iter_fits(new_prog, link->iter.map))
		return -EACCES;
	link->prog = sys_prog_ref(new_prog);
	sys_prog_put(prog);
	return 0;
}

void sys_iter_info(const struct sys_link *link, struct abi_link_info *info)
{
	if (link->iter.map)
		info->iter.map_id = link->iter.map->object.id;
	if (link->iter.task_type == SYS_ITER_TID)
		info->iter.tid = link->iter.pid;
	if (link->iter.task_type == SYS_ITER_TGID)
		info->iter.pid = link->iter.pid;
}

void sys_iter_text(const struct sys_link *link, struct text *text)
{
	static const char *const types[] = { "ALL", "TID", "PID" };
	const struct abi_iter_target *iter = sys_prog_iter(link->prog);

	text_printf(text, "target_name:\t%s\n", iter->target);
	if (iter->id == ABI_WALK_BPF_MAP_ELEM)
		text_printf(text, "map_id:\t%u\n", link->iter.map->object.id);
	if (iter->id < ABI_WALK_TASK || iter->id > ABI_WALK_TASK_VMA)
		return;
	text_printf(text, "task_type:\t%s\n", types[link->iter.task_type]);
	if (link->iter.task_type == SYS_ITER_TID)
		text_printf(text, "tid:\t%u\n", link->iter.pid);
	if (link->iter.task_type == SYS_ITER_TGID)
		text_printf(text, "pid:\t%u\n", link->iter.pid);
}

long sys_iter_create(struct sys_call *call)
{
	struct iter_session *session;
	struct sys_link *link;
	int error;

	if (call->attr.iter_create.flags)
		return -EINVAL;
	error = sys_link_by_fd(call, call->attr.iter_create.link_fd, &link);
	if (error)
		return error;
	error = link->type == BPF_LINK_TYPE_ITER ? iter_session_new(call->client, link, &session)
						 : -EINVAL;
	sys_link_put(link);
	return error ? error : sys_install_consume(call, &session->object, O_RDONLY);
}

bool sys_object_is_iter_link(const struct object *object)
{
	return object->kind == OBJECT_LINK &&
	       container_of(object, struct sys_link, object)->type == BPF_LINK_TYPE_ITER;
}

int sys_iter_open(struct sys_client *client, struct object *object, struct object **ret_session)
{
	struct iter_session *session;
	int error;

	if (!sys_object_is_iter_link(object))
		return -EACCES;
	error = iter_session_new(client, container_of(object, struct sys_link, object), &session);
	if (!error)
		*ret_session = &session->object;
	return error;
}
