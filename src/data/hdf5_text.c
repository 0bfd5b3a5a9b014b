/* Names, attributes, texts. */
#include <string.h>
#include "base/memory.h"
#include "base/string.h"
#include "data/hdf5_int.h"
#include "data/reader.h"

/* Groups within groups, and entries in all of them, that are looked at: a circle of links ends there. */
enum { MOST_DEPTH = 6, MOST_ENTRIES = 20000, MOST_TEXT_BYTES = 1 << 16 };

/* A text on one line: messages and tables show it. */
static void add_line(st_words *words, char *text, size_t n) {
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f) text[i] = '?';
    st_words_add(words, text, n);
}

/* ---- groups ---- */

typedef struct listing {
    st_words *words;
    int64_t n;
} listing;

static herr_t add_name(hid_t group, const char *name, const H5L_info_t *info, void *context) {
    (void)group, (void)info;
    listing *all = context;
    if (all->n++ == MOST_ENTRIES) return -1;
    st_words_add(all->words, name, strlen(name));
    return 0;
}

static strait_status list_group(st_words **out, st_hdf5 *file, const char *group, strait_error *err) {
    listing all = {0};
    const hid_t id = st_hdf5_look(file, group) == ST_HDF5_GROUP ? H5Oopen(file->id, group, file->within) : -1;
    if (id < 0) return st_fail(err, STRAIT_FORMAT, "%s: %.120s: there is no such group", file->path, group);
    strait_status status = st_words_new(&all.words, err);
    hsize_t at = 0;
    if (status == STRAIT_OK && H5Literate(id, H5_INDEX_NAME, H5_ITER_INC, &at, add_name, &all) < 0)
        status = st_hdf5_fail(err, STRAIT_FORMAT, file->path, group, "its entries cannot be listed");
    if (status == STRAIT_OK) status = st_words_finish(all.words, err);
    H5Oclose(id);
    if (status == STRAIT_OK) {
        *out = all.words;
    } else {
        st_words_free(all.words);
    }
    return status;
}

strait_status st_hdf5_list(st_words **out, st_hdf5 *file, const char *group, strait_error *err) {
    *out = NULL;
    st_hdf5_lock();
    const strait_status status = list_group(out, file, group, err);
    st_hdf5_unlock();
    return status;
}

static bool is_table(st_hdf5 *file, const char *name) {
    const hid_t id = H5Oopen(file->id, name, file->within);
    if (id < 0) return false;
    const hid_t type = H5Dget_type(id), space = H5Dget_space(id);
    const H5T_class_t class = type >= 0 ? H5Tget_class(type) : H5T_NO_CLASS;
    const bool table =
        (class == H5T_FLOAT || class == H5T_INTEGER) && space >= 0 && H5Sget_simple_extent_ndims(space) >= 2;
    if (type >= 0) H5Tclose(type);
    if (space >= 0) H5Sclose(space);
    H5Oclose(id);
    return table;
}

/* Depth first, in the order of names; *entries counts all that was looked at. */
static strait_status list_tables(st_words *words, int64_t *entries, st_hdf5 *file, const char *group, int depth,
                                 int64_t most, strait_error *err) {
    st_words *names = NULL;
    ST_TRY(list_group(&names, file, group, err));
    strait_status status = STRAIT_OK;
    for (int64_t i = 0; i < names->n && status == STRAIT_OK && words->n < most; i++) {
        if (++*entries > MOST_ENTRIES) break;
        char *path = strcmp(group, "/") == 0 ? st_strdup(names->at[i]) : st_format("%s/%s", group, names->at[i]);
        if (!path) {
            status = st_fail_memory(err, strlen(names->at[i]), "a name");
            break;
        }
        const st_hdf5_kind kind = st_hdf5_look(file, path);
        if (kind == ST_HDF5_SET && is_table(file, path)) st_words_add(words, path, strlen(path));
        if (kind == ST_HDF5_GROUP && depth < MOST_DEPTH)
            status = list_tables(words, entries, file, path, depth + 1, most, err);
        st_free(path);
    }
    st_words_free(names);
    return status;
}

strait_status st_hdf5_list_sets(st_words **out, st_hdf5 *file, int64_t most, strait_error *err) {
    st_words *words = NULL;
    int64_t entries = 0;
    *out = NULL;
    ST_TRY(st_words_new(&words, err));
    st_hdf5_lock();
    strait_status status = list_tables(words, &entries, file, "/", 0, most, err);
    st_hdf5_unlock();
    if (status == STRAIT_OK) status = st_words_finish(words, err);
    if (status == STRAIT_OK) {
        *out = words;
    } else {
        st_words_free(words);
    }
    return status;
}

