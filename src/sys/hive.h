/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside src/sys: one call of bpf(2) in progress, the objects it works on, and the helpers that
 * every command uses. A command is a function of the call: it returns the result or -errno and
 * cleans up what it took, whatever happens.
 *
 * Everything runs on the supervisor's one thread. Memory that the data plane may still be using
 * (programs, maps) goes through sys_defer(), which runs after a grace period.
 */
#ifndef SKEP_SYS_HIVE_H
#define SKEP_SYS_HIVE_H

#include "abi/attr.h"
#include "arena/arena.h"
#include "btf/btf.h"
#include "btf/fields.h"
#include "rt/map.h"
#include "rt/prog.h"
#include "rt/vcpu.h"
#include "sys/sha256.h"
#include "sys/sys.h"
#include "verify/verify.h"

#define SYS_TAG_SIZE	   8
#define SYS_KERNEL_BTF_ID  1
#define SYS_TRACEPOINT_MAX 128 /* bytes of a raw tracepoint's name with its NUL */

struct abi_iter_target;
struct model;
struct text;

struct sys_deferred {
	struct sys_deferred *next;
	struct rt_grace grace;
	void (*run)(struct sys_deferred *deferred);
};

struct sys_hive {
	bool ending;
	u32 next_slot; /* where the search for a free one begins */
	struct sys_hive_options options;
	struct object_table *objects;
	struct sys_deferred *deferred; /* oldest first */
	struct sys_deferred **deferred_end;
	u32 stats_users;		   /* live OBJECT_STATS */
	struct sys_struct_ops *struct_ops; /* registered */
	struct sys_function *functions;	   /* of the kernel, with something attached to it */
	struct sys_btf *kernel_btf;
	bool kernel_btf_tried;
	bool reads_maps;		/* there was a program that does (map_image.h) */
	int sockets;			/* an epoll set, 0: none yet (client_socket.h) */
	struct sys_map *reuseport_maps; /* all of them */
	struct sys_async *async;	/* timers and work queues; NULL: there never was one */
	struct sys_map *async_maps;	/* whose values have such */
	struct sys_sock *socks;		/* sockets that are in maps (map_sock.c) */
	struct model *model;		/* of kernel_btf, for iterators; NULL: not needed yet */
	u64 iter_sessions;		/* begun so far */
	bool fops_known;		/* iter_task_file.c */
	struct sys_object_type *object_types; /* of programs' objects (object_type.h) */
	u64 fops[OBJECT_LINK + 1];
};

struct sys_slot; /* map_slot.h */

struct sys_btf {
	struct object object;
	struct btf *btf;
	struct sys_hive *hive; /* NULL: no program can bring it */
	bool kernel;	       /* the kernel's own, "vmlinux": no program and no map may bring it */
};

struct sys_map {
	struct object object;
	struct sys_struct_ops *struct_ops; /* of such maps (struct_ops.c) */
	u32 btf_vmlinux_value_type_id;
	struct sys_hive *hive;
	bool exclusive; /* for the program of this digest alone */
	u8 prog_digest[SHA256_SIZE];
	struct rt_map *rt;	    /* in control */
	enum arena_segment segment; /* of rt->data */
	struct sys_btf *btf;
	u32 btf_key_type_id, btf_value_type_id;
	struct btf_fields fields; /* of the value */
	bool frozen;
	struct verify_map inner; /* maps of maps: what each map in it is like */
	struct btf_fields inner_fields;
	struct sys_btf *inner_btf; /* of these; NULL: they need none */
	u32 slot;		   /* RT_MAP_SLOTS: it has none (map_slot.c) */
	/* Maps of objects: what the slots refer to; owner is what its programs have in common. */
	struct sys_slot **slots;
	struct sys_sock_link **socks; /* maps of sockets: what stands in each place (map_sock.c) */
	u64 *cookies; /* whose an element is: arrays of sockets by index, storage by place */
	struct sys_map *next_reuseport;
	struct sys_map *next_async; /* of hive->async_maps */
	u32 nr_async;		    /* timers and work queues in its values with a callback set */
	bool has_owner;
	u32 owner_type, owner_attach_type, owner_frags, owner_function;
	struct sys_deferred deferred;
};

