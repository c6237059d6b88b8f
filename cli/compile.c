/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs clang with its output in a memory file. vmlinux.h is another memory file, which a virtual
 * directory of clang's (-ivfsoverlay) gives its name; so nothing is written to disk, and nothing
 * can be left behind, however this ends.
 */
#include "compile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "say.h"

#define INCLUDE_DIR "/skep-include" /* exists only in clang's eyes */

/* Tells clang that INCLUDE_DIR/vmlinux.h is the file header_fd. The descriptor, or -errno. */
static int make_overlay(int header_fd)
{
	int fd = memfd_create("skep-overlay", 0);

	if (fd < 0)
		return -errno;
	dprintf(fd,
		"{\"version\": 0, \"case-sensitive\": \"true\", \"roots\": ["
		"{\"type\": \"directory\", \"name\": \"" INCLUDE_DIR "\", \"contents\": ["
		"{\"type\": \"file\", \"name\": \"vmlinux.h\", \"external-contents\": "
		"\"/proc/self/fd/%d\"}"
		"]}]}",
		header_fd);
	return fd;
}

/* Is there an executable name in one of the directories of PATH? Its path in buffer. */
static bool find_in_path(const char *name, char *buffer, size_t size)
{
	const char *path = getenv("PATH");
	bool found = false;
	char *copy = strdup(path ? path : "/usr/local/bin:/usr/bin:/bin");
	char *rest = copy, *dir;

	while (!found && copy && (dir = strsep(&rest, ":"))) {
		snprintf(buffer, size, "%s/%s", *dir ? dir : ".", name);
		found = !access(buffer, X_OK);
	}
	free(copy);
	return found;
}

/* clang, or the newest clang-N, as Debian names them. */
static bool find_clang(char *buffer, size_t size)
{
	char name[16];

	if (find_in_path("clang", buffer, size))
		return true;
	for (int version = 40; version >= 11; version--) {
		snprintf(name, sizeof(name), "clang-%d", version);
		if (find_in_path(name, buffer, size))
			return true;
	}
	return false;
}

static const char *target_define(void)
{
#if defined(__x86_64__)
	return "-D__TARGET_ARCH_x86";
#elif defined(__aarch64__)
	return "-D__TARGET_ARCH_arm64";
#else
#error "which __TARGET_ARCH_ is this machine?"
#endif
}

enum { KEY_CPU = 0x200 };

static const struct argp_option argp_options[] = {
	{ NULL, 'I', "DIRECTORY", 0, "C is compiled with this directory for headers, too", 0 },
	{ NULL, 'D', "NAME[=VALUE]", 0, "C is compiled with this macro", 0 },
	{ NULL, 'U', "NAME", 0, "C is compiled without this macro", 0 },
	{ "mcpu", KEY_CPU, "VERSION", 0, "Instruction set to compile for: v1 … v4 (default v3)",
	  0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct compile_options *options = state->input;

	switch (key) {
	case KEY_CPU: options->cpu = arg; return 0;
	case 'I':
	case 'D':
	case 'U':
		if (options->nr_flags == COMPILE_FLAGS_MAX)
			argp_error(state, "more than %d of -I, -D and -U", COMPILE_FLAGS_MAX);
		options->flags[options->nr_flags].letter = (char)key;
		options->flags[options->nr_flags++].value = arg;
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

const struct argp compile_argp = { .options = argp_options, .parser = parse };

/* In the child: becomes clang. header and overlay are descriptors that it inherits. */
static void become_clang(const char *clang, const char *file, const struct compile_options *options,
			 int overlay, int out)
{
	char mcpu[64], vfs[64], dir[PATH_MAX + 2], here[PATH_MAX];
	const char *slash = strrchr(file, '/');
	sigset_t none;

	/* A hive keeps the signals that end a command for itself. */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (*file == '-') {
		snprintf(here, sizeof(here), "./%s", file);
		file = here;
	}

	snprintf(mcpu, sizeof(mcpu), "-mcpu=%s", options->cpu);
	snprintf(vfs, sizeof(vfs), "/proc/self/fd/%d", overlay);
	snprintf(dir, sizeof(dir), "-I%.*s", slash ? (int)(slash - file) + 1 : 1,
		 slash ? file : ".");

	const char *argv[32 + COMPILE_FLAGS_MAX] = {
		clang,		 "-target", "bpf",
		"-O2",		 "-g",	    mcpu,
		target_define(), "-Wall",   "-Wno-unused-function",
		"-fno-ident",	 dir,
	};
	/* After what was asked for: a project's own vmlinux.h goes before ours. */
	const char *const last[] = {
		"-ivfsoverlay",
		vfs,
		"-I" INCLUDE_DIR,
		"-idirafter",
		"/usr/include/" SKEP_MULTIARCH,
		"-c",
		file,
		"-o",
		"-",
	};
	size_t nr = 0;

	while (argv[nr])
		nr++;
	for (int i = 0; i < options->nr_flags; i++) {
		char *flag;

		if (asprintf(&flag, "-%c%s", options->flags[i].letter, options->flags[i].value) < 0)
			_exit(127);
		argv[nr++] = flag;
	}
	memcpy(argv + nr, last, sizeof(last));

	dup2(out, STDOUT_FILENO);
	execv(clang, (char *const *)argv);
	say("%s: %s", clang, strerror(errno));
	_exit(127);
}

static int run_clang(const char *clang, const char *file, const struct compile_options *options,
		     int overlay, int out)
{
	int status;
	pid_t pid = fork();

	if (pid < 0) {
		say("clang cannot be started: %s", strerror(errno));
		return 1;
	}
	if (pid == 0)
		become_clang(clang, file, options, overlay, out);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return 1;
	if (WIFSIGNALED(status))
		say("%s: clang was ended by signal %d", file, WTERMSIG(status));
	return status != 0; /* clang has said why */
}

int compile_bpf(const char *file, const struct compile_options *options, int *ret_fd)
{
	int header, overlay = -1, out = -1, failed = 1;
	char clang[PATH_MAX];

	if (!find_clang(clang, sizeof(clang))) {
		say("%s: clang is needed to compile C and is not in PATH; the Debian package is "
		    "\"clang\"",
		    file);
		return 1;
	}
	header = vmlinux_header();
	if (header >= 0)
		overlay = make_overlay(header);
	if (overlay >= 0)
		out = memfd_create("skep-object", MFD_CLOEXEC);
	if (out < 0)
		say("no memory file can be made: %s", strerror(errno));
	else
		failed = run_clang(clang, file, options, overlay, out);
	if (overlay >= 0)
		close(overlay);
	if (header >= 0)
		close(header);
	if (!failed)
		*ret_fd = out;
	else if (out >= 0)
		close(out);
	return failed;
}
