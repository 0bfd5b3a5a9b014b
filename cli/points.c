#include "points.h"

#include <math.h>
#include <string.h>
#include "terminal.h"

static strait_status encode(cli_points *out, const char *model_name, const char *data_name, int threads,
                            strait_error *err) {
    const strait_apply_options options = {.threads = threads};
    strait_status status = strait_model_load(&out->model, model_name, err);
    if (status == STRAIT_OK) status = strait_data_open(&out->data, data_name, err);
    if (status == STRAIT_OK) status = strait_model_encode(&out->latents, out->model, out->data, &options, err);
    out->x = out->latents;
    return status == STRAIT_OK ? cli_samples_check(out->latents, data_name, err) : status;
}

strait_status cli_points_open(cli_points *out, const char *const *operand, int n_operands, int threads,
                              strait_error *err) {
    *out = (cli_points){0};
    const strait_status status = cli_samples_open(&out->samples, operand[n_operands - 1], err);
    if (status != STRAIT_OK) return status;
    out->x = out->samples.x;
    return n_operands > 1 ? encode(out, operand[0], operand[1], threads, err) : STRAIT_OK;
}

void cli_points_close(cli_points *points) {
    cli_samples_close(&points->samples);
    strait_array_free(points->latents);
    strait_data_free(points->data);
    strait_model_free(points->model);
    *points = (cli_points){0};
}

cli_exit cli_metric(strait_metric *out, const cli_args *args) {
    const char *name = cli_text(args, "metric");
    *out = STRAIT_METRIC_EUCLIDEAN;
    if (!name || strcmp(name, "euclidean") == 0) return CLI_OK;
    if (strcmp(name, "cosine") != 0) return cli_usage("--metric is euclidean or cosine, not '%s'", name);
    *out = STRAIT_METRIC_COSINE;
    return CLI_OK;
}

bool cli_explore_progress(void *context, double done, double value) {
    cli_line line = {{0}, 0};
    if (!cli_live()) return true;
    if (done >= 1) {
        cli_line_wipe();
        return true;
    }
    cli_line_add_bar(&line, 20, done);
    cli_line_add(&line, " %.0f %%", 100 * done);
    if (context && isfinite(value)) cli_line_add(&line, "%s%s %.4f", cli_dot(), (const char *)context, value);
    cli_line_redraw(&line);
    return true;
}
