/* strait data show: samples to look at, as a sheet in a file or drawn in the terminal.
   A character cell shows two pixels, one above the other: the upper half block in the colour of one on the colour of
   the other. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cli.h"
#include "format.h"
#include "json.h"
#include "model_data.h"
#include "output.h"
#include "terminal.h"

static const cli_option options[] = {
    {"output", 'o', CLI_TEXT, false, "FILE.png", "write a sheet instead of drawing in the terminal"},
    {"samples", 'n', CLI_COUNT, false, "N", "how many samples (default: 100, in the terminal as many as fit)"},
    CLI_OPTION_LABEL,
    CLI_OPTION_JSON,
    {0},
};

static const cli_example examples[] = {
    {"strait data show fashion-mnist#test -o sheet.png", "the first hundred images as a sheet"},
    {"strait data show mnist -o sheet.png -n 400", "more of them, of another data set"},
    {0},
};

#define SHEET_COLUMNS 20
#define MANY_COLUMNS 8   /* fewer columns than that make a small sheet squarer */
#define LARGEST_DRAWN 32 /* pixels across; larger images are averaged down */

enum colours { NO_COLOURS, COLOURS_256, COLOURS_24_BIT };

static enum colours terminal_colours(void) {
    const char *term = getenv("TERM"), *colorterm = getenv("COLORTERM");
    if (!isatty(STDOUT_FILENO) || !cli_utf8() || !term || strcmp(term, "dumb") == 0) return NO_COLOURS;
    if (colorterm && (strcmp(colorterm, "truecolor") == 0 || strcmp(colorterm, "24bit") == 0)) return COLOURS_24_BIT;
    return strstr(term, "256color") ? COLOURS_256 : strstr(term, "direct") ? COLOURS_24_BIT : NO_COLOURS;
}

/* Images as they are drawn: each `shrink` x `shrink` square of stored pixels gives one drawn pixel. */
typedef struct drawing {
    const strait_array *images; /* [n, height, width, channels], 0..1 */
    int64_t shrink, width, height;
    enum colours colours;
} drawing;

/* The mean of a square of pixels in one channel; 0 below the image's lower edge. */
static double mean_pixel(const drawing *d, int64_t image, int64_t y, int64_t x, int64_t channel) {
    const int64_t height = d->images->dim[1], width = d->images->dim[2], channels = d->images->dim[3];
    const float *pixel = d->images->values + image * height * width * channels;
    double sum = 0;
    int64_t n = 0;
    for (int64_t i = y * d->shrink; i < (y + 1) * d->shrink && i < height; i++)
        for (int64_t j = x * d->shrink; j < (x + 1) * d->shrink && j < width; j++, n++)
            sum += (double)pixel[(i * width + j) * channels + channel];
    return n > 0 ? sum / (double)n : 0;
}

/* Sets the colour of the ink (layer 38) or of the paper (48). */
static void set_colour(const drawing *d, int layer, int64_t image, int64_t y, int64_t x) {
    int level[3];
    const int top = d->colours == COLOURS_24_BIT ? 255 : 5; /* 256 colours: a cube of 6 x 6 x 6, and 24 greys */
    const int64_t channels = d->images->dim[3];
    const double grey = mean_pixel(d, image, y, x, 0);
    for (int64_t c = 0; c < 3; c++) {
        const double value = channels >= 3 ? mean_pixel(d, image, y, x, c) : grey;
        level[c] = (int)((value < 0 ? 0 : value > 1 ? 1 : value) * top + 0.5);
    }
    if (d->colours == COLOURS_24_BIT)
        printf("\033[%d;2;%d;%d;%dm", layer, level[0], level[1], level[2]);
    else if (channels < 3)
        printf("\033[%d;5;%dm", layer, 232 + (int)((grey < 0 ? 0 : grey > 1 ? 1 : grey) * 23 + 0.5));
    else
        printf("\033[%d;5;%dm", layer, 16 + 36 * level[0] + 6 * level[1] + level[2]);
}

/* The label under an image, cut to its width. */
static void print_label(strait_data *data, const strait_data_info *info, int64_t sample, int64_t width) {
    char number[24];
    const int64_t label = strait_data_label(data, sample);
    const char *name = number;
    snprintf(number, sizeof number, "%" PRId64, label);
    for (int i = 0; info->label_name && i < info->n_labels; i++)
        if (info->label_value[i] == label && info->label_name[i]) name = info->label_name[i];
    int64_t columns = 0;
    for (; *name; name++) {
        columns += ((unsigned char)*name & 0xc0) != 0x80;
        if (columns > width) break;
        putchar(*name);
    }
    if (columns > width) columns = width;
    printf("%*s", (int)(width - columns), "");
}

