/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PROG_TEST_RUN: runs a program in the supervisor on a context and a packet that the client gives.
 * Checks and results are those of the kernel's net/bpf/test_run.c and bpf_prog_test_run_raw_tp();
 * test_run_skb.c and test_run_xdp.c have the packets. Types that the kernel cannot run so are run
 * on a context of the client's; docs/test-run.md says by which rule.
 *
 * The supervisor serves others meanwhile: between runs, which go on until a signal comes to the
 * client; then the command ends with EINTR, as in the kernel. A run cannot be left in the middle:
 * after RUN_TIME_MAX its loops come to their end (rt_prog_out_of_time()), and the command, too.
 */
#include "sys/test_run.h"
#include "abi/context.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/proc.h"
#include "sys/context_image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define RUN_TIME_MAX_NS 2000000000ull
#define SLICE_NS	5000000ull /* of many runs, before others are served */
#define CGROUP_ROOT	"/sys/fs/cgroup"
#define NETNS_COOKIE	71  /* SO_NETNS_COOKIE */
#define RAW_CTX_MAX	96u /* MAX_BPF_FUNC_ARGS u64s */

void sys_read_comm(struct rt_task *task)
{
	size_t length = base_read_proc(task->pid, "comm", task->comm, sizeof(task->comm));

	if (!length)
		return;
	if (task->comm[length - 1] == '\n')
		task->comm[length - 1] = 0;
	task->flags |= RT_TASK_HAS_COMM;
}

/* The path of the client's cgroup in the unified hierarchy, with its mount point. */
static bool cgroup_path(u32 pid, char *path, size_t size)
{
	char name[64], line[512];
	bool found = false;
	FILE *file;

	snprintf(name, sizeof(name), "/proc/%u/cgroup", pid);
	file = fopen(name, "re");
	while (file && !found && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = 0;
		if (!strncmp(line, "0::/", 4))
			found = snprintf(path, size, CGROUP_ROOT "%s", line + 3) < (int)size;
	}
	if (file)
		fclose(file);
	return found;
}

/* Ids from the root to the client's group; none is known when there is no such file system. */
static void read_cgroups(u32 pid, struct abi_rt_sock *sock)
{
	char path[sizeof(CGROUP_ROOT) + 512];
	struct stat status;

	sock->nr_cgroups = 0;
	if (!cgroup_path(pid, path, sizeof(path)))
		return;
	for (char *end = path + strlen(CGROUP_ROOT); sock->nr_cgroups < ABI_CGROUP_LEVELS; end++) {
		char saved = *end;

		if (saved && saved != '/')
			continue;
		*end = 0;
		if (stat(path, &status))
			return;
		sock->cgroup_ids[sock->nr_cgroups++] = status.st_ino;
		*end = saved;
		if (!saved || !end[1])
			return;
	}
}

void test_sock_init(struct sys_call *call, struct abi_rt_sock *sock)
{
	static u64 cookies;
	socklen_t size = sizeof(sock->netns_cookie);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	sock->cookie = ++cookies;
	sock->netns_cookie = 3; /* the first one's: kernels before 5.14 do not tell */
	if (fd >= 0) {
		getsockopt(fd, SOL_SOCKET, NETNS_COOKIE, &sock->netns_cookie, &size);
		close(fd);
	}
	read_cgroups(call->client->pid, sock);
}

struct rt_vcpu *test_vcpu_begin(struct sys_call *call)
{
	struct rt_vcpu *vcpu = sys_vcpu_acquire_near(call->client);

	if (!vcpu)
		return NULL;
	sys_read_comm(&vcpu->task);
	vcpu->deadline = base_clock_ns(CLOCK_MONOTONIC) + RUN_TIME_MAX_NS;
	vcpu->polls = 0;
	vcpu->stopped = false;
	return vcpu;
}

bool test_vcpu_end(struct rt_vcpu *vcpu)
{
	bool stopped = vcpu->stopped;

	vcpu->deadline = 0;
	vcpu->stopped = false;
	sys_vcpu_release(vcpu);
	return stopped;
}

