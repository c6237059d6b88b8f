/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names as dumps of a running 6.18 kernel show them: helpers by number, then functions of maps and
 * those that stand for a helper in some program types, then kernel functions.
 */
#include "abi/ksym.h"

#include <stdio.h>
#include <string.h>

#include "abi/helper_table.h"
#include "abi/kfunc.h"

#define DISTANCE  0x1000 /* of the first from the base: beyond the helpers' numbers */
#define STEP	  16
#define KFUNCS_AT 1024

static const char *const others[] = {
	"__bpf_call_base",
	"jiffies",
	"pcpu_hot",
	"arch_bpf_timed_may_goto",
	"__htab_map_lookup_elem",
	"htab_map_lookup_elem",
	"htab_map_update_elem",
	"htab_map_delete_elem",
	"htab_lru_map_update_elem",
	"htab_lru_map_delete_elem",
	"htab_percpu_map_update_elem",
	"htab_percpu_map_lookup_percpu_elem",
	"htab_lru_percpu_map_lookup_elem",
	"htab_lru_percpu_map_update_elem",
	"htab_lru_percpu_map_lookup_percpu_elem",
	"array_map_lookup_elem",
	"array_map_update_elem",
	"array_map_delete_elem",
	"percpu_array_map_lookup_elem",
	"percpu_array_map_lookup_percpu_elem",
	"trie_lookup_elem",
	"trie_update_elem",
	"trie_delete_elem",
	"queue_stack_map_push_elem",
	"queue_map_peek_elem",
	"queue_map_pop_elem",
	"stack_map_peek_elem",
	"stack_map_pop_elem",
	"bloom_map_push_elem",
	"bloom_map_peek_elem",
	"bpf_for_each_array_elem",
	"bpf_for_each_hash_elem",
	"dev_map_lookup_elem",
	"dev_map_hash_lookup_elem",
	"dev_map_redirect",
	"dev_hash_map_redirect",
	"cpu_map_redirect",
	"xsk_map_redirect",
	"sock_map_lookup",
	"sock_hash_lookup",
	"bpf_skb_load_helper_8_no_cache",
	"bpf_skb_load_helper_16_no_cache",
	"bpf_skb_load_helper_32_no_cache",
	"bpf_user_rnd_u32",
	"bpf_probe_read_compat",
	"bpf_probe_read_compat_str",
	"bpf_perf_event_output_tp",
	"bpf_perf_event_output_raw_tp",
	"bpf_skb_event_output",
	"bpf_xdp_event_output",
	"bpf_sockopt_event_output",
	"bpf_event_output_data",
	"bpf_get_stackid_tp",
	"bpf_get_stackid_raw_tp",
	"bpf_get_stackid_pe",
	"bpf_get_stack_tp",
	"bpf_get_stack_raw_tp",
	"bpf_get_stack_pe",
	"bpf_get_func_ip_kprobe",
	"bpf_get_func_ip_tracing",
	"bpf_get_attach_cookie_trace",
	"bpf_get_attach_cookie_pe",
	"bpf_get_attach_cookie_tracing",
	"bpf_xdp_redirect",
	"bpf_skb_fib_lookup",
	"bpf_xdp_fib_lookup",
	"bpf_skb_check_mtu",
	"bpf_xdp_check_mtu",
	"bpf_flow_dissector_load_bytes",
	"sk_reuseport_load_bytes",
	"sk_skb_pull_data",
	"sk_skb_change_tail",
	"sk_skb_change_head",
	"sk_skb_adjust_room",
	"bpf_sk_lookup_assign",
	"bpf_task_storage_get_recur",
	"bpf_task_storage_delete_recur",
	"bpf_fentry_test1",
	"bpf_fentry_test2",
	"bpf_fentry_test3",
	"bpf_fentry_test4",
	"bpf_fentry_test5",
	"bpf_fentry_test6",
	"bpf_fentry_test7",
	"bpf_fentry_test8",
	"bpf_fentry_test9",
	"bpf_fentry_test10",
	"bpf_modify_return_test",
	"bpf_modify_return_test2",
};

#define TRACED	  (ABI_PROG(BPF_PROG_TYPE_TRACING) | PROG_RAW_TP | PROG_RAW_TP_WRITABLE)
#define SKB_PROGS (PROG_SOCKET | PROG_CLS | PROG_CG_SKB | PROG_LWT | PROG_SK_SKB)
#define SOCK_PROGS                                                                         \
	(PROG_CG_SOCK | PROG_CG_ADDR | PROG_CG_SYSCTL | PROG_CG_SOCKOPT | PROG_CG_DEVICE | \
	 PROG_SK_MSG | PROG_SK_LOOKUP)
#define ANY (~0ull)

