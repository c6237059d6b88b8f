/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attach types: which program type each belongs to (the kernel's attach_type_to_prog_type()), what
 * expected_attach_type a program may be loaded with, and as what it may be attached. Beside the
 * rules the old commands PROG_ATTACH, PROG_DETACH and PROG_QUERY, which work on things that user
 * space does not have here (cgroups, sockets, network name spaces): they check as the kernel does
 * and then refuse, or find nothing.
 */
#include "sys/hive.h"

#include <errno.h>

/* The program type that an attach type is for; 0 (unspec): none. */
static u32 type_of_attach(u32 attach_type)
{
	static const u8 types[] = {
		[BPF_CGROUP_INET_INGRESS] = BPF_PROG_TYPE_CGROUP_SKB,
		[BPF_CGROUP_INET_EGRESS] = BPF_PROG_TYPE_CGROUP_SKB,
		[BPF_CGROUP_INET_SOCK_CREATE] = BPF_PROG_TYPE_CGROUP_SOCK,
		[BPF_CGROUP_INET_SOCK_RELEASE] = BPF_PROG_TYPE_CGROUP_SOCK,
		[BPF_CGROUP_INET4_POST_BIND] = BPF_PROG_TYPE_CGROUP_SOCK,
		[BPF_CGROUP_INET6_POST_BIND] = BPF_PROG_TYPE_CGROUP_SOCK,
		[BPF_CGROUP_INET4_BIND] = BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
		[BPF_CGROUP_INET6_BIND] = BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
		[BPF_CGROUP_INET4_CONNECT] = BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
		[BPF_CGROUP_INET6_CONNECT] = BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
		[ABI_CGROUP_UNIX_CONNECT] = BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
		[BPF_CGROUP_INET4_GETPEERNAME] = BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
		[BPF_CGROUP_INET6_GETPEERNAME] = BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
		[ABI_CGROUP_UNIX_GETPEERNAME] = BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
		[BPF_CGROUP_INET4_GETSOCKNAME] = BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
		[BPF_CGROUP_INET6_GETSOCKNAME] = BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
		[ABI_CGROUP_UNIX_GETSOCKNAME] = BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
		[BPF_CGROUP_UDP4_SENDMSG] = BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
		[BPF_CGROUP_UDP6_SENDMSG] = BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
		[ABI_CGROUP_UNIX_SENDMSG] = BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
		[BPF_CGROUP_UDP4_RECVMSG] = BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
		[BPF_CGROUP_UDP6_RECVMSG] = BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
		[ABI_CGROUP_UNIX_RECVMSG] = BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
		[BPF_CGROUP_SOCK_OPS] = BPF_PROG_TYPE_SOCK_OPS,
		[BPF_CGROUP_DEVICE] = BPF_PROG_TYPE_CGROUP_DEVICE,
		[BPF_SK_MSG_VERDICT] = BPF_PROG_TYPE_SK_MSG,
		[BPF_SK_SKB_STREAM_PARSER] = BPF_PROG_TYPE_SK_SKB,
		[BPF_SK_SKB_STREAM_VERDICT] = BPF_PROG_TYPE_SK_SKB,
		[BPF_SK_SKB_VERDICT] = BPF_PROG_TYPE_SK_SKB,
		[BPF_LIRC_MODE2] = BPF_PROG_TYPE_LIRC_MODE2,
		[BPF_FLOW_DISSECTOR] = BPF_PROG_TYPE_FLOW_DISSECTOR,
		[BPF_CGROUP_SYSCTL] = BPF_PROG_TYPE_CGROUP_SYSCTL,
		[BPF_CGROUP_GETSOCKOPT] = BPF_PROG_TYPE_CGROUP_SOCKOPT,
		[BPF_CGROUP_SETSOCKOPT] = BPF_PROG_TYPE_CGROUP_SOCKOPT,
		[BPF_TRACE_ITER] = BPF_PROG_TYPE_TRACING,
		[BPF_TRACE_RAW_TP] = BPF_PROG_TYPE_TRACING,
		[BPF_TRACE_FENTRY] = BPF_PROG_TYPE_TRACING,
		[BPF_TRACE_FEXIT] = BPF_PROG_TYPE_TRACING,
		[BPF_MODIFY_RETURN] = BPF_PROG_TYPE_TRACING,
		[BPF_LSM_MAC] = BPF_PROG_TYPE_LSM,
		[BPF_LSM_CGROUP] = BPF_PROG_TYPE_LSM,
		[BPF_SK_LOOKUP] = BPF_PROG_TYPE_SK_LOOKUP,
		[BPF_XDP] = BPF_PROG_TYPE_XDP,
		[ABI_TCX_INGRESS] = BPF_PROG_TYPE_SCHED_CLS,
		[ABI_TCX_EGRESS] = BPF_PROG_TYPE_SCHED_CLS,
		[ABI_NETKIT_PRIMARY] = BPF_PROG_TYPE_SCHED_CLS,
		[ABI_NETKIT_PEER] = BPF_PROG_TYPE_SCHED_CLS,
	};

	return attach_type < ARRAY_SIZE(types) ? types[attach_type] : BPF_PROG_TYPE_UNSPEC;
}

static bool is_cgroup_type(u32 type)
{
	switch (type) {
	case BPF_PROG_TYPE_CGROUP_DEVICE:
	case BPF_PROG_TYPE_CGROUP_SKB:
	case BPF_PROG_TYPE_CGROUP_SOCK:
	case BPF_PROG_TYPE_CGROUP_SOCK_ADDR:
	case BPF_PROG_TYPE_CGROUP_SOCKOPT:
	case BPF_PROG_TYPE_CGROUP_SYSCTL:
	case BPF_PROG_TYPE_SOCK_OPS:
	case BPF_PROG_TYPE_LSM: return true;
	default: return false;
	}
}

int sys_check_load_attach(u32 type, u32 *expected_attach_type)
{
	u32 expected = *expected_attach_type;

	switch (type) {
	case BPF_PROG_TYPE_CGROUP_SOCK:
		if (!expected)
			*expected_attach_type = BPF_CGROUP_INET_SOCK_CREATE;
		return !expected || type_of_attach(expected) == type ? 0 : -EINVAL;
	case BPF_PROG_TYPE_SK_REUSEPORT:
		if (!expected)
			*expected_attach_type = BPF_SK_REUSEPORT_SELECT;
		return !expected || expected == BPF_SK_REUSEPORT_SELECT ||
				       expected == BPF_SK_REUSEPORT_SELECT_OR_MIGRATE
			       ? 0
			       : -EINVAL;
	case BPF_PROG_TYPE_CGROUP_SOCK_ADDR:
	case BPF_PROG_TYPE_CGROUP_SKB:
	case BPF_PROG_TYPE_CGROUP_SOCKOPT:
	case BPF_PROG_TYPE_SK_LOOKUP: return type_of_attach(expected) == type ? 0 : -EINVAL;
	case ABI_PROG_TYPE_NETFILTER: return expected == ABI_NETFILTER ? 0 : -EINVAL;
	case BPF_PROG_TYPE_SYSCALL:
	case BPF_PROG_TYPE_EXT: return expected ? -EINVAL : 0;
	default: return 0;
	}
}

int sys_check_attach_type(const struct sys_prog *prog, u32 attach_type)
{
	u32 type = type_of_attach(attach_type);

	switch (prog->type) {
	case BPF_PROG_TYPE_PERF_EVENT:
	case BPF_PROG_TYPE_TRACEPOINT: return attach_type == BPF_PERF_EVENT ? 0 : -EINVAL;
	case BPF_PROG_TYPE_KPROBE:
		switch (prog->expected_attach_type) {
		case BPF_TRACE_KPROBE_MULTI:
		case ABI_TRACE_KPROBE_SESSION:
		case ABI_TRACE_UPROBE_MULTI:
		case ABI_TRACE_UPROBE_SESSION:
			return attach_type == prog->expected_attach_type ? 0 : -EINVAL;
		default: break;
		}
		return attach_type == BPF_PERF_EVENT || attach_type == BPF_TRACE_KPROBE_MULTI ||
				       attach_type == ABI_TRACE_KPROBE_SESSION ||
				       attach_type == ABI_TRACE_UPROBE_MULTI ||
				       attach_type == ABI_TRACE_UPROBE_SESSION
			       ? 0
			       : -EINVAL;
	default: return type != BPF_PROG_TYPE_UNSPEC && type == prog->type ? 0 : -EINVAL;
	}
}

#define MPROG_FLAGS                                                                   \
	(BPF_F_REPLACE | ABI_F_ATTACH_BEFORE | ABI_F_ATTACH_AFTER | ABI_F_ATTACH_ID | \
	 ABI_F_ATTACH_LINK)
#define BASE_FLAGS \
	(BPF_F_ALLOW_OVERRIDE | BPF_F_ALLOW_MULTI | BPF_F_REPLACE | ABI_F_ATTACH_PREORDER)

long sys_prog_attach(struct sys_call *call)
{
	const union abi_attr *attr = &call->attr;
	u32 type = type_of_attach(attr->attach.attach_type), allowed = BASE_FLAGS;
	struct sys_prog *prog;
	int error;

	if (type == BPF_PROG_TYPE_UNSPEC)
		return -EINVAL;
	if (type == BPF_PROG_TYPE_SCHED_CLS)
		allowed = MPROG_FLAGS;
	else if (is_cgroup_type(type))
		allowed |= MPROG_FLAGS;
	else if (attr->attach.relative_fd || attr->attach.expected_revision)
		return -EINVAL;
	if (attr->attach.attach_flags & ~allowed)
		return -EINVAL;
	error = sys_prog_by_fd(call, attr->attach.attach_bpf_fd, &prog);
	if (error)
		return error;
	if (prog->type == type)
		sys_say(call->hive,
			"program %s: attach type %u has no place to attach to in user space",
			prog->name, attr->attach.attach_type);
	sys_prog_put(prog);
	return -EINVAL;
}

long sys_prog_detach(struct sys_call *call)
{
	const union abi_attr *attr = &call->attr;
	u32 type = type_of_attach(attr->attach.attach_type);

	/* Nothing is ever attached this way. */
	if (type == BPF_PROG_TYPE_UNSPEC || attr->attach.attach_flags & ~MPROG_FLAGS)
		return -EINVAL;
	return type == BPF_PROG_TYPE_SCHED_CLS || is_cgroup_type(type) ? -ENOENT : -EINVAL;
}

long sys_prog_query(struct sys_call *call)
{
	union abi_attr *attr = &call->attr;
	u32 type = type_of_attach(attr->query.attach_type);

	if (!call->client->privileged)
		return -EPERM;
	if (attr->query.query_flags & ~BPF_F_QUERY_EFFECTIVE)
		return -EINVAL;
	switch (type) {
	case BPF_PROG_TYPE_FLOW_DISSECTOR:
	case BPF_PROG_TYPE_SK_LOOKUP:
		if (attr->query.query_flags)
			return -EINVAL;
		attr->query.attach_flags = 0;
		attr->query.count = 0;
		return sys_write_attr(call, query.attach_flags) || sys_write_attr(call, query.count)
			       ? -EFAULT
			       : 0;
	case BPF_PROG_TYPE_SCHED_CLS: return -ENOENT; /* no such attachment on any device */
	default: return -EINVAL; /* as a kernel without cgroup programs answers */
	}
}
