/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random operations on maps of one configuration after the other, each on the running kernel and on
 * skep: by bpf(2), and by a program that is handed a script of operations and run by hand. What
 * lies in a map is compared when it ends, and often in between.
 */
#ifndef SKEP_DIFF_SEQUENCES_H
#define SKEP_DIFF_SEQUENCES_H

#include "scenario.h"

#define SIDES	   2 /* 0: the kernel, 1: skep */
#define KEY_MAX	   64
#define VALUE_MAX  200
#define USER_MAX   (VALUE_MAX * 64) /* a value for every CPU */
#define ENTRIES	   48		    /* of a map, at most, so that its contents can be compared */
#define KEYS_MAX   (ENTRIES + 16)
#define OBJECTS	   3
#define NO_OBJECT  0xfffffff0u
#define SCRIPT_LEN 32
#define BATCH_MAX  80
#define RING_PAGE  4096u

/* What values (or keys) of a type are. */
enum value_kind {
	VALUE_BYTES,
	VALUE_PROG,   /* descriptors of objects, shown as ids */
	VALUE_MAP,    /* the same of maps */
	VALUE_PERF,   /* not shown */
	VALUE_DEVICE, /* an interface and a program */
	VALUE_CPU,    /* the length of a queue and a program */
	VALUE_SOCKET, /* descriptors, shown as cookies */
};

/* Operations of scripts. */
enum script_op {
	OP_NONE,
	OP_LOOKUP,
	OP_STORE, /* looks up, and writes there */
	OP_UPDATE,
	OP_DELETE,
	OP_PUSH,
	OP_POP,
	OP_PEEK,
	OP_PERCPU, /* looks up another CPU's */
	OP_EACH,
	OP_OUTPUT,
	OP_RESERVE,
	OP_QUERY,
	OP_INNER, /* looks up a map, and there an element */
	OP_REDIRECT,
	OP_TASK_GET, /* the current task's storage, made if flags say so, and written */
	OP_TASK_DELETE,
	OP_SOCKET_GET, /* the same of the packet's socket */
	OP_SOCKET_DELETE,
	OP_TIMER_INIT,
	OP_TIMER_SET,
	OP_TIMER_START, /* so late that it never fires */
	OP_TIMER_CANCEL,
	OP_DRAIN, /* samples of a user ring buffer */
	SCRIPT_OPS,
};

#define OPS(op) (1u << (op))

/* A type of maps, and how it is dealt with. */
struct kind {
	const char *name;
	u32 type;
	u32 weight;	/* its share of all operations */
	u32 flags;	/* that make sense */
	u32 script_ops; /* 0: programs do nothing with it */
	enum value_kind value;
	u32 flavour; /* KIND_* */
};

enum {
	KIND_UNORDERED = 1, /* keys come in each side's own order */
	KIND_PERCPU = 2,
	KIND_LRU = 4,
	KIND_BLOOM = 8,
	KIND_KEYLESS = 16,
	KIND_LOCAL = 32,   /* keys are descriptors */
	KIND_SLOW = 64,	   /* the kernel waits after each update or deletion by bpf(2) */
	KIND_LOCKS = 128,  /* values may have a spin lock */
	KIND_TIMERS = 512, /* values begin with a timer */
	KIND_BARE = 256,   /* by bpf(2) nothing can be done with it; stacks: diff-stacks */
};

struct config {
	const struct kind *kind;
	u32 key_size, value_size, max_entries, flags;
	u64 extra;
	bool locked; /* struct { struct bpf_spin_lock; int; long; } */
	u32 special; /* bytes at the beginning of a value that are no program's: a lock, a timer */
	u32 nr_keys; /* keys are drawn from so many */
};

/* One entry of a script, as programs see it. */
struct entry {
	u32 op;
	u32 number; /* a CPU, a size, a choice */
	u64 flags;
	s64 result;
	u64 sum;
	u8 key[KEY_MAX];
	u8 value[VALUE_MAX];
	u8 out[VALUE_MAX];
	u8 unused[512 - 32 - KEY_MAX - 2 * VALUE_MAX];
};

