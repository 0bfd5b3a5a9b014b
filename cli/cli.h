/* The command line: the shape of a command, its parsed arguments, and how a command tells that it failed.
   Everything a command is known by stands in its cli_command; --help, the man page, the completion and the tests of
   the examples are made from it. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <strait/strait.h>

/* What the program returns. */
typedef enum cli_exit {
    CLI_OK = 0,
    CLI_FAILED = 1,       /* the work failed: a file, a recipe, data, a loss that is not finite */
    CLI_USAGE = 2,        /* the command line is wrong: nothing was begun */
    CLI_INTERRUPTED = 130 /* a training was stopped by a signal and saved */
} cli_exit;

/* What an option takes. The parser checks the value, so a command reads it without checking again. */
typedef enum cli_kind {
    CLI_FLAG,   /* nothing */
    CLI_TEXT,   /* anything but an empty text */
    CLI_COUNT,  /* a whole number from 1 up to INT_MAX */
    CLI_SEED,   /* a whole number from 0 up to 2^63 - 1 */
    CLI_SECONDS /* a number above 0 */
} cli_kind;

typedef struct cli_option {
    const char *name; /* without the dashes; NULL ends a list */
    char letter;      /* the short form, or 0 */
    cli_kind kind;
    bool repeats;         /* may be given more than once */
    const char *argument; /* what stands for the value in help: "DIR"; NULL for a flag */
    const char *help;     /* NULL: for the build and the tests alone, not shown to people */
} cli_option;

typedef struct cli_example {
    const char *line;  /* a whole command line for bash; NULL ends a list. A test runs every one, in order. */
    const char *tells; /* what it does, in a few words */
} cli_example;

typedef struct cli_args cli_args;

#define CLI_MAX_OPERANDS 3

typedef struct cli_command {
    const char *name;                      /* "train", "data info" */
    const char *summary;                   /* one line for the list of commands */
    const char *synopsis[3];               /* forms, each without "strait "; unused ones NULL */
    const char *details;                   /* paragraphs, '\n' between, or NULL */
    const char *operand[CLI_MAX_OPERANDS]; /* what stands for them in messages: "MODEL", "DATA" */
    int least_operands;                    /* of those in operand[] */
    bool many;                             /* the last of operand[] may be given again and again */
    const cli_option *options;             /* --help is added to all */
    const cli_example *examples;
    cli_exit (*run)(const cli_args *args);
} cli_command;

/* Options that mean the same everywhere. */
#define CLI_OPTION_JSON                                                                                                \
    { "json", 0, CLI_FLAG, false, NULL, "print the result as one JSON object" }
#define CLI_OPTION_QUIET                                                                                               \
    { "quiet", 'q', CLI_FLAG, false, NULL, "tell no progress, only results and errors" }
#define CLI_OPTION_LABEL                                                                                               \
    { "label", 0, CLI_TEXT, false, "COLUMN", "where the labels are: a column's name, its number from 0, last, none" }
#define CLI_OPTION_THREADS                                                                                             \
    { "threads", 0, CLI_COUNT, false, "N", "threads to compute with (default: all this process may use)" }
#define CLI_OPTION_SET                                                                                                 \
    { "set", 0, CLI_TEXT, true, "K=V", "override a key of the recipe, as train.batch_size=64; may be repeated" }

/* Every command, in the order of the list; NULL at the end. */
extern const cli_command *const cli_commands[];

/* What DATA stands for on a command line, as help and the manual page say it. */
#define CLI_DATA_HELP                                                                                                  \
    "a known name (cifar10, ecg5000, fashion-mnist, mnist), a file (IDX, CIFAR-10, CSV, .npy, .npz, PNG, JPEG, "       \
    "TIFF, h5ad, HDF5, TFRecord), a folder or pattern of images or shards, or a 10x folder; NAME#SPLIT picks a "       \
    "split, as fashion-mnist#test"

extern const cli_command cli_train, cli_eval, cli_encode, cli_decode, cli_reconstruct, cli_activations, cli_summary,
    cli_data_info, cli_data_show, cli_info, cli_bench, cli_report, cli_help, cli_completion;
extern const cli_command cli_data_augment;
extern const cli_command cli_data_shard;
extern const cli_command cli_runs_list, cli_runs_show, cli_runs_compare, cli_runs_export, cli_runs_scan,
    cli_runs_delete;
extern const cli_command cli_data_list, cli_data_convert, cli_data_fetch;
extern const cli_command cli_pca, cli_compare_pca, cli_anomaly_fit, cli_anomaly_score;
extern const cli_command cli_tsne, cli_umap, cli_trustworthiness, cli_neighbors;
extern const cli_command cli_scatter, cli_interpolate, cli_perturb, cli_sample, cli_manifold, cli_components;
extern const cli_command cli_cluster, cli_represent;
extern const cli_command cli_sweep;

/* Arguments, parsed (args.c). Texts are borrowed from argv. */
struct cli_args {
    const cli_command *command;
    int n_operands;
    const char **operand;
    int n_values;
    struct cli_value {
        const cli_option *option;
        const char *text; /* NULL for a flag */
    } * value;
    bool help; /* --help was asked for: the rest is not checked */
};

/* Parses the words after the command's name. CLI_USAGE after telling the mistake. Free with cli_args_free in any
   case. */
cli_exit cli_args_parse(cli_args *args, const cli_command *command, int argc, char *const *argv);
void cli_args_free(cli_args *args);

/* Was the option given? `name` must be one of the command's options, here and below. */
bool cli_has(const cli_args *args, const char *name);
/* Its value, or NULL when it was not given. */
const char *cli_text(const cli_args *args, const char *name);
/* Its value as a number, or otherwise when it was not given. */
int cli_int(const cli_args *args, const char *name, int otherwise);
/* A CLI_SEED, of the whole range. */
uint64_t cli_seed(const cli_args *args, const char *name, uint64_t otherwise);
double cli_real(const cli_args *args, const char *name, double otherwise);

/* A finite number above 0, in digits with or without a point, and nothing else: as CLI_SECONDS takes. */
bool cli_parse_positive(double *out, const char *text);

/* Copies the candidate nearest to word by edit distance into out; false when none is near enough to be a slip of the
   finger. get(context, i) names candidate i, NULL past the end; the name need only last until the next call. */
bool cli_nearest(char *out, size_t size, const char *word, const char *(*get)(const void *context, size_t i),
                 const void *context);

/* The command of that name, or NULL. */
const cli_command *cli_command_find(const char *name);
/* Tells that there is no such command, with the nearest one. */
cli_exit cli_unknown_command(const char *name);

/* "strait: MESSAGE" on stderr, always one line. */
void cli_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* cli_error for a mistake in the command line; returns CLI_USAGE. */
cli_exit cli_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* cli_error with the library's message; returns CLI_FAILED. */
cli_exit cli_failed(const strait_error *err);
/* cli_error for memory that ran out in the command itself; returns CLI_FAILED. */
cli_exit cli_no_memory(void);

/* Help (help.c): of the program, and of one command. */
void cli_help_program(void);
void cli_help_short(void); /* a few lines on stderr for `strait` alone */
void cli_help_command(const cli_command *command);
/* Commands of a group: "data" lists "data info" and "data show". False when there is no such group. */
bool cli_help_group(const char *group);
/* The first word of a name, and whether no command before it in the table begins with the same: the words `strait` can
   be followed by. */
bool cli_first_word(char *out, size_t size, const cli_command *const *command);
/* The manual page strait.1, in roff (man.c), and the completion for bash (completion.c), on stdout. */
void cli_print_man(void);
void cli_print_bash_completion(void);

#endif
