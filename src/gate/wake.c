/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The thread announces itself, tells the loop to look at everything, lets it look, and only then
 * sleeps until the word changes. A burst of signals during the look costs one more round, not one
 * each.
 */
#include "gate/wake.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "base/alloc.h"
#include "rt/trace.h"

/* The word lies where any process of the hive can write: a missed wake-up costs this long at most.
 */
#define SLEEP_NS 1000000000

struct wake {
	pthread_t thread;
	sem_t looked;
	int fd;
	bool stop;
};

static void *sleeper(void *argument)
{
	struct wake *wake = argument;

	for (;;) {
		u64 one = 1;
		u32 seen = rt_wake_prepare();

		if (__atomic_load_n(&wake->stop, __ATOMIC_ACQUIRE))
			return NULL;
		(void)!write(wake->fd, &one, sizeof(one));
		while (sem_wait(&wake->looked) < 0 && errno == EINTR)
			;
		rt_wake_wait(seen, SLEEP_NS);
	}
}

int wake_new(struct wake **ret_wake)
{
	struct wake *wake = base_zalloc(1, sizeof(*wake));
	sigset_t all, old;
	int error;

	if (!wake)
		return -ENOMEM;
	wake->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (wake->fd < 0) {
		error = -errno;
		base_free(wake);
		return error;
	}
	sem_init(&wake->looked, 0, 0);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	error = -pthread_create(&wake->thread, NULL, sleeper, wake);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (error) {
		close(wake->fd);
		base_free(wake);
		return error;
	}
	*ret_wake = wake;
	return 0;
}

struct wake *wake_free(struct wake *wake)
{
	if (!wake)
		return NULL;
	__atomic_store_n(&wake->stop, true, __ATOMIC_RELEASE);
	sem_post(&wake->looked);
	rt_wake_signal();
	pthread_join(wake->thread, NULL);
	sem_destroy(&wake->looked);
	close(wake->fd);
	base_free(wake);
	return NULL;
}

int wake_fd(const struct wake *wake)
{
	return wake->fd;
}

void wake_looked(struct wake *wake)
{
	u64 count;

	if (read(wake->fd, &count, sizeof(count)) == sizeof(count))
		sem_post(&wake->looked);
}
