/* What the diagnosis measures, against numbers made another way; and that looking changes nothing. */
#include "train/diagnosis_check.h"

static const char yaml[] = "name: x\nseed: 3\nmodel:\n  input: [8]\n"
                           "  encoder: [dense: {units: 6, activation: relu}, dense: {units: 3, bias: false}]\n"
                           "  decoder: [dense: {units: 8, activation: sigmoid}]\n"
                           "train: {epochs: 3, batch_size: 16, optimizer: {sgd: {learning_rate: 0.5}}}\n";

static void near(double a, double b, double tolerance, const char *what) {
    if (!(fabs(a - b) <= tolerance * fmax(fabs(a), fabs(b)))) fail_msg("%s: %.9g is not near %.9g", what, a, b);
}

/* |a - b| / |b| over the values of an op's parameters that did not start at zero. */
static double relative(const st_graph *graph, const st_op *op, const float *a, const float *b, const float *start) {
    const int parameter[] = {op->kernel, op->bias};
    double change = 0, size = 0;
    for (int k = 0; k < 2; k++) {
        if (parameter[k] < 0) continue;
        const st_parameter *p = &graph->parameter[parameter[k]];
        for (int64_t i = p->offset; i < p->offset + st_shape_count(&p->shape); i++) {
            if (fpclassify(start[i]) == FP_ZERO) continue;
            change += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
            size += (double)b[i] * (double)b[i];
        }
    }
    return sqrt(change / size);
}

static float *copy_of(const strait_model *model) {
    const size_t bytes = (size_t)model->graph->n_values * sizeof(float);
    float *copy = malloc(bytes);
    assert_non_null(copy);
    memcpy(copy, model->values, bytes);
    return copy;
}

/* One batch an epoch: with plain SGD the step is rate times gradient, so the gradient follows from the weights. */
static void test_changes_and_gradients(void **state) {
    (void)state;
    for (int threads = 1; threads <= 2; threads++) {
        diagnosed run;
        prepare(&run, &(case_of){.yaml = yaml, .n = 16, .threads = threads});
        const strait_model *model = run.setup.model;
        const st_graph *graph = model->graph;
        float *start = copy_of(model), *before = copy_of(model);
        for (int e = 1; e <= 3; e++) {
            run.setup.recipe->train.epochs = e;
            memcpy(before, model->values, (size_t)graph->n_values * sizeof(float));
            ASSERT_OK(st_trainer_run(run.setup.trainer, &test_error));
            const strait_diagnosis *result = st_diagnosis_result(run.diagnosis);
            assert_int_equal(result->n_epochs, e + 1);
            assert_int_equal(result->n_layers, 3);
            for (int i = 0; i < 3; i++) {
                const strait_layer_state *layer = &result->epoch[e].layer[i];
                const st_op *op = &graph->op[i];
                assert_string_equal(layer->name, op->name);
                near(layer->change_start, relative(graph, op, model->values, start, start), 1e-6, "since the start");
                near(layer->change_epoch, relative(graph, op, model->values, before, start), 1e-6, "in the epoch");
                double square = 0;
                const int64_t end = i < 2 ? graph->parameter[graph->op[i + 1].kernel].offset : graph->n_values;
                for (int64_t k = graph->parameter[op->kernel].offset; k < end; k++)
                    square += pow(((double)before[k] - (double)model->values[k]) / 0.5, 2);
                near(layer->gradient_norm, sqrt(square), 1e-3, "gradient");
            }
            assert_true(!isnan(result->epoch[e].layer[0].dead_share));
            assert_true(isnan(result->epoch[e].layer[1].dead_share));
        }
        free(start);
        free(before);
        drop(&run);
    }
}

/* Fewer than 32 samples are all probed. Outputs that do not depend on the input are their bias' sigmoid. */
static void constant(strait_model *model) {
    fill(model, "decoder.0.kernel", 0);
    fill(model, "decoder.0.bias", 2);
    model->values[model->graph->parameter[model->graph->op[2].bias].offset] = -30;
}

