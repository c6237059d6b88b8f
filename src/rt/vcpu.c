/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Taking and giving back vCPUs. All shared state of a slot is its one lock word (rt/shared.h),
 * changed by compare and exchange only, so a process may die at any instruction. The word is
 * hostile: whoever forges one makes events be missed or two processes share per-CPU values; memory
 * that programs run on is each process's own.
 */
#include "rt/clock.h"
#include "rt/helper.h"
#include "rt/mem.h"
#include "rt/shared.h"
#include "rt/sys.h"
#include "rt/vcpu.h"
#include "rt/x86_64/cpu.h"

#define TID_MASK    ((1UL << 22) - 1)
#define FOREIGN_BIT (1UL << 22)
#define NONCE_SHIFT 23
#define NONCE_MASK  (((1UL << 21) - 1) << NONCE_SHIFT)
#define COUNT_SHIFT 44
#define IDENTITY    (TID_MASK | FOREIGN_BIT | NONCE_MASK)

#define ROUNDS_MAX 256 /* then the event is missed */
#ifndef ROUNDS_SPIN    /* tests/interleave has rounds of its own */
#define ROUNDS_SPIN  4 /* before the first sched_yield */
#define ROUNDS_ALIVE 8 /* before owners are asked whether they live */
#endif

enum attempt { TAKEN, BUSY, MINE };

_Static_assert(sizeof(struct rt_process) + RT_VCPU_MAX * sizeof(struct rt_vcpu) <=
		       RT_PRIVATE_AGENT_BASE - RT_PRIVATE_BASE,
	       "the private segment holds all vCPUs");
_Static_assert(sizeof(struct rt_shared) <= RT_TRACE_BASE - RT_DATA_BASE, "shared start of data");
_Static_assert(RT_TRACE_BASE + RT_TRACE_SIZE <= RT_DATA_BASE + RT_SHARED_SIZE,
	       "shared start of data");

static u64 new_nonce(void)
{
	u64 value = (__builtin_ia32_rdtsc() ^ (u64)rt_sys_getpid() << 32) * 0x9e3779b97f4a7c15UL;

	/* Never 0, so that 0 says "none yet". */
	return (value >> 20 | 1) << NONCE_SHIFT & NONCE_MASK;
}

