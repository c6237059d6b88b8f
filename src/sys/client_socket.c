/* SPDX-License-Identifier: BSD-2-Clause */
/* See client_socket.h. */
#include "sys/client_socket.h"
#include "base/alloc.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define NETNS_COOKIE 71 /* SO_NETNS_COOKIE */
#define INIT_NETNS   3	/* the cookie of the first one: kernels before 5.14 do not tell */

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

/* Its state: TCP's own, of others whether there is a peer. */
static u32 state_of(int copy, const struct bpf_sock *sock)
{
	struct sockaddr_storage peer;
	socklen_t size = sizeof(peer);
	struct tcp_info info = { 0 };
	int listens = 0;

	if (sock->protocol == IPPROTO_TCP && sock->type == SOCK_STREAM) {
		size = sizeof(info);
		return getsockopt(copy, IPPROTO_TCP, TCP_INFO, &info, &size) < 0 ? BPF_TCP_CLOSE
										 : info.tcpi_state;
	}
	if (!option(copy, SO_ACCEPTCONN, &listens, sizeof(int)) && listens)
		return BPF_TCP_LISTEN;
	return getpeername(copy, (struct sockaddr *)&peer, &size) < 0 ? BPF_TCP_CLOSE
								      : BPF_TCP_ESTABLISHED;
}

static void set_address(const struct sockaddr_storage *from, u32 *ip4, u32 *ip6, u16 *port)
{
	const struct sockaddr_in *four = (const struct sockaddr_in *)from;
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)from;

	*port = four->sin_port; /* in the same place in both */
	if (from->ss_family == AF_INET)
		memcpy(ip4, &four->sin_addr, sizeof(*ip4));
	else
		memcpy(ip6, &six->sin6_addr, sizeof(six->sin6_addr));
}

static void set_addresses(int copy, struct bpf_sock *sock)
{
	struct sockaddr_storage address;
	socklen_t size = sizeof(address);
	u16 port;

	if (sock->family != AF_INET && sock->family != AF_INET6)
		return;
	if (!getsockname(copy, (struct sockaddr *)&address, &size)) {
		set_address(&address, &sock->src_ip4, sock->src_ip6, &port);
		sock->src_port = ntohs(port);
	}
	size = sizeof(address);
	if (!getpeername(copy, (struct sockaddr *)&address, &size)) {
		set_address(&address, &sock->dst_ip4, sock->dst_ip6, &port);
		sock->dst_port = port;
	}
}

static bool is_taken_over(int copy)
{
	char name[16] = { 0 };
	socklen_t size = sizeof(name);

	return !getsockopt(copy, IPPROTO_TCP, TCP_ULP, name, &size) && size && *name;
}

int sys_socket_image(struct sys_call *call, int fd, struct abi_rt_sock *ret_image)
{
	struct sys_client *client = call->client;
	int copy = client->ops->copy_fd ? client->ops->copy_fd(client, fd) : -EBADF, error;
	struct abi_rt_sock image = { .netns_cookie = INIT_NETNS, .sock.rx_queue_mapping = -1 };
	struct bpf_sock *sock = &image.sock;
	struct stat status;
	int reuses = 0;

	if (copy < 0)
		return copy;
	error = option(copy, SO_DOMAIN, &sock->family, sizeof(int));
	if (!error)
		error = option(copy, SO_TYPE, &sock->type, sizeof(int));
	if (!error)
		error = option(copy, SO_PROTOCOL, &sock->protocol, sizeof(int));
	if (!error)
		error = option(copy, SO_COOKIE, &image.cookie, sizeof(u64));
	if (!error && sock->protocol == IPPROTO_TCP && is_taken_over(copy))
		error = -EINVAL;
	if (!error) {
		option(copy, SO_MARK, &sock->mark, sizeof(int));
		option(copy, SO_PRIORITY, &sock->priority, sizeof(int));
		option(copy, SO_BINDTOIFINDEX, &sock->bound_dev_if, sizeof(int));
		option(copy, NETNS_COOKIE, &image.netns_cookie, sizeof(u64));
		image.uid = fstat(copy, &status) ? client->uid : status.st_uid;
		sock->state = state_of(copy, sock);
		image.reuses_port = !option(copy, SO_REUSEPORT, &reuses, sizeof(int)) && reuses;
		set_addresses(copy, sock);
		*ret_image = image;
	}
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
