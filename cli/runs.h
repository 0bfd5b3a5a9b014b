/* What the commands on runs share. */
#ifndef CLI_RUNS_H
#define CLI_RUNS_H

#include "cli.h"
#include "format.h"
#include "json.h"

#define CLI_OPTION_DIR                                                                                                 \
    { "dir", 0, CLI_TEXT, false, "DIR", "the folder of runs, as train's --out (default: runs)" }

typedef struct cli_run_path {
    char text[1024];
} cli_run_path;

/* The run that an operand names: with --dir a name is one in DIR. */
cli_run_path cli_run_named(const cli_args *args, int operand);
/* All columns of a run as one object. */
json_t *cli_run_json(const strait_run *run);
/* A loss for people: "" where there is none. */
cli_word cli_run_loss(double loss);

#endif
