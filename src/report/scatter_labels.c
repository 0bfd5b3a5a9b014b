#include <math.h>

#include "base/memory.h"
#include "report/scatter_int.h"

#define CELLS 24 /* of the grid, a side */
#define ROUNDS 200
#define GAP 2.0 /* between names */

/* Points of a cell: how many, and the sum of their places. */
typedef struct st_cell {
    double n, x, y;
} st_cell;

static int cell_of(double value, double from, double size) {
    const int at = (int)((value - from) / size * CELLS);
    return at < 0 ? 0 : at < CELLS ? at : CELLS - 1;
}

/* The sums over a cell and its neighbours. */
static st_cell around(const st_cell *grid, int row, int column) {
    st_cell sum = {0};
    for (int v = row - 1; v <= row + 1; v++)
        for (int u = column - 1; u <= column + 1; u++) {
            if (v < 0 || u < 0 || v >= CELLS || u >= CELLS) continue;
            const st_cell *cell = &grid[v * CELLS + u];
            sum.n += cell->n;
            sum.x += cell->x;
            sum.y += cell->y;
        }
    return sum;
}

strait_status st_places_find(st_place *place, int *n, const st_spot *spot, int64_t n_spots, const int32_t *group,
                             int n_groups, const double box[4], strait_error *err) {
    const size_t each = CELLS * CELLS;
    st_cell *grid = st_alloc((size_t)n_groups * each, sizeof *grid);
    *n = 0;
    if (!grid) return st_fail_memory(err, (size_t)n_groups * each * sizeof *grid, "places of names");
    for (int64_t i = 0; i < n_spots; i++) {
        const int g = group[spot[i].row];
        if (g < 0) continue;
        const int row = cell_of((double)spot[i].y, box[1], box[3]), column = cell_of((double)spot[i].x, box[0], box[2]);
        st_cell *cell = &grid[(size_t)g * each + (size_t)(row * CELLS + column)];
        cell->n++;
        cell->x += (double)spot[i].x;
        cell->y += (double)spot[i].y;
    }
    for (int g = 0; g < n_groups; g++) {
        st_cell best = {0};
        for (int c = 0; c < CELLS * CELLS; c++) {
            const st_cell sum = around(grid + (size_t)g * each, c / CELLS, c % CELLS);
            if (sum.n > best.n) best = sum;
        }
        if (best.n > 0) place[(*n)++] = (st_place){.x = best.x / best.n, .y = best.y / best.n, .group = g};
    }
    st_free(grid);
    return STRAIT_OK;
}

static double into(double value, double low, double high) {
    return fmin(fmax(value, low), high);
}

void st_places_part(st_place *place, int n, const double box[4]) {
    bool moved = true;
    for (int round = 0; moved && round < ROUNDS; round++) {
        moved = false;
        for (int i = 0; i < n; i++)
            for (int j = i + 1; j < n; j++) {
                st_place *a = &place[i], *b = &place[j];
                const double over_x = (a->width + b->width) / 2 + GAP - fabs(a->x - b->x);
                const double over_y = (a->height + b->height) / 2 - fabs(a->y - b->y);
                if (over_x <= 0 || over_y <= 0) continue;
                moved = true;
                const double half = (over_x < over_y ? over_x : over_y) / 2 + 0.05;
                if (over_x < over_y) {
                    a->x += a->x < b->x ? -half : half;
                    b->x += a->x < b->x ? half : -half;
                } else {
                    a->y += a->y < b->y ? -half : half;
                    b->y += a->y < b->y ? half : -half;
                }
            }
        for (int i = 0; i < n; i++) {
            place[i].x = into(place[i].x, box[0] + place[i].width / 2, box[0] + box[2] - place[i].width / 2);
            place[i].y = into(place[i].y, box[1] + place[i].height / 2, box[1] + box[3] - place[i].height / 2);
        }
    }
}
