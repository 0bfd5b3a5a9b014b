/* Features of cells' data as a training found them: which genes and proteins a model takes, and the numbers that bring
   their counts to its scale. Too long for a recipe's text: in a model's file they stand beside it. */
#ifndef ST_RECIPE_FEATURES_H
#define ST_RECIPE_FEATURES_H

#include <stdbool.h>
#include <stdint.h>
#include "base/status.h"
#include "base/string.h"
#include "recipe/recipe.h"

/* Features of one kind, in the model's order. Arrays that the preparation has no use for are NULL. */
typedef struct st_feature_set {
    int64_t n;
    const char **name; /* [n], in text */
    double target_sum; /* genes: of total counts; 0: none */
    double *mean;      /* [n] x becomes (x - mean) * factor, */
    double *factor;    /* [n] */
    double *centre;    /* [n] and before that log(1 + x / centre): clr: feature */
    char *text;        /* the names, each with its NUL */
} st_feature_set;

struct st_features {
    st_feature_set genes, proteins;
};

/* Room for n features, whose names are copied; scaled, centred: with these arrays. Errors: MEMORY. */
strait_status st_feature_set_init(st_feature_set *set, int64_t n, const char *const *name, bool scaled, bool centred,
                                  strait_error *err);

/* Empty. Errors: MEMORY. */
strait_status st_features_new(st_features **out, strait_error *err);
void st_features_free(st_features *features); /* NULL is fine */
/* A deep copy; NULL of NULL. False without memory. */
bool st_features_copy(st_features **out, const st_features *features);

/* As text: "strait features 1", then for each kind a line "genes N TARGET mean|- centre|-" and a line a feature, its
   name and numbers with tabs between. The caller's. Errors: MEMORY. */
strait_status st_features_to_text(char **out, const st_features *features, strait_error *err);
/* And back. file is for messages. Errors: FORMAT, MEMORY. */
strait_status st_features_from_text(st_features **out, const char *text, const char *file, strait_error *err);

#endif
