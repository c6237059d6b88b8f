/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The helper table of Linux 6.18, one array a family (helper_map.c, helper_system.c,
 * helper_packet.c, helper_socket.c): a helper's row stands at its number in one of them. Names and
 * numbers: include/uapi/linux/bpf.h. Which program type may call what, and which helpers are GPL
 * only, was asked of a running 6.18 kernel by loading `call N; exit` as each program type.
 * Prototypes (kernel/bpf/helpers.c, kernel/trace/bpf_trace.c, kernel/bpf/ringbuf.c) are given for
 * the helpers that the data plane has or is about to have; the others are known by name only and
 * refused.
 */
#ifndef SKEP_ABI_HELPER_TABLE_H
#define SKEP_ABI_HELPER_TABLE_H

#include "abi/helper.h"

#include "abi/bpf_new.h"

/* One more than the last helper's number. */
#define ABI_HELPERS 212

extern const struct abi_helper abi_helpers_map[ABI_HELPERS];
extern const struct abi_helper abi_helpers_system[ABI_HELPERS];
extern const struct abi_helper abi_helpers_packet[ABI_HELPERS];
extern const struct abi_helper abi_helpers_socket[ABI_HELPERS];

#define PROG_SOCKET	     ABI_PROG(BPF_PROG_TYPE_SOCKET_FILTER)
#define PROG_KPROBE	     ABI_PROG(BPF_PROG_TYPE_KPROBE)
#define PROG_CLS	     (ABI_PROG(BPF_PROG_TYPE_SCHED_CLS) | ABI_PROG(BPF_PROG_TYPE_SCHED_ACT))
#define PROG_TRACEPOINT	     ABI_PROG(BPF_PROG_TYPE_TRACEPOINT)
#define PROG_XDP	     ABI_PROG(BPF_PROG_TYPE_XDP)
#define PROG_PERF	     ABI_PROG(BPF_PROG_TYPE_PERF_EVENT)
#define PROG_CG_SKB	     ABI_PROG(BPF_PROG_TYPE_CGROUP_SKB)
#define PROG_CG_SOCK	     ABI_PROG(BPF_PROG_TYPE_CGROUP_SOCK)
#define PROG_CG_ADDR	     ABI_PROG(BPF_PROG_TYPE_CGROUP_SOCK_ADDR)
#define PROG_CG_DEVICE	     ABI_PROG(BPF_PROG_TYPE_CGROUP_DEVICE)
#define PROG_CG_SYSCTL	     ABI_PROG(BPF_PROG_TYPE_CGROUP_SYSCTL)
#define PROG_CG_SOCKOPT	     ABI_PROG(BPF_PROG_TYPE_CGROUP_SOCKOPT)
#define PROG_LWT_IN	     ABI_PROG(BPF_PROG_TYPE_LWT_IN)
#define PROG_LWT_OUT	     ABI_PROG(BPF_PROG_TYPE_LWT_OUT)
#define PROG_LWT_XMIT	     ABI_PROG(BPF_PROG_TYPE_LWT_XMIT)
#define PROG_LWT_SEG6	     ABI_PROG(BPF_PROG_TYPE_LWT_SEG6LOCAL)
#define PROG_LWT	     (PROG_LWT_IN | PROG_LWT_OUT | PROG_LWT_XMIT | PROG_LWT_SEG6)
#define PROG_SOCK_OPS	     ABI_PROG(BPF_PROG_TYPE_SOCK_OPS)
#define PROG_SK_SKB	     ABI_PROG(BPF_PROG_TYPE_SK_SKB)
#define PROG_SK_MSG	     ABI_PROG(BPF_PROG_TYPE_SK_MSG)
#define PROG_SK_LOOKUP	     ABI_PROG(BPF_PROG_TYPE_SK_LOOKUP)
#define PROG_REUSEPORT	     ABI_PROG(BPF_PROG_TYPE_SK_REUSEPORT)
#define PROG_FLOW	     ABI_PROG(BPF_PROG_TYPE_FLOW_DISSECTOR)
#define PROG_NETFILTER	     ABI_PROG(ABI_PROG_TYPE_NETFILTER)
#define PROG_TRACING	     ABI_PROG(BPF_PROG_TYPE_TRACING)
#define PROG_LSM	     ABI_PROG(BPF_PROG_TYPE_LSM)
#define PROG_SYSCALL	     ABI_PROG(BPF_PROG_TYPE_SYSCALL)
#define PROG_RAW_TP	     ABI_PROG(BPF_PROG_TYPE_RAW_TRACEPOINT)
#define PROG_RAW_TP_WRITABLE ABI_PROG(BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE)

