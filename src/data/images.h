/* Folders and lists of image files as one source. */
#ifndef ST_DATA_IMAGES_H
#define ST_DATA_IMAGES_H

#include <stdbool.h>
#include "data/reader.h"

/* The images in folder, by name; where it has none, those in its sub-folders, whose names are their labels. *found is
   false, and nothing else done, when there are none at all. Errors: IO, FORMAT, MEMORY. */
strait_status st_images_open_folder(st_source **out, bool *found, const char *folder, strait_error *err);

/* The images that match a pattern, by path; when they lie in several folders these are their labels. As above; FORMAT
   too when other files match. */
strait_status st_images_open_pattern(st_source **out, bool *found, const char *pattern, strait_error *err);

#endif
