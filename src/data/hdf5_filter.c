/* Filter 32000 of HDF5's registry: LZF as h5py writes it. A chunk that would not shrink is stored as it is, without the
   filter. Settings: h5py's version, liblzf's, the bytes of a whole chunk. */
#include <errno.h>
#include <lzf.h>
#include <string.h>
#include "data/hdf5_int.h"

enum { LZF_FILTER = 32000, REVISION = 4, MOST_GROWTH = 128 /* three bytes become at most 264 */ };

/* The bytes of a chunk of the set that is read, 0 while none is or it has none; under the lock. */
static uint64_t chunk_bytes;

static size_t inflate_chunk(size_t expected, size_t n_bytes, size_t *size, void **buffer) {
    const size_t most = n_bytes * MOST_GROWTH;
    size_t out_size = expected > 0 && expected <= most ? expected : *size;
    for (;;) {
        if (out_size > most) out_size = most;
        void *out = H5allocate_memory(out_size, false);
        if (!out) return 0;
        const unsigned got = lzf_decompress(*buffer, (unsigned)n_bytes, out, (unsigned)out_size);
        if (got > 0 && got < chunk_bytes) {
            H5free_memory(out);
            return 0;
        }
        if (got > 0) {
            H5free_memory(*buffer);
            *buffer = out;
            *size = out_size;
            return got;
        }
        const int reason = errno;
        H5free_memory(out);
        if (reason != E2BIG || out_size == most) return 0;
        out_size *= 2;
    }
}

static size_t deflate_chunk(size_t n_bytes, size_t *size, void **buffer) {
    void *out = H5allocate_memory(n_bytes, false);
    const unsigned got = out ? lzf_compress(*buffer, (unsigned)n_bytes, out, (unsigned)n_bytes) : 0;
    if (got == 0) {
        if (out) H5free_memory(out);
        return 0; /* optional: the chunk stays as it is */
    }
    H5free_memory(*buffer);
    *buffer = out;
    *size = n_bytes;
    return got;
}

static size_t filter_lzf(unsigned flags, size_t n_settings, const unsigned settings[], size_t n_bytes, size_t *size,
                         void **buffer) {
    if (n_bytes == 0 || n_bytes > UINT32_MAX / MOST_GROWTH) return 0;
    const size_t expected = n_settings >= 3 ? settings[2] : 0;
    return flags & H5Z_FLAG_REVERSE ? inflate_chunk(expected, n_bytes, size, buffer)
                                    : deflate_chunk(n_bytes, size, buffer);
}

/* The settings of a new data set follow from its chunks. */
static herr_t set_local(hid_t dcpl, hid_t type, hid_t space) {
    (void)space;
    unsigned flags = 0, settings[8] = {0};
    size_t n = 3;
    hsize_t chunk[ST_HDF5_MAX_DIMS];
    if (H5Pget_filter_by_id2(dcpl, LZF_FILTER, &flags, &n, settings, 0, NULL, NULL) < 0) return -1;
    const int n_dims = H5Pget_chunk(dcpl, ST_HDF5_MAX_DIMS, chunk);
    if (n_dims < 0 || n_dims > ST_HDF5_MAX_DIMS) return -1;
    uint64_t bytes = H5Tget_size(type);
    for (int i = 0; i < n_dims; i++)
        if (__builtin_mul_overflow(bytes, chunk[i], &bytes) || bytes > UINT32_MAX) return -1;
    settings[0] = REVISION;
    settings[1] = LZF_VERSION;
    settings[2] = (unsigned)bytes;
    return H5Pmodify_filter(dcpl, LZF_FILTER, flags, 3, settings);
}

void st_hdf5_register_lzf(void) {
    static const H5Z_class2_t lzf = {.version = H5Z_CLASS_T_VERS,
                                     .id = LZF_FILTER,
                                     .encoder_present = 1,
                                     .decoder_present = 1,
                                     .name = "lzf",
                                     .set_local = set_local,
                                     .filter = filter_lzf};
    if (H5Zfilter_avail(LZF_FILTER) <= 0) H5Zregister(&lzf);
}

/* Whether lzf packed chunks as they are: shuffling aside, before other filters than those it may get fewer bytes. */
static bool packs_whole_chunks(hid_t plan) {
    const int n = H5Pget_nfilters(plan);
    for (int i = 0; i < n; i++) {
        unsigned flags = 0;
        size_t n_settings = 0;
        const H5Z_filter_t filter = H5Pget_filter2(plan, (unsigned)i, &flags, &n_settings, NULL, 0, NULL, NULL);
        if (filter == LZF_FILTER) return true;
        if (filter != H5Z_FILTER_SHUFFLE) return false;
    }
    return false;
}

herr_t st_hdf5_read_set(const st_hdf5_set *set, hid_t type, hid_t memory, hid_t space, void *dst) {
    hsize_t chunk[ST_HDF5_MAX_DIMS];
    const hid_t plan = H5Dget_create_plist(set->id);
    const bool checked = plan >= 0 && H5Pget_layout(plan) == H5D_CHUNKED && packs_whole_chunks(plan);
    const int n_dims = checked ? H5Pget_chunk(plan, ST_HDF5_MAX_DIMS, chunk) : 0;
    if (plan >= 0) H5Pclose(plan);
    chunk_bytes = n_dims > 0 && n_dims <= ST_HDF5_MAX_DIMS ? H5Tget_size(set->type) : 0;
    for (int i = 0; i < n_dims && chunk_bytes > 0; i++)
        if (__builtin_mul_overflow(chunk_bytes, chunk[i], &chunk_bytes)) return -1;
    const herr_t result = H5Dread(set->id, type, memory, space, H5P_DEFAULT, dst);
    chunk_bytes = 0;
    return result;
}
