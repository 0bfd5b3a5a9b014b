/* What a page shows must not grow with the training: images beyond the budget are made smaller first, down to cells
   that still can be judged, then epochs are left out, evenly, never the first and the last.

   A grid has ceil(sqrt(n)) columns and no gaps; its cells are as large as samples. */
#include "report/watched_int.h"

#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/string.h"
#include "image/png.h"

#define FOLDER "reconstructions"
#define SMALL_CELL 64    /* pixels: cells are not made smaller than this ... */
#define FEWEST_EPOCHS 12 /* ... unless as few epochs still do not fit */
#define MAX_FILE ((size_t)256 << 20)
#define MAX_CURVE 256 /* values of a curve on a page */
#define MAX_SAMPLES 100000

/* A file that cannot be used is told of, once; memory ends it. */
static strait_status excuse(st_watched *out, strait_status status, const strait_error *why, strait_error *err) {
    if (status == STRAIT_OK) return status;
    if (status == STRAIT_MEMORY) {
        if (err) *err = *why;
        return status;
    }
    if (!out->why[0]) memcpy(out->why, why->message, strnlen(why->message, sizeof out->why - 1));
    return STRAIT_OK;
}

static void free_frame(st_watched_frame *frame) {
    st_free(frame->png);
    st_free(frame->values);
    *frame = (st_watched_frame){0};
}

static void clear_set(st_watched_set *set) {
    free_frame(&set->original);
    free_frame(&set->input);
    for (int i = 0; i < set->n_frames; i++)
        free_frame(&set->frame[i]);
    st_free(set->frame);
    st_free(set->sample);
    *set = (st_watched_set){.name = set->name, .prefix = set->prefix};
}

void st_watched_free(st_watched *watch) {
    for (int s = 0; s < 2; s++)
        clear_set(&watch->set[s]);
}

/* ---- samples.csv ---- */

/* Field i of a line of CSV without quotes. */
static void copy_field(char *out, size_t size, const char *line, size_t length, int i) {
    const char *end = line + length;
    for (; i > 0 && line < end; i--) {
        const char *comma = memchr(line, ',', (size_t)(end - line));
        line = comma ? comma + 1 : end;
    }
    size_t n = 0;
    while (line + n < end && line[n] != ',' && line[n] != '\r' && n + 1 < size)
        n++;
    memcpy(out, line, n);
    out[n] = 0;
}

/* Where a column stands in the header, or -1. */
static int find_column(const char *header, size_t length, const char *name) {
    char field[32];
    int commas = 0;
    for (size_t i = 0; i < length; i++)
        commas += header[i] == ',';
    for (int i = 0; i <= commas; i++) {
        copy_field(field, sizeof field, header, length, i);
        if (strcmp(field, name) == 0) return i;
    }
    return -1;
}

static strait_status add_sample(st_watched_set *set, const char *line, size_t length, int index, int label,
                                strait_error *err) {
    if (set->n >= MAX_SAMPLES) return STRAIT_OK;
    st_watched_sample *grown = st_realloc(set->sample, (size_t)set->n + 1, sizeof *grown);
    if (!grown) return st_fail_memory(err, ((size_t)set->n + 1) * sizeof *grown, "samples");
    set->sample = grown;
    st_watched_sample *added = &grown[set->n++];
    *added = (st_watched_sample){0};
    if (index >= 0) copy_field(added->index, sizeof added->index, line, length, index);
    if (label >= 0) copy_field(added->label, sizeof added->label, line, length, label);
    if (strcmp(added->label, "-1") == 0) added->label[0] = 0;
    return STRAIT_OK;
}

