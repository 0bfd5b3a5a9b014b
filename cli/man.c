/* The manual page strait.1, made from the table of commands; `strait help --man` writes it and the installation puts it
   in place. */
#include <stdio.h>
#include <string.h>
#include "cli.h"

/* Text in roff: '-' is a minus a reader can copy, '\' is escaped, and no line begins with a request ('.' or '\''). */
static void put(const char *text) {
    bool start = true;
    for (; *text; text++) {
        if (start && (*text == '.' || *text == '\'')) fputs("\\&", stdout);
        start = *text == '\n';
        if (*text == '\n')
            fputs("\n.PP\n", stdout);
        else if (*text == '-')
            fputs("\\-", stdout);
        else if (*text == '\\')
            fputs("\\e", stdout);
        else
            putchar(*text);
    }
}

static void put_tagged(const char *tag, const char *text) {
    fputs(".TP\n.B ", stdout);
    put(tag);
    putchar('\n');
    put(text);
    putchar('\n');
}

static void put_options(const cli_command *command) {
    char tag[64];
    for (const cli_option *option = command->options; option->name; option++) {
        char letter[8] = "";
        if (!option->help) continue;
        if (option->letter) snprintf(letter, sizeof letter, "-%c, ", option->letter);
        snprintf(tag, sizeof tag, "%s--%s%s%s", letter, option->name, option->argument ? " " : "",
                 option->argument ? option->argument : "");
        put_tagged(tag, option->help);
    }
}

static void put_command(const cli_command *command) {
    printf(".SS ");
    put(command->name);
    printf("\n");
    for (size_t i = 0; i < 3 && command->synopsis[i]; i++) {
        printf(i == 0 ? ".B strait " : ".br\n.B strait ");
        put(command->synopsis[i]);
        printf("\n");
    }
    printf(".PP\n%c", command->summary[0] - 'a' + 'A');
    put(command->summary + 1);
    printf(".\n");
    if (command->details) {
        printf(".PP\n");
        put(command->details);
        printf("\n");
    }
    put_options(command);
    printf(".PP\nExamples:\n");
    for (const cli_example *example = command->examples; example->line; example++)
        put_tagged(example->line, example->tells);
}

void cli_print_man(void) {
    printf(".\\\" Made by `strait help --man` from the table of commands.\n"
           ".TH STRAIT 1 \"\" \"Strait %s\" \"User Commands\"\n"
           ".SH NAME\nstrait \\- train, judge, explore and ship autoencoders\n"
           ".SH SYNOPSIS\n.B strait\n.I COMMAND\n[\\fIOPTIONS\\fR]\n"
           ".SH DESCRIPTION\n",
           strait_version());
    put("Strait trains autoencoders: models that send data through a narrow passage and ask for it back. A recipe, a "
        "short YAML file, says what to train, on what and how; a training leaves a run, a folder with the model, the "
        "history of the losses and pictures.\n"
        "Results go to standard output, progress and messages to standard error. With --json the last line of standard "
        "output is one JSON object.\n"
        "RECIPE is a YAML file, or the name of an installed recipe. MODEL is a run's folder or name, or a .safetensors "
        "file. DATA is " CLI_DATA_HELP ".");
    printf("\n.SH COMMANDS\n");
    for (const cli_command *const *command = cli_commands; *command; command++)
        put_command(*command);
    printf(".SH EXIT STATUS\n");
    put_tagged("0", "All went well.");
    put_tagged("1", "The work failed: a file, a recipe, data, a loss that is not finite.");
    put_tagged("2", "The command line is wrong; nothing was begun.");
    put_tagged("130", "A training was interrupted and saved; strait train --resume RUN goes on with it.");
    printf(".SH ENVIRONMENT\n");
    put_tagged("STRAIT_DATA", "The folder data sets of known names are looked for in first.");
    put_tagged("STRAIT_RECIPES", "The folder recipes are looked for in first.");
    printf(".SH FILES\n");
    put_tagged("runs/NAME-001",
               "A run: recipe.yaml, model.safetensors, encoder.safetensors, decoder.safetensors, "
               "checkpoint.safetensors, history.csv, run.json, diagnosis.json, loss.png, reconstructions.png.");
    put_tagged("runs/runs.db",
               "The index of the runs, an SQLite database: runs, parameters, metrics, artefacts. strait runs "
               "scan makes it anew from the folders.");
}
