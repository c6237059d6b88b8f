/* SPDX-License-Identifier: BSD-2-Clause */
/* See world.h: src/sys over an arena of this process, with hooks of the test's own. */
#include "world_skep.h"
#include "arena/arena.h"
#include "harness/tap.h"
#include "rt/prog.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A perf event, and the program on it. */
struct perf {
	struct object object;
	u32 prog_id;
};

static u32 prog_id(struct sys_prog *prog)
{
	return sys_prog_rt(prog)->id;
}

/* A hook of the test's own: one raw tracepoint exists, perf events are all one tracepoint. */
static int attach_raw(void *arg, struct sys_prog *prog, const char *name, u64 cookie,
		      void **ret_token, const char **ret_reason)
{
	struct skep_world *world = arg;

	if (!strcmp(name, "block_rq_issue")) {
		*ret_reason = "block devices cannot be seen from user space";
		return -EOPNOTSUPP;
	}
	if (strcmp(name, "sys_enter"))
		return -ENOENT;
	world->attached++;
	*ret_token = world;
	return 0;
}

static int attach_perf(void *arg, struct sys_prog *prog, struct object *perf, u64 cookie,
		       void **ret_token, const char **ret_reason)
{
	struct skep_world *world = arg;

	if (sys_prog_type(prog) != world->perf_type)
		return -EINVAL;
	if (container_of(perf, struct perf, object)->prog_id)
		return -EEXIST;
	world->attached++;
	container_of(perf, struct perf, object)->prog_id = prog_id(prog);
	*ret_token = object_ref(perf);
	return 0;
}

static void detach(void *arg, void *token)
{
	((struct skep_world *)arg)->attached--;
	if (token == arg)
		return;
	container_of(token, struct perf, object)->prog_id = 0;
	object_unref(token);
}

static int perf_target(void *arg, struct object *perf, void **ret_target)
{
	*ret_target = RT_CONTROL; /* any address in control */
	return 0;
}

static int perf_info(void *arg, struct object *perf, struct sys_perf_info *ret_info)
{
	struct skep_world *world = arg;
	bool tracepoint = world->perf_type == BPF_PROG_TYPE_TRACEPOINT;

	*ret_info = (struct sys_perf_info){ 0 };
	ret_info->type = tracepoint ? PERF_TYPE_TRACEPOINT : PERF_TYPE_SOFTWARE;
	ret_info->config = tracepoint ? 77 : PERF_COUNT_SW_BPF_OUTPUT;
	ret_info->tracepoint = tracepoint ? "sys_enter_execve" : NULL;
	ret_info->prog_id = container_of(perf, struct perf, object)->prog_id;
	return 0;
}

static const struct sys_attach_ops attach_ops = {
	.raw_tracepoint = attach_raw,
	.perf_event = attach_perf,
	.detach = detach,
	.perf_target = perf_target,
	.perf_info = perf_info,
};

static void message(void *arg, const char *text)
{
	struct skep_world *world = arg;

	strncpy(world->message, text, sizeof(world->message) - 1);
}

static long skep_bpf(struct world *world, u32 cmd, const void *attr, u32 size)
{
	struct skep_world *skep = container_of(world, struct skep_world, world);

	return sys_bpf(skep->hive, &skep->client, cmd, (u64)(uintptr_t)attr, size);
}

static int skep_close(struct world *world, int fd)
{
	struct skep_world *skep = container_of(world, struct skep_world, world);

	if (fd < skep->first_fd || fd >= FDS_MAX)
		return -EBADF;
	if (skep->fds[fd].real)
		close(skep->fds[fd].real);
	skep->fds[fd].real = 0;
	if (skep->fds[fd].foreign || skep->fds[fd].place) {
		skep->fds[fd].foreign = false;
		skep->fds[fd].place = SYS_PLACE_OTHER;
		return 0;
	}
	if (!skep->fds[fd].object)
		return -EBADF;
	object_user_unref(skep->fds[fd].object);
	skep->fds[fd].object = NULL;
	sys_hive_reap(skep->hive);
	return 0;
}

static void free_object(struct object *object)
{
	free(container_of(object, struct perf, object));
}

static int skep_perf_open(struct world *world)
{
	struct skep_world *skep = container_of(world, struct skep_world, world);
	struct perf *perf = calloc(1, sizeof(*perf));
	int fd;

	if (!perf)
		return -ENOMEM;
	object_init(sys_hive_objects(skep->hive), &perf->object, OBJECT_PERF, free_object);
	fd = world_client_ops.install_fd(&skep->client, &perf->object, O_RDWR);
	object_unref(&perf->object);
	return fd;
}

