/* Any bytes are a recipe or an error; a recipe comes back from its YAML, to the same bytes.
   Up to the first NUL byte the input is YAML, then, each up to the next one, come overrides. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strait/recipe.h>

#define MAX_OVERRIDES 4

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/* A finding: stops the fuzzer with the input at hand. */
static void insist(int good) {
    if (!good) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    char *text = malloc(n + 1);
    if (!text) return 0;
    memcpy(text, bytes, n);
    text[n] = 0;
    const char *overrides[MAX_OVERRIDES];
    size_t n_overrides = 0;
    for (size_t i = strlen(text) + 1; i < n && n_overrides < MAX_OVERRIDES; i += strlen(text + i) + 1)
        overrides[n_overrides++] = text + i;
    strait_recipe *recipe = NULL, *back = NULL;
    strait_error err = {0};
    const strait_status status = strait_recipe_parse(&recipe, text, "fuzz.yaml", n_overrides, overrides, &err);
    insist((status == STRAIT_OK) == (recipe != NULL));
    if (recipe) {
        char *once = NULL, *twice = NULL;
        insist(strait_recipe_to_yaml(&once, recipe, &err) == STRAIT_OK);
        insist(strait_recipe_parse(&back, once, "back.yaml", 0, NULL, &err) == STRAIT_OK);
        insist(strait_recipe_to_yaml(&twice, back, &err) == STRAIT_OK);
        insist(strcmp(once, twice) == 0);
        strait_string_free(once);
        strait_string_free(twice);
    } else {
        insist(err.message[0] && !strchr(err.message, '\n'));
    }
    strait_recipe_free(recipe);
    strait_recipe_free(back);
    free(text);
    return 0;
}
