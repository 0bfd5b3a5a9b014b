/* The ops beside layers with weights on engine cpu, for each instruction set. */
#define ENGINE (&st_engine_cpu)
#include "cpu/layer_cases.h"

#define ON(test, set)                                                                                                  \
    { #test " (" set ")", test, NULL, NULL, (void *)(uintptr_t)set }
#define ON_ALL(test) ON(test, "generic"), ON(test, "avx2"), ON(test, "avx512")

int main(void) {
    const struct CMUnitTest tests[] = {LAYER_TESTS(ON_ALL)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
