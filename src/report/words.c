#include "report/words_int.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/string.h"

static st_word word(const char *format, ...) __attribute__((format(printf, 1, 2)));
static st_word word(const char *format, ...) {
    st_word out = {""};
    va_list args;
    va_start(args, format);
    st_format_into(out.text, sizeof out.text, format, args);
    va_end(args);
    return out;
}

st_word st_word_count(int64_t n) {
    const st_word digits = word("%llu", n < 0 ? 0ull - (unsigned long long)n : (unsigned long long)n);
    st_word out = {""};
    size_t at = 0;
    if (n < 0) out.text[at++] = '-';
    for (size_t i = 0, length = strlen(digits.text); i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0) out.text[at++] = ',';
        out.text[at++] = digits.text[i];
    }
    return out;
}

st_word st_word_number(double value) {
    if (isnan(value)) return word("–");
    if (isinf(value)) return word("%s∞", value < 0 ? "−" : "");
    if (value != 0 && (fabs(value) < 1e-4 || fabs(value) >= 1e6)) return word("%.3g", value);
    return word("%.4g", value);
}

st_word st_word_exact(double value) {
    st_word out = {"–"};
    char digits[32];
    if (!isfinite(value)) return isnan(value) ? out : word("%s∞", value < 0 ? "−" : "");
    st_print_double(digits, value);
    return word("%s", digits);
}

st_word st_word_share(double share) {
    if (!isfinite(share)) return word("–");
    const double percent = 100 * share;
    if (percent == 0 || percent >= 9.95) return word("%.0f %%", percent);
    return percent < 0.05 ? word("%.1g %%", percent) : word("%.1f %%", percent);
}

st_word st_word_seconds(double seconds) {
    if (!isfinite(seconds)) return word("–");
    if (seconds < 9.95) return word("%.2g s", seconds);
    if (seconds < 59.5) return word("%.0f s", seconds);
    const int64_t whole = (int64_t)(fmin(seconds, 1e15) + 0.5);
    if (whole < 3600) return word("%lld min %lld s", (long long)whole / 60, (long long)whole % 60);
    return word("%lld h %lld min", (long long)whole / 3600, (long long)whole / 60 % 60);
}

st_word st_word_bytes(double bytes) {
    static const char *const unit[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    int i = 0;
    while (i < 4 && bytes >= 1000) {
        bytes /= 1024;
        i++;
    }
    return i == 0 || bytes >= 99.5 ? word("%.0f %s", bytes, unit[i]) : word("%.2g %s", bytes, unit[i]);
}

st_word st_word_rate(double per_second) {
    if (!isfinite(per_second)) return word("–");
    if (per_second >= 999500) return word("%.3gM", per_second / 1e6);
    if (per_second >= 999.5) return word("%.3gk", per_second / 1e3);
    return word("%.3g", per_second);
}

st_word st_word_shape(int n, const int64_t *dim) {
    st_word out = {""};
    for (int i = 0; i < n; i++) {
        const st_word part = word("%s%s%lld", out.text, i ? "×" : "", (long long)dim[i]);
        out = part;
    }
    return out;
}
