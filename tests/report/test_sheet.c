/* Sheets of images, pixel by pixel. */
#include "picture_check.h"

#include "report/report.h"
#include "report/sheet.h"

static strait_array *images(int64_t n, int64_t height, int64_t width, int64_t channels) {
    strait_array *array = NULL;
    assert_int_equal(strait_array_new(&array, 4, (const int64_t[]){n, height, width, channels}, NULL), STRAIT_OK);
    return array;
}

static void a_single_image_is_itself(void **state) {
    (void)state;
    strait_array *array = images(1, 2, 3, 1);
    const float values[] = {0, 0.5f, 1, -3, 2, NAN};
    memcpy(array->values, values, sizeof values);
    assert_int_equal(st_png_write_grid(test_path("one.png"), array, NULL), STRAIT_OK);
    picture p = read_picture(test_path("one.png"));
    assert_true(p.grey && p.width == 3 && p.height == 2);
    /* 0.5 * 255 = 127.5, rounded up; beyond 0..1 clipped; NaN black. */
    const unsigned expected[] = {0, 0x808080, 0xffffff, 0, 0xffffff, 0};
    for (int i = 0; i < 6; i++)
        assert_int_equal(pixel(&p, i % 3, i / 3), expected[i]);
    free(p.rgb);
    strait_array_free(array);
}

static void a_grid_has_white_lines_between(void **state) {
    (void)state;
    strait_array *array = images(5, 4, 6, 3);               /* 3 columns, 2 lines */
    for (int64_t i = 0; i < strait_array_count(array); i++) /* image i: red i/10, green 0, blue 1 */
        array->values[i] = i % 3 == 0 ? (float)(i / 72) / 10 : i % 3 == 1 ? 0 : 1;
    assert_int_equal(st_png_write_grid(test_path("grid.png"), array, NULL), STRAIT_OK);
    picture p = read_picture(test_path("grid.png"));
    assert_true(!p.grey && p.width == 3 * 6 + 2 * 2 && p.height == 2 * 4 + 2);
    static const unsigned red[] = {0, 26, 51, 77, 102}; /* 25.5, 51, 76.5, 102 rounded */
    for (int i = 0; i < 5; i++) {
        const int x = i % 3 * 8, y = i / 3 * 6;
        assert_int_equal(count_colour(&p, red[i] << 16 | 0xff, x, y, x + 6, y + 4), 24);
    }
    assert_int_equal(count_colour(&p, 0xffffff, 0, 0, p.width, p.height), p.width * p.height - 5 * 24);
    free(p.rgb);
    strait_array_free(array);
}

/* Without captions the place of every pixel is known: a margin of 14, a gap of 4, 28×28 pixels enlarged three times. */
static void a_sheet_enlarges_small_images(void **state) {
    (void)state;
    strait_array *array = images(3, 28, 28, 1);
    for (int i = 0; i < 3 * 784; i++)
        array->values[i] = (float)(i % 256) / 255;
    assert_int_equal(strait_picture_sheet(test_path("s.png"), 1, (const strait_array *const[]){array}, NULL, 2, NULL),
                     STRAIT_OK);
    picture p = read_picture(test_path("s.png"));
    assert_true(p.grey);
    assert_int_equal(p.width, 14 + 84 + 4 + 84 + 14);
    assert_int_equal(p.height, 14 + 84 + 4 + 84 + 14);
    assert_white_edges(&p, 14);
    for (int i = 0; i < 3 * 784; i++) {
        const int left = 14 + i / 784 % 2 * 88, top = 14 + i / 784 / 2 * 88;
        const int x = left + i % 28 * 3, y = top + i % 784 / 28 * 3;
        const unsigned level = (unsigned)(i % 256);
        assert_int_equal(count_colour(&p, level << 16 | level << 8 | level, x, y, x + 3, y + 3), 9);
    }
    /* The fourth place is empty. */
    assert_int_equal(count_colour(&p, 0xffffff, 102, 102, p.width, p.height), (p.width - 102) * (p.height - 102));
    free(p.rgb);
    strait_array_free(array);
}

