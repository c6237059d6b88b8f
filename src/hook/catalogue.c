/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The catalogue: one row for each tracepoint that can be named, whether or not it can fire here.
 * Ids are our own and stable: they follow from the row, not from its place.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "hook/state.h"

/* System call nr: enter has id ID_SYSCALLS + 2 × nr, exit the next one. */
#define ID_SYSCALLS    2000
#define ID_UNAVAILABLE 4000

struct syscall_row {
	u16 nr;
	const char *enter, *exit; /* names of the two tracepoints */
	const char *arguments;	  /* as declared, joined by '|' */
};

static const struct syscall_row syscall_rows[] = {
#define SYSCALL(nr, name, arguments) { nr, "sys_enter_" #name, "sys_exit_" #name, arguments },
#include "hook/syscalls.inc"
#undef SYSCALL
};
#define NR_SYSCALLS ARRAY_SIZE(syscall_rows)

struct field {
	const char *declaration;
	u16 offset, size;
	bool is_signed;
};

struct fixed_row {
	struct hook_event event;
	const struct field *fields;
	const char *print;
};

static const struct field fields_raw_enter[] = { { "long id", 8, 8, true },
						 { "unsigned long args[6]", 16, 48, false },
						 { 0 } };
static const struct field fields_raw_exit[] = { { "long id", 8, 8, true },
						{ "long ret", 16, 8, true },
						{ 0 } };
static const struct field fields_fork[] = { { "__data_loc char[] parent_comm", 8, 4, false },
					    { "pid_t parent_pid", 12, 4, true },
					    { "__data_loc char[] child_comm", 16, 4, false },
					    { "pid_t child_pid", 20, 4, true },
					    { 0 } };
static const struct field fields_exec[] = { { "__data_loc char[] filename", 8, 4, false },
					    { "pid_t pid", 12, 4, true },
					    { "pid_t old_pid", 16, 4, true },
					    { 0 } };
static const struct field fields_exit[] = { { "char comm[16]", 8, 16, false },
					    { "pid_t pid", 24, 4, true },
					    { "int prio", 28, 4, true },
					    { "bool group_dead", 32, 1, false },
					    { 0 } };

static const struct fixed_row fixed_rows[] = {
	{ { 20, "raw_syscalls", "sys_enter", RT_EVENT_RAW_SYS_ENTER, 0, NULL },
	  fields_raw_enter,
	  "\"NR %ld (%lx, %lx, %lx, %lx, %lx, %lx)\", REC->id, REC->args[0], REC->args[1], "
	  "REC->args[2], REC->args[3], REC->args[4], REC->args[5]" },
	{ { 21, "raw_syscalls", "sys_exit", RT_EVENT_RAW_SYS_EXIT, 0, NULL },
	  fields_raw_exit,
	  "\"NR %ld = %ld\", REC->id, REC->ret" },
	{ { 30, "sched", "sched_process_fork", RT_EVENT_SCHED_FORK, 0, NULL },
	  fields_fork,
	  "\"comm=%s pid=%d child_comm=%s child_pid=%d\", __get_str(parent_comm), "
	  "REC->parent_pid, __get_str(child_comm), REC->child_pid" },
	{ { 31, "sched", "sched_process_exec", RT_EVENT_SCHED_EXEC, 0, NULL },
	  fields_exec,
	  "\"filename=%s pid=%d old_pid=%d\", __get_str(filename), REC->pid, REC->old_pid" },
	{ { 32, "sched", "sched_process_exit", RT_EVENT_SCHED_EXIT, 0, NULL },
	  fields_exit,
	  "\"comm=%s pid=%d prio=%d group_dead=%s\", REC->comm, REC->pid, REC->prio, "
	  "REC->group_dead ? \"true\" : \"false\"" },
};
#define NR_FIXED ARRAY_SIZE(fixed_rows)