/* One call of test_run(): what is left to do, and what it took so far. */
struct series {
	const struct sys_prog *prog;
	void *ctx;
	const struct test_how *how;
	struct rt_task task;
	u32 repeat, done;
	u64 spent;    /* ns */
	bool stopped; /* inside a run */
};

/*
 * Runs until the time is over, and looks at the clock ever more seldom, so that at most an eighth
 * of the time is lost.
 */
static void run_until(struct series *series, struct rt_vcpu *vcpu, u64 end, u32 *ret_value)
{
	u32 look = 0, i = 0;

	while (series->done < series->repeat && !vcpu->stopped) {
		if (series->how->begin)
			series->how->begin(series->ctx);
		vcpu->retval = 0;
		*ret_value = (u32)rt_prog_run(series->prog->rt, series->ctx, vcpu);
		series->done++;
		if (i++ < look)
			continue;
		if (base_clock_ns(CLOCK_MONOTONIC) > end)
			return;
		look = i + i / 8 + 1;
	}
}

static bool has_socks(const struct sys_prog *prog)
{
	for (u32 i = 0; i < prog->nr_maps; i++)
		if (sys_map_is_sock(prog->maps[i]) || (sys_map_is_of_maps(prog->maps[i])))
			return true;
	return false;
}

/* Runs for a while. -EBUSY: there is no vCPU. */
static int run_slice(struct sys_call *call, struct series *series, u64 length)
{
	struct rt_vcpu *vcpu = sys_vcpu_acquire_near(call->client);
	u64 start = base_clock_ns(CLOCK_MONOTONIC);

	if (!vcpu)
		return -EBUSY;
	memcpy(vcpu->task.comm, series->task.comm, sizeof(vcpu->task.comm));
	vcpu->task.flags |= series->task.flags;
	vcpu->deadline = start + RUN_TIME_MAX_NS;
	vcpu->polls = 0;
	vcpu->stopped = false;
	vcpu->service = series->how->service;
	vcpu->service_arg = series->how->service_arg;
	vcpu->skb = series->how->skb;
	vcpu->sock_change = sys_sock_change;
	vcpu->sock_arg = call->hive;
	vcpu->cast = context_image;
	vcpu->cast_arg = call->hive;
	if (has_socks(series->prog))
		sys_sock_sweep(call->hive, vcpu);
	run_until(series, vcpu, start + length, &call->attr.test.retval);
	series->stopped = vcpu->stopped;
	series->spent += base_clock_ns(CLOCK_MONOTONIC) - start;
	vcpu->deadline = 0;
	vcpu->stopped = false;
	vcpu->service = NULL;
	vcpu->skb = NULL;
	vcpu->sock_change = NULL;
	vcpu->cast = NULL;
	sys_vcpu_release(vcpu);
	return 0;
}

/* All of it, with pauses for the others; alone if there is nobody. */
static int run_series(struct sys_call *call, struct series *series)
{
	const struct sys_client_ops *ops = call->client->ops;
	int error;

	for (;;) {
		error = run_slice(call, series, ops->pause ? SLICE_NS : RUN_TIME_MAX_NS);
		if (error)
			return error;
		if (series->stopped)
			return -EINTR;
		if (series->done == series->repeat)
			return 0;
		if (!ops->pause)
			return -EINTR;
		error = ops->pause(call->client);
		/* Nobody else can be served: then this cannot take long. */
		if (error == -EAGAIN && series->spent < RUN_TIME_MAX_NS)
			error = 0;
		if (error)
			return -EINTR;
	}
}

/* What belongs to no cgroup begins with zeros. */
static void clear_storage(const struct sys_prog *prog)
{
	for (u32 i = 0; i < prog->nr_maps; i++) {
		const struct rt_map *map = prog->maps[i]->rt;

		if (map->type == BPF_MAP_TYPE_CGROUP_STORAGE ||
		    map->type == BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE)
			memset(map->data, 0, map->data_size);
	}
}

int test_run(struct sys_call *call, struct sys_prog *prog, const void *ctx)
{
	return test_run_as(call, prog, (void *)(uintptr_t)ctx, &(struct test_how){ 0 });
}

