/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SCM_RIGHTS, one descriptor a message. The room for control data is exactly that of one: the
 * kernel closes whatever more a sender attached.
 */
#include "gate/pass.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

union control {
	struct cmsghdr header;
	char space[CMSG_SPACE(sizeof(int))];
};

int pass_send(int socket_fd, const void *data, u32 size, int fd, u32 mark)
{
	union control control;
	struct iovec iov = { (void *)data, size };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };
	long sent;

	if (fd >= 0) {
		memset(&control, 0, sizeof(control));
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(int));
		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
	}
	do {
		sent = syscall(SYS_sendmsg, socket_fd, &message,
			       (long)((u64)mark << 32 | MSG_NOSIGNAL));
	} while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}

long pass_receive(int socket_fd, void *data, u32 size, int *ret_fd, int flags)
{
	union control control;
	struct iovec iov = { data, size };
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	struct cmsghdr *header;
	ssize_t got;

	*ret_fd = -1;
	do {
		got = recvmsg(socket_fd, &message, flags | MSG_CMSG_CLOEXEC);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	header = CMSG_FIRSTHDR(&message);
	if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS &&
	    header->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(ret_fd, CMSG_DATA(header), sizeof(int));
	if (!(message.msg_flags & MSG_TRUNC))
		return got;
	if (*ret_fd >= 0)
		close(*ret_fd);
	*ret_fd = -1;
	return -EMSGSIZE;
}

void pass_close_others(int *fds, u32 nr)
{
	unsigned low = 0;

	for (u32 i = 0; i < nr; i++)
		for (u32 j = i + 1; j < nr; j++)
			if (fds[j] < fds[i]) {
				int fd = fds[i];

				fds[i] = fds[j];
				fds[j] = fd;
			}
	for (u32 i = 0; i < nr; low = (unsigned)fds[i++] + 1)
		if ((unsigned)fds[i] > low)
			close_range(low, (unsigned)fds[i] - 1, 0);
	close_range(low, ~0u, 0);
}
