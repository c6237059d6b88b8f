/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * As execvp(3) does it, in two steps. A hive's first process cannot simply call execvp(): its
 * failed attempts along PATH would be events that nobody asked for.
 */
#include "gate/program.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/alloc.h"

extern char **environ;

/* Finds name as execvp() does: 0 and the path, or the most telling error. */
static int find(const char *name, char *ret_path, u64 size)
{
	const char *search = getenv("PATH"), *next;
	int error = -ENOENT;

	if (strchr(name, '/')) {
		snprintf(ret_path, size, "%s", name);
		return strlen(name) < size ? 0 : -ENAMETOOLONG;
	}
	if (!*name)
		return -ENOENT;
	if (!search)
		search = "/usr/local/bin:/usr/bin:/bin";
	for (; search; search = next) {
		u64 length = strcspn(search, ":");
		struct stat st;
		int written;

		next = search[length] ? search + length + 1 : NULL;
		written = length ? snprintf(ret_path, size, "%.*s/%s", (int)length, search, name)
				 : snprintf(ret_path, size, "./%s", name);
		if (written < 0 || (u64)written >= size || stat(ret_path, &st) < 0)
			continue;
		if (S_ISREG(st.st_mode) && access(ret_path, X_OK) == 0)
			return 0;
		error = -EACCES;
	}
	return error;
}

static char **make_shell_argv(const char *path, char *const argv[])
{
	u32 nr = 0;
	char **shell;

	while (argv[nr])
		nr++;
	shell = base_zalloc(nr + 3, sizeof(*shell));
	if (!shell)
		return NULL;
	shell[0] = (char *)"sh";
	shell[1] = (char *)path;
	for (u32 i = 1; i < nr; i++)
		shell[i + 1] = argv[i];
	return shell;
}

int program_find(struct program *program, char *const argv[], char *const envp[])
{
	int error;

	*program = (struct program){ .argv = argv, .envp = envp ? envp : environ };
	if (!argv || !argv[0])
		return -EINVAL;
	error = find(argv[0], program->path, sizeof(program->path));
	if (error)
		return error;
	program->shell_argv = make_shell_argv(program->path, argv);
	return program->shell_argv ? 0 : -ENOMEM;
}

void program_done(struct program *program)
{
	base_free(program->shell_argv);
	program->shell_argv = NULL;
}

int program_execute(const struct program *program)
{
	execve(program->path, program->argv, program->envp);
	if (errno == ENOEXEC)
		execve("/bin/sh", program->shell_argv, program->envp);
	return -errno;
}
