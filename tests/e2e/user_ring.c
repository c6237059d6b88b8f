/* SPDX-License-Identifier: BSD-2-Clause */
/* For user_ring.py: fills a ring with libbpf's own producer and without it; says what it sees. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "user_ring.skel.h"

#define PAGE 4096
#define RING 4096

static struct user_ring *skel;
static struct user_ring_buffer *ring;
static uint64_t *consumer, *producer;
static uint8_t *data;

static long drain(uint64_t flags, uint64_t stop_at)
{
	struct {
		uint64_t flags, stop_at;
		int64_t result;
	} request = { flags, stop_at, 99 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &request, .ctx_size_in = sizeof(request));
	int error = bpf_prog_test_run_opts(bpf_program__fd(skel->progs.drain), &opts);

	return error ? error : request.result;
}

static uint64_t *reserve(uint64_t number, uint32_t size)
{
	uint64_t *sample = user_ring_buffer__reserve(ring, size);

	if (sample) {
		memset(sample, 0, size);
		((uint8_t *)sample)[size - 1] = size > 16 ? (uint8_t)number : 0;
		sample[0] = number;
		sample[1] = size;
	}
	return sample;
}

static int post(uint64_t number, uint32_t size)
{
	uint64_t *sample = reserve(number, size);

	if (sample)
		user_ring_buffer__submit(ring, sample);
	return sample != NULL;
}

static void counts(const char *name)
{
	printf("%s: %llu samples, sum %llu, %llu bytes, %llu wrong\n", name,
	       (unsigned long long)skel->bss->samples, (unsigned long long)skel->bss->sum,
	       (unsigned long long)skel->bss->bytes, (unsigned long long)skel->bss->wrong);
	skel->bss->samples = skel->bss->sum = skel->bss->bytes = skel->bss->wrong = 0;
}

static void plain(void)
{
	uint64_t *first, *second;

	printf("empty %ld\n", drain(0, 0));
	printf("flags %ld\n", drain(4, 0));
	printf("wakeup %ld\n", drain(BPF_RB_FORCE_WAKEUP, 0));
	for (uint64_t i = 1; i <= 3; i++)
		post(i, 16);
	printf("three %ld\n", drain(0, 0));
	counts("three");
	first = reserve(1, 24);
	second = reserve(2, 24);
	user_ring_buffer__submit(ring, second);
	printf("behind a busy one %ld\n", drain(0, 0));
	user_ring_buffer__discard(ring, first);
	printf("behind a discarded one %ld\n", drain(BPF_RB_NO_WAKEUP, 0));
	counts("behind");
	for (uint64_t i = 1; i <= 4; i++)
		post(i, 17);
	printf("stopped %ld\n", drain(0, 2));
	printf("the rest %ld\n", drain(0, 0));
	counts("stopped");
	skel->bss->nest = 1;
	post(1, 16);
	printf("nested %ld", drain(0, 0));
	printf(" %ld\n", (long)skel->bss->inner);
	skel->bss->nest = 0;
	counts("nested");
	printf("too long %d\n", user_ring_buffer__reserve(ring, RING + 8) ? 0 : errno);
}

/* All lengths at all places, so that samples run over the end. */
static void around(void)
{
	uint32_t size = 16, posted = 0;
	long drained = 0;

	for (uint32_t i = 1; i <= 2000; i++) {
		while (!post(i, size)) {
			long some = drain(0, 0);

			if (some <= 0)
				return;
			drained += some;
		}
		posted++;
		size = 16 + (size * 7 + i) % 700;
	}
	drained += drain(0, 0);
	printf("around %u %ld\n", posted, drained);
	counts("around");
}

static int room(int epoll, int timeout)
{
	struct epoll_event event = { 0 };

	return epoll_wait(epoll, &event, 1, timeout) == 1 && event.events & EPOLLOUT;
}

static void full(int fd)
{
	struct epoll_event event = { .events = EPOLLOUT };
	int epoll = epoll_create1(0), nr = 0;

	epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
	printf("room %d\n", room(epoll, 0));
	while (post(1, 24))
		nr++;
	printf("full %d, %d, room %d\n", nr, errno, room(epoll, 0));
	printf("drained %ld\n", drain(0, 0));
	printf("room again %d\n", room(epoll, 10000));
	close(epoll);
	counts("full");
}

static void call(void)
{
	struct bpf_link *link = bpf_program__attach(skel->progs.on_call);

	post(5, 16);
	post(6, 100);
	syscall(212, 0, 0, 0);
	counts("by a call");
	post(7, 16);
	syscall(212, 0, 0, 0);
	bpf_link__destroy(link);
	counts("by another");
}

/* What libbpf's producer would never write. */
static void hostile(void)
{
	uint64_t at = __atomic_load_n(producer, __ATOMIC_ACQUIRE);
	uint32_t *header = (void *)(data + (at & (RING - 1)));

	printf("positions %d\n", *consumer == at);
	__atomic_store_n(producer, at + 12, __ATOMIC_RELEASE);
	printf("crooked %ld\n", drain(0, 0));
	header[0] = 16;
	__atomic_store_n(producer, at + 16, __ATOMIC_RELEASE);
	printf("beyond the producer %ld\n", drain(0, 0));
	header[0] = RING;
	__atomic_store_n(producer, at + 4 * RING, __ATOMIC_RELEASE);
	printf("larger than the ring %ld\n", drain(0, 0));
	header[0] = 0x3fffffff;
	__atomic_store_n(producer, at + (1ull << 40), __ATOMIC_RELEASE);
	printf("huge %ld\n", drain(0, 0));
	header[0] = 0x3fffffffu | BPF_RINGBUF_BUSY_BIT;
	printf("huge and busy %ld\n", drain(0, 0));
	__atomic_store_n(producer, at - 64, __ATOMIC_RELEASE);
	printf("behind the consumer %ld\n", drain(0, 0));
	header[0] = 0;
	__atomic_store_n(producer, at + 8, __ATOMIC_RELEASE);
	printf("nothing in it %ld\n", drain(0, 0));
	counts("hostile");
	printf("consumer %lld\n", (long long)(*consumer - at));
}

static void mappings(int fd)
{
	void *memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	printf("consumer writable %d\n", memory == MAP_FAILED ? errno : 0);
	memory = mmap(NULL, PAGE + 3 * RING, PROT_READ, MAP_SHARED, fd, PAGE);
	printf("too much %d\n", memory == MAP_FAILED ? errno : 0);
	consumer = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	producer = mmap(NULL, PAGE + 2 * RING, PROT_READ | PROT_WRITE, MAP_SHARED, fd, PAGE);
	if (consumer == MAP_FAILED || producer == MAP_FAILED)
		printf("no mapping\n");
	data = (uint8_t *)producer + PAGE;
}

int main(void)
{
	int fd;

	skel = user_ring__open_and_load();
	if (!skel)
		return 1;
	fd = bpf_map__fd(skel->maps.ring);
	ring = user_ring_buffer__new(fd, NULL);
	if (!ring) {
		printf("no ring %d\n", errno);
		return 1;
	}
	plain();
	around();
	full(fd);
	call();
	mappings(fd);
	if (producer != MAP_FAILED)
		hostile();
	user_ring_buffer__free(ring);
	user_ring__destroy(skel);
	return 0;
}
