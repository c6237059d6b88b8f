/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Follows one process and its descendants, and sends a record through a ring buffer for each
 * program that one of them executes and for each one that ends. The host, execwatch.c, puts the
 * first process into the map.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "execwatch.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__type(key, __u32);
	__type(value, __u32); /* the parent */
} family SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} events SEC(".maps");

unsigned long lost; /* records that found the buffer full */

static struct execwatch_event *new_event(__u32 kind, __u32 pid)
{
	struct execwatch_event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (!event) {
		__sync_fetch_and_add(&lost, 1);
		return 0;
	}
	event->kind = kind;
	event->pid = pid;
	event->time_ns = bpf_ktime_get_ns();
	event->filename[0] = 0;
	bpf_get_current_comm(event->comm, sizeof(event->comm));
	return event;
}

SEC("tracepoint/sched/sched_process_fork")
int on_fork(struct trace_event_raw_sched_process_fork *ctx)
{
	__u32 parent = bpf_get_current_pid_tgid() >> 32;
	__u32 child = ctx->child_pid;

	if (bpf_map_lookup_elem(&family, &parent))
		bpf_map_update_elem(&family, &child, &parent, BPF_ANY);
	return 0;
}

SEC("tracepoint/sched/sched_process_exec")
int on_exec(struct trace_event_raw_sched_process_exec *ctx)
{
	__u32 pid = bpf_get_current_pid_tgid() >> 32;
	struct execwatch_event *event;

	if (!bpf_map_lookup_elem(&family, &pid))
		return 0;
	event = new_event(EXECWATCH_EXEC, pid);
	if (!event)
		return 0;
	/* The low half of __data_loc is the string's place behind the start of the context. */
	bpf_probe_read_kernel_str(event->filename, sizeof(event->filename),
				  (void *)ctx + (ctx->__data_loc_filename & 0xffff));
	bpf_ringbuf_submit(event, 0);
	return 0;
}

SEC("tracepoint/sched/sched_process_exit")
int on_exit(void *ctx)
{
	__u64 id = bpf_get_current_pid_tgid();
	__u32 pid = id >> 32, thread = id;
	struct execwatch_event *event;

	/* Threads are members too, by their own number; only whole processes are worth a record. */
	if (bpf_map_delete_elem(&family, &thread) || pid != thread)
		return 0;
	event = new_event(EXECWATCH_EXIT, pid);
	if (event)
		bpf_ringbuf_submit(event, 0);
	return 0;
}

char _license[] SEC("license") = "Dual BSD/GPL";
