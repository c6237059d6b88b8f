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
	{ "ext4_mballoc_discard", 0x1 },
	{ "ext4_mballoc_free", 0x1 },
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
	{ "xfs_blockgc_free_space", 0x10 },
	{ "xfs_btree_overlapped_query_range", 0x100 },
	{ "xfs_btree_updkeys", 0x100 },
	{ "xfs_ioc_free_eofblocks", 0x10 },
	{ "xfs_iomap_alloc", 0x1000 },
	{ "xfs_iomap_found", 0x1000 },
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
