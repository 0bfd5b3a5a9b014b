/* run.json, runs that have none, and who holds a run. */
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "store/run_fields.h"
#include "store/run_store.h"
#include "support/folder.h"

static const char recipe[] =
    "name: small\nseed: 7\ndata: {source: somewhere.npy}\n"
    "model:\n  input: [4]\n  encoder: [{dense: {units: 2}}]\n  decoder: [{dense: {units: 4}}]\n"
    "train: {loss: mae, optimizer: {sgd: {learning_rate: 0.5}}, epochs: 3, batch_size: 8}\n";
static const char history[] = "epoch,loss,val_loss,learning_rate,seconds,samples_per_second,wait_seconds\n"
                              "1,0.5,0.4,0.5,1,100,0\n2,0.3,0.2,0.5,1,200,0\n3,0.2,0.25,0.5,2,300,0\n";

/* A folder whose name lasts. */
static const char *make_folder(const char *name) {
    static char path[16][128];
    static int n;
    assert_true(n < 16);
    snprintf(path[n], sizeof path[n], "%s", test_path(name));
    mkdir(path[n], 0777);
    return path[n++];
}

static const char *file_in(const char *folder, const char *name, const char *text) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return test_file(path, text, strlen(text));
}

static strait_run sample_run(const char *folder) {
    strait_run run;
    st_run_clear(&run);
    st_run_set_folder(&run, folder);
    for (size_t i = ST_RUN_PLACE_FIELDS; i < ST_RUN_FIELDS; i++) { /* a different value in each */
        const st_run_field *field = &st_run_fields[i];
        if (field->type == ST_FIELD_TEXT)
            st_run_set_text(&run, field, field->name);
        else if (field->type == ST_FIELD_REAL)
            st_run_set_real(&run, field, 1.0 / (double)(i + 3));
        else
            assert_true(st_run_set_whole(&run, field, (int64_t)i * 1000));
    }
    run.seed = (uint64_t)INT64_MAX;
    run.val_loss = NAN;
    snprintf(run.state, sizeof run.state, "%s", "diverged");
    snprintf(run.command, sizeof run.command, "%s", "strait train 'a \"quoted\" name\\' --set x=\xc3\xa9");
    return run;
}

static void assert_same_run(const strait_run *a, const strait_run *b) {
    for (size_t i = 0; i < ST_RUN_FIELDS; i++) {
        const st_run_field *field = &st_run_fields[i];
        if (field->type == ST_FIELD_TEXT) {
            assert_string_equal(st_run_text(a, field), st_run_text(b, field));
        } else if (field->type == ST_FIELD_REAL) {
            const double x = st_run_number(a, field), y = st_run_number(b, field);
            assert_true(isnan(x) ? isnan(y) : x == y);
        } else {
            assert_true(st_run_whole(a, field) == st_run_whole(b, field));
        }
    }
}

/* Every member of the struct is in the table: none could be forgotten on the way. */
static void every_member_has_its_field(void **state) {
    (void)state;
    size_t bytes = 0;
    for (size_t i = 0; i < ST_RUN_FIELDS; i++) {
        bytes += st_run_fields[i].size;
        assert_ptr_equal(st_run_field_find(st_run_fields[i].name), &st_run_fields[i]);
    }
    assert_true(sizeof(strait_run) - bytes < 32); /* padding */
    assert_null(st_run_field_find("nothing"));
}

static void written_and_read(void **state) {
    (void)state;
    const char *folder = make_folder("whole-001");
    const strait_run run = sample_run(folder);
    strait_run read;
    assert_int_equal(st_run_write(&run, NULL), STRAIT_OK);
    assert_int_equal(st_run_read(&read, folder, NULL), STRAIT_OK);
    assert_same_run(&run, &read);
    /* A copy is a run of its own. */
    char *bytes;
    size_t n;
    char path[1024];
    snprintf(path, sizeof path, "%s/run.json", folder);
    assert_int_equal(st_file_read(&bytes, &n, path, 1 << 20, NULL), STRAIT_OK);
    const char *copy = make_folder("copy");
    file_in("copy", "run.json", bytes);
    st_free(bytes);
    assert_int_equal(st_run_read(&read, copy, NULL), STRAIT_OK);
    assert_string_equal(read.name, "copy");
    assert_string_equal(read.folder, copy);
}