static void test_outputs(void **state) {
    (void)state;
    diagnosed run;
    float rows[20 * 8];
    for (int i = 0; i < 20 * 8; i++)
        rows[i] = (float)(i * 37 % 101) / 100;
    prepare(&run, &(case_of){.yaml = yaml, .n = 20, .rows = rows, .change = constant});
    ASSERT_OK(st_diagnosis_begin(run.diagnosis, run.setup.trainer, &test_error));
    const strait_diagnosis_epoch *epoch = &st_diagnosis_result(run.diagnosis)->epoch[0];
    const strait_output_state *output = &epoch->output;
    near(output->maximum, 1 / (1 + exp(-2)), 1e-6, "maximum");
    assert_true(output->minimum >= 0 && output->minimum < 1e-12);
    near(output->low_share, 1.0 / 8, 1e-12, "low share");
    assert_true(output->high_share == 0 && output->outside_share == 0);
    assert_true(output->variation < 1e-6);
    double variation = 0, loss = 0;
    for (int j = 0; j < 8; j++) {
        double sum = 0, square = 0;
        for (int i = 0; i < 20; i++) {
            const double x = (double)rows[i * 8 + j], y = j ? 1 / (1 + exp(-2)) : 0;
            sum += x;
            square += x * x;
            loss += (x - y) * (x - y) / 160;
        }
        variation += sqrt(square / 20 - sum * sum / 400) / 8;
    }
    near(output->data_variation, variation, 1e-6, "variation of the data");
    near(epoch->loss, loss, 1e-5, "loss before training");
    assert_int_equal(epoch->epoch, 0);
    assert_false(st_diagnosis_result(run.diagnosis)->loss_moves);
    assert_string_equal(st_diagnosis_result(run.diagnosis)->loss_answer, "Nothing has been trained yet.");
    drop(&run);
}

/* The same weights, bit for bit, with and without being looked at. */
static void test_looking_changes_nothing(void **state) {
    (void)state;
    diagnosed run;
    diagnose(&run, &(case_of){.yaml = yaml, .n = 50, .n_validation = 10});
    st_setup alone = set_up(yaml, 0, NULL, 50, (st_trainer_config){0});
    ASSERT_OK(st_trainer_run(alone.trainer, &test_error));
    assert_memory_equal(run.setup.model->values, alone.model->values,
                        (size_t)alone.model->graph->n_values * sizeof(float));
    tear_down(&alone);
    drop(&run);
}

/* A copy, as reading the file gives it. */
static strait_diagnosis *copy_diagnosis(const strait_diagnosis *from) {
    strait_diagnosis *copy = st_alloc(1, sizeof *copy);
    assert_non_null(copy);
    *copy = (strait_diagnosis){.n_layers = from->n_layers, .share_of_time = from->share_of_time};
    for (int i = 0; i < from->n_findings; i++)
        ASSERT_OK(st_diagnosis_add_finding(copy, &from->finding[i], &test_error));
    for (int i = 0; i < from->n_epochs; i++) {
        strait_diagnosis_epoch *epoch = NULL;
        ASSERT_OK(st_diagnosis_add_epoch(&epoch, copy, &test_error));
        strait_layer_state *layer = epoch->layer;
        *epoch = from->epoch[i];
        epoch->layer = layer;
        memcpy(layer, from->epoch[i].layer, (size_t)from->n_layers * sizeof *layer);
    }
    return copy;
}

/* Restored after two of three epochs, whatever the file has of later ones: the third is diagnosed as if nothing had
   happened, and nothing is told twice. */
static void test_restore(void **state) {
    (void)state;
    const case_of whole = {.yaml = yaml, .n = 40};
    diagnosed run, resumed;
    prepare(&run, &whole);
    run.setup.recipe->train.epochs = 2;
    ASSERT_OK(st_trainer_run(run.setup.trainer, &test_error));
    strait_model *model = run.setup.model;
    float *middle = copy_of(model);
    const st_train_state then = *st_trainer_state(run.setup.trainer);
    run.setup.recipe->train.epochs = 3;
    ASSERT_OK(st_trainer_run(run.setup.trainer, &test_error));
    const strait_diagnosis *all = st_diagnosis_result(run.diagnosis);

    for (int mid_epoch = 0; mid_epoch < 2; mid_epoch++) {
        prepare(&resumed, &whole);
        memcpy(resumed.setup.model->values, middle, (size_t)model->graph->n_values * sizeof(float));
        st_train_state at = then;
        at.batch = mid_epoch;
        ASSERT_OK(st_diagnosis_restore(resumed.diagnosis, copy_diagnosis(all), &at, &test_error));
        assert_int_equal(resumed.n_notes, 0);
        assert_int_equal(st_diagnosis_result(resumed.diagnosis)->n_epochs, 3);
        memcpy(resumed.setup.model->values, model->values, (size_t)model->graph->n_values * sizeof(float));
        int n;
        const st_epoch *epochs = st_trainer_epochs(run.setup.trainer, &n);
        ASSERT_OK(st_diagnosis_epoch(resumed.diagnosis, run.setup.trainer, &epochs[2], &test_error));
        const strait_diagnosis *result = st_diagnosis_result(resumed.diagnosis);
        assert_int_equal(result->n_epochs, 4);
        assert_int_equal(result->n_findings, all->n_findings);
        for (int i = 0; i < result->n_layers; i++) {
            strait_layer_state a = result->epoch[3].layer[i], b = all->epoch[3].layer[i];
            if (mid_epoch) {
                assert_true(isnan(a.change_epoch)); /* the weights at the epoch's start are not known */
                a.change_epoch = b.change_epoch = 0;
            }
            assert_true(a.change_start == b.change_start && a.change_epoch == b.change_epoch);
        }
        assert_memory_equal(&result->epoch[3].output, &all->epoch[3].output, sizeof all->epoch[3].output);
        assert_string_equal(result->loss_answer, all->loss_answer);
        assert_string_equal(result->weights_answer, all->weights_answer);
        drop(&resumed);
    }
    free(middle);
    drop(&run);
}

