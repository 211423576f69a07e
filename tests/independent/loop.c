#define _GNU_SOURCE
#include "loop.h"

#include <errno.h>
#include <spawn.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* What forkbench gives its images too: an exec copies every byte of it. */
static char *const arguments[] = {"noop", NULL};
static char *const environment[] = {"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C", NULL};

static uint64_t now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

pid_t independent_birth(int mechanism, const char *path)
{
	pid_t pid = -1;
	switch (mechanism) {
	case MECHANISM_FORK:
		pid = fork();
		if (pid == 0) {
			execve(path, arguments, environment);
			_exit(127);
		}
		break;
	case MECHANISM_VFORK:
		pid = vfork();
		if (pid == 0) {
			execve(path, arguments, environment);
			_exit(127);
		}
		break;
	case MECHANISM_POSIX_SPAWN:
		errno = posix_spawn(&pid, path, NULL, NULL, arguments, environment);
		if (errno != 0)
			return -errno;
		break;
	default:
		errno = EINVAL;
	}
	return pid == -1 ? -errno : pid;
}

int independent_loop(int mechanism, const char *path, uint32_t count, struct spawn *spawns)
{
	for (uint32_t i = 0; i < count; i++) {
		int status = 0;
		uint64_t called = now();
		pid_t pid = independent_birth(mechanism, path);
		uint64_t returned = now();
		if (pid < 0)
			return -pid;
		if (waitpid(pid, &status, 0) != pid)
			return errno;
		uint64_t reaped = now();
		spawns[i] = (struct spawn){called, returned, reaped, status, 0};
	}
	return 0;
}

uint64_t independent_batch(int mechanism, const char *path, uint32_t count)
{
	uint64_t begin = now();
	for (uint32_t i = 0; i < count; i++) {
		int status = 0;
		pid_t pid = independent_birth(mechanism, path);
		if (pid < 0) {
			errno = -pid;
			return 0;
		}
		if (waitpid(pid, &status, 0) != pid)
			return 0;
		if (status != 0) {
			errno = ECHILD;
			return 0;
		}
	}
	return now() - begin;
}
