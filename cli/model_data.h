/* The operands MODEL and DATA. */
#ifndef CLI_MODEL_DATA_H
#define CLI_MODEL_DATA_H

#include "cli.h"

/* The model that operand[0] names, the caller's also on failure. Where it is none but the second of n_operands is, the
   message says so. Errors: those of strait_model_load. */
strait_status cli_model_load(strait_model **model, const char *const *operand, int n_operands, strait_error *err);

/* Loads the model operand[0], opens the data operand[1], and tells what the data lacks, as cli_tell_missing. Both are
   the caller's also on failure. Errors: those of cli_model_load, strait_data_open, cli_tell_missing. */
strait_status cli_model_data_open(strait_model **model, strait_data **data, const char *const *operand, bool quiet,
                                  strait_error *err);

/* One line on stderr about genes and proteins that the model knows and the data has not, where there are such; nothing
   when quiet. Fails as strait_model_missing does. */
strait_status cli_tell_missing(const strait_model *model, strait_data *data, bool quiet, strait_error *err);

/* Opens the data operand[0] with the labels that --label names. The caller's. Errors: those of
   strait_data_open_labelled. */
strait_status cli_data_open(strait_data **data, const cli_args *args, strait_error *err);

#endif
