#include "store/run.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "base/string.h"

#define RUNS_FOLDER "runs"
#define LATEST 5 /* runs named when one is not found */

/* A folder with one of these is a run. */
static const char *const run_file[] = {"model.safetensors", "checkpoint.safetensors", "recipe.yaml"};

/* --- making a run --- */

/* The number of a folder named name-nnn, or 0 for other names. */
static int64_t run_number(const char *entry, const char *name) {
    const size_t length = strlen(name);
    if (strncmp(entry, name, length) != 0 || entry[length] != '-') return 0;
    const char *digits = entry + length + 1;
    const size_t n = strlen(digits);
    int64_t number;
    if (n < 3 || n > 9 || strspn(digits, "0123456789") != n || !st_parse_int(&number, digits)) return 0;
    return number;
}

/* The highest number among the folder's runs of this name; 0: none. */
static strait_status highest_number(int64_t *out, const char *dir, const char *name, strait_error *err) {
    *out = 0;
    DIR *folder = opendir(dir);
    if (!folder) return st_fail_errno(err, "%s: cannot be listed", dir);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        const int64_t number = run_number(entry->d_name, name);
        if (number > *out) *out = number;
    }
    closedir(folder);
    return STRAIT_OK;
}

strait_status st_run_create(char **out, const char *dir, const char *name, strait_error *err) {
    *out = NULL;
    if (!name[0] || name[0] == '.' || strchr(name, '/'))
        return st_fail(err, STRAIT_ARGUMENT, "'%s' cannot be a run's name: it must not begin with '.' or contain '/'",
                       name);
    ST_TRY(st_make_folders(dir, err));
    int64_t number;
    ST_TRY(highest_number(&number, dir, name, err));
    char *parent = st_path_join(dir, "");
    if (!parent) return st_fail_memory(err, strlen(dir), "a run's name");
    strait_status status = STRAIT_OK;
    /* Another process may take the number first: mkdir decides, the loser takes the next one. */
    while (status == STRAIT_OK) {
        char *path = st_format("%s%s-%03lld", parent, name, (long long)++number);
        if (!path) {
            status = st_fail_memory(err, strlen(dir) + strlen(name), "a run's name");
        } else if (mkdir(path, 0777) == 0) {
            *out = path;
            break;
        } else if (errno != EEXIST) {
            status = st_fail_errno(err, "%s: cannot make this folder", path);
        }
        st_free(path);
    }
    st_free(parent);
    return status;
}

strait_status st_run_make(char **out, const char *folder, strait_error *err) {
    *out = NULL;
    if (strlen(folder) >= sizeof((strait_run *)0)->folder)
        return st_fail(err, STRAIT_ARGUMENT, "%.60s...: the path of a run's folder is too long; choose a shorter one",
                       folder);
    char *copy = st_strdup(folder), *parent = st_path_folder(folder);
    strait_status status = copy && parent ? STRAIT_OK : st_fail_memory(err, strlen(folder), "a run's name");
    if (status == STRAIT_OK) status = st_make_folders(parent, err);
    if (status == STRAIT_OK && mkdir(folder, 0777) != 0)
        status = errno == EEXIST
                     ? st_fail(err, STRAIT_ARGUMENT, "%s: is there already; a run takes a new folder", folder)
                     : st_fail_errno(err, "%s: cannot make this folder", folder);
    st_free(parent);
    if (status == STRAIT_OK)
        *out = copy;
    else
        st_free(copy);
    return status;
}

/* --- finding a run --- */

/* Whether folder/file is there; a failed allocation is told by *status. */
static bool has_file(strait_status *status, const char *folder, const char *file, strait_error *err) {
    char *path = st_path_join(folder, file);
    if (!path) {
        *status = st_fail_memory(err, strlen(folder) + strlen(file), "a path");
        return false;
    }
    const bool there = st_path_exists(path);
    st_free(path);
    return there;
}

