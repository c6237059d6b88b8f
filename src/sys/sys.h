/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf(2) itself. The caller (gate, or an embedder's in-process door) says who the client is and how
 * its memory and descriptors are reached; results and errno are the kernel's.
 */
#ifndef SKEP_SYS_SYS_H
#define SKEP_SYS_SYS_H

#include <linux/bpf.h>
#include "base/types.h"
#include "object/object.h"

struct arena;
struct sys_hive;
struct verify_diagnosis;

/* Files that are no objects of ours but mean something to bpf(2). */
enum sys_place {
	SYS_PLACE_OTHER,
	SYS_PLACE_CGROUP, /* a directory of a cgroup2 file system */
	SYS_PLACE_NETNS,  /* a network name space */
	SYS_PLACE_BPFFS,  /* the root of the hive's bpf file system */
};

/* Who calls. The caller of sys_bpf() embeds this. */
struct sys_client {
	const struct sys_client_ops *ops;
	u32 pid, tgid; /* thread and process, as the supervisor sees them */
	u32 uid, gid;
	bool privileged;      /* bpf_capable(), perfmon_capable() */
	struct rt_vcpu *vcpu; /* of a program that runs for it and calls; NULL: none does */
};

struct sys_client_ops {
	/* Copies from and to the client's memory: 0 or -EFAULT, never a partial success. */
	int (*read)(struct sys_client *client, void *dst, u64 address, u64 size);
	int (*write)(struct sys_client *client, u64 address, const void *src, u64 size);
	/* NUL-terminated string of at most size bytes with the NUL: its length, or -EFAULT,
	 * -ENAMETOOLONG. */
	long (*read_string)(struct sys_client *client, char *dst, u64 address, u64 size);
	/*
	 * The object behind a client's descriptor, a new reference; -EBADF closed, -EINVAL not of
	 * this kind. OBJECT_KINDS asks for any kind.
	 */
	int (*object_by_fd)(struct sys_client *client, int fd, enum object_kind kind,
			    struct object **ret_object);
	/*
	 * Gives the client a new close-on-exec descriptor of object, taking a reference for it.
	 * access is O_RDONLY, O_WRONLY or O_RDWR. The descriptor number, or -errno.
	 */
	int (*install_fd)(struct sys_client *client, struct object *object, int access);
	/*
	 * The object behind descriptor fd of process pid (TASK_FD_QUERY), a new reference: -ENOENT
	 * no such process, -EBADF no such descriptor, -EINVAL another kind of file. NULL: only the
	 * client's own.
	 */
	int (*object_of_task)(struct sys_client *client, u32 pid, int fd,
			      struct object **ret_object);
	/* Access mode of a descriptor of an object, for BPF_F_RDONLY and BPF_F_WRONLY: O_ACCMODE
	 * bits. */
	int (*fd_access)(struct sys_client *client, int fd);
	/*
	 * Takes descriptor fd away from the client at the end of its call; from now on it is closed
	 * for this call. 0, -EBADF, -ENOMEM; NULL: none of its descriptors can be closed from here.
	 */
	int (*close_fd)(struct sys_client *client, int fd);
	/*
	 * In long work, where nothing is held that others want: lets them be served. 0 to go on,
	 * -EINTR when the client was interrupted or is gone, -EAGAIN: nobody could be served now.
	 * NULL: nobody else waits.
	 */
	int (*pause)(struct sys_client *client);
	/*
	 * What programs may be attached to or tokens be made of: which of these a descriptor is
	 * (sys_place), -EBADF if closed. NULL: no descriptor of this client is any.
	 */
	int (*place_of_fd)(struct sys_client *client, int fd);
	/*
	 * A copy of a client's descriptor, the caller's to close: -EBADF closed, or why it cannot
	 * be had. NULL: no file of this client's is anything but ours.
	 */
	int (*copy_fd)(struct sys_client *client, int fd);
	/* Is there such a network device where the client is? NULL: where the supervisor is. */
	bool (*device)(struct sys_client *client, u32 ifindex);
	/*
	 * The task that a pidfd is of; -ESRCH when that is gone, -EBADF for anything else. NULL:
	 * there are no pidfds.
	 */
	long (*pid_of_fd)(struct sys_client *client, int fd);
	/*
	 * The processes of the hive, as ids in *ret_pids (base_free() it, NULL for none): their
	 * number. NULL: the client's own is the only one.
	 */
	u32 (*processes)(struct sys_client *client, u32 **ret_pids);
	/* Pins: path is the client's, relative to dirfd (AT_FDCWD). The gate resolves it into
	 * bpffs. */
	int (*pin)(struct sys_client *client, int dirfd, const char *path, struct object *object);
	int (*pinned)(struct sys_client *client, int dirfd, const char *path,
		      struct object **ret_object);
};

/* How links reach events: src/hook implements it, whoever builds the hive wires it. */
struct sys_prog;
struct sys_perf_info {
	u32 type;		/* perf_event_attr.type */
	u64 config;		/* perf_event_attr.config */
	const char *tracepoint; /* name of the tracepoint, NULL for other events */
	u32 prog_id;		/* the program attached to it, 0: none */
};
struct sys_attach_ops {
	/*
	 * Attaches prog to a raw tracepoint by name. 0 and *ret_token (passed to detach), or
	 * -ENOENT for an unknown name, -EOPNOTSUPP for one that no process tree can show
	 * (*ret_reason says why).
	 */
	int (*raw_tracepoint)(void *arg, struct sys_prog *prog, const char *name, u64 cookie,
			      void **ret_token, const char **ret_reason);
	/* Attaches prog to a perf event object (tracepoint, …) as PERF_EVENT_IOC_SET_BPF and links
	 * do. */
	int (*perf_event)(void *arg, struct sys_prog *prog, struct object *perf, u64 cookie,
			  void **ret_token, const char **ret_reason);
	void (*detach)(void *arg, void *token);
	/*
	 * Where bpf_perf_event_output() writes when the perf event stands in a perf event array: a
	 * struct rt_perf_buffer in control; -EINVAL for an event that takes no output.
	 */
	int (*perf_target)(void *arg, struct object *perf, void **ret_target);
	/* What a perf event is, for link info and TASK_FD_QUERY. */
	int (*perf_info)(void *arg, struct object *perf, struct sys_perf_info *ret_info);
};

/* What judging a program took; valid during the call. */
struct sys_verification {
	const char *name; /* of the program */
	int error;	  /* 0 or -errno */
	u32 insns;	  /* processed */
	u32 states, peak_states;
	u64 memory;				  /* bytes, at its most */
	const struct verify_diagnosis *diagnosis; /* of a rejection; NULL: it was accepted */
};

struct sys_hive_options {
	struct arena *arena;
	const struct sys_attach_ops *attach_ops;
	void *attach_arg;
	/*
	 * The BTF of the kernel that programs see, which is object 1 of its kind as in Linux; read
	 * when a client first asks for it. NULL: the running kernel's, /sys/kernel/btf/vmlinux.
	 */
	const char *kernel_btf;
	/* The kernel that it stands for, a version of abi/profile.h; 0: the newest. */
	u32 kernel;
	/* Programs get no native code: all are interpreted. */
	bool interpret;
	/* Called after each program that the verifier judged; may be NULL. */
	void (*verified)(void *arg, const struct sys_verification *verification);
	void *verified_arg;
	/* Sentences for the person behind the hive (refusals and their reasons); may be NULL. */
	void (*message)(void *arg, const char *text);
	void *message_arg;
};

struct sys_hive *sys_hive_new(const struct sys_hive_options *options);
struct sys_hive *sys_hive_free(struct sys_hive *hive);
struct object_table *sys_hive_objects(struct sys_hive *hive);

/* bpf(cmd, attr, size): >= 0 or -errno. attr is the client's address of a union bpf_attr. */
long sys_bpf(struct sys_hive *hive, struct sys_client *client, u32 cmd, u64 attr, u32 size);

/* Called regularly from the supervisor's loop: frees what a grace period kept. */
void sys_hive_reap(struct sys_hive *hive);

/*
 * Timers and work queues in maps' values: takes note of what programs have begun and calls what is
 * due, for a few milliseconds at most. Returns the time (CLOCK_MONOTONIC, ns) at which it wants to
 * be called again, 0: at once, UINT64_MAX: when programs begin something (rt/trace.h: the wake-up
 * word).
 */
u64 sys_async_step(struct sys_hive *hive);

/*
 * The hive's part of /proc/kallsyms: what dumps of programs call, and the programs' functions. fn
 * returns 0, or an error which ends the walk.
 */
typedef int (*sys_symbol_fn)(void *arg, u64 address, const char *name, bool is_program);
#define SYS_SYMBOL_MAX 256
int sys_symbols(struct sys_hive *hive, sys_symbol_fn fn, void *arg);

/* Text of /proc/PID/fdinfo/N for an object (the part after pos, flags, mnt_id, ino); length or
 * -ENOSPC. */
long sys_object_fdinfo(struct sys_hive *hive, struct object *object, char *text, u64 size);

/* Accessors that hook and gate need. */
const struct rt_prog *sys_prog_rt(const struct sys_prog *prog);
struct sys_prog *sys_prog_ref(struct sys_prog *prog);
struct sys_prog *sys_prog_unref(struct sys_prog *prog);
u32 sys_prog_type(const struct sys_prog *prog);
/* End of the furthest context access, in bytes: a tracepoint must have that much to show. */
u32 sys_prog_max_ctx_offset(const struct sys_prog *prog);
struct sys_prog *sys_prog_of(struct object *object);	/* object of kind OBJECT_PROG */
const struct rt_map *sys_map_rt(struct object *object); /* object of kind OBJECT_MAP */

/*
 * What the agent of a process is told about its descriptor of a map with this access (O_ACCMODE): a
 * ticket (rt/map_slot.h) with which it serves the commands on elements itself, or one without
 * rights when they are the supervisor's.
 */
u64 sys_map_ticket(struct object *map, int access); /* NULL: it is none */
/* Descriptors have changed behind an agent's back: no ticket given so far counts any more. */
void sys_tickets_end(void);
/* The same, and no ticket is given ever after. */
void sys_tickets_stop(void);

/*
 * mmap(2) of a map's descriptor, with the kernel's rules (kernel/bpf/syscall.c bpf_map_mmap):
 * access is the descriptor's O_ACCMODE, prot and map_flags are mmap's. *address is what the client
 * asks for. 0 and the address of the first byte in the hive's arena in *address, or -ENOTSUPP
 * (524), -EINVAL, -EPERM, -EACCES.
 */
int sys_map_mmap(struct object *map, int access, u32 prot, u32 map_flags, u64 offset, u64 length,
		 u64 *address);

/*
 * Iterators (OBJECT_ITER). What a client that opens a pinned link gets: a new walk, the caller's
 * reference; -EACCES for other objects.
 */
/* Is it a link of an iterator? */
bool sys_object_is_iter_link(const struct object *object);
int sys_iter_open(struct sys_client *client, struct object *object, struct object **ret_session);

/*
 * read(2) of size bytes: their number and where they are (until the next call), 0 at the end,
 * -errno, or SYS_ITER_AGAIN: the supervisor's turn for this walk is over, ask again. The bytes are
 * gone when sys_iter_consume() says so, not before.
 */
#define SYS_ITER_AGAIN (-ERESTART)
long sys_iter_read(struct sys_client *client, struct object *object, u64 size,
		   const void **ret_data);
void sys_iter_consume(struct object *object, u64 size);

#endif
