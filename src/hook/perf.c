/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * perf_event_open(2) as far as eBPF needs it: tracepoints of the catalogue, and the software event
 * BPF_OUTPUT with its ring buffer. Other events of an ordinary perf user are the kernel's
 * (-ENOSYS).
 */
#include <errno.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include "agent/facade.h"
#include "arena/arena.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "hook/perf.h"
#include "hook/state.h"
#include "rt/buffer.h"

#define PAGE	       4096ul
#define DATA_PAGES_MAX (1u << 20)

struct perf {
	struct object object; /* first */
	struct hook *hook;
	u32 type;
	u64 config;
	const struct hook_event *event; /* of a tracepoint */
	struct rt_perf_buffer *buffer;	/* of BPF_OUTPUT, in control */
	u64 memory_size;
	bool enabled;
	u32 prog_id; /* of its program; 0: none */
};

const char *hook_refusal(const struct hook_event *event)
{
	static char text[256];

	snprintf(text, sizeof(text), "tracepoint %s:%s cannot fire in user space: it %s",
		 event->group, event->name,
		 event->unavailable ? event->unavailable : "is not known as a raw tracepoint");
	return text;
}

static struct perf *perf_of(const struct object *object)
{
	return container_of(object, struct perf, object);
}

static void release(struct object *object)
{
	struct perf *perf = perf_of(object);
	struct arena *arena = perf->hook->arena;

	if (perf->buffer) {
		if (perf->buffer->pages)
			arena_release(arena, ARENA_DATA, perf->buffer->pages, perf->memory_size);
		arena_release(arena, ARENA_DATA, perf->buffer->lost, sizeof(u64));
		arena_release(arena, ARENA_CONTROL, perf->buffer, sizeof(*perf->buffer));
	}
	base_free(perf);
}

static int make_buffer(struct perf *perf, const struct perf_event_attr *attr, pid_t task, int cpu)
{
	struct arena *arena = perf->hook->arena;
	struct rt_perf_buffer *buffer = arena_alloc(arena, ARENA_CONTROL, sizeof(*perf->buffer), 8);

	if (!buffer)
		return -ENOMEM;
	buffer->lost = arena_alloc(arena, ARENA_DATA, sizeof(u64), 8);
	if (!buffer->lost) {
		arena_release(arena, ARENA_CONTROL, buffer, sizeof(*buffer));
		return -ENOMEM;
	}
	buffer->sample_type = (u32)attr->sample_type;
	buffer->id = ++perf->hook->next_perf_id;
	buffer->cpu = cpu;
	buffer->wakeup_events = attr->wakeup_events; /* a union with wakeup_watermark */
	buffer->watermark = attr->watermark;
	buffer->sample_id_all = attr->sample_id_all;
	buffer->inherit = attr->inherit;
	buffer->pinned = attr->pinned;
	buffer->task = task > 0 ? (u32)task : 0;
	buffer->counting_since = attr->disabled ? 0 : base_clock_ns(CLOCK_MONOTONIC);
	perf->buffer = buffer;
	return 0;
}

/* The kind of event, or an errno; nothing is made yet. */
static int check(const struct perf_event_attr *attr, const struct hook_event **ret_event,
		 const char **ret_reason)
{
	*ret_event = NULL;
	switch (attr->type) {
	case PERF_TYPE_TRACEPOINT:
		if (attr->config > UINT32_MAX)
			return -EINVAL;
		*ret_event = hook_event_by_id((u32)attr->config);
		if (!*ret_event)
			return -EINVAL;
		if ((*ret_event)->unavailable) {
			*ret_reason = hook_refusal(*ret_event);
			return -EOPNOTSUPP;
		}
		return 0;
	case PERF_TYPE_SOFTWARE:
		if (attr->config != PERF_COUNT_SW_BPF_OUTPUT)
			return -ENOSYS;
		if (attr->sample_type & ~(u64)RT_PERF_SAMPLE_TYPES) {
			*ret_reason = "this perf event asks for parts of a sample that skep's "
				      "buffers do not carry";
			return -EOPNOTSUPP;
		}
		return 0;
	case FACADE_PMU_KPROBE:
	case FACADE_PMU_UPROBE:
		*ret_reason = attr->type == FACADE_PMU_KPROBE
				      ? "kprobes cannot fire in user space: no process of the hive "
					"runs kernel functions, and skep does not model them yet"
				      : "uprobes are not there yet: this build of skep attaches to "
					"system calls and process events only";
		return -EOPNOTSUPP;
	default: return -ENOSYS;
	}
}