/* set,...,sample,label: a line a sample, in the order of the grid. */
static strait_status read_samples(st_watched *out, const char *folder, strait_error *err) {
    char *csv = NULL, *path = st_path_join(folder, "samples.csv"), set[24];
    size_t n;
    strait_status status = path ? st_file_read(&csv, &n, path, MAX_FILE, err) : st_fail_memory(err, 0, "a path");
    if (status == STRAIT_OK) {
        size_t length = strcspn(csv, "\n");
        const int index = find_column(csv, length, "sample"), label = find_column(csv, length, "label");
        for (const char *line = csv + length + (csv[length] == '\n'); status == STRAIT_OK && *line;) {
            length = strcspn(line, "\n");
            copy_field(set, sizeof set, line, length, 0);
            for (int s = 0; s < 2 && status == STRAIT_OK; s++)
                if (strcmp(set, out->set[s].prefix) == 0 || strcmp(set, out->set[s].name) == 0)
                    status = add_sample(&out->set[s], line, length, index, label, err);
            line += length + (line[length] == '\n');
        }
    }
    st_free(csv);
    st_free(path);
    return status;
}

/* ---- which epochs there are ---- */

/* The epoch in "train-007.png" or "train-007.npy", or -1. */
static int epoch_of(const char *file, const char *prefix) {
    const size_t n = strlen(prefix);
    if (strncmp(file, prefix, n) != 0 || file[n] != '-') return -1;
    const size_t digits = strspn(file + n + 1, "0123456789");
    if (digits < 3 || digits > 9) return -1;
    const char *ending = file + n + 1 + digits;
    if (strcmp(ending, ".png") != 0 && strcmp(ending, ".npy") != 0) return -1;
    return (int)strtol(file + n + 1, NULL, 10);
}

static int compare_frames(const void *a, const void *b) {
    const int x = ((const st_watched_frame *)a)->epoch, y = ((const st_watched_frame *)b)->epoch;
    return (x > y) - (x < y);
}

static strait_status list_epochs(st_watched_set *set, const char *folder, strait_error *err) {
    DIR *entries = opendir(folder);
    if (!entries) return st_fail_errno(err, "%s", folder);
    strait_status status = STRAIT_OK;
    for (struct dirent *entry; status == STRAIT_OK && (entry = readdir(entries));) {
        const int epoch = epoch_of(entry->d_name, set->prefix);
        if (epoch < 0) continue;
        st_watched_frame *grown = st_realloc(set->frame, (size_t)set->n_frames + 1, sizeof *grown);
        if (!grown) {
            status = st_fail_memory(err, 0, "reconstructions");
            break;
        }
        set->frame = grown;
        grown[set->n_frames++] = (st_watched_frame){.epoch = epoch};
    }
    closedir(entries);
    if (set->n_frames > 1) qsort(set->frame, (size_t)set->n_frames, sizeof *set->frame, compare_frames);
    return status;
}

/* Leaves `keep` frames, evenly, the first and the last among them; frames hold nothing yet or what they hold goes. */
static void thin(st_watched_set *set, int keep) {
    if (keep < 1) keep = 1;
    if (set->n_frames <= keep) return;
    int kept = 0;
    for (int i = 0; i < set->n_frames; i++) {
        const int wanted = keep > 1 ? (int)((int64_t)kept * (set->n_frames - 1) / (keep - 1)) : set->n_frames - 1;
        if (i == wanted)
            set->frame[kept++] = set->frame[i];
        else
            free_frame(&set->frame[i]);
    }
    set->n_frames = kept;
}

/* ---- files ---- */

static char *path_of(const char *folder, const st_watched_set *set, int epoch, const char *ending) {
    if (epoch < 0) return st_format("%s/%s-%s%s", folder, set->prefix, epoch == -1 ? "originals" : "inputs", ending);
    return st_format("%s/%s-%03d%s", folder, set->prefix, epoch, ending);
}

/* Cells are as large as the grid's columns and rows make them. */
static strait_status check_grid(const st_image *image, const st_watched_set *set, const char *path, strait_error *err) {
    const int rows = (set->n + set->columns - 1) / set->columns;
    if (image->width % set->columns == 0 && image->height % rows == 0) return STRAIT_OK;
    return st_fail(err, STRAIT_FORMAT, "%s: its %d×%d pixels are no grid of %d×%d images", path, image->width,
                   image->height, set->columns, rows);
}

