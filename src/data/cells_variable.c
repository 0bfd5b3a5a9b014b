/* Seurat's choice of genes. pandas and numpy are followed where scanpy leaves a step to them: pd.cut's bins, standard
   deviations with n - 1, what is not a number left out. */
#include <math.h>
#include <stdlib.h>
#include "base/memory.h"
#include "data/cells_prepare.h"

enum { BINS = 20 };

/* pd.cut: ends of bins of equal width, open on the left, the first one widened by a thousandth. */
static void make_bins(double edge[BINS + 1], const double *x, int64_t n) {
    double low = x[0], high = x[0];
    for (int64_t k = 1; k < n; k++) {
        low = x[k] < low ? x[k] : low;
        high = x[k] > high ? x[k] : high;
    }
    const bool alike = low == high;
    if (alike) {
        low -= low != 0 ? 0.001 * fabs(low) : 0.001;
        high += high != 0 ? 0.001 * fabs(high) : 0.001;
    }
    for (int b = 0; b < BINS; b++)
        edge[b] = low + b * ((high - low) / BINS);
    edge[BINS] = high;
    if (!alike) edge[0] -= (high - low) * 0.001;
}

static int find_bin(const double edge[BINS + 1], double x) {
    int b = 0;
    while (b < BINS - 1 && x > edge[b + 1])
        b++;
    return b;
}

/* Mean and standard deviation of the dispersions in each bin; of one alone 0 and itself, so that it becomes 1. */
static void measure_bins(double mean[BINS], double deviation[BINS], const double *dispersion, const int *bin,
                         int64_t n) {
    int64_t count[BINS] = {0};
    double square[BINS] = {0};
    for (int b = 0; b < BINS; b++)
        mean[b] = 0;
    for (int64_t k = 0; k < n; k++)
        if (!isnan(dispersion[k])) {
            count[bin[k]]++;
            mean[bin[k]] += dispersion[k];
        }
    for (int b = 0; b < BINS; b++)
        mean[b] = count[b] ? mean[b] / (double)count[b] : NAN;
    for (int64_t k = 0; k < n; k++)
        if (!isnan(dispersion[k])) {
            const double d = dispersion[k] - mean[bin[k]];
            square[bin[k]] += d * d;
        }
    for (int b = 0; b < BINS; b++) {
        deviation[b] = count[b] > 1 ? sqrt(square[b] / (double)(count[b] - 1)) : NAN;
        if (count[b] != 1) continue;
        deviation[b] = mean[b];
        mean[b] = 0;
    }
}

static int compare_down(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

/* Normalised dispersions, NAN where there is none; scratch [n]. */
static void normalise(double *dispersion, double *scratch, int *bin, const double *mean, const double *variance,
                      int64_t n) {
    double edge[BINS + 1], bin_mean[BINS], bin_deviation[BINS];
    for (int64_t k = 0; k < n; k++) {
        const double m = mean[k] != 0 ? mean[k] : 1e-12, d = variance[k] / m;
        dispersion[k] = d > 0 ? log(d) : NAN;
        scratch[k] = log1p(m);
    }
    make_bins(edge, scratch, n);
    for (int64_t k = 0; k < n; k++)
        bin[k] = find_bin(edge, scratch[k]);
    measure_bins(bin_mean, bin_deviation, dispersion, bin, n);
    for (int64_t k = 0; k < n; k++)
        dispersion[k] = (dispersion[k] - bin_mean[bin[k]]) / bin_deviation[bin[k]];
}

strait_status st_most_variable(int64_t *n_kept, bool *kept, const double *mean, const double *variance, int64_t n,
                               int64_t wanted, strait_error *err) {
    double *dispersion = st_alloc((size_t)n, sizeof *dispersion), *sorted = st_alloc((size_t)n, sizeof *sorted);
    int *bin = st_alloc((size_t)n, sizeof *bin);
    strait_status status = STRAIT_OK;
    *n_kept = 0;
    if (dispersion && sorted && bin) {
        normalise(dispersion, sorted, bin, mean, variance, n);
        int64_t n_sorted = 0;
        for (int64_t k = 0; k < n; k++)
            if (isfinite(dispersion[k])) sorted[n_sorted++] = dispersion[k];
        qsort(sorted, (size_t)n_sorted, sizeof *sorted, compare_down);
        const int64_t last = wanted < n_sorted ? wanted : n_sorted;
        for (int64_t k = 0; k < n; k++) {
            kept[k] = last > 0 && isfinite(dispersion[k]) && dispersion[k] >= sorted[last - 1];
            *n_kept += kept[k];
        }
    } else {
        status = st_fail_memory(err, (size_t)n * sizeof *dispersion, "dispersions of genes");
    }
    st_free(dispersion);
    st_free(sorted);
    st_free(bin);
    return status;
}
