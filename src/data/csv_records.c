/* Invariants:
   - bytes[begin .. end) of the buffer is text not handed out yet; a record handed out lies before begin, and stays
     until the buffer is filled again.
   - `line` is the line begin is on.
   A quote opens only at the start of a field (blanks apart); inside, two quotes stand for one. RFC 4180, with any of
   LF and CR LF at the ends of lines. */
#include <string.h>
#include "base/memory.h"
#include "data/csv_int.h"
#include "data/gzfile.h"

enum { FIRST_CAPACITY = 1 << 16 };

/* A record longer than this is a quote left open, or no table. */
#define MAX_RECORD_BYTES ((size_t)1 << 28)

struct st_records {
    const char *path; /* the caller's */
    st_gzfile *file;
    char *bytes; /* [capacity] */
    size_t capacity, begin, end;
    bool ended; /* the file gives no more */
    char separator;
    char comment; /* begins lines that are left out; 0: none are */
    int64_t line;
    char **field; /* [field_capacity] */
    size_t field_capacity;
};

/* Moves what is left to the front and reads more behind it, into a bigger buffer when it is full. */
static strait_status fill(st_records *records, strait_error *err) {
    memmove(records->bytes, records->bytes + records->begin, records->end - records->begin);
    records->end -= records->begin;
    records->begin = 0;
    if (records->end == records->capacity) {
        if (records->capacity >= MAX_RECORD_BYTES)
            return st_fail(err, STRAIT_FORMAT,
                           "%s: line %lld: more than %zu bytes without an end; is a quote left open?", records->path,
                           (long long)records->line, MAX_RECORD_BYTES);
        /* One to spare: the last record gets its NUL there. */
        char *more = st_realloc(records->bytes, records->capacity * 2 + 1, 1);
        if (!more) return st_fail_memory(err, records->capacity * 2, records->path);
        records->bytes = more;
        records->capacity *= 2;
    }
    size_t got = 0;
    const size_t room = records->capacity - records->end;
    ST_TRY(st_gzfile_read(&got, records->file, records->bytes + records->end, room, err));
    if (memchr(records->bytes + records->end, '\0', got))
        return st_fail(err, STRAIT_FORMAT, "%s: not a text file: it holds zero bytes after line %lld", records->path,
                       (long long)records->line);
    records->end += got;
    records->ended = got < room;
    return records->ended ? st_gzfile_expect_end(records->file, err) : STRAIT_OK;
}

static bool is_blank(char c, char separator) {
    return (c == ' ' || c == '\t') && c != separator;
}

/* The length of the record at `begin` without its line's end, and its lines; false when the buffer ends first. */
static bool measure_record(const st_records *records, size_t *length, int64_t *lines) {
    const char *at = records->bytes + records->begin, *end = records->bytes + records->end;
    bool at_start = true, inside = false;
    *lines = 1;
    for (const char *c = at; c < end; c++) {
        if (*c == '"' && (inside || at_start)) {
            inside = !inside; /* of two quotes in a row the second opens again: at_start is kept below */
            at_start = true;
        } else if (*c == '\n' && !inside) {
            *length = (size_t)(c - at);
            return true;
        } else {
            *lines += *c == '\n';
            at_start = *c == records->separator || (at_start && is_blank(*c, records->separator));
        }
    }
    *length = (size_t)(end - at);
    return records->ended && !inside;
}

/* Resolves the quoted field at text in place; *end receives where the field's separator (or NUL) stands. */
static char *take_quoted(char *text, char **end) {
    char *from = text + 1, *to = text;
    while (*from && (*from != '"' || from[1] == '"')) {
        from += *from == '"';
        *to++ = *from++;
    }
    if (*from == '"') from++;
    *end = from;
    *to = '\0';
    return text;
}

static strait_status add_field(st_records *records, size_t n, char *field, strait_error *err) {
    if (n == records->field_capacity) {
        const size_t capacity = records->field_capacity * 2;
        char **more = st_realloc(records->field, capacity, sizeof *more);
        if (!more) return st_fail_memory(err, capacity * sizeof *more, records->path);
        records->field = more;
        records->field_capacity = capacity;
    }
    records->field[n] = field;
    return STRAIT_OK;
}

/* Cuts text, NUL-terminated, into fields in place. */
static strait_status split(st_record *out, st_records *records, char *text, strait_error *err) {
    const char separator = records->separator;
    out->n = 0;
    for (char *next = text; next;) {
        while (is_blank(*next, separator))
            next++;
        char *field = next, *end = next;
        const bool quoted = *field == '"';
        if (quoted) {
            take_quoted(field, &end);
            while (is_blank(*end, separator))
                end++;
            if (*end && *end != separator)
                return st_fail(err, STRAIT_FORMAT, "%s: line %lld: more text after a closing quote", records->path,
                               (long long)out->line);
        } else {
            end = strchrnul(field, separator);
        }
        next = *end ? end + 1 : NULL;
        if (!quoted) {
            while (end > field && is_blank(end[-1], separator))
                end--;
            *end = '\0';
        }
        ST_TRY(add_field(records, (size_t)out->n, field, err));
        out->n++;
    }
    return STRAIT_OK;
}