static void a_sheet_reduces_large_images_by_their_mean(void **state) {
    (void)state;
    strait_array *array = images(1, 512, 300, 1);
    for (int i = 0; i < 512 * 300; i++)
        array->values[i] = i % 2 ? 1.0f : 0.2f; /* columns in turn: mean 0.6 */
    assert_int_equal(strait_picture_sheet(test_path("l.png"), 1, (const strait_array *const[]){array}, NULL, 1, NULL),
                     STRAIT_OK);
    picture p = read_picture(test_path("l.png"));
    assert_int_equal(p.width, 150 + 28);
    assert_int_equal(p.height, 256 + 28);
    assert_int_equal(count_colour(&p, 0x999999, 14, 14, 14 + 150, 14 + 256), 150 * 256);
    free(p.rgb);
    strait_array_free(array);
}

static void captions_stand_at_the_left(void **state) {
    (void)state;
    strait_array *a = images(12, 28, 28, 1), *b = images(12, 28, 28, 1);
    for (int i = 0; i < 12 * 784; i++)
        b->values[i] = 1;
    b->values[5] = INFINITY; /* shown in a colour no image has */
    const char *path = test_path("r.png"), *again = test_path("again.png");
    assert_int_equal(st_report_reconstructions(path, a, NULL, b, NULL), STRAIT_OK);
    assert_int_equal(st_report_reconstructions(again, a, NULL, b, NULL), STRAIT_OK);
    assert_true(same_bytes(path, again));
    picture p = read_picture(path);
    /* Two blocks (ten images, then two) of two lines; the left edge follows from the captions' width. */
    assert_int_equal(p.height, 2 * (84 + 4 + 84) + 18 + 4 + 28);
    const int left = p.width - 14 - 10 * 84 - 9 * 4;
    assert_true(left > 14 + 12 + 60 && left < 14 + 12 + 220);
    assert_white_edges(&p, 8);
    assert_true(count_colour(&p, 0xffffff, 14, 14, left - 12, 14 + 84) < (left - 26) * 84);
    assert_int_equal(count_colour(&p, 0, left, 14, left + 84, 98), 84 * 84);
    assert_int_equal(count_colour(&p, 0xff00ff, 0, 0, p.width, p.height), 9);
    free(p.rgb);
    strait_array_free(a);
    strait_array_free(b);
}

static void features_are_curves(void **state) {
    (void)state;
    strait_array *rows = NULL, *single = NULL;
    assert_int_equal(strait_array_new(&rows, 2, (const int64_t[]){2, 50}, NULL), STRAIT_OK);
    assert_int_equal(strait_array_new(&single, 2, (const int64_t[]){1, 1}, NULL), STRAIT_OK);
    for (int i = 0; i < 50; i++)
        rows->values[i] = 3; /* a constant, and a line with a gap */
    for (int i = 0; i < 50; i++)
        rows->values[50 + i] = i == 25 ? NAN : (float)i;
    const strait_array *both[] = {rows, rows};
    assert_int_equal(strait_picture_sheet(test_path("c.png"), 2, both, NULL, 10, NULL), STRAIT_OK);
    picture p = read_picture(test_path("c.png"));
    assert_true(p.width == 14 + 120 + 4 + 120 + 14 && p.height == 14 + 72 + 4 + 72 + 14);
    assert_int_equal(pixel(&p, 14, 14), 0xd9d9d9);
    assert_int_equal(count_colour(&p, 0xffffff, 25, 14 + 35, 125, 14 + 37), 0);        /* in the middle */
    assert_int_equal(count_colour(&p, 0xffffff, 25, 14 + 10, 125, 14 + 34), 100 * 24); /* and there alone */
    assert_true(count_colour(&p, 0xffffff, 139, 15, 139 + 60, 15 + 20) == 60 * 20);    /* rising: empty above */
    free(p.rgb);
    const strait_array *dot[] = {single};
    assert_int_equal(strait_picture_sheet(test_path("dot.png"), 1, dot, NULL, 10, NULL), STRAIT_OK);
    p = read_picture(test_path("dot.png"));
    assert_int_equal(count_colour(&p, 0xffffff, 15, 15, 133, 85) < 118 * 70, 1);
    free(p.rgb);
    strait_array_free(rows);
    strait_array_free(single);
}

