/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Context layouts as data: for each program type which bytes of the context may be read or written,
 * what a read gives, and where the field lies in the run-time context that the data plane passes.
 */
#ifndef SKEP_ABI_CONTEXT_H
#define SKEP_ABI_CONTEXT_H

#include <linux/bpf.h>
#include "base/types.h"

enum abi_ctx_value {
	ABI_CTX_SCALAR,
	ABI_CTX_PACKET, /* start of packet data */
	ABI_CTX_PACKET_END,
	ABI_CTX_PACKET_META,
	ABI_CTX_SOCKET, /* struct bpf_sock */
	ABI_CTX_SOCKET_OR_NULL,
	ABI_CTX_SOCK_COMMON_OR_NULL, /* struct bpf_sock, of which the first fields may be read */
	ABI_CTX_FLOW_KEYS,	     /* struct bpf_flow_keys */
	ABI_CTX_TP_BUFFER,	     /* what a writable tracepoint lets be changed */
	ABI_CTX_BTF,		     /* a structure of the kernel, btf_name */
};

/*
 * A row: accesses of certain sizes in a range of bytes, by certain programs. Several rows may
 * describe the same bytes. Accesses are always aligned to their size.
 */
struct abi_ctx_field {
	u32 offset, size;   /* in the UAPI structure */
	u8 value;	    /* enum abi_ctx_value */
	u8 reads, writes;   /* the sizes allowed, added up: 1, 2, 4, 8 */
	bool at_start;	    /* only accesses that begin with the field */
	u64 progs, writers; /* sets of program types (ABI_PROG), 0: all that have this context */
	u64 attach;	    /* set of expected attach types, 0: all */
	u32 rt_offset;	    /* in the run-time context */
	const char *btf_name;
};

struct abi_ctx {
	const char *name; /* of the UAPI structure, as BTF names it */
	u32 size;
	u32 max_offset; /* accesses end here, for free-form contexts (tracepoint) */
	u32 min_offset;
	/* Any aligned access in [min_offset, max_offset) is a scalar read; rows tell of those
	 * before. */
	bool free_form;
	bool writable; /* ... or written */
	const struct abi_ctx_field *fields;
	u32 nr_fields;
};

/* Who accesses the context. */
struct abi_ctx_user {
	u32 prog_type, expected_attach_type;
};

/* Is the context of such programs the struct __sk_buff of a packet that they are run on? */
bool abi_ctx_is_skb(u32 prog_type);

/* NULL if the program type is not known to this build. */
const struct abi_ctx *abi_ctx_find(u32 prog_type);

/* The field that an access of size bytes at offset reads (or, with write, writes); NULL: rejected.
 */
const struct abi_ctx_field *abi_ctx_access(const struct abi_ctx *ctx, struct abi_ctx_user user,
					   u32 offset, u32 size, bool write);

/*
 * Structures that programs get pointers to: read as they are, without conversion. Memory behind
 * such a pointer is as large as the structure.
 */
enum abi_object {
	ABI_OBJECT_SOCKET,
	ABI_OBJECT_SOCK_COMMON,
	ABI_OBJECT_TCP_SOCK,
	ABI_OBJECT_XDP_SOCK
};

/* May size bytes at offset of such an object be read? */
bool abi_object_readable(enum abi_object object, u32 offset, u32 size);

/*
 * Run-time contexts of packet programs: what the rewritten accesses read, and behind it what
 * helpers need and programs do not see. Whoever runs a program fills all of it. Addresses are of
 * this process; the bytes from the lowest to the highest of them are one piece of memory.
 *
 * All other programs get the UAPI structure itself (struct bpf_sock, bpf_sock_addr, bpf_sock_ops,
 * sk_msg_md, sk_reuseport_md, bpf_sysctl, bpf_sockopt, bpf_sk_lookup, bpf_cgroup_dev_ctx).
 * Pointers to sockets are addresses of a whole struct abi_rt_sock; only those that may be null may
 * be 0. The context of cgroup socket programs is one, too.
 */

#define ABI_CGROUP_LEVELS 16

/* A socket: what programs read of it, and behind that what helpers tell. */
struct abi_rt_sock {
	struct bpf_sock sock;
	u64 cookie, netns_cookie; /* never 0 */
	u32 uid;
	u32 nr_cgroups; /* ids from the root (level 0) down to its own; at most ABI_CGROUP_LEVELS */
	u64 cgroup_ids[ABI_CGROUP_LEVELS];
	bool reuses_port; /* SO_REUSEPORT */
};