strait_status st_records_line(char **out, bool *end, st_records *records, strait_error *err) {
    char *stop = NULL;
    for (;;) {
        char *text = records->bytes + records->begin;
        const size_t n = records->end - records->begin;
        stop = memchr(text, '\n', n);
        if (!stop && records->ended) stop = text + n;
        if (stop) break;
        ST_TRY(fill(records, err));
    }
    *end = records->begin == records->end;
    if (*end) return STRAIT_OK;
    *out = records->bytes + records->begin;
    records->begin = (size_t)(stop - records->bytes) + (*stop == '\n' && stop < records->bytes + records->end);
    records->line++;
    *stop = '\0';
    if (stop > *out && stop[-1] == '\r') stop[-1] = '\0';
    return STRAIT_OK;
}

void st_records_set_style(st_records *records, char mark, char separator) {
    records->comment = mark;
    records->separator = separator;
}

int64_t st_records_line_number(const st_records *records) {
    return records->line;
}

const char *st_records_ahead(const st_records *records, size_t *n) {
    *n = records->end - records->begin;
    return records->bytes + records->begin;
}

static strait_status skip_comments(st_records *records, strait_error *err) {
    while (records->comment) {
        char *line = NULL;
        bool end = false;
        if (records->begin == records->end && !records->ended) ST_TRY(fill(records, err));
        if (records->begin == records->end || records->bytes[records->begin] != records->comment) break;
        ST_TRY(st_records_line(&line, &end, records, err));
    }
    return STRAIT_OK;
}

strait_status st_records_next(st_record *out, bool *end, st_records *records, strait_error *err) {
    for (;;) {
        size_t length = 0;
        int64_t lines = 0;
        ST_TRY(skip_comments(records, err));
        while (!measure_record(records, &length, &lines)) {
            if (records->ended)
                return st_fail(err, STRAIT_FORMAT, "%s: line %lld: a quote is left open", records->path,
                               (long long)records->line);
            ST_TRY(fill(records, err));
        }
        *end = records->begin == records->end;
        if (*end) return STRAIT_OK;
        char *text = records->bytes + records->begin;
        *out = (st_record){.line = records->line};
        records->line += lines;
        records->begin += length < records->end - records->begin ? length + 1 : length;
        if (length > 0 && text[length - 1] == '\r') length--;
        text[length] = '\0';
        if (text[strspn(text, " \t")] == '\0' && !memchr(text, records->separator, length)) continue;
        ST_TRY(split(out, records, text, err));
        out->field = records->field;
        return STRAIT_OK;
    }
}

/* Looks at the first line that is not blank, quoted text apart. */
static void find_separator(st_records *records) {
    static const char candidates[] = "\t;,";
    bool seen[3] = {false}, inside = false, any = false;
    for (size_t i = records->begin; i < records->end; i++) {
        const char c = records->bytes[i];
        if (c == '"') inside = !inside;
        if (c == '\n' && !inside && any) break;
        any = any || (c != '\n' && c != '\r');
        const char *found = inside ? NULL : memchr(candidates, c, 3);
        if (found) seen[found - candidates] = true;
    }
    records->separator = seen[0] ? '\t' : seen[1] ? ';' : ',';
}

static strait_status open_records(st_records *records, strait_error *err) {
    records->line = 1;
    records->separator = ',';
    records->capacity = FIRST_CAPACITY;
    records->field_capacity = 64;
    records->bytes = st_alloc(records->capacity + 1, 1);
    records->field = st_alloc(records->field_capacity, sizeof *records->field);
    if (!records->bytes || !records->field) return st_fail_memory(err, records->capacity, records->path);
    ST_TRY(st_gzfile_open(&records->file, records->path, err));
    ST_TRY(fill(records, err));
    if (records->end >= 3 && memcmp(records->bytes, "\xef\xbb\xbf", 3) == 0) records->begin = 3;
    find_separator(records);
    return STRAIT_OK;
}

strait_status st_records_open(st_records **out, const char *path, strait_error *err) {
    st_records *records = st_alloc(1, sizeof *records);
    if (!records) return st_fail_memory(err, sizeof *records, "reading a table");
    records->path = path;
    const strait_status status = open_records(records, err);
    if (status == STRAIT_OK) {
        *out = records;
    } else {
        st_records_close(records);
    }
    return status;
}

char st_records_separator(const st_records *records) {
    return records->separator;
}

void st_records_close(st_records *records) {
    if (!records) return;
    st_gzfile_close(records->file);
    st_free(records->bytes);
    st_free(records->field);
    st_free(records);
}
