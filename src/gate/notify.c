/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the supervisor does with a system call that reached it. Most go on to the kernel after their
 * enter event has fired; the rows below are the calls that the hive answers, or has to know of.
 *
 * A call comes from the agent's notifying instruction (it has fired the events itself, and asks
 * because the real call could not be served: see agent/protocol.h) or from a site that nobody has
 * rewritten.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "agent/facade.h"
#include "agent/protocol.h"
#include "gate/client.h"
#include "gate/closes.h"
#include "gate/disguise.h"
#include "gate/exec.h"
#include "gate/fdinfo.h"
#include "gate/kallsyms.h"
#include "gate/park.h"
#include "gate/perf.h"
#include "gate/read.h"
#include "gate/state.h"
#include "hook/hook.h"
#include "rt/buffer.h"
#include "rt/event.h"

struct reply {
	bool answered; /* else the call goes on */
	long result;
};

#define GO_ON	       ((struct reply){ false, 0 })
#define ANSWER(result) ((struct reply){ true, (result) })

struct notice {
	struct gate *gate;
	struct gate_read read; /* what the client reads with the answer */
	struct listener *listener;
	const struct seccomp_data *data;
	pid_t tid;
	bool from_agent;
};

typedef struct reply (*handler)(struct notice *notice);

/* The answer to AGENT_ENTER: nobody may die between giving the descriptor and saying its number. */
static int install_raw_fd(struct sys_client *base, int fd)
{
	struct gate_client *client = container_of(base, struct gate_client, base);

	return listener_answer_fd(client->listener, fd, O_CLOEXEC);
}

static long hive_info(struct gate_client *client, u64 attr, u32 size)
{
	struct agent_hive_info info = { .supervisor_pid = (u32)getpid() };

	if (size != sizeof(info))
		return -EINVAL;
	strcpy(info.facade_dir, client->gate->directory.path);
	return client->base.ops->write(&client->base, attr, &info, sizeof(info));
}

/* Element operations do not care which other descriptors are open. */
static bool sees_closed(u32 cmd)
{
	return cmd > BPF_MAP_GET_NEXT_KEY && cmd != BPF_MAP_LOOKUP_AND_DELETE_ELEM &&
	       (cmd < BPF_MAP_LOOKUP_BATCH || cmd > BPF_MAP_DELETE_BATCH);
}

/* What the agent may remember of a descriptor. */
static long ticket_of_fd(struct gate_client *client, u64 attr, u32 size)
{
	struct agent_ticket ask;
	struct object *object;
	int access = 0;

	if (size != sizeof(ask))
		return -EINVAL;
	if (client->base.ops->read(&client->base, &ask, attr, sizeof(ask)))
		return -EFAULT;
	object = client_object(client, (int)ask.fd, &access);
	if (object && (object->kind != OBJECT_MAP ||
		       process_is_untracked(client->gate->processes, (pid_t)client->base.tgid)))
		object = NULL;
	ask.ticket = sys_map_ticket(object, access);
	return client->base.ops->write(&client->base, attr, &ask, sizeof(ask));
}

static long opened(struct gate_client *client, u64 attr, u32 size)
{
	struct agent_ticket what;

	if (size != sizeof(what))
		return -EINVAL;
	if (client->base.ops->read(&client->base, &what, attr, sizeof(what)))
		return -EFAULT;
	return read_opened(client, (int)what.fd);
}

/* One that has the id of a process that has just ended is another: that one's end is seen first. */
static long give_slots(struct gate_client *client, u64 attr, u32 size)
{
	struct process_table *processes = client->gate->processes;
	pid_t pid = (pid_t)client->base.tgid;
	struct agent_ticket answer = { 0 };
	struct call_slots *slots;

	if (size != sizeof(answer))
		return -EINVAL;
	process_table_collect(processes);
	slots = process_call_slots(processes, pid);
	if (!slots) {
		slots = call_slots_new(client->gate->options.arena);
		if (!slots)
			return -ENOMEM;
		if (process_give_call_slots(processes, pid, slots)) {
			call_slots_free(slots);
			return -ENOMEM;
		}
	}
	answer.ticket = call_slots_address(slots);
	return client->base.ops->write(&client->base, attr, &answer, sizeof(answer));
}

/*
 * Does this clone make two processes share memory or descriptors, or threads not share them? Then
 * agents cannot tell from within whose descriptors they see.
 */
