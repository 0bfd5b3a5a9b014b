/* Recipes by path and by name. */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "recipe_check.h"
#include "support/folder.h"

static const char *folder;

/* FOLDER/sub/name holding text. */
static void put(const char *sub, const char *name, const char *text) {
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, sub);
    mkdir(path, 0777);
    snprintf(path, sizeof path, "%s/%s", sub, name);
    test_file(path, text, strlen(text));
}

static strait_status open_one(const char *path_or_name, strait_error *err, int64_t *epochs) {
    strait_recipe *recipe = NULL;
    const strait_status status = strait_recipe_open(&recipe, path_or_name, 0, NULL, err);
    if (recipe) *epochs = recipe->train.epochs;
    strait_recipe_free(recipe);
    return status;
}

static int set_up(void **state) {
    (void)state;
    folder = test_folder();
    if (chdir(folder) != 0) return 1;
    char own[1024];
    snprintf(own, sizeof own, "%s/own::%s/more", folder, folder);
    setenv("STRAIT_RECIPES", own, 1);
    char home[1024];
    snprintf(home, sizeof home, "%s/home", folder);
    mkdir(home, 0777);
    setenv("XDG_DATA_HOME", home, 1);
    put("own", "one.yaml", MODEL "train: {epochs: 1}\n");
    put("own", ".hidden.yaml", MODEL);
    put("own", "README.md", "no recipe");
    put("more", "one.yaml", MODEL "train: {epochs: 99}\n");
    put("more", "two.yml", MODEL "train: {epochs: 2}\n");
    put("recipes", "three.yaml", MODEL "train: {epochs: 3}\n");
    put("recipes", "bad.yaml", MODEL "train: {epoch: 3}\n");
    put("home/strait", "x", "");
    put("home/strait/recipes", "four.yaml", MODEL "train: {epochs: 4}\n");
    put("recipes", "plain", MODEL "train: {epochs: 5}\n");
    return 0;
}

static void names_are_found_in_order(void **state) {
    (void)state;
    static const char *const names[] = {"one", "two", "three", "four"};
    for (int i = 0; i < 4; i++) {
        strait_error err = {0};
        int64_t epochs = 0;
        if (open_one(names[i], &err, &epochs)) fail_msg("%s", err.message);
        assert_int_equal(epochs, i + 1);
    }
    char *folders = st_recipe_folders();
    char wanted[4096];
    snprintf(wanted, sizeof wanted, "%s/own::%s/more:recipes:%s/home/strait/recipes:", folder, folder, folder);
    assert_memory_equal(folders, wanted, strlen(wanted));
    st_free(folders);
}

static void paths_are_paths(void **state) {
    (void)state;
    strait_error err = {0};
    int64_t epochs = 0;
    assert_int_equal(open_one("recipes/plain", &err, &epochs), STRAIT_OK);
    assert_int_equal(epochs, 5);
    assert_int_equal(open_one("recipes/three.yaml", &err, &epochs), STRAIT_OK);
    assert_int_equal(epochs, 3);
    assert_int_equal(open_one("recipes/none.yaml", &err, &epochs), STRAIT_NOT_FOUND);
    assert_non_null(strstr(err.message, "recipes/none.yaml"));
    assert_int_equal(open_one("one.yaml", &err, &epochs), STRAIT_NOT_FOUND); /* a path: not looked for elsewhere */
    assert_int_equal(open_one("./recipes", &err, &epochs), STRAIT_NOT_FOUND);
    assert_string_equal(err.message, "./recipes: is a folder; a recipe is a YAML file");
    assert_int_equal(open_one("bad", &err, &epochs), STRAIT_RECIPE);
    assert_string_equal(err.message, "recipes/bad.yaml:5:9: unknown key 'epoch' in train; did you mean 'epochs'?");
}

static void what_is_not_there_is_told(void **state) {
    (void)state;
    strait_error err = {0};
    int64_t epochs;
    static const char thee[] = "no recipe 'thee'; did you mean 'three'? There are: bad, f";
    static const char other[] = "no recipe 'zzzzzzzz'; there are: bad, f";
    assert_int_equal(open_one("thee", &err, &epochs), STRAIT_NOT_FOUND);
    assert_memory_equal(err.message, thee, sizeof thee - 1);
    assert_int_equal(open_one("zzzzzzzz", &err, &epochs), STRAIT_NOT_FOUND);
    assert_memory_equal(err.message, other, sizeof other - 1);
    assert_int_equal(open_one("", &err, &epochs), STRAIT_NOT_FOUND);
}

/* Strait may be installed on this machine: then there are more names than the test's. */
static void names_are_sorted_and_once(void **state) {
    (void)state;
    static const char *const names[] = {"bad", "four", "one", "three", "two"};
    size_t found = 0;
    char *before = NULL;
    for (size_t i = 0;; i++) {
        char *name = strait_recipe_installed(i);
        if (name && before) assert_true(strcmp(before, name) < 0);
        strait_string_free(before);
        before = name;
        if (!name) break;
        if (found < COUNT(names) && strcmp(name, names[found]) == 0) found++;
        assert_true(strcmp(name, "README") != 0 && name[0] != '.' && strcmp(name, "plain") != 0);
    }
    assert_int_equal(found, COUNT(names));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_found_in_order),
        cmocka_unit_test(paths_are_paths),
        cmocka_unit_test(what_is_not_there_is_told),
        cmocka_unit_test(names_are_sorted_and_once),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
