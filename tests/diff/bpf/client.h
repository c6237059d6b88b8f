/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * skep as a third world: a client under `skep exec` that does the calls which the driver asks for,
 * by system calls in its own address space. Some come from a call site that the agent has
 * rewritten, and may be served in the process; others from code that it has never seen, so that
 * the supervisor serves them. The client's memory is the driver's: a shared mapping at one address.
 */
#ifndef SKEP_DIFF_BPF_CLIENT_H
#define SKEP_DIFF_BPF_CLIENT_H

#include "world.h"

/* Maps the client's memory, before client_start(). */
void client_map_memory(void);

/* Runs this program as a client under `skep exec`; ends the test program if that fails. */
struct world *client_start(const char *skep);
/* Ends it. The objects that are left when all is closed, and one more for a bad end. */
u32 client_stop(struct world *world);

/* main() of the client: its arguments are numbers of descriptors. */
int client_serve(const char *memory_fd, const char *socket_fd);

/* A file of another kind. */
int client_world_fill(struct world *world);
/* Duplicates fd, onto a number if that is not below 0. */
int client_world_dup(struct world *world, int fd, int onto);
/* Sends a descriptor through a socket, and takes it. */
int client_world_send(struct world *world, int fd);
/* Closes all, unpins all. */
void client_world_reset(struct world *world);
/* Its process. */
u32 client_world_pid(struct world *world);
/* Do the next calls come from code that the agent has not seen? */
void client_world_raw(struct world *world, bool raw);

/* The same on the kernel's side: the number or -errno. */
int client_dup(int fd);
int client_dup2(int fd, int onto);
int client_send(int fd);
/* Descriptors 3 to FIRST_FD - 1: files of all kinds. */
void client_fill(void);

#endif
