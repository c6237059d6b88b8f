/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Live stack slots. For each chain of calls met (an "instance" of a subprogram) and each of its
 * instructions: slots read, slots certainly written, and, solved from these, slots live before the
 * instruction. What a callee does to its callers' frames is carried to the call instruction.
 *
 * Solving goes through the instructions in postorder, again and again until nothing changes, as the
 * kernel does (kernel/bpf/liveness.c); but only through those for which something they are computed
 * from has changed, unless a log of level 2 is to tell of every step.
 */
#include "verify/live_stack.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "verify/cfg.h"
#include "verify/log.h"

struct slot_masks {
	u64 read, write; /* by the instruction, or by what it calls */
	u64 live;	 /* solved: may be read from here on */
	u64 written;	 /* solved: certainly written from here on */
};

struct instance {
	u32 depth; /* frames below this one */
	u32 callsite[MAX_FRAMES];
	u32 subprog, start, nr_insns;
	struct slot_masks *masks[MAX_FRAMES]; /* by frame, then instruction; NULL: nothing known */
	u64 *pending[MAX_FRAMES]; /* to be computed anew: a bit for each place in postorder */
	u8 *write_known;	  /* by instruction: it was explored, its write masks count */
	bool dirty;		  /* to be solved again */
	bool writes_less;	  /* since it was solved: an instruction certainly writes less */
	struct instance *next;
};

#define INSTANCE_BUCKETS 256

struct live_stack {
	struct instance *bucket[INSTANCE_BUCKETS];
	struct instance *cur;  /* of the instruction being explored */
	u64 write[MAX_FRAMES]; /* what it writes */
	bool out_of_memory;    /* without memory for a table every slot counts as live */
	struct instance *query[MAX_FRAMES];
};

int live_stack_init(struct verify_env *env)
{
	env->live_stack = base_zalloc(1, sizeof(*env->live_stack));
	return env->live_stack ? 0 : -ENOMEM;
}

static void instance_free(struct instance *instance)
{
	for (u32 i = 0; i < MAX_FRAMES; i++) {
		base_free(instance->masks[i]);
		base_free(instance->pending[i]);
	}
	base_free(instance->write_known);
	base_free(instance);
}

void live_stack_done(struct verify_env *env)
{
	struct live_stack *live = env->live_stack;

	for (u32 i = 0; live && i < INSTANCE_BUCKETS; i++) {
		while (live->bucket[i]) {
			struct instance *next = live->bucket[i]->next;

			instance_free(live->bucket[i]);
			live->bucket[i] = next;
		}
	}
	base_free(live);
	env->live_stack = NULL;
}

static bool instance_matches(const struct instance *instance, const struct vstate *state, u32 depth)
{
	if (instance->depth != depth || instance->subprog != state->frame[depth]->subprogno)
		return false;
	for (u32 i = 1; i <= depth; i++)
		if (instance->callsite[i] != state->frame[i]->callsite)
			return false;
	return true;
}

static u32 chain_hash(const struct vstate *state, u32 depth)
{
	u32 hash = state->frame[depth]->subprogno * 31 + depth;

	for (u32 i = 1; i <= depth; i++)
		hash = hash * 2654435761u + state->frame[i]->callsite;
	return (hash ^ (hash >> 16)) % INSTANCE_BUCKETS;
}

/* The instance of state's frame number depth, made if there is none. */
static struct instance *find_instance(struct verify_env *env, const struct vstate *state, u32 depth)
{
	struct live_stack *live = env->live_stack;
	u32 hash = chain_hash(state, depth);
	struct instance *instance;

	for (instance = live->bucket[hash]; instance; instance = instance->next)
		if (instance_matches(instance, state, depth))
			return instance;
	instance = base_zalloc(1, sizeof(*instance));
	if (!instance)
		return NULL;
	instance->depth = depth;
	for (u32 i = 1; i <= depth; i++)
		instance->callsite[i] = state->frame[i]->callsite;
	instance->subprog = state->frame[depth]->subprogno;
	instance->start = env->subprog[instance->subprog].start;
	instance->nr_insns = env->subprog[instance->subprog + 1].start - instance->start;
	instance->write_known = base_zalloc(instance->nr_insns, 1);
	if (!instance->write_known) {
		instance_free(instance);
		return NULL;
	}
	instance->next = live->bucket[hash];
	live->bucket[hash] = instance;
	return instance;
}

