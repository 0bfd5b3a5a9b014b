/* strait encode, decode, reconstruct: data through a model, into a file. */
#include <stdio.h>
#include <string.h>
#include "cli.h"
#include "format.h"
#include "json.h"
#include "model_data.h"
#include "output.h"
#include "terminal.h"

static const cli_option options[] = {
    {"output", 'o', CLI_TEXT, false, "FILE", "the file to write; its ending says the format"},
    CLI_OPTION_THREADS,
    CLI_OPTION_JSON,
    CLI_OPTION_QUIET,
    {0},
};

static const char *const latent_endings[] = {".npy", ".csv", ".h5ad", NULL};
static const char *const all_endings[] = {".npy", ".csv", ".png", NULL};

/* Samples on a sheet, where there are more. */
#define SHEET_COLUMNS 10
#define SHEET_PAIRS 10 /* rows of originals, each with its reconstructions below */
#define SHEET_SAMPLES (SHEET_COLUMNS * SHEET_PAIRS)

/* What the three commands differ in. Fills *out with the array to write; a .png of reconstructions needs the data too,
   which is handed back open. */
typedef strait_status work_function(strait_array **out, strait_data **data, const strait_model *model,
                                    const char *source, const strait_apply_options *apply, strait_error *err);

static strait_status open_data(strait_data **data, const strait_model *model, const char *source,
                               const strait_apply_options *apply, strait_error *err) {
    const cli_work *bar = apply->context;
    const strait_status status = strait_data_open(data, source, err);
    return status == STRAIT_OK ? cli_tell_missing(model, *data, bar->quiet, err) : status;
}

static strait_status encode(strait_array **out, strait_data **data, const strait_model *model, const char *source,
                            const strait_apply_options *apply, strait_error *err) {
    const strait_status status = open_data(data, model, source, apply, err);
    return status == STRAIT_OK ? strait_model_encode(out, model, *data, apply, err) : status;
}

static strait_status decode(strait_array **out, strait_data **data, const strait_model *model, const char *source,
                            const strait_apply_options *apply, strait_error *err) {
    strait_array *z = NULL;
    (void)data;
    strait_status status = strait_array_read(&z, source, err);
    if (status == STRAIT_OK) status = strait_model_decode(out, model, z, apply, err);
    strait_array_free(z);
    return status;
}

static strait_status reconstruct(strait_array **out, strait_data **data, const strait_model *model, const char *source,
                                 const strait_apply_options *apply, strait_error *err) {
    const strait_status status = open_data(data, model, source, apply, err);
    return status == STRAIT_OK ? strait_model_reconstruct(out, model, *data, apply, err) : status;
}

/* Originals above reconstructions, row by row, as far as whole rows go (one shorter row when there are few). */
static strait_status write_pairs(const char *path, const strait_array *seen, strait_data *data, strait_error *err) {
    const strait_array *row[2 * SHEET_PAIRS];
    const char *caption[2 * SHEET_PAIRS];
    strait_array part[2 * SHEET_PAIRS], *original = NULL;
    strait_data_info info;
    const int64_t n = seen->dim[0] < SHEET_SAMPLES ? seen->dim[0] : SHEET_SAMPLES;
    const int64_t columns = n < SHEET_COLUMNS ? n : SHEET_COLUMNS;
    const int n_pairs = columns > 0 ? (int)(n / columns) : 0;
    strait_status status = strait_data_describe(data, &info, err);
    if (status == STRAIT_OK) status = strait_data_rows(&original, data, 0, n, err);
    if (status == STRAIT_OK) {
        cli_to_unit(original, &info);
        for (int i = 0; i < n_pairs; i++) {
            part[2 * i] = cli_slice(original, i * columns, columns);
            part[2 * i + 1] = cli_slice(seen, i * columns, columns);
            caption[2 * i] = "original";
            caption[2 * i + 1] = "reconstruction";
        }
        for (int i = 0; i < 2 * n_pairs; i++)
            row[i] = &part[i];
        status = strait_picture_sheet(path, 2 * n_pairs, row, caption, (int)columns, err);
    }
    strait_array_free(original);
    return status;
}

/* name: what the user calls the model. */
static strait_status write_array(const char *path, const strait_array *array, strait_data *data,
                                 const strait_model *model, const char *name, strait_error *err) {
    if (cli_ends_with(path, ".h5ad")) return strait_model_write_h5ad(model, name, data, array, path, err);
    if (!cli_ends_with(path, ".png")) return strait_array_write(array, path, err);
    if (data) return write_pairs(path, array, data, err);
    strait_array first = *array;
    if (first.dim[0] > SHEET_SAMPLES) first = cli_slice(array, 0, SHEET_SAMPLES);
    return cli_write_sheet(path, &first, SHEET_COLUMNS, err);
}

