/* Data frames in h5ad files. Today a frame is a group: a data set a column, the rows' names in the one that its
   attribute _index tells, categories as a group {codes, categories} or (0.7) as codes that refer to __categories.
   Before 0.7 it was one data set of records, its categories in uns/NAME_categories. */
#include <string.h>
#include "base/memory.h"
#include "base/string.h"
#include "data/cells.h"

static char *join(const char *a, const char *b, strait_error *err) {
    char *path = st_format("%s/%s", a, b);
    if (!path) st_fail_memory(err, strlen(a) + strlen(b) + 2, "a path");
    return path;
}

bool st_frame_is(st_hdf5 *file, const char *frame) {
    return st_hdf5_find(file, frame) != ST_HDF5_NOTHING;
}

void st_frame_column_free(st_frame_column *column) {
    st_free(column->number);
    st_free(column->code);
    st_words_free(column->text);
    st_words_free(column->category);
    *column = (st_frame_column){0};
}

/* ---- data sets of one dim ---- */

static strait_status read_doubles(st_frame_column *out, st_hdf5_set *set, const char *member, int64_t n,
                                  strait_error *err) {
    out->number = st_alloc((size_t)n, sizeof *out->number);
    if (!out->number) return st_fail_memory(err, (size_t)n * sizeof *out->number, "a column");
    return st_hdf5_read(out->number, ST_HDF5_F64, set, member, 0, n, err);
}

static strait_status read_truths(st_frame_column *out, int64_t n, strait_error *err) {
    static const char *const word[] = {"false", "true"};
    ST_TRY(st_words_new(&out->text, err));
    for (int64_t i = 0; i < n; i++)
        st_words_add(out->text, word[out->number[i] != 0], strlen(word[out->number[i] != 0]));
    st_free(out->number);
    out->number = NULL;
    return st_words_finish(out->text, err);
}

/* Numbers, truth values or texts. */
static strait_status read_plain(st_frame_column *out, st_hdf5_set *set, const char *member, const char *name,
                                st_hdf5 *file, strait_error *err) {
    st_hdf5_info info;
    ST_TRY(st_hdf5_describe(&info, set, member, err));
    if (info.n_dims != 1 || info.content == ST_HDF5_OTHER || info.content == ST_HDF5_RECORD)
        return st_fail(err, STRAIT_FORMAT, "%s: %.120s: is no column of numbers or texts", st_hdf5_path(file), name);
    out->n = info.dim[0];
    if (info.content == ST_HDF5_TEXT) return st_hdf5_read_texts(&out->text, set, member, err);
    ST_TRY(read_doubles(out, set, member, out->n, err));
    return info.content == ST_HDF5_BOOLEAN ? read_truths(out, out->n, err) : STRAIT_OK;
}

static strait_status read_set(st_frame_column *out, st_hdf5 *file, const char *name, strait_error *err) {
    st_hdf5_set *set = NULL;
    ST_TRY(st_hdf5_open_set(&set, file, name, err));
    const strait_status status = read_plain(out, set, NULL, name, file, err);
    st_hdf5_close_set(set);
    return status;
}

/* ---- categories ---- */

/* As texts, whatever they are. */
static strait_status take_categories(st_frame_column *out, st_frame_column *values, strait_error *err) {
    if (values->text) {
        out->category = values->text;
        values->text = NULL;
        return STRAIT_OK;
    }
    ST_TRY(st_words_new(&out->category, err));
    for (int64_t k = 0; k < values->n; k++) {
        char digits[32];
        st_print_double(digits, values->number[k]);
        st_words_add(out->category, digits, strlen(digits));
    }
    return st_words_finish(out->category, err);
}

