/* Nested layers and the training's settings: read, written, copied, overridden; and the shipped recipes. */
#include <stdlib.h>
#include "recipe_check.h"

/* Every new key, none at its default; the text is what the writer gives, so the test shows its style too. */
static const char full[] =
    "name: nested\n"
    "seed: 42\n"
    "data:\n"
    "  source: cells/\n"
    "  scale: unit\n"
    "  resize: [96, 64]\n"
    "  augment: {rotate: 15, shift: [0.1, 0.2], zoom: 0.3, flip: both}\n"
    "  label: last\n"
    "model:\n"
    "  input: [96, 64, 3]\n"
    "  initializer: {normal: {stddev: 0.02}}\n"
    "  encoder:\n"
    "    - max_pool2d: {size: [2, 3], strides: 1, padding: same}\n"
    "    - avg_pool2d: {size: 2, strides: 2, padding: valid}\n"
    "    - upsample2d: {size: 3, interpolation: bilinear}\n"
    "    - batch_norm: {momentum: 0.9, epsilon: 1.0e-05}\n"
    "    - layer_norm: {epsilon: 0.01}\n"
    "    - dropout: 0.25\n"
    "    - gaussian_noise: 0.5\n"
    "    - crop2d: 1\n"
    "    - crop2d: [1, 2]\n"
    "    - zero_pad2d: [[1, 2], [3, 4]]\n"
    "    - residual:\n"
    "        - residual:\n"
    "            - activation: gelu\n"
    "        - dense: {units: 3, activation: swish, bias: true, initializer: he_normal}\n"
    "    - flatten\n"
    "    - parallel:\n"
    "        - slice: [0, 10]\n"
    "          layers:\n"
    "            - dense: {units: 5, activation: softplus, bias: true}\n"
    "            - parallel:\n"
    "                - layers:\n"
    "                    - activation: selu\n"
    "                - layers:\n"
    "                    - flatten\n"
    "        - slice: [10, 20]\n"
    "          layers:\n"
    "            - flatten\n"
    "    - gaussian:\n"
    "        mean:\n"
    "          - dense: {units: 4, activation: linear, bias: true}\n"
    "        log_variance:\n"
    "          - dense: {units: 4, activation: linear, bias: true, initializer: zeros}\n"
    "        beta: 0.5\n"
    "        kl: mean\n"
    "        warmup: 2.5\n"
    "  decoder:\n"
    "    - dense: {units: 4, activation: linear, bias: true}\n"
    "train:\n"
    "  loss: {mse: 0.8, huber: {delta: 0.5, weight: 2}}\n"
    "  optimizer: {adamw: {learning_rate: 0.002, weight_decay: 0.1, beta_1: 0.8, beta_2: 0.9, epsilon: 0.001}}\n"
    "  schedule: {step: {every: 2.5, factor: 0.5}, warmup: 1}\n"
    "  reduce_lr_on_plateau: {factor: 0.5, patience: 3, min_delta: 0.01, cooldown: 1, min_lr: 1.0e-06}\n"
    "  clip_norm: 1\n"
    "  clip_value: 0.5\n"
    "  penalty: {weights: {l1: 0.1, l2: 0.2}, latent: {l1: 0.3, l2: 0.4}}\n"
    "  epochs: 10\n"
    "  batch_size: 32\n"
    "  shuffle: true\n"
    "watch:\n"
    "  reconstructions: 100\n";

static void check_images(const strait_recipe *recipe) {
    const st_layer *l = recipe->model.encoder;
    assert_true(recipe->data.resize[0] == 96 && recipe->data.resize[1] == 64);
    assert_true(recipe->data.augment.rotate == 15 && recipe->data.augment.zoom == 0.3);
    assert_true(recipe->data.augment.shift[0] == 0.1 && recipe->data.augment.shift[1] == 0.2);
    assert_true(recipe->data.augment.flip[0] && recipe->data.augment.flip[1]);
    assert_true(l[0].kind == ST_LAYER_MAX_POOL2D && l[0].size[0] == 2 && l[0].size[1] == 3 && l[0].strides[1] == 1);
    assert_true(l[0].padding == ST_SAME && l[1].padding == ST_VALID);
    assert_true(l[2].size[1] == 3 && l[2].bilinear);
    assert_true(l[3].momentum == 0.9 && l[3].epsilon == 1e-5 && l[4].epsilon == 0.01);
    assert_true(l[5].rate == 0.25 && l[6].stddev == 0.5);
    assert_true(l[7].before[0] == 1 && l[7].after[0] == 1 && l[7].before[1] == 1 && l[7].after[1] == 1);
    assert_true(l[8].before[0] == 1 && l[8].after[0] == 1 && l[8].before[1] == 2 && l[8].after[1] == 2);
    assert_true(l[9].before[0] == 1 && l[9].after[0] == 2 && l[9].before[1] == 3 && l[9].after[1] == 4);
}

