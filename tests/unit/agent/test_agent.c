/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs each part of target.c, dynamic and static, alone and in a hive: with nobody listening, and
 * with programs on every system call. argv: the hive runner and the targets.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/types.h"
#include "harness/tap.h"

static const char *const parts[] = {
	"recover", "siginfo", "breakpoint", "deaths",	   "overflow",	  "dispositions",
	"masks",   "suspend", "inherit",    "escape",	   "storm",	  "alarm-vfork",
	"spawns",  "threads", "cancel",	    "clone",	   "vfork",	  "bomb",
	"chain",   "memory",  "registers",  "interrupted", "exec-thread",
};

#define SECONDS_MAX 60

/* Exit status, 128 + signal, or -1 when it took too long. */
static int run(char *const argv[])
{
	pid_t pid = fork();
	int status = -1;

	if (pid == 0) {
		setpgid(0, 0);
		dup2(open("/dev/null", O_RDWR), 1);
		execv(argv[0], argv);
		_exit(127);
	}
	for (int i = 0; i < SECONDS_MAX * 100; i++) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		usleep(10000);
	}
	kill(-pid, SIGKILL);
	waitpid(pid, &status, 0);
	return -1;
}

int main(int argc, char **argv)
{
	static const char *const modes[] = { "-n", "-e" };

	if (argc < 3)
		tap_bail("usage: test_agent HIVE TARGET...");
	for (int t = 2; t < argc; t++) {
		for (u32 p = 0; p < ARRAY_SIZE(parts); p++) {
			char *const alone[] = { argv[t], (char *)parts[p], NULL };

			if (run(alone) != 0) {
				tap_skip(2, "%s does not pass here without the agent", parts[p]);
				continue;
			}
			for (u32 m = 0; m < 2; m++) {
				char *const hive[] = { argv[1], (char *)modes[m], argv[t],
						       (char *)parts[p], NULL };

				tap_is(run(hive), 0, parts[p]);
			}
		}
	}
	return tap_done();
}
