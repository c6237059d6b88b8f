/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The system calls that the data plane makes, typed. Each returns what the kernel returns: -errno
 * on failure. Nothing else in the data plane enters the kernel, except the agent's notifying
 * instruction.
 */
#ifndef SKEP_RT_SYS_H
#define SKEP_RT_SYS_H

#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/futex.h>
#include <linux/time_types.h>
#include "base/types.h"
#include "rt/x86_64/syscall.h"

/* <linux/uio.h> clashes with libc's <sys/uio.h> in hosted sources. */
struct rt_iovec {
	u64 base;
	u64 length;
};

static inline u32 rt_sys_gettid(void)
{
	return (u32)rt_syscall0(__NR_gettid);
}

static inline u32 rt_sys_getpid(void)
{
	return (u32)rt_syscall0(__NR_getpid);
}

static inline void rt_sys_yield(void)
{
	rt_syscall0(__NR_sched_yield);
}

static inline long rt_sys_futex(u32 *word, s32 op, u32 value,
				const struct __kernel_timespec *timeout)
{
	return rt_syscall4(__NR_futex, (u64)word, (u64)op, value, (u64)timeout);
}

/*
 * Does a thread with this id live in this process's pid namespace? Signal 0 would also find a
 * zombie; a priority-inheriting futex that names it as its owner tells the two apart, asks for no
 * permission and needs no descriptor: ESRCH says that the owner has exited.
 */
static inline bool rt_sys_thread_exists(u32 tid)
{
	u32 word = tid;
	long error = rt_sys_futex(&word, FUTEX_TRYLOCK_PI | FUTEX_PRIVATE_FLAG, 0, NULL);

	if (error == -ENOSYS)
		error = rt_syscall3(__NR_tkill, tid, 0, 0);
	return error != -ESRCH;
}

static inline long rt_sys_clock_gettime(s32 clock, struct __kernel_timespec *time)
{
	return rt_syscall3(__NR_clock_gettime, (u64)clock, (u64)time, 0);
}

/* process_vm_readv(2), writev: bytes copied, which may be fewer than asked, or -errno. */
static inline long rt_sys_vm_read(u32 pid, void *dst, u64 address, u64 size)
{
	struct rt_iovec local = { (u64)dst, size }, remote = { address, size };

	return rt_syscall6(__NR_process_vm_readv, pid, (u64)&local, 1, (u64)&remote, 1, 0);
}

static inline long rt_sys_vm_write(u32 pid, u64 address, const void *src, u64 size)
{
	struct rt_iovec local = { (u64)src, size }, remote = { address, size };

	return rt_syscall6(__NR_process_vm_writev, pid, (u64)&local, 1, (u64)&remote, 1, 0);
}

#endif
