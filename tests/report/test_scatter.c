/* Pictures of points, their colours, and charts and sheets as SVG. */
#include "picture_check.h"

#include <strait/picture.h>

#include "report/colours_int.h"
#include "report/scatter_int.h"

/* ---- colours ---- */

/* Linear light of 0xRRGGBB (sRGB's curve, IEC 61966-2-1). */
static void to_linear(double out[3], unsigned rgb) {
    for (int k = 0; k < 3; k++) {
        const double v = (rgb >> (16 - 8 * k) & 0xff) / 255.0;
        out[k] = v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4);
    }
}

static void multiply(double out[3], const double m[9], const double v[3]) {
    for (int i = 0; i < 3; i++)
        out[i] = m[3 * i] * v[0] + m[3 * i + 1] * v[1] + m[3 * i + 2] * v[2];
}

/* OKLab (Ottosson 2020) of linear light. */
static void to_oklab(double out[3], const double linear[3]) {
    static const double to_cones[9] = {0.4122214708, 0.5363325363, 0.0514459929, 0.2119034982, 0.6806995451,
                                       0.1073969566, 0.0883024619, 0.2817188376, 0.6299787005};
    static const double to_lab[9] = {0.2104542553, 0.7936177850, -0.0040720468, 1.9779984951, -2.4285922050,
                                     0.4505937099, 0.0259040371, 0.7827717662,  -0.8086757660};
    double cones[3];
    multiply(cones, to_cones, linear);
    for (int k = 0; k < 3; k++)
        cones[k] = cbrt(fmax(0, cones[k]));
    multiply(out, to_lab, cones);
}

/* How sight without one kind of cones sees linear light: Machado, Oliveira and Fernandes 2009, table 1, severity 1. */
static const double sight[4][9] = {
    {1, 0, 0, 0, 1, 0, 0, 0, 1},
    {0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998},
    {0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.011820, 0.042940, 0.968881},
    {1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.303900},
};

static double difference(unsigned a, unsigned b, const double seen[9]) {
    double light[3], cut[3], lab[2][3];
    const unsigned rgb[2] = {a, b};
    for (int i = 0; i < 2; i++) {
        to_linear(light, rgb[i]);
        multiply(cut, seen, light);
        for (int k = 0; k < 3; k++)
            cut[k] = fmin(1, fmax(0, cut[k]));
        to_oklab(lab[i], cut);
    }
    return sqrt(pow(lab[0][0] - lab[1][0], 2) + pow(lab[0][1] - lab[1][1], 2) + pow(lab[0][2] - lab[1][2], 2));
}

static double luminance(unsigned rgb) {
    double light[3];
    to_linear(light, rgb);
    return 0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2];
}

/* WCAG 2's ratio. */
static double contrast(unsigned a, unsigned b) {
    const double x = luminance(a) + 0.05, y = luminance(b) + 0.05;
    return x > y ? x / y : y / x;
}

static void twenty_colours_are_told_apart(void **state) {
    (void)state;
    for (int theme = 0; theme < 2; theme++) {
        const st_look *look = st_look_of(theme ? STRAIT_THEME_DARK : STRAIT_THEME_LIGHT);
        for (int a = 0; a < ST_CATEGORIES; a++) {
            assert_true(contrast(look->category[a], look->background) >= 1.35);
            for (int b = 0; b < a; b++)
                for (int s = 0; s < 4; s++)
                    if (difference(look->category[a], look->category[b], sight[s]) < (s ? 0.075 : 0.095))
                        fail_msg("theme %d: colours %d and %d look alike to sight %d", theme, a, b, s);
        }
        assert_true(contrast(look->text, look->background) > 7); /* WCAG's AAA */
        assert_true(contrast(look->strong, look->background) > 7);
    }
}

