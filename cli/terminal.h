/* What goes to stderr while a command works: one line redrawn in place on a terminal, whole lines elsewhere.
   Any message must go through here, so that it never lands in the middle of a drawn line. */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Does the locale write UTF-8? Set once by cli_terminal_start; without it pictures and bars are ASCII. */
bool cli_utf8(void);
/* Is stderr a terminal on which a line can be redrawn? */
bool cli_live(void);
/* Columns of the terminal now (it may be resized at any time); 80 when unknown. fd: 1 or 2. */
int cli_columns(int fd);
int cli_rows(int fd);

/* Takes the locale's encoding (its numbers stay plain: '.' everywhere), and stdout. */
void cli_terminal_start(void);

/* What is printed may hold names from data, and these any byte. From cli_terminal_start on all that goes to stdout
   passes this, and so do the lines of stderr: control characters but line feed and tab become '?'. So do C1's alone; in
   UTF-8 they become U+00BF, an upside-down one, so that UTF-8 stays UTF-8. What is written between cli_escapes(true)
   and cli_escapes(false) goes as it is: for sequences of the program's own. */
void cli_escapes(bool on);

/* A line being put together, with the columns it takes on the terminal. */
typedef struct cli_line {
    char text[1024];
    size_t length;
} cli_line;

void cli_line_add(cli_line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A bar of so many columns, `share` (0 to 1) of it full. */
void cli_line_add_bar(cli_line *line, int columns, double share);
/* Columns text takes; every character Strait draws itself is one column wide. */
int cli_text_columns(const char *text);

/* Draws the line over the one drawn before, cut to the terminal's width; nothing when stderr is no terminal. */
void cli_line_redraw(const cli_line *line);
/* Wipes the line drawn last, so that other text can be written. */
void cli_line_wipe(void);
/* A question on stderr, without an end of line. */
void cli_ask(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Writes a whole line on stderr that stays. */
void cli_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The separator between fields of a line: a middle dot, or a comma where the locale is not UTF-8. */
const char *cli_dot(void);

/* Progress of a command over many samples: a bar on a terminal when the work takes longer than a blink. Zero all but
   verb. Fits strait_apply_options.progress. */
typedef struct cli_work {
    const char *verb; /* "encoding" */
    double began, drawn;
    bool quiet;
} cli_work;
void cli_work_progress(void *context, int64_t done, int64_t total);

/* Seconds on a clock that only goes forward. */
double cli_clock(void);

#endif