static void what_cannot_be_drawn(void **state) {
    (void)state;
    strait_array *a = images(2, 4, 4, 1), *b = images(2, 4, 5, 1), *c = images(2, 4, 4, 2), *none = images(0, 4, 4, 1);
    const strait_array *wrong[] = {a, b}, *two_channels[] = {c}, *empty[] = {none}, *good[] = {a};
    const char *const bad_text[] = {"\xff\xfe"};
    strait_error err;
    assert_int_equal(chdir(test_folder()), 0);
    assert_int_equal(strait_picture_sheet("x.png", 2, wrong, NULL, 3, &err), STRAIT_ARGUMENT);
    assert_string_equal(err.message, "x.png: row 1 has another shape than row 0");
    assert_int_equal(strait_picture_sheet("x.png", 1, two_channels, NULL, 3, &err), STRAIT_ARGUMENT);
    assert_string_equal(err.message,
                        "x.png: row 0 is neither images [n, height, width, 1 or 3] nor rows [n, features]");
    assert_int_equal(strait_picture_sheet("x.png", 1, empty, NULL, 3, &err), STRAIT_ARGUMENT);
    assert_string_equal(err.message, "x.png: there is nothing to draw");
    assert_int_equal(strait_picture_sheet("x.png", 1, good, NULL, 0, &err), STRAIT_ARGUMENT);
    assert_int_equal(strait_picture_sheet("x.png", 1, good, bad_text, 3, &err), STRAIT_ARGUMENT);
    assert_string_equal(err.message, "x.png: a text to draw is not valid UTF-8");
    assert_int_equal(st_png_write_grid("x.png", c, &err), STRAIT_ARGUMENT);
    assert_string_equal(err.message, "x.png: only images [n, height, width, 1 or 3], at least one, can be written as "
                                     ".png; choose .npy or .csv");
    assert_int_equal(access("x.png", 0), -1);
    assert_int_equal(strait_picture_sheet("no/such/x.png", 1, good, NULL, 3, &err), STRAIT_IO);
    assert_non_null(strstr(err.message, "no/such/x.png"));
    strait_array *many = images(40000, 1, 1, 1);
    const strait_array *row[] = {many};
    assert_int_equal(strait_picture_sheet("x.png", 1, row, NULL, 40000, &err), STRAIT_ARGUMENT);
    assert_int_equal(strait_picture_sheet("x.png", 1, row, NULL, 1, &err), STRAIT_ARGUMENT);
    strait_array_free(many);
    strait_array_free(a);
    strait_array_free(b);
    strait_array_free(c);
    strait_array_free(none);
}

static void every_allocation_failing(void **state) {
    (void)state;
    strait_array *a = images(3, 5, 5, 3);
    const char *path = test_path("failing.png");
    for (int which = 0; which < 2; which++) {
        strait_status status = STRAIT_MEMORY;
        uint64_t n = 0;
        while (status == STRAIT_MEMORY) {
            st_alloc_fail_at(++n);
            status = which ? st_png_write_grid(path, a, NULL) : st_report_reconstructions(path, a, a, a, NULL);
            assert_int_equal(access(path, 0) == 0, status == STRAIT_OK);
        }
        st_alloc_fail_at(0);
        assert_int_equal(status, STRAIT_OK);
        assert_true(n > 5);
        assert_int_equal(unlink(path), 0);
    }
    strait_array_free(a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_single_image_is_itself),      cmocka_unit_test(a_grid_has_white_lines_between),
        cmocka_unit_test(a_sheet_enlarges_small_images), cmocka_unit_test(a_sheet_reduces_large_images_by_their_mean),
        cmocka_unit_test(captions_stand_at_the_left),    cmocka_unit_test(features_are_curves),
        cmocka_unit_test(what_cannot_be_drawn),          cmocka_unit_test(every_allocation_failing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
