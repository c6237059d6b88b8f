/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Functions that programs are attached to, by the rules of bpf_check_attach_target() in
 * kernel/bpf/verifier.c, btf_distill_func_proto() in kernel/bpf/btf.c and bpf_lsm_verify_prog() in
 * kernel/bpf/bpf_lsm.c of Linux 6.18. What has no address there cannot be told from what has:
 * every function of the kernel's BTF is taken here.
 */
#include "verify/btf_target.h"

#include <errno.h>
#include <string.h>

#include "abi/bpf_new.h"
#include "btf/btf.h"
#include "btf/walk.h"
#include "verify/log.h"

#define ARGS_MAX     12 /* MAX_BPF_FUNC_ARGS */
#define LSM_PREFIX   "bpf_lsm_"
#define STRUCT_BYTES 16 /* a larger structure is not passed in registers */

static bool is_in(const char *const *set, u32 nr, const char *name)
{
	for (u32 i = 0; i < nr; i++)
		if (!strcmp(set[i], name))
			return true;
	return false;
}

#define IS_IN(set, name) is_in(set, ARRAY_SIZE(set), name)

/* Functions of the LSM itself that begin like hooks. */
static const char *const no_hooks[] = {
	"func_proto",	     "verify_prog", "is_sleepable_hook",  "is_trusted",
	"get_retval_range",  "init",	    "find_cgroup_shim",	  "blob_sizes",
	"inode_storage_get", "lsmid",	    "has_d_inode_locked", "get_lsm_hook",
};

static const char *const disabled_hooks[] = {
	"vm_enough_memory",    "inode_need_killpriv", "inode_getsecurity",   "inode_listsecurity",
	"inode_copy_up_xattr", "getselfattr",	      "getprocattr",	     "setprocattr",
	"key_getsecurity",     "audit_rule_match",    "xfrm_decode_session", "ismaclabel",
};

static const char *const sleepable_hooks[] = {
	"bpf",
	"bpf_map",
	"bpf_map_create",
	"bpf_map_free",
	"bpf_prog",
	"bpf_prog_load",
	"bpf_prog_free",
	"bpf_token_create",
	"bpf_token_free",
	"bpf_token_cmd",
	"bpf_token_capable",
	"bprm_check_security",
	"bprm_committed_creds",
	"bprm_committing_creds",
	"bprm_creds_for_exec",
	"bprm_creds_from_file",
	"capget",
	"capset",
	"cred_prepare",
	"file_ioctl",
	"file_lock",
	"file_open",
	"file_post_open",
	"file_receive",
	"inet_conn_established",
	"inode_create",
	"inode_free_security",
	"inode_getattr",
	"inode_getxattr",
	"inode_mknod",
	"inode_need_killpriv",
	"inode_post_setxattr",
	"inode_post_removexattr",
	"inode_readlink",
	"inode_removexattr",
	"inode_rename",
	"inode_rmdir",
	"inode_setattr",
	"inode_setxattr",
	"inode_symlink",
	"inode_unlink",
	"kernel_module_request",
	"kernel_read_file",
	"kernfs_init_security",
	"path_unlink",
	"path_mkdir",
	"path_rmdir",
	"path_truncate",
	"path_symlink",
	"path_link",
	"path_rename",
	"path_chmod",
	"path_chown",
	"key_free",
	"mmap_file",
	"netlink_send",
	"path_notify",
	"release_secctx",
	"sb_alloc_security",
	"sb_eat_lsm_opts",
	"sb_kern_mount",
	"sb_mount",
	"sb_remount",
	"sb_set_mnt_opts",
	"sb_show_options",
	"sb_statfs",
	"sb_umount",
	"settime",
	"inode_setxattr",
	"socket_accept",
	"socket_bind",
	"socket_connect",
	"socket_create",
	"socket_getpeername",
	"socket_getpeersec_dgram",
	"socket_getsockname",
	"socket_getsockopt",
	"socket_listen",
	"socket_post_create",
	"socket_recvmsg",
	"socket_sendmsg",
	"socket_shutdown",
	"socket_socketpair",
	"syslog",
	"task_alloc",
	"task_prctl",
	"task_setscheduler",
	"task_to_inode",
	"current_getlsmprop_subj",
	"task_getlsmprop_obj",
	"userns_create",
};

