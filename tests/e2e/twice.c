/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A workload without libc's dynamic loader: executes /bin/true as often as its argument says
 * (default 2), prints the children's process ids, and ends with status 5.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int times = argc > 1 ? atoi(argv[1]) : 2;

	for (int i = 0; i < times; i++) {
		int status;
		pid_t pid = fork();

		if (pid == 0) {
			execl("/bin/true", "true", (char *)NULL);
			_exit(127);
		}
		printf("child %d\n", (int)pid);
		if (waitpid(pid, &status, 0) != pid || status)
			return 1;
	}
	return 5;
}
