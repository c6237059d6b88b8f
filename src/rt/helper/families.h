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
RT_HELPER(get_local_storage);
RT_HELPER(redirect_map);
RT_HELPER(msg_pull_data);
RT_HELPER(msg_push_data);
RT_HELPER(msg_pop_data);
RT_HELPER(sysctl_get_name);
RT_HELPER(sysctl_get_current_value);
RT_HELPER(sysctl_get_new_value);
RT_HELPER(sysctl_set_new_value);
RT_HELPER(load_hdr_opt);
RT_HELPER(store_hdr_opt);
RT_HELPER(reserve_hdr_opt);
RT_HELPER(tcp_raw_gen_syncookie_ipv4);
RT_HELPER(tcp_raw_gen_syncookie_ipv6);
RT_HELPER(tcp_raw_check_syncookie_ipv4);
RT_HELPER(tcp_raw_check_syncookie_ipv6);
RT_HELPER(lwt_push_encap);
RT_HELPER(lwt_seg6_change);
RT_HELPER(lwt_seg6_action);
RT_HELPER(sk_redirect_map);
RT_HELPER(sk_redirect_hash);
RT_HELPER(msg_redirect_map);
RT_HELPER(msg_redirect_hash);
RT_HELPER(sock_map_update);
RT_HELPER(current_task_under_cgroup);
RT_HELPER(skb_under_cgroup);

/* storage.c */
RT_HELPER(task_storage_get);
RT_HELPER(task_storage_delete);
RT_HELPER(sk_storage_get);
RT_HELPER(sk_storage_delete);
RT_HELPER(cgrp_storage_get);
RT_HELPER(cgrp_storage_delete);
RT_HELPER(object_storage_get);
RT_HELPER(object_storage_delete);

/* read.c */
RT_HELPER(probe_read);
RT_HELPER(probe_read_str);
RT_HELPER(probe_read_user);
RT_HELPER(probe_read_user_str);
RT_HELPER(probe_read_kernel);
RT_HELPER(probe_read_kernel_str);
RT_HELPER(copy_from_user);

/* process.c */
RT_HELPER(get_current_cgroup_id);
RT_HELPER(get_current_ancestor_cgroup_id);
RT_HELPER(get_ns_current_pid_tgid);
RT_HELPER(send_signal);
RT_HELPER(send_signal_thread);

/* trampoline.c */
RT_HELPER(get_func_arg);
RT_HELPER(get_func_ret);
RT_HELPER(get_func_arg_cnt);
RT_HELPER(get_func_ip);

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
RT_HELPER(jiffies64);

/* task.c */
RT_HELPER(get_current_pid_tgid);
RT_HELPER(get_current_uid_gid);
RT_HELPER(get_current_comm);
RT_HELPER(get_current_task);
RT_HELPER(get_current_task_btf);
RT_HELPER(get_attach_cookie);
RT_HELPER(task_pt_regs);
RT_HELPER(get_smp_processor_id);
RT_HELPER(get_numa_node_id);
RT_HELPER(get_prandom_u32);

/* print.c */
RT_HELPER(trace_printk);
RT_HELPER(trace_vprintk);
RT_HELPER(snprintf);

/* show.c */
RT_HELPER(snprintf_btf);
RT_HELPER(seq_printf_btf);

/* seq.c */
RT_HELPER(seq_printf);
RT_HELPER(seq_write);
RT_HELPER(d_path);
RT_HELPER(no_ima);
RT_HELPER(sock_from_file);
RT_HELPER(copy_from_user_task);

/* output.c */
RT_HELPER(perf_event_output);
RT_HELPER(kernel_packet_output);
RT_HELPER(ringbuf_output);
RT_HELPER(ringbuf_reserve);
RT_HELPER(ringbuf_submit);
RT_HELPER(ringbuf_discard);
RT_HELPER(ringbuf_query);
RT_HELPER(user_ringbuf_drain);

/* perf.c */
RT_HELPER(perf_event_read);
RT_HELPER(perf_event_read_value);
RT_HELPER(perf_prog_read_value);
RT_HELPER(read_branch_records);
RT_HELPER(get_branch_snapshot);

/* dynptr.c */
RT_HELPER(dynptr_from_mem);
RT_HELPER(ringbuf_reserve_dynptr);
RT_HELPER(ringbuf_submit_dynptr);
RT_HELPER(ringbuf_discard_dynptr);
RT_HELPER(dynptr_read);
RT_HELPER(dynptr_write);
RT_HELPER(dynptr_data);

/* lock.c */
RT_HELPER(kptr_xchg);
RT_HELPER(per_cpu_ptr);
RT_HELPER(this_cpu_ptr);
RT_HELPER(spin_lock);
RT_HELPER(spin_unlock);

/* timer.c */
RT_HELPER(timer_init);
RT_HELPER(timer_set_callback);
RT_HELPER(timer_start);
RT_HELPER(timer_cancel);

/* loop.c */
RT_HELPER(loop);
RT_HELPER(find_vma);
RT_HELPER(for_each_map_elem);

/* stack.c */
RT_HELPER(get_stackid);
RT_HELPER(get_stack);
RT_HELPER(get_task_stack);

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

/* skb_store.c */
RT_HELPER(skb_store_bytes);
RT_HELPER(l3_csum_replace);
RT_HELPER(l4_csum_replace);
RT_HELPER(csum_update);
RT_HELPER(csum_level);
RT_HELPER(skb_ecn_set_ce);

/* skb_room.c */
RT_HELPER(skb_pull_data);
RT_HELPER(skb_change_head);
RT_HELPER(skb_change_tail);
RT_HELPER(skb_change_proto);
RT_HELPER(skb_change_type);
RT_HELPER(skb_adjust_room);
RT_HELPER(skb_vlan_push);
RT_HELPER(skb_vlan_pop);

/* skb_meta.c */
RT_HELPER(get_hash_recalc);
RT_HELPER(set_hash_invalid);
RT_HELPER(set_hash);
RT_HELPER(skb_set_tstamp);
RT_HELPER(get_route_realm);
RT_HELPER(get_cgroup_classid);
RT_HELPER(skb_cgroup_classid);
RT_HELPER(skb_get_xfrm_state);
RT_HELPER(skb_get_tunnel_key);
RT_HELPER(skb_set_tunnel_key);
RT_HELPER(skb_get_tunnel_opt);
RT_HELPER(skb_set_tunnel_opt);

/* socket.c */
RT_HELPER(get_socket_cookie);
RT_HELPER(get_netns_cookie);
RT_HELPER(get_socket_uid);
RT_HELPER(skb_cgroup_id);
RT_HELPER(skb_ancestor_cgroup_id);
RT_HELPER(sk_cgroup_id);
RT_HELPER(sk_ancestor_cgroup_id);
RT_HELPER(sk_lookup);
RT_HELPER(sk_release);
RT_HELPER(sk_fullsock);
RT_HELPER(sk_of_a_kind);
RT_HELPER(tcp_syncookie);
RT_HELPER(sk_assign);
RT_HELPER(sock_ops_cb_flags_set);
RT_HELPER(get_retval);
RT_HELPER(set_retval);
RT_HELPER(setsockopt);
RT_HELPER(getsockopt);
RT_HELPER(bind);
RT_HELPER(tcp_send_ack);
RT_HELPER(sk_select_reuseport);
RT_HELPER(msg_bytes);

/* device.c */
RT_HELPER(redirect);
RT_HELPER(redirect_peer);
RT_HELPER(redirect_neigh);
RT_HELPER(clone_redirect);
RT_HELPER(fib_lookup);
RT_HELPER(check_mtu);

#endif
