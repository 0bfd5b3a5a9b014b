/* strait summary: the layers of a model or of a recipe's model, as a table. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "cli.h"
#include "format.h"
#include "json.h"
#include "output.h"
#include "terminal.h"

static const cli_option options[] = {
    {"plan", 0, CLI_FLAG, false, NULL, "show how a training step is computed, one operation a line"},
    {"diagram", 0, CLI_TEXT, false, "FILE.svg", "draw the model as an hourglass, a bar a layer"},
    CLI_OPTION_SET,
    CLI_OPTION_THREADS,
    CLI_OPTION_JSON,
    {0},
};

static const cli_example examples[] = {
    {"strait summary fashion-basic", "an installed recipe"},
    {"strait summary fashion-basic --set model.encoder.1.dense.units=32", "the same with a smaller latent"},
    {"strait summary fashion-basic-001 --plan", "a trained model, and how it is computed"},
    {"strait summary fashion-basic --diagram hourglass.svg", "a drawing of it"},
    {0},
};

/* Is the word a model rather than a recipe? A run folder, a file that is no YAML, or a run's name in runs/. */
static bool names_model(const char *word) {
    struct stat status;
    char path[512];
    if (cli_ends_with(word, ".yaml") || cli_ends_with(word, ".yml")) return false;
    if (cli_ends_with(word, ".safetensors") || stat(word, &status) == 0) return true;
    const int length = snprintf(path, sizeof path, "runs/%s", word);
    return length > 0 && (size_t)length < sizeof path && stat(path, &status) == 0;
}

static strait_status build_recipe(strait_model **out, const cli_args *args, strait_error *err) {
    strait_recipe *recipe = NULL;
    size_t n = 0;
    const char **set = calloc((size_t)args->n_values + 1, sizeof *set);
    if (!set) {
        *err = (strait_error){.code = STRAIT_MEMORY};
        return STRAIT_MEMORY;
    }
    for (int i = 0; i < args->n_values; i++)
        if (strcmp(args->value[i].option->name, "set") == 0) set[n++] = args->value[i].text;
    strait_status status = strait_recipe_open(&recipe, args->operand[0], n, set, err);
    if (status == STRAIT_OK) status = strait_model_build(out, recipe, err);
    strait_recipe_free(recipe);
    free(set);
    return status;
}

/* Widths in columns, not in bytes: printf would count the bytes of a sign beyond ASCII. */
static int pad_to(int columns, const char *text) {
    const int pad = columns - cli_text_columns(text);
    return pad > 0 ? pad : 0;
}

typedef struct table {
    int name, layer; /* widths in columns */
} table;

static void print_row(const char *name, const char *layer, const char *shape, const char *parameters, const char *flops,
                      const char *memory, const table *width) {
    printf("%s%*s  %s%*s  %s%*s  %12s  %14s  %10s\n", name, pad_to(width->name, name), "", layer,
           pad_to(width->layer, layer), "", shape, pad_to(14, shape), "", parameters, flops, memory);
}

static void widen(int *columns, const char *text) {
    if (cli_text_columns(text) > *columns) *columns = cli_text_columns(text);
}

static void print_rows(const strait_summary *summary) {
    table width = {12, 16};
    for (int i = 0; i < summary->n_rows; i++) {
        widen(&width.name, summary->row[i].name);
        widen(&width.layer, summary->row[i].layer);
    }
    print_row("name", "layer", "output shape", "parameters", "FLOPs", "activation", &width);
    print_row("input", "", cli_shape(summary->n_input_dims, summary->input_dim).text, "", "", "", &width);
    for (int i = 0; i < summary->n_rows; i++) {
        const strait_summary_row *row = &summary->row[i];
        if (i > 0 && strcmp(row->part, summary->row[i - 1].part) != 0) printf("\n");
        print_row(row->name, row->layer, cli_shape(row->n_dims, row->dim).text, cli_count(row->parameters).text,
                  cli_count(row->flops).text, cli_bytes((double)row->activation_bytes).text, &width);
    }
}

