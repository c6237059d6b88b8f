/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Functions of the kernel's congestion control, which programs of tcp_congestion_ops call. Such
 * programs are loaded and registered, and no connection ever asks them: TCP is the kernel's.
 */
#include "rt/kfunc/families.h"

#define NEVER(name)       \
	RT_KFUNC(name)    \
	{                 \
		return 0; \
	}

NEVER(bbr_cwnd_event)
NEVER(bbr_init)
NEVER(bbr_main)
NEVER(bbr_min_tso_segs)
NEVER(bbr_set_state)
NEVER(bbr_sndbuf_expand)
NEVER(bbr_ssthresh)
NEVER(bbr_undo_cwnd)
NEVER(cubictcp_acked)
NEVER(cubictcp_cong_avoid)
NEVER(cubictcp_cwnd_event)
NEVER(cubictcp_init)
NEVER(cubictcp_recalc_ssthresh)
NEVER(cubictcp_state)
NEVER(tcp_cong_avoid_ai)
NEVER(tcp_reno_cong_avoid)
NEVER(tcp_reno_ssthresh)
NEVER(tcp_reno_undo_cwnd)
NEVER(tcp_slow_start)
