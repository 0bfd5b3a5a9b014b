/* Data sets known by name: what they are called, where they are looked for, what to do when they are not there. How
   their files lie in a folder is known_layouts.c's. */
#include <stdlib.h>
#include <string.h>
#include "base/memory.h"
#include "base/string.h"
#include "data/data_int.h"
#include "data/fetch.h"
#include "data/known_int.h"

/* Where the system's packages put data sets; the build may say otherwise. */
#ifndef STRAIT_DATA_DIR
#define STRAIT_DATA_DIR "/usr/share/datasets"
#endif

typedef struct known_set {
    const char *name;         /* and that of the folder inside a data folder */
    const char *other_folder; /* another one people have, or NULL */
    const char *files;        /* what is to be put there */
    const char *package;      /* Debian's, or NULL */
    const st_known_layout *layout;
    const char *const *label_names; /* or those of the layout */
    int n_label_names;
} known_set;

static const char *const fashion_labels[] = {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
                                             "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot"};
static const char mnist_files[] = "train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and "
                                  "t10k-labels-idx1-ubyte (gzip or not)";
static const known_set sets[] = {
    {"cifar10", "cifar-10-batches-bin",
     "data_batch_1.bin to data_batch_5.bin and test_batch.bin "
     "(https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz)",
     NULL, &st_layout_cifar, NULL, 0},
    {"ecg5000", NULL, "ecg.csv (gzip or not; https://storage.googleapis.com/download.tensorflow.org/data/ecg.csv)",
     NULL, &st_layout_ecg, NULL, 0},
    {"fashion-mnist", NULL, mnist_files, "dataset-fashion-mnist", &st_layout_idx, fashion_labels, 10},
    {"mnist", NULL, mnist_files, NULL, &st_layout_idx, NULL, 0},
};
static const st_known_layout *const layouts[] = {&st_layout_idx, &st_layout_cifar, &st_layout_cifar100, &st_layout_ecg};
static const char *const splits[] = {"train", "test"}; /* by st_known_part */

#define N_SETS (sizeof sets / sizeof *sets)
#define N_LAYOUTS (sizeof layouts / sizeof *layouts)

/* ---- folders ---- */

/* Where the user's own data sets are: NULL in *out without a home. False when there is no memory. */
static bool user_folder(char **out) {
    const char *data_home = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    *out = NULL;
    if (data_home && *data_home) {
        *out = st_path_join(data_home, "strait");
    } else if (home && *home) {
        *out = st_path_join(home, ".local/share/strait");
    } else {
        return true;
    }
    return *out != NULL;
}

strait_status st_data_user_folder(char **out, strait_error *err) {
    if (!user_folder(out)) return st_fail_memory(err, 0, "a path");
    if (*out) return STRAIT_OK;
    return st_fail(err, STRAIT_NOT_FOUND, "there is no home folder to put data into; set XDG_DATA_HOME or HOME");
}

char *st_data_folders(void) {
    const char *chosen = getenv("STRAIT_DATA");
    char *user = NULL, *folders = NULL;
    if (!user_folder(&user)) return NULL;
    const bool has_chosen = chosen && *chosen;
    folders = st_format("%s%s%s%s%s", has_chosen ? chosen : "", has_chosen ? ":" : "", user ? user : "",
                        user ? ":" : "", STRAIT_DATA_DIR);
    st_free(user);
    return folders;
}

/* Calls look(context, path) with name in each data folder until that says stop or fails. */
static strait_status each_data_folder(const char *name,
                                      strait_status (*look)(void *context, const char *path, bool *stop,
                                                            strait_error *err),
                                      void *context, strait_error *err) {
    char *folders = st_data_folders();
    if (!folders) return st_fail_memory(err, 0, "the data folders");
    strait_status status = STRAIT_OK;
    bool stop = false;
    char *rest = folders;
    for (char *folder; status == STRAIT_OK && !stop && (folder = strsep(&rest, ":"));) {
        if (*folder == '\0') continue;
        char *path = st_path_join(folder, name);
        status = path ? look(context, path, &stop, err) : st_fail_memory(err, strlen(folder), "a path");
        st_free(path);
    }
    st_free(folders);
    return status;
}

static strait_status take_existing(void *context, const char *path, bool *stop, strait_error *err) {
    char **out = context;
    if (!st_path_exists(path)) return STRAIT_OK;
    *stop = true;
    *out = st_strdup(path);
    return *out ? STRAIT_OK : st_fail_memory(err, strlen(path) + 1, "a path");
}

strait_status st_find_in_data_folders(char **out, const char *name, strait_error *err) {
    *out = NULL;
    return each_data_folder(name, take_existing, out, err);
}

/* ---- the search for a set ---- */

typedef struct search {
    const known_set *set;
    st_known_part part;
    char *folder;      /* that has the part */
    char *other;       /* that has the other part alone */
    st_text looked_in; /* where */
} search;

static strait_status look_for_set(void *context, const char *path, bool *stop, strait_error *err) {
    search *s = context;
    st_text_add(&s->looked_in, "%s%s", s->looked_in.length ? ", " : "", path);
    if (!st_path_is_folder(path)) return STRAIT_OK;
    bool has[2];
    for (int part = 0; part < 2; part++)
        ST_TRY(s->set->layout->has(&has[part], path, (st_known_part)part, err));
    *stop = has[s->part];
    char **found = *stop ? &s->folder : has[!s->part] && !s->other ? &s->other : NULL;
    if (found && !(*found = st_strdup(path))) return st_fail_memory(err, strlen(path) + 1, "a path");
    return STRAIT_OK;
}

