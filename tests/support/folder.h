/* Folders and files for tests. */
#ifndef TESTS_SUPPORT_FOLDER_H
#define TESTS_SUPPORT_FOLDER_H

#include <stddef.h>

/* Makes an empty folder of this test's own and returns its path, static storage; removed when the test's process
   ends well. Stops the process with a message when that cannot be. */
const char *test_folder(void);

/* FOLDER/name in static storage: good for the next 8 calls. */
const char *test_path(const char *name);

/* Writes bytes to test_path(name) and returns that path. */
const char *test_file(const char *name, const void *bytes, size_t n);

/* How many entries a folder has, those beginning with a dot included; -1 when it cannot be read. */
int test_count_entries(const char *folder);

/* The folder of real data ($STRAIT_TEST_DATA, else the project's neighbour), or NULL where there is none. */
const char *test_data(void);

#endif