static const char *const untrusted_hooks[] = {
	"bpf_map_free",	     "bpf_prog_free",	 "file_alloc_security", "file_free_security",
	"sk_alloc_security", "sk_free_security", "task_free",
};

/* The only ones that answer yes or no; the others give 0 or an error. */
static const char *const bool_hooks[] = { "xfrm_state_pol_flow_match", "audit_rule_known",
					  "inode_xattr_skipcap" };

/* Kernel functions whose return value programs may change: those made for it, and the system
 * calls. */
static bool is_modifiable(const char *name)
{
	static const char *const functions[] = {
		"bpf_modify_return_test", "bpf_modify_return_test2", "bpf_modify_return_test_tp",
		"bpf_fentry_test1",	  "should_failslab",	     "should_fail_alloc_page",
		"update_socket_protocol"
	};

	return !strncmp(name, "security_", 9) || !strncmp(name, "__x64_sys_", 10) ||
	       !strncmp(name, "__ia32_sys_", 11) || !strncmp(name, "__ia32_compat_sys_", 18) ||
	       IS_IN(functions, name);
}

/* Those of them that are called where it is right to sleep. */
static bool may_be_slept_in(const char *name)
{
	return !strncmp(name, "__x64_sys_", 10) || !strncmp(name, "__ia32_sys_", 11) ||
	       !strncmp(name, "__ia32_compat_sys_", 18) || !strcmp(name, "bpf_fentry_test1") ||
	       !strcmp(name, "bpf_modify_return_test_tp");
}

static const char *hook_of(const char *name)
{
	return strncmp(name, LSM_PREFIX, strlen(LSM_PREFIX)) ? NULL : name + strlen(LSM_PREFIX);
}

bool btf_target_lsm_trusted(const char *name)
{
	const char *hook = hook_of(name);

	return hook && !IS_IN(untrusted_hooks, hook);
}

bool btf_target_lsm_range(const struct verify_env *env, struct ret_range *range)
{
	const char *hook = env->attach_name ? hook_of(env->attach_name) : NULL;

	if (!hook || !env->attach_proto || !env->attach_proto->type)
		return false;
	*range = IS_IN(bool_hooks, hook) ? (struct ret_range){ 0, 1, false }
					 : (struct ret_range){ -4095, 0, false };
	return true;
}

static int check_lsm(struct verify_env *env, const char *name)
{
	const char *hook = hook_of(name);

	if (!env->input->gpl_compatible) {
		verbose(env, "LSM programs must have a GPL compatible license\n");
		return -EINVAL;
	}
	if (hook && IS_IN(disabled_hooks, hook)) {
		verbose(env, "attach_btf_id %u points to disabled hook %s\n",
			env->input->attach_btf_id, name);
		return -EINVAL;
	}
	if (!hook || IS_IN(no_hooks, hook)) {
		verbose(env, "attach_btf_id %u points to wrong type name %s\n",
			env->input->attach_btf_id, name);
		return -EINVAL;
	}
	return 0;
}

/* Size of what is passed or returned by value, 0 for void, negative if it cannot be. */
static int value_size(const struct btf *btf, u32 id, const struct btf_type **ret_type)
{
	const struct btf_type *type = btf_skip_modifiers(btf, id, NULL);
	u32 kind = type ? btf_kind_of(type) : BTF_KIND_FWD;

	*ret_type = type;
	if (!id)
		return 0;
	switch (kind) {
	case BTF_KIND_UNKN: return 0;
	case BTF_KIND_PTR: return 8;
	case BTF_KIND_INT:
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION: return (int)type->size;
	default: return -1;
	}
}

