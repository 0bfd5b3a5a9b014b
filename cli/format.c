#include "format.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "terminal.h"

static __attribute__((format(printf, 1, 2))) cli_word word(const char *format, ...) {
    cli_word out;
    va_list list;
    va_start(list, format);
    vsnprintf(out.text, sizeof out.text, format, list);
    va_end(list);
    return out;
}

cli_word cli_count(int64_t n) {
    char digits[24];
    cli_word out = {{0}};
    const int length = snprintf(digits, sizeof digits, "%" PRId64, n);
    size_t at = 0;
    for (int i = 0; i < length; i++) {
        const int left = length - i;
        if (i > 0 && left % 3 == 0 && digits[i - 1] != '-') out.text[at++] = ',';
        out.text[at++] = digits[i];
    }
    return out;
}

cli_word cli_rate(double per_second) {
    static const struct {
        double unit;
        const char *name;
    } scale[] = {{1e9, "G"}, {1e6, "M"}, {1e3, "k"}};
    if (!isfinite(per_second) || per_second < 0) return word("?");
    for (size_t i = 0; i < sizeof scale / sizeof *scale; i++) {
        const double value = per_second / scale[i].unit;
        if (value >= 99.95) return word("%.0f%s", value, scale[i].name);
        if (value >= 0.9995) return word("%.1f%s", value, scale[i].name);
    }
    return word(per_second < 9.95 ? "%.1f" : "%.0f", per_second);
}

cli_word cli_loss(double loss) {
    return isfinite(loss) ? word("%#.4g", loss) : word(isnan(loss) ? "nan" : "inf");
}

cli_word cli_duration(double seconds) {
    if (!isfinite(seconds) || seconds < 0) return word("?");
    if (seconds < 9.95) return word("%.1f s", seconds);
    if (seconds < 119.5) return word("%.0f s", seconds);
    const int64_t whole = (int64_t)(seconds + 0.5);
    if (whole < 7200) return word("%" PRId64 " min %" PRId64 " s", whole / 60, whole % 60);
    return word("%" PRId64 " h %" PRId64 " min", whole / 3600, whole % 3600 / 60);
}

cli_word cli_bytes(double bytes) {
    static const char *const unit[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    size_t i = 0;
    while (bytes >= 1023.5 && i + 1 < sizeof unit / sizeof *unit) {
        bytes /= 1024;
        i++;
    }
    return word(i > 0 && bytes < 9.95 ? "%.1f %s" : "%.0f %s", bytes, unit[i]);
}

cli_word cli_shape(int n_dims, const int64_t *dim) {
    cli_word out = {{0}};
    size_t at = 0;
    for (int i = 0; i < n_dims && at < sizeof out.text; i++) {
        const int wrote = snprintf(out.text + at, sizeof out.text - at, "%s%" PRId64,
                                   i == 0       ? ""
                                   : cli_utf8() ? " \u00d7 "
                                                : " x ",
                                   dim[i]);
        at += wrote > 0 ? (size_t)wrote : 0;
    }
    return out;
}

cli_quoted cli_shell(const char *path) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./,:=@%+";
    cli_quoted out = {{0}};
    size_t at = 0;
    const bool quote = !*path || strspn(path, plain) != strlen(path);
    if (quote) out.text[at++] = '\'';
    for (; *path && at + 6 < sizeof out.text; path++) {
        if (*path == '\'') {
            memcpy(out.text + at, "'\\''", 4);
            at += 4;
        } else {
            out.text[at++] = *path;
        }
    }
    if (quote) out.text[at] = '\'';
    return out;
}
