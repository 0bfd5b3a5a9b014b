#include "support/folder.h"

#include <dirent.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[PATH_MAX];
static pid_t owner;

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *walk) {
    (void)info, (void)kind, (void)walk;
    return remove(path);
}

static void remove_folder(void) {
    if (getpid() == owner) nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static void stop(const char *what) {
    perror(what);
    exit(2);
}

const char *test_folder(void) {
    if (!folder[0]) {
        const char *parent = getenv("TMPDIR");
        snprintf(folder, sizeof folder, "%s/strait-test-XXXXXX", parent && *parent ? parent : "/tmp");
        if (!mkdtemp(folder)) stop(folder);
        owner = getpid();
        atexit(remove_folder);
    }
    return folder;
}

const char *test_path(const char *name) {
    static char paths[8][PATH_MAX];
    static unsigned next;
    char *path = paths[next++ % 8];
    if (snprintf(path, PATH_MAX, "%s/%s", test_folder(), name) >= PATH_MAX) stop(name);
    return path;
}

const char *test_file(const char *name, const void *bytes, size_t n) {
    const char *path = test_path(name);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes, 1, n, file) != n || fclose(file) != 0) stop(path);
    return path;
}

int test_count_entries(const char *path) {
    DIR *entries = opendir(path);
    if (!entries) return -1;
    int n = 0;
    for (struct dirent *entry; (entry = readdir(entries));)
        n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(entries);
    return n;
}

const char *test_data(void) {
    const char *path = getenv("STRAIT_TEST_DATA");
    if (!path || !*path) path = STRAIT_SOURCE_DIR "/../shared/data";
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode) ? path : NULL;
}
