/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The façade: absolute paths of tracefs, bpffs and a few others stand for files in the hive's
 * directory. The call is made with a changed pointer; the text it points to is interned, since the
 * kernel may read it again when it restarts the call after a signal handler that opened files of
 * its own.
 */
#include <asm/stat.h>
#include <asm/statfs.h>
#include <linux/stat.h>
#include "agent/agent.h"
#include "agent/facade.h"

#define PATH_SIZE 4096

/* Which argument registers of a system call are paths: bit 0 rdi, bit 1 rsi, bit 3 r10. */
enum { DI = 1, SI = 2, R10 = 8 };

static u8 path_arguments(u32 nr)
{
	switch (nr) {
	case __NR_open:
	case __NR_creat:
	case __NR_stat:
	case __NR_lstat:
	case __NR_access:
	case __NR_readlink:
	case __NR_statfs:
	case __NR_mkdir:
	case __NR_rmdir:
	case __NR_unlink:
	case __NR_chmod:
	case __NR_chown:
	case __NR_lchown:
	case __NR_chdir:
	case __NR_utime:
	case __NR_utimes:
	case __NR_getxattr:
	case __NR_lgetxattr:
	case __NR_listxattr:
	case __NR_llistxattr:
	case __NR_setxattr:
	case __NR_lsetxattr:
	case __NR_removexattr:
	case __NR_lremovexattr:
	case __NR_truncate: return DI;
	case __NR_rename: return DI | SI;
	case __NR_renameat:
	case __NR_renameat2: return SI | R10;
	default: return SI; /* the *at family */
	}
}

/* "/sys/" or "/proc/" decide nearly every path with one load. */
static bool may_concern(u64 address, bool *ret_proc)
{
	char head[8];

	*ret_proc = false;
	/* Strings shorter than eight bytes may end at a hole, and are none of ours. */
	if (!address || agent_copy_in(head, address, sizeof(head)) || head[0] != '/')
		return false;
	if (memcmp(head, "/sys/", 5) == 0)
		return true;
	*ret_proc = memcmp(head, "/proc/", 6) == 0;
	return *ret_proc;
}

static long copy_string(char *out, u64 address, u64 size)
{
	u64 i;

	for (i = 0; i < size; i++) {
		if (agent_copy_in(out + i, address + i, 1))
			return -1;
		if (!out[i])
			return (long)i;
	}
	return -1;
}