#define IN_KERNEL "happens inside the kernel, where no process of the hive can show it"
#define DEVICE	  "is about devices and their drivers, which a tree of processes does not show"
#define MEMORY \
	"is about the kernel's own memory management, which a tree of processes does not show"
#define NETWORK	  "is about packets inside the kernel's network stack, which skep does not model yet"
#define SCHEDULER "is about the kernel's scheduler, which a tree of processes does not show"

/* Tracepoints that people ask for and that cannot fire here, by group. */
static const struct hook_event unavailable_rows[] = {
#define NO(index, group, name, reason)                            \
	{                                                         \
		ID_UNAVAILABLE + index, group, name, 0, 0, reason \
	}
	NO(0, "block", "block_rq_issue", DEVICE),
	NO(1, "block", "block_rq_complete", DEVICE),
	NO(2, "block", "block_rq_insert", DEVICE),
	NO(3, "block", "block_bio_queue", DEVICE),
	NO(4, "irq", "irq_handler_entry", DEVICE),
	NO(5, "irq", "irq_handler_exit", DEVICE),
	NO(6, "irq", "softirq_entry", IN_KERNEL),
	NO(7, "irq", "softirq_exit", IN_KERNEL),
	NO(8, "irq", "softirq_raise", IN_KERNEL),
	NO(9, "sched", "sched_switch", SCHEDULER),
	NO(10, "sched", "sched_wakeup", SCHEDULER),
	NO(11, "sched", "sched_wakeup_new", SCHEDULER),
	NO(12, "sched", "sched_waking", SCHEDULER),
	NO(13, "sched", "sched_migrate_task", SCHEDULER),
	NO(14, "sched", "sched_stat_runtime", SCHEDULER),
	NO(15, "sched", "sched_process_free", IN_KERNEL),
	NO(16, "sched", "sched_process_wait", IN_KERNEL),
	NO(17, "timer", "timer_start", IN_KERNEL),
	NO(18, "timer", "hrtimer_start", IN_KERNEL),
	NO(19, "timer", "hrtimer_expire_entry", IN_KERNEL),
	NO(20, "kmem", "kmalloc", MEMORY),
	NO(21, "kmem", "kfree", MEMORY),
	NO(22, "kmem", "kmem_cache_alloc", MEMORY),
	NO(23, "kmem", "kmem_cache_free", MEMORY),
	NO(24, "kmem", "mm_page_alloc", MEMORY),
	NO(25, "kmem", "mm_page_free", MEMORY),
	NO(26, "vmscan", "mm_vmscan_direct_reclaim_begin", MEMORY),
	NO(27, "vmscan", "mm_vmscan_direct_reclaim_end", MEMORY),
	NO(28, "oom", "mark_victim", MEMORY),
	NO(29, "compaction", "mm_compaction_begin", MEMORY),
	NO(30, "exceptions", "page_fault_user", MEMORY),
	NO(31, "exceptions", "page_fault_kernel", MEMORY),
	NO(32, "net", "netif_receive_skb", NETWORK),
	NO(33, "net", "net_dev_queue", NETWORK),
	NO(34, "net", "net_dev_xmit", NETWORK),
	NO(35, "skb", "kfree_skb", NETWORK),
	NO(36, "skb", "consume_skb", NETWORK),
	NO(37, "sock", "inet_sock_set_state", NETWORK),
	NO(38, "tcp", "tcp_retransmit_skb", NETWORK),
	NO(39, "tcp", "tcp_probe", NETWORK),
	NO(40, "tcp", "tcp_destroy_sock", NETWORK),
	NO(41, "udp", "udp_fail_queue_rcv_skb", NETWORK),
	NO(42, "napi", "napi_poll", NETWORK),
	NO(43, "xdp", "xdp_exception", NETWORK),
	NO(44, "signal", "signal_generate", IN_KERNEL),
	NO(45, "signal", "signal_deliver", IN_KERNEL),
	NO(46, "task", "task_newtask", IN_KERNEL),
	NO(47, "task", "task_rename", IN_KERNEL),
	NO(48, "workqueue", "workqueue_execute_start", IN_KERNEL),
	NO(49, "workqueue", "workqueue_execute_end", IN_KERNEL),
	NO(50, "power", "cpu_idle", DEVICE),
	NO(51, "power", "cpu_frequency", DEVICE),
	NO(52, "writeback", "writeback_start", IN_KERNEL),
	NO(53, "ext4", "ext4_sync_file_enter", IN_KERNEL),
	NO(54, "ext4", "ext4_sync_file_exit", IN_KERNEL),
	NO(55, "filemap", "mm_filemap_add_to_page_cache", MEMORY),
	NO(56, "rcu", "rcu_utilization", IN_KERNEL),
	NO(57, "lock", "contention_begin", IN_KERNEL),
	NO(58, "lock", "contention_end", IN_KERNEL),
	NO(59, "cgroup", "cgroup_mkdir", IN_KERNEL),
	NO(60, "module", "module_load", IN_KERNEL),
	NO(61, "kvm", "kvm_exit", DEVICE),
#undef NO
};
#define NR_UNAVAILABLE ARRAY_SIZE(unavailable_rows)

