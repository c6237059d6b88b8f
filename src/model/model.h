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
#define MODEL_FIELDS(X)                                             \
	X(META_SEQ, "bpf_iter_meta", "seq")                         \
	X(META_SESSION_ID, "bpf_iter_meta", "session_id")           \
	X(META_SEQ_NUM, "bpf_iter_meta", "seq_num")                 \
	X(SEQ_SIZE, "seq_file", "size")                             \
	X(SEQ_COUNT, "seq_file", "count")                           \
	X(BTF_ID, "btf", "id")                                      \
	X(BTF_KERNEL, "btf", "kernel_btf")                          \
	X(MAP_ID, "bpf_map", "id")                                  \
	X(MAP_NAME, "bpf_map", "name")                              \
	X(MAP_TYPE, "bpf_map", "map_type")                          \
	X(MAP_KEY_SIZE, "bpf_map", "key_size")                      \
	X(MAP_VALUE_SIZE, "bpf_map", "value_size")                  \
	X(MAP_MAX_ENTRIES, "bpf_map", "max_entries")                \
	X(MAP_FLAGS, "bpf_map", "map_flags")                        \
	X(MAP_EXTRA, "bpf_map", "map_extra")                        \
	X(MAP_NUMA_NODE, "bpf_map", "numa_node")                    \
	X(MAP_KEY_TYPE, "bpf_map", "btf_key_type_id")               \
	X(MAP_VALUE_TYPE, "bpf_map", "btf_value_type_id")           \
	X(MAP_BTF, "bpf_map", "btf")                                \
	X(MAP_REFS, "bpf_map", "refcnt.counter")                    \
	X(MAP_USERS, "bpf_map", "usercnt.counter")                  \
	X(MAP_FROZEN, "bpf_map", "frozen")                          \
	X(PROG_TYPE, "bpf_prog", "type")                            \
	X(PROG_ATTACH_TYPE, "bpf_prog", "expected_attach_type")     \
	X(PROG_LEN, "bpf_prog", "len")                              \
	X(PROG_TAG, "bpf_prog", "tag")                              \
	X(PROG_GPL, "bpf_prog", "gpl_compatible")                   \
	X(PROG_SLEEPABLE, "bpf_prog", "sleepable")                  \
	X(PROG_AUX, "bpf_prog", "aux")                              \
	X(AUX_ID, "bpf_prog_aux", "id")                             \
	X(AUX_NAME, "bpf_prog_aux", "name")                         \
	X(AUX_PROG, "bpf_prog_aux", "prog")                         \
	X(AUX_BTF, "bpf_prog_aux", "btf")                           \
	X(AUX_REFS, "bpf_prog_aux", "refcnt.counter")               \
	X(AUX_LOAD_TIME, "bpf_prog_aux", "load_time")               \
	X(AUX_USED_MAPS, "bpf_prog_aux", "used_map_cnt")            \
	X(AUX_FUNC_INFOS, "bpf_prog_aux", "func_info_cnt")          \
	X(AUX_FUNCS, "bpf_prog_aux", "func_cnt")                    \
	X(AUX_VERIFIED, "bpf_prog_aux", "verified_insns")           \
	X(AUX_CTX, "bpf_prog_aux", "max_ctx_offset")                \
	X(AUX_ATTACH_BTF_ID, "bpf_prog_aux", "attach_btf_id")       \
	X(AUX_ATTACH_NAME, "bpf_prog_aux", "attach_func_name")      \
	X(AUX_USER, "bpf_prog_aux", "user")                         \
	X(USER_UID, "user_struct", "uid.val")                       \
	X(LINK_ID, "bpf_link", "id")                                \
	X(LINK_TYPE, "bpf_link", "type")                            \
	X(LINK_PROG, "bpf_link", "prog")                            \
	X(LINK_REFS, "bpf_link", "refcnt.counter")                  \
	X(LINK_ATTACH_TYPE, "bpf_link", "attach_type")              \
	X(TASK_PID, "task_struct", "pid")                           \
	X(TASK_TGID, "task_struct", "tgid")                         \
	X(TASK_COMM, "task_struct", "comm")                         \
	X(TASK_LEADER, "task_struct", "group_leader")               \
	X(TASK_PARENT, "task_struct", "parent")                     \
	X(TASK_REAL_PARENT, "task_struct", "real_parent")           \
	X(TASK_START, "task_struct", "start_time")                  \
	X(TASK_START_BOOT, "task_struct", "start_boottime")         \
	X(TASK_FLAGS, "task_struct", "flags")                       \
	X(TASK_STATE, "task_struct", "__state")                     \
	X(TASK_CPUS, "task_struct", "cpus_mask")                    \
	X(TASK_CPUS_PTR, "task_struct", "cpus_ptr")                 \
	X(TASK_PRIO, "task_struct", "prio")                         \
	X(TASK_STATIC_PRIO, "task_struct", "static_prio")           \
	X(TASK_UTIME, "task_struct", "utime")                       \
	X(TASK_STIME, "task_struct", "stime")                       \
	X(TASK_MIN_FLT, "task_struct", "min_flt")                   \
	X(TASK_MAJ_FLT, "task_struct", "maj_flt")                   \
	X(TASK_CRED, "task_struct", "cred")                         \
	X(TASK_REAL_CRED, "task_struct", "real_cred")               \
	X(TASK_SIGNAL, "task_struct", "signal")                     \
	X(TASK_MM, "task_struct", "mm")                             \
	X(TASK_FILES, "task_struct", "files")                       \
	X(SIGNAL_THREADS, "signal_struct", "nr_threads")            \
	X(CRED_UID, "cred", "uid.val")                              \
	X(CRED_GID, "cred", "gid.val")                              \
	X(CRED_EUID, "cred", "euid.val")                            \
	X(CRED_EGID, "cred", "egid.val")                            \
	X(FILE_F_MODE, "file", "f_mode")                            \
	X(FILE_FLAGS, "file", "f_flags")                            \
	X(FILE_POS, "file", "f_pos")                                \
	X(FILE_INODE, "file", "f_inode")                            \
	X(FILE_DENTRY, "file", "f_path.dentry")                     \
	X(FILE_OPS, "file", "f_op")                                 \
	X(FILE_PATH, "file", "f_path")                              \
	X(FILE_PRIVATE, "file", "private_data")                     \
	X(SOCKET_FILE, "socket", "file")                            \
	X(INODE_INO, "inode", "i_ino")                              \
	X(INODE_MODE, "inode", "i_mode")                            \
	X(INODE_SIZE, "inode", "i_size")                            \
	X(INODE_UID, "inode", "i_uid.val")                          \
	X(INODE_GID, "inode", "i_gid.val")                          \
	X(INODE_RDEV, "inode", "i_rdev")                            \
	X(INODE_SB, "inode", "i_sb")                                \
	X(SB_DEV, "super_block", "s_dev")                           \
	X(DENTRY_INODE, "dentry", "d_inode")                        \
	X(DENTRY_NAME, "dentry", "d_name.name")                     \
	X(DENTRY_NAME_LEN, "dentry", "d_name.len")                  \
	X(VMA_START, "vm_area_struct", "vm_start")                  \
	X(VMA_END, "vm_area_struct", "vm_end")                      \
	X(VMA_FLAGS, "vm_area_struct", "vm_flags")                  \
	X(VMA_PGOFF, "vm_area_struct", "vm_pgoff")                  \
	X(VMA_FILE, "vm_area_struct", "vm_file")                    \
	X(VMA_MM, "vm_area_struct", "vm_mm")                        \
	X(CGROUP_SELF, "cgroup", "self")                            \
	X(CGROUP_LEVEL, "cgroup", "level")                          \
	X(CGROUP_NODE, "cgroup", "kn")                              \
	X(NODE_ID, "kernfs_node", "id")                             \
	X(NODE_NAME, "kernfs_node", "name")                         \
	X(CSS_CGROUP, "cgroup_subsys_state", "cgroup")              \
	X(HOOK_NUMBER, "nf_hook_state", "hook")                     \
	X(HOOK_FAMILY, "nf_hook_state", "pf")                       \
	X(HOOK_OUT, "nf_hook_state", "out")                         \
	X(DEVICE_IFINDEX, "net_device", "ifindex")                  \
	X(DEVICE_MTU, "net_device", "mtu")                          \
	X(DEVICE_NAME, "net_device", "name")                        \
	X(DEVICE_NET, "net_device", "nd_net.net")                   \
	X(NET_NUMBER, "net", "ns.inum")                             \
	X(SKB_HEAD, "sk_buff", "head")                              \
	X(SKB_DATA, "sk_buff", "data")                              \
	X(SKB_TAIL, "sk_buff", "tail")                              \
	X(SKB_END, "sk_buff", "end")                                \
	X(SKB_LEN, "sk_buff", "len")                                \
	X(SKB_PROTOCOL, "sk_buff", "protocol")                      \
	X(SKB_USERS, "sk_buff", "users.refs.counter")               \
	X(SKB_DEVICE, "sk_buff", "dev")                             \
	X(SKB_MAC, "sk_buff", "mac_header")                         \
	X(SKB_NETWORK, "sk_buff", "network_header")                 \
	X(SKB_TRANSPORT, "sk_buff", "transport_header")             \
	X(SKB_DATA_LEN, "sk_buff", "data_len")                      \
	X(SKB_SOCK, "sk_buff", "sk")                                \
	X(SKB_TSTAMP, "sk_buff", "tstamp")                          \
	X(SKB_CB, "sk_buff", "cb")                                  \
	X(SKB_MAC_LEN, "sk_buff", "mac_len")                        \
	X(SKB_QUEUE, "sk_buff", "queue_mapping")                    \
	X(SKB_PKT_TYPE, "sk_buff", "pkt_type")                      \
	X(SKB_IP_SUMMED, "sk_buff", "ip_summed")                    \
	X(SKB_TC_INDEX, "sk_buff", "tc_index")                      \
	X(SKB_CSUM, "sk_buff", "csum")                              \
	X(SKB_PRIORITY, "sk_buff", "priority")                      \
	X(SKB_IIF, "sk_buff", "skb_iif")                            \
	X(SKB_HASH, "sk_buff", "hash")                              \
	X(SKB_VLAN_PROTO, "sk_buff", "vlan_proto")                  \
	X(SKB_VLAN_TCI, "sk_buff", "vlan_tci")                      \
	X(SKB_NAPI, "sk_buff", "napi_id")                           \
	X(SKB_MARK, "sk_buff", "mark")                              \
	X(QDISC_PKT_LEN, "qdisc_skb_cb", "pkt_len")                 \
	X(QDISC_CLASSID, "qdisc_skb_cb", "tc_classid")              \
	X(QDISC_DATA, "qdisc_skb_cb", "data")                       \
	X(SHARED_SEGS, "skb_shared_info", "gso_segs")               \
	X(SHARED_SIZE, "skb_shared_info", "gso_size")               \
	X(SHARED_HWTSTAMP, "skb_shared_info", "hwtstamps.hwtstamp") \
	X(SHARED_XDP_FRAGS, "skb_shared_info", "xdp_frags_size")    \
	X(SHARED_NR_FRAGS, "skb_shared_info", "nr_frags")           \
	X(XDP_DATA, "xdp_buff", "data")                             \
	X(XDP_DATA_END, "xdp_buff", "data_end")                     \
	X(XDP_DATA_META, "xdp_buff", "data_meta")                   \
	X(XDP_HARD_START, "xdp_buff", "data_hard_start")            \
	X(XDP_RXQ, "xdp_buff", "rxq")                               \
	X(XDP_FRAME_SIZE, "xdp_buff", "frame_sz")                   \
	X(XDP_FLAGS, "xdp_buff", "flags")                           \
	X(RXQ_DEVICE, "xdp_rxq_info", "dev")                        \
	X(RXQ_INDEX, "xdp_rxq_info", "queue_index")                 \
	X(SOCK_FAMILY, "sock", "__sk_common.skc_family")            \
	X(SOCK_STATE, "sock", "__sk_common.skc_state")              \
	X(SOCK_DEVICE, "sock", "__sk_common.skc_bound_dev_if")      \
	X(SOCK_NUM, "sock", "__sk_common.skc_num")                  \
	X(SOCK_DPORT, "sock", "__sk_common.skc_dport")              \
	X(SOCK_SADDR, "sock", "__sk_common.skc_rcv_saddr")          \
	X(SOCK_DADDR, "sock", "__sk_common.skc_daddr")              \
	X(SOCK_SADDR6, "sock", "__sk_common.skc_v6_rcv_saddr")      \
	X(SOCK_DADDR6, "sock", "__sk_common.skc_v6_daddr")          \
	X(SOCK_TYPE, "sock", "sk_type")                             \
	X(SOCK_PROTOCOL, "sock", "sk_protocol")                     \
	X(SOCK_MARK, "sock", "sk_mark")                             \
	X(SOCK_PRIORITY, "sock", "sk_priority")                     \
	X(ADDR_SOCK, "bpf_sock_addr_kern", "sk")                    \
	X(ADDR_ADDRESS, "bpf_sock_addr_kern", "uaddr")              \
	X(ADDR_LENGTH, "bpf_sock_addr_kern", "uaddrlen")            \
	X(OPS_SOCK, "bpf_sock_ops_kern", "sk")                      \
	X(OPS_ARGS, "bpf_sock_ops_kern", "args")                    \
	X(OPS_OP, "bpf_sock_ops_kern", "op")                        \
	X(OPS_FULL, "bpf_sock_ops_kern", "is_fullsock")             \
	X(OPS_DATA_END, "bpf_sock_ops_kern", "skb_data_end")        \
	X(MSG_SIZE, "sk_msg", "sg.size")                            \
	X(MSG_DATA, "sk_msg", "data")                               \
	X(MSG_DATA_END, "sk_msg", "data_end")                       \
	X(MSG_SOCK, "sk_msg", "sk")                                 \
	X(SYSCTL_CURRENT, "bpf_sysctl_kern", "cur_val")             \
	X(SYSCTL_CURRENT_LEN, "bpf_sysctl_kern", "cur_len")         \
	X(SYSCTL_NEW, "bpf_sysctl_kern", "new_val")                 \
	X(SYSCTL_NEW_LEN, "bpf_sysctl_kern", "new_len")             \
	X(SYSCTL_WRITE, "bpf_sysctl_kern", "write")                 \
	X(OPT_SOCK, "bpf_sockopt_kern", "sk")                       \
	X(OPT_VALUE, "bpf_sockopt_kern", "optval")                  \
	X(OPT_VALUE_END, "bpf_sockopt_kern", "optval_end")          \
	X(OPT_LEVEL, "bpf_sockopt_kern", "level")                   \
	X(OPT_NAME, "bpf_sockopt_kern", "optname")                  \
	X(OPT_LENGTH, "bpf_sockopt_kern", "optlen")                 \
	X(REUSE_SOCK, "sk_reuseport_kern", "sk")                    \
	X(REUSE_DATA_END, "sk_reuseport_kern", "data_end")          \
	X(REUSE_HASH, "sk_reuseport_kern", "hash")                  \
	X(REUSE_ANY, "sk_reuseport_kern", "bind_inany")             \
	X(LOOKUP_FAMILY, "bpf_sk_lookup_kern", "family")            \
	X(LOOKUP_PROTOCOL, "bpf_sk_lookup_kern", "protocol")        \
	X(LOOKUP_SPORT, "bpf_sk_lookup_kern", "sport")              \
	X(LOOKUP_DPORT, "bpf_sk_lookup_kern", "dport")              \
	X(LOOKUP_SADDR, "bpf_sk_lookup_kern", "v4.saddr")           \
	X(LOOKUP_DADDR, "bpf_sk_lookup_kern", "v4.daddr")           \
	X(LOOKUP_SADDR6, "bpf_sk_lookup_kern", "v6.saddr")          \
	X(LOOKUP_DADDR6, "bpf_sk_lookup_kern", "v6.daddr")          \
	X(LOOKUP_SOCK, "bpf_sk_lookup_kern", "selected_sk")         \
	X(LOOKUP_DEVICE, "bpf_sk_lookup_kern", "ingress_ifindex")   \
	X(LOOKUP_ALONE, "bpf_sk_lookup_kern", "no_reuseport")       \
	X(DISSECTOR_KEYS, "bpf_flow_dissector", "flow_keys")        \
	X(DISSECTOR_DATA, "bpf_flow_dissector", "data")             \
	X(DISSECTOR_DATA_END, "bpf_flow_dissector", "data_end")

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
 * The name is kept, and stays valid as long as the model.
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
