/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cases: sockets as references, helpers that take and give them, and packet pointers across helpers
 * that change the packet.
 */
#include "case.h"

#include <errno.h>

#define CLS	  BPF_PROG_TYPE_SCHED_CLS
#define XDP	  BPF_PROG_TYPE_XDP
#define CG_SKB	  BPF_PROG_TYPE_CGROUP_SKB
#define SK_LOOKUP BPF_PROG_TYPE_SK_LOOKUP
#define REUSEPORT BPF_PROG_TYPE_SK_REUSEPORT
#define SOCK_ADDR BPF_PROG_TYPE_CGROUP_SOCK_ADDR
#define SOCK_OPS  BPF_PROG_TYPE_SOCK_OPS
#define SK_MSG	  BPF_PROG_TYPE_SK_MSG
#define CG_SOCK	  BPF_PROG_TYPE_CGROUP_SOCK

#define SOCKOPT	 BPF_PROG_TYPE_CGROUP_SOCKOPT
#define DEVICE	 BPF_PROG_TYPE_CGROUP_DEVICE
#define WRITABLE BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE

#define TUPLE                                                                                     \
	"r6 = r1\n*(u64 *)(r10 -8) = 0\n*(u64 *)(r10 -16) = 0\nr2 = r10\nr2 += -12\nr3 = 12\nr4 " \
	"= 0\nr5 = 0\n"
#define LOOKUP_TCP  TUPLE "call bpf_sk_lookup_tcp#84\n"
#define LOOKUP_UDP  TUPLE "call bpf_sk_lookup_udp#85\n"
#define LOOKUP_SKC  TUPLE "call bpf_skc_lookup_tcp#99\n"
#define RELEASE	    "call bpf_sk_release#86\n"
#define END	    "r0 = 0\nexit"
#define IF_NULL_END "if r0 != 0x0 goto pc+2\n" END "\n"
#define SKB_SK	    "r1 = *(u64 *)(r1 +168)\nif r1 != 0x0 goto pc+2\n" END "\n"