/* The numbers read become codes of the categories. */
static strait_status become_codes(st_frame_column *out, st_frame_column *values, const char *name, st_hdf5 *file,
                                  strait_error *err) {
    ST_TRY(take_categories(out, values, err));
    out->code = out->number ? st_alloc((size_t)out->n, sizeof *out->code) : NULL;
    if (!out->number)
        return st_fail(err, STRAIT_FORMAT, "%s: %.120s: its codes are no numbers", st_hdf5_path(file), name);
    if (!out->code) return st_fail_memory(err, (size_t)out->n * sizeof *out->code, "a column");
    for (int64_t i = 0; i < out->n; i++) {
        const double code = out->number[i];
        if (!(code >= -1 && code < (double)out->category->n))
            return st_fail(err, STRAIT_FORMAT, "%s: %.120s: row %lld has code %g, but there are %lld categories",
                           st_hdf5_path(file), name, (long long)i, code, (long long)out->category->n);
        out->code[i] = (int64_t)code;
    }
    st_free(out->number);
    out->number = NULL;
    return STRAIT_OK;
}

/* A column that is a group: {codes, categories}, or {values, mask} of what may be missing. */
static strait_status read_group(st_frame_column *out, st_hdf5 *file, const char *name, strait_error *err) {
    char *codes = join(name, "codes", err), *categories = join(name, "categories", err);
    char *values = join(name, "values", err);
    st_frame_column found = {0};
    strait_status status = codes && categories && values ? STRAIT_OK : STRAIT_MEMORY;
    if (status == STRAIT_OK && st_hdf5_find(file, values) == ST_HDF5_SET) {
        status = read_set(out, file, values, err);
    } else if (status == STRAIT_OK) {
        status = read_set(out, file, codes, err);
        if (status == STRAIT_OK) status = read_set(&found, file, categories, err);
        if (status == STRAIT_OK) status = become_codes(out, &found, name, file, err);
    }
    st_frame_column_free(&found);
    st_free(codes);
    st_free(categories);
    st_free(values);
    return status;
}

/* Categories of the old layouts: `set` holds them. */
static strait_status read_old_categories(st_frame_column *out, st_hdf5_set *set, const char *name, st_hdf5 *file,
                                         strait_error *err) {
    st_frame_column found = {0};
    strait_status status = read_plain(&found, set, NULL, name, file, err);
    if (status == STRAIT_OK) status = become_codes(out, &found, name, file, err);
    st_frame_column_free(&found);
    return status;
}

/* ---- columns ---- */

static strait_status read_current(st_frame_column *out, st_hdf5 *file, const char *frame, const char *column,
                                  strait_error *err) {
    char *name = join(frame, column, err);
    if (!name) return STRAIT_MEMORY;
    strait_status status;
    st_hdf5_set *categories = NULL;
    if (st_hdf5_find(file, name) == ST_HDF5_GROUP) {
        status = read_group(out, file, name, err);
    } else {
        status = read_set(out, file, name, err);
        const strait_status found =
            status == STRAIT_OK ? st_hdf5_open_reference(&categories, file, name, "categories", err) : status;
        if (found == STRAIT_OK) status = read_old_categories(out, categories, name, file, err);
        if (found == STRAIT_MEMORY) status = found; /* any other failure: it has none */
        st_hdf5_close_set(categories);
    }
    st_free(name);
    return status;
}

static strait_status read_record(st_frame_column *out, st_hdf5 *file, const char *frame, const char *column,
                                 strait_error *err) {
    st_hdf5_set *set = NULL, *categories = NULL;
    char *name = st_format("uns/%s_categories", column);
    if (!name) return st_fail_memory(err, strlen(column), "a path");
    strait_status status = st_hdf5_open_set(&set, file, frame, err);
    if (status == STRAIT_OK) status = read_plain(out, set, column, frame, file, err);
    if (status == STRAIT_OK && st_hdf5_find(file, name) == ST_HDF5_SET) {
        status = st_hdf5_open_set(&categories, file, name, err);
        if (status == STRAIT_OK) status = read_old_categories(out, categories, column, file, err);
    }
    st_hdf5_close_set(categories);
    st_hdf5_close_set(set);
    st_free(name);
    return status;
}