static void numbers_become_lighter(void **state) {
    (void)state;
    for (int theme = 0; theme < 2; theme++) {
        const st_look *look = st_look_of(theme ? STRAIT_THEME_DARK : STRAIT_THEME_LIGHT);
        double before = -1;
        for (int i = 0; i <= 100; i++) {
            const double now = luminance(st_look_scale(look, i / 100.0));
            assert_true(now > before);
            before = now;
        }
        assert_int_equal(st_look_scale(look, -3), st_look_scale(look, 0));
        assert_int_equal(st_look_scale(look, 7), st_look_scale(look, 1));
    }
    /* Viridis ends in these: matplotlib's _cm_listed.py, rounded. */
    assert_int_equal(st_look_scale(st_look_of(STRAIT_THEME_LIGHT), 0), 0x440154);
    assert_int_equal(st_look_scale(st_look_of(STRAIT_THEME_DARK), 1), 0xfde725);
}

/* ---- places of names ---- */

static void names_stand_where_points_are(void **state) {
    (void)state;
    /* Group 0 in two heaps, the larger one right; group 1 has none; group 2 is one point. */
    st_spot spot[31];
    int32_t group[31];
    for (int i = 0; i < 31; i++) {
        spot[i] = (st_spot){i < 10 ? 10 : i < 30 ? 90 : 50, 50, 0, i};
        group[i] = i < 30 ? 0 : 2;
    }
    st_place place[3];
    int n = 0;
    const double box[4] = {0, 0, 100, 100};
    assert_int_equal(st_places_find(place, &n, spot, 31, group, 3, box, NULL), STRAIT_OK);
    assert_int_equal(n, 2);
    assert_true(place[0].group == 0 && place[0].x == 90 && place[0].y == 50);
    assert_true(place[1].group == 2 && place[1].x == 50);
}

static void names_are_parted(void **state) {
    (void)state;
    const double box[4] = {0, 0, 200, 200};
    st_place place[9];
    for (int i = 0; i < 9; i++)
        place[i] = (st_place){i % 2 ? 195 : 190, 100 + (i % 3), 40, 12, i};
    st_places_part(place, 9, box);
    for (int i = 0; i < 9; i++) {
        assert_true(place[i].x >= 20 - 1e-9 && place[i].x <= 180 + 1e-9 && place[i].y >= 6 && place[i].y <= 194);
        for (int j = 0; j < i; j++)
            assert_true(fabs(place[i].x - place[j].x) >= 39.9 || fabs(place[i].y - place[j].y) >= 11.9);
    }
}

/* ---- pictures ---- */

static strait_array *points(int64_t n, int64_t dims) {
    strait_array *out = NULL;
    assert_int_equal(strait_array_new(&out, 2, (const int64_t[]){n, dims}, NULL), STRAIT_OK);
    /* Two heaps, left below and right above: row by row one of each. */
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; k < dims; k++)
            out->values[i * dims + k] = (float)(i % 2 * 10) + (float)((i * 7 + k * 3) % 11) / 11;
    return out;
}

static char *text_of(const char *path) {
    char *text = NULL;
    size_t n = 0;
    assert_int_equal(st_file_read(&text, &n, path, 1 << 24, NULL), STRAIT_OK);
    return text;
}

static int count(const char *text, const char *word) {
    int n = 0;
    for (const char *at = text; (at = strstr(at, word)); at += strlen(word))
        n++;
    return n;
}

