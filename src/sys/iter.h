/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside src/sys: iterators. A link binds a program to a target (iter_link.c); a session is one
 * walk, an object of its own that a client reads (iter.c); each target's file knows its cursor and
 * what the program sees of an object.
 */
#ifndef SKEP_SYS_ITER_H
#define SKEP_SYS_ITER_H

#include "abi/iter.h"
#include "model/model.h"
#include "rt/seq.h"
#include "sys/hive.h"

#define ITER_CTX_WORDS (1 + ABI_ITER_ARGS_MAX)

struct iter_ops;
struct iter_tasks;

struct iter_session {
	struct object object;
	struct sys_hive *hive;
	struct sys_prog *prog;
	struct sys_iter_aux aux; /* a copy of the link's; holds its map */
	const struct iter_ops *ops;
	u64 id, seq_num;
	bool done_stop;
	struct sys_client *client; /* who reads, while it reads; and the vCPU for that */
	struct rt_vcpu *vcpu;
	struct rt_seq seq;
	u32 from, count; /* what was written and not read yet */

	/* Cursors of the targets. */
	struct object *current; /* bpf_map, bpf_prog, bpf_link: held while it is shown */
	u32 next_id;
	struct rt_map_place place; /* bpf_map_elem of hashes */
	u64 index;		   /* … of arrays */
	u8 *key, *values;
	void *value;
	struct iter_tasks *tasks;
};

/*
 * A target. start finds the object at the cursor or the first one behind it, next the one after it:
 * false at the end. stop lets go of the object found last, if any. build fills the context's words
 * behind meta with images of it, or with 0 if none is current.
 */
struct iter_ops {
	int (*open)(struct iter_session *session, struct sys_client *client);
	void (*close)(struct iter_session *session);
	bool (*start)(struct iter_session *session);
	bool (*next)(struct iter_session *session);
	void (*stop)(struct iter_session *session);
	void (*build)(struct iter_session *session, u64 *ctx);
};

extern const struct iter_ops iter_map_ops, iter_prog_ops, iter_link_ops, iter_map_elem_ops,
	iter_task_ops, iter_task_file_ops, iter_task_vma_ops;

/*
 * Images of the kernel's structures in this hive, made when first asked for: one run's, whose next
 * one begins with model_reset(). NULL: no BTF says how they look.
 */
struct model *sys_model(struct sys_hive *hive);

/* Images of the hive's objects; NULL as the model's functions give it. */
void *iter_model_map(struct sys_hive *hive, const struct sys_map *map);
void *iter_model_prog(struct sys_hive *hive, const struct sys_prog *prog);
void *iter_model_link(struct sys_hive *hive, const struct sys_link *link);
void *iter_model_btf(struct sys_hive *hive, const struct sys_btf *btf);

/* iter_task.c: checks and resolves what LINK_CREATE says of tasks: 0 or -errno. */
int iter_attach_task(struct sys_call *call, const union bpf_iter_link_info *info,
		     struct sys_iter_aux *aux);
/* iter_map_elem.c: the same for a map, of which aux then holds a reference. */
int iter_attach_map(struct sys_call *call, const struct sys_prog *prog,
		    const union bpf_iter_link_info *info, struct sys_iter_aux *aux);

/* iter.c: a new session of the link, the caller's reference: 0 or -errno. */
int iter_session_new(struct sys_client *client, const struct sys_link *link,
		     struct iter_session **ret_session);

#endif
