#include "terminal.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include "cli.h"
#include "format.h"

static bool utf8, live, drawn; /* drawn: a line stands on the terminal without its newline */

/* ---- control characters ---- */

/* How far into a character of UTF-8 a stream is. */
typedef struct place {
    int left; /* bytes that are still to come */
    bool may_be_control;
} place;

static char make_plain(place *at, char byte) {
    const unsigned char c = (unsigned char)byte;
    if (c < 0x80) {
        at->left = 0;
        return (c < ' ' && c != '\n' && c != '\t') || c == 0x7f ? '?' : byte;
    }
    if (c >= 0xc0) {
        at->left = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
        at->may_be_control = c == 0xc2; /* U+0080 to U+009F are C2 80 to C2 9F */
        return byte;
    }
    const bool within = at->left > 0, control = c < 0xa0 && (!within || at->may_be_control);
    if (within) at->left--;
    if (!control) return byte;
    return within ? (char)0xbf : '?'; /* its C2 is printed: C2 BF, an upside-down '?', is UTF-8 as before */
}

static bool escapes;

void cli_escapes(bool on) {
    fflush(stdout);
    escapes = on;
}

/* For fopencookie: what was not written is an error, with errno. */
static ssize_t write_stdout(void *cookie, const char *bytes, size_t n) {
    static place at;
    char plain[4096];
    (void)cookie;
    for (size_t done = 0; done < n;) {
        const size_t part = n - done < sizeof plain ? n - done : sizeof plain;
        for (size_t i = 0; i < part; i++)
            plain[i] = escapes ? bytes[done + i] : make_plain(&at, bytes[done + i]);
        for (size_t sent = 0; sent < part;) {
            const ssize_t now = write(STDOUT_FILENO, plain + sent, part - sent);
            if (now < 0 && errno == EINTR) continue;
            if (now <= 0) return 0;
            sent += (size_t)now;
        }
        done += part;
    }
    return (ssize_t)n;
}

/* Where it cannot be taken it stays as it was. */
static void take_stdout(void) {
    FILE *filtered = fopencookie(NULL, "w", (cookie_io_functions_t){.write = write_stdout});
    if (!filtered) return;
    setvbuf(filtered, NULL, isatty(STDOUT_FILENO) ? _IOLBF : _IOFBF, BUFSIZ);
    stdout = filtered;
}

/* ---- the terminal ---- */

void cli_terminal_start(void) {
    const char *term = getenv("TERM");
    take_stdout();
    setlocale(LC_CTYPE, "");
    utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    live = isatty(STDERR_FILENO) && term && *term && strcmp(term, "dumb") != 0;
}

bool cli_utf8(void) {
    return utf8;
}
bool cli_live(void) {
    return live;
}
const char *cli_dot(void) {
    return utf8 ? " \u00b7 " : ", ";
}

int cli_columns(int fd) {
    struct winsize size;
    return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

int cli_rows(int fd) {
    struct winsize size;
    return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 ? size.ws_row : 24;
}

double cli_clock(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

void cli_line_add(cli_line *line, const char *format, ...) {
    va_list list;
    va_start(list, format);
    const int wrote = vsnprintf(line->text + line->length, sizeof line->text - line->length, format, list);
    va_end(list);
    const size_t before = line->length;
    if (wrote > 0) line->length += (size_t)wrote;
    if (line->length >= sizeof line->text) line->length = sizeof line->text - 1;
    place at = {0};
    for (size_t i = before; i < line->length; i++)
        line->text[i] = make_plain(&at, line->text[i]);
}

void cli_line_add_bar(cli_line *line, int columns, double share) {
    if (!(share > 0)) share = 0;
    if (share > 1) share = 1;
    const int full = (int)(share * columns + 0.5);
    for (int i = 0; i < columns; i++)
        cli_line_add(line, "%s", i < full ? utf8 ? "\u2501" : "#" : utf8 ? "\u2500" : "-");
}

static bool starts_character(char byte) {
    return ((unsigned char)byte & 0xc0) != 0x80;
}

int cli_text_columns(const char *text) {
    int columns = 0;
    for (; *text; text++)
        columns += starts_character(*text);
    return columns;
}

void cli_line_redraw(const cli_line *line) {
    if (!live) return;
    const int columns = cli_columns(STDERR_FILENO) - 1; /* the last column would wrap on some terminals */
    size_t n = 0;
    for (int used = 0; n < line->length; n++) {
        if (starts_character(line->text[n]) && used++ == columns) break;
    }
    fprintf(stderr, "\r%.*s\033[K", (int)n, line->text);
    fflush(stderr);
    drawn = true;
}

void cli_line_wipe(void) {
    if (!drawn) return;
    fputs("\r\033[K", stderr);
    drawn = false;
}

/* One line whatever is in it: a file's name may hold a line feed or an escape. */
static void print_line(const char *start, const char *end, const char *format, va_list list) {
    char text[2560];
    place at = {0};
    vsnprintf(text, sizeof text, format, list);
    for (char *c = text; *c; c++)
        *c = *c == '\n' || *c == '\t' ? ' ' : make_plain(&at, *c);
    cli_line_wipe();
    fprintf(stderr, "%s%s%s", start, text, end);
}

void cli_ask(const char *format, ...) {
    va_list list;
    va_start(list, format);
    print_line("", "", format, list);
    va_end(list);
    fflush(stderr);
}

void cli_say(const char *format, ...) {
    va_list list;
    va_start(list, format);
    print_line("", "\n", format, list);
    va_end(list);
}

void cli_error(const char *format, ...) {
    va_list list;
    va_start(list, format);
    print_line("strait: ", "\n", format, list);
    va_end(list);
}

cli_exit cli_usage(const char *format, ...) {
    va_list list;
    va_start(list, format);
    print_line("strait: ", "\n", format, list);
    va_end(list);
    return CLI_USAGE;
}

cli_exit cli_failed(const strait_error *err) {
    cli_error("%s", err->message[0] ? err->message : strait_status_text(err->code));
    return CLI_FAILED;
}

cli_exit cli_no_memory(void) {
    cli_error("%s", strait_status_text(STRAIT_MEMORY));
    return CLI_FAILED;
}

void cli_work_progress(void *context, int64_t done, int64_t total) {
    cli_work *work = context;
    if (!live || work->quiet || total <= 0) return;
    const double now = cli_clock();
    if (work->began == 0) work->began = work->drawn = now;
    if (done >= total) {
        cli_line_wipe();
        return;
    }
    if (now - work->began < 0.3 || now - work->drawn < 0.05) return;
    work->drawn = now;
    const double share = (double)done / (double)total;
    cli_line line = {{0}, 0};
    cli_line_add(&line, "%s ", work->verb);
    cli_line_add_bar(&line, 20, share);
    cli_line_add(&line, " %s/%s%s%s left", cli_count(done).text, cli_count(total).text, cli_dot(),
                 cli_duration((now - work->began) * (1 - share) / share).text);
    cli_line_redraw(&line);
}
