/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vCPUs: one holder at a time over threads and processes, recursion seen, dead holders replaced,
 * hostile lock words survived, grace periods.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arena/arena.h"
#include "harness/tap.h"
#include "rt/shared.h"
#include "rt/vcpu.h"

#define NR_VCPUS 3

static struct arena *arena;

static u32 me(void)
{
	return (u32)gettid();
}

static bool all_free(void)
{
	for (u32 i = 0; i < NR_VCPUS; i++)
		if (rt_vcpu_lock_tid(RT_SHARED->vcpus[i].word))
			return false;
	return true;
}

static u32 take_all(struct rt_vcpu *held[NR_VCPUS])
{
	u32 count = 0;

	while (count < NR_VCPUS && (held[count] = rt_vcpu_acquire(me())))
		count++;
	return count;
}

static void release_all(struct rt_vcpu *held[NR_VCPUS], u32 count)
{
	for (u32 i = 0; i < count; i++)
		rt_vcpu_release(held[i]);
}

static u64 missed(void)
{
	u64 sum = 0;

	for (u32 i = 0; i < NR_VCPUS; i++)
		sum += RT_SHARED->vcpus[i].missed;
	return sum;
}

static void test_nesting(void)
{
	struct rt_vcpu *held[NR_VCPUS] = { NULL }, *again;
	u64 before = missed();

	tap_is(take_all(held), NR_VCPUS, "one thread takes every slot, one inside the other");
	tap_ok(held[0] != held[1] && held[1] != held[2] && held[0] != held[2], "all different");
	tap_ok(held[0]->index < NR_VCPUS && held[0]->owner == me(), "the slot knows its holder");
	tap_ok(rt_vcpu_acquire(me()) == NULL, "it does not wait for itself");
	tap_is(missed() - before, 1, "… and counts a miss");
	rt_vcpu_release(held[1]);
	again = rt_vcpu_acquire(me());
	tap_ok(again == held[1], "what was given back is there again");
	tap_ok(!rt_vcpu_acquire_slot(me(), again->index), "a certain slot: not while it is held");
	tap_ok(!rt_vcpu_acquire_slot(me(), NR_VCPUS), "nor one that there is not");
	rt_vcpu_release(again);
	tap_ok(rt_vcpu_acquire_slot(me(), held[1]->index) == held[1], "then it is that one");
	release_all(held, NR_VCPUS);
	tap_ok(all_free(), "all given back");
}