/* Helpers that are another function in some program types. */
static const struct {
	u32 func_id;
	abi_prog_set progs;
	const char *name;
} variants[] = {
	{ BPF_FUNC_get_prandom_u32, ANY, "bpf_user_rnd_u32" },
	{ BPF_FUNC_probe_read, ANY, "bpf_probe_read_compat" },
	{ BPF_FUNC_probe_read_str, ANY, "bpf_probe_read_compat_str" },
	{ BPF_FUNC_perf_event_output, PROG_TRACEPOINT | PROG_PERF, "bpf_perf_event_output_tp" },
	{ BPF_FUNC_perf_event_output, TRACED, "bpf_perf_event_output_raw_tp" },
	{ BPF_FUNC_perf_event_output, SKB_PROGS, "bpf_skb_event_output" },
	{ BPF_FUNC_perf_event_output, PROG_XDP, "bpf_xdp_event_output" },
	{ BPF_FUNC_perf_event_output, PROG_SOCK_OPS, "bpf_sockopt_event_output" },
	{ BPF_FUNC_perf_event_output, SOCK_PROGS, "bpf_event_output_data" },
	{ BPF_FUNC_skb_output, ANY, "bpf_skb_event_output" },
	{ BPF_FUNC_xdp_output, ANY, "bpf_xdp_event_output" },
	{ BPF_FUNC_get_stackid, PROG_TRACEPOINT, "bpf_get_stackid_tp" },
	{ BPF_FUNC_get_stackid, TRACED, "bpf_get_stackid_raw_tp" },
	{ BPF_FUNC_get_stackid, PROG_PERF, "bpf_get_stackid_pe" },
	{ BPF_FUNC_get_stack, PROG_TRACEPOINT, "bpf_get_stack_tp" },
	{ BPF_FUNC_get_stack, TRACED, "bpf_get_stack_raw_tp" },
	{ BPF_FUNC_get_stack, PROG_PERF, "bpf_get_stack_pe" },
	{ BPF_FUNC_get_func_ip, PROG_KPROBE, "bpf_get_func_ip_kprobe" },
	{ BPF_FUNC_get_attach_cookie, PROG_KPROBE | PROG_TRACEPOINT,
	  "bpf_get_attach_cookie_trace" },
	{ BPF_FUNC_get_attach_cookie, PROG_PERF, "bpf_get_attach_cookie_pe" },
	{ BPF_FUNC_get_attach_cookie, ANY, "bpf_get_attach_cookie_tracing" },
	{ BPF_FUNC_redirect, PROG_XDP, "bpf_xdp_redirect" },
	{ BPF_FUNC_fib_lookup, PROG_XDP, "bpf_xdp_fib_lookup" },
	{ BPF_FUNC_fib_lookup, ANY, "bpf_skb_fib_lookup" },
	{ BPF_FUNC_check_mtu, PROG_XDP, "bpf_xdp_check_mtu" },
	{ BPF_FUNC_check_mtu, ANY, "bpf_skb_check_mtu" },
	{ BPF_FUNC_skb_load_bytes, PROG_FLOW, "bpf_flow_dissector_load_bytes" },
	{ BPF_FUNC_skb_load_bytes, PROG_REUSEPORT, "sk_reuseport_load_bytes" },
	{ BPF_FUNC_skb_pull_data, PROG_SK_SKB, "sk_skb_pull_data" },
	{ BPF_FUNC_skb_change_tail, PROG_SK_SKB, "sk_skb_change_tail" },
	{ BPF_FUNC_skb_change_head, PROG_SK_SKB, "sk_skb_change_head" },
	{ BPF_FUNC_skb_adjust_room, PROG_SK_SKB, "sk_skb_adjust_room" },
	{ BPF_FUNC_sk_assign, PROG_SK_LOOKUP, "bpf_sk_lookup_assign" },
	/* Of programs that could meet themselves there. */
	{ BPF_FUNC_task_storage_get, TRACING_PROGS | TRACED, "bpf_task_storage_get_recur" },
	{ BPF_FUNC_task_storage_delete, TRACING_PROGS | TRACED, "bpf_task_storage_delete_recur" },
};

u32 abi_ksym_count(void)
{
	return KFUNCS_AT + ABI_NR_KFUNCS;
}

bool abi_ksym(u32 number, char ret_name[ABI_KSYM_NAME], u64 *ret_address)
{
	const struct abi_helper *helper = abi_helper_find(number);
	const struct abi_kfunc *kfunc =
		number >= KFUNCS_AT ? abi_kfunc_by_id(number - KFUNCS_AT) : NULL;

	if (helper)
		snprintf(ret_name, ABI_KSYM_NAME, "bpf_%s", helper->name);
	else if (number >= ABI_HELPERS && number < ABI_HELPERS + ARRAY_SIZE(others))
		snprintf(ret_name, ABI_KSYM_NAME, "%s", others[number - ABI_HELPERS]);
	else if (kfunc)
		snprintf(ret_name, ABI_KSYM_NAME, "%s", kfunc->name);
	else
		return false;
	*ret_address = number == ABI_HELPERS ? ABI_KSYM_BASE
					     : ABI_KSYM_BASE + DISTANCE + (u64)number * STEP;
	return true;
}

u64 abi_ksym_address(const char *name)
{
	for (u32 i = 0; i < ARRAY_SIZE(others); i++)
		if (!strcmp(others[i], name))
			return ABI_KSYM_BASE + DISTANCE + (u64)(ABI_HELPERS + i) * STEP;
	return 0;
}

s32 abi_ksym_call(const char *name)
{
	u64 address = abi_ksym_address(name);

	return address ? (s32)(address - ABI_KSYM_BASE) : 0;
}

s32 abi_ksym_helper(u32 func_id, u32 prog_type)
{
	for (u32 i = 0; prog_type < 64 && i < ARRAY_SIZE(variants); i++)
		if (variants[i].func_id == func_id && variants[i].progs & ABI_PROG(prog_type))
			return abi_ksym_call(variants[i].name);
	return (s32)(DISTANCE + func_id * STEP);
}

s32 abi_ksym_kfunc(u32 id)
{
	return (s32)(DISTANCE + (KFUNCS_AT + id) * STEP);
}
