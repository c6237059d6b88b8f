/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs each part of target.c and host.c, dynamic and static, alone and in a hive: with nobody
 * listening, and with programs on every system call. argv: the hive runner and the targets.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/types.h"
#include "harness/tap.h"

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

static void play(const char *hive, const char *target, char *part)
{
	static const char *const modes[] = { "-n", "-e" };
	char *const alone[] = { (char *)target, part, NULL };

	if (run(alone) != 0) {
		tap_skip(2, "%s does not pass here without the agent", part);
		return;
	}
	for (u32 m = 0; m < ARRAY_SIZE(modes); m++) {
		char *const inside[] = { (char *)hive, (char *)modes[m], (char *)target, part,
					 NULL };

		tap_is(run(inside), 0, part);
	}
}

int main(int argc, char **argv)
{
	char command[4096], part[64];
	u32 nr = 0;
	FILE *list;

	if (argc < 3)
		tap_bail("usage: test_agent HIVE TARGET...");
	for (int t = 2; t < argc; t++) {
		snprintf(command, sizeof(command), "'%s' list", argv[t]);
		list = popen(command, "r");
		while (list && fgets(part, sizeof(part), list)) {
			part[strcspn(part, "\n")] = '\0';
			play(argv[1], argv[t], part);
			nr++;
		}
		if (list)
			pclose(list);
	}
	tap_ok(nr >= 60, "%u parts", nr);
	return tap_done();
}
