/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The asking half of `skep check`: an ordinary libbpf client in a process of its own, which loads
 * each program of an object by itself and writes down what bpf(2) said. The same code runs inside a
 * hive, where skep answers it, and directly on the kernel (--real).
 */
#ifndef SKEP_CLI_JUDGE_H
#define SKEP_CLI_JUDGE_H

/*
 * What to judge: the programs of the object behind object_fd, which is called name. Extensions, and
 * what traces functions of another program, find that in the object behind target_fd (-1: none).
 */
struct judge_options {
	const char *name;
	int object_fd, target_fd, result_fd;
	unsigned log_level; /* bpf(2)'s; 0: no log is wanted */
};

/*
 * To result_fd goes a line of JSON for each program:
 *   program, section, type (strings), insns (of the program),
 *   verdict: "accepted", "rejected" (by bpf(2)) or "error" (it did not come to that),
 *   errno (positive) and reason (a line of text) unless it was accepted,
 *   time_us, processed, states, peak_states: from the verifier's log, where it has them,
 *   log: with log_level the verifier's text, its end if it is more than 16 MiB.
 * 0, or 1 after a line {"reason": …} about the whole object.
 */
int judge_object(const struct judge_options *options);

#endif
