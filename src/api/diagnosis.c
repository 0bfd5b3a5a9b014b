#include <string.h>

#include "base/memory.h"
#include "base/string.h"
#include "store/diagnosis_file.h"
#include "store/run.h"

STRAIT_API strait_status strait_diagnosis_read(strait_diagnosis **out, const char *run, strait_error *err) {
    *out = NULL;
    if (!run) return st_fail(err, STRAIT_ARGUMENT, "strait_diagnosis_read: run is NULL");
    char *folder = NULL;
    ST_TRY(st_run_find(&folder, run, err));
    char *path = st_path_join(folder, ST_FILE_DIAGNOSIS);
    strait_status status = path ? STRAIT_OK : st_fail_memory(err, strlen(folder), "a path");
    if (status == STRAIT_OK && !st_path_exists(path))
        status = st_fail(err, STRAIT_NOT_FOUND, "%s: no such file: the run was not diagnosed, or is no run", path);
    if (status == STRAIT_OK) status = st_diagnosis_read_file(out, path, err);
    st_free(path);
    st_free(folder);
    return status;
}
