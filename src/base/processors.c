#include "base/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/thread_int.h"

/* A small file into a buffer, without allocation; false when it cannot be read. */
static bool read_small(char *out, size_t capacity, const char *path) {
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    size_t used = 0;
    ssize_t got = 1;
    while (used + 1 < capacity && got > 0) {
        got = read(fd, out + used, capacity - 1 - used);
        if (got > 0) used += (size_t)got;
    }
    close(fd);
    out[used] = 0;
    return got >= 0;
}

static int least_limit(int a, int b) {
    return a == 0 ? b : b == 0 || a < b ? a : b;
}

/* A share of time as a number of processors; 0 when there is no limit. */
static int rounded_up(long long quota, long long period) {
    if (quota <= 0 || period <= 0) return 0;
    const long long processors = quota / period + (quota % period != 0);
    return processors < INT_MAX ? (int)processors : 0;
}

/* Version 2: "QUOTA PERIOD" or "max PERIOD" in one file. */
static int limit_v2(const char *folder) {
    char path[PATH_MAX], text[128];
    long long quota, period;
    if (snprintf(path, sizeof path, "%s/cpu.max", folder) >= (int)sizeof path) return 0;
    if (!read_small(text, sizeof text, path) || sscanf(text, "%lld %lld", &quota, &period) != 2) return 0;
    return rounded_up(quota, period);
}

/* Version 1: a file each; a quota of -1 is none. */
static int limit_v1(const char *folder) {
    static const char *const names[2] = {"cpu.cfs_quota_us", "cpu.cfs_period_us"};
    long long value[2];
    for (int i = 0; i < 2; i++) {
        char path[PATH_MAX], text[128];
        if (snprintf(path, sizeof path, "%s/%s", folder, names[i]) >= (int)sizeof path) return 0;
        if (!read_small(text, sizeof text, path)) return 0;
        value[i] = strtoll(text, NULL, 10);
    }
    return rounded_up(value[0], value[1]);
}

/* The least limit of a group and all groups above it. In a container the group's path may name folders that are not
   visible there; the walk up ends at the mount, which then is the container's own group. */
static int limit_upwards(const char *mount, const char *group, int (*limit)(const char *folder)) {
    char folder[PATH_MAX];
    if (snprintf(folder, sizeof folder, "%s%s", mount, group) >= (int)sizeof folder) return limit(mount);
    const size_t n_mount = strlen(mount);
    int processors = 0;
    for (;;) {
        processors = least_limit(processors, limit(folder));
        char *slash = strrchr(folder, '/');
        if (!slash || (size_t)(slash - folder) < n_mount) return processors;
        *slash = 0;
    }
}

/* Whether a comma-separated list of controllers has "cpu". */
static bool has_cpu(const char *list) {
    for (const char *at = list; at; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, "cpu", 3) == 0 && (at[3] == 0 || at[3] == ',')) return true;
    }
    return false;
}

int st_cgroup_processors(const char *membership, const char *mount) {
    int processors = 0;
    for (const char *line = membership; line && *line;) { /* NUMBER:CONTROLLERS:PATH */
        char text[PATH_MAX];
        const char *end = strchr(line, '\n');
        const size_t n = end ? (size_t)(end - line) : strlen(line);
        if (n < sizeof text) {
            memcpy(text, line, n);
            text[n] = 0;
            char *controllers = strchr(text, ':');
            char *group = controllers ? strchr(controllers + 1, ':') : NULL;
            if (group) {
                *controllers++ = *group++ = 0;
                char folder[PATH_MAX];
                if (controllers[0] == 0)
                    processors = least_limit(processors, limit_upwards(mount, group, limit_v2));
                else if (has_cpu(controllers) &&
                         snprintf(folder, sizeof folder, "%s/%s", mount, controllers) < (int)sizeof folder)
                    processors = least_limit(processors, limit_upwards(folder, group, limit_v1));
            }
        }
        line = end ? end + 1 : NULL;
    }
    return processors;
}

static int affinity(void) {
#if defined(__linux__)
    enum { GROUPS = 16 }; /* 16,384 processors: the kernel refuses a set smaller than its own */
    cpu_set_t set[GROUPS];
    if (sched_getaffinity(0, sizeof set, set) == 0) return CPU_COUNT_S(sizeof set, set);
#endif
    const long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (int)online : 1;
}

int st_processors(void) {
    char membership[8192];
    int processors = affinity();
    if (read_small(membership, sizeof membership, "/proc/self/cgroup"))
        processors = least_limit(processors, st_cgroup_processors(membership, "/sys/fs/cgroup"));
    return processors > 0 ? processors : 1;
}
