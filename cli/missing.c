#include "missing.h"

#include <stdio.h>

strait_status cli_tell_missing(const strait_model *model, strait_data *data, bool quiet, strait_error *err) {
    char *text = NULL;
    const strait_status status = strait_model_missing(&text, model, data, err);
    if (status == STRAIT_OK && text && !quiet) fprintf(stderr, "note: %s\n", text);
    strait_string_free(text);
    return status;
}
