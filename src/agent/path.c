/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The façade: paths of tracefs, bpffs and a few others stand for files in the hive's directory. A
 * call on one is made right here, with the other path: none waits for anybody but the opening of a
 * pipe. That is made by the application with a changed pointer; the text it points to is interned,
 * since the kernel may read it again when it restarts the call after a signal handler.
 */
#include <asm/stat.h>
#include <asm/statfs.h>
#include <linux/stat.h>
#include "agent/agent.h"
#include "agent/walk.h"

#define AT_FDCWD -100
#define E_PERM	 1
#define E_FAULT	 14
#define E_RANGE	 34

/* struct open_how (linux/openat2.h). */
#define HOW_RESOLVE	 16   /* offset */
#define RESOLVE_CONFINED 0x18 /* BENEATH, IN_ROOT: paths are not those of everybody */

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
	case __NR_mknod:
	case __NR_truncate: return DI;
	case __NR_link:
	case __NR_rename: return DI | SI;
	case __NR_linkat:
	case __NR_renameat:
	case __NR_renameat2: return SI | R10;
	default: return SI; /* the *at family */
	}
}

/* The directory from which a path in rsi is found, if it is relative. */
static s32 directory_argument(u32 nr, const struct rt_pt_regs *regs)
{
	switch (nr) {
	case __NR_rename:
	case __NR_link:
	case __NR_symlink:
	case __NR_inotify_add_watch: return AT_FDCWD;
	default: return (s32)regs->di;
	}
}

enum concern { NONE, PROC, SYS, RELATIVE };

/* "/sys/" or "/proc/" decide nearly every absolute path, its first name nearly every other one. */
static enum concern concern_of(u64 address)
{
	char head[24];
	u32 i;