/* The mean of each f×f square inside a cell; what is left at a cell's edge makes a smaller square. */
static unsigned char *shrink_grid(const st_image *image, const st_watched_set *set, int f, int *width, int *height) {
    const int rows = (set->n + set->columns - 1) / set->columns, channels = image->channels;
    const int w = image->width / set->columns, h = image->height / rows, ws = (w + f - 1) / f, hs = (h + f - 1) / f;
    *width = ws * set->columns;
    *height = hs * rows;
    unsigned char *out = st_alloc((size_t)*width * (size_t)*height, (size_t)channels);
    if (!out) return NULL;
    for (int y = 0; y < *height; y++)
        for (int x = 0; x < *width; x++) {
            const int x0 = x / ws * w + x % ws * f, y0 = y / hs * h + y % hs * f;
            const int x1 = x0 + f < (x / ws + 1) * w ? x0 + f : (x / ws + 1) * w;
            const int y1 = y0 + f < (y / hs + 1) * h ? y0 + f : (y / hs + 1) * h;
            for (int c = 0; c < channels; c++) {
                int64_t sum = 0;
                for (int yy = y0; yy < y1; yy++)
                    for (int xx = x0; xx < x1; xx++) {
                        const size_t at =
                            ((size_t)yy * (size_t)image->width + (size_t)xx) * (size_t)channels + (size_t)c;
                        sum += image->bits == 16 ? ((const uint16_t *)image->values)[at] >> 8
                                                 : ((const unsigned char *)image->values)[at];
                    }
                const int64_t n = (int64_t)(x1 - x0) * (y1 - y0);
                out[((size_t)y * (size_t)*width + (size_t)x) * (size_t)channels + (size_t)c] =
                    (unsigned char)((sum + n / 2) / n);
            }
        }
    return out;
}

static strait_status read_image(st_watched_frame *frame, st_watched_set *set, const char *path, int shrink,
                                strait_error *err) {
    st_image image;
    int width = 0, height = 0;
    if (shrink == 1) {
        ST_TRY(st_png_read_header(&image, path, err));
        ST_TRY(check_grid(&image, set, path, err));
        ST_TRY(st_file_read(&frame->png, &frame->n_bytes, path, MAX_FILE, err));
        width = image.width;
        height = image.height;
    } else {
        ST_TRY(st_png_read(&image, path, err));
        strait_status status = check_grid(&image, set, path, err);
        unsigned char *small = status == STRAIT_OK ? shrink_grid(&image, set, shrink, &width, &height) : NULL;
        if (status == STRAIT_OK && !small) status = st_fail_memory(err, 0, "an image");
        if (status == STRAIT_OK)
            status = st_png_encode(&frame->png, &frame->n_bytes, width, height, image.channels, small, err);
        st_free(small);
        st_free(image.values);
        ST_TRY(status);
    }
    set->width = width / set->columns;
    set->height = height / ((set->n + set->columns - 1) / set->columns);
    return STRAIT_OK;
}

/* Curves keep every k-th value, so that MAX_CURVE are enough. */
static strait_status take_curves(st_watched_frame *frame, st_watched_set *set, const strait_array *array,
                                 const char *path, strait_error *err) {
    const int64_t n = array->dim[0], values = n ? strait_array_count(array) / n : 0;
    if (n != set->n || values < 1)
        return st_fail(err, STRAIT_FORMAT, "%s: holds %lld samples, samples.csv %d", path, (long long)n, set->n);
    const int64_t every = (values + MAX_CURVE - 1) / MAX_CURVE, kept = (values + every - 1) / every;
    if (set->features && set->features != kept)
        return st_fail(err, STRAIT_FORMAT, "%s: holds samples of another size than the originals", path);
    set->features = (int)kept;
    frame->values = st_alloc((size_t)(n * kept), sizeof *frame->values);
    if (!frame->values) return st_fail_memory(err, (size_t)(n * kept) * sizeof(float), "curves");
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; k < kept; k++) {
            const float value = array->values[i * values + k * every];
            frame->values[i * kept + k] = value;
            if (!isfinite(value)) continue;
            set->low = fmin(set->low, (double)value);
            set->high = fmax(set->high, (double)value);
        }
    return STRAIT_OK;
}

