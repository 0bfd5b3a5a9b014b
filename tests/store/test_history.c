/* history.csv. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "store/run.h"
#include "support/folder.h"

static const char header[] = "epoch,loss,val_loss,learning_rate,seconds,samples_per_second,wait_seconds,kl,val_kl\n";
static const char old_header[] = "epoch,loss,val_loss,learning_rate,seconds,samples_per_second,wait_seconds\n";

static void rows_as_text(void **state) {
    (void)state;
    const st_history_row rows[] = {
        {1, 0.1 + 0.2, 0.0092, 0.001, 1.5, 40000, 0, NAN, NAN}, /* 0.1 + 0.2: the double next to 0.3 */
        {2, 1e-7, NAN, 0.001, 0.25, 123456.75, 1e-9, 5.5, 6},
    };
    const char *path = test_path("history.csv");
    assert_int_equal(st_history_write(path, 2, rows, NULL), STRAIT_OK);
    char *csv = NULL;
    size_t n;
    assert_int_equal(st_file_read(&csv, &n, path, 1 << 20, NULL), STRAIT_OK);
    assert_memory_equal(csv, header, strlen(header));
    assert_string_equal(csv + strlen(header), "1,0.30000000000000004,0.0092,0.001,1.5,40000,0,,\n"
                                              "2,1e-07,,0.001,0.25,123456.75,1e-09,5.5,6\n");
    st_free(csv);
}

/* Files of before there was a KL divergence, and of now. */
static void with_and_without_kl(void **state) {
    (void)state;
    char csv[512];
    st_history_row *rows = NULL;
    int n = 0;
    snprintf(csv, sizeof csv, "%s1,2,3,4,5,6,7\n", old_header);
    assert_int_equal(st_history_read(&rows, &n, test_file("old.csv", csv, strlen(csv)), NULL), STRAIT_OK);
    assert_true(n == 1 && rows[0].wait_seconds == 7 && isnan(rows[0].kl) && isnan(rows[0].val_kl));
    st_free(rows);
    snprintf(csv, sizeof csv, "%s1,2,3,4,5,6,7,8,9\n2,2,3,4,5,6,7,,\n", header);
    assert_int_equal(st_history_read(&rows, &n, test_file("new.csv", csv, strlen(csv)), NULL), STRAIT_OK);
    assert_true(n == 2 && rows[0].kl == 8 && rows[0].val_kl == 9 && isnan(rows[1].kl) && isnan(rows[1].val_kl));
    st_free(rows);
}

/* A resumed training reads the rows and writes them again: the same bytes. */
static void read_and_written_again(void **state) {
    (void)state;
    st_history_row rows[40];
    double x = 0.7;
    for (int i = 0; i < 40; i++) {
        x = 3.9 * x * (1 - x); /* the logistic map: digits without end */
        rows[i] = (st_history_row){i + 1,   x / 3,    i % 3 ? x / 7 : NAN, 1e-3 * x, x * 100,
                                   x * 1e6, x * 1e-6, i % 2 ? x : NAN,     NAN};
    }
    const char *path = test_path("a.csv"), *again = test_path("b.csv");
    assert_int_equal(st_history_write(path, 40, rows, NULL), STRAIT_OK);
    st_history_row *read = NULL;
    int n_rows = 0;
    assert_int_equal(st_history_read(&read, &n_rows, path, NULL), STRAIT_OK);
    assert_int_equal(n_rows, 40);
    for (int i = 0; i < 40; i++) {
        assert_int_equal(read[i].epoch, i + 1);
        assert_true(read[i].loss == rows[i].loss && read[i].wait_seconds == rows[i].wait_seconds);
        assert_true(isnan(rows[i].kl) ? isnan(read[i].kl) : read[i].kl == rows[i].kl);
        assert_true(isnan(rows[i].val_loss) ? isnan(read[i].val_loss) : read[i].val_loss == rows[i].val_loss);
    }
    assert_int_equal(st_history_write(again, n_rows, read, NULL), STRAIT_OK);
    st_free(read);
    char *x_bytes, *y_bytes;
    size_t n_x, n_y;
    assert_int_equal(st_file_read(&x_bytes, &n_x, path, 1 << 20, NULL), STRAIT_OK);
    assert_int_equal(st_file_read(&y_bytes, &n_y, again, 1 << 20, NULL), STRAIT_OK);
    assert_string_equal(x_bytes, y_bytes);
    st_free(x_bytes);
    st_free(y_bytes);
}