static void groups_have_their_colours(void **state) {
    (void)state;
    strait_array *p = points(40, 2);
    int32_t group[40];
    for (int i = 0; i < 40; i++)
        group[i] = i % 2;
    const char *const name[] = {"left", "right"};
    strait_scatter s = {.title = "Two", .points = p, .group = group, .n_groups = 2, .group_name = name};
    const char *path = test_path("two.png");
    for (int theme = 0; theme < 2; theme++) {
        s.theme = theme ? STRAIT_THEME_DARK : STRAIT_THEME_LIGHT;
        const st_look *look = st_look_of(s.theme);
        assert_int_equal(strait_picture_scatter(path, &s, NULL), STRAIT_OK);
        picture c = read_picture(path);
        assert_true(c.width == 1560 && c.height == 1280);
        assert_int_equal(pixel(&c, 3, 3), look->background);
        /* The legend's discs are opaque; the points are not, so what is looked for is that the halves differ. */
        assert_true(count_colour(&c, look->category[0], c.width / 2, 0, c.width, c.height / 2) > 100);
        assert_true(count_colour(&c, look->category[1], c.width / 2, 0, c.width, c.height / 2) > 100);
        free(c.rgb);
    }
    char *svg = NULL;
    path = test_path("two.svg");
    assert_int_equal(strait_picture_scatter(path, &s, NULL), STRAIT_OK);
    svg = text_of(path);
    assert_int_equal(count(svg, "<circle"), 40 + 2);
    assert_int_equal(count(svg, "<image"), 0);
    assert_int_equal(count(svg, ">left</text>"), 2); /* legend and place */
    assert_int_equal(count(svg, ">Two</text>"), 1);
    st_free(svg);
    strait_array_free(p);
}

static void many_points_are_one_image(void **state) {
    (void)state;
    strait_array *p = points(70000, 3);
    double *value = malloc(70000 * sizeof *value);
    assert_non_null(value);
    for (int i = 0; i < 70000; i++)
        value[i] = i;
    const strait_scatter s = {
        .points = p, .value = value, .value_label = "a & <b>", .map = true, .axis_label = {"x", "y", "z"}};
    const char *path = test_path("many.svg"), *again = test_path("again.svg");
    assert_int_equal(strait_picture_scatter(path, &s, NULL), STRAIT_OK);
    assert_int_equal(strait_picture_scatter(again, &s, NULL), STRAIT_OK);
    assert_true(same_bytes(path, again));
    char *svg = text_of(path);
    assert_int_equal(count(svg, "<circle"), 0);
    assert_int_equal(count(svg, "<image"), 1);
    assert_int_equal(count(svg, "a &amp; &lt;b&gt;"), 1);
    assert_true(strlen(svg) < 1000000);
    st_free(svg);
    free(value);
    strait_array_free(p);
}

static void thumbnails_do_not_overlap(void **state) {
    (void)state;
    strait_array *p = points(60, 2), *images = NULL;
    assert_int_equal(strait_array_new(&images, 4, (const int64_t[]){60, 4, 4, 3}, NULL), STRAIT_OK);
    for (int64_t i = 0; i < strait_array_count(images); i++)
        images->values[i] = i % 3 == 1; /* green */
    const strait_scatter s = {.points = p, .thumbnails = images, .map = true};
    const char *path = test_path("thumbs.png");
    assert_int_equal(strait_picture_scatter(path, &s, NULL), STRAIT_OK);
    picture c = read_picture(path);
    const int green = count_colour(&c, 0x00ff00, 0, 0, c.width, c.height);
    assert_true(green > 0);
    assert_int_equal(green % (48 * 48), 0); /* each whole: none covers another */
    free(c.rgb);
    strait_array_free(images);
    strait_array_free(p);
}

static void unusual_points(void **state) {
    (void)state;
    const char *path = test_path("odd.png");
    strait_array *p = points(3, 2);
    strait_scatter s = {.points = p};
    for (int i = 0; i < 6; i++)
        p->values[i] = 7; /* all the same */
    assert_int_equal(strait_picture_scatter(path, &s, NULL), STRAIT_OK);
    p->values[0] = NAN;
    p->values[3] = -INFINITY;
    p->values[4] = 1e29F;
    assert_int_equal(strait_picture_scatter(path, &s, NULL), STRAIT_OK);
    const double value[3] = {NAN, NAN, NAN};
    s.value = value;
    assert_int_equal(strait_picture_scatter(path, &s, NULL), STRAIT_OK);
    strait_array_free(p);
}

