/* What the recipe room's tests share. */
#ifndef TESTS_RECIPE_RECIPE_CHECK_H
#define TESTS_RECIPE_RECIPE_CHECK_H

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "base/memory.h"
#include "base/string.h"
#include "recipe/recipe.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* A small complete recipe; messages about it begin with "r.yaml:". */
#define MODEL "model:\n  input: [4]\n  encoder: [{dense: {units: 2}}]\n  decoder: [{dense: {units: 4}}]\n"

/* Parses yaml as r.yaml with at most one override; fails the test with the message when that fails. */
static inline strait_recipe *parse_good(const char *yaml, const char *override) {
    strait_recipe *recipe = NULL;
    strait_error err = {0};
    if (strait_recipe_parse(&recipe, yaml, "r.yaml", override ? 1 : 0, &override, &err) != STRAIT_OK)
        fail_msg("%s", err.message);
    return recipe;
}

static inline void assert_same_text(const char *a, const char *b) {
    if (a && b)
        assert_string_equal(a, b);
    else
        assert_ptr_equal(a, b);
}

static inline void assert_same_initializer(const st_initializer *a, const st_initializer *b) {
    assert_int_equal(a->kind, b->kind);
    assert_memory_equal(&a->stddev, &b->stddev, sizeof a->stddev);
}

static inline void assert_same_layers(int n_a, const st_layer *a, int n_b, const st_layer *b) {
    assert_int_equal(n_a, n_b);
    for (int i = 0; i < n_a; i++) {
        st_layer x = a[i], y = b[i];
        memset(&x.pos, 0, sizeof x.pos);
        memset(&y.pos, 0, sizeof y.pos);
        assert_int_equal(x.kind, y.kind);
        assert_int_equal(x.activation.kind, y.activation.kind);
        assert_memory_equal(&x.activation.slope, &y.activation.slope, sizeof x.activation.slope);
        assert_int_equal(x.bias, y.bias);
        assert_int_equal(x.units, y.units);
        assert_int_equal(x.filters, y.filters);
        assert_memory_equal(x.kernel_size, y.kernel_size, sizeof x.kernel_size);
        assert_memory_equal(x.strides, y.strides, sizeof x.strides);
        assert_int_equal(x.padding, y.padding);
        assert_int_equal(x.n_dims, y.n_dims);
        assert_memory_equal(x.dim, y.dim, sizeof x.dim);
        assert_same_initializer(&x.initializer, &y.initializer);
        assert_int_equal(x.own_initializer, y.own_initializer);
        assert_memory_equal(x.size, y.size, sizeof x.size);
        assert_int_equal(x.bilinear, y.bilinear);
        assert_memory_equal(&x.momentum, &y.momentum, sizeof x.momentum);
        assert_memory_equal(&x.epsilon, &y.epsilon, sizeof x.epsilon);
        assert_memory_equal(&x.rate, &y.rate, sizeof x.rate);
        assert_memory_equal(&x.stddev, &y.stddev, sizeof x.stddev);
        assert_memory_equal(x.before, y.before, sizeof x.before);
        assert_memory_equal(x.after, y.after, sizeof x.after);
        assert_memory_equal(&x.beta, &y.beta, sizeof x.beta);
        assert_int_equal(x.kl_mean, y.kl_mean);
        assert_memory_equal(&x.warmup, &y.warmup, sizeof x.warmup);
        assert_int_equal(x.n_branches, y.n_branches);
        for (int j = 0; j < x.n_branches; j++) {
            const st_branch *p = &x.branch[j], *q = &y.branch[j];
            assert_true(p != q && p->sliced == q->sliced && p->begin == q->begin && p->end == q->end);
            assert_same_layers(p->n_layers, p->layers, q->n_layers, q->layers);
        }
    }
}