int test_run_as(struct sys_call *call, struct sys_prog *prog, void *ctx, const struct test_how *how)
{
	struct series series = { .prog = prog,
				 .ctx = ctx,
				 .how = how,
				 .task = { .pid = call->client->pid },
				 .repeat = call->attr.test.repeat ? call->attr.test.repeat : 1 };
	int error;

	sys_read_comm(&series.task);
	clear_storage(prog);
	error = run_series(call, &series);
	/* A signal needs no words: the client knows. */
	if (error == -EINTR && (series.stopped || !call->client->ops->pause))
		sys_say(call->hive, "program %s: test run stopped %s %u of %u after %llu ms",
			prog->name, series.stopped ? "inside run" : "behind run", series.done,
			series.repeat, (unsigned long long)series.spent / 1000000);
	if (error)
		return error;
	series.spent /= series.repeat;
	call->attr.test.duration = series.spent > UINT32_MAX ? UINT32_MAX : (u32)series.spent;
	return 0;
}

int test_ctx_init(struct sys_call *call, void *ctx, u32 known, bool *ret_given)
{
	const union abi_attr *attr = &call->attr;
	u32 size = attr->test.ctx_size_in;
	int error;

	memset(ctx, 0, known);
	*ret_given = attr->test.ctx_in || attr->test.ctx_out;
	if (!attr->test.ctx_in)
		return 0;
	error = sys_check_tail(call, attr->test.ctx_in, known, size);
	return error ? error : sys_read(call, ctx, attr->test.ctx_in, size < known ? size : known);
}

/*
 * Copies as much of the data as the client has room for: 0, -EFAULT, -ENOSPC. What is cut is the
 * end of the linear part, as in the kernel; fragments are copied whole or there is not even a
 * result. Having too little room is what a failure to write tells as well, as there.
 */
static int copy_out(struct sys_call *call, const struct test_data *data, bool *ret_report)
{
	const union abi_attr *attr = &call->attr;
	u32 size = data->size, room = attr->test.data_size_out;
	int error = 0;

	*ret_report = true;
	if (room && size + data->frags_size > room) {
		error = -ENOSPC;
		*ret_report = !attr->test.data_out || room >= data->frags_size;
		size = *ret_report ? room - data->frags_size : 0;
	}
	if (!attr->test.data_out || !*ret_report)
		return error;
	if (sys_write(call, attr->test.data_out, data->data, size) ||
	    sys_write(call, attr->test.data_out + size, data->frags, data->frags_size)) {
		*ret_report = false;
		return error ? error : -EFAULT;
	}
	return error;
}

int test_finish(struct sys_call *call, const struct test_data *data)
{
	bool report;
	int error = copy_out(call, data, &report);

	if (!report)
		return error;
	call->attr.test.data_size_out = data->size + data->frags_size;
	if (sys_write_attr(call, test.data_size_out) || sys_write_attr(call, test.retval) ||
	    sys_write_attr(call, test.duration))
		return error ? error : -EFAULT;
	return error;
}

int test_ctx_finish(struct sys_call *call, const void *ctx, u32 size)
{
	union abi_attr *attr = &call->attr;
	u32 copy = size;
	int error = 0;

	if (!attr->test.ctx_out)
		return 0;
	if (copy > attr->test.ctx_size_out) {
		copy = attr->test.ctx_size_out;
		error = -ENOSPC;
	}
	if (sys_write(call, attr->test.ctx_out, ctx, copy))
		return error ? error : -EFAULT;
	attr->test.ctx_size_out = size;
	if (sys_write_attr(call, test.ctx_size_out) && !error)
		error = -EFAULT;
	return error;
}

