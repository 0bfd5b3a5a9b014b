/* Pictures of points on a map or along axes. */
#ifndef CLI_MAP_PICTURE_H
#define CLI_MAP_PICTURE_H

#include "colours.h"
#include "groups.h"
#include "picture.h"

/* Options of commands that draw one. */
#define CLI_OPTIONS_OF_MAP_PICTURES                                                                                    \
    {"color", 0, CLI_TEXT, false, "WHAT", "colour points by " CLI_COLOURS_HELP " (default: label)"},                   \
        {"thumbnails", 0, CLI_FLAG, false, NULL, "place images of the samples on the picture"}, CLI_OPTION_THEME

typedef struct cli_map {
    const strait_array *places; /* [n, 2 or 3] */
    const char *title;
    const char *axis[3];
    bool distances_only;   /* the axes mean nothing: no numbers along them */
    const strait_array *x; /* the points' own values */
    strait_data *data;     /* where labels and images come from; NULL: there is none */
    const strait_data_info *info;
} cli_map;

/* Looks at the options, before any work: CLI_USAGE after telling what is wrong. path NULL: no picture was asked for. */
cli_exit cli_map_check(const char *path, const cli_args *args);
/* Draws it. Errors: those of cli_colours_open and strait_picture_scatter; ARGUMENT (thumbnails of no images). */
strait_status cli_map_draw(const char *path, const cli_map *map, const cli_args *args, strait_error *err);

#endif
