/* How long another thread stands still while this one forks: a plain loop to hold against
 * workload=stall. Prints, for each fork, how long the call took and the longest time between two
 * touches of a new page in the other thread meanwhile, in microseconds.
 *
 * cc -O2 -pthread stall.c -o stall && ./stall MIB FORKS IMAGE
 *
 * It knows nothing of waiting for a processor: it needs two that nobody else uses. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096, PAGES = 32, RESERVE = 16 << 20, POPULATE_WRITE = 23 };

static _Atomic unsigned long *worst; /* Shared memory: a fork does not write-protect it. */

static unsigned long now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ul + t.tv_nsec;
}

static void *anonymous(size_t bytes, int sharing)
{
    void *base = mmap(NULL, bytes, PROT_READ | PROT_WRITE, sharing | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED) {
        perror("mmap");
        exit(1);
    }
    return base;
}

static void stay_on(int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    sched_setaffinity(0, sizeof set, &set);
}

static void *touch(void *unused)
{
    /* So large that it lies below the memory and not in a gap beside it: a fork locks mappings by
     * address. */
    volatile char *area = anonymous(RESERVE, MAP_PRIVATE);
    madvise((void *)area, RESERVE, MADV_NOHUGEPAGE);
    stay_on(0);
    unsigned long last = now();
    for (;;) {
        madvise((void *)area, PAGES * PAGE, MADV_DONTNEED);
        for (int i = 0; i < PAGES; i++) {
            area[i * PAGE] = 1;
            unsigned long end = now();
            if (end - last > *worst)
                *worst = end - last;
            last = end;
        }
    }
    return unused;
}

int main(int count, char **arguments)
{
    if (count < 4)
        return 2;
    size_t bytes = (size_t)atol(arguments[1]) << 20;
    char *image[] = {arguments[3], NULL};
    char *ballast = anonymous(bytes, MAP_PRIVATE);
    madvise(ballast, bytes, MADV_NOHUGEPAGE);
    madvise(ballast, bytes, POPULATE_WRITE);
    worst = anonymous(PAGE, MAP_SHARED);
    *worst = 1;
    pthread_t thread;
    pthread_create(&thread, NULL, touch, NULL);
    stay_on(1);
    usleep(10000);
    for (int i = atoi(arguments[2]); i > 0; i--) {
        *worst = 0;
        unsigned long begin = now();
        pid_t child = fork();
        if (child == 0) {
            execv(image[0], image);
            _exit(127);
        }
        unsigned long length = now() - begin;
        waitpid(child, NULL, 0);
        printf("%.1f %.1f\n", length / 1e3, *worst / 1e3);
        madvise(ballast, bytes, POPULATE_WRITE);
    }
    fflush(stdout);
    _exit(0);
}
