/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Links: a program attached to something, as an object. There are links to perf events
 * (tracepoints, …), to raw tracepoints and to iterators' targets; where they fire is src/hook's,
 * reached through the hive's attach ops. A link holds its program and its perf event, and detaches
 * when its last reference goes.
 */
#include "sys/hive.h"
#include "base/alloc.h"
#include "sys/struct_ops.h"
#include "sys/tracing.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static void release(struct object *object)
{
	struct sys_link *link = container_of(object, struct sys_link, object);
	const struct sys_hive_options *options = &link->hive->options;

	if (link->token)
		options->attach_ops->detach(options->attach_arg, link->token);
	sys_tracing_detach(link);
	sys_struct_ops_unlink(link);
	object_unref(link->perf);
	sys_map_put(link->iter.map);
	sys_prog_put(link->target);
	sys_prog_put(link->prog);
	base_free(link);
}

struct sys_link *sys_link_new(struct sys_call *call, u32 type, struct sys_prog *prog, u64 cookie)
{
	struct sys_link *link = base_zalloc(1, sizeof(*link));

	if (!link)
		return NULL;
	if (object_init(call->hive->objects, &link->object, OBJECT_LINK, release)) {
		base_free(link);
		return NULL;
	}
	link->hive = call->hive;
	link->type = type;
	link->prog = prog ? sys_prog_ref(prog) : NULL;
	link->cookie = cookie;
	return link;
}

/*
 * Attaches what the link is for, and gives the client a descriptor; or takes the link back. error
 * is what the attach ops said, with their reason, if any.
 */
static long settle(struct sys_call *call, struct sys_link *link, int error, const char *reason)
{
	if (!error)
		return sys_install_consume(call, &link->object, O_RDWR);
	if (reason)
		sys_say(call->hive, "program %s: %s", link->prog->name, reason);
	link->token = NULL;
	sys_link_put(link);
	return error;
}

static long attach_perf(struct sys_call *call, struct sys_prog *prog)
{
	const struct sys_hive_options *options = &call->hive->options;
	const union abi_attr *attr = &call->attr;
	const char *reason = NULL;
	struct sys_link *link;
	struct object *perf;
	int error;

	if (attr->link_create.flags)
		return -EINVAL;
	error = sys_object_by_fd(call, attr->link_create.target_fd, OBJECT_PERF, &perf);
	if (error)
		return error;
	link = sys_link_new(call, BPF_LINK_TYPE_PERF_EVENT, prog,
			    attr->link_create.perf_event.bpf_cookie);
	if (!link) {
		object_unref(perf);
		return -ENOMEM;
	}
	link->perf = perf;
	error = options->attach_ops
			? options->attach_ops->perf_event(options->attach_arg, prog, perf,
							  link->cookie, &link->token, &reason)
			: -EOPNOTSUPP;
	return settle(call, link, error, reason);
}

static long attach_tracepoint(struct sys_call *call, struct sys_prog *prog, const char *name,
			      u64 cookie)
{
	const struct sys_hive_options *options = &call->hive->options;
	const char *reason = NULL;
	struct sys_link *link;
	int error;

	link = sys_link_new(call, BPF_LINK_TYPE_RAW_TRACEPOINT, prog, cookie);
	if (!link)
		return -ENOMEM;
	snprintf(link->tracepoint, sizeof(link->tracepoint), "%s", name);
	error = options->attach_ops
			? options->attach_ops->raw_tracepoint(options->attach_arg, prog,
							      link->tracepoint, link->cookie,
							      &link->token, &reason)
			: -ENOENT;
	return settle(call, link, error, reason);
}

/* A program of type tracing: its tracepoint was named when it was loaded. */
static long attach_tracing(struct sys_call *call, struct sys_prog *prog, u64 cookie)
{
	const char *name = sys_prog_tracepoint(prog);

	if (!name)
		return -EINVAL;
	if (strcmp(name, "sys_enter") != 0 && strcmp(name, "sys_exit") != 0)
		sys_say(call->hive,
			"program %s: the kernel's structures are not modelled; what it reads "
			"through the pointers that %s passes is 0",
			prog->name, name);
	return attach_tracepoint(call, prog, name, cookie);
}

static long attach_raw(struct sys_call *call, struct sys_prog *prog)
{
	const union abi_attr *attr = &call->attr;
	char name[SYS_TRACEPOINT_MAX];
	long length;

	length = call->client->ops->read_string(call->client, name, attr->raw_tracepoint.name,
						sizeof(name));
	if (length == -ENAMETOOLONG)
		return -ENOENT; /* cut, as the kernel does, it would be no tracepoint's name either
				 */
	if (length < 0)
		return -EFAULT;
	return attach_tracepoint(call, prog, name, attr->raw_tracepoint.cookie);
}

static long attach_iter(struct sys_call *call, struct sys_prog *prog)
{
	struct sys_iter_aux aux;
	struct sys_link *link;
	int error = sys_iter_attach(call, prog, &aux);

	if (error)
		return error;
	link = sys_link_new(call, BPF_LINK_TYPE_ITER, prog, 0);
	if (!link) {
		sys_map_put(aux.map);
		return -ENOMEM;
	}
	link->iter = aux;
	return settle(call, link, 0, NULL);
}

