/* libhdf5 believes the structure of a file: one that was damaged on purpose makes it read wild addresses, or go round
   in circles. So what is to be done with a file is done in a child process first. A rehearsal takes the very path that
   this process then takes, from the same state, all reading of values included; only of arrays that would take long
   (and tell nothing of the structure) it reads the ends and visits every chunk's place. */
#include <sys/stat.h>
#include "base/apart.h"
#include "base/memory.h"
#include "data/hdf5_int.h"
#include "data/reader.h"

/* Processor time: libhdf5 reads 100 MB/s and more; under valgrind a thirtieth of that. */
#define LEAST_SECONDS 3.0
#define LEAST_RATE 1e5 /* bytes of the file a second */
/* Memory beside what the values take: chunks being unpacked, names. */
#define MORE_BYTES ((uint64_t)512 << 20)
#define BYTES_PER_BYTE 8

enum { MOST_OPEN = 64 };

static bool rehearsing; /* never in this process: set in the child */

bool st_hdf5_rehearsing(void) {
    return rehearsing;
}

strait_status st_hdf5_visit_chunks(hid_t set, const char *path, const char *name, strait_error *err) {
    hsize_t n = 0;
    const hid_t plan = H5Dget_create_plist(set), space = H5Dget_space(set);
    const bool chunked = plan >= 0 && H5Pget_layout(plan) == H5D_CHUNKED;
    const bool good = space >= 0 && plan >= 0 && (!chunked || H5Dget_num_chunks(set, space, &n) >= 0);
    const strait_status status =
        good ? STRAIT_OK : st_hdf5_fail(err, STRAIT_FORMAT, path, name, "the places of its values cannot be read");
    if (plan >= 0) H5Pclose(plan);
    if (space >= 0) H5Sclose(space);
    return status;
}

/* Data sets that are left open are those that will be read from later. */
static strait_status visit_open_sets(const char *path, strait_error *err) {
    hid_t set[MOST_OPEN];
    strait_status status = STRAIT_OK;
    st_hdf5_lock();
    const ssize_t n = H5Fget_obj_ids((hid_t)H5F_OBJ_ALL, H5F_OBJ_DATASET, MOST_OPEN, set);
    for (ssize_t i = 0; i < n && status == STRAIT_OK; i++)
        status = st_hdf5_visit_chunks(set[i], path, NULL, err);
    if (status == STRAIT_OK) H5close(); /* as at the end of the process; nothing calls the library any more */
    st_hdf5_unlock();
    return status;
}

typedef struct rehearsal {
    st_hdf5_work *work;
    void *context;
    const char *path;
} rehearsal;

static strait_status rehearse(void *context, strait_error *err) {
    const rehearsal *r = context;
    rehearsing = true;
    ST_TRY(r->work(r->context, err));
    return visit_open_sets(r->path, err);
}

static strait_status run_apart(strait_status (*work)(void *, strait_error *), void *context, const char *path,
                               strait_error *err) {
    struct stat about;
    char end[ST_APART_END];
    const double bytes = stat(path, &about) == 0 ? (double)about.st_size : 0;
    const st_apart task = {.work = work,
                           .context = context,
                           .name = path,
                           .seconds = LEAST_SECONDS + bytes / LEAST_RATE,
                           .more_bytes =
                               MORE_BYTES + 4 * (uint64_t)st_source_resident_bytes() + BYTES_PER_BYTE * (uint64_t)bytes,
                           .lock = st_hdf5_lock,
                           .unlock = st_hdf5_unlock};
    ST_TRY(st_hdf5_load(path, err));
    const strait_status status = st_apart_run(end, &task, err);
    if (!end[0]) return status;
    return st_fail(err, STRAIT_FORMAT,
                   "%s: damaged: the HDF5 library fails on it (%s, in a trial); fetch it again, or write it anew", path,
                   end);
}

strait_status st_hdf5_rehearse(st_hdf5_work *work, void *context, const char *path, strait_error *err) {
    rehearsal r = {work, context, path};
    const strait_status status = run_apart(rehearse, &r, path, err);
    return status == STRAIT_MEMORY ? STRAIT_OK : status; /* the child has less than this process */
}

strait_status st_hdf5_do_apart(st_hdf5_work *work, void *context, const char *path, strait_error *err) {
    return run_apart(work, context, path, err);
}
