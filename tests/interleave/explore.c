/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See explore.h. A participant stops before each access; a transition lets one of them make it and
 * run up to its next. Going back in the search puts the participant's stack back as it was and
 * undoes what was written, from a log.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explore.h"
#include "harness/tap.h"
#include "instrument.h"

#define STACK_SIZE	(64u << 10)
#define READS_MAX	64
#define DEPTH_MAX	20000u
#define PRIVATE_MAX	8
#define TRACE_SHOWN	400u
#define NOBODY		~0u
/* Of waits in examine(): for a dead one's vCPUs and locks a few are needed. */
#define IDLE_ROUNDS_MAX 10000u

enum pending { AT_START, AT_LOAD, AT_STORE, AT_LOCKED, AT_ASK, AT_RELAX, AT_SLEEP, AT_END };

struct read {
	const void *at;
	u32 size;
	u64 value;
};

struct thread {
	u8 *stack;
	void *sp;
	enum pending pending;
	const void *pending_at;
	bool over, dead;
	u64 history; /* of everything it has read: with the source this is its state */
	struct store {
		u8 *at;
		u32 size;
		u64 value;
	} buffer[EXPLORE_BUFFER_MAX];
	u32 nr_buffered;
	/* What the present round of a wait has read, and the round before. */
	struct read reads[READS_MAX], before[READS_MAX];
	u32 nr_reads, nr_before;
	u32 sleep_seen;
	u64 results[EXPLORE_RESULTS];
};

enum action { STEP, FLUSH, KILL };

static struct thread threads[EXPLORE_THREADS_MAX];
static u32 nr_threads, running = NOBODY, deaths, idle_rounds;
static const struct explore_scenario *scenario;
static struct explore_options options;
static struct explore_outcome outcome;
static void *search_sp;

static struct {
	u8 *at;
	u64 size;
} memory, private[PRIVATE_MAX];
static u32 nr_private;
static u64 memory_hash;

/* What was overwritten, the newest last. */
static struct undo {
	u8 *at;
	u32 size;
	u64 value;
} * undo;
static u64 nr_undo, undo_room;

/* Copies of stacks and private memory, the newest last. */
static u8 *saved;
static u64 nr_saved, saved_room;

/* States that were met: open addressing, 0 is empty. */
static u64 *met;
static u64 met_room;

static struct {
	u8 thread, action, pending;
	u64 offset;
} trace[DEPTH_MAX];