/* What is known of an instruction; NULL: nothing. */
static struct slot_masks *masks_at(struct instance *instance, u32 frame, u32 insn)
{
	return instance->masks[frame] ? &instance->masks[frame][insn - instance->start] : NULL;
}

static void set_pending(const struct verify_env *env, struct instance *instance, u32 frame,
			u32 insn)
{
	u32 bit = env->place[insn] - env->subprog[instance->subprog].postorder_start;

	instance->pending[frame][bit / 64] |= 1ULL << (bit % 64);
}

static u32 nr_places(const struct verify_env *env, const struct instance *instance)
{
	return env->subprog[instance->subprog + 1].postorder_start -
	       env->subprog[instance->subprog].postorder_start;
}

static void set_all_pending(const struct verify_env *env, struct instance *instance, u32 frame)
{
	for (u32 bit = 0; bit < nr_places(env, instance); bit++)
		instance->pending[frame][bit / 64] |= 1ULL << (bit % 64);
}

/* The same, made if there is none; NULL: no memory. */
static struct slot_masks *make_masks(const struct verify_env *env, struct instance *instance,
				     u32 frame, u32 insn)
{
	struct slot_masks *masks = masks_at(instance, frame, insn);

	if (masks)
		return masks;
	instance->pending[frame] = base_zalloc(nr_places(env, instance) / 64 + 1, sizeof(u64));
	if (!instance->pending[frame])
		return NULL;
	instance->masks[frame] = base_zalloc(instance->nr_insns, sizeof(struct slot_masks));
	if (!instance->masks[frame]) {
		instance->pending[frame] = base_free(instance->pending[frame]);
		return NULL;
	}
	set_all_pending(env, instance, frame);
	return masks_at(instance, frame, insn);
}

static void add_read(struct verify_env *env, struct instance *instance, u32 frame, u32 insn,
		     u64 read)
{
	struct slot_masks *masks = make_masks(env, instance, frame, insn);

	if (!masks) {
		env->live_stack->out_of_memory = true;
		return;
	}
	if (!(read & ~masks->read))
		return;
	masks->read |= read;
	set_pending(env, instance, frame, insn);
	if (read & ~masks->live)
		instance->dirty = true;
}

/* An instruction has been explored, again or for the first time, and wrote these slots. */
static void set_written(struct verify_env *env, struct instance *instance, u32 insn,
			const u64 written[MAX_FRAMES])
{
	u8 *known = &instance->write_known[insn - instance->start];

	for (u32 frame = 0; frame <= instance->depth; frame++) {
		struct slot_masks *masks = written[frame] ? make_masks(env, instance, frame, insn)
							  : masks_at(instance, frame, insn);
		u64 write = written[frame];

		if (!masks) {
			env->live_stack->out_of_memory |= write != 0;
			continue;
		}
		if (*known)
			write &= masks->write;
		if (write == masks->write)
			continue;
		if (masks->write & ~write)
			instance->writes_less = true;
		masks->write = write;
		instance->dirty = true;
		set_pending(env, instance, frame, insn);
	}
	*known = 1;
}

int live_stack_begin(struct verify_env *env)
{
	struct live_stack *live = env->live_stack;

	if (!live->cur || !instance_matches(live->cur, env->cur, env->cur->curframe))
		live->cur = find_instance(env, env->cur, env->cur->curframe);
	if (!live->cur)
		return -ENOMEM;
	memset(live->write, 0, sizeof(live->write));
	return 0;
}

void live_stack_read(struct verify_env *env, u32 frameno, u32 slot)
{
	add_read(env, env->live_stack->cur, frameno, env->insn_idx, 1ULL << slot);
}

