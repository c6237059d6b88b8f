/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See scenario.h: what programs are attached to by descriptor or number. Where the kernel attaches,
 * skep refuses (EOPNOTSUPP) with a sentence; every other answer is the same. Programs of a type
 * that skep does not load are skipped there, visibly.
 */
#include "scenario.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <stdio.h>
#include <string.h>

#define REFUSED (-EOPNOTSUPP)
#define CLOSED	900

static const struct bpf_insn ok_insns[] = { MOV_K(0, 1), EXIT() };

/* What the kernel takes, skep refuses: a link's or another result of 0 and more. */
static void expect_refused(struct world *world, long got, long kernel, const char *name)
{
	expect(world, got, world->kernel ? kernel : REFUSED, name);
	if (!world->kernel)
		tap_ok(*world_last_message(world), "%s: %s: refused with a sentence", world->name,
		       name);
}

static int load(struct world *world, u32 type, u32 attach_type, const char *name)
{
	int fd = world_prog_for(world, type, attach_type, ok_insns, ARRAY_SIZE(ok_insns));

	if (fd < 0)
		tap_skip(1, "%s: no program of type %s here (%d)", world->name, name, fd);
	return fd;
}

static long query(struct world *world, union abi_attr *attr, u32 target, u32 type, u32 flags)
{
	memset(attr, 0, sizeof(*attr));
	attr->query.target_fd = target;
	attr->query.attach_type = type;
	attr->query.query_flags = flags;
	attr->query.count = 77;
	attr->query.revision = 77;
	return world_call(world, BPF_PROG_QUERY, attr);
}

static void queries(struct world *world, u32 cgroup, u32 netns, u32 other)
{
	union abi_attr attr;
	u32 ids[4], type;
	int map = world_map(world, BPF_MAP_TYPE_ARRAY, 4, 4, 1, 0);

	for (type = 0; type < 64; type++) {
		char name[32];

		snprintf(name, sizeof(name), "query %u of a closed fd", type);
		expect(world, query(world, &attr, CLOSED, type, 0),
		       type <= BPF_CGROUP_INET_SOCK_CREATE || type == BPF_CGROUP_SOCK_OPS ||
				       type == BPF_SK_SKB_STREAM_PARSER ||
				       type == BPF_SK_SKB_STREAM_VERDICT ||
				       (type >= BPF_CGROUP_DEVICE &&
					type <= BPF_CGROUP_UDP6_SENDMSG &&
					type != BPF_LIRC_MODE2) ||
				       type == BPF_FLOW_DISSECTOR || type == BPF_CGROUP_SYSCTL ||
				       (type >= BPF_CGROUP_UDP4_RECVMSG &&
					type <= BPF_CGROUP_SETSOCKOPT) ||
				       (type >= BPF_CGROUP_INET4_GETPEERNAME &&
					type <= BPF_CGROUP_INET_SOCK_RELEASE &&
					type != BPF_XDP_DEVMAP) ||
				       type == BPF_SK_LOOKUP || type == BPF_SK_SKB_VERDICT ||
				       type == BPF_LSM_CGROUP ||
				       (type >= ABI_CGROUP_UNIX_CONNECT &&
					type <= ABI_CGROUP_UNIX_GETSOCKNAME)
			       ? -EBADF
		       : type == ABI_TCX_INGRESS || type == ABI_TCX_EGRESS ? -ENODEV
									   : -EINVAL,
		       name);
	}
	expect(world, query(world, &attr, other, BPF_CGROUP_DEVICE, 0), -EBADF, "query: no cgroup");
	expect(world, query(world, &attr, (u32)map, BPF_CGROUP_DEVICE, 0), -EBADF,
	       "query: a map for a cgroup");
	expect(world, query(world, &attr, cgroup, BPF_CGROUP_DEVICE, 0), 0, "query: a cgroup");
	expect(world, attr.query.count, 0, "query: nothing there");
	expect(world, (long)attr.query.revision, 1, "query: the first revision");
	expect(world, query(world, &attr, cgroup, BPF_CGROUP_DEVICE, BPF_F_QUERY_EFFECTIVE), 0,
	       "query: effective");
	expect(world, (long)attr.query.revision, 0, "query: effective has no revision");
	expect(world, query(world, &attr, cgroup, BPF_CGROUP_DEVICE, 2), -EINVAL, "query: flag 2");
	attr.query.query_flags = BPF_F_QUERY_EFFECTIVE;
	attr.query.prog_attach_flags = (u64)(uintptr_t)ids;
	expect(world, world_call(world, BPF_PROG_QUERY, &attr), -EINVAL,
	       "query: effective with flags of programs");
	expect(world, query(world, &attr, cgroup, BPF_LSM_CGROUP, 0), 0, "query: lsm of a cgroup");
	expect(world, (long)attr.query.revision, 0, "query: lsm of a cgroup has no revision");
	attr.query.count = 4;
	attr.query.prog_ids = (u64)(uintptr_t)ids;
	expect(world, world_call(world, BPF_PROG_QUERY, &attr), -EINVAL,
	       "query: lsm of a cgroup, ids without flags");
	expect(world, query(world, &attr, other, BPF_FLOW_DISSECTOR, 0), -EINVAL,
	       "query: no name space");
	expect(world, query(world, &attr, netns, BPF_FLOW_DISSECTOR, 0), 0,
	       "query: flow dissector");
	expect(world, attr.query.count, 0, "query: no flow dissector");
	expect(world, (long)attr.query.revision, 77, "query: name spaces have no revision");
	expect(world, query(world, &attr, netns, BPF_SK_LOOKUP, 1), -EINVAL,
	       "query: sk_lookup, flags");
	expect(world, query(world, &attr, netns, BPF_SK_LOOKUP, 0), 0, "query: sk_lookup");
	expect(world, query(world, &attr, 1, ABI_TCX_INGRESS, 0), 0, "query: tcx of lo");
	expect(world, (long)attr.query.revision, 1, "query: tcx's revision");
	expect(world, query(world, &attr, 1, ABI_TCX_INGRESS, 1), -EINVAL, "query: tcx, effective");
	expect(world, query(world, &attr, (u32)map, BPF_SK_MSG_VERDICT, 0), -EOPNOTSUPP,
	       "query: an array for a socket map");
	expect(world, query(world, &attr, other, BPF_SK_MSG_VERDICT, 0), -EINVAL, "query: no map");
	world->close(world, map);
}

