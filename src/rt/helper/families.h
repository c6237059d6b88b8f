/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The helper functions, one family a file; table.c gives them their numbers. RT_HELPER declares or
 * defines one: arguments are r1 … r5 and vcpu. What the verifier checked (pointers, sizes, map
 * types) is not checked again; values from shared memory are.
 */
#ifndef SKEP_RT_HELPER_FAMILIES_H
#define SKEP_RT_HELPER_FAMILIES_H

#include <linux/bpf.h>
#include <linux/errno.h>
#include "rt/helper.h"
#include "rt/vcpu.h"

#define RT_HELPER(name) \
	u64 rt_helper_##name(u64 r1, u64 r2, u64 r3, u64 r4, u64 r5, struct rt_vcpu *vcpu)

/* map.c */
RT_HELPER(map_lookup_elem);
RT_HELPER(map_update_elem);
RT_HELPER(map_delete_elem);
RT_HELPER(map_push_elem);
RT_HELPER(map_pop_elem);
RT_HELPER(map_peek_elem);
RT_HELPER(map_lookup_percpu_elem);

/* read.c */
RT_HELPER(probe_read);
RT_HELPER(probe_read_str);
RT_HELPER(probe_read_user);
RT_HELPER(probe_read_user_str);
RT_HELPER(probe_read_kernel);
RT_HELPER(probe_read_kernel_str);
RT_HELPER(copy_from_user);

/* service.c */
RT_HELPER(sys_bpf);
RT_HELPER(sys_close);
RT_HELPER(btf_find_by_name_kind);
RT_HELPER(kallsyms_lookup_name);

/* time.c */
RT_HELPER(ktime_get_ns);
RT_HELPER(ktime_get_boot_ns);
RT_HELPER(ktime_get_coarse_ns);
RT_HELPER(ktime_get_tai_ns);

/* task.c */
RT_HELPER(get_current_pid_tgid);
RT_HELPER(get_current_uid_gid);
RT_HELPER(get_current_comm);
RT_HELPER(get_attach_cookie);
RT_HELPER(get_smp_processor_id);
RT_HELPER(get_numa_node_id);
RT_HELPER(get_prandom_u32);

/* print.c */
RT_HELPER(trace_printk);
RT_HELPER(trace_vprintk);
RT_HELPER(snprintf);

/* output.c */
RT_HELPER(perf_event_output);
RT_HELPER(ringbuf_output);
RT_HELPER(ringbuf_reserve);
RT_HELPER(ringbuf_submit);
RT_HELPER(ringbuf_discard);
RT_HELPER(ringbuf_query);

/* loop.c */
RT_HELPER(loop);
RT_HELPER(for_each_map_elem);

/* stack.c */
RT_HELPER(get_stackid);
RT_HELPER(get_stack);

/* string.c */
RT_HELPER(strtol);
RT_HELPER(strtoul);
RT_HELPER(strncmp);

/* skb.c */
RT_HELPER(skb_load_bytes);
RT_HELPER(skb_load_bytes_relative);
RT_HELPER(csum_diff);

/* xdp.c */
RT_HELPER(xdp_adjust_head);
RT_HELPER(xdp_adjust_meta);
RT_HELPER(xdp_adjust_tail);
RT_HELPER(xdp_get_buff_len);
RT_HELPER(xdp_load_bytes);
RT_HELPER(xdp_store_bytes);
RT_HELPER(redirect);

#endif