static void check_nested(const strait_recipe *recipe) {
    const st_layer *l = recipe->model.encoder;
    assert_true(l[10].kind == ST_LAYER_RESIDUAL && l[10].n_branches == 1 && l[10].branch->n_layers == 2);
    assert_int_equal(l[10].branch->layers[0].branch->layers[0].activation.kind, ST_GELU);
    assert_true(l[10].branch->layers[1].own_initializer);
    assert_int_equal(l[10].branch->layers[1].initializer.kind, ST_HE_NORMAL);
    assert_true(l[12].kind == ST_LAYER_PARALLEL && l[12].n_branches == 2);
    const st_branch *b = l[12].branch;
    assert_true(b[0].sliced && b[0].begin == 0 && b[0].end == 10 && b[1].begin == 10 && b[1].end == 20);
    assert_false(b[0].layers[1].branch[0].sliced);
    /* The model's initialiser reaches layers inside layers that name none. */
    assert_int_equal(b[0].layers[0].initializer.kind, ST_NORMAL);
    assert_true(b[0].layers[0].initializer.stddev == 0.02 && !b[0].layers[0].own_initializer);
    assert_true(l[13].kind == ST_LAYER_GAUSSIAN && l[13].n_branches == 2 && l[13].units == 0);
    assert_true(l[13].beta == 0.5 && l[13].kl_mean && l[13].warmup == 2.5);
}

static void check_training(const strait_recipe *recipe) {
    const st_loss *loss = &recipe->train.loss;
    assert_true(loss->n == 2 && loss->term[0].kind == ST_LOSS_MSE && loss->term[0].weight == 0.8f);
    assert_true(loss->term[1].kind == ST_LOSS_HUBER && loss->term[1].delta == 0.5f && loss->term[1].weight == 2);
    assert_true(recipe->train.optimizer.kind == ST_OPTIMIZER_ADAMW && recipe->train.optimizer.weight_decay == 0.1);
    const st_schedule *schedule = &recipe->train.schedule;
    assert_true(schedule->kind == ST_SCHEDULE_STEP && schedule->every == 2.5 && schedule->factor == 0.5);
    assert_true(schedule->warmup == 1);
    assert_true(recipe->train.reduce_lr_on_plateau.on && recipe->train.reduce_lr_on_plateau.min_rate == 1e-6);
    assert_true(recipe->train.reduce_lr_on_plateau.patience == 3 && recipe->train.reduce_lr_on_plateau.cooldown == 1);
    assert_true(recipe->train.clip_norm == 1 && recipe->train.clip_value == 0.5);
    assert_true(recipe->train.weight_l1 == 0.1 && recipe->train.weight_l2 == 0.2);
    assert_true(recipe->train.latent_l1 == 0.3 && recipe->train.latent_l2 == 0.4);
    assert_int_equal(recipe->watch.reconstructions, 100);
}

static void every_key_reads_and_writes(void **state) {
    (void)state;
    strait_recipe *recipe = parse_good(full, NULL);
    check_images(recipe);
    check_nested(recipe);
    check_training(recipe);
    char *yaml = NULL;
    assert_int_equal(strait_recipe_to_yaml(&yaml, recipe, NULL), STRAIT_OK);
    assert_string_equal(yaml, full);
    strait_string_free(yaml);
    assert_round_trip(recipe);
    strait_recipe_free(recipe);
}

