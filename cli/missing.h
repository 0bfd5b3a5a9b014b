/* What data lacks of a model's features, told. */
#ifndef CLI_MISSING_H
#define CLI_MISSING_H

#include "cli.h"

/* One line on stderr about genes and proteins that the model knows and the data has not, where there are such; nothing
   when quiet. Fails as strait_model_missing does. */
strait_status cli_tell_missing(const strait_model *model, strait_data *data, bool quiet, strait_error *err);

#endif