/* Can a function of this prototype be listened to at all? */
static int check_proto(struct verify_env *env, const struct btf *btf, const struct btf_type *proto,
		       const char *name)
{
	const struct btf_param *args = btf_params_of(proto);
	u32 nr = btf_vlen_of(proto);
	const struct btf_type *type;

	if (nr > ARGS_MAX) {
		verbose(env, "The function %s has %u arguments. Too many.\n", name, nr);
		return -EINVAL;
	}
	if (value_size(btf, proto->type, &type) < 0 || (proto->type && btf_is_struct(type))) {
		verbose(env, "The function %s return type %s is unsupported.\n", name,
			btf_kind_text(type));
		return -EINVAL;
	}
	for (u32 i = 0; i < nr; i++) {
		int size = value_size(btf, args[i].type, &type);

		if (i == nr - 1 && !args[i].type) {
			verbose(env, "The function %s with variable args is unsupported.\n", name);
			return -EINVAL;
		}
		if (size < 0 || size > STRUCT_BYTES) {
			verbose(env, "The function %s arg%u type %s is unsupported.\n", name, i,
				btf_kind_text(type));
			return -EINVAL;
		}
		if (!size) {
			verbose(env, "The function %s has malformed void argument.\n", name);
			return -EINVAL;
		}
	}
	return 0;
}

/* Extensions that do what the original could not. */
static int check_effects(struct verify_env *env, const struct verify_subprog *original)
{
	if (env->subprog[0].changes_packet && !original->changes_packet) {
		verbose(env, "Extension program changes packet data, while original does not\n");
		return -EINVAL;
	}
	if (env->subprog[0].might_sleep && !original->might_sleep) {
		verbose(env, "Extension program may sleep, while original does not\n");
		return -EINVAL;
	}
	return 0;
}

/* A function of another program. */
static int check_program(struct verify_env *env, const char *name)
{
	const struct verify_target *target = env->input->target;
	const struct verify_subprog *subprog = NULL;
	bool extends = target->extends;

	for (u32 i = 0; i < target->nr_subprogs && !subprog; i++)
		if (target->subprogs[i].type_id == env->input->attach_btf_id)
			subprog = &target->subprogs[i];
	if (!subprog) {
		verbose(env, "Subprog %s doesn't exist\n", name);
		return -EINVAL;
	}
	env->attach_unreliable = subprog->unreliable;
	if (extends) {
		if (subprog->unreliable) {
			verbose(env, "Cannot replace static functions\n");
			return -EINVAL;
		}
		if (check_effects(env, subprog))
			return -EINVAL;
		if (target->is_extension) {
			verbose(env, "Cannot recursively attach\n");
			return -EINVAL;
		}
		if (target->prog_type == BPF_PROG_TYPE_TRACING &&
		    (target->expected_attach_type == BPF_TRACE_FENTRY ||
		     target->expected_attach_type == BPF_TRACE_FEXIT)) {
			verbose(env, "Cannot extend fentry/fexit\n");
			return -EINVAL;
		}
	} else if (target->traces_tracing) {
		verbose(env, "Cannot nest tracing program attach more than once\n");
		return -EINVAL;
	}
	return 0;
}

bool btf_target_lsm_may_sleep(const char *name)
{
	const char *hook = name ? hook_of(name) : NULL;

	return hook && IS_IN(sleepable_hooks, hook);
}

static int check_sleep(struct verify_env *env, const char *name)
{
	bool good = false;

	if (env->input->prog_type == BPF_PROG_TYPE_TRACING)
		good = !env->input->target && may_be_slept_in(name);
	else if (env->input->prog_type == BPF_PROG_TYPE_LSM)
		good = btf_target_lsm_may_sleep(name);
	if (good)
		return 0;
	verbose(env, "%s is not sleepable\n", name);
	return -EINVAL;
}

