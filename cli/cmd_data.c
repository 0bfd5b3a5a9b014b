/* strait data info: what is in a data set. */
#include <inttypes.h>
#include <stdio.h>
#include "cli.h"
#include "format.h"
#include "json.h"
#include "model_data.h"
#include "terminal.h"

static const cli_option options[] = {CLI_OPTION_LABEL, CLI_OPTION_JSON, {0}};

static const cli_example examples[] = {
    {"strait data info fashion-mnist", "a known name: its training part"},
    {"strait data info fashion-mnist#test --json", "another split of it"},
    {0},
};

static void print_labels(const strait_data_info *info) {
    printf("labels   %d\n", info->n_labels);
    for (int i = 0; i < info->n_labels; i++) {
        const char *name = info->label_name && info->label_name[i] ? info->label_name[i] : "";
        const int pad = 16 - cli_text_columns(name);
        printf("  %6" PRId64 "  %s%*s  %12s\n", info->label_value[i], name, pad > 0 ? pad : 0, "",
               cli_count(info->label_count[i]).text);
    }
}

static bool several_sizes(const strait_data_info *info) {
    return info->n_dims == 3 && info->dim[0] == 0;
}

static void print_quality(const strait_data_quality *quality, const strait_data_info *info) {
    if (info->n_missing == 0)
        printf("missing  none\n");
    else if (info->missing)
        printf("missing  %s\n", info->missing);
    else
        printf("missing  %s\n", cli_count(info->n_missing).text);
    if (quality->n_duplicates > 0)
        printf("copies   %s, the first is sample %" PRId64 " of sample %" PRId64 "\n",
               cli_count(quality->n_duplicates).text, quality->duplicate, quality->original);
    else
        printf("copies   none\n");
    if (info->has_labels)
        print_labels(info);
    else
        printf("labels   none\n");
    for (int i = 0; i < quality->n_warnings; i++)
        printf("warning  %s\n", quality->warning[i]);
}

static void print_info(const strait_data_info *info) {
    printf("source   %s\n", info->source);
    printf("format   %s, stored as %s\n", info->format, info->storage);
    printf("samples  %s\n", cli_count(info->n_samples).text);
    if (several_sizes(info))
        printf("shape    several sizes, channels %" PRId64 "\n", info->dim[2]);
    else
        printf("shape    %s\n", cli_shape(info->n_dims, info->dim).text);
    printf("memory   %.1f MB, %s\n", (double)info->bytes / 1e6,
           info->resident ? "kept whole" : "too much to keep: each sample is read when it is needed");
    printf("values   %g to %g, mean %.6g\n", info->minimum, info->maximum, info->mean);
    if (info->note) printf("note     %s\n", info->note);
}

static json_t *labels_json(const strait_data_info *info) {
    if (!info->has_labels) return json_null();
    json_t *labels = json_array();
    for (int i = 0; labels && i < info->n_labels; i++) {
        json_t *label = json_pack("{s:I, s:o, s:I}", "value", (json_int_t)info->label_value[i], "name",
                                  cli_json_text(info->label_name ? info->label_name[i] : NULL), "count",
                                  (json_int_t)info->label_count[i]);
        if (json_array_append_new(labels, label) == 0) continue;
        json_decref(labels);
        return NULL;
    }
    return labels;
}

static json_t *warnings_json(const strait_data_quality *quality) {
    json_t *warnings = json_array();
    for (int i = 0; warnings && i < quality->n_warnings; i++) {
        if (json_array_append_new(warnings, cli_json_text(quality->warning[i])) == 0) continue;
        json_decref(warnings);
        return NULL;
    }
    return warnings;
}

static json_t *info_json(const strait_data_info *info, const strait_data_quality *quality) {
    return json_pack("{s:I, s:I, s:o, s:o, s:o, s:o, s:I, s:o, s:I, s:b, s:o, s:o, s:o, s:o, s:o}", "missing",
                     (json_int_t)info->n_missing, "duplicates", (json_int_t)quality->n_duplicates, "warnings",
                     warnings_json(quality), "source", cli_json_text(info->source), "format",
                     cli_json_text(info->format), "storage", cli_json_text(info->storage), "samples",
                     (json_int_t)info->n_samples, "shape", cli_json_shape(info->n_dims, info->dim), "bytes",
                     (json_int_t)info->bytes, "resident", info->resident, "note", cli_json_text(info->note), "minimum",
                     cli_json_real(info->minimum), "maximum", cli_json_real(info->maximum), "mean",
                     cli_json_real(info->mean), "labels", labels_json(info));
}

static cli_exit run(const cli_args *args) {
    strait_data *data = NULL;
    strait_data_info info;
    strait_data_quality quality;
    strait_error err = {0};
    strait_status status = cli_data_open(&data, args, &err);
    if (status == STRAIT_OK) status = strait_data_describe(data, &info, &err);
    if (status == STRAIT_OK) status = strait_data_inspect(&quality, data, &err);
    cli_exit code = CLI_OK;
    if (status != STRAIT_OK) {
        code = cli_failed(&err);
    } else if (cli_has(args, "json")) {
        code = cli_json_print(info_json(&info, &quality));
    } else {
        print_info(&info);
        print_quality(&quality, &info);
    }
    strait_data_free(data);
    return code;
}

const cli_command cli_data_info = {
    .name = "data info",
    .summary = "tell what is in a data set",
    .synopsis = {"data info DATA [OPTIONS]"},
    .details =
        "A folder of images (PNG, JPEG, TIFF) is a data set, in the order of their names; where it has none of its "
        "own, those in "
        "its sub-folders are, and the sub-folders' names their labels. The sub-folders train and test are splits. "
        "In a .npz file FILE#KEY picks an array; x_train and y_train and the like are found. "
        "In a table (CSV) a column named label, class, target or cluster holds labels. Cells are read from h5ad files "
        "(FILE#layers/counts, FILE#raw/X, FILE#obsm/NAME pick a matrix), 10x folders and 10x HDF5 files; of any other "
        "HDF5 "
        "file FILE#PATH picks a data set.",
    .operand = {"DATA"},
    .least_operands = 1,
    .options = options,
    .examples = examples,
    .run = run,
};