/* Loss, optimiser, what moves the learning rate and what is added to the loss: doubles to the bit. */
static inline void assert_same_training(const strait_recipe *a, const strait_recipe *b) {
    assert_int_equal(a->train.loss.n, b->train.loss.n);
    for (int i = 0; i < a->train.loss.n; i++) {
        assert_int_equal(a->train.loss.term[i].kind, b->train.loss.term[i].kind);
        assert_memory_equal(&a->train.loss.term[i].weight, &b->train.loss.term[i].weight, sizeof(float));
        assert_memory_equal(&a->train.loss.term[i].delta, &b->train.loss.term[i].delta, sizeof(float));
    }
    const st_optimizer *p = &a->train.optimizer, *q = &b->train.optimizer;
    const double of_a[] = {p->learning_rate,
                           p->beta_1,
                           p->beta_2,
                           p->epsilon,
                           p->rho,
                           p->momentum,
                           p->initial_accumulator,
                           p->weight_decay,
                           a->train.schedule.every,
                           a->train.schedule.factor,
                           a->train.schedule.final,
                           a->train.schedule.start,
                           a->train.schedule.rise,
                           a->train.schedule.warmup,
                           a->train.clip_norm,
                           a->train.clip_value,
                           a->train.weight_decay,
                           a->train.weight_l1,
                           a->train.weight_l2,
                           a->train.latent_l1,
                           a->train.latent_l2,
                           a->train.reduce_lr_on_plateau.factor,
                           a->train.reduce_lr_on_plateau.min_delta,
                           a->train.reduce_lr_on_plateau.min_rate};
    const double of_b[] = {q->learning_rate,
                           q->beta_1,
                           q->beta_2,
                           q->epsilon,
                           q->rho,
                           q->momentum,
                           q->initial_accumulator,
                           q->weight_decay,
                           b->train.schedule.every,
                           b->train.schedule.factor,
                           b->train.schedule.final,
                           b->train.schedule.start,
                           b->train.schedule.rise,
                           b->train.schedule.warmup,
                           b->train.clip_norm,
                           b->train.clip_value,
                           b->train.weight_decay,
                           b->train.weight_l1,
                           b->train.weight_l2,
                           b->train.latent_l1,
                           b->train.latent_l2,
                           b->train.reduce_lr_on_plateau.factor,
                           b->train.reduce_lr_on_plateau.min_delta,
                           b->train.reduce_lr_on_plateau.min_rate};
    assert_memory_equal(of_a, of_b, sizeof of_a);
    assert_true(p->kind == q->kind && p->nesterov == q->nesterov && p->centered == q->centered);
    assert_int_equal(a->train.schedule.kind, b->train.schedule.kind);
    assert_int_equal(a->train.reduce_lr_on_plateau.on, b->train.reduce_lr_on_plateau.on);
    assert_int_equal(a->train.reduce_lr_on_plateau.patience, b->train.reduce_lr_on_plateau.patience);
    assert_int_equal(a->train.reduce_lr_on_plateau.cooldown, b->train.reduce_lr_on_plateau.cooldown);
}