int hook_perf_open(struct hook *hook, struct object_table *objects,
		   const struct perf_event_attr *attr, pid_t pid, int cpu, struct object **ret_perf,
		   const char **ret_reason)
{
	const struct hook_event *event;
	struct perf *perf;
	int error = check(attr, &event, ret_reason);

	if (error)
		return error;
	if (pid != -1 && pid != 0 && (pid < 0 || (kill(pid, 0) < 0 && errno == ESRCH)))
		return -ESRCH;
	if ((pid == -1 && cpu == -1) || cpu < -1 || cpu >= (int)RT_CONTROL->nr_vcpus)
		return -EINVAL;
	perf = base_zalloc(1, sizeof(*perf));
	if (!perf)
		return -ENOMEM;
	perf->hook = hook;
	perf->type = attr->type;
	perf->config = attr->config;
	perf->event = event;
	perf->enabled = !attr->disabled;
	error = event ? 0 : make_buffer(perf, attr, pid, cpu);
	if (!error)
		error = object_init(objects, &perf->object, OBJECT_PERF, release);
	if (error) {
		if (perf->buffer) {
			arena_release(hook->arena, ARENA_DATA, perf->buffer->lost, sizeof(u64));
			arena_release(hook->arena, ARENA_CONTROL, perf->buffer,
				      sizeof(*perf->buffer));
		}
		base_free(perf);
		return error;
	}
	*ret_perf = &perf->object;
	return 0;
}

/*
 * Programs of a tracepoint run from SET_BPF on, as in the kernel, whose list of programs does not
 * ask whether the perf event counts.
 */
int hook_perf_enable(struct object *object, bool enable)
{
	struct perf *perf = perf_of(object);
	struct rt_perf_buffer *buffer = perf->buffer;

	if (buffer && perf->enabled && !enable) {
		buffer->counted_ns += base_clock_ns(CLOCK_MONOTONIC) - buffer->counting_since;
		__atomic_store_n(&buffer->counting_since, 0, __ATOMIC_RELEASE);
	} else if (buffer && !perf->enabled && enable) {
		__atomic_store_n(&buffer->counting_since, base_clock_ns(CLOCK_MONOTONIC),
				 __ATOMIC_RELEASE);
	}
	perf->enabled = enable;
	return 0;
}

bool hook_perf_claim(struct object *object, u32 prog_id)
{
	struct perf *perf = perf_of(object);

	if (perf->prog_id)
		return false;
	perf->prog_id = prog_id;
	return true;
}

void hook_perf_unclaim(struct object *object)
{
	perf_of(object)->prog_id = 0;
}

struct rt_perf_buffer *hook_perf_buffer(struct object *object)
{
	return perf_of(object)->buffer;
}

int hook_perf_map(struct hook *hook, struct object *object, u64 length, void **ret_memory)
{
	struct perf *perf = perf_of(object);
	u64 data_pages = length / PAGE - 1;
	u64 size;
	u8 *pages;

	if (!perf->buffer || length < PAGE || length % PAGE || data_pages > DATA_PAGES_MAX ||
	    (data_pages & (data_pages - 1)))
		return -EINVAL;
	if (perf->buffer->pages) {
		if (perf->buffer->data_pages != data_pages)
			return -EINVAL;
		*ret_memory = perf->buffer->pages;
		return 0;
	}
	size = rt_perf_memory_size((u32)data_pages);
	pages = arena_alloc(hook->arena, ARENA_DATA, size, PAGE);
	if (!pages)
		return -ENOMEM;
	rt_perf_init(pages, (u32)data_pages);
	perf->memory_size = size;
	perf->buffer->data_pages = (u32)data_pages;
	__atomic_store_n(&perf->buffer->pages, pages, __ATOMIC_RELEASE);
	*ret_memory = pages;
	return 0;
}

const struct hook_event *hook_perf_event(const struct object *object)
{
	return perf_of(object)->event;
}

int hook_perf_target(void *arg, struct object *object, void **ret_target)
{
	struct perf *perf = perf_of(object);

	if (!perf->buffer)
		return -EINVAL;
	*ret_target = perf->buffer;
	return 0;
}

int hook_perf_info(void *arg, struct object *object, struct sys_perf_info *ret_info)
{
	struct perf *perf = perf_of(object);

	*ret_info = (struct sys_perf_info){ .type = perf->type,
					    .config = perf->config,
					    .tracepoint = perf->event ? perf->event->name : NULL,
					    .prog_id = perf->prog_id };
	return 0;
}