static bool shares_oddly(struct notice *notice)
{
	const u64 thread = CLONE_VM | CLONE_FILES | CLONE_THREAD;
	u64 flags = notice->data->args[0];
	struct gate_client client;

	if (notice->data->nr == SYS_vfork)
		return true;
	if (notice->data->nr == SYS_clone3 &&
	    (client_init(&client, notice->gate, notice->listener) < 0 ||
	     client.base.ops->read(&client.base, &flags, flags, sizeof(flags)) < 0))
		return true;
	return flags & (CLONE_VM | CLONE_FILES) && (flags & thread) != thread;
}

/*
 * A call that changes descriptors, from code that is not rewritten. When it will be made nobody
 * knows: its process is not told of descriptors any more, and what it was told is void.
 */
static void descriptors_change(struct notice *notice)
{
	struct process_table *processes = notice->gate->processes;
	struct process_identity identity;
	int nr = notice->data->nr;

	if (nr == SYS_clone || nr == SYS_vfork || nr == SYS_clone3) {
		if (shares_oddly(notice))
			sys_tickets_stop();
		return;
	}
	if (process_identify(processes, notice->tid, &identity) < 0)
		sys_tickets_stop();
	else if (process_is_untracked(processes, (pid_t)identity.tgid))
		return;
	else if (process_set_untracked(processes, (pid_t)identity.tgid))
		sys_tickets_end();
	else
		sys_tickets_stop();
}

/* bpf(2) itself, once the client has been looked at. */
static long call_bpf(struct gate_client *client, u32 cmd, const struct seccomp_data *data,
		     bool from_agent)
{
	long result;

	/* What a client closed before this call is gone for it; the loop may not be there yet. */
	if (sees_closed(cmd))
		gate_collect_handles(client->gate);
	result = sys_bpf(client->gate->options.sys, &client->base, cmd, data->args[1],
			 (u32)data->args[2]);
	closes_wait(client, from_agent);
	return result;
}

static void serve_test_run(struct park_call *call)
{
	struct gate_client client;
	long result = -ESRCH;

	if (client_init(&client, call->gate, call->listener) == 0) {
		client_look(&client, call->data.args[1]);
		result = call_bpf(&client, BPF_PROG_TEST_RUN, &call->data, call->from_agent);
	}
	if (result == -EINTR && call->from_agent)
		result = -AGENT_INTERRUPTED;
	listener_answer(call->listener, result);
}

/* Runs a program by hand, for as long as its client likes. False: as any other call. */
static bool test_run(struct notice *notice)
{
	struct park_call call = { .gate = notice->gate,
				  .listener = notice->listener,
				  .data = *notice->data,
				  .tid = notice->tid,
				  .from_agent = notice->from_agent };

	return park_serve(&call, serve_test_run);
}

static s64 call_by_slot(struct notice *notice, struct gate_client *client)
{
	u32 cmd = (u32)notice->data->args[3], index = (u32)(notice->data->args[3] >> 32);
	struct call_slots *slots =
		process_call_slots(notice->gate->processes, (pid_t)client->base.tgid);
	struct agent_slot *slot = slots ? call_slots_at(slots, index) : NULL;
	struct agent_answer *answer = &client->window->answer;

	if (!notice->from_agent || !slot || !agent_slot_takes(cmd) ||
	    (u32)notice->data->args[2] > AGENT_SLOT_ATTR)
		return -EINVAL;
	client_look_into(client, slot, notice->data);
	answer->result = (s32)call_bpf(client, cmd, notice->data, notice->from_agent);
	return (s64)agent_answer_pack(answer);
}

/* A command of the agent's own (agent/protocol.h). */
static s64 agent_call(struct notice *notice, struct gate_client *client, u32 cmd)
{
	u32 size = (u32)notice->data->args[2];
	u64 attr = notice->data->args[1];

	switch (cmd) {
	case AGENT_CALL: return call_by_slot(notice, client);
	case AGENT_DENIED: hook_calls_denied(notice->gate->options.hook); return 0;
	case AGENT_CLOSED: gate_collect_handles(notice->gate); return 0;
	case AGENT_SLOTS_GIVE: return give_slots(client, attr, size);
	case AGENT_HIVE_INFO: return hive_info(client, attr, size);
	case AGENT_FACADE: gate_make_facade(notice->gate); return 0;
	case AGENT_TICKET: return ticket_of_fd(client, attr, size);
	case AGENT_CLOSES: return closes_hand_out(client, attr, size);
	case AGENT_OPENED: return opened(client, attr, size);
	default:
		return hook_agent_call(notice->gate->options.hook, &client->base, cmd, attr, size,
				       install_raw_fd);
	}
}