static strait_status read_npy(strait_array **out, const char *path, strait_error *err) {
    char *bytes = NULL;
    size_t n;
    st_npy npy;
    ST_TRY(st_file_read(&bytes, &n, path, MAX_FILE, err));
    strait_status status = st_npy_parse(&npy, bytes, n, path, err);
    if (status == STRAIT_OK) status = strait_array_new(out, npy.n_dims, npy.dim, err);
    if (status == STRAIT_OK && (size_t)strait_array_count(*out) * (size_t)npy.item_size > n - npy.data_offset)
        status = st_fail(err, STRAIT_FORMAT, "%s: truncated", path);
    if (status == STRAIT_OK) st_npy_convert(*out, &npy, bytes + npy.data_offset);
    st_free(bytes);
    return status;
}

/* Reads one frame; a file that is not there leaves it empty. */
static strait_status read_frame(st_watched_frame *frame, st_watched_set *set, const char *folder, int epoch, int shrink,
                                strait_error *err) {
    char *png = path_of(folder, set, epoch, ".png"), *npy = path_of(folder, set, epoch, ".npy");
    strait_array *array = NULL;
    strait_status status = png && npy ? STRAIT_OK : st_fail_memory(err, 0, "a path");
    *frame = (st_watched_frame){.epoch = epoch};
    if (status == STRAIT_OK && st_path_exists(png)) {
        status = read_image(frame, set, png, shrink, err);
    } else if (status == STRAIT_OK && st_path_exists(npy)) {
        status = read_npy(&array, npy, err);
        if (status == STRAIT_OK) status = take_curves(frame, set, array, npy, err);
        strait_array_free(array);
    }
    st_free(png);
    st_free(npy);
    return status;
}

/* ---- a set ---- */

/* Reads what the list of frames names, frames that are damaged are dropped and told of. */
static strait_status read_set(st_watched *out, st_watched_set *set, const char *folder, int shrink, strait_error *err) {
    strait_error why = {0};
    set->features = 0;
    set->low = INFINITY;
    set->high = -INFINITY;
    free_frame(&set->original);
    free_frame(&set->input);
    ST_TRY(excuse(out, read_frame(&set->original, set, folder, -1, shrink, &why), &why, err));
    ST_TRY(excuse(out, read_frame(&set->input, set, folder, -2, shrink, &why), &why, err));
    int kept = 0;
    for (int i = 0; i < set->n_frames; i++) {
        const int epoch = set->frame[i].epoch;
        free_frame(&set->frame[i]);
        st_watched_frame frame;
        const strait_status status = excuse(out, read_frame(&frame, set, folder, epoch, shrink, &why), &why, err);
        if (frame.png || frame.values) set->frame[kept++] = frame;
        if (status != STRAIT_OK) {
            set->n_frames = kept; /* those behind are empty */
            return status;
        }
    }
    set->n_frames = kept;
    return STRAIT_OK;
}

static size_t bytes_of(const st_watched_set *set) {
    size_t bytes = set->original.n_bytes + set->input.n_bytes;
    for (int i = 0; i < set->n_frames; i++)
        bytes += set->frame[i].n_bytes;
    /* Two characters a value, the same in base64. */
    return set->features ? (size_t)(set->n_frames + 2) * (size_t)set->n * (size_t)set->features * 3 / 2 : bytes;
}

/* How many epochs fit, were every frame as large as those read. */
static int epochs_that_fit(const st_watched *out, size_t budget) {
    double frame = 0, fixed = 0;
    for (int s = 0; s < 2; s++) {
        const st_watched_set *set = &out->set[s];
        if (set->n_frames < 1) continue;
        const double originals = (double)(set->original.n_bytes + set->input.n_bytes);
        fixed += originals;
        frame += ((double)bytes_of(set) - originals) / set->n_frames;
    }
    const double fit = frame > 0 ? ((double)budget - fixed) / frame : 1e6;
    return fit < 0 ? 0 : fit > 1e6 ? 1000000 : (int)fit;
}

