/* Deleting run folders: all of a run, nothing of anyone else's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "store/run_store.h"
#include "support/folder.h"

/* A run folder with a few files; its name lasts. */
static const char *make_run(const char *name) {
    static char path[16][128];
    static int n;
    static const char *const files[] = {"recipe.yaml",
                                        "model.safetensors",
                                        "run.json",
                                        ".strait-12-3.tmp",
                                        "reconstructions/train-000.png",
                                        "reconstructions/validation-originals.npy",
                                        "reconstructions/samples.csv",
                                        "reconstructions/train-1000.png"};
    char below[160];
    assert_true(n < 16);
    snprintf(path[n], sizeof path[n], "%s", test_path(name));
    snprintf(below, sizeof below, "%s/reconstructions", path[n]);
    assert_int_equal(mkdir(path[n], 0777) | mkdir(below, 0777), 0);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char file[100];
        snprintf(file, sizeof file, "%s/%s", name, files[i]);
        test_file(file, "x", 1);
    }
    return path[n++];
}

static void expect_kept(const char *folder, const char *message) {
    strait_error err;
    const int before = test_count_entries(folder);
    assert_int_equal(st_run_remove(folder, &err), STRAIT_ARGUMENT);
    if (!strstr(err.message, message)) fail_msg("'%s' lacks '%s'", err.message, message);
    assert_int_equal(test_count_entries(folder), before);
}

static void all_of_a_run(void **state) {
    (void)state;
    strait_error err;
    const char *folder = make_run("plain-001");
    if (st_run_remove(folder, &err) != STRAIT_OK) fail_msg("%s", err.message);
    assert_int_not_equal(access(folder, F_OK), 0);
    assert_int_equal(st_run_remove(folder, &err), STRAIT_NOT_FOUND);
}

static void files_of_others(void **state) {
    (void)state;
    const char *folder = make_run("notes-001");
    test_file("notes-001/notes.txt", "mine", 4);
    expect_kept(folder, "notes-001/notes.txt");
    folder = make_run("below-001");
    test_file("below-001/reconstructions/paper-figure.png", "mine", 4);
    expect_kept(folder, "below-001/reconstructions/paper-figure.png");
    folder = make_run("names-001");
    test_file("names-001/reconstructions/train-12x.png", "mine", 4);
    expect_kept(folder, "train-12x.png");
    folder = make_run("folder-001");
    assert_int_equal(mkdir(test_path("folder-001/history.csv"), 0777), 0);
    expect_kept(folder, "folder-001/history.csv");
}

static void links_are_not_followed(void **state) {
    (void)state;
    strait_error err;
    char outside[256], link[256];
    snprintf(outside, sizeof outside, "%s", make_run("outside-001"));
    const int n_outside = test_count_entries(outside);
    /* The run itself is a link. */
    snprintf(link, sizeof link, "%s", test_path("link-001"));
    assert_int_equal(symlink(outside, link), 0);
    assert_int_equal(st_run_remove(link, &err), STRAIT_ARGUMENT);
    assert_non_null(strstr(err.message, "a link"));
    /* reconstructions/ is one, a file is one: neither was written by a run. */
    const char *folder = make_run("linked-001");
    snprintf(link, sizeof link, "%s/loss.png", folder);
    assert_int_equal(symlink(outside, link), 0);
    expect_kept(folder, "linked-001/loss.png");
    assert_int_equal(unlink(link), 0);
    assert_int_equal(st_run_remove(folder, &err), STRAIT_OK);
    assert_int_equal(mkdir(folder, 0777), 0);
    snprintf(link, sizeof link, "%s/reconstructions", folder);
    assert_int_equal(symlink(outside, link), 0);
    expect_kept(folder, "linked-001/reconstructions");
    assert_int_equal(test_count_entries(outside), n_outside);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_of_a_run),
        cmocka_unit_test(files_of_others),
        cmocka_unit_test(links_are_not_followed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
