/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads, and processes of threads, do operations on one map at the same time; all are left to
 * end. Under ThreadSanitizer with threads of one process: what it cannot see it cannot judge.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/tap.h"
#include "rt/sys.h"
#include "stress.h"
#include "unit/rt/map_env.h"

struct job {
	pthread_t thread;
	struct worker worker;
	u64 operations;
};

static void *work(void *arg)
{
	struct job *job = arg;

	for (u64 done = 0; done < job->operations;) {
		if (worker_step(&job->worker))
			done++;
		else
			rt_sys_yield();
	}
	return NULL;
}

/* The threads of one process, which are workers first … first + nr - 1. */
static void run_threads(struct stage *stage, struct job *jobs, u32 first, u32 nr, u64 operations,
			u64 seed, bool attends)
{
	u64 done = 0;

	for (u32 i = 0; i < nr; i++) {
		worker_open(&jobs[i].worker, stage, first + i, seed);
		jobs[i].operations = operations;
		if (pthread_create(&jobs[i].thread, NULL, work, &jobs[i]))
			tap_bail("pthread_create");
	}
	while (attends && done < operations * nr) {
		struct rt_vcpu *vcpu = rt_vcpu_acquire((u32)gettid());

		if (vcpu) {
			stage->row->attend(stage, vcpu);
			rt_vcpu_release(vcpu);
		}
		rt_sys_yield();
		done = 0;
		for (u32 i = 0; i < nr; i++)
			done += SHADOW_LOAD(stage->shadows[first + i].operations);
	}
	for (u32 i = 0; i < nr; i++)
		pthread_join(jobs[i].thread, NULL);
}

static void run(struct arena *arena, const struct row *row, u64 operations, u32 threads,
		u32 processes, u64 seed)
{
	struct job jobs[STRESS_WORKERS];
	pid_t pids[STRESS_WORKERS];
	struct rt_vcpu *vcpu;
	struct stage stage;
	u64 done = 0;

	stage_open(&stage, row, arena, threads * processes);
	operations /= threads * processes;
	for (u32 i = 1; i < processes; i++) {
		pids[i] = fork();
		if (pids[i] < 0)
			tap_bail("fork: %s", strerror(errno));
		if (pids[i] == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			rt_process_begin(false, 0);
			run_threads(&stage, jobs, i * threads, threads, operations, seed, false);
			_exit(0);
		}
	}
	run_threads(&stage, jobs, 0, threads, operations, seed, row->attend != NULL);
	for (u32 i = 1; i < processes; i++) {
		int status = 0;

		if (waitpid(pids[i], &status, 0) != pids[i] || status)
			shadow_wrong(&stage.watcher, "a process ended with", (u32)status);
	}
	vcpu = env_vcpu();
	row->finish(&stage, vcpu);
	rt_vcpu_release(vcpu);
	for (u32 i = 0; i < threads * processes; i++)
		done += stage.shadows[i].operations;
	tap_note("%s: %u processes of %u threads, %llu operations", row->name, processes, threads,
		 (unsigned long long)done);
	stage_report(&stage, "mixed operations");
	stage_close(&stage);
}

int stress_mixed(struct arena *arena, const char *only, u64 operations, u32 threads, u32 processes,
		 u64 seed)
{
	if (threads * processes == 0 || threads * processes > STRESS_WORKERS)
		tap_bail("at most %u workers", STRESS_WORKERS);
	for (u32 i = 0; i < stress_nr_rows; i++)
		if (!only || strstr(stress_rows[i].name, only))
			run(arena, &stress_rows[i], operations, threads, processes, seed);
	return tap_done();
}
