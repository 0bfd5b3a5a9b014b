/* The store of runs: what was trained, how, and what came of it. An index (SQLite, runs.db) beside the run folders,
   which stay the truth: strait_runs_scan makes the index anew from them. */
#ifndef STRAIT_RUNS_H
#define STRAIT_RUNS_H

#include <stddef.h>
#include <stdint.h>
#include <strait/array.h>
#include <strait/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One run. Strings belong to the struct. */
typedef struct strait_run {
    char name[128]; /* "fashion-basic-001" */
    char folder[512];
    char recipe[128]; /* the recipe's name */
    char state[16];   /* "running", "complete", "stopped" (early), "interrupted" (or killed), "diverged", "failed";
                         "damaged": its files cannot be read, strait_run_open says why */
    char loss_name[64], optimizer[32];
    char source[512];  /* of the data */
    char checksum[32]; /* "crc32:1a2b3c4d" of the training samples; larger than memory: "records:...",
                               of the checksums in TFRecord files, or "sampled:...", of 1024 samples */
    char version[32], processor[128], command[1024];
    char started[32]; /* ISO 8601, UTC; "" when not known */
    uint64_t seed;
    int epochs, epochs_asked, batch_size, threads, micro_batch, latent;
    int64_t n_samples, n_validation, parameters;
    double learning_rate, loss, val_loss, best_loss; /* NAN: none */
    int best_epoch;
    double seconds, samples_per_second, wait_share;
    int n_problems, n_warnings; /* of the diagnosis */
} strait_run;

typedef struct strait_runs {
    int n;
    strait_run *run;
} strait_runs;

/* The runs of a store. dir: the folder of runs (NULL: "runs"). sort: a column's name or a recipe's key ("val_loss",
   "-started" for descending; NULL: by start), runs without a value last. filter: conditions joined by ',' all of which
   must hold, with = != < > <= >=: "loss=mse", "val_loss<0.01", "recipe!=cells-1", on the columns above or a recipe's
   key ("model.encoder.1.dense.units=64"); "loss" with a word means loss_name. NULL: all. Without an index the folders
   are read. The caller owns *out. Errors: NOT_FOUND, ARGUMENT (an unknown column, with the nearest), FORMAT, MEMORY. */
STRAIT_API strait_status strait_runs_list(strait_runs **out, const char *dir, const char *sort, const char *filter,
                                          strait_error *err);
STRAIT_API void strait_runs_free(strait_runs *runs);

/* The columns: the members above, name by name from i = 0; NULL past the end. Static storage. */
STRAIT_API const char *strait_run_column(size_t i);

/* What a column holds: nothing known, a number, a text. */
typedef enum strait_run_kind { STRAIT_RUN_NONE, STRAIT_RUN_NUMBER, STRAIT_RUN_TEXT } strait_run_kind;

/* A run's value in a column as text, numbers so that they read back the same; "" for none. out has room for 1024 bytes.
   An unknown column is NONE. */
STRAIT_API strait_run_kind strait_run_value(char out[1024], const strait_run *run, const char *column);

/* The runs as CSV (RFC 4180, quoted where it must be): a header of the columns' names, a row each. *out is
   freed by the caller with strait_string_free; strait_runs_export writes it to a file, atomically. Errors: ARGUMENT,
   IO, MEMORY. */
STRAIT_API strait_status strait_runs_csv(char **out, const strait_runs *runs, strait_error *err);
STRAIT_API strait_status strait_runs_export(const strait_runs *runs, const char *path, strait_error *err);

/* One run by folder or name. Errors: NOT_FOUND, FORMAT, RECIPE, IO, MEMORY. */
STRAIT_API strait_status strait_run_open(strait_run *out, const char *run, strait_error *err);

/* Reads every run folder in dir and makes the index agree: new and moved ones are added, missing ones dropped.
 *n_added and *n_dropped may be NULL. Errors: NOT_FOUND, IO, MEMORY. */
STRAIT_API strait_status strait_runs_scan(int *n_added, int *n_dropped, const char *dir, strait_error *err);

/* Deletes a run: its folder with all files a training or report wrote, and its rows. A file that no run writes keeps
   the folder and is named in the error. A run under way is refused. Errors: NOT_FOUND, ARGUMENT, IO. */
STRAIT_API strait_status strait_run_delete(const char *run, strait_error *err);

/* What differs between runs: *out is a text the caller frees with strait_string_free, one line a recipe key with the
   values side by side, key and values separated by tabs: "train.batch_size\t32\t64\n"; a value is empty where the
   run's recipe has no such key. Errors: NOT_FOUND, ARGUMENT (fewer than two), RECIPE, IO, MEMORY. */
STRAIT_API strait_status strait_runs_differences(char **out, const char *const *runs, int n, strait_error *err);

/* What a run measured, epoch by epoch. */
typedef struct strait_run_metrics {
    int n;
    double *epoch, *loss, *val_loss, *kl, *val_kl, *learning_rate, *seconds, *samples_per_second; /* [n]; NAN: none */
} strait_run_metrics;

/* Reads them from the run's history. The caller owns *out and frees it with strait_run_metrics_free. Errors: NOT_FOUND,
   FORMAT, IO, MEMORY. */
STRAIT_API strait_status strait_run_metrics_read(strait_run_metrics **out, const char *run, strait_error *err);
STRAIT_API void strait_run_metrics_free(strait_run_metrics *metrics); /* NULL is fine */

/* The same samples seen by several models: the first `count` of what the first run validated on (trained on without
   validation). *originals, and outputs[i] for each of the n runs, are the caller's arrays [count or fewer, sample...],
   in the models' scale. Errors: NOT_FOUND (the data are not where the recipe says), SHAPE (a model of another input,
   both named), ARGUMENT, those of strait_model_reconstruct; nothing is given out then. */
STRAIT_API strait_status strait_runs_reconstruct(strait_array **originals, strait_array **outputs,
                                                 const char *const *runs, int n, int64_t count, strait_error *err);

#ifdef __cplusplus
}
#endif
#endif