static struct reply on_bpf(struct notice *notice)
{
	u32 cmd = (u32)notice->data->args[0];
	struct gate_client client;

	if (client_init(&client, notice->gate, notice->listener) < 0)
		return ANSWER(-ESRCH);
	if (agent_is_command(cmd))
		return ANSWER(agent_call(notice, &client, cmd));
	if (cmd == BPF_PROG_TEST_RUN && test_run(notice))
		return GO_ON;
	client_look(&client, notice->data->args[1]);
	return ANSWER(call_bpf(&client, cmd, notice->data, notice->from_agent));
}

static struct reply on_perf_event_open(struct notice *notice)
{
	struct gate_client client;
	bool not_ours;
	long result;

	if (client_init(&client, notice->gate, notice->listener) < 0)
		return ANSWER(-ESRCH);
	result = perf_open(&client, (const u64 *)notice->data->args, &not_ours);
	return not_ours ? GO_ON : ANSWER(result);
}

static struct reply on_ioctl(struct notice *notice)
{
	u32 request = (u32)notice->data->args[1];
	struct gate_client client;
	struct object *object;

	if (((request >> 8) & 0xff) != '$' ||
	    client_init(&client, notice->gate, notice->listener) < 0)
		return GO_ON;
	object = client_object(&client, (int)notice->data->args[0], NULL);
	if (!object)
		return GO_ON;
	if (object->kind != OBJECT_PERF)
		return ANSWER(-ENOTTY);
	return ANSWER(perf_ioctl(&client, object, request, notice->data->args[2]));
}

static long map_object(struct gate_client *client, struct object *object, int access,
		       const struct notice *notice)
{
	u64 length = notice->data->args[1], offset = notice->data->args[5],
	    address = notice->data->args[0];
	u32 protection = (u32)notice->data->args[2];
	void *memory;
	int error;

	switch (object->kind) {
	case OBJECT_MAP:
		error = sys_map_mmap(object, access, protection, (u32)notice->data->args[3], offset,
				     length, &address);
		break;
	case OBJECT_PERF:
		if (offset || !(notice->data->args[3] & MAP_SHARED))
			return -EINVAL;
		error = hook_perf_map(client->gate->options.hook, object, length, &memory);
		address = (u64)memory;
		break;
	default: return -ENODEV;
	}
	if (!error)
		error = process_add_mapping(client->gate->processes, (pid_t)client->base.tgid,
					    object, address, length);
	return error ? error : (long)address;
}

static struct reply on_mmap(struct notice *notice)
{
	int fd = (int)notice->data->args[4], access;
	struct gate_client client;
	struct object *object;

	if (fd < 0 || notice->data->args[3] & MAP_ANONYMOUS ||
	    (!notice->from_agent && !(notice->data->args[3] & MAP_SHARED)))
		return GO_ON;
	if (client_init(&client, notice->gate, notice->listener) < 0)
		return GO_ON;
	object = client_object(&client, fd, &access);
	if (notice->from_agent)
		return ANSWER(object ? map_object(&client, object, access, notice) : -ENODEV);
	if (object)
		gate_message(
			notice->gate,
			"process %d maps a BPF object from code that skep has not entered: ENODEV",
			notice->tid);
	return GO_ON;
}

static struct reply on_wait(struct notice *notice)
{
	notice->gate->objects_readable = handle_table_refresh(notice->gate->handles);
	return GO_ON;
}

static struct reply on_read(struct notice *notice)
{
	struct gate_client client;

	if (!hook_reads_objects(notice->gate->options.hook) ||
	    client_init(&client, notice->gate, notice->listener) < 0 ||
	    !read_object(&client, (u32)notice->data->nr, (const u64 *)notice->data->args,
			 notice->from_agent, &notice->read))
		return GO_ON;
	return ANSWER(notice->read.result);
}

static struct reply on_exec(struct notice *notice)
{
	exec_begin(notice->gate, notice->tid);
	return GO_ON;
}

/* A file of the façade for a process whose path arguments nobody rewrites. */
static struct reply open_facade(struct gate_client *client, const char *path, int flags)
{
	char target[DIRECTORY_PATH_MAX + 256];
	int fd, number;