static long change(struct world *world, u32 cmd, union abi_attr *attr)
{
	return world_call(world, cmd, attr);
}

static void cgroups(struct world *world, u32 cgroup, u32 other)
{
	int prog = load(world, BPF_PROG_TYPE_CGROUP_DEVICE, 0, "cgroup_device"), fd;
	union abi_attr attr, plain;

	memset(&plain, 0, sizeof(plain));
	plain.attach.target_fd = cgroup;
	plain.attach.attach_type = BPF_CGROUP_DEVICE;
	plain.attach.attach_bpf_fd = (u32)prog;
	attr = plain;
	attr.attach.attach_bpf_fd = 0;
	expect(world, change(world, BPF_PROG_DETACH, &attr), -ENOENT, "detach nothing");
	attr.attach.expected_revision = 5;
	expect(world, change(world, BPF_PROG_DETACH, &attr), -ESTALE, "detach at revision 5");
	attr.attach.expected_revision = 0;
	attr.attach.target_fd = other;
	expect(world, change(world, BPF_PROG_DETACH, &attr), -EBADF, "detach from no cgroup");
	attr.attach.attach_flags = 1u << 20;
	expect(world, change(world, BPF_PROG_DETACH, &attr), -EINVAL, "detach with a flag");
	if (prog < 0)
		return;
#define CASE(text, want, set)                                                                \
	do {                                                                                 \
		attr = plain;                                                                \
		set;                                                                         \
		expect(world, change(world, BPF_PROG_ATTACH, &attr), want, "attach: " text); \
	} while (0)
	CASE("to a closed fd", -EBADF, attr.attach.target_fd = CLOSED);
	CASE("to a file", -EBADF, attr.attach.target_fd = other);
	CASE("a closed program", -EBADF, attr.attach.attach_bpf_fd = CLOSED);
	CASE("as something else", -EINVAL, attr.attach.attach_type = BPF_CGROUP_SOCK_OPS);
	CASE("override and multi", -EINVAL,
	     attr.attach.attach_flags = BPF_F_ALLOW_OVERRIDE | BPF_F_ALLOW_MULTI);
	CASE("replace alone", -EINVAL, attr.attach.attach_flags = BPF_F_REPLACE);
	CASE("replace nothing", -EBADF,
	     (attr.attach.attach_flags = BPF_F_REPLACE | BPF_F_ALLOW_MULTI,
	      attr.attach.replace_bpf_fd = CLOSED));
	CASE("replace what is not there", -ENOENT,
	     (attr.attach.attach_flags = BPF_F_REPLACE | BPF_F_ALLOW_MULTI,
	      attr.attach.replace_bpf_fd = (u32)prog));
	CASE("at revision 5", -ESTALE, attr.attach.expected_revision = 5);
	CASE("with a flag", -EINVAL, attr.attach.attach_flags = 1u << 20);
#undef CASE
	memset(&attr, 0, sizeof(attr));
	attr.link_create.prog_fd = (u32)prog;
	attr.link_create.attach_type = BPF_CGROUP_DEVICE;
	attr.link_create.target_fd = other;
	expect(world, change(world, BPF_LINK_CREATE, &attr), -EBADF, "link: to a file");
	attr.link_create.flags = BPF_F_REPLACE;
	expect(world, change(world, BPF_LINK_CREATE, &attr), -EINVAL, "link: replace");
	attr.link_create.flags = 0;
	attr.link_create.target_fd = cgroup;
	attr.link_create.chain.expected_revision = 5;
	expect(world, change(world, BPF_LINK_CREATE, &attr), -ESTALE, "link: at revision 5");
	attr.link_create.chain.expected_revision = 0;
	fd = (int)change(world, BPF_LINK_CREATE, &attr);
	expect_refused(world, fd, FD, "link: to a cgroup");
	world->close(world, fd);
	world->close(world, prog);
}