/* The same text at an address that stays; 0 when there is no room for another. */
static u64 intern(const char *text, u32 length)
{
	struct agent_state *state = AGENT_STATE;
	u32 at = 0, used, size = length + 1;

	used = __atomic_load_n(&state->strings_used, __ATOMIC_ACQUIRE);
	while (at < used && at + size <= sizeof(state->strings)) {
		const char *known = state->strings + at;
		u32 n = 0;

		if (memcmp(known, text, size) == 0)
			return (u64)known;
		while (at + n < used && known[n])
			n++;
		at += n + 1;
	}
	do {
		if (used + size > sizeof(state->strings))
			return 0;
	} while (!__atomic_compare_exchange_n(&state->strings_used, &used, used + size, false,
					      __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
	memcpy(state->strings + used, text, size);
	return (u64)(state->strings + used);
}

/* The path in the hive's directory, whose files are there from then on: its length, or 0. */
static u32 rewrite(const char *path, char *out, u32 size)
{
	const char *dir = RT_CONTROL->facade_dir;
	int length = facade_rewrite(path, dir, out, size);

	if (length <= 0)
		return 0;
	if (facade_is_constant(out, dir) &&
	    !__atomic_load_n(&RT_CONTROL->agent->facade_made, __ATOMIC_ACQUIRE))
		agent_command(AGENT_FACADE, NULL, 0);
	return (u32)length;
}

/* The address to give the kernel in place of a path's; 0: its own. */
static u64 redirect(u64 address)
{
	char path[PATH_SIZE], other[PATH_SIZE];
	u32 length;

	if (copy_string(path, address, sizeof(path)) < 0)
		return 0;
	length = rewrite(path, other, sizeof(other));
	return length ? intern(other, length) : 0;
}

/* /proc/.../fdinfo/N of an object: the supervisor has the kernel's text. */
static bool names_fdinfo(u64 address)
{
	char path[64];
	u32 i;

	memset(path, 0, sizeof(path));
	if (copy_string(path, address, sizeof(path)) < 0)
		return false;
	for (i = 0; i + 8 < sizeof(path) && path[i]; i++)
		if (memcmp(path + i, "/fdinfo/", 8) == 0)
			return true;
	return false;
}

static bool opens(u32 nr)
{
	return nr == __NR_open || nr == __NR_openat || nr == __NR_openat2;
}

/*
 * A program may come into a directory of the façade step by step ("/sys", then "fs", then "bpf"):
 * it is moved when it has arrived.
 */
void agent_chdir_done(struct agent_call *call)
{
	char path[PATH_SIZE], other[PATH_SIZE];

	if (call->regs->ax || rt_syscall3(__NR_getcwd, (u64)path, sizeof(path), 0) <= 0)
		return;
	if (rewrite(path, other, sizeof(other)))
		rt_syscall3(__NR_chdir, (u64)other, 0, 0);
}

bool agent_may_be_object(u64 fd)
{
	struct stat st;

	if (rt_syscall3(__NR_fstat, fd, (u64)&st, 0) != 0)
		return false;
	/* Descriptors of objects are FIFOs without a name, pins empty files beside the façade's. */
	if ((st.st_mode & S_IFMT) == S_IFIFO)
		return !st.st_nlink;
	return (st.st_mode & S_IFMT) == S_IFREG && !st.st_size &&
	       st.st_dev == RT_CONTROL->facade_device;
}

void agent_open_done(struct agent_call *call)
{
	struct agent_ticket attr = { .fd = (u32)call->regs->ax };

	if ((s64)call->regs->ax >= 0 && agent_may_be_object(call->regs->ax))
		agent_command(AGENT_OPENED, &attr, sizeof(attr));
}

/* A path from somewhere in the façade does not show it. */
static bool opens_relative(u64 address)
{
	char first;

	return RT_CONTROL->agent->interest[__NR_read] & AGENT_WANT_SPECIAL &&
	       !agent_copy_in(&first, address, 1) && first != '/';
}

enum agent_verdict agent_do_path(struct agent_call *call)
{
	struct rt_pt_regs *regs = call->regs;
	u64 *first, *second, to;
	u8 which = path_arguments(call->frame.nr);
	bool proc, changed = false;

	if (call->frame.nr == __NR_chdir || call->frame.nr == __NR_fchdir) {
		call->frame.kind = AGENT_KIND_CHDIR;
		changed = true;
	}
	if (call->frame.nr == __NR_fchdir)
		return AGENT_FRAMED;
	first = which & DI ? &regs->di : &regs->si;
	second = which == (DI | SI) ? &regs->si : which & R10 ? &regs->r10 : NULL;
	if (may_concern(*first, &proc)) {
		if (proc)
			return opens(call->frame.nr) && names_fdinfo(*first) ? AGENT_NOTIFY
			       : changed				     ? AGENT_FRAMED
									     : AGENT_GO;
		to = redirect(*first);
		if (to) {
			call->frame.flags |= which & DI ? AGENT_SAVED_DI : AGENT_SAVED_SI0;
			call->frame.saved[0] = *first;
			*first = to;
			changed = true;
		}
	}
	if (second && may_concern(*second, &proc) && !proc) {
		to = redirect(*second);
		if (to) {
			call->frame.flags |= which & R10 ? AGENT_SAVED_R10 : AGENT_SAVED_SI1;
			call->frame.saved[1] = *second;
			*second = to;
			changed = true;
		}
	}
	if (changed && (call->frame.nr == __NR_statfs))
		call->frame.kind = AGENT_KIND_STATFS;
	if (opens(call->frame.nr) && (changed || opens_relative(*first))) {
		call->frame.kind = AGENT_KIND_OPEN;
		return AGENT_FRAMED;
	}
	return changed ? AGENT_FRAMED : AGENT_GO;
}

/* The file-system types that clients look for (uapi/linux/magic.h). */
#define TRACEFS_MAGIC 0x74726163L
#define BPF_FS_MAGIC  0xcafe4a11L

/* After statfs of a redirected path: the type is that of what the path stands for. */
void agent_statfs_done(struct agent_call *call)
{
	struct rt_pt_regs *regs = call->regs;
	long type = 0;
	char path[32];

	if (regs->ax || agent_copy_in(path, regs->di, 16))
		return;
	if (memcmp(path, "/sys/fs/bpf", 11) == 0)
		type = BPF_FS_MAGIC;
	else if (memcmp(path, "/sys/kernel/", 12) == 0)
		type = TRACEFS_MAGIC;
	if (type)
		agent_copy_out(regs->si, &type, sizeof(type));
}
