/* A training holds a lock (flock) on its run's folder: the kernel drops it when the process ends, however it ends, so
   that a killed run is told from one under way. The folder and not a file in it, since files are replaced by renaming.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/status.h"
#include "store/run_store.h"

/* Whoever probes holds a shared lock for an instant. */
#define TRIES 50
#define PAUSE_NS (10 * 1000 * 1000)

static int try_lock(int fd, int kind) {
    int result;
    do {
        result = flock(fd, kind | LOCK_NB);
    } while (result != 0 && errno == EINTR);
    return result;
}

strait_status st_run_lock(int *lock, const char *folder, strait_error *err) {
    *lock = -1;
    const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return st_fail_errno(err, "%s: cannot be opened", folder);
    for (int i = 0; i < TRIES; i++) {
        if (try_lock(fd, LOCK_EX) == 0) {
            *lock = fd;
            return STRAIT_OK;
        }
        if (errno != EWOULDBLOCK) { /* a file system without locks */
            close(fd);
            return STRAIT_OK;
        }
        nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
    }
    close(fd);
    return st_fail(err, STRAIT_ARGUMENT, "%s: another process is training this run; wait for its end", folder);
}

void st_run_unlock(int lock) {
    if (lock >= 0) close(lock);
}

st_run_holder st_run_probe(const char *folder) {
    const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return ST_RUN_UNKNOWN;
    const int result = try_lock(fd, LOCK_SH);
    const st_run_holder holder = result == 0 ? ST_RUN_FREE : errno == EWOULDBLOCK ? ST_RUN_HELD : ST_RUN_UNKNOWN;
    close(fd);
    return holder;
}