static void what_cannot_be_drawn(void **state) {
    (void)state;
    strait_array *p = points(2, 2), *four = points(2, 4), *none = points(0, 2);
    const int32_t group[2] = {0, 5};
    const char *const name[] = {"only"}, *const bad[] = {"\xff"};
    strait_error err;
    assert_int_equal(chdir(test_folder()), 0);
    assert_int_equal(strait_picture_scatter("x.png", &(strait_scatter){.points = four}, &err), STRAIT_ARGUMENT);
    assert_string_equal(err.message, "x.png: points to draw are [n, 2] or [n, 3]");
    assert_int_equal(strait_picture_scatter("x.png", &(strait_scatter){.points = none}, &err), STRAIT_ARGUMENT);
    assert_string_equal(err.message, "x.png: there is no point to draw");
    const strait_scatter beyond = {.points = p, .group = group, .n_groups = 1, .group_name = name};
    assert_int_equal(strait_picture_scatter("x.png", &beyond, &err), STRAIT_ARGUMENT);
    assert_string_equal(err.message, "x.png: point 1 is of group 5, but there are 1");
    assert_int_equal(strait_picture_scatter("x.png", &(strait_scatter){.points = p, .thumbnails = four}, &err),
                     STRAIT_ARGUMENT);
    for (int i = 0; i < 4; i++)
        p->values[i] = NAN;
    assert_int_equal(strait_picture_scatter("x.png", &(strait_scatter){.points = p}, &err), STRAIT_ARGUMENT);
    assert_string_equal(err.message, "x.png: there is no point to draw: none of them is finite");
    p->values[0] = p->values[1] = 0;
    const int32_t first[2] = {0, 0};
    const strait_scatter wrong = {.points = p, .group = first, .n_groups = 1, .group_name = bad};
    assert_int_equal(strait_picture_scatter("x.svg", &wrong, &err), STRAIT_ARGUMENT);
    assert_true(access("x.png", F_OK) != 0 && access("x.svg", F_OK) != 0);
    strait_array_free(p);
    strait_array_free(four);
    strait_array_free(none);
}

/* ---- charts and sheets as SVG, in the dark ---- */

static void charts_and_sheets_as_svg(void **state) {
    (void)state;
    const double x[] = {1, 2, 3}, y[] = {1, NAN, 3};
    const strait_series series[] = {{"one", 3, x, y}};
    const strait_chart chart = {"Title", "across", "up", 1, series, false, STRAIT_THEME_DARK};
    const char *path = test_path("chart.svg");
    assert_int_equal(strait_picture_draw_chart(path, &chart, NULL), STRAIT_OK);
    char *svg = text_of(path);
    assert_non_null(strstr(svg, ">Title</text>"));
    assert_non_null(strstr(svg, "#181a1f"));
    assert_int_equal(count(svg, "<circle"), 3); /* two points and the legend's */
    assert_int_equal(count(svg, "<image"), 0);
    st_free(svg);
    strait_array *images = NULL;
    assert_int_equal(strait_array_new(&images, 4, (const int64_t[]){3, 4, 4, 1}, NULL), STRAIT_OK);
    const strait_array *rows[] = {images, images};
    const char *captions[] = {"a", "b"};
    const strait_sheet sheet = {2, rows, captions, 3, STRAIT_THEME_DARK, false};
    path = test_path("sheet.svg");
    assert_int_equal(strait_picture_draw_sheet(path, &sheet, NULL), STRAIT_OK);
    svg = text_of(path);
    assert_int_equal(count(svg, "<image"), 6);
    assert_non_null(strstr(svg, ">b</text>"));
    st_free(svg);
    path = test_path("sheet.png");
    assert_int_equal(strait_picture_draw_sheet(path, &sheet, NULL), STRAIT_OK);
    picture c = read_picture(path);
    assert_int_equal(pixel(&c, 1, 1), 0x181a1f);
    free(c.rgb);
    strait_array_free(images);
}

