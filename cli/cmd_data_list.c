/* strait data list: the data sets known by name, and the formats that are read. */
#include <stdio.h>
#include "cli.h"
#include "json.h"

static const cli_option options[] = {CLI_OPTION_JSON, {0}};

static const cli_example examples[] = {
    {"strait data list", "which data sets are here, and how to get the others"},
    {0},
};

static void print_known(const strait_known_data *known) {
    if (known->folder) {
        const char *parts = known->has_train && known->has_test ? ""
                            : known->has_test                   ? " (test only)"
                                                                : " (train only)";
        printf("%-14s %s%s\n", known->name, known->folder, parts);
    } else if (known->package) {
        printf("%-14s not here; get it by: apt install %s\n", known->name, known->package);
    } else {
        printf("%-14s not here; get it by: strait data fetch %s\n", known->name, known->name);
    }
}

static json_t *known_json(const strait_known_data *known) {
    return json_pack("{s:o, s:o, s:b, s:b, s:o, s:o}", "name", cli_json_text(known->name), "folder",
                     cli_json_text(known->folder), "train", known->has_train, "test", known->has_test, "files",
                     cli_json_text(known->files), "package", cli_json_text(known->package));
}

static json_t *formats_json(void) {
    json_t *formats = json_array();
    for (int i = 0; formats && strait_data_format(i); i++) {
        if (json_array_append_new(formats, cli_json_text(strait_data_format(i))) == 0) continue;
        json_decref(formats);
        return NULL;
    }
    return formats;
}

static cli_exit run(const cli_args *args) {
    const bool as_json = cli_has(args, "json");
    json_t *list = as_json ? json_array() : NULL;
    if (as_json && !list) return cli_no_memory();
    for (int i = 0;; i++) {
        strait_known_data known;
        strait_error err = {0};
        if (strait_known_data_at(&known, i, &err) != STRAIT_OK) {
            json_decref(list);
            return cli_failed(&err);
        }
        if (!known.name) break;
        const bool good = !as_json || json_array_append_new(list, known_json(&known)) == 0;
        if (!as_json) print_known(&known);
        strait_known_data_free(&known);
        if (good) continue;
        json_decref(list);
        return cli_no_memory();
    }
    if (as_json) return cli_json_print(json_pack("{s:o, s:o}", "known", list, "formats", formats_json()));
    printf("formats       ");
    for (int i = 0; strait_data_format(i); i++)
        printf("%s%s", i ? ", " : " ", strait_data_format(i));
    printf(", folders of images\n");
    return CLI_OK;
}

const cli_command cli_data_list = {
    .name = "data list",
    .summary = "list the data sets known by name, and where they are",
    .synopsis = {"data list [OPTIONS]"},
    .details =
        "Known data sets are looked for in $STRAIT_DATA, $XDG_DATA_HOME/strait (~/.local/share/strait) and the folder "
        "of the system's packages.",
    .options = options,
    .examples = examples,
    .run = run,
};
