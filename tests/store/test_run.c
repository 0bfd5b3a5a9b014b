/* Run folders: numbering, finding. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/memory.h"
#include "base/string.h"
#include "store/run.h"
#include "support/folder.h"

static void write_empty(const char *path) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
}

/* Makes the next run of name in dir and checks its path. */
static void expect_run(const char *dir, const char *name, const char *expected) {
    char *path = NULL;
    strait_error err = {0};
    if (st_run_create(&path, dir, name, &err) != STRAIT_OK) fail_msg("%s", err.message);
    assert_string_equal(path, expected);
    assert_true(st_path_is_folder(path));
    st_free(path);
}

/* Each test works in an empty folder of its own. */
static int enter_empty_folder(void **state) {
    static int n;
    (void)state;
    char name[16];
    snprintf(name, sizeof name, "%d", n++);
    const char *folder = test_path(name);
    return mkdir(folder, 0777) != 0 || chdir(folder) != 0;
}

static void numbers_go_on_after_the_highest(void **state) {
    (void)state;
    expect_run("a/runs", "x", "a/runs/x-001");
    expect_run("a/runs", "x", "a/runs/x-002");
    expect_run("a/runs/", "x", "a/runs/x-003");
    expect_run("a/runs", "x-2", "a/runs/x-2-001"); /* another name that begins alike */
    assert_int_equal(mkdir("a/runs/x-0999", 0777), 0);
    assert_int_equal(mkdir("a/runs/x-12", 0777), 0); /* not a run's name: two digits */
    assert_int_equal(mkdir("a/runs/x-5000b", 0777), 0);
    expect_run("a/runs", "x", "a/runs/x-1000");
    write_empty("a/runs/x-1001"); /* a file takes the number as well */
    expect_run("a/runs", "x", "a/runs/x-1002");
}

