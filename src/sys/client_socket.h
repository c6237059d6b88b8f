/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sockets of clients: looked at through a copy of the descriptor that is closed at once, so that no
 * socket lives longer because of us. Whether one still lives is known all the same: an epoll set
 * drops a file by itself when its last descriptor is closed, and tells what is in it.
 */
#ifndef SKEP_SYS_CLIENT_SOCKET_H
#define SKEP_SYS_CLIENT_SOCKET_H

#include "abi/context.h"
#include "sys/hive.h"

/* As it is now. */
struct sys_socket {
	int family, type, protocol; /* AF_*, SOCK_*, IPPROTO_* */
	u64 cookie;		    /* SO_COOKIE */
	bool listens, bound;
	bool reuses_port; /* SO_REUSEPORT */
};

/* 0, -EBADF, -ENOTSOCK. watch: sys_socket_lives() can be asked about it later; -ENOMEM. */
int sys_socket_of_fd(struct sys_call *call, int fd, bool watch, struct sys_socket *ret_socket);
/*
 * What programs see of it, as it is now: 0, -EBADF, -ENOTSOCK, -EINVAL for one that a protocol
 * above TCP's has taken over.
 */
int sys_socket_image(struct sys_call *call, int fd, struct abi_rt_sock *ret_image);
bool sys_socket_lives(struct sys_hive *hive, u64 cookie);
/* The cookies of all sockets that live, in order, in *ret_cookies (base_free()): 0, -ENOMEM. */
int sys_sockets_alive(struct sys_hive *hive, u64 **ret_cookies, u64 *ret_nr);
bool sys_cookie_in(const u64 *cookies, u64 nr, u64 cookie);

#endif
