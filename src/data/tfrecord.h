/* Shards of tf.train.Example (TFRecord files) as one source. */
#ifndef ST_DATA_TFRECORD_H
#define ST_DATA_TFRECORD_H

#include <stdbool.h>
#include "data/reader.h"

/* The shards in folder, by name: *.tfrecord, *.tfrecords, *.tfrec, *.record, each with .gz or without, and names that
   end in -00000-of-00100. *found is false, and nothing else done, when there are none. options may be NULL. Errors: IO,
   FORMAT, ARGUMENT (a feature or a shape that does not fit), MEMORY. */
strait_status st_tfrecord_open_folder(st_source **out, bool *found, const char *folder,
                                      const st_source_options *options, strait_error *err);

/* Whether there are any. */
bool st_tfrecord_folder_is(const char *folder);

/* The shards that match a pattern, by path; *found is false too when the first match is no shard. As above. */
strait_status st_tfrecord_open_pattern(st_source **out, bool *found, const char *pattern,
                                       const st_source_options *options, strait_error *err);

#endif
