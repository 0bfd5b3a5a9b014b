#include "base/apart.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#ifdef __has_feature
#define HAS_FEATURE(name) __has_feature(name)
#else
#define HAS_FEATURE(name) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || HAS_FEATURE(address_sanitizer) ||                 \
    HAS_FEATURE(thread_sanitizer) || HAS_FEATURE(memory_sanitizer)
#define SANITIZED
#endif

/* On the clock, of which others may take the most: a child that waits for ever uses no processor time. */
enum { CLOCK_TIMES = 100, CLOCK_MORE = 60 };

/* What child and parent share. */
typedef struct answer {
    bool returned;
    strait_status status;
    strait_error err;
} answer;

/* ---- in the child ---- */

#ifdef SANITIZED
static bool in_child;

void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));
void __asan_on_error(void) __attribute__((visibility("default")));

static void end_quietly(void) {
    _Exit(1);
}

/* AddressSanitizer calls this before its report, for which it would start a program and wait for it. */
void __asan_on_error(void) {
    if (in_child) end_quietly();
}
#endif

/* The parent's handlers would take a crash for their own process's (a fuzzer writes the input down). What is sent to
   the whole group, as by Ctrl-C, is for the parent to heed. A file that may not grow is told by the write. */
static void reset_signals(void) {
    static const int ignored[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGTSTP, SIGXFSZ};
    sigset_t none;
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL); /* those that cannot be set refuse */
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
        signal(ignored[i], SIG_IGN);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
#ifdef SANITIZED
    in_child = true;
    if (__sanitizer_set_death_callback) __sanitizer_set_death_callback(end_quietly);
#endif
#ifdef __linux__
    prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
}

static void be_silent(void) {
    const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nowhere < 0) return;
    dup2(nowhere, STDOUT_FILENO);
    dup2(nowhere, STDERR_FILENO);
    close(nowhere);
}

#ifdef __GLIBC__
typedef __rlimit_resource_t resource_name;
#else
typedef int resource_name;
#endif

static void limit(resource_name resource, rlim_t soft) {
    struct rlimit now;
    if (getrlimit(resource, &now) != 0) return;
    if (now.rlim_cur <= soft) return;
    now.rlim_cur = soft;
    setrlimit(resource, &now);
}

/* Bytes of address space in use; 0 where that cannot be told. */
static uint64_t address_space(void) {
    char text[64] = "";
    const int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    const ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0) close(fd);
    return n > 0 ? strtoull(text, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

static void set_limits(const st_apart *task) {
    const double clock = task->seconds * CLOCK_TIMES + CLOCK_MORE;
    limit(RLIMIT_CPU, task->seconds > 1 ? (rlim_t)task->seconds : 1);
    limit(RLIMIT_CORE, 1); /* 0 would still hand one to a program that collects them */
    alarm(clock < 1e9 ? (unsigned)clock : 1000000000u);
#ifndef SANITIZED
    const uint64_t now = task->more_bytes > 0 ? address_space() : 0;
    if (now > 0 && task->more_bytes < UINT64_MAX / 2) limit(RLIMIT_AS, (rlim_t)(now + task->more_bytes));
#else
    (void)address_space;
#endif
}

static void be_child(answer *shared, const st_apart *task) {
    reset_signals();
    be_silent();
    set_limits(task);
    shared->status = task->work(task->context, &shared->err);
    shared->returned = true;
    _Exit(0); /* nothing of the parent's is flushed or run at exit */
}

/* ---- in the parent ---- */

static const char *signal_name(int number) {
    switch (number) {
    case SIGSEGV: return "SIGSEGV";
    case SIGBUS: return "SIGBUS";
    case SIGABRT: return "SIGABRT";
    case SIGFPE: return "SIGFPE";
    case SIGILL: return "SIGILL";
    case SIGKILL: return "SIGKILL";
    default: return NULL;
    }
}

static void tell_end(char end[ST_APART_END], const st_apart *task, int status) {
    const int number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    if (number == SIGXCPU)
        snprintf(end, ST_APART_END, "over %.0f s of processor time", task->seconds);
    else if (number == SIGALRM)
        snprintf(end, ST_APART_END, "not done after %.0f s", task->seconds * CLOCK_TIMES + CLOCK_MORE);
    else if (number > 0 && signal_name(number))
        snprintf(end, ST_APART_END, "killed by %s", signal_name(number));
    else if (number > 0)
        snprintf(end, ST_APART_END, "killed by signal %d", number);
    else
        snprintf(end, ST_APART_END, "it ended the process");
}

strait_status st_apart_run(char end[ST_APART_END], const st_apart *task, strait_error *err) {
    int ended = 0;
    end[0] = '\0';
    answer *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) return st_fail_errno(err, "%s: no memory to share with a process of its own", task->name);
    if (task->lock) task->lock();
    const pid_t child = fork();
    const int reason = errno;
    if (task->unlock) task->unlock();
    if (child == 0) be_child(shared, task);
    strait_status status = STRAIT_OK;
    if (child < 0) {
        errno = reason;
        status = st_fail_errno(err, "%s: cannot start the process in which it is tried", task->name);
    } else {
        /* ECHILD: who embeds the library takes all children; what they shared tells as much. */
        while (waitpid(child, &ended, 0) < 0 && errno == EINTR) {
        }
        status = shared->returned ? shared->status : STRAIT_FORMAT;
        if (!shared->returned) tell_end(end, task, ended);
        if (shared->returned && status != STRAIT_OK && err) *err = shared->err;
    }
    munmap(shared, sizeof *shared);
    return status;
}