void live_stack_write(struct verify_env *env, u32 frameno, u32 slot)
{
	env->live_stack->write[frameno] |= 1ULL << slot;
}

void live_stack_end(struct verify_env *env)
{
	struct live_stack *live = env->live_stack;

	/* Calls of functions write what these do. */
	if (env->cur->curframe == live->cur->depth)
		set_written(env, live->cur, env->insn_idx, live->write);
}

/*
 * May control leave the subprogram here, beside going on? Then its callers go on without what is
 * written behind (its own frame, and the main program's, is gone).
 */
static bool may_return(const struct bpf_insn *insn)
{
	if (insn_is_helper_call(insn))
		return insn->imm == BPF_FUNC_tail_call;
	return BPF_CLASS(insn->code) == BPF_LD && !insn_is_ldimm64(insn);
}

/* The call chain of an instance, as it begins a line of the log. */
static void log_chain(struct verify_env *env, const struct instance *instance)
{
	verbose(env, "(");
	for (u32 i = 1; i <= instance->depth; i++)
		verbose(env, "%u,", instance->callsite[i]);
	verbose(env, "%u)", instance->start);
}

static void log_change(struct verify_env *env, const struct instance *instance, const char *what,
		       u32 frame, u32 insn, u64 old, u64 new)
{
	char text[LOG_MASK_SIZE];

	if (old == new)
		return;
	log_chain(env, instance);
	verbose(env, " frame %u insn %u ", frame, insn);
	if (new & ~old)
		verbose(env, "+%s %s ", what, log_format_slots(text, new & ~old));
	if (old & ~new)
		verbose(env, "-%s %s", what, log_format_slots(text, old & ~new));
	verbose(env, "\n");
}

/* Does the log tell of each step? */
static bool is_told(const struct verify_env *env)
{
	return env->input->log.level & LOG_LEVEL2;
}

static void log_step(struct verify_env *env, const struct instance *instance, u32 frame, u32 insn,
		     u64 live, u64 written)
{
	const struct slot_masks *m = &instance->masks[frame][insn - instance->start];

	if (!m->read && !m->write && insn != instance->start && !env->aux[insn].prune_point)
		return;
	log_change(env, instance, "live", frame, insn, m->live, live);
	log_change(env, instance, "written", frame, insn, m->written, written);
}

/* One instruction from those after it. Did anything change? */
static bool solve_insn(struct verify_env *env, const struct instance *instance, u32 frame, u32 i)
{
	struct slot_masks *masks = instance->masks[frame], *m = &masks[i - instance->start];
	u32 next[2], edges = cfg_successors(env, i, next);
	u64 after = 0, written = ~0ULL;
	bool changed;

	if (!edges)
		return false;
	for (u32 e = 0; e < edges; e++) {
		after |= masks[next[e] - instance->start].live;
		written &= masks[next[e] - instance->start].written;
	}
	if (frame < instance->depth && may_return(&env->insns[i]))
		written = 0;
	after = (after & ~m->write) | m->read;
	written |= m->write;
	changed = after != m->live || written != m->written;
	if (changed && is_told(env))
		log_step(env, instance, frame, i, after, written);
	m->live = after;
	m->written = written;
	return changed;
}

/*
 * Goes once through what is pending of a frame, in postorder: what becomes pending behind the
 * current place is dealt with at once, what becomes pending before it stays. Is anything left?
 */
static bool sweep(struct verify_env *env, struct instance *instance, u32 frame)
{
	u32 begin = env->subprog[instance->subprog].postorder_start;
	u32 end = env->subprog[instance->subprog + 1].postorder_start;
	u64 *pending = instance->pending[frame], left = 0;

	for (u32 word = 0; word <= (end - begin) / 64; word++) {
		u64 ahead = ~0ULL, bits;

		while ((bits = pending[word] & ahead)) {
			u32 bit = (u32)__builtin_ctzll(bits);
			u32 i = env->postorder[begin + word * 64 + bit];

			pending[word] &= ~(1ULL << bit);
			ahead = bit == 63 ? 0 : ~0ULL << (bit + 1);
			if (!solve_insn(env, instance, frame, i))
				continue;
			for (u32 p = env->first_pred[i]; p < env->first_pred[i + 1]; p++)
				set_pending(env, instance, frame, env->preds[p]);
		}
	}
	for (u32 word = 0; word <= (end - begin) / 64; word++)
		left |= pending[word];
	return left;
}