#define NR_EVENTS (2 * NR_SYSCALLS + NR_FIXED + NR_UNAVAILABLE)

/* The rows of system calls, in the shape of the others. */
static const struct hook_event syscall_events[2 * NR_SYSCALLS] = {
#define SYSCALL(nr, name, arguments)                                                          \
	{ ID_SYSCALLS + 2 * (nr), "syscalls", "sys_enter_" #name, HOOK_SYS_ENTER, nr, NULL }, \
		{ ID_SYSCALLS + 2 * (nr) + 1, "syscalls", "sys_exit_" #name, HOOK_SYS_EXIT, nr, NULL },
#include "hook/syscalls.inc"
#undef SYSCALL
};

const struct hook_event *hook_event_at(u32 index)
{
	if (index < ARRAY_SIZE(syscall_events))
		return &syscall_events[index];
	index -= (u32)ARRAY_SIZE(syscall_events);
	if (index < NR_FIXED)
		return &fixed_rows[index].event;
	index -= (u32)NR_FIXED;
	return index < NR_UNAVAILABLE ? &unavailable_rows[index] : NULL;
}

const struct hook_event *hook_event_by_id(u32 id)
{
	for (u32 i = 0; i < NR_EVENTS; i++)
		if (hook_event_at(i)->id == id)
			return hook_event_at(i);
	return NULL;
}

const struct hook_event *hook_event_by_name(const char *group, const char *name)
{
	for (u32 i = 0; i < NR_EVENTS; i++) {
		const struct hook_event *event = hook_event_at(i);

		if (strcmp(event->name, name) == 0 && (!group || strcmp(event->group, group) == 0))
			return event;
	}
	return NULL;
}

static const struct syscall_row *syscall_row(const struct hook_event *event)
{
	return &syscall_rows[(event - syscall_events) / 2];
}

static const struct fixed_row *fixed_row(const struct hook_event *event)
{
	for (u32 i = 0; i < NR_FIXED; i++)
		if (&fixed_rows[i].event == event)
			return &fixed_rows[i];
	return NULL;
}

static u32 count_arguments(const char *arguments)
{
	u32 nr = *arguments ? 1 : 0;

	for (; *arguments; arguments++)
		nr += *arguments == '|';
	return nr;
}

u32 hook_event_context_size(const struct hook_event *event)
{
	const struct fixed_row *fixed;
	const struct field *field;
	u32 end = 8;

	if (event->kind == HOOK_SYS_ENTER) {
		u32 nr = count_arguments(syscall_row(event)->arguments);

		return nr ? 16 + 8 * nr : 12;
	}
	if (event->kind == HOOK_SYS_EXIT)
		return 24;
	fixed = fixed_row(event);
	for (field = fixed ? fixed->fields : NULL; field && field->declaration; field++)
		if (field->offset + field->size > end)
			end = field->offset + field->size;
	return end;
}

struct rt_event_progs **hook_event_slot(u16 kind, u16 nr)
{
	struct rt_event_table *events = RT_CONTROL->events;

	if (kind == HOOK_SYS_ENTER)
		return &events->sys_enter[nr];
	if (kind == HOOK_SYS_EXIT)
		return &events->sys_exit[nr];
	return &events->other[kind];
}

/* Text that grows within a given size; what does not fit is counted all the same. */
struct out {
	char *text;
	u64 size, used;
};

static void __attribute__((format(printf, 2, 3))) put(struct out *out, const char *format, ...)
{
	u64 room = out->used < out->size ? out->size - out->used : 0;
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(room ? out->text + out->used : NULL, room, format, args);
	va_end(args);
	if (length > 0)
		out->used += (u64)length;
}

static void put_field(struct out *out, const char *declaration, u32 length, u32 offset, u32 size,
		      bool is_signed)
{
	put(out, "\tfield:%.*s;\toffset:%u;\tsize:%u;\tsigned:%d;\n", (int)length, declaration,
	    offset, size, is_signed);
}

/* The name in a declaration: its last word. */
static const char *argument_name(const char *declaration, u32 length, u32 *ret_length)
{
	u32 start = length;

	while (start && declaration[start - 1] != ' ')
		start--;
	*ret_length = length - start;
	return declaration + start;
}

static void put_syscall_enter(struct out *out, const char *arguments)
{
	const char *at;
	u32 length, name_length, i = 0;
	const char *name;

	put_field(out, "int __syscall_nr", 16, 8, 4, true);
	for (at = arguments; *at; at += length + (at[length] == '|'), i++) {
		length = (u32)strcspn(at, "|");
		put_field(out, at, length, 16 + 8 * i, 8, false);
	}
	put(out, "\nprint fmt: \"");
	for (at = arguments; *at; at += length + (at[length] == '|')) {
		length = (u32)strcspn(at, "|");
		name = argument_name(at, length, &name_length);
		put(out, "%s%.*s: 0x%%08lx", at == arguments ? "" : ", ", (int)name_length, name);
	}
	put(out, "\"");
	for (at = arguments; *at; at += length + (at[length] == '|')) {
		length = (u32)strcspn(at, "|");
		name = argument_name(at, length, &name_length);
		put(out, ", ((unsigned long)(REC->%.*s))", (int)name_length, name);
	}
	put(out, "\n");
}

long hook_event_format(const struct hook_event *event, char *text, u64 size)
{
	struct out out = { text, size, 0 };
	const struct fixed_row *fixed;
	const struct field *field;

	put(&out, "name: %s\nID: %u\nformat:\n", event->name, event->id);
	put_field(&out, "unsigned short common_type", 26, 0, 2, false);
	put_field(&out, "unsigned char common_flags", 26, 2, 1, false);
	put_field(&out, "unsigned char common_preempt_count", 34, 3, 1, false);
	put_field(&out, "int common_pid", 14, 4, 4, true);
	put(&out, "\n");
	fixed = fixed_row(event);
	if (event->kind == HOOK_SYS_ENTER) {
		put_syscall_enter(&out, syscall_row(event)->arguments);
	} else if (event->kind == HOOK_SYS_EXIT) {
		put_field(&out, "int __syscall_nr", 16, 8, 4, true);
		put_field(&out, "long ret", 8, 16, 8, true);
		put(&out, "\nprint fmt: \"0x%%lx\", REC->ret\n");
	} else if (fixed) {
		for (field = fixed->fields; field->declaration; field++)
			put_field(&out, field->declaration, (u32)strlen(field->declaration),
				  field->offset, field->size, field->is_signed);
		put(&out, "\nprint fmt: %s\n", fixed->print);
	} else {
		put(&out, "print fmt: \"\"\n");
	}
	return out.used < size ? (long)out.used : -ENOSPC;
}
