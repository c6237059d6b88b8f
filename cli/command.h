/* SPDX-License-Identifier: BSD-2-Clause */
/* The subcommands. Each parses its own arguments (argv[0] is its name, "skep run") and returns the
 * exit status. */
#ifndef SKEP_CLI_COMMAND_H
#define SKEP_CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <skep/skep.h>

int command_run(int argc, char **argv);
int command_exec(int argc, char **argv);
int command_check(int argc, char **argv);
int command_up(int argc, char **argv);
int command_list(int argc, char **argv);
int command_down(int argc, char **argv);
int command_version(int argc, char **argv);

/* Makes a hive with these options (may be NULL), whose sentences go to standard error; NULL after
 * saying why not. */
struct skep_hive *command_hive(const struct skep_hive_options *more);

struct argp_state;

/* arg if a hive can stand for that Linux; otherwise argp says which there are, and exits. */
const char *command_kernel(const char *arg, struct argp_state *state);

/* The living hive with that name; NULL after saying why not. */
struct skep_hive *command_open(const char *name);

/* Says that there is no hive of that name, and which there are. */
void command_no_hive(const char *name);

/* The exit status that a shell would show for a wait status. */
int command_status(int wait_status);

/* Says why a command cannot be executed and returns the exit status for it: 127 not found, else
 * 126. */
int command_not_run(const char *name, int err);

/* Where this program is; false: that cannot be found out. */
bool command_self(char *path, size_t size);

/* The exit status for wrong arguments. */
#define EXIT_USAGE 2

/* For --help: what command_kernel() takes. */
#define COMMAND_KERNELS "5.4, 5.10, 5.15, 6.1, 6.6, 6.12, 6.18 (default)"

#endif