/* Looks at the files' sizes, so that far more than fits is not read first. */
static strait_status guess(st_watched *out, const char *folder, size_t budget, strait_error *err) {
    double bytes = 0;
    int cell = 0;
    for (int s = 0; s < 2; s++) {
        const st_watched_set *set = &out->set[s];
        for (int i = -1; i < set->n_frames; i++) {
            struct stat file;
            st_image image;
            char *path = path_of(folder, set, i < 0 ? -1 : set->frame[i].epoch, ".png");
            if (!path) return st_fail_memory(err, 0, "a path");
            if (stat(path, &file) == 0) bytes += (double)file.st_size;
            if (i < 0 && st_png_read_header(&image, path, NULL) == STRAIT_OK && image.width / set->columns > cell)
                cell = image.width / set->columns;
            st_free(path);
        }
    }
    if (bytes <= (double)budget) return STRAIT_OK;
    if (cell > SMALL_CELL) out->shrink = cell / SMALL_CELL;
    const double expected = bytes / out->shrink / out->shrink, most = 3 * (double)budget;
    for (int s = 0; s < 2 && expected > most; s++) {
        const int keep = (int)(out->set[s].n_frames * most / expected);
        thin(&out->set[s], keep > FEWEST_EPOCHS ? keep : FEWEST_EPOCHS);
    }
    return STRAIT_OK;
}

static strait_status read_sets(st_watched *out, const char *folder, size_t budget, strait_error *err) {
    ST_TRY(guess(out, folder, budget, err));
    for (;;) {
        size_t bytes = 0;
        int cell = 0;
        for (int s = 0; s < 2; s++) {
            st_watched_set *set = &out->set[s];
            if (set->n == 0) continue;
            ST_TRY(read_set(out, set, folder, out->shrink, err));
            bytes += bytes_of(set);
            if (set->width > cell) cell = set->width;
        }
        const int most = out->set[0].n_frames > out->set[1].n_frames ? out->set[0].n_frames : out->set[1].n_frames;
        if (bytes <= budget || most < 1) return STRAIT_OK;
        const int fit = epochs_that_fit(out, budget);
        const bool can_shrink = cell > SMALL_CELL || (fit < FEWEST_EPOCHS && cell > 8);
        if (can_shrink) {
            /* Cells of this size, the next whole factor down at the least. */
            const int full = cell * out->shrink, aim = cell > SMALL_CELL ? full / SMALL_CELL : out->shrink + 1;
            out->shrink = aim > out->shrink ? aim : out->shrink + 1;
        } else {
            const int keep = fit < most ? fit : most - 1;
            for (int s = 0; s < 2; s++)
                thin(&out->set[s], keep > 2 ? keep : 2);
            if (most <= 2) return STRAIT_OK;
        }
    }
}

strait_status st_watched_read(st_watched *out, const char *run, size_t budget, bool only_last, strait_error *err) {
    *out = (st_watched){
        .set = {{.name = "training", .prefix = "train"}, {.name = "validation", .prefix = "validation"}}, .shrink = 1};
    strait_error why = {0};
    char *folder = st_path_join(run, FOLDER);
    if (!folder) return st_fail_memory(err, strlen(run), "a path");
    strait_status status = STRAIT_OK;
    if (!st_path_is_folder(folder)) {
        status = excuse(out,
                        st_fail(&why, STRAIT_NOT_FOUND,
                                "the run has none; watch: {reconstructions: 100} in its "
                                "recipe keeps them"),
                        &why, err);
        goto out;
    }
    status = excuse(out, read_samples(out, folder, &why), &why, err);
    for (int s = 0; s < 2 && status == STRAIT_OK; s++) {
        st_watched_set *set = &out->set[s];
        if (set->n == 0) continue;
        for (set->columns = 1; set->columns * set->columns < set->n;)
            set->columns++;
        status = excuse(out, list_epochs(set, folder, &why), &why, err);
        if (set->n_frames > out->n_epochs) out->n_epochs = set->n_frames;
        if (only_last) thin(set, 1);
    }
    if (status == STRAIT_OK) status = read_sets(out, folder, budget, err);
    for (int s = 0; s < 2; s++) /* without originals or epochs there is nothing to compare */
        if (!(out->set[s].original.png || out->set[s].original.values) || out->set[s].n_frames < 1)
            clear_set(&out->set[s]);
out:
    st_free(folder);
    return status;
}
