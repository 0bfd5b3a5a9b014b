/* Inside the diagnosis: diagnosis.c and diagnosis_look.c collect, diagnosis_before.c and diagnosis_findings.c judge. */
#ifndef ST_TRAIN_DIAGNOSIS_INT_H
#define ST_TRAIN_DIAGNOSIS_INT_H

#include "train/diagnosis.h"
#include "train/probe.h"

/* A row of strait_diagnosis_epoch.layer, and where it is in the graph. */
typedef struct st_diagnosed {
    int op;
    char name[48], layer[48];
    int64_t units; /* that can die; 0: its activation has no such state */
    int64_t at;    /* their place in least and most */
} st_diagnosed;

/* Sums over the probe's samples of each of n values. */
typedef struct st_sums {
    int64_t n;
    double *sum, *square; /* [n] */
} st_sums;

/* What the latest look at the probe gave, beside the layers' and the outputs' states. */
typedef struct st_look {
    double clipped_share; /* outputs at or beyond what binary cross-entropy clips to */
    int64_t latent_dead;  /* of latent_units: do not vary over the probe */
} st_look;

struct st_diagnosis {
    st_diagnosis_config config;
    strait_diagnosis *result; /* owned */
    st_probe probe;
    st_runner *runner; /* on one thread, keeps every tensor */
    int64_t chunk;     /* samples of the probe it takes at once */
    int n_layers;
    st_diagnosed *layer;  /* [n_layers] */
    int64_t latent_units; /* places on the latent's last axis; their ranges come first in least and most */
    float *least, *most;  /* range of each unit over the probe */
    st_sums output, latent;
    float *before;                              /* canonical: the weights after the epoch before ... */
    bool before_known;                          /* ... unless a resume began in the middle of an epoch */
    double *norm;                               /* [n_layers] */
    double data_variation, data_low, data_high; /* of the probe's targets: as in strait_output_state */
    st_look look;
    double warmup;       /* epochs in which beta grows */
    double spent;        /* seconds in here since this process began the training */
    double share_before; /* ... and the share of the time that a resume found */
};

/* ---- looking at the probe (diagnosis_look.c) ---- */

/* Plans the runner and takes what its tensors are summed up in; layer must be filled in. Errors: MEMORY, ENGINE. */
strait_status st_look_prepare(st_diagnosis *diagnosis, strait_error *err);
/* Runs the probe through the model as it is: fills dead shares and outputs of *epoch, and diagnosis->look. */
strait_status st_look_take(st_diagnosis *diagnosis, strait_diagnosis_epoch *epoch, strait_error *err);
void st_look_free(st_diagnosis *diagnosis);

/* ---- findings ---- */

/* Begins a finding of the epoch looked at last; st_finding_say and st_finding_mend word it; st_finding_tell keeps it
   and tells the observer, unless the same code was told of the same layer before. */
strait_finding st_finding(const st_diagnosis *diagnosis, const char *code, strait_severity severity, const char *layer,
                          double value);
void st_finding_say(strait_finding *finding, const char *format, ...) __attribute__((format(printf, 2, 3)));
void st_finding_mend(strait_finding *finding, const char *format, ...) __attribute__((format(printf, 2, 3)));
strait_status st_finding_tell(st_diagnosis *diagnosis, const strait_finding *finding, strait_error *err);

/* The activation that the model's outputs have passed through last; linear where it is not one for all of them. */
st_activation_kind st_diagnosis_last_activation(const st_graph *graph);
/* Does the loss have a term of this kind? */
bool st_diagnosis_has_loss(const strait_recipe *recipe, st_loss_kind kind);
/* Does a layer of this kind stand anywhere in the model? */
bool st_diagnosis_has_op(const st_graph *graph, st_op_kind kind);

/* Checks of recipe and data, before training (diagnosis_before.c). */
strait_status st_diagnosis_check_before(st_diagnosis *diagnosis, strait_error *err);
/* What the untrained model's outputs tell (diagnosis_findings.c). */
strait_status st_diagnosis_check_start(st_diagnosis *diagnosis, strait_error *err);
/* Checks of what was seen up to the latest epoch; last: no more will come (diagnosis_findings.c). */
strait_status st_diagnosis_check_epoch(st_diagnosis *diagnosis, bool last, bool stopped, strait_error *err);
/* Fills in the two answers from the epochs so far. */
void st_diagnosis_answer(st_diagnosis *diagnosis);

#endif