/* A socket lookup: cookie leads to the socket that is selected (struct abi_rt_sock), 0: none. */
struct abi_rt_sk_lookup {
	struct bpf_sk_lookup lookup;
	bool no_reuseport; /* it is not to be exchanged for another one of its group */
};

/*
 * Contexts that more belongs to than programs see; whoever runs a program of these types sets it.
 */
#define ABI_MSG_FRAGS	      17   /* MAX_MSG_FRAGS */
#define ABI_SYSCTL_MAX	      4095 /* bytes of a value */
#define ABI_TCP_OPTIONS_MAX   40   /* MAX_TCP_OPTION_SPACE */
#define ABI_SOCK_OPS_CTX_SIZE 224

/* A message in one piece of memory, which its elements divide. */
struct abi_rt_msg {
	struct sk_msg_md md; /* size is the sum of the elements' lengths */
	u64 memory;
	u32 room, nr; /* bytes of memory; elements */
	u32 length[ABI_MSG_FRAGS];
};

/* What a sysctl program may ask about; a value of no bytes is none. */
struct abi_rt_sysctl {
	struct bpf_sysctl sysctl;
	u64 name, current, value; /* value has room for ABI_SYSCTL_MAX bytes */
	u32 name_size, current_size, value_size;
};

struct abi_rt_sock_ops {
	u8 ops[ABI_SOCK_OPS_CTX_SIZE]; /* struct bpf_sock_ops, as long as 6.18's */
	u32 options_left;	       /* bytes that TCP options may still take */
	bool has_packet;
};

struct abi_rt_xdp {
	u64 data, data_end, data_meta;
	u32 ingress_ifindex, rx_queue_index, egress_ifindex, pad;
	/* Lowest place of data_meta (behind the kernel's frame header) and end of the tailroom. */
	u64 room_start, room_end;
	/*
	 * Fragments: frags_size bytes behind each other, each fragment ABI_RT_XDP_FRAG bytes but
	 * the last, which has that much room. No fragments: 0.
	 */
	u64 frags;
	u32 frags_size;
};

#define ABI_RT_XDP_FRAG 4096u

/* skb->ip_summed of the kernel. */
enum abi_skb_csum { ABI_CSUM_NONE, ABI_CSUM_UNNECESSARY, ABI_CSUM_COMPLETE };

#define ABI_TUNNEL_OPTS_MAX 255 /* IP_TUNNEL_OPTS_MAX */

/* Where the packet is to be sent through a tunnel (struct ip_tunnel_info), in host byte order. */
struct abi_rt_tunnel {
	struct bpf_tunnel_key key; /* tunnel_flags: as bpf_skb_get_tunnel_key() gives them */
	bool is_set, is_ipv6, has_options;
	u8 options_size;
	u8 options[ABI_TUNNEL_OPTS_MAX];
};

struct abi_rt_skb {
	u64 data, data_end;
	u32 len, pkt_type, mark, queue_mapping, protocol, vlan_present, vlan_tci, vlan_proto,
		priority, ingress_ifindex, ifindex, tc_index, hash, tc_classid, napi_id, family;
	u32 cb[5];
	u32 gso_segs, gso_size, pad;
	u64 tstamp, hwtstamp;
	/* Not seen by programs: where the link layer's and the network layer's headers begin. */
	u64 mac_header, network_header;
	/* What of the packet lies behind data_end, in fragments that are one piece of memory. */
	u64 frags;
	u32 frags_size;
	/* Seen by some types: the rest of struct __sk_buff. */
	u32 wire_len;
	u64 data_meta, sk, flow_keys;
	u32 tstamp_type, remote_ip4, local_ip4, remote_ip6[4], local_ip6[4], remote_port,
		local_port;
	/* Not seen: the memory that the packet may grow in, and what the kernel notes of it. */
	u64 room_start, room_end;
	u64 transport_header; /* 0: not set */
	u32 mac_len, csum;
	u8 ip_summed, csum_level; /* enum abi_skb_csum */
	bool has_hash, encapsulated;
	struct abi_rt_tunnel tunnel;
};

#endif
