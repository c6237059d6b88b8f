/* SPDX-License-Identifier: BSD-2-Clause */
/* See client_socket.h. */
#include "sys/client_socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static int option(int copy, int name, void *value, socklen_t size)
{
	return getsockopt(copy, SOL_SOCKET, name, value, &size) < 0 ? -errno : 0;
}

/* Has it a port? */
static bool is_bound(int copy)
{
	struct sockaddr_in6 address = { 0 };
	socklen_t size = sizeof(address);

	/* The port is in the same place in IPv4's structure. */
	return !getsockname(copy, (struct sockaddr *)&address, &size) && address.sin6_port;
}

static int describe(int copy, struct sys_socket *ret_socket)
{
	int listens = 0, reuses = 0;
	int error = option(copy, SO_DOMAIN, &ret_socket->family, sizeof(int));

	if (!error)
		error = option(copy, SO_TYPE, &ret_socket->type, sizeof(int));
	if (!error)
		error = option(copy, SO_PROTOCOL, &ret_socket->protocol, sizeof(int));
	if (!error)
		error = option(copy, SO_COOKIE, &ret_socket->cookie, sizeof(u64));
	if (error)
		return error;
	ret_socket->listens = !option(copy, SO_ACCEPTCONN, &listens, sizeof(int)) && listens;
	ret_socket->reuses_port = !option(copy, SO_REUSEPORT, &reuses, sizeof(int)) && reuses;
	ret_socket->bound =
		(ret_socket->family == AF_INET || ret_socket->family == AF_INET6) && is_bound(copy);
	return 0;
}

/* By its cookie. That it is in the set under the same number already says the same. */
static int add_to_set(struct sys_hive *hive, int copy, u64 cookie)
{
	struct epoll_event event = { .data.u64 = cookie };

	if (!hive->sockets)
		hive->sockets = epoll_create1(EPOLL_CLOEXEC);
	if (hive->sockets < 0) {
		hive->sockets = 0;
		return -ENOMEM;
	}
	if (epoll_ctl(hive->sockets, EPOLL_CTL_ADD, copy, &event) < 0 && errno != EEXIST)
		return -ENOMEM;
	return 0;
}

int sys_socket_of_fd(struct sys_call *call, int fd, bool watch, struct sys_socket *ret_socket)
{
	struct sys_client *client = call->client;
	int copy = client->ops->copy_fd ? client->ops->copy_fd(client, fd) : -EBADF, error;

	if (copy < 0)
		return copy;
	error = describe(copy, ret_socket);
	if (!error && watch)
		error = add_to_set(call->hive, copy, ret_socket->cookie);
	close(copy);
	return error;
}

bool sys_socket_lives(struct sys_hive *hive, u64 cookie)
{
	unsigned long long found;
	char path[48], line[160];
	bool lives = false;
	FILE *file;

	if (!hive->sockets)
		return false;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", hive->sockets);
	file = fopen(path, "re");
	while (file && !lives && fgets(line, sizeof(line), file))
		lives = sscanf(line, "tfd: %*d events: %*x data: %llx", &found) == 1 &&
			found == cookie;
	if (file)
		fclose(file);
	return lives;
}
