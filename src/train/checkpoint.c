#include "train/checkpoint.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/string.h"

/* The members of st_train_state, and of st_epoch, that are written, each as KIND(name). A LATER one was not written by
   the first versions: where it is missing it stays as a new trainer has it. */
#define STATE_LIST(WHOLE, REAL, LATER_WHOLE, LATER_REAL)                                                               \
    WHOLE(epoch)                                                                                                       \
    WHOLE(batch)                                                                                                       \
    WHOLE(samples)                                                                                                     \
    REAL(loss_sum)                                                                                                     \
    REAL(seconds)                                                                                                      \
    REAL(wait_seconds)                                                                                                 \
    WHOLE(steps)                                                                                                       \
    WHOLE(best_epoch)                                                                                                  \
    REAL(best_loss)                                                                                                    \
    REAL(stop_loss)                                                                                                    \
    WHOLE(stop_waited)                                                                                                 \
    WHOLE(stop_epoch)                                                                                                  \
    WHOLE(n_samples)                                                                                                   \
    WHOLE(n_validation)                                                                                                \
    WHOLE(stopped)                                                                                                     \
    LATER_REAL(plateau_loss)                                                                                           \
    LATER_WHOLE(plateau_waited)                                                                                        \
    LATER_WHOLE(plateau_cooldown)                                                                                      \
    LATER_REAL(plateau_scale)                                                                                          \
    LATER_REAL(kl_sum)
#define EPOCH_LIST(WHOLE, REAL, LATER_REAL)                                                                            \
    WHOLE(epoch)                                                                                                       \
    REAL(loss)                                                                                                         \
    REAL(val_loss)                                                                                                     \
    REAL(learning_rate)                                                                                                \
    REAL(seconds)                                                                                                      \
    REAL(samples_per_second)                                                                                           \
    REAL(wait_seconds)                                                                                                 \
    LATER_REAL(kl)                                                                                                     \
    LATER_REAL(val_kl)

/* ---- numbers as text: "name=value" words ---- */

static void add_real(st_text *text, const char *name, double value) {
    char number[32];
    st_print_double(number, value);
    st_text_add(text, "%s=%s ", name, number);
}

/* Where the value of name stands in a text of such words; NULL: it is not there. */
static const char *find_word(const char *text, const char *name) {
    const size_t length = strlen(name);
    for (const char *word = text; word && *word; word = strchr(word, ' ') ? strchr(word, ' ') + 1 : NULL)
        if (strncmp(word, name, length) == 0 && word[length] == '=') return word + length + 1;
    return NULL;
}

/* False when it is not there or not a number. */
static bool find_real(double *out, const char *text, const char *name) {
    const char *word = find_word(text, name);
    const size_t n = word ? strcspn(word, " ") : 0;
    char number[40];
    if (!word || n >= sizeof number) return false;
    memcpy(number, word, n);
    number[n] = 0;
    if (strcmp(number, "nan") == 0 || strcmp(number, "inf") == 0 || strcmp(number, "-inf") == 0) {
        *out = number[0] == 'n' ? NAN : number[0] == 'i' ? INFINITY : -INFINITY;
        return true;
    }
    return st_parse_double(out, number);
}

static bool find_whole(int64_t *out, const char *text, const char *name) {
    double value;
    if (!find_real(&value, text, name) || value < 0 || value > 9e15 || value != floor(value)) return false;
    *out = (int64_t)value;
    return true;
}