/* ---- texts ---- */

/* A fixed length, filled up with NUL or blanks as its type says. */
static size_t text_length(const char *text, size_t size, bool blanks) {
    size_t n = strnlen(text, size);
    while (blanks && n > 0 && text[n - 1] == ' ')
        n--;
    return n;
}

/* All values of a type of texts, gathered by what reads them: a data set, or an attribute. */
typedef struct texts {
    hid_t type;     /* in memory */
    bool variable;  /* each a pointer */
    size_t size, n; /* bytes of each; how many */
    char *values;   /* [n, size] */
} texts;

static strait_status texts_open(texts *t, hid_t file_type, size_t n, const char *name, strait_error *err) {
    *t = (texts){.type = H5Tcopy(file_type), .variable = H5Tis_variable_str(file_type) > 0, .n = n};
    t->size = t->variable ? sizeof(char *) : H5Tget_size(file_type);
    uint64_t bytes = 0;
    if (t->type < 0 || t->size == 0 || __builtin_mul_overflow((uint64_t)n, t->size, &bytes) ||
        bytes > ST_SOURCE_MAX_BYTES)
        return st_fail(err, STRAIT_FORMAT, "%.120s: its texts come to more than 1 TiB", name);
    t->values = st_alloc(n, t->size);
    return t->values ? STRAIT_OK : st_fail_memory(err, (size_t)bytes, "texts");
}

static strait_status texts_take(st_words **out, const texts *t, strait_error *err) {
    st_words *words = NULL;
    ST_TRY(st_words_new(&words, err));
    const bool blanks = H5Tget_strpad(t->type) == H5T_STR_SPACEPAD;
    for (size_t i = 0; i < t->n; i++) {
        char *text = t->values + i * t->size;
        if (t->variable) memcpy(&text, t->values + i * t->size, sizeof text);
        if (!text) {
            st_words_add(words, "", 0);
        } else if (t->variable) {
            add_line(words, text, strlen(text));
        } else {
            add_line(words, text, text_length(text, t->size, blanks));
        }
    }
    const strait_status status = st_words_finish(words, err);
    if (status == STRAIT_OK) {
        *out = words;
    } else {
        st_words_free(words);
    }
    return status;
}

static void texts_close(texts *t, hid_t record, hid_t space) {
    if (t->values && t->variable && space >= 0)
        H5Dvlen_reclaim(record >= 0 ? record : t->type, space, H5P_DEFAULT, t->values);
    if (t->type >= 0) H5Tclose(t->type);
    st_free(t->values);
}

static strait_status read_texts(st_words **out, const st_hdf5_set *set, const char *member, strait_error *err) {
    const hid_t file_type = st_hdf5_type_of(set, member);
    const hssize_t n = H5Sget_simple_extent_npoints(set->space);
    strait_status status = STRAIT_OK;
    texts t = {.type = -1};
    hid_t record = -1;
    if (file_type < 0 || H5Tget_class(file_type) != H5T_STRING || n < 0)
        status = st_fail(err, STRAIT_FORMAT, "%s: %.120s%s%.60s: holds no texts", set->file->path, set->name,
                         member ? "/" : "", member ? member : "");
    if (status == STRAIT_OK) status = texts_open(&t, file_type, (size_t)n, set->name, err);
    if (status == STRAIT_OK && member) {
        record = H5Tcreate(H5T_COMPOUND, t.size);
        if (record >= 0) H5Tinsert(record, member, 0, t.type);
    }
    if (status == STRAIT_OK && st_hdf5_read_set(set, member ? record : t.type, H5S_ALL, H5S_ALL, t.values) < 0)
        status = st_hdf5_fail(err, STRAIT_FORMAT, set->file->path, set->name, "its texts cannot be read");
    if (status == STRAIT_OK) status = texts_take(out, &t, err);
    texts_close(&t, record, set->space);
    if (record >= 0) H5Tclose(record);
    if (file_type >= 0) H5Tclose(file_type);
    return status;
}

strait_status st_hdf5_read_texts(st_words **out, st_hdf5_set *set, const char *member, strait_error *err) {
    *out = NULL;
    st_hdf5_lock();
    H5Sselect_all(set->space);
    const strait_status status = read_texts(out, set, member, err);
    st_hdf5_unlock();
    return status;
}

