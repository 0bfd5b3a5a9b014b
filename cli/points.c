#include "points.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "groups.h"
#include "terminal.h"

static strait_status encode(cli_points *out, const char *data_name, int threads, strait_error *err) {
    const strait_apply_options options = {.threads = threads};
    const strait_status status = strait_model_encode(&out->latents, out->model, out->data, &options, err);
    out->x = out->latents;
    return status == STRAIT_OK ? cli_samples_check(out->latents, data_name, err) : status;
}

strait_status cli_points_open(cli_points *out, const char *const *operand, int n_operands, int threads, bool quiet,
                              strait_error *err) {
    *out = (cli_points){0};
    const bool with_model = n_operands > 1;
    strait_status status = with_model ? cli_model_data_open(&out->model, &out->data, operand, quiet, err) : STRAIT_OK;
    if (status == STRAIT_OK) status = cli_samples_open(&out->samples, operand[n_operands - 1], err);
    out->x = out->samples.x;
    return status == STRAIT_OK && with_model ? encode(out, operand[1], threads, err) : status;
}

void cli_points_close(cli_points *points) {
    cli_samples_close(&points->samples);
    strait_array_free(points->latents);
    strait_data_free(points->data);
    strait_model_free(points->model);
    *points = (cli_points){0};
}

/* A name is the whole of it, or what stands behind its last slash. */
static bool is_name(const char *name, const char *text) {
    const char *slash = name ? strrchr(name, '/') : NULL;
    return name && (strcmp(name, text) == 0 || (slash && strcmp(slash + 1, text) == 0));
}

strait_status cli_sample_find(int64_t *out, int64_t n, strait_data *data, const char *option, const char *text,
                              strait_error *err) {
    const bool number = text[strspn(text, "0123456789")] == 0, named = data && strait_data_sample_name(data, 0);
    int64_t found = -1, more = -1;
    for (int64_t i = 0; named && more < 0 && i < n; i++) {
        if (!is_name(strait_data_sample_name(data, i), text)) continue;
        if (found >= 0)
            more = i;
        else
            found = i;
    }
    if (more >= 0)
        return cli_refuse(err, STRAIT_ARGUMENT, "--%s %.100s: samples %lld and %lld are both called so; give its index",
                          option, text, (long long)found, (long long)more);
    if (found < 0 && number && strlen(text) < 19 && strtoll(text, NULL, 10) < n) found = strtoll(text, NULL, 10);
    if (found < 0)
        return cli_refuse(err, STRAIT_ARGUMENT, "--%s: there is no sample %.100s: the data has %lld, counted from 0%s",
                          option, text, (long long)n,
                          number  ? ""
                          : named ? ", and none is called so"
                                  : ", and they have no names");
    *out = found;
    return STRAIT_OK;
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