static int check_modify(struct verify_env *env, const char *name)
{
	if (env->input->target) {
		verbose(env, "can't modify return codes of BPF programs\n");
		return -EINVAL;
	}
	if (is_modifiable(name))
		return 0;
	verbose(env, "%s() is not modifiable\n", name);
	return -EINVAL;
}

int btf_target_check(struct verify_env *env, const struct btf_type *type, const char *name)
{
	const struct verify_input *input = env->input;
	const struct btf *btf = input->attach_btf;
	const struct btf_type *proto;
	bool extends = input->target && input->target->extends;
	int err = 0;

	if (input->target)
		err = check_program(env, name);
	if (err)
		return err;
	if (btf_kind_of(type) != BTF_KIND_FUNC) {
		verbose(env, "attach_btf_id %u is not a function\n", input->attach_btf_id);
		return -EINVAL;
	}
	if (extends && btf_extension_check(env, type))
		return -EINVAL;
	proto = btf_func_proto(btf, input->attach_btf_id);
	if (!proto)
		return -EINVAL;
	if (!env->attach_unreliable)
		err = check_proto(env, btf, proto, name);
	if (!err && env->sleepable && !extends)
		err = check_sleep(env, name);
	else if (!err && input->expected_attach_type == BPF_MODIFY_RETURN && !extends)
		err = check_modify(env, name);
	if (!err && input->prog_type == BPF_PROG_TYPE_LSM)
		err = check_lsm(env, name);
	if (err)
		return err;
	env->attach_name = name;
	env->attach_proto = env->attach_unreliable ? NULL : proto;
	env->ctx_is_args = env->attach_is_function = !extends;
	return 0;
}

u32 btf_target_kernel_ctx(const struct btf *btf, u32 prog_type)
{
	static const char *const names[] = {
		[BPF_PROG_TYPE_SOCKET_FILTER] = "sk_buff",
		[BPF_PROG_TYPE_SCHED_CLS] = "sk_buff",
		[BPF_PROG_TYPE_SCHED_ACT] = "sk_buff",
		[BPF_PROG_TYPE_XDP] = "xdp_buff",
		[BPF_PROG_TYPE_CGROUP_SKB] = "sk_buff",
		[BPF_PROG_TYPE_CGROUP_SOCK] = "sock",
		[BPF_PROG_TYPE_CGROUP_SOCK_ADDR] = "bpf_sock_addr_kern",
		[BPF_PROG_TYPE_LWT_IN] = "sk_buff",
		[BPF_PROG_TYPE_LWT_OUT] = "sk_buff",
		[BPF_PROG_TYPE_LWT_XMIT] = "sk_buff",
		[BPF_PROG_TYPE_LWT_SEG6LOCAL] = "sk_buff",
		[BPF_PROG_TYPE_SOCK_OPS] = "bpf_sock_ops_kern",
		[BPF_PROG_TYPE_SK_SKB] = "sk_buff",
		[BPF_PROG_TYPE_SK_MSG] = "sk_msg",
		[BPF_PROG_TYPE_FLOW_DISSECTOR] = "bpf_flow_dissector",
		[BPF_PROG_TYPE_KPROBE] = "pt_regs",
		[BPF_PROG_TYPE_PERF_EVENT] = "bpf_perf_event_data_kern",
		[BPF_PROG_TYPE_CGROUP_DEVICE] = "bpf_cgroup_dev_ctx",
		[BPF_PROG_TYPE_CGROUP_SYSCTL] = "bpf_sysctl_kern",
		[BPF_PROG_TYPE_CGROUP_SOCKOPT] = "bpf_sockopt_kern",
		[BPF_PROG_TYPE_SK_REUSEPORT] = "sk_reuseport_kern",
		[BPF_PROG_TYPE_SK_LOOKUP] = "bpf_sk_lookup_kern",
		[ABI_PROG_TYPE_NETFILTER] = "bpf_nf_ctx",
	};

	return btf && prog_type < ARRAY_SIZE(names) && names[prog_type]
		       ? btf_find(btf, names[prog_type], BTF_KIND_STRUCT)
		       : 0;
}
