/* The independent loop as a program of its own.
 *
 *   independent spawn MECHANISM IMAGE MIB CPU WARMUP SAMPLES
 *       prints the intervals blocked and reaped of each sample, in nanoseconds, a line each
 *   independent rate MECHANISM IMAGE CPU JOBS BATCHES
 *       prints how long each batch of so many spawns takes, in nanoseconds, a line each
 *   independent populate MIB CPU
 *       prints how long one MADV_POPULATE_WRITE takes, in nanoseconds
 */

#define _GNU_SOURCE
#include "loop.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

/* Where the image writes its stamp. */
#define MAILBOX 3

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static size_t number(const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);
	if (*text == '\0' || *end != '\0') {
		fprintf(stderr, "independent: not a number: %s\n", text);
		exit(2);
	}
	return value;
}

static void pin(size_t cpu)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof set, &set) != 0)
		fail("sched_setaffinity");
}

/* Maps so many bytes, aligned for huge pages and without them, and writes them; how long the one
 * call that writes them took, in nanoseconds. */
static uint64_t map_written(size_t bytes)
{
	const size_t huge = 2 << 20;
	struct timespec begin, end;
	if (bytes == 0)
		return 0;
	char *base = mmap(NULL, bytes + huge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (base == MAP_FAILED)
		fail("mmap");
	base += (huge - (uintptr_t)base % huge) % huge;
	madvise(base, bytes, MADV_NOHUGEPAGE);
	clock_gettime(CLOCK_MONOTONIC, &begin);
	if (madvise(base, bytes, MADV_POPULATE_WRITE) != 0)
		fail("MADV_POPULATE_WRITE");
	clock_gettime(CLOCK_MONOTONIC, &end);
	return (uint64_t)(end.tv_sec - begin.tv_sec) * 1000000000u + (uint64_t)end.tv_nsec
		- (uint64_t)begin.tv_nsec;
}

/* The image fails to write its stamp without something at the mailbox's descriptor. */
static void open_mailbox(void)
{
	int memory = memfd_create("mailbox", 0);
	if (memory < 0 || ftruncate(memory, sysconf(_SC_PAGESIZE)) != 0)
		fail("memfd_create");
	if (memory != MAILBOX) {
		if (dup2(memory, MAILBOX) < 0)
			fail("dup2");
		close(memory);
	}
}

/* The mechanism of that name; one that fails where there is none. */
static int mechanism_of(const char *name)
{
	static const char *const names[] = {"fork", "vfork", "posix_spawn"};
	int mechanism = 0;
	while (mechanism < 3 && strcmp(name, names[mechanism]) != 0)
		mechanism++;
	return mechanism;
}

static int rate(char **words)
{
	int mechanism = mechanism_of(words[0]);
	size_t jobs = number(words[3]), batches = number(words[4]);
	open_mailbox();
	pin(number(words[2]));
	for (size_t i = 0; i < batches; i++) {
		uint64_t length = independent_batch(mechanism, words[1], (uint32_t)jobs);
		if (length == 0)
			fail(words[0]);
		printf("%" PRIu64 "\n", length);
	}
	return 0;
}

static int spawn(char **words)
{
	int mechanism = mechanism_of(words[0]);
	const char *image = words[1];
	size_t mib = number(words[2]), warmup = number(words[4]), samples = number(words[5]);
	struct spawn *spawns = malloc((warmup + samples) * sizeof *spawns);
	if (spawns == NULL)
		fail("malloc");
	memset(spawns, 0, (warmup + samples) * sizeof *spawns);
	open_mailbox();
	pin(number(words[3]));
	map_written(mib << 20);

	int failed = independent_loop(mechanism, image, (uint32_t)(warmup + samples), spawns);
	if (failed != 0) {
		fprintf(stderr, "independent: %s: %s\n", words[0], strerror(failed));
		return 1;
	}
	for (size_t i = 0; i < warmup + samples; i++) {
		if (spawns[i].status != 0) {
			fprintf(stderr, "independent: a child ended with status %d\n", spawns[i].status);
			return 1;
		}
		if (i >= warmup)
			printf("%" PRIu64 " %" PRIu64 "\n", spawns[i].returned - spawns[i].called,
			       spawns[i].reaped - spawns[i].called);
	}
	return 0;
}

int main(int count, char **words)
{
	if (count == 8 && strcmp(words[1], "spawn") == 0)
		return spawn(words + 2);
	if (count == 7 && strcmp(words[1], "rate") == 0)
		return rate(words + 2);
	if (count == 4 && strcmp(words[1], "populate") == 0) {
		pin(number(words[3]));
		printf("%" PRIu64 "\n", map_written(number(words[2]) << 20));
		return 0;
	}
	fprintf(stderr, "usage: independent spawn MECHANISM IMAGE MIB CPU WARMUP SAMPLES\n"
			"       independent rate MECHANISM IMAGE CPU JOBS BATCHES\n"
			"       independent populate MIB CPU\n");
	return 2;
}