static bool is_on_function(const struct sys_prog *prog)
{
	return prog->type == BPF_PROG_TYPE_EXT ||
	       (prog->type == BPF_PROG_TYPE_LSM && prog->expected_attach_type != BPF_LSM_CGROUP) ||
	       (prog->type == BPF_PROG_TYPE_TRACING &&
		prog->expected_attach_type != BPF_TRACE_ITER);
}

static long attach_function(struct sys_call *call, struct sys_prog *prog)
{
	const union abi_attr *attr = &call->attr;

	if (prog->type != BPF_PROG_TYPE_EXT &&
	    attr->link_create.attach_type != prog->expected_attach_type)
		return -EINVAL;
	return sys_tracing_attach(call, prog, attr->link_create.target_fd,
				  attr->link_create.tracing.target_btf_id,
				  attr->link_create.tracing.cookie, attr->link_create.attach_type);
}

long sys_link_create(struct sys_call *call)
{
	const union abi_attr *attr = &call->attr;
	struct sys_prog *prog;
	long result;

	if (attr->link_create.attach_type == ABI_STRUCT_OPS)
		return sys_struct_ops_link(call);
	result = sys_prog_by_fd(call, attr->link_create.prog_fd, &prog);
	if (result)
		return result;
	result = sys_check_attach_type(prog, attr->link_create.attach_type);
	if (!result && prog->type == BPF_PROG_TYPE_TRACING &&
	    attr->link_create.attach_type != prog->expected_attach_type)
		result = -EINVAL;
	if (!result && attr->link_create.attach_type == BPF_PERF_EVENT)
		result = attach_perf(call, prog);
	else if (!result && attr->link_create.attach_type == BPF_TRACE_RAW_TP)
		result = attach_tracing(call, prog, attr->link_create.tracing.cookie);
	else if (!result && attr->link_create.attach_type == BPF_TRACE_ITER)
		result = attach_iter(call, prog);
	else if (!result && is_on_function(prog))
		result = attach_function(call, prog);
	else if (!result)
		result = sys_link_refuse(call, prog);
	sys_prog_put(prog);
	return result;
}

long sys_raw_tracepoint_open(struct sys_call *call)
{
	struct sys_prog *prog;
	long result;

	result = sys_prog_by_fd(call, call->attr.raw_tracepoint.prog_fd, &prog);
	if (result)
		return result;
	if (prog->type == BPF_PROG_TYPE_RAW_TRACEPOINT ||
	    prog->type == BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE)
		result = attach_raw(call, prog);
	else if (prog->type == BPF_PROG_TYPE_TRACING &&
		 prog->expected_attach_type == BPF_TRACE_RAW_TP && !call->attr.raw_tracepoint.name)
		result = attach_tracing(call, prog, call->attr.raw_tracepoint.cookie);
	else if (is_on_function(prog) && !call->attr.raw_tracepoint.name)
		result = sys_tracing_attach(call, prog, 0, 0, call->attr.raw_tracepoint.cookie,
					    prog->expected_attach_type);
	else
		result = -EINVAL;
	sys_prog_put(prog);
	return result;
}

/* Only iterators' links can change their program: of others the kernel looks at everything and says
 * EINVAL. */
long sys_link_update(struct sys_call *call)
{
	const union abi_attr *attr = &call->attr;
	struct sys_prog *new_prog, *old_prog = NULL;
	struct sys_link *link;
	long result;

	if (attr->link_update.flags & ~BPF_F_REPLACE)
		return -EINVAL;
	result = sys_link_by_fd(call, attr->link_update.link_fd, &link);
	if (result)
		return result;
	if (link->type == ABI_LINK_TYPE_STRUCT_OPS) {
		result = sys_struct_ops_update(call, link);
		sys_link_put(link);
		return result;
	}
	result = sys_prog_by_fd(call, attr->link_update.new_prog_fd, &new_prog);
	if (!result) {
		if (attr->link_update.flags & BPF_F_REPLACE)
			result = sys_prog_by_fd(call, attr->link_update.old_prog_fd, &old_prog);
		else if (attr->link_update.old_prog_fd)
			result = -EINVAL;
		if (!result)
			result = link->type == BPF_LINK_TYPE_ITER
					 ? sys_iter_replace(link, new_prog, old_prog)
					 : -EINVAL;
		sys_prog_put(old_prog);
		sys_prog_put(new_prog);
	}
	sys_link_put(link);
	return result;
}

long sys_link_detach(struct sys_call *call)
{
	struct sys_link *link;
	int error = sys_link_by_fd(call, call->attr.link_detach.link_fd, &link);

	if (error)
		return error;
	/* Of the others the kernel does not detach any either. */
	error = -EOPNOTSUPP;
	if (link->type == ABI_LINK_TYPE_STRUCT_OPS) {
		sys_struct_ops_unlink(link);
		error = 0;
	}
	sys_link_put(link);
	return error;
}