static void netfilter(struct world *world)
{
	int prog = load(world, ABI_PROG_TYPE_NETFILTER, ABI_NETFILTER, "netfilter"), fd;
	union abi_attr attr, plain;

	if (prog < 0)
		return;
	memset(&plain, 0, sizeof(plain));
	plain.link_create.prog_fd = (u32)prog;
	plain.link_create.attach_type = ABI_NETFILTER;
	plain.link_create.netfilter.pf = NFPROTO_IPV4;
	plain.link_create.netfilter.priority = 1;
#define CASE(text, want, set)                                                                   \
	do {                                                                                    \
		attr = plain;                                                                   \
		set;                                                                            \
		expect(world, change(world, BPF_LINK_CREATE, &attr), want, "netfilter: " text); \
	} while (0)
	CASE("flags", -EINVAL, attr.link_create.flags = 1);
	CASE("family 99", -EAFNOSUPPORT, attr.link_create.netfilter.pf = 99);
	CASE("hook 99", -EPROTO, attr.link_create.netfilter.hooknum = 99);
	CASE("flag 2", -EOPNOTSUPP, attr.link_create.netfilter.flags = 2);
	CASE("first", -ERANGE, attr.link_create.netfilter.priority = INT32_MIN);
	CASE("last", -ERANGE, attr.link_create.netfilter.priority = INT32_MAX);
	CASE("defrag before defrag", -ERANGE,
	     (attr.link_create.netfilter.priority = -400, attr.link_create.netfilter.flags = 1));
#undef CASE
	attr = plain;
	fd = (int)change(world, BPF_LINK_CREATE, &attr);
	expect_refused(world, fd, FD, "netfilter: a link");
	world->close(world, fd);
	world->close(world, prog);
}

static void devices(struct world *world)
{
	int xdp = load(world, BPF_PROG_TYPE_XDP, BPF_XDP, "xdp"), fd;
	int cls = load(world, BPF_PROG_TYPE_SCHED_CLS, 0, "sched_cls");
	union abi_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.attach.attach_type = ABI_TCX_INGRESS;
	attr.attach.target_fd = 0x7ffffff0;
	expect(world, change(world, BPF_PROG_DETACH, &attr), -ENODEV, "tcx: detach, no device");
	attr.attach.target_fd = 1;
	expect(world, change(world, BPF_PROG_DETACH, &attr), -ENOENT, "tcx: detach nothing");
	attr.attach.attach_flags = BPF_F_ALLOW_MULTI;
	expect(world, change(world, BPF_PROG_DETACH, &attr), -EINVAL, "tcx: detach, multi");
	memset(&attr, 0, sizeof(attr));
	attr.link_create.target_fd = 0x7ffffff0;
	if (xdp >= 0) {
		attr.link_create.prog_fd = (u32)xdp;
		attr.link_create.attach_type = BPF_XDP;
		expect(world, change(world, BPF_LINK_CREATE, &attr), -EINVAL, "xdp: no device");
		attr.link_create.attach_type = ABI_TCX_INGRESS;
		expect(world, change(world, BPF_LINK_CREATE, &attr), -EINVAL, "xdp: as tcx");
		world->close(world, xdp);
	}
	if (cls >= 0) {
		attr.link_create.prog_fd = (u32)cls;
		attr.link_create.attach_type = ABI_TCX_INGRESS;
		expect(world, change(world, BPF_LINK_CREATE, &attr), -ENODEV, "tcx: no device");
		attr.link_create.target_fd = 1;
		fd = (int)change(world, BPF_LINK_CREATE, &attr);
		expect_refused(world, fd, FD, "tcx: a link");
		world->close(world, fd);
		world->close(world, cls);
	}
}

