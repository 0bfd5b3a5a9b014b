#include "base/memory.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/string.h"

/* The limit a container sets, or 0. */
static int64_t container_memory(void) {
    static const char *const path[] = {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"};
    for (size_t i = 0; i < sizeof path / sizeof path[0]; i++) {
        FILE *file = fopen(path[i], "r");
        if (!file) continue;
        char line[64] = "";
        if (!fgets(line, sizeof line, file)) line[0] = 0;
        fclose(file);
        line[strcspn(line, "\n")] = 0;
        int64_t bytes;
        if (st_parse_int(&bytes, line) && bytes > 0) return bytes; /* "max": none */
    }
    return 0;
}

int64_t st_memory_limit(void) {
    const int64_t pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    int64_t bytes = pages > 0 && page > 0 ? pages * page : INT64_MAX;
    const int64_t container = container_memory();
    if (container > 0 && container < bytes) bytes = container;
    return bytes;
}