static void copies_stand_alone(void **state) {
    (void)state;
    strait_recipe *recipe = parse_good(full, "model.encoder.12.parallel.1.layers.0={dense: {units: 9}}"), *copy = NULL;
    assert_int_equal(st_recipe_copy(&copy, recipe, NULL), STRAIT_OK);
    assert_same_recipe(recipe, copy);
    const char *file = recipe->file;
    strait_recipe_free(recipe); /* the copy must not lean on it: the sanitizer would tell */
    const st_branch *branch = copy->model.encoder[12].branch;
    assert_ptr_not_equal(branch[0].pos.file, file);
    assert_ptr_equal(branch[0].pos.file, copy->file);
    assert_int_equal(branch[0].pos.line, 29);
    assert_ptr_equal(branch[0].layers[1].branch[1].layers[0].pos.file, copy->file);
    assert_ptr_equal(branch[1].layers[0].pos.file, copy->overrides[0]);
    assert_int_equal(branch[1].layers[0].units, 9);
    assert_round_trip(copy);
    strait_recipe_free(copy);
}

static void short_forms_mean_the_long_ones(void **state) {
    (void)state;
    static const char *const sets[][2] = {
        {"model.encoder.0={dropout: 0.5}", "model.encoder.0={dropout: {rate: 0.5}}"},
        {"model.encoder.0={gaussian_noise: 0.5}", "model.encoder.0={gaussian_noise: {stddev: 0.5}}"},
        {"model.encoder.0=max_pool2d", "model.encoder.0={max_pool2d: {size: 2, strides: [2, 2], padding: valid}}"},
        {"model.encoder.0={avg_pool2d: {size: 3}}", "model.encoder.0={avg_pool2d: {size: [3, 3], strides: 3}}"},
        {"model.encoder.0=upsample2d", "model.encoder.0={upsample2d: {size: 2, interpolation: nearest}}"},
        {"model.encoder.0=batch_norm", "model.encoder.0={batch_norm: {momentum: 0.99, epsilon: 1e-3}}"},
        {"model.encoder.0=layer_norm", "model.encoder.0={layer_norm: {epsilon: 1e-3}}"},
        {"model.encoder.0={crop2d: 2}", "model.encoder.0={crop2d: [[2, 2], [2, 2]]}"},
        {"model.encoder.0={zero_pad2d: [1, 2]}", "model.encoder.0={zero_pad2d: [[1, 1], 2]}"},
        {"model.encoder.0={gaussian: {units: 2}}",
         "model.encoder.0={gaussian: {units: 2, beta: 1, kl: sum, warmup: 0}}"},
        {"model.initializer=normal", "model.initializer={normal: {stddev: 0.05}}"},
        {"train.loss=huber", "train.loss={huber: {delta: 1, weight: 1}}"},
        {"train.loss={mae: 2}", "train.loss={mae: {weight: 2}}"},
        {"train.loss=binary_crossentropy", "train.loss={binary_crossentropy: {from_logits: false}}"},
        {"train.optimizer=rmsprop",
         "train.optimizer={rmsprop: {learning_rate: 0.001, rho: 0.9, momentum: 0, epsilon: 1e-7, centered: false}}"},
        {"train.optimizer=adagrad",
         "train.optimizer={adagrad: {learning_rate: 0.001, initial_accumulator: 0.1, epsilon: 1e-7}}"},
        {"train.optimizer=adadelta", "train.optimizer={adadelta: {learning_rate: 0.001, rho: 0.95, epsilon: 1e-7}}"},
        {"train.optimizer=adamw", "train.optimizer={adamw: {learning_rate: 0.001, weight_decay: 0.004, beta_1: 0.9}}"},
        {"train.optimizer=nadam", "train.optimizer={nadam: {beta_2: 0.999, epsilon: 1e-7}}"},
        {"train.schedule=one_cycle", "train.schedule={one_cycle: {start: 25, rise: 0.3, final: 10000}}"},
        {"train.schedule={warmup: 3}", "train.schedule={warmup: 3, constant: ~}"},
        {"train.schedule={warmup: 3, cosine: ~}", "train.schedule={cosine: {final: 0}, warmup: 3}"},
        {"train.schedule=exponential", "train.schedule={exponential: {factor: 0.9}}"},
        {"train.reduce_lr_on_plateau={}",
         "train.reduce_lr_on_plateau={factor: 0.1, patience: 10, min_delta: 0.0001, cooldown: 0, min_lr: 0}"},
        {"data.augment.shift=0.1", "data.augment={shift: [0.1, 0.1], flip: none}"},
        {"data.resize=32", "data.resize=[32, 32]"},
        {"train.clip_norm=0", "train.penalty={weights: {l1: 0}}"},
        {"watch.reconstructions=0", "watch={}"},
    };
    for (size_t i = 0; i < COUNT(sets); i++) {
        strait_recipe *one = parse_good(MODEL, sets[i][0]), *other = parse_good(MODEL, sets[i][1]);
        assert_same_recipe(one, other);
        assert_round_trip(one);
        strait_recipe_free(one);
        strait_recipe_free(other);
    }
}

