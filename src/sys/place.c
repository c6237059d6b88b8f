/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Places that programs are attached to by descriptor or interface number: cgroups, network name
 * spaces, devices, socket maps. Nothing of them fires in a hive, so nothing is ever attached there:
 * PROG_ATTACH and LINK_CREATE make the kernel's checks in the kernel's order and then refuse with a
 * sentence, PROG_DETACH finds nothing, PROG_QUERY answers truthfully that nothing is there.
 */
#include "sys/hive.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <net/if.h>

#define FIRST_REVISION 1 /* of a list that nobody has changed */
#define MPROG_FLAGS                                                                   \
	(BPF_F_REPLACE | ABI_F_ATTACH_BEFORE | ABI_F_ATTACH_AFTER | ABI_F_ATTACH_ID | \
	 ABI_F_ATTACH_LINK)
#define BASE_FLAGS \
	(BPF_F_ALLOW_OVERRIDE | BPF_F_ALLOW_MULTI | BPF_F_REPLACE | ABI_F_ATTACH_PREORDER)
#define CGROUP_LINK_FLAGS                                                                     \
	(ABI_F_ATTACH_ID | ABI_F_ATTACH_BEFORE | ABI_F_ATTACH_AFTER | ABI_F_ATTACH_PREORDER | \
	 ABI_F_ATTACH_LINK)

/* The sentence, and what the client gets. */
static int refuse(struct sys_call *call, const struct sys_prog *prog, const char *what)
{
	sys_say(call->hive, "program %s: %s", prog->name, what);
	return -EOPNOTSUPP;
}

#define NO_CGROUP "programs of cgroups are not run in user space: no process of the hive meets them"
#define NO_NETNS  "network name spaces take no programs in user space: packets do not pass the hive"
#define NO_DEVICE "devices take no programs in user space: packets do not pass the hive"
#define NO_SOCKMAP \
	"socket maps take no programs in user space: what sockets carry does not pass the hive"

/* 0, -EBADF for a closed descriptor, wrong for one of something else. */
static int check_place(struct sys_call *call, u32 fd, enum sys_place want, int wrong)
{
	struct sys_client *client = call->client;
	struct object *object;
	int place;

	if (client->ops->place_of_fd) {
		place = client->ops->place_of_fd(client, (int)fd);
	} else {
		place = sys_object_by_fd(call, fd, OBJECT_KINDS, &object);
		if (!place)
			object_unref(object);
		place = place == -EBADF ? -EBADF : SYS_PLACE_OTHER;
	}
	if (place < 0)
		return place;
	return place == (int)want ? 0 : wrong;
}

/* cgroup_get_from_fd(): whatever is no cgroup is a bad descriptor. */
static int check_cgroup(struct sys_call *call, u32 fd)
{
	return check_place(call, fd, SYS_PLACE_CGROUP, -EBADF);
}

static int check_device(u32 ifindex, int missing)
{
	char name[IF_NAMESIZE];

	return if_indextoname(ifindex, name) ? 0 : missing;
}

static bool is_tcx(u32 attach_type)
{
	return attach_type == ABI_TCX_INGRESS || attach_type == ABI_TCX_EGRESS;
}

/* A socket map that a program is attached to, or asked about. */
static int check_socket_map(struct sys_call *call, u32 fd, int wrong)
{
	struct sys_map *map;
	u32 type;
	int error = sys_map_by_fd(call, fd, &map);

	if (error)
		return error;
	type = map->rt->type;
	sys_map_put(map);
	return type == BPF_MAP_TYPE_SOCKMAP || type == BPF_MAP_TYPE_SOCKHASH ? 0 : wrong;
}

/* A program of a type, only to see whether it is one. */
static int check_prog(struct sys_call *call, u32 fd, u32 type)
{
	struct sys_prog *prog;
	int error = sys_prog_by_fd(call, fd, &prog);

	if (error)
		return error;
	error = prog->type == type ? 0 : -EINVAL;
	sys_prog_put(prog);
	return error;
}

