/* The files of a run folder, as training writes them. */
#ifndef ST_API_RUN_FILES_H
#define ST_API_RUN_FILES_H

#include "store/run.h"
#include "train/trainer.h"

#define ST_FILE_RECIPE "recipe.yaml"
#define ST_FILE_MODEL "model.safetensors"
#define ST_FILE_CHECKPOINT "checkpoint.safetensors"

/* recipe.yaml: the resolved recipe. */
strait_status st_write_recipe(const char *run, const strait_recipe *recipe, strait_error *err);

/* An epoch as a row of history.csv. */
st_history_row st_history_of(const st_epoch *epoch);

/* checkpoint.safetensors, history.csv and, after the best epoch so far, best.safetensors. */
strait_status st_write_checkpoint(const char *run, st_trainer *trainer, const st_epoch *epoch, strait_error *err);

/* encoder, decoder and model .safetensors. The whole model comes last of all that a run writes: a run whose
   model.safetensors holds the final weights is finished. */
strait_status st_write_models(const char *run, const strait_model *model, strait_error *err);

/* loss.png and reconstructions.png: the first samples of the validation data (training data without), scaled as in
   training, as the model reconstructs them. */
strait_status st_write_pictures(const char *run, const strait_model *model, strait_data *data, double offset,
                                double factor, strait_error *err);

/* Whether the run's model.safetensors holds this model's weights. */
bool st_run_is_finished(const char *run, const strait_model *model);

/* Takes back a run in which nothing was trained yet. */
void st_remove_run(const char *run);

#endif
