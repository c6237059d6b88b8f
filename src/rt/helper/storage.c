/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Helpers on storage that belongs to something: (map, owner, initial value or NULL, flags) and
 * (map, owner), with the kernel's results (kernel/bpf/bpf_{task,inode,cgrp}_storage.c,
 * net/core/bpf_sk_storage.c). An owner is read as a structure that BTF describes: by loads that
 * give 0 where they would fault, so that a wrong pointer is nobody and never an access.
 */
#include "abi/context.h"
#include "rt/cgroup.h"
#include "rt/helper/families.h"
#include "rt/storage.h"

#define CREATE	     BPF_LOCAL_STORAGE_GET_F_CREATE
#define TIME_WAIT    6 /* BPF_TCP_TIME_WAIT, BPF_TCP_NEW_SYN_RECV */
#define NEW_SYN_RECV 12

static u64 field(u64 structure, u64 offset, u32 size)
{
	u64 value = 0;

	if (offset != RT_TASK_MODEL_ABSENT)
		rt_read_own(&value, size, structure + offset);
	return value;
}

/*
 * Who stands behind a struct task_struct. Thread ids of other pid namespaces name nobody that the
 * hive's maps could know.
 */
static bool task_owner(struct rt_vcpu *vcpu, u64 task, struct rt_owner *ret_owner)
{
	const struct rt_task_layout *layout = READ_ONCE(RT_CONTROL->task_layout);

	if (!task || !layout || (RT_PROCESS->foreign_pid_ns && !vcpu->task.remote_pid))
		return false;
	ret_owner->number = (u32)field(task, layout->pid, 4);
	ret_owner->born = field(task, layout->start_boottime, 8);
	return ret_owner->number != 0;
}

static u64 get(u64 map, const struct rt_owner *owner, u64 value, u64 flags, struct rt_vcpu *vcpu)
{
	const struct rt_map *storage = (const struct rt_map *)map;

	return (u64)(flags & CREATE ? rt_storage_make(storage, owner, (const void *)value, vcpu)
				    : rt_storage_find(storage, owner, vcpu));
}

RT_HELPER(task_storage_get)
{
	struct rt_owner owner;

	if (r4 & ~(u64)CREATE || !task_owner(vcpu, r2, &owner))
		return 0;
	return get(r1, &owner, r3, r4, vcpu);
}

RT_HELPER(task_storage_delete)
{
	struct rt_owner owner;

	if (!r2)
		return (u64)-EINVAL;
	if (!task_owner(vcpu, r2, &owner))
		return (u64)-ENOENT;
	return (u64)rt_storage_delete((const struct rt_map *)r1, &owner, vcpu);
}

/* The sockets that there are belong to test runs. */
static bool sock_owner(u64 sock, struct rt_owner *ret_owner)
{
	u64 cookie = sock ? field(sock, offsetof(struct abi_rt_sock, cookie), 8) : 0;
	u32 state = sock ? (u32)field(sock, offsetof(struct abi_rt_sock, sock.state), 4) : 0;

	*ret_owner = (struct rt_owner){ .number = cookie | RT_OWNER_OF_TEST };
	return cookie && state != TIME_WAIT && state != NEW_SYN_RECV;
}

RT_HELPER(sk_storage_get)
{
	struct rt_owner owner;

	if (r4 & ~(u64)CREATE || !sock_owner(r2, &owner))
		return 0;
	return get(r1, &owner, r3, r4, vcpu);
}

RT_HELPER(sk_storage_delete)
{
	struct rt_owner owner;

	if (!r2)
		return (u64)-EINVAL;
	if (!sock_owner(r2, &owner))
		return (u64)-ENOENT;
	return (u64)rt_storage_delete((const struct rt_map *)r1, &owner, vcpu);
}

static bool cgroup_owner(u64 cgroup, struct rt_vcpu *vcpu, struct rt_owner *ret_owner)
{
	struct rt_cgroup group;

	*ret_owner = (struct rt_owner){ 0 };
	if (cgroup && rt_cgroup_read(cgroup, vcpu, &group))
		ret_owner->number = rt_cgroup_owner(&group);
	return ret_owner->number;
}

RT_HELPER(cgrp_storage_get)
{
	struct rt_owner owner;

	if (r4 & ~(u64)CREATE || !cgroup_owner(r2, vcpu, &owner))
		return 0;
	return get(r1, &owner, r3, r4, vcpu);
}

RT_HELPER(cgrp_storage_delete)
{
	struct rt_owner owner;

	if (!r2)
		return (u64)-EINVAL;
	if (!cgroup_owner(r2, vcpu, &owner))
		return (u64)-ENOENT;
	return (u64)rt_storage_delete((const struct rt_map *)r1, &owner, vcpu);
}

/* Of inodes no program here is given one. */
RT_HELPER(object_storage_get)
{
	return 0;
}

RT_HELPER(object_storage_delete)
{
	return r2 ? (u64)-ENOENT : (u64)-EINVAL;
}