#define PRINT_WHOLE(name) st_text_add(text, #name "=%lld ", (long long)from->name);
#define PRINT_REAL(name) add_real(text, #name, from->name);
#define PARSE_WHOLE(name)                                                                                              \
    if (!find_whole(&whole, text, #name)) return false;                                                                \
    into->name = (__typeof__(into->name))whole;
#define PARSE_REAL(name)                                                                                               \
    if (!find_real(&into->name, text, #name)) return false;
#define PARSE_LATER_WHOLE(name)                                                                                        \
    if (find_word(text, #name) && !find_whole(&into->name, text, #name)) return false;
#define PARSE_LATER_REAL(name)                                                                                         \
    if (find_word(text, #name) && !find_real(&into->name, text, #name)) return false;

static void print_state(st_text *text, const st_train_state *from) {
    STATE_LIST(PRINT_WHOLE, PRINT_REAL, PRINT_WHOLE, PRINT_REAL)
}

static bool parse_state(st_train_state *into, const char *text) {
    int64_t whole;
    if (!text) return false;
    STATE_LIST(PARSE_WHOLE, PARSE_REAL, PARSE_LATER_WHOLE, PARSE_LATER_REAL)
    return true;
}

static void print_epoch(st_text *text, const st_epoch *from) {
    EPOCH_LIST(PRINT_WHOLE, PRINT_REAL, PRINT_REAL)
    st_text_add(text, "\n");
}

static bool parse_epoch(st_epoch *into, const char *text) {
    int64_t whole;
    into->kl = into->val_kl = NAN;
    EPOCH_LIST(PARSE_WHOLE, PARSE_REAL, PARSE_LATER_REAL)
    return true;
}

/* ---- writing ---- */

/* The tensors of a checkpoint under construction. Names and unpacked blocks are owned. */
typedef struct st_collection {
    st_named_tensor *tensor;
    size_t n;
    char **name;
    size_t n_names;
    st_trainer *trainer;
    /* Packed blocks beside the model's own weights, and the first tensor of each: they are laid out as the model's just
       before they are written, one after another in the same place. */
    const float *packed[ST_MAX_STATES + 1];
    size_t first[ST_MAX_STATES + 1];
    int n_blocks;
} st_collection;

static void free_collection(st_collection *all) {
    for (size_t i = 0; i < all->n_names; i++)
        st_free(all->name[i]);
    st_free(all->name);
    st_free(all->tensor);
}

/* Adds a block laid out as the parameters under prefix + the parameters' names. */
static strait_status add_block(st_collection *all, st_trainer *trainer, const char *prefix, const float *packed,
                               strait_error *err) {
    st_named_tensor *part = NULL;
    size_t n = 0;
    ST_TRY(
        st_model_tensors(&part, &n, st_trainer_model(trainer), STRAIT_MODEL_WHOLE, st_trainer_scratch(trainer), err));
    all->packed[all->n_blocks] = packed;
    all->first[all->n_blocks++] = all->n;
    strait_status status = STRAIT_OK;
    for (size_t i = 0; i < n && status == STRAIT_OK; i++) {
        char *name = st_format("%s%s", prefix, part[i].name);
        if (!name) {
            status = st_fail_memory(err, 64, "the checkpoint");
            break;
        }
        all->name[all->n_names++] = name;
        all->tensor[all->n] = part[i];
        all->tensor[all->n++].name = name;
    }
    st_free(part);
    return status;
}

/* Lays a block out where its first tensor is about to be written. */
static strait_status lay_out(void *context, size_t tensor, strait_error *err) {
    const st_collection *all = context;
    for (int i = 0; i < all->n_blocks; i++)
        if (tensor == all->first[i])
            return st_runner_unpack(st_trainer_runner(all->trainer), st_trainer_scratch(all->trainer), all->packed[i],
                                    err);
    return STRAIT_OK;
}

static strait_status collect(st_collection *all, st_trainer *trainer, strait_error *err) {
    const strait_model *model = st_trainer_model(trainer);
    const size_t most = (ST_MAX_STATES + 2) * (size_t)model->graph->n_parameters + 1;
    all->tensor = st_alloc(most, sizeof *all->tensor);
    all->name = st_alloc(most, sizeof *all->name);
    if (!all->tensor || !all->name) return st_fail_memory(err, most * sizeof *all->tensor, "the checkpoint");
    st_named_tensor *own = NULL;
    ST_TRY(st_model_tensors(&own, &all->n, model, STRAIT_MODEL_WHOLE, NULL, err));
    memcpy(all->tensor, own, all->n * sizeof *own);
    st_free(own);
    const char *name;
    for (int i = 0; i < ST_MAX_STATES; i++) {
        const float *state = st_stepper_state(st_trainer_stepper(trainer), i, &name);
        char prefix[32];
        snprintf(prefix, sizeof prefix, "optimizer.%s.", name);
        if (state) ST_TRY(add_block(all, trainer, prefix, state, err));
    }
    return st_trainer_best(trainer) ? add_block(all, trainer, "best.", st_trainer_best(trainer), err) : STRAIT_OK;
}

static const char *optimizer_of(st_trainer *trainer) {
    return st_optimizer_name(st_trainer_stepper(trainer)->settings.kind);
}

strait_status st_checkpoint_write(const char *path, st_trainer *trainer, strait_error *err) {
    st_collection all = {.trainer = trainer};
    st_text state = {0}, history = {0};
    char *state_text = NULL, *history_text = NULL;
    int n_epochs;
    const st_epoch *epochs = st_trainer_epochs(trainer, &n_epochs);
    st_train_state now = *st_trainer_state(trainer);
    now.steps = st_trainer_stepper(trainer)->steps;
    print_state(&state, &now);
    for (int i = 0; i < n_epochs; i++)
        print_epoch(&history, &epochs[i]);
    strait_status status = st_text_take(&state_text, &state, err);
    if (status == STRAIT_OK) status = st_text_take(&history_text, &history, err);
    if (status == STRAIT_OK) status = collect(&all, trainer, err);
    if (status == STRAIT_OK) {
        st_metadata metadata[ST_MODEL_N_METADATA + 3];
        size_t n = st_model_metadata(metadata, st_trainer_model(trainer), STRAIT_MODEL_WHOLE);
        metadata[n++] = (st_metadata){"training.optimizer", optimizer_of(trainer)};
        metadata[n++] = (st_metadata){"training.state", state_text};
        metadata[n++] = (st_metadata){"training.history", history_text ? history_text : ""};
        status = st_safetensors_write_each(path, all.n, all.tensor, n, metadata, lay_out, &all, err);
    }
    st_text_free(&history);
    st_free(state_text);
    st_free(history_text);
    free_collection(&all);
    return status;
}

/* ---- restoring ---- */

/* Reads the tensors under prefix into a packed block. */
static strait_status restore_block(st_trainer *trainer, float *packed, const char *prefix, const st_safetensors *file,
                                   const char *path, strait_error *err) {
    const st_graph *graph = st_trainer_model(trainer)->graph;
    const size_t bytes = ((size_t)graph->n_values + 1) * sizeof(float);
    float *block = st_alloc_aligned(bytes);
    if (!block) return st_fail_memory(err, bytes, "the checkpoint");
    strait_status status = STRAIT_OK;
    for (int i = 0; i < graph->n_parameters && status == STRAIT_OK; i++) {
        const st_parameter *parameter = &graph->parameter[i];
        char name[96];
        snprintf(name, sizeof name, "%s%s", prefix, parameter->name);
        const st_named_tensor *tensor = st_safetensors_find(file, name);
        int64_t n = tensor ? 1 : -1;
        for (int d = 0; tensor && d < tensor->n_dims; d++)
            n *= tensor->dim[d];
        if (n != st_shape_count(&parameter->shape))
            status = st_fail(err, STRAIT_FORMAT,
                             "%s: tensor '%s' is missing or of another size; the checkpoint is damaged", path, name);
        else
            memcpy(block + parameter->offset, tensor->values, (size_t)n * sizeof(float));
    }
    if (status == STRAIT_OK) status = st_runner_pack(st_trainer_runner(trainer), packed, block, err);
    st_free(block);
    return status;
}

static strait_status restore_history(st_trainer *trainer, const char *text, const char *path, strait_error *err) {
    int n = 0, most = 0;
    for (const char *p = text; *p; p++)
        most += *p == '\n';
    st_epoch *epochs = st_alloc((size_t)most + 1, sizeof *epochs);
    char *copy = st_strdup(text);
    strait_status status = STRAIT_OK;
    if (!epochs || !copy) status = st_fail_memory(err, (size_t)most * sizeof *epochs, "the history");
    for (char *line = copy; status == STRAIT_OK && n < most;) {
        char *end = strchr(line, '\n');
        *end = 0;
        if (!parse_epoch(&epochs[n++], line))
            status = st_fail(err, STRAIT_FORMAT, "%s: epoch %d of its history is damaged", path, n);
        line = end + 1;
    }
    if (status == STRAIT_OK) status = st_trainer_set_epochs(trainer, n, epochs, err);
    st_free(copy);
    st_free(epochs);
    return status;
}

strait_status st_checkpoint_restore(st_trainer *trainer, const st_safetensors *file, const char *path,
                                    strait_error *err) {
    st_train_state state = *st_trainer_state(trainer);
    const char *history = st_safetensors_metadata(file, "training.history");
    const char *optimizer = st_safetensors_metadata(file, "training.optimizer"); /* the first versions wrote none */
    if (!history || !parse_state(&state, st_safetensors_metadata(file, "training.state")))
        return st_fail(err, STRAIT_FORMAT, "%s: not a checkpoint: its metadata lack the training's state", path);
    const st_train_state *now = st_trainer_state(trainer);
    if (state.n_samples != now->n_samples || state.n_validation != now->n_validation)
        return st_fail(err, STRAIT_ARGUMENT,
                       "%s: the run trains on %lld samples and validates on %lld, but the data now has %lld and %lld; "
                       "give it the data it was started with",
                       path, (long long)state.n_samples, (long long)state.n_validation, (long long)now->n_samples,
                       (long long)now->n_validation);
    if (optimizer && strcmp(optimizer, optimizer_of(trainer)) != 0)
        return st_fail(err, STRAIT_ARGUMENT,
                       "%s: the run was trained by %.32s, but train.optimizer is now %s; change it back, or train with "
                       "it as a new run",
                       path, optimizer, optimizer_of(trainer));
    st_stepper *stepper = st_trainer_stepper(trainer);
    for (int i = 0; i < ST_MAX_STATES; i++) {
        const char *name;
        float *block = st_stepper_state(stepper, i, &name);
        char prefix[32];
        snprintf(prefix, sizeof prefix, "optimizer.%s.", name);
        if (block) ST_TRY(restore_block(trainer, block, prefix, file, path, err));
    }
    if (st_trainer_best(trainer)) ST_TRY(restore_block(trainer, st_trainer_best(trainer), "best.", file, path, err));
    ST_TRY(restore_history(trainer, history, path, err));
    stepper->steps = state.steps;
    *st_trainer_state(trainer) = state;
    return STRAIT_OK;
}