static void damaged_histories(void **state) {
    (void)state;
    static const struct {
        const char *rows, *message;
    } damage[] = {
        {"1,0.5,0.5,0.1,1,1\n", "h.csv:2: 'wait_seconds' is missing"},
        {"1,0.5,0.5,0.1,1,1,1,1\n", "h.csv:2: more columns than the first line names"},
        {"1,0.5,0.5,0.1,1,1,0\nx,,,,,,\n", "h.csv:3: 'x' is not the number of an epoch"},
        {"0,,,,,,\n", "h.csv:2: '0' is not the number of an epoch"},
        {"1,0.5,0,5,0.1,1,a\n", "h.csv:2: wait_seconds: 'a' is not a number"},
        {"\n", "h.csv:2: '' is not the number of an epoch"},
    };
    assert_int_equal(chdir(test_folder()), 0);
    st_history_row *rows = NULL;
    int n = 0;
    strait_error err;
    for (size_t i = 0; i < sizeof damage / sizeof damage[0]; i++) {
        char csv[512];
        assert_in_range(snprintf(csv, sizeof csv, "%s%s", old_header, damage[i].rows), 1, sizeof csv - 1);
        test_file("h.csv", csv, strlen(csv));
        assert_int_equal(st_history_read(&rows, &n, "h.csv", &err), STRAIT_FORMAT);
        assert_string_equal(err.message, damage[i].message);
        assert_null(rows);
    }
    static const char *const no_header[] = {
        "", "\n", "epoch\n", "epoch,loss,val_loss\n1,2,3\n",
        "epoch,loss,val_loss,learning_rate,seconds,samples_per_second,wait_seconds,kl\n"};
    for (size_t i = 0; i < sizeof no_header / sizeof no_header[0]; i++) {
        test_file("h.csv", no_header[i], strlen(no_header[i]));
        assert_int_equal(st_history_read(&rows, &n, "h.csv", &err), STRAIT_FORMAT);
        assert_string_equal(err.message,
                            "h.csv:1: not the history of a training: it must begin with 'epoch,loss,val_loss,…'");
    }
    test_file("h.csv", header, sizeof header); /* its NUL included */
    assert_int_equal(st_history_read(&rows, &n, "h.csv", &err), STRAIT_FORMAT);
    assert_string_equal(err.message, "h.csv: not a text file: it holds a zero byte");
    assert_int_equal(st_history_read(&rows, &n, "none.csv", &err), STRAIT_NOT_FOUND);
}

static void line_ends_of_other_systems(void **state) {
    (void)state;
    char csv[512] = "epoch,loss,val_loss,learning_rate,seconds,samples_per_second,wait_seconds\r\n1,2,3,4,5,6,7\r\n";
    st_history_row *rows = NULL;
    int n = 0;
    assert_int_equal(st_history_read(&rows, &n, test_file("crlf.csv", csv, strlen(csv)), NULL), STRAIT_OK);
    assert_int_equal(n, 1);
    assert_true(rows[0].wait_seconds == 7);
    st_free(rows);
    csv[strlen(csv) - 2] = 0; /* nor is a last line end needed */
    assert_int_equal(st_history_read(&rows, &n, test_file("crlf.csv", csv, strlen(csv)), NULL), STRAIT_OK);
    assert_int_equal(n, 1);
    st_free(rows);
}

static void every_allocation_failing(void **state) {
    (void)state;
    const st_history_row row = {1, 0.5, NAN, 0.001, 1, 1, 0, NAN, NAN};
    const char *path = test_path("failing.csv");
    strait_status status = STRAIT_MEMORY;
    for (uint64_t i = 1; status == STRAIT_MEMORY; i++) {
        st_alloc_fail_at(i);
        status = st_history_write(path, 1, &row, NULL);
        assert_true(i > 2 || status == STRAIT_MEMORY);
        assert_int_equal(access(path, 0) == 0, status == STRAIT_OK);
    }
    assert_int_equal(status, STRAIT_OK);
    status = STRAIT_MEMORY;
    for (uint64_t i = 1; status == STRAIT_MEMORY; i++) {
        st_history_row *rows = NULL;
        int n;
        st_alloc_fail_at(i);
        status = st_history_read(&rows, &n, path, NULL);
        assert_true(i > 2 || status == STRAIT_MEMORY);
        st_free(rows);
    }
    st_alloc_fail_at(0);
    assert_int_equal(status, STRAIT_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_as_text),
        cmocka_unit_test(with_and_without_kl),
        cmocka_unit_test(read_and_written_again),
        cmocka_unit_test(damaged_histories),
        cmocka_unit_test(line_ends_of_other_systems),
        cmocka_unit_test(every_allocation_failing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
