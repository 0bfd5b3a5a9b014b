/* 10x folders: matrix.mtx, features.tsv (or genes.tsv) and barcodes.tsv, each gzip or not. */
#ifndef ST_DATA_TENX_H
#define ST_DATA_TENX_H

#include "data/reader.h"

/* Opens the matrix in a folder; *found is false, and nothing else done, when there is none. Errors: those of
   st_source_open. */
strait_status st_tenx_open_folder(st_source **out, bool *found, const char *folder, strait_error *err);

#endif