int test_read_frags(struct sys_call *call, u32 offset, void **ret_frags, u32 *ret_size)
{
	u32 size = call->attr.test.data_size_in - offset;
	u32 whole = size < TEST_FRAGS_MAX ? size : TEST_FRAGS_MAX;

	*ret_frags = NULL;
	*ret_size = whole;
	if (!size)
		return 0;
	*ret_frags = base_zalloc(1, ALIGN_UP(whole, ABI_RT_XDP_FRAG));
	if (!*ret_frags)
		return -ENOMEM;
	if (sys_read(call, *ret_frags, call->attr.test.data_in + offset, whole))
		return -EFAULT;
	return size > TEST_FRAGS_MAX ? -ENOMEM : 0;
}

static long run_raw_tracepoint(struct sys_call *call, struct sys_prog *prog)
{
	union abi_attr *attr = &call->attr;
	u64 args[RAW_CTX_MAX / sizeof(u64)] = { 0 };
	int error;

	if (attr->test.data_in || attr->test.data_out || attr->test.ctx_out ||
	    attr->test.duration || attr->test.repeat || attr->test.batch_size)
		return -EINVAL;
	if (attr->test.ctx_size_in < prog->max_ctx_offset || attr->test.ctx_size_in > RAW_CTX_MAX)
		return -EINVAL;
	if (!(attr->test.flags & BPF_F_TEST_RUN_ON_CPU) && attr->test.cpu)
		return -EINVAL;
	if (sys_read(call, args, attr->test.ctx_in, attr->test.ctx_size_in))
		return -EFAULT;
	/* Slots are not CPUs: which one the program sees is not the caller's choice. */
	if (attr->test.flags & BPF_F_TEST_RUN_ON_CPU && attr->test.cpu >= RT_CONTROL->nr_vcpus)
		return -ENXIO;
	error = test_run(call, prog, args);
	return error ? error : sys_write_attr(call, test.retval);
}

static long run_of_type(struct sys_call *call, struct sys_prog *prog)
{
	if (abi_ctx_is_skb(prog->type))
		return test_run_skb(call, prog);
	switch (prog->type) {
	case BPF_PROG_TYPE_RAW_TRACEPOINT: return run_raw_tracepoint(call, prog);
	case BPF_PROG_TYPE_TRACING: return test_run_function(call, prog);
	case BPF_PROG_TYPE_STRUCT_OPS: return test_run_struct_ops(call, prog);
	case BPF_PROG_TYPE_LSM: return test_run_hook(call, prog);
	case BPF_PROG_TYPE_SYSCALL: return test_run_syscall(call, prog);
	case BPF_PROG_TYPE_XDP: return test_run_xdp(call, prog);
	case BPF_PROG_TYPE_FLOW_DISSECTOR: return test_run_flow_dissector(call, prog);
	case BPF_PROG_TYPE_SK_LOOKUP: return test_run_sk_lookup(call, prog);
	case ABI_PROG_TYPE_NETFILTER: return test_run_netfilter(call, prog);
	case BPF_PROG_TYPE_KPROBE:
	case BPF_PROG_TYPE_TRACEPOINT:
	case BPF_PROG_TYPE_PERF_EVENT:
	case BPF_PROG_TYPE_CGROUP_SOCK:
	case BPF_PROG_TYPE_CGROUP_SOCK_ADDR:
	case BPF_PROG_TYPE_CGROUP_DEVICE:
	case BPF_PROG_TYPE_CGROUP_SYSCTL:
	case BPF_PROG_TYPE_CGROUP_SOCKOPT:
	case BPF_PROG_TYPE_SOCK_OPS:
	case BPF_PROG_TYPE_SK_MSG:
	case BPF_PROG_TYPE_SK_REUSEPORT: return test_run_ctx(call, prog);
	default: return -ABI_ENOTSUPP;
	}
}

long sys_prog_test_run(struct sys_call *call)
{
	const union abi_attr *attr = &call->attr;
	struct sys_prog *prog;
	long result;

	if (!attr->test.ctx_size_in != !attr->test.ctx_in ||
	    !attr->test.ctx_size_out != !attr->test.ctx_out)
		return -EINVAL;
	result = sys_prog_by_fd(call, attr->test.prog_fd, &prog);
	if (result)
		return result;
	result = run_of_type(call, prog);
	sys_prog_put(prog);
	return result;
}
