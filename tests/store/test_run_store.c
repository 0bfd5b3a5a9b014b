/* The index of runs, from the inside: what is in it, several who write at once, files that are damaged or locked. */
#include <math.h>
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
#include <sqlite3.h>

#include "base/file.h"
#include "base/memory.h"
#include "store/run_fields.h"
#include "store/run_store.h"
#include "support/folder.h"

static const char yaml[] = "name: small\nmodel:\n  input: [28, 28, 1]\n  encoder:\n    - flatten\n"
                           "    - dense: {units: 64, activation: relu}\ntrain: {loss: mse, batch_size: 32}\n";

/* An empty folder whose name lasts. */
static const char *make_store(void) {
    static char path[32][128];
    static int n;
    char name[16];
    assert_true(n < 32);
    snprintf(name, sizeof name, "store%d", n);
    snprintf(path[n], sizeof path[n], "%s", test_path(name));
    assert_int_equal(mkdir(path[n], 0777), 0);
    return path[n++];
}

static strait_run make_run(const char *dir, const char *name, double val_loss) {
    char folder[512];
    strait_run run;
    snprintf(folder, sizeof folder, "%s/%s", dir, name);
    mkdir(folder, 0777);
    st_run_clear(&run);
    st_run_set_folder(&run, folder);
    st_run_set_text(&run, st_run_field_find("state"), "complete");
    st_run_set_text(&run, st_run_field_find("loss_name"), "mse");
    run.val_loss = val_loss;
    return run;
}

static st_store *open_store(const char *dir) {
    st_store *store = NULL;
    strait_error err;
    if (st_store_open(&store, dir, true, &err) != STRAIT_OK) fail_msg("%s", err.message);
    return store;
}

static strait_error test_error; /* what a call inside ASSERT_OK fills in */

