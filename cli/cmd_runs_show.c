/* strait runs show: one run, all that is known of it. */
#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "format.h"
#include "runs.h"
#include "terminal.h"

static const cli_option options[] = {CLI_OPTION_DIR, CLI_OPTION_JSON, {0}};

static const cli_example examples[] = {
    {"strait runs show fashion-basic-001", "what was built, how it was trained, what came of it"},
    {0},
};

/* ---- text ---- */

static void print_line(const char *label, const char *text) {
    if (text[0]) printf("%-12s%s\n", label, text);
}

static void print_built(const strait_run *run) {
    char text[1400];
    printf("%s\n\n", run->name);
    print_line("folder", run->folder);
    print_line("recipe", run->recipe);
    snprintf(text, sizeof text, "%s parameters%s%d value%s in the latent", cli_count(run->parameters).text, cli_dot(),
             run->latent, run->latent == 1 ? "" : "s");
    print_line("model", run->parameters > 0 ? text : "");
    print_line("data", run->source);
    snprintf(text, sizeof text, "%s to train on%s%s to validate on%s%s", cli_count(run->n_samples).text, cli_dot(),
             cli_count(run->n_validation).text, run->checksum[0] ? cli_dot() : "", run->checksum);
    print_line("samples", run->n_samples > 0 ? text : "");
}

static void print_training(const strait_run *run) {
    char text[1400];
    snprintf(text, sizeof text, "%s, %s with learning rate %g, batches of %d, seed %llu", run->loss_name,
             run->optimizer, run->learning_rate, run->batch_size, (unsigned long long)run->seed);
    print_line("training", run->loss_name[0] ? text : "");
    print_line("started", run->started);
    snprintf(text, sizeof text, "%s%s%d thread%s%smicro-batches of %d%sStrait %s",
             run->processor[0] ? run->processor : "?", cli_dot(), run->threads, run->threads == 1 ? "" : "s", cli_dot(),
             run->micro_batch, cli_dot(), run->version[0] ? run->version : "?");
    print_line("machine", run->processor[0] ? text : "");
    print_line("command", run->command);
}

static void print_outcome(const strait_run *run) {
    char text[256];
    int at = snprintf(text, sizeof text, "%s after %d of %d epochs", run->state, run->epochs, run->epochs_asked);
    if (!isnan(run->seconds) && at > 0)
        snprintf(text + at, sizeof text - (size_t)at, " in %s", cli_duration(run->seconds).text);
    printf("\n");
    print_line("outcome", text);
    print_line("loss", cli_run_loss(run->loss).text);
    print_line("val_loss", cli_run_loss(run->val_loss).text);
    snprintf(text, sizeof text, "%s in epoch %d", cli_run_loss(run->best_loss).text, run->best_epoch);
    print_line("best", run->best_epoch > 0 ? text : "");
    at = isnan(run->samples_per_second)
             ? 0
             : snprintf(text, sizeof text, "%s samples/s", cli_rate(run->samples_per_second).text);
    if (at > 0 && !isnan(run->wait_share))
        snprintf(text + at, sizeof text - (size_t)at, "%s%.1f %% of the time waiting for data", cli_dot(),
                 100 * run->wait_share);
    print_line("speed", at > 0 ? text : "");
}

static void print_diagnosis(const strait_diagnosis *diagnosis) {
    static const char *const severity[] = {"note", "warning", "problem"};
    printf("\nDoes the loss move? %s\nDo the weights change? %s\n", diagnosis->loss_answer, diagnosis->weights_answer);
    for (int i = 0; i < diagnosis->n_findings; i++) {
        const strait_finding *finding = &diagnosis->finding[i];
        printf("%s: %s%s%s\n", severity[finding->severity], finding->sentence, finding->mend[0] ? " " : "",
               finding->mend);
    }
}

/* ---- files ---- */