/* __cgroup_bpf_attach() up to the list, which is empty. */
static int check_cgroup_attach(struct sys_call *call, u32 type, u32 flags, u32 replace_fd,
			       u64 revision)
{
	bool replace = flags & BPF_F_REPLACE, multi = flags & BPF_F_ALLOW_MULTI;
	int error;

	if (multi && replace) {
		error = check_prog(call, replace_fd, type);
		if (error)
			return error;
	}
	if (((flags & BPF_F_ALLOW_OVERRIDE) && multi) || (replace && !multi))
		return -EINVAL;
	if (replace && (flags & (ABI_F_ATTACH_BEFORE | ABI_F_ATTACH_AFTER)))
		return -EINVAL;
	if (revision && revision != FIRST_REVISION)
		return -ESTALE;
	return replace ? -ENOENT : 0;
}

static int attach_flags_error(const union abi_attr *attr, u32 type)
{
	u32 flags = attr->attach.attach_flags;

	if (type == BPF_PROG_TYPE_SCHED_CLS)
		return flags & ~MPROG_FLAGS ? -EINVAL : 0;
	if (sys_attaches_to_cgroup(type))
		return flags & ~(BASE_FLAGS | MPROG_FLAGS) ? -EINVAL : 0;
	if (flags & ~BASE_FLAGS || attr->attach.relative_fd || attr->attach.expected_revision)
		return -EINVAL;
	return 0;
}

static int attach(struct sys_call *call, const struct sys_prog *prog)
{
	const union abi_attr *attr = &call->attr;
	int error = 0;

	switch (prog->type) {
	case BPF_PROG_TYPE_SK_SKB:
	case BPF_PROG_TYPE_SK_MSG:
		if (attr->attach.attach_flags || attr->attach.replace_bpf_fd)
			return -EINVAL;
		error = check_socket_map(call, attr->attach.target_fd, -EOPNOTSUPP);
		return error ? error : refuse(call, prog, NO_SOCKMAP);
	case BPF_PROG_TYPE_FLOW_DISSECTOR:
		if (attr->attach.target_fd || attr->attach.attach_flags ||
		    attr->attach.replace_bpf_fd)
			return -EINVAL;
		return refuse(call, prog, NO_NETNS);
	case BPF_PROG_TYPE_SCHED_CLS:
		if (!is_tcx(attr->attach.attach_type))
			return -EINVAL; /* as a kernel without netkit answers */
		error = check_device(attr->attach.target_fd, -ENODEV);
		if (!error && attr->attach.attach_flags & BPF_F_REPLACE)
			error = check_prog(call, attr->attach.replace_bpf_fd, prog->type);
		return error ? error : refuse(call, prog, NO_DEVICE);
	case BPF_PROG_TYPE_LSM:
		if (prog->expected_attach_type != BPF_LSM_CGROUP)
			return -EINVAL;
		break;
	default:
		if (!sys_attaches_to_cgroup(prog->type))
			return -EINVAL;
		break;
	}
	error = check_cgroup(call, attr->attach.target_fd);
	if (!error)
		error = check_cgroup_attach(call, prog->type, attr->attach.attach_flags,
					    attr->attach.replace_bpf_fd,
					    attr->attach.expected_revision);
	return error ? error : refuse(call, prog, NO_CGROUP);
}

long sys_prog_attach(struct sys_call *call)
{
	const union abi_attr *attr = &call->attr;
	u32 type = sys_type_of_attach(attr->attach.attach_type);
	struct sys_prog *prog;
	int error;

	if (type == BPF_PROG_TYPE_UNSPEC || attach_flags_error(attr, type))
		return -EINVAL;
	error = sys_prog_by_fd(call, attr->attach.attach_bpf_fd, &prog);
	if (error)
		return error;
	if (prog->type != type || sys_check_attach_type(prog, attr->attach.attach_type))
		error = -EINVAL;
	else
		error = attach(call, prog);
	sys_prog_put(prog);
	return error;
}

static int detach_from_cgroup(struct sys_call *call)
{
	const union abi_attr *attr = &call->attr;
	int error = check_cgroup(call, attr->attach.target_fd);

	if (error)
		return error;
	if (attr->attach.expected_revision && attr->attach.expected_revision != FIRST_REVISION)
		return -ESTALE;
	return -ENOENT;
}

