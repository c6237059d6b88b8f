/* SPDX-License-Identifier: BSD-2-Clause */
/* The bytes of a state file, for what writes and reads them (docs/state.md). All little-endian. */
#ifndef SKEP_SYS_STATE_FORMAT_H
#define SKEP_SYS_STATE_FORMAT_H

#include <linux/bpf.h>
#include "base/types.h"

#define STATE_MAGIC   "skepmaps"
#define STATE_VERSION 1u

#define STATE_DIGEST_SIZE 32 /* SHA-256 of all before it, at the end of the file */

struct state_header {
	char magic[8];
	u32 version;
	u32 nr_vcpus; /* per-CPU values have as many parts */
	u64 size;     /* of the file */
	u32 nr_btfs, nr_maps;
};

/* Then the BTF blobs, each after its size (u32), and the maps. */
struct state_map {
	u32 type, key_size, value_size, max_entries, flags, frozen;
	u64 extra;
	u32 btf; /* number of the blob from 1; 0: none */
	u32 btf_key_type_id, btf_value_type_id;
	u32 nr_pins;
	u64 nr_elems;
	char name[BPF_OBJ_NAME_LEN];
};
/*
 * After each: its pins, each a size (u32) and as many bytes of path, and its elements, each a key
 * and a value as BPF_MAP_LOOKUP_ELEM gives it.
 */

#endif
