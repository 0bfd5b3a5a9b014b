#include "report/report.h"

#include <math.h>
#include <strait/picture.h>

#include "base/memory.h"

#define COLUMNS 10
#define LOG_FACTOR 30.0 /* a loss that falls by more is drawn on a logarithmic axis */

/* Whether the finite losses span more than LOG_FACTOR, all above zero. */
static int wants_log(const double *loss, int n) {
    double low = INFINITY, high = 0;
    for (int i = 0; i < n; i++) {
        if (!isfinite(loss[i])) continue;
        low = fmin(low, loss[i]);
        high = fmax(high, loss[i]);
    }
    return low > 0 && high > low * LOG_FACTOR;
}

strait_status st_report_loss(const char *path, const st_history_row *rows, int n, strait_error *err) {
    if (n < 1) return st_fail(err, STRAIT_ARGUMENT, "%s: no epoch has been trained, there is no loss to draw", path);
    const size_t count = (size_t)n;
    double *block = st_alloc(3 * count, sizeof *block);
    if (!block) return st_fail_memory(err, 3 * count * sizeof *block, "the loss's picture");
    double *epoch = block, *loss = block + count, *val_loss = block + 2 * count;
    bool validated = false;
    for (int i = 0; i < n; i++) {
        epoch[i] = rows[i].epoch;
        loss[i] = rows[i].loss;
        val_loss[i] = rows[i].val_loss;
        if (isfinite(val_loss[i])) validated = true;
    }
    const strait_series series[2] = {{"training", n, epoch, loss}, {"validation", n, epoch, val_loss}};
    const strait_status status =
        strait_picture_chart(path, "Loss", "epoch", "loss", validated ? 2 : 1, series, wants_log(loss, 2 * n), err);
    st_free(block);
    return status;
}

strait_status st_report_reconstructions(const char *path, const strait_array *originals, const strait_array *corrupted,
                                        const strait_array *reconstructions, strait_error *err) {
    const strait_array *row[3] = {originals};
    const char *caption[3] = {"original"};
    int n = 1;
    if (corrupted) {
        row[n] = corrupted;
        caption[n++] = "input";
    }
    row[n] = reconstructions;
    caption[n++] = "reconstruction";
    return strait_picture_sheet(path, n, row, caption, COLUMNS, err);
}