static u64 identity_of(u32 tid)
{
	u64 nonce = __atomic_load_n(&RT_PROCESS->nonce, __ATOMIC_ACQUIRE);

	if (unlikely(nonce == 0)) {
		/* Nobody called rt_process_begin(): the supervisor, tests. Threads may race here.
		 */
		u64 fresh = new_nonce();

		if (__atomic_compare_exchange_n(&RT_PROCESS->nonce, &nonce, fresh, false,
						__ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
			nonce = fresh;
	}
	return (tid & TID_MASK) | nonce | (RT_PROCESS->foreign_pid_ns ? FOREIGN_BIT : 0);
}

static bool replace(u64 *word, u64 old, u64 new)
{
	return __atomic_compare_exchange_n(word, &old, new, false, __ATOMIC_ACQ_REL,
					   __ATOMIC_RELAXED);
}

/* A clock, before there is a vCPU. */
static u64 process_time(s32 clock)
{
	struct __kernel_timespec time = { 0 };

	rt_sys_clock_gettime(clock, &time);
	return (u64)time.tv_sec * 1000000000u + (u64)time.tv_nsec;
}

static void note_start(u64 start_boot_ns)
{
	u64 now = process_time(RT_CLOCK_MONOTONIC), boot_now = process_time(RT_CLOCK_BOOTTIME);
	u64 age = start_boot_ns && start_boot_ns < boot_now ? boot_now - start_boot_ns : 0;

	RT_PROCESS->start_boot_ns = boot_now - age;
	RT_PROCESS->start_ns = now > age ? now - age : 0;
}

void rt_process_begin(bool foreign_pid_ns, u64 start_boot_ns)
{
	u32 tid = rt_sys_gettid();

	RT_PROCESS->foreign_pid_ns = foreign_pid_ns;
	RT_PROCESS->clock = rt_clock_find();
	note_start(start_boot_ns);
	__atomic_store_n(&RT_PROCESS->nonce, new_nonce(), __ATOMIC_RELEASE);
	for (u32 i = 0; i < RT_CONTROL->nr_vcpus; i++) {
		u64 word = __atomic_load_n(&RT_SHARED->vcpus[i].word, __ATOMIC_RELAXED);

		RT_VCPUS[i].lock_word = 0;
		/* This id's earlier owner is gone: died, or became this process by execve. */
		if (!foreign_pid_ns && (word & (TID_MASK | FOREIGN_BIT)) == tid)
			replace(&RT_SHARED->vcpus[i].word, word, word & ~IDENTITY);
	}
}

/* Is the holder that word names surely gone? False when this process cannot know. */
static bool holder_dead(u64 word)
{
	if (word & FOREIGN_BIT || RT_PROCESS->foreign_pid_ns)
		return false;
	return !rt_sys_thread_exists((u32)(word & TID_MASK));
}

static enum attempt try_slot(u32 index, u64 identity, bool ask_alive)
{
	u64 *lock = &RT_SHARED->vcpus[index].word;
	u64 word = __atomic_load_n(lock, __ATOMIC_RELAXED);

	if ((word & IDENTITY) == identity)
		return MINE;
	if (word & TID_MASK) {
		/* The same thread id under another nonce: a process image that is gone (exec,
		 * reuse). */
		bool reused = (word & (TID_MASK | FOREIGN_BIT)) ==
				      (identity & (TID_MASK | FOREIGN_BIT)) &&
			      !(word & FOREIGN_BIT);

		if (!reused && !(ask_alive && holder_dead(word)))
			return BUSY;
	}
	u64 mine = ((word >> COUNT_SHIFT) + 1) << COUNT_SHIFT | identity;

	if (!replace(lock, word, mine))
		return BUSY;
	/* Whoever died here may have started a timer and not come to tell it. */
	if (unlikely(word & TID_MASK))
		__atomic_store_n(&RT_SHARED->async.overflow, 1, __ATOMIC_RELAXED);
	RT_VCPUS[index].lock_word = mine;
	return TAKEN;
}

static struct rt_vcpu *prepare(u32 index, u32 tid)
{
	struct rt_vcpu *vcpu = &RT_VCPUS[index];

	vcpu->index = index;
	vcpu->owner = tid;
	vcpu->tail_calls = 0;
	vcpu->nr_signals = 0;
	vcpu->frame = 0;
	vcpu->prog = NULL;
	vcpu->cookie = 0;
	vcpu->borrowed = 0;
	vcpu->service = NULL;
	vcpu->clock = RT_PROCESS->clock;
	return vcpu;
}

/* NULL; *ret_mine: this thread holds all of them. */
static struct rt_vcpu *acquire(u32 tid, bool *ret_mine)
{
	const struct rt_control *control = RT_CONTROL;
	u32 nr = control->nr_vcpus,
	    first = rt_cpu_current(control->cpu_features & RT_CPU_RDPID) % nr;
	u64 identity = identity_of(tid);

	*ret_mine = false;
	for (u32 round = 0; round < ROUNDS_MAX && !*ret_mine; round++) {
		bool ask_alive = round >= ROUNDS_ALIVE && round % ROUNDS_ALIVE == 0;
		u32 nr_mine = 0, index = first;

		for (u32 i = 0; i < nr; i++) {
			enum attempt attempt = try_slot(index, identity, ask_alive);

			if (likely(attempt == TAKEN))
				return prepare(index, tid);
			nr_mine += attempt == MINE;
			if (++index == nr)
				index = 0;
		}
		/* Waiting for oneself would be for ever. */
		*ret_mine = nr_mine == nr;
		if (round < ROUNDS_SPIN)
			rt_cpu_relax();
		else
			rt_sys_yield();
	}
	return NULL;
}

static struct rt_vcpu *missed(void)
{
	const struct rt_control *control = RT_CONTROL;
	u32 slot = rt_cpu_current(control->cpu_features & RT_CPU_RDPID) % control->nr_vcpus;

	__atomic_fetch_add(&RT_SHARED->vcpus[slot].missed, 1, __ATOMIC_RELAXED);
	return NULL;
}

struct rt_vcpu *rt_vcpu_acquire(u32 tid)
{
	bool mine;
	struct rt_vcpu *vcpu = acquire(tid, &mine);

	return likely(vcpu) ? vcpu : missed();
}

struct rt_vcpu *rt_vcpu_acquire_slot(u32 tid, u32 index)
{
	if (index >= RT_CONTROL->nr_vcpus || try_slot(index, identity_of(tid), true) != TAKEN)
		return NULL;
	return prepare(index, tid);
}

struct rt_vcpu *rt_vcpu_await(u32 tid, u32 wait_ms)
{
	const struct __kernel_timespec nap = { .tv_nsec = 1000 * 1000 };
	bool mine;
	struct rt_vcpu *vcpu = acquire(tid, &mine);

	for (u32 i = 0; unlikely(!vcpu) && !mine && i < wait_ms; i++) {
		rt_syscall3(__NR_nanosleep, (u64)&nap, 0, 0);
		vcpu = acquire(tid, &mine);
	}
	return likely(vcpu) ? vcpu : missed();
}

static void give_back(struct rt_vcpu *vcpu)
{
	u64 word = vcpu->lock_word, *lock = &RT_SHARED->vcpus[vcpu->index].word;

	vcpu->lock_word = 0;
	/*
	 * Nobody changes the word of a living holder, so a load and a store suffice. If it is
	 * another one, somebody scribbled: the slot is not ours to give any more.
	 */
	if (likely(__atomic_load_n(lock, __ATOMIC_RELAXED) == word))
		__atomic_store_n(lock, word & ~IDENTITY, __ATOMIC_RELEASE);
}

/* What programs have sent to their task comes when it holds nothing any more. */
static void __attribute__((noinline)) give_back_and_send(struct rt_vcpu *vcpu)
{
	struct rt_task task;
	u8 signals[ARRAY_SIZE(vcpu->signals)];
	u32 nr = vcpu->nr_signals;

	memcpy(&task, &vcpu->task, sizeof(task));
	memcpy(signals, vcpu->signals, sizeof(signals));
	give_back(vcpu);
	rt_signals_send(&task, signals, nr);
}

void rt_vcpu_release(struct rt_vcpu *vcpu)
{
	if (unlikely(vcpu->nr_signals))
		give_back_and_send(vcpu);
	else
		give_back(vcpu);
}

void rt_grace_begin(struct rt_grace *snapshot)
{
	/*
	 * Adding nothing orders as a store does: what was unpublished before this point is seen
	 * unpublished by every acquisition after it.
	 */
	for (u32 i = 0; i < RT_VCPU_MAX; i++)
		snapshot->seen[i] =
			i < RT_CONTROL->nr_vcpus
				? __atomic_fetch_add(&RT_SHARED->vcpus[i].word, 0, __ATOMIC_SEQ_CST)
				: 0;
}

bool rt_grace_over(struct rt_grace *snapshot)
{
	bool over = true;

	for (u32 i = 0; i < RT_CONTROL->nr_vcpus; i++) {
		u64 seen = snapshot->seen[i];

		if (!(seen & TID_MASK))
			continue;
		if (__atomic_load_n(&RT_SHARED->vcpus[i].word, __ATOMIC_ACQUIRE) == seen &&
		    !holder_dead(seen)) {
			over = false;
			continue;
		}
		snapshot->seen[i] = 0;
	}
	return over;
}
