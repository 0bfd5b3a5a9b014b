/* What every use of oneDNN shares: its engine, its version, its threads. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

#include "cpu/cpu_int.h"
#include "cpu/onednn.h"

static dnnl_engine_t engine;
static void make_engine(void) {
    if (dnnl_engine_create(&engine, dnnl_cpu, 0) != dnnl_success) engine = NULL;
}

dnnl_engine_t st_onednn_engine(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_engine);
    return engine;
}

strait_status st_onednn_fail(strait_error *err, dnnl_status_t status, const char *what) {
    if (status == dnnl_out_of_memory) return st_fail(err, STRAIT_MEMORY, "out of memory in oneDNN (%s)", what);
    return st_fail(err, STRAIT_ENGINE, "oneDNN could not make the %s (its status: %d)", what, (int)status);
}

/* A replica runs single-threaded primitives. oneDNN's threads are OpenMP's in most builds: tell the OpenMP that it
   brought along, if any, how many to use when called from this thread. */
int st_onednn_set_threads(int n) {
    int (*most)(void) = NULL;
    void (*set)(int) = NULL;
    *(void **)&most = dlsym(RTLD_DEFAULT, "omp_get_max_threads");
    *(void **)&set = dlsym(RTLD_DEFAULT, "omp_set_num_threads");
    if (!most || !set) return 0;
    const int before = most();
    set(n);
    return before;
}

void st_onednn_thread_init(void) {
    st_onednn_set_threads(1);
}

static char version_text[32];
static void print_version(void) {
    const dnnl_version_t *version = dnnl_version();
    snprintf(version_text, sizeof version_text, "%d.%d.%d", version->major, version->minor, version->patch);
}

const char *st_onednn_version(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, print_version);
    return version_text;
}

strait_status st_onednn_square_product(int64_t n, const float *a, const float *b, float *c) {
    const dnnl_status_t status = dnnl_sgemm('N', 'N', n, n, n, 1.0f, a, n, b, n, 0.0f, c, n);
    return status == dnnl_success ? STRAIT_OK : STRAIT_ENGINE;
}
