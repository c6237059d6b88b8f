/* SPDX-License-Identifier: BSD-2-Clause */
/* See fake.h. */
#include "fake.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "hook/digest.h"
#include "hook/hook.h"
#include "rt/buffer.h"
#include "rt/map.h"
#include "rt/prog.h"
#include "rt/trace.h"

u32 fake_exec_begun, fake_exec_abandoned, fake_exec_quiet;
static u32 enters[RT_SYSCALL_MAX], nr_objects, lines, wake_word;
static bool has_record;
static u32 dead_looks; /* a record's producer is found dead at this many'th look */
static struct object_table *objects;

static const struct rt_map fake_ringbuf = { .type = BPF_MAP_TYPE_RINGBUF };
static const struct rt_prog fake_prog = { .id = 7 };

static const struct hook_event fake_events[] = {
	{ 1, "syscalls", "sys_enter_getppid", HOOK_SYS_ENTER, SYS_getppid, NULL },
	{ 2, "sched", "sched_process_exec", RT_EVENT_SCHED_EXEC, 0, NULL },
};

static void fake_release(struct object *object)
{
	nr_objects--;
	free(object);
}

static struct object *fake_object(enum object_kind kind)
{
	struct object *object = calloc(1, sizeof(*object));

	if (!objects)
		objects = object_table_new();
	object_init(objects, object, kind, fake_release);
	nr_objects++;
	return object;
}

static long fake_echo(struct sys_client *client, u64 attr)
{
	u64 value;

	if (client->ops->read(client, &value, attr, sizeof(value)) < 0)
		return -EFAULT;
	value *= 2;
	return client->ops->write(client, attr, &value, sizeof(value));
}

static long fake_install(struct sys_client *client, enum object_kind kind)
{
	struct object *object;
	int fd;

	if (kind >= OBJECT_KINDS)
		return -EINVAL;
	object = fake_object(kind);
	fd = client->ops->install_fd(client, object, O_RDWR);

	object_unref(object);
	return fd;
}

static long fake_kind(struct sys_client *client, int fd)
{
	struct object *object;
	int error = client->ops->object_by_fd(client, fd, OBJECT_KINDS, &object);
	long kind;

	if (error)
		return error;
	kind = object->kind;
	object_unref(object);
	return kind;
}

static long fake_pin(struct sys_client *client, u64 path_address, int fd)
{
	struct object *object;
	char path[256];
	int error;

	if (client->ops->read_string(client, path, path_address, sizeof(path)) < 0)
		return -EFAULT;
	if (fd < 0) {
		error = client->ops->pinned(client, AT_FDCWD, path, &object);
		if (error)
			return error;
		error = client->ops->install_fd(client, object, O_RDWR);
	} else {
		error = client->ops->object_by_fd(client, fd, OBJECT_KINDS, &object);
		if (error)
			return error;
		error = client->ops->pin(client, AT_FDCWD, path, object);
	}
	object_unref(object);
	return error;
}

long sys_bpf(struct sys_hive *hive, struct sys_client *client, u32 cmd, u64 attr, u32 size)
{
	switch (cmd) {
	case FAKE_ECHO: return fake_echo(client, attr);
	case FAKE_INSTALL: return fake_install(client, (enum object_kind)size);
	case FAKE_KIND: return fake_kind(client, (int)attr);
	case FAKE_ACCESS: return client->ops->fd_access(client, (int)attr);
	case FAKE_PIN: return fake_pin(client, attr, (int)size);
	case FAKE_GET_PINNED: return fake_pin(client, attr, -1);
	case FAKE_RECORD:
		has_record = attr && !size;
		dead_looks = size;
		if (!size)
			rt_wake_signal();
		return 0;
	case FAKE_OBJECTS: return nr_objects;
	case FAKE_ENTERS: return attr < RT_SYSCALL_MAX ? (long)enters[attr] : -EINVAL;
	case FAKE_KILL: kill(getpid(), SIGKILL); return 0;
	case FAKE_PRINT:
		lines++;
		rt_wake_signal();
		return 0;
	default: return -EINVAL;
	}
}

struct object_table *sys_hive_objects(struct sys_hive *hive)
{
	return objects;
}

long sys_object_fdinfo(struct sys_hive *hive, struct object *object, char *text, u64 size)
{
	return snprintf(text, size, "map_type:\t27\n");
}

const struct rt_map *sys_map_rt(struct object *object)
{
	return &fake_ringbuf;
}

const struct rt_prog *sys_prog_rt(const struct sys_prog *prog)
{
	return &fake_prog;
}

struct sys_prog *sys_prog_of(struct object *object)
{
	return (struct sys_prog *)object;
}