static void texts_that_do_not_fit(void **state) {
    (void)state;
    strait_run run;
    const st_run_field *state_field = st_run_field_find("state");
    st_run_clear(&run);
    st_run_set_text(&run, state_field,
                    "a\nb\xff"
                    "c");
    assert_string_equal(run.state, "a b?c");
    st_run_set_text(&run, state_field, "1234567890123\xe2\x82\xac"); /* a euro sign that no longer fits */
    assert_string_equal(run.state, "1234567890123");
    st_run_set_text(&run, state_field, "\xed\xa0\x80"); /* a surrogate is no character */
    assert_string_equal(run.state, "???");
}

static void hostile_files(void **state) {
    (void)state;
    static const struct {
        const char *json, *message;
    } hostile[] = {
        {"", "not JSON"},
        {"[]", "'format'"},
        {"{\"format\": \"strait run\"}", "'format'"},
        {"{\"format\": \"other\", \"format_version\": 1}", "'format'"},
        {"{\"format\": \"strait run\", \"format_version\": 2}", "version 2"},
        {"{\"format\": \"strait run\", \"format_version\": 1}", "'state'"},
        {"{\"format\": \"strait run\", \"format_version\": 1, \"state\": \"weird\"}", "'state'"},
        {"{\"format\": \"strait run\", \"format_version\": 1, \"state\": 1}", "'state'"},
        {"{\"format\": \"strait run\", \"format_version\": 1, \"state\": \"complete\", \"epochs\": -1}", "'epochs'"},
        {"{\"format\": \"strait run\", \"format_version\": 1, \"state\": \"complete\", \"epochs\": 4294967296}",
         "'epochs'"},
        {"{\"format\": \"strait run\", \"format_version\": 1, \"state\": \"complete\", \"epochs\": 1.5}", "'epochs'"},
        {"{\"format\": \"strait run\", \"format_version\": 1, \"state\": \"complete\", \"loss\": \"x\"}", "'loss'"},
        {"{\"format\": \"strait run\", \"format_version\": 1, \"state\": \"complete\", \"source\": \"a\\u0000b\"}",
         "not JSON"},
        {"{\"format\": \"strait run\", \"format_version\": 1, \"state\": \"complete\", \"source\": \"a\\nb\"}",
         "'source'"},
        {"{\"format\": \"strait run\", \"format_version\": 1, \"state\": \"complete\", \"version\": "
         "\"0123456789012345678901234567890123456789\"}",
         "'version'"},
        {"{\"format\": \"strait run\", \"format_version\": 1, \"state\": \"complete\", \"state\": \"complete\"}",
         "duplicate"},
    };
    const char *folder = make_folder("hostile");
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
        strait_run run;
        strait_error err;
        file_in("hostile", "run.json", hostile[i].json);
        assert_int_equal(st_run_read(&run, folder, &err), STRAIT_FORMAT);
        if (!strstr(err.message, hostile[i].message)) fail_msg("%s: %s", hostile[i].json, err.message);
        assert_non_null(strstr(err.message, "run.json"));
    }
    strait_run run;
    strait_error err;
    assert_int_equal(st_run_read(&run, make_folder("empty"), &err), STRAIT_NOT_FOUND);
    /* Keys of a newer program are left out, missing ones are unknown. */
    file_in("hostile", "run.json",
            "{\"format\": \"strait run\", \"format_version\": 1, \"state\": \"failed\", \"of_tomorrow\": [1, {}]}");
    assert_int_equal(st_run_read(&run, folder, &err), STRAIT_OK);
    assert_string_equal(run.state, "failed");
    assert_true(isnan(run.loss) && run.epochs == 0 && !run.recipe[0]);
}

