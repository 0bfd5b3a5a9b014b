/* Ticks and charts. */
#include "picture_check.h"

#include <strait/picture.h>

#include "report/report.h"
#include "report/ticks_int.h"

/* The labels, blanks between. */
static const char *labels(const st_ticks *ticks) {
    static char text[1024];
    size_t at = 0;
    text[0] = 0;
    for (int i = 0; i < ticks->n && at < sizeof text; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%s", i ? " " : "", ticks->label[i]);
    return text;
}

static void linear_ticks(void **state) {
    (void)state;
    static const struct {
        double low, high;
        int wanted;
        bool whole;
        const char *labels;
    } axis[] = {
        {0, 1, 5, false, "0 0.2 0.4 0.6 0.8 1.0"},
        {-1, 1, 4, false, "-1.0 -0.5 0 0.5 1.0"},
        {0.0081, 0.0249, 6, false, "0.010 0.012 0.014 0.016 0.018 0.020 0.022 0.024"},
        {0.1, 0.3, 2, false, "0.1 0.2 0.3"},
        {1, 10, 8, true, "1 2 3 4 5 6 7 8 9 10"},
        {1, 2, 8, true, "1 2"},
        {1, 50, 8, true, "5 10 15 20 25 30 35 40 45 50"},
        {0, 12345, 5, false, "0 2000 4000 6000 8000 10000 12000"},
        {0, 5e6, 5, false, "0 1e6 2e6 3e6 4e6 5e6"},
        {0, 3.1e-7, 3, false, "0 1e-7 2e-7 3e-7"},
        {1e15, 1.2e15, 2, false, "1e15 1.1e15 1.2e15"},
        {1000000, 1000004, 4, false, "1000000 1000001 1000002 1000003 1000004"},
        {-1e-300, 1e-300, 2, false, "-1e-300 0 1e-300"},
    };
    for (size_t i = 0; i < sizeof axis / sizeof axis[0]; i++) {
        st_ticks ticks;
        st_ticks_linear(&ticks, axis[i].low, axis[i].high, axis[i].wanted, axis[i].whole);
        assert_string_equal(labels(&ticks), axis[i].labels);
        /* What stands beside a tick is its value. */
        for (int k = 0; k < ticks.n; k++)
            assert_true(strtod(ticks.label[k], NULL) == ticks.value[k]);
    }
}

static void logarithmic_ticks(void **state) {
    (void)state;
    static const struct {
        double low, high;
        const char *labels;
    } axis[] = {
        {0.0009, 1.1, "0.001 0.002 0.005 0.01 0.02 0.05 0.1 0.2 0.5 1"},
        {0.00009, 1.1, "0.0001 0.001 0.01 0.1 1"},
        {1e-12, 1, "1e-12 1e-10 1e-8 1e-6 0.0001 0.01 1"},
        {0.3, 0.4, "0.30 0.32 0.34 0.36 0.38 0.40"}, /* too near for decades */
        {1, 1e9, "1 100 10000 1e6 1e8"},
    };
    for (size_t i = 0; i < sizeof axis / sizeof axis[0]; i++) {
        st_ticks ticks;
        st_ticks_log(&ticks, axis[i].low, axis[i].high, 7);
        assert_string_equal(labels(&ticks), axis[i].labels);
    }
}

#define FIRST 0x0072b2
#define SECOND 0xd55e00

static void a_loss_chart(void **state) {
    (void)state;
    st_history_row rows[10];
    for (int i = 0; i < 10; i++)
        rows[i] = (st_history_row){.epoch = i + 1, .loss = 0.03 - 0.002 * i, .val_loss = 0.02 - 0.001 * i};
    const char *path = test_path("loss.png"), *again = test_path("again.png");
    assert_int_equal(st_report_loss(path, rows, 10, NULL), STRAIT_OK);
    assert_int_equal(st_report_loss(again, rows, 10, NULL), STRAIT_OK);
    assert_true(same_bytes(path, again));
    picture p = read_picture(path);
    assert_true(p.width == 1280 && p.height == 800);
    assert_white_edges(&p, 24);
    /* Two falling lines from the left, the first above the second, in the plot's part of the picture. */
    assert_true(count_colour(&p, FIRST, 150, 140, 400, 300) > 300);
    assert_true(count_colour(&p, FIRST, 150, 400, 400, 680) == 0);
    assert_true(count_colour(&p, SECOND, 150, 400, 400, 680) > 300);
    assert_true(count_colour(&p, SECOND, 900, 140, 1240, 300) == 0);
    free(p.rgb);
    /* Without validation there is no second line, nor its name. */
    for (int i = 0; i < 10; i++)
        rows[i].val_loss = NAN;
    assert_int_equal(st_report_loss(path, rows, 10, NULL), STRAIT_OK);
    p = read_picture(path);
    assert_int_equal(count_colour(&p, SECOND, 0, 0, p.width, p.height), 0);
    free(p.rgb);
    strait_error err;
    assert_int_equal(st_report_loss("loss.png", rows, 0, &err), STRAIT_ARGUMENT);
    assert_string_equal(err.message, "loss.png: no epoch has been trained, there is no loss to draw");
}

/* Draws one series and counts its pixels outside the legend, which is left out. */
static int drawn(int n, const double *x, const double *y, bool log_y) {
    const strait_series series = {NULL, n, x, y};
    const char *path = test_path("drawn.png");
    strait_error err = {0};
    if (strait_picture_chart(path, "t", "x", "y", 1, &series, log_y, &err) != STRAIT_OK) fail_msg("%s", err.message);
    picture p = read_picture(path);
    const int count = count_colour(&p, FIRST, 0, 0, p.width, p.height);
    assert_white_edges(&p, 20);
    free(p.rgb);
    return count;
}

static void unusual_series(void **state) {
    (void)state;
    const double x[] = {1, 2, 3, 4, 5};
    assert_true(drawn(1, x, (double[]){0.5}, false) > 50); /* a point alone has a marker */
    assert_true(drawn(1, x, (double[]){0.5}, true) > 50);
    assert_true(drawn(1, x, (double[]){0}, false) > 50);
    assert_true(drawn(5, x, (double[]){2, 2, 2, 2, 2}, false) > 3000); /* all equal: a line across */
    assert_true(drawn(5, x, (double[]){2, 2, 2, 2, 2}, true) > 3000);
    assert_int_equal(drawn(0, NULL, NULL, false), 0);
    assert_int_equal(drawn(2, x, (double[]){NAN, INFINITY}, false), 0);
    assert_int_equal(drawn(2, x, (double[]){0, -1}, true), 0); /* a logarithmic axis has no such values */
    /* The gap takes its two segments away. */
    const int whole = drawn(5, x, (double[]){1, 2, 1, 2, 1}, false);
    const int gap = drawn(5, x, (double[]){1, 2, NAN, 2, 1}, false);
    assert_true(gap > 0 && gap < whole * 3 / 4);
    /* Numbers at the ends of their range. */
    assert_true(drawn(5, x, (double[]){1e199, -1e199, 1, 0, 2}, false) > 0);
    assert_true(drawn(5, x, (double[]){5e-324, 1e-310, 0, 0, 0}, false) > 0);
    assert_true(drawn(5, x, (double[]){1e-199, 1e199, 1, 1, 1}, true) > 0);
    assert_true(drawn(2, (double[]){1e18, 1e18}, (double[]){1, 2}, false) > 0);
    assert_true(drawn(2, x, (double[]){1, 1 + 2.3e-16}, false) > 0);
}

static void many_names_and_long_ones_fit(void **state) {
    (void)state;
    const double x[] = {0, 1}, y[] = {0, 1};
    strait_series series[12];
    char name[301];
    memset(name, 'w', 300);
    name[300] = 0;
    for (int i = 0; i < 12; i++)
        series[i] = (strait_series){i == 7 ? name : "a name of middling length", 2, x, y};
    const char *path = test_path("many.png");
    assert_int_equal(strait_picture_chart(path, name, name, name, 12, series, 0, NULL), STRAIT_OK);
    picture p = read_picture(path);
    assert_white_edges(&p, 20);
    free(p.rgb);
    strait_error err;
    assert_int_equal(strait_picture_chart(path, "t", "x", "y", 0, series, 0, &err), STRAIT_ARGUMENT);
    assert_int_equal(strait_picture_chart(path, "\xff", "x", "y", 1, series, 0, &err), STRAIT_ARGUMENT);
}

static void every_allocation_failing(void **state) {
    (void)state;
    const st_history_row row = {.epoch = 1, .loss = 0.5, .val_loss = 0.25};
    const char *path = test_path("failing.png");
    strait_status status = STRAIT_MEMORY;
    uint64_t n = 0;
    while (status == STRAIT_MEMORY) {
        st_alloc_fail_at(++n);
        status = st_report_loss(path, &row, 1, NULL);
        assert_int_equal(access(path, 0) == 0, status == STRAIT_OK);
    }
    st_alloc_fail_at(0);
    assert_int_equal(status, STRAIT_OK);
    assert_true(n > 6);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linear_ticks),
        cmocka_unit_test(logarithmic_ticks),
        cmocka_unit_test(a_loss_chart),
        cmocka_unit_test(unusual_series),
        cmocka_unit_test(many_names_and_long_ones_fit),
        cmocka_unit_test(every_allocation_failing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