static int skep_place_open(struct world *world, enum sys_place place)
{
	struct skep_world *skep = container_of(world, struct skep_world, world);
	int fd;

	for (fd = 3; fd < FDS_MAX; fd++)
		if (!skep->fds[fd].object && !skep->fds[fd].place && !skep->fds[fd].foreign) {
			skep->fds[fd].place = place;
			return fd;
		}
	return -EMFILE;
}

static int skep_take(struct world *world, int file)
{
	int fd = world_foreign(world);

	if (fd >= 0)
		container_of(world, struct skep_world, world)->fds[fd].real = file;
	return fd;
}

struct world *world_skep(void)
{
	struct skep_world *skep = calloc(1, sizeof(*skep));
	struct sys_hive_options options = { .attach_ops = &attach_ops, .message = message };
	const char *text = NULL;
	int error;

	if (!skep)
		tap_bail("no memory");
	error = arena_new(NULL, &skep->arena, &text);
	if (error)
		tap_bail("no arena: %s (%d)", text ? text : "", error);
	skep->first_fd = 3;
	skep->last_fd = INT32_MAX;
	skep->perf_type = BPF_PROG_TYPE_TRACEPOINT;
	options.arena = skep->arena;
	options.attach_arg = skep;
	options.message_arg = skep;
	skep->hive = sys_hive_new(&options);
	if (!skep->hive)
		tap_bail("no hive");
	skep->world = (struct world){ "skep",	      false,	       skep_bpf, skep_close,
				      skep_perf_open, skep_place_open, skep_take };
	skep->client = (struct sys_client){ .ops = &world_client_ops,
					    .pid = (u32)getpid(),
					    .tgid = (u32)getpid(),
					    .uid = getuid(),
					    .gid = getgid(),
					    .privileged = true };
	return &skep->world;
}

void world_limit(struct world *world, const void *memory, u64 size)
{
	struct skep_world *skep = container_of(world, struct skep_world, world);

	skep->memory = (u64)(uintptr_t)memory;
	skep->memory_size = size;
}

void world_last_fd(struct world *world, int fd)
{
	container_of(world, struct skep_world, world)->last_fd = fd;
}

void world_perf_type(struct world *world, u32 type)
{
	container_of(world, struct skep_world, world)->perf_type = type;
}

void world_first_fd(struct world *world, int fd)
{
	container_of(world, struct skep_world, world)->first_fd = fd;
}

int world_foreign(struct world *world)
{
	struct skep_world *skep;
	int fd;

	if (world->kernel)
		return open("/dev/null", O_RDWR | O_CLOEXEC);
	skep = container_of(world, struct skep_world, world);
	for (fd = skep->first_fd; fd < FDS_MAX; fd++)
		if (!skep->fds[fd].object && !skep->fds[fd].foreign && !skep->fds[fd].place) {
			skep->fds[fd].foreign = true;
			return fd;
		}
	return -EMFILE;
}

int world_take(struct world *world, int file)
{
	return file < 0 ? file : world->take(world, file);
}

void world_unpin(struct world *world)
{
	struct skep_world *skep = container_of(world, struct skep_world, world);
	u32 i;

	for (i = 0; i < PINS_MAX; i++) {
		object_user_unref(skep->pins[i].object);
		memset(&skep->pins[i], 0, sizeof(skep->pins[i]));
	}
}

u32 world_skep_free(struct world *world)
{
	struct skep_world *skep = container_of(world, struct skep_world, world);
	struct object_table *table = sys_hive_objects(skep->hive);
	u32 left = 0, kind, id;
	int fd;

	for (fd = 3; fd < FDS_MAX; fd++)
		if (skep->fds[fd].object || skep->fds[fd].real)
			skep_close(world, fd);
	world_unpin(world);
	for (u32 round = 0; round < 10; round++)
		sys_hive_reap(skep->hive);
	for (kind = 0; kind < OBJECT_PERF; kind++)
		for (id = 0; (id = object_next_id(table, kind, id));)
			left += kind != OBJECT_BTF || id != 1; /* the kernel's is the hive's own */
	left += skep->attached;
	sys_hive_free(skep->hive);
	arena_free(skep->arena);
	free(skep);
	return left;
}

struct sys_hive *world_hive(struct world *world)
{
	return container_of(world, struct skep_world, world)->hive;
}

struct sys_client *world_client(struct world *world)
{
	return &container_of(world, struct skep_world, world)->client;
}

struct object *world_object(struct world *world, int fd)
{
	return container_of(world, struct skep_world, world)->fds[fd].object;
}

const char *world_last_message(struct world *world)
{
	static char text[512];
	struct skep_world *skep = container_of(world, struct skep_world, world);

	memcpy(text, skep->message, sizeof(text));
	skep->message[0] = 0;
	return text;
}