static strait_status is_run(bool *out, const char *folder, strait_error *err) {
    strait_status status = STRAIT_OK;
    *out = false;
    if (!st_path_is_folder(folder)) return STRAIT_OK;
    for (size_t i = 0; i < sizeof run_file / sizeof run_file[0] && !*out && status == STRAIT_OK; i++)
        *out = has_file(&status, folder, run_file[i], err);
    return status;
}

/* The runs in a folder, to be named in a message. */
typedef struct run_entry {
    char *name;
    struct timespec changed;
} run_entry;

typedef struct run_list {
    run_entry *entry;
    size_t n;
} run_list;

static void free_list(run_list *list) {
    for (size_t i = 0; i < list->n; i++)
        st_free(list->entry[i].name);
    st_free(list->entry);
    *list = (run_list){0};
}

static int latest_first(const void *a, const void *b) {
    const run_entry *x = a, *y = b;
    if (x->changed.tv_sec != y->changed.tv_sec) return x->changed.tv_sec > y->changed.tv_sec ? -1 : 1;
    if (x->changed.tv_nsec != y->changed.tv_nsec) return x->changed.tv_nsec > y->changed.tv_nsec ? -1 : 1;
    return -strcmp(x->name, y->name);
}

static strait_status add_if_run(run_list *list, const char *dir, const char *name, strait_error *err) {
    char *path = st_path_join(dir, name);
    if (!path) return st_fail_memory(err, strlen(name), "a list of runs");
    bool run = false;
    struct stat info;
    strait_status status = name[0] == '.' ? STRAIT_OK : is_run(&run, path, err);
    if (status == STRAIT_OK && run && stat(path, &info) == 0) {
        run_entry *longer = st_realloc(list->entry, list->n + 1, sizeof *longer);
        char *copy = longer ? st_strdup(name) : NULL;
        if (longer) list->entry = longer;
        if (copy)
            list->entry[list->n++] = (run_entry){copy, info.st_mtim};
        else
            status = st_fail_memory(err, (list->n + 1) * sizeof *longer, "a list of runs");
    }
    st_free(path);
    return status;
}

/* The runs in dir, the latest first; none when dir cannot be listed. */
static strait_status list_runs(run_list *list, const char *dir, strait_error *err) {
    DIR *folder = opendir(dir);
    if (!folder) return STRAIT_OK;
    strait_status status = STRAIT_OK;
    for (struct dirent *entry; status == STRAIT_OK && (entry = readdir(folder)) != NULL;)
        status = add_if_run(list, dir, entry->d_name, err);
    closedir(folder);
    if (list->n) qsort(list->entry, list->n, sizeof *list->entry, latest_first);
    return status;
}

static int by_name(const void *a, const void *b) {
    const char *const *x = a, *const *y = b;
    return strcmp(*x, *y);
}

strait_status st_run_names(char ***out, size_t *n, const char *dir, strait_error *err) {
    run_list list = {0};
    *out = NULL;
    *n = 0;
    strait_status status = list_runs(&list, dir, err);
    char **names = status == STRAIT_OK ? st_alloc(list.n + 1, sizeof *names) : NULL;
    if (status == STRAIT_OK && !names) status = st_fail_memory(err, list.n * sizeof *names, "a list of runs");
    for (size_t i = 0; status == STRAIT_OK && i < list.n; i++) {
        names[i] = list.entry[i].name;
        list.entry[i].name = NULL;
    }
    if (status == STRAIT_OK) {
        qsort(names, list.n, sizeof *names, by_name);
        *out = names;
        *n = list.n;
    }
    free_list(&list);
    return status;
}

void st_run_free_names(char **names, size_t n) {
    for (size_t i = 0; i < n; i++)
        st_free(names[i]);
    st_free(names);
}

