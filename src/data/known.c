/* Data sets known by name: folders with the four files of MNIST's kind, found in the data folders. */
#include <stdlib.h>
#include <string.h>
#include "base/memory.h"
#include "base/string.h"
#include "data/data_int.h"

/* Where the system's packages put data sets; the build may say otherwise. */
#ifndef STRAIT_DATA_DIR
#define STRAIT_DATA_DIR "/usr/share/datasets"
#endif

typedef struct known_set {
    const char *name, *folder; /* folder inside a data folder */
    const char *package;       /* Debian's, or NULL */
    const char *const *label_names;
    int n_label_names;
} known_set;

typedef struct known_split {
    const char *name, *prefix; /* of the files */
} known_split;

static const char *const fashion_labels[] = {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
                                             "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot"};
static const known_set sets[] = {
    {"fashion-mnist", "fashion-mnist", "dataset-fashion-mnist", fashion_labels, 10},
    {"mnist", "mnist", NULL, NULL, 0},
};
static const known_split splits[] = {{"train", "train"}, {"test", "t10k"}};

#define N_SETS (sizeof sets / sizeof *sets)
#define N_SPLITS (sizeof splits / sizeof *splits)

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

/* The images of a split in folder: *out stays NULL when they are not there. */
static strait_status find_images(char **out, const char *folder, const char *prefix, strait_error *err) {
    static const char *const endings[] = {"-images-idx3-ubyte.gz", "-images-idx3-ubyte", "-images.idx3-ubyte"};
    *out = NULL;
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        char *path = st_format("%s/%s%s", folder, prefix, endings[i]);
        if (!path) return st_fail_memory(err, strlen(folder), "a path");
        if (st_path_exists(path)) {
            *out = path;
            return STRAIT_OK;
        }
        st_free(path);
    }
    return STRAIT_OK;
}

/* Looks for the set in each data folder; *looked_in collects where. */
static strait_status find_in_data_folders(char **images, st_text *looked_in, const known_set *set,
                                          const known_split *split, strait_error *err) {
    char *folders = st_data_folders();
    if (!folders) return st_fail_memory(err, 0, "the data folders");
    strait_status status = STRAIT_OK;
    char *rest = folders;
    for (char *folder; status == STRAIT_OK && !*images && (folder = strsep(&rest, ":"));) {
        if (*folder == '\0') continue;
        char *path = st_path_join(folder, set->folder);
        if (path) {
            status = find_images(images, path, split->prefix, err);
            st_text_add(looked_in, "%s%s", looked_in->length ? ", " : "", path);
        } else {
            status = st_fail_memory(err, strlen(folder), "a path");
        }
        st_free(path);
    }
    st_free(folders);
    return status;
}

static strait_status fail_missing(const known_set *set, const char *looked_in, strait_error *err) {
    if (set->package)
        return st_fail(err, STRAIT_NOT_FOUND, "%s: not found in %s; get it by: apt install %s", set->name, looked_in,
                       set->package);
    char *user = NULL;
    if (!user_folder(&user)) return st_fail_memory(err, 0, "a path");
    const strait_status status =
        st_fail(err, STRAIT_NOT_FOUND,
                "%s: not found in %s; put train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and "
                "t10k-labels-idx1-ubyte (gzip or not) into %s/%s, or set STRAIT_DATA to the folder that holds %s",
                set->name, looked_in, user ? user : STRAIT_DATA_DIR, set->folder, set->folder);
    st_free(user);
    return status;
}

/* ---- splits ---- */

static strait_status find_split(const known_split **out, const char *source, const char *name, strait_error *err) {
    *out = &splits[0];
    if (!name) return STRAIT_OK;
    for (size_t i = 0; i < N_SPLITS; i++) {
        *out = &splits[i];
        if (strcmp(name, splits[i].name) == 0) return STRAIT_OK;
    }
    return st_fail(err, STRAIT_ARGUMENT, "%s: has no split '%s'; its splits are train, test", source, name);
}

/* Images and, which here must be, labels. */
static strait_status open_labelled(st_source **out, const char *images, const known_set *set, strait_error *err) {
    st_source *source = NULL;
    ST_TRY(st_source_open(&source, images, err));
    if (!source->labels) {
        const strait_status status =
            st_fail(err, STRAIT_NOT_FOUND,
                    "%s: its labels, a file of the same name with labels-idx1, are not beside it", images);
        st_source_release(source);
        return status;
    }
    if (set) {
        source->label_names = set->label_names;
        source->n_label_names = set->n_label_names;
    }
    *out = source;
    return STRAIT_OK;
}

strait_status st_known_open(st_source **out, bool *known, const char *name, const char *split_name, strait_error *err) {
    const known_set *set = NULL;
    for (size_t i = 0; i < N_SETS; i++)
        if (strcmp(name, sets[i].name) == 0) set = &sets[i];
    *known = set != NULL;
    if (!set) return STRAIT_OK;

    const known_split *split = NULL;
    ST_TRY(find_split(&split, name, split_name, err));
    st_text text = {0};
    char *images = NULL, *looked_in = NULL;
    strait_status status = find_in_data_folders(&images, &text, set, split, err);
    if (status != STRAIT_OK) {
        st_text_free(&text);
    } else if ((status = st_text_take(&looked_in, &text, err)) == STRAIT_OK) {
        status = images ? open_labelled(out, images, set, err) : fail_missing(set, looked_in, err);
    }
    st_free(looked_in);
    st_free(images);
    return status;
}

strait_status st_known_open_folder(st_source **out, bool *known, const char *folder, const char *split_name,
                                   strait_error *err) {
    *known = false;
    for (size_t i = 0; i < N_SPLITS && !*known; i++) {
        char *images = NULL;
        ST_TRY(find_images(&images, folder, splits[i].prefix, err));
        *known = images != NULL;
        st_free(images);
    }
    if (!*known) return STRAIT_OK;

    const known_split *split = NULL;
    char *images = NULL;
    ST_TRY(find_split(&split, folder, split_name, err));
    ST_TRY(find_images(&images, folder, split->prefix, err));
    if (!images)
        return st_fail(err, STRAIT_NOT_FOUND, "%s: has no %s-images-idx3-ubyte, gzip or not, for the split %s", folder,
                       split->prefix, split->name);
    const strait_status status = open_labelled(out, images, NULL, err);
    st_free(images);
    return status;
}

const char *st_known_nearest(const char *name) {
    const char *names[N_SETS];
    for (size_t i = 0; i < N_SETS; i++)
        names[i] = sets[i].name;
    return st_nearest(name, names, N_SETS);
}
