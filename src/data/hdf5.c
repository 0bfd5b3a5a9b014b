/* Invariants: every call of libhdf5 is made under the lock; what fails closes what it has opened; no identifier of the
   library leaves these files. */
#include <pthread.h>
#include <string.h>
#include "base/memory.h"
#include "base/string.h"
#include "data/hdf5_int.h"
#include "data/reader.h"

static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;

/* A data set of at most so many bytes may be made of nothing; a larger one must have a believable part of them stored:
   deflate inflates by 1032 at most. */
#define FREE_BYTES ((uint64_t)64 << 20)
#define MOST_INFLATION 1100

/* Values at each end of an array that a rehearsal reads. */
#define REHEARSED_VALUES ((int64_t)1 << 20)

void st_hdf5_lock(void) {
    pthread_mutex_lock(&one_at_a_time);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL); /* it would print */
    st_hdf5_register_lzf();
}

void st_hdf5_unlock(void) {
    pthread_mutex_unlock(&one_at_a_time);
}

/* ---- messages ---- */

/* The first of the stack's lines is the innermost. */
static herr_t take_reason(unsigned n, const H5E_error2_t *line, void *context) {
    const char **reason = context;
    if (n == 0 && line->desc) *reason = line->desc;
    return 0;
}

strait_status st_hdf5_fail(strait_error *err, strait_status code, const char *path, const char *name,
                           const char *what) {
    const char *reason = NULL;
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_reason, &reason);
    char said[160] = "";
    if (reason) {
        char *text = st_format(" (%.140s)", reason);
        for (char *c = text; c && *c; c++)
            if ((unsigned char)*c < ' ') *c = ' ';
        if (text) memcpy(said, text, strlen(text) + 1);
        st_free(text);
    }
    if (name) return st_fail(err, code, "%s: %.120s: %s%s", path, name, what, said);
    return st_fail(err, code, "%s: %s%s", path, what, said);
}

/* ---- files ---- */

bool st_hdf5_is(const uint8_t *head, size_t n) {
    return n >= 8 && memcmp(head, "\x89HDF\r\n\x1a\n", 8) == 0;
}

static herr_t refuse_external(const char *parent_file, const char *parent_group, const char *child_file,
                              const char *child_object, unsigned *flags, hid_t fapl, void *context) {
    (void)parent_file, (void)parent_group, (void)child_file, (void)child_object, (void)flags, (void)fapl, (void)context;
    return -1;
}

/* Reading needs no lock on the file, which a network's file system may not have. */
static hid_t open_unlocked(const char *path, unsigned mode) {
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    if (access < 0) return -1;
    H5Pset_file_locking(access, mode != H5F_ACC_RDONLY, true);
    const hid_t id = H5Fopen(path, mode, access);
    H5Pclose(access);
    return id;
}

strait_status st_hdf5_open_file(st_hdf5 **out, const char *path, unsigned mode, strait_error *err) {
    st_hdf5 *file = st_alloc(1, sizeof *file);
    char *copy = st_strdup(path);
    if (!file || !copy) {
        st_free(file);
        st_free(copy);
        return st_fail_memory(err, sizeof *file, path);
    }
    *file = (st_hdf5){.id = open_unlocked(path, mode), .path = copy, .references = 1};
    file->within = H5Pcreate(H5P_LINK_ACCESS);
    if (file->id >= 0 && file->within >= 0 && H5Pset_elink_cb(file->within, refuse_external, NULL) >= 0) {
        *out = file;
        return STRAIT_OK;
    }
    const strait_status status = st_hdf5_fail(err, STRAIT_FORMAT, path, NULL, "no HDF5 file that can be read");
    if (file->id >= 0) H5Fclose(file->id);
    if (file->within >= 0) H5Pclose(file->within);
    st_free(file->path);
    st_free(file);
    return status;
}

strait_status st_hdf5_open(st_hdf5 **out, const char *path, strait_error *err) {
    *out = NULL;
    ST_TRY(st_hdf5_load(path, err));
    st_hdf5_lock();
    const strait_status status = st_hdf5_open_file(out, path, H5F_ACC_RDONLY, err);
    st_hdf5_unlock();
    return status;
}

