/* Tables of numbers as text: comma, semicolon or tab between, with or without a header, gzip or not. Rows become
   float32. One column may hold labels, whole numbers or words; the first one may hold the names of the rows. A missing
   value becomes NaN, a missing label is refused: what to put there is for people to decide. */
#include <math.h>
#include <string.h>
#include "base/memory.h"
#include "base/string.h"
#include "data/csv_int.h"
#include "data/reader.h"
#include "data/words.h"

typedef struct table {
    const char *path, *label_option; /* the caller's */
    char separator;
    int64_t n_columns, first_line, n_rows;
    st_words *first;  /* the fields of the first record, or what ARFF says: the columns' names, if has_header */
    st_words *second; /* of the next one, or none */
    bool has_header;
    bool is_arff;
    int64_t announced; /* rows, by scikit-learn's first line, which names the classes after two numbers; or 0 */
    int64_t name_column, label_column; /* -1: none */
    float *values;                     /* [n_rows, columns of numbers] */
    size_t n_values, capacity;
    st_words *names, *labels;                        /* [n_rows] each, or NULL */
    int64_t n_missing, missing_line, missing_column; /* values */
    int64_t unlabelled, unlabelled_line;             /* rows */
} table;

/* ---- single fields ---- */

/* Short decimals without an exponent by the one division that rounds right (Clinger 1990), all others by the base. */
static bool parse_number(double *out, const char *field) {
    static const double power[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                   1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    const char *c = field + (*field == '-');
    int64_t whole = 0;
    int digits = 0, decimals = 0;
    for (; *c >= '0' && *c <= '9' && digits < 15; c++, digits++)
        whole = whole * 10 + (*c - '0');
    if (*c == '.')
        for (c++; *c >= '0' && *c <= '9' && digits < 15; c++, digits++, decimals++)
            whole = whole * 10 + (*c - '0');
    if (*c || digits == 0) return st_parse_double(out, field);
    *out = (double)whole / power[decimals];
    if (*field == '-') *out = -*out;
    return true;
}

/* ASCII letters alone, whatever the locale. */
static bool equals_ignoring_case(const char *a, const char *b) {
    for (; *a && *b; a++, b++) {
        const char x = *a >= 'A' && *a <= 'Z' ? (char)(*a + 'a' - 'A') : *a;
        if (x != *b) return false;
    }
    return *a == *b;
}

static bool is_one_of(const char *field, const char *const *words) {
    for (; *words; words++)
        if (equals_ignoring_case(field, *words)) return true;
    return false;
}

static bool is_missing(const char *field) {
    static const char *const words[] = {"",  "na",  "n/a",  "nan",  "-nan",     "null",      "none",
                                        "?", "inf", "+inf", "-inf", "infinity", "-infinity", NULL};
    return is_one_of(field, words);
}

static bool is_number(const char *field) {
    double value;
    return parse_number(&value, field);
}

static bool is_word(const char *field) {
    return !is_number(field) && !is_missing(field);
}

/* ---- what the columns are ---- */

/* The first record names the columns when none of its fields is a number, or when one is a word above a number. */
static bool find_header(const table *t) {
    bool any_number = false;
    for (int64_t k = 0; k < t->first->n; k++) {
        if (!is_word(t->first->at[k])) {
            any_number = any_number || is_number(t->first->at[k]);
        } else if (t->second->n == t->first->n && is_number(t->second->at[k])) {
            return true;
        }
    }
    for (int64_t k = 0; k < t->first->n && !any_number; k++)
        if (is_word(t->first->at[k])) return true;
    return false;
}

static strait_status fail_no_column(const table *t, strait_error *err) {
    const char *near = t->has_header ? st_nearest(t->label_option, t->first->at, (size_t)t->first->n) : NULL;
    if (near)
        return st_fail(err, STRAIT_ARGUMENT, "%s: label: there is no column '%s'; did you mean '%s'?", t->path,
                       t->label_option, near);
    return st_fail(err, STRAIT_ARGUMENT, "%s: label: there is no column '%s'; columns are numbered 0 to %lld%s",
                   t->path, t->label_option, (long long)t->n_columns - 1,
                   t->has_header ? "" : ", and none has a name: the file has no header");
}

/* The only column of words in a row, after the first, which would be the rows' names; -1: there is none, or several. */
static int64_t column_of_words(const st_words *row) {
    int64_t found = -1, n = 0;
    for (int64_t k = 1; k < row->n; k++)
        if (is_word(row->at[k])) {
            found = k;
            n++;
        }
    return n == 1 ? found : -1;
}

static strait_status find_label(table *t, strait_error *err) {
    static const char *const usual[] = {"label", "class", "target", "cluster", NULL};
    const char *option = t->label_option;
    t->label_column = -1;
    if (!option && t->announced) option = "last";
    if (!option) {
        for (int64_t k = 0; t->has_header && k < t->n_columns && t->label_column < 0; k++)
            if (is_one_of(t->first->at[k], usual)) t->label_column = k;
        if (t->label_column < 0) t->label_column = column_of_words(t->has_header ? t->second : t->first);
        return STRAIT_OK;
    }
    for (int64_t k = 0; t->has_header && k < t->n_columns && t->label_column < 0; k++)
        if (strcmp(t->first->at[k], option) == 0) t->label_column = k;
    if (t->label_column >= 0 || strcmp(option, "none") == 0) return STRAIT_OK;
    if (strcmp(option, "last") == 0) t->label_column = t->n_columns - 1;
    int64_t number;
    if (t->label_column < 0 && st_parse_int(&number, option) && number >= 0 && number < t->n_columns)
        t->label_column = number;
    return t->label_column >= 0 ? STRAIT_OK : fail_no_column(t, err);
}

static strait_status choose_columns(table *t, strait_error *err) {
    t->has_header = t->is_arff || (!t->announced && find_header(t));
    ST_TRY(find_label(t, err));
    const st_words *row = t->has_header || t->announced ? t->second : t->first;
    t->name_column = t->label_column != 0 && row->n > 1 && is_word(row->at[0]) ? 0 : -1;
    if (t->n_columns == (t->label_column >= 0) + (t->name_column >= 0))
        return st_fail(err, STRAIT_FORMAT, "%s: no column of numbers is left beside the label and the names", t->path);
    if (t->label_column >= 0) ST_TRY(st_words_new(&t->labels, err));
    if (t->name_column >= 0) ST_TRY(st_words_new(&t->names, err));
    return STRAIT_OK;
}

/* ---- rows ---- */

/* "column 3", or "column 'height' (3)". */
static void print_column(char out[96], const table *t, int64_t column) {
    char *text = t->has_header && *t->first->at[column]
                     ? st_format("column '%.60s' (%lld)", t->first->at[column], (long long)column)
                     : st_format("column %lld", (long long)column);
    const size_t n = text ? strlen(text) : 0;
    memcpy(out, text ? text : "", n + 1); /* n is less than 96: the name is cut */
    st_free(text);
}

static strait_status fail_number(const table *t, const char *field, int64_t line, int64_t column, strait_error *err) {
    const char *mend = "";
    if (strchr(field, ',')) {
        mend = "; numbers are written with a decimal point";
    } else if (!t->labels) {
        mend = "; if it is the label, name its column: --label COLUMN, or data: {label: COLUMN}";
    }
    char place[96];
    print_column(place, t, column);
    return st_fail(err, STRAIT_FORMAT, "%s: line %lld, %s: '%.40s' is not a number%s", t->path, (long long)line, place,
                   field, mend);
}

static void count_missing(table *t, int64_t line, int64_t column) {
    if (t->n_missing++ > 0) return;
    t->missing_line = line;
    t->missing_column = column;
}

static strait_status reserve(table *t, size_t n, strait_error *err) {
    if (t->n_values + n <= t->capacity) return STRAIT_OK;
    size_t capacity = t->capacity ? t->capacity * 2 : 1 << 14;
    if (capacity < t->n_values + n) capacity = t->n_values + n;
    float *more = st_realloc(t->values, capacity, sizeof *more);
    if (!more) return st_fail_memory(err, capacity * sizeof *more, t->path);
    t->values = more;
    t->capacity = capacity;
    return STRAIT_OK;
}

static strait_status fail_width(const table *t, int64_t n, int64_t line, strait_error *err) {
    const bool sparse = t->is_arff && n > 0 && t->n_rows == 0 && t->second->at[0][0] == '{';
    if (sparse)
        return st_fail(err, STRAIT_FORMAT, "%s: line %lld: sparse ARFF is not read; write its values in full", t->path,
                       (long long)line);
    if (t->is_arff)
        return st_fail(err, STRAIT_FORMAT, "%s: line %lld has %lld column%s for %lld attribute%s", t->path,
                       (long long)line, (long long)n, n == 1 ? "" : "s", (long long)t->n_columns,
                       t->n_columns == 1 ? "" : "s");
    bool words = false;
    for (int64_t k = 0; t->n_rows == 0 && k < t->first->n; k++)
        words = words || is_word(t->first->at[k]);
    return st_fail(err, STRAIT_FORMAT, "%s: line %lld has %lld column%s, line %lld has %lld%s", t->path,
                   (long long)line, (long long)n, n == 1 ? "" : "s", (long long)t->first_line, (long long)t->n_columns,
                   words ? "; let the first line name every column, or remove it" : "");
}

static strait_status add_row(table *t, const char *const *field, int64_t n, int64_t line, strait_error *err) {
    if (n != t->n_columns) return fail_width(t, n, line, err);
    ST_TRY(reserve(t, (size_t)n, err));
    for (int64_t k = 0; k < n; k++) {
        double value = 0;
        if (k == t->name_column) {
            st_words_add(t->names, field[k], strlen(field[k]));
        } else if (k == t->label_column) {
            if (is_missing(field[k]) && t->unlabelled++ == 0) t->unlabelled_line = line;
            st_words_add(t->labels, field[k], strlen(field[k]));
        } else {
            if (!parse_number(&value, field[k])) {
                if (!is_missing(field[k])) return fail_number(t, field[k], line, k, err);
                count_missing(t, line, k);
                value = NAN;
            }
            t->values[t->n_values++] = (float)value;
        }
    }
    t->n_rows++;
    return STRAIT_OK;
}

static strait_status keep_fields(st_words **out, const st_record *record, strait_error *err) {
    ST_TRY(st_words_new(out, err));
    for (int64_t k = 0; k < record->n; k++)
        st_words_add(*out, record->field[k], strlen(record->field[k]));
    return st_words_finish(*out, err);
}

/* As scikit-learn keeps its tables: the numbers of rows and features and the classes' names, then rows with the class
   as a number in the last column. */
static bool is_sklearn(const table *t) {
    int64_t n_rows = 0, n_features = 0;
    bool is = t->first->n >= 4 && st_parse_int(&n_rows, t->first->at[0]) && n_rows > 0 &&
              st_parse_int(&n_features, t->first->at[1]) && n_features > 0 && t->second->n == n_features + 1;
    for (int64_t k = 2; is && k < t->first->n; k++)
        is = is_word(t->first->at[k]);
    for (int64_t k = 0; is && k < t->second->n; k++)
        is = is_number(t->second->at[k]);
    return is;
}

/* Finds out what the columns are; record is then the first that has not been added, unless *end. */
static strait_status begin_rows(table *t, st_record *record, bool *end, st_records *records, strait_error *err) {
    t->is_arff = st_arff_is(records);
    if (t->is_arff) {
        ST_TRY(st_arff_read_header(&t->first, records, t->path, err));
    } else {
        ST_TRY(st_records_next(record, end, records, err));
        if (*end) return st_fail(err, STRAIT_FORMAT, "%s: holds no rows", t->path);
        t->first_line = record->line;
        ST_TRY(keep_fields(&t->first, record, err));
    }
    t->separator = st_records_separator(records);
    ST_TRY(st_records_next(record, end, records, err));
    if (*end) *record = (st_record){0};
    ST_TRY(keep_fields(&t->second, record, err));
    t->n_columns = t->first->n;
    if (!t->is_arff && !*end && is_sklearn(t)) {
        st_parse_int(&t->announced, t->first->at[0]);
        t->n_columns = t->second->n;
    }
    if (!*end && record->n != t->n_columns) return fail_width(t, record->n, record->line, err);
    ST_TRY(choose_columns(t, err));
    if (t->has_header || t->announced) return STRAIT_OK;
    return add_row(t, t->first->at, t->first->n, t->first_line, err);
}

static strait_status read_rows(table *t, st_records *records, strait_error *err) {
    st_record record = {0};
    bool end = false;
    ST_TRY(begin_rows(t, &record, &end, records, err));
    while (!end) {
        ST_TRY(add_row(t, (const char *const *)record.field, record.n, record.line, err));
        ST_TRY(st_records_next(&record, &end, records, err));
    }
    if (t->n_rows == 0) return st_fail(err, STRAIT_FORMAT, "%s: holds a header and no rows", t->path);
    if (t->announced && t->n_rows != t->announced)
        return st_fail(err, STRAIT_FORMAT, "%s: line %lld announces %lld rows, there are %lld; fetch or copy it again",
                       t->path, (long long)t->first_line, (long long)t->announced, (long long)t->n_rows);
    if (t->unlabelled == 0) return STRAIT_OK;
    return st_fail(
        err, STRAIT_FORMAT,
        "%s: %lld label%s missing, the first on line %lld; fill in or remove them, or read the table without "
        "labels: data: {label: none}",
        t->path, (long long)t->unlabelled, t->unlabelled == 1 ? " is" : "s are", (long long)t->unlabelled_line);
}

/* ---- from the table to a source ---- */

/* Whole numbers, "1.0" too, stay what they are; otherwise all labels are words. */
static strait_status take_labels(st_source *source, const st_words *labels, strait_error *err) {
    int64_t *numbers = st_alloc((size_t)labels->n, sizeof *numbers);
    if (!numbers) return st_fail_memory(err, (size_t)labels->n * sizeof *numbers, "labels");
    for (int64_t i = 0; i < labels->n; i++) {
        double value = 0;
        if (parse_number(&value, labels->at[i]) && value == floor(value) && fabs(value) < 0x1p53) {
            numbers[i] = (int64_t)value;
            continue;
        }
        st_free(numbers);
        return st_source_set_word_labels(source, labels->at, err);
    }
    source->labels = numbers;
    return STRAIT_OK;
}

/* The classes' names of scikit-learn's first line. */
static strait_status name_classes(st_source *source, const table *t, strait_error *err) {
    if (!t->announced || t->label_column != t->n_columns - 1 || source->words) return STRAIT_OK;
    ST_TRY(st_words_new(&source->words, err));
    for (int64_t k = 2; k < t->first->n; k++)
        st_words_add(source->words, t->first->at[k], strlen(t->first->at[k]));
    ST_TRY(st_words_finish(source->words, err));
    source->label_names = source->words->at;
    source->n_label_names = (int)source->words->n;
    return STRAIT_OK;
}

static strait_status tell_columns(st_source *source, const table *t, strait_error *err) {
    char place[96];
    if (t->label_column >= 0) {
        print_column(place, t, t->label_column);
        return st_source_set_note(source, err, "%s holds the labels%s", place,
                                  t->name_column >= 0 ? ", column 0 the rows' names" : "");
    }
    return t->name_column >= 0 ? st_source_set_note(source, err, "column 0 holds the rows' names") : STRAIT_OK;
}

static strait_status tell_missing(st_source *source, const table *t, strait_error *err) {
    char place[96];
    if (t->n_missing == 0) return STRAIT_OK;
    print_column(place, t, t->missing_column);
    source->missing = st_format("%lld value%s missing, the first on line %lld, %s", (long long)t->n_missing,
                                t->n_missing == 1 ? " is" : "s are", (long long)t->missing_line, place);
    return source->missing ? STRAIT_OK : st_fail_memory(err, sizeof place, "a message");
}

static strait_status fill_source(st_source *source, table *t, strait_error *err) {
    const int64_t dim[] = {t->n_rows, t->n_columns - (t->label_column >= 0) - (t->name_column >= 0)};
    size_t bytes = 0;
    source->type = ST_F32;
    ST_TRY(st_source_set_shape(&bytes, source, 2, dim, err));
    float *values = st_realloc(t->values, t->n_values, sizeof *values);
    if (!values) return st_fail_memory(err, bytes, source->path);
    source->values = values;
    t->values = NULL;
    ST_TRY(tell_missing(source, t, err));
    ST_TRY(st_source_count_missing(source, err));
    if (t->labels) {
        ST_TRY(st_words_finish(t->labels, err));
        ST_TRY(take_labels(source, t->labels, err));
        ST_TRY(name_classes(source, t, err));
    }
    if (t->names) {
        ST_TRY(st_words_finish(t->names, err));
        source->names = t->names->at;
        source->state = t->names;
        t->names = NULL;
    }
    return tell_columns(source, t, err);
}

static strait_status open_csv(st_source *source, const char *path, const st_source_options *options,
                              strait_error *err) {
    table t = {.path = path, .label_option = options->label};
    st_records *records = NULL;
    ST_TRY(st_records_open(&records, path, err));
    strait_status status = read_rows(&t, records, err);
    if (status == STRAIT_OK) status = fill_source(source, &t, err);
    st_records_close(records);
    st_words_free(t.first);
    st_words_free(t.second);
    st_words_free(t.names);
    st_words_free(t.labels);
    st_free(t.values);
    return status;
}

static void close_csv(st_source *source) {
    st_words_free(source->state);
}

/* ---- probing ---- */

static bool is_text(const uint8_t *head, size_t n) {
    for (size_t i = 0; i < n; i++)
        if ((head[i] < ' ' && head[i] != '\t' && head[i] != '\n' && head[i] != '\r') || head[i] == 0x7f) return false;
    return true;
}

/* Fields of the line [begin, end), and how many of them are numbers; quoted separators are not looked for here. */
static void count_fields(int64_t *n_fields, int64_t *n_numbers, const uint8_t *begin, const uint8_t *end) {
    char field[64];
    size_t n = 0;
    *n_fields = *n_numbers = 0;
    for (const uint8_t *c = begin;; c++) {
        const bool at_end = c == end;
        if (!at_end && *c != ',' && *c != ';' && *c != '\t') {
            if (n + 1 < sizeof field && *c != ' ' && *c != '\r') field[n++] = (char)*c;
            continue;
        }
        field[n] = '\0';
        n = 0;
        ++*n_fields;
        *n_numbers += is_number(field);
        if (at_end) return;
    }
}

/* By its name: then open can say what is wrong with the bytes. Else by one of its first two lines: at least two fields,
   and numbers but for two of them at most. */
static bool probe_csv(const char *path, const uint8_t *head, size_t n) {
    static const char *const endings[] = {".csv", ".tsv", ".arff", ".csv.gz", ".tsv.gz", ".arff.gz", NULL};
    for (int i = 0; endings[i]; i++)
        if (st_ends_with(path, endings[i])) return true;
    if (!is_text(head, n)) return false;
    const uint8_t *line = head;
    for (int i = 0; i < 2 && line < head + n; i++) {
        const uint8_t *end = memchr(line, '\n', (size_t)(head + n - line));
        if (!end) end = head + n;
        int64_t n_fields, n_numbers;
        count_fields(&n_fields, &n_numbers, line, end);
        if (n_fields >= 2 && n_numbers >= 1 && n_numbers >= n_fields - 2) return true;
        line = end + 1;
    }
    return false;
}

const st_reader st_reader_csv = {.name = "csv", .probe = probe_csv, .open = open_csv, .close = close_csv};