/* The same through all instructions and frames, until nothing changes; and the log counts. */
static void sweep_all(struct verify_env *env, struct instance *instance)
{
	u32 begin = env->subprog[instance->subprog].postorder_start;
	u32 end = env->subprog[instance->subprog + 1].postorder_start, times = 0;
	bool changed;

	do {
		changed = false;
		times++;
		for (u32 frame = 0; frame <= instance->depth; frame++)
			for (u32 i = begin; instance->masks[frame] && i < end; i++)
				changed |= solve_insn(env, instance, frame, env->postorder[i]);
	} while (changed);
	log_chain(env, instance);
	verbose(env, " live stack update done in %u iterations\n", times);
}

/* What is certainly written has to be found anew: it only grows while it is solved. */
static void forget_written(const struct verify_env *env, struct instance *instance)
{
	for (u32 frame = 0; frame <= instance->depth; frame++) {
		if (!instance->masks[frame])
			continue;
		for (u32 i = 0; i < instance->nr_insns; i++)
			instance->masks[frame][i].written = 0;
		set_all_pending(env, instance, frame);
	}
}

/* What the callee reads and writes of its callers' frames happens at the call. */
static void carry_to_caller(struct verify_env *env, struct instance *callee,
			    struct instance *caller)
{
	u32 callsite = callee->callsite[callee->depth];
	u64 written[MAX_FRAMES] = { 0 };

	for (u32 frame = 0; frame < callee->depth; frame++) {
		const struct slot_masks *entry = masks_at(callee, frame, callee->start);

		if (!entry)
			continue;
		written[frame] = entry->written;
		add_read(env, caller, frame, callsite, entry->live);
	}
	set_written(env, caller, callsite, written);
}

static void solve_instance(struct verify_env *env, struct instance *instance)
{
	if (instance->writes_less)
		forget_written(env, instance);
	if (is_told(env))
		sweep_all(env, instance);
	else
		for (u32 frame = 0; frame <= instance->depth; frame++)
			while (instance->masks[frame] && sweep(env, instance, frame))
				;
}

void live_stack_solve(struct verify_env *env)
{
	struct instance *instance = find_instance(env, env->cur, env->cur->curframe), *caller;

	for (u32 depth = env->cur->curframe; instance; depth--, instance = caller) {
		caller = depth ? find_instance(env, env->cur, depth - 1) : NULL;
		if (!instance->dirty)
			continue;
		solve_instance(env, instance);
		if (caller)
			carry_to_caller(env, instance, caller);
		instance->dirty = instance->writes_less = false;
	}
}

void live_stack_query(struct verify_env *env, const struct vstate *state)
{
	for (u32 i = 0; i <= state->curframe; i++)
		env->live_stack->query[i] = find_instance(env, state, i);
}

static bool live_before(struct instance *instance, u32 frameno, u32 insn, u32 slot)
{
	struct slot_masks *masks;

	/* Without memory for the table nothing is known to be dead. */
	if (!instance)
		return true;
	masks = masks_at(instance, frameno, insn);
	return masks && (masks->live & (1ULL << slot));
}

bool live_stack_alive(struct verify_env *env, const struct vstate *state, u32 frameno, u32 slot)
{
	struct instance **query = env->live_stack->query;

	if (env->live_stack->out_of_memory)
		return true;
	if (live_before(query[state->curframe], frameno, state->insn_idx, slot))
		return true;
	for (u32 i = frameno; i < state->curframe; i++) {
		u32 site = state->frame[i + 1]->callsite;
		u32 from = env->aux[site].calls_callback ? site : site + 1;

		if (live_before(query[i], frameno, from, slot))
			return true;
	}
	return false;
}
