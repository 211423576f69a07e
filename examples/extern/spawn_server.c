/* A helper for `forkbench run --mechanism extern:./spawn_server`: spawns by posix_spawn.
 *
 *     cc -O2 -o spawn_server examples/extern/spawn_server.c
 *
 * Put your own way to make a process in the place of posix_spawn. The protocol stands in FORMAT.md. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 100 };

static FILE *requests, *answers;
static char *image, *arguments[MOST + 1], *environment[MOST + 1];

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* Adds a string to a list that ends with a null pointer. */
static void add(char **list, const char *text)
{
    int count = 0;
    while (list[count])
        count++;
    if (count == MOST) {
        fprintf(stderr, "more than %d arguments or variables\n", MOST);
        exit(1);
    }
    list[count] = strdup(text);
}

static void spawn(void)
{
    pid_t pid;
    int status;
    uint64_t begin = now();
    int failed = posix_spawn(&pid, image, NULL, NULL, arguments, environment);
    uint64_t returned = now();
    if (failed) {
        fprintf(answers, "failed %d %s\n", failed, strerror(failed));
        return;
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    uint64_t reaped = now();
    int code = WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
    /* Both at once, after the last stamp: no answer is in any interval. */
    fprintf(answers, "spawned %d %ju %ju\n", pid, (uintmax_t)begin, (uintmax_t)returned);
    fprintf(answers, "reaped %d %ju\n", code, (uintmax_t)reaped);
}

int main(void)
{
    char *line = NULL;
    size_t room = 0;
    /* Children get /dev/null as their input and output, not the pipes to forkbench. */
    requests = fdopen(fcntl(0, F_DUPFD_CLOEXEC, 10), "r");
    answers = fdopen(fcntl(1, F_DUPFD_CLOEXEC, 10), "w");
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (!requests || !answers || dup2(null, 0) < 0 || dup2(null, 1) < 0)
        return 1;
    while (getline(&line, &room, requests) > 0) {
        char *value = line + strcspn(line, " \n");
        line[strcspn(line, "\n")] = 0;
        if (*value)
            *value++ = 0;
        if (!strcmp(line, "forkbench-extern") && strcmp(value, "1")) {
            fprintf(stderr, "protocol %s is not known here\n", value);
            return 1;
        } else if (!strcmp(line, "image"))
            image = strdup(value);
        else if (!strcmp(line, "arg"))
            add(arguments, value);
        else if (!strcmp(line, "env"))
            add(environment, value);
        else if (!strcmp(line, "end"))
            fputs("ready stamps\n", answers);
        else if (!strcmp(line, "spawn"))
            spawn();
        else if (!strcmp(line, "ping"))
            fputs("pong\n", answers);
        fflush(answers);
    }
    return 0;
}
