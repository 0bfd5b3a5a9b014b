/* Originals and reconstructions as curves: where the error is shaded, what is left out, what is refused. */
#include "picture_check.h"

#include <strait/picture.h>
#include "report/colours_int.h"

enum { N = 3, WIDTH = 11 };

/* 30 % of the second category's colour on white, each channel rounded: 0xd55e00. */
static const unsigned shaded = 0xf2cfb3;

static strait_array *rows(float value) {
    strait_array *array = NULL;
    assert_int_equal(strait_array_new(&array, 2, (int64_t[]){N, WIDTH}, NULL), STRAIT_OK);
    for (int i = 0; i < N * WIDTH; i++)
        array->values[i] = value;
    return array;
}

/* Shaded pixels below the legend. */
static int count_shaded(const strait_array *original, const strait_array *reconstruction) {
    const strait_curves curves = {original, reconstruction, NULL, 2, STRAIT_THEME_LIGHT};
    assert_int_equal(strait_picture_curves(test_path("curves.png"), &curves, NULL), STRAIT_OK);
    picture p = read_picture(test_path("curves.png"));
    assert_white_edges(&p, 14);
    assert_true(count_colour(&p, shaded, 0, 0, p.width, 70) > 300); /* the legend's box */
    const int count = count_colour(&p, shaded, 0, 70, p.width, p.height);
    free(p.rgb);
    return count;
}

static void the_error_is_shaded_between_the_lines(void **state) {
    (void)state;
    assert_int_equal(st_look_of(STRAIT_THEME_LIGHT)->category[1], 0xd55e00);
    strait_array *original = rows(0), *reconstruction = rows(1);
    /* Lines at 5 % and 95 % of a height of 240 pixels, over 416 of a panel's 440: less the lines and their round ends.
     */
    const int whole = count_shaded(original, reconstruction), most = N * 416 * 218;
    assert_true(whole > 0.9 * most && whole <= most);
    assert_int_equal(count_shaded(original, original), 0);
    for (int i = 0; i < N * WIDTH; i++) /* half of it: the lines cross in the middle, shaded on both sides */
        reconstruction->values[i] = i % WIDTH == WIDTH / 2 ? 0 : i % WIDTH < WIDTH / 2 ? 1 : -1;
    reconstruction->values[0] = 1;
    assert_true(count_shaded(original, reconstruction) > 0.3 * most);
    reconstruction = (strait_array_free(reconstruction), rows(1));
    for (int i = 0; i < N; i++) /* from -1 to +1 around it nothing can be shaded: 8 of 10 stretches are left */
        reconstruction->values[i * WIDTH + 5] = i == 1 ? INFINITY : NAN;
    const int gap = count_shaded(original, reconstruction);
    assert_true(gap < 0.83 * whole && gap > 0.77 * whole);
    strait_array_free(original);
    strait_array_free(reconstruction);
}

static void unusual_samples_have_a_picture(void **state) {
    (void)state;
    strait_array *original = rows(NAN), *reconstruction = rows(INFINITY), *one = NULL;
    assert_int_equal(count_shaded(original, reconstruction), 0);
    for (int i = 0; i < N * WIDTH; i++)
        original->values[i] = reconstruction->values[i] = 3e29F;
    assert_int_equal(count_shaded(original, reconstruction), 0);
    assert_int_equal(strait_array_new(&one, 2, (int64_t[]){1, 1}, NULL), STRAIT_OK);
    assert_int_equal(count_shaded(one, one), 0);
    static const char *const caption[N] = {
        "a name", NULL, "one that is far longer than a panel is wide, and so is made smaller to fit"};
    const strait_curves curves = {original, reconstruction, caption, 7, STRAIT_THEME_DARK};
    assert_int_equal(strait_picture_curves(test_path("curves.svg"), &curves, NULL), STRAIT_OK);
    char *text = NULL;
    size_t length;
    assert_int_equal(st_file_read(&text, &length, test_path("curves.svg"), 1 << 20, NULL), STRAIT_OK);
    assert_non_null(strstr(text, ">a name<"));
    assert_non_null(strstr(text, ">reconstruction<"));
    st_free(text);
    strait_array_free(one);
    strait_array_free(original);
    strait_array_free(reconstruction);
}

static void check_refused(strait_curves curves, const char *part) {
    strait_error err = {0};
    assert_int_equal(strait_picture_curves(test_path("refused.png"), &curves, &err), STRAIT_ARGUMENT);
    if (!strstr(err.message, part)) fail_msg("%s lacks %s", err.message, part);
    assert_int_not_equal(access(test_path("refused.png"), 0), 0);
}

static void bad_input_is_refused(void **state) {
    (void)state;
    strait_array *original = rows(0), *images = NULL, *none = NULL;
    assert_int_equal(strait_array_new(&images, 4, (int64_t[]){N, WIDTH, 1, 1}, NULL), STRAIT_OK);
    assert_int_equal(strait_array_new(&none, 2, (int64_t[]){0, WIDTH}, NULL), STRAIT_OK);
    check_refused((strait_curves){original, NULL, NULL, 1, STRAIT_THEME_LIGHT}, "both arrays");
    check_refused((strait_curves){original, original, NULL, 0, STRAIT_THEME_LIGHT}, "at least a column");
    check_refused((strait_curves){original, images, NULL, 1, STRAIT_THEME_LIGHT}, "of the same shape");
    check_refused((strait_curves){images, images, NULL, 1, STRAIT_THEME_LIGHT}, "[n, values]");
    check_refused((strait_curves){none, none, NULL, 1, STRAIT_THEME_LIGHT}, "nothing to draw");
    strait_array_free(original);
    strait_array_free(images);
    strait_array_free(none);
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    strait_array *original = rows(0), *reconstruction = rows(1);
    const strait_curves curves = {original, reconstruction, NULL, 2, STRAIT_THEME_LIGHT};
    strait_status status = STRAIT_MEMORY;
    uint64_t n = 0;
    while (status == STRAIT_MEMORY) {
        st_alloc_fail_at(++n);
        status = strait_picture_curves(test_path("failing.png"), &curves, NULL);
        st_alloc_fail_at(0);
        assert_int_equal(access(test_path("failing.png"), 0) == 0, status == STRAIT_OK);
    }
    assert_int_equal(status, STRAIT_OK);
    assert_true(n > 3);
    strait_array_free(original);
    strait_array_free(reconstruction);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_error_is_shaded_between_the_lines),
        cmocka_unit_test(unusual_samples_have_a_picture),
        cmocka_unit_test(bad_input_is_refused),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
