/* Where recipes are: a path, or a name looked for in the recipe folders. */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/memory.h"
#include "recipe/recipe_int.h"

#ifndef STRAIT_RECIPE_DIR
#define STRAIT_RECIPE_DIR "/usr/local/share/strait/recipes"
#endif

static const char *const endings[] = {".yaml", ".yml"};
#define N_ENDINGS (sizeof endings / sizeof *endings)

static strait_status fail_memory(strait_error *err) {
    return st_fail_memory(err, 256, "the recipe folders");
}

/* A folder at a place relative to the running program's, if it is there. */
static void add_beside_program(st_text *text, const char *place) {
    char path[4096];
    const ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    if (n <= 0) return;
    path[n] = 0;
    char *end = strrchr(path, '/');
    if (!end || (size_t)(end - path) + strlen(place) + 2 > sizeof path) return;
    snprintf(end + 1, sizeof path - (size_t)(end + 1 - path), "%s", place);
    char folder[PATH_MAX];
    if (realpath(path, folder) && st_path_is_folder(folder)) st_text_add(text, ":%s", folder);
}

char *st_recipe_folders(void) {
    const char *own = getenv("STRAIT_RECIPES"), *data_home = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    st_text text = {0};
    if (own && own[0]) st_text_add(&text, "%s:", own);
    st_text_add(&text, "recipes");
    if (data_home && data_home[0] == '/')
        st_text_add(&text, ":%s/strait/recipes", data_home);
    else if (home && home[0])
        st_text_add(&text, ":%s/.local/share/strait/recipes", home);
    st_text_add(&text, ":%s", STRAIT_RECIPE_DIR);
    add_beside_program(&text, "../share/strait/recipes"); /* an installed tree that was moved */
    add_beside_program(&text, "../recipes");              /* a program run from where it was built */
    char *folders = NULL;
    return st_text_take(&folders, &text, NULL) == STRAIT_OK ? folders : NULL;
}

/* The next folder of "a:b:c", cut out in place; *rest moves on. NULL at the end. Empty ones are passed over. */
static char *next_folder(char **rest) {
    char *folder = NULL;
    while (*rest && (!folder || !folder[0]))
        folder = strsep(rest, ":");
    return folder && folder[0] ? folder : NULL;
}

/* ---- the names there are ---- */

typedef struct name_list {
    char **names;
    size_t n, capacity;
} name_list;

void st_recipe_names_free(char **names, size_t n) {
    for (size_t i = 0; i < n; i++)
        st_free(names[i]);
    st_free(names);
}

/* Adds a file's name without its ending; files that are no recipes and names seen before are passed over. */
static bool add_name(name_list *list, const char *file) {
    size_t n = 0;
    for (size_t e = 0; e < N_ENDINGS && n == 0; e++)
        if (st_ends_with(file, endings[e])) n = strlen(file) - strlen(endings[e]);
    if (n == 0 || file[0] == '.') return true;
    for (size_t i = 0; i < list->n; i++)
        if (strncmp(list->names[i], file, n) == 0 && !list->names[i][n]) return true;
    if (list->n == list->capacity) {
        const size_t capacity = list->capacity ? 2 * list->capacity : 16;
        char **names = st_realloc(list->names, capacity, sizeof *names);
        if (!names) return false;
        list->names = names;
        list->capacity = capacity;
    }
    list->names[list->n] = st_strndup(file, n);
    return list->names[list->n] && ++list->n;
}

static bool add_folder(name_list *list, const char *folder) {
    DIR *dir = opendir(folder);
    if (!dir) return true; /* most of the folders are not there, usually */
    bool good = true;
    for (const struct dirent *entry = readdir(dir); entry && good; entry = readdir(dir))
        good = add_name(list, entry->d_name);
    closedir(dir);
    return good;
}

static int compare_names(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

strait_status st_recipe_names(char ***names, size_t *n, strait_error *err) {
    char *folders = st_recipe_folders(), *rest = folders, *folder;
    name_list list = {0};
    bool good = folders != NULL;
    while (good && (folder = next_folder(&rest)))
        good = add_folder(&list, folder);
    st_free(folders);
    if (!good) {
        st_recipe_names_free(list.names, list.n);
        return fail_memory(err);
    }
    if (list.n) qsort(list.names, list.n, sizeof *list.names, compare_names);
    *names = list.names;
    *n = list.n;
    return STRAIT_OK;
}

STRAIT_API char *strait_recipe_installed(size_t index) {
    char **names = NULL, *name = NULL;
    size_t n = 0;
    if (st_recipe_names(&names, &n, NULL) != STRAIT_OK) return NULL;
    if (index < n) {
        name = names[index];
        names[index] = NULL;
    }
    st_recipe_names_free(names, n);
    return name;
}

/* ---- the file of a name ---- */

static strait_status fail_not_found(const char *name, strait_error *err) {
    char **names = NULL;
    size_t n = 0;
    ST_TRY(st_recipe_names(&names, &n, err));
    const char *nearest = st_nearest(name, (const char *const *)names, n);
    st_text list = {0};
    for (size_t i = 0; i < n; i++)
        st_text_add(&list, "%s%s", i ? ", " : "", names[i]);
    char *folders = st_recipe_folders(), *there = NULL;
    strait_status status = st_text_take(&there, &list, err);
    if (status == STRAIT_OK && !folders) status = fail_memory(err);
    if (status == STRAIT_OK && n == 0)
        status =
            st_fail(err, STRAIT_NOT_FOUND,
                    "no recipe '%.100s': give the path of a YAML file (there are no recipes in %.600s)", name, folders);
    else if (status == STRAIT_OK)
        status =
            st_fail(err, STRAIT_NOT_FOUND, "no recipe '%.100s'%s%.100s%s are: %.700s", name,
                    nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'? There" : "; there", there);
    st_free(there);
    st_free(folders);
    st_recipe_names_free(names, n);
    return status;
}

/* folder/name.yaml or .yml, if it is there; NULL with *good true when it is not. */
static char *file_in(const char *folder, const char *name, bool *good) {
    for (size_t e = 0; e < N_ENDINGS; e++) {
        char *path = st_format("%s/%s%s", folder, name, endings[e]);
        *good = path != NULL;
        if (!path || (st_path_exists(path) && !st_path_is_folder(path))) return path;
        st_free(path);
    }
    return NULL;
}

strait_status st_recipe_find(char **path, const char *path_or_name, strait_error *err) {
    *path = NULL;
    bool is_path = strchr(path_or_name, '/') || (st_path_exists(path_or_name) && !st_path_is_folder(path_or_name));
    for (size_t e = 0; e < N_ENDINGS; e++)
        is_path = is_path || st_ends_with(path_or_name, endings[e]);
    if (is_path && st_path_is_folder(path_or_name))
        return st_fail(err, STRAIT_NOT_FOUND, "%s: is a folder; a recipe is a YAML file", path_or_name);
    if (is_path) {
        *path = st_strdup(path_or_name);
        return *path ? STRAIT_OK : fail_memory(err);
    }
    char *folders = st_recipe_folders(), *rest = folders, *folder;
    bool good = folders != NULL;
    while (good && !*path && (folder = next_folder(&rest)))
        *path = file_in(folder, path_or_name, &good);
    st_free(folders);
    if (!good) return fail_memory(err);
    return *path ? STRAIT_OK : fail_not_found(path_or_name, err);
}
