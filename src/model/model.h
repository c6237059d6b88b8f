/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Structures of the modelled kernel: images of struct task_struct, struct bpf_map, …, as large and
 * laid out as the kernel's BTF says, with the members filled in that a hive knows; all others are
 * 0. Programs that the supervisor runs read them through BTF pointers and bpf_probe_read_kernel().
 *
 * They lie in the supervisor's own private segment, so that "kernel memory" is what it always is
 * (rt/access.c): in any other process the same addresses hold nothing of it. All images are gone
 * with the next model_reset(); nobody keeps a pointer to one.
 */
#ifndef SKEP_MODEL_MODEL_H
#define SKEP_MODEL_MODEL_H

#include "base/types.h"

struct btf;
struct model;

/* X(name, structure, member); members of nested and anonymous structures with dots. */
#define MODEL_FIELDS(X)                                         \
	X(META_SEQ, "bpf_iter_meta", "seq")                     \
	X(META_SESSION_ID, "bpf_iter_meta", "session_id")       \
	X(META_SEQ_NUM, "bpf_iter_meta", "seq_num")             \
	X(SEQ_SIZE, "seq_file", "size")                         \
	X(SEQ_COUNT, "seq_file", "count")                       \
	X(BTF_ID, "btf", "id")                                  \
	X(BTF_KERNEL, "btf", "kernel_btf")                      \
	X(MAP_ID, "bpf_map", "id")                              \
	X(MAP_NAME, "bpf_map", "name")                          \
	X(MAP_TYPE, "bpf_map", "map_type")                      \
	X(MAP_KEY_SIZE, "bpf_map", "key_size")                  \
	X(MAP_VALUE_SIZE, "bpf_map", "value_size")              \
	X(MAP_MAX_ENTRIES, "bpf_map", "max_entries")            \
	X(MAP_FLAGS, "bpf_map", "map_flags")                    \
	X(MAP_EXTRA, "bpf_map", "map_extra")                    \
	X(MAP_NUMA_NODE, "bpf_map", "numa_node")                \
	X(MAP_KEY_TYPE, "bpf_map", "btf_key_type_id")           \
	X(MAP_VALUE_TYPE, "bpf_map", "btf_value_type_id")       \
	X(MAP_BTF, "bpf_map", "btf")                            \
	X(MAP_REFS, "bpf_map", "refcnt.counter")                \
	X(MAP_USERS, "bpf_map", "usercnt.counter")              \
	X(MAP_FROZEN, "bpf_map", "frozen")                      \
	X(PROG_TYPE, "bpf_prog", "type")                        \
	X(PROG_ATTACH_TYPE, "bpf_prog", "expected_attach_type") \
	X(PROG_LEN, "bpf_prog", "len")                          \
	X(PROG_TAG, "bpf_prog", "tag")                          \
	X(PROG_GPL, "bpf_prog", "gpl_compatible")               \
	X(PROG_SLEEPABLE, "bpf_prog", "sleepable")              \
	X(PROG_AUX, "bpf_prog", "aux")                          \
	X(AUX_ID, "bpf_prog_aux", "id")                         \
	X(AUX_NAME, "bpf_prog_aux", "name")                     \
	X(AUX_PROG, "bpf_prog_aux", "prog")                     \
	X(AUX_BTF, "bpf_prog_aux", "btf")                       \
	X(AUX_REFS, "bpf_prog_aux", "refcnt.counter")           \
	X(AUX_LOAD_TIME, "bpf_prog_aux", "load_time")           \
	X(AUX_USED_MAPS, "bpf_prog_aux", "used_map_cnt")        \
	X(AUX_FUNC_INFOS, "bpf_prog_aux", "func_info_cnt")      \
	X(AUX_FUNCS, "bpf_prog_aux", "func_cnt")                \
	X(AUX_VERIFIED, "bpf_prog_aux", "verified_insns")       \
	X(AUX_CTX, "bpf_prog_aux", "max_ctx_offset")            \
	X(AUX_ATTACH_BTF_ID, "bpf_prog_aux", "attach_btf_id")   \
	X(AUX_ATTACH_NAME, "bpf_prog_aux", "attach_func_name")  \
	X(AUX_USER, "bpf_prog_aux", "user")                     \
	X(USER_UID, "user_struct", "uid.val")                   \
	X(LINK_ID, "bpf_link", "id")                            \
	X(LINK_TYPE, "bpf_link", "type")                        \
	X(LINK_PROG, "bpf_link", "prog")                        \
	X(LINK_REFS, "bpf_link", "refcnt.counter")              \
	X(LINK_ATTACH_TYPE, "bpf_link", "attach_type")          \
	X(TASK_PID, "task_struct", "pid")                       \
	X(TASK_TGID, "task_struct", "tgid")                     \
	X(TASK_COMM, "task_struct", "comm")                     \
	X(TASK_LEADER, "task_struct", "group_leader")           \
	X(TASK_PARENT, "task_struct", "parent")                 \
	X(TASK_REAL_PARENT, "task_struct", "real_parent")       \
	X(TASK_START, "task_struct", "start_time")              \
	X(TASK_START_BOOT, "task_struct", "start_boottime")     \
	X(TASK_FLAGS, "task_struct", "flags")                   \
	X(TASK_STATE, "task_struct", "__state")                 \
	X(TASK_CPUS, "task_struct", "cpus_mask")                \
	X(TASK_CPUS_PTR, "task_struct", "cpus_ptr")             \
	X(TASK_PRIO, "task_struct", "prio")                     \
	X(TASK_STATIC_PRIO, "task_struct", "static_prio")       \
	X(TASK_UTIME, "task_struct", "utime")                   \
	X(TASK_STIME, "task_struct", "stime")                   \
	X(TASK_MIN_FLT, "task_struct", "min_flt")               \
	X(TASK_MAJ_FLT, "task_struct", "maj_flt")               \
	X(TASK_CRED, "task_struct", "cred")                     \
	X(TASK_REAL_CRED, "task_struct", "real_cred")           \
	X(TASK_SIGNAL, "task_struct", "signal")                 \
	X(TASK_MM, "task_struct", "mm")                         \
	X(TASK_FILES, "task_struct", "files")                   \
	X(SIGNAL_THREADS, "signal_struct", "nr_threads")        \
	X(CRED_UID, "cred", "uid.val")                          \
	X(CRED_GID, "cred", "gid.val")                          \
	X(CRED_EUID, "cred", "euid.val")                        \
	X(CRED_EGID, "cred", "egid.val")                        \
	X(FILE_F_MODE, "file", "f_mode")                        \
	X(FILE_FLAGS, "file", "f_flags")                        \
	X(FILE_POS, "file", "f_pos")                            \
	X(FILE_INODE, "file", "f_inode")                        \
	X(FILE_DENTRY, "file", "f_path.dentry")                 \
	X(FILE_OPS, "file", "f_op")                             \
	X(FILE_PATH, "file", "f_path")                          \
	X(FILE_PRIVATE, "file", "private_data")                 \
	X(SOCKET_FILE, "socket", "file")                        \
	X(INODE_INO, "inode", "i_ino")                          \
	X(INODE_MODE, "inode", "i_mode")                        \
	X(INODE_SIZE, "inode", "i_size")                        \
	X(INODE_UID, "inode", "i_uid.val")                      \
	X(INODE_GID, "inode", "i_gid.val")                      \
	X(INODE_RDEV, "inode", "i_rdev")                        \
	X(INODE_SB, "inode", "i_sb")                            \
	X(SB_DEV, "super_block", "s_dev")                       \
	X(DENTRY_INODE, "dentry", "d_inode")                    \
	X(DENTRY_NAME, "dentry", "d_name.name")                 \
	X(DENTRY_NAME_LEN, "dentry", "d_name.len")              \
	X(VMA_START, "vm_area_struct", "vm_start")              \
	X(VMA_END, "vm_area_struct", "vm_end")                  \
	X(VMA_FLAGS, "vm_area_struct", "vm_flags")              \
	X(VMA_PGOFF, "vm_area_struct", "vm_pgoff")              \
	X(VMA_FILE, "vm_area_struct", "vm_file")                \
	X(VMA_MM, "vm_area_struct", "vm_mm")                    \
	X(CGROUP_SELF, "cgroup", "self")                        \
	X(CGROUP_LEVEL, "cgroup", "level")                      \
	X(CGROUP_NODE, "cgroup", "kn")                          \
	X(NODE_ID, "kernfs_node", "id")                         \
	X(NODE_NAME, "kernfs_node", "name")                     \
	X(CSS_CGROUP, "cgroup_subsys_state", "cgroup")          \
	X(HOOK_NUMBER, "nf_hook_state", "hook")                 \
	X(HOOK_FAMILY, "nf_hook_state", "pf")                   \
	X(HOOK_OUT, "nf_hook_state", "out")                     \
	X(DEVICE_IFINDEX, "net_device", "ifindex")              \
	X(DEVICE_MTU, "net_device", "mtu")                      \
	X(DEVICE_NAME, "net_device", "name")                    \
	X(SKB_HEAD, "sk_buff", "head")                          \
	X(SKB_DATA, "sk_buff", "data")                          \
	X(SKB_TAIL, "sk_buff", "tail")                          \
	X(SKB_END, "sk_buff", "end")                            \
	X(SKB_LEN, "sk_buff", "len")                            \
	X(SKB_PROTOCOL, "sk_buff", "protocol")                  \
	X(SKB_USERS, "sk_buff", "users.refs.counter")           \
	X(SKB_DEVICE, "sk_buff", "dev")                         \
	X(SKB_MAC, "sk_buff", "mac_header")                     \
	X(SKB_NETWORK, "sk_buff", "network_header")             \
	X(SKB_TRANSPORT, "sk_buff", "transport_header")

