/* Scores samples by how badly a model reconstructs them, and prints the worst: what it has not learnt is odd.

     cc score.c $(pkg-config --cflags --libs strait) -o score
     ./score MODEL ROWS.npy          ROWS: float samples, [n, ...], scaled as the model gives them (0..1)
*/
#include <stdio.h>
#include <stdlib.h>
#include <strait/strait.h>

#define SHOWN 5

static void check(strait_status status, const strait_error *error) {
    if (status == STRAIT_OK) return;
    fprintf(stderr, "score: %s\n", error->message);
    exit(1);
}

int main(int argc, char **argv) {
    strait_error error;
    strait_model *model = NULL;
    strait_array *rows = NULL, *scores = NULL;
    strait_data *data = NULL;
    if (argc != 3) {
        fprintf(stderr, "usage: score MODEL ROWS.npy\n");
        return 2;
    }

    /* The rows could as well come from a sensor: a data set is made of any floats in memory. */
    check(strait_model_load(&model, argv[1], &error), &error);
    check(strait_array_read(&rows, argv[2], &error), &error);
    check(strait_data_from_rows(&data, rows->values, rows->dim[0], rows->n_dims - 1, rows->dim + 1, &error), &error);
    check(strait_model_score(&scores, model, data, "mse", NULL, &error), &error);

    const int64_t n = scores->dim[0];
    for (int64_t shown = 0; shown < SHOWN && shown < n; shown++) {
        int64_t worst = 0;
        for (int64_t i = 1; i < n; i++)
            if (scores->values[i] > scores->values[worst]) worst = i;
        printf("sample %lld: mse %.6f\n", (long long)worst, (double)scores->values[worst]);
        scores->values[worst] = -1; /* told */
    }

    strait_array_free(scores);
    strait_data_free(data);
    strait_array_free(rows);
    strait_model_free(model);
    return 0;
}
