/* strait info: this machine, and what Strait finds on it. */
#include <stdio.h>
#include <string.h>
#include "cli.h"
#include "format.h"
#include "json.h"
#include "terminal.h"

static const cli_option options[] = {CLI_OPTION_JSON, {0}};

static const cli_example examples[] = {
    {"strait info", "what to put into a bug report"},
    {0},
};

static void print_cache(const char *name, int64_t bytes) {
    if (bytes > 0) printf("%s %s%s", name, cli_bytes((double)bytes).text, cli_dot());
}

/* A list as ':' separates it, one a line. */
static void print_folders(const char *title, const char *folders) {
    while (*folders) {
        const size_t length = strcspn(folders, ":");
        if (length > 0) {
            printf("%-13s%.*s\n", title, (int)length, folders);
            title = "";
        }
        folders += length + (folders[length] == ':');
    }
}

static void print_machine(const strait_machine *machine) {
    printf("strait       %s\n", strait_version());
    printf("processor    %s\n", machine->processor);
    printf("processors   %d\n", machine->processors);
    printf("memory       %s\n", cli_bytes((double)machine->memory).text);
    printf("caches       ");
    print_cache("L1d", machine->l1d_cache);
    print_cache("L2", machine->l2_cache);
    printf("L3 %s\n", machine->l3_cache > 0 ? cli_bytes((double)machine->l3_cache).text : "unknown");
    printf("kernels      %s (the peak measured with oneDNN %s)\n", machine->instructions, machine->onednn);
    print_folders("data in", machine->data_folders);
    print_folders("recipes in", machine->recipe_folders);
}

static void print_recipes(void) {
    char *name;
    for (size_t i = 0; (name = strait_recipe_installed(i)) != NULL; i++) {
        printf("%-13s%s\n", i == 0 ? "recipes" : "", name);
        strait_string_free(name);
    }
}

static json_t *folders_json(const char *folders) {
    json_t *list = json_array();
    while (list && *folders) {
        const size_t length = strcspn(folders, ":");
        if (length > 0 && json_array_append_new(list, json_stringn(folders, length)) != 0) {
            json_decref(list);
            return NULL;
        }
        folders += length + (folders[length] == ':');
    }
    return list;
}

static json_t *recipes_json(void) {
    json_t *list = json_array();
    char *name;
    for (size_t i = 0; list && (name = strait_recipe_installed(i)) != NULL; i++) {
        const int failed = json_array_append_new(list, cli_json_text(name));
        strait_string_free(name);
        if (!failed) continue;
        json_decref(list);
        return NULL;
    }
    return list;
}

static json_t *machine_json(const strait_machine *machine) {
    return json_pack("{s:s, s:o, s:o, s:i, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o}", "version", strait_version(),
                     "processor", cli_json_text(machine->processor), "instructions",
                     cli_json_text(machine->instructions), "processors", machine->processors, "memory",
                     (json_int_t)machine->memory, "l1d_cache", (json_int_t)machine->l1d_cache, "l2_cache",
                     (json_int_t)machine->l2_cache, "l3_cache", (json_int_t)machine->l3_cache, "onednn",
                     cli_json_text(machine->onednn), "data_folders", folders_json(machine->data_folders),
                     "recipe_folders", folders_json(machine->recipe_folders), "recipes", recipes_json());
}

static cli_exit run(const cli_args *args) {
    strait_machine machine;
    strait_machine_describe(&machine);
    if (cli_has(args, "json")) return cli_json_print(machine_json(&machine));
    print_machine(&machine);
    print_recipes();
    return CLI_OK;
}

const cli_command cli_info = {
    .name = "info",
    .summary = "show this machine, the kernels, the folders and the recipes",
    .synopsis = {"info [OPTIONS]"},
    .options = options,
    .examples = examples,
    .run = run,
};
