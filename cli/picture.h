/* What the commands that draw share: the theme, axes to choose, sheets of what a model decoded. */
#ifndef CLI_PICTURE_H
#define CLI_PICTURE_H

#include "cli.h"

#define CLI_OPTION_THEME                                                                                               \
    { "theme", 0, CLI_TEXT, false, "THEME", "of pictures: light or dark (default: light)" }

/* Endings of pictures, for cli_output_check. */
extern const char *const cli_picture_endings[];

/* Reads --theme; CLI_USAGE after telling what is wrong. */
cli_exit cli_theme(strait_theme *out, const cli_args *args);

/* Reads --axes, as "0,2": from `least` to `most` different whole numbers, counted from 0. *n is 0 when it was not
   given. CLI_USAGE after telling what is wrong. */
cli_exit cli_axes(int *axis, int *n, int least, int most, const cli_args *args);
/* Refuses an axis that latents of d values do not have. Errors: ARGUMENT. */
strait_status cli_axes_check(const int *axis, int n, int64_t d, strait_error *err);

/* A sheet of samples [n, ...], `columns` a row: images as they are (brought to 0..1 by their own range where they are
   far from it), all else as curves, on one
   range. captions: one a row, or NULL. Errors: those of strait_picture_draw_sheet. */
strait_status cli_draw_samples(const char *path, const strait_array *x, int columns, const char *const *captions,
                               strait_theme theme, strait_error *err);

#endif