enum model_field {
#define X(name, structure, member) MODEL_##name,
	MODEL_FIELDS(X)
#undef X
		MODEL_NR_FIELDS
};

/*
 * Images are made in memory, size bytes in the supervisor's private segment. btf is the kernel's
 * and stays valid as long as the model. NULL: no memory.
 */
struct model *model_new(const struct btf *btf, void *memory, u64 size);
/* Takes NULL, returns NULL. */
struct model *model_free(struct model *model);

/* All images are gone. */
void model_reset(struct model *model);

/*
 * An image of a structure that BTF describes, all 0; NULL if it does not, or if there is no room.
 * The functions below do nothing with NULL in place of an image.
 */
void *model_object(struct model *model, const char *structure);

/* A copy of size bytes; NULL if there is no room. */
void *model_bytes(struct model *model, const void *bytes, u64 size);

/* Stores the low bytes of value in a member; one that this kernel's structure does not have is left
 * out. */
void model_set(struct model *model, void *object, enum model_field field, u64 value);
void model_set_pointer(struct model *model, void *object, enum model_field field,
		       const void *pointer);
/* Where a member lies; NULL if there is no such one. */
void *model_member(struct model *model, void *object, enum model_field field);
/* Copies at most size bytes into a member that is an array; the rest of it stays 0. */
void model_set_bytes(struct model *model, void *object, enum model_field field, const void *bytes,
		     u64 size);
/* As model_set_bytes(), text cut so that it ends with NUL. */
void model_set_text(struct model *model, void *object, enum model_field field, const char *text);

/*
 * Where the member lies in its structure, in bytes, and how long it is. 0, or -ENOENT: this
 * kernel's structure has none that begins at a byte.
 */
int model_place(const struct model *model, enum model_field field, u32 *ret_offset, u32 *ret_size);

#endif
