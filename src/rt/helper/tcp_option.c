/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TCP header options of sock_ops programs over a struct abi_rt_sock_ops; results as in
 * net/core/filter.c. The packet begins with the TCP header.
 */
#include "abi/context.h"
#include "rt/helper/families.h"
#include "rt/mem.h"

#define TCP_HEADER    20u
#define END	      0 /* of the options */
#define NOP	      1
#define EXPERIMENT_1  253 /* shared kinds: what follows is a magic number */
#define EXPERIMENT_2  254
#define OP_LENGTH     14 /* BPF_SOCK_OPS_HDR_OPT_LEN_CB */
#define OP_WRITE      15 /* BPF_SOCK_OPS_WRITE_HDR_OPT_CB */
#define LOAD_FROM_SYN 1	 /* BPF_LOAD_HDR_OPT_TCP_SYN */

_Static_assert(sizeof(struct bpf_sock_ops) <= ABI_SOCK_OPS_CTX_SIZE, "the UAPI's fits");

struct search {
	u8 kind;
	const u8 *magic;
	u32 magic_size;
	bool ended; /* the options end before the header */
};

static bool is_experiment(u8 kind)
{
	return kind == EXPERIMENT_1 || kind == EXPERIMENT_2;
}

static struct bpf_sock_ops *ops_of(struct abi_rt_sock_ops *run)
{
	return (struct bpf_sock_ops *)(void *)run->ops;
}

/* 0 and where the option is, -ENOMSG: there is none, -EFAULT: the options make no sense. */
static long find(const u8 *at, const u8 *end, struct search *search, const u8 **ret_option)
{
	search->ended = false;
	while (at < end) {
		if (at[0] == END) {
			search->ended = true;
			return -ENOMSG;
		}
		if (at[0] == NOP) {
			at++;
			continue;
		}
		if (end - at < 2 || end - at < at[1] || at[1] < 2)
			return -EFAULT;
		if (at[0] == search->kind) {
			if (search->magic_size > at[1] - 2u)
				return -ENOMSG;
			if (!search->magic_size ||
			    !memcmp(at + 2, search->magic, search->magic_size)) {
				*ret_option = at;
				return 0;
			}
		}
		at += at[1];
	}
	return -ENOMSG;
}

/* What the program looks for: 0, or -EINVAL. */
static long wanted(const u8 *given, u32 size, struct search *search)
{
	u8 length = given[1];

	*search = (struct search){ .kind = given[0] };
	if (length > size || search->kind == NOP || search->kind == END)
		return -EINVAL;
	if (!is_experiment(search->kind))
		return length ? -EINVAL : 0;
	if (length != 4 && length != 6)
		return -EINVAL;
	search->magic = given + 2;
	search->magic_size = length - 2u;
	return 0;
}

/* (ops, search and result, size, flags) */
RT_HELPER(load_hdr_opt)
{
	struct abi_rt_sock_ops *run = (struct abi_rt_sock_ops *)r1;
	struct bpf_sock_ops *ops = ops_of(run);
	u32 size = (u32)r3, length;
	struct search search;
	const u8 *option;
	u8 *result = (u8 *)r2;
	long error;

	if (size < 2 || r4 & ~(u64)LOAD_FROM_SYN)
		return (u64)-EINVAL;
	error = wanted(result, size, &search);
	if (error)
		return (u64)error;
	/* Nobody has kept the packet that asked for the connection. */
	if (r4 & LOAD_FROM_SYN)
		return (u64)-ENOENT;
	if (!run->has_packet || ops->op == OP_LENGTH)
		return (u64)-EPERM;
	error = find((const u8 *)ops->skb_data + TCP_HEADER, (const u8 *)ops->skb_data_end, &search,
		     &option);
	if (error)
		return (u64)error;
	length = option[1];
	memcpy(result, option, length < size ? length : size);
	return length > size ? (u64)-ENOSPC : length;
}

/* (ops, option, size, flags) */
RT_HELPER(store_hdr_opt)
{
	struct abi_rt_sock_ops *run = (struct abi_rt_sock_ops *)r1;
	struct bpf_sock_ops *ops = ops_of(run);
	const u8 *given = (const u8 *)r2, *found;
	u8 *end = (u8 *)ops->skb_data_end;
	struct search search = { 0 };
	long error;

	if (ops->op != OP_WRITE)
		return (u64)-EPERM;
	if ((u32)r3 < 2 || r4)
		return (u64)-EINVAL;
	if (given[1] > (u32)r3 || given[0] == NOP || given[0] == END)
		return (u64)-EINVAL;
	if (given[1] > run->options_left)
		return (u64)-ENOSPC;
	search.kind = given[0];
	if (is_experiment(search.kind)) {
		if (given[1] < 4)
			return (u64)-EINVAL;
		search.magic = given + 2;
		search.magic_size = 2;
	}
	error = find((const u8 *)ops->skb_data + TCP_HEADER, end, &search, &found);
	if (!error)
		return (u64)-EEXIST;
	if (error != -ENOMSG)
		return (u64)error;
	if (search.ended)
		return (u64)-ENOSPC;
	run->options_left -= given[1];
	memcpy(end, given, given[1]);
	ops->skb_data_end = end + given[1];
	return 0;
}

/* (ops, size, flags) */
RT_HELPER(reserve_hdr_opt)
{
	struct abi_rt_sock_ops *run = (struct abi_rt_sock_ops *)r1;

	if (ops_of(run)->op != OP_LENGTH)
		return (u64)-EPERM;
	if (r3 || (u32)r2 < 2)
		return (u64)-EINVAL;
	if ((u32)r2 > run->options_left)
		return (u64)-ENOSPC;
	run->options_left -= (u32)r2;
	return 0;
}
