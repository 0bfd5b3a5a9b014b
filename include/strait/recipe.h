/* Recipes: the YAML text that says what to train, on what, and how. */
#ifndef STRAIT_RECIPE_H
#define STRAIT_RECIPE_H

#include <stddef.h>
#include <strait/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct strait_recipe strait_recipe;

/* Opens a recipe by file path, or by the name of an installed one ("fashion-basic").
   overrides: n_overrides strings "a.b.c=value" (YAML values), applied in order before checking.
   The caller owns *out. Errors: NOT_FOUND (with the names there are), RECIPE ("file:line:column: ..."), MEMORY. */
STRAIT_API strait_status strait_recipe_open(strait_recipe **out, const char *path_or_name, size_t n_overrides,
                                            const char *const *overrides, strait_error *err);

/* As strait_recipe_open, from YAML text. name stands for the file in messages. */
STRAIT_API strait_status strait_recipe_parse(strait_recipe **out, const char *yaml, const char *name,
                                             size_t n_overrides, const char *const *overrides, strait_error *err);

/* The recipe's own name ("fashion-basic"). Borrowed until the recipe is freed. */
STRAIT_API const char *strait_recipe_name(const strait_recipe *recipe);

/* The data source it names, or NULL. Borrowed until the recipe is freed. */
STRAIT_API const char *strait_recipe_source(const strait_recipe *recipe);

/* The complete recipe as YAML, defaults filled in: parses back to the same recipe.
   The caller owns *out and frees it with strait_string_free. */
STRAIT_API strait_status strait_recipe_to_yaml(char **out, const strait_recipe *recipe, strait_error *err);

/* Frees the recipe; NULL is fine. */
STRAIT_API void strait_recipe_free(strait_recipe *recipe);

/* Names of the recipes found on this machine, sorted. index runs from 0; NULL past the end.
   The caller frees the string with strait_string_free. */
STRAIT_API char *strait_recipe_installed(size_t index);

/* Frees a string this library gave away; NULL is fine. */
STRAIT_API void strait_string_free(char *string);

#ifdef __cplusplus
}
#endif
#endif
