/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tracepoints of the kernel proper (not of modules) with arguments that are not always valid
 * pointers, by name: four bits for each argument, the first in the lowest ones.
 */
#include "verify/btf_args.h"

#include <string.h>

static const struct {
	const char *name;
	u32 mask;
} tracepoints[] = {
	{ "break_lease_block", 0x10 },
	{ "break_lease_noblock", 0x10 },
	{ "break_lease_unblock", 0x10 },
	{ "ext4_mballoc_discard", 0x10 },
	{ "ext4_mballoc_free", 0x10 },
	{ "fcntl_setlk", 0x10 },
	{ "fib_table_lookup", 0x100 },
	{ "flock_lock_inode", 0x10 },
	{ "folio_wait_writeback", 0x10 },
	{ "generic_delete_lease", 0x10 },
	{ "hugetlbfs_alloc_inode", 0x10 },
	{ "kfree_skb", 0x1000 },
	{ "locks_remove_posix", 0x10 },
	{ "mm_collapse_huge_page_isolate", 0x1 },
	{ "mm_khugepaged_collapse_file", 0x10 },
	{ "mm_khugepaged_scan_file", 0x10 },
	{ "mm_khugepaged_scan_pmd", 0x10 },
	{ "mm_page_alloc", 0x1 },
	{ "mm_page_alloc_zone_locked", 0x1 },
	{ "mm_page_pcpu_drain", 0x1 },
	{ "neigh_update", 0x10 },
	{ "posix_lock_inode", 0x10 },
	{ "qdisc_dequeue", 0x1000 },
	{ "sched_pi_setprio", 0x10 },
	{ "sched_stick_numa", 0x100 },
	{ "sched_swap_numa", 0x100 },
	{ "tcp_send_reset", 0x11 },
	{ "tcp_sendmsg_locked", 0x100 },
	{ "time_out_leases", 0x10 },
	{ "tmigr_update_events", 0x1 },
	{ "writeback_dirty_folio", 0x10 },
	{ "xfs_blockgc_flush_all", 0x1 },
	{ "xfs_blockgc_free_space", 0x10 },
	{ "xfs_blockgc_start", 0x1 },
	{ "xfs_blockgc_stop", 0x1 },
	{ "xfs_blockgc_worker", 0x1 },
	{ "xfs_btree_overlapped_query_range", 0x100 },
	{ "xfs_btree_updkeys", 0x100 },
	{ "xfs_defer_add_item", 0x1 },
	{ "xfs_defer_cancel_item", 0x1 },
	{ "xfs_defer_cancel_list", 0x1 },
	{ "xfs_defer_create_intent", 0x1 },
	{ "xfs_defer_finish_item", 0x1 },
	{ "xfs_defer_isolate_paused", 0x1 },
	{ "xfs_defer_item_pause", 0x1 },
	{ "xfs_defer_item_unpause", 0x1 },
	{ "xfs_defer_pending_abort", 0x1 },
	{ "xfs_defer_pending_finish", 0x1 },
	{ "xfs_defer_relog_intent", 0x1 },
	{ "xfs_fs_sync_fs", 0x1 },
	{ "xfs_inodegc_flush", 0x1 },
	{ "xfs_inodegc_push", 0x1 },
	{ "xfs_inodegc_queue", 0x1 },
	{ "xfs_inodegc_start", 0x1 },
	{ "xfs_inodegc_stop", 0x1 },
	{ "xfs_inodegc_throttle", 0x1 },
	{ "xfs_ioc_free_eofblocks", 0x10 },
	{ "xfs_iomap_alloc", 0x1000 },
	{ "xfs_iomap_found", 0x1000 },
	{ "xfs_map_blocks_alloc", 0x10000 },
	{ "xfs_map_blocks_found", 0x10000 },
};

u32 btf_args_of_tracepoint(const char *name, u32 arg)
{
	for (u32 i = 0; i < ARRAY_SIZE(tracepoints); i++)
		if (!strcmp(tracepoints[i].name, name))
			return arg < 8 ? tracepoints[i].mask >> (arg * 4) &
						 (BTF_ARG_MAYBE_NULL | BTF_ARG_MAYBE_ERROR)
				       : 0;
	return 0;
}