/* Several processes at once each get a folder of their own, and no number is left out. */
static void numbering_is_safe_between_processes(void **state) {
    (void)state;
    for (int i = 0; i < 4; i++)
        if (fork() == 0) {
            for (int j = 0; j < 10; j++) {
                char *path = NULL;
                if (st_run_create(&path, "runs", "x", NULL) != STRAIT_OK) _exit(1);
                st_free(path);
            }
            _exit(0);
        }
    for (int i = 0; i < 4; i++) {
        int status;
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    assert_int_equal(test_count_entries("runs"), 40);
    assert_true(st_path_is_folder("runs/x-001") && st_path_is_folder("runs/x-040"));
}

static void what_cannot_be_made(void **state) {
    (void)state;
    char *path = NULL;
    strait_error err;
    write_empty("file");
    assert_int_equal(st_run_create(&path, "file/runs", "x", &err), STRAIT_IO);
    assert_non_null(strstr(err.message, "file"));
    assert_int_equal(st_run_create(&path, "runs", "a/b", &err), STRAIT_ARGUMENT);
    assert_string_equal(err.message, "'a/b' cannot be a run's name: it must not begin with '.' or contain '/'");
    assert_int_equal(st_run_create(&path, "runs", "", &err), STRAIT_ARGUMENT);
    assert_false(st_path_exists("runs"));
    if (geteuid() == 0) return; /* root may write anywhere */
    assert_int_equal(mkdir("closed", 0555), 0);
    assert_int_equal(st_run_create(&path, "closed", "x", &err), STRAIT_IO);
    assert_string_equal(err.message, "closed/x-001: cannot make this folder: Permission denied");
}

static void expect_found(const char *run, const char *expected) {
    char *path = NULL;
    strait_error err = {0};
    if (st_run_find(&path, run, &err) != STRAIT_OK) fail_msg("%s", err.message);
    assert_string_equal(path, expected);
    st_free(path);
}

static void expect_not_found(const char *run, const char *message) {
    char *path = NULL;
    strait_error err = {0};
    assert_int_equal(st_run_find(&path, run, &err), STRAIT_NOT_FOUND);
    assert_null(path);
    assert_string_equal(err.message, message);
}

static void runs_are_found_by_folder_and_name(void **state) {
    (void)state;
    expect_not_found("x-001", "x-001: neither a run's folder nor a run in runs/; there are no runs in runs/ here");
    expect_run("runs", "fashion", "runs/fashion-001");
    expect_run("runs", "fashion", "runs/fashion-002");
    expect_run("runs", "mnist", "runs/mnist-001");
    expect_run("elsewhere", "y", "elsewhere/y-001");
    write_empty("runs/fashion-001/recipe.yaml");
    write_empty("runs/fashion-002/checkpoint.safetensors");
    write_empty("elsewhere/y-001/model.safetensors");
    expect_found("fashion-001", "runs/fashion-001");
    expect_found("runs/fashion-002/", "runs/fashion-002");
    expect_found("elsewhere/y-001", "elsewhere/y-001");
    /* The latest by the clock first. */
    const struct timespec old[2] = {{1000, 0}, {1000, 0}}, young[2] = {{2000, 0}, {2000, 0}};
    assert_int_equal(utimensat(AT_FDCWD, "runs/fashion-002", old, 0), 0);
    assert_int_equal(utimensat(AT_FDCWD, "runs/fashion-001", young, 0), 0);
    expect_not_found("fashoin-002", "fashoin-002: neither a run's folder nor a run in runs/; did you mean "
                                    "'fashion-002'? The latest are fashion-001, fashion-002");
    expect_not_found("other", "other: neither a run's folder nor a run in runs/; the latest are fashion-001, "
                              "fashion-002");
    expect_not_found("fashion", "fashion: neither a run's folder nor a run in runs/; the latest are fashion-001, "
                                "fashion-002");
    expect_not_found("runs", "runs: a folder, but not a run: it holds no model.safetensors, checkpoint.safetensors or "
                             "recipe.yaml");
    /* An empty folder in runs/ is none either. */
    expect_not_found("mnist-001", "mnist-001: neither a run's folder nor a run in runs/; the latest are fashion-001, "
                                  "fashion-002");
}

static void a_model_is_a_file_or_in_a_run(void **state) {
    (void)state;
    char *path = NULL;
    strait_error err;
    expect_run("runs", "x", "runs/x-001");
    write_empty("runs/x-001/recipe.yaml");
    assert_int_equal(st_run_model_path(&path, "x-001", &err), STRAIT_NOT_FOUND);
    assert_string_equal(err.message, "runs/x-001: this run has neither model.safetensors nor checkpoint.safetensors");
    write_empty("runs/x-001/checkpoint.safetensors"); /* of a run that was killed */
    assert_int_equal(st_run_model_path(&path, "x-001", &err), STRAIT_OK);
    assert_string_equal(path, "runs/x-001/checkpoint.safetensors");
    st_free(path);
    assert_int_equal(st_run_model_path(&path, "m.safetensors", &err), STRAIT_NOT_FOUND);
    assert_string_equal(err.message, "m.safetensors: no such file");
    write_empty("runs/x-001/model.safetensors");
    assert_int_equal(st_run_model_path(&path, "x-001", &err), STRAIT_OK);
    assert_string_equal(path, "runs/x-001/model.safetensors");
    st_free(path);
    assert_int_equal(st_run_model_path(&path, "runs/x-001/model.safetensors", &err), STRAIT_OK);
    assert_string_equal(path, "runs/x-001/model.safetensors");
    st_free(path);
}

static void every_allocation_failing(void **state) {
    (void)state;
    static const char *const wanted[] = {"x-001", "nothing"};
    expect_run("runs", "x", "runs/x-001");
    write_empty("runs/x-001/model.safetensors");
    for (int i = 0; i < 2; i++) {
        strait_status status = STRAIT_MEMORY;
        uint64_t n = 0;
        while (status == STRAIT_MEMORY) {
            char *path = NULL;
            st_alloc_fail_at(++n);
            status = st_run_model_path(&path, wanted[i], NULL);
            st_free(path);
        }
        assert_int_equal(status, i == 0 ? STRAIT_OK : STRAIT_NOT_FOUND);
        assert_true(n > 4);
    }
    strait_status status = STRAIT_MEMORY;
    for (uint64_t n = 1; status == STRAIT_MEMORY; n++) {
        char *path = NULL;
        st_alloc_fail_at(n);
        status = st_run_create(&path, "runs", "y", NULL);
        assert_int_equal(status == STRAIT_OK, path != NULL);
        st_free(path);
    }
    st_alloc_fail_at(0);
    assert_int_equal(status, STRAIT_OK);
    assert_true(st_path_is_folder("runs/y-001") && !st_path_exists("runs/y-002"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(numbers_go_on_after_the_highest, enter_empty_folder),
        cmocka_unit_test_setup(numbering_is_safe_between_processes, enter_empty_folder),
        cmocka_unit_test_setup(what_cannot_be_made, enter_empty_folder),
        cmocka_unit_test_setup(runs_are_found_by_folder_and_name, enter_empty_folder),
        cmocka_unit_test_setup(a_model_is_a_file_or_in_a_run, enter_empty_folder),
        cmocka_unit_test_setup(every_allocation_failing, enter_empty_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
