/* strait eval: how well a model gives back data. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include "cli.h"
#include "format.h"
#include "json.h"
#include "model_data.h"
#include "terminal.h"

static const cli_option options[] = {CLI_OPTION_THREADS, CLI_OPTION_JSON, CLI_OPTION_QUIET, {0}};

static const cli_example examples[] = {
    {"strait eval fashion-basic-001 fashion-mnist#test", "the errors on the test images"},
    {"strait eval runs/fashion-basic-001/model.safetensors fashion-mnist#test --json", "the same for a program"},
    {0},
};

static cli_exit run(const cli_args *args) {
    cli_work work = {.verb = "judging", .quiet = cli_has(args, "quiet")};
    const strait_apply_options apply = {cli_int(args, "threads", 0), cli_work_progress, &work};
    strait_evaluation found;
    strait_model *model = NULL;
    strait_data *data = NULL;
    strait_error err = {0};
    strait_status status = cli_model_data_open(&model, &data, args->operand, work.quiet, &err);
    if (status == STRAIT_OK) status = strait_model_evaluate(&found, model, data, &apply, &err);
    strait_data_free(data);
    strait_model_free(model);
    if (status != STRAIT_OK) return cli_failed(&err);
    if (cli_has(args, "json")) {
        json_t *object = json_pack("{s:I, s:o, s:o, s:o, s:o}", "samples", (json_int_t)found.n_samples, "mse",
                                   cli_json_real(found.mse), "mae", cli_json_real(found.mae), "bce",
                                   cli_json_real(found.bce), "loss", cli_json_real(found.loss));
        if (object && !isnan(found.kl)) json_object_set_new(object, "kl", cli_json_real(found.kl));
        return cli_json_print(object);
    }
    printf("samples  %s\n", cli_count(found.n_samples).text);
    printf("mse      %.6g\nmae      %.6g\nbce      %.6g\nloss     %.6g\n", found.mse, found.mae, found.bce, found.loss);
    if (!isnan(found.kl)) printf("kl       %.6g\n", found.kl);
    return CLI_OK;
}

const cli_command cli_eval = {
    .name = "eval",
    .summary = "measure how well a model gives back data",
    .synopsis = {"eval MODEL DATA [OPTIONS]"},
    .details =
        "Means over all samples and values: mse, mae, bce (binary cross-entropy), and the recipe's own loss. A "
        "model that was trained to remove noise gets noisy input and is judged against the clean sample. The loss "
        "is measured as validation measures it: with penalties, and of a model whose latent is a distribution "
        "with drawn latents and the KL divergence, which is shown alone as well (kl).",
    .operand = {"MODEL", "DATA"},
    .least_operands = 2,
    .options = options,
    .examples = examples,
    .run = run,
};