static void logits_are_a_loss_of_their_own(void **state) {
    (void)state;
    strait_recipe *recipe = parse_good(MODEL, "train.loss={binary_crossentropy: {from_logits: true, weight: 3}}");
    assert_int_equal(recipe->train.loss.n, 1);
    assert_int_equal(recipe->train.loss.term[0].kind, ST_LOSS_LOGITS);
    assert_true(recipe->train.loss.term[0].weight == 3);
    assert_round_trip(recipe);
    strait_recipe_free(recipe);
}

/* Every recipe that comes with the program parses, and comes back from its own YAML. */
static void shipped_recipes_come_back(void **state) {
    (void)state;
    static const char *const names[] = {"cells-1",
                                        "cells-2",
                                        "cells-3",
                                        "cells-4",
                                        "cells-4.1",
                                        "cells-5",
                                        "cells-6",
                                        "cells-7",
                                        "cells-8",
                                        "citeseq",
                                        "ecg-anomaly",
                                        "fashion-basic",
                                        "fashion-denoise-conv",
                                        "cells-old",
                                        "nuclei",
                                        "mnist-vae",
                                        "mnist-conv",
                                        "mnist-dense",
                                        "mnist-clusters",
                                        "mnist-k",
                                        "fashion-denoise-dense"};
    setenv("STRAIT_RECIPES", STRAIT_SOURCE_DIR "/recipes", 1);
    for (size_t i = 0; i < COUNT(names); i++) {
        strait_recipe *recipe = NULL;
        strait_error err = {0};
        if (strait_recipe_open(&recipe, names[i], 0, NULL, &err) != STRAIT_OK) fail_msg("%s", err.message);
        assert_string_equal(strait_recipe_name(recipe), names[i]);
        assert_round_trip(recipe);
        strait_recipe_free(recipe);
    }
}

/* Parses, copies, writes; STRAIT_MEMORY as soon as memory runs out. */
static strait_status live(strait_error *err) {
    strait_recipe *recipe = NULL, *copy = NULL;
    char *text = NULL;
    strait_status status = strait_recipe_parse(&recipe, full, "r.yaml", 0, NULL, err);
    if (status == STRAIT_OK) status = st_recipe_copy(&copy, recipe, err);
    if (status == STRAIT_OK) status = strait_recipe_to_yaml(&text, copy, err);
    strait_string_free(text);
    strait_recipe_free(copy);
    strait_recipe_free(recipe);
    return status;
}

static void memory_runs_out_anywhere(void **state) {
    (void)state;
    for (uint64_t n = 1;; n++) {
        strait_error err = {0};
        const uint64_t before = st_alloc_count();
        st_alloc_fail_at(n);
        const strait_status status = live(&err);
        st_alloc_fail_at(0);
        if (st_alloc_count() - before < n) {
            assert_int_equal(status, STRAIT_OK);
            assert_true(n > 30);
            return;
        }
        assert_int_equal(status, STRAIT_MEMORY);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_reads_and_writes),     cmocka_unit_test(copies_stand_alone),
        cmocka_unit_test(short_forms_mean_the_long_ones), cmocka_unit_test(logits_are_a_loss_of_their_own),
        cmocka_unit_test(shipped_recipes_come_back),      cmocka_unit_test(memory_runs_out_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