static cli_exit print_written(const cli_args *args, const char *path, const strait_array *array) {
    const int64_t n = cli_ends_with(path, ".png") && array->dim[0] > SHEET_SAMPLES ? SHEET_SAMPLES : array->dim[0];
    const strait_array written = cli_slice(array, 0, n);
    if (cli_has(args, "json"))
        return cli_json_print(json_pack("{s:o, s:I, s:o}", "file", cli_json_text(path), "samples", (json_int_t)n,
                                        "shape", cli_json_shape(written.n_dims, written.dim)));
    printf("%s  %s", path, cli_shape(written.n_dims, written.dim).text);
    if (n < array->dim[0]) printf(", the first of %s samples", cli_count(array->dim[0]).text);
    printf("\n");
    return CLI_OK;
}

static cli_exit apply_model(const cli_args *args, const char *verb, work_function *work, const char *const *endings) {
    const char *path = cli_text(args, "output");
    if (!path) return cli_usage("-o FILE is missing; usage: strait %s", args->command->synopsis[0]);
    cli_exit code = cli_output_check(path, endings);
    if (code != CLI_OK) return code;
    cli_work bar = {.verb = verb, .quiet = cli_has(args, "quiet")};
    const strait_apply_options apply = {cli_int(args, "threads", 0), cli_work_progress, &bar};
    strait_model *model = NULL;
    strait_data *data = NULL;
    strait_array *out = NULL;
    strait_error err = {0};
    strait_status status = cli_model_load(&model, args->operand, args->n_operands, &err);
    if (status == STRAIT_OK) status = work(&out, &data, model, args->operand[1], &apply, &err);
    if (status == STRAIT_OK) status = write_array(path, out, data, model, args->operand[0], &err);
    code = status == STRAIT_OK ? print_written(args, path, out) : cli_failed(&err);
    strait_array_free(out);
    strait_data_free(data);
    strait_model_free(model);
    return code;
}

static cli_exit run_encode(const cli_args *args) {
    return apply_model(args, "encoding", encode, latent_endings);
}

static const cli_example encode_examples[] = {
    {"strait encode fashion-basic-001 fashion-mnist#test -o z.npy", "the latents of the test images, for Python"},
    {"strait encode fashion-basic-001 fashion-mnist#test -o z.csv", "the same as a table of text"},
    {0},
};

const cli_command cli_encode = {
    .name = "encode",
    .summary = "write the latents of data",
    .synopsis = {"encode MODEL DATA -o FILE [OPTIONS]"},
    .details =
        "FILE ends in .npy (float32, one row a sample), .csv, or .h5ad: a copy of the h5ad file that is encoded, with "
        "the latents in obsm/X_strait, for scanpy. The data is prepared as in the training; genes and proteins are "
        "found by their names, and those that are missing count as 0 and are told.",
    .operand = {"MODEL", "DATA"},
    .least_operands = 2,
    .options = options,
    .examples = encode_examples,
    .run = run_encode,
};

static cli_exit run_decode(const cli_args *args) {
    return apply_model(args, "decoding", decode, all_endings);
}

static const cli_example decode_examples[] = {
    {"strait decode fashion-basic-001 z.npy -o x.npy", "images from latents"},
    {"strait decode fashion-basic-001 z.npy -o x.png", "the first 100 of them as a sheet"},
    {0},
};

const cli_command cli_decode = {
    .name = "decode",
    .summary = "write what a model makes of latents",
    .synopsis = {"decode MODEL FILE.npy -o FILE [OPTIONS]"},
    .details = "FILE.npy holds one row of latent values a sample, as strait encode writes it. FILE ends in .npy "
               "(float32, shaped as the model's output), .csv, or .png (a sheet of the first 100).",
    .operand = {"MODEL", "FILE.npy"},
    .least_operands = 2,
    .options = options,
    .examples = decode_examples,
    .run = run_decode,
};

static cli_exit run_reconstruct(const cli_args *args) {
    return apply_model(args, "reconstructing", reconstruct, all_endings);
}

static const cli_example reconstruct_examples[] = {
    {"strait reconstruct fashion-basic-001 fashion-mnist#test -o seen.npy", "what the model makes of the test images"},
    {"strait reconstruct fashion-basic-001 fashion-mnist#test -o seen.png", "originals above reconstructions"},
    {0},
};

const cli_command cli_reconstruct = {
    .name = "reconstruct",
    .summary = "write what a model gives back of data",
    .synopsis = {"reconstruct MODEL DATA -o FILE [OPTIONS]"},
    .details = "FILE ends in .npy (float32, shaped as the data), .csv, or .png (a sheet of the first 100 samples, each "
               "row of originals above its reconstructions).",
    .operand = {"MODEL", "DATA"},
    .least_operands = 2,
    .options = options,
    .examples = reconstruct_examples,
    .run = run_reconstruct,
};