/* clang-format off */
const struct verify_case cases_socket[] = {
	{ "socket looked up and released", CLS, LOOKUP_TCP IF_NULL_END "r1 = r0\n" RELEASE END, 0, NULL, 0 },
	{ "udp socket looked up and released", CLS, LOOKUP_UDP IF_NULL_END "r7 = *(u32 *)(r0 +4)\nr1 = r0\n" RELEASE END, 0, NULL, 0 },
	{ "socket of xdp", XDP, LOOKUP_TCP IF_NULL_END "r1 = r0\n" RELEASE END, 0, NULL, 0 },
	{ "socket of an address hook", SOCK_ADDR, LOOKUP_TCP IF_NULL_END "r1 = r0\n" RELEASE "r0 = 1\nexit", 0, NULL, CASE_ATTACH(BPF_CGROUP_INET4_CONNECT) },
	{ "socket leaks", CLS, LOOKUP_TCP END, -EINVAL, "Unreleased reference id=", 0 },
	{ "socket leaks where it is not null", CLS, LOOKUP_TCP IF_NULL_END END, -EINVAL, "BPF_EXIT instruction in main prog would lead to reference leak", 0 },
	{ "socket is not checked for null", CLS, LOOKUP_TCP "r1 = r0\n" RELEASE END, -EACCES, "R1 type=sock_or_null expected=sock_common, sock, tcp_sock, xdp_sock, ptr_, trusted_ptr_", 0 },
	{ "socket released twice", CLS, LOOKUP_TCP IF_NULL_END "r7 = r0\nr1 = r0\n" RELEASE "r1 = r7\n" RELEASE END, -EACCES, "R1 type=scalar expected=sock_common", 0 },
	{ "released socket is read", CLS, LOOKUP_TCP IF_NULL_END "r7 = r0\nr1 = r0\n" RELEASE "r0 = *(u32 *)(r7 +4)\nexit", -EACCES, "R7 invalid mem access 'scalar'", 0 },
	{ "null is released", CLS, "r1 = 0\n" RELEASE END, -EACCES, "R1 type=scalar expected=sock_common", 0 },
	{ "context is released", CLS, RELEASE END, -EACCES, "R1 type=ctx expected=sock_common", 0 },
	{ "socket at an offset is released", CLS, LOOKUP_TCP IF_NULL_END "r1 = r0\nr1 += 4\n" RELEASE END, -EACCES, "R1 pointer arithmetic on sock prohibited", 0 },
	{ "socket that nobody acquired is released", CLS, SKB_SK RELEASE END, -EINVAL, "R1 must be referenced when passed to release function", 0 },
	{ "reference over a tail call", CLS, LOOKUP_TCP "r1 = r6\nr2 = map_fd 4\nr3 = 0\ncall bpf_tail_call#12\n" END, -EINVAL, "tail_call would lead to reference leak", 0 },
	{ "socket is written", CLS, LOOKUP_TCP IF_NULL_END "*(u32 *)(r0 +4) = 1\nr1 = r0\n" RELEASE END, -EACCES, "R0 cannot write into sock", 0 },
	{ "socket is read too far", CLS, LOOKUP_TCP IF_NULL_END "r7 = *(u32 *)(r0 +80)\nr1 = r0\n" RELEASE END, -EACCES, "R0 invalid sock access off=80 size=4", 0 },
	{ "common part of a socket", CLS, LOOKUP_SKC IF_NULL_END "r7 = *(u32 *)(r0 +4)\nr1 = r0\n" RELEASE END, 0, NULL, 0 },
	{ "beyond the common part of a socket", CLS, LOOKUP_SKC IF_NULL_END "r7 = *(u32 *)(r0 +8)\nr1 = r0\n" RELEASE END, -EACCES, "R0 invalid sock_common access off=8 size=4", 0 },
	{ "full socket of a common one", CLS, LOOKUP_SKC IF_NULL_END "r7 = r0\nr1 = r0\ncall bpf_sk_fullsock#95\nif r0 == 0x0 goto pc+1\nr8 = *(u32 *)(r0 +8)\nr1 = r7\n" RELEASE END, 0, NULL, 0 },
	{ "what was cast goes with its reference", CLS, LOOKUP_TCP IF_NULL_END "r7 = r0\nr1 = r0\ncall bpf_tcp_sock#96\nr8 = r0\nr1 = r7\n" RELEASE "if r8 == 0x0 goto pc+1\nr0 = *(u32 *)(r8 +0)\n" END, -EACCES, "R8 invalid mem access 'scalar'", 0 },
	{ "the cast one is released", CLS, LOOKUP_TCP IF_NULL_END "r7 = r0\nr1 = r0\ncall bpf_tcp_sock#96\nif r0 != 0x0 goto pc+4\nr1 = r7\n" RELEASE END "\nr1 = r0\n" RELEASE END, 0, NULL, 0 },
	{ "a cast pointer that may be null is released", CLS, LOOKUP_TCP IF_NULL_END "r1 = r0\ncall bpf_tcp_sock#96\nr1 = r0\n" RELEASE END, -EACCES, "R1 type=tcp_sock_or_null expected=", 0 },
	{ "both are released", CLS, LOOKUP_TCP IF_NULL_END "r7 = r0\nr1 = r0\ncall bpf_sk_fullsock#95\nif r0 == 0x0 goto pc+2\nr1 = r0\n" RELEASE "r1 = r7\n" RELEASE END, -EACCES, "R1 type=scalar expected=", 0 },
	{ "tcp socket fields", CLS, SKB_SK "call bpf_tcp_sock#96\n" IF_NULL_END "r1 = *(u32 *)(r0 +0)\nr2 = *(u64 *)(r0 +80)\nr3 = *(u32 *)(r0 +96)\n" END, 0, NULL, 0 },
	{ "tcp socket fields, beyond", CLS, SKB_SK "call bpf_tcp_sock#96\n" IF_NULL_END "r1 = *(u64 *)(r0 +120)\n" END, -EACCES, "R0 invalid tcp_sock access off=120 size=8", 0 },
	{ "listener", CLS, SKB_SK "call bpf_sk_fullsock#95\n" IF_NULL_END "r1 = r0\ncall bpf_get_listener_sock#98\n" IF_NULL_END "r1 = *(u32 *)(r0 +4)\n" END, 0, NULL, 0 },
	{ "skb->sk not checked for null", CLS, "r1 = *(u64 *)(r1 +168)\ncall bpf_sk_fullsock#95\n" END, -EACCES, "R1 type=sock_common_or_null expected=sock_common, sock, tcp_sock, xdp_sock", 0 },
	{ "kernel structure of a socket", CLS, SKB_SK "call bpf_skc_to_tcp_sock#137\n" IF_NULL_END "r1 = r0\ncall bpf_skc_to_tcp6_sock#136\n" END, 0, NULL, 0 },
	{ "kernel structure may be null", CLS, SKB_SK "call bpf_skc_to_tcp_sock#137\nr1 = r0\ncall bpf_skc_to_tcp6_sock#136\n" END, -EACCES, "R1 type=ptr_or_null_ expected=sock_common", 0 },
	{ "kernel structure goes with its reference", CLS, LOOKUP_SKC IF_NULL_END "r7 = r0\nr1 = r0\ncall bpf_skc_to_tcp_timewait_sock#138\nif r0 != 0x0 goto pc+4\nr1 = r7\n" RELEASE END "\nr1 = r0\n" RELEASE END, 0, NULL, 0 },
	{ "unix socket does not", CLS, LOOKUP_SKC IF_NULL_END "r7 = r0\nr1 = r0\ncall bpf_skc_to_unix_sock#178\nr8 = r0\nr1 = r7\n" RELEASE "if r8 == 0x0 goto pc+1\nr0 = *(u64 *)(r8 +0)\n" END, 0, NULL, 0 },
	{ "kernel structure is written", CLS, SKB_SK "call bpf_skc_to_udp6_sock#140\n" IF_NULL_END "*(u64 *)(r0 +0) = 1\n" END, -EACCES, "only read is supported", 0 },
	{ "kernel structure of no socket at an offset", CLS, SKB_SK "call bpf_skc_to_tcp_sock#137\n" IF_NULL_END "r1 = r0\nr1 += 8\ncall bpf_skc_to_tcp6_sock#136\n" END, -EACCES, "R1 is of type tcp_sock but sock_common is expected", 0 },
	{ "mptcp socket of a kernel structure", CLS, SKB_SK "call bpf_skc_to_tcp_sock#137\n" IF_NULL_END "r1 = r0\ncall bpf_skc_to_mptcp_sock#196\n" END, -EACCES, "R1 type=ptr_ expected=sock_common, sock, tcp_sock, xdp_sock", 0 },
	{ "id of a socket's cgroup", CG_SKB, SKB_SK "call bpf_sk_cgroup_id#128\n" END, 0, NULL, 0 },
	{ "assign to a lookup", SK_LOOKUP, "r6 = r1\nr2 = *(u64 *)(r1 +0)\nr3 = 1\ncall bpf_sk_assign#124\nr1 = r6\nr2 = 0\nr3 = 0\ncall bpf_sk_assign#124\nr0 = 1\nexit", 0, NULL, CASE_ATTACH(BPF_SK_LOOKUP) },
	{ "assign to a packet", CLS, LOOKUP_TCP IF_NULL_END "r7 = r0\nr1 = r6\nr2 = r0\nr3 = 0\ncall bpf_sk_assign#124\nr1 = r7\n" RELEASE END, 0, NULL, 0 },
	{ "assign nothing to a packet", CLS, "r2 = 0\nr3 = 0\ncall bpf_sk_assign#124\n" END, -EACCES, "R2 type=scalar expected=sock_common", 0 },
	{ "cookie of a socket", REUSEPORT, "r1 = *(u64 *)(r1 +40)\ncall bpf_get_socket_cookie#46\nr0 = 1\nexit", 0, NULL, 0 },
	{ "cookie of none", REUSEPORT, "r1 = 0\ncall bpf_get_socket_cookie#46\nr0 = 1\nexit", 0, NULL, 0 },
	{ "cookie of a context that is none", REUSEPORT, "call bpf_get_socket_cookie#46\nr0 = 1\nexit", -EACCES, "R1 type=ctx expected=sock_common", 0 },
	{ "cookie of a packet's socket", CLS, "call bpf_get_socket_cookie#46\n" END, 0, NULL, 0 },
	{ "cookie of no namespace", CLS, "r1 = 0\ncall bpf_get_netns_cookie#122\n" END, 0, NULL, 0 },
	{ "class of the packet", CLS, "call bpf_get_cgroup_classid#17\n" END, 0, NULL, 0 },
	{ "class wants the packet", CLS, "r1 = 0\ncall bpf_get_cgroup_classid#17\n" END, -EACCES, "R1 type=scalar expected=ctx", 0 },
	{ "class of the task", CG_SOCK, "r1 = 0\ncall bpf_get_cgroup_classid#17\nr0 = 1\nexit", 0, NULL, 0 },
	{ "lookup by bytes of the packet", CLS, "r2 = *(u32 *)(r1 +76)\nr3 = *(u32 *)(r1 +80)\nr4 = r2\nr4 += 12\nif r4 > r3 goto pc+8\nr3 = 12\nr4 = 0\nr5 = 0\ncall bpf_sk_lookup_tcp#84\nif r0 == 0x0 goto pc+3\nr1 = r0\n" RELEASE "r0 = 0\nr0 = 0\nexit", 0, NULL, 0 },
	{ "lookup of nothing", CLS, "r2 = r10\nr2 += -8\n*(u64 *)(r10 -8) = 0\nr3 = 0\nr4 = 0\nr5 = 0\ncall bpf_sk_lookup_tcp#84\nif r0 == 0x0 goto pc+2\nr1 = r0\n" RELEASE END, 0, NULL, 0 },
	{ "packet pointers after a helper that changes it", CLS, "r6 = *(u32 *)(r1 +76)\nr7 = *(u32 *)(r1 +80)\nr4 = r6\nr4 += 12\nif r4 > r7 goto pc+3\nr2 = 20\ncall bpf_skb_pull_data#39\nr0 = *(u8 *)(r6 +0)\nr0 = 0\nexit", -EACCES, "R6 invalid mem access 'scalar'", 0 },
	{ "packet pointers after one that does not", CLS, "r6 = *(u32 *)(r1 +76)\nr7 = *(u32 *)(r1 +80)\nr4 = r6\nr4 += 12\nif r4 > r7 goto pc+3\nr2 = 20\ncall bpf_set_hash#48\nr0 = *(u8 *)(r6 +0)\nr0 = 0\nexit", 0, NULL, 0 },
	{ "packet pointers after a tail call that failed", CLS, "r6 = *(u32 *)(r1 +76)\nr7 = *(u32 *)(r1 +80)\nr4 = r6\nr4 += 12\nif r4 > r7 goto pc+5\nr2 = map_fd 4\nr3 = 0\ncall bpf_tail_call#12\nr0 = *(u8 *)(r6 +0)\nr0 = 0\nexit", 0, NULL, CASE_OURS },
	{ "packet pointers after a subprogram that changes it", CLS, "r6 = *(u32 *)(r1 +76)\nr7 = *(u32 *)(r1 +80)\nr4 = r6\nr4 += 12\nif r4 > r7 goto pc+2\ncall pc+3\nr0 = *(u8 *)(r6 +0)\nr0 = 0\nexit\nr2 = 20\ncall bpf_skb_pull_data#39\nexit", -EACCES, "R6 invalid mem access 'scalar'", 0 },
	{ "packet pointers after a subprogram with a tail call", CLS, "r6 = *(u32 *)(r1 +76)\nr7 = *(u32 *)(r1 +80)\nr4 = r6\nr4 += 12\nif r4 > r7 goto pc+2\ncall pc+3\nr0 = *(u8 *)(r6 +0)\nr0 = 0\nexit\nr2 = map_fd 4\nr3 = 0\ncall bpf_tail_call#12\nr0 = 0\nexit", -EACCES, "R6 invalid mem access 'scalar'", CASE_BTF },
	{ "message pointers after a pull", SK_MSG, "r6 = *(u64 *)(r1 +0)\nr7 = *(u64 *)(r1 +8)\nr2 = 20\ncall bpf_msg_apply_bytes#61\nr0 = 1\nexit", 0, NULL, 0 },
	{ "a route's parameters are written", CLS, "r2 = map_fd 6\nr2 = map_value 6 + 0\nr3 = 64\nr4 = 0\ncall bpf_fib_lookup#69\n" END, -EACCES, NULL, 0 },
	{ "mtu wants an aligned word", CLS, "*(u64 *)(r10 -8) = 0\nr3 = r10\nr3 += -6\nr2 = 0\nr4 = 0\nr5 = 0\ncall bpf_check_mtu#163\n" END, -EACCES, "misaligned stack access", 0 },
	{ "flags of socket operations", SOCK_OPS, "r2 = 1\ncall bpf_sock_ops_cb_flags_set#59\nr0 = 1\nexit", 0, NULL, 0 },
	{ "options of an address hook's socket", SOCK_ADDR, "*(u64 *)(r10 -8) = 1\nr2 = 1\nr3 = 36\nr4 = r10\nr4 += -8\nr5 = 4\ncall bpf_setsockopt#49\nr0 = 1\nexit", 0, NULL, CASE_ATTACH(BPF_CGROUP_INET4_CONNECT) },
	{ "options of a socket that is being set", SOCKOPT, "r1 = *(u64 *)(r1 +0)\nr2 = 1\nr3 = 36\nr4 = r10\nr4 += -8\nr5 = 4\ncall bpf_getsockopt#57\nr0 = *(u32 *)(r10 -8)\nr0 = 1\nexit", 0, NULL, CASE_ATTACH(BPF_CGROUP_SETSOCKOPT) },
	{ "options of the context", SOCKOPT, "r2 = 1\nr3 = 36\nr4 = r10\nr4 += -8\nr5 = 4\ncall bpf_getsockopt#57\nr0 = 1\nexit", -EACCES, "R1 type=ctx expected=sock_common", CASE_ATTACH(BPF_CGROUP_SETSOCKOPT) },
	{ "bind", SOCK_ADDR, "*(u64 *)(r10 -8) = 2\n*(u64 *)(r10 -16) = 2\nr2 = r10\nr2 += -16\nr3 = 16\ncall bpf_bind#64\nr0 = 1\nexit", 0, NULL, CASE_ATTACH(BPF_CGROUP_INET4_CONNECT) },
	{ "result of a device check", DEVICE, "r1 = -13\ncall bpf_set_retval#187\ncall bpf_get_retval#186\nr0 = 1\nexit", 0, NULL, CASE_ATTACH(BPF_CGROUP_DEVICE) },
	{ "buffer of a writable tracepoint", WRITABLE, "r6 = *(u64 *)(r1 +0)\nr0 = *(u32 *)(r6 +4)\n*(u64 *)(r6 +8) = 1\nr6 += 16\nr0 = *(u8 *)(r6 +0)\nr0 = *(u64 *)(r1 +8)\nr0 = 0\nexit", 0, NULL, 0 },
	{ "buffer of a writable tracepoint at a variable offset", WRITABLE, "r6 = *(u64 *)(r1 +0)\nr7 = *(u64 *)(r1 +8)\nr7 &= 7\nr6 += r7\nr0 = *(u8 *)(r6 +0)\nexit", -EACCES, "R6 invalid variable buffer offset: off=0", 0 },
	{ "before the buffer of a writable tracepoint", WRITABLE, "r6 = *(u64 *)(r1 +0)\nr0 = *(u8 *)(r6 -1)\nexit", -EACCES, "R6 invalid tracepoint buffer access: off=-1, size=1", 0 },
	{ "half of a buffer's address", WRITABLE, "r0 = *(u32 *)(r1 +0)\nexit", -EACCES, "invalid bpf_context access off=0 size=4", 0 },
	{ "buffer as a helper's memory", WRITABLE, "r1 = *(u64 *)(r1 +0)\nr2 = 8\ncall bpf_trace_printk#6\nr0 = 0\nexit", -EACCES, "R1 type=tp_buffer expected=fp", 0 },
	{ "before a map's descriptor", CLS, "r1 = map_fd 1\nr0 = *(u32 *)(r1 -8)\nexit", -EACCES, "R1 is bpf_array invalid negative access: off=-8", 0 },
	{ "map's descriptor is written", CLS, "r1 = map_fd 1\n*(u32 *)(r1 +0) = 1\nr0 = 0\nexit", -EACCES, "only read from bpf_array is supported", 0 },
	{ "hash map's descriptor is written", CLS, "r1 = map_fd 0\n*(u32 *)(r1 +0) = 1\nr0 = 0\nexit", -EACCES, "only read from bpf_htab is supported", 0 },
	{ "sockmap: found and released", CLS, "r1 = map_fd 15\n*(u32 *)(r10 -4) = 0\nr2 = r10\nr2 += -4\ncall bpf_map_lookup_elem#1\nif r0 == 0x0 goto pc+3\nr6 = *(u32 *)(r0 +4)\nr1 = r0\ncall bpf_sk_release#86\nr0 = 0\nexit", 0, NULL, 0 },
	{ "sockmap: not released", CLS, "r1 = map_fd 15\n*(u32 *)(r10 -4) = 0\nr2 = r10\nr2 += -4\ncall bpf_map_lookup_elem#1\nr0 = 0\nexit", -EINVAL, "Unreleased reference id=", 0 },
	{ "sockmap: not looked at whether it is there", CLS, "r1 = map_fd 15\n*(u32 *)(r10 -4) = 0\nr2 = r10\nr2 += -4\ncall bpf_map_lookup_elem#1\nr1 = r0\ncall bpf_sk_release#86\nr0 = 0\nexit", -EACCES, "type=map_value_or_null", 0 },
	{ "sockmap: written", CLS, "r1 = map_fd 15\n*(u32 *)(r10 -4) = 0\nr2 = r10\nr2 += -4\ncall bpf_map_lookup_elem#1\nif r0 == 0x0 goto pc+3\n*(u32 *)(r0 +4) = 1\nr1 = r0\ncall bpf_sk_release#86\nr0 = 0\nexit", -EACCES, NULL, 0 },
	{ "sockmap: read behind its end", CLS, "r1 = map_fd 15\n*(u32 *)(r10 -4) = 0\nr2 = r10\nr2 += -4\ncall bpf_map_lookup_elem#1\nif r0 == 0x0 goto pc+3\nr6 = *(u32 *)(r0 +200)\nr1 = r0\ncall bpf_sk_release#86\nr0 = 0\nexit", -EACCES, NULL, 0 },
	{ "sockmap: used after its release", CLS, "r1 = map_fd 15\n*(u32 *)(r10 -4) = 0\nr2 = r10\nr2 += -4\ncall bpf_map_lookup_elem#1\nif r0 == 0x0 goto pc+4\nr6 = r0\nr1 = r0\ncall bpf_sk_release#86\nr0 = *(u32 *)(r6 +4)\nr0 = 0\nexit", -EACCES, NULL, 0 },
	{ "sockmap: updated with a socket", CLS, "r1 = map_fd 15\n*(u32 *)(r10 -4) = 0\nr2 = r10\nr2 += -4\ncall bpf_map_lookup_elem#1\nif r0 == 0x0 goto pc+10\nr6 = r0\nr1 = map_fd 15\nr2 = r10\nr2 += -4\nr3 = r6\nr4 = 0\ncall bpf_map_update_elem#2\nr1 = r6\ncall bpf_sk_release#86\nr0 = 0\nexit", 0, NULL, 0 },
	{ "sockmap: updated in a cgroup's program", BPF_PROG_TYPE_CGROUP_SKB, "r1 = map_fd 15\n*(u32 *)(r10 -4) = 0\nr2 = r10\nr2 += -4\ncall bpf_map_lookup_elem#1\nif r0 == 0x0 goto pc+10\nr6 = r0\nr1 = map_fd 15\nr2 = r10\nr2 += -4\nr3 = r6\nr4 = 0\ncall bpf_map_update_elem#2\nr1 = r6\ncall bpf_sk_release#86\nr0 = 0\nexit", -EINVAL, "cannot update sockmap in this context", 0 },
	{ "sockmap: updated with a number", CLS, "r1 = map_fd 15\n*(u32 *)(r10 -4) = 0\nr2 = r10\nr2 += -4\n*(u64 *)(r10 -16) = 0\nr3 = r10\nr3 += -16\nr4 = 0\ncall bpf_map_update_elem#2\nr0 = 0\nexit", -EACCES, "R3 type=fp expected=", 0 },
	{ "sockmap: deleted", CLS, "r1 = map_fd 15\n*(u32 *)(r10 -4) = 0\nr2 = r10\nr2 += -4\ncall bpf_map_delete_elem#3\nr0 = 0\nexit", 0, NULL, 0 },
	{ "sockmap: deleted by XDP", BPF_PROG_TYPE_XDP, "r1 = map_fd 15\n*(u32 *)(r10 -4) = 0\nr2 = r10\nr2 += -4\ncall bpf_map_delete_elem#3\nr0 = 0\nexit", 0, NULL, 0 },
	{ "sockmap: deleted by socket operations", SOCK_OPS, "r1 = map_fd 15\n*(u32 *)(r10 -4) = 0\nr2 = r10\nr2 += -4\ncall bpf_map_delete_elem#3\nr0 = 1\nexit", 0, NULL, 0 },
	{ "sockmap: deleted at a tracepoint", BPF_PROG_TYPE_TRACEPOINT, "r1 = map_fd 15\n*(u32 *)(r10 -4) = 0\nr2 = r10\nr2 += -4\ncall bpf_map_delete_elem#3\nr0 = 0\nexit", -EINVAL, "cannot update sockmap in this context", 0 },
	{ "sockmap: looked into at a tracepoint", BPF_PROG_TYPE_TRACEPOINT, "r1 = map_fd 15\n*(u32 *)(r10 -4) = 0\nr2 = r10\nr2 += -4\ncall bpf_map_lookup_elem#1\nr0 = 0\nexit", -EINVAL, NULL, 0 },
	{ "sockmap: walked", CLS, "r1 = map_fd 15\nr2 = 0\nr3 = 0\ncall bpf_map_push_elem#87\nr0 = 0\nexit", -EACCES, NULL, 0 },
	{ "sockmap: a packet redirected", BPF_PROG_TYPE_SK_SKB, "r2 = map_fd 15\nr3 = 0\nr4 = 0\ncall bpf_sk_redirect_map#52\nexit", 0, NULL, 0 },
	{ "sockmap: a message redirected", SK_MSG, "r2 = map_fd 15\nr3 = 0\nr4 = 0\ncall bpf_msg_redirect_map#60\nexit", 0, NULL, 0 },
	{ "sockmap: a packet redirected by the wrong map", BPF_PROG_TYPE_SK_SKB, "r2 = map_fd 16\nr3 = 0\nr4 = 0\ncall bpf_sk_redirect_map#52\nexit", -EINVAL, "cannot pass map_type", 0 },
	{ "sockmap: a connection's socket is put there", SOCK_OPS, "r2 = map_fd 15\nr3 = r10\nr3 += -4\n*(u32 *)(r10 -4) = 0\nr4 = 0\ncall bpf_sock_map_update#53\nr0 = 1\nexit", 0, NULL, 0 },
	{ "sockmap: chosen for a connection", BPF_PROG_TYPE_SK_REUSEPORT, "r2 = map_fd 15\nr3 = r10\nr3 += -4\n*(u32 *)(r10 -4) = 0\nr4 = 0\ncall bpf_sk_select_reuseport#82\nr0 = 1\nexit", 0, NULL, 0 },
	{ "sockhash: found and released", CLS, "r1 = map_fd 16\n*(u32 *)(r10 -4) = 0\nr2 = r10\nr2 += -4\ncall bpf_map_lookup_elem#1\nif r0 == 0x0 goto pc+3\nr6 = *(u32 *)(r0 +4)\nr1 = r0\ncall bpf_sk_release#86\nr0 = 0\nexit", 0, NULL, 0 },
	{ "sockhash: not released", CLS, "r1 = map_fd 16\n*(u32 *)(r10 -4) = 0\nr2 = r10\nr2 += -4\ncall bpf_map_lookup_elem#1\nr0 = 0\nexit", -EINVAL, "Unreleased reference id=", 0 },
	{ "sockhash: not looked at whether it is there", CLS, "r1 = map_fd 16\n*(u32 *)(r10 -4) = 0\nr2 = r10\nr2 += -4\ncall bpf_map_lookup_elem#1\nr1 = r0\ncall bpf_sk_release#86\nr0 = 0\nexit", -EACCES, "type=map_value_or_null", 0 },
	{ "sockhash: written", CLS, "r1 = map_fd 16\n*(u32 *)(r10 -4) = 0\nr2 = r10\nr2 += -4\ncall bpf_map_lookup_elem#1\nif r0 == 0x0 goto pc+3\n*(u32 *)(r0 +4) = 1\nr1 = r0\ncall bpf_sk_release#86\nr0 = 0\nexit", -EACCES, NULL, 0 },
	{ "sockhash: read behind its end", CLS, "r1 = map_fd 16\n*(u32 *)(r10 -4) = 0\nr2 = r10\nr2 += -4\ncall bpf_map_lookup_elem#1\nif r0 == 0x0 goto pc+3\nr6 = *(u32 *)(r0 +200)\nr1 = r0\ncall bpf_sk_release#86\nr0 = 0\nexit", -EACCES, NULL, 0 },
	{ "sockhash: used after its release", CLS, "r1 = map_fd 16\n*(u32 *)(r10 -4) = 0\nr2 = r10\nr2 += -4\ncall bpf_map_lookup_elem#1\nif r0 == 0x0 goto pc+4\nr6 = r0\nr1 = r0\ncall bpf_sk_release#86\nr0 = *(u32 *)(r6 +4)\nr0 = 0\nexit", -EACCES, NULL, 0 },
	{ "sockhash: updated with a socket", CLS, "r1 = map_fd 16\n*(u32 *)(r10 -4) = 0\nr2 = r10\nr2 += -4\ncall bpf_map_lookup_elem#1\nif r0 == 0x0 goto pc+10\nr6 = r0\nr1 = map_fd 16\nr2 = r10\nr2 += -4\nr3 = r6\nr4 = 0\ncall bpf_map_update_elem#2\nr1 = r6\ncall bpf_sk_release#86\nr0 = 0\nexit", 0, NULL, 0 },
	{ "sockhash: updated in a cgroup's program", BPF_PROG_TYPE_CGROUP_SKB, "r1 = map_fd 16\n*(u32 *)(r10 -4) = 0\nr2 = r10\nr2 += -4\ncall bpf_map_lookup_elem#1\nif r0 == 0x0 goto pc+10\nr6 = r0\nr1 = map_fd 16\nr2 = r10\nr2 += -4\nr3 = r6\nr4 = 0\ncall bpf_map_update_elem#2\nr1 = r6\ncall bpf_sk_release#86\nr0 = 0\nexit", -EINVAL, "cannot update sockmap in this context", 0 },
	{ "sockhash: updated with a number", CLS, "r1 = map_fd 16\n*(u32 *)(r10 -4) = 0\nr2 = r10\nr2 += -4\n*(u64 *)(r10 -16) = 0\nr3 = r10\nr3 += -16\nr4 = 0\ncall bpf_map_update_elem#2\nr0 = 0\nexit", -EACCES, "R3 type=fp expected=", 0 },
	{ "sockhash: deleted", CLS, "r1 = map_fd 16\n*(u32 *)(r10 -4) = 0\nr2 = r10\nr2 += -4\ncall bpf_map_delete_elem#3\nr0 = 0\nexit", 0, NULL, 0 },
	{ "sockhash: deleted by XDP", BPF_PROG_TYPE_XDP, "r1 = map_fd 16\n*(u32 *)(r10 -4) = 0\nr2 = r10\nr2 += -4\ncall bpf_map_delete_elem#3\nr0 = 0\nexit", 0, NULL, 0 },
	{ "sockhash: deleted by socket operations", SOCK_OPS, "r1 = map_fd 16\n*(u32 *)(r10 -4) = 0\nr2 = r10\nr2 += -4\ncall bpf_map_delete_elem#3\nr0 = 1\nexit", 0, NULL, 0 },
	{ "sockhash: deleted at a tracepoint", BPF_PROG_TYPE_TRACEPOINT, "r1 = map_fd 16\n*(u32 *)(r10 -4) = 0\nr2 = r10\nr2 += -4\ncall bpf_map_delete_elem#3\nr0 = 0\nexit", -EINVAL, "cannot update sockmap in this context", 0 },
	{ "sockhash: looked into at a tracepoint", BPF_PROG_TYPE_TRACEPOINT, "r1 = map_fd 16\n*(u32 *)(r10 -4) = 0\nr2 = r10\nr2 += -4\ncall bpf_map_lookup_elem#1\nr0 = 0\nexit", -EINVAL, NULL, 0 },
	{ "sockhash: walked", CLS, "r1 = map_fd 16\nr2 = 0\nr3 = 0\ncall bpf_map_push_elem#87\nr0 = 0\nexit", -EACCES, NULL, 0 },
	{ "sockhash: a packet redirected", BPF_PROG_TYPE_SK_SKB, "r2 = map_fd 16\nr3 = r10\nr3 += -4\n*(u32 *)(r10 -4) = 0\nr4 = 0\ncall bpf_sk_redirect_hash#72\nexit", 0, NULL, 0 },
	{ "sockhash: a message redirected", SK_MSG, "r2 = map_fd 16\nr3 = r10\nr3 += -4\n*(u32 *)(r10 -4) = 0\nr4 = 0\ncall bpf_msg_redirect_hash#71\nexit", 0, NULL, 0 },
	{ "sockhash: a packet redirected by the wrong map", BPF_PROG_TYPE_SK_SKB, "r2 = map_fd 15\nr3 = r10\nr3 += -4\n*(u32 *)(r10 -4) = 0\nr4 = 0\ncall bpf_sk_redirect_hash#72\nexit", -EINVAL, "cannot pass map_type", 0 },
	{ "sockhash: a connection's socket is put there", SOCK_OPS, "r2 = map_fd 16\nr3 = r10\nr3 += -4\n*(u32 *)(r10 -4) = 0\nr4 = 0\ncall bpf_sock_hash_update#70\nr0 = 1\nexit", 0, NULL, 0 },
	{ "sockhash: chosen for a connection", BPF_PROG_TYPE_SK_REUSEPORT, "r2 = map_fd 16\nr3 = r10\nr3 += -4\n*(u32 *)(r10 -4) = 0\nr4 = 0\ncall bpf_sk_select_reuseport#82\nr0 = 1\nexit", 0, NULL, 0 },
	{ "sockmap: at a known index", CLS, "r1 = map_fd 15\n*(u32 *)(r10 -4) = 0\nr2 = r10\nr2 += -4\ncall bpf_map_lookup_elem#1\nr1 = r0\ncall bpf_sk_release#86\nr0 = 0\nexit", -EACCES, NULL, 0 },
	{ 0 }
};
