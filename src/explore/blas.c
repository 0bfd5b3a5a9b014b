/* BLAS' threads, and what is taken of LAPACK.

   OpenBLAS holds LAPACK too, so it is called there under its own names: going through LAPACKE would load the reference
   LAPACK as well, a second copy that costs every start of the program milliseconds. */
#include <cblas.h>
#include <dlfcn.h>
#include <lapack.h>
#include <pthread.h>
#include <string.h>

#include "base/memory.h"
#include "explore/explore_int.h"

/* ---- threads ----
   An OpenBLAS built on OpenMP asks OpenMP how many threads the calling thread may use: a number of each thread, its own
   two functions set only the caller's. One with threads of its own has a number for the whole process. */

static int (*omp_most)(void);
static void (*omp_set)(int);
static void find_openmp(void) {
    if (openblas_get_parallel() != 2 /* OPENBLAS_OPENMP */) return;
    *(void **)&omp_most = dlsym(RTLD_DEFAULT, "omp_get_max_threads");
    *(void **)&omp_set = dlsym(RTLD_DEFAULT, "omp_set_num_threads");
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int process_users, process_before;
static _Thread_local int users, before;

void st_blas_alone(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, find_openmp);
    if (users++ > 0) return;
    if (omp_most && omp_set) {
        before = omp_most();
        omp_set(1);
        return;
    }
    pthread_mutex_lock(&lock);
    if (process_users++ == 0) {
        process_before = openblas_get_num_threads();
        openblas_set_num_threads(1);
    }
    pthread_mutex_unlock(&lock);
}

void st_blas_restore(void) {
    if (--users > 0) return;
    if (omp_most && omp_set) {
        omp_set(before);
        return;
    }
    pthread_mutex_lock(&lock);
    if (--process_users == 0) openblas_set_num_threads(process_before);
    pthread_mutex_unlock(&lock);
}

/* ---- products ---- */

void st_product_nt(const st_product *p) {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (blasint)p->m, (blasint)p->n, (blasint)p->k, p->alpha, p->a,
                (blasint)p->lda, p->b, (blasint)p->ldb, p->beta, p->c, (blasint)p->ldc);
}

/* ---- LAPACK. Its matrices stand column by column: a symmetric one is the same, rows of vectors are its columns. ----
 */

static strait_status lapack_status(int info, const char *what, strait_error *err) {
    if (info == 0) return STRAIT_OK;
    return st_fail(err, STRAIT_ENGINE, "LAPACK could not find the %s (its status: %d)", what, info);
}

/* dsyevr for eigenvalues first..n of n (from 1, ascending). work NULL: asks for the sizes, into *size and *size_whole.
 */
static int eigen_call(double *a, int n, int first, double *value, double *vector, int *support, double *work, int *size,
                      int *whole, int *size_whole) {
    const char job = 'V', range = first > 1 ? 'I' : 'A', half = 'L';
    const double none = 0;
    double best = 0;
    int found, info, best_whole = 0, ask = -1;
    LAPACK_dsyevr(&job, &range, &half, &n, a, &n, &none, &none, &first, &n, &none, &found, value, vector, &n, support,
                  work ? work : &best, work ? size : &ask, work ? whole : &best_whole, work ? size_whole : &ask, &info);
    if (!work) {
        *size = (int)best;
        *size_whole = best_whole;
    }
    return info;
}

/* Ascending values with their vectors to descending, the last k of n. */
static void reverse(double *value, double *vector, int64_t n, int64_t k) {
    for (int64_t i = 0; i < k / 2; i++) {
        const int64_t j = k - 1 - i;
        const double other = value[i];
        value[i] = value[j];
        value[j] = other;
        for (int64_t c = 0; c < n; c++) {
            const double v = vector[i * n + c];
            vector[i * n + c] = vector[j * n + c];
            vector[j * n + c] = v;
        }
    }
}

strait_status st_eigen(double *value, double *vector, double *a, int64_t n, int64_t k, strait_error *err) {
    int size = 0, size_whole = 0;
    const int first = (int)(n - k + 1);
    strait_status status = lapack_status(
        eigen_call(a, (int)n, first, value, vector, NULL, NULL, &size, NULL, &size_whole), "eigenvectors", err);
    if (status != STRAIT_OK) return status;
    double *all = st_alloc((size_t)n, sizeof *all); /* LAPACK writes n values whatever k is */
    double *work = st_alloc((size_t)size, sizeof *work);
    int *whole = st_alloc((size_t)size_whole + 2 * (size_t)n, sizeof *whole);
    st_blas_alone(); /* also where the caller is no chunk: its bits would depend on the threads */
    if (all && work && whole)
        status = lapack_status(
            eigen_call(a, (int)n, first, all, vector, whole + size_whole, work, &size, whole, &size_whole),
            "eigenvectors", err);
    else
        status = st_fail_memory(err, (size_t)size * sizeof *work, "eigenvectors");
    st_blas_restore();
    if (status == STRAIT_OK) {
        memcpy(value, all, (size_t)k * sizeof *value);
        reverse(value, vector, n, k);
    }
    st_free(whole);
    st_free(work);
    st_free(all);
    return status;
}

strait_status st_orthonormal(double *rows, int64_t k, int64_t n, strait_error *err) {
    const int length = (int)n, count = (int)k;
    double best = 0, best_second = 0;
    int info, ask = -1;
    LAPACK_dgeqrf(&length, &count, rows, &length, rows, &best, &ask, &info);
    if (info == 0) LAPACK_dorgqr(&length, &count, &count, rows, &length, rows, &best_second, &ask, &info);
    ST_TRY(lapack_status(info, "orthonormal basis", err));
    const int size = (int)(best > best_second ? best : best_second);
    double *work = st_alloc((size_t)size + (size_t)k, sizeof *work);
    if (!work) return st_fail_memory(err, (size_t)size * sizeof *work, "an orthonormal basis");
    double *const tau = work + size;
    LAPACK_dgeqrf(&length, &count, rows, &length, tau, work, &size, &info);
    if (info == 0) LAPACK_dorgqr(&length, &count, &count, rows, &length, tau, work, &size, &info);
    st_free(work);
    return lapack_status(info, "orthonormal basis", err);
}
