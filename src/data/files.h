/* Lists of files: what a folder holds, what a pattern matches; in the order of their bytes, whatever the locale. */
#ifndef ST_DATA_FILES_H
#define ST_DATA_FILES_H

#include <stdbool.h>
#include "data/words.h"

/* The names in folder that wanted takes, files or folders as want_folders has it, hidden ones left out. An empty list
   is fine. The caller's. Errors: IO, MEMORY. */
strait_status st_list_folder(st_words **out, const char *folder, bool want_folders, bool (*wanted)(const char *name),
                             strait_error *err);

/* Whether source has one of * ? [ in it. */
bool st_is_pattern(const char *source);
/* The files that match pattern, as glob(7) has it. An empty list is fine. The caller's. Errors: IO, MEMORY. */
strait_status st_list_matches(st_words **out, const char *pattern, strait_error *err);

#endif