static void release_file(st_hdf5 *file) {
    if (--file->references > 0) return;
    H5Pclose(file->within);
    H5Fclose(file->id);
    st_free(file->path);
    st_free(file);
}

void st_hdf5_close(st_hdf5 *file) {
    if (!file) return;
    st_hdf5_lock();
    release_file(file);
    st_hdf5_unlock();
}

const char *st_hdf5_path(const st_hdf5 *file) {
    return file->path;
}

/* ---- finding ---- */

/* Each part of the name must be a link, the last one to something that is there. */
static bool links_lead_on(const st_hdf5 *file, const char *name) {
    char part[1024];
    const size_t length = strlen(name);
    if (length == 0 || length >= sizeof part) return false;
    for (size_t i = 1; i <= length; i++) {
        if (i < length && name[i] != '/') continue;
        memcpy(part, name, i);
        part[i] = '\0';
        if (strcmp(part, "/") != 0 && H5Lexists(file->id, part, file->within) <= 0) return false;
    }
    return H5Oexists_by_name(file->id, name, file->within) > 0;
}

st_hdf5_kind st_hdf5_look(st_hdf5 *file, const char *name) {
    if (!links_lead_on(file, name)) return ST_HDF5_NOTHING;
    const hid_t id = H5Oopen(file->id, name, file->within);
    if (id < 0) return ST_HDF5_NOTHING;
    const H5I_type_t type = H5Iget_type(id);
    H5Oclose(id);
    return type == H5I_GROUP ? ST_HDF5_GROUP : type == H5I_DATASET ? ST_HDF5_SET : ST_HDF5_NOTHING;
}

st_hdf5_kind st_hdf5_find(st_hdf5 *file, const char *name) {
    st_hdf5_lock();
    const st_hdf5_kind kind = st_hdf5_look(file, name);
    st_hdf5_unlock();
    return kind;
}

/* ---- data sets ---- */

void st_hdf5_release_set(st_hdf5_set *set) {
    if (set->space >= 0) H5Sclose(set->space);
    if (set->type >= 0) H5Tclose(set->type);
    if (set->id >= 0) H5Oclose(set->id);
    release_file(set->file);
    st_free(set->name);
    st_free(set);
}

void st_hdf5_close_set(st_hdf5_set *set) {
    if (!set) return;
    st_hdf5_lock();
    st_hdf5_release_set(set);
    st_hdf5_unlock();
}

/* Its values must lie in this very file. */
static strait_status check_layout(const st_hdf5_set *set, strait_error *err) {
    const hid_t plan = H5Dget_create_plist(set->id);
    const bool elsewhere = plan >= 0 && (H5Pget_layout(plan) == H5D_VIRTUAL || H5Pget_external_count(plan) > 0);
    if (plan >= 0) H5Pclose(plan);
    if (plan < 0) return st_hdf5_fail(err, STRAIT_FORMAT, set->file->path, set->name, "is damaged");
    if (!elsewhere) return STRAIT_OK;
    return st_fail(err, STRAIT_FORMAT, "%s: %.120s: its values lie in other files, which are not followed",
                   set->file->path, set->name);
}

static strait_status check_size(const st_hdf5_set *set, strait_error *err) {
    hsize_t dim[ST_HDF5_MAX_DIMS];
    const int n_dims = H5Sget_simple_extent_ndims(set->space);
    if (n_dims < 0 || n_dims > ST_HDF5_MAX_DIMS)
        return st_fail(err, STRAIT_FORMAT, "%s: %.120s: has %d dimensions; at most %d are read", set->file->path,
                       set->name, n_dims, ST_HDF5_MAX_DIMS);
    uint64_t bytes = H5Tget_size(set->type);
    bool beyond = bytes == 0 || H5Sget_simple_extent_dims(set->space, dim, NULL) < 0;
    for (int i = 0; i < n_dims && !beyond; i++)
        beyond = __builtin_mul_overflow(bytes, dim[i], &bytes) || bytes > ST_SOURCE_MAX_BYTES;
    if (beyond)
        return st_fail(err, STRAIT_FORMAT, "%s: %.120s: announces more than 1 TiB; the file is damaged",
                       set->file->path, set->name);
    const uint64_t stored = H5Dget_storage_size(set->id);
    if (bytes <= FREE_BYTES || bytes / MOST_INFLATION <= stored) return STRAIT_OK;
    return st_fail(
        err, STRAIT_FORMAT,
        "%s: %.120s: announces %llu bytes, but only %llu are stored, too few to inflate to that; the file is "
        "damaged",
        set->file->path, set->name, (unsigned long long)bytes, (unsigned long long)stored);
}