strait_status st_frame_column_read(st_frame_column *out, st_hdf5 *file, const char *frame, const char *column,
                                   strait_error *err) {
    *out = (st_frame_column){0};
    const strait_status status = st_hdf5_find(file, frame) == ST_HDF5_SET ? read_record(out, file, frame, column, err)
                                                                          : read_current(out, file, frame, column, err);
    if (status != STRAIT_OK) st_frame_column_free(out);
    return status;
}

/* ---- names ---- */

/* The column with the rows' names; the caller's, NULL without memory. */
static char *index_column(st_hdf5 *file, const char *frame, strait_error *err) {
    char *name = NULL;
    if (st_hdf5_attribute_text(&name, file, frame, "_index", err) != STRAIT_OK) return NULL;
    if (name) return name;
    char *usual = join(frame, "_index", err);
    if (!usual) return NULL;
    name = st_strdup(st_hdf5_find(file, usual) == ST_HDF5_SET ? "_index" : "index");
    if (!name) st_fail_memory(err, strlen("_index"), "a name");
    st_free(usual);
    return name;
}

/* Of records: index, or the first member. */
static strait_status record_index(st_words **out, st_hdf5 *file, const char *frame, strait_error *err) {
    st_hdf5_set *set = NULL;
    st_words *members = NULL;
    strait_status status = st_hdf5_open_set(&set, file, frame, err);
    if (status == STRAIT_OK) status = st_hdf5_members(&members, set, err);
    if (status == STRAIT_OK && members->n == 0)
        status = st_fail(err, STRAIT_FORMAT, "%s: %s: is no data frame", st_hdf5_path(file), frame);
    if (status == STRAIT_OK) {
        const char *name = members->at[0];
        for (int64_t i = 0; i < members->n; i++)
            if (strcmp(members->at[i], "index") == 0) name = "index";
        status = st_hdf5_read_texts(out, set, name, err);
    }
    st_words_free(members);
    st_hdf5_close_set(set);
    return status;
}

strait_status st_frame_index(st_words **out, st_hdf5 *file, const char *frame, strait_error *err) {
    *out = NULL;
    if (st_hdf5_find(file, frame) == ST_HDF5_SET) return record_index(out, file, frame, err);
    st_frame_column column = {0};
    char *name = index_column(file, frame, err);
    if (!name) return STRAIT_MEMORY;
    strait_status status = st_frame_column_read(&column, file, frame, name, err);
    st_free(name);
    if (status != STRAIT_OK) return status;
    if (column.code)
        status = st_fail(err, STRAIT_FORMAT, "%s: %s: its rows are named by categories", st_hdf5_path(file), frame);
    else
        status = take_categories(&column, &column, err); /* numbers as texts */
    *out = column.category;
    column.category = NULL;
    st_frame_column_free(&column);
    return status;
}

strait_status st_frame_columns(st_words **out, st_hdf5 *file, const char *frame, strait_error *err) {
    st_words *all = NULL, *kept = NULL;
    st_hdf5_set *set = NULL;
    char *index = NULL;
    strait_status status;
    *out = NULL;
    if (st_hdf5_find(file, frame) == ST_HDF5_SET) {
        status = st_hdf5_open_set(&set, file, frame, err);
        if (status == STRAIT_OK) status = st_hdf5_members(&all, set, err);
    } else {
        status = st_hdf5_attribute_texts(&all, file, frame, "column-order", err);
        if (status == STRAIT_OK && !all) status = st_hdf5_list(&all, file, frame, err);
        if (status == STRAIT_OK && !(index = index_column(file, frame, err))) status = STRAIT_MEMORY;
    }
    if (status == STRAIT_OK) status = st_words_new(&kept, err);
    for (int64_t i = 0; status == STRAIT_OK && i < all->n; i++) {
        const char *name = all->at[i];
        const bool column = strcmp(name, index ? index : "index") != 0 && strcmp(name, "__categories") != 0;
        if (column) st_words_add(kept, name, strlen(name));
    }
    if (status == STRAIT_OK) status = st_words_finish(kept, err);
    st_hdf5_close_set(set);
    st_words_free(all);
    st_free(index);
    if (status == STRAIT_OK) {
        *out = kept;
    } else {
        st_words_free(kept);
    }
    return status;
}