#define ASSERT_OK(call)                                                                                                \
    do {                                                                                                               \
        test_error = (strait_error){0};                                                                                \
        if ((call) != STRAIT_OK) fail_msg("%s: %s", #call, test_error.message);                                        \
    } while (0)

/* One number out of the file, by another connection. */
static double ask(const char *dir, const char *sql) {
    char path[256];
    sqlite3 *db = NULL;
    sqlite3_stmt *query = NULL;
    snprintf(path, sizeof path, "%s/runs.db", dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 10000);
    if (sqlite3_prepare_v2(db, sql, -1, &query, NULL) != SQLITE_OK) fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    assert_int_equal(sqlite3_step(query), SQLITE_ROW);
    const double value = sqlite3_column_double(query, 0);
    sqlite3_finalize(query);
    sqlite3_close(db);
    return value;
}

static void rows_of_a_run(void **state) {
    (void)state;
    const char *dir = make_store();
    st_store *store = open_store(dir);
    assert_true(st_store_is_new(store));
    strait_run run = make_run(dir, "small-001", 0.25);
    const st_history_row rows[] = {{1, 0.5, 0.4, 0.001, 1, 100, 0, NAN, NAN}, {2, 0.3, 0.25, 0.001, 1, 100, 0, 7, 8}};
    char file[600];
    snprintf(file, sizeof file, "%s/history.csv", run.folder);
    ASSERT_OK(st_file_write_all(file, "12345", 5, &test_error));
    ASSERT_OK(st_store_put(store, &run, yaml, &test_error));
    ASSERT_OK(st_store_put_epochs(store, run.name, 2, rows, &test_error));
    assert_true(ask(dir, "SELECT count(*) FROM runs") == 1);
    assert_true(ask(dir, "SELECT val_loss FROM runs WHERE name = 'small-001'") == 0.25);
    assert_true(ask(dir, "SELECT loss IS NULL FROM runs") == 1);
    assert_true(
        ask(dir, "SELECT count(*) FROM parameters WHERE key = 'model.encoder.1.dense.units' AND value = '64'") == 1);
    assert_true(ask(dir, "SELECT count(*) FROM parameters WHERE key = 'model.input' AND value = '[28, 28, 1]'") == 1);
    assert_true(ask(dir, "SELECT count(*) FROM parameters WHERE key = 'model.encoder.0' AND value = 'flatten'") == 1);
    assert_true(ask(dir, "SELECT bytes FROM artefacts WHERE file = 'history.csv'") == 5);
    assert_true(ask(dir, "SELECT value FROM metrics WHERE epoch = 2 AND name = 'val_kl'") == 8);
    assert_true(ask(dir, "SELECT count(*) FROM metrics WHERE epoch = 1 AND name = 'kl'") == 0);
    /* Put in again: brought up to date, not doubled. */
    run.val_loss = 0.125;
    ASSERT_OK(st_store_put_whole(store, &run, yaml, 1, rows, &test_error));
    assert_true(ask(dir, "SELECT count(*) FROM runs") == 1 && ask(dir, "SELECT val_loss FROM runs") == 0.125);
    assert_true(ask(dir, "SELECT max(epoch) FROM metrics") == 1);
    /* What belongs to a run goes with it. */
    ASSERT_OK(st_store_remove(store, run.name, &test_error));
    assert_true(ask(dir, "SELECT (SELECT count(*) FROM runs) + (SELECT count(*) FROM parameters) + "
                         "(SELECT count(*) FROM metrics) + (SELECT count(*) FROM artefacts)") == 0);
    assert_int_equal(st_store_put_epochs(store, "gone", 1, rows, NULL), STRAIT_NOT_FOUND);
    st_store_close(store);
    store = open_store(dir);
    assert_false(st_store_is_new(store));
    st_store_close(store);
}

/* Names of the runs a query gives, ' ' between. */
static const char *names(st_store *store, const char *sort, const char *filter) {
    static char text[256];
    strait_runs *runs = NULL;
    strait_error err;
    if (st_store_query(&runs, store, sort, filter, &err) != STRAIT_OK) {
        snprintf(text, sizeof text, "%.250s", err.message);
        return text;
    }
    text[0] = 0;
    for (int i = 0; i < runs->n; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i ? " " : "", runs->run[i].name);
    strait_runs_free(runs);
    return text;
}

static void sorted_and_filtered(void **state) {
    (void)state;
    const char *dir = make_store();
    st_store *store = open_store(dir);
    const double losses[] = {0.3, NAN, 0.1, 0.2};
    for (int i = 0; i < 4; i++) {
        char name[8], text[512];
        snprintf(name, sizeof name, "r%d", i);
        strait_run run = make_run(dir, name, losses[i]);
        run.epochs = 8 + i; /* 8 9 10 11: their order as text is another */
        snprintf(run.started, sizeof run.started, "2026-11-2%d", 4 - i);
        if (i == 2) snprintf(run.loss_name, sizeof run.loss_name, "%s", "mae");
        snprintf(text, sizeof text, "train: {batch_size: %d, shape: [1, %d]}\n%s", 8 << i, i,
                 i == 3 ? "extra: yes\n" : "");
        ASSERT_OK(st_store_put(store, &run, text, &test_error));
    }
    assert_string_equal(names(store, NULL, NULL), "r3 r2 r1 r0"); /* by start */
    assert_string_equal(names(store, "val_loss", NULL), "r2 r3 r0 r1");
    assert_string_equal(names(store, "-val_loss", NULL), "r0 r3 r2 r1"); /* without a value: last both ways */
    assert_string_equal(names(store, "epochs", NULL), "r0 r1 r2 r3");
    assert_string_equal(names(store, "-train.batch_size", NULL), "r3 r2 r1 r0");
    assert_string_equal(names(store, "name", "loss=mse"), "r0 r1 r3");
    assert_string_equal(names(store, "name", "loss!=mse"), "r2");
    assert_string_equal(names(store, "name", "val_loss<=0.2"), "r2 r3");
    assert_string_equal(names(store, "name", "val_loss<0.2"), "r2");
    assert_string_equal(names(store, "name", "val_loss>0.1"), "r0 r3");
    assert_string_equal(names(store, "name", "val_loss>=0.1, epochs<10"), "r0");
    assert_string_equal(names(store, "name", "val_loss!=0.1"), "r0 r1 r3");
    assert_string_equal(names(store, "name", "train.batch_size=16"), "r1");
    assert_string_equal(names(store, "name", "train.batch_size>16"), "r2 r3"); /* as numbers, not "8" > "16" */
    assert_string_equal(names(store, "name", "train.shape=[1, 2],epochs>1"), "r2");
    assert_string_equal(names(store, "name", "extra=yes"), "r3");
    assert_string_equal(names(store, "name", "extra!=yes"), "r0 r1 r2");
    assert_string_equal(names(store, "name", "started>=2026-11-23"), "r0 r1");
    assert_string_equal(names(store, "name", "loss<1"), "");
    assert_string_equal(names(store, "val_los", NULL), "sort: unknown column 'val_los'; did you mean 'val_loss'?");
    assert_string_equal(names(store, NULL, "train.batch_sise=3"),
                        "filter: unknown column 'train.batch_sise'; did you mean 'train.batch_size'?");
    assert_non_null(strstr(names(store, NULL, "nothing_like_it=3"), "there are the recipes' keys"));
    assert_string_equal(names(store, NULL, "epochs=many"), "filter: 'epochs' is a number, and 'many' is none");
    static const char *const wrong[] = {"epochs", "=3", "epochs=", "epochs!3", "epochs=3,", ",epochs=3"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (!strstr(names(store, NULL, wrong[i]), "is no condition")) fail_msg("%s was taken", wrong[i]);
    /* A text of a user's is never a statement. */
    assert_string_equal(names(store, "name", "extra=yes'; DROP TABLE runs; --"), "");
    assert_string_equal(names(store, "name", "extra=yes"), "r3");
    /* A folder removed by hand is left out at once. */
    char folder[256];
    snprintf(folder, sizeof folder, "%s/r3", dir);
    assert_int_equal(rmdir(folder), 0);
    assert_string_equal(names(store, "name", NULL), "r0 r1 r2");
    st_store_close(store);
}

#define WRITERS 4
#define EPOCHS 25

static void write_many(const char *dir, int writer) {
    char name[32];
    strait_error err;
    st_store *store = NULL;
    snprintf(name, sizeof name, "writer-%03d", writer);
    const strait_run run = make_run(dir, name, writer);
    strait_status status = st_store_open(&store, dir, true, &err);
    if (status == STRAIT_OK) status = st_store_put_whole(store, &run, yaml, 0, NULL, &err);
    for (int i = 1; status == STRAIT_OK && i <= EPOCHS; i++) {
        const st_history_row row = {i, writer, writer, 1, 1, 1, 1, NAN, NAN};
        status = st_store_put_epochs(store, name, 1, &row, &err);
        if (status == STRAIT_OK) status = st_store_put(store, &run, NULL, &err);
    }
    st_store_close(store);
    if (status != STRAIT_OK) fprintf(stderr, "writer %d: %s\n", writer, err.message);
    _exit(status == STRAIT_OK ? 0 : 1);
}

/* Trainings that begin at the same moment, where there is no index yet: each row of each is there. */
static void several_who_write(void **state) {
    (void)state;
    const char *dir = make_store();
    pid_t child[WRITERS];
    for (int i = 0; i < WRITERS; i++)
        if ((child[i] = fork()) == 0) write_many(dir, i);
    for (int i = 0; i < WRITERS; i++) {
        int result;
        waitpid(child[i], &result, 0);
        assert_true(WIFEXITED(result) && WEXITSTATUS(result) == 0);
    }
    assert_true(ask(dir, "SELECT count(*) FROM runs") == WRITERS);
    assert_true(ask(dir, "SELECT count(*) FROM metrics WHERE name = 'loss'") == WRITERS * EPOCHS);
    assert_true(ask(dir, "SELECT sum(value) FROM metrics WHERE name = 'loss'") == EPOCHS * (0 + 1 + 2 + 3));
    assert_true(ask(dir, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'") == 1);
}

static void expect_refused(const char *dir, strait_status code, const char *message) {
    st_store *store = NULL;
    strait_error err;
    assert_int_equal(st_store_open(&store, dir, true, &err), code);
    assert_null(store);
    if (!strstr(err.message, message)) fail_msg("'%s' lacks '%s'", err.message, message);
    assert_non_null(strstr(err.message, "strait runs scan"));
}

static void files_that_are_no_index(void **state) {
    (void)state;
    const char *dir = make_store();
    char path[256], sql[128];
    snprintf(path, sizeof path, "%s/runs.db", dir);
    ASSERT_OK(st_file_write_all(path, "this is no database, whatever its name says; far from it", 56, &test_error));
    expect_refused(dir, STRAIT_FORMAT, "damaged");
    ASSERT_OK(st_store_set_aside(dir, &test_error));
    st_store_close(open_store(dir));
    snprintf(sql, sizeof sql, "PRAGMA user_version = 99");
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    expect_refused(dir, STRAIT_FORMAT, "version 99");
    const char *other = make_store();
    snprintf(path, sizeof path, "%s/runs.db", other);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "CREATE TABLE mine (x)", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    expect_refused(other, STRAIT_FORMAT, "no index of runs");
    assert_true(ask(other, "SELECT count(*) FROM mine") == 0); /* left as it was */
    /* A folder in its place stands for all that cannot be opened, whoever runs the test. */
    const char *blocked = make_store();
    snprintf(path, sizeof path, "%s/runs.db", blocked);
    assert_int_equal(mkdir(path, 0777), 0);
    expect_refused(blocked, STRAIT_IO, "cannot be used");
    st_store *store = NULL;
    assert_int_equal(st_store_open(&store, make_store(), false, NULL), STRAIT_NOT_FOUND);
}

/* Another process that never lets go: told after a while, not waited for without end. */
static void locked_for_long(void **state) {
    (void)state;
    const char *dir = make_store();
    char path[256];
    sqlite3 *db;
    strait_error err;
    st_store *store = open_store(dir);
    const strait_run run = make_run(dir, "small-001", 1);
    snprintf(path, sizeof path, "%s/runs.db", dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    strait_runs *runs = NULL;
    ASSERT_OK(st_store_list(&runs, store, &test_error)); /* a reader is not kept waiting */
    strait_runs_free(runs);
    assert_int_equal(st_store_put(store, &run, yaml, &err), STRAIT_IO);
    assert_non_null(strstr(err.message, "locked"));
    assert_int_equal(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    ASSERT_OK(st_store_put(store, &run, yaml, &test_error));
    st_store_close(store);
}

static void every_allocation_failing(void **state) {
    (void)state;
    const char *dir = make_store();
    const strait_run run = make_run(dir, "small-001", 0.5);
    const st_history_row row = {1, 0.5, 0.5, 1, 1, 1, 1, NAN, NAN};
    strait_status status = STRAIT_MEMORY;
    uint64_t i = 1;
    for (; status == STRAIT_MEMORY; i++) {
        st_store *store = NULL;
        strait_runs *runs = NULL;
        st_alloc_fail_at(i);
        status = st_store_open(&store, dir, true, NULL);
        if (status == STRAIT_OK) status = st_store_put_whole(store, &run, yaml, 1, &row, NULL);
        if (status == STRAIT_OK) status = st_store_query(&runs, store, "-val_loss", "model.input!=3,loss=mse", NULL);
        st_alloc_fail_at(0);
        assert_true((status == STRAIT_OK) == (runs != NULL));
        strait_runs_free(runs);
        st_store_close(store);
    }
    assert_int_equal(status, STRAIT_OK);
    assert_true(i > 30);
    assert_true(ask(dir, "SELECT count(*) FROM runs") == 1 && ask(dir, "SELECT count(*) FROM metrics") == 6);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_a_run),     cmocka_unit_test(sorted_and_filtered),
        cmocka_unit_test(several_who_write), cmocka_unit_test(files_that_are_no_index),
        cmocka_unit_test(locked_for_long),   cmocka_unit_test(every_allocation_failing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
