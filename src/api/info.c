/* The library and the machine. */
#include <stdio.h>
#include <string.h>
#include <strait/info.h>
#include <unistd.h>

#include "api/run_record.h"
#include "base/memory.h"
#include "base/thread.h"
#include "data/data.h"
#include "graph/engine.h"
#include "recipe/recipe.h"

STRAIT_API const char *strait_version(void) {
    return STRAIT_VERSION;
}

/* The processor's name as the system tells it: "model name" of x86, else the machine's kind. */
void st_processor_name(char *out, size_t n) {
    snprintf(out, n, "unknown");
    FILE *file = fopen("/proc/cpuinfo", "r");
    char line[256];
    while (file && fgets(line, sizeof line, file)) {
        const char *colon = strchr(line, ':');
        if (!colon || strncmp(line, "model name", 10) != 0) continue;
        snprintf(out, n, "%s", colon + 1 + strspn(colon + 1, " \t"));
        out[strcspn(out, "\n")] = 0;
        break;
    }
    if (file) fclose(file);
}

static int64_t from_system(int name) {
    const long value = sysconf(name);
    return value > 0 ? value : 0;
}

static void keep(char *out, size_t n, char *owned) {
    snprintf(out, n, "%s", owned ? owned : "");
    st_free(owned);
}

STRAIT_API void strait_machine_describe(strait_machine *out) {
    *out = (strait_machine){.processors = st_processors()};
    st_processor_name(out->processor, sizeof out->processor);
    snprintf(out->instructions, sizeof out->instructions, "%s", st_cpu_instructions());
    snprintf(out->onednn, sizeof out->onednn, "%s", st_cpu_onednn_version());
    out->memory = from_system(_SC_PHYS_PAGES) * from_system(_SC_PAGESIZE);
#ifdef _SC_LEVEL1_DCACHE_SIZE
    out->l1d_cache = from_system(_SC_LEVEL1_DCACHE_SIZE);
    out->l2_cache = from_system(_SC_LEVEL2_CACHE_SIZE);
    out->l3_cache = from_system(_SC_LEVEL3_CACHE_SIZE);
#endif
    keep(out->data_folders, sizeof out->data_folders, st_data_folders());
    keep(out->recipe_folders, sizeof out->recipe_folders, st_recipe_folders());
}