struct pair {
	struct config config;
	int fds[SIDES];
	int progs[SIDES]; /* -1: there is none */
	u32 script_ops;	  /* of the program that was loaded */
	u64 pushed;	  /* values of a Bloom filter that are in it, by their number */
	u64 operations, succeeded;
	u32 differences;
	bool parted; /* the kernel had no memory just then: nothing can be compared any more */
	volatile u64 *rings[SIDES]; /* consumer, producer and bytes of a ring buffer */
	u64 produced;		    /* bytes in a user ring buffer */
	u32 nr_history;
	char history[4][96]; /* the last ones, to be shown with a difference */
};

/* The worlds and what lies in maps of objects; made once. */
struct stage {
	struct world *worlds[SIDES];
	int btf[SIDES];
	int script[SIDES]; /* an array of one value: SCRIPT_LEN entries */
	int maps[SIDES][OBJECTS], progs[SIDES][OBJECTS], xdp[SIDES][OBJECTS];
	int perf[SIDES][OBJECTS], sockets[SIDES][OBJECTS];
	int files[SIDES][OBJECTS], tasks[SIDES][OBJECTS];
	u32 map_ids[SIDES][OBJECTS], prog_ids[SIDES][OBJECTS], xdp_ids[SIDES][OBJECTS];
	u64 cookies[SIDES][OBJECTS]; /* of the sockets */
	u32 cpus;
	bool through_client; /* skep is reached by a process under `skep exec` */
};

extern struct stage stage;

/* stage.c. skep: the command that runs a client; NULL: what is linked in is called. false: there is
 * no kernel to compare with. */
bool stage_new(const char *skep);
u32 stage_free(void); /* objects that were left */
long stage_call(int side, u32 cmd, union abi_attr *attr);

/* config.c */
void sequences_seed(u64 seed);
u32 draw(u32 below);
bool one_in(u32 n);
const struct kind *kind_at(u32 index); /* NULL behind the last one */
void config_draw(const struct kind *kind, struct config *ret_config);
/* Does skep have maps of this type? */
bool config_available(const struct kind *kind);
/* MAP_CREATE on a side. */
long config_create(const struct config *config, int side);
/* The same key on both sides. */
void config_key(const struct config *config, u8 *const keys[SIDES]);
/* The same value, of the size that clients see. */
void config_value(const struct config *config, u32 number, u8 *const values[SIDES]);
u32 config_user_size(const struct config *config);
/* Makes equal what a side shows in its own way. */
void config_plain(const struct config *config, int side, u8 *value);

/* program.c: a program that runs scripts on this map, with as many of its operations as it may do.
 */
void program_new(struct pair *pair);
/* Draws a script, runs it on both sides and compares. */
void program_run(struct pair *pair);

/* Looks keys up by the program, on both sides; a key that is not there is a difference. */
bool program_touch(struct pair *pair, u32 nr, u8 (*keys)[KEY_MAX]);

/* calls.c: one operation by bpf(2), and all that lies in both maps. */
void call_step(struct pair *pair);
void call_compare(struct pair *pair);
/* Consumes what lies in both ring buffers, which are mapped for it; and the end of that. */
void call_consume(struct pair *pair);
void call_unmap(struct pair *pair);
/* Puts samples into both user ring buffers. */
void call_produce(struct pair *pair);

/* window.c: skep as a client sees it. */
struct world *window_start(const char *skep);
u32 window_stop(void); /* objects that were left */
/* The client itself, which knows only its own memory (../bpf/client.h). */
struct world *window_client(void);

/* lru.c: a map that is too small, of which each side drops elements in its own way. */
void lru_episode(struct pair *pair);

/* main.c */
void differ(struct pair *pair, const char *format, ...) __attribute__((format(printf, 2, 3)));
void remember(struct pair *pair, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