/* A run of an older program, or killed at birth. The values are those of the texts above. */
static void runs_without_a_record(void **state) {
    (void)state;
    strait_run run;
    strait_recipe *opened = NULL;
    strait_error err = {0};
    const char *folder = make_folder("old-001");
    file_in("old-001", "recipe.yaml", recipe);
    if (st_run_read_any(&run, &opened, folder, &err) != STRAIT_OK) fail_msg("%s", err.message);
    assert_non_null(opened);
    strait_recipe_free(opened);
    assert_string_equal(run.state, "interrupted");
    assert_true(run.epochs == 0 && run.epochs_asked == 3 && isnan(run.loss) && isnan(run.val_loss));
    file_in("old-001", "history.csv", history);
    file_in("old-001", "model.safetensors", "x");
    assert_int_equal(st_run_read_any(&run, NULL, folder, &err), STRAIT_OK);
    assert_string_equal(run.name, "old-001");
    assert_string_equal(run.recipe, "small");
    assert_string_equal(run.state, "complete");
    assert_string_equal(run.loss_name, "mae");
    assert_string_equal(run.optimizer, "sgd");
    assert_string_equal(run.source, "somewhere.npy");
    assert_true(run.seed == 7 && run.batch_size == 8 && run.learning_rate == 0.5);
    assert_true(run.epochs == 3 && run.loss == 0.2 && run.val_loss == 0.25);
    assert_true(run.best_epoch == 2 && run.best_loss == 0.2 && run.seconds == 4);
    file_in("old-001", "recipe.yaml", "name: [");
    assert_int_equal(st_run_read_any(&run, &opened, folder, &err), STRAIT_RECIPE);
    assert_null(opened);
}

/* "running" is true only while a process holds the run; the kernel lets go of it when that one is killed. */
static void killed_runs(void **state) {
    (void)state;
    const char *folder = make_folder("killed-001");
    strait_run run = sample_run(folder), seen;
    int ready[2], lock = -1;
    char byte;
    snprintf(run.state, sizeof run.state, "%s", "running");
    assert_int_equal(st_run_write(&run, NULL), STRAIT_OK);
    assert_int_equal(pipe(ready), 0);
    const pid_t child = fork();
    if (child == 0) {
        if (st_run_lock(&lock, folder, NULL) != STRAIT_OK || write(ready[1], "x", 1) != 1) _exit(1);
        pause();
        _exit(0);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(st_run_read(&seen, folder, NULL), STRAIT_OK);
    assert_string_equal(seen.state, "running");
    strait_error err;
    assert_int_equal(st_run_lock(&lock, folder, &err), STRAIT_ARGUMENT);
    assert_non_null(strstr(err.message, "another process is training this run"));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_int_equal(st_run_read(&seen, folder, NULL), STRAIT_OK);
    assert_string_equal(seen.state, "interrupted");
    assert_int_equal(st_run_lock(&lock, folder, NULL), STRAIT_OK);
    assert_int_equal(st_run_probe(folder), ST_RUN_HELD);
    st_run_unlock(lock);
    assert_int_equal(st_run_probe(folder), ST_RUN_FREE);
    close(ready[0]);
    close(ready[1]);
}

static void every_allocation_failing(void **state) {
    (void)state;
    const char *folder = make_folder("failing-001");
    const strait_run run = sample_run(folder);
    strait_run seen;
    char path[1024];
    snprintf(path, sizeof path, "%s/run.json", folder);
    file_in("failing-001", "recipe.yaml", recipe);
    file_in("failing-001", "history.csv", history);
    for (int what = 0; what < 3; what++) { /* without a record, writing one, reading it */
        strait_status status = STRAIT_MEMORY;
        uint64_t i = 1;
        for (; status == STRAIT_MEMORY; i++) {
            strait_recipe *opened = NULL;
            st_alloc_fail_at(i);
            status = what == 1 ? st_run_write(&run, NULL) : st_run_read_any(&seen, &opened, folder, NULL);
            st_alloc_fail_at(0);
            strait_recipe_free(opened);
            if (what < 2) assert_int_equal(access(path, F_OK) == 0, what == 1 && status == STRAIT_OK);
        }
        assert_int_equal(status, STRAIT_OK);
        assert_true(i > 4);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_member_has_its_field), cmocka_unit_test(written_and_read),
        cmocka_unit_test(texts_that_do_not_fit),      cmocka_unit_test(hostile_files),
        cmocka_unit_test(runs_without_a_record),      cmocka_unit_test(killed_runs),
        cmocka_unit_test(every_allocation_failing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
