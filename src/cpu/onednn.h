/* oneDNN's C API in the shape of its version 3, also on version 2. Included by this room's oneDNN files only. */
#ifndef ST_CPU_ONEDNN_H
#define ST_CPU_ONEDNN_H

#include <string.h>

#include <oneapi/dnnl/dnnl.h>

#include "base/status.h"

/* The CPU engine of this process, made on first use; NULL when oneDNN cannot make one. */
dnnl_engine_t st_onednn_engine(void);

/* "oneDNN: WHAT failed (status)". */
strait_status st_onednn_fail(strait_error *err, dnnl_status_t status, const char *what);

/* A convolution as both versions describe it. Memory descriptors are passed as st_md_ref. */
typedef struct st_onednn_window {
    dnnl_dims_t stride, pad_before, pad_after;
} st_onednn_window;

/* oneDNN's 1x1 gradient by the kernel with a stride writes past its scratchpad where NHWC has fewer channels than a
   vector (its issue 6035, in 2.6 as in 3.x): whether this is that implementation, to take the next one instead. */
static inline int st_writes_past_scratchpad(const_dnnl_primitive_desc_t pd, const st_onednn_window *w) {
    const char *name = NULL;
    if (w->stride[0] == 1 && w->stride[1] == 1) return 0;
    return dnnl_primitive_desc_query(pd, dnnl_query_impl_info_str, 0, &name) == dnnl_success &&
           strncmp(name, "jit_1x1", 7) == 0;
}

#if DNNL_VERSION_MAJOR >= 3

typedef dnnl_memory_desc_t st_md; /* owned */
typedef const_dnnl_memory_desc_t st_md_ref;

static inline dnnl_status_t st_md_new(st_md *md, int n_dims, const dnnl_dims_t dims, dnnl_format_tag_t tag) {
    return dnnl_memory_desc_create_with_tag(md, n_dims, dims, dnnl_f32, tag);
}
static inline void st_md_free(st_md md) {
    dnnl_memory_desc_destroy(md);
}
static inline st_md_ref st_md_of(const st_md *md) {
    return *md;
}

static inline dnnl_status_t st_append_eltwise(dnnl_post_ops_t ops, dnnl_alg_kind_t algorithm, float alpha) {
    return dnnl_post_ops_append_eltwise(ops, algorithm, alpha, 0.0f);
}

static inline dnnl_status_t st_conv_forward_new(dnnl_primitive_desc_t *pd, st_md_ref src, st_md_ref weights,
                                                st_md_ref bias, st_md_ref dst, const st_onednn_window *w,
                                                const_dnnl_primitive_attr_t attr) {
    static const dnnl_dims_t none = {0};
    return dnnl_convolution_forward_primitive_desc_create(pd, st_onednn_engine(), dnnl_forward_training,
                                                          dnnl_convolution_direct, src, weights, bias, dst, w->stride,
                                                          none, w->pad_before, w->pad_after, attr);
}

static inline dnnl_status_t st_conv_data_new(dnnl_primitive_desc_t *pd, st_md_ref dsrc, st_md_ref weights,
                                             st_md_ref ddst, const st_onednn_window *w,
                                             const_dnnl_primitive_desc_t hint, const_dnnl_primitive_attr_t attr) {
    static const dnnl_dims_t none = {0};
    return dnnl_convolution_backward_data_primitive_desc_create(pd, st_onednn_engine(), dnnl_convolution_direct, dsrc,
                                                                weights, ddst, w->stride, none, w->pad_before,
                                                                w->pad_after, hint, attr);
}

static inline dnnl_status_t st_conv_weights_new(dnnl_primitive_desc_t *pd, st_md_ref src, st_md_ref dweights,
                                                st_md_ref dbias, st_md_ref ddst, const st_onednn_window *w,
                                                const_dnnl_primitive_desc_t hint, const_dnnl_primitive_attr_t attr) {
    static const dnnl_dims_t none = {0};
    dnnl_status_t status = dnnl_convolution_backward_weights_primitive_desc_create(
        pd, st_onednn_engine(), dnnl_convolution_direct, src, dweights, dbias, ddst, w->stride, none, w->pad_before,
        w->pad_after, hint, attr);
    while (status == dnnl_success && st_writes_past_scratchpad(*pd, w))
        status = dnnl_primitive_desc_next_impl(*pd);
    return status;
}

