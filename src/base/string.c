#include "base/string.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/memory.h"

/* The "C" locale, made once: numbers read and print the same whatever the program has set. */
static locale_t c_locale(void) {
    static _Atomic(locale_t) made;
    locale_t locale = atomic_load(&made);
    if (!locale) {
        locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
        locale_t before = (locale_t)0;
        if (locale && !atomic_compare_exchange_strong(&made, &before, locale)) {
            freelocale(locale);
            locale = before;
        }
    }
    return locale;
}

int st_format_into(char *out, size_t n, const char *format, va_list args) {
    const locale_t c = c_locale(), old = c ? uselocale(c) : (locale_t)0;
    const int length = vsnprintf(out, n, format, args);
    if (old) uselocale(old);
    return length;
}

static void print(char *out, size_t n, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void print(char *out, size_t n, const char *format, ...) {
    va_list args;
    va_start(args, format);
    st_format_into(out, n, format, args);
    va_end(args);
}

/* ---- growing strings ---- */

/* Room for n more bytes and the NUL. */
static bool reserve(st_text *text, size_t n) {
    if (text->failed) return false;
    if (n < text->capacity - text->length) return true;
    size_t capacity = text->capacity ? text->capacity : 64;
    while (capacity - text->length <= n && capacity < SIZE_MAX / 2)
        capacity *= 2;
    char *bytes = capacity - text->length > n ? st_realloc(text->bytes, capacity, 1) : NULL;
    if (!bytes) {
        st_free(text->bytes);
        *text = (st_text){.failed = true};
        return false;
    }
    bytes[text->length] = 0;
    text->bytes = bytes;
    text->capacity = capacity;
    return true;
}

void st_text_add(st_text *text, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    const int length = st_format_into(NULL, 0, format, args);
    if (length >= 0 && reserve(text, (size_t)length)) {
        st_format_into(text->bytes + text->length, (size_t)length + 1, format, again);
        text->length += (size_t)length;
    }
    va_end(again);
    va_end(args);
}

void st_text_add_bytes(st_text *text, const void *bytes, size_t n) {
    if (!reserve(text, n) || n == 0) return;
    memcpy(text->bytes + text->length, bytes, n);
    text->length += n;
    text->bytes[text->length] = 0;
}

void st_text_add_json(st_text *text, const char *string) {
    st_text_add(text, "\"");
    for (const unsigned char *c = (const unsigned char *)string; *c; c++) {
        if (*c == '"' || *c == '\\')
            st_text_add(text, "\\%c", *c);
        else if (*c == '\n')
            st_text_add(text, "\\n");
        else if (*c < 0x20)
            st_text_add(text, "\\u%04x", *c);
        else
            st_text_add_bytes(text, c, 1);
    }
    st_text_add(text, "\"");
}

void st_text_add_cell(st_text *text, const char *value) {
    if (!strpbrk(value, ",\"\r\n")) {
        st_text_add(text, "%s", value);
        return;
    }
    st_text_add(text, "\"");
    for (; *value; value++)
        st_text_add(text, "%s%c", *value == '"' ? "\"" : "", *value);
    st_text_add(text, "\"");
}

strait_status st_text_take(char **out, st_text *text, strait_error *err) {
    *out = NULL;
    reserve(text, 0); /* a text nothing was added to is "" */
    const bool failed = text->failed;
    *out = text->bytes;
    *text = (st_text){0};
    return failed ? st_fail(err, STRAIT_MEMORY, "out of memory while putting a text together") : STRAIT_OK;
}

void st_text_free(st_text *text) {
    st_free(text->bytes);
    *text = (st_text){0};
}

char *st_format(const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    const int length = st_format_into(NULL, 0, format, args);
    char *string = length < 0 ? NULL : st_alloc((size_t)length + 1, 1);
    if (string) st_format_into(string, (size_t)length + 1, format, again);
    va_end(again);
    va_end(args);
    return string;
}

/* ---- suggestions ---- */

#define WORD_LIMIT 64

static int least(int a, int b) {
    return a < b ? a : b;
}

/* Edits that turn a into b: insert, delete, replace a character, swap two neighbours (optimal string alignment). */
static int edit_distance(const char *a, int n_a, const char *b, int n_b) {
    int rows[3][WORD_LIMIT + 1];
    int *before = rows[0], *last = rows[1], *row = rows[2];
    for (int j = 0; j <= n_b; j++)
        last[j] = j;
    for (int i = 1; i <= n_a; i++) {
        row[0] = i;
        for (int j = 1; j <= n_b; j++) {
            row[j] = least(least(last[j] + 1, row[j - 1] + 1), last[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], before[j - 2] + 1);
        }
        int *const spare = before;
        before = last;
        last = row;
        row = spare;
    }
    return last[n_b];
}

const char *st_nearest(const char *word, const char *const *candidates, size_t n) {
    const int length = (int)strnlen(word, WORD_LIMIT + 1);
    if (length > WORD_LIMIT) return NULL;
    const int limit = length / 3 < 1 ? 1 : least(length / 3, 3);
    const char *nearest = NULL;
    int best = limit + 1;
    for (size_t i = 0; i < n; i++) {
        const int n_candidate = (int)strnlen(candidates[i], WORD_LIMIT + 1);
        if (n_candidate > WORD_LIMIT) continue;
        const int distance = edit_distance(word, length, candidates[i], n_candidate);
        if (distance < best) {
            best = distance;
            nearest = candidates[i];
        }
    }
    return nearest;
}

/* ---- numbers ---- */

static const char *skip_digits(const char *s) {
    while (*s >= '0' && *s <= '9')
        s++;
    return s;
}

bool st_parse_double(double *out, const char *string) {
    const char *s = string + (*string == '+' || *string == '-');
    const char *whole = s;
    s = skip_digits(s);
    size_t n_digits = (size_t)(s - whole);
    if (*s == '.') {
        const char *fraction = ++s;
        s = skip_digits(s);
        n_digits += (size_t)(s - fraction);
    }
    if (n_digits == 0) return false;
    if (*s == 'e' || *s == 'E') {
        s++;
        if (*s == '+' || *s == '-') s++;
        const char *exponent = s;
        s = skip_digits(s);
        if (s == exponent) return false;
    }
    if (*s) return false;
    const double value = strtod_l(string, NULL, c_locale());
    if (!isfinite(value)) return false;
    *out = value;
    return true;
}

bool st_parse_int(int64_t *out, const char *string) {
    const char *digits = string + (*string == '+' || *string == '-');
    const char *end = skip_digits(digits);
    if (end == digits || *end) return false;
    const int saved = errno;
    errno = 0;
    const long long value = strtoll(string, NULL, 10);
    const bool fits = errno == 0;
    errno = saved;
    if (fits) *out = value;
    return fits;
}

/* Numbers without a fraction up to limit are written out: 10 and not 1e+01. */
static bool print_plain(char out[32], double value, double limit) {
    if (isnan(value)) return print(out, 32, "nan"), true;
    if (isinf(value)) return print(out, 32, value < 0 ? "-inf" : "inf"), true;
    if (fabs(value) >= limit || value != floor(value)) return false;
    print(out, 32, "%.0f", value);
    return true;
}

void st_print_double(char out[32], double value) {
    if (print_plain(out, value, 1e15)) return;
    const locale_t c = c_locale();
    int digits = 15;
    print(out, 32, "%.15g", value);
    if (strtod_l(out, NULL, c) == value) digits = 1; /* 15 do: fewer may */
    for (; digits <= 17; digits++) {
        print(out, 32, "%.*g", digits, value);
        if (strtod_l(out, NULL, c) == value) return;
    }
}

/* How many digits a float needs, by exact powers of ten in double; a first guess, st_print_float makes sure. */
static int guess_digits(float value) {
    static const double power[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10,
                                   1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21};
    const double x = fabs((double)value);
    if (!(x >= 1e-12 && x < 1e9)) return 1;
    int places = 0; /* decimal places of the first digit */
    if (x < 1) {
        while (x * power[places] < 1)
            places++;
    } else {
        while (x >= power[1 - places])
            places--;
    }
    for (int digits = 1; digits < 9; digits++) {
        const int shift = places + digits - 1; /* digits after the point */
        const double rounded =
            shift >= 0 ? rint(x * power[shift]) / power[shift] : rint(x / power[-shift]) * power[-shift];
        if ((float)rounded == (float)x) return digits;
    }
    return 9;
}

void st_print_float(char out[32], float value) {
    if (print_plain(out, (double)value, 1e9)) return;
    const locale_t c = c_locale();
    for (int digits = guess_digits(value); digits <= 9; digits++) {
        print(out, 32, "%.*g", digits, (double)value);
        if (strtof_l(out, NULL, c) == value) return;
    }
}

bool st_ends_with(const char *string, const char *ending) {
    const size_t n = strlen(string), n_ending = strlen(ending);
    return n >= n_ending && memcmp(string + n - n_ending, ending, n_ending) == 0;
}

bool st_starts_with(const char *string, const char *start) {
    return strncmp(string, start, strlen(start)) == 0;
}
