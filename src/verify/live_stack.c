/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Live stack slots. For each chain of calls met (an "instance" of a subprogram) and each of its
 * instructions: slots read, slots certainly written, and, solved from these, slots live before the
 * instruction. What a callee does to its callers' frames is carried to the call instruction.
 *
 * Solving goes through the instructions in postorder, again and again until nothing changes, as the
 * kernel does; but only through those for which something they are computed from has changed.
 */
#include "verify/live_stack.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "verify/cfg.h"

struct slot_masks {
	u64 read, write;
	u64 callee_read, callee_write; /* of the subprogram called here, from its entry */
	u64 live;		       /* solved: may be read from here on */
	u64 written;		       /* solved: certainly written from here on */
};

struct instance {
	u32 depth; /* frames below this one */
	u32 callsite[MAX_FRAMES];
	u32 subprog, start, nr_insns;
	struct slot_masks *masks[MAX_FRAMES]; /* by frame, then instruction; NULL: nothing known */
	u64 *pending[MAX_FRAMES]; /* to be computed anew: a bit for each place in postorder */
	u8 *visited;		  /* write masks are meaningful */
	bool dirty;
	struct instance *next;
};

#define INSTANCE_BUCKETS 256

struct live_stack {
	struct instance *bucket[INSTANCE_BUCKETS];
	struct instance *cur;
	u32 insn;
	u64 read[MAX_FRAMES], write[MAX_FRAMES]; /* of the instruction being explored */
	bool dirty, out_of_memory; /* without memory for a table every slot counts as live */
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
	base_free(instance->visited);
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
	instance->visited = base_zalloc(instance->nr_insns, 1);
	if (!instance->visited) {
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

/* The same, made if there is none; NULL: no memory. */
static struct slot_masks *make_masks(const struct verify_env *env, struct instance *instance,
				     u32 frame, u32 insn)
{
	u32 nr = env->subprog[instance->subprog + 1].postorder_start -
		 env->subprog[instance->subprog].postorder_start;
	struct slot_masks *masks = masks_at(instance, frame, insn);

	if (masks)
		return masks;
	instance->pending[frame] = base_zalloc(nr / 64 + 1, sizeof(u64));
	if (!instance->pending[frame])
		return NULL;
	instance->masks[frame] = base_zalloc(instance->nr_insns, sizeof(struct slot_masks));
	if (!instance->masks[frame]) {
		instance->pending[frame] = base_free(instance->pending[frame]);
		return NULL;
	}
	for (u32 bit = 0; bit < nr; bit++)
		instance->pending[frame][bit / 64] |= 1ULL << (bit % 64);
	return masks_at(instance, frame, insn);
}

int live_stack_begin(struct verify_env *env)
{
	struct live_stack *live = env->live_stack;

	if (!live->cur || !instance_matches(live->cur, env->cur, env->cur->curframe))
		live->cur = find_instance(env, env->cur, env->cur->curframe);
	if (!live->cur)
		return -ENOMEM;
	live->insn = env->insn_idx;
	memset(live->read, 0, sizeof(live->read));
	memset(live->write, 0, sizeof(live->write));
	return 0;
}

void live_stack_read(struct verify_env *env, u32 frameno, u32 slot)
{
	env->live_stack->read[frameno] |= 1ULL << slot;
}

void live_stack_write(struct verify_env *env, u32 frameno, u32 slot)
{
	env->live_stack->write[frameno] |= 1ULL << slot;
}

int live_stack_end(struct verify_env *env)
{
	struct live_stack *live = env->live_stack;
	struct instance *instance = live->cur;
	u8 *visited = &instance->visited[live->insn - instance->start];

	for (u32 frame = 0; frame <= instance->depth; frame++) {
		bool something = live->read[frame] | live->write[frame];
		struct slot_masks *masks = something ? make_masks(env, instance, frame, live->insn)
						     : masks_at(instance, frame, live->insn);
		u64 write;

		if (!masks) {
			if (something)
				return -ENOMEM;
			continue;
		}
		write = *visited ? masks->write & live->write[frame] : live->write[frame];
		if (write != masks->write || (live->read[frame] & ~masks->read)) {
			instance->dirty = live->dirty = true;
			set_pending(env, instance, frame, live->insn);
		}
		masks->write = write;
		masks->read |= live->read[frame];
	}
	*visited = 1;
	return 0;
}

/* May control leave the subprogram here, beside going on? (check_early_return()) */
static bool may_return(const struct bpf_insn *insn)
{
	if (insn_is_helper_call(insn))
		return insn->imm == BPF_FUNC_tail_call;
	return BPF_CLASS(insn->code) == BPF_LD && !insn_is_ldimm64(insn);
}

/* One instruction from those after it. Did anything change? */
static bool solve_insn(const struct verify_env *env, const struct instance *instance, u32 frame,
		       u32 i)
{
	struct slot_masks *masks = instance->masks[frame], *m = &masks[i - instance->start];
	u32 next[2], edges = cfg_successors(env, i, next);
	u64 after = 0, written = edges ? ~0ULL : 0, write = m->write | m->callee_write;
	bool changed;

	for (u32 e = 0; e < edges; e++) {
		after |= masks[next[e] - instance->start].live;
		written &= masks[next[e] - instance->start].written;
	}
	if (may_return(&env->insns[i]))
		written = 0;
	after = (after & ~write) | m->read | m->callee_read;
	written |= write;
	changed = after != m->live || written != m->written;
	m->live = after;
	m->written = written;
	return changed;
}

/*
 * Goes once through what is pending of a frame, in postorder: what becomes pending behind the
 * current place is dealt with at once, what becomes pending before it stays. Is anything left?
 */
static bool sweep(const struct verify_env *env, struct instance *instance, u32 frame)
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

static struct instance *caller_of(struct live_stack *live, const struct instance *callee)
{
	for (u32 b = 0; b < INSTANCE_BUCKETS; b++) {
		for (struct instance *i = live->bucket[b]; i; i = i->next) {
			u32 site = callee->callsite[callee->depth];

			if (i->depth + 1 == callee->depth && site >= i->start &&
			    site < i->start + i->nr_insns &&
			    !memcmp(i->callsite, callee->callsite, (i->depth + 1) * sizeof(u32)))
				return i;
		}
	}
	return NULL;
}

/* What the callee reads and writes of its callers' frames happens at the call. */
static void carry_to_caller(const struct verify_env *env, struct instance *callee)
{
	struct live_stack *live = env->live_stack;
	struct instance *caller = caller_of(live, callee);

	for (u32 frame = 0; caller && frame < callee->depth; frame++) {
		struct slot_masks *entry = masks_at(callee, frame, callee->start), *site;

		if (!entry)
			continue;
		site = make_masks(env, caller, frame, callee->callsite[callee->depth]);
		if (!site) {
			live->out_of_memory = true;
			continue;
		}
		if (site->callee_read == entry->live && site->callee_write == entry->written)
			continue;
		site->callee_read = entry->live;
		site->callee_write = entry->written;
		caller->dirty = true;
		set_pending(env, caller, frame, callee->callsite[callee->depth]);
	}
}

static void solve(struct verify_env *env)
{
	struct live_stack *live = env->live_stack;

	for (int depth = MAX_FRAMES - 1; depth >= 0; depth--) {
		for (u32 b = 0; b < INSTANCE_BUCKETS; b++) {
			for (struct instance *i = live->bucket[b]; i; i = i->next) {
				if ((int)i->depth != depth || !i->dirty)
					continue;
				for (u32 frame = 0; frame <= i->depth; frame++)
					while (i->masks[frame] && sweep(env, i, frame))
						;
				i->dirty = false;
				if (depth)
					carry_to_caller(env, i);
			}
		}
	}
	live->dirty = false;
}

void live_stack_query(struct verify_env *env, const struct vstate *state)
{
	if (env->live_stack->dirty)
		solve(env);
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