struct sys_prog *sys_prog_ref(struct sys_prog *prog)
{
	object_ref((struct object *)prog);
	return prog;
}

struct sys_prog *sys_prog_unref(struct sys_prog *prog)
{
	object_unref((struct object *)prog);
	return NULL;
}

static int fake_attach(void *arg, struct sys_prog *prog, struct object *perf, u64 cookie,
		       void **ret_token, const char **ret_reason)
{
	*ret_token = prog;
	return 0;
}

static void fake_detach(void *arg, void *token)
{
}

const struct sys_attach_ops hook_attach_ops = { .perf_event = fake_attach, .detach = fake_detach };

int hook_perf_open(struct hook *hook, struct object_table *table,
		   const struct perf_event_attr *attr, pid_t pid, int cpu, struct object **ret_perf,
		   const char **ret_reason)
{
	if (attr->type != PERF_TYPE_TRACEPOINT)
		return -ENOSYS;
	*ret_perf = fake_object(OBJECT_PERF);
	return 0;
}

int hook_perf_enable(struct object *perf, bool enable)
{
	return 0;
}

struct rt_perf_buffer *hook_perf_buffer(struct object *perf)
{
	return NULL;
}

int hook_perf_map(struct hook *hook, struct object *perf, u64 length, void **ret_memory)
{
	return -EINVAL;
}

const struct hook_event *hook_event_at(u32 index)
{
	return index < ARRAY_SIZE(fake_events) ? &fake_events[index] : NULL;
}

void hook_facade_made(struct hook *hook)
{
}

u64 hook_catalogue_digest(void)
{
	return digest_catalogue();
}

long hook_event_format(const struct hook_event *event, char *text, u64 size)
{
	return snprintf(text, size, "name: %s\nID: %u\n", event->name, event->id);
}

int hook_exec_begin(struct hook *hook, pid_t tid, bool quiet)
{
	fake_exec_begun++;
	fake_exec_quiet += quiet;
	return 0;
}

void hook_exec_abandon(struct hook *hook, pid_t tid)
{
	fake_exec_abandoned++;
}

bool hook_wait_status(struct hook *hook, pid_t tid, int status)
{
	return false;
}

long hook_agent_call(struct hook *hook, struct sys_client *client, u32 cmd, u64 attr, u32 size,
		     int (*install_raw_fd)(struct sys_client *client, int fd))
{
	return -EOPNOTSUPP;
}

void hook_remote_sys_enter(struct hook *hook, pid_t tid, const struct rt_pt_regs *regs)
{
	if (regs->orig_ax < RT_SYSCALL_MAX)
		enters[regs->orig_ax]++;
}

int rt_trace_read(struct rt_trace_record *ret_record)
{
	if (!lines)
		return 0;
	lines--;
	*ret_record =
		(struct rt_trace_record){ .pid = 1, .comm = "fake", .length = 4, .text = "line" };
	return 1;
}

u64 rt_trace_dropped(void)
{
	return 0;
}

u32 rt_wake_prepare(void)
{
	return __atomic_load_n(&wake_word, __ATOMIC_ACQUIRE);
}

void rt_wake_wait(u32 seen, s64 timeout_ns)
{
	struct timespec timeout = { .tv_sec = timeout_ns / 1000000000,
				    .tv_nsec = timeout_ns % 1000000000 };

	syscall(SYS_futex, &wake_word, FUTEX_WAIT, seen, &timeout, NULL, 0);
}

void rt_wake_signal(void)
{
	__atomic_add_fetch(&wake_word, 1, __ATOMIC_ACQ_REL);
	syscall(SYS_futex, &wake_word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

bool rt_ringbuf_readable(const struct rt_map *map)
{
	return has_record;
}

u32 rt_ringbuf_reap(const struct rt_map *map)
{
	if (!dead_looks || --dead_looks)
		return 0;
	has_record = true;
	return 1;
}

bool rt_perf_readable(const struct rt_perf_buffer *buffer)
{
	return false;
}

static bool calls_denied;

void hook_calls_denied(struct hook *hook)
{
	calls_denied = true;
}

bool fake_calls_denied(void)
{
	return calls_denied;
}

void hook_set_tracer(struct hook *hook, pid_t tracer)
{
}

void hook_track_descriptors(struct hook *hook)
{
}

bool hook_changes_descriptors(u32 nr)
{
	return false;
}

void hook_set_closing(struct hook *hook, u32 nr)
{
}

void hook_read_objects(struct hook *hook)
{
}

bool hook_reads_objects(const struct hook *hook)
{
	return false;
}

bool rt_user_ringbuf_full(const struct rt_map *map)
{
	return false;
}
