#include "map_picture.h"

#include "output.h"

cli_exit cli_map_check(const char *path, const cli_args *args) {
    static const char *const only[] = {"color", "thumbnails"};
    strait_theme theme;
    for (int i = 0; !path && i < 2; i++)
        if (cli_has(args, only[i])) return cli_usage("--%s is of a picture, and none is asked for", only[i]);
    const cli_exit code = cli_theme(&theme, args);
    return code == CLI_OK && path ? cli_output_check(path, cli_picture_endings) : code;
}

/* Images of all points, 0..1: the data's, or the points themselves. */
static strait_status open_thumbnails(strait_array **out, const cli_map *map, strait_error *err) {
    const strait_array *x = map->x;
    strait_data_info info = {.storage = "f32", .minimum = 0, .maximum = 1};
    strait_status status;
    if (map->data) {
        info = *map->info;
        status = strait_data_rows(out, map->data, 0, map->places->dim[0], err);
    } else {
        status = strait_array_new(out, x->n_dims, x->dim, err);
        const int64_t n = strait_array_count(x);
        for (int64_t i = 0; status == STRAIT_OK && i < n; i++)
            (*out)->values[i] = x->values[i];
    }
    if (status != STRAIT_OK) return status;
    const strait_array *images = *out;
    if (images->n_dims != 4 || (images->dim[3] != 1 && images->dim[3] != 3))
        return cli_refuse(err, STRAIT_ARGUMENT,
                          "--thumbnails takes images [height, width, 1 or 3], and the samples are "
                          "none%s",
                          map->data ? "" : "; --data DATA names the images that they were made of");
    cli_to_unit(*out, &info);
    return STRAIT_OK;
}

strait_status cli_map_draw(const char *path, const cli_map *map, const cli_args *args, strait_error *err) {
    cli_colours colours;
    strait_array *thumbnails = NULL;
    strait_theme theme;
    cli_theme(&theme, args);
    strait_status status = cli_colours_open(&colours, cli_text(args, "color"), map->x, map->data, map->info, err);
    if (status == STRAIT_OK && cli_has(args, "thumbnails")) status = open_thumbnails(&thumbnails, map, err);
    const strait_scatter scatter = {
        .title = map->title,
        .points = map->places,
        .axis_label = {map->axis[0], map->axis[1], map->axis[2]},
        .map = map->distances_only,
        .group = colours.group,
        .n_groups = colours.n_groups,
        .group_name = (const char *const *)colours.name,
        .value = colours.value,
        .value_label = colours.label,
        .thumbnails = thumbnails,
        .theme = theme,
    };
    if (status == STRAIT_OK) status = strait_picture_scatter(path, &scatter, err);
    strait_array_free(thumbnails);
    cli_colours_close(&colours);
    return status;
}
