/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System calls in which the agent has a part of its own, whether or not anybody listens: one row
 * each with the function that plays it (agent_do_NAME in the sources of this directory). The
 * supervisor reads the numbers to set AGENT_WANT_SPECIAL.
 */
#ifndef SKEP_AGENT_SPECIAL_H
#define SKEP_AGENT_SPECIAL_H

/* X(system call, function) */
#define AGENT_SPECIAL(X)               \
	X(bpf, bpf)                    \
	X(perf_event_open, notify)     \
	X(ioctl, ioctl)                \
	X(mmap, mmap)                  \
	X(munmap, munmap)              \
	X(arch_prctl, arch_prctl)      \
	X(mlockall, mlockall)          \
	X(exit, exit)                  \
	X(exit_group, exit)            \
	X(fork, fork)                  \
	X(vfork, vfork)                \
	X(clone, clone)                \
	X(clone3, clone3)              \
	X(execve, exec)                \
	X(execveat, exec)              \
	X(rt_sigaction, sigaction)     \
	X(rt_sigprocmask, sigprocmask) \
	X(rt_sigsuspend, sigsuspend)   \
	X(ppoll, ppoll)                \
	X(pselect6, pselect6)          \
	X(epoll_pwait, epoll_pwait)    \
	X(epoll_pwait2, epoll_pwait)   \
	X(poll, poll)                  \
	X(select, poll)                \
	X(epoll_wait, poll)            \
	X(open, path)                  \
	X(openat, path)                \
	X(openat2, path)               \
	X(creat, path)                 \
	X(stat, path)                  \
	X(lstat, path)                 \
	X(newfstatat, path)            \
	X(statx, path)                 \
	X(access, path)                \
	X(faccessat, path)             \
	X(faccessat2, path)            \
	X(readlink, path)              \
	X(readlinkat, path)            \
	X(statfs, path)                \
	X(mkdir, path)                 \
	X(mkdirat, path)               \
	X(rmdir, path)                 \
	X(unlink, path)                \
	X(unlinkat, path)              \
	X(rename, path)                \
	X(renameat, path)              \
	X(renameat2, path)             \
	X(chmod, path)                 \
	X(fchmodat, path)              \
	X(chown, path)                 \
	X(lchown, path)                \
	X(fchownat, path)              \
	X(chdir, path)                 \
	X(truncate, path)              \
	X(utimensat, path)             \
	X(utime, path)                 \
	X(utimes, path)                \
	X(getxattr, path)              \
	X(lgetxattr, path)             \
	X(listxattr, path)             \
	X(llistxattr, path)            \
	X(setxattr, path)              \
	X(lsetxattr, path)             \
	X(removexattr, path)           \
	X(lremovexattr, path)          \
	X(inotify_add_watch, path)     \
	X(link, path)                  \
	X(linkat, path)                \
	X(symlink, path)               \
	X(symlinkat, symlinkat)        \
	X(mknod, path)                 \
	X(mknodat, path)               \
	X(getcwd, getcwd)              \
	X(fstatfs, fstatfs)            \
	X(fchdir, fchdir)

/*
 * Those that change what descriptors stand for: the agent has a part in them once the hive has
 * given a descriptor of a map, and not before.
 */
#define AGENT_DESCRIPTOR_SPECIAL(X) \
	X(close, close)             \
	X(close_range, close_range) \
	X(dup2, dup_onto)           \
	X(dup3, dup_onto)           \
	X(unshare, unshare)         \
	X(setns, fds_off)           \
	X(io_uring_setup, fds_off)  \
	X(io_uring_enter, fds_off)  \
	X(io_uring_register, fds_off)

/* Those that read: the agent has a part in them once the hive has given an iterator's link. */
#define AGENT_READ_SPECIAL(X) \
	X(read, read)         \
	X(readv, read)

#endif
