/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The filter's decisions, row by row: a small interpreter of classic BPF runs the program that
 * filter_build() wrote on one system call each, as seccomp would.
 */
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/syscall.h>
#include "gate/filter.h"
#include "harness/tap.h"
#include "rt/arena.h"

#define NOTIFY_IP   (RT_TEXT_BASE + 0x1234)
#define RESTORER_IP (RT_TEXT_BASE + 0x2345)
#define HANDOVER    0xabcdef01u

struct row {
	const char *name;
	struct seccomp_data data;
	u32 verdict;
};

#define ALLOW  SECCOMP_RET_ALLOW
#define NOTIFY SECCOMP_RET_USER_NOTIF
#define SKIP   SECCOMP_RET_ERRNO /* with error 0 */

#define CALL(nr_, ip_, ...)                                                                     \
	{                                                                                       \
		.nr = (nr_), .arch = AUDIT_ARCH_X86_64, .instruction_pointer = (ip_), .args = { \
			__VA_ARGS__                                                             \
		}                                                                               \
	}
#define APP 0x555555554321ul

static const struct row rows[] = {
	{ "a call of the agent", CALL(SYS_getppid, RT_TEXT_BASE + 0x100), ALLOW },
	{ "the last byte of text", CALL(SYS_read, RT_TEXT_BASE + RT_TEXT_SIZE - 1), ALLOW },
	{ "just behind text", CALL(SYS_read, RT_TEXT_BASE + RT_TEXT_SIZE), NOTIFY },
	{ "the notifying instruction", CALL(SYS_bpf, NOTIFY_IP), NOTIFY },
	{ "the notifying instruction, any number", CALL(SYS_getppid, NOTIFY_IP), NOTIFY },
	{ "the agent's restorer", CALL(SYS_rt_sigreturn, RESTORER_IP), SKIP },
	{ "behind the agent's restorer", CALL(SYS_rt_sigreturn, RESTORER_IP + 9), ALLOW },
	{ "the restorer's low word elsewhere", CALL(SYS_rt_sigreturn, APP << 32 | 0x2345), ALLOW },
	{ "same low word elsewhere", CALL(SYS_getppid, APP << 32 | 0x1234), NOTIFY },
	{ "a site that is not rewritten", CALL(SYS_getppid, APP), NOTIFY },
	{ "execve", CALL(SYS_execve, APP), NOTIFY },
	{ "bpf", CALL(SYS_bpf, APP), NOTIFY },
	{ "rt_sigreturn", CALL(SYS_rt_sigreturn, APP), ALLOW },
	{ "restart_syscall", CALL(SYS_restart_syscall, APP), ALLOW },
	{ "an x32 call", CALL(0x40000000 | SYS_read, APP), ALLOW },
	{ "number -1", CALL(-1, APP), ALLOW },
	{ "another architecture",
	  { .nr = 3, .arch = AUDIT_ARCH_I386, .instruction_pointer = APP },
	  ALLOW },
	{ "mmap at the kernel's choice", CALL(SYS_mmap, APP, 0, 4096), NOTIFY },
	{ "mmap of the arena", CALL(SYS_mmap, APP, RT_TEXT_BASE, 4096), ALLOW },
	{ "mmap at the arena's last page",
	  CALL(SYS_mmap, APP, RT_ARENA_BASE + RT_ARENA_SIZE - 4096), ALLOW },
	{ "mmap behind the arena", CALL(SYS_mmap, APP, RT_ARENA_BASE + RT_ARENA_SIZE), NOTIFY },
	{ "mmap before the arena", CALL(SYS_mmap, APP, RT_ARENA_BASE - 4096), NOTIFY },
	{ "munmap in the arena", CALL(SYS_munmap, APP, RT_DATA_BASE, 4096), ALLOW },
	{ "mprotect in the arena", CALL(SYS_mprotect, APP, RT_DATA_BASE, 4096), ALLOW },
	{ "sendmsg", CALL(SYS_sendmsg, APP, 3, 4, 0), NOTIFY },
	{ "sendmsg that hands the listener over", CALL(SYS_sendmsg, APP, 3, 4, (u64)HANDOVER << 32),
	  ALLOW },
	{ "sendmsg with another mark", CALL(SYS_sendmsg, APP, 3, 4, (u64)(HANDOVER + 1) << 32),
	  NOTIFY },
};

static u32 run(const struct sock_filter *insns, u32 nr, const struct seccomp_data *data)
{
	u32 a = 0;

	for (u32 pc = 0; pc < nr; pc++) {
		const struct sock_filter *insn = &insns[pc];
		bool taken;

		switch (insn->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			memcpy(&a, (const char *)data + insn->k, 4);
			continue;
		case BPF_RET | BPF_K: return insn->k;
		case BPF_JMP | BPF_JEQ | BPF_K: taken = a == insn->k; break;
		case BPF_JMP | BPF_JGE | BPF_K: taken = a >= insn->k; break;
		case BPF_JMP | BPF_JGT | BPF_K: taken = a > insn->k; break;
		default: tap_bail("unexpected opcode %#x at %u", insn->code, pc);
		}
		pc += taken ? insn->jt : insn->jf;
	}
	tap_bail("the filter ran off its end");
}

int main(void)
{
	struct filter_options options = { NOTIFY_IP, RESTORER_IP, HANDOVER },
			      no_agent = { 0, 0, HANDOVER };
	struct sock_filter insns[FILTER_MAX];
	u32 nr = filter_build(insns, &options);
	struct seccomp_data at_zero = CALL(SYS_getppid, RT_TEXT_BASE);

	tap_ok(nr <= FILTER_MAX, "the filter has %u instructions", nr);
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
		tap_is(run(insns, nr, &rows[i].data), rows[i].verdict, rows[i].name);
	nr = filter_build(insns, &no_agent);
	tap_is(run(insns, nr, &at_zero), SECCOMP_RET_ALLOW,
	       "without an agent nothing in text is notified");
	return tap_done();
}