static bool file_size(double *bytes, const char *folder, const char *name) {
    struct stat info;
    const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool known = fd >= 0 && fstatat(fd, name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(info.st_mode);
    if (fd >= 0) close(fd);
    if (known) *bytes = (double)info.st_size;
    return known;
}

static int is_visible(const struct dirent *entry) {
    return entry->d_name[0] != '.';
}

/* Bytes of the files in a folder below the run's, and how many they are. */
static int folder_size(double *total, const char *folder, const char *name) {
    char path[1400];
    struct dirent **entry = NULL;
    double bytes;
    int count = 0;
    *total = 0;
    const int length = snprintf(path, sizeof path, "%s/%s", folder, name);
    if (length < 0 || (size_t)length >= sizeof path) return 0;
    const int n = scandir(path, &entry, is_visible, NULL);
    for (int i = 0; i < n; i++) {
        if (file_size(&bytes, path, entry[i]->d_name)) {
            *total += bytes;
            count++;
        }
        free(entry[i]);
    }
    free(entry);
    return count;
}

static void print_files(const char *folder) {
    struct dirent **entry = NULL;
    double bytes;
    printf("\nfiles\n");
    const int n = scandir(folder, &entry, is_visible, alphasort);
    for (int i = 0; i < n; i++) {
        const char *name = entry[i]->d_name;
        if (file_size(&bytes, folder, name)) {
            printf("  %-24s%12s\n", name, cli_bytes(bytes).text);
        } else {
            const int count = folder_size(&bytes, folder, name);
            if (count > 0) printf("  %-24s%12s in %d files\n", name, cli_bytes(bytes).text, count);
        }
        free(entry[i]);
    }
    free(entry);
}

/* ---- JSON ---- */

static json_t *files_json(const char *folder) {
    struct dirent **entry = NULL;
    double bytes;
    json_t *files = json_array();
    const int n = scandir(folder, &entry, is_visible, alphasort);
    for (int i = 0; i < n; i++) {
        if (file_size(&bytes, folder, entry[i]->d_name))
            json_array_append_new(
                files, json_pack("{s:o, s:I}", "file", cli_json_text(entry[i]->d_name), "bytes", (json_int_t)bytes));
        free(entry[i]);
    }
    free(entry);
    return files;
}

static json_t *diagnosis_json(const strait_diagnosis *diagnosis) {
    static const char *const severity[] = {"note", "warning", "problem"};
    if (!diagnosis) return json_null();
    json_t *findings = json_array();
    for (int i = 0; i < diagnosis->n_findings; i++) {
        const strait_finding *finding = &diagnosis->finding[i];
        json_array_append_new(
            findings, json_pack("{s:s, s:s, s:i, s:o, s:o, s:o, s:o}", "code", finding->code, "severity",
                                severity[finding->severity], "epoch", finding->epoch, "layer",
                                cli_json_text(finding->layer), "value", cli_json_real(finding->value), "sentence",
                                cli_json_text(finding->sentence), "mend", cli_json_text(finding->mend)));
    }
    return json_pack("{s:b, s:b, s:o, s:o, s:o}", "loss_moves", diagnosis->loss_moves, "weights_change",
                     diagnosis->weights_change, "loss_answer", cli_json_text(diagnosis->loss_answer), "weights_answer",
                     cli_json_text(diagnosis->weights_answer), "findings", findings);
}

static cli_exit print_json(const strait_run *run, const strait_diagnosis *diagnosis) {
    json_t *object = cli_run_json(run);
    if (object && (json_object_set_new(object, "diagnosis", diagnosis_json(diagnosis)) != 0 ||
                   json_object_set_new(object, "files", files_json(run->folder)) != 0)) {
        json_decref(object);
        object = NULL;
    }
    return cli_json_print(object);
}

static cli_exit run_show(const cli_args *args) {
    strait_run run;
    strait_error err = {0};
    strait_diagnosis *diagnosis = NULL;
    if (strait_run_open(&run, cli_run_named(args, 0).text, &err) != STRAIT_OK) return cli_failed(&err);
    const strait_status status = strait_diagnosis_read(&diagnosis, run.folder, &err);
    cli_exit code = CLI_OK;
    if (cli_has(args, "json")) {
        code = print_json(&run, diagnosis);
    } else {
        print_built(&run);
        print_training(&run);
        print_outcome(&run);
        if (diagnosis) print_diagnosis(diagnosis);
        print_files(run.folder);
    }
    /* A run of an older program has none; a damaged one is told of. */
    if (status != STRAIT_OK && status != STRAIT_NOT_FOUND) code = cli_failed(&err);
    strait_diagnosis_free(diagnosis);
    return code;
}

const cli_command cli_runs_show = {
    .name = "runs show",
    .summary = "tell what a run is and what came of it",
    .synopsis = {"runs show RUN [OPTIONS]"},
    .operand = {"RUN"},
    .least_operands = 1,
    .options = options,
    .examples = examples,
    .run = run_show,
};