	if (!address)
		return NONE;
	if (agent_copy_in(head, address, sizeof(head) - 1)) {
		/* It may end at a hole. */
		for (i = 0; i + 1 < sizeof(head); i++)
			if (agent_copy_in(head + i, address + i, 1) || !head[i])
				break;
		head[i] = '\0';
	}
	head[sizeof(head) - 1] = '\0';
	if (head[0] != '/')
		return facade_may_begin(head) ? RELATIVE : NONE;
	if (memcmp(head, "/sys/", 5) == 0 || head[1] == '/' || head[1] == '.')
		return SYS;
	return memcmp(head, "/proc/", 6) == 0 ? PROC : NONE;
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

/* The directory that a descriptor or AT_FDCWD stands for, as the kernel names it: false if it
 * cannot. */
static bool directory_of(s32 fd, char *out, u64 size)
{
	char link[32] = "/proc/self/fd/";
	u32 n = 14, digits = 1;
	long length;

	if (fd == AT_FDCWD)
		return rt_syscall3(__NR_getcwd, (u64)out, size, 0) > 0 && out[0] == '/';
	if (fd < 0)
		return false;
	for (s32 rest = fd; rest > 9; rest /= 10)
		digits++;
	for (u32 i = digits; i; i--, fd /= 10)
		link[n + i - 1] = (char)('0' + fd % 10);
	link[n + digits] = '\0';
	length = rt_syscall3(__NR_readlink, (u64)link, (u64)out, size);
	if (length <= 0 || (u64)length >= size || out[0] != '/')
		return false;
	out[length] = '\0';
	return true;
}

/* Files that are the same in every hive are there from the moment that somebody looks for one. */
static void look_for(const char *path)
{
	if (facade_is_constant(path, RT_CONTROL->facade_dir) &&
	    !__atomic_load_n(&RT_CONTROL->agent->facade_made, __ATOMIC_ACQUIRE))
		agent_command(AGENT_FACADE, NULL, 0);
}

/* The area's stack is small: paths lie on it as long as they are needed. */
#define NOINLINE __attribute__((noinline))

/* Writes what to give the kernel in place of a path: its length, 0 for the path itself. */
static NOINLINE u32 redirect(s32 dirfd, u64 address, enum concern concern, char *out)
{
	struct facade_walker walker;
	char given[FACADE_PATH_MAX];
	int length;

	if (copy_string(given, address, sizeof(given)) < 0 ||
	    (concern == RELATIVE && !directory_of(dirfd, out, FACADE_PATH_MAX)))
		return 0;
	/* Where it begins is read before the first character of the result is written. */
	length = facade_walk(&walker, out, given, RT_CONTROL->facade_dir, out, FACADE_PATH_MAX);
	if (length <= 0)
		return 0;
	look_for(out);
	return (u32)length;
}

/* /proc/.../fdinfo/N of an object, or kallsyms: the supervisor has the text. */
static bool names_proc_file(u64 address)
{
	static const char kallsyms[] = "/proc/kallsyms";
	char path[64];
	u32 i;

	memset(path, 0, sizeof(path));
	if (copy_string(path, address, sizeof(path)) < 0)
		return false;
	if (memcmp(path, kallsyms, sizeof(kallsyms)) == 0)
		return true;
	for (i = 0; i + 8 < sizeof(path) && path[i]; i++)
		if (memcmp(path + i, "/fdinfo/", 8) == 0)
			return true;
	return false;
}

static bool opens(u32 nr)
{
	return nr == __NR_open || nr == __NR_openat || nr == __NR_openat2 || nr == __NR_creat;
}

/*
 * A program may come into a directory of the façade by a symbolic link: it is moved when it has
 * arrived.
 */
void agent_chdir_done(struct agent_call *call)
{
	char path[FACADE_PATH_MAX], other[FACADE_PATH_MAX];

	if (call->regs->ax || !directory_of(AT_FDCWD, path, sizeof(path)))
		return;
	if (facade_rewrite(path, RT_CONTROL->facade_dir, other, sizeof(other)) <= 0)
		return;
	look_for(other);
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

/* openat2(2) with a root of its own, or none above it. */
static bool is_confined(const struct rt_pt_regs *regs)
{
	u64 resolve;

	return !agent_copy_in(&resolve, regs->dx + HOW_RESOLVE, sizeof(resolve)) &&
	       resolve & RESOLVE_CONFINED;
}

/* A path argument of the call, and where its new text is to lie. */
struct argument {
	u64 *reg, given;
	u32 length; /* of the new text, 0: it stays */
	char text[FACADE_PATH_MAX];
};

static void look_at(struct argument *argument, u64 *reg, s32 dirfd, enum concern concern)
{
	argument->reg = reg;
	argument->given = *reg;
	argument->length = concern == SYS || concern == RELATIVE
				   ? redirect(dirfd, *reg, concern, argument->text)
				   : 0;
}

static enum agent_verdict make_here(struct agent_call *call, struct argument *first,
				    struct argument *second)
{
	struct rt_pt_regs *regs = call->regs;

	if (first->length)
		*first->reg = (u64)first->text;
	if (second->length)
		*second->reg = (u64)second->text;
	regs->ax = (u64)rt_syscall6(call->frame.nr, regs->di, regs->si, regs->dx, regs->r10,
				    regs->r8, regs->r9);
	*first->reg = first->given;
	if (second->length)
		*second->reg = second->given;
	if (call->frame.kind == AGENT_KIND_STATFS)
		agent_statfs_done(call);
	else if (opens(call->frame.nr))
		agent_open_done(call);
	return AGENT_DONE;
}

/* trace_pipe and trace_marker: with the supervisor gone their opening waits. */
static bool is_pipe(const char *path, u32 length)
{
	static const char begin[] = "trace_";
	u32 i;

	while (length && path[length - 1] != '/')
		length--;
	for (i = 0; begin[i] && path[length + i] == begin[i]; i++)
		;
	return !begin[i];
}

/* The file-system types that clients look for (uapi/linux/magic.h). */
#define TRACEFS_MAGIC 0x74726163L
#define BPF_FS_MAGIC  0xcafe4a11L
#define SYSFS_MAGIC   0x62656572L

/* What a path in the hive's directory stands for; 0: nothing. */
static NOINLINE u64 type_of(const char *path)
{
	char origin[FACADE_PATH_MAX];

	if (facade_origin(path, RT_CONTROL->facade_dir, origin, sizeof(origin)) <= 0)
		return 0;
	if (memcmp(origin, "/sys/fs/bpf", 11) == 0)
		return BPF_FS_MAGIC;
	return memcmp(origin, "/sys/kernel/", 12) == 0 ? TRACEFS_MAGIC : SYSFS_MAGIC;
}

enum agent_verdict agent_do_path(struct agent_call *call)
{
	struct rt_pt_regs *regs = call->regs;
	u32 nr = call->frame.nr;
	u8 which = path_arguments(nr);
	struct argument first, second;
	u64 *reg = which & DI ? &regs->di : &regs->si, to;
	enum concern concern;

	if (nr == __NR_chdir)
		call->frame.kind = AGENT_KIND_CHDIR;
	if (opens(nr) && concern_of(*reg) == PROC)
		return names_proc_file(*reg) ? AGENT_NOTIFY : AGENT_GO;
	second.length = first.length = 0;
	concern = concern_of(*reg);
	/* What a name within the façade is has to be told, too. */
	if (nr == __NR_statfs && concern == NONE)
		concern = RELATIVE;
	if (nr != __NR_openat2 || !is_confined(regs))
		look_at(&first, reg, which & DI ? AT_FDCWD : directory_argument(nr, regs), concern);
	if (which == (DI | SI))
		look_at(&second, &regs->si, AT_FDCWD, concern_of(regs->si));
	else if (which & R10)
		look_at(&second, &regs->r10, (s32)regs->dx, concern_of(regs->r10));
	if (!first.length && !second.length) {
		if (opens(nr) && opens_relative(*reg))
			call->frame.kind = AGENT_KIND_OPEN;
		return call->frame.kind != AGENT_KIND_PLAIN ? AGENT_FRAMED : AGENT_GO;
	}
	/* A bpf file system has no other files; here somebody could wait for one. */
	if (nr == __NR_mknod || nr == __NR_mknodat) {
		regs->ax = (u64)-E_PERM;
		return AGENT_DONE;
	}
	if (nr == __NR_statfs) {
		call->frame.kind = AGENT_KIND_STATFS;
		call->frame.saved[1] = type_of(first.text);
	}
	to = opens(nr) && is_pipe(first.text, first.length) ? intern(first.text, first.length) : 0;
	if (!to)
		return make_here(call, &first, &second);
	call->frame.flags |= which & DI ? AGENT_SAVED_DI : AGENT_SAVED_SI0;
	call->frame.saved[0] = first.given;
	*reg = to;
	return AGENT_FRAMED;
}

enum agent_verdict agent_do_fchdir(struct agent_call *call)
{
	call->frame.kind = AGENT_KIND_CHDIR;
	return AGENT_FRAMED;
}

/* Its path is in a register that no frame restores. */
enum agent_verdict agent_do_symlinkat(struct agent_call *call)
{
	struct argument path, none = { .length = 0 };

	look_at(&path, &call->regs->dx, (s32)call->regs->si, concern_of(call->regs->dx));
	return path.length ? make_here(call, &path, &none) : AGENT_GO;
}

enum agent_verdict agent_do_getcwd(struct agent_call *call)
{
	struct rt_pt_regs *regs = call->regs;
	char path[FACADE_PATH_MAX], origin[FACADE_PATH_MAX];
	int length = 0;

	if (directory_of(AT_FDCWD, path, sizeof(path)))
		length = facade_origin(path, RT_CONTROL->facade_dir, origin, sizeof(origin));
	if (length <= 0)
		return AGENT_GO;
	regs->ax = (u64)length + 1;
	if (regs->si < (u64)length + 1)
		regs->ax = (u64)-E_RANGE;
	else if (agent_copy_out(regs->di, origin, (u64)length + 1))
		regs->ax = (u64)-E_FAULT;
	return AGENT_DONE;
}

enum agent_verdict agent_do_fstatfs(struct agent_call *call)
{
	call->frame.kind = AGENT_KIND_STATFS;
	return AGENT_FRAMED;
}

/* The type is that of what the path stands for. */
void agent_statfs_done(struct agent_call *call)
{
	struct rt_pt_regs *regs = call->regs;
	u64 type = call->frame.saved[1];
	char path[FACADE_PATH_MAX];

	if (regs->ax)
		return;
	if (call->frame.nr == __NR_fstatfs)
		type = directory_of((s32)regs->di, path, sizeof(path)) ? type_of(path) : 0;
	if (type)
		agent_copy_out(regs->si, &type, sizeof(type));
}