struct sys_prog {
	struct object object;
	struct sys_hive *hive;
	struct rt_prog *rt; /* in control */
	u32 type, expected_attach_type, flags;
	char name[BPF_OBJ_NAME_LEN];
	u8 tag[SYS_TAG_SIZE];
	bool gpl_compatible, tail_calls;
	u64 load_time_ns; /* since boot */
	u32 verified_insns, max_ctx_offset, max_rdonly_access, max_rdwr_access;
	struct sys_btf *btf;
	struct verify_shown shown; /* what clients see of it */
	struct bpf_func_info *func_info;
	u32 attach_btf_id;	 /* in the kernel's BTF or the target's; 0: none */
	struct sys_prog *target; /* whose function it is for, until it is attached */
	bool had_target;
	bool traces_tracing; /* its target is of type tracing, too */
	struct verify_subprog *subprogs;
	struct sys_function *functions; /* with something attached to them */
	u32 streams_read[2];		/* bytes of the oldest text of each stream */
	u32 nr_extensions, nr_slots;	/* attached to it; prog arrays that it stands in */
	struct bpf_line_info *line_info;
	u32 nr_func_info, nr_line_info;
	struct sys_map **maps;
	u32 nr_maps;
	struct verify_async *async; /* its functions that timers and work queues may call */
	u32 nr_async;
	u32 async_set;	 /* timers and work queues that are set to call one */
	bool async_kept; /* they hold a reference, nobody else did */
	struct sys_prog *next_kept;
	struct sys_deferred deferred;
};

enum { SYS_ITER_ALL, SYS_ITER_TID, SYS_ITER_TGID };

/* What an iterator's link walks over, beside its target. */
struct sys_iter_aux {
	struct sys_map *map; /* bpf_map_elem: holds a reference */
	u32 task_type;	     /* SYS_ITER_* */
	u32 pid;
};

struct sys_link {
	struct object object;
	struct sys_hive *hive;
	u32 type; /* enum bpf_link_type */
	struct sys_prog *prog;
	void *token; /* of the attach ops */
	u64 cookie;
	struct object *perf;	       /* perf event links */
	struct sys_map *struct_ops;    /* struct_ops links, which have no program; NULL: detached */
	struct sys_function *function; /* tracing links */
	struct sys_prog *target;       /* whose function that is; NULL: the kernel's */
	u32 attach_type;
	char tracepoint[SYS_TRACEPOINT_MAX]; /* raw tracepoint links */
	struct sys_iter_aux iter;
};

struct sys_call {
	struct sys_hive *hive;
	struct sys_client *client;
	u32 cmd;
	u32 size;    /* bytes of attr that the client gave, at most sizeof(union abi_attr) */
	u64 address; /* of the client's attr */
	union abi_attr attr; /* a copy, the rest zero; commands may write to it */
};

typedef long (*sys_command_fn)(struct sys_call *call);

/* map_create.c, map_elem.c, map_batch.c, map_object.c */
long sys_map_create(struct sys_call *call);
long sys_map_elem(struct sys_call *call); /* the five commands on one element */
long sys_map_freeze(struct sys_call *call);
long sys_map_batch(struct sys_call *call);
/* prog_load.c */
long sys_prog_load(struct sys_call *call);
/* test_run.c */
long sys_prog_test_run(struct sys_call *call);
/* btf_load.c */
long sys_btf_load(struct sys_call *call);
/* Name of the tracepoint that a program of type tracing is for; NULL: it is for none. */
const char *sys_prog_tracepoint(const struct sys_prog *prog);
/* Makes the object with the kernel's BTF, the first time, if there is any. */
void sys_kernel_btf_load(struct sys_hive *hive);

/* Tells the data plane how struct task_struct looks, once, if that can be known. */
void sys_task_layout(struct sys_hive *hive);
/* Gives the data plane the kernel's BTF, once, if there is any. 0 or -ENOMEM. */
int sys_show_btf(struct sys_hive *hive);
/* id.c */
long sys_next_id(struct sys_call *call);
long sys_fd_by_id(struct sys_call *call);
/* info.c */
long sys_object_info(struct sys_call *call);
/* pin.c */
long sys_object_pin(struct sys_call *call);
long sys_object_get(struct sys_call *call);
/* link.c */
struct sys_link *sys_link_new(struct sys_call *call, u32 type, struct sys_prog *prog, u64 cookie);
long sys_link_create(struct sys_call *call);
long sys_link_update(struct sys_call *call);
long sys_link_detach(struct sys_call *call);
long sys_raw_tracepoint_open(struct sys_call *call);
/* iter_link.c */
long sys_iter_create(struct sys_call *call);
/* The row of the target that an iterator's program is for; NULL: it is no iterator. */
const struct abi_iter_target *sys_prog_iter(const struct sys_prog *prog);
/* LINK_CREATE: checks what the client says of the walk; *aux is to be given to the link. */
int sys_iter_attach(struct sys_call *call, const struct sys_prog *prog, struct sys_iter_aux *aux);
/* LINK_UPDATE; old_prog may be NULL. Takes its own reference of new_prog. */
int sys_iter_replace(struct sys_link *link, struct sys_prog *new_prog,
		     const struct sys_prog *old_prog);
