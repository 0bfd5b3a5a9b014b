/* Convolutions to few filters, stride 1. A vector of filters would be mostly empty: here vectors run along the channels
   of the input, and their lanes are summed at the end. Part of vector_impl.h. */
#ifndef ST_CPU_VECTOR_THIN_H
#define ST_CPU_VECTOR_THIN_H

#include "cpu/vector_conv.h"

/* What a tile of windows reads: `taps` taps of each kernel row from tap `first` on, of one vector of channels. */
typedef struct st_thin_taps {
    int64_t rows, row;      /* of the kernel; floats from row to row of the image */
    int64_t channels;       /* floats from column to column */
    int64_t step, step_row; /* floats from tap to tap of the kernel, which goes backwards, and from row to row */
} st_thin_taps;

/* c[i] += the products of window i's taps with the kernel's, lane by lane. */
INLINE void thin_taps(int taps, const st_thin_taps *at, const float *x, const float *kernel, vf c[ST_THIN]) {
    const int64_t channels = at->channels;
    for (int64_t ky = 0; ky < at->rows; ky++, x += at->row, kernel -= at->step_row) {
        const float *third[5];
        UNROLL for (int i = 0; i < ST_THIN + taps - 1; i += 3) third[i / 3] = hide(x + i * channels);
        UNROLL for (int t = 0; t < taps; t++) {
            const vf b = load(kernel - t * at->step);
            UNROLL for (int i = 0; i < ST_THIN; i++) c[i] += b * load(third[(i + t) / 3] + (i + t) % 3 * channels);
        }
    }
}

/* Filter f of ST_THIN neighbouring windows, the first at x. kernel: in panels of channels, [taps
   backwards][filters][the panel's columns]. */
INLINE void thin_tile(int width, const st_conv_pass *pass, const float *x, const float *kernel, int64_t f,
                      float *sums) {
    const st_conv_phase *phase = &pass->phase[0];
    const int64_t columns = st_conv_columns(pass->channels, PANEL), taps = phase->taps[0] * phase->taps[1];
    vf c[ST_THIN] = {{0}};
    for (int64_t p = 0; p < columns; p += V) {
        const int64_t begin = p - p % PANEL, step = panel_columns(columns, begin) * pass->filters;
        const float *k = kernel + begin * taps * pass->filters + f * (step / pass->filters) + p % PANEL;
        const st_thin_taps at = {.rows = phase->taps[0],
                                 .row = pass->row,
                                 .channels = pass->channels,
                                 .step = step,
                                 .step_row = phase->taps[1] * step};
        k += (taps - 1) * step;
        for (int64_t kx = 0; kx < phase->taps[1]; kx += width)
            thin_taps(width, &at, x + kx * pass->channels + p, k - kx * step, c);
    }
    const v4 low = sum_four(c[0], c[1], c[2], c[3]), high = sum_four(c[4], c[5], c[6], c[7]);
    memcpy(sums, &low, sizeof low);
    memcpy(sums + 4, &high, sizeof high);
}

/* A row of windows. Those past its end are computed too, of whatever lies there, and thrown away. */
static void thin_row(const st_conv_pass *pass, const float *x, float *y) {
    for (int64_t i = 0; i < pass->out_width; i += ST_THIN) {
        const int64_t n = pass->out_width - i < ST_THIN ? pass->out_width - i : ST_THIN;
        for (int64_t f = 0; f < pass->filters; f++) {
            float sums[ST_THIN];
            const float *at = x + i * pass->channels, *kernel = pass->phase[0].kernel;
            switch (pass->phase[0].taps[1]) {
            case 3: thin_tile(3, pass, at, kernel, f, sums); break;
            case 5: thin_tile(5, pass, at, kernel, f, sums); break;
            default: thin_tile(1, pass, at, kernel, f, sums); break;
            }
            for (int64_t k = 0; k < n; k++)
                y[(i + k) * pass->filters + f] = sums[k] + (pass->bias ? pass->bias[f] : 0.0f);
        }
    }
}

static void convolve_thin(const st_conv_pass *pass) {
    const int64_t out_row = pass->out_width * pass->filters, width = pass->width * pass->channels;
    const int64_t border = (pass->phase[0].start[1] + pass->border_left) * pass->channels;
    for (int64_t i = 0; i < pass->n; i++)
        for (int64_t j = 0, rows; j < pass->out_height; j += rows) {
            float *y = pass->y + (i * pass->out_height + j) * out_row;
            rows = even_block(pass->out_height - j, pass->most_rows);
            int64_t first;
            const int64_t copied = st_conv_source_rows(pass, j, rows, &first);
            copy_rows(pass, pass->x + i * pass->height * width, first, copied, pass->scratch);
            /* Where channels are no whole vectors the last one's tail meets zero weights: it must be finite. */
            memset(pass->scratch + copied * pass->row, 0, PANEL * sizeof *pass->scratch);
            for (int64_t r = 0; r < rows; r++)
                thin_row(pass, pass->scratch + r * pass->row + border, y + r * out_row);
            activate(pass->activation, y, (size_t)(rows * out_row));
        }
}

#endif
