/* Texts made to hurt, and memory that runs out at every single point. */
#include <stdlib.h>
#include "recipe_check.h"

/* head, then n times piece, then tail; the caller's. */
static char *repeat(const char *head, const char *piece, size_t n, const char *tail) {
    st_text text = {0};
    char *out = NULL;
    st_text_add(&text, "%s", head);
    for (size_t i = 0; i < n; i++)
        st_text_add_bytes(&text, piece, strlen(piece));
    st_text_add(&text, "%s", tail);
    assert_int_equal(st_text_take(&out, &text, NULL), STRAIT_OK);
    return out;
}

static void refuse(char *yaml, const char *part) {
    strait_recipe *recipe = (void *)1;
    strait_error err = {0};
    assert_int_equal(strait_recipe_parse(&recipe, yaml, "r.yaml", 0, NULL, &err), STRAIT_RECIPE);
    if (!strstr(err.message, part)) fail_msg("%s", err.message);
    assert_null(recipe);
    st_free(yaml);
}

static void limits_hold(void **state) {
    (void)state;
    refuse(repeat("a: ", "[", 500000, ""), "r.yaml:1:35: nested more than 32 deep");
    refuse(repeat("", "{a: ", 200000, ""), "nested more than 32 deep");
    refuse(repeat("", "- ", 200000, ""), "nested more than 32 deep");
    refuse(repeat("a: [", "1,", 500000, "]"), "more than 65536 values");
    refuse(repeat("", "#                              \n", 40000, ""), "longer than 1048576 bytes");
    refuse(repeat("a: '", "x", 1 << 20, "'"), "longer than 1048576 bytes");
    refuse(repeat("", "x", 1000000, ""), "a recipe is a map of keys");
    refuse(repeat("a: \"", "\\x41", 200000, "\"\n" MODEL), "unknown key 'a'");
    st_text text = {0};
    for (int i = 0; i < 1000; i++)
        st_text_add(&text, "k%d: 1\n", i);
    char *yaml = NULL;
    assert_int_equal(st_text_take(&yaml, &text, NULL), STRAIT_OK);
    refuse(yaml, "r.yaml:257:1: more than 256 keys in one map");
}

/* A word of a megabyte in any place ends in a message, not in harm. */
static void long_words_everywhere(void **state) {
    (void)state;
    static const char *const around[][2] = {{"", ": 1\n"},
                                            {"name: ", "\n" MODEL},
                                            {MODEL "train: {loss: ", "}\n"},
                                            {"model: {input: [4], encoder: [", "]}"},
                                            {MODEL "data: {source: [", "]}"}};
    for (size_t i = 0; i < COUNT(around); i++) {
        char *yaml = repeat(around[i][0], "w", i == 0 ? 1000 : 1000000, around[i][1]);
        strait_recipe *recipe = NULL;
        strait_error err = {0};
        assert_int_equal(strait_recipe_parse(&recipe, yaml, "r.yaml", 0, NULL, &err), STRAIT_RECIPE);
        assert_true(strlen(err.message) < sizeof err.message - 1);
        st_free(yaml);
    }
}

/* Any prefix of a good recipe is a recipe or an error. */
static void every_prefix_ends_well(void **state) {
    (void)state;
    static const char yaml[] =
        "name: a\ndata: {source: \"x\", scale: {minmax: {offset: 1, factor: 2}}, only: [1, 2]}\n" MODEL
        "train: {optimizer: {sgd: {momentum: 0.5}}, early_stopping: {patience: 2}}\n";
    int n_good = 0;
    for (size_t n = 0; n < sizeof yaml; n++) {
        char *cut = st_strndup(yaml, n);
        strait_recipe *recipe = NULL;
        strait_error err = {0};
        const strait_status status = strait_recipe_parse(&recipe, cut, "r.yaml", 0, NULL, &err);
        assert_true(status == STRAIT_OK ? recipe != NULL : status == STRAIT_RECIPE && err.message[0]);
        n_good += status == STRAIT_OK;
        if (recipe) assert_round_trip(recipe);
        strait_recipe_free(recipe);
        st_free(cut);
    }
    assert_true(n_good >= 1);
}

/* Everything the room does with one recipe; STRAIT_MEMORY as soon as memory runs out. */
static strait_status live(strait_error *err) {
    static const char yaml[] = "name: a\ndata: {source: x, validation: test, only: [1, 2]}\n" MODEL;
    static const char *const sets[] = {"train.optimizer.adam.epsilon=1e-3", "model.encoder.0=flatten"};
    strait_recipe *recipe = NULL, *copy = NULL;
    char *text = NULL;
    strait_status status = strait_recipe_parse(&recipe, yaml, "r.yaml", COUNT(sets), sets, err);
    if (status == STRAIT_OK) status = st_recipe_copy(&copy, recipe, err);
    if (status == STRAIT_OK) status = strait_recipe_to_yaml(&text, copy, err);
    strait_string_free(text);
    strait_recipe_free(copy);
    strait_recipe_free(recipe);
    return status;
}

static strait_status open_shipped(strait_error *err) {
    strait_recipe *recipe = NULL;
    const strait_status status = strait_recipe_open(&recipe, "mnist-dense", 0, NULL, err);
    strait_recipe_free(recipe);
    return status;
}

static strait_status open_missing(strait_error *err) {
    strait_recipe *recipe = NULL;
    return strait_recipe_open(&recipe, "no-such-recipe", 0, NULL, err);
}

/* Makes allocation 1, 2, 3, ... of the call fail, until it needs fewer. */
static void fail_each(strait_status (*call)(strait_error *err), strait_status wanted) {
    for (uint64_t n = 1;; n++) {
        strait_error err = {0};
        const uint64_t before = st_alloc_count();
        st_alloc_fail_at(n);
        const strait_status status = call(&err);
        st_alloc_fail_at(0);
        const bool failed = st_alloc_count() - before >= n;
        if (!failed) {
            assert_int_equal(status, wanted);
            assert_true(n > 5);
            return;
        }
        if (status != STRAIT_MEMORY) fail_msg("allocation %d failed, status %d %s", (int)n, (int)status, err.message);
        assert_int_equal(err.code, STRAIT_MEMORY);
        assert_non_null(strstr(err.message, "out of memory"));
    }
}

static void memory_runs_out_anywhere(void **state) {
    (void)state;
    setenv("STRAIT_RECIPES", STRAIT_SOURCE_DIR "/recipes", 1);
    fail_each(live, STRAIT_OK);
    fail_each(open_shipped, STRAIT_OK);
    fail_each(open_missing, STRAIT_NOT_FOUND);
    for (uint64_t n = 1; n < 40; n++) { /* a name or NULL, never harm */
        st_alloc_fail_at(n);
        strait_string_free(strait_recipe_installed(1));
        st_alloc_fail_at(0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(long_words_everywhere),
        cmocka_unit_test(every_prefix_ends_well),
        cmocka_unit_test(memory_runs_out_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