void sys_iter_info(const struct sys_link *link, struct abi_link_info *info);
void sys_iter_text(const struct sys_link *link, struct text *text);
/* Do the accesses of an iterator's program to key and value stay within the map's? */
bool sys_iter_fits(const struct sys_prog *prog, const struct sys_map *map);
/* place.c */
long sys_prog_attach(struct sys_call *call);
long sys_prog_detach(struct sys_call *call);
long sys_prog_query(struct sys_call *call);
/* misc.c */
long sys_prog_bind_map(struct sys_call *call);
long sys_task_fd_query(struct sys_call *call);
long sys_enable_stats(struct sys_call *call);
long sys_token_create(struct sys_call *call);
/* stream.c */
long sys_stream_read(struct sys_call *call);

/* Copies from and to the client: 0 or -EFAULT. No bytes at all are always fine. */
int sys_read(struct sys_call *call, void *dst, u64 address, u64 size);
int sys_write(struct sys_call *call, u64 address, const void *src, u64 size);
/* Writes a field of the client's attr back. */
#define sys_write_attr(call, field)                                                               \
	sys_write((call), (call)->address + offsetof(union abi_attr, field), &(call)->attr.field, \
		  sizeof((call)->attr.field))
/*
 * A structure of known bytes of which the client has size: -E2BIG if more than a page, or if what
 * lies beyond known is not zero; -EFAULT. (The kernel's bpf_check_uarg_tail_zero().)
 */
int sys_check_tail(struct sys_call *call, u64 address, u64 known, u64 size);
/* A copy of size bytes of the client's in *ret_memory, to be freed: 0, -EFAULT, -ENOMEM. */
int sys_read_new(struct sys_call *call, u64 address, u64 size, void **ret_memory);