/* All but positions, doubles to the bit. */
static inline void assert_same_recipe(const strait_recipe *a, const strait_recipe *b) {
    assert_string_equal(a->name, b->name);
    assert_int_equal(a->seed, b->seed);
    assert_same_text(a->data.source, b->data.source);
    assert_same_text(a->data.validation_split, b->data.validation_split);
    assert_memory_equal(&a->data.validation_fraction, &b->data.validation_fraction, sizeof(double));
    assert_int_equal(a->data.scale, b->data.scale);
    assert_memory_equal(&a->data.scale_offset, &b->data.scale_offset, sizeof(double));
    assert_memory_equal(&a->data.scale_factor, &b->data.scale_factor, sizeof(double));
    assert_memory_equal(&a->data.corrupt.gaussian, &b->data.corrupt.gaussian, sizeof(double));
    assert_memory_equal(&a->data.corrupt.speckle, &b->data.corrupt.speckle, sizeof(double));
    assert_memory_equal(&a->data.corrupt.salt_pepper, &b->data.corrupt.salt_pepper, sizeof(double));
    assert_memory_equal(&a->data.corrupt.mask, &b->data.corrupt.mask, sizeof(double));
    assert_memory_equal(&a->data.corrupt.block_share, &b->data.corrupt.block_share, sizeof(double));
    assert_memory_equal(a->data.corrupt.block_size, b->data.corrupt.block_size, sizeof a->data.corrupt.block_size);
    assert_int_equal(a->data.corrupt.watermark.on, b->data.corrupt.watermark.on);
    assert_same_text(a->data.corrupt.watermark.text, b->data.corrupt.watermark.text);
    assert_same_text(a->data.corrupt.watermark.image, b->data.corrupt.watermark.image);
    assert_memory_equal(&a->data.corrupt.watermark.size, &b->data.corrupt.watermark.size, 3 * sizeof(double));
    assert_memory_equal(&a->data.crop, &b->data.crop, sizeof a->data.crop);
    assert_memory_equal(&a->data.channels, &b->data.channels, sizeof a->data.channels);
    assert_same_text(a->data.target, b->data.target);
    assert_int_equal(a->data.split, b->data.split);
    assert_int_equal(a->data.split_seed, b->data.split_seed);
    assert_int_equal(a->data.scale_features, b->data.scale_features);
    assert_int_equal(a->data.offsets.n, b->data.offsets.n);
    assert_int_equal(a->data.factors.n, b->data.factors.n);
    for (int64_t i = 0; i < a->data.offsets.n; i++) {
        assert_memory_equal(&a->data.offsets.value[i], &b->data.offsets.value[i], sizeof(double));
        assert_memory_equal(&a->data.factors.value[i], &b->data.factors.value[i], sizeof(double));
    }
    assert_int_equal(a->data.n_except, b->data.n_except);
    for (int i = 0; i < a->data.n_except; i++)
        assert_int_equal(a->data.except[i], b->data.except[i]);
    assert_int_equal(a->data.corrupt.clip, b->data.corrupt.clip);
    assert_memory_equal(&a->data.corrupt.clip_low, &b->data.corrupt.clip_low, sizeof(double));
    assert_memory_equal(&a->data.corrupt.clip_high, &b->data.corrupt.clip_high, sizeof(double));
    assert_int_equal(a->data.limit, b->data.limit);
    assert_int_equal(a->data.n_only, b->data.n_only);
    if (a->data.n_only) assert_memory_equal(a->data.only, b->data.only, (size_t)a->data.n_only * sizeof *a->data.only);
    assert_int_equal(a->model.n_input_dims, b->model.n_input_dims);
    assert_memory_equal(a->model.input_dim, b->model.input_dim, sizeof a->model.input_dim);
    assert_same_layers(a->model.n_encoder, a->model.encoder, b->model.n_encoder, b->model.encoder);
    assert_same_layers(a->model.n_decoder, a->model.decoder, b->model.n_decoder, b->model.decoder);
    assert_same_initializer(&a->model.initializer, &b->model.initializer);
    assert_memory_equal(a->data.resize, b->data.resize, sizeof a->data.resize);
    assert_memory_equal(&a->data.augment.rotate, &b->data.augment.rotate, sizeof(double));
    assert_memory_equal(a->data.augment.shift, b->data.augment.shift, sizeof a->data.augment.shift);
    assert_memory_equal(&a->data.augment.zoom, &b->data.augment.zoom, sizeof(double));
    assert_memory_equal(a->data.augment.flip, b->data.augment.flip, sizeof a->data.augment.flip);
    assert_memory_equal(&a->data.augment.brightness, &b->data.augment.brightness, sizeof(double));
    assert_memory_equal(&a->data.augment.contrast, &b->data.augment.contrast, sizeof(double));
    assert_memory_equal(&a->data.augment.elastic_alpha, &b->data.augment.elastic_alpha, sizeof(double));
    assert_memory_equal(&a->data.augment.elastic_sigma, &b->data.augment.elastic_sigma, sizeof(double));
    assert_int_equal(a->watch.reconstructions, b->watch.reconstructions);
    assert_same_training(a, b);
    assert_int_equal(a->train.epochs, b->train.epochs);
    assert_int_equal(a->train.batch_size, b->train.batch_size);
    assert_int_equal(a->train.shuffle, b->train.shuffle);
    assert_int_equal(a->train.early_stopping.on, b->train.early_stopping.on);
    assert_int_equal(a->train.early_stopping.patience, b->train.early_stopping.patience);
    assert_memory_equal(&a->train.early_stopping.min_delta, &b->train.early_stopping.min_delta, sizeof(double));
    assert_int_equal(a->train.early_stopping.restore_best, b->train.early_stopping.restore_best);
    assert_int_equal(a->train.threads, b->train.threads);
    assert_int_equal(a->train.micro_batch, b->train.micro_batch);
}

/* Written, read back, written again: the same recipe, the same bytes. */
static inline void assert_round_trip(const strait_recipe *recipe) {
    char *once = NULL, *twice = NULL;
    strait_error err = {0};
    assert_int_equal(strait_recipe_to_yaml(&once, recipe, &err), STRAIT_OK);
    strait_recipe *back = parse_good(once, NULL);
    assert_same_recipe(recipe, back);
    assert_int_equal(strait_recipe_to_yaml(&twice, back, &err), STRAIT_OK);
    assert_string_equal(once, twice);
    strait_string_free(once);
    strait_string_free(twice);
    strait_recipe_free(back);
}

#endif
