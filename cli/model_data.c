#include "model_data.h"

#include "groups.h"
#include "terminal.h"

strait_status cli_model_load(strait_model **model, const char *const *operand, int n_operands, strait_error *err) {
    strait_model *second = NULL;
    strait_error why = {0};
    const strait_status status = strait_model_load(model, operand[0], err);
    if (status == STRAIT_OK || status == STRAIT_MEMORY || n_operands < 2) return status;
    const bool turned = strait_model_load(&second, operand[1], &why) == STRAIT_OK;
    strait_model_free(second);
    if (!turned) return status;
    return cli_refuse(err, status, "'%.200s' is no model, but '%.200s' is: the model comes first, then the data",
                      operand[0], operand[1]);
}

strait_status cli_model_data_open(strait_model **model, strait_data **data, const char *const *operand, bool quiet,
                                  strait_error *err) {
    strait_status status = cli_model_load(model, operand, 2, err);
    if (status == STRAIT_OK) status = strait_data_open(data, operand[1], err);
    return status == STRAIT_OK ? cli_tell_missing(*model, *data, quiet, err) : status;
}

strait_status cli_tell_missing(const strait_model *model, strait_data *data, bool quiet, strait_error *err) {
    char *text = NULL;
    const strait_status status = strait_model_missing(&text, model, data, err);
    if (status == STRAIT_OK && text && !quiet) cli_say("note: %s", text);
    strait_string_free(text);
    return status;
}

strait_status cli_data_open(strait_data **data, const cli_args *args, strait_error *err) {
    return strait_data_open_labelled(data, args->operand[0], cli_text(args, "label"), err);
}
