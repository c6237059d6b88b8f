/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The filter is short because nearly every call of an entered process comes from the agent's text
 * and is decided by the instruction pointer alone: that test stands first. Whatever comes from
 * elsewhere is a site the agent has not reached, so the supervisor gets it: no sys_enter event is
 * lost. The exceptions are calls that must not be delayed (returning from a signal handler, a
 * restart), mapping the arena (at the exec stop, before there is an agent), and programs of another
 * architecture.
 */
#include "gate/filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "agent/facade.h"
#include "agent/protocol.h"
#include "rt/arena.h"

#define X32_SYSCALL_BIT 0x40000000u
#define LOW(value)	((u32)(value))
#define HIGH(value)	((u32)((u64)(value) >> 32))

#define FIELD(name)	 ((u32)offsetof(struct seccomp_data, name))
#define ARGUMENT_HIGH(n) (FIELD(args) + 8 * (n) + 4)

_Static_assert(LOW(RT_TEXT_BASE) == 0, "the filter compares the low word with the size alone");
_Static_assert(RT_TEXT_SIZE < (1UL << 32), "text lies under one high word");

/* A jump to one of the ends, which lie at places known only when the filter is complete. */
enum end { END_ALLOW = 0xfe, END_NOTIFY = 0xfd, END_SKIP = 0xfc };

struct writer {
	struct sock_filter *insns;
	u32 nr;
};

static void put(struct writer *writer, u16 code, u32 k, u8 jt, u8 jf)
{
	writer->insns[writer->nr++] = (struct sock_filter){ code, jt, jf, k };
}

static void put_load(struct writer *writer, u32 offset)
{
	put(writer, BPF_LD | BPF_W | BPF_ABS, offset, 0, 0);
}

/* Where an end lies, as a distance from instruction index; plain distances stay. */
static u8 resolve(u8 target, u32 index, u32 ends)
{
	switch (target) {
	case END_NOTIFY: return (u8)(ends - index - 1);
	case END_SKIP: return (u8)(ends + 1 - index - 1);
	case END_ALLOW: return (u8)(ends + 2 - index - 1);
	default: return target;
	}
}

/* Writes the ends and lets the jumps go there. */
static void put_ends(struct writer *writer)
{
	u32 ends = writer->nr;

	put(writer, BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF, 0, 0);
	put(writer, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 0, 0, 0);
	put(writer, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
	for (u32 i = 0; i < ends; i++) {
		struct sock_filter *insn = &writer->insns[i];

		if (BPF_CLASS(insn->code) != BPF_JMP)
			continue;
		insn->jt = resolve(insn->jt, i, ends);
		insn->jf = resolve(insn->jf, i, ends);
	}
}

/* "The number is nr": goes on with the test of one high argument word, within [first, last]. */
static void put_argument_rule(struct writer *writer, u32 nr, u32 argument, u32 first, u32 last)
{
	put(writer, BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 3);
	put_load(writer, ARGUMENT_HIGH(argument));
	put(writer, BPF_JMP | BPF_JGE | BPF_K, first, 0, END_NOTIFY);
	put(writer, BPF_JMP | BPF_JGT | BPF_K, last, END_NOTIFY, END_ALLOW);
}

u32 filter_build(struct sock_filter *ret_insns, const struct filter_options *options)
{
	static const u32 undelayed[] = { SYS_rt_sigreturn, SYS_restart_syscall };
	static const u32 mapping[] = { SYS_mmap, SYS_munmap, SYS_mprotect };
	struct writer writer = { .insns = ret_insns };

	put_load(&writer, FIELD(instruction_pointer) + 4);
	put(&writer, BPF_JMP | BPF_JEQ | BPF_K, HIGH(RT_TEXT_BASE), 0, 4);
	put_load(&writer, FIELD(instruction_pointer));
	put(&writer, BPF_JMP | BPF_JEQ | BPF_K, LOW(options->notify_ip),
	    options->notify_ip ? END_NOTIFY : 0, 0);
	put(&writer, BPF_JMP | BPF_JEQ | BPF_K, LOW(options->restorer_ip),
	    options->restorer_ip ? END_SKIP : 0, 0);
	put(&writer, BPF_JMP | BPF_JGE | BPF_K, LOW(RT_TEXT_SIZE), 0, END_ALLOW);

	put_load(&writer, FIELD(arch));
	put(&writer, BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 0, END_ALLOW);
	put_load(&writer, FIELD(nr));
	put(&writer, BPF_JMP | BPF_JGE | BPF_K, X32_SYSCALL_BIT, END_ALLOW, 0);
	for (u32 i = 0; i < ARRAY_SIZE(undelayed); i++)
		put(&writer, BPF_JMP | BPF_JEQ | BPF_K, undelayed[i], END_ALLOW, 0);
	for (u32 i = 0; i < ARRAY_SIZE(mapping); i++)
		put_argument_rule(&writer, mapping[i], 0, HIGH(RT_ARENA_BASE),
				  HIGH(RT_ARENA_BASE + RT_ARENA_SIZE - 1));
	put_argument_rule(&writer, SYS_sendmsg, 2, options->handover, options->handover);

	put_ends(&writer);
	return writer.nr;
}

int filter_install(const struct sock_filter *insns, u32 nr_insns)
{
	struct sock_fprog prog = { .len = (unsigned short)nr_insns,
				   .filter = (struct sock_filter *)insns };
	/* Newest first: older kernels answer EINVAL to a flag they do not know. */
	static const unsigned flags[] = {
		SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV |
			SECCOMP_FILTER_FLAG_SPEC_ALLOW,
		SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_SPEC_ALLOW,
		SECCOMP_FILTER_FLAG_NEW_LISTENER,
	};
	long fd = -1;

	for (u32 i = 0; i < ARRAY_SIZE(flags); i++) {
		fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags[i], &prog);
		if (fd >= 0)
			return (int)fd;
		if (errno != EINVAL)
			break;
	}
	return -errno;
}

bool filter_is_around(void)
{
	return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == SECCOMP_MODE_FILTER;
}

void filter_probe(void)
{
	struct agent_hive_info info;

	/* Without its attributes nothing can be opened: that is the kernel's answer, or ours. */
	if (syscall(SYS_bpf, AGENT_HIVE_INFO, &info, sizeof(info)) < 0 ||
	    (syscall(SYS_perf_event_open, NULL, 0, 0, -1, 0) < 0 && errno != EFAULT))
		syscall(AGENT_FOR_BPF, AGENT_DENIED, 0, 0);
}