static u64 mix(u64 z)
{
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static u64 combine(u64 hash, u64 word)
{
	return mix((hash ^ word) + 0x9e3779b97f4a7c15);
}

/* From one stack to another: saves what a called function has to keep. */
void explore_switch(void **save_sp, void *load_sp);
__asm__(".pushsection .text\n"
	".globl explore_switch\n"
	".type explore_switch, @function\n"
	"explore_switch:\n"
	"push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
	"mov %rsp, (%rdi)\n"
	"mov %rsi, %rsp\n"
	"pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
	"ret\n"
	".size explore_switch, . - explore_switch\n"
	".popsection\n");

void explore_memory(void *at, u64 size)
{
	memory.at = at;
	memory.size = size;
}

void explore_private(void *at, u64 size)
{
	if (nr_private == PRIVATE_MAX)
		tap_bail("too much private memory");
	private[nr_private].at = at;
	private[nr_private++].size = size;
}

static bool is_shared(const void *at)
{
	return (u64)((const u8 *)at - memory.at) < memory.size;
}

static u64 read_memory(const void *at, u32 size)
{
	u64 value = 0;

	memcpy(&value, at, size);
	return value;
}

static u64 hash_of_bytes_at(const u8 *at, u32 size)
{
	u64 hash = 0;

	for (u32 i = 0; i < size; i++)
		if (at[i])
			hash ^= mix((u64)(at + i - memory.at) << 8 | at[i]);
	return hash;
}

static void write_memory(u8 *at, u64 value, u32 size)
{
	if (nr_undo == undo_room) {
		undo_room = undo_room ? 2 * undo_room : 1 << 16;
		undo = realloc(undo, undo_room * sizeof(*undo));
	}
	undo[nr_undo++] = (struct undo){ at, size, read_memory(at, size) };
	memory_hash ^= hash_of_bytes_at(at, size);
	memcpy(at, &value, size);
	memory_hash ^= hash_of_bytes_at(at, size);
}

static void undo_to(u64 mark)
{
	while (nr_undo > mark) {
		const struct undo *one = &undo[--nr_undo];

		memory_hash ^= hash_of_bytes_at(one->at, one->size);
		memcpy(one->at, &one->value, one->size);
		memory_hash ^= hash_of_bytes_at(one->at, one->size);
	}
}

/* Stops the running participant before an access; the search decides when it goes on. */
static struct thread *stop(enum pending pending, const void *at)
{
	struct thread *self = &threads[running];

	self->pending = pending;
	self->pending_at = at;
	explore_switch(&self->sp, search_sp);
	return self;
}

/* What a participant sees: its own stores first. false: they cover the access in part. */
static bool sees(const struct thread *self, const void *at, u32 size, u64 *ret_value)
{
	for (u32 i = self->nr_buffered; i--;) {
		const struct store *store = &self->buffer[i];

		if (store->at == at && store->size == size) {
			*ret_value = store->value;
			return true;
		}
		if (store->at < (const u8 *)at + size && (const u8 *)at < store->at + store->size)
			return false;
	}
	*ret_value = read_memory(at, size);
	return true;
}

static void note_read(struct thread *self, const void *at, u32 size, u64 value)
{
	self->history = combine(combine(self->history, (u64)(uintptr_t)at), value);
	if (self->nr_reads < READS_MAX)
		self->reads[self->nr_reads++] = (struct read){ at, size, value };
}

static void flush_one(struct thread *self)
{
	write_memory(self->buffer[0].at, self->buffer[0].value, self->buffer[0].size);
	memmove(self->buffer, self->buffer + 1, --self->nr_buffered * sizeof(*self->buffer));
}

u64 explore_load(const void *at, u32 size)
{
	struct thread *self;
	u64 value;

	if (running == NOBODY || !is_shared(at))
		return read_memory(at, size);
	self = stop(AT_LOAD, at);
	/* A processor waits here until the stores are in memory. */
	while (!sees(self, at, size, &value))
		flush_one(self);
	note_read(self, at, size, value);
	return value;
}

void explore_store(void *at, u64 value, u32 size, int order)
{
	struct thread *self;

	if (!is_shared(at)) {
		memcpy(at, &value, size);
	} else if (running == NOBODY) {
		write_memory(at, value, size);
	} else if (order == __ATOMIC_SEQ_CST) {
		explore_exchange(at, value, size);
	} else {
		self = stop(AT_STORE, at);
		self->history = combine(self->history, value);
		if (!options.buffer)
			write_memory(at, value, size);
		else
			self->buffer[self->nr_buffered++] = (struct store){ at, size, value };
	}
}

/* A locked instruction: the value before. */
static u64 locked(void *at, u32 size)
{
	struct thread *self;
	u64 value = read_memory(at, size);

	if (running == NOBODY || !is_shared(at))
		return value;
	self = stop(AT_LOCKED, at);
	value = read_memory(at, size);
	note_read(self, at, size, value);
	return value;
}

static void locked_end(void *at, u64 value, u32 size)
{
	if (is_shared(at))
		write_memory(at, value, size);
	else
		memcpy(at, &value, size);
}

bool explore_compare_exchange(void *at, void *expected, u64 desired, u32 size)
{
	u64 value = locked(at, size);

	if (value != read_memory(expected, size)) {
		memcpy(expected, &value, size);
		return false;
	}
	locked_end(at, desired, size);
	return true;
}

u64 explore_exchange(void *at, u64 value, u32 size)
{
	u64 before = locked(at, size);

	locked_end(at, value, size);
	return before;
}

u64 explore_fetch_add(void *at, u64 value, u32 size)
{
	u64 before = locked(at, size);

	locked_end(at, before + value, size);
	return before;
}

u64 explore_fetch_or(void *at, u64 value, u32 size)
{
	u64 before = locked(at, size);

	locked_end(at, before | value, size);
	return before;
}

bool explore_thread_exists(u32 tid)
{
	u32 number = tid - 1;
	struct thread *self;

	if (running == NOBODY)
		return number >= nr_threads || !threads[number].dead;
	self = stop(AT_ASK, NULL);
	if (number >= nr_threads)
		return true;
	note_read(self, &threads[number].dead, 1, threads[number].dead);
	return !threads[number].dead;
}

u32 explore_self(void)
{
	return running == NOBODY ? 0 : running;
}

/* Has anything that the last round read another value by now? */
static bool news(const struct thread *self)
{
	for (u32 i = 0; i < self->nr_before; i++) {
		const struct read *read = &self->before[i];
		u64 value;

		if (!sees(self, read->at, read->size, &value) || value != read->value)
			return true;
	}
	return false;
}

void explore_relax(void)
{
	struct thread *self;
	bool same;

	if (running == NOBODY) {
		if (++idle_rounds > IDLE_ROUNDS_MAX)
			tap_bail("a wait for ever where nobody else runs");
		return;
	}
	self = &threads[running];
	same = self->nr_reads == self->nr_before &&
	       !memcmp(self->reads, self->before, self->nr_reads * sizeof(*self->reads));
	memcpy(self->before, self->reads, sizeof(self->reads));
	self->nr_before = self->nr_reads;
	self->nr_reads = 0;
	if (same) {
		stop(AT_RELAX, NULL);
		self->nr_before = 0;
	}
}

bool explore_sleep(const u32 *word, u32 seen)
{
	struct thread *self = &threads[running];
	u32 now;

	self->sleep_seen = seen;
	stop(AT_SLEEP, word);
	now = (u32)read_memory(word, sizeof(now));
	note_read(self, word, sizeof(now), now);
	return now != seen;
}

u64 *explore_results(void)
{
	return threads[running].results;
}

const u64 *explore_results_of(u32 thread)
{
	return threads[thread].results;
}

bool explore_is_dead(u32 thread)
{
	return threads[thread].dead;
}

void explore_note(u64 what)
{
	threads[running].history = combine(threads[running].history, what);
}

void explore_forget(u32 place)
{
	struct thread *self = &threads[running];

	self->history = place;
	for (u32 i = 0; i < EXPLORE_RESULTS; i++)
		self->history = combine(self->history, self->results[i]);
	self->nr_reads = self->nr_before = 0;
}

static void coroutine(void)
{
	scenario->run(scenario->arg, running);
	for (;;)
		stop(AT_END, NULL);
}

static void begin(u32 number)
{
	struct thread *thread = &threads[number];
	u8 *stack = thread->stack ? thread->stack : aligned_alloc(4096, STACK_SIZE);
	void **top = (void **)(void *)(stack + STACK_SIZE) - 1; /* aligned as after a call */

	memset(thread, 0, sizeof(*thread));
	thread->stack = stack;
	/* As if it had called explore_switch() from nowhere. */
	*top = NULL;
	*--top = (void *)coroutine;
	thread->sp = top - 6;
	memset(thread->sp, 0, 6 * sizeof(void *));
	thread->pending = AT_START;
}

static bool others_ended(u32 number)
{
	for (u32 i = 0; i < nr_threads; i++)
		if (i != number && !threads[i].over && !threads[i].dead)
			return false;
	return true;
}

static bool can_step(u32 number)
{
	const struct thread *thread = &threads[number];

	if (thread->over || thread->dead)
		return false;
	switch (thread->pending) {
	case AT_STORE: return !options.buffer || thread->nr_buffered < options.buffer;
	case AT_LOCKED: return !thread->nr_buffered;
	case AT_RELAX: return news(thread);
	case AT_SLEEP:
		return !thread->nr_buffered &&
		       (read_memory(thread->pending_at, 4) != thread->sleep_seen ||
			others_ended(number));
	case AT_END: return !thread->nr_buffered;
	default: return true;
	}
}

/* Does nobody else notice when this participant makes its step? Then it need not be delayed. */
static bool is_local(u32 number)
{
	const struct thread *thread = &threads[number];

	return can_step(number) &&
	       (thread->pending == AT_START || (thread->pending == AT_STORE && options.buffer));
}

static u64 state_hash(void)
{
	u64 hash = combine(memory_hash, deaths);

	for (u32 i = 0; i < nr_threads; i++) {
		const struct thread *thread = &threads[i];

		hash = combine(hash, thread->history);
		hash = combine(hash, thread->pending | thread->over << 8 | thread->dead << 9 |
					     thread->nr_buffered << 10);
		for (u32 j = 0; j < thread->nr_buffered; j++)
			hash = combine(combine(hash, (u64)(uintptr_t)thread->buffer[j].at),
				       thread->buffer[j].value);
	}
	return hash ? hash : 1;
}

static void met_grow(void)
{
	u64 *old = met, old_room = met_room;

	met_room = met_room ? 2 * met_room : 1 << 16;
	met = calloc(met_room, sizeof(*met));
	for (u64 i = 0; i < old_room; i++) {
		u64 at = old[i] & (met_room - 1);

		while (old[i] && met[at])
			at = (at + 1) & (met_room - 1);
		if (old[i])
			met[at] = old[i];
	}
	free(old);
}

/* false: the state was met before. */
static bool remember(u64 hash)
{
	u64 at;

	if (2 * outcome.states >= met_room)
		met_grow();
	for (at = hash & (met_room - 1); met[at]; at = (at + 1) & (met_room - 1))
		if (met[at] == hash)
			return false;
	met[at] = hash;
	outcome.states++;
	return true;
}

static void save_bytes(const void *at, u64 size)
{
	if (nr_saved + size > saved_room) {
		saved_room = 2 * saved_room + size + (1 << 20);
		saved = realloc(saved, saved_room);
	}
	memcpy(saved + nr_saved, at, size);
	nr_saved += size;
}

static void restore_bytes(void *at, u64 size)
{
	nr_saved -= size;
	memcpy(at, saved + nr_saved, size);
}

static u64 stack_used(const struct thread *thread)
{
	return (u64)(thread->stack + STACK_SIZE - (u8 *)thread->sp);
}

static void save(u32 number)
{
	for (u32 i = 0; i < nr_private; i++)
		save_bytes(private[i].at, private[i].size);
	save_bytes(threads[number].sp, stack_used(&threads[number]));
	save_bytes(&threads[number], sizeof(threads[number]));
}

static void restore(u32 number)
{
	restore_bytes(&threads[number], sizeof(threads[number]));
	restore_bytes(threads[number].sp, stack_used(&threads[number]));
	for (u32 i = nr_private; i--;)
		restore_bytes(private[i].at, private[i].size);
}

static void act(u32 number, enum action action)
{
	struct thread *thread = &threads[number];

	switch (action) {
	case STEP:
		if (thread->pending == AT_END) {
			thread->over = true;
			break;
		}
		running = number;
		explore_switch(&search_sp, thread->sp);
		running = NOBODY;
		break;
	case FLUSH: flush_one(thread); break;
	case KILL:
		while (thread->nr_buffered)
			flush_one(thread);
		thread->dead = true;
		deaths++;
		break;
	}
}

static void show_trace(u32 depth)
{
	static const char *const actions[] = { "does", "flushes", "dies before" };
	static const char *const at[] = { "start", "load",    "store", "locked",
					  "ask",   "a round", "sleep", "end" };

	for (u32 i = depth > TRACE_SHOWN ? depth - TRACE_SHOWN : 0; i < depth; i++)
		tap_note("%u: %u %s %s %llx", i, trace[i].thread, actions[trace[i].action],
			 at[trace[i].pending], (unsigned long long)trace[i].offset);
}

static void fail(u32 depth, const char *wrong)
{
	outcome.wrong = wrong;
	show_trace(depth);
}

static void end_reached(u32 depth)
{
	u64 mark = nr_undo, nr = nr_saved;
	const char *wrong;

	outcome.ends++;
	idle_rounds = 0;
	for (u32 i = 0; i < nr_private; i++)
		save_bytes(private[i].at, private[i].size);
	wrong = scenario->examine(scenario->arg);
	for (u32 i = nr_private; i--;)
		restore_bytes(private[i].at, private[i].size);
	undo_to(mark);
	if (nr_saved != nr)
		tap_bail("saved memory is out of step");
	if (wrong)
		fail(depth, wrong);
}

static void search(u32 depth);

static void go(u32 depth, u32 number, enum action action)
{
	u64 mark = nr_undo;
	u32 nr_deaths = deaths;

	if (outcome.wrong)
		return;
	trace[depth].thread = (u8)number;
	trace[depth].action = (u8)action;
	trace[depth].pending = (u8)threads[number].pending;
	trace[depth].offset = threads[number].pending_at
				      ? (u64)((const u8 *)threads[number].pending_at - memory.at)
				      : 0;
	save(number);
	act(number, action);
	search(depth + 1);
	restore(number);
	undo_to(mark);
	deaths = nr_deaths;
}

static void search(u32 depth)
{
	bool any = false, ended = true;

	if (outcome.wrong || outcome.states >= options.states_max || !remember(state_hash()))
		return;
	if (depth + 1 >= DEPTH_MAX) {
		fail(depth, "it does not come to an end");
		return;
	}
	for (u32 i = 0; i < nr_threads; i++) {
		if (!is_local(i))
			continue;
		go(depth, i, STEP);
		if (deaths < options.deaths)
			go(depth, i, KILL);
		return;
	}
	for (u32 i = 0; i < nr_threads; i++) {
		struct thread *thread = &threads[i];

		if (thread->over || thread->dead)
			continue;
		ended = false;
		any |= can_step(i) || thread->nr_buffered;
		if (can_step(i))
			go(depth, i, STEP);
		if (thread->nr_buffered)
			go(depth, i, FLUSH);
		if (deaths < options.deaths)
			go(depth, i, KILL);
	}
	if (ended)
		end_reached(depth);
	else if (!any)
		fail(depth, "all wait for each other");
}

struct explore_outcome explore(const struct explore_scenario *what,
			       const struct explore_options *how)
{
	scenario = what;
	options = *how;
	memset(&outcome, 0, sizeof(outcome));
	nr_threads = what->nr_threads;
	deaths = 0;
	nr_undo = nr_saved = 0;
	memory_hash = 0;
	if (met)
		memset(met, 0, met_room * sizeof(*met));
	for (u32 i = 0; i < EXPLORE_THREADS_MAX; i++)
		begin(i);
	search(0);
	outcome.complete = !outcome.wrong && outcome.states < options.states_max;
	return outcome;
}
