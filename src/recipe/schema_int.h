/* Inside the recipe room: what the tables of schema*.c share. */
#ifndef ST_RECIPE_SCHEMA_INT_H
#define ST_RECIPE_SCHEMA_INT_H

#include <math.h>
#include "recipe/recipe_int.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define KEYS(array) .keys = (array), .n_keys = COUNT(array)
#define ROWS(array) .records = (array), .n_records = COUNT(array)
#define WORDS(array) .words = (array), .n_words = COUNT(array)
#define RANGE(least, most) .low = (least), .high = (most)
#define ANY .low = -INFINITY, .high = INFINITY
#define POSITIVE .low = 0, .above_low = true, .high = INFINITY
#define IN_RECIPE(member) .offset = offsetof(strait_recipe, member)
#define POS_IN_RECIPE(member) .pos = offsetof(strait_recipe, member)

/* Larger is a slip of the finger, not a wish. */
#define MAX_SEED 9007199254740992.0 /* 2^53: what JSON and doubles hold exactly */
#define MAX_LABEL 2147483647.0
#define MAX_SAMPLES 4294967295.0 /* samples are numbered in 32 bits */
#define MAX_UNITS 16777216.0     /* 2^24 */
#define MAX_WINDOW 4096.0
#define MAX_DIM 2147483648.0 /* and the product of a shape likewise */
#define MAX_EPOCHS 1e6
#define MAX_IMAGE 65536.0
#define MAX_TRIALS 10000.0
#define MAX_WATCHED 100000.0
#define MAX_BATCH 1048576.0 /* 2^20 */
#define MAX_THREADS 4096.0
/* Well above what is 0 as a float: 0 / (0 + epsilon) must stay 0. */
#define LEAST_DIVISOR 1e-30

/* The sections of a recipe that have a file of their own: schema_data.c, schema_model.c. */
extern const st_record st_data_schema[1], st_model_schema[1];

#endif