/* Those whose arguments BTF describes; programs that are run by hand may call what they may. */
#define PROG_TYPED (PROG_TRACING | PROG_LSM | PROG_SYSCALL)

#define TRACING_PROGS \
	(PROG_KPROBE | PROG_TRACEPOINT | PROG_PERF | PROG_RAW_TP | PROG_RAW_TP_WRITABLE)
#define ALL_PROGS                                                                                  \
	(TRACING_PROGS | PROG_SOCKET | PROG_CLS | PROG_XDP | PROG_CG_SKB | PROG_CG_SOCK |          \
	 PROG_CG_ADDR | PROG_CG_DEVICE | PROG_CG_SYSCTL | PROG_CG_SOCKOPT | PROG_LWT |             \
	 PROG_SOCK_OPS | PROG_SK_SKB | PROG_SK_MSG | PROG_SK_LOOKUP | PROG_REUSEPORT | PROG_FLOW | \
	 PROG_NETFILTER)

/* Those that may look at a socket as the kernel does. */
#define PROG_SKC                                                                         \
	(PROG_TYPED |                                                                    \
	 (ALL_PROGS & ~(TRACING_PROGS | PROG_CG_SOCK | PROG_CG_DEVICE | PROG_REUSEPORT | \
			PROG_CG_SYSCTL | PROG_CG_SOCKOPT | PROG_NETFILTER)))

/* Attach types for which a helper is not there, though it is for the program type. */
#define NOT_CONNECT (~(ABI_ATTACH(BPF_CGROUP_INET4_CONNECT) | ABI_ATTACH(BPF_CGROUP_INET6_CONNECT)))
#define PROG_RETVAL \
	(PROG_CG_SOCK | PROG_CG_ADDR | PROG_CG_SOCKOPT | PROG_CG_DEVICE | PROG_CG_SYSCTL)
/* Of typed programs only functions' and tracepoints' have one. */
#define NOT_ITER ABI_ATTACH(BPF_TRACE_ITER)
#define NO_RETVAL                                                                              \
	(ABI_ATTACH(BPF_CGROUP_INET_INGRESS) | ABI_ATTACH(BPF_CGROUP_UDP4_RECVMSG) |           \
	 ABI_ATTACH(BPF_CGROUP_UDP6_RECVMSG) | ABI_ATTACH(BPF_CGROUP_INET4_GETPEERNAME) |      \
	 ABI_ATTACH(BPF_CGROUP_INET6_GETPEERNAME) | ABI_ATTACH(BPF_CGROUP_INET4_GETSOCKNAME) | \
	 ABI_ATTACH(BPF_CGROUP_INET6_GETSOCKNAME) | ABI_ATTACH(ABI_CGROUP_UNIX_RECVMSG) |      \
	 ABI_ATTACH(ABI_CGROUP_UNIX_GETPEERNAME) | ABI_ATTACH(ABI_CGROUP_UNIX_GETSOCKNAME))

/* What a helper takes that returns a number. */
#define INTEGER(...) .ret = RET_INTEGER, .arg = { __VA_ARGS__ }

/* All but programs on functions. */
#define NOT_FUNCTION                                                    \
	(~(ABI_ATTACH(BPF_TRACE_FENTRY) | ABI_ATTACH(BPF_TRACE_FEXIT) | \
	   ABI_ATTACH(BPF_MODIFY_RETURN) | ABI_ATTACH(BPF_LSM_MAC)))

#endif