static void other_links(struct world *world, u32 netns, u32 other)
{
	int lookup = load(world, BPF_PROG_TYPE_SK_LOOKUP, BPF_SK_LOOKUP, "sk_lookup"), fd;
	int verdict = load(world, BPF_PROG_TYPE_SK_MSG, 0, "sk_msg");
	int map = world_map(world, BPF_MAP_TYPE_ARRAY, 4, 4, 1, 0);
	union abi_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.link_create.attach_type = ABI_STRUCT_OPS;
	attr.link_create.prog_fd = CLOSED;
	expect(world, change(world, BPF_LINK_CREATE, &attr), -EBADF, "struct_ops: closed");
	attr.link_create.prog_fd = (u32)map;
	expect(world, change(world, BPF_LINK_CREATE, &attr), -EINVAL, "struct_ops: an array");
	if (lookup >= 0) {
		attr.link_create.prog_fd = (u32)lookup;
		attr.link_create.attach_type = BPF_SK_LOOKUP;
		attr.link_create.target_fd = CLOSED;
		expect(world, change(world, BPF_LINK_CREATE, &attr), -EBADF, "sk_lookup: closed");
		attr.link_create.target_fd = other;
		expect(world, change(world, BPF_LINK_CREATE, &attr), -EINVAL, "sk_lookup: a file");
		attr.link_create.target_fd = netns;
		attr.link_create.flags = 1;
		expect(world, change(world, BPF_LINK_CREATE, &attr), -EINVAL, "sk_lookup: flags");
		attr.link_create.flags = 0;
		fd = (int)change(world, BPF_LINK_CREATE, &attr);
		expect_refused(world, fd, FD, "sk_lookup: a link");
		world->close(world, fd);
		world->close(world, lookup);
	}
	if (verdict >= 0) {
		memset(&attr, 0, sizeof(attr));
		attr.attach.attach_type = BPF_SK_MSG_VERDICT;
		attr.attach.attach_bpf_fd = (u32)verdict;
		attr.attach.target_fd = (u32)map;
		expect(world, change(world, BPF_PROG_ATTACH, &attr), -EOPNOTSUPP,
		       "sk_msg: to an array");
		attr.attach.target_fd = other;
		expect(world, change(world, BPF_PROG_ATTACH, &attr), -EINVAL, "sk_msg: to a file");
		attr.attach.attach_flags = BPF_F_ALLOW_MULTI;
		expect(world, change(world, BPF_PROG_ATTACH, &attr), -EINVAL, "sk_msg: multi");
		memset(&attr, 0, sizeof(attr));
		attr.link_create.attach_type = BPF_SK_MSG_VERDICT;
		attr.link_create.prog_fd = (u32)verdict;
		attr.link_create.target_fd = (u32)map;
		expect(world, change(world, BPF_LINK_CREATE, &attr), -EINVAL,
		       "sk_msg: link an array");
		world->close(world, verdict);
	}
	world->close(world, map);
}

static void tokens(struct world *world, u32 other)
{
	int bpffs = world->place_open(world, SYS_PLACE_BPFFS);
	union abi_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.token_create.bpffs_fd = other;
	expect(world, world_call(world, ABI_TOKEN_CREATE, &attr), -EINVAL, "token: of a file");
	if (bpffs < 0) {
		tap_skip(1, "%s: no bpf file system", world->name);
		return;
	}
	attr.token_create.bpffs_fd = (u32)bpffs;
	expect(world, world_call(world, ABI_TOKEN_CREATE, &attr), -EOPNOTSUPP,
	       "token: of the first name space");
	world->close(world, bpffs);
}

void scenario_place(struct world *world)
{
	int cgroup = world->place_open(world, SYS_PLACE_CGROUP);
	int netns = world->place_open(world, SYS_PLACE_NETNS);
	int other = world->kernel ? world->place_open(world, SYS_PLACE_OTHER) : 0;

	if (cgroup < 0) {
		tap_skip(1, "%s: no cgroup2 file system", world->name);
	} else {
		queries(world, (u32)cgroup, (u32)netns, (u32)other);
		cgroups(world, (u32)cgroup, (u32)other);
		world->close(world, cgroup);
	}
	netfilter(world);
	devices(world);
	other_links(world, (u32)netns, (u32)other);
	tokens(world, (u32)other);
	world->close(world, netns);
	if (other > 2)
		world->close(world, other);
}