/* A sentence for the person behind the hive. */
void sys_say(struct sys_hive *hive, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What a client's descriptor stands for, a new reference: 0, -EBADF, -EINVAL. */
int sys_map_by_fd(struct sys_call *call, u32 fd, struct sys_map **ret_map);
int sys_prog_by_fd(struct sys_call *call, u32 fd, struct sys_prog **ret_prog);
/* BTF that a client has loaded: -EACCES for the kernel's. */
int sys_btf_by_fd(struct sys_call *call, u32 fd, struct sys_btf **ret_btf);
int sys_link_by_fd(struct sys_call *call, u32 fd, struct sys_link **ret_link);
int sys_object_by_fd(struct sys_call *call, u32 fd, enum object_kind kind,
		     struct object **ret_object);

void sys_map_put(struct sys_map *map);
void sys_prog_put(struct sys_prog *prog);
void sys_btf_put(struct sys_btf *btf);
void sys_link_put(struct sys_link *link);

/* map_sock.c */
bool sys_map_is_sock(const struct sys_map *map);
/* Sockets that were closed leave their maps. */
void sys_sock_sweep(struct sys_hive *hive, struct rt_vcpu *vcpu);
/* A rt_sock_change_fn whose argument is the hive. */
long sys_sock_change(void *arg, const struct rt_map *rt, const void *key, const void *rt_sock,
		     u64 flags, struct rt_vcpu *vcpu);
/* The hive ends: no map is left. */
void sys_socks_free(struct sys_hive *hive);

/* map_create.c: fills the verifier's picture of a map. */
void sys_map_describe(const struct sys_map *map, struct verify_map *ret_description);

/* map_of_maps.c */
bool sys_map_is_of_maps(const struct sys_map *map);
/*
 * What maps in map have to be like, from the one that the client shows: 0, -EBADF,
 * -EINVAL, -ENOTSUPP for a type that cannot be in a map.
 */
/* Is the candidate like every map in a map of maps whose inner maps are described so? */
bool sys_map_fits(const struct verify_map *inner, const struct sys_map *candidate);
int sys_map_set_inner(struct sys_call *call, struct sys_map *map, u32 fd);

/* map_slot.c: the number by which agents know a map. A map gets one when it is first asked for. */
void sys_slots_new(struct sys_hive *hive);
void sys_map_slot_retire(struct sys_map *map);

/*
 * map_object.c: maps whose elements are objects, seen from a client: prog arrays, perf event
 * arrays, maps of maps, of devices, CPUs and sockets.
 */
bool sys_map_holds_objects(const struct sys_map *map);
int sys_slot_lookup(struct sys_map *map, const void *key, void *value, struct rt_vcpu *vcpu);
int sys_slot_update(struct sys_call *call, struct sys_map *map, const void *key, const void *value,
		    u64 flags, struct rt_vcpu *vcpu);
int sys_slot_delete(struct sys_map *map, const void *key, struct rt_vcpu *vcpu);
void sys_slots_clear(struct sys_map *map);
u32 sys_map_nr_slots(const struct sys_map *map);
/* May prog be in, or tail-call through, this prog array? The first one to ask decides. */
struct sys_map *sys_map_of(struct object *object);
bool sys_map_accepts_prog(struct sys_map *map, const struct sys_prog *prog);

/* As clients see it: 0 for storage. */
u32 sys_map_max_entries(const struct sys_map *map);
/* map_elem.c: bytes of a value as clients see it; what a descriptor allows (RT_ELEM_MAY_*). */
u64 sys_map_value_size(const struct sys_map *map);
u32 sys_map_access(struct sys_call *call, u32 fd);

/* profile.c: -EINVAL for a call that the hive's kernel profile is too old for. */
int sys_profile_check(const struct sys_call *call);
/* The same of types in a client's BTF. */
int sys_profile_check_btf(const struct sys_hive *hive, const struct btf *btf);

/* attach.c */
/* The program type that an attach type is for; 0 (unspec): none. */
u32 sys_type_of_attach(u32 attach_type);
/* Are programs of this type attached to cgroups, as all or as some of their attach types? */
bool sys_attaches_to_cgroup(u32 type);
/* The kernel's bpf_prog_load_check_attach() and the defaults before it. */
int sys_check_load_attach(u32 type, u32 *expected_attach_type);
/* Is attach_type one that a program of this kind may be attached as? 0 or -EINVAL. */
int sys_check_attach_type(const struct sys_prog *prog, u32 attach_type);

/* place.c: */
/*
 * LINK_CREATE of a type whose events do not exist here: the kernel's checks of the attributes and
 * the place, in its order, and -EOPNOTSUPP with a sentence when nothing is wrong with them.
 */
int sys_link_refuse(struct sys_call *call, const struct sys_prog *prog);

/* Is there such a network device where the client is? */
bool sys_device_exists(struct sys_client *client, u32 ifindex);
/* Fills in the name of a vCPU's task. */
void sys_read_comm(struct rt_task *task);

/* A vCPU for map operations and runs in the supervisor, for this client's task, or (client NULL)
 * for nobody's; NULL: all are taken. */
struct rt_vcpu *sys_vcpu_acquire(struct sys_client *client);
/* The same, of the CPU where the client is, unless that one is taken: for what depends on it. */
struct rt_vcpu *sys_vcpu_acquire_near(struct sys_client *client);
/* The same for one operation on this map by its client: near, if it evicts by vCPU. */
struct rt_vcpu *sys_vcpu_acquire_for(const struct rt_map *map, struct sys_client *client);
/* The one with this number, for nobody's task; NULL: it is taken. */
struct rt_vcpu *sys_vcpu_acquire_slot(u32 index);
void sys_vcpu_release(struct rt_vcpu *vcpu);

/* Runs later, when no vCPU can be using what it frees any more. */
void sys_defer(struct sys_hive *hive, struct sys_deferred *deferred,
	       void (*run)(struct sys_deferred *deferred));

/* A copy of an object's name from attr: letters, digits, '_', '.'; 0 or -EINVAL. */
int sys_copy_name(char *dst, const char *src);

/* BPF_F_RDONLY and BPF_F_WRONLY as O_ACCMODE; -EINVAL for both. */
int sys_access_of_flags(u32 flags);

/* Makes a descriptor for an object whose only reference the caller gives up, also on failure. */
long sys_install_consume(struct sys_call *call, struct object *object, int access);

#endif