/* "Total params", "Trainable params": the words Keras' summary has. */
static void print_table(const strait_summary *summary) {
    print_rows(summary);
    printf("\nTotal params          %s\n", cli_count(summary->parameters).text);
    printf("Trainable params      %s\n", cli_count(summary->parameters - summary->non_trainable).text);
    printf("Non-trainable params  %s\n", cli_count(summary->non_trainable).text);
    printf("\nlatent      %s value%s a sample\n", cli_count(summary->latent).text, summary->latent == 1 ? "" : "s");
    printf("FLOPs       %s a sample, forward\n", cli_count(summary->flops).text);
    printf("activation  %s a sample\n", cli_bytes((double)summary->activation_bytes).text);
    printf("memory      %s to train in batches of %d\n", cli_bytes((double)summary->training_bytes).text,
           summary->batch_size);
}

static json_t *row_json(const strait_summary_row *row) {
    return json_pack("{s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:I}", "part", cli_json_text(row->part), "name",
                     cli_json_text(row->name), "layer", cli_json_text(row->layer), "shape",
                     cli_json_shape(row->n_dims, row->dim), "parameters", (json_int_t)row->parameters, "flops",
                     (json_int_t)row->flops, "non_trainable", (json_int_t)row->non_trainable, "activation_bytes",
                     (json_int_t)row->activation_bytes);
}

static json_t *summary_json(const strait_summary *summary, bool with_plan) {
    json_t *layers = json_array();
    for (int i = 0; layers && i < summary->n_rows; i++) {
        if (json_array_append_new(layers, row_json(&summary->row[i])) == 0) continue;
        json_decref(layers);
        layers = NULL;
    }
    json_t *object = json_pack("{s:o, s:o, s:I, s:I, s:I, s:I, s:i, s:I, s:I}", "input",
                               cli_json_shape(summary->n_input_dims, summary->input_dim), "layers", layers, "latent",
                               (json_int_t)summary->latent, "parameters", (json_int_t)summary->parameters, "flops",
                               (json_int_t)summary->flops, "training_bytes", (json_int_t)summary->training_bytes,
                               "batch_size", summary->batch_size, "non_trainable", (json_int_t)summary->non_trainable,
                               "activation_bytes", (json_int_t)summary->activation_bytes);
    if (!object || !with_plan || json_object_set_new(object, "plan", cli_json_text(summary->plan)) == 0) return object;
    json_decref(object);
    return NULL;
}

static cli_exit run(const cli_args *args) {
    static const char *const endings[] = {".svg", NULL};
    const char *diagram = cli_text(args, "diagram");
    if (diagram) {
        const cli_exit good = cli_output_check(diagram, endings);
        if (good != CLI_OK) return good;
    }
    const bool is_model = names_model(args->operand[0]);
    if (is_model && cli_has(args, "set")) return cli_usage("--set changes a recipe; '%s' is a model", args->operand[0]);
    strait_model *model = NULL;
    strait_summary *summary = NULL;
    strait_error err = {0};
    strait_status status =
        is_model ? strait_model_load(&model, args->operand[0], &err) : build_recipe(&model, args, &err);
    if (status == STRAIT_OK) status = strait_model_summary(&summary, model, cli_int(args, "threads", 0), &err);
    if (status == STRAIT_OK && diagram) status = strait_report_diagram(diagram, model, &err);
    cli_exit code = CLI_OK;
    if (status != STRAIT_OK) {
        code = cli_failed(&err);
    } else if (cli_has(args, "json")) {
        code = cli_json_print(summary_json(summary, cli_has(args, "plan")));
    } else {
        print_table(summary);
        if (cli_has(args, "plan") && summary->plan) printf("\n%s", summary->plan);
    }
    strait_summary_free(summary);
    strait_model_free(model);
    return code;
}

const cli_command cli_summary = {
    .name = "summary",
    .summary = "show layers, shapes, parameters and memory",
    .synopsis = {"summary MODEL|RECIPE [OPTIONS]"},
    .details = "Output shapes and activation memory are of one sample. FLOPs count two for each multiply-add. Moving "
               "means and variances of batch_norm are non-trainable.",
    .operand = {"MODEL|RECIPE"},
    .least_operands = 1,
    .options = options,
    .examples = examples,
    .run = run,
};
