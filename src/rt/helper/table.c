/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The helpers that the data plane has, by number (enum bpf_func_id). bpf_tail_call (12) is not
 * among them: it does not return, so the engines do it themselves.
 */
#include "rt/helper/families.h"

#define ROW(name) [BPF_FUNC_##name] = rt_helper_##name

const rt_helper_fn rt_helpers[RT_HELPER_MAX] = {
	ROW(map_lookup_elem),
	ROW(map_update_elem),
	ROW(map_delete_elem),
	ROW(map_push_elem),
	ROW(map_pop_elem),
	ROW(map_peek_elem),
	ROW(map_lookup_percpu_elem),
	ROW(probe_read),
	ROW(probe_read_str),
	ROW(probe_read_user),
	ROW(probe_read_user_str),
	ROW(probe_read_kernel),
	ROW(probe_read_kernel_str),
	ROW(ktime_get_ns),
	ROW(ktime_get_boot_ns),
	ROW(ktime_get_coarse_ns),
	ROW(ktime_get_tai_ns),
	ROW(get_current_pid_tgid),
	ROW(get_current_uid_gid),
	ROW(get_current_comm),
	ROW(get_attach_cookie),
	ROW(get_smp_processor_id),
	ROW(get_numa_node_id),
	ROW(get_prandom_u32),
	ROW(trace_printk),
	ROW(trace_vprintk),
	ROW(snprintf),
	ROW(perf_event_output),
	ROW(ringbuf_output),
	ROW(ringbuf_reserve),
	ROW(ringbuf_submit),
	ROW(ringbuf_discard),
	ROW(ringbuf_query),
	ROW(loop),
	ROW(for_each_map_elem),
	ROW(strtol),
	ROW(strtoul),
	ROW(strncmp),
	ROW(skb_load_bytes),
	ROW(skb_load_bytes_relative),
	ROW(csum_diff),
	ROW(xdp_adjust_head),
	ROW(xdp_adjust_meta),
	ROW(xdp_adjust_tail),
	ROW(xdp_get_buff_len),
	ROW(xdp_load_bytes),
	ROW(xdp_store_bytes),
	ROW(redirect),
};