static void draw(const drawing *d, strait_data *data, const strait_data_info *info, int64_t n, int64_t columns) {
    for (int64_t first = 0; first < n; first += columns) {
        const int64_t last = first + columns < n ? first + columns : n;
        cli_escapes(true);
        for (int64_t y = 0; y < d->height; y += 2) {
            for (int64_t i = first; i < last; i++) {
                for (int64_t x = 0; x < d->width; x++) {
                    set_colour(d, 38, i, y, x);
                    set_colour(d, 48, i, y + 1, x);
                    fputs("\u2580", stdout);
                }
                fputs("\033[0m ", stdout);
            }
            putchar('\n');
        }
        cli_escapes(false);
        for (int64_t i = first; info->has_labels && i < last; i++) {
            print_label(data, info, i, d->width);
            putchar(' ');
        }
        if (info->has_labels) putchar('\n');
    }
}

static cli_exit draw_in_terminal(const cli_args *args, strait_data *data, const strait_data_info *info) {
    drawing d = {.colours = terminal_colours(), .shrink = 1};
    if (info->n_dims != 3) return cli_usage("only images can be drawn in a terminal: use -o FILE.png for curves");
    if (d.colours == NO_COLOURS)
        return cli_usage("cannot draw images here (that takes a terminal with UTF-8 and colours): use -o FILE.png");
    while ((info->dim[1] + d.shrink - 1) / d.shrink > LARGEST_DRAWN)
        d.shrink++;
    d.width = (info->dim[1] + d.shrink - 1) / d.shrink;
    d.height = (info->dim[0] + d.shrink - 1) / d.shrink;
    const int64_t cell_height = (d.height + 1) / 2 + info->has_labels;
    int64_t columns = (cli_columns(STDOUT_FILENO) + 1) / (d.width + 1);
    int64_t rows = (cli_rows(STDOUT_FILENO) - 1) / (cell_height > 0 ? cell_height : 1);
    if (columns < 1) columns = 1;
    if (rows < 1) rows = 1;
    int64_t n = cli_has(args, "samples") ? cli_int(args, "samples", 0) : columns * rows;
    if (n > info->n_samples) n = info->n_samples;
    strait_array *images = NULL;
    strait_error err = {0};
    if (strait_data_rows(&images, data, 0, n, &err) != STRAIT_OK) return cli_failed(&err);
    cli_to_unit(images, info);
    d.images = images;
    draw(&d, data, info, n, columns);
    strait_array_free(images);
    return CLI_OK;
}

/* Columns of a sheet of n: square-ish while it is small. */
static int sheet_columns(int64_t n) {
    int columns = MANY_COLUMNS;
    while (columns < SHEET_COLUMNS && (int64_t)columns * columns < n)
        columns++;
    return n < columns ? (int)n : columns;
}

static cli_exit write_sheet(const cli_args *args, const char *path, strait_data *data, const strait_data_info *info) {
    int64_t n = cli_int(args, "samples", 100);
    if (n > info->n_samples) n = info->n_samples;
    strait_array *rows = NULL;
    strait_error err = {0};
    strait_status status = strait_data_rows(&rows, data, 0, n, &err);
    if (status == STRAIT_OK) {
        cli_to_unit(rows, info);
        status = cli_write_sheet(path, rows, sheet_columns(n), &err);
    }
    strait_array_free(rows);
    if (status != STRAIT_OK) return cli_failed(&err);
    if (cli_has(args, "json"))
        return cli_json_print(json_pack("{s:o, s:I}", "file", cli_json_text(path), "samples", (json_int_t)n));
    printf("%s  %s sample%s of %s\n", path, cli_count(n).text, n == 1 ? "" : "s", cli_count(info->n_samples).text);
    return CLI_OK;
}

static cli_exit run(const cli_args *args) {
    static const char *const endings[] = {".png", NULL};
    const char *path = cli_text(args, "output");
    if (!path && cli_has(args, "json")) return cli_usage("--json needs a sheet to tell of: use -o FILE.png");
    const cli_exit checked = path ? cli_output_check(path, endings) : CLI_OK;
    if (checked != CLI_OK) return checked;
    strait_data *data = NULL;
    strait_data_info info;
    strait_error err = {0};
    strait_status status = cli_data_open(&data, args, &err);
    if (status == STRAIT_OK) status = strait_data_describe(data, &info, &err);
    const cli_exit code = status != STRAIT_OK ? cli_failed(&err)
                          : path              ? write_sheet(args, path, data, &info)
                                              : draw_in_terminal(args, data, &info);
    strait_data_free(data);
    return code;
}

const cli_command cli_data_show = {
    .name = "data show",
    .summary = "show samples, in the terminal or as a sheet",
    .synopsis = {"data show DATA [OPTIONS]"},
    .details = "Without -o the images are drawn in the terminal, where it shows UTF-8 and colours. Values that are not "
               "within 0 and 1 are brought there by the range of their type, or by their own.",
    .operand = {"DATA"},
    .least_operands = 1,
    .options = options,
    .examples = examples,
    .run = run,
};