strait_status st_hdf5_members(st_words **out, st_hdf5_set *set, strait_error *err) {
    *out = NULL;
    st_words *words = NULL;
    ST_TRY(st_words_new(&words, err));
    st_hdf5_lock();
    const int n = H5Tget_class(set->type) == H5T_COMPOUND ? H5Tget_nmembers(set->type) : 0;
    for (int i = 0; i < n; i++) {
        char *name = H5Tget_member_name(set->type, (unsigned)i);
        if (name) st_words_add(words, name, strlen(name));
        H5free_memory(name);
    }
    st_hdf5_unlock();
    const strait_status status = st_words_finish(words, err);
    if (status == STRAIT_OK) {
        *out = words;
    } else {
        st_words_free(words);
    }
    return status;
}

/* ---- attributes ---- */

/* Negative where there is none. */
static hid_t open_attribute(st_hdf5 *file, const char *name, const char *attribute) {
    if (st_hdf5_look(file, name) == ST_HDF5_NOTHING) return -1;
    if (H5Aexists_by_name(file->id, name, attribute, file->within) <= 0) return -1;
    return H5Aopen_by_name(file->id, name, attribute, H5P_DEFAULT, file->within);
}

static strait_status attribute_texts(st_words **out, hid_t id, const char *attribute, strait_error *err) {
    const hid_t type = H5Aget_type(id), space = H5Aget_space(id);
    const hssize_t n = space >= 0 ? H5Sget_simple_extent_npoints(space) : -1;
    strait_status status = STRAIT_OK;
    texts t = {.type = -1};
    const bool text = type >= 0 && H5Tget_class(type) == H5T_STRING && n >= 0 && n <= MOST_ENTRIES &&
                      H5Tget_size(type) <= MOST_TEXT_BYTES;
    if (text) status = texts_open(&t, type, (size_t)n, attribute, err);
    if (text && status == STRAIT_OK && H5Aread(id, t.type, t.values) >= 0) status = texts_take(out, &t, err);
    texts_close(&t, -1, space);
    if (type >= 0) H5Tclose(type);
    if (space >= 0) H5Sclose(space);
    return status;
}

strait_status st_hdf5_attribute_texts(st_words **out, st_hdf5 *file, const char *name, const char *attribute,
                                      strait_error *err) {
    *out = NULL;
    strait_status status = STRAIT_OK;
    st_hdf5_lock();
    const hid_t id = open_attribute(file, name, attribute);
    if (id >= 0) {
        status = attribute_texts(out, id, attribute, err);
        H5Aclose(id);
    }
    st_hdf5_unlock();
    return status;
}

strait_status st_hdf5_attribute_text(char **out, st_hdf5 *file, const char *name, const char *attribute,
                                     strait_error *err) {
    st_words *words = NULL;
    *out = NULL;
    strait_status status = st_hdf5_attribute_texts(&words, file, name, attribute, err);
    if (status == STRAIT_OK && words && words->n == 1 && !(*out = st_strdup(words->at[0])))
        status = st_fail_memory(err, strlen(words->at[0]) + 1, attribute);
    st_words_free(words);
    return status;
}

bool st_hdf5_attribute_integers(int64_t *out, int64_t n, st_hdf5 *file, const char *name, const char *attribute) {
    bool good = false;
    st_hdf5_lock();
    const hid_t id = open_attribute(file, name, attribute);
    if (id >= 0) {
        const hid_t type = H5Aget_type(id), space = H5Aget_space(id);
        good = type >= 0 && space >= 0 && H5Tget_class(type) == H5T_INTEGER &&
               H5Sget_simple_extent_npoints(space) == n && H5Aread(id, H5T_NATIVE_INT64, out) >= 0;
        if (type >= 0) H5Tclose(type);
        if (space >= 0) H5Sclose(space);
        H5Aclose(id);
    }
    st_hdf5_unlock();
    return good;
}

strait_status st_hdf5_open_reference(st_hdf5_set **out, st_hdf5 *file, const char *name, const char *attribute,
                                     strait_error *err) {
    hobj_ref_t reference;
    hid_t found = -1;
    *out = NULL;
    st_hdf5_lock();
    const hid_t id = open_attribute(file, name, attribute);
    if (id >= 0) {
        const hid_t type = H5Aget_type(id), space = H5Aget_space(id);
        if (type >= 0 && space >= 0 && H5Tequal(type, H5T_STD_REF_OBJ) > 0 &&
            H5Sget_simple_extent_npoints(space) == 1 && H5Aread(id, H5T_STD_REF_OBJ, &reference) >= 0)
            found = H5Rdereference2(file->id, H5P_DEFAULT, H5R_OBJECT, &reference);
        if (type >= 0) H5Tclose(type);
        if (space >= 0) H5Sclose(space);
        H5Aclose(id);
    }
    const strait_status status = st_hdf5_wrap_set(out, file, found, name, err);
    st_hdf5_unlock();
    return status;
}
