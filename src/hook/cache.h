/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Site tables between runs, in the user's cache directory: scanning the C library costs more than
 * all else that a short program's start does.
 */
#ifndef SKEP_HOOK_CACHE_H
#define SKEP_HOOK_CACHE_H

#include "hook/scan.h"

/* The table of the file with this key; false: it is not known, or the entry is damaged. */
bool cache_load(const struct agent_module_key *key, struct scan_result *ret_result);

/* Remembers it. Does nothing when there is no directory that only this user writes. */
void cache_store(const struct agent_module_key *key, const struct scan_result *result);

#endif
