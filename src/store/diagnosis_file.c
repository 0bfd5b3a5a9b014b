/* diagnosis.json. Invariants: keys stand in the order of the tables below; numbers are written as the shortest text
   that reads back as the same double, so that what was read is written byte for byte again; nothing from a file is used
   before it was checked. Keys not known here are skipped: a newer program may have written them. */
#include "store/diagnosis_file.h"

#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/diagnosis.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/string.h"

#define FORMAT_NAME "strait diagnosis"
#define FORMAT_VERSION 1
#define MAX_FILE ((size_t)1 << 28)

/* A member of a struct. */
typedef struct field {
    const char *name;
    size_t offset, size; /* size: of a text; 0: a double */
} field;

#define NUMBER(type, member)                                                                                           \
    { #member, offsetof(type, member), 0 }
#define TEXT(type, member)                                                                                             \
    { #member, offsetof(type, member), sizeof(((type *)0)->member) }

static const field finding_fields[] = {
    TEXT(strait_finding, code), TEXT(strait_finding, layer),   TEXT(strait_finding, sentence),
    TEXT(strait_finding, mend), NUMBER(strait_finding, value),
};
static const field layer_fields[] = {
    TEXT(strait_layer_state, name),
    TEXT(strait_layer_state, layer),
    NUMBER(strait_layer_state, change_start),
    NUMBER(strait_layer_state, change_epoch),
    NUMBER(strait_layer_state, gradient_norm),
    NUMBER(strait_layer_state, dead_share),
};
static const field output_fields[] = {
    NUMBER(strait_output_state, minimum),        NUMBER(strait_output_state, maximum),
    NUMBER(strait_output_state, low_share),      NUMBER(strait_output_state, high_share),
    NUMBER(strait_output_state, outside_share),  NUMBER(strait_output_state, variation),
    NUMBER(strait_output_state, data_variation),
};
static const field answer_fields[] = {
    TEXT(strait_diagnosis, loss_answer),
    TEXT(strait_diagnosis, weights_answer),
    NUMBER(strait_diagnosis, share_of_time),
};
#define N(fields) (sizeof(fields) / sizeof((fields)[0]))

static const char *const severity_name[] = {
    [STRAIT_SEVERITY_NOTE] = "note", [STRAIT_SEVERITY_WARNING] = "warning", [STRAIT_SEVERITY_PROBLEM] = "problem"};

/* ---- writing ---- */

static void add_fields(st_text *text, const void *from, const field *fields, size_t n) {
    for (size_t i = 0; i < n; i++) {
        const char *at = (const char *)from + fields[i].offset;
        st_text_add(text, "%s\"%s\": ", i ? ", " : "", fields[i].name);
        if (fields[i].size > 0) {
            st_text_add_json(text, at);
            continue;
        }
        double value;
        char number[32] = "null";
        memcpy(&value, at, sizeof value);
        if (isfinite(value)) st_print_double(number, value);
        st_text_add(text, "%s", number);
    }
}

static void add_epoch(st_text *text, const strait_diagnosis_epoch *epoch, int n_layers) {
    char loss[32] = "null", val_loss[32] = "null";
    if (isfinite(epoch->loss)) st_print_double(loss, epoch->loss);
    if (isfinite(epoch->val_loss)) st_print_double(val_loss, epoch->val_loss);
    st_text_add(text, "{\"epoch\": %d, \"loss\": %s, \"val_loss\": %s,\n   \"output\": {", epoch->epoch, loss,
                val_loss);
    add_fields(text, &epoch->output, output_fields, N(output_fields));
    st_text_add(text, "},\n   \"layers\": [");
    for (int i = 0; i < n_layers; i++) {
        st_text_add(text, "%s\n    {", i ? "," : "");
        add_fields(text, &epoch->layer[i], layer_fields, N(layer_fields));
        st_text_add(text, "}");
    }
    st_text_add(text, "]}");
}

strait_status st_diagnosis_write(const char *path, const strait_diagnosis *diagnosis, strait_error *err) {
    st_text text = {0};
    st_text_add(&text, "{\"format\": \"" FORMAT_NAME "\", \"version\": %d,\n", FORMAT_VERSION);
    st_text_add(&text, " \"loss_moves\": %s, \"weights_change\": %s,\n ", diagnosis->loss_moves ? "true" : "false",
                diagnosis->weights_change ? "true" : "false");
    add_fields(&text, diagnosis, answer_fields, N(answer_fields));
    st_text_add(&text, ",\n \"findings\": [");
    for (int i = 0; i < diagnosis->n_findings; i++) {
        const strait_finding *finding = &diagnosis->finding[i];
        st_text_add(&text, "%s\n  {\"severity\": \"%s\", \"epoch\": %d, ", i ? "," : "",
                    severity_name[finding->severity], finding->epoch);
        add_fields(&text, finding, finding_fields, N(finding_fields));
        st_text_add(&text, "}");
    }
    st_text_add(&text, "],\n \"epochs\": [");
    for (int i = 0; i < diagnosis->n_epochs; i++) {
        st_text_add(&text, "%s\n  ", i ? "," : "");
        add_epoch(&text, &diagnosis->epoch[i], diagnosis->n_layers);
    }
    st_text_add(&text, "]}\n");
    char *json = NULL;
    ST_TRY(st_text_take(&json, &text, err));
    const strait_status status = st_file_write_all(path, json, strlen(json), err);
    st_free(json);
    return status;
}

/* ---- reading ---- */

/* What is being read, for messages: "findings[3]". */
typedef struct place {
    const char *path, *list;
    size_t index;
    strait_error *err;
} place;

static strait_status wrong(const place *at, const char *key, const char *wanted) {
    if (!at->list)
        return st_fail(at->err, STRAIT_FORMAT, "%s: '%s' is missing or is not %s: damaged?", at->path, key, wanted);
    return st_fail(at->err, STRAIT_FORMAT, "%s: '%s' of %s[%zu] is missing or is not %s: damaged?", at->path, key,
                   at->list, at->index, wanted);
}

/* A text of one line that fits. */
static bool is_line(const json_t *value, size_t size) {
    const char *text = json_string_value(value);
    if (!text || json_string_length(value) >= size) return false;
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f) return false;
    return true;
}

static strait_status read_number(double *out, const json_t *object, const char *key, const place *at) {
    const json_t *value = json_object_get(object, key);
    if (!json_is_number(value) && !json_is_null(value)) return wrong(at, key, "a number or null");
    *out = json_is_null(value) ? NAN : json_number_value(value);
    return STRAIT_OK;
}

static strait_status read_fields(void *to, const json_t *object, const field *fields, size_t n, const place *at) {
    for (size_t i = 0; i < n; i++) {
        char *member = (char *)to + fields[i].offset;
        if (fields[i].size == 0) {
            double number = NAN;
            ST_TRY(read_number(&number, object, fields[i].name, at));
            memcpy(member, &number, sizeof number);
            continue;
        }
        const json_t *value = json_object_get(object, fields[i].name);
        if (!is_line(value, fields[i].size)) return wrong(at, fields[i].name, "a text of one line that fits");
        memcpy(member, json_string_value(value), json_string_length(value) + 1);
    }
    return STRAIT_OK;
}

static strait_status read_bool(bool *out, const json_t *object, const char *key, const place *at) {
    const json_t *value = json_object_get(object, key);
    if (!json_is_boolean(value)) return wrong(at, key, "true or false");
    *out = json_is_true(value);
    return STRAIT_OK;
}

/* The number of an epoch, from 0. */
static strait_status read_epoch_number(int *out, const json_t *object, const place *at) {
    const json_t *value = json_object_get(object, "epoch");
    if (!json_is_integer(value) || json_integer_value(value) < 0 || json_integer_value(value) > INT_MAX)
        return wrong(at, "epoch", "the number of an epoch");
    *out = (int)json_integer_value(value);
    return STRAIT_OK;
}

static strait_status read_finding(strait_diagnosis *diagnosis, const json_t *object, const place *at) {
    strait_finding finding = {0};
    ST_TRY(read_fields(&finding, object, finding_fields, N(finding_fields), at));
    ST_TRY(read_epoch_number(&finding.epoch, object, at));
    const char *severity = json_string_value(json_object_get(object, "severity"));
    size_t i = 0;
    while (i < N(severity_name) && (!severity || strcmp(severity, severity_name[i]) != 0))
        i++;
    if (i == N(severity_name)) return wrong(at, "severity", "note, warning or problem");
    finding.severity = (strait_severity)i;
    return st_diagnosis_add_finding(diagnosis, &finding, at->err);
}

static strait_status read_epoch(strait_diagnosis *diagnosis, const json_t *object, const place *at) {
    const json_t *output = json_object_get(object, "output"), *layers = json_object_get(object, "layers");
    if (!json_is_object(output)) return wrong(at, "output", "an object");
    if (!json_is_array(layers) || json_array_size(layers) > INT_MAX) return wrong(at, "layers", "a list");
    if (at->index == 0) diagnosis->n_layers = (int)json_array_size(layers);
    if (json_array_size(layers) != (size_t)diagnosis->n_layers)
        return wrong(at, "layers", "a list as long as in the other epochs");
    int number = 0;
    ST_TRY(read_epoch_number(&number, object, at));
    if (at->index > 0 && number <= diagnosis->epoch[at->index - 1].epoch)
        return wrong(at, "epoch", "after the one before it");
    strait_diagnosis_epoch *epoch = NULL;
    ST_TRY(st_diagnosis_add_epoch(&epoch, diagnosis, at->err));
    epoch->epoch = number;
    ST_TRY(read_number(&epoch->loss, object, "loss", at));
    ST_TRY(read_number(&epoch->val_loss, object, "val_loss", at));
    ST_TRY(read_fields(&epoch->output, output, output_fields, N(output_fields), at));
    for (int i = 0; i < diagnosis->n_layers; i++)
        ST_TRY(read_fields(&epoch->layer[i], json_array_get(layers, (size_t)i), layer_fields, N(layer_fields), at));
    return STRAIT_OK;
}

typedef strait_status read_item(strait_diagnosis *diagnosis, const json_t *object, const place *at);

static strait_status read_list(strait_diagnosis *diagnosis, const json_t *root, const char *key, read_item *read,
                               place at) {
    const json_t *list = json_object_get(root, key);
    if (!json_is_array(list) || json_array_size(list) > INT_MAX) return wrong(&at, key, "a list");
    at.list = key;
    for (at.index = 0; at.index < json_array_size(list); at.index++)
        ST_TRY(read(diagnosis, json_array_get(list, at.index), &at));
    return STRAIT_OK;
}

static strait_status read_root(strait_diagnosis *diagnosis, const json_t *root, const char *path, strait_error *err) {
    const place at = {.path = path, .err = err};
    const char *format = json_string_value(json_object_get(root, "format"));
    const json_t *version = json_object_get(root, "version");
    if (!format || strcmp(format, FORMAT_NAME) != 0)
        return st_fail(err, STRAIT_FORMAT, "%s: not a diagnosis: its 'format' is not \"" FORMAT_NAME "\"", path);
    if (!json_is_integer(version) || json_integer_value(version) != FORMAT_VERSION)
        return wrong(&at, "version", "1, the only one this program reads");
    ST_TRY(read_bool(&diagnosis->loss_moves, root, "loss_moves", &at));
    ST_TRY(read_bool(&diagnosis->weights_change, root, "weights_change", &at));
    ST_TRY(read_fields(diagnosis, root, answer_fields, N(answer_fields), &at));
    ST_TRY(read_list(diagnosis, root, "findings", read_finding, at));
    return read_list(diagnosis, root, "epochs", read_epoch, at);
}

strait_status st_diagnosis_parse(strait_diagnosis **out, const char *json, size_t n, const char *path,
                                 strait_error *err) {
    *out = NULL;
    json_error_t error = {0};
    strait_diagnosis *diagnosis = st_alloc(1, sizeof *diagnosis);
    if (!diagnosis) return st_fail_memory(err, sizeof *diagnosis, "a diagnosis");
    strait_status status;
    json_t *root = json_loadb(json, n, JSON_REJECT_DUPLICATES, &error);
    /* jansson leaves the error untouched, so unknown, where it could not even make an object. */
    if (root)
        status = read_root(diagnosis, root, path, err);
    else if (json_error_code(&error) == json_error_out_of_memory || json_error_code(&error) == json_error_unknown)
        status = st_fail_memory(err, n, path);
    else
        status = st_fail(err, STRAIT_FORMAT, "%s:%d:%d: not valid JSON: damaged?", path, error.line, error.column);
    json_decref(root);
    if (status != STRAIT_OK) {
        strait_diagnosis_free(diagnosis);
        return status;
    }
    *out = diagnosis;
    return STRAIT_OK;
}

strait_status st_diagnosis_read_file(strait_diagnosis **out, const char *path, strait_error *err) {
    *out = NULL;
    char *json = NULL;
    size_t n = 0;
    ST_TRY(st_file_read(&json, &n, path, MAX_FILE, err));
    const strait_status status = st_diagnosis_parse(out, json, n, path, err);
    st_free(json);
    return status;
}
