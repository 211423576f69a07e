/* The independent loop: process creation measured as a plain C program would measure it.
 * scripts/compare-independent compares forkbench with it. */

#ifndef FORKBENCH_INDEPENDENT_LOOP_H
#define FORKBENCH_INDEPENDENT_LOOP_H

#include <stdint.h>
#include <sys/types.h>

enum mechanism { MECHANISM_FORK = 0, MECHANISM_VFORK = 1, MECHANISM_POSIX_SPAWN = 2 };

/* One spawn: CLOCK_MONOTONIC in nanoseconds, and the wait status of the child. */
struct spawn {
	uint64_t called;
	uint64_t returned;
	uint64_t reaped;
	int32_t status;
	int32_t padding;
};

/* Makes one child that executes `path`; its pid, or -errno. */
pid_t independent_birth(int mechanism, const char *path);

/* Makes `count` children one after the other and fills in `spawns`; 0, or the errno of the first
 * call that failed. */
int independent_loop(int mechanism, const char *path, uint32_t count, struct spawn *spawns);

/* Makes `count` children one after the other, waits for each, and takes no stamp in between; how long
 * all of them took, in nanoseconds, or 0 after a failure, with errno set. */
uint64_t independent_batch(int mechanism, const char *path, uint32_t count);

#endif