static strait_status fail_missing(const search *s, const char *looked_in, strait_error *err) {
    const known_set *set = s->set;
    const char *missing = set->layout->files[s->part];
    if (s->other)
        return st_fail(err, STRAIT_NOT_FOUND, "%s: %s has no %s for the split %s%s", set->name, s->other, missing,
                       splits[s->part], s->part == ST_PART_TEST ? "; put it there, or validate on a fraction" : "");
    if (set->package)
        return st_fail(err, STRAIT_NOT_FOUND, "%s: not found in %s; get it by: apt install %s", set->name, looked_in,
                       set->package);
    char *user = NULL;
    if (!user_folder(&user)) return st_fail_memory(err, 0, "a path");
    const strait_status status =
        st_fail(err, STRAIT_NOT_FOUND,
                "%s: not found in %s; get it by: strait data fetch %s, or put %s into %s/%s, or set STRAIT_DATA to the "
                "folder that holds %s",
                set->name, looked_in, set->name, set->files, user ? user : STRAIT_DATA_DIR, set->name, set->name);
    st_free(user);
    return status;
}

/* ---- splits ---- */

static strait_status find_part(st_known_part *out, const char *source, const char *name, strait_error *err) {
    *out = ST_PART_TRAIN;
    if (!name || strcmp(name, splits[ST_PART_TRAIN]) == 0) return STRAIT_OK;
    *out = ST_PART_TEST;
    if (strcmp(name, splits[ST_PART_TEST]) == 0) return STRAIT_OK;
    return st_fail(err, STRAIT_ARGUMENT, "%s: has no split '%s'; its splits are train, test", source, name);
}

static strait_status open_found(strait_data **out, const search *s, const char *source, strait_error *err) {
    ST_TRY(s->set->layout->open(out, s->folder, s->part, source, err));
    if (s->set->label_names) {
        (*out)->source->label_names = s->set->label_names;
        (*out)->source->n_label_names = s->set->n_label_names;
    }
    return STRAIT_OK;
}

strait_status st_known_open(strait_data **out, bool *known, const char *source, const char *name, const char *split,
                            strait_error *err) {
    search s = {0};
    for (size_t i = 0; i < N_SETS; i++)
        if (strcmp(name, sets[i].name) == 0) s.set = &sets[i];
    *known = s.set != NULL;
    if (!s.set) return STRAIT_OK;

    ST_TRY(find_part(&s.part, name, split, err));
    char *looked_in = NULL;
    strait_status status = each_data_folder(name, look_for_set, &s, err);
    if (status == STRAIT_OK && !s.folder && s.set->other_folder)
        status = each_data_folder(s.set->other_folder, look_for_set, &s, err);
    if (status != STRAIT_OK) {
        st_text_free(&s.looked_in);
    } else if ((status = st_text_take(&looked_in, &s.looked_in, err)) == STRAIT_OK) {
        status = s.folder ? open_found(out, &s, source, err) : fail_missing(&s, looked_in, err);
    }
    st_free(looked_in);
    st_free(s.folder);
    st_free(s.other);
    return status;
}

strait_status st_known_open_folder(strait_data **out, bool *known, const char *source, const char *folder,
                                   const char *split, strait_error *err) {
    *known = false;
    for (size_t i = 0; i < N_LAYOUTS; i++) {
        bool has[2];
        for (int part = 0; part < 2; part++)
            ST_TRY(layouts[i]->has(&has[part], folder, (st_known_part)part, err));
        if (!has[0] && !has[1]) continue;
        *known = true;
        st_known_part part;
        ST_TRY(find_part(&part, folder, split, err));
        if (has[part]) return layouts[i]->open(out, folder, part, source, err);
        return st_fail(err, STRAIT_NOT_FOUND, "%s: has no %s for the split %s", folder, layouts[i]->files[part],
                       splits[part]);
    }
    return STRAIT_OK;
}

const char *st_known_nearest(const char *name) {
    const char *names[N_SETS];
    for (size_t i = 0; i < N_SETS; i++)
        names[i] = sets[i].name;
    return st_nearest(name, names, N_SETS);
}

strait_status strait_known_data_at(strait_known_data *out, int i, strait_error *err) {
    *out = (strait_known_data){0};
    if (i < 0 || (size_t)i >= N_SETS) return STRAIT_OK;
    search s = {.set = &sets[i]};
    strait_status status = each_data_folder(s.set->name, look_for_set, &s, err);
    if (status == STRAIT_OK && !s.folder && s.set->other_folder)
        status = each_data_folder(s.set->other_folder, look_for_set, &s, err);
    st_text_free(&s.looked_in);
    char *folder = s.folder ? s.folder : s.other;
    bool has[2] = {false, false};
    for (int part = 0; part < 2 && folder && status == STRAIT_OK; part++)
        status = s.set->layout->has(&has[part], folder, (st_known_part)part, err);
    if (folder != s.other) st_free(s.other);
    if (status != STRAIT_OK) {
        st_free(folder);
        return status;
    }
    *out = (strait_known_data){.name = s.set->name,
                               .folder = folder,
                               .has_train = has[ST_PART_TRAIN],
                               .has_test = has[ST_PART_TEST],
                               .files = s.set->files,
                               .package = s.set->package};
    return STRAIT_OK;
}

void strait_known_data_free(strait_known_data *known) {
    st_free(known->folder);
    *known = (strait_known_data){0};
}
