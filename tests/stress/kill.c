/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Workers are processes that work as fast as they can, until a timer of their own ends each with
 * SIGKILL at a random moment: so whoever looks on need not be awake for it, however busy the
 * machine is. The dead one's record is compared with the map, and another one takes its place. Only
 * deaths inside an operation count.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "harness/tap.h"
#include "stress.h"
#include "unit/rt/map_env.h"

#define PROCESSES 2

/* Most of the lives are short: what little goes on at the same time is then often at its beginning.
 */
#define LIFE_MIN_NS  2000u
#define LIFE_DOUBLES 10u

static void die_soon(u64 *random)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL };
	u64 most = (u64)LIFE_MIN_NS << env_random(random) % LIFE_DOUBLES;
	const struct itimerspec at = { .it_value.tv_nsec = 1 + (long)(env_random(random) % most) };
	timer_t timer;

	if (timer_create(CLOCK_MONOTONIC, &event, &timer) || timer_settime(timer, 0, &at, NULL))
		_exit(1);
}

static void work_until_killed(struct stage *stage, u32 index, u64 seed)
{
	struct worker worker;

	rt_process_begin(false, 0);
	worker_open(&worker, stage, index, seed);
	/* With the first operation comes the memory that it needs. */
	worker_step(&worker);
	die_soon(&worker.random);
	for (;;)
		worker_step(&worker);
}

static pid_t start(struct stage *stage, u32 index, u64 seed)
{
	pid_t pid = fork();

	if (pid < 0)
		tap_bail("fork: %s", strerror(errno));
	if (pid == 0) {
		/* Whatever ends the test ends its workers. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		work_until_killed(stage, index, seed);
	}
	return pid;
}

/* Looks at what a dead worker left: did it die inside an operation? */
static bool settle(struct stage *stage, u32 index)
{
	struct worker dead;
	bool inside;

	worker_open(&dead, stage, index, 0);
	inside = SHADOW_LOAD(dead.shadow->inside);
	dead.vcpu = env_vcpu();
	stage->row->settle(&dead);
	SHADOW_STORE(dead.shadow->inside, 0);
	if (stage->row->attend)
		stage->row->attend(stage, dead.vcpu);
	rt_vcpu_release(dead.vcpu);
	return inside;
}

/* The next worker that died. */
static u32 await_one(struct stage *stage, const pid_t *pids)
{
	int status = 0;
	pid_t pid = waitpid(-1, &status, 0);
	u32 index = 0;

	while (index < PROCESSES && pids[index] != pid)
		index++;
	if (index == PROCESSES)
		tap_bail("waitpid: %s", strerror(errno));
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
		shadow_wrong(&stage->watcher, "a worker ended with", (u32)status);
	return index;
}

static void run(struct arena *arena, const struct row *row, u64 kills, u64 seed)
{
	pid_t pids[PROCESSES];
	struct stage stage;
	struct rt_vcpu *vcpu;
	u64 killed = 0, inside = 0, operations = 0;

	stage_open(&stage, row, arena, PROCESSES);
	stage.deaths = true;
	for (u32 i = 0; i < PROCESSES; i++)
		pids[i] = start(&stage, i, seed + i);
	while (inside < kills && killed < 20 * kills + 100) {
		u32 index = await_one(&stage, pids);

		inside += settle(&stage, index);
		killed++;
		pids[index] = start(&stage, index, seed + killed + PROCESSES);
	}
	for (u32 i = 0; i < PROCESSES; i++) {
		inside += settle(&stage, await_one(&stage, pids));
		killed++;
	}
	vcpu = env_vcpu();
	row->finish(&stage, vcpu);
	rt_vcpu_release(vcpu);
	for (u32 i = 0; i < PROCESSES; i++)
		operations += stage.shadows[i].operations;
	tap_note("%s: %llu operations, %llu killed", row->name, (unsigned long long)operations,
		 (unsigned long long)killed);
	if (inside < kills)
		shadow_wrong(&stage.watcher, "not enough died inside an operation", inside);
	stage_report(&stage, "killed inside operations");
	tap_note("%llu deaths inside operations", (unsigned long long)inside);
	stage_close(&stage);
}

int stress_kill(struct arena *arena, const char *only, u64 kills, u64 seed)
{
	for (u32 i = 0; i < stress_nr_rows; i++)
		if (!only || strstr(stress_rows[i].name, only))
			run(arena, &stress_rows[i], kills, seed);
	return tap_done();
}