long sys_prog_detach(struct sys_call *call)
{
	const union abi_attr *attr = &call->attr;
	u32 type = sys_type_of_attach(attr->attach.attach_type);
	int error = 0;

	if (type == BPF_PROG_TYPE_SCHED_CLS) {
		if (attr->attach.attach_flags & ~MPROG_FLAGS)
			return -EINVAL;
		if (attr->attach.attach_bpf_fd)
			error = check_prog(call, attr->attach.attach_bpf_fd, type);
		else if (!call->client->privileged)
			error = -EPERM;
		if (!error && !is_tcx(attr->attach.attach_type))
			error = -EINVAL;
		if (!error)
			error = check_device(attr->attach.target_fd, -ENODEV);
		return error ? error : -ENOENT;
	}
	if (sys_attaches_to_cgroup(type))
		return attr->attach.attach_flags || attr->attach.relative_fd
			       ? -EINVAL
			       : detach_from_cgroup(call);
	if (attr->attach.attach_flags || attr->attach.relative_fd || attr->attach.expected_revision)
		return -EINVAL;
	switch (type) {
	case BPF_PROG_TYPE_SK_SKB:
	case BPF_PROG_TYPE_SK_MSG:
		if (attr->attach.replace_bpf_fd)
			return -EINVAL;
		error = check_socket_map(call, attr->attach.target_fd, 0);
		if (!error)
			error = check_prog(call, attr->attach.attach_bpf_fd, type);
		if (!error)
			error = check_socket_map(call, attr->attach.target_fd, -EOPNOTSUPP);
		return error ? error : -ENOENT;
	case BPF_PROG_TYPE_FLOW_DISSECTOR:
		if (attr->attach.target_fd)
			return -EINVAL;
		error = check_prog(call, attr->attach.attach_bpf_fd, type);
		return error ? error : -ENOENT;
	default: return -EINVAL;
	}
}

/* Nothing is attached. */
static int answer_none(struct sys_call *call)
{
	union abi_attr *attr = &call->attr;

	attr->query.attach_flags = 0;
	attr->query.count = 0;
	return sys_write_attr(call, query.attach_flags) || sys_write_attr(call, query.count)
		       ? -EFAULT
		       : 0;
}

/* The same of a place that counts its changes. */
static int answer_none_revised(struct sys_call *call, u64 revision)
{
	int error = answer_none(call);

	call->attr.query.revision = revision;
	return error ? error : sys_write_attr(call, query.revision);
}

static int query_cgroup(struct sys_call *call)
{
	const union abi_attr *attr = &call->attr;
	bool effective = attr->query.query_flags & BPF_F_QUERY_EFFECTIVE;
	bool lsm = attr->query.attach_type == BPF_LSM_CGROUP;
	int error = check_cgroup(call, attr->query.target_fd);

	if (error)
		return error;
	if (effective && attr->query.prog_attach_flags)
		return -EINVAL;
	if (lsm && !effective && attr->query.count && attr->query.prog_ids &&
	    !attr->query.prog_attach_flags)
		return -EINVAL;
	return answer_none_revised(call, effective || lsm ? 0 : FIRST_REVISION);
}

long sys_prog_query(struct sys_call *call)
{
	const union abi_attr *attr = &call->attr;
	u32 type = sys_type_of_attach(attr->query.attach_type);
	int error;

	if (!call->client->privileged)
		return -EPERM;
	if (attr->query.query_flags & ~BPF_F_QUERY_EFFECTIVE)
		return -EINVAL;
	switch (type) {
	case BPF_PROG_TYPE_FLOW_DISSECTOR:
	case BPF_PROG_TYPE_SK_LOOKUP:
		if (attr->query.query_flags)
			return -EINVAL;
		error = check_place(call, attr->query.target_fd, SYS_PLACE_NETNS, -EINVAL);
		return error ? error : answer_none(call);
	case BPF_PROG_TYPE_SK_SKB:
	case BPF_PROG_TYPE_SK_MSG:
		if (attr->query.query_flags)
			return -EINVAL;
		error = check_socket_map(call, attr->query.target_fd, -EOPNOTSUPP);
		return error ? error : answer_none(call);
	case BPF_PROG_TYPE_SCHED_CLS:
		if (!is_tcx(attr->query.attach_type))
			return -EINVAL;
		error = check_device(attr->query.target_fd, -ENODEV);
		if (!error && (attr->query.query_flags || attr->query.attach_flags))
			error = -EINVAL;
		return error ? error : answer_none_revised(call, FIRST_REVISION);
	case BPF_PROG_TYPE_LSM:
		return attr->query.attach_type == BPF_LSM_CGROUP ? query_cgroup(call) : -EINVAL;
	default: return sys_attaches_to_cgroup(type) ? query_cgroup(call) : -EINVAL;
	}
}

