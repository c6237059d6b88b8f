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

#define MEMORY	 0x300000000000ull /* the client's */
#define FIRST_FD 64		   /* lower ones are files of other kinds */
#define FDS	 192

/* Maps the client's memory, before client_start(). */
void client_map_memory(u32 size);

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
/* From now on it runs on this CPU. */
void client_world_move(struct world *world, u32 cpu);
/* Its process. */
u32 client_world_pid(struct world *world);
/* Maps a file of the client's at this address of its own, fd -1: unmaps it; 0 or -errno. */
long client_world_map(struct world *world, int fd, u64 address, u64 size, int prot, u64 offset);
/* Copies from anywhere in the client to the beginning of its memory; and a number to anywhere. */
void client_world_load(struct world *world, u64 address, u32 size);
void client_world_store(struct world *world, u64 address, u64 value);
/* Do the next calls come from code that the agent has not seen? */
void client_world_raw(struct world *world, bool raw);

/* The same on the kernel's side: the number or -errno. */
int client_dup(int fd);
int client_dup2(int fd, int onto);
int client_send(int fd);
int client_move(u32 cpu);
/* Descriptors 3 to FIRST_FD - 1: files of all kinds. */
void client_fill(void);

#endif
