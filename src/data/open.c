/* From what people write as a source, "name#split", a folder or a file, to a data set. */
#include <errno.h>
#include <string.h>
#include "base/memory.h"
#include "base/string.h"
#include "data/data_int.h"

/* errno is that of looking for name. */
static strait_status fail_no_such(const char *name, strait_error *err) {
    if (errno == EACCES) return st_fail_errno(err, "%s: cannot open", name);
    const char *near = st_known_nearest(name);
    return st_fail(err, STRAIT_NOT_FOUND, "%s: neither a file nor a known data set%s%s%s", name,
                   near ? "; did you mean '" : " (fashion-mnist, mnist)", near ? near : "", near ? "'?" : "");
}

/* split NULL: none asked for. */
static strait_status open_source(st_source **out, const char *name, const char *split, strait_error *err) {
    bool known = false;
    ST_TRY(st_known_open(out, &known, name, split, err));
    if (known) return STRAIT_OK;
    if (!st_path_exists(name)) return fail_no_such(name, err);
    if (st_path_is_folder(name)) {
        ST_TRY(st_known_open_folder(out, &known, name, split, err));
        return known ? STRAIT_OK
                     : st_fail(err, STRAIT_NOT_FOUND,
                               "%s: no data set in this folder: neither train-images-idx3-ubyte "
                               "nor t10k-images-idx3-ubyte, gzip or not; name a data file",
                               name);
    }
    if (split)
        return st_fail(err, STRAIT_ARGUMENT,
                       "%s: a single file has no split '%s'; only known data sets and folders have splits", name,
                       split);
    return st_source_open(out, name, err);
}

strait_status strait_data_open(strait_data **out, const char *source, strait_error *err) {
    *out = NULL;
    if (!source) return st_fail(err, STRAIT_ARGUMENT, "no data set is named: give a known name or a file");
    if (*source == '\0') return st_fail(err, STRAIT_ARGUMENT, "the data source is empty; name a data set or a file");
    char *name = st_strdup(source), *split = NULL;
    if (!name) return st_fail_memory(err, strlen(source) + 1, "a path");
    if (!st_path_exists(source) && (split = strrchr(name, '#'))) *split++ = '\0';

    st_source *opened = NULL;
    strait_status status = open_source(&opened, name, split, err);
    if (status == STRAIT_OK) status = st_data_new(out, opened, source, err);
    st_free(name);
    return status;
}
