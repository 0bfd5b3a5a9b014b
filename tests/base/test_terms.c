#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include "base/terms.h"

static void test_activations(void **state) {
    (void)state;
    assert_string_equal(st_activation_name(ST_LINEAR), "linear");
    assert_string_equal(st_activation_name(ST_LEAKY_RELU), "leaky_relu");
    assert_string_equal(st_activation_name(ST_SOFTMAX), "softmax");
    assert_string_equal(st_activation_name((st_activation_kind)99), "unknown activation");
}

static void test_losses(void **state) {
    (void)state;
    assert_string_equal(st_loss_name(ST_LOSS_MSE), "mse");
    assert_string_equal(st_loss_name(ST_LOSS_BINARY_CROSSENTROPY), "binary_crossentropy");
    assert_string_equal(st_loss_name((st_loss_kind)99), "unknown loss");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_activations), cmocka_unit_test(test_losses)};
    return cmocka_run_group_tests_name("base.terms", tests, NULL, NULL);
}