static int refuse_cgroup(struct sys_call *call, const struct sys_prog *prog)
{
	const union abi_attr *attr = &call->attr;
	int error;

	if (attr->link_create.flags & ~CGROUP_LINK_FLAGS)
		return -EINVAL;
	error = check_cgroup(call, attr->link_create.target_fd);
	if (!error && attr->link_create.chain.expected_revision &&
	    attr->link_create.chain.expected_revision != FIRST_REVISION)
		error = -ESTALE;
	return error ? error : refuse(call, prog, NO_CGROUP);
}

static int refuse_netfilter(struct sys_call *call, const struct sys_prog *prog)
{
	const union abi_attr *attr = &call->attr;
	u32 flags = attr->link_create.netfilter.flags;
	s32 priority = attr->link_create.netfilter.priority;

	if (attr->link_create.flags)
		return -EINVAL;
	if (attr->link_create.netfilter.pf != NFPROTO_IPV4 &&
	    attr->link_create.netfilter.pf != NFPROTO_IPV6)
		return -EAFNOSUPPORT;
	if (attr->link_create.netfilter.hooknum >= NF_INET_NUMHOOKS)
		return -EPROTO;
	if (flags & ~ABI_F_NETFILTER_IP_DEFRAG)
		return -EOPNOTSUPP;
	/* The ends belong to the kernel; defragmented packets exist only behind that hook (-400).
	 */
	if (priority == INT32_MIN || priority == INT32_MAX || (flags && priority <= -400))
		return -ERANGE;
	return refuse(call, prog,
		      "netfilter runs no programs in user space: packets do not pass "
		      "the hive");
}

static int refuse_multi(struct sys_call *call, const struct sys_prog *prog)
{
	u32 type = call->attr.link_create.attach_type, expected = prog->expected_attach_type;
	bool uprobe = type == ABI_TRACE_UPROBE_MULTI || type == ABI_TRACE_UPROBE_SESSION;

	if (uprobe && call->attr.link_create.flags)
		return -EINVAL;
	/* A kernel without fprobe looks no further, either. */
	if (uprobe && expected != ABI_TRACE_UPROBE_MULTI && expected != ABI_TRACE_UPROBE_SESSION)
		return -EINVAL;
	return refuse(call, prog,
		      uprobe ? "uprobe_multi links are not available: this build of skep "
			       "attaches to system calls and process events only"
			     : "kernel functions do not run in processes of the hive: "
			       "kprobe_multi links could never fire");
}

int sys_link_refuse(struct sys_call *call, const struct sys_prog *prog)
{
	const union abi_attr *attr = &call->attr;
	int error;

	switch (prog->type) {
	case BPF_PROG_TYPE_FLOW_DISSECTOR:
	case BPF_PROG_TYPE_SK_LOOKUP:
		if (attr->link_create.flags)
			return -EINVAL;
		error = check_place(call, attr->link_create.target_fd, SYS_PLACE_NETNS, -EINVAL);
		return error ? error : refuse(call, prog, NO_NETNS);
	case BPF_PROG_TYPE_SK_SKB:
	case BPF_PROG_TYPE_SK_MSG:
		if (attr->link_create.flags)
			return -EINVAL;
		error = check_socket_map(call, attr->link_create.target_fd, -EINVAL);
		return error ? error : refuse(call, prog, NO_SOCKMAP);
	case BPF_PROG_TYPE_XDP:
		error = check_device(attr->link_create.target_fd, -EINVAL);
		return error ? error : refuse(call, prog, NO_DEVICE);
	case BPF_PROG_TYPE_SCHED_CLS:
		if (!is_tcx(attr->link_create.attach_type))
			return -EINVAL; /* as a kernel without netkit answers */
		error = check_device(attr->link_create.target_fd, -ENODEV);
		return error ? error : refuse(call, prog, NO_DEVICE);
	case ABI_PROG_TYPE_NETFILTER: return refuse_netfilter(call, prog);
	case BPF_PROG_TYPE_KPROBE: return refuse_multi(call, prog);
	default:
		if (sys_attaches_to_cgroup(prog->type))
			return refuse_cgroup(call, prog);
		return -EINVAL;
	}
}