static void activations_as_svg(void **state) {
    (void)state;
    const float value[12] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    strait_activation_map map[2] = {
        {.name = "input", .layer = "", .n_dims = 3, .dim = {2, 2, 3}, .values = value},
        {.name = "encoder.0", .layer = "flatten", .n_dims = 1, .dim = {12}, .values = value},
    };
    const strait_activations activations = {2, map};
    const char *path = test_path("maps.svg");
    assert_int_equal(strait_picture_activations(path, &activations, NULL), STRAIT_OK);
    char *svg = text_of(path);
    assert_int_equal(count(svg, "<image"), 2); /* a layer's maps or bars are one */
    assert_int_equal(count(svg, ">encoder.0</text>"), 1);
    st_free(svg);
}

/* Two constant curves: each in the middle of its own range, or one at the bottom and one at the top of theirs. */
static void curves_on_one_range(void **state) {
    (void)state;
    strait_array *rows = NULL;
    assert_int_equal(strait_array_new(&rows, 2, (const int64_t[]){2, 50}, NULL), STRAIT_OK);
    for (int i = 0; i < 100; i++)
        rows->values[i] = i < 50 ? 1 : 2;
    const strait_array *row[] = {rows};
    const char *path = test_path("range.png");
    for (int one = 0; one < 2; one++) {
        const strait_sheet sheet = {1, row, NULL, 2, STRAIT_THEME_LIGHT, one};
        assert_int_equal(strait_picture_draw_sheet(path, &sheet, NULL), STRAIT_OK);
        picture c = read_picture(path);
        for (int i = 0; i < 2; i++) { /* cells of 120 x 72 from 14, 124 apart */
            const int left = 14 + 124 * i + 20, right = left + 60;
            const bool middle = count_colour(&c, 0xffffff, left, 14 + 35, right, 14 + 37) == 0;
            const bool top = count_colour(&c, 0xffffff, left, 14 + 5, right, 14 + 7) < 120;
            assert_true(middle == !one && top == (one && i == 1));
        }
        free(c.rgb);
    }
    strait_array_free(rows);
}

static void every_allocation_failing(void **state) {
    (void)state;
    strait_array *p = points(20, 2), *images = NULL;
    assert_int_equal(strait_array_new(&images, 4, (const int64_t[]){20, 2, 2, 1}, NULL), STRAIT_OK);
    int32_t group[20] = {0};
    const char *const name[] = {"all"}, *const file[] = {"failing.svg", "failing.png", "failing3.svg"};
    for (int kind = 0; kind < 3; kind++) {
        const strait_scatter s = {
            .points = p, .group = group, .n_groups = 1, .group_name = name, .thumbnails = kind == 2 ? images : NULL};
        const char *path = test_path(file[kind]);
        strait_status status = STRAIT_MEMORY;
        uint64_t n = 0;
        while (status == STRAIT_MEMORY) {
            st_alloc_fail_at(++n);
            status = strait_picture_scatter(path, &s, NULL);
            assert_int_equal(access(path, F_OK) == 0, status == STRAIT_OK);
        }
        st_alloc_fail_at(0);
        assert_int_equal(status, STRAIT_OK);
        assert_true(n > 6);
    }
    strait_array_free(images);
    strait_array_free(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(twenty_colours_are_told_apart), cmocka_unit_test(numbers_become_lighter),
        cmocka_unit_test(names_stand_where_points_are),  cmocka_unit_test(names_are_parted),
        cmocka_unit_test(groups_have_their_colours),     cmocka_unit_test(many_points_are_one_image),
        cmocka_unit_test(thumbnails_do_not_overlap),     cmocka_unit_test(unusual_points),
        cmocka_unit_test(what_cannot_be_drawn),          cmocka_unit_test(charts_and_sheets_as_svg),
        cmocka_unit_test(curves_on_one_range),           cmocka_unit_test(activations_as_svg),
        cmocka_unit_test(every_allocation_failing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
