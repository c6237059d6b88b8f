/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who is this thread? The agent cannot have thread-local storage, and gettid(2) costs as much as
 * the system calls it watches, so identity is kept in a table by the thread pointer (fs base):
 * entered when a thread is first met, renewed after clone, forgotten at exit, wiped by the kernel
 * in a forked child.
 *
 * Two processes that share memory and thread pointer are a vfork parent and its child: the parent
 * sleeps while the child has the entry, and takes it back.
 */
#include <linux/prctl.h>
#include "agent/agent.h"
#include "rt/vcpu.h"

#define PROBES	    64
#define ARCH_GET_FS 0x1003

static u64 thread_pointer(void)
{
	u64 base = 0;

	if (likely(AGENT_STATE->fsgsbase))
		__asm__ volatile("rdfsbase %0" : "=r"(base));
	else
		rt_syscall3(__NR_arch_prctl, ARCH_GET_FS, (u64)&base, 0);
	return base;
}

static u64 thread_key(void)
{
	if (unlikely(AGENT_STATE->ambiguous))
		return (u64)rt_sys_gettid() << 1 | 1;
	return thread_pointer() | 1;
}

static u32 slot_of(u64 key)
{
	return (key * 0x9e3779b97f4a7c15UL) >> 52;
}

static struct agent_thread *thread_find(u64 key, bool make)
{
	struct agent_threads *table = AGENT_THREADS_TABLE;
	u32 slot = slot_of(key);
	u32 i;

	for (i = 0; i < PROBES; i++) {
		struct agent_thread *thread = &table->slots[(slot + i) % AGENT_THREADS];
		u64 seen = __atomic_load_n(&thread->key, __ATOMIC_ACQUIRE);

		if (seen == key)
			return thread;
		if (seen)
			continue;
		if (!make)
			return NULL;
		if (__atomic_compare_exchange_n(&thread->key, &seen, key, false, __ATOMIC_ACQ_REL,
						__ATOMIC_ACQUIRE) ||
		    seen == key)
			return thread;
	}
	if (!make)
		return NULL;
	/* Full around here: take over the entry of a thread that is gone. */
	for (i = 0; i < PROBES; i++) {
		struct agent_thread *thread = &table->slots[(slot + i) % AGENT_THREADS];
		u64 seen = __atomic_load_n(&thread->key, __ATOMIC_ACQUIRE);

		if (!__atomic_load_n(&thread->tid, __ATOMIC_ACQUIRE) &&
		    __atomic_compare_exchange_n(&thread->key, &seen, key, false, __ATOMIC_ACQ_REL,
						__ATOMIC_ACQUIRE))
			return thread;
	}
	/* Thousands of threads: the last probe is shared, and renewed at each use. */
	return &table->slots[(slot + PROBES) % AGENT_THREADS];
}

struct agent_thread *agent_thread_register(u32 sighand, u32 blocked)
{
	u64 key = thread_key();
	struct agent_thread *thread = thread_find(key, true);
	bool first = false;

	/* The table was wiped: this is the first thread of a process. */
	if (!__atomic_exchange_n(&AGENT_THREADS_TABLE->begun, 1, __ATOMIC_ACQ_REL))
		first = true;
	if (first) {
		rt_process_begin(AGENT_STATE->foreign_pid_ns, AGENT_STATE->start_boot_ns);
		AGENT_STATE->start_boot_ns = 0; /* forked children begin when they begin */
	}

	thread->key = key;
	thread->tgid = rt_sys_getpid();
	if (first) {
		AGENT_FDS->head.born = __builtin_ia32_rdtsc();
		__atomic_store_n(&AGENT_FDS->head.owner, thread->tgid, __ATOMIC_RELEASE);
	}
	thread->sighand = sighand;
	thread->blocked = blocked;
	thread->handling[0] = thread->handling[1] = thread->handling[2] = 0;
	__atomic_store_n(&thread->tid, rt_sys_gettid(), __ATOMIC_RELEASE);
	return thread;
}

void agent_name_tracer(void)
{
	u32 tracer = RT_CONTROL->agent->tracer;

	if (tracer && !AGENT_STATE->foreign_pid_ns)
		rt_syscall6(__NR_prctl, PR_SET_PTRACER, tracer, 0, 0, 0, 0);
}

struct agent_thread *agent_thread_current(void)
{
	struct agent_thread *thread = thread_find(thread_key(), false);

	if (likely(thread && thread->tid))
		return thread;
	return agent_thread_register(0, 0);
}

void agent_thread_exit(struct agent_area *area)
{
	struct agent_thread *thread = agent_thread_current();
	struct rt_pt_regs *regs = &area->regs;
	u8 want = RT_CONTROL->agent->interest[__NR_exit];

	regs->orig_ax = __NR_exit;
	if (want & AGENT_WANT_ENTER) {
		regs->ax = (u64)-38; /* ENOSYS, as the kernel shows it at entry */
		agent_fire_enter(thread, regs);
	}
	agent_fire_process_exit(thread, false);
	regs->ax = __NR_exit;
	/* A signal must not find the thread on a stack that is another's by then. */
	agent_block_all();
	__atomic_store_n(&thread->tid, 0, __ATOMIC_RELEASE);
}
