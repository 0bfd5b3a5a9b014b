/* The diagnosis of a run: does the loss move, do the weights change, what is wrong, what to try. */
#ifndef STRAIT_DIAGNOSIS_H
#define STRAIT_DIAGNOSIS_H

#include <stdbool.h>
#include <stdint.h>
#include <strait/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How much a finding matters. */
typedef enum strait_severity { STRAIT_SEVERITY_NOTE, STRAIT_SEVERITY_WARNING, STRAIT_SEVERITY_PROBLEM } strait_severity;

/* What was found, as a sentence with a number, and the mend. */
typedef struct strait_finding {
    char code[32]; /* "clipped_output", "collapsed", "dead_units", ...: stable, for programs */
    strait_severity severity;
    int epoch;      /* when it was found first; 0: before training */
    char layer[48]; /* "encoder.1"; "": the model as a whole */
    double value;   /* the number in the sentence */
    char sentence[400];
    char mend[240]; /* "" where there is nothing to mend */
} strait_finding;

/* A layer with weights, or one whose units can die, after an epoch. */
typedef struct strait_layer_state {
    char name[48];        /* "encoder.1" */
    char layer[48];       /* "dense (relu)" */
    double change_start;  /* |w - w at the start| / |w at the start|, Euclidean norms over the layer; NAN: no weights.
                             Weights that start at zero are left out of both */
    double change_epoch;  /* the same since the epoch before */
    double gradient_norm; /* of the epoch's last batch; NAN: no weights */
    double dead_share;    /* units that gave 0 for every probed sample; NAN: the activation has no such state */
} strait_layer_state;

/* The outputs for the probed samples, beside the data they should give. */
typedef struct strait_output_state {
    double minimum, maximum;
    double low_share, high_share;     /* at most 0.001, at least 0.999: saturated */
    double outside_share;             /* below 0 or above 1 */
    double variation, data_variation; /* mean over values of the standard deviation across samples */
} strait_output_state;

typedef struct strait_diagnosis_epoch {
    int epoch; /* 0: before the first step */
    double loss, val_loss;
    strait_layer_state *layer; /* [n_layers] */
    strait_output_state output;
} strait_diagnosis_epoch;

typedef struct strait_diagnosis {
    bool loss_moves, weights_change;
    char loss_answer[240], weights_answer[240]; /* "The loss fell from 0.21 to 0.0088 in 10 epochs." */
    int n_findings;
    strait_finding *finding;
    int n_layers, n_epochs;
    strait_diagnosis_epoch *epoch;
    double share_of_time; /* what the diagnosis itself took of the training */
} strait_diagnosis;

/* Reads the diagnosis of a run (a folder, or a name in runs/). The caller owns *out and frees it with
   strait_diagnosis_free. Errors: NOT_FOUND, FORMAT naming the file and what is wrong, MEMORY. */
STRAIT_API strait_status strait_diagnosis_read(strait_diagnosis **out, const char *run, strait_error *err);
STRAIT_API void strait_diagnosis_free(strait_diagnosis *diagnosis); /* NULL is fine */

#ifdef __cplusplus
}
#endif
#endif
