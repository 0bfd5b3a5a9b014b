#include "base/status.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include "base/string.h"

STRAIT_API const char *strait_status_text(strait_status status) {
    switch (status) {
#define STATUS_CASE(name, words)                                                                                       \
    case STRAIT_##name: return words;
        STRAIT_STATUS_LIST(STATUS_CASE)
#undef STATUS_CASE
    }
    return "unknown status";
}

/* A message is one line of whole characters, whatever file names and foreign text went into it. */
static void tidy(char *message, size_t capacity, bool cut) {
    size_t n = strlen(message);
    if (cut && n + 1 == capacity) { /* a UTF-8 sequence may have been cut in two: drop what is left of it */
        size_t start = n;
        while (start > 0 && ((unsigned char)message[start - 1] & 0xC0) == 0x80)
            start--;
        if (start > 0 && (unsigned char)message[start - 1] >= 0xC0) n = start - 1;
        message[n] = 0;
    }
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)message[i] < 0x20 || message[i] == 0x7F) message[i] = ' ';
}

static strait_status fail(strait_error *err, strait_status code, const char *ending, const char *format, va_list args) {
    if (!err) return code;
    const size_t capacity = sizeof err->message;
    err->code = code;
    int length = st_format_into(err->message, capacity, format, args);
    if (length < 0) err->message[0] = 0, length = 0;
    size_t used = (size_t)length;
    if (ending && used + 1 < capacity) {
        const size_t room = capacity - 1 - used, wanted = strlen(ending), n = wanted < room ? wanted : room;
        memcpy(err->message + used, ending, n);
        err->message[used + n] = 0;
        used += wanted;
    }
    tidy(err->message, capacity, used >= capacity);
    return code;
}

strait_status st_fail(strait_error *err, strait_status code, const char *format, ...) {
    va_list args;
    va_start(args, format);
    fail(err, code, NULL, format, args);
    va_end(args);
    return code;
}

/* The words for errno in English: not those of the locale. */
static const char *errno_words(int code) {
#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 32)
    const char *words = strerrordesc_np(code);
    return words ? words : "unknown error";
#else
    return strerror(code);
#endif
}

strait_status st_fail_errno(strait_error *err, const char *format, ...) {
    char ending[256] = ": ";
    const char *words = errno_words(errno);
    const size_t n = strnlen(words, sizeof ending - 3);
    memcpy(ending + 2, words, n);
    const strait_status code = errno == ENOMEM ? STRAIT_MEMORY : STRAIT_IO;
    va_list args;
    va_start(args, format);
    fail(err, code, ending, format, args);
    va_end(args);
    return code;
}

strait_status st_fail_memory(strait_error *err, size_t bytes, const char *what) {
    return st_fail(err, STRAIT_MEMORY, "out of memory (asked for %zu bytes for %s)", bytes, what);
}
