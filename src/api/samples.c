/* Tables of samples. */
#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/string.h"
#include "data/data.h"

static void add_field(st_text *text, const char *value) {
    if (!strpbrk(value, ",\"\r\n")) {
        st_text_add(text, "%s", value);
        return;
    }
    st_text_add(text, "\"");
    for (; *value; value++)
        st_text_add(text, *value == '"' ? "\"\"" : "%c", *value);
    st_text_add(text, "\"");
}

static bool has_names(const strait_data *data) {
    return data && strait_data_count(data) > 0 && strait_data_sample_name(data, 0);
}

static void add_header(st_text *text, const strait_data *data, bool labels, int n_columns,
                       const strait_column *column) {
    st_text_add(text, "sample%s%s", has_names(data) ? ",name" : "", labels ? ",label" : "");
    for (int c = 0; c < n_columns; c++) {
        st_text_add(text, ",");
        add_field(text, column[c].name);
    }
    st_text_add(text, "\n");
}

STRAIT_API strait_status strait_samples_write(const char *path, strait_data *data, const int64_t *sample, int64_t n,
                                              int n_columns, const strait_column *column, strait_error *err) {
    strait_data_info info = {0};
    st_text text = {0};
    char *table = NULL;
    if (!path || n < 0 || n_columns < 0)
        return st_fail(err, STRAIT_ARGUMENT, "strait_samples_write: no path, or a negative number");
    if (data) ST_TRY(strait_data_describe(data, &info, err));
    add_header(&text, data, info.has_labels, n_columns, column);
    const bool names = has_names(data);
    for (int64_t i = 0; i < n; i++) {
        const int64_t at = sample ? sample[i] : i;
        st_text_add(&text, "%lld", (long long)at);
        if (names) {
            const char *name = strait_data_sample_name(data, at);
            st_text_add(&text, ",");
            add_field(&text, name ? name : "");
        }
        if (info.has_labels) st_text_add(&text, ",%lld", (long long)strait_data_label(data, at));
        for (int c = 0; c < n_columns; c++) {
            char number[32] = "";
            if (!isnan(column[c].value[i])) st_print_double(number, column[c].value[i]);
            st_text_add(&text, ",%s", number);
        }
        st_text_add(&text, "\n");
    }
    ST_TRY(st_text_take(&table, &text, err));
    const strait_status status = st_file_write_all(path, table, strlen(table), err);
    st_free(table);
    return status;
}
