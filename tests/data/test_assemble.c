#include <math.h>
#include "data/assemble.h"
#include "files.h"

/* The nearest float to a quotient: what float32 division gives, as x / 255 in other libraries. */
static void test_unit_scale_is_exact(void **state) {
    (void)state;
    uint8_t u8[256];
    uint16_t *u16 = st_alloc(65536, sizeof *u16);
    float *out = st_alloc(65536, sizeof *out);
    for (int i = 0; i < 65536; i++) {
        u16[i] = (uint16_t)i;
        u8[i % 256] = (uint8_t)i;
    }
    st_affine affine = st_affine_make(0, 1.0 / 255);
    st_affine_apply(out, u8, ST_U8, 256, &affine);
    for (int i = 0; i < 256; i++)
        assert_true(out[i] == (float)i / 255.0f);
    affine = st_affine_make(0, 1.0 / 65535);
    st_affine_apply(out, u16, ST_U16, 65536, &affine);
    for (int i = 0; i < 65536; i++)
        assert_true(out[i] == (float)i / 65535.0f);
    st_free(out);
    st_free(u16);
}

/* Against the formula in long double, for whole offsets and all kinds of factors. */
static void test_affine(void **state) {
    (void)state;
    uint8_t u8[256];
    float f32[256], out[256];
    for (int i = 0; i < 256; i++) {
        u8[i] = (uint8_t)i;
        f32[i] = (float)i * 1.37f - 50;
    }
    const double factors[] = {1, 1.0 / 255, 1.0 / 30, 0.1, 3.7e-9, 1e12, -1.0 / 3};
    for (size_t k = 0; k < sizeof factors / sizeof *factors; k++) {
        for (int offset = 0; offset < 256; offset += 17) {
            const st_affine affine = st_affine_make(offset, factors[k]);
            st_affine_apply(out, u8, ST_U8, 256, &affine);
            for (int i = 0; i < 256; i++)
                assert_true(out[i] == (float)((long double)(i - offset) * (long double)factors[k]));
            st_affine_apply(out, f32, ST_F32, 256, &affine);
            for (int i = 0; i < 256; i++)
                assert_true(out[i] == (float)(((double)f32[i] - offset) * factors[k]));
        }
    }
    const st_affine identity = st_affine_make(0, 1);
    st_affine_apply(out, f32, ST_F32, 256, &identity);
    assert_memory_equal(out, f32, sizeof f32);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unit_scale_is_exact),
        cmocka_unit_test(test_affine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