/* The name in list nearest to word, or NULL. */
static const char *nearest_run(const run_list *list, const char *word) {
    const char *best = NULL;
    for (size_t i = 0; i < list->n; i++) {
        const char *candidate[2] = {best};
        const size_t n = best ? 1 : 0;
        candidate[n] = list->entry[i].name;
        best = st_nearest(word, candidate, n + 1);
    }
    return best;
}

/* Always fails: NOT_FOUND, saying what there is. */
static strait_status no_such_run(const char *run, strait_error *err) {
    if (st_path_is_folder(run))
        return st_fail(err, STRAIT_NOT_FOUND, "%s: a folder, but not a run: it holds no %s, %s or %s", run, run_file[0],
                       run_file[1], run_file[2]);
    run_list list = {0};
    st_text text = {0};
    char *message = NULL;
    strait_status status = list_runs(&list, RUNS_FOLDER, err);
    if (status != STRAIT_OK) goto done;
    const char *nearest = nearest_run(&list, run);
    if (nearest) st_text_add(&text, "; did you mean '%s'?", nearest);
    if (list.n == 0) st_text_add(&text, "; there are no runs in " RUNS_FOLDER "/ here");
    for (size_t i = 0; i < list.n && i < LATEST; i++)
        st_text_add(&text, "%s%s", i ? ", " : nearest ? " The latest are " : "; the latest are ", list.entry[i].name);
    status = st_text_take(&message, &text, err);
    if (status == STRAIT_OK)
        status =
            st_fail(err, STRAIT_NOT_FOUND, "%s: neither a run's folder nor a run in " RUNS_FOLDER "/%s", run, message);
done:
    st_free(message);
    free_list(&list);
    return status;
}

strait_status st_run_find(char **out, const char *run, strait_error *err) {
    *out = NULL;
    if (!run[0]) return st_fail(err, STRAIT_ARGUMENT, "the name of a run is empty");
    bool found = false;
    char *path = st_strdup(run);
    if (!path) return st_fail_memory(err, strlen(run), "a run's path");
    strait_status status = is_run(&found, path, err);
    if (status == STRAIT_OK && !found && !strchr(run, '/')) {
        st_free(path);
        path = st_path_join(RUNS_FOLDER, run);
        if (!path) return st_fail_memory(err, strlen(run), "a run's path");
        status = is_run(&found, path, err);
    }
    if (status == STRAIT_OK && !found) status = no_such_run(run, err);
    if (status != STRAIT_OK) {
        st_free(path);
        return status;
    }
    for (size_t n = strlen(path); n > 1 && path[n - 1] == '/'; n--)
        path[n - 1] = 0;
    *out = path;
    return STRAIT_OK;
}

strait_status st_run_model_path(char **out, const char *model, strait_error *err) {
    *out = NULL;
    const bool file = st_path_exists(model) && !st_path_is_folder(model);
    if (!file && st_ends_with(model, ".safetensors")) return st_fail(err, STRAIT_NOT_FOUND, "%s: no such file", model);
    if (file) {
        *out = st_strdup(model);
        return *out ? STRAIT_OK : st_fail_memory(err, strlen(model), "a model's path");
    }
    char *folder = NULL;
    ST_TRY(st_run_find(&folder, model, err));
    strait_status status = STRAIT_OK;
    *out = st_path_join(folder, run_file[0]);
    if (!*out) {
        status = st_fail_memory(err, strlen(folder), "a model's path");
    } else if (!st_path_exists(*out)) { /* killed before its end: a checkpoint is a model file too */
        st_free(*out);
        *out = st_path_join(folder, run_file[1]);
        if (!*out)
            status = st_fail_memory(err, strlen(folder), "a model's path");
        else if (!st_path_exists(*out))
            status =
                st_fail(err, STRAIT_NOT_FOUND, "%s: this run has neither %s nor %s", folder, run_file[0], run_file[1]);
    }
    if (status != STRAIT_OK) {
        st_free(*out);
        *out = NULL;
    }
    st_free(folder);
    return status;
}