strait_status st_hdf5_wrap_set(st_hdf5_set **out, st_hdf5 *file, hid_t id, const char *name, strait_error *err) {
    st_hdf5_set *set = st_alloc(1, sizeof *set);
    char *copy = st_strdup(name);
    if (!set || !copy) {
        st_free(set);
        st_free(copy);
        if (id >= 0) H5Oclose(id);
        return st_fail_memory(err, sizeof *set, file->path);
    }
    *set = (st_hdf5_set){.file = file, .id = id, .type = -1, .space = -1, .name = copy};
    file->references++;
    const bool is_set = id >= 0 && H5Iget_type(id) == H5I_DATASET;
    if (is_set) {
        set->type = H5Dget_type(id);
        set->space = H5Dget_space(id);
    }
    strait_status status = STRAIT_OK;
    if (!is_set || set->type < 0 || set->space < 0)
        status = st_hdf5_fail(err, STRAIT_FORMAT, file->path, name, "is no data set that can be read");
    if (status == STRAIT_OK) status = check_layout(set, err);
    if (status == STRAIT_OK) status = check_size(set, err);
    if (status == STRAIT_OK) {
        *out = set;
    } else {
        st_hdf5_release_set(set);
    }
    return status;
}

static strait_status open_set(st_hdf5_set **out, st_hdf5 *file, const char *name, strait_error *err) {
    const st_hdf5_kind kind = st_hdf5_look(file, name);
    if (kind != ST_HDF5_SET)
        return st_fail(err, STRAIT_FORMAT, "%s: %.120s: %s", file->path, name,
                       kind == ST_HDF5_GROUP ? "is a group, not a data set" : "there is no such data set in the file");
    return st_hdf5_wrap_set(out, file, H5Oopen(file->id, name, file->within), name, err);
}

strait_status st_hdf5_open_set(st_hdf5_set **out, st_hdf5 *file, const char *name, strait_error *err) {
    *out = NULL;
    st_hdf5_lock();
    const strait_status status = open_set(out, file, name, err);
    st_hdf5_unlock();
    return status;
}

/* ---- what a set holds ---- */

hid_t st_hdf5_type_of(const st_hdf5_set *set, const char *member) {
    if (!member) return H5Tcopy(set->type);
    if (H5Tget_class(set->type) != H5T_COMPOUND) return -1;
    const int i = H5Tget_member_index(set->type, member);
    return i < 0 ? -1 : H5Tget_member_type(set->type, (unsigned)i);
}

static strait_status fail_no_member(const st_hdf5_set *set, const char *member, strait_error *err) {
    return st_fail(err, STRAIT_FORMAT, "%s: %.120s: has no column '%.60s'", set->file->path, set->name, member);
}

static st_hdf5_content content_of(hid_t type) {
    switch (H5Tget_class(type)) {
    case H5T_FLOAT: return ST_HDF5_FLOAT;
    case H5T_INTEGER: return ST_HDF5_INTEGER;
    case H5T_ENUM: return ST_HDF5_BOOLEAN;
    case H5T_STRING: return ST_HDF5_TEXT;
    case H5T_COMPOUND: return ST_HDF5_RECORD;
    default: return ST_HDF5_OTHER;
    }
}