/* "Go on" is told at an end; gone on with, it is no longer true. */
static void test_restore_beyond_the_end(void **state) {
    (void)state;
    const case_of whole = {.yaml = yaml, .n = 40};
    diagnosed run, resumed;
    prepare(&run, &whole);
    ASSERT_OK(st_trainer_run(run.setup.trainer, &test_error));
    const strait_diagnosis *result = st_diagnosis_result(run.diagnosis);
    for (int more = 0; more < 2; more++) {
        strait_diagnosis *copy = copy_diagnosis(result);
        strait_finding told = {.code = "not_finished", .epoch = (int)st_trainer_state(run.setup.trainer)->epoch};
        ASSERT_OK(st_diagnosis_add_finding(copy, &told, &test_error));
        prepare(&resumed, &whole);
        resumed.setup.recipe->train.epochs += more;
        ASSERT_OK(st_diagnosis_restore(resumed.diagnosis, copy, st_trainer_state(run.setup.trainer), &test_error));
        assert_true((find(&resumed, "not_finished") != NULL) == !more);
        drop(&resumed);
    }
    drop(&run);
}

/* A diagnosis of another model, or none: begun anew, with what recipe and data tell. */
static void test_restore_nothing(void **state) {
    (void)state;
    diagnosed run;
    for (int other = 0; other < 2; other++) {
        prepare(&run, &(case_of){.yaml = yaml, .n = 10});
        const st_train_state at = {.epoch = 2, .steps = 2};
        strait_diagnosis *before = NULL;
        if (other) {
            before = st_alloc(1, sizeof *before);
            assert_non_null(before);
            before->n_layers = 1;
            strait_diagnosis_epoch *epoch = NULL;
            ASSERT_OK(st_diagnosis_add_epoch(&epoch, before, &test_error));
        }
        ASSERT_OK(st_diagnosis_restore(run.diagnosis, before, &at, &test_error));
        expect(&run, "batch_larger_than_data", "");
        assert_int_equal(st_diagnosis_result(run.diagnosis)->n_epochs, 0);
        const st_epoch epoch = {.epoch = 3, .loss = 0.1, .val_loss = NAN};
        ASSERT_OK(st_diagnosis_epoch(run.diagnosis, run.setup.trainer, &epoch, &test_error));
        assert_int_equal(st_diagnosis_result(run.diagnosis)->epoch[0].epoch, 3);
        drop(&run);
    }
}

/* The samples are drawn by the seed: 128 of many, ascending, none twice, others for another use. */
static void test_probe(void **state) {
    (void)state;
    strait_recipe *recipe = parse(yaml, 0, NULL);
    strait_data *data = curves(1000, 1, (const int64_t[]){8});
    st_probe a, b, c;
    ASSERT_OK(st_probe_open(&a, data, 128, ST_PROBE_DIAGNOSIS, recipe, 0, 1, &test_error));
    ASSERT_OK(st_probe_open(&b, data, 128, ST_PROBE_DIAGNOSIS, recipe, 0, 1, &test_error));
    ASSERT_OK(st_probe_open(&c, data, 128, ST_PROBE_TRAIN, recipe, 0, 1, &test_error));
    assert_int_equal(a.n, 128);
    assert_memory_equal(a.sample, b.sample, 128 * sizeof *a.sample);
    assert_memory_not_equal(a.sample, c.sample, 128 * sizeof *a.sample);
    strait_array *row = NULL;
    for (int64_t i = 0; i < 128; i++) {
        assert_true(a.sample[i] < 1000 && (i == 0 || a.sample[i] > a.sample[i - 1]));
        ASSERT_OK(strait_data_rows(&row, data, a.sample[i], 1, &test_error));
        assert_memory_equal(row->values, a.batch.input + i * 8, 8 * sizeof(float));
        strait_array_free(row);
    }
    st_probe_close(&a);
    st_probe_close(&b);
    st_probe_close(&c);
    ASSERT_OK(st_probe_open(&a, data, 5000, ST_PROBE_TRAIN, recipe, 0, 1, &test_error));
    assert_int_equal(a.n, 1000);
    st_probe_close(&a);
    strait_data_free(data);
    strait_recipe_free(recipe);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_changes_and_gradients),
        cmocka_unit_test(test_outputs),
        cmocka_unit_test(test_looking_changes_nothing),
        cmocka_unit_test(test_restore),
        cmocka_unit_test(test_restore_beyond_the_end),
        cmocka_unit_test(test_restore_nothing),
        cmocka_unit_test(test_probe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
