/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vCPUs: the nr_vcpus places where programs can run at one time. A slot is a lock word in the data
 * segment (who holds it, over all processes) and memory at the same address in each process's own
 * private segment: the stack that programs and the agent run on, scratch, and the current task.
 *
 * A thread that fires an event takes the slot of the CPU it is on, or the next free one. Whatever
 * it does while it holds the slot is bounded: it never blocks. A slot whose owner died is taken
 * over. A signal handler that interrupts a program may take another slot; if this thread holds all
 * slots, the event is counted as a recursion miss.
 */
#ifndef SKEP_RT_VCPU_H
#define SKEP_RT_VCPU_H

#include <linux/bpf.h>
#include "rt/arena.h"
#include "rt/task_model.h"

#define RT_BPF_STACK_SIZE    512 /* per frame, MAX_BPF_STACK of include/linux/filter.h */
#define RT_BPF_FRAMES_MAX    8	 /* MAX_CALL_FRAMES of include/linux/bpf_verifier.h */
#define RT_FRAMES	     64	 /* tail calls out of subprograms add to those 8 */
#define RT_TAIL_CALL_MAX     33	 /* MAX_TAIL_CALL_CNT */
/* A tail-called program may read 8192 bytes of a context, and what was before it stays whole. */
#define RT_VCPU_SCRATCH_SIZE (12UL << 10)
#define RT_BITS_PLACES	     8	 /* bpf_iter_bits over more than one word, at one time */
#define RT_BITS_WORDS	     511 /* BITS_ITER_NR_WORDS_MAX */

struct rt_map;
struct rt_vcpu;

/*
 * What a helper asks of the supervisor, when the program runs there at a client's wish
 * (BPF_PROG_TYPE_SYSCALL): func_id and its arguments.
 */
typedef u64 (*rt_service_fn)(struct rt_vcpu *vcpu, u32 func_id, const u64 args[5]);

/*
 * A program's change to a map of sockets, made by the supervisor: sock goes to key, or, NULL, what
 * is there goes. Results are those of the helpers.
 */
typedef long (*rt_sock_change_fn)(void *arg, const struct rt_map *map, const void *key,
				  const void *sock, u64 flags, struct rt_vcpu *vcpu);

/* The kernel's structure behind the context of a program of this type; 0: there is none. */
typedef u64 (*rt_cast_fn)(void *arg, u32 prog_type, const void *ctx);

/* Who a program runs for. Filled by whoever fires the event; helpers read it. */
struct rt_task {
	u32 pid;  /* thread id, the kernel's "pid" */
	u32 tgid; /* process id */
	/*
	 * 0: the event happened in this very process; its memory is this process's memory, and comm
	 * and ids that are not filled in are asked of the kernel. Otherwise this process is the
	 * supervisor, and the task's memory is reached with process_vm_readv(2) on this thread id.
	 */
	u32 remote_pid;
	u32 flags;
	u32 uid, gid;  /* valid with RT_TASK_HAS_IDS */
	char comm[16]; /* valid with RT_TASK_HAS_COMM, NUL-padded */
	u64 ip, bp;    /* of its user code; valid with RT_TASK_HAS_REGS */
};

#define RT_TASK_HAS_IDS	 1u
#define RT_TASK_HAS_COMM 2u
#define RT_TASK_HAS_REGS 4u

/* A caller that waits for a BPF-to-BPF call to return. */
struct rt_frame {
	const struct rt_prog *prog;
	const struct bpf_insn *resume;
	u64 r6, r7, r8, r9;
	s64 may_goto;	  /* what is left of its loop budget */
	bool tail_called; /* what runs below is another program, called in the place of this one's
			   */
};

struct abi_rt_skb;
struct rt_seq;
struct rt_pt_regs;

