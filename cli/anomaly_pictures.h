/* Pictures of strait anomaly score. */
#ifndef CLI_ANOMALY_PICTURES_H
#define CLI_ANOMALY_PICTURES_H

#include "cli.h"

/* The ROC curve, with the place of the threshold. Errors: ARGUMENT (no labels, one class alone). */
strait_status cli_draw_roc(const char *path, const strait_anomaly *anomaly, const strait_anomaly_scores *scores,
                           strait_theme theme, strait_error *err);
/* Histograms of the errors, of both classes where these are known, and the threshold. */
strait_status cli_draw_errors(const char *path, const strait_anomaly *anomaly, const strait_anomaly_scores *scores,
                              strait_theme theme, strait_error *err);
/* The n samples with the largest errors: what they are, what the model makes of them, and the error: images as a sheet,
   rows of values as curves. */
strait_status cli_draw_worst(const char *path, const strait_model *model, strait_data *data,
                             const strait_anomaly_scores *scores, int n, strait_theme theme, strait_error *err);

#endif
