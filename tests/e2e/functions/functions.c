/* SPDX-License-Identifier: BSD-2-Clause */
/* For functions.py: attaches programs to functions of programs and of the kernel, and says what
 * happens. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char last_log[65536];

static int run(int fd)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	char data[64] = {};
	int error;

	opts.data_in = data;
	opts.data_size_in = sizeof(data);
	error = bpf_prog_test_run_opts(fd, &opts);
	return error ? error : (int)opts.retval;
}

/* The array `out` of an object's programs. */
static void show(struct bpf_object *object, int nr)
{
	struct bpf_map *map;
	long values[16];
	int key = 0;

	bpf_object__for_each_map(map, object) {
		if (!strstr(bpf_map__name(map), ".bss"))
			continue;
		bpf_map_lookup_elem(bpf_map__fd(map), &key, values);
		printf("out");
		for (int i = 0; i < nr; i++)
			printf(" %ld", values[i]);
		printf("\n");
	}
}

static struct bpf_object *open_for(const char *file, int target)
{
	struct bpf_object *object = bpf_object__open(file);
	struct bpf_program *prog;
	int error;

	bpf_object__for_each_program(prog, object) {
		const char *name = strchr(bpf_program__section_name(prog), '/') + 1;

		bpf_program__set_log_buf(prog, last_log, sizeof(last_log));
		if (target > 0)
			bpf_program__set_attach_target(prog, target, name);
	}
	error = bpf_object__load(object);
	if (!error)
		return object;
	printf("%s: load %d\n", file, error);
	return NULL;
}

static int attach_all(struct bpf_object *object, struct bpf_link **links)
{
	struct bpf_program *prog;
	int nr = 0;

	bpf_object__for_each_program(prog, object) {
		links[nr] = bpf_program__attach(prog);
		printf("%s: attach %ld\n", bpf_program__name(prog), libbpf_get_error(links[nr]));
		nr++;
	}
	return nr;
}

static int prog_fd(struct bpf_object *object, const char *name)
{
	return bpf_program__fd(bpf_object__find_program_by_name(object, name));
}

static void show_link(struct bpf_link *link, int target)
{
	struct bpf_link_info info = {};
	struct bpf_prog_info prog = {};
	__u32 length = sizeof(info);

	bpf_obj_get_info_by_fd(bpf_link__fd(link), &info, &length);
	length = sizeof(prog);
	bpf_obj_get_info_by_fd(target, &prog, &length);
	printf("link type %u, attach type %u, target %d, function %d\n", info.type,
	       info.tracing.attach_type, info.tracing.target_obj_id == prog.id,
	       info.tracing.target_btf_id != 0);
}

static void extend(int target)
{
	struct bpf_object *object = open_for("extension.o", target);
	struct bpf_program *prog;
	struct bpf_link *link;

	if (!object)
		return;
	prog = bpf_object__find_program_by_name(object, "new_add");
	link = bpf_program__attach(prog);
	printf("extension: attach %ld, run %d\n", libbpf_get_error(link), run(target));
	printf("a second time: %ld\n", libbpf_get_error(bpf_program__attach(prog)));
	bpf_link__destroy(link);
	printf("without it: %d\n", run(target));
	link = bpf_program__attach_freplace(prog, target, "global_add");
	printf("again: attach %ld, run %d\n", libbpf_get_error(link), run(target));
	show(object, 1);
	bpf_link__destroy(link);
	open_for("wrong.o", target);
	if (strstr(last_log, "new_add() has 2 args while global_add() has 3 args"))
		printf("the log says why\n");
	bpf_object__close(object);
}

static void trace(int target)
{
	struct bpf_object *object = open_for("tracer.o", target), *extension;
	struct bpf_link *links[4];
	int nr;

	if (!object)
		return;
	nr = attach_all(object, links);
	printf("traced: %d\n", run(target));
	show(object, 8);
	show_link(links[0], target);
	extension = open_for("extension.o", target);
	printf("an extension beside: %ld\n",
	       libbpf_get_error(bpf_program__attach(
		       bpf_object__find_program_by_name(extension, "new_add"))));
	bpf_object__close(extension);
	while (nr)
		bpf_link__destroy(links[--nr]);
	printf("untraced: %d\n", run(target));
	show(object, 1);
	bpf_object__close(object);
}

/* The target runs in another process. */
static void watch(struct bpf_object *target)
{
	struct bpf_program *prog = bpf_object__find_program_by_name(target, "on_getppid");
	struct bpf_object *object = open_for("watcher.o", bpf_program__fd(prog));
	struct bpf_link *link = bpf_program__attach(prog), *links[4];
	int status;

	if (!object || libbpf_get_error(link))
		return;
	attach_all(object, links);
	if (!fork()) {
		for (int i = 0; i < 5; i++)
			getppid();
		_exit(0);
	}
	wait(&status);
	show(object, 2);
	bpf_link__destroy(links[0]);
	getppid();
	show(object, 2);
	bpf_link__destroy(link);
	bpf_object__close(object);
}

/* The arguments of task_prctl. */
static void run_hook(int fd)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	__u64 args[5] = { 15, 0, 0, 0, 7 };

	opts.ctx_in = args;
	opts.ctx_size_in = sizeof(args);
	printf("hook: %d,", bpf_prog_test_run_opts(fd, &opts));
	printf(" %d;", (int)opts.retval);
	args[0] = 1;
	printf(" %d,", bpf_prog_test_run_opts(fd, &opts));
	printf(" %d;", (int)opts.retval);
	opts.ctx_size_in = 8;
	printf(" %d\n", bpf_prog_test_run_opts(fd, &opts));
}

static void kernel(void)
{
	struct bpf_object *object = open_for("kernel.o", 0);
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	struct bpf_link *links[4];
	int error;

	if (!object)
		return;
	attach_all(object, links);
	error = bpf_prog_test_run_opts(prog_fd(object, "first"), &opts);
	printf("test run: %d, %u\n", error, opts.retval);
	error = bpf_prog_test_run_opts(prog_fd(object, "modify"), &opts);
	printf("test run: %d, %#x\n", error, opts.retval);
	show(object, 4);
	run_hook(prog_fd(object, "hook"));
}

int main(void)
{
	struct bpf_object *target = bpf_object__open("target.o");

	libbpf_set_print(NULL);
	if (bpf_object__load(target))
		return 1;
	printf("alone: %d\n", run(prog_fd(target, "entry")));
	trace(prog_fd(target, "entry"));
	extend(prog_fd(target, "entry"));
	watch(target);
	kernel();
	return 0;
}
