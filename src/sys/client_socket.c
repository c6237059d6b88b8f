/* SPDX-License-Identifier: BSD-2-Clause */
/* See client_socket.h. */
#include "sys/client_socket.h"
#include "base/alloc.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

/* The next cookie that the set's description tells; false: that was all. */
static bool next_cookie(FILE *file, u64 *ret_cookie)
{
	unsigned long long found;
	char line[160];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "tfd: %*d events: %*x data: %llx", &found) == 1) {
			*ret_cookie = found;
			return true;
		}
	return false;
}

static FILE *describe_set(struct sys_hive *hive)
{
	char path[48];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", hive->sockets);
	return hive->sockets ? fopen(path, "re") : NULL;
}

bool sys_socket_lives(struct sys_hive *hive, u64 cookie)
{
	FILE *file = describe_set(hive);
	bool lives = false;
	u64 found;

	while (!lives && next_cookie(file, &found))
		lives = found == cookie;
	if (file)
		fclose(file);
	return lives;
}

static int compare(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

int sys_sockets_alive(struct sys_hive *hive, u64 **ret_cookies, u64 *ret_nr)
{
	FILE *file = describe_set(hive);
	u64 *cookies = NULL, nr = 0, room = 0, cookie;
	int error = 0;

	while (!error && next_cookie(file, &cookie)) {
		if (nr == room) {
			u64 *more = base_zalloc(room = room ? 2 * room : 256, sizeof(*more));

			if (more && nr)
				memcpy(more, cookies, nr * sizeof(*more));
			base_free(cookies);
			cookies = more;
			error = more ? 0 : -ENOMEM;
		}
		if (!error)
			cookies[nr++] = cookie;
	}
	if (file)
		fclose(file);
	if (error)
		return error;
	if (nr)
		qsort(cookies, nr, sizeof(*cookies), compare);
	*ret_cookies = cookies;
	*ret_nr = nr;
	return 0;
}

bool sys_cookie_in(const u64 *cookies, u64 nr, u64 cookie)
{
	return nr && bsearch(&cookie, cookies, nr, sizeof(*cookies), compare);
}
