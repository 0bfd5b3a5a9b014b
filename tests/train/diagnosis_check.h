/* What the tests of the diagnosis share: a training of a few steps, diagnosed as a run is. */
#ifndef TESTS_TRAIN_DIAGNOSIS_CHECK_H
#define TESTS_TRAIN_DIAGNOSIS_CHECK_H

#include "base/diagnosis.h"
#include "train/diagnosis.h"
#include "train/probe.h"
#include "train/train_check.h"

/* A training with its diagnosis; the notes it told. */
typedef struct diagnosed {
    st_setup setup;
    st_diagnosis *diagnosis;
    strait_observer observer;
    int n_notes;
    char note[32][768];
} diagnosed;

static inline void keep_note(void *context, const char *sentence) {
    diagnosed *run = context;
    assert_null(strchr(sentence, '\n'));
    if (run->n_notes < 32) snprintf(run->note[run->n_notes], sizeof run->note[0], "%s", sentence);
    run->n_notes++;
}

static inline strait_status watch(void *context, st_trainer *trainer, int64_t epoch, strait_error *err) {
    const diagnosed *run = context;
    int n;
    const st_epoch *epochs = st_trainer_epochs(trainer, &n);
    return epoch == 0 ? st_diagnosis_begin(run->diagnosis, trainer, err)
                      : st_diagnosis_epoch(run->diagnosis, trainer, &epochs[n - 1], err);
}

/* The recipe's model on the rows given (its own copy), or on n curves; scaled by factor. */
typedef struct case_of {
    const char *yaml;
    const float *rows;
    int64_t n, n_validation;             /* the first so many samples again */
    double factor;                       /* 0: 1 */
    int threads;                         /* 0: 1 */
    void (*change)(strait_model *model); /* of the weights before the training; NULL: none */
} case_of;

static inline void prepare(diagnosed *run, const case_of *c) {
    *run = (diagnosed){.observer = {.context = run, .note = keep_note}};
    st_setup *setup = &run->setup;
    setup->recipe = parse(c->yaml, 0, NULL);
    const int n_dims = setup->recipe->model.n_input_dims;
    const int64_t *dim = setup->recipe->model.input_dim;
    ASSERT_OK(strait_model_build(&setup->model, setup->recipe, &test_error));
    if (c->change) c->change(setup->model);
    if (c->rows)
        ASSERT_OK(strait_data_from_rows(&setup->data, c->rows, c->n, n_dims, dim, &test_error));
    else
        setup->data = curves(c->n, n_dims, dim);
    if (c->n_validation > 0 && c->rows)
        ASSERT_OK(strait_data_from_rows(&setup->validation, c->rows, c->n_validation, n_dims, dim, &test_error));
    else if (c->n_validation > 0)
        setup->validation = curves(c->n_validation, n_dims, dim);
    const st_trainer_config config = {
        .model = setup->model,
        .recipe = setup->recipe,
        .engine = &st_engine_cpu,
        .data = setup->data,
        .validation = setup->validation,
        .factor = c->factor > 0 ? c->factor : 1,
        .threads = c->threads > 0 ? c->threads : 1,
        .hooks = {.context = run, .watch = watch},
    };
    ASSERT_OK(st_trainer_new(&setup->trainer, &config, &test_error));
    const st_diagnosis_config diagnosis = {
        .recipe = setup->recipe,
        .model = setup->model,
        .engine = config.engine,
        .data = setup->data,
        .validation = setup->validation,
        .factor = config.factor,
        .observer = &run->observer,
    };
    ASSERT_OK(st_diagnosis_new(&run->diagnosis, &diagnosis, &test_error));
}

/* Sets every value of a parameter. */
static inline void fill(strait_model *model, const char *name, float value) {
    const st_graph *graph = model->graph;
    for (int i = 0; i < graph->n_parameters; i++)
        if (strcmp(graph->parameter[i].name, name) == 0) {
            for (int64_t j = 0; j < st_shape_count(&graph->parameter[i].shape); j++)
                model->values[graph->parameter[i].offset + j] = value;
            return;
        }
    fail_msg("no parameter %s", name);
}

static inline void diagnose(diagnosed *run, const case_of *c) {
    prepare(run, c);
    ASSERT_OK(st_trainer_run(run->setup.trainer, &test_error));
}

static inline void drop(diagnosed *run) {
    st_diagnosis_free(run->diagnosis);
    tear_down(&run->setup);
}

static inline const strait_finding *find(const diagnosed *run, const char *code) {
    const strait_diagnosis *result = st_diagnosis_result(run->diagnosis);
    for (int i = 0; i < result->n_findings; i++)
        if (strcmp(result->finding[i].code, code) == 0) return &result->finding[i];
    return NULL;
}

/* Every finding: a sentence with a number, told once as one line; a mend. */
static inline void check_told(const diagnosed *run) {
    const strait_diagnosis *result = st_diagnosis_result(run->diagnosis);
    assert_int_equal(run->n_notes, result->n_findings);
    for (int i = 0; i < result->n_findings; i++) {
        const strait_finding *finding = &result->finding[i];
        if (!strpbrk(finding->sentence, "0123456789") || !finding->mend[0])
            fail_msg("%s: %s %s", finding->code, finding->sentence, finding->mend);
        if (!strstr(run->note[i], finding->sentence) || !strstr(run->note[i], finding->mend) ||
            strlen(finding->sentence) + 1 == sizeof finding->sentence)
            fail_msg("%s was told as %s", finding->sentence, run->note[i]);
    }
}

static inline const strait_finding *expect(const diagnosed *run, const char *code, const char *layer) {
    const strait_finding *finding = find(run, code);
    check_told(run);
    if (!finding) {
        for (int i = 0; i < run->n_notes; i++)
            print_message("told: %s\n", run->note[i]);
        fail_msg("no %s; %s", code, st_diagnosis_result(run->diagnosis)->loss_answer);
    } else if (strcmp(finding->layer, layer) != 0) {
        fail_msg("%s is told of '%s', not '%s'", code, finding->layer, layer);
    }
    return finding;
}

static inline void expect_none(const diagnosed *run, const char *code) {
    const strait_finding *finding = find(run, code);
    if (finding) fail_msg("found %s: %s", code, finding->sentence);
}

/* Diagnoses `with`, which must give the finding (returned in *out unless NULL), and `without`, which must not. */
static inline void provoke(const char *code, const char *layer, const case_of *with, const case_of *without,
                           strait_finding *out) {
    diagnosed run;
    diagnose(&run, with);
    const strait_finding *finding = expect(&run, code, layer);
    if (out) *out = *finding;
    drop(&run);
    diagnose(&run, without);
    expect_none(&run, code);
    drop(&run);
}

#endif