/* A child that takes every slot, says so, and waits to be killed. */
static pid_t start_holder(void)
{
	int ready[2];
	char byte;
	pid_t pid;

	if (pipe(ready))
		tap_bail("pipe");
	pid = fork();
	if (pid == 0) {
		struct rt_vcpu *held[NR_VCPUS];

		rt_process_begin(false, 0);
		byte = (char)take_all(held);
		if (write(ready[1], &byte, 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1 || byte != NR_VCPUS)
		tap_bail("the child could not take all slots");
	close(ready[0]);
	return pid;
}

static void test_death(void)
{
	struct rt_vcpu *held[NR_VCPUS];
	struct rt_grace grace;
	siginfo_t info;
	pid_t pid = start_holder();

	tap_ok(rt_vcpu_acquire(me()) == NULL, "a living process keeps its slots");
	rt_grace_begin(&grace);
	tap_ok(!rt_grace_over(&grace), "and holds a grace period up");
	kill(pid, SIGSTOP);
	waitid(P_PID, (id_t)pid, &info, WSTOPPED | WNOWAIT);
	tap_ok(rt_vcpu_acquire(me()) == NULL, "so does a stopped one; waiting for it is bounded");
	kill(pid, SIGKILL);
	/* Dead, but not reaped: a zombie has its thread id still. */
	waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
	tap_ok(rt_grace_over(&grace), "a zombie does not");
	tap_is(take_all(held), NR_VCPUS, "the slots of a zombie are taken over");
	release_all(held, NR_VCPUS);
	waitpid(pid, NULL, 0);

	pid = start_holder();
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	tap_is(take_all(held), NR_VCPUS, "and those of a process that is gone");
	release_all(held, NR_VCPUS);
}

/* The same thread id, another process image: what execve leaves behind, or a reused id. */
static void test_reuse(void)
{
	struct rt_vcpu *held[NR_VCPUS];

	if (take_all(held) != NR_VCPUS)
		tap_bail("slots are missing");
	rt_process_begin(false, 0);
	tap_ok(all_free(), "a process that begins gives up what its id held");
	tap_is(take_all(held), NR_VCPUS, "and can take it");
	for (u32 i = 0; i < NR_VCPUS; i++)
		RT_SHARED->vcpus[i].word ^= 1UL << 30; /* another nonce */
	tap_is(take_all(held), NR_VCPUS, "its own id under another nonce is not itself");
	release_all(held, NR_VCPUS);
	tap_ok(all_free(), "all given back");
}

static void test_foreign(void)
{
	struct rt_vcpu *held[NR_VCPUS];
	struct rt_grace grace;

	for (u32 i = 0; i < NR_VCPUS; i++)
		RT_SHARED->vcpus[i].word = 4000000 | 1UL << 22; /* no such thread here */
	rt_grace_begin(&grace);
	tap_ok(rt_vcpu_acquire(me()) == NULL && !rt_grace_over(&grace),
	       "a holder in another pid namespace counts as alive");
	for (u32 i = 0; i < NR_VCPUS; i++)
		RT_SHARED->vcpus[i].word = 4000000;
	tap_ok(rt_grace_over(&grace), "the grace period ends when its slots change hands");
	tap_is(take_all(held), NR_VCPUS, "a thread id that does not exist is dead");
	release_all(held, NR_VCPUS);
}

static void test_hostile(void)
{
	u32 taken = 0, wrong = 0;
	u64 state = 1;

	for (u32 round = 0; round < 300; round++) {
		for (u32 i = 0; i < NR_VCPUS; i++) {
			state = state * 6364136223846793005UL + 1442695040888963407UL;
			RT_SHARED->vcpus[i].word = round % 2 ? state : state & ~((1UL << 22) - 1);
		}
		struct rt_vcpu *vcpu = rt_vcpu_acquire(me());

		if (!vcpu)
			continue;
		taken++;
		wrong += vcpu->index >= NR_VCPUS;
		RT_SHARED->vcpus[vcpu->index].word = ~state;
		rt_vcpu_release(vcpu);
	}
	for (u32 i = 0; i < NR_VCPUS; i++)
		RT_SHARED->vcpus[i].word = 0;
	tap_ok(taken >= 150 && !wrong, "garbage in the lock words does no harm (%u of 300)", taken);
}

static void test_grace(void)
{
	struct rt_vcpu *vcpu;
	struct rt_grace grace;

	rt_grace_begin(&grace);
	tap_ok(rt_grace_over(&grace), "nobody runs: over at once");
	vcpu = rt_vcpu_acquire(me());
	rt_grace_begin(&grace);
	tap_ok(!rt_grace_over(&grace), "somebody runs");
	rt_vcpu_release(vcpu);
	vcpu = rt_vcpu_acquire(me());
	tap_ok(rt_grace_over(&grace), "who came later does not count");
	rt_vcpu_release(vcpu);
}

/* Processes that take and give slots while some of them are killed: never two in one slot. */
static void test_exclusion(void)
{
	enum { WORKERS = 4, ROUNDS = 40, TURNS = 500 };
	struct board {
		u32 inside[NR_VCPUS];
		u32 collisions, turns;
	} *board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			-1, 0);
	pid_t workers[WORKERS];

	for (u32 round = 0; round < ROUNDS; round++) {
		for (u32 w = 0; w < WORKERS; w++) {
			workers[w] = fork();
			if (workers[w])
				continue;
			rt_process_begin(false, 0);
			for (u32 turn = 0; turn < TURNS; turn++) {
				struct rt_vcpu *vcpu = rt_vcpu_acquire(me());

				if (!vcpu)
					continue;
				/* The mark is the holder's id, so that a dead one's can be told. */
				u32 before = __atomic_exchange_n(&board->inside[vcpu->index], me(),
								 __ATOMIC_SEQ_CST);

				if (before && before != me() && kill((pid_t)before, 0) == 0)
					__atomic_fetch_add(&board->collisions, 1, __ATOMIC_RELAXED);
				__atomic_fetch_add(&board->turns, 1, __ATOMIC_RELAXED);
				__atomic_store_n(&board->inside[vcpu->index], 0, __ATOMIC_SEQ_CST);
				rt_vcpu_release(vcpu);
			}
			_exit(0);
		}
		/* Marks of killed workers go before their ids can mean somebody else. */
		usleep(round * 20);
		kill(workers[0], SIGKILL);
		waitpid(workers[0], NULL, 0);
		for (u32 w = 1; w < WORKERS; w++)
			waitpid(workers[w], NULL, 0);
		memset(board->inside, 0, sizeof(board->inside));
	}

	struct rt_vcpu *held[NR_VCPUS];

	tap_ok(board->collisions == 0 && board->turns > ROUNDS * (WORKERS - 1) * TURNS / 2,
	       "no two processes in one slot (%u turns)", board->turns);
	tap_is(take_all(held), NR_VCPUS, "no slot is lost to a killed process");
	release_all(held, NR_VCPUS);
}

int main(void)
{
	struct arena_options options = { .nr_vcpus = NR_VCPUS };
	const char *message = "";

	if (arena_new(&options, &arena, &message))
		tap_bail("%s", message);
	test_nesting();
	test_death();
	test_reuse();
	test_foreign();
	test_hostile();
	test_grace();
	test_exclusion();
	arena_free(arena);
	return tap_done();
}