/* One slot's private memory. Sits in the private segment, never in shared memory. */
struct rt_vcpu {
	u64 lock_word; /* what the holder wrote into the slot's lock; 0: not held by this process */
	u32 index;     /* what bpf_get_smp_processor_id() returns */
	u32 owner;     /* thread id of the holder */
	u32 tail_calls;
	u32 frame; /* of the running function: its stack is bpf_stack[frame] */
	const struct rt_prog *prog;
	/* For native code (rt/native.h): where this process has what it calls. */
	const struct rt_native_calls *native;
	u32 borrowed;	       /* times that its holder took it once more (sys_vcpu_acquire()) */
	rt_service_fn service; /* NULL: there is nobody to ask */
	void *service_arg;
	rt_sock_change_fn sock_change; /* NULL: no program changes such maps here */
	void *sock_arg;
	rt_cast_fn cast; /* NULL: nobody makes such structures */
	void *cast_arg;
	u64 session_cookie; /* bpf_session_cookie(): of no session, anybody's */
	u64 perf_ctx[3];    /* struct bpf_perf_event_data_kern, if the program asks for it */
	u64 cookie;	    /* of the link that fires, for bpf_get_attach_cookie() */
	/* Of the task, at the system call that fires; NULL: no call fires. */
	const struct rt_pt_regs *user_regs;
	bool entering;	   /* ... before it is made */
	u64 task_regs[21]; /* bpf_task_pt_regs(): a copy */
	/*
	 * Monotonic time at which loops of the running program end, 0: never. Whoever sets it
	 * clears it; rt_prog_out_of_time() looks at it.
	 */
	u64 deadline;
	u32 polls;    /* calls of rt_prog_out_of_time() since then */
	bool stopped; /* a loop was ended */
	const void
		*async; /* the timer or work queue whose callback runs; NULL: none (rt/async.h) */
	bool aborted;	/* the running program ends at once, with 0 */
	bool thrown;	/* ... and unwinds, with cookie_thrown */
	bool ended;	/* functions of native code return to who called the first, which gives 0 */
	u32 call_arg;	/* what the call instruction says beside its arguments (bpf_insn.off) */
	u64 cookie_thrown;
	const struct abi_rt_skb *skb; /* of a netfilter program's run, NULL: none */
	struct rt_seq *seq; /* of the iterator whose program runs, NULL: none (rt/seq.h) */
	u64 clock;	    /* address of this process's __vdso_clock_gettime; 0: raw system call */
	u32 bits_used;	    /* places of bits[] that iterators hold */
	u32 distributed;    /* the CPU that bpf_cpumask_any_distribute() gave last */
	u64 random;	    /* state of bpf_get_prandom_u32(); 0: not seeded yet */
	struct rt_task task;
	s32 retval;	/* of the call that a cgroup program judges: bpf_get_retval() */
	u32 nr_signals; /* for the task, when the vCPU is given back (rt/helper/process.c) */
	u8 signals[4];
	struct rt_frame frames[RT_FRAMES];
	u8 bpf_stack[RT_FRAMES][RT_BPF_STACK_SIZE] __attribute__((aligned(16)));
	u8 scratch[RT_VCPU_SCRATCH_SIZE] __attribute__((aligned(16)));	/* event contexts */
	u8 format[1024] __attribute__((aligned(16)));			/* printk and snprintf */
	u64 bits[RT_BITS_PLACES][RT_BITS_WORDS];			/* long bit sets */
	u8 task_model[RT_TASK_MODEL_SIZE] __attribute__((aligned(64))); /* rt/task_model.h */
} __attribute__((aligned(4096)));
_Static_assert(RT_VCPU_SCRATCH_SIZE >= 8192 + 4096, "contexts");

/* This process, as far as vCPUs are concerned; private memory before the first vCPU. */
struct rt_process {
	u64 nonce;	    /* tells this process image from others that had the same thread ids */
	u64 clock;	    /* see rt_vcpu.clock */
	u64 start_ns;	    /* monotonic, when the process began, as far as is known */
	u64 start_boot_ns;  /* the same by the clock that runs while the machine sleeps */
	u32 is_supervisor;  /* its one thread runs the callbacks of timers */
	u32 foreign_pid_ns; /* thread ids mean nothing to other processes of the hive */
} __attribute__((aligned(4096)));

#define RT_PROCESS ((struct rt_process *)RT_PRIVATE_BASE)
#define RT_VCPUS   ((struct rt_vcpu *)(RT_PROCESS + 1))
_Static_assert(sizeof(struct rt_process) + RT_VCPU_MAX * sizeof(struct rt_vcpu) <=
		       RT_PRIVATE_AGENT_BASE - RT_PRIVATE_BASE,
	       "vCPUs stay in their half of private memory");

/*
 * To be called by the agent where a process begins: at its entry, and in the child of a fork (which
 * inherits a copy of its parent's private memory). foreign_pid_ns: its pid namespace is not the
 * supervisor's, so nobody else can tell whether its threads live. start_boot_ns: when the process
 * began, 0: now.
 */
void rt_process_begin(bool foreign_pid_ns, u64 start_boot_ns);

/*
 * Takes a slot for thread tid. Returns NULL when this thread already holds every slot it could
 * wait for; the caller then counts a miss and goes on without running programs.
 */
struct rt_vcpu *rt_vcpu_acquire(u32 tid);

/* The very slot with this number; NULL: somebody holds it. */
struct rt_vcpu *rt_vcpu_acquire_slot(u32 tid, u32 index);

/*
 * rt_vcpu_acquire() for a system call, which can wait where an event is missed: up to wait_ms
 * longer, for slots whose holders do not run at present.
 */
struct rt_vcpu *rt_vcpu_await(u32 tid, u32 wait_ms);

/* Gives the slot back. */
void rt_vcpu_release(struct rt_vcpu *vcpu);

/*
 * Has every slot been free, or changed hands, at least once since snapshot was taken? The
 * supervisor frees descriptors only after this grace period. rt_grace_begin() fills snapshot;
 * rt_grace_over() says true when it has passed. Dead owners do not hold a grace period up.
 */
struct rt_grace {
	u64 seen[RT_VCPU_MAX];
};
void rt_grace_begin(struct rt_grace *snapshot);
bool rt_grace_over(struct rt_grace *snapshot);

#endif
