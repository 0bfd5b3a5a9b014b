/* strait help, strait completion: what is known of the commands, for people and for shells. */
#include <stdio.h>
#include <string.h>
#include "cli.h"

/* For the build, the tests and the completion, so not shown:
   --man       the manual page strait.1
   --examples  every example, one a line, in an order in which later ones use what earlier ones made
   --recipes   names of the installed recipes, one a line */
static const cli_option help_options[] = {
    {"man", 0, CLI_FLAG, false, NULL, NULL},
    {"examples", 0, CLI_FLAG, false, NULL, NULL},
    {"recipes", 0, CLI_FLAG, false, NULL, NULL},
    {0},
};

static const cli_example help_examples[] = {
    {"strait help train", "all about a command, as strait train --help"},
    {"strait help data info", "about one whose name has two words"},
    {0},
};

static void print_examples(void) {
    for (const cli_command *const *command = cli_commands; *command; command++)
        for (const cli_example *example = (*command)->examples; example->line; example++)
            puts(example->line);
}

static void print_recipes(void) {
    char *name;
    for (size_t i = 0; (name = strait_recipe_installed(i)) != NULL; i++) {
        puts(name);
        strait_string_free(name);
    }
}

static cli_exit help_on(const char *word, const char *second) {
    char name[64];
    snprintf(name, sizeof name, "%s%s%s", word, second ? " " : "", second ? second : "");
    const cli_command *command = cli_command_find(name);
    if (command) {
        cli_help_command(command);
        return CLI_OK;
    }
    if (!second && cli_help_group(word)) return CLI_OK;
    return cli_unknown_command(name);
}

static cli_exit run_help(const cli_args *args) {
    if (cli_has(args, "man"))
        cli_print_man();
    else if (cli_has(args, "examples"))
        print_examples();
    else if (cli_has(args, "recipes"))
        print_recipes();
    else if (args->n_operands > 0)
        return help_on(args->operand[0], args->n_operands > 1 ? args->operand[1] : NULL);
    else
        cli_help_program();
    return CLI_OK;
}

const cli_command cli_help = {
    .name = "help",
    .summary = "tell about the program, or about a command",
    .synopsis = {"help [COMMAND]"},
    .operand = {"COMMAND", "WORD"},
    .options = help_options,
    .examples = help_examples,
    .run = run_help,
};

static const cli_option completion_options[] = {{0}};

static const cli_example completion_examples[] = {
    {"source <(strait completion bash)", "complete commands, options, recipes and runs in this shell"},
    {0},
};

static cli_exit run_completion(const cli_args *args) {
    if (strcmp(args->operand[0], "bash") != 0)
        return cli_usage("no completion for '%s'; there is one for bash", args->operand[0]);
    cli_print_bash_completion();
    return CLI_OK;
}

const cli_command cli_completion = {
    .name = "completion",
    .summary = "print the completion for a shell",
    .synopsis = {"completion bash"},
    .operand = {"bash"},
    .least_operands = 1,
    .options = completion_options,
    .examples = completion_examples,
    .run = run_completion,
};
