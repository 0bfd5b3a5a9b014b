/* oneDNN: the matrix product that the peak is measured with. The kernels are our own; what they could reach at most is
   told by somebody else's. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

#include <oneapi/dnnl/dnnl.h>

#include "cpu/cpu_int.h"

/* Each worker runs products of its own, on one thread. oneDNN's threads are OpenMP's in most builds: tell the OpenMP
   that it brought along, if any, how many to use when called from this thread. */
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
