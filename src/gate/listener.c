/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ioctls of a seccomp listener (include/uapi/linux/seccomp.h). A notification is in service
 * from listener_receive() to exactly one listener_answer() or listener_continue(); an answer to a
 * task that has died meanwhile is no error.
 */
#include "gate/listener.h"
#include "base/clock.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include "gate/disguise.h"

/* Within a millisecond nobody forks 300 times, with 30 µs and more a fork. */
#define VALID_NS 1000000ull

bool listener_is_one(int fd)
{
	u64 no_id = 0;

	return ioctl(fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &no_id) < 0 && errno == ENOENT;
}

int listener_receive(struct listener *listener)
{
	/* The kernel insists on zeroes. */
	memset(&listener->slot->notif, 0, sizeof(listener->slot->notif));
	/* Taken before: the task lived at some time after this. */
	listener->valid_ns = base_clock_ns(CLOCK_MONOTONIC);
	if (ioctl(listener->fd, SECCOMP_IOCTL_NOTIF_RECV, &listener->slot->notif) == 0)
		return 1;
	listener->slot->notif.id = 0;
	return errno == EINTR ? -EINTR : 0;
}

static bool send_response(struct listener *listener, s64 value, s32 error, u32 flags)
{
	struct seccomp_notif_resp response = {
		.id = listener->slot->notif.id, .val = value, .error = error, .flags = flags
	};

	int result;

	do {
		result = ioctl(listener->fd, SECCOMP_IOCTL_NOTIF_SEND, &response);
	} while (result < 0 && errno == EINTR);
	listener->slot->notif.id = 0;
	return result == 0;
}

bool listener_answer(struct listener *listener, s64 result)
{
	if (result < 0 && result >= -4095)
		return send_response(listener, 0, (s32)result, 0);
	return send_response(listener, result, 0, 0);
}

static void let_go(struct listener *listener, bool disguised)
{
	if (disguised)
		listener_answer(listener, -ENOSYS);
	else
		send_response(listener, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE);
}

void listener_continue(struct listener *listener)
{
	let_go(listener, disguise_is_on(&listener->slot->notif.data));
}

void listener_release(struct listener *listener)
{
	struct listener_slot *slot = listener->slot;

	if (slot->notif.id)
		listener_continue(listener);
	for (u32 i = 0; i < LISTENER_PARKED_MAX; i++) {
		slot->notif.id = slot->parked[i];
		slot->parked[i] = 0;
		if (slot->notif.id)
			let_go(listener, slot->parked_disguised[i]);
	}
}

/*
 * The kernel has to be asked only if the task could have died and its id come back since it was
 * last known to wait: ids are given in a circle of 300 at the least, which takes much longer than
 * the time allowed here.
 */
bool listener_valid(struct listener *listener)
{
	u64 now = base_clock_ns(CLOCK_MONOTONIC);

	if (now - listener->valid_ns < VALID_NS)
		return true;
	if (ioctl(listener->fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &listener->slot->notif.id) < 0)
		return false;
	listener->valid_ns = now;
	return true;
}

static int add_fd(struct listener *listener, struct seccomp_notif_addfd request)
{
	int number;

	request.id = listener->slot->notif.id;

	do {
		number = ioctl(listener->fd, SECCOMP_IOCTL_NOTIF_ADDFD, &request);
	} while (number < 0 && (errno == EINTR || errno == EINPROGRESS));
	return number < 0 ? -errno : number;
}

int listener_answer_fd(struct listener *listener, int fd, int flags)
{
	int number =
		add_fd(listener, (struct seccomp_notif_addfd){ .flags = SECCOMP_ADDFD_FLAG_SEND,
							       .srcfd = (u32)fd,
							       .newfd_flags = (u32)flags });

	if (number >= 0)
		listener->slot->notif.id = 0;
	return number;
}

int listener_add_fd(struct listener *listener, int fd, int flags)
{
	return add_fd(listener,
		      (struct seccomp_notif_addfd){ .srcfd = (u32)fd, .newfd_flags = (u32)flags });
}

int listener_replace_fd(struct listener *listener, int fd, int number, int flags)
{
	return add_fd(listener, (struct seccomp_notif_addfd){ .flags = SECCOMP_ADDFD_FLAG_SETFD,
							      .srcfd = (u32)fd,
							      .newfd = (u32)number,
							      .newfd_flags = (u32)flags });
}