	if (facade_rewrite(path, client->gate->directory.path, target, sizeof(target)) <= 0)
		return GO_ON;
	if (facade_is_constant(target, client->gate->directory.path))
		gate_make_facade(client->gate);
	/* A FIFO of ours is always open at its other end: this does not block. */
	fd = open(target, (flags & (O_ACCMODE | O_NONBLOCK | O_DIRECTORY | O_NOFOLLOW | O_APPEND)) |
				  O_CLOEXEC);
	if (fd < 0)
		return ANSWER(-errno);
	number = listener_add_fd(client->listener, fd, flags & O_CLOEXEC);
	close(fd);
	return ANSWER(number);
}

static struct reply open_path(struct notice *notice, u64 address, int flags)
{
	struct gate_client client;
	char path[256];
	long result;

	if (client_init(&client, notice->gate, notice->listener) < 0 ||
	    client.base.ops->read_string(&client.base, path, address, sizeof(path)) < 0)
		return GO_ON;
	if (!strncmp(path, "/proc/", 6)) {
		if (!fdinfo_open(&client, path, flags, &result) &&
		    !kallsyms_open(&client, path, flags, &result))
			return GO_ON;
		return ANSWER(result);
	}
	return notice->from_agent ? GO_ON : open_facade(&client, path, flags);
}

static struct reply on_open(struct notice *notice)
{
	return open_path(notice, notice->data->args[0], (int)notice->data->args[1]);
}

static struct reply on_openat(struct notice *notice)
{
	return open_path(notice, notice->data->args[1], (int)notice->data->args[2]);
}

static const handler handlers[] = {
	[SYS_bpf] = on_bpf,	      [SYS_perf_event_open] = on_perf_event_open,
	[SYS_ioctl] = on_ioctl,	      [SYS_mmap] = on_mmap,
	[SYS_epoll_wait] = on_wait,   [SYS_epoll_pwait] = on_wait,
	[SYS_epoll_pwait2] = on_wait, [SYS_poll] = on_wait,
	[SYS_ppoll] = on_wait,	      [SYS_select] = on_wait,
	[SYS_pselect6] = on_wait,     [SYS_execve] = on_exec,
	[SYS_execveat] = on_exec,     [SYS_open] = on_open,
	[SYS_openat] = on_openat,     [SYS_read] = on_read,
	[SYS_readv] = on_read,
};

static void fire_enter(struct notice *notice)
{
	const struct seccomp_data *data = notice->data;
	const struct rt_event_table *events = RT_CONTROL->events;
	u32 nr = (u32)data->nr;
	struct rt_pt_regs regs = {
		.orig_ax = nr,
		.ax = (u64)-ENOSYS,
		.ip = data->instruction_pointer,
		.di = data->args[0],
		.si = data->args[1],
		.dx = data->args[2],
		.r10 = data->args[3],
		.r8 = data->args[4],
		.r9 = data->args[5],
	};

	if (nr >= RT_SYSCALL_MAX || !(events->enter_mask[nr / 64] & (1ull << (nr % 64))))
		return;
	if (!process_is_quiet(notice->gate->processes, notice->tid))
		hook_remote_sys_enter(notice->gate->options.hook, notice->tid, &regs);
}

void gate_notified(struct gate *gate, struct listener *listener)
{
	struct notice notice = { .gate = gate, .listener = listener };
	struct reply reply = GO_ON;
	struct seccomp_data data;

	if (listener_receive(listener) <= 0)
		return;
	data = disguise_off(&listener->slot->notif.data);
	notice.data = &data;
	notice.tid = (pid_t)listener->slot->notif.pid;
	notice.from_agent =
		gate->agent_notify_ip && data.instruction_pointer == gate->agent_notify_ip;
	exec_check(gate, notice.tid);
	if (!notice.from_agent) {
		fire_enter(&notice);
		if (hook_changes_descriptors((u32)data.nr))
			descriptors_change(&notice);
	}
	if ((u32)data.nr < ARRAY_SIZE(handlers) && handlers[data.nr])
		reply = handlers[data.nr](&notice);
	if (listener_is_idle(listener))
		return;
	if (reply.answered) {
		if (listener_answer(listener, reply.result) && notice.read.taken)
			sys_iter_consume(notice.read.object, notice.read.taken);
	} else {
		listener_continue(listener);
	}
}