/* A member may be a list of its own: its dims follow, and its items' type takes the place of type. */
static void describe_items(st_hdf5_info *out, hid_t *type) {
    hsize_t dim[H5S_MAX_RANK];
    if (H5Tget_class(*type) != H5T_ARRAY) return;
    const int n = H5Tget_array_ndims(*type);
    const hid_t items = H5Tget_super(*type);
    if (n < 0 || items < 0 || out->n_dims + n > ST_HDF5_MAX_DIMS || H5Tget_array_dims2(*type, dim) < 0) {
        if (items >= 0) H5Tclose(items);
        return;
    }
    for (int i = 0; i < n; i++)
        out->dim[out->n_dims++] = (int64_t)dim[i];
    H5Tclose(*type);
    *type = items;
}

static strait_status describe(st_hdf5_info *out, const st_hdf5_set *set, const char *member, strait_error *err) {
    hsize_t dim[ST_HDF5_MAX_DIMS];
    *out = (st_hdf5_info){.n_dims = H5Sget_simple_extent_ndims(set->space)};
    H5Sget_simple_extent_dims(set->space, dim, NULL);
    for (int i = 0; i < out->n_dims; i++)
        out->dim[i] = (int64_t)dim[i];
    hid_t type = st_hdf5_type_of(set, member);
    if (type < 0) return fail_no_member(set, member ? member : "", err);
    describe_items(out, &type);
    out->content = content_of(type);
    out->is_signed = out->content == ST_HDF5_INTEGER && H5Tget_sign(type) == H5T_SGN_2;
    out->item_size = H5Tget_size(type);
    H5Tclose(type);
    return STRAIT_OK;
}

strait_status st_hdf5_describe(st_hdf5_info *out, st_hdf5_set *set, const char *member, strait_error *err) {
    st_hdf5_lock();
    const strait_status status = describe(out, set, member, err);
    st_hdf5_unlock();
    return status;
}

/* ---- numbers ---- */

static hid_t memory_type(st_hdf5_number type) {
    switch (type) {
    case ST_HDF5_U8: return H5T_NATIVE_UINT8;
    case ST_HDF5_U16: return H5T_NATIVE_UINT16;
    case ST_HDF5_F32: return H5T_NATIVE_FLOAT;
    case ST_HDF5_F64: return H5T_NATIVE_DOUBLE;
    case ST_HDF5_I64: return H5T_NATIVE_INT64;
    }
    return -1;
}

/* As it will lie in memory: the plain number, a list of them, a record of one member. The caller closes it. */
static hid_t wanted_type(const st_hdf5_set *set, const char *member, st_hdf5_number number) {
    hid_t file_type = st_hdf5_type_of(set, member), type = -1;
    hsize_t dim[H5S_MAX_RANK];
    if (file_type >= 0 && H5Tget_class(file_type) == H5T_ARRAY) {
        const int n = H5Tget_array_ndims(file_type);
        if (n > 0 && H5Tget_array_dims2(file_type, dim) >= 0)
            type = H5Tarray_create2(memory_type(number), (unsigned)n, dim);
    } else if (file_type >= 0) {
        type = H5Tcopy(memory_type(number));
    }
    if (file_type >= 0) H5Tclose(file_type);
    if (type < 0 || !member) return type;
    const hid_t record = H5Tcreate(H5T_COMPOUND, H5Tget_size(type));
    if (record >= 0) H5Tinsert(record, member, 0, type);
    H5Tclose(type);
    return record;
}

/* Why values could not be read: often a filter that this machine has not. */
static strait_status fail_read(const st_hdf5_set *set, strait_error *err) {
    const hid_t plan = H5Dget_create_plist(set->id);
    const int n = plan >= 0 ? H5Pget_nfilters(plan) : 0;
    for (int i = 0; i < n; i++) {
        unsigned flags = 0;
        size_t n_settings = 0;
        char name[64] = "";
        const H5Z_filter_t filter =
            H5Pget_filter2(plan, (unsigned)i, &flags, &n_settings, NULL, sizeof name, name, NULL);
        if (filter < 0 || H5Zfilter_avail(filter) > 0) continue;
        H5Pclose(plan);
        return st_fail(err, STRAIT_FORMAT,
                       "%s: %.120s: is compressed by filter %d, which libhdf5 has not here; write it with gzip or lzf",
                       set->file->path, set->name, (int)filter);
    }
    if (plan >= 0) H5Pclose(plan);
    return st_hdf5_fail(err, STRAIT_FORMAT, set->file->path, set->name, "its values cannot be read");
}