#else

typedef dnnl_memory_desc_t st_md;
typedef const dnnl_memory_desc_t *st_md_ref;

static inline dnnl_status_t st_md_new(st_md *md, int n_dims, const dnnl_dims_t dims, dnnl_format_tag_t tag) {
    return dnnl_memory_desc_init_by_tag(md, n_dims, dims, dnnl_f32, tag);
}
static inline void st_md_free(st_md md) {
    (void)md;
}
static inline st_md_ref st_md_of(const st_md *md) {
    return md;
}

static inline dnnl_status_t st_append_eltwise(dnnl_post_ops_t ops, dnnl_alg_kind_t algorithm, float alpha) {
    return dnnl_post_ops_append_eltwise(ops, 1.0f, algorithm, alpha, 0.0f);
}

static inline dnnl_status_t st_conv_forward_new(dnnl_primitive_desc_t *pd, st_md_ref src, st_md_ref weights,
                                                st_md_ref bias, st_md_ref dst, const st_onednn_window *w,
                                                const_dnnl_primitive_attr_t attr) {
    dnnl_convolution_desc_t desc;
    const dnnl_status_t status =
        dnnl_convolution_forward_desc_init(&desc, dnnl_forward_training, dnnl_convolution_direct, src, weights, bias,
                                           dst, w->stride, w->pad_before, w->pad_after);
    if (status != dnnl_success) return status;
    return dnnl_primitive_desc_create(pd, &desc, attr, st_onednn_engine(), NULL);
}

static inline dnnl_status_t st_conv_data_new(dnnl_primitive_desc_t *pd, st_md_ref dsrc, st_md_ref weights,
                                             st_md_ref ddst, const st_onednn_window *w,
                                             const_dnnl_primitive_desc_t hint, const_dnnl_primitive_attr_t attr) {
    dnnl_convolution_desc_t desc;
    const dnnl_status_t status = dnnl_convolution_backward_data_desc_init(&desc, dnnl_convolution_direct, dsrc, weights,
                                                                          ddst, w->stride, w->pad_before, w->pad_after);
    if (status != dnnl_success) return status;
    return dnnl_primitive_desc_create(pd, &desc, attr, st_onednn_engine(), hint);
}

static inline dnnl_status_t st_conv_weights_new(dnnl_primitive_desc_t *pd, st_md_ref src, st_md_ref dweights,
                                                st_md_ref dbias, st_md_ref ddst, const st_onednn_window *w,
                                                const_dnnl_primitive_desc_t hint, const_dnnl_primitive_attr_t attr) {
    dnnl_convolution_desc_t desc;
    dnnl_status_t status = dnnl_convolution_backward_weights_desc_init(
        &desc, dnnl_convolution_direct, src, dweights, dbias, ddst, w->stride, w->pad_before, w->pad_after);
    if (status != dnnl_success) return status;
    dnnl_primitive_desc_iterator_t implementation = NULL;
    status = dnnl_primitive_desc_iterator_create(&implementation, &desc, attr, st_onednn_engine(), hint);
    while (status == dnnl_success) {
        *pd = dnnl_primitive_desc_iterator_fetch(implementation);
        if (!*pd) status = dnnl_out_of_memory;
        if (!*pd || !st_writes_past_scratchpad(*pd, w)) break;
        dnnl_primitive_desc_destroy(*pd);
        *pd = NULL;
        status = dnnl_primitive_desc_iterator_next(implementation);
    }
    if (implementation) dnnl_primitive_desc_iterator_destroy(implementation);
    return status;
}

#endif
#endif
