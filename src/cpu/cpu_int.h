/* The kernels of the cpu engine, and of the reference engine. */
#ifndef ST_CPU_CPU_INT_H
#define ST_CPU_CPU_INT_H

#include "graph/engine.h"

/* selu's constants, as Keras (Klambauer et al. 2017). */
#define ST_SELU_SCALE 1.05070098735548
#define ST_SELU_ALPHA 1.67326324235437

extern const st_kernel st_cpu_dense;
extern const st_kernel st_cpu_conv2d;
extern const st_kernel st_cpu_conv2d_transpose;
extern const st_kernel st_cpu_activation;
extern const st_kernel st_cpu_loss;
extern const st_kernel st_cpu_pool2d; /* max and average */
extern const st_kernel st_cpu_upsample2d;
extern const st_kernel st_cpu_batch_norm;
extern const st_kernel st_cpu_layer_norm;
extern const st_kernel st_cpu_dropout;
extern const st_kernel st_cpu_gaussian_noise;
extern const st_kernel st_cpu_cut; /* crop2d and slice */
extern const st_kernel st_cpu_zero_pad2d;
extern const st_kernel st_cpu_concat;
extern const st_kernel st_cpu_add;
extern const st_kernel st_cpu_sample;
extern const st_kernel st_cpu_penalty;

extern const st_kernel st_reference_dense;
extern const st_kernel st_reference_conv2d;
extern const st_kernel st_reference_conv2d_transpose;
extern const st_kernel st_reference_activation;
extern const st_kernel st_reference_loss;
extern const st_kernel st_reference_max_pool2d;
extern const st_kernel st_reference_avg_pool2d;
extern const st_kernel st_reference_upsample2d;
extern const st_kernel st_reference_batch_norm;
extern const st_kernel st_reference_layer_norm;
extern const st_kernel st_reference_dropout;
extern const st_kernel st_reference_gaussian_noise;
extern const st_kernel st_reference_cut; /* crop2d and slice */
extern const st_kernel st_reference_zero_pad2d;
extern const st_kernel st_reference_concat;
extern const st_kernel st_reference_add;
extern const st_kernel st_reference_sample;
extern const st_kernel st_reference_penalty;

/* oneDNN, for the peak (onednn.c). */
void st_onednn_thread_init(void); /* one thread from now on, on this thread */
int st_onednn_set_threads(int n); /* gives how many there were; 0: not known */
const char *st_onednn_version(void);
/* C [n, n] = A [n, n] B [n, n] on the calling thread. */
strait_status st_onednn_square_product(int64_t n, const float *a, const float *b, float *c);

#endif
