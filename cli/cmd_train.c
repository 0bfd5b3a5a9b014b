/* strait train: a recipe becomes a run; an interrupted run goes on. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cli.h"
#include "format.h"
#include "json.h"
#include "overrides.h"
#include "progress.h"
#include "terminal.h"

static const cli_option options[] = {
    CLI_OPTION_SET,
    {"data", 'd', CLI_TEXT, false, "DATA", "train on this instead of the recipe's data.source"},
    {"out", 'o', CLI_TEXT, false, "DIR", "folder the run is made in (default: runs)"},
    {"epochs", 'e', CLI_COUNT, false, "N", "epochs in all, as train.epochs"},
    {"seed", 's', CLI_SEED, false, "N", "seed of weights, order and noise, as seed"},
    CLI_OPTION_THREADS,
    {"tune", 0, CLI_FLAG, false, NULL, "first time other ways to split the steps over threads, ten seconds at most"},
    {"plan", 0, CLI_TEXT, false, "RUN", "split the steps as this run did, for the same last bits"},
    {"resume", 0, CLI_TEXT, false, "RUN", "go on with a run that was interrupted or killed"},
    CLI_OPTION_JSON,
    CLI_OPTION_QUIET,
    {0},
};

static const cli_example examples[] = {
    {"strait train fashion-basic --epochs 3", "an installed recipe, three epochs"},
    {"strait train fashion-basic --set data.limit=2000 --set model.encoder.1.dense.units=32 --out trials",
     "with keys overridden, its run made in trials/"},
    {"strait train ecg-anomaly --epochs 2 --tune", "with the steps split in whatever way is fastest here"},
    {"strait train ecg-anomaly --epochs 2 --plan ecg-anomaly-001", "the same split once more, and so the same bits"},
    {"strait train --resume fashion-basic-001 --epochs 4", "go on with a run, up to four epochs in all"},
    {0},
};

static bool collect_overrides(cli_overrides *list, const cli_args *args) {
    static const cli_shorthand shorthand[] = {{"data", "data.source", true},
                                              {"epochs", "train.epochs", false},
                                              {"seed", "seed", false},
                                              {"threads", "train.threads", false},
                                              {0}};
    return cli_overrides_begin(list, args) && cli_overrides_shorthand(list, args, shorthand);
}

static cli_exit check_usage(const cli_args *args) {
    static const char *const fixed[] = {"set", "out", "seed", "tune", "plan"};
    const cli_exit pairs = cli_overrides_check(args);
    if (pairs != CLI_OK) return pairs;
    if (cli_has(args, "plan") && (cli_has(args, "tune") || cli_has(args, "threads")))
        return cli_usage("--plan takes another run's split of the steps: leave --%s away",
                         cli_has(args, "tune") ? "tune" : "threads");
    if (!cli_has(args, "resume"))
        return args->n_operands == 1 ? CLI_OK : cli_usage("RECIPE is missing; usage: strait %s", cli_train.synopsis[0]);
    if (args->n_operands > 0)
        return cli_usage("--resume takes the recipe from the run: leave '%s' away", args->operand[0]);
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        if (cli_has(args, fixed[i])) return cli_usage("--%s cannot change a run that is resumed", fixed[i]);
    return CLI_OK;
}

static strait_status train_recipe(strait_train_result *result, const cli_args *args,
                                  const strait_train_options *training, strait_error *err) {
    cli_overrides list;
    strait_recipe *recipe = NULL;
    strait_status status = STRAIT_MEMORY;
    if (collect_overrides(&list, args))
        status = strait_recipe_open(&recipe, args->operand[0], list.n, list.text, err);
    else
        *err = (strait_error){.code = STRAIT_MEMORY};
    if (status == STRAIT_OK) status = strait_train(NULL, result, recipe, training, err);
    strait_recipe_free(recipe);
    cli_overrides_free(&list);
    return status;
}

static strait_status resume_run(strait_train_result *result, const cli_args *args, strait_train_options *training,
                                strait_error *err) {
    strait_data *data = NULL;
    strait_status status = STRAIT_OK;
    if (cli_has(args, "data")) status = strait_data_open(&data, cli_text(args, "data"), err);
    training->data = data;
    training->threads = cli_int(args, "threads", 0);
    if (status == STRAIT_OK)
        status = strait_train_resume(NULL, result, cli_text(args, "resume"), cli_int(args, "epochs", 0), training, err);
    strait_data_free(data);
    return status;
}

static bool in_run(char *path, size_t size, const char *run, const char *file) {
    const int length = snprintf(path, size, "%s/%s", run, file);
    return length > 0 && (size_t)length < size && access(path, F_OK) == 0;
}

static void print_result(const strait_train_result *result) {
    static const char *const picture[] = {"loss.png", "reconstructions.png"};
    char path[640];
    const char *before = "pictures   ";
    printf("run        %s\n", result->run);
    if (in_run(path, sizeof path, result->run, "model.safetensors")) printf("model      %s\n", path);
    for (size_t i = 0; i < sizeof picture / sizeof *picture; i++) {
        if (!in_run(path, sizeof path, result->run, picture[i])) continue;
        printf("%s%s", before, path);
        before = ", ";
    }
    if (*before == ',') printf("\n");
    printf("loss       %s", cli_loss(result->loss).text);
    if (!isnan(result->val_loss)) printf("%sval_loss %s", cli_dot(), cli_loss(result->val_loss).text);
    if (result->best_epoch > 0)
        printf("%sbest %s in epoch %d", cli_dot(), cli_loss(result->best_loss).text, result->best_epoch);
    printf("\nspeed      %s samples/s on %d thread%s%s%d epoch%s in %s%s%.1f %% of the time waiting for data\n",
           cli_rate(result->samples_per_second).text, result->threads, result->threads == 1 ? "" : "s", cli_dot(),
           result->epochs, result->epochs == 1 ? "" : "s", cli_duration(result->seconds).text, cli_dot(),
           100 * result->wait_share);
}

static cli_exit print_json(const strait_train_result *result, const char *outcome) {
    return cli_json_print(json_pack(
        "{s:o, s:i, s:o, s:o, s:o, s:o, s:I, s:i, s:o, s:i, s:o, s:s}", "run", cli_json_text(result->run), "epochs",
        result->epochs, "loss", cli_json_real(result->loss), "val_loss", cli_json_real(result->val_loss), "seconds",
        cli_json_real(result->seconds), "samples_per_second", cli_json_real(result->samples_per_second), "parameters",
        (json_int_t)result->parameters, "best_epoch", result->best_epoch, "best_loss", cli_json_real(result->best_loss),
        "threads", result->threads, "wait_share", cli_json_real(result->wait_share), "outcome", outcome));
}

static cli_exit run(const cli_args *args) {
    const cli_exit usage = check_usage(args);
    if (usage != CLI_OK) return usage;
    cli_display display = {.quiet = cli_has(args, "quiet")};
    char command[1024];
    cli_command_line(command, sizeof command, args);
    strait_train_options training = {.out = cli_text(args, "out"),
                                     .tune = cli_has(args, "tune"),
                                     .plan = cli_text(args, "plan"),
                                     .observer = cli_display_observer(&display),
                                     .command = command};
    strait_train_result result = {0};
    strait_error err = {0};
    if (training.tune) cli_catch_signals(); /* trying out is asked to stop as training is, which begins later */
    const strait_status status = cli_has(args, "resume") ? resume_run(&result, args, &training, &err)
                                                         : train_recipe(&result, args, &training, &err);
    cli_line_wipe();
    const bool told = result.run[0] != '\0'; /* a run exists: there is something to tell of */
    cli_exit code = CLI_OK;
    if (status == STRAIT_INTERRUPTED) {
        code = CLI_INTERRUPTED;
        if (told)
            cli_say("interrupted in epoch %d; go on with: strait train --resume %s", display.epoch,
                    cli_shell(result.run).text);
        else
            cli_say("%s", err.message);
    } else if (status != STRAIT_OK) {
        code = cli_failed(&err);
    }
    if (told && cli_has(args, "json") &&
        (status == STRAIT_OK || status == STRAIT_INTERRUPTED || status == STRAIT_DIVERGED)) {
        const cli_exit printed = print_json(&result, status == STRAIT_OK            ? "complete"
                                                     : status == STRAIT_INTERRUPTED ? "interrupted"
                                                                                    : "diverged");
        if (code == CLI_OK) code = printed;
    } else if (told && status == STRAIT_OK) {
        print_result(&result);
    }
    return code;
}

const cli_command cli_train = {
    .name = "train",
    .summary = "train a recipe, or go on with a run",
    .synopsis = {"train RECIPE [OPTIONS]", "train --resume RUN [--epochs N] [OPTIONS]"},
    .details = "RECIPE is a file, or the name of an installed recipe (strait info lists them). The run is a folder of "
               "its own, runs/NAME-001 and up: the recipe, the model, the history of the losses, pictures, and a "
               "checkpoint after each epoch.\n"
               "Ctrl-C (or SIGTERM) once finishes the batch and saves; the same once more ends at once. A run that was "
               "interrupted or killed goes on with --resume to the same bits as one that was not.",
    .operand = {"RECIPE"},
    .least_operands = 0,
    .options = options,
    .examples = examples,
    .run = run,
};