/* Rows [first, first + n) of the file's space; negative when that cannot be. */
static int select_rows(const st_hdf5_set *set, int64_t first, int64_t n, hid_t *memory) {
    hsize_t start[ST_HDF5_MAX_DIMS] = {0}, count[ST_HDF5_MAX_DIMS];
    const int n_dims = H5Sget_simple_extent_dims(set->space, count, NULL);
    if (n_dims <= 0) {
        *memory = H5Screate(H5S_SCALAR);
        return n_dims;
    }
    start[0] = (hsize_t)first;
    count[0] = (hsize_t)n;
    *memory = H5Screate_simple(n_dims, count, NULL);
    if (*memory < 0) return -1;
    return H5Sselect_hyperslab(set->space, H5S_SELECT_SET, start, NULL, count, NULL);
}

/* What is rehearsed of a reading at each end. Whole numbers as int64 and double point at others (indices, codes): they
   are all read, for what follows from them is rehearsed too. */
static int64_t rows_for_rehearsal(const st_hdf5_info *info, st_hdf5_number type) {
    if (type == ST_HDF5_I64 || type == ST_HDF5_F64) return INT64_MAX;
    int64_t values = 1;
    for (int i = 1; i < info->n_dims; i++)
        if (__builtin_mul_overflow(values, info->dim[i], &values)) return 1;
    return values > 0 && values < REHEARSED_VALUES ? REHEARSED_VALUES / values : 1;
}

/* Rows that are there. */
static strait_status read_rows(void *dst, st_hdf5_number type, const st_hdf5_set *set, const char *member,
                               int64_t first, int64_t n, strait_error *err) {
    hid_t memory = -1;
    const hid_t wanted = wanted_type(set, member, type);
    const bool good = wanted >= 0 && select_rows(set, first, n, &memory) >= 0 && memory >= 0 &&
                      st_hdf5_read_set(set, wanted, memory, set->space, dst) >= 0;
    const strait_status status = good ? STRAIT_OK : fail_read(set, err);
    if (memory >= 0) H5Sclose(memory);
    if (wanted >= 0) H5Tclose(wanted);
    return status;
}

static strait_status read_numbers(void *dst, st_hdf5_number type, const st_hdf5_set *set, const char *member,
                                  int64_t first, int64_t n, strait_error *err) {
    st_hdf5_info info;
    ST_TRY(describe(&info, set, member, err));
    if (info.content != ST_HDF5_FLOAT && info.content != ST_HDF5_INTEGER && info.content != ST_HDF5_BOOLEAN)
        return st_fail(err, STRAIT_FORMAT, "%s: %.120s: holds %s, not numbers", set->file->path, set->name,
                       info.content == ST_HDF5_TEXT     ? "texts"
                       : info.content == ST_HDF5_RECORD ? "records"
                                                        : "something else");
    if (info.n_dims > 0 && (first < 0 || n < 0 || first > info.dim[0] || n > info.dim[0] - first))
        return st_fail(err, STRAIT_FORMAT, "%s: %.120s: has %lld rows, %lld are needed from row %lld on",
                       set->file->path, set->name, (long long)info.dim[0], (long long)n, (long long)first);
    if (n == 0) return STRAIT_OK;
    const int64_t few = st_hdf5_rehearsing() ? rows_for_rehearsal(&info, type) : n;
    if (few >= n / 2) return read_rows(dst, type, set, member, first, n, err);
    ST_TRY(st_hdf5_visit_chunks(set->id, set->file->path, set->name, err));
    ST_TRY(read_rows(dst, type, set, member, first, few, err));
    return read_rows(dst, type, set, member, first + n - few, few, err); /* the rest stays as it is: 0 */
}

strait_status st_hdf5_read(void *dst, st_hdf5_number type, st_hdf5_set *set, const char *member, int64_t first,
                           int64_t n, strait_error *err) {
    st_hdf5_lock();
    const strait_status status = read_numbers(dst, type, set, member, first, n, err);
    st_hdf5_unlock();
    return status;
}
