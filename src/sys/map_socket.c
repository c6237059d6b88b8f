/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sockets of clients: looked at through a copy of the descriptor that is closed at once, so that no
 * socket lives longer because of us.
 */
#include "sys/hive.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static int option(int copy, int name, void *value, socklen_t size)
{
	return getsockopt(copy, SOL_SOCKET, name, value, &size) < 0 ? -errno : 0;
}

static int describe(int copy, struct sys_socket *ret_socket)
{
	int error = option(copy, SO_DOMAIN, &ret_socket->family, sizeof(int));

	if (!error)
		error = option(copy, SO_TYPE, &ret_socket->type, sizeof(int));
	if (!error)
		error = option(copy, SO_PROTOCOL, &ret_socket->protocol, sizeof(int));
	if (!error)
		error = option(copy, SO_COOKIE, &ret_socket->cookie, sizeof(u64));
	return error;
}

int sys_socket_of_fd(struct sys_call *call, int fd, struct sys_socket *ret_socket)
{
	struct sys_client *client = call->client;
	int copy = client->ops->copy_fd ? client->ops->copy_fd(client, fd) : -EBADF, error;

	if (copy < 0)
		return copy;
	error = describe(copy, ret_socket);
	close(copy);
	return error;
}
