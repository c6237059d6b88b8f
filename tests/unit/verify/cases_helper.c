/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cases: helper calls and their arguments.
 */
#include "case.h"

#include <errno.h>

#define SOCKET	   BPF_PROG_TYPE_SOCKET_FILTER
#define KPROBE	   BPF_PROG_TYPE_KPROBE
#define TRACEPOINT BPF_PROG_TYPE_TRACEPOINT
#define XDP	   BPF_PROG_TYPE_XDP
#define PERF	   BPF_PROG_TYPE_PERF_EVENT
#define RAW_TP	   BPF_PROG_TYPE_RAW_TRACEPOINT

/* clang-format off */
const struct verify_case cases_helper[] = {
	{ "results", TRACEPOINT, "call bpf_get_current_pid_tgid#14\nr6 = r0\ncall bpf_ktime_get_ns#5\ncall bpf_get_smp_processor_id#8\nr0 += r6\nexit", 0, NULL, 0 },
	{ "caller saved registers", TRACEPOINT, "r6 = r1\ncall bpf_ktime_get_ns#5\nr0 = r1\nexit", -EACCES, "R1 !read_ok", 0 },
	{ "not for this type", XDP, "call bpf_probe_read#4\nr0 = 0\nexit", -EINVAL, "unknown func bpf_probe_read#4", CASE_OWN_LOG },
	{ "GPL only", TRACEPOINT, "*(u64 *)(r10 -8) = 0\nr1 = r10\nr1 += -8\nr2 = 8\ncall bpf_trace_printk#6\nr0 = 0\nexit", -EINVAL, "cannot call GPL-restricted function from non-GPL compatible program", CASE_NOT_GPL },
	{ "printk", TRACEPOINT, "*(u64 *)(r10 -8) = 0\nr1 = r10\nr1 += -8\nr2 = 8\ncall bpf_trace_printk#6\nr0 = 0\nexit", 0, NULL, 0 },
	{ "printk of uninitialised", TRACEPOINT, "r1 = r10\nr1 += -8\nr2 = 8\ncall bpf_trace_printk#6\nr0 = 0\nexit", 0, NULL, 0 },
	{ "printk beyond the stack", TRACEPOINT, "r1 = r10\nr1 += -8\nr2 = 9\ncall bpf_trace_printk#6\nr0 = 0\nexit", -EINVAL, "invalid read from stack R1 off=-8 size=9", 0 },
	{ "printk of size zero", TRACEPOINT, "r1 = r10\nr1 += -8\nr2 = 0\ncall bpf_trace_printk#6\nr0 = 0\nexit", -EACCES, "R2 invalid zero-sized read: u64=[0,0]", 0 },
	{ "printk of a number", TRACEPOINT, "r1 = 8\nr2 = 8\ncall bpf_trace_printk#6\nr0 = 0\nexit", -EACCES, "R1 type=scalar expected=fp", 0 },
	{ "printk of the context", TRACEPOINT, "r2 = 8\ncall bpf_trace_printk#6\nr0 = 0\nexit", -EACCES, "R1 type=ctx expected=fp", 0 },
	{ "size not set", TRACEPOINT, "r1 = r10\nr1 += -8\ncall bpf_trace_printk#6\nr0 = 0\nexit", -EACCES, "R2 !read_ok", 0 },
	{ "size is a pointer", TRACEPOINT, "r2 = r10\nr1 = r10\nr1 += -8\ncall bpf_trace_printk#6\nr0 = 0\nexit", -EACCES, "R2 type=fp expected=scalar", 0 },
	{ "negative size", TRACEPOINT, "r2 = -1\nr1 = r10\nr1 += -8\ncall bpf_trace_printk#6\nr0 = 0\nexit", -EACCES, "R2 min value is negative, either use unsigned or 'var &= const'", 0 },
	{ "unbounded size", KPROBE, "r2 = *(u64 *)(r1 +8)\nr2 >>= 1\nr1 = r10\nr1 += -8\nr3 = 0\ncall bpf_probe_read_user#112\nr0 = 0\nexit", -EACCES, "R2 unbounded memory access, use 'var &= const' or 'if (var < const)'", 0 },
	{ "bounded size", KPROBE, "r2 = *(u64 *)(r1 +8)\nr2 &= 15\nr1 = r10\nr1 += -16\nr3 = 0\ncall bpf_probe_read_user#112\nr0 = *(u64 *)(r10 -16)\nexit", 0, NULL, 0 },
	{ "bounded size too large", KPROBE, "r2 = *(u64 *)(r1 +8)\nr2 &= 31\nr1 = r10\nr1 += -16\nr3 = 0\ncall bpf_probe_read_user#112\nr0 = *(u64 *)(r10 -16)\nexit", -EINVAL, NULL, 0 },
	{ "filled stack", KPROBE, "r1 = r10\nr1 += -24\nr2 = 20\nr3 = 0\ncall bpf_probe_read_kernel#113\nr0 = *(u64 *)(r10 -16)\nexit", 0, NULL, 0 },
	{ "read of size zero", KPROBE, "r1 = r10\nr1 += -24\nr2 = 0\nr3 = 0\ncall bpf_probe_read_kernel#113\nr0 = 0\nexit", 0, NULL, 0 },
	{ "read of size zero into null", KPROBE, "r1 = 0\nr2 = 0\nr3 = 0\ncall bpf_probe_read_kernel#113\nr0 = 0\nexit", -EACCES, NULL, 0 },
	{ "string length", KPROBE, "r1 = r10\nr1 += -16\nr2 = 16\nr3 = 0\ncall bpf_probe_read_user_str#114\nif r0 s<= 0x0 goto pc+2\nr1 = r10\nr1 += r0\nr0 = 0\nexit", 0, "smin=smin32=-4095", 0 },
	{ "comm", TRACEPOINT, "r1 = r10\nr1 += -16\nr2 = 16\ncall bpf_get_current_comm#16\nr0 = *(u8 *)(r10 -16)\nexit", 0, NULL, 0 },
	{ "comm into a value", TRACEPOINT, "r1 = map_value 7 + 0\nr2 = 65\ncall bpf_get_current_comm#16\nr0 = 0\nexit", -EACCES, "invalid access to map value, value_size=64 off=0 size=65", 0 },
	{ "comm into a read-only value", TRACEPOINT, "r1 = map_value 8 + 0\nr2 = 8\ncall bpf_get_current_comm#16\nr0 = 0\nexit", -EACCES, "write into map forbidden, value_size=8 off=0 size=8", 0 },
	{ "map missing", TRACEPOINT, "r1 = 0\nr2 = r10\nr2 += -4\ncall bpf_map_lookup_elem#1\nr0 = 0\nexit", -EACCES, "R1 type=scalar expected=map_ptr", 0 },
	{ "key uninitialised", TRACEPOINT, "r1 = map_fd 0\nr2 = r10\nr2 += -4\ncall bpf_map_lookup_elem#1\nr0 = 0\nexit", 0, NULL, 0 },
	{ "key at the top", TRACEPOINT, "r1 = map_fd 0\nr2 = r10\nr2 += -2\ncall bpf_map_lookup_elem#1\nr0 = 0\nexit", -EINVAL, "invalid read from stack R2 off=-2 size=4", 0 },
	{ "key is a context", TRACEPOINT, "r2 = r1\nr1 = map_fd 0\ncall bpf_map_lookup_elem#1\nr0 = 0\nexit", -EACCES, "R2 type=ctx expected=fp, pkt, pkt_meta, map_key, map_value", 0 },
	{ "value from the packet", XDP, "r2 = *(u32 *)(r1 +0)\nr3 = *(u32 *)(r1 +4)\nr4 = r2\nr4 += 12\nr0 = 2\nif r4 > r3 goto pc+6\nr3 = r2\nr3 += 4\nr1 = map_fd 0\nr4 = 0\ncall bpf_map_update_elem#2\nr0 = 2\nexit", 0, NULL, 0 },
	{ "printk of the packet", XDP, "r2 = *(u32 *)(r1 +0)\nr3 = *(u32 *)(r1 +4)\nr4 = r2\nr4 += 12\nr0 = 2\nif r4 > r3 goto pc+4\nr1 = r2\nr2 = 4\ncall bpf_trace_printk#6\nr0 = 2\nexit", -EACCES, "helper access to the packet is not allowed", 0 },
	{ "update", TRACEPOINT, "*(u32 *)(r10 -4) = 1\n*(u64 *)(r10 -16) = 2\nr1 = map_fd 0\nr2 = r10\nr2 += -4\nr3 = r10\nr3 += -16\nr4 = 0\ncall bpf_map_update_elem#2\nr0 = *(u64 *)(r10 -16)\nexit", 0, NULL, 0 },
	{ "update of a read-only map", TRACEPOINT, "*(u32 *)(r10 -4) = 0\n*(u64 *)(r10 -16) = 2\nr1 = map_fd 8\nr2 = r10\nr2 += -4\nr3 = r10\nr3 += -16\nr4 = 0\ncall bpf_map_update_elem#2\nr0 = 0\nexit", -EACCES, "write into map forbidden", 0 },
	{ "delete", TRACEPOINT, "*(u32 *)(r10 -4) = 1\nr1 = map_fd 0\nr2 = r10\nr2 += -4\ncall bpf_map_delete_elem#3\nr0 = 0\nexit", 0, NULL, 0 },
	{ "lookup in a ring buffer", TRACEPOINT, "*(u32 *)(r10 -4) = 1\nr1 = map_fd 2\nr2 = r10\nr2 += -4\ncall bpf_map_lookup_elem#1\nr0 = 0\nexit", -EACCES, NULL, 0 },
	{ "lookup in a perf array", TRACEPOINT, "*(u32 *)(r10 -4) = 1\nr1 = map_fd 3\nr2 = r10\nr2 += -4\ncall bpf_map_lookup_elem#1\nr0 = 0\nexit", -EINVAL, "cannot pass map_type 4 into func bpf_map_lookup_elem#1", 0 },
	{ "tail call into a hash", TRACEPOINT, "r2 = map_fd 0\nr3 = 0\ncall bpf_tail_call#12\nr0 = 0\nexit", -EINVAL, "expected prog array map for tail call", 0 },
	{ "tail call", TRACEPOINT, "r2 = map_fd 4\nr3 = 1\ncall bpf_tail_call#12\nr0 = 0\nexit", 0, NULL, 0 },
	{ "tail call by unknown index", TRACEPOINT, "r3 = *(u64 *)(r1 +8)\nr2 = map_fd 4\ncall bpf_tail_call#12\nr0 = 0\nexit", 0, NULL, 0 },
	{ "tail call without context", TRACEPOINT, "r1 = r10\nr2 = map_fd 4\nr3 = 1\ncall bpf_tail_call#12\nr0 = 0\nexit", -EACCES, "R1 type=fp expected=ctx", 0 },
	{ "perf event", TRACEPOINT, "*(u64 *)(r10 -8) = 1\nr2 = map_fd 3\nr3 = 0xffffffff\nr4 = r10\nr4 += -8\nr5 = 8\ncall bpf_perf_event_output#25\nr0 = 0\nexit", 0, NULL, 0 },
	{ "perf event into a ring buffer", TRACEPOINT, "*(u64 *)(r10 -8) = 1\nr2 = map_fd 2\nr3 = 0xffffffff\nr4 = r10\nr4 += -8\nr5 = 8\ncall bpf_perf_event_output#25\nr0 = 0\nexit", -EINVAL, "cannot pass map_type 27 into func bpf_perf_event_output#25", 0 },
	{ "modified context", TRACEPOINT, "r1 += 8\n*(u64 *)(r10 -8) = 1\nr2 = map_fd 3\nr3 = 0\nr4 = r10\nr4 += -8\nr5 = 8\ncall bpf_perf_event_output#25\nr0 = 0\nexit", -EACCES, "dereference of modified ctx ptr R1 off=8 disallowed", 0 },
	{ "ring buffer output", TRACEPOINT, "*(u64 *)(r10 -8) = 1\nr1 = map_fd 2\nr2 = r10\nr2 += -8\nr3 = 8\nr4 = 0\ncall bpf_ringbuf_output#130\nr0 = 0\nexit", 0, NULL, 0 },
	{ "ring buffer query", TRACEPOINT, "r1 = map_fd 2\nr2 = 0\ncall bpf_ringbuf_query#134\nr0 = 0\nexit", 0, NULL, 0 },
	/* We make a null pointer precise where 6.18 forgets to: other values must not be pruned by it. */
	{ "snprintf", TRACEPOINT, "r1 = r10\nr1 += -16\nr2 = 16\nr3 = map_value 6 + 0\nr4 = r10\nr4 += -24\n*(u64 *)(r10 -24) = 7\nr5 = 8\ncall bpf_snprintf#165\nr0 = 0\nexit", 0, NULL, CASE_OWN_LOG },
	{ "snprintf with too few arguments", TRACEPOINT, "r1 = r10\nr1 += -16\nr2 = 16\nr3 = map_value 6 + 0\nr4 = 0\nr5 = 0\ncall bpf_snprintf#165\nr0 = 0\nexit", -EINVAL, "Invalid format string", 0 },
	{ "snprintf format from the stack", TRACEPOINT, "*(u64 *)(r10 -8) = 0\nr1 = r10\nr1 += -16\nr2 = 8\nr3 = r10\nr3 += -8\nr4 = 0\nr5 = 0\ncall bpf_snprintf#165\nr0 = 0\nexit", -EACCES, "R3 type=fp expected=map_value", 0 },
	{ "snprintf format that may change", TRACEPOINT, "r1 = r10\nr1 += -16\nr2 = 8\nr3 = map_value 7 + 0\nr4 = 0\nr5 = 0\ncall bpf_snprintf#165\nr0 = 0\nexit", -EACCES, "R3 does not point to a readonly map'", 0 },
	{ "snprintf format without end", TRACEPOINT, "r1 = r10\nr1 += -16\nr2 = 8\nr3 = map_value 6 + 12\nr4 = 0\nr5 = 0\ncall bpf_snprintf#165\nr0 = 0\nexit", 0, NULL, CASE_OWN_LOG },
	{ "vprintk", TRACEPOINT, "*(u64 *)(r10 -8) = 0\nr1 = r10\nr1 += -8\nr2 = 8\nr3 = 0\nr4 = 0\ncall bpf_trace_vprintk#177\nr0 = 0\nexit", 0, NULL, 0 },
	{ "helper overwrites a spill", KPROBE, "*(u64 *)(r10 -8) = r1\nr1 = r10\nr1 += -8\nr2 = 4\nr3 = 0\ncall bpf_probe_read_kernel#113\nr0 = *(u64 *)(r10 -8)\nexit", 0, NULL, 0 },
	{ "helper with a record", KPROBE, "r1 = map_fd 2\nr2 = 16\nr3 = 0\ncall bpf_ringbuf_reserve#131\nif r0 == 0x0 goto pc+8\nr6 = r0\nr1 = r0\nr2 = 16\nr3 = 0\ncall bpf_probe_read_kernel#113\nr1 = r6\nr2 = 0\ncall bpf_ringbuf_submit#132\nr0 = 0\nexit", 0, NULL, 0 },
	{ "memory that may be null", SOCKET, "*(u32 *)(r10 -4) = 0\nr2 = r10\nr2 += -4\nr1 = map_fd 0\ncall bpf_map_lookup_elem#1\nr3 = 8\nr4 = r0\nr1 = r10\nr1 += -16\n*(u64 *)(r10 -16) = 0\nr2 = 8\nr5 = 8\nr3 = r4\nr4 = 8\ncall bpf_trace_vprintk#177\nr0 = 0\nexit", -EACCES, "R3 may be null while R4 says that there is memory", CASE_OURS },
	{ "memory that may be null, of size zero", SOCKET, "*(u32 *)(r10 -4) = 0\nr2 = r10\nr2 += -4\nr1 = map_fd 0\ncall bpf_map_lookup_elem#1\nr3 = r0\nr1 = r10\nr1 += -16\n*(u64 *)(r10 -16) = 0\nr2 = 8\nr4 = 0\ncall bpf_trace_vprintk#177\nr0 = 0\nexit", 0, NULL, 0 },
	{ "counter of an event", RAW_TP, "r1 = map_fd 3\nr2 = 0xffffffff\nr3 = r10\nr3 += -24\nr4 = 24\ncall bpf_perf_event_read_value#55\nr0 = *(u64 *)(r10 -24)\nexit", 0, NULL, 0 },
	{ "counter of a hash", RAW_TP, "r1 = map_fd 0\nr2 = 0\ncall bpf_perf_event_read#22\nr0 = 0\nexit", -EINVAL, "cannot pass map_type 1 into func bpf_perf_event_read#22", 0 },
	{ "counter for a licence of its own", RAW_TP, "r1 = map_fd 3\nr2 = 0\ncall bpf_perf_event_read#22\nr0 = 0\nexit", -EINVAL, "cannot call GPL-restricted function", CASE_NOT_GPL },
	{ "counter of the program's event", PERF, "r2 = r10\nr2 += -24\nr3 = 24\ncall bpf_perf_prog_read_value#56\nr0 = *(u64 *)(r10 -8)\nexit", 0, NULL, 0 },
	{ "branch records", PERF, "r2 = r10\nr2 += -24\n*(u64 *)(r10 -24) = 0\n*(u64 *)(r10 -16) = 0\n*(u64 *)(r10 -8) = 0\nr3 = 24\nr4 = 0\ncall bpf_read_branch_records#119\nr0 = 0\nexit", 0, NULL, 0 },
	{ "size of the branch records", PERF, "r2 = 0\nr3 = 0\nr4 = 1\ncall bpf_read_branch_records#119\nr0 = 0\nexit", 0, NULL, 0 },
	{ "branches of the past", RAW_TP, "r1 = r10\nr1 += -48\nr2 = 48\nr3 = 0\ncall bpf_get_branch_snapshot#176\nr0 = *(u64 *)(r10 -48)\nexit", 0, NULL, 0 },
	{ "segment routing on a number", BPF_PROG_TYPE_LWT_SEG6LOCAL, "r2 = 0\nr3 = 1\nr4 = 4\ncall bpf_lwt_seg6_store_bytes#74\nr0 = 0\nexit", -EACCES, NULL, 0 },
	{ "segment routing", BPF_PROG_TYPE_LWT_SEG6LOCAL, "r6 = r1\n*(u64 *)(r10 -8) = 0\nr2 = 0\nr3 = r10\nr3 += -8\nr4 = 4\ncall bpf_lwt_seg6_store_bytes#74\nr1 = r6\nr2 = 0\nr3 = 8\ncall bpf_lwt_seg6_adjust_srh#75\nr1 = r6\nr2 = 3\nr3 = r10\nr3 += -8\nr4 = 4\ncall bpf_lwt_seg6_action#76\nr0 = 0\nexit", 0, NULL, 0 },
	{ "the kernel's packet into a perf event", BPF_PROG_TYPE_TRACING, "r1 = *(u64 *)(r1 +0)\n*(u64 *)(r10 -8) = 0\nr2 = map_fd 3\nr3 = 0\nr4 = r10\nr4 += -8\nr5 = 8\ncall bpf_skb_output#111\nr0 = 0\nexit", 0, NULL, CASE_OWN_LOG, "kfree_skb" },
	{ "another structure into a perf event", BPF_PROG_TYPE_TRACING, "r1 = *(u64 *)(r1 +0)\n*(u64 *)(r10 -8) = 0\nr2 = map_fd 3\nr3 = 0\nr4 = r10\nr4 += -8\nr5 = 8\ncall bpf_xdp_output#121\nr0 = 0\nexit", -EACCES, "R1 is of type sk_buff but xdp_buff is expected", 0, "kfree_skb" },
	{ "cookie of a socket", BPF_PROG_TYPE_TRACING, "r2 = *(u64 *)(r1 +0)\nr1 = *(u64 *)(r2 +{sk_buff.sk})\nif r1 == 0x0 goto pc+1\ncall bpf_get_socket_cookie#46\nr0 = 0\nexit", -EACCES, "R1 type=rcu_ptr_ expected=sock_common", 0, "kfree_skb" },
	{ "cookie of null", BPF_PROG_TYPE_TRACING, "r1 = 0\ncall bpf_get_socket_cookie#46\nr0 = 0\nexit", 0, NULL, 0, "kfree_skb" },
	{ "cookie of a packet", BPF_PROG_TYPE_TRACING, "r1 = *(u64 *)(r1 +0)\ncall bpf_get_socket_cookie#46\nr0 = 0\nexit", -EACCES, "R1 is of type sk_buff but sock_common is expected", CASE_OWN_LOG, "kfree_skb" },
	{ "length of the kernel's frame", BPF_PROG_TYPE_TRACING, "r1 = *(u64 *)(r1 +0)\ncall bpf_xdp_get_buff_len#188\nr0 = 0\nexit", -EACCES, "R1 is of type sk_buff but xdp_buff is expected", 0, "kfree_skb" },
	{ "path in a tracepoint", BPF_PROG_TYPE_TRACING, "r1 = *(u64 *)(r1 +0)\nr2 = r10\nr2 += -8\nr3 = 8\ncall bpf_d_path#147\nr0 = 0\nexit", -EINVAL, "helper call is not allowed in probe", 0, "kfree_skb" },
	{ "cookie in an iterator", BPF_PROG_TYPE_TRACING, "call bpf_get_attach_cookie#174\nr0 = 0\nexit", -EINVAL, "unknown func bpf_get_attach_cookie#174", CASE_OWN_LOG, "iter/task" },
	{ "registers of the task", RAW_TP, "call bpf_get_current_task_btf#158\nr1 = r0\ncall bpf_task_pt_regs#175\nr0 = *(u64 *)(r0 +{pt_regs.ip})\nexit", 0, NULL, 0 },
	{ "registers of a number", RAW_TP, "r1 = 0\ncall bpf_task_pt_regs#175\nr0 = 0\nexit", -EACCES, "R1 type=scalar expected=ptr_", 0 },
	{ "registers are written", RAW_TP, "call bpf_get_current_task_btf#158\nr1 = r0\ncall bpf_task_pt_regs#175\n*(u64 *)(r0 +{pt_regs.ip}) = 1\nr0 = 0\nexit", -EACCES, "only read is supported", 0 },
	{ "socket of a file", BPF_PROG_TYPE_TRACING, "r1 = *(u64 *)(r1 +24)\nr0 = 0\nif r1 == 0x0 goto pc+4\ncall bpf_sock_from_file#162\nif r0 == 0x0 goto pc+1\nr1 = *(u64 *)(r0 +{socket.sk})\nr0 = 0\nexit", 0, NULL, 0, "iter/task_file" },
	{ "socket that may be none", BPF_PROG_TYPE_TRACING, "r1 = *(u64 *)(r1 +24)\nr0 = 0\nif r1 == 0x0 goto pc+3\ncall bpf_sock_from_file#162\nr1 = *(u64 *)(r0 +{socket.sk})\nr0 = 0\nexit", -EACCES, "R0 invalid mem access 'ptr_or_null_'", 0, "iter/task_file" },
	{ "value in words", RAW_TP, "*(u64 *)(r10 -16) = 0\n*(u64 *)(r10 -8) = 0\nr1 = r10\nr1 += -80\nr2 = 64\nr3 = r10\nr3 += -16\nr4 = 16\nr5 = 0\ncall bpf_snprintf_btf#149\nr0 = *(u8 *)(r10 -80)\nexit", 0, NULL, 0 },
	{ "words for no room", RAW_TP, "*(u64 *)(r10 -16) = 0\n*(u64 *)(r10 -8) = 0\nr1 = r10\nr1 += -80\nr2 = 0\nr3 = r10\nr3 += -16\nr4 = 16\nr5 = 0\ncall bpf_snprintf_btf#149\nr0 = 0\nexit", -EACCES, "R2 invalid zero-sized read", 0 },
	{ "words into a map that programs only read", RAW_TP, "*(u64 *)(r10 -16) = 0\n*(u64 *)(r10 -8) = 0\nr1 = map_value 8 + 0\nr2 = 8\nr3 = r10\nr3 += -16\nr4 = 16\nr5 = 0\ncall bpf_snprintf_btf#149\nr0 = 0\nexit", -EACCES, "write into map forbidden", CASE_OURS },
	{ "words for an iterator", BPF_PROG_TYPE_TRACING, "r1 = *(u64 *)(r1 +0)\nr1 = *(u64 *)(r1 +0)\n*(u64 *)(r10 -16) = 0\n*(u64 *)(r10 -8) = 0\nr2 = r10\nr2 += -16\nr3 = 16\nr4 = 0\ncall bpf_seq_printf_btf#150\nr0 = 0\nexit", 0, NULL, 0, "iter/task" },
	{ "words of an iterator's for others", RAW_TP, "call bpf_seq_printf_btf#150\nr0 = 0\nexit", -EINVAL, "unknown func bpf_seq_printf_btf#150", CASE_OWN_LOG },
	{ 0 }
};
